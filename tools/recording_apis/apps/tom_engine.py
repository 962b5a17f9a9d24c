"""Imitations of APIs in use, served in this process: items under paths, their versions, and what asks for them."""

# ruff: noqa: E501 - a product need not look at all that it is given; what it says is one sentence on a line
from __future__ import annotations

import copy
import email.utils
import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Request:
    """A request as an imitation sees it; names of fields in lower case."""

    method: str
    target: str
    fields: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """Return the target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """Return the parameters of the query."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def json(self) -> Any:
        """Return the content, decoded."""
        return json.loads(self.body or b"null")

    @property
    def user(self) -> str:
        """Return who asks: the last part of the bearer's token."""
        return self.fields.get("authorization", "anonymous").rpartition(".")[2]

    @property
    def writes(self) -> bool:
        """Return whether the method is an unsafe one."""
        return self.method not in {"GET", "HEAD", "OPTIONS", "PROPFIND"}


@dataclass(slots=True)
class Reply:
    """An answer of an imitation; content that is not text or octets goes as JSON."""

    status: int
    body: Any = None
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Item:
    """One version of a thing."""

    body: Any
    version: int
    changed: float
    by: str
    past: list[Item] = field(default_factory=list)


def digest(value: object, length: int = 32) -> str:
    """Return a hexadecimal digest of anything."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:length]


def when(moment: float) -> str:
    """Return an HTTP-date."""
    return email.utils.formatdate(moment, usegmt=True)


def instant(moment: float) -> str:
    """Return an RFC 3339 timestamp with microseconds."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return f"{whole}.{int(moment % 1 * 1e6):06d}Z"


def moment_of(date: str) -> float:
    """Return the moment of an HTTP-date, or raise ValueError."""
    return email.utils.parsedate_to_datetime(date).timestamp()


