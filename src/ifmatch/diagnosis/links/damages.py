"""Hold what went wrong without a refusal."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.diagnosis import Outcome


class Reason(enum.StrEnum):
    """Why the condition of a read never holds although the thing stays as it is."""

    THING = "thing"  # the tag is another thing's
    REPRESENTATION = "representation"  # the tag is another representation's
    PATH = "path"  # HEAD and GET, a write and a read, a list and its items have tags of their own
    SUFFIX = "suffix"  # an encoder appends to the tag, and does not know it again
    WEAKENED = "weakened"  # the tag was made weak on the way, and a range needs a strong one
    UNSETTLED = "unsettled"  # the tag is weak as long as the file may change within the same tick
    WEAK_ONLY = "weak-only"  # all tags are weak, and a range needs a strong one
    NONE = "none"  # what was sent is a word for none
    HURT = "hurt"  # the tag was damaged by who sends it
    ZONE = "zone"  # the date is in local time
    STRIPPED = "stripped"  # what the origin sent was taken off on the way


class Waste(Frozen, frozen=True):
    """Reads whose condition never holds, and why.

    Attributes:
        reason: why.
        sent: what they carry.
        name: of the field that carries it.
        current: the validator that their answers carry each time.
        asked: the reads, each after its reader had been shown the current validator.
        gave: the answer that gave out what was sent, or shows what it was made of; None when not known.
        passed: a read that was spared its content when it asked with the right validator.
    """

    reason: Reason
    sent: str
    name: str
    current: str
    asked: tuple[Step, ...]
    gave: Step | None = None
    passed: Step | None = None


class Damage(Frozen, frozen=True):
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
        waste: reads whose condition never holds for a reason that is known; None for other damage.
        needless: a first read, and those after it that only repeat it; empty for other damage.
        slipped: another's write, itself not in the evidence, came between the check of this one and its
            storing, or the other way round.
        twice: what was asked for once was done twice.
        behind: the look after the first time that did not show it yet; None for other damage.
        first: the attempt before this one, which got no answer; None where there was none.
        lapsed: a read went from a cursor on that is older than what the service keeps.
        coded: the content of a success has the code 412, and nothing was to be compared.
        unoffered: the service says that it does not do the condition which was sent.
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
    waste: Waste | None = None
    needless: tuple[Step, ...] = ()
    slipped: bool = False
    twice: bool = False
    behind: Step | None = None
    first: Step | None = None
    lapsed: bool = False
    coded: bool = False
    unoffered: bool = False
    proven: bool = True
    told: float | None = None
