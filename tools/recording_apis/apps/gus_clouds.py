"""Imitations after their documentation: WAFv2, R2, IBM and Google stores, People, clusters."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import time
import uuid
from typing import Any

from tools.recording_apis.apps.gus_wire import Ask, Counter, Tell, day, iso


def waf(lists: dict[str, dict[str, Any]]) -> Counter:
    """Return web access lists whose lock token comes with each read and update."""
    desk = Counter(kind="application/x-amz-json-1.1")

    def locked(name: str) -> dict[str, Any]:
        one = lists[name]
        return {
            "Name": name,
            "Id": one["Id"],
            "Description": one["Description"],
            "LockToken": one["LockToken"],
            "ARN": f"arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/{name}/{one['Id']}",
        }

    @desk.at("POST", "/")
    def call(ask: Ask) -> Any:
        what, sent = ask.head["x-amz-target"].rpartition(".")[2], ask.data
        head = {"x-amzn-RequestId": str(uuid.uuid4())}
        if what == "ListWebACLs":
            return Tell(200, {"WebACLs": [locked(name) for name in lists]}, head)
        one = lists[sent["Name"]]
        if what == "GetWebACL":
            body = {k: v for k, v in one.items() if k != "LockToken"}
            acl = {"Name": sent["Name"], "ARN": locked(sent["Name"])["ARN"], **body}
            return Tell(200, {"WebACL": acl, "LockToken": one["LockToken"]}, head)
        if sent["LockToken"] != one["LockToken"]:
            text = "AWS WAF couldn’t save your changes because you tried to update or delete a resource that has "  # noqa: E501, RUF001
            text += "changed since you last retrieved it. Get the resource again, make any changes you need to make "  # noqa: E501
            return Tell(
                400,
                {
                    "__type": "WAFOptimisticLockException",
                    "Message": text + "to the new copy, and retry your operation.",
                },
                {**head, "x-amzn-ErrorType": "WAFOptimisticLockException"},
            )
        one.update(
            {k: sent[k] for k in ("Rules", "DefaultAction", "Description") if k in sent},
            LockToken=str(uuid.uuid4()),
        )
        return Tell(200, {"NextLockToken": one["LockToken"]}, head)

    return desk


def _xml(code: str, text: str, more: str = "") -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{text}</Message>{more}</Error>'  # noqa: E501


def r2(objects: dict[str, bytes]) -> Counter:
    """Return a bucket that copies parts but knows no conditions on their source."""
    desk = Counter({"Server": "cloudflare", "CF-RAY": "{hex}"}, "application/xml")

    def tag(data: bytes) -> str:
        return f'"{hashlib.md5(data).hexdigest()}"'  # noqa: S324

    @desk.at("GET|HEAD", "/archiv/(.+)")
    def read(_ask: Ask, key: str) -> Any:
        return Tell(200, objects[key], {"ETag": tag(objects[key]), "Last-Modified": day(time.time() - 86000)})

    @desk.at("GET", "/archiv")
    def listed(_ask: Ask) -> Any:
        rows = "".join(
            f"<Contents><Key>{k}</Key><LastModified>{iso(time.time() - 86000)}</LastModified><ETag>{tag(v)}</ETag>"  # noqa: E501
            f"<Size>{len(v)}</Size></Contents>"
            for k, v in objects.items()
        )
        text = f"<ListBucketResult><Name>archiv</Name><KeyCount>{len(objects)}</KeyCount>{rows}</ListBucketResult>"  # noqa: E501
        return Tell(200, text, None, "application/xml")

    @desk.at("POST", "/archiv/(.+)")
    def begin(_ask: Ask, key: str) -> Any:
        text = f"<InitiateMultipartUploadResult><Bucket>archiv</Bucket><Key>{key}</Key><UploadId>AF1c0</UploadId></InitiateMultipartUploadResult>"  # noqa: E501
        return Tell(200, text, None, "application/xml")

    @desk.at("PUT", "/archiv/(.+)")
    def part(ask: Ask, _key: str) -> Any:
        given = ask.head.get("x-amz-copy-source-if-match")
        if given is not None:
            text = f"Header 'x-amz-copy-source-if-match' with value '{given}' not implemented"
            return Tell(501, _xml("NotImplemented", text.replace('"', "&quot;")), None, "application/xml")
        return Tell(
            200, f"<CopyPartResult><ETag>{tag(b'x')}</ETag></CopyPartResult>", None, "application/xml"
        )

    @desk.at("DELETE", "/archiv/(.+)")
    def abort(_ask: Ask, _key: str) -> Any:
        return Tell(204)

    return desk


def cos(objects: dict[str, bytes], then: dict[str, bytes], after: int) -> Counter:
    """Return a bucket read in ranges; after so many reads an object is another."""
    desk = Counter({"Server": "Cleversafe", "X-Clv-S3-Version": "2.5", "Accept-Ranges": "bytes"})
    born, seen = dict.fromkeys(objects, time.time() - 4000), itertools.count(1)

    @desk.at("GET|HEAD", "/messnetz/(.+)")
    def read(ask: Ask, key: str) -> Any:
        if key in then and ask.method == "GET" and next(seen) == after + 1:
            objects[key], born[key] = then[key], time.time()
        data = objects[key]
        head = {
            "ETag": f'"{hashlib.md5(data).hexdigest()}"',  # noqa: S324
            "Last-Modified": day(born[key]),
            "X-Clv-Request-Id": str(uuid.uuid4()),
        }
        span = ask.head.get("range")
        if span is None or ask.method == "HEAD":
            return Tell(200, data, head)
        first, _, last = span.removeprefix("bytes=").partition("-")
        end = min(int(last or len(data) - 1), len(data) - 1)
        head["Content-Range"] = f"bytes {first}-{end}/{len(data)}"
        return Tell(206, data[int(first) : end + 1], head)

    return desk


def gcs_xml(objects: dict[str, bytes]) -> Counter:
    """Return a bucket of the XML interface; its writes look at x-goog fields and at no other condition."""
    desk = Counter({"Server": "UploadServer"}, "application/xml")
    number = itertools.count(int(time.time() * 1e6), 4_177_301)
    kept = {key: (data, next(number), time.time() - 3000) for key, data in objects.items()}

    def heads(key: str) -> dict[str, str]:
        data, generation, moment = kept[key]
        md5 = hashlib.md5(data)  # noqa: S324
        return {
            "ETag": f'"{md5.hexdigest()}"',
            "x-goog-generation": str(generation),
            "x-goog-metageneration": "1",
            "x-goog-hash": "md5=" + base64.b64encode(md5.digest()).decode(),
            "Last-Modified": day(moment),
        }

    @desk.at("GET|HEAD", "/etl-stand/(.+)")
    def read(ask: Ask, key: str) -> Any:
        if key not in kept:
            return Tell(404, _xml("NoSuchKey", "The specified key does not exist."), None, "application/xml")
        if ask.head.get("if-none-match") == heads(key)["ETag"]:
            return Tell(304, b"", heads(key))
        return Tell(200, kept[key][0], heads(key))

    @desk.at("PUT", "/etl-stand/(.+)")
    def write(ask: Ask, key: str) -> Any:
        wanted = ask.head.get("x-goog-if-generation-match")
        if wanted is not None and wanted != str(kept[key][1] if key in kept else 0):
            return Tell(
                412,
                _xml("PreconditionFailed", "At least one of the pre-conditions you specified did not hold."),
                None,
                "application/xml",
            )
        kept[key] = (ask.body, next(number), time.time())
        return Tell(
            200,
            b"",
            {k: v for k, v in heads(key).items() if k != "Last-Modified"},
            "text/html; charset=UTF-8",
        )

    return desk


def people(rows: dict[str, dict[str, Any]], late: float) -> Counter:
    """Return contacts; a read tells what was so many seconds ago."""
    desk = Counter({"Server": "ESF", "Vary": "Origin, X-Origin, Referer"}, "application/json; charset=UTF-8")
    number = itertools.count(41)

    def etag() -> str:
        return "%" + base64.b64encode(b"EgUBAgMHCS4aBAECBQci%d" % (next(number) * 7919)).decode()[:36] + "="

    history = {key: [(0.0, {**one, "etag": etag()})] for key, one in rows.items()}

    def seen(key: str, moment: float) -> dict[str, Any]:
        return [one for when, one in history[key] if when <= moment][-1]

    @desk.at("GET", "/v1/(people/c[0-9]+)")
    def read(_ask: Ask, key: str) -> Any:
        return {"resourceName": key, **seen(key, time.time() - late)}

    @desk.at("GET", "/v1/people/me/connections")
    def listed(_ask: Ask) -> Any:
        found = [{"resourceName": key, "etag": seen(key, time.time() - late)["etag"]} for key in history]
        return {"connections": found, "totalPeople": len(found), "totalItems": len(found)}

    @desk.at("PATCH", "/v1/(people/c[0-9]+):updateContact")
    def write(ask: Ask, key: str) -> Any:
        now = history[key][-1][1]
        if ask.data.get("etag") != now["etag"]:
            text = "Request person.etag is different than the current person.etag. Clear local cache and get the latest person."  # noqa: E501
            return Tell(400, {"error": {"code": 400, "message": text, "status": "FAILED_PRECONDITION"}})
        fields = ask.query["updatePersonFields"].split(",")
        new = {**now, **{name: ask.data[name] for name in fields}, "etag": etag()}
        history[key].append((time.time(), new))
        return {"resourceName": key, **new}

    return desk


def _too_old() -> Tell:
    text = "The provided continue parameter is too old to display a consistent list result. "
    text += "You must start a new list without the continue parameter."
    told = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": text}
    return Tell(410, {**told, "reason": "Expired", "code": 410})


def _pod(number: int, space: str) -> dict[str, Any]:
    version = str(9910000 + number * 13)
    named = {"name": f"ingest-{number:03d}", "namespace": space, "resourceVersion": version}
    return {"metadata": named, "status": {"phase": "Running"}}


def cluster(pods: int, lives: float) -> Counter:
    """Return a list of pods in pages; what it was told from is kept so many seconds."""
    desk = Counter(
        {
            "Audit-Id": "{uuid}",
            "Cache-Control": "no-cache, private",
            "X-Kubernetes-Pf-Flowschema-Uid": "b4e2b1f0-0d8c-4a39-9be0-2d6e4f7c1a55",
        }
    )
    start = [0.0]

    @desk.at("GET", "/api/v1/namespaces/([^/]+)/pods")
    def listed(ask: Ask, space: str) -> Any:
        size, first, version = int(ask.query.get("limit", "500")), 0, 9918822
        if "continue" in ask.query:
            mark = json.loads(base64.urlsafe_b64decode(ask.query["continue"] + "=="))
            first, version = mark["start"], mark["rv"]
            if time.time() - start[0] > lives:
                return _too_old()
        else:
            start[0] = time.time()
        last = min(first + size, pods)
        meta: dict[str, Any] = {"resourceVersion": str(version)}
        if last < pods:
            mark_text = json.dumps(
                {"v": "meta.k8s.io/v1", "rv": version, "start": last}, separators=(",", ":")
            )
            meta |= {
                "continue": base64.urlsafe_b64encode(mark_text.encode()).decode().rstrip("="),
                "remainingItemCount": pods - last,
            }
        rows = [_pod(n, space) for n in range(first, last)]
        return {"kind": "PodList", "apiVersion": "v1", "metadata": meta, "items": rows}

    desk.plain("/version", {"major": "1", "minor": "31", "gitVersion": "v1.31.4"})
    desk.plain(
        "/apis/apps/v1/namespaces/[^/]+/deployments/ingest",
        {
            "kind": "Deployment",
            "metadata": {"name": "ingest", "resourceVersion": "9917010"},
            "spec": {"replicas": 7},
        },
    )
    return desk
