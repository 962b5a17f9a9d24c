"""Imitations of stores, suites and clusters after their documentation."""

from __future__ import annotations

import base64
import time
import uuid
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.uma_core import Ask, md5
from tools.recording_apis.apps.uma_ledger import Ledger, Rec, iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording_apis.apps.uma_words import Reply

__all__ = [
    "canvas",
    "confluence",
    "consul",
    "contentful",
    "davical",
    "elastic",
    "fhir",
    "gitlab",
    "kubernetes",
    "sync15",
    "zotero",
]


def contentful(box: Ledger) -> Callable[[Ask], Reply]:
    """Return Contentful's entries: X-Contentful-Version, 409 VersionMismatch, publishing counts up."""
    media = {"Content-Type": "application/vnd.contentful.management.v1+json"}
    published: dict[str, int] = {}

    def shown(key: str, rec: Rec) -> dict[str, Any]:
        inner = {"id": key, "type": "Entry", "version": rec.version, "updatedAt": iso(rec.at)}
        inner |= {"publishedVersion": published[key]} if key in published else {}
        return {"sys": inner, "fields": rec.data}

    def answer(ask: Ask) -> Reply:
        parts = ask.path.split("/entries")[1].strip("/").split("/")
        if not parts[0]:
            rows = [shown(key, rec) for key, rec in box.below("").items()]
            return 200, media, {"sys": {"type": "Array"}, "total": len(rows), "items": rows}
        with box.lock:
            rec = box.get(parts[0])
            if rec is None:
                return 404, media, {"sys": {"type": "Error", "id": "NotFound"}}
            if ask.method == "PUT":
                if ask.fields.get("x-contentful-version") != str(rec.version):
                    error = {
                        "sys": {"type": "Error", "id": "VersionMismatch"},
                        "requestId": str(uuid.uuid4()),
                    }
                    return 409, media, error
                if parts[-1] == "published":
                    published[parts[0]] = rec.version
                    rec = box.put(parts[0], rec.data)
                else:
                    rec = box.put(parts[0], ask.json["fields"])
        return 200, media, shown(parts[0], rec)

    return answer


def elastic(box: Ledger) -> Callable[[Ask], Reply]:
    """Return Elasticsearch's documents: if_seq_no, 409 version_conflict_engine_exception."""
    product = {"X-elastic-product": "Elasticsearch"}

    def answer(ask: Ask) -> Reply:
        index, kind, *rest = ask.path.strip("/").split("/")
        if kind in {"_search", "_count"}:
            hits = [{"_id": key, "_source": rec.data} for key, rec in box.below("").items()]
            return 200, product, {"took": 2, "hits": {"total": {"value": len(hits)}, "hits": hits}}
        key = rest[0]
        with box.lock:
            rec = box.get(key)
            head: dict[str, Any] = {"_index": index, "_id": key}
            if ask.method == "PUT":
                want = ask.query.get("if_seq_no")
                if want is not None and (rec is None or want != str(rec.serial)):
                    now = rec.serial if rec else -2
                    reason = f"[{key}]: version conflict, required seqNo [{want}], primary term [1]. "
                    reason += f"current document has seqNo [{now}] and primary term [1]"
                    cause = {"type": "version_conflict_engine_exception", "reason": reason, "index": index}
                    return 409, product, {"error": {"root_cause": [cause], **cause}, "status": 409}
                made = box.put(key, ask.json)
                told = {"_version": made.version, "result": "updated" if rec else "created"}
                return (
                    200 if rec else 201,
                    product,
                    {**head, **told, "_seq_no": made.serial, "_primary_term": 1},
                )
        if rec is None:
            return 404, product, {**head, "found": False}
        told = {"_version": rec.version, "_seq_no": rec.serial, "_primary_term": 1, "found": True}
        return 200, product, {**head, **told, "_source": rec.data}

    return answer


