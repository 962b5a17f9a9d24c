"""Take a batch apart: the requests that one request holds, with their answers; pure."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlencode, urlsplit

from msgspec.structs import replace as with_

from ifmatch.dialects.api_batches import OF_APIS
from ifmatch.dialects.bulk import items_in, takes_many
from ifmatch.dialects.placed import placed_in
from ifmatch.dialects.pointers import scalar, values_at
from ifmatch.dialects.recognition import pattern
from ifmatch.dialects.record import Batch, BatchForm
from ifmatch.dialects.rows import is_table, of_lines
from ifmatch.dialects.xml_batches import as_json, may_tell_requests
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content, Fields, Request, Response
from ifmatch.model.places import joined, splittable
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ifmatch.dialects.record import Dialect
    from ifmatch.dialects.view import View

__all__ = ["Part", "may_hold_parts", "of_family", "parts_in"]

_MOST: Final = 200
_NOWHERE: Final[Mapping[str, str]] = MappingProxyType({})
_CARRYING: Final = frozenset({"POST", "PUT", "PATCH"})
_FAILED: Final = 400
# What marks a request as one inside another, and the place that an answer names as the failed one.
_WITHIN: Final = late_pattern(r"\ncontent-type: *application/http", re.IGNORECASE)
_POINTED: Final = late_pattern(r"(?:/atomic:operations/|entry\[|\"value\"\s*:\s*\")(\d+)(?=\D)")
# So many characters of the end of a path are looked for in an answer.
_NAME: Final = 80
_REQUEST_LINE: Final = late_pattern(r"^([A-Z]{3,10}) (\S+)(?: HTTP/[\d.]+)?$")
_STATUS_LINE: Final = late_pattern(r"^HTTP/[\d.]+ (\d{3})")
# Of the outer request these describe its content, not what the parts share.
# Where one record ends and the next line begins another one.
_NEXT_LINE: Final = late_pattern(r"\}\r?\n\{")
_OWN: Final = ("content-", "transfer-encoding", "expect")


class Part(Frozen, frozen=True):
    """One request of a batch.

    Attributes:
        request: with the fields of the outer one that it does not set itself.
        response: None when the answer does not hold it.
    """

    request: Request
    response: Response | None


def may_hold_parts(request: Request) -> bool:
    """Tell whether a request may be a batch by its content alone: whole requests, or a list or lines of JSON.

    Most requests are told from one without reading their JSON.

    Args:
        request: as seen.
    """
    if request.method not in _CARRYING or not isinstance(request.content, Content):
        return False
    kind = request.fields.text("content-type") or ""
    text = request.content.text
    lines = _NEXT_LINE.search(text) is not None or of_lines(kind) or is_table(kind)
    many = "[" in text or lines or takes_many(request.url)
    return many or kind.lower().startswith("multipart/") or may_tell_requests(request)


def of_family(view: View, dialects: Sequence[Dialect]) -> bool:
    """Tell whether a request is a batch of one of some families, whose answer tells of its parts.

    Args:
        view: the exchange.
        dialects: the families.
    """
    if view.request.method not in _CARRYING:
        return False
    return any(
        part.response is not None
        for dialect in dialects
        for batch in dialect.batches
        if not dialect.general and not batch.whole and pattern(batch.path).search(view.path)
        for part in itertools.islice(_READERS[batch.form](view, batch), 1)
    )


def parts_in(view: View, dialect: Dialect | None, places: Mapping[str, str] = _NOWHERE) -> tuple[Part, ...]:
    """Return the requests that a view's request holds, in order; empty when it is no batch that can be read.

    Some batches say themselves what they are, whatever the family.

    Args:
        view: the exchange.
        dialect: its family; None when none showed itself.
        places: paths of the folders in which things had been read, by the last part of the things' paths.
    """
    if view.request.method not in _CARRYING:
        return ()
    for batch in dialect.batches if dialect is not None else ():
        if pattern(batch.path).search(view.path):
            found = tuple(itertools.islice(_READERS[batch.form](view, batch), _MOST))
            if found:
                return _answered(view, found)
    if not may_hold_parts(view.request):
        return ()
    form = _form_of(view)
    if may_tell_requests(view.request):
        told = as_json(view)
        found = tuple(_of_places(told, places)) if told is not None else ()
    elif form is not None:
        found = tuple(itertools.islice(_READERS[form](view, Batch(path="^", form=form)), _MOST))
    elif _asked(view.sent_json):
        found = ()
    else:
        found = tuple(_of_places(view, places)) or tuple(_of_items(view, places))
    return _answered(view, found)


def _form_of(view: View) -> BatchForm | None:
    """Return the form of a batch of whole requests that is known by its content alone."""
    kind = (view.request.fields.text("content-type") or "").lower()
    if kind.startswith("multipart/"):
        return "multipart" if _WITHIN.search(view.sent_text) else None
    sent = view.sent_json
    if not isinstance(sent, dict):
        return None
    members = cast("dict[str, object]", sent)
    if members.get("resourceType") == "Bundle" and _records(members, "/entry"):
        return "bundle"
    if _records(members, "/atomic:operations"):
        return "operations"
    return "json" if _asked(members) and _records(view.json, "/responses") else None


def _asked(value: object) -> bool:
    """Tell whether a content holds a list of requests, each with its method and its place."""
    asked = _records(value, "/requests")
    return bool(asked) and all("method" in one and ("url" in one or "path" in one) for one in asked)


def _answered(view: View, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Give the answer to a batch that failed as a whole to the part that it names, else to a guarded one."""
    if view.response is None or any(one.response is not None for one in parts) or not parts:
        return parts
    answer = view.response
    if view.status < _FAILED:
        inner = list(_messages(view.text, _STATUS_LINE))
        if len(inner) != 1 or int(inner[0][0][1]) < _FAILED:
            return parts
        line, received, content = inner[0]
        answer = Response(int(line[1]), fields=Fields(received), content=_content(content or None))
    text = view.text
    named = [one for one in parts if (name := _named(one.request.url)) and name in text]
    placed = _POINTED.search(text)
    if placed is not None and int(placed[1]) < len(parts):
        named = [parts[int(placed[1])]]
    guarded = [one for one in parts if any(name.lower().startswith("if-") for name, _ in one.request.fields)]
    blamed = next(iter([one for one in named if one in guarded] or named or guarded or parts))
    return tuple(with_(one, response=answer) if one is blamed else one for one in parts)


