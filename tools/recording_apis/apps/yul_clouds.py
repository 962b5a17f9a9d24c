# mypy: ignore-errors
"""More imitations of APIs in use after their documentation, in the process that records."""

from __future__ import annotations

import base64
import hashlib
import time
from email.utils import formatdate, parsedate_to_datetime

from tools.recording_apis.apps.vic_core import Req, Res
from tools.recording_apis.apps.yul_suites import Suite, stamp


class Box(Suite):
    """Box: files with a bare etag."""

    def answer(self, req: Req) -> Res:
        """Answer for a file or a folder."""
        key = req.path.rpartition("/")[2]
        if req.path.endswith("/items"):
            entries = [{"type": "file", "id": one, **row} for one, row in self.rows.items()]
            return Res(200, {"total_count": len(entries), "entries": entries})
        row, sent = self.rows.get(key), req.fields.get("if-match")
        if row is None or (sent is not None and sent != row["etag"]):
            status, code = (412, "precondition_failed") if sent is not None else (404, "not_found")
            said = "The resource has been modified. Please retrieve the resource again and retry"
            said = said if status == 412 else "Not Found"
            body = {
                "type": "error",
                "status": status,
                "code": code,
                "message": said,
                "request_id": "k2v0wxh7",
            }
            return Res(
                status,
                {**body, "help_url": "https://developer.box.com/guides/api-calls/permissions-and-errors"},
            )
        if req.method == "DELETE":
            del self.rows[key]
            return Res(204)
        if not req.safe:
            self.rows[key] = row = {
                **row,
                **req.json,
                "etag": str(int(row["etag"]) + 1),
                "modified_at": stamp(),
            }
        if req.fields.get("if-none-match") == row["etag"]:
            return Res(304)
        return Res(200, {"type": "file", "id": key, **row}, {"ETag": row["etag"]})


class Contentful(Suite):
    """Contentful's management API: entries under X-Contentful-Version."""

    def answer(self, req: Req) -> Res:
        """Answer for an entry or their list."""
        key, kind = (
            req.path.rpartition("/")[2],
            {"Content-Type": "application/vnd.contentful.management.v1+json"},
        )
        if key not in self.rows:
            return Res(
                200,
                {"sys": {"type": "Array"}, "total": len(self.rows), "items": list(self.rows.values())},
                kind,
            )
        row = self.rows[key]
        if not req.safe:
            sent = req.fields.get("x-contentful-version")
            if sent != str(row["sys"]["version"]):
                error = {"sys": {"type": "Error", "id": "VersionMismatch"}, "requestId": "5f1c0a2e-77"}
                return Res(409, {**error, "message": "", "details": {}}, kind)
            user = req.fields.get("authorization", "").rpartition("-")[2]
            by = {"sys": {"type": "Link", "linkType": "User", "id": user}}
            made = {
                **row["sys"],
                "version": row["sys"]["version"] + 1,
                "updatedAt": stamp(None, 3),
                "updatedBy": by,
            }
            self.rows[key] = row = {"sys": made, "fields": req.json["fields"]}
        return Res(200, row, kind)


class Compute(Suite):
    """Compute Engine: instances with a fingerprint for their labels and another for their metadata."""

    def answer(self, req: Req) -> Res:
        """Answer for an instance, its labels or its metadata."""
        name = next(one for one in req.path.split("/") if one in self.rows)
        row = self.rows[name]
        if req.safe:
            return Res(200, row, {"ETag": hashlib.md5(str(row).encode()).hexdigest()[:12] + "="})  # noqa: S324
        labels = req.path.endswith("/setLabels")
        known = row["labelFingerprint"] if labels else row["metadata"]["fingerprint"]
        if req.json.get("labelFingerprint" if labels else "fingerprint") != known:
            what = "Labels" if labels else "Supplied"
            said = f"{what} fingerprint either invalid or resource labels have changed"
            said = said if labels else "Supplied fingerprint does not match current metadata fingerprint."
            error = {"message": said, "domain": "global", "reason": "conditionNotMet", "location": "If-Match"}
            error["locationType"] = "header"
            return Res(412, {"error": {"code": 412, "message": said, "errors": [error]}})
        made = base64.b64encode(hashlib.sha1(req.body).digest()[:8]).decode()  # noqa: S324 - a fingerprint
        if labels:
            self.rows[name] = {**row, "labels": req.json["labels"], "labelFingerprint": made}
        else:
            self.rows[name] = {**row, "metadata": {**req.json, "fingerprint": made}}
        return Res(
            200, {"kind": "compute#operation", "status": "DONE", "operationType": req.path.rpartition("/")[2]}
        )


