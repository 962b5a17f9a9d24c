"""Look up in listings and documents of many entries what became of one entry, and what of the others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote

from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.steps.resources import bare, last_step
from ifmatch.model.json_values import members_in
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

_MOST: Final = 2000


class Listed(Frozen, frozen=True):
    """What two reads of one listing show of an entry.

    Attributes:
        before: the last read of it before a request.
        after: the first one after the request.
        same: whether the entry is as it was.
        others_moved: whether other entries are not.
    """

    before: Step
    after: Step
    same: bool
    others_moved: bool


def listed(facts: Facts) -> Listed | None:
    """Return what a listing shows of the request's target before and after it, None without such reads.

    Args:
        facts: of the request.
    """
    step = facts.step
    name = last_step(step.resource)
    if not name:
        return None
    for before in reversed(facts.own(facts.case.steps[: step.order])):
        if before.resource == step.resource or before.representation is None:
            continue
        below = _below(before.resource, step.resource)
        old = _part(before.representation, below) or _entries(before.representation, name)
        if old is None:
            continue
        for after in facts.own(facts.case.steps[step.order + 1 :]):
            if after.accepted and after.resource == step.resource:
                break
            shown = after.representation if after.resource == before.resource else None
            new = _part(shown, below) or _entries(shown, name)
            if new is not None:
                return Listed(before, after, old[0] == new[0], old[1] != new[1])
        return None
    return None


def lists(before: Content | None, after: Content | None, name: str) -> bool:
    """Tell whether either of two versions of a collection shows an entry of a name.

    Args:
        before: content of the one.
        after: content of the other.
        name: what the entry is called by, such as the last part of its path.
    """
    return any(_entries(one, name) is not None for one in (before, after))


def _below(whole: str, part: str) -> list[str]:
    """Return the steps of a path that lead from a resource to a part of it; none where it is no part."""
    above, below = bare(whole), bare(part)
    return (
        [unquote(one) for one in below[len(above) + 1 :].split("/")] if below.startswith(f"{above}/") else []
    )


def _part(content: Content | None, below: list[str]) -> tuple[str, set[str]] | None:
    """Return what a document holds where a path leads, and all of it without that; None without it."""
    value = content.json() if content is not None and below else None
    around: list[object] = []
    for name in below:
        if isinstance(value, dict) and name in value:
            inner = cast("dict[str, object]", value)
            around.append({key: one for key, one in inner.items() if key != name})
            value = inner[name]
        elif isinstance(value, list) and name.isdigit() and int(name) < len(cast("list[object]", value)):
            entries, place = cast("list[object]", value), int(name)
            around.append([*entries[:place], *entries[place + 1 :]])
            value = entries[place]
        else:
            return None
    return (json.dumps(value, sort_keys=True), {json.dumps(around, sort_keys=True)}) if around else None


def _entries(content: Content | None, name: str) -> tuple[str, set[str]] | None:
    """Return the entry of a name, and all others as texts; None when a content does not list it."""
    value = content.json() if content is not None else None
    for one in _lists(value):
        entries = [json.dumps(entry, sort_keys=True) for entry in one[:_MOST]]
        for number, entry in enumerate(one[:_MOST]):
            if isinstance(entry, dict) and name in map(str, cast("dict[str, object]", entry).values()):
                return entries[number], {*entries[:number], *entries[number + 1 :]}
    return None


def _lists(value: object) -> Iterator[list[object]]:
    if isinstance(value, list):
        yield cast("list[object]", value)
    elif isinstance(value, dict):
        for member in cast("dict[str, object]", value).values():
            if isinstance(member, list):
                yield cast("list[object]", member)


def untouched(facts: Facts) -> tuple[tuple[str, ...], Step] | None:
    """Return the entries that others changed, where a request names others of the list, and what shows it.

    Two own reads of the collection show it, or what another's write between them names. None when not known.

    Args:
        facts: of a request that names the entries it changes, such as one with the calls of a batch.
    """
    step = facts.step
    known = [(one, with_names(one)) for one in facts.history if one.actor == step.actor]
    before = next((one for one in reversed(known) if one[1] and one[0].order < step.order), None)
    if before is None:
        return None
    entries = before[1]
    mine = _named_in(step, entries)
    if not mine or len(mine) == len(entries):
        return None
    after = next((one for one in known if one[1] and one[0].order > step.order), None)
    if after is not None and not any(one.changes for one in _between(facts, after[0])):
        theirs = {name for name, text in after[1].items() if entries.get(name) != text}
        theirs |= entries.keys() - after[1].keys()
        shows = after[0]
    else:
        writes = [one for one in facts.foreign_writes if one.order > before[0].order]
        if not writes or not all(_named_in(one, entries) for one in writes):
            return None
        theirs, shows = {name for one in writes for name in _named_in(one, entries)}, writes[-1]
    return (tuple(sorted(theirs)[:3]), shows) if theirs and not theirs & mine else None


def _between(facts: Facts, after: Step) -> Iterator[Step]:
    yield from (one for one in facts.history if facts.step.order < one.order < after.order)


# Members that name one thing of a list.
IDS: Final = ("id", "_id", "uid", "uuid", "key", "name", "slug", "code")
_DEEPEST: Final = 6


def with_names(step: Step, least: int = 2) -> dict[str, str]:
    """Return the entries of the longest list of named things that an answer to a read holds, as texts.

    Args:
        step: the read.
        least: so many make a list.
    """
    if step.content is None or not 200 <= step.status < 300 or step.denied:
        return {}
    found = [one for one in _named_lists(step.content.json(), 0) if len(one) >= least]
    return max(found, key=len) if found else {}


def _named_lists(value: object, depth: int) -> Iterator[dict[str, str]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for member in cast("dict[str, object]", value).values():
            yield from _named_lists(member, depth + 1)
    elif isinstance(value, list):
        entries = cast("list[object]", value)[:_MOST]
        things = [cast("dict[str, object]", one) for one in entries if isinstance(one, dict)]
        if len(things) == len(entries) and things:
            called = {member.lower(): member for member in reversed(things[0])}
            for member in (called[name] for name in IDS if name in called):
                names = {str(one[member]) for one in things if isinstance(one.get(member), str | int)}
                if len(names) == len(things):
                    yield {str(one[member]): json.dumps(one, sort_keys=True) for one in things}
                    return
        for one in entries:
            yield from _named_lists(one, depth + 1)


def _named_in(step: Step, entries: dict[str, str]) -> set[str]:
    """Return the entries that a request names, as keys or values of its content."""
    return set(_texts(step.view.sent_json, 0)) & entries.keys()


def _texts(value: object, depth: int) -> Iterator[str]:
    if depth > _DEEPEST + 2:
        return
    if isinstance(value, dict):
        for name, member in cast("dict[str, object]", value).items():
            yield name
            yield from _texts(member, depth + 1)
    elif isinstance(value, list):
        for member in cast("list[object]", value)[:_MOST]:
            yield from _texts(member, depth + 1)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)


def disjoint_entries(base: Content | None, current: Content | None, wanted: Content | None) -> str:
    """Return which entries of a document another changed, where a request changes others only; else "".

    Args:
        base: the document that both had read.
        current: as it is now.
        wanted: as the request would have it.
    """
    before, now, mine = (_keyed(one) for one in (base, current, wanted))
    plain = _plain(base) | _plain(current)
    if not before or not now or not mine:
        return ""
    theirs = {key for key in before.keys() | now.keys() if before.get(key) != now.get(key)}
    ours = {key for key in before.keys() | mine.keys() if before.get(key) != mine.get(key)}
    apart = theirs and ours and not theirs & ours and not theirs & plain
    return ", ".join(sorted(theirs)[:3]) if apart else ""


def _plain(content: Content | None) -> set[str]:
    """Return the members of a document that hold one value: they are its own, and no entries."""
    value = content.json() if content is not None else None
    members = members_in(value)
    return {name for name, member in members.items() if not isinstance(member, dict | list)}


def _keyed(content: Content | None) -> dict[str, str]:
    """Return the entries of a document's lists by their first text, and its other members."""
    value = content.json() if content is not None else None
    found: dict[str, str] = {}
    if not isinstance(value, dict):
        return found
    for name, member in cast("dict[str, object]", value).items():
        if not isinstance(member, list):
            if not stamped("/" + name):
                found[name] = json.dumps(member, sort_keys=True)
            continue
        for entry in cast("list[object]", member)[:_MOST]:
            inner = members_in(entry)
            text = next((one for one in inner.values() if isinstance(one, str)), json.dumps(entry))
            found[text] = json.dumps(entry, sort_keys=True)
    return found
