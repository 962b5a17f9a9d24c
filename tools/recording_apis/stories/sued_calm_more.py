"""Nothing is wrong, either: old links, counted versions, shared caches, locks that hold, jobs that wait."""

from __future__ import annotations

import json
import time
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.fronts import site
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.sued_ground import (
    BASE,
    Vault,
    buckets,
    data_of,
    fleet,
    look_around,
)


@case(
    "a793",
    "old-links-and-a-poll",
    "none",
    "healthy",
    alone="none",
    description=(
        "A widget follows old links (302 to the path without a slash), polls what it finds with If-None-Match and "
        "sees one change by the operator."
    ),
)
def links(stage: Stage) -> None:
    """Follow redirects and poll."""
    server = fleet(stage, MOVED="1")
    me = stage.actor("client", server, "iot.example.test", "urllib", {"User-Agent": "widget/1.0"})
    other = stage.actor("other", server, "iot.example.test", "requests", {"X-Operator": "ole"})
    me.get(f"{BASE}sites/kiel/")
    tag = me.get(f"{BASE}things/pump-04/shadow/").etag
    for turn in range(4):
        if turn == 2:
            read = other.get(f"{BASE}things/pump-04/shadow")
            body = {**data_of(read), "desired": {"rpm": 1300, "mode": "auto"}}
            other.put(f"{BASE}things/pump-04/shadow", body, 200, {"If-Match": read.etag})
        expect = 200 if turn == 2 else 304
        tag = me.get(f"{BASE}things/pump-04/shadow", expect, {"If-None-Match": tag}).fields["etag"]
        time.sleep(0.3)


@case(
    "a794",
    "table-versions-counted-up",
    "none",
    "healthy",
    alone="none",
    description=(
        "A service counts a version attribute up with each PutItem, on condition that it is the one it has read; "
        "it is the only writer, and all conditions hold."
    ),
)
def counted(stage: Stage) -> None:
    """Write items under versions."""
    server = stage.server("moto")
    me = Vault(stage, "client", server, "tables.example.test", "inventory/4 Boto3", service="dynamodb")
    key = {"AttributeName": "sku", "KeyType": "HASH"}
    kind = [{"AttributeName": "sku", "AttributeType": "S"}]
    me.do(
        "create_table",
        TableName="stock",
        KeySchema=[key],
        AttributeDefinitions=kind,
        BillingMode="PAY_PER_REQUEST",
    )
    stage.forget()
    item = {"sku": {"S": "M6x20"}, "left": {"N": "800"}, "v": {"N": "1"}}
    me.do("put_item", TableName="stock", Item=item, ConditionExpression="attribute_not_exists(sku)")
    for version in (1, 2, 3):
        me.do("get_item", TableName="stock", Key={"sku": {"S": "M6x20"}})
        item = {**item, "left": {"N": str(800 - 12 * version)}, "v": {"N": str(version + 1)}}
        values = {":v": {"N": str(version)}}
        condition: dict[str, Any] = {"ConditionExpression": "v = :v", "ExpressionAttributeValues": values}
        me.do("put_item", TableName="stock", Item=item, **condition)
    me.do("scan", TableName="stock")


@case(
    "a795",
    "pages-from-a-shared-cache",
    "none",
    "healthy",
    alone="none",
    description=(
        "Readers get a site's pages from Varnish, with Age, and revalidate them by date and tag: 304. Nobody "
        "writes, and the stored pages are what the server has."
    ),
)
def cached_pages(stage: Stage) -> None:
    """Read through a cache."""
    files: dict[str, str | bytes] = {
        "docs/start.txt": "Start. " * 40,
        "docs/faq.txt": "Questions. " * 30,
        "docs/site.css": "h1 { color: teal }\n",
    }
    server = site(stage, "lighttpd", files)
    edge = fronts.varnish(stage, server)
    me = stage.actor("client", edge, "docs.example.test", "requests", {"User-Agent": "Mozilla/5.0 (iPad)"})
    other = stage.actor("other", edge, "docs.example.test", "curl")
    pages = [f"/{name}" for name in files]
    first = {path: me.get(path) for path in pages}
    other.get("/docs/start.txt")
    time.sleep(1.4)
    for path in pages:
        me.get(path, 304, {"If-None-Match": first[path].etag})
    me.get("/docs/faq.txt", 304, {"If-Modified-Since": first["/docs/faq.txt"].fields["last-modified"]})
    me.get("/docs/imprint.txt", 404)
    other.send("HEAD", "/docs/faq.txt", 200)


