"""Find texts and lists that were added to as they had been, though a later look had shown more in them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.likeness import shows
from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.links.listed_versions import entries_in, may_list
from ifmatch.diagnosis.losses.taken_back import entries_undone
from ifmatch.diagnosis.reading.contents import ABSENT, unwrapped, value_at
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.json_values import members_in, pointer_step
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

# So many steps before a write looks are taken from, and so many of them. Longer answers are data, and lists
# lie so deep at most.
_NEAR: Final = 80
_MOST: Final = 6
_LONGEST: Final = 200_000
_DEEP: Final = 3
# Seconds in which nobody looks at a list and changes his mind.
_AT_ONCE: Final = 30.0
# A shorter name, or piece of a text, is met by chance.
_SHORT: Final = 2
# What stands between a text and what is added to it.
_BETWEEN: Final = late_pattern(r"\s*(?:[;,|\u00b7\u2022]|\.\s|\r?\n|<br\s*/?>|</p>)")
_BEHIND: Final = late_pattern(r"(?:[;,|\u00b7\u2022]|\.\s|\r?\n|<br\s*/?>|</p>)\s*$")
# An addition in a text of JSON: a sign that parts it, or the end of a line.
_ADDED: Final = late_pattern(r"\w[)\]}!?.\"']*\s*(?:[;,|\u00b7\u2022.]\s*\w|\\n|\\u00b7|\\u2022|<)")
_MARKS: Final = late_pattern(r"^[\W_]+|[\W_]+$")


def addition_left_out(case: Case, step: Step) -> Damage | None:
    """Find an unguarded write of a text that adds to an older look's, and lacks what a later look had added.

    Who replaces the later addition by choice does not begin from the text without it; who adds to a copy of
    the thing that was read before does.

    Args:
        case: everything known.
        step: an accepted write without a precondition.
    """
    texts = _texts(step)
    if not texts:
        return None
    looks = list(islice(_looks(case, step), _MOST))
    for name, mine in texts.items() if len(looks) >= _SHORT else ():
        last, now = looks[0]
        fresh = now.get(name)
        if not isinstance(fresh, str) or fresh == mine:
            continue
        for one, state in looks[1:]:
            old = state.get(name)
            if not isinstance(old, str) or not last.follows(one):
                continue
            theirs, added = _addition(old, fresh), _addition(old, mine)
            if not theirs or not added or theirs in mine or added in fresh:
                continue
            if _by_itself(case, one, last, step, theirs):
                return None
            text = f"what a look had shown added to {name} ({theirs[:40]!r}) is not in what is written"
            return Damage(Outcome.LOST_UPDATE, text, lost=last)
    return None


def entries_left_out(old: Step, newest: Step, step: Step) -> Damage | None:
    """Find a list in a patch that adds to an older look's, and lacks what a later look had shown added to it.

    A member of a patch is put in the place of the old one, a list as a whole (RFC 7396 section 2).

    Args:
        old: a look at the thing, or an own write that had shown it.
        newest: a later look.
        step: an accepted patch without a precondition.
    """
    if old.left is None or newest.left is None or step.body is None:
        return None
    before, now = (unwrapped(one, step.body) for one in (old.left, newest.left))
    if step.timed and step.start - newest.end > _AT_ONCE and _names_newest(before, now, step.body):
        # Who had time to look at it, and says so, may have put one entry in the place of another.
        return None
    for name in members_in(step.body.json()):
        pointer = f"/{pointer_step(name)}"
        values = [value_at(one, pointer) for one in (before, now, step.body)]
        kept = value_at(step.shown_content, pointer)
        if entries_undone(*values) and kept in (ABSENT, values[2]):
            text = f"what had been added to {name} since the older read is not in what is written"
            return Damage(Outcome.LOST_UPDATE, text, lost=newest)
    return None


def _names_newest(before: Content, now: Content, sent: Content) -> bool:
    """Tell whether a content carries a version or a time that the newest look had shown, and none before."""
    return any(
        called_version(name) or stamped(f"/{name}")
        for name, value in members_in(sent.json()).items()
        if value_at(now, f"/{pointer_step(name)}") == value != value_at(before, f"/{pointer_step(name)}")
    )


def _texts(step: Step) -> Mapping[str, str]:
    """Return the texts of a write that may have been added to; none where it sends a version, too."""
    if step.body is None or len(step.body) > _LONGEST or _ADDED.search(step.body.text) is None:
        return {}
    sent = _record(step.body.json())
    if any(called_version(name) for name in sent):
        return {}
    return {
        name: value
        for name, value in sent.items()
        if isinstance(value, str) and not stamped(f"/{name}") and _MARKS.sub("", value)
    }


def _record(value: object) -> Mapping[str, object]:
    """Return the members of an object, or of the one object that it wraps."""
    members = members_in(value)
    inner = members_in(next(iter(members.values()))) if len(members) == 1 else {}
    return inner or members


def _looks(case: Case, step: Step) -> Iterator[tuple[Step, Mapping[str, object]]]:
    """Yield what own looks before a write show of its resource, by itself or in a list, the latest first."""
    name = own_name(step)
    host = host_of(step.resource)
    for one in reversed(case.steps[max(0, step.order - _NEAR) : step.order]):
        if one.actor != step.actor or not shows(one) or one.cache_hit or host_of(one.resource) != host:
            continue
        if one.resource == step.resource:
            if one.representation is not None:
                yield one, _record(one.representation.json())
            continue
        content = one.content
        if content is None or len(content) > _LONGEST or len(name) < _SHORT or name not in content.text:
            continue
        if not may_list(one, step):
            continue
        for entry in entries_in(one.view.json, _DEEP):
            if any(str(value) == name for value in entry.values() if isinstance(value, str | int)):
                yield one, entry
                break


def _addition(old: str, text: str) -> str:
    """Return what a text has before or behind an older one, parted from it; "" where it is none of these."""
    if len(_MARKS.sub("", old)) < _SHORT:
        return ""
    rest = ""
    if text.startswith(old) and (
        _BETWEEN.match(text, len(old)) is not None or _BEHIND.search(old) is not None
    ):
        rest = text[len(old) :]
    elif text.endswith(old) and _BEHIND.search(text[: -len(old)]) is not None:
        rest = text[: -len(old)]
    found = _MARKS.sub("", rest)
    return found if len(found) >= _SHORT else ""


def _by_itself(case: Case, old: Step, last: Step, step: Step, added: str) -> bool:
    """Tell whether the client itself changed the thing between two looks, or had sent what was added."""
    return any(
        one.actor == step.actor
        and one.is_write
        and not one.refused
        and not shows(one)
        and (one.resource == step.resource or added in one.view.sent_text)
        for one in case.steps[old.order + 1 : last.order]
    )
