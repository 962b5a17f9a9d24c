"""Decide what the content of a message was from the text that stands where it should be.

A text capture shows content after someone's hands went through it: re-indented, cut, followed by prose,
decoded or not. Content-Length is a hint only (docs/decisions/018-content-of-text-captures.md).
Source of the terms: RFC 9110 sections 6.4, 8.4 and 8.6.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ifmatch.capture.base.decompression import dechunk, decode_content
from ifmatch.model.message import Content
from ifmatch.model.slotted import Frozen
from ifmatch.model.unknown import UNKNOWN, UnknownType

if TYPE_CHECKING:
    from ifmatch.model.message import Fields

_JSON_TYPE = re.compile(r"application/(?:[\w.+-]*\+)?json\b|text/json\b", re.IGNORECASE)
_DECODER = json.JSONDecoder()
_CUT_SIGNS = ("...", "\u2026", "[truncated]", "[...]", "<snip>", "(truncated)")


class ReadContent(Frozen, frozen=True):
    """Content as it could be read.

    Attributes:
        content: as in `Request.content`.
        warning: what is to be said about it, "" when nothing.
    """

    content: Content | UnknownType | None
    warning: str = ""


def _declared_length(fields: Fields) -> int | None:
    """Return the Content-Length in octets, None when absent, unknown or no number."""
    value = fields.text("content-length")
    if value is None or not value.isascii() or not value.isdigit() or len(value) > 18:
        return None
    return int(value)


def is_json(fields: Fields) -> bool:
    """Tell whether Content-Type names a JSON format."""
    return _JSON_TYPE.match(fields.text("content-type") or "") is not None


def is_whole_json(octets: bytes) -> bool:
    """Tell whether the octets are one JSON value and nothing else."""
    try:
        json.loads(octets)
    except (ValueError, RecursionError):
        return False
    return True


def json_length(text: str) -> int | None:
    """Return how many characters the JSON object or array at the start takes, None without one."""
    start = len(text) - len(text.lstrip())
    if text[start : start + 1] not in {"{", "["}:
        return None
    try:
        return _DECODER.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return None


def from_wire(octets: bytes, fields: Fields, *, complete: bool = True) -> ReadContent:
    """Make content of octets as they were on the wire: chunked and coded still.

    Args:
        octets: what came behind the head.
        fields: header fields of the message.
        complete: False when octets are known to be missing.
    """
    if "chunked" in (fields.text("transfer-encoding") or "").lower():
        unchunked = dechunk(octets)
        if unchunked is not None:
            octets, whole = unchunked
            complete = complete and whole
    return from_unchunked(octets, fields, complete=complete)


def from_unchunked(octets: bytes, fields: Fields, *, complete: bool = True) -> ReadContent:
    """Make content of octets that are still in their content coding, the chunks taken off.

    Args:
        octets: the message body after the transfer coding.
        fields: header fields of the message.
        complete: False when octets are known to be missing.
    """
    codings = fields.text("content-encoding") or ""
    decoded = decode_content(octets, codings)
    if decoded is None:
        return _not_decodable(octets, codings, complete=complete)
    return ReadContent(Content.from_octets(decoded[0], complete=complete and decoded[1]))


def _not_decodable(octets: bytes, codings: str, *, complete: bool) -> ReadContent:
    """Judge octets that are not in the content coding that the message names.

    curl --compressed, HTTPie and people show the decoded text below a head that still names the coding.
    """
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        text = "\ufffd"
    if not complete or "\ufffd" in text or any(ord(c) < 32 and c not in "\t\r\n" for c in text[:4096]):
        return ReadContent(UNKNOWN, f"the content cannot be decoded from {codings}; it counts as not known")
    return ReadContent(Content.from_octets(octets))


def from_display(octets: bytes, fields: Fields, *, exact: bool = False) -> ReadContent:
    """Make content of octets as a terminal or a paste shows them.

    Args:
        octets: what stands behind the head, blank lines around it taken off.
        fields: header fields of the message.
        exact: whether the octets are a tool's output untouched, so that their number can be trusted.
    """
    length = _declared_length(fields)
    if exact and length is not None and len(octets) == length:
        return from_wire(octets, fields)
    if fields.text("content-encoding"):
        return from_wire(octets, fields)
    if is_whole_json(octets) or length is None or length == len(octets):
        cut = octets.decode("utf-8", "replace").rstrip().endswith(_CUT_SIGNS)
        return ReadContent(Content.from_octets(octets, complete=not cut))
    with_returns = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    for candidate in (octets + b"\n", octets + b"\r\n", with_returns, with_returns + b"\r\n"):
        if len(candidate) == length:
            return ReadContent(Content.from_octets(candidate))
    said = f"Content-Length says {length} octets, {len(octets)} stand here"
    return ReadContent(
        Content.from_octets(octets, complete=False), f"{said}; the content counts as not whole"
    )
