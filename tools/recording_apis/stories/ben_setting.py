"""Where ben's stories play: imitations behind taps, software development kits, and what is read beside."""

from __future__ import annotations

import datetime as dt
import importlib
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ben_wire import hexed
from tools.recording_apis.names import route
from tools.recording_apis.stories.vic_setting import at_once, drops, open_box, rest, sure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.recording.message import Message
    from tools.recording_apis.actors import Actor
    from tools.recording_apis.apps.ben_wire import Api
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

__all__ = [
    "Amazon",
    "aside",
    "at_once",
    "blob_service",
    "drops",
    "open_api",
    "rest",
    "signed",
    "storage_bucket",
    "sure",
    "table_service",
    "tag_in",
    "watch",
]

KEY = "ZXhhbXBsZQ=="


def open_api(stage: Stage, api: Api, kind: str, name: str) -> Server:
    """Serve an imitation of a product with a tap before it."""
    return open_box(stage, api, kind, name)


def aside(api: Api, me: Actor, pages: Mapping[str, Any], *, tags: bool = False) -> None:
    """Read what a product shows beside the story; with ``tags`` a second time under a condition.

    Args:
        api: What serves it.
        me: Who reads.
        pages: Content by path; what a query may follow.
        tags: Whether the pages have tags.
    """
    for number, (path, body) in enumerate(pages.items()):
        tag = f'"{hexed(path, 9)}-{number}"' if tags else ""
        api.pages.setdefault(path.partition("?")[0], (body, tag))
        got = me.get(path)
        if tags:
            me.get(path, 304, {"If-None-Match": got.etag})


def watch(me: Actor, path: str, tag: str, times: int, pause: float = 0.12) -> None:
    """Poll under a condition that holds."""
    for _ in range(times):
        me.get(path, 304, {"If-None-Match": tag})
        rest(pause)


def tag_in(text: str, name: str = "getetag") -> str:
    """Return the first tag of a multistatus."""
    found = re.search(rf"<(?:\w+:)?{name}[^>]*>([^<]+)<", text)
    sure(found, f"no {name} in {text[:200]}")
    return found.group(1).replace("&quot;", '"') if found else ""


class Amazon:
    """A boto3 client behind a tap of its own.

    Args:
        stage: The story's stage.
        name: The actor's file.
        server: Where it sends to.
        service: Such as ``s3``.
        loses: Requests whose answer is lost.
    """

    def __init__(
        self,
        stage: Stage,
        name: str,
        server: Server,
        service: str,
        loses: Callable[[Message], bool] | None = None,
    ) -> None:
        self._port = stage.tap(name, server, loses)
        self._host = f"{service}.eu-north-1.amazonaws.example"
        config = importlib.import_module("botocore.config").Config(
            retries={"mode": "standard", "total_max_attempts": 3},
            proxies={},
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self._errors = importlib.import_module("botocore.exceptions")
        self.client = importlib.import_module("boto3").client(
            service,
            endpoint_url=f"http://{self._host}",
            region_name="eu-north-1",
            aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
            aws_secret_access_key="nothing",  # noqa: S106 - the server checks nothing
            config=config,
        )

    def __call__(self, operation: str, expect: str = "", **named: Any) -> Any:
        """Call an operation and insist on its error code, empty for success."""
        route(self._host, self._port)
        code, answer = "", {}
        try:
            answer = getattr(self.client, operation)(**named)
        except self._errors.ClientError as refused:
            code = str(refused.response["Error"]["Code"])
        sure(code == expect, f"{operation}: {code or answer}, expected {expect or 'success'}")
        return answer


def blob_service(stage: Stage, name: str, server: Server, **settings: Any) -> tuple[Any, Callable[[], None]]:
    """Return Azure's client of a blob service, and what makes it the one that sends next."""
    port = stage.tap(name, server)
    library = importlib.import_module("azure.storage.blob")
    credential = {"account_name": "notes", "account_key": KEY}
    service = library.BlobServiceClient("http://notes.blob.example/notes", credential=credential, **settings)
    return service, partial(route, "notes.blob.example", port)


def table_service(stage: Stage, name: str, server: Server) -> tuple[Any, Callable[[], None]]:
    """Return Azure's client of a table service, and what makes it the one that sends next."""
    port = stage.tap(name, server)
    library = importlib.import_module("azure.data.tables")
    credential = importlib.import_module("azure.core.credentials").AzureNamedKeyCredential("notes", KEY)
    service = library.TableServiceClient("http://notes.table.example/notes", credential=credential)
    return service, partial(route, "notes.table.example", port)


def storage_bucket(stage: Stage, name: str, server: Server, bucket: str) -> Any:
    """Return a bucket of Google's storage client."""
    host = "storage.googleapis.example"
    route(host, stage.tap(name, server))
    library = importlib.import_module("google.cloud.storage")
    anonymous = importlib.import_module("google.auth.credentials").AnonymousCredentials()
    client = library.Client(
        project="harbor-prod", credentials=anonymous, client_options={"api_endpoint": f"http://{host}"}
    )
    return client.bucket(bucket)


def signed(kind: str = "blob") -> str:
    """Return a shared access signature of Azurite's account for blobs or tables."""
    expiry = dt.datetime.now(dt.UTC) + dt.timedelta(days=2)
    if kind == "blob":
        library = importlib.import_module("azure.storage.blob")
        types = library.ResourceTypes(service=True, container=True, object=True)
        rights = library.AccountSasPermissions(read=True, write=True, delete=True, list=True, create=True)
        return str(
            library.generate_account_sas("notes", KEY, resource_types=types, permission=rights, expiry=expiry)
        )
    library = importlib.import_module("azure.data.tables")
    credential = importlib.import_module("azure.core.credentials").AzureNamedKeyCredential("notes", KEY)
    types = library.ResourceTypes(service=True, container=True, object=True)
    rights = library.AccountSasPermissions(
        read=True, write=True, delete=True, list=True, add=True, create=True, update=True
    )
    return str(library.generate_account_sas(credential, types, rights, expiry))
