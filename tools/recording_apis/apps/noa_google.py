"""Imitations after their documentation: APIs of Google."""

# ruff: noqa: ARG002, E501 - products need not use all they are handed; error texts stand as documented

from __future__ import annotations

import base64
import time
from typing import Any, ClassVar

from tools.recording_apis.apps.noa_engine import Api, Record, Request, Response, date, digest, stamp


def google_error(status: int, reason: str, message: str, **more: str) -> Response:
    """Return an error as Google's JSON APIs write it."""
    one = {"message": message, "domain": "global", "reason": reason, **more}
    return Response(status, {"error": {"code": status, "message": message, "errors": [one]}})


class Google(Api):
    """What Google's JSON APIs share."""

    server: ClassVar[str] = "ESF"
    media: ClassVar[str] = "application/json; charset=UTF-8"
    more: ClassVar[dict[str, str]] = {
        "Cache-Control": "private, max-age=0, must-revalidate, no-transform",
        "Vary": "Origin",
    }

    def absent(self, request: Request) -> Response:
        """Answer when there is no such record."""
        del request
        return google_error(404, "notFound", "Not Found")


class Calendar(Google):
    """Google Calendar v3: events with their tag in the body."""

    def tag(self, record: Record, request: Request | None = None) -> str:
        """Return the tag: a number of half milliseconds."""
        del request
        return f'"{int(record.at * 1000) * 2}"'

    def view(self, record: Record) -> object:
        """Return an event."""
        name = record.key.rpartition("/")[2]
        head = {"kind": "calendar#event", "etag": self.tag(record), "id": name, "status": "confirmed"}
        return {**head, "updated": stamp(record.at), **record.value, "creator": {"email": record.by}}

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take an event without what the service writes."""
        made = super().taken(request, old)
        return {
            k: v for k, v in made.items() if k not in {"kind", "etag", "id", "status", "updated", "creator"}
        }

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a tag."""
        return google_error(
            412, "conditionNotMet", "Precondition Failed", locationType="header", location="If-Match"
        )

    def route(self, request: Request) -> Response | None:
        """List events; a sync token is kept for so many seconds."""
        if request.method != "GET" or not request.path.endswith("/events"):
            return None
        issued = request.query.get("syncToken")
        if issued and time.time() - float(base64.b64decode(issued[2:]).decode()) > 2:
            return google_error(
                410,
                "fullSyncRequired",
                "Sync token is no longer valid, a full sync is required.",
                locationType="parameter",
                location="syncToken",
            )
        token = "CP" + base64.b64encode(f"{time.time():.3f}".encode()).decode()
        items = [self.view(one) for one in self.keys(f"{request.path}/")]
        return Response(200, {"kind": "calendar#events", "nextSyncToken": token, "items": items})


