# ruff: noqa: E501 - the words of a product stay on their line
"""Imitations of hosted suites: files, content, wikis, forges, libraries, shops, records and ERP."""

from __future__ import annotations

import base64
import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tools.recording_apis.apps.ben_wire import Api, Req, Res, Row, hexed, iso, opaque

if TYPE_CHECKING:
    from collections.abc import Mapping


def box(files: Mapping[str, dict[str, Any]]) -> Api:
    """Imitate Box: the tag is a bare number in the body and in If-Match."""
    api = Api(dict(files), first=3)

    def fail(status: int, code: str, message: str) -> Res:
        link = "http://developers.box.com/docs/#errors"
        said = {"type": "error", "status": status, "code": code, "help_url": link, "message": message}
        return Res(status, {**said, "request_id": hexed(time.time(), 16)})

    def shown(key: str, row: Row) -> dict[str, Any]:
        who = {"type": "user", "name": row.by, "login": f"{row.by}@studio.example"}
        own = {"type": "file", "id": key, "etag": str(row.rev), "sequence_id": str(row.rev)}
        return {**own, "modified_at": iso(row.at, 0), "modified_by": who, **row.data}

    @api.on("GET", "/2.0/files/([0-9]+)")
    def _read(req: Req, key: str) -> Res:
        if key not in api.rows:
            return fail(404, "not_found", "Not Found")
        row = api.rows[key]
        return Res(304) if req.fields.get("if-none-match") == str(row.rev) else Res(200, shown(key, row))

    @api.on("GET", "/2.0/folders/([0-9]+)/items")
    def _list(_req: Req, _folder: str) -> Res:
        entries = [{"type": "file", "id": key, "name": row.data["name"]} for key, row in api.rows.items()]
        return Res(200, {"total_count": len(entries), "entries": entries, "offset": 0, "limit": 100})

    @api.on("PUT DELETE", "/2.0/files/([0-9]+)")
    def _write(req: Req, key: str) -> Res:
        row, match = api.rows.get(key), req.fields.get("if-match")
        if match is not None and (row is None or match != str(row.rev)):
            return fail(
                412,
                "precondition_failed",
                "The resource has been modified. Please retrieve the resource again and retry",
            )
        if row is None:
            return fail(404, "not_found", "Not Found")
        if req.method == "DELETE":
            del api.rows[key]
            return Res(204)
        return Res(200, shown(key, api.keep(key, {**row.data, **req.json}, req.who)))

    return api


def contentful(space: str, entries: Mapping[str, dict[str, Any]]) -> Api:
    """Imitate Contentful's management API: the version goes as a field of its own."""
    api = Api(dict(entries), first=11)
    base = f"/spaces/{space}/environments/master/entries"

    def shown(key: str, row: Row) -> dict[str, Any]:
        own = {"id": key, "type": "Entry", "version": row.rev, "updatedAt": iso(row.at)}
        own["updatedBy"] = {"sys": {"type": "Link", "linkType": "User", "id": opaque(row.by, 22)}}
        return {"sys": own, "fields": row.data}

    @api.on("GET", f"{base}/([A-Za-z0-9]+)")
    def _read(_req: Req, key: str) -> Res:
        return Res(200, shown(key, api.rows[key]))

    @api.on("GET", base)
    def _list(_req: Req) -> Res:
        return Res(200, {"total": len(api.rows), "items": [shown(key, row) for key, row in api.rows.items()]})

    def refusal(req: Req, key: str) -> Res | None:
        if req.fields.get("x-contentful-version") == str(api.rows[key].rev):
            return None
        time.sleep(api.gap)
        said = {"type": "Error", "id": "VersionMismatch"}
        return Res(
            409, {"requestId": hexed(time.time(), 20), "sys": said, "message": "Version mismatch error"}
        )

    @api.on("PUT", f"{base}/([A-Za-z0-9]+)")
    def _write(req: Req, key: str) -> Res:
        time.sleep(api.gap)
        return refusal(req, key) or Res(200, shown(key, api.keep(key, req.json["fields"], req.who)))

    @api.on("PUT", f"{base}/([A-Za-z0-9]+)/published")
    def _publish(req: Req, key: str) -> Res:
        return refusal(req, key) or Res(200, shown(key, api.keep(key, api.rows[key].data, req.who)))

    return api