def _named(url: str) -> str:
    """Return what an answer may call a part's resource: the end of its path, or its name in the query."""
    parts = urlsplit(url)
    return (parts.query.rpartition("=")[2] or parts.path)[-_NAME:]


def _shared(view: View, own: Sequence[tuple[str, str]]) -> Fields:
    names = {name.lower() for name, _ in own}
    outer = [
        (name, value)
        for name, value in view.request.fields
        if name.lower() not in names and not name.lower().startswith(_OWN)
    ]
    return Fields([*outer, *own])


def _url(view: View, batch: Batch, path: str) -> str:
    if "://" in path:
        return splittable(path)
    base = view.request.url
    prefix = urlsplit(base).path.rpartition("/")[0] if batch.prefix == "." else batch.prefix
    if path.startswith(f"{prefix}/"):
        prefix = ""
    if not path.startswith("/"):
        # Relative to the folder of the batch address.
        return joined(base, path)
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}{prefix}{path}" if parts.netloc else f"{prefix}{path}"


def _members(value: object) -> list[tuple[str, str]]:
    if not isinstance(value, dict):
        return []
    named = cast("dict[str, object]", value)
    return [(name, text) for name, member in named.items() if (text := scalar(member)) is not None]


def _records(value: object, pointer: str) -> list[dict[str, object]]:
    return [
        cast("dict[str, object]", one) for one in values_at(value, f"{pointer}/*") if isinstance(one, dict)
    ]


