"""Tell which entries of a list a write selects by its query, and which others changed: one token for all."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, NamedTuple, cast
from urllib.parse import parse_qsl, urlsplit

from ifmatch.diagnosis.facts.listings import IDS, with_names
from ifmatch.diagnosis.facts.selections import PAGING, asked_of
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.listed_records import records_in
from ifmatch.diagnosis.reading.projections import is_view
from ifmatch.diagnosis.steps.resources import bare, last_step, parent_of
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# So many steps away from a refusal lists are looked for.
_NEAR: Final = 60
# What names the operation before a value, such as `eq.open` and `gte:5`, or in a name: `km__gt`, `min_km`.
_OPERATION: Final = late_pattern(r"(eq|ne|neq|not|gt|gte|ge|lt|lte|le)[.:]|(==?|!=|>=?|<=?)", re.IGNORECASE)
_NAMED: Final = late_pattern(
    r"(?:(min|max|gt|gte|ge|lt|lte|le|not|ne|neq|eq)_)?(.+?)(?:(?:__|[._])(eq|ne|neq|not|gt|gte|ge|lt|lte|le|from|to))?",
    re.IGNORECASE,
)
_CLAUSE: Final = late_pattern(
    r"([A-Za-z_][\w.]*)\s*(?:(::?|==?|!=|>=?|<=?)|\b(eq|ne|gt|ge|gte|lt|le|lte)\b)\s*"
    r"(?:'([^']*)'|\"([^\"]*)\"|([^\s'\"]+))",
    re.IGNORECASE,
)
_JOINED: Final = late_pattern(r"\s+and\s+|\s*(?:&&|,|;)\s*", re.IGNORECASE)
_EXPRESSIONS: Final = frozenset(
    {"$filter", "filter", "q", "query", "where", "search", "$search", "criteria", "selector", "match"}
)
_WAYS: Final = {
    "": "=",
    "eq": "=",
    "==": "=",
    "=": "=",
    ":": "=",
    "::": "=",
    "ne": "!",
    "neq": "!",
    "not": "!",
    "!=": "!",
    "gt": ">",
    ">": ">",
    "gte": ">=",
    "ge": ">=",
    ">=": ">=",
    "min": ">=",
    "from": ">=",
    "lt": "<",
    "<": "<",
    "lte": "<=",
    "le": "<=",
    "<=": "<=",
    "max": "<=",
    "to": "<=",
}


class Wanted(NamedTuple):
    """What a query asks of a member of an entry.

    Attributes:
        member: its name.
        way: `=`, `!`, `<`, `<=`, `>` or `>=`.
        value: that it is compared with, as a text.
    """

    member: str
    way: str
    value: str

    def shown(self) -> str:
        """Return it for reports."""
        return f"{self.member}{'!=' if self.way == '!' else self.way}{self.value}"


def passed_over(facts: Facts) -> tuple[tuple[str, ...], str, Step] | None:
    """Return the entries that changed and a query does not select, its words, and the step that shows it.

    Some services change or delete all members of a collection that a query selects. No entry where only what
    is selected was read again, and is as it was. None when nothing is known: without two own reads around the
    request, or another's writes to entries in between, or when the query says nothing of members of entries.

    Args:
        facts: of a refused request on a collection.
    """
    wanted = _selection(facts.step)
    gave = facts.elsewhere if wanted else None
    if not wanted or (gave is not None and bare(gave.resource) != bare(facts.step.resource)):
        return None
    known = [(one, entries) for one in _reads(facts) if (entries := _entries(one))]
    before = next((pair for pair in reversed(known) if pair[0].order < facts.step.order), None)
    if before is None or _moved_it_oneself(facts, before[0]):
        return None
    old = before[1]
    told = all(any(_meant(one, _members(text)) for text in old.values()) for one in wanted)
    if not told or not any(_selected(text, wanted) for text in old.values()):
        return None
    words = ", ".join(one.shown() for one in wanted)
    after = next((pair for pair in known if pair[0].order > facts.step.order), None)
    again = next((one for one in facts.own(facts.later) if one.is_read and _entries(one, 1)), None)
    if after is None and again is not None and not _changed_between(facts, again):
        same = _entries(again, 1) == {name: text for name, text in old.items() if _selected(text, wanted)}
        return ((), words, again) if same else None
    if after is None or _changed_between(facts, after[0]):
        return _written(facts, before[0], old, wanted, words)
    new = after[1]
    theirs = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    states = [text for one in (old, new) for name, text in one.items() if name in theirs]
    if not theirs or any(_selected(text, wanted) for text in states):
        return None
    return tuple(theirs[:3]), words, after[0]


def _moved_it_oneself(facts: Facts, before: Step) -> bool:
    """Tell whether the client's own write to the list, or to an entry of it, came after it had been read."""
    here = bare(facts.step.resource)
    steps = facts.own(facts.case.steps[before.order + 1 : facts.step.order])
    return any(one.accepted and one.changes and _within(one, here) for one in steps)


