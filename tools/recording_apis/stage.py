"""What a case plays on: real servers, taps and actors, all gone when the case is over."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tools.recording.har import write_har
from tools.recording.tap import Tap
from tools.recording_apis.actors import Actor, Aiohttp, Curl, Httpx, Program, Requests, StoryError
from tools.recording_apis.runtimes import HttpxTwo, Java, Node, Urllib
from tools.recording_apis.servers import Server, start

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from tools.recording.har import Recorded
    from tools.recording.message import Message, Stream

__all__ = ["CASES", "Case", "LosingTap", "Stage", "StoryError", "case", "perform"]


@dataclass(frozen=True, slots=True)
class Case:
    """A labelled story.

    Attributes:
        id: Such as ``a101``.
        slug: Short name.
        cause: The root cause by the id of the catalogue, or ``none`` for healthy traffic.
        outcome: What went wrong to see: ``412``, ``428``, ``lost-update``, ``healthy``, ...
        alone: Causes that the client's file by itself supports, best first.
        also: Other causes that are true as well.
        description: One or two sentences.
        synthetic: Whether the server only imitates the product, after its documentation.
        notes: What else a reader should know.
        drive: Plays it; every step checks its status.
    """

    id: str
    slug: str
    cause: str
    outcome: str
    alone: tuple[str, ...]
    also: tuple[str, ...]
    description: str
    synthetic: bool
    notes: tuple[str, ...]
    drive: Callable[[Stage], None]


CASES: dict[str, Case] = {}


def case(
    identifier: str,
    slug: str,
    cause: str,
    outcome: str,
    *,
    alone: str,
    description: str,
    also: str = "",
    synthetic: bool = False,
    notes: Sequence[str] = (),
) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
    """Register the decorated function as the play of a case; ``alone`` and ``also`` are split at blanks."""

    def register(drive: Callable[[Stage], None]) -> Callable[[Stage], None]:
        if identifier in CASES:
            raise ValueError(f"{identifier} is taken")
        CASES[identifier] = Case(
            identifier,
            slug,
            cause,
            outcome,
            tuple(alone.split()),
            tuple(also.split()),
            description,
            synthetic,
            tuple(notes),
            drive,
        )
        return drive

    return register


class LosingTap(Tap):
    """A connection that breaks after the server has answered, for the requests that ``loses`` names."""

    def __init__(self, upstream_port: int, loses: Callable[[Message], bool]) -> None:
        super().__init__(upstream_port, "lossy")
        self._loses = loses

    def _relay(self, request: Message, down: Stream, up: Stream, number: int) -> bool:
        if not self._loses(request):
            return super()._relay(request, down, up, number)
        up.connection.sendall(request.raw)
        up.connection.recv(1)
        return False


class Stage:
    """The resources of one case; use as a context manager.

    Attributes:
        keeps_content: Whether the HARs hold the text of responses; many exports leave it out.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.servers: dict[str, str] = {}
        self.config: list[str] = []
        self.taps: dict[str, Tap] = {}
        self.curls: dict[str, Curl] = {}
        self.recorders: dict[str, HttpxTwo] = {}
        self.exported: dict[str, Path] = {}
        self.keeps_content = True
        self._fronts: dict[int, int] = {}

    def __enter__(self) -> Self:
        self.root = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="apis-", ignore_cleanup_errors=True))
        )
        self.root.chmod(0o755)  # Apache and Squid give up root
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def directory(self) -> Path:
        """Return a fresh directory."""
        made = self.root / f"d{len(list(self.root.iterdir()))}"
        made.mkdir()
        return made

    def server(self, name: str, **settings: Any) -> Server:
        """Start a server program by its name in ``servers`` and put the upstream tap before it."""
        started = start(name, self.directory(), **settings)
        self._stack.callback(started.stop)
        self.servers[name] = started.version
        self.config += started.config
        self._fronts[started.port] = self._tap(self._upstream(name), started.port)
        return started

    def _upstream(self, name: str) -> str:
        if not self.taps:
            return "upstream"
        return f"upstream-{name}" if f"upstream-{name}" not in self.taps else f"upstream-{name}-2"

    def adopt(self, name: str, server: Server, *, recorded: bool) -> Server:
        """Take a started web server or intermediary into the story.

        Args:
            name: Its program name.
            server: What runs.
            recorded: Whether a tap is put before it; an intermediary has the actors' taps there.
        """
        self._stack.callback(server.stop)
        self.servers[name] = server.version
        self._fronts[server.port] = self._tap(self._upstream(name), server.port) if recorded else server.port
        return server

    def behind(self, server: Server) -> int:
        """Return the port through which an intermediary reaches a server: the tap before it."""
        return self._fronts[server.port]

    def forget(self) -> None:
        """Drop what was recorded so far: it happened before the story began."""
        for tap in self.taps.values():
            tap.recorded.clear()
        for recorder in self.recorders.values():
            recorder.recorded.clear()

    def _tap(self, name: str, port: int) -> int:
        made = Tap(port, name)
        made.start()
        self._stack.callback(made.stop)
        self.taps[name] = made
        return made.port

    def tap(self, name: str, server: Server, loses: Callable[[Message], bool] | None = None) -> int:
        """Put an actor's tap before a server and return its port.

        Args:
            name: The actor's file name.
            server: The server.
            loses: Requests whose answer is lost on the way to this actor.
        """
        port = self._fronts[server.port]
        if loses is not None:
            lossy = LosingTap(port, loses)
            lossy.start()
            self._stack.callback(lossy.stop)
            port = lossy.port
        return self._tap(name, port)

    def actor(
        self,
        name: str,
        server: Server,
        host: str,
        program: str = "requests",
        always: Mapping[str, str] | None = None,
        *,
        loses: Callable[[Message], bool] | None = None,
    ) -> Actor:
        """Return an actor whose requests become the file ``name``.

        Args:
            name: ``client``, ``other`` or another vantage name.
            server: Where it sends to.
            host: Host name in its URLs.
            program: ``requests``, ``httpx``, ``aiohttp``, ``urllib``, ``java``, ``http2``, ``node`` with a
                library as in ``node:axios``, or ``curl`` with a style as in ``curl:trace-time``.
            always: Fields of each request.
            loses: Requests whose answer never reaches the actor.
        """
        port = self.behind(server) if program == "http2" else self.tap(name, server, loses)
        made = self._program(name, port, program, host)
        self._stack.callback(made.close)
        return Actor(host, port, made, always or {})

    def _program(self, name: str, port: int, program: str, host: str) -> Program:
        kind, _, style = program.partition(":")
        match kind:
            case "requests":
                return Requests(follows=style == "follow")
            case "httpx":
                return Httpx()
            case "aiohttp":
                return Aiohttp()
            case "curl":
                self.curls[name] = Curl(self.directory(), port, style or "verbose")
                return self.curls[name]
            case "urllib":
                return Urllib()
            case "java":
                return Java(host, port)
            case "node":
                return Node(port, style or "fetch")
            case "http2":
                self.recorders[name] = HttpxTwo()
                return self.recorders[name]
            case _:
                raise ValueError(f"no client program {program!r}")


