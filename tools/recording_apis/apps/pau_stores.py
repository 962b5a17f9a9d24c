# ruff: noqa: ARG002, E501 - an override takes what its base takes; error texts are as documented
"""Imitations of stores whose version travels in the query, the body or a field of their own."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, ClassVar

from tools.recording_apis.apps.pau_bodies import digest
from tools.recording_apis.apps.pau_engine import Answer, Item, Product, Request, iso, marker, stamp


class GoogleObjects(Product):
    """Cloud Storage's JSON API: ifGenerationMatch in the query."""

    writes = ("POST", "PUT", "PATCH")

    def mint(self, path: str, item: Item) -> str:
        """Return a generation."""
        return str(int(item.changed * 1e6))

    def sent(self, request: Request) -> Any:
        """Return ifGenerationMatch."""
        return request.query.get("ifGenerationMatch")

    def fits(self, sent: Any, item: Item | None) -> bool:
        """Compare the generation; 0 is for what is not there."""
        return bool(sent == (item.token if item else "0"))

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Return conditionNotMet."""
        message = "At least one of the pre-conditions you specified did not hold."
        error = {
            "message": message,
            "domain": "global",
            "reason": "conditionNotMet",
            "locationType": "header",
            "location": "If-Match",
        }
        return Answer(412, {"error": {"code": 412, "message": message, "errors": [error]}}, self._marks())

    def _marks(self) -> dict[str, str]:
        return {
            "X-GUploader-UploadID": f"AFIdbgT{digest(marker(), 20)}",
            "Vary": "Origin",
            "Cache-Control": "no-cache, no-store, max-age=0, must-revalidate",
        }

    def route(self, request: Request) -> Answer:
        """Map uploads on the object's path."""
        path = request.path.replace("/upload/", "/").replace("/download/", "/")
        if request.path.startswith("/upload/"):
            path = f"{path}/{request.query.get('name') or json.loads(self.part(request, 1))['name']}"
        if request.method == "DELETE":
            return self.delete(request, path)
        return self.write(request, path) if request.writes else self.read(request, path)

    def change(self, request: Request, item: Item | None) -> Any:
        """Take the content of a media or multipart upload."""
        if not request.fields.get("content-type", "").startswith("multipart/"):
            return request.body.decode("utf-8")
        return self.part(request, 2)

    def part(self, request: Request, number: int) -> str:
        """Return a part of a multipart upload."""
        kind = request.fields.get("content-type", "")
        edge = b"--" + kind.partition("boundary=")[2].strip('"').encode()
        part = request.body.split(edge)[number].partition(b"\r\n\r\n")[2]
        return part.removesuffix(b"\r\n").decode("utf-8")

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the metadata, or the content with alt=media."""
        octets = item.data.encode()
        check = base64.b64encode(hashlib.md5(octets).digest()).decode()  # noqa: S324
        lines = {**self._marks(), "X-Goog-Generation": item.token, "X-Goog-Metageneration": "1"}
        if request.query.get("alt") == "media":
            return Answer(
                200, octets, {**lines, "X-Goog-Hash": f"md5={check}", "Content-Type": "application/json"}
            )
        bucket, _, name = path.partition("/b/")[2].partition("/o/")
        told = {
            "kind": "storage#object",
            "id": f"{bucket}/{name}/{item.token}",
            "name": name,
            "bucket": bucket,
        }
        told |= {
            "generation": item.token,
            "metageneration": "1",
            "contentType": "application/json",
            "size": str(len(octets)),
        }
        told |= {
            "md5Hash": check,
            "updated": iso(item.changed, 3),
            "etag": base64.b64encode(item.token.encode()).decode(),
        }
        return Answer(200, told, lines)

    def done(self, request: Request, path: str, item: Item, created: bool) -> Answer:
        """Return the metadata."""
        return self.show(request, path, item)

    def absent(self, request: Request, path: str) -> Answer:
        """Return notFound."""
        name = path.partition("/b/")[2].replace("/o/", "/")
        error = {"message": f"No such object: {name}", "domain": "global", "reason": "notFound"}
        return Answer(
            404, {"error": {"code": 404, "message": error["message"], "errors": [error]}}, self._marks()
        )


class Placement(Product):
    """OpenStack's placement: resource_provider_generation in the body."""

    writes = ("PUT",)

    def mint(self, path: str, item: Item) -> str:
        """Return the generation."""
        return str(item.version)

    def sent(self, request: Request) -> Any:
        """Return the generation."""
        body = request.json
        said = body.get("resource_provider_generation")
        return "None" if said is None and "resource_provider_generation" in body else said

    def fits(self, sent: Any, item: Item | None) -> bool:
        """Compare the numbers."""
        return item is not None and sent == item.version

    def missing(self, request: Request, item: Item | None) -> Answer | None:
        """Insist on it."""
        return self._error(
            400,
            "JSON does not validate: 'resource_provider_generation' is a required property",
            "placement.undefined_code",
        )

    def _error(self, code: int, detail: str, name: str) -> Answer:
        title = {400: "Bad Request", 409: "Conflict"}[code]
        error = {
            "status": code,
            "title": title,
            "detail": f"{detail}",
            "code": name,
            "request_id": f"req-{marker()}",
        }
        return Answer(
            code,
            {"errors": [error]},
            {"openstack-api-version": "placement 1.39", "vary": "openstack-api-version"},
        )

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Return placement.concurrent_update."""
        if not isinstance(sent, int):
            return self._error(
                400,
                f"JSON does not validate: {sent} is not of type 'integer'\n\nFailed validating 'type' in schema['properties']['resource_provider_generation']",
                "placement.undefined_code",
            )
        return self._error(
            409,
            "There was a conflict when trying to complete your request.\n\n resource provider generation conflict ",
            "placement.concurrent_update",
        )

    def change(self, request: Request, item: Item | None) -> Any:
        """Take all but the generation."""
        return {key: one for key, one in request.json.items() if key != "resource_provider_generation"}

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the inventories and the generation."""
        lines = {
            "openstack-api-version": "placement 1.39",
            "vary": "openstack-api-version",
            "x-openstack-request-id": f"req-{marker()}",
        }
        return Answer(
            200,
            {**item.data, "resource_provider_generation": item.version},
            {**lines, "last-modified": stamp(item.changed), "cache-control": "no-cache"},
        )


