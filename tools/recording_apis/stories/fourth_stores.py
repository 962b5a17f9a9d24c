"""Object stores and cloud services behind their makers' own libraries."""

from __future__ import annotations

import importlib
import json
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.names import route
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import azure
from tools.recording_apis.stories.fourth_setting import first_of
from tools.recording_apis.stories.objects import bucket

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server


class Aws:
    """A boto3 client of one service of moto, behind a tap of its own."""

    def __init__(self, stage: Stage, name: str, server: Server, service: str) -> None:
        self._host = f"{service}.example.test"
        self._port = stage.tap(name, server)
        boto3 = importlib.import_module("boto3")
        config = importlib.import_module("botocore.config").Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            proxies={},
            user_agent=f"Boto3/{boto3.__version__} ua/2.1 os/linux lang/python#3.11",
        )
        self._errors = importlib.import_module("botocore.exceptions")
        self._client = boto3.client(
            service,
            endpoint_url=f"http://{self._host}",
            region_name="us-east-1",
            aws_access_key_id="EXAMPLEKEY",
            aws_secret_access_key="example",  # noqa: S106 - the server checks nothing
            config=config,
        )

    def call(self, operation: str, expect: str = "", **named: Any) -> dict[str, Any]:
        """Call an operation and insist on its error code, empty for success."""
        route(self._host, self._port)
        code, answer = "", {}
        try:
            answer = getattr(self._client, operation)(**named)
        except self._errors.ClientError as refused:
            code = refused.response["Error"]["Code"]
        if code != expect:
            raise StoryError(f"{operation}: {code or answer}, expected {expect or 'success'}")
        return answer


_DATA: dict[str, Any] = {"Bucket": "data"}


@case(
    "a465",
    "s3-manifest-loop-with-one-tag",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token other-writer",
    also="other-writer",
    description="A committer on SeaweedFS repeats put_object with the IfMatch that failed, three times; another committer had replaced the manifest.",
)
def _manifest(stage: Stage) -> None:
    server = stage.server("seaweedfs")
    me = bucket(stage, server)
    other = bucket(stage, server, "other")
    key = {**_DATA, "Key": "lake/manifest.json"}
    other.call("put_object", **key, Body='{"files":["a"]}')
    tag = me.call("get_object", **key)["ETag"]
    other.call("put_object", **key, Body='{"files":["a","b"]}')
    for wait in (0.3, 0.6, 0.0):
        me.call("put_object", 412, **key, Body='{"files":["a","c"]}', IfMatch=tag)
        time.sleep(wait)


@case(
    "a466",
    "s3-index-overwritten-under-a-fresh-tag",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    also="other-writer",
    description="A job reads an index from moto's S3, works, takes the tag by head_object and puts its old list with a line more; the other job's line is gone.",
)
def _index(stage: Stage) -> None:
    server = stage.server("moto")
    me = bucket(stage, server)
    other = bucket(stage, server, "other")
    key = {**_DATA, "Key": "index.txt"}
    other.call("put_object", **key, Body="one\n")
    me.call("get_object", **key)
    other.call("put_object", **key, Body="one\ntwo\n", IfMatch=other.call("head_object", **key)["ETag"])
    time.sleep(1.1)
    tag = me.call("head_object", **key)["ETag"]
    me.call("put_object", **key, Body="one\nthree\n", IfMatch=tag)
    me.call("get_object", **key)


@case(
    "a467",
    "s3-own-report-saved-with-the-create-guard",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description="A reporter reads its report from SeaweedFS, changes it, and puts it with IfNoneMatch='*'.",
)
def _report(stage: Stage) -> None:
    server = stage.server("seaweedfs")
    me = bucket(stage, server)
    key = {**_DATA, "Key": "reports/48.json"}
    me.call("put_object", **key, Body='{"total":1}', IfNoneMatch="*")
    me.call("get_object", **key)
    time.sleep(0.7)
    me.call("put_object", 412, **key, Body='{"total":2}', IfNoneMatch="*")
    me.call("head_object", **key)


