# ruff: noqa: E501 - the words of a product stay on their line
"""Imitations of Google's APIs: policies, contacts, zones of names, and storage in JSON and XML."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any
from urllib.parse import unquote

from tools.recording_apis.apps.ben_wire import Api, Req, Res, Row, iso, opaque


def problem(code: int, message: str, status: str = "", reason: str = "", **more: Any) -> Res:
    """Return an error in the words of Google."""
    said: dict[str, Any] = {"code": code, "message": message}
    if reason:
        said["errors"] = [{"message": message, "domain": "global", "reason": reason, **more}]
    if status:
        said["status"] = status
    return Res(code, {"error": said})


def policies(project: str, members: list[str]) -> Api:
    """Imitate the Resource Manager: the policy of a project carries its etag in the body."""
    api = Api({"policy": {"bindings": [{"role": "roles/viewer", "members": members}]}}, first=3)

    def tag(row: Row) -> str:
        return base64.b64encode(b"\x07\x06" + int(row.at * 1e6).to_bytes(8, "big")[2:]).decode()

    def shown(row: Row) -> dict[str, Any]:
        return {"version": 1, "etag": tag(row), **row.data}

    @api.on("POST", f"/v1/projects/{project}:getIamPolicy")
    def _read(_req: Req) -> Res:
        return Res(200, shown(api.rows["policy"]))

    @api.on("POST", f"/v1/projects/{project}:setIamPolicy")
    def _write(req: Req) -> Res:
        policy, row = req.json["policy"], api.rows["policy"]
        if policy.get("etag") and policy["etag"] != tag(row):
            return problem(
                409,
                "There were concurrent policy changes. Please retry the whole read-modify-write with exponential "
                f"backoff. The request's ETag '{policy['etag']}' did not match the current policy's ETag "
                f"'{tag(row)}'.",
                "ABORTED",
            )
        made = api.keep("policy", {"bindings": policy["bindings"]}, req.who)
        return Res(200, shown(made))

    return api


def people(lag: float) -> Api:
    """Imitate the People API, whose reads come from copies that are ``lag`` seconds behind."""
    api = Api(
        {
            f"people/c{number}": {"names": [{"givenName": name}], "biographies": [{"value": "met in Oslo"}]}
            for number, name in ((4401, "Ingrid"), (4402, "Tomas"), (4403, "Beatriz"))
        },
        first=7,
    )

    def shown(key: str, row: Row) -> dict[str, Any]:
        tag = "%EgUBAgsuNxoEAQIFByIM" + opaque(f"{key}{row.rev}", 12) + "="
        source = {"type": "CONTACT", "id": key[-4:], "etag": "#" + tag[9:], "updateTime": iso(row.at, 6)}
        return {"resourceName": key, "etag": tag, "metadata": {"sources": [source]}, **row.data}

    def seen(key: str) -> Row:
        row = api.rows[key]
        return row.past[-1] if row.past and time.time() - row.at < lag else row

    @api.on("GET", "/v1/(people/c[0-9]+)")
    def _read(_req: Req, key: str) -> Res:
        return Res(200, shown(key, seen(key)))

    @api.on("GET", "/v1/people/me/connections")
    def _list(_req: Req) -> Res:
        return Res(200, {"connections": [shown(key, seen(key)) for key in api.rows], "totalPeople": 3})

    @api.on("PATCH", "/v1/(people/c[0-9]+):updateContact")
    def _write(req: Req, key: str) -> Res:
        sent, row = req.json, api.rows[key]
        if sent.get("etag") != shown(key, row)["etag"]:
            return problem(
                400,
                "Request person.etag is different than the current person.etag. Clear local cache and get the latest "
                "person.",
                "FAILED_PRECONDITION",
                "failedPrecondition",
            )
        names = req.query["updatePersonFields"].split(",")
        row = api.keep(key, {**row.data, **{name: sent[name] for name in names}})
        return Res(200, shown(key, row))

    return api


def zones(records: list[dict[str, Any]]) -> Api:
    """Imitate Cloud DNS: a change names the exact records that it removes."""
    api = Api({f"{one['name']} {one['type']}": one for one in records})
    base = "/dns/v1/projects/harbor-prod/managedZones/example-zone"

    @api.on("GET", f"{base}/rrsets")
    def _list(req: Req) -> Res:
        rows = [{"kind": "dns#resourceRecordSet", **row.data} for row in api.rows.values()]
        wanted = [one for one in rows if req.query.get("name", one["name"]) == one["name"]]
        return Res(200, {"kind": "dns#resourceRecordSetsListResponse", "rrsets": wanted})

    @api.on("POST", f"{base}/changes")
    def _change(req: Req) -> Res:
        sent = req.json
        for number, gone in enumerate(sent.get("deletions", [])):
            live = api.rows.get(f"{gone['name']} {gone['type']}")
            if live is None or any(gone.get(name) != live.data[name] for name in ("ttl", "rrdatas")):
                message = f"Precondition not met for 'entity.change.deletions[{number}]'"
                return problem(
                    412, message, reason="conditionNotMet", locationType="header", location="If-Match"
                )
        for gone in sent.get("deletions", []):
            del api.rows[f"{gone['name']} {gone['type']}"]
        for new in sent.get("additions", []):
            plain = {name: new[name] for name in ("name", "type", "ttl", "rrdatas")}
            api.keep(f"{new['name']} {new['type']}", plain)
        return Res(
            200,
            {"kind": "dns#change", "id": "318", "status": "pending", "startTime": iso(time.time()), **sent},
        )

    return api


def _bucket_policy(api: Api) -> None:
    """Add the buckets and the constraint of an organisation that says where they may be."""

    @api.on("POST", "/storage/v1/b")
    def _make(req: Req) -> Res:
        sent = req.json
        if not sent.get("location", "US").startswith("EUROPE"):
            where = sent.get("location", "US").lower()
            message = f"'{where}' violates constraint 'constraints/gcp.resourceLocations'"
            return problem(412, message, reason="conditionNotMet")
        api.page(
            f"/storage/v1/b/{sent['name']}", {"kind": "storage#bucket", "metageneration": "1", **sent}, "CAE="
        )
        return Res(
            200, {"kind": "storage#bucket", "id": sent["name"], "metageneration": "1", "etag": "CAE=", **sent}
        )


def _generation(row: Row) -> str:
    return str(int(row.at * 1e6))


def _object(bucket: str, name: str, row: Row) -> dict[str, Any]:
    md5 = base64.b64encode(hashlib.md5(row.data, usedforsecurity=False).digest()).decode()
    return {
        "kind": "storage#object",
        "id": f"{bucket}/{name}/{_generation(row)}",
        "name": name,
        "bucket": bucket,
        "generation": _generation(row),
        "metageneration": "1",
        "contentType": "application/octet-stream",
        "size": str(len(row.data)),
        "md5Hash": md5,
        "etag": opaque(_generation(row), 10) + "=",
        "updated": iso(row.at),
    }


def _refusal(req: Req, row: Row | None) -> Res | None:
    wanted, other = req.query.get("ifGenerationMatch"), req.query.get("ifGenerationNotMatch")
    now = _generation(row) if row else "0"
    if wanted is not None and wanted != now:
        said = "At least one of the pre-conditions you specified did not hold."
        return problem(412, said, reason="conditionNotMet", locationType="header", location="If-Match")
    return Res(304) if other == now else None


def _parted(req: Req) -> tuple[str, bytes]:
    """Return the name and the content of an upload in two parts."""
    kind = req.fields["content-type"]
    mark = b"--" + kind.split("boundary=")[-1].strip('"').encode()
    parts = req.body.split(mark)
    told = Req("", "", {}, parts[1].split(b"\r\n\r\n", 1)[1]).json
    return told["name"], parts[2].split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")


def storage(bucket: str, objects: dict[str, bytes]) -> Api:
    """Imitate the JSON API of Cloud Storage with generations as conditions in the query."""
    api = Api(dict(objects), first=1, age=90000)
    _bucket_policy(api)
    api.page(
        f"/storage/v1/b/{bucket}", {"kind": "storage#bucket", "name": bucket, "metageneration": "1"}, "CAE="
    )

    @api.on("GET", f"/(?:download/)?storage/v1/b/{bucket}/o/(.+)")
    def _read(req: Req, name: str) -> Res:
        row = api.rows.get(unquote(name))
        if row is None:
            return problem(404, f"No such object: {bucket}/{name}", reason="notFound")
        if (refused := _refusal(req, row)) is not None:
            return refused
        if req.query.get("alt") == "media":
            marks = {"X-Goog-Generation": _generation(row), "Content-Type": "application/octet-stream"}
            return Res(200, row.data, marks)
        return Res(200, _object(bucket, unquote(name), row), {"ETag": _object(bucket, name, row)["etag"]})

    @api.on("GET", f"/storage/v1/b/{bucket}/o")
    def _list(_req: Req) -> Res:
        return Res(
            200,
            {
                "kind": "storage#objects",
                "items": [_object(bucket, name, row) for name, row in api.rows.items()],
            },
        )

    @api.on("POST", f"/upload/storage/v1/b/{bucket}/o")
    def _write(req: Req) -> Res:
        name, body = req.query.get("name", ""), req.body
        if "multipart" in req.fields["content-type"]:
            name, body = _parted(req)
        if (refused := _refusal(req, api.rows.get(name))) is not None:
            return refused
        return Res(200, _object(bucket, name, api.keep(name, body)))

    @api.on("DELETE", f"/storage/v1/b/{bucket}/o/(.+)")
    def _delete(req: Req, name: str) -> Res:
        if (refused := _refusal(req, api.rows.get(name))) is not None:
            return refused
        api.rows.pop(name)
        return Res(204)

    return api


def storage_xml(bucket: str, objects: dict[str, str]) -> Api:
    """Imitate the XML API of Cloud Storage, which knows HTTP conditions on reads only."""
    api = Api(dict(objects))

    def marks(row: Row) -> dict[str, str]:
        return {
            "ETag": f'"{hashlib.md5(row.octets, usedforsecurity=False).hexdigest()}"',
            "x-goog-generation": str(int(row.at * 1e6)),
            "x-goog-metageneration": "1",
            "x-goog-storage-class": "STANDARD",
        }

    @api.on("GET", f"/{bucket}/(.+)")
    def _read(req: Req, name: str) -> Res:
        row = api.rows.get(name)
        if row is None:
            return Res(404, "<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code></Error>")
        own = marks(row)
        if req.fields.get("if-none-match") == own["ETag"]:
            return Res(304, b"", own)
        if req.fields.get("if-match", own["ETag"]) != own["ETag"]:
            code = "<Code>PreconditionFailed</Code><Message>At least one of the pre-conditions you specified did not hold.</Message>"
            return Res(412, f"<?xml version='1.0' encoding='UTF-8'?><Error>{code}</Error>")
        return Res(200, row.data, {**own, "Content-Type": "application/json"})

    @api.on("PUT", f"/{bucket}/(.+)")
    def _write(req: Req, name: str) -> Res:
        wanted, row = req.fields.get("x-goog-if-generation-match"), api.rows.get(name)
        if wanted is not None and wanted != (marks(row)["x-goog-generation"] if row else "0"):
            code = "<Code>PreconditionFailed</Code><Message>At least one of the pre-conditions you specified did not hold.</Message>"
            return Res(412, f"<?xml version='1.0' encoding='UTF-8'?><Error>{code}</Error>")
        return Res(200, b"", marks(api.keep(name, req.body.decode())))

    return api
