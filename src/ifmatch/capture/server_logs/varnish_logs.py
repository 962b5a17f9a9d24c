"""Read `varnishlog`: what clients sent and got, and what Varnish sent to its backends, as two captures.

All groupings are known (`-g vxid`, `-g request`, `-g raw`), and logs that show some tags only (`-i`, `-c`).
Source: vsl(7) and varnishlog(1) of Varnish 7.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.capture.texts.log_pastes import opened
from ifmatch.capture.texts.text_source import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

__all__ = ["looks_like_varnish_log", "read_varnish_log"]

_HEADING = re.compile(r"\*{1,9}\s+<< (Request|BeReq|Session)\s*>> (\d+)\s*\Z")
_GROUPED = re.compile(r"-{1,9}\s+([A-Z][A-Za-z_]{2,20})(?:\s+(.*?))?\s*\Z")
_RAW = re.compile(r"\s{0,12}(\d{1,20}) ([A-Z][A-Za-z_]{2,20})\s+([bc-])(?: (.*?))?\s*\Z")
_TIME = re.compile(r"(Start|Resp|BerespBody|Beresp|Error): (\d+\.\d+) (\d+\.\d+) ")
_TAGS: Final = ("Req", "Resp", "Bereq", "Beresp")


@dataclass(slots=True)
class _Transaction:
    """One request of a client or to a backend, as far as its lines are read."""

    line: int
    said: dict[str, str] = field(default_factory=dict[str, str])
    sent: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    received: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    in_vcl: bool = False
    started: float | None = None
    duration: float | None = None
    begins: int = 0
    ends: int = 0

    @property
    def is_whole(self) -> bool:
        """Tell whether the log shows it from its beginning to its end."""
        return self.begins == 1 and self.ends == 1

    @property
    def is_backend(self) -> bool:
        return "BereqMethod" in self.said or "BereqURL" in self.said


def looks_like_varnish_log(lines: Sequence[str]) -> bool:
    """Tell whether varnishlog wrote these lines.

    Args:
        lines: the first lines of a source.
    """
    tags = 0
    for line in lines[:400]:
        if _HEADING.match(line):
            return True
        raw = _RAW.match(line)
        tags += raw is not None and raw[2].startswith(_TAGS)
    return tags >= 3


def read_varnish_log(stream: BinaryIO, name: str) -> tuple[Capture, ...]:
    """Read what varnishlog printed.

    Args:
        stream: binary stream at the start of the log.
        name: name of the source as the user gave it.

    Raises:
        InputError: no transaction in it shows a method and a status.
    """
    front, lines = opened(read_text(stream, name))
    behind = Drafts(f"{name}!backend")
    incomplete = torn = 0
    transactions = list(_transactions(lines))
    shows_ends = any(transaction.is_whole for transaction in transactions)
    # Who begins to log finds transactions under way.
    settled = next((one.line for one in transactions if one.is_whole), 0)
    for transaction in transactions:
        draft = _draft(transaction)
        if shows_ends and not transaction.begins and transaction.line > settled:
            front.torn = behind.torn = True
        if draft is not None and (transaction.begins > 1 or transaction.ends > 1):
            torn += 1
        elif draft is not None:
            if shows_ends and not transaction.is_whole:
                draft.sent_complete = draft.received_complete = False
            (behind if transaction.is_backend else front).found.append(draft)
        elif transaction.said.keys() - {"Begin", "BackendOpen"}:
            incomplete += 1
    if torn:
        front.torn = behind.torn = True
        front.warn(f"lines are missing in this log: transactions that are two were left out: {torn}")
    if incomplete:
        front.warn(f"transactions without method, URL and status were skipped: {incomplete}")
    for drafts in (front, behind):
        drafts.order_by_time()
    if not front.found and behind.found:
        front.found, behind.found = behind.found, []
    advice = "Log whole transactions: varnishlog -g request -q 'RespStatus == 412' and those around them"
    captures = [front.capture("varnishlog", nothing="no whole transaction is in this log", advice=advice)]
    if behind.found:
        captures.append(behind.capture("varnishlog", nothing=""))
    return tuple(captures)


def _transactions(lines: Sequence[str]) -> Iterator[_Transaction]:
    open_ones: dict[str, _Transaction] = {}
    current: _Transaction | None = None
    for number, line in enumerate(lines, 1):
        heading = _HEADING.match(line)
        if heading is not None:
            if current is not None:
                yield current
            current = _Transaction(number) if heading[1] != "Session" else None
            continue
        raw = _RAW.match(line)
        if raw is not None:
            transaction = open_ones.setdefault(raw[1], _Transaction(number))
            _take(transaction, raw[2], raw[4] or "")
            if raw[2] == "End":
                yield open_ones.pop(raw[1])
            continue
        grouped = _GROUPED.match(line)
        if grouped is not None and current is not None:
            _take(current, grouped[1], grouped[2] or "")
    if current is not None:
        yield current
    yield from open_ones.values()


def _take(transaction: _Transaction, tag: str, text: str) -> None:
    """Take one record. What VCL changes of a client's request is not what the client sent."""
    transaction.begins += tag == "Begin"
    transaction.ends += tag == "End"
    if tag == "VCL_call":
        transaction.in_vcl = transaction.in_vcl or text == "RECV"
    elif tag == "Timestamp":
        found = _TIME.match(f"{text} ")
        if found is not None and found[1] == "Start":
            transaction.started = float(found[2])
        elif found is not None:
            transaction.duration = float(found[3])
    elif tag in {"ReqHeader", "BereqHeader", "RespHeader", "BerespHeader"}:
        if tag == "ReqHeader" and transaction.in_vcl:
            return
        name, _, value = text.partition(":")
        fields = transaction.sent if tag in {"ReqHeader", "BereqHeader"} else transaction.received
        fields.append((name.strip(), value.strip()))
    elif tag in {"BereqUnset", "RespUnset", "BerespUnset"}:
        name = text.partition(":")[0].strip().lower()
        fields = transaction.sent if tag == "BereqUnset" else transaction.received
        fields[:] = [pair for pair in fields if pair[0].lower() != name]
    elif tag in {"BackendOpen", "Begin"} or (
        tag.startswith(_TAGS) and not (tag in {"ReqURL", "ReqMethod"} and transaction.in_vcl)
    ):
        transaction.said[tag] = text


