"""A second evaluator: slow, plain, written from the text of RFC 9110 and from nothing else.

It works on octets, reads the grammar rule by rule, and knows no shortcut. The engine is compared with it.
"""

from __future__ import annotations

import calendar
import re
import time
from dataclasses import dataclass

# --- 8.8.3: entity-tag = [ weak ] opaque-tag; weak = %x57.2F; opaque-tag = DQUOTE *etagc DQUOTE
ETAGC = b"(?:\x21|[\x23-\x7e]|[\x80-\xff])"
ENTITY_TAG = b"(?:\x57\x2f)?\x22" + ETAGC + b"*\x22"
# --- 5.6.3: OWS = *( SP / HTAB );  5.6.1.2: #element => [ element ] *( OWS "," OWS [ element ] )
OWS = b"(?:\x20|\x09)*"
LIST = b"(?:" + ENTITY_TAG + b")?(?:" + OWS + b"," + OWS + b"(?:" + ENTITY_TAG + b")?)*"

DAY_NAME = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
DAY_NAME_L = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
MONTH = f"(?P<month>{'|'.join(MONTHS)})"
TIME = "(?P<h>[0-9][0-9]):(?P<m>[0-9][0-9]):(?P<s>[0-9][0-9])"
DATE_FORMS = [
    f"{DAY_NAME}, (?P<day>[0-9][0-9]) {MONTH} (?P<year>[0-9][0-9][0-9][0-9]) {TIME} GMT",
    f"{DAY_NAME_L}, (?P<day>[0-9][0-9])-{MONTH}-(?P<yy>[0-9][0-9]) {TIME} GMT",
    f"{DAY_NAME} {MONTH} (?P<day>[0-9][0-9]| [0-9]) {TIME} (?P<year>[0-9][0-9][0-9][0-9])",
]


@dataclass(frozen=True)
class State:
    """The selected representation: octets of the ETag field, seconds since the epoch."""

    etag: bytes | None
    last_modified: int | None
    strong_date: bool


@dataclass(frozen=True)
class Answer:
    status: int | None
    use_range: bool
    malformed: tuple[str, ...]


def is_tag(octets: bytes) -> bool:
    return re.fullmatch(ENTITY_TAG, octets) is not None


def is_weak(tag: bytes) -> bool:
    return tag.startswith(b"W/")


def opaque(tag: bytes) -> bytes:
    return tag[tag.index(b'"') + 1 : -1]


def strong_comparison(a: bytes, b: bytes) -> bool:
    return not is_weak(a) and not is_weak(b) and opaque(a) == opaque(b)


def weak_comparison(a: bytes, b: bytes) -> bool:
    return opaque(a) == opaque(b)


def readable_members(octets: bytes) -> list[bytes]:
    """Members between delimiters, left to right; behind anything else, on from the next comma."""
    members: list[bytes] = []
    start = 0
    while start <= len(octets):
        tag_start = start
        while octets[tag_start : tag_start + 1] in (b" ", b"\t"):
            tag_start += 1
        for end in range(tag_start + 2, len(octets) + 1):
            behind = end
            while octets[behind : behind + 1] in (b" ", b"\t"):
                behind += 1
            if is_tag(octets[tag_start:end]) and octets[behind : behind + 1] in (b",", b""):
                members.append(octets[tag_start:end])
                start = behind + 1
                break
        else:
            comma = octets.find(b",", start)
            if comma < 0:
                break
            start = comma + 1
    return members


