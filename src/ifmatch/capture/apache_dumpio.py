"""Read what Apache's mod_dumpio writes to its error log: what clients sent and got, and what backends did.

Source of the notation: modules/debugging/mod_dumpio.c and the escapes of ap_escape_errorlog_item.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from ifmatch.capture.drafts import Drafts
from ifmatch.capture.log_pastes import mended
from ifmatch.capture.sdk_dumps import Block, draft_of
from ifmatch.capture.sdk_lines import settle_zone
from ifmatch.capture.text_source import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

__all__ = ["looks_like_dumpio", "read_dumpio"]

_DUMPED = re.compile(
    r"(?:\[\w{3} (\w{3} \d\d \d\d:\d\d:\d\d(?:\.\d{6})? \d{4})\] )?(?:\[[^\]]*\] )*?(?:\[pid ([\d:tid ]+)\] )?"
    r"(?:mod_dumpio\.c\(\d+\): )?\[(client|remote) ([^\]]+)\] mod_dumpio:  ?dumpio_(in|out) "
    r"(?:\(data-[A-Z]+\): (.*)|\[([a-z]+)-\w+\] .*)\Z"
)
_SIZE = re.compile(r"\d+ bytes\Z")
_START = re.compile(r"(?:[A-Z]{3,20} \S+ HTTP/\d\.\d|HTTP/\d\.\d \d{3}\b)")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "v": "\v", "f": "\f"}


def looks_like_dumpio(lines: Sequence[str]) -> bool:
    """Tell whether mod_dumpio wrote such lines.

    Args:
        lines: the first lines of a source.
    """
    return any(" mod_dumpio: " in line[:400] for line in lines if line)


def read_dumpio(stream: BinaryIO, name: str) -> tuple[Capture, ...]:
    """Read what mod_dumpio wrote.

    Args:
        stream: binary stream at the start of the log.
        name: name of the source as the user gave it.

    Raises:
        InputError: no message is in it.
    """
    source = read_text(stream, name)
    lines, repairs = mended(source.lines)
    sides = {"client": Drafts(name, warnings=list(source.warnings)), "remote": Drafts(f"{name}!backend")}
    for repair in repairs:
        sides["client"].warn(repair)
    waiting: dict[str, Block] = {}
    for side, block in _blocks(lines):
        if block.is_request:
            if (before := waiting.pop(block.key, None)) is not None:
                _add(sides[side], before, None)
            waiting[block.key] = block
        else:
            _add(sides[side], waiting.pop(block.key, None), block)
    for key, block in waiting.items():
        _add(sides[key.partition(" ")[0]], block, None)
    captures: list[Capture] = []
    if not sides["client"].found:
        sides["client"].found, sides["remote"].found = sides["remote"].found, []
    for drafts in sides.values():
        drafts.found.sort(key=lambda draft: draft.started if draft.started is not None else 0.0)
        settle_zone(drafts.found)
        if drafts.found or not captures:
            advice = "Set LogLevel dumpio:trace7, DumpIOInput On and DumpIOOutput On"
            captures.append(drafts.capture("dumpio", nothing="no message is in this log", advice=advice))
    return tuple(captures)


def _add(drafts: Drafts, sent: Block | None, received: Block | None) -> None:
    draft = draft_of(sent, received)
    if draft is None:
        return
    at = sent.at if sent is not None else received.at if received is not None else None
    draft.started, draft.resolution = at if at is not None else (None, 1.0)
    if at is not None and sent is not None and received is not None and received.at is not None:
        draft.duration = max(received.at[0] - at[0], 0.0)
    drafts.found.append(draft)


def _blocks(lines: Sequence[str]) -> Iterator[tuple[str, Block]]:
    """Yield side and message, a message when the next one of its connection begins or the log ends."""
    open_ones: dict[str, tuple[str, Block, list[str]]] = {}
    order: list[tuple[str, Block, list[str]]] = []
    # Octets that are looked at in advance are read once more.
    peeks: dict[str, bool] = {}
    for number, line in enumerate(lines, 1):
        found = _DUMPED.match(line) if "mod_dumpio" in line else None
        if found is None or _SIZE.match(found[6] or ""):
            continue
        # All connections to one backend have its address; a request keeps its thread.
        key = f"{found[3]} {found[4]}" + (f" {found[2]}" if found[3] == "remote" else "")
        if found[7]:
            peeks[key] = found[7] == "speculative"
        if found[7] or (found[5] == "in" and peeks.get(key)):
            continue
        side, text = found[3], _ESCAPE.sub(_unescaped, found[6])
        is_request = (side == "client") is (found[5] == "in")
        current = open_ones.get(key)
        if _START.match(text) is not None and not (current is not None and _goes_on(current, is_request)):
            current = (side, Block(is_request, key, number, at=_time(found[1])), [])
            open_ones[key] = current
            order.append(current)
        if current is not None and current[1].is_request is is_request:
            current[2].append(text)
    for side, block, pieces in order:
        block.lines.extend("".join(pieces).replace("\r\n", "\n").split("\n"))
        yield side, block


def _goes_on(current: tuple[str, Block, list[str]], is_request: bool) -> bool:  # noqa: FBT001 - a side
    """Tell whether a head is not at its end yet, so that nothing can start."""
    return current[1].is_request is is_request and "\r\n\r\n" not in "".join(current[2][-200:])


def _unescaped(found: re.Match[str]) -> str:
    said = found[1]
    return chr(int(said[1:], 16)) if len(said) == 3 else _ESCAPES.get(said, said)


def _time(text: str | None) -> tuple[float, float] | None:
    """Return the time of a line, which names no zone, as UTC and the seconds of one tick."""
    if not text:
        return None
    fraction = "." in text
    try:
        at = datetime.strptime(text, f"%b %d %H:%M:%S{'.%f' if fraction else ''} %Y")  # noqa: DTZ007 - below
    except ValueError:
        return None
    return at.replace(tzinfo=timezone.utc).timestamp(), 1e-6 if fraction else 1.0
