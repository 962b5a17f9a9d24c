"""Where sol's stories play."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import re
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.ports import free_port
from tools.recording_apis import fronts, servers
from tools.recording_apis.apps.sol_ledger import Ledger, build
from tools.recording_apis.servers import Server
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.recording.message import Message
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage


class Here(Server):
    """A service in this process."""

    def __init__(self, port: int, version: str, end: Callable[[], object]) -> None:
        self.port, self.version, self.config, self._end = port, version, (), end

    def stop(self) -> None:
        """Take no more requests."""
        self._end()


def ledger(stage: Stage, kept: Ledger, runner: str = "waitress", name: str = "records") -> Server:
    """Serve a ledger under ``waitress``, ``cheroot`` or ``werkzeug`` with a tap before it."""
    app = build(kept)
    if runner == "waitress":
        waitress = __import__("waitress")
        made = waitress.create_server(app, host="127.0.0.1", port=0, threads=8)
        port, run, end = made.effective_port, made.run, made.close
    elif runner == "cheroot":
        port = free_port()
        made = __import__("cheroot.wsgi", fromlist=["Server"]).Server(("127.0.0.1", port), app)
        run, end = made.safe_start, made.stop
    else:
        serving = __import__("werkzeug.serving", fromlist=["make_server"])
        handler = type("Quiet", (serving.WSGIRequestHandler,), {"log": lambda *_: None})
        made = serving.make_server("127.0.0.1", 0, app, threaded=True, request_handler=handler)
        port, run, end = made.server_port, made.serve_forever, made.shutdown
    threading.Thread(target=run, daemon=True).start()
    time.sleep(0.3)
    version = (
        f"Flask {importlib.metadata.version('flask')} under {runner} {importlib.metadata.version(runner)}"
    )
    return stage.adopt(name, Here(port, version, end), recorded=True)


def forms(stage: Stage) -> Server:
    """Serve the Django desk under gunicorn with a tap before it."""
    port, directory = free_port(), stage.directory()
    target = "tools.recording_apis.apps.sol_forms:application"
    command = [
        servers.program("gunicorn"),
        "-k",
        "gthread",
        "--threads",
        "4",
        "-b",
        f"127.0.0.1:{port}",
        target,
    ]
    version = f"Django {importlib.metadata.version('django')} under gunicorn"
    root = str(servers._ROOT)  # noqa: SLF001 - where this package lies
    run = servers._run  # noqa: SLF001 - starts and awaits a program
    made = run(command, port, directory, version, environment={"PYTHONPATH": root}, probe="/uitleg")
    return stage.adopt("django", made, recorded=True)


def dav(stage: Stage, kind: str, files: Mapping[str, str], more: str = "", age: float = 50000.0) -> Server:
    """Serve files over WebDAV by a web server."""
    return fronts.site(stage, kind, files, f"{fronts.DAV[kind]}\n{more}", age)


def wsgidav(stage: Stage, files: Mapping[str, str], age: float = 50000.0) -> Server:
    """Serve files by WsgiDAV."""
    made = stage.server("wsgidav")
    for path, text in files.items():
        fronts.put_file(made.directory, path, text, age)
    return made


def sure(fact: object, otherwise: object = "otherwise than told") -> None:
    """Insist on something."""
    if not fact:
        raise StoryError(str(otherwise))


def wait(seconds: float = 0.6) -> None:
    """Let time pass."""
    time.sleep(seconds)


def edge() -> None:
    """Wait for the beginning of a second."""
    time.sleep(1.04 - time.time() % 1)


def date(text: str) -> dt.datetime:
    """Read an HTTP-date."""
    return dt.datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=dt.UTC)


def http_date(moment: dt.datetime) -> str:
    """Write an HTTP-date."""
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")


def enter(me: Actor, sheet: str = "/assets/main.css") -> None:
    """Log in to a ledger and load what its pages need, twice."""
    me.send("POST", "/session", 200, None, {"client": me.host.split(".")[0]})
    style = me.get(sheet)
    me.get("/status")
    me.get(sheet, 304, {"If-None-Match": style.etag})


def edit(me: Actor, path: str, **more: Any) -> Answer:
    """Change a record beside the story as one should, and poll it once."""
    seen = me.get(path)
    saved = me.put(path, {**seen.json, **more}, 200, {"If-Match": seen.etag})
    me.get(path, 304, {"If-None-Match": saved.etag})
    return saved


def polls(me: Actor, *paths: str, times: int = 2) -> None:
    """Read what lies beside the story and poll it with its tags."""
    tags = {path: me.get(path).etag for path in paths}
    for _ in range(times):
        time.sleep(0.2)
        for path, tag in tags.items():
            me.get(path, 304, {"If-None-Match": tag})


def rewrite(me: Actor, path: str, text: str, media: str = "text/plain; charset=utf-8") -> None:
    """Change a file beside the story as one should."""
    seen = me.get(path)
    me.put(path, f"{seen.text}{text}", (200, 201, 204), {"Content-Type": media, "If-Match": seen.etag})
    me.get(path)


def nth(method: str, part: str, number: int = 1) -> Callable[[Message], bool]:
    """Return a test that picks one request."""
    seen: list[str] = []

    def picks(message: Message) -> bool:
        if message.method == method and part in message.target:
            seen.append(part)
            return len(seen) == number
        return False

    return picks


def both(first: Callable[[], Answer], second: Callable[[], Answer], apart: float = 0.04) -> list[Answer]:
    """Make two calls that overlap."""
    got: dict[int, Any] = {}

    def make(number: int, call: Callable[[], Answer]) -> None:
        time.sleep(apart * number)
        try:
            got[number] = call()
        except Exception as error:  # noqa: BLE001 - raised below
            got[number] = error

    threads = [threading.Thread(target=partial(make, n, call)) for n, call in enumerate((first, second))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for answer in got.values():
        if isinstance(answer, Exception):
            raise answer
    return [got[0], got[1]]


def listing(me: Actor, folder: str, depth: str = "1") -> dict[str, str]:
    """List a collection over WebDAV and return tags by path."""
    ask = '<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:getetag/><d:getlastmodified/>'
    ask += "<d:getcontentlength/></d:prop></d:propfind>"
    fields = {"Depth": depth, "Content-Type": "application/xml"}
    text = me.send("PROPFIND", folder, 207, fields, ask).text
    found: dict[str, str] = {}
    for part in re.split(r"</\w+:response>|</response>", text):
        href = re.search(r"<(?:\w+:)?href>([^<]+)", part)
        tag = re.search(r"<(?:\w+:)?getetag[^>]*>([^<]+)", part)
        if href and tag:
            found[href.group(1)] = tag.group(1).replace("&quot;", '"')
    return found
