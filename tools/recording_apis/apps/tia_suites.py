# mypy: ignore-errors
# ruff: noqa: ARG001, ARG005, E501, S324 - handlers share a shape; long words are those of the products
"""Imitations of suites in use: sales, ERP, files, firewalls, distributions, libraries of references, edge stores."""

from __future__ import annotations

import base64
import hashlib
import time

from tools.recording_apis.apps.tia_core import Api, Kind, Req, Res, Row, guid, httpdate, iso


def _account_tag(row: Row) -> str:
    return f'"{base64.b64encode(hashlib.sha256(row.octets + bytes([row.rev])).digest()).decode()[:43]}-gzip"'


def salesforce(accounts: dict[str, dict], *, retired: str = "") -> Api:
    """Return accounts with tags; calls of the ``retired`` version are sent on to the present one."""
    api = Api(
        lambda _req: {
            "Sforce-Limit-Info": "api-usage=4182/100000",
            "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
        },
        lambda _req: Res(
            404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
        ),
    )

    def show(req: Req, row: Row) -> Res:
        return Res(
            200,
            {"attributes": {"type": "Account", "url": req.path}, **row.data, "LastModifiedDate": iso(row.at)},
            {"ETag": _account_tag(row), "Last-Modified": httpdate(row.at)},
        )

    if retired:
        api.on(
            "GET PATCH",
            rf"/services/data/{retired}/(.+)",
            lambda _req, rest: Res(302, b"", {"Location": f"/services/data/v62.0/{rest}"}),
        )
    Kind(
        api,
        r"/services/data/v62.0/sobjects/Account/(001\w+)",
        tag=_account_tag,
        show=show,
        wrote=lambda *_: Res(204),
        stale=lambda *_: Res(
            412, [{"errorCode": "PRECONDITION_FAILED", "message": "entity has been modified"}]
        ),
    )
    api.on(
        "GET",
        "/services/data/v62.0/query",
        lambda _req: Res(
            200,
            {
                "totalSize": len(api.rows),
                "done": True,
                "records": [{"Id": key, "Name": row.data["Name"]} for key, row in api.rows.items()],
            },
        ),
    )
    for number, (key, data) in enumerate(accounts.items()):
        api.keep(key, {"Id": key, **data}, "", 90000 + 411 * number)
    return api


def sap(orders: dict[str, dict]) -> Api:
    """Return purchase orders whose weak tags are wanted in If-Match."""

    def error(status: int, code: str, text: str) -> Res:
        return Res(
            status,
            {
                "error": {
                    "code": code,
                    "message": text,
                    "target": "",
                    "@SAP__common.ExceptionCategory": "Client_Error",
                }
            },
        )

    api = Api(
        lambda _req: {
            "sap-server": "true",
            "OData-Version": "4.0",
            "sap-processing-info": "ODataBEP=,crp=,RAL=,st=,MedCacheHub=SHM,codeployed=X,softstate=",
        },
        lambda _req: error(404, "/IWBEP/CM_V4_RUNTIME/021", "Resource not found"),
    )

    def tag(row: Row) -> str:
        moment = time.strftime("%Y%m%d%H%M%S", time.gmtime(row.at))
        return f'W/"SADL-{moment}{int(row.at % 1 * 1000):03d}0000C~{moment}.{int(row.at % 1 * 1e7):07d}"'

    def show(req: Req, row: Row) -> Res:
        token = {"x-csrf-token": "k3J***=="} if req.fields.get("x-csrf-token", "").lower() == "fetch" else {}
        return Res(200, {"@odata.etag": tag(row), **row.data}, {"ETag": tag(row), **token})

    base = "/sap/opu/odata4/sap/api_purchaseorder_2/srvd_a2x/sap/purchaseorder/0001/PurchaseOrder"
    Kind(
        api,
        rf"{base}\('(\d+)'\)",
        tag=tag,
        show=show,
        stale=lambda *_: error(412, "/IWBEP/CM_V4_APPS/018", "Precondition failed: entity was changed"),
        need=lambda *_: error(428, "/IWBEP/CM_V4_APPS/017", "Precondition required"),
    )
    api.on("GET", base, lambda req: Res(200, {"value": [show(req, row).body for row in api.rows.values()]}))
    for key, data in orders.items():
        api.keep(key, {"PurchaseOrder": key, "Supplier": "10300006", **data}, "", 60000.217)
    return api


def _box_error(status: int, code: str, text: str) -> Res:
    return Res(
        status,
        {
            "type": "error",
            "status": status,
            "code": code,
            "help_url": "http://developers.box.com/docs/#errors",
            "message": text,
            "request_id": guid(f"{time.time_ns()}")[:17].replace("-", ""),
        },
    )


