"""Tell by its shape whether a value may be a secret."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

from ifmatch.model.late import late_pattern

UUID: Final = late_pattern(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_DATE: Final = late_pattern(r"\d{4}-\d\d-\d\d.*|\d{8}T\d{6}Z?|\w{3}, \d\d \w{3} \d{4}.*", re.DOTALL)
_RUN: Final = late_pattern(r"[A-Za-z0-9]{10,}")
_LONG: Final = late_pattern(r"[A-Za-z0-9+/=_-]{24,}")
_HEX: Final = late_pattern(r"[0-9a-fA-F]+")
_WORD_PARTS: Final = late_pattern(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
JWT: Final = late_pattern(r"(?<![A-Za-z0-9_-])eyJ[\w-]{5,}\.[\w-]*(?:\.[\w-]*){0,3}", re.ASCII)


def _entropy(value: str) -> float:
    """Return the entropy of the characters of a value in bits a character."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values()) if size else 0.0


def looks_random(value: str) -> bool:
    """Tell whether a value holds a long run of mixed letters and digits, and is no date or UUID."""
    if UUID.fullmatch(value) or _DATE.fullmatch(value):
        return False
    return any(_mixed(run.group()) or _jumbled(run.group()) for run in _RUN.finditer(value))


def is_word(value: str) -> bool:
    """Tell whether a value is one plain word, as many user names are."""
    return value.isalpha() and (value.islower() or value.istitle()) and len(value) < 16


def _mixed(run: str) -> bool:
    return any(c.isdigit() for c in run) and any(c.isalpha() for c in run)


def _jumbled(run: str) -> bool:
    """Tell whether the case changes far more often than in words written together."""
    return len(run) >= 12 and len(run) / len(_WORD_PARTS.findall(run)) < 3


def is_secret_segment(segment: str) -> bool:
    """Tell whether a path segment is a secret by its shape: a JWT, or long and random.

    Ordinary ids, slugs, file names, dates and UUIDs are not.

    Args:
        segment: percent-decoded.
    """
    if JWT.match(segment):
        return True
    if len(segment) < 24 or UUID.search(segment) or not _LONG.fullmatch(segment):
        return False
    if _HEX.fullmatch(segment):
        return not segment.isdigit() and _entropy(segment) >= 2.8
    # A slug is made of words: few changes between kinds of characters for its length.
    parts = _WORD_PARTS.findall(segment)
    return _mixed(segment) and _entropy(segment) >= 3.5 and len(segment) / max(len(parts), 1) < 3.2


def is_token_after_word(segment: str) -> bool:
    """Tell whether a path segment behind a word such as `reset` is the token, not the next word."""
    return len(segment) >= 6 and (
        any(c.isdigit() for c in segment)
        or len(segment) >= 20
        or (not segment.islower() and not segment.istitle() and not segment.isupper())
    )
