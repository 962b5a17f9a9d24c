# mypy: ignore-errors
# ruff: noqa: ARG002, ARG005, E501, RUF001, S324 - handlers are handed all that they may want, hashes keep no secret
"""Imitations of Amazon's and Google's services, after their documentation."""

from __future__ import annotations

import base64
import hashlib
import time
from email.utils import formatdate

from tools.recording_apis.apps.eva_core import Api, Req, Res, Row, Tagged, guid, iso, listed

_NS = 'xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"'


class Firewall(Api):
    """AWS WAF: IP sets, each with a lock token that moves with every update."""

    def setup(self) -> None:
        """Everything is a POST to one address; a field says what it is."""
        self.on("POST", "/", self.call)

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {"x-amzn-RequestId": guid("waf", self.count), "Content-Type": "application/x-amz-json-1.1"}

    def lock_token(self, key: str) -> str:
        """Return the lock token."""
        return guid("lock", key, self.rows[key].rev)

    def summary(self, key: str) -> dict[str, str]:
        """Return how a list shows an IP set."""
        arn = f"arn:aws:wafv2:eu-west-1:210987654321:regional/ipset/{self.rows[key].data['Name']}/{key}"
        return {
            "Name": self.rows[key].data["Name"],
            "Id": key,
            "Description": "",
            "LockToken": self.lock_token(key),
            "ARN": arn,
        }

    def call(self, req: Req) -> Res:
        """Answer an action."""
        action, asked = req.fields["x-amz-target"].partition(".")[2], req.json
        if action == "ListIPSets":
            return Res(200, {"IPSets": [self.summary(key) for key in self.rows], "NextMarker": "regional"})
        if action == "ListWebACLs":
            return Res(
                200, {"WebACLs": [{"Name": "shop-edge", "Id": guid("acl"), "LockToken": guid("acl", "lock")}]}
            )
        if action == "GetSampledRequests":
            return Res(200, {"SampledRequests": [], "PopulationSize": 1200 + self.count * 7})
        if action == "ListResourcesForWebACL":
            return Res(
                200,
                {
                    "ResourceArns": [
                        "arn:aws:elasticloadbalancing:eu-west-1:210987654321:loadbalancer/app/shop/50dc6c"
                    ]
                },
            )
        key = asked["Id"]
        if action == "GetIPSet":
            return Res(200, {"IPSet": self.rows[key].data, "LockToken": self.lock_token(key)})
        if asked["LockToken"] != self.lock_token(key):
            said = "AWS WAF couldn’t save your changes because someone changed the resource after you started to edit it. Reapply your changes."
            return Res(400, {"__type": "WAFOptimisticLockException", "Message": said})
        self.store(key, {**self.rows[key].data, "Addresses": asked["Addresses"]}, "me")
        return Res(200, {"NextLockToken": self.lock_token(key)})


