"""Imitations of content, health and record products, after their documentation, on Falcon.

``kim_store`` is below them. Environment, besides its own: ``DIALECT`` fhir, canvas, wiki, salesforce,
contentful, zotero, eve, spring or jsonapi; ``STRICT=1`` compares weak tags strongly, as RFC 9110 does;
``WEAK=1`` has weak tags only; ``VARIANT=1`` has a tag for each media type; ``LIBRARY=1`` guards items by the
version of all; ``MOVED`` a path prefix that is answered with 302; ``FRESH`` seconds that entries live;
``CORS`` an origin that scripts may come from, ``EXPOSE`` what they may read.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import falcon

from tools.recording_apis.apps.kim_store import STORE, Asked, State, Told, holds, setting, unchanged


def _outcome(status: int, code: str, text: str) -> Told:
    issue = {"severity": "error", "code": code, "diagnostics": text}
    return status, {"resourceType": "OperationOutcome", "issue": [issue]}, {}


def _resource(one: State) -> dict[str, Any]:
    kind, name = one.key.split("/")
    meta = {"versionId": str(one.number), "lastUpdated": one.stamp}
    return {"resourceType": kind, "id": name, "meta": meta, **one.body}


def _found(kind: str, query: dict[str, str]) -> list[State]:
    wanted = query.get("identifier", "").split("|")[-1]
    known = STORE.below(f"{kind}/")
    if wanted:
        return [one for one in known if wanted in json.dumps(one.body.get("identifier", ""))]
    return [one for one in known if query.get("name", "") in json.dumps(one.body)]


def fhir(asked: Asked) -> Told:
    """Answer as a health record server: weak version tags, conditional create and update."""
    found = re.fullmatch(r"/fhir/(\w+)(?:/([\w.-]+))?(/_history(?:/\d+)?)?", asked.path)
    if not found:
        return 200, {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}, {}
    kind, name = found[1], found[2]
    if asked.method == "GET" and not name:
        rows = [{"resource": _resource(one)} for one in _found(kind, asked.query)]
        return 200, {"resourceType": "Bundle", "type": "searchset", "total": len(rows), "entry": rows}, {}
    if asked.method == "GET":
        now = STORE.shown(f"{kind}/{name}")
        if now is None:
            return _outcome(404, "not-found", f"Resource {kind}/{name} is not known")
        fields = {"ETag": f'W/"{now.number}"', "Last-Modified": now.modified}
        return (304, "", fields) if unchanged(asked, fields["ETag"]) else (200, _resource(now), fields)
    if not name:
        text = asked.fields.get("if-none-exist", "")
        query = asked.query if asked.method != "POST" else dict([text.split("=", 1)] if text else [])
        rows = _found(kind, query) if query else []
        if len(rows) > 1:
            return _outcome(412, "multiple-matches", f"{len(rows)} resources match the criteria {query}")
        if rows and asked.method == "POST":
            return 200, _resource(rows[0]), {"ETag": f'W/"{rows[0].number}"'}
        name = rows[0].key.split("/")[1] if rows else f"n{STORE.serial}"

    def check(now: State | None) -> Told | None:
        if now and setting("NEED") and not {"if-match", "if-none-match"} & set(asked.fields):
            return _outcome(428, "business-rule", "Resource is versioned: If-Match required")
        tag = f'W/"{now.number}"' if now else ""
        if broken := holds(asked.fields, now, tag, weakly=not setting("STRICT")):
            text = f"{broken} precondition failed: {asked.fields.get('if-match')}, current {tag or 'none'}"
            return _outcome(412, "conflict", text)
        return None

    kept = (
        {k: v for k, v in asked.json.items() if k not in {"meta", "id", "resourceType"}} if asked.text else {}
    )
    refused, made, was = STORE.write(
        f"{kind}/{name}", check, lambda _: None if asked.method == "DELETE" else kept, asked.by
    )
    if refused or made is None:
        return refused or (204, "", {})
    fields = {"ETag": f'W/"{made.number}"', "Location": f"/fhir/{made.key}/_history/{made.number}"}
    return (200 if was else 201), _resource(made), {**fields, "Last-Modified": made.modified}


def canvas(asked: Asked) -> Told:
    """Answer as a health record server that has dates only."""
    kind, _, name = asked.path.removeprefix("/core/api/").partition("/")
    if not name:
        return 200, {"count": len(STORE.below(kind)), "results": [one.body for one in STORE.below(kind)]}, {}
    key = f"{kind}/{name}"
    now = STORE.shown(key)
    if now is None:
        return 404, {"detail": "Not found."}, {}
    if asked.method == "GET":
        fields = {"Last-Modified": now.modified}
        shown = {"id": name, "modified": now.stamp, "modifiedBy": now.by, **now.body}
        return (304, "", fields) if unchanged(asked, "", now.modified) else (200, shown, fields)

    def check(one: State | None) -> Told | None:
        broken = holds(asked.fields, one, "")
        return (412, {"detail": f"Precondition failed ({broken})."}, {}) if broken else None

    refused, made, _ = STORE.write(key, check, lambda one: {**one.body, **asked.json}, asked.by)
    return refused or (200, {"id": name, **made.body}, {"Last-Modified": made.modified})


def wiki(asked: Asked) -> Told:
    """Answer as a wiki whose writes name the next version."""
    if setting("MOVED") and asked.path.startswith(setting("MOVED")):
        rest = asked.path.removeprefix(setting("MOVED"))
        return 302, "", {"Location": f"/wiki/rest/api/content{rest}"}
    found = re.fullmatch(r"/wiki/rest/api/content(?:/(\d+))?", asked.path)
    if not found or not found[1]:
        rows = [{"id": one.key, "title": one.body["title"], "type": "page"} for one in STORE.below("")]
        return 200, {"results": rows, "size": len(rows)}, {}

    def shown(one: State) -> dict[str, Any]:
        version = {"number": one.number, "when": one.stamp, "by": {"displayName": one.by}}
        body = {"storage": {"value": one.body["text"], "representation": "storage"}}
        return {"id": one.key, "type": "page", "title": one.body["title"], "version": version, "body": body}

    def error(status: int, text: str) -> Told:
        return (
            status,
            {"statusCode": status, "message": text, "data": {"authorized": True, "valid": True}},
            {},
        )

    now = STORE.shown(found[1])
    if now is None:
        return error(404, f"No content found with id: ContentId{{id={found[1]}}}")
    if asked.method == "GET":
        return 200, shown(now), {}
    number = asked.json.get("version", {}).get("number")

    def check(one: State | None) -> Told | None:
        if number is None:
            return error(
                400, "Must supply an incremented version when updating Content. No version supplied."
            )
        if number == one.number + 1:
            return None
        text = f"Version must be incremented on update. Current version is: {one.number}"
        return error(409, text if number <= one.number else f"Attempted to update stale data. {text}")

    def make(_: State | None) -> dict[str, Any]:
        return {"title": asked.json["title"], "text": asked.json["body"]["storage"]["value"]}

    refused, made, _ = STORE.write(found[1], check, make, asked.by)
    return refused or (200, shown(made), {})


def salesforce(asked: Asked) -> Told:
    """Answer as Salesforce's rows: tags and dates, the tag of an account only."""
    found = re.fullmatch(r"/services/data/v62\.0/sobjects/(\w+)(?:/(\w+))?", asked.path)
    if not found or not found[2]:
        rows = [{"Id": one.key.split("/")[1], **one.body} for one in STORE.below("")]
        return 200, {"totalSize": len(rows), "done": True, "records": rows}, {}
    key = f"{found[1]}/{found[2]}"

    def tag(one: State) -> str:
        return f'"{one.mark(asked.node, 20)}"'

    def error(status: int, code: str, text: str) -> Told:
        return status, [{"errorCode": code, "message": text}], {}

    now = STORE.shown(key)
    if now is None:
        return error(404, "NOT_FOUND", "The requested resource does not exist")
    fields = {"Last-Modified": now.modified, **({"ETag": tag(now)} if found[1] == "Account" else {})}
    if asked.method == "GET":
        shown = {"Id": found[2], "SystemModstamp": now.stamp, "LastModifiedById": now.by, **now.body}
        return (304, "", fields) if unchanged(asked, tag(now), now.modified) else (200, shown, fields)

    def check(one: State | None) -> Told | None:
        if setting("NEED") and not {"if-match", "if-unmodified-since"} & set(asked.fields):
            return error(428, "PRECONDITION_REQUIRED", "Send If-Match or If-Unmodified-Since")
        broken = holds(asked.fields, one, tag(one))
        if broken == "bad date":
            return error(400, "JSON_PARSER_ERROR", "Invalid value for header If-Unmodified-Since")
        return error(412, "PRECONDITION_FAILED", f"{broken} does not hold") if broken else None

    refused, _, _ = STORE.write(key, check, lambda one: {**one.body, **asked.json}, asked.by)
    return refused or (204, "", {})


