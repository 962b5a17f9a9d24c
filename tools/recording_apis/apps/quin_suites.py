# mypy: ignore-errors
"""Imitations of business services: Square, Paddle, Spring Data REST, Eve, DAViCal and Nextcloud's notes."""

from __future__ import annotations

import re
import time
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

from tools.recording_apis.apps.quin_core import Product, Req, Res, Row, digest, iso


class Square(Product):
    """Customers and catalog objects with numbers for versions."""

    def __init__(self, rows: dict[str, Any], first: int = 0) -> None:
        super().__init__(rows, first)
        self.extra = {"square-version": "2025-10-16", "Vary": "Origin, Accept-Encoding"}
        self.keys: dict[str, Res] = {}
        self.read_row: Any = self.rows.get

    def _error(self, status: int, code: str, said: str, field: str = "") -> Res:
        one = {"category": "INVALID_REQUEST_ERROR", "code": code, "detail": said}
        return Res(status, {"errors": [{**one, **({"field": field} if field else {})}]})

    def shown(self, key: str, row: Row) -> dict[str, object]:
        """Return a customer as it is read."""
        return {
            "id": key,
            **row.data,
            "updated_at": iso(row.at, f".{int(row.at * 1000) % 1000:03}Z"),
            "version": row.rev,
        }

    def answer(self, req: Req) -> Res:
        """Answer one request."""
        if req.path == "/v2/locations":
            return Res(200, {"locations": [{"id": "L88917AVBK2S5", "name": "Centraal", "status": "ACTIVE"}]})
        if req.path == "/v2/customers/search":
            return Res(200, {"customers": [self.shown(k, self.read_row(k)) for k in self.rows]})
        if req.path == "/v2/customers" and req.method == "POST":
            return self._create(req)
        key = req.path.rsplit("/", 1)[1]
        row = self.rows.get(key)
        if row is None:
            return self._error(404, "NOT_FOUND", f"Customer with ID `{key}` not found.")
        if req.safe:
            return Res(200, {"customer": self.shown(key, self.read_row(key))})
        asked = req.json
        if "version" in asked and asked["version"] != row.rev:
            said = "The version provided does not match the current version of the object."
            return self._error(409, "VERSION_MISMATCH", said, "version")
        asked.pop("version", None)
        row = self.store(key, {**row.data, **asked}, req.who)
        return Res(200, {"customer": self.shown(key, row)})

    def _create(self, req: Req) -> Res:
        asked = req.json
        once = asked.pop("idempotency_key")
        if once in self.keys:
            return self.keys[once]
        key = digest(once)[:26].upper()
        self.keys[once] = Res(200, {"customer": self.shown(key, self.store(key, asked, req.who))})
        return self.keys[once]


class Paddle(Product):
    """Subscriptions that one request at a time may change."""

    def __init__(self, rows: dict[str, Any]) -> None:
        super().__init__(rows)
        self.busy: set[str] = set()
        self.gap = 0.35

    def _wrapped(self, data: object, status: int = 200) -> Res:
        return Res(status, {"data": data, "meta": {"request_id": self.request_id()}})

    def _error(self, status: int, code: str, said: str) -> Res:
        url = f"https://developer.paddle.com/errors/shared/{code}"
        error = {"type": "request_error", "code": code, "detail": said, "documentation_url": url}
        return Res(status, {"error": error, "meta": {"request_id": self.request_id()}})

    def answer(self, req: Req) -> Res:
        """Answer one request."""
        key = req.path.strip("/")
        row = self.rows.get(key)
        if row is None:
            below = [self._shown(k, r) for k, r in self.rows.items() if k.startswith(f"{key}/")]
            return self._wrapped(below) if below else self._error(404, "not_found", f"Unable to find {key}.")
        if req.safe:
            return self._wrapped(self._shown(key, row))
        with self.lock:
            if key in self.busy:
                said = f"Concurrent modification of entity {key.rsplit('/', 1)[1]}."
                return self._error(409, "concurrent_modification", said)
            self.busy.add(key)
        time.sleep(self.gap)
        with self.lock:
            self.busy.discard(key)
            row = self.store(key, {**row.data, **req.json}, req.who)
        return self._wrapped(self._shown(key, row))

    def _shown(self, key: str, row: Row) -> dict[str, object]:
        return {
            "id": key.rsplit("/", 1)[1],
            **row.data,
            "updated_at": iso(row.at, f".{int(row.at * 1e6) % 1000000:06}Z"),
        }


