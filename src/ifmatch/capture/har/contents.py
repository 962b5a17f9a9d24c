"""Tell what the content of a HAR entry was: absent, known, or not recorded.

Source of the terms: RFC 9110 sections 6.4 and 8.4; HTTP Archive 1.2, postData and content.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from ifmatch.capture.base.decompression import decode_content
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN, UnknownType

if TYPE_CHECKING:
    from ifmatch.capture.har.records import RequestRecord, ResponseRecord
    from ifmatch.model.message import Fields

LIMIT: Final = 8 * 1024 * 1024
_WITHOUT_CONTENT: Final = frozenset({204, 205, 304})


def request_content(record: RequestRecord) -> tuple[Content | UnknownType | None, str]:
    """Return the content of a request, and what is to be said about it ("" when nothing).

    Args:
        record: as read.
    """
    data = record.postData
    if data is None:
        size = record.bodySize
        if size is not None and size > 0:
            return UNKNOWN, ""
        return None, ""
    if data.text:
        if len(data.text) > LIMIT:
            return UNKNOWN, f"the request's content is larger than {LIMIT} octets; it counts as not known"
        if (data.encoding or "").lower() == "base64":
            return Content.from_base64(data.text), ""
        return Content.from_text(data.text), ""
    if data.params:
        pairs = [(pair.name or "", pair.value or "") for pair in data.params]
        return Content.from_text(urlencode(pairs)), ""
    if (record.bodySize or 0) > 0:
        return UNKNOWN, ""
    return None, ""


def response_content(
    record: ResponseRecord, status: int, method: str, fields: Fields
) -> tuple[Content | UnknownType | None, str]:
    """Return the content of a response, and what is to be said about it ("" when nothing).

    Args:
        record: as read.
        status: of the response.
        method: of the request.
        fields: of the response.
    """
    body = record.content
    if method == "HEAD" or status in _WITHOUT_CONTENT:
        return None, ""
    if body is None:
        return UNKNOWN, ""
    if body.text is None or body.text == "":
        length = fields.text("content-length")
        empty = body.size == 0 or length == "0"
        if body.text == "" and (body.size or 0) <= 0 and length in {None, "0"}:
            empty = True
        return (None if empty else UNKNOWN), ""
    if len(body.text) > LIMIT * 4 // 3:
        return UNKNOWN, f"the response's content is larger than {LIMIT} octets; it counts as not known"
    if (body.encoding or "").lower() != "base64":
        return Content.from_text(body.text), ""
    return _from_base64(body.text, fields.text("content-encoding") or "")


def _from_base64(text: str, codings: str) -> tuple[Content | UnknownType | None, str]:
    """Decode base64; some recorders keep the content coding inside it."""
    if not codings or not text.startswith("H4sI"):
        return Content.from_base64(text), ""
    try:
        octets = base64.b64decode(text)
    except (binascii.Error, ValueError):
        return Content.from_base64(text), ""
    decoded = decode_content(octets, codings)
    if decoded is None:
        return UNKNOWN, f"the content cannot be decoded from {codings}; it counts as not known"
    return Content.from_octets(decoded[0], complete=decoded[1]), ""