@case(
    "a796",
    "deployment-scaled-with-fresh-objects",
    "none",
    "healthy",
    alone="none",
    description=(
        "A controller reads a deployment, writes its status, takes the object of that answer and scales it, each "
        "time with the newest resourceVersion."
    ),
    synthetic=True,
)
def scaled(stage: Stage) -> None:
    """Scale with the answers' objects."""
    server = stage.server("application", app="suite_products")
    agent = {"User-Agent": "replica-tuner/v0.5 (linux/amd64)", "Authorization": "Bearer k8s"}
    me = stage.actor("client", server, "k8s.example.test", "java", agent)
    path = "/apis/apps/v1/namespaces/pay/deployments/checkout"
    me.get("/api/v1/namespaces/pay/pods?limit=100")
    found = me.get(path).json
    for replicas in (4, 5):
        found["status"]["readyReplicas"] = replicas - 1
        found = me.put(f"{path}/status", found, 200).json
        found["spec"]["replicas"] = replicas
        found = me.put(f"{path}?fieldManager=tuner", found, 200).json
    me.get("/api/v1/namespaces/pay/configmaps/missing", 404)
    me.get(path)


@case(
    "a797",
    "state-written-under-its-lock",
    "none",
    "healthy",
    alone="none",
    description=(
        "An infrastructure run makes its lock object, writes the state under its tag twice, each time with the tag "
        "of the last answer, and removes the lock; another run reads only."
    ),
)
def locked_state(stage: Stage) -> None:
    """Apply under a lock."""
    server = stage.server("seaweedfs")
    buckets(stage, server, "infra", prod__net='{"serial":40}')
    me = Vault(stage, "client", server, "store.example.test", "APN/1.0 Tofu/1.10.6 (+ci; run ci-2130)")
    other = Vault(stage, "other", server, "store.example.test", "APN/1.0 Tofu/1.10.6 (+plan)")
    lock: dict[str, Any] = {"Bucket": "infra", "Key": "prod/net.json.tflock"}
    me.browse("infra", "a797", 6)
    me.do("head_object", 404, **lock)
    me.do("put_object", **lock, Body='{"ID":"5f2e","Who":"ci-2130"}', IfNoneMatch="*")
    tag, _ = me.read("infra", "prod/net.json")
    other.read("infra", "prod/net.json")
    for serial in (41, 42):
        body = json.dumps({"serial": serial, "run": "ci-2130"})
        tag = me.do("put_object", Bucket="infra", Key="prod/net.json", Body=body, IfMatch=tag)["ETag"]
    me.do("delete_object", 204, **lock)
    other.do("list_objects_v2", Bucket="infra", Prefix="prod/")
    other.read("infra", "prod/net.json")


@case(
    "a798",
    "wiki-page-kept-by-a-bot",
    "none",
    "healthy",
    alone="none",
    description=(
        "A bot keeps a wiki page: it reads, and stores only when the text differs, with the next version number; "
        "people read the page in between."
    ),
    synthetic=True,
)
def wiki(stage: Stage) -> None:
    """Store a page when it differs."""
    server = stage.server("application", app="suite_products")
    me = stage.actor(
        "client", server, "wiki.example.test", "requests", {"Authorization": "Basic Ym90OmJvdA=="}
    )
    other = stage.actor("other", server, "wiki.example.test", "node:fetch")
    path = "/wiki/rest/api/content/65601?expand=body.storage,version"
    for text in (
        "<p>Call the pager first.</p>",
        "<p>Call mara, then ole.</p>",
        "<p>Call mara, then ida.</p>",
    ):
        page = me.get(path).json
        if page["body"]["storage"]["value"] != text:
            body = {"storage": {"value": text, "representation": "storage"}}
            version = {"number": page["version"]["number"] + 1, "minorEdit": True}
            sent = {"id": "65601", "type": "page", "title": page["title"], "version": version, "body": body}
            me.put("/wiki/rest/api/content/65601", sent, 200)
        other.get(path)
    look = me.get(path).json["version"]["number"]
    if look != 9:
        raise StoryError(f"the page has version {look}")


@case(
    "a799",
    "night-job-waits-for-a-document",
    "none",
    "healthy",
    alone="none",
    description=(
        "A night job asks by HEAD whether a report is there (404, 404), finds it at the third time, loads it, "
        "marks it as processed under its tag and looks again with If-None-Match."
    ),
)
def waits(stage: Stage) -> None:
    """Wait for a report."""
    server = fleet(stage)
    me = stage.actor("client", server, "iot.example.test", "curl:trace-time", {"X-Operator": "night.sh"})
    other = stage.actor("other", server, "iot.example.test", "httpx", {"X-Operator": "reporter"})
    path = f"{BASE}reports/w48"
    for _ in range(2):
        me.send("HEAD", path, 404)
        look_around(me, "sites")
        time.sleep(0.4)
    other.put(path, {"pumps": 4, "hours": 512}, 201, {"If-None-Match": "*"})
    me.send("HEAD", path, 200)
    read = me.get(path)
    tag = me.send("PATCH", path, 200, {"If-Match": read.etag}, {"processed": True}).etag
    me.get(path, 304, {"If-None-Match": tag})
