"""Home-made services in several languages, and what clerks, cron jobs and devices have in common."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.ports import free_port
from tools.recording_apis import fronts
from tools.recording_apis.servers import NODE_MODULES, Server, program
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage

_ROOT = Path(__file__).resolve().parents[3]
_APPS = _ROOT / "tools" / "recording_apis" / "apps"
_SILENT = {"SEED", "STORE", "NODE"}


def _command(app: str, port: int, directory: Path) -> tuple[list[str], str]:
    """Return the command of an application and the version of what runs it."""
    path = str(_APPS / app)
    match app:
        case "ost_inventory.php":
            return [program("php"), "-S", f"127.0.0.1:{port}", path], _told(
                "php", "-r", "echo 'PHP '.PHP_VERSION;"
            )
        case "ost_roster.js":
            return [program("node"), path, str(port)], "Node.js " + _told(
                "node", "-p", "process.versions.node"
            )
        case "OstBakery.java":
            return [program("java"), "-Xmx64m", path, str(port)], "jdk.httpserver"
        case "ost_notices.rb":
            return [program("ruby"), path, str(port), str(directory)], "WEBrick of Ruby " + _told(
                "ruby", "-e", "puts RUBY_VERSION"
            )
        case "ost_permits.py":
            target = ["tools.recording_apis.apps.ost_permits:application", "--lifespan", "off"]
            return [
                program("uvicorn"),
                *target,
                "--host",
                "127.0.0.1",
                "--port",
                str(port),
            ], "Starlette on uvicorn"
        case "ost_tariffs.py":
            python = _ROOT / ".venvs" / "components" / "bin" / "python"
            return [str(python), path, str(port)], "Tornado"
        case _:
            return [program("python"), path, str(port)], "http.server of Python"


def _told(name: str, *arguments: str) -> str:
    done = subprocess.run([program(name), *arguments], capture_output=True, check=True, text=True)
    return done.stdout.strip()


def _up(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /-/up HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(12).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def house(stage: Stage, app: str, seed: Mapping[str, object] | str = "", **settings: str) -> Server:
    """Start a home-made service with a tap before it.

    Args:
        stage: The story's stage.
        app: File below ``apps``.
        seed: First records, a JSON object or text.
        settings: Environment variables of the service.
    """
    port, directory = free_port(), stage.directory()
    command, version = _command(app, port, directory)
    own = {
        "APP_DIRECTORY": str(directory),
        "NODE_PATH": str(NODE_MODULES),
        "PYTHONPATH": str(_ROOT),
        **settings,
    }
    own["SEED"] = seed if isinstance(seed, str) else json.dumps(seed)
    log = directory.parent / f"{directory.name}-log"
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
    deadline = time.monotonic() + 60
    while not _up(port):
        if process.poll() is not None or time.monotonic() > deadline:
            made.stop()
            raise RuntimeError(f"{app} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
    stage.config += [f"{name}={value}" for name, value in settings.items() if name not in _SILENT]
    name = Path(app).stem
    return stage.adopt(name if name not in stage.servers else f"{name}-2", made, recorded=True)


def wiki(stage: Stage, pages: Mapping[str, str], rules: str = "") -> Server:
    """Start the Perl wiki as a CGI program of lighttpd; its pages are at ``/wiki.pl/NAME``."""
    files = {f"pages/{name}.txt": text for name, text in pages.items()}
    if rules:
        files["rules"] = rules
    files["wiki.pl"] = (_APPS / "ost_wiki.pl").read_text(encoding="utf-8")
    lines = 'server.modules += ("mod_cgi")\ncgi.assign = (".pl" => "/usr/bin/perl")\n'
    return fronts.site(stage, "lighttpd", files, lines)


def until(what: Callable[[], bool], said: str, seconds: float = 30.0) -> None:
    """Wait until something holds; raise ``StoryError`` when it never does."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise StoryError(said)
        time.sleep(0.05)


def insist(holds: object, said: str) -> None:
    """Raise ``StoryError`` unless the claim holds."""
    if not holds:
        raise StoryError(said)


