"""Judge what a fresh process costs on a machine that other work shares.

Neither wall-clock nor processor time is steady then: both grow several times over when every core is busy.
What stays is the ratio to a process of known cost that runs right beside it.
"""

from __future__ import annotations

import os
import statistics
import sys

__all__ = ["processor_seconds", "ratio_to"]


def processor_seconds(*arguments: str) -> float:
    """Run Python with these arguments and return the processor time that it took, in seconds.

    Args:
        arguments: what stands behind `python` on the command line; standard output is thrown away.
    """
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawn(sys.executable, [sys.executable, *arguments], os.environ, file_actions=quiet)
    _, status, used = os.wait4(process, 0)
    assert status == 0, f"python {' '.join(arguments)} ended with status {status}"
    return used.ru_utime + used.ru_stime


def ratio_to(beside: tuple[str, ...], *arguments: str, rounds: int = 7) -> float:
    """Return how many times the processor time of one command another takes: the median of rounds.

    Args:
        beside: arguments of the process of known cost.
        arguments: those of the process that is judged.
        rounds: how often the two run, in turns.
    """
    ratios = []
    for _ in range(rounds):
        known = processor_seconds(*beside)
        ratios.append(processor_seconds(*arguments) / known)
    return statistics.median(ratios)
