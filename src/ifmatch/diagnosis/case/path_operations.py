"""Take calls for what they are where the last part of a path says what is done, and the content to what.

`POST /rpc/read` with the key of a thing looks at it, `POST /rpc/write` with that key changes it: both are
about the thing, not about their addresses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.habits.call_records import records_shown
from ifmatch.diagnosis.links.operations import writes
from ifmatch.diagnosis.reading.version_words import EXPECTS, called_version
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.model.grouped import grouped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.message_members import Member
    from ifmatch.diagnosis.steps.step import Step

_MOST: Final = 200
_FEWEST: Final = 2
_OK: Final = 200
_CONFLICT: Final = frozenset({0, 409, 412})


def take_operations(service: Sequence[Step]) -> None:
    """Let calls of one folder count as reads and writes of the things that their contents name.

    Only where one of them was refused, or got no answer: there it counts what is read and what is written.

    Args:
        service: its steps, in order of time, their dialects not known.
    """
    folders = grouped(
        (step.resource.rpartition("/")[0], step)
        for step in service
        if step.method == "POST" and "?" not in step.resource and "#" not in step.resource
    )
    for folder, calls in folders.items():
        if any(_refused(step) for step in calls[:_MOST]):
            _take(folder, calls[:_MOST])


def _refused(step: Step) -> bool:
    return step.status in _CONFLICT or step.negative


def _take(folder: str, calls: Sequence[Step]) -> None:
    """Take apart the calls of a folder: those that show a thing by its key, ask by it, or change it."""
    by_name = grouped((step.resource.rpartition("/")[2], step) for step in calls)
    looks = {
        name
        for name, steps in by_name.items()
        if not any(map(str.isdigit, name)) and not writes(name) and all(map(_shows_by_key, steps))
    }
    if not looks or len(by_name) < _FEWEST:
        return
    keys = {(one.word, one.value) for name in looks for step in by_name[name] for one in _carried(step)}
    for name, steps in by_name.items():
        asks = name in looks or (not writes(name) and all(_lists(step, keys) for step in steps))
        for step in steps:
            named = {one.value for one in _carried(step) if (one.word, one.value) in keys}
            if asks:
                step.reads = True
            if len(named) == 1 and (name in looks or not asks):
                step.resource = f"{folder}#{named.pop()}"
            step.forget()


def _carried(step: Step) -> list[Member]:
    return [one for one in sent(step) if one.where in {"body", "text"}]


def _shows_by_key(step: Step) -> bool:
    """Tell whether a call sends keys alone, and is answered with a record of these that has a version."""
    mine = _carried(step)
    if step.status != _OK or not mine:
        return False
    values = {one.value for one in mine}
    return any(
        values <= names and len(record) > len(values) + 1
        for names, record in ((held.names, held.record) for held in records_shown(step))
    )


def _lists(step: Step, keys: set[tuple[str, str]]) -> bool:
    """Tell whether a call sends a key and numbers at most, no version, and is answered with records."""
    rest = [one for one in _carried(step) if (one.word, one.value) not in keys]
    plain = all(
        one.value.isdigit() and not called_version(one.word) and EXPECTS.search(one.word) is None
        for one in rest
    )
    return step.status == _OK and plain and not step.negative and bool(list(records_shown(step)))
