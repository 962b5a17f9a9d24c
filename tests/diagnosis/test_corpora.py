"""Recordings of driven components: the share that must stay right, healthy traffic, degradation."""

from __future__ import annotations

from dataclasses import replace
from zlib import crc32

import pytest
from recordings import capture, first, found, recordings, right

from ifmatch.diagnosis import diagnose
from ifmatch.model.exchange import Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response
from ifmatch.model.unknown import UNKNOWN

# What is right today, less than one case in a hundred wrong where any is: a rule that is lost shows.
FLOORS = {
    ("driven", "client"): 1.0,
    ("driven", "all"): 1.0,
    ("apis", "client"): 0.994,
    ("apis", "all"): 0.995,
    ("diagnosis/dev", "client"): 0.997,
    ("diagnosis/dev", "all"): 1.0,
}


@pytest.mark.parametrize("view", ["client", "all"])
def test_share_right_of_some(view) -> None:
    """One recording in six, chosen by its name; all of them in `make test-full`."""
    cases = [one for one in recordings("apis") if crc32(one.name.encode()) % 6 == 0]
    missed = [
        (one.name, cause)
        for one in cases
        if not right(one, view, cause := found(one.client if view == "client" else one.files)[0])
    ]
    assert len(cases) > 200
    assert len(missed) <= (1 - FLOORS["apis", view]) * len(cases) + 1, missed


LARGE = [pytest.param(*key, marks=pytest.mark.full) if key[0] == "apis" else key for key in FLOORS]


@pytest.mark.parametrize(("folder", "view"), LARGE)
def test_share_right(folder, view, capsys) -> None:
    cases = recordings(folder)
    good = [one for one in cases if right(one, view, found(one.client if view == "client" else one.files)[0])]
    with capsys.disabled():
        print(f"\n{folder}, {view}: {len(good)} of {len(cases)} first findings right")
    assert len(good) >= FLOORS[folder, view] * len(cases)


def test_healthy_traffic_gives_no_incident(capsys) -> None:
    healthy = [
        one
        for folder in ("lab", "driven", "apis", "healthy")
        for one in recordings(folder)
        if one.cause == "none"
    ]
    alarms = [
        (one.name, cause)
        for one in healthy
        for paths in {one.client, one.files}
        if (cause := found(paths)[0]) != "none"
    ]
    with capsys.disabled():
        print(f"\n{len(alarms)} alarms in {len(healthy)} healthy captures: {alarms}")
    assert len(healthy) >= 250
    assert len(alarms) <= 1


def _each(one, change):
    return replace(one, exchanges=tuple(change(exchange) for exchange in one.exchanges))


def _without_bodies(exchange: Exchange) -> Exchange:
    def gone(content):
        return None if content is None else UNKNOWN

    response = exchange.response
    return replace(
        exchange,
        request=replace(exchange.request, content=gone(exchange.request.content)),
        response=response and replace(response, content=gone(response.content)),
    )


def _lower_case(exchange: Exchange) -> Exchange:
    def lowered(fields):
        return Fields([(name.lower(), value) for name, value in fields])

    response = exchange.response
    return replace(
        exchange,
        request=replace(exchange.request, fields=lowered(exchange.request.fields)),
        response=response and replace(response, fields=lowered(response.fields)),
    )


def _milliseconds(exchange: Exchange) -> Exchange:
    return replace(
        exchange,
        started=round(exchange.started, 3),
        duration=round(exchange.duration or 0, 3),
        resolution=0.001,
    )


def _whole_seconds(exchange: Exchange) -> Exchange:
    return replace(exchange, started=float(int(exchange.started)), resolution=1.0)


def _asset(one, number, started):
    fields = Fields([("Host", "assets.example.test")])
    answer = Fields([("ETag", f'"{one.name}-{number}"'), ("Cache-Control", "max-age=60")])
    return Exchange(
        Provenance(one.name, number),
        Request("GET", f"http://assets.example.test/{one.name}/{number}.js", fields),
        Response(200, "OK", answer, Content.from_text("x")),
        started=started,
        duration=0.0002,
        resolution=0.001,
    )


def _among_noise(one):
    exchanges = []
    for exchange in one.exchanges:
        for step in range(12):
            exchanges.append(_asset(one, len(exchanges), exchange.started - 0.0005 - 0.001 * step))
        exchanges.append(replace(exchange, provenance=Provenance(one.name, len(exchanges))))
    return replace(one, exchanges=tuple(exchanges))


DEGRADED = {
    "without bodies": lambda one: _each(one, _without_bodies),
    "lower-case fields": lambda one: _each(one, _lower_case),
    "milliseconds": lambda one: _each(one, _milliseconds),
    "whole seconds": lambda one: _each(one, _whole_seconds),
    "among noise": _among_noise,
}
# Shares of all views. Whole seconds leave the order of what happened within one second open, and where
# contents are gone, what only they told is gone too.
ALLOWED = {"whole seconds": 0.02, "without bodies": 0.02}


@pytest.mark.parametrize("name", DEGRADED)
def test_less_evidence_never_makes_a_wrong_high(name) -> None:
    """Losing evidence may cost an answer, it may not turn it into a sure wrong one."""
    wrong = []
    views = 0
    for one in [*recordings("lab"), *recordings("driven")]:
        fine = {*one.alone, one.cause, *one.also}
        for paths in {one.client, one.files}:
            views += 1
            cause, likelihood = first(diagnose([DEGRADED[name](capture(path)) for path in paths]))
            if likelihood >= 0.75 and cause not in fine and found(paths)[0] != cause:
                wrong.append((one.name, len(paths), cause, likelihood))
    assert len(wrong) <= ALLOWED.get(name, 0) * views, wrong