def contentful(asked: Asked) -> Told:
    """Answer as Contentful's management interface: a version field, publishing counts too."""
    found = re.fullmatch(r"/spaces/shop/environments/master/entries(?:/(\w+))?(/published)?", asked.path)
    if not found:
        return 200, {"sys": {"type": "Space", "id": "shop"}, "name": "Shop"}, {}

    def shown(one: State) -> dict[str, Any]:
        system = {"type": "Entry", "id": one.key, "version": one.number, "updatedAt": one.stamp}
        system |= {"updatedBy": {"sys": {"id": one.by}}, "publishedVersion": one.body.get("$p")}
        return {"sys": system, "fields": one.body["fields"]}

    if not found[1]:
        return 200, {"total": len(STORE.below("")), "items": [shown(one) for one in STORE.below("")]}, {}
    now = STORE.shown(found[1])
    if asked.method == "GET":
        if now is None:
            return (
                404,
                {"sys": {"type": "Error", "id": "NotFound"}, "message": "The resource could not be found."},
                {},
            )
        fields = {"ETag": f'W/"{now.mark(length=12)}"', "Cache-Control": f"max-age={setting('FRESH') or 0}"}
        return (304, "", fields) if unchanged(asked, fields["ETag"]) else (200, shown(now), fields)
    sent = asked.fields.get("x-contentful-version")

    def check(one: State | None) -> Told | None:
        if one and sent is None:
            text = "Please pass sys.version as HTTP header X-Contentful-Version."
        elif one and sent != str(one.number):
            text = "Version mismatch error. The version you specified was incorrect."
        else:
            return None
        request = {"requestId": str(uuid.uuid4()), "message": text}
        return 409, {"sys": {"type": "Error", "id": "VersionMismatch"}, **request}, {}

    def make(one: State | None) -> dict[str, Any]:
        return {**one.body, "$p": one.number} if found[2] else {"fields": asked.json["fields"]}

    refused, made, was = STORE.write(found[1], check, make, asked.by)
    return refused or ((200 if was else 201), shown(made), {})


