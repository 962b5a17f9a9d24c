"""Take JSON values for what they should be: others wrote them, each may be missing or of another type."""

from __future__ import annotations

from typing import cast

__all__ = ["elements_in", "is_plain", "members_in", "pointer_step"]


def members_in(value: object) -> dict[str, object]:
    """Return the members of a JSON object, none of anything else.

    Args:
        value: JSON as it was read.
    """
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def elements_in(value: object) -> list[object]:
    """Return the elements of a JSON array, none of anything else.

    Args:
        value: JSON as it was read.
    """
    return cast("list[object]", value) if isinstance(value, list) else []


def is_plain(value: object) -> bool:
    """Tell whether a JSON value is a text or a whole number that says something: a name, a count, a version.

    Args:
        value: JSON as it was read.
    """
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def pointer_step(name: str) -> str:
    """Return a member's name as a step of a JSON Pointer.

    Args:
        name: as it stands in the object.

    Source: RFC 6901 section 3.
    """
    return name.replace("~", "~0").replace("/", "~1")