def date(octets: bytes, now: int) -> int | None:
    """5.6.7: seconds since the epoch, None when it is no HTTP-date. `now`: seconds since the epoch."""
    text = octets.decode("latin-1")
    match = next((m for form in DATE_FORMS if (m := re.fullmatch(form, text, re.DOTALL))), None)
    if match is None:
        return None
    found = match.groupdict()
    hour, minute, second, day = int(found["h"]), int(found["m"]), int(found["s"]), int(found["day"])
    month = MONTHS.index(found["month"]) + 1
    if hour > 23 or minute > 59 or second > 60:
        return None

    def seconds(year: int) -> int:
        return calendar.timegm((year, month, day, hour, minute, second))

    if found.get("year") is not None:
        year = int(found["year"])
    else:
        # More than 50 years in the future: the most recent year in the past with these digits.
        this = list(time.gmtime(now)[:6])
        limit = (this[0] + 50, *this[1:])
        year = max(
            y
            for y in range(this[0] - 60, this[0] + 52)
            if y % 100 == int(found["yy"]) and (y, month, day, hour, minute, second) <= limit
        )
    if year < 1 or not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    result = seconds(year)
    return None if result > 253402300799 else result


def field_value(lines: list[bytes]) -> bytes | None:
    """5.3 and 5.5: lines in order, white space excluded, joined by a comma."""
    return b", ".join(line.strip(b" \t") for line in lines) if lines else None


def if_match(value: bytes, state: State | None) -> tuple[bool, bool]:
    """13.1.1: condition, malformed."""
    if value == b"*":
        return state is not None, False
    if not re.fullmatch(LIST, value.strip(b" \t")):
        return False, True
    if state is None or state.etag is None:
        return False, False
    return any(strong_comparison(tag, state.etag) for tag in readable_members(value)), False


def if_none_match(value: bytes, state: State | None) -> tuple[bool, bool]:
    """13.1.2: condition, malformed; a readable member of a malformed value refuses."""
    if value == b"*":
        return state is None, False
    malformed = not re.fullmatch(LIST, value.strip(b" \t"))
    if state is None or state.etag is None:
        return True, malformed
    return not any(weak_comparison(tag, state.etag) for tag in readable_members(value)), malformed


def if_range(value: bytes, state: State, now: int) -> tuple[bool, bool]:
    """13.1.5: condition, malformed."""
    if is_tag(value):
        return state.etag is not None and strong_comparison(value, state.etag), False
    instant = date(value, now)
    if instant is None:
        return False, True
    return state.strong_date and state.last_modified == instant, False


def evaluate(
    method: str, fields: list[tuple[bytes, bytes]], state: State | None, *, creates: bool | None, now: int
) -> Answer:
    """13.2.1 and 13.2.2."""

    def value(name: bytes) -> bytes | None:
        return field_value([v for n, v in fields if n.lower() == name])

    if method in ("CONNECT", "OPTIONS", "TRACE"):
        return Answer(None, False, ())
    if state is None and not (method == "PUT" if creates is None else creates):
        return Answer(None, False, ())
    malformed: list[str] = []
    match, none_match = value(b"if-match"), value(b"if-none-match")
    modified, unmodified = value(b"if-modified-since"), value(b"if-unmodified-since")
    last_modified = None if state is None else state.last_modified
    if match is not None:
        condition, bad = if_match(match, state)
        if bad:
            malformed.append("If-Match")
        if not condition:
            return Answer(412, False, tuple(malformed))
    if match is None and unmodified is not None and last_modified is not None:
        instant = date(unmodified, now)
        if instant is not None and not last_modified <= instant:
            return Answer(412, False, tuple(malformed))
    if none_match is not None:
        condition, bad = if_none_match(none_match, state)
        if bad:
            malformed.append("If-None-Match")
        if not condition:
            return Answer(304 if method in ("GET", "HEAD") else 412, False, tuple(malformed))
    if (
        none_match is None
        and modified is not None
        and last_modified is not None
        and method in ("GET", "HEAD")
    ):
        instant = date(modified, now)
        if instant is not None and last_modified <= instant:
            return Answer(304, False, tuple(malformed))
    range_condition = value(b"if-range")
    if method != "GET" or value(b"range") is None or state is None:
        return Answer(None, False, tuple(malformed))
    if range_condition is None:
        return Answer(None, True, tuple(malformed))
    condition, bad = if_range(range_condition, state, now)
    if bad:
        malformed.append("If-Range")
    return Answer(None, condition, tuple(malformed))
