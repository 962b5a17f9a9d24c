"""Hide in submitted forms: urlencoded and multipart.

Source: RFC 7578 (multipart/form-data); the URL standard for application/x-www-form-urlencoded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus, unquote_plus

from ifmatch.capture.redaction.header_fields import redact_field
from ifmatch.capture.redaction.json_text import looks_like_json, redact_json
from ifmatch.capture.redaction.masks import is_masked
from ifmatch.capture.redaction.vocabulary import is_secret_key
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.capture.redaction.masks import Hiding

_FORM: Final = late_pattern(
    r"[\w.%+\[\]*~:-]{1,100}=[^\s&\"<>]*(?:&[\w.%+\[\]*~:-]{0,100}(?:=[^\s&\"<>]*)?)*\s*", re.ASCII
)
_BOUNDARY: Final = late_pattern(r"boundary=(?:\"([^\"]{1,200})\"|([^\s;,]{1,200}))", re.IGNORECASE)
_FIRST_LINE: Final = late_pattern(r"--([^\r\n]{1,200})\r?\n")
_PART_NAME: Final = late_pattern(r"(?<![\w*])name=(?:\"([^\"]*)\"|([^\s;]+))", re.IGNORECASE)
_PART_TYPE: Final = late_pattern(r"^content-type:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_HEAD_END: Final = late_pattern(r"\r?\n\r?\n")


def looks_like_form(text: str) -> bool:
    """Tell whether a text is an urlencoded form."""
    return _FORM.fullmatch(text) is not None


def redact_form(text: str, hiding: Hiding) -> str:
    """Hide the values of an urlencoded form that have a telling name or the shape of a secret.

    Args:
        text: the form.
        hiding: how to hide.
    """
    return "&".join(_pair(one, hiding) for one in text.split("&"))


def _pair(pair: str, hiding: Hiding) -> str:
    name, equals, value = pair.partition("=")
    if not equals:
        shown = hiding.text(unquote_plus(pair))
        return pair if shown == unquote_plus(pair) else quote_plus(shown, safe="", errors="surrogatepass")
    plain = unquote_plus(value.rstrip("\r\n"))
    if not plain or is_masked(plain):
        return pair
    if is_secret_key(_last_key(unquote_plus(name))):
        shown = hiding.mask(plain)
    elif hiding.mask_scalars:
        shown = hiding.mask(plain, certain=False)
    else:
        shown = redact_json(plain, hiding) if looks_like_json(plain) else hiding.text(plain)
    shown_name = hiding.tokens(unquote_plus(name))
    left = (
        name if shown_name == unquote_plus(name) else quote_plus(shown_name, safe="", errors="surrogatepass")
    )
    return f"{left}={value if shown == plain else quote_plus(shown, safe='', errors='surrogatepass')}"


def _last_key(name: str) -> str:
    """Return the innermost name of `user[password]`."""
    inner = name.rstrip("]").rpartition("[")[2]
    return inner or name.partition("[")[0]


def boundary_of(content_type: str, text: str) -> str | None:
    """Return the boundary of a multipart text, from its type or else its first line; None without one."""
    found = _BOUNDARY.search(content_type)
    if found is not None:
        return found.group(1) or found.group(2)
    first = _FIRST_LINE.match(text)
    return (
        first.group(1).rstrip()
        if first is not None and "content-disposition" in text[:2000].lower()
        else None
    )


def redact_multipart(
    text: str, boundary: str, hiding: Hiding, redact_text: Callable[[str, str, Hiding], str]
) -> str:
    """Hide in the parts of a multipart text.

    Args:
        text: the whole content.
        boundary: as named by the content type.
        hiding: how to hide.
        redact_text: hides in the text of a part; takes text, content type and `hiding`.
    """
    parts = text.split("--" + boundary)
    return ("--" + boundary).join(
        [hiding.text(parts[0]), *(_part(one, hiding, redact_text) for one in parts[1:])]
    )


def _part(part: str, hiding: Hiding, redact_text: Callable[[str, str, Hiding], str]) -> str:
    if part.startswith("--"):
        return "--" + hiding.text(part[2:])
    split = _HEAD_END.search(part)
    if split is None:
        return hiding.text(part)
    head, blank, content = part[: split.start()], split.group(), part[split.end() :]
    inner = content.removesuffix("\n").removesuffix("\r")
    name = _PART_NAME.search(head)
    media = _PART_TYPE.search(head)
    if name is not None and is_secret_key(_last_key(name.group(1) or name.group(2) or "")):
        shown = hiding.mask(inner)
    else:
        shown = redact_text(inner, media.group(1) if media is not None else "", hiding)
    return _head(head, hiding) + blank + shown + content[len(inner) :]


def _head(head: str, hiding: Hiding) -> str:
    lines = head.split("\n")
    for number, line in enumerate(lines):
        name, colon, value = line.partition(":")
        text = value.strip()
        if colon and text:
            lines[number] = name + colon + value.replace(text, redact_field(name.strip(), text, hiding), 1)
    return "\n".join(lines)
