"""Hold the commands and events of an update, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ifmatch.model.message import Fields
from ifmatch.model.quick import quick

if TYPE_CHECKING:
    from ifmatch.merge import Conflict

__all__ = ["Answer", "Attempt", "NoAnswer", "Read", "Send", "State", "Token", "Updated", "Wait"]

Token: TypeAlias = tuple[str, ...]
"""What names a version: one text a part of the condition, such as `('"33a6"',)`; empty: no such resource."""


@quick
@dataclass(frozen=True, slots=True)
class State:
    """One state of the resource, as it was read or written.

    Attributes:
        octets: the representation, decoded from its content coding.
        token: what names this version; never empty.
        media_type: value of Content-Type, "" when there was none.
        fields: header fields that came with it; not part of its identity.
    """

    octets: bytes
    token: Token
    media_type: str = ""
    fields: Fields = field(default_factory=Fields, compare=False, repr=False)


@quick
@dataclass(frozen=True, slots=True)
class Read:
    """Ask for the current state, past every cache.

    Attributes:
        fields: header fields to send.
        method: GET, except where the dialect reads by another one.
        query: parameters to add to the target.
        octets: content; None for none.
        path: relative reference from the target to what is asked; "" for the target itself.
    """

    fields: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
    query: tuple[tuple[str, str], ...] = ()
    octets: bytes | None = None
    path: str = ""


@quick
@dataclass(frozen=True, slots=True)
class Send:
    """Ask for a write.

    Attributes:
        method: PUT, DELETE, ...
        fields: header fields to send, the condition included.
        query: parameters to add to the target, where the dialect puts the condition there.
        octets: content; None for none.
        path: relative reference from the target to what is asked; "" for the target itself.
    """

    method: str
    fields: tuple[tuple[str, str], ...]
    query: tuple[tuple[str, str], ...] = ()
    octets: bytes | None = None
    path: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask to be called again later.

    Attributes:
        seconds: how much later.
    """

    seconds: float


@quick
@dataclass(frozen=True, slots=True)
class Answer:
    """A response arrived whole.

    Attributes:
        status: its code.
        fields: its header fields.
        octets: its content, decoded; empty when there was none.
        elapsed: seconds from sending to the last octet.
        from_cache: name of the client's own cache when that answered, else "".
        resent: True when the transport sent the request more than once on its own, so that a refusal may be
            the answer to a copy of a write that was applied.
    """

    status: int
    fields: Fields = field(default_factory=Fields)
    octets: bytes = b""
    elapsed: float = 0.0
    from_cache: str = ""
    resent: bool = False


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No whole response arrived.

    Attributes:
        reason: what was seen, in words.
        sent: False when surely nothing reached the server (no connection came up).
        elapsed: seconds until it was known.
    """

    reason: str
    sent: bool = True
    elapsed: float = 0.0


@quick
@dataclass(frozen=True, slots=True)
class Attempt:
    """One request of an update.

    Attributes:
        method: of the request.
        status: of the response, 0 when none came.
        token: sent as condition; empty when none.
        elapsed: seconds.
        waited: seconds waited before it.
        reason: why no answer came, "" when one did.
    """

    method: str
    status: int
    token: Token = ()
    elapsed: float = 0.0
    waited: float = 0.0
    reason: str = ""


@quick
@dataclass(frozen=True, slots=True)
class Updated:
    """What came of an update.

    Attributes:
        how: `applied` (at once), `rebased` (after a conflict), `already-applied` (an attempt without an
            answer had landed, proven), `holds` (the wanted state is there; who wrote it is not proven, and
            the caller declared that this does not matter), `unchanged` (there was nothing to change),
            `absent` (nothing was there to delete).
        before: token of the state it was applied to; empty when there was none.
        after: token of the new state; empty when it is not known or nothing is left.
        state: the new state when it is known, for the next update.
        attempts: every request, in order.
        conflicts: how many writes were refused.
        waited: seconds of pauses.
        elapsed: seconds from the start.
        combined: how many edits this write carried.
        resolved: conflicts that a policy decided, as the merge saw them.
    """

    how: str
    before: Token = ()
    after: Token = ()
    state: State | None = None
    attempts: tuple[Attempt, ...] = ()
    conflicts: int = 0
    waited: float = 0.0
    elapsed: float = 0.0
    combined: int = 1
    resolved: tuple[Conflict, ...] = ()

    @property
    def requests(self) -> int:
        """Return how many requests it took."""
        return len(self.attempts)
