"""Imitations after their documentation: products with entity tags or dates, and the program that serves all."""

# ruff: noqa: ARG002, E501 - products need not use all they are handed; error texts stand as documented

from __future__ import annotations

import importlib
import os
import sys
import time
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from tools.recording_apis.apps import (
    noa_amazon,
    noa_google,
    noa_microsoft,
    noa_platforms,
    noa_products,
)
from tools.recording_apis.apps.noa_engine import Api, Record, Request, Response, date, digest, serve, stamp


class Couch(Api):
    """CouchDB: a database is made once, documents have ``_rev``."""

    server: ClassVar[str] = "CouchDB/3.3.3 (Erlang OTP/25)"
    media: ClassVar[str] = "application/json"

    def _rev(self, record: Record) -> str:
        return f"{record.version}-{digest(record.value)}"

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return the revision as a tag."""
        return {"ETag": f'"{self._rev(record)}"', "Cache-Control": "must-revalidate"}

    def view(self, record: Record) -> object:
        """Return a document, or what is known of a database."""
        if record.key.count("/") == 1:
            return {
                "db_name": record.key[1:],
                "doc_count": len(self.keys(f"{record.key}/")),
                "update_seq": "41-g1AAA",
            }
        return {"_id": record.key.split("/")[2], "_rev": self._rev(record), **record.value}

    def wrong(self, request: Request, record: Record | None) -> Response | None:
        """Refuse a database that is there, and an old revision."""
        if request.path.count("/") == 1 and record:
            said = "The database could not be created, the file already exists."
            return Response(412, {"error": "file_exists", "reason": said})
        if record and request.json.get("_rev") != self._rev(record):
            return Response(409, {"error": "conflict", "reason": "Document update conflict."})
        return None

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take a document."""
        return {k: v for k, v in request.json.items() if k not in {"_id", "_rev"}}

    def done(self, request: Request, record: Record, old: Record | None) -> Response:
        """Answer with the revision."""
        if record.key.count("/") == 1:
            return Response(201, {"ok": True})
        return Response(201, {"ok": True, "id": record.key.split("/")[2], "rev": self._rev(record)})


class Dav(Api):
    """SabreDAV and DAViCal: text with tags, errors in XML or in words."""

    server: ClassVar[str] = "Apache/2.4.62 (Debian)"

    def tag(self, record: Record, request: Request | None = None) -> str:
        """Return an MD5-like tag."""
        return f'"{digest([record.value, record.version, self.salt])}"'

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return the tag, twice where the cloud does so."""
        tag, kind = self.tag(record), "text/calendar; charset=utf-8"
        kind = "text/vcard; charset=utf-8" if record.key.endswith(".vcf") else kind
        own = {"ETag": tag, "Last-Modified": date(record.at), "Content-Type": kind}
        return own if "davical" in self.flags else {**own, "OC-ETag": tag}

    def view(self, record: Record) -> object:
        """Return the text."""
        return record.value

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take the text."""
        return request.body.decode()

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare; DAViCal takes the asterisk at its word."""
        if "davical" in self.flags and request.fields.get("if-match") == "*":
            return False
        return super().holds(request, record)

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse as the product does."""
        asked, now = request.fields.get("if-match"), self.tag(record) if record else ""
        if "davical" in self.flags:
            said = f"Existing resource ETag of <<{now}>> does not match <<{asked}>>"
            return Response(412, said, {"X-DAViCal-Version": "DAViCal/1.1.12; DB/1.3.5"})
        name = "If-Match" if asked else "If-None-Match"
        said = "An If-None-Match header was specified, but the ETag matched (or * was specified)."
        if asked:
            said = "An If-Match header was specified, but none of the specified the ETags matched."
        if asked and record is None:
            said = "An If-Match header was specified and the resource did not exist"
        text = '<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">\n'
        text += f"  <s:exception>Sabre\\DAV\\Exception\\PreconditionFailed</s:exception>\n  <s:message>{escape(said)}"
        text += f"</s:message>\n  <s:header>{name}</s:header>\n</d:error>\n"
        return Response(412, text, {"Content-Type": "application/xml; charset=utf-8"})

    def absent(self, request: Request) -> Response:
        """Answer when there is nothing."""
        return Response(404, f"File not found: {request.path.rpartition('/')[2]}")

    def done(self, request: Request, record: Record, old: Record | None) -> Response:
        """Answer without content."""
        return Response(204 if old else 201, b"", self.validators(record))


