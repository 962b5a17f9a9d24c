"""A client's debug log and the server's access log are one case: the cause is known that neither hides."""

from __future__ import annotations

import io
import itertools
import pathlib
from dataclasses import replace

import pytest

from ifmatch.capture import read_all
from ifmatch.diagnosis import diagnose
from ifmatch.model.exchange import Vantage

ROOT = pathlib.Path(__file__).parents[2] / "cases" / "two-sides"
FILES = sorted(ROOT.glob("*.log"))


@pytest.mark.parametrize("names", [("a", "b"), ("client.log", "server.log"), ("z.har", "a.txt")])
@pytest.mark.parametrize("paths", list(itertools.permutations(FILES)), ids=str)
def test_the_clients_log_tells_no_time_and_the_servers_log_does(paths, names) -> None:
    """http.client logs no time at all; its requests are placed by those of the server's log."""
    captures = [
        capture
        for path, name in zip(paths, names, strict=True)
        for capture in read_all(io.BytesIO(path.read_bytes()), name)
    ]
    assert {capture.format for capture in captures} == {"sdk-log", "json-log"}
    found = diagnose(tuple(captures))
    (incident,) = found.incidents
    assert incident.findings[0].cause == "other-writer"
    assert incident.findings[0].likelihood >= 0.9
    assert sum(source.exchanges for source in found.sources) == 7
    assert len(incident.attempts) == 2


def test_the_clients_log_alone_is_less_sure() -> None:
    path = next(path for path in FILES if "client" in path.name)
    (incident,) = diagnose(read_all(io.BytesIO(path.read_bytes()), "x")).incidents
    assert incident.findings[0].cause == "other-writer"
    assert incident.findings[0].likelihood < 0.75


def test_the_lone_log_of_a_server_is_no_clients() -> None:
    path = next(path for path in FILES if "nginx" in path.name)
    captures = read_all(io.BytesIO(path.read_bytes()), "x")
    (source,) = diagnose(captures).sources
    assert source.vantage is Vantage.EDGE
    declared = tuple(replace(one, declared_vantage=Vantage.CLIENT) for one in captures)
    (source,) = diagnose(declared).sources
    assert source.vantage is Vantage.CLIENT
