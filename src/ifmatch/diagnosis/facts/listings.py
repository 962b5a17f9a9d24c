"""Look up in listings and documents of many entries what became of one entry, and what of the others."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import parse_qsl, urlsplit

from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.steps.resources import last_step
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern
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
        old = _entries(before.representation, name)
        if old is None:
            continue
        for after in facts.own(facts.case.steps[step.order + 1 :]):
            if after.accepted and after.resource == step.resource:
                break
            new = _entries(after.representation, name) if after.resource == before.resource else None
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
    known = [(one, _with_names(one)) for one in facts.history if one.actor == step.actor]
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


def passed_over(facts: Facts) -> tuple[tuple[str, ...], str, Step] | None:
    """Return the entries that changed and a query does not select, its words, and the read that shows it.

    Some services change or delete all members of a collection that a query selects. None when that is not
    known: without two own reads around the request, or when the query says nothing about members of entries.

    Args:
        facts: of a refused request on a collection.
    """
    step = facts.step
    wanted = _selection(step.exchange.request.url)
    if not wanted:
        return None
    known = [(one, entries) for one in facts.own(facts.history) if (entries := _with_names(one))]
    before = next((pair for pair in reversed(known) if pair[0].order < step.order), None)
    after = next((pair for pair in known if pair[0].order > step.order), None)
    if before is None or after is None:
        return None
    if any(one.changes for one in _between(facts, after[0])):
        return None
    old, new = before[1], after[1]
    theirs = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    states = [text for one in (old, new) for name, text in one.items() if name in theirs]
    told = [name for name in wanted if any(name in json.loads(text) for text in old.values())]
    if not theirs or len(told) != len(wanted) or any(_selected(text, wanted) for text in states):
        return None
    if not any(_selected(text, wanted) for text in old.values()):
        return None
    return tuple(theirs[:3]), ", ".join(f"{name}={value}" for name, value in wanted.items()), after[0]


# What names the operation in a value such as `eq.open`, and a condition such as `state eq 'open'`.
_EQUAL: Final = late_pattern(r"eq[.:]|==?", re.IGNORECASE)
_CLAUSE: Final = late_pattern(
    r"([A-Za-z_]\w*)\s*(?::|==?|\beq\b)\s*(?:'([^']*)'|\"([^\"]*)\"|([^\s'\"]+))", re.IGNORECASE
)
_JOINED: Final = late_pattern(r"\s+and\s+|\s*(?:&&|,|;)\s*", re.IGNORECASE)
_EXPRESSIONS: Final = frozenset({"$filter", "filter", "q", "query", "where", "search", "$search"})


def _selection(url: str) -> dict[str, str]:
    """Return the members and values by which a query selects entries; empty when it says more, or nothing."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(urlsplit(url).query):
        if name.lower() in _EXPRESSIONS:
            for clause in _JOINED.split(value.strip()):
                told = _CLAUSE.fullmatch(clause)
                if told is None:
                    return {}
                found[told[1]] = told[2] or told[3] or told[4] or ""
        else:
            member = name.partition("[")[2].partition("]")[0] or name
            found[member] = _EQUAL.sub("", value, count=1) if _EQUAL.match(value) else value
    return found


def _selected(entry: str, wanted: dict[str, str]) -> bool:
    members = cast("dict[str, object]", json.loads(entry))
    return all(str(members.get(name)).lower() == value.lower() for name, value in wanted.items())


def _between(facts: Facts, after: Step) -> Iterator[Step]:
    yield from (one for one in facts.history if facts.step.order < one.order < after.order)


# Members that name one thing of a list.
_IDS: Final = ("id", "_id", "uid", "uuid", "key", "name", "slug", "code")
_DEEPEST: Final = 6


def _with_names(step: Step) -> dict[str, str]:
    """Return the entries of the longest list of named things that an answer to a read holds, as texts."""
    if step.content is None or not 200 <= step.status < 300 or step.denied:
        return {}
    found = list(_named_lists(step.content.json(), 0))
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
        if len(things) == len(entries) and len(things) > 1:
            for member in _IDS:
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
