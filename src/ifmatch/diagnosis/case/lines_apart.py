"""Make steps of the lines of a batch that its answer, or the report on it, turns down over their versions.

Many things are changed in one request, and what became of each is told by its name, in its turn, or in lists
that say so by what they are called. A line is about a thing that answers show: by itself, or in a list. It is
known to have met another version by what is told of it, and by what is shown next.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

from msgspec.structs import replace

from ifmatch.diagnosis.case.line_looks import Line, Look, Shown
from ifmatch.diagnosis.links.steps_inside import step_inside
from ifmatch.diagnosis.links.versions_beside import names_two
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.line_records import opened, spread, told_of_members
from ifmatch.diagnosis.reading.version_words import alike, called_version
from ifmatch.diagnosis.steps.refusal_words import DONE, outdated, says_undone, turned_down
from ifmatch.diagnosis.steps.resources import bare, by_service, resource_key
from ifmatch.dialects import all_dialects, parts_in
from ifmatch.dialects.batches import of_family
from ifmatch.dialects.glossary import Words
from ifmatch.model.json_values import elements_in, is_plain, members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content, Fields, Request, Response
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ifmatch.diagnosis.steps.step import Step

Record = dict[str, object]

_OK: Final = 200
_CARRYING: Final = frozenset({"POST", "PUT", "PATCH"})
_ANSWERED: Final = frozenset({200, 201, 202, 207, 409, 412})
_LONGEST: Final = 60_000
_MOST: Final = 60
_DEEP: Final = 4
# So many later looks may be the report on a batch.
_REPORTS: Final = 12
# What commands call that which they do.
_VERBS: Final = frozenset({"action", "op", "operation", "command", "cmd", "do", "method", "verb", "type"})
_OWN: Final = ("content-", "transfer-encoding", "expect")
# What may be a version in a sentence: a word with a digit in it.
_WORD: Final = late_pattern(r"[^\s,;:()\[\]{}\"'<>=]*\d[^\s,;:()\[\]{}\"'<>=]*")
# By these, marks are of one row.
_SHAPE: Final = (late_pattern(r"\d+"), late_pattern(r"[^\W\d_]+"))


# A sentence has more words.
_WORDY: Final = 2
_CARRIED_OUT: Final = Words(rf"(?i)\b(?:{DONE}|finished|complete[d]?|ok|success\w*)\b")


class _Batch(Frozen, frozen=True):
    """A request that changes things by lines, how many they are, and whether its items are told apart later.

    Of those only what calls alone show is told here: nothing has an address of its own.
    """

    step: Step
    place: int
    lines: tuple[Line, ...]
    count: int
    items: bool


class _Told(Frozen, frozen=True):
    """What is told of a line: the record, and the names of the lists and objects that it stands in."""

    record: Record
    under: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return all of it as text."""
        return json.dumps(self.record, ensure_ascii=False)


def lines_apart(steps: Sequence[Step]) -> dict[Step, list[Step]]:
    """Return for batches, and for what shows their things in lists, steps of what was turned down.

    Args:
        steps: of a case, in order of time, nothing read from them yet.
    """
    found: dict[Step, list[Step]] = {}
    for service in by_service(steps):
        batches = [one for place, step in enumerate(service) if (one := _batch(place, step))]
        if batches:
            read = {bare(one.resource) for one in service if one.method == "GET" and one.status == _OK}
            batches = [one for one in batches if not (bare(one.step.resource) in read and _commands(one))]
        shown = Shown(service, frozenset(one.step for one in batches))
        looks = {(line.word, line.name): shown.looks(line) for one in batches for line in one.lines}
        batches = [_by_one_name(one, looks) for one in batches if not one.items or _by_calls(one, looks)]
        # In order of time, so that the same evidence is told alike each time.
        denied = {
            (line.word, line.name): None
            for batch in batches
            for line in batch.lines
            if _denied(service, batch, line, looks[line.word, line.name]) is not None
        }
        for key in denied:
            _split(service, batches, key, looks[key], found)
    return found


