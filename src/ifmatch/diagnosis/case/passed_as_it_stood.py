"""Tell refusals over a content from those over a version: the same version passes with another content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import changed_pointers
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.steps.refusal_words import OVER_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step

# What services answer to a content that breaks a rule of theirs, and some to a false condition as well.
_FAULTS: Final = frozenset({400, 403, 409, 422, 500})
_LONGEST: Final = 4000


def over_content(history: Sequence[Step], step: Step) -> bool:
    """Tell whether a refused write passed with its very version, and with nothing but another content.

    The version that was shown last was the current one all along: whatever the answer says does not fit, it
    is not that.

    Args:
        history: what one client did with one resource, in order of time.
        step: one of it.
    """
    if step.status not in _FAULTS or not step.is_write or step.batched or not step.refused:
        return False
    guard = step.guard
    if guard is None or guard.guard is not Guard.SAME or not guard.of_one or not guard.tokens:
        return False
    shown = next((one for one in reversed(history) if one.order < step.order and one.etag is not None), None)
    if shown is None or tokens.opaque(shown.etag or "") != tokens.opaque(guard.tokens[0]):
        return False
    after = next(
        (one for one in history if one.order > step.order and one.is_write and not one.refused), None
    )
    if after is None or not after.accepted or after.method != step.method or after.guard is None:
        return False
    if after.guard.tokens != guard.tokens or OVER_VERSION.search(step.view.text[:_LONGEST]):
        return False
    own = guard.name.rpartition("/")[2]
    moved = changed_pointers(step.body, after.body) or ()
    return any(not stamped(pointer) and pointer.rpartition("/")[2] != own for pointer in moved)
