"""What a client tells: frozen records in order, a log, spans and metrics."""

from __future__ import annotations

import dataclasses
import logging
import sys

import httpx2
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ifmatch.client import (
    BudgetExhaustedError,
    Client,
    DataConflictError,
    Finished,
    Limits,
    MergeDocument,
    NotAppliedError,
    Paused,
    RequestDone,
    Settings,
    Telemetry,
    log,
)
from ifmatch.errors import MissingExtraError
from tests.client.libraries import QUICK
from tests.client.service import Reply


def increment(document):
    document["n"] += 1
    return document


def conflicting(service):
    """One refusal, one pause, one success."""
    service.put(value={"n": 1})
    service.script(
        "/doc", None, Reply(412, (("retry-after-ms", "3"),)), Reply(200, (("ETag", '"x"'),), b'{"n":5}')
    )


def edit(service, observers, **options):
    with httpx2.Client() as plain:
        settings = Settings(observers=observers, limits=QUICK)
        return Client(plain, settings, **options).edit(service.url(), increment)


def test_events_in_their_order(face, service) -> None:
    conflicting(service)
    events = []
    service.scripts["/doc"].append(Reply(204))
    done = face.editor(Settings(observers=(events.append,), limits=QUICK)).edit(service.url(), increment)
    kinds = [type(event).__name__ for event in events]
    assert kinds == ["RequestDone", "RequestDone", "Paused", "RequestDone", "RequestDone", "Finished"]
    assert [(one.method, one.status) for one in events if isinstance(one, RequestDone)] == [
        ("GET", 200),
        ("PUT", 412),
        ("GET", 200),
        ("PUT", 204),
    ]
    assert len({event.operation for event in events}) == 1
    assert events[-1].result == done
    with pytest.raises(dataclasses.FrozenInstanceError):
        events[0].status = 1


def test_an_error_is_told_too(service) -> None:
    events = []
    service.put(value={"n": 1})
    service.script("/doc", None, Reply(403))
    with pytest.raises(NotAppliedError) as caught:
        edit(service, (events.append,))
    assert isinstance(events[-1], Finished)
    assert events[-1].error is caught.value
    assert events[-1].result is None


def test_pauses_are_slept_by_what_is_given(service) -> None:
    conflicting(service)
    service.scripts["/doc"].append(Reply(204))
    slept = []
    edit(service, (), sleep=slept.append)
    assert slept == [0.003]


def test_an_observer_that_raises_disturbs_nobody(service, caplog) -> None:
    def broken(_event):
        raise RuntimeError("of the observer")

    service.put(value={"n": 1})
    assert edit(service, (broken,)).how == "applied"
    assert "of the observer" in caplog.text


def test_the_log(service, caplog) -> None:
    conflicting(service)
    service.scripts["/doc"].append(Reply(204))
    with caplog.at_level(logging.DEBUG, "ifmatch.client"):
        edit(service, (log,))
        service.script("/doc", Reply(403))
        with pytest.raises(NotAppliedError), httpx2.Client() as plain:
            Client(plain, Settings(limits=Limits(transport=0))).edit(service.url(), increment)
    levels = {record.levelname for record in caplog.records if record.name == "ifmatch.client"}
    assert levels == {"DEBUG", "INFO", "WARNING"}
    assert "rebased after 1 conflict, " in caplog.text


def test_user_names_and_passwords_stay_out(service, caplog) -> None:
    service.put(value={"n": 1})
    events = []
    with caplog.at_level(logging.DEBUG, "ifmatch.client"), httpx2.Client() as plain:
        url = service.url("/doc?access_token=s3cret").replace("http://", "http://user:s3cret@")
        Client(plain, Settings(observers=(log, events.append))).edit(url, increment)
    assert "s3cret" not in caplog.text
    assert "s3cret" not in repr([event for event in events if not isinstance(event, Paused)])


def test_what_a_conflict_is_about_is_no_place_for_passwords(service, caplog) -> None:
    base = {"n": 1, "password": "s3cret-1", "login": {"api_key": "s3cret-2", "tokens": ["s3cret-3"]}}
    service.put(value=base | {"n": 2, "password": "s3cret-4", "login": None})
    events = []
    mine = base | {"n": 3, "password": "s3cret-5", "login": {"api_key": "s3cret-6"}}
    with caplog.at_level(logging.DEBUG, "ifmatch.client"), httpx2.Client() as plain:
        client = Client(plain, Settings(observers=(log, events.append)))
        with pytest.raises(DataConflictError) as raised:
            client.edit(service.url(), MergeDocument(base, mine))
    assert "s3cret" not in caplog.text
    assert "s3cret" not in str(raised.value)
    assert "/n: base 1, mine 3, theirs 2" in str(raised.value)
    # As data it is there: who decides has to see it.
    assert "s3cret-4" in {conflict.theirs for conflict in raised.value.conflicts}


def test_spans_and_metrics(service) -> None:
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracing, metering = TracerProvider(), MeterProvider([reader])
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    telemetry = Telemetry(tracing, metering)
    conflicting(service)
    service.scripts["/doc"].append(Reply(204))
    edit(service, (telemetry,))
    service.script("/doc", Reply(403))
    with pytest.raises(NotAppliedError):
        edit(service, (telemetry,))
    good, bad = spans.get_finished_spans()
    assert good.attributes["ifmatch.how"] == "rebased"
    assert good.attributes["ifmatch.requests"] == 4
    assert [event.attributes["http.response.status_code"] for event in good.events] == [200, 412, 200, 204]
    assert good.end_time > good.start_time
    assert bad.attributes["error.type"] == "NotAppliedError"
    assert not bad.status.is_ok
    metrics = {
        metric.name: metric
        for resource in reader.get_metrics_data().resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert set(metrics) == {
        "ifmatch.update.duration",
        "ifmatch.update.requests",
        "ifmatch.update.conflicts",
        "ifmatch.update.waited",
    }
    assert sum(point.count for point in metrics["ifmatch.update.duration"].data.data_points) == 2
    assert sum(point.value for point in metrics["ifmatch.update.conflicts"].data.data_points) == 1
    metering.shutdown()


def test_telemetry_can_be_imported_without_opentelemetry_and_says_what_it_needs(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    names = {}
    exec("from ifmatch.client import *", names)  # noqa: S102 - as programs do it
    with pytest.raises(MissingExtraError, match=r"pip install 'ifmatch\[telemetry\]'"):
        names["Telemetry"]()


def test_refusals_of_a_failed_update_are_counted(service) -> None:
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    conflicting(service)
    with httpx2.Client() as plain:
        telemetry = Telemetry(provider, MeterProvider([reader]))
        client = Client(plain, Settings(observers=(telemetry,), limits=Limits(conflicts=0)))
        with pytest.raises(BudgetExhaustedError) as raised:
            client.edit(service.url(), increment)
    assert raised.value.refusals == 1
    assert spans.get_finished_spans()[0].attributes["ifmatch.conflicts"] == 1
