"""Tell by what is shown, not by words, that a write which a success answers was not carried out.

What is told of it names the version that was sent and a later one, or says of something that it is not so,
and the next look has all that was to be changed as it was before.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.codes_inside import fails_by_code
from ifmatch.diagnosis.conditions import Guard
from ifmatch.diagnosis.message_members import sent, shown
from ifmatch.diagnosis.pages import is_page
from ifmatch.diagnosis.resources import host_of
from ifmatch.diagnosis.succession import TIME, later_time
from ifmatch.diagnosis.unlike_answers import entry_of, forget, name_of, names_in, of_another, unlike_others
from ifmatch.diagnosis.version_words import called_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ifmatch.diagnosis.message_members import Member
    from ifmatch.diagnosis.steps import Step

_OK: Final = 200
_LONGEST: Final = 4000
_CONTENT: Final = 60_000
# So many answers before and after a write are looked at.
_NEAR: Final = 30
_NUMBER: Final = re.compile(r"(?<![\w.,:+-])\d{1,15}(?![\w:-]|[.,]\d)")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*(?:Z|[+-]\d\d:?\d\d)?")
_WORD: Final = re.compile(r"[\w][\w.:+/-]*")
# Of faults there are none, and codes have that number for success.
_NO_FAULT: Final = (
    r"(?![^\"'=<>:\n]{0,20}(?:fail|err|conflict|skip|reject|warn|fault|lost|status|code))"
    r"(?!(?:rc|rv|r|st|res|ret(?:urn)?|result|exit|kod|kode|codi\w*)[\"'=<>: ])"
)
# What denies or counts nothing, whatever it is called.
_NAUGHT: Final = re.compile(
    rf"[\"']{_NO_FAULT}[^\"'\n]{{1,40}}[\"']\s*:\s*(?:false|0)\s*[,}}\]]"
    rf"|\s{_NO_FAULT}[\w.-]{{2,40}}=\"(?:false|0)\""
    rf"|<{_NO_FAULT}(?P<name>[\w.:-]{{2,40}})>\s*(?:false|0)\s*</"
    rf"|^[ \t]*{_NO_FAULT}[\w .-]{{2,40}}[:=][ \t]*(?:false|0)[ \t]*$",
    re.MULTILINE,
)
_INSIDE: Final = frozenset({"body", "text"})
# A count that goes on by more than one has met another's change.
_SEVERAL: Final = 2
_FEW: Final = 4
_DEEP: Final = 6
# What numbers a call, not a state.
_OF_CALLS: Final = frozenset({"id", "jsonrpc"})
_PLAIN: Final = {None: "", True: "true", False: "false"}


def mark_undone(steps: Sequence[Step]) -> None:
    """Mark the writes that came to nothing although their answers are successes.

    Args:
        steps: of a case, in order of time, the reports on what was only taken in read already.
    """
    hosts: dict[str, list[Step]] = {}
    for step in steps:
        hosts.setdefault(host_of(step.exchange.request.url), []).append(step)
    for service in hosts.values():
        for place, step in enumerate(service):
            if step.is_write and _may_deny(step) and came_to_nothing(service, place, step.view.text):
                step.undone = True
                step.forget()
    forget()


def _may_deny(step: Step) -> bool:
    content = step.content
    if not 200 <= step.status < 300 or content is None or not 0 < len(content) <= _LONGEST:
        return False
    tag = step.header("etag")
    if tag is not None and tag not in (step.sent.text("if-match") or tag):
        # It gives out a version of its own making.
        return False
    return not is_page(content.text)


def came_to_nothing(service: Sequence[Step], place: int, said: str, report: Step | None = None) -> bool:
    """Tell whether what is told of a write tells of another version, and the next look shows it undone.

    Args:
        service: steps of one service, in order of time.
        place: of the write among them.
        said: what is told of it, by its answer or by a later report.
        report: the look that tells it, which is none at the thing itself.
    """
    write = service[place]
    if _denies(said):
        said = _without_usual(service, place, said)
    unlike = report is None and unlike_others(service, place)
    pairs = list(_two_versions(write, said, denied=unlike))
    named = [(old, new) for old, new in pairs if _named(said, old)] if report is None else []
    if named:
        near = service[max(0, place - _NEAR) : place + _NEAR]
        if any(fails_by_code(write, near, *one) for one in named) and not _taken(service, place):
            # Its code of failure says that it was not done, and both versions why.
            return True
    moved = _moved_on(service, place) if not pairs and (unlike or _denies(said)) else None
    for old, new in [*pairs, *([moved] if moved is not None else [])]:
        before = service[max(0, place - _NEAR) : place]
        known = any(_looked_up(one) and _states(one, old) for one in before)
        if known and _unchanged(service, place, new, report, other=unlike and bool(pairs)) is not None:
            return True
    return _tags_apart(service, place, said, report)


def _tags_apart(service: Sequence[Step], place: int, said: str, report: Step | None) -> bool:
    """Tell whether what is told names the tag that was sent beside another that the thing bears all along.

    That one was there before the write, or the next look has it with all that was to be changed as it was.
    """
    write = service[place]
    tags = [one for one in _tags_of(write) if _named(said, one)]
    if len(tags) != 1:
        return False
    given: dict[str, list[Step]] = {}
    for one in service[max(0, place - _NEAR) : place + 1 + _NEAR]:
        if one.etag is not None and one.resource == write.resource and one is not write:
            given.setdefault(tokens.opaque(one.etag), []).append(one)
    mine = given.get(tags[0], [])
    for other, steps in given.items() if mine else ():
        if other in tags or not _named(said, other):
            continue
        # What the write was made from is older than what stood there by then.
        if mine[0].order < steps[0].order < write.order:
            return True
        if _unchanged(service, place, other, report, some=True) is not None:
            return True
    return False


def _tags_of(write: Step) -> list[str]:
    """Return the entity tags that a write says it is made from."""
    guard = write.guard
    if guard is None or not guard.standard or guard.guard is not Guard.SAME:
        return []
    return list(dict.fromkeys(tokens.opaque(one) for one in guard.tokens if len(tokens.opaque(one)) > 1))


def _without_usual(service: Sequence[Step], place: int, said: str) -> str:
    """Return what is told of a write without the naughts that answers to looks have as well: `rc: 0`."""
    looks = [
        one for one in service[max(0, place - _NEAR) : place + _NEAR] if one.method == "GET" or _looks(one)
    ]
    usual = {
        found[0].strip(" \t,}]")
        for one in looks
        if one is not service[place] and _looked_up(one) and not _like_write(one, service[place])
        for found in _NAUGHT.finditer(one.view.text[:_LONGEST])
    }
    return _NAUGHT.sub(lambda found: "," if found[0].strip(" \t,}]") in usual else found[0], said)


def _like_write(one: Step, write: Step) -> bool:
    """Tell whether a request is of the kind of a write: it sends several members that the write sends."""
    mine = {member.word for member in sent(write) if member.where in _INSIDE}
    theirs = {member.word for member in sent(one) if member.where in _INSIDE}
    return len(mine & theirs) > _SEVERAL


def _moved_on(service: Sequence[Step], place: int) -> tuple[str, str] | None:
    """Return the version that a write carries as it was shown, and what the next look shows in its place."""
    write = service[place]
    mine = {tokens.opaque(one.value) for one in sent(write)}
    names = names_in(service, place)
    near = (one for one in service[max(0, place - _NEAR) : place] if not of_another(one, write, names))
    held = [entry_of(one, write, names) or _there(one) for one in near if _looked_up(one)]
    places = {word for one in held for word, value in one.items() if value in mine}
    for one in service[place + 1 : place + 1 + _NEAR]:
        if not _looks(one) or of_another(one, write, names):
            continue
        now = entry_of(one, write, names) or _there(one)
        for word in (places - _OF_CALLS) & now.keys():
            old = next(each[word] for each in reversed(held) if each.get(word) in mine)
            if tokens.counted_on(old, now[word]) or later_time(old, now[word]):
                return old, now[word]
    return None


def outrun(service: Sequence[Step], place: int, report: Step) -> bool:
    """Tell whether the next look after a write shows a later version than it carries, and it undone.

    Args:
        service: steps of one service, in order of time.
        place: of the write among them.
        report: the look that tells what became of it.
    """
    moved = _moved_on(service, place)
    return moved is not None and _unchanged(service, place, moved[1], report) is not None


def two_versions(write: Step, said: str) -> bool:
    """Tell whether what is told of a write names a version that it carries, and a later one beside it.

    Args:
        write: whatever its answer is.
        said: what is told of it.
    """
    if any(_named(said, old) for old, _ in _two_versions(write, said)):
        return True
    tags = [one for one in _tags_of(write) if _named(said, one)]
    words = {one for one in _WORD.findall(said[:_LONGEST]) if any(map(str.isdigit, one))}
    return any(_alike(tag, one) for tag in tags for one in words)


def _alike(tag: str, other: str) -> bool:
    """Tell whether a word is another tag of the kind of one: a count in it has gone on, or a digest."""
    if tag == other:
        return False
    told = tokens.shape(tag)
    return (told == tokens.shape(other) != "text") or tokens.part_steps(tag, other) > 0


def _two_versions(write: Step, said: str, *, denied: bool = False) -> Iterator[tuple[str, str]]:
    """Yield each value of a write that may be a version, with the later one that is told of it.

    One after the other may be what a write made of the first: there something else has to deny it.
    """
    text = said[:_LONGEST]
    denied = denied or _denies(text)
    # What the thing is called is no version of it.
    numbers = [one for one in dict.fromkeys(_NUMBER.findall(text)) if one != name_of(write)]
    moments = list(dict.fromkeys(_MOMENT.findall(text)))
    carried = [one.value for one in sent(write) if one.where != "header" or called_version(one.name)]
    for one in dict.fromkeys([*carried, (write.sent.text("if-match") or "").strip()]):
        value = tokens.opaque(one)
        if value.isdigit():
            later = [told for told in numbers if tokens.steps_on(value, told) > 0 and _like(value, told)]
            if later and (denied or _named(text, value) or _far(value, later)):
                # A code may be a larger number.
                yield from ((value, one) for one in sorted(later, key=int, reverse=True)[:_FEW])
        elif TIME.fullmatch(value):
            later = [told for told in moments if later_time(value, told)]
            if later and (denied or _named(text, value)):
                yield value, max(later)


def names_two(values: Iterable[str], said: str) -> bool:
    """Tell whether what is told names one of some values that is a count or a time, and a later one.

    Args:
        values: as they were sent.
        said: what is told.
    """
    numbers, moments = _NUMBER.findall(said), _MOMENT.findall(said)
    return any(
        (value.isdigit() and value in numbers and any(_after(value, one) for one in numbers))
        or (value in moments and any(later_time(value, one) for one in moments))
        for value in values
    )


def _after(value: str, told: str) -> bool:
    return tokens.steps_on(value, told) > 0 and _like(value, told)


def _like(one: str, two: str) -> bool:
    """Tell whether two numbers may be of one count: a percentage and a year are not."""
    return tokens.counted_on(one, two) or (len(one) == len(two) > _SEVERAL and one[0] == two[0])


def _far(value: str, later: Sequence[str]) -> bool:
    return all(tokens.steps_on(value, one) >= _SEVERAL for one in later)


def _named(text: str, value: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(value)}(?![\w-])", text) is not None


def _denies(text: str) -> bool:
    return _NAUGHT.search(text) is not None


def _unchanged(
    service: Sequence[Step],
    place: int,
    new: str,
    report: Step | None,
    *,
    some: bool = False,
    other: bool = False,
) -> Step | None:
    """Return the next look that has what a write was to change as it was, under the version that was told.

    Args:
        service: steps of one service, in order of time.
        place: of the write among them.
        new: the version that was told.
        report: the look that tells it.
        some: whether another representation may have as it was sent what the first one has otherwise.
        other: whether what the very version that was told has otherwise than it was sent is enough: another
            has changed it.
    """
    write, names = service[place], names_in(service, place)
    before, changed = _edited(service, place, names)
    if not changed or _has(write, changed):
        # What the answer has as it was sent was taken.
        return None
    for one in service[place + 1 : place + 1 + _NEAR]:
        if one in {report, write.reported_by} or not _looks(one) or of_another(one, write, names):
            continue
        there = entry_of(one, write, names) or _there(one)
        held = {word: there[word] for word in changed if word in there}
        if not held:
            continue
        same = all(value == before[word] for word, value in held.items())
        if other and not same:
            # The version itself is another one in any case.
            edits = [word for word in held if not called_version(word)]
            told = bool(edits) and new in there.values()
            same = told and not any(_equal(held[word], changed[word]) for word in edits)
        if some and not same:
            left = [value == before[word] for word, value in held.items() if value != changed[word]]
            same = bool(left) and all(left)
        return one if same and (new in there.values() or _states(one, new)) else None
    return None


def _equal(one: str, two: str) -> bool:
    """Tell whether two values say the same, however they are written."""
    try:
        return float(one) == float(two)
    except ValueError:
        return one.strip().casefold() == two.strip().casefold()


def _edited(
    service: Sequence[Step], place: int, names: frozenset[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return what was shown of the members that a write sends, and those of them that it sends otherwise."""
    wanted = {word: value for word, value in _asked(service[place]).items() if word not in _OF_CALLS}
    # Who sends back a version as it was shown changes nothing by that.
    before = _before(service, place, wanted, names) if wanted else {}
    return before, {word: value for word, value in wanted.items() if word in before and before[word] != value}


