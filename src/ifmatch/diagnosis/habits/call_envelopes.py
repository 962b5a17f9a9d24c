"""Learn the envelope in which the calls of one address stand, where it is no known one: in its own names.

One member says what is to be done, one holds what it is to be done with, and one member of the answers holds
what came of it: `method`, `params` and `result` of JSON-RPC, whatever they are called and in whatever order.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.habits.dialect_habits import LEARNED
from ifmatch.diagnosis.links.operations import reads, writes
from ifmatch.dialects import Carrier, Dialect, GuardSpec, SameResource, StatePlace, TokenPlace
from ifmatch.dialects.words import VERSION
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ifmatch.diagnosis.steps.step import Step

_OK: Final = 200
# So many calls are looked at; fewer show no envelope.
_MOST: Final = 200
_FEWEST: Final = 2
# What names an operation: words, in one or with signs between them.
_OPERATION: Final = late_pattern(r"[A-Za-z][A-Za-z0-9]*(?:[._:/-][A-Za-z0-9]+){0,4}")
_ESCAPES: Final = late_pattern(r"[~/]")
# Versions and names under which most services have them; others are learned from what is sent back.
_VERSIONS: Final = ("version", "rev", "revision", "ver", "etag")
_NAMES: Final = ("id", "key", "uid", "ref", "name", "code", "no")


def enveloped(service: Sequence[Step]) -> Dialect | None:
    """Return the family of a service all of whose writes are calls in one envelope, None for all others.

    Some of its calls say by their names that they read, and some that they change something.

    Args:
        service: its steps, their dialects not known.
    """
    calls = [step for step in service if step.is_write][:_MOST]
    if len(calls) < _FEWEST:
        return None
    if len({step.resource for step in calls}) != 1:
        return _called_in_query(calls)
    sent = [members_in(step.view.sent_json) for step in calls if step.method == "POST"]
    if len(sent) != len(calls) or not all(sent):
        return None
    named = [name for name in sent[0] if all(_called(one.get(name)) for one in sent)]
    for name in named:
        called = {str(one[name]) for one in sent}
        reading = {one for one in called if reads(one)}
        changing = {one for one in called if writes(one)}
        # A member that says what is to be done says more than one thing.
        if reading and changing:
            return _family(calls, sent, name, reading, changing)
    return None


def _called_in_query(calls: Sequence[Step]) -> Dialect | None:
    """Return the family of calls of one address that say in a parameter of it what is to be done."""
    if len({step.resource.partition("?")[0] for step in calls}) != 1:
        return None
    if any(step.method != "POST" for step in calls):
        return None
    for name in calls[0].view.query:
        called = [step.view.query.get(name) for step in calls]
        if not all(map(_called, called)):
            continue
        operations = {str(one) for one in called}
        reading = {one for one in operations if reads(one)}
        changing = {one for one in operations if writes(one)}
        if not (reading and changing):
            continue
        by_name = {
            one: [step for step in calls if step.view.query.get(name) == one] for one in sorted(operations)
        }
        keys = _keys(
            [step for one in reading for step in by_name[one]],
            [step for one in changing for step in by_name[one]],
        )
        if keys:
            return _by_parameter(name, reading, changing, keys, by_name)
    return None


def _keys(asking: Sequence[Step], changing: Sequence[Step]) -> list[str]:
    """Return the members by which calls that look and calls that change name a thing, in their order."""
    looked = [_plain(members_in(step.view.sent_json)) for step in asking]
    changed = [_plain(members_in(step.view.sent_json)) for step in changing]
    found = [
        name
        for name in (changed[0] if changed else ())
        if all(name in one for one in changed) and VERSION.search(name) is None
    ]
    values = {(name, value) for one in looked for name, value in one.items()}
    return [name for name in found if any((name, one[name]) in values for one in changed)]


def _plain(record: dict[str, object]) -> dict[str, object]:
    return {
        name: one
        for name, one in record.items()
        if isinstance(one, str | int) and not isinstance(one, bool) and one != ""
    }


def _by_parameter(
    name: str, reading: set[str], changing: set[str], keys: Sequence[str], by_name: dict[str, list[Step]]
) -> Dialect:
    sent = [members_in(step.view.sent_json) for one in changing for step in by_name[one]]
    shown = [members_in(step.view.json) for one in reading for step in by_name[one] if step.status == _OK]
    within = _within(sent)
    holding = dict.fromkeys(
        _pointer(held) for answer in shown for held, value in answer.items() if _is_record(value)
    )
    places = ["", *([within] if within else [])]
    whole = "".join(rf'(?=.*?"{re.escape(one)}"\s*:\s*"?([^",}}\]]+))' for one in keys)
    parameter = rf"[?&]{re.escape(name)}="
    return Dialect(
        id=LEARNED,
        name="this API",
        source="the traffic itself",
        guards=tuple(
            GuardSpec(carrier=Carrier.BODY, id=one, name=f"{above}/{one}", methods=("POST",))
            for above in places
            for one in _VERSIONS
        ),
        tokens=tuple(
            TokenPlace(at="body", name=f"{above}/{one}", feeds=(one,))
            for above in ("", *holding)
            for one in _VERSIONS
        ),
        identity=(f"text:(?s){whole}" if len(keys) > 1 else _pointer(keys[0]),),
        states=tuple(StatePlace(sent=within, shown=above) for above in holding),
        same_resource=(SameResource(path=rf"{parameter}[^&]*", becomes=""),),
        reads=rf"{parameter}(?:{_any_of(reading)})(?:&|$)",
        changes=rf"{parameter}(?:{_any_of(changing)})(?:&|$)",
        # What is meant stands in no content.
        reads_content="(?!)",
    )


def _within(sent: Sequence[dict[str, object]]) -> str:
    found = Counter(held for one in sent for held, value in one.items() if _is_record(value))
    return _pointer(found.most_common(1)[0][0]) if found else ""


def _any_of(operations: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(operations)))


def _called(value: object) -> bool:
    return isinstance(value, str) and _OPERATION.fullmatch(value) is not None


def _family(
    calls: Sequence[Step],
    sent: Sequence[dict[str, object]],
    name: str,
    reading: set[str],
    changing: set[str],
) -> Dialect:
    within = _holder([one for one in sent if str(one[name]) in changing], name)
    answers = [
        members_in(step.view.json)
        for step, one in zip(calls, sent, strict=True)
        if step.status == _OK and str(one[name]) in reading
    ]
    holding = [
        _pointer(one)
        for one in dict.fromkeys(
            held for answer in answers for held, value in answer.items() if _is_record(value)
        )
    ]
    shown = holding or [""]
    at = [f"{within}/{one}" for one in _VERSIONS] + [f"{within}/*/{one}" for one in _VERSIONS if within]
    return Dialect(
        id=LEARNED,
        name="this API",
        source="the traffic itself",
        guards=tuple(
            GuardSpec(carrier=Carrier.BODY, id=one.rpartition("/")[2], name=one, methods=("POST",))
            for one in at
        ),
        tokens=tuple(
            TokenPlace(at="body", name=f"{above}/{one}", feeds=(one,)) for above in shown for one in _VERSIONS
        ),
        identity=tuple(f"{within}/{one}" for one in _NAMES),
        states=tuple(StatePlace(sent=within, shown=above) for above in holding),
        operation=_pointer(name),
        reads_content=_asking(name, reading),
        changes_content=_asking(name, changing),
    )


def _holder(sent: Iterable[dict[str, object]], name: str) -> str:
    """Return where calls have what they are to be done with: in a member, or "" beside the operation."""
    found = Counter(held for one in sent for held, value in one.items() if held != name and _is_record(value))
    return _pointer(found.most_common(1)[0][0]) if found else ""


def _is_record(value: object) -> bool:
    return isinstance(value, dict) and bool(cast("dict[str, object]", value))


def _pointer(name: str) -> str:
    """Return the JSON Pointer to a member at the top (RFC 6901 section 3)."""
    return "/" + _ESCAPES.sub(lambda found: "~0" if found[0] == "~" else "~1", name)


def _asking(name: str, operations: Iterable[str]) -> str:
    """Return the pattern of contents that call one of some operations."""
    return rf'"{re.escape(name)}"\s*:\s*"(?:{_any_of(operations)})"'
