"""Hear what a text says of causes: people and programs name in words what no traffic shows.

The records are in `told_causes.toml` beside this file. Whatever is told is a claim, never a proof: the report
keeps it low (docs/decisions/073-error-reports.md).
"""

from __future__ import annotations

import functools
import html
import re
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Final, cast

from ifmatch.capture.words.respelt_tags import respelt
from ifmatch.dialects.glossary import Words
from ifmatch.model.exchange import Told
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["asks_of_conditions", "is_meant", "is_well", "tells_alone", "told_causes"]

# A complaint stands within so much text; the rest is stack.
_LIMIT: Final = 12_000
_QUOTED: Final = 160
_WHOLE_MATCH: Final = 300
# What marks a text as quoted, framed, or code, and no letter of it.
_MARKS: Final = late_pattern(r"`+|\*{2,}|(?<=\w)\*|\*(?=\w)|^[ \t]*(?:[>│|╷╵]+[ \t]?)+", re.MULTILINE)
_SLASHES: Final = late_pattern(r"\\+(?=[\"'/])")
# What is refused as it is meant to be is no trouble.
_MEANT: Final = Words(r"\bas (?:it should|expected|designed|intended|wanted)\b")
_MISSED: Final = Words(r"\bnot\b|n['\u2019]t\b|\bwould\b|\bshould (?:be|have|return|get)\b")
# Who writes so has no trouble, unless a word of contrast follows.
_WELL: Final = Words(
    r"\b(?:as (?:it should|expected|designed|intended|wanted)|works? (?:now|well|fine|again|as)"
    r"|all (?:is |are )?(?:well|fine|good)|healthy|no (?:problem|trouble|issue|error)s?\b"
    r"|for (?:the )?(?:docs|documentation|reference)|(?:is|was) fixed|passes now)"
)
_YET: Final = Words(
    r"\b(?:but|however|except|still|although|yet|instead|unfortunately|nevertheless|fails|breaks|never"
    r"|(?<!condition )failed)\b"
)
# Who names one of these, and says that something is wrong with it, asks about what is explained here.
_OF_CONDITIONS: Final = Words(
    r"\bif-?_?(?:none-?_?)?match\w*|\bif-(?:un)?modified-since\b|\bif-range\b"
    r"|(?<![\w'\"-])e-?tags?\b(?!['\"])|\bif_(?:meta)?generation"
    r"|conditional (?:requests?|writes?|puts?|gets?|updates?|headers?)"
    r"|optimistic[ -]?(?:lock\w*|concurrency)|optimisticlock\w*|lost updates?|pre-?conditions?\b"
    r"|check-and-set|\bcas\b|resource ?version|(?:_|\b)etag_(?:changed|mismatch)|revalidat\w+"
    r"|invalid range|content-range"
)
_ASKS: Final = Words(
    r"\b(?:fails?|failing|would have expected|expected|however|instead|unexpected\w*|wrong|invalid|abort\w*"
    r"|does(?:n.t| not)|did(?:n.t| not)|cannot|can.t|never|not possible|unable|why|won.t|wouldn.t|duplicated"
    r"|(?:got|get|getting|gives?|this|following|see) (?:an? |this |the )?(?:\w+ )?error|not sure|problem"
    r"|confus\w+|strange)\b"
)


class _Record(Frozen, frozen=True):
    """Words that speak for a cause.

    Attributes:
        cause: id of the catalogue.
        words: all must be found.
        unless: none of it may be found, None for nothing.
        weight: natural logarithm of the likelihood ratio.
        alone: whether they make a text a report that names no refusal.
    """

    cause: str
    words: tuple[Words, ...]
    unless: Words | None
    weight: float
    alone: bool


@functools.cache
def _records() -> tuple[_Record, ...]:
    text = resources.files("ifmatch.capture.words").joinpath("told_causes.toml").read_text("utf-8")
    return tuple(
        _Record(
            str(one["cause"]),
            tuple(Words(str(words)) for words in cast("list[object]", one["words"])),
            Words(str(one["unless"])) if "unless" in one else None,
            float(str(one["weight"])),
            bool(one.get("alone", False)),
        )
        for one in cast("list[dict[str, object]]", tomllib.loads(text)["told"])
    )


def _on_one_line(lines: Sequence[str]) -> str:
    """Return a text as it would be read out: no frames, no signs of quotation, no breaks."""
    text = "\n".join(lines)[:_LIMIT]
    if "&" in text:
        text = html.unescape(text)
    return " ".join(_SLASHES.sub("", _MARKS.sub("", text)).split())


@functools.lru_cache(maxsize=16)
def _found(text: str) -> tuple[tuple[_Record, str], ...]:
    found: list[tuple[_Record, str]] = []
    for record in _records():
        said = ""
        for words in record.words:
            match = words.search(text)
            if match is None:
                break
            # The longest saying tells most; of one that runs on, its beginning.
            said = max(said, match[0][:_WHOLE_MATCH], key=len)
        else:
            if record.unless is None or record.unless.search(text) is None:
                found.append((record, said[:_QUOTED].strip()))
    return tuple(found)


def told_causes(lines: Sequence[str]) -> tuple[Told, ...]:
    """Return the causes that a text speaks for, each once, by its strongest words.

    Args:
        lines: of the text.
    """
    best: dict[str, Told] = {}
    text = _on_one_line(lines)
    heard = [Told(record.cause, said, record.weight) for record, said in _found(text)]
    for one in (*heard, *(one.told for one in respelt(text))):
        known = best.get(one.cause)
        if known is None or known.weight < one.weight:
            best[one.cause] = one
    return tuple(best.values())


def tells_alone(lines: Sequence[str]) -> bool:
    """Tell whether a text says what went wrong, though it names no refused request.

    Args:
        lines: of the text.
    """
    text = _on_one_line(lines)
    return any(record.alone for record, _ in _found(text)) or any(one.alone for one in respelt(text))


def asks_of_conditions(text: str) -> bool:
    """Tell whether somebody writes of conditions or versions, and that something is not as it should be.

    Args:
        text: of an account.
    """
    one = _on_one_line([text])
    return _OF_CONDITIONS.search(one) is not None and _ASKS.search(one) is not None


def is_well(text: str) -> bool:
    """Tell whether somebody writes that all is as it should be, with no word of contrast.

    Args:
        text: of the account.
    """
    return _WELL.search(text) is not None and _YET.search(text) is None


def is_meant(text: str) -> bool:
    """Tell whether somebody writes that what is refused is refused as it should be.

    Args:
        text: of a note.
    """
    return _MEANT.search(text) is not None and _YET.search(text) is None and _MISSED.search(text) is None
