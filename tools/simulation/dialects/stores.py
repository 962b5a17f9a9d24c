"""Object stores and tables: S3, Azure Blob, Azure Table, Cosmos DB, Google Cloud Storage."""

from __future__ import annotations

import hashlib
import json
import urllib.parse
from typing import TYPE_CHECKING, ClassVar

from tools.simulation import topics
from tools.simulation.messages import Request, Response, iso
from tools.simulation.skin import Skin
from tools.simulation.store import Condition, opaque

if TYPE_CHECKING:
    from tools.simulation.kernel import World
    from tools.simulation.messages import Answer, Document, Fields
    from tools.simulation.store import Entry


class S3(Skin):
    """Amazon S3 and what looks like it."""

    id: ClassVar[str] = "s3"
    fronted = False
    demands = False
    servers = ("s3", "s3", "minio")
    clients = ("boto3", "awsgo", "boto3", "awsgo", "rclone", "curl")
    guards_presence = False
    hosts = ("state-eu.s3.eu-west-1.amazonaws.com", "reports.s3.us-east-2.amazonaws.com")

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.scheme, self.patch, self.dates, self.answer, self.prefix = "md5", False, True, "tagged", ""
        self.cache_control = None
        if self.server.name == "minio":
            self.host = world.rng.choice(("minio.internal.example", "objects.example.test"))
        else:
            self.host = world.rng.choice(self.hosts[:2])
        self.origin_url = f"https://{self.host}"
        if world.rng.random() < 0.3:
            self.topic, self.form = topics.STATE, "binary"
        self.folder = world.rng.choice(("tfstate", "exports/2026", "manifests", "catalog/db1", "checkpoints"))

    def url(self, key: str) -> str:
        """Return the URL of an object."""
        return f"{self.origin_url}/{self.folder}/{key}.json"

    def operation(self, request: Request) -> tuple[str, str]:
        """As REST, the key without its extension."""
        kind, key = super().operation(request)
        return kind, key.removesuffix(".json")

    def accepted(self, entry: Entry, tag: str | None, modified: str | None, *, created: bool) -> Response:
        """200, empty, with the tag."""
        del entry, modified, created
        fields: Fields = [("ETag", tag)] if tag else []
        return Response(200, [*fields, ("Content-Length", "0")])

    def absent(self) -> Response:
        """404 NoSuchKey."""
        return self._error(404, "NoSuchKey", "The specified key does not exist.", "")

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 PreconditionFailed; 404 for If-Match on a missing key."""
        del entry, tag
        if why == "gone":
            return self.absent()
        name = condition.field if condition else "If-Match"
        return self._error(
            412,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
            f"<Condition>{name}</Condition>",
        )

    def _error(self, status: int, code: str, text: str, more: str) -> Response:
        number = f"{self.world.rng.getrandbits(64):016X}"
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{text}</Message>{more}<RequestId>{number}</RequestId><HostId>{number}{number}</HostId></Error>'
        return self.json_answer(status, body, "application/xml")


class AzureBlob(Skin):
    """Azure Blob storage."""

    id: ClassVar[str] = "azure-blob"
    fronted = False
    demands = False
    servers = ("azure",)
    clients = ("azsdk", "azsdknet", "azsdk", "curl")
    hosts = (
        "acmelogs.blob.core.windows.net",
        "stfleet01.blob.core.windows.net",
        "notes.blob.core.windows.net",
    )
    exists_status = 409

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.patch, self.dates, self.answer, self.prefix, self.cache_control = False, True, "tagged", "", None
        if world.rng.random() < 0.3:
            self.topic, self.form = topics.STATE, "binary"
        self.container = world.rng.choice(("state", "docs", "leases", "reports"))
        self.writes = [("x-ms-blob-type", "BlockBlob")]

    def url(self, key: str) -> str:
        """Return the URL of a blob."""
        return f"{self.origin_url}/{self.container}/{key}"

    def opaque(self, entry: Entry) -> str:
        """0x8D and digits of the time."""
        return (
            f"0x8DE{int(entry.modified * 1e6) + entry.version:013X}"[:17]
            + opaque(entry, "short", "")[:1].upper()
        )

    def accepted(self, entry: Entry, tag: str | None, modified: str | None, *, created: bool) -> Response:
        """201 with tag and date."""
        del entry, created
        return Response(
            201,
            [
                ("Content-Length", "0"),
                *self.validators(tag, modified),
                ("x-ms-request-server-encrypted", "true"),
            ],
        )

    def absent(self) -> Response:
        """404 BlobNotFound."""
        return self._error(404, "BlobNotFound", "The specified blob does not exist.")

    def deleted(self) -> Response:
        """202 without content."""
        return Response(202, [("Content-Length", "0")])

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 ConditionNotMet, 409 BlobAlreadyExists."""
        del condition, entry, tag
        if why == "exists":
            return self._error(409, "BlobAlreadyExists", "The specified blob already exists.")
        if why == "malformed":
            return self._error(
                400,
                "InvalidHeaderValue",
                "The value for one of the HTTP headers is not in the correct format.",
            )
        return self._error(
            412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met."
        )

    def _error(self, status: int, code: str, text: str) -> Response:
        number = f"{self.world.rng.getrandbits(32):08x}-501e-0042-7711-{self.world.rng.getrandbits(48):012x}"
        body = f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{text}\nRequestId:{number}\nTime:{iso(self.world.now, 6)}</Message></Error>'
        answer = self.json_answer(status, body, "application/xml")
        answer.fields.append(("x-ms-error-code", code))
        answer.reason = text
        return answer