class Zones(Suite):
    """Cloud DNS: changes whose deletions equal what there is."""

    def answer(self, req: Req) -> Res:
        """Answer for the record sets or a change of them."""
        if req.safe:
            return Res(
                200, {"kind": "dns#resourceRecordSetsListResponse", "rrsets": list(self.rows.values())}
            )
        for number, one in enumerate(req.json.get("deletions", ())):
            if self.rows.get(one["name"] + one["type"]) != one:
                said = f"Precondition not met for 'entity.change.deletions[{number}]'"
                error = {"message": said, "domain": "global", "reason": "conditionNotMet"}
                return Res(412, {"error": {"code": 412, "message": said, "errors": [error]}})
        for one in req.json.get("additions", ()):
            self.rows[one["name"] + one["type"]] = one
        return Res(
            200,
            {**req.json, "kind": "dns#change", "status": "pending", "startTime": stamp(None, 3), "id": "81"},
        )


class Notes(Suite):
    """Nextcloud Notes: notes with a quoted md5; the story says which writes take long."""

    slow: tuple[str, float] = ("", 0.0)

    def __call__(self, req: Req) -> Res:
        """Answer, later for the first write of one note."""
        got = super().__call__(req)
        if not req.safe and req.path.endswith(self.slow[0]) and self.slow[1] and got.status == 200:
            wait, self.slow = self.slow[1], ("", 0.0)
            time.sleep(wait)
        return got

    def answer(self, req: Req) -> Res:
        """Answer for a note or their list."""
        key = req.path.rpartition("/")[2]
        if key not in self.rows:
            return Res(200, [self.show(one) for one in self.rows])
        if not req.safe:
            sent = req.fields.get("if-match")
            if sent is not None and sent != f'"{self.show(key)["etag"]}"':
                return Res(412, self.show(key), {"ETag": f'"{self.show(key)["etag"]}"'})
            self.rows[key] = {**self.rows[key], **req.json, "modified": int(time.time())}
        return Res(200, self.show(key), {"ETag": f'"{self.show(key)["etag"]}"'})

    def show(self, key: str) -> dict:
        """Return a note."""
        row = self.rows[key]
        return {"id": int(key), "etag": hashlib.md5(repr(sorted(row.items())).encode()).hexdigest(), **row}  # noqa: S324


class Learning(Suite):
    """An xAPI record store: profiles of activities under a quoted sha1."""

    def answer(self, req: Req) -> Res:
        """Answer for a profile."""
        key = req.query.get("profileId", "")
        version = {"X-Experience-API-Version": "1.0.3"}
        if not key:
            return Res(200, sorted(self.rows), version)
        tag = '"' + hashlib.sha1(Res(200, self.rows[key]).octets).hexdigest() + '"'  # noqa: S324 - a tag
        if req.safe:
            return Res(200, self.rows[key], {**version, "ETag": tag})
        if req.fields.get("if-match") != tag:
            said = (
                "ETag does not match the stored document"
                if "if-match" in req.fields
                else "If-Match is required"
            )
            return Res(412 if "if-match" in req.fields else 409, {"error": said}, version)
        self.rows[key] = req.json
        return Res(204, b"", version)


class Gateway(Suite):
    """SAP Gateway, OData V4: 428 without If-Match."""

    def tag(self, key: str) -> str:
        """Return the tag of an entity."""
        return f'W/"SADL-{self.rows[key][1]}C~{self.rows[key][1]}"'

    def answer(self, req: Req) -> Res:
        """Answer for an entity or their set."""
        key = req.path.rpartition("(")[2].strip(")'")
        kind = {"Content-Type": "application/json;odata.metadata=none", "OData-Version": "4.0"}
        if key not in self.rows:
            return Res(200, {"value": [row for row, _ in self.rows.values()]}, kind)
        row, moment = self.rows[key]
        if not req.safe:
            sent = req.fields.get("if-match")
            if sent not in ("*", self.tag(key)):
                code = "/IWBEP/CM_V4_APPS/017" if sent is None else "/IWBEP/CM_V4_APPS/018"
                said = (
                    "Precondition required: the If-Match header is missing"
                    if sent is None
                    else "Precondition failed"
                )
                return Res(428 if sent is None else 412, {"error": {"code": code, "message": said}}, kind)
            self.rows[key] = ({**row, **req.json}, moment + 117)
            return Res(204, b"", {"ETag": self.tag(key), "OData-Version": "4.0"})
        return Res(200, row, {**kind, "ETag": self.tag(key)})


class Repository(Suite):
    """Spring Data REST: the date is looked at when the change has been made."""

    def answer(self, req: Req) -> Res:
        """Answer for an entity or their collection."""
        key = int(req.path.rpartition("/")[2]) if req.path.rpartition("/")[2].isdigit() else 0
        kind = {"Content-Type": "application/hal+json", "Vary": "Origin"}
        if not key:
            found = [
                {**row, "_links": {"self": {"href": f"{req.path}/{one}"}}}
                for one, (row, _) in self.rows.items()
            ]
            return Res(
                200,
                {"_embedded": {"seasons": found}, "page": {"size": 20, "totalElements": len(found)}},
                kind,
            )
        row, moment = self.rows[key]
        if not req.safe:
            self.rows[key] = row, moment = {**row, **req.json}, time.time()
            since = req.fields.get("if-unmodified-since")
            if since and parsedate_to_datetime(since).timestamp() < int(moment):
                return Res(412, b"", {"Vary": "Origin", "Content-Type": "application/hal+json"})
        links = {"self": {"href": f"http://{req.fields.get('host', '')}{req.path}"}}
        fields = {**kind, "Last-Modified": formatdate(moment, usegmt=True)}
        return Res(200, {**row, "lastModifiedDate": stamp(moment, 3), "_links": links}, fields)


