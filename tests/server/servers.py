"""Start an application of `tests/server/apps` behind a real HTTP server, in a process of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tools.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]

WSGIREF = """
import sys
from importlib import import_module
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, WSGIRequestHandler, make_server

class Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True

class Quiet(WSGIRequestHandler):
    def log_message(self, *args): pass

app = import_module(sys.argv[1]).app
make_server("127.0.0.1", int(sys.argv[2]), app, Threads, Quiet).serve_forever()
"""


def command(server: str, module: str, port: int) -> list[str]:
    if server == "uvicorn":
        options = ["--log-level", "error", "--no-access-log", "--no-date-header", "--http", "h11"]
        return [sys.executable, "-m", "uvicorn", f"{module}:app", "--port", str(port), *options]
    if server == "gunicorn":
        options = ["-k", "gthread", "--threads", "4", "--log-level", "critical", "--keep-alive", "5"]
        return [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", *options, f"{module}:app"]
    if server == "hypercorn":
        return [
            sys.executable,
            "-m",
            "hypercorn",
            "-b",
            f"127.0.0.1:{port}",
            "--log-level",
            "error",
            f"{module}:app",
        ]
    assert server == "wsgiref"
    return [sys.executable, "-c", WSGIREF, module, str(port)]


@contextlib.contextmanager
def serving(
    server: str,
    module: str,
    environment: dict[str, str] | None = None,
    *,
    folder: Path = ROOT,
    seconds: float = 120,
) -> Iterator[int]:
    """Start a server, wait until it accepts connections, give its port, end it."""
    port = free_port()
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(
        command(server, module, port),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path} | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        wait_for(process, port, seconds)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


def wait_for(process: subprocess.Popen[bytes], port: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            assert process.stdout is not None
            raise RuntimeError(process.stdout.read().decode("utf-8", "replace")[-3000:])
        time.sleep(0.02)  # between two tries; the deadline bounds it
