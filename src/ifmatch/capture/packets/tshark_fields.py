"""Read packets as tshark takes them apart: `-T fields -E header=y`, `-T json`, `-T ek`, `-T pdml`.

A field is known by Wireshark's name of it, such as `http.request.method`. A row holds one message; an answer
belongs to the request of its connection that waits. Source: the manual page of tshark, the display filter
reference of http and http2.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from ifmatch.capture.base.captured_content import from_display
from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.json_values import LIMIT, read_limited
from ifmatch.capture.base.moments import iso_moment, shown_moment
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.capture.base.xml_elements import whole_elements
from ifmatch.capture.texts.text_source import decode
from ifmatch.model.message import Content, Fields

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

    Packet: TypeAlias = dict[str, list[str]]

__all__ = ["read_tshark"]

_LAYERS: Final = ("frame", "tcp", "ip", "ipv6", "http", "http2")
_LINE_END = re.compile(r"(?:\\r\\n|\r\n|\\n)[,;|]?")
# A line break of its own is one that a mail program made.
_BROKEN = re.compile(r"(?<!\r)\n\s*")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}): ?(.*)\Z", re.DOTALL)
_NAMED: Final = {
    "http.date": "Date", "http.last_modified": "Last-Modified", "http.cache_control": "Cache-Control",
    "http.location": "Location", "http.server": "Server", "http.content_encoding": "Content-Encoding",
    "http2.headers.etag": "ETag", "http2.headers.last_modified": "Last-Modified",
    "http2.headers.date": "Date", "http2.headers.vary": "Vary",
    "http2.headers.content_encoding": "Content-Encoding",
}  # fmt: skip
_NAMED_SENT: Final = {
    "http.user_agent": "User-Agent", "http.authorization": "Authorization", "http.cookie": "Cookie",
    "http2.headers.if_match": "If-Match", "http2.headers.if_none_match": "If-None-Match",
    "http2.headers.if_unmodified_since": "If-Unmodified-Since", "http2.headers.user_agent": "User-Agent",
    "http2.headers.if_modified_since": "If-Modified-Since",
}  # fmt: skip
_SEPARATORS: Final = "\t,;|"
_NAME: Final = re.compile(r"\b(?:frame|tcp|http2?)\.[\w.]+")
_DEPTH: Final = 40
_ADVICE: Final = (
    "Run: tshark -r FILE -Y http -T fields -E header=y -e frame.time_epoch -e tcp.stream "
    "-e http.request.method -e http.request.full_uri -e http.request.line -e http.response.code "
    "-e http.response.line -e http.file_data"
)


def read_tshark(stream: BinaryIO, name: str) -> Capture:
    """Read packets that tshark took apart.

    Args:
        stream: binary stream at the start of the text.
        name: name of the source as the user gave it.

    Raises:
        InputError: no packet of it shows a request or an answer, or it is larger than 256 MiB.
    """
    data = read_limited(stream, name, what="output of tshark", limit=LIMIT)
    drafts = Drafts(name)
    waiting: dict[str, list[Draft]] = {}
    skipped = 0
    for line, packet in _packets(data, drafts):
        # Several messages in one row cannot be told apart.
        if "," in _first(packet, "http.request.method") or "," in _first(packet, "http.response.code"):
            skipped += 1
            continue
        _message(drafts, waiting, packet, line)
    if skipped:
        drafts.warn(f"packets with several messages were skipped: {skipped}")
    if drafts.found and not any(draft.sent or draft.received for draft in drafts.found):
        drafts.warn("no fields are shown, so most causes cannot be told from it. " + _ADVICE)
    return drafts.capture("tshark", nothing="no packet shows a request or an answer", advice=_ADVICE)


def _packets(data: bytes, drafts: Drafts) -> Iterator[tuple[int | None, Packet]]:
    start = data.lstrip()[:1]
    if start == b"<":
        yield from ((None, packet) for packet in _of_pdml(data, drafts))
    elif start in {b"[", b"{"}:
        yield from ((None, packet) for packet in _of_json(decode(data)[0], drafts))
    else:
        yield from _of_table(decode(data)[0])


def _of_table(text: str) -> Iterator[tuple[int, Packet]]:
    lines = [line.rstrip("\r") for line in text.split("\n")]
    start = next((place for place, line in enumerate(lines[:20]) if len(_NAME.findall(line)) > 1), 0)
    heading = lines[start] if lines else ""
    sign = next((sign for sign in _SEPARATORS if sign in heading), "\t")
    quote = any('"' in line.split(sign)[0] for line in lines[start + 1 : start + 20])
    names = [cell.strip().strip("\"'") for cell in heading.split(sign)]
    for number, line in enumerate(lines[start + 1 :], start + 2):
        cells = _cells(line, sign) if quote else line.split(sign)
        yield number, {name: [cell] for name, cell in zip(names, cells, strict=False) if cell}


def _cells(line: str, sign: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(line), delimiter=sign), list[str]())
    except csv.Error:
        return line.split(sign)


def _of_pdml(data: bytes, drafts: Drafts) -> Iterator[Packet]:
    if b"<!ENTITY" in data:
        drafts.warn("this XML declares entities, which are not read")
        return
    for element in whole_elements(data, drafts):
        if element.tag == "packet":
            packet: Packet = {}
            for field in element.iter("field"):
                packet.setdefault(field.get("name", ""), []).append(field.get("show", ""))
            yield packet


def _of_json(text: str, drafts: Drafts) -> Iterator[Packet]:
    """Yield the packets of an array, or of objects a line; members of one name may repeat."""
    decoder = json.JSONDecoder(object_pairs_hook=_Pairs, strict=False)
    position = text.find("{")
    while position >= 0:
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            drafts.warn("the file is damaged or cut; what was whole is read")
            return
        packet: Packet = {}
        _collect(value, packet, 0)
        if packet:
            yield packet
        position = text.find("{", position)


class _Pairs(list[tuple[str, object]]):
    """The members of an object, in order, names repeated."""


def _collect(value: object, packet: Packet, depth: int) -> None:
    if not isinstance(value, _Pairs) or depth > _DEPTH:
        return
    for key, member in value:
        if isinstance(member, _Pairs):
            _collect(member, packet, depth + 1)
            continue
        name = _plain_name(key)
        values = cast("list[object]", member) if isinstance(member, list) else [member]
        packet.setdefault(name, []).extend(str(one) for one in values if isinstance(one, str | int | float))
        for one in values:
            _collect(one, packet, depth + 1)


def _plain_name(key: str) -> str:
    """Return Wireshark's name of a member: `-T ek` writes `http_http_request_method`."""
    layer, _, rest = key.partition("_")
    if "." in key or layer not in _LAYERS or not rest.startswith(layer):
        return key
    return _EK_NAMES.get(rest, rest.replace("_", ".", 1))


