"""Tell a version that was read and written again on its way: a fraction of a second is gone, or a digit."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from ifmatch.model.late import late_pattern

_STAMP: Final = late_pattern(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))? ?([Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?"
)
_EPOCH: Final = late_pattern(r"1\d{9}(?:\d{3}){0,3}")
_WRAPPED: Final = late_pattern(r"(?:datetime|timestamp)'(.*)'", re.IGNORECASE)
# Integers from which on a double does not hold each.
_EXACT: Final = 2**53
_DIGITS: Final = 9
_BASE64: Final = late_pattern(r"[A-Za-z0-9+/_-]{6,}={0,2}")
_ALPHABET: Final = str.maketrans("-_", "+/")
_UUID: Final = late_pattern(r"\{?[0-9a-f]{8}(?:-?[0-9a-f]{4}){4}[0-9a-f]{8}\}?", re.IGNORECASE)
_DECIMAL: Final = late_pattern(r"\d+\.(\d*0)")
_THOUSANDTHS: Final = 3
_BY_CHANCE: Final = 10**6
_GROUPED: Final = late_pattern(r"\d{1,3}(?:[,. '\u00a0\u202f]\d{3})+")


def _moment(text: str) -> tuple[int, str] | None:
    """Return a time as whole seconds since the epoch and the digits of its fraction, None when it is none."""
    found = _STAMP.fullmatch(text)
    if found is None:
        return None
    zone = (found[4] or "Z").upper()
    zone = "+00:00" if zone in {"Z", "UTC", "GMT"} else zone
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{found[2]}{zone}")
    except ValueError:
        return None
    return int(moment.astimezone(UTC).timestamp()), found[3] or ""


def _plain(token: str) -> str:
    text = token.strip().removeprefix("W/").strip('"')
    text = unquote(text) if "%" in text else text
    found = _WRAPPED.fullmatch(text)
    return found[1] if found is not None else text


@lru_cache(maxsize=4096)
def respelt(sent: str, served: str) -> str:
    """Say how a sent version is the served one, read as a time or a number and written again.

    Args:
        sent: token as presented.
        served: token as issued.

    Returns:
        What became of it, to follow the served one in a sentence; "" when they have nothing to do with each
        other, or are the same text.
    """
    one, two = _plain(sent), _plain(served)
    if not one or one == two:
        return ""
    if "+" in two and one == two.replace("+", " "):
        return "with its + sent as a blank"
    return _time_respelt(one, two) or _number_respelt(one, two) or _text_respelt(one, two)


def _text_respelt(one: str, two: str) -> str:
    """Say how a text is another one in a spelling that some libraries take for the same."""
    coded = re.search(r"[+/=]", two) is not None or re.search(r"[+/=]", one) is not None
    if coded and _BASE64.fullmatch(one) and _BASE64.fullmatch(two):
        same = one.translate(_ALPHABET).rstrip("=") == two.translate(_ALPHABET).rstrip("=")
        return "in the other alphabet of base64, or without its padding" if same else ""
    if _UUID.fullmatch(one) and _UUID.fullmatch(two):
        same = re.sub(r"[{}-]", "", one).lower() == re.sub(r"[{}-]", "", two).lower()
        return "as the same UUID in another spelling" if same else ""
    found = _DECIMAL.fullmatch(two)
    if found is not None and len(found[1]) >= _THOUSANDTHS and re.fullmatch(r"\d+(?:\.\d+)?", one):
        return "without the zeros at its end" if Decimal(one) == Decimal(two) else ""
    return ""


def _time_respelt(one: str, two: str) -> str:
    issued = _moment(two)
    if issued is None:
        return ""
    second, fraction = issued
    sent = _moment(one)
    if sent is None:
        # A number of seconds, milliseconds or microseconds of the same moment.
        same = _EPOCH.fullmatch(one) is not None and (f"{second}{fraction.ljust(_DIGITS, '0')}").startswith(
            one
        )
        return "as a number of seconds or parts of them" if same else ""
    if sent[0] == second and sent[1].rstrip("0") == fraction.rstrip("0"):
        return "as the same time in another spelling"
    digits = len(sent[1])
    if digits >= len(fraction):
        return ""
    if sent[0] == second and fraction.startswith(sent[1]):
        return "with the fraction of its second cut"
    rounded = round(int(f"{second}{fraction}") / 10 ** (len(fraction) - digits))
    return "with the fraction of its second rounded" if int(f"{sent[0]}{sent[1]}") == rounded else ""


def _number_respelt(one: str, two: str) -> str:
    if not two.isdecimal() or not two.isascii():
        return ""
    number = int(two)
    if len(two) > len(one) and one.isdecimal() and two.lstrip("0") == one and number:
        return "without its leading zeros"
    if _GROUPED.fullmatch(one) and re.sub(r"\D", "", one) == two:
        return "with separators between its thousands"
    if re.fullmatch(r"-?\d+", one) and int(one) in _cut_to_bits(number):
        return "cut to the bits that a smaller number holds"
    if not re.fullmatch(r"\d+(?:\.\d+)?(?:[eE]\+?\d+)?", one):
        return ""
    if not one.isdecimal() and len(two) <= 18 and float(one) == float(number):
        return "as a decimal number"
    if number > _EXACT and not one.isdecimal():
        return "rounded to what a floating-point number holds" if float(one) == float(number) else ""
    if number <= _EXACT or not one.isdecimal():
        return ""
    # Some print all digits of the double, some only those that tell it from its neighbours.
    held = {int(float(number)), int(Decimal(repr(float(number))))}
    return "rounded to what a floating-point number holds" if int(one) in held else ""


def _cut_to_bits(number: int) -> set[int]:
    """Return what is left of a number in fewer bits, or with its highest bit taken for the sign."""
    found: set[int] = set()
    for bits in (32, 64):
        low = number % 2**bits
        if number >= 2**bits:
            found.add(low)
        if low >= 2 ** (bits - 1):
            found.add(low - 2**bits)
    # Small numbers are met by chance.
    return {one for one in found if abs(one) > _BY_CHANCE}
