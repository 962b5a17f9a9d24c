"""Find the version that a form carries in a hidden field: it goes on with what the form shows; pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.dates import told_moment
from ifmatch.diagnosis.pages import fields_of, hidden_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ifmatch.diagnosis.steps import Step

_OK = 200


def counts_states(answers: Iterable[Step], name: str) -> bool:
    """Tell whether a hidden field goes on when the other fields of its form do, and never without them.

    Nobody fills it in, so it is no content; what a page has anew for each answer, as a nonce against forged
    requests, moves while the other fields stay.

    Args:
        answers: about the resource whose form it is, in order of time.
        name: of the field.

    Source: HTML Living Standard section 4.10.5.1.1 (a hidden field is not to be changed by the user).
    """
    moved = False
    for (was, beside), (now, others) in pairwise(_states(answers, name)):
        if was == now:
            continue
        if beside == others:
            return False
        moved = moved or _went_on(was, now)
    return moved


def _states(answers: Iterable[Step], name: str) -> list[tuple[str, dict[str, str]]]:
    """Return what a hidden field held in each answer, with the fields that people fill in."""
    found: list[tuple[str, dict[str, str]]] = []
    for one in answers:
        text = one.content.text if one.is_read and one.status == _OK and one.content is not None else ""
        hidden = hidden_of(text)
        if name in hidden:
            fields = {field: held for field, held in fields_of(text).items() if field not in hidden}
            found.append((hidden[name], fields))
    return found


def _went_on(was: str, now: str) -> bool:
    """Tell whether one value follows another as counts and times do: nonces and digests come in no order."""
    if tokens.counted_on(was, now):
        return True
    times = told_moment(was), told_moment(now)
    return times[0] is not None and times[1] is not None and times[0] < times[1]
