"""What cal's stories share."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tools.recording_apis.stories.vic_setting import at_once, drops, open_box, rest, sure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.apps.cal_books import Books
    from tools.recording_apis.apps.vic_core import Doc

__all__ = [
    "at_once",
    "basic",
    "drops",
    "hashed",
    "numbered",
    "open_box",
    "post",
    "rest",
    "sure",
    "usual",
    "watch",
]


def hashed(_path: str, doc: Doc) -> str:
    """Return a tag of the content."""
    return f'"{doc.digest("sha1")[:16]}"'


def numbered(_path: str, doc: Doc) -> str:
    """Return a tag of the revision."""
    return f'"r{doc.rev}"'


def basic(user: str) -> dict[str, str]:
    """Return the credentials of a user without a secret."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:x".encode()).decode()}


def post(me: Actor, path: str, fields: Mapping[str, object], expect: int | tuple[int, ...] = 303) -> Answer:
    """Send a form as a browser does."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return me.send("POST", path, expect, form, urlencode({name: str(one) for name, one in fields.items()}))


def watch(me: Actor, paths: Sequence[str], rounds: int = 2, pause: float = 0.15) -> dict[str, Answer]:
    """Poll: read once, then ask again with the tag that came."""
    held = {path: me.get(path) for path in paths}
    for _ in range(rounds):
        rest(pause)
        for path in paths:
            me.get(path, 304, {"If-None-Match": held[path].etag})
    return held


def usual(books: Books, me: Actor, *paths: str, pause: float = 0.1) -> None:
    """Read what lies beside a story, and ask again with the tag that came.

    Args:
        books: What serves it; each path is there from the first time on.
        me: Who reads.
        paths: Targets.
        pause: Seconds between the two reads.
    """
    for path in paths:
        size = len(path)
        books.static(
            path, {"href": path, "entries": list(range(size % 7 + 2))}, ETag=f'"{size:02x}{size * 7919:06x}"'
        )
        got = me.get(path)
        rest(pause)
        me.get(path, 304, {"If-None-Match": got.etag})