def _box_show(req: Req, row: Row) -> Res:
    etag = str(row.rev)
    body = {
        "type": "file",
        "etag": etag,
        "sequence_id": etag,
        "modified_at": iso(row.at, 0),
        **row.data,
        "modified_by": {"type": "user", "login": row.by or "system@reederei.example"},
    }
    return Res(200, body, {"ETag": etag})


def box(files: dict[str, dict]) -> Api:
    """Return files with bare integers as tags."""
    api = Api(
        lambda _req: {
            "box-request-id": guid(f"{time.time_ns()}")[:18].replace("-", ""),
            "Cache-Control": "no-cache, no-store",
        },
        lambda _req: _box_error(404, "not_found", "Not Found"),
    )
    stale = "The resource has been modified. Please retrieve the resource again and retry"

    def gone(req: Req) -> Res:
        return (
            _box_error(412, "precondition_failed", stale)
            if "if-match" in req.fields
            else _box_error(404, "not_found", "Not Found")
        )

    Kind(
        api,
        r"/2\.0/files/(\d+)",
        tag=lambda row: str(row.rev),
        show=_box_show,
        stale=lambda *_: _box_error(412, "precondition_failed", stale),
        gone=gone,
    )
    api.on(
        "GET",
        r"/2\.0/folders/\d+/items",
        lambda req: Res(
            200,
            {
                "total_count": len(api.rows),
                "entries": [
                    {"type": "file", "id": key, "etag": str(row.rev), "name": row.data["name"]}
                    for key, row in api.rows.items()
                ],
                "offset": 0,
                "limit": 100,
            },
        ),
    )
    for number, (key, data) in enumerate(files.items()):
        api.keep(key, {"id": key, "description": "", "tags": [], **data}, "", 70000 + 99 * number)
        api.rows[key].rev = number % 3 + 1
    return api


def _ip_set(name: str, addresses: list[str]) -> dict:
    return {"Name": name, "Id": guid(name), "IPAddressVersion": "IPV4", "Addresses": addresses}


def firewall(sets: dict[str, list[str]]) -> Api:
    """Return address sets under lock tokens."""
    api = Api(
        lambda _req: {
            "x-amzn-RequestId": guid(f"{time.time_ns()}"),
            "Content-Type": "application/x-amz-json-1.1",
        }
    )

    def token(name: str) -> str:
        return guid(f"{name}{api.rows[name].rev}lock")

    def call(req: Req) -> Res:
        action, body = req.fields["x-amz-target"].rpartition(".")[2], req.json
        with api.lock:
            if action == "ListIPSets":
                return Res(
                    200,
                    {
                        "NextMarker": "",
                        "IPSets": [
                            {"Name": name, "Id": guid(name), "LockToken": token(name)} for name in api.rows
                        ],
                    },
                )
            name = body["Name"]
            if action == "GetIPSet":
                return Res(200, {"IPSet": _ip_set(name, api.rows[name].data), "LockToken": token(name)})
            if body.get("LockToken") != token(name):
                said = "AWS WAF couldn\u2019t save your changes because someone changed the resource after you started to edit it. Reapply your changes."
                return Res(
                    400,
                    {"__type": "WAFOptimisticLockException", "Message": said},
                    {"x-amzn-ErrorType": "WAFOptimisticLockException"},
                )
            api.keep(name, body["Addresses"])
            return Res(200, {"NextLockToken": token(name)})

    api.on("POST", "/", call)
    for name, addresses in sets.items():
        api.keep(name, addresses, "", 80000)
    return api


