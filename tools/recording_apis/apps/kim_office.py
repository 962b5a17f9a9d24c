"""Imitations of office and business products, after their documentation, on Bottle; ``kim_store`` below them.

Environment, besides that of ``kim_store``: ``DIALECT`` graph, sharepoint, dynamics, sap, cosmos or appconfig;
``BATCHIGNORES=1`` does not read the conditions inside a batch; ``LISTMARK=1`` gives lists tags of another
form; ``OLDEST`` first delta token that is still known; ``DISABLED=1`` knows no optimistic concurrency.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import time
import uuid
from typing import Any

import bottle
import waitress

from tools.recording_apis.apps.kim_store import STORE, Asked, State, Told, holds, setting, unchanged

_NODE = {"value": ""}


def _guid(text: str) -> str:
    return str(uuid.UUID(hashlib.md5(text.encode()).hexdigest()))  # noqa: S324 - names a thing


def _graph_error(status: int, code: str, message: str) -> Told:
    inner = {"date": time.strftime("%Y-%m-%dT%H:%M:%S"), "request-id": str(uuid.uuid4())}
    return status, {"error": {"code": code, "message": message, "innerError": inner}}, {}


def _graph_tag(state: State) -> str:
    if state.key.startswith("planner/"):
        made = f"1-{state.key.split('/')[1][:4]}{state.serial}-{state.mark(length=6)}"
        return f'W/"{base64.b64encode(made.encode()).decode()}"'
    return f'"{{{_guid(state.key).upper()}}},{state.number}"'


def _graph_item(state: State) -> dict[str, Any]:
    made = {"@odata.etag": _graph_tag(state), "id": state.key.split("/")[-1], **(state.body or {})}
    if state.key.startswith("items/"):
        made |= {"eTag": _graph_tag(state), "lastModifiedBy": {"user": {"displayName": state.by}}}
        made |= {
            "cTag": f'"c:{{{_guid(state.key).upper()}}},{state.number}"',
            "lastModifiedDateTime": state.stamp,
        }
    return made


def _graph_write(asked: Asked, key: str, match: str | None) -> Told:
    plan = key.startswith("planner/")

    def check(now: State | None) -> Told | None:
        if now is None:
            return _graph_error(404, "itemNotFound" if not plan else "", "The resource could not be found.")
        holder = (now.body or {}).get("checkedOutBy")
        if holder and holder != asked.by:
            return _graph_error(423, "resourceLocked", f"The file is checked out for editing by {holder}.")
        if match is None:
            text = "The If-Match header must be specified for this kind of request."
            return _graph_error(400, "", text) if plan else None
        if plan and not re.fullmatch(r'(W/)?"[\w=+/]+"', match):
            return _graph_error(400, "", "The If-Match header contains an invalid value.")
        if match in {"*", _graph_tag(now)}:
            return None
        if plan:
            return _graph_error(412, "", "The specified ETag does not match the item's current version.")
        return _graph_error(412, "resourceModified", "ETag does not match current item's value")

    refused, made, _ = STORE.write(
        key, check, lambda now: None if asked.method == "DELETE" else {**now.body, **asked.json}, asked.by
    )
    if refused or made is None:
        return refused or (204, "", {})
    if plan and asked.fields.get("prefer") != "return=representation":
        return 204, "", {"ETag": _graph_tag(made)}
    return 200, _graph_item(made), {"ETag": _graph_tag(made)}


def _graph_batch(asked: Asked) -> Told:
    told = []
    for one in asked.json["requests"]:
        inner = {name.lower(): value for name, value in one.get("headers", {}).items()}
        if setting("BATCHIGNORES"):
            inner.pop("if-match", None)
        text = json.dumps(one["body"]) if "body" in one else ""
        path = "/v1.0" + one["url"].split("?")[0]
        part = Asked(one["method"], path, {}, {**asked.fields, **inner}, text, asked.node)
        if "if-match" not in inner:
            part = Asked(
                part.method, path, {}, {k: v for k, v in part.fields.items() if k != "if-match"}, text, ""
            )
        status, body, fields = graph(part)
        told.append({"id": one["id"], "status": status, "headers": fields, "body": body or None})
    return 200, {"responses": told}, {}


def graph(asked: Asked) -> Told:
    """Answer as Microsoft Graph: drive items, planner tasks and their details, delta, batch."""
    path = asked.path.removeprefix("/v1.0")
    if path == "/$batch":
        return _graph_batch(asked)
    if path == "/me":
        return 200, {"displayName": asked.by, "id": _guid(asked.by)}, {}
    if path.startswith("/me/drive/root:/Docs:/delta"):
        token = asked.query.get("token", "")
        if token and int(token) < int(setting("OLDEST") or 0):
            return _graph_error(
                410, "resyncRequired", "Resync required. Replace any local items with the server's."
            )
        value = [_graph_item(one) for one in STORE.below("items/")]
        link = f"https://graph.example/v1.0/me/drive/root:/Docs:/delta?token={STORE.serial}"
        return 200, {"value": value if not token else value[-1:], "@odata.deltaLink": link}, {}
    found = re.fullmatch(
        r"/(?:me/drive/(items)|(planner)/tasks)/([^/]+)(?:/(details|checkout|checkin))?", path
    )
    if not found:
        return (
            200,
            {"value": [_graph_item(one) for one in STORE.below("") if one.body and len(one.key) < 30]},
            {},
        )
    key = f"{found[1] or found[2]}/{found[3]}" + ("/details" if found[4] == "details" else "")
    now = STORE.shown(key)
    if found[4] in {"checkout", "checkin"}:
        holder = asked.by if found[4] == "checkout" else ""
        STORE.commit(key, {**now.body, "checkedOutBy": holder}, asked.by)
        return 204, "", {}
    if asked.method != "GET":
        return _graph_write(asked, key, asked.fields.get("if-match"))
    if now is None:
        return _graph_error(404, "itemNotFound", "The resource could not be found.")
    tag = _graph_tag(now)
    return (304, "", {"ETag": tag}) if unchanged(asked, tag) else (200, _graph_item(now), {"ETag": tag})


def sharepoint(asked: Asked) -> Told:
    """Answer as SharePoint's lists: MERGE through POST, tags that count."""
    if asked.path.endswith("/contextinfo"):
        return (
            200,
            {"FormDigestTimeoutSeconds": 1800, "FormDigestValue": f"0x{STORE.serial:08X},26 Nov 2026"},
            {},
        )
    found = re.search(r"getbytitle\('(\w+)'\)(/items)?(?:\((\d+)\))?", asked.path)
    if not found or not found[2]:
        return 200, {"Title": "Operations", "Id": _guid("ops"), "ItemCount": len(STORE.below(""))}, {}

    def shown(one: State, *, listed: bool = False) -> dict[str, Any]:
        number = one.key.split("/")[1]
        tag = f'"{_guid(one.key)},{one.number}"' if listed and setting("LISTMARK") else f'"{one.number}"'
        about = {"odata.etag": tag, "Id": int(number), "Modified": one.stamp, "EditorId": one.by}
        return {**about, **(one.body or {})}

    if not found[3]:
        return 200, {"value": [shown(one, listed=True) for one in STORE.below(f"{found[1]}/")]}, {}
    key = f"{found[1]}/{found[3]}"
    if asked.method == "GET":
        now = STORE.shown(key)
        if now is None:
            text = "Item does not exist. It may have been deleted by another user."
            return (
                404,
                {"odata.error": {"code": "-2130575338", "message": {"lang": "en-US", "value": text}}},
                {},
            )
        return 200, shown(now), {"ETag": f'"{now.number}"'}
    if "x-requestdigest" not in asked.fields:
        text = "The security validation for this page is invalid."
        return 403, {"odata.error": {"code": "-2130575251", "message": {"lang": "en-US", "value": text}}}, {}

    def check(now: State | None) -> Told | None:
        sent = asked.fields.get("if-match")
        tag = f'"{now.number}"' if now else ""
        if sent is None or sent.strip() in {"*", tag}:
            return None
        text = f"The request ETag value '{sent}' does not match the object's ETag value '{tag}'."
        return 412, {"odata.error": {"code": "-1", "message": {"lang": "en-US", "value": text}}}, {}

    refused, made, _ = STORE.write(key, check, lambda now: {**now.body, **asked.json}, asked.by)
    return refused or (204, "", {"ETag": f'"{made.number}"'})


