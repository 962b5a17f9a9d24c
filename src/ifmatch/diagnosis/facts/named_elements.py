"""Find the part of a request that a refusal names by its place, and what the record holds instead.

Requests that say what the record has to be like before a change carry two states of it: `from` and `to`,
`when` and `set`, entries to remove and to add. Whatever they are called, both have the same members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote

from ifmatch.diagnosis.facts.respelt_values import folded
from ifmatch.diagnosis.reading.soap_bodies import tree_in
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.compared_values import one_number
from ifmatch.diagnosis.steps.resources import bare, host_of, path_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

_CONFLICTS: Final = frozenset({409, 412})
_FAULTS: Final = frozenset({400, 422})
_UNLIKE: Final = Words(
    r"(?:not|n't) (?:match|equal|met|fulfil|agree|identical)|differs?|differ(?:s|ent) from|mismatch"
    r"|(?:pre)?condition|(?:other|another|different) value"
)
# A place in a content: `from.limit`, `changes[0].old`, `/when/state`, `$.remove[0]`.
_PLACE: Final = late_pattern(r"[$#]?[./]?[^\W\d][\w-]*(?:(?:\.|/|\[[\"']?)[\w-]+(?:[\"']?\])?)+")
_PARTS: Final = late_pattern(r"[^\W]+(?:-\w+)*")
# What places begin with that is none of the content's own members.
_AROUND: Final = frozenset({"body", "payload", "request", "input", "data"})
# Statuses under which a refusal may name a part of the request.
REFUSED: Final = _CONFLICTS | _FAULTS
_LONGEST: Final = 4000
_MOST: Final = 400
_READS: Final = 12
_OK: Final = 200

Record = dict[str, object]


class Unlike(Frozen, frozen=True):
    """What a refusal names, and what the record holds.

    Attributes:
        place: in the request, as the refusal spells it.
        sent: what stands there, or the member of it that differs.
        held: what the record holds.
        read: the answer that shows it.
        respelt: whether the two are one value in two spellings.
    """

    place: str
    sent: str
    held: str
    read: Step
    respelt: bool


def unlike_record(step: Step, own: Sequence[Step]) -> Unlike | None:
    """Return the part of a refused request that its answer names, and that the record was never like.

    A change that selects by such a part is answered with a success that has changed nothing.

    Args:
        step: a write.
        own: what its actor did, in order of time.
    """
    if step.is_write and not step.batched and counts_none(step):
        return _selecting(step, own)
    if not (step.is_write and step.status in REFUSED) or step.batched:
        return None
    worded = step.status in _CONFLICTS or _UNLIKE.search(step.view.text[:_LONGEST]) is not None
    later = [] if worded else _passed(step, own)
    if not (worded or later):
        return None
    mine = step.view.sent_json
    content = mine if type(mine) in {dict, list} else tree_in(step.body)
    names = {*_words_of(step.resource), *map(str, _scalars(content))}
    for place, parts, value, whole in _named(step.view.text[:_LONGEST], content):
        if called_version(parts[-1]):
            continue
        reads = [one for one in own if _about(one, step, names)]
        before = [one for one in reads if one.order < step.order][-_READS:]
        after = _next(reads, step)
        if not _one_of_two(whole, parts, value):
            respelt_one = _former(_at(whole, parts[:-1]), parts[-1], [*before[::-1], *after], names)
            if respelt_one is not None and (worded or any(respelt_one[0] in sent for sent in later)):
                return Unlike(place, str(value), respelt_one[0], respelt_one[1], respelt=True)
            continue
        if not worded:
            continue
        found = _differs(value, parts, [*before[::-1], *after], names)
        if found is None or any(_holds(one, value, parts, names) for one in before):
            continue
        sent, held, read = found
        respelt = _respelt(sent, held)
        if before or respelt or _stands_elsewhere(read, sent):
            return Unlike(place, sent, held, read, respelt)
    return None


def _selecting(step: Step, own: Sequence[Step]) -> Unlike | None:
    """Return the value by which a change selects, written otherwise than the record has it.

    The answer counts nothing that was changed; a read before shows the record, and the next one that it is as
    it was.
    """
    content = members_in(step.view.sent_json)
    names = {*_words_of(step.resource), *map(str, _scalars(content))}
    reads = [one for one in own if _about(one, step, names)]
    before = [one for one in reads if one.order < step.order][-1:]
    for outer, word, value in _criteria(content):
        others = {name: one for name, one in members_in(content[outer]).items() if name != word}
        for record in _records(before[0], names) if before else ():
            held = record.get(word)
            # What else it selects by has to fit, so that the record is the one that is meant.
            fits = bool(others) and all(str(record.get(name)) == str(one) for name, one in others.items())
            if not fits or not _single(held) or not _otherwise(str(value), str(held)):
                continue
            if any(_holds(one, held, [word], names) for one in _next(reads, step)):
                return Unlike(f"{outer}.{word}", str(value), str(held), before[0], respelt=True)
    return None


def counts_none(step: Step) -> bool:
    """Tell whether all that a success says is that it counts none: `{"matched": 0, "changed": 0}`.

    Args:
        step: a write.
    """
    if step.status != _OK or not members_in(step.view.sent_json):
        return False
    told = [one for one in members_in(step.view.json).values() if not isinstance(one, str)]
    return any(isinstance(one, int) for one in told) and not any(told)


def _criteria(content: Record) -> Iterator[tuple[str, str, object]]:
    """Yield the values of the object that says which record is meant, before the one with the change."""
    for outer, held in content.items():
        for word, value in members_in(held).items():
            if _single(value) and not called_version(word) and _one_of_two(content, [outer, word], value):
                yield outer, word, value


def _former(entry: object, word: str, reads: Iterable[Step], names: set[str]) -> tuple[str, Step] | None:
    """Return what a record holds for the value that an entry of changes says it was, in another spelling.

    `{"grade": "A2", "was": "12.50", "becomes": "12.90"}` is about the record with the grade A2, which has
    neither a `was` nor a `becomes`.

    Args:
        entry: of the request.
        word: the member of it that the refusal names.
        reads: answers about the thing, the nearest first.
        names: words by which records of a list are told.
    """
    members = {name: one for name, one in members_in(entry).items() if _single(one)}
    value = str(members.pop(word, ""))
    for read in reads if value else ():
        for record in _records(read, names):
            shared = {name for name, one in members.items() if record.get(name) == one}
            if not shared or word in record or not members.keys() - record.keys():
                continue
            held = [str(one) for name, one in record.items() if name not in shared and _single(one)]
            if value in held:
                return None
            if len(alike := [one for one in held if _otherwise(value, one)]) == 1:
                return alike[0], read
    return None


def _respelt(one: str, two: str) -> bool:
    return folded(one) == folded(two) or one_number(one, two)


def _otherwise(one: str, two: str) -> bool:
    """Tell whether two texts are one value in two spellings."""
    return one != two and folded(one) != "" and _respelt(one, two)


def of_incident(facts: Facts) -> Unlike | None:
    """Return what `unlike_record` finds for the refused request of an incident.

    Args:
        facts: of the incident.
    """
    return unlike_record(facts.step, facts.own(facts.case.steps))


def _passed(step: Step, own: Sequence[Step]) -> list[set[str]]:
    """Return what later requests of the kind send instead of what a refused one does: one value each."""
    mine = [str(one) for one in _scalars(step.view.sent_json)]
    found: list[set[str]] = []
    for one in own:
        if one.order > step.order and one.accepted and one.method == step.method:
            theirs = (
                [str(held) for held in _scalars(one.view.sent_json)] if one.resource == step.resource else []
            )
            apart = {two for first, two in zip(mine, theirs, strict=False) if first != two}
            if len(apart) == 1 and len(mine) == len(theirs):
                found.append(apart)
    return found


def _next(reads: Iterable[Step], step: Step) -> list[Step]:
    """Return the first read after a refusal, in a list."""
    return [one for one in reads if one.order > step.order][:1]


def _about(one: Step, step: Step, names: set[str]) -> bool:
    """Tell whether an answer shows the thing that a request is about, is called below of, or names."""
    if not one.is_read or one.status != _OK or one.content is None:
        return False
    here, there = (bare(path_of(each.resource)) for each in (step, one))
    if here == there or here.startswith(f"{there}/"):
        return True
    name = unquote(there.rpartition("/")[2])
    return len(name) > 1 and name in names and host_of(one.resource) == host_of(step.resource)


def _named(text: str, content: object) -> Iterator[tuple[str, list[str], object, object]]:
    """Yield the places of a content that a text names, two steps deep or more, with what stands there.

    A place is one of the content, or of what an envelope holds, which is yielded last.
    """
    wholes: tuple[object, ...] = (content, *members_in(content).values())
    for found in _PLACE.finditer(text):
        parts = _PARTS.findall(found[0])
        begins = (0, 1) if parts[0].lower() in _AROUND else (0,)
        for whole, begin in ((whole, begin) for whole in wholes for begin in begins):
            value = _at(whole, parts[begin:])
            if value is not None and len(parts) - begin > 1:
                yield found[0], parts[begin:], value, whole
                break


def _at(value: object, parts: list[str]) -> object:
    for part in parts:
        if isinstance(value, dict):
            value = cast("Record", value).get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(cast("list[object]", value)):
            value = cast("list[object]", value)[int(part)]
        else:
            return None
    return value


def _one_of_two(content: object, parts: list[str], value: object) -> bool:
    """Tell whether a request has another state beside the named one, after it: what is to be."""
    for depth in range(len(parts) - 1, -1, -1):
        above = _at(content, parts[:depth])
        if not isinstance(above, dict):
            continue
        members = cast("Record", above)
        wanted = _names_in(value, parts)
        names = list(members)
        for name in names[names.index(parts[depth]) + 1 :] if parts[depth] in names else ():
            if wanted & set(_keys(members[name])):
                return True
    return False


def _names_in(value: object, parts: list[str]) -> set[str]:
    """Return the names of an object's members, or the name of the member that holds a single value."""
    if isinstance(value, dict):
        return set(cast("Record", value))
    return {next(part for part in reversed(parts) if not part.isdigit())}


