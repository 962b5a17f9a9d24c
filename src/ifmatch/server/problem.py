"""Answer 412, 428, 400, 415 and 503 with problem details that say what failed and what to do.

Pure: facts in, an answer out. Nothing of the current state is told that `Disclosure` does not allow.

Source: RFC 9457 (problem details), RFC 9110 section 15.5.13 (412), RFC 6585 section 3 (428),
RFC 8144 section 3.2 (the representation in a 412).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from ifmatch.core.http_date import format_http_date
from ifmatch.core.trace import Condition
from ifmatch.server.answers import (
    SAFE_METHODS,
    Answer,
    Current,
    plain_answer,
    selected_fields,
    validator_fields,
)
from ifmatch.server.look_alikes import look_alikes
from ifmatch.server.prefer import PREFERENCE_APPLIED, preferred_return

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ifmatch.core.decision import Decision
    from ifmatch.core.trace import Step
    from ifmatch.server.answers import RequestFacts
    from ifmatch.server.look_alikes import Hint
    from ifmatch.server.stores.protocol import Content

__all__ = [
    "DOCS",
    "MEDIA_TYPE",
    "NO_STORE",
    "Disclosure",
    "declined",
    "exhausted",
    "malformed_condition",
    "not_modified",
    "precondition_failed",
    "precondition_required",
    "unsupported_media_type",
    "wants_representation",
]

DOCS: Final = "https://github.com/ifmatch/ifmatch/blob/main/docs"
"""Where the links of the answers lead, unless `Disclosure.docs` says otherwise."""

MEDIA_TYPE: Final = "application/problem+json"
"""Media type of problem details (RFC 9457 section 3)."""

NO_STORE: Final = ("Cache-Control", "no-store")
"""The answer is about one request; a cache must not give it to another."""

# What was presented is told back, but a hostile value must not make the answer large.
_LONGEST_ECHO: Final = 1_000

_PREFER: Final[tuple[str | bytes, ...]] = ("prefer", b"prefer")
_PREFER_LENGTH: Final = len("Prefer")

_as_json: Final = json.JSONEncoder(separators=(",", ":")).encode

_Json: TypeAlias = "dict[str, _Json] | list[_Json] | str | int | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What answers may tell.

    Attributes:
        current: whether the current ETag and Last-Modified are told, in fields and content, and hints that
            compare with them.
        representation: whether a 412 may carry the current representation when the client prefers so.
        docs: URL in front of the links to the documentation.
    """

    current: bool = True
    representation: bool = True
    docs: str = DOCS


_OPEN: Final = Disclosure()


def wants_representation(facts: RequestFacts, disclosure: Disclosure = _OPEN) -> bool:
    """Tell whether a refused write has to carry the current representation.

    Args:
        facts: of the request.
        disclosure: what may be told.

    Source: RFC 8144 section 3.2.
    """
    if facts.method in SAFE_METHODS or not (disclosure.representation and disclosure.current):
        return False
    for name, _ in facts.fields:
        # The length alone rules out most requests: hardly any carries Prefer.
        if len(name) == _PREFER_LENGTH and name.lower() in _PREFER:
            return preferred_return(facts.fields) == "representation"
    return False


def precondition_failed(
    decision: Decision,
    facts: RequestFacts,
    current: Current | None,
    *,
    content: Content | None = None,
    disclosure: Disclosure = _OPEN,
    now: datetime | None = None,
    shown: tuple[Step | None, Sequence[Hint]] | None = None,
) -> Answer:
    """Answer 412: problem details, or the current representation where the client prefers it.

    Args:
        decision: whose status is 412.
        facts: of the request.
        current: the state on which it was evaluated, None when there was none.
        content: of the current representation, when `wants_representation` asked for it.
        disclosure: what may be told.
        now: the time of the answer, aware.
        shown: the deciding step of the trace and what `look_alikes` found, where the caller knows them; None
            works them out.

    Source: RFC 9110 section 15.5.13 and RFC 8144 section 3.2.
    """
    if content is not None and current is not None and wants_representation(facts, disclosure):
        return _representation(412, content, current, facts, now)
    step, found = (decision.trace.deciding, look_alikes(facts.fields, current)) if shown is None else shown
    hints = _told(found, disclosure)
    reason = _reason(step, current, disclosure)
    problem: dict[str, _Json] = {
        "type": f"{disclosure.docs}/server/problems.md#precondition-failed",
        "title": "Precondition Failed",
        "status": 412,
        "detail": f"{reason}. The request was not performed.",
        "instance": facts.target,
    }
    if step is not None:
        problem["precondition"] = {
            "field": step.field,
            "presented": step.value[:_LONGEST_ECHO],
            "step": step.number,
            "section": f"RFC 9110 section {_section(step, disclosure)}",
        }
    if disclosure.current:
        problem["current"] = _validators(current, now)
    problem["advice"] = [*_advice(step, current, facts)]
    problem["hints"] = [_hint(hint, disclosure) for hint in hints]
    problem["see"] = f"{disclosure.docs}/server/problems.md"
    return _problem(412, problem, _current_fields(current, disclosure, now))


