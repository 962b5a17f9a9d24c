"""Rows with revisions behind one handler, under aiohttp or Falcon on cheroot, in the process that records."""

from __future__ import annotations

import asyncio
import email.utils
import importlib
import importlib.metadata
import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tools.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Ask:
    """A request as the handler sees it; names of fields are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    fields: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the content decoded."""
        return json.loads(self.body or b"null")

    @property
    def who(self) -> str:
        """Return who asks."""
        return self.fields.get("x-user") or self.fields.get("user-agent", "?").split("/")[0]


@dataclass
class Reply:
    """An answer."""

    status: int
    body: object = None
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def octets(self) -> bytes:
        """Return the content as it is sent."""
        if self.body is None or isinstance(self.body, bytes):
            return self.body or b""
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass
class Row:
    """What is stored under a path."""

    data: Any
    rev: int = 1
    at: float = 0.0
    by: str = "import"


class Desk:
    """Rows by path; a story replaces the steps that it is about.

    Args:
        rows: Content by path.
        first: The revision of the first row; each further one starts three later.
        age: How many seconds ago the first row was stored; each further one was a minute before.
        stale: Status of a refusal.
        need: Status when a write names no revision; 0 when it need not.
    """

    def __init__(
        self, rows: dict[str, Any], first: int = 4, age: float = 5000.0, stale: int = 412, need: int = 0
    ) -> None:
        now = time.time()
        self.rows = {
            path: Row(data, first + 3 * number, now - age - 61 * number)
            for number, (path, data) in enumerate(rows.items())
        }
        self.stale, self.need = stale, need
        self.log: list[dict[str, Any]] = []
        self.extra: dict[str, Callable[[Ask], Reply]] = {}
        self.tag: Callable[[Row], str] = lambda row: f'"{row.rev:x}-{int(row.at) & 0xFFFF:x}"'
        self.shape: Callable[[Ask, Row], object] = lambda _ask, row: row.data
        self.marks: Callable[[Row], dict[str, str]] = lambda row: {"ETag": self.tag(row)}
        self.sent: Callable[[Ask], str | None] = lambda ask: ask.fields.get("if-match")
        self.holds: Callable[[str, Row], bool] = lambda sent, row: sent in {"*", self.tag(row)}
        self.fresh: Callable[[Ask, Row], bool] = lambda ask, row: (
            self.tag(row) in ask.fields.get("if-none-match", "")
        )
        self.refusal: Callable[[Row], object] = lambda _row: {"err": "changed"}
        self.missing: object = {"err": "precondition required"}
        self.done = 200
        self.stored: Callable[[Row], object] = lambda row: row.data
        self.kind = "application/json"
        self._lock = threading.Lock()

    def __call__(self, ask: Ask) -> Reply:
        """Answer a request."""
        for key in (f"{ask.method} {ask.path}", f"{ask.method} *"):
            if key in self.extra:
                return self.extra[key](ask)
        row = self.rows.get(ask.path)
        if row is None:
            return self._unknown(ask)
        if ask.method in {"GET", "HEAD"}:
            if self.fresh(ask, row):
                return Reply(304, None, self.marks(row))
            return Reply(200, self.shape(ask, row), {"Content-Type": self.kind, **self.marks(row)})
        with self._lock:
            return self._write(ask, row)

    def _unknown(self, ask: Ask) -> Reply:
        inside = {path: row for path, row in self.rows.items() if path.rsplit("/", 1)[0] == ask.path}
        if ask.method == "GET" and inside:
            items = [
                {"id": path.rsplit("/", 1)[1], **row.data}
                for path, row in inside.items()
                if isinstance(row.data, dict)
            ]
            return Reply(200, {"items": items, "n": len(inside)})
        return Reply(404, {"err": "not found"})

    def _write(self, ask: Ask, row: Row) -> Reply:
        sent = self.sent(ask)
        if sent is None and self.need:
            return Reply(self.need, self.missing)
        if sent is not None and not self.holds(sent, row):
            return Reply(self.stale, self.refusal(row))
        if ask.method == "DELETE":
            del self.rows[ask.path]
            self.note(ask.path, row, ask.who, "del")
            return Reply(204)
        told: Any = ask.body.decode() if self.kind.startswith("text/") else ask.json
        self.store(ask.path, {**row.data, **told} if ask.method == "PATCH" else told, ask.who)
        return Reply(self.done, None if self.done == 204 else self.stored(row), self.marks(row))

    def store(self, path: str, data: Any, who: str) -> Row:
        """Store a revision."""
        row = self.rows[path]
        row.data, row.rev, row.at, row.by = data, row.rev + 1, time.time(), who
        self.note(path, row, who, "put")
        return row

    def note(self, path: str, row: Row, who: str, what: str) -> None:
        """Write into the log."""
        told = {"t": stamp(time.time()), "who": who, "op": what, "on": path.rsplit("/", 1)[1], "rev": row.rev}
        self.log.append(told)

    def says(self, path: str, body: object, **fields: str) -> None:
        """Answer a path with the same content each time."""
        told = {name.replace("_", "-"): value for name, value in fields.items()}
        self.extra[f"GET {path}"] = lambda _ask: Reply(
            200, body, {"Content-Type": "application/json", **told}
        )

    def logged(self, path: str) -> None:
        """Show the log under a path."""
        self.extra[f"GET {path}"] = lambda _ask: Reply(200, list(reversed(self.log)))