def _batch(place: int, step: Step) -> _Batch | None:
    """Return a request as the batch that it is, None for any other."""
    content = step.view.request.content
    if not step.is_write or step.method not in _CARRYING or step.status not in _ANSWERED:
        return None
    if not isinstance(content, Content) or not 0 < len(content) <= _LONGEST:
        return None
    value = step.view.sent_json
    around = members_in(value)
    held = [value, *around.values()]
    lists = [cast("list[object]", one) for one in held if isinstance(one, list) and one]
    if isinstance(value, dict) and not lists:
        # One thing by its name, at a place that takes changes of any.
        lists = [[cast("object", value)]] if step.method == "POST" and step.status != _OK else []
    if len(lists) != 1 or len(lists[0]) > _MOST or not all(isinstance(one, dict) for one in lists[0]):
        return None
    if of_family(step.view, all_dialects()):
        # What its family takes apart needs no guess.
        return None
    parts = parts_in(step.view, None, {})
    own = bare(step.exchange.request.url) + "/"
    if not all(part.request.url.startswith(own) for part in parts):
        return None
    shared = {name: one for name, one in around.items() if not isinstance(one, dict | list)}
    records = [members_in(one) for one in lists[0]]
    lines = tuple(
        Line(number, name, word, {**shared, **opened(record)})
        for number, record in enumerate(records)
        for word, name in _names(records, record)
    )
    return _Batch(step, place, lines, len(records), bool(parts)) if lines else None


def _commands(batch: _Batch) -> bool:
    """Tell whether lines say what is to be done, on one version that stands beside them all.

    At the address of a thing they are about that thing, whatever they name.
    """
    held = [
        members_in(one)
        for rows in members_in(batch.step.view.sent_json).values()
        for one in elements_in(rows)
    ]
    beside = members_in(batch.step.view.sent_json).keys()
    return (
        any(map(called_version, beside))
        and not any(called_version(word) for one in held for word in one)
        and all(not _VERBS.isdisjoint(one) for one in held)
    )


def _by_calls(batch: _Batch, looks: Mapping[tuple[str, str], Sequence[Look]]) -> bool:
    """Tell whether what shows the things of a batch are answers to calls, which all go to one address."""
    seen = [one for line in batch.lines for one in looks[line.word, line.name]]
    return bool(seen) and all(one.step.method == "POST" for one in seen)


def _by_one_name(batch: _Batch, looks: Mapping[tuple[str, str], Sequence[Look]]) -> _Batch:
    """Return a batch with its lines by the one member by which most looks know them: versions pass."""
    seen = Counter[str]()
    for line in batch.lines:
        seen[line.word] += len(looks[line.word, line.name])
    best = max(seen, key=lambda word: seen[word])
    return replace(batch, lines=tuple(line for line in batch.lines if line.word == best))


def _names(records: Sequence[Record], record: Record) -> Iterator[tuple[str, str]]:
    """Yield what may name the thing of a line, with its member: what no other line has there."""
    for word, value in list(record.items())[:_DEEP]:
        if not is_plain(value) or called_version(word) or " " in str(value):
            continue
        if sum(one.get(word) == value for one in records) == 1:
            yield word, str(value)


def _stated(value: object) -> bool:
    return is_plain(value) or isinstance(value, bool)


def _told_of(value: object, batch: _Batch, line: Line) -> list[_Told]:
    """Return what an answer tells of a line: by its name, else by its place among the lines."""
    named = list(_about(value, line, (), 0))
    if named:
        # What is said of all is said of the only one.
        above = {name: one for name, one in members_in(value).items() if _stated(one)}
        alone = batch.count == 1 and len(named) == 1
        return [replace(named[0], record={**above, **named[0].record})] if alone else named
    found = [
        _Told(members_in(one), (name,))
        for name, held in members_in(value).items()
        if isinstance(held, dict)
        for number, one in members_in(cast("object", held)).items()
        if number == str(line.number) and members_in(one)
    ]
    for name, held in (("", value), *members_in(value).items()):
        told = elements_in(held)
        if len(told) == batch.count and all(members_in(one) for one in told):
            found.append(_Told(members_in(told[line.number]), (name,)))
    if not found and batch.count == 1:
        found = [_Told({name: one for name, one in members_in(value).items() if _stated(one)}, ())]
    return found


def _about(value: object, line: Line, under: tuple[str, ...], depth: int) -> Iterator[_Told]:
    if depth > _DEEP:
        return
    if isinstance(value, list):
        for one in cast("list[object]", value)[:_MOST]:
            if is_plain(one) and str(one) == line.name:
                yield _Told({line.word: line.name}, under)
            else:
                yield from _about(one, line, under, depth + 1)
    elif isinstance(value, dict):
        record = members_in(cast("object", value))
        if record and all(name.isdigit() and is_plain(one) for name, one in record.items()):
            # Names by the places of their lines: what stands beside one is of another line.
            named = any(str(one) == line.name for one in record.values())
            yield from [_Told({line.word: line.name}, under)] if named else []
            return
        inside = [
            told
            for name, one in record.items()
            for told in (
                [_Told(members_in(one), (*under, name))]
                if name == line.name and members_in(one)
                else _about(one, line, (*under, name), depth + 1)
            )
        ]
        if not inside and depth and any(is_plain(one) and str(one) == line.name for one in record.values()):
            yield _Told(record, under)
        yield from inside