@case(
    "a468",
    "s3-guarded-update-answer-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description="boto3's guarded put is stored by moto, its answer lost; the library's own retry (same invocation id, attempt 2) is refused by the first.",
)
def _update_lost(stage: Stage) -> None:
    server = stage.server("moto")
    setup = bucket(stage, server)
    key = {**_DATA, "Key": "offsets/p0"}
    setup.call("put_object", **key, Body='{"offset":100}')
    stage.forget()
    me = bucket(stage, server, "worker", first_of("PUT"))
    tag = me.call("head_object", **key)["ETag"]
    me.call("put_object", 412, **key, Body='{"offset":180,"by":"w-5c2e"}', IfMatch=tag)
    me.call("get_object", **key)
    stage.taps["client"].recorded += stage.taps.pop("worker").recorded


@case(
    "a469",
    "s3-none-as-a-tag",
    "null-token",
    "412",
    alone="null-token",
    description="A job formats a missing database value: IfMatch='None'. The object has a tag, as its reads show.",
)
def _none(stage: Stage) -> None:
    server = stage.server("moto")
    me = bucket(stage, server)
    key = {**_DATA, "Key": "state.json"}
    me.call("put_object", **key, Body='{"n":1}')
    for number in (2, 3):
        me.call("get_object", **key)
        me.call("put_object", 412, **key, Body=f'{{"n":{number}}}', IfMatch=str(None))
        time.sleep(0.4)


@case(
    "a470",
    "s3-parts-fetched-while-the-object-is-replaced",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description="A loader fetches ranges of an object with IfMatch; a new version is put between the second range and the third.",
)
def _parts(stage: Stage) -> None:
    server = stage.server("seaweedfs")
    me = bucket(stage, server)
    other = bucket(stage, server, "other")
    key = {**_DATA, "Key": "model.bin"}
    other.call("put_object", **key, Body=b"weights-1 " * 200)
    tag = me.call("head_object", **key)["ETag"]
    for number in range(3):
        if number == 2:
            other.call("put_object", **key, Body=b"weights-2 " * 210)
        span = f"bytes={number * 600}-{number * 600 + 599}"
        me.call("get_object", 412 if number == 2 else 206, **key, Range=span, IfMatch=tag)
        time.sleep(0.4)
    me.call("head_object", **key)


@case(
    "a471",
    "azure-download-in-chunks-meets-a-new-blob",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer implicit-precondition",
    also="implicit-precondition",
    description="Azure's library downloads a blob in chunks and guards the later ones with If-Match by itself; the blob is replaced after the first chunk.",
)
def _chunks(stage: Stage) -> None:
    server = azure.furnished(stage, plan="x" * 3000)
    me, other = azure.Blobs(stage, "client", server), azure.Blobs(stage, "other", server)
    me._service._config.max_single_get_size = 1000  # noqa: SLF001 - as the constructor's argument does
    me._service._config.max_chunk_get_size = 1000  # noqa: SLF001 - likewise

    def download(blob: Any) -> None:
        chunks = blob.download_blob().chunks()
        next(chunks)
        other.on(lambda one: one.upload_blob("y" * 3100, overwrite=True))
        time.sleep(0.5)
        route("blob.example.test", me._port)  # noqa: SLF001 - the other has taken the host over
        next(chunks)

    me.on(download, "ConditionNotMet")
    me.tag()


@case(
    "a472",
    "azure-lease-of-another-host",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description="A processor writes its checkpoint though another host has taken a lease on the blob: LeaseIdMissing; after the lease is released it passes.",
)
def _lease(stage: Stage) -> None:
    server = azure.furnished(stage, checkpoint='{"offset":1}')
    me, other = azure.Blobs(stage, "client", server), azure.Blobs(stage, "other", server)
    name = "checkpoint.json"
    lease = other.on(lambda one: one.acquire_lease(30), blob=name)
    tag = me.tag(name)
    me.write('{"offset":9}', tag, "LeaseIdMissing", name)
    time.sleep(0.6)
    other.on(lambda _: lease.release(), blob=name)
    me.write('{"offset":9}', me.tag(name), "", name)


