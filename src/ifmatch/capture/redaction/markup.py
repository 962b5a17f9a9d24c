"""Hide in XML and HTML: elements, attributes and form inputs with telling names."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.redaction.masks import is_masked
from ifmatch.capture.redaction.vocabulary import is_secret_key
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.capture.redaction.masks import Hiding

_PIECE: Final = late_pattern(r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<[^<>]*>|[^<]+|<", re.DOTALL)
_NAME: Final = late_pattern(r"</?([A-Za-z_][\w:.-]*)")
_ATTRIBUTE: Final = late_pattern(r"([A-Za-z_:][\w:.-]*)(\s*=\s*)(\"[^\"]*\"|'[^']*'|[^\s\"'>]+)")
_NAMING: Final = frozenset({"name", "id", "key", "property", "http-equiv", "field", "itemprop"})
_VALUES: Final = frozenset({"value", "content", "default"})
_VOID: Final = frozenset({"input", "meta", "br", "img", "link", "hr"})


def looks_like_markup(text: str) -> bool:
    """Tell whether a text starts as XML or HTML does."""
    head = text[:200].lstrip("\ufeff \t\r\n")
    return head[:1] == "<" and (head[1:2].isalpha() or head[1:2] in {"?", "!", "_"})


def redact_markup(text: str, hiding: Hiding) -> str:
    """Hide the content of telling elements, the values of telling attributes, and secrets by their shape.

    Args:
        text: XML or HTML, well formed or not.
        hiding: how to hide.
    """
    parts: list[str] = []
    inside = ""  # the outermost telling element that is open
    depth = 0
    for found in _PIECE.finditer(text):
        piece = found.group()
        name = _NAME.match(piece)
        if name is None:
            parts.append(_text(piece, hiding, secret=bool(inside)))
            continue
        element = name.group(1)
        opens = piece[1] != "/" and not piece.endswith("/>") and element.lower() not in _VOID
        if not inside and opens and is_secret_key(element.rpartition(":")[2]):
            inside, depth = element, 1
        elif inside == element:
            depth += 1 if opens else -1 if piece[1] == "/" else 0
            inside = inside if depth > 0 else ""
        parts.append(_tag(piece, name.end(), hiding))
    return "".join(parts)


def _text(piece: str, hiding: Hiding, *, secret: bool) -> str:
    cdata = piece.startswith("<![CDATA[")
    inner = piece[9:].removesuffix("]]>") if cdata else piece
    stripped = inner.strip()
    if not stripped or piece == "<":
        return piece
    if piece.startswith("<!--"):
        return hiding.text(piece)
    plain = stripped if cdata else html.unescape(stripped)
    if secret:
        shown = hiding.mask(plain)
    elif hiding.mask_scalars:
        shown = hiding.mask(plain, certain=False)
    else:
        shown = hiding.text(plain)
    if shown == plain or is_masked(plain):
        return piece
    return piece.replace(stripped, shown if cdata else html.escape(shown, quote=False), 1)


def _tag(tag: str, start: int, hiding: Hiding) -> str:
    attributes = list(_ATTRIBUTE.finditer(tag, start))
    named = {one.group(1).lower(): html.unescape(one.group(3).strip("\"'")) for one in attributes}
    telling = any(is_secret_key(value) for name, value in named.items() if name in _NAMING)
    parts: list[str] = []
    done = 0
    for one in attributes:
        parts += [tag[done : one.start(3)], _value(one, hiding, telling=telling)]
        done = one.end(3)
    return "".join([*parts, tag[done:]])


def _value(attribute: re.Match[str], hiding: Hiding, *, telling: bool) -> str:
    name, raw = attribute.group(1).lower(), attribute.group(3)
    quote = raw[0] if raw[0] in "\"'" else ""
    plain = html.unescape(raw[1:-1] if quote else raw)
    if not plain or is_masked(plain):
        return raw
    if is_secret_key(name.rpartition(":")[2]) or (telling and name in _VALUES):
        shown = hiding.mask(plain)
    else:
        shown = hiding.text(plain)
    return raw if shown == plain else f"{quote}{html.escape(shown, quote=True)}{quote}"
