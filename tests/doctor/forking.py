"""Run `ifmatch` many times without loading it each time: each run is a process, forked off a loaded one."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

from ifmatch.cli.program import program
from tests.cli.running import Ran


class Forking:
    """A process that has loaded the program, and forks one that runs it for each command.

    Args:
        environment: additions to the environment of every run.
    """

    def __init__(self, **environment) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from tests.doctor.forking import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def run(self, *arguments) -> Ran:
        """Run the program with arguments in a process of its own."""
        with tempfile.TemporaryDirectory() as folder:
            job = {"arguments": [str(one) for one in arguments], "folder": folder}
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
            status = int(self._process.stdout.readline())
            texts = [Path(folder, name).read_text(encoding="utf-8") for name in ("out", "err")]
            return Ran(status, *texts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def serve() -> None:
    """Run the first line of standard input in this process, which loads all that it needs; then fork."""
    loaded = False
    for line in sys.stdin:
        job = json.loads(line)
        if not loaded:
            loaded = True
            status = _status(job)
        else:
            child = os.fork()
            if not child:
                os._exit(_status(job))
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(status, file=sys.__stdout__, flush=True)


def _status(job) -> int:
    """Return the exit status of a run whose output goes to files."""
    random.seed()
    with (
        Path(job["folder"], "out").open("w", encoding="utf-8") as out,
        Path(job["folder"], "err").open("w", encoding="utf-8") as err,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            program.main(job["arguments"], prog_name="ifmatch")
        except SystemExit as stop:
            return int(stop.code or 0)
