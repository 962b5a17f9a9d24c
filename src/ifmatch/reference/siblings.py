"""Serve the siblings of the practice resource: each shows one thing, always in the same way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from ifmatch.core.http_date import format_http_date
from ifmatch.core.preconditions import evaluate
from ifmatch.core.representation import Representation
from ifmatch.reference.messages import Answer
from ifmatch.reference.problems import problem, refused
from ifmatch.reference.ranges import partial
from ifmatch.reference.resource import method_not_allowed

if TYPE_CHECKING:
    from ifmatch.reference.messages import Pairs, Request

__all__ = ["Fixed", "dated", "forbidden", "moved", "tagged"]

_DATE: Final = datetime(2025, 7, 1, 10, 0, 0, tzinfo=UTC)
_METHODS: Final = "GET, HEAD, PUT, OPTIONS"


@dataclass(frozen=True, slots=True)
class Fixed:
    """A state that no request changes.

    Attributes:
        representation: what conditions are compared with.
        validators: the field lines as they are sent.
        octets: the content.
    """

    representation: Representation
    validators: Pairs
    octets: bytes

    async def answer(self, request: Request) -> Answer:
        """Answer GET and HEAD as conditions and ranges demand; take a PUT and keep nothing of it."""
        if request.method not in {"GET", "HEAD", "PUT"}:
            return method_not_allowed(request, _METHODS)
        decision = evaluate(request.method, request.fields, self.representation)
        if decision.status == 412 or (decision.malformed and request.method == "PUT"):
            answer = refused(decision, request, self.representation, now=datetime.now(UTC))
            return answer.without("ETag", "Last-Modified").adding(self.validators)
        if request.method == "PUT":
            await request.body.read()
            return Answer(204)
        fields = (
            *self.validators,
            ("Cache-Control", "no-cache"),
            ("Vary", "Accept-Encoding"),
            ("Content-Location", request.target),
        )
        if decision.status == 304:
            return Answer(304, fields)
        if decision.use_range:
            described: Pairs = (("Content-Type", "application/json"),)
            if request.get("if-range") is not None:
                described = ()
            ranges = partial(request.get("range") or "", self.octets, fields, described)
            if ranges is not None:
                return ranges
        kind = (("Content-Type", "application/json"), ("Accept-Ranges", "bytes"))
        return Answer(200, (*kind, *fields), self.octets)


def _document(note: str) -> bytes:
    document = {"title": "A state that never changes", "note": note, "count": 0, "visits": 0}
    return (json.dumps(document, indent=1) + "\n").encode()


async def tagged(request: Request) -> Answer:
    """Serve a resource whose ETag is the parameter `etag`: the whole field value, percent-encoded.

    Source: RFC 9110 section 8.8.3; section 5.5 on characters of field values.
    """
    value = next((part[5:] for part in request.query.split("&") if part.startswith("etag=")), None)
    if value is None:
        detail = "Say which tag: ?etag=E, the whole field value percent-encoded, such as ?etag=%22abc%22"
        return problem(400, detail, instance=request.path)
    text = unquote_to_bytes(value.encode("latin-1")).decode("latin-1").strip(" \t")
    if any(character in text for character in "\r\n\0\v\f"):
        detail = "CR, LF, NUL, VT and FF cannot stand in a field value (RFC 9110 section 5.5)."
        return problem(400, detail, instance=request.path)
    try:
        representation = Representation(etag=text)
    except ValueError:
        representation = Representation()
    note = "Its tag is what the query says."
    return await Fixed(representation, (("ETag", text),), _document(note)).answer(request)


async def dated(request: Request) -> Answer:
    """Serve a resource with a date and no tag.

    Source: RFC 9110 section 8.8.2.
    """
    # It never changes, so it did not change twice in that second (RFC 9110 section 8.8.2.2).
    representation = Representation(last_modified=_DATE, last_modified_is_strong=True)
    validators = (("Last-Modified", format_http_date(_DATE)),)
    return await Fixed(representation, validators, _document("It has a date and no tag.")).answer(request)


async def forbidden(request: Request) -> Answer:
    """Answer 403 whatever the condition says (RFC 9110 section 13.2.1)."""
    detail = "Nobody may do anything here. Conditions have no part in it."
    return problem(403, detail, instance=request.path)


async def moved(request: Request, to: str) -> Answer:
    """Answer 302 whatever the condition says (RFC 9110 section 13.2.1)."""
    detail = "The resource is elsewhere for now. Conditions have no part in it."
    return problem(302, detail, instance=request.path, fields=(("Location", to),))
