"""Statuses with a meaning of their own, conditions in payloads, and refusals that are no condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.tom_counts import Keys, Library
from tools.recording_apis.apps.tom_engine import Reply
from tools.recording_apis.apps.tom_google import Dns, StorageXml
from tools.recording_apis.apps.tom_tagged import Fhir
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.tom_setting import (
    api,
    bearer,
    look,
    must,
    news,
    ping,
    report,
    rest,
    wait_for,
)

if TYPE_CHECKING:
    from tools.recording_apis.apps.tom_engine import Request


@case(
    "d147",
    "tom-key-store-says-false",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    synthetic=True,
    description="A deployer writes the active colour to Consul with cas and looks at the status alone: 200, with the content false, since another deployer has written meanwhile. It goes on, tells the balancer and marks the release as done; the key has the other one's colour.",
)
def colour(stage: Stage) -> None:
    """Take 200 for yes."""
    product = Keys({"/v1/kv/web/active": "blue", "/v1/kv/web/release": "r40", "/v1/kv/web/weight": "100"})
    product.fixed["PUT /v1/agent/service/register"] = Reply(200)
    server = api(stage, product, "Consul")
    me = stage.actor("client", server, "consul.web.test", "urllib", {"X-Consul-Token": "d1"})
    other = stage.actor("other", server, "consul.web.test", "curl", {"X-Consul-Token": "d2"})
    me.get("/v1/kv/web/weight")
    mine = me.get("/v1/kv/web/active").json[0]["ModifyIndex"]
    theirs = other.get("/v1/kv/web/active").json[0]["ModifyIndex"]
    other.put(f"/v1/kv/web/active?cas={theirs}", "canary", 200)
    rest(0.5)
    said = me.put(f"/v1/kv/web/active?cas={mine}", "green", 200)
    must(said.text == "false", said.text)
    me.put("/v1/agent/service/register", {"Name": "web", "Tags": ["green"]}, 200)
    release = me.get("/v1/kv/web/release").json[0]["ModifyIndex"]
    must(me.put(f"/v1/kv/web/release?cas={release}", "r41", 200).text == "true", "refused")
    other.get("/v1/kv/web/active")


class _Batches(Library):
    """A library that also takes many items at once and answers 200 with what failed."""

    def answer(self, request: Request) -> Reply:
        """Serve POST of many items, each with its version."""
        if request.method != "POST" or request.path.startswith("/telemetry"):
            return super().answer(request)
        done, failed = {}, {}
        for number, one in enumerate(request.json):
            path = f"{request.path}/{one['key']}"
            now = self.body(path, self.items[path])["version"]
            if one["version"] < now:
                said = (
                    f"Item has been modified since specified version (expected {one['version']}, found {now})"
                )
                failed[str(number)] = {"key": one["key"], "code": 412, "message": said}
                continue
            self.store(path, {**self.items[path].body, **one["data"]}, request.user)
            done[str(number)] = one["key"]
        self.count += bool(done)
        shown = {"successful": done, "unchanged": {}, "failed": failed}
        return Reply(200, shown, {"Last-Modified-Version": str(self.count)})

    def body(self, path: str, item: Any) -> Any:
        """Return an object with a version of its own."""
        return {"key": path.rpartition("/")[2], "version": self.stamps[path], "data": item.body}


@case(
    "d148",
    "tom-batch-with-one-failure-inside",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    synthetic=True,
    description="A citation tool sends four items in one POST. The answer is 200, and in it one item has failed with code 412: a colleague edited it after the tool's read. The tool shows all as saved and never looks at that item again.",
)
def batch(stage: Stage) -> None:
    """Overlook what failed."""
    items = "/groups/90/items"
    product = _Batches(
        {f"{items}/{key}": {"title": key.lower(), "year": ""} for key in ("K1", "K2", "K3", "K4")}
    )
    server = api(stage, product, "Zotero")
    me = stage.actor(
        "client", server, "api.cite.test", "requests", {"Zotero-API-Key": "a", "Zotero-API-Version": "3"}
    )
    other = stage.actor(
        "other", server, "api.cite.test", "httpx", {"Zotero-API-Key": "b", "Zotero-API-Version": "3"}
    )
    mine = me.get(items).json
    theirs = other.get(f"{items}/K3")
    field = {"If-Unmodified-Since-Version": theirs.fields["last-modified-version"]}
    other.send("PATCH", f"{items}/K3", 204, field, {"title": "K3, second edition"})
    rest(0.6)
    sent = [{"key": one["key"], "version": one["version"], "data": {"year": "2025"}} for one in mine]
    answer = me.send(
        "POST", items, 200, {"Zotero-Write-Token": "19a4f01ad623aa7214f82347e3711f56"}, sent
    ).json
    must(list(answer["failed"]) == ["2"] and len(answer["successful"]) == 3, str(answer))
    report(me)
    look(me, "cite.js")
    look(me, "cite.css")
    news(me)
    me.get(f"{items}/K1")
    must(other.get(f"{items}/K3").json["data"]["year"] == "", "written")


@case(
    "d149",
    "tom-record-set-with-another-lifetime",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    synthetic=True,
    description="A DNS controller replaces a record set by a change with a deletion and an addition. Its deletion has ttl 300, the live set 60, as it shows in its own list two requests before: 412 for entity.change.deletions[0], again each time it comes round. With ttl 60 the change is pending.",
)
def zone(stage: Stage) -> None:
    """Delete what is not exactly there."""
    base = "/dns/v1/projects/isle/managedZones/isle-test"
    live = [
        {"name": f"{name}.isle.test.", "type": "A", "ttl": ttl, "rrdatas": [address]}
        for name, ttl, address in (("www", 60, "192.0.2.7"), ("mail", 300, "192.0.2.9"))
    ]
    product = Dns({f"{base}/rrsets": {"rrsets": live}})
    server = api(stage, product, "Cloud DNS")
    me = stage.actor(
        "client",
        server,
        "dns.isle.test",
        "node:fetch",
        bearer("external-dns", User_Agent="ExternalDNS/v0.15.0"),
    )
    new = {**live[0], "rrdatas": ["192.0.2.8"]}
    for _ in range(3):
        me.get(f"{base}/rrsets")
        ping(me)
        me.send(
            "POST",
            f"{base}/changes",
            412,
            None,
            {"deletions": [{**live[0], "ttl": 300}], "additions": [{**new, "ttl": 300}]},
        )
        rest(0.4)
    me.send("POST", f"{base}/changes", 200, None, {"deletions": [live[0]], "additions": [new]})
    ping(me, 5)
    me.get(f"{base}/rrsets")


@case(
    "d150",
    "tom-seat-price-of-another-type",
    "payload-precondition-mismatch",
    "400",
    alone="payload-precondition-mismatch",
    also="status-dialect-mismatch",
    description="A box office lowers a price in DynamoDB on the condition price = :old, with :old as the string 40. The stored price is the number 40: ConditionalCheckFailedException with the item as it is, each time, and no one else has written. With a number in the condition the update is done.",
)
def price(stage: Stage) -> None:
    """Compare a number with a string."""
    server = stage.server("moto")
    scope = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260504/eu-north-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
    me = stage.actor(
        "client",
        server,
        "dynamodb.box.test",
        "requests",
        {"Authorization": scope, "Content-Type": "application/x-amz-json-1.0"},
    )

    def call(operation: str, body: Any, status: int = 200) -> Any:
        return me.send("POST", "/", status, {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}, body).json

    call(
        "CreateTable",
        {
            "TableName": "seats",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
    )
    for seat in ("A1", "A2"):
        call(
            "PutItem",
            {
                "TableName": "seats",
                "Item": {"id": {"S": seat}, "price": {"N": "40"}},
                "ConditionExpression": "attribute_not_exists(id)",
            },
        )
    change = {
        "TableName": "seats",
        "Key": {"id": {"S": "A1"}},
        "UpdateExpression": "SET price = :new",
        "ConditionExpression": "price = :old",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    values = {":new": {"N": "35"}, ":old": {"S": "40"}}
    for _ in range(2):
        seen = call("GetItem", {"TableName": "seats", "Key": {"id": {"S": "A1"}}, "ConsistentRead": True})
        must(seen["Item"]["price"] == {"N": "40"}, str(seen))
        refused = call("UpdateItem", {**change, "ExpressionAttributeValues": values}, 400)
        must("ConditionalCheckFailed" in refused["__type"], str(refused))
        rest(0.4)
    call("Scan", {"TableName": "seats"})
    call("UpdateItem", {**change, "ExpressionAttributeValues": {":new": {"N": "35"}, ":old": {"N": "40"}}})


@case(
    "d151",
    "tom-patient-found-twice",
    "multi-match",
    "412",
    alone="multi-match",
    synthetic=True,
    description="A laboratory creates patients with If-None-Exist on their insurance number. One number belongs to two records from an old import: 412, the search matched 2 resources; a search shows both. A new number is 201, one with a single record 200.",
)
def twice(stage: Stage) -> None:
    """Match two."""
    number = "urn:oid:1.2.752.129.2.1.3.1"
    product = Fhir(
        {
            f"/r4/Patient/{name}": {
                "identifier": [{"system": number, "value": value}],
                "name": [{"family": family}],
            }
            for name, value, family in (
                ("101", "19-1", "Ek"),
                ("102", "19-2", "Berg"),
                ("103", "19-2", "Berg-Ny"),
            )
        }
    )
    server = api(stage, product, "FHIR server")
    me = stage.actor("client", server, "fhir.lab.test", "httpx", bearer("lis"))

    def create(value: str, family: str, status: int) -> None:
        body = {
            "resourceType": "Patient",
            "identifier": [{"system": number, "value": value}],
            "name": [{"family": family}],
        }
        me.send(
            "POST",
            "/r4/Patient",
            status,
            {"If-None-Exist": f"identifier={number}|{value}", "Content-Type": "application/fhir+json"},
            body,
        )

    create("19-1", "Ek", 200)
    create("19-2", "Berg", 412)
    rest(0.3)
    wait_for(me, "hl7-40")
    ping(me, 2)
    create("19-7", "Dahl", 201)
    create("19-2", "Berg", 412)
    found = me.get(f"/r4/Patient?identifier={number}|19-2").json
    must(found["total"] == 2, "one")
    me.get("/r4/Patient/103")


@case(
    "d152",
    "tom-store-that-knows-no-if-match",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    synthetic=True,
    description="A table format commits to an S3-compatible store with If-Match: 501 NotImplemented, a header implies functionality that is not implemented, right after a read and for every key. Creates with If-None-Match: * are served; the client goes over to new names.",
)
def unsupported(stage: Stage) -> None:
    """Ask for what the store cannot do."""
    product = StorageXml(
        {"/tables/t1/metadata.json": '{"v":1}', "/tables/t2/metadata.json": '{"v":5}'},
        refuses="if-match",
        server="vast 5.2",
    )
    server = api(stage, product, "object store")
    me = stage.actor("client", server, "s3.cold.test", "java", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    for number in (1, 2):
        path = f"/tables/t{number}/metadata.json"
        tag = me.get(path).etag
        me.put(path, '{"v":6}', 501, {"If-Match": tag})
        me.send("HEAD", path, 200)
    rest(0.5)
    me.put("/tables/t1/metadata.json", '{"v":2}', 501, {"If-Match": me.get("/tables/t1/metadata.json").etag})
    me.put("/tables/t1/v2.metadata.json", '{"v":2}', 200, {"If-None-Match": "*"})
    me.put("/tables/t2/v6.metadata.json", '{"v":6}', 200, {"If-None-Match": "*"})
    me.get("/tables/t1/v2.metadata.json")
