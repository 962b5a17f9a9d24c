"""Take messages out of the trees that `tshark -V` and `tshark -O http2` print of HTTP/2.

Source: the plain text printer of Wireshark (epan/print.c) and its dissector of HTTP/2; RFC 9113 section 8.3.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.pastes.message_order import Told, in_turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.capture.pastes.message_order import Line

__all__ = ["HTTP2_TREE", "from_http2_trees"]

HTTP2_TREE: Final = re.compile(r"\s{1,16}Header: :(?:method|status): \S+")
_PORTS = re.compile(r"\s{0,8}Transmission Control Protocol, Src Port: \D*(\d+)\D*, Dst Port: \D*(\d+)")
_STREAM = re.compile(r"\s{1,12}Stream: ([A-Z_]+), Stream ID: (\d+)")
_HEADER = re.compile(r"\s{1,16}Header: (:?[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}): (.*?)\s*\Z")
_CUT = re.compile(r"\s{1,16}Header ?\[(?:truncated|\u2026|\.\.\.)")
_DATA = re.compile(r"\s{1,16}Data: ([0-9a-f]{2,})\s*\Z")


def from_http2_trees(lines: Sequence[tuple[int, str | None]], cut: str) -> list[Line]:
    """Return the lines of the messages in trees of HTTP/2; [] when none begins one.

    Args:
        lines: of the source with their 1-based numbers.
        cut: what stands for a field that is not shown whole.
    """
    messages: list[Told] = []
    open_ones: dict[str, Told] = {}
    connection = key = side = ""
    pseudo: dict[str, str] = {}
    for number, line in lines:
        if not line:
            continue
        if (ports := _PORTS.match(line)) is not None:
            connection, side = "-".join(sorted((ports[1], ports[2]))), ports[1]
        elif (stream := _STREAM.match(line)) is not None:
            key, pseudo = f"{connection}/{stream[2]}", {}
        elif (header := _HEADER.match(line)) is not None:
            name, value = header[1], header[2]
            if not name.startswith(":"):
                _add(open_ones.get(f"{key}/{side}"), number, f"{name}: {value}")
                continue
            pseudo[name] = value
            begun = _begun(pseudo, key, number)
            if begun is not None:
                if f"{key}/{side}" not in open_ones or name == ":status":
                    messages.append(begun)
                    open_ones[f"{key}/{side}"] = begun
                elif name == ":authority":
                    _add(open_ones[f"{key}/{side}"], number, f"host: {value}")
        elif _CUT.match(line) is not None:
            _add(open_ones.get(f"{key}/{side}"), number, cut)
        elif (data := _DATA.match(line)) is not None:
            _content(open_ones.get(f"{key}/{side}"), number, data[1])
    return list(in_turn(messages))


def _add(message: Told | None, number: int, line: str) -> None:
    if message is not None:
        message.lines.append((number, line))


def _begun(pseudo: dict[str, str], key: str, number: int) -> Told | None:
    """Return the message that the pseudo fields begin, None while they do not say enough."""
    if ":status" in pseudo:
        return Told(key, [(number, f"HTTP/2 {pseudo[':status']}")])
    if ":method" in pseudo and ":path" in pseudo:
        told = Told(key, [(number, f"{pseudo[':method']} {pseudo[':path']} HTTP/2")])
        if ":authority" in pseudo:
            told.lines.append((number, f"host: {pseudo[':authority']}"))
        return told
    return None


def _content(message: Told | None, number: int, octets: str) -> None:
    """Add content that is text; of other content, and of a second piece, it cannot be told what it was."""
    if message is None or any(line == "" for _, line in message.lines) or len(octets) % 2:
        return
    try:
        text = bytes.fromhex(octets).decode("utf-8")
    except UnicodeDecodeError:
        return
    message.lines.append((number, ""))
    message.lines.extend((number, line) for line in text.split("\n"))
