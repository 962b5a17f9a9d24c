"""What the stories of this author share: small businesses on several servers, and traffic beside the story."""

from __future__ import annotations

import base64
import datetime as dt
import importlib
import json
import os
import random
import socket
import subprocess
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.ports import free_port
from tools.recording_apis import fronts, servers
from tools.recording_apis.servers import Server, program
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tools.recording.message import Message
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage

_ROOT = Path(__file__).resolve().parents[3]
_APPS = _ROOT / "tools" / "recording_apis" / "apps"
DAY = 86400.0


def require(*, holds: object, otherwise: object) -> None:
    """Insist on something that the story says."""
    if not holds:
        raise StoryError(str(otherwise))


def basic(name: str, **more: str) -> dict[str, str]:
    """Return the fields of a signed-in user."""
    word = base64.b64encode(f"{name}:x".encode()).decode()
    return {"Authorization": f"Basic {word}", **more}


def bearer(name: str, **more: str) -> dict[str, str]:
    """Return the fields of a program with a token."""
    return {"Authorization": f"Bearer {base64.urlsafe_b64encode(name.encode()).decode().strip('=')}", **more}


def record(age: float = 3 * DAY, **fields: object) -> list[object]:
    """Return a JSON document to start with."""
    return ["application/json", json.dumps(fields, ensure_ascii=False), age]


def text(content: str, media: str = "text/plain", age: float = 2 * DAY) -> list[object]:
    """Return a document of another media type to start with."""
    return [media, content, age]


