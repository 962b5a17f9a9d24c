"""Where gus's stories play, and the programs that play them."""

from __future__ import annotations

import base64
import http.client
import importlib
import json
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tools.ports import free_port
from tools.recording_apis import servers
from tools.recording_apis.actors import Actor, Answer, StoryError
from tools.recording_apis.apps.gus_wire import serve
from tools.recording_apis.runtimes import _Lines
from tools.recording_apis.servers import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.recording_apis.apps.gus_wire import Ask, Tell
    from tools.recording_apis.stage import Stage

_APPS = Path(__file__).resolve().parents[1] / "apps"


class _Within(Server):
    """A server in this process."""

    ends: Callable[[], None]

    def stop(self) -> None:
        """End it."""
        self.ends()


def _awaits(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.03)
        else:
            return


def hold(stage: Stage, answer: Callable[[Ask], Tell], kind: str, name: str, said: str = "") -> Server:
    """Serve an imitation of a product with a tap before it."""
    port, version, stop = serve(answer, kind)
    _awaits(port)
    made = _Within(port, f"imitation of {name} under {version}", (), cast("Any", None), stage.directory())
    made.ends = stop
    if said:
        stage.config.append(said)
    key = name.lower().replace(" ", "-")
    return stage.adopt(key if key not in stage.servers else f"{key}-2", made, recorded=True)


def script(stage: Stage, name: str, shown: str, mode: str, probe: str = "/-/up") -> Server:
    """Start a script of Node.js or Ruby beside the applications, with a tap before it."""
    port, directory = free_port(), stage.directory()
    runner = "node" if name.endswith(".js") else "ruby"
    command = [servers.program(runner), str(_APPS / name), str(port), mode]
    made = servers._run(  # noqa: SLF001
        command, port, directory, shown, probe=probe, environment={"NODE_PATH": str(servers.NODE_MODULES)}
    )
    return stage.adopt(shown.split(" under ", maxsplit=1)[0].lower().replace(" ", "-"), made, recorded=True)


class _Spoken:
    """A script of another language that sends."""

    def __init__(self, runner: str, name: str, port: int) -> None:
        self._lines = _Lines([servers.program(runner), str(_APPS / name), str(port)])

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request."""
        content = None if body is None else base64.b64encode(body).decode("ascii")
        asked = {"method": method, "url": url, "headers": dict(headers), "body": content}
        told: dict[str, Any] = json.loads(self._lines.ask(json.dumps(asked)))
        fields = {name.lower(): value for name, value in told["fields"]}
        return Answer(told["status"], fields, base64.b64decode(told["body"]))

    def close(self) -> None:
        """End the script."""
        self._lines.close()


class _Bare:
    """Python's http.client, one connection a request."""

    def __init__(self, port: int) -> None:
        self._port = port

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request."""
        host, _, rest = url.removeprefix("http://").partition("/")
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=15)
        try:
            line.request(method, f"/{rest}", body, {"Host": host, **headers})
            got = line.getresponse()
            return Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
        except OSError:
            return Answer(0, {}, b"")
        finally:
            line.close()

    def close(self) -> None:
        """Leave nothing open."""


class _Pooled:
    """The urllib3 library with one pool."""

    def __init__(self) -> None:
        self._library = importlib.import_module("urllib3")
        self._pool = self._library.PoolManager(maxsize=6)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request."""
        try:
            got = self._pool.request(
                method, url, headers=dict(headers), body=body, redirect=False, retries=False, timeout=15.0
            )
        except self._library.exceptions.HTTPError:
            return Answer(0, {}, b"")
        return Answer(got.status, {k.lower(): v for k, v in got.headers.items()}, got.data)

    def close(self) -> None:
        """Close the pool."""
        self._pool.clear()


def actor(  # noqa: PLR0917
    stage: Stage, name: str, server: Server, host: str, way: str, always: Mapping[str, str] | None = None
) -> Actor:
    """Return an actor that sends by ``ruby``, ``perl``, ``bare``, ``urllib3``, or as ``Stage.actor`` knows."""
    if way not in {"ruby", "perl", "bare", "urllib3"}:
        return stage.actor(name, server, host, way, always)
    port = stage.tap(name, server)
    made: Any = {
        "ruby": lambda: _Spoken("ruby", "gus_send.rb", port),
        "perl": lambda: _Spoken("perl", "gus_send.pl", port),
        "bare": lambda: _Bare(port),
        "urllib3": _Pooled,
    }[way]()
    stage._stack.callback(made.close)  # noqa: SLF001
    return Actor(host, port, made, always or {})


def sure(ok: object, said: object = "otherwise than told") -> None:
    """Insist on something beside the status."""
    if not ok:
        raise StoryError(str(said))


def wait(seconds: float = 0.4) -> None:
    """Let time pass."""
    time.sleep(seconds)


def both(*calls: Callable[[], Answer], apart: float = 0.02) -> list[Answer]:
    """Make calls that overlap."""
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


def ruby_version() -> str:
    """Return the version of Ruby."""
    told = subprocess.run(
        [servers.program("ruby"), "-e", "print RUBY_VERSION"], capture_output=True, check=True, text=True
    )
    return told.stdout.strip()
