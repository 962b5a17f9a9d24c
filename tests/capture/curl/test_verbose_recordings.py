"""The recorded `curl -v` traces tell the same as the HAR files that were recorded beside them."""

from __future__ import annotations

import json
import pathlib
from typing import Any
from urllib.parse import urlsplit

import pytest

from ifmatch import capture
from ifmatch.model.unknown import UNKNOWN

LAB = pathlib.Path(__file__).parents[3] / "cases" / "lab"
TRACES = sorted(LAB.glob("*.client.curl.txt"))
CONDITIONAL = (
    "etag",
    "last-modified",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
)


def _fields(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in pairs if name.lower() in CONDITIONAL]


def _from_har(entry: dict[str, Any]) -> dict[str, Any]:
    request, response = entry["request"], entry["response"]
    return {
        "method": request["method"],
        "url": request["url"],
        "path": urlsplit(request["url"]).path,
        "status": response["status"],
        "sent": _fields([(h["name"], h["value"]) for h in request["headers"]]),
        "received": _fields([(h["name"], h["value"]) for h in response["headers"]]),
        "request_content": request.get("postData", {}).get("text", ""),
        "response_content": response["content"].get("text", ""),
    }


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.name.split(".")[0])
def test_trace_and_har_tell_the_same(path: pathlib.Path) -> None:
    entries = json.loads(path.with_name(path.name.replace(".curl.txt", ".har")).read_text())["log"]["entries"]
    with path.open("rb") as stream:
        read = capture.read(stream, path.name)
    assert read.format == "curl-verbose"
    assert len(read.exchanges) == len(entries)
    undecodable = 0
    for exchange, entry in zip(read.exchanges, entries, strict=True):
        expected = _from_har(entry)
        response = exchange.response
        assert response is not None
        content = response.content
        if content is UNKNOWN:
            # The recorder wrote compressed octets as text: they cannot be had back.
            assert response.fields.text("content-encoding") == "gzip"
            undecodable += 1
            expected["response_content"] = ""
        sent = exchange.request.content
        assert sent is not UNKNOWN
        assert {
            "method": exchange.request.method,
            "url": exchange.request.url,
            "path": urlsplit(exchange.request.url).path,
            "status": exchange.status,
            "sent": _fields(list(exchange.request.fields)),
            "received": _fields(list(response.fields)),
            "request_content": sent.text if sent else "",
            "response_content": content.text if content else "",
        } == expected
    assert len(read.warnings) == undecodable


def test_there_are_recordings() -> None:
    assert len(TRACES) >= 4