def _zotero_many(asked: Asked) -> Told:
    told: dict[str, Any] = {"successful": {}, "success": {}, "unchanged": {}, "failed": {}}
    for at, item in enumerate(asked.json):
        key, wanted = f"items/{item['key']}", item.get("version")
        now = STORE.current(key)
        if now and wanted != now.serial:
            text = f"Item has been modified since specified version (expected {wanted}, found {now.serial})"
            told["failed"][str(at)] = {"key": item["key"], "code": 412, "message": text}
            continue
        kept = {name: value for name, value in item.items() if name not in {"key", "version"}}
        made = STORE.commit(key, {**(now.body if now else {}), **kept}, asked.by)
        told["success"][str(at)] = item["key"]
        told["successful"][str(at)] = {"key": item["key"], "version": made.serial}
    return 200, told, {"Last-Modified-Version": str(STORE.serial)}


def zotero(asked: Asked) -> Told:
    """Answer as a reference library: one counter for the library, also written into each item."""
    found = re.fullmatch(r"/users/\d+/(items|collections)(?:/(\w+))?", asked.path)
    if not found:
        return 200, {"userID": 4471, "access": {"user": {"library": True, "write": True}}}, {}
    library = {"Last-Modified-Version": str(STORE.serial)}

    def shown(one: State) -> dict[str, Any]:
        return {"key": one.key.split("/")[1], "version": one.serial, "data": one.body}

    if asked.method == "GET" and not found[2]:
        if asked.fields.get("if-modified-since-version") == library["Last-Modified-Version"]:
            return 304, "", library
        since = int(asked.query.get("since", 0))
        rows = [shown(one) for one in STORE.below(f"{found[1]}/") if one.serial > since]
        return 200, rows, {**library, "Total-Results": str(len(rows))}
    if asked.method == "POST":
        return _zotero_many(asked)
    key = f"{found[1]}/{found[2]}"
    now = STORE.shown(key)
    if asked.method == "GET":
        return (
            (200, shown(now), {"Last-Modified-Version": str(now.serial)}) if now else (404, "Not found", {})
        )
    wanted = asked.fields.get("if-unmodified-since-version")

    def check(one: State | None) -> Told | None:
        if wanted is None:
            return 428, "If-Unmodified-Since-Version not provided", {}
        held = STORE.serial if setting("LIBRARY") or one is None else one.serial
        if int(wanted) >= held:
            return None
        what = "Library" if setting("LIBRARY") else "Item"
        text = f"{what} has been modified since specified version (expected {wanted}, found {held})"
        return 412, text, {"Last-Modified-Version": str(STORE.serial)}

    refused, made, _ = STORE.write(
        key, check, lambda one: None if asked.method == "DELETE" else {**one.body, **asked.json}, asked.by
    )
    return refused or (204, "", {"Last-Modified-Version": str(made.serial if made else STORE.serial)})


