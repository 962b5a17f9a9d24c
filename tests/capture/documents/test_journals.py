"""Journals that tools keep of requests with their answers: whole, cut, in other orders, and what is none."""

from __future__ import annotations

import io
import json
import pathlib
from typing import TYPE_CHECKING, Any

import pytest

from ifmatch.capture import read_all, sniff
from ifmatch.diagnosis import diagnose
from ifmatch.errors import InputError

if TYPE_CHECKING:
    from ifmatch.model.exchange import Capture

ROOT = pathlib.Path(__file__).parents[3] / "cases" / "inputs"
JOURNALS = sorted(path for path in (ROOT / "journal").iterdir() if not path.name.endswith(".expected.json"))
EVENTS = sorted((ROOT / "devtools-events").glob("*.json*"))


def read(text: str | bytes) -> Capture:
    octets = text.encode() if isinstance(text, str) else text
    (capture,) = read_all(io.BytesIO(octets), "x")
    return capture


def pair(**response: Any) -> dict[str, Any]:
    return {
        "request": {"method": "PUT", "uri": "/a", "headers": {"Host": ["x.test"], "If-Match": ['"1"']}},
        "response": {"status": 412, "headers": {"ETag": ['"2"']}} | response,
    }


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.stem)
def test_each_tells_the_cause_as_a_har_does(path: pathlib.Path) -> None:
    capture = read(path.read_bytes())
    assert capture.format == "journal"
    assert [(one.request.method, one.status) for one in capture.exchanges] == [
        ("GET", 200),
        ("PUT", 412),
        ("GET", 200),
    ]
    (incident,) = diagnose([capture]).incidents
    assert incident.findings[0].cause == "weak-only-origin"
    assert incident.findings[0].likelihood >= 0.75


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.stem)
def test_a_cut_one_is_read_as_far_as_it_is_whole(path: pathlib.Path) -> None:
    text = path.read_text()
    read_whole = 0
    for end in range(len(text) // 2, len(text) - 10, max(1, len(text) // 40)):
        try:
            capture = read(text[:end])
        except InputError:
            continue
        if capture.format == "journal" and capture.warnings:
            read_whole += 1
            # YAML that is cut may be YAML still.
            assert capture.warnings[0].text.startswith(("the file is damaged or cut", "records without"))
            assert {one.status for one in capture.exchanges} <= {200, 412}
    assert read_whole


def test_a_record_without_status_is_counted_and_left_out() -> None:
    capture = read(json.dumps({"exchanges": [pair(), pair(status=None)]}))
    assert len(capture.exchanges) == 1
    assert capture.warnings[0].text == "records without method, URL and status were skipped: 1"
    assert capture.exchanges[0].request.url == "http://x.test/a"
    assert capture.exchanges[0].request.fields.complete


def test_fields_that_are_not_all_there_are_not_complete() -> None:
    record = pair()
    del record["request"]["headers"]["Host"]
    (exchange,) = read(json.dumps([record])).exchanges
    assert not exchange.request.fields.complete


def test_a_log_of_an_object_a_line_is_none() -> None:
    line = json.dumps({"time": "2026-11-24T17:32:21Z", **pair()})
    assert sniff(f"{line}\n{line}\n".encode()) == "json-log"


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_events_tell_the_cause(path: pathlib.Path) -> None:
    if path.name.endswith(".expected.json"):
        return
    capture = read(path.read_bytes())
    assert capture.format == "devtools-events"
    (incident,) = diagnose([capture]).incidents
    assert incident.findings[0].cause == "weak-only-origin"


def event(method: str, **told: Any) -> str:
    return json.dumps({"method": f"Network.{method}", "params": {"requestId": "1", **told}})


def test_what_went_over_the_wire_counts_in_whatever_order() -> None:
    sent = {"url": "http://x.test/a", "method": "GET", "headers": {"X": "1"}}
    answer = {"status": 200, "statusText": "OK", "headers": {"etag": '"1"'}, "protocol": "http/1.1"}
    lines = [
        event("requestWillBeSentExtraInfo", headers={"If-None-Match": '"1"', "Host": "x.test"}),
        event("requestWillBeSent", request=sent, wallTime=1795541541.5),
        event("responseReceived", response=answer),
        event("responseReceivedExtraInfo", headers={"set-cookie": "a=1\nb=2"}, statusCode=304),
    ]
    (exchange,) = read("\n".join(lines)).exchanges
    assert exchange.status == 304
    assert exchange.request.fields.text("If-None-Match") == '"1"'
    assert list(exchange.response.fields) == [("set-cookie", "a=1"), ("set-cookie", "b=2")]
    cut = read("\n".join([*lines, '{"method": "Netw']))
    assert cut.warnings[0].text == "lines that are no whole event were skipped: 1"


def test_a_redirect_and_a_failure() -> None:
    lines = [
        event("requestWillBeSent", request={"url": "http://x.test/a", "method": "PUT", "hasPostData": True}),
        event(
            "requestWillBeSent",
            request={"url": "http://x.test/b", "method": "PUT"},
            redirectResponse={"status": 307, "headers": {"location": "/b"}},
        ),
        event("loadingFailed", errorText="net::ERR_ABORTED"),
    ]
    first, second = read("\n".join(lines)).exchanges
    assert (first.status, second.status, second.error) == (307, 0, "net::ERR_ABORTED")
