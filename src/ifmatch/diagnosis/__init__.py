"""From exchanges to a diagnosis: reconstruct, detect, rank, explain; pure.

`diagnose` is the one entry; the modules are stages of one direction (captures, case, subjects and damage,
facts, rules, ranking, repair, next probe).
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from ifmatch.diagnosis.assemble import assemble
from ifmatch.diagnosis.case.reconstruction import build
from ifmatch.diagnosis.reading.contents import forget
from ifmatch.model.exchange import Capture, captures_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ifmatch.dialects import Dialect
    from ifmatch.model.diagnosis import Diagnosis
    from ifmatch.model.exchange import Exchange
    from ifmatch.model.finding import Attested

__all__ = ["diagnose"]


def diagnose(
    evidence: Iterable[Exchange] | Iterable[Capture],
    *,
    dialects: Sequence[Dialect] | None = None,
    attested: Sequence[Attested] = (),
) -> Diagnosis:
    """Find out why requests were refused, or what was lost without a refusal.

    Args:
        evidence: exchanges of one or several sources (their provenance tells them apart), or whole captures.
        dialects: API families to recognise; all built-in and installed ones when left out.
        attested: observations from outside of the exchanges.

    Returns:
        Incidents in the order of the contract, benign refusals with the reason, the sources as understood.
    """
    captures: list[Capture] = []
    exchanges: list[Exchange] = []
    for one in evidence:
        if isinstance(one, Capture):
            captures.append(one)
        else:
            exchanges.append(one)
    captures.extend(captures_of(exchanges))
    collecting = gc.isenabled()
    # Hundreds of thousands of small records, none of them in a cycle: collecting only costs time.
    gc.disable()
    try:
        case = build(captures, dialects)
        case.attested = tuple(attested)
        return assemble(case)
    finally:
        forget()
        if collecting:
            gc.enable()
