"""What the fourth series of stories has in common: services to write to, content, and calls at the same time."""

from __future__ import annotations

import json
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING, Any

from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tools.recording.message import Message
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

MERGE = {"Content-Type": "application/merge-patch+json"}
TEXT = {"Content-Type": "text/plain; charset=utf-8"}
ICS = {"Content-Type": "text/calendar; charset=utf-8"}
XML = {"Content-Type": "application/xml; charset=utf-8"}

ROTA: dict[str, Any] = {
    "team": "night shift",
    "weeks": [{"week": week, "lead": ("Aino", "Bjarne", "Chidi")[week % 3]} for week in range(30, 48)],
    "notes": "Hand over at 07:30; the pager stays with the lead.",
}
HANDBOOK = "# Handbook\n\n" + "".join(
    f"{number}. Ask team {'ABCD'[number % 4]} before you restart node {number * 3}.\n"
    for number in range(1, 30)
)


def shelf(stage: Stage, kind: str, seed: Mapping[str, object], **settings: str) -> Server:
    """Start the document service on a framework: flask, django, aiohttp, falcon or cherrypy.

    What its tags look like is drawn by the first path, unless ``TAG`` says it.
    """
    kinds = ("version", "hash", "time", "uuid")
    settings.setdefault("TAG", kinds[zlib.crc32("".join(list(seed)[:1]).encode()) % 4])
    return stage.server("application", app=f"shelf_{kind}", SEED=json.dumps(seed), **settings)


def at_once(
    calls: Sequence[Callable[[], Answer]], stagger: float = 0.05, refused: int | None = None
) -> list[Answer]:
    """Make calls that overlap, each a moment after the one before.

    Args:
        calls: What to do.
        stagger: Seconds between their starts.
        refused: How many of them must be answered 412, if the story says so.

    Raises:
        StoryError: Another number was.
    """
    with ThreadPoolExecutor(len(calls)) as pool:
        made = []
        for call in calls:
            made.append(pool.submit(call))
            time.sleep(stagger)
        answers = [one.result() for one in made]
    if refused is not None and sum(one.status == 412 for one in answers) != refused:
        raise StoryError(f"answered {[one.status for one in answers]}, expected {refused} times 412")
    return answers


def first_of(method: str) -> Callable[[Message], bool]:
    """Return a test that names the first request with a method."""
    seen = count()
    return lambda request: request.method == method and next(seen) == 0


def browse(actor: Actor, paths: Sequence[str], rounds: int = 1) -> None:
    """Read paths as background noise, again with the tags got."""
    tags: dict[str, str] = {}
    for _ in range(rounds):
        for path in paths:
            guard = {"If-None-Match": tags[path]} if path in tags else {}
            answer = actor.send("GET", path, (200, 304), guard)
            tags[path] = answer.fields.get("etag", "")
