"""Flow files as the installed mitmdump writes them: HTTP/1.1 through a reverse proxy, one failure."""

from __future__ import annotations

import http.client
import io
import pathlib
import socket
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from ifmatch import capture
from ifmatch.diagnosis import diagnose
from ifmatch.model.message import Content
from tests.capture.packet_writer import Service, conversation
from tests.programs import program
from tools.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPONENTS = pathlib.Path(__file__).parents[3] / ".venvs" / "components" / "bin"


@contextmanager
def mitmdump(path: pathlib.Path, upstream: int, *options: str) -> Iterator[int]:
    """Run mitmdump in front of a server, and write what passes to a file."""
    port = free_port()
    found = COMPONENTS / "mitmdump"
    command = [str(found) if found.exists() else program("mitmdump"), "-q", "-w", str(path)]
    command += ["--mode", f"reverse:http://127.0.0.1:{upstream}", "--listen-host", "127.0.0.1"]
    command += ["--listen-port", str(port), "--set", f"confdir={path.parent}", *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(120)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
        except OSError:
            threading.Event().wait(0.05)
        else:
            return
    pytest.fail("mitmdump does not listen")


@pytest.mark.components
def test_flows_of_the_installed_mitmdump(tmp_path: pathlib.Path) -> None:
    Service.version = 1
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    path = tmp_path / "flows"
    with mitmdump(path, server.server_address[1]) as port:
        conversation(port)
        server.shutdown()
        server.server_close()
        late = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        with suppress(http.client.HTTPException):  # mitmdump answers 502, or closes like its server
            late.request("PUT", "/items/7", body=b"{}", headers={"If-Match": '"v2"'})
            assert late.getresponse().status == 502
        late.close()
    data = path.read_bytes()
    with path.open("rb") as stream:
        found = capture.read(stream, "x")
    assert found.format == "mitmproxy"
    assert [(one.request.method, one.status) for one in found.exchanges][:5] == [
        ("GET", 200), ("GET", 200), ("PUT", 200), ("PUT", 412), ("GET", 200),
    ]  # fmt: skip
    refused = found.exchanges[3]
    assert refused.request.fields.text("if-match") == '"v1"'
    assert refused.request.content == Content.from_octets(b'{"title": "b"}')
    assert refused.response is not None
    assert refused.response.fields.text("etag") == '"v2"'
    # A failure towards the server: mitmdump answers in its place.
    assert [one.status for one in found.exchanges[5:]] in ([502], [0], [])
    (incident, *_) = diagnose([found]).incidents
    assert incident.findings[0].cause == "other-writer"
    # A file that is still being written, or was cut.
    partly = capture.read(io.BytesIO(data[: len(data) * 2 // 3]), "x")
    assert 1 <= len(partly.exchanges) < len(found.exchanges)
    assert "damaged or cut" in partly.warnings[-1].text