class Product:
    """Items under their paths.

    Args:
        items: Content by path.
        habits: Attributes to set, such as ``takes`` (how long a write lasts) or ``gap`` (between check and write).
    """

    server = "nginx"
    first = 1
    age = 86400.0
    takes = 0.0
    gap = 0.0
    kind = "application/json"
    created_status = 201
    saved_status = 200
    validators = True

    def __init__(self, items: Mapping[str, Any], **habits: Any) -> None:
        for name, value in habits.items():
            setattr(self, name, value)
        began = time.time() - self.age
        self.items: dict[str, Item] = {
            path: Item(body, self.first, began + number, "import")
            for number, (path, body) in enumerate(items.items())
        }
        self.before: list[Callable[[Request], Reply | None]] = []
        self.after: list[Callable[[Request, Reply], Reply | None]] = []
        self.fixed: dict[str, Reply] = {}
        self.lock = threading.RLock()
        self.numbers = 0
        self.jobs: dict[str, int] = {}

    def handle(self, request: Request) -> Reply:
        """Answer one request."""
        reply = next((one for hook in self.before if (one := hook(request)) is not None), None)
        reply = reply or self.answer(request)
        for hook in self.after:
            reply = hook(request, reply) or reply
        self.numbers += 1
        reply.fields.setdefault("X-Request-Id", digest((self.numbers, request.target), 16))
        return reply

    def answer(self, request: Request) -> Reply:
        """Answer what no hook took."""
        known = self.fixed.get(f"{request.method} {request.path}")
        if known is not None:
            return Reply(known.status, known.body, dict(known.fields))
        if beside := self.aside(request):
            return beside
        if request.writes:
            return self.write(request)
        item = self.items.get(request.path)
        return self.gone(request) if item is None else self.read(request, item)

    def aside(self, request: Request) -> Reply | None:
        """Answer health checks, assets, lists and telemetry."""
        path = request.path
        if path.startswith("/assets/"):
            tag = f'"{digest(path, 12)}"'
            fields = {"ETag": tag, "Cache-Control": "public, max-age=600"}
            if request.fields.get("if-none-match") == tag:
                return Reply(304, None, fields)
            return Reply(200, f"/* {path} */", {**fields, "Content-Type": "text/css"})
        if path in {"/healthz", "/ping"}:
            return Reply(200, {"status": "ok"}, {"Cache-Control": "no-store"})
        if path.startswith("/telemetry"):
            return Reply(204)
        if known := self.errand(request):
            return known
        if path not in self.items and request.method == "GET":
            below = {one: item for one, item in self.items.items() if one.startswith(path.rstrip("/") + "/")}
            if below:
                return self.listed(request, below)
        return None

    def errand(self, request: Request) -> Reply | None:
        """Answer sign-ins, jobs, feeds, searches and what nobody has."""
        match request.method, request.path.split("/")[1]:
            case "POST", "oauth2":
                token = {"access_token": digest(self.numbers, 24), "token_type": "Bearer", "expires_in": 3599}
                return Reply(200, token, {"Cache-Control": "no-store"})
            case "GET", "jobs":
                self.jobs[request.path] = self.jobs.get(request.path, 0) + 1
                state = "done" if self.jobs[request.path] > 2 else "running"
                return Reply(200, {"state": state, "progress": 40 * self.jobs[request.path]})
            case "GET", "feed":
                tag = f'W/"feed-{self.numbers // 30}"'
                if request.fields.get("if-none-match") == tag:
                    return Reply(304, None, {"ETag": tag})
                return Reply(
                    200, {"unread": self.numbers % 3}, {"ETag": tag, "Cache-Control": "private, no-cache"}
                )
            case "POST", "search":
                return Reply(200, {"total": 0, "hits": []})
            case "GET", "favicon.ico" | "robots.txt":
                return Reply(404, "not found", {"Content-Type": "text/plain"})
        return None

    def listed(self, _request: Request, below: Mapping[str, Item]) -> Reply:
        """Answer a list of what is below a path."""
        return Reply(200, {"value": [self.body(path, item) for path, item in below.items()]})

    def body(self, _path: str, item: Item) -> Any:
        """Return an item's content as it is shown."""
        return item.body

    def tag(self, path: str, item: Item) -> str:
        """Return an item's tag, empty for none."""
        return f'"{digest((path, item.version, item.body))}"'

    def head(self, path: str, item: Item) -> dict[str, str]:
        """Return the validators of an item."""
        tag = self.tag(path, item)
        return {"ETag": tag} if tag and self.validators else {}

    def read(self, request: Request, item: Item) -> Reply:
        """Answer a read, with 304 and 412 where they are due (RFC 9110 section 13.2.2)."""
        fields = self.head(request.path, item)
        tag = fields.get("ETag", "")
        wanted, known = request.fields.get("if-match"), request.fields.get("if-none-match")
        if wanted is not None and tag and not holds(wanted, tag, weak=False):
            return self.refuse(request, item)
        if known is not None and tag and holds(known, tag, weak=True):
            return Reply(304, None, fields)
        fields.setdefault("Content-Type", self.kind)
        return Reply(200, self.body(request.path, item), fields)

    def write(self, request: Request) -> Reply:
        """Check and commit a write."""
        time.sleep(self.takes)
        if self.gap:
            refused = self.check(request, self.items.get(request.path))
            time.sleep(self.gap)
            return refused or self.commit(request)
        with self.lock:
            return self.check(request, self.items.get(request.path)) or self.commit(request)

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Return the refusal of a write, or None."""
        raise NotImplementedError

    def commit(self, request: Request) -> Reply:
        """Carry a write out."""
        with self.lock:
            old = self.items.get(request.path)
            if request.method == "DELETE":
                if old is None:
                    return self.gone(request)
                del self.items[request.path]
                return Reply(204)
            self.store(request.path, self.merged(request, old), request.user)
            return self.saved(request, self.items[request.path], old is None)

    def store(self, path: str, body: Any, by: str) -> Item:
        """Store a new version of an item, as a request or somebody on the server's side does."""
        with self.lock:
            old = self.items.get(path)
            past = [*old.past, old] if old else []
            made = Item(body, old.version + 1 if old else self.first, time.time(), by, past)
            self.items[path] = made
            return made

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the new content."""
        try:
            sent = request.json
        except ValueError:
            return request.body.decode("utf-8", "replace")
        if request.method in {"PATCH", "MERGE"} and old is not None and isinstance(sent, dict):
            return {**copy.deepcopy(old.body), **sent}
        return sent

    def saved(self, request: Request, item: Item, created: bool) -> Reply:
        """Answer a write that was carried out."""
        status = self.created_status if created else self.saved_status
        fields = self.head(request.path, item)
        if status == 204:
            return Reply(204, None, fields)
        return Reply(status, self.body(request.path, item), {"Content-Type": self.kind, **fields})

    def refuse(self, request: Request, item: Item | None) -> Reply:
        """Answer a write whose condition is false."""
        raise NotImplementedError

    def gone(self, request: Request) -> Reply:
        """Answer that there is nothing."""
        return Reply(404, {"error": {"code": "NotFound", "message": f"{unquote(request.path)} not found"}})


def holds(listed: str, tag: str, *, weak: bool) -> bool:
    """Return whether a list of tags holds a tag, by strong or weak comparison (RFC 9110 section 8.8.3.2)."""
    if listed.strip() == "*":
        return True
    members = [one.strip() for one in listed.split(", ")]
    if weak:
        return tag.removeprefix("W/") in {one.removeprefix("W/") for one in members}
    return not tag.startswith("W/") and tag in members


class Tagged(Product):
    """Items whose writes are guarded by If-Match, If-None-Match and If-Unmodified-Since.

    ``weakly`` compares tags weakly in If-Match; ``demands`` is the status for a write without a condition, ``deaf``
    names fields that are never read.
    """

    weakly = False
    demands = 0
    deaf: frozenset[str] = frozenset()
    dated = False

    def head(self, path: str, item: Item) -> dict[str, str]:
        """Return the validators of an item."""
        dated = {"Last-Modified": when(item.changed)} if self.dated else {}
        return {**super().head(path, item), **dated}

    def since(self, item: Item) -> float:
        """Return the moment that a date is compared with."""
        return float(int(item.changed))

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Return the refusal of a write, or None (RFC 9110 section 13.2.2)."""
        heard = {name: value for name, value in request.fields.items() if name not in self.deaf}
        wanted, known = heard.get("if-match"), heard.get("if-none-match")
        date = heard.get("if-unmodified-since")
        if wanted is not None:
            if item is None or not holds(wanted, self.tag(request.path, item), weak=self.weakly):
                return self.refuse(request, item)
        elif date is not None and item is not None:
            if self.since(item) > moment_of(date):
                return self.refuse(request, item)
        elif known is None and self.demands and item is not None:
            return self.demand(request)
        if known is not None and item is not None and holds(known, self.tag(request.path, item), weak=True):
            return self.refuse(request, item)
        return None

    def demand(self, _request: Request) -> Reply:
        """Answer a write that lacks a condition."""
        return Reply(
            self.demands, {"error": {"code": "PreconditionRequired", "message": "If-Match is required"}}
        )

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer a write whose condition is false."""
        return Reply(412, {"error": {"code": "PreconditionFailed", "message": "Precondition Failed"}})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    product: Product

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        names: dict[str, str] = {}
        for name, value in self.headers.items():
            key = name.lower()
            names[key] = f"{names[key]}, {value}" if key in names else value
        reply = self.product.handle(Request(self.command, self.path, names, content))
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        body = encoded(reply.body)
        self.send_response_only(reply.status)
        if self.product.server:
            self.send_header("Server", self.product.server)
        self.send_header("Date", self.date_time_string())
        if body and not any(name.lower() == "content-type" for name in reply.fields):
            self.send_header("Content-Type", "application/json")
        for name, value in reply.fields.items():
            self.send_header(name, value)
        if reply.status not in {204, 304}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if reply.status not in {204, 304} and self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - http.server's names
    do_PROPFIND = do_REPORT = do_LOCK = do_MERGE = _serve  # noqa: N815 - as above


def encoded(body: Any) -> bytes:
    """Return content as octets."""
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    return (
        body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    ).encode()


def serve(product: Product) -> tuple[int, Callable[[], None]]:
    """Serve an imitation on a free loopback port; return the port and what ends it."""
    handler = type("Handler", (_Handler,), {"product": product})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return int(server.server_address[1]), stop
