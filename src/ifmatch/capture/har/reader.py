"""Read HAR 1.2 as browsers, proxies and recorders write it.

Entries are decoded one by one: an entry that cannot be read is a warning, not the end of the file, and a
file that is cut gives what was whole.
"""

from __future__ import annotations

import gc
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from ifmatch.capture.har.exchanges import EntryReader, entry_of, withheld_fields
from ifmatch.capture.har.records import File
from ifmatch.capture.har.split import DamagedError, EntrySplitter
from ifmatch.errors import InputError
from ifmatch.model.exchange import Capture, CaptureWarning
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from typing import BinaryIO

    from ifmatch.capture.har.records import Entry

__all__ = ["LIMIT", "looks_like_har", "read_har"]

# Octets of a file that is taken whole; larger ones are gone through in two passes.
LIMIT: Final = 8 * 1024 * 1024
_HEAD = late_pattern(rb'^\s*\{\s*"(?:log"\s*:\s*\{|\$schema")')
_LOG_SOMEWHERE = late_pattern(rb'"log"\s*:\s*\{')
_ADVICE: Final = "In the browser's developer tools, Network panel, use `Save all as HAR`, and give that file"


def looks_like_har(head: bytes) -> bool:
    """Tell by its first octets whether a file is HAR.

    Args:
        head: the beginning of the file, UTF-8, with or without a byte order mark.
    """
    head = head.removeprefix(b"\xef\xbb\xbf")
    if _HEAD.match(head):
        return True
    return (
        head.lstrip()[:1] == b"{" and _LOG_SOMEWHERE.search(head[:65536]) is not None and b'"entries"' in head
    )


def read_har(stream: BinaryIO, name: str) -> Capture:
    """Read a HAR file.

    Args:
        stream: binary stream at the start of the file; UTF-8 with or without a byte order mark.
        name: name of the source as the user gave it.

    Returns:
        The exchanges with the entry numbers of the file; what could not be read is a warning.

    Raises:
        InputError: the file is no HAR, or none of its entries is whole.

    Source: HTTP Archive 1.2.
    """
    start = stream.tell()
    if stream.seek(0, io.SEEK_END) - start > LIMIT:
        from ifmatch.capture.har.stream import read_giant  # noqa: PLC0415 - few files are so large

        stream.seek(start)
        return read_giant(stream, name)
    stream.seek(start)
    data = stream.read()
    data = data.removeprefix(b"\xef\xbb\xbf")
    collecting = gc.isenabled()
    # Nothing that is built here refers back to itself: collecting only costs time.
    gc.disable()
    try:
        return _read(data, name)
    finally:
        if collecting:
            gc.enable()


# A half of a surrogate pair alone, as JavaScript writes what is no text. The backslash is not itself
# escaped; the replacement is as long, so that offsets stay.
_LONE_SURROGATE = late_pattern(
    rb"((?<!\\)(?:\\\\)*)(?:\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)


def _read(data: bytes, name: str) -> Capture:
    if not data.strip():
        raise InputError("the file is empty", source=name, expected="a HAR file", advice=_ADVICE)
    try:
        file = msgspec.json.decode(data, type=File)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        mended = _LONE_SURROGATE.sub(rb"\1\\ufffd", data)
        if mended == data:
            return _read_cut(data, name, str(error))
        read = _read(mended, name)
        text = "characters that are halves of others (lone surrogates, RFC 8259 section 8.2) were replaced"
        return replace(read, warnings=(*read.warnings, CaptureWarning(text)))
    log = file.log
    if log is None or log.entries is None:
        raise _no_har(data, name)
    reader = EntryReader(name, withheld_fields(data, log.creator))
    for number, raw in enumerate(log.entries):
        reader.read(number, raw)
    return Capture(name, "har", tuple(reader.exchanges), tuple(reader.warnings))


def _read_cut(data: bytes, name: str, why: str) -> Capture:
    """Read the whole entries of a file that ends early or is damaged in the middle."""
    splitter = EntrySplitter(io.BytesIO(data), _entry, chunk=len(data) + 1)
    if splitter.preface is None:
        raise _no_har(data, name, why)
    reader = EntryReader(name, frozenset())
    number = damaged = 0
    try:
        for offset, _, entry in splitter:
            if entry is None:
                reader.warn(number, "the entry is damaged; it is skipped", offset)
                damaged += 1
            else:
                reader.add(number, entry)
            number += 1
    except DamagedError:
        pass
    offset = splitter.offset
    whole = number - damaged
    reader.warn(
        None, f"the file is damaged or cut at octet {offset}: {whole} whole entries were read", offset
    )
    if not reader.exchanges:
        raise InputError(
            f"the file is cut before the end of its first entry ({why})",
            source=name,
            offset=offset,
            expected="at least one whole entry of log.entries",
            advice=_ADVICE,
        )
    return Capture(name, "har", tuple(reader.exchanges), tuple(reader.warnings))


def _entry(octets: bytes) -> Entry | None:
    """Read one entry of a damaged file, None when it is not one whole value."""
    try:
        return entry_of(json.loads(octets.decode("utf-8", "replace")))
    except (ValueError, RecursionError, msgspec.MsgspecError):
        return None


def _no_har(data: bytes, name: str, why: str = "") -> InputError:
    head = data[:4096]
    if b'"info"' in head and b'"item"' in head:
        text, advice = "this is a Postman collection, not a HAR file", "In Postman, save the responses as HAR"
    elif b'"openapi"' in head or b'"swagger"' in head:
        text, advice = "this is an OpenAPI document, not a HAR file", _ADVICE
    elif head.lstrip()[:1] != b"{":
        text, advice = "this is no JSON object", _ADVICE
    else:
        text, advice = "this JSON has no log.entries", _ADVICE
    if why:
        text += f" ({why})"
    return InputError(text, source=name, offset=0, expected='{"log": {"entries": [...]}}', advice=advice)
