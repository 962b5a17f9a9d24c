"""Small document services with habits: what a story asks for, apart from the framework that serves it."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
import uuid
import zlib
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

Fields = list[tuple[str, str]]
Reply = tuple[int, Fields, bytes]
_SAFE = {"GET", "HEAD"}


@dataclass
class Sheet:
    """A stored document with its earlier states."""

    media: str
    body: bytes
    number: int
    when: float
    alive: bool = True
    before: list[tuple[float, bytes, int, float]] = field(default_factory=list)


class Bench:
    """Documents below paths, and the habits of the service that keeps them."""

    def __init__(self) -> None:
        told: dict[str, Any] = json.loads(os.environ["SIA"])
        self.habits: dict[str, Any] = told.get("habits", {})
        self.guard = threading.RLock()
        self.sheets: dict[str, Sheet] = {}
        self.dawdled = False
        for number, (path, one) in enumerate(told["docs"].items()):
            media, text, age = one
            self.sheets[path] = Sheet(media, text.encode(), 3 + number * 7 % 11, time.time() - age)

    def habit(self, name: str, otherwise: Any = None) -> Any:
        """Return a habit."""
        return self.habits.get(name, otherwise)

    def live(self, path: str) -> Sheet | None:
        """Return the document that writes are checked against."""
        sheet = self.sheets.get(path)
        return sheet if sheet and sheet.alive else None

    def seen(self, path: str) -> Sheet | None:
        """Return the document as reads see it, which may be some time behind."""
        sheet, behind = self.live(path), self.habit("behind", 0)
        if sheet is None or not behind:
            return sheet
        body, number, when = sheet.body, sheet.number, sheet.when
        for ended, *old in reversed(sheet.before):
            if ended <= time.time() - behind:
                break
            body, number, when = old  # type: ignore[assignment]
        return Sheet(sheet.media, body, number, when)

    def tag(self, path: str, sheet: Sheet, asked: dict[str, str], look: str = "") -> str:
        """Return the entity-tag, empty when the service has none."""
        look = look or self.habit("tag", "sha")
        if look == "none":
            return ""
        salt = str(self.habit("salt", "")) + asked.get(self.habit("vary", "-").lower(), "")
        if self.habit("drift"):
            salt += str(time.time_ns())
        area = self.habit("area")
        if area and path.startswith(area):
            mates = [one for key, one in self.sheets.items() if key.startswith(area)]
            sheet = Sheet("", b"", sum(one.number for one in mates), max(one.when for one in mates))
            path = area
        made = f'"{_looks(look, path, sheet, salt)}"'
        return f"W/{made}" if self.habit("weak") else made

    def check(self, method: str, path: str, sheet: Sheet | None, asked: dict[str, str]) -> int:
        """Return the status that the conditions demand, 0 for none (RFC 9110 section 13.2.2)."""
        match, since = asked.get("if-match"), asked.get("if-unmodified-since")
        none, newer = asked.get("if-none-match"), asked.get("if-modified-since")
        if method in self.habit("deaf", ()):
            return 0
        tag = self.tag(path, sheet, asked) if sheet else ""
        refused: int = self.habit("refused", 412)
        if match is not None:
            held = [one.strip() for one in match.split(",")]
            if sheet is None or not (match.strip() == "*" or (tag in held and not tag.startswith("W/"))):
                return refused
        elif since is not None and sheet and self._younger(sheet, since):
            return refused
        if none is not None:
            bare = [one.strip().removeprefix("W/") for one in none.split(",")]
            if sheet and (none.strip() == "*" or tag.removeprefix("W/") in bare):
                return 304 if method in _SAFE and not self.habit("odd") else 412
        elif newer is not None and method in _SAFE and sheet and not self._younger(sheet, newer):
            return 304
        if self.habit("needs") and method not in _SAFE and sheet and not (match or since or none):
            return int(self.habit("needs"))
        return 0

    def _younger(self, sheet: Sheet, date: str) -> bool:
        if not date.endswith(" GMT") or date[3:5] != ", ":
            return False
        when = sheet.when if self.habit("fraction") else int(sheet.when)
        return when > parsedate_to_datetime(date).timestamp()

    def keep(self, path: str, media: str, body: bytes | None) -> Sheet:
        """Store a state; no content takes the document away."""
        sheet, now = self.sheets.get(path), time.time()
        if sheet is None:
            self.sheets[path] = sheet = Sheet(media, body or b"", 1, now)
            return sheet
        sheet.before.append((now, sheet.body, sheet.number, sheet.when))
        sheet.alive, sheet.number, sheet.when = body is not None, sheet.number + 1, now
        sheet.body = sheet.body if body is None else body
        return sheet

    def answer(self, method: str, target: str, asked: dict[str, str], body: bytes) -> Reply:
        """Answer a request; names of fields are in lower case."""
        path, _, query = target.partition("?")
        status, fields, content = self._routed(method, path, query, asked, body)
        if self.habit("cors"):
            fields += [("Access-Control-Allow-Origin", self.habit("cors")), ("Vary", "Origin")]
        if self.habit("node"):
            fields.append(("X-Served-By", self.habit("node")))
        return status, fields, content

    def _routed(self, method: str, path: str, query: str, asked: dict[str, str], body: bytes) -> Reply:
        if path == "/healthz":
            return 200, [("Content-Type", "text/plain")], b"ok\n"
        if method == "OPTIONS":
            allowed = "authorization, content-type, if-match"
            methods = "GET, PUT, DELETE, PATCH"
            return (
                204,
                [("Access-Control-Allow-Headers", allowed), ("Access-Control-Allow-Methods", methods)],
                b"",
            )
        if query and self.habit("criteria") and method == "PUT":
            return self._by_criteria(path, query, asked, body)
        if method in _SAFE:
            return self._read(method, path, query, asked)
        if self.habit("unable") and {"if-match", "if-none-match", "if-unmodified-since"} & set(asked):
            return self._told(501, "A header you provided implies functionality that is not implemented.")
        if self.habit("gap"):
            return self._write(method, path, asked, body)
        with self.guard:
            time.sleep(self.habit("hold", 0))
            made = self._write(method, path, asked, body)
        if (
            self.habit("dawdle")
            and made[0] < 300
            and not self.dawdled
            and path.startswith(self.habit("on", "/"))
        ):
            self.dawdled = True
            time.sleep(self.habit("dawdle"))
        return made

    def _by_criteria(self, path: str, query: str, asked: dict[str, str], body: bytes) -> Reply:
        name, _, value = query.partition("=")
        inside = [key for key in self.sheets if key.startswith(f"{path}/") and self.live(key)]
        hits = [key for key in inside if json.loads(self.sheets[key].body).get(name) == value]
        if len(hits) > 1:
            issue = {"severity": "error", "code": "multiple-matches"}
            issue["diagnostics"] = f"{len(hits)} resources match {query}; at most one is allowed"
            told = {"resourceType": "OperationOutcome", "issue": [issue]}
            return 412, [("Content-Type", "application/fhir+json")], json.dumps(told).encode()
        return self._write("PUT", hits[0] if hits else f"{path}/{uuid.uuid4()}", asked, body)

    def _read(self, method: str, path: str, query: str, asked: dict[str, str]) -> Reply:
        sheet = self.seen(path)
        if sheet is None:
            return self._listed(path, query, asked)
        status = self.check(method, path, sheet, asked)
        if status not in {0, 304}:
            return self._told(status, "cond")
        fields = self._marks(path, sheet, asked, self.habit("head", "") if method == "HEAD" else "")
        fields.append(("Cache-Control", self.habit("store", "no-cache")))
        if self.habit("vary"):
            fields.append(("Vary", self.habit("vary")))
        if status:
            return 304, fields, b""
        spoken = asked.get(self.habit("vary", "-").lower(), "")
        body = _spoken(sheet.body, spoken) if spoken else sheet.body
        return 200, [*fields, ("Content-Type", sheet.media)], body

    def _listed(self, path: str, query: str, asked: dict[str, str]) -> Reply:
        inside = [
            key for key in sorted(self.sheets) if key.startswith(f"{path.rstrip('/')}/") and self.live(key)
        ]
        name, _, value = query.partition("=")
        rows: list[dict[str, Any]] = []
        for key in inside:
            sheet = self.sheets[key]
            row: dict[str, Any] = {"href": key, "bytes": len(sheet.body)}
            if self.habit("rows"):
                row["etag"] = self.tag(key, sheet, asked, self.habit("rows"))
            if not query or not name or json.loads(sheet.body).get(name) == value or name in {"page", "sort"}:
                rows.append(row)
        if not inside:
            return self._told(404, f"{path}: not found")
        return (
            200,
            [("Content-Type", "application/json")],
            json.dumps({"count": len(rows), "items": rows}).encode(),
        )

    def _marks(self, path: str, sheet: Sheet, asked: dict[str, str], look: str = "") -> Fields:
        tag = self.tag(path, sheet, asked, look)
        dates = [] if self.habit("dateless") else [("Last-Modified", formatdate(sheet.when, usegmt=True))]
        return [*([("ETag", tag)] if tag else []), *dates]

    def _write(self, method: str, path: str, asked: dict[str, str], body: bytes) -> Reply:
        sheet = self.live(path)
        if self.habit("late"):
            return self._late(path, asked, body)
        if status := self.check(method, path, sheet, asked):
            return self._told(status, "required" if status == self.habit("needs") else "cond")
        if sheet is None and method != "PUT":
            return self._told(404, f"{path}: not found")
        if sheet and self.habit("rule") and (why := _broken(self.habit("rule"), sheet.body, body)):
            return self._told(412, why)
        time.sleep(self.habit("gap", 0))
        if method == "DELETE":
            self.keep(path, "", None)
            return 204, [], b""
        if method == "PATCH" and sheet:
            body = json.dumps({**json.loads(sheet.body), **json.loads(body)}, ensure_ascii=False).encode()
        made = self.keep(path, asked.get("content-type", "application/json"), body)
        self._follow(path)
        fields = self._marks(path, made, asked, self.habit("wtag", ""))
        if sheet is None:
            return 201, [*fields, ("Location", path)], b""
        if self.habit("mute"):
            return 204, [], b""
        return 200, [*fields, ("Content-Type", made.media)], made.body

    def _late(self, path: str, asked: dict[str, str], body: bytes) -> Reply:
        made = self.keep(path, asked.get("content-type", ""), body)
        if status := self.check("PUT", path, made, asked):
            return self._told(status, "cond")
        return 200, [*self._marks(path, made, asked), ("Content-Type", made.media)], made.body

    def _follow(self, path: str) -> None:
        for one in self.habit("linked", {}).get(path, ()):
            held = json.loads(self.sheets[one].body)
            held["revision"] = held.get("revision", 0) + 1
            held["modifiedBy"] = "service:rollup"
            self.keep(one, "", json.dumps(held, ensure_ascii=False).encode())
        for seconds in self.habit("job", ()):
            threading.Timer(seconds, self._tend, (path,)).start()

    def _tend(self, path: str) -> None:
        with self.guard:
            held = json.loads(self.sheets[path].body)
            held["index"] = {
                "state": "done",
                "modifiedBy": "svc-indexer",
                "run": held.get("index", {}).get("run", 0) + 1,
            }
            self.keep(path, "", json.dumps(held, ensure_ascii=False).encode())

    def _told(self, status: int, why: str) -> Reply:
        voice = self.habit("voice", "json")
        text = _WORDS.get(why, {}).get(self.habit("tongue", "en"), why)
        match voice:
            case "html":
                page = f"<!doctype html><title>{status}</title><h1>{status}</h1><p>{text}</p>"
                return status, [("Content-Type", "text/html; charset=utf-8")], page.encode()
            case "text":
                return status, [("Content-Type", "text/plain; charset=utf-8")], f"{text}\n".encode()
            case "xml":
                page = '<?xml version="1.0" encoding="UTF-8"?>\n'
                page += f"<Error><Code>{status}</Code><Message>{text}</Message></Error>"
                return status, [("Content-Type", "application/xml")], page.encode()
            case "empty":
                return status, [], b""
            case "problem":
                told = {"type": "about:blank", "title": text, "status": status}
                return status, [("Content-Type", "application/problem+json")], json.dumps(told).encode()
        return (
            status,
            [("Content-Type", "application/json")],
            json.dumps({"ok": False, "message": text}).encode(),
        )


_WORDS = {
    "cond": {
        "en": "Precondition Failed",
        "de": "Die Vorbedingung ist nicht erfüllt.",
        "fr": "La précondition n'est pas remplie.",
        "es": "No se cumple la condición previa.",
        "da": "Betingelsen er ikke opfyldt.",
        "conflict": "version conflict: the record has moved on",
    },
    "required": {
        "en": "Precondition required: send If-Match.",
        "de": "Bitte If-Match mitsenden.",
        "fr": "Cette requête doit porter If-Match.",
    },
}


def _broken(rule: list[str], old: bytes, new: bytes) -> str:
    name, kind = rule
    before, after = json.loads(old).get(name), json.loads(new).get(name)
    if kind == "frozen" and before != after:
        return f"{name} is fixed once the document has been released"
    if kind == "limit" and after is not None and after > 10000:
        return f"{name} is above the limit of your role; ask for approval first"
    return ""


def _spoken(body: bytes, spoken: str) -> bytes:
    if not body.startswith(b"{"):
        return body
    held: dict[str, Any] = json.loads(body)
    held = {name: value for name, value in held.items() if not isinstance(value, dict)} | {
        name: value[spoken[:2]]
        for name, value in held.items()
        if isinstance(value, dict) and spoken[:2] in value
    }
    return json.dumps(held, ensure_ascii=False).encode()


def _looks(look: str, path: str, sheet: Sheet, salt: str) -> str:
    octets = sheet.body + salt.encode() + (b"" if sheet.body else str(sheet.number).encode())
    tail = f".{zlib.crc32(salt.encode()):x}" if salt else ""
    match look:
        case "int":
            return f"{sheet.number}{tail}"
        case "time":
            return f"{int(sheet.when * 1e6):x}{tail}"
        case "size":
            return f"{int(sheet.when):x}-{len(sheet.body):x}{tail}"
        case "guid":
            return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{path}@{sheet.number}{salt}"))
        case "crc":
            return f"{zlib.crc32(octets):08x}"
        case "long":
            return hashlib.sha256(octets).hexdigest()
        case "rev":
            return f"r{sheet.number}:{hashlib.sha1(octets, usedforsecurity=False).hexdigest()[:6]}"
    return hashlib.sha1(octets, usedforsecurity=False).hexdigest()[:20]
