"""Imitations of cloud interfaces after their documentation: Google, Microsoft, Amazon and relatives."""

from __future__ import annotations

import base64
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.uma_core import Ask, md5
from tools.recording_apis.apps.uma_ledger import Ledger, Rec, iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording_apis.apps.uma_words import Reply

__all__ = [
    "aks",
    "calendar",
    "cloudfront",
    "compute",
    "cosmos",
    "dns",
    "onedrive",
    "people",
    "planner",
    "storage",
    "vast",
]
_GOOGLE = {
    "Content-Type": "application/json; charset=UTF-8",
    "Cache-Control": "no-cache, no-store, must-revalidate",
}


def _google(status: int, reason: str, message: str, **more: str) -> Reply:
    inner = {"domain": "global", "reason": reason, "message": message, **more}
    return status, _GOOGLE, {"error": {"errors": [inner], "code": status, "message": message}}


def calendar(box: Ledger) -> Callable[[Ask], Reply]:
    """Return Google Calendar's events: If-Match with the event's etag, 412 conditionNotMet."""

    def shown(key: str, rec: Rec) -> dict[str, Any]:
        tag = f'"{int(rec.at * 1000) * 2}"'
        head = {"kind": "calendar#event", "etag": tag, "id": key, "updated": iso(rec.at)}
        return {**head, **rec.data, "sequence": rec.version, "creator": {"email": "leitung@theater.example"}}

    def answer(ask: Ask) -> Reply:
        key = ask.path.rsplit("/", 1)[1]
        if key == "events" and ask.method == "GET":
            rows = [shown(name, rec) for name, rec in box.below("").items()]
            return 200, {**_GOOGLE, "ETag": f'"p{box.serial}"'}, {"kind": "calendar#events", "items": rows}
        with box.lock:
            rec = box.get(key)
            if rec is None:
                return _google(404, "notFound", "Not Found")
            if ask.method in {"PUT", "PATCH"}:
                sent = ask.fields.get("if-match")
                if sent not in {None, "*", shown(key, rec)["etag"]}:
                    where = {"locationType": "header", "location": "If-Match"}
                    return _google(412, "conditionNotMet", "Precondition Failed", **where)
                kept = {name: ask.json.get(name, rec.data.get(name)) for name in rec.data}
                rec = box.put(key, kept, ask.fields.get("authorization", ""))
        told = shown(key, rec)
        if ask.fields.get("if-none-match") == told["etag"]:
            return 304, {"ETag": told["etag"]}, None
        return 200, {**_GOOGLE, "ETag": told["etag"]}, told

    return answer


def storage(box: Ledger, slow: float = 0.0) -> Callable[[Ask], Reply]:
    """Return Cloud Storage's objects under ifGenerationMatch; an upload takes ``slow`` seconds."""

    def shown(name: str, rec: Rec) -> dict[str, Any]:
        return {
            "kind": "storage#object",
            "name": name,
            "generation": str(int(rec.at * 1e6)),
            "metageneration": "1",
            "size": str(len(rec.data)),
            "updated": iso(rec.at),
            "etag": base64.b64encode(f"C{rec.serial}".encode()).decode(),
            "md5Hash": base64.b64encode(bytes.fromhex(md5(rec.data))).decode(),
        }

    def answer(ask: Ask) -> Reply:
        if ask.path.startswith("/upload/"):
            time.sleep(slow)
            name = ask.query["name"]
            with box.lock:
                rec = box.get(name)
                want = ask.query.get("ifGenerationMatch")
                if want is not None and want != (shown(name, rec)["generation"] if rec else "0"):
                    message = "At least one of the pre-conditions you specified did not hold."
                    where = {"locationType": "header", "location": "If-Match"}
                    return _google(412, "conditionNotMet", message, **where)
                return 200, _GOOGLE, shown(name, box.put(name, ask.body.decode()))
        name = ask.path.split("/o/")[-1] if "/o/" in ask.path else ""
        if not name:
            rows = [shown(key, rec) for key, rec in box.below(ask.query.get("prefix", "")).items()]
            return 200, _GOOGLE, {"kind": "storage#objects", "items": rows}
        rec = box.get(name)
        if rec is None:
            return _google(404, "notFound", f"No such object: bucket/{name}")
        if ask.query.get("alt") == "media":
            own = {
                "X-Goog-Generation": shown(name, rec)["generation"],
                "Content-Type": "application/octet-stream",
            }
            return 200, own, str(rec.data).encode()
        return 200, _GOOGLE, shown(name, rec)

    return answer


