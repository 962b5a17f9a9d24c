# mypy: ignore-errors
"""Small applications on SQLite: versioned rows behind routes that a story writes down."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import threading
import time
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Req, Res

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["App", "Req", "Res", "Row"]


@dataclass(frozen=True)
class Row:
    """One version of a row."""

    kind: str
    id: str
    v: int
    at: float
    who: str
    data: Any

    def sha(self, length: int = 12) -> str:
        """Return a hash of the content."""
        return hashlib.sha1(json.dumps([self.id, self.data]).encode()).hexdigest()[:length]  # noqa: S324

    def iso(self, digits: int = 0) -> str:
        """Return the moment of the version as ISO 8601."""
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.at))
        return text + (f".{int(self.at % 1 * 10**digits):0{digits}}" if digits else "") + "Z"

    def date(self) -> str:
        """Return the moment as an HTTP date."""
        return formatdate(self.at, usegmt=True)


class App:
    """An application; what is registered first answers first."""

    def __init__(self, **fields: str) -> None:
        self.db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self.db.execute("CREATE TABLE row (kind, id, v INTEGER, at REAL, who, data, gone INTEGER DEFAULT 0)")
        self.lock = threading.RLock()
        self.lag = 0.0
        self.routes: list[tuple[str, Any, Callable[..., Res]]] = []
        self.ambient: list[tuple[str, str, Any]] = []
        self.fields = {name.replace("_", "-"): value for name, value in fields.items()}

    # Rows

    def _rows(self, where: str, *values: object) -> list[Row]:
        with self.lock:
            found = self.db.execute(f"SELECT kind, id, v, at, who, data FROM row {where}", values)  # noqa: S608
            rows = [Row(*one[:5], json.loads(one[5])) for one in found.fetchall()]
        return [one for one in rows if one.at <= time.time() - self.lag]

    def now(self, kind: str, key: str) -> Any:
        """Return the newest version of a row, None when there is none."""
        found = self._rows("WHERE kind=? AND id=? ORDER BY v DESC", kind, str(key))
        return found[0] if found else None

    def past(self, kind: str, key: str) -> list[Row]:
        """Return all versions of a row, newest first."""
        return self._rows("WHERE kind=? AND id=? ORDER BY v DESC", kind, str(key))

    def every(self, kind: str) -> list[Row]:
        """Return the newest version of each row of a kind."""
        ids = dict.fromkeys(one.id for one in self._rows("WHERE kind=? ORDER BY rowid", kind))
        return [self.now(kind, key) for key in ids]

    def put(self, kind: str, key: str, data: Any, who: str, *, at: float = 0.0, v: int = 0) -> Row:
        """Store a version."""
        with self.lock:
            old = self.now(kind, key)
            v = v or (old.v + 1 if old else 1)
            self.db.execute(
                "INSERT INTO row VALUES (?,?,?,?,?,?,0)",
                (kind, str(key), v, at or time.time(), who, json.dumps(data, ensure_ascii=False)),
            )
            return self.now(kind, key)

    def seed(
        self, kind: str, rows: Mapping[Any, Any], v: int = 1, who: str = "setup", ago: float = 86400.0
    ) -> App:
        """Store what was there before the story."""
        for number, (key, data) in enumerate(rows.items()):
            self.put(
                kind, str(key), data, who, at=time.time() - ago - 777.3 * number, v=v + number if v > 1 else 1
            )
        return self

    # Routes

    def on(self, methods: str, pattern: str) -> Callable[[Callable[..., Res]], Callable[..., Res]]:
        """Register what answers methods on a path with ``{names}``."""
        shape = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern) + "/?$")

        def keep(answer: Callable[..., Res]) -> Callable[..., Res]:
            self.routes.extend((one, shape, answer) for one in methods.split())
            return answer

        return keep

    def page(
        self, path: str, body: Any, media: str = "application/json", tag: str = "", life: str = ""
    ) -> App:
        """Serve something that does not change, and let clients come by it in passing."""
        fields = {"Content-Type": media, **({"ETag": tag} if tag else {})}
        fields |= {"Cache-Control": life} if life else {}

        @self.on("GET HEAD", re.escape(path.partition("?")[0]))
        def fixed(req: Req) -> Res:
            if tag and req.fields.get("if-none-match") == tag:
                return Res(304, b"", {name: one for name, one in fields.items() if name != "Content-Type"})
            return Res(200, body, dict(fields))

        self.ambient.append(("GET", path, None))
        return self

    def sink(self, path: str, status: int = 204, body: Any = b"", sent: Any = None, **fields: str) -> App:
        """Take a POST that changes nothing of the story."""

        @self.on("POST", re.escape(path))
        def taken(_req: Req) -> Res:
            return Res(status, body, {name.replace("_", "-"): one for name, one in fields.items()})

        self.ambient.append(("POST", path, sent if sent is not None else {"ok": True}))
        return self

    def rest(
        self,
        prefix: str,
        kind: str,
        *,
        tag: Callable[[Row], str] | None = None,
        show: Callable[[Row], Any] = lambda row: row.data,
        marks: Callable[[Row], dict[str, str]] | None = None,
        judge: Callable[[Req, Row], Res | None] | None = None,
        edit: Callable[[Req, Row], Any] | None = None,
        refuse: Any = None,
        answer: Callable[[Req, Row], Res] | None = None,
    ) -> App:
        """Register a list, reads and writes of the rows of a kind."""
        marks = marks or (lambda row: {"ETag": tag(row)} if tag else {})

        def strict(req: Req, row: Row) -> Res | None:
            sent = req.fields.get("if-match")
            if tag is None or sent is None or sent == "*" or tag(row) in [s.strip() for s in sent.split(",")]:
                return None
            body = refuse(row) if callable(refuse) else refuse
            return Res(412, body if body is not None else {"error": "precondition_failed"})

        judge = judge or strict
        edit = edit or (lambda req, row: {**row.data, **req.json} if req.method == "PATCH" else req.json)
        answer = answer or (lambda _req, row: Res(200, show(row), marks(row)))

        @self.on("GET HEAD", prefix)
        def index(_req: Req) -> Res:
            return Res(200, {"items": (rows := [show(one) for one in self.every(kind)]), "total": len(rows)})

        @self.on("GET HEAD", prefix + "/{key}")
        def read(req: Req, key: str) -> Res:
            row = self.now(kind, key)
            if row is None:
                return Res(404, {"error": "not_found"})
            own = marks(row)
            if "ETag" in own and req.fields.get("if-none-match") == own["ETag"]:
                return Res(304, b"", own)
            return Res(200, show(row), own)

        @self.on("PUT PATCH", prefix + "/{key}")
        def write(req: Req, key: str) -> Res:
            with self.lock:
                row = self.now(kind, key)
                if row is None:
                    return Res(404, {"error": "not_found"})
                return judge(req, row) or answer(req, self.put(kind, key, edit(req, row), req.who))

        return self

    def trail(self, path: str, kind: str, shown: Callable[[Row], Any], name: str = "history") -> App:
        """Register the history of a row."""

        @self.on("GET", path)
        def versions(_req: Req, key: str) -> Res:
            return Res(200, {name: [shown(one) for one in self.past(kind, key)]})

        return self

    def __call__(self, req: Req) -> Res:
        """Answer a request."""
        known = False
        for method, shape, answer in self.routes:
            found = shape.match(req.path)
            known = known or (bool(found) and method != "OPTIONS")
            if found and method == req.method:
                res = answer(req, **found.groupdict())
                break
        else:
            res = Res(405 if known else 404, {"error": "method_not_allowed" if known else "not_found"})
        res.fields = {**self.fields, **res.fields}
        if isinstance(res.body, dict | list):
            res.fields.setdefault("Content-Type", "application/json")
        return res
