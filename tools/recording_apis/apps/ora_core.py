"""Documents of small businesses with validators, correct unless ``ORA`` gives the house a habit.

``ORA`` is a JSON object: ``docs`` (media type, text, age in seconds by path), ``tag`` (a shape) and habits:
``need`` insists on a condition, ``ignore`` methods whose conditions nobody reads, ``weak``, ``salt``,
``unstable``, ``vary`` a field whose value the tag depends on, ``lag`` seconds that reads are behind, ``gap``
seconds between check and commit, ``hold`` seconds of each write, ``slow`` seconds until the first write is
answered, ``late`` checks after the commit, ``job`` seconds until the service edits what was written,
``linked`` other documents that a write touches, ``scope`` one tag for all below a prefix, ``head`` and
``answer`` shapes of HEAD's and of a write's tag, ``star`` knows no wildcard, ``stale`` the status of a
conflict, ``dates`` no tags, ``fraction`` compares dates to the microsecond, ``waf`` a text that a firewall
dislikes, ``rule`` a field that must not be lowered, ``refuse`` does not implement conditions, ``cors`` an
origin, ``expose`` shows it the tag, ``hint`` Cache-Control of reads, ``form`` how errors look, ``mangle``
gives 412 for a matching If-None-Match, ``search`` finds documents by a query.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
import time
import uuid
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

Fields = list[tuple[str, str]]
Reply = tuple[int, Fields, bytes]
_SAFE = {"GET", "HEAD"}


@dataclass
class Doc:
    """One document and what it was."""

    media: str
    body: bytes
    rev: int
    changed: float
    gone: bool = False
    past: list[tuple[float, bytes, int, float, bool]] = field(default_factory=list)


class House:
    """All documents of a business and its habits."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = json.loads(os.environ["ORA"])
        self.lock = threading.RLock()
        self.docs: dict[str, Doc] = {}
        self.slowed = False
        now = time.time()
        for number, (path, (media, text, age)) in enumerate(self.told["docs"].items()):
            self.docs[path] = Doc(media, text.encode(), 2 + number % 6, now - age)

    def has(self, name: str, otherwise: Any = None) -> Any:
        """Return a habit."""
        return self.told.get(name, otherwise)

    def shown(self, path: str) -> Doc | None:
        """Return what a read sees."""
        doc, lag = self.docs.get(path), self.has("lag", 0)
        if doc is None or not lag:
            return None if doc is None or doc.gone else doc
        body, rev, changed, gone = doc.body, doc.rev, doc.changed, doc.gone
        for before in reversed(doc.past):
            if before[0] <= time.time() - lag:
                break
            _, body, rev, changed, gone = before
        return None if gone else Doc(doc.media, body, rev, changed)

    def tag(self, path: str, doc: Doc, asked: dict[str, str], shape: str = "") -> str:
        """Return the entity-tag of a document, empty when the house has none."""
        if self.has("dates"):
            return ""
        salt = str(self.has("salt", ""))
        salt += asked.get(str(self.has("vary", "-")).lower(), "")
        if self.has("unstable"):
            salt += str(time.time_ns())
        scope = self.has("scope")
        if scope and path.startswith(scope):
            inner = [one for key, one in self.docs.items() if key.startswith(scope)]
            salt, doc = (
                salt + scope,
                Doc("", b"", sum(one.rev for one in inner), max(x.changed for x in inner)),
            )
        made = f'"{_shaped(shape or self.has("tag", "md5"), path, doc, salt)}"'
        return f"W/{made}" if self.has("weak") else made

    def judge(self, method: str, path: str, doc: Doc | None, asked: dict[str, str]) -> tuple[int, str]:
        """Return the status of the conditions, 0 for none, and why (RFC 9110 section 13.2.2)."""
        if method in self.has("ignore", ()):
            return 0, ""
        tag = self.tag(path, doc, asked) if doc else ""
        match, since, none = (asked.get(f"if-{one}") for one in ("match", "unmodified-since", "none-match"))
        if match is not None:
            if doc is None or not self._matches(match, tag):
                return self.has("stale", 412), "If-Match" if doc else "nothing"
        elif since is not None and doc and not self._untouched(since, doc):
            return 412, "If-Unmodified-Since"
        if none is not None:
            if doc and (none.strip() == "*" or tag.removeprefix("W/") in none):
                return (412 if self.has("mangle") or method not in _SAFE else 304), "If-None-Match"
        elif method in _SAFE and doc and self._same(asked.get("if-modified-since", ""), doc):
            return 304, ""
        if (
            self.has("need")
            and method not in _SAFE
            and doc
            and match is None
            and since is None
            and none is None
        ):
            return 428, "required"
        return 0, ""

    def _matches(self, sent: str, tag: str) -> bool:
        if sent.strip() == "*":
            return not self.has("star")
        return not tag.startswith("W/") and tag in [one.strip() for one in sent.split(",")]

    def _untouched(self, sent: str, doc: Doc) -> bool:
        if not sent.endswith(" GMT") or sent[3:5] != ", ":
            return True
        changed = doc.changed if self.has("fraction") else int(doc.changed)
        return changed <= parsedate_to_datetime(sent).timestamp()

    def _same(self, held: str, doc: Doc) -> bool:
        return held.endswith(" GMT") and int(doc.changed) <= parsedate_to_datetime(held).timestamp()

    def commit(self, path: str, media: str, body: bytes | None) -> Doc:
        """Store a state; no content deletes."""
        doc, now = self.docs.get(path), time.time()
        if doc is None:
            doc = self.docs[path] = Doc(media, body or b"", 1, now)
            return doc
        doc.past.append((now, doc.body, doc.rev, doc.changed, doc.gone))
        doc.body, doc.gone = doc.body if body is None else body, body is None
        doc.rev, doc.changed, doc.media = doc.rev + 1, now, media or doc.media
        return doc

    def _tend(self, path: str) -> None:
        doc = self.docs[path]
        held = json.loads(doc.body)
        held["checked"] = {"by": "system:rules", "at": formatdate(time.time(), usegmt=True)}
        self.commit(path, doc.media, json.dumps(held).encode())

    def answer(self, method: str, target: str, asked: dict[str, str], body: bytes) -> Reply:
        """Return status, fields and content for a request; ``asked`` has names in lower case."""
        path, _, query = target.partition("?")
        status, fields, content = self._answer(method, self._found(path, query), asked, body)
        if origin := self.has("cors"):
            fields += [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
            if self.has("expose"):
                fields.append(("Access-Control-Expose-Headers", "ETag"))
        return status, fields, b"" if method == "HEAD" else content

    def _found(self, path: str, query: str) -> str:
        """Return the path that a search finds, or ``?`` and the number of hits when there are several."""
        if not self.has("search") or "=" not in query:
            return path
        name, _, value = query.partition("=")
        below = {key: json.loads(one.body) for key, one in self.docs.items() if key.startswith(f"{path}/")}
        hits = [key for key, one in below.items() if str(one.get(name)) == value]
        return f"?{len(hits)}" if len(hits) > 1 else hits[0] if hits else path

    def _answer(self, method: str, path: str, asked: dict[str, str], body: bytes) -> Reply:
        if method == "OPTIONS":
            allowed = [("Access-Control-Allow-Methods", "GET, PUT, PATCH, DELETE")]
            return (
                204,
                [*allowed, ("Access-Control-Allow-Headers", "If-Match, Content-Type, Authorization")],
                b"",
            )
        if path == "/-/ready":
            return 200, [("Content-Type", "text/plain")], b"ok"
        if self.has("refuse") and any(name.startswith("if-") for name in asked) and method not in _SAFE:
            return self._no(501, "conditional requests are not implemented by this store")
        if self.has("waf") and self.has("waf").encode() in body:
            page = f"<html><title>Request blocked</title><h1>Request blocked</h1><p>Incident {uuid.uuid4()}"
            return 412, [("Content-Type", "text/html"), ("X-WAF-Rule", "941110")], page.encode()
        if path.startswith("?"):
            if method in _SAFE:
                return (
                    200,
                    [("Content-Type", "application/json")],
                    json.dumps({"total": int(path[1:])}).encode(),
                )
            return self._no(
                412, f"The search matches {path[1:]} documents; a conditional update needs at most one."
            )
        return self._read(method, path, asked) if method in _SAFE else self._write(method, path, asked, body)

    def _read(self, method: str, path: str, asked: dict[str, str]) -> Reply:
        doc = self.shown(path)
        if doc is None:
            below = [key for key in sorted(self.docs) if key.startswith(path.rstrip("/") + "/")]
            rows = [
                {"href": key, "size": len(self.docs[key].body)} for key in below if not self.docs[key].gone
            ]
            if not rows:
                return self._no(404, f"{path} does not exist")
            return 200, [("Content-Type", "application/json")], json.dumps({"items": rows}).encode()
        status, why = self.judge(method, path, doc, asked)
        if status and status != 304:
            return self._no(status, why)
        fields = self._named(path, doc, asked, self.has("head", "") if method == "HEAD" else "")
        fields.append(("Cache-Control", self.has("hint", "private, no-cache")))
        if self.has("vary"):
            fields.append(("Vary", self.has("vary")))
        return (304, fields, b"") if status else (200, [*fields, ("Content-Type", doc.media)], doc.body)

    def _named(self, path: str, doc: Doc, asked: dict[str, str], shape: str = "") -> Fields:
        tag = self.tag(path, doc, asked, shape)
        node = [("X-Node", self.has("node"))] if self.has("node") else []
        return [
            *node,
            *([("ETag", tag)] if tag else []),
            ("Last-Modified", formatdate(doc.changed, usegmt=True)),
        ]

    def _write(self, method: str, path: str, asked: dict[str, str], body: bytes) -> Reply:
        if self.has("gap"):
            return self._store(method, path, asked, body)
        with self.lock:
            time.sleep(self.has("hold", 0))
            made = self._store(method, path, asked, body)
        if self.has("slow") and not self.slowed and made[0] < 300:
            self.slowed = True
            time.sleep(self.has("slow"))
        return made

    def _store(self, method: str, path: str, asked: dict[str, str], body: bytes) -> Reply:
        held = self.docs.get(path)
        doc = None if held is None or held.gone else held
        status, why = self.judge(method, path, doc, asked)
        if status:
            return self._no(status, why)
        if doc is None and method != "PUT":
            return self._no(404, f"{path} does not exist")
        if doc and self.has("rule") and method == "PUT":
            name = self.has("rule")
            if json.loads(body).get(name, 0) < json.loads(doc.body).get(name, 0):
                return self._no(412, f"{name} must not be lowered while the order is confirmed")
        time.sleep(self.has("gap", 0))
        if method == "DELETE":
            self.commit(path, "", None)
            return 204, [], b""
        if method == "PATCH" and doc and "json-patch" in asked.get("content-type", ""):
            new = _patched(json.loads(doc.body), json.loads(body))
            if isinstance(new, str):
                return self._no(412, new)
            body = json.dumps(new, ensure_ascii=False).encode()
        elif method == "PATCH" and doc:
            body = json.dumps({**json.loads(doc.body), **json.loads(body)}, ensure_ascii=False).encode()
        made = self.commit(path, asked.get("content-type", "") if doc is None else "", body)
        return self._after(path, made, asked, created=doc is None)

    def _after(self, path: str, doc: Doc, asked: dict[str, str], *, created: bool) -> Reply:
        for one in self.has("linked", {}).get(path, ()):
            held = json.loads(self.docs[one].body)
            held["total"] = round(held.get("total", 0) * 1.3, 2)
            held["recalculated"] = {"by": "system:pricing", "because": path}
            self.commit(one, "", json.dumps(held).encode())
        if self.has("job"):
            threading.Timer(self.has("job"), self._tend, (path,)).start()
        if self.has("late"):
            status, why = self.judge("PUT", path, doc, asked)
            if status:
                return self._no(status, why)
        fields = self._named(path, doc, asked, self.has("answer", ""))
        if created:
            return 201, [*fields, ("Location", path)], b""
        if self.has("quiet"):
            return 204, fields, b""
        return 200, [*fields, ("Content-Type", doc.media)], doc.body

    def _no(self, status: int, why: str) -> Reply:
        told = _REASONS.get(why, why)
        match self.has("form", "problem"):
            case "text":
                return status, [("Content-Type", "text/plain; charset=utf-8")], f"{status} {told}\n".encode()
            case "xml":
                text = f'<?xml version="1.0"?><error><code>{status}</code><message>{told}</message></error>'
                return status, [("Content-Type", "application/xml")], text.encode()
            case "code":
                text = json.dumps({"error": {"code": _CODES.get(why, "bad_request"), "message": told}})
                return status, [("Content-Type", "application/json")], text.encode()
        text = json.dumps({"type": "about:blank", "status": status, "detail": told})
        return status, [("Content-Type", "application/problem+json")], text.encode()


_REASONS = {
    "If-Match": "The document has another version than the one in If-Match.",
    "If-Unmodified-Since": "The document was modified after the date in If-Unmodified-Since.",
    "If-None-Match": "If-None-Match does not hold: there is such a document.",
    "nothing": "If-Match was sent, but there is no such document.",
    "required": "This request must be conditional: send If-Match.",
}
_CODES = {"If-Match": "version_conflict", "required": "condition_required"}


def _patched(held: dict[str, Any], steps: list[dict[str, Any]]) -> dict[str, Any] | str:
    for number, step in enumerate(steps):
        name = step["path"].strip("/")
        if step["op"] == "test" and held.get(name) != step["value"]:
            return f"operation {number}: test failed, /{name} is {json.dumps(held.get(name))}"
        if step["op"] in {"add", "replace"}:
            held[name] = step["value"]
    return held


def _short(text: str, size: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:size] if text else ""


def _shaped(shape: str, path: str, doc: Doc, salt: str) -> str:
    octets = doc.body + salt.encode() + (b"" if doc.body else str(doc.rev).encode())
    match shape:
        case "rev":
            return f"{doc.rev}{_short(salt, 4)}"
        case "apache":
            return f"{len(doc.body):x}-{int(doc.changed * 1e6):x}{_short(salt, 2)}"
        case "uuid":
            return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{path}#{doc.rev}{salt}"))
        case "b64":
            return base64.b64encode(hashlib.sha1(octets, usedforsecurity=False).digest()).decode()
        case "short":
            return f"v{doc.rev}-{hashlib.sha256(octets).hexdigest()[:8]}"
    return hashlib.md5(octets, usedforsecurity=False).hexdigest()
