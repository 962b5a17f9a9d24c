"""Hold the answer of an evaluation, and the question that led to it.

Source: RFC 9110 section 13.2.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias

if TYPE_CHECKING:
    from ifmatch.core.conditional_fields import Values
    from ifmatch.core.http_date import Clock
    from ifmatch.core.representation import Representation
    from ifmatch.core.trace import Trace

__all__ = ["Decision", "decide", "values_of"]

Status: TypeAlias = Literal[304, 412] | None
Question: TypeAlias = "tuple[str, Values | None, Representation | None, bool | None, Clock | None]"


class _Answer:
    """The slots of a Decision, still open; see `decide`."""

    __slots__ = ("_question", "malformed", "status", "use_range")

    status: Status
    use_range: bool
    malformed: tuple[str, ...]
    _question: Question


class Decision(_Answer):
    """What the preconditions of a request demand.

    Attributes:
        status: None to perform the request, 304 or 412 to answer with that status and perform nothing.
        use_range: True when Range may be honoured: the method is GET, Range is there, the request is to be
            performed and If-Range, if there, is true.
        malformed: names of the fields that took part in the decision although their value is malformed, in
            the order of evaluation. A malformed If-Match is false, a malformed If-None-Match is false only
            when one of its well-formed members matches, a malformed If-Range is false. A date field that is
            no valid date is ignored, as the RFC demands, and not named here; the trace tells.

    Source: RFC 9110 section 13.2.2.
    """

    __slots__ = ()

    def __init__(self) -> None:
        raise TypeError("a Decision is made by ifmatch.evaluate")

    @property
    def trace(self) -> Trace:
        """Return which field and which tag decided, step by step; worked out at each call.

        Source: RFC 9110 section 13.2.2.
        """
        from ifmatch.core.trace import explain  # noqa: PLC0415 -- loaded only when asked for

        return explain(*self._question)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Decision is frozen: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Decision is frozen: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Decision):
            return NotImplemented
        return (self.status, self.use_range, self.malformed) == (
            other.status,
            other.use_range,
            other.malformed,
        )

    def __hash__(self) -> int:
        return hash((self.status, self.use_range, self.malformed))

    def __reduce__(self) -> tuple[object, ...]:
        return decide, (self.status, self.use_range, self.malformed, self._question)

    def __repr__(self) -> str:
        return f"Decision(status={self.status}, use_range={self.use_range}, malformed={self.malformed})"


def values_of(decision: Decision) -> Values | None:
    """Return the values of the conditional fields that were evaluated, None when the request had none.

    Args:
        decision: of `ifmatch.evaluate`.
    """
    return decision._question[1]  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] -- made here


def decide(status: Status, use_range: bool, malformed: tuple[str, ...], question: Question) -> Decision:
    """Make a decision; see the attributes of `Decision`, and `explain` for the question.

    Source: RFC 9110 section 13.2.2.
    """
    # Filled while it is open, then closed: half the cost of filling a frozen object past its `__setattr__`.
    decision = _Answer()
    decision.status = status
    decision.use_range = use_range
    decision.malformed = malformed
    decision._question = question  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] -- made here
    decision.__class__ = Decision
    return decision  # type: ignore[return-value]
