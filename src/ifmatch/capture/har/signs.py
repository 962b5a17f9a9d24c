"""Tell what one entry of a giant HAR shows: bits, and hashes of what it names.

Source of the terms: RFC 9110 sections 8.8.3, 9.2.1, 13.1 and 15.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import msgspec

from ifmatch.model.late import late_pattern
from ifmatch.model.places import joined

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "ANSWERED",
    "BATCH",
    "BATCHES",
    "BRIEF",
    "DONE",
    "NOT_MODIFIED",
    "ODD",
    "ORIGIN",
    "POSTS",
    "PRESENTS",
    "REFUSED",
    "SAFE",
    "SIGNS_OF_STATUS",
    "UNANSWERED",
    "UNTYPED",
    "WRITES",
    "Content",
    "Entry",
    "Request",
    "Response",
    "decode_entry",
    "fingerprint",
    "is_asset_name",
    "is_long_text",
    "place_of",
    "read_entry",
    "read_request",
    "related",
    "says_no",
    "sign_of_conditions",
    "sign_of_write",
    "tokens_in",
    "validator_in",
    "validator_of",
]

_ENDS: Final = 200
# What an entry shows, a bit each.
REFUSED: Final = 1
WRITES: Final = 2
ODD: Final = 4
NOT_MODIFIED: Final = 8
PRESENTS: Final = 16
ANSWERED: Final = 32
POSTS: Final = 64
BATCH: Final = 128

ORIGIN: Final = late_pattern(r"\A\w+://[^/]*")
DONE: Final = frozenset({200, 204})
_REFUSALS: Final = frozenset({400, 403, 409, 410, 412, 416, 417, 422, 423, 424, 428, 501})
# What a read shows by its status.
SIGNS_OF_STATUS: Final[dict[float | None, int]] = {
    200: ANSWERED, 206: ODD, 304: NOT_MODIFIED, 400: ODD, 409: REFUSED, 410: REFUSED, 412: REFUSED,
    416: ODD, 428: REFUSED,
}  # fmt: skip
# How the addresses of many writes in one end.
BATCHES: Final = ("batch", "bulk")
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "CONNECT"})
_CONDITION: Final = late_pattern(rb"if-(?:match|unmodified-since|range)")
_VALIDATOR: Final = late_pattern(
    rb'"(?:etag|last-modified)"\s*,\s*"value"\s*:\s*"((?:[^"\\]++|\\.)*+)"', re.IGNORECASE
)
_PLAIN_TAG: Final = late_pattern(rb'"[A-Za-z-]+"\s*,\s*"value"\s*:\s*"[^"\\]*\\"([^"\\]*)\\"')
# With what each of the following begins, in lower case.
_CONDITIONAL: Final = b'"if-'
_TOKENS: Final = late_pattern(
    rb'"if-(?:none-)?match"\s*,\s*"value"\s*:\s*"((?:[^"\\]++|\\.)*+)"', re.IGNORECASE
)
_COPIED: Final = late_pattern(
    rb'"(?:x-(?:ms|amz|goog)-copy-source|destination)"\s*,\s*"value"\s*:\s*"([^"\\]{1,2000})"', re.IGNORECASE
)
_LOCATION: Final = late_pattern(rb'"location"\s*,\s*"value"\s*:\s*"([^"\\]{1,2000})"', re.IGNORECASE)
_ACTION: Final = late_pattern(r"(?<=[^/:]):[A-Za-z]{3,60}\Z")
_NAMED: Final = late_pattern(r"(?:^|&)(?:name|key|object)=([^&]{1,400})")
# A success that says no; its content is JSON within JSON, so quotes have a backslash.
_FLAGGED: Final = late_pattern(
    rb'"(?:success|ok|done|succeeded|accepted|saved|applied)\\?"\s*:\s*false|\A"(?:\\[nrt]|\s)*false(?:\\[nrt]|\s)*"\Z'
)
_SAYS_NO: Final = (
    b"conflict", b"mismatch", b"stale", b"outdated", b"newer version", b"precondition", b"out of sequence",
    b"failed", b"rejected", b"skipped", b"not applied", b"already ",
)  # fmt: skip
# What every visitor gets, and no service changes by a request.
_ASSETS: Final = frozenset({
    "js", "jsx", "mjs", "mjsx", "css", "map", "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "ico",
    "bmp", "woff", "woff2", "ttf", "otf", "eot", "wasm", "mp3", "mp4", "webm", "ogg",
})  # fmt: skip
# Longer text, in octets, is no list, record or page unless it begins like one.
BRIEF: Final = 2048
_BLANKS: Final = b'" \\nrt'
_OPENINGS: Final = b"{[<"
# No refusal is longer, in octets.
_SHORT: Final = 16_384
_TAG: Final = late_pattern(rb'\\"([^"\\]*)\\"')


class Request(msgspec.Struct, gc=False):
    """The request, as far as it is looked at."""

    method: str | None = None
    url: str | None = None
    headers: msgspec.Raw = msgspec.field(default=msgspec.Raw())


class Content(msgspec.Struct, gc=False):
    """The content of an answer; its text stays as it stands in the file."""

    size: int | float | None = None
    text: msgspec.Raw = msgspec.field(default=msgspec.Raw())


class Response(msgspec.Struct, gc=False):
    """The answer, as far as it is looked at."""

    status: int | float | None = None
    headers: msgspec.Raw = msgspec.field(default=msgspec.Raw())
    content: Content | None = None


class Entry(msgspec.Struct, gc=False):
    """One entry, as far as it is looked at; its request stays as it stands in the file."""

    request: msgspec.Raw = msgspec.field(default=msgspec.Raw())
    response: Response | None = None


# Fails where an entry is not whole, or has members of other types than HAR has; see `read_entry`.
decode_entry: Final = msgspec.json.Decoder(Entry).decode
_decode_request = msgspec.json.Decoder(Request).decode
UNTYPED: Final = Entry()
UNANSWERED: Final = Response()


def read_entry(octets: bytes) -> Entry | None:
    """Read one entry as far as the survey needs it.

    Args:
        octets: of the entry.

    Returns:
        None when it is not one JSON object.
    """
    try:
        return decode_entry(octets)
    except msgspec.ValidationError:
        # Whole, with members of other types than HAR has: looked at in full later.
        return UNTYPED
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def read_request(octets: bytes) -> Request | None:
    """Read the request of an entry.

    Args:
        octets: of the request.

    Returns:
        None when there is nothing to go by: no request, without method or URL, or members of other types.
    """
    try:
        request = _decode_request(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return None if request.method is None or request.url is None else request


def is_asset_name(url: str) -> bool:
    """Tell whether a URL names a script, a picture or another file that tells nothing of a resource's story.

    Args:
        url: without its query.
    """
    return url.rpartition(".")[2].lower() in _ASSETS


def is_long_text(content: Content | None) -> bool:
    """Tell whether an answer is a longer text that is no list, record or page.

    Args:
        content: of the answer.
    """
    if content is None or len(content.text) <= BRIEF:
        return False
    octets = memoryview(content.text)
    return octets[1] not in _OPENINGS and bytes(octets[:16]).lstrip(_BLANKS)[:1] not in _OPENINGS


def sign_of_conditions(names: bytes, *, full: bool) -> int:
    """Return what a read shows by its conditions: one that did not hold, or was not heeded.

    Args:
        names: its fields in lower case.
        full: whether it was answered in full; If-Match at a read is odd in any case.

    Source: RFC 9110 section 13.1.
    """
    return ODD if b"if-" in names and (full or _CONDITION.search(names) is not None) else 0


def tokens_in(sent: bytes, names: bytes) -> frozenset[int]:
    """Return hashes of the tags that a request presents.

    Args:
        sent: the list of its fields, as it stands in the file; the whole request will do.
        names: the same in lower case.
    """
    at = names.find(_CONDITIONAL)
    values = _TOKENS.findall(sent, at) if at >= 0 else ()
    return frozenset(hash(one) for value in values for one in _TAG.findall(value) or [value])


def says_no(response: Response | None) -> bool:
    """Tell whether the content of a success may speak of a refusal.

    Args:
        response: with its content as it stands in the file.
    """
    if response is None or response.content is None:
        return False
    text = memoryview(response.content.text)
    if len(text) > _SHORT:
        return False
    # Words are looked for in a tenth of the time that an expression for all of them takes.
    lowered = text.tobytes().lower()
    if any(map(lowered.__contains__, _SAYS_NO)):
        return True
    return b"false" in lowered and _FLAGGED.search(lowered) is not None


def validator_of(received: bytes) -> int:
    """Return a hash of the ETag, else of Last-Modified, 0 without either.

    Args:
        received: the list of the fields of an answer, as it stands in the file.

    Source: RFC 9110 sections 8.8.2 and 8.8.3.
    """
    return validator_in(received)[0]


def validator_in(received: bytes) -> tuple[int, bytes]:
    """Return the hash of `validator_of`, and the line of a plain tag.

    Args:
        received: the list of the fields of an answer, as it stands in the file.

    Returns:
        The hash; and octets: an answer that holds them has this tag. There are none for other validators.
    """
    # A look for the name alone is cheap; most entries need no more. Most programs write it as here, nearly
    # all tags are strong and plain, and stand there as most programs write them.
    at = received.find(b'"ETag"')
    found = _PLAIN_TAG.match(received, at) if at >= 0 else None
    if found is None:
        lowered = received.lower()
        at = lowered.find(b'"etag"')
        if at < 0:
            at = lowered.find(b'"last-modified"')
            found = _VALIDATOR.search(received, at) if at >= 0 else None
            return (hash(_opaque(found[1])), b"") if found is not None else (0, b"")
        found = _PLAIN_TAG.match(received, at)
    if found is not None:
        return hash(found[1]), found[0]
    # The name may stand there as a value first: as a field that scripts may read.
    found = _VALIDATOR.search(received, at)
    return (hash(_opaque(found[1])), b"") if found is not None else (0, b"")


def related(url: str, status: int, sent: bytes, names: bytes, received: bytes) -> Collection[int]:
    """Return the resources that a write was redirected to, or that it copies.

    Args:
        url: of the write.
        status: of its answer.
        sent: its fields, as they stand in the file.
        names: the same in lower case.
        received: the fields of the answer.
    """
    targets: list[bytes] = []
    if 300 <= status < 400:
        targets = _LOCATION.findall(received)[:1]
    elif b"copy-source" in names or b'"destination"' in names:
        targets = _COPIED.findall(sent)
    return [
        _place(joined(url, target.decode("utf-8", "replace")).partition("?")[0], "")[0] for target in targets
    ]


def fingerprint(content: Content | None) -> int:
    """Tell contents apart by their size and their ends; hashing all of a giant file would take a second.

    Args:
        content: of an answer.

    Returns:
        A hash; 0 without content.
    """
    if content is None or not content.text:
        return 0
    if len(content.text) <= 2 * _ENDS:
        return hash((content.size, bytes(content.text))) or 1
    octets = memoryview(content.text)
    return hash((content.size, octets[:_ENDS].tobytes(), octets[-_ENDS:].tobytes())) or 1


def sign_of_write(method: str, status: int, names: bytes) -> int:
    """Return what a write shows by its method, its status and its conditions.

    Args:
        method: of the request.
        status: of its answer.
        names: its fields in lower case.

    Source: RFC 9110 sections 9.2.1, 13.1 and 15.5.
    """
    sign = POSTS if method == "POST" else WRITES
    if status in _REFUSALS:
        sign |= REFUSED
    return sign | PRESENTS if b"if-" in names and _CONDITION.search(names) is not None else sign


def place_of(url: str, query: str) -> tuple[int, int, int]:
    """Return a resource, what contains it, and its name within that.

    Args:
        url: without its query.
        query: of the URL; uploads name in it what they write.
    """
    return _place(url, query if query and _NAMED.search(query) is not None else "")


@lru_cache(maxsize=16384)
def _place(url: str, query: str) -> tuple[int, int, int]:
    path = url.partition("#")[0]
    if "%" in path:
        path = unquote(path)
    # Some APIs write what is done to a resource behind a colon: it is the resource all the same.
    path = _ACTION.sub("", path.rstrip("/"))
    parent, _, leaf = path.rpartition("/")
    # Uploads name what they write in the query.
    named = _NAMED.search(query) if query else None
    if named is not None:
        leaf = unquote(named.group(1)).rpartition("/")[2]
    return hash(path), hash(parent), hash(leaf)


def _opaque(value: bytes) -> bytes:
    found = _TAG.search(value)
    return found.group(1) if found is not None else value
