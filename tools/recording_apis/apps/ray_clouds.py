# mypy: ignore-errors
# ruff: noqa: ARG001, E501, RUF001 - handlers share a shape; long words are those of the products
"""Imitations of Oracle's database service, Consul's key store, BigQuery's metadata and the firewall of Amazon."""

from __future__ import annotations

import base64
import copy
import time
from functools import partial
from typing import Any

from tools.recording_apis.apps.ray_core import Api, Req, Res, Row, guid, iso


def ocid(kind: str, name: str) -> str:
    """Return an Oracle identifier."""
    letters = base64.b32encode(guid(name).encode()).decode().lower().strip("=")
    return f"ocid1.{kind}.oc1.eu-frankfurt-1.antheljt{letters[:48]}"


def _oracle_show(api: Api, row: Row) -> Res:
    return Res(200, row.data, {"etag": row.digest("oci")[:8], "Content-Type": "application/json"})


def _oracle_read(api: Api, _req: Req, key: str) -> Res | None:
    return _oracle_show(api, api.rows[key]) if key in api.rows else None


def _oracle_write(api: Api, req: Req, key: str) -> Res | None:
    if key not in api.rows:
        return None
    row, sent = api.rows[key], req.fields.get("if-match")
    if sent not in (None, "*", row.digest("oci")[:8]):
        return Res(
            412,
            {
                "code": "NoEtagMatch",
                "message": f"The provided etag {sent} does not match the current etag of resource {key[:32]}...",
            },
        )
    with api.lock:
        state = {"lifecycleState": "UPDATING"} if "cpuCoreCount" in req.json else {}
        return _oracle_show(
            api, api.keep(key, {**row.data, **req.json, **state}, req.fields.get("user-agent", ""))
        )


def _oracle_listing(api: Api, _req: Req) -> Res:
    kept = ("id", "displayName", "lifecycleState", "shape")
    return Res(200, [{name: one.data[name] for name in kept} for one in api.rows.values()])


def oracle(names: tuple[str, ...]) -> Api:
    """Return database systems of Oracle's cloud; If-Match is looked at where it is sent."""

    def fields(req: Req) -> dict[str, str]:
        own = req.fields.get("opc-request-id") or guid(f"{time.time()}").replace("-", "").upper()
        return {"opc-request-id": f"{own}/{guid(own)[:8].upper()}", "X-Content-Type-Options": "nosniff"}

    def missing(req: Req) -> Res:
        return Res(
            404,
            {
                "code": "NotAuthorizedOrNotFound",
                "message": "resource does not exist or you are not authorized to access it.",
            },
        )

    api = Api(fields, missing, 3)
    for name in names:
        api.keep(
            ocid("dbsystem", name),
            {
                "id": ocid("dbsystem", name),
                "displayName": name,
                "shape": "VM.Standard2.2",
                "cpuCoreCount": 2,
                "lifecycleState": "AVAILABLE",
                "freeformTags": {"costcenter": "4711"},
                "nsgIds": [],
                "timeCreated": "2025-02-11T08:14:20.117Z",
            },
            age=90000,
        )

    api.on("GET", "/20160918/dbSystems", partial(_oracle_listing, api))
    api.on("GET", "/20160918/dbSystems/([^/]+)", partial(_oracle_read, api))
    api.on("PUT", "/20160918/dbSystems/([^/]+)", partial(_oracle_write, api))
    api.on("GET", "/20160918/dbNodes", lambda _req: Res(200, []))
    return api


def _consul_put(api: Api, key: str, value: bytes, by: str = "") -> None:
    api.index[0] += 3
    row = api.keep(key, value, by)
    row.rev = api.index[0]
    api.created.setdefault(key, api.index[0])


def _consul_entry(api: Api, key: str) -> dict[str, Any]:
    row = api.rows[key]
    value = base64.b64encode(row.data).decode()
    return {
        "LockIndex": 0,
        "Key": key,
        "Flags": 0,
        "Value": value,
        "CreateIndex": api.created[key],
        "ModifyIndex": row.rev,
    }


