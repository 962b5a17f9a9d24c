"""What the stories of this author share: small services, real stores, and the traffic that surrounds a story."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import os
import random
import re
import shutil
import socket
import subprocess
import threading
import time
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.ports import free_port
from tools.recording_apis import fronts, servers
from tools.recording_apis.servers import Server, program
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tools.recording.message import Message
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage

_ROOT = Path(__file__).resolve().parents[3]
_APPS = _ROOT / "tools" / "recording_apis" / "apps"
HOUR, DAY = 3600.0, 86400.0
PLAIN = {"Accept-Encoding": "identity"}
GZIP = {"Accept-Encoding": "gzip"}
XML = {"Content-Type": 'application/xml; charset="utf-8"'}


def must(fact: object, told: object = "the story went another way") -> None:
    """Insist on something that the story says."""
    if not fact:
        raise StoryError(str(told))


def signed(user: str, **more: str) -> dict[str, str]:
    """Return the fields of a user with a password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:geheim".encode()).decode(), **more}


def doc(age: float = 2 * DAY, /, **members: object) -> list[object]:
    """Return a JSON document to begin with."""
    return ["application/json", json.dumps(members, ensure_ascii=False), age]


def page(content: str, media: str = "text/plain; charset=utf-8", age: float = DAY) -> list[object]:
    """Return a text to begin with."""
    return [media, content, age]


def _up(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return b" 200" in connection.recv(64)[:16]
    except OSError:
        return False


def launch(
    stage: Stage, name: str, version: str, command: Sequence[str], *, port: int, told: object
) -> Server:
    """Start a program of this author and wait until it is ready."""
    directory = stage.directory()
    log = directory.parent / f"{directory.name}-log"
    own = {"PYTHONPATH": str(_ROOT), "NODE_PATH": str(servers.NODE_MODULES), "SIA": json.dumps(told)}
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env={**os.environ, **own},
            start_new_session=True,
        )
    made = Server(port, version, (), process, directory, log)
    end = time.monotonic() + 60
    while not _up(port):
        if process.poll() is not None or time.monotonic() > end:
            made.stop()
            raise RuntimeError(f"{name} did not start: {log.read_text(errors='replace')[-1500:]}")
        time.sleep(0.05)
    return stage.adopt(name if name not in stage.servers else f"{name}-2", made, recorded=True)


def bench(
    stage: Stage, docs: Mapping[str, object], kind: str = "flask", clock: str = "", **habits: object
) -> Server:
    """Start the documents of ``sia_bench``.

    Args:
        stage: The story's stage.
        docs: What there is at first.
        kind: ``flask`` (gunicorn), ``starlette`` (uvicorn), ``aiohttp``, ``bottle`` (waitress) or ``stdlib``.
        clock: How far faketime moves its clock.
        habits: What ``sia_bench`` knows.
    """
    port, module = free_port(), "tools.recording_apis.apps.sia_serve"
    if kind == "flask":
        command = [program("gunicorn"), "-k", "gthread", "--threads", "8", "--keep-alive", "30"]
        command += ["-b", f"127.0.0.1:{port}", f"{module}:flask_application()"]
    elif kind == "starlette":
        command = [program("uvicorn"), "--factory", f"{module}:starlette_application", "--port", str(port)]
        command += ["--timeout-keep-alive", "30", "--lifespan", "off"]
    else:
        command = [program("python"), "-m", module, str(port), kind]
    if clock:
        command = [program("faketime"), "-f", clock, *command]
        stage.config.append(f"clock {clock} (faketime)")
    stage.config += [f"{name}={json.dumps(value)}" for name, value in habits.items() if name != "node"]
    return launch(
        stage, kind, f"documents on {kind}", command, port=port, told={"docs": docs, "habits": habits}
    )


def django(stage: Stage, articles: Mapping[str, object]) -> Server:
    """Start the articles on Django under gunicorn."""
    port = free_port()
    command = [program("gunicorn"), "-k", "gthread", "--threads", "4", "--keep-alive", "30"]
    command += ["-b", f"127.0.0.1:{port}", "tools.recording_apis.apps.sia_django:application"]
    return launch(stage, "django", "Django under gunicorn", command, port=port, told={"docs": articles})


def express(stage: Stage, docs: Mapping[str, object], **habits: object) -> Server:
    """Start the parcels on Express."""
    port = free_port()
    command = [program("node"), str(_APPS / "sia_express.js"), str(port)]
    stage.config += [f"{name}={json.dumps(value)}" for name, value in habits.items()]
    about = json.loads((servers.NODE_MODULES / "express" / "package.json").read_text(encoding="utf-8"))
    return launch(
        stage,
        "express",
        f"Express {about['version']}",
        command,
        port=port,
        told={"docs": docs, "habits": habits},
    )


