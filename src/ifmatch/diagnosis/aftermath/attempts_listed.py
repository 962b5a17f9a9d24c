"""Read what became of a write from what a report has of each attempt at it; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.steps.refusal_words import turned_down
from ifmatch.dialects.glossary import Words
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifmatch.diagnosis.steps.step import Step

_SEVERAL: Final = 2
# A tag with a count at its end, and by how much that goes on where others write.
_TAG: Final = late_pattern(r"([\w.:-]*?[^\d])(\d{1,9})")
_WORD: Final = late_pattern(r"[\w.:-]+")
_LONGEST_TAG: Final = 60
_LITTLE: Final = 20
# What a report calls the list of how often something was tried, and what came of it each time.
_ATTEMPTS: Final = Words(
    r"(?:(?:re)?tr(?:y|ies)|attempts?|deliver(?:y|ies)|runs?|passes|rounds?|arrivals?|receipts?|executions?"
    r"|transmissions?|submissions?|requests?|calls?|goes|log|history|events?|steps?|trace|trail|journal|timeline)"
    r"(?:[-_ ]?(?:log|list|history|made|seen|trail))?"
)
# What stands where a version would, of what made none.
_NOTHING: Final = frozenset(
    {"", "-", "--", "0", "none", "null", "nil", "false", "no", "n/a", "\u2014", "\u2013"}
)


def attempts_in(record: dict[str, object]) -> list[dict[str, object]]:
    """Return what a record of a write tells of each attempt at it, in turn; the record without such a list.

    Args:
        record: of a report.
    """
    for name, value in record.items():
        if not isinstance(value, list) or _ATTEMPTS.fullmatch(name) is None:
            continue
        found = [members_in(one) for one in cast("list[object]", value)]
        if found and all(found):
            rest = {word: one for word, one in record.items() if word != name}
            return [{**rest, **one} for one in found]
    return [record]


def tells_undone(record: Mapping[str, object]) -> bool:
    """Tell whether a value of what a report says of a write, or what it is called, says it was not done.

    Args:
        record: of a report.
    """
    return any(
        isinstance(one, str) and (turned_down(one) or (one.strip() != "" and turned_down(word)))
        for word, one in record.items()
        if not _is_nothing(one)
    )


def made_nothing(about: Sequence[Mapping[str, object]]) -> bool:
    """Tell whether the last of the records of a write has nothing where one before it has what it made.

    Args:
        about: the records of the attempts at one write, in turn.
    """
    if len(about) < _SEVERAL:
        return False
    last = about[-1]
    return any(
        word in last and _is_nothing(last[word]) and str(one).isdigit()
        for record in about[:-1]
        for word, one in record.items()
        if not _is_nothing(one)
    )


def names_later(step: Step, said: str) -> bool:
    """Tell whether what is told of a write has a tag that goes on from the one it was sent with.

    Args:
        step: a write.
        said: what is told of it.
    """
    tag = tokens.opaque((step.sent.text("if-match") or "").strip())
    if not tag or tag.isdigit() or not _TAG.fullmatch(tag):
        return False
    told = dict.fromkeys(one for one in _WORD.findall(said) if len(one) < _LONGEST_TAG and one != tag)
    return any(_count_on(tag, one) for one in told)


def _count_on(tag: str, told: str) -> bool:
    """Tell whether one tag is another with its count at the end, or the only one, gone on by a little."""
    here, there = _TAG.fullmatch(tag), _TAG.fullmatch(told)
    if here is None or there is None or here[1] != there[1]:
        return False
    return 0 < int(there[2]) - int(here[2]) <= _LITTLE


def _is_nothing(value: object) -> bool:
    return value is None or str(value).strip().casefold() in _NOTHING
