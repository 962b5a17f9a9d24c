"""Make tasks of the update machine from what callers ask for; what both editing clients share."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass, field, replace
from hashlib import sha256
from secrets import token_hex
from typing import TYPE_CHECKING, Final, TypeVar, cast
from urllib.parse import urlencode, urlunsplit
from uuid import uuid4

from ifmatch.client.combining import POSTPONED, Combined, can_combine
from ifmatch.client.events import Finished, Paused, RequestDone, log, logs_all, tell
from ifmatch.client.given import as_change
from ifmatch.client.history import clean, is_credential
from ifmatch.client.lanes import AsyncLanes, Entry, Lanes
from ifmatch.client.origins import origin, without_userinfo
from ifmatch.client.stores import MemoryStates
from ifmatch.client.transport import Outgoing
from ifmatch.model.places import joined, split
from ifmatch.update import (
    HTTP,
    UNREAD,
    BudgetExhaustedError,
    Circumstances,
    Limits,
    NotAppliedError,
    OutcomeUnknownError,
    Read,
    RoundTrip,
    State,
    Task,
    TokenBucket,
    Updated,
    UpdateError,
    update,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ifmatch.client.combining import Outcome
    from ifmatch.client.events import Observer
    from ifmatch.client.given import ChangeLike
    from ifmatch.client.stores import StateStore
    from ifmatch.errors import StoreUnavailableError
    from ifmatch.update import (
        Answer,
        Authorship,
        Change,
        Command,
        Dialect,
        NoAnswer,
        Send,
        Steps,
        Wait,
    )

__all__ = ["Job", "Plans", "Settings"]

D = TypeVar("D")
E = TypeVar("E", bound=Exception)
# Below that a remembered state is more often wrong than right, and a read is cheaper than a refused write.
_TRUST: Final = 0.5
# Writes in a row after which others get a chance: where others were met, and where none was so far.
_RUN, _LONG_RUN = 16, 64
_DOUBLINGS: Final = 4
# Seconds for which a store that failed is left alone.
_STORE_REST: Final = 30.0
_ONLY_LOG: Final[tuple[Observer, ...]] = (log,)
_logger = logging.getLogger("ifmatch.client")


@dataclass(slots=True)
class Settings:
    """How an editing client behaves; clients that are made with the same object queue together.

    Attributes:
        dialect: how the service does conditional writes.
        authorship: how own writes are proven after a lost answer; None: they cannot be.
        limits: bounds of each update.
        combine: whether edits given as functions or patches that wait for one resource go out in one write.
        states: where last known states are kept.
        identity: names whose view of the resources this is; clients with the same one share what `states`
            holds. "" for this client alone: what one was shown with its credentials is nothing for another.
        retry_budget: tokens of the budget that retries of all updates share; 0 for no such budget.
        media_type: of new documents.
        fields: header fields of every request.
        observers: get every event; the first one writes the log.
        clock: seconds that only go forward.
        wall_clock: seconds since the epoch.
        random: a number from 0 up to 1.
    """

    dialect: Dialect = HTTP
    authorship: Authorship | None = None
    limits: Limits = field(default_factory=Limits)
    combine: bool = False
    states: StateStore = field(default_factory=MemoryStates)
    identity: str = ""
    retry_budget: int = 500
    media_type: str = "application/json"
    fields: tuple[tuple[str, str], ...] = ()
    observers: tuple[Observer, ...] = (log,)
    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    random: Callable[[], float] = random.random
    _lanes: Lanes[Job, Updated | Exception] = field(init=False, repr=False, default_factory=Lanes)
    _async_lanes: AsyncLanes[Job, Updated | Exception] = field(
        init=False, repr=False, default_factory=AsyncLanes
    )

    def lanes(self) -> Lanes[Job, Updated | Exception]:
        """Return the lanes of all synchronous clients that are made with this object."""
        return self._lanes

    def async_lanes(self) -> AsyncLanes[Job, Updated | Exception]:
        """Return the lanes of all asynchronous clients that are made with this object."""
        return self._async_lanes


@dataclass(slots=True)
class Job:
    """One update that was asked for.

    Attributes:
        url: of the resource, absolute.
        change: what is to be done.
        task: everything but the state that is known.
        lane: what it waits for: the resource, or the wider scope of the dialect.
        memory: key of its known state; "" when none may be kept.
        limits: bounds.
        client: whose it is: nobody writes with another client's credentials.
        round_trip: to its service.
        ends: when its time is over, on the settings' clock.
    """

    url: str
    change: Change
    task: Task
    lane: str
    memory: str
    limits: Limits
    client: object
    round_trip: RoundTrip
    ends: float

    @property
    def kind(self) -> object:
        """Return what jobs have in common that may go out together, None for one that may not."""
        if not can_combine(self.change):
            return None
        task = self.task
        return (
            id(self.client),
            self.url,
            task.media_type,
            task.read_fields,
            task.write_fields,
            task.same_value_is_enough,
        )


class Plans:
    """Turn wishes into jobs, and remember what makes the next one cheaper.

    Args:
        settings: of the client.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._round_trips: dict[object, RoundTrip] = {}
        self._bucket = TokenBucket(settings.retry_budget) if settings.retry_budget else None
        self._trust: dict[str, float] = {}
        self._alone = uuid4().hex
        self._runs: dict[str, tuple[int, int, bool]] = {}
        self._stores_again = 0.0
        self._keys: dict[tuple[str, str, str, tuple[tuple[str, str], ...]], str] = {}

    def job(
        self,
        url: str,
        change: ChangeLike[D],
        *,
        fields: Sequence[tuple[str, str]] = (),
        same_value_is_enough: bool = False,
        media_type: str = "",
        limits: Limits | None = None,
    ) -> Job:
        """Return the job for a change.

        Args:
            url: of the resource, absolute.
            change: what is to be done.
            fields: header fields of its requests.
            same_value_is_enough: as in `ifmatch.update.Task`.
            media_type: of a new document; "" for that of the client.
            limits: bounds; None for those of the client.
        """
        settings = self.settings
        made = as_change(change)
        dialect = settings.dialect.at(url)
        all_fields = (*settings.fields, *fields) if fields else settings.fields
        task = Task(
            made,
            token_hex(8),
            url,
            UNREAD,
            dialect,
            settings.authorship,
            media_type or settings.media_type,
            all_fields,
            all_fields,
            same_value_is_enough,
        )
        # What somebody else's credentials showed is no state of this client's.
        private = bool(fields) and any(is_credential(name) for name, _ in fields)
        found = self._round_trips.get(origin(url))
        return Job(
            url,
            made,
            task,
            lane_of(url, dialect),
            "" if private else self._memory_key(url, all_fields),
            limits or settings.limits,
            self,
            found or self._round_trips.setdefault(origin(url), RoundTrip()),
            settings.clock() + (limits or settings.limits).seconds,
        )

    def _memory_key(self, url: str, fields: tuple[tuple[str, str], ...]) -> str:
        if fields is not self.settings.fields:
            return self._made_key(url, fields)
        place = self.settings.identity, self.settings.dialect.name, url, fields
        known = self._keys.get(place)
        if known is None:
            known = self._made_key(url, fields)
            if clean(url) == url:
                # Nothing in it is a credential.
                if len(self._keys) > 4096:
                    self._keys.clear()
                self._keys[place] = known
        return known

    def _made_key(self, url: str, fields: tuple[tuple[str, str], ...]) -> str:
        variant = sorted((name.lower(), value) for name, value in fields if name.lower().startswith("accept"))
        identity = (
            self.settings.identity or self._alone,
            self.settings.dialect.name,
            without_userinfo(url),
            variant,
        )
        return sha256(repr(identity).encode()).hexdigest()

    def may_remember(self, job: Job) -> bool:
        """Tell whether the store of states is to be asked: not for a while after it failed."""
        return bool(job.memory) and self.settings.clock() >= self._stores_again

    def store_failed(self, error: StoreUnavailableError) -> None:
        """Take in that the store of states failed: it costs a read an update, and waiting for it costs more.

        Args:
            error: what was seen.
        """
        self._stores_again = self.settings.clock() + _STORE_REST
        _logger.warning("going on without remembered states for %g s: %s", _STORE_REST, error)

    @staticmethod
    def failed(job: Job, error: E) -> E:
        """Let the error of an update say which resource it is about, and return it.

        Args:
            job: what was to be done.
            error: why it was not.
        """
        if isinstance(error, UpdateError):
            error.url = clean(job.url)
        return error

    def trusts(self, job: Job) -> bool:
        """Tell whether a remembered state is likely enough to be right to begin with it."""
        return self._trust.get(job.memory, 1.0) >= _TRUST

    def steps(
        self, job: Job, known: State | None, waited: float, waiting: Callable[[object], int] | None = None
    ) -> Steps:
        """Return the machine that performs a job.

        Args:
            job: what is to be done.
            known: the state that is remembered, None when none is.
            waited: seconds that the job spent waiting for its turn.
            waiting: tells how many jobs wait in a lane; None: none.

        Raises:
            BudgetExhaustedError: its time is over.
        """
        if waited >= job.limits.seconds:
            raise turn_never_came(job)
        settings = self.settings
        circumstances = Circumstances(
            settings.clock, settings.random, job.limits, job.round_trip, self._bucket, spent=waited
        )
        circumstances.wall_clock = settings.wall_clock
        if waiting is not None:
            circumstances.waiting = lambda: waiting(job.lane)
        return update(job.task, circumstances, UNREAD if known is None else known)

    def learn(self, job: Job, known: State | None, end: Updated, *, used: bool) -> None:
        """Take in whether the remembered state was right.

        Args:
            job: what was done.
            known: the remembered state.
            end: what came of it.
            used: whether the update began with it; else it shows beside what was read.
        """
        if known is None or not end.attempts:
            return
        right = not end.conflicts and (used or end.before == known.token)
        if len(self._trust) > 4096:
            self._trust.clear()
        self._trust[job.memory] = 0.7 * self._trust.get(job.memory, 1.0) + (0.3 if right else 0.0)

    def courtesy(self, job: Job) -> float:
        """Return how many seconds to stand back, so that writers of other processes get their turn.

        Whoever keeps the token of its own write needs one round trip for the next, a rival that has to read
        needs two, and would wait for the whole queue. So a long run pauses for two; after each time that
        nobody came the next run is twice as long, up to a bound, until others are met.

        Args:
            job: what is about to be done.
        """
        run, missed, others = self._runs.get(job.lane, (0, 0, False))
        if run < (_RUN if others else _LONG_RUN) << min(missed, _DOUBLINGS):
            return 0.0
        self._runs[job.lane] = (0, missed + 1, others)
        return 2 * job.round_trip.seconds

    def met(self, job: Job, *, conflicts: int) -> None:
        """Take in whether others were met, and count the run since.

        Args:
            job: what was done.
            conflicts: how many writes were refused.
        """
        if len(self._runs) > 4096:
            self._runs.clear()
        run, missed, others = self._runs.get(job.lane, (0, 0, False))
        self._runs[job.lane] = (0, 0, True) if conflicts else (run + 1, missed, others)

    def outgoing(self, job: Job, command: Read | Send) -> Outgoing:
        """Return the request for a command of the machine."""
        url = joined(job.url, command.path) if command.path else job.url
        if command.query:
            parts = split(url)
            query = "&".join(part for part in (parts.query, urlencode(command.query)) if part)
            url = urlunsplit(parts._replace(query=query))
        past_caches = isinstance(command, Read)
        left = max(job.ends - self.settings.clock(), 0.001)
        return Outgoing(command.method, url, command.fields, command.octets, past_caches, left)

    def told(self, job: Job, command: Command, event: Answer | NoAnswer | None) -> None:
        """Tell the observers of a request or a pause."""
        observers = self.settings.observers
        if not observers or (observers == _ONLY_LOG and not logs_all()):
            return
        url, operation = clean(job.url), job.task.operation
        if event is None:
            tell(observers, Paused(operation, url, cast("Wait", command).seconds))
            return
        status, reason = getattr(event, "status", 0), getattr(event, "reason", "")
        method = cast("Read | Send", command).method
        tell(
            observers,
            RequestDone(operation, url, method, status, event.elapsed, reason, self.settings.wall_clock()),
        )

    def finished(self, job: Job, outcome: Updated | Exception, started: float) -> None:
        """Tell the observers of the end of an update.

        Args:
            job: what was to be done.
            outcome: what came of it.
            started: seconds on the settings' clock.
        """
        observers = self.settings.observers
        if not observers:
            return
        if (
            isinstance(outcome, Updated)
            and observers == _ONLY_LOG
            and not outcome.conflicts
            and not logs_all()
        ):
            return
        elapsed = self.settings.clock() - started
        result = outcome if isinstance(outcome, Updated) else None
        error = outcome if isinstance(outcome, Exception) else None
        began = self.settings.wall_clock() - elapsed
        tell(observers, Finished(job.task.operation, clean(job.url), result, error, began, elapsed))