def _keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in cast("Record", value).items():
            yield name
            yield from _keys(one)
    elif isinstance(value, list):
        for one in cast("list[object]", value)[:_MOST]:
            yield from _keys(one)


def _differs(
    value: object, parts: list[str], reads: Iterable[Step], names: set[str]
) -> tuple[str, str, Step] | None:
    """Return what a request has, what a record has instead, and the read that shows it."""
    word = parts[-1]
    for read in reads:
        for record in _records(read, names):
            if not isinstance(value, dict):
                held = record.get(word)
                if _single(held) and _single(value) and str(held) != str(value):
                    return str(value), str(held), read
                continue
            mine = cast("Record", value)
            shared = [name for name, one in mine.items() if name in record and record[name] == one]
            apart = [name for name in record if record[name] != mine.get(name) and not called_version(name)]
            if shared and apart and mine != record:
                name = next((one for one in apart if one in mine), apart[0])
                return f"{name} {mine[name]}" if name in mine else f"no {name}", str(record[name]), read
    return None


def _holds(read: Step, value: object, parts: list[str], names: set[str]) -> bool:
    """Tell whether an answer shows the very value, or object, that a request has."""
    for record in _records(read, names):
        if record == value or (not isinstance(value, dict) and record.get(parts[-1]) == value):
            return True
    return False