def browse(me: Actor, paths: Sequence[str], headers: Mapping[str, str] | None = None) -> list[Answer]:
    """Read several things, none of which must exist."""
    return [me.send("GET", path, (200, 304, 404), headers) for path in paths]


def stroll(me: Actor, paths: Sequence[str], headers: Mapping[str, str] | None = None) -> None:
    """Read several things, and those with a tag once more with If-None-Match."""
    for answer, path in zip(browse(me, paths, headers), paths, strict=True):
        if answer.status == 200 and "etag" in answer.fields:
            me.send("GET", path, (200, 304), {**(headers or {}), "If-None-Match": answer.etag})


def sign_in(me: Actor, user: str) -> dict[str, str]:
    """Sign in at the inventory with its form and return the cookie field."""
    first = me.get("/login")
    cookie = {"Cookie": first.fields["set-cookie"].split(";")[0]}
    me.send("POST", "/login", 303, {**cookie, **FORM}, f"user={user}&password=********")
    me.get("/assets", 200, cookie)
    return cookie


METERS: dict[str, Any] = {
    "70114": {"district": "Harbour", "street": "Quay 4", "m3": 1204.5, "seal": "ok"},
    "70115": {"district": "Harbour", "street": "Quay 6", "m3": 88.25, "seal": "ok"},
    "70231": {"district": "Hill", "street": "Mill Lane 2", "m3": 640.0, "seal": "broken"},
}
ASSETS: dict[str, Any] = {
    "1203": {"name": "Beamer EPX 40", "room": "2.14", "state": "good", "owner": "IT"},
    "1204": {"name": "Plotter A0", "room": "U.03", "state": "worn", "owner": "Planning"},
    "1377": {"name": "Ladder 6 m", "room": "Yard", "state": "good", "owner": "Works"},
}
WEEK = "/roster/2026-W49/shifts"
SHIFTS: dict[str, Any] = {
    f"{WEEK}/s17": {"ward": "3B", "from": "06:00", "to": "14:00", "nurse": "Imhof"},
    f"{WEEK}/s18": {"ward": "3B", "from": "14:00", "to": "22:00", "nurse": "Okafor"},
    f"{WEEK}/s19": {"ward": "4A", "from": "22:00", "to": "06:00", "nurse": None},
}
RECIPES = (
    "rye=Rye loaf\nflour 1000 g\nwater 780 g\nsalt 20 g\n\n---\n"
    "brioche=Brioche\nflour 500 g\nbutter 250 g\neggs 5\n\n---\n"
    "stollen=Stollen\nflour 800 g\nraisins 400 g\nrum 8 cl\n"
)
PERMITS: dict[str, Any] = {
    "BP-2026-0117": {"applicant": "Voss", "plot": "12/4", "state": "received", "fee": "240.00"},
    "BP-2026-0118": {"applicant": "Voss", "plot": "12/5", "state": "received", "fee": "180.00"},
    "BP-2026-0131": {"applicant": "Adeyemi", "plot": "7/1", "state": "in review", "fee": "420.00"},
}
TARIFFS: dict[str, Any] = {
    "zone-a": [{"kind": "day", "price": 6.4}, {"kind": "week", "price": 24.0}, {"kind": "dog", "price": 2.1}],
    "zone-b": [{"kind": "day", "price": 8.2}, {"kind": "week", "price": 31.0}],
}
NOTICES: dict[str, Any] = {
    "31": {"title": "Choir practice", "when": "Thu 19:30", "where": "Hall"},
    "32": {"title": "Jumble sale", "when": "Sat 10:00", "where": "Yard"},
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
XML = {"Content-Type": "application/xml; charset=utf-8"}
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=EXAMPLE/20261126/us-east-1/s3/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=5f2b"
}
BOOK = (
    '<?xml version="1.0"?><mkcol xmlns="DAV:" xmlns:a="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype>'
    "<collection/><a:addressbook/></resourcetype><displayname>Contacts</displayname></prop></set></mkcol>"
)
