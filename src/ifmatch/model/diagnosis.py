"""Hold the answer of `ifmatch diagnose`: incidents, ranked findings, what is benign.

The JSON form is the contract `ifmatch.diagnosis/1`; `ifmatch.report` writes it.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ifmatch.model.finding import Repair

if TYPE_CHECKING:
    from datetime import date

    from ifmatch.model.exchange import Provenance, Source
    from ifmatch.model.finding import Finding
    from ifmatch.model.timeline import Timeline


class Outcome(enum.StrEnum):
    """What the incident did, worst first.

    Content that was sent whole where 304 was due is an `ERROR`: the client has it, and it only costs octets.
    """

    LOST_UPDATE = "lost-update"
    LOST_WRITE = "lost-write"
    WRONG_CONTENT = "wrong-content"
    WRONG_NOT_MODIFIED = "wrong-not-modified"
    REFUSED = "refused"
    ERROR = "error"
    RECOVERED = "recovered"


class Verdict(enum.StrEnum):
    """Whether the first finding may be taken as the cause."""

    CAUSE = "cause"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try within an incident: where, its status (0: no answer), when (seconds since the epoch)."""

    at_entry: Provenance
    status: int
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Because:
    """A cause id with a reason: contributing, ruled out, or explained away `by` another cause."""

    cause: str
    why: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class NextProbe:
    """The one question that would settle most, and the command that asks it."""

    text: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why an incident is expected and fails nothing: the reason, the file that says so, its last day."""

    reason: str
    by: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """One actor, one intent, one guarded scope.

    Attributes:
        id: `1`, `2`, ... in the order of the report.
        outcome: what it did.
        verdict: whether the first finding may be taken as the cause.
        resource: URL of the resource (or scope).
        method: of the request that the incident is about.
        status: of the exchange that the incident is about, 0 when none came.
        at: start of that exchange in seconds since the epoch, None when unknown.
        exchange: where that exchange stands.
        actor: label of the actor.
        attempts: all of its tries, refreshes included, in order of time.
        findings: most likely first.
        contributing: true as well, but not the root.
        explained_away: would fit, but follows from another finding.
        ruled_out: what a reader may think of first, and why it is not so.
        repair: what a tool may do unasked.
        next_probe: what would settle it, None when nothing is open.
        same_cause_as: id of an incident with the same cause, None when this is the first.
        timeline: for the picture.
        suppressed: set when the user declared it expected.
        hearsay: whether only words tell of it, so that no answer to be seen is no answer that did not come.
    """

    id: str
    outcome: Outcome
    verdict: Verdict
    resource: str
    method: str
    status: int
    exchange: Provenance
    at: float | None = None
    actor: str = ""
    attempts: tuple[Attempt, ...] = ()
    findings: tuple[Finding, ...] = ()
    contributing: tuple[Because, ...] = ()
    explained_away: tuple[Because, ...] = ()
    ruled_out: tuple[Because, ...] = ()
    repair: Repair = Repair.NONE
    next_probe: NextProbe | None = None
    same_cause_as: str | None = None
    timeline: Timeline | None = None
    suppressed: Suppression | None = None
    hearsay: bool = False

    @property
    def fingerprint(self) -> str:
        """Return what stays the same when the same trouble comes again: cause, method, resource, outcome."""
        cause = self.findings[0].cause if self.findings else "undecided"
        identity = f"{cause}\n{self.method}\n{self.resource}\n{self.outcome.value}"
        return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Benign:
    """A 409, 412, 428 or the like that needs no action, and why."""

    at: Provenance
    status: int
    why: str


@dataclass(frozen=True, slots=True)
class Advice:
    """Something worth saying that is no incident (an unguarded write without a sign of damage)."""

    text: str
    cause: str = ""
    at: Provenance | None = None


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """A question to a live server: what was asked, what the answer settled, how many requests it took."""

    id: str
    asks: str
    settled: str
    requests: int


@dataclass(frozen=True, slots=True)
class HopAnswer:
    """What one hop on the way answers: to reads with and without content coding, and to HEAD."""

    name: str
    coded: str
    identity: str
    head: str


@dataclass(frozen=True, slots=True)
class LiveFindings:
    """What a live server was asked.

    Attributes:
        probes: in the order asked.
        hops: the ordinary way first; empty when no hop was named.
        differences: where hops differ, a sentence each.
        clock_offset: seconds by which the server's clock is ahead of this machine's, None when unknown.
        sent: whether the failing request itself was sent.
        stopped: why no more was asked, "" when nothing was left to ask.
    """

    probes: tuple[ProbeAnswer, ...] = ()
    hops: tuple[HopAnswer, ...] = ()
    differences: tuple[str, ...] = ()
    clock_offset: float | None = None
    sent: bool = False
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The whole answer.

    Attributes:
        sources: the files as understood, in the order given.
        incidents: in the order of the contract (outcome, likelihood, time).
        benign: refused answers that need no action.
        advice: said once, no incident.
        live: what the server was asked, None when only captures were read.
    """

    sources: tuple[Source, ...] = field(default=())
    incidents: tuple[Incident, ...] = field(default=())
    benign: tuple[Benign, ...] = field(default=())
    advice: tuple[Advice, ...] = field(default=())
    live: LiveFindings | None = None
