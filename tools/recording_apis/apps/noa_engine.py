"""What the imitated APIs of ``noa_cloud`` share: requests, records with their history, faults on order."""

from __future__ import annotations

import copy
import gzip
import hashlib
import json
import os
import secrets
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    206: "Partial Content",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    410: "Gone",
    412: "Precondition Failed",
    423: "Locked",
    428: "Precondition Required",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}


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
    def who(self) -> str:
        """Return the user named by the request: what follows the last dot of its bearer token."""
        said = self.fields.get("authorization", "") or self.fields.get("x-user", "")
        return said.rpartition(".")[2] or "anonymous"


@dataclass
class Response:
    """One answer; a dict or list becomes JSON."""

    status: int
    body: object = b""
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Record:
    """A stored thing in one of its versions.

    Attributes:
        key: Where it is.
        value: What it holds.
        version: Counted from 1.
        at: Seconds since 1970 when this version was stored.
        by: Who stored it.
        created: When the first version was stored.
    """

    key: str
    value: Any
    version: int
    at: float
    by: str
    created: float


def date(seconds: float) -> str:
    """Return an HTTP-date."""
    return formatdate(seconds, usegmt=True)


def stamp(seconds: float, digits: int = 3) -> str:
    """Return an RFC 3339 time in UTC with so many digits after the point."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}{f'{seconds % 1:.{digits}f}'[1:] if digits else ''}Z"


def digest(value: object, length: int = 32) -> str:
    """Return a hash of a value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:length]


def merge(old: Any, change: Any) -> Any:
    """Return a JSON merge patch applied (RFC 7396)."""
    if not isinstance(change, dict) or not isinstance(old, dict):
        return change
    made = dict(old)
    for name, value in change.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merge(made.get(name), value)
    return made


