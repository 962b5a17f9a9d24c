"""Quirks of encoders that compress what a server says: what they do to the tag.

Source: RFC 9110 section 8.8.3.3 (a content coding makes another representation, so another tag).
"""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ifmatch.reference.acceptance import quality
from ifmatch.reference.quirks.quirk import Around, Quirk
from ifmatch.reference.quirks.rewriting import renamed, retagged, weak

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.reference.application import PracticeServer
    from ifmatch.reference.messages import Answer, Handler, Request

__all__ = ["QUIRKS", "brotli"]

_BLOCK: Final = 0x10000


def brotli(octets: bytes) -> bytes:
    """Wrap octets as a Brotli stream, uncompressed: enough for a coding that clients undo.

    Source: RFC 7932 sections 9.1 and 9.2.
    """
    parts: list[bytes] = []
    for start in range(0, len(octets), _BLOCK):
        part = octets[start : start + _BLOCK]
        # The first block follows the one bit of the window size; both kinds fill three octets.
        shift = 1 if start == 0 else 0
        # Not last, four nibbles of length - 1, uncompressed.
        header = ((len(part) - 1) << 3 | 1 << 19) << shift
        parts.append(header.to_bytes(3, "little") + part)
    # Last and empty; in a stream without blocks behind the bit of the window size.
    return b"".join(parts) + (b"\x03" if parts else b"\x06")


_CODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": lambda octets: gzip.compress(octets, 6, mtime=0),
    "br": brotli,
}


async def _encoded(
    request: Request, forward: Handler, coding: str, rename: Callable[[str], str], *, on_head: bool = True
) -> Answer:
    """Forward a request, then compress a 200 as an encoder in front of the server does."""
    answer = await forward(request.without("accept-encoding"))
    asked = request.get("accept-encoding")
    if asked is None or quality(asked, coding) <= 0 or (request.method == "HEAD" and not on_head):
        return answer
    if answer.status != 200 or not request.is_read or answer.get("content-encoding") is not None:
        return answer
    changed = replace(renamed(answer, rename), octets=_CODERS[coding](answer.octets))
    return changed.without("Accept-Ranges").replacing("Content-Encoding", coding)


def _encoder(
    coding: str, rename: Callable[[str], str], *, on_head: bool = True, vary: bool = True
) -> Callable[[PracticeServer, str], Around]:
    def make(server: PracticeServer, value: str) -> Around:
        del server, value

        async def around(request: Request, forward: Handler) -> Answer:
            answer = await _encoded(request, forward, coding, rename, on_head=on_head)
            return answer if vary else answer.without("Vary")

        return around

    return make


def _suffix(suffix: str) -> Callable[[str], str]:
    return lambda tag: f'{tag[:-1]}{suffix}"'


def _caddy(server: PracticeServer, value: str) -> Around:
    del server, value

    async def around(request: Request, forward: Handler) -> Answer:
        def bare(mark: str, opaque: str) -> str:
            return f'{mark}"{opaque.removesuffix("-gzip")}"'

        asked = retagged(request, bare, ("if-none-match",))
        return await _encoded(asked, forward, "gzip", _suffix("-gzip"))

    return around


def _varnish(server: PracticeServer, value: str) -> Around:
    del server, value

    async def around(request: Request, forward: Handler) -> Answer:
        answer = await _encoded(request, forward, "gzip", weak)
        return renamed(answer, weak) if request.is_read else answer

    return around


_GZIP = "curl -i -H 'Accept-Encoding: gzip' -o /dev/null -D - $URL"

QUIRKS: Final = (
    Quirk(
        name="suffix-gzip",
        summary="An encoder puts -gzip into the tag and does not know it when it comes back.",
        cause="etag-suffix-rewrite",
        section="RFC 9110 section 8.8.3.3",
        seen_in="Apache httpd mod_deflate",
        curl=_GZIP,
        make=_encoder("gzip", _suffix("-gzip")),
    ),
    Quirk(
        name="suffix-br",
        summary="An encoder puts -br into the tag and does not know it when it comes back.",
        cause="etag-suffix-rewrite",
        section="RFC 9110 section 8.8.3.3",
        seen_in="Apache httpd mod_brotli",
        curl="curl -i -H 'Accept-Encoding: br' -o /dev/null -D - $URL",
        make=_encoder("br", _suffix("-br")),
    ),
    Quirk(
        name="suffix-df",
        summary="A compressing cache puts -df into the tag of GET; HEAD has the bare tag.",
        cause="etag-suffix-rewrite",
        section="RFC 9110 section 8.8.3.3",
        seen_in="Apache Traffic Server, compress plugin",
        curl=_GZIP,
        make=_encoder("gzip", _suffix("-df"), on_head=False),
    ),
    Quirk(
        name="suffix--gzip",
        summary="A servlet container puts --gzip into the tag and does not know it when it comes back.",
        cause="etag-suffix-rewrite",
        section="RFC 9110 section 8.8.3.3",
        seen_in="Jetty GzipHandler",
        curl=_GZIP,
        make=_encoder("gzip", _suffix("--gzip")),
    ),
    Quirk(
        name="suffix-half-undone",
        summary="The suffix -gzip is taken off again in If-None-Match, so 304 works, but not in If-Match.",
        cause="etag-suffix-rewrite",
        section="RFC 9110 section 13.1.1",
        seen_in="Caddy encode",
        curl=_GZIP,
        make=_caddy,
    ),
    Quirk(
        name="weaken-gzip",
        summary="An encoder marks the tag of what it compresses as weak; If-Match with it never holds.",
        cause="etag-weakened",
        section="RFC 9110 section 8.8.3.2",
        seen_in="nginx gzip, HAProxy compression",
        curl=_GZIP,
        make=_encoder("gzip", weak),
    ),
    Quirk(
        name="weaken-all",
        summary="The tag is marked as weak for every client, also for one that takes no gzip.",
        cause="etag-weakened",
        section="RFC 9110 section 8.8.3.2",
        seen_in="Varnish with do_gzip",
        curl="curl -i $URL",
        make=_varnish,
    ),
    Quirk(
        name="drop-gzip",
        summary="An encoder deletes the tag of what it compresses.",
        cause="validator-stripped",
        section="RFC 9110 section 7.7",
        seen_in="Envoy compressor, Apache httpd with DeflateAlterETag Remove",
        curl=_GZIP,
        make=_encoder("gzip", lambda _: ""),
    ),
    Quirk(
        name="same-tag-gzip",
        summary="The compressed and the plain content carry one strong tag.",
        cause="server-precondition-bug",
        section="RFC 9110 section 8.8.3.3",
        seen_in="Traefik compress, h2o compress, Caddy 2.6",
        curl=_GZIP,
        make=_encoder("gzip", lambda tag: tag),
    ),
    Quirk(
        name="no-vary",
        summary="The compressed content has a tag of its own, but no Vary tells caches so.",
        cause="representation-mismatch",
        section="RFC 9110 section 12.5.5",
        seen_in="hand-made gzip middleware",
        curl=_GZIP,
        make=_encoder("gzip", _suffix("-gzip"), vary=False),
    ),
)
