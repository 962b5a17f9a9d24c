"""The practice server under an ASGI server that speaks HTTP/2, and its options from the environment."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time

import pytest

from ifmatch.errors import InputError
from ifmatch.reference.asgi import from_environment
from tests.programs import program


def test_options_come_from_the_environment() -> None:
    server = from_environment(
        {"IFMATCH_PATH": "/notes", "IFMATCH_QUIRKS": "weak-only, bare-412", "IFMATCH_QUIRK_RATE": "0.5"}
    )
    assert server.options.path == "/notes"
    assert server.options.quirks == ("weak-only", "bare-412")
    assert server.options.quirk_rate == 0.5
    for wrong in ({"IFMATCH_QUIRK_RATE": "often"}, {"IFMATCH_QUIRKS": "weak-onl"}, {"IFMATCH_STORE": "x"}):
        with pytest.raises(InputError):
            from_environment(wrong)


@pytest.fixture
def origin():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
    process = subprocess.Popen(
        [sys.executable, "-m", "hypercorn", "--bind", address, "ifmatch.reference.asgi:application"],
        env={**os.environ, "IFMATCH_COMPRESS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        host, port = address.split(":")
        deadline = time.monotonic() + 120
        while True:
            try:
                socket.create_connection((host, int(port)), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "Hypercorn did not start"
                time.sleep(0.05)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(120)


def test_http_2_under_hypercorn(origin) -> None:
    curl = program("curl")

    def ask(*options: str) -> tuple[str, dict[str, str]]:
        done = subprocess.run(
            [curl, "-sS", "--http2-prior-knowledge", "-i", *options, f"{origin}/resource"],
            capture_output=True,
            text=True,
            check=True,
            input="x" * 200_000,
        )
        head = done.stdout.replace("\r", "").split("\n\n")[0].splitlines()
        return head[0].strip(), dict(line.split(": ", 1) for line in head[1:])

    status, fields = ask()
    assert status == "HTTP/2 200"
    tag = fields["etag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    assert ask("-H", f"If-None-Match: {tag}")[0] == "HTTP/2 304"
    assert ask("-X", "PUT", "-H", f"If-Match: {tag}", "-d", "{}")[0] == "HTTP/2 204"
    status, fields = ask("-X", "PUT", "-H", f"If-Match: {tag}", "-d", "{}")
    assert status == "HTTP/2 412"
    assert fields["content-type"] == "application/problem+json"
    # A false condition is answered before the content is wanted.
    assert ask("-X", "PUT", "-H", 'If-Match: "x"', "--data-binary", "@-")[0] == "HTTP/2 412"
    assert ask("-I")[0] == "HTTP/2 200"