def _consul_read(api: Api, req: Req, key: str) -> Res | None:
    found = [
        one for one in sorted(api.rows) if one == key or ("recurse" in req.query and one.startswith(key))
    ]
    if "index" in req.query:
        until = time.time() + 0.4
        while api.index[0] <= int(req.query["index"]) and time.time() < until:
            time.sleep(0.03)
    return (
        Res(200, [_consul_entry(api, one) for one in found], {"Content-Type": "application/json"})
        if found
        else None
    )


def _consul_write(api: Api, req: Req, key: str) -> Res:
    with api.lock:
        own = api.rows[key].rev if key in api.rows else 0
        if "cas" in req.query and int(req.query["cas"]) != own:
            return Res(200, b"false\n", {"Content-Type": "application/json"})
        _consul_put(api, key, req.body, req.fields.get("x-consul-token", ""))
    return Res(200, b"true\n", {"Content-Type": "application/json"})


def consul(keys: dict[str, str], first: int = 1200) -> Api:
    """Return a key store with check-and-set as Consul has it."""
    index = [first]

    def fields(_req: Req) -> dict[str, str]:
        return {
            "X-Consul-Index": str(index[0]),
            "X-Consul-Knownleader": "true",
            "X-Consul-Lastcontact": "0",
            "X-Consul-Default-Acl-Policy": "deny",
            "Vary": "Accept-Encoding",
        }

    api = Api(fields, lambda _req: Res(404, b""))
    api.created, api.index = {}, index

    for key, value in keys.items():
        _consul_put(api, key, value.encode())
    api.put = partial(_consul_put, api)

    api.on("GET", "/v1/kv/(.*)", partial(_consul_read, api))
    api.on("PUT", "/v1/kv/(.*)", partial(_consul_write, api))
    api.on(
        "GET",
        "/v1/status/leader",
        lambda _req: Res(200, b'"10.4.0.11:8300"', {"Content-Type": "application/json"}),
    )
    api.on(
        "GET",
        "/v1/health/service/(.*)",
        lambda _req, name: Res(
            200, [{"Service": {"Service": name, "Port": 8443}, "Checks": [{"Status": "passing"}]}]
        ),
    )
    api.on("PUT", "/v1/agent/check/(.*)", lambda _req, _name: Res(200, b""))
    return api


def _bigquery_tag(api: Api, key: str) -> str:
    return base64.b64encode(bytes.fromhex(api.rows[key].digest(key))).decode()


def _bigquery_show(api: Api, key: str) -> Res:
    row, (name, _, table) = api.rows[key], key.partition("/")
    place = {"projectId": api.project, "datasetId": name, **({"tableId": table} if table else {})}
    kind = "table" if table else "dataset"
    body = {
        "kind": f"bigquery#{kind}",
        "etag": _bigquery_tag(api, key),
        "id": f"{api.project}:{name}{'.' + table if table else ''}",
        f"{kind}Reference": place,
        "lastModifiedTime": str(int(row.at * 1000)),
        **row.data,
    }
    return Res(200, body, {"ETag": _bigquery_tag(api, key)})


def _bigquery_read(api: Api, req: Req, key: str) -> Res | None:
    key = key.replace("/tables", "")
    if key not in api.rows:
        return None
    shown = _bigquery_show(api, key)
    return (
        Res(304, b"", shown.fields) if req.fields.get("if-none-match") == _bigquery_tag(api, key) else shown
    )


def _bigquery_write(api: Api, req: Req, key: str) -> Res | None:
    key = key.replace("/tables", "")
    if key not in api.rows:
        return None
    with api.lock:
        if req.fields.get("if-match", _bigquery_tag(api, key)) not in ("*", _bigquery_tag(api, key)):
            return api.error(
                412,
                "conditionNotMet",
                "Precondition check failed.",
                {"locationType": "header", "location": "If-Match"},
            )
        told = {k: v for k, v in req.json.items() if k not in ("etag", "kind", "id")}
        api.keep(key, {**api.rows[key].data, **told}, req.fields.get("authorization", ""))
        return _bigquery_show(api, key)


