"""Find writes that never reached their resource: swallowed by a redirect, or never sent by a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.damages import Damage
from ifmatch.diagnosis.resources import host_of, path_of, resource_key
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from ifmatch.diagnosis.case import Case
    from ifmatch.diagnosis.steps import Step

# Seconds between a preflight and the write that it asks for.
_PREFLIGHT = 10.0


def blocked(case: Case, step: Step) -> Damage | None:
    """Find a conditional write that a browser never sent, because the preflight does not allow its field.

    Source: Fetch standard, CORS-preflight fetch (Access-Control-Allow-Headers).
    """
    guard = step.guard
    if guard is None or not guard.standard:
        return None
    for other in case.steps[max(0, step.order - 40) : step.order + 40]:
        if other.method != "OPTIONS" or other.resource != step.resource:
            continue
        if step.timed and abs(other.start - step.start) > _PREFLIGHT:
            continue
        if step.sent.text("origin") is None and not _asks_for(other, step, guard.name):
            # A browser that stopped the request shows it without the fields it would have added.
            continue
        allowed = (other.header("access-control-allow-headers") or "").lower()
        names = {name.strip() for name in allowed.split(",")}
        if other.status and guard.name.lower() not in names and "*" not in names:
            text = f"the preflight does not allow {guard.name}: the browser never sent the write"
            return Damage(Outcome.ERROR, text, lost=other, blocked=True)
    return None


def _asks_for(preflight: Step, step: Step, name: str) -> bool:
    """Tell whether a preflight asks for just this method with this field."""
    method = (preflight.sent.text("access-control-request-method") or "").strip()
    asked = (preflight.sent.text("access-control-request-headers") or "").lower()
    return method == step.method and name.lower() in {part.strip() for part in asked.split(",")}


def _same_place(step: Step, where: str) -> bool:
    """Tell whether a redirect leads to the same path elsewhere: another host or scheme, or a slash more."""
    if step.body is None or "://" not in where:
        return False
    here, there = path_of(step.exchange.request.url), path_of(where)
    moved = here != there or host_of(where) != host_of(step.resource)
    return moved and here.rstrip("/") == there.rstrip("/") and len(here) > 1


def redirected(case: Case, step: Step) -> Damage | None:
    """Find a redirect after which the write was not repeated.

    POST answered by a redirect to a result page is ordinary (RFC 9110 section 15.4.4).
    """
    where = step.header("location") or ""
    if step.method == "POST" and step.guard is None and not _same_place(step, where):
        return None
    target = resource_key(where) if "://" in where else where.partition("?")[0]
    followed: Step | None = None
    for other in case.steps[step.order + 1 : step.order + 40]:
        if not target or not (
            other.resource == target or other.resource.endswith(target) or target.endswith(_path(other))
        ):
            continue
        if other.actor != step.actor and other.vantage == step.vantage:
            continue
        if other.method == step.method:
            if step.guard is None or step.guard.name in other.sent:
                return None
            return Damage(
                Outcome.LOST_UPDATE,
                "the repeated write lacks the precondition",
                lost=other,
                redirect=True,
                proven=False,
            )
        followed = other
        break
    return Damage(Outcome.LOST_WRITE, "a redirect swallowed the write", lost=followed, redirect=True)


def _path(step: Step) -> str:
    return "/" + step.resource.partition("://")[2].partition("/")[2]
