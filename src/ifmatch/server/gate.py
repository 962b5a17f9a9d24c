"""Judge a request at the one right moment: after every check that could refuse it, before it is performed.

Pure. An adapter brings the facts and the current state, and gets a judgement with the answer to send, if any.

Source: RFC 9110 section 13.2.1 (when) and section 13.2.2 (in which order).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from hashlib import blake2b
from secrets import token_bytes
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

from ifmatch.core.conditional_fields import conditional_values, present
from ifmatch.core.decision import values_of
from ifmatch.core.http_date import format_http_date, parse_http_date
from ifmatch.core.malformed import Malformed
from ifmatch.core.preconditions import WITHOUT_PRECONDITIONS, evaluate
from ifmatch.core.trace import Condition
from ifmatch.server import problem
from ifmatch.server.answers import SAFE_METHODS, Answer, Current, field_value
from ifmatch.server.events import LOGGER, Event, log_event
from ifmatch.server.look_alikes import look_alikes
from ifmatch.server.loop import Applied, Declined, Exhausted, NotModified, PreconditionFailed
from ifmatch.server.policy import Policies, Policy, Stage
from ifmatch.server.stale_tag import stale_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ifmatch.core.conditional_fields import Values
    from ifmatch.core.decision import Decision
    from ifmatch.core.trace import Step
    from ifmatch.server.answers import FieldPairs, RequestFacts
    from ifmatch.server.events import EventSink
    from ifmatch.server.events import Outcome as EventOutcome
    from ifmatch.server.look_alikes import Hint
    from ifmatch.server.loop import Outcome
    from ifmatch.server.problem import Disclosure
    from ifmatch.server.shadow import Shadow
    from ifmatch.server.stores.protocol import Content

__all__ = [
    "ClientName",
    "Judgement",
    "Settings",
    "anonymous_client",
    "answer_to_outcome",
    "judge",
    "suffices",
]

ClientName: TypeAlias = "Callable[[RequestFacts], str]"
"""Gives the name of the client that sent a request: the same for all its requests, and no secret."""

_KEY: Final = token_bytes(16)
# For the place of a client in a share, which is told to nobody: the same in every process.
_SHARE_KEY: Final = b"share of clients"
_DEFAULT_POLICIES: Final = Policies()
_OPEN: Final = problem.Disclosure()
_LOG_ALONE: Final = (log_event,)
_BLIND: Final = (Stage.OFF, Stage.SHADOW)
_READS: Final = ("GET", "HEAD")


def anonymous_client(facts: RequestFacts, *, key: bytes = _KEY) -> str:
    """Name a client by its program and a keyed digest of its credentials: `python-requests/2.34#1f0c9a7e`.

    Args:
        facts: of the request.
        key: of the digest, 1 to 64 octets. The default is made anew in each process: give one of your own
            where the reports of several processes have to agree on the names.

    Source: RFC 9110 section 10.1.5 (User-Agent) and section 11.6.2 (Authorization).
    """
    agent = field_value(facts.fields, "User-Agent") or ""
    credentials = field_value(facts.fields, "Authorization") or field_value(facts.fields, "Cookie") or ""
    digest = blake2b(f"{agent}\0{credentials}".encode("latin-1", "replace"), key=key, digest_size=4)
    product = agent.partition(" ")[0]
    shown = "".join(sign for sign in product if sign.isascii() and (sign.isalnum() or sign in "._-/"))
    return f"{shown[:40] or 'unnamed'}#{digest.hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How an adapter behaves, for the whole service.

    Attributes:
        policies: how strict which route is.
        disclosure: what answers may tell.
        client: gives the name of a client.
        sinks: take the events.
        shadow: watches reads and writes, at every stage; None for none.

    Raises:
        TypeError: when `policies` is a single policy.
    """

    policies: Policies = _DEFAULT_POLICIES
    disclosure: Disclosure = _OPEN
    client: ClientName = anonymous_client
    sinks: tuple[EventSink, ...] = _LOG_ALONE
    shadow: Shadow | None = None

    def __post_init__(self) -> None:
        given = cast("object", self.policies)
        if not isinstance(given, Policies):
            raise TypeError(
                f"policies is a Policies, not {type(given).__name__}: write Policies(default=Policy(...))"
            )

    @property
    def hears_all(self) -> bool:
        """Return whether somebody takes events of what was let through: not the log alone, above DEBUG."""
        return self.shadow is not None or self.sinks != _LOG_ALONE or LOGGER.isEnabledFor(logging.DEBUG)

    @property
    def hears_refusals(self) -> bool:
        """Return whether somebody takes events of refusals: not the log alone, above INFO."""
        return self.shadow is not None or self.sinks != _LOG_ALONE or LOGGER.isEnabledFor(logging.INFO)

    def emit(self, event: Event) -> None:
        """Hand an event to every sink.

        Args:
            event: what happened.
        """
        for sink in self.sinks:
            sink(event)
        if self.shadow is not None:
            self.shadow(event)

    def watch(self, facts: RequestFacts, status: int, tag: str | None) -> None:
        """Let the shadow see an answer, if there is one.

        Args:
            facts: of the request.
            status: of the answer.
            tag: value of ETag in the answer, None when it has none.
        """
        if self.shadow is None:
            return
        path = facts.target.partition("?")[0]
        if facts.method in ("GET", "HEAD"):
            if status in (200, 206, 304):
                self.shadow.read(self.client(facts), path, tag)
        elif 200 <= status < 300 and facts.method not in SAFE_METHODS:
            guarded = _guards_a_write(facts.fields)
            self.shadow.wrote(
                self.client(facts), path, facts.method, route=facts.route, guarded=guarded, tag=tag
            )


