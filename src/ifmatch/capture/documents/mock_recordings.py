"""Restate what tools for tests record as the pairs of requests and answers that journals hold.

Known: nock (its lists in JSON), the test proxy of the Azure SDKs, httpreplay of Google's Go clients, stubs
that WireMock recorded. Source: the documentation of each.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Final, cast

from ifmatch.capture.base.json_values import objects, text
from ifmatch.model.json_values import elements_in, members_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["restated"]

_Record = dict[str, object]
_MATCHERS: Final = ("equalTo", "equalToJson", "equalToXml")
_LISTS: Final = ("Entries", "mappings")


def restated(value: object) -> object:
    """Return a document with each recorded exchange as an object of `request` and `response`.

    Args:
        value: the document; what no such tool writes comes back as it is.
    """
    whole = members_in(value)
    listed = objects(value)
    for name in _LISTS:
        listed = listed or objects(whole.get(name))
    first = listed[0] if listed else whole
    for signs, restate in _TOOLS:
        if all(sign in first for sign in signs):
            return [restate(one) for one in _in_order(listed or [whole])]
    request = members_in(first.get("request"))
    if "response" in first and ("urlPath" in request or _matched(request.get("headers"))):
        return [_stub(one) for one in _in_order(listed or [whole])]
    return value


def _in_order(records: list[_Record]) -> Iterable[_Record]:
    """Return stubs in the order in which they were recorded, where they tell it."""
    places = [one.get("insertionIndex") for one in records]
    if len(records) > 1 and all(isinstance(place, int) for place in places):
        return sorted(records, key=lambda one: cast("int", one["insertionIndex"]))
    return records


def _nock(one: _Record) -> _Record:
    raw = one.get("rawHeaders")
    flat = [text(each) for each in elements_in(raw)]
    fields: object = one.get("headers") or raw
    if flat:
        fields = [{"name": name, "value": said} for name, said in zip(flat[::2], flat[1::2], strict=False)]
    answer = one.get("response")
    # Octets stand in it as texts of hexadecimal digits.
    parts = elements_in(answer)
    packed = bool(parts) and all(isinstance(each, str) for each in parts)
    request: _Record = {
        "method": one.get("method"),
        "url": text(one.get("scope")) + text(one.get("path")),
        "headers": one.get("reqheaders"),
        "body": one.get("body"),
    }
    response: _Record = {
        "status": one.get("status"), "headers": fields, "body": None if packed else answer,
    }  # fmt: skip
    return {"request": request, "response": response}


def _azure(one: _Record) -> _Record:
    request: _Record = {
        "method": one.get("RequestMethod"),
        "url": one.get("RequestUri"),
        "headers": one.get("RequestHeaders"),
        "body": one.get("RequestBody"),
        "whole": bool(members_in(one.get("RequestHeaders"))),
    }
    response: _Record = {
        "status": one.get("StatusCode"),
        "headers": one.get("ResponseHeaders"),
        "body": one.get("ResponseBody"),
    }
    return {"request": request, "response": response}


def _httpreplay(one: _Record) -> _Record:
    asked, answered = members_in(one.get("Request")), members_in(one.get("Response"))
    request: _Record = {
        "method": asked.get("Method"),
        "url": asked.get("URL"),
        "headers": asked.get("Header"),
        "bodyAsBase64": _joined([text(part) for part in elements_in(asked.get("BodyParts"))]),
    }
    response: _Record = {
        "status": answered.get("StatusCode"),
        "headers": answered.get("Header"),
        "protocol": answered.get("Proto"),
        "bodyAsBase64": answered.get("Body"),
    }
    return {"request": request, "response": response}


def _joined(parts: list[str]) -> str:
    try:
        return base64.b64encode(b"".join(base64.b64decode(part) for part in parts)).decode()
    except (binascii.Error, ValueError):
        return ""


def _matched(fields: object) -> bool:
    return any(isinstance(one, dict) for one in members_in(fields).values())


def _stub(one: _Record) -> _Record:
    asked, answered = members_in(one.get("request")), members_in(one.get("response"))
    patterns = [_equal(each) for each in objects(asked.get("bodyPatterns"))]
    request: _Record = {
        "method": asked.get("method"),
        "url": text(asked.get("url")) or text(asked.get("urlPath")),
        "headers": {
            name: _equal(each) for name, each in members_in(asked.get("headers")).items() if _equal(each)
        },
        "body": next((each for each in patterns if each), None),
    }
    return {
        **one,
        "request": request,
        "response": {**answered, "body": answered.get("jsonBody", answered.get("body"))},
    }


def _equal(matcher: object) -> str:
    """Return what a matcher wants, "" where it does not want one value."""
    members = members_in(matcher)
    wanted = next((members[name] for name in _MATCHERS if name in members), None)
    return text(wanted) if not isinstance(wanted, dict | list) else json.dumps(wanted)


_TOOLS: Final[tuple[tuple[tuple[str, ...], Callable[[_Record], _Record]], ...]] = (
    (("scope", "method", "path", "status"), _nock),
    (("RequestUri", "RequestMethod", "StatusCode"), _azure),
    (("Request", "Response"), _httpreplay),
)
