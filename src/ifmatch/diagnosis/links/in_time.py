"""Look through steps from one on, backwards or onwards, without a look at those on its other side."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

# How lists are asked for; a multi-status is about each thing that it has.
_ASKING: Final = frozenset({"GET", "POST"})
_ORDER: Final[Callable[[Step], int]] = attrgetter("order")


def back_from(steps: Sequence[Step], order: int) -> Iterator[Step]:
    """Yield the steps before one of an order, the latest first.

    Args:
        steps: in order of time.
        order: what they come before.
    """
    for place in range(bisect_left(steps, order, key=_ORDER) - 1, -1, -1):
        yield steps[place]


def on_from(steps: Sequence[Step], order: int) -> Iterator[Step]:
    """Yield the steps after one of an order, the earliest first.

    Args:
        steps: in order of time.
        order: what they come after.
    """
    for place in range(bisect_right(steps, order, key=_ORDER), len(steps)):
        yield steps[place]


def between(steps: Sequence[Step], first: int, last: int) -> Sequence[Step]:
    """Return the steps after one and before another.

    Args:
        steps: in order of time.
        first: order of what they come after.
        last: order of what they come before.
    """
    begin = bisect_right(steps, first, key=_ORDER)
    return steps[begin : bisect_left(steps, last, begin, key=_ORDER)]


def looked(history: History, step: Step) -> Step | None:
    """Return the last step of a write's actor that had shown the resource by itself, or changed it.

    Who writes what he had read need not have looked at the lists that came by since.

    Args:
        history: of the resource.
        step: the write.
    """
    before = back_from(history.by_actor.get(step.actor, ()), step.order)
    # A question for the fields alone shows nothing of the content.
    shows = (
        one for one in before if (one.read_ok and one.method != "HEAD" and not is_row(one)) or one.accepted
    )
    return next(shows, None)


def is_row(step: Step) -> bool:
    """Tell whether a step stands for what a list shows of a thing.

    Args:
        step: any.
    """
    around = step.within
    return around is not None and step.is_read and around.method in _ASKING and not around.batched