class EdgeFunctions(Api):
    """CloudFront: functions with a version for each of two stages."""

    def setup(self) -> None:
        """Name the routes."""
        root = "/2020-05-31/function"
        self.on("GET", root, self.every)
        self.on("GET", rf"{root}/(?P<name>[\w-]+)/describe", self.describe)
        self.on("PUT", rf"{root}/(?P<name>[\w-]+)", self.update)
        self.on("POST", rf"{root}/(?P<name>[\w-]+)/publish", self.publish)

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {"x-amzn-RequestId": guid("cf", self.count), "Content-Type": "text/xml"}

    def mark(self, name: str, stage: str) -> str:
        """Return the tag of a stage."""
        row = self.rows[f"{name}/{stage}"]
        return "E" + hashlib.sha1(f"{name}{stage}{row.rev}".encode()).hexdigest()[:13].upper()

    def summary(self, name: str, stage: str) -> str:
        """Return a function as XML."""
        row = self.rows[f"{name}/{stage}"]
        return (
            f"<FunctionSummary {_NS}><Name>{name}</Name><Status>{'DEPLOYED' if stage == 'LIVE' else 'UNPUBLISHED'}"
            f"</Status><FunctionConfig><Comment>{row.data['comment']}</Comment><Runtime>cloudfront-js-2.0</Runtime>"
            f"</FunctionConfig><FunctionMetadata><FunctionARN>arn:aws:cloudfront::210987654321:function/{name}"
            f"</FunctionARN><Stage>{stage}</Stage><LastModifiedTime>{iso(row.at, 3)}</LastModifiedTime>"
            f"</FunctionMetadata></FunctionSummary>"
        )

    def every(self, req: Req) -> Res:
        """Answer a list."""
        stage = req.query.get("Stage", "DEVELOPMENT")
        names = [key.partition("/")[0] for key in self.rows if key.endswith(stage)]
        items = "".join(self.summary(name, stage) for name in names)
        return Res(
            200,
            f"<FunctionList {_NS}><MaxItems>100</MaxItems><Quantity>{len(names)}</Quantity><Items>{items}</Items></FunctionList>",
        )

    def describe(self, req: Req, name: str) -> Res:
        """Answer a read."""
        stage = req.query.get("Stage", "DEVELOPMENT")
        return Res(200, self.summary(name, stage), {"ETag": self.mark(name, stage)})

    def refusal(self) -> Res:
        """Return the refusal of a wrong tag."""
        said = "The precondition given in one or more of the request-header fields evaluated to false."
        return Res(
            412,
            f"<ErrorResponse {_NS}><Error><Type>Sender</Type><Code>PreconditionFailed</Code><Message>{said}</Message>"
            f"</Error><RequestId>{guid('cf', self.count)}</RequestId></ErrorResponse>",
        )

    def update(self, req: Req, name: str) -> Res:
        """Answer a write, which is one of the development stage."""
        if req.fields.get("if-match") != self.mark(name, "DEVELOPMENT"):
            return self.refusal()
        comment = req.body.decode().partition("<Comment>")[2].partition("</Comment>")[0]
        self.store(f"{name}/DEVELOPMENT", {"comment": comment}, "me")
        mark = self.mark(name, "DEVELOPMENT")
        return Res(200, self.summary(name, "DEVELOPMENT"), {"ETtag": mark, "ETag": mark})

    def publish(self, req: Req, name: str) -> Res:
        """Make the development stage live."""
        if req.fields.get("if-match") != self.mark(name, "DEVELOPMENT"):
            return self.refusal()
        self.store(f"{name}/LIVE", self.rows[f"{name}/DEVELOPMENT"].data, "me")
        return Res(200, self.summary(name, "LIVE"))


class Tables(Api):
    """DynamoDB: items and condition expressions of the shape ``#f = :old``."""

    def setup(self) -> None:
        """Everything is a POST to one address."""
        self.on("POST", "/", self.call)

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        number = hashlib.sha256(str(self.count).encode()).hexdigest().upper()[:52]
        return {
            "x-amzn-RequestId": number,
            "Content-Type": "application/x-amz-json-1.0",
            "x-amz-crc32": str(int(number[:7], 16)),
        }

    def call(self, req: Req) -> Res:
        """Answer an action."""
        action, asked = req.fields["x-amz-target"].partition(".")[2], req.json
        if action == "DescribeTable":
            return Res(
                200,
                {
                    "Table": {
                        "TableName": asked["TableName"],
                        "TableStatus": "ACTIVE",
                        "ItemCount": len(self.rows),
                    }
                },
            )
        if action == "Query":
            return Res(
                200,
                {
                    "Count": len(self.rows),
                    "ScannedCount": len(self.rows),
                    "Items": [row.data for row in self.rows.values()],
                },
            )
        key = next(iter(asked["Key"].values()))["S"]
        row = self.rows[key]
        if action == "GetItem":
            return Res(200, {"Item": row.data})
        field = asked["ExpressionAttributeNames"]["#f"]
        values = asked["ExpressionAttributeValues"]
        if ":old" in values and row.data[field] != values[":old"]:
            told = {
                "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
                "message": "The conditional request failed",
            }
            if asked.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
                told["Item"] = row.data
            return Res(400, told)
        self.store(key, {**row.data, field: values[":new"]}, "me")
        return Res(200, {"Attributes": self.rows[key].data})