def _on_the_state(values: Values | None) -> tuple[bool, str | None]:
    """Tell whether entity tags are conditions on the state, and return the date that else is one."""
    if values is None:
        return False, None
    match, none_match, _, unmodified, _, _ = values
    return match is not None or none_match is not None, unmodified


def _guards_a_write(fields: FieldPairs) -> bool:
    """Tell whether a condition is on the state that a write replaces; a date that is none guards nothing."""
    tag, date = _on_the_state(conditional_values(fields))
    return tag or (date is not None and not isinstance(parse_http_date(date, now=present), Malformed))


class Judgement(NamedTuple):
    """What became of the preconditions of a request.

    Attributes:
        decision: of the evaluation; None where the policy does not evaluate.
        answer: to send in the place of performing the request, None to perform it.
        event: for the sinks, None for a request that is of no interest to them.
        notice: lines to add to the answer of the handler (a grace that ends).
    """

    decision: Decision | None
    answer: Answer | None = None
    event: Event | None = None
    notice: tuple[tuple[str, str], ...] = ()


_NOTHING: Final = Judgement(None)


def suffices(decision: Decision, method: str, settings: Settings, policy: Policy | None) -> bool:
    """Tell whether a decision on conditions that were sent is all that there is to say; else ask `judge`.

    That is a read that they let through or make a 304, or a write whose tags hold, where no policy depends on
    the route and nobody wants to hear of it.

    Args:
        decision: of the evaluation.
        method: of the request.
        settings: of the service.
        policy: of the route; None takes it from the settings.

    Source: RFC 9110 section 13.2.
    """
    if policy is None:
        policies = settings.policies
        if policies.rules:
            return False
        policy = policies.default
    values = values_of(decision)
    if values is None or policy.stage in _BLIND or settings.hears_all:
        return False
    status = decision.status
    if status is not None:
        return status == 304 and policy.refuses
    if decision.malformed:
        return False
    if method in _READS:
        return True
    if method in SAFE_METHODS or method in WITHOUT_PRECONDITIONS:
        return False
    return values[0] is not None or values[1] is not None