def folder(stage: Stage, files: Mapping[str, str | bytes], age: float = DAY) -> Server:
    """Start aiohttp's static handler on files; ``Server.directory`` holds them."""
    port, place = free_port(), stage.directory() / "files"
    place.mkdir()
    for name, content in files.items():
        fronts.put_file(place, name, content, age)
    command = [program("python"), "-m", "tools.recording_apis.apps.sia_static", str(port), str(place)]
    made = launch(stage, "aiohttp", "aiohttp static", command, port=port, told={})
    made.directory = place
    return made


def shares(
    stage: Stage, kind: str, files: Mapping[str, str | bytes], more: str = "", age: float = 2 * HOUR
) -> Server:
    """Start a web server's WebDAV on files."""
    return fronts.site(stage, kind, files, f"{fronts.DAV[kind]}\n{more}", age)


def wsgidav(stage: Stage, files: Mapping[str, str], age: float = 2 * HOUR) -> Server:
    """Start WsgiDAV on files."""
    made = stage.server("wsgidav")
    for name, content in files.items():
        fronts.put_file(made.directory, name, content, age)
    return made


def names(root: str, *last: str) -> list[str]:
    """Return paths below a folder."""
    return [f"{root}/{one}" for one in last]


def poll(
    me: Actor, paths: Sequence[str], rounds: int, fields: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Read paths again and again, each time with the tag in hand, and return the tags."""
    tags: dict[str, str] = {}
    for _ in range(rounds):
        for path in paths:
            guard = {"If-None-Match": tags[path]} if tags.get(path) else {}
            tags[path] = me.send("GET", path, (200, 304), {**(fields or {}), **guard}).fields.get("etag", "")
            time.sleep(0.1)
    return tags


def stroll(me: Actor, paths: Sequence[str], steps: int, seed: int, **fields: str) -> None:
    """Read here and there: documents, their heads, lists, the health check, something that is not there."""
    draw = random.Random(seed)  # noqa: S311 - draws a walk, no secret
    kept: dict[str, str] = {}
    for _ in range(steps):
        path, kind = draw.choice(paths), draw.random()
        if kind < 0.45:
            kept[path] = me.get(path, 200, fields).fields.get("etag", "")
        elif kind < 0.65 and kept.get(path):
            me.send("GET", path, (200, 304), {**fields, "If-None-Match": kept[path]})
        elif kind < 0.75:
            me.send("HEAD", path, 200, fields)
        elif kind < 0.85:
            me.send("GET", path.rsplit("/", 1)[0] or "/", (200, 301, 302, 403, 404, 405), fields)
        elif kind < 0.93:
            me.send("GET", "/healthz", (200, 307, 404), fields)
        else:
            me.send("GET", f"{path}.{draw.choice(('bak', 'lock', 'old'))}", (404, 200), fields)
        time.sleep(draw.choice((0.03, 0.08, 0.2)))


def chores(me: Actor, paths: Sequence[str], steps: int, seed: int, changed: int = 0) -> None:
    """Do ordinary work: read, ask again with the tag, create with a guard, change with the tag just read.

    Args:
        me: Who sends.
        paths: Documents that take no part in the story.
        steps: How many pieces of work.
        seed: Draws what is done.
        changed: The status of a change; 0 leaves changes out.
    """
    draw = random.Random(seed)  # noqa: S311 - draws a day, no secret
    for number in range(steps):
        path, kind = draw.choice(paths), draw.random()
        seen = me.get(path)
        if kind < 0.3:
            me.get(path, 304, {"If-None-Match": seen.etag})
        elif kind < 0.5:
            parent, _, last = path.rpartition("/")
            _, dot, ending = last.partition(".")
            fresh = f"{parent}/n{seed}{number}{dot}{ending}"
            me.send("HEAD", fresh, 404)
            media = seen.fields.get("content-type", "text/plain")
            guard = {"If-None-Match": "*", "Content-Type": media}
            me.put(fresh, seen.body, 201, guard)
        elif changed == 200:
            me.put(path, {**seen.json, "step": f"{seed}.{number}"}, 200, {"If-Match": seen.etag})
        elif changed:
            me.put(path, seen.body + f"{seed}.{number}\n".encode(), changed, {"If-Match": seen.etag})
        time.sleep(draw.choice((0.04, 0.1, 0.25)))


@contextlib.contextmanager
def beside(
    stage: Stage, server: Server, host: str, paths: Sequence[str], pause: float = 0.3
) -> Iterator[None]:
    """Let a monitor under a host name of its own poll paths as long as the story goes on.

    The name must not be the story's: connections of one name in two threads would mix up their taps.
    """
    watcher = stage.actor("third", server, host, "requests", {"User-Agent": "monitor/1.8", **PLAIN})
    over = threading.Event()

    def watch() -> None:
        tags: dict[str, str] = {}
        while not over.wait(pause):
            for path in paths:
                guard = {"If-None-Match": tags[path]} if tags.get(path) else {}
                tags[path] = watcher.send("GET", path, (200, 304, 404), guard).fields.get("etag", "")

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def edit(me: Actor, path: str, expect: int = 200, /, **members: object) -> Answer:
    """Read a JSON document and store it changed, with the tag just read."""
    seen = me.get(path)
    return me.put(path, {**seen.json, **members}, expect, {"If-Match": seen.etag})


def together(*calls: Callable[[], Any], gap: float = 0.0) -> list[Any]:
    """Make calls at the same time, ``gap`` seconds apart, and return what they return."""
    results: list[Any] = [None] * len(calls)
    failed: list[Exception] = []

    def one(number: int) -> None:
        try:
            results[number] = calls[number]()
        except Exception as error:  # noqa: BLE001 - raised again in the story's own thread
            failed.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
        time.sleep(gap)
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return results


def first(method: str, path: str = "", count: int = 1) -> Callable[[Message], bool]:
    """Return what picks the first ``count`` requests of a method whose target begins so."""
    left = [count]

    def picks(request: Message) -> bool:
        if left[0] and request.start_line.startswith(f"{method} {path}"):
            left[0] -= 1
            return True
        return False

    return picks


def later(seconds: float) -> str:
    """Return an HTTP-date so many seconds from now."""
    return formatdate(time.time() + seconds, usegmt=True)


def shifted(date: str, hours: float) -> str:
    """Return an HTTP-date moved by hours, its zone name kept."""
    moment = dt.datetime.strptime(date, "%a, %d %b %Y %H:%M:%S GMT") + dt.timedelta(hours=hours)  # noqa: DTZ007
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")


PROPERTIES = (
    '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><getetag/><getcontentlength/>'
    "<getlastmodified/><resourcetype/></prop></propfind>"
)


def propfind(me: Actor, path: str, depth: str = "1", **fields: str) -> Answer:
    """Ask for the properties of a folder."""
    return me.send("PROPFIND", path, 207, {**XML, "Depth": depth, **fields}, PROPERTIES)


def raw_tag(listing: Answer, path: str) -> str:
    """Return the getetag of a member as it stands in the XML."""
    for part in re.split(r"<(?:\w+:)?response[ >]", listing.text):
        if f"{path}<" in part and (found := re.search(r"getetag[^>]*>([^<]+)<", part)):
            return found[1]
    raise StoryError(f"no getetag of {path}: {listing.text[:600]}")


def lock(me: Actor, path: str, owner: str, seconds: int = 600, expect: int = 200) -> str:
    """Take an exclusive write lock and return its token (RFC 4918 section 9.10)."""
    asked = (
        '<?xml version="1.0" encoding="utf-8"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope>'
        f"<locktype><write/></locktype><owner><href>{owner}</href></owner></lockinfo>"
    )
    given = me.send("LOCK", path, expect, {**XML, "Depth": "0", "Timeout": f"Second-{seconds}"}, asked)
    return given.fields.get("lock-token", "")


def appointment(uid: str, title: str, start: str = "20261211T090000Z", **more: str) -> str:
    """Return an appointment as iCalendar."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//lab//bench//EN", "BEGIN:VEVENT", f"UID:{uid}"]
    lines += ["DTSTAMP:20261120T080000Z", f"DTSTART:{start}", "DURATION:PT45M", f"SUMMARY:{title}"]
    lines += [f"{name.upper()}:{value}" for name, value in more.items()]
    return "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""])


CALENDAR = {"Content-Type": "text/calendar; charset=utf-8"}


def mirror(source: Path, target: Path) -> None:
    """Copy files that are newer at the source, their times kept, as a replication job does."""
    for one in sorted(source.rglob("*")):
        other = target / one.relative_to(source)
        if one.is_file() and (not other.exists() or other.stat().st_mtime != one.stat().st_mtime):
            other.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(one, other)
            other.chmod(0o666)