def stamp(moment: float) -> str:
    """Return a moment with its milliseconds."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(moment))}.{int(moment * 1000) % 1000:03d}Z"


def http_date(moment: float) -> str:
    """Return a moment as HTTP writes it."""
    return email.utils.formatdate(moment, usegmt=True)


def on_aiohttp(handler: Callable[[Ask], Reply]) -> tuple[int, str, Callable[[], object]]:
    """Serve under aiohttp; return the port, the version and what ends it."""
    web, port, loop = importlib.import_module("aiohttp.web"), free_port(), asyncio.new_event_loop()

    async def page(request: Any) -> Any:
        fields = {name.lower(): value for name, value in request.headers.items()}
        ask = Ask(request.method, request.path, dict(request.query), fields, await request.read())
        got = await loop.run_in_executor(None, handler, ask)
        shown = {"Content-Type": "application/json", **got.fields} if got.octets else got.fields
        return web.Response(status=got.status, body=got.octets or None, headers=shown)

    async def begin() -> None:
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{rest:.*}", page)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()

    loop.run_until_complete(begin())
    threading.Thread(target=loop.run_forever, daemon=True).start()
    version = f"aiohttp {importlib.metadata.version('aiohttp')}"
    return port, version, lambda: loop.call_soon_threadsafe(loop.stop)


def on_falcon(handler: Callable[[Ask], Reply]) -> tuple[int, str, Callable[[], object]]:
    """Serve under Falcon on cheroot; return the port, the version and what ends it."""
    falcon, wsgi, port = (
        importlib.import_module("falcon"),
        importlib.import_module("cheroot.wsgi"),
        free_port(),
    )

    def sink(req: Any, resp: Any) -> None:
        fields = {name.lower(): value for name, value in req.headers.items()}
        query = dict(parse_qsl(req.query_string, keep_blank_values=True))
        got = handler(Ask(req.method, req.path, query, fields, req.bounded_stream.read()))
        resp.status = got.status
        if got.status not in {204, 304}:
            resp.data = got.octets
        for name, value in got.fields.items():
            resp.set_header(name, value)

    app = falcon.App()
    app.add_sink(sink)
    server = wsgi.Server(("127.0.0.1", port), app, numthreads=8, timeout=30)
    server.prepare()
    threading.Thread(target=server.serve, daemon=True).start()
    version = f"Falcon {importlib.metadata.version('falcon')} on cheroot"
    return port, version, server.stop
