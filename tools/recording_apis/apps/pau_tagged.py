# ruff: noqa: ARG002, ARG005, E501 - an override takes what its base takes; texts are as documented
"""Imitations of APIs whose version is an entity-tag or a date, each with its shape and its refusals."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.pau_engine import Answer, Item, Product, Request, iso, marker, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Style:
    """How a product's tags and refusals look.

    Attributes:
        tag: Makes the tag of a version.
        refusal: Status and body of a mismatch.
        need: Status and body of a write without a tag; None where it is allowed.
        member: Member of the body that holds the tag; empty for none.
        header: Whether reads carry the ETag field.
        weak: Whether weak tags compare by their opaque part.
        dates: Whether reads carry Last-Modified, and writes may carry If-Unmodified-Since.
        marks: Fields of every answer.
        media: Media type.
        status: Status of an update.
    """

    tag: Callable[[str, Item], str]
    refusal: tuple[int, Any]
    need: tuple[int, Any] | None = None
    member: str = ""
    header: bool = True
    weak: bool = False
    dates: bool = False
    marks: Mapping[str, str] | None = None
    media: str = "application/json"
    status: int = 200


def _md5(path: str, item: Item) -> str:
    return hashlib.md5(f"{path}{item.version}{item.data}".encode()).hexdigest()  # noqa: S324


def _guid(path: str, item: Item) -> str:
    raw = hashlib.md5(path.encode()).hexdigest().upper()  # noqa: S324
    return f'"{{{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}}},{item.version}"'


def _planner(path: str, item: Item) -> str:
    inner = base64.b64encode(
        f"1-{'Task' if 'details' not in path else 'Details'}  @{item.changed:.0f}{item.version}'".encode()
    )
    return f'W/"{inner.decode()}"'


def _graph(status: str, code: str, message: str) -> dict[str, Any]:
    inner = {"date": "2026-11-27T03:30:00", "request-id": "5b1f", "client-request-id": "5b1f"}
    return {"error": {"code": code, "message": message, "innerError": {**inner, "code": status}}}


_CF = "http://cloudfront.amazonaws.com/doc/2020-05-31/"


def _amazon(code: str, message: str) -> str:
    return (
        f'<?xml version="1.0"?>\n<ErrorResponse xmlns="{_CF}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{message}</Message></Error><RequestId>{marker()}</RequestId></ErrorResponse>"
    )


def _dav(message: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">\n'
        "  <s:exception>Sabre\\DAV\\Exception\\PreconditionFailed</s:exception>\n"
        f"  <s:message>{message}</s:message>\n  <s:header>If-Match</s:header>\n</d:error>"
    )


def _sap(code: str, text: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": text, "@SAP__common.ExceptionCategory": "Client_Error"}}


STYLES: dict[str, Style] = {
    "gocd": Style(
        lambda path, item: f'"{_md5(path, item)}"',
        (
            412,
            {
                "message": "Someone has modified the configuration for pipeline. Please update your copy of the config with the changes and try again."
            },
        ),
        (428, {"message": "Pipeline config could not be updated: If-Match header is required."}),
        media="application/vnd.go.cd.v11+json",
    ),
    "appconfig": Style(
        lambda path, item: f'"{base64.urlsafe_b64encode(bytes.fromhex(_md5(path, item))).decode()[:20]}"',
        (412, ""),
        member="etag",
        media="application/vnd.microsoft.appconfig.kv+json; charset=utf-8",
        marks={"Sync-Token": "jtqGc1I4=MDoyOA==;sn=28"},
    ),
    "twilio": Style(
        lambda path, item: f'"{item.version:x}"',
        (
            412,
            {
                "code": 20412,
                "message": "Precondition Failed",
                "more_info": "https://www.twilio.com/docs/errors/20412",
                "status": 412,
            },
        ),
        member="revision",
    ),
    "spring": Style(
        lambda path, item: f'"{item.version}"',
        (412, ""),
        media="application/hal+json",
        dates=True,
        status=200,
    ),
    "onedrive": Style(
        lambda path, item: f"a{base64.b64encode(_guid(path, item).encode()).decode().rstrip('=')}",
        (412, _graph("resourceModified", "resourceModified", "ETag does not match current item's value")),
        member="eTag",
        header=False,
    ),
    "planner": Style(
        _planner,
        (412, _graph("", "", "The If-Match header contains an invalid value.")),
        (400, _graph("", "", "The If-Match header must be specified for this kind of request.")),
        member="@odata.etag",
        header=True,
        status=204,
    ),
    "sharepoint": Style(
        _guid,
        (
            412,
            {
                "odata.error": {
                    "code": "-1, Microsoft.SharePoint.Client.ClientServiceException",
                    "message": {
                        "lang": "en-US",
                        "value": "The request ETag value does not match the object's ETag value.",
                    },
                }
            },
        ),
        member="odata.etag",
        status=204,
        media="application/json;odata=minimalmetadata;charset=utf-8",
    ),
    "dataverse": Style(
        lambda path, item: f'W/"{7000000 + item.version * 13 + len(path)}"',
        (
            412,
            {
                "error": {
                    "code": "0x80060882",
                    "message": "The version of the existing record doesn't match the RowVersion property provided.",
                }
            },
        ),
        member="@odata.etag",
        weak=True,
        status=204,
        marks={"OData-Version": "4.0"},
    ),
    "sap": Style(
        lambda path, item: f'W/"SADL-0202611270330{item.version:02d}C~20261127033000.{len(path):07d}"',
        (
            412,
            _sap(
                "SADL_ENTITY_RUNTIME/003",
                "The resource has been modified since it was last read (ETag mismatch)",
            ),
        ),
        (428, _sap("SADL_ENTITY_RUNTIME/004", "Precondition required: If-Match header is missing")),
        member="@odata.etag",
        weak=True,
        marks={"sap-processing-info": "ODataBEP=,crp=,RAL=", "dataserviceversion": "4.0"},
    ),
    "salesforce": Style(
        lambda path, item: (
            f'"{base64.urlsafe_b64encode(bytes.fromhex(_md5(path, item))).decode().rstrip("=")}"'
        ),
        (412, [{"message": "Precondition failed", "errorCode": "PRECONDITION_FAILED"}]),
        dates=True,
        marks={"Sforce-Limit-Info": "api-usage=1182/15000"},
        status=204,
    ),
    "box": Style(
        lambda path, item: str(item.version - 1),
        (
            412,
            {
                "type": "error",
                "status": 412,
                "code": "precondition_failed",
                "help_url": "http://developers.box.com/docs/#errors",
                "message": "The resource has been modified. Please retrieve the resource again and retry",
                "request_id": "x1x8ek",
            },
        ),
        member="etag",
        header=False,
    ),
    "calendar": Style(
        lambda path, item: f'"{int(item.changed * 1e6) * 2}"',
        (
            412,
            {
                "error": {
                    "errors": [
                        {
                            "domain": "global",
                            "reason": "conditionNotMet",
                            "message": "Precondition Failed",
                            "locationType": "header",
                            "location": "If-Match",
                        }
                    ],
                    "code": 412,
                    "message": "Precondition Failed",
                }
            },
        ),
        member="etag",
        marks={"Vary": "Origin, X-Origin, Referer", "X-XSS-Protection": "0"},
    ),
    "cloudfront": Style(
        lambda path, item: f"E{_md5(path, item).upper()[:13]}",
        (
            412,
            _amazon(
                "PreconditionFailed",
                "The request failed because it didn't meet the preconditions in one or more request-header fields.",
            ),
        ),
        (
            400,
            _amazon(
                "InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource."
            ),
        ),
        media="text/xml",
        marks={"x-amzn-RequestId": "f8d2c0b1"},
    ),
    "sabre": Style(
        lambda path, item: f'"{_md5(path, item)}"',
        (412, _dav("An If-Match header was specified, but none of the specified ETags matched.")),
        media="text/vcard; charset=utf-8",
        marks={"OC-ETag": "", "Content-Security-Policy": "default-src 'none';"},
        status=204,
    ),
    "davical": Style(
        lambda path, item: f'"{_md5(path, item)}"',
        (412, ""),
        media="text/calendar; charset=utf-8",
        marks={"X-DAViCal-Version": "DAViCal/1.1.12; DB/1.3.4", "X-Powered-By": "PHP/8.2"},
        status=204,
    ),
    "zosmf": Style(
        lambda path, item: _md5(path, item).upper(),
        (
            412,
            {
                "rc": 4,
                "reason": 8,
                "category": 4,
                "message": "Resource has been modified: the ETag does not match",
            },
        ),
        media="text/plain; charset=UTF-8",
        marks={"X-IBM-Txid": "0000000000000A6F"},
        status=204,
    ),
    "xapi": Style(
        lambda path, item: f'"{hashlib.sha1(f"{path}{item.version}{item.data}".encode()).hexdigest()}"',  # noqa: S324
        (412, {"error": True, "success": False, "message": "ETag does not match", "code": 412}),
        (
            409,
            {
                "error": True,
                "success": False,
                "message": "If-Match or If-None-Match is required for this document",
                "code": 409,
            },
        ),
        marks={"X-Experience-API-Version": "1.0.3"},
        status=204,
    ),
    "eve": Style(
        lambda path, item: f'"{hashlib.sha1(f"{path}{item.version}{item.data}".encode()).hexdigest()}"',  # noqa: S324
        (412, {"_status": "ERR", "_error": {"code": 412, "message": "Client and server etags don't match"}}),
        (
            428,
            {
                "_status": "ERR",
                "_error": {
                    "code": 428,
                    "message": "To edit a document its etag must be provided using the If-Match header",
                },
            },
        ),
        member="_etag",
        dates=True,
    ),
    "reapit": Style(
        lambda path, item: f'"{_md5(path, item)[:32].upper()}"',
        (
            412,
            {
                "statusCode": 412,
                "dateTime": "2026-11-27T03:30:00Z",
                "description": "ETag provided does not match the current version of the resource",
            },
        ),
        (428, {"statusCode": 428, "description": "If-Match header is required"}),
        member="_eTag",
        status=204,
    ),
    "canvas": Style(
        lambda path, item: f'"{item.version}"',
        (
            412,
            {
                "resourceType": "OperationOutcome",
                "issue": [
                    {
                        "severity": "error",
                        "code": "conflict",
                        "details": {"text": "resource has been modified since If-Unmodified-Since"},
                    }
                ],
            },
        ),
        header=False,
        dates=True,
        media="application/fhir+json",
    ),
    "fhir": Style(
        lambda path, item: f'W/"{item.version}"',
        (
            412,
            {
                "resourceType": "OperationOutcome",
                "issue": [
                    {
                        "severity": "error",
                        "code": "conflict",
                        "diagnostics": "The version supplied in If-Match does not match the current version of the resource.",
                    }
                ],
            },
        ),
        weak=True,
        dates=True,
        media="application/fhir+json; fhirVersion=4.0",
    ),
    "arm": Style(
        lambda path, item: f'"{_md5(path, item)[:8]}-0000-0c00-0000-{_md5(path, item)[8:20]}"',
        (
            412,
            {
                "error": {
                    "code": "PreconditionFailed",
                    "message": "The condition specified using HTTP conditional header(s) is not met.",
                }
            },
        ),
        member="etag",
        marks={"x-ms-ratelimit-remaining-subscription-writes": "1198"},
    ),
    "notes": Style(lambda path, item: f'"{_md5(path, item)}"', (412, []), dates=True),
    "raven": Style(
        lambda path, item: f'"A:{item.version}-u2LvCqGm0kKZ"',
        (
            409,
            {
                "Url": "/databases/Fleet/docs",
                "Type": "Raven.Client.Exceptions.ConcurrencyException",
                "Message": "Document has change vector which does not match the expected change vector",
                "Error": "Raven.Client.Exceptions.ConcurrencyException",
            },
        ),
    ),
}


class Tagged(Product):
    """A product of ``STYLES``."""

    writes = ("PUT", "PATCH", "POST")

    def __init__(self, style: str, seed: Mapping[str, Any], **more: Any) -> None:
        self.style = STYLES[style]
        self.media = self.style.media  # type: ignore[misc]
        super().__init__(seed, **more)

    def mint(self, path: str, item: Item) -> str:
        """Return a tag of the style."""
        return self.style.tag(path, item)

    def sent(self, request: Request) -> Any:
        """Return If-Match, If-Unmodified-Since where there are dates, or the guard of a creation."""
        fields = request.fields
        if "if-match" in fields:
            return fields["if-match"]
        if self.style.dates and "if-unmodified-since" in fields:
            return ("date", fields["if-unmodified-since"])
        return ("none", fields["if-none-match"]) if "if-none-match" in fields else None

    def fits(self, sent: Any, item: Item | None) -> bool:
        """Compare as the style does."""
        if isinstance(sent, tuple):
            if sent[0] == "none":
                return item is None or (sent[1] != "*" and item.token not in sent[1])
            return item is not None and self.unmodified(sent[1], item)
        if item is None:
            return False
        if self.style.weak:
            return bool(sent == "*" or sent.removeprefix("W/") == item.token.removeprefix("W/"))
        return sent in {"*", item.token}

    def unmodified(self, text: str, item: Item) -> bool:
        """Compare a date; what is none does not hold."""
        try:
            return parsedate_to_datetime(text).timestamp() >= int(item.changed)
        except (TypeError, ValueError):
            return False

    def missing(self, request: Request, item: Item | None) -> Answer | None:
        """Insist where the style does."""
        need = self.style.need
        return None if need is None or item is None else Answer(need[0], need[1], self.marks())

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Refuse as the style does."""
        status, body = self.style.refusal
        kind = {"Content-Type": "application/json"} if isinstance(body, dict | list) else {}
        if isinstance(body, str) and body.startswith("<?xml"):
            kind = {"Content-Type": "application/xml; charset=utf-8"}
        return Answer(status, body, {**self.marks(), **kind})

    def marks(self) -> dict[str, str]:
        """Return the fields of every answer."""
        return {name: value or marker() for name, value in (self.style.marks or {}).items()}

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the record with its tag."""
        fields = self.marks()
        if self.style.header:
            fields["ETag"] = item.token
        if self.style.dates:
            fields["Last-Modified"] = stamp(item.changed)
        body = item.data
        if self.style.member and isinstance(body, dict):
            body = {self.style.member: item.token, **body}
        return Answer(200, body, fields)

    def done(self, request: Request, path: str, item: Item, created: bool) -> Answer:
        """Return the record, or nothing."""
        shown = super().done(request, path, item, created)
        return Answer(204, b"", shown.fields) if self.style.status == 204 and not created else shown

    def change(self, request: Request, item: Item | None) -> Any:
        """Take text as it is, merge JSON patches."""
        if not request.fields["content-type"].startswith(
            ("application/json", "application/fhir", "application/hal", "application/vnd")
        ):
            return request.body.decode("utf-8")
        new = json.loads(request.body or b"{}")
        new.pop(self.style.member, None)
        merges = item is not None and request.method in {"PATCH", "POST"}
        return {**item.data, **new} if item is not None and merges else new

    def listing(self, request: Request, path: str, children: dict[str, Item]) -> Answer:
        """Return a collection."""
        told = [self.show(request, key, one).body for key, one in children.items()]
        return Answer(
            200,
            {
                "value": told,
                "count": len(told),
                "asOf": iso(max(one.changed for one in children.values()), 0),
            },
            self.marks(),
        )
