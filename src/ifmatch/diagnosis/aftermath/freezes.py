"""Tell freezes, which stop all changes for a while, from locks that somebody holds on one thing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

_FREEZE: Final = Words(
    r"\bfreez(?:e|es|ing)\b|\bfrozen\b|black-?out|moratorium|embargo|quiet (?:period|hours|time)"
    r"|stock-?taking"
    r"|(?:change|release|deploy(?:ment)?|code|write|edit|posting|booking|night|holiday)[ _-]?"
    r"(?:lock|stop|ban|halt|pause)\b"
    r"|(?:change|release|deploy(?:ment)?|maintenance|service|edit(?:ing)?|posting)[ _-]?window"
    r"|under maintenance|closed (?:period|month|year)"
    r"|(?:period|month|year|ledger|books?) (?:is |are |was )?closed"
    r"|(?:outside|out of) (?:the )?(?:office|opening|business|working|service) hours"
)
# Who has a lock, as a member says it: then it is one, whatever else is frozen.
HOLDER: Final = Words(
    r"[\"'<](?:held|lock(?:ed)?|taken|checked_?out)[_-]?by\b|[\"'<]holder\b|[\"'<](?:lock_?)?owner\b"
)
_MOMENT: Final = late_pattern(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
_CLOCK: Final = late_pattern(r"(?<![\d:.T-])([01]?\d|2[0-3]):([0-5]\d)(?![:\d])")
_NEAR: Final = 60
_LONGEST: Final = 4000


def frozen(text: str) -> bool:
    """Tell whether an answer says that changes are stopped for a while, whoever asks for them.

    Args:
        text: of the answer.
    """
    return _FREEZE.search(text) is not None and HOLDER.search(text) is None


def thawed(facts: Facts) -> Step | None:
    """Return the very same request, taken after a time that its refusal tells, None without one.

    Nothing else was done about the target between the two.

    Args:
        facts: of a refused request.
    """
    step = facts.step
    ends = tuple(_ends(step, facts.error_text[:_LONGEST])) if step.timed else ()
    for one in facts.own(facts.case.steps[step.order + 1 : step.order + _NEAR]) if ends else ():
        if one.resource != step.resource or not one.is_write or not one.timed:
            continue
        same = one.method == step.method and (
            one.body is step.body is None or same_content(one.body, step.body)
        )
        if not same:
            return None
        if one.accepted:
            return one if any(step.start < end <= one.end + 1 for end in ends) else None
    return None


def _ends(step: Step, text: str) -> Iterator[float]:
    """Yield the moments that an answer tells: whole ones, and times of the day as the next such time."""
    for found in _MOMENT.finditer(text):
        moment = told_moment(found[0])
        if moment is not None:
            yield moment
    day = datetime.fromtimestamp(step.start, UTC)
    for hour, minute in _CLOCK.findall(_MOMENT.sub("", text)):
        then = day.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
        yield (then if then > day else then + timedelta(days=1)).timestamp()
