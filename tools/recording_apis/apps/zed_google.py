# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ARG002, ARG005, D102, E501, S324 - routes are handed all that they may want
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


class _Google(Api):
    def __init__(self) -> None:
        super().__init__(lambda _req: dict(_FIELDS), lambda _req: refusal(404, "notFound", "Not Found"))


class Calendar(_Google):
    """API: a calendar's events."""

    def __init__(self, name: str, events: dict) -> None:
        """Start with what is there."""
        self.name = name
        super().__init__()
        root = f"/calendar/v3/calendars/{self.name}/events"
        for number, (key, event) in enumerate(events.items()):
            self.keep(key, event, age=90000.0 - number * 777)
        self.on("GET", root, self.many)
        self.on("GET PUT PATCH", root + "/([^/]+)", self.one)
        self.on(
            "GET",
            "/calendar/v3/users/me/calendarList",
            lambda req: Res(
                200, {"kind": "calendar#calendarList", "items": [{"id": self.name, "accessRole": "writer"}]}
            ),
        )

    def shown(self, key: str) -> dict:
        row = self.rows[key]
        more = {"kind": "calendar#event", "id": key, "status": "confirmed", "updated": iso(row.at)}
        return {**more, "etag": f'"{int(row.at * 1000) * 2}"', **row.data}

    def one(self, req, key: str):
        if key not in self.rows:
            return None
        now, match = (self.shown(key), req.fields.get("if-match"))
        if req.method != "GET":
            if match and match not in {now["etag"], "*"}:
                return refusal(
                    412, "conditionNotMet", "Precondition Failed", locationType="header", location="If-Match"
                )
            data = {**(self.rows[key].data if req.method == "PATCH" else {}), **req.json}
            drop = {"kind", "id", "status", "updated", "etag"}
            self.keep(key, {k: v for k, v in data.items() if k not in drop})
        now = self.shown(key)
        return Res(200, now, {"ETag": now["etag"]})

    def many(self, req):
        return Res(
            200,
            {
                "kind": "calendar#events",
                "summary": self.name,
                "timeZone": "Europe/Lisbon",
                "nextSyncToken": "CPDAlvWDx70CEPDA",
                "items": [self.shown(key) for key in self.rows],
            },
        )


class Policies(_Google):
    """API: a project with its policy."""

    def __init__(self, project: str, bindings: list) -> None:
        """Start with what is there."""
        super().__init__()
        self.keep("policy", bindings)
        base = f"/v1/projects/{project}"
        self.on(
            "POST",
            base + ":getIamPolicy",
            lambda req: Res(200, {"version": 1, "etag": self.tag(), "bindings": self.rows["policy"].data}),
        )
        self.on("POST", base + ":setIamPolicy", self.change)
        self.on(
            "POST",
            base + ":testIamPermissions",
            lambda req: Res(200, {"permissions": req.json.get("permissions", [])}),
        )
        self.on(
            "GET",
            base,
            lambda req: Res(
                200, {"projectId": project, "lifecycleState": "ACTIVE", "projectNumber": "402117755120"}
            ),
        )

    def tag(self) -> str:
        row = self.rows["policy"]
        return (
            "Bw" + base64.b64encode(hashlib.md5(f"{row.rev}{row.at}".encode()).digest()[:6]).decode() + "A="
        )

    def change(self, req):
        asked = req.json["policy"]
        if asked.get("etag") and asked["etag"] != self.tag():
            said = f"There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. The request's ETag '{asked['etag']}' did not match the current policy's ETag '{self.tag()}'."
            return refusal(409, "aborted", said, "ABORTED")
        self.keep("policy", asked["bindings"])
        return Res(200, {"version": 1, "etag": self.tag(), "bindings": asked["bindings"]})


def _print(*parts: object) -> str:
    return base64.b64encode(hashlib.md5(repr(parts).encode()).digest()[:8]).decode()


class Compute(_Google):
    """API: instances, each with a fingerprint of its own, of its metadata and of its labels."""

    def __init__(self, zone: str, names: list[str]) -> None:
        """Start with what is there."""
        super().__init__()
        base = f"/compute/v1/projects/reef-prod/zones/{zone}"
        for name in names:
            self.keep(
                name, {"items": [{"key": "role", "value": "api"}], "labels": {"team": "reef"}}, age=86400
            )
        self.on(
            "GET", base + "/instances", lambda req: Res(200, {"items": [self.shown(name) for name in names]})
        )
        self.on("GET", base + "/instances/([^/]+)", lambda req, name: Res(200, self.shown(name)))
        self.on("POST", base + "/instances/([^/]+)/(setMetadata|setLabels)", self.act)
        self.on(
            "GET",
            base + "/operations/([^/]+)",
            lambda req, name: Res(
                200, {"kind": "compute#operation", "name": name, "status": "DONE", "progress": 100}
            ),
        )

    def shown(self, name: str) -> dict:
        row = self.rows[name]
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

    def act(self, req, name: str, verb: str):
        now, asked, row = (self.shown(name), req.json, self.rows[name])
        key = "labelFingerprint" if verb == "setLabels" else "fingerprint"
        known = now["labelFingerprint"] if verb == "setLabels" else now["metadata"]["fingerprint"]
        if asked.get(key) != known:
            what = "labels" if verb == "setLabels" else "metadata"
            return refusal(
                412, "conditionNotMet", f"Supplied fingerprint does not match current {what} fingerprint."
            )
        part = "labels" if verb == "setLabels" else "items"
        self.keep(name, {**row.data, part: asked[part]})
        operation = f"operation-{int(time.time() * 1000)}-{verb.lower()}"
        return Res(
            200, {"kind": "compute#operation", "name": operation, "operationType": verb, "status": "RUNNING"}
        )