def _within(step: Step, here: str) -> bool:
    """Tell whether a step is about a list, or about what lies below it."""
    resource = bare(step.resource)
    return resource == here or resource.startswith(f"{here.rstrip('/')}/")


def _written(
    facts: Facts, before: Step, old: dict[str, str], wanted: tuple[Wanted, ...], words: str
) -> tuple[tuple[str, ...], str, Step] | None:
    """Return the entries that others wrote to since a list was read, where the query selects none of them."""
    here = bare(facts.step.resource)
    writes = [
        one
        for one in facts.case.steps[before.order + 1 : facts.step.order]
        if one.accepted
        and one.changes
        and (parent_of(one.resource).rstrip("/") == here or bare(one.resource) == here)
    ]
    names = [last_step(one.resource) if bare(one.resource) != here else "" for one in writes]
    if not writes or any(name not in old or _selected(old[name], wanted) for name in names):
        return None
    shown = [one.left.json() if one.left is not None else UNKNOWN for one in writes]
    if any(_matches(inner, wanted) for value in shown for inner in _objects(value)):
        return None
    return tuple(sorted(set(names))[:3]), words, writes[-1]


def one_tag_for_all(facts: Facts, gave: Step) -> Step | None:
    """Return the answer by which a list has one tag whatever a query selects of it, None where none tells.

    Args:
        facts: of a request with the tag of another selection of the list.
        gave: the answer that the tag is from.
    """
    here = bare(facts.step.resource)
    if bare(gave.resource) != here:
        return None
    steps = facts.case.steps[max(0, facts.step.order - _NEAR) : facts.step.order + _NEAR]
    near = [
        one
        for one in steps
        if bare(one.resource) == here and one.etag is not None and (one.read_ok or one is facts.step)
    ]
    for place, one in enumerate(near):
        for other in near[place + 1 :]:
            if one.resource == other.resource or tokens.base(one.etag or "") != tokens.base(other.etag or ""):
                continue
            if _entries(one, 1).keys() != _entries(other, 1).keys() or facts.step in {one, other}:
                return other
    return None


def _entries(step: Step, least: int = 2) -> dict[str, str]:
    """Return the entries of a list by their names, as JSON texts: of JSON, of markup, or of a table."""
    found = with_names(step, least)
    if found or step.content is None or step.content.json() is not UNKNOWN or not 200 <= step.status < 300:
        return found
    for record in records_in(step.content.text):
        name = next((value for key, value in record.items() if key.lower() in IDS), "")
        if not name or name in found:
            return {}
        found[name] = json.dumps(record, sort_keys=True)
    return found if len(found) >= least else {}


def _reads(facts: Facts) -> Iterator[Step]:
    """Yield the own reads of the list that a request is about, in whatever order, but of all of it."""
    here = bare(facts.step.resource)
    first = facts.step.order
    for one in facts.own(facts.case.steps[max(0, first - _NEAR) : first + _NEAR]):
        if one.is_read and bare(one.resource) == here and not asked_of(one):
            yield one


def _changed_between(facts: Facts, after: Step) -> bool:
    here = bare(facts.step.resource)
    steps = facts.case.steps[facts.step.order + 1 : after.order]
    return any(one.changes and _within(one, here) for one in steps)