def people(box: Ledger, lag: float) -> Callable[[Ask], Reply]:
    """Return Google People, reads ``lag`` seconds behind: etag in the body, 400 FAILED_PRECONDITION."""

    def shown(key: str, rec: Rec) -> dict[str, Any]:
        tag = "%EgUBAgMFBy4aBAEC" + base64.b64encode(f"{key[-3:]}{rec.serial}".encode()).decode()
        source = {
            "type": "CONTACT",
            "id": key.split("/")[1],
            "etag": f"#{tag[-6:]}",
            "updateTime": iso(rec.at, 6),
        }
        return {"resourceName": key, "etag": tag, "metadata": {"sources": [source]}, **rec.data}

    def answer(ask: Ask) -> Reply:
        key = ask.path.removeprefix("/v1/").removesuffix(":updateContact")
        if key == "people/me/connections":
            rows = [shown(name, rec) for name, rec in box.below("people/c").items()]
            return 200, _GOOGLE, {"connections": rows, "totalItems": len(rows)}
        seen, now = box.before(key, lag), box.get(key)
        if seen is None or now is None:
            return (
                404,
                _GOOGLE,
                {"error": {"code": 404, "status": "NOT_FOUND", "message": "Person not found."}},
            )
        if ask.method == "PATCH":
            if ask.json.get("etag") != shown(key, now)["etag"]:
                message = (
                    "Request person.etag is different than the current person.etag. "
                    "Clear local cache and get the latest person."
                )
                told = {"code": 400, "message": message, "status": "FAILED_PRECONDITION"}
                return 400, _GOOGLE, {"error": told}
            names = ask.query["updatePersonFields"].split(",")
            now = box.merge(key, **{name: ask.json[name] for name in names})
            return 200, _GOOGLE, shown(key, now)
        return 200, _GOOGLE, shown(key, seen)

    return answer


def compute(box: Ledger) -> Callable[[Ask], Reply]:
    """Return Compute instances with a fingerprint each for the instance, its metadata and its labels."""

    def mark(rec: Rec, part: str) -> str:
        return base64.b64encode(
            bytes.fromhex(md5(json.dumps([part, rec.data[part] if part else rec.version]), 16))
        ).decode()

    def shown(key: str, rec: Rec) -> dict[str, Any]:
        own = {"kind": "compute#instance", "name": key, "status": "RUNNING", "fingerprint": mark(rec, "")}
        meta = {
            "kind": "compute#metadata",
            "fingerprint": mark(rec, "metadata"),
            "items": rec.data["metadata"],
        }
        return {
            **own,
            "metadata": meta,
            "labels": rec.data["labels"],
            "labelFingerprint": mark(rec, "labels"),
        }

    def answer(ask: Ask) -> Reply:
        parts = ask.path.split("/instances")[1].strip("/").split("/")
        if not parts[0]:
            rows = [shown(key, rec) for key, rec in box.below("").items()]
            return 200, _GOOGLE, {"kind": "compute#instanceList", "items": rows}
        with box.lock:
            rec = box.get(parts[0])
            if rec is None:
                return _google(404, "notFound", f"The resource '{parts[0]}' was not found")
            if ask.method == "GET":
                return 200, _GOOGLE, shown(parts[0], rec)
            part, name = (
                ("metadata", "fingerprint") if parts[1] == "setMetadata" else ("labels", "labelFingerprint")
            )
            if ask.json.get(name) != mark(rec, part):
                what = "metadata" if part == "metadata" else "label"
                message = f"Supplied fingerprint does not match current {what} fingerprint."
                where = {"locationType": "header", "location": "If-Match"}
                return _google(412, "conditionNotMet", message, **where)
            box.merge(parts[0], **{part: ask.json["items" if part == "metadata" else "labels"]})
        done = {
            "kind": "compute#operation",
            "operationType": parts[1],
            "status": "DONE",
            "targetLink": parts[0],
        }
        return 200, _GOOGLE, done

    return answer


def dns(box: Ledger) -> Callable[[Ask], Reply]:
    """Return Cloud DNS: a change's deletions have to equal the live record sets, time to live included."""

    def answer(ask: Ask) -> Reply:
        if ask.path.endswith("/rrsets"):
            return (
                200,
                _GOOGLE,
                {"kind": "dns#rrsets", "rrsets": [rec.data for rec in box.below("").values()]},
            )
        if ask.method == "GET":
            return (
                200,
                _GOOGLE,
                {"kind": "dns#changes", "changes": [{"id": str(box.serial), "status": "done"}]},
            )
        change = ask.json
        with box.lock:
            for number, gone in enumerate(change.get("deletions", [])):
                held = box.get(f"{gone['name']} {gone['type']}")
                if held is None or held.data != gone:
                    message = f"Precondition not met for 'entity.change.deletions[{number}]'"
                    return _google(412, "conditionNotMet", message)
            for gone in change.get("deletions", []):
                box.drop(f"{gone['name']} {gone['type']}")
            for added in change.get("additions", []):
                box.put(f"{added['name']} {added['type']}", added)
        return 200, _GOOGLE, {"kind": "dns#change", "id": str(box.serial), "status": "pending", **change}

    return answer


