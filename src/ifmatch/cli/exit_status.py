"""Name the exit statuses; the numbers are a contract."""

from __future__ import annotations

import enum


class ExitStatus(enum.IntEnum):
    """What the process tells its caller."""

    DONE = 0
    INCIDENT = 1
    USAGE = 2
    UNREADABLE = 3
    UNREACHABLE = 4
    INTERNAL = 70
    INTERRUPTED = 130
    CLOSED_PIPE = 141
