"""Turn an unexpected exception into one line and a report file without secrets."""

from __future__ import annotations

import os
import platform
import tempfile
import traceback
from typing import TYPE_CHECKING

from ifmatch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["report_crash"]


def report_crash(error: BaseException, arguments: Sequence[str]) -> str:
    """Write the report of an unexpected exception.

    The report holds the places in the program and the kinds of exception, never the values: the text of
    an exception can quote the traffic, and arguments can be URLs with credentials.

    Args:
        error: what was caught.
        arguments: of the command line; only the names of options go into the report.

    Returns:
        The line for standard error.
    """
    kind = type(error).__name__
    try:
        path = _write(_describe(error, arguments))
    except OSError as problem:
        return f"ifmatch: internal error: {kind}. The report could not be written: {problem.strerror}."
    where = f"A report without secrets is in {path}; please attach it to an issue."
    return f"ifmatch: internal error: {kind}. {where}"


def _write(text: str) -> str:
    handle, path = tempfile.mkstemp(prefix="ifmatch-crash-", suffix=".txt")  # made with mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _describe(error: BaseException, arguments: Sequence[str]) -> str:
    options = [argument.partition("=")[0] for argument in arguments if argument.startswith("-")]
    lines = [
        f"ifmatch {__version__}",
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}",
        f"options: {' '.join(options) or 'none'} (values and file names left out)",
        "",
    ]
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines.append(f"{type(current).__module__}.{type(current).__qualname__} (text left out)")
        lines += [
            f"  {_short(frame.filename)}:{frame.lineno} in {frame.name}: {frame.line}"
            for frame in traceback.extract_tb(current.__traceback__)
        ]
        current = current.__cause__ or current.__context__
        if current is not None:
            lines.append("caused by, or while handling:")
    return "\n".join(lines) + "\n"


def _short(path: str) -> str:
    # Directories of the user's machine name people and projects.
    parts = path.replace("\\", "/").split("/")
    for anchor in ("ifmatch", "site-packages"):
        if anchor in parts:
            return "/".join(parts[len(parts) - 1 - parts[::-1].index(anchor) :])
    return parts[-1]
