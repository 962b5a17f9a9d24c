"""Read strings, octets and pairs as `repr` of Python writes them."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["python_pairs", "python_text"]

_STRING = r"""[bu]?(?:'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+")"""
_PAIR = re.compile(rf"({_STRING})\s{{0,3}}[:,]\s{{0,3}}({_STRING})")
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[0-7]{1,3}|.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_LINE_LIMIT: Final = 256 * 1024


def python_text(literal: str) -> str:
    """Return what a string or bytes literal of Python stands for, octets as latin-1.

    Args:
        literal: as `repr` writes it.
    """
    body = literal.lstrip("bu")[1:-1]
    if "\\" not in body:
        return body

    def plain(found: re.Match[str]) -> str:
        said = found[1]
        if said[0] in "xu" and len(said) > 1:
            return chr(int(said[1:], 16))
        if said.isdigit():
            return chr(int(said, 8) & 0xFF) if all(digit in "01234567" for digit in said) else said
        return _ESCAPES.get(said, said)

    return _ESCAPE.sub(plain, body)


def python_pairs(text: str) -> list[tuple[str, str]]:
    """Return the pairs of a dictionary or a list of pairs as `repr` writes them; other members are left out.

    Args:
        text: such as `{'ETag': '"v1"'}` or `[(b'ETag', b'"v1"')]`.
    """
    return [(python_text(name), python_text(value)) for name, value in _PAIR.findall(text[:_LINE_LIMIT])]
