"""What the stories of these modules share: saying what must hold, and doing things at the same time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording_apis.actors import Actor


def need(holds: object, otherwise: str) -> None:
    """Insist on something.

    Raises:
        StoryError: It does not hold.
    """
    if not holds:
        raise StoryError(otherwise)


def together(*calls: Callable[[], Any], apart: float = 0.05) -> list[Any]:
    """Make calls in threads, each a little later than the one before, and return what they gave.

    Raises:
        StoryError: One of them failed.
    """
    found: list[Any] = [None] * len(calls)

    def run(number: int) -> None:
        try:
            found[number] = calls[number]()
        except Exception as error:  # noqa: BLE001 - raised again in the story's own thread
            found[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
        time.sleep(apart)
    for thread in threads:
        thread.join()
    for one in found:
        if isinstance(one, Exception):
            raise StoryError(str(one)) from one
    return found


_BESIDE = (
    ("/me", "/assets/app.css", "/telemetry", "/notices"),
    ("/api/session", "/web/main.min.css", "/api/events", "/api/poll"),
    ("/konto", "/css/seite.css", "/zaehler", "/neues"),
)


def arrive(actor: Actor) -> None:
    """Send what an application sends when it opens: who am I, styles, telemetry."""
    kind = len(actor.host) % 3
    user, style, count, _ = _BESIDE[kind]
    actor.get(user)
    tag = actor.get(style).etag
    if kind != 1:
        actor.send("POST", count, 202, None, {"event": "open", "view": "list"})
    actor.get(style, 304, {"If-None-Match": tag})


def linger(actor: Actor) -> None:
    """Send what an application sends while its user thinks: a long poll, telemetry."""
    kind = len(actor.host) % 3
    _, _, count, poll = _BESIDE[kind]
    actor.get(poll, 204)
    actor.send("POST", count, 202, None, {"event": "focus", "ms": 350 + len(actor.host)})
    if kind == 2:
        actor.get(poll, 204)


def rest(seconds: float) -> None:
    """Let time pass, as between two steps of a person."""
    time.sleep(seconds)
