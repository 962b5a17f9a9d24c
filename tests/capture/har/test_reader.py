"""Reading and writing HAR: flavours, damage, limits, round trip."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import io
import json
import pathlib
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifmatch.capture import read, sniff
from ifmatch.capture.har import frozen
from ifmatch.capture.har.reader import looks_like_har, read_har
from ifmatch.capture.har_writer import write_har
from ifmatch.errors import InputError
from ifmatch.model.exchange import Capture, Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response
from ifmatch.model.unknown import UNKNOWN

LAB = sorted((pathlib.Path(__file__).parents[3] / "cases" / "lab").glob("*.har"))


def har(*entries, creator="Recorder", **log):
    document = {"log": {"version": "1.2", "creator": {"name": creator}, "entries": list(entries), **log}}
    return json.dumps(document).encode()


def entry(*, request=None, response=None, **more):
    base = {
        "startedDateTime": "2026-03-10T09:14:11.003Z",
        "time": 12.5,
        "request": {"method": "GET", "url": "https://a.example/x", "headers": [], **(request or {})},
        "response": {
            "status": 200,
            "statusText": "OK",
            "headers": [],
            "content": {"size": 0},
            **(response or {}),
        },
    }
    return {**base, **more}


def one(document: bytes):
    capture = read_har(io.BytesIO(document), "a.har")
    assert len(capture.exchanges) == 1, capture.warnings
    return capture.exchanges[0]


@pytest.mark.parametrize("path", LAB, ids=lambda path: path.name)
def test_recordings_read_without_warning_and_round_trip(path: pathlib.Path) -> None:
    with path.open("rb") as stream:
        capture = read(stream, path.name)
    assert capture.format == "har"
    assert capture.warnings == ()
    assert len(capture.exchanges) == len(json.loads(path.read_text())["log"]["entries"])
    again = io.BytesIO()
    write_har(again, capture.exchanges)
    back = read_har(io.BytesIO(again.getvalue()), path.name)
    for before, after in zip(capture.exchanges, back.exchanges, strict=True):
        assert (before.request, before.response, before.error) == (after.request, after.response, after.error)
        assert after.started == pytest.approx(before.started, abs=1e-5)
        assert after.duration == pytest.approx(before.duration, abs=1e-6)


def test_recordings_are_there() -> None:
    assert len(LAB) > 100


CONTENT = [
    ("no text, size known", {"content": {"size": 42}}, UNKNOWN),
    ("no content member", {"content": None}, UNKNOWN),
    ("empty", {"content": {"size": 0, "text": ""}}, None),
    ("text", {"content": {"size": 2, "text": "ab"}}, Content.from_text("ab")),
    ("base64", {"content": {"size": 2, "text": "YWI=", "encoding": "base64"}}, Content.from_octets(b"ab")),
    ("304", {"status": 304, "content": {"size": 9, "text": "x"}}, None),
    (
        "gzip inside base64",
        {
            "headers": [{"name": "content-encoding", "value": "gzip"}],
            "content": {
                "size": 2,
                "encoding": "base64",
                "text": base64.b64encode(gzip.compress(b"ab")).decode(),
            },
        },
        Content.from_octets(b"ab"),
    ),
]


@pytest.mark.parametrize(("name", "response", "expected"), CONTENT, ids=[row[0] for row in CONTENT])
def test_content_is_absent_known_or_unknown(name, response, expected) -> None:
    assert name
    assert one(har(entry(response=response))).response.content == expected


def test_chrome_sanitised_leaves_credentials_unknown() -> None:
    exchange = one(
        har(entry(request={"headers": [{"name": "Accept", "value": "*/*"}]}), creator="WebInspector")
    )
    assert exchange.request.fields.get("authorization") is UNKNOWN
    assert exchange.request.fields.get("if-match") is None
    shown = [{"name": "Cookie", "value": "a=b"}]
    exchange = one(har(entry(request={"headers": shown}), creator="WebInspector"))
    assert exchange.request.fields.get("authorization") is None


@pytest.mark.parametrize(
    "response",
    [
        {"status": 0, "_error": "net::ERR_ABORTED"},
        {"status": -1, "_failureText": "net::ERR_ABORTED"},
        {"status": 0, "statusText": "net::ERR_ABORTED"},
    ],
)
def test_no_response_is_none_with_the_error(response) -> None:
    exchange = one(har(entry(response=response)))
    assert exchange.response is None
    assert exchange.error == "net::ERR_ABORTED"


def test_quirks_of_tools() -> None:
    quirks = entry(
        request={
            "method": "PUT",
            "headers": [
                {"name": ":method", "value": "PUT"},
                {"name": "if-match", "value": '"a"'},
                {"name": "x", "value": None},
            ],
            "postData": {
                "mimeType": "application/x-www-form-urlencoded",
                "params": [{"name": "a", "value": "1 2"}],
            },
        },
        response={"headers": [{"name": "Set-Cookie", "value": "a=1\nb=2"}]},
        time=-1,
        timings={"wait": 20, "ssl": 5, "connect": 10, "blocked": -1},
        connection=443,
        _fromCache="disk",
        startedDateTime="2026-03-10T10:14:11+01:00",
    )
    exchange = one(har(quirks))
    assert exchange.request.fields.pairs == (("if-match", '"a"'), ("x", ""))
    assert exchange.request.content == Content.from_text("a=1+2")
    assert exchange.response.fields.get_all("set-cookie") == ("a=1", "b=2")
    assert exchange.duration == pytest.approx(0.030)
    assert exchange.resolution == 1.0
    assert exchange.from_cache
    assert exchange.connection == "443"


@pytest.mark.parametrize(
    ("octets", "size", "cached"), [(0, 53, True), (0, 0, False), (289, 53, False), (-1, 53, False)]
)
def test_content_that_came_over_no_network_is_of_the_browsers_cache(octets, size, cached) -> None:
    """Chromium writes a `_transferSize` of 0 for what it had, -1 where it does not know."""
    response = {"_transferSize": octets, "content": {"size": size, "text": "x" * size}}
    assert one(har(entry(response=response))).from_cache is cached


def test_unreadable_entries_are_skipped_with_a_warning_and_numbers_stay() -> None:
    capture = read_har(io.BytesIO(har({"request": None}, entry(), {"request": 7}, entry())), "a.har")
    assert [exchange.provenance.entry for exchange in capture.exchanges] == [1, 3]
    assert [warning.entry for warning in capture.warnings] == [0, 2]


NOT_HAR = [
    (b"", "empty"),
    (b'{"info": {}, "item": []}', "Postman"),
    (b'{"openapi": "3.1.0"}', "OpenAPI"),
    (b'{"log": {}}', "log.entries"),
    (b"[1]", "no JSON object"),
]


@pytest.mark.parametrize(("data", "word"), NOT_HAR)
def test_what_is_no_har_is_said_with_advice(data, word) -> None:
    with pytest.raises(InputError, match=word) as caught:
        read_har(io.BytesIO(data), "a.har")
    assert caught.value.source == "a.har"
    assert caught.value.advice


def test_half_a_surrogate_pair_costs_a_character_and_not_the_file() -> None:
    """Browsers write what is no text as `\\ud83d` alone; a whole pair and an escaped backslash stay."""
    texts = [r"\ud83d broken", r"ok \ud83d\ude00", r"a \\\\ud83d path", r"\ude00 low", r"\\\ud83d"]
    entries = ",".join(
        '{"startedDateTime":"2026-03-10T09:00:00Z","time":1,"request":{"method":"GET","url":"http://a.example/"},'
        f'"response":{{"status":200,"content":{{"text":"{text}"}}}}}}'
        for text in texts
    )
    data = '{"log":{"version":"1.2","creator":{"name":"x","version":"1"},"entries":[' + entries + "]}}"
    read = read_har(io.BytesIO(data.encode()), "a.har")
    shown = [one.response.content.text for one in read.exchanges if one.response is not None]
    assert shown == ["\ufffd broken", "ok \U0001f600", r"a \\ud83d path", "\ufffd low", "\\\ufffd"]
    assert any("lone surrogates" in warning.text for warning in read.warnings)


def test_a_cut_file_gives_what_was_whole() -> None:
    data = LAB[0].read_bytes()
    total = len(json.loads(data)["log"]["entries"])
    counts = []
    for part in range(1, 21):
        try:
            capture = read_har(io.BytesIO(data[: len(data) * part // 20 - 2]), "a.har")
        except InputError as error:
            assert error.offset is not None  # noqa: PT017 - not every cut raises
            counts.append(0)
            continue
        counts.append(len(capture.exchanges))
        assert "cut" in capture.warnings[-1].text
    assert counts == sorted(counts)
    assert counts[-1] == total


@pytest.mark.parametrize(
    "head", [b'{"log":{"version"', b'\xef\xbb\xbf{ "log" : {', b'{"a":1,"log":{"entries":[]}}']
)
def test_sniffing(head) -> None:
    assert looks_like_har(head)
    assert sniff(head) == "har"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_files_give_a_capture_or_a_clear_error(data) -> None:
    """Whatever happened to the file, the answer is a capture or an InputError."""
    octets = bytearray(data.draw(st.sampled_from(LAB[:12])).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(octets) - 1))
        octets[place : place + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=20))
    try:
        capture = read_har(io.BytesIO(bytes(octets)), "a.har")
    except InputError:
        return
    assert isinstance(capture, Capture)


def test_records_that_are_filled_while_open_are_like_the_others() -> None:
    for record in (Provenance, Request, Response, Exchange):
        twin = getattr(frozen, f"_{record.__name__}")
        assert set(twin.__slots__) == {one.name for one in dataclasses.fields(record)}
    fields = Fields([("ETag", '"a"')])
    request = frozen.make_request("PUT", "http://h/", fields, None, "h2")
    response = frozen.make_response(412, "no", fields, Content.from_text("x"), "h2", "/y")
    assert request == Request("PUT", "http://h/", fields, None, "h2")
    assert response == Response(412, "no", fields, Content.from_text("x"), "h2", "/y")
    texts = {"error": "e", "connection": "c", "peer": "p", "page": "g", "initiator": "i"}
    made = frozen.make_exchange("x", 3, request, response, 1.0, 0.1, 2.0, **texts, from_cache=True)
    built = Exchange(
        Provenance("x", 3), request, response, 1.0, 2.0, **texts, from_cache=True, resolution=0.1
    )
    assert made == built
    assert (hash(made), repr(made)) == (hash(built), repr(built))
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.error = "other"  # type: ignore[misc]
    assert dataclasses.replace(made, error="other").error == "other"
    assert pickle.loads(pickle.dumps(made)) == built  # noqa: S301 - our own