def confluence(pages: Mapping[str, dict[str, Any]]) -> Api:
    """Imitate Confluence: a save names the next version."""
    api = Api(dict(pages), first=8)

    def shown(key: str, row: Row) -> dict[str, Any]:
        number = {"number": row.rev, "by": {"displayName": row.by}, "when": iso(row.at), "minorEdit": False}
        text = {"storage": {"value": row.data["text"], "representation": "storage"}}
        return {
            "id": key,
            "type": "page",
            "status": "current",
            "title": row.data["title"],
            "version": number,
            "body": text,
        }

    @api.on("GET", "/wiki/rest/api/content/([0-9]+)")
    def _read(_req: Req, key: str) -> Res:
        return Res(200, shown(key, api.rows[key]))

    @api.on("GET", "/wiki/rest/api/content/([0-9]+)/version")
    def _history(_req: Req, key: str) -> Res:
        row = api.rows[key]
        return Res(200, {"results": [shown(key, one)["version"] for one in [*row.past, row]][::-1]})

    @api.on("PUT", "/wiki/rest/api/content/([0-9]+)")
    def _write(req: Req, key: str) -> Res:
        sent, row = req.json, api.rows[key]
        if sent["version"]["number"] != row.rev + 1:
            said = f"Version must be incremented on update. Current version is: {row.rev}"
            return Res(409, {"statusCode": 409, "message": said, "reason": "Conflict"})
        new = {"title": sent["title"], "text": sent["body"]["storage"]["value"]}
        return Res(200, shown(key, api.keep(key, new, req.fields.get("x-user", "anonymous"))))

    return api


def _commit(key: str, row: Row) -> str:
    return hexed(key if row.by == "setup" else f"{key}{row.rev}", 40)


def gitlab(files: Mapping[str, str]) -> Api:
    """Imitate GitLab's repository files, with ``last_commit_id`` as an optional condition."""
    api = Api(dict(files))
    base = "/api/v4/projects/4711/repository"
    commits: list[dict[str, Any]] = [
        {"id": hexed(key, 40), "title": f"Add {key}", "author_name": "setup", "created_at": iso(row.at)}
        for key, row in api.rows.items()
    ]

    @api.on("GET", f"{base}/files/(.+)")
    def _read(_req: Req, name: str) -> Res:
        key = unquote(name)
        row = api.rows[key]
        text = base64.b64encode(row.data.encode()).decode()
        own = {"file_name": key.split("/")[-1], "file_path": key, "size": len(row.data), "encoding": "base64"}
        marks = {
            "last_commit_id": _commit(key, row),
            "blob_id": hexed(row.data, 40),
            "ref": "main",
            "content": text,
        }
        return Res(200, {**own, **marks}, {"X-Gitlab-Last-Commit-Id": marks["last_commit_id"]})

    @api.on("GET", f"{base}/commits")
    def _commits(_req: Req) -> Res:
        return Res(200, commits[::-1])

    @api.on("PUT", f"{base}/files/(.+)")
    def _write(req: Req, name: str) -> Res:
        key, sent = unquote(name), req.json
        wanted = sent.get("last_commit_id")
        if wanted is not None and wanted != _commit(key, api.rows[key]):
            return Res(
                400,
                {
                    "message": "You are attempting to update a file that has changed since you started editing it."
                },
            )
        row = api.keep(key, sent["content"], sent["author_name"])
        made = {
            "id": _commit(key, row),
            "title": sent["commit_message"],
            "author_name": row.by,
            "created_at": iso(row.at),
        }
        commits.append(made)
        return Res(200, {"file_path": key, "branch": sent["branch"]})

    return api