def _content(value: object) -> Content | None:
    if value is None:
        return None
    return Content.from_text(value if isinstance(value, str) else json.dumps(value))


def _of_json(view: View, batch: Batch) -> Iterator[Part]:
    sent = _records(view.sent_json, batch.requests)
    answers = _records(view.json, batch.responses)
    by_id = {_numbered(one): one for one in answers if _numbered(one) is not None}
    for number, request in enumerate(sent):
        path = scalar(request.get("path")) or scalar(request.get("url"))
        if path is None:
            continue
        answer = by_id.get(_numbered(request)) if by_id else None
        if answer is None and not by_id and number < len(answers):
            answer = answers[number]
        method = (scalar(request.get("method")) or "GET").upper()
        fields = _shared(view, _members(request.get("headers") or request.get("httpHeaders")))
        body = request.get("body", request.get("richInput"))
        yield Part(
            Request(method, _url(view, batch, path), fields, _content(body)),
            _response(answer) if answer is not None else None,
        )


def _numbered(one: dict[str, object]) -> str | None:
    """Return what a request of a list and its answer are called by."""
    return scalar(one.get("id")) or scalar(one.get("referenceId"))


def _response(answer: dict[str, object]) -> Response | None:
    named = (scalar(answer.get(name)) for name in ("status", "httpStatusCode", "statusCode"))
    status = next((one for one in named if one is not None), None)
    if status is None or not status.isdigit() or not 100 <= int(status) <= 599:
        return None
    fields = Fields(_members(answer.get("headers") or answer.get("httpHeaders")))
    return Response(int(status), fields=fields, content=_content(answer.get("body", answer.get("result"))))


def _of_multipart(view: View, batch: Batch) -> Iterator[Part]:
    sent = list(_messages(view.sent_text, _REQUEST_LINE))
    answers = list(_messages(view.text, _STATUS_LINE))
    for number, (match, fields, body) in enumerate(sent):
        answer = None
        if number < len(answers) and len(answers) == len(sent):
            line, received, content = answers[number]
            answer = Response(int(line[1]), fields=Fields(received), content=_content(content or None))
        request = Request(
            match[1], _url(view, batch, match[2]), _shared(view, fields), _content(body or None)
        )
        yield Part(request, answer)


def _of_documents(view: View, batch: Batch) -> Iterator[Part]:
    sent = _records(view.sent_json, batch.requests)
    answers = _records(view.json, batch.responses) if not batch.whole else []
    folder = view.request.url.partition("?")[0].rpartition("/")[0]
    if batch.whole and len(sent) == 1:
        return
    done = Response(view.status) if batch.whole and 0 < view.status < _FAILED else None
    for number, record in enumerate(sent):
        name = scalar(record.get(batch.named))
        if name is None:
            continue
        answer = done
        if done is not None and (told := _told_beside(view.json, name)) is not None:
            answer = Response(view.status, content=_content(told))
        if len(answers) == len(sent):
            status = 409 if "error" in answers[number] else 201
            answer = Response(status, content=_content(answers[number]))
        url = f"{folder}/{batch.prefix}{name}"
        yield Part(Request("PUT", url, _shared(view, ()), _content(record)), answer)


def _told_beside(answer: object, name: str) -> dict[str, object] | None:
    """Return what an answer for all says of one document: of a list of names and values its own pair."""
    for called, listed in cast("dict[str, object]", answer).items() if isinstance(answer, dict) else ():
        if not isinstance(listed, list):
            continue
        values = cast("list[object]", listed)
        for place in range(0, len(values) - 1, 2):
            if scalar(values[place]) == name:
                return {called: values[place : place + 2]}
    return None


