"""Read the dumps of `curl --trace-ascii` and `curl --trace`.

Each block has a heading with its size (`<= Recv data, 55 bytes (0x37)`) and dump lines that begin with the
offset. The hexadecimal dump is exact. The ASCII dump shows every octet beyond printable ASCII as a dot and
breaks lines at CRLF; what the dots stood for is decided in `_undotted`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ifmatch.capture.base.captured_content import is_json, is_whole_json
from ifmatch.capture.base.decompression import dechunk
from ifmatch.capture.commands.curl_prompt import is_command, read_prompt
from ifmatch.capture.curl.contents import distribute
from ifmatch.capture.curl.events import EventKind, TraceEvent
from ifmatch.capture.curl.exchanges import capture_of
from ifmatch.capture.curl.transfers import Transfer, TransferAssembler
from ifmatch.capture.texts.field_lines import FIELD_LINE, TAG_FIELDS
from ifmatch.capture.texts.text_source import TextSource, read_text
from ifmatch.errors import InputError
from ifmatch.model.exchange import CaptureWarning
from ifmatch.model.message import Fields

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

_PREFIX = r"(?:(\d\d):(\d\d):(\d\d\.\d{3,6}) )?(?:\[([0-9x]+)-([0-9x]+)\] )?"
# Content on standard output can stand before a heading on the same line, hence search and no match.
_HEADING = re.compile(
    rf"{_PREFIX}(?:== Info: (.*)|"
    r"(=>|<=) (Send|Recv) (header|data|SSL data), (\d{1,12}) bytes \(0x[0-9a-f]+\))",
    re.DOTALL,
)
_FAILURE = re.compile(r"curl: (\(\d{1,3}\).*)")
_DUMP = re.compile(r"([0-9a-f]{4,12}): ?(.*)$", re.DOTALL)
_HEX = re.compile(r"((?:[0-9a-f]{2}(?: |$)){1,16})")
_SUSPICIOUS_DOT = re.compile(r"(?<![A-Za-z0-9])\.|\.(?![A-Za-z0-9])")
_NUMBER_DOT = re.compile(r"\d\.\d")


def read_curl_trace(stream: BinaryIO, name: str) -> Capture:
    """Read a `--trace-ascii` or `--trace` dump.

    Args:
        stream: binary stream at the start of the dump.
        name: name of the source as the user gave it.

    Returns:
        One exchange a transfer; interim responses and proxy tunnels are passed over. The format is
        `curl-trace` for the hexadecimal dump, else `curl-trace-ascii`.

    Raises:
        InputError: nothing in the text is a transfer.
    """
    source = read_text(stream, name)
    reader = _DumpReader(source)
    transfers = TransferAssembler().feed_all(reader.events())
    if not transfers:
        raise InputError(
            "no request and no response is in this curl trace",
            source=name,
            expected="blocks such as `=> Send header, 87 bytes (0x57)` with their dump lines",
            advice="Record anew with `curl --trace-ascii trace.txt ...`",
        )
    if not reader.hexadecimal:
        for transfer in transfers:
            _restore(transfer)
    distribute(transfers, source)
    if reader.hexadecimal:
        return capture_of(source, transfers, "curl-trace")
    capture = capture_of(source, transfers, "curl-trace-ascii")
    return replace(capture, warnings=(*capture.warnings, *_dotted_tags(capture)))


def _dotted_tags(capture: Capture) -> Iterator[CaptureWarning]:
    """Warn of entity tags whose dots may have been other octets."""
    for exchange in capture.exchanges:
        received = exchange.response.fields if exchange.response is not None else ()
        for name, value in (*exchange.request.fields, *received):
            if name.lower() in TAG_FIELDS and _SUSPICIOUS_DOT.search(value):
                text = f"a dot in {name} may stand for another octet; `curl --trace` shows which"
                yield CaptureWarning(text, entry=exchange.provenance.entry, line=exchange.provenance.line)


class _DumpReader:
    """Read blocks, give events."""

    def __init__(self, source: TextSource) -> None:
        self.source = source
        self.hexadecimal = self._is_hexadecimal()

    def _is_hexadecimal(self) -> bool:
        """Decide by the first dump line that is long enough to tell; every head starts with one."""
        heading = False
        for line in self.source.lines:
            dump = _DUMP.match(line) if heading and line is not None else None
            if dump is not None and len(dump.group(2)) > 5:
                found = _HEX.match(dump.group(2))
                return found is not None and len(found.group(1)) > 5
            found_heading = _HEADING.match(line) if line is not None else None
            heading = found_heading is not None and found_heading.group(7) is not None
        return False

    def events(self) -> Iterator[TraceEvent]:
        """Yield the events of the dump."""
        lines = self.source.lines
        index = 0
        while index < len(lines):
            line = lines[index]
            number = index + 1
            index += 1
            if line is None:
                continue
            found = _HEADING.search(line[:400]) if "== Info: " in line or " bytes (0x" in line else None
            if found is not None:
                if found.group(7) is None:
                    yield self._event(found, number, EventKind.INFO, found.group(6) or "")
                    continue
                size = int(found.group(10))
                octets, index, first = self._block(index, size)
                yield from self._block_events(found, number if first is None else first, size, octets)
            elif (failure := _FAILURE.search(line[:400])) is not None:
                yield TraceEvent(EventKind.FAILURE, number, failure.group(1).strip())
            elif is_command(line):
                prompt = read_prompt(lines, number - 1)
                index = prompt.last_line
                yield TraceEvent(EventKind.PROMPT, number, prompt=prompt)

    @staticmethod
    def _event(
        found: re.Match[str],
        number: int,
        kind: EventKind,
        text: str = "",
        *,
        size: int = 0,
        octets: bytes | None = None,
    ) -> TraceEvent:
        hours, minutes, seconds, transfer, connection = found.group(1, 2, 3, 4, 5)
        now = int(hours) * 3600 + int(minutes) * 60 + float(seconds) if hours else None
        ids = (transfer, connection) if transfer is not None else None
        return TraceEvent(kind, number, text, now, ids, size, octets)

    def _block_events(
        self, found: re.Match[str], number: int, size: int, octets: bytes
    ) -> Iterator[TraceEvent]:
        sent = found.group(7) == "=>"
        what = found.group(9)
        if what == "SSL data":
            return
        if what == "data":
            kind = EventKind.SENT_DATA if sent else EventKind.RECEIVED_DATA
            yield self._event(found, number, kind, size=size, octets=octets)
            return
        kind = EventKind.SENT_LINE if sent else EventKind.RECEIVED_LINE
        # The octets of a head are latin-1 in the model; the source's encoding would decode them again.
        text = octets.decode("latin-1")
        for offset, line in enumerate(text.removesuffix("\n").split("\n")):
            shown = (
                line.encode("latin-1").decode(self.source.encoding, "replace") if not line.isascii() else line
            )
            yield self._event(found, number + (offset if not self.hexadecimal else 0), kind, shown)

    def _block(self, index: int, size: int) -> tuple[bytes, int, int | None]:
        """Read dump lines from a 0-based line on: octets, index behind them, number of the first."""
        parts: list[bytes] = []
        position = 0
        first: int | None = None
        lines = self.source.lines
        while index < len(lines) and position < size:
            line = lines[index]
            dump = _DUMP.match(line) if line is not None else None
            if dump is None or int(dump.group(1), 16) < position:
                break
            offset = int(dump.group(1), 16)
            if offset > size:
                break
            first = index + 1 if first is None else first
            parts.append(_gap(offset - position))
            piece = self._hex_octets(dump.group(2)) if self.hexadecimal else self._ascii_octets(dump.group(2))
            piece = piece[: size - offset]
            parts.append(piece)
            position = offset + len(piece)
            index += 1
            if not self.hexadecimal and not piece and size - position == 2:
                break
        if position < size and first is not None and size - position == 2 and not self.hexadecimal:
            parts.append(b"\r\n")
        return b"".join(parts), index, first

    def _hex_octets(self, text: str) -> bytes:
        found = _HEX.match(text)
        return bytes.fromhex(found.group(1)) if found is not None else b""

    def _ascii_octets(self, text: str) -> bytes:
        return self.source.octets(text.rstrip("\r"))


def _gap(size: int) -> bytes:
    """Return what the ASCII dump left out between two lines: a line end, or blanks lost at a line's end."""
    return b"\r\n" if size == 2 else b" " * min(size, 64)


