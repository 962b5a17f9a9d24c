"""Compare what a condition in words of a query states of a record with what reads show that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ifmatch.diagnosis.facts.respelt_values import alike
from ifmatch.dialects import Carrier
from ifmatch.model.json_values import elements_in, members_in
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# `updatedAt = 2026-01-01`, `c.state = 'new'`: a path, and the value up to the next term.
_EQUAL: Final = late_pattern(
    r"(?i)(?:^|\band\b|\bwhere\b|\()\s*\(?\s*([a-z_][\w.]*)\s*={1,2}\s*"
    r"('[^']*'|\"[^\"]*\"|[^()]+?)\s*(?=\)|$|\b(?:and|or)\s)"
)
_LONGEST: Final = 2000
_DEEP: Final = 6
_MOST: Final = 400
# The descriptors of types of DynamoDB that hold one value.
_TYPES: Final = frozenset({"S", "N", "B", "BOOL"})
_READS: Final = 8


class Stated(NamedTuple):
    """A value that a condition states, and what the record holds in its place.

    Attributes:
        name: of the member.
        sent: the value in the condition.
        held: the value in the record.
        shown_by: the answer that shows it.
    """

    name: str
    sent: str
    held: str
    shown_by: Step


def stated_otherwise(facts: Facts) -> Stated | None:
    """Return a value of a refused condition that is the record's own in another spelling, None without one.

    The record has to have it before the request, or in the answer to it: what came later is another's.

    Source: docs.aws.amazon.com, DynamoDB, Condition expressions; learn.microsoft.com, Azure Cosmos DB,
    Conditional patch.

    Args:
        facts: of a refused request.
    """
    step, stated = facts.step, _stated(facts.step)
    if not stated:
        return None
    before = [one for one in facts.own(facts.earlier)[-_READS:] if one.is_read and one.content is not None]
    for shown in (step, *reversed(before)):
        held = dict(_values(shown.view.json, "", _DEEP))
        for name, sent in stated:
            value = held.get(name)
            if value is not None and value != sent and alike(sent, value):
                return Stated(name, sent, value, shown)
    return None


def stated_before(facts: Facts) -> Stated | None:
    """Return a value that a refused condition has as the record was read, and that is another one by now.

    Args:
        facts: of a refused request.
    """
    step, stated = facts.step, _stated(facts.step)
    own = facts.own(facts.earlier)[-_READS:] if stated else []
    read = own[-1] if own and own[-1].is_read and own[-1].content is not None else None
    if read is None:
        return None
    held = dict(_values(read.view.json, "", _DEEP))
    for shown in (step, facts.refresh):
        now = dict(_values(shown.view.json, "", _DEEP)) if shown is not None else {}
        for name, sent in stated:
            if held.get(name) == sent != now.get(name, sent):
                return Stated(name, sent, now[name], shown or step)
    return None


def _stated(step: Step) -> list[tuple[str, str]]:
    """Return the names and values that the conditions in a request's content state as equal."""
    texts = [one.value for one in step.conditions if one.carrier is Carrier.BODY]
    return [
        (name.rpartition(".")[2], value.strip().strip("'\""))
        for text in texts
        if "=" in text and len(text) <= _LONGEST
        for name, value in _EQUAL.findall(text)
    ]


def _values(value: object, name: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the single values of an answer by the names of their members."""
    if depth < 0:
        return
    for one in elements_in(value)[:_MOST]:
        yield from _values(one, name, depth - 1)
    members = members_in(value)
    if len(members) == 1 and members.keys() <= _TYPES:
        yield name, str(next(iter(members.values())))
        return
    for word, one in members.items():
        yield from _values(one, word, depth - 1)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        yield name, str(value)
