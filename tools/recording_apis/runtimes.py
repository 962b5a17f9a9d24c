"""More client programs as actors: Node.js (fetch, axios), Java, urllib, and httpx over HTTP/2."""

from __future__ import annotations

import base64
import importlib
import json
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.recording.har import Recorded
from tools.recording.message import Message
from tools.recording_apis.actors import Answer
from tools.recording_apis.servers import NODE_MODULES, program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CLIENTS = Path(__file__).resolve().parent / "clients"


class _Lines:
    """A program that reads a request a line and prints an answer a line."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=dict(environment) if environment else None,
        )
        self._lock = threading.Lock()

    def ask(self, line: str) -> str:
        """Pass one line in and return the one that comes out, empty when the program has ended."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("no pipes")
        with self._lock:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
            return self._process.stdout.readline()

    def close(self) -> None:
        """End the program."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()


class Node:
    """Node.js with its own fetch, or with a library of the npm registry."""

    def __init__(self, port: int, library: str = "fetch") -> None:
        command = [program("node"), str(_CLIENTS / "send.js"), str(port), library]
        self._lines = _Lines(command, {"NODE_PATH": str(NODE_MODULES), "PATH": "/usr/bin:/bin"})

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request."""
        content = None if body is None else base64.b64encode(body).decode("ascii")
        asked = {"method": method, "url": url, "headers": dict(headers), "body": content}
        told: dict[str, Any] = json.loads(self._lines.ask(json.dumps(asked)))
        fields = {name.lower(): value for name, value in told["fields"]}
        return Answer(told["status"], fields, base64.b64decode(told["body"]))

    def close(self) -> None:
        """End Node.js."""
        self._lines.close()


class Java:
    """Java's own HttpClient; its URLs carry the port, since it knows no other way to the story's host."""

    def __init__(self, host: str, port: int) -> None:
        names = f"-Djdk.net.hosts.file={_hosts(host)}"
        self._lines = _Lines(
            [program("java"), "-Xmx64m", names, str(_CLIENTS / "Send.java"), f"http://{host}:{port}"]
        )

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request."""
        content = "-" if body is None else base64.b64encode(body).decode("ascii")
        path = "/" + url.split("/", 3)[3]
        parts = [method, path, content, *(text for pair in headers.items() for text in pair)]
        status, content, *fields = self._lines.ask("\t".join(parts)).rstrip("\n").split("\t")
        pairs = dict(zip((name.lower() for name in fields[::2]), fields[1::2], strict=True))
        return Answer(int(status), pairs, base64.b64decode(content))

    def close(self) -> None:
        """End Java."""
        self._lines.close()


def _hosts(host: str) -> Path:
    path = Path(f"/tmp/hosts-of-{host}")  # noqa: S108 - names a story's host and nothing else
    path.write_text(f"127.0.0.1 {host}\n", encoding="ascii")
    return path


class Urllib:
    """Python's urllib: a connection for each request, redirects followed."""

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request."""
        request = urllib.request.Request(url, data=body, headers=dict(headers), method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=10) as got:
                return Answer(got.status, _lower(got.headers), got.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, _lower(refused.headers), refused.read())
        except OSError:
            return Answer(0, {}, b"")

    def close(self) -> None:
        """Leave nothing open."""


def _lower(fields: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in fields.items()}


class HttpxTwo:
    """The httpx library over TLS and HTTP/2, which keeps its own record: no tap sees into TLS.

    Attributes:
        recorded: What it sent and got, header names in lower case as HTTP/2 has them.
    """

    def __init__(self) -> None:
        self._library = importlib.import_module("httpx")
        self._client = self._library.Client(http2=True, verify=False, trust_env=False, timeout=10.0)
        self.recorded: list[Recorded] = []

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request."""
        secure = url.replace("http://", "https://", 1)
        request = self._client.build_request(method, secure, headers=dict(headers), content=body)
        started_ns, started = time.time_ns(), time.perf_counter()
        try:
            got = self._client.send(request, stream=True)
            waited = time.perf_counter() - started
            raw = b"".join(got.iter_raw())
        except self._library.HTTPError:
            self._note(request, None, started_ns, started, body)
            return Answer(0, {}, b"")
        lines = tuple((name.decode().lower(), value.decode("latin-1")) for name, value in got.headers.raw)
        start = f"{got.http_version} {got.status_code} "
        self._note(request, Message(start, lines, raw, b""), started_ns, started, body, waited=waited)
        return Answer(got.status_code, dict(lines), raw)

    def _note(
        self,
        request: Any,
        response: Message | None,
        started_ns: int,
        started: float,
        body: bytes | None,
        *,
        waited: float | None = None,
    ) -> None:
        seconds = time.perf_counter() - started
        lines = tuple((name.decode().lower(), value.decode("latin-1")) for name, value in request.headers.raw)
        path = request.url.raw_path.decode("ascii")
        named = tuple((":authority" if name == "host" else name, value) for name, value in lines)
        pseudo = ((":method", request.method), (":scheme", "https"), (":path", path))
        kept = pseudo + tuple(line for line in named if line[0] not in {"connection", "transfer-encoding"})
        sent = Message(f"{request.method} {path} HTTP/2", kept, body or b"", b"")
        url, error = str(request.url), None if response else "stream reset"
        self.recorded.append(Recorded(started_ns, seconds, waited or seconds, url, sent, response, error, 1))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
