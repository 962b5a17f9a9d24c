# ruff: noqa: E501 - the words of a product stay on their line
"""Imitations of stores and of what runs machines: objects, keys, databases, clusters and controllers."""

from __future__ import annotations

import hashlib
import itertools
import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ben_wire import Api, Req, Res, Row, hexed, iso, opaque

if TYPE_CHECKING:
    from collections.abc import Mapping


def _revision(row: Row) -> str:
    return f"{row.rev}-{hashlib.md5(row.octets, usedforsecurity=False).hexdigest()}"


def couchdb(databases: Mapping[str, Mapping[str, Any]]) -> Api:
    """Imitate CouchDB: a database that exists is 412, a document of another revision 409."""
    api = Api(
        missing={"error": "not_found", "reason": "missing"},
        extra={"X-Couch-Request-ID": lambda: hexed(time.time(), 10)},
    )
    for name, documents in databases.items():
        api.keep(name, {"doc_count": len(documents)}, "setup")
        for key, data in documents.items():
            api.keep(f"{name}/{key}", data, "setup")

    @api.on("GET", "/_all_dbs")
    def _all(_req: Req) -> Res:
        return Res(200, [key for key in api.rows if "/" not in key])

    @api.on("GET PUT", "/([a-z][a-z_-]*)")
    def _database(req: Req, name: str) -> Res:
        if req.method == "PUT":
            if name in api.rows:
                said = "The database could not be created, the file already exists."
                return Res(412, {"error": "file_exists", "reason": said})
            api.keep(name, {"doc_count": 0})
            return Res(201, {"ok": True})
        if name not in api.rows:
            return Res(404, {"error": "not_found", "reason": "Database does not exist."})
        count = sum(key.startswith(f"{name}/") for key in api.rows)
        started = str(int(api.rows[name].at))
        return Res(
            200,
            {
                "db_name": name,
                "doc_count": count,
                "instance_start_time": started,
                "update_seq": f"{count}-g1",
            },
        )

    _documents(api)
    return api


def _documents(api: Api) -> None:
    """Add the documents of CouchDB."""

    @api.on("GET", "/([a-z][a-z_-]*/[A-Za-z0-9:]+)")
    def _read(req: Req, key: str) -> Res:
        if key not in api.rows:
            return Res(404, api.missing)
        tag = f'"{_revision(api.rows[key])}"'
        if req.fields.get("if-none-match") == tag:
            return Res(304, b"", {"ETag": tag})
        return Res(
            200, {"_id": key.split("/")[1], "_rev": tag.strip('"'), **api.rows[key].data}, {"ETag": tag}
        )

    @api.on("PUT", "/([a-z][a-z_-]*/[A-Za-z0-9:]+)")
    def _write(req: Req, key: str) -> Res:
        sent, row = req.json, api.rows.get(key)
        if sent.get("_rev") != (_revision(row) if row else None):
            return Res(409, {"error": "conflict", "reason": "Document update conflict."})
        made = api.keep(key, {name: one for name, one in sent.items() if name[0] != "_"})
        return Res(
            201,
            {"ok": True, "id": key.split("/")[1], "rev": _revision(made)},
            {"ETag": f'"{_revision(made)}"'},
        )


