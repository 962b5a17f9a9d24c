"""Where lee's stories play."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tools.recording_apis.apps.lee_core import Res
from tools.recording_apis.apps.vic_serve import serve
from tools.recording_apis.servers import Server
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording.message import Message
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.apps.lee_core import Desk, Req
    from tools.recording_apis.stage import Stage


@dataclass
class Within(Server):
    """A service that runs in this process."""

    ends: Callable[[], object] | None = None

    def stop(self) -> None:
        """Take no more requests."""
        if self.ends is not None:
            self.ends()


def desk_on(stage: Stage, desk: Desk, kind: str, said: str = "") -> Server:
    """Serve a desk with a tap before it.

    Args:
        stage: The story's stage.
        desk: What answers.
        kind: What serves it.
        said: The setting that matters to the story.
    """
    port, version, stop = serve(desk, kind)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.03)
    made = Within(port, f"a service on {version}", (), cast("Any", None), stage.directory())
    made.ends = stop
    if said:
        stage.config.append(said)
    return stage.adopt(kind if kind not in stage.servers else f"{kind}-2", made, recorded=True)


def sure(ok: object, said: object = "otherwise than told") -> None:
    """Insist on something beside the status."""
    if not ok:
        raise StoryError(str(said))


def rest(seconds: float = 0.3) -> None:
    """Let somebody think."""
    time.sleep(seconds)


def side_by_side(*calls: Callable[[], Answer], apart: float = 0.03) -> list[Answer]:
    """Make calls that overlap, each a little after the one before."""
    got: dict[int, Answer] = {}

    def make(number: int) -> None:
        time.sleep(number * apart)
        got[number] = calls[number]()

    threads = [threading.Thread(target=make, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sure(len(got) == len(calls), "a call failed")
    return [got[number] for number in range(len(calls))]


def loses(method: str, part: str) -> Callable[[Message], bool]:
    """Return a test that is true for the first request of a method to a target with this part."""
    seen: list[int] = []

    def test(message: Message) -> bool:
        if message.method != method or part not in message.target or seen:
            return False
        seen.append(1)
        return True

    return test


def says(body: Any, status: int = 200, **fields: str) -> Callable[[Req], Res]:
    """Return a view that always says the same."""
    return lambda _req: Res(status, body, {key.replace("_", "-"): one for key, one in fields.items()})


def again(me: Actor, path: str, known: Answer, times: int = 1) -> None:
    """Ask whether something is still the same; it is."""
    for _ in range(times):
        time.sleep(0.15)
        me.get(path, 304, {"If-None-Match": known.etag})
