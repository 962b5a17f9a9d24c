"""Turn recorded exchanges into HAR 1.2 entries with microsecond times and untouched header lines."""

from __future__ import annotations

import base64
import gzip
import json
import platform
import shutil
import subprocess
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from tools.recording.message import Message

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

_TEXT_TYPES = (
    "text/",
    "application/json",
    "application/xml",
    "application/javascript",
    "application/x-www-form-urlencoded",
    "application/x-amz-json",
    "+json",
    "+xml",
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One exchange as a tap or a client saw it.

    Attributes:
        started_ns: Nanoseconds since 1970 when the request was sent (client) or had arrived (tap).
        seconds: Duration until the last octet of the response or the failure.
        wait_seconds: The part of the duration spent waiting for the response's first octet.
        url: The absolute URL: the scheme, the Host field's value, the target.
        request: The request as sent.
        response: The response as received, or None when none came.
        error: Why no response came.
        connection: Number of the connection, counted from 1.
    """

    started_ns: int
    seconds: float
    wait_seconds: float
    url: str
    request: Message
    response: Message | None
    error: str | None
    connection: int


def _decoded(body: bytes, coding: str) -> bytes | None:
    """Take a content coding off; None when that cannot be done here."""
    if coding in {"", "identity"}:
        return body
    try:
        if coding == "gzip":
            return gzip.decompress(body)
        if coding == "deflate":
            return zlib.decompress(body)
    except (OSError, zlib.error):
        return None
    if coding == "br" and (program := shutil.which("brotli")):
        done = subprocess.run([program, "-d", "-c"], input=body, capture_output=True, check=False)
        return done.stdout if done.returncode == 0 else None
    return None


def _is_text(media_type: str) -> bool:
    lowered = media_type.split(";", maxsplit=1)[0].strip().lower()
    return any(lowered.startswith(kind) or lowered.endswith(kind) for kind in _TEXT_TYPES)


def _text(body: bytes, media_type: str) -> dict[str, Json]:
    if _is_text(media_type) or not media_type:
        try:
            return {"text": body.decode("utf-8")}
        except UnicodeDecodeError:
            pass
    return {"text": base64.b64encode(body).decode("ascii"), "encoding": "base64"}


def _headers(message: Message) -> list[Json]:
    return [{"name": name, "value": value} for name, value in message.fields]


def _version(message: Message, *, request: bool) -> str:
    return message.start_line.rsplit(" ", 1)[1] if request else message.start_line.split(" ", 1)[0]


def _request(recorded: Recorded) -> dict[str, Json]:
    message = recorded.request
    query = urlsplit(recorded.url).query
    made: dict[str, Json] = {
        "method": message.method,
        "url": recorded.url,
        "httpVersion": _version(message, request=True),
        "cookies": [],
        "headers": _headers(message),
        "queryString": [
            {"name": name, "value": value} for name, value in parse_qsl(query, keep_blank_values=True)
        ],
        "headersSize": -1,
        "bodySize": len(message.body),
    }
    if message.body:
        media_type = message.get("Content-Type") or ""
        made["postData"] = {"mimeType": media_type, **_text(message.body, media_type)}
    return made


def _response(recorded: Recorded, *, content: bool) -> dict[str, Json]:
    message = recorded.response
    if message is None:
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
            "_error": recorded.error or "no response",
        }
    media_type = message.get("Content-Type") or ""
    shown: dict[str, Json] = {"size": len(message.body), "mimeType": media_type or "x-unknown"}
    decoded = _decoded(message.body, (message.get("Content-Encoding") or "").lower())
    if message.body and decoded is not None:
        shown["size"] = len(decoded)
        if len(decoded) != len(message.body):
            shown["compression"] = len(decoded) - len(message.body)
        if content:
            shown.update(_text(decoded, media_type))
    return {
        "status": message.status,
        "statusText": message.reason,
        "httpVersion": _version(message, request=False),
        "cookies": [],
        "headers": _headers(message),
        "content": shown,
        "redirectURL": message.get("Location") or "",
        "headersSize": -1,
        "bodySize": len(message.body),
    }


def _entry(recorded: Recorded, *, content: bool) -> dict[str, Json]:
    moment = datetime.fromtimestamp(recorded.started_ns // 1_000_000_000, UTC)
    microseconds = recorded.started_ns // 1000 % 1_000_000
    wait = round(recorded.wait_seconds * 1000, 3)
    total = round(recorded.seconds * 1000, 3)
    return {
        "startedDateTime": f"{moment:%Y-%m-%dT%H:%M:%S}.{microseconds:06d}Z",
        "time": total,
        "request": _request(recorded),
        "response": _response(recorded, content=content),
        "cache": {},
        "timings": {"send": 0, "wait": wait, "receive": round(max(0.0, total - wait), 3)},
        "connection": str(recorded.connection),
    }


def write_har(path: Path, recorded: Iterable[Recorded], *, content: bool = True) -> list[int]:
    """Write exchanges, earliest first, and return their statuses in that order.

    Args:
        path: The file.
        recorded: What was seen.
        content: Whether the text of responses is kept; many exports leave it out.
    """
    ordered = sorted(recorded, key=lambda one: one.started_ns)
    entries: list[Json] = [_entry(one, content=content) for one in ordered]
    log: Json = {
        "version": "1.2",
        "creator": {"name": "ifmatch-recording", "version": "1"},
        "pages": [],
        "entries": entries,
    }
    # SDKs name the kernel that they run on: that is of this machine, and not of the story.
    text = json.dumps({"log": log}, indent=1, ensure_ascii=False).replace(platform.release(), "6.1.0")
    path.write_text(text + "\n", encoding="utf-8")
    return [one.response.status if one.response else 0 for one in ordered]
