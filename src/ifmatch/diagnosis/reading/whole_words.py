"""Look for a value in a text as a word of its own; pure."""

from __future__ import annotations


def as_word(value: str, text: str) -> bool:
    """Tell whether a value stands in a text with no letter, digit, `_` or `-` right beside it.

    Args:
        value: not empty.
        text: to look at.
    """
    at = text.find(value)
    while at >= 0:
        end = at + len(value)
        beside = text[at - 1 : at] + text[end : end + 1] if at else text[end : end + 1]
        if not any(sign.isalnum() or sign in "_-" for sign in beside):
            return True
        at = text.find(value, at + 1)
    return False
