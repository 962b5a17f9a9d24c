"""Read mitmproxy flow files: every HTTP flow, whatever version of mitmproxy wrote it.

Source of the format: mitmproxy, `mitmproxy/io/compat.py` and the `get_state` of flows, read at version 11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.captured_content import from_unchunked
from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.capture.documents.tnetstrings import DamagedError, parse
from ifmatch.errors import InputError
from ifmatch.model.message import Content, Fields
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from typing import BinaryIO

    from ifmatch.capture.documents.tnetstrings import Value
    from ifmatch.model.exchange import Capture
    from ifmatch.model.unknown import UnknownType

__all__ = ["read_mitmproxy"]

LIMIT: Final = 256 * 1024 * 1024
_ADVICE: Final = "Record anew with `mitmdump -w FILE`, or convert: `mitmdump -nr FILE --set hardump=out.har`"


def read_mitmproxy(stream: BinaryIO, name: str) -> Capture:
    """Read a flow file.

    Args:
        stream: binary stream at the start of the file.
        name: name of the source as the user gave it.

    Raises:
        InputError: no whole HTTP flow is in it, or it is larger than 256 MiB.
    """
    data = stream.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise InputError(
            "the flow file is larger than 256 MiB",
            source=name,
            advice="Filter it: mitmdump -nr FILE -w SMALLER '~u PATH'",
        )
    drafts = Drafts(name)
    position = 0
    others = 0
    while position < len(data):
        try:
            flow, position = parse(data, position)
        except DamagedError as error:
            if not drafts.found:
                raise InputError(
                    f"the flow file is damaged or cut: {error.text}",
                    source=name,
                    offset=error.offset,
                    advice=_ADVICE,
                ) from None
            drafts.warn(
                f"the file is damaged or cut at octet {position} ({error.text}): "
                f"{len(drafts.found)} whole flows were read",
                offset=position,
            )
            break
        record = _dictionary(flow)
        if record.get("request") is not None and _text(record.get("type") or "http") == "http":
            _flow(drafts, record)
        else:
            others += 1
    if others:
        drafts.warn(f"{others} flows that are not HTTP were skipped")
    return drafts.capture("mitmproxy", nothing="no HTTP flow is in this flow file", advice=_ADVICE)


def _dictionary(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}


def _text(value: Value) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _moment(value: Value) -> float | None:
    """Return seconds since the epoch, None for what is no time between 1970 and 2223."""
    found = _number(value)
    return found if found is not None and 0 < found < 8e9 else None


def _fields(value: Value) -> list[tuple[str, str]]:
    pairs = value if isinstance(value, list) else []
    return [(_text(pair[0]), _text(pair[1])) for pair in pairs if isinstance(pair, list) and len(pair) == 2]


def _flow(drafts: Drafts, record: dict[str, Value]) -> None:
    sent, received = _dictionary(record["request"]), _dictionary(record.get("response"))
    entry = len(drafts.found)
    draft = Draft(method=_text(sent.get("method")))
    draft.sent = _fields(sent.get("headers"))
    fields = Fields(draft.sent)
    draft.url = _url(sent, fields)
    draft.content = _content(drafts, entry, sent, fields)
    draft.request_version = _version(sent)
    begun = _moment(sent.get("timestamp_start"))
    draft.started, draft.resolution = begun, 0.000001
    ended = _moment(sent.get("timestamp_end"))
    status = _number(received.get("status_code")) or _number(received.get("code"))
    if received and status is not None and 100 <= status <= 599:
        draft.status = int(status)
        draft.reason = _text(received.get("reason") or received.get("msg"))
        draft.received = _fields(received.get("headers"))
        draft.received_content = _content(drafts, entry, received, Fields(draft.received))
        draft.response_version = _version(received)
        ended = _moment(received.get("timestamp_end")) or ended
    error = _dictionary(record.get("error"))
    if not draft.status:
        draft.error = _text(error.get("msg")) or "no response"
        ended = _moment(error.get("timestamp")) or ended
    if begun is not None and ended is not None and ended >= begun:
        draft.duration = ended - begun
    _connection(draft, _dictionary(record.get("server_conn")), _dictionary(record.get("client_conn")))
    drafts.found.append(draft)


def _version(message: dict[str, Value]) -> str:
    version = message.get("http_version") or message.get("httpversion")
    if isinstance(version, list):
        return "HTTP/" + ".".join(str(part) for part in version)
    return _text(version)


def _url(sent: dict[str, Value], fields: Fields) -> str:
    scheme = _text(sent.get("scheme")) or "http"
    path = _text(sent.get("path"))
    # Through a reverse proxy `host` is the server behind; what the client asked for is in Host.
    authority = fields.text("host") or _text(sent.get("authority"))
    if not authority:
        host, port = _text(sent.get("host")), _number(sent.get("port"))
        authority = f"[{host}]" if ":" in host else host
        if port is not None and int(port) != {"https": 443}.get(scheme, 80):
            authority += f":{int(port)}"
    return target_uri(path, authority, scheme=scheme)


def _content(
    drafts: Drafts, entry: int, message: dict[str, Value], fields: Fields
) -> Content | UnknownType | None:
    octets = message.get("content")
    if octets is None:
        # mitmproxy writes null for content that it was told to stream.
        return UNKNOWN
    if not isinstance(octets, bytes) or not octets:
        return None
    read = from_unchunked(octets, fields)
    if read.warning:
        drafts.warn(read.warning, entry=entry)
    return read.content


def _connection(draft: Draft, server: dict[str, Value], client: dict[str, Value]) -> None:
    for key in ("peername", "ip_address", "address", "source_address"):
        address = server.get(key)
        if isinstance(address, dict):
            address = address.get("address")
        if isinstance(address, list) and len(address) >= 2 and isinstance(address[0], str | bytes):
            port = _number(address[1])
            draft.peer = f"{_text(address[0])}:{int(port)}" if port is not None else _text(address[0])
            break
    draft.connection = _text(client.get("id"))[:60]