def confluence(box: Ledger) -> Callable[[Ask], Reply]:
    """Return Confluence's pages: version.number has to be the current one plus one, else 409."""

    def shown(key: str, rec: Rec) -> dict[str, Any]:
        version = {"number": rec.version, "when": iso(rec.at), "by": {"displayName": rec.by}}
        body = {"storage": {"value": rec.data["body"], "representation": "storage"}}
        return {"id": key, "type": "page", "title": rec.data["title"], "version": version, "body": body}

    def answer(ask: Ask) -> Reply:
        key = ask.path.rsplit("/", 1)[1]
        if key == "content":
            rows = [shown(name, rec) for name, rec in box.below("").items()]
            return 200, {}, {"results": rows, "size": len(rows)}
        with box.lock:
            rec = box.get(key)
            if rec is None:
                return 404, {}, {"statusCode": 404, "message": f"No content found with id: {key}"}
            if ask.method == "PUT":
                if ask.json["version"]["number"] != rec.version + 1:
                    message = (
                        "Version must be incremented on update. Current version is: "
                        f"{rec.version}; attempted to update stale data"
                    )
                    return 409, {}, {"statusCode": 409, "data": {"authorized": True}, "message": message}
                data = {"title": ask.json["title"], "body": ask.json["body"]["storage"]["value"]}
                rec = box.put(key, data, ask.fields.get("x-user", "?"))
        return 200, {}, shown(key, rec)

    return answer


def zotero(box: Ledger) -> Callable[[Ask], Reply]:
    """Return a Zotero library whose version guards all writes: If-Unmodified-Since-Version, 412."""

    def answer(ask: Ask) -> Reply:
        own = {"Zotero-API-Version": "3", "Last-Modified-Version": str(box.serial)}
        key = ask.path.split("/items")[1].strip("/")
        if not key:
            if ask.fields.get("if-modified-since-version") == str(box.serial):
                return 304, own, None
            rows = [
                {"key": name, "version": rec.serial, "data": rec.data} for name, rec in box.below("").items()
            ]
            return 200, {**own, "Total-Results": str(len(rows))}, rows
        with box.lock:
            rec = box.get(key)
            if rec is None:
                return 404, own, "Item does not exist"
            if ask.method in {"PUT", "PATCH"}:
                sent = ask.fields.get("if-unmodified-since-version")
                if sent is None:
                    return 428, own, "If-Unmodified-Since-Version not provided"
                if int(sent) < box.serial:
                    text = "Library has been modified since specified version "
                    text += f"(expected {sent}, found {box.serial})"
                    return 412, own, text
                box.put(key, {**rec.data, **ask.json})
                return 204, {**own, "Last-Modified-Version": str(box.serial)}, None
        return 200, own, {"key": key, "version": rec.serial, "data": rec.data}

    return answer


def fhir(box: Ledger) -> Callable[[Ask], Reply]:
    """Return FHIR resources: If-Match with W/"versionId", 412 for a search with several hits."""
    media = {"Content-Type": "application/fhir+json; fhirVersion=4.0"}

    def shown(key: str, rec: Rec) -> dict[str, Any]:
        kind, ident = key.split("/")
        meta = {"versionId": str(rec.version), "lastUpdated": iso(rec.at)}
        return {"resourceType": kind, "id": ident, "meta": meta, **rec.data}

    def outcome(status: int, code: str, text: str) -> Reply:
        issue = [{"severity": "error", "code": code, "diagnostics": text}]
        return status, media, {"resourceType": "OperationOutcome", "issue": issue}

    def found(ask: Ask, kind: str) -> dict[str, Rec]:
        wanted = {name: one.split("|")[-1] for name, one in ask.query.items()}
        return {
            key: rec
            for key, rec in box.below(f"{kind}/").items()
            if all(rec.data.get(n) == v for n, v in wanted.items())
        }

    def answer(ask: Ask) -> Reply:
        key = ask.path.split("/fhir/")[1]
        if "/" not in key:
            hits = found(ask, key)
            if ask.method == "PUT":
                if len(hits) > 1:
                    text = f"Conditional update: {len(hits)} resources match the criteria; at most one may."
                    return outcome(412, "multiple-matches", text)
                key = next(iter(hits), f"{key}/{len(box.records) + 400}")
            else:
                rows = [{"resource": shown(name, rec)} for name, rec in hits.items()]
                return (
                    200,
                    media,
                    {"resourceType": "Bundle", "type": "searchset", "total": len(rows), "entry": rows},
                )
        with box.lock:
            rec = box.get(key)
            if ask.method == "PUT":
                sent = ask.fields.get("if-match")
                if sent is not None and (rec is None or sent != f'W/"{rec.version}"'):
                    now = rec.version if rec else "none"
                    return outcome(
                        412, "conflict", f"If-Match {sent} does not name the current version {now}"
                    )
                data = {n: v for n, v in ask.json.items() if n not in {"resourceType", "id", "meta"}}
                made = box.put(key, data)
                return 201 if rec is None else 200, {**media, "ETag": f'W/"{made.version}"'}, shown(key, made)
        if rec is None:
            return outcome(404, "not-found", f"Resource {key} is not known")
        return 200, {**media, "ETag": f'W/"{rec.version}"'}, shown(key, rec)

    return answer


