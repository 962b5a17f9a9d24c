"""Quirks of delivery: answers that come too late, twice, or never.

Source: RFC 9110 sections 9.2.2 and 13.1.1.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from ifmatch.core.preconditions import evaluate
from ifmatch.reference.messages import Answer, ResponseLostError
from ifmatch.reference.problems import problem, refused
from ifmatch.reference.quirks.quirk import GUARDED_PUT, Around, Quirk
from ifmatch.reference.quirks.tags import current_state
from ifmatch.server.stores.protocol import Content

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.reference.application import PracticeServer
    from ifmatch.reference.messages import Handler, Request

__all__ = ["QUIRKS"]

_WRITES: Final = frozenset({"PUT", "PATCH", "DELETE"})


def _lost(*, applied: bool) -> Callable[[PracticeServer, str], Around]:
    """Lose every other write's answer, so that the try after it shows what happened."""

    def make(server: PracticeServer, value: str) -> Around:
        del server, value
        state = {"writes": 0}

        async def around(request: Request, forward: Handler) -> Answer:
            if request.method not in _WRITES:
                return await forward(request)
            state["writes"] += 1
            if state["writes"] % 2 == 0:
                return await forward(request)
            if applied:
                await forward(request)
            raise ResponseLostError

        return around

    return make


def _gateway(server: PracticeServer, value: str) -> Around:
    del server, value
    state = {"writes": 0}

    async def around(request: Request, forward: Handler) -> Answer:
        if request.method not in _WRITES:
            return await forward(request)
        answer = await forward(request)
        state["writes"] += 1
        if state["writes"] % 2 == 0:
            return answer
        page = b"<html><head><title>504 Gateway Time-out</title></head></html>\n"
        kind = ("Content-Type", "text/html")
        return Answer(504, (kind, *(pair for pair in answer.fields if pair[0].lower() == "date")), page)

    return around


def _replayed(server: PracticeServer, value: str) -> Around:
    del server, value

    async def around(request: Request, forward: Handler) -> Answer:
        if request.method in _WRITES:
            await request.body.read()
            await forward(request)
        return await forward(request)

    return around


def _phantom(server: PracticeServer, value: str) -> Around:
    del value

    async def around(request: Request, forward: Handler) -> Answer:
        answer = await forward(request)
        conditional = request.get("if-match") is not None
        if request.method not in _WRITES or answer.status >= 300 or not conditional:
            return answer
        # The server compares with the state that its own write has just made.
        after = await current_state(server, request)
        representation = after.representation if after is not None else None
        decision = evaluate(request.method, request.fields, representation)
        if decision.status != 412:
            return answer
        late = refused(decision, request, representation, now=server.surroundings.clock())
        return late.adding(pair for pair in answer.fields if pair[0].lower() == "date")

    return around


def _firewall(server: PracticeServer, value: str) -> Around:
    del server

    async def around(request: Request, forward: Handler) -> Answer:
        if request.method not in _WRITES:
            return await forward(request)
        if value.encode() not in await request.body.read():
            return await forward(request)
        page = (
            b"<!DOCTYPE html><html><head><title>412 Precondition Failed</title></head>"
            b"<body><h1>Request blocked</h1><p>Rule 942100. Reference 18f3c0de.</p></body></html>\n"
        )
        return Answer(412, (("Content-Type", "text/html"), ("Server", "edge-firewall")), page)

    return around


def _moving(server: PracticeServer, value: str) -> Around:
    status = int(value)

    async def around(request: Request, forward: Handler) -> Answer:
        if request.query == "moved" or request.method not in _WRITES or not server.is_stored(request.path):
            return await forward(request)
        detail = "The resource is written elsewhere."
        return problem(status, detail, instance=request.path, fields=(("Location", f"{request.path}?moved"),))

    return around


def _mutating(server: PracticeServer, value: str) -> Around:
    del value

    async def around(request: Request, forward: Handler) -> Answer:
        answer = await forward(request)
        if request.method in _WRITES and answer.status < 300:
            await _indexed(server, request)
        return answer

    return around


async def _indexed(server: PracticeServer, request: Request) -> None:
    """Change the state once more, as a service does that fills in members of its own."""
    snapshot = await current_state(server, request)
    if snapshot is None:
        return
    try:
        found: object = json.loads(snapshot.content.octets)
    except ValueError:
        return
    if not isinstance(found, dict):
        return
    document = cast("dict[str, object]", found)
    document["words"] = len(str(document.get("note", "")).split())
    document["modifiedBy"] = "system-indexer"
    octets = (json.dumps(document, indent=1) + "\n").encode()
    await server.store.swap(
        request.path, snapshot.version, Content(octets, snapshot.content.media_type, snapshot.content.fields)
    )


QUIRKS: Final = (
    Quirk(
        name="lost-response",
        summary="Every other write is stored, but its connection ends without an answer.",
        cause="lost-response-replay",
        section="RFC 9110 section 9.2.2",
        seen_in="time-outs, crashes, mobile networks",
        curl=GUARDED_PUT,
        make=_lost(applied=True),
    ),
    Quirk(
        name="lost-request",
        summary="Every other write is not stored, and its connection ends without an answer.",
        cause="lost-response-replay",
        section="RFC 9110 section 9.2.2",
        seen_in="keep-alive connections that close at the wrong moment",
        curl=GUARDED_PUT,
        make=_lost(applied=False),
    ),
    Quirk(
        name="gateway-timeout",
        summary="Every other write is stored and answered with 504.",
        cause="lost-response-replay",
        section="RFC 9110 section 9.2.2",
        seen_in="nginx proxy_read_timeout",
        curl=GUARDED_PUT,
        make=_gateway,
    ),
    Quirk(
        name="replay",
        summary="Each write reaches the server twice, and the second answer is given.",
        cause="intermediary-replay",
        section="RFC 9110 section 9.2.2",
        seen_in="nginx non_idempotent, Envoy per_try_timeout, HAProxy retry-on response-timeout",
        curl=GUARDED_PUT,
        make=_replayed,
    ),
    Quirk(
        name="phantom-412",
        summary="The write is stored, and then answered with 412.",
        cause="post-commit-412",
        section="RFC 9110 section 13.1.1",
        seen_in="asgi-etags, Fastify etag hooks, middleware that compares after the handler",
        curl=GUARDED_PUT,
        make=_phantom,
    ),
    Quirk(
        name="firewall-412",
        summary="A firewall refuses content that holds a word with 412 and a page of HTML.",
        cause="nonprecondition-412",
        section="RFC 9110 section 15.5.13",
        seen_in="web application firewalls",
        curl="curl -i -X PUT -d 'select this' $URL",
        make=_firewall,
        value="word that is refused",
        default="select",
    ),
    Quirk(
        name="redirect-writes",
        summary="Writes are redirected; many clients turn a redirected PUT into a GET and store nothing.",
        cause="redirect-rewrites-request",
        section="RFC 9110 section 15.4.3",
        seen_in="login pages, host name changes",
        curl="curl -i -L -X PUT -d x $URL",
        make=_moving,
        value="status, 301, 302, 303, 307 or 308",
        default="302",
    ),
    Quirk(
        name="server-mutation",
        summary="The service changes the resource by itself right after each write.",
        cause="server-side-mutation",
        section="RFC 9110 section 8.8.1",
        seen_in="indexers, converters, SharePoint columns",
        curl='curl -i -X PUT -d \'{"note": "a b"}\' $URL; curl -i $URL',
        make=_mutating,
    ),
)
