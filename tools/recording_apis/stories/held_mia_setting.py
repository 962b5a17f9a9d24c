"""Where the stories of mia play: a desk of documents on several servers, fronts, and small steps."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.ports import free_port
from tools.recording import components
from tools.recording_apis import servers
from tools.recording_apis.servers import Server
from tools.recording_apis.stage import Stage, StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ROOT = str(Path(__file__).resolve().parents[3])
J, T, M, X, C = "application/json", "text/plain", "text/markdown", "application/xml", "text/csv"
GZIP = {"Accept-Encoding": "gzip, deflate"}
PLAIN = {"Accept-Encoding": "identity"}
FRESH = {"Cache-Control": "no-cache"}
JSON = {"Content-Type": "application/json"}
_NAMES = {"flask": "gunicorn", "starlette": "uvicorn", "aiohttp": "aiohttp", "stdlib": "http.server"}


def dump(value: object) -> str:
    """Return compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def doc(value: object, age: float = 86400.5, media: str = J) -> tuple[str, str, float]:
    """Return a document for the desk's settings."""
    return media, value if isinstance(value, str) else dump(value), age


def _command(kind: str, port: int) -> list[str]:
    module = f"tools.recording_apis.apps.mia_{kind}"
    match kind:
        case "flask":
            tail = ["-k", "gthread", "--threads", "8", "--keep-alive", "30", "-b", f"127.0.0.1:{port}"]
            return [servers.program("gunicorn"), *tail, f"{module}:application"]
        case "starlette":
            tail = ["--host", "127.0.0.1", "--port", str(port), "--lifespan", "off"]
            return [servers.program("uvicorn"), f"{module}:application", *tail, "--timeout-keep-alive", "30"]
        case _:
            return [servers.program("python"), "-m", module, str(port)]


def desk(
    stage: Stage,
    kind: str,
    docs: Mapping[str, tuple[str, str, float]],
    clock: str = "",
    **told: Any,
) -> Server:
    """Start the desk on a server and put the upstream tap before it.

    Args:
        stage: The story's stage.
        kind: ``flask``, ``starlette``, ``aiohttp`` or ``stdlib``.
        docs: Documents by path.
        clock: How far the server's clock is off, as faketime takes it.
        told: Habits, see ``mia_core``.
    """
    port, directory = free_port(), stage.directory()
    command = _command(kind, port)
    if clock:
        command = [servers.program("faketime"), "-f", clock, *command]
    environment = {"MIA": json.dumps({"docs": docs, **told}), "PYTHONPATH": _ROOT}
    running = components.start(command[0], command[1:], directory, port, environment)
    stage.config += [f"{name}={value}" for name, value in told.items() if name not in {"auth", "cors"}]
    if clock:
        stage.config.append(f"server under FAKETIME={clock}")
    made = Server(running.port, f"desk under {_NAMES[kind]}", (), running.process, directory)
    return stage.adopt(kind, made, recorded=True)


def sure(*, holds: bool, otherwise: str) -> None:
    """Insist on what a story is about."""
    if not holds:
        raise StoryError(otherwise)


def together(*steps: Callable[[], object]) -> None:
    """Run steps at the same time and wait for all; raise what the first of them raised."""
    troubles: list[BaseException] = []

    def run(step: Callable[[], object]) -> None:
        try:
            step()
        except BaseException as trouble:  # noqa: BLE001 - handed on below
            troubles.append(trouble)

    threads = [threading.Thread(target=run, args=(one,)) for one in steps]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    if troubles:
        raise troubles[0]
