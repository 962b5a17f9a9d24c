"""Play one actor: send requests as a known kind of client would, and record them as that actor's HAR."""

from __future__ import annotations

import json
import select
import socket
import ssl
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.recording.har import Recorded
from tools.recording.message import (
    ConnectionEndedError,
    Fields,
    Message,
    Stream,
    keeps_open,
    read_response,
    write_message,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_BROWSER = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)


@dataclass(frozen=True, slots=True)
class Style:
    """The header habits of one kind of HTTP client.

    Attributes:
        before: Lines sent before those of the request itself; ``Host`` comes first unless named here.
        after: Lines sent behind them.
        lower: Whether names go out in lower case.
        keep_alive: Whether connections are used again.
        cookie: Value of a Cookie line, if any.
    """

    before: Fields = ()
    after: Fields = ()
    lower: bool = False
    keep_alive: bool = True
    cookie: str | None = None


STYLES: dict[str, Style] = {
    "curl": Style((("User-Agent", "curl/7.88.1"), ("Accept", "*/*"))),
    "requests": Style(
        (
            ("User-Agent", "python-requests/2.32.3"),
            ("Accept-Encoding", "gzip, deflate"),
            ("Accept", "*/*"),
            ("Connection", "keep-alive"),
        )
    ),
    "httpx": Style(
        (
            ("Accept", "*/*"),
            ("Accept-Encoding", "gzip, deflate"),
            ("Connection", "keep-alive"),
            ("User-Agent", "python-httpx/0.28.1"),
        )
    ),
    "aiohttp": Style(
        (
            ("Accept", "*/*"),
            ("Accept-Encoding", "gzip, deflate"),
            ("User-Agent", "Python/3.11 aiohttp/3.11.11"),
        )
    ),
    "browser": Style(
        (
            ("Connection", "keep-alive"),
            ("sec-ch-ua-platform", '"Linux"'),
            ("User-Agent", _BROWSER),
            ("sec-ch-ua", '"Chromium";v="131", "Not_A Brand";v="24"'),
            ("sec-ch-ua-mobile", "?0"),
            ("Accept", "application/json, text/plain, */*"),
        ),
        (
            ("Sec-Fetch-Site", "same-origin"),
            ("Sec-Fetch-Mode", "cors"),
            ("Sec-Fetch-Dest", "empty"),
            ("Accept-Encoding", "gzip, deflate"),
            ("Accept-Language", "en-GB,en;q=0.9"),
        ),
    ),
    "okhttp": Style(
        (), (("Connection", "Keep-Alive"), ("Accept-Encoding", "gzip"), ("User-Agent", "okhttp/4.12.0"))
    ),
    "axios": Style(
        (("Accept", "application/json, text/plain, */*"),),
        (
            ("User-Agent", "axios/1.7.9"),
            ("Accept-Encoding", "gzip, compress, deflate, br"),
            ("Connection", "keep-alive"),
        ),
    ),
    "undici": Style(
        (("connection", "keep-alive"),),
        (
            ("accept", "*/*"),
            ("accept-language", "*"),
            ("sec-fetch-mode", "cors"),
            ("user-agent", "node"),
            ("accept-encoding", "gzip, deflate"),
        ),
        lower=True,
    ),
    "go": Style((("User-Agent", "Go-http-client/1.1"),), (("Accept-Encoding", "gzip"),)),
    "java": Style((("Connection", "close"), ("User-Agent", "Java-http-client/21.0.5")), keep_alive=False),
    "urlsession": Style(
        (),
        (
            ("Accept", "*/*"),
            ("User-Agent", "Notes/318 CFNetwork/1568.200.51 Darwin/24.1.0"),
            ("Accept-Language", "de-DE,de;q=0.9"),
            ("Accept-Encoding", "gzip, deflate"),
            ("Connection", "keep-alive"),
        ),
    ),
    "dart": Style((("user-agent", "Dart/3.5 (dart:io)"), ("accept-encoding", "gzip")), lower=True),
    "powershell": Style(
        (("User-Agent", "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-GB) PowerShell/7.4.6"),)
    ),
    "davx5": Style(
        (),
        (
            ("User-Agent", "DAVx5/4.4.5-ose (dav4jvm; okhttp/4.12.0) Android/14"),
            ("Accept-Language", "en-GB, en;q=0.7, *;q=0.5"),
            ("Connection", "Keep-Alive"),
            ("Accept-Encoding", "gzip"),
        ),
    ),
    "postman": Style(
        (("User-Agent", "PostmanRuntime/7.43.0"), ("Accept", "*/*"), ("Cache-Control", "no-cache")),
        (("Accept-Encoding", "gzip, deflate, br"), ("Connection", "keep-alive")),
    ),
    "ruby": Style(
        (
            ("Accept-Encoding", "gzip;q=1.0,deflate;q=0.6,identity;q=0.3"),
            ("Accept", "*/*"),
            ("User-Agent", "Faraday v2.12.0"),
            ("Connection", "close"),
        ),
        keep_alive=False,
    ),
    "bare": Style((), (("Connection", "close"),), keep_alive=False),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request; ``status`` is 0 when nothing did."""

    status: int
    message: Message | None
    error: str | None

    @property
    def etag(self) -> str:
        """Return the ETag field's value; raise when the answer has none."""
        value = self.header("ETag")
        if value is None:
            raise LookupError(f"no ETag in an answer with status {self.status}")
        return value

    @property
    def last_modified(self) -> str:
        """Return the Last-Modified field's value; raise when the answer has none."""
        value = self.header("Last-Modified")
        if value is None:
            raise LookupError(f"no Last-Modified in an answer with status {self.status}")
        return value

    @property
    def body(self) -> bytes:
        """Return the content as it came, content coding included."""
        return self.message.body if self.message else b""

    def header(self, name: str) -> str | None:
        """Return a field's value or None."""
        return self.message.get(name) if self.message else None


class Client:
    """One actor with its own connections and its own recording.

    Args:
        name: Vantage name used for the file: ``client``, ``other``.
        port: Loopback port to send to.
        host: Value of the Host line and authority of the recorded URLs.
        style: Key of ``STYLES``.
        always: Lines sent with each request, such as Authorization or Cookie.
        scheme: ``https`` puts TLS around the connection; the certificate is not checked.

    Attributes:
        clock_offset: Seconds the actor's own clock is ahead: its recording is stamped by that clock.
    """

    def __init__(
        self,
        name: str,
        port: int,
        host: str,
        style: str,
        always: Mapping[str, str] | None = None,
        *,
        scheme: str = "http",
    ) -> None:
        self.name = name
        self.port = port
        self.host = host
        self.style = STYLES[style]
        self.always = dict(always or {})
        self.scheme = scheme
        self.clock_offset = 0.0
        self.recorded: list[Recorded] = []
        self._lock = threading.Lock()
        self._connections = 0
        self._idle: dict[int, tuple[Stream, int]] = {}

    def get(
        self,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        host: str | None = None,
        port: int | None = None,
    ) -> Answer:
        """Send a GET."""
        return self.send("GET", path, headers, host=host, port=port)

    def put(
        self,
        path: str,
        body: object,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float = 10.0,
        host: str | None = None,
        port: int | None = None,
    ) -> Answer:
        """Send a PUT; see ``send`` for the body."""
        return self.send("PUT", path, headers, body=body, timeout=timeout, host=host, port=port)

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        body: object = None,
        timeout: float = 10.0,
        host: str | None = None,
        port: int | None = None,
    ) -> Answer:
        """Send one request and record it with whatever came back.

        Args:
            method: Request method.
            path: Request target in origin form.
            headers: Lines of this request; a value that is None in ``always`` is replaced.
            body: Octets or text as they are; anything else goes out as JSON.
            timeout: Seconds without an octet after which the client gives up and closes.
            host: Another Host value than the actor's own.
            port: Another loopback port than the actor's own.

        Returns:
            The answer; status 0 when none came.
        """
        content, media_type = _content(body)
        fields = self._fields(method, host or self.host, dict(headers or {}), content, media_type)
        raw = write_message(f"{method} {path} HTTP/1.1", fields, content)
        request = Message(f"{method} {path} HTTP/1.1", fields, content, raw)
        return self._exchange(
            request, f"{self.scheme}://{host or self.host}{path}", port or self.port, timeout
        )

    def together(self, calls: Sequence[Callable[[], Answer]], stagger: float = 0.0) -> list[Answer]:
        """Run calls of this actor at the same time, each ``stagger`` seconds after the one before."""
        with ThreadPoolExecutor(len(calls)) as pool:
            started: list[Future[Answer]] = []
            for call in calls:
                started.append(pool.submit(call))
                time.sleep(stagger)
            return [one.result() for one in started]

    def close(self) -> None:
        """Close what is left open."""
        for stream, _ in self._idle.values():
            stream.connection.close()
        self._idle.clear()

    def _fields(
        self, method: str, host: str, headers: dict[str, str], content: bytes, media_type: str | None
    ) -> Fields:
        own = {**self.always, **headers}
        names = {name.lower() for name in own}
        lines = [("Host", host)]
        lines += [(name, value) for name, value in self.style.before if name.lower() not in names]
        lines += own.items()
        if content and media_type and "content-type" not in names:
            lines.append(("Content-Type", media_type))
        if content or method in {"PUT", "POST", "PATCH"}:
            lines.append(("Content-Length", str(len(content))))
        lines += [(name, value) for name, value in self.style.after if name.lower() not in names]
        return tuple((name.lower() if self.style.lower else name, value) for name, value in lines)

    def _connect(self, port: int, timeout: float) -> tuple[Stream, int]:
        with self._lock:
            kept = self._idle.pop(port, None)
        if kept is not None:
            stream, number = kept
            if not select.select([stream.connection], [], [], 0)[0]:
                stream.connection.settimeout(timeout)
                return stream, number
            stream.connection.close()
        connection = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.scheme == "https":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.maximum_version = ssl.TLSVersion.TLSv1_2  # no session tickets that look like an answer
            connection = context.wrap_socket(connection, server_hostname=self.host)
        with self._lock:
            self._connections += 1
            return Stream(connection), self._connections

    def _exchange(self, request: Message, url: str, port: int, timeout: float) -> Answer:
        started_ns, started = time.time_ns(), time.perf_counter()
        stream, number = self._connect(port, timeout)
        response, error = None, None
        try:
            stream.connection.sendall(request.raw)
            response = read_response(stream, request.method)
        except TimeoutError:
            error = f"timed out after {timeout:g} s"
        except ConnectionEndedError as ended:
            error = str(ended)
        except OSError as broken:
            error = broken.strerror or "connection lost"
        seconds = time.perf_counter() - started
        stamp = started_ns + int(self.clock_offset * 1_000_000_000)
        recorded = Recorded(stamp, seconds, seconds, url, request, response, error, number)
        with self._lock:
            self.recorded.append(recorded)
            kept = response is not None and self.style.keep_alive and keeps_open(response)
            if kept and port not in self._idle:
                self._idle[port] = (stream, number)
            else:
                stream.connection.close()
        return Answer(response.status if response else 0, response, error)


def _content(body: object) -> tuple[bytes, str | None]:
    if body is None:
        return b"", None
    if isinstance(body, bytes):
        return body, None
    if isinstance(body, str):
        return body.encode("utf-8"), None
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8"), "application/json"
