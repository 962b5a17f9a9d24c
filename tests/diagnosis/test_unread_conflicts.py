"""A 409 whose content is not in the file: what its family and its request tell, and no more."""

from __future__ import annotations

import pytest

from ifmatch.diagnosis import diagnose
from ifmatch.model.exchange import Capture, Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response
from ifmatch.model.unknown import UNKNOWN

TABLE = [("Server", "Windows-Azure-Table/1.0 Microsoft-HTTPAPI/2.0"), ("x-ms-version", "2019-02-02")]
RECORDS = [("X-Experience-API-Version", "1.0.3")]
CONFLICT = Content.from_octets(b"the room is booked")


def refused(method, path, asked, answered, content):
    request = Request(method, f"https://api.example.test{path}", Fields(asked), Content.from_octets(b"{}"))
    response = Response(409, "Conflict", Fields(answered), content)
    exchange = Exchange(Provenance("client.har", 0), request, response, 1_790_000_000.0, 0.1)
    return diagnose([Capture("client.har", "har", (exchange,))])


@pytest.mark.parametrize(
    ("method", "path", "asked", "answered", "cause"),
    [
        ("POST", "/readings", [("x-ms-version", "2019-02-02")], TABLE, "exists-already"),
        ("PUT", "/xapi/activities/profile?activityId=a&profileId=b", RECORDS, RECORDS, "token-missing"),
    ],
)
def test_the_family_says_what_a_409_is(method, path, asked, answered, cause) -> None:
    diagnosis = refused(method, path, asked, answered, UNKNOWN)
    assert [one.findings[0].cause for one in diagnosis.incidents] == [cause]


@pytest.mark.parametrize(
    ("content", "why"), [(UNKNOWN, "content of the answer is not in the file"), (CONFLICT, "own conflict")]
)
def test_of_an_unknown_family_nothing_is_said_that_was_not_read(content, why) -> None:
    diagnosis = refused("POST", "/bookings", [], [], content)
    assert not diagnosis.incidents
    assert why in diagnosis.benign[0].why


def test_a_guarded_write_is_no_creation() -> None:
    asked = [("x-ms-version", "2019-02-02"), ("If-Match", "W/\"datetime'2026-05-14T10%3A52%3A05Z'\"")]
    diagnosis = refused("PUT", "/readings(PartitionKey='a',RowKey='1')", asked, TABLE, UNKNOWN)
    assert "exists-already" not in [one.findings[0].cause for one in diagnosis.incidents if one.findings]