class Spring(Product):
    """Entities as Spring Data REST has them; keys are ``collection/id``.

    Attributes:
        late: Whether If-Unmodified-Since is looked at when all is stored.
        weak: Whether tags are weak, and compared as they must be.
        slow: How long lies between the look at the version and the write.
    """

    def __init__(self, rows: dict[str, Any], base: str, first: int = 0) -> None:
        super().__init__(rows, first)
        self.base, self.late, self.weak, self.slow = base, False, False, 0.0
        self.extra = {"Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}

    def tag(self, row: Row) -> str:
        """Return the tag: the number of the entity's version."""
        return f'W/"{row.rev}"' if self.weak else f'"{row.rev}"'

    def _shown(self, key: str, row: Row) -> dict[str, object]:
        href = f"{self.base}/{key}"
        return {
            **row.data,
            "_links": {"self": {"href": href}, key.partition("/")[0].rstrip("s"): {"href": href}},
        }

    def _page(self, folder: str) -> Res:
        below = [self._shown(k, r) for k, r in self.rows.items() if k.startswith(f"{folder}/")]
        page = {"size": 20, "totalElements": len(below), "totalPages": 1, "number": 0}
        links = {
            "self": {"href": f"{self.base}/{folder}"},
            "profile": {"href": f"{self.base}/profile/{folder}"},
        }
        return Res(
            200,
            {"_embedded": {folder: below}, "_links": links, "page": page},
            {"Content-Type": "application/hal+json"},
        )

    def _marks(self, row: Row) -> dict[str, str]:
        return {"ETag": self.tag(row), "Last-Modified": row.date, "Content-Type": "application/hal+json"}

    def answer(self, req: Req) -> Res:
        """Answer one request."""
        key = req.path.removeprefix("/api/").strip("/")
        row = self.rows.get(key)
        if req.path == "/actuator/health":
            return Res(
                200, {"status": "UP"}, {"Content-Type": "application/vnd.spring-boot.actuator.v3+json"}
            )
        if row is None:
            return self._page(key) if any(k.startswith(f"{key}/") for k in self.rows) else Res(404)
        if req.safe:
            if req.fields.get("if-none-match") == self.tag(row):
                return Res(304, b"", self._marks(row))
            return Res(200, self._shown(key, row), self._marks(row))
        return self._change(req, key, row)

    def _change(self, req: Req, key: str, row: Row) -> Res:
        sent, since = req.fields.get("if-match"), req.fields.get("if-unmodified-since")
        if sent not in (None, "*") and (sent != self.tag(row) or self.weak):
            return Res(412, b"", self._marks(row) if not self.weak else {})
        if self.slow:
            time.sleep(self.slow)
        if req.method == "DELETE":
            del self.rows[key]
            return Res(204)
        data = {one: value for one, value in req.json.items() if one != "_links"}
        row = self.store(key, {**self.rows[key].data, **data} if req.method == "PATCH" else data, req.who)
        if self.late and since and int(row.at) > parsedate_to_datetime(since).timestamp():
            return Res(412)
        return Res(204, b"", {**self._marks(row), "Location": f"{self.base}/{key}"})


class Eve(Product):
    """Items as Eve has them; keys are ``resource/id``."""

    def __init__(self, rows: dict[str, Any]) -> None:
        super().__init__(rows)
        self.extra = {"Server": "Eve/2.2.0 Werkzeug/3.1.3 Python/3.12.3"}

    def tag(self, row: Row) -> str:
        """Return the tag: a hash of the content."""
        return digest({**row.data, "_updated": int(row.at)}, "sha1")

    def _error(self, status: int, said: str) -> Res:
        return Res(status, {"_status": "ERR", "_error": {"code": status, "message": said}})

    def _shown(self, key: str, row: Row) -> dict[str, object]:
        kind, _, name = key.partition("/")
        own = {
            "_id": name,
            "_etag": self.tag(row),
            "_updated": row.date,
            "_created": formatdate(1764000000, usegmt=True),
        }
        return {**own, **row.data, "_links": {"self": {"title": kind.rstrip("s"), "href": key}}}

    def answer(self, req: Req) -> Res:
        """Answer one request."""
        key = req.path.strip("/")
        row = self.rows.get(key)
        if row is None:
            below = [self._shown(k, r) for k, r in self.rows.items() if k.startswith(f"{key}/")]
            meta = {"page": 1, "max_results": 25, "total": len(below)}
            fields = {"X-Total-Count": str(len(below))}
            return (
                Res(200, {"_items": below, "_meta": meta}, fields)
                if below
                else self._error(404, "The requested URL was not found on the server.")
            )
        marks = {"ETag": f'"{self.tag(row)}"', "Last-Modified": row.date}
        if req.safe:
            known = req.fields.get("if-none-match") == marks["ETag"]
            return Res(304, b"", marks) if known else Res(200, self._shown(key, row), marks)
        sent = req.fields.get("if-match")
        if sent is None:
            return self._error(428, "To edit a document its etag must be provided using the If-Match header")
        if sent not in (marks["ETag"], self.tag(row)):
            return self._error(412, "Client and server etags don't match")
        if req.method == "DELETE":
            del self.rows[key]
            return Res(204)
        row = self.store(key, {**row.data, **req.json}, req.who)
        short = {one: value for one, value in self._shown(key, row).items() if one.startswith("_")}
        return Res(200, {**short, "_status": "OK"}, {"ETag": f'"{self.tag(row)}"'})


class Davical(Product):
    """Calendars as DAViCal has them; keys are paths below ``/caldav.php``."""

    def __init__(self, rows: dict[str, str]) -> None:
        super().__init__(rows)
        self.extra = {
            "Server": "1.1",
            "X-DAViCal-Version": "DAViCal/1.1.12; DB/1.3.5",
            "DAV": "1, 2, 3, access-control, calendar-access, calendar-schedule, extended-mkcol, bind",
        }

    def tag(self, row: Row) -> str:
        """Return the tag: a hash of the content."""
        return f'"{digest(row.data)}"'

    def _entry(self, key: str, row: Row, *, whole: bool) -> str:
        data = f"<C:calendar-data>{row.data}</C:calendar-data>" if whole else ""
        return (
            f"<response><href>{key}</href><propstat><prop>"
            f"<getetag>{self.tag(row).replace(chr(34), '&quot;')}</getetag>{data}"
            "</prop><status>HTTP/1.1 200 OK</status></propstat></response>"
        )

    def _multi(self, keys: list[str], *, whole: bool) -> Res:
        inner = "".join(self._entry(key, self.rows[key], whole=whole) for key in keys)
        space = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
        body = f'<?xml version="1.0" encoding="utf-8" ?>\n<multistatus {space}>{inner}</multistatus>'
        return Res(207, body, {"Content-Type": 'text/xml; charset="utf-8"'})

    def answer(self, req: Req) -> Res:
        """Answer one request."""
        key = req.path
        row = self.rows.get(key)
        if req.method == "OPTIONS":
            return Res(200, b"", {"Allow": "OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, REPORT, MKCALENDAR"})
        if req.method == "PROPFIND":
            return self._multi([key] if row else [k for k in self.rows if k.startswith(key)], whole=False)
        if req.method == "REPORT":
            named = re.findall(r"<(?:\w+:)?href>([^<]+)<", req.body.decode())
            return self._multi(named or [k for k in self.rows if k.startswith(key)], whole=True)
        if req.safe:
            if row is None:
                return Res(404, "Not found", {"Content-Type": "text/plain"})
            return Res(
                200,
                row.data.encode(),
                {"ETag": self.tag(row), "Content-Type": 'text/calendar; charset="utf-8"'},
            )
        sent, own = req.fields.get("if-match"), self.tag(row) if row else ""
        plain = sent.strip('"') if sent else ""
        if sent is not None and plain != own.strip('"'):
            said = f"Existing resource ETag of <<{own.strip(chr(34))}>> does not match <<{plain}>>"
            return Res(412, said, {"Content-Type": "text/plain; charset=utf-8"})
        if req.fields.get("if-none-match") == "*" and row:
            return Res(
                412,
                f"Existing resource matches If-None-Match header - not accepted: {key}",
                {"Content-Type": "text/plain; charset=utf-8"},
            )
        made = self.store(key, req.body.decode(), req.who)
        return Res(204 if row else 201, b"", {"ETag": self.tag(made)})


class Notes(Product):
    """Notes of a Nextcloud; keys are their numbers."""

    base = "/index.php/apps/notes/api/v1/notes"

    def __init__(self, rows: dict[str, Any]) -> None:
        super().__init__(rows)
        self.extra = {"X-Notes-API-Versions": "0.2, 1.3", "X-Robots-Tag": "noindex, nofollow"}
        self.now = self.rows.get

    def tag(self, row: Row) -> str:
        """Return the tag: a hash."""
        return digest({**row.data, "at": row.at})

    def shown(self, key: str, row: Row) -> dict[str, object]:
        """Return a note as it is read."""
        own = {"id": int(key), "etag": self.tag(row), "readonly": False, "modified": int(row.at)}
        return {**own, "favorite": False, "category": "", **row.data}

    def answer(self, req: Req) -> Res:
        """Answer one request."""
        if not req.path.startswith(self.base):
            return Res(200, {"notesPath": "Notes", "fileSuffix": ".md", "noteMode": "rich"})
        key = req.path.removeprefix(self.base).strip("/")
        if not key and req.method == "POST":
            key = str(max(int(one) for one in self.rows) + 20)
            return Res(200, self.shown(key, self.store(key, req.json, req.who)))
        if not key:
            notes = [self.shown(k, r) for k, r in self.rows.items()]
            mark = {
                "ETag": f'"{digest(notes)}"',
                "Last-Modified": max(self.rows.values(), key=lambda r: r.at).date,
            }
            return (
                Res(304, b"", mark)
                if req.fields.get("if-none-match") == mark["ETag"]
                else Res(200, notes, mark)
            )
        row = self.rows.get(key)
        if row is None:
            return Res(404, {"message": "Note not found"})
        mark = {"ETag": f'"{self.tag(row)}"'}
        if req.safe:
            return (
                Res(304, b"", mark)
                if req.fields.get("if-none-match") == mark["ETag"]
                else Res(200, self.shown(key, row), mark)
            )
        sent = req.fields.get("if-match")
        if sent is not None and sent != mark["ETag"]:
            return Res(412, self.shown(key, row), mark)
        if req.method == "DELETE":
            del self.rows[key]
            return Res(200, [])
        row = self.store(key, {**row.data, **req.json}, req.who)
        return Res(200, self.shown(key, row), {"ETag": f'"{self.tag(row)}"'})