class Health(Suite):
    """A FHIR server: versions, weak tags that If-Match takes, conditional create."""

    def show(self, key: str) -> Res:
        """Return a resource."""
        row, version, moment = self.rows[key]
        meta = {"versionId": str(version), "lastUpdated": stamp(moment, 3)}
        fields = {"Content-Type": "application/fhir+json;charset=utf-8", "ETag": f'W/"{version}"'}
        return Res(
            200,
            {**row, "id": key, "meta": meta},
            {**fields, "Last-Modified": formatdate(moment, usegmt=True)},
        )

    def answer(self, req: Req) -> Res:
        """Answer for a resource, a search or a create."""
        key = req.path.rpartition("/")[2]
        if req.method == "POST":
            mrn = req.fields.get("if-none-exist", "").rpartition("|")[2]
            found = [one for one, (row, _, _) in self.rows.items() if row["identifier"][0]["value"] == mrn]
            if len(found) == 1:
                return self.show(found[0])
            made = f"p{len(self.rows) + 811}"
            self.rows[made] = (req.json, 1, time.time())
            got = self.show(made)
            return Res(201, got.body, {**got.fields, "Location": f"{req.path}/{made}/_history/1"})
        if key not in self.rows:
            found = [{"resource": self.show(one).body} for one in self.rows]
            return Res(200, {"resourceType": "Bundle", "type": "searchset", "entry": found})
        got = self.show(key)
        if req.safe:
            same = req.fields.get("if-none-match") == got.fields["ETag"]
            return Res(304, b"", dict(got.fields)) if same else got
        if req.fields.get("if-match") != got.fields["ETag"]:
            return Res(
                412,
                {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "conflict"}]},
            )
        row = {name: one for name, one in req.json.items() if name not in {"id", "meta"}}
        self.rows[key] = (row, self.rows[key][1] + 1, time.time())
        return self.show(key)


class Library(Suite):
    """Zotero: items under the version of their library."""

    version = 4410

    def answer(self, req: Req) -> Res:
        """Answer for an item or what is newer than a version."""
        key, own = req.path.rpartition("/")[2], {"Zotero-API-Version": "3", "Zotero-Schema-Version": "32"}
        if key == "items":
            since = int(req.query.get("since", "0"))
            if req.fields.get("if-modified-since-version") == str(self.version):
                return Res(304, b"", {**own, "Last-Modified-Version": str(self.version)})
            found = [{"key": one, **row} for one, row in self.rows.items() if row["version"] > since]
            return Res(
                200,
                found,
                {**own, "Last-Modified-Version": str(self.version), "Total-Results": str(len(found))},
            )
        row = self.rows[key]
        if req.safe:
            return Res(200, {"key": key, **row}, {**own, "Last-Modified-Version": str(row["version"])})
        if req.fields.get("if-unmodified-since-version") != str(row["version"]):
            return Res(
                412, f"Item has been modified since specified version (expected {row['version']})", own
            )
        self.version += 1
        self.rows[key] = {"version": self.version, "data": {**row["data"], **req.json}}
        return Res(204, b"", {**own, "Last-Modified-Version": str(self.version)})


class Bucket(Suite):
    """Cloud Storage's JSON API: objects with a generation."""

    number = 1795862001442198

    def answer(self, req: Req) -> Res:
        """Answer for an object, a list or an upload."""
        if req.method == "POST":
            key = req.query["name"]
            known = self.rows.get(key, (b"", 0, 0))[1]
            if req.query.get("ifGenerationMatch", str(known)) != str(known):
                said = "At least one of the pre-conditions you specified did not hold."
                error = {"message": said, "domain": "global", "reason": "conditionNotMet"}
                return Res(412, {"error": {"code": 412, "message": said, "errors": [error]}})
            self.number += 7310044 + len(req.body)
            self.rows[key] = (req.body, self.number, 1)
            return self.meta(key)
        key = req.path.rpartition("/o/")[2]
        if not key:
            return Res(200, {"kind": "storage#objects", "items": [self.meta(one).body for one in self.rows]})
        if key not in self.rows:
            return Res(404, {"error": {"code": 404, "message": f"No such object: lager/{key}"}})
        if req.query.get("alt") == "media":
            return Res(200, self.rows[key][0], {"X-Goog-Generation": str(self.rows[key][1])})
        return self.meta(key)

    def meta(self, key: str) -> Res:
        """Return what is known about an object."""
        body, number, meta = self.rows[key]
        tag = base64.b64encode(str(number).encode()).decode()[:14] + "EAE="
        size = {"size": str(len(body)), "md5Hash": base64.b64encode(hashlib.md5(body).digest()).decode()}  # noqa: S324
        made = {"generation": str(number), "metageneration": str(meta), "etag": tag, "name": key, **size}
        return Res(200, {"kind": "storage#object", **made}, {"ETag": tag})
