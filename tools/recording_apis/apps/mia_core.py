"""Documents with validators on a small desk: correct, unless its settings give it a habit."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from tools.recording.http_dates import format_http_date
from tools.recording.message import Message
from tools.recording.preconditions import Refusal, evaluate
from tools.recording_apis.apps import mia_shapes as shapes

Fields = list[tuple[str, str]]
Reply = tuple[int, Fields, bytes]
_GUARDS = ("if-match", "if-none-match", "if-unmodified-since")


@dataclass
class Doc:
    """One document.

    Attributes:
        media: Its media type.
        body: Its content.
        rev: Counts writes.
        modified: Time of the last one, seconds since 1970.
        before: What it was before each write, with the time of that write.
    """

    media: str
    body: bytes
    rev: int
    modified: float
    before: list[tuple[float, bytes, int, float]] = field(default_factory=list)


class Desk:
    """The documents and the habits of one server; ``told`` is the environment variable ``MIA``."""

    def __init__(self, told: dict[str, Any] | None = None) -> None:
        self.told: dict[str, Any] = json.loads(os.environ["MIA"]) if told is None else told
        self.lock = threading.RLock()
        self.docs: dict[str, Doc] = {}
        self.reads = 0
        self.late: set[str] = set()
        now = time.time()
        for path, (media, text, age) in self.told["docs"].items():
            self.docs[path] = Doc(media, text.encode(), 1 + int(age) % 7, now - age)

    def has(self, name: str, otherwise: Any = None) -> Any:
        """Return a setting."""
        return self.told.get(name, otherwise)

    def tag(self, path: str, doc: Doc, variant: str = "", form: str | None = None) -> str:
        """Return the entity tag of a document in field syntax."""
        salt = f"{self.has('salt', '')}{variant}"
        if scope := self.has("scope"):
            total = sum(one.rev for name, one in self.docs.items() if name.startswith(scope))
            return f'"{self.has("scope_name", "set")}-{total}"'
        if self.has("unstable"):
            self.reads += 1
            salt += str(self.reads)
        made = _opaque(form or self.has("tag", "sha"), path, doc, salt)
        return f'W/"{made}"' if self.has("weak") else f'"{made}"'

    def answer(self, method: str, target: str, fields: dict[str, str], body: bytes) -> Reply:
        """Answer one request; names of ``fields`` are in lower case."""
        status, lines, content = self._answer(method, target, fields, body)
        for name, value in self.has("always", {}).items():
            lines.append((name, str(uuid.uuid4()) if value == "$id" else value))
        if "origin" in fields:
            lines += list(self.has("cors", {}).items())
        return status, lines, content

    def _answer(self, method: str, target: str, fields: dict[str, str], body: bytes) -> Reply:
        path, _, query = target.partition("?")
        if path == "/-/ready" or method == "OPTIONS":
            return 204, [], b""
        if self.has("auth") and fields.get("authorization", "") != self.has("auth"):
            return self.refuse(401, "Sign in first", [("WWW-Authenticate", 'Bearer realm="desk"')])
        if (rule := shapes.forbidden(self.told, method, path, fields, body)) is not None:
            return rule
        if method in {"GET", "HEAD"}:
            return self._read(method, path, query, fields)
        if method == "POST":
            return self._post(path, fields, body)
        if method in {"PUT", "PATCH", "DELETE"}:
            return self._write(method, path, query, fields, body)
        return self.refuse(405, "Not here")

    def refuse(self, status: int, detail: str, lines: Fields | None = None) -> Reply:
        """Return a refusal in the shape of this desk."""
        media, content = shapes.refusal(self.has("shape", "problem"), status, detail)
        return status, [*([("Content-Type", media)] if content else []), *(lines or [])], content

    def seen(self, doc: Doc, fields: dict[str, str]) -> Doc:
        """Return a document as a reader sees it: of a copy that lags, an earlier state."""
        lag = self.has("lag", 0.0)
        if lag and fields.get("cache-control") != "no-cache":
            for when, body, rev, modified in doc.before:
                if when > time.time() - lag:
                    return Doc(doc.media, body, rev, modified)
        return doc

    def validators(self, path: str, doc: Doc, variant: str = "", form: str | None = None) -> Fields:
        """Return the validator fields."""
        lines: Fields = []
        if self.has("etag", True):
            lines.append(("ETag", self.tag(path, doc, variant, form)))
        if self.has("dated", True):
            lines.append(("Last-Modified", format_http_date(doc.modified)))
        return lines

    def _failed(self, method: str, fields: dict[str, str], tag: str, doc: Doc | None) -> Refusal | None:
        ignored = set(self.has("ignore", ()))
        if method in self.has("ignore_for", ()):
            ignored |= set(_GUARDS)
        kept = tuple((name, value) for name, value in fields.items() if name not in ignored)
        if doc is not None and (bug := shapes.wrong(self.told, method, dict(kept))) is not None:
            return bug
        modified = doc.modified if doc and self.has("dated", True) else None
        if modified is not None and self.has("fraction") and modified % 1:
            modified += 1
        etag = tag if doc is not None and self.has("etag", True) else None
        request = Message(f"{method} / HTTP/1.1", kept, b"", b"")
        weak = bool(self.has("weakly"))
        return evaluate(request, etag, modified, doc is not None, weak=weak)

    def _read(self, method: str, path: str, query: str, fields: dict[str, str]) -> Reply:
        if path == "/changes":
            return self._changes(dict(parse_qsl(query)))
        if path.endswith("/") and path not in self.docs:
            return self._list(path)
        with self.lock:
            doc = self.docs.get(path)
            if doc is None:
                return self.refuse(404, f"Nothing at {path}")
            doc = self.seen(doc, fields)
            media, content, variant = shapes.represent(self.told, doc.media, doc.body, query, fields)
            form = self.has("head_tag") if method == "HEAD" else None
            lines = self.validators(path, doc, variant, form)
            failed = self._failed(method, fields, dict(lines).get("ETag", ""), doc)
        lines += list(self.has("on_read", {}).items())
        if failed is not None and failed.status == 304:
            return 304, lines, b""
        if failed is not None:
            return self.refuse(failed.status, failed.detail, lines if self.has("told_tag") else [])
        whole = [("Content-Type", media), *lines]
        if self.has("ranges") and (part := shapes.part(self.told, fields, lines, content)) is not None:
            first, last = part
            span = ("Content-Range", f"bytes {first}-{last}/{len(content)}")
            return 206, [*whole, span], content[first : last + 1]
        return 200, whole, content

    def _changes(self, asked: dict[str, str]) -> Reply:
        keeps, now = float(self.has("keeps", 3600)), time.time()
        issued = asked.get("cursor", "").partition("-")[2]
        if issued and now - int(issued, 16) / 1000 > keeps:
            return self.refuse(410, f"The cursor has expired: cursors are kept for {keeps:g} seconds")
        fresh = f"c-{int(now * 1000):x}"
        moved = [{"href": path, "rev": doc.rev} for path, doc in sorted(self.docs.items())]
        if issued:
            moved = []
        return 200, [("Content-Type", "application/json")], _dumped({"cursor": fresh, "changes": moved})

    def _list(self, path: str) -> Reply:
        items: list[dict[str, Any]] = []
        for name, doc in sorted(self.docs.items()):
            if name.startswith(path):
                item: dict[str, Any] = {"href": name, "bytes": len(doc.body)}
                if form := self.has("list_tag"):
                    item["etag"] = _opaque(form, name, doc, "")
                items.append(item)
        return 200, [("Content-Type", "application/json")], _dumped({"items": items})

    def _post(self, path: str, fields: dict[str, str], body: bytes) -> Reply:
        if path in self.has("actions", {}):
            for one in self.has("actions")[path]:
                self.commit(one, shapes.stamped(self.docs[one].body, path.rpartition("/")[2]))
            return 202, [("Content-Type", "application/json")], _dumped({"accepted": path})
        made = f"{path.rstrip('/')}/{len(self.docs) + 41}"
        doc = self.commit(made, body, fields.get("content-type"))
        kind = ("Content-Type", doc.media)
        return 201, [("Location", made), kind, *self.validators(made, doc)], doc.body

    def commit(self, path: str, body: bytes, media: str | None = None) -> Doc:
        """Store a document without any check."""
        with self.lock:
            now = time.time()
            doc = self.docs.get(path)
            if doc is None:
                doc = self.docs[path] = Doc(media or "application/octet-stream", b"", 0, now)
            else:
                doc.before.append((now, doc.body, doc.rev, doc.modified))
            doc.body, doc.rev, doc.modified = body, doc.rev + 1, now
            return doc

    def _check(self, method: str, path: str, query: str, fields: dict[str, str]) -> Reply | None:
        doc, tag = self.docs.get(path), ""
        if doc is not None:
            _, _, variant = shapes.represent(self.told, doc.media, doc.body, query, fields)
            tag = self.tag(path, doc, variant)
        guarded = any(name in fields for name in _GUARDS)
        if (needed := self.has("needs")) and doc is not None and not guarded:
            return self.refuse(needed, "Say which version you have seen: send If-Match with its entity tag")
        failed = self._failed(method, fields, tag, doc)
        if failed is not None:
            if self.has("post_commit"):
                return None
            lines = self.validators(path, doc) if doc and self.has("told_tag") else []
            return self.refuse(self.has("refuse", 412), self.has("says", failed.detail), lines)
        return self.refuse(404, f"Nothing at {path}") if doc is None and method != "PUT" else None

    def _write(self, method: str, path: str, query: str, fields: dict[str, str], body: bytes) -> Reply:
        if self.has("by_query") and query:
            return self._by_query(path, dict(parse_qsl(query)), fields, body)
        first = path not in self.late
        self.late.add(path)
        before, after = (self.has(name, 0.0) if first else 0.0 for name in ("before", "after"))
        if self.has("racy"):
            if (refused := self._check(method, path, query, fields)) is not None:
                return refused
            time.sleep(self.has("racy"))
            reply = self._apply(method, path, fields, body)
        else:
            with self.lock:
                if (refused := self._check(method, path, query, fields)) is not None:
                    return refused
                time.sleep(before)
                reply = self._apply(method, path, fields, body)
        self._follow(path)
        time.sleep(after)
        if self.has("post_commit") and reply[0] < 300 and "if-match" in fields:
            return self.refuse(412, "If-Match does not match the entity tag of the page")
        return reply

    def _apply(self, method: str, path: str, fields: dict[str, str], body: bytes) -> Reply:
        doc = self.docs.get(path)
        if method == "DELETE":
            self.docs.pop(path, None)
            return 204, [], b""
        media = fields.get("content-type")
        if method == "PATCH" and doc is not None:
            if media == "application/json-patch+json":
                body, trouble = shapes.patched(doc.body, body)
                if trouble:
                    return self.refuse(self.has("patch_status", 412), trouble)
            else:
                body = shapes.merged(doc.body, body)
            media = doc.media
        if self.has("languages") and doc is not None:
            body = shapes.translated(doc.body, body, fields)
        doc, new = self.commit(path, body, media), doc is None
        lines = self.validators(path, doc, "", self.has("put_tag")) if self.has("tag_on_write", True) else []
        if new:
            return 201, [("Location", path), *lines], b""
        if self.has("put", 200) == 204:
            return 204, lines, b""
        return 200, [("Content-Type", doc.media), *lines], doc.body

    def _follow(self, path: str) -> None:
        for other in self.has("linked", {}).get(path, ()):
            self.commit(other, shapes.stamped(self.docs[other].body, path.rpartition("/")[2]))
        touch = self.has("touch")
        if touch and path in touch["paths"]:
            threading.Timer(touch["seconds"], self._touch, (path, touch["set"])).start()

    def _touch(self, path: str, more: dict[str, Any]) -> None:
        self.commit(path, shapes.merged(self.docs[path].body, _dumped(more)))

    def _by_query(self, path: str, asked: dict[str, str], fields: dict[str, str], body: bytes) -> Reply:
        found = [
            name
            for name, doc in sorted(self.docs.items())
            if name.startswith(path) and all(str(json.loads(doc.body).get(k)) == v for k, v in asked.items())
        ]
        if len(found) > 1:
            said = f"The criteria select {len(found)} resources where one at most is allowed"
            return self.refuse(412, said)
        target = found[0] if found else f"{path}/{len(self.docs) + 71}"
        return self._apply("PUT", target, fields, body)


def _opaque(form: str, path: str, doc: Doc, salt: str) -> str:
    digest = hashlib.sha256(doc.body + salt.encode()).digest()
    suffix = f"-{salt}" if salt else ""
    match form:
        case "rev":
            return f"{doc.rev}{suffix}"
        case "word":
            return f"{path.rpartition('/')[2]}:r{doc.rev}{suffix}"
        case "stamp":
            return f"{int(doc.modified * 1_000_000):x}{suffix}"
        case "size":
            return f"{int(doc.modified):x}-{len(doc.body):x}{suffix}"
        case "md5":
            return hashlib.md5(doc.body + salt.encode(), usedforsecurity=False).hexdigest()
        case "uuid":
            return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{path}{doc.rev}{doc.modified}{salt}"))
        case "b64":
            return base64.b64encode(digest[:12]).decode()
        case _:
            return digest.hex()[:20]


def _dumped(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
