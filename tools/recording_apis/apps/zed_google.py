# mypy: ignore-errors
# ruff: noqa: ARG005 - routes are handed all that they may want
"""Imitations of Google's APIs in use: calendar, policies, compute, contacts, zones, objects."""

from __future__ import annotations

import base64
import hashlib
import time

from tools.recording_apis.apps.ray_core import Api, Res, httpdate, iso

_FIELDS = {
    "Vary": "Origin, X-Origin, Referer",
    "Server": "ESF",
    "X-XSS-Protection": "0",
    "X-Frame-Options": "SAMEORIGIN",
}


def refusal(status: int, reason: str, message: str, state: str = "", **where: str) -> Res:
    """Return an error as Google's APIs tell it."""
    one = {"domain": "global", "reason": reason, "message": message, **where}
    error = {"code": status, "message": message, "errors": [one]}
    return Res(status, {"error": {**error, "status": state} if state else error})


def _api() -> Api:
    return Api(lambda _req: dict(_FIELDS), lambda _req: refusal(404, "notFound", "Not Found"))


def calendar(name: str, events: dict) -> Api:
    """Return a calendar's events."""
    api, root = _api(), f"/calendar/v3/calendars/{name}/events"
    for number, (key, event) in enumerate(events.items()):
        api.keep(key, event, age=90000.0 - number * 777)

    def shown(key: str) -> dict:
        row = api.rows[key]
        more = {"kind": "calendar#event", "id": key, "status": "confirmed", "updated": iso(row.at)}
        return {**more, "etag": f'"{int(row.at * 1000) * 2}"', **row.data}

    def one(req, key: str):
        if key not in api.rows:
            return None
        now, match = shown(key), req.fields.get("if-match")
        if req.method != "GET":
            if match and match not in {now["etag"], "*"}:
                return refusal(
                    412, "conditionNotMet", "Precondition Failed", locationType="header", location="If-Match"
                )
            data = {**(api.rows[key].data if req.method == "PATCH" else {}), **req.json}
            drop = {"kind", "id", "status", "updated", "etag"}
            api.keep(key, {k: v for k, v in data.items() if k not in drop})
        now = shown(key)
        return Res(200, now, {"ETag": now["etag"]})

    def many(req):
        return Res(
            200,
            {
                "kind": "calendar#events",
                "summary": name,
                "timeZone": "Europe/Lisbon",
                "nextSyncToken": "CPDAlvWDx70CEPDA",
                "items": [shown(key) for key in api.rows],
            },
        )

    api.on("GET", root, many)
    api.on("GET PUT PATCH", root + "/([^/]+)", one)
    api.on(
        "GET",
        "/calendar/v3/users/me/calendarList",
        lambda req: Res(200, {"kind": "calendar#calendarList", "items": [{"id": name, "accessRole": "writer"}]}),
    )
    return api


def policies(project: str, bindings: list) -> Api:
    """Return a project with its policy."""
    api = _api()
    api.keep("policy", bindings)

    def tag() -> str:
        row = api.rows["policy"]
        return "Bw" + base64.b64encode(hashlib.md5(f"{row.rev}{row.at}".encode()).digest()[:6]).decode() + "A="

    def change(req):
        asked = req.json["policy"]
        if asked.get("etag") and asked["etag"] != tag():
            said = (
                "There were concurrent policy changes. Please retry the whole read-modify-write with exponential "
                f"backoff. The request's ETag '{asked['etag']}' did not match the current policy's ETag '{tag()}'."
            )
            return refusal(409, "aborted", said, "ABORTED")
        api.keep("policy", asked["bindings"])
        return Res(200, {"version": 1, "etag": tag(), "bindings": asked["bindings"]})

    base = f"/v1/projects/{project}"
    api.on(
        "POST",
        base + ":getIamPolicy",
        lambda req: Res(200, {"version": 1, "etag": tag(), "bindings": api.rows["policy"].data}),
    )
    api.on("POST", base + ":setIamPolicy", change)
    api.on(
        "POST",
        base + ":testIamPermissions",
        lambda req: Res(200, {"permissions": req.json.get("permissions", [])}),
    )
    api.on(
        "GET",
        base,
        lambda req: Res(200, {"projectId": project, "lifecycleState": "ACTIVE", "projectNumber": "402117755120"}),
    )
    return api


def _print(*parts: object) -> str:
    return base64.b64encode(hashlib.md5(repr(parts).encode()).digest()[:8]).decode()


def compute(zone: str, names: list[str]) -> Api:
    """Return instances, each with a fingerprint of its own, of its metadata and of its labels."""
    api = _api()
    base = f"/compute/v1/projects/reef-prod/zones/{zone}"
    for name in names:
        api.keep(name, {"items": [{"key": "role", "value": "api"}], "labels": {"team": "reef"}}, age=86400)

    def shown(name: str) -> dict:
        row = api.rows[name]
        meta = {"kind": "compute#metadata", "fingerprint": _print(name, "m", row.data["items"])}
        return {
            "kind": "compute#instance",
            "id": str(int(hashlib.md5(name.encode()).hexdigest()[:14], 16)),
            "name": name,
            "status": "RUNNING",
            "fingerprint": _print(name, "i", row.rev),
            "metadata": {**meta, "items": row.data["items"]},
            "labels": row.data["labels"],
            "labelFingerprint": _print(name, "l", row.data["labels"]),
        }

    def act(req, name: str, verb: str):
        now, asked, row = shown(name), req.json, api.rows[name]
        key = "labelFingerprint" if verb == "setLabels" else "fingerprint"
        known = now["labelFingerprint"] if verb == "setLabels" else now["metadata"]["fingerprint"]
        if asked.get(key) != known:
            what = "labels" if verb == "setLabels" else "metadata"
            return refusal(
                412, "conditionNotMet", f"Supplied fingerprint does not match current {what} fingerprint."
            )
        part = "labels" if verb == "setLabels" else "items"
        api.keep(name, {**row.data, part: asked[part]})
        operation = f"operation-{int(time.time() * 1000)}-{verb.lower()}"
        return Res(200, {"kind": "compute#operation", "name": operation, "operationType": verb, "status": "RUNNING"})

    api.on("GET", base + "/instances", lambda req: Res(200, {"items": [shown(name) for name in names]}))
    api.on("GET", base + "/instances/([^/]+)", lambda req, name: Res(200, shown(name)))
    api.on("POST", base + "/instances/([^/]+)/(setMetadata|setLabels)", act)
    api.on(
        "GET",
        base + "/operations/([^/]+)",
        lambda req, name: Res(200, {"kind": "compute#operation", "name": name, "status": "DONE", "progress": 100}),
    )
    return api


