"""Name the values that a message carries beside its path: fields, parameters, members, lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.reading.pages import fields_of, input_pattern, is_page
from ifmatch.model.json_values import pointer_step
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ifmatch.diagnosis.steps.step import Step

# Longer values name no version, longer texts are data.
_LONGEST_VALUE: Final = 120
_LONGEST_TEXT: Final = 20_000
_DEEP: Final = 4
_MOST: Final = 80
# Fields that say how a message was carried, or what HTTP itself compares.
_CARRIAGE: Final = late_pattern(
    r"^(?:accept.*|age|allow|alt-svc|authorization|cache-control|connection|content-.*|cookie2?|date|dnt|e-?tag"
    r"|expect|expires|forwarded|from|host|if-(?:none-match|match|range|(?:un)?modified-since)|keep-alive"
    r"|last-modified|link|location|origin|pragma|prefer|priority|proxy-.*|range|referer|retry-after|sec-.*"
    r"|server|server-timing|set-cookie|strict-.*|te|trailer|transfer-encoding|upgrade.*|user-agent|vary|via"
    r"|warning|www-authenticate|x-forwarded-.*|x-real-ip|x-powered-by|x-envoy-.*|x-frame-.*|x-xss-.*"
    r"|traceparent|tracestate|.*(?:request|trace|correlation|span)-?id)$",
    re.IGNORECASE,
)
# Where a call has its arguments, and so many of them.
_ARGUMENTS: Final = frozenset({"/params", "/args", "/arguments", "/parameters"})
_FEW: Final = 8
# Names are of any script, with the marks on its letters (XML 1.0 section 2.3): all signs but these of ASCII.
_SIGN: Final = r"[^\x00-,/:-@\[-^`{-\x7f]"
_NAME: Final = rf"[^\W\d]{_SIGN}*"
# The text between two tags without the blanks at its ends, word by word: long ones are gone through once.
_LEAF: Final = late_pattern(
    rf"<(?:{_SIGN}++:)?({_NAME})(?:\s[^<>]*+)?>\s*+([^<>\s]*+(?:\s++[^<>\s]++)*+)\s*+</"
)
_ATTRIBUTE: Final = late_pattern(rf"\s({_NAME})=\"([^\"<>]*)\"")
# A field of a form: its name and its value are two attributes, in whatever order and quotes.
_FIELD: Final = late_pattern(r"<input\b(?=[^<>]*?\svalue=)[^<>]*?\sname=[\"']?([^\"'\s<>]+)", re.IGNORECASE)
_LINE: Final = late_pattern(
    r"^[ \t]*+([^\W\d][\w .-]{0,40}?)[ \t]*+[:=][ \t]*+\"?"
    r"([^\"\r\n \t]*+(?:[ \t]++[^\"\r\n \t]++)*+(?:[ \t]++(?=\"))?)\"?[ \t]*+$",
    re.MULTILINE,
)
# A line of a name and its value, with nothing but a blank between.
_SPACED: Final = late_pattern(r"^([^\W\d][\w.-]{0,40}) ([^\s\":=]*[\d][^\s\"]*|[^\s\":=]+)$", re.MULTILINE)
# What services call the value of a member that they give with its type, its label or its attributes.
_BARE: Final = frozenset({"value", "#text", "_text", "$t", "_value", "@value", "$"})
# The version of XML, of a document type, of an envelope is none of the content.
_DECLARATION: Final = late_pattern(r"<[?!][^>]*>")


class Member(Frozen, frozen=True):
    """A value with its place in a message.

    Attributes:
        where: `header`, `query`, `body` for a member of JSON or a form, `text` for a line or element, `path`.
        name: field, parameter, JSON Pointer (RFC 6901), or regular expression whose first group is the value.
        word: what people call it.
        value: as it stands there.
    """

    where: str
    name: str
    word: str
    value: str


def sent(step: Step) -> list[Member]:
    """Return the values that a request carries, those of its path left aside; the list is not to be changed.

    Args:
        step: the request.
    """
    return _kept(step, "sent", _sent)


def _kept(step: Step, name: str, work_out: Callable[[Step], list[Member]]) -> list[Member]:
    """Return members as they were worked out before: a message is compared with all that are near it."""
    kept = step.view.kept
    if name not in kept:
        kept[name] = work_out(step)
    return cast("list[Member]", kept[name])


def _sent(step: Step) -> list[Member]:
    found = [
        Member("header", name, name, value.strip())
        for name, value in step.sent
        if not _CARRIAGE.match(name) and 0 < len(value.strip()) <= _LONGEST_VALUE
    ]
    found += [Member("query", name, name, value) for name, value in step.view.query.items() if value]
    body = step.view.sent_json
    found += _of_json(body, "") if body is not UNKNOWN else _of_text(step.view.sent_text)
    return found[:_MOST]


def blank(step: Step) -> Iterator[Member]:
    """Yield the places of a request that are there and empty: parameters, fields, members at the top.

    Args:
        step: the request.
    """
    for name, value in step.sent:
        if not value.strip() and not _CARRIAGE.match(name):
            yield Member("header", name, name, "")
    for name, value in step.view.query.items():
        if not value:
            yield Member("query", name, name, "")
    body = step.view.sent_json
    for name, held in cast("dict[str, object]", body).items() if isinstance(body, dict) else ():
        if held == "":
            yield Member("body", f"/{pointer_step(name)}", name, "")


def shown(step: Step) -> list[Member]:
    """Return the values that an answer shows; the list is not to be changed.

    Args:
        step: the request with its answer.
    """
    return _kept(step, "shown", _shown)


def _shown(step: Step) -> list[Member]:
    found = [
        Member("header", name, name, value.strip())
        for name, value in step.received or ()
        if not _CARRIAGE.match(name) and 0 < len(value.strip()) <= _LONGEST_VALUE
    ]
    body = step.view.json
    found += _of_json(body, "") if body is not UNKNOWN else _of_text(step.view.text)
    return found[:_MOST]


def members(value: object) -> list[Member]:
    """Return the values of a record.

    Args:
        value: JSON value.
    """
    return list(_of_json(value, ""))


def _of_json(value: object, pointer: str) -> Iterator[Member]:
    if isinstance(value, dict):
        if pointer.count("/") >= _DEEP:
            return
        for name, member in cast("dict[str, object]", value).items():
            yield from _of_json(member, f"{pointer}/{pointer_step(name)}")
    elif isinstance(value, list):
        elements = cast("list[object]", value)
        # Of several elements none speaks for the whole.
        if len(elements) == 1:
            yield from _of_json(elements[0], f"{pointer}/0")
        elif pointer in _ARGUMENTS:
            # Those of a call stand in their order.
            for number, one in enumerate(elements[:_FEW]):
                if isinstance(one, dict):
                    yield from _of_json(cast("object", one), f"{pointer}/{number}")
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and pointer:
        text = str(value)
        if 0 < len(text) <= _LONGEST_VALUE:
            yield Member("body", pointer, _word(pointer), text)


def _word(pointer: str) -> str:
    """Return what people call a member: its name, or that of what it is the bare value of."""
    parts = [part for part in pointer.split("/") if part and not part.isdigit()]
    named = (part for part in reversed(parts) if part not in _BARE)
    return next(named, parts[-1] if parts else "")


def _of_text(text: str) -> Iterator[Member]:
    if not text or len(text) > _LONGEST_TEXT:
        return
    if is_page(text):
        for name, value in fields_of(text).items():
            if 0 < len(value) <= _LONGEST_VALUE:
                yield Member("text", input_pattern(name), name, value)
    elif text.lstrip()[:1] == "<":
        text = _DECLARATION.sub("", text)
        yield from _each(_LEAF, text, _element)
        yield from _each(_ATTRIBUTE, text, lambda name: rf"(?<!<\?xml)\s{name}=\"([^\"<>]*)\"")
        yield from _of_form(text)
    else:
        if all(map(_SPACED.fullmatch, text.strip().splitlines())):
            yield from _each(_SPACED, text, lambda name: rf"(?m)^{name} ([^\s\"]+)$")
            return
        yield from _each(
            _LINE, text, lambda name: rf"(?m)^[ \t]*{name}[ \t]*[:=][ \t]*\"?([^\"\r\n]*?)\"?[ \t]*$"
        )


def _element(name: str) -> str:
    """Return the pattern of an element's text, which is empty where the element is."""
    return rf"<(?:[\w.-]+:)?{name}(?:\s[^<>]*?)?(?:/(?=>)|>)\s*([^<>]*?)\s*(?:</|>)"


def _of_form(text: str) -> Iterator[Member]:
    """Yield the fields of a page's form that are filled in already, the hidden ones among them.

    Source: HTML Living Standard section 4.10.5 (the input element).
    """
    for name in dict.fromkeys(_FIELD.findall(text)):
        named = rf"(?i)<input\b(?=[^<>]*?\sname=[\"']?{re.escape(name)}[\"'\s/>])"
        where = rf"{named}[^<>]*?\svalue=[\"']?((?<==)[^\"'\s<>]+|(?<==[\"'])[^\"'<>]*)"
        held = set(re.findall(where, text))
        value = next(iter(held), "")
        if len(held) == 1 and 0 < len(value) <= _LONGEST_VALUE:
            yield Member("text", where, name, value)


def _each(pattern: re.Pattern[str], text: str, expression: Callable[[str], str]) -> Iterator[Member]:
    held: dict[str, set[str]] = {}
    for name, value in pattern.findall(text):
        held.setdefault(name, set()).add(value)
    for name, values in held.items():
        value = next(iter(values))
        # Several values under one name are those of a listing.
        if len(values) == 1 and 0 < len(value) <= _LONGEST_VALUE:
            yield Member("text", expression(re.escape(name)), name, value)
