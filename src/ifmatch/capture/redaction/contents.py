"""Hide in the content of messages, whatever its format."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.redaction.forms import boundary_of, looks_like_form, redact_form, redact_multipart
from ifmatch.capture.redaction.json_text import looks_like_json, redact_json
from ifmatch.capture.redaction.markup import looks_like_markup, redact_markup
from ifmatch.capture.redaction.patterns import decode_run, text_of
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from ifmatch.capture.redaction.masks import Hiding

_ONE_RUN: Final = late_pattern(r"[A-Za-z0-9+/_-]{20,}={0,2}\s*")
_BINARY_TYPE: Final = late_pattern(
    r"(?:image/(?!svg)|audio/|video/|font/|application/(?:octet-stream|zip|gzip|pdf|wasm|x-protobuf|grpc))",
    re.IGNORECASE,
)


def redact_content(content: Content, content_type: str, hiding: Hiding) -> Content:
    """Hide what is secret in content; binary content is replaced by its mask.

    Args:
        content: decoded from its content coding as far as the capture allows.
        content_type: value of Content-Type, "" when unknown.
        hiding: how to hide.

    Returns:
        The same object when nothing had to be hidden.
    """
    text = _text_of(content, content_type)
    if text is None:
        if not content.octets:
            return content
        return Content.from_text(
            hiding.mask(content.octets.decode("latin-1"), certain=False), complete=content.complete
        )
    shown = redact_text(text, content_type, hiding)
    return (
        content
        if shown == text and _is_plain(content)
        else Content.from_text(shown, complete=content.complete)
    )


def _text_of(content: Content, content_type: str) -> str | None:
    octets = content.octets
    plain = text_of(octets)
    if plain is not None:
        return plain
    binary = _BINARY_TYPE.match(content_type) is not None or b"\0" in octets[:4096]
    if binary and "multipart" not in content_type.lower():
        return None
    return content.text if _is_mostly_text(octets) or "multipart" in content_type.lower() else None


def _is_plain(content: Content) -> bool:
    """Tell whether the text that was looked at is the content itself, not something decompressed from it."""
    return content.octets[:2] not in {b"\x1f\x8b", b"\x78\x9c", b"\x78\x01", b"\x78\xda"}


def _is_mostly_text(octets: bytes) -> bool:
    """Tell whether octets are text in an old encoding rather than binary."""
    sample = octets[:4096]
    controls = sum((octet < 32 and octet not in b"\t\r\n") or 127 <= octet < 160 for octet in sample)
    return controls * 100 <= len(sample)


def redact_text(text: str, content_type: str, hiding: Hiding) -> str:
    """Hide in the text of a body or of a part of one.

    Args:
        text: the text.
        content_type: media type, "" to tell by the text.
        hiding: how to hide.
    """
    kind = content_type.partition(";")[0].strip().lower()
    boundary = boundary_of(content_type, text)
    if boundary is not None:
        return redact_multipart(text, boundary, hiding, redact_text)
    if kind == "application/x-www-form-urlencoded" and not looks_like_json(text):
        return redact_form(text, hiding)
    if kind.endswith(("/json", "+json", "ndjson", "json-seq")) or looks_like_json(text):
        return redact_json(text, hiding)
    if looks_like_markup(text):
        return redact_markup(text, hiding)
    if _ONE_RUN.fullmatch(text):
        decoded = decode_run(text.strip())
        if decoded is not None:
            return text if redact_text(decoded, "", hiding) == decoded else hiding.mask(text.strip())
    if not kind.startswith("text/") and looks_like_form(text):
        return redact_form(text, hiding)
    if hiding.mask_scalars:
        return hiding.mask(text, certain=False)
    return hiding.text(text)
