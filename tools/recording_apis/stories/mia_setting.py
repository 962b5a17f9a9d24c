"""Where the stories of mia play: a desk of documents on several servers, fronts, and small steps."""

from __future__ import annotations

import json
import threading
import urllib.request
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.ports import free_port
from tools.recording import components
from tools.recording_apis import servers
from tools.recording_apis.servers import Server
from tools.recording_apis.stage import Stage, StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.recording_apis.actors import Actor

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


def doc(value: object, age: float | None = None, media: str = J) -> tuple[str, str, float]:
    """Return a document for the desk's settings; without an age, one that its content decides."""
    text = value if isinstance(value, str) else dump(value)
    return media, text, 900.37 + zlib.crc32(text.encode()) % 4_000_000 if age is None else age


_ASIDE = {
    "/assets/site.css": doc("main { margin: 2em }\n", None, "text/css"),
    "/me": doc({"locale": "en", "unread": 3, "beta": False}),
}


def around(me: Actor, times: int) -> None:
    """Do what programs do beside their work: a style sheet, the own account, a note of use."""
    for turn in range(times):
        match turn % 3:
            case 0:
                seen = me.get("/assets/site.css").fields
                tag, date = seen.get("etag"), seen.get("last-modified", "")
                known = {"If-None-Match": tag} if tag else {"If-Modified-Since": date}
                me.get("/assets/site.css", 304, known)
            case 1:
                me.get("/me")
            case _:
                me.send("POST", "/telemetry", 202, JSON, dump({"event": "tick", "n": turn}))


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
    told.setdefault("actions", {"/telemetry": []})
    environment = {"MIA": json.dumps({"docs": {**docs, **_ASIDE}, **told}), "PYTHONPATH": _ROOT}
    running = components.start(command[0], command[1:], directory, port, environment)
    stage.config += [
        f"{name}={value}" for name, value in told.items() if name not in {"auth", "cors", "actions"}
    ]
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


def unseen(server: Server, path: str, body: object) -> None:
    """Store a document at the server past every tap: somebody of whom no file tells."""
    content = dump(body).encode("utf-8")
    asked = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", content, JSON, method="PUT")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=10) as answer:
        sure(holds=answer.status < 300, otherwise=str(answer.status))
