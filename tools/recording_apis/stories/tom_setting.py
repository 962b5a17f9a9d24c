"""Where tom's stories play: imitations in this process, and what goes along with a story."""

from __future__ import annotations

import datetime as dt
import functools
import importlib
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tools.recording_apis.apps.tom_engine import Product, Reply, serve
from tools.recording_apis.servers import Server
from tools.recording_apis.stage import Stage, StoryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording_apis.actors import Actor, Answer


@dataclass
class Within(Server):
    """An imitation that runs in this process."""

    ends: Callable[[], None] | None = None

    def stop(self) -> None:
        """Take no more requests."""
        if self.ends is not None:
            self.ends()


def api(stage: Stage, product: Product, name: str) -> Server:
    """Serve an imitation of the named product with a tap before it."""
    port, ends = serve(product)
    nobody = cast("Any", None)
    made = Within(port, f"imitation of {name} on http.server", (), nobody, stage.directory())
    made.ends = ends
    key = name.lower().replace(" ", "-").replace("/", "")
    while key in stage.servers:
        key += "-2"
    return stage.adopt(key, made, recorded=True)


def must(ok: object, said: str) -> None:
    """Insist on something beside the status."""
    if not ok:
        raise StoryError(said)


def bearer(name: str, **more: str) -> dict[str, str]:
    """Return the fields of a user, who is named after the last dot; underscores become hyphens."""
    fields = {key.replace("_", "-"): value for key, value in more.items()}
    return {"Authorization": f"Bearer eyJ0eXAi.{name}", **fields}


def at_once(*calls: Callable[[], Answer], apart: float = 0.02) -> list[Answer]:
    """Make calls that overlap, each a little after the one before."""
    answers: list[Any] = [None] * len(calls)

    def make(number: int) -> None:
        time.sleep(number * apart)
        try:
            answers[number] = calls[number]()
        except Exception as error:  # noqa: BLE001 - raised again below
            answers[number] = error

    threads = [threading.Thread(target=make, args=(number,)) for number in range(len(calls))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


def once(method: str, part: str) -> Callable[[Any], bool]:
    """Return a test that is true for the first request of a method to a target with this part."""
    seen: list[int] = []

    def loses(message: Any) -> bool:
        if seen or message.method != method or part not in message.target:
            return False
        seen.append(1)
        return True

    return loses


def rest(seconds: float = 0.25) -> None:
    """Let time pass between what people or programs do."""
    time.sleep(seconds)


def look(me: Actor, name: str = "app.css") -> None:
    """Fetch an asset and validate it."""
    path = f"/assets/{name}"
    tag = me.get(path).etag
    me.get(path, 304, {"If-None-Match": tag})


def ping(me: Actor, times: int = 1) -> None:
    """Ask for the health."""
    for _ in range(times):
        me.get("/healthz")


def report(me: Actor) -> None:
    """Send telemetry."""
    me.send("POST", "/telemetry/v2/track", 204, None, {"name": "view", "n": len(me.host)})


def sign_in(me: Actor) -> None:
    """Get a token as programs do before they begin."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    me.send("POST", "/oauth2/token", 200, form, f"grant_type=client_credentials&scope={me.host}")


def wait_for(me: Actor, job: str) -> None:
    """Ask for a job until it is done."""
    while me.get(f"/jobs/{job}").json["state"] != "done":
        rest(0.1)


def news(me: Actor) -> None:
    """Read the feed, and again with its tag."""
    tag = me.get("/feed?limit=20").etag
    me.send("GET", "/feed?limit=20", (200, 304), {"If-None-Match": tag})


def seek(me: Actor, words: str) -> None:
    """Search for words."""
    me.send("POST", "/search", 200, None, {"query": words, "size": 10})


def kept(reply: Reply) -> Reply:
    """Let caches keep a whole answer for a minute."""
    if reply.status == 200:
        reply.fields["Cache-Control"] = "public, max-age=60"
    return reply


@functools.cache
def _signature() -> str:
    """Return the query that lets a client do anything in Azurite's account."""
    library = importlib.import_module("azure.storage.blob")
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=2)
    kinds = library.ResourceTypes(service=True, container=True, object=True)
    may = library.AccountSasPermissions.from_string("rwdlacu")
    return str(library.generate_account_sas("notes", "ZXhhbXBsZQ==", kinds, may, until))


def azure(  # noqa: PLR0917 - as Actor.send
    me: Actor,
    method: str,
    path: str,
    expect: int | tuple[int, ...],
    headers: dict[str, str] | None = None,
    body: object = None,
) -> Answer:
    """Send a request of Blob storage with a shared access signature."""
    return me.send(method, f"{path}{'&' if '?' in path else '?'}{_signature()}", expect, headers, body)
