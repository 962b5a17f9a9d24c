"""Drive one conditional update to its end: refresh, rebase, retry; commands out, events in.

What decides, in order: a write goes out only with the token of the state that the change was made on; a
refused one is made anew on a newer state; a write whose outcome is not known is looked for before anything is
sent again. A bound that is reached while a write is in doubt leaves it one look, as long as there is time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

from ifmatch.dialects.record import Meaning
from ifmatch.errors import BudgetSpentError
from ifmatch.model.message import Fields
from ifmatch.update.changes import DELETE, NOTHING
from ifmatch.update.errors import (
    BudgetExhaustedError,
    NotAppliedError,
    OutcomeUnknownError,
    UpdateError,
)
from ifmatch.update.findings import (
    refused_otherwise,
    served_again,
    settles_soon,
    unreadable,
    without_validator,
)
from ifmatch.update.limits import wait_hint
from ifmatch.update.records import Answer, Attempt, NoAnswer, Read, Send, State, Updated, Wait
from ifmatch.update.task import UNREAD

if TYPE_CHECKING:
    from collections.abc import Generator

    from ifmatch.update.changes import Delete
    from ifmatch.update.limits import Circumstances
    from ifmatch.update.records import Token
    from ifmatch.update.task import Task, Unread

__all__ = ["Command", "Event", "Steps", "update"]


Command: TypeAlias = "Read | Send | Wait"
Event: TypeAlias = "Answer | NoAnswer | None"
Steps: TypeAlias = "Generator[Command, Event, Updated]"

# The server, or something before it, gave up on a request that it may have passed on.
_UNCERTAIN: Final = frozenset({408, 500, 502, 503, 504, 520, 521, 522, 523, 524, 599})
_REFUSED: Final = frozenset({Meaning.MISMATCH, Meaning.EXISTS, Meaning.ABSENT})
_FOR_LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 599})


@dataclass(frozen=True, slots=True)
class _Pending:
    """A write that may have been applied, or may still be on its way."""

    base: State | None
    content: bytes | Delete

    @property
    def token(self) -> Token:
        return () if self.base is None else self.base.token


def update(task: Task, circumstances: Circumstances, known: State | Unread | None = UNREAD) -> Steps:
    """Perform a conditional update.

    Args:
        task: what to do.
        circumstances: clock, randomness, limits.
        known: the state that was seen last, where the task names none.

    Yields:
        Read and Send, to be answered by an Answer or a NoAnswer; Wait, to be answered by None when it is
        over.

    Returns:
        What came of it.

    Raises:
        UpdateError: it came to no good end; the subclass says what is known of its effect. A
            `BudgetSpentError` that is thrown in ends it so, too.
    """
    run = _Run(task, circumstances, known if task.known is UNREAD else task.known)
    try:
        try:
            return (yield from run.drive())
        except BudgetSpentError as error:
            # Thrown in where a request may not go out any more: what is known of the effect stays the same.
            run.exhausted(str(error))
    except UpdateError as error:
        error.attempts = tuple(run.attempts)
        error.refusals = run.conflicts
        error.answer = error.answer or run.last
        raise


class _Run:
    """One update under way."""

    def __init__(self, task: Task, circumstances: Circumstances, known: State | Unread | None) -> None:
        self.task = task
        self.known = known
        self.dialect = task.dialect
        self.circumstances = circumstances
        self.limits = circumstances.limits
        self.started = circumstances.clock()
        self.ends = self.started + self.limits.seconds - circumstances.spent
        self.attempts: list[Attempt] = []
        self.last: Answer | None = None
        self.sent: Send | None = None
        self.pending: _Pending | None = None
        self.seen: list[Token] = []
        self.fresh = False
        self.conflicts = 0
        self.losses = 0
        self.failures = 0
        self.waited = 0.0
        self.waited_before = 0.0
        self.bound = ""

    def drive(self) -> Steps:
        """Propose, send, judge, until one of them ends it."""
        known = self.known
        state = (yield from self.read()) if known is UNREAD else known
        while True:
            try:
                content = self.task.change.propose(state)
            except Exception as error:
                if self.pending is not None:
                    raise self.unknown("the change cannot be made again", state) from error
                if self.fresh or not isinstance(error, NotAppliedError):
                    raise
                content = NOTHING
            if content is NOTHING:
                if self.pending is not None:
                    raise self.unknown("the change has nothing to do any more", state)
                if self.fresh:
                    return self.finished("absent" if state is None else "unchanged", state, state)
                # Only a remembered state says so: look before relying on it.
                state = yield from self.read()
                continue
            event = yield from self.send(state, content)
            ended, state = yield from self.judge(event, state, content)
            if ended is not None:
                return ended
            if self.bound:
                self.exhausted(self.bound, state)

    def judge(
        self, event: Answer | NoAnswer, base: State | None, content: bytes | Delete
    ) -> Generator[Command, Event, tuple[Updated | None, State | None]]:
        """Decide what an answer to a write means; return the end, or the state to go on with."""
        if isinstance(event, NoAnswer):
            if not event.sent:
                return (yield from self.put_off(event, base, content))
            return (yield from self.looked_for(event, base, content))
        status = event.status
        meaning = None if self.sent is None else self.dialect.says(self.sent, event, self.task.target)
        if meaning is Meaning.MISSING and base is None and self.dialect.absence_creates:
            meaning = Meaning.EXISTS
        if meaning in _REFUSED:
            if event.resent:
                self.pending = self.pending or _Pending(base, content)
            state = yield from self.newer_state(event, base)
            return self.settled(state, base, content), state
        if (
            meaning is not None
            and meaning is not Meaning.OTHER
            and (meaning is not Meaning.BUSY or status < 500)
        ):
            if meaning is not Meaning.BUSY:
                self.rejected(event, meaning)
            return (yield from self.put_off(event, base, content))
        if 200 <= status < 300 and (status != 202 or self.dialect.accepted):
            return self.applied(event, base, content), base
        if status in (425, 429):
            return (yield from self.put_off(event, base, content))
        if status in (404, 410):
            # The target vanished; or the service answers so when If-Match names a version of nothing.
            state = yield from self.read()
            if state is None and base is None:
                self.rejected(event, meaning)
            self.same_as_refused(event, state, base)
            return self.settled(state, base, content), state
        if status not in _UNCERTAIN and status != 202:
            self.rejected(event, meaning)
        return (yield from self.looked_for(event, base, content))

    def put_off(
        self, event: Answer | NoAnswer, base: State | None, content: bytes | Delete
    ) -> Generator[Command, Event, tuple[Updated | None, State | None]]:
        """Wait after a write that surely was not applied; return the end, or the state to go on with."""
        yield from self.pause_after_failure(event)
        if not self.bound:
            return None, base
        # It will not be sent again, but one before it may have been applied.
        state = yield from self.read()
        return self.settled(state, base, content), state

    def looked_for(
        self, event: Answer | NoAnswer, base: State | None, content: bytes | Delete
    ) -> Generator[Command, Event, tuple[Updated | None, State | None]]:
        """Read back after a write whose outcome is not known; return the end, or the state to go on with."""
        self.pending = self.pending or _Pending(base, content)
        while True:
            yield from self.pause_after_failure(event)
            state = yield from self.read()
            ended = self.settled(state, base, content)
            # One that was accepted for later (202) waits in a queue. A copy would wait there, too, and where
            # the condition was looked at already, it would overwrite what came in between.
            queued = isinstance(event, Answer) and event.status == 202
            if ended is not None or self.bound or not (queued and self.in_doubt):
                return ended, state

    def applied(self, answer: Answer, base: State | None, content: bytes | Delete) -> Updated:
        """Take in the answer of an accepted write."""
        if self.circumstances.bucket is not None:
            self.circumstances.bucket.give()
        media_type = base.media_type if base is not None and base.media_type else self.task.media_type
        sent = self.stamped(content)
        token, state = self.dialect.after(answer, sent, media_type)
        if state is not None and self.task.authorship is not None:
            # The answer to a write does not repeat the metadata that was sent with it; the next base needs
            # them.
            marks = self.task.authorship.fields(self.task.operation, base)
            state = replace(state, fields=Fields((*state.fields, *marks)))
        return self.finished("rebased" if self.conflicts else "applied", base, state, token)

    def finished(
        self, how: str, before: State | None, after: State | None, token: Token | None = None
    ) -> Updated:
        """Put together what came of the update; the token of the new version may be known without it."""
        if token is None:
            token = () if after is None else after.token
        return Updated(
            how,
            () if before is None else before.token,
            token,
            after,
            tuple(self.attempts),
            self.conflicts,
            self.waited,
            self.circumstances.clock() - self.started,
            resolved=getattr(self.task.change, "resolved", ()),
        )

    # What is known of an own write whose answer is missing.

    @property
    def in_doubt(self) -> bool:
        """Tell whether a write may have been applied."""
        return self.pending is not None

    def settled(self, state: State | None, base: State | None, content: bytes | Delete) -> Updated | None:
        """Tell whether the state that was read back shows that the write was applied after all.

        Returns:
            The end of the update; None when it surely was not applied (and never will be), or when sending
            the same again with the same token is safe because at most one of the two can be applied.

        Raises:
            OutcomeUnknownError: neither is proven.
        """
        pending = self.pending
        based = base if pending is None else pending.base
        authorship = self.task.authorship
        proof = None
        if authorship is not None and state is not None and content is not DELETE:
            proof = authorship.wrote(self.task.operation, based, state)
        if proof is True:
            return self.finished("already-applied", based, state)
        if pending is None:
            return None
        token = () if state is None else state.token
        if token == pending.token:
            return None
        if proof is False and token not in self.seen[: self.seen.index(pending.token)]:
            self.pending = None
            return None
        wanted = self.stamped(pending.content)
        if wanted is DELETE:
            holds = state is None
        else:
            holds = state is not None and self.dialect.holds(wanted, state.octets)
        if holds and (wanted is DELETE or self.task.same_value_is_enough):
            return self.finished("holds", pending.base, state)
        raise self.unknown(
            "the state moved on, and nothing in it tells whose write that was", state, holds=holds
        )

    def unknown(self, why: str, state: State | None = None, *, holds: bool = False) -> OutcomeUnknownError:
        """Return the error for a write that nothing proves or refutes."""
        pending = self.pending
        error = OutcomeUnknownError(
            "a write got no answer, or one that does not tell, and whether it was applied is not known:"
            f" {why}. Read the resource and decide; sending it again could apply it twice. A mark of your own"
            " makes it provable (authorship=JsonMarker())"
        )
        if pending is not None:
            sent = self.stamped(pending.content)
            error.sent = None if sent is DELETE else sent
        error.last_seen = state
        error.holds = holds
        return error

    def stamped(self, content: bytes | Delete) -> bytes | Delete:
        """Return the content with the mark of this operation."""
        authorship = self.task.authorship
        if content is DELETE or authorship is None:
            return content
        return authorship.stamp(content, self.task.operation)

    # After a refusal.

    def newer_state(self, answer: Answer, base: State | None) -> Generator[Command, Event, State | None]:
        """Return a newer state: from the refusal where that may be used, else from a read."""
        self.conflicts += 1
        if self.conflicts > self.limits.conflicts:
            self.reached(f"{self.limits.conflicts} writes were refused because others were quicker")
        carried = self.dialect.carried_state(answer, self.task.target, () if base is None else base.token)
        lost_fresh = self.fresh
        if lost_fresh:
            self.losses += 1
        yield from self.pause_after_conflict(answer, lost_fresh=lost_fresh)
        if carried is not None:
            # After a pause the carried state is a guess like a remembered one; without a pause it is news.
            self.fresh = not lost_fresh
            self.remember(carried)
            return carried
        state = yield from self.read()
        self.same_as_refused(answer, state, base)
        return state

    def same_as_refused(self, refusal: Answer, state: State | None, base: State | None) -> None:
        """Stop when the refresh gave what was just refused: going on would loop."""
        token = () if base is None else base.token
        if (() if state is None else state.token) != token:
            return
        if self.pending is not None:
            raise self.unknown("a refresh still gives the version that was refused", state)
        raise served_again(refusal, self.last, token)

    def rejected(self, answer: Answer, meaning: Meaning | None) -> NoReturn:
        """Stop because the service refuses the write for another reason than the version."""
        if self.pending is not None:
            raise self.unknown(f"the next attempt was answered with status {answer.status}")
        raise refused_otherwise(answer, meaning)

    # Requests and pauses.

    def read(self) -> Generator[Command, Event, State | None]:
        """Read the current state past every cache; None when there is no such resource."""
        settling = False
        while True:
            event = yield from self.ask(self.dialect.read(self.task.read_fields), ())
            if isinstance(event, NoAnswer) or event.status in _FOR_LATER:
                yield from self.pause_after_failure(event)
                continue
            if self.dialect.absent(event):
                state = None
            elif event.status == 200:
                found = self.dialect.state(event)
                if isinstance(found, str):
                    if not settling and settles_soon(event):
                        settling = True
                        yield from self.pause(1.1)
                        continue
                    raise self.not_readable(without_validator(event, found))
                state = found
            else:
                raise self.not_readable(unreadable(event))
            self.fresh = True
            self.remember(state)
            return state

    def not_readable(self, error: NotAppliedError) -> UpdateError:
        """Return the error, or the one that says that a write may have been applied."""
        return error if self.pending is None else self.unknown("the state cannot be read back")

    def remember(self, state: State | None) -> None:
        """Keep the order in which tokens were seen: one from before is from a stale copy."""
        token = () if state is None else state.token
        if token not in self.seen:
            self.seen.append(token)

    def send(
        self, base: State | None, content: bytes | Delete
    ) -> Generator[Command, Event, Answer | NoAnswer]:
        """Send a write that is based on a state."""
        task = self.task
        self.remember(base)
        fields = task.write_fields
        if task.authorship is not None:
            fields = (*fields, *task.authorship.fields(task.operation, base))
        media_type = base.media_type if base is not None and base.media_type else task.media_type
        try:
            command = self.dialect.write(base, self.stamped(content), fields, media_type)
        except ValueError as error:
            raise NotAppliedError(
                f"{error}, so the write cannot be made safe; nothing was written"
            ) from error
        self.sent = command
        return (yield from self.ask(command, () if base is None else base.token))

    def ask(self, command: Read | Send, token: Token) -> Generator[Command, Event, Answer | NoAnswer]:
        """Have a request sent, and write down what came of it."""
        if self.circumstances.clock() >= self.ends:
            self.exhausted(self.bound or f"{self.limits.seconds:g} s are over")
        event = yield command
        if not isinstance(event, (Answer, NoAnswer)):
            raise TypeError(
                f"{type(command).__name__} is to be answered by an Answer or a NoAnswer, not {event!r}"
            )
        status, reason = (event.status, "") if isinstance(event, Answer) else (0, event.reason)
        waited, self.waited_before = self.waited_before, 0.0
        self.attempts.append(Attempt(command.method, status, token, event.elapsed, waited, reason))
        if isinstance(event, Answer):
            if isinstance(command, Send) and event.status not in _FOR_LATER:
                # The way to the service is open again; a read that gets through while writes do not says no
                # such thing.
                self.failures = 0
            self.last = event
            self.circumstances.round_trip.observe(event.elapsed)
        return event

    def pause_after_conflict(self, answer: Answer, *, lost_fresh: bool) -> Generator[Command, Event, None]:
        """Wait as the server says; else, only after a loss with a fresh state, full jitter in round trips."""
        hint = wait_hint(answer, self.circumstances.wall_clock)
        trip = self.circumstances.round_trip.seconds
        if hint is not None and hint[1]:
            yield from self.pause(hint[0])
        elif hint is not None:
            yield from self.pause(hint[0] + self.circumstances.random() * trip * 4)
        elif lost_fresh:
            waiting = self.circumstances.waiting()
            window = self.limits.window_after(self.losses) / (1 + waiting)
            # Below one round trip those who met each other last would always be quicker than who waits long.
            yield from self.pause(self.circumstances.random() * trip * max(1.0, window))

    def pause_after_failure(self, event: Answer | NoAnswer) -> Generator[Command, Event, None]:
        """Wait before the next request after one that failed; the budgets of the transport apply."""
        self.failures += 1
        limits, bucket = self.limits, self.circumstances.bucket
        answer = event if isinstance(event, Answer) else None
        reason = event.reason if isinstance(event, NoAnswer) else f"status {event.status}"
        throttled = answer is not None and answer.status == 429
        if self.failures > limits.transport:
            self.reached(f"{self.failures} requests failed, the last with: {reason}")
        elif bucket is not None and not bucket.take(5 if throttled else 14):
            self.reached(f"the retry budget is used up; the last request failed with: {reason}")
        longest = min(limits.longest_pause, limits.first_pause * 2 ** (self.failures - 1))
        jitter = self.circumstances.random() * longest
        hint = None if answer is None else wait_hint(answer, self.circumstances.wall_clock)
        seconds = jitter if hint is None else hint[0] + (0.0 if hint[1] else jitter)
        yield from self.pause(seconds, jitter, f"; the last request failed with: {reason}")

    def pause(self, seconds: float, least: float = 0.0, reason: str = "") -> Generator[Command, Event, None]:
        """Wait, unless that would outlast the deadline; before a last look only what its time allows.

        Args:
            seconds: how long.
            least: how long before a last look, which gives a write that is under way the time to arrive.
            reason: what to add to the sentence that says why it ends.
        """
        left = self.ends - self.circumstances.clock()
        if seconds >= left and not self.bound:
            self.reached(f"a pause of {seconds:.3g} s is due and {max(left, 0.0):.3g} s are left{reason}")
        if self.bound:
            seconds = max(0.0, min(least, left / 2))
        if seconds > 0:
            yield Wait(seconds)
            self.waited += seconds
            self.waited_before += seconds

    def reached(self, why: str) -> None:
        """Stop because a bound is reached; where a write is in doubt, after one look."""
        if self.pending is None or self.bound or self.circumstances.clock() >= self.ends:
            self.exhausted(self.bound or why)
        self.bound = why

    def exhausted(self, why: str, state: State | Unread | None = UNREAD) -> NoReturn:
        """Stop because a bound is reached.

        Args:
            why: which one.
            state: what was seen last, where a write is in doubt; UNREAD: nothing.
        """
        if self.pending is None:
            raise BudgetExhaustedError(f"{why}; nothing was written. Try again later, or raise the limits")
        if state is UNREAD:
            raise self.unknown(why)
        raise self.unknown(
            f"{why}; the version that it was based on is still there, so if at all it comes late", state
        )
