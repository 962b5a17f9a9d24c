"""Tell a story of ETag and If-Match with the version elsewhere: in a body, a query, a path, a field."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from stories_reader import START

from ifmatch.model.exchange import Capture
from ifmatch.model.message import Content, Fields, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

_TAG = re.compile(r'"[^"]*"')
# No carrier of these is another's: where a version cannot stand, a story is not told.
_OF_HTTP = ("if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "last-modified", "if")
_METHODS = {"GET", "PUT", "PATCH", "DELETE"}
_FEW_SIGNS = 3
JSON = ("Content-Type", "application/json")


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
            if not all(_TAG.fullmatch(tag) for tag in tags) or exchange.request.method not in _METHODS:
                return False
            contents = [exchange.request.content] + ([response.content] if response is not None else [])
            if any(isinstance(one, Content) and not isinstance(one.json(), dict) for one in contents):
                return False
            guarded = guarded or "if-match" in exchange.request.fields
    return guarded


# -- how a version is spelt -----------------------------------------------------------


def plain(_captures):
    """Spell versions as their tags, numbers as numbers."""
    return lambda token: int(token) if token.isdigit() else token


def hashed(_captures):
    """Spell versions as checksums."""
    return lambda token: hashlib.sha256(token.encode()).hexdigest()[:40] if token else token


def _times(captures):
    """Return when each version was made, as far as a story tells: by the write, or before the first read."""
    found: dict[str, float] = {}
    steps = sorted(
        (one for capture in captures for one in capture.exchanges), key=lambda one: one.started + one.duration
    )
    for step in steps:
        tag = step.response.fields.text("etag") if step.response is not None else None
        if tag is not None and tag.strip('"') not in found:
            written = step.request.method != "GET"
            before = 0.004 if written else 0.7 if found else 7200.0
            found[tag.strip('"')] = step.started + step.duration - before
    for step in steps:
        sent = step.request.fields.text("if-match")
        if sent is not None:
            found.setdefault(sent.strip('"'), START - 9000.0)
    return found


def dated(captures):
    """Spell versions as the times at which they were made, to the millisecond."""
    times = _times(captures)

    def spelt(token):
        moment = datetime.fromtimestamp(times[token], UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"

    return lambda token: spelt(token) if token in times else token


def in_milliseconds(captures):
    """Spell versions as milliseconds since the epoch."""
    times = _times(captures)
    return lambda token: int(times[token] * 1000) if token in times else token


def in_sequence(captures):
    """Spell versions as places in one log of all changes."""
    times = _times(captures)
    places = {token: 88000 + 3 * place for place, token in enumerate(sorted(times, key=times.__getitem__))}
    return lambda token: places.get(token, token)


# -- where it stands ------------------------------------------------------------------


def tags_out(value, spell):
    """Return a JSON value with entity tags in it spelt as versions are."""
    if isinstance(value, dict):
        return {name: tags_out(one, spell) for name, one in value.items()}
    if isinstance(value, list):
        return [tags_out(one, spell) for one in value]
    if isinstance(value, str) and _TAG.fullmatch(value):
        return spell(value.strip('"'))
    if isinstance(value, str) and len(value) >= _FEW_SIGNS and not isinstance(spell(value), str):
        return spell(value)
    return value


def _put(record, pointer, value):
    """Return a record with a member at a pointer, such as `meta/revision`."""
    name, _, rest = pointer.partition("/")
    if not rest:
        return {**record, name: value}
    inner = record.get(name)
    return {**record, name: _put(inner if isinstance(inner, dict) else {}, rest, value)}


def without(fields, names, *more):
    """Return fields but for some, and more."""
    return Fields([*((name, value) for name, value in fields if name.lower() not in names), *more])


def record_of(content, spell):
    """Return the object that a content holds, empty where it holds none."""
    return tags_out(content.json(), spell) if isinstance(content, Content) else {}


def refusal(current):
    """Return how most services refuse: with a code, a sentence, and at times the version that is stored."""
    error = {"code": "VERSION_CONFLICT", "message": "version conflict: the record was changed"}
    return {"ok": False, "error": error if current is None else {**error, "currentVersion": current}}


@dataclass(frozen=True)
class Carrier:
    """A place for the version, and how a refusal looks there.

    Attributes:
        sent: `body:POINTER`, `query:NAME`, `path:LABEL` or `header:NAME`.
        shown: `body:POINTER` or `header:NAME`.
        status: of a refusal.
        refuses: gives the refusal's content, made from the stored version where the story tells that.
        spelling: gives for captures how their versions are spelt.
    """

    sent: str
    shown: str
    status: int = 409
    refuses: Callable = refusal
    spelling: Callable = plain

    def captures(self, captures):
        """Return captures with every version moved to this place."""
        spell = self.spelling(captures)
        return [
            Capture(
                one.name, one.format, tuple(self._exchange(exchange, spell) for exchange in one.exchanges)
            )
            for one in captures
        ]

    def _exchange(self, exchange, spell):
        request, response = exchange.request, exchange.response
        sent = request.fields.text("if-match")
        moved = self._request(request, None if sent is None else spell(sent.strip('"')), spell)
        answer = self._response(request, response, spell) if response is not None else None
        return replace(exchange, request=moved, response=answer)

    def _request(self, request, version, spell):
        kind, _, name = self.sent.partition(":")
        fields, url, content = without(request.fields, {"if-match"}), request.url, request.content
        if isinstance(content, Content):
            content = Content.from_text(json.dumps(record_of(content, spell)))
        if version is None:
            return Request(request.method, url, fields, content)
        here, _, query = url.partition("?")
        if kind == "body":
            fields = fields if "content-type" in fields else Fields([*fields, JSON])
            content = Content.from_text(json.dumps(_put(record_of(content, spell), name, version)))
        elif kind == "header":
            fields = Fields([*fields, (name, str(version))])
        elif kind == "query":
            url += f"{'&' if query else '?'}{name}={quote(str(version), safe='')}"
        else:
            url = f"{here}/{name}/{quote(str(version), safe='')}" + (f"?{query}" if query else "")
        return Request(request.method, url, fields, content)

    def _response(self, request, response, spell):
        tag = response.fields.text("etag")
        version = None if tag is None else spell(tag.strip('"'))
        kind, _, name = self.shown.partition(":")
        status, content, more = response.status, response.content, []
        if isinstance(content, Content):
            content = Content.from_text(json.dumps(record_of(content, spell)))
        if status == 412:
            told = self.refuses(version)
            details = {"details": record_of(response.content, spell)} if content is not None else {}
            status, content, more = self.status, Content.from_text(json.dumps({**told, **details})), [JSON]
        elif version is not None and kind == "body" and request.method != "DELETE":
            status, more = 200 if status == 204 else status, [JSON]
            # A write's answer says what is stored now, as most such services do.
            record = record_of(content if content is not None else request.content, spell)
            content = Content.from_text(json.dumps(_put(record, name, version)))
        if version is not None and kind == "header":
            more = [*more, (name, str(version))]
        gone = {"etag", "content-type"} if JSON in more else {"etag"}
        return Response(status, "", without(response.fields, gone, *more), content)


def _status_only(_current):
    return {"title": "Unprocessable", "detail": "the revision you expect is not the current one"}


def _aborted(current):
    """Return how services behind a gateway from gRPC say it: google.rpc.Code ABORTED is 409."""
    told = "" if current is None else f" (current is {current})"
    message = f"the etag does not match the stored one{told}"
    return {"error": {"code": 409, "message": message, "status": "ABORTED"}}


def _unmet(current):
    """Return the same as google.rpc.Code FAILED_PRECONDITION, which is 400."""
    message = "the etag is not that of the stored resource"
    about = {} if current is None else {"metadata": {"currentEtag": current}}
    details = [{"reason": "ETAG_MISMATCH", **about}]
    return {"error": {"code": 400, "message": message, "status": "FAILED_PRECONDITION", "details": details}}


CARRIERS = {
    "a member of the body, 409": Carrier("body:version", "body:version"),
    "a parameter, 409": Carrier("query:expectedVersion", "body:version"),
    "the path, 409": Carrier("path:versions", "body:revision"),
    "two fields, 409": Carrier("header:X-Expected-Version", "header:X-Object-Version"),
    "a member, 200 with an error": Carrier("body:version", "body:version", 200),
    "a parameter, 400": Carrier("query:revision", "body:revision", 400),
    "two fields, 422": Carrier("header:X-Expected-Revision", "header:X-Revision", 422, _status_only),
    "a field and a member, 428": Carrier("header:X-Version", "body:version", 428),
    "the path's last steps, 409": Carrier("path:v", "body:v"),
    "a nested member, 409": Carrier("body:meta/revision", "body:meta/revision"),
    "a checksum in a member, 409": Carrier("body:hash", "body:hash", spelling=hashed),
    "a time in a member, 409": Carrier("body:updatedAt", "body:updatedAt", spelling=dated),
    "a time in a parameter, 409": Carrier("query:ifUpdatedAt", "body:updatedAt", spelling=dated),
    "milliseconds in a member, 409": Carrier("body:updatedAt", "body:updatedAt", spelling=in_milliseconds),
    "a sequence number, 409": Carrier("query:if_seq", "body:seq", spelling=in_sequence),
    "ABORTED, 409": Carrier("body:etag", "body:etag", 409, _aborted),
    "FAILED_PRECONDITION, 400": Carrier("body:etag", "body:etag", 400, _unmet),
}
