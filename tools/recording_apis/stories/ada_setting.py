"""Where ada's stories play: desks in this process, services in Node, PHP and Ruby, and the errands beside them."""

from __future__ import annotations

import importlib
import json
import os
import random
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tools.ports import free_port
from tools.recording_apis.apps.ada_desk import Reply
from tools.recording_apis.apps.ada_hosts import serve
from tools.recording_apis.servers import NODE_MODULES, Server, program
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tools.recording.message import Message
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.apps.ada_desk import Ask
    from tools.recording_apis.stage import Stage

_APPS = Path(__file__).resolve().parents[1] / "apps"


@dataclass
class Here(Server):
    """A desk that is served by this process."""

    end: Callable[[], object] | None = None

    def stop(self) -> None:
        """Serve no longer."""
        if self.end is not None:
            self.end()


def _listens(port: int) -> None:
    deadline = time.monotonic() + 25
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.04)
        else:
            return
    raise RuntimeError(f"nothing listens on {port}")


def _named(stage: Stage, name: str) -> str:
    return name if name not in stage.servers else f"{name}-{len(stage.servers) + 1}"


def desk(stage: Stage, handler: Callable[[Ask], Reply], kind: str, said: str = "") -> Server:
    """Serve a desk with a Python framework, a tap before it."""
    port, version, end = serve(handler, kind)
    _listens(port)
    made = Here(port, version, (), cast("Any", None), stage.directory())
    made.end = end
    if said:
        stage.config.append(said)
    return stage.adopt(_named(stage, kind), made, recorded=True)


def _started(
    stage: Stage, shown: tuple[str, str], command: list[str], port: int, settings: Mapping[str, str]
) -> Server:
    (name, version), folder = shown, stage.directory()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    stage.config += [f"{key}={one}" for key, one in settings.items() if key in {"STYLE", "DELAY"}]
    _listens(port)
    return stage.adopt(_named(stage, name), Server(port, version, (), process, folder), recorded=True)


def counter(
    stage: Stage, framework: str, rows: Mapping[str, Any], style: str = "strict", delay: int = 0
) -> Server:
    """Start things on Express, Fastify or Koa."""
    text = (NODE_MODULES / framework / "package.json").read_text(encoding="utf-8")
    version = f"{framework.capitalize()} {json.loads(text)['version']}"
    port = free_port()
    command = [program("node"), str(_APPS / "ada_counter.js"), str(port), framework]
    settings = {"SEED": json.dumps(rows), "STYLE": style, "NODE_PATH": str(NODE_MODULES)}
    settings |= {"DELAY": str(delay)} if delay else {}
    return _started(stage, (framework, version), command, port, settings)


def filing(stage: Stage, rows: Mapping[str, Any], style: str = "strict", age: float = 7000.0) -> Server:
    """Start records under PHP's own server."""
    told = subprocess.run([program("php"), "-v"], capture_output=True, check=True, text=True).stdout
    folder, port = stage.directory(), free_port()
    for number, (path, data) in enumerate(rows.items()):
        file = folder / f"{path.strip('/').replace('/', '_')}.json"
        file.write_text(json.dumps(data), encoding="utf-8")
        moment = time.time() - age - number * 313
        os.utime(file, (moment, moment))
    command = [program("php"), "-S", f"127.0.0.1:{port}", str(_APPS / "ada_filing.php")]
    settings = {"FILING": str(folder), "STYLE": style, "PHP_CLI_SERVER_WORKERS": "3"}
    return _started(stage, ("php", f"PHP {told.split()[1]} built-in server"), command, port, settings)


def logbook(stage: Stage, rows: Mapping[str, Any], style: str = "tags") -> Server:
    """Start entries under WEBrick."""
    command = [program("ruby"), "-e", "require 'webrick'; puts WEBrick::VERSION"]
    told = subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    port = free_port()
    command = [program("ruby"), str(_APPS / "ada_logbook.rb"), str(port)]
    return _started(
        stage, ("webrick", f"WEBrick {told}"), command, port, {"SEED": json.dumps(rows), "STYLE": style}
    )


def need(ok: object, said: object = "otherwise than told") -> None:
    """Insist on something beside a status."""
    if not ok:
        raise StoryError(str(said))


