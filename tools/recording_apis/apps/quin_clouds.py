# mypy: ignore-errors
"""Imitations of stores and offices: S3 with copies, Google's store as XML, SharePoint, Planner."""

from __future__ import annotations

import base64
import json
import re
import time
from email.utils import parsedate_to_datetime
from typing import Any

from tools.recording_apis.apps.quin_core import Product, Req, Res, Row, digest, iso, xml


class Lake(Product):
    """Buckets as S3 has them, with the conditions of a copy's source.

    Attributes:
        cannot: Field that it does not implement.
        during: Called with the number of a part before it is copied.
    """

    def __init__(self, rows: dict[str, bytes]) -> None:
        super().__init__(rows)
        self.extra = {"Server": "AmazonS3"}
        self.cannot = ""
        self.during: Any = None
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.begun = 0

    def _error(self, status: int, code: str, said: str, **more: str) -> Res:
        return xml(status, "Error", Code=code, Message=said, **more, RequestId=self.request_id()[:16].upper())

    def _shown(self, row: Row) -> dict[str, str]:
        tag = row.meta.get("tag") or digest(row.data)
        return {"ETag": f'"{tag}"', "Last-Modified": row.date, "Accept-Ranges": "bytes"}

    def _source(self, req: Req) -> Res | Row:
        named = req.fields["x-amz-copy-source"].lstrip("/")
        row = self.rows.get(named)
        if row is None:
            return self._error(404, "NoSuchKey", "The specified key does not exist.", Key=named)
        pre = "x-amz-copy-source-if-"
        asked = {name.removeprefix(pre): value for name, value in req.fields.items() if name.startswith(pre)}
        if self.cannot and (kind := next((one for one in asked if one in self.cannot), "")):
            said = f"Header '{pre}{kind}' with value '{asked[kind]}' not implemented"
            return self._error(501, "NotImplemented", said.replace('"', "&quot;"))
        tag, failed = self._shown(row)["ETag"].strip('"'), ""
        if "match" in asked and asked["match"].strip('"') != tag:
            failed = "match"
        if "none-match" in asked and asked["none-match"].strip('"') == tag:
            failed = "none-match"
        if "unmodified-since" in asked:
            since = parsedate_to_datetime(asked["unmodified-since"]).timestamp()
            failed = "unmodified-since" if int(row.at) > since else failed
        if failed:
            said = "At least one of the pre-conditions you specified did not hold"
            return self._error(412, "PreconditionFailed", said, Condition=f"{pre}{failed}")
        return row

    def answer(self, req: Req) -> Res:
        """Answer one request."""
        key, query = req.path.lstrip("/"), req.query
        if "uploads" in query:
            self.begun += 1
            number = f"up{self.begun + 40:04}QxA"
            self.uploads[number] = {}
            bucket, _, name = key.partition("/")
            return xml(200, "InitiateMultipartUploadResult", Bucket=bucket, Key=name, UploadId=number)
        if "uploadId" in query:
            return self._part(req, key, query)
        if "list-type" in query:
            return self._list(key, query.get("prefix", ""))
        if req.method == "PUT" and "x-amz-copy-source" in req.fields:
            source = self._source(req)
            if isinstance(source, Res):
                return source
            row = self.store(key, source.data, "copy")
            return xml(
                200,
                "CopyObjectResult",
                ETag=f"&quot;{digest(row.data)}&quot;",
                LastModified=iso(row.at, ".000Z"),
            )
        return self._plain(req, key)

    def _plain(self, req: Req, key: str) -> Res:
        row = self.rows.get(key)
        if req.method == "PUT":
            return Res(200, b"", {"ETag": self._shown(self.store(key, req.body))["ETag"]})
        if req.method == "DELETE":
            self.rows.pop(key, None)
            return Res(204)
        if row is None:
            return self._error(404, "NoSuchKey", "The specified key does not exist.", Key=key)
        return Res(200, row.data, {**self._shown(row), "Content-Type": "binary/octet-stream"})

    def _list(self, bucket: str, prefix: str) -> Res:
        below = [
            (k.partition("/")[2], r)
            for k, r in self.rows.items()
            if k.startswith(f"{bucket.strip('/')}/{prefix}")
        ]
        inner = "".join(
            f"<Contents><Key>{key}</Key><LastModified>{iso(row.at, '.000Z')}</LastModified>"
            f"<ETag>{self._shown(row)['ETag'].replace(chr(34), '&quot;')}</ETag>"
            f"<Size>{len(row.data)}</Size></Contents>"
            for key, row in below
        )
        head = f"<Name>{bucket.strip('/')}</Name><Prefix>{prefix}</Prefix><KeyCount>{len(below)}</KeyCount>"
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult>{head}{inner}</ListBucketResult>'
        return Res(200, body, {"Content-Type": "application/xml"})

    def _part(self, req: Req, key: str, query: dict[str, str]) -> Res:
        parts = self.uploads.get(query["uploadId"])
        if parts is None:
            return self._error(404, "NoSuchUpload", "The specified upload does not exist.")
        if req.method == "DELETE":
            del self.uploads[query["uploadId"]]
            return Res(204)
        if req.method == "POST":
            whole = b"".join(parts[number] for number in sorted(parts))
            row = self.store(key, whole)
            row.meta["tag"] = f"{digest(whole)}-{len(parts)}"
            return xml(200, "CompleteMultipartUploadResult", Key=key, ETag=f"&quot;{row.meta['tag']}&quot;")
        number = int(query["partNumber"])
        if self.during:
            self.during(number)
        source = self._source(req)
        if isinstance(source, Res):
            return source
        first, last = re.findall(r"\d+", req.fields["x-amz-copy-source-range"])
        parts[number] = source.data[int(first) : int(last) + 1]
        return xml(
            200,
            "CopyPartResult",
            ETag=f"&quot;{digest(parts[number])}&quot;",
            LastModified=iso(time.time(), ".000Z"),
        )