class AzureTable(Skin):
    """Azure Table storage: weak tags, compared as they are."""

    id: ClassVar[str] = "azure-table"
    fronted = False
    demands = False
    guards_presence = False
    servers = ("azuretable",)
    clients = ("requests", "dotnet", "azsdk")
    hosts = ("acmelogs.table.core.windows.net", "fleet.table.core.windows.net")
    weak_by_dialect = True
    exists_status = 409
    guards_creation = False

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.patch, self.dates, self.answer, self.prefix = False, False, "tagged", ""
        self.cache_control = None
        self.reads = [("Accept", "application/json;odata=minimalmetadata"), ("x-ms-version", "2019-02-02")]

    def url(self, key: str) -> str:
        """Return the URL of an entity."""
        return f"{self.origin_url}/{self.topic.noun}(PartitionKey='p1',RowKey='{key}')"

    def operation(self, request: Request) -> tuple[str, str]:
        """As REST, the row key out of the parentheses."""
        kind, key = super().operation(request)
        if request.method == "POST" and request.document is not None:
            return "create", str(request.document.get("RowKey"))
        return kind, key.partition("RowKey='")[2].removesuffix("')")

    def create(self, key: str, document: Document, *, guarded: bool = True) -> Request:
        """Insert: a POST to the table."""
        del guarded
        whole: Document = {"PartitionKey": "p1", "RowKey": key, **document}
        return Request(
            "POST",
            f"{self.origin_url}/{self.topic.noun}",
            [*self.reads, ("Content-Type", "application/json")],
            json.dumps(whole),
            whole,
        )

    def condition(self, request: Request) -> Condition | None:
        """An insert only creates."""
        return Condition("absent") if request.method == "POST" else super().condition(request)

    def tag(self, entry: Entry) -> str:
        """W/"datetime'…'", percent-encoded."""
        moment = iso(entry.modified + entry.version * 1e-5, 6)[:-1] + "7Z"
        return f"W/\"datetime'{urllib.parse.quote(moment)}'\""

    def content(self, entry: Entry, tag: str) -> str:
        """The entity with its tag."""
        return json.dumps(
            {
                "odata.etag": tag,
                "PartitionKey": "p1",
                "RowKey": entry.key,
                "Timestamp": iso(entry.modified, 6),
                **entry.document,
            }
        )

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 UpdateConditionNotSatisfied."""
        del condition, entry, tag
        codes = {
            "gone": (404, "ResourceNotFound", "The specified resource does not exist."),
            "exists": (409, "EntityAlreadyExists", "The specified entity already exists."),
            "malformed": (
                400,
                "InvalidInput",
                "The etag value specified in one of the request headers is not valid.",
            ),
        }
        status, code, text = codes.get(
            why,
            (
                412,
                "UpdateConditionNotSatisfied",
                "The update condition specified in the request was not satisfied.",
            ),
        )
        return self.json_answer(
            status,
            json.dumps(
                {
                    "odata.error": {
                        "code": code,
                        "message": {
                            "lang": "en-US",
                            "value": f"{text}\nRequestId:{self.world.rng.getrandbits(48):012x}\nTime:{iso(self.world.now, 6)}",
                        },
                    }
                }
            ),
        )


class Cosmos(Skin):
    """Azure Cosmos DB for NoSQL."""

    id: ClassVar[str] = "cosmos"
    fronted = False
    demands = False
    guards_presence = False
    servers = ("cosmos",)
    clients = ("requests", "dotnet", "java")
    hosts = ("acme-db.documents.azure.com:443", "carts.documents.azure.com:443")
    exists_status = 409
    guards_creation = False

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.patch, self.dates, self.answer, self.prefix, self.scheme = False, False, "full", "", "uuid"
        self.cache_control = None
        self.origin_url = f"https://{self.host}"
        self.reads = [("x-ms-documentdb-partitionkey", '["p1"]'), ("x-ms-version", "2018-12-31")]
        self.writes = list(self.reads)

    def url(self, key: str) -> str:
        """Return the URL of a document."""
        return f"{self.origin_url}/dbs/shop/colls/{self.topic.noun}/docs/{key}"

    def operation(self, request: Request) -> tuple[str, str]:
        """As REST; a POST to the collection creates."""
        if request.method == "POST" and request.document is not None:
            return "create", str(request.document.get("id"))
        return super().operation(request)

    def create(self, key: str, document: Document, *, guarded: bool = True) -> Request:
        """Create: a POST to the collection."""
        del guarded
        whole: Document = {"id": key, **document}
        return Request(
            "POST",
            self.url("").rstrip("/"),
            [*self.reads, ("Content-Type", "application/json")],
            json.dumps(whole),
            whole,
        )

    def condition(self, request: Request) -> Condition | None:
        """A create only creates."""
        return Condition("absent") if request.method == "POST" else super().condition(request)

    def sent(self, key: str, document: Document, token: str | None) -> str:
        """The document with its id."""
        del token
        return json.dumps({"id": key, **document})

    def content(self, entry: Entry, tag: str) -> str:
        """The document with _etag and _ts."""
        return json.dumps(
            {
                "id": entry.key,
                **entry.document,
                "_rid": "d9RzAJRFKgwBAAAA",
                "_etag": tag,
                "_ts": int(entry.modified),
            },
            separators=(",", ":"),
        )

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 PreconditionFailed."""
        del condition, entry, tag
        code, status, text = {
            "exists": ("Conflict", 409, "Resource with specified id or name already exists."),
            "gone": ("NotFound", 404, "Resource Not Found."),
        }.get(
            why,
            (
                "PreconditionFailed",
                412,
                "Operation cannot be performed because one of the specified precondition is not met.",
            ),
        )
        body = json.dumps(
            {
                "code": code,
                "message": f"{text}\r\nActivityId: {self.world.rng.getrandbits(64):016x}, Microsoft.Azure.Documents.Common/2.14.0",
            }
        )
        answer = self.json_answer(status, body)
        answer.fields.append(("x-ms-substatus", "0"))
        return answer