def aks(box: Ledger) -> Callable[[Ask], Reply]:
    """Return managed clusters of Azure: an eTag in the body, 409 EtagMismatch."""

    def shown(key: str, rec: Rec) -> dict[str, Any]:
        tag = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{key}{rec.serial}"))
        return {
            "id": key,
            "name": key.rsplit("/", 1)[1],
            "eTag": tag,
            "systemData": {"lastModifiedBy": rec.by},
            **rec.data,
        }

    def answer(ask: Ask) -> Reply:
        own = {"x-ms-request-id": str(uuid.uuid4()), "Cache-Control": "no-cache"}
        rec = box.get(ask.path)
        if rec is None:
            rows = [shown(key, one) for key, one in box.below(ask.path).items()]
            return 200, own, {"value": rows}
        if ask.method == "PUT":
            sent = ask.fields.get("if-match", "").strip('"') or ask.json.get("eTag")
            if sent and sent != shown(ask.path, rec)["eTag"]:
                message = f"Etag mismatch: the provided eTag '{sent}' does not match the current resource."
                inner = {
                    "code": "FailedPrecondition",
                    "message": "The resource has changed since it was read.",
                }
                return 409, own, {"error": {"code": "EtagMismatch", "message": message, "details": [inner]}}
            kept = {name: ask.json[name] for name in ("location", "properties") if name in ask.json}
            rec = box.put(ask.path, kept, ask.fields.get("x-user", "app-terraform"))
        return 200, own, shown(ask.path, rec)

    return answer


def planner(box: Ledger) -> Callable[[Ask], Reply]:
    """Return Planner's tasks of Microsoft Graph: If-Match with a weak tag is required."""

    def tag(rec: Rec) -> str:
        return f'W/"{base64.b64encode(f"1-Task{rec.serial:>08}@@".encode()).decode()}"'

    def refuse(status: int, code: str, message: str) -> Reply:
        inner = {"date": iso(time.time(), 0), "request-id": str(uuid.uuid4())}
        return status, {}, {"error": {"code": code, "message": message, "innerError": inner}}

    def answer(ask: Ask) -> Reply:
        rec = box.get(ask.path.rsplit("/", 1)[1])
        if rec is None:
            rows = [{"@odata.etag": tag(one), "id": key, **one.data} for key, one in box.below("").items()]
            return 200, {}, {"@odata.count": len(rows), "value": rows}
        key = ask.path.rsplit("/", 1)[1]
        if ask.method == "PATCH":
            sent = ask.fields.get("if-match")
            if sent is None:
                return refuse(400, "", "The If-Match header must be specified for this kind of request.")
            if not sent.startswith('W/"'):
                return refuse(400, "", "The If-Match header contains an invalid value.")
            if sent != tag(rec):
                return refuse(412, "", "The attempt to update the object failed because it has changed.")
            box.merge(key, **ask.json)
            return 204, {}, None
        return 200, {}, {"@odata.etag": tag(rec), "id": key, **rec.data}

    return answer


def onedrive(box: Ledger) -> Callable[[Ask], Reply]:
    """Return OneDrive's items: eTag and cTag in the body, 412 resourceModified."""

    def shown(key: str, rec: Rec) -> dict[str, Any]:
        ident = str(uuid.uuid5(uuid.NAMESPACE_URL, key)).upper()
        tags = {"eTag": f'"{{{ident}}},{rec.version}"', "cTag": f'"c:{{{ident}}},{rec.version}"'}
        return {"id": key, **tags, "lastModifiedDateTime": iso(rec.at, 0), **rec.data}

    def answer(ask: Ask) -> Reply:
        if ask.path.endswith("/children"):
            return 200, {}, {"value": [shown(key, rec) for key, rec in box.below("").items()]}
        key = ask.path.split("/items/")[1].split("/")[0]
        with box.lock:
            rec = box.get(key)
            if rec is None:
                return 404, {}, {"error": {"code": "itemNotFound", "message": "Item does not exist"}}
            if ask.method != "GET":
                sent = ask.fields.get("if-match")
                if sent is not None and sent != shown(key, rec)["eTag"]:
                    message = "ETag does not match current item's value"
                    inner = {"request-id": str(uuid.uuid4())}
                    return (
                        412,
                        {},
                        {"error": {"code": "resourceModified", "message": message, "innerError": inner}},
                    )
                rec = box.merge(key, **ask.json)
        return 200, {}, shown(key, rec)

    return answer


