"""Find in a request the version that it carries by its name, where no habit of the service tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.reading.version_words import alike, called_version, speaks_of_versions
from ifmatch.diagnosis.steps.message_members import sent, shown

if TYPE_CHECKING:
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.message_members import Member

__all__ = ["carried_version"]


def carried_version(facts: Facts) -> Member | None:
    """Return what a write without a known precondition carries by the name of a version, None without one.

    Its value is another one than its thing shows under such a name, or that of something else: a record that
    is sent back whole has the version that was read with it, and expects nothing by that.

    Args:
        facts: of the write.
    """
    step = facts.step
    if facts.guard is not None or not step.is_write:
        return None
    reads = (*facts.own_reads_before, *facts.own_reads_after)
    for member in sent(step):
        if not speaks_of_versions(member):
            continue
        there = {one.value for read in reads for one in shown(read) if alike(one.word, member.word)}
        if there and member.value not in there:
            return member
        if not there and _given_elsewhere(facts, member):
            return member
    return None


def _given_elsewhere(facts: Facts, member: Member) -> bool:
    """Tell whether an answer about something else had given out a value under the name of a version."""
    return any(
        one.value == member.value and called_version(one.word)
        for step in facts.own(facts.case.steps)
        if step.order < facts.step.order and step.read_ok and step.resource != facts.step.resource
        for one in shown(step)
    )