def _has(write: Step, changed: dict[str, str]) -> bool:
    """Tell whether the answer to a write has something of what it changes as it was sent."""
    answered = _there(write)
    return any(answered.get(word) == value for word, value in changed.items())


def _taken(service: Sequence[Step], place: int) -> bool:
    """Tell whether the answer to a write is the record with what was changed: a number in it is no code."""
    return _has(service[place], _edited(service, place, names_in(service, place))[1])


def _states(look: Step, version: str) -> bool:
    """Tell whether a look shows the very version that was told, so that nobody wrote in between."""
    if look.etag is not None and tokens.opaque(look.etag) == version:
        return True
    return any(tokens.opaque(one.value) == version for one in shown(look)) or _named(look.view.text, version)


def _before(
    service: Sequence[Step], place: int, wanted: dict[str, str], names: frozenset[str]
) -> dict[str, str]:
    """Return what was shown last of the members that a write changes, before it."""
    found: dict[str, str] = {}
    for one in reversed(service[max(0, place - _NEAR) : place]):
        if not _looks(one) and not (one.is_write and 200 <= one.status < 300 and not one.undone):
            continue
        if of_another(one, service[place], names):
            continue
        if one.is_write:
            there = {**_asked(one), **_there(one)}
        else:
            there = entry_of(one, service[place], names) or _there(one)
        for word in wanted:
            if word in there:
                found.setdefault(word, there[word])
    return found


