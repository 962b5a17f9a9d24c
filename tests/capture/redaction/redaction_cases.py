"""Plant secrets, and look for them in whatever escaping."""

from __future__ import annotations

import base64
import html
import importlib.util
import io
import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, quote_plus

from ifmatch.model.exchange import Capture, Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "cases" / "redaction"
CASE = json.loads((FOLDER / "positions.json").read_text("utf-8"))
POSITIONS = {one["name"]: one["secret"] for one in CASE["positions"]}


def forms(secret):
    """Return the secret in every escaping that an output may use."""
    octets = secret.encode()
    inner = json.dumps(secret)[1:-1]
    encoded = base64.b64encode(octets).decode()
    found = {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        quote(secret, safe="").lower(),
        inner,
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(inner)[1:-1],
        html.escape(secret),
        html.escape(secret).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
        encoded,
        base64.urlsafe_b64encode(octets).decode().rstrip("="),
    }
    # Somewhere inside longer base64: the part that does not depend on what stands around it.
    for shift in range(3):
        inside = base64.b64encode(b"\0" * shift + octets).decode()
        start = (shift * 8 + 5) // 6
        found.add(inside[start : (shift + len(octets)) * 8 // 6])
    return {one for one in found if len(one) >= 6}


FORMS = {name: forms(secret) for name, secret in POSITIONS.items()}


def left_in(output):
    """Return the names of the planted secrets that an output still holds."""
    return sorted(name for name, escaped in FORMS.items() if any(one in output for one in escaped))


def assert_no_secret(output):
    """Fail with the names of the positions whose secret an output still holds."""
    left = left_in(output)
    assert not left, f"{len(left)} of {len(FORMS)} planted secrets are left: {left}"


def content_of(record):
    if record is None or "text" not in record:
        return None
    if record.get("encoding") == "base64":
        return Content.from_base64(record["text"])
    return Content.from_text(record["text"])


def load_har(path, name=None):
    """Read a small HAR without the reader that has tests of its own."""
    path = Path(path)
    log = json.loads(path.read_text("utf-8"))["log"]
    exchanges = []
    for number, entry in enumerate(log["entries"]):
        sent, got = entry["request"], entry["response"]
        exchanges.append(
            Exchange(
                Provenance(name or path.name, number),
                Request(
                    sent["method"],
                    sent["url"],
                    Fields((one["name"], one["value"]) for one in sent["headers"]),
                    content_of(sent.get("postData")),
                ),
                Response(
                    got["status"],
                    got.get("statusText", ""),
                    Fields((one["name"], one["value"]) for one in got["headers"]),
                    content_of(got.get("content")),
                    redirect=got.get("redirectURL", ""),
                )
                if got["status"]
                else None,
                error=entry.get("_error", ""),
                connection=str(entry.get("connection", "")),
                page=entry.get("pageref", ""),
            )
        )
    return Capture(name or path.name, "har", tuple(exchanges))


def planted():
    return load_har(FOLDER / CASE["capture"], CASE["source_name"])


def exists(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def read(path):
    from ifmatch.capture import read as read_capture

    return read_capture(io.BytesIO(Path(path).read_bytes()), Path(path).name)


def dump(value):
    """Return everything that a record holds as text, contents decoded."""
    if isinstance(value, Fields):
        return "\n".join(f"{name}: {text}" for name, text in value.pairs)
    if isinstance(value, Content):
        return value.text
    if isinstance(value, tuple):
        return "\n".join(dump(one) for one in value)
    if hasattr(value, "__dataclass_fields__"):
        return "\n".join(dump(getattr(value, name)) for name in value.__dataclass_fields__)
    return str(value)


__all__ = ["CASE", "POSITIONS", "assert_no_secret", "dump", "load_har", "planted", "read", "replace"]
