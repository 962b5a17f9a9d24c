"""Imitations on aiohttp of interfaces with entity tags: controllers, routers, directories, requirements.

Redfish (If-Match on PATCH, extended errors), RESTCONF (one validator for a whole datastore), SCIM
(``meta.version``) and OSLC (RDF/XML).

Environment: ``FLAGS`` separated by commas: ``need`` (428), ``list`` (members of collections carry
another tag than the resource), ``star`` (``*`` is compared literally), ``deaf`` (stale tags are accepted),
``stamp`` (tags of the moment), ``none`` (501 for conditions), ``dates`` (no tags), ``node`` (the answer
names the node), ``cors``, ``hide`` (tags not exposed), ``item`` (a RESTCONF tag for each leaf), ``weak``,
``strong`` (SCIM with strong tags); ``SALT`` in the tags; ``GATE`` seconds between check and store; ``LAG``
seconds for which reads are old; ``BUSY`` requests answered 503 first; ``TARRY`` seconds before the answer to
the first write; ``HINT`` for caches.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import time
import uuid
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

from aiohttp import web

_FLAGS = set(os.environ.get("FLAGS", "").split(","))
_SALT, _LAG = os.environ.get("SALT", ""), float(os.environ.get("LAG", "0"))
_GATE, _WAITS = float(os.environ.get("GATE", "0")), [float(os.environ.get("TARRY", "0"))]
_BUSY = [int(os.environ.get("BUSY", "0"))]
_HINT = os.environ.get("HINT", "")
_RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
_START = 1_795_650_000.731
_KEPT: dict[str, dict[str, Any]] = {
    "/redfish/v1/Systems/437XR1138R2": {
        "Name": "WebFrontEnd483",
        "AssetTag": "",
        "IndicatorLED": "Off",
        "PowerState": "On",
    },
    "/redfish/v1/Systems/437XR1138R3": {
        "Name": "WebFrontEnd484",
        "AssetTag": "A-7",
        "IndicatorLED": "Off",
        "PowerState": "On",
    },
    "/redfish/v1/Managers/BMC/NetworkProtocol": {
        "HostName": "bmc-437",
        "NTP": {"ProtocolEnabled": False, "NTPServers": []},
    },
    "/redfish/v1/AccountService/Accounts/3": {"UserName": "oncall", "RoleId": "Operator", "Enabled": True},
    "/restconf/data/ietf-interfaces:interfaces/interface=eth0": {
        "name": "eth0",
        "description": "uplink A",
        "enabled": True,
    },
    "/restconf/data/ietf-interfaces:interfaces/interface=eth1": {
        "name": "eth1",
        "description": "uplink B",
        "enabled": True,
    },
    "/restconf/data/ietf-system:system": {"hostname": "edge-7", "contact": "noc@acme.test"},
    "/scim/v2/Users/2819c223": {
        "userName": "bjensen",
        "displayName": "Babs Jensen",
        "active": True,
        "title": "Tour Guide",
    },
    "/scim/v2/Users/c75ad752": {
        "userName": "mcarter",
        "displayName": "M. Carter",
        "active": True,
        "title": "",
    },
    "/scim/v2/Groups/e9e30dba": {"displayName": "Tour Guides", "members": [{"value": "2819c223"}]},
    "/rm/resources/REQ-118": {"title": "Brakes hold on 12 % slope", "status": "Draft", "owner": "ktan"},
    "/rm/resources/REQ-119": {"title": "Horn is audible at 50 m", "status": "Approved", "owner": "ktan"},
}
_STATE: dict[str, dict[str, Any]] = {
    path: {"data": data, "rev": 3, "at": _START + number * 97, "old": None}
    for number, (path, data) in enumerate(_KEPT.items())
}
_DATASTORE = {"rev": 41, "at": _START}


def _whole(path: str) -> dict[str, Any]:
    return _DATASTORE if path.startswith("/restconf") and "item" not in _FLAGS else _STATE[path]


def _tag(path: str, rev: int | None = None, form: str = "") -> str:
    if "stamp" in _FLAGS:
        return f'"{time.time_ns() // 1000:x}"'
    number = _whole(path)["rev"] if rev is None else rev
    digest = hashlib.sha256(
        f"{path if 'restconf' not in path else ''}{number}{_SALT}{form}".encode()
    ).hexdigest()
    if path.startswith("/scim"):
        return f'W/"{digest[:16]}"' if "strong" not in _FLAGS else f'"{digest[:16]}"'
    if path.startswith("/redfish"):
        return f'{"W/" if "weak" in _FLAGS else ""}"{digest[:8].upper()}"'
    return f'"{number}-{digest[:10]}"' if path.startswith("/restconf") else f'"_{digest[:20]}"'


def _validators(path: str, kept: dict[str, Any] | None = None) -> dict[str, str]:
    rev = kept["rev"] if kept else None
    found = {} if "dates" in _FLAGS else {"ETag": _tag(path, rev)}
    if path.startswith("/restconf") or "dates" in _FLAGS:
        found["Last-Modified"] = formatdate(int(_whole(path)["at"]), usegmt=True)
    return found


def _fields(path: str) -> dict[str, str]:
    own = {"/redfish": {"OData-Version": "4.0"}, "/rm": {"OSLC-Core-Version": "2.0"}}
    fields = dict(next((value for prefix, value in own.items() if path.startswith(prefix)), {}))
    if "node" in _FLAGS:
        fields["X-Served-By"] = _SALT
    if _HINT:
        fields["Cache-Control"] = _HINT
    if "cors" in _FLAGS:
        fields |= {"Access-Control-Allow-Origin": "http://admin.acme.test", "Vary": "Origin"}
        if "hide" not in _FLAGS:
            fields["Access-Control-Expose-Headers"] = "ETag"
    return fields


def _reply(path: str, status: int, body: object = None, more: dict[str, str] | None = None) -> web.Response:
    kinds = {
        "/scim": "application/scim+json",
        "/restconf": "application/yang-data+json",
        "/rm": "application/rdf+xml",
    }
    kind = next((one for prefix, one in kinds.items() if path.startswith(prefix)), "application/json")
    text = body if isinstance(body, str) else None if body is None else json.dumps(body)
    return web.Response(
        status=status,
        text=text,
        content_type=kind if text else None,
        headers={**_fields(path), **(more or {})},
    )


def _refusal(path: str, status: int, text: str) -> web.Response:
    if path.startswith("/redfish"):
        key = {412: "PreconditionFailed", 428: "PreconditionRequired", 501: "OperationNotAllowed"}.get(
            status, "GeneralError"
        )
        info = {
            "@odata.type": "#Message.v1_2_0.Message",
            "MessageId": f"Base.1.18.{key}",
            "Message": text,
            "MessageSeverity": "Critical",
        }
        return _reply(
            path,
            status,
            {"error": {"code": f"Base.1.18.{key}", "message": text, "@Message.ExtendedInfo": [info]}},
        )
    if path.startswith("/scim"):
        schema = ["urn:ietf:params:scim:api:messages:2.0:Error"]
        return _reply(path, status, {"schemas": schema, "detail": text, "status": str(status)})
    if path.startswith("/restconf"):
        error = {"error-type": "protocol", "error-tag": "operation-failed", "error-message": text}
        return _reply(path, status, {"ietf-restconf:errors": {"error": [error]}})
    return _reply(
        path,
        status,
        f'<rdf:RDF {_RDF} xmlns:oslc="http://open-services.net/ns/core#">\n <oslc:Error><oslc:statusCode>'
        f"{status}</oslc:statusCode><oslc:message>{text}</oslc:message></oslc:Error>\n</rdf:RDF>\n",
    )


def _shown(path: str, kept: dict[str, Any]) -> object:
    data = kept["data"]
    if path.startswith("/redfish"):
        return {
            "@odata.id": path,
            "@odata.etag": _tag(path, kept["rev"], "m" if "list" in _FLAGS else ""),
            **data,
        }
    if path.startswith("/scim"):
        meta = {"resourceType": path.split("/")[3][:-1], "version": _tag(path, kept["rev"]), "location": path}
        return {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": path.rsplit("/", maxsplit=1)[-1],
            **data,
            "meta": meta,
        }
    if path.startswith("/restconf"):
        return {path.rsplit("/", maxsplit=1)[-1].split("=", maxsplit=1)[0].rsplit(":", maxsplit=1)[-1]: data}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in data.items())
    return f'<rdf:RDF {_RDF}><Requirement rdf:about="{path}">{inner}</Requirement></rdf:RDF>\n'


def _refused(path: str, request: web.Request) -> web.Response | None:
    match, since = request.headers.get("If-Match"), request.headers.get("If-Unmodified-Since")
    if "none" in _FLAGS and (match or since):
        return _refusal(path, 501, "Conditional requests are not supported by this service.")
    if "deaf" in _FLAGS:
        return None
    if match is None and since is None:
        return (
            _refusal(path, 428, "If-Match with the ETag of the resource is required for this request.")
            if "need" in _FLAGS
            else None
        )
    if match is not None:
        given = [one.strip() for one in match.split(",")]
        if "weak" in _FLAGS and not path.startswith("/scim"):
            given = [one for one in given if not one.startswith("W/")]
        fits = _tag(path) in given or (match == "*" and "star" not in _FLAGS)
        return (
            None
            if fits
            else _refusal(path, 412, "The ETag supplied did not match the current ETag of the resource.")
        )
    try:
        limit = parsedate_to_datetime(since or "").timestamp()
    except ValueError:
        return _refusal(path, 412, "If-Unmodified-Since cannot be parsed.")
    return (
        _refusal(path, 412, f"Modified at {_whole(path)['at']:.3f}.") if _whole(path)["at"] > limit else None
    )


def _listed(path: str) -> web.Response:
    inside = {one: kept for one, kept in _STATE.items() if one.startswith(path.rstrip("/") + "/")}
    if path.startswith("/scim"):
        rows = [_shown(one, kept) for one, kept in inside.items()]
        return _reply(
            path, 200, {"totalResults": len(rows), "itemsPerPage": 50, "startIndex": 1, "Resources": rows}
        )
    if path.startswith("/redfish"):
        rows = [_shown(one, kept) for one, kept in inside.items()]
        return _reply(path, 200, {"@odata.id": path, "Members@odata.count": len(rows), "Members": rows})
    return _reply(path, 200, {"count": len(inside), "members": list(inside)})


async def serve(request: web.Request) -> web.Response:
    """Answer one request."""
    path = request.path
    if path == "/-/up":
        return web.Response(text="up")
    if request.method == "OPTIONS":
        allowed = {
            "Access-Control-Allow-Methods": "GET, PUT, PATCH, DELETE",
            "Access-Control-Allow-Headers": "authorization, content-type, if-match",
        }
        return _reply(path, 204, None, allowed)
    if "Authorization" not in request.headers and "X-Auth-Token" not in request.headers:
        return _refusal(path, 401, "Authentication is required.")
    if _BUSY[0] and request.method == "GET":
        _BUSY[0] -= 1
        return _reply(path, 503, {"message": "starting"}, {"Retry-After": "1"})
    kept = _STATE.get(path)
    if (
        kept is None
        and request.method == "GET"
        and any(one.startswith(path.rstrip("/") + "/") for one in _STATE)
    ):
        return _listed(path)
    if kept is None:
        return _refusal(path, 404, "The resource was not found.")
    if request.method in {"GET", "HEAD"}:
        return _read(path, request, kept)
    return await _write(path, request, kept)


def _read(path: str, request: web.Request, kept: dict[str, Any]) -> web.Response:
    old = kept["old"]
    if _LAG and old and time.time() - kept["at"] < _LAG:
        kept = old
    fields = _validators(path, kept if not path.startswith("/restconf") else None)
    if "ETag" in fields and request.headers.get("If-None-Match") == fields["ETag"]:
        return _reply(path, 304, None, fields)
    return _reply(path, 200, _shown(path, kept), fields)


async def _write(path: str, request: web.Request, kept: dict[str, Any]) -> web.Response:
    problem = _refused(path, request)
    if problem is not None:
        return problem
    if request.method == "DELETE":
        del _STATE[path]
        return _reply(path, 204)
    text = await request.text()
    await asyncio.sleep(_GATE)
    kept["old"] = {"data": kept["data"], "rev": kept["rev"], "at": kept["at"], "old": None}
    sent: dict[str, Any] = (
        dict(part.split("=", 1) for part in text.split("&")) if path.startswith("/rm") else json.loads(text)
    )
    sent = (
        sent.get("Operations", [{}])[0].get("value", sent)
        if path.startswith("/scim") and "Operations" in sent
        else sent
    )
    kept["data"] = {**kept["data"], **sent} if request.method == "PATCH" or path.startswith("/rm") else sent
    kept.update(rev=kept["rev"] + 1, at=time.time())
    if path.startswith("/restconf"):
        _DATASTORE.update(rev=_DATASTORE["rev"] + 1, at=time.time())
    wait, _WAITS[0] = _WAITS[0], 0.0
    fields = {**_validators(path), "X-Request-Id": str(uuid.uuid4())}
    shown = _shown(path, kept)
    await asyncio.sleep(wait)
    return (
        _reply(path, 204, None, fields) if path.startswith("/restconf") else _reply(path, 200, shown, fields)
    )


if __name__ == "__main__":
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", serve)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
