"""What a case plays on: origins, taps, real programs and actors, all gone when the case is over."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tools.recording import components
from tools.recording.client import Client
from tools.recording.har import write_har
from tools.recording.origin import Habits, Origin, Reply
from tools.recording.tap import Tap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from tools.recording.components import Running
    from tools.recording.har import Json
    from tools.recording.message import Message


class StoryError(AssertionError):
    """The story did not come out as the case says it does."""


@dataclass(frozen=True, slots=True)
class Case:
    """A labelled story.

    Attributes:
        id: Such as ``d101``.
        slug: Short name.
        cause: The root cause by the id of the catalogue, or ``none`` for healthy traffic.
        outcome: What went wrong to see: ``412``, ``428``, ``lost-update``, ``healthy``, ...
        alone: Causes that the client's file by itself supports, best first.
        also: Other causes that are true as well.
        description: One or two sentences.
        config: The settings that matter.
        notes: What else a reader should know.
        expect: Statuses by file name, earliest first: the proof that the story was played.
        drive: Plays it.
        without_content: Files exported without the text of responses, as many tools do.
    """

    id: str
    slug: str
    cause: str
    outcome: str
    alone: tuple[str, ...]
    also: tuple[str, ...]
    description: str
    config: tuple[str, ...]
    notes: tuple[str, ...]
    expect: Mapping[str, Sequence[int]]
    drive: Callable[[Stage], None]
    without_content: frozenset[str] = frozenset()


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
    config: Sequence[str] = (),
    notes: Sequence[str] = (),
    without_content: str = "",
    **expect: Sequence[int],
) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
    """Register the decorated function as the play of a case; see ``Case`` for the arguments.

    ``alone`` and ``also`` are lists separated by blanks; other keywords name a file and its statuses.
    """

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
            tuple(config),
            tuple(notes),
            dict(expect),
            drive,
            frozenset(without_content.split()),
        )
        return drive

    return register


def is_held_out_module(name: str) -> bool:
    """Return whether the stories of a module are kept for final reporting: ``held_...``.

    Whoever works on the rules of the diagnosis reads neither these modules nor their recordings.
    """
    return name.rpartition(".")[2].startswith("held_")


class Stage:
    """The resources of one case; use as a context manager."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.servers: dict[str, str] = {}
        self.actors: dict[str, Client] = {}
        self.taps: dict[str, Tap] = {}

    def __enter__(self) -> Self:
        self.root = Path(
            self._stack.enter_context(
                tempfile.TemporaryDirectory(prefix="recording-", ignore_cleanup_errors=True)
            )
        )
        self.root.chmod(0o755)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for actor in self.actors.values():
            actor.close()
        self._stack.close()

    def directory(self) -> Path:
        """Return a fresh directory."""
        made = self.root / f"d{len(list(self.root.iterdir()))}"
        made.mkdir()
        return made

    def origin(
        self,
        habits: Habits | None = None,
        *,
        hook: Callable[[Origin, Message], Reply | None] | None = None,
        after_commit: Callable[[Origin, Message], Reply | None] | None = None,
    ) -> Origin:
        """Start a plain origin."""
        made = Origin(habits or Habits(), hook, after_commit)
        made.start()
        self._stack.callback(made.stop)
        self.servers.setdefault("origin", "plain origin of tools.recording")
        return made

    def tap(self, port: int, name: str = "upstream") -> int:
        """Start a tap before a port and return the port to use instead."""
        made = Tap(port, name)
        made.start()
        self._stack.callback(made.stop)
        self.taps[name] = made
        return made.port

    def client(
        self,
        port: int,
        host: str,
        style: str,
        always: Mapping[str, str] | None = None,
        *,
        name: str = "client",
        scheme: str = "http",
    ) -> Client:
        """Return an actor whose requests become the file ``name``."""
        made = Client(name, port, host, style, always, scheme=scheme)
        self.actors[name] = made
        return made

    def other(self, port: int, host: str, style: str, always: Mapping[str, str] | None = None) -> Client:
        """Return the second actor."""
        return self.client(port, host, style, always, name="other")

    def _keep(self, name: str, running: Running) -> int:
        self._stack.callback(running.stop)
        self.servers[name] = components.program_version(name)
        return running.port

    def nginx(self, server: str, http: str = "") -> int:
        """Start nginx with a server block and return its port."""
        return self._keep("nginx", components.start_nginx(self.directory(), server, http))

    def nginx_proxy(self, port: int, lines: str = "", http: str = "", host: str = "$http_host") -> int:
        """Start nginx as a reverse proxy with more lines in its location."""
        location = f"location / {{ proxy_pass http://127.0.0.1:{port}; proxy_http_version 1.1; "
        location += f'proxy_set_header Connection ""; proxy_set_header Host {host};\n{lines}\n}}'
        return self.nginx(location, http)

    def apache(self, body: str, directory: Path | None = None) -> int:
        """Start Apache httpd and return its port."""
        return self._keep("apache2", components.start_apache(directory or self.directory(), body))

    def haproxy(self, backends: str, frontend: str = " default_backend origin", extra: str = "") -> int:
        """Start HAProxy and return its port."""
        return self._keep("haproxy", components.start_haproxy(self.directory(), frontend, backends, extra))

    def tls(self, port: int) -> int:
        """Start HAProxy as the end of TLS before a port and return its own."""
        backend = (
            f"backend origin\n http-request set-header X-Forwarded-Proto https\n server one 127.0.0.1:{port}"
        )
        made = components.start_haproxy(self.directory(), " default_backend origin", backend, encrypted=True)
        return self._keep("haproxy", made)

    def squid(self, port: int, rules: str = "", site: str = "origin.test") -> int:
        """Start Squid before a port and return its own."""
        return self._keep("squid", components.start_squid(self.directory(), port, rules, site))

    def varnish(self, port: int, subroutines: str = "") -> int:
        """Start Varnish before a port and return its own."""
        return self._keep("varnishd", components.start_varnish(self.directory(), port, subroutines))

    def lighttpd(self, body: str, directory: Path | None = None) -> int:
        """Start lighttpd and return its port."""
        return self._keep("lighttpd", components.start_lighttpd(directory or self.directory(), body))

    def caddy(self, site: str) -> int:
        """Start Caddy and return its port."""
        return self._keep("caddy", components.start_caddy(self.directory(), site))

    def envoy(self, ports: Sequence[int], filters: str = "", route: str = "") -> int:
        """Start Envoy before ports and return its own."""
        return self._keep("envoy", components.start_envoy(self.directory(), ports, filters, route))

    def traefik(self, ports: Sequence[int], middlewares: str = "", names: str = "") -> int:
        """Start Traefik before ports and return its own."""
        return self._keep("traefik", components.start_traefik(self.directory(), ports, middlewares, names))

    def front(self, kind: str, port: int) -> int:
        """Start a plain reverse proxy of a kind before a port: nothing configured but the way."""
        match kind:
            case "nginx":
                return self.nginx_proxy(port)
            case "apache2":
                return self.apache(f"ProxyPreserveHost On\nProxyPass / http://127.0.0.1:{port}/\n")
            case "haproxy":
                return self.haproxy(f"backend origin\n server one 127.0.0.1:{port}")
            case "caddy":
                return self.caddy(f" reverse_proxy 127.0.0.1:{port}")
            case "envoy":
                return self.envoy([port])
            case "traefik":
                return self.traefik([port])
            case "lighttpd":
                return self.lighttpd(
                    f'server.modules = ("mod_proxy")\nserver.document-root = "DIR"\n'
                    f'proxy.server = ("" => (("host" => "127.0.0.1", "port" => {port})))\n'
                )
            case "varnishd":
                return self.varnish(port, "sub vcl_recv { return (pass); }")
            case _:
                raise ValueError(f"no plain proxy of kind {kind!r}")