def judge(
    facts: RequestFacts,
    current: Current | None,
    *,
    settings: Settings,
    policy: Policy | None = None,
    creates: bool | None = None,
    content: Content | None = None,
    now: datetime,
    decision: Decision | None = None,
) -> Judgement:
    """Evaluate the preconditions of a request under a policy.

    Args:
        facts: of the request.
        current: the current state, None when there is none.
        settings: of the service.
        policy: of the route; None takes it from the settings.
        creates: whether the method would make a missing resource; None: PUT only.
        content: of the current representation, when `problem.wants_representation` asks for it.
        now: the time, aware.
        decision: of the evaluation, where the caller has made it on this state.

    Returns:
        The judgement; handing its event to the sinks is up to the caller (`Settings.emit`).

    Source: RFC 9110 section 13.2.
    """
    policy = policy if policy is not None else settings.policies.select(facts)
    if not policy.evaluates:
        return _NOTHING
    if decision is None:
        representation = None if current is None else current.representation
        decision = evaluate(facts.method, facts.fields, representation, creates=creates, now=now)
    case = _Case(facts, current, settings, policy, decision, now)
    if decision.malformed and facts.method not in SAFE_METHODS and policy.malformed == "reject":
        answer = problem.malformed_condition(decision, facts, current, disclosure=settings.disclosure)
        return case.refuse("malformed", answer, decision.malformed[0], "malformed-validator")
    if decision.status == 304:
        unchanged = problem.not_modified(current, now=now) if policy.refuses else None
        return Judgement(decision, unchanged, case.let_through("not-modified", applied=policy.refuses))
    if decision.status == 412:
        if content is None:
            stale = stale_tag(decision, facts, current, disclosure=settings.disclosure, now=now)
            if stale is not None:
                return case.refuse("refused", stale, "If-Match", "undecided")
        step, hints = decision.trace.deciding, look_alikes(facts.fields, current)
        answer = problem.precondition_failed(
            decision,
            facts,
            current,
            content=content,
            disclosure=settings.disclosure,
            now=now,
            shown=(step, hints),
        )
        return case.refuse("refused", answer, _field(step), _cause(step, hints, current))
    if facts.method in SAFE_METHODS:
        return Judgement(decision)
    guarded = _is_guarded(decision)
    if guarded or facts.method in WITHOUT_PRECONDITIONS:
        return Judgement(decision, event=case.let_through("passed") if guarded else None)
    return _unguarded(case, creates=creates)


class _Case(NamedTuple):
    """What the parts of one judgement share."""

    facts: RequestFacts
    current: Current | None
    settings: Settings
    policy: Policy
    decision: Decision
    now: datetime

    def event(
        self, outcome: EventOutcome, *, applied: bool, field: str = "", cause: str = "", client: str = ""
    ) -> Event:
        return Event(
            outcome=outcome,
            method=self.facts.method,
            route=self.facts.route,
            stage=self.policy.stage.value,
            applied=applied,
            field=field,
            cause=cause,
            client=client,
        )

    def let_through(self, outcome: EventOutcome, *, applied: bool = False) -> Event | None:
        if not self.settings.hears_all:
            return None
        # Naming the client is the dearest part of an event; only the shadow needs it here.
        shadowed = self.settings.shadow is not None
        client = self.settings.client(self.facts) if shadowed else ""
        return self.event(outcome, applied=applied, client=client)

    def refuse(self, outcome: EventOutcome, answer: Answer, field: str, cause: str = "") -> Judgement:
        applied = self.policy.refuses
        if not self.settings.hears_refusals:
            return Judgement(self.decision, answer if applied else None)
        client = self.settings.client(self.facts)
        event = self.event(outcome, applied=applied, field=field, cause=cause, client=client)
        return Judgement(self.decision, answer if applied else None, event)


