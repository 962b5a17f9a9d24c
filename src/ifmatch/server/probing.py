"""Ask an application in this process, by reads alone, whether its tags serve honest clients.

Two reads of a resource must give one tag; HEAD must give the tag of GET; a coded answer must not share a
strong tag or have it weakened; pages of other origins must see ETag and may send If-Match. Nothing is
written.

Source: RFC 9110 section 8.8 and section 9.3.2; the Fetch Standard, CORS protocol.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

from ifmatch.server.concerns import Concern
from ifmatch.server.look_alikes import without_suffix

__all__ = ["Ask", "Reply", "asking", "concerns_of_answers", "is_asgi"]

_WRITES: Final = ("PUT", "PATCH", "DELETE")
_ORIGIN: Final = "https://elsewhere.example"
_Message: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What an application answered.

    Attributes:
        status: the status code.
        fields: by name in lower case, lines joined.
        content: octets.
    """

    status: int
    fields: Mapping[str, str]
    content: bytes


Ask: TypeAlias = Callable[[str, str, Mapping[str, str]], Reply]
"""Sends method, path and header fields to an application."""


def is_asgi(app: object) -> bool:
    """Tell whether an application speaks ASGI; otherwise it is taken for WSGI.

    Args:
        app: the application object.
    """
    call = app if inspect.isfunction(app) else getattr(app, "__call__", None)  # noqa: B004 -- its signature counts
    return inspect.iscoroutinefunction(call)


@contextlib.contextmanager
def asking(app: Any) -> Generator[Ask]:
    """Give a function that sends one request to an application in this process, which is started and ended.

    Args:
        app: speaks ASGI or WSGI.
    """
    if not is_asgi(app):
        yield lambda method, path, fields: _ask_wsgi(app, method, path, fields)
        return
    with asyncio.Runner() as runner:
        lifespan = _Lifespan(app)
        runner.run(lifespan.start())
        try:
            yield lambda method, path, fields: runner.run(
                _ask_asgi(app, method, path, fields, lifespan.state)
            )
        finally:
            runner.run(lifespan.stop())