class Fhir(Api):
    """FHIR R4: weak version ids, conditional creates and updates."""

    server: ClassVar[str] = "Jetty(11.0.20)"
    media: ClassVar[str] = "application/fhir+json;charset=utf-8"
    weak_matches: ClassVar[bool] = True

    def tag(self, record: Record, request: Request | None = None) -> str:
        """Return the version."""
        return f'W/"{record.version}"'

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return version and date."""
        return {
            "ETag": self.tag(record),
            "Last-Modified": date(record.at),
            "X-Request-ID": digest(time.time(), 16),
        }

    def view(self, record: Record) -> object:
        """Return a resource."""
        kind, name = record.key.split("/")[-2:]
        meta = {"versionId": str(record.version), "lastUpdated": stamp(record.at)}
        return {"resourceType": kind, "id": name, "meta": meta, **record.value}

    def _outcome(self, status: int, code: str, message: str) -> Response:
        issue = {"severity": "error", "code": code, "diagnostics": message}
        return Response(status, {"resourceType": "OperationOutcome", "issue": [issue]})

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a version."""
        asked, now = request.fields.get("if-match", ""), record.version if record else 0
        return self._outcome(
            412,
            "conflict",
            f"Trying to update {request.path} {asked} but this is not the current version {now}",
        )

    def _found(self, kind: str, value: str) -> list[Record]:
        wanted = value.rpartition("|")[2]
        return [
            one
            for one in self.keys(f"{kind}/")
            if one.value.get("identifier", [{}])[0].get("value") == wanted
        ]

    def route(self, request: Request) -> Response | None:
        """Search, create and update by criteria."""
        if request.path.count("/") != 2:
            return None
        if request.method == "GET":
            found = self._found(request.path, request.query.get("identifier", ""))
            entries = [{"resource": self.view(one)} for one in found]
            return Response(
                200, {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries}
            )
        asked = request.fields.get("if-none-exist", "").partition("identifier=")[2]
        found = self._found(request.path, asked or request.query.get("identifier", ""))
        if len(found) > 1:
            said = f"Failed to {request.method} resource with match URL because this search matched {len(found)} resources"
            return self._outcome(412, "multiple-matches", said)
        if found and request.method == "POST":
            return Response(200, self.view(found[0]), self.validators(found[0]))
        key = found[0].key if found else f"{request.path}/{digest(request.json, 8)}"
        made = self.keep(key, self.taken(request, None), request.who)
        return Response(200 if found else 201, self.view(made), {**self.validators(made), "Location": key})

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take a resource."""
        return {k: v for k, v in request.json.items() if k not in {"id", "meta", "resourceType"}}


class Plain(Api):
    """Tagged products: Twilio Sync, Salesforce, Reapit, GoCD, Eve, z/OSMF, xAPI, Spring, Notes, Oracle, sandboxes."""

    server: ClassVar[str] = "nginx"
    errors: ClassVar[dict[str, tuple[object, object]]] = {
        "twilio": (
            {
                "code": 20412,
                "message": "Precondition Failed",
                "more_info": "https://www.twilio.com/docs/errors/20412",
                "status": 412,
            },
            {"code": 54003, "message": "Invalid If-Match header", "status": 400},
        ),
        "reapit": (
            {"statusCode": 412, "description": "ETag provided does not match the current entity's ETag"},
            {"statusCode": 400, "description": "If-Match header is required"},
        ),
        "gocd": (
            {
                "message": "Someone has modified the configuration for pipeline. Please update your copy of the config and try again."
            },
            {
                "message": "Someone has modified the entity. Please update your copy with the changes and try again."
            },
        ),
        "eve": (
            {"_status": "ERR", "_error": {"code": 412, "message": "Client and server etags don't match"}},
            {
                "_status": "ERR",
                "_error": {
                    "code": 428,
                    "message": "To edit a document its etag must be provided using the If-Match header",
                },
            },
        ),
        "oracle": ({"code": "IncorrectState", "message": "DCS-10182: The ETag does not match."}, {}),
        "docker": ({"code": "EtagMismatch", "message": "etag mismatch"}, {}),
        "salesforce": ([{"errorCode": "PRECONDITION_FAILED", "message": "The condition was not met"}], []),
        "xapi": (
            "Precondition failed: the document is not as the header says",
            "A document is here already: pass If-Match or If-None-Match. See section 3.1 of the communication part.",
        ),
        "baseline": (
            {"type": "about:blank", "title": "Precondition Failed", "status": 412},
            {
                "type": "about:blank",
                "title": "Precondition Required",
                "status": 428,
                "detail": "Send If-Match.",
            },
        ),
        "spring": ({}, {}),
        "notes": ({}, {}),
        "zosmf": ({"category": 6, "rc": 4, "reason": 7, "message": "ETag mismatch"}, {}),
    }

    def __init__(self) -> None:
        super().__init__()
        self.kind = os.environ["KIND"]

    def tag(self, record: Record, request: Request | None = None) -> str | None:
        """Return the tag as the product writes it."""
        if self.kind == "spring":
            return f'"{record.version}"'
        if self.kind == "zosmf":
            return digest([record.value, record.version]).upper()
        if self.kind == "xapi":
            grown = [record.value, record.version if "counted" in self.flags else 0]
            return f'"{digest(grown, 40)}"'
        if "variants" in self.flags and request:
            return f'"{digest([record.value, record.version, request.fields.get("accept", "")], 28)}"'
        return super().tag(record, request)

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return the tag, a date, and what the flags hide or alter."""
        tag = self.tag(record, request)
        if "early" in self.flags and request and request.method in {"PUT", "POST"}:
            tag = f'"{digest([request.body.decode(), "received"], 32)}"'
        fields = {"Last-Modified": date(record.at)} if self.kind in {"spring", "salesforce", "xapi"} else {}
        if "maxage" in self.flags:
            fields["Cache-Control"] = "public, max-age=60"
        if self.kind == "zosmf" and not (request and request.fields.get("x-ibm-return-etag")):
            return {"Content-Type": "text/plain; charset=UTF-8", "X-IBM-Txid": "tx00000000001F"}
        return {**fields, "ETag": tag} if tag else fields

    def view(self, record: Record) -> object:
        """Return the content."""
        if self.kind == "twilio":
            body = {
                "unique_name": record.key.rpartition("/")[2],
                "revision": str(record.version),
                "data": record.value,
            }
            return {**body, "date_updated": stamp(record.at, 0), "created_by": record.by}
        if self.kind == "eve":
            tag = (self.tag(record) or "").strip('"')
            return {
                "_id": record.key.rpartition("/")[2],
                "_etag": tag,
                "_updated": date(record.at),
                **record.value,
            }
        return record.value

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take the content: text for data sets."""
        if request.method == "POST" and old:
            return {**old.value, **request.json}
        return request.body.decode() if self.kind == "zosmf" else super().taken(request, old)

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare, without quotes for Eve and data sets, and without GoCD's suffixes."""
        fields = dict(request.fields)
        if self.kind == "gocd" and "if-match" in fields:
            fields["if-match"] = fields["if-match"].replace('--gzip"', '"').replace('--deflate"', '"')
        return super().holds(
            Request(request.method, request.path, request.query, fields, request.body), record
        )

    def wrong(self, request: Request, record: Record | None) -> Response | None:
        """Refuse by rules that are no conditions."""
        if "firewall" in self.flags and b"<script" in request.body:
            page = "<html><head><title>Request blocked</title></head><body><h1>Request blocked</h1><p>This request was"
            page += f" stopped by the security policy. Event ID {digest(time.time(), 18)}</p></body></html>"
            return Response(412, page, {"Content-Type": "text/html", "X-WAF-Event": "xss-generic-941110"})
        return None

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse as the product does."""
        body = self.errors[self.kind][0]
        if self.kind == "docker" and record:
            body = {**dict(self.errors["docker"][0]), "detail": {"currentEtag": self.tag(record)}}  # type: ignore[call-overload]
        return Response(412, body)

    def missing(self, request: Request, record: Record | None) -> Response | None:
        """Ask for a tag where the product does."""
        if record is None or "need" not in self.flags:
            return None
        status = {"twilio": 400, "reapit": 400, "xapi": 409}.get(self.kind, 428)
        return Response(status, self.errors[self.kind][1])


class Canvas(Api):
    """Canvas Medical: dates only."""

    server: ClassVar[str] = "gunicorn"
    media: ClassVar[str] = "application/fhir+json"

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return the date."""
        return {"Last-Modified": date(record.at)}

    def view(self, record: Record) -> object:
        """Return a resource."""
        kind, name = record.key.split("/")[-2:]
        return {"resourceType": kind, "id": name, **record.value}

    def done(self, request: Request, record: Record, old: Record | None) -> Response:
        """Answer without content."""
        return Response(200, b"null", {**self.validators(record), "Content-Type": "application/json"})

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a date."""
        issue = {
            "severity": "error",
            "code": "conflict",
            "details": {"text": "Resource updated since If-Unmodified-Since"},
        }
        return Response(412, {"resourceType": "OperationOutcome", "issue": [issue]})


APIS: dict[str, type[Api]] = {
    "calendar": noa_google.Calendar,
    "gcs": noa_google.Storage,
    "iam": noa_google.Policies,
    "compute": noa_google.Compute,
    "dns": noa_google.Names,
    "firestore": noa_google.Documents,
    "cloudfront": noa_amazon.CloudFront,
    "waf": noa_amazon.Firewall,
    "s3-like": noa_amazon.Deleting,
    "cosmos": noa_microsoft.Cosmos,
    "arm": noa_microsoft.Manager,
    "appconfig": noa_microsoft.Settings,
    "graph": noa_microsoft.Graph,
    "sharepoint": noa_microsoft.Lists,
    "dataverse": noa_microsoft.Dataverse,
    "sap": noa_microsoft.Sap,
    "odata": noa_microsoft.OData,
    "contentful": noa_products.Contentful,
    "box": noa_products.Box,
    "elastic": noa_products.Elastic,
    "zotero": noa_products.Zotero,
    "sync": noa_products.Sync,
    "bodied": noa_products.Bodied,
    "consul": noa_platforms.Consul,
    "kubernetes": noa_platforms.Kubernetes,
    "raven": noa_platforms.Raven,
    "couch": Couch,
    "dav": Dav,
    "fhir": Fhir,
    "plain": Plain,
    "canvas": Canvas,
}


def main(port: int) -> None:
    """Serve the API that the environment names."""
    application = serve(APIS[os.environ["API"]]())
    if os.environ.get("RUNNER") == "cheroot":
        wsgi = importlib.import_module("cheroot.wsgi")
        server = wsgi.Server(("127.0.0.1", port), application, numthreads=10)
        server.start()
    else:
        importlib.import_module("waitress").serve(application, host="127.0.0.1", port=port, threads=10)


if __name__ == "__main__":
    main(int(sys.argv[1]))