class Api:
    """An API with entity tags, the base of all imitations.

    Its faults come by the environment: ``FLAGS`` (``ignore``, ``late``, ``need``, ``unstable``, ...),
    ``SALT`` (a part of every tag), ``LAG`` (seconds that reads are behind), ``RACE`` (seconds between
    check and write), ``TARRY`` (seconds an answer to a write takes), ``BUSY`` (so many answers 503 first).
    """

    server: ClassVar[str] = "envoy"
    media: ClassVar[str] = "application/json; charset=utf-8"
    weak_matches: ClassVar[bool] = False
    creates: ClassVar[tuple[str, ...]] = ("PUT",)
    more: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        self.flags = set(os.environ.get("FLAGS", "").split())
        self.salt = os.environ.get("SALT", "")
        self.lag, self.race, self.tarry = (
            float(os.environ.get(name, "0")) for name in ("LAG", "RACE", "TARRY")
        )
        self.busy = int(os.environ.get("BUSY", "0"))
        self.lock = threading.RLock()
        self.history: dict[str, list[tuple[float, Record | None]]] = {}
        then = float(os.environ.get("WRITTEN", str(time.time() - 86_400.37)))
        for key, value in json.loads(os.environ.get("SEED", "{}")).items():
            self.history[key] = [(0.0, Record(key, value, self.first(key), then, "setup", then))]

    def first(self, key: str) -> int:
        """Return the number of the first version of what was there before."""
        return 3 + len(key) % 9

    def seen(self, key: str, at: float | None = None) -> Record | None:
        """Return the record as it was at a time, now when there is none."""
        steps = [one for moment, one in self.history.get(key, []) if at is None or moment <= at]
        return steps[-1] if steps else None

    def keep(self, key: str, value: Any, by: str) -> Record:
        """Store a version."""
        with self.lock:
            old, now = self.seen(key), time.time()
            number = old.version + self.step(old) if old else self.initial()
            made = Record(key, copy.deepcopy(value), number, now, by, old.created if old else now)
            self.history.setdefault(key, []).append((now, made))
            return made

    def step(self, old: Record) -> int:
        """Return by how much the version grows."""
        del old
        return 1

    def initial(self) -> int:
        """Return the version of what is new."""
        return 1

    def drop(self, key: str) -> None:
        """Forget a record."""
        with self.lock:
            self.history.setdefault(key, []).append((time.time(), None))

    def keys(self, prefix: str = "") -> list[Record]:
        """Return all records below a prefix."""
        found = (self.seen(key) for key in sorted(self.history) if key.startswith(prefix))
        return [one for one in found if one is not None]

    # what a product says otherwise

    def route(self, request: Request) -> Response | None:
        """Answer what is no read or write of a record."""
        del request
        return None

    def key(self, request: Request) -> str:
        """Return the record that a request is about."""
        return request.path

    def tag(self, record: Record, request: Request | None = None) -> str | None:
        """Return the entity tag."""
        del request
        parts = [record.value, record.version, self.salt]
        if "unstable" in self.flags:
            parts.append(secrets.token_hex(4))
        opaque = f'"{digest(parts)}"'
        return f"W/{opaque}" if "weak" in self.flags else opaque

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return the fields that go with a record."""
        tag = self.tag(record, request)
        return {"ETag": tag} if tag else {}

    def view(self, record: Record) -> object:
        """Return the content that shows a record."""
        return record.value

    def taken(self, request: Request, old: Record | None) -> Any:
        """Return the value that a write makes."""
        if request.method == "PATCH" and old:
            return merge(old.value, request.json)
        return request.json

    def asks(self, request: Request) -> bool:
        """Return whether a request carries a condition."""
        names = {"if-match", "if-none-match", "if-unmodified-since"}
        return bool(names & request.fields.keys())

    def holds(self, request: Request, record: Record | None) -> bool:
        """Return whether the condition of a request is true (RFC 9110, section 13.2.2)."""
        fields = request.fields
        tag = self.tag(record, request) if record else None
        if "if-match" in fields:
            if not matches(fields["if-match"], tag, exists=record is not None, weak=self.weak_matches):
                return False
        elif "if-unmodified-since" in fields and record:
            try:
                limit = parsedate_to_datetime(fields["if-unmodified-since"]).timestamp()
            except (ValueError, TypeError):
                limit = float("inf")
            if int(record.at) > limit:
                return False
        asked = fields.get("if-none-match")
        return asked is None or not matches(asked, tag, exists=record is not None, weak=True)

    def refused(self, request: Request, record: Record | None) -> Response:
        """Answer when the condition is false."""
        del request, record
        return Response(412, {"error": "precondition failed"})

    def missing(self, request: Request, record: Record | None) -> Response | None:
        """Answer when there is no condition, or None when none is needed."""
        del request, record
        return Response(428, {"error": "precondition required"}) if "need" in self.flags else None

    def absent(self, request: Request) -> Response:
        """Answer when there is no such record."""
        return Response(404, {"error": "not found", "path": request.path})

    def done(self, request: Request, record: Record, old: Record | None) -> Response:
        """Answer a write."""
        return Response(200 if old else 201, self.view(record), self.validators(record, request))

    def wrong(self, request: Request, record: Record | None) -> Response | None:
        """Answer a request that is refused for itself, whatever its condition."""
        del request, record
        return None

    def stored(self, request: Request, record: Record) -> None:
        """Do what follows a write."""

    # what all do

    def answer(self, request: Request) -> Response:
        """Answer a request."""
        if self.busy and not ("busywrites" in self.flags and request.method == "GET"):
            self.busy -= 1
            return Response(503, {"error": "backend is starting"}, {"Retry-After": "1"})
        routed = aside(request) or self.route(request)
        if routed is not None:
            return routed
        if request.method in {"GET", "HEAD"}:
            return self.read(request)
        return self.write(request)

    def read(self, request: Request) -> Response:
        """Answer a read."""
        record = self.seen(self.key(request), time.time() - self.lag if self.lag else None)
        if record is None:
            return self.absent(request)
        fields = {**self.validators(record, request), **self.more}
        asked = request.fields.get("if-none-match")
        if asked and matches(asked, fields.get("ETag"), exists=True, weak=True):
            return Response(304, b"", fields)
        return Response(200, self.view(record), fields)

    def write(self, request: Request) -> Response:
        """Answer a write."""
        key = self.key(request)
        with self.lock:
            old = self.seen(key)
            broken = self.wrong(request, old) or (None if "late" in self.flags else self.check(request, old))
            if broken is None and not self.race:
                broken = self.commit(request, key, old)
        if broken is None:
            time.sleep(self.race)
            broken = self.commit(request, key, self.seen(key))
        if self.tarry and broken.status < 300:
            time.sleep(self.tarry)
            self.tarry = 0.0
        return broken

    def check(self, request: Request, old: Record | None) -> Response | None:
        """Return the answer to a write whose condition is false or missing."""
        if "ignore" in self.flags:
            return None
        if not self.asks(request):
            return self.missing(request, old)
        return None if self.holds(request, old) else self.refused(request, old)

    def commit(self, request: Request, key: str, old: Record | None) -> Response:
        """Store what a write brings."""
        if request.method == "DELETE":
            if old is None:
                return self.absent(request)
            self.drop(key)
            return Response(204)
        if old is None and request.method not in self.creates:
            return self.absent(request)
        made = self.keep(key, self.taken(request, old), request.who)
        self.stored(request, made)
        late = self.check(request, made) if "late" in self.flags else None
        return late or self.done(request, made, old)


SHEETS = ("/assets/app.css", "/static/main.7c1.css", "/ui/theme/dark.css", "/_next/layout.css")
SELVES = ("/whoami", "/session", "/api/me", "/account/profile")
FINDS = ("/find", "/typeahead", "/api/suggest", "/search/quick")
BEACONS = ("/telemetry", "/beacon", "/rum/events", "/collect")


def aside(request: Request) -> Response | None:
    """Answer what every service has beside its resources: a style sheet, who I am, a search, telemetry."""
    path = request.path
    if path in BEACONS:
        return Response(204)
    if path in SHEETS:
        tag = f'"{digest([path, os.environ.get("API")], 6 + 4 * SHEETS.index(path))}"'
        kept = {"ETag": tag, "Cache-Control": "max-age=600", "Content-Type": "text/css"}
        if request.fields.get("if-none-match") == tag:
            return Response(304, b"", kept)
        return Response(200, "main { margin: 2em } nav a { color: teal }\n" * (2 + SHEETS.index(path)), kept)
    if path in SELVES:
        seen = {"user": request.who, "roles": ["read", "write"], "quota": 812 - len(request.who)}
        cookie = f"sid=s-{len(request.who):02d}fake; Path=/; HttpOnly"
        return Response(200, seen, {"Set-Cookie": cookie, "Cache-Control": "no-store"})
    if path in FINDS:
        hits = [
            {"title": f"{request.query.get('q', '')} {n}", "score": round(9 / (n + 1), 2)} for n in range(9)
        ]
        coded = gzip.compress(json.dumps({"hits": hits}).encode())
        return Response(200, coded, {"Content-Type": "application/json", "Content-Encoding": "gzip"})
    if path == "/report":
        time.sleep(0.6)
        return Response(200, "".join(f"line {n};{n * n}\n" for n in range(40)), {"X-Chunked": "1"})
    return None


def matches(asked: str, tag: str | None, *, exists: bool, weak: bool) -> bool:
    """Compare a list of tags with a tag, octet by octet, or without ``W/`` when weakly."""
    if asked.strip() == "*":
        return exists
    if tag is None:
        return False
    members = [one.strip() for one in asked.split(",")]
    if weak:
        return tag.removeprefix("W/") in [one.removeprefix("W/") for one in members]
    return not tag.startswith("W/") and tag in members


def serve(api: Api) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """Return an API as a WSGI application."""

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        fields = {
            name[5:].replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        fields["content-type"] = environ.get("CONTENT_TYPE", "")
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        body = environ["wsgi.input"].read(length) if length else b""
        path = unquote(environ["PATH_INFO"])
        request = Request(environ["REQUEST_METHOD"], path, query, fields, body)
        made = Response(200, b"ready") if path == "/-/ready" else api.answer(request)
        content = made.body
        own = {"Server": api.server, **made.fields}
        if isinstance(content, dict | list | bool):
            content = json.dumps(content, ensure_ascii=False).encode()
            own.setdefault("Content-Type", api.media)
        elif isinstance(content, str):
            content = content.encode()
            own.setdefault("Content-Type", "text/plain; charset=utf-8")
        octets = content if isinstance(content, bytes) else b""
        chunked = own.pop("X-Chunked", None)
        if made.status not in {204, 304} and not chunked:
            own["Content-Length"] = str(len(octets))
        start(f"{made.status} {_REASONS.get(made.status, 'Unknown')}", list(own.items()))
        return [b"" if request.method == "HEAD" or made.status in {204, 304} else octets]

    return application
