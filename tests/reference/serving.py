"""Start the practice server as a user does, and in this process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass

from ifmatch.reference.application import PracticeServer
from ifmatch.reference.options import ServeOptions
from ifmatch.reference.quirks import behaviours
from ifmatch.reference.running import running
from ifmatch.server.stores.memory import AsyncMemoryStore

__all__ = ["Process", "in_process", "serving"]


@dataclass
class Process:
    """A running `ifmatch serve`."""

    origin: str
    base: str
    process: subprocess.Popen


@contextmanager
def serving(*options: str, base: str = "/resource", **environment: str):
    """Run `ifmatch serve` with these options on a free port while the block runs."""
    command = [sys.executable, "-m", "ifmatch.cli", "serve", "--port", "0", "--path", base, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("listening on http://"), (said, process.poll())
        url = said.removeprefix("listening on ").strip()
        yield Process(url.removesuffix(base), base, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def in_process(*quirks: str, base: str = "/resource", **more):
    """Run the practice server in a thread of this process while the block runs."""
    options = ServeOptions(path=base, quirks=quirks, **more)
    server = PracticeServer(
        store=AsyncMemoryStore(), options=options, quirks=behaviours(quirks, rate=options.quirk_rate)
    )
    with running(server, on_stop=server.journal.close) as run:
        yield run, server
