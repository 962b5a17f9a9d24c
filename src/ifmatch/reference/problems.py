"""Say what is wrong in a form that programs and people can read: the answers of `ifmatch.server.problem`.

Source: RFC 9457.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from ifmatch.reference.messages import Answer
from ifmatch.server import problem as server_problem
from ifmatch.server.answers import Current, RequestFacts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ifmatch.core.decision import Decision
    from ifmatch.core.representation import Representation
    from ifmatch.reference.messages import Request
    from ifmatch.server.answers import Answer as ServerAnswer

__all__ = ["MEDIA_TYPE", "problem", "refused", "taken_over"]

MEDIA_TYPE: Final = "application/problem+json"


def problem(
    status: int, detail: str, *, instance: str = "", fields: Iterable[tuple[str, str]] = ()
) -> Answer:
    """Make an answer with problem details.

    Args:
        status: code.
        detail: what is wrong and what to do, in a sentence.
        instance: path of the resource.
        fields: further field lines.

    Source: RFC 9457 section 3.
    """
    title = HTTPStatus(status).phrase
    document: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if instance:
        document["instance"] = instance
    octets = (json.dumps(document, indent=1) + "\n").encode()
    return Answer(status, (("Content-Type", MEDIA_TYPE), ("Cache-Control", "no-store"), *fields), octets)


def taken_over(answer: ServerAnswer) -> Answer:
    """Return an answer of `ifmatch.server` in the form of this package; the edge counts the octets anew."""
    fields = tuple(pair for pair in answer.fields if pair[0].lower() != "content-length")
    return Answer(answer.status, fields, answer.octets)


def refused(
    decision: Decision,
    request: Request,
    representation: Representation | None,
    *,
    now: datetime,
    other_tags: tuple[str, ...] = (),
) -> Answer:
    """Make the 412, or the 400 for a condition that cannot be read (GET and HEAD get a 412 for it too).

    Args:
        decision: whose status is 412, or that names a malformed field.
        request: that is refused.
        representation: on which it was evaluated, None when nothing is there.
        now: the time of the answer.
        other_tags: of other variants of the state.

    Source: RFC 9110 sections 13.1.1 and 15.5.13.
    """
    facts = RequestFacts(request.method, request.target, request.fields)
    current = (
        Current(representation=representation, other_tags=other_tags) if representation is not None else None
    )
    if decision.malformed and not request.is_read:
        return taken_over(server_problem.malformed_condition(decision, facts, current))
    return taken_over(server_problem.precondition_failed(decision, facts, current, now=now))