def consul(keys: Mapping[str, bytes]) -> Api:
    """Imitate Consul's key store: a lost comparison is 200 with the content ``false``."""
    api = Api(first=0)
    count = itertools.count(88120)
    for key, value in keys.items():
        api.keep(key, (value, next(count)), "setup")

    def shown(key: str, row: Row) -> dict[str, Any]:
        import base64  # noqa: PLC0415 - beside its only use

        value = base64.b64encode(row.data[0]).decode()
        own = {"LockIndex": 0, "Key": key, "Flags": 0, "Value": value}
        return {**own, "CreateIndex": 88001, "ModifyIndex": row.data[1]}

    @api.on("GET", "/v1/kv/(.+)")
    def _read(req: Req, key: str) -> Res:
        keys = [one for one in api.rows if one == key or ("recurse" in req.query and one.startswith(key))]
        if not keys:
            return Res(404, b"")
        index = max(api.rows[one].data[1] for one in keys)
        marks = {"X-Consul-Index": str(index), "X-Consul-Knownleader": "true", "X-Consul-Lastcontact": "0"}
        return Res(200, [shown(one, api.rows[one]) for one in keys], marks)

    @api.on("GET", "/v1/status/leader")
    def _leader(_req: Req) -> Res:
        return Res(200, '"10.20.0.4:8300"', {"Content-Type": "application/json"})

    @api.on("PUT", "/v1/kv/(.+)")
    def _write(req: Req, key: str) -> Res:
        row, wanted = api.rows.get(key), req.query.get("cas")
        if wanted is not None and int(wanted) != (row.data[1] if row else 0):
            return Res(200, "false", {"Content-Type": "application/json"})
        api.keep(key, (req.body, next(count)))
        return Res(200, "true", {"Content-Type": "application/json"})

    return api


def _object_error(status: int, code: str, message: str, more: str = "") -> Res:
    said = f"<Code>{code}</Code><Message>{message}</Message>{more}<RequestId>{hexed(time.time(), 16).upper()}</RequestId>"
    return Res(
        status,
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{said}</Error>',
        {"Content-Type": "application/xml"},
    )


def oss(bucket: str) -> Api:
    """Imitate Alibaba OSS: ``x-oss-forbid-overwrite`` guards a create; a write may be slow the first time."""
    api = Api()
    slow = [0.0]
    api.flags["slow"] = slow

    def marks(row: Row) -> dict[str, str]:
        digest = hashlib.md5(row.octets, usedforsecurity=False).hexdigest().upper()
        stamp = formatdate(row.at, usegmt=True)
        return {
            "ETag": f'"{digest}"',
            "Last-Modified": stamp,
            "x-oss-object-type": "Normal",
            "Content-Type": "text/csv",
        }

    @api.on("GET", f"/{bucket}/(.+)")
    def _read(req: Req, key: str) -> Res:
        if key not in api.rows:
            return _object_error(404, "NoSuchKey", "The specified key does not exist.", f"<Key>{key}</Key>")
        own = marks(api.rows[key])
        if req.fields.get("if-none-match") == own["ETag"]:
            return Res(304, b"", own)
        return Res(200, api.rows[key].data, own)

    def write(req: Req) -> Res | None:
        if req.method != "PUT":
            return None
        key = req.path.removeprefix(f"/{bucket}/")
        with api.lock:
            if req.fields.get("x-oss-forbid-overwrite") == "true" and key in api.rows:
                said = "The object you specified already exists and can not be overwritten."
                return _object_error(409, "FileAlreadyExists", said, "<EC>0026-00000002</EC>")
            row = api.keep(key, req.body.decode())
        wait, slow[0] = slow[0], 0.0
        time.sleep(wait)
        return Res(200, b"", {"ETag": marks(row)["ETag"], "x-oss-server-time": "21"})

    api.before.append(write)
    return api


def _object_marks(kind: str, row: Row) -> dict[str, str]:
    own = {"ETag": f'"{hashlib.md5(row.octets, usedforsecurity=False).hexdigest()}"'}
    if kind == "markers":
        own["x-amz-version-id"] = opaque(row.at, 32)
    return {**own, "Last-Modified": formatdate(row.at, usegmt=True)}


