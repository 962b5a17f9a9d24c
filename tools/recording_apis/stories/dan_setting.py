"""Where dan's stories play."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.ports import free_port
from tools.recording_apis.servers import NODE_MODULES, Server, program
from tools.recording_apis.stories.vic_setting import at_once, drops, open_box, rest, signature, sure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage

__all__ = [
    "BROWSER",
    "at_once",
    "drops",
    "node",
    "open_box",
    "over",
    "reads",
    "rest",
    "signature",
    "sure",
    "watch",
]

_APPS = Path(__file__).resolve().parents[1] / "apps"
BROWSER = {
    "User-Agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Accept": "application/json",
    "Accept-Language": "en-GB,en;q=0.5",
    "X-Requested-With": "XMLHttpRequest",
}


def node(
    stage: Stage,
    framework: str,
    docs: Mapping[str, Any],
    beside: Mapping[str, Any] | None = None,
    **settings: str,
) -> Server:
    """Start the records on a framework of Node.js, with a tap before them.

    Args:
        stage: The story's stage.
        framework: ``express``, ``koa`` or ``fastify``.
        docs: JSON by path.
        beside: JSON that takes no part, by path.
        settings: Environment variables of the application.
    """
    port, directory = free_port(), stage.directory()
    environment = {
        **os.environ,
        "NODE_PATH": str(NODE_MODULES),
        "PORT": str(port),
        "FRAMEWORK": framework,
        "SEED": json.dumps(docs),
        "BESIDE": json.dumps(beside or {}),
        **settings,
    }
    process = subprocess.Popen(
        [program("node"), str(_APPS / "dan_bench.js")],
        env=environment,
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    package = json.loads((NODE_MODULES / framework / "package.json").read_text(encoding="utf-8"))
    version = f"{framework.capitalize()} {package['version']}"
    made = stage.adopt(framework, Server(port, version, (), process, directory), recorded=True)
    _await(port)
    stage.config += [f"{name}={value}" for name, value in settings.items()]
    return made


def _await(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def reads(me: Actor, *paths: str, fields: Mapping[str, str] | None = None) -> list[Answer]:
    """Read one path after the other."""
    return [me.get(path, 200, fields) for path in paths]


def watch(
    me: Actor, path: str, times: int, seconds: float = 0.2, fields: Mapping[str, str] | None = None
) -> Answer:
    """Read a path, then ask some times whether it has changed; it has not."""
    seen = me.get(path, 200, fields)
    for _ in range(times):
        time.sleep(seconds)
        me.get(path, 304, {**(fields or {}), "If-None-Match": seen.etag})
    return seen


def over(seen: Answer, **changed: Any) -> dict[str, Any]:
    """Return a record that was read with some values replaced."""
    return {**seen.json, **changed}