def _messages(
    text: str, begins: re.Pattern[str]
) -> Iterator[tuple[re.Match[str], list[tuple[str, str]], str]]:
    """Yield the messages of application/http parts: start line, fields, content."""
    for part in re.split(r"\n--[^\n]*", text.replace("\r\n", "\n")):
        lines = part.split("\n")
        start = next((number for number, line in enumerate(lines) if begins.match(line)), None)
        if start is None:
            continue
        match = begins.match(lines[start])
        head, _, body = "\n".join(lines[start + 1 :]).partition("\n\n")
        pairs = [
            (name.strip(), value.strip())
            for name, colon, value in (line.partition(":") for line in head.split("\n"))
            if colon
        ]
        if match is not None:
            yield match, pairs, body.strip()


def _of_bundle(view: View, batch: Batch) -> Iterator[Part]:
    """Yield the entries of a FHIR bundle; each answer stands at the place of its entry.

    Source: https://hl7.org/fhir/http.html#transaction
    """
    answers = _records(view.json, "/entry") if 200 <= view.status < _FAILED else []
    base = view.request.url.partition("?")[0].rstrip("/")
    sent = _records(view.sent_json, batch.requests if batch.requests != "/requests" else "/entry")
    for number, entry in enumerate(sent):
        members = members_in(entry.get("request"))
        path = scalar(members.get("url"))
        if path is None:
            continue
        own = [
            (field, value)
            for name, field in _ENTRY_FIELDS.items()
            if (value := scalar(members.get(name))) is not None
        ]
        url = path if "://" in path else f"{base}/{path.lstrip('/')}"
        method = (scalar(members.get("method")) or "GET").upper()
        request = Request(method, url, _shared(view, own), _content(entry.get("resource")))
        yield Part(request, _entry_response(answers[number]) if number < len(answers) else None)


def _entry_response(entry: dict[str, object]) -> Response | None:
    told = entry.get("response")
    if not isinstance(told, dict):
        return None
    members = cast("dict[str, object]", told)
    status = (scalar(members.get("status")) or "")[:3]
    if not status.isdigit() or not 100 <= int(status) <= 599:
        return None
    fields = [("ETag", tag)] if (tag := scalar(members.get("etag"))) is not None else []
    return Response(
        int(status), fields=Fields(fields), content=_content(members.get("outcome") or entry.get("resource"))
    )


def _of_operations(view: View, batch: Batch) -> Iterator[Part]:
    """Yield the operations of a JSON:API atomic request; a failed one fails them all.

    Source: https://jsonapi.org/ext/atomic/
    """
    del batch
    answers = _records(view.json, "/atomic:results")
    folder = view.request.url.partition("?")[0].rpartition("/")[0]
    sent = _records(view.sent_json, "/atomic:operations")
    for number, operation in enumerate(sent):
        data = members_in(operation.get("data"))
        named = members_in(operation.get("ref")) or data
        kind, name, place = scalar(named.get("type")), scalar(named.get("id")), scalar(operation.get("href"))
        path = place or "/".join(one for one in (kind, name) if one)
        if not path:
            continue
        url = splittable(path) if "://" in path else joined(f"{folder}/", path)
        method = _OPERATIONS.get(scalar(operation.get("op")) or "", "POST")
        answer = None
        if len(answers) == len(sent):
            answer = Response(200, content=_content(answers[number]))
        content = _content({"data": data}) if data else None
        yield Part(Request(method, url, _shared(view, ()), content), answer)


def _of_lines(view: View, batch: Batch) -> Iterator[Part]:
    """Yield the actions of a bulk request in lines: an action, then its document, unless it deletes.

    Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
    """
    folder = urlsplit(view.request.url).path.rpartition("/")[0]
    lines = [line for line in view.sent_text.splitlines() if line.strip()]
    answers = _records(view.json, batch.responses)
    number, place = 0, 0
    while place < len(lines):
        action = _object(lines[place])
        name = next(iter(action), "")
        about = action.get(name)
        if name not in _ACTIONS or not isinstance(about, dict):
            return
        place += 1
        body = None if name == "delete" else lines[place] if place < len(lines) else None
        place += name != "delete"
        members = cast("dict[str, object]", about)
        answer = None
        if number < len(answers):
            told = members_in(answers[number].get(name))
            answer = _response(told)
            if answer is not None:
                answer = replace(answer, content=_content(told))
        number += 1
        index, key = scalar(members.get("_index")), scalar(members.get("_id"))
        if key is None:
            continue
        base = f"/{index}" if index is not None else folder
        query = urlencode(
            {one: text for one in _CONDITIONS if (text := scalar(members.get(one))) is not None}
        )
        path = f"{base}/{_ACTIONS[name]}/{key}" + (f"?{query}" if query else "")
        method = "DELETE" if name == "delete" else "POST" if name == "update" else "PUT"
        yield Part(Request(method, joined(view.request.url, path), _shared(view, ()), _content(body)), answer)


