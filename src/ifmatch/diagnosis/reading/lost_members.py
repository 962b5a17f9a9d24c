"""Find versions that a content carried at the client and no longer at the origin."""

from __future__ import annotations

from typing import Final, cast
from urllib.parse import parse_qsl

from ifmatch.diagnosis.reading.soap_bodies import operation_in
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

# Conditions in the parts of a batch (RFC 9110 section 13.1), and the length of a part that has one.
_OF_PARTS: Final = late_pattern(
    r"(?im)^(?:if-(?:none-)?match|if-unmodified-since|content-length)[ \t]*:[^\r\n]*\r?\n"
)


def only_versions_lost(sent: bytes, got: bytes) -> bool:
    """Tell whether what came through of a JSON object lacks members called like versions, and nothing else.

    Of a multipart batch (RFC 2046 section 5.1.1) the requests in its parts may lack their conditions.

    Args:
        sent: octets of the content at the client.
        got: octets of it further upstream.
    """
    if len(got) >= len(sent):
        return False
    told, came = (octets.decode("utf-8", "replace") for octets in (sent, got))
    if told.startswith("--") and came.startswith("--"):
        return _OF_PARTS.sub("", told) == _OF_PARTS.sub("", came)
    one, two = (_record(Content.from_text(text)) for text in (told, came))
    return one is not None and two is not None and bool(_lost(one, two))


def only_one_lost(sent: bytes, got: bytes) -> bool:
    """Tell whether what came through lacks one member, whatever it is called, and nothing else.

    Args:
        sent: octets of the content at the client.
        got: octets of it further upstream.
    """
    if not got or len(got) >= len(sent):
        return False
    one, two = (Content.from_text(octets.decode("utf-8", "replace")) for octets in (sent, got))
    first, second = (_record(each) or each.json() for each in (one, two))
    return first is not UNKNOWN and second is not UNKNOWN and len(_gone(first, second)) == 1


def _gone(one: object, two: object) -> list[str]:
    """Return the names of members that the second value lacks; two where anything else differs, too."""
    found: list[str] = []
    if isinstance(one, dict) and isinstance(two, dict):
        left, right = cast("dict[str, object]", one), cast("dict[str, object]", two)
        if any(name not in left for name in right):
            return ["", ""]
        for name, value in left.items():
            found += _gone(value, right[name]) if name in right else [name]
        return found
    if isinstance(one, list) and isinstance(two, list):
        first, second = cast("list[object]", one), cast("list[object]", two)
        if len(first) != len(second):
            return ["", ""]
        return [name for pair in zip(first, second, strict=True) for name in _gone(*pair)]
    return [] if one == two else ["", ""]


def lost_versions(sent: Content, got: Content) -> tuple[str, ...]:
    """Return the JSON Pointers (RFC 6901) of the versions that a content lacks further upstream.

    Args:
        sent: the content at the client.
        got: the same content at the origin; empty when anything else differs too.
    """
    one, two = _record(sent), _record(got)
    return _lost(one, two) if one is not None and two is not None else ()


def _record(content: Content) -> dict[str, object] | None:
    """Return the members of a JSON object, of a SOAP operation or of a form; None without any."""
    text = content.text
    if text.lstrip()[:1] == "<":
        return operation_in(content)
    if text.lstrip()[:1] == "{":
        value = content.json()
        return cast("dict[str, object]", value) if isinstance(value, dict) else None
    return dict(parse_qsl(text)) if "=" in text and not text.strip().count("\n") else None


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