class Vault(Product):
    """Buckets as Google's XML interface has them: generations count, If-Match on writes does not."""

    def __init__(self, rows: dict[str, bytes]) -> None:
        super().__init__(rows)
        self.extra = {"Server": "UploadServer"}

    @staticmethod
    def generation(row: Row) -> str:
        """Return the generation: microseconds."""
        return str(int(row.at * 1e6))

    def _error(self, status: int, code: str, said: str, details: str = "") -> Res:
        return xml(status, "Error", Code=code, Message=said, **({"Details": details} if details else {}))

    def _shown(self, row: Row) -> dict[str, str]:
        md5 = base64.b64encode(bytes.fromhex(digest(row.data))).decode()
        return {
            "X-GUploader-UploadID": "AHx" + digest(str(row.at))[:28],
            "x-goog-generation": self.generation(row),
            "x-goog-metageneration": "1",
            "x-goog-stored-content-length": str(len(row.data)),
            "x-goog-hash": f"md5={md5}",
            "ETag": f'"{digest(row.data)}"',
            "Last-Modified": row.date,
            **row.meta,
        }

    def answer(self, req: Req) -> Res:
        """Answer one request."""
        key = req.path.lstrip("/")
        row = self.rows.get(key)
        wanted = req.fields.get("x-goog-if-generation-match")
        if "/" not in key.strip("/"):
            return self._list(key.strip("/"), req.query.get("prefix", ""))
        if wanted is not None and wanted != (self.generation(row) if row else "0"):
            said = "At least one of the pre-conditions you specified did not hold."
            return self._error(412, "PreconditionFailed", said, "x-goog-if-generation-match")
        if req.method == "PUT":
            meta = {name: value for name, value in req.fields.items() if name.startswith("x-goog-meta-")}
            return Res(
                200,
                b"",
                {
                    **self._shown(self.store(key, req.body, meta=meta)),
                    "Content-Type": "text/html; charset=UTF-8",
                },
            )
        if row is None:
            return self._error(
                404, "NoSuchKey", "The specified key does not exist.", f"No such object: {key}"
            )
        if req.method == "DELETE":
            del self.rows[key]
            return Res(204)
        kinds = {"csv": "text/csv", "tfstate": "application/json", "lock": "application/json"}
        kind = kinds.get(key.rsplit(".", 1)[-1], "application/octet-stream")
        fields = {**self._shown(row), "Content-Type": kind, "Cache-Control": "private, max-age=0"}
        if req.fields.get("if-none-match") == fields["ETag"]:
            return Res(304, b"", fields)
        return Res(200, row.data, fields)

    def _list(self, bucket: str, prefix: str) -> Res:
        inner = "".join(
            f"<Contents><Key>{key.partition('/')[2]}</Key><Generation>{self.generation(row)}</Generation>"
            f"<MetaGeneration>1</MetaGeneration><LastModified>{iso(row.at, '.000Z')}</LastModified>"
            f'<ETag>"{digest(row.data)}"</ETag><Size>{len(row.data)}</Size></Contents>'
            for key, row in self.rows.items()
            if key.startswith(f"{bucket}/{prefix}")
        )
        body = (
            "<?xml version='1.0' encoding='UTF-8'?><ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'>"
            f"<Name>{bucket}</Name><Prefix>{prefix}</Prefix><Marker></Marker><IsTruncated>false</IsTruncated>{inner}</ListBucketResult>"
        )
        return Res(200, body, {"Content-Type": "application/xml; charset=UTF-8"})