_EK_NAMES: Final = {
    name.replace(".", "_"): name
    for name in (
        "http.request.method", "http.request.uri", "http.request.full_uri", "http.request.line", "http.host",
        "http.response.code", "http.response.line", "http.response.phrase", "http.file_data", "tcp.stream",
        "frame.time_epoch", "frame.time", "http2.streamid", "http2.header.name", "http2.header.value",
        *_NAMED, *_NAMED_SENT,
    )
}  # fmt: skip


def _first(packet: Packet, *names: str) -> str:
    return next((packet[name][0] for name in names if packet.get(name)), "")


def _message(drafts: Drafts, waiting: dict[str, list[Draft]], packet: Packet, line: int | None) -> None:
    key = f"{_first(packet, 'tcp.stream', 'quic.stream')}/{_first(packet, 'http2.streamid')}"
    method = _first(packet, "http.request.method", "http2.headers.method")
    status = _first(packet, "http.response.code", "http2.headers.status")
    at = _moment(packet)
    if method and method.isupper():
        draft = Draft(method, _url(packet), line=line, sent_complete=False, received_complete=False)
        draft.framed = False
        draft.started, draft.resolution = at if at is not None else (None, 1.0)
        draft.sent, draft.sent_complete = _fields(packet, "http.request.line", _NAMED_SENT)
        draft.content = _content(packet, draft.sent) or draft.content
        drafts.found.append(draft)
        waiting.setdefault(key, []).append(draft)
    elif status.isascii() and status.isdigit() and 200 <= int(status) <= 599:
        waits = waiting.get(key)
        draft = waits.pop(0) if waits else Draft(line=line, sent_complete=False)
        if not waits and not draft.method:
            draft.url = _first(packet, "http.response_for.uri")
            drafts.found.append(draft)
        draft.status, draft.reason = int(status), _first(packet, "http.response.phrase")
        draft.received, draft.received_complete = _fields(packet, "http.response.line", _NAMED)
        draft.received_content = _content(packet, draft.received) or draft.received_content
        if at is not None and draft.started is not None and at[0] >= draft.started:
            draft.duration = at[0] - draft.started