def together(jobs: Sequence[Job]) -> tuple[Job, Combined | None]:
    """Return the job that does all of them; and the combined change when there are several.

    Args:
        jobs: of one kind, longest waiting first.
    """
    first = jobs[0]
    if len(jobs) == 1:
        return first, None
    combined = Combined([job.change for job in jobs])
    limits = replace(first.limits, seconds=min(job.limits.seconds for job in jobs))
    task = replace(first.task, change=combined)
    ends = min(job.ends for job in jobs)
    return replace(first, change=combined, task=task, limits=limits, ends=ends), combined


def spread(combined: Combined | None, end: Updated | Exception, count: int) -> list[Outcome]:
    """Return what came of each job, in their order.

    Args:
        combined: the combined change, None when there was one job.
        end: what came of the write.
        count: how many jobs there are.
    """
    if combined is None:
        return [end]
    given = combined.outcomes(end) if isinstance(end, Updated) else combined.failures(end)
    return given if len(given) == count else [*given, *[POSTPONED] * (count - len(given))]


def to_be_split(combined: Combined | None, end: Updated | Exception) -> bool:
    """Tell whether the service refused the content of a combined write, so that one edit may be to blame."""
    if combined is None or not isinstance(end, NotAppliedError) or combined.carried < 2:
        return False
    return end.answer is not None and end.answer.status in (400, 409, 413, 422)


