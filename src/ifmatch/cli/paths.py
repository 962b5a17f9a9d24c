"""Ask about a path that may be any word: a question, a command, a name longer than the system allows."""

from __future__ import annotations

from pathlib import Path

__all__ = ["is_file", "is_folder", "is_there"]


def is_there(word: str) -> bool:
    """Tell whether something of that name is there; what cannot be a name is not."""
    try:
        return Path(word).exists()
    except OSError:  # too long for a name, or in a folder that may not be searched
        return False


def is_file(word: str) -> bool:
    """Tell whether a regular file of that name is there; what cannot be a name is none."""
    return is_there(word) and Path(word).is_file()


def is_folder(word: str) -> bool:
    """Tell whether a folder of that name is there; what cannot be a name is none."""
    return is_there(word) and Path(word).is_dir()
