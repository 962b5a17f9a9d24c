"""Counts by outcome and cause reach Prometheus and OpenTelemetry, and labels stay bounded."""

from __future__ import annotations

import re
import threading

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from ifmatch.server.counters import METRIC, Counters
from ifmatch.server.events import Event


def event(**changes) -> Event:
    given = {
        "outcome": "refused",
        "method": "PUT",
        "route": "/notes/{id}",
        "stage": "honour",
        "applied": True,
        "cause": "etag-weakened",
        "client": "somebody#1234",
        "field": "If-Match",
    }
    return Event(**(given | changes))


def test_prometheus_text() -> None:
    counters = Counters()
    for one in (event(), event(), event(outcome="missing", cause="token-missing", applied=False)):
        counters(one)
    lines = counters.prometheus_text().splitlines()
    assert lines[:2] == [
        "# HELP ifmatch_preconditions_total Requests by what became of their precondition.",
        "# TYPE ifmatch_preconditions_total counter",
    ]
    assert (
        'ifmatch_preconditions_total{outcome="refused",method="PUT",route="/notes/{id}",stage="honour",'
        'cause="etag-weakened",applied="true"} 2'
    ) in lines
    assert len(lines) == 4
    assert "somebody" not in counters.prometheus_text()


def test_values_are_escaped_and_methods_bounded() -> None:
    counters = Counters()
    for number in range(50):
        counters(event(method=f"MADE-UP-{number}", route='a"b\\c\nd'))
    (line,) = counters.prometheus_text().splitlines()[2:]
    assert 'method="other"' in line
    assert r'route="a\"b\\c\nd"' in line
    assert re.fullmatch(r"\w+\{.*\} 50", line)


def test_opentelemetry_asks_for_the_counts() -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    counters = Counters()
    counters.observe_with(provider.get_meter("test"))
    counters(event())
    counters(event())
    data = reader.get_metrics_data()
    (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
    (point,) = metric.data.data_points
    assert metric.name == METRIC
    assert point.value == 2
    assert point.attributes["cause"] == "etag-weakened"
    provider.shutdown()


def test_threads_lose_no_count() -> None:
    counters = Counters()
    threads = [threading.Thread(target=lambda: [counters(event()) for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counters.counts().values()) == 4_000