def dynamics(asked: Asked) -> Told:
    """Answer as Dataverse: weak tags of row versions, upsert."""
    found = re.search(r"/api/data/v9\.2/(\w+)(?:\(([\w-]+)\))?", asked.path)
    if not found or found[1] == "WhoAmI":
        return 200, {"UserId": _guid(asked.by), "OrganizationId": _guid("org")}, {}

    def tag(one: State) -> str:
        return f'W/"{one.serial}{one.number:02d}"'

    def shown(one: State) -> dict[str, Any]:
        return {
            "@odata.etag": tag(one),
            "accountid": one.key.split("/")[1],
            "_modifiedby_value": one.by,
            **one.body,
        }

    if not found[2]:
        return 200, {"value": [shown(one) for one in STORE.below(f"{found[1]}/")]}, {}
    key = f"{found[1]}/{found[2]}"
    if asked.method == "GET":
        now = STORE.shown(key)
        if now is None:
            return (
                404,
                {
                    "error": {
                        "code": "0x80040217",
                        "message": f"{found[1]} With Id = {found[2]} Does Not Exist",
                    }
                },
                {},
            )
        return (
            (304, "", {"ETag": tag(now)})
            if unchanged(asked, tag(now))
            else (200, shown(now), {"ETag": tag(now)})
        )

    def check(now: State | None) -> Told | None:
        if setting("DISABLED") and "if-match" in asked.fields:
            text = f"Optimistic concurrency isn't enabled for entity type {found[1]}."
            return 400, {"error": {"code": "0x80060893", "message": text}}, {}
        broken = holds(asked.fields, now, tag(now) if now else "", weakly=True)
        if not broken:
            return None
        if broken == "If-None-Match":
            return (
                412,
                {
                    "error": {
                        "code": "0x80040237",
                        "message": "A record with matching key values already exists.",
                    }
                },
                {},
            )
        text = "The version of the existing record doesn't match the RowVersion property provided."
        return 412, {"error": {"code": "0x80060882", "message": text}}, {}

    refused, made, was = STORE.write(
        key, check, lambda now: {**(now.body if now else {}), **asked.json}, asked.by
    )
    if refused:
        return refused
    fields = {"ETag": tag(made), "OData-EntityId": f"[{found[1]}({found[2]})]"}
    if asked.fields.get("prefer") == "return=representation":
        return (200 if was else 201), shown(made), fields
    return 204, "", fields


