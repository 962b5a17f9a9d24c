"""Name the values that a message carries, wherever they stand: fields, parameters, members, lines, paths."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.pages import fields_of, input_pattern, is_page
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ifmatch.diagnosis.steps import Step

# Longer values name no version, longer texts are data.
_LONGEST_VALUE: Final = 120
_LONGEST_TEXT: Final = 20_000
_DEEP: Final = 4
_MOST: Final = 80
# Fields that say how a message was carried, or what HTTP itself compares.
_CARRIAGE: Final = re.compile(
    r"^(?:accept.*|age|allow|alt-svc|authorization|cache-control|connection|content-.*|cookie2?|date|dnt|e-?tag"
    r"|expect|expires|forwarded|from|host|if-(?:none-match|match|range|(?:un)?modified-since)|keep-alive"
    r"|last-modified|link|location|origin|pragma|prefer|priority|proxy-.*|range|referer|retry-after|sec-.*"
    r"|server|server-timing|set-cookie|strict-.*|te|trailer|transfer-encoding|upgrade.*|user-agent|vary|via"
    r"|warning|www-authenticate|x-forwarded-.*|x-real-ip|x-powered-by|x-envoy-.*|x-frame-.*|x-xss-.*"
    r"|traceparent|tracestate|.*(?:request|trace|correlation|span)-?id)$",
    re.IGNORECASE,
)
_LEAF: Final = re.compile(r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)(?:\s[^<>]*)?>\s*([^<>]*?)\s*</")
_ATTRIBUTE: Final = re.compile(r"\s([A-Za-z_][\w.-]*)=\"([^\"<>]*)\"")
# A field of a form: its name and its value are two attributes, in whatever order and quotes.
_FIELD: Final = re.compile(r"<input\b(?=[^<>]*?\svalue=)[^<>]*?\sname=[\"']?([^\"'\s<>]+)", re.IGNORECASE)
_LINE: Final = re.compile(
    r"^[ \t]*([^\W\d][\w .-]{0,40}?)[ \t]*[:=][ \t]*\"?([^\"\r\n]*?)\"?[ \t]*$", re.MULTILINE
)
# The version of XML, of a document type, of an envelope is none of the content.
_DECLARATION: Final = re.compile(r"<[?!][^>]*>")
# What stands in a path beside a value: `;rev=7`, `@7`, `~v7`.
_EMBEDDED: Final = re.compile(
    r"(?P<thing>.+?)(?P<before>[@;:~,!](?:[A-Za-z_-]+[=:.-]?)?)(?P<value>\w[\w.-]*)"
)
_PREFIXED: Final = re.compile(r"(?P<before>(?:[A-Za-z]+[-_.=]?)?)(?P<value>\w[\w.-]*?)")
_NUMBER: Final = re.compile(r"(?P<before>[A-Za-z]+[-_.=]?)(?P<value>\d+)")
_ACTION: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,40}")


@dataclass(frozen=True, slots=True)
class Member:
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


@dataclass(frozen=True, slots=True)
class InPath:
    """A value in a path, and the resource that is left when it is taken out.

    Attributes:
        member: the value.
        resource: key of the resource without it.
        rule: regular expression over path and query that finds it for the same-resource rule.
        becomes: what is left of it.
    """

    member: Member
    resource: str
    rule: str
    becomes: str


def sent(step: Step) -> list[Member]:
    """Return the values that a request carries, those of its path left aside.

    Args:
        step: the request.
    """
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
            yield Member("body", f"/{name.replace('~', '~0').replace('/', '~1')}", name, "")


def shown(step: Step) -> list[Member]:
    """Return the values that an answer shows.

    Args:
        step: the request with its answer.
    """
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
            yield from _of_json(member, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        elements = cast("list[object]", value)
        # Of several elements none speaks for the whole.
        if len(elements) == 1:
            yield from _of_json(elements[0], f"{pointer}/0")
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and pointer:
        text = str(value)
        if 0 < len(text) <= _LONGEST_VALUE:
            word = next((part for part in reversed(pointer.split("/")) if not part.isdigit()), "")
            yield Member("body", pointer, word, text)


def _of_text(text: str) -> Iterator[Member]:
    if not text or len(text) > _LONGEST_TEXT:
        return
    if is_page(text):
        for name, value in fields_of(text).items():
            if 0 < len(value) <= _LONGEST_VALUE:
                yield Member("text", input_pattern(name), name, value)
    elif text.lstrip()[:1] == "<":
        text = _DECLARATION.sub("", text)
        yield from _each(_LEAF, text, lambda name: rf"<(?:[\w.-]+:)?{name}(?:\s[^<>]*)?>\s*([^<>]*?)\s*</")
        yield from _each(_ATTRIBUTE, text, lambda name: rf"\s{name}=\"([^\"<>]*)\"")
        yield from _of_form(text)
    else:
        yield from _each(
            _LINE, text, lambda name: rf"(?m)^[ \t]*{name}[ \t]*[:=][ \t]*\"?([^\"\r\n]*?)\"?[ \t]*$"
        )


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


def in_path(step: Step, read: set[str]) -> list[InPath]:
    """Return the values in a request's path without which it names a resource that was read.

    `/units/7/revisions/3`, `/units/7/3`, `/units/7@3` and `/units/7;rev=3` all are about `/units/7`; one
    action may follow (`/units/7/3/close`).

    Args:
        step: the request.
        read: keys of the resources that were read, queries left out.
    """
    key = step.resource.partition("?")[0]
    if key in read:
        return []
    parts = key.split("/")
    first = 3 if "://" in key else 1
    found: list[InPath] = []
    for place in range(len(parts) - 1, max(first, len(parts) - 3), -1):
        rest = parts[place + 1 :]
        if len(rest) > 1 or any(not _ACTION.fullmatch(one) for one in rest):
            break
        found += _labelled(parts, place, read)
        found += _bare(parts, place, first, read)
        found += _embedded(parts, place, read)
    return found


def labelled(step: Step) -> list[InPath]:
    """Return the value that the last steps of a path call a version, whether its resource was read or not.

    Args:
        step: the request.
    """
    parts = step.resource.partition("?")[0].split("/")
    place = next((one for one in range(len(parts) - 1, 2, -1) if _NAMED.fullmatch(parts[one - 1])), 0)
    return list(_labelled(parts, place, {"/".join(parts[: place - 1])})) if place else []


# Steps of a path after which a version stands.
_NAMED: Final = re.compile(r"versions?|revisions?|revs?|etags?|generations?|v", re.IGNORECASE)
_END: Final = r"(?=[/?]|$)"


def _labelled(parts: list[str], place: int, read: set[str]) -> Iterator[InPath]:
    base, label = "/".join(parts[: place - 1]), parts[place - 1]
    if base not in read or not _ACTION.fullmatch(label):
        return
    for kept in _beginnings(parts[place]):
        start = rf"/{re.escape(label)}/{re.escape(kept)}"
        value = parts[place][len(kept) :]
        like = _like("" if _NAMED.fullmatch(label) else value)
        yield InPath(
            Member("path", rf"{start}({like}){_END}", label, value), base, rf"{start}{like}{_END}", ""
        )


def _beginnings(part: str) -> list[str]:
    """Return what may stand before a version in a step of a path: nothing, or the letters before a number."""
    match = _NUMBER.fullmatch(part)
    return ["", match["before"]] if match is not None else [""]


def _like(value: str) -> str:
    """Return the pattern of values of a kind: numbers, or whatever stands between two slashes."""
    return r"\d+" if value.isdigit() else r"[^/?]+"


def _bare(parts: list[str], place: int, first: int, read: set[str]) -> Iterator[InPath]:
    base = "/".join(parts[:place])
    if base not in read:
        return
    above = "".join(f"/{re.escape(one)}" for one in parts[first : place - 1])
    thing = rf"{above}/[^/?]+"
    for kept in _beginnings(parts[place]):
        rest, value = re.escape(kept), parts[place][len(kept) :]
        like = _like(value)
        member = Member("path", rf"^{thing}/{rest}({like}){_END}", kept.rstrip("-_.="), value)
        yield InPath(member, base, rf"^({thing})/{rest}{like}{_END}", r"\1")


def _embedded(parts: list[str], place: int, read: set[str]) -> Iterator[InPath]:
    match = _EMBEDDED.fullmatch(parts[place])
    base = "/".join([*parts[:place], match["thing"]]) if match is not None else ""
    if match is not None and base in read:
        before = re.escape(match["before"])
        word = match["before"].strip("@;:~,!=.-")
        member = Member("path", rf"{before}(\w[\w.-]*){_END}", word, match["value"])
        yield InPath(member, base, rf"{before}\w[\w.-]*{_END}", "")
