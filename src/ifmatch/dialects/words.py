"""Words by which names of members say that they hold a version, and words as they are read; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    import re

__all__ = ["VERSION", "spoken"]

# What follows the word for a version in English, and is of it; elsewhere that is what has the version.
_OF_IT: Final = (
    r"date|time|author|editor|user|name|notes?|history|info|count|control|label|type|url|link|comment|status|state"
    r"|limit|max|min|list|kind|scheme|schema|format|policy|mode|check|conflict|mismatch|error|required|range|title"
    r"|text|desc\w*|created|changed|updated|tag|number|code|key|hash|prefix|suffix|api|app|client|server|log|set"
    r"|before|after|from|since|until|new|old|next|prev\w*|expected|current|latest|actual|was|now|sent|given|seen"
)
VERSION: Final = Words(
    r"(?:^|[-_/. $@:]|(?<=[a-z]))(?:versions?|revisions?|rev|e-?tag|generation|lock|stamp|checksum|sequence"
    r"|seq|hash|fingerprint"
    r"|change_?(?:number|token|tag|key)|sync_?token"
    r"|mod_?count"
    rf")$|^(?:version|revision)(?:_(?=\w)|(?-i:(?=[A-Z])))(?!(?:{_OF_IT})(?:_|$|(?-i:(?=[A-Z]))))\w{{3,30}}$|^(?:v|ver|vsn)$|(?:row|rec|record|doc|obj|[-_])_?ver$"
)
_ESCAPED: Final = late_pattern(r"(?<!\\)(?:\\u[0-9a-fA-F]{4})+")
_ASCII: Final = 0x80


def spoken(text: str) -> str:
    r"""Return a text with the letters that JSON writes as escapes; signs of JSON stay escaped.

    Args:
        text: JSON, or any other text.

    Source: RFC 8259 section 7 (`\uXXXX`, with pairs for what lies beyond the basic plane).
    """
    return _ESCAPED.sub(_letters, text) if "\\u" in text else text


def _letters(found: re.Match[str]) -> str:
    units = [int(one, 16) for one in found[0].split("\\u")[1:]]
    if any(unit < _ASCII for unit in units):
        return found[0]
    octets = b"".join(unit.to_bytes(2, "big") for unit in units)
    return octets.decode("utf-16-be", "replace")