def _denied(
    service: Sequence[Step], batch: _Batch, line: Line, looks: Sequence[Look]
) -> tuple[_Told, Step] | None:
    """Return what turns a line down over its version, and the step that tells it; None where nothing does."""
    before = [one for one in looks if one.place < batch.place]
    after = [one for one in looks if one.place > batch.place]
    if not before or _taken(before[-1].record, line, after):
        return None
    shown = {one.step for one in looks}
    later = (service[place] for place in range(batch.place + 1, len(service)))
    reports = (
        one
        for one in (later if batch.step.status == 202 else ())
        # What lies below a thing is its history, which tells of no request.
        if one.method == "GET"
        and one.status == _OK
        and not one.exchange.request.url.startswith(f"{before[0].url}/")
    )
    for report in (batch.step, *islice(reports, _REPORTS)):
        if report in shown or report.content is None or len(report.content) > _LONGEST:
            continue
        value = report.view.json
        tells = _told_of(value, batch, line)
        # Lists of names have no versions; what shows the line with one says that it was given that.
        bare_of_any = not any(map(called_version, (word for told in tells for word in told.record)))
        for told in tells:
            alone = bare_of_any and _without_version(value, batch, line)
            if _over_version(batch.step, line, told, (before, after), said=alone):
                return told, report
    return None


def _edits(before: Record, line: Line) -> dict[str, object]:
    """Return what a line changes of what was shown."""
    before = spread(before)
    return {
        word: value
        for word, value in line.record.items()
        if word != line.word and word in before and before[word] != value and not called_version(word)
    }


def _taken(before: Record, line: Line, after: Sequence[Look]) -> bool:
    edits = _edits(before, line)
    there = spread(after[0].record) if after and edits else {}
    return any(there.get(word) == value for word, value in edits.items())


def _without_version(value: object, batch: _Batch, line: Line) -> bool:
    """Tell whether another line was given the version that follows its own, where this one has none."""
    return any(
        _later(other, one.record)
        for other in batch.lines
        if other.name != line.name
        for one in _told_of(value, batch, other)
    )


def _over_version(
    step: Step,
    line: Line,
    told: _Told,
    looks: tuple[Sequence[Look], Sequence[Look]],
    *,
    said: bool,
) -> bool:
    """Tell whether what is told of a line denies it, and names another version than the one it carries.

    What is wrong with a line by itself names none. What tells only the versions is a denial where the next
    look has the thing as it was, under another version.
    """
    (before, after), alone = looks, said
    values = [tokens.opaque(str(one)) for one in line.record.values() if is_plain(one)]
    values += [tokens.opaque(one) for name, one in step.sent if name.lower().startswith(("if-", "x-if-"))]
    rest = {name: one for name, one in told.record.items() if str(one) != line.name}
    text = json.dumps(rest, ensure_ascii=False)
    words = [str(one) for one in rest.values() if isinstance(one, str)]
    said = (
        said
        or step.status in {409, 412}
        or any(map(turned_down, (*told.under, *words, *told_of_members(rest))))
    )
    said = said or says_undone(text)
    another = _another(line, rest, before, after) or (said and _later(line, rest))
    # What calls the line itself outdated needs no second version, where the line carries the one of before.
    another = another or (said and outdated(text) and _carries_shown(line, before, any_look=alone))
    if not (another or names_two(values, text) or _names_like(values, text)):
        return False
    if said:
        return True
    if not after or after[0].record == before[-1].record:
        return False
    if any(_CARRIED_OUT.search(one) for one in told.under):
        # It stands among those that were carried out.
        return False
    edits = _edits(before[-1].record, line)
    if not edits:
        return _explained(words, line, after[0])
    was, there = spread(before[-1].record), spread(after[0].record)
    return all(there.get(word) == was[word] for word in edits)


def _carries_shown(line: Line, before: Sequence[Look], *, any_look: bool) -> bool:
    """Tell whether a line carries a version that the answer to a call before it, or any look, had shown."""
    # Who is named by another member is only spoken of, and what has an address may be told apart by it.
    near = [one for one in before if any_look or one.step.method == "POST"]
    own = [one.record for one in near if str(one.record.get(line.word)) == line.name]
    known = {str(value) for one in own for word, value in one.items() if called_version(word)}
    return any(
        str(value) in known for word, value in line.record.items() if is_plain(value) and word != line.word
    )


