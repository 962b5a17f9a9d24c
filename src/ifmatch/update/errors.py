"""Name how an update can fail, by what is known of its effect.

```
UpdateError
├─ NotAppliedError                   surely nothing was written
│  ├─ DataConflictError              both sides changed the same place: decide
│  ├─ PreconditionRequiredError      428: the service wants a condition
│  ├─ NoValidatorError               the service names no version that a condition could use
│  ├─ TargetMissingError             there is no such resource
│  ├─ RefusedTokenServedAgainError   the refresh gave the refused token: a cache, or a wrong comparison
│  └─ BudgetExhaustedError           attempts, time or the retry budget ran out
└─ OutcomeUnknownError               it may have been written, and nothing proves or refutes it
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.errors import IfmatchError

if TYPE_CHECKING:
    from ifmatch.merge import Conflict
    from ifmatch.update.records import Answer, Attempt, State, Token

__all__ = [
    "BudgetExhaustedError",
    "DataConflictError",
    "NoValidatorError",
    "NotAppliedError",
    "OutcomeUnknownError",
    "PreconditionRequiredError",
    "RefusedTokenServedAgainError",
    "TargetMissingError",
    "UpdateError",
]


class UpdateError(IfmatchError):
    """Say that an update did not come to a good end.

    Args:
        text: what happened and what to do.

    Attributes:
        answer: the last response, None when there was none: what the service said of it is in its content.
        attempts: every request, in order.
        refusals: how many writes were refused because of their version.
        url: of the resource, without credentials; "" when it is not known.
    """

    answer: Answer | None = None
    attempts: tuple[Attempt, ...] = ()
    refusals: int = 0
    url: str = ""

    def __str__(self) -> str:
        return f"{self.url}: {self._text()}" if self.url else self._text()

    def _text(self) -> str:
        return super().__str__()


class NotAppliedError(UpdateError):
    """Say that surely nothing was written."""


class PreconditionRequiredError(NotAppliedError):
    """Say that the service refuses writes without a condition (RFC 6585 section 3)."""


class NoValidatorError(NotAppliedError):
    """Say that the service names no version that a condition could use (RFC 9110 section 13.1.1)."""


class TargetMissingError(NotAppliedError):
    """Say that there is no such resource."""


class BudgetExhaustedError(NotAppliedError):
    """Say that attempts, time or the retry budget ran out before a write got through."""


class RefusedTokenServedAgainError(NotAppliedError):
    """Say that the refresh gave the very token that was refused, so that going on would loop.

    Args:
        text: what happened and what to do.

    Attributes:
        cache: which cache served it, in words; "" when nothing points to a cache.
        cause: id in the catalogue of causes that fits best.
        token: the refused token.
    """

    cache: str = ""
    cause: str = "etag-source-mismatch"
    token: Token = ()


class DataConflictError(NotAppliedError):
    """Say that both sides changed the same place; nothing was written.

    Args:
        conflicts: all contradictions, each with pointer, base, mine and theirs.
        theirs: the current state, None when the resource is gone.
    """

    def __init__(self, conflicts: tuple[Conflict, ...], theirs: State | None) -> None:
        super().__init__(conflicts)
        self.conflicts = conflicts
        self.theirs = theirs

    def _text(self) -> str:
        count = len(self.conflicts)
        lines = "".join(f"\n  {conflict}" for conflict in self.conflicts)
        return f"not written: {count} conflict{'s' * (count != 1)} with a change made meanwhile{lines}"


class OutcomeUnknownError(UpdateError):
    """Say that a write may have been applied, and nothing proves or refutes it.

    Args:
        text: what happened and what to do.

    Attributes:
        sent: content of the write in question; None for a deletion.
        last_seen: the state that was read back last, None when none was, or nothing is there.
        holds: True when the state that was read back equals what was sent: then the wanted state is there,
            and only its author is in doubt.
    """

    sent: bytes | None = None
    last_seen: State | None = None
    holds: bool = False