def zotero(items: Mapping[str, dict[str, Any]]) -> Api:
    """Imitate Zotero: one version for the whole library."""
    api = Api(dict(items), first=24020)
    state = {"version": 24024}

    def marks() -> dict[str, str]:
        return {"Last-Modified-Version": str(state["version"]), "Zotero-API-Version": "3"}

    def shown(key: str, row: Row) -> dict[str, Any]:
        return {"key": key, "version": row.rev, "data": {"key": key, "version": row.rev, **row.data}}

    @api.on("GET", "/groups/88021/items")
    def _list(req: Req) -> Res:
        since = req.fields.get("if-modified-since-version")
        if since is not None and int(since) >= state["version"]:
            return Res(304, b"", marks())
        after = int(req.query.get("since", "0"))
        return Res(200, [shown(key, row) for key, row in api.rows.items() if row.rev > after], marks())

    @api.on("GET", "/groups/88021/items/([A-Z0-9]+)")
    def _read(_req: Req, key: str) -> Res:
        return Res(
            200, shown(key, api.rows[key]), {**marks(), "Last-Modified-Version": str(api.rows[key].rev)}
        )

    @api.on("POST", "/groups/88021/items")
    def _write(req: Req) -> Res:
        wanted = req.fields.get("if-unmodified-since-version")
        if wanted is None:
            return Res(428, "If-Unmodified-Since-Version not provided", {"Content-Type": "text/plain"})
        if int(wanted) < state["version"]:
            said = f"Library has been modified since specified version (expected {wanted}, found {state['version']})"
            return Res(412, said, {"Content-Type": "text/plain", **marks()})
        state["version"] += 1
        for one in req.json:
            row = api.rows.get(one["key"])
            made = api.keep(
                one["key"], {**(row.data if row else {}), **{k: v for k, v in one.items() if k != "key"}}
            )
            made.rev = state["version"]
        done = {str(number): one["key"] for number, one in enumerate(req.json)}
        return Res(200, {"success": done, "unchanged": {}, "failed": {}}, marks())

    return api


def twilio_sync() -> Api:
    """Imitate the documents of Twilio Sync: a revision in hexadecimal as If-Match."""
    api = Api(
        {name: {"agents": 4, "open": True} for name in ("queue-east", "queue-west", "queue-night")},
        first=0x1A,
    )

    def shown(key: str, row: Row) -> dict[str, Any]:
        return {
            "sid": f"ET{hexed(key)}",
            "unique_name": key,
            "revision": f"{row.rev:x}",
            "data": row.data,
            "date_updated": iso(row.at, 0),
        }

    def fail(status: int, code: int, message: str) -> Res:
        link = f"https://www.twilio.com/docs/errors/{code}"
        return Res(status, {"code": code, "message": message, "more_info": link, "status": status})

    @api.on("GET", "/v1/Services/IS51/Documents/([a-z-]+)")
    def _read(_req: Req, key: str) -> Res:
        return Res(200, shown(key, api.rows[key]))

    @api.on("GET", "/v1/Services/IS51/Documents")
    def _list(_req: Req) -> Res:
        return Res(
            200, {"documents": [shown(key, row) for key, row in api.rows.items()], "meta": {"page": 0}}
        )

    @api.on("POST", "/v1/Services/IS51/Documents/([a-z-]+)")
    def _write(req: Req, key: str) -> Res:
        sent, row = req.fields.get("if-match"), api.rows[key]
        if sent is not None and not all(letter in "0123456789abcdef" for letter in sent):
            return fail(400, 54003, "Invalid If-Match header")
        if sent is not None and sent != f"{row.rev:x}":
            return fail(412, 54103, "The revision of the Document does not match the expected revision")
        return Res(200, shown(key, api.keep(key, req.json)))

    return api


def sap(orders: Mapping[str, dict[str, Any]]) -> Api:
    """Imitate the OData of S/4HANA: changes need If-Match with the tag of the entity."""
    api = Api(dict(orders))
    base = "/sap/opu/odata/sap/API_PURCHASEORDER_PROCESS_SRV/A_PurchaseOrder"

    def tag(row: Row) -> str:
        return f"W/\"'{iso(row.at, 0)[:-1].replace('-', '').replace(':', '').replace('T', '')}.{int(row.at * 1e7) % 10**7:07}'\""

    def shown(key: str, row: Row) -> dict[str, Any]:
        return {
            "d": {
                "__metadata": {"etag": tag(row), "type": "A_PurchaseOrderType"},
                "PurchaseOrder": key,
                **row.data,
            }
        }

    def fail(status: int, code: str, message: str) -> Res:
        return Res(status, {"error": {"code": code, "message": {"lang": "en", "value": message}}})

    @api.on("GET", base + r"\('([0-9]+)'\)")
    def _read(_req: Req, key: str) -> Res:
        return Res(200, shown(key, api.rows[key]), {"ETag": tag(api.rows[key]), "dataserviceversion": "2.0"})

    @api.on("GET", base)
    def _list(_req: Req) -> Res:
        return Res(200, {"d": {"results": [shown(key, row)["d"] for key, row in api.rows.items()]}})

    @api.on("PATCH", base + r"\('([0-9]+)'\)")
    def _write(req: Req, key: str) -> Res:
        if "x-csrf-token" not in req.fields:
            return Res(403, "CSRF token validation failed", {"x-csrf-token": "Required"})
        sent = req.fields.get("if-match")
        if sent is None:
            said = "Header field 'If-Match' is required for the data modification request"
            return fail(428, "SADL_ENTITY_RUNTIME/004", said)
        if sent not in {"*", tag(api.rows[key])}:
            return fail(412, "SADL_ENTITY_RUNTIME/012", "The entity tag does not match the current one")
        api.keep(key, {**api.rows[key].data, **req.json["d"]})
        return Res(204, b"", {"ETag": tag(api.rows[key])})

    return api