def _draft(transaction: _Transaction) -> Draft | None:
    backend = transaction.is_backend
    side = ("Bereq", "Beresp") if backend else ("Req", "Resp")
    said = transaction.said
    method, url = said.get(f"{side[0]}Method"), said.get(f"{side[0]}URL")
    status = said.get(f"{side[1]}Status")
    inner = not backend and re.search(r"\b(?:esi|restart)\b", said.get("Begin", "")) is not None
    if not method or not url or inner:
        return None
    draft = Draft(method=method, line=transaction.line, framed=False)
    draft.sent, draft.received = transaction.sent or None, transaction.received or None
    host = next((value for name, value in transaction.sent if name.lower() == "host"), "")
    draft.url = target_uri(url, host, scheme="http")
    draft.status = int(status) if status and status.isdigit() else 0
    draft.reason = said.get(f"{side[1]}Reason", "")
    draft.request_version = said.get(f"{side[0]}Protocol", "")
    draft.response_version = said.get(f"{side[1]}Protocol", "")
    draft.started, draft.duration, draft.resolution = transaction.started, transaction.duration, 1e-6
    address = said.get("BackendOpen", "").split()
    if len(address) >= 4:
        draft.peer = f"{address[2]}:{address[3]}"
    client = said.get("ReqStart", "").split()
    if client and not any(name.lower() == "x-forwarded-for" for name, _ in transaction.sent):
        draft.add_sent("X-Forwarded-For", client[0])
    return draft if draft.status or draft.sent else None