def sap(asked: Asked) -> Told:
    """Answer as SAP Gateway: a token against forgery, tags that must be sent."""
    if asked.fields.get("x-csrf-token", "").lower() == "fetch":
        return 200, {"d": {"EntitySets": ["A_SalesOrder", "A_SalesOrderItem"]}}, {"X-CSRF-Token": "Zy0wNQ=="}
    found = re.search(r"/(A_\w+)(?:\('(\w+)'\))?", asked.path)
    if not found or not found[2]:
        return 200, {"d": {"results": [one.body for one in STORE.below(found[1] if found else "")]}}, {}

    def error(status: int, code: str, text: str) -> Told:
        return status, {"error": {"code": code, "message": {"lang": "en", "value": text}}}, {}

    def tag(one: State) -> str:
        return f"W/\"datetimeoffset'{one.stamp.replace(':', '%3A')}'\""

    key = f"{found[1]}/{found[2]}"
    if asked.method == "GET":
        now = STORE.shown(key)
        if now is None:
            return error(404, "/IWBEP/CM_MGW_RT/020", "Resource not found for segment")
        return 200, {"d": {"__metadata": {"type": found[1]}, **now.body}}, {"ETag": tag(now)}
    if asked.fields.get("x-csrf-token") != "Zy0wNQ==":
        return 403, "CSRF token validation failed", {"x-csrf-token": "Required", "Content-Type": "text/plain"}

    def check(now: State | None) -> Told | None:
        if "if-match" not in asked.fields:
            return error(
                428,
                "/IWBEP/CM_MGW_RT/021",
                "Precondition required: data modification needs an If-Match header",
            )
        if holds(asked.fields, now, tag(now) if now else "", weakly=True):
            return error(
                412, "SADL_ENTITY_RUNTIME004", "The precondition in the If-Match header is not fulfilled"
            )
        return None

    refused, made, _ = STORE.write(key, check, lambda now: {**now.body, **asked.json}, asked.by)
    return refused or (204, "", {"ETag": tag(made)} if setting("TELLS") else {})