def _url(packet: Packet) -> str:
    full = _first(packet, "http.request.full_uri", "http2.request.full_uri")
    if full:
        return full
    host = _first(packet, "http.host", "http2.headers.authority")
    scheme = _first(packet, "http2.headers.scheme") or "http"
    return target_uri(_first(packet, "http.request.uri", "http2.headers.path"), host, scheme=scheme)


def _moment(packet: Packet) -> tuple[float, float] | None:
    epoch = _first(packet, "frame.time_epoch")
    if re.fullmatch(r"1\d{9}\.\d{1,9}", epoch):
        return float(epoch), 1e-6
    return iso_moment(shown_moment(_first(packet, "frame.time")) or epoch)


def _fields(packet: Packet, lines: str, named: dict[str, str]) -> tuple[list[tuple[str, str]] | None, bool]:
    """Return the fields of a message, and whether they are all of them."""
    shown = [
        piece
        for cell in packet.get(lines, ())
        for piece in _LINE_END.split(_BROKEN.sub(" ", cell))
        if piece.strip()
    ]
    pairs = [(found[1], found[2].strip()) for piece in shown if (found := _FIELD.match(piece)) is not None]
    if pairs:
        # `-E occurrence=f` shows the first one only.
        return pairs, len(pairs) > 1 and len(pairs) == len(shown)
    names, values = (_parts(packet.get(f"http2.header.{part}", []), part) for part in ("name", "value"))
    if names and len(names) == len(values):
        both = [(key, value) for key, value in zip(names, values, strict=True) if not key.startswith(":")]
        return both or None, bool(both)
    found_named = [(field, _first(packet, key)) for key, field in named.items() if _first(packet, key)]
    return found_named or None, False


# Behind a comma a day or a date goes on, and so does a list of tags or of media types.
_VALUE_END = re.compile(r",(?! \d\d [A-Z][a-z]{2} \d{4})(?=\S)")


def _parts(cells: list[str], part: str) -> list[str]:
    """Return the names, or the values, of fields: one a cell, or all in one with commas between."""
    if len(cells) != 1:
        return cells
    return cells[0].split(",") if part == "name" else _VALUE_END.split(cells[0])


def _content(packet: Packet, fields: list[tuple[str, str]] | None) -> Content | None:
    """Return the content of a message, None where it is not shown."""
    text = _first(packet, "http.file_data")
    if not text or Fields(fields or ()).text("content-encoding"):
        # Shown decoded by some versions, as on the wire by others.
        return None
    if re.fullmatch(r"(?:[0-9a-f]{2}:?){2,}", text) and not text.isdecimal():
        octets = bytes.fromhex(text.replace(":", ""))
    else:
        octets = text.replace("\\r\\n", "\r\n").replace("\\n", "\n").encode("utf-8", "surrogatepass")
    read = from_display(octets, Fields(fields or ()))
    return read.content if isinstance(read.content, Content) else None
