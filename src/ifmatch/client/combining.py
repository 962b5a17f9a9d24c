"""Run several edits one after another on one state, so that one write carries them all; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ifmatch.update import DELETE, NOTHING, Edit, EditOctets, JsonPatch, MergePatch, Send, State, Updated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.client.plan import Job
    from ifmatch.update import Change, Nothing, Read
    from ifmatch.update.changes import Proposal

__all__ = ["POSTPONED", "Combined", "Foreseen", "Outcome", "can_combine", "foresee"]


class _Marker(Enum):
    POSTPONED = "postponed"


Postponed: TypeAlias = Literal[_Marker.POSTPONED]
POSTPONED: Final = _Marker.POSTPONED
"""Stands for an edit that needs a write of its own."""
Outcome: TypeAlias = "Updated | Exception | Postponed"
_Result: TypeAlias = "Exception | Nothing | Postponed | None"


def can_combine(change: Change) -> bool:
    """Tell whether an edit is a function or a patch: a document that someone edited has a base of its own."""
    return isinstance(change, (Edit, EditOctets, MergePatch, JsonPatch))


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A change that was made ahead, on content that was likely to come.

    Attributes:
        change: a function of the content alone.
        octets: the content that it was made on.
        content: what it made of it.
    """

    change: Change
    octets: bytes
    content: Proposal

    def propose(self, state: State | None) -> Proposal:
        """Return what was made ahead; on another state the change is made anew."""
        if state is not None and state.octets == self.octets:
            return self.content
        return self.change.propose(state)


def foresee(job: Job, command: Read | Send, following: Job) -> None:
    """Make the next change ahead, on what a write will have made of the resource when it is accepted.

    Args:
        job: whose write is under way.
        command: the write; nothing is foreseen of a read.
        following: whose turn is next; its change is a function of the content, or it is left alone.
    """
    octets = command.octets if isinstance(command, Send) and job.task.dialect.sends_documents else None
    if octets is None or following.url != job.url or not can_combine(following.change):
        return
    try:
        content = following.change.propose(State(octets, ("",)))
    except Exception:  # noqa: BLE001 - a guess; on the real state it is raised to the caller
        return
    following.task = replace(following.task, change=Foreseen(following.change, octets, content))


class Combined:
    """Apply edits in their order; one that fails, fails alone.

    Args:
        changes: the edits, longest waiting first.
    """

    def __init__(self, changes: Sequence[Change]) -> None:
        self.changes = tuple(changes)
        self._results: list[_Result] = []

    def propose(self, state: State | None) -> Proposal:
        """Run every edit on what the one before it made."""
        self._results = []
        current, changed = state, False
        for change in self.changes:
            try:
                made = change.propose(current)
            except Exception as error:  # noqa: BLE001 - it is the caller's own, and goes back to that caller
                self._results.append(error)
                continue
            if made is DELETE:
                # What follows would work on nothing: they wait for the next write.
                self._results += [POSTPONED] * (len(self.changes) - len(self._results))
                if not changed and self._results[0] is POSTPONED:
                    self._results[0] = None
                    return DELETE
                break
            if made is NOTHING:
                self._results.append(NOTHING)
                continue
            self._results.append(None)
            changed = True
            current = State(made, ("",)) if current is None else replace(current, octets=made)
        return current.octets if changed and current is not None else NOTHING

    @property
    def carried(self) -> int:
        """Return how many edits the last proposal holds."""
        return sum(result is None for result in self._results)

    def outcomes(self, end: Updated) -> list[Outcome]:
        """Return what came of each edit, in their order.

        Args:
            end: what came of the write.
        """
        combined = max(self.carried, 1)
        changed = replace(end, combined=combined)
        same = replace(end, how="unchanged", before=end.after or end.before, combined=1)
        given: list[Outcome] = []
        for result in self._results:
            if result is None:
                given.append(changed)
            elif result is NOTHING:
                given.append(same)
            else:
                given.append(result)
        return given

    def failures(self, error: Exception) -> list[Outcome]:
        """Return what came of each edit when the write failed, in their order.

        Args:
            error: of the write.
        """
        if not self._results:
            return [error] * len(self.changes)
        # One that had nothing to do had it on a state that was never confirmed.
        return [
            result if isinstance(result, Exception) or result is POSTPONED else error
            for result in self._results
        ]
