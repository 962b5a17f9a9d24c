"""Take JSON documents out of the strings of another one: some services store them as text, or as base64."""

from __future__ import annotations

import base64
import json
import re
from typing import Final, cast

from ifmatch.model.late import late_pattern

# A longer text is data: it is not searched for other documents.
_LONGEST: Final = 200_000
_DEEP: Final = 8
# How a JSON object or list begins within a string, and in base64.
_QUOTED: Final = late_pattern(r"\"\s*[{\[](?:\\[nrt]|\s)*(?:\\\"|[{\[])")
_SIGNS: Final = ("eyJ", "eyA", "ewo", "ew0", "W3s", "Wwo")
_CODED: Final = late_pattern(r"\"(?:eyJ|eyA|ewo|ew0|W3s|Wwo)[A-Za-z0-9+/]{8,}={0,2}\"")
_BASE64: Final = late_pattern(r"(?:eyJ|eyA|ewo|ew0|W3s|Wwo)[A-Za-z0-9+/]{8,}={0,2}")
# A member that says how another one beside it is written, and what the other one may be called.
_SAID: Final = late_pattern(
    r"\"(?:content_?)?encoding\"\s*:\s*\"(?:base64|text|plain|utf-?8)\"", re.IGNORECASE
)
_ENCODING: Final = late_pattern(r"(?:content_?)?encoding", re.IGNORECASE)
_PLAIN: Final = late_pattern(r"text|plain|utf-?8", re.IGNORECASE)
_ENCODED: Final = frozenset({"content", "contents", "data", "body", "text", "value"})


def may_hold(text: str) -> bool:
    """Tell whether a JSON text may hold another one in a string."""
    if len(text) > _LONGEST or ("[" not in text and text.find("{", 1) < 0 and not may_be_coded(text)):
        return False
    return (_QUOTED.search(text) or _CODED.search(text) or _SAID.search(text)) is not None


def may_be_coded(text: str) -> bool:
    """Tell, in less time than `may_hold` takes, whether a text may hold another one as base64.

    Args:
        text: of any kind.
    """
    for sign in _SIGNS:
        if sign in text:
            return True
    return "encoding" in text.lower()


def opened(value: object, depth: int = _DEEP) -> object:
    """Return a JSON value with each string that holds a JSON object or list replaced by what it holds.

    Args:
        value: any JSON value.
        depth: how many levels are looked at.
    """
    if depth == 0:
        return value
    if isinstance(value, dict):
        members = _read_as_said(cast("dict[str, object]", value))
        return {name: opened(member, depth - 1) for name, member in members.items()}
    if isinstance(value, list):
        return [opened(one, depth - 1) for one in cast("list[object]", value)]
    if isinstance(value, str):
        inner = _document(value)
        return value if inner is None else opened(inner, depth - 1)
    return value


def _read_as_said(members: dict[str, object]) -> dict[str, object]:
    """Return an object with the text that one member writes in the encoding that another one names."""
    for name, said in members.items():
        held = next((one for one in members if one.lower() in _ENCODED), None)
        if held is None or not _ENCODING.fullmatch(name) or not isinstance(said, str):
            continue
        others = {key: member for key, member in members.items() if key != name}
        written = members[held]
        if _PLAIN.fullmatch(said):
            return others
        if said.lower() == "base64" and isinstance(written, str):
            try:
                # Line breaks within it are allowed for: they are left aside.
                return {**others, held: base64.b64decode("".join(written.split()), validate=True).decode()}
            except ValueError:
                return members
    return members


def _document(text: str) -> object | None:
    """Return the object or list that a string holds, None when it holds none."""
    plain = text.strip()
    if _BASE64.fullmatch(plain):
        try:
            plain = base64.b64decode(plain, validate=True).decode().strip()
        except ValueError:
            return None
    if plain[:1] not in {"{", "["}:
        return None
    try:
        found: object = json.loads(plain)
    except (ValueError, RecursionError):
        return None
    return cast("object", found) if isinstance(found, dict | list) and found else None