def _records(read: Step, names: set[str]) -> Iterator[Record]:
    """Yield the objects of an answer; of a list those that are named as the request names things."""
    told = read.view.json
    value = told if type(told) in {dict, list} else tree_in(read.content)
    yield from _objects(value, names)


def _objects(value: object, names: set[str]) -> Iterator[Record]:
    if isinstance(value, dict):
        record = cast("Record", value)
        yield record
        for one in record.values():
            yield from _objects(one, names)
    elif isinstance(value, list):
        entries = cast("list[object]", value)[:_MOST]
        for one in entries:
            if len(entries) == 1 or set(map(str, members_in(one).values())) & names:
                yield from _objects(one, names)


def _stands_elsewhere(read: Step, sent: str) -> bool:
    """Tell whether an answer has the sent text at another place: the label of a value, for one."""
    return any(str(one) == sent for one in _scalars(read.view.json))


def _scalars(value: object) -> Iterator[str | int | float]:
    if isinstance(value, dict):
        for one in cast("Record", value).values():
            yield from _scalars(one)
    elif isinstance(value, list):
        for one in cast("list[object]", value)[:_MOST]:
            yield from _scalars(one)
    elif _single(value):
        yield cast("str | int | float", value)


def _single(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _words_of(resource: str) -> set[str]:
    return {unquote(part) for part in path_of(resource).partition("?")[0].split("/") if part}