def _tagged(asked: Asked, form: Any, shown: Any, folder: str) -> Told:
    """Answer reads and writes of an interface with plain tags."""
    name = asked.path.removeprefix(folder).strip("/")
    if not name:
        rows = [shown(one) for one in STORE.below("")]
        return 200, {"_embedded": rows, "page": {"size": 20, "totalElements": len(rows)}}, {}

    def error(status: int, text: str) -> Told:
        if setting("DIALECT") == "jsonapi":
            return (
                status,
                {"errors": [{"status": str(status), "title": text, "source": {"header": "If-Match"}}]},
                {},
            )
        if setting("DIALECT") == "eve":
            return status, {"_status": "ERR", "_error": {"code": status, "message": text}}, {}
        return status, {"cause": None, "message": text} if status != 412 else "", {}

    now = STORE.shown(name)
    if asked.method == "GET":
        if now is None:
            return error(404, "Not found")
        fields = {"ETag": form(now), "Last-Modified": now.modified, "X-Node": f"n-{asked.node[-2:]}"}
        return (304, "", fields) if unchanged(asked, form(now), now.modified) else (200, shown(now), fields)

    def check(one: State | None) -> Told | None:
        if one is None and (asked.method != "PUT" or "if-match" in asked.fields):
            return error(412 if "if-match" in asked.fields else 404, "No such resource")
        if (
            one
            and setting("NEED")
            and not {"if-match", "if-none-match", "if-unmodified-since"} & set(asked.fields)
        ):
            return error(428, "To edit a document its etag must be provided using the If-Match header")
        broken = holds(asked.fields, one, form(one) if one else "", weakly=False)
        return error(412, f"Client and server etags don't match ({broken})") if broken else None

    def make(one: State | None) -> dict[str, Any] | None:
        sent = {k: v for k, v in asked.json.items() if k[0] != "_"} if asked.text else {}
        sent = sent.get("data", {}).get("attributes", sent)
        return (
            None
            if asked.method == "DELETE"
            else {**(one.body if one and asked.method == "PATCH" else {}), **sent}
        )

    refused, made, was = STORE.write(name, check, make, asked.by)
    if refused or made is None:
        return refused or (204, "", {})
    fields = {"ETag": form(made), "Last-Modified": made.modified, "X-Node": f"n-{asked.node[-2:]}"}
    return (200 if was else 201), shown(made), fields


