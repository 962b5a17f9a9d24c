"""Quirks of what stands between client and server: caches, replicas, nodes, filters.

Source: RFC 9110 sections 7.7 and 13.2.1; RFC 9111.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ifmatch.core.preconditions import evaluate
from ifmatch.core.representation import Representation
from ifmatch.reference.messages import Answer
from ifmatch.reference.quirks.evaluation import changing
from ifmatch.reference.quirks.quirk import Around, Quirk
from ifmatch.reference.quirks.rewriting import CONDITIONS, renamed, retagged

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.reference.application import PracticeServer
    from ifmatch.reference.messages import Handler, Request

__all__ = ["QUIRKS"]

_WRITES: Final = frozenset({"PUT", "PATCH", "DELETE"})


def _strip(request: Request) -> Request:
    return request.without(*CONDITIONS) if request.method in _WRITES else request


def _anticache(request: Request) -> Request:
    return request.without("if-none-match", "if-modified-since")


@dataclass(slots=True)
class _Stored:
    """An answer to GET that a cache keeps.

    Attributes:
        answer: as it came.
        at: when, in seconds of a monotonic clock.
    """

    answer: Answer
    at: float


class _Cache:
    """A shared cache in front of the server.

    Args:
        server: gives the clock.
        seconds: for which an answer counts as fresh, whatever it says.
        revalidates: whether it asks with the stored tag what is no longer fresh.
        obeys: whether it drops what a write makes stale and heeds Cache-Control of requests.
    """

    def __init__(self, server: PracticeServer, seconds: float, *, obeys: bool, revalidates: bool) -> None:
        self._server = server
        self._revalidates = revalidates
        self._seconds = seconds
        self._obeys = obeys
        self._stored: dict[str, _Stored] = {}

    async def get(self, request: Request, forward: Handler) -> Answer:
        """Return the 200 for a GET, from the store while it is fresh."""
        now = self._server.surroundings.monotonic()
        held = self._stored.get(request.target)
        bypass = self._obeys and "no-cache" in (request.get("cache-control") or "")
        if held is not None and now - held.at < self._seconds and not bypass:
            marks = (("Age", str(int(now - held.at))), ("X-Cache", "HIT"))
            return held.answer.without("Age").adding(marks)
        asked = request.without(*CONDITIONS, "range")
        tag = held.answer.get("etag") if held is not None else None
        if held is not None and tag is not None and self._revalidates and not bypass:
            answer = await forward(asked.replacing("if-none-match", tag))
            if answer.status == 304:
                self._stored[request.target] = _Stored(held.answer, now)
                return held.answer.adding((("Age", "0"), ("X-Cache", "REVALIDATED")))
        else:
            answer = await forward(asked)
        if answer.status == 200:
            self._stored[request.target] = _Stored(answer, now)
        return answer.adding((("X-Cache", "MISS"),))

    def drop(self, request: Request) -> None:
        """Forget what a write made stale, if this cache does so (RFC 9111 section 4.4)."""
        if self._obeys:
            self._stored.pop(request.target, None)


def _held_back(request: Request, answer: Answer, names: tuple[str, ...]) -> Answer:
    """Evaluate conditions of these names on a stored answer, as a cache does."""
    fields = tuple(pair for pair in request.fields if pair[0] in names)
    tag = answer.get("etag")
    decision = evaluate(request.method, fields, Representation(etag=tag) if tag else Representation())
    if decision.status == 304:
        return Answer(304, answer.without("Content-Type", "Accept-Ranges").fields)
    if decision.status == 412:
        page = b"<html><head><title>412 Precondition Failed</title></head><body>cache</body></html>\n"
        marks = tuple(pair for pair in answer.fields if pair[0] in {"Age", "X-Cache", "Date"})
        return Answer(412, (("Content-Type", "text/html"), *marks), page)
    return answer


def _caching(names: tuple[str, ...], *, obeys: bool) -> Callable[[PracticeServer, str], Around]:
    def make(server: PracticeServer, value: str) -> Around:
        cache = _Cache(server, float(value), obeys=obeys, revalidates=not names)

        async def around(request: Request, forward: Handler) -> Answer:
            if request.method not in {"GET", "HEAD"}:
                answer = await forward(request)
                if answer.status < 400:
                    cache.drop(request)
                return answer
            return _held_back(request, await cache.get(request, forward), names)

        return around

    return make


def _lagging(server: PracticeServer, value: str) -> Around:
    lag = float(value)
    answers: dict[str, list[_Stored]] = {}

    async def around(request: Request, forward: Handler) -> Answer:
        now = server.surroundings.monotonic()
        if request.method in _WRITES:
            before = await forward_read(request, forward)
            answer = await forward(request)
            if answer.status < 300:
                answers.setdefault(request.target, []).append(_Stored(before, now))
            return answer
        if request.method != "GET":
            return await forward(request)
        # The state that a write replaced less than the lag ago is what the replica still holds.
        held = [one for one in answers.get(request.target, []) if now - one.at < lag]
        answers[request.target] = held
        if not held:
            return await forward(request)
        return _held_back(request, held[0].answer, ("if-none-match",))

    async def forward_read(request: Request, forward: Handler) -> Answer:
        return await forward(replace(request.without(*CONDITIONS), method="GET"))

    return around


def _flapping(server: PracticeServer, value: str) -> Around:
    del server
    nodes = [f"-node{number}" for number in range(1, max(2, int(value)) + 1)]
    state = {"next": 0}

    async def around(request: Request, forward: Handler) -> Answer:
        node = nodes[state["next"] % len(nodes)]
        state["next"] += 1

        def own(mark: str, opaque: str) -> str:
            return f'{mark}"{opaque.removesuffix(node)}"' if opaque.endswith(node) else f'{mark}"{opaque}"'

        answer = await forward(retagged(request, own))
        return renamed(answer, lambda tag: f'{tag[:-1]}{node}"').replacing("X-Served-By", node[1:])

    return around


def _silent_nodes(server: PracticeServer, value: str) -> Around:
    flapping = _flapping(server, value)

    async def around(request: Request, forward: Handler) -> Answer:
        return (await flapping(request, forward)).without("X-Served-By")

    return around


_ALL: Final = ("if-match", "if-none-match")

QUIRKS: Final = (
    Quirk(
        name="strip-conditions",
        summary="A proxy removes the conditions of writes: an outdated write passes.",
        cause="precondition-stripped",
        section="RFC 9110 section 13.2.1",
        seen_in='nginx proxy_set_header If-Match "", Apache RequestHeader unset',
        curl="curl -i -X PUT -H 'If-Match: \"never-issued\"' -d x $URL",
        make=changing(_strip),
    ),
    Quirk(
        name="anticache",
        summary="A proxy removes If-None-Match, also from PUT: create-only becomes overwrite.",
        cause="precondition-stripped",
        section="RFC 9110 section 13.2.1",
        seen_in="mitmproxy --anticache",
        curl="curl -i -X PUT -H 'If-None-Match: *' -d x $URL",
        make=changing(_anticache),
    ),
    Quirk(
        name="stale-cache",
        summary="A cache gives the old answer, also after a write through itself and with no-cache.",
        cause="stale-cache-read",
        section="RFC 9111 section 4.4",
        seen_in="nginx proxy_cache, Varnish",
        curl="curl -i $URL; curl -X PUT -d x $URL; curl -i $URL",
        make=_caching(("if-none-match",), obeys=False),
        value="seconds that an answer counts as fresh",
        default="60",
    ),
    Quirk(
        name="stale-cache-obeying",
        summary="A cache gives an answer that another writer has made stale; no-cache brings the true one.",
        cause="stale-cache-read",
        section="RFC 9111 section 4.2",
        seen_in="Squid, Apache mod_cache, Traffic Server",
        curl="curl -i $URL; curl -i -H 'Cache-Control: no-cache' $URL",
        make=_caching(("if-none-match",), obeys=True),
        value="seconds that an answer counts as fresh",
        default="60",
    ),
    Quirk(
        name="cache-412",
        summary="A cache compares If-Match of a read with its own old copy and answers 412 itself.",
        cause="cache-misevaluates",
        section="RFC 9111 section 4.3.2",
        seen_in="nginx proxy_cache, Squid",
        curl="curl -i -H 'If-Match: \"never-issued\"' $URL",
        make=_caching(_ALL, obeys=False),
        value="seconds that an answer counts as fresh",
        default="60",
    ),
    Quirk(
        name="cache-200",
        summary="A cache answers 200 with the whole content although If-None-Match names what it sends.",
        cause="cache-misevaluates",
        section="RFC 9111 section 4.3.2",
        seen_in="Squid 5.7 after a revalidation",
        curl="curl -i -H \"If-None-Match: $(curl -sI $URL | sed -n 's/^ETag: //p' | tr -d '\\r')\" $URL",
        make=_caching((), obeys=True),
        value="seconds that an answer counts as fresh",
        default="1",
    ),
    Quirk(
        name="replica-lag",
        summary="Reads come from a replica that is behind the writes.",
        cause="replica-lag",
        section="RFC 9110 section 8.8.1",
        seen_in="read replicas, search indexes, geo-distribution",
        curl="curl -i -X PUT -d x $URL; curl -i $URL; sleep 2; curl -i $URL",
        make=_lagging,
        value="seconds behind",
        default="1.5",
    ),
    Quirk(
        name="flapping-nodes",
        summary="Several nodes take turns, and each has tags of its own for the same content.",
        cause="inconsistent-backends",
        section="RFC 9110 section 8.8.1",
        seen_in="Apache httpd FileETag INode behind a load balancer, tags salted at start",
        curl="curl -sI $URL | grep -i etag; curl -sI $URL | grep -i etag",
        make=_flapping,
        value="number of nodes",
        default="2",
    ),
    Quirk(
        name="silent-nodes",
        summary="As flapping-nodes, but no field tells which node answered.",
        cause="inconsistent-backends",
        section="RFC 9110 section 8.8.1",
        seen_in="load balancers without a mark",
        curl="curl -sI $URL | grep -i etag; curl -sI $URL | grep -i etag",
        make=_silent_nodes,
        value="number of nodes",
        default="2",
    ),
)