def distributions(names: tuple[str, ...]) -> Api:
    """Return distributions' configurations, tags of letters and digits."""
    api = Api(lambda _req: {"x-amzn-RequestId": guid(f"{time.time_ns()}")})

    def tag(row: Row) -> str:
        return "E" + hashlib.sha1(row.octets + bytes([row.rev])).hexdigest()[:12].upper()

    def error(status: int, code: str, text: str) -> Res:
        return Res(
            status,
            f'<?xml version="1.0"?>\n<ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error><RequestId>{guid(text + str(time.time()))}</RequestId></ErrorResponse>',
            {"Content-Type": "text/xml"},
        )

    def show(req: Req, row: Row) -> Res:
        return Res(200, row.data, {"ETag": tag(row), "Content-Type": "text/xml"})

    Kind(
        api,
        r"/2020-05-31/distribution/(E\w+)/config",
        tag=tag,
        show=show,
        change=lambda req, row: req.body.decode(),
        stale=lambda *_: error(
            412,
            "PreconditionFailed",
            "The request failed because it didn't meet the preconditions in one or more request-header fields.",
        ),
        need=lambda *_: error(
            400, "InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource."
        ),
    )
    api.on(
        "GET",
        "/2020-05-31/distribution",
        lambda _req: Res(
            200,
            "<DistributionList>" + "".join(f"<Id>{name}</Id>" for name in api.rows) + "</DistributionList>",
            {"Content-Type": "text/xml"},
        ),
    )
    for name in names:
        api.keep(
            name,
            f"<DistributionConfig><CallerReference>{name}</CallerReference><Comment>prod</Comment><HttpVersion>http2</HttpVersion><PriceClass>PriceClass_All</PriceClass></DistributionConfig>",
            "",
            90000,
        )
    return api


def _changes(one: dict) -> dict:
    return {name: value for name, value in one.items() if name not in ("key", "version")}


def _newer(sent: str, found: int) -> Res:
    return Res(
        412,
        f"Library has been modified since specified version (expected {sent}, found {found})",
        {"Content-Type": "text/plain"},
    )


def zotero(group: str, items: dict[str, dict], first: int) -> Api:
    """Return a group's library: a version of the whole, and one of each item."""
    api = Api()
    state = {"library": first}
    versions = dict.fromkeys(items, first)
    api.missing = lambda _req: Res(404, "Not found")
    api.after.append(lambda _req, res: res.fields.setdefault("Last-Modified-Version", str(state["library"])))

    def shown(key: str) -> dict:
        return {
            "key": key,
            "version": versions[key],
            "library": {"type": "group", "id": int(group)},
            "data": {"key": key, "version": versions[key], **api.rows[key].data},
        }

    def listing(req: Req) -> Res:
        since = int(req.query.get("since", "0"))
        if req.fields.get("if-modified-since-version") == str(state["library"]):
            return Res(304)
        return Res(
            200,
            [shown(key) for key in api.rows if versions[key] > since],
            {"Total-Results": str(len(api.rows))},
        )

    def store(req: Req) -> Res:
        with api.lock:
            sent = req.fields.get("if-unmodified-since-version")
            if sent is not None and int(sent) < state["library"]:
                return _newer(sent, state["library"])
            state["library"] += 1
            for one in req.json:
                api.keep(one["key"], {**api.rows[one["key"]].data, **_changes(one)})
                versions[one["key"]] = state["library"]
            success = {str(n): one["key"] for n, one in enumerate(req.json)}
            stored = {n: shown(key) for n, key in success.items()}
            return Res(200, {"successful": stored, "success": success, "unchanged": {}, "failed": {}})

    def one(req: Req, key: str) -> Res | None:
        return (
            Res(200, shown(key), {"Last-Modified-Version": str(versions[key])}) if key in api.rows else None
        )

    api.on("GET", f"/groups/{group}/items", listing)
    api.on("POST", f"/groups/{group}/items", store)
    api.on("GET", f"/groups/{group}/items/([A-Z0-9]+)", one)
    for key, data in items.items():
        api.keep(key, data, "", 300000)
    return api


def edge_store(store: str) -> Api:
    """Return keys with generations at an edge."""
    api = Api(
        lambda _req: {"X-Served-By": "cache-fra-etou8220", "Vary": "Accept-Encoding"},
        lambda _req: Res(404, {"title": "Not Found", "status": 404}),
    )

    def generation(row: Row) -> str:
        return str(int(row.at * 1e6))

    def put(req: Req, key: str) -> Res:
        with api.lock:
            row, wanted = api.rows.get(key), req.fields.get("if-generation-match")
            if req.query.get("add") == "true" and row:
                return Res(412, {"title": "Precondition failed", "status": 412})
            if wanted is not None and (row is None or wanted != generation(row)):
                return Res(412, {"title": "Precondition failed", "status": 412})
            api.keep(key, req.body)
            return Res(200)

    base = f"/resources/stores/kv/{store}/keys"
    api.on(
        "GET",
        f"{base}/(.+)",
        lambda _req, key: (
            Res(
                200,
                api.rows[key].data,
                {"Generation": generation(api.rows[key]), "Content-Type": "application/octet-stream"},
            )
            if key in api.rows
            else None
        ),
    )
    api.on("PUT", f"{base}/(.+)", put)
    api.on("GET", base, lambda _req: Res(200, {"data": sorted(api.rows), "meta": {"limit": 100}}))
    return api