class Vault(Product):
    """Vault's KV version 2: options.cas."""

    writes = ("POST", "PUT")

    def mint(self, path: str, item: Item) -> str:
        """Return the version."""
        return str(item.version)

    def sent(self, request: Request) -> Any:
        """Return options.cas."""
        return request.json.get("options", {}).get("cas")

    def fits(self, sent: Any, item: Item | None) -> bool:
        """Compare the numbers; 0 is for what is not there."""
        return bool(sent == (item.version if item else 0))

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Say that it did not match."""
        return Answer(
            400,
            {"errors": ["check-and-set parameter did not match the current version"]},
            {"Cache-Control": "no-store"},
        )

    def missing(self, request: Request, item: Item | None) -> Answer | None:
        """Insist on it when the mount says so."""
        return Answer(
            400, {"errors": ["check-and-set parameter required for this call"]}, {"Cache-Control": "no-store"}
        )

    def change(self, request: Request, item: Item | None) -> Any:
        """Take the data."""
        return request.json["data"]

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the secret."""
        meta = {
            "created_time": iso(item.changed, 9),
            "deletion_time": "",
            "destroyed": False,
            "version": item.version,
        }
        return Answer(
            200,
            {"request_id": marker(), "data": {"data": item.data, "metadata": meta}},
            {"Cache-Control": "no-store"},
        )

    def done(self, request: Request, path: str, item: Item, created: bool) -> Answer:
        """Return the metadata."""
        told = self.show(request, path, item)
        told.body["data"] = told.body["data"]["metadata"]
        return told


class FastlyStore(Product):
    """Fastly's KV store: if-generation-match."""

    writes = ("PUT",)

    def mint(self, path: str, item: Item) -> str:
        """Return a generation."""
        return str(int(item.changed * 1e6))

    def sent(self, request: Request) -> Any:
        """Return the field."""
        return request.fields.get("if-generation-match")

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Say that it did not match."""
        return Answer(
            412,
            {"title": "Precondition Failed", "detail": "generation does not match"},
            {"X-Request-Id": marker()},
        )

    def change(self, request: Request, item: Item | None) -> Any:
        """Take the value."""
        return request.json

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the value and its generation."""
        return Answer(200, item.data, {"generation": item.token, "Cache-Control": "private, no-store"})

    def done(self, request: Request, path: str, item: Item, created: bool) -> Answer:
        """Say nothing."""
        return Answer(200, b"", {"X-Request-Id": marker()})


class LockedRules(Product):
    """AWS WAFv2: LockToken in the body, all by POST."""

    media = "application/x-amz-json-1.1"
    target: ClassVar[str] = "AWSWAF_20190729."

    def mint(self, path: str, item: Item) -> str:
        """Return a token."""
        raw = digest(f"{path}{item.changed}{item.version}", 32)
        return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"

    def route(self, request: Request) -> Answer:
        """Dispatch by X-Amz-Target."""
        name, body = request.fields["x-amz-target"].removeprefix(self.target), request.json
        lines = {"x-amzn-RequestId": marker()}
        if name.startswith("List"):
            told = [{"Name": key, "LockToken": one.token} for key, one in self.items.items()]
            return Answer(200, {"IPSets": told}, lines)
        item = self.items[body["Name"]]
        if name.startswith("Get"):
            return Answer(200, {"IPSet": {"Name": body["Name"], **item.data}, "LockToken": item.token}, lines)
        with self.lock:
            if self.checks and body.get("LockToken") != self.items[body["Name"]].token:
                text = "AWS WAF couldn't save your changes because someone changed the resource after you started to edit it. Reapply your changes."
                lines |= {"x-amzn-ErrorType": "WAFOptimisticLockException"}
                return Answer(
                    400, {"__type": "WAFOptimisticLockException", "message": text, "Message": text}, lines
                )
            item = self.store(body["Name"], {"Addresses": body["Addresses"]}, request.who)
        return Answer(200, {"NextLockToken": item.token}, lines)
