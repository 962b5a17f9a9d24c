"""Where eva's stories play, and what its people share."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib
import json
import os
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tools.ports import free_port
from tools.recording_apis.apps.vic_serve import serve
from tools.recording_apis.names import route
from tools.recording_apis.servers import NODE_MODULES, Server, program
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.recording.message import Message
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.apps.vic_core import Req, Res
    from tools.recording_apis.stage import Stage

_APPS = Path(__file__).resolve().parents[1] / "apps"


@dataclass
class Within(Server):
    """An API that runs in the process that records."""

    ends: Callable[[], object] | None = None

    def stop(self) -> None:
        """Take no more requests."""
        if self.ends is not None:
            self.ends()


def host(stage: Stage, api: Callable[[Req], Res], kind: str, product: str, said: str = "") -> Server:
    """Serve an API with a tap before it.

    Args:
        stage: The story's stage.
        api: Answers requests.
        kind: What serves it, as ``vic_serve`` names it.
        product: What it imitates.
        said: The setting that matters to the story.
    """
    port, version, stop = serve(api, kind)
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.03)
    made = Within(port, f"imitation of {product} under {version}", (), cast("Any", None), stage.directory())
    made.ends = stop
    if said:
        stage.config.append(said)
    key = product.lower().replace(" ", "-").replace("/", "")
    return stage.adopt(key if key not in stage.servers else f"{key}-2", made, recorded=True)


def must(ok: object, said: object = "it came out otherwise") -> None:
    """Insist on something beside the status."""
    if not ok:
        raise StoryError(str(said))


def wait(seconds: float = 0.4) -> None:
    """Let time pass."""
    time.sleep(seconds)


def together(*calls: Callable[[], Answer], apart: float = 0.04) -> list[Answer]:
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


def loses(method: str, part: str, ordinal: int = 1) -> Callable[[Message], bool]:
    """Return a test that is true for one request of a method to a target with this part."""
    seen: list[int] = []

    def test(message: Message) -> bool:
        if message.method != method or part not in message.target:
            return False
        seen.append(1)
        return len(seen) == ordinal

    return test


def look(me: Actor, *paths: str, fields: Mapping[str, str] | None = None) -> None:
    """Read what lies beside the story."""
    for path in paths:
        me.get(path, 200, fields)


def shared_access() -> str:
    """Return a shared access signature of the account that Azurite has."""
    library = importlib.import_module("azure.storage.blob")
    made: str = library.generate_account_sas(
        "notes",
        "ZXhhbXBsZQ==",
        resource_types=library.ResourceTypes(service=True, container=True, object=True),
        permission=library.AccountSasPermissions(read=True, write=True, delete=True, list=True, create=True),
        expiry=dt.datetime.now(dt.UTC) + dt.timedelta(days=12),
    )
    return made


class Amazon:
    """A boto3 client of S3 behind a tap of its own.

    Args:
        stage: The story's stage.
        name: The actor's file.
        server: Where it sends to.
        domain: Host name of the endpoint.
    """

    def __init__(self, stage: Stage, name: str, server: Server, domain: str) -> None:
        self._port, self._domain = stage.tap(name, server), domain
        boto3 = importlib.import_module("boto3")
        config = importlib.import_module("botocore.config").Config(
            retries={"mode": "standard", "total_max_attempts": 2},
            proxies={},
            user_agent=f"Boto3/{boto3.__version__} ua/2.1 os/linux lang/python#3.12 cfg/retry-mode#standard app/press",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self._errors = importlib.import_module("botocore.exceptions")
        self._client = boto3.client(
            "s3",
            endpoint_url=f"http://{domain}",
            region_name="ca-central-1",
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="example",  # noqa: S106 - the server checks nothing
            config=config,
        )

    def __call__(self, operation: str, expect: str = "", **named: Any) -> Any:
        """Call an operation and insist on its error code, empty for success."""
        route(self._domain, self._port)
        code, answer = "", {}
        try:
            answer = getattr(self._client, operation)(**named)
        except self._errors.ClientError as refused:
            code = str(refused.response["Error"]["Code"])
        must(code == expect, f"{operation}: {code or answer}")
        return answer


def bench(stage: Stage, script: str, seed: Mapping[str, Any]) -> Server:
    """Start one of eva's scripts of Express with a tap before it; it takes its port and its content as arguments."""
    port, directory = free_port(), stage.directory()
    process = subprocess.Popen(
        [program("node"), str(_APPS / script), str(port), json.dumps(seed)],
        env={**os.environ, "NODE_PATH": str(NODE_MODULES)},
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.05)
    told = json.loads((NODE_MODULES / "express" / "package.json").read_text(encoding="utf-8"))
    return stage.adopt(
        "express", Server(port, f"Express {told['version']}", (), process, directory), recorded=True
    )


class Nearby:
    """What a service shows beside the story: read at first, asked for again under its tag later.

    Args:
        api: What serves it.
        me: Who reads.
        bodies: Content by path.
        tagged: Whether it has tags; without, it is simply read again.
    """

    def __init__(self, api: Any, me: Actor, bodies: Mapping[str, Any], *, tagged: bool = True) -> None:
        self._me = me
        self._paths = list(bodies)
        self._tags: dict[str, str] = {}
        for path, body in bodies.items():
            mark = hashlib.sha256(f"{path}{body}".encode()).hexdigest()[:14]
            api.beside(path, body, **({"ETag": f'"{mark}"'} if tagged else {}))

    def __call__(self, *numbers: int) -> None:
        """Read what has these numbers, all without any."""
        for number in numbers or range(len(self._paths)):
            path = self._paths[number]
            if path in self._tags:
                self._me.get(path, 304, {"If-None-Match": self._tags[path]})
            else:
                got = self._me.get(path)
                if "etag" in got.fields:
                    self._tags[path] = got.etag
