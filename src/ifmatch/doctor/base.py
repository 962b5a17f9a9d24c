"""Find the content that an edit was made on, in recorded traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.doctor.failing import Failing
    from ifmatch.model.exchange import Exchange

__all__ = ["base_of"]


def base_of(failing: Failing, exchanges: Sequence[Exchange]) -> bytes | None:
    """Return the content that came with the token of a refused write, None when no recording holds it.

    Args:
        failing: the refused write.
        exchanges: of the case, in any order.
    """
    token = (failing.request.fields.text("if-match") or "").strip()
    if not token:
        return None
    wanted = _opaque(token)
    found: bytes | None = None
    for exchange in exchanges:
        response = exchange.response
        if (
            response is None
            or exchange.request.url != failing.request.url
            or response.status not in {200, 201}
        ):
            continue
        if _opaque((response.fields.text("etag") or "").strip()) != wanted:
            continue
        content = response.content
        if exchange.request.method == "GET" and isinstance(content, Content) and content.complete:
            return content.octets
        sent = exchange.request.content
        if exchange.request.method == "PUT" and isinstance(sent, Content):
            # With its tag in the answer, an own write was stored as sent (RFC 9110 section 9.3.4).
            found = sent.octets
    return found


def _opaque(tag: str) -> str:
    return tag.removeprefix("W/").strip('"').removesuffix("-gzip").removesuffix("-br")
