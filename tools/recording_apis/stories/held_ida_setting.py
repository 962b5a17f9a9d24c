"""Where the later stories of ida play."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording_apis.stories.vic_setting import at_once, drops, open_box, rest, sure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.apps.ida_wire import Desk
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

__all__ = ["again", "at_once", "drops", "look", "post", "rest", "serve", "sure", "told"]


def serve(stage: Stage, desk: Desk, kind: str, name: str = "") -> Server:
    """Open a desk with a tap before it."""
    return open_box(stage, desk, kind, name)


def look(me: Actor, *paths: str) -> list[Answer]:
    """Read what takes no part in the story."""
    return [me.send("GET", path, (200, 204, 404)) for path in paths]


def again(me: Actor, path: str, fields: Mapping[str, str] | None = None) -> None:
    """Read something twice, the second time with its tag."""
    got = me.get(path, 200, fields)
    me.get(path, 304, {**(fields or {}), "If-None-Match": got.etag})


def post(
    me: Actor,
    path: str,
    body: Any,
    expect: int | tuple[int, ...] = 200,
    fields: Mapping[str, str] | None = None,
) -> Answer:
    """Send a POST."""
    return me.send("POST", path, expect, fields, body)


def told(stage: Stage, vantage: str = "client") -> list[int]:
    """Return the statuses at a tap so far."""
    return [one.response.status for one in stage.taps[vantage].recorded if one.response]