def commercetools(carts: Mapping[str, dict[str, Any]]) -> Api:
    """Imitate the carts of commercetools: version in the body, and a pause between the check and the write."""
    api = Api(dict(carts), first=5)

    def shown(key: str, row: Row) -> dict[str, Any]:
        return {"type": "Cart", "id": key, "version": row.rev, "lastModifiedAt": iso(row.at), **row.data}

    @api.on("GET", "/brewshop/carts/([0-9a-f-]+)")
    def _read(_req: Req, key: str) -> Res:
        return Res(200, shown(key, api.rows[key]))

    def update(req: Req) -> Res | None:
        if req.method != "POST" or not req.path.startswith("/brewshop/carts/"):
            return None
        key, sent = req.path.rsplit("/", 1)[1], req.json
        row = api.rows[key]
        if sent["version"] != row.rev:
            said = f"Object {key} has a different version than expected. Expected: {sent['version']} - Actual: {row.rev}."
            error = {"code": "ConcurrentModification", "message": said, "currentVersion": row.rev}
            return Res(409, {"statusCode": 409, "message": said, "errors": [error]})
        added = [{"sku": action["sku"], "quantity": action["quantity"]} for action in sent["actions"]]
        time.sleep(api.gap)
        made = api.keep(key, {**row.data, "lineItems": [*row.data["lineItems"], *added]})
        made.rev = row.rev + 1
        return Res(200, shown(key, made))

    api.before.append(update)
    return api


def salesforce(accounts: Mapping[str, dict[str, Any]]) -> Api:
    """Imitate the sObject rows of Salesforce with their dates and tags."""
    api = Api(dict(accounts), age=500000)
    base = "/services/data/v60.0/sobjects/Account"

    def marks(key: str, row: Row) -> dict[str, str]:
        return {
            "ETag": f'"{opaque(f"{key}{row.rev}", 43)}=--gzip"',
            "Last-Modified": formatdate(row.at, usegmt=True),
        }

    @api.on("GET", f"{base}/([0-9A-Za-z]+)")
    def _read(req: Req, key: str) -> Res:
        row = api.rows[key]
        if req.fields.get("if-none-match") == marks(key, row)["ETag"]:
            return Res(304, b"", marks(key, row))
        kind = {"type": "Account", "url": f"{base}/{key}"}
        return Res(
            200, {"attributes": kind, "Id": key, "LastModifiedDate": iso(row.at), **row.data}, marks(key, row)
        )

    @api.on("PATCH", f"{base}/([0-9A-Za-z]+)")
    def _write(req: Req, key: str) -> Res:
        since, row = req.fields.get("if-unmodified-since"), api.rows[key]
        if since is not None:
            try:
                moment = parsedate_to_datetime(since).timestamp()
            except ValueError:
                said = f"The value for header If-Unmodified-Since is invalid: {since}"
                return Res(400, [{"message": said, "errorCode": "INVALID_HEADER_VALUE"}])
            if int(row.at) > moment:
                said = "The requested resource has been modified since the given date"
                return Res(412, [{"message": said, "errorCode": "PRECONDITION_FAILED"}])
        api.keep(key, {**row.data, **req.json})
        return Res(204)

    return api
