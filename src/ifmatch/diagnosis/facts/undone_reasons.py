"""Find out why a success left something undone: from what the next looks and the next attempts show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ifmatch.diagnosis.facts.keys_taken import of_key
from ifmatch.diagnosis.facts.looks_behind import look_behind, stood_still, told_behind
from ifmatch.diagnosis.facts.null_rows import none_for_version
from ifmatch.diagnosis.facts.parts_accounted import part_unlike
from ifmatch.diagnosis.facts.respelt_values import former_value
from ifmatch.diagnosis.facts.row_reasons import (
    Reason,
    of_existing,
    of_hold,
    of_incapacity,
    of_rule,
    shorten,
)
from ifmatch.diagnosis.facts.selections import SEVERAL_WORDS, asked_of, pieces_of, sizes_in, things_in
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading.sent_rows import entries_in
from ifmatch.diagnosis.reading.version_words import CARRIES, EXPECTS, called_version
from ifmatch.diagnosis.reading.whole_words import as_word
from ifmatch.diagnosis.steps.carried_out import decide
from ifmatch.diagnosis.steps.left_undone import (
    NO_THING,
    Left,
    account_in,
    account_of,
    left_undone,
    said_of,
    sent_rows,
    told_rows,
    undone,
    whole_of,
)
from ifmatch.diagnosis.steps.refusal_words import outdated
from ifmatch.diagnosis.steps.resources import host_of, path_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.reading.sent_rows import Entry, Row
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

_NEAR: Final = 60
_OK: Final = 200
_CREATED: Final = 201
_MANY_LEFT: Final = 12
_PARTS: Final = 200
_TELLING: Final = 2
_SEVERAL: Final = 2
_LONGEST: Final = 100_000
_GONE: Final = Words(
    r"(?:delet|remov|eras|purg|withdraw|cancel|retir|destroy|discard|dismantl|decommission|struck|unlist"
    r"|archiv|expung)"
    r"\w*|gone|tombstones?|dropped|taken (?:out|off|down)|deregistered|scrapped|sold|closed"
)
_NO_SUCH: Final = Words(
    r"no such|no longer|any ?more"
    r"|not (?:\w+ ){0,2}(?:file|record|list|register|stock|catalogu?e?|system|inventory|books)"
    r"|not (?:found|there|exist|present|known|in the)|does ?n.t exist|did ?n.t exist|unknown"
    r"|no (?:target|record|row"
    r"|entry|item|match)|without target|gone|deleted|removed|erased|nonexistent|vanished|absent|withdrawn"
)
_OF_VERSIONS: Final = Words(
    r"version|revision|\be-?tag|\block(?:ed)?\b|(?<!p)lease|stale|outdated|attempts?|quota|limit|exceed|newer"
    r"|older"
)
# Why nothing had to be done.
_TO_DO: Final = Words(r"already|identical|up to date|nothing to|same as before|only \d")
_BASED: Final = Words(rf"{EXPECTS.pattern}|^_?(?:basis|based_?on)")
_WANTED: Final = Words(
    r"(?<![^\W_])(?:required|mandatory|missing|must|obligatory|needed|needs|necessary|lacks?|lacking|absent|expected"
    r"|demanded|wanted"
    r"|compulsory|(?:not|wasn.t|no) (?:given|provided|supplied|specified|sent|stated|filled)|without|no\b"
    r"|give|send|supply)(?![^\W_])"
)
_NUMBER: Final = late_pattern(r"(?<![\w.,-])\d{1,4}(?![\w-]|[.,]\d)")


def reason_of(case: Case, step: Step) -> Reason | None:
    """Return why a write that is a success by its status left something undone, None where nothing tells.

    Args:
        case: everything known.
        step: a write.
    """
    if step.batched and any(
        one.within is step and one.refused for one in case.steps[step.order + 1 : step.order + _PARTS]
    ):
        # Its parts are requests of their own, and tell why themselves.
        return None
    if (lacked := of_key(case, step)) is not None:
        return lacked
    # What an answer gives a place of its own was made.
    made = step.status == _CREATED and step.header("location") is not None and not step.negative
    lefts = left_undone(step)[:_MANY_LEFT] if step.is_write and not made else []
    told = step.is_write and step.seen.account != ""
    # Without a row that was left undone, what the same tells later counts where no version was sent at all.
    later = _attempts(case, step) if lefts or told or (step.is_write and not step.conditions) else []
    if not (lefts or later or told):
        return _from_old_look(case, step, lefts) if step.is_write else None
    near = case.steps[max(0, step.order - _NEAR) : step.order + _NEAR]
    own = [one for one in near if one.actor == step.actor and host_of(one.resource) == host_of(step.resource)]
    found = _of_none(step, lefts, own) or _without_version(step, lefts, later, own)
    for left in lefts if found is None else ():
        found = _of_several(step, left, own) or _of_nothing(step, left, own)
        if found is not None:
            break
    return (
        found
        or _unlike(step, lefts, later, own)
        or _of_rows(step, lefts, later, own)
        or (part_unlike(step, own) if told or lefts else None)
        or _from_old_look(case, step, lefts)
    )


def _of_none(step: Step, lefts: Sequence[Left], own: Sequence[Step]) -> Reason | None:
    said = tuple(none_for_version(step, lefts, own))
    return Reason("null-token", said) if said else None


def _from_old_look(case: Case, step: Step, lefts: Sequence[Left]) -> Reason | None:
    """Find a row whose version its writer has from a look that its own write had made an old one."""
    found = look_behind(case, step) if lefts else stood_still(case, step)
    if lefts and _TO_DO.search(lefts[0].said):
        return None
    for cause in ("stale-cache-read", "replica-lag") if found is not None else ():
        said = tuple(told_behind(found, cause)) if found is not None else ()
        if said:
            what = f"what is told of the write: “{shorten(account_in(step))}”"
            return Reason(cause, (*said, (what, 1.0, account_of(step))))
    return None


def _of_rows(step: Step, lefts: Sequence[Left], later: Sequence[Step], own: Sequence[Step]) -> Reason | None:
    """Return the first reason of a row that is none of versions, searches and former values."""
    rows = sent_rows(step)
    for left in lefts:
        found = (
            of_incapacity(left, later)
            or of_existing(step, left, own)
            or of_rule(left, rows, later)
            or of_hold(step, left, own)
        )
        if found is not None:
            return found
    return None


def left_in_success(facts: Facts, cause: str) -> Iterator[Evidence]:
    """Yield the evidence that a success left something undone for a cause.

    Args:
        facts: of the incident.
        cause: id of the root cause.
    """
    found = facts.undone
    if found is not None and found.cause == cause:
        for text, weight, step in found.said:
            yield note(text, weight, step)


def _attempts(case: Case, step: Step) -> list[Step]:
    """Return what the same actor sent there later."""
    near = case.steps[step.order + 1 : step.order + _NEAR]
    path = step.resource.partition("?")[0]
    return [
        one
        for one in near
        if one.method == step.method
        and 200 <= one.status < 300
        and one.actor == step.actor
        and one.resource.startswith(path)
        and one.is_write
        and one.resource.partition("?")[0] == path
    ]


def _of_several(step: Step, left: Left, own: Sequence[Step]) -> Reason | None:
    """Find a row whose criteria fit several things, as a search for the same shows."""
    if _OF_VERSIONS.search(left.said) or _TO_DO.search(left.said) or _of_all(step, own):
        return None
    named = [value for name, value in left.row.items() if value and not called_version(name)]
    mine = frozenset(piece for value in (*named, *step.view.query.values()) for piece in pieces_of(value))
    counted = _counted(left)
    many = SEVERAL_WORDS.search(left.said) is not None
    what = f"what is told of it: “{shorten(left.entry.text)}”"
    for one in sorted(own, key=lambda other: abs(other.order - step.order)):
        asked = asked_of(one) if one.is_read and one.read_ok else []
        if not asked or not all(pieces & mine for pieces in asked):
            continue
        number = things_in(one, frozenset[str]().union(*asked) & mine)
        if number < _SEVERAL:
            # What is called so by no entry may be counted by the report.
            number = next((size for size in counted if size >= _SEVERAL and size in sizes_in(one)), 0)
        if number >= _SEVERAL and (number in counted or many):
            said = (
                (f"a search for what the request selects by shows {number} things", 3.5, one),
                (what, 3.5, left.seen),
            )
            return Reason("multi-match", said)
    return None


def _of_all(step: Step, own: Sequence[Step]) -> bool:
    """Tell whether a service changes all that is selected: the very same request once did so."""
    return any(
        one.order < step.order
        and one.is_write
        and one.exchange.request.url == step.exchange.request.url
        and one.view.sent_text == step.view.sent_text
        and 200 <= one.status < 300
        and decide(one).whole
        for one in own
    )


def _counted(left: Left) -> set[int]:
    """Return the numbers in what is told of a row, without that of the row itself."""
    places = {str(left.number + first) for first in range(3)} if not left.alone else set[str]()
    cells = {value: "" for value in left.entry.values.values() if value in places}
    said = said_of(left.entry, {**left.row, **cells, **{f"{one}#": one for one in cells}})
    return {int(one) for one in _NUMBER.findall(said)}


def _of_nothing(step: Step, left: Left, own: Sequence[Step]) -> Reason | None:
    """Find a row about a thing that was known, and is not there by the looks around."""
    versioned = bool(step.conditions) or any(
        value and (called_version(name) or CARRIES.search(name) or (value.isdigit() and _BASED.search(name)))
        for name, value in left.row.items()
    )
    words = _NO_SUCH.search(left.said) is not None or NO_THING.search(left.entry.text) is not None
    before = [one for one in own if one.order < step.order and one.is_read and one.read_ok]
    states = frozenset(value.casefold() for row in sent_rows(step) for value in row.values())
    for key in _keys(step, left):
        known = any(as_word(key, one.view.text) for one in before)
        if not (versioned or known or words):
            continue
        looked = next(
            (one for one in own if one is not step and _misses(one, key) and not _again(one, step, own)), None
        )
        removed = next(
            (one for one in own if one.is_read and one is not left.seen and _removed(one, key, states)),
            None,
        )
        found = looked or removed or _dropped(own, step, key)
        if found is None or any(_deletes(one, key) for one in own if step.order < one.order < found.order):
            continue
        said = [(f"{key}, which the request names, is not there by another look", 4.5, found)]
        if removed is not None and removed is not found:
            said.append((f"a list of changes has {key} as removed", 1.0, removed))
        said.append((f"what is told of it: “{shorten(left.entry.text)}”", 2.5 if words else 1.5, left.seen))
        return Reason("target-missing", tuple(said))
    return None


def _keys(step: Step, left: Left) -> list[str]:
    """Return what may name the thing that a row is about: of several, what only that row has."""
    others = {
        value for number, row in enumerate(sent_rows(step)) if number != left.number for value in row.values()
    }
    named = [
        value
        for name, value in left.row.items()
        if len(value) >= _TELLING and " " not in value and value not in others and not called_version(name)
    ]
    parts = path_of(step.resource.partition("?")[0]).split("/") if left.alone else []
    return named[:_MANY_LEFT] + [unquote(one) for one in parts[1:] if any(map(str.isdigit, one))]


def _misses(one: Step, key: str) -> bool:
    """Tell whether a look for a thing finds nothing, or all that was asked for but that."""
    path, _, _ = path_of(one.resource).partition("?")
    if one.finds_nothing:
        return unquote(path.rstrip("/").rpartition("/")[2]) == key or key in one.view.query.values()
    if not one.is_read or one.status != 200 or one.content is None or len(one.content) > _LONGEST:
        return False
    asked = [part for value in one.view.query.values() for part in re.split(r"[,;| ]", value)]
    if key not in asked or as_word(key, one.view.text):
        return False
    others = [part for part in asked if part != key and as_word(part, one.view.text)]
    return bool(others) or _empty(one)


def _dropped(own: Sequence[Step], step: Step, key: str) -> Step | None:
    """Return a look whose very request was answered with a thing once, and then with less and without it."""
    first: dict[tuple[str, str, str], Step] = {}
    for one in own:
        if one is step or one.status != _OK or one.content is None or len(one.content) > _LONGEST:
            continue
        place = one.method, one.exchange.request.url, one.view.sent_text
        before = first.setdefault(place, one)
        if before is one or key in one.view.sent_text or not as_word(key, before.view.text):
            continue
        older, newer = (_words_of(each) for each in (before, one))
        if key not in newer and len(newer) < len(older) and len(newer - older) * _SEVERAL < len(newer):
            return one
    return None


def _words_of(one: Step) -> frozenset[str]:
    """Return the values that an answer lists."""
    return frozenset(value for entry in entries_in(one.view.text) for value in entry.values.values() if value)


def _empty(one: Step) -> bool:
    """Tell whether an answer lists nothing: an empty list, nulls, a count of none, a heading alone."""
    text = one.view.text.strip()
    if text[:1] in {"{", "["}:
        entry = whole_of(text)
        return all(value in {"", "0", "false"} for name, value in entry.values.items() if name)
    return len(text.splitlines()) <= 1


def _removed(one: Step, key: str, states: frozenset[str]) -> bool:
    """Tell whether an answer has an entry that says of a thing that it was taken away.

    A value that the request sets or expects (`closed`) is a state of what is there.
    """
    if one.status != 200 or one.content is None or len(one.content) > _LONGEST:
        return False
    told = [entry for entry in entries_in(one.view.text) if key in entry.values.values()]
    return any(
        _GONE.search(
            said_of(
                entry,
                {"": key, **{each: each for each in entry.values.values() if each.casefold() in states}},
            )
        )
        for entry in told
    )


def _again(look: Step, step: Step, own: Sequence[Step]) -> bool:
    """Tell whether a thing that a look did not find was there again before a write."""
    between = (one for one in own if look.order < one.order < step.order)
    return any(one.resource == look.resource and (one.read_ok or one.accepted) for one in between) or any(
        one.is_write and one.accepted for one in own if look.order < one.order < step.order
    )


def _deletes(one: Step, key: str) -> bool:
    return one.method == "DELETE" and one.accepted and as_word(key, path_of(one.resource))


def _passed(later: Step, row: Row, mine: Sequence[Row]) -> Iterator[tuple[Row, Entry | None]]:
    """Yield the rows of a later attempt that repeat a row with more, and what is told of them."""
    shared = {value for other in mine if other is not row for value in other.values()}
    if not set(filter(None, row.values())) - shared:
        return
    told: dict[int, Entry] | None = None
    for number, theirs in enumerate(sent_rows(later)):
        if not all(theirs.get(name) == value for name, value in row.items() if value):
            continue
        told = dict(told_rows(later)) if told is None else told
        entry = told.get(number)
        if entry is None:
            whole = whole_of(account_in(later))
            if not undone(whole, theirs, []):
                yield theirs, None
        elif not undone(entry, theirs, [one for place, one in told.items() if place != number]):
            yield theirs, entry


def _without_version(
    step: Step, lefts: Sequence[Left], later: Sequence[Step], own: Sequence[Step]
) -> Reason | None:
    """Find rows without a version where the same rows with one are carried out, or where one is asked for."""
    rows = sent_rows(step)
    if step.conditions or any(called_version(name) for row in rows[:1] for name in row):
        return None
    later = [one for one in later if one.exchange.request.url == step.exchange.request.url]
    told = dict(told_rows(step))
    places = [one.number for one in lefts] or list(told)
    for place in places[:_MANY_LEFT]:
        seen, before = account_of(step), told.get(place)
        if before is None:
            continue
        said = said_of(before, rows[place])
        for one in later:
            for theirs, entry in _passed(one, rows[place], rows):
                if not lefts and (len(rows) == 1 or entry is None or set(entry.values) == set(before.values)):
                    continue
                name = _version_name(rows[place], (theirs, entry), own, one, said)
                if name:
                    text = f"the same with {name} {theirs[name]} was carried out"
                    what = f"without {name} it is told of it: “{shorten(before.text)}”"
                    return Reason("token-missing", ((text, 4.0, one), (what, 3.0, seen)))
    for left in lefts:
        # What names another version has had one.
        name = "" if outdated(left.entry.text) else _asked_for(left)
        if name:
            what = f"the report asks for {name}, and the request has none: “{shorten(left.entry.text)}”"
            return Reason("token-missing", ((what, 5.0, left.seen),))
    return None


def _asked_for(left: Left) -> str:
    """Return the name of a version that what is told of a row asks for, "" without one."""
    have = {name.lower() for name in left.row}
    told = [one for name, one in left.entry.values.items() if not name.isdigit()]
    if len(told) < len(left.entry.values):
        # A line, in its words.
        told = [left.entry.text]
    for text in told:
        words: list[str] = re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", text)
        if len(words) < _TELLING or not _WANTED.search(text.replace("_", " ")):
            continue
        named: list[str] = [one for one in (*words, *re.findall(r"[^\W\d]+", text)) if called_version(one)]
        if named and named[0].lower() not in have:
            return named[0]
    return ""


def _version_name(
    row: Row, passed: tuple[Row, Entry | None], own: Sequence[Step], later: Step, said: str
) -> str:
    """Return the one more column of a row that holds a version, "" without one.

    It is called one, or a read gives it out for the row, and what was carried out is given another.
    """
    theirs, entry = passed
    more = [name for name, value in theirs.items() if value and name not in row]
    if not 0 < len(more) <= _SEVERAL:
        return ""
    for name in more:
        value = theirs[name]
        if called_version(name):
            return name
        given = [
            one for one in own if one.order < later.order and one.is_read and _gives(one, name, value, row)
        ]
        renewed = entry is not None and entry.values.get(name) not in {None, value}
        if given and (renewed or (as_word(name, said) and _moves(own, later, name, value, row))):
            return name
    return ""


def _gives(read: Step, name: str, value: str, row: Row) -> bool:
    mine = {one for one in row.values() if one}
    return any(
        one.values.get(name) == value and mine & set(one.values.values())
        for one in entries_in(read.view.text)
    ) or (whole_of(read.view.text).values.get(name) == value)


def _moves(own: Sequence[Step], later: Step, name: str, value: str, row: Row) -> bool:
    """Tell whether a read after a write shows another value under a name for the same thing."""
    mine = {one for one in row.values() if one}
    return any(
        mine & set(entry.values.values()) and entry.values.get(name, value) != value
        for one in own
        if one.order > later.order and one.is_read
        for entry in entries_in(one.view.text)
    )


def _unlike(step: Step, lefts: Sequence[Left], later: Sequence[Step], own: Sequence[Step]) -> Reason | None:
    """Find a row that says what the record is, in a way that the record never was."""
    for left in lefts:
        found = former_value(step, left, later, own)
        if found is not None:
            said = [(f"the request has {found.sent} where the record has {found.held}", 4.5, found.read)]
            if found.passed is not None:
                said.append((f"with {found.held} it was carried out", 2.0, found.passed))
            said.append((f"what is told of it: “{shorten(left.entry.text)}”", 1.5, left.seen))
            return Reason("payload-precondition-mismatch", tuple(said))
    return None
