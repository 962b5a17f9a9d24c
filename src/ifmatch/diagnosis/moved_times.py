"""Tell the times that a service keeps of its own in a record: they move with a write, whatever their name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.dates import told_moment
from ifmatch.diagnosis.listed_records import leaves_of
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from ifmatch.diagnosis.steps import Step

# Seconds by which a service's clock may differ from that of its `Date`, or from that of the client.
_APART: Final = 5.0
# Seconds that may lie between an attempt that got no answer and its repeat.
_WHILE: Final = 120.0
# A time has so many characters at least: a number of seconds since the epoch.
_SHORTEST: Final = 10


def but_moved_times(body: Content, before: Content | None, refresh: Step | None, step: Step) -> Content:
    """Return what a write carries, with the times that the service moved when it stored it as it shows them.

    Such a time was sent back just as it had been read, and is of the time of the write in a later read.

    Args:
        body: what the write carries.
        before: the state that it was made from.
        refresh: the read after it.
        step: the write.
    """
    now = refresh.representation if refresh is not None else None
    if before is None or refresh is None or now is None or not (step.timed and refresh.timed):
        return body
    was, there = dict(leaves_of(before.text)), dict(leaves_of(now.text))
    text = body.text
    for name, value in leaves_of(text):
        shown = there.get(name, value)
        if shown == value or was.get(name) != value or len(value) < _SHORTEST:
            continue
        moment, old = told_moment(shown), told_moment(value)
        if moment is not None and old is not None and moment > old and _of_the_write(moment, step, refresh):
            text = text.replace(value, shown)
    return Content.from_text(text) if text != body.text else body


def _of_the_write(moment: float, step: Step, refresh: Step) -> bool:
    """Tell whether a moment lies between a while before a write and a later read, by either clock."""
    if step.start - _WHILE <= moment <= refresh.end + _APART:
        return True
    return refresh.date is not None and refresh.date - _WHILE <= moment <= refresh.date + _APART