def perform(one: Case, folder: Path) -> dict[str, list[int]]:
    """Play a case and write its files.

    Args:
        one: The case.
        folder: Where the files go.

    Returns:
        Statuses by file name.

    Raises:
        StoryError: It came out otherwise than labelled; nothing is written.
    """
    with Stage() as stage:
        one.drive(stage)
        recorded: dict[str, list[Recorded]] = {
            name: list(tap.recorded) for name, tap in stage.taps.items() if tap.recorded
        }
        recorded |= {name: recorder.recorded for name, recorder in stage.recorders.items()}
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{one.id}.*"):
            old.unlink()
        files: dict[str, dict[str, Any]] = {}
        for name, items in recorded.items():
            if name in stage.exported:
                continue
            statuses = write_har(folder / f"{one.id}.{name}.har", items, content=stage.keeps_content)
            files[name] = {"har": f"{one.id}.{name}.har", "entries": len(items), "statuses": statuses}
        for name, path in stage.exported.items():
            files[name] = _take_export(path, folder / f"{one.id}.{name}.har")
        for name, curl in stage.curls.items():
            if curl.printed:
                files[name]["curl_v"] = f"{one.id}.{name}.curl.txt"
                (folder / f"{one.id}.{name}.curl.txt").write_text(curl.printed, encoding="utf-8")
        _write_label(one, folder, stage, files)
        return {name: file["statuses"] for name, file in files.items()}


def _take_export(path: Path, target: Path) -> dict[str, Any]:
    log = json.loads(path.read_text(encoding="utf-8"))
    target.write_text(json.dumps(log, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    statuses = [entry["response"]["status"] for entry in log["log"]["entries"]]
    return {"har": target.name, "entries": len(statuses), "statuses": statuses}


def _write_label(one: Case, folder: Path, stage: Stage, files: Mapping[str, object]) -> None:
    label = {
        "id": one.id,
        "slug": one.slug,
        "cause": one.cause,
        "outcome": one.outcome,
        "acceptable_from_client_alone": list(one.alone),
        "also_true": list(one.also),
        "synthetic": one.synthetic,
        "description": one.description,
        "servers": stage.servers,
        "config": stage.config,
        "notes": list(one.notes),
        "files": files,
    }
    text = json.dumps(label, indent=1, ensure_ascii=False) + "\n"
    (folder / f"{one.id}.label.json").write_text(text, encoding="utf-8")