def eve(asked: Asked) -> Told:
    """Answer as Eve: the tag is in the document as well."""

    def form(one: State) -> str:
        return f'"{one.mark(asked.node, 40)}"'

    def shown(one: State) -> dict[str, Any]:
        about = {"_id": one.key, "_updated": one.modified, "_etag": form(one).strip('"'), "_by": one.by}
        return {**about, **one.body, "_links": {"self": {"href": one.key}}}

    return _tagged(asked, form, shown, "/api")


def spring(asked: Asked) -> Told:
    """Answer as Spring Data REST: the version of the entity is the tag."""
    media = asked.fields.get("accept", "").split(",")[0]

    def form(one: State) -> str:
        variant = "-hal" if setting("VARIANT") and "hal" in media else ""
        return f'"{one.number - 1}{variant}"'

    def shown(one: State) -> dict[str, Any]:
        return {**one.body, "lastModifiedBy": one.by, "_links": {"self": {"href": f"/data/{one.key}"}}}

    return _tagged(asked, form, shown, "/data")


def jsonapi(asked: Asked) -> Told:
    """Answer as a JSON:API service."""

    def form(one: State) -> str:
        return f'{"W/" if setting("WEAK") else ""}"{one.mark(asked.node, 22)}"'

    def shown(one: State) -> dict[str, Any]:
        meta = {"revision": one.number, "changedBy": one.by, "changedAt": one.stamp}
        return {
            "data": {
                "type": one.key.split("/")[0],
                "id": one.key.split("/")[1],
                "attributes": one.body,
                "meta": meta,
            }
        }

    return _tagged(asked, form, shown, "/jsonapi")


_SERVED = {
    one.__name__: one for one in (fhir, canvas, wiki, salesforce, contentful, zotero, eve, spring, jsonapi)
}
_KINDS = {
    "fhir": "application/fhir+json",
    "spring": "application/hal+json",
    "jsonapi": "application/vnd.api+json",
    "contentful": "application/vnd.contentful.management.v1+json",
    "salesforce": "application/json;charset=UTF-8",
}


def serve(request: falcon.Request, response: falcon.Response) -> None:
    """Answer by the chosen imitation."""
    if request.path == "/-/up":
        response.text = "up"
        return
    fields = {name.lower(): value for name, value in request.headers.items()}
    text = request.bounded_stream.read().decode("utf-8")
    dialect, node = setting("DIALECT"), request.env["SERVER_PORT"]
    asked = Asked(request.method, request.path, request.params, fields, text, node)
    if request.method == "OPTIONS":
        status, body, own = 204, "", {"Access-Control-Allow-Methods": "GET, PUT, PATCH, DELETE"}
        own["Access-Control-Allow-Headers"] = "content-type, if-match"
    else:
        status, body, own = _SERVED[dialect](asked)
    if setting("CORS"):
        own |= {"Access-Control-Allow-Origin": setting("CORS"), "Vary": "Origin"}
        own |= {"Access-Control-Expose-Headers": setting("EXPOSE")} if setting("EXPOSE") else {}
    response.status = status
    if body != "":
        response.text = body if isinstance(body, str) else json.dumps(body)
        kind = _KINDS.get(dialect, falcon.MEDIA_JSON)
        response.content_type = "text/plain" if isinstance(body, str) else kind
    response.set_headers({"X-Request-Id": uuid.uuid4().hex[:16], **own})


application = falcon.App()
application.add_sink(serve, "/")
