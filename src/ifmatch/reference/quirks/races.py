"""Quirks of time: the check is right, but the act comes later.

Source: RFC 9110 section 13.2.1 (evaluate just before the action); section 13.1.1 on lost updates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.core.preconditions import evaluate
from ifmatch.reference.problems import refused
from ifmatch.reference.quirks.quirk import Around, Quirk
from ifmatch.reference.quirks.rewriting import CONDITIONS
from ifmatch.reference.quirks.tags import current_state

if TYPE_CHECKING:
    from ifmatch.reference.application import PracticeServer
    from ifmatch.reference.messages import Answer, Handler, Request
    from ifmatch.server.stores.protocol import Snapshot

__all__ = ["QUIRKS"]

_WRITES: Final = frozenset({"PUT", "PATCH", "DELETE"})


def _refusal(server: PracticeServer, request: Request, snapshot: Snapshot | None) -> Answer | None:
    """Check the conditions on a state, as a server does that does not hold it while it writes."""
    representation = snapshot.representation if snapshot is not None else None
    decision = evaluate(request.method, request.fields, representation)
    if decision.status != 412:
        return None
    return refused(decision, request, representation, now=server.surroundings.clock())


def _gap(server: PracticeServer, value: str) -> Around:
    seconds = float(value) / 1000

    async def around(request: Request, forward: Handler) -> Answer:
        if request.method not in _WRITES:
            return await forward(request)
        await request.body.read()
        refusal = _refusal(server, request, await current_state(server, request))
        if refusal is not None:
            return refusal
        await server.surroundings.sleep(seconds)
        return await forward(request.without(*CONDITIONS))

    return around


def _at_headers(server: PracticeServer, value: str) -> Around:
    del value

    async def around(request: Request, forward: Handler) -> Answer:
        if request.method not in _WRITES:
            return await forward(request)
        refusal = _refusal(server, request, await current_state(server, request))
        if refusal is not None:
            return refusal
        # The content may take its time; what was checked may be gone by then.
        await request.body.read()
        return await forward(request.without(*CONDITIONS))

    return around


def _cached_check(server: PracticeServer, value: str) -> Around:
    seconds = float(value) / 1000
    seen: dict[str, tuple[float, Snapshot | None]] = {}

    async def around(request: Request, forward: Handler) -> Answer:
        now = server.surroundings.monotonic()
        held = seen.get(request.path)
        if held is None or now - held[0] > seconds:
            held = (now, await current_state(server, request))
            seen[request.path] = held
        if request.method not in _WRITES:
            return await forward(request)
        refusal = _refusal(server, request, held[1])
        if refusal is not None:
            return refusal
        return await forward(request.without(*CONDITIONS))

    return around


_TWICE = (
    "T=$(curl -sI $URL | sed -n 's/^ETag: //p' | tr -d '\\r'); for N in 1 2; do "
    'curl -si -X PUT -H "If-Match: $T" -d $N $URL & done; wait'
)

QUIRKS: Final = (
    Quirk(
        name="check-then-write",
        summary="The condition is checked, then time passes, then the write happens: two writers both pass.",
        cause="check-then-write-race",
        section="RFC 9110 section 13.2.1",
        seen_in="the Django condition decorator, Tomcat DefaultServlet, most frameworks",
        curl=_TWICE,
        make=_gap,
        value="milliseconds between check and write",
        default="10",
    ),
    Quirk(
        name="check-at-headers",
        summary="The condition is checked at the header section, the write comes after the content.",
        cause="check-then-write-race",
        section="RFC 9110 section 13.2.1",
        seen_in="middleware in front of a handler that reads the content",
        curl=_TWICE.replace("-d $N", "--limit-rate 10 -d $N"),
        make=_at_headers,
    ),
    Quirk(
        name="cached-check",
        summary="The condition is checked against a copy that each worker keeps for a while.",
        cause="check-then-write-race",
        section="RFC 9110 section 13.2.1",
        seen_in="per-process caches of database rows",
        curl=_TWICE,
        make=_cached_check,
        value="milliseconds that a copy is kept",
        default="50",
    ),
)