def buckets(kind: str, bucket: str, objects: Mapping[str, str]) -> Api:
    """Imitate stores that speak S3.

    Args:
        kind: ``markers`` counts a delete marker as an object; ``bare`` knows no conditions on writes.
        bucket: Its name.
        objects: Content by key.
    """
    api = Api(dict(objects), extra={"x-amz-request-id": lambda: hexed(time.time(), 16).upper()})
    markers: set[str] = set()

    @api.on("GET", f"/{bucket}/(.+)")
    def _read(req: Req, key: str) -> Res:
        if key not in api.rows:
            gone = _object_error(404, "NoSuchKey", "The specified key does not exist.", f"<Key>{key}</Key>")
            if key in markers:
                gone.fields |= {"x-amz-delete-marker": "true", "x-amz-version-id": opaque(key, 32)}
            return gone
        own = _object_marks(kind, api.rows[key])
        if req.fields.get("if-none-match") == own["ETag"]:
            return Res(304, b"", own)
        return Res(200, api.rows[key].data, {**own, "Content-Type": "text/plain"})

    @api.on("PUT", f"/{bucket}/(.+)")
    def _write(req: Req, key: str) -> Res:
        match, none = req.fields.get("if-match"), req.fields.get("if-none-match")
        if kind == "bare" and (match or none):
            said = "A header you provided implies functionality that is not implemented."
            header = "If-Match" if match else "If-None-Match"
            return _object_error(501, "NotImplemented", said, f"<Header>{header}</Header>")
        there = key in api.rows or key in markers
        now = _object_marks(kind, api.rows[key])["ETag"] if key in api.rows else None
        if (none == "*" and there) or (match is not None and match != now):
            name = "If-None-Match" if none else "If-Match"
            said = "At least one of the pre-conditions you specified did not hold"
            return _object_error(412, "PreconditionFailed", said, f"<Condition>{name}</Condition>")
        markers.discard(key)
        return Res(200, b"", _object_marks(kind, api.keep(key, req.body.decode())))

    @api.on("DELETE", f"/{bucket}/(.+)")
    def _delete(_req: Req, key: str) -> Res:
        if api.rows.pop(key, None) and kind == "markers":
            markers.add(key)
            return Res(204, b"", {"x-amz-delete-marker": "true", "x-amz-version-id": opaque(key, 32)})
        return Res(204)

    return api


def _status(code: int, reason: str, message: str) -> Res:
    return Res(
        code,
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": code,
        },
    )


def _config_map(name: str, row: Row) -> dict[str, Any]:
    meta = {"name": name, "namespace": "apps", "uid": hexed(name, 12), "resourceVersion": str(row.rev)}
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta, **row.data}


def kubernetes(window: float) -> Api:
    """Imitate the API server of a cluster whose history reaches ``window`` seconds back."""
    base = "/api/v1/namespaces/apps/configmaps"
    data = {"log.level": "info", "retries": "3"}
    api = Api({name: {"data": {**data, "name": name}} for name in ("mailer", "mapper", "minter")}, age=7000)
    versions = itertools.count(771204, 7)
    issued: dict[str, float] = {}
    for row in api.rows.values():
        row.rev = next(versions)

    @api.on("GET", base)
    def _list(req: Req) -> Res:
        since = req.query.get("resourceVersion", "")
        if "watch" in req.query:
            if time.time() - issued.get(since, 0.0) > window:
                oldest = max(
                    (int(one) for one, at in issued.items() if time.time() - at <= window), default=771999
                )
                return _status(410, "Expired", f"too old resource version: {since} ({oldest})")
            return Res(200, "", {"Content-Type": "application/json"})
        now = str(next(versions))
        issued[now] = time.time()
        items = [_config_map(name, row) for name, row in api.rows.items()]
        return Res(
            200,
            {
                "kind": "ConfigMapList",
                "apiVersion": "v1",
                "metadata": {"resourceVersion": now},
                "items": items,
            },
        )

    @api.on("GET", f"{base}/([a-z-]+)")
    def _read(_req: Req, name: str) -> Res:
        return Res(200, _config_map(name, api.rows[name]))

    @api.on("PUT", f"{base}/([a-z-]+)")
    def _write(req: Req, name: str) -> Res:
        sent = req.json
        if sent["metadata"].get("resourceVersion") != str(api.rows[name].rev):
            said = f'Operation cannot be fulfilled on configmaps "{name}": the object has been modified; please apply your changes to the latest version and try again'
            return _status(409, "Conflict", said)
        api.keep(name, {"data": sent["data"]}).rev = next(versions)
        return Res(200, _config_map(name, api.rows[name]))

    return api


