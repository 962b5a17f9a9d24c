"""Imitations of Google's APIs after their documentation: storage, calendar, people, compute, DNS, policies."""

# ruff: noqa: ARG002, E501 - a product need not look at all that it is given; what it says is one sentence on a line
from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tools.recording_apis.apps.tom_engine import (
    Item,
    Product,
    Reply,
    Request,
    Tagged,
    digest,
    holds,
    instant,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def error(code: int, reason: str, said: str, status: str = "", **more: str) -> Mapping[str, Any]:
    """Return an error of a Google API."""
    told = {"code": code, "message": said, **({"status": status} if status else {})}
    return {"error": {**told, "errors": [{"message": said, "domain": "global", "reason": reason, **more}]}}


class Storage(Product):
    """Cloud Storage's JSON API: generations in the query; media with ``alt=media``."""

    server = "UploadServer"

    def answer(self, request: Request) -> Reply:
        """Take uploads of ``/upload/storage/v1/b/BUCKET/o?name=`` to the object's own path."""
        if request.path.startswith("/upload/") and "name" in request.query:
            path = request.path.removeprefix("/upload") + "/" + request.query["name"]
            request = Request(
                "PUT", f"{path}?{request.target.partition('?')[2]}", request.fields, request.body
            )
        return super().answer(request)

    def generation(self, path: str, item: Item) -> str:
        """Return the generation: microseconds of the write."""
        return str(int(item.changed * 1e6) + int(digest(path, 2), 16))

    def tag(self, path: str, item: Item) -> str:
        """Return the tag of a generation."""
        return base64.b64encode(f"\b{self.generation(path, item)}\x10\x01".encode()).decode()

    def body(self, path: str, item: Item) -> Any:
        """Return an object's metadata."""
        name = unquote(path.rpartition("/o/")[2])
        shown = {
            "generation": self.generation(path, item),
            "metageneration": "1",
            "size": str(len(item.body)),
        }
        return {
            "kind": "storage#object",
            "name": name,
            **shown,
            "updated": instant(item.changed),
            "md5Hash": base64.b64encode(bytes.fromhex(digest(item.body))).decode(),
            "etag": self.tag(path, item),
        }

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the content as text."""
        return request.body.decode("utf-8")

    def read(self, request: Request, item: Item) -> Reply:
        """Answer metadata, or media, whole or in part."""
        generation = self.generation(request.path, item)
        wanted = request.query.get("ifGenerationMatch", generation)
        if wanted != generation:
            return self.refuse(request, item)
        if request.query.get("ifGenerationNotMatch") == generation:
            return Reply(304)
        if request.query.get("alt") != "media":
            return Reply(200, self.body(request.path, item))
        return _part(
            request,
            item.body.encode(),
            {"X-Goog-Generation": generation, "ETag": self.tag(request.path, item)},
        )

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Return the refusal of a write, or None."""
        wanted = request.query.get("ifGenerationMatch")
        now = "0" if item is None else self.generation(request.path, item)
        return None if wanted is None or wanted == now else self.refuse(request, item)

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 412 conditionNotMet."""
        said = "At least one of the pre-conditions you specified did not hold."
        return Reply(
            412,
            error(412, "conditionNotMet", said, locationType="header", location="If-Match"),
            {"Vary": "Origin"},
        )


def _part(request: Request, content: bytes, fields: dict[str, str]) -> Reply:
    fields = {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream", **fields}
    asked = request.fields.get("range", "")
    if not asked.startswith("bytes="):
        return Reply(200, content, fields)
    low, _, high = asked.removeprefix("bytes=").partition("-")
    begin, end = int(low), min(int(high or len(content) - 1), len(content) - 1)
    return Reply(
        206, content[begin : end + 1], {**fields, "Content-Range": f"bytes {begin}-{end}/{len(content)}"}
    )


class StorageXml(Tagged):
    """An object store that speaks S3's XML: media with tags, ranges, and whatever ``deaf`` leaves out.

    ``refuses`` names the condition that it will not do at all, ``keeps`` sends parts without a look at If-Range.
    """

    server = "UploadServer"
    kind = "application/octet-stream"
    created_status = 200
    dated = True
    refuses = ""
    keeps = False

    def tag(self, _path: str, item: Item) -> str:
        """Return what looks like an MD5."""
        return f'"{digest(item.body)}"'

    def head(self, path: str, item: Item) -> dict[str, str]:
        """Return the validators, with the generation."""
        return {**super().head(path, item), "x-goog-generation": str(int(item.changed * 1e6))}

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the content as text."""
        return request.body.decode("utf-8")

    def saved(self, request: Request, item: Item, created: bool) -> Reply:
        """Answer with the new tag and nothing else."""
        return Reply(200, None, self.head(request.path, item))

    def gone(self, request: Request) -> Reply:
        """Answer 404 NoSuchKey."""
        return Reply(
            404,
            self.xml("NoSuchKey", "The specified key does not exist.", request),
            {"Content-Type": "application/xml"},
        )

    def xml(self, code: str, said: str, request: Request) -> str:
        """Return an error."""
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{said}</Message><Resource>{request.path}</Resource><RequestId>{digest(request.target, 16).upper()}</RequestId></Error>'

    def read(self, request: Request, item: Item) -> Reply:
        """Answer media, whole or in part."""
        fields = self.head(request.path, item)
        known = request.fields.get("if-none-match")
        if known and holds(known, fields["ETag"], weak=True):
            return Reply(304, None, fields)
        wanted = request.fields.get("if-match")
        if wanted and not holds(wanted, fields["ETag"], weak=False):
            return self.refuse(request, item)
        past = request.fields.get("if-range", fields["ETag"]) != fields["ETag"] and not self.keeps
        plain = {name: value for name, value in request.fields.items() if name != "range" or not past}
        return _part(Request(request.method, request.target, plain, b""), item.body.encode(), fields)

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Return the refusal of a write, or None."""
        if self.refuses and self.refuses in request.fields:
            said = "A header you provided implies functionality that is not implemented."
            return Reply(501, self.xml("NotImplemented", said, request), {"Content-Type": "application/xml"})
        return super().check(request, item)

    def refuse(self, request: Request, _item: Item | None) -> Reply:
        """Answer 412."""
        said = "At least one of the pre-conditions you specified did not hold"
        return Reply(412, self.xml("PreconditionFailed", said, request), {"Content-Type": "application/xml"})


class Calendar(Tagged):
    """Google Calendar: numbers in quotes, in the content and in ETag."""

    server = "ESF"

    def tag(self, path: str, item: Item) -> str:
        """Return an event's tag."""
        return f'"{int(item.changed * 1000)}{int(digest(path, 3), 16):04d}"'

    def body(self, path: str, item: Item) -> Any:
        """Return an event."""
        return {
            "kind": "calendar#event",
            "etag": self.tag(path, item),
            "id": path.rpartition("/")[2],
            **item.body,
            "updated": instant(item.changed),
            "sequence": item.version,
        }

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the event's own members."""
        system = {"kind", "etag", "id", "updated", "sequence"}
        return {name: value for name, value in super().merged(request, old).items() if name not in system}

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 412 conditionNotMet."""
        return Reply(
            412,
            error(412, "conditionNotMet", "Precondition Failed", locationType="header", location="If-Match"),
        )


class People(Product):
    """The People API: ``etag`` in the content, 400 when it is not the current one."""

    server = "ESF"
    validators = False

    def tag(self, path: str, item: Item) -> str:
        """Return a person's etag."""
        return "%EgU" + base64.b64encode(digest((path, item.version), 14).encode()).decode().rstrip("=")

    def body(self, path: str, item: Item) -> Any:
        """Return a person."""
        meta = {"sources": [{"type": "CONTACT", "updateTime": instant(item.changed)}]}
        return {
            "resourceName": path.removeprefix("/v1/"),
            "etag": self.tag(path, item),
            "metadata": meta,
            **item.body,
        }

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the person without its etag."""
        return {
            **(old.body if old else {}),
            **{name: value for name, value in request.json.items() if name != "etag"},
        }

    def answer(self, request: Request) -> Reply:
        """Take ``:updateContact`` to the person's own path."""
        path, _, query = request.target.partition("?")
        if path.endswith(":updateContact"):
            request = Request(
                request.method, f"{path.removesuffix(':updateContact')}?{query}", request.fields, request.body
            )
        return super().answer(request)

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Return the refusal of a write, or None."""
        sent = request.json.get("etag")
        return None if item is None or sent == self.tag(request.path, item) else self.refuse(request, item)

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 400 FAILED_PRECONDITION."""
        said = "Request person.etag is different than the current person.etag. Clear local cache and get the latest person."
        return Reply(400, error(400, "failedPrecondition", said, "FAILED_PRECONDITION"))


class Policies(Product):
    """IAM policies of projects: one ``etag`` for the whole policy."""

    server = "ESF"
    validators = False

    def tag(self, path: str, item: Item) -> str:
        """Return a policy's etag."""
        return f"BwY{base64.b64encode(bytes.fromhex(digest((path, item.version), 10))).decode()}"

    def answer(self, request: Request) -> Reply:
        """Serve ``:getIamPolicy`` and ``:setIamPolicy``."""
        path, _, verb = request.path.partition(":")
        item = self.items.get(path)
        if item is None or not verb:
            return super().answer(request)
        if verb == "getIamPolicy":
            return Reply(200, {"version": 1, "etag": self.tag(path, item), **item.body})
        with self.lock:
            policy = request.json["policy"]
            now = self.tag(path, self.items[path])
            if policy.get("etag", now) != now:
                said = f"There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. The request's ETag '{policy['etag']}' did not match the current policy's ETag '{now}'."
                return Reply(409, error(409, "aborted", said, "ABORTED"))
            made = self.store(path, {"bindings": policy["bindings"]}, request.user)
            return Reply(200, {"version": 1, "etag": self.tag(path, made), **made.body})

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Refuse nothing: policies are set by POST alone."""
        return None


class Compute(Product):
    """Compute Engine: fingerprints of an instance and of its parts."""

    server = "ESF"
    validators = False

    def finger(self, part: str, value: Any) -> str:
        """Return the fingerprint of a part."""
        return base64.b64encode(bytes.fromhex(digest((part, value), 16))).decode()

    def body(self, path: str, item: Item) -> Any:
        """Return an instance with its fingerprints."""
        meta = item.body["metadata"]
        shown = {"fingerprint": self.finger("instance", (path, item.version))}
        labels = {"labelFingerprint": self.finger("labels", item.body["labels"])}
        return {
            "kind": "compute#instance",
            **item.body,
            **shown,
            **labels,
            "metadata": {"kind": "compute#metadata", "fingerprint": self.finger("meta", meta), "items": meta},
        }

    def answer(self, request: Request) -> Reply:
        """Serve ``setMetadata``."""
        path, _, verb = request.path.rpartition("/")
        if verb != "setMetadata":
            return super().answer(request)
        item, sent = self.items[path], request.json
        if sent.get("fingerprint") != self.finger("meta", item.body["metadata"]):
            said = "Supplied fingerprint does not match current metadata fingerprint."
            return Reply(412, error(412, "conditionNotMet", said, locationType="header", location="If-Match"))
        self.store(path, {**item.body, "metadata": sent["items"]}, request.user)
        return Reply(
            200, {"kind": "compute#operation", "status": "DONE", "operationType": verb, "targetLink": path}
        )

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Refuse nothing else."""
        return None


class Dns(Product):
    """Cloud DNS: a change deletes record sets that must be given exactly as they are."""

    server = "ESF"
    validators = False

    def answer(self, request: Request) -> Reply:
        """Serve changes of ``/dns/v1/.../changes``."""
        if not request.path.endswith("/changes"):
            return super().answer(request)
        zone = request.path.removesuffix("/changes") + "/rrsets"
        records, change = list(self.items[zone].body["rrsets"]), request.json
        for number, record in enumerate(change.get("deletions", [])):
            if record not in records:
                said = f"Precondition not met for 'entity.change.deletions[{number}]'"
                return Reply(412, error(412, "conditionNotMet", said))
            records.remove(record)
        self.store(zone, {"rrsets": records + change.get("additions", [])}, request.user)
        return Reply(200, {"kind": "dns#change", "id": str(self.items[zone].version), "status": "pending"})

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Refuse nothing else."""
        return None


class BigQuery(Calendar):
    """BigQuery's tables: tags in base64."""

    def tag(self, path: str, item: Item) -> str:
        """Return a table's tag."""
        return base64.b64encode(digest((path, item.version), 16).encode()).decode()

    def body(self, path: str, item: Item) -> Any:
        """Return a table."""
        return {
            "kind": "bigquery#table",
            "etag": self.tag(path, item),
            **item.body,
            "lastModifiedTime": str(int(item.changed * 1000)),
            "location": "EU",
        }
