"""Find versions that a content carried at the client and no longer at the origin."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from ifmatch.diagnosis.habit_evidence import called_version

if TYPE_CHECKING:
    from ifmatch.model.message import Content


def only_versions_lost(sent: bytes, got: bytes) -> bool:
    """Tell whether what came through of a JSON object lacks members called like versions, and nothing else.

    Args:
        sent: octets of the content at the client.
        got: octets of it further upstream.
    """
    if len(got) >= len(sent) or sent.lstrip()[:1] != b"{":
        return False
    try:
        one, two = json.loads(sent), json.loads(got or b"{}")
    except ValueError:
        return False
    return isinstance(one, dict) and isinstance(two, dict) and bool(_lost(one, two))


def lost_versions(sent: Content, got: Content) -> tuple[str, ...]:
    """Return the JSON Pointers (RFC 6901) of the versions that a content lacks further upstream.

    Args:
        sent: the content at the client.
        got: the same content at the origin; empty when anything else differs too.
    """
    one, two = sent.json(), got.json()
    if not isinstance(one, dict) or not isinstance(two, dict):
        return ()
    return _lost(cast("dict[str, object]", one), cast("dict[str, object]", two))


def _lost(one: dict[str, object], two: dict[str, object], above: str = "") -> tuple[str, ...]:
    """Return the pointers of versions that the second object lacks, empty when they differ in more."""
    found: list[str] = []
    if any(name not in one for name in two):
        return ()
    for name, value in one.items():
        other = two.get(name)
        pointer = f"{above}/{name}"
        if name not in two:
            if not _version(name, value):
                return ()
            found.append(pointer)
        elif value != other:
            inner = _inner(value, other, pointer)
            if not inner:
                return ()
            found += inner
    return tuple(found)


def _version(name: str, value: object) -> bool:
    """Tell whether a member is called like a version, or holds none but such."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return bool(members) and all(_version(one, held) for one, held in members.items())
    return called_version(name)


def _inner(one: object, two: object, above: str) -> tuple[str, ...]:
    if not isinstance(one, dict) or not isinstance(two, dict):
        return ()
    return _lost(cast("dict[str, object]", one), cast("dict[str, object]", two), above)
