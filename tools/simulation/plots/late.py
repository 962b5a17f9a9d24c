"""Captures that begin with the refusal: what was read before is in no file of the client's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tools.simulation.messages import Response
from tools.simulation.plots import conflicts, damaged, encodings, tokens

if TYPE_CHECKING:
    from tools.simulation.stage import Stage, Told

_UNSAFE = frozenset({"PUT", "PATCH", "POST", "DELETE"})
_LATE = " The client's capture begins with the refused write."


def _cut(stage: Stage, told: Told, alone: tuple[str, ...], needs: frozenset[str]) -> Told:
    """Leave out what the client did before its first refused write."""
    tape = stage.agents[0].tape
    for number, one in enumerate(tape.exchanges):
        refused = isinstance(one.answer, Response) and one.answer.status >= 400
        if refused and one.request.method in _UNSAFE:
            tape.exchanges = tape.exchanges[number:]
            break
    return replace(
        told,
        slug=f"late-{told.slug}",
        alone=alone,
        needs=told.needs | needs,
        description=told.description + _LATE,
    )


def late_other_writer(stage: Stage) -> Told:
    """Somebody else wrote; that the token was fresh once is only upstream."""
    told = conflicts.other_writer(stage)
    return _cut(stage, told, ("other-writer", "stale-stored-token"), frozenset({"other", "upstream"}))


def late_repetitions(stage: Stage) -> Told:
    """The same token again and again, from the first line of the file."""
    told = tokens.retry_reuses_failed_token(stage)
    return _cut(stage, told, ("retry-reuses-failed-token",), frozenset())


def late_null(stage: Stage) -> Told:
    """A word for nothing needs no history."""
    told = damaged.null_token(stage)
    return _cut(stage, told, ("null-token",), frozenset())


def late_weakened(stage: Stage) -> Told:
    """The weak tag is in the refused write itself."""
    told = encodings.etag_weakened(stage)
    return _cut(stage, told, tuple(dict.fromkeys(("etag-weakened", "weak-only-origin", *told.alone))), frozenset({"upstream"}))  # fmt: skip
