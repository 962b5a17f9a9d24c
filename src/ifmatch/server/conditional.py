"""Give a handler what the evaluation left to do: the state, the range, the lines of its answer.

The part that all adapters share: facts and a state in, a `Conditional` out, or a refusal raised.

Source: RFC 9110 section 13.2.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ifmatch.core.conditional_fields import conditional_values
from ifmatch.core.preconditions import evaluate
from ifmatch.server import problem
from ifmatch.server.answers import Answer, field_value, selected_fields, utc_now
from ifmatch.server.gate import judge, suffices
from ifmatch.server.refusal import PreconditionRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ifmatch.core.decision import Decision
    from ifmatch.server.answers import Current, FieldPairs, RequestFacts
    from ifmatch.server.gate import Settings
    from ifmatch.server.policy import Policy
    from ifmatch.server.stores.protocol import Content

__all__ = [
    "Conditional",
    "admit",
    "admit_usual",
    "for_head",
    "octets_of",
    "refuse_media_type",
    "utc_now",
    "with_defaults",
]

_READS: Final = frozenset({"GET", "HEAD"})
_UNCONDITIONAL: Final = evaluate("GET", (), None)
_NAMES: Final = {
    name: name.lower().encode()
    for name in (
        "ETag",
        "Last-Modified",
        "Cache-Control",
        "Vary",
        "Date",
        "Content-Type",
        "Content-Length",
        "Content-Location",
    )
}


class Conditional(NamedTuple):
    """A request whose preconditions let it through.

    Attributes:
        decision: of the evaluation; None where the policy does not evaluate.
        current: the state that they were compared with, None when there is none.
        use_range: whether Range may be honoured (False: answer with all of it, status 200).
        fields: lines that the answer of the handler should carry: for GET and HEAD the validators and their
            company, for other methods only a notice that a grace ends.
    """

    decision: Decision | None
    current: Current | None
    use_range: bool
    fields: tuple[tuple[str, str], ...] = ()


# The class itself costs twice as much.
_make: Final = tuple.__new__  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
_NOTHING_THERE: Final = Conditional(_UNCONDITIONAL, None, False)


def admit(
    facts: RequestFacts,
    current: Current | None,
    *,
    settings: Settings,
    policy: Policy | None = None,
    creates: bool | None = None,
    content: Content | None = None,
    clock: Callable[[], datetime] = utc_now,
    decision: Decision | None = None,
) -> Conditional:
    """Let a request through, or raise the answer that it gets instead.

    Args:
        facts: of the request.
        current: the current state, None when there is none.
        settings: of the service.
        policy: of the route; None takes it from the settings.
        creates: whether the method would make a missing resource; None: PUT only.
        content: of the current representation, when `problem.wants_representation` asks for it.
        clock: gives the time, aware.
        decision: of the evaluation, where the caller has made it on this state: what `admit_usual` gave.

    Raises:
        PreconditionRefusedError: with the answer.

    Source: RFC 9110 section 13.2.2.
    """
    reads = facts.method in _READS
    if reads and decision is None and conditional_values(facts.fields) is None:
        return _admit_plain_read(current, clock)
    now = clock()
    judgement = judge(
        facts,
        current,
        settings=settings,
        policy=policy,
        creates=creates,
        content=content,
        now=now,
        decision=decision,
    )
    if judgement.event is not None:
        settings.emit(judgement.event)
    if judgement.answer is not None:
        raise PreconditionRefusedError(judgement.answer)
    decision = judgement.decision
    if not reads or current is None:
        return Conditional(decision, current, False, judgement.notice)
    fields = (*selected_fields(current, now=now), *judgement.notice)
    return Conditional(decision, current, _use_range(facts, current, decision), fields)


def _use_range(facts: RequestFacts, current: Current, decision: Decision | None) -> bool:
    """Tell whether Range may be honoured; If-Range counts at every stage, as it refuses nothing."""
    if decision is not None and decision.status is None:
        return decision.use_range
    # The other conditions are not looked at, or only reported.
    values = ((name, field_value(facts.fields, name)) for name in ("Range", "If-Range"))
    fields = [(name, value) for name, value in values if value is not None]
    return evaluate(facts.method, fields, current.representation).use_range


def admit_usual(  # noqa: PLR0917 -- keywords would be a tenth of its cost
    method: str,
    fields: FieldPairs,
    current: Current | None,
    settings: Settings,
    policy: Policy | None,
    creates: bool | None,
    clock: Callable[[], datetime],
    is_past: bool = False,
) -> Conditional | Decision:
    """Let the usual request through, or raise its 304: most reads, and writes whose tags hold.

    What it takes is at hand in every framework; the facts of a request cost more to gather, and `admit` needs
    them for the rest.

    Args:
        method: of the request.
        fields: its header lines; those of conditions and Range are enough.
        current: the current state, None when there is none.
        settings: of the service.
        policy: of the route; None takes it from the settings.
        creates: whether the method would make a missing resource; None: PUT only.
        clock: gives the time, aware.
        is_past: whether the modification date, where it is shown, is known to be earlier than the clock.

    Returns:
        The decision of the evaluation where `admit` has to be asked.

    Raises:
        PreconditionRefusedError: with the answer 304.

    Source: RFC 9110 section 13.2.2.
    """
    representation = None if current is None else current.representation
    decision = evaluate(method, fields, representation, creates=creates, now=clock)
    reads = method in _READS
    # What `evaluate` gives without conditions is always the same.
    if decision is _UNCONDITIONAL:
        if not reads:
            return decision
    elif not suffices(decision, method, settings, policy):
        return decision
    if representation is None or current is None or not reads:
        return _make(Conditional, (decision, current, False, ()))
    now = None if is_past or representation.last_modified is None else clock()
    if decision.status is not None:
        raise PreconditionRefusedError(problem.not_modified(current, now=now))
    return _make(Conditional, (decision, current, decision.use_range, selected_fields(current, now=now)))


def _admit_plain_read(current: Current | None, clock: Callable[[], datetime]) -> Conditional:
    """Let a read without conditions through: nothing is evaluated, and no policy changes that."""
    if current is None:
        return _NOTHING_THERE
    now = None if current.representation.last_modified is None else clock()
    return Conditional(_UNCONDITIONAL, current, False, selected_fields(current, now=now))


def refuse_media_type(facts: RequestFacts, media_types: Sequence[str]) -> None:
    """Raise the answer 415 when the content is of a type that the route does not take.

    It comes before the preconditions, as they are ignored where the answer would not be a 2xx without them.

    Args:
        facts: of the request.
        media_types: that the route takes, in lower case and without parameters; empty for any.

    Raises:
        PreconditionRefusedError: with the answer 415.

    Source: RFC 9110 section 13.2.1 and section 15.5.16.
    """
    if not media_types or facts.method not in ("PUT", "PATCH", "POST"):
        return
    given = field_value(facts.fields, "Content-Type")
    if given is None or given.partition(";")[0].strip().lower() not in media_types:
        raise PreconditionRefusedError(problem.unsupported_media_type(facts, media_types))


def with_defaults(
    lines: Sequence[tuple[bytes, bytes]], fields: Sequence[tuple[str, str]]
) -> Sequence[tuple[bytes, bytes]]:
    """Add lines to those of an answer; a field that the handler has set itself stays as it is.

    Args:
        lines: of the answer of the handler.
        fields: to add.
    """
    more: list[tuple[bytes, bytes]] = []
    for name, value in fields:
        octets = _NAMES[name] if name in _NAMES else name.lower().encode("latin-1")
        length = len(octets)
        for given, _ in lines:
            # The length alone rules out most names.
            if len(given) == length and given.lower() == octets:
                break
        else:
            more.append((octets, value.encode("latin-1")))
    return [*lines, *more] if more else lines


def octets_of(name: str) -> bytes:
    """Return the name of a field as ASGI has it.

    Args:
        name: in any letter case.
    """
    known = _NAMES.get(name)
    return name.lower().encode("latin-1") if known is None else known


def for_head(answer: Answer, method: str) -> Answer:
    """Leave the content out of an answer to HEAD; its fields stay.

    Args:
        answer: as GET would get it.
        method: of the request.

    Source: RFC 9110 section 9.3.2.
    """
    return Answer(answer.status, answer.fields) if method == "HEAD" and answer.octets else answer
