"""Where the stories of the second kim play, and the traffic beside them."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any, cast

from tools.recording_apis.apps.kim_room import serve
from tools.recording_apis.stories import vic_setting
from tools.recording_apis.stories.vic_setting import Inside, at_once, drops, rest, sure, tap_statuses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.apps.vic_core import Req, Res
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

__all__ = [
    "at_once",
    "daily",
    "drops",
    "look",
    "opened",
    "poll",
    "recent",
    "rest",
    "ridge",
    "sure",
    "tap_statuses",
]

ridge = vic_setting.CHROME


def opened(stage: Stage, handler: Callable[[Req], Res], kind: str, said: str = "") -> Server:
    """Serve a room with a tap before it."""
    port, version, stop = serve(handler, kind)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.03)
    made = Inside(port, f"documents under {version}", (), cast("Any", None), stage.directory())
    made.ends = stop
    if said:
        stage.config.append(said)
    key = kind if kind not in stage.servers else f"{kind}-{len(stage.servers) + 1}"
    return stage.adopt(key, made, recorded=True)


def look(me: Actor, *paths: str) -> list[Answer]:
    """Read pages, each once; what has a tag is asked for again with it when its path says that it is static."""
    got = []
    for path in paths:
        answer = me.send("GET", path, (200, 204, 304, 404))
        got.append(answer)
        if "etag" in answer.fields and path.endswith((".js", ".css")):
            me.send("GET", path, (200, 304), {"If-None-Match": answer.etag})
    return got


def poll(me: Actor, path: str, known: str, times: int, expect: int = 304, *, every: float = 0.2) -> None:
    """Ask again and again whether something has changed."""
    for _ in range(times):
        time.sleep(every)
        me.get(path, expect, {"If-None-Match": known})


def daily(
    me: Actor,
    path: str,
    edits: Sequence[Mapping[str, Any]],
    *,
    name: str = "",
    field: str = "",
    every: float = 0.12,
) -> Any:
    """Read a document and change it in turns, as it should be done.

    Args:
        me: Who does it.
        path: Which.
        edits: What each change sets.
        name: Version in the content; the tag goes in If-Match when there is none.
        field: Field of the version, instead.
        every: Seconds between two steps.
    """
    seen = me.get(path)
    for edit in edits:
        time.sleep(every)
        held = {**seen.json, **edit}
        if field:
            seen = me.put(path, held, 200, {field: seen.fields[field.lower()]})
        elif name:
            seen = me.put(path, {**held, name: seen.json[name]}, 200)
        else:
            seen = me.put(path, held, 200, {"If-Match": seen.etag})
    return seen


def recent(at: float, seconds: float) -> bool:
    """Return whether a moment is no longer ago than so many seconds."""
    return time.time() - at < seconds
