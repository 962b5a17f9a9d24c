"""Say how much a token guards in its dialect, what moved within that, and whether a lifetime has run out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.listings import disjoint_entries
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.dialects import Scope, lifetime_in, scope_of
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step


class Lifespan(Frozen, frozen=True):
    """A lock, lease or key with a lifetime that was granted before a request.

    Attributes:
        grant: the step that granted or renewed it.
        seconds: how long it was granted for.
        elapsed: seconds from the grant to the request.
    """

    grant: Step
    seconds: float
    elapsed: float

    @property
    def over(self) -> bool:
        """Tell whether the lifetime had run out when the request was sent."""
        return self.elapsed > self.seconds


def scope_path(step: Step) -> tuple[Scope, str]:
    """Return how much the token of a request guards, and the path of that scope.

    Args:
        step: the request.
    """
    if step.dialect is None:
        return Scope.ITEM, ""
    return scope_of(step.exchange.request, step.dialect)


def policy_entries_apart(facts: Facts) -> str:
    """Return which entries of a policy another changed, where a request changes others only; else "".

    Args:
        facts: of a refused request.
    """
    if scope_path(facts.step)[0] is not Scope.POLICY or not facts.state_moved:
        return ""
    return disjoint_entries(facts.base_content, facts.current_content, facts.step.body)


def scope_writes(facts: Facts, since: Step | None) -> list[Step]:
    """Return accepted writes to other resources of the same scope that came before the request.

    Args:
        facts: of the request.
        since: the step that gave the token out; None when not known.
    """
    scope, path = scope_path(facts.step)
    if scope is Scope.ITEM or not path:
        return []
    host = host_of(facts.step.exchange.request.url)
    begin = since.order + 1 if since is not None else 0
    return [
        step
        for step in facts.case.steps[begin:]
        if step.accepted
        and step.resource != facts.step.resource
        and step.start <= facts.step.end
        and step is not facts.step
        and host_of(step.exchange.request.url) == host
        and scope_path(step)[1] == path
        and step.method not in {"LOCK", "UNLOCK"}
    ]


def lifespan(facts: Facts) -> Lifespan | None:
    """Return the last lifetime that the request's actor was granted on the resource before, None without one.

    Args:
        facts: of the request.
    """
    if not facts.step.timed:
        return None
    for step in reversed(facts.own(facts.earlier)):
        if step.dialect is None or not 200 <= step.status < 300:
            continue
        seconds = lifetime_in(step.view, step.dialect)
        if seconds is not None and seconds > 0:
            return Lifespan(step, seconds, facts.step.start - step.end)
    return None
