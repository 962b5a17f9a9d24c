"""Secrets planted in cassettes, sessions, traces, packets and archives leave no trace in any report."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml
import zstandard

from ifmatch import capture
from ifmatch.capture.redact import Redactor
from ifmatch.diagnosis import diagnose
from ifmatch.model.message import Content
from ifmatch.report import render
from tests.capture.packet_writer import Talk, Wire, pcap
from tests.capture.redaction.redaction_cases import FOLDER, POSITIONS, assert_no_secret, forms, planted

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.model.exchange import Exchange
    from ifmatch.model.message import Fields

FORMATS = ["text", "markdown", "json", "html", "sarif", "junit"]
EXCHANGES = [one for one in planted().exchanges if "://" in one.request.url]


def text(content: object) -> str | None:
    return content.text if isinstance(content, Content) else None


def octets(content: object) -> bytes:
    return content.octets if isinstance(content, Content) else b""


def listed(fields: Fields, name: str = "name") -> list[dict[str, str]]:
    return [{name: key, "value": value} for key, value in fields]


def grouped(fields: Fields) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in fields:
        found.setdefault(key, []).append(value)
    return found


def newman() -> bytes:
    executions = []
    for one in EXCHANGES:
        body = {"mode": "raw", "raw": text(one.request.content) or ""}
        request = {"method": one.request.method, "url": one.request.url, "body": body}
        request["header"] = listed(one.request.fields, "key")
        execution: dict[str, Any] = {"request": request, "requestError": {"message": one.error}}
        if one.response is not None:
            execution["response"] = {
                "code": one.response.status,
                "status": one.response.reason,
                "header": listed(one.response.fields, "key"),
                "stream": {"type": "Buffer", "data": list(octets(one.response.content))},
            }
        executions.append(execution)
    return json.dumps({"collection": {"item": []}, "run": {"executions": executions}}).encode()


def postman() -> bytes:
    items = []
    for one in EXCHANGES:
        body = {"mode": "raw", "raw": text(one.request.content) or ""}
        request = {"method": one.request.method, "url": {"raw": one.request.url}, "body": body}
        request["header"] = listed(one.request.fields, "key")
        response = {"originalRequest": request, "code": one.status}
        if one.response is not None:
            response |= {"header": listed(one.response.fields, "key"), "body": text(one.response.content)}
        items.append({"response": [response]})
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    return json.dumps({"info": {"schema": schema}, "item": items}).encode()


def interactions() -> dict[str, Any]:
    found = []
    for one in EXCHANGES:
        request = {"method": one.request.method, "uri": one.request.url, "body": text(one.request.content)}
        record: dict[str, Any] = {
            "request": {**request, "headers": grouped(one.request.fields)},
            "response": {},
        }
        if one.response is not None:
            record["response"] = {
                "status": {"code": one.status, "message": one.response.reason},
                "headers": grouped(one.response.fields),
                "body": {"string": text(one.response.content)},
            }
        found.append(record)
    return {"version": 1, "interactions": found}


def charles() -> bytes:
    found = []
    for one in EXCHANGES:
        parts = urlsplit(one.request.url)
        sent = {
            "header": {"headers": listed(one.request.fields)},
            "body": {"text": text(one.request.content)},
        }
        record: dict[str, Any] = {
            "status": one.error or "COMPLETE",
            "method": one.request.method,
            "protocolVersion": "HTTP/1.1",
            "scheme": parts.scheme,
            "host": parts.netloc,
            "path": parts.path,
            "query": parts.query,
            "tunnel": False,
            "request": sent,
        }
        if one.response is not None:
            encoded = base64.b64encode(octets(one.response.content)).decode()
            head = {"firstLine": f"HTTP/1.1 {one.status} x", "headers": listed(one.response.fields)}
            body = {"encoding": "base64", "encoded": encoded, "decoded": True}
            record["response"] = {"status": one.status, "header": head, "body": body}
        found.append(record)
    return json.dumps(found).encode()


def attributes(one: Exchange) -> dict[str, object]:
    found: dict[str, object] = {"http.request.method": one.request.method, "url.full": one.request.url}
    found |= {f"http.request.header.{k.lower()}": v for k, v in grouped(one.request.fields).items()}
    if one.response is None:
        return found | {"error.type": one.error}
    found["http.response.status_code"] = one.status
    return found | {f"http.response.header.{k.lower()}": v for k, v in grouped(one.response.fields).items()}


def otlp() -> bytes:
    def value(one: object) -> dict[str, object]:
        if isinstance(one, list):
            return {"arrayValue": {"values": [value(each) for each in one]}}
        return {"intValue": one} if isinstance(one, int) else {"stringValue": one}

    spans = [
        {"kind": 3, "attributes": [{"key": k, "value": value(v)} for k, v in attributes(one).items()]}
        for one in EXCHANGES
    ]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def jaeger() -> bytes:
    spans = [
        {
            "traceID": "1",
            "tags": [
                {"key": k, "value": json.dumps(v) if isinstance(v, list) else v}
                for k, v in attributes(one).items()
            ],
        }
        for one in EXCHANGES
    ]
    return json.dumps({"data": [{"traceID": "1", "spans": spans, "processes": {}}]}).encode()


def packets() -> bytes:
    wire = Wire()
    for number, one in enumerate(EXCHANGES):
        talk = Talk(wire, ("192.0.2.7", 50000 + number)).open()
        parts = urlsplit(one.request.url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        start = f"{one.request.method} {target or '/'} HTTP/1.1\r\nHost: {parts.netloc}"
        talk.asks(message(start, one.request.fields, octets(one.request.content)))
        if one.response is not None:
            start = f"HTTP/1.1 {one.status} {one.response.reason}"
            talk.answers(message(start, one.response.fields, octets(one.response.content)))
        talk.close()
    return pcap(wire)


def message(start: str, fields: Fields, body: bytes) -> bytes:
    lines = [start]
    for name, value in fields:
        if name.lower() not in {"host", "content-length", "transfer-encoding", "content-encoding"}:
            lines.append(f"{name}: {value}")
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "replace") + body


def archive() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as packed:
        data = (FOLDER / "planted.har").read_bytes()
        # The name of a member is shown, and may hold what people put into names of files.
        info = tarfile.TarInfo("case/planted.har")
        info.size = len(data)
        packed.addfile(info, io.BytesIO(data))
    return gzip.compress(stream.getvalue())


CONTAINERS: dict[str, tuple[Callable[[], bytes], str, int]] = {
    "newman": (newman, "newman", 55),
    "postman": (postman, "postman", 55),
    "vcr-json": (lambda: json.dumps(interactions()).encode(), "vcr", 55),
    "vcr-yaml": (lambda: yaml.safe_dump(interactions()).encode(), "vcr", 55),
    "charles": (charles, "charles", 50),
    "otlp": (otlp, "otlp", 35),
    "jaeger": (jaeger, "jaeger", 35),
    "pcap": (packets, "pcap", 50),
    "tar": (archive, "har", 60),
    "zstd": (lambda: zstandard.compress((FOLDER / "planted.har").read_bytes()), "har", 60),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_no_secret_is_left_of_a_container(name: str) -> None:
    make, form, least = CONTAINERS[name]
    found = capture.read_all(io.BytesIO(make()), "evidence")
    assert {one.format for one in found} == {form}
    # The secrets are there before.
    held = "\n".join(repr(dump(exchange)) for one in found for exchange in one.exchanges)
    present = [name for name, secret in POSITIONS.items() if any(one in held for one in forms(secret))]
    assert len(present) >= least, len(present)
    diagnosis = diagnose(found)
    redactor = Redactor(b"k")
    redactor.learn(found)
    shown = redactor.diagnosis(diagnosis)
    for report_format in FORMATS:
        assert_no_secret(render(shown, report_format))
    for one in found:
        assert_no_secret(repr([dump(exchange) for exchange in redactor.capture(one).exchanges]))


def dump(exchange: Exchange) -> object:
    request, response = exchange.request, exchange.response
    parts = [request.url, request.fields.pairs, text(request.content), exchange.error, exchange.connection]
    if response is not None:
        parts += [response.reason, response.fields.pairs, text(response.content), response.redirect]
    return parts
