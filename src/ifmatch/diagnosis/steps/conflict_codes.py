"""Tell whether a success is told by its content, in a code alone, to be a conflict or a false precondition.

`{"status": 409}`, `{"error": {"code": 412}}`, `<error code="409"/>`, `<result><rc>412</rc></result>`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.version_words import called_version, version_field
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.message_members import Member
    from ifmatch.diagnosis.steps.step import Step

_CODES: Final = frozenset({"409", "412", "-409", "-412"})
_ANY: Final = late_pattern(r"409|412")
# An answer that says how it went is short, and gives no record.
_LONGEST: Final = 600
_MOST: Final = 6
_DEEPEST: Final = 2
# What is a code or a status by its name, whosever it is.
_OF_ANSWER: Final = Words(
    r"(?:err(?:or)?|fault|fail(?:ure)?|exception|http|response|resp|api|app|result|return|ret)[-_ ]?"
    r"(?:code|no|nr|num(?:ber)?|status)?|(?:http[-_ ]?)?status(?:[-_ ]?code)?|rc|stat"
)
# What a thing may be called, or be in, as well.
_MAY_BE_OURS: Final = Words(r"code|number|state|outcome|no|nr")
_FAULT: Final = Words(r"(?i)[\"'<](?:[\w.-]+:)?(?:errors?|err|faults?|exception|failure|problem)[\"'\s>/]")


def conflict_coded(step: Step) -> str:
    """Return the code of a conflict that a success to a write has, "" without one, or with what was sent.

    A `code` may be what a new thing is called: it counts where the answer calls itself a fault, or where the
    request changes what is there and names a version.

    Args:
        step: any step.
    """
    text = step.view.text
    if not 0 < len(text) <= _LONGEST or not step.is_write or not 200 <= step.status < 300 or step.batched:
        return ""
    if _ANY.search(text) is None:
        return ""
    told = [one for one in shown(step) if one.where in {"body", "text"}]
    coded = [one for one in told if one.value in _CODES and _outermost(one)]
    if not coded or len(told) > _MOST:
        return ""
    mine = {one.word for one in sent(step) if one.where in {"body", "text"}}
    if any(one.word in mine for one in told if not called_version(one.word)):
        return ""
    fault = _FAULT.search(text) is not None
    if step.header("etag") is not None or (not fault and _gives_a_version(step, told)):
        # It may well be the version that was made, beside what the record has for a status.
        return ""
    sure = fault or _on_a_version(step)
    return next(
        (
            one.value.removeprefix("-")
            for one in coded
            if _OF_ANSWER.fullmatch(one.word) or (sure and _MAY_BE_OURS.fullmatch(one.word))
        ),
        "",
    )


def _outermost(member: Member) -> bool:
    """Tell whether a value stands at the top of an answer, or in the one thing there: in no row of a list."""
    steps = member.name.split("/")[1:] if member.where == "body" else []
    return len(steps) <= _DEEPEST and not any(map(str.isdigit, steps))


def _gives_a_version(step: Step, told: Sequence[Member]) -> bool:
    """Tell whether an answer gives a version in its content, or in a field, another one than was sent."""
    if any(called_version(one.word) for one in told):
        return True
    known = {one.value for one in sent(step)}
    return any(
        one.where == "header" and version_field(one.name) and one.value not in known for one in shown(step)
    )


def _on_a_version(step: Step) -> bool:
    given = step.sent.text("if-match") or step.sent.text("if-unmodified-since")
    return given is not None or any(called_version(one.word) for one in sent(step))
