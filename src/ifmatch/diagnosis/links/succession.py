"""Tell when one version took the place of another: counts, times, and values of one shape; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.spent_versions import counts_past
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.steps.message_members import shown
from ifmatch.dialects.words import VERSION
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.diagnosis.steps.step import Step

# ISO 8601, or seconds, milli- or microseconds since the epoch of this century.
TIME: Final = late_pattern(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*|1[0-9]{9}(?:\.\d+|\d{3}|\d{6})?")


def later_time(before: str, after: str) -> bool:
    """Tell whether both values are times, of one spelling, and the second one is later.

    Args:
        before: a value.
        after: another one.
    """
    times = [TIME.fullmatch(value) for value in (before, after)]
    return all(times) and len(before) == len(after) and before < after


def advanced(before: str, after: str) -> bool:
    """Tell whether a value took the place of another one the way versions do.

    Args:
        before: a value.
        after: another one, at the same place later.
    """
    if before.isdigit() or after.isdigit():
        return tokens.counted_on(before, after) or later_time(before, after)
    shape = tokens.shape(before)
    return (
        before != after
        and shape == tokens.shape(after)
        and (shape != "text" or any(map(str.isdigit, before)))
    )


def names_the_next(step: Step, value: str) -> bool:
    """Tell whether an answer names the version that comes after a sent one, or a count further on.

    Args:
        step: a write with its answer.
        value: the version that it carries.
    """
    if any(tokens.counted_on(value, one.value) for one in shown(step)) or counts_past(step, value):
        return True
    made = 200 <= step.status < 300
    return made and any(VERSION.search(one.word) and advanced(value, one.value) for one in shown(step))
