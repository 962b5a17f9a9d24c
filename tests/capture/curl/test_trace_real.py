"""What the installed curl writes reads as what a server on loopback saw."""

from __future__ import annotations

import gzip
import http.server
import io
import os
import shutil
import socket
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from ifmatch import capture
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.model.exchange import Capture

CURL = shutil.which("curl")
if CURL is None and os.environ.get("CI") == "true":
    pytest.fail("curl is missing on a machine of CI", pytrace=False)
pytestmark = pytest.mark.skipif(CURL is None, reason="curl is not installed")

JSON = b'{"status": "open",\n "total": 1.5, "note": "a.b"}\n'
BINARY = bytes(range(256)) * 3


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[dict[str, Any]]

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        status, content, fields = 200, JSON, {"ETag": '"v1"', "Content-Type": "application/json"}
        if self.path == "/redirect":
            status, content, fields = 302, b"moved", {"Location": "/json", "Content-Type": "text/plain"}
        elif self.path == "/binary":
            content, fields = BINARY, {"ETag": '"\xe9"', "Content-Type": "application/octet-stream"}
        elif self.path == "/gzip":
            content, fields = gzip.compress(JSON), {"ETag": '"v1-gzip"', "Content-Encoding": "gzip"}
        elif self.path == "/empty":
            status, content, fields = 412, b"", {"ETag": 'W/"x"'}
        elif self.path == "/chunked":
            fields = {"ETag": '"v1"', "Transfer-Encoding": "chunked", "Content-Type": "application/json"}
        sent = self.rfile.read(length)
        if self.path == "/hangup":
            self.seen.append(
                {"method": self.command, "path": self.path, "status": 0, "sent": sent, "etag": None}
            )
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.seen.append(
            {
                "method": self.command,
                "path": self.path,
                "status": status,
                "sent": sent,
                "etag": fields.get("ETag"),
                "content": JSON if self.path == "/gzip" else content,
                "if-match": self.headers.get("If-Match"),
            }
        )
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        if "Transfer-Encoding" in fields:
            self.end_headers()
            half = len(content) // 2
            for piece in (content[:half], content[half:], b""):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            return
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_PATCH = _answer  # noqa: N815 - the names that http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    seen: list[dict[str, Any]] = []
    handler = type("Handler", (_Handler,), {"seen": seen})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}", seen
        finally:
            running.shutdown()
            thread.join()


def _curl(*arguments: str) -> bytes:
    """Run curl as `curl ... > file 2>&1` does."""
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(
        [CURL or "curl", "-q", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        timeout=120,
        check=False,
    )
    return done.stdout


def _read(octets: bytes) -> Capture:
    return capture.read(io.BytesIO(octets), "trace")


def _compare(read: Capture, seen: list[dict[str, Any]], base: str) -> None:
    assert [(e.request.method, e.request.url, e.status) for e in read.exchanges] == [
        (s["method"], base + s["path"], s["status"]) for s in seen
    ]
    for exchange, expected in zip(read.exchanges, seen, strict=True):
        assert exchange.request.fields.get("if-match") == expected.get("if-match")
        if exchange.response is not None:
            assert exchange.response.fields.get("etag") == expected["etag"]


MODES = {
    "curl-verbose": ["-v"],
    "curl-verbose-silent": ["-sv"],
    "curl-verbose-head": ["-i", "-v"],
    "curl-verbose-time": ["-v", "--trace-time"],
    "curl-trace-ascii": ["--trace-ascii", "-"],
    "curl-trace-ascii-time": ["--trace-ascii", "-", "--trace-time"],
    "curl-trace": ["--trace", "-"],
    "curl-trace-time": ["--trace", "-", "--trace-time"],
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("path", ["/json", "/binary", "/gzip", "/empty", "/chunked"])
def test_one_write(server: tuple[str, list[dict[str, Any]]], mode: str, path: str) -> None:
    base, seen = server
    read = _read(_curl(*MODES[mode], "-X", "PUT", "-H", 'If-Match: "v0"', "-d", '{"a": 1.5}', base + path))
    assert mode.startswith(read.format)
    if "ascii" in mode and path == "/binary":
        # The dump shows the octet as a dot, and the reader says so.
        seen[0]["etag"] = '"."'
        assert any("a dot in ETag" in warning.text for warning in read.warnings)
    _compare(read, seen, base)
    (exchange,) = read.exchanges
    assert exchange.response is not None
    content = exchange.response.content
    expected = seen[0]["content"]
    if not expected:
        assert content is None
    elif "ascii" in mode and path in {"/binary", "/gzip"}:
        assert content is UNKNOWN or (isinstance(content, Content) and not content.complete)
    else:
        assert isinstance(content, Content)
        assert content.octets.rstrip(b"\n") == expected.rstrip(b"\n")
        assert content.complete
    sent = exchange.request.content
    if "trace" in mode:
        assert isinstance(sent, Content)
        assert sent.octets == b'{"a": 1.5}'
        assert sent.complete == ("ascii" not in mode)
    else:
        assert sent is UNKNOWN
    assert exchange.peer == "127.0.0.1"
    assert exchange.started is not None
    assert exchange.resolution == (1e-6 if mode.endswith("time") else 1.0)
    assert (exchange.duration is not None) == mode.endswith("time")


@pytest.mark.parametrize("mode", MODES)
def test_redirect_and_several_urls(server: tuple[str, list[dict[str, Any]]], mode: str) -> None:
    base, seen = server
    read = _read(
        _curl(*MODES[mode], "-L", base + "/redirect", base + "/json", base + "/chunked", base + "/empty")
    )
    _compare(read, seen, base)
    assert len(read.exchanges) == 5
    assert len({exchange.connection for exchange in read.exchanges}) == 1
    starts = [exchange.started for exchange in read.exchanges]
    assert None not in starts
    assert starts == sorted(starts, key=lambda start: start or 0.0)
    for exchange, expected in zip(read.exchanges[1:], seen[1:], strict=True):
        assert exchange.response is not None
        content = exchange.response.content
        assert content is None or content is UNKNOWN or content.json() == Content.from_octets(JSON).json(), (
            expected
        )


@pytest.mark.parametrize("mode", MODES)
def test_hang_up(server: tuple[str, list[dict[str, Any]]], mode: str) -> None:
    base, seen = server
    read = _read(_curl(*MODES[mode], "-X", "PATCH", "-d", "x", base + "/hangup", base + "/json"))
    _compare(read, seen, base)
    first = read.exchanges[0]
    assert first.response is None
    assert "(52)" in first.error or "Empty reply" in first.error
    assert read.exchanges[-1].error == ""


@pytest.mark.parametrize("mode", MODES)
def test_no_connection(mode: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        read = _read(_curl(*MODES[mode], f"http://127.0.0.1:{taken.getsockname()[1]}/x"))
    (exchange,) = read.exchanges
    assert exchange.response is None
    assert "connect" in exchange.error.lower()
