"""Read the form that a web page holds: the names of its fields and what stands in them."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final, cast

from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

_INPUT: Final = late_pattern(r"<input\b([^>]*)>", re.IGNORECASE)
_AREA: Final = late_pattern(r"<textarea\b([^>]*)>(.*?)</textarea>", re.IGNORECASE | re.DOTALL)
_SELECT: Final = late_pattern(r"<select\b([^>]*)>(.*?)</select>", re.IGNORECASE | re.DOTALL)
_CHOSEN: Final = late_pattern(r"<option\b(?=[^>]*\bselected\b)([^>]*)>", re.IGNORECASE)
_ATTRIBUTE: Final = late_pattern(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_PUSHED: Final = frozenset({"submit", "button", "image", "reset", "file", "password"})
_STEPS: Final = late_pattern(r"[\w.-]+(?:\[[\w.-]+\])+")
_STEP: Final = late_pattern(r"[^\[\]]+")
_LONGEST: Final = 200_000
# Where a page begins as HTML, be it a part of one.
_PAGE: Final = late_pattern(
    r"\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|body|main|form|div|section)\b", re.IGNORECASE
)


def is_page(text: str) -> bool:
    """Tell whether a text is HTML.

    Args:
        text: of a content.
    """
    return _PAGE.match(text[:500]) is not None


def fields_of(text: str) -> dict[str, str]:
    """Return the fields of the forms of a page, and what stands in them; empty where there is none.

    Args:
        text: HTML.
    """
    if len(text) > _LONGEST or "<form" not in text.lower():
        return {}
    found: dict[str, str] = {}
    for attributes in _INPUT.findall(text):
        held = _held(attributes)
        if held.get("type", "text").lower() not in _PUSHED and held.get("name"):
            found.setdefault(held["name"], held.get("value", ""))
    for attributes, inside in _AREA.findall(text):
        if name := _held(attributes).get("name"):
            found.setdefault(name, html.unescape(inside.strip()))
    for attributes, inside in _SELECT.findall(text):
        chosen = _CHOSEN.search(inside)
        if (name := _held(attributes).get("name")) and chosen is not None:
            found.setdefault(name, _held(chosen[1]).get("value", ""))
    return found


def hidden_of(text: str) -> dict[str, str]:
    """Return the hidden fields of the forms of a page, and what stands in them.

    Args:
        text: HTML.
    """
    if len(text) > _LONGEST or not is_page(text):
        return {}
    held = [_held(attributes) for attributes in _INPUT.findall(text)]
    hidden = [one for one in held if one.get("type", "").lower() == "hidden" and one.get("name")]
    return {one["name"]: one.get("value", "") for one in hidden}


def nested(fields: Mapping[str, str]) -> dict[str, object]:
    """Return the fields of a form with `a[b]` as the member b of a, as many frameworks read them.

    Args:
        fields: by name; `a[]` stays what it is.
    """
    found: dict[str, object] = {}
    for name, value in fields.items():
        *above, last = _STEP.findall(name) if _STEPS.fullmatch(name) else [name]
        holder: dict[str, object] | None = found
        for step in above:
            there = holder.setdefault(step, {}) if holder is not None else None
            holder = cast("dict[str, object]", there) if isinstance(there, dict) else None
        if holder is not None:
            holder.setdefault(last, value)
    return found


def input_pattern(name: str) -> str:
    """Return the regular expression whose first group is what stands in a field of a page.

    Args:
        name: of the field.
    """
    named = rf"(?=[^>]*\bname=[\"']{re.escape(name)}[\"'])"
    return rf"<input\b{named}[^>]*?\bvalue=[\"']([^\"']*)[\"']"


def _held(attributes: str) -> dict[str, str]:
    return {name.lower(): html.unescape(one or two) for name, one, two in _ATTRIBUTE.findall(attributes)}