def gocd(templates: Mapping[str, dict[str, Any]]) -> Api:
    """Imitate the configuration of GoCD: If-Match with the digest of the configuration is required."""
    api = Api(dict(templates))

    def marks(row: Row) -> dict[str, str]:
        kind = "application/vnd.go.cd.v7+json; charset=utf-8"
        return {"ETag": f'"{hashlib.sha256(row.octets).hexdigest()}"', "Content-Type": kind}

    @api.on("GET", "/go/api/admin/templates/([a-z.-]+)")
    def _read(req: Req, name: str) -> Res:
        own = marks(api.rows[name])
        return (
            Res(304, b"", own)
            if req.fields.get("if-none-match") == own["ETag"]
            else Res(200, api.rows[name].data, own)
        )

    @api.on("GET", "/go/api/admin/templates")
    def _list(_req: Req) -> Res:
        return Res(200, {"_embedded": {"templates": [{"name": name} for name in api.rows]}})

    @api.on("PUT", "/go/api/admin/templates/([a-z.-]+)")
    def _write(req: Req, name: str) -> Res:
        if req.fields.get("if-match") != marks(api.rows[name])["ETag"]:
            said = f"Someone has modified the configuration for template '{name}'. Please update your copy of the config with the changes and try again."
            return Res(412, {"message": said, "data": api.rows[name].data})
        row = api.keep(name, req.json)
        return Res(200, row.data, marks(row))

    return api


def redfish() -> Api:
    """Imitate the Redfish service of a controller that makes a tag anew at every look."""
    managers = {
        "Systems/1": {"AssetTag": "rack 7 u12", "PowerState": "On"},
        "Managers/1/NetworkProtocol": {"NTP": {"ProtocolEnabled": False}},
    }
    api = Api(managers)
    count = itertools.count(time.time_ns() % 10**6, 7919)

    def tag() -> str:
        return f'"{next(count) * 2654435761 % 2**32:08X}"'

    @api.on("GET", "/redfish/v1/(Systems/1|Managers/1/NetworkProtocol)")
    def _read(_req: Req, key: str) -> Res:
        body = {
            "@odata.id": f"/redfish/v1/{key}",
            "Id": key.rsplit("/", maxsplit=1)[-1],
            **api.rows[key].data,
        }
        return Res(200, body, {"ETag": tag(), "OData-Version": "4.0"})

    @api.on("PATCH", "/redfish/v1/(Systems/1|Managers/1/NetworkProtocol)")
    def _write(req: Req, key: str) -> Res:
        if req.fields.get("if-match") not in {None, "*", tag()}:
            said = "The ETag supplied did not match the ETag required to change this resource."
            info = [{"MessageId": "Base.1.12.PreconditionFailed", "Message": said, "Severity": "Critical"}]
            return Res(
                412,
                {"error": {"code": "Base.1.12.GeneralError", "message": said, "@Message.ExtendedInfo": info}},
            )
        api.keep(key, {**api.rows[key].data, **req.json})
        return Res(204)

    return api


def _spring_marks(row: Row) -> dict[str, str]:
    return {
        "ETag": f'"{row.rev}"',
        "Last-Modified": formatdate(row.at, usegmt=True),
        "Content-Type": "application/hal+json",
    }