def consul(box: Ledger) -> Callable[[Ask], Reply]:
    """Return Consul's key store: cas in the query, 200 with true or false."""

    def answer(ask: Ask) -> Reply:
        own = {"X-Consul-Index": str(box.serial)}
        if not ask.path.startswith("/v1/kv/"):
            return 200, own, [{"Node": "n1", "Service": "web", "Status": "passing"}]
        key = ask.path.removeprefix("/v1/kv/")
        with box.lock:
            rec = box.get(key)
            if ask.method == "PUT":
                want = ask.query.get("cas")
                if want is not None and want != str(rec.serial if rec else 0):
                    return 200, {"Content-Type": "application/json"}, b"false"
                box.put(key, ask.body.decode())
                return 200, {"Content-Type": "application/json"}, b"true"
        rows = box.below(key) if "recurse" in ask.query else {key: rec} if rec else {}
        if not rows:
            return 404, own, b""
        told = [
            {
                "Key": name,
                "Value": base64.b64encode(one.data.encode()).decode(),
                "ModifyIndex": one.serial,
                "Flags": 0,
            }
            for name, one in rows.items()
        ]
        return 200, own, told

    return answer


def kubernetes(box: Ledger, lasts: float = 1e9) -> Callable[[Ask], Reply]:
    """Return Kubernetes objects: resourceVersion, 409; a continue token lasts so many seconds."""

    def status(code: int, reason: str, message: str) -> Reply:
        told = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason}
        return code, {}, {**told, "message": message}

    def shown(key: str, rec: Rec) -> dict[str, Any]:
        space, name = key.split("/")[-3], key.rsplit("/", maxsplit=1)[-1]
        meta = {
            "name": name,
            "namespace": space,
            "resourceVersion": str(rec.serial),
            "generation": rec.version,
        }
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": rec.data}

    def listed(ask: Ask) -> Reply:
        rows = list(box.below(f"{ask.path}/").items())
        start, limit = 0, int(ask.query.get("limit", 500))
        if mark := ask.query.get("continue"):
            at, start = (int(one) for one in base64.b64decode(mark).split(b"."))
            if time.time() * 1000 - at > lasts * 1000:
                text = "The provided continue parameter is too old to display a consistent list result. "
                return status(
                    410, "Expired", f"{text}You can start a new list without the continue parameter."
                )
        meta: dict[str, str] = {"resourceVersion": str(box.serial)}
        if start + limit < len(rows):
            meta["continue"] = base64.b64encode(
                f"{int(time.time() * 1000)}.{start + limit}".encode()
            ).decode()
        some = [shown(key, rec) for key, rec in rows[start : start + limit]]
        return 200, {}, {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": meta, "items": some}

    def answer(ask: Ask) -> Reply:
        if ask.path in {"/readyz", "/version"}:
            return 200, {}, "ok"
        with box.lock:
            rec = box.get(ask.path)
            if rec is None:
                name = ask.path.rsplit("/", 1)[1]
                if ask.path.endswith(("configmaps", "leases")):
                    return listed(ask)
                return status(404, "NotFound", f'configmaps "{name}" not found')
            if ask.method == "PUT":
                sent = ask.json["metadata"].get("resourceVersion")
                if sent is not None and sent != str(rec.serial):
                    name = ask.path.rsplit("/", 1)[1]
                    text = f'Operation cannot be fulfilled on configmaps "{name}": the object has been '
                    text += "modified; "
                    return status(
                        409,
                        "Conflict",
                        f"{text}please apply your changes to the latest version and try again",
                    )
                rec = box.put(ask.path, ask.json["data"])
        return 200, {}, shown(ask.path, rec)

    return answer


def gitlab(box: Ledger) -> Callable[[Ask], Reply]:
    """Return GitLab's repository files: last_commit_id in the body guards, 400 when it is another."""

    def commit(rec: Rec) -> str:
        return md5(f"commit {rec.serial}") + md5(str(rec.serial), 8)

    def answer(ask: Ask) -> Reply:
        own = {"X-Request-Id": uuid.uuid4().hex}
        if "/repository/files/" not in ask.path:
            rows = [
                {"id": commit(rec), "path": key, "author_name": rec.by} for key, rec in box.below("").items()
            ]
            return 200, own, rows
        key = ask.path.split("/repository/files/")[1]
        with box.lock:
            rec = box.get(key)
            if rec is None:
                return 404, own, {"message": "404 File Not Found"}
            if ask.method == "PUT":
                sent = ask.json.get("last_commit_id")
                if sent is not None and sent != commit(rec):
                    text = (
                        "You are attempting to update a file that has changed since you started editing it."
                    )
                    return 400, own, {"message": text}
                box.put(key, ask.json["content"], ask.fields.get("private-token", ""))
                return 200, own, {"file_path": key, "branch": ask.json["branch"]}
        content = base64.b64encode(str(rec.data).encode()).decode()
        told = {"file_path": key, "encoding": "base64", "content": content, "last_commit_id": commit(rec)}
        return 200, {**own, "X-Gitlab-Last-Commit-Id": commit(rec)}, {**told, "ref": "main"}

    return answer


def davical(box: Ledger) -> Callable[[Ask], Reply]:
    """Return DAViCal's calendar objects; it compares If-Match: * with the tag as if it were one."""

    def tag(rec: Rec) -> str:
        return f'"{md5(rec.data)}"'

    def answer(ask: Ask) -> Reply:
        own = {"DAV": "1, 2, 3, access-control, calendar-access"}
        with box.lock:
            rec = box.get(ask.path)
            if ask.method == "PUT":
                sent = ask.fields.get("if-match")
                if sent is not None and (rec is None or sent != tag(rec)):
                    now = tag(rec) if rec else ""
                    text = f"Existing resource ETag of <<{now}>> does not match <<{sent}>>"
                    return 412, own, text
                made = box.put(ask.path, ask.body.decode())
                return 204 if rec else 201, {**own, "ETag": tag(made)}, None if rec else b""
        if rec is None:
            return 404, own, "No resource exists at the specified location."
        return 200, {**own, "ETag": tag(rec), "Content-Type": "text/calendar; charset=utf-8"}, str(rec.data)

    return answer


def sync15(box: Ledger) -> Callable[[Ask], Reply]:
    """Return a Firefox Sync storage: X-If-Unmodified-Since in decimal seconds, 412."""

    def answer(ask: Ask) -> Reply:
        own = {"X-Weave-Timestamp": f"{time.time():.2f}"}
        if ask.path.endswith("/info/collections"):
            return 200, own, {key: round(rec.at, 2) for key, rec in box.below("").items()}
        key = ask.path.split("/storage/")[1]
        with box.lock:
            rec = box.get(key)
            last = rec.at if rec else 0.0
            shown = {**own, "X-Last-Modified": f"{last:.2f}"}
            if ask.method == "POST":
                sent = ask.fields.get("x-if-unmodified-since")
                if sent is not None and float(sent) < round(last, 2):
                    return 412, shown, b"0"
                data = {**(rec.data if rec else {}), **{one["id"]: one for one in ask.json}}
                made = box.put(key, data)
                told = {
                    "modified": round(made.at, 2),
                    "success": [one["id"] for one in ask.json],
                    "failed": {},
                }
                return 200, {**own, "X-Last-Modified": f"{made.at:.2f}"}, told
        if rec is None:
            return 404, own, b"0"
        return 200, shown, list(rec.data.values())

    return answer


def canvas(box: Ledger) -> Callable[[Ask], Reply]:
    """Return Canvas Medical's resources: no tags, If-Unmodified-Since with an HTTP date, 412."""
    media = {"Content-Type": "application/fhir+json"}

    def answer(ask: Ask) -> Reply:
        key = ask.path.lstrip("/")
        with box.lock:
            rec = box.get(key)
            if rec is None:
                rows = [{"resource": {"id": name, **one.data}} for name, one in box.below(key).items()]
                return 200, media, {"resourceType": "Bundle", "total": len(rows), "entry": rows}
            if ask.method == "PUT":
                sent = ask.fields.get("if-unmodified-since")
                if sent and parsedate_to_datetime(sent).timestamp() < int(rec.at):
                    issue = [
                        {
                            "severity": "error",
                            "code": "conflict",
                            "details": {"text": "The resource was modified"},
                        }
                    ]
                    return 412, media, {"resourceType": "OperationOutcome", "issue": issue}
                rec = box.put(key, ask.json)
                return 200, {**media, "Last-Modified": formatdate(rec.at, usegmt=True)}, None
        return 200, {**media, "Last-Modified": formatdate(rec.at, usegmt=True)}, {"id": key, **rec.data}

    return answer