class Site(Product):
    """Lists and files of a SharePoint site; keys are ``Title/id`` and server relative paths."""

    def __init__(self, rows: dict[str, Any], root: str) -> None:
        super().__init__(rows)
        self.root = root
        self.locks: dict[str, str] = {}
        self.extra = {
            "MicrosoftSharePointTeamServices": "16.0.0.25318",
            "X-SharePointHealthScore": "1",
            "request-id": "e3c7a0a1-30d2-7000-b29f-6f3f1ad9c1a5",
        }

    def tag(self, key: str, row: Row) -> str:
        """Return the tag: a GUID and a version."""
        known = digest(key)
        return f'"{known[:8]}-{known[8:12]}-4{known[13:16]}-a{known[17:20]}-{known[20:]},{row.rev}"'

    def _error(self, status: int, code: str, said: str) -> Res:
        body = {"odata.error": {"code": code, "message": {"lang": "en-US", "value": said}}}
        return Res(status, body, {"Content-Type": "application/json;odata=minimalmetadata;charset=utf-8"})

    def _item(self, key: str, row: Row) -> dict[str, object]:
        return {
            "odata.type": f"SP.Data.{key.partition('/')[0]}ListItem",
            "odata.id": self.root + f"/_api/Web/Lists(guid'51ab')/Items({key.partition('/')[2]})",
            "odata.etag": self.tag(key, row),
            "Id": int(key.partition("/")[2]),
            **row.data,
            "Modified": iso(row.at),
            "EditorId": {"import": 1073741823}.get(row.by, int(digest(row.by)[:1], 16) + 7),
            "Editor": {"Title": row.by},
        }

    def answer(self, req: Req) -> Res:
        """Answer one request."""
        if req.path.endswith("/_api/contextinfo"):
            info = {"FormDigestTimeoutSeconds": 1800, "FormDigestValue": "0x4C3B,28 Nov 2026 08:00:00 -0000"}
            return Res(200, {"odata.metadata": self.root + "/_api/$metadata", **info})
        if req.path.endswith("/_api/web/currentuser"):
            return Res(200, {"Id": 12, "Title": req.who, "IsSiteAdmin": False})
        if found := re.search(r"getbytitle\('(\w+)'\)/items(?:\((\d+)\))?$", req.path):
            return self._items(req, *found.groups())
        if found := re.search(r"GetFileByServerRelativeUrl\('([^']+)'\)(/.*)?$", req.path):
            return self._file(req, found[1], found[2] or "")
        return self._error(
            404,
            "-1, Microsoft.SharePoint.Client.ResourceNotFoundException",
            "Cannot find resource for the request.",
        )

    def _items(self, req: Req, title: str, number: str | None) -> Res:
        if number is None:
            below = [self._item(key, row) for key, row in self.rows.items() if key.startswith(f"{title}/")]
            return Res(200, {"odata.metadata": f"{self.root}/_api/$metadata#{title}", "value": below})
        key = f"{title}/{number}"
        row = self.rows[key]
        if req.safe:
            return Res(200, self._item(key, row), {"ETag": self.tag(key, row)})
        sent = req.fields.get("if-match", "*")
        if sent not in ("*", self.tag(key, row)):
            said = f"The request ETag value '{sent}' does not match "
            said += f"the object's ETag value '{self.tag(key, row)}'."
            return self._error(412, "-1, Microsoft.SharePoint.Client.ClientServiceException", said)
        row = self.store(key, {**row.data, **req.json}, req.who)
        return Res(204, b"", {"ETag": self.tag(key, row)})

    def _file(self, req: Req, path: str, rest: str) -> Res:
        row, holder = self.rows[path], self.locks.get(path)
        if req.safe and rest == "/$value":
            return Res(200, row.data.encode(), {"ETag": self.tag(path, row), "Content-Type": "text/csv"})
        if req.safe:
            shown = {
                "Name": path.rsplit("/", 1)[1],
                "ETag": self.tag(path, row),
                "UIVersionLabel": f"{row.rev}.0",
            }
            out = {
                "CheckOutType": 0 if holder else 2,
                "CheckedOutByUser": {"LoginName": holder} if holder else {},
            }
            return Res(200, {**shown, **out, "TimeLastModified": iso(row.at)})
        if holder and holder != req.who:
            said = f'The file "https://{req.fields["host"]}{path}" is locked for exclusive use by {holder}.'
            return self._error(423, "-2147018894, Microsoft.SharePoint.SPFileLockException", said)
        row = self.store(path, req.body.decode(), req.who)
        return Res(204, b"", {"ETag": self.tag(path, row)})