def _bigquery_routes(api: Api, project: str) -> None:
    top = f"/bigquery/v2/projects/{project}"
    api.on(
        "GET",
        f"{top}/datasets",
        lambda _req: Res(
            200,
            {
                "kind": "bigquery#datasetList",
                "datasets": [{"id": f"{project}:{k}"} for k in api.rows if "/" not in k],
            },
        ),
    )
    api.on("GET", f"{top}/datasets/([^/]+(?:/tables/[^/]+)?)", partial(_bigquery_read, api))
    api.on("PATCH PUT", f"{top}/datasets/([^/]+(?:/tables/[^/]+)?)", partial(_bigquery_write, api))
    api.on(
        "GET",
        f"{top}/datasets/([^/]+)/tables",
        lambda _req, ds: Res(
            200,
            {"kind": "bigquery#tableList", "tables": [{"id": k} for k in api.rows if k.startswith(ds + "/")]},
        ),
    )
    api.on(
        "POST",
        f"{top}/queries",
        lambda _req: Res(
            200,
            {
                "kind": "bigquery#queryResponse",
                "jobComplete": True,
                "totalRows": "1",
                "rows": [{"f": [{"v": "1"}]}],
            },
        ),
    )


def bigquery(project: str, things: dict[str, dict[str, Any]]) -> Api:
    """Return datasets and tables of BigQuery; a key is ``dataset`` or ``dataset/table``."""

    def fields(_req: Req) -> dict[str, str]:
        return {
            "Vary": "Origin",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "SAMEORIGIN",
            "Cache-Control": "private",
        }

    def error(status: int, reason: str, said: str, more: dict[str, Any] | None = None) -> Res:
        entry = {"message": said, "domain": "global", "reason": reason, **(more or {})}
        kinds = {412: "FAILED_PRECONDITION", 404: "NOT_FOUND"}
        return Res(
            status, {"error": {"code": status, "message": said, "errors": [entry], "status": kinds[status]}}
        )

    api = Api(
        fields,
        lambda req: error(
            404,
            "notFound",
            f"Not found: {req.path.split('/')[-2].title()} {project}:{req.path.split('/')[-1]}",
        ),
    )
    api.error, api.project = error, project
    for key, data in things.items():
        api.keep(key, copy.deepcopy(data), age=80000)

    _bigquery_routes(api, project)
    return api


def firewall(things: dict[str, dict[str, Any]]) -> Api:
    """Return web ACLs, rule groups and IP sets with lock tokens; a key is ``WebACL/name``."""
    api = Api(lambda _req: {"x-amzn-RequestId": guid(str(time.time_ns()))})
    for key, data in things.items():
        api.keep(key, {"Name": key.split("/")[1], "Id": guid(key), **data}, age=70000)
    api.token = lambda key: guid(f"{key}{api.rows[key].rev}")
    media = {"Content-Type": "application/x-amz-json-1.1"}

    def refuse(kind: str, said: str) -> Res:
        return Res(400, {"__type": kind, "message": said, "Message": said}, media)

    def call(req: Req) -> Res:
        target, asked = req.fields.get("x-amz-target", "").split(".")[-1], req.json
        for kind in ("WebACL", "RuleGroup", "IPSet"):
            key = f"{kind}/{asked.get('Name', '')}"
            if target == f"List{kind}s":
                rows = [
                    {"Name": r.data["Name"], "Id": r.data["Id"], "LockToken": api.token(k)}
                    for k, r in api.rows.items()
                    if k.startswith(kind + "/")
                ]
                return Res(200, {"NextMarker": "", f"{kind}s": rows}, media)
            if target not in (f"Get{kind}", f"Update{kind}"):
                continue
            if key not in api.rows:
                return refuse(
                    "WAFNonexistentItemException",
                    "AWS WAF couldn’t perform the operation because your resource doesn’t exist.",
                )
            if target == f"Get{kind}":
                return Res(200, {kind: api.rows[key].data, "LockToken": api.token(key)}, media)
            if asked["LockToken"] != api.token(key):
                return refuse(
                    "WAFOptimisticLockException",
                    "AWS WAF couldn’t save your changes because someone changed the resource after you started to edit it. Reapply your changes.",
                )
            told = {k: v for k, v in asked.items() if k not in ("LockToken", "Scope", "Id")}
            api.keep(key, {**api.rows[key].data, **told})
            return Res(200, {"NextLockToken": api.token(key)}, media)
        return refuse("WAFInvalidOperationException", "The operation isn't valid.")

    api.on("POST", "/", call)
    return api


def when(row: Row) -> str:
    """Return when a row was stored."""
    return iso(row.at)
