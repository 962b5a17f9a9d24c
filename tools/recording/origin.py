"""A plain origin: versioned documents with validators and preconditions, correct unless told to be faulty."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.recording.http_dates import format_http_date, parse_http_date
from tools.recording.message import Message, Stream, keeps_open, read_request, write_message
from tools.recording.preconditions import Refusal, evaluate
from tools.recording.tap import address_of, listen

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording.message import Fields

Hook = "Callable[[Origin, Message], Reply | None]"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before framing: status, fields, content; ``abort`` closes without sending it."""

    status: int
    fields: Fields = ()
    body: bytes = b""
    abort: bool = False


@dataclass(slots=True)
class Resource:
    """One stored document.

    Attributes:
        body: Current content.
        media_type: Content-Type it is served with.
        version: Counts up with each write, from 1.
        modified: Time of the last write, seconds since 1970 with a fraction.
        previous: The content and version before the last write, for lagging reads.
    """

    body: bytes
    media_type: str
    version: int = 1
    modified: float = 0.0
    previous: list[tuple[float, bytes, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Habits:
    """How an origin looks and where it goes wrong.

    Attributes:
        tag: Maps a resource to the text of its entity tag without quotes.
        weak: Whether tags carry ``W/``.
        emit_etag: Whether ETag is sent at all.
        etag_on_write: Whether answers to writes carry the new ETag.
        emit_last_modified: Whether Last-Modified is sent.
        date_offset: Seconds added to Date and Last-Modified: a clock that is wrong.
        fields: Lines on each answer, such as Server.
        read_fields: Lines on each 200 to a read, such as Cache-Control.
        problem: ``problem``, ``plain``, ``html``, ``vendor`` or ``empty``: the shape of refusals.
        put_status: Status of a successful update; 204 has no content.
        require: Whether a write of an existing document without a condition gets 428.
        require_status: The status used instead of 428.
        refuse_status: The status used instead of 412.
        ignore: Condition fields, lower case, that are never looked at.
        ignore_on: Methods for which ``ignore`` holds; none named means all.
        weak_compare: Whether If-Match compares weakly, as some dialects do.
        write_delay: Seconds between the check and the commit, outside any lock when ``racy``.
        racy: Whether check and commit are two steps.
        answer_delay: Seconds between commit and answer of a write.
        lower: Whether field names go out in lower case.
        read_only_ranges: Whether Range is honoured on reads.
        ignore_if_range: Whether a failed If-Range still gets 206.
    """

    tag: Callable[[Resource], str] | None = None
    weak: bool = False
    emit_etag: bool = True
    etag_on_write: bool = True
    emit_last_modified: bool = True
    date_offset: float = 0.0
    fields: Fields = ()
    read_fields: Fields = ()
    problem: str = "problem"
    put_status: int = 200
    require: bool = False
    require_status: int = 428
    refuse_status: int = 412
    ignore: frozenset[str] = frozenset()
    ignore_on: frozenset[str] = frozenset()
    weak_compare: bool = False
    write_delay: float = 0.0
    racy: bool = False
    answer_delay: float = 0.0
    lower: bool = False
    read_only_ranges: bool = False
    ignore_if_range: bool = False


def content_tag(resource: Resource) -> str:
    """Return a tag made of the content: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(resource.body).hexdigest()[:16]


def version_tag(resource: Resource) -> str:
    """Return a tag that counts writes, such as ``v7``."""
    return f"v{resource.version}"


def size_and_time_tag(resource: Resource) -> str:
    """Return a tag as file servers make it: modification time and size in hexadecimal."""
    return f"{int(resource.modified * 1_000_000):x}-{len(resource.body):x}"


@dataclass
class Origin:
    """A threading HTTP/1.1 server over a dictionary of documents.

    Args:
        habits: Look and faults.
        hook: Called first with the origin and the request; a reply ends the matter.
        after_commit: Called after each committed write with the request; a reply replaces the answer.
    """

    habits: Habits = field(default_factory=Habits)
    hook: Callable[[Origin, Message], Reply | None] | None = None
    after_commit: Callable[[Origin, Message], Reply | None] | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    port: int = 0

    def start(self) -> None:
        """Listen on a free port."""
        self.lock = threading.RLock()
        self._listener = listen()
        self.port = address_of(self._listener)
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def store(
        self, path: str, body: object, media_type: str = "application/json", age: float = 3600.0
    ) -> None:
        """Put a document in place whose last write was ``age`` seconds ago."""
        if isinstance(body, str):
            body = body.encode("utf-8")
        elif not isinstance(body, bytes):
            body = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
        self.resources[path] = Resource(body, media_type, modified=time.time() - age)

    def commit(self, path: str, body: bytes, media_type: str | None = None) -> Resource:
        """Write a document as the service itself would, without any check."""
        with self.lock:
            resource = self.resources.get(path)
            if resource is None:
                resource = Resource(body, media_type or "application/octet-stream", version=0)
                self.resources[path] = resource
            resource.previous.append((time.time(), resource.body, resource.version))
            resource.body = body
            resource.media_type = media_type or resource.media_type
            resource.version += 1
            resource.modified = time.time()
            return resource

    def etag(self, resource: Resource) -> str:
        """Return the entity tag of a document in field syntax."""
        made = (self.habits.tag or content_tag)(resource)
        return f'W/"{made}"' if self.habits.weak else f'"{made}"'

    def validators(self, resource: Resource) -> Fields:
        """Return the validator fields the habits allow."""
        lines: list[tuple[str, str]] = []
        if self.habits.emit_etag:
            lines.append(("ETag", self.etag(resource)))
        if self.habits.emit_last_modified:
            lines.append(("Last-Modified", format_http_date(resource.modified + self.habits.date_offset)))
        return tuple(lines)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = Stream(connection)
            while True:
                request = read_request(stream)
                reply = self.answer(request)
                if reply.abort:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                connection.sendall(self._frame(request, reply))
                if not keeps_open(request):
                    return

    def _frame(self, request: Message, reply: Reply) -> bytes:
        lines = [
            ("Date", format_http_date(time.time() + self.habits.date_offset)),
            *self.habits.fields,
            *reply.fields,
        ]
        if reply.status not in {204, 304}:
            lines.append(("Content-Length", str(len(reply.body))))
        if not keeps_open(request):
            lines.append(("Connection", "close"))
        named = tuple((name.lower() if self.habits.lower else name, value) for name, value in lines)
        body = b"" if request.method == "HEAD" or reply.status in {204, 304} else reply.body
        return write_message(f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Unknown')}", named, body)

    def answer(self, request: Message) -> Reply:
        """Answer one request."""
        if self.hook is not None and (reply := self.hook(self, request)) is not None:
            return reply
        path = request.target.split("?")[0]
        if request.method in {"GET", "HEAD"}:
            return self._read(request, self.resources.get(path))
        if request.method in {"PUT", "PATCH", "DELETE"}:
            return self._write(request, path)
        return self.refusal(405, "Method not allowed")

    def refusal(self, status: int, detail: str, fields: Fields = ()) -> Reply:
        """Return a refusal in the shape the habits ask for."""
        title = _REASONS.get(status, "Error")
        match self.habits.problem:
            case "plain":
                body, kind = f"{detail}\n".encode(), "text/plain; charset=utf-8"
            case "html":
                body = (
                    f"<html><head><title>{status} {title}</title></head><body><h1>{title}</h1></body></html>"
                ).encode()
                kind = "text/html"
            case "vendor":
                code = title.replace(" ", "")
                body = json.dumps({"error": {"code": code, "message": detail}}).encode()
                kind = "application/json; charset=utf-8"
            case "empty":
                return Reply(status, fields)
            case _:
                made = {"type": "about:blank", "title": title, "status": status, "detail": detail}
                body, kind = json.dumps(made).encode(), "application/problem+json"
        return Reply(status, (("Content-Type", kind), *fields), body)

    def _conditions(self, request: Message) -> Message:
        """Return the request without the condition fields this origin never looks at."""
        if self.habits.ignore_on and request.method not in self.habits.ignore_on:
            return request
        kept = tuple(line for line in request.fields if line[0].lower() not in self.habits.ignore)
        return Message(request.start_line, kept, request.body, request.raw)

    def _evaluate(self, request: Message, resource: Resource | None) -> Refusal | None:
        etag = self.etag(resource) if resource and self.habits.emit_etag else None
        modified = resource.modified + self.habits.date_offset if resource else None
        if not self.habits.emit_last_modified:
            modified = None
        return evaluate(
            self._conditions(request), etag, modified, resource is not None, weak=self.habits.weak_compare
        )

    def _read(self, request: Message, resource: Resource | None) -> Reply:
        if resource is None:
            return self.refusal(404, "No such document")
        with self.lock:
            refusal = self._evaluate(request, resource)
            lines, body = self.validators(resource), resource.body
        if refusal is not None and refusal.status == 304:
            return Reply(304, (*lines, *self.habits.read_fields))
        if refusal is not None:
            return self.refusal(refusal.status, refusal.detail)
        common = (("Content-Type", resource.media_type), *lines, *self.habits.read_fields)
        if self.habits.read_only_ranges and (part := self._range(request, lines, body)):
            first, last = part
            total = f"bytes {first}-{last}/{len(body)}"
            return Reply(
                206, (*common, ("Accept-Ranges", "bytes"), ("Content-Range", total)), body[first : last + 1]
            )
        return Reply(200, common, body)

    def _range(self, request: Message, lines: Fields, body: bytes) -> tuple[int, int] | None:
        wanted = request.get("Range")
        if wanted is None or not wanted.startswith("bytes=") or "," in wanted:
            return None
        guard = request.get("If-Range")
        if (
            guard is not None
            and not self.habits.ignore_if_range
            and guard not in {value for _, value in lines}
        ):
            return None
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        return int(first), min(int(last or len(body) - 1), len(body) - 1)

    def _check(self, request: Message, resource: Resource | None) -> Reply | None:
        named = ("if-match", "if-none-match", "if-unmodified-since")
        conditional = any(request.get(name) is not None for name in named)
        if resource is not None and self.habits.require and not conditional:
            return self.refusal(self.habits.require_status, "This request must be conditional: send If-Match")
        refusal = self._evaluate(request, resource)
        if refusal is not None:
            return self.refusal(
                self.habits.refuse_status if refusal.status == 412 else refusal.status, refusal.detail
            )
        if resource is None and request.method != "PUT":
            return self.refusal(404, "No such document")
        return None

    def _write(self, request: Message, path: str) -> Reply:
        if self.habits.racy:
            refused = self._check(request, self.resources.get(path))
            if refused is not None:
                return refused
            time.sleep(self.habits.write_delay)
            with self.lock:
                reply = self._apply(request, path)
        else:
            with self.lock:
                refused = self._check(request, self.resources.get(path))
                if refused is not None:
                    return refused
                time.sleep(self.habits.write_delay)
                reply = self._apply(request, path)
        if self.after_commit is not None and (instead := self.after_commit(self, request)) is not None:
            return instead
        time.sleep(self.habits.answer_delay)
        return reply

    def _apply(self, request: Message, path: str) -> Reply:
        resource = self.resources.get(path)
        if request.method == "DELETE":
            self.resources.pop(path, None)
            return Reply(204)
        body = request.body
        media_type = request.get("Content-Type")
        if request.method == "PATCH" and resource is not None:
            body, media_type = _merged(resource.body, request.body), resource.media_type
        created = resource is None
        resource = self.commit(path, body, media_type)
        lines = self.validators(resource) if self.habits.etag_on_write else ()
        if created:
            return Reply(201, (("Location", path), *lines))
        if self.habits.put_status == 204:
            return Reply(204, lines)
        return Reply(200, (("Content-Type", resource.media_type), *lines), resource.body)


def _merged(current: bytes, patch: bytes) -> bytes:
    """Apply a one-level JSON merge patch (RFC 7396)."""
    merged = json.loads(current)
    for name, value in json.loads(patch).items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = value
    return json.dumps(merged, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def modified_of(reply_value: str) -> float:
    """Return an HTTP date as seconds since 1970; raise ``ValueError`` when it is none."""
    moment = parse_http_date(reply_value)
    if moment is None:
        raise ValueError(f"{reply_value!r} is not an HTTP date")
    return moment


_REASONS = {
    200: "OK",
    201: "Created",
    204: "No Content",
    206: "Partial Content",
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    304: "Not Modified",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    412: "Precondition Failed",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
    423: "Locked",
    428: "Precondition Required",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}