def cosmos(asked: Asked) -> Told:
    """Answer as Cosmos DB's documents."""
    found = re.fullmatch(r"/dbs/(\w+)/colls/(\w+)/docs(?:/([\w-]+))?", asked.path)
    if not found:
        return 200, {"_rid": "", "writableLocations": [{"name": "West Europe"}]}, {}

    def shown(one: State) -> dict[str, Any]:
        about = {"id": one.key.split("/")[1], "_rid": f"q{one.mark(length=8)}==", "_ts": int(one.changed)}
        return {**(one.body or {}), **about, "_etag": tag(one)}

    def tag(one: State) -> str:
        return f'"{one.serial:04x}00-0d00-{one.mark(asked.node, 8)}"'

    if asked.method == "POST" and asked.fields.get("x-ms-documentdb-isquery"):
        rows = [shown(one) for one in STORE.below(f"{found[2]}/")]
        return 200, {"_rid": "qXk=", "Documents": rows, "_count": len(rows)}, {}
    name = found[3] or asked.json["id"]
    key = f"{found[2]}/{name}"

    def error(status: int, code: str, text: str) -> Told:
        return (
            status,
            {"code": code, "message": f"{text}\r\nActivityId: {uuid.uuid4()}"},
            {"x-ms-substatus": "0"},
        )

    now = STORE.shown(key)
    if asked.method == "GET":
        if now is None:
            return error(404, "NotFound", "Entity with the specified id does not exist in the system.")
        return (
            (304, "", {"ETag": tag(now)})
            if unchanged(asked, tag(now))
            else (200, shown(now), {"ETag": tag(now)})
        )

    def check(one: State | None) -> Told | None:
        if one is None and asked.method != "POST":
            return error(404, "NotFound", "Entity with the specified id does not exist in the system.")
        if one and asked.method == "POST" and not asked.fields.get("x-ms-documentdb-is-upsert"):
            return error(409, "Conflict", "Entity with the specified id already exists in the system.")
        if holds(asked.fields, one, tag(one) if one else ""):
            text = "Operation cannot be performed because one of the specified precondition is not met."
            return error(412, "PreconditionFailed", text)
        return None

    kept = (
        {name: value for name, value in asked.json.items() if not name.startswith("_")} if asked.text else {}
    )
    refused, made, was = STORE.write(
        key, check, lambda _: None if asked.method == "DELETE" else kept, asked.by
    )
    if refused or made is None:
        return refused or (204, "", {})
    return (200 if was else 201), shown(made), {"ETag": tag(made)}