class _Lifespan:
    """The lifespan of an ASGI application; one that does not know lifespan events runs without."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._received: asyncio.Queue[_Message] = asyncio.Queue()
        self._sent: asyncio.Queue[_Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.state: dict[str, Any] = {}

    async def start(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        self._task = asyncio.create_task(self._run(scope))
        await self._received.put({"type": "lifespan.startup"})
        message = await self._sent.get()
        if message["type"] == "lifespan.startup.failed":
            raise RuntimeError(f"the application did not start: {message.get('message', '')}")

    async def _run(self, scope: _Message) -> None:
        # An application that knows no lifespan may raise anything, or return at once without a word.
        with contextlib.suppress(Exception):
            await self._app(scope, self._received.get, self._sent.put)
        await self._sent.put({"type": "lifespan.unknown"})

    async def stop(self) -> None:
        if self._task is not None and not self._task.done():
            await self._received.put({"type": "lifespan.shutdown"})
            await self._task


async def _ask_asgi(
    app: Any, method: str, path: str, fields: Mapping[str, str], state: Mapping[str, Any]
) -> Reply:
    target, _, query = path.partition("?")
    scope: _Message = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": target,
        "raw_path": target.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost"), *((k.lower().encode(), v.encode()) for k, v in fields.items())],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "state": dict(state),
    }
    sent: list[_Message] = []
    asked = False
    ended = asyncio.Event()

    async def receive() -> _Message:
        nonlocal asked
        if asked:
            # Django watches for the client to leave, and answers nothing to one that has left.
            await ended.wait()
            return {"type": "http.disconnect"}
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: _Message) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            ended.set()

    await cast("Callable[..., Awaitable[None]]", app)(scope, receive, send)
    start = next((message for message in sent if message["type"] == "http.response.start"), None)
    if start is None:
        raise RuntimeError("it ended without an answer")
    content = b"".join(
        message.get("body", b"") for message in sent if message["type"] == "http.response.body"
    )
    lines = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start.get("headers", ())]
    return Reply(start["status"], _joined(lines), content)


def _ask_wsgi(app: Any, method: str, path: str, fields: Mapping[str, str]) -> Reply:
    target, _, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": target,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in fields.items()}
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, lines: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
        del exc_info
        started.append((status, lines))
        return lambda _: None

    chunks = app(environ, start)
    try:
        content = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    status, lines = started[-1]
    return Reply(int(status[:3]), _joined(lines), content)


def _joined(lines: list[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in lines:
        key = name.lower()
        fields[key] = f"{fields[key]}, {value}" if key in fields else value
    return fields


def concerns_of_answers(ask: Ask, path: str, fields: Mapping[str, str] | None = None) -> list[Concern]:
    """Return what reads of one resource show.

    Args:
        ask: sends a request to the application.
        path: of a resource that exists and is read with GET.
        fields: that each request carries (Authorization, ...).
    """
    own = dict(fields or {})
    plain = ask("GET", path, own | {"Accept-Encoding": "identity"})
    if plain.status != 200:
        text = f"GET answers {plain.status}, so nothing of its tags can be seen"
        fix = "Name a path that exists, and with --header what the service asks for"
        concern = Concern(cause="target-missing", where=path, text=text, fix=fix, is_certain=False)
        return [concern]
    again = ask("GET", path, own | {"Accept-Encoding": "identity"})
    found = _of_tag(path, plain, again)
    if "etag" in plain.fields:
        found += _of_head(path, plain, ask("HEAD", path, own | {"Accept-Encoding": "identity"}))
        found += _of_coding(path, plain, ask("GET", path, own | {"Accept-Encoding": "gzip"}))
    return found + _of_origins(path, ask, own)


def _of_tag(path: str, plain: Reply, again: Reply) -> list[Concern]:
    etag = plain.fields.get("etag")
    if etag is None:
        text = "the answer has no ETag, so no client can say which version it changes"
        fix = "Give it one: supply current(request) to a precondition on the route"
        return [Concern(cause="unsupported-precondition", where=path, text=text, fix=fix, is_certain=True)]
    if etag != again.fields.get("etag"):
        what = (
            "the content"
            if plain.content == again.content
            else "content with octets made anew for each request"
        )
        text = f"two reads in a row give two tags over {what}, so no If-Match can hold"
        fix = "Make the tag of the version of the data, not of the octets of the answer"
        return [Concern(cause="unstable-etag", where=path, text=text, fix=fix, is_certain=True)]
    if etag.startswith("W/"):
        text = f"its tag {etag} is weak, and If-Match with a weak tag is always false"
        fix = "Make a strong tag of the version of the data"
        return [Concern(cause="weak-only-origin", where=path, text=text, fix=fix, is_certain=True)]
    return []


def _of_head(path: str, plain: Reply, head: Reply) -> list[Concern]:
    if head.status != 200 or head.fields.get("etag") == plain.fields["etag"]:
        return []
    text = f"HEAD gives the tag {head.fields.get('etag')} and GET {plain.fields['etag']}"
    fix = "Compute the tag in one place for both"
    return [Concern(cause="etag-source-mismatch", where=path, text=text, fix=fix, is_certain=True)]


def _of_coding(path: str, plain: Reply, coded: Reply) -> list[Concern]:
    etag, tag = plain.fields["etag"], coded.fields.get("etag")
    opaque = etag.strip('"')
    if "content-encoding" not in coded.fields or etag.startswith("W/"):
        return []
    fix = "Exempt the conditional routes from compression"
    if tag is None:
        text, cause = "compression removes the ETag", "validator-stripped"
    elif tag == f"W/{etag}":
        text, cause = f"compression turns {etag} into {tag}, and If-Match with it is false", "etag-weakened"
    elif without_suffix(tag.strip('"')) == opaque or tag.startswith(f'"{opaque}:'):
        text, cause = f"compression turns {etag} into {tag}, which no write accepts", "etag-suffix-rewrite"
    elif tag == etag:
        text = "the plain and the coded content share a strong tag, so a cache may mix the two"
        fix = f"{fix}, or give the coded content a tag of its own"
        concern = Concern(cause="representation-mismatch", where=path, text=text, fix=fix, is_certain=False)
        return [concern]
    else:
        return []
    return [Concern(cause=cause, where=path, text=text, fix=fix, is_certain=True)]


def _of_origins(path: str, ask: Ask, own: dict[str, str]) -> list[Concern]:
    read = ask("GET", path, own | {"Origin": _ORIGIN})
    if "access-control-allow-origin" not in read.fields:
        return []
    found: list[Concern] = []
    fix = "Put PreconditionMiddleware outside of the CORS code, or name the field in its options"
    if "etag" in read.fields and "etag" not in _members(read, "access-control-expose-headers"):
        text = "ETag is not exposed to pages of other origins"
        found.append(Concern(cause="cors-hidden-etag", where=path, text=text, fix=fix, is_certain=True))
    writes = next((method for method in _WRITES if _lets_pass(ask, path, method)), None)
    if writes is None:
        text = "a preflight for PUT, PATCH and DELETE is refused, so pages of other origins cannot write"
        fix = "Allow the methods in the CORS code, unless pages of other origins shall only read"
        found.append(Concern(cause="cors-hidden-etag", where=path, text=text, fix=fix, is_certain=False))
    elif not _lets_pass(ask, path, writes, "if-match"):
        text = "a preflight for If-Match is refused, so browsers do not send the write at all"
        found.append(Concern(cause="cors-hidden-etag", where=path, text=text, fix=fix, is_certain=True))
    return found


def _lets_pass(ask: Ask, path: str, method: str, field: str = "") -> bool:
    """Tell whether a browser would send a method, with a field, after what the preflight says."""
    asked = {"Origin": _ORIGIN, "Access-Control-Request-Method": method}
    if field:
        asked["Access-Control-Request-Headers"] = field
    preflight = ask("OPTIONS", path, asked)
    if not 200 <= preflight.status < 300:
        return False
    if not _members(preflight, "access-control-allow-methods") & {method.lower(), "*"}:
        return False
    return not field or bool(_members(preflight, "access-control-allow-headers") & {field, "*"})


def _members(reply: Reply, name: str) -> set[str]:
    return {member.strip().lower() for member in reply.fields.get(name, "").split(",") if member.strip()}
