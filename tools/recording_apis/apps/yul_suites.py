# mypy: ignore-errors
"""Imitations of some APIs in use after their documentation, in the process that records."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from email.utils import formatdate, parsedate_to_datetime
from urllib.parse import parse_qsl

from tools.recording_apis.apps.vic_core import Req, Res


def stamp(moment: float | None = None, digits: int = 0) -> str:
    """Return a moment after RFC 3339."""
    moment = time.time() if moment is None else moment
    part = f".{int(moment % 1 * 10**digits):0{digits}d}" if digits else ""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + part + "Z"


class Suite:
    """What they share: rows under a lock, and plain answers beside."""

    def __init__(self, rows: dict, beside: dict | None = None) -> None:
        self.rows, self.beside, self.lock = rows, beside or {}, threading.RLock()

    def __call__(self, req: Req) -> Res:
        """Answer a request."""
        if req.safe and req.target in self.beside:
            return Res(200, self.beside[req.target], {"Content-Type": "application/json"})
        with self.lock:
            got = self.answer(req)
        got.fields.setdefault("Content-Type", "application/json")
        if got.status in {204, 304}:
            got.fields.pop("Content-Type")
        return got

    def answer(self, req: Req) -> Res:
        """Answer what is its own."""
        raise NotImplementedError


class Cluster(Suite):
    """Kubernetes: deployments with a resourceVersion in their metadata."""

    version = 884120

    def answer(self, req: Req) -> Res:
        """Answer for a deployment or their list."""
        name = req.path.rpartition("/")[2]
        row = self.rows.get(name)
        if row is None:
            head = {"kind": "DeploymentList", "metadata": {"resourceVersion": str(self.version)}}
            return Res(200, {**head, "items": list(self.rows.values())})
        if req.safe:
            return Res(200, row)
        sent, meta = req.json, row["metadata"]
        wanted = sent.get("metadata", {}).get("resourceVersion")
        if wanted not in (None, meta["resourceVersion"]):
            said = (
                f'Operation cannot be fulfilled on deployments.apps "{name}": the object has been modified; '
            )
            said += "please apply your changes to the latest version and try again"
            return Res(
                409,
                {"kind": "Status", "status": "Failure", "message": said, "reason": "Conflict", "code": 409},
            )
        self.version += 37
        spec = {**row["spec"], **sent["spec"]}
        agent = req.fields.get("user-agent", "").partition("/")[0]
        managed = [{"manager": agent, "operation": "Update", "time": stamp()}]
        new = {
            **meta,
            "resourceVersion": str(self.version),
            "generation": meta["generation"] + 1,
            "managedFields": managed,
        }
        self.rows[name] = {**row, "metadata": new, "spec": spec}
        return Res(200, self.rows[name])


class Sync(Suite):
    """Twilio Sync: documents with a revision."""

    def answer(self, req: Req) -> Res:
        """Answer for a document or their list."""
        name = req.path.rpartition("/")[2]
        row = self.rows.get(name)
        if row is None:
            return Res(200, {"documents": list(self.rows.values()), "meta": {"page": 0, "key": "documents"}})
        if not req.safe:
            sent = req.fields.get("if-match")
            if sent is not None and sent != row["revision"]:
                said = {
                    "code": 54103,
                    "message": "The revision of the Document does not match",
                    "status": 412,
                }
                return Res(412, {**said, "more_info": "https://www.twilio.com/docs/errors/54103"})
            form = dict(parse_qsl(req.body.decode()))
            revision = f"{int(row['revision'], 16) + 1:x}"
            by = req.fields.get("authorization", "").rpartition(" ")[2]
            row = {
                **row,
                "data": form["Data"],
                "revision": revision,
                "created_by": by,
                "date_updated": stamp(),
            }
            self.rows[name] = row
        return Res(200, row, {"ETag": row["revision"]})


class Lists(Suite):
    """SharePoint: list items with their version as the tag, merged by POST."""

    def answer(self, req: Req) -> Res:
        """Answer for an item."""
        key = int(req.path.rpartition("(")[2].rstrip(")"))
        row, version = self.rows[key]
        tag = f'"{version}"'
        kind = {"Content-Type": "application/json;odata=minimalmetadata;charset=utf-8"}
        if req.safe:
            if req.fields.get("if-none-match") == tag:
                return Res(304, b"", {"ETag": tag})
            return Res(200, {"odata.etag": tag, "Id": key, **row}, {**kind, "ETag": tag})
        if req.fields.get("if-match") not in ("*", tag):
            said = "The request ETag value does not match the object's ETag value"
            code = "-1, Microsoft.SharePoint.Client.ClientServiceException"
            body = {"odata.error": {"code": code, "message": {"lang": "nb-NO", "value": said}}}
            return Res(412, body, kind)
        self.rows[key] = ({**row, **req.json}, version + 1)
        return Res(204, b"", {"ETag": f'"{version + 1}"'})


class Datasets(Suite):
    """z/OSMF: members of a library; the check and the write are two steps."""

    def __call__(self, req: Req) -> Res:
        """Answer for a member, in two steps when it is written."""
        name = req.path.rpartition("/")[2]
        if name not in self.rows:
            items = [{"member": one.partition("(")[2].rstrip(")")} for one in self.rows]
            return Res(
                200, {"items": items, "returnedRows": len(items)}, {"Content-Type": "application/json"}
            )
        tag = hashlib.md5(self.rows[name].encode()).hexdigest().upper()  # noqa: S324 - a tag
        own = {"ETag": tag} if req.fields.get("x-ibm-return-etag") == "true" else {}
        if req.safe:
            return Res(200, self.rows[name], {**own, "Content-Type": "text/plain; charset=UTF-8"})
        if req.fields.get("if-match", tag) != tag:
            return Res(412, {"rc": 4, "reason": 6, "category": 6, "message": "Etag mismatch"}, {})
        time.sleep(0.35)
        self.rows[name] = req.body.decode()
        tag = hashlib.md5(req.body).hexdigest().upper()  # noqa: S324 - a tag
        return Res(204, b"", {"ETag": tag} if own else {})


class Canvas(Suite):
    """Canvas Medical: FHIR resources under If-Unmodified-Since, no tags."""

    def show(self, key: str) -> dict:
        """Return a resource."""
        row, moment = self.rows[key]
        return {**row, "meta": {"lastUpdated": stamp(moment, 6)}}

    def answer(self, req: Req) -> Res:
        """Answer for a resource or a search."""
        key, kind = req.path.rpartition("/")[2], {"Content-Type": "application/fhir+json"}
        if key not in self.rows:
            entries = [{"resource": self.show(one)} for one in self.rows]
            bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}
            return Res(200, bundle, kind)
        _, moment = self.rows[key]
        if not req.safe:
            since = req.fields.get("if-unmodified-since")
            if since and int(moment) > parsedate_to_datetime(since).timestamp():
                issue = {
                    "severity": "error",
                    "code": "conflict",
                    "details": {"text": "Resource was updated since"},
                }
                return Res(412, {"resourceType": "OperationOutcome", "issue": [issue]}, kind)
            self.rows[key] = ({k: v for k, v in req.json.items() if k != "meta"}, time.time())
        return Res(200, self.show(key), {**kind, "Last-Modified": formatdate(self.rows[key][1], usegmt=True)})


class Keys(Suite):
    """Consul: keys with a ModifyIndex, written by check-and-set."""

    index = 20411

    def answer(self, req: Req) -> Res:
        """Answer for a key or what begins with it."""
        key = req.path.removeprefix("/v1/kv/")
        own = {"X-Consul-Index": str(self.index), "X-Consul-Knownleader": "true", "X-Consul-Lastcontact": "0"}
        if req.safe:
            found = [
                one
                for one in sorted(self.rows)
                if one == key or ("recurse" in req.query and one.startswith(key))
            ]
            shown = [
                {
                    "LockIndex": 0,
                    "Key": one,
                    "Flags": 0,
                    "Value": base64.b64encode(self.rows[one][0]).decode(),
                    "CreateIndex": 19002,
                    "ModifyIndex": self.rows[one][1],
                }
                for one in found
            ]
            return Res(200, shown, own) if shown else Res(404, b"", own)
        known = self.rows.get(key, (b"", 0))[1]
        if "cas" in req.query and int(req.query["cas"]) != known:
            return Res(200, "false", own)
        self.index += 6
        self.rows[key] = (req.body, self.index)
        return Res(200, "true")


class Search(Suite):
    """Elasticsearch: documents with a sequence number and a primary term."""

    seq = 511

    def __call__(self, req: Req) -> Res:
        """Take a moment for a write before the answer."""
        got = super().__call__(req)
        if not req.safe:
            time.sleep(0.15)
        return got

    def answer(self, req: Req) -> Res:
        """Answer for a document or a search."""
        index, _, key = req.path.strip("/").split("/")[0], *req.path.rpartition("/")[1:]
        own = {"X-Elastic-Product": "Elasticsearch", "Content-Type": "application/json; charset=UTF-8"}
        if key not in self.rows:
            hits = [{"_index": index, "_id": one, "_source": row[0]} for one, row in self.rows.items()]
            return Res(
                200,
                {"took": 2, "timed_out": False, "hits": {"total": {"value": len(hits)}, "hits": hits}},
                own,
            )
        source, seq, version = self.rows[key]
        head = {"_index": index, "_id": key}
        if req.safe:
            more = {"_version": version, "_seq_no": seq, "_primary_term": 3, "found": True}
            return Res(200, {**head, **more, "_source": source}, own)
        wanted = req.query.get("if_seq_no")
        if wanted is not None and int(wanted) != seq:
            said = f"[{key}]: version conflict, required seqNo [{wanted}], primary term [3]. "
            said += f"current document has seqNo [{seq}] and primary term [3]"
            cause = {
                "type": "version_conflict_engine_exception",
                "reason": said,
                "shard": "0",
                "index": index,
            }
            return Res(409, {"error": {"root_cause": [cause], **cause}, "status": 409}, own)
        self.seq += 1
        self.rows[key] = (req.json, self.seq, version + 1)
        more = {
            "_version": version + 1,
            "result": "updated",
            "_shards": {"total": 2, "successful": 2, "failed": 0},
        }
        return Res(200, {**head, **more, "_seq_no": self.seq, "_primary_term": 3}, own)


class Drive(Suite):
    """Microsoft Graph: items of a drive with eTag and cTag."""

    def show(self, key: str) -> dict:
        """Return an item."""
        row = self.rows[key]
        own = {
            "id": key,
            "eTag": f'"{{{key[-8:]}-5E1C}},{row["n"]}"',
            "cTag": f'"c:{{{key[-8:]}-5E1C}},{row["c"]}"',
        }
        return {**own, **{name: one for name, one in row.items() if name not in {"n", "c"}}}

    def touch(self, key: str, by: dict, **more: object) -> None:
        """Change an item."""
        row = self.rows[key]
        made = {"lastModifiedBy": by, "lastModifiedDateTime": stamp()}
        self.rows[key] = {**row, **more, **made, "n": row["n"] + 1}

    def answer(self, req: Req) -> Res:
        """Answer for an item or its folder."""
        key = next((one for one in self.rows if one in req.path), "")
        own = {"request-id": hashlib.sha1(req.target.encode() + stamp().encode()).hexdigest()[:16]}  # noqa: S324
        if not key:
            return Res(200, {"value": [self.show(one) for one in self.rows]}, own)
        if not req.safe:
            if req.fields.get("if-match", self.show(key)["eTag"]) != self.show(key)["eTag"]:
                inner = {"date": stamp()[:-1], "request-id": own["request-id"]}
                said = {"code": "resourceModified", "message": "ETag does not match current item's value"}
                return Res(412, {"error": {**said, "innerError": inner}}, own)
            by = {"user": {"displayName": "Hana Novotná", "id": "48d31887"}}
            if req.path.endswith("/content"):
                self.touch(key, by, size=len(req.body), c=self.rows[key]["c"] + 1)
            else:
                self.touch(key, by, **req.json)
        return Res(200, self.show(key), own)
