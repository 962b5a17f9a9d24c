"""Hold evidence and the findings that rest on it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ifmatch.model.exchange import Provenance


class Level(enum.StrEnum):
    """How sure a finding is: high from 0.75, medium from 0.35."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @classmethod
    def of(cls, likelihood: float) -> Level:
        """Return the level of a probability."""
        if likelihood >= 0.75:
            return cls.HIGH
        return cls.MEDIUM if likelihood >= 0.35 else cls.LOW


class Difficulty(enum.StrEnum):
    """How hard a fix is to carry out."""

    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


class Role(enum.StrEnum):
    """Who can act."""

    CLIENT = "client"
    INTERMEDIARY = "intermediary"
    SERVICE = "service"
    PROVIDER = "provider"


class Repair(enum.StrEnum):
    """What a tool may do unasked about an incident."""

    ALLOWED = "allowed"
    ALREADY_APPLIED = "already-applied"
    ASK = "ask"
    FORBIDDEN = "forbidden"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation that speaks for or against a cause.

    Attributes:
        text: the observation in one sentence, values quoted as seen.
        weight: natural logarithm of the likelihood ratio; negative speaks against.
        at: where it was seen, None when it concerns the whole case.
        field: name of the field that shows it, "" when none.
    """

    text: str
    weight: float
    at: Provenance | None = None
    field: str = ""


@dataclass(frozen=True, slots=True)
class Attested:
    """An observation from outside of the recorded exchanges: what a hop answered when asked by itself.

    Attributes:
        url: of the requests that it concerns.
        cause: id of the catalogue.
        evidence: what it says for or against that cause.
    """

    url: str
    cause: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Fix:
    """Something to do about a cause.

    Attributes:
        title: what to do, imperative.
        difficulty: how hard.
        who: who can do it.
        repair: what a tool may do of it unasked.
        command: a command that does or tests it, "" when none; credentials as variables.
        verify: the command that shows that the fix took, "" when none.
    """

    title: str
    difficulty: Difficulty
    who: Role
    repair: Repair
    command: str = ""
    verify: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause with its likelihood.

    Attributes:
        cause: id of the catalogue.
        likelihood: probability that this is the root cause, 0 to 1.
        summary: one sentence about this very incident.
        evidence: strongest first.
        fixes: best first.
    """

    cause: str
    likelihood: float
    summary: str
    evidence: tuple[Evidence, ...] = field(default=())
    fixes: tuple[Fix, ...] = field(default=())

    @property
    def level(self) -> Level:
        """Return how sure this finding is."""
        return Level.of(self.likelihood)
