"""Find how many requests a service says that a change took: its lists of changes and records count them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.embedded import may_be_coded
from ifmatch.diagnosis.reading.listed_records import leaves_of, records_in
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.reading.listed_records import Record
    from ifmatch.diagnosis.steps.step import Step

# So many steps after a request its change is looked for.
_NEAR: Final = 60
_LONGEST: Final = 200_000
# How often a request came, by what it is called; of which attempt it is, is another matter.
_COUNTED: Final = Words(
    r"(?:num|number|count|n)?(?:[-_ ]?of)?[-_ ]?(?:requests?|attempts|tries|deliveries|submissions|hits"
    r"|arrivals)"
    r"(?:[-_ ]?(?:count|number|no|nr|seen|received|total))?"
)
_SHORT: Final = 1
_PIECES: Final = re.compile(r"[A-Za-z0-9]+")


class Counted(Frozen, frozen=True):
    """How many requests a service counted for a change.

    Attributes:
        times: the number.
        name: of the member that tells it.
        step: whose answer tells it.
    """

    times: int
    name: str
    step: Step


def counted(facts: Facts) -> Counted | None:
    """Return how many requests the service counted for the change that is there, None where it does not say.

    The record that counts them names the version that is there, or what the request was called by.

    Args:
        facts: of a refused request whose change is there.
    """
    step, current = facts.step, facts.current_tag
    names = {mark.value for mark in facts.marks}
    if current is not None and current != facts.token:
        names.add(tokens.opaque(current))
    pieces = {max(_PIECES.findall(name), key=len, default="") for name in names}
    host = host_of(step.resource)
    for one in facts.own(facts.case.steps[step.order + 1 : step.order + _NEAR]) if names else ():
        if not one.read_ok or host_of(one.resource) != host or not _may_hold(one, pieces):
            continue
        for record in _records(one):
            held = {tokens.opaque(value) for value in record.values()}
            found = _count(record) if names & held else None
            if found is not None:
                return Counted(found[1], found[0], one)
    return None


def _may_hold(step: Step, pieces: set[str]) -> bool:
    """Tell whether an answer may hold one of some letters and digits, in clear or coded."""
    content = step.content
    if content is None or len(content) > _LONGEST:
        return False
    return any(piece in content.text for piece in pieces) or may_be_coded(content.text)


def _records(step: Step) -> Iterator[Record]:
    """Yield what an answer lists, or the one record that it shows."""
    content = step.content
    if content is None or len(content) > _LONGEST:
        return
    listed = records_in(content.text)
    yield from listed
    if not listed:
        yield dict(leaves_of(content.text))


def _count(record: Record) -> tuple[str, int] | None:
    for name, value in record.items():
        if (
            value.isdigit()
            and len(value) == _SHORT
            and value != "0"
            and _COUNTED.fullmatch(name.rpartition("/")[2])
        ):
            return name, int(value)
    return None