class Planner(Product):
    """Plans and tasks as Microsoft Graph has them; keys are paths below ``/v1.0/planner``."""

    def tag(self, key: str, row: Row) -> str:
        """Return the tag: weak, a coded version of the one kind of thing."""
        kind = "PlanDetails" if key.startswith("plans") else "TaskDetails"
        kind = kind if key.endswith("/details") else kind.removesuffix("Details")
        inner = f"1-{kind}  @@@@@@@@@@@@@@@@@@@@@{chr(64 + row.rev)}@'"
        return 'W/"' + base64.b64encode(f"'{inner}".encode()).decode() + '"'

    def _error(self, status: int, code: str, said: str) -> Res:
        inner = {
            "date": iso(time.time(), ""),
            "request-id": self.request_id(),
            "client-request-id": self.request_id(),
        }
        return Res(status, {"error": {"code": code, "message": said, "innerError": inner}})

    def _shown(self, key: str, row: Row) -> dict[str, object]:
        return {"@odata.etag": self.tag(key, row), **row.data}

    def answer(self, req: Req) -> Res:
        """Answer one request."""
        key = req.path.removeprefix("/v1.0/planner/")
        row = self.rows.get(key)
        if row is None:
            plan = key.split("/")[1] if key.endswith("/tasks") else ""
            below = [self._shown(k, r) for k, r in self.rows.items() if plan and r.data.get("planId") == plan]
            if below:
                return Res(
                    200,
                    {
                        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#planner/plans/tasks",
                        "value": below,
                    },
                )
            return self._error(404, "", "The requested item is not found.")
        if req.safe:
            shown = self._shown(key, row)
            if req.query.get("$expand") == "details":
                shown["details"] = self._shown(f"{key}/details", self.rows[f"{key}/details"])
            return Res(200, shown)
        sent = req.fields.get("if-match")
        if sent is None:
            return self._error(400, "", "The If-Match header must be specified for this kind of request.")
        if sent != self.tag(key, row):
            return self._error(
                412,
                "",
                "The If-Match header contains an invalid value."
                if self._kind(sent) != self._kind(self.tag(key, row))
                else "The specified ETag does not match the current version of the item.",
            )
        row = self.store(key, {**row.data, **json.loads(req.body)}, req.who)
        if "representation" in req.fields.get("prefer", ""):
            return Res(200, self._shown(key, row), {"Preference-Applied": "return=representation"})
        return Res(204)

    @staticmethod
    def _kind(tag: str) -> str:
        return base64.b64decode(tag.split('"')[1]).decode().split("-")[1].split(" ")[0]
