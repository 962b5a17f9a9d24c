"""Stories on clouds: Amazon, Google and Backblaze, imitated."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.eva_clouds import Backblaze, Buckets, EdgeFunctions, Firewall, Runs, Tables
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_eva_setting as scene

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage


def _json11(me: Actor, target: str, body: dict[str, Any], expect: int = 200, version: str = "1.1") -> Answer:
    fields = {"X-Amz-Target": target, "Content-Type": f"application/x-amz-json-{version}"}
    return me.send("POST", "/", expect, fields, json.dumps(body))


_SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261127/eu-west-1/x/aws4_request, SignedHeaders=host, Signature=0"
}


@case(
    "d580",
    "eva-blocklist-keeps-the-first-lock-token",
    "stale-stored-token",
    "400",
    alone="stale-stored-token",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A script that blocks scanners in IP sets of AWS WAF reads each set once. Its first update passes and is answered "
        "with NextLockToken; its second sends the LockToken of the read again: WAFOptimisticLockException. Nobody else writes."
    ),
)
def blocklist(stage: Stage) -> None:
    """Update twice with the token of one read."""
    offices = "c0de1d77-0b6e-4a3f-8d30-51e2ab7cd003"
    names = {
        "a31f0c52-1f7e-4d0e-9f7b-2b6c3de1a001": "ssh-scanners",
        "b7c40d11-77aa-4b1c-8f21-90e1cf5ab002": "scrapers",
    }
    sets = {**names, offices: "partner-offices"}
    api = Firewall(
        {
            key: {"Name": name, "Id": key, "IPAddressVersion": "IPV4", "Addresses": ["198.51.100.4/32"]}
            for key, name in sets.items()
        }
    )
    server = scene.host(stage, api, "cheroot", "AWS WAFv2")
    me = stage.actor(
        "client",
        server,
        "wafv2.eu-west-1.amazonaws.example",
        "requests",
        {**_SIGNED, "User-Agent": "Boto3/1.35 md/Botocore#1.35"},
    )
    waf = "AWSWAF_20190729."
    _json11(me, f"{waf}ListWebACLs", {"Scope": "REGIONAL"})
    _json11(
        me,
        f"{waf}ListResourcesForWebACL",
        {"WebACLArn": "arn:aws:wafv2:eu-west-1:210987654321:regional/webacl/shop-edge"},
    )
    _json11(me, f"{waf}ListIPSets", {"Scope": "REGIONAL"})
    asked = {"Name": "partner-offices", "Scope": "REGIONAL", "Id": offices}
    token = _json11(me, f"{waf}GetIPSet", asked).json["LockToken"]
    for turn in (1, 2):
        body = {**asked, "Addresses": [f"192.0.2.{turn}/32"], "LockToken": token}
        token = _json11(me, f"{waf}UpdateIPSet", body).json["NextLockToken"]
    for place, (key, name) in enumerate(names.items()):
        asked = {"Name": name, "Scope": "REGIONAL", "Id": key}
        seen = _json11(me, f"{waf}GetIPSet", asked).json
        addresses = [*seen["IPSet"]["Addresses"], f"203.0.113.{7 + place}/32"]
        _json11(me, f"{waf}UpdateIPSet", {**asked, "Addresses": addresses, "LockToken": seen["LockToken"]})
        for _ in range(2):
            scene.wait(0.6)
            _json11(me, f"{waf}GetSampledRequests", {"Scope": "REGIONAL", "MaxItems": 100})
        addresses = [*addresses, "203.0.113.90/32"]
        _json11(
            me, f"{waf}UpdateIPSet", {**asked, "Addresses": addresses, "LockToken": seen["LockToken"]}, 400
        )
        scene.must(len(_json11(me, f"{waf}GetIPSet", asked).json["IPSet"]["Addresses"]) == 2)


@case(
    "d622",
    "eva-function-of-the-other-stage",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description=(
        "A pipeline deploys a CloudFront function: it describes the LIVE stage and sends that ETag with the update, which is "
        "compared with the DEVELOPMENT stage: 412. The tag of DEVELOPMENT, which it reads for its report, is another."
    ),
)
def other_stage(stage: Stage) -> None:
    """Take the tag of another stage."""
    rows = {
        f"{name}/{phase}": {"comment": f"{name} r1"}
        for name in ("redirect-locale", "security-headers")
        for phase in ("DEVELOPMENT", "LIVE")
    }
    api = EdgeFunctions(rows)
    server = scene.host(stage, api, "waitress", "Amazon CloudFront")
    me = stage.actor(
        "client",
        server,
        "cloudfront.amazonaws.example",
        "java",
        {**_SIGNED, "User-Agent": "aws-sdk-java/2.29.1 md/io#sync"},
    )
    root = "/2020-05-31/function"

    def body(comment: str) -> str:
        return f"<UpdateFunctionRequest><FunctionConfig><Comment>{comment}</Comment><Runtime>cloudfront-js-2.0</Runtime></FunctionConfig><FunctionCode>ZnVuY3Rpb24gaCgpe30=</FunctionCode></UpdateFunctionRequest>"

    spots = {
        f"/2020-05-31/{what}": f"<{name}List><MaxItems>100</MaxItems><Quantity>0</Quantity></{name}List>"
        for what, name in (
            ("distribution", "Distribution"),
            ("cache-policy", "CachePolicy"),
            ("key-group", "KeyGroup"),
        )
    }
    near = scene.Nearby(api, me, spots, tagged=False)
    near()
    me.get(f"{root}?Stage=LIVE")
    held = me.get(f"{root}/security-headers/describe?Stage=DEVELOPMENT").etag
    held = me.put(f"{root}/security-headers", body("hsts one year"), 200, {"If-Match": held}).etag
    me.send("POST", f"{root}/security-headers/publish", 200, {"If-Match": held})
    near(0)
    live = me.get(f"{root}/redirect-locale/describe?Stage=LIVE").etag
    scene.wait(0.5)
    me.put(f"{root}/redirect-locale", body("add pt-BR"), 412, {"If-Match": live})
    scene.must(me.get(f"{root}/redirect-locale/describe?Stage=DEVELOPMENT").etag != live)
    me.get(f"{root}/redirect-locale/describe?Stage=LIVE")


@case(
    "d609",
    "eva-order-state-in-another-case",
    "payload-precondition-mismatch",
    "400",
    alone="payload-precondition-mismatch",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A picking service moves orders in DynamoDB from one state to the next with a ConditionExpression. Its constant says "
        "RESERVED, the items that an import made say Reserved: ConditionalCheckFailedException, and the answer shows the item."
    ),
)
def states(stage: Stage) -> None:
    """Expect a value that differs in its letters."""
    rows = {
        f"SO-{n}": {"orderId": {"S": f"SO-{n}"}, "state": {"S": said}, "lines": {"N": str(n % 7)}}
        for n, said in ((4410, "RESERVED"), (4411, "RESERVED"), (4412, "Reserved"), (4413, "Reserved"))
    }
    server = scene.host(stage, Tables(rows), "stdlib", "Amazon DynamoDB")
    me = stage.actor(
        "client",
        server,
        "dynamodb.eu-west-1.amazonaws.example",
        "node:axios",
        {**_SIGNED, "User-Agent": "aws-sdk-js/3.687.0 lang/js"},
    )
    dynamo = "DynamoDB_20120810."

    def call(action: str, more: dict[str, Any], expect: int = 200) -> Answer:
        return _json11(me, f"{dynamo}{action}", {"TableName": "orders", **more}, expect, "1.0")

    call("DescribeTable", {})
    call(
        "Query",
        {
            "IndexName": "byWave",
            "KeyConditionExpression": "wave = :w",
            "ExpressionAttributeValues": {":w": {"S": "W-12"}},
        },
    )
    for number in rows:
        key = {"orderId": {"S": number}}
        call("GetItem", {"Key": key, "ConsistentRead": True})
        more = {
            "Key": key,
            "UpdateExpression": "SET #f = :new",
            "ConditionExpression": "#f = :old",
            "ExpressionAttributeNames": {"#f": "state"},
            "ExpressionAttributeValues": {":old": {"S": "RESERVED"}, ":new": {"S": "PICKING"}},
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        call("UpdateItem", more, 200 if number < "SO-4412" else 400)
        scene.wait(0.3)
        call(
            "Query",
            {
                "IndexName": "byWave",
                "KeyConditionExpression": "wave = :w",
                "ExpressionAttributeValues": {":w": {"S": "W-12"}},
            },
        )
    call("GetItem", {"Key": {"orderId": {"S": "SO-4413"}}})


@case(
    "d585",
    "eva-state-lock-on-a-store-without-write-conditions",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    synthetic=True,
    description=(
        "An infrastructure tool keeps its state on Backblaze B2 and wants a lock file with If-None-Match: * there: 501 "
        "NotImplemented for a new key, as for If-Match with the tag just read. Plain writes and conditional reads pass."
    ),
)
def lock_file(stage: Stage) -> None:
    """Ask for what the store cannot do."""
    rows = {
        "/tofu-state/net/prod.tfstate": '{"version":4,"serial":31}',
        "/tofu-state/dns/prod.tfstate": '{"version":4,"serial":8}',
    }
    server = scene.host(stage, Backblaze(rows), "cheroot", "Backblaze B2 S3")
    me = stage.actor(
        "client",
        server,
        "s3.eu-central-003.backblazeb2.example",
        "httpx",
        {**_SIGNED, "User-Agent": "APN/1.0 OpenTofu/1.10.0"},
    )
    me.get("/tofu-state/?list-type=2&prefix=net")
    me.get("/tofu-state/")
    state = me.get("/tofu-state/net/prod.tfstate")
    me.get("/tofu-state/net/prod.tfstate", 304, {"If-None-Match": state.etag})
    me.get("/tofu-state/net/prod.tfstate.tflock", 404)
    lock = '{"ID":"6f0c","Operation":"OperationTypeApply","Who":"ci"}'
    for _ in range(2):
        me.put("/tofu-state/net/prod.tfstate.tflock", lock, 501, {"If-None-Match": "*"})
        scene.wait(0.5)
    me.get("/tofu-state/net/prod.tfstate.tflock", 404)
    me.put("/tofu-state/net/prod.tfstate", '{"version":4,"serial":32}', 501, {"If-Match": state.etag})
    me.put("/tofu-state/net/plan.log", "2 to add", 200)
    me.get("/tofu-state/net/prod.tfstate", 304, {"If-None-Match": state.etag})


@case(
    "d602",
    "eva-parts-pinned-to-the-other-interface",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch wrong-token-source",
    synthetic=True,
    description=(
        "A loader asks Google Cloud Storage's JSON interface about an object and pins its ranged reads through the XML "
        "interface to that etag, CK...-like base64; XML compares an md5 in quotes: 412, for each object, though nothing changes."
    ),
)
def two_interfaces(stage: Stage) -> None:
    """Pin a read to a tag of the other interface."""
    rows = {
        f"harvest-2026/yield/{name}.csv": f"plot;t\n{name};{number}\n" * 40
        for number, name in enumerate(("oats", "rye", "barley"))
    }
    server = scene.host(stage, Buckets(rows), "aiohttp", "Google Cloud Storage")
    me = stage.actor(
        "client",
        server,
        "storage.googleapis.example",
        "aiohttp",
        {"Authorization": "Bearer ya29.example", "User-Agent": "agro-loader/0.9 aiohttp"},
    )
    me.get("/storage/v1/b/harvest-2026/o?prefix=yield/&fields=items(name,size)")
    for name in ("oats", "rye"):
        told = me.get(f"/storage/v1/b/harvest-2026/o/yield%2F{name}.csv").json
        fields = {"Range": "bytes=0-199", "If-Match": told["etag"]}
        me.get(f"/harvest-2026/yield/{name}.csv", 412, fields)
        scene.wait(0.4)
        again = me.get(f"/storage/v1/b/harvest-2026/o/yield%2F{name}.csv").json
        scene.must(again["etag"] == told["etag"] and again["generation"] == told["generation"])
        me.get(f"/harvest-2026/yield/{name}.csv", 206, {"Range": "bytes=0-199"})
    me.get("/harvest-2026/yield/barley.csv")


@case(
    "d599",
    "eva-rollout-waits-for-the-operation",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A deployment on Cloud Run changes a service three times. Each PATCH starts an operation, during which the etag is "
        "another; the client polls until it is done, reads the service and sends the etag of that: everything passes."
    ),
)
def rollout(stage: Stage) -> None:
    """Wait as one should."""
    root = "/v2/projects/bakery-web/locations/europe-north1"
    rows = {
        f"projects/bakery-web/locations/europe-north1/services/{name}": {
            "labels": {"team": "ovens"},
            "template": {"containers": [{"image": "shop:41"}], "maxInstanceRequestConcurrency": 80},
        }
        for name in ("shop", "mailer")
    }
    server = scene.host(stage, Runs(rows), "tornado", "Google Cloud Run")
    me = stage.actor(
        "client",
        server,
        "run.googleapis.example",
        "urllib",
        {"Authorization": "Bearer ya29.example", "User-Agent": "google-api-go-client/0.5 terraform"},
    )
    me.get(f"{root}/services")
    for image in ("shop:42", "shop:43", "shop:44"):
        seen = me.get(f"{root}/services/shop").json
        template = {**seen["template"], "containers": [{"image": image}]}
        made = me.send(
            "PATCH",
            f"{root}/services/shop?updateMask=template",
            200,
            None,
            {"name": seen["name"], "etag": seen["etag"], "template": template},
        ).json
        while not me.get(f"/v2/{made['name']}").json["done"]:
            scene.wait(0.35)
    scene.must(me.get(f"{root}/services/shop").json["template"]["containers"][0]["image"] == "shop:44")
    me.get(f"{root}/services/mailer")
