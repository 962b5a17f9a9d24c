"""Count what became of preconditions, for Prometheus and OpenTelemetry.

    counters = Counters()
    settings = Settings(sinks=(log_event, counters))
    counters.prometheus_text()                     # for a route /metrics
    counters.observe_with(meter)                   # a meter of OpenTelemetry

Labels are outcome, method, route, stage, cause and whether the answer was changed: never a path, a field
value or a client, so their number is bounded by the routes of the service.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.server.events import Event

__all__ = ["METRIC", "Counters"]

METRIC: Final = "ifmatch_preconditions"
"""Name of the metric; Prometheus gets it with the ending `_total`."""

_LABELS: Final = ("outcome", "method", "route", "stage", "cause", "applied")
_METHODS: Final = frozenset({"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"})
_HELP: Final = "Requests by what became of their precondition."
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})

_Key = tuple[str, ...]


class Counters:
    """A sink of events that counts them; several threads may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[_Key, int] = {}

    def __call__(self, event: Event) -> None:
        """Count an event.

        Args:
            event: to count.
        """
        # A method is what the client sends: unknown ones share a label, so that nobody can make up labels.
        method = event.method if event.method in _METHODS else "other"
        key = (event.outcome, method, event.route, event.stage, event.cause, str(event.applied).lower())
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + 1

    def counts(self) -> dict[tuple[str, ...], int]:
        """Return the counts; a key holds outcome, method, route, stage, cause, applied, in this order."""
        with self._lock:
            return dict(self._counts)

    def prometheus_text(self) -> str:
        """Return the counts in the text format of Prometheus, version 0.0.4."""
        lines = [f"# HELP {METRIC}_total {_HELP}", f"# TYPE {METRIC}_total counter"]
        for labels, count in self._labelled():
            listed = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
            lines.append(f"{METRIC}_total{{{listed}}} {count}")
        return "\n".join(lines) + "\n"

    def observe_with(self, meter: Any) -> None:
        """Give the counts to a meter of OpenTelemetry, which asks for them when it exports.

        Args:
            meter: `opentelemetry.metrics.Meter`; nothing of OpenTelemetry is imported before this call.
        """
        from opentelemetry.metrics import Observation  # noqa: PLC0415 -- an optional dependency

        def observe(_: object) -> list[Observation]:
            return [Observation(count, labels) for labels, count in self._labelled()]

        meter.create_observable_counter(METRIC, callbacks=[observe], unit="{request}", description=_HELP)

    def _labelled(self) -> Iterator[tuple[dict[str, str], int]]:
        with self._lock:
            counts = sorted(self._counts.items())
        for key, count in counts:
            yield dict(zip(_LABELS, key, strict=True)), count
