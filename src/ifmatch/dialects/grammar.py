"""Check a token against the grammar of its family."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from ifmatch.dialects.record import Grammar

__all__ = ["EXAMPLES", "fits"]

_TAG: Final = r'(?:W/)?"[^\x00-\x20"\x7f]*"'
_FORMS: Final = {
    Grammar.ENTITY_TAG: rf"{_TAG}(?:[ \t]*,[ \t]*{_TAG})*",
    Grammar.WEAK_TAG: rf"{_TAG}(?:[ \t]*,[ \t]*{_TAG})*",
    Grammar.LOOSE_TAG: rf"{_TAG}(?:[ \t]*,[ \t]*{_TAG})*|[\x21\x23-\x2b\x2d-\x7e]+",
    Grammar.INTEGER: r"-?\d{1,20}",
    Grammar.QUOTED_INTEGER: r'"\d{1,20}"',
    Grammar.DECIMAL: r"\d{1,12}(?:\.\d{1,6})?",
    Grammar.BOOLEAN: r"(?i:true|false)",
    Grammar.UUID: r"\{?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?",
    Grammar.SHA1: r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}",
    Grammar.BASE64: r"[A-Za-z0-9+/_-]+={0,2}",
    Grammar.HTTP_DATE: r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT",
    Grammar.TIMESTAMP: r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)",
    Grammar.OPAQUE: r"\S.*",
}
_NULLS: Final = frozenset(
    {"null", "undefined", "none", "nil", "nan", "[object object]", "", '""', 'w/""', '"null"'}
)

EXAMPLES: Final = {
    Grammar.ENTITY_TAG: '"33a64df5"',
    Grammar.WEAK_TAG: 'W/"33a64df5"',
    Grammar.LOOSE_TAG: '"33a64df5" or 33a64df5',
    Grammar.INTEGER: "42",
    Grammar.QUOTED_INTEGER: '"1434642603605"',
    Grammar.DECIMAL: "1388635807.41",
    Grammar.BOOLEAN: "true",
    Grammar.UUID: "0d5fa8d8-3b1f-4b7e-9d3a-2f8f0a3c7e11",
    Grammar.SHA1: "95b966ae1c166bd92f8ae7d1c313e738c731dfc3",
    Grammar.BASE64: "BwWWja0YfJA=",
    Grammar.HTTP_DATE: "Tue, 10 Mar 2026 09:14:11 GMT",
    Grammar.TIMESTAMP: "2026-03-10T09:14:11.123456Z",
    Grammar.OPAQUE: "any text",
}


def fits(value: str, grammar: Grammar) -> bool:
    """Tell whether a token has the form that its family asks for; words for "no value" never do.

    Args:
        value: as sent, blanks around it do not count.
        grammar: of the guard.
    """
    text = value.strip()
    return text.lower() not in _NULLS and _compiled(grammar).fullmatch(text) is not None


@cache
def _compiled(grammar: Grammar) -> re.Pattern[str]:
    return re.compile(_FORMS[grammar])
