"""Where hal's stories play, and what goes on beside them."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tools.recording_apis.apps.vic_serve import serve
from tools.recording_apis.servers import Server
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.recording.message import Message
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.apps.hal_core import Desk
    from tools.recording_apis.stage import Stage


@dataclass
class House(Server):
    """A service that runs in this process."""

    shut: Callable[[], object] | None = None

    def stop(self) -> None:
        """Take no more requests."""
        if self.shut is not None:
            self.shut()


def house(stage: Stage, desk: Desk, kind: str, title: str, said: str = "") -> Server:
    """Serve a desk with a tap before it.

    Args:
        stage: The story's stage.
        desk: What answers.
        kind: What serves it.
        title: What the service is.
        said: The setting that matters to the story.
    """
    port, version, shut = serve(desk, kind)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.03)
    made = House(port, f"{title} under {version}", (), cast("Any", None), stage.directory())
    made.shut = shut
    if said:
        stage.config.append(said)
    return stage.adopt(kind if kind not in stage.servers else f"{kind}-2", made, recorded=True)


def must(ok: object, said: object = "it came out otherwise") -> None:
    """Insist on something that no status tells."""
    if not ok:
        raise StoryError(str(said))


def wait(seconds: float = 0.35) -> None:
    """Let time pass."""
    time.sleep(seconds)


def together(*calls: Callable[[], Answer], apart: float = 0.04) -> list[Answer]:
    """Make calls that overlap, each a little after the one before."""
    got: dict[int, Any] = {}

    def make(number: int) -> None:
        time.sleep(number * apart)
        try:
            got[number] = calls[number]()
        except Exception as error:  # noqa: BLE001 - raised again below
            got[number] = error

    threads = [threading.Thread(target=make, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in got.values():
        if isinstance(one, Exception):
            raise one
    return [got[number] for number in range(len(calls))]


def once(method: str, part: str) -> Callable[[Message], bool]:
    """Return a test that is true for the first request of a method to a target with this part."""
    seen: list[int] = []

    def test(message: Message) -> bool:
        if message.method != method or part not in message.target or seen:
            return False
        seen.append(1)
        return True

    return test


def again(me: Actor, *paths: str, fields: Mapping[str, str] | None = None) -> None:
    """Read pages, and those with a tag a second time with it."""
    for path in paths:
        got = me.get(path, 200, fields)
        if "etag" in got.fields:
            me.get(path, 304, {**(fields or {}), "If-None-Match": got.fields["etag"]})


def edit(me: Actor, path: str, more: Mapping[str, Any], method: str = "PUT") -> Answer:
    """Change a JSON document under its newest tag, as it should be done."""
    seen = me.get(path)
    body = {**seen.json, **more} if method == "PUT" else dict(more)
    return me.send(method, path, 200, {"If-Match": seen.etag}, body)


CHROME = {
    "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/133.0.0.0 Safari/537.36",
    "Accept": "*/*",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Site": "same-site",
}
