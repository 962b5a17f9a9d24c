"""Make steps of the requests that a batch holds, so that each is diagnosed like any other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ifmatch.diagnosis.resources import resource_key
from ifmatch.diagnosis.steps import Step
from ifmatch.dialects import View, parts_in

if TYPE_CHECKING:
    from ifmatch.dialects import Dialect


def parts_of(step: Step, dialect: Dialect | None) -> list[Step]:
    """Return a step for each request that a step's batch holds; the batch itself then refuses nothing.

    Args:
        step: that may be a batch.
        dialect: its family; None when none showed itself.
    """
    found: list[Step] = []
    for part in parts_in(step.view, dialect):
        exchange = replace(step.exchange, request=part.request, response=part.response)
        one = Step(exchange, source=step.source, start=step.start, end=step.end, timed=step.timed)
        one.vantage, one.node, one.covered = step.vantage, step.node, step.covered
        one.resource = resource_key(part.request.url)
        one.within = step
        found.append(one)
    step.batched = bool(found)
    for hop in step.hops if found else ():
        inner = parts_in(View(hop.request, hop.response), dialect)
        for one, part in zip(found, inner, strict=False) if len(inner) == len(found) else ():
            one.hops.append(replace(hop, request=part.request, response=part.response))
    return found
