"""The real stores of this author's stories, with what they hold before a story begins."""

from __future__ import annotations

import datetime as dt
import importlib
import time
import uuid
from typing import TYPE_CHECKING, Any

from tools.recording_apis.names import route
from tools.recording_apis.stories.sia_setting import CALENDAR, XML, must, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage


def radicale(stage: Stage, host: str, user: str, path: str, events: Mapping[str, str], **more: Any) -> Server:
    """Start Radicale with a calendar and appointments in it."""
    server = stage.server("radicale", **more)
    setup = stage.actor("setup", server, host, always=signed(user))
    setup.send("MKCOL", f"/{user}/", (201, 405, 409))
    body = (
        '<?xml version="1.0"?><mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop>'
        "<resourcetype><collection/><C:calendar/></resourcetype></prop></set></mkcol>"
    )
    setup.send("MKCOL", path, 201, XML, body)
    for name, content in events.items():
        setup.put(f"{path}{name}.ics", content, 201, CALENDAR)
    del stage.taps["setup"]
    stage.forget()
    return server


def kinto(
    stage: Stage, host: str, where: str, records: Mapping[str, Mapping[str, object]]
) -> tuple[Server, str]:
    """Start Kinto with a bucket, a collection and records; return it and the path of the records."""
    server = stage.server("kinto")
    setup = stage.actor("setup", server, host, always=signed("admin"))
    setup.put("/v1/accounts/admin", {"data": {"password": "geheim"}}, 201, {"Authorization": ""})
    bucket, _, collection = where.partition("/")
    everybody = {"permissions": {"write": ["system.Authenticated"], "read": ["system.Everyone"]}}
    setup.put(f"/v1/buckets/{bucket}", everybody, 201)
    base = f"/v1/buckets/{bucket}/collections/{collection}"
    setup.put(base, {}, 201)
    for name, data in records.items():
        setup.put(f"{base}/records/{name}", {"data": data}, 201)
        time.sleep(0.02)
    for user in ("redaktion", "mobil"):
        setup.put(f"/v1/accounts/{user}", {"data": {"password": "geheim"}}, 201, {"Authorization": ""})
    del stage.taps["setup"]
    stage.forget()
    return server, f"{base}/records"


class Store:
    """A boto3 client behind a tap of its own; its name is ``objects.HOST``."""

    def __init__(self, stage: Stage, name: str, server: Server, host: str, loses: Any = None) -> None:
        self._port, self._host = stage.tap(name, server, loses), host
        boto3 = importlib.import_module("boto3")
        config = importlib.import_module("botocore.config").Config(
            s3={"addressing_style": "path"},
            retries={"mode": "standard", "total_max_attempts": 2},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            proxies={},
            user_agent=f"Boto3/{boto3.__version__} ua/2.1 os/linux lang/python#3.11",
        )
        self._errors = importlib.import_module("botocore.exceptions")
        self._client = boto3.client(
            "s3",
            endpoint_url=f"http://{host}",
            region_name="eu-west-3",
            aws_access_key_id="LABORATORY",
            aws_secret_access_key="example",  # noqa: S106 - the servers check nothing
            config=config,
        )

    def call(self, operation: str, expect: int = 200, **named: Any) -> dict[str, Any]:
        """Call an operation and insist on its status."""
        route(self._host, self._port)
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**named)
        except self._errors.ClientError as refused:
            answer = dict(refused.response)
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        must(status == expect, f"{operation}: {status}, expected {expect}: {answer}")
        if "Body" in answer:
            answer["Text"] = answer["Body"].read().decode()
        return answer


def bucket(stage: Stage, server: Server, host: str, name: str, objects: Mapping[str, str]) -> None:
    """Make a bucket with objects before the story begins."""
    setup = Store(stage, "setup", server, host)
    setup.call("create_bucket", Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    for key, text in objects.items():
        setup.call("put_object", Bucket=name, Key=key, Body=text.encode())
    del stage.taps["setup"]
    stage.forget()


class Container:
    """A container of Azurite, reached with a shared access signature."""

    def __init__(self, stage: Stage, host: str, name: str) -> None:
        self.stage, self.host, self.name = stage, host, name
        self.server = stage.server("azurite")
        library = importlib.import_module("azure.storage.blob")
        permission = library.AccountSasPermissions(read=True, write=True, delete=True, list=True, create=True)
        self._query = library.generate_account_sas(
            "notes",
            "ZXhhbXBsZQ==",
            resource_types=library.ResourceTypes(service=True, container=True, object=True),
            permission=permission,
            expiry=dt.datetime.now(dt.UTC) + dt.timedelta(days=1),
        )
        setup = stage.actor("setup", self.server, host)
        setup.send("PUT", self.at("", "restype=container&"), 201, self.fields())
        del stage.taps["setup"]
        stage.forget()

    def at(self, blob: str, query: str = "") -> str:
        """Return the path of a blob, or of the container."""
        return f"/notes/{self.name}{'/' if blob else ''}{blob}?{query}{self._query}"

    @staticmethod
    def fields(**more: str) -> dict[str, str]:
        """Return the fields that each request has."""
        return {"x-ms-version": "2023-11-03", "x-ms-client-request-id": str(uuid.uuid4()), **more}

    def put(self, who: Actor, blob: str, body: str, expect: int, **more: str) -> Answer:
        """Upload a blob."""
        own = self.fields(**{"x-ms-blob-type": "BlockBlob", "Content-Type": "application/json", **more})
        return who.put(self.at(blob), body, expect, own)

    def get(self, who: Actor, blob: str, expect: int = 200, **more: str) -> Answer:
        """Download a blob."""
        return who.get(self.at(blob), expect, self.fields(**more))

    def lease(self, who: Actor, blob: str, action: str, expect: int, **more: str) -> Answer:
        """Acquire, renew or release a lease."""
        own = self.fields(**{"x-ms-lease-action": action, "Content-Length": "0", **more})
        return who.put(self.at(blob, "comp=lease&"), None, expect, own)