@case(
    "a473",
    "azure-own-old-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description="A worker replaces a blob and then replaces it again with the tag from before; nobody else writes.",
)
def _own_tag(stage: Stage) -> None:
    server = azure.furnished(stage, state='{"step":1}')
    me = azure.Blobs(stage, "client", server)
    tag = me.tag("state.json")
    me.write('{"step":2}', tag, "", "state.json")
    time.sleep(1.0)
    me.write('{"step":3}', tag, "ConditionNotMet", "state.json")
    me.tag("state.json")


@case(
    "a474",
    "azure-blob-deleted-under-the-writer",
    "target-missing",
    "412",
    alone="target-missing",
    description="A retention job deletes a blob; the writer's guarded upload finds nothing to match, its read says BlobNotFound.",
)
def _deleted(stage: Stage) -> None:
    server = azure.furnished(stage, basket='{"n":1}')
    me, other = azure.Blobs(stage, "client", server), azure.Blobs(stage, "other", server)
    tag = me.tag("basket.json")
    other.on(lambda one: one.delete_blob(), blob="basket.json")
    time.sleep(0.7)
    me.write('{"n":2}', tag, "ConditionNotMet", "basket.json")
    me.on(lambda one: one.download_blob().readall(), "BlobNotFound", "basket.json")


