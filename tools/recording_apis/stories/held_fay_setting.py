"""Where fay's stories play."""

from __future__ import annotations

import importlib
import json
import os
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tools.ports import free_port
from tools.recording_apis.apps.fay_serve import serve
from tools.recording_apis.servers import NODE_MODULES, Server, program
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.recording.message import Message
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.apps.fay_core import Call, Reply
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


def _await(port: int) -> None:
    until = time.monotonic() + 40
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("nothing listens")


def house(stage: Stage, handler: Callable[[Call], Reply], kind: str, said: str = "") -> Server:
    """Serve a handler with a tap before it; ``said`` is the setting that matters."""
    port, version, ends = serve(handler, kind)
    _await(port)
    made = Within(port, f"own service on {version}", (), cast("Any", None), stage.directory())
    made.ends = ends
    if said:
        stage.config.append(said)
    return stage.adopt(kind if kind not in stage.servers else f"{kind}-2", made, recorded=True)


def _spawn(stage: Stage, name: str, command: list[str], version: str, settings: Mapping[str, str]) -> Server:
    port = free_port()
    process = subprocess.Popen(
        [*command, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "NODE_PATH": str(NODE_MODULES), **settings},
        start_new_session=True,
    )
    made = Server(port, version, (), process, stage.directory())
    _await(port)
    return stage.adopt(name, made, recorded=True)


def depot(stage: Stage, items: Mapping[str, object], habit: Mapping[str, object], first: int = 40) -> Server:
    """Start the records on Koa."""
    settings = {"ITEMS": json.dumps(items), "HABIT": json.dumps(habit), "FIRST": str(first)}
    text = (NODE_MODULES / "koa" / "package.json").read_text(encoding="utf-8")
    version = f"own service on Koa {json.loads(text)['version']}"
    return _spawn(stage, "koa", [program("node"), str(_APPS / "fay_depot.js")], version, settings)


def mill(stage: Stage, texts: Mapping[str, str], habit: str = "") -> Server:
    """Start the texts under WEBrick."""
    settings = {"ITEMS": json.dumps(texts), "HABIT": habit}
    return _spawn(
        stage, "webrick", [program("ruby"), str(_APPS / "fay_mill.rb")], "own service on WEBrick", settings
    )


def sure(ok: object, said: object = "not as told") -> None:
    """Insist on something beside the status."""
    if not ok:
        raise StoryError(str(said))


def wait(seconds: float) -> None:
    """Let time pass."""
    time.sleep(seconds)


def fresh_second() -> None:
    """Wait for the beginning of a second."""
    time.sleep(1.02 - time.time() % 1)


def loses(method: str, part: str) -> Callable[[Message], bool]:
    """Return a test that is true for the first request of a method to a target with this part."""
    gone: list[int] = []

    def test(message: Message) -> bool:
        if gone or message.method != method or part not in message.target:
            return False
        gone.append(1)
        return True

    return test


def together(*calls: Callable[[], Answer], apart: float = 0.02) -> list[Answer]:
    """Make calls that overlap."""
    got: list[Any] = [None] * len(calls)

    def make(spot: int) -> None:
        time.sleep(spot * apart)
        got[spot] = calls[spot]()

    threads = [threading.Thread(target=make, args=(spot,)) for spot in range(len(calls))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    sure(all(got), "a call failed")
    return got


def round_of(me: Actor, *paths: str, fields: Mapping[str, str] | None = None, pause: float = 0.05) -> None:
    """Read what lies beside, and once more with the tag if it has one."""
    for path in paths:
        got = me.get(path, (200, 204), fields)  # type: ignore[arg-type]
        time.sleep(pause)
        if "etag" in got.fields:
            me.get(path, (200, 304), {**(fields or {}), "If-None-Match": got.fields["etag"]})  # type: ignore[arg-type]


def signed() -> str:
    """Return a shared access signature of Azurite's account."""
    blob = importlib.import_module("azure.storage.blob")
    stamp = importlib.import_module("datetime")
    made: str = blob.generate_account_sas(
        "notes",
        "ZXhhbXBsZQ==",
        resource_types=blob.ResourceTypes(service=True, container=True, object=True),
        permission=blob.AccountSasPermissions(read=True, write=True, delete=True, list=True, create=True),
        expiry=stamp.datetime.now(stamp.UTC) + stamp.timedelta(days=2),
    )
    return made
