"""Hold the steps of one resource, with what is asked of them again and again."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ifmatch.diagnosis.steps import Step

if TYPE_CHECKING:
    from collections.abc import Sequence


class History(list[Step]):
    """The steps of one resource in order of time; complete before anything is asked."""

    @cached_property
    def writes(self) -> list[Step]:
        """Return the accepted steps that changed the resource."""
        return [step for step in self if step.accepted and step.replaces]

    @cached_property
    def issuers(self) -> dict[str, list[Step]]:
        """Return the steps that gave out each validator, in order of time."""
        found: dict[str, list[Step]] = {}
        for step in self:
            for token in step.issued():
                found.setdefault(token, []).append(step)
        return found

    def issued(self, token: str) -> Sequence[Step]:
        """Return the steps that gave out a validator, in order of time."""
        return self.issuers.get(token, ())