def precondition_required(
    facts: RequestFacts,
    current: Current | None,
    *,
    disclosure: Disclosure = _OPEN,
    now: datetime | None = None,
) -> Answer:
    """Answer 428: the request has to be conditional, and how to make it so.

    Args:
        facts: of the request.
        current: the current state, None when there is none.
        disclosure: what may be told.
        now: the time of the answer, aware.

    Source: RFC 6585 section 3.
    """
    if current is None:
        advice = ["To create the resource only if it is not there, send: If-None-Match: *"]
    else:
        advice = [
            f"Read the resource: GET {facts.target}. Keep the value of ETag together with what you read.",
            f"Make your change on what you read. Send the request again with: If-Match: {_example(current)}",
            "If the answer is 412 then, somebody else was faster: read again and redo your change.",
        ]
    hints = _told(look_alikes(facts.fields, current), disclosure)
    problem: dict[str, _Json] = {
        "type": f"{disclosure.docs}/server/problems.md#precondition-required",
        "title": "Precondition Required",
        "status": 428,
        "detail": (
            f"{facts.method} needs a precondition here, so that nobody's change is overwritten unseen."
            " The request was not performed."
        ),
        "instance": facts.target,
        "advice": [*advice],
        "hints": [_hint(hint, disclosure) for hint in hints],
        "see": f"{disclosure.docs}/server/problems.md",
    }
    return _problem(428, problem, _current_fields(current, disclosure, now))


def malformed_condition(
    decision: Decision,
    facts: RequestFacts,
    current: Current | None,
    *,
    disclosure: Disclosure = _OPEN,
) -> Answer:
    """Answer 400: a conditional field does not follow its grammar, so nothing is guessed from it.

    Args:
        decision: whose `malformed` names the field.
        facts: of the request.
        current: the current state, for hints only.
        disclosure: what may be told.

    Source: RFC 9110 section 13.1.1 and section 13.1.2; section 2.4 leaves the reaction to the recipient.
    """
    name = decision.malformed[0]
    step = next((step for step in decision.trace.steps if step.field == name), None)
    malformed = None if step is None else step.malformed
    reason = "it does not follow its grammar" if malformed is None else malformed.reason
    condition: dict[str, _Json] = {
        "field": name,
        "presented": "" if step is None else step.value[:_LONGEST_ECHO],
        "position": None if malformed is None else malformed.position,
        "section": "RFC 9110 section 8.8.3",
    }
    hints = _told(look_alikes(facts.fields, current), disclosure)
    problem: dict[str, _Json] = {
        "type": f"{disclosure.docs}/server/problems.md#malformed-condition",
        "title": "Malformed precondition",
        "status": 400,
        "detail": f"{name} cannot be read: {reason}. The request was not performed.",
        "instance": facts.target,
        "precondition": condition,
        "advice": [
            (
                f'Send the value of ETag as it came, double quotes included: {name}: "abc"; or the wildcard'
                f" alone: {name}: *"
            )
        ],
        "hints": [_hint(hint, disclosure) for hint in hints],
        "see": f"{disclosure.docs}/causes/malformed-validator.md",
    }
    return _problem(400, problem, ())


def not_modified(current: Current | None, *, now: datetime | None = None) -> Answer:
    """Answer 304: validators and their company, no content.

    Args:
        current: the selected state.
        now: the time of the answer, aware.

    Source: RFC 9110 section 15.4.5.
    """
    return Answer(304, () if current is None else selected_fields(current, now=now))


def unsupported_media_type(facts: RequestFacts, accepted: Sequence[str]) -> Answer:
    """Answer 415, which comes before any precondition.

    Args:
        facts: of the request.
        accepted: media types that the route takes.

    Source: RFC 9110 section 15.5.16; RFC 5789 section 3.1 (Accept-Patch).
    """
    listed = ", ".join(accepted)
    problem: dict[str, _Json] = {
        "type": "about:blank",
        "title": "Unsupported Media Type",
        "status": 415,
        "detail": f"{facts.method} takes {listed} here.",
        "instance": facts.target,
    }
    return _problem(415, problem, (("Accept-Patch" if facts.method == "PATCH" else "Accept", listed),))