def _up(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /-/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(12).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def run(stage: Stage, name: str, version: str, command: Sequence[str], port: int, **own: str) -> Server:
    """Start a program of ours and wait until it answers."""
    directory = stage.directory()
    log = directory.parent / f"{directory.name}-log"
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "NODE_PATH": str(servers.NODE_MODULES), **own}
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env=environment,
            start_new_session=True,
        )
    made = Server(port, version, (), process, directory, log)
    deadline = time.monotonic() + 60
    while not _up(port):
        if process.poll() is not None or time.monotonic() > deadline:
            made.stop()
            raise RuntimeError(f"{name} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
    return stage.adopt(name if name not in stage.servers else f"{name}-2", made, recorded=True)


def house(
    stage: Stage, docs: Mapping[str, object], kind: str = "gunicorn", clock: str = "", **habits: object
) -> Server:
    """Start a business's documents under gunicorn, waitress, cheroot or aiohttp.

    Args:
        stage: The story's stage.
        docs: What it holds at first.
        kind: The server program.
        clock: An offset for faketime.
        habits: What ``ora_core`` knows.
    """
    port, module = free_port(), "tools.recording_apis.apps.ora_wsgi"
    if kind == "gunicorn":
        command = [program("gunicorn"), "-k", "gthread", "--threads", "8", "--keep-alive", "30"]
        command += ["-b", f"127.0.0.1:{port}", f"{module}:application"]
    else:
        command = [program("python"), "-m", module, str(port), kind]
    if clock:
        command = [program("faketime"), "-f", clock, *command]
        stage.config.append(f"server under faketime {clock}")
    shown = {name: value for name, value in habits.items() if name not in {"tag", "form", "node"}}
    stage.config += [f"{name}={json.dumps(value)}" for name, value in shown.items()]
    return run(stage, kind, f"documents on {kind}", command, port, ORA=json.dumps({"docs": docs, **habits}))


def rooms(stage: Stage, docs: Mapping[str, object], **habits: object) -> Server:
    """Start the meeting rooms on Node's http."""
    port = free_port()
    command = [program("node"), str(_APPS / "ora_rooms.js"), str(port)]
    stage.config += [f"{name}={json.dumps(value)}" for name, value in habits.items()]
    return run(stage, "node", "Node.js http", command, port, ROOMS=json.dumps({"docs": docs, **habits}))


def tide(stage: Stage, sheets: Mapping[str, str], habit: str = "") -> Server:
    """Start the tariff sheets on Java's httpserver."""
    port = free_port()
    seed = "\x1e".join(part for pair in sheets.items() for part in pair)
    command = [program("java"), "-Xmx64m", str(_APPS / "OraTide.java"), str(port)]
    stage.config += [habit] if habit else []
    return run(stage, "httpserver", "jdk.httpserver", command, port, SEED=seed, HABIT=habit)


def dav(
    stage: Stage, files: Mapping[str, str], kind: str = "apache2", more: str = "", age: float = 7200.0
) -> Server:
    """Start a WebDAV server on files."""
    return fronts.site(stage, kind, files, f"{fronts.DAV[kind]}\n{more}", age)


def nth(start: str, number: int) -> Callable[[Message], bool]:
    """Return what picks the request of that number among those whose first line begins so."""
    seen: list[int] = []

    def picks(request: Message) -> bool:
        if not request.start_line.startswith(start):
            return False
        seen.append(1)
        return len(seen) == number

    return picks


def look_around(me: Actor, paths: Sequence[str], rounds: int = 1) -> dict[str, str]:
    """Read documents, the second time with the tag in hand, and return the tags."""
    held: dict[str, str] = {}
    for _ in range(rounds):
        for path in paths:
            guard = {"If-None-Match": held[path]} if held.get(path) else {}
            got = me.send("GET", path, (200, 304), guard)
            held[path] = got.fields.get("etag", held.get(path, ""))
    return {path: tag for path, tag in held.items() if tag}


def paths(folder: str, count: int) -> list[str]:
    """Return the paths of the documents beside the story."""
    return [f"{folder}/{number * 3 + 1}" for number in range(count)]


def side(folder: str, count: int) -> dict[str, list[object]]:
    """Return documents beside the story."""
    states = ("new", "seen", "done", "late")
    return {
        path: record(
            (1 + number) * 40000.0, id=path.rsplit("/", 1)[1], state=states[number % 4], of=folder[1:]
        )
        for number, path in enumerate(paths(folder, count))
    }


def plain_side(folder: str, count: int) -> dict[str, dict[str, object]]:
    """Return documents beside the story for the rooms."""
    return {path: {"id": path.rsplit("/", 1)[1], "state": "new"} for path in paths(folder, count)}


def day(
    me: Actor,
    paths: Sequence[str],
    steps: int,
    *,
    seed: int,
    users: Sequence[str] = (),
    fields: Mapping[str, str] | None = None,
) -> None:
    """Let users read, poll and change documents with the tags that they were shown, in an order drawn by ``seed``.

    Args:
        me: Who sends.
        paths: JSON documents that take no part in the story.
        steps: How many exchanges.
        seed: Draws what is done.
        users: Names for Authorization, taken in turns.
        fields: Fields of each request.
    """
    draw = random.Random(seed)  # noqa: S311 - draws a day, no secret
    held: dict[str, Answer] = {}
    folder = paths[0].rsplit("/", 1)[0]
    for number in range(steps):
        own = {**(fields or {}), **(basic(users[number * 7 // 3 % len(users)]) if users else {})}
        path, what = draw.choice(paths), draw.random()
        if path not in held or what < 0.3:
            held[path] = me.get(path, 200, own)
        elif what < 0.5:
            me.get(path, 304, {**own, "If-None-Match": held[path].etag})
        elif what < 0.85:
            body = {name: value for name, value in held[path].json.items() if name != "_rev"}
            name = ("state", "note", "seq", "by")[seed % 4]
            body[name] = f"{('seen', 'done', 'late', 'kept')[number % 4]}{number}"
            held[path] = me.put(path, body, 200, {**own, "If-Match": held[path].etag})
        elif what < 0.93:
            me.get(folder, 200, own)
        else:
            me.get(f"{folder}/{draw.choice(('draft', 'old', 'tmp'))}", 404, own)
        time.sleep(draw.choice((0.02, 0.1, 0.35)))


def change(
    me: Actor, path: str, expect: int = 200, guard: Mapping[str, str] | None = None, **fields: object
) -> Answer:
    """Read a JSON document, change fields and store it with its tag unless another guard is given."""
    seen = me.get(path)
    body: Any = {**seen.json, **fields}
    return me.put(path, body, expect, {"If-Match": seen.etag} if guard is None else guard)


def tap_statuses(stage: Stage, name: str = "upstream") -> list[int]:
    """Return the statuses at a tap so far."""
    return [one.response.status for one in stage.taps[name].recorded if one.response]


AGENT_PHONE = {"User-Agent": "CalendarPhone/11 (build 4711)"}


def event(name: str, hour: str, place: str = "Gemeindesaal") -> str:
    """Return an appointment as iCalendar."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//chor//proben//DE",
        "BEGIN:VEVENT",
        f"UID:{name}@chor.test",
    ]
    lines += [
        "DTSTAMP:20261101T080000Z",
        f"DTSTART:20261203T{hour}00Z",
        f"SUMMARY:Probe {name}",
        f"LOCATION:{place}",
    ]
    return "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""])


class Blobs:
    """A container of Azurite, reached with a shared access signature."""

    HOST = "notes.blob.test"

    def __init__(self, stage: Stage, container: str) -> None:
        self.stage, self.container = stage, container
        self.server = stage.server("azurite")
        library = importlib.import_module("azure.storage.blob")
        self._signature = library.generate_account_sas(
            "notes",
            "ZXhhbXBsZQ==",
            resource_types=library.ResourceTypes(service=True, container=True, object=True),
            permission=library.AccountSasPermissions(
                read=True, write=True, delete=True, list=True, create=True
            ),
            expiry=dt.datetime.now(dt.UTC) + dt.timedelta(days=2),
        )
        keeper = stage.actor("keeper", self.server, self.HOST)
        keeper.send("PUT", self._path("", "restype=container&"), 201, self._fields())
        del stage.taps["keeper"]
        stage.forget()

    def _path(self, name: str, query: str = "") -> str:
        return f"/notes/{self.container}{'/' if name else ''}{name}?{query}{self._signature}"

    @staticmethod
    def _fields(**more: str) -> dict[str, str]:
        return {"x-ms-version": "2023-11-03", "x-ms-client-request-id": str(uuid.uuid4()), **more}

    def actor(self, name: str, program_name: str, **settings: Any) -> Actor:
        """Return an actor on the container."""
        return self.stage.actor(name, self.server, self.HOST, program_name, **settings)

    def put(self, who: Actor, name: str, body: str, expect: int | tuple[int, ...], **more: str) -> Answer:
        """Upload a block blob."""
        own = self._fields(**{"x-ms-blob-type": "BlockBlob", "Content-Type": "text/markdown", **more})
        return who.put(self._path(name), body, expect, own)

    def get(self, who: Actor, name: str, expect: int = 200, **more: str) -> Answer:
        """Download a blob."""
        return who.get(self._path(name), expect, self._fields(**more))

    def list(self, who: Actor) -> Answer:
        """List the container."""
        return who.get(self._path("", "restype=container&comp=list&"), 200, self._fields())

    def lease(self, who: Actor, name: str, action: str, expect: int, **more: str) -> Answer:
        """Acquire, renew or release a lease."""
        own = self._fields(**{"x-ms-lease-action": action, "Content-Length": "0", **more})
        return who.put(self._path(name, "comp=lease&"), None, expect, own)


AGENT_PLAN = {"User-Agent": "Speiseplan/2.0", "Accept": "application/json"}
ENVOY_GZIP = """          - name: envoy.filters.http.compressor
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.compressor.v3.Compressor
              compressor_library:
                name: gzip
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip
"""
