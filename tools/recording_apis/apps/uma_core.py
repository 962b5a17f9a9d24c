"""A small server in the process that records, and documents under entity-tags and dates.

``Shelf`` follows RFC 9110 section 13.2.2 unless a story gives it a habit; ``serve`` runs any function from
a request to an answer under the server of Python's library, waitress or cheroot.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, unquote

from tools.recording_apis.apps.uma_words import Reply, refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Ask", "Behind", "Doc", "Reply", "Shelf", "md5", "serve"]
_SAFE = {"GET", "HEAD"}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; names of fields in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    fields: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the content decoded as JSON, an empty object when there is none."""
        return json.loads(self.body) if self.body else {}

    @property
    def form(self) -> dict[str, str]:
        """Return the content decoded as a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


def md5(text: bytes | str, size: int = 32) -> str:
    """Return the beginning of a hash, as tags have it."""
    octets = text.encode() if isinstance(text, str) else text
    return hashlib.md5(octets, usedforsecurity=False).hexdigest()[:size]


def _rendered(reply: Reply) -> tuple[int, list[tuple[str, str]], bytes]:
    status, fields, content = reply
    shown = {"Content-Type": "application/json", **fields}
    if content is None:
        shown = dict(fields)
        return status, list(shown.items()), b""
    if isinstance(content, bytes):
        return status, list(shown.items()), content
    if isinstance(content, str):
        if "Content-Type" not in fields:
            shown["Content-Type"] = "text/plain; charset=utf-8"
        return status, list(shown.items()), content.encode()
    return status, list(shown.items()), json.dumps(content, ensure_ascii=False).encode()


def _asked(method: str, target: str, fields: Mapping[str, str], body: bytes) -> Ask:
    path, _, query = target.partition("?")
    return Ask(method, unquote(path), dict(parse_qsl(query, keep_blank_values=True)), fields, body)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    app: ClassVar[Any] = None

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Log nothing."""

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self) -> None:
        fields = {name.lower(): value for name, value in self.headers.items()}
        ask = _asked(self.command, self.path, fields, self._body())
        status, lines, content = _rendered(type(self).app(ask))
        self.send_response(status)
        for name, value in lines:
            self.send_header(name, value)
        if status not in {204, 304}:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and status not in {204, 304}:
            self.wfile.write(content)
            self.wfile.flush()

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do_OPTIONS = do_MERGE = _answer  # noqa: N815