def _selection(step: Step) -> tuple[Wanted, ...]:
    """Return what a query, or the filter of a content, asks of entries; nothing when it is not understood."""
    found: list[Wanted] = []
    own = {one.called.removeprefix("?").lower() for one in step.conditions}
    for name, value in parse_qsl(urlsplit(step.exchange.request.url).query):
        if PAGING.fullmatch(name) or is_view(name) or name.lower() in own:
            continue
        if name.lower() in _EXPRESSIONS:
            clauses = _clauses(value)
            if clauses is None:
                return ()
            found += clauses
            continue
        member = name.partition("[")[2].partition("]")[0] or name
        inner = name.rpartition("[")[2].rstrip("]") if name.count("[") > 1 else ""
        way = _OPERATION.match(value)
        if way is not None and len(value) > way.end():
            found.append(Wanted(member, _WAYS[(way[1] or way[2]).lower()], value[way.end() :]))
        else:
            found.append(Wanted(member, _WAYS.get(inner.lower().lstrip("$"), "="), value))
    for name, asked in members_in(step.view.sent_json).items() if not found else ():
        if name.lower() in _EXPRESSIONS:
            found += _of_members(asked) or []
    return tuple(found)


def _clauses(text: str) -> list[Wanted] | None:
    """Return what an expression asks of members; None when it is not understood."""
    if text.lstrip()[:1] == "{":
        try:
            value = json.loads(text)
        except ValueError:
            return None
        return _of_members(value)
    found: list[Wanted] = []
    for clause in _JOINED.split(text.strip()):
        told = _CLAUSE.fullmatch(clause)
        if told is None:
            return None
        way = _WAYS[(told[2] or told[3] or "").lower()]
        found.append(Wanted(told[1], way, told[4] or told[5] or told[6] or ""))
    return found


def _of_members(value: object) -> list[Wanted] | None:
    """Return what an object such as `{"done": true, "km": {"$gt": 5}}` asks of members."""
    found: list[Wanted] = []
    for member, asked in cast("dict[str, object]", value).items() if isinstance(value, dict) else ():
        ways = cast("dict[str, object]", asked) if isinstance(asked, dict) else {"eq": asked}
        for way, compared in ways.items():
            known = _WAYS.get(way.lower().lstrip("$"))
            if known is None or not isinstance(compared, str | int | float):
                return None
            found.append(Wanted(member, known, _text(compared)))
    return found or None


def _objects(value: object) -> Iterator[dict[str, object]]:
    """Yield an object, and those that it has as members."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        yield members
        for one in members.values():
            if isinstance(one, dict):
                yield cast("dict[str, object]", one)


def _selected(entry: str, wanted: tuple[Wanted, ...]) -> bool:
    return _matches(_members(entry), wanted)


def _members(entry: str) -> dict[str, object]:
    """Return the members of an entry, and those of the objects in it: `attributes`, `fields`."""
    members = cast("dict[str, object]", json.loads(entry))
    inner = {name: one for value in members.values() for name, one in members_in(value).items()}
    return {**inner, **members}


def _matches(members: dict[str, object], wanted: tuple[Wanted, ...]) -> bool:
    return all(_holds(one, members) for one in wanted)


def _holds(one: Wanted, members: dict[str, object]) -> bool:
    """Tell whether an entry is as a query asks; by its name alone, a bound is read as one of its member."""
    meant = _meant(one, members)
    if meant is None:
        return False
    member, way = meant
    there, asked = _text(members[member]), one.value
    if way in {"=", "!"}:
        return (there.lower() == asked.lower()) == (way == "=")
    apart = _order(there, asked)
    return (apart == 0 and "=" in way) or (apart < 0 if way[0] == "<" else apart > 0)


def _order(there: str, asked: str) -> int:
    """Return on which side of a bound a value lies: numbers by size, other texts by their signs."""
    try:
        one, two = float(there), float(asked)
    except ValueError:
        return (there > asked) - (there < asked)
    return (one > two) - (one < two)


def _meant(one: Wanted, members: dict[str, object]) -> tuple[str, str] | None:
    """Return the member of an entry that is asked for, and in which way; None when it has none like it."""
    if one.member in members:
        return one.member, one.way
    named = _NAMED.fullmatch(one.member) if one.way == "=" else None
    if named is None or named[2] not in members:
        return None
    return named[2], _WAYS[(named[1] or named[3] or "").lower()]


def _text(value: object) -> str:
    """Return a value as a query spells it."""
    return json.dumps(value) if isinstance(value, bool) or value is None else str(value)
