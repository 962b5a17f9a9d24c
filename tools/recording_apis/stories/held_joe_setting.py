"""What joe's stories share: helpers of the stage and the traffic beside a story on servers of files."""

from __future__ import annotations

import base64
import random
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.stories.vic_setting import at_once, drops, rest, signature, sure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage

__all__ = ["ANY", "at_once", "basic", "beside", "drops", "kinto", "mill", "rest", "signature", "sure", "walk"]

ANY = tuple(range(200, 600))

PROPS = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/><getlastmodified/></prop></propfind>'


def beside(folder: str, count: int, line: str = "row") -> dict[str, str]:
    """Return files that take no part in a story."""
    return {f"{folder}/{number * 13 + 5}.txt": f"{line} {number}\n" * (number + 3) for number in range(count)}


def mill(
    me: Actor, paths: Sequence[str], steps: int, seed: int, fields: Mapping[str, str] | None = None
) -> None:
    """Read files beside the story, again with their tags or dates, and ask for their heads.

    Args:
        me: Who reads.
        paths: Targets.
        steps: How many exchanges.
        seed: Draws what is done.
        fields: Fields of each request.
    """
    draw = random.Random(seed)  # noqa: S311 - draws a day, no secret
    held: dict[str, Answer] = {}
    own = dict(fields or {})
    for _ in range(steps):
        path, what = draw.choice(list(paths)), draw.random()
        if path not in held or what < 0.3:
            held[path] = me.send("GET", path, ANY, own)
        elif what < 0.45:
            me.send("HEAD", path, ANY, own)
        elif what < 0.8 and "etag" in held[path].fields:
            me.send("GET", path, ANY, {**own, "If-None-Match": held[path].etag})
        elif "last-modified" in held[path].fields:
            me.send("GET", path, ANY, {**own, "If-Modified-Since": held[path].fields["last-modified"]})
        time.sleep(draw.choice((0.01, 0.06, 0.12)))


def walk(me: Actor, path: str, depth: str = "1", fields: Mapping[str, str] | None = None) -> Answer:
    """List a collection with its tags."""
    asked = {**(fields or {}), "Depth": depth, "Content-Type": "application/xml"}
    return me.send("PROPFIND", path, 207, asked, PROPS)


def basic(user: str, word: str = "n0t-secret") -> dict[str, str]:
    """Return credentials."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{word}".encode()).decode()}


def kinto(
    stage: Stage, bucket: str, collection: str, users: Sequence[str], rows: Mapping[str, Any]
) -> tuple[Any, str]:
    """Start Kinto with a collection that all users may write; return it and the path of the records."""
    server = stage.server("kinto")
    setup = stage.actor("setup", server, "setup.test", "requests")
    for user in users:
        setup.put(f"/v1/accounts/{user}", {"data": {"password": "n0t-secret"}}, 201)
    own = basic(users[0])
    setup.put(f"/v1/buckets/{bucket}", {"permissions": {"write": ["system.Authenticated"]}}, 201, own)
    setup.put(f"/v1/buckets/{bucket}/collections/{collection}", {}, 201, own)
    base = f"/v1/buckets/{bucket}/collections/{collection}/records"
    for name, row in rows.items():
        setup.put(f"{base}/{name}", {"data": row}, 201, own)
    stage.forget()
    return server, base