def _unguarded(case: _Case, *, creates: bool | None) -> Judgement:
    facts, policy = case.facts, case.policy
    if case.current is None:
        makes = facts.method == "PUT" if creates is None else creates
        if not (makes and policy.creations):
            # The answer is the application's 404, or a creation, which overwrites nobody.
            return Judgement(case.decision)
    if facts.method not in policy.methods:
        return Judgement(case.decision)
    if policy.stage is Stage.HONOUR:
        return Judgement(case.decision, event=case.let_through("unguarded"))
    client = case.settings.client(facts)
    if policy.stage is Stage.REPORT_ONLY:
        event = case.event("missing", applied=False, cause="token-missing", client=client)
        return Judgement(case.decision, event=event)
    if not policy.demands(facts, _share_name(case.settings, facts, client)):
        return Judgement(case.decision, event=case.event("unguarded", applied=False, client=client))
    in_grace = policy.grace_until is not None and case.now < policy.grace_until
    event = case.event("missing", applied=not in_grace, cause="token-missing", client=client)
    if in_grace and policy.grace_until is not None:
        return Judgement(case.decision, event=event, notice=_notice(policy.grace_until, case.settings))
    answer = problem.precondition_required(
        facts, case.current, disclosure=case.settings.disclosure, now=case.now
    )
    return Judgement(case.decision, answer, event)


def _share_name(settings: Settings, facts: RequestFacts, client: str) -> str:
    if settings.client is anonymous_client:
        return anonymous_client(facts, key=_SHARE_KEY)
    return client


def _notice(until: datetime, settings: Settings) -> tuple[tuple[str, str], ...]:
    link = f'<{settings.disclosure.docs}/server/problems.md#precondition-required>; rel="help"'
    return (("Precondition-Required-From", format_http_date(until)), ("Link", link))


def _is_guarded(decision: Decision) -> bool:
    """Tell whether some condition really was compared: an invalid date guards nothing."""
    tag, date = _on_the_state(values_of(decision))
    return tag or (
        date is not None
        and any(step.condition is not Condition.NOT_APPLICABLE for step in decision.trace.steps)
    )


def _field(step: Step | None) -> str:
    return "" if step is None else step.field


def _cause(step: Step | None, hints: Sequence[Hint], current: Current | None) -> str:
    """Return the cause that the request shows by itself; who else wrote, it cannot show."""
    if hints:
        return hints[0].cause
    if step is not None and step.field == "If-None-Match":
        return "exists-already" if step.value == "*" else "undecided"
    if current is None:
        return "target-missing"
    etag = current.representation.etag
    if etag is not None and etag.weak and step is not None and step.field == "If-Match":
        return "weak-only-origin"
    return "undecided"


def answer_to_outcome(
    outcome: Outcome,
    facts: RequestFacts,
    *,
    settings: Settings,
    now: datetime,
    fields: tuple[tuple[str, str], ...] = (),
) -> tuple[Answer, Event | None] | None:
    """Turn what the loop over a store says into an answer; None when the write was applied.

    Args:
        outcome: of `loop.apply` or `loop.apply_async`.
        facts: of the request.
        settings: of the service.
        now: the time, aware.
        fields: what the 200 carries besides validators; see `Current.fields`.

    Source: RFC 9110 section 13.2.2.
    """
    if isinstance(outcome, Applied):
        return None
    if isinstance(outcome, Declined):
        return problem.declined(facts, outcome.status, outcome.detail), None
    policy = settings.policies.select(facts)
    if isinstance(outcome, Exhausted):
        answer = problem.exhausted(facts, retry_after=outcome.retry_after)
        event = Event(
            outcome="contended",
            method=facts.method,
            route=facts.route,
            stage=policy.stage.value,
            applied=True,
            client=settings.client(facts),
        )
        return answer, event
    state = outcome.current
    current = None if state is None else Current.of(state, fields=fields)
    case = _Case(facts, current, settings, policy, outcome.decision, now)
    step = outcome.decision.trace.deciding
    if isinstance(outcome, NotModified):
        return problem.not_modified(current, now=now), case.let_through("not-modified", applied=True)
    assert isinstance(outcome, PreconditionFailed)  # noqa: S101 -- the last of the union
    answer = problem.precondition_failed(
        outcome.decision,
        facts,
        current,
        content=None if state is None else state.content,
        disclosure=settings.disclosure,
        now=now,
    )
    cause = _cause(step, look_alikes(facts.fields, current), current)
    client = settings.client(facts)
    return answer, case.event("refused", applied=True, field=_field(step), cause=cause, client=client)
