"""Measure one fresh process: wall time, CPU time, peak resident memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Usage:
    """What a process used.

    Attributes:
        wall: seconds from start to end.
        cpu: seconds of user and system time.
        peak: peak resident memory in MB (10^6 octets).
        status: exit status.
    """

    wall: float
    cpu: float
    peak: float
    status: int


def program(name: str) -> str:
    """The path of a program installed beside this interpreter."""
    return str(Path(sys.executable).parent / name)


def environment() -> dict[str, str]:
    """The environment with byte code kept, as in every installed package: no source is compiled anew."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def measure(command: list[str]) -> Usage:
    """Run a command to its end, output thrown away.

    The caller must be small: Linux counts the memory of the parent at the moment of the fork to the child.
    """
    start = time.perf_counter()
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=quiet, stderr=quiet)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 1e6, process.returncode)
