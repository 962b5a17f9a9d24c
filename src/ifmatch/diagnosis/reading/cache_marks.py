"""Fields of an answer by which caches tell of themselves; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.model.message import Fields

_HIT: Final = late_pattern(r"\b(?:hit|stale|revalidated|updating)\b", re.IGNORECASE)
_FETCHED: Final = late_pattern(r"(?<![a-z])miss\b|\bexpired\b", re.IGNORECASE)
_STATUS_FIELDS: Final = (
    "x-cache",
    "cf-cache-status",
    "x-cache-status",
    "cache-status",
    "x-proxy-cache",
    "x-drupal-cache",
    "x-varnish-cache",
    "x-cache-lookup",
    "x-vercel-cache",
    "cdn-cache",
    "akamai-cache-status",
    "x-nginx-cache",
)
# Fields that only caches send, and those that proxies send as well.
OF_CACHES: Final = ("age", "x-varnish", *_STATUS_FIELDS)
ON_THE_WAY: Final = ("via", "x-served-by", *OF_CACHES)
_MARKS: Final = frozenset(OF_CACHES)


def says_hit(fields: Fields) -> bool:
    """Tell whether an answer says that it came out of a cache (RFC 9111 section 5.1, RFC 9211).

    Args:
        fields: of the answer.
    """
    if not fields.has_any(_MARKS):
        return False
    age = fields.text("age")
    if age is not None and age.strip().isdigit() and int(age) > 0:
        return True
    for name in _STATUS_FIELDS:
        value = fields.text(name)
        if value is not None and _HIT.search(value) and "miss" not in value.lower().split(",")[-1]:
            return True
    varnish = fields.text("x-varnish")
    return varnish is not None and len(varnish.split()) == 2


def says_fetched(fields: Fields) -> bool:
    """Tell whether a cache says in an answer that it handled the request and fetched the answer for it.

    Args:
        fields: of the answer.

    Source: RFC 9211 section 2.2 (fwd=uri-miss; what it is told to let pass is fwd=bypass).
    """
    told = [value for name in _STATUS_FIELDS if (value := fields.text(name)) is not None]
    return any(_FETCHED.search(value) for value in told) and not says_hit(fields)


def asks_past(fields: Fields) -> bool:
    """Tell whether a request wants an answer of the origin, whatever is stored on the way.

    Args:
        fields: of the request.

    Source: RFC 9111 sections 5.2.1.4 and 5.4 (no-cache in a request).
    """
    return any("no-cache" in (fields.text(name) or "").lower() for name in ("cache-control", "pragma"))