def perform(one: Case, folder: Path) -> dict[str, list[int]]:
    """Play a case, check it, write its files.

    Args:
        one: The case.
        folder: Where the files go.

    Returns:
        Statuses by file name.

    Raises:
        StoryError: It came out otherwise than labelled; nothing is written.
        MissingProgramError: A program is not installed.
    """
    with Stage() as stage:
        one.drive(stage)
        recorded = {name: tap.recorded for name, tap in stage.taps.items()}
        recorded |= {name: actor.recorded for name, actor in stage.actors.items()}
        seen = {
            name: [
                item.response.status if item.response else 0
                for item in sorted(items, key=lambda x: x.started_ns)
            ]
            for name, items in recorded.items()
        }
        for name, statuses in one.expect.items():
            if list(statuses) != seen.get(name):
                raise StoryError(f"{one.id} {name}: expected {list(statuses)}, saw {seen}")
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{one.id}.*"):
            old.unlink()
        files: dict[str, Json] = {}
        for name, items in recorded.items():
            if items:
                content = name not in one.without_content
                statuses = write_har(folder / f"{one.id}.{name}.har", items, content=content)
                listed: list[Json] = [*statuses]
                files[name] = {"har": f"{one.id}.{name}.har", "entries": len(items), "statuses": listed}
        _write_label(one, folder, stage.servers, files)
        return seen


def _write_label(one: Case, folder: Path, servers: Mapping[str, str], files: dict[str, Json]) -> None:
    label: dict[str, Json] = {
        "id": one.id,
        "slug": one.slug,
        "cause": one.cause,
        "outcome": one.outcome,
        "acceptable_from_client_alone": list(one.alone),
        "also_true": list(one.also),
        "description": one.description,
        "servers": dict(servers),
        "config": list(one.config),
        "notes": list(one.notes),
        "files": files,
    }
    text = json.dumps(label, indent=1, ensure_ascii=False) + "\n"
    (folder / f"{one.id}.label.json").write_text(text, encoding="utf-8")
