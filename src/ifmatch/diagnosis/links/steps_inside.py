"""Make a step that stands for a record inside an answer: seen where the answer was, when it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ifmatch.diagnosis.steps.step import Step

if TYPE_CHECKING:
    from ifmatch.model.message import Request, Response


def step_inside(step: Step, request: Request, response: Response, key: str) -> Step:
    """Return a step about a resource that an answer shows inside.

    Args:
        step: the answered request that holds it.
        request: that would ask for the resource by itself.
        response: that would show it.
        key: of the resource.
    """
    one = Step(
        replace(step.exchange, request=request, response=response),
        source=step.source,
        start=step.start,
        end=step.end,
        timed=step.timed,
    )
    one.hops = [replace(hop, request=request, response=response) for hop in step.hops]
    one.vantage, one.node, one.covered = step.vantage, step.node, step.covered
    one.resource, one.within = key, step
    return one
