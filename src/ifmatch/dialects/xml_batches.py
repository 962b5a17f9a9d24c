"""Read a batch in XML as the same in JSON, so that its requests are told by what they are called alike; pure.

`<op method="PUT" href="/lots/4"><header name="If-Match">"a"</header><lot>…</lot></op>`: the method and the
place stand in attributes or elements, the fields in elements of their own, what is left is the content.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from ifmatch.dialects.view import View
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.model.message import Request

__all__ = ["as_json", "may_tell_requests"]

_LONGEST: Final = 200_000
_DEEPEST: Final = 12
_MOST: Final = 200
# An element, or an attribute, that holds a method which changes something.
_VERB: Final = late_pattern(r"[>\"'\s](?:PUT|PATCH|POST|DELETE|MERGE)[<\"'\s]")
_FIELD: Final = late_pattern(r"(?:http-?)?(?:header|field|condition|precondition)s?", re.IGNORECASE)
_NAMED: Final = ("name", "key", "field", "n")
# Entities may grow without end.
_DECLARES: Final = "<!"
# Where placed saves have their content in JSON.
_CONTENT: Final = "body"


def may_tell_requests(request: Request) -> bool:
    """Tell whether a request is XML in which methods are named.

    Args:
        request: as seen.
    """
    content = request.content
    if not isinstance(content, Content) or not 0 < len(content) <= _LONGEST:
        return False
    text = content.text
    return text.lstrip()[:1] == "<" and _DECLARES not in text and _VERB.search(text) is not None


def as_json(view: View) -> View | None:
    """Return an exchange whose batch and its answer are in JSON, None where they are none in XML.

    Args:
        view: the exchange.
    """
    if view.response is None or _DECLARES in view.text or view.text.lstrip()[:1] != "<":
        return None
    try:
        asked, told = ET.fromstring(view.sent_text), ET.fromstring(view.text)  # noqa: S314 - none has entities
    except ET.ParseError:
        return None
    sent = [_request(one) for one in _records(asked)]
    answers = [_members(one) for one in _records(told)]
    if not sent or len(sent) != len(answers):
        return None
    request = replace(view.request, content=Content.from_json(sent))
    return View(request, replace(view.response, content=Content.from_json(answers)))


def _records(root: ET.Element) -> list[ET.Element]:
    """Return the elements of the one list that a document is, or holds at its top."""
    held = list(root)
    if len(held) == 1 and not held[0].attrib and len({_name(one) for one in held[0]}) == 1:
        inner = list(held[0])
        held = inner if all(len(one) or one.attrib for one in inner) else held
    names = {_name(one) for one in held}
    return held if len(names) == 1 and len(held) <= _MOST else []


def _request(one: ET.Element) -> dict[str, object]:
    """Return one request: its attributes and plain elements, its fields, and the content that is left."""
    members: dict[str, object] = {_name_of(name): value for name, value in one.attrib.items()}
    fields: dict[str, str] = {}
    content: dict[str, object] = {}
    for child in one:
        named = next((child.attrib[name] for name in _NAMED if name in child.attrib), "")
        if _FIELD.fullmatch(_name(child)):
            fields.update({named: _text(child)} if named else dict(_fields(child)))
        elif len(child) or child.attrib:
            content.update(_members(child))
        else:
            members[_name(child)] = _text(child)
    return {**members, "headers": fields, _CONTENT: content}


def _fields(element: ET.Element) -> Iterator[tuple[str, str]]:
    for one in element:
        named = next((one.attrib[name] for name in _NAMED if name in one.attrib), "")
        yield named or _name(one), one.attrib.get("value") or _text(one)


def _members(element: ET.Element, depth: int = _DEEPEST) -> dict[str, object]:
    found: dict[str, object] = {_name_of(name): value for name, value in element.attrib.items()}
    for one in element if depth else ():
        nested = len(one) or one.attrib
        found.setdefault(_name(one), _members(one, depth - 1) if nested else _text(one))
    return found


def _name(element: ET.Element) -> str:
    return _name_of(element.tag)


def _name_of(name: str) -> str:
    return name.rpartition("}")[2]


def _text(element: ET.Element) -> str:
    return (element.text or "").strip()
