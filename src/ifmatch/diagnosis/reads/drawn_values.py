"""Tell contents that differ only in values drawn at random for each answer, whatever these are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.stamps import rendered, stamped
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step

_LONGEST: Final = 100_000
# Shorter values may be counts, and two of them the states of a member.
_DRAWN: Final = late_pattern(r"(?<![\w+~-])[\w+~-]{8,400}(?![\w+~-])={0,2}")
# The name before a value: of a member, an attribute, an element, a field of a form.
_NAME: Final = late_pattern(r"([^\W\d][\w.-]*)[\"']?\s*(?:[:=>]|\s(?:value|content)=)[\s\"']*$")
_BEFORE: Final = 80
# What is called after a content, or points to one.
_OF: Final = late_pattern(
    r"(?i)sha|md5|crc|sum|hash|digest|blob|oid|commit|tree|parent|head|snapshot|content."
)
# Two contents may be those before and after a change of one value.
_LEAST: Final = 3
_MOST: Final = 12
_PLACES: Final = 3
# What is drawn begins alike by chance in this many signs.
_ALIKE: Final = 4
_UNLIKE: Final = 0.6


def drawn_anew(reads: Sequence[Step]) -> bool:
    """Tell whether contents differ in a few values alone, that have nothing in common from read to read.

    What a version is called may have been moved by somebody who stored the same again.

    Args:
        reads: of one resource, in order of time.
    """
    texts = [one.representation.text for one in reads if one.representation is not None][:_MOST]
    if len(texts) < _LEAST or len(texts) < min(len(reads), _MOST) or len(set(texts)) < len(texts):
        return False
    if max(map(len, texts)) > _LONGEST or len({_DRAWN.sub("#", text) for text in texts}) > 1:
        return False
    found = [list(_DRAWN.finditer(text)) for text in texts]
    moved = [row for row in zip(*found, strict=True) if len({one[0] for one in row}) > 1]
    return 0 < len(moved) <= _PLACES and all(_at_random(row, texts[0]) for row in moved)


def _of_state(name: str) -> bool:
    """Tell whether a value is called after a state, or after a content that it is the digest of."""
    if called_version(name) or _OF.search(name) is not None:
        return True
    return stamped("/" + name) and not rendered("/" + name)


def _at_random(row: Sequence[re.Match[str]], text: str) -> bool:
    """Tell whether the values of one place are ever other ones, of one length and nothing else in common."""
    values = [one[0] for one in row]
    name = _NAME.search(text[max(0, row[0].start() - _BEFORE) : row[0].start()])
    if len(set(values)) < len(values) or (name is not None and _of_state(name[1])):
        return False
    mixed = sum(any(map(str.isdigit, one)) and any(map(str.isalpha, one)) for one in values)
    if max(map(len, values)) - min(map(len, values)) > 1 or mixed < _UNLIKE * len(values):
        return False
    first = values[0]
    same = (sum(a == b for a, b in zip(first, one, strict=False)) for one in values[1:])
    return all(count <= max(_ALIKE, len(first) * (1 - _UNLIKE)) for count in same)
