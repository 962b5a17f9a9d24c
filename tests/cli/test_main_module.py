"""`python -m ifmatch` is the command line."""

from __future__ import annotations

import subprocess
import sys


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ifmatch", "--version"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("ifmatch ")