class GoogleStorage(Skin):
    """Google Cloud Storage, JSON API: generations in the query."""

    id: ClassVar[str] = "gcs-json"
    fronted = False
    numeric_token = True
    demands = False
    servers = ("google",)
    clients = ("gcs", "go", "gcs", "curl")
    hosts = ("storage.googleapis.com",)
    token_field = "ifGenerationMatch"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.patch, self.dates, self.answer = False, False, "full"
        self.cache_control = "no-cache, no-store, max-age=0, must-revalidate"
        self.origin_url = "https://storage.googleapis.com"
        self.bucket = world.rng.choice(("acme-state", "fleet-config", "ml-runs"))

    def url(self, key: str) -> str:
        """Return the URL of an object's content."""
        return f"{self.origin_url}/storage/v1/b/{self.bucket}/o/{self.topic.noun}%2F{key}?alt=json"

    def _upload(self, key: str, more: str) -> str:
        return f"{self.origin_url}/upload/storage/v1/b/{self.bucket}/o?uploadType=media&name={self.topic.noun}%2F{key}{more}"

    def write(self, key: str, document: Document, token: str | None, base: Document | None = None) -> Request:
        """Upload with ifGenerationMatch."""
        del base
        more = f"&ifGenerationMatch={token}" if token is not None else ""
        return Request(
            "POST",
            self._upload(key, more),
            [("Content-Type", "application/json")],
            json.dumps(document),
            dict(document),
        )

    def create(self, key: str, document: Document, *, guarded: bool = True) -> Request:
        """Upload with ifGenerationMatch=0."""
        return self.write(key, document, "0" if guarded else None)

    def remove(self, key: str, token: str | None) -> Request:
        """Delete with ifGenerationMatch."""
        more = f"?ifGenerationMatch={token}" if token else ""
        return Request("DELETE", self.url(key).partition("?")[0] + more)

    def operation(self, request: Request) -> tuple[str, str]:
        """The object's name is in the path or in the query."""
        parts = urllib.parse.urlsplit(request.url)
        query = dict(urllib.parse.parse_qsl(parts.query))
        name = query.get("name") or urllib.parse.unquote(parts.path.rsplit("/o/", 1)[-1])
        kinds = {"GET": "read", "POST": "write", "DELETE": "delete"}
        return kinds.get(request.method, "other"), name.rpartition("/")[2]

    def condition(self, request: Request) -> Condition | None:
        """ifGenerationMatch: 0 means absent."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.url).query, keep_blank_values=True))
        value = query.get("ifGenerationMatch")
        if value is None:
            return None
        if value == "0":
            return Condition("absent", ("0",), field="ifGenerationMatch")
        return Condition(
            "match" if value.isdigit() else "malformed-match", (value,), field="ifGenerationMatch"
        )

    def tag(self, entry: Entry) -> str:
        """The generation: microseconds since the epoch."""
        return str(int(entry.modified * 1e6) + entry.version)

    def validators(self, tag: str | None, modified: str | None) -> Fields:
        """An etag that is not the generation, and the generation as a field."""
        del modified
        return [
            ("ETag", f'"{topics.media_type("json")[:2]}{hash_of(tag or "")}"'),
            ("X-Goog-Generation", tag or ""),
        ]

    def content(self, entry: Entry, tag: str) -> str:
        """The object resource, with the content as metadata."""
        return json.dumps(
            {
                "kind": "storage#object",
                "name": f"{self.topic.noun}/{entry.key}",
                "bucket": self.bucket,
                "generation": tag,
                "metageneration": "1",
                "size": str(len(json.dumps(entry.document))),
                "updated": iso(entry.modified),
                "metadata": {name: str(value) for name, value in entry.document.items()},
            }
        )

    def token_of(self, answer: Answer) -> str | None:
        """The generation in the body."""
        if (
            not isinstance(answer, Response)
            or not isinstance(answer.body, str)
            or '"generation"' not in answer.body
        ):
            return None
        return str(json.loads(answer.body)["generation"])

    def absent(self) -> Response:
        """404 notFound."""
        return self._error(404, "notFound", "No such object", None)

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 conditionNotMet; 400 for what is no number."""
        del condition, entry, tag
        if why == "malformed":
            return self._error(
                400, "invalid", "Invalid unsigned long value in ifGenerationMatch.", "ifGenerationMatch"
            )
        return self._error(
            412,
            "conditionNotMet",
            "At least one of the pre-conditions you specified did not hold.",
            "If-Match",
        )

    def _error(self, status: int, reason: str, text: str, location: str | None) -> Response:
        error: dict[str, object] = {"message": text, "domain": "global", "reason": reason}
        if location:
            error |= {"locationType": "header", "location": location}
        body = json.dumps({"error": {"code": status, "message": text, "errors": [error]}}, indent=2)
        return self.json_answer(status, body, "application/json; charset=UTF-8")


def hash_of(text: str) -> str:
    """Return a short hash, for tags that mean nothing here."""
    return hashlib.sha1(text.encode()).hexdigest()[:10]  # noqa: S324 - a tag, not a secret


STORES = (S3, AzureBlob, AzureTable, Cosmos, GoogleStorage)
