"""Find requests that are refused as repeats of what was done: the first of them got no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.own_marks import marks_of
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.dialects import Meaning
from ifmatch.dialects.glossary import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step

_REFUSALS: Final = frozenset({400, 403, 409, 410, 412, 422})
_LONGEST: Final = 4000
_DONE: Final = (
    r"used|submitted|processed|received|done|applied|executed|recorded|stored|saved|seen|known|registered|booked"
    r"|exists?|present|there|taken|created|sent|handled|completed|accepted|posted|consumed|spent|in use"
)
_ALREADY: Final = Words(
    rf"already[ _-]?(?:been[ _-]?)?(?:{_DONE})|(?:{_DONE})[ _-](?:already|before|once)|duplicate|\bdupe\b"
    r"|replay(?:ed)?\b|repeated[ _-](?:request|call|message|submission)|(?:same|used)[ _-](?:id|key|token)"
)
# The first attempt is still under way.
_STILL: Final = Words(
    r"in[ _-]progress|still|being processed|concurrent|pending|running|busy|try again|retry later"
)


def repeated(history: Sequence[Step], step: Step) -> Step | None:
    """Return the attempt without an answer that a request repeats, where it is refused as done already.

    Args:
        history: of the resource.
        step: any step.
    """
    if not step.is_write or step.status not in _REFUSALS or step.guard is not None:
        return None
    said = step.view.text[:_LONGEST]
    taken = step.refusal is not None and step.refusal.meaning is Meaning.EXISTS
    if not (taken or _ALREADY.search(said)) or _STILL.search(said) is not None:
        return None
    for one in reversed(history):
        if one.order >= step.order or one.actor != step.actor or not one.is_write:
            continue
        if one.method != step.method or not _same(one, step):
            return None
        if one.unanswered:
            return one
        if one.status not in _REFUSALS:
            return None
    return None


def _same(one: Step, two: Step) -> bool:
    """Tell whether two requests are one intent: by their content, or what both are called by."""
    if one.body is not None and same_content(one.body, two.body):
        return True
    marks = {mark.value for mark in marks_of(one) if mark.sure}
    return any(mark.value in marks for mark in marks_of(two) if mark.sure)
