"""Name what became of the precondition of one request, for counters, logs and the roll-out report.

An event never holds a field value, a path or anything else that identifies a person: method, template of the
route, outcome and cause. The client is a name that the application chose or a keyed digest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

__all__ = ["LOGGER", "Event", "EventSink", "Outcome", "log_event"]

Outcome: TypeAlias = Literal[
    "passed", "refused", "not-modified", "malformed", "missing", "unguarded", "contended"
]
"""What became of it: a condition that was true; 412; 304; 400; 428; a write without a condition where none is
demanded; 503 because others were faster each time."""

LOGGER: Final = logging.getLogger("ifmatch.server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What became of the precondition of one request.

    Attributes:
        outcome: see `Outcome`.
        method: of the request.
        route: template of the route, "" when unknown.
        stage: of the policy.
        applied: whether the answer was changed; False at the stage `report-only` and during a grace.
        field: that decided, "" when none did.
        cause: id of the cause that the request shows by itself, "undecided" when it shows none, "" when
            nothing was refused.
        client: name of the client; "" for what was let through, unless a shadow asks for it.
    """

    outcome: Outcome
    method: str
    route: str
    stage: str
    applied: bool
    field: str = ""
    cause: str = ""
    client: str = ""

    @property
    def status(self) -> int | None:
        """Return the status that belongs to the outcome, None for the handler's own."""
        return _STATUS.get(self.outcome)


_STATUS: Final[dict[Outcome, int]] = {
    "refused": 412,
    "not-modified": 304,
    "malformed": 400,
    "missing": 428,
    "contended": 503,
}

EventSink: TypeAlias = Callable[[Event], None]
"""Takes each event; it must not block and must not raise."""


def log_event(event: Event) -> None:
    """Write an event to the logger `ifmatch.server`: refusals at INFO, everything else at DEBUG.

    The record carries each attribute as `ifmatch_<name>`, so that a JSON formatter finds it.

    Args:
        event: to write.
    """
    level = (
        logging.INFO if event.outcome in ("refused", "malformed", "missing", "contended") else logging.DEBUG
    )
    if not LOGGER.isEnabledFor(level):
        return
    LOGGER.log(
        level,
        "precondition %s: %s %s%s%s",
        event.outcome if event.applied else f"{event.outcome} (only reported)",
        event.method,
        event.route or "(route unknown)",
        f", {event.field}" if event.field else "",
        f", {event.cause}" if event.cause else "",
        extra={
            "ifmatch_outcome": event.outcome,
            "ifmatch_method": event.method,
            "ifmatch_route": event.route,
            "ifmatch_stage": event.stage,
            "ifmatch_applied": event.applied,
            "ifmatch_field": event.field,
            "ifmatch_cause": event.cause,
            "ifmatch_client": event.client,
        },
    )
