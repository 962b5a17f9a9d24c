"""What the stories of this author share: applications in this process, twins of a client, and days at work."""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tools.ports import free_port
from tools.recording_apis import fronts
from tools.recording_apis.actors import Actor, Aiohttp, Answer, Httpx, Requests
from tools.recording_apis.apps import uma_core
from tools.recording_apis.servers import Server
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping, Sequence

    from tools.recording.message import Message
    from tools.recording_apis.stage import Stage


class Local(Server):
    """A server in this process."""

    def __init__(self, port: int, version: str, stop: Callable[[], None]) -> None:
        super().__init__(port, version, (), cast("subprocess.Popen[bytes]", None), Path())
        self._stop = stop

    def stop(self) -> None:
        """End its threads."""
        self._stop()


def house(stage: Stage, app: object, product: str, kind: str = "library", name: str = "service") -> Server:
    """Serve an application in this process and put the upstream tap before it.

    Args:
        stage: The story's stage.
        app: A function from request to answer.
        product: What its Server field says.
        kind: ``library``, ``waitress`` or ``cheroot``.
        name: Its name in the label; a second one needs another.
    """
    port = free_port()
    stop = uma_core.serve(app, port, product, kind)
    shown = {"library": "http.server of Python", "waitress": "waitress", "cheroot": "cheroot"}[kind]
    return stage.adopt(name, Local(port, f"{product} on {shown}", stop), recorded=True)


def holds(fact: object, otherwise: object = "the story came out otherwise") -> None:
    """Insist on something that the story says."""
    if not fact:
        raise StoryError(str(otherwise))


def twin(me: Actor, program: str = "requests", always: Mapping[str, str] | None = None) -> Actor:
    """Return a second connection of the same client: its requests go to the same file."""
    made = {"requests": Requests, "httpx": Httpx, "aiohttp": Aiohttp}[program]()
    return Actor(me.host, me.port, made, me.always if always is None else always)


def together(*calls: Callable[[], Answer], apart: float = 0.05) -> list[Answer]:
    """Run calls at the same time, each begun a moment after the one before, and return their answers in order."""
    answers: dict[int, Answer] = {}
    failed: list[BaseException] = []

    def run(number: int, call: Callable[[], Answer]) -> None:
        try:
            answers[number] = call()
        except StoryError as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for one in threads:
        one.start()
        time.sleep(apart)
    for one in threads:
        one.join()
    if failed:
        raise failed[0]
    return [answers[number] for number in range(len(calls))]


def pause(seconds: float = 1.1) -> None:
    """Let time pass, as people do."""
    time.sleep(seconds)


def reads(me: Actor, *paths: str, expect: int | tuple[int, ...] = 200, **fields: str) -> list[Answer]:
    """Read several things in a row."""
    return [
        me.send("GET", path, expect, {key.replace("_", "-"): one for key, one in fields.items()})
        for path in paths
    ]


def kept(me: Actor, path: str, seen: Answer, expect: int = 304) -> Answer:
    """Read again with the tag in hand."""
    return me.get(path, expect, {"If-None-Match": seen.etag})


def save(me: Actor, path: str, seen: Answer, expect: int = 200, method: str = "PUT", **fields: Any) -> Answer:
    """Store what was read with fields changed, under its tag."""
    return me.send(method, path, expect, {"If-Match": seen.etag}, {**seen.json, **fields})


def edit(me: Actor, path: str, expect: int = 200, **fields: Any) -> Answer:
    """Read, change and store under the tag."""
    return save(me, path, me.get(path), expect, **fields)


def rounds(me: Actor, paths: Sequence[str], steps: int, seed: int, name: str = "note") -> None:
    """Read, poll and change documents beside the story, in an order drawn by ``seed``."""
    draw = random.Random(seed)  # noqa: S311 - draws a day, no secret
    held: dict[str, Answer] = {}
    for number in range(steps):
        path = draw.choice(paths)
        what = draw.random()
        if path not in held or what < 0.25:
            held[path] = me.get(path)
        elif what < 0.55:
            kept(me, path, held[path])
        elif what < 0.85:
            own: dict[str, Any] = {name: f"{name} {number}"}
            held[path] = save(me, path, held[path], **own)
        else:
            me.get(path.rsplit("/", 1)[0])
        time.sleep(draw.choice((0.01, 0.05, 0.2)))


def moment(seconds: float = 0.0) -> str:
    """Return an HTTP date so many seconds from now."""
    return formatdate(time.time() + seconds, usegmt=True)


def stamp(seconds: float = 0.0) -> str:
    """Return a time as JSON has it, so many seconds from now."""
    return (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f")[
        :-3
    ] + "Z"


def nth(start: str, number: int) -> Callable[[Message], bool]:
    """Return what picks the request of that number among those whose first line begins so."""
    seen: list[int] = []

    def picks(request: Message) -> bool:
        if request.start_line.startswith(start):
            seen.append(1)
        return request.start_line.startswith(start) and len(seen) == number

    return picks


def upstream(stage: Stage, name: str = "upstream") -> list[Any]:
    """Return what was recorded before the server so far."""
    return list(stage.taps[name].recorded)


def dav(
    stage: Stage, files: Mapping[str, str | bytes], kind: str = "apache2", more: str = "", age: float = 9000.0
) -> Server:
    """Start a real WebDAV server on files."""
    return fronts.site(stage, kind, files, f"{fronts.DAV[kind]}\n{more}", age)


def paths(folder: str, count: int) -> list[str]:
    """Return the paths of what lies beside a story."""
    return [f"{folder}/{100 + 7 * number}" for number in range(count)]


def side(folder: str, count: int) -> dict[str, Any]:
    """Return documents beside a story."""
    kinds = ("open", "held", "paid", "left")
    return {
        path: {"ref": path[1:], "state": kinds[n % 4], "n": n} for n, path in enumerate(paths(folder, count))
    }


def glance(me: Actor, paths: Sequence[str], steps: int, seed: int) -> None:
    """Read things beside the story, in an order drawn by ``seed``."""
    draw = random.Random(seed)  # noqa: S311 - draws a day, no secret
    for _ in range(steps):
        me.get(draw.choice(paths))
        time.sleep(draw.choice((0.01, 0.06, 0.15)))