def pause(seconds: float = 0.4) -> None:
    """Let time go by."""
    time.sleep(seconds)


def clock() -> float:
    """Return the seconds of a clock that only goes on."""
    return time.monotonic()


def together(*calls: Callable[[], Answer], apart: float = 0.02) -> list[Answer]:
    """Make calls that are under way at the same time."""
    got: list[Any] = [None] * len(calls)

    def make(number: int) -> None:
        time.sleep(number * apart)
        try:
            got[number] = calls[number]()
        except Exception as error:  # noqa: BLE001 - raised again below
            got[number] = error

    threads = [threading.Thread(target=make, args=(number,)) for number in range(len(calls))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for one in got:
        if isinstance(one, Exception):
            raise one
    return got


def loses(method: str, path: str) -> Callable[[Message], bool]:
    """Return a test for the first request of a method to a path."""
    left = [1]

    def test(message: Message) -> bool:
        if message.method == method and message.target == path and left:
            left.pop()
            return True
        return False

    return test


def rounds(me: Actor, *paths: str, again: bool = False, head: Mapping[str, str] | None = None) -> None:
    """Read what lies beside the story, each once more with its tag where ``again`` is set."""
    for path in paths:
        got = me.get(path, 200, head)
        if again and "etag" in got.fields:
            me.get(path, 304, {**(head or {}), "If-None-Match": got.etag})
        time.sleep(0.03)


def beside(folder: str, count: int, **data: object) -> dict[str, Any]:
    """Return rows that take no part in a story."""
    return {f"{folder}/{number * 13 + 40}": {"id": number * 13 + 40, **data} for number in range(count)}


def _other(value: Any, number: int) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return value != bool(number % 2)
    return value + number if isinstance(value, int) else f"{value} {number}".strip()


def busy(me: Actor, rows: Mapping[str, Any], field: str, steps: int, seed: int) -> None:
    """Work on rows beside the story: lists, reads, polls, and changes of a field under the newest tag.

    Args:
        me: Who works.
        rows: What ``beside`` made.
        field: The field that is changed.
        steps: How many exchanges.
        seed: Draws what is done.
    """
    draw = random.Random(seed)  # noqa: S311 - draws a working day, no secret
    held: dict[str, str] = {}
    for number in range(steps):
        path, what = draw.choice(sorted(rows)), draw.random()
        if what < 0.12:
            me.get(path.rpartition("/")[0])
        elif path not in held or what < 0.35:
            held[path] = me.get(path).etag
        elif what < 0.65:
            me.get(path, 304, {"If-None-Match": held[path]})
        else:
            change = {field: _other(rows[path][field], number + 1)}
            held[path] = me.send("PATCH", path, 200, {"If-Match": held[path]}, change).etag
        time.sleep(draw.choice((0.02, 0.06, 0.2)))


def fields(stage: Stage, name: str, field: str) -> Iterator[str | None]:
    """Return a field of the requests at a tap."""
    return (one.request.get(field) for one in stage.taps[name].recorded)


def browse(stage: Stage, server: Server, page: str, script: str, hosts: tuple[str, str]) -> Any:
    """Run a script in a page of Chromium; its requests to the second host become the client's file.

    Args:
        stage: The story's stage.
        server: The interface that the page talks to.
        page: HTML of the page, which comes from elsewhere.
        script: Function to run in the page.
        hosts: Host of the page and host of the interface.
    """
    port = stage.tap("client", server)
    library = importlib.import_module("playwright.sync_api")
    with library.sync_playwright() as play:
        own, _, end = serve(lambda _ask: Reply(200, page, {"Content-Type": "text/html"}), "flask")
        _listens(own)
        rules = f"MAP {hosts[1]}:80 127.0.0.1:{port}, MAP {hosts[0]}:80 127.0.0.1:{own}"
        arguments = [f"--host-resolver-rules={rules}", "--no-sandbox", "--no-proxy-server"]
        arguments.append("--disable-features=LocalNetworkAccessChecks")  # the interface is on the loopback
        browser = play.chromium.launch(executable_path=program("chromium"), args=arguments)
        try:
            stage.servers["browser"] = f"Chromium {browser.version}"
            tab = browser.new_page()
            tab.goto(f"http://{hosts[0]}/")
            return tab.evaluate(script)
        finally:
            browser.close()
            end()
