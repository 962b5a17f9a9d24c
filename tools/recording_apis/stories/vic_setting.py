"""Where vic's stories play, and the traffic beside them."""

from __future__ import annotations

import datetime as dt
import importlib
import random
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tools.recording_apis.apps.vic_core import Box, Res
from tools.recording_apis.apps.vic_serve import serve
from tools.recording_apis.names import route
from tools.recording_apis.servers import Server
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tools.recording.message import Message
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.apps.vic_core import Req
    from tools.recording_apis.stage import Stage


@dataclass
class Inside(Server):
    """A service that runs in this process."""

    ends: Callable[[], object] | None = None

    def stop(self) -> None:
        """Take no more requests."""
        if self.ends is not None:
            self.ends()


def open_box(
    stage: Stage, handler: Callable[[Req], Res], kind: str = "waitress", name: str = "", said: str = ""
) -> Server:
    """Serve a box with a tap before it.

    Args:
        stage: The story's stage.
        handler: The box.
        kind: What serves it.
        name: The product that it imitates, if any.
        said: The setting that matters to the story.
    """
    port, version, stop = serve(handler, kind)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.03)
    shown = f"imitation of {name} under {version}" if name else f"documents under {version}"
    made = Inside(port, shown, (), cast("Any", None), stage.directory())
    made.ends = stop
    if said:
        stage.config.append(said)
    key = (name or kind).lower().replace(" ", "-").replace("/", "")
    return stage.adopt(key if key not in stage.servers else f"{key}-2", made, recorded=True)


def sure(ok: object, said: object = "otherwise than told") -> None:
    """Insist on something beside the status."""
    if not ok:
        raise StoryError(str(said))


def rest(seconds: float = 0.3) -> None:
    """Let somebody think."""
    time.sleep(seconds)


def at_once(*calls: Callable[[], Answer], apart: float = 0.03) -> list[Answer]:
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


def drops(method: str, part: str, ordinal: int = 1) -> Callable[[Message], bool]:
    """Return a test that is true for one request of a method to a target with this part."""
    seen: list[int] = []

    def test(message: Message) -> bool:
        if message.method != method or part not in message.target:
            return False
        seen.append(1)
        return len(seen) == ordinal

    return test


def side(folder: str, count: int, **more: object) -> dict[str, Any]:
    """Return documents that take no part in a story."""
    return {
        f"{folder}/{number * 7 + 11}": {"id": number * 7 + 11, "state": "open", **more}
        for number in range(count)
    }


def stroll(
    me: Actor,
    paths: Sequence[str],
    steps: int,
    seed: int,
    *,
    fields: Mapping[str, str] | None = None,
    write: str = "If-Match",
) -> None:
    """Read, poll, list and change documents beside the story with the newest tag, as drawn by ``seed``.

    Args:
        me: Who sends.
        paths: What takes no part in the story.
        steps: How many exchanges.
        seed: Draws what is done.
        fields: Fields of each request.
        write: Field of the condition; empty for readers.
    """
    draw = random.Random(seed)  # noqa: S311 - draws a day, no secret
    held: dict[str, Answer] = {}
    own, folder = dict(fields or {}), paths[0].rsplit("/", 1)[0]
    for number in range(steps):
        path, what = draw.choice(list(paths)), draw.random()
        if what < 0.15:
            me.get(folder, 200, own)
        elif what < 0.22:
            me.get("/healthz", 200, own)
        elif path not in held or what < 0.45:
            held[path] = me.get(path, 200, own)
        elif what < 0.7 or not write:
            me.get(path, 304, {**own, "If-None-Match": held[path].etag})
        else:
            body = {**held[path].json, "state": ("open", "done", "hold")[number % 3], "n": number}
            held[path] = me.put(path, body, 200, {**own, write: held[path].etag})
        time.sleep(draw.choice((0.01, 0.05, 0.15)))


def glance(me: Actor, *paths: str, fields: Mapping[str, str] | None = None) -> list[Answer]:
    """Read what lies beside the story once."""
    return [me.send("GET", path, (200, 204, 404, 304), fields) for path in paths]


def chores(me: Actor, what: str) -> None:
    """Send what goes over the wire beside the story.

    Args:
        me: Who sends.
        what: Letters: ``h`` a health check, ``u`` who one is, ``j`` a script and its 304, ``c`` a style sheet and
            its 304, ``t`` telemetry, ``x`` something that is not there.
    """
    paths = {"h": "/healthz", "u": "/me", "j": "/static/app.9c1f.js", "c": "/static/site.css"}
    for letter in what:
        if letter == "t":
            me.send("POST", "/telemetry", 204, None, {"event": "view", "ms": 40 + len(me.host)})
        elif letter == "x":
            me.get("/favicon.ico", 404)
        else:
            got = me.get(paths[letter])
            if letter in "jc":
                me.get(paths[letter], 304, {"If-None-Match": got.etag})


def aside(box: Box, me: Actor, *paths: str) -> None:
    """Read what a product shows beside the story.

    Args:
        box: What serves it.
        me: Who reads.
        paths: Targets; each is there from the first time on.
    """
    for path in paths:
        known = path.partition("?")[0]
        box.fixed.setdefault(known, Res(200, {"href": known, "items": [len(known), len(path)], "next": None}))
        me.get(path)


def tap_statuses(stage: Stage, name: str = "upstream") -> list[int]:
    """Return the statuses at a tap so far."""
    return [one.response.status for one in stage.taps[name].recorded if one.response]


CHROME = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Accept": "application/json, text/plain, */*",
    "Sec-Fetch-Mode": "cors",
}


class Lake:
    """A boto3 S3 client behind a tap of its own.

    Args:
        stage: The story's stage.
        name: The actor's file.
        server: Where it sends to.
        loses: Requests whose answer is lost.
    """

    def __init__(
        self, stage: Stage, name: str, server: Server, loses: Callable[[Message], bool] | None = None
    ) -> None:
        self._port = stage.tap(name, server, loses)
        boto3 = importlib.import_module("boto3")
        config = importlib.import_module("botocore.config").Config(
            retries={"mode": "standard", "total_max_attempts": 3},
            proxies={},
            user_agent=f"Boto3/{boto3.__version__} md/Botocore ua/2.1 os/linux lang/python#3.11 cfg/retry-mode#standard",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self._errors = importlib.import_module("botocore.exceptions")
        self.client = boto3.client(
            "s3",
            endpoint_url="http://lake.store.test",
            region_name="eu-west-3",
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="nothing",  # noqa: S106 - the server checks nothing
            config=config,
        )

    def call(self, operation: str, expect: str = "", **named: Any) -> Any:
        """Call an operation and insist on its error code, empty for success."""
        route("lake.store.test", self._port)
        code, answer = "", {}
        try:
            answer = getattr(self.client, operation)(**named)
        except self._errors.ClientError as refused:
            code = str(refused.response["Error"]["Code"])
        sure(code == expect, f"{operation}: {code or answer}")
        return answer


def signature() -> str:
    """Return a shared access signature of Azurite's account."""
    library = importlib.import_module("azure.storage.blob")
    made: str = library.generate_account_sas(
        "notes",
        "ZXhhbXBsZQ==",
        resource_types=library.ResourceTypes(service=True, container=True, object=True),
        permission=library.AccountSasPermissions(read=True, write=True, delete=True, list=True, create=True),
        expiry=dt.datetime.now(dt.UTC) + dt.timedelta(days=3),
    )
    return made
