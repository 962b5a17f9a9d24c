"""Read what Apache's mod_dumpio writes to its error log: what clients sent and got, and what backends did.

Source of the notation: modules/debugging/mod_dumpio.c and the escapes of ap_escape_errorlog_item.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.captured_content import from_wire
from ifmatch.capture.base.clock import settle_zone
from ifmatch.capture.base.drafts import Drafts
from ifmatch.capture.pastes.dumped_messages import Block, draft_of
from ifmatch.capture.texts.log_pastes import opened
from ifmatch.capture.texts.text_source import read_text
from ifmatch.model.message import Fields

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

__all__ = ["looks_like_dumpio", "read_dumpio"]

_DUMPED = re.compile(
    r"(?:\[\w{3} (\w{3} \d\d \d\d:\d\d:\d\d(?:\.\d{6})? \d{4})\] )?"
    r"(?:\[[^\]]*\] )*?(?:\[pid ([\d:tid ]+)\] )?"
    r"(?:mod_dumpio\.c\(\d+\): )?\[(client|remote) ([^\]]+)\] mod_dumpio:  ?dumpio_(in|out) "
    r"(?:\(data-[A-Z]+\): (.*)|\[([a-z]+)-\w+\] .*)\Z"
)
_SIZE = re.compile(r"\d+ bytes\Z")
_START = re.compile(r"(?:[A-Z]{3,20} \S+ HTTP/\d\.\d|HTTP/\d\.\d \d{3}\b)")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)")
_HEAD_END: Final = "\r\n\r\n"
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "v": "\v", "f": "\f"}


@dataclass(slots=True)
class _Message:
    """A message while its pieces are gathered: which side it was on, its head, and all of it."""

    side: str
    block: Block
    pieces: list[str] = field(default_factory=list[str])

    def can_end(self, *, is_request: bool) -> bool:
        """Tell whether a message can start here: no head is open, no content of a request looks like one."""
        if self.block.is_request is not is_request:
            return True
        return not (is_request and self.side == "client") and _HEAD_END in "".join(self.pieces[-200:])

    def content(self) -> bytes:
        """Return the octets behind the head."""
        return "".join(self.pieces).partition(_HEAD_END)[2].encode("latin-1", "replace")


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
    drafts, lines = opened(read_text(stream, name))
    sides = {"client": drafts, "remote": Drafts(f"{name}!backend")}
    waiting: dict[str, _Message] = {}
    for message in _messages(lines):
        if message.block.is_request:
            if (before := waiting.pop(message.block.key, None)) is not None:
                _add(sides[before.side], before, None)
            waiting[message.block.key] = message
        else:
            _add(sides[message.side], waiting.pop(message.block.key, None), message)
    for message in waiting.values():
        _add(sides[message.side], message, None)
    captures: list[Capture] = []
    if not sides["client"].found:
        sides["client"].found, sides["remote"].found = sides["remote"].found, []
    for drafts in sides.values():
        drafts.found.sort(key=lambda draft: (draft.started or 0.0, draft.line or 0))
        settle_zone(drafts.found)
        if drafts.found or not captures:
            advice = "Set LogLevel dumpio:trace7, DumpIOInput On and DumpIOOutput On"
            captures.append(drafts.capture("dumpio", nothing="no message is in this log", advice=advice))
    return tuple(captures)


def _add(drafts: Drafts, sent: _Message | None, received: _Message | None) -> None:
    first = sent or received
    draft = draft_of(
        sent.block if sent is not None else None, received.block if received is not None else None
    )
    if draft is None or first is None:
        return
    draft.started, draft.resolution = first.block.at if first.block.at is not None else (None, 1.0)
    if sent is not None and (octets := sent.content()):
        draft.content = from_wire(octets, Fields(draft.sent or ())).content
    if first.side == "client" and not any(name.lower() == "x-forwarded-for" for name, _ in draft.sent or ()):
        # Who asked is needed to tell actors apart: docs/decisions/071-access-logs.md.
        draft.add_sent("X-Forwarded-For", first.block.key.partition(" ")[2].rpartition(":")[0])
    if received is not None and (octets := received.content()):
        draft.received_content = from_wire(octets, Fields(draft.received or ())).content
    drafts.found.append(draft)


def _messages(lines: Sequence[str]) -> list[_Message]:
    """Return the messages in the order in which they begin."""
    open_ones: dict[str, _Message] = {}
    order: list[_Message] = []
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
        if _START.match(text) is not None and (current is None or current.can_end(is_request=is_request)):
            current = _Message(side, Block(is_request, key, number, at=_time(found[1])))
            open_ones[key] = current
            order.append(current)
        if current is not None and current.block.is_request is is_request:
            current.pieces.append(text)
    for message in order:
        head = "".join(message.pieces).partition(_HEAD_END)[0]
        message.block.lines.extend([*head.split("\r\n"), ""])
    return order


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
    return at.replace(tzinfo=UTC).timestamp(), 1e-6 if fraction else 1.0