def exhausted(facts: RequestFacts, *, retry_after: int = 1) -> Answer:
    """Answer 503: others were faster each time, and the condition never was false.

    Args:
        facts: of the request.
        retry_after: whole seconds.

    Source: RFC 9110 section 15.6.4.
    """
    problem: dict[str, _Json] = {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "Too many writes to this resource at once. Nothing was stored: send it again as it is.",
        "instance": facts.target,
    }
    return _problem(503, problem, (("Retry-After", str(retry_after)),))


def declined(facts: RequestFacts, status: int, detail: str = "") -> Answer:
    """Answer what the application decided on the state that it was given: 404, 409, 422, ...

    Args:
        facts: of the request.
        status: the status code.
        detail: for a person, "" for none.

    Source: RFC 9457 section 4.2.1 (about:blank).
    """
    from http import HTTPStatus  # noqa: PLC0415 -- only refusals of the application need the phrases

    known = {member.value: member.phrase for member in HTTPStatus}
    problem: dict[str, _Json] = {
        "type": "about:blank",
        "title": known.get(status, str(status)),
        "status": status,
    }
    if detail:
        problem["detail"] = detail
    problem["instance"] = facts.target
    return _problem(status, problem, ())


# --- the parts


def _problem(status: int, problem: dict[str, _Json], fields: Sequence[tuple[str, str]]) -> Answer:
    octets = _as_json(problem).encode()
    return plain_answer(status, MEDIA_TYPE, octets, NO_STORE, *fields)


def _representation(
    status: int, content: Content, current: Current, facts: RequestFacts, now: datetime | None
) -> Answer:
    located = [pair for pair in current.fields if pair[0].lower() == "content-location"]
    return plain_answer(
        status,
        content.media_type,
        content.octets,
        *content.fields,
        *validator_fields(current, now=now),
        *(located or [("Content-Location", facts.target)]),
        PREFERENCE_APPLIED,
        NO_STORE,
    )


def _current_fields(
    current: Current | None, disclosure: Disclosure, now: datetime | None
) -> tuple[tuple[str, str], ...]:
    if current is None or not disclosure.current:
        return ()
    return validator_fields(current, now=now)


def _validators(current: Current | None, now: datetime | None) -> _Json:
    if current is None:
        return None
    etag, modified = current.representation.etag, current.representation.last_modified
    if modified is not None and now is not None:
        modified = min(modified, now)
    return {
        "etag": None if etag is None else str(etag),
        "last_modified": None if modified is None else format_http_date(modified),
    }


def _section(step: Step, disclosure: Disclosure) -> str:
    # The section on comparison tells that the weak form of what was presented is the current tag.
    return step.section if disclosure.current or step.section != "8.8.3.2" else "13.1.1"


def _told(hints: Sequence[Hint], disclosure: Disclosure) -> list[Hint]:
    return [hint for hint in hints if disclosure.current or not hint.compares]


def _hint(hint: Hint, disclosure: Disclosure) -> _Json:
    text = hint.text[:_LONGEST_ECHO]
    return {"cause": hint.cause, "text": text, "see": f"{disclosure.docs}/causes/{hint.cause}.md"}


def _reason(step: Step | None, current: Current | None, disclosure: Disclosure) -> str:
    if step is None or step.condition is not Condition.FALSE:
        return "A precondition of the request is false"
    if disclosure.current:
        return f"{step.field} is false: {step.reason[:_LONGEST_ECHO]}"
    # The words of the trace name the current tag or date, which must not be told here.
    if step.field == "If-Unmodified-Since":
        return "If-Unmodified-Since is false: the resource was modified after that date"
    if step.field == "If-None-Match":
        return "If-None-Match is false: the resource exists in a version that it names"
    if current is None:
        return f"{step.field} is false: there is no current representation"
    return f"{step.field} is false: it does not name the current version"


def _advice(step: Step | None, current: Current | None, facts: RequestFacts) -> list[str]:
    if step is not None and step.field == "If-None-Match":
        if step.value == "*":
            return [
                (
                    "The resource exists already, and the request only wanted to create it."
                    f" To change it, read it first: GET {facts.target}, then send If-Match with its ETag."
                )
            ]
        return ["The version that If-None-Match names is still the current one: there is nothing to do."]
    if current is None:
        return ["The resource does not exist (any more). To create it, send: If-None-Match: *"]
    return [
        f"Read the current version: GET {facts.target}.",
        (
            "Redo your change on what you read; do not send the old content with the new tag, that would take"
            " back the change of somebody else."
        ),
        "Send the request again with the ETag of what you read in If-Match.",
    ]


def _example(current: Current) -> str:
    etag = current.representation.etag
    return '"<the ETag that you read>"' if etag is None or not etag.weak else "*"
