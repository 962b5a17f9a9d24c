"""Tokens that clients keep, lose, damage, take from elsewhere or send again."""

from __future__ import annotations

import json
import time
from typing import Any

from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.caldav import event, phone
from tools.recording_apis.stories.caldav import furnished as calendar
from tools.recording_apis.stories.keys import swap
from tools.recording_apis.stories.sued_ground import (
    BASE,
    Vault,
    buckets,
    busy,
    fleet,
)

_ICS = {"Content-Type": "text/calendar; charset=utf-8"}
_TASKS = "/v1/buckets/team/collections/tasks/records"
_ANNA = {"Authorization": "Basic YW5uYTphbm5h"}


def suite(stage: Stage) -> Any:
    """Start the imitated products."""
    return stage.server("application", app="suite_products")


@case(
    "a713",
    "calendar-keeps-first-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A calendar program stores an event, gets the new tag with the answer and does not write it into its "
        "database: the next change goes out with the tag from before its own first one. Nobody else writes."
    ),
)
def first_tag(stage: Stage) -> None:
    """Forget what the answer said."""
    server = calendar(stage, "retro", "planning", "demo", "holiday")
    me = phone(stage, server, program="node:fetch", agent="OpenCal/3.0 (Desktop)")
    me.send("PROPFIND", "/anna/office/", 207, {"Depth": "1"})
    tag = me.get("/anna/office/retro.ics").etag
    for name in ("planning", "demo"):
        seen = me.get(f"/anna/office/{name}.ics").etag
        longer = event(name, "Stand-up", "20261204T150000Z")
        me.put(f"/anna/office/{name}.ics", longer, 204, {**_ICS, "If-Match": seen})
    me.get("/anna/office/holiday.ics")
    later = event("retro", "Stand-up", "20261203T130000Z")
    me.put("/anna/office/retro.ics", later, 204, {**_ICS, "If-Match": tag})
    time.sleep(1.1)
    body = event("retro", "Retrospective", "20261203T133000Z")
    me.put("/anna/office/retro.ics", body, 412, {**_ICS, "If-Match": tag})
    me.get("/anna/office/retro.ics")


@case(
    "a714",
    "controller-status-then-spec",
    "stale-stored-token",
    "409",
    alone="stale-stored-token status-dialect-mismatch",
    also="status-dialect-mismatch",
    description=(
        "A controller updates the status of a deployment, then scales it with the object from its cache, whose "
        "resourceVersion is from before its own first write: 409 Conflict, although nobody else wrote."
    ),
    synthetic=True,
)
def controller(stage: Stage) -> None:
    """Write twice from one cached object."""
    server = suite(stage)
    agent = {
        "User-Agent": "replica-tuner/v0.4 (linux/amd64) kubernetes/9d62e8e",
        "Authorization": "Bearer k8s",
    }
    me = stage.actor("client", server, "k8s.example.test", "httpx", agent)
    me = busy(
        me,
        "a714",
        ("/version", "/api/v1/namespaces", "/apis/apps/v1", "/api/v1/namespaces/pay/configmaps/none"),
    )
    path = "/apis/apps/v1/namespaces/pay/deployments/checkout"
    me.get("/api/v1/namespaces/pay/pods?labelSelector=app%3Dcheckout&limit=100")
    cached = me.get(path).json
    written = json.loads(json.dumps(cached))
    written["status"]["conditions"] = [{"type": "Tuned", "status": "True"}]
    me.put(f"{path}/status?fieldManager=replica-tuner", written, 200)
    me.get("/api/v1/namespaces/pay/configmaps/ingress")
    cached["spec"]["replicas"] = 5
    me.put(f"{path}?fieldManager=replica-tuner", cached, 409)
    me.get(path)


