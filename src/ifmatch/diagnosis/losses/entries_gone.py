"""Find entries of a map that a list had shown added to a thing, and that a write without a condition drops.

Labels, tags, settings: whoever sends the map again as he had read it, with an edit of his own, takes away
what another put into it. A list may show more of a thing than a look at it does, so it takes a sign that the
thing was changed: its version or time moved, or another list has it without the entry.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, unquote

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.in_time import looked
from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.links.listed_versions import entries_in, may_list
from ifmatch.diagnosis.losses.taken_back import entries_undone
from ifmatch.diagnosis.reading.contents import ABSENT, changed_pointers, unwrapped, value_at
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.listed_records import lists_changes
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

# So many steps before a write, and behind it, a list is looked for.
_NEAR: Final = 80
_DEEP: Final = 3
_LONGEST: Final = 200_000
_OK: Final = 200
_NAME: Final = 2
# Seconds in which nobody looks at a list and changes his mind.
_AT_ONCE: Final = 30.0
# Members of what is a thing of its own, to which another refers.
_GIVEN: Final = late_pattern(r"_?id|uid|uuid|guid|key|self|href|url|type|kind|name|ref", re.IGNORECASE)
# How some call a thing by the form that it has.
_FORM: Final = late_pattern(r"\.(?:json|xml)$")
# What a short name or number is called that is no amount.
_NUMBERED: Final = late_pattern(
    r"^_?(?:id|iid|key|number|no|nr|uid|pk|code|name|slug)$|[a-z_]I[dD]$|_id$", re.IGNORECASE
)
# What an entry of a list may say about itself in an object of its own.
_ABOUT: Final = ("metadata", "meta", "header", "resource", "attributes", "_meta", "sys", "info")


def entry_left_out(case: Case, history: History, step: Step) -> Damage | None:
    """Find an unguarded write that lacks an entry which a list had shown put into a map since the last look.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted write without a precondition.
    """
    if step.body is None or not (step.method in {"PUT", "PATCH"} or step.puts or step.alters):
        return None
    base = looked(history, step)
    if base is None or base.representation is None or base.cache_hit:
        return None
    for listing, entry in listed_since(case, base, step):
        old, mine = inner_of(unwrapped(base.representation, step.body), step.body, entry)
        now = unwrapped(entry, mine)
        added = _added(old, now, mine)
        if not added or not _edits(old, now, mine):
            continue
        lost = [one for one in added if _gone(history, step, one) and not _sent(case, base, step, one)]
        moved = _moved(base, entry) or _counts(old, now, step)
        lost = [
            one
            for one in lost
            if _listed_without(case, listing, step, one) or (moved and _of_one(listing, step, old, one))
        ]
        if not lost:
            continue
        # Who has time to look at the list may take the entry out by choice, beside an edit.
        soon = not step.timed or step.start - listing.end <= _AT_ONCE
        text = f"what a list had shown put into it since the read ({', '.join(lost[:4])}) is gone"
        return Damage(Outcome.LOST_UPDATE, text, lost=listing, proven=soon)
    return None


def inner_of(old: Content, mine: Content, entry: Content) -> tuple[Content, Content]:
    """Return a state and what was sent of it without a wrapping that both have, but no entry of a list.

    Args:
        old: the state.
        mine: what was sent.
        entry: of a list.
    """
    sent, there = members_in(mine.json()), members_in(old.json())
    wrapping = next(iter(sent), "")
    inner = members_in(there.get(wrapping)) if len(sent) == 1 else {}
    if not inner or wrapping in members_in(entry.json()) or not members_in(sent[wrapping]):
        return old, mine
    return Content.from_json(inner), Content.from_json(members_in(sent[wrapping]))


def _added(old: Content, now: Content, mine: Content) -> list[str]:
    """Return where a newer state has more in a map or a list than an older one, and a write has not."""
    found: list[str] = []
    for one in changed_pointers(old, now) or ():
        name = one.rpartition("/")[2]
        values = [value_at(each, one) for each in (old, now, mine)]
        if not one or stamped(one) or values[1] in (ABSENT, None, "", [], {}):
            continue
        if called_version(name) and not isinstance(values[1], bool | list | dict):
            continue
        if entries_undone(*values) or (
            values[0] is ABSENT and values[2] is ABSENT and _in_map(old, now, mine, one)
        ):
            found.append(one)
    return found


def _in_map(old: Content, now: Content, mine: Content, pointer: str) -> bool:
    """Tell whether a member lies in an object, or in the record itself, that all three states have."""
    there = pointer.rpartition("/")[0]
    return not there or all(isinstance(value_at(one, there), dict) for one in (old, now, mine))


def _edits(old: Content, now: Content, mine: Content) -> bool:
    """Tell whether a write has an edit of its own: who only takes an entry out means that."""
    return any(
        value_at(mine, one) is not ABSENT and value_at(mine, one) != value_at(now, one)
        for one in changed_pointers(old, mine) or ()
        if one and not stamped(one) and not called_version(one.rpartition("/")[2])
    )


def _gone(history: History, step: Step, pointer: str) -> bool:
    """Tell whether what a write lacks is gone by it: its answer, or the next own look, is without it.

    A patch says nothing of what it leaves out: there it has to be seen.
    """
    shown = [step.shown_content] if step.shown_content is not None else []
    shown += [
        one.representation
        for one in history.by_actor.get(step.actor, ())
        if one.order > step.order and one.representation is not None
    ][:1]
    there = pointer.rpartition("/")[0]
    known = [each for one in shown if value_at(each := unwrapped(one, step.body), there) is not ABSENT]
    if not known:
        return step.puts
    return all(value_at(one, pointer) in (ABSENT, value_at(step.body, pointer)) for one in known)


def _sent(case: Case, base: Step, step: Step, pointer: str) -> bool:
    """Tell whether the client itself had sent the entry since its look: it knows of it."""
    name = pointer.rpartition("/")[2]
    return any(
        one.actor == step.actor and one.is_write and not one.refused and name in one.view.sent_text
        for one in case.steps[max(base.order, step.order - _NEAR) : step.order]
    )


def _moved(base: Step, entry: Content) -> bool:
    """Tell whether a version, or a time of change, that both show is another one in a list than in a look."""
    for one in changed_pointers(base.representation, entry) or ():
        old, new = value_at(base.representation, one), value_at(entry, one)
        if ABSENT in (old, new):
            continue
        if stamped(one) or called_version(one.rpartition("/")[2]):
            return True
        # Whatever it is called: a time that went on to one since the look.
        before, after = told_moment(str(old)), told_moment(str(new))
        if before is not None and after is not None and before < after and _since(base, after):
            return True
    return False


def _counts(old: Content, now: Content, step: Step) -> bool:
    """Tell whether a number that a write leaves to the service goes up in the list, and again by the write.

    Whatever it is called, it counts the versions.
    """
    shown = step.shown_content
    after = unwrapped(shown, step.body) if shown is not None else None
    if after is None:
        return False
    for one in changed_pointers(old, now) or ():
        values = [str(value_at(each, one)) for each in (old, now, after)]
        if value_at(step.body, one) is ABSENT and all(map(str.isdecimal, values)):
            first, second, third = map(int, values)
            if first < second < third:
                return True
    return False


def _since(base: Step, moment: float) -> bool:
    return base.date is None or moment >= base.date - 1


def _of_one(listing: Step, step: Step, old: Content, pointer: str) -> bool:
    """Tell whether an entry is this thing's own, and not what the list shows more of each thing than a look.

    Where the list has nothing else, what is named or refers to something may well be shown at length.
    """
    name = unquote(own_name(step))
    there = pointer.rpartition("/")[0]
    others = [
        unwrapped(Content.from_json(entry), step.body)
        for entry in entries_in(listing.view.json, _DEEP)
        if not _is_of(entry, name)
    ]
    like = [one for one in others if value_at(one, there) is not ABSENT]
    if like:
        return all(value_at(one, pointer) is ABSENT for one in like) or value_at(old, pointer) is not ABSENT
    inner = members_in(value_at(old, there)) if there else {}
    return bool(there) and not any(_GIVEN.fullmatch(one) for one in inner)


def _listed_without(case: Case, listing: Step, step: Step, pointer: str) -> bool:
    """Tell whether the same list, asked for at another time, shows the thing without an entry."""
    near = case.steps[max(0, step.order - _NEAR) : step.order + _NEAR]
    again = [
        one
        for one in near
        if one.resource == listing.resource and one.actor == step.actor and one is not listing
    ]
    there = pointer.rpartition("/")[0]
    return any(
        value_at(bare, pointer) is ABSENT and value_at(bare, there) is not ABSENT
        for one in again
        for entry in _entries(one, unquote(own_name(step)))
        for bare in (unwrapped(entry, step.body),)
    )


def listed_since(case: Case, base: Step, step: Step) -> Iterator[tuple[Step, Content]]:
    """Yield the own lists between a read and a write that have the thing, and their entries of it.

    Args:
        case: everything known.
        base: a look at the resource.
        step: a later write on it.
    """
    name = _FORM.sub("", _name_of(step))
    for one in reversed(case.steps[max(base.order + 1, step.order - _NEAR) : step.order]):
        content = one.content if one.actor == step.actor and one.is_read and one.status == _OK else None
        if content is None or len(content) > _LONGEST or not name or one.resource == step.resource:
            continue
        if host_of(one.resource) != host_of(step.resource):
            continue
        near = may_list(one, step) or _versions_below(one, step)
        yield from ((one, entry) for entry in _entries(one, name) if near or _of_the_same(base, entry))


def _name_of(step: Step) -> str:
    """Return what lists call the thing that a write is about."""
    front, _, named = step.resource.partition("#")
    if named:
        # What only contents name may be called by a path.
        return unquote(named)
    asked = parse_qsl(front.partition("?")[2])
    if len(asked) == 1 and _NUMBERED.search(asked[0][0]) is not None:
        # A table's row by its key, with or without an operator.
        return asked[0][1].removeprefix("eq.")
    return unquote(own_name(step))


def _versions_below(one: Step, step: Step) -> bool:
    """Tell whether a read is of the versions of a resource, which services have below it."""
    there, here = (each.resource.partition("?")[0].rstrip("/") for each in (one, step))
    below = there.removeprefix(here + "/")
    return below != there and (called_version(below) or lists_changes(below))


def _of_the_same(base: Step, entry: Content) -> bool:
    """Tell whether an entry found by a search, wherever that is asked for, is about what a look showed.

    It has all that the look has, and most of it as it was there: other kinds of things have other members.
    """
    look = base.representation
    if look is None:
        return False
    whole, there = (members_in(one.json()) for one in (unwrapped(look, entry), unwrapped(entry, look)))
    whole = whole if len(whole) > 1 else members_in(next(iter(whole.values()), None))
    told = {one: value for one, value in whole.items() if not stamped(f"/{one}")}
    same = sum(there.get(one) == value for one, value in told.items())
    return len(whole) > 1 and whole.keys() <= there.keys() and 2 * same >= len(told)


def _entries(listing: Step, name: str) -> Iterator[Content]:
    """Yield the entries of a list that name a thing, by themselves or in what they say about themselves."""
    content = listing.content
    if not listing.is_read or listing.status != _OK or content is None or len(content) > _LONGEST:
        return
    if name not in content.text and quote(name) not in content.text:
        return
    if len(name) <= _NAME and not any(f"{sign}{name}" in content.text for sign in ':" '):
        # A value begins behind one of these.
        return
    for entry in entries_in(listing.view.json, _DEEP):
        held = next((one for one in _within(entry, _DEEP) if _names(one, name)), None)
        if held is not None or _is_of(entry, name):
            yield Content.from_json(held or entry)
    if len(name) <= _NAME:
        return
    # A list may be a map by names.
    whole = members_in(listing.view.json)
    for holder in (whole, *map(members_in, whole.values())):
        if entry := members_in(holder.get(name)):
            yield Content.from_json(entry)


def _within(entry: Mapping[str, object], depth: int) -> Iterator[Mapping[str, object]]:
    """Yield the records that an entry wraps: the event of a feed has what changed inside."""
    for word, one in entry.items() if depth else ():
        if (record := members_in(one)) and word not in _ABOUT:
            yield record
            yield from _within(record, depth - 1)


def _is_of(entry: Mapping[str, object], name: str) -> bool:
    return _names(entry, name) or any(_names(members_in(entry[one]), name) for one in _ABOUT if one in entry)


def named_by(member: str, name: str) -> bool:
    """Tell whether a member may hold a name: one as short as an amount is met anywhere but in an id.

    Args:
        member: its own name.
        name: of a thing.
    """
    return len(name) > _NAME or _NUMBERED.search(member) is not None


def _names(record: Mapping[str, object], name: str) -> bool:
    """Tell whether a record has a name; what is as short as an amount counts where it is called an id."""
    return any(
        str(value) == name and named_by(member, name)
        for member, value in record.items()
        if isinstance(value, str | int) and not isinstance(value, bool)
    )
