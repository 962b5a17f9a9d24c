"""Tell a story of ETag and If-Match with the version elsewhere: in a body, a query, a path, a field."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from ifmatch.model.exchange import Capture
from ifmatch.model.message import Content, Fields, Request, Response

_TAG = re.compile(r'"[^"]*"')
# No carrier of these is another's: where a version cannot stand, a story is not told.
_OF_HTTP = ("if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "last-modified", "if")


def can_be_told(captures) -> bool:
    """Tell whether every version of a story is a strong tag in If-Match or ETag, every content an object."""
    guarded = False
    for capture in captures:
        for exchange in capture.exchanges:
            response = exchange.response
            fields = [exchange.request.fields] + ([response.fields] if response is not None else [])
            if any(name in one for one in fields for name in _OF_HTTP):
                return False
            tags = [one.text(name) for one in fields for name in ("if-match", "etag") if name in one]
            if not all(_TAG.fullmatch(tag) for tag in tags) or exchange.request.method not in {
                "GET",
                "PUT",
                "PATCH",
                "DELETE",
            }:
                return False
            contents = [exchange.request.content] + ([response.content] if response is not None else [])
            if any(isinstance(one, Content) and not isinstance(one.json(), dict) for one in contents):
                return False
            guarded = guarded or "if-match" in exchange.request.fields
    return guarded


def _with(content, name, token):
    value = int(token) if token.isdigit() else token
    record = content.json() if isinstance(content, Content) else {}
    return Content.from_text(json.dumps({**record, name: value}))


def _fields(fields, without, *more):
    kept = [(name, value) for name, value in fields if name.lower() not in without]
    return Fields([*kept, *more])


_JSON = ("Content-Type", "application/json")
_REFUSED = {"error": {"code": "VERSION_CONFLICT", "message": "version conflict: the record was changed"}}


class Carrier:
    """A place for the version, and how a refusal looks there."""

    def __init__(self, place, shown="version", status=409) -> None:
        self.place = place
        self.shown = shown
        self.status = status

    def captures(self, captures):
        """Return captures with every version moved to this place."""
        return [
            Capture(one.name, one.format, tuple(self._exchange(exchange) for exchange in one.exchanges))
            for one in captures
        ]

    def _exchange(self, exchange):
        request, response = exchange.request, exchange.response
        sent = request.fields.text("if-match")
        moved = self._request(request, sent.strip('"')) if sent is not None else request
        answer = self._response(request, response) if response is not None else None
        return replace(exchange, request=moved, response=answer)

    def _request(self, request, token):
        fields = _fields(request.fields, {"if-match"})
        if self.place == "body":
            fields = fields if "content-type" in fields else Fields([*fields, _JSON])
            return Request(request.method, request.url, fields, _with(request.content, self.shown, token))
        if self.place == "header":
            fields = Fields([*fields, ("X-Expected-Version", token)])
            return Request(request.method, request.url, fields, request.content)
        mark = "&" if "?" in request.url else "?"
        url = {
            "query": f"{request.url}{mark}expectedVersion={token}",
            "path": f"{request.url}/versions/{token}",
        }[self.place]
        return Request(request.method, url, fields, request.content)

    def _response(self, request, response):
        tag = response.fields.text("etag")
        status, content, more = response.status, response.content, []
        if status == 412:
            status, content, more = (
                self.status,
                Content.from_text(json.dumps({"ok": False, **_REFUSED})),
                [_JSON],
            )
        elif tag is not None and self.place != "header" and request.method != "DELETE":
            status, more = 200 if status == 204 else status, [_JSON]
            # A write's answer says what is stored now, as most such services do.
            content = _with(content if content is not None else request.content, self.shown, tag.strip('"'))
        elif tag is not None:
            more = [("X-Object-Version", tag.strip('"'))]
        without = {"etag", "content-type"} if more == [_JSON] else {"etag"}
        return Response(status, "", _fields(response.fields, without, *more), content)


CARRIERS = {
    "a member of the body, 409": Carrier("body"),
    "a parameter, 409": Carrier("query"),
    "the path, 409": Carrier("path", "revision"),
    "two fields, 409": Carrier("header"),
    "a member, 200 with an error": Carrier("body", "version", 200),
    "a parameter, 400": Carrier("query", "revision", 400),
}
