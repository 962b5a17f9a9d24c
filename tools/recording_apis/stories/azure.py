"""Azure Storage with Azurite behind Microsoft's own Python library: blobs, leases, table entities."""

from __future__ import annotations

import importlib
import time
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tools.recording_apis.names import route
from tools.recording_apis.stage import Stage, StoryError, case

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording.message import Message
    from tools.recording_apis.servers import Server

_ACCOUNT = "AccountName=notes;AccountKey=ZXhhbXBsZQ==;DefaultEndpointsProtocol=http;"


class Blobs:
    """The azure-storage-blob library, behind a tap of its own."""

    def __init__(
        self,
        stage: Stage,
        name: str,
        server: Server,
        *,
        loses: Callable[[Message], bool] | None = None,
        retries: int = 0,
    ) -> None:
        self._port = stage.tap(name, server, loses)
        self._retries = retries
        self._errors = importlib.import_module("azure.core.exceptions")
        self.match = importlib.import_module("azure.core").MatchConditions
        self.connect()

    def connect(self) -> None:
        """Start with connections of its own, as a process does that has just begun."""
        library = importlib.import_module("azure.storage.blob")
        with patch(
            "platform.platform", return_value="Linux-x86_64"
        ):  # the kernel's name is nobody's business
            self._service = library.BlobServiceClient.from_connection_string(
                f"{_ACCOUNT}BlobEndpoint=http://blob.example.test/notes",
                retry_total=self._retries,
                initial_backoff=1,
                increment_base=1,
            )

    def on(self, action: Callable[[Any], Any], expect: str = "", blob: str = "plan.json") -> Any:
        """Do something with a blob client and insist on the error code, empty for success."""
        route("blob.example.test", self._port)
        code, result = "", None
        try:
            with patch("uuid.uuid1", uuid.uuid4):  # as above: no network card's address in the request ids
                result = action(self._service.get_blob_client("docs", blob))
        except self._errors.HttpResponseError as refused:
            code = getattr(refused, "error_code", "") or str(refused.status_code)
        if str(getattr(code, "value", code)) != expect:
            raise StoryError(f"expected {expect or 'success'}, got {code or result}")
        return result

    def container(self) -> None:
        """Make the container."""
        route("blob.example.test", self._port)
        self._service.create_container("docs")

    def tag(self, blob: str = "plan.json") -> str:
        """Read the properties and return the tag."""
        return str(self.on(lambda one: one.get_blob_properties().etag, blob=blob))

    def write(self, text: str, tag: str, expect: str = "", blob: str = "plan.json", **more: Any) -> Any:
        """Replace a blob's content if its tag is still ``tag``."""
        condition = {"etag": tag, "match_condition": self.match.IfNotModified}
        return self.on(lambda one: one.upload_blob(text, overwrite=True, **condition, **more), expect, blob)


def _upload(text: str, blob: Any) -> None:
    blob.upload_blob(text)


def furnished(stage: Stage, **blobs: str) -> Server:
    """Start Azurite with a container and blobs."""
    server = stage.server("azurite")
    setup = Blobs(stage, "setup", server)
    setup.container()
    for name, text in blobs.items():
        setup.on(partial(_upload, text), blob=f"{name}.json")
    for tap in ("setup", "upstream"):
        stage.taps[tap].recorded.clear()
    return server


@case(
    "a195",
    "azure-blob-other-writer",
    "other-writer",
    "412",
    alone="other-writer",
    description="A blob is replaced by another worker between read and write: 412 ConditionNotMet.",
)
def other_writer(stage: Stage) -> None:
    """Two workers replace one blob."""
    server = furnished(stage, plan='{"week":47}')
    me, other = Blobs(stage, "client", server), Blobs(stage, "other", server)
    me.on(lambda one: one.download_blob().readall())
    tag = me.tag()
    other.write('{"week":48,"by":"b"}', other.tag())
    time.sleep(0.8)
    me.write('{"week":48,"by":"a"}', tag, "ConditionNotMet")
    me.on(lambda one: one.download_blob().readall())


