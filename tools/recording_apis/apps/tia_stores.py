# mypy: ignore-errors
# ruff: noqa: ARG001, ARG005, E501, S324 - handlers share a shape; long words are those of the products
"""Imitations of object stores: Amazon and its like, Google's XML side, Azure's blobs, OSS and IBM's store."""

from __future__ import annotations

import base64
import hashlib
import time

from tools.recording_apis.apps.tia_core import Api, Blobs, Req, Res, Row, guid, httpdate, iso


def amazon(pattern: str = r"/(.+)", **more: object) -> Blobs:
    """Return a store of Amazon's kind."""

    def extra(_req: Req) -> dict[str, str]:
        seed = guid(f"{time.time_ns()}").replace("-", "")
        return {
            "x-amz-request-id": seed[:16].upper(),
            "x-amz-id-2": f"{seed}{seed[::-1]}",
            "Server": "AmazonS3",
        }

    return Blobs(pattern, "x-amz-", extra=extra, **more)


def copied(api: Blobs, bucket: str) -> None:
    """Let a store copy within itself, its source conditions looked at."""

    def copy(req: Req, key: str) -> Res | None:
        source = req.fields.get("x-amz-copy-source")
        if source is None:
            return None
        row = api.rows.get(source.lstrip("/").removeprefix(f"{bucket}/"))
        if row is None:
            return api.missing(req)
        prefix = "x-amz-copy-source-"
        asked = {
            name.removeprefix(prefix): one for name, one in req.fields.items() if name.startswith(prefix)
        }
        looked = ["if-match", "if-none-match", "if-unmodified-since", "if-modified-since"]
        refusal = api.judge(Req("PUT", req.target, asked, b""), row, looked, safe=False)
        if refusal is not None:
            return refusal
        api.media[key] = "application/octet-stream"
        made = api.keep(key, row.data)
        return Res(
            200,
            f'<?xml version="1.0" encoding="UTF-8"?>\n<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LastModified>{iso(made.at)}</LastModified><ETag>&quot;{api.tag(made).strip(chr(34))}&quot;</ETag></CopyObjectResult>',
            {"Content-Type": "application/xml"},
        )

    api.ahead("PUT", r"/(.+)", copy)


def listed(api: Blobs, bucket: str, path: str = "/") -> None:
    """Let a store list its objects (version 2)."""

    def show(req: Req) -> Res:
        prefix = req.query.get("prefix", "")
        items = "".join(
            f"<Contents><Key>{key}</Key><LastModified>{iso(row.at)}</LastModified><ETag>&quot;{api.tag(row).strip(chr(34))}&quot;</ETag><Size>{len(row.data)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for key, row in sorted(api.rows.items())
            if key.startswith(prefix)
        )
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{bucket}</Name><Prefix>{prefix}</Prefix><KeyCount>{items.count("<Key>")}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>{items}</ListBucketResult>'
        return Res(200, body, {"Content-Type": "application/xml"})

    api.ahead("GET", path, show)


def multipart(api: Blobs, *, late: bool) -> None:
    """Let a store take objects in parts; ``late`` tells a failed condition in an answer of 200."""
    parts: dict[tuple[str, int], bytes] = {}

    def begin(req: Req, key: str) -> Res | None:
        if "uploads" in req.query:
            upload = hashlib.md5(f"{key}{time.time()}".encode()).hexdigest() + ".QxA_"
            return Res(
                200,
                f'<?xml version="1.0" encoding="UTF-8"?>\n<InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>dailies</Bucket><Key>{key}</Key><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>',
                {"Content-Type": "application/xml"},
            )
        if "uploadId" not in req.query:
            return None
        upload = req.query["uploadId"]
        content = b"".join(parts[one] for one in sorted(parts) if one[0] == upload)
        if req.fields.get("if-none-match") == "*" and key in api.rows:
            refusal = api.failed("If-None-Match")
            if late:
                refusal.status = 200
            return refusal
        row = api.keep(key, content)
        return Res(
            200,
            f'<?xml version="1.0" encoding="UTF-8"?>\n<CompleteMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Key>{key}</Key><ETag>&quot;{api.tag(row).strip(chr(34))}&quot;</ETag></CompleteMultipartUploadResult>',
            {"Content-Type": "application/xml"},
        )

    def part(req: Req, key: str) -> Res | None:
        if "partNumber" not in req.query:
            return None
        parts[req.query["uploadId"], int(req.query["partNumber"])] = req.body
        return Res(200, b"", {"ETag": f'"{hashlib.md5(req.body).hexdigest()}"'})

    api.ahead("POST", r"/(.+)", begin)
    api.ahead("PUT", r"/(.+)", part)


