"""Read the record that a SOAP message carries as members, so that what is sent and what is shown compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from xml.etree import ElementTree as ET

from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.dialects import pairs_in
from ifmatch.model.grouped import grouped
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterable

_ENVELOPE: Final = late_pattern(
    r"<(?:\w+:)?Envelope\b(?:[^>]*(?:schemas\.xmlsoap\.org/soap/envelope|www\.w3\.org/2003/05/soap-envelope)"
    r"|(?![^>]*xmlns)[^>]*>\s*<(?:\w+:)?(?:Body|Header)\b)"
)
# Prefixes of elements and of attributes: logs and people leave out what they are bound to.
_PREFIX: Final = late_pattern(
    r"(?<=<)(/?)[\w.-]+:(?=[\w.-])|(?<=\s)(?!xmlns)()[\w.-]+:(?=[\w.-]+\s*=\s*[\"'])"
)
# Messages have none (SOAP 1.1 section 3, SOAP 1.2 part 1 section 5), and entities may grow without end.
_DECLARES: Final = "<!"
_LONGEST: Final = 200_000
_HEAD: Final = 2_000
_DEEPEST: Final = 32
# What names a record beside it, and the element that toolkits put around what an operation returns.
_NAMES: Final = late_pattern(r"(?:\w*[a-z_])?(?:id|ID|Id|key|Key|uid|uuid|guid)|Id|ID|Key")
_RETURNED: Final = late_pattern(r"\w*(?:[Rr]esult|[Rr]eturn|[Rr]esponse)")


def state_in(content: Content | None, unwrapped: str | None) -> Content | None:
    """Return the state that a message carries, out of what its family wraps around it.

    Args:
        content: of a request or an answer.
        unwrapped: the state where the family says in which member it is, None where it does not.
    """
    if unwrapped is None or content is None:
        return _record_in(content) or content
    return Content.from_text(unwrapped, complete=content.complete)


def pairs_as_json(content: Content | None) -> Content | None:
    """Return a record that is written as forms are as JSON, None for any other content.

    Args:
        content: of a request or an answer.
    """
    found = pairs_in(content)
    if content is None or not found:
        return None
    return Content.from_json(found, complete=content.complete)


def _record_in(content: Content | None) -> Content | None:
    """Return the record of a SOAP message as JSON, None where the content is no such message, or a fault.

    The operation's element holds the record, beside what names it and its version; or its members at once.

    Args:
        content: of a request or an answer.
    """
    whole = operation_in(content)
    if content is None or whole is None:
        return None
    members, name = _inner(whole)
    if _RETURNED.fullmatch(name):
        members, _ = _inner(members)
    return Content.from_json(members, complete=content.complete)


def operation_in(content: Content | None) -> dict[str, object] | None:
    """Return what the operation of a SOAP message holds as members; None without a message, or for a fault.

    Args:
        content: of a request or an answer.

    Source: SOAP 1.1 section 4.3, SOAP 1.2 part 1 section 5.3 (the Body holds what the receiver is told).
    """
    if content is None or _ENVELOPE.search(content.text[:_HEAD]) is None or len(content) > _LONGEST:
        return None
    if _DECLARES in content.text:
        return None
    try:
        body = _child(root_of(content.text), "Body")
    except (ET.ParseError, RecursionError):
        return None
    called = body[0] if body is not None and len(body) else None
    if called is None or _name(called) == "Fault":
        return None
    value = _value(called, _DEEPEST)
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def tree_in(content: Content | None) -> dict[str, object] | None:
    """Return what an XML content holds as members; None for anything else.

    Args:
        content: of a request or an answer.
    """
    if content is None or len(content) > _LONGEST or content.text.lstrip()[:1] != "<":
        return None
    if _DECLARES in content.text:
        return None
    try:
        value = _value(root_of(content.text), _DEEPEST)
    except (ET.ParseError, RecursionError):
        return None
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def root_of(text: str) -> ET.Element:
    """Return the first element of an XML text, prefixes that are bound to nothing left out.

    Args:
        text: that declares no entities.
    """
    try:
        return ET.fromstring(text.encode())  # noqa: S314 - no entity gets here
    except ET.ParseError as error:
        if "unbound prefix" not in str(error):
            raise
        return ET.fromstring(_PREFIX.sub(r"\1", text).encode())  # noqa: S314 - no entity gets here


def _inner(members: dict[str, object]) -> tuple[dict[str, object], str]:
    """Return the one object that stands beside nothing but names and versions, and its name; else all, ""."""
    held = [name for name, value in members.items() if isinstance(value, dict)]
    if len(held) != 1:
        return members, ""
    if not all(name == held[0] or _NAMES.fullmatch(name) or stamped("/" + name) for name in members):
        return members, ""
    return cast("dict[str, object]", members[held[0]]), held[0]


def _value(element: ET.Element, depth: int) -> object:
    """Return the text of an element, or its children as members, those of one name as a list."""
    if not len(element) or depth == 0:
        return (element.text or "").strip()
    found = grouped(
        (_name(child), _value(child, depth - 1)) for child in cast("Iterable[ET.Element]", element)
    )
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _child(element: ET.Element, name: str) -> ET.Element | None:
    return next((one for one in cast("Iterable[ET.Element]", element) if _name(one) == name), None)


def _name(element: ET.Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]
