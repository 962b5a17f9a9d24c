"""Tell what a content was made from, and what a tag was made of."""

from __future__ import annotations

import base64
import hashlib
import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard, versions_in
from ifmatch.diagnosis.reading.contents import (
    changed_pointers,
    holds,
    resemblance,
    same_content,
    speak_of_one,
    unwrapped,
    value_at,
)
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.steps.compared_values import compared_as_content
from ifmatch.diagnosis.steps.resources import path_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

# Shorter pieces of a checksum stand in a tag by chance.
_PIECE = 16
# As short a tag says nothing by itself.
_TELLING = 8
# What an edit repeats at least of what it was made from.
_HALF = 0.5
# So few members are a name and a version.
_FEW = 2
# How requests are called that read although their method is POST.
_SEARCH = late_pattern(r"[/_:](?:search|query|list|find|mget|msearch)\b", re.IGNORECASE)
_DIGESTS = ("md5", "sha1", "sha256")
_TIME = late_pattern(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d|1[5-9]\d{8}")
_COUNTS = Words(r"(?:^|[-_]|(?<=[a-z]))(?:version|revision|rev|generation|serial|seq|edition)$")
# Longer texts are compared by lines only.
_LONG = 4000


def holds_own_tag(step: Step, pointer: str) -> bool:
    """Tell whether a member of an answer repeats the answer's own tag.

    Args:
        step: a read.
        pointer: JSON Pointer (RFC 6901) of the member.
    """
    if compared_as_content(step.dialect, pointer):
        return False
    value = value_at(step.representation, pointer)
    place = step.dialect is not None and any(one.name == pointer for one in step.dialect.tokens)
    if len(tokens.opaque(step.etag or "")) < _TELLING and not (stamped(pointer) or place):
        # A count meets a small number by chance.
        return False
    return isinstance(value, str | int) and tokens.opaque(str(value)) == tokens.opaque(step.etag or "")


def same_state(one: Step, two: Step) -> bool:
    """Tell whether two reads show one content, the tag that a member may repeat left aside."""
    if same_content(one.representation, two.representation):
        return True
    pointers = changed_pointers(one.representation, two.representation)
    if pointers is None:
        return _same_text(one, two)
    if not pointers:
        return False
    own = [pointer for pointer in pointers if holds_own_tag(one, pointer) and holds_own_tag(two, pointer)]
    others = [pointer for pointer in pointers if pointer not in own]
    return not others or _timed_only(one, two, others)


def _same_text(one: Step, two: Step) -> bool:
    """Tell whether two texts, as of elements, are one but for the version that each of them holds."""
    texts: list[str] = []
    for step in (one, two):
        token = tokens.opaque(step.etag or "")
        text = step.representation.text if step.representation is not None else ""
        if len(token) < _TELLING or text.count(token) != 1:
            return False
        texts.append(text.replace(token, ""))
    return texts[0] == texts[1]


def _timed_only(one: Step, two: Step, pointers: Sequence[str]) -> bool:
    """Tell whether only stamped times differ under one version number: nodes stamp when they loaded it."""
    for pointer in pointers:
        values = [value_at(step.representation, pointer) for step in (one, two)]
        if not stamped(pointer) or not all(_TIME.match(str(value)) for value in values):
            return False
    shown = [(step, step.representation) for step in (one, two)]
    numbers = [
        _numbers(content.json() if content is not None else None, tokens.opaque(step.etag or ""))
        for step, content in shown
    ]
    return bool(numbers[0]) and numbers[0] == numbers[1]


def _numbers(value: object, own: str, depth: int = 2) -> dict[str, int]:
    """Return the members of a content that count its versions, but for the one that guards name."""
    if not isinstance(value, dict):
        return {}
    found: dict[str, int] = {}
    for name, member in cast("dict[str, object]", value).items():
        if isinstance(member, int) and not isinstance(member, bool) and _COUNTS.search(name):
            found |= {name: member} if str(member) != own else {}
        elif depth:
            found |= _numbers(member, own, depth - 1)
    return found


def same_but_version(one: Step, two: Step) -> bool:
    """Tell whether two writes carry one content, the version left aside that each of them expects.

    Args:
        one: a write.
        two: another one.
    """
    if same_content(one.body, two.body):
        return True
    first, second = one.guard, two.guard
    pointers = changed_pointers(one.body, two.body)
    if not pointers or first is None or second is None:
        return False
    return all(
        str(value_at(one.body, pointer)) == first.value.strip()
        and str(value_at(two.body, pointer)) == second.value.strip()
        for pointer in pointers
    )


def names_text(tag: str, text: Content) -> bool:
    """Tell whether a tag holds the checksum of a text.

    Frameworks that tag every answer (Express, Rack, Django, Spring) hash what they send, whatever it is.

    Args:
        tag: field value of ETag.
        text: content of the very answer.
    """
    opaque = tokens.opaque(tag)
    for name in _DIGESTS:
        digest = hashlib.new(name, text.octets, usedforsecurity=False).digest()
        if digest.hex()[: 2 * _PIECE] in opaque.lower():
            return True
        if base64.b64encode(digest).decode()[:_PIECE] in opaque:
            return True
        if base64.urlsafe_b64encode(digest).decode()[:_PIECE] in opaque:
            return True
    return False


def told_by_digest(step: Step, mine: Content) -> bool:
    """Tell whether an answer describes its resource by the checksum of a content, in full.

    Object stores give it in a member (`md5Hash`), a field (`x-goog-hash`, `Repr-Digest`) or as the tag.

    Args:
        step: that shows a resource, or facts about it.
        mine: what was sent.
    """
    fields = " ".join(value for _, value in step.received or ())
    content = step.content
    text = fields + (f" {content.text}" if content is not None and len(content) <= _LONG else "")
    for name in _DIGESTS:
        digest = hashlib.new(name, mine.octets, usedforsecurity=False).digest()
        if digest.hex() in text.lower() or base64.b64encode(digest).decode() in text:
            return True
    return False


# Where an element of markup begins, and where a sentence ends, in texts of one line.
PIECES: Final = late_pattern(r"(?<=>)\s*(?=<[^/!])|(?<=[.!?;])\s+|\n")


def nearer(mine: Content, old: Content, new: Content) -> bool:
    """Tell whether a text is an edit of an older version rather than of the newer one.

    Lines count; where they do not tell, elements and sentences do, and characters at last.

    Args:
        mine: text that was written.
        old: text of the older version.
        new: text of the newer version.
    """
    lines = _edits(mine.text.splitlines(), old.text.splitlines())
    others = _edits(mine.text.splitlines(), new.text.splitlines())
    if lines != others or max(len(mine.text), len(old.text), len(new.text)) > _LONG:
        return lines < others
    pieces, fresh, before = (PIECES.split(one.text) for one in (mine, new, old))
    lines, others = _edits(pieces, before), _edits(pieces, fresh)
    if lines != others:
        return lines < others
    return _edits(mine.text, old.text) < _edits(mine.text, new.text)


def _edits(one: list[str] | str, two: list[str] | str) -> int:
    """Return how many lines or characters differ between two texts."""
    matched = SequenceMatcher(None, one, two, autojunk=False).get_matching_blocks()
    return len(one) + len(two) - 2 * sum(block.size for block in matched)


def _only_named(step: Step, whole: Content | None) -> bool:
    """Tell whether a read asked for little more than the version: a few members of what a write carries.

    Args:
        step: a read.
        whole: what is written after it.
    """
    shown, sent = step.representation, whole.json() if whole is not None else None
    members = shown.json() if shown is not None else None
    if not isinstance(members, dict) or not isinstance(sent, dict):
        return False
    names = set(cast("dict[str, object]", members))
    wanted = set(cast("dict[str, object]", sent))
    return len(names) <= _FEW and len(wanted) > 2 * _FEW - 1 and len(names & wanted) == len(names)


def not_shown(gave: Step, write: Step) -> bool:
    """Tell whether an answer gives a version without the content: its name, or facts about it.

    Args:
        gave: a read.
        write: what was sent with the version.
    """
    if _only_named(gave, write.body):
        return True
    shown, sent = gave.representation, write.body
    return shown is not None and sent is not None and not speak_of_one(shown, sent)


def replaces_all(step: Step) -> bool:
    """Tell whether a write carries a whole new version: PUT, or POST under a version of an API's own.

    Args:
        step: any step.
    """
    return step.puts or (step.method == "POST" and step.guard is not None and bool(step.guard.key))


def taken_on(steps: Sequence[Step], token: str | None) -> list[Step]:
    """Return the writes that were accepted on a token: they replaced it, wherever it came from.

    Args:
        steps: in order of time.
        token: as sent, None without one.
    """
    return [one for one in steps if token is not None and one.accepted and one.presents(token)]


def edit_of(mine: Content | None, old: Content | None) -> bool:
    """Tell whether a content repeats at least half of an older one, its envelope left off, and changes it.

    Args:
        mine: what is written.
        old: what was read.
    """
    if mine is None or old is None or same_content(old, mine) or holds(old, mine):
        return False
    bare = unwrapped(old, mine)
    return max(resemblance(bare, mine), resemblance(mine, bare)) >= _HALF


def shows(step: Step) -> bool:
    """Tell whether a step reads and got content, be it a search that is sent with POST.

    Args:
        step: any.
    """
    searched = _SEARCH.search(path_of(step.resource)) if step.method == "POST" else None
    return (step.is_read or searched is not None) and step.status in {200, 203, 206}


def version_of(step: Step, guard: Condition) -> str:
    """Return what names an answer's version to a guard: its tag, or its date; "" without one.

    Args:
        step: an answer.
        guard: that names a state by tag or by date.
    """
    if guard.guard is Guard.SAME_DATE:
        return (step.header("last-modified") or "").strip()
    return step.etag or ""


def named_by(step: Step, guard: Condition) -> bool:
    """Tell whether a guard names the version of an answer, which contents have bare and fields in quotes.

    Args:
        step: an answer.
        guard: that names a state by tag or by date.
    """
    version = version_of(step, guard)
    return bool(version) and tokens.opaque(version) in versions_in(guard)


def gives(step: Step, guard: Condition) -> bool:
    """Tell whether an answer gave out what a guard names.

    Args:
        step: an answer.
        guard: that names a state by tag or by date.
    """
    given = (version_of(step, guard),) if guard.guard is Guard.SAME_DATE else step.issued()
    return any(version in guard.tokens for version in given)


def eased(refused: Step, passed: Step) -> bool:
    """Tell whether a write passed without the condition of a refused one, or with a part of its list.

    Args:
        refused: a write.
        passed: another one like it.
    """
    before, after = refused.guard, passed.guard
    if before is None or after is None:
        return after is None
    if before.value == after.value and before.name == after.name:
        # The same list in fewer lines means the same: RFC 9110 section 5.3.
        return len(refused.sent.get_all(before.name)) > len(passed.sent.get_all(after.name))
    return before.value != after.value and len(before.tokens) > 1 and set(after.tokens) <= set(before.tokens)
