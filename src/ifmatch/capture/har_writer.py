"""Write exchanges as HAR 1.2; what is not known is left out, never made up."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from ifmatch.model.message import Content, Fields
from ifmatch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from ifmatch.model.exchange import Exchange
    from ifmatch.model.message import Request, Response
    from ifmatch.model.unknown import UnknownType


def write_har(stream: BinaryIO, exchanges: Iterable[Exchange], *, creator: str = "ifmatch") -> None:
    """Write exchanges as one HAR file (UTF-8, indented by one blank).

    Args:
        stream: binary stream to write to.
        exchanges: in the order in which they are to stand.
        creator: name of the program for `log.creator`.

    Source: HTTP Archive 1.2.
    """
    log = {
        "version": "1.2",
        "creator": {"name": creator, "version": __version__},
        "pages": [],
        "entries": [_entry(exchange) for exchange in exchanges],
    }
    stream.write(json.dumps({"log": log}, indent=1, ensure_ascii=True).encode("ascii"))
    stream.write(b"\n")


def _entry(exchange: Exchange) -> dict[str, object]:
    duration = exchange.duration * 1000 if exchange.duration is not None else -1
    started = exchange.started if exchange.started is not None else 0.0
    entry: dict[str, object] = {
        "startedDateTime": _time(started, exchange.resolution) if exchange.started is not None else "",
        "time": round(duration, 6) if exchange.duration is not None else -1,
        "request": _request(exchange.request),
        "response": _response(exchange.response, exchange.error),
        "cache": {},
        "timings": {"send": 0, "wait": round(max(duration, 0), 6), "receive": 0},
    }
    optional = {
        "serverIPAddress": exchange.peer,
        "connection": exchange.connection,
        "pageref": exchange.page,
        "_resourceType": exchange.initiator,
    }
    entry.update({name: value for name, value in optional.items() if value})
    if exchange.from_cache:
        entry["_fromDiskCache"] = True
    return entry


def _time(seconds: float, resolution: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    spec = "seconds" if resolution >= 1 else "milliseconds" if resolution >= 0.001 else "microseconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")


def _headers(fields: Fields) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in fields]


def _request(request: Request) -> dict[str, object]:
    record: dict[str, object] = {
        "method": request.method,
        "url": request.url,
        "httpVersion": request.version or "HTTP/1.1",
        "cookies": [],
        "headers": _headers(request.fields),
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(urlsplit(request.url).query, keep_blank_values=True)
        ],
        "headersSize": -1,
        "bodySize": 0 if request.content is None else -1,
    }
    if isinstance(request.content, Content):
        kind = request.fields.text("content-type") or "application/octet-stream"
        text, encoding = _text(request.content)
        record["postData"] = {"mimeType": kind, "text": text} | ({"encoding": encoding} if encoding else {})
        record["bodySize"] = len(request.content)
    elif request.content is not None:
        record["bodySize"] = 1
    return record


def _response(response: Response | None, error: str) -> dict[str, object]:
    if response is None:
        return {
            "status": 0,
            "statusText": "",
            "httpVersion": "",
            "cookies": [],
            "headers": [],
            "content": {"size": 0, "mimeType": "x-unknown"},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
            "_error": error or "no response",
        }
    return {
        "status": response.status,
        "statusText": response.reason,
        "httpVersion": response.version or "HTTP/1.1",
        "cookies": [],
        "headers": _headers(response.fields),
        "content": _content(response.content, response.fields),
        "redirectURL": response.redirect,
        "headersSize": -1,
        "bodySize": -1,
    }


def _content(content: Content | UnknownType | None, fields: Fields) -> dict[str, object]:
    kind = fields.text("content-type") or "x-unknown"
    if content is None:
        return {"size": 0, "mimeType": kind}
    if not isinstance(content, Content):
        return {"size": -1, "mimeType": kind}
    text, encoding = _text(content)
    record: dict[str, object] = {"size": len(content), "mimeType": kind, "text": text}
    if encoding:
        record["encoding"] = encoding
    return record


def _text(content: Content) -> tuple[str, str]:
    """Return the content as HAR holds it: text, or base64 when it is not UTF-8."""
    octets = content.octets
    try:
        return octets.decode("utf-8"), ""
    except UnicodeDecodeError:
        return base64.b64encode(octets).decode("ascii"), "base64"
