"""HTTP dates for the plain origin (RFC 9110 section 5.6.7)."""

from __future__ import annotations

from datetime import UTC, datetime

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_http_date(seconds: float) -> str:
    """Return seconds since 1970, rounded down, as an IMF-fixdate."""
    moment = datetime.fromtimestamp(int(seconds), UTC)
    return f"{_DAYS[moment.weekday()]}, {moment:%d} {_MONTHS[moment.month - 1]} {moment:%Y %H:%M:%S} GMT"


def parse_http_date(value: str) -> float | None:
    """Return an IMF-fixdate as seconds since 1970, None for anything else."""
    parts = value.split(" ")
    if len(parts) != 6 or parts[5] != "GMT" or parts[2] not in _MONTHS or parts[0].rstrip(",") not in _DAYS:
        return None
    try:
        month, (hour, minute, second) = _MONTHS.index(parts[2]) + 1, map(int, parts[4].split(":"))
        moment = datetime(int(parts[3]), month, int(parts[1]), hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp()
