"""Detect `redirect-rewrites-request`: a redirect changed the method, dropped the content or the condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading.conditions import carries
from ifmatch.diagnosis.steps.resources import host_of, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "redirect-rewrites-request"


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a redirect in answer to an unsafe request, and what became of it.

    Source: RFC 9110 section 15.4 (301, 302 and 303 let clients change the method to GET).
    """
    step = facts.step
    damage = facts.damage
    if damage is None or not damage.redirect:
        return
    if 200 <= step.status < 300:
        # A library followed it, and handed on the answer to what it sent then.
        yield note("the answer shows the thing as it was before the write", 2.0, step)
        yield note(damage.text, 5.0 if damage.proven else 3.0, damage.lost)
        return
    where = step.header("location") or ""
    yield note(
        f"{step.method} was answered {step.status} with Location {path_of(where) if where else '(none)'}",
        4.0,
        step,
        "Location",
    )
    followed = damage.lost
    if followed is not None:
        text = f"what followed was {followed.method}: the write was not repeated"
        yield note(damage.text if followed.method == step.method else text, 3.0, followed)
        if facts.guard is not None and carries(followed.exchange.request, facts.guard, step.dialect) is False:
            yield note(f"it lacks {facts.guard.called}", 1.0, followed, facts.guard.called)
    else:
        yield note("no request with the content reached the new place", 1.0, step)
    if where and "://" in where and host_of(where) != host_of(step.exchange.request.url):
        yield note("the redirect leads to another origin", 0.5, step, "Location")