class People(_Google):
    """API: contacts with sync tokens that live a week."""

    def __init__(self, names: list[str]) -> None:
        """Start with what is there."""
        self.names = names
        super().__init__()
        self.fresh = "CIK4sOWt1o4DEgQQAhgB"
        self.on("GET", "/v1/people/me/connections", self.many)
        self.on(
            "GET",
            "/v1/contactGroups",
            lambda req: Res(
                200, {"contactGroups": [{"resourceName": "contactGroups/myContacts", "memberCount": 7}]}
            ),
        )

    def many(self, req):
        token = req.query.get("syncToken")
        if token and token != self.fresh:
            said = "Sync token is expired. Clear local cache and retry call without the sync token."
            info = {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "EXPIRED_SYNC_TOKEN",
                "domain": "people.googleapis.com",
            }
            return Res(
                400,
                {"error": {"code": 400, "message": said, "status": "FAILED_PRECONDITION", "details": [info]}},
            )
        page = int(req.query.get("pageToken", "p0")[1:])
        rows = [] if token else self.names[page * 3 : page * 3 + 3]
        body = {
            "connections": [
                {
                    "resourceName": f"people/c{hash_of(one)}",
                    "etag": "%EgUBAj0D",
                    "names": [{"displayName": one}],
                }
                for one in rows
            ],
            "totalPeople": len(self.names),
        }
        if not token and page * 3 + 3 < len(self.names):
            body["nextPageToken"] = f"p{page + 1}"
        else:
            body["nextSyncToken"] = self.fresh
        return Res(200, body)


def hash_of(text: str) -> int:
    """Return a number that a text draws."""
    return int(hashlib.md5(text.encode()).hexdigest()[:12], 16)


class Zones(_Google):
    """API: a managed zone."""

    def __init__(self, records: list[dict]) -> None:
        """Start with what is there."""
        super().__init__()
        base = "/dns/v1/projects/orchard/managedZones/orchard-fm"
        self.keep("z", records)
        self.on(
            "GET",
            base + "/rrsets",
            lambda req: Res(
                200, {"kind": "dns#resourceRecordSetsListResponse", "rrsets": self.rows["z"].data}
            ),
        )
        self.on("POST", base + "/changes", self.change)
        self.on(
            "GET",
            base + "/changes/([0-9]+)",
            lambda req, n: Res(200, {"kind": "dns#change", "id": n, "status": "done"}),
        )
        self.on(
            "GET",
            "/dns/v1/projects/orchard/managedZones",
            lambda req: Res(200, {"managedZones": [{"name": "orchard-fm", "dnsName": "orchard.fm."}]}),
        )

    def change(self, req):
        live = list(self.rows["z"].data)
        for number, one in enumerate(req.json.get("deletions", [])):
            if one not in live:
                where = f"entity.change.deletions[{number}]"
                return refusal(412, "conditionNotMet", f"Precondition not met for '{where}'")
            live.remove(one)
        self.keep("z", live + req.json.get("additions", []))
        number = self.rows["z"].rev
        return Res(200, {"kind": "dns#change", "id": str(number), "status": "pending", **req.json})


class Objects(_Google):
    """API: a bucket's objects with their generations; downloads know ranges."""

    def __init__(self, bucket: str) -> None:
        """Start with what is there."""
        self.bucket = bucket
        super().__init__()
        self.on(
            "GET",
            f"/storage/v1/b/{self.bucket}/o",
            lambda req: Res(200, {"kind": "storage#objects", "items": [self.meta(one) for one in self.rows]}),
        )
        self.on(
            "GET",
            f"/storage/v1/b/{self.bucket}/o/(.+)",
            lambda req, name: Res(200, self.meta(name)) if name in self.rows else None,
        )
        self.on("GET", f"/download/storage/v1/b/{self.bucket}/o/(.+)", self.load)
        self.on("POST", f"/upload/storage/v1/b/{self.bucket}/o", self.save)

    def meta(self, name: str) -> dict:
        row = self.rows[name]
        return {
            "kind": "storage#object",
            "name": name,
            "bucket": self.bucket,
            "generation": str(int(row.at * 1000000.0)),
            "metageneration": "1",
            "size": str(len(row.data)),
            "md5Hash": base64.b64encode(hashlib.md5(row.data).digest()).decode(),
            "etag": "C" + base64.b64encode(f"{int(row.at * 1000000.0)}".encode()).decode()[:14] + "=",
            "updated": iso(row.at),
        }

    def load(self, req, name: str):
        if name not in self.rows:
            return None
        told, data = (self.meta(name), self.rows[name].data)
        fields = {
            "ETag": told["etag"],
            "x-goog-generation": told["generation"],
            "x-goog-hash": f"md5={told['md5Hash']}",
            "Content-Type": "text/csv",
            "Last-Modified": httpdate(self.rows[name].at),
        }
        asked = req.fields.get("range")
        if not asked:
            return Res(200, data, fields)
        low, high = (int(one) for one in asked.removeprefix("bytes=").split("-"))
        part = data[low : high + 1]
        fields["Content-Range"] = f"bytes {low}-{low + len(part) - 1}/{len(data)}"
        return Res(206, part, fields)

    def save(self, req):
        self.keep(req.query["name"], req.body)
        return Res(200, self.meta(req.query["name"]))
