"""Run the program as a user does: as a process, or within this one where that is the same and quicker."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from dataclasses import dataclass

from click.testing import CliRunner

from ifmatch.cli.program import program

CASES = pathlib.Path(__file__).parents[2] / "cases"
CONFLICT = CASES / "lab" / "c001.client.har"
ALL_OF_CONFLICT = tuple(str(CASES / "lab" / f"c001.{role}.har") for role in ("client", "other", "upstream"))
# Healthy traffic: no incident.
HEALTHY = CASES / "lab" / "c095.client.har"


@dataclass(frozen=True)
class Ran:
    """What a run gave back."""

    status: int
    out: str
    err: str


def run(*arguments, stdin: bytes | None = None, **environment) -> Ran:
    """Run within this process."""
    result = CliRunner().invoke(program, [str(one) for one in arguments], input=stdin, env=environment)
    return Ran(result.exit_code, result.stdout, result.stderr)


def run_process(*arguments, stdin=subprocess.DEVNULL, cwd=None, **environment) -> Ran:
    """Run as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "ifmatch.cli", *map(str, arguments)],
        stdin=stdin,
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **environment},
    )
    return Ran(done.returncode, done.stdout, done.stderr)