def _of_places(view: View, places: Mapping[str, str]) -> Iterator[Part]:
    """Yield the saves of a list that gives each its place and its content."""
    shared = _shared(view, ())
    for one in placed_in(view, places):
        outer = [(name, value) for name, value in shared if not name.lower().startswith("if-")]
        fields = Fields([*outer, *one.conditions])
        response = Response(one.status, fields=_tagged(one.answer), content=_content(one.answer))
        yield Part(Request(one.method, one.url, fields, _content(one.content)), response)


def _of_items(view: View, places: Mapping[str, str]) -> Iterator[Part]:
    """Yield the records of a bulk change, each as a change of the thing that it names."""
    shared = [(name, value) for name, value in _shared(view, ()) if not name.lower().startswith("if-")]
    for item in items_in(view, places):
        condition = next((text for one in _MATCHES if (text := scalar(item.record.get(one)))), None)
        if condition is not None and '"' not in condition and condition != "*":
            condition = f'"{condition}"'
        fields = Fields([*shared, ("If-Match", condition)] if condition is not None else shared)
        response = Response(item.status, fields=_tagged(item.answer or {}), content=_content(item.answer))
        yield Part(
            Request(item.method, item.url, fields, _content(item.record)),
            response if item.status else None,
        )


def _tagged(answer: dict[str, object]) -> Fields:
    """Return the field for the tag that an answer gives of one thing."""
    tag = scalar(answer.get("etag"))
    return Fields([("ETag", tag if '"' in tag else f'"{tag}"')] if tag is not None else [])


def _object(line: str) -> dict[str, object]:
    try:
        return members_in(json.loads(line))
    except ValueError:
        return {}


_ENTRY_FIELDS: Final = {
    "ifMatch": "If-Match",
    "ifNoneMatch": "If-None-Match",
    "ifModifiedSince": "If-Modified-Since",
    "ifNoneExist": "If-None-Exist",
}
_OPERATIONS: Final = {"add": "POST", "update": "PATCH", "remove": "DELETE"}
_ACTIONS: Final = {"index": "_doc", "create": "_create", "update": "_update", "delete": "_doc"}
_CONDITIONS: Final = ("if_seq_no", "if_primary_term", "version", "version_type", "routing")
_MATCHES: Final = ("ifMatch", "if_match", "If-Match", "if-match", "@odata.etag", "etag", "eTag", "_etag")


def _of_api(view: View, batch: Batch) -> Iterator[Part]:
    """Yield the requests of a batch in a form that one API has."""
    for one in OF_APIS[batch.form](view, batch):
        request = Request(
            one.method, joined(view.request.url, one.url), _shared(view, one.fields), _content(one.content)
        )
        answer = Response(one.status, fields=Fields(one.answered), content=_content(one.answer))
        yield Part(request, answer if one.status else None)


_READERS: Final[dict[BatchForm, Callable[[View, Batch], Iterator[Part]]]] = {
    "json": _of_json,
    "multipart": _of_multipart,
    "documents": _of_documents,
    "bundle": _of_bundle,
    "operations": _of_operations,
    "lines": _of_lines,
    "writes": _of_api,
    "named": _of_api,
    "rows": _of_api,
    "statements": _of_api,
    "records": _of_api,
    "transactions": _of_api,
}
