"""Take a fault of a request for a conflict where no word tells, and what became of the version does."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.conditions import Guard
from ifmatch.diagnosis.contents import holds, same_content
from ifmatch.diagnosis.message_members import sent, shown
from ifmatch.diagnosis.refusal_words import negative, refuses, says_outdated
from ifmatch.diagnosis.spent_versions import prints
from ifmatch.dialects import Meaning, Refusal, Retry
from ifmatch.dialects.glossary import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ifmatch.diagnosis.steps import Step

# What services answer to a false condition that they have no status for.
_FAULTS: Final = frozenset({400, 422, 428})
# What is wrong with a request by itself, whatever the state.
_OF_THE_REQUEST: Final = Words(
    r"invalid|malformed|required|mandatory|missing|must\b|blank|empty|too (?:long|short|large|small|many)"
    r"|not (?:allowed|permitted)|forbidden|format|schema|validat|pars(?:e|ing)|syntax|unknown|unsupported"
    r"|exceed|limit|quota"
    r"|ungültig|fehl(?:t|end)|pflicht|erforderlich|invalide|manquant|obligatoire|inválid|requerid|obligatori"
)
# What says that something was left as it was.
_LEFT: Final = Words(
    r"(?i)unchanged|untouched|no[ _-]?(?:change|op\b)"
    r"|not[ _-]?(?:changed|modified|created|written|overwritten|replaced)|already|exists|present|left as"
    r"|[\"'](?:created|changed|written|stored|inserted)[\"']\s*:\s*(?:false|0\b)"
)
_STORING: Final = frozenset({"PUT", "PATCH", "POST"})
_CREATED: Final = 201
_LONGEST: Final = 4000


def take_by_course(steps: Iterable[Step]) -> None:
    """Set what answers mean that say in no known word why a write on a version was not carried out.

    The version had been given out for the very resource, and was another one at that time: an own write had
    made it, or the next look shows it. An answer that names another member, or a fault, means that. Nor was
    what is there already created by a success that leaves it as it was.

    Args:
        steps: of a case, their dialects, versions and actors set.
    """
    histories: dict[tuple[str, str], list[Step]] = {}
    for step in steps:
        histories.setdefault((step.resource, step.actor), []).append(step)
    for history in histories.values():
        for step in history:
            if _created_nothing(history, step) or _undone_by_its_words(history, step):
                step.forget()
                step.by_course = Refusal(Meaning.MISMATCH, step.status, "", Retry.REFRESH, None)
            elif (
                (_unread(step) and _outdated(history, step))
                or _prints_both(history, step)
                or _left_as_it_was(history, step)
                or _shows_another(step)
            ):
                retry = step.dialect.retry if step.dialect is not None else Retry.REFRESH
                step.forget()
                step.by_course = Refusal(Meaning.MISMATCH, step.status, "", retry, None)


def _unread(step: Step) -> bool:
    """Tell whether a write on a version was answered with a fault that no known word explains."""
    if step.status not in _FAULTS or not step.is_write or step.batched or step.dialect is None:
        return False
    refusal, guard = step.refusal, step.guard
    if guard is None or guard.guard is not Guard.SAME or not guard.tokens or guard.unseen:
        return False
    if refusal is not None and (refusal.meaning is not Meaning.MISSING or refusal.words):
        return False
    words = step.view.text[:_LONGEST]
    return bool(words.strip()) and not _OF_THE_REQUEST.search(words) and not _names_another(step, words)


def _undone_by_its_words(history: Sequence[Step], step: Step) -> bool:
    """Tell whether a success of no known family says that nothing was done, for the version that was sent.

    It says so of versions, or prints the tag that was sent beside the one that is there.
    """
    guard = step.guard
    if step.dialect is not None or guard is None or not guard.standard or guard.guard is not Guard.SAME:
        return False
    if step.refused or step.batched or not step.is_write or not negative(step):
        return False
    return says_outdated(step) or _prints_both(history, step)


def _prints_both(history: Sequence[Step], step: Step) -> bool:
    """Tell whether a write failed with an answer that prints the sent version, and the one that is there."""
    guard = step.guard
    if step.refused or step.batched or guard is None or not guard.tokens:
        return False
    if (
        guard.guard is not Guard.SAME
        or not (guard.standard if step.dialect is None else guard.key)
        or not refuses(step)
        or not prints(step, guard.tokens[0])
    ):
        return False
    last = next(
        (one for one in reversed(history) if one.order < step.order and one.read_ok and one.etag), None
    )
    # What the next look shows was there before, if nothing was written since.
    after = next((one for one in history if one.order > step.order and (one.read_ok or one.accepted)), None)
    looks = (last, after if after is not None and after.read_ok else None)
    there = {tokens.opaque(one.etag or "") for one in looks if one is not None}
    return any(prints(step, one) for one in there - {"", tokens.opaque(guard.tokens[0])})


def _shows_another(step: Step) -> bool:
    """Tell whether a success says that nothing was done, and has a later version where the sent one stood."""
    guard = step.guard
    if step.refused or step.batched or guard is None or guard.guard is not Guard.SAME or not guard.key:
        return False
    if not negative(step) or not guard.tokens:
        return False
    word, value = guard.name.rpartition("/")[2], guard.tokens[0]
    there = {one.value for one in shown(step) if one.word == word and one.where == "body"}
    return len(there) == 1 and any(tokens.steps_on(value, one) > 0 for one in there)


def _created_nothing(history: Sequence[Step], step: Step) -> bool:
    """Tell whether a success left all as it was because it was to create only what is not there.

    The answer says so, and still has the tag of before, or the next look shows what had been there.
    """
    done = 200 <= step.status < 300 and step.status != _CREATED
    guard = step.guard if done and step.is_write and step.method in _STORING else None
    if guard is None or guard.guard is not Guard.ABSENT or not guard.standard or step.body is None:
        return False
    before = next(
        (one for one in reversed(history) if one.order < step.order and (one.read_ok or one.accepted)), None
    )
    there = before.representation if before is not None and before.read_ok else None
    if before is None or there is None or holds(there, step.body):
        return False
    after = next((one for one in history if one.order > step.order and (one.read_ok or one.is_write)), None)
    seen = after.representation if after is not None and after.is_read else None
    if _LEFT.search(step.view.text[:_LONGEST]) is None or holds(step.content, there):
        # Who asks for a thing to be there, and is given what is there, has what was asked for.
        return False
    return same_content(seen, there) if seen is not None else step.etag == before.etag is not None


def _left_as_it_was(history: Sequence[Step], step: Step) -> bool:
    """Tell whether a success says that something is not so, and the state is the one that was there before.

    Whatever the word for it: the answer denies, the version is an old one, and what was sent is not there.
    """
    if not (step.is_write and 200 <= step.status < 300) or step.batched:
        return False
    if step.refused or step.denied or not step.conditions or step.body is None or not _denies(step):
        return False
    own = [one for one in history if one.order < step.order]
    known = {tokens.opaque(token) for one in own for token in one.issued()}
    read = next((one for one in reversed(own) if one.representation is not None), None)
    if read is None or holds(read.representation, step.body):
        return False
    later = next((one for one in history if one.order > step.order and (one.is_write or one.read_ok)), None)
    shown = later if later is not None and later.read_ok else None
    if shown is not None and shown.representation is not None and holds(shown.representation, step.body):
        return False
    named = [tokens.opaque(one.etag) for one in (step, shown) if one is not None and one.etag is not None]
    return bool(named) and all(one in known for one in named)


def _denies(step: Step) -> bool:
    """Tell whether an answer has a member of its own at the top that is false, and none that is true."""
    answer, asked = step.view.json, step.view.sent_json
    if not isinstance(answer, dict):
        return False
    members = cast("dict[str, object]", answer)
    names = set(cast("dict[str, object]", asked)) if isinstance(asked, dict) else set[str]()
    said = [value for name, value in members.items() if isinstance(value, bool) and name not in names]
    return bool(said) and not any(said)


def _names_another(step: Step, words: str) -> bool:
    """Tell whether an answer names a member of what was sent, other than the one for the version."""
    guard = step.guard
    own = guard.name.rpartition("/")[2].lower() if guard is not None else ""
    names = {one.word.lower() for one in sent(step) if one.where in {"body", "text"}} - {own, ""}
    lowered = words.lower()
    return any(len(name) > 1 and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", lowered) for name in names)


def _outdated(history: Sequence[Step], step: Step) -> bool:
    """Tell whether the version that a write expects had been given out, and another one was there by then."""
    guard = step.guard
    wanted = {tokens.opaque(token) for token in guard.tokens} if guard is not None else set[str]()
    before = [one for one in history if one.order < step.order]
    gave = [one for one in before if wanted & {tokens.opaque(token) for token in one.issued()}]
    if not gave:
        return False
    made = any(one.accepted and one.replaces and one.presents(next(iter(wanted))) for one in before)
    later = takewhile(
        lambda one: not (one.accepted and one.replaces), (one for one in history if one.order > step.order)
    )
    shown = next((one for one in later if one.read_ok and one.etag is not None), None)
    moved = shown is not None and tokens.opaque(shown.etag or "") not in wanted
    return made or moved
