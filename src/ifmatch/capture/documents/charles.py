"""Read JSON sessions of Charles (`.chlsj`): every transaction with its times.

Source of the format: Charles 4 and 5, File > Export Session > JSON Session File.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.captured_content import from_unchunked
from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.json_values import (
    header_pairs,
    load,
    moment,
    number,
    read_limited,
    text,
    whole_objects,
)
from ifmatch.capture.base.moments import iso_moment
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.model.json_values import elements_in, members_in
from ifmatch.model.message import Content, Fields
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture
    from ifmatch.model.unknown import UnknownType

__all__ = ["read_charles"]

_ADVICE: Final = "In Charles use File > Export Session > JSON Session File, or HTTP Archive"


def read_charles(stream: BinaryIO, name: str) -> Capture:
    """Read a JSON session of Charles.

    Args:
        stream: binary stream at the start of the file.
        name: name of the source as the user gave it.

    Raises:
        InputError: no transaction with a request is in it, or it is larger than 256 MiB.
    """
    data = read_limited(stream, name, what="Charles session")
    drafts = Drafts(name)
    value = load(data)
    transactions = elements_in(value)
    if value is None:
        transactions = whole_objects(data, "")
        drafts.warn(f"the file is damaged or cut: {len(transactions)} whole transactions were read")
    for position, one in enumerate(transactions):
        _transaction(drafts, position, members_in(one))
    return drafts.capture(
        "charles", nothing="no transaction of this Charles session can be read", advice=_ADVICE
    )


def _transaction(drafts: Drafts, position: int, record: dict[str, object]) -> None:
    method, host, path = text(record.get("method")), text(record.get("host")), text(record.get("path"))
    if method == "CONNECT" or record.get("tunnel") is True:
        return
    if not method or not host:
        drafts.warn(f"transaction {position} was skipped: it has no method or no host")
        return
    scheme = text(record.get("scheme")) or "http"
    port = number(record.get("actualPort")) or number(record.get("port"))
    authority = host if port is None or port in {80, 443} else f"{host}:{int(port)}"
    query = text(record.get("query"))
    target = (path or "/") + (f"?{query}" if query else "")
    draft = Draft(method, target_uri(target, authority, scheme=scheme))
    sent, received = members_in(record.get("request")), members_in(record.get("response"))
    head = members_in(sent.get("header"))
    draft.sent = header_pairs(head.get("headers"))
    draft.request_version = text(record.get("protocolVersion"))
    entry = len(drafts.found)
    draft.content = _content(drafts, entry, sent, Fields(draft.sent))
    status = number(received.get("status"))
    if status is not None and 100 <= status <= 599:
        draft.status = int(status)
        head = members_in(received.get("header"))
        draft.received = header_pairs(head.get("headers"))
        draft.reason = text(head.get("firstLine")).partition(" ")[2].partition(" ")[2]
        draft.received_content = _content(drafts, entry, received, Fields(draft.received))
    else:
        draft.error = text(record.get("errorMessage")) or text(record.get("status")).lower() or "no response"
    _times(draft, record)
    remote = text(record.get("remoteAddress"))
    draft.peer = remote.rpartition("/")[2]
    client, client_port = text(record.get("clientAddress")), number(record.get("clientPort"))
    if client_port is not None:
        draft.connection = f"{client.rpartition('/')[2]}:{int(client_port)}"
    drafts.found.append(draft)


def _times(draft: Draft, record: dict[str, object]) -> None:
    times = members_in(record.get("times"))
    begun = iso_moment(text(times.get("requestBegin")) or text(times.get("start")))
    if begun is None:
        return
    draft.started, draft.resolution = begin = begun
    ended = iso_moment(text(times.get("end")))
    total = moment(members_in(record.get("durations")).get("total"), 1000)
    if ended is not None and ended[0] >= begin[0]:
        draft.duration = ended[0] - begin[0]
    else:
        draft.duration = total


def _content(
    drafts: Drafts, entry: int, message: dict[str, object], fields: Fields
) -> Content | UnknownType | None:
    body = members_in(message.get("body"))
    size = number(members_in(message.get("sizes")).get("body"))
    encoded = body.get("encoded")
    if isinstance(encoded, str):
        try:
            octets = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            drafts.warn("the content is no base64; it counts as not known", entry=entry)
            return UNKNOWN
        if body.get("decoded") is True:
            return Content.from_octets(octets)
        read = from_unchunked(octets, fields)
        if read.warning:
            drafts.warn(read.warning, entry=entry)
        return read.content
    if isinstance(body.get("text"), str):
        return Content.from_text(text(body.get("text")))
    return UNKNOWN if size else None
