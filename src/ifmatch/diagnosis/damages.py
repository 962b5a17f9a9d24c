"""Hold what went wrong without a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ifmatch.diagnosis.steps import Step
    from ifmatch.model.diagnosis import Outcome


@dataclass(frozen=True, slots=True)
class Damage:
    """What went wrong without a refusal.

    Attributes:
        outcome: the kind of damage.
        text: one sentence.
        lost: the write that was overwritten, or what followed a redirect; None when not seen.
        overlap: two writes on one token were in flight together.
        stale_accepted: a token known to be stale was accepted.
        range_ignored: If-Range or If-Match on a read was not heeded.
        by_cache: a cache gave the answer.
        parts: parts of a read have different validators.
        redirect: a redirect swallowed the write.
        blocked: a browser never sent the write.
        contradicted: the server evaluated against a state that is known.
        needless: a first read, and those after it that only repeat it; empty for other damage.
        slipped: another's write, itself not in the evidence, came between the check of this one and its
            storing, or the other way round.
        twice: what was asked for once was done twice.
        behind: the look after the first time that did not show it yet; None for other damage.
        first: the attempt before this one, which got no answer; None where there was none.
        lapsed: a read went from a cursor on that is older than what the service keeps.
        proven: whether the evidence shows the loss itself.
        told: when the lost change was made, as a list of changes has it; None where none tells.
    """

    outcome: Outcome
    text: str
    lost: Step | None = None
    overlap: bool = False
    stale_accepted: bool = False
    range_ignored: bool = False
    by_cache: bool = False
    parts: bool = False
    redirect: bool = False
    blocked: bool = False
    contradicted: bool = False
    needless: tuple[Step, ...] = ()
    slipped: bool = False
    twice: bool = False
    behind: Step | None = None
    first: Step | None = None
    lapsed: bool = False
    proven: bool = True
    told: float | None = None
