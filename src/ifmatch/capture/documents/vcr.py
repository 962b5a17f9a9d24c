"""Read cassettes: vcrpy and VCR (YAML), betamax (JSON), go-vcr (YAML).

YAML needs PyYAML, the extra `vcr`; JSON cassettes are read without. Cassettes hold no times but for those of
VCR and betamax, and what their author filtered out is not in them.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, cast

from ifmatch.capture.base.captured_content import from_unchunked
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
from ifmatch.capture.base.moments import iso_moment
from ifmatch.capture.documents.vcr_yaml import YamlError, load_yaml
from ifmatch.errors import InputError
from ifmatch.model.json_values import members_in
from ifmatch.model.message import Content, Fields
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture
    from ifmatch.model.unknown import UnknownType

__all__ = ["read_vcr"]

# PyYAML without its C part reads a megabyte a second.
YAML_LIMIT: Final = 64 * 1024 * 1024
_INTERACTION: Final = re.compile(r"(?m)^(?:\s{0,8}- request:|\s{0,8}- id: \d+\s*$)")
_ADVICE: Final = "Record the cassette anew, or record the traffic as HAR"
# vcrpy and go-vcr write the version, VCR and betamax the program's name.
_ENDINGS: Final = ("version", "recorded_with")
_LIST_NAMES: Final = ("interactions", "http_interactions")


def read_vcr(stream: BinaryIO, name: str) -> Capture:
    """Read a cassette.

    Args:
        stream: binary stream at the start of the file.
        name: name of the source as the user gave it.

    Raises:
        InputError: no interaction in it can be read, or it is larger than 256 MiB (YAML: 64).
        MissingExtraError: it is YAML, and PyYAML is not installed.
    """
    data = read_limited(stream, name, what="cassette")
    drafts = Drafts(name)
    interactions = _from_json(drafts, data) if data.lstrip()[:1] == b"{" else _from_yaml(drafts, data, name)
    for position, one in enumerate(interactions):
        _interaction(drafts, position, one)
    return drafts.capture("vcr", nothing="no interaction of this cassette can be read", advice=_ADVICE)


def _listed(value: object) -> list[dict[str, object]]:
    cassette = members_in(value)
    for key in _LIST_NAMES:
        if key in cassette:
            return objects(cassette[key])
    return []


def _from_json(drafts: Drafts, data: bytes) -> list[dict[str, object]]:
    value = load(data)
    if value is not None:
        return _listed(value)
    found = [one for key in _LIST_NAMES for one in objects(whole_objects(data, key))]
    drafts.warn(f"the file is damaged or cut: {len(found)} whole interactions were read")
    return found


def _from_yaml(drafts: Drafts, data: bytes, name: str) -> list[dict[str, object]]:
    if len(data) > YAML_LIMIT:
        raise InputError(
            f"the cassette is larger than {YAML_LIMIT // 1024 // 1024} MiB",
            source=name,
            advice="Cut it to the interactions around the failure",
        )
    source = data.decode("utf-8", "replace")
    try:
        cassette = members_in(load_yaml(source, "reading YAML cassettes"))
    except YamlError as error:
        end = len(source) if error.position is None else error.position
    else:
        if not any(key in cassette for key in _ENDINGS):
            drafts.warn("the file seems to be cut: the end that a cassette has is missing")
        return _listed(cassette)
    # What is whole stands before the interaction that holds the damage.
    starts = [found.start() for found in _INTERACTION.finditer(source, 0, end)]
    found: list[dict[str, object]] = []
    for start in reversed(starts[-2:]):
        try:
            found = _listed(load_yaml(source[:start], "reading YAML cassettes"))
        except YamlError:
            continue
        break
    drafts.warn(f"the file is damaged or cut: {len(found)} whole interactions were read")
    return found


def _interaction(drafts: Drafts, position: int, record: dict[str, object]) -> None:
    request, response = members_in(record.get("request")), members_in(record.get("response"))
    url = text(request.get("uri")) or text(request.get("url"))
    method = text(request.get("method")).upper()
    if not url or not method:
        drafts.warn(f"interaction {position} was skipped: its request has no method or no URI")
        return
    entry = len(drafts.found)
    draft = Draft(method, url)
    draft.sent = header_pairs(request.get("headers"))
    draft.content = _content(drafts, entry, request, Fields(draft.sent))
    draft.status, draft.reason = _status(response)
    if draft.status:
        draft.received = header_pairs(response.get("headers"))
        draft.received_content = _content(drafts, entry, response, Fields(draft.received))
        version = (
            members_in(response).get("http_version") or response.get("protocol") or response.get("proto")
        )
        draft.response_version = text(version)
    else:
        draft.error = "no response in the cassette"
    draft.started, draft.resolution = _moment(text(record.get("recorded_at")))
    drafts.found.append(draft)


def _status(response: dict[str, object]) -> tuple[int, str]:
    status = response.get("status")
    if isinstance(status, dict):
        record = members_in(cast("object", status))
        code, reason = number(record.get("code")), text(record.get("message"))
    else:
        # go-vcr: `status: 412 Precondition Failed`, `code: 412`.
        code = number(response.get("code")) or number(text(status)[:3])
        reason = text(status).partition(" ")[2]
    return (int(code), reason) if code is not None and 100 <= code <= 599 else (0, "")


def _moment(value: str) -> tuple[float | None, float]:
    """Read `recorded_at`: an HTTP date (VCR) or ISO 8601 (betamax); it tells when the answer was there."""
    found = iso_moment(value)
    if found is not None:
        return found
    try:
        return parsedate_to_datetime(value).timestamp(), 1.0
    except (ValueError, TypeError, IndexError, OverflowError):
        return None, 1.0


def _content(
    drafts: Drafts, entry: int, message: dict[str, object], fields: Fields
) -> Content | UnknownType | None:
    body = message.get("body", UNKNOWN)
    if isinstance(body, dict):
        record = members_in(cast("object", body))
        packed = record.get("base64_string")
        if isinstance(packed, str):
            try:
                return _decoded(drafts, entry, base64.b64decode(packed), fields)
            except (binascii.Error, ValueError):
                return UNKNOWN
        # A serializer of one's own may take JSON apart: `data`.
        body = record.get("string", _opened(record["data"]) if "data" in record else UNKNOWN)
    if body is None or body in ("", b""):
        return None
    if isinstance(body, bytes):
        return _decoded(drafts, entry, body, fields)
    if isinstance(body, str):
        # Some serializers write octets beyond ASCII as they are; compressed content is always binary.
        return Content.from_text(body)
    return UNKNOWN


def _opened(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _decoded(drafts: Drafts, entry: int, octets: bytes, fields: Fields) -> Content | UnknownType | None:
    if not octets:
        return None
    read = from_unchunked(octets, fields)
    if read.warning:
        drafts.warn(read.warning, entry=entry)
    return read.content