class Backblaze(Tagged):
    """Backblaze B2's S3: conditions on reads, none on writes."""

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        name = hashlib.md5(str(self.count).encode()).hexdigest()[:16]
        return {
            "Server": "nginx",
            "x-amz-request-id": name,
            "x-amz-id-2": base64.b64encode(name.encode() * 3).decode(),
        }

    def lost(self, req: Req) -> Res:
        """Return the answer for what is not there."""
        said = "<Code>NoSuchKey</Code>\n    <Message>Key not found</Message>"
        return Res(
            404,
            f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Error>\n    {said}\n</Error>\n',
            {"Content-Type": "application/xml"},
        )

    def listing(self, req: Req, key: str, below: dict[str, Row]) -> Res:
        """Return what is below a path."""
        rows = "".join(
            f"<Contents><Key>{one.removeprefix(key.rstrip('/') + '/')}</Key><LastModified>{iso(row.at, 3)}</LastModified>"
            f"<ETag>&quot;{row.digest()}&quot;</ETag><Size>{len(Res(200, row.data).octets)}</Size></Contents>"
            for one, row in below.items()
        )
        return Res(
            200,
            f'<?xml version="1.0"?><ListBucketResult><KeyCount>{len(below)}</KeyCount>{rows}</ListBucketResult>',
            {"Content-Type": "application/xml"},
        )

    def merged(self, req: Req, key: str, row: Row | None) -> str:
        """Return the new content."""
        return req.body.decode()

    def write(self, req: Req) -> Res:
        """Answer a write."""
        if any(name in req.fields for name in ("if-match", "if-none-match")):
            said = "<Code>NotImplemented</Code>\n    <Message>A header you provided implies functionality that is not implemented</Message>"
            return Res(
                501,
                f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Error>\n    {said}\n</Error>\n',
                {"Content-Type": "application/xml"},
            )
        return super().write(req)

    def written(self, req: Req, key: str, row: Row, made: bool) -> Res:
        """Return the answer to a write."""
        return Res(200, b"", self.marks(key, row))


class Buckets(Api):
    """Google Cloud Storage: JSON with one kind of tag, XML with another."""

    def setup(self) -> None:
        """Name the routes."""
        self.on("GET", r"/storage/v1/b/(?P<bucket>[\w-]+)/o", self.every)
        self.on("GET", r"/storage/v1/b/(?P<bucket>[\w-]+)/o/(?P<name>.+)", self.about)
        self.on("GET HEAD", r"/(?P<bucket>[\w-]+)/(?P<name>.+)", self.content)

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "X-GUploader-UploadID": "AFi" + hashlib.sha1(str(self.count).encode()).hexdigest()[:30],
            "Server": "UploadServer",
        }

    def generation(self, row: Row) -> str:
        """Return the generation."""
        return str(int(row.at * 1000000))

    def meta(self, bucket: str, name: str) -> dict[str, str]:
        """Return an object's metadata."""
        row = self.rows[f"{bucket}/{name}"]
        mark = base64.b64encode(b"\x08" + int(row.at * 1000000).to_bytes(8, "big") + b"\x10\x01").decode()
        return {
            "kind": "storage#object",
            "name": name,
            "bucket": bucket,
            "generation": self.generation(row),
            "metageneration": "1",
            "size": str(len(row.data)),
            "md5Hash": base64.b64encode(hashlib.md5(row.data.encode()).digest()).decode(),
            "etag": mark,
            "updated": iso(row.at, 3),
        }

    def every(self, req: Req, bucket: str) -> Res:
        """Answer a list."""
        names = [key.partition("/")[2] for key in self.rows if key.startswith(f"{bucket}/")]
        return Res(200, {"kind": "storage#objects", "items": [self.meta(bucket, name) for name in names]})

    def about(self, req: Req, bucket: str, name: str) -> Res:
        """Answer a read of metadata."""
        told = self.meta(bucket, name)
        return Res(
            200,
            told,
            {"ETag": told["etag"], "Cache-Control": "no-cache, no-store, max-age=0, must-revalidate"},
        )

    def content(self, req: Req, bucket: str, name: str) -> Res:
        """Answer a read of content."""
        if f"{bucket}/{name}" not in self.rows:
            return Res(
                404,
                "<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code></Error>",
                {"Content-Type": "application/xml"},
            )
        row = self.rows[f"{bucket}/{name}"]
        mark = f'"{hashlib.md5(row.data.encode()).hexdigest()}"'
        match = req.fields.get("if-match")
        if match is not None and mark.strip('"') not in [one.strip('"') for one in listed(match)]:
            said = "<Code>PreconditionFailed</Code><Message>At least one of the pre-conditions you specified did not hold.</Message>"
            return Res(
                412,
                f"<?xml version='1.0' encoding='UTF-8'?><Error>{said}</Error>",
                {"Content-Type": "application/xml; charset=UTF-8"},
            )
        own = {
            "ETag": mark,
            "x-goog-generation": self.generation(row),
            "x-goog-metageneration": "1",
            "x-goog-stored-content-encoding": "identity",
            "Content-Type": "text/csv",
        }
        own |= {"Last-Modified": formatdate(row.at, usegmt=True), "Accept-Ranges": "bytes"}
        if found := req.fields.get("range"):
            start, _, end = found.removeprefix("bytes=").partition("-")
            last = min(int(end), len(row.data) - 1)
            own["Content-Range"] = f"bytes {start}-{last}/{len(row.data)}"
            return Res(206, row.data[int(start) : last + 1], own)
        return Res(200, row.data, own)