def google_xml() -> Blobs:
    """Return Google's store as its XML side shows it: generations, and no write looks at If-Match."""

    def extra(_req: Req) -> dict[str, str]:
        return {
            "X-GUploader-UploadID": guid(f"{time.time_ns()}").replace("-", "")[:28],
            "Server": "UploadServer",
        }

    api = Blobs(r"/(.+)", "x-goog-", writes="", extra=extra)
    api.shown = lambda row: {
        "x-goog-generation": str(int((row.at) * 1e6)),
        "x-goog-metageneration": "1",
        "x-goog-storage-class": "STANDARD",
        "x-goog-hash": f"md5={base64.b64encode(hashlib.md5(row.data).digest()).decode()}",
    }

    def put(req: Req, key: str) -> Res | None:
        wanted, row = req.fields.get("x-goog-if-generation-match"), api.rows.get(key)
        if wanted is None:
            return None
        current = api.shown(row)["x-goog-generation"] if row else "0"
        return None if wanted == current else api.failed("x-goog-if-generation-match")

    api.ahead("PUT", r"/(.+)", put)
    return api


def azure(share: dict[str, str] | None = None) -> Blobs:
    """Return Azure's blobs in containers, with their error codes."""

    def extra(_req: Req) -> dict[str, str]:
        return {
            "x-ms-request-id": guid(f"{time.time_ns()}"),
            "x-ms-version": "2024-11-04",
            "Server": "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0",
        }

    def tag(row: Row) -> str:
        return f'"0x8DE{hashlib.md5(row.data + str(row.rev).encode()).hexdigest()[:12].upper()}"'

    api = Blobs(r"/(.+)", "x-ms-", tag, writes="if-match if-none-match if-unmodified-since", extra=extra)

    def error(status: int, code: str, message: str, more: str = "") -> Res:
        body = f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}\nTime:{iso(time.time(), 6)}</Message></Error>'
        return Res(status, body, {"Content-Type": "application/xml", "x-ms-error-code": code})

    api.error = error
    api.missing = lambda _req: error(404, "BlobNotFound", "The specified blob does not exist.")
    api.failed = lambda _field: error(
        412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met."
    )
    api.shown = lambda row: {"x-ms-blob-type": "BlockBlob", "x-ms-lease-state": "available"}
    plain = api.write

    def write(req: Req, key: str) -> Res:
        got = plain(req, key)
        if got.status == 200:
            got.status = 201
            got.fields = {"ETag": got.fields["ETag"], "Last-Modified": httpdate(api.rows[key].at)}
        return got

    api.ahead("PUT", r"/(.+)", write)
    return api


def leased(api: Blobs) -> dict[str, str]:
    """Let blobs be leased; return who holds what."""
    held: dict[str, str] = {}

    def lease(req: Req, key: str) -> Res | None:
        if req.query.get("comp") != "lease":
            if key in held and req.fields.get("x-ms-lease-id") is None:
                return api.error(
                    412,
                    "LeaseIdMissing",
                    "There is currently a lease on the blob and no lease ID was specified in the request.",
                )
            return None
        action, fields = req.fields["x-ms-lease-action"], {"ETag": api.tag(api.rows[key])}
        if action == "acquire":
            if key in held:
                return api.error(409, "LeaseAlreadyPresent", "There is already a lease present.")
            held[key] = req.fields["x-ms-proposed-lease-id"]
            return Res(201, b"", {**fields, "x-ms-lease-id": held[key]})
        if action == "release":
            del held[key]
        return Res(200, b"", fields)

    def shown(row: Row) -> dict[str, str]:
        key = next((name for name, one in api.rows.items() if one is row), "")
        state = ("leased", "locked") if key in held else ("available", "unlocked")
        return {"x-ms-blob-type": "BlockBlob", "x-ms-lease-state": state[0], "x-ms-lease-status": state[1]}

    api.shown = shown
    api.ahead("PUT", r"/(.+)", lease)
    return held


def oss() -> Blobs:
    """Return Alibaba's store: a field forbids to write over what is there."""

    def extra(_req: Req) -> dict[str, str]:
        seed = guid(f"{time.time_ns()}").replace("-", "")[:24].upper()
        return {"x-oss-request-id": seed, "x-oss-server-time": "14", "Server": "AliyunOSS"}

    api = Blobs(
        r"/(.+)",
        "x-oss-",
        lambda row: f'"{hashlib.md5(row.data).hexdigest().upper()}"',
        writes="",
        extra=extra,
    )

    def put(req: Req, key: str) -> Res | None:
        if req.fields.get("x-oss-forbid-overwrite") == "true" and key in api.rows:
            return api.error(
                409,
                "FileAlreadyExists",
                "The object you specified already exists and can not be overwritten.",
                f"<HostId>kassenbelege.oss-eu-central-1.aliyuncs.example</HostId><Key>{key}</Key><EC>0026-00000002</EC>",
            )
        return None

    api.ahead("PUT", r"/(.+)", put)
    return api


def pages(api: Api, path: str, body: object) -> None:
    """Show something that never changes."""
    api.ahead("GET", path, lambda _req, *_: Res(200, body))
