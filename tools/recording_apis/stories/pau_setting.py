"""Where pau's stories play: imitations in this process, real stores with their SDKs, and what goes along."""

from __future__ import annotations

import importlib
import json
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tools.recording_apis.apps.pau_engine import Answer as Told
from tools.recording_apis.apps.pau_engine import Product, serve
from tools.recording_apis.names import route
from tools.recording_apis.servers import Server
from tools.recording_apis.stage import Stage, StoryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording_apis.actors import Actor, Answer


_GOOGLE = ("Compute Engine", "People API", "Resource Manager", "Cloud DNS", "Firestore", "Google Calendar")
_SERVERS = {
    **dict.fromkeys(_GOOGLE, "ESF"),
    "Cloud Storage JSON": "UploadServer",
    "Cloud Storage XML": "UploadServer",
    "Confluence": "AtlassianEdge",
    "Contentful": "Contentful",
    "GitHub": "github.com",
    "Planner": "Microsoft-HTTPAPI/2.0",
    "SAP S4HANA": "SAP NetWeaver Application Server / ABAP 793",
    "OpenStack placement": "placement/13.0.0",
    "FHIR server": "HAPI FHIR 7.4",
    "z/OSMF files": "zOSMF",
}


@dataclass
class Hosted(Server):
    """An imitation that runs in this process."""

    ends: Callable[[], object] | None = None

    def stop(self) -> None:
        """Take no more requests."""
        if self.ends is not None:
            self.ends()


def api(stage: Stage, product: Product, name: str, runner: str = "waitress", said: str = "") -> Server:
    """Serve an imitation with a tap before it.

    Args:
        stage: The story's stage.
        product: The imitation.
        name: The product that it imitates.
        runner: What serves it.
        said: The setting that matters to the story.
    """
    product.server = _SERVERS.get(name, "")
    port, version, stop = serve(product, runner)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.05)
    nobody = cast("Any", None)
    made = Hosted(port, f"imitation of {name} under {version}", (), nobody, stage.directory())
    made.ends = stop
    if said:
        stage.config.append(said)
    key = name.lower().replace(" ", "-").replace("/", "")
    return stage.adopt(key if key not in stage.servers else f"{key}-2", made, recorded=True)


def must(ok: object, said: str) -> None:
    """Insist on something beside the status."""
    if not ok:
        raise StoryError(said)


def bearer(name: str, **more: str) -> dict[str, str]:
    """Return the fields of a user; what follows the last dot names him."""
    return {"Authorization": f"Bearer eyJhbGciOi.fake.{name}", **more}


def together(*calls: Callable[[], Answer], apart: float = 0.0) -> list[Answer]:
    """Make calls at the same time, each a little after the one before."""
    answers: dict[int, Any] = {}

    def make(number: int) -> None:
        time.sleep(number * apart)
        try:
            answers[number] = calls[number]()
        except Exception as error:  # noqa: BLE001 - raised again below
            answers[number] = error

    threads = [threading.Thread(target=make, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in answers.values():
        if isinstance(one, Exception):
            raise one
    return [answers[number] for number in range(len(calls))]


def first(method: str, part: str, times: int = 1) -> Callable[[Any], bool]:
    """Return a test that is true for the first requests of a method to a target with this part."""
    seen: list[int] = []

    def loses(message: Any) -> bool:
        if message.method == method and part in message.target and len(seen) < times:
            seen.append(1)
            return True
        return False

    return loses


def pause(seconds: float = 0.3) -> None:
    """Let the people and programs of the story think."""
    time.sleep(seconds)


class Aws:
    """A boto3 client behind a tap of its own.

    Args:
        stage: The story's stage.
        name: The actor's file.
        server: Where it sends to.
        service: Such as ``s3``.
        loses: Requests whose answer is lost.
        attempts: How often boto3 tries in all.
    """

    def __init__(  # noqa: PLR0917 - as boto3 is set up
        self,
        stage: Stage,
        name: str,
        server: Server,
        service: str,
        loses: Callable[[Any], bool] | None = None,
        attempts: int = 1,
    ) -> None:
        self._host = f"{service}.eu-north-1.test"
        self._port = stage.tap(name, server, loses)
        boto3 = importlib.import_module("boto3")
        special: dict[str, Any] = {}
        if service == "s3":
            special = {
                "s3": {"addressing_style": "path"},
                "request_checksum_calculation": "when_required",
                "response_checksum_validation": "when_required",
            }
        config = importlib.import_module("botocore.config").Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            proxies={},
            user_agent=f"Boto3/{boto3.__version__} md/Botocore ua/2.1 os/linux lang/python#3.11",
            **special,
        )
        self._errors = importlib.import_module("botocore.exceptions")
        self.client = boto3.client(
            service,
            endpoint_url=f"http://{self._host}",
            region_name="eu-north-1",
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="nothing",  # noqa: S106 - the server checks nothing
            config=config,
        )

    def call(self, operation: str, expect: str = "", **named: Any) -> dict[str, Any]:
        """Call an operation and insist on its error code, empty for success."""
        route(self._host, self._port)
        code, answer = "", {}
        try:
            answer = getattr(self.client, operation)(**named)
        except self._errors.ClientError as refused:
            code = str(refused.response["Error"]["Code"])
        if code != expect:
            raise StoryError(f"{operation}: {code or answer}, expected {expect or 'success'}")
        return cast("dict[str, Any]", answer)


def said(body: object, status: int = 200, **fields: str) -> Told:
    """Return a fixed answer."""
    return Told(status, body, {name.replace("_", "-"): value for name, value in fields.items()})


def dumped(body: object) -> bytes:
    """Return JSON for a media type of its own."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


_SHEETS = ("/assets/main.4f2c.js", "/static/css/app.css", "/ui/fonts/inter.woff2")


def beside(me: Actor, what: str) -> None:
    """Send what else goes over the wire beside the story.

    Args:
        me: Who sends.
        what: Letters: ``l`` a session with a cookie, ``a`` an asset and its 304, ``s`` a search, ``j`` a job that
            is asked for three times, ``t`` telemetry.
    """
    number = sum(me.host.encode())
    for letter in what:
        match letter:
            case "l":
                me.send("POST", "/session", 200, None, {"remember": True})
            case "a":
                asset = _SHEETS[number % 3]
                me.get(asset, 304, {"If-None-Match": me.get(asset).etag})
            case "s":
                me.get(f"/search?q={('pump', 'ferry', 'rota')[number % 3]}")
            case "j":
                for _ in range(3):
                    me.get("/jobs/import-7")
            case _:
                path = ("/telemetry", "/rum/v1/events")[number % 2]
                me.send("POST", path, 204, None, {"event": "view", "ms": number})