def cosmos(box: Ledger) -> Callable[[Ask], Reply]:
    """Return documents of Cosmos DB: If-Match with _etag, 412 PreconditionFailed."""

    def shown(key: str, rec: Rec) -> dict[str, Any]:
        tag = f'"{rec.serial:08x}-0000-0d00-0000-{int(rec.at):012x}"'
        return {"id": key.rsplit("/", 1)[1], **rec.data, "_etag": tag, "_ts": int(rec.at)}

    def answer(ask: Ask) -> Reply:
        own = {"x-ms-request-charge": "6.29", "x-ms-activity-id": str(uuid.uuid4())}
        with box.lock:
            rec = box.get(ask.path)
            if rec is None:
                rows = [shown(key, one) for key, one in box.below(ask.path).items()]
                return 200, own, {"Documents": rows, "_count": len(rows)}
            if ask.method == "PUT":
                if ask.fields.get("if-match") not in {None, "*", shown(ask.path, rec)["_etag"]}:
                    message = (
                        "Operation cannot be performed because one of the specified precondition is not met"
                    )
                    told = {"code": "PreconditionFailed", "message": message}
                    return 412, {**own, "x-ms-substatus": "0"}, told
                data = {name: value for name, value in ask.json.items() if name[0] != "_" and name != "id"}
                rec = box.put(ask.path, data)
        told = shown(ask.path, rec)
        if ask.fields.get("if-none-match") == told["_etag"]:
            return 304, {**own, "ETag": told["_etag"]}, None
        return 200, {**own, "ETag": told["_etag"]}, told

    return answer


def _amazon(status: int, code: str, message: str) -> Reply:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>'
    text += f"<RequestId>{uuid.uuid4().hex[:16].upper()}</RequestId></Error>"
    return status, {"Content-Type": "text/xml"}, text


def cloudfront(box: Ledger) -> Callable[[Ask], Reply]:
    """Return CloudFront's distributions: If-Match required, 400 InvalidIfMatchVersion without."""

    def shown(rec: Rec) -> dict[str, str]:
        return {"ETag": f"E{md5(str(rec.serial), 13).upper()}", "Content-Type": "text/xml"}

    def answer(ask: Ask) -> Reply:
        parts = ask.path.split("/")
        if len(parts) < 4:
            rows = "".join(f"<Id>{key}</Id>" for key in box.below(""))
            return 200, {"Content-Type": "text/xml"}, f"<DistributionList>{rows}</DistributionList>"
        with box.lock:
            rec = box.get(parts[3])
            if rec is None:
                return _amazon(404, "NoSuchDistribution", "The specified distribution does not exist.")
            if ask.method == "PUT":
                sent = ask.fields.get("if-match")
                if not sent:
                    message = "The If-Match version is missing or not valid for the resource."
                    return _amazon(400, "InvalidIfMatchVersion", message)
                if sent != shown(rec)["ETag"]:
                    message = "The request failed because it didn't meet the preconditions."
                    return _amazon(412, "PreconditionFailed", message)
                rec = box.put(parts[3], ask.body.decode())
        return 200, shown(rec), str(rec.data)

    return answer


def vast(box: Ledger) -> Callable[[Ask], Reply]:
    """Return a store after S3 that takes If-None-Match: * and refuses If-Match on writes whatever it says."""

    def answer(ask: Ask) -> Reply:
        rec = box.get(ask.path)
        if ask.method == "PUT":
            if "if-match" in ask.fields:
                return _amazon(
                    501,
                    "NotImplemented",
                    "A header you provided implies functionality that is not implemented.",
                )
            if rec and ask.fields.get("if-none-match") == "*":
                return _amazon(
                    412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"
                )
            box.put(ask.path, ask.body.decode())
            return 200, {"ETag": f'"{md5(ask.body)}"'}, b""
        if rec is None:
            rows = "".join(f"<Key>{key}</Key>" for key in box.below(ask.path))
            return 200, {"Content-Type": "application/xml"}, f"<ListBucketResult>{rows}</ListBucketResult>"
        return 200, {"ETag": f'"{md5(str(rec.data))}"', "Content-Type": "application/json"}, str(rec.data)

    return answer