def spring(books: Mapping[str, dict[str, Any]]) -> Api:
    """Imitate Spring Data REST: tags of @Version, dates of @LastModifiedDate.

    With the flag ``late`` the date is looked at after the commit, as in its issue 1593.
    """
    api = Api(dict(books), first=0)

    def shown(key: str, row: Row) -> dict[str, Any]:
        return {**row.data, "_links": {"self": {"href": f"http://books.example/api/{key}"}}}

    @api.on("GET", "/api/(books/[0-9]+)")
    def _read(req: Req, key: str) -> Res:
        own = _spring_marks(api.rows[key])
        if req.fields.get("if-none-match") == own["ETag"]:
            return Res(304, b"", own)
        return Res(200, shown(key, api.rows[key]), own)

    @api.on("GET", "/api/books")
    def _list(_req: Req) -> Res:
        found = [shown(key, row) for key, row in api.rows.items()]
        return Res(
            200,
            {"_embedded": {"books": found}, "page": {"totalElements": len(found)}},
            {"Content-Type": "application/hal+json"},
        )

    @api.on("PATCH PUT", "/api/(books/[0-9]+)")
    def _write(req: Req, key: str) -> Res:
        row, match = api.rows[key], req.fields.get("if-match")
        since = req.fields.get("if-unmodified-since")
        if match is not None and match != _spring_marks(row)["ETag"]:
            return Res(412, b"", {"ETag": _spring_marks(row)["ETag"]})
        late = since is not None and api.flags.get("late")
        if since is not None and not late and int(row.at) > parsedate_to_datetime(since).timestamp():
            return Res(412, b"", _spring_marks(row))
        new = (
            {**row.data, **req.json}
            if req.method == "PATCH"
            else {k: v for k, v in req.json.items() if k[0] != "_"}
        )
        made = api.keep(key, new)
        if late and since and int(made.at) > parsedate_to_datetime(since).timestamp():
            return Res(412, b"", {"Content-Type": "application/hal+json"})
        return Res(200, shown(key, made), _spring_marks(made))

    return api


def _version(key: str, row: Row) -> str:
    return "E" + hexed(f"{key}{row.rev}", 13).upper()


def cloudfront(comments: Mapping[str, str]) -> Api:
    """Imitate the configurations of CloudFront, whose tag is in the field alone."""
    api = Api(dict(comments))
    space = 'xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"'
    head = '<?xml version="1.0"?>\n'
    api.extra["x-amzn-RequestId"] = lambda: hexed(time.time(), 32)

    def fail(status: int, code: str, message: str) -> Res:
        inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        return Res(
            status, f"{head}<ErrorResponse {space}>{inner}</ErrorResponse>", {"Content-Type": "text/xml"}
        )

    def config(row: Row) -> str:
        return f"<DistributionConfig {space}><Comment>{row.data}</Comment><Enabled>true</Enabled></DistributionConfig>"

    @api.on("GET", "/2020-05-31/distribution/([A-Z0-9]+)/config")
    def _read(_req: Req, key: str) -> Res:
        row = api.rows[key]
        return Res(200, head + config(row), {"ETag": _version(key, row), "Content-Type": "text/xml"})

    @api.on("GET", "/2020-05-31/distribution")
    def _list(_req: Req) -> Res:
        rows = "".join(
            f"<DistributionSummary><Id>{key}</Id><LastModifiedTime>{iso(row.at)}</LastModifiedTime></DistributionSummary>"
            for key, row in api.rows.items()
        )
        return Res(
            200, f"{head}<DistributionList {space}>{rows}</DistributionList>", {"Content-Type": "text/xml"}
        )

    @api.on("PUT", "/2020-05-31/distribution/([A-Z0-9]+)/config")
    def _write(req: Req, key: str) -> Res:
        sent = req.fields.get("if-match")
        if sent is None:
            return fail(
                400, "InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource."
            )
        if sent != _version(key, api.rows[key]):
            return fail(
                412,
                "PreconditionFailed",
                "The request failed because it didn't meet the preconditions in one or more request-header fields.",
            )
        text = req.body.decode().partition("<Comment>")[2].partition("</Comment>")[0]
        row = api.keep(key, text)
        return Res(200, head + config(row), {"ETag": _version(key, row), "Content-Type": "text/xml"})

    return api
