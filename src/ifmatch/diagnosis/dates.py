"""Read dates of the wire as seconds since the epoch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from ifmatch.core.http_date import parse_http_date

# A two-digit year is read against the time of the traffic; captures are younger than the RFC they follow.
_NOW = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=3650)


@lru_cache(maxsize=4096)
def http_date(text: str) -> float | None:
    """Return an HTTP-date in seconds since the epoch, None when the text is none.

    Args:
        text: a field value.

    Source: RFC 9110 section 5.6.7.
    """
    parsed = parse_http_date(text.strip(), now=_NOW)
    return parsed.timestamp() if isinstance(parsed, datetime) else None


def shown(seconds: float) -> str:
    """Return a time of day for reports (UTC, milliseconds)."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S.%f")[:-3]


def span(seconds: float) -> str:
    """Return a duration for reports."""
    value = abs(seconds)
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 120:
        return f"{value:.1f} s"
    if value < 7200:
        return f"{value / 60:.0f} min"
    if value < 172800:
        return f"{value / 3600:.1f} h"
    return f"{value / 86400:.1f} days"
