"""Where hew's stories play."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tools.ports import free_port
from tools.recording_apis.actors import Actor, Answer, StoryError
from tools.recording_apis.apps.hew_desk import on_aiohttp, on_falcon
from tools.recording_apis.servers import NODE_MODULES, Server, program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.recording.message import Message
    from tools.recording_apis.apps.hew_desk import Ask, Reply
    from tools.recording_apis.stage import Stage

_APPS = Path(__file__).resolve().parents[1] / "apps"
_CLIENTS = Path(__file__).resolve().parents[1] / "clients"


@dataclass
class Within(Server):
    """A service in this process."""

    ends: Callable[[], object] | None = None

    def stop(self) -> None:
        """Take no more requests."""
        if self.ends is not None:
            self.ends()


def _await(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.04)
        else:
            return
    raise RuntimeError(f"nothing listens on {port}")


def desk(
    stage: Stage, handler: Callable[[Ask], Reply], under: str = "aiohttp", name: str = "origin"
) -> Server:
    """Serve a handler in this process with a tap before it."""
    port, version, ends = on_aiohttp(handler) if under == "aiohttp" else on_falcon(handler)
    _await(port)
    made = Within(port, version, (), cast("Any", None), stage.directory())
    made.ends = ends
    return stage.adopt(name, made, recorded=True)


def _launch(
    stage: Stage, name: str, command: list[str], port: int, *, version: str, environment: Mapping[str, str]
) -> Server:
    folder = stage.directory()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    _await(port)
    return stage.adopt(name, Server(port, version, (), process, folder), recorded=True)


def mill(stage: Stage, rows: Mapping[str, object], **habits: object) -> Server:
    """Start the service on Fastify."""
    port = free_port()
    told = json.dumps({"rows": rows, **habits})
    environment = {"HEW": told, "NODE_PATH": str(NODE_MODULES)}
    command = [program("node"), str(_APPS / "hew_mill.js"), str(port)]
    return _launch(stage, "service", command, port, version="Fastify", environment=environment)


def shed(
    stage: Stage,
    rows: Mapping[str, object],
    mode: str = "",
    *,
    slow: int = 0,
    first: int = 31,
    fixed: Mapping[str, object] | None = None,
) -> Server:
    """Start the service under PHP's own server."""
    port, folder = free_port(), stage.directory()
    for number, (path, data) in enumerate(rows.items()):
        name = path.strip("/").replace("/", "~")
        (folder / f"{name}.rec").write_text(
            json.dumps({"v": first + 5 * number, "d": data}), encoding="utf-8"
        )
        (folder / f"{name.rsplit('~', 1)[0]}.stamp").write_text(str(first), encoding="utf-8")
    for path, data in (fixed or {}).items():
        (folder / f"{path.strip('/').replace('/', '~')}.fix").write_text(json.dumps(data), encoding="utf-8")
    (folder / "protokoll.log").write_text("", encoding="utf-8")
    environment = {
        "HEW_DIR": str(folder),
        "HEW_MODE": mode,
        "HEW_SLOW": str(slow),
        "PHP_CLI_SERVER_WORKERS": "4",
    }
    command = [program("php"), "-d", "expose_php=0", "-S", f"127.0.0.1:{port}", str(_APPS / "hew_shed.php")]
    return _launch(stage, "service", command, port, version="PHP cli-server", environment=environment)


class Ruby:
    """Ruby's net/http on one connection."""

    def __init__(self, port: int) -> None:
        command = [program("ruby"), str(_CLIENTS / "hew_send.rb"), str(port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request."""
        _, _, host, path = url.split("/", 3)
        content = None if body is None else base64.b64encode(body).decode()
        asked = {
            "method": method,
            "host": host,
            "path": f"/{path}",
            "headers": dict(headers),
            "body": content,
        }
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("no pipes")
        self._process.stdin.write(f"{json.dumps(asked)}\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return Answer(told["status"], told["fields"], base64.b64decode(told["body"]))

    def close(self) -> None:
        """End it."""
        self._process.kill()


def ruby(
    stage: Stage,
    name: str,
    server: Server,
    host: str,
    always: Mapping[str, str] | None = None,
    *,
    loses: Callable[[Message], bool] | None = None,
) -> Actor:
    """Return an actor on Ruby's net/http."""
    port = stage.tap(name, server, loses)
    return Actor(host, port, Ruby(port), always or {})


def both(*calls: Callable[[], Answer], apart: float = 0.02) -> list[Answer]:
    """Make calls that overlap."""

    def run(number: int) -> Answer:
        time.sleep(number * apart)
        return calls[number]()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, range(len(calls))))


def sure(ok: object, said: object = "otherwise than told") -> None:
    """Insist on something beside the status."""
    if not ok:
        raise StoryError(str(said))


def first(method: str, part: str) -> Callable[[Message], bool]:
    """Return a test that is true for the first request of a method to a target with this part."""
    seen: list[str] = []

    def test(message: Message) -> bool:
        if message.method != method or part not in message.target or seen:
            return False
        seen.append(message.target)
        return True

    return test


def rest(seconds: float = 0.25) -> None:
    """Wait."""
    time.sleep(seconds)