def people(names: list[str]) -> Api:
    """Return contacts with sync tokens that live a week."""
    api, fresh = _api(), "CIK4sOWt1o4DEgQQAhgB"

    def many(req):
        token = req.query.get("syncToken")
        if token and token != fresh:
            said = "Sync token is expired. Clear local cache and retry call without the sync token."
            info = {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "EXPIRED_SYNC_TOKEN",
                "domain": "people.googleapis.com",
            }
            return Res(
                400, {"error": {"code": 400, "message": said, "status": "FAILED_PRECONDITION", "details": [info]}}
            )
        page = int(req.query.get("pageToken", "p0")[1:])
        rows = [] if token else names[page * 3 : page * 3 + 3]
        body = {
            "connections": [
                {"resourceName": f"people/c{hash_of(one)}", "etag": "%EgUBAj0D", "names": [{"displayName": one}]}
                for one in rows
            ],
            "totalPeople": len(names),
        }
        if not token and page * 3 + 3 < len(names):
            body["nextPageToken"] = f"p{page + 1}"
        else:
            body["nextSyncToken"] = fresh
        return Res(200, body)

    api.on("GET", "/v1/people/me/connections", many)
    api.on(
        "GET",
        "/v1/contactGroups",
        lambda req: Res(200, {"contactGroups": [{"resourceName": "contactGroups/myContacts", "memberCount": 7}]}),
    )
    return api


def hash_of(text: str) -> int:
    """Return a number that a text draws."""
    return int(hashlib.md5(text.encode()).hexdigest()[:12], 16)


def zones(records: list[dict]) -> Api:
    """Return a managed zone."""
    api, base = _api(), "/dns/v1/projects/orchard/managedZones/orchard-fm"
    api.keep("z", records)

    def change(req):
        live = list(api.rows["z"].data)
        for number, one in enumerate(req.json.get("deletions", [])):
            if one not in live:
                where = f"entity.change.deletions[{number}]"
                return refusal(412, "conditionNotMet", f"Precondition not met for '{where}'")
            live.remove(one)
        api.keep("z", live + req.json.get("additions", []))
        number = api.rows["z"].rev
        return Res(200, {"kind": "dns#change", "id": str(number), "status": "pending", **req.json})

    api.on(
        "GET",
        base + "/rrsets",
        lambda req: Res(
            200,
            {"kind": "dns#resourceRecordSetsListResponse", "rrsets": api.rows["z"].data},
        ),
    )
    api.on("POST", base + "/changes", change)
    api.on("GET", base + "/changes/([0-9]+)", lambda req, n: Res(200, {"kind": "dns#change", "id": n, "status": "done"}))
    api.on("GET", "/dns/v1/projects/orchard/managedZones", lambda req: Res(200, {"managedZones": [{"name": "orchard-fm", "dnsName": "orchard.fm."}]}))
    return api


def objects(bucket: str) -> Api:
    """Return a bucket's objects with their generations; downloads know ranges."""
    api = _api()

    def meta(name: str) -> dict:
        row = api.rows[name]
        return {
            "kind": "storage#object",
            "name": name,
            "bucket": bucket,
            "generation": str(int(row.at * 1e6)),
            "metageneration": "1",
            "size": str(len(row.data)),
            "md5Hash": base64.b64encode(hashlib.md5(row.data).digest()).decode(),
            "etag": "C" + base64.b64encode(f"{int(row.at * 1e6)}".encode()).decode()[:14] + "=",
            "updated": iso(row.at),
        }

    def load(req, name: str):
        if name not in api.rows:
            return None
        told, data = meta(name), api.rows[name].data
        fields = {
            "ETag": told["etag"],
            "x-goog-generation": told["generation"],
            "x-goog-hash": f"md5={told['md5Hash']}",
            "Content-Type": "text/csv",
            "Last-Modified": httpdate(api.rows[name].at),
        }
        asked = req.fields.get("range")
        if not asked:
            return Res(200, data, fields)
        low, high = (int(one) for one in asked.removeprefix("bytes=").split("-"))
        part = data[low : high + 1]
        fields["Content-Range"] = f"bytes {low}-{low + len(part) - 1}/{len(data)}"
        return Res(206, part, fields)

    def save(req):
        api.keep(req.query["name"], req.body)
        return Res(200, meta(req.query["name"]))

    api.on("GET", f"/storage/v1/b/{bucket}/o", lambda req: Res(200, {"kind": "storage#objects", "items": [meta(one) for one in api.rows]}))
    api.on("GET", f"/storage/v1/b/{bucket}/o/(.+)", lambda req, name: Res(200, meta(name)) if name in api.rows else None)
    api.on("GET", f"/download/storage/v1/b/{bucket}/o/(.+)", load)
    api.on("POST", f"/upload/storage/v1/b/{bucket}/o", save)
    return api
