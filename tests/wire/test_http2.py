"""HTTP/2 against a real server: negotiated by ALPN, large bodies both ways, entity tags as octets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import pytest

from ifmatch.model.message import Content, Fields, Request
from ifmatch.wire import Route
from tests.wire.answering import certificate
from tests.wire.test_sender import sender
from tools.ports import free_port

APPLICATION = """
async def app(scope, receive, send):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    status = 412 if dict(scope["headers"]).get(b"if-match") == b'"old"' else 200
    headers = [(b"etag", b'"new-\\xe9"'), (b"x-version", scope["http_version"].encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body if status == 200 else b""})
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("http2")
    (folder / "application.py").write_text(APPLICATION)
    files = certificate(folder)
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "hypercorn", "application:app", "--bind", f"127.0.0.1:{port}",
         "--certfile", files[0], "--keyfile", files[1]],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.02)
    yield f"https://127.0.0.1:{port}", str(files[0])
    process.terminate()
    process.wait(120)


@pytest.mark.parametrize(("protocols", "version"), [(("h2", "http/1.1"), "h2"), (("http/1.1",), "HTTP/1.1")])
def test_the_version_is_negotiated(server, protocols, version) -> None:
    url, authority = server
    content = Content.from_octets(os.urandom(300_000))
    route = Route(certificate_authorities=authority, application_protocols=protocols)
    with sender(route=route) as wire:
        for tag, status in (('"old"', 412), ('"new"', 200)):
            put = Request(
                "PUT", f"{url}/x?y=1", Fields([("If-Match", tag), ("Connection", "close")]), content
            )
            exchange = wire.send(put)
            assert (exchange.status, exchange.response.version, exchange.error) == (status, version, "")
            assert exchange.response.fields.text("ETag") == '"new-\xe9"'
        assert exchange.response.content == content
        assert exchange.response.fields.text("X-Version") == ("2" if version == "h2" else "1.1")