@case(
    "a715",
    "deploy-script-retries-prev-index",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A deploy script swaps a key on the index it read at its start; an operator wrote meanwhile. The script "
        "sends the same prevIndex again and again with growing pauses and never reads."
    ),
)
def prev_index(stage: Stage) -> None:
    """Retry a swap."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.example.test", "curl")
    me = busy(me, "a715", ("/version", "/health", "/v2/keys/deploy/none"))
    other = stage.actor("other", server, "etcd.example.test", "requests", {"User-Agent": "etcd-browser"})
    swap(other, "deploy/shop/image", "shop:1.40", "", 201)
    me.get("/v2/keys/deploy?recursive=true&sorted=true")
    index = me.get("/v2/keys/deploy/shop/image").json["node"]["modifiedIndex"]
    swap(other, "deploy/shop/image", "shop:1.40-hotfix", f"prevIndex={index}", 200)
    for pause in (0.3, 0.6, 1.2, 0.1):
        swap(me, "deploy/shop/image", "shop:1.41", f"prevIndex={index}", 412)
        time.sleep(pause)


@case(
    "a717",
    "shadow-answer-lost-on-the-way",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A gateway's write is stored, but the connection breaks before its answer; the same request (same "
        "X-Request-Id) is refused, and the document shows that request id as its last one."
    ),
)
def answer_lost(stage: Stage) -> None:
    """Lose an answer."""
    server = fleet(stage)
    lost = iter([True])
    me = stage.actor(
        "client",
        server,
        "iot.example.test",
        "aiohttp",
        {"X-Operator": "gateway-kiel", "User-Agent": "edge-sync/5"},
        loses=lambda request: request.method == "PATCH" and next(lost, False),
    )
    me = busy(me, "a717")
    path = f"{BASE}things/pump-05"
    me.get(f"{BASE}things/pump-04")
    tag = me.get(path).etag
    fields = {"If-Match": tag, "X-Request-Id": "9f61c0de-5b7e-4f43-8d86-3c7f3c0a1b55"}
    me.send("PATCH", path, 0, fields, {"firmware": "2.9.0", "flashedBy": "gateway-kiel"})
    time.sleep(1.5)
    me.send("PATCH", path, 412, fields, {"firmware": "2.9.0", "flashedBy": "gateway-kiel"})
    me.get(path)
    me.get(f"{BASE}things/valve-19")


@case(
    "a718",
    "etcd-claim-answer-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A worker takes a job by compare-and-swap; the first request is stored and its answer lost, the second "
        "is refused with 'Compare failed', and the key holds the worker's own name and nonce."
    ),
)
def claim_lost(stage: Stage) -> None:
    """Claim a job twice."""
    server = stage.server("etcd")
    lost = iter([True])
    other = stage.actor("other", server, "etcd.example.test", "curl")
    swap(other, "jobs/4711", "free", "", 201)
    swap(other, "jobs/4712", "free", "", 201)
    me = stage.actor(
        "client",
        server,
        "etcd.example.test",
        "httpx",
        {"User-Agent": "worker-3"},
        loses=lambda request: request.method == "PUT" and next(lost, False),
    )
    me = busy(me, "a718", ("/version", "/health", "/v2/keys/workers"))
    me.get("/v2/keys/jobs?sorted=true")
    index = me.get("/v2/keys/jobs/4711").json["node"]["modifiedIndex"]
    claim = "worker-3/7f2c90b1"
    swap(me, "jobs/4711", claim, f"prevIndex={index}", 0)
    time.sleep(0.8)
    swap(me, "jobs/4711", claim, f"prevIndex={index}", 412)
    me.get("/v2/keys/jobs/4711")


@case(
    "a720",
    "card-tag-taken-from-fresh-listing",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A synchroniser reads an event, and after the user's edit lists the calendar and saves its copy under "
        "the tag listed: the check passes and the laptop's new time, stored between, is overwritten."
    ),
)
def listing_tag(stage: Stage) -> None:
    """List, then save an old copy."""
    server = calendar(stage, "oncall", "lunch", "gym", "jour-fixe")
    me = phone(stage, server, agent="tinysync/1.4")
    other = phone(stage, server, "other", "httpx", "Thunderbird/140.0")
    path = "/anna/office/oncall.ics"
    query = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    me.send("PROPFIND", "/anna/office/", 207, {"Depth": "1", "Content-Type": "application/xml"}, query)
    for name in ("gym", "oncall", "lunch", "jour-fixe"):
        me.get(f"/anna/office/{name}.ics")
    theirs = other.get(path).etag
    moved = event("oncall", "Stand-up", "20261208T070000Z")
    other.put(path, moved, 204, {**_ICS, "If-Match": theirs})
    time.sleep(1.2)
    listed = me.send("PROPFIND", path, 207, {"Depth": "0", "Content-Type": "application/xml"}, query)
    fresh = listed.text.split("getetag>")[1].split("<")[0].replace("&quot;", '"')
    body = event("oncall", "On-call handover")
    me.put(path, body, 204, {**_ICS, "If-Match": fresh})
    other.get(path)


@case(
    "a722",
    "feature-flags-read-modify-write",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    description=(
        "Two jobs add a flag each to one object: get, change, put, without IfMatch, though the store supports it "
        "and sent a tag. The first job's flag is gone when it looks again."
    ),
)
def flags(stage: Stage) -> None:
    """Add a flag each."""
    server = stage.server("moto")
    buckets(stage, server, "release", flags='{"search":true}', notes='{"text":"1.41"}')
    me = Vault(stage, "client", server, "store.example.test", "flagctl/2 Boto3")
    other = Vault(stage, "other", server, "store.example.test", "nightly-flags Boto3")
    me.browse("release", "a722", 6)
    other.browse("release", "a722-other", 2)
    _, theirs = other.read("release", "flags.json")
    _, mine = me.read("release", "flags.json")
    me.read("release", "notes.json")
    other.do("put_object", Bucket="release", Key="flags.json", Body=json.dumps({**theirs, "dark": True}))
    other.do("head_object", Bucket="release", Key="flags.json")
    time.sleep(1.1)
    me.do("put_object", Bucket="release", Key="flags.json", Body=json.dumps({**mine, "beta": True}))
    me.read("release", "flags.json")
    other.read("release", "flags.json")