def _table(stage: Stage, server: Server) -> None:
    setup = Aws(stage, "setup", server, "dynamodb")
    setup.call(
        "create_table",
        TableName="carts",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item = {"id": {"S": "c-9"}, "items": {"N": "2"}, "version": {"N": "7"}}
    setup.call("put_item", TableName="carts", Item=item)
    stage.forget()


def _put_cart(client: Aws, items: int, version: int, expect: str = "") -> None:
    item = {"id": {"S": "c-9"}, "items": {"N": str(items)}, "version": {"N": str(version + 1)}}
    values = {":v": {"N": str(version)}}
    condition: dict[str, Any] = {"ConditionExpression": "version = :v", "ExpressionAttributeValues": values}
    client.call("put_item", expect, TableName="carts", Item=item, **condition)


@case(
    "a475",
    "dynamodb-version-taken-by-another",
    "other-writer",
    "400",
    alone="other-writer payload-precondition-mismatch status-dialect-mismatch",
    also="payload-precondition-mismatch status-dialect-mismatch",
    description="Two services put one cart under 'version = 7'; the second one is told 400 ConditionalCheckFailedException, and its read shows version 8 of the other.",
)
def _cart(stage: Stage) -> None:
    server = stage.server("moto")
    _table(stage, server)
    me, other = Aws(stage, "client", server, "dynamodb"), Aws(stage, "other", server, "dynamodb")
    key: dict[str, Any] = {"TableName": "carts", "Key": {"id": {"S": "c-9"}}}
    me.call("get_item", **key)
    other.call("get_item", **key)
    _put_cart(other, 5, 7)
    time.sleep(0.9)
    _put_cart(me, 3, 7, "ConditionalCheckFailedException")
    me.call("get_item", **key)


@case(
    "a476",
    "route53-delete-with-another-ttl",
    "payload-precondition-mismatch",
    "400",
    alone="payload-precondition-mismatch",
    also="status-dialect-mismatch",
    description="A DNS change must repeat the record it deletes; it says TTL 300 where the record has 60: InvalidInput. With the record as listed it passes.",
)
def _dns(stage: Stage) -> None:
    server = stage.server("moto")
    me = Aws(stage, "client", server, "route53")
    zone = me.call("create_hosted_zone", Name="example.test.", CallerReference="z1")["HostedZone"]["Id"]

    def change(action: str, ttl: int, expect: str = "") -> None:
        record = {
            "Name": "api.example.test.",
            "Type": "A",
            "TTL": ttl,
            "ResourceRecords": [{"Value": "192.0.2.7"}],
        }
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        me.call("change_resource_record_sets", expect, HostedZoneId=zone, ChangeBatch=batch)

    change("CREATE", 60)
    stage.forget()
    change("DELETE", 300, "InvalidInput")
    me.call("list_resource_record_sets", HostedZoneId=zone)
    change("DELETE", 60)


@case(
    "a477",
    "waf-lock-token-from-before-the-own-update",
    "stale-stored-token",
    "400",
    alone="stale-stored-token",
    also="status-dialect-mismatch",
    description="An IP set is updated twice with the LockToken of the first read, though the first answer gave the next one: WAFOptimisticLockException.",
)
def _waf(stage: Stage) -> None:
    server = stage.server("moto")
    me = Aws(stage, "client", server, "wafv2")
    named: dict[str, Any] = {"Name": "office", "Scope": "REGIONAL"}
    made = me.call("create_ip_set", **named, IPAddressVersion="IPV4", Addresses=["192.0.2.0/24"])
    own = {**named, "Id": made["Summary"]["Id"]}
    stage.forget()
    token = me.call("get_ip_set", **own)["LockToken"]
    me.call("update_ip_set", **own, Addresses=["192.0.2.0/25"], LockToken=token)
    time.sleep(0.8)
    me.call("update_ip_set", "WAFOptimisticLockException", **own, Addresses=["192.0.2.0/26"], LockToken=token)
    me.call("get_ip_set", **own)


@case(
    "a478",
    "s3-copy-job-fills-in-what-is-missing-healthy",
    "none",
    "healthy",
    alone="none expected-control-flow exists-already",
    description="A copy job puts ten objects create-only; those that are there already answer 412 and are skipped, as it is meant to be.",
)
def _fills(stage: Stage) -> None:
    server = stage.server("seaweedfs")
    me = bucket(stage, server)
    for number in (2, 5, 6):
        me.call("put_object", **_DATA, Key=f"part/{number}", Body=f"content {number}")
    time.sleep(0.8)
    for number in range(8):
        status = 412 if number in {2, 5, 6} else 200
        body = f"content {number}"
        me.call("put_object", status, **_DATA, Key=f"part/{number}", Body=body, IfNoneMatch="*")
    me.call("list_objects_v2", **_DATA, Prefix="part/")


@case(
    "a479",
    "s3-optimistic-counter-healthy",
    "none",
    "recovered",
    alone="none other-writer",
    also="other-writer",
    description="Two writers add to a counter with IfMatch; the refused one reads again, adds to what it finds, and succeeds.",
)
def _counter(stage: Stage) -> None:
    server = stage.server("moto")
    me, other = bucket(stage, server), bucket(stage, server, "other")
    key = {**_DATA, "Key": "counter"}
    me.call("put_object", **key, Body='{"n":1}', IfNoneMatch="*")

    def add(client: Any, amount: int, tag: str, base: int, expect: int = 200) -> None:
        client.call("put_object", expect, **key, Body=json.dumps({"n": base + amount}), IfMatch=tag)

    mine = me.call("get_object", **key)["ETag"]
    add(other, 5, other.call("get_object", **key)["ETag"], 1)
    time.sleep(0.6)
    add(me, 2, mine, 1, 412)
    add(me, 2, me.call("get_object", **key)["ETag"], 6)
    me.call("get_object", **key)


@case(
    "a480",
    "azure-leader-renews-healthy",
    "none",
    "healthy",
    alone="none",
    description="A leader holds a lease on a blob, renews it, writes its checkpoint under it with fresh tags, and releases it at the end.",
)
def _leader(stage: Stage) -> None:
    server = azure.furnished(stage, leader='{"term":1}')
    me = azure.Blobs(stage, "client", server)
    name = "leader.json"
    lease = me.on(lambda one: one.acquire_lease(20), blob=name)
    for term in (2, 3):
        me.write(f'{{"term":{term}}}', me.tag(name), "", name, lease=lease)
        me.on(lambda _: lease.renew(), blob=name)
        time.sleep(0.5)
    me.on(lambda _: lease.release(), blob=name)
    me.tag(name)
