# ruff: noqa: ARG002, E501 - an override takes what its base takes; texts are as documented
"""What pau's imitations share: requests, versioned records, faults on order, and the programs that serve them."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import importlib.metadata
import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import formatdate
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, unquote
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from tools.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@dataclass(frozen=True)
class Request:
    """One request as an imitation sees it; field names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    fields: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the content decoded, an empty object when there is none."""
        return json.loads(self.body or b"{}")

    @property
    def form(self) -> dict[str, str]:
        """Return the content as a form."""
        return dict(parse_qsl(self.body.decode("utf-8"), keep_blank_values=True))

    @property
    def who(self) -> str:
        """Return the user: what follows the last dot of the bearer token."""
        return self.fields.get("authorization", "").rpartition(".")[2] or "anonymous"

    @property
    def writes(self) -> bool:
        """Return whether the method is unsafe."""
        return self.method not in {"GET", "HEAD", "OPTIONS"}


@dataclass
class Answer:
    """One answer; a dict or list becomes JSON."""

    status: int
    body: Any = b""
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Item:
    """One record with its history."""

    data: Any
    version: int
    changed: float
    by: str
    token: str = ""
    past: list[Item] = field(default_factory=list)


class Product:
    """An imitation: records by path, each with a token; dialects override what differs.

    Attributes:
        checks: Whether it looks at conditions at all.
        gap: Seconds between its check and its write, without a lock.
        late: Seconds that it takes to answer writes that it has stored, by the ordinal of the write.
        before: May answer in its place.
        after: May change an answer.
        server: What it says that it is; empty for what serves it.
    """

    writes: ClassVar[tuple[str, ...]] = ("PUT", "PATCH")
    patches: ClassVar[tuple[str, ...]] = ("PATCH",)
    media: ClassVar[str] = "application/json"

    def __init__(self, seed: Mapping[str, Any], first: int = 1, by: str = "setup") -> None:
        self.items: dict[str, Item] = {}
        self.gone: set[str] = set()
        self.lock = threading.RLock()
        self.counter = first
        self.checks, self.gap, self.late = True, 0.0, dict[int, float]()
        self.before: list[Callable[[Request], Answer | None]] = []
        self.after: list[Callable[[Request, Answer], Answer]] = []
        self.extra: dict[str, Answer] = {}
        self.server, self.names_itself = "", True
        self._written = 0
        for path, data in seed.items():
            self.store(path, copy.deepcopy(data), by, time.time() - 86400.0)

    # What dialects override

    def mint(self, path: str, item: Item) -> str:
        """Return the token of a new version."""
        return '"' + hashlib.md5(f"{path} {item.version} {item.data}".encode()).hexdigest() + '"'  # noqa: S324

    def sent(self, request: Request) -> Any:
        """Return the token that a write carries, None when there is none."""
        return request.fields.get("if-match")

    def fits(self, sent: Any, item: Item | None) -> bool:
        """Return whether a write with this token may go on."""
        if item is None:
            return sent is None
        return sent in {item.token, "*"}

    def missing(self, request: Request, item: Item | None) -> Answer | None:
        """Return the refusal of a write without a token, None where it is allowed."""
        return None

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Return the refusal of a write."""
        return Answer(412, {"error": "precondition failed"})

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return a record as read."""
        return Answer(200, item.data, {"ETag": item.token})

    def done(self, request: Request, path: str, item: Item, created: bool) -> Answer:
        """Return the answer to a write."""
        shown = self.show(request, path, item)
        shown.status = 201 if created else 200
        return shown

    def absent(self, request: Request, path: str) -> Answer:
        """Return the answer for what is not there."""
        return Answer(404, {"error": "not found"})

    def change(self, request: Request, item: Item | None) -> Any:
        """Return the new data of a record."""
        new = request.json
        return {**item.data, **new} if item and request.method in self.patches else new

    def listing(self, request: Request, path: str, children: dict[str, Item]) -> Answer:
        """Return a collection."""
        return Answer(200, {"items": [self.show(request, key, one).body for key, one in children.items()]})

    def route(self, request: Request) -> Answer:
        """Answer what is neither a hook's nor fixed."""
        path = request.path
        if not request.writes:
            return self.read(request, path)
        if request.method == "DELETE":
            return self.delete(request, path)
        return (
            self.write(request, path) if request.method in self.writes else Answer(405, {"error": "method"})
        )

    # What they share

    def store(self, path: str, data: Any, by: str, moment: float | None = None) -> Item:
        """Store a new version and return the record."""
        old = self.items.get(path)
        past = [] if old is None else [*old.past, old]
        item = Item(data, old.version + 1 if old else self.counter, moment or time.time(), by, "", past)
        item.token = self.mint(path, item)
        self.items[path] = item
        return item

    def read(self, request: Request, path: str) -> Answer:
        """Answer a read."""
        item = self.items.get(path)
        if item is None:
            below = {key: one for key, one in self.items.items() if key.startswith(path.rstrip("/") + "/")}
            return self.listing(request, path, below) if below else self.absent(request, path)
        shown = self.show(request, path, item)
        known = request.fields.get("if-none-match")
        if known and shown.fields.get("ETag") in {one.strip() for one in known.split(",")}:
            return Answer(304, b"", {"ETag": shown.fields["ETag"]})
        return shown

    def judged(self, request: Request, path: str) -> Answer | None:
        """Return the refusal of a write, None when it may go on."""
        item, sent = self.items.get(path), self.sent(request)
        if not self.checks:
            return None
        if sent is None:
            return self.missing(request, item)
        return None if self.fits(sent, item) else self.refuse(request, path, item, sent)

    def write(self, request: Request, path: str) -> Answer:
        """Answer a write."""
        if self.gap:
            refusal = self.judged(request, path)
            time.sleep(self.gap)
            if refusal is not None:
                return refusal
            return self._commit(request, path)
        with self.lock:
            refusal = self.judged(request, path)
            answer = refusal if refusal is not None else self._commit(request, path)
        if refusal is None and self._written in self.late:
            time.sleep(self.late[self._written])
        return answer

    def _commit(self, request: Request, path: str) -> Answer:
        old = self.items.get(path)
        item = self.store(path, self.change(request, old), request.who)
        self._written += 1
        return self.done(request, path, item, old is None)

    def delete(self, request: Request, path: str) -> Answer:
        """Answer a removal."""
        with self.lock:
            if path not in self.items:
                return self.absent(request, path)
            refusal = self.judged(request, path)
            if refusal is None:
                del self.items[path]
                self.gone.add(path)
        return refusal or Answer(204)

    def answer(self, request: Request) -> Answer:
        """Answer a request."""
        early = _beside(request)
        if early is None:
            early = next((told for hook in self.before if (told := hook(request)) is not None), None)
        fixed = self.extra.get(f"{request.method} {request.path}")
        if early is not None:
            answer = early
        elif fixed is not None:
            answer = Answer(fixed.status, fixed.body, dict(fixed.fields))
        elif request.path.endswith("/token"):
            answer = Answer(
                200,
                {
                    "access_token": f"eyJhbGciOi.fake.{request.form.get('client_id', 'x')}",
                    "token_type": "Bearer",
                    "expires_in": 3599,
                },
                {"Cache-Control": "no-store"},
            )
        else:
            answer = self.route(request)
        for change in self.after:
            answer = change(request, answer)
        return answer

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        if environ["PATH_INFO"] == "/-/ready":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"ready"]
        fields = {
            name[5:].replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        fields["content-type"] = environ.get("CONTENT_TYPE") or ""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        path = unquote(environ["PATH_INFO"])
        answer = self.answer(Request(environ["REQUEST_METHOD"], path, query, fields, body))
        if self.server and self.names_itself:
            answer.fields.setdefault("Server", self.server)
        return _told(answer, self.media, start_response, environ["REQUEST_METHOD"])


def _told(answer: Answer, media: str, start_response: Callable[..., Any], method: str) -> Iterable[bytes]:
    content = answer.body
    if not isinstance(content, bytes | str):
        content = json.dumps(content, ensure_ascii=False)
    octets = content.encode("utf-8") if isinstance(content, str) else content
    lines = dict(answer.fields)
    if octets:
        lines.setdefault("Content-Type", media)
    if answer.status not in {204, 304}:
        lines["Content-Length"] = str(len(octets))
    status = f"{answer.status} {_REASONS.get(answer.status, 'Status')}"
    start_response(status, list(lines.items()))
    return [b"" if method == "HEAD" or answer.status in {204, 304} else octets]


_ASSETS = {"/assets/main.4f2c.js", "/static/css/app.css", "/ui/fonts/inter.woff2"}


def _beside(request: Request) -> Answer | None:
    """Answer what goes over the wire beside an API's own requests."""
    if request.path in _ASSETS:
        tag = f'"{hashlib.md5(request.path.encode()).hexdigest()[:12]}"'  # noqa: S324
        lines = {"ETag": tag, "Cache-Control": "max-age=600", "Content-Type": "application/octet-stream"}
        return Answer(
            304 if request.fields.get("if-none-match") == tag else 200, f"/* {request.path} */", lines
        )
    if request.path == "/session":
        lines = {"Set-Cookie": f"sid={marker()[:8]}; Path=/; HttpOnly", "Cache-Control": "no-store"}
        return Answer(200, {"user": request.who, "expiresIn": 3600}, lines)
    if request.path in {"/telemetry", "/rum/v1/events"}:
        return Answer(204)
    if request.path == "/search":
        return Answer(200, {"query": request.query.get("q"), "hits": [{"score": 0.7}, {"score": 0.2}]})
    if request.path == "/jobs/import-7":
        return Answer(200, {"job": "import-7", "state": "running"}, {"Cache-Control": "no-store"})
    return None


_REASONS = {
    200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently",
    302: "Found", 304: "Not Modified", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    409: "Conflict", 410: "Gone", 412: "Precondition Failed", 422: "Unprocessable Entity", 423: "Locked",
    428: "Precondition Required", 429: "Too Many Requests", 500: "Internal Server Error",
    501: "Not Implemented", 503: "Service Unavailable",
}  # fmt: skip


def stamp(moment: float) -> str:
    """Return a moment as an HTTP date."""
    return formatdate(moment, usegmt=True)


def iso(moment: float, digits: int = 6) -> str:
    """Return a moment after ISO 8601 in UTC, with so many digits of its second's fraction."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return f"{whole}.{int(moment % 1 * 10**digits):0{digits}d}Z" if digits else f"{whole}Z"


def marker() -> str:
    """Return an id of a request."""
    return str(uuid.uuid4())


class _Threading(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _background(run: Callable[[], object]) -> None:
    threading.Thread(target=run, daemon=True).start()


def _waitress(app: Product, port: int) -> Callable[[], object]:
    server = importlib.import_module("waitress.server").create_server(
        app, host="127.0.0.1", port=port, threads=8, ident=app.server or "waitress"
    )
    _background(server.run)
    return server.close  # type: ignore[no-any-return]


def _cheroot(app: Product, port: int) -> Callable[[], object]:
    server = importlib.import_module("cheroot.wsgi").Server(("127.0.0.1", port), app, numthreads=8)
    server.prepare()
    _background(server.serve)
    return server.stop  # type: ignore[no-any-return]


def _wsgiref(app: Product, port: int) -> Callable[[], object]:
    server = make_server("127.0.0.1", port, app, _Threading, _Quiet)
    _background(server.serve_forever)
    return server.shutdown


def _tornado(app: Product, port: int) -> Callable[[], object]:
    loop = asyncio.new_event_loop()
    container = importlib.import_module("tornado.wsgi").WSGIContainer
    ready = threading.Event()

    async def start() -> None:
        wrapped = container(app, ThreadPoolExecutor(8))
        importlib.import_module("tornado.httpserver").HTTPServer(wrapped).listen(port, "127.0.0.1")
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.run_forever()

    importlib.import_module("logging").getLogger("tornado.access").disabled = True
    _background(run)
    ready.wait(10)
    return lambda: loop.call_soon_threadsafe(loop.stop)


def _environ(scope: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": scope["path"],
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": importlib.import_module("io").BytesIO(body),
    }
    for name, value in scope["headers"]:
        key = name.decode("latin-1").upper().replace("-", "_")
        environ["CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value.decode("latin-1")
    return environ


def _uvicorn(app: Product, port: int) -> Callable[[], object]:
    async def adapted(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        told: list[Any] = []
        environ = _environ(scope, body)
        chunks = await asyncio.to_thread(app, environ, lambda *args: told.extend(args))
        lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in told[1]]
        await send({"type": "http.response.start", "status": int(told[0].split()[0]), "headers": lines})
        await send({"type": "http.response.body", "body": b"".join(chunks)})

    library = importlib.import_module("uvicorn")
    settings = {
        "host": "127.0.0.1",
        "port": port,
        "lifespan": "off",
        "log_level": "critical",
        "server_header": not app.server,
    }
    server = library.Server(library.Config(adapted, **settings))
    _background(server.run)
    return lambda: setattr(server, "should_exit", True)


RUNNERS: dict[str, tuple[str, Callable[[Product, int], Callable[[], object]]]] = {
    "waitress": ("waitress", _waitress),
    "cheroot": ("cheroot", _cheroot),
    "wsgiref": ("", _wsgiref),
    "tornado": ("tornado", _tornado),
    "uvicorn": ("uvicorn", _uvicorn),
}


def serve(app: Product, runner: str) -> tuple[int, str, Callable[[], object]]:
    """Serve an imitation in this process; return its port, what serves it, and what stops it."""
    package, start = RUNNERS[runner]
    app.names_itself = (
        runner != "waitress"
    )  # which takes a Server of the application for that of another server
    port = free_port()
    stop = start(app, port)
    version = f"{package} {importlib.metadata.version(package)}" if package else "wsgiref of Python"
    return port, version, stop