@case(
    "a196",
    "azure-lease-id-missing",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "Another process holds a lease on the blob; the write without a lease id is 412 LeaseIdMissing."
    ),
)
def lease_missing(stage: Stage) -> None:
    """Write to a leased blob."""
    server = furnished(stage, plan='{"week":47}')
    me, other = Blobs(stage, "client", server), Blobs(stage, "other", server)
    other.on(lambda one: one.acquire_lease(60))
    tag = me.tag()
    me.write('{"week":48}', tag, "LeaseIdMissing")
    me.tag()


@case(
    "a197",
    "azure-lease-broken-by-operator",
    "lease-or-lock",
    "412",
    alone="lease-or-lock token-expired",
    description=(
        "An operator breaks the lease and takes a new one; the first holder writes with its old lease id."
    ),
)
def lease_lost(stage: Stage) -> None:
    """Lose a lease."""
    server = furnished(stage, plan='{"week":47}')
    me, other = Blobs(stage, "client", server), Blobs(stage, "other", server)
    lease = me.on(lambda one: one.acquire_lease(60))
    me.on(lambda one: one.upload_blob('{"week":48}', overwrite=True, lease=lease))
    broken = importlib.import_module("azure.storage.blob").BlobLeaseClient
    other.on(lambda one: broken(one).break_lease(0))
    other.on(lambda one: one.acquire_lease(60))
    time.sleep(0.5)
    again = lambda one: one.upload_blob('{"week":49}', overwrite=True, lease=lease)  # noqa: E731
    me.on(again, "LeaseIdMismatchWithBlobOperation")
    me.tag()


@case(
    "a198",
    "azure-create-only-409",
    "exists-already",
    "409",
    alone="exists-already status-dialect-mismatch",
    also="status-dialect-mismatch",
    description=(
        "upload_blob without overwrite sends If-None-Match: *; a taken name is 409 BlobAlreadyExists."
    ),
)
def exists(stage: Stage) -> None:
    """Create a taken name."""
    server = furnished(stage, plan='{"week":47}')
    me = Blobs(stage, "client", server)
    me.on(lambda one: one.upload_blob('{"week":1}'), "BlobAlreadyExists")
    me.tag()


@case(
    "a199",
    "azure-lease-expired",
    "token-expired",
    "412",
    alone="token-expired lease-or-lock",
    also="lease-or-lock",
    description="A lease of fifteen seconds has run out when its holder writes: 412, no lease present.",
)
def lease_expired(stage: Stage) -> None:
    """Write after the lease has ended."""
    server = furnished(stage, plan='{"week":47}')
    me = Blobs(stage, "client", server)
    lease = me.on(lambda one: one.acquire_lease(15))
    me.on(lambda one: one.upload_blob('{"week":48}', overwrite=True, lease=lease))
    time.sleep(16.5)
    me.connect()
    me.on(
        lambda one: one.upload_blob('{"week":49}', overwrite=True, lease=lease),
        "LeaseNotPresentWithBlobOperation",
    )
    me.tag()


@case(
    "a200",
    "azure-checkpoints-healthy",
    "none",
    "healthy",
    alone="none",
    description="A consumer renews its lease and stores its checkpoints with the tag of its last write.",
)
def checkpoints(stage: Stage) -> None:
    """Store checkpoints."""
    server = furnished(stage, offset='{"offset":0}')
    me = Blobs(stage, "client", server)
    lease = me.on(lambda one: one.acquire_lease(30), blob="offset.json")
    tag = me.tag("offset.json")
    for offset in (100, 200, 300):
        answer = me.write(f'{{"offset":{offset}}}', tag, blob="offset.json", lease=lease)
        tag = answer["etag"]
        me.on(lambda _: lease.renew())
    me.on(lambda _: lease.release())


