"""The programs of examples/racy: two lose updates when provoked, the third does not."""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "examples" / "racy"


@contextmanager
def served(program: str, folder):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, FOLDER / f"{program}.py", str(port)],
        env={**os.environ, "RACY_FILE": str(folder / "note.sqlite")},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, f"{program} did not start"
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/note"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def provoke(url: str, rounds: int) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, FOLDER / "provoke.py", url, str(rounds)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("program", ["select_then_update", "cached_version"])
def test_it_loses_an_update(program, tmp_path) -> None:
    with served(program, tmp_path) as url:
        done = provoke(url, 5000)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "One update is lost." in done.stdout


def test_compare_and_set_loses_none(tmp_path) -> None:
    with served("compare_and_set", tmp_path) as url:
        done = provoke(url, 60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "60 rounds" in done.stdout
