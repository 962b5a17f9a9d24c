"""Turn the events of a client into OpenTelemetry spans and metrics."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from ifmatch.client.events import Finished, Paused, RequestDone
from ifmatch.errors import MissingExtraError
from ifmatch.update import UpdateError

if TYPE_CHECKING:
    from types import ModuleType

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from ifmatch.client.events import ClientEvent

__all__ = ["Telemetry"]

_OPEN: Final = 1024


class Telemetry:
    """Observe a client: one span an update with an event a request, and four metrics.

    Args:
        tracer_provider: None for the global one.
        meter_provider: None for the global one.

    The metrics: `ifmatch.update.duration` (s), `ifmatch.update.requests`, `ifmatch.update.conflicts`,
    `ifmatch.update.waited` (s); each with `ifmatch.how`, or `error.type`.

    Raises:
        MissingExtraError: OpenTelemetry is not installed.
    """

    def __init__(
        self, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        metrics, self._trace = _opentelemetry()
        self._tracer = self._trace.get_tracer("ifmatch", tracer_provider=tracer_provider)
        meter = metrics.get_meter("ifmatch", meter_provider=meter_provider)
        self._duration = meter.create_histogram("ifmatch.update.duration", "s", "From asking to the end")
        self._requests = meter.create_histogram("ifmatch.update.requests", "{request}", "Requests an update")
        self._conflicts = meter.create_counter("ifmatch.update.conflicts", "{conflict}", "Refused writes")
        self._waited = meter.create_counter("ifmatch.update.waited", "s", "Pauses between requests")
        self._open: OrderedDict[str, list[RequestDone]] = OrderedDict()

    def __call__(self, event: ClientEvent) -> None:
        """Take in one event."""
        if isinstance(event, RequestDone):
            self._open.setdefault(event.operation, []).append(event)
            if len(self._open) > _OPEN:
                self._open.popitem(last=False)
        elif isinstance(event, Finished):
            self._finish(event)
        else:
            assert isinstance(event, Paused)  # noqa: S101 - there is no other kind
            self._waited.add(event.seconds)

    def _finish(self, event: Finished) -> None:
        requests = self._open.pop(event.operation, [])
        attributes: dict[str, str] = (
            {"error.type": type(event.error).__name__}
            if event.result is None
            else {"ifmatch.how": event.result.how}
        )
        span = self._tracer.start_span(
            "ifmatch.update",
            kind=self._trace.SpanKind.CLIENT,
            attributes={"url.full": event.url, "ifmatch.operation": event.operation, **attributes},
            start_time=int(event.started * 1e9),
        )
        for one in requests:
            span.add_event(
                "request",
                {
                    "http.request.method": one.method,
                    "http.response.status_code": one.status,
                    "ifmatch.elapsed": one.elapsed,
                },
                int(one.at * 1e9),
            )
        ended = event.result if event.result is not None else event.error
        conflicts = ended.refusals if isinstance(ended, UpdateError) else getattr(ended, "conflicts", 0)
        span.set_attribute("ifmatch.conflicts", conflicts)
        span.set_attribute("ifmatch.requests", len(requests))
        if event.error is not None:
            span.record_exception(event.error)
            trace = self._trace
            span.set_status(trace.Status(trace.StatusCode.ERROR, type(event.error).__name__))
        span.end(int((event.started + event.elapsed) * 1e9))
        self._duration.record(event.elapsed, attributes)
        self._requests.record(len(requests), attributes)
        if conflicts:
            self._conflicts.add(conflicts, attributes)


def _opentelemetry() -> tuple[ModuleType, ModuleType]:
    """Return the modules for metrics and traces: loaded when asked for, so that the name can be imported."""
    try:
        from opentelemetry import metrics, trace  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("telemetry", "Telemetry") from error
    return metrics, trace
