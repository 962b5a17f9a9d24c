"""Tell a story of ETag and If-Match in requests that go to one URL, or look like pages, forms and parcels."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from html import escape
from urllib.parse import urlencode, urlsplit

from transposing import JSON, plain, record_of, without

from ifmatch.model.exchange import Capture
from ifmatch.model.message import Content, Request, Response

_MEANT = "version conflict: the record was changed"
_XML = ("Content-Type", "text/xml; charset=utf-8")
_HTML = ("Content-Type", "text/html; charset=utf-8")
_FORM = ("Content-Type", "application/x-www-form-urlencoded")
_GONE = {"if-match", "etag", "content-type"}
_LOST = 500


@dataclass(frozen=True)
class Said:
    """What one exchange says, however it is wrapped.

    Attributes:
        method: of the story.
        url: of the story.
        version: that the request expects, or the answer gives.
        record: the content, None without one.
        status: of the story's answer, 0 for a request.
    """

    method: str
    url: str
    version: object
    record: dict | None
    status: int = 0

    @property
    def name(self):
        parts = urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def origin(self):
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def reads(self):
        return self.method == "GET"


class Envelope:
    """A way to wrap all requests of a service.

    Attributes:
        status: of a refusal, as far as a test asks for it.
    """

    status = 200
    spelling = staticmethod(plain)

    def captures(self, captures):
        """Return captures with every exchange wrapped."""
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
        asked = Said(
            request.method,
            request.url,
            None if sent is None else spell(sent.strip('"')),
            record_of(request.content, spell) if isinstance(request.content, Content) else None,
        )
        answer = None
        if response is not None and response.status >= _LOST:
            answer = response
        elif response is not None:
            tag = response.fields.text("etag")
            shown = record_of(response.content, spell) if isinstance(response.content, Content) else None
            told = replace(
                asked,
                version=None if tag is None else spell(tag.strip('"')),
                record=shown if shown is not None or request.method in {"GET", "DELETE"} else asked.record,
                status=response.status,
            )
            answer = self.answer(told, response)
        return replace(exchange, request=self.request(asked, request), response=answer)

    def request(self, said, request):
        """Return the wrapped request."""
        raise NotImplementedError

    def answer(self, said, response):
        """Return the wrapped answer."""
        raise NotImplementedError


def _fault(said):
    """Return code and sentence of a refusal, None where nothing is refused."""
    if said.status == 412:
        return "VERSION_CONFLICT", _MEANT
    if said.status in {404, 410}:
        return "NOT_FOUND", "there is no such record"
    if said.status >= 400:
        told = said.record if said.record and said.record is not None else {}
        words = " ".join(str(value) for value in told.values())
        return ("VERSION_REQUIRED", "version is required") if said.status == 428 else ("INVALID", words)
    return None


def _sent(fields, url, kind, text):
    return Request("POST", url, without(fields, _GONE, kind), Content.from_text(text))


class GraphQl(Envelope):
    """One URL, a query with variables, and errors under 200."""

    def request(self, said, request):
        """Return the query or mutation."""
        if said.reads:
            query = "query Read($id: ID!) { record(id: $id) { id version } }"
            body = {"query": query, "variables": {"id": said.name}}
        elif said.method == "DELETE":
            query = "mutation Remove($id: ID!, $version: Int) { remove(id: $id, version: $version) { id } }"
            body = {"query": query, "variables": {"id": said.name}}
        else:
            query = (
                "mutation Save($id: ID!, $version: Int, $input: RecordInput!) "
                "{ save(id: $id, version: $version, input: $input) { id version } }"
            )
            body = {"query": query, "variables": {"id": said.name, "input": said.record or {}}}
        if said.version is not None:
            body["variables"]["version"] = said.version
        return _sent(request.fields, f"{said.origin}/graphql", JSON, json.dumps(body))

    def answer(self, said, response):
        """Return data, or errors."""
        field = "record" if said.reads else "remove" if said.method == "DELETE" else "save"
        fault = _fault(said)
        if fault is not None:
            about = {"code": fault[0]}
            if said.status == 412 and said.version is not None:
                about["currentVersion"] = said.version
            told = {"data": {field: None}, "errors": [{"message": fault[1], "extensions": about}]}
        else:
            record = {**(said.record or {}), **({} if said.version is None else {"version": said.version})}
            told = {"data": {field: record or {"id": said.name}}}
        return Response(200, "", without(response.fields, _GONE, JSON), Content.from_text(json.dumps(told)))


class JsonRpc(Envelope):
    """One URL, a method with parameters, and an error member under 200."""

    def request(self, said, request):
        """Return the call."""
        verb = {"GET": "records.get", "DELETE": "records.remove"}.get(said.method, "records.update")
        params = {"id": said.name}
        if said.version is not None:
            params["version"] = said.version
        if said.record is not None:
            params["record"] = said.record
        body = {"jsonrpc": "2.0", "id": 7, "method": verb, "params": params}
        return _sent(request.fields, f"{said.origin}/rpc", JSON, json.dumps(body))

    def answer(self, said, response):
        """Return result or error."""
        fault = _fault(said)
        if fault is not None:
            error = {"code": -32009, "message": fault[1], "data": {"code": fault[0]}}
            if said.status == 412 and said.version is not None:
                error["data"]["currentVersion"] = said.version
            told = {"jsonrpc": "2.0", "id": 7, "error": error}
        else:
            result = {} if said.version is None else {"version": said.version}
            if said.record is not None:
                result["record"] = said.record
            told = {"jsonrpc": "2.0", "id": 7, "result": result}
        return Response(200, "", without(response.fields, _GONE, JSON), Content.from_text(json.dumps(told)))


def _xml(value):
    if isinstance(value, dict):
        return "".join(f"<{_tag(name)}>{_xml(one)}</{_tag(name)}>" for name, one in value.items())
    if isinstance(value, list):
        return "".join(f"<item>{_xml(one)}</item>" for one in value)
    return escape(str(value))


def _tag(name):
    return re.sub(r"[^\w.-]", "_", name)


def _soap(inner):
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        f"{inner}</soap:Body></soap:Envelope>"
    )


class Soap(Envelope):
    """One URL, an operation in XML, and a fault under 500."""

    status = 500

    def request(self, said, request):
        """Return the operation."""
        verb = {"GET": "GetRecord", "DELETE": "RemoveRecord"}.get(said.method, "UpdateRecord")
        version = "" if said.version is None else f"<version>{escape(str(said.version))}</version>"
        record = "" if said.record is None else f"<record>{_xml(said.record)}</record>"
        inner = f'<{verb} xmlns="urn:records"><id>{escape(said.name)}</id>{version}{record}</{verb}>'
        return _sent(request.fields, f"{said.origin}/soap", _XML, _soap(inner))

    def answer(self, said, response):
        """Return the response element, or a fault."""
        fault = _fault(said)
        status = 200
        if fault is not None:
            status = 500
            now = "" if said.version is None else f"<currentVersion>{said.version}</currentVersion>"
            inner = (
                f"<soap:Fault><faultcode>soap:Client</faultcode><faultstring>{escape(fault[1])}</faultstring>"
                f"<detail><code>{fault[0]}</code>{now}</detail></soap:Fault>"
            )
        else:
            version = "" if said.version is None else f"<version>{escape(str(said.version))}</version>"
            record = "" if said.record is None else f"<record>{_xml(said.record)}</record>"
            inner = f'<RecordResponse xmlns="urn:records">{record}{version}</RecordResponse>'
        return Response(status, "", without(response.fields, _GONE, _XML), Content.from_text(_soap(inner)))


def _flat(record, above=""):
    found = {}
    for name, value in record.items():
        key = f"{above}[{name}]" if above else name
        if isinstance(value, dict):
            found.update(_flat(value, key))
        else:
            found[key] = value if isinstance(value, str) else json.dumps(value)
    return found


def _page(said, words=""):
    inputs = "".join(
        f'<label>{escape(name)} <input name="{escape(name)}" value="{escape(value)}"></label>\n'
        for name, value in _flat(said.record or {}).items()
    )
    hidden = (
        ""
        if said.version is None
        else f'<input type="hidden" name="lock_version" value="{escape(str(said.version))}">\n'
    )
    told = f'<div class="alert">{words}</div>\n' if words else ""
    return (
        f"<!doctype html>\n<html><head><title>Edit</title></head><body>\n{told}"
        f'<form action="{escape(said.name)}" method="post">\n{hidden}{inputs}'
        '<button type="submit">Save</button></form></body></html>'
    )


class WebForm(Envelope):
    """A page with a form and a hidden version; a conflict is a page again.

    Args:
        status: of that page.
    """

    def __init__(self, status) -> None:
        self.status = status

    def request(self, said, request):
        """Return the form as browsers send it."""
        if said.reads:
            return Request("GET", said.url, request.fields, None)
        members = _flat(said.record or {})
        if said.method != "PUT":
            members["_method"] = said.method.lower()
        if said.version is not None:
            members["lock_version"] = str(said.version)
        return _sent(request.fields, said.url, _FORM, urlencode(members))

    def answer(self, said, response):
        """Return the page, or where it is."""
        if said.reads or said.status == 412:
            words = "This record was changed by another user since you opened it." if not said.reads else ""
            if said.status in {404, 410}:
                return Response(said.status, "", without(response.fields, _GONE, _HTML), None)
            status = self.status if said.status == 412 else said.status
            text = _page(said, words)
            return Response(status, "", without(response.fields, _GONE, _HTML), Content.from_text(text))
        if said.status < 400 and said.version is not None and said.method != "DELETE":
            text = _page(said, "Saved.")
            return Response(200, "", without(response.fields, _GONE, _HTML), Content.from_text(text))
        if said.status < 400:
            there = ("Location", said.name)
            return Response(303, "", without(response.fields, _GONE, there), Content.from_text(""))
        words = (_fault(said) or ("", ""))[1]
        text = f"<!doctype html><html><body><p>{escape(words)}</p></body></html>"
        return Response(said.status, "", without(response.fields, _GONE, _HTML), Content.from_text(text))


class Parcel(Envelope):
    """Each write inside a multipart batch, where If-Match is what it always was."""

    status = 412

    def request(self, said, request):
        """Return the batch of one."""
        if said.reads:
            return request
        body = "" if said.record is None else json.dumps(said.record)
        guard = "" if said.version is None else f'If-Match: "{said.version}"\r\n'
        part = (
            "--b1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
            f"{said.method} {said.name} HTTP/1.1\r\nContent-Type: application/json\r\n{guard}\r\n{body}\r\n"
            "--b1--\r\n"
        )
        kind = ("Content-Type", "multipart/mixed; boundary=b1")
        return _sent(request.fields, f"{said.origin}/$batch", kind, part)

    def answer(self, said, response):
        """Return the batch of one answer."""
        if said.reads:
            return response
        tag = "" if said.version is None else f'ETag: "{said.version}"\r\n'
        content = response.content.text if isinstance(response.content, Content) else ""
        part = (
            "--r1\r\nContent-Type: application/http\r\n\r\n"
            f"HTTP/1.1 {said.status} X\r\nContent-Type: application/json\r\n{tag}\r\n{content}\r\n--r1--\r\n"
        )
        kind = ("Content-Type", "multipart/mixed; boundary=r1")
        return Response(200, "", without(response.fields, _GONE, kind), Content.from_text(part))


class Bulk(Envelope):
    """Each write an item of a list, each result with a status of its own.

    Args:
        status: of the whole answer.
    """

    def __init__(self, status) -> None:
        self.status = status

    def request(self, said, request):
        """Return the list of one."""
        if said.reads:
            return request
        folder, _, name = urlsplit(said.url).path.rpartition("/")
        item = {"id": name, "action": {"DELETE": "delete", "PATCH": "patch"}.get(said.method, "replace")}
        if said.version is not None:
            item["version"] = said.version
        if said.record is not None:
            item["record"] = said.record
        url = f"{said.origin}{folder}/bulk"
        return _sent(request.fields, url, JSON, json.dumps({"items": [item]}))

    def answer(self, said, response):
        """Return the list of one result, or the record with its version."""
        if said.reads:
            if said.record is None:
                return Response(said.status, "", without(response.fields, {"etag"}), response.content)
            record = {**said.record, **({} if said.version is None else {"version": said.version})}
            return Response(
                said.status, "", without(response.fields, _GONE, JSON), Content.from_text(json.dumps(record))
            )
        fault = _fault(said)
        item = {
            "id": urlsplit(said.url).path.rpartition("/")[2],
            "status": 409 if said.status == 412 else said.status,
        }
        if fault is not None:
            item["error"] = {"code": fault[0], "message": fault[1]}
        if said.version is not None:
            item["currentVersion" if fault is not None else "version"] = said.version
        text = json.dumps({"results": [item]})
        return Response(self.status, "", without(response.fields, _GONE, JSON), Content.from_text(text))


ENVELOPES = {
    "a GraphQL mutation": GraphQl(),
    "a JSON-RPC call": JsonRpc(),
    "a SOAP operation": Soap(),
    "a web form, 409": WebForm(409),
    "a web form, 422": WebForm(422),
    "a web form, 200": WebForm(200),
    "a multipart batch": Parcel(),
    "an item of a list, 200": Bulk(200),
    "an item of a list, 207": Bulk(207),
}
