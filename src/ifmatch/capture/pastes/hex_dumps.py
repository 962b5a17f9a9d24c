"""Take messages out of hexadecimal dumps.

Notations: `xxd`, `hexdump -C`, `tcpdump -X`, Wireshark's Copy as Hex Dump, `-Djavax.net.debug=all`
(sun.security.util.HexDumpEncoder), Netty's LoggingHandler. A dump may begin with the heads of lower layers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ifmatch.capture.pastes.message_order import Told, in_turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.capture.pastes.message_order import Line

__all__ = ["HEX_DUMP", "from_hex"]

_OFFSET = r"\s{0,12}\|?(?:0x)?([0-9A-Fa-f]{4,8})(?:[:|] ?|  ?) ?"
HEX_DUMP: Final = re.compile(r"\s{0,12}\|?(?:0x)?0{4,8}(?:[:|] ?|  ?) ?[0-9A-Fa-f]{2}[ 0-9A-Fa-f]{2}")
_ROW = re.compile(rf"{_OFFSET}((?:[0-9A-Fa-f]{{2}}[ -]{{0,3}}){{1,16}})")
_START = re.compile(rb"(?:[A-Z]{3,20} [!-~]{1,8000} HTTP/1\.[01]\r?\n|HTTP/1\.[01] [1-5]\d\d[ \r])")
# Ethernet, IP and TCP with their options.
_HEADS: Final = 160
_OUT = re.compile(r"\bWRITE: |before ENCRYPTION|\bWRITTEN: |\bRaw write\b")
_IN = re.compile(r"\bREAD: |after DECRYPTION|\bRECEIVED: |\bRaw read\b")
_CHANNEL = re.compile(r"\[(?:id: )?(?:0x)?([0-9a-f]{8})(?:-\d{1,9})?, L:")
_THREAD = re.compile(r"javax\.net\.ssl\|\w+\|(\w+)\|")


@dataclass(slots=True)
class _Block:
    """Octets that stand together.

    Attributes:
        key: what tells the connection from others.
        direction: "out", "in", or "" when nothing says it.
        octets: as dumped.
        rows: for each row the offset it begins at and its 1-based line.
        is_torn: whether rows are missing, so that what follows is not read.
    """

    key: str
    direction: str
    octets: bytearray = field(default_factory=bytearray)
    rows: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    is_torn: bool = False

    def lines(self, start: int) -> Iterator[Line]:
        """Yield the lines of text from an offset on, each with the line of its row."""
        data = bytes(self.octets)
        row = 0
        while start < len(data):
            end = data.find(b"\n", start)
            end = len(data) if end < 0 else end
            while row + 1 < len(self.rows) and self.rows[row + 1][0] <= start:
                row += 1
            yield self.rows[row][1], data[start:end].rstrip(b"\r").decode("utf-8", "replace")
            start = end + 1


def from_hex(lines: Sequence[tuple[int, str | None]], cut: str) -> list[Line]:
    """Return the lines of the messages in dumps; [] when no dump holds the start of one.

    Args:
        lines: of the source with their 1-based numbers.
        cut: stands where the rest of a message is not shown.
    """
    messages: list[Told] = []
    current: Told | None = None
    direction = ""
    for block in _blocks(lines):
        found = _START.search(bytes(block.octets[: _HEADS + 9000]))
        if found is not None and found.start() <= _HEADS:
            current = Told(block.key, list(block.lines(found.start())))
            messages.append(current)
            direction = block.direction
            if block.is_torn:
                current.lines.append((current.lines[-1][0], cut))
        elif current is not None and (block.key, block.direction) == (current.key, direction):
            _append(current, block)
    return list(in_turn(messages))


def _append(message: Told, block: _Block) -> None:
    """Add octets that follow: a head or a content comes in several pieces."""
    text = bytes(block.octets)
    if sum(octet < 9 or 13 < octet < 32 for octet in text) * 20 > len(text):
        # Compressed, or something else than this message.
        return
    message.lines.extend(block.lines(0))


def _blocks(lines: Sequence[tuple[int, str | None]]) -> Iterator[_Block]:
    block: _Block | None = None
    key = direction = ""
    for number, line in lines:
        row = _ROW.match(line) if line is not None and len(line) < 400 else None
        if row is None:
            key, direction = _heading(line or "", key, direction)
            continue
        offset, octets = int(row[1], 16), bytes.fromhex(re.sub(r"[ -]", "", row[2]))
        if offset == 0:
            if block is not None:
                yield block
            block = _Block(key, direction)
        if block is not None and offset == len(block.octets):
            block.octets += octets
            block.rows.append((offset, number))
        elif block is not None and offset > len(block.octets):
            block.is_torn = True
    if block is not None:
        yield block


def _heading(line: str, key: str, direction: str) -> tuple[str, str]:
    """Return connection and direction that a line above a dump names, else those named before."""
    named = _CHANNEL.search(line) or _THREAD.match(line)
    key = named[1] if named is not None else key
    if _OUT.search(line) is not None:
        return key, "out"
    return key, "in" if _IN.search(line) is not None else direction
