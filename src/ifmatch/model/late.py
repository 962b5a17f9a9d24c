"""Regular expressions compiled at their first use: of a thousand, most captures need some hundred."""

from __future__ import annotations

import re
from typing import overload

__all__ = ["late_pattern"]

_ASKED = (
    "search",
    "match",
    "fullmatch",
    "findall",
    "finditer",
    "sub",
    "subn",
    "split",
    "groups",
    "groupindex",
)


class _Late:
    """Stand for a pattern until it is asked for the first time; then hold what the pattern has.

    Args:
        pattern: the expression.
        flags: as for `re.compile`.
    """

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self.pattern = pattern
        self.flags = flags

    def __getattr__(self, name: str) -> object:
        """Compile the pattern at the first question to it; later ones find the answer in the object."""
        if name not in _ASKED:
            raise AttributeError(name)
        compiled = re.compile(self.pattern, self.flags)
        self.__dict__.update((one, getattr(compiled, one)) for one in _ASKED)
        self.flags = compiled.flags
        return self.__dict__[name]


@overload
def late_pattern(pattern: str, flags: int = 0) -> re.Pattern[str]: ...
@overload
def late_pattern(pattern: bytes, flags: int = 0) -> re.Pattern[bytes]: ...
def late_pattern(pattern: str | bytes, flags: int = 0) -> object:
    """Return a pattern that is compiled at its first use, for the constants of a module.

    Args:
        pattern: the expression.
        flags: as for `re.compile`.
    """
    return _Late(pattern, flags)
