"""Imitations of products that are guarded by If-Match: health records, calendars, configuration, notes, objects."""

# ruff: noqa: ARG002, E501 - a product need not look at all that it is given; what it says is one sentence on a line
from __future__ import annotations

import time
from typing import Any

from tools.recording_apis.apps.tom_engine import Item, Reply, Request, Tagged, digest, instant, when


class Fhir(Tagged):
    """A FHIR R4 server: weak tags with the version, compared weakly; conditional creates."""

    server = "HAPI FHIR 8.0.0 REST Server (FHIR Server; FHIR 4.0.1/R4)"
    weakly = True
    kind = "application/fhir+json;charset=UTF-8"
    matches = 1

    def tag(self, _path: str, item: Item) -> str:
        """Return the version as a weak tag."""
        return f'W/"{item.version}"'

    def head(self, path: str, item: Item) -> dict[str, str]:
        """Return the validators."""
        return {"ETag": self.tag(path, item), "Last-Modified": when(item.changed)}

    def body(self, path: str, item: Item) -> Any:
        """Return a resource with its meta."""
        _, kind, name = path.rsplit("/", 2)
        meta = {"versionId": str(item.version), "lastUpdated": instant(item.changed)[:23] + "+00:00"}
        return {"resourceType": kind, "id": name, "meta": meta, **item.body}

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the resource's own members."""
        own = super().merged(request, old)
        return {name: value for name, value in own.items() if name not in {"resourceType", "id", "meta"}}

    def answer(self, request: Request) -> Reply:
        """Serve a search by identifier and a create with If-None-Exist."""
        wanted = request.fields.get("if-none-exist", "")
        if request.method == "POST" and request.path.startswith(("/fhir/", "/r4/")):
            found = self.found(wanted) if wanted else []
            if len(found) > 1:
                said = f'HAPI-2207: Failed to CREATE {request.path.rpartition("/")[2]} with match URL "{wanted}" because this search matched {len(found)} resources'
                return Reply(412, self.outcome("processing", said))
            if found:
                return Reply(
                    200, self.body(found[0], self.items[found[0]]), self.head(found[0], self.items[found[0]])
                )
            path = f"{request.path}/{1000 + len(self.items)}"
            self.store(path, self.merged(request, None), request.user)
            return Reply(
                201,
                self.body(path, self.items[path]),
                {"Location": f"{path}/_history/1", **self.head(path, self.items[path])},
            )
        if request.query.get("identifier") and request.path not in self.items:
            found = self.found(f"identifier={request.query['identifier']}")
            shown = [{"resource": self.body(path, self.items[path])} for path in found]
            return Reply(
                200, {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": shown}
            )
        return super().answer(request)

    def found(self, wanted: str) -> list[str]:
        """Return the paths of resources with the identifier of a search."""
        value = wanted.partition("=")[2].rpartition("|")[2]
        return [
            path
            for path, item in self.items.items()
            if any(one.get("value") == value for one in item.body.get("identifier", []))
        ]

    def outcome(self, code: str, said: str) -> Any:
        """Return an OperationOutcome."""
        return {
            "resourceType": "OperationOutcome",
            "issue": [{"severity": "error", "code": code, "diagnostics": said}],
        }

    def refuse(self, request: Request, item: Item | None) -> Reply:
        """Answer 412."""
        now = item.version if item else 0
        said = f"HAPI-0974: Version {request.fields.get('if-match', '')} is not the most recent version of this resource, unable to apply patch. Current: {now}"
        return Reply(412, self.outcome("conflict", said), {"Content-Type": self.kind})


class Sabre(Tagged):
    """A SabreDAV server: XML errors that name the field; dates are heard as well."""

    server = "Apache/2.4.62 (Debian)"
    kind = "text/vcard; charset=utf-8"
    saved_status = 204
    dated = True
    words = ("en",)

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the text."""
        return request.body.decode("utf-8")

    def saved(self, request: Request, item: Item, created: bool) -> Reply:
        """Answer with the tag."""
        fields = self.head(request.path, item)
        return Reply(
            201 if created else 204,
            None,
            {**fields, **({"OC-ETag": fields["ETag"]} if "ETag" in fields else {})},
        )

    def error(self, status: int, kind: str, said: str, header: str = "") -> Reply:
        """Return an error of Sabre."""
        named = f"\n  <s:header>{header}</s:header>" if header else ""
        text = f'<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">\n  <s:exception>Sabre\\DAV\\Exception\\{kind}</s:exception>\n  <s:message>{said}</s:message>{named}\n</d:error>\n'
        return Reply(status, text, {"Content-Type": "application/xml; charset=utf-8"})

    def gone(self, request: Request) -> Reply:
        """Answer 404."""
        return self.error(
            404, "NotFound", f"File with name {request.path.rpartition('/')[2]} could not be located"
        )

    def refuse(self, request: Request, item: Item | None) -> Reply:
        """Answer 412 with the field that was false."""
        kind = "PreconditionFailed"
        if "if-match" in request.fields:
            said = "An If-Match header was specified, but none of the specified the ETags matched."
            if item is None:
                said = "An If-Match header was specified and the resource did not exist"
            return self.error(412, kind, said, "If-Match")
        if "if-none-match" in request.fields:
            return self.error(
                412,
                kind,
                "An If-None-Match header was specified, but the ETag matched (or * was specified).",
                "If-None-Match",
            )
        said = "An If-Unmodified-Since header was specified, but the entity has been changed since the specified date."
        return self.error(412, kind, said, "If-Unmodified-Since")


class Davical(Sabre):
    """DAViCal: its 412 prints both tags; PROPFIND's getetag comes from elsewhere when ``elsewhere`` is set."""

    server = "Apache/2.4.57 (Debian)"
    kind = "text/calendar; charset=utf-8"
    elsewhere = False

    def answer(self, request: Request) -> Reply:
        """Serve PROPFIND of a collection."""
        if request.method != "PROPFIND":
            return super().answer(request)
        rows = ""
        for path, item in self.items.items():
            if path.startswith(request.path):
                tag = f'"{int(item.changed):x}-{len(item.body)}"' if self.elsewhere else self.tag(path, item)
                rows += f"<response><href>{path}</href><propstat><prop><getetag>{tag}</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response>"
        text = f'<?xml version="1.0" encoding="utf-8"?>\n<multistatus xmlns="DAV:">{rows}</multistatus>'
        return Reply(
            207,
            text,
            {"Content-Type": "text/xml; charset=utf-8", "DAV": "1, 2, 3, access-control, calendar-access"},
        )

    def refuse(self, request: Request, item: Item | None) -> Reply:
        """Answer 412 with both tags."""
        now = self.tag(request.path, item).strip('"') if item else ""
        sent = request.fields.get("if-match", "").strip('"')
        said = f"Existing resource ETag of &lt;&lt;{now}&gt;&gt; does not match &lt;&lt;{sent}&gt;&gt;"
        return Reply(
            412,
            f'<?xml version="1.0" encoding="utf-8" ?>\n<error xmlns="DAV:">{said}</error>',
            {"Content-Type": "text/xml; charset=utf-8"},
        )


class Notes(Tagged):
    """Nextcloud Notes: an MD5 as tag, JSON."""

    server = "Apache/2.4.62 (Debian)"

    def body(self, path: str, item: Item) -> Any:
        """Return a note."""
        return {
            "id": int(path.rpartition("/")[2]),
            "etag": self.tag(path, item).strip('"'),
            "modified": int(item.changed),
            **item.body,
        }

    def refuse(self, request: Request, item: Item | None) -> Reply:
        """Answer 412 with the note as it is."""
        return Reply(412, self.body(request.path, item) if item else {}, {})


class Config(Tagged):
    """GoCD's configuration: one tag for each version of the media type."""

    server = ""
    kind = "application/vnd.go.cd.v11+json; charset=utf-8"

    def tag_for(self, accept: str, path: str, item: Item) -> str:
        """Return the tag of a media type."""
        return f'"{digest((accept, path, item.version), 64)}"'

    def tag(self, path: str, item: Item) -> str:
        """Return the tag that writes are compared with."""
        return self.tag_for("application/vnd.go.cd.v11+json", path, item)

    def read(self, request: Request, item: Item) -> Reply:
        """Answer in the media type asked for."""
        accept = request.fields.get("accept", "*/*")
        reply = super().read(request, item)
        if accept.startswith("application/vnd.go.cd.v") and reply.status == 200:
            reply.fields |= {
                "ETag": self.tag_for(accept, request.path, item),
                "Content-Type": f"{accept}; charset=utf-8",
                "Vary": "Accept",
            }
        return reply

    def refuse(self, request: Request, _item: Item | None) -> Reply:
        """Answer 412."""
        name = request.path.rpartition("/")[2]
        said = f"Someone has modified the configuration for pipeline '{name}'. Please update your copy of the config with the changes and try again."
        return Reply(412, {"message": said, "data": {}})


class Eve(Tagged):
    """Python Eve: ``_etag`` in the content, 428 without a condition."""

    server = "Werkzeug/2.3.8 Python/3.11.7"
    demands = 428

    def tag(self, path: str, item: Item) -> str:
        """Return a SHA-1 in quotes."""
        return f'"{digest((path, item.version, item.body), 40)}"'

    def body(self, path: str, item: Item) -> Any:
        """Return a document with its meta fields."""
        meta = {
            "_etag": self.tag(path, item).strip('"'),
            "_updated": when(item.changed),
            "_id": path.rpartition("/")[2],
        }
        return {**item.body, **meta, "_links": {"self": {"title": "item", "href": path.lstrip("/")}}}

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the document's own members."""
        return {
            name: value for name, value in super().merged(request, old).items() if not name.startswith("_")
        }

    def demand(self, _request: Request) -> Reply:
        """Answer 428."""
        said = "To edit a document its etag must be provided using the If-Match header"
        return Reply(428, {"_status": "ERR", "_error": {"code": 428, "message": said}})

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 412."""
        return Reply(
            412, {"_status": "ERR", "_error": {"code": 412, "message": "Client and server etags don't match"}}
        )


class Statements(Tagged):
    """An xAPI learning record store's documents."""

    server = "nginx/1.26.2"
    demands = 409
    saved_status = 204
    created_status = 204

    def head(self, path: str, item: Item) -> dict[str, str]:
        """Return the validators and the version of the API."""
        return {**super().head(path, item), "X-Experience-API-Version": "1.0.3"}

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 412."""
        said = "Precondition failed. If the document exists, use If-Match with its ETag."
        if "if-none-match" in _request.fields:
            said = "Resource detected but If-None-Match was '*'"
        return Reply(412, {"error": True, "success": False, "message": said, "code": 412})


class Repository(Tagged):
    """Spring Data REST: the version in quotes, dates after it; ``late`` looks at dates after the commit."""

    server = ""
    kind = "application/hal+json"
    dated = True
    late = False

    def tag(self, _path: str, item: Item) -> str:
        """Return the version in quotes."""
        return f'"{item.version}"'

    def body(self, path: str, item: Item) -> Any:
        """Return an entity with its link."""
        return {
            **item.body,
            "lastModifiedDate": instant(item.changed)[:23] + "Z",
            "_links": {"self": {"href": path}},
        }

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the entity without its links."""
        return {
            name: value
            for name, value in super().merged(request, old).items()
            if name not in {"_links", "lastModifiedDate"}
        }

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Return the refusal of a write, or None."""
        if self.late and "if-unmodified-since" in request.fields:
            self.store(request.path, self.merged(request, item), request.user)
            return self.refuse(request, item)
        return super().check(request, item)

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 412 without content."""
        return Reply(412)


class Clinic(Tagged):
    """Canvas Medical's FHIR: If-Unmodified-Since alone, compared with microseconds when ``exact``."""

    server = "gunicorn"
    validators = False
    dated = True
    exact = True

    def since(self, item: Item) -> float:
        """Return the moment with or without its fraction."""
        return item.changed if self.exact else float(int(item.changed))

    def body(self, path: str, item: Item) -> Any:
        """Return a resource."""
        return {**item.body, "id": path.rpartition("/")[2], "meta": {"lastUpdated": instant(item.changed)}}

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 412."""
        said = "Resource has been modified since the date in If-Unmodified-Since"
        return Reply(
            412,
            {
                "resourceType": "OperationOutcome",
                "issue": [{"severity": "error", "code": "conflict", "details": {"text": said}}],
            },
        )


class Sync(Tagged):
    """Firefox Sync 1.5: decimal seconds."""

    server = "openresty"
    validators = False

    def stamp(self, item: Item) -> str:
        """Return the moment with two digits."""
        return f"{item.changed:.2f}"

    def head(self, _path: str, item: Item) -> dict[str, str]:
        """Return the moment of the last change and of now."""
        return {"X-Last-Modified": self.stamp(item), "X-Weave-Timestamp": f"{time.time():.2f}"}

    def body(self, path: str, item: Item) -> Any:
        """Return a record."""
        return {
            "id": path.rpartition("/")[2],
            "modified": float(self.stamp(item)),
            "payload": item.body["payload"],
        }

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Return the refusal of a write, or None."""
        sent = request.fields.get("x-if-unmodified-since")
        if sent is None or item is None:
            return None
        return self.refuse(request, item) if float(sent) < float(self.stamp(item)) else None

    def refuse(self, request: Request, item: Item | None) -> Reply:
        """Answer 412."""
        return Reply(
            412, "0", {"Content-Type": "application/json", **(self.head(request.path, item) if item else {})}
        )


class Rows(Tagged):
    """Salesforce's sObject rows: tags and dates, 400 for a date that is none."""

    server = "sfdcedge"
    dated = True
    saved_status = 204

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Return the refusal of a write, or None."""
        date = request.fields.get("if-unmodified-since", "")
        if date and not date.endswith("GMT"):
            said = f"Invalid If-Unmodified-Since header: {date}"
            return Reply(400, [{"message": said, "errorCode": "INVALID_HTTP_HEADER"}])
        return super().check(request, item)

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 412 without content."""
        return Reply(412, None, {"Vary": "Accept-Encoding"})


class Sets(Tagged):
    """z/OSMF data sets: a tag only when X-IBM-Return-Etag asks for it."""

    server = "zOSMF"
    kind = "text/plain; charset=UTF-8"
    saved_status = 204

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the text."""
        return request.body.decode()

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 412."""
        return Reply(
            412,
            {
                "category": 6,
                "rc": 8,
                "reason": 1,
                "message": "Etag mismatch",
                "details": ["ISRZ002 Member has been changed"],
            },
        )


class Fields(Tagged):
    """APIs that differ from the plain one by their errors alone; ``said`` is the content of their 412."""

    said: Any = None
    status = 412
    moved: Any = None

    def refuse(self, _request: Request, item: Item | None) -> Reply:
        """Answer what the API says."""
        return Reply(self.status, self.said)

    def body(self, path: str, item: Item) -> Any:
        """Return the content with the tag in ``eTag`` members that hold no value yet."""
        shown = item.body
        if isinstance(shown, dict) and self.moved:
            return {**shown, self.moved: self.tag(path, item)}
        return shown


class Front(Fields):
    """CloudFront: tags in capitals without quotes, 400 without If-Match, XML."""

    server = "Amazon CloudFront"
    kind = "text/xml"

    def tag(self, path: str, item: Item) -> str:
        """Return a tag as CloudFront draws it."""
        return "E" + digest((path, item.version), 13).upper()

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the text."""
        return request.body.decode()

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Return the refusal of a write, or None."""
        if item is not None and "if-match" not in request.fields:
            return self.xml(
                400, "InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource."
            )
        return super().check(request, item)

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 412."""
        return self.xml(
            412,
            "PreconditionFailed",
            "The request failed because it didn't meet the preconditions in one or more request-header fields.",
        )

    def xml(self, status: int, code: str, said: str) -> Reply:
        """Return an error."""
        text = f'<?xml version="1.0"?>\n<ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Error><Type>Sender</Type><Code>{code}</Code><Message>{said}</Message></Error><RequestId>{digest((code, said), 24)}</RequestId></ErrorResponse>'
        return Reply(status, text, {"Content-Type": "text/xml"})