def appconfig(asked: Asked) -> Told:
    """Answer as Azure App Configuration's key-values."""
    found = re.fullmatch(r"/(kv|locks)(?:/(.+))?", asked.path)
    if not found:
        return 200, {"items": [{"name": "prod"}, {"name": "test"}]}, {}

    def shown(one: State) -> dict[str, Any]:
        key, label = one.key.split("$")
        return {
            "etag": one.mark(asked.node, 27),
            "key": key,
            "label": label,
            "last_modified": one.stamp,
            **one.body,
        }

    if not found[2]:
        folder = asked.query.get("key", "*").rstrip("*")
        return (
            200,
            {"items": [shown(one) for one in STORE.below(folder)]},
            {"Sync-Token": f"zAJw6V16=OjE{STORE.serial}"},
        )
    key = f"{found[2]}${asked.query.get('label', '')}"

    def tag(one: State | None) -> str:
        return f'"{one.mark(asked.node, 27)}"' if one else ""

    if asked.method == "GET":
        now = STORE.shown(key)
        if now is None:
            return 404, "", {}
        if unchanged(asked, tag(now)):
            return 304, "", {"ETag": tag(now)}
        return 200, shown(now), {"ETag": tag(now), "Last-Modified": now.modified}

    def check(now: State | None) -> Told | None:
        if setting("NEED") and now and not {"if-match", "if-none-match"} & set(asked.fields):
            return (
                428,
                {"title": "Precondition Required", "status": 428},
                {"Content-Type": "application/problem+json"},
            )
        return (412, "", {}) if holds(asked.fields, now, tag(now)) else None

    refused, made, _ = STORE.write(
        key, check, lambda _: None if asked.method == "DELETE" else asked.json, asked.by
    )
    if refused or made is None:
        return refused or (204, "", {})
    return 200, shown(made), {"ETag": tag(made), "Last-Modified": made.modified}


_SERVED = {one.__name__: one for one in (graph, sharepoint, dynamics, sap, cosmos, appconfig)}
_KINDS = {
    "graph": "application/json; odata.metadata=minimal; odata.streaming=true",
    "sharepoint": "application/json;odata=minimalmetadata;streaming=true;charset=utf-8",
    "dynamics": "application/json; odata.metadata=minimal",
    "sap": "application/json",
    "cosmos": "application/json",
    "appconfig": "application/vnd.microsoft.appconfig.kv+json; charset=utf-8",
}


def _always(dialect: str) -> dict[str, str]:
    serial = str(uuid.uuid4())
    return {
        "graph": {"request-id": serial, "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"West Europe"}}'},
        "sharepoint": {"SPRequestGuid": serial, "MicrosoftSharePointTeamServices": "16.0.0.25514"},
        "dynamics": {"OData-Version": "4.0", "x-ms-service-request-id": serial},
        "sap": {"sap-server": "true", "sap-perf-fesrec": "41820.000000", "DataServiceVersion": "2.0"},
        "cosmos": {
            "x-ms-activity-id": serial,
            "x-ms-request-charge": "10.29",
            "x-ms-session-token": f"0:-1#{STORE.serial}",
        },
        "appconfig": {"x-ms-correlation-request-id": serial, "x-ms-request-id": serial},
    }[dialect]


def _taken() -> Asked:
    request = bottle.request
    fields = {name.lower(): value for name, value in request.headers.items()}
    text = request.body.read().decode("utf-8")
    method = fields.get("x-http-method", request.method)
    return Asked(method, request.path, dict(request.query), fields, text, request.environ["SERVER_PORT"])


application = bottle.Bottle()


@application.route("/-/up")
def up() -> str:
    """Say that the service is up."""
    return "up"


@application.route("/<rest:path>", method=["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "MERGE"])
@application.route("/", method=["GET"])
def serve(rest: str = "") -> bottle.HTTPResponse:
    """Answer anything else."""
    del rest
    dialect = setting("DIALECT")
    status, body, fields = _SERVED[dialect](_taken())
    text = body if isinstance(body, str) else json.dumps(body)
    made = bottle.HTTPResponse(text, status)
    if text:
        made.set_header("Content-Type", fields.get("Content-Type", _KINDS[dialect]))
    for name, value in {**_always(dialect), **fields}.items():
        made.set_header(name, value)
    return made


if __name__ == "__main__":
    waitress.serve(
        application, listen=" ".join(f"127.0.0.1:{port}" for port in sys.argv[1:]), threads=8, ident=""
    )
