"""Write a tape as HAR 1.2 in the manner of browsers, proxies and taps, or as `curl -v` text."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urlsplit

from tools.simulation.messages import REASONS, Lost

if TYPE_CHECKING:
    from tools.simulation.messages import Exchange, Fields, Request, Response, Tape

_CREATORS = {
    "tap": ("tap", "1.4"),
    "chrome": ("WebInspector", "537.36"),
    "firefox": ("Firefox", "132.0"),
    "safari": ("WebKit Web Inspector", "1.0"),
    "mitmproxy": ("mitmproxy", "11.0.2"),
    "toolkit": ("HTTP Toolkit", "1.20.1"),
}
_SECOND = frozenset({"h2", "http/2", "http/2.0"})
# HTTP/2 has no such fields. Source: RFC 9113 section 8.2.2.
_OF_CONNECTIONS = frozenset({"connection", "keep-alive", "transfer-encoding"})
_BROWSERS = frozenset({"chrome", "firefox", "safari"})
_BINARY = "application/octet-stream"
_SECRET = frozenset({"authorization", "cookie", "set-cookie"})


def har_text(tape: Tape) -> str:
    """Return the whole file, one entry a line."""
    name, version = _CREATORS[tape.flavour]
    log: dict[str, object] = {"version": "1.2", "creator": {"name": name, "version": version}}
    if tape.flavour == "firefox":
        log["browser"] = {"name": "Firefox", "version": "132.0"}
    pages: list[object] = []
    if tape.flavour in _BROWSERS and tape.exchanges:
        pages += [
            {
                "startedDateTime": _moment(tape.exchanges[0].started + tape.clock, tape),
                "id": name,
                "title": "",
                "pageTimings": {"onContentLoad": -1, "onLoad": -1},
            }
            for name in sorted({one.page or "page_1" for one in tape.exchanges})
        ]
    log["pages"] = pages
    head = json.dumps({"log": log}, separators=(",", ":"))[:-2]
    whole = tape.flavour in _BROWSERS
    rows = (_entry(one, tape) if whole else _lean(_entry(one, tape)) for one in tape.exchanges)
    entries = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    return f'{head},"entries":[\n{entries}\n]}}}}\n'


def _lean(entry: dict[str, object]) -> dict[str, object]:
    """Leave out what is empty, as many tools do."""
    empty = ("cookies", "queryString", "headersSize", "redirectURL", "cache")
    for name in ("request", "response"):
        part = cast("dict[str, object]", entry[name])
        for key in empty:
            if part.get(key) in ([], "", -1, {}):
                del part[key]
    entry.pop("cache", None)
    entry.pop("timings", None)
    return entry


def _moment(seconds: float, tape: Tape) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    text = ""
    if tape.flavour == "firefox":
        return moment.astimezone(timezone(timedelta(hours=2))).isoformat(timespec="milliseconds")
    if tape.flavour == "mitmproxy":
        return moment.isoformat(timespec="microseconds")
    digits = 3 if tape.flavour in {"chrome", "safari", "toolkit"} else tape.digits
    if tape.digits == 0:
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
    return (text if digits == 6 else text[:-3]) + "Z"


def _entry(one: Exchange, tape: Tape) -> dict[str, object]:
    milliseconds = round(one.duration * 1000, 3)
    entry: dict[str, object] = {}
    if tape.flavour == "chrome":
        entry |= {"_priority": "High", "_resourceType": one.kind}
        if one.cached:
            entry["_fromCache"] = "disk"
    if tape.flavour in _BROWSERS:
        entry["pageref"] = one.page or "page_1"
    entry |= {
        "startedDateTime": _moment(one.started + tape.clock, tape),
        "time": round(milliseconds) if tape.flavour == "firefox" else milliseconds,
        "request": _request(one.request, tape),
        "response": _response(one.answer, tape),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
    }
    if tape.flavour != "safari":
        entry["serverIPAddress"] = "" if one.cached else tape.peer
    if one.connection and tape.flavour != "firefox" and not one.cached:
        entry["connection"] = one.connection
    return entry


def _fields(fields: Fields, tape: Tape) -> list[dict[str, str]]:
    hidden = _SECRET if tape.flavour == "chrome" else frozenset()
    if tape.version.lower() in _SECOND:
        hidden |= _OF_CONNECTIONS
    return [
        {"name": name.lower() if tape.lower_case else name, "value": value}
        for name, value in fields
        if name.lower() not in hidden
    ]


def _request(request: Request, tape: Tape) -> dict[str, object]:
    fields, url = request.fields, request.url
    if tape.inner is not None and url.startswith(tape.inner[0]):
        url = tape.inner[1] + url.removeprefix(tape.inner[0])
        host = urlsplit(url).netloc
        fields = [(name, host if name.lower() == "host" else value) for name, value in fields]
    if tape.flavour == "chrome" and tape.lower_case:
        parts = urlsplit(request.url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        pseudo = [(":authority", parts.netloc), (":method", request.method), (":path", target)]
        fields = [*pseudo, (":scheme", parts.scheme), *(one for one in fields if one[0].lower() != "host")]
    body = request.body
    size = len(body.encode() if isinstance(body, str) else body) if body else 0
    record: dict[str, object] = {
        "method": request.method,
        "url": url,
        "httpVersion": tape.version,
        "cookies": [],
        "headers": _fields(fields, tape),
        "queryString": [
            {"name": key, "value": value}
            for key, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)
        ],
        "headersSize": -1,
        "bodySize": size,
    }
    if body and tape.bodies in {"all", "requests"}:
        mime = request.field("Content-Type") or "application/octet-stream"
        if isinstance(body, bytes) or mime == _BINARY:
            coded = base64.b64encode(body if isinstance(body, bytes) else body.encode()).decode()
            record["postData"] = {"mimeType": mime, "text": coded, "encoding": "base64"}
        else:
            record["postData"] = {"mimeType": mime, "text": body}
    return record


def _response(answer: Response | Lost, tape: Tape) -> dict[str, object]:
    if isinstance(answer, Lost):
        return {
            "status": 0, "statusText": "", "httpVersion": "", "cookies": [], "headers": [],
            "content": {"size": 0, "mimeType": "x-unknown"}, "redirectURL": "", "headersSize": -1,
            "bodySize": -1, "_error": answer.why,
        }  # fmt: skip
    body = answer.body
    size = len(body.encode() if isinstance(body, str) else body) if body else 0
    content: dict[str, object] = {
        "size": size,
        "mimeType": answer.field("Content-Type") or ("x-unknown" if tape.flavour == "chrome" else ""),
    }
    if body and tape.bodies in {"all", "answers"}:
        if isinstance(body, bytes) or content["mimeType"] == _BINARY:
            coded = base64.b64encode(body if isinstance(body, bytes) else body.encode()).decode()
            content |= {"text": coded, "encoding": "base64"}
        else:
            content["text"] = body
    reason = REASONS.get(answer.status, "") if answer.reason is None else answer.reason
    return {
        "status": answer.status,
        "statusText": "" if tape.version.lower() in _SECOND else reason,
        "httpVersion": tape.version,
        "cookies": [],
        "headers": _fields(answer.fields, tape),
        "content": content,
        "redirectURL": answer.field("Location") or "",
        "headersSize": -1,
        "bodySize": -1 if tape.flavour == "chrome" else size,
    }


def curl_text(tape: Tape) -> str:
    """Return the tape as `curl -v` prints it, commands included; contents must be text."""
    lines: list[str] = []
    for number, one in enumerate(tape.exchanges):
        lines += _transfer(number, one, tape)
    return "\n".join(lines) + "\n"


def _transfer(number: int, one: Exchange, tape: Tape) -> list[str]:
    request = one.request
    parts = urlsplit(request.url)
    port = 443 if parts.scheme == "https" else 80
    given = [
        f"-H '{name}: {value}'"
        for name, value in request.fields
        if name.lower() not in {"host", "user-agent", "accept", "content-length"}
    ]
    if isinstance(request.body, str) and request.body:
        given.append("--data-binary '" + request.body.replace("'", "'\\''") + "'")
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    command = " ".join(["$ curl -v -X", request.method, *given, f"'{request.url}'"])
    lines = [
        command,
        f"*   Trying {tape.peer}:{port}...",
        f"* Connected to {parts.netloc} ({tape.peer}) port {port} (#{number})",
    ]
    lines += [
        f"> {request.method} {target} HTTP/1.1",
        *(f"> {name}: {value}" for name, value in request.fields),
        "> ",
    ]
    if isinstance(one.answer, Lost):
        return [*lines, "* Empty reply from server", "curl: (52) Empty reply from server"]
    reason = REASONS.get(one.answer.status, "") if one.answer.reason is None else one.answer.reason
    lines.append(f"< HTTP/1.1 {one.answer.status} {reason}".rstrip())
    lines += [*(f"< {name}: {value}" for name, value in one.answer.fields), "< "]
    lines.append(f"* Connection #{number} to host {parts.netloc} left intact")
    if isinstance(one.answer.body, str) and one.answer.body and request.method != "HEAD":
        lines.append(one.answer.body.rstrip("\n"))
    return lines