def _undotted(text: str) -> tuple[str, bool]:
    """Put white space back where the dots of an ASCII dump of JSON stood for it.

    Outside JSON strings a dot that is not inside a number was white space. Inside, a single dot is a dot
    (a character beyond ASCII has two octets at least), two or more can be either.

    Returns:
        The text, and whether it is certain.
    """
    result: list[str] = []
    inside = False
    certain = True
    position = 0
    while position < len(text):
        character = text[position]
        if inside and character == "\\":
            result.append(text[position : position + 2])
            position += 2
            continue
        if character == '"':
            inside = not inside
        elif character == "." and inside:
            certain = certain and text[position + 1 : position + 2] != "."
        elif character == "." and not _NUMBER_DOT.match(text, position - 1):
            character = "\n"
        result.append(character)
        position += 1
    return "".join(result), certain


def _restore(transfer: Transfer) -> None:
    """Decide what the dots in a transfer's data stood for, and whether the content is exact."""
    if transfer.sent_octets:
        octets, transfer.sent_exact = _exact(b"".join(transfer.sent_octets), transfer.sent)
        _put(transfer.sent_octets, octets)
    if transfer.received_octets:
        before = b"".join(transfer.received_octets)
        octets, transfer.received_exact = _exact(before, transfer.received)
        # Taking the chunks apart changes the size that curl stated; what was missing stays missing.
        transfer.received_size += len(octets) - len(before)
        _put(transfer.received_octets, octets)


def _put(parts: list[bytes], octets: bytes) -> None:
    parts[:] = [octets]


def _exact(octets: bytes, head: list[tuple[int, str]]) -> tuple[bytes, bool]:
    if b"." not in octets:
        return octets, True
    fields = Fields(
        (found.group(1), found.group(2).strip()) for _, text in head[1:] if (found := FIELD_LINE.match(text))
    )
    whole = True
    if "chunked" in (fields.text("transfer-encoding") or "").lower():
        octets, whole = dechunk(octets) or (octets, False)
    text, certain = _undotted(octets.decode("latin-1"))
    if is_json(fields) and "content-encoding" not in fields and is_whole_json(text.encode("latin-1")):
        return text.encode("latin-1"), certain and whole
    return octets, False
