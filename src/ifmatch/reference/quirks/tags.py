"""Quirks of the tags that a server makes: weak, changing, coarse, wrong in shape.

Source: RFC 9110 section 8.8.3.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from ifmatch.core.http_date import format_http_date
from ifmatch.reference.quirks.quirk import GUARDED_PUT, Around, Quirk
from ifmatch.reference.quirks.rewriting import renamed, retagged, weak

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.reference.application import PracticeServer
    from ifmatch.reference.messages import Answer, Handler, Request
    from ifmatch.server.stores.protocol import Snapshot

__all__ = ["QUIRKS", "current_state"]


async def current_state(server: PracticeServer, request: Request) -> Snapshot | None:
    """Return what the store holds for the path of a request."""
    return await server.store.read(request.path) if server.is_stored(request.path) else None


def _digest(text: str) -> str:
    return blake2b(text.encode("latin-1"), digest_size=6).hexdigest()


def _weak_only(server: PracticeServer, value: str) -> Around:
    del server, value

    async def around(request: Request, forward: Handler) -> Answer:
        # The server compares strongly with its own weak tag: nothing but * can hold.
        asked = retagged(request, lambda _, opaque: f'W/"{opaque}"', ("if-match",))
        return renamed(await forward(asked), weak)

    return around


def _weak_accepted(server: PracticeServer, value: str) -> Around:
    del server, value

    async def around(request: Request, forward: Handler) -> Answer:
        asked = retagged(request, lambda _, opaque: f'"{opaque}"', ("if-match", "if-range"))
        return renamed(await forward(asked), weak)

    return around


def _renaming(rename: Callable[[str], str]) -> Callable[[PracticeServer, str], Around]:
    def make(server: PracticeServer, value: str) -> Around:
        del server, value

        async def around(request: Request, forward: Handler) -> Answer:
            return renamed(await forward(request), rename)

        return around

    return make


def _unstable(server: PracticeServer, value: str) -> Around:
    del value

    async def around(request: Request, forward: Handler) -> Answer:
        def another(tag: str) -> str:
            return f'"{_digest(f"{tag}{server.surroundings.random()}")}"'

        return renamed(await forward(request), another)

    return around


def _derived(
    derive: Callable[[Snapshot, Request], str], *, in_put: bool
) -> Callable[[PracticeServer, str], Around]:
    """Make tags that are a function of the state: what is compared, and what is given."""

    def make(server: PracticeServer, value: str) -> Around:
        del value

        async def around(request: Request, forward: Handler) -> Answer:
            before = await current_state(server, request)
            asked = request
            if before is not None:
                name = derive(before, request)

                def true(mark: str, opaque: str) -> str:
                    return f'{mark}"{before.version if opaque == name else "-" + opaque}"'

                asked = retagged(request, true)
            answer = await forward(asked)
            after = await current_state(server, request)
            if after is None:
                return answer
            if not request.is_read and answer.status < 300 and not in_put:
                return answer.without("ETag")
            return renamed(answer, lambda _: f'"{derive(after, request)}"')

        return around

    return make


def _named_by_path(snapshot: Snapshot, request: Request) -> str:
    del snapshot
    return request.path.strip("/").replace("/", "-")


def _clock_cut(parts: int) -> Callable[[Snapshot, Request], str]:
    def derive(snapshot: Snapshot, request: Request) -> str:
        del request
        return format(int(snapshot.last_modified.timestamp() * parts), "x")

    return derive


def _on(method: str) -> Callable[[PracticeServer, str], Around]:
    """Make the tag of one method by another rule than that of the others."""

    def make(server: PracticeServer, value: str) -> Around:
        del server, value

        async def around(request: Request, forward: Handler) -> Answer:
            answer = await forward(request)
            if request.method != method or answer.status >= 300:
                return answer
            return renamed(answer, lambda tag: f'"{_digest(tag)}"')

        return around

    return make


def _settling(server: PracticeServer, value: str) -> Around:
    settle = float(value)

    async def around(request: Request, forward: Handler) -> Answer:
        snapshot = await current_state(server, request)
        if snapshot is None:
            return await forward(request)
        young = (server.surroundings.clock() - snapshot.last_modified).total_seconds() < settle
        asked = request
        if young:
            asked = retagged(request, lambda _, opaque: f'W/"{opaque}"', ("if-match",))
        answer = await forward(asked)
        if not request.is_read and answer.status < 300:
            return answer.without("ETag")
        return renamed(answer, weak) if young else answer

    return around


def _dates_only(server: PracticeServer, value: str) -> Around:
    del value

    async def around(request: Request, forward: Handler) -> Answer:
        answer = (await forward(request)).without("ETag")
        after = await current_state(server, request)
        if after is not None and answer.status < 300:
            return answer.replacing("Last-Modified", format_http_date(after.last_modified))
        return answer

    return around


_TAG = "curl -sI $URL | grep -i etag"


def _collection(server: PracticeServer, value: str) -> Around:
    del value
    state = {"writes": 1000}

    async def around(request: Request, forward: Handler) -> Answer:
        # One number for everything: a write to any resource changes the tag of all.
        now = f"collection-{state['writes']}"

        def scoped(mark: str, opaque: str) -> str:
            return f'{mark}"{true if opaque == now else "-" + opaque}"'

        before = await current_state(server, request)
        true = before.version if before is not None else "none"
        answer = await forward(retagged(request, scoped))
        if not request.is_read and answer.status < 300:
            state["writes"] += 1
        return renamed(answer, lambda _: f'"collection-{state["writes"]}"')

    return around


QUIRKS: Final = (
    Quirk(
        name="weak-only",
        summary="Every tag is weak, and If-Match compares strongly: no tag ever holds.",
        cause="weak-only-origin",
        section="RFC 9110 section 13.1.1",
        seen_in="Tomcat DefaultServlet",
        curl="curl -i $URL",
        make=_weak_only,
    ),
    Quirk(
        name="weak-accepted",
        summary="Every tag is weak, and If-Match takes it all the same.",
        cause="server-precondition-bug",
        section="RFC 9110 section 13.1.1",
        seen_in="OData and FHIR services, Azure tables",
        curl=GUARDED_PUT,
        make=_weak_accepted,
    ),
    Quirk(
        name="unquoted-tag",
        summary="The tag is sent without its quotes, and is malformed when it comes back as it was sent.",
        cause="malformed-validator",
        section="RFC 9110 section 8.8.3",
        seen_in="hand-made ETag middleware",
        curl="curl -i $URL",
        make=_renaming(lambda tag: tag.strip('W/"')),
    ),
    Quirk(
        name="unstable-tag",
        summary="Each answer carries another tag, though nothing changed.",
        cause="unstable-etag",
        section="RFC 9110 section 8.8.1",
        seen_in="pages with a nonce, tags hashed over a time of rendering",
        curl="curl -sD - -o /dev/null $URL $URL | grep -i etag",
        make=_unstable,
    ),
    Quirk(
        name="constant-tag",
        summary="The tag names the resource and stays the same after a write.",
        cause="server-precondition-bug",
        section="RFC 9110 section 8.8.1",
        seen_in="tags hashed over the identifier only",
        curl=f"{_TAG}; curl -X PUT -d x $URL; {_TAG}",
        make=_derived(_named_by_path, in_put=True),
    ),
    Quirk(
        name="collection-tag",
        summary="One tag for everything: a write to a neighbour makes the tag of this resource outdated.",
        cause="coarse-token-scope",
        section="RFC 9110 section 8.8.3",
        seen_in="Zotero libraries, Git branch heads, policies of cloud projects",
        curl=f"{_TAG}; curl -X PUT -d x $URL/neighbour; {_TAG}",
        make=_collection,
    ),
    Quirk(
        name="put-tag-differs",
        summary="The answer to PUT carries a tag that GET never gives.",
        cause="etag-source-mismatch",
        section="RFC 9110 section 9.3.4",
        seen_in="services that hash the request content, gateways in front of object stores",
        curl="curl -i -X PUT -d x $URL; curl -i $URL",
        make=_on("PUT"),
    ),
    Quirk(
        name="head-tag-differs",
        summary="HEAD carries another tag than GET.",
        cause="etag-source-mismatch",
        section="RFC 9110 section 9.3.2",
        seen_in="frameworks that hash the content they are about to send",
        curl="curl -sI $URL | grep -i etag; curl -sD - -o /dev/null $URL | grep -i etag",
        make=_on("HEAD"),
    ),
    Quirk(
        name="weak-until-settled",
        summary="The tag is weak while the state is young, so a quick second save is refused.",
        cause="weak-until-settled",
        section="RFC 9110 section 8.8.1",
        seen_in="Apache httpd mod_dav and static files",
        curl=f"curl -X PUT -d x $URL; {_TAG}; sleep 2; {_TAG}",
        make=_settling,
        value="seconds until it is strong",
        default="1.0",
    ),
    Quirk(
        name="one-second-tag",
        summary="The tag is the second of the last change: two changes in one second share it.",
        cause="date-precision",
        section="RFC 9110 section 8.8.1",
        seen_in="tags made of a modification time, such as mtime-size",
        curl=f"curl -X PUT -d a $URL; {_TAG}; curl -X PUT -d b $URL; {_TAG}",
        make=_derived(_clock_cut(1), in_put=False),
    ),
    Quirk(
        name="ten-ms-tag",
        summary="The tag is the time of the last change in steps of 10 milliseconds.",
        cause="check-then-write-race",
        section="RFC 9110 section 8.8.1",
        seen_in="tags made of a kernel's coarse clock",
        curl="curl -i $URL",
        make=_derived(_clock_cut(100), in_put=False),
    ),
    Quirk(
        name="dates-only",
        summary="There is no tag, only Last-Modified: two changes in one second look like one.",
        cause="date-precision",
        section="RFC 9110 section 8.8.2.2",
        seen_in="file servers without ETag, Go FileServer",
        curl="curl -i $URL",
        make=_dates_only,
    ),
)
