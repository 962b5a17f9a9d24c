"""Where noa's stories play: imitated APIs of ``apps/noa_*``, real stores, and what their clients send along."""

from __future__ import annotations

import importlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import quote

from tools.ports import free_port
from tools.recording import components
from tools.recording_apis.apps.noa_engine import BEACONS, FINDS, SELVES, SHEETS
from tools.recording_apis.names import route
from tools.recording_apis.servers import Server, program
from tools.recording_apis.stage import Stage, StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.recording_apis.actors import Actor, Answer

_RUNNERS = {"waitress": "waitress", "cheroot": "cheroot"}


def api(
    stage: Stage, name: str, seed: Mapping[str, object], runner: str = "waitress", **settings: str
) -> Server:
    """Start an imitated API with a tap before it.

    Args:
        stage: The story's stage.
        name: Key of ``noa_tagged.APIS``.
        seed: What is there before, by key.
        runner: The WSGI server below it.
        settings: Its faults and other environment.
    """
    port, directory = free_port(), stage.directory()
    environment = {
        "API": name,
        "SEED": json.dumps(seed),
        "RUNNER": runner,
        "PYTHONPATH": str(_root()),
        **settings,
    }
    arguments = ["-m", "tools.recording_apis.apps.noa_tagged", str(port)]
    running = components.start(program("python"), arguments, directory, port, environment)
    kind = settings.get("KIND", name)
    stage.config += [f"{key}={value}" for key, value in settings.items() if key not in {"KIND", "WRITTEN"}]
    made = Server(port, f"imitation of {kind} under {_RUNNERS[runner]}", (), running.process, directory)
    return stage.adopt(kind if kind not in stage.servers else f"{kind}-2", made, recorded=True)


def _root() -> object:
    return components.__file__.rsplit("/tools/", 1)[0]


def must(ok: object, said: str) -> None:
    """Insist on something beside the status."""
    if not ok:
        raise StoryError(said)


def together(*calls: Callable[[], Answer], apart: float = 0.0) -> list[Answer]:
    """Make calls at the same time, each a little after the one before."""
    answers: dict[int, Any] = {}

    def make(number: int) -> None:
        time.sleep(number * apart)
        try:
            answers[number] = calls[number]()
        except StoryError as error:
            answers[number] = error

    threads = [threading.Thread(target=make, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in answers.values():
        if isinstance(one, StoryError):
            raise one
    return [answers[number] for number in range(len(calls))]


def browse(me: Actor, what: str) -> None:
    """Send what else goes over the wire beside the story.

    Args:
        me: Who sends.
        what: Letters: ``c`` a style sheet and its 304, ``w`` who I am, ``f`` a search, ``r`` a slow report, ``t`` telemetry.
    """
    kind = sum(me.host.encode()) % 4
    words = ("invoice", "harbour", "tulip", "rota 12", "ward")
    for number, letter in enumerate(what):
        match letter:
            case "c":
                me.get(SHEETS[kind], 304, {"If-None-Match": me.get(SHEETS[kind]).etag})
            case "w":
                me.get(SELVES[kind])
            case "f":
                word = quote(words[(kind + number) % 5])
                me.get(f"{FINDS[kind]}?q={word}", 200, {"Accept-Encoding": "gzip"})
            case "r":
                me.get("/report")
            case _:
                event = {"event": ("opened", "scrolled", "focus", "ping")[(number + kind) % 4], "n": number}
                me.send("POST", BEACONS[kind], 204, None, event)


def bearer(name: str, **more: str) -> dict[str, str]:
    """Return the fields of a user; what follows the last dot names him."""
    return {"Authorization": f"Bearer eyJhbGciOi.fake.{name}", **more}


def signed(key: str) -> dict[str, str]:
    """Return the fields of a request to S3 under a key; the stores here check no signature."""
    scope = f"{key}/20261127/us-east-1/s3/aws4_request"
    said = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature=00fake00"
    return {"Authorization": said, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}


def first_write(path: str, method: str = "PUT") -> Callable[[Any], bool]:
    """Return a test that is true for the first write to a path."""
    seen: list[int] = []

    def loses(message: Any) -> bool:
        if message.method == method and message.target.startswith(path) and not seen:
            seen.append(1)
            return True
        return False

    return loses


class Account:
    """A client of Azure's SDK for Python behind a tap of its own, without retries."""

    def __init__(self, stage: Stage, server: Server, name: str) -> None:
        self._host, self._port = "notes.azurite.test", stage.tap(name, server)
        library = importlib.import_module("azure.storage.blob")
        key = {"account_name": "notes", "account_key": "ZXhhbXBsZQ=="}
        settings = {"credential": key, "retry_total": 0, "api_version": "2025-01-05"}
        with patch("platform.platform", return_value="Linux-x86_64"):  # its name is sent along
            self._client = library.BlobServiceClient(f"http://{self._host}/notes", **settings)

    @property
    def service(self) -> Any:
        """Return the SDK's client; connections that it opens now go through the own tap."""
        route(self._host, self._port)
        return self._client

    def blob(self, container: str, name: str) -> Any:
        """Return the SDK's client of a blob, for one call."""
        with patch("platform.platform", return_value="Linux-x86_64"):
            return self.service.get_blob_client(container, name)


def fails(what: Callable[[], object], statuses: int | tuple[int, ...]) -> None:
    """Insist that a call of an SDK is refused with one of some statuses."""
    allowed = (statuses,) if isinstance(statuses, int) else statuses
    library = importlib.import_module("azure.core.exceptions")
    try:
        what()
    except library.HttpResponseError as error:
        must(error.status_code in allowed, f"{error.status_code}: {error.message}")
    else:
        raise StoryError("it was taken")


def not_modified() -> Any:
    """Return the SDK's name of If-Match."""
    return importlib.import_module("azure.core").MatchConditions.IfNotModified
