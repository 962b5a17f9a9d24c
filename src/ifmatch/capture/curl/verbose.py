"""Read what `curl -v` writes: its own lines on standard error, content on standard output in between.

All shapes are known: `-v`, `-sv`, `-i -v`, `--trace-time`, `--trace-ids`, the component prefixes of `-vv` and
above, HTTP/1.1, HTTP/2 and HTTP/3, several transfers, redirects, proxies and failures.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ifmatch.capture.commands.curl_prompt import is_command, read_prompt
from ifmatch.capture.curl.contents import distribute
from ifmatch.capture.curl.events import EventKind, TraceEvent
from ifmatch.capture.curl.exchanges import capture_of
from ifmatch.capture.curl.transfers import REQUEST_LINE, STATUS_LINE, TransferAssembler, is_known_info
from ifmatch.capture.texts.field_lines import FIELD_LINE
from ifmatch.capture.texts.text_source import TextSource, read_text
from ifmatch.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

_PREFIX = r"(?:(\d\d):(\d\d):(\d\d\.\d{3,6}) )?(?:\[([0-9x]+)-([0-9x]+)\] )?"
_LINE = re.compile(rf"{_PREFIX}([*<>{{}}])(?: (.*))?$", re.DOTALL)
_DATA = re.compile(r"\[(\d{1,15}) bytes data\]\s*$")
_FAILURE = re.compile(r"curl: (\(\d{1,3}\).*)")
# The progress meter overwrites itself; its last column is five wide and what follows stands right behind it.
_METER = re.compile(
    r"(?:\r|^)[ \d]{3} [ \d.kMGTP]{40,60}?(?: +[-\d]{1,3}:[-\d]{2}:[-\d]{2}){3} [ \d.kMGTP]{5}"
    r"|\r[ \d.kMGTP:-]{60,90}(?=$|[*<>{}])"
    # The bar of -#.
    r"|\r[#=O -]{0,400}\d{1,3}\.\d%|\r[#=O -]{5,400}(?=$)"
)
_METER_HEAD = re.compile(r"  % Total    % Received % Xferd|  % Total|^ {20,}Dload  Upload")
_NOISE = re.compile(r"#{3,}[ #]*\d{1,3}\.\d%|Warning: |Note: Unnecessary use|Enter host password")
# Where curl's own line starts behind content without a line end.
_MIDDLE = re.compile(
    r"\d\d:\d\d:\d\d\.\d{6} (?:\[[0-9x]+-[0-9x]+\] )?[*<>{}] |"
    r"\* (?:Connection #\d+ to host|Connection #?\d+ seems|Closing connection|Found bundle|"
    r"Re-?using existing|Issue another request|shutting down connection|Mark bundle|  Trying |"
    r"Excess found|transfer closed with|Operation timed out|Recv failure|Could not resolve)|"
    r"  % Total    % Received % Xferd|curl: \(\d{1,3}\) "
)


def read_curl_verbose(stream: BinaryIO, name: str) -> Capture:
    """Read a `curl -v` trace.

    Args:
        stream: binary stream at the start of the trace.
        name: name of the source as the user gave it.

    Returns:
        One exchange a transfer; interim responses and proxy tunnels are passed over.

    Raises:
        InputError: nothing in the text is a transfer.
    """
    source = read_text(stream, name)
    source = replace(source, lines=_with_signs(source.lines))
    assembler = TransferAssembler()
    transfers = assembler.feed_all(_events(source, assembler))
    if not transfers:
        raise InputError(
            "no request and no response is in this curl trace",
            source=name,
            expected="lines such as `> PUT /x HTTP/1.1` and `< HTTP/1.1 412 Precondition Failed`",
            advice="Record anew with `curl -v ... > trace.txt 2>&1`",
        )
    distribute(transfers, source)
    return capture_of(source, transfers, "curl-verbose", torn=assembler.torn)


def _with_signs(lines: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """Put the sign of curl before each line of a request's head.

    The tool puts it there; the library, as programs in PHP, Python or C use it (`CURLOPT_VERBOSE`), writes it
    before the first line only. Source: lib/curl_trc.c and src/tool_cb_dbg.c of curl.
    """
    signed = list(lines)
    in_head = False
    for index, line in enumerate(signed):
        if line is None:
            in_head = False
        elif in_head:
            bare = line.rstrip("\r")
            signed[index] = f"> {line}" if not bare or FIELD_LINE.match(bare) else line
            in_head = bool(bare) and signed[index] is not line
        elif line.startswith("> ") and REQUEST_LINE.match(line[2:].rstrip("\r")):
            below = signed[index + 1] if index + 1 < len(signed) else None
            in_head = below is not None and FIELD_LINE.match(below) is not None
    return tuple(signed)


def _events(source: TextSource, assembler: TransferAssembler) -> Iterator[TraceEvent]:
    """Yield the events; what a line is depends on what the assembler expects, so it is asked on the way."""
    skip_to = 0
    for index, line in enumerate(source.lines):
        if index < skip_to:
            continue
        number = index + 1
        if line is None:
            yield TraceEvent(EventKind.BOUNDARY, number)
            continue
        if is_command(line) and not assembler.expects_display() and not _LINE.match(line):
            before = line[: line.rfind("curl", 0, 240)] if assembler.in_display() else ""
            if before:
                yield TraceEvent(EventKind.DISPLAY, number, before)
            prompt = read_prompt(source.lines, index)
            skip_to = prompt.last_line
            yield TraceEvent(EventKind.PROMPT, number, prompt=prompt)
            continue
        yield from _line_events(line, number, assembler, is_last=number == len(source.lines))


def _line_events(
    line: str, number: int, assembler: TransferAssembler, *, is_last: bool
) -> Iterator[TraceEvent]:
    meter = False
    if ":--" in line or line.find("\r", 0, len(line) - 1) >= 0:
        line, count = _METER.subn("", line)
        meter = count > 0
    found = _LINE.match(line)
    event = _own_line(found, number, assembler) if found is not None else None
    if event is not None:
        yield event
        return
    middle = _MIDDLE.search(line, 1) if len(line) > 1 else None
    if middle is not None:
        yield TraceEvent(EventKind.DISPLAY, number, line[: middle.start()])
        yield from _line_events(line[middle.start() :], number, assembler, is_last=is_last)
        return
    failure = _FAILURE.match(line)
    if failure is not None:
        yield TraceEvent(EventKind.FAILURE, number, failure.group(1).strip())
    elif not _METER_HEAD.match(line) and not (meter and not line.strip()) and not _NOISE.match(line):
        yield TraceEvent(EventKind.DISPLAY, number, line if is_last else line + "\n")


def _own_line(found: re.Match[str], number: int, assembler: TransferAssembler) -> TraceEvent | None:
    """Return the event of a line that starts as curl's lines do; None when it is content after all."""
    hours, minutes, seconds, transfer, connection, sign, text = found.groups()
    text = text or ""
    now = int(hours) * 3600 + int(minutes) * 60 + float(seconds) if hours else None
    ids = (transfer, connection) if transfer is not None else None
    stamped = now is not None or ids is not None
    kind = EventKind.INFO
    size = 0
    if sign in "{}":
        data = _DATA.match(text)
        if data is None:
            return None
        kind = EventKind.RECEIVED_DATA if sign == "{" else EventKind.SENT_DATA
        size = int(data.group(1))
    elif sign == "*":
        if not stamped and assembler.expects_display() and not is_known_info(text):
            return None
    else:
        bare = text.rstrip(" \t\r")
        start = (REQUEST_LINE if sign == ">" else STATUS_LINE).match(bare)
        if not (start or not bare or FIELD_LINE.match(bare) or stamped or not assembler.in_display()):
            return None
        kind = EventKind.SENT_LINE if sign == ">" else EventKind.RECEIVED_LINE
    return TraceEvent(kind, number, text, now, ids, size)
