"""Read debug sessions of Apigee: what the proxy got from the client, and what it gave back.

A session shows a message again at each step that changed it. Source of the format: DebugSessionTransaction of
the Apigee API, and the XML that Apigee Edge's Trace downloads, which names the same members.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.json_values import (
    header_pairs,
    load,
    number,
    objects,
    read_limited,
    text,
    whole_objects,
)
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.capture.base.xml_elements import whole_elements
from ifmatch.errors import InputError
from ifmatch.model.json_values import members_in
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO
    from xml.etree import ElementTree as ET

    from ifmatch.model.exchange import Capture

__all__ = ["read_apigee"]

_ENTITY: Final = re.compile(rb"<!ENTITY", re.IGNORECASE)
_STAMP: Final = re.compile(r"(\d\d)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d):(\d{3})\Z")
_ADVICE: Final = "Download the session with at least one whole transaction: Debug > Download Session"


@dataclass(slots=True)
class _Message:
    """A message as one step shows it.

    Attributes:
        method: "" for an answer.
        target: as the step shows it.
        status: 0 for a request.
        reason: reason phrase.
        fields: header fields.
        content: "" when none is shown.
        at: seconds since the epoch, None when not known.
    """

    method: str = ""
    target: str = ""
    status: int = 0
    reason: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    content: str = ""
    at: float | None = None


def read_apigee(stream: BinaryIO, name: str) -> Capture:
    """Read a debug session: of each transaction the first request and the last answer, as the client's.

    Args:
        stream: binary stream at the start of the file.
        name: name of the source as the user gave it.

    Raises:
        InputError: it declares entities, or no transaction shows a request and its answer.
    """
    data = read_limited(stream, name, what="debug session")
    drafts = Drafts(name)
    transactions = _xml(data, drafts) if data.lstrip()[:1] == b"<" else _json(data)
    for messages in transactions:
        sent = next((one for one in messages if one.method), None)
        received = next((one for one in reversed(messages) if one.status), None)
        if sent is None or received is None:
            drafts.warn("a transaction that is not whole was passed over")
            continue
        drafts.found.append(_draft(sent, received))
    if all(draft.started is not None for draft in drafts.found):
        drafts.order_by_time()
    return drafts.capture(
        "apigee", nothing="no transaction of this session shows a request and its answer", advice=_ADVICE
    )


def _draft(sent: _Message, received: _Message) -> Draft:
    host = next((value for name, value in sent.fields if name.lower() == "host"), "")
    draft = Draft(sent.method, target_uri(sent.target, host, scheme="https"), framed=False)
    draft.sent, draft.started = sent.fields or None, sent.at
    if sent.content:
        draft.content = Content.from_text(sent.content)
    draft.status, draft.reason = received.status, received.reason
    draft.received = received.fields or None
    if received.content:
        draft.received_content = Content.from_text(received.content)
    if sent.at is not None and received.at is not None:
        draft.duration = max(0.0, received.at - sent.at)
    return draft


def _moment(said: str) -> float | None:
    found = _STAMP.match(said.strip())
    if found is None:
        return None
    day, month, year, hour, minute, second, thousandths = (int(part) for part in found.groups())
    try:
        at = datetime(2000 + year, month, day, hour, minute, second, thousandths * 1000, tzinfo=UTC)
    except ValueError:
        return None
    return at.timestamp()


def _json(data: bytes) -> Iterator[list[_Message]]:
    whole = load(data)
    documents = objects(whole) or [members_in(whole)]
    for document in documents:
        for transaction in objects(document.get("transactions")) or [document]:
            points = objects(transaction.get("point"))
            yield [message for point in points for message in _results(objects(point.get("results")))]
    if whole is None:
        points = [members_in(one) for one in whole_objects(data, "point")]
        yield [message for point in points for message in _results(objects(point.get("results")))]


def _results(results: list[dict[str, object]]) -> Iterator[_Message]:
    at: float | None = None
    for result in results:
        at = _moment(text(result.get("timestamp"))) or at
        kind = text(result.get("ActionResult"))
        if kind not in {"RequestMessage", "ResponseMessage", "ErrorMessage"}:
            continue
        message = _Message(
            fields=header_pairs(result.get("headers")), content=text(result.get("content")), at=at
        )
        if kind == "RequestMessage":
            message.method, message.target = text(result.get("verb")), text(result.get("uRI"))
        else:
            status = number(result.get("statusCode"))
            message.status = int(status) if status is not None and 100 <= status <= 599 else 0
            message.reason = text(result.get("reasonPhrase"))
        yield message


def _xml(data: bytes, drafts: Drafts) -> Iterator[list[_Message]]:
    if _ENTITY.search(data):
        raise InputError("this XML declares entities, which are not read", source=drafts.name, advice=_ADVICE)
    for element in whole_elements(data, drafts):
        if element.tag == "Message":
            yield [message for point in element.iter("Point") for message in _elements(point)]


def _elements(point: ET.Element) -> Iterator[_Message]:
    at = _moment(point.findtext(".//Timestamp") or "")
    for one in point:
        if one.tag not in {"RequestMessage", "ResponseMessage", "ErrorMessage"}:
            continue
        fields = [(header.get("name", ""), header.text or "") for header in one.iter("Header")]
        message = _Message(
            fields=[pair for pair in fields if pair[0]], content=one.findtext("Content") or "", at=at
        )
        status = one.findtext("StatusCode") or ""
        message.method, message.target = one.findtext("Verb") or "", one.findtext("URI") or ""
        message.status = int(status) if status.isascii() and status.isdigit() and len(status) == 3 else 0
        message.reason = one.findtext("ReasonPhrase") or ""
        yield message
