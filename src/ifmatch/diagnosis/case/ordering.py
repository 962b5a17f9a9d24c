"""Put steps of several captures in order, also where clocks tick too slowly to tell.

Within one tick, causality decides: what reads or names a version comes before the write that replaced it,
what shows the new version after it. The order within one capture is never changed.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ifmatch.diagnosis.steps.step import Step

_COARSE = 0.5


def in_order(steps: Iterable[Step]) -> list[Step]:
    """Return steps in order of time.

    Args:
        steps: in the order of their captures, capture after capture.
    """
    given = list(steps)
    sources = {step.source for step in given}
    coarse = any(not step.timed or step.exchange.resolution >= _COARSE for step in given)
    if len(sources) < 2 or not coarse:
        return sorted(given, key=lambda step: step.start)
    queues: dict[int, list[Step]] = defaultdict(list)
    for step in sorted(given, key=lambda step: step.start):
        queues[step.source].append(step)
    rank = _version_rank(given)
    # What a coarse clock shows lies anywhere within its tick: finer clocks tell no more beside it.
    tick = max(1.0 if not step.timed else step.exchange.resolution for step in given)
    ordered: list[Step] = []
    heads = dict.fromkeys(queues, 0)
    while len(ordered) < len(given):
        source = min(
            (one for one in queues if heads[one] < len(queues[one])),
            key=lambda one: _key(queues[one][heads[one]], rank, tick),
        )
        ordered.append(queues[source][heads[source]])
        heads[source] += 1
    return ordered


def _key(step: Step, rank: dict[int, float], tick: float) -> tuple[float, float, float, int]:
    return step.start // tick, rank.get(id(step), 0.0), step.start, step.source


def _version_rank(steps: Sequence[Step]) -> dict[int, float]:
    """Number the versions of each resource along its chain of guarded writes, and place each step on it."""
    chain: dict[tuple[str, str], tuple[str, str]] = {}
    for step in steps:
        guard = step.guard
        made = step.changes and step.etag is not None
        if made and guard is not None and guard.guard is Guard.SAME and len(guard.tokens) == 1:
            before, after = tokens.base(guard.tokens[0]), tokens.base(step.etag or "")
            if before != after:
                chain[step.resource, before] = (step.resource, after)
    depth: dict[tuple[str, str], int] = {}
    starts = [version for version in chain if version not in chain.values()]
    for version in starts:
        number, current = 0, version
        while current not in depth:
            depth[current] = number
            number += 1
            if current not in chain:
                break
            current = chain[current]
    return {id(step): place for step in steps if (place := _place(step, depth)) is not None}


def _place(step: Step, depth: dict[tuple[str, str], int]) -> float | None:
    if (step.read_ok or step.accepted) and step.etag is not None:
        number = depth.get((step.resource, tokens.base(step.etag)))
        if number is not None:
            return number - 0.5 if step.changes else float(number)
    guard = step.guard
    if step.refused and guard is not None and guard.guard is Guard.SAME and guard.tokens:
        number = depth.get((step.resource, tokens.base(guard.tokens[0])))
        return number + 0.75 if number is not None else None
    return None
