"""Compare the parts of one download by the version that it is bound to, whatever names the version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.diagnosis.steps.resources import host_of, path_of
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# So many requests before and after belong to one download and its repetition.
_NEAR: Final = 60
_DONE: Final = frozenset({200, 206})
_NUMBER: Final = late_pattern(r"\d+")
# Fields by which stores of objects are told what to copy.
_SOURCE: Final = late_pattern(r"(?:^|-)(?:copy-)?source$")
_RANGE: Final = late_pattern(r"bytes (\d+)-(\d+)/(\d+)")
# Which part it is, and who asks.
_PLACE: Final = late_pattern(
    r"(?:x-)?(?:offset|start|from|to|end|part|chunk|page|block|segment|piece|limit|size|count|length|range|skip)"
    r"(?:[_-]?(?:no|number|index|size))?|.*(?:auth|key|session|signature|request|trace|user|client).*",
    re.IGNORECASE,
)


def part_version(step: Step) -> str | None:
    """Return what tells two versions of a thing apart in the parts of it: its validator, a field, its size.

    Args:
        step: an answer with a part.
    """
    if step.validator is not None:
        return step.validator
    named = [
        f"{one.name}: {one.value}"
        for one in shown(step)
        if one.where == "header" and called_version(one.name)
    ]
    total = _RANGE.match((step.header("content-range") or "").strip())
    size = [f"a size of {total[3]}"] if total is not None else []
    return ", ".join([*named, *size]) or None


def goes_on(before: Step, step: Step) -> bool:
    """Tell whether a part lies behind another one, and within what was there when that was read.

    What lies behind it all was added since, as to a log; what begins anew is another download.

    Args:
        before: an answer with a part.
        step: a later one.
    """
    first, second = (_RANGE.match((one.header("content-range") or "").strip()) for one in (before, step))
    if first is None or second is None or int(second[1]) <= int(first[2]):
        return False
    return int(second[1]) < int(first[3]) and set(_pins(before)) == set(_pins(step))


def replaced(facts: Facts) -> tuple[str, Step, Step] | None:
    """Return what a refused part names the version by, an earlier part, and what shows another version.

    Args:
        facts: of a read that was refused.

    Returns:
        None unless earlier parts carried the very same, and a later one, or what tells of the whole, has
        another value there.
    """
    step = facts.step
    if not step.is_read:
        return None
    parts = [one for one in _around(facts, before=True) if one.status in _DONE and _one_download(one, step)]
    if not parts or not _in_parts([*parts, step]):
        return None
    after = [one for one in _around(facts, before=False) if one.read_ok and _path(one) == _path(step)]
    for name, value in _pins(step):
        mine = [one for one in parts if (name, value) in set(_pins(one))]
        if not mine:
            continue
        fields = {
            one.name
            for part in _known(facts)
            for one in shown(part)
            if one.value == value and one.where == "header"
        }
        for one in after:
            other = dict(_pins(one)).get(name, value)
            again = other != value and (called_version(name) or _gave(facts, one, other))
            told = any(held.name in fields and held.value != value for held in shown(one))
            if again or told:
                return name, mine[-1], one
    return None


def copied_before(facts: Facts) -> Step | None:
    """Return the last part before a refused one that a service copied from the same source as asked, or None.

    The service reads the source for its client, a range at a time, and the condition is about the source.

    Args:
        facts: of a write that was refused.
    """
    step, guard = facts.step, facts.guard
    if guard is None or step.is_read or not (source := _source(step)):
        return None
    piece, to = _piece(step), step.exchange.request.url.partition("?")[0]
    for one in reversed(_around(facts, before=True)) if piece else ():
        same = one.condition(guard.guard)
        if one.accepted and same is not None and (same.name, same.value) == (guard.name, guard.value):
            there = one.exchange.request.url.partition("?")[0]
            if there == to and _source(one) == source and _piece(one) not in {(), piece}:
                return one
    return None


def _source(step: Step) -> frozenset[tuple[str, str]]:
    """Return the fields of a request that say what it copies."""
    if not any("source" in name.lower() for name, _ in step.sent):
        return frozenset()
    return frozenset(
        (name, value)
        for name, value in ((name.lower(), value) for name, value in step.sent)
        if _SOURCE.search(name) is not None and not name.endswith("-range")
    )


def _piece(step: Step) -> tuple[str, ...]:
    """Return what says which part of a copy a request is: a range of the source, the number of the part."""
    ranges = [value for name, value in step.sent if name.lower().endswith("source-range")]
    asked = parse_qsl(step.exchange.request.url.partition("?")[2])
    return (*ranges, *(value for name, value in asked if _PLACE.fullmatch(name) or name == "blockid"))


def _around(facts: Facts, *, before: bool) -> list[Step]:
    order = facts.step.order
    steps = facts.case.steps
    return facts.own(steps[max(0, order - _NEAR) : order] if before else steps[order + 1 : order + _NEAR])


def _gave(facts: Facts, until: Step, value: str) -> bool:
    """Tell whether the refusal, or an answer between it and a later request, gives a value out."""
    steps = [facts.step, *(one for one in _around(facts, before=False) if one.order < until.order)]
    return any(held.value == value for one in steps for held in shown(one))


def _known(facts: Facts) -> Iterator[Step]:
    """Yield what was shown of the thing before the refusal."""
    yield from (one for one in _around(facts, before=True) if one.read_ok and _path(one) == _path(facts.step))


def _path(step: Step) -> str:
    """Return host and path with all numbers in it made alike: parts may be numbered there."""
    return host_of(step.resource) + _NUMBER.sub("#", path_of(step.resource).partition("?")[0])


def _one_download(one: Step, two: Step) -> bool:
    return one.is_read and one.method == two.method and _path(one) == _path(two)


def _in_parts(steps: list[Step]) -> bool:
    """Tell whether requests ask for parts: by ranges, or by places that differ from one to the next."""
    if any(one.status == 206 or one.sent.text("range") is not None for one in steps):
        return True
    places = {
        tuple((one.word, one.value) for one in sent(step) if _PLACE.fullmatch(one.word)) for step in steps
    } - {()}
    paths = {path_of(step.resource).partition("?")[0] for step in steps}
    return len(places) == len(steps) or (len(paths) == len(steps) and not places)


def _pins(step: Step) -> Iterator[tuple[str, str]]:
    """Yield the values of a request that may name a version, by what they are called."""
    for one in sent(step):
        if one.where in {"query", "header"} and not _PLACE.fullmatch(one.name):
            yield one.name, one.value
