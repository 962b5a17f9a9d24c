"""Client programs as actors: requests, httpx, aiohttp, curl, each behind a tap of its own."""

from __future__ import annotations

import asyncio
import importlib
import json
import shlex
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from tools.recording_apis.names import route

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class StoryError(AssertionError):
    """The story did not come out as its case says."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as a client program handed it over.

    Attributes:
        status: Status code; 0 when no answer came.
        fields: Header fields, names in lower case.
        body: Content.
    """

    status: int
    fields: Mapping[str, str]
    body: bytes

    @property
    def etag(self) -> str:
        """Return the ETag field; raise when there is none."""
        if "etag" not in self.fields:
            raise StoryError(f"no ETag in an answer with status {self.status}")
        return self.fields["etag"]

    @property
    def json(self) -> Any:
        """Return the content decoded as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """Return the content as text."""
        return self.body.decode("utf-8", "replace")


class Program(Protocol):
    """A client program that can send one request."""

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request and return what came; status 0 when nothing did."""

    def close(self) -> None:
        """Close what is open."""


@dataclass
class Actor:
    """One writer or reader: a client program that sends everything through its own tap.

    Args:
        host: Host name in its URLs.
        port: Loopback port of its tap.
        program: What sends.
        always: Fields of each request.
    """

    host: str
    port: int
    program: Program
    always: Mapping[str, str] = field(default_factory=dict)

    def send(
        self,
        method: str,
        path: str,
        expect: int | tuple[int, ...],
        headers: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Answer:
        """Send one request and insist on its status.

        Args:
            method: Request method.
            path: Request target.
            expect: The status, or the statuses, that the story allows; 0 is no answer.
            headers: Fields of this request.
            body: Octets or text as they are; anything else goes as JSON.

        Raises:
            StoryError: Another status came.
        """
        route(self.host, self.port)
        content, own = _content(body), {**self.always, **(headers or {})}
        if content is not None and not isinstance(body, str | bytes):
            own.setdefault("Content-Type", "application/json")
        answer = self.program.send(method, f"http://{self.host}{path}", own, content)
        allowed = (expect,) if isinstance(expect, int) else expect
        if answer.status not in allowed:
            raise StoryError(f"{method} {path}: {answer.status}, expected {expect}: {answer.text[:300]}")
        return answer

    def get(self, path: str, expect: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a GET."""
        return self.send("GET", path, expect, headers)

    def put(
        self,
        path: str,
        body: object,
        expect: int | tuple[int, ...],
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a PUT."""
        return self.send("PUT", path, expect, headers, body)


def _content(body: object) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode("utf-8")
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def _lower(fields: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in fields.items()}


class Requests:
    """The requests library with one session; it follows redirects only when told to."""

    def __init__(self, timeout: float = 10.0, *, follows: bool = False) -> None:
        self._library = importlib.import_module("requests")
        self._session = self._library.Session()
        self._session.trust_env = False
        self._timeout = timeout
        self._follows = follows

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request."""
        try:
            got = self._session.request(
                method, url, headers=headers, data=body, timeout=self._timeout, allow_redirects=self._follows
            )
        except self._library.RequestException:
            return Answer(0, {}, b"")
        return Answer(got.status_code, _lower(got.headers), got.content)

    def close(self) -> None:
        """Close the session."""
        self._session.close()


class Httpx:
    """The httpx library with one client."""

    def __init__(self, timeout: float = 10.0) -> None:
        self._library = importlib.import_module("httpx")
        self._client = self._library.Client(timeout=timeout, trust_env=False)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request."""
        try:
            got = self._client.request(method, url, headers=headers, content=body)
        except self._library.HTTPError:
            return Answer(0, {}, b"")
        return Answer(got.status_code, _lower(got.headers), got.content)

    def close(self) -> None:
        """Close the client."""
        self._client.close()


class Aiohttp:
    """The aiohttp library with one session in a loop of its own."""

    def __init__(self) -> None:
        self._library = importlib.import_module("aiohttp")
        self._loop = asyncio.new_event_loop()
        self._session: Any = None

    async def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        if self._session is None:
            self._session = self._library.ClientSession()
        try:
            async with self._session.request(method, url, headers=headers, data=body) as got:
                return Answer(got.status, _lower(got.headers), await got.read())
        except self._library.ClientError:
            return Answer(0, {}, b"")

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request."""
        return self._loop.run_until_complete(self._send(method, url, headers, body))

    def close(self) -> None:
        """Close the session and its loop."""
        if self._session is not None:
            self._loop.run_until_complete(self._session.close())
        self._loop.close()


class Curl:
    """The curl program; what it prints is kept.

    Args:
        directory: Where answers are put for the moment.
        port: Loopback port of the actor's tap.
        style: ``verbose``, ``trace-time`` (verbose with times) or ``trace-ascii``.

    Attributes:
        printed: Everything it has printed, as a terminal would show it.
        more: Further options of the next runs.
    """

    def __init__(self, directory: Path, port: int, style: str) -> None:
        self._directory = directory
        self._port = port
        self._flags = {
            "verbose": ["-v"],
            "trace-time": ["-v", "--trace-time"],
            "trace-ascii": ["--trace-ascii", "-", "--trace-time"],
        }[style]
        self._style = style
        self.printed = ""
        self.more: list[str] = []

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Run curl once."""
        host = url.split("/")[2]
        content, head = self._directory / "curl-content", self._directory / "curl-head"
        content.write_bytes(b"")
        shown = ["curl", *self._flags, *(["-I"] if method == "HEAD" else ["-X", method])]
        for name, value in headers.items():
            shown += ["-H", f"{name}: {value}"]
        shown += self.more
        if body is not None:
            (self._directory / "content.txt").write_bytes(body)
            inline = b"\r" not in body  # a carriage return does not survive a terminal
            shown += ["--data-binary", body.decode("utf-8") if inline else "@content.txt"]
        hidden = ["-s", "--connect-to", f"{host}:80:127.0.0.1:{self._port}"]
        hidden += ["-o", str(content), "-D", str(head)]
        done = subprocess.run(
            [*shown, *hidden, url], capture_output=True, check=False, timeout=30, cwd=self._directory
        )
        answered = content.read_bytes()
        log = (done.stdout if self._style == "trace-ascii" else done.stderr).decode("utf-8", "replace")
        end = b"" if self._style == "trace-ascii" else answered
        self.printed += f"$ {shlex.join([*shown, url])}\n{log}{end.decode('utf-8', 'replace')}\n"
        return (
            _parsed(head.read_bytes().decode("latin-1"), answered)
            if done.returncode == 0
            else Answer(0, {}, b"")
        )

    def close(self) -> None:
        """Leave nothing open: each run has ended."""


def _parsed(head: str, content: bytes) -> Answer:
    last = head.strip().split("\r\n\r\n")[-1].split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in last[1:])}
    return Answer(int(last[0].split(" ")[1]), fields, content)
