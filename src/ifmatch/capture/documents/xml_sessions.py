"""Read sessions that programs save as XML: Charles (`.chlsx`), Burp Suite (Save items), JMeter (`.jtl`).

Source: the XML session file of Charles 4 and 5, the item list of Burp's proxy history; see also `jmeter`.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.json_values import moment, read_limited
from ifmatch.capture.base.xml_elements import whole_elements
from ifmatch.capture.documents.jmeter import SAMPLE, jmeter_draft
from ifmatch.capture.pastes.http_messages import read_http_messages
from ifmatch.errors import InputError
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from typing import BinaryIO
    from xml.etree import ElementTree as ET

    from ifmatch.model.exchange import Capture

__all__ = ["read_xml_session"]

_ENTITY: Final = re.compile(rb"<!ENTITY", re.IGNORECASE)
_ADVICE: Final = (
    "In Charles use File > Export Session > HTTP Archive; in Burp use a HAR extension, or save anew"
)


def read_xml_session(stream: BinaryIO, name: str) -> Capture:
    """Read a session that was saved as XML.

    Args:
        stream: binary stream at the start of the file.
        name: name of the source as the user gave it.

    Raises:
        InputError: it declares entities, or holds no request.
    """
    data = read_limited(stream, name, what="session")
    if _ENTITY.search(data):
        raise InputError("this XML declares entities, which are not read", source=name, advice=_ADVICE)
    drafts = Drafts(name)
    sessions = (one for one in whole_elements(data, drafts) if one.tag in _READERS)
    for number, element in enumerate(sessions):
        _READERS[element.tag](element, number, drafts)
    return drafts.capture("xml-session", nothing="no request is in this session", advice=_ADVICE)


def _charles(transaction: ET.Element, number: int, drafts: Drafts) -> None:
    host, path = transaction.get("host", ""), transaction.get("path", "")
    if not host or not transaction.get("method"):
        drafts.warn("a transaction without method and host was skipped", entry=number)
        return
    scheme = transaction.get("protocol", "http")
    port = transaction.get("actualPort", "")
    shown = "" if port in {"", "0", {"https": "443", "http": "80"}.get(scheme)} else f":{port}"
    query = transaction.get("query", "")
    draft = Draft(method=transaction.get("method", ""))
    draft.url = f"{scheme}://{host}{shown}{path}" + (f"?{query}" if query and "?" not in path else "")
    draft.started = moment(transaction.get("startTimeMillis"), 1e3)
    ended = moment(transaction.get("endTimeMillis"), 1e3)
    if draft.started is not None and ended is not None and ended >= draft.started:
        draft.duration = ended - draft.started
    request, response = transaction.find("request"), transaction.find("response")
    if request is not None:
        draft.sent = _pairs(request)
        draft.content = _body(request) or draft.content
    if response is not None:
        status = response.get("status", "")
        draft.status = int(status) if status.isascii() and status.isdigit() else 0
        draft.received = _pairs(response)
        draft.received_content = _body(response) or draft.received_content
    if transaction.get("status") not in {"COMPLETE", None}:
        draft.error = f"Charles: {transaction.get('status', '').lower()}"
    drafts.found.append(draft)


def _pairs(message: ET.Element) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for header in message.iter("header"):
        name, value = header.findtext("name"), header.findtext("value")
        if name and not name.startswith(":"):
            found.append((name, value or ""))
    return found


def _body(message: ET.Element) -> Content | None:
    body = message.find("body")
    text = body.text if body is not None else None
    if body is None or not text:
        return None
    return Content.from_octets(_octets(text)) if body.get("encoding") == "base64" else Content.from_text(text)


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""


def _burp(item: ET.Element, number: int, drafts: Drafts) -> None:
    parts = [item.find("request"), item.find("response")]
    octets = [
        _octets(part.text or "") if part.get("base64") == "true" else (part.text or "").encode()
        for part in parts
        if part is not None
    ]
    try:
        exchange = read_http_messages(io.BytesIO(b"\n\n".join(octets)), drafts.name).exchanges[0]
    except InputError:
        drafts.warn("an item without a readable request was skipped", entry=number)
        return
    draft = Draft(method=exchange.request.method, url=item.findtext("url") or exchange.request.url)
    draft.sent, draft.content = list(exchange.request.fields), exchange.request.content
    if exchange.response is not None:
        draft.status, draft.reason = exchange.response.status, exchange.response.reason
        draft.received, draft.received_content = list(exchange.response.fields), exchange.response.content
    draft.started, draft.resolution = exchange.started, 1.0
    drafts.found.append(draft)


def _jmeter(sample: ET.Element, _: int, drafts: Drafts) -> None:
    draft = jmeter_draft(sample)
    if draft is not None:
        drafts.found.append(draft)


_READERS: Final = {"transaction": _charles, "item": _burp, SAMPLE: _jmeter}