def turn_never_came(job: Job) -> BudgetExhaustedError:
    """Return the error for a job whose turn did not come in time."""
    error = BudgetExhaustedError(
        f"{job.limits.seconds:g} s were over before other writers of this process were done with it; nothing"
        " was written. Try again later, raise the limits, or combine edits (combine=True)"
    )
    error.url = clean(job.url)
    return error


def interrupted(batch: Sequence[Entry[Job, Updated | Exception]]) -> None:
    """Tell those whose edit was in a write that was broken off what is known of it.

    Args:
        batch: entries that were done together.
    """
    for entry in batch:
        if entry.outcome is None:
            entry.outcome = OutcomeUnknownError(
                "the thread or task that carried this edit in its write was interrupted: whether it was"
                " applied"
                " is not known. Read the resource and decide"
            )


def entry_of(job: Job, *, combine: bool) -> Entry[Job, Updated | Exception]:
    """Return the place of a job in its lane."""
    return Entry(job, job.kind if combine else None)


def lane_of(url: str, dialect: Dialect) -> str:
    """Return what writers of a URL wait for: the resource, or all that shares its token.

    Args:
        url: of the resource.
        dialect: of the service.
    """
    if dialect.record is None and "@" not in url and "#" not in url:
        return url
    parts = split(without_userinfo(url))
    scope = dialect.scope(parts.path)
    return urlunsplit(
        parts._replace(path=scope, query=parts.query if scope == parts.path else "", fragment="")
    )
