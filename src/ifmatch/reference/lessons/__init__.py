"""Exercises on the practice server, each checked by what was asked and what is stored."""

from __future__ import annotations

from typing import Final

from ifmatch.reference.lessons import basics, conflicts
from ifmatch.reference.lessons.lesson import Lesson

__all__ = ["LESSONS", "Lesson"]

LESSONS: Final = (
    *basics.LESSONS[:4],
    *conflicts.LESSONS[:4],
    *basics.LESSONS[4:],
    *conflicts.LESSONS[4:],
)
"""In the order in which they are best taken."""