class Runs(Api):
    """Cloud Run: a service that is reconciled after each change, while an operation tells how far it is."""

    seconds = 0.9

    def setup(self) -> None:
        """Name the routes."""
        self.ends: dict[str, tuple[float, str]] = {}
        root = r"/v2/(?P<parent>projects/[\w-]+/locations/[\w-]+)"
        self.on(
            "GET",
            rf"{root}/services",
            lambda req, parent: Res(200, {"services": [self.service(key) for key in self.rows]}),
        )
        self.on(
            "GET",
            rf"{root}/services/(?P<name>[\w-]+)",
            lambda req, parent, name: Res(200, self.service(f"{parent}/services/{name}")),
        )
        self.on("PATCH", rf"{root}/services/(?P<name>[\w-]+)", self.change)
        self.on("GET", rf"{root}/operations/(?P<name>[\w-]+)", self.operation)

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "Vary": "X-Origin, Referer",
            "Server": "ESF",
            "X-Frame-Options": "SAMEORIGIN",
            "Content-Type": "application/json; charset=UTF-8",
        }

    def service(self, key: str) -> dict[str, object]:
        """Return a service."""
        row = self.rows[key]
        ready = time.time() - row.at > self.seconds
        seen = row.rev if ready else row.rev - 1
        mark = base64.urlsafe_b64encode(f"{int(row.at)}/{row.rev}/{ready}".encode()).decode().rstrip("=")
        return {
            "name": key,
            **row.data,
            "updateTime": iso(row.at, 6),
            "generation": str(row.rev),
            "observedGeneration": str(seen),
            "reconciling": not ready,
            "etag": f'"{mark}"',
        }

    def change(self, req: Req, parent: str, name: str) -> Res:
        """Begin to change a service."""
        key, asked = f"{parent}/services/{name}", req.json
        if asked.get("etag") not in {None, self.service(key)["etag"]}:
            return Res(
                409,
                {"error": {"code": 409, "message": "The etag provided does not match.", "status": "ABORTED"}},
            )
        own = {field: value for field, value in asked.items() if field not in {"etag", "name"}}
        self.store(key, {**self.rows[key].data, **own}, "me")
        made = f"{parent}/operations/{guid(key, self.rows[key].rev)}"
        self.ends[made] = (time.time() + self.seconds, key)
        return Res(
            200, {"name": made, "metadata": {"@type": "type.googleapis.com/google.cloud.run.v2.Service"}}
        )

    def operation(self, req: Req, parent: str, name: str) -> Res:
        """Tell how far an operation is."""
        ends, key = self.ends[f"{parent}/operations/{name}"]
        if time.time() < ends + 0.1:
            return Res(200, {"name": f"{parent}/operations/{name}", "done": False})
        return Res(200, {"name": f"{parent}/operations/{name}", "done": True, "response": self.service(key)})