def _looked_up(one: Step) -> bool:
    return 200 <= one.status < 300 and one.content is not None and len(one.content) <= _CONTENT


def _looks(one: Step) -> bool:
    content = one.content
    asks = one.method in {"GET", "POST", "QUERY"}
    return asks and one.status == _OK and content is not None and len(content) <= _CONTENT


def _asked(write: Step) -> dict[str, str]:
    """Return what a request says inside of its content, by the members' own names."""
    body = write.view.sent_json
    return _singles(
        _in_json(cast("object", body), 0) if isinstance(body, dict | list) else _inside(sent(write))
    )


def _there(one: Step) -> dict[str, str]:
    """Return what an answer shows, by the members' own names."""
    value = one.view.json
    return _singles(
        _in_json(cast("object", value), 0) if isinstance(value, dict | list) else _inside(shown(one))
    )


def _in_json(value: object, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the members of a JSON value with texts and plain values, the empty ones too."""
    if isinstance(value, list):
        elements = cast("list[object]", value)
        # Of several elements none speaks for the whole.
        if len(elements) == 1:
            yield from _in_json(elements[0], depth + 1)
    elif isinstance(value, dict) and depth < _DEEP:
        for name, one in cast("dict[str, object]", value).items():
            if isinstance(one, dict | list):
                yield from _in_json(cast("object", one), depth + 1)
            else:
                yield name, _PLAIN.get(one, str(one)) if isinstance(one, bool | None) else str(one)


def _inside(members: Sequence[Member]) -> Iterator[tuple[str, str]]:
    yield from ((one.word, one.value) for one in members if one.where in _INSIDE)


def _singles(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the values by name, of each name that stands there with one value."""
    held: dict[str, set[str]] = {}
    for word, value in pairs:
        held.setdefault(word, set()).add(value)
    return {word: next(iter(values)) for word, values in held.items() if len(values) == 1}
