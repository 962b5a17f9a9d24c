"""Read Postman collections with saved responses, and what newman reports of a run.

A collection holds requests as their author wrote them: fields that Postman adds itself are not in it, so the
absence of a field says nothing. Source of the formats: Postman Collection 2.0 and 2.1, newman 5 and 6.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

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
from ifmatch.model.json_values import elements_in, members_in
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture
    from ifmatch.model.unknown import UnknownType

__all__ = ["read_newman", "read_postman"]

_ADVICE: Final = (
    "In Postman send the request, use Save Response > Save as example, and export the collection anew; "
    "or run it: newman run FILE --reporters json"
)
_VARIABLE: Final = re.compile(r"\{\{([^{}]{1,200})\}\}")


def read_postman(stream: BinaryIO, name: str) -> Capture:
    """Read the saved responses of a Postman collection.

    Args:
        stream: binary stream at the start of the file.
        name: name of the source as the user gave it.

    Raises:
        InputError: no response is saved in it, or it is larger than 256 MiB.
    """
    data = read_limited(stream, name, what="Postman collection")
    drafts = Drafts(name)
    value = load(data)
    if value is None:
        saved = [one for one in whole_objects(data, "response") if "originalRequest" in members_in(one)]
        drafts.warn(f"the file is damaged or cut: {len(saved)} whole saved responses were read")
        variables = _variables(whole_objects(data, "variable"))
    else:
        collection = members_in(value)
        # An export of several collections, or of the API, wraps it.
        collection = members_in(collection.get("collection")) or collection
        variables = _variables(collection.get("variable"))
        items = nested(collection, lambda item: [elements_in(item.get("item"))])
        saved = [one for item in items for one in elements_in(item.get("response"))]
    for one in saved:
        record = members_in(one)
        _exchange(drafts, members_in(record.get("originalRequest")), record, variables)
    return drafts.capture(
        "postman",
        nothing="this Postman collection holds requests, and no saved response",
        expected="items with saved responses",
        advice=_ADVICE,
    )


def _variables(value: object) -> dict[str, str]:
    return {text(one.get("key")): text(one.get("value")) for one in objects(value)}


def read_newman(stream: BinaryIO, name: str) -> Capture:
    """Read the JSON report of a newman run.

    Args:
        stream: binary stream at the start of the file.
        name: name of the source as the user gave it.

    Raises:
        InputError: no request was sent in that run, or it is larger than 256 MiB.
    """
    data = read_limited(stream, name, what="newman report")
    drafts = Drafts(name)
    value = load(data)
    if value is None:
        executions = objects(whole_objects(data, "executions"))
        drafts.warn(f"the file is damaged or cut: {len(executions)} whole executions were read")
    else:
        executions = objects(members_in(members_in(value).get("run")).get("executions"))
    for execution in executions:
        request = members_in(execution.get("request")) or members_in(
            members_in(execution.get("item")).get("request")
        )
        response = members_in(execution.get("response"))
        before = len(drafts.found)
        _exchange(drafts, request, response, {})
        if len(drafts.found) == before:
            continue
        draft = drafts.found[-1]
        # A request as it was sent names its host; newman adds the rest of what was on the wire too.
        draft.sent_complete = any(key.lower() == "host" for key, _ in draft.sent or ())
        if not draft.status:
            failed = execution.get("requestError")
            draft.error = (
                text(members_in(failed).get("message") or members_in(failed).get("code")) or "no response"
            )
    return drafts.capture("newman", nothing="no request was sent in this newman run", advice=_ADVICE)


def _exchange(
    drafts: Drafts, request: dict[str, object], response: dict[str, object], variables: dict[str, str]
) -> None:
    url = _filled(_url(request.get("url")), variables)
    method = text(request.get("method")) or "GET"
    if not url:
        drafts.warn(f"{text(response.get('name')) or 'a response'} was skipped: its request has no URL")
        return
    draft = Draft(method, url if "://" in url else f"http://{url}")
    draft.sent = [
        (key, _filled(value, variables))
        for key, value in header_pairs(request.get("header"), name="key", content="value")
    ]
    draft.sent_complete = False
    draft.content = _sent_content(request.get("body"), variables)
    code = number(response.get("code"))
    if code is not None and 100 <= code <= 599:
        draft.status = int(code)
        draft.reason = text(response.get("status"))
        draft.received = header_pairs(response.get("header"), name="key", content="value")
        draft.received_complete = bool(draft.received)
        draft.received_content = _received_content(response)
        draft.duration = moment(response.get("responseTime"), 1000)
    else:
        draft.error = "no response is saved"
    drafts.found.append(draft)


def _filled(value: str, variables: dict[str, str]) -> str:
    """Put the collection's own variables in; those of an environment stay as they are written."""
    return _VARIABLE.sub(lambda found: variables.get(found.group(1).strip()) or found.group(), value)


def _url(value: object) -> str:
    """Return the URL of a request, written as text or taken apart."""
    if isinstance(value, str):
        return value
    url = members_in(value)
    if text(url.get("raw")):
        return text(url.get("raw"))
    host = ".".join(map(text, elements_in(url.get("host")))) or text(url.get("host"))
    path = "/".join(_segment(one) for one in elements_in(url.get("path"))) or text(url.get("path")).lstrip(
        "/"
    )
    if not host:
        return ""
    query = "&".join(
        quote(text(one.get("key")), safe="{}$") + "=" + quote(text(one.get("value")), safe="{}$/:")
        for one in objects(url.get("query"))
        if one.get("disabled") is not True
    )
    port, scheme = text(url.get("port")), text(url.get("protocol")).removesuffix("://").removesuffix(":")
    # A variable that stands for the host holds the scheme as well.
    lead = f"{scheme}://" if scheme else "" if host.startswith("{{") else "http://"
    return f"{lead}{host}{f':{port}' if port else ''}/{path}{f'?{query}' if query else ''}"


def _segment(value: object) -> str:
    return text(value) if isinstance(value, str) else text(members_in(value).get("value"))


def _sent_content(value: object, variables: dict[str, str]) -> Content | UnknownType | None:
    body = members_in(value)
    mode = text(body.get("mode"))
    if not mode or body.get("disabled") is True:
        return None
    if mode == "raw":
        raw = _filled(text(body.get("raw")), variables)
        return Content.from_text(raw) if raw else None
    if mode == "urlencoded":
        pairs = [
            (text(one.get("key")), _filled(text(one.get("value")), variables))
            for one in objects(body.get("urlencoded"))
            if one.get("disabled") is not True
        ]
        return Content.from_text(urlencode(pairs)) if pairs else None
    return UNKNOWN


def _received_content(response: dict[str, object]) -> Content | UnknownType | None:
    body = response.get("body")
    if isinstance(body, str):
        return Content.from_text(body) if body else None
    stream = response.get("stream")
    octets = elements_in(members_in(stream).get("data")) or elements_in(stream)
    if not octets and not isinstance(stream, dict | list):
        return UNKNOWN
    try:
        found = bytes(one for one in octets if isinstance(one, int))
    except ValueError:
        return UNKNOWN
    return Content.from_octets(found) if found else None
