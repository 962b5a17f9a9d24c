"""Carry a repair out: read, plan, write with the fresh validator, read back, keep a journal."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ifmatch.capture.redact import Redactor
from ifmatch.doctor.failing import NEVER
from ifmatch.doctor.journal import Entry
from ifmatch.doctor.repair import Kind, Plan, change_of, kind_of, make_plan, task_of
from ifmatch.doctor.transport import answer_of, drive
from ifmatch.errors import BudgetSpentError, TargetUnreachableError
from ifmatch.update import (
    HTTP,
    Circumstances,
    Limits,
    NoAnswer,
    OutcomeUnknownError,
    State,
    UpdateError,
    update,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.doctor.failing import Failing
    from ifmatch.doctor.journal import Journal
    from ifmatch.merge import Policies
    from ifmatch.update import Answer, Updated
    from ifmatch.wire import Sender

__all__ = ["Mended", "Mending"]


@dataclass(frozen=True, slots=True)
class Mended:
    """What came of a repair.

    Attributes:
        how: as in `Updated.how`, or `overwritten`.
        entry: id in the journal, 0 when nothing was written.
        proven: whether a read afterwards showed the new version.
        updated: the update's own account.
    """

    how: str
    entry: int
    proven: bool
    updated: Updated


@dataclass(slots=True)
class Mending:
    """One repair, step by step.

    Args:
        failing: the refused write.
        sender: sends, within its budget.
        clock: seconds, monotonic.
        wall_clock: seconds since the epoch.
        random: a number from 0 up to 1.
        sleep: waits the given seconds.
        operation: id of this repair.
        base: octets that the edit was made on, None when they are not known.
        policies: how contradictions are decided, None to list them.
        limits: attempts and time.
    """

    failing: Failing
    sender: Sender
    clock: Callable[[], float]
    wall_clock: Callable[[], float]
    random: Callable[[], float]
    sleep: Callable[[float], None]
    operation: str
    base: bytes | None = None
    policies: Policies | None = None
    limits: Limits = field(default_factory=lambda: Limits(seconds=60.0, conflicts=5, transport=5))

    def read(self) -> State | None:
        """Return the current state past the caches, None when there is none.

        Only the validator is asked for where the content is not needed (a deletion, opaque octets).

        Raises:
            TargetUnreachableError: the state cannot be read.
            NotAppliedError: it has no validator that a condition could use.
        """
        answer = self._asked()
        if HTTP.absent(answer):
            return None
        state = HTTP.state(answer)
        if isinstance(state, str):
            from ifmatch.update.findings import settles_soon, without_validator  # noqa: PLC0415 - rare

            if settles_soon(answer):
                # A file that was written a moment ago: its tag becomes strong within a second.
                self.sleep(1.1)
                answer = self._asked()
                state = HTTP.state(answer)
            if isinstance(state, str):
                raise without_validator(answer, state)
        return state

    def evaluates(self) -> bool:
        """Tell whether a condition reaches whoever evaluates it, and is heeded: asked by a read.

        Source: RFC 9110 section 13.1.1 (If-Match is false where no tag matches, on reads as well).
        """
        request = self.failing.read(("If-Match", NEVER), ("Cache-Control", "no-cache"))
        answer = answer_of(self.sender.send(request, route=self.failing.route))
        return not isinstance(answer, NoAnswer) and answer.status == 412

    def _asked(self) -> Answer:
        """Return the answer to a read: 200, 404 or 410."""
        bare = kind_of(self.failing) in {Kind.DELETE, Kind.OPAQUE}
        request = self.failing.read(
            ("Cache-Control", "no-cache"), ("Accept-Encoding", "identity"), method="HEAD" if bare else "GET"
        )
        answer = answer_of(self.sender.send(request, route=self.failing.route))
        if isinstance(answer, NoAnswer):
            raise TargetUnreachableError(
                f"the state cannot be read: {answer.reason}", target=Redactor().url(request.url)
            )
        if answer.status != 200 and not HTTP.absent(answer):
            raise TargetUnreachableError(
                f"the state cannot be read: status {answer.status}",
                target=Redactor().url(request.url),
                advice="Credentials missing? -H 'Authorization: ...'",
            )
        return answer

    def plan(self, theirs: State | None) -> Plan:
        """Return what the repair would do on a state."""
        return make_plan(self.failing, self.base, theirs, self.policies)

    def apply(
        self, theirs: State | None, journal: Journal, *, overwrite: bool = False, same_content: bool = False
    ) -> Mended:
        """Write, as often as the state moves and the limits allow.

        Args:
            theirs: the state that the plan was made on.
            journal: takes the version before, before anything is sent.
            overwrite: whether the content goes in as it is, whatever others wrote.
            same_content: whether equal content counts as success whoever wrote it.

        Raises:
            UpdateError: it came to no good end; the subclass says what is known of its effect.
        """
        from ifmatch.merge import Policies  # noqa: PLC0415 - only where something is written

        policies = Policies(default="mine") if overwrite else self.policies
        change = change_of(self.failing, self.base, policies)
        if overwrite and kind_of(self.failing) in {Kind.JSON, Kind.TEXT}:
            change = _As(self.failing)
        task = task_of(self.failing, change, operation=self.operation, same_value_is_enough=same_content)
        number = journal.write(self._entry(theirs))
        circumstances = Circumstances(self.clock, self.random, self.limits)
        try:
            done = drive(
                update(replace(task, known=theirs), circumstances), self.failing, self.sender, self.sleep
            )
        except OutcomeUnknownError as error:
            journal.finish(number, "unknown", None, error.sent)
            raise
        except UpdateError:
            journal.finish(number, "not applied", None, None)
            raise
        how = "overwritten" if overwrite and done.how in {"applied", "rebased"} else done.how
        after = self._proven(done)
        journal.finish(number, how, done.after[0] if done.after else None, after)
        return Mended(how, number, after is not None or not done.after, done)

    def _proven(self, done: Updated) -> bytes | None:
        """Return the content that a read shows under the new version, None when it shows another one."""
        if done.how == "absent" or (not done.after and kind_of(self.failing) is Kind.DELETE):
            return None
        request = self.failing.read(("Cache-Control", "no-cache"), ("Accept-Encoding", "identity"))
        try:
            answer = answer_of(self.sender.send(request, route=self.failing.route))
        except (BudgetSpentError, TargetUnreachableError):
            # The write was accepted all the same.
            return None
        if isinstance(answer, NoAnswer) or answer.status != 200:
            return None
        tag = (answer.fields.text("etag") or "").strip()
        return answer.octets if not done.after or tag == done.after[0] else None

    def _entry(self, theirs: State | None) -> Entry:
        return Entry(
            id=0,
            at=self.wall_clock(),
            operation=self.operation,
            method=self.failing.request.method,
            url=self.failing.request.url,
            how="sent",
            media_type=theirs.media_type if theirs is not None else "",
            tag_before=theirs.token[0] if theirs is not None else None,
            before=theirs.octets if theirs is not None else None,
            tag_after=None,
            after=None,
        )


class _As:
    """Write the content as it is."""

    def __init__(self, failing: Failing) -> None:
        from ifmatch.model.message import Content  # noqa: PLC0415 - as above

        content = failing.request.content
        self.octets = content.octets if isinstance(content, Content) else b""

    def propose(self, state: State | None) -> bytes:
        """Return the content, whatever the state is."""
        del state
        return self.octets
