"""Take a batch apart: the requests that one request holds, with their answers; pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urljoin, urlsplit

from ifmatch.dialects.pointers import scalar, values_at
from ifmatch.dialects.recognition import pattern
from ifmatch.model.message import Content, Fields, Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.dialects.record import Batch, Dialect
    from ifmatch.dialects.view import View

__all__ = ["Part", "parts_in"]

_MOST: Final = 200
_REQUEST_LINE: Final = re.compile(r"^([A-Z]{3,10}) (\S+)(?: HTTP/[\d.]+)?$")
_STATUS_LINE: Final = re.compile(r"^HTTP/[\d.]+ (\d{3})")
# Of the outer request these describe its content, not what the parts share.
_OWN: Final = ("content-", "transfer-encoding", "expect")


@dataclass(frozen=True, slots=True)
class Part:
    """One request of a batch.

    Attributes:
        request: with the fields of the outer one that it does not set itself.
        response: None when the answer does not hold it.
    """

    request: Request
    response: Response | None


def parts_in(view: View, dialect: Dialect) -> tuple[Part, ...]:
    """Return the requests that a view's request holds, in order; empty when it is no batch that can be read.

    Args:
        view: the exchange.
        dialect: its family.
    """
    if view.request.method != "POST":
        return ()
    for batch in dialect.batches:
        if pattern(batch.path).search(view.path):
            return tuple(_READERS[batch.form](view, batch))[:_MOST]
    return ()


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
        return path
    base = view.request.url
    prefix = urlsplit(base).path.rpartition("/")[0] if batch.prefix == "." else batch.prefix
    if path.startswith(f"{prefix}/"):
        prefix = ""
    if not path.startswith("/"):
        # Relative to the folder of the batch address.
        return urljoin(base, path)
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
    by_id = {scalar(one.get("id")): one for one in answers if one.get("id") is not None}
    for number, request in enumerate(sent):
        path = scalar(request.get("path")) or scalar(request.get("url"))
        if path is None:
            continue
        answer = by_id.get(scalar(request.get("id"))) if by_id else None
        if answer is None and not by_id and number < len(answers):
            answer = answers[number]
        method = (scalar(request.get("method")) or "GET").upper()
        fields = _shared(view, _members(request.get("headers")))
        yield Part(
            Request(method, _url(view, batch, path), fields, _content(request.get("body"))),
            _response(answer) if answer is not None else None,
        )


def _response(answer: dict[str, object]) -> Response | None:
    status = scalar(answer.get("status"))
    if status is None or not status.isdigit() or not 100 <= int(status) <= 599:
        return None
    return Response(
        int(status), fields=Fields(_members(answer.get("headers"))), content=_content(answer.get("body"))
    )


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
    sent, answers = _records(view.sent_json, batch.requests), _records(view.json, batch.responses)
    folder = view.request.url.partition("?")[0].rpartition("/")[0]
    for number, record in enumerate(sent):
        name = scalar(record.get("_id"))
        if name is None:
            continue
        answer = None
        if len(answers) == len(sent):
            status = 409 if "error" in answers[number] else 201
            answer = Response(status, content=_content(answers[number]))
        yield Part(Request("PUT", f"{folder}/{name}", _shared(view, ()), _content(record)), answer)


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


_READERS: Final = {"json": _of_json, "multipart": _of_multipart, "documents": _of_documents}