class Storage(Google):
    """Google Cloud Storage, JSON and XML: generations by query or by ``x-goog-...`` fields."""

    server: ClassVar[str] = "UploadServer"

    def key(self, request: Request) -> str:
        """Return bucket and object."""
        if request.path.startswith("/upload/"):
            return f"{request.path.split('/')[5]}/{request.query['name']}"
        if request.path.startswith("/storage/"):
            return request.path.removeprefix("/storage/v1/b/").replace("/o/", "/")
        return request.path.removeprefix("/")

    def _generation(self, record: Record) -> int:
        base = record.created if record.value.get("metageneration", 1) > 1 else record.at
        return int(record.value.get("generation") or base * 1_000_000)

    def view(self, record: Record) -> object:
        """Return the metadata of an object."""
        bucket, _, name = record.key.partition("/")
        content = record.value["content"]
        return {
            "kind": "storage#object",
            "name": name,
            "bucket": bucket,
            "generation": str(self._generation(record)),
            "metageneration": str(record.value.get("metageneration", 1)),
            "contentType": record.value.get("type", "application/json"),
            "size": str(len(content.encode())),
            "metadata": record.value.get("metadata", {}),
            "updated": stamp(record.at),
            "etag": base64.b64encode(digest([record.version, record.key], 8).encode()).decode(),
        }

    def route(self, request: Request) -> Response | None:
        """Hand over the content."""
        if request.method != "GET" or (
            request.path.startswith("/storage") and request.query.get("alt") != "media"
        ):
            return None
        record = self.seen(self.key(request), time.time() - self.lag)
        if record is None:
            return self.absent(request)
        fields = {"x-goog-generation": str(self._generation(record)), "Content-Type": "application/json"}
        fields["x-goog-metageneration"] = str(record.value.get("metageneration", 1))
        return Response(200, record.value["content"], {**fields, "Last-Modified": date(record.at)})

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return the tag of the metadata."""
        return {"ETag": base64.b64encode(digest([record.version, record.key], 8).encode()).decode()}

    def _asked(self, request: Request, kind: str) -> str | None:
        return request.query.get(f"if{kind}Match", request.fields.get(f"x-goog-if-{kind.lower()}-match"))

    def asks(self, request: Request) -> bool:
        """Return whether there is a generation."""
        return any(self._asked(request, kind) is not None for kind in ("Generation", "Metageneration"))

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare generations."""
        wanted, meta = self._asked(request, "Generation"), self._asked(request, "Metageneration")
        if wanted is not None and wanted != (str(self._generation(record)) if record else "0"):
            return False
        return meta is None or bool(record and meta == str(record.value.get("metageneration", 1)))

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take content, or metadata of the same generation."""
        if request.method == "PATCH" and old:
            same = {**old.value, "metadata": {**old.value.get("metadata", {}), **request.json["metadata"]}}
            grown = old.value.get("metageneration", 1) + 1
            return {**same, "generation": self._generation(old), "metageneration": grown}
        return {"content": request.body.decode(), "type": request.fields["content-type"]}

    creates: ClassVar[tuple[str, ...]] = ("PUT", "POST")

    def done(self, request: Request, record: Record, old: Record | None) -> Response:
        """Answer with the metadata, or without content in XML."""
        if request.path.startswith(("/storage", "/upload")):
            return super().done(request, record, old)
        fields = {"ETag": f'"{digest(record.value)}"', "x-goog-generation": str(self._generation(record))}
        return Response(200, b"", {**fields, "x-goog-metageneration": "1"})

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a generation."""
        said = "At least one of the pre-conditions you specified did not hold."
        if not request.path.startswith(("/storage", "/upload")):
            text = (
                f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>PreconditionFailed</Code><Message>{said}"
            )
            return Response(
                412, f"{text}</Message></Error>", {"Content-Type": "application/xml; charset=UTF-8"}
            )
        return google_error(412, "conditionNotMet", said, locationType="header", location="If-Match")