class _Quiet(ThreadingHTTPServer):
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of broken connections: stories break them."""


def _library(app: Any, port: int, product: str) -> Callable[[], None]:
    fields = {"app": staticmethod(app), "server_version": product, "sys_version": ""}
    made = _Quiet(("127.0.0.1", port), type("Handler", (_Handler,), fields))
    threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()

    def stop() -> None:
        made.shutdown()
        made.server_close()

    return stop


def _as_wsgi(app: Any) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        fields = {
            key[5:].replace("_", "-").lower(): one for key, one in environ.items() if key[:5] == "HTTP_"
        }
        if environ.get("CONTENT_TYPE"):
            fields["content-type"] = environ["CONTENT_TYPE"]
        query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        ask = _asked(environ["REQUEST_METHOD"], environ["PATH_INFO"] + query, fields, body)
        status, lines, content = _rendered(app(ask))
        if status not in {204, 304}:
            lines.append(("Content-Length", str(len(content))))
        start_response(f"{status} {HTTPStatus(status).phrase}", lines)
        return [content] if ask.method != "HEAD" and status not in {204, 304} else [b""]

    return application


def _waitress(app: Any, port: int, product: str) -> Callable[[], None]:
    library = importlib.import_module("waitress.server")
    made = library.create_server(_as_wsgi(app), host="127.0.0.1", port=port, threads=8, ident=product)
    threading.Thread(target=made.run, daemon=True).start()
    stop: Callable[[], None] = made.close
    return stop


def _cheroot(app: Any, port: int, product: str) -> Callable[[], None]:
    library = importlib.import_module("cheroot.wsgi")
    made = library.Server(("127.0.0.1", port), _as_wsgi(app), numthreads=8, server_name=product)
    made.prepare()
    threading.Thread(target=made.serve, daemon=True).start()
    stop: Callable[[], None] = made.stop
    return stop


def serve(app: Any, port: int, product: str, kind: str = "library") -> Callable[[], None]:
    """Run an application on a loopback port and return what stops it.

    Args:
        app: A function from ``Ask`` to ``Reply``.
        port: A free port.
        product: What the Server field says.
        kind: ``library``, ``waitress`` or ``cheroot``.
    """
    return {"library": _library, "waitress": _waitress, "cheroot": _cheroot}[kind](app, port, product)


@dataclass
class Doc:
    """One document."""

    media: str
    body: bytes
    rev: int
    changed: float
    by: str = "import"
    born: float = 0.0
    past: list[tuple[float, bytes, int, float]] = field(default_factory=list)

    @property
    def json(self) -> Any:
        """Return the content decoded as JSON."""
        return json.loads(self.body)


class Shelf:
    """Documents below paths, with validators.

    Args:
        docs: A JSON value, text or octets by path; a pair adds the age in seconds.
        tag: Makes the opaque tag with its quotes from a document; None shows no tag.
        refuse: Words a refusal from status, reason and path.
        habits: ``need`` (status when a condition is missing), ``ignores`` (methods whose conditions nobody
            reads), ``weakly`` (compares If-Match weakly), ``gap`` (seconds between check and commit),
            ``hold`` (seconds of a write), ``stale`` (status of a mismatch), ``cache`` (Cache-Control of
            reads), ``more`` (fields of each answer), ``dates`` (False shows no Last-Modified),
            ``fraction`` (compares dates to the microsecond), ``quiet`` (a write's answer has no content),
            ``mute`` (nor a tag).
    """

    def __init__(
        self,
        docs: Mapping[str, object],
        tag: Callable[[Doc], str | None] | None = None,
        refuse: Callable[[int, str, str], Reply] | None = None,
        **habits: Any,
    ) -> None:
        self.lock = threading.RLock()
        self.docs: dict[str, Doc] = {}
        self.make = tag or (lambda doc: f'"{md5(doc.body)}"')
        self.refuse = refuse or refusals()
        self.habits = habits
        self.committed: list[Callable[[str, Doc], None]] = []
        for number, (path, held) in enumerate(docs.items()):
            content, age = held if isinstance(held, tuple) else (held, 7000.0 + 900.5 * number)
            now = time.time() - age
            self.docs[path] = Doc(*_content(content), 1 + (number * 5) % 9, now, born=now)

    def tag(self, doc: Doc, ask: Ask) -> str | None:
        """Return the entity-tag of a document for a request."""
        del ask
        return self.make(doc)

    def see(self, path: str) -> Doc | None:
        """Return what a read sees."""
        return self.docs.get(path)

    def validators(self, doc: Doc, ask: Ask) -> dict[str, str]:
        """Return the fields that name a version."""
        tag = self.tag(doc, ask)
        fields = {} if tag is None else {"ETag": tag}
        if self.habits.get("dates", True):
            fields["Last-Modified"] = formatdate(doc.changed, usegmt=True)
        return fields

    def judge(self, ask: Ask, doc: Doc | None) -> tuple[int, str]:
        """Return status and reason when a condition ends the request, else 0 (RFC 9110 section 13.2.2)."""
        if ask.method in self.habits.get("ignores", ()):
            return 0, ""
        held, stale = ask.fields, int(self.habits.get("stale", 412))
        if (match := held.get("if-match")) is not None:
            if doc is None or not self.matches(match, self.tag(doc, ask)):
                return stale, "stale" if doc else "gone"
        elif (
            (since := held.get("if-unmodified-since")) is not None and doc and not self.untouched(since, doc)
        ):
            return stale, "date"
        if (none := held.get("if-none-match")) is not None:
            if doc and (none.strip() == "*" or self.among(none, self.tag(doc, ask))):
                return (304, "") if ask.method in _SAFE else (stale, "exists")
        elif ask.method in _SAFE and doc and self.unchanged(held.get("if-modified-since"), doc):
            return 304, ""
        conditional = {"if-match", "if-unmodified-since", "if-none-match"} & set(held)
        if self.habits.get("need") and doc and ask.method not in _SAFE and not conditional:
            return int(self.habits["need"]), "missing"
        return 0, ""

    def matches(self, sent: str, tag: str | None) -> bool:
        """Compare If-Match strongly, or weakly where that is the habit."""
        if sent.strip() == "*":
            return True
        if tag is None:
            return False
        if self.habits.get("weakly"):
            return self.among(sent, tag)
        return not tag.startswith("W/") and tag in [one.strip() for one in sent.split(",")]

    @staticmethod
    def among(sent: str, tag: str | None) -> bool:
        """Compare weakly."""
        return tag is not None and tag.removeprefix("W/") in [
            one.strip().removeprefix("W/") for one in sent.split(",")
        ]

    def untouched(self, sent: str, doc: Doc) -> bool:
        """Return whether a document was not modified since; a date in another form counts for nothing."""
        moment = _moment(sent)
        return moment is None or (doc.changed if self.habits.get("fraction") else int(doc.changed)) <= moment

    @staticmethod
    def unchanged(sent: str | None, doc: Doc) -> bool:
        """Return whether a document is as old as what a reader has."""
        moment = _moment(sent or "")
        return moment is not None and int(doc.changed) <= moment

    def commit(self, path: str, content: bytes | None, media: str = "", by: str = "") -> Doc:
        """Store a state; None deletes."""
        doc, now = self.docs.get(path), time.time()
        if doc is None:
            doc = self.docs[path] = Doc(media or "application/json", content or b"", 1, now, by, now)
        elif content is None:
            doc = self.docs.pop(path)
        else:
            doc.past.append((now, doc.body, doc.rev, doc.changed))
            doc.body, doc.rev, doc.changed, doc.by = content, doc.rev + 1, now, by
        return doc

    def edit(self, path: str, by: str = "system", **fields: object) -> None:
        """Change a JSON document from within the service."""
        with self.lock:
            self.commit(
                path, json.dumps({**self.docs[path].json, **fields}, ensure_ascii=False).encode(), by=by
            )

    def __call__(self, ask: Ask) -> Reply:
        """Answer one request."""
        status, fields, content = self.read(ask) if ask.method in _SAFE else self.write(ask)
        return status, {**self.habits.get("more", {}), **fields}, content

    def read(self, ask: Ask) -> Reply:
        """Answer GET and HEAD: a document, the list below a path, or the state of the service."""
        doc = self.see(ask.path)
        if doc is None:
            return self.listed(ask)
        status, why = self.judge(ask, doc)
        if status not in {0, 304}:
            return self.refuse(status, why, ask.path)
        cache = self.habits.get("cache", "private, no-cache")
        fields = {**self.validators(doc, ask), "Cache-Control": cache}
        if status:
            return 304, fields, None
        return 200, {"Content-Type": doc.media, **fields}, doc.body

    def listed(self, ask: Ask) -> Reply:
        """Answer a read of a folder."""
        if ask.path in {"/healthz", "/status"}:
            return 200, {"Cache-Control": "no-store"}, {"status": "up", "documents": len(self.docs)}
        below = {key: one for key, one in self.docs.items() if key.startswith(ask.path.rstrip("/") + "/")}
        if not below or ask.fields.get("if-match"):
            return self.refuse(412 if ask.fields.get("if-match") else 404, "gone", ask.path)
        rows = [{"href": key, "bytes": len(one.body), "by": one.by} for key, one in sorted(below.items())]
        return 200, {"Cache-Control": "no-cache"}, {"count": len(rows), "rows": rows}

    def write(self, ask: Ask) -> Reply:
        """Answer an unsafe request; with a gap the check and the commit are two steps."""
        if self.habits.get("gap"):
            return self.store(ask)
        with self.lock:
            time.sleep(self.habits.get("hold", 0))
            return self.store(ask)

    def store(self, ask: Ask) -> Reply:
        """Check, then commit."""
        doc = self.docs.get(ask.path)
        status, why = self.judge(ask, doc)
        if status:
            return self.refuse(status, why, ask.path)
        if doc is None and ask.method != "PUT":
            return self.refuse(404, "gone", ask.path)
        time.sleep(self.habits.get("gap", 0))
        if ask.method == "DELETE":
            self.commit(ask.path, None)
            return 204, {}, None
        body, media = ask.body, ask.fields.get("content-type", "")
        if ask.method in {"PATCH", "MERGE"} and doc:
            body = json.dumps({**doc.json, **ask.json}, ensure_ascii=False).encode()
        made = self.commit(ask.path, body, media, _who(ask))
        for hook in self.committed:
            hook(ask.path, made)
        return self.done(ask, made, created=doc is None)

    def done(self, ask: Ask, made: Doc, *, created: bool) -> Reply:
        """Answer a write that was stored."""
        fields = {} if self.habits.get("mute") else self.validators(made, ask)
        if created:
            return 201, {**fields, "Location": ask.path}, b""
        if self.habits.get("quiet"):
            return 204, fields, None
        return 200, {"Content-Type": made.media, **fields}, made.body


class Behind(Shelf):
    """A copy of another shelf that is some seconds behind."""

    def __init__(self, first: Shelf, seconds: float, **habits: Any) -> None:
        super().__init__({}, first.make, first.refuse, **{**first.habits, **habits})
        self.docs, self.seconds = first.docs, seconds

    def see(self, path: str) -> Doc | None:
        """Return a document as it was."""
        doc = self.docs.get(path)
        if doc is None or time.time() - doc.born < self.seconds:
            return None
        body, rev, changed = doc.body, doc.rev, doc.changed
        for until, older, number, moment in reversed(doc.past):
            if until <= time.time() - self.seconds:
                break
            body, rev, changed = older, number, moment
        return Doc(doc.media, body, rev, changed)


def _who(ask: Ask) -> str:
    return ask.fields.get("x-user") or ask.fields.get("authorization", "").split(" ")[-1][:12] or "anonymous"


def _content(given: object) -> tuple[str, bytes]:
    if isinstance(given, bytes):
        return "application/octet-stream", given
    if isinstance(given, str):
        return "text/plain; charset=utf-8", given.encode()
    return "application/json", json.dumps(given, ensure_ascii=False).encode()


def _moment(sent: str) -> float | None:
    if not sent.endswith(" GMT") or sent[3:5] != ", ":
        return None
    try:
        return parsedate_to_datetime(sent).timestamp()
    except ValueError:
        return None
