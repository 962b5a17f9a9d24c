"""Find the real programs that tests drive: missing is a failure in CI, a counted skip elsewhere."""

from __future__ import annotations

import os
import shutil

import pytest

__all__ = ["program"]


def program(*names: str) -> str:
    """Return the path of the first program that is there.

    Args:
        names: alternatives, best first.

    Raises:
        pytest.skip.Exception: none is there, outside of CI.
        pytest.fail.Exception: none is there, in CI.
    """
    for name in names:
        # Servers live in sbin, which is not on everybody's PATH.
        found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
        if found is not None:
            return found
    wanted = " or ".join(names)
    if os.environ.get("CI") == "true":
        pytest.fail(f"{wanted} is not installed; run: make programs")
    pytest.skip(f"{wanted} is not installed; run: make programs")
