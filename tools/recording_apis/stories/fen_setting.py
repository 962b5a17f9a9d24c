"""Where fen's stories play, and the traffic beside them."""

from __future__ import annotations

import importlib
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tools.ports import free_port
from tools.recording_apis import servers
from tools.recording_apis.names import route
from tools.recording_apis.stories.vic_setting import at_once, drops, open_box, sure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.recording.message import Message
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

__all__ = [
    "FIREFOX",
    "FORM",
    "Cloud",
    "at_once",
    "browse",
    "drops",
    "encode",
    "engine",
    "looks",
    "open_box",
    "post_form",
    "sign_in",
    "sure",
    "think",
    "touch_up",
]

_APPS = Path(__file__).resolve().parents[1] / "apps"
_FINE = (200, 204, 206, 301, 302, 304, 401, 403, 404)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FIREFOX = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "es-ES,es;q=0.8,en;q=0.5",
}


def think(seconds: float = 0.35) -> None:
    """Let some time pass."""
    time.sleep(seconds)


def encode(**fields: object) -> str:
    """Return a form's content."""
    return urlencode({name: str(value) for name, value in fields.items()})


def post_form(me: Actor, path: str, expect: int | tuple[int, ...], **fields: object) -> Answer:
    """Send a form."""
    return me.send("POST", path, expect, FORM, encode(**fields))


def browse(me: Actor, *paths: str, fields: Mapping[str, str] | None = None) -> None:
    """Read what lies beside a story; what has a tag a second time under it."""
    for path in paths:
        got = me.send("GET", path, (200, 204), fields)
        if "etag" in got.fields:
            me.send("GET", path, (200, 304), {**(fields or {}), "If-None-Match": got.fields["etag"]})


def looks(me: Actor, *paths: str, fields: Mapping[str, str] | None = None, more: bool = True) -> None:
    """Read what lies beside a story, whatever comes, and some of it again as a page or a poll does.

    Args:
        me: Who reads.
        paths: What.
        fields: Fields of each request.
        more: Whether some of it is read again.
    """
    known, draw = {}, random.Random(f"{me.host}{paths}")  # noqa: S311 - draws a day, no secret
    for path in paths:
        known[path] = me.send("GET", path, _FINE, fields).fields.get("etag")
    for _ in range(draw.choice((1, 2, 2, 3, 4)) if more else 0):
        time.sleep(draw.choice((0.02, 0.06, 0.14, 0.3)))
        path = draw.choice(paths)
        held = known[path] if draw.random() < 0.6 else None
        me.send("GET", path, _FINE, {**(fields or {}), **({"If-None-Match": held} if held else {})})


def sign_in(me: Actor, path: str, **fields: str) -> None:
    """Sign in at a path that takes no part in a story."""
    me.send("POST", path, 204, None, {**fields, "kennung": f"{len(path) * 7919:x}"})


def touch_up(me: Actor, path: str, **change: object) -> None:
    """Change something else under the tag of a read, without trouble."""
    seen = me.get(path)
    time.sleep(0.2)
    me.put(path, {**seen.json, **change}, (200, 204), {"If-Match": seen.etag})


def engine(
    stage: Stage, program: str, script: str, version: str, *arguments: str, probe: str = "/"
) -> Server:
    """Start a program of ``apps`` that is written in another language, with a tap before it.

    Args:
        stage: The story's stage.
        program: ``node``, ``java`` or ``perl``.
        script: File below ``apps``.
        version: What it is called.
        arguments: What follows the port.
        probe: Path that answers when it is ready.
    """
    port = free_port()
    command = [servers.program(program), str(_APPS / script), str(port), *arguments]
    environment = {"NODE_PATH": str(servers.NODE_MODULES)}
    made = servers._run(  # noqa: SLF001 - the way every starter goes
        command, port, stage.directory(), version, environment=environment, probe=probe
    )
    return stage.adopt(f"{program}-{script.partition('.')[0].split('_')[-1].lower()}", made, recorded=True)


class Cloud:
    """A boto3 client behind a tap of its own.

    Args:
        stage: The story's stage.
        name: The actor's file.
        server: Where it sends to.
        service: Name of the service.
        host: Host of the endpoint.
        loses: Requests whose answer is lost.
    """

    def __init__(  # noqa: PLR0917 - what a client has
        self,
        stage: Stage,
        name: str,
        server: Server,
        service: str,
        host: str,
        loses: Callable[[Message], bool] | None = None,
    ) -> None:
        self._port, self._host = stage.tap(name, server, loses), host
        boto3 = importlib.import_module("boto3")
        own: dict[str, Any] = {"s3": {"addressing_style": "path"}} if service == "s3" else {}
        config = importlib.import_module("botocore.config").Config(
            retries={"mode": "standard", "total_max_attempts": 2},
            proxies={},
            user_agent=f"Boto3/{boto3.__version__} md/Botocore ua/2.1 os/linux lang/python#3.11",
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            **own,
        )
        self._errors = importlib.import_module("botocore.exceptions")
        self.client = boto3.client(
            service,
            endpoint_url=f"http://{host}",
            region_name="eu-north-1",
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="nothing",  # noqa: S106 - the server checks nothing
            config=config,
        )

    def call(self, operation: str, expect: str = "", **named: Any) -> Any:
        """Call an operation and insist on its error code, empty for success."""
        route(self._host, self._port)
        code, answer = "", {}
        try:
            answer = getattr(self.client, operation)(**named)
        except self._errors.ClientError as refused:
            code = str(refused.response["Error"]["Code"])
        sure(code == expect, f"{operation}: {code or answer}")
        return answer