def _later(line: Line, told: Record) -> bool:
    """Tell whether what is told of a line has a later version under the name that the line has its own by."""
    return any(
        called_version(word) and tokens.counted_on(str(one), str(value))
        for word, value in told.items()
        for name, one in line.record.items()
        if is_plain(one) and (name == word or alike(name, word))
    )


def _explained(words: Sequence[str], line: Line, after: Look) -> bool:
    """Tell whether a sentence is told of a line that nothing shows to be done, by words or in the thing.

    Success needs no words.
    """
    sentence = any(len(one.split()) > _WORDY for one in words)
    done = any(_CARRIED_OUT.search(one) for one in words)
    shown = spread(after.record)
    there = {word for word, value in line.record.items() if shown.get(word) == value}
    return sentence and not done and there <= {line.word}


def _names_like(values: Sequence[str], text: str) -> bool:
    """Tell whether a text names a sent mark with digits and another one of its shape."""
    words = {one.strip(".!?") for one in _WORD.findall(text)}
    return any(
        value in words and not value.isdigit() and any(_like(value, one) for one in words - {value})
        for value in values
    )


def _like(one: str, two: str) -> bool:
    return len(one) > 1 and _shape(one) == _shape(two)


def _shape(text: str) -> str:
    return _SHAPE[1].sub("a", _SHAPE[0].sub("9", text))


def _another(line: Line, told: Record, before: Sequence[Look], after: Sequence[Look]) -> bool:
    """Tell whether what is told of a line shows the version that the thing has, which the line has not."""
    mine = {str(one) for one in line.record.values()}
    near = [one.record for one in (*before[-1:], *after[:1])]
    # What is told of a line may repeat the value that it has under the same name.
    said = {str(value) for value in told.values() if is_plain(value)}
    for word, value in told.items():
        own = word not in line.record or called_version(word)
        words = {one.strip(".!?") for one in _WORD.findall(str(value))} if is_plain(value) else set[str]()
        for one, other, held in (
            (one, other, str(record[other])) for one in words for record in near for other in record
        ):
            named = called_version(other) or (own and one == str(value) and alike(other, word))
            paired = other != line.word and str(line.record.get(other)) in said - {one}
            if one == held and (paired or (one not in mine and named)):
                return True
    return False


def _split(
    service: Sequence[Step],
    batches: Sequence[_Batch],
    key: tuple[str, str],
    looks: Sequence[Look],
    found: dict[Step, list[Step]],
) -> None:
    """Add steps for all lines about a thing, and for the looks that show it in a list."""
    url = looks[0].url
    for batch in batches:
        for line in batch.lines:
            if (line.word, line.name) == key:
                denied = _denied(service, batch, line, looks)
                found.setdefault(batch.step, []).append(_written(batch, line, url, denied))
                batch.step.batched = True
    for look in looks:
        if bare(look.step.exchange.request.url) != url:
            request = Request("GET", url, _shared(look.step))
            # The version in a field is that of the whole list, where the record shows its own.
            whole = not any(map(called_version, look.record))
            response = Response(_OK, "", _answered(look.step, alone=whole), Content.from_json(look.record))
            found.setdefault(look.step, []).append(
                step_inside(look.step, request, response, resource_key(url))
            )


def _written(batch: _Batch, line: Line, url: str, denied: tuple[_Told, Step] | None) -> Step:
    step = batch.step
    told = [denied[0]] if denied is not None else _told_of(step.view.json, batch, line)
    answer = told[0].record if told else {}
    fields = _answered(step, alone=batch.count == 1)
    request = Request(
        "PATCH" if step.method == "POST" else step.method, url, _shared(step), Content.from_json(line.record)
    )
    status = step.status if denied is not None and step.status != 202 else _OK
    one = step_inside(
        step, request, Response(status, "", fields, Content.from_json(answer)), resource_key(url)
    )
    one.method, one.status = request.method, status
    if denied is not None:
        one.seen.outdated = denied[1] if 200 <= status < 300 else None
        one.seen.report = denied[1] if denied[1] is not step else None
    return one


def _shared(step: Step) -> Fields:
    return Fields([(name, value) for name, value in step.sent if not name.lower().startswith(_OWN)])


def _answered(step: Step, *, alone: bool = True) -> Fields:
    pairs = step.received or ()
    own = (*_OWN, *(() if alone else ("etag", "last-modified")))
    return Fields([(name, value) for name, value in pairs if not name.lower().startswith(own)])