class Policies(Google):
    """Resource Manager: one IAM policy with its tag in the body, 409 ABORTED when it is old."""

    def key(self, request: Request) -> str:
        """Return the project."""
        return request.path.partition(":")[0]

    def _etag(self, record: Record) -> str:
        return "BwY" + base64.b64encode(digest([record.version, record.at], 5).encode()).decode()

    def view(self, record: Record) -> object:
        """Return a policy."""
        return {"version": 1, "etag": self._etag(record), "bindings": record.value["bindings"]}

    def route(self, request: Request) -> Response | None:
        """Read a policy by POST."""
        if request.path.endswith(":getIamPolicy"):
            record = self.seen(self.key(request))
            return Response(200, self.view(record)) if record else self.absent(request)
        return None

    def asks(self, request: Request) -> bool:
        """Return whether the policy has a tag."""
        return "etag" in request.json["policy"]

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare the policy's tag."""
        return record is not None and request.json["policy"]["etag"] == self._etag(record)

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take the bindings."""
        return {"bindings": request.json["policy"]["bindings"]}

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse an old policy."""
        said = "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. "
        now = self._etag(record) if record else ""
        said += f"The request's ETag '{request.json['policy']['etag']}' did not match the current policy's ETag '{now}'."
        return Response(409, {"error": {"code": 409, "message": said, "status": "ABORTED"}})

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return none: the tag is in the body."""
        return {}


class Compute(Google):
    """Compute Engine: fingerprints of labels and of metadata, each its own."""

    def key(self, request: Request) -> str:
        """Return the instance."""
        return request.path.removesuffix("/setLabels").removesuffix("/setMetadata")

    def _print(self, record: Record, part: str) -> str:
        return base64.b64encode(
            digest([part, record.value[part], record.value.get(f"{part}-n")], 8).encode()
        ).decode()

    def view(self, record: Record) -> object:
        """Return an instance."""
        value = record.value
        return {
            "kind": "compute#instance",
            "name": record.key.rpartition("/")[2],
            "status": "RUNNING",
            "fingerprint": digest([record.key, "instance"], 11) + "=",
            "labels": value["labels"],
            "labelFingerprint": self._print(record, "labels"),
            "metadata": {"fingerprint": self._print(record, "metadata"), "items": value["metadata"]},
        }

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return none."""
        return {}

    def _sent(self, request: Request) -> str | None:
        name = "labelFingerprint" if request.path.endswith("setLabels") else "fingerprint"
        sent: str | None = request.json.get(name)
        return sent

    def asks(self, request: Request) -> bool:
        """Return whether there is a fingerprint."""
        return self._sent(request) is not None

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare the fingerprint of the part."""
        part = "labels" if request.path.endswith("setLabels") else "metadata"
        return record is not None and self._sent(request) == self._print(record, part)

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take labels or metadata."""
        value = dict(old.value) if old else {}
        if request.path.endswith("setLabels"):
            return {**value, "labels": request.json["labels"]}
        return {**value, "metadata": request.json["items"]}

    creates: ClassVar[tuple[str, ...]] = ()

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a fingerprint."""
        part = "Labels" if request.path.endswith("setLabels") else "Supplied"
        noun = "label" if part == "Labels" else "metadata"
        return google_error(
            412,
            "conditionNotMet",
            f"{part} fingerprint either invalid or resource {noun}s have changed"
            if noun == "label"
            else "Supplied fingerprint does not match current metadata fingerprint.",
            locationType="header",
            location="If-Match",
        )

    def done(self, request: Request, record: Record, old: Record | None) -> Response:
        """Answer with an operation, which is done at once."""
        name = f"operation-{int(record.at * 1000)}-{digest(record.at, 12)}"
        return Response(200, {"kind": "compute#operation", "name": name, "status": "DONE", "progress": 100})


class Names(Google):
    """Cloud DNS: a change takes away exactly what is there."""

    def key(self, request: Request) -> str:
        """Return the zone."""
        return request.path.rpartition("/")[0]

    def view(self, record: Record) -> object:
        """Return the record sets."""
        return {"kind": "dns#resourceRecordSetsListResponse", "rrsets": record.value}

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return none."""
        return {}

    def asks(self, request: Request) -> bool:
        """Return whether something is taken away."""
        return bool(request.json.get("deletions"))

    def _strange(self, request: Request, record: Record | None) -> list[int]:
        live = record.value if record else []
        return [at for at, one in enumerate(request.json["deletions"]) if one not in live]

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare what is taken away with what is there."""
        return not self._strange(request, record)

    def refused(self, request: Request, record: Record | None) -> Response:
        """Name the element."""
        at = self._strange(request, record)[0]
        return google_error(
            412, "conditionNotMet", f"Precondition not met for 'entity.change.deletions[{at}]'"
        )

    creates: ClassVar[tuple[str, ...]] = ()

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take a change."""
        left = [one for one in (old.value if old else []) if one not in request.json.get("deletions", [])]
        return left + request.json.get("additions", [])

    def done(self, request: Request, record: Record, old: Record | None) -> Response:
        """Answer with the change."""
        return Response(
            200, {"kind": "dns#change", "id": str(record.version), "status": "pending", **request.json}
        )


class Documents(Google):
    """Firestore REST: ``currentDocument.updateTime`` and ``currentDocument.exists``."""

    def _time(self, record: Record) -> str:
        return stamp(record.at, 6)

    def view(self, record: Record) -> object:
        """Return a document."""
        return {
            "name": record.key.removeprefix("/v1/"),
            "fields": record.value["fields"],
            "createTime": stamp(record.created, 6),
            "updateTime": self._time(record),
        }

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return none."""
        return {}

    def asks(self, request: Request) -> bool:
        """Return whether there is a precondition."""
        return any(name.startswith("currentDocument") for name in request.query)

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare the time of the last update."""
        wanted = request.query.get("currentDocument.updateTime")
        if wanted is not None:
            return record is not None and wanted == self._time(record)
        return (request.query["currentDocument.exists"] == "true") == (record is not None)

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse by FAILED_PRECONDITION or ALREADY_EXISTS."""
        if request.query.get("currentDocument.exists") == "false":
            name = record.key.removeprefix("/v1/") if record else ""
            return Response(
                409,
                {
                    "error": {
                        "code": 409,
                        "message": f"Document already exists: {name}",
                        "status": "ALREADY_EXISTS",
                    }
                },
            )
        now = int(record.at * 1_000_000) if record else 0
        said = f"the stored version ({now}) does not match the required base version "
        return Response(400, {"error": {"code": 400, "message": said, "status": "FAILED_PRECONDITION"}})

    creates: ClassVar[tuple[str, ...]] = ("PATCH",)

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take the fields."""
        return {"fields": {**(old.value["fields"] if old else {}), **request.json["fields"]}}
