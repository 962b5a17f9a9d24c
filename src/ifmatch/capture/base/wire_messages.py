"""Read HTTP/1.1 messages as they were on the wire: octets with exact heads and bodies.

Source: RFC 9112 sections 2 to 7.
"""

from __future__ import annotations

import re
from typing import Final

from ifmatch.capture.base.captured_content import ReadContent, from_wire
from ifmatch.model.message import Fields
from ifmatch.model.slotted import Frozen

__all__ = ["WireMessage", "split_messages"]

HEAD_LIMIT: Final = 256 * 1024
_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}) ([^\r\n ]{1,65536}) (HTTP/\d(?:\.\d)?)[ \t]*\Z")
_STATUS = re.compile(rb"(HTTP/\d(?:\.\d)?) (\d{3})(?: ([^\r\n]*))?\Z")
_START = re.compile(rb"(?:[A-Z]{3,20} [^\r\n ]{1,8192} HTTP/1\.[01]|HTTP/1\.[01] \d{3}[ \r\n])")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,200})[ \t]*:[ \t]*(.*?)[ \t]*\Z", re.DOTALL)
_END = re.compile(rb"\r?\n\r?\n")
_NO_BODY: Final = frozenset({204, 304})


class WireMessage(Frozen, frozen=True):
    """One message.

    Attributes:
        start: offset of its first octet in the stream.
        end: offset behind its last octet.
        method: "" for a response.
        target: request target, "" for a response.
        status: 0 for a request.
        reason: reason phrase.
        version: as written.
        fields: header fields.
        content: decoded content, with what is to be said about it.
    """

    start: int
    end: int
    method: str
    target: str
    status: int
    reason: str
    version: str
    fields: Fields
    content: ReadContent


def _parse_head(head: bytes) -> tuple[str, str, int, str, str, list[tuple[str, str]]] | None:
    """Read a message head.

    Args:
        head: start line and field lines, without the blank line.

    Returns:
        Method, target, status, reason, version and fields; None when the first line starts no message.
    """
    lines = head.split(b"\n")
    first = lines[0].rstrip(b"\r")
    pairs: list[tuple[str, str]] = []
    for raw in lines[1:]:
        line = raw.rstrip(b"\r")
        if line[:1] in {b" ", b"\t"} and pairs:
            name, value = pairs[-1]
            pairs[-1] = (name, f"{value} {line.strip().decode('latin-1')}")
            continue
        found = _FIELD.match(line)
        if found is not None:
            pairs.append((found[1].decode("ascii"), found[2].decode("latin-1")))
    request = _REQUEST.match(first)
    if request is not None:
        method, target, version = (part.decode("latin-1") for part in request.groups())
        return method, target, 0, "", version, pairs
    status = _STATUS.match(first)
    if status is None:
        return None
    return "", "", int(status[2]), (status[3] or b"").decode("latin-1"), status[1].decode("ascii"), pairs


def split_messages(
    octets: bytes, *, methods: list[str] | None = None, closed: bool = True
) -> list[WireMessage]:
    """Split one direction of a connection into messages.

    Args:
        octets: what was sent in one direction.
        methods: of the requests that these responses answer, in order, so that an answer to HEAD takes no
            body; None for requests.
        closed: whether the connection's end was seen, so that a body without length is whole.

    Returns:
        The messages; damaged octets in between are skipped up to the next start line.
    """
    found: list[WireMessage] = []
    position, answered = 0, 0
    while True:
        begin = _START.search(octets, position)
        if begin is None:
            return found
        start = begin.start()
        end = _END.search(octets, start, start + HEAD_LIMIT)
        head_end, body_start = (end.start(), end.end()) if end else (len(octets), len(octets))
        parsed = _parse_head(octets[start:head_end])
        if parsed is None:
            position = start + 4
            continue
        method, target, status, reason, version, pairs = parsed
        fields = Fields(pairs, complete=end is not None)
        asked = methods[answered] if methods is not None and answered < len(methods) else ""
        no_body = asked == "HEAD" or status in _NO_BODY or 100 <= status < 200
        connects = asked == "CONNECT" and 200 <= status < 300
        body, position, complete = (
            (b"", body_start, True)
            if no_body
            else _body(octets, body_start, fields, is_request=not status, closed=closed)
        )
        content = ReadContent(None)
        if body or not complete:
            content = from_wire(body, fields, complete=complete)
        found.append(WireMessage(start, position, method, target, status, reason, version, fields, content))
        answered += not 100 <= status < 200
        if connects:
            # What follows is the tunnel.
            return found


def _body(
    octets: bytes, start: int, fields: Fields, *, is_request: bool, closed: bool
) -> tuple[bytes, int, bool]:
    """Return body octets as on the wire, where they end, and whether they are whole."""
    if "chunked" in (fields.text("transfer-encoding") or "").lower():
        end = _chunked_end(octets, start)
        whole = end is not None
        stop = len(octets) if end is None else end
        return octets[start:stop], stop, whole
    length = (fields.text("content-length") or "").partition(",")[0].strip()
    if length.isascii() and length.isdigit() and len(length) < 16:
        stop = start + int(length)
        return octets[start:stop], min(stop, len(octets)), stop <= len(octets)
    if is_request:
        return b"", start, True
    following = _START.search(octets, start)
    stop = following.start() if following is not None else len(octets)
    return octets[start:stop], stop, closed


_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")
_TRAILER = re.compile(rb"(?:[^\r\n]{1,8192}\r\n)*\r\n")


def _chunked_end(octets: bytes, position: int) -> int | None:
    while True:
        found = _CHUNK.match(octets, position)
        if found is None:
            return None
        size = int(found[1], 16)
        if size == 0:
            trailer = _TRAILER.match(octets, found.end())
            return trailer.end() if trailer is not None else None
        position = found.end() + size + 2
        if position > len(octets):
            return None