class Table:
    """The azure-data-tables library, behind a tap of its own."""

    def __init__(self, stage: Stage, name: str, server: Server) -> None:
        self._port = stage.tap(name, server)
        library = importlib.import_module("azure.data.tables")
        self._errors = importlib.import_module("azure.core.exceptions")
        self.mode = library.UpdateMode.REPLACE
        self.match = importlib.import_module("azure.core").MatchConditions
        with patch("platform.platform", return_value="Linux-x86_64"):
            self.client = library.TableClient.from_connection_string(
                f"{_ACCOUNT}TableEndpoint=http://table.example.test/notes", "orders", retry_total=0
            )

    def do(self, action: Callable[[Any], Any], expect: int = 0) -> Any:
        """Do something with the table client and insist on the refusing status, 0 for success."""
        route("table.example.test", self._port)
        status, result = 0, None
        try:
            with patch("uuid.uuid1", uuid.uuid4):
                result = action(self.client)
        except self._errors.HttpResponseError as refused:
            status = refused.status_code or -1
        if status != expect:
            raise StoryError(f"expected {expect or 'success'}, got {status or result}")
        return result

    def replace(self, entity: Any, expect: int = 0) -> Any:
        """Replace an entity under the tag in its metadata."""
        tag = entity.metadata["etag"]
        condition = {"etag": tag, "match_condition": self.match.IfNotModified, "mode": self.mode}
        return self.do(lambda table: table.update_entity(entity, **condition), expect)


@case(
    "a201",
    "azure-table-weak-tag-other-writer",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Table entities have weak tags, which this service compares by their text: no fault. Another worker "
        "updated the entity: 412 UpdateConditionNotSatisfied."
    ),
)
def table_other(stage: Stage) -> None:
    """Two workers update one entity."""
    server = stage.server("azurite", table=True)
    me, other = Table(stage, "client", server), Table(stage, "other", server)
    other.do(lambda table: table.create_table())
    row = {"PartitionKey": "oslo", "RowKey": "1001", "status": "open", "total": 40}
    other.do(lambda table: table.create_entity(row))
    mine = me.do(lambda table: table.get_entity("oslo", "1001"))
    theirs = other.do(lambda table: table.get_entity("oslo", "1001"))
    time.sleep(0.4)
    theirs["total"] = 55
    other.replace(theirs)
    mine["status"] = "paid"
    me.replace(mine, 412)
    me.do(lambda table: table.get_entity("oslo", "1001"))


@case(
    "a202",
    "azure-table-weak-tags-healthy",
    "none",
    "healthy",
    alone="none",
    description="Entities are replaced under weak tags, which this service allows, and re-read between.",
)
def table_healthy(stage: Stage) -> None:
    """Update entities."""
    server = stage.server("azurite", table=True)
    me = Table(stage, "client", server)
    me.do(lambda table: table.create_table())
    row = {"PartitionKey": "oslo", "RowKey": "1002", "status": "open"}
    me.do(lambda table: table.create_entity(row))
    for status in ("paid", "sent"):
        entity = me.do(lambda table: table.get_entity("oslo", "1002"))
        entity["status"] = status
        me.replace(entity)


@case(
    "a203",
    "azure-create-answer-lost-sdk-retries",
    "lost-response-replay",
    "409",
    alone="lost-response-replay",
    also="status-dialect-mismatch",
    description=(
        "The library uploads a blob with If-None-Match: *, the answer is lost; its own retry, under a new "
        "x-ms-client-request-id, is told 409 BlobAlreadyExists because of its first attempt."
    ),
)
def create_lost(stage: Stage) -> None:
    """Let the library retry."""
    server = furnished(stage)
    lost = iter([True])
    me = Blobs(
        stage,
        "client",
        server,
        loses=lambda request: request.method == "PUT" and next(lost, False),
        retries=2,
    )
    text = '{"run":"c4b1f0aa-73","rows":512}'
    me.on(lambda one: one.upload_blob(text), "BlobAlreadyExists", "run-c4b1f0aa.json")
    me.on(lambda one: one.download_blob().readall(), blob="run-c4b1f0aa.json")
