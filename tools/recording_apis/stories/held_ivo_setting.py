"""Where ivo's stories play."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tools.ports import free_port
from tools.recording_apis.actors import Actor
from tools.recording_apis.apps.ivo_serve import serve
from tools.recording_apis.servers import NODE_MODULES, Server, program
from tools.recording_apis.stage import StoryError, case

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.recording.message import Message
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.apps.ivo_desk import Desk
    from tools.recording_apis.stage import Stage

_APPS = Path(__file__).resolve().parents[1] / "apps"


@dataclass
class Within(Server):
    """A service in this process."""

    ends: Callable[[], object] | None = None

    def stop(self) -> None:
        """Take no more requests."""
        if self.ends is not None:
            self.ends()


def tell(
    identifier: str, slug: str, cause: str, outcome: str, description: str, *, alone: str = "", also: str = ""
) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
    """Register a story on an imitation."""
    return case(
        identifier,
        f"ivo-{slug}",
        cause,
        outcome,
        alone=alone or cause,
        also=also,
        description=description,
        synthetic=True,
    )


def _await(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.03)
        else:
            return
    raise StoryError("the server does not listen")


def opened(stage: Stage, desk: Desk, product: str, kind: str = "waitress") -> Server:
    """Serve routes with a tap before them."""
    port, version, stop = serve(desk, kind)
    _await(port)
    shown = f"imitation of {product} under {version}"
    made = Within(port, shown, (), cast("Any", None), stage.directory())
    made.ends = stop
    return stage.adopt(product.lower().replace(" ", "-"), made, recorded=True)


def script(stage: Stage, name: str, product: str, service: str = "") -> Server:
    """Run a service of ``apps`` that is written in another language."""
    port, file = free_port(), str(_APPS / name)
    command = {
        ".js": [program("node"), file, str(port), service],
        ".php": [program("php"), "-S", f"127.0.0.1:{port}", file],
        ".rb": [program("ruby"), file, str(port), service],
    }[Path(name).suffix]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "NODE_PATH": str(NODE_MODULES), "PHP_CLI_SERVER_WORKERS": "1"},
        start_new_session=True,
    )
    _await(port)
    on = {".js": "Express", ".php": "PHP", ".rb": "WEBrick"}[Path(name).suffix]
    made = Server(port, f"imitation of {product} on {on}", (), process, stage.directory())
    return stage.adopt(product.lower().replace(" ", "-"), made, recorded=True)


def also_at(me: Actor, host: str) -> Actor:
    """Return the same program under another host name, in the same file."""
    return Actor(host, me.port, me.program, me.always)


def sure(ok: object, said: object = "otherwise than told") -> None:
    """Insist on something."""
    if not ok:
        raise StoryError(str(said))


def rest(seconds: float = 0.25) -> None:
    """Let time pass."""
    time.sleep(seconds)


def together(*calls: Callable[[], Answer], apart: float = 0.03) -> list[Answer]:
    """Make calls that overlap."""
    got: list[Any] = [None] * len(calls)

    def run(number: int) -> None:
        time.sleep(apart * number)
        try:
            got[number] = calls[number]()
        except Exception as error:  # noqa: BLE001 - raised again below
            got[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for answer in got:
        if isinstance(answer, Exception):
            raise answer
    return got


def loses(method: str, part: str) -> Callable[[Message], bool]:
    """Return a test that is true for the first request of a method to such a target."""
    seen: list[int] = []

    def test(message: Message) -> bool:
        if message.method != method or part not in message.target or seen:
            return False
        seen.append(1)
        return True

    return test


def look(me: Actor, *paths: str, head: Mapping[str, str] | None = None) -> None:
    """Read what lies around."""
    for path in paths:
        me.get(path, 200, head)
        rest(0.04)
