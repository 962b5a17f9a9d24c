"""Read what API clients export: Insomnia, Bruno's runs and examples, Hoppscotch's collections.

A request that was sent has fields that its client added by itself, so that the absence of a field says
nothing. Source of the formats: Insomnia's export 4 (5: `insomnia_yaml`), `bru run --reporter-json`, Bruno's
and Hoppscotch's collections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.json_values import (
    header_pairs,
    load,
    moment,
    nested,
    number,
    objects,
    read_limited,
    text,
    whole_objects,
)
from ifmatch.capture.base.moments import iso_moment
from ifmatch.capture.documents.insomnia_yaml import read_insomnia_yaml
from ifmatch.model.json_values import elements_in, members_in
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

__all__ = ["read_api_client"]

_FOLDERS: Final = ("items", "folders", "requests")
_ADVICE: Final = (
    "Send the request and save its response as an example, then export anew. Or record the traffic: curl -v"
)


def read_api_client(stream: BinaryIO, name: str) -> Capture:
    """Read the responses of an export.

    Args:
        stream: binary stream at the start of the file.
        name: name of the source as the user gave it.

    Raises:
        InputError: it holds requests and no response, or it is larger than 256 MiB.
    """
    data = read_limited(stream, name, what="export")
    if data.lstrip()[:1] not in {b"{", b"["}:
        return read_insomnia_yaml(data, name)
    drafts = Drafts(name)
    value = load(data)
    if value is None:
        resources = objects(whole_objects(data, "resources"))
        found = [*_insomnia(resources), *_runs(objects(whole_objects(data, "results")))]
        drafts.warn(f"the file is damaged or cut: {len(found)} whole responses were read")
    else:
        found = [draft for document in _documents(value) for draft in _read(document)]
    drafts.found = found
    if all(draft.started is not None for draft in found):
        found.sort(key=lambda draft: draft.started or 0.0)
    return drafts.capture(
        "api-client",
        nothing="this export holds requests, and no response",
        expected="saved responses, or the report of a run",
        advice=_ADVICE,
    )


def _documents(value: object) -> list[dict[str, object]]:
    return objects(value) or [members_in(value)]


def _read(document: dict[str, object]) -> Iterator[Draft]:
    yield from _insomnia(objects(document.get("resources")))
    yield from _runs(objects(document.get("results")))
    for item in nested(document, lambda item: [elements_in(item.get(name)) for name in _FOLDERS]):
        yield from _collection(item)
    if "responseMeta" in document:
        yield from _history(document)


def _insomnia(resources: list[dict[str, object]]) -> Iterator[Draft]:
    """Yield the responses of an export of Insomnia, each with the request that it belongs to."""
    requests = {text(one.get("_id")): one for one in resources if one.get("_type") == "request"}
    for response in resources:
        request = requests.get(text(response.get("parentId")), {})
        if response.get("_type") != "response" or not (request or response.get("url")):
            continue
        draft = _begun(text(request.get("method")), text(response.get("url")) or text(request.get("url")))
        draft.sent = header_pairs(request.get("headers")) or None
        draft.content = _text(members_in(request.get("body")).get("text")) or draft.content
        _answer(draft, response.get("statusCode"), response.get("statusMessage"), response.get("headers"))
        draft.started = moment(response.get("created"), 1000)
        draft.duration = moment(response.get("elapsedTime"), 1000)
        if draft.started is not None and draft.duration is not None:
            # A response is stored when it is there.
            draft.started -= draft.duration
        yield draft


def _runs(results: list[dict[str, object]]) -> Iterator[Draft]:
    """Yield what `bru run` reports: nothing but responses that came."""
    for result in results:
        request, response = members_in(result.get("request")), members_in(result.get("response"))
        if not text(request.get("url")) or number(response.get("status")) is None:
            continue
        draft = _begun(text(request.get("method")), text(request.get("url")))
        draft.sent = header_pairs(request.get("headers")) or None
        draft.content = _text(request.get("data")) or draft.content
        _answer(draft, response.get("status"), response.get("statusText"), response.get("headers"))
        draft.received_content = _text(response.get("data")) or draft.received_content
        draft.duration = moment(response.get("responseTime"), 1000)
        yield draft


def _collection(item: dict[str, object]) -> Iterator[Draft]:
    """Yield the saved responses of an item of Bruno (`examples`) or Hoppscotch (`responses`)."""
    for example in objects(item.get("examples")):
        request, response = members_in(example.get("request")), members_in(example.get("response"))
        yield from _saved(request, response, response.get("status"), response.get("statusText"))
    for response in objects([*members_in(item.get("responses")).values()]):
        request = members_in(response.get("originalRequest"))
        yield from _saved(request, response, response.get("code"), response.get("status"))


def _saved(
    request: dict[str, object], response: dict[str, object], status: object, reason: object
) -> Iterator[Draft]:
    url = text(request.get("url")) or text(request.get("endpoint"))
    code = number(status)
    if not url or code is None or not 100 <= code <= 599:
        return
    draft = _begun(text(request.get("method")), url)
    draft.sent = _enabled(request.get("headers")) or None
    draft.content = _body(request.get("body")) or draft.content
    _answer(draft, status, reason, None)
    draft.received = _enabled(response.get("headers")) or None
    draft.received_content = _body(response.get("body")) or draft.received_content
    yield draft


def _history(entry: dict[str, object]) -> Iterator[Draft]:
    """Yield an entry of Hoppscotch's history, which keeps no more of an answer than its status."""
    request, answered = members_in(entry.get("request")), members_in(entry.get("responseMeta"))
    if not text(request.get("endpoint")) or number(answered.get("statusCode")) is None:
        return
    draft = _begun(text(request.get("method")), text(request.get("endpoint")))
    draft.sent = _enabled(request.get("headers")) or None
    _answer(draft, answered.get("statusCode"), "", None)
    ended = iso_moment(text(entry.get("updatedOn")))
    draft.duration = moment(answered.get("duration"), 1000)
    draft.started = ended[0] - (draft.duration or 0.0) if ended is not None else None
    yield draft


def _begun(method: str, url: str) -> Draft:
    draft = Draft(method.upper() or "GET", url if "://" in url or url.startswith("{{") else f"http://{url}")
    draft.sent_complete = draft.received_complete = draft.framed = False
    return draft


def _answer(draft: Draft, status: object, reason: object, headers: object) -> None:
    code = number(status)
    draft.status = int(code) if code is not None and 100 <= code <= 599 else 0
    draft.reason = text(reason)
    draft.received = header_pairs(headers) or None
    draft.received_complete = bool(draft.received)


def _enabled(value: object) -> list[tuple[str, str]]:
    """Return the fields that were switched on: Bruno says `enabled`, Hoppscotch `active`, others a map."""
    if shown := members_in(value):
        return header_pairs(shown)
    return [
        (text(one.get("key")) or text(one.get("name")), text(one.get("value")))
        for one in objects(value)
        if one.get("enabled", one.get("active", True)) is not False and (one.get("key") or one.get("name"))
    ]


def _body(value: object) -> Content | None:
    """Return content as a collection keeps it: a string, or an object with a member for each kind."""
    if body := members_in(value):
        mode = text(body.get("mode")) or text(body.get("type"))
        for name in ("content", "body", "data", mode):
            if name and isinstance(body.get(name), str) and body[name]:
                return Content.from_text(text(body[name]))
        return None
    return _text(value)


def _text(value: object) -> Content | None:
    if isinstance(value, str):
        return Content.from_text(value) if value else None
    if members_in(value) or elements_in(value):
        return Content.from_json(value)
    return None
