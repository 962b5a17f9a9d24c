"""Services imitated after their documentation: search engines, clusters, content and cloud interfaces."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor
    from tools.recording_apis.servers import Server

_FIRST = "imitations"


def service(stage: Stage, app: str = _FIRST) -> Server:
    """Start an imitation."""
    return stage.server("application", app=app)


@case(
    "a215",
    "elasticsearch-seq-no",
    "other-writer",
    "409",
    alone="other-writer status-dialect-mismatch",
    also="status-dialect-mismatch",
    description="if_seq_no is outdated because another indexer wrote: 409 version_conflict_engine_exception.",
    synthetic=True,
)
def elastic(stage: Stage) -> None:
    """Two indexers."""
    server = service(stage)
    me = stage.actor("client", server, "search.example.test")
    other = stage.actor("other", server, "search.example.test", "httpx")
    path = "/products/_doc/17"
    mine, theirs = me.get(path).json, other.get(path).json
    guard = "?if_seq_no={}&if_primary_term=1"
    other.put(path + guard.format(theirs["_seq_no"]), {**theirs["_source"], "stock": 39}, 200)
    time.sleep(0.3)
    me.put(path + guard.format(mine["_seq_no"]), {**mine["_source"], "price": 8.9}, 409)
    me.get(path)


@case(
    "a216",
    "kubernetes-resource-version",
    "other-writer",
    "409",
    alone="other-writer status-dialect-mismatch",
    also="status-dialect-mismatch",
    description="A controller updated the ConfigMap between kubectl's read and write: 409 Conflict.",
    synthetic=True,
)
def kubernetes(stage: Stage) -> None:
    """Operator against controller."""
    server = service(stage)
    always = {"User-Agent": "kubectl/v1.31.2 (linux/amd64)"}
    me = stage.actor("client", server, "k8s.example.test", "requests", always)
    other = stage.actor("other", server, "k8s.example.test", "aiohttp", {"User-Agent": "limits-operator/0.4"})
    path = "/api/v1/namespaces/shop/configmaps/limits"
    mine, theirs = me.get(path).json, other.get(path).json
    theirs["data"]["rps"] = "120"
    other.put(path, theirs, 200)
    mine["data"]["burst"] = "20"
    time.sleep(0.4)
    me.put(path, mine, 409)
    me.get(path)


@case(
    "a217",
    "kubernetes-watch-too-old",
    "token-expired",
    "410",
    alone="token-expired",
    also="status-dialect-mismatch",
    description=(
        "A watch resumes at a resourceVersion that the server no longer keeps: 410; a fresh list heals it."
    ),
    synthetic=True,
)
def too_old(stage: Stage) -> None:
    """Resume a watch too late."""
    server = service(stage)
    me = stage.actor("client", server, "k8s.example.test", "requests", {"User-Agent": "informer/1.31"})
    me.get("/api/v1/namespaces/shop/configmaps?watch=1&resourceVersion=31002&allowWatchBookmarks=true", 410)
    me.get("/api/v1/namespaces/shop/configmaps")


@case(
    "a218",
    "kubernetes-lease-election-healthy",
    "none",
    "healthy",
    alone="none expected-control-flow",
    also="expected-control-flow",
    description="Two replicas elect a leader by a Lease; the loser's 409s are part of the game.",
    synthetic=True,
)
def lease_election(stage: Stage) -> None:
    """Elect a leader."""
    server = service(stage)
    always = {"User-Agent": "scheduler/2.0 leader-election"}
    me = stage.actor("client", server, "k8s.example.test", "requests", always)
    other = stage.actor("other", server, "k8s.example.test", "httpx", always)
    path = "/apis/coordination.k8s.io/v1/namespaces/shop/leases"
    meta = {"name": "scheduler", "namespace": "shop"}
    lease = {"kind": "Lease", "apiVersion": "coordination.k8s.io/v1", "metadata": meta}
    held = other.send("POST", path, 201, None, {**lease, "spec": {"holderIdentity": "pod-b"}}).json
    me.send("POST", path, 409, None, {**lease, "spec": {"holderIdentity": "pod-a"}})
    for number in range(3):
        held["spec"]["renewTime"] = f"2026-11-24T08:00:{number * 2:02d}.000000Z"
        held = other.put(f"{path}/scheduler", held, 200).json
        me.get(f"{path}/scheduler")
        time.sleep(0.5)


@case(
    "a219",
    "contentful-own-publish",
    "stale-stored-token",
    "409",
    alone="stale-stored-token",
    also="status-dialect-mismatch",
    description="Publishing raised the version by one; the script goes on with the version from before.",
    synthetic=True,
)
def publish(stage: Stage) -> None:
    """Publish, then edit with the old version."""
    server = service(stage)
    me = stage.actor("client", server, "cma.example.test")
    path = "/spaces/shop/environments/master/entries/sale"
    entry = me.get(path).json
    version = str(entry["sys"]["version"])
    me.put(f"{path}/published", None, 200, {"X-Contentful-Version": version})
    time.sleep(0.3)
    me.put(path, {"fields": {"title": {"en-US": "Spring sale"}}}, 409, {"X-Contentful-Version": version})
    me.get(path)


@case(
    "a220",
    "contentful-version-not-sent",
    "token-missing",
    "409",
    alone="token-missing",
    also="status-dialect-mismatch",
    description="The update carries no X-Contentful-Version: 409 with the demand for it.",
    synthetic=True,
)
def version_missing(stage: Stage) -> None:
    """Forget the version."""
    server = service(stage)
    me = stage.actor("client", server, "cma.example.test", "httpx")
    path = "/spaces/shop/environments/master/entries/sale"
    me.get(path)
    me.put(path, {"fields": {"title": {"en-US": "Spring sale"}}}, 409)


@case(
    "a221",
    "cloudfront-if-match-missing",
    "token-missing",
    "400",
    alone="token-missing",
    also="status-dialect-mismatch",
    description="CloudFront wants If-Match on updates: 400 InvalidIfMatchVersion without it.",
    synthetic=True,
)
def cloudfront_missing(stage: Stage) -> None:
    """Update a function without its tag."""
    server = service(stage)
    me = stage.actor("client", server, "cloudfront.example.test", "curl")
    me.get("/2020-05-31/function/rewrite/describe?Stage=DEVELOPMENT")
    me.put("/2020-05-31/function/rewrite", "<FunctionCode>v2</FunctionCode>", 400)


@case(
    "a222",
    "cloudfront-live-stage-tag",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description="The update of the development stage is sent with the tag that belongs to the LIVE stage.",
    synthetic=True,
)
def cloudfront_stage(stage: Stage) -> None:
    """Take the other stage's tag."""
    server = service(stage)
    me = stage.actor("client", server, "cloudfront.example.test")
    me.get("/2020-05-31/function/rewrite/describe?Stage=DEVELOPMENT")
    tag = me.get("/2020-05-31/function/rewrite/describe?Stage=LIVE").etag
    me.put("/2020-05-31/function/rewrite", "<FunctionCode>v2</FunctionCode>", 412, {"If-Match": tag})


@case(
    "a223",
    "compute-instance-fingerprint",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description="setMetadata is sent with the instance's fingerprint instead of metadata.fingerprint.",
    synthetic=True,
)
def fingerprint(stage: Stage) -> None:
    """Take the outer fingerprint."""
    server = service(stage)
    me = stage.actor("client", server, "compute.example.test", "aiohttp")
    path = "/compute/v1/projects/shop/zones/europe-north1-a/instances/web-1"
    instance = me.get(path).json
    items = [*instance["metadata"]["items"], {"key": "owner", "value": "shop"}]
    sent = {"fingerprint": instance["fingerprint"], "items": items}
    me.send("POST", f"{path}/setMetadata", 412, None, sent)
    me.get(path)


@case(
    "a224",
    "cloud-dns-ttl-differs",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "The deletion names the record with another TTL than it has: 412 for entity.change.deletions[0]."
    ),
    synthetic=True,
)
def dns(stage: Stage) -> None:
    """Delete what is not quite there."""
    server = service(stage)
    me = stage.actor("client", server, "dns.example.test")
    path = "/dns/v1/projects/shop/managedZones/main"
    record = me.get(f"{path}/rrsets").json["rrsets"][0]
    change = {"deletions": [{**record, "ttl": 60}], "additions": [{**record, "rrdatas": ["192.0.2.20"]}]}
    me.send("POST", f"{path}/changes", 412, None, change)
    me.get(f"{path}/rrsets")


def _upload(actor: Actor, name: str, body: object, expect: int, generation: str = "") -> dict[str, str]:
    guard = f"&ifGenerationMatch={generation}" if generation else ""
    path = f"/upload/storage/v1/b/shop/o?uploadType=media&name={name}{guard}"
    answer = actor.send("POST", path, expect, None, body)
    result: dict[str, str] = answer.json if answer.status == 200 else {}
    return result


@case(
    "a225",
    "gcs-generation-other-writer",
    "other-writer",
    "412",
    alone="other-writer",
    description="ifGenerationMatch names a generation that another job has replaced: 412 conditionNotMet.",
    synthetic=True,
)
def generation(stage: Stage) -> None:
    """Two jobs replace one object."""
    server = service(stage)
    me = stage.actor("client", server, "storage.example.test")
    other = stage.actor("other", server, "storage.example.test", "httpx")
    first = _upload(other, "state.json", {"cursor": 10, "by": "job-b"}, 200)["generation"]
    mine = me.get("/storage/v1/b/shop/o/state.json").json["generation"]
    _upload(other, "state.json", {"cursor": 20, "by": "job-b"}, 200, first)
    time.sleep(0.4)
    _upload(me, "state.json", {"cursor": 15, "by": "job-a"}, 412, mine)
    me.get("/storage/v1/b/shop/o/state.json?alt=media")


@case(
    "a226",
    "gcs-create-answer-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "An upload with ifGenerationMatch=0 succeeds, its answer is lost; the retry meets the object, whose "
        "content carries the attempt's own run id."
    ),
    synthetic=True,
)
def generation_lost(stage: Stage) -> None:
    """Retry a creation that had worked."""
    server = service(stage)
    lost = iter([True])
    me = stage.actor(
        "client",
        server,
        "storage.example.test",
        "httpx",
        {"X-Goog-Gcs-Idempotency-Token": "5b0c9a1e-7f54-4b61-9d0e-0f1f6f2f7c11"},
        loses=lambda request: request.method == "POST" and next(lost, False),
    )
    body = {"run": "5b0c9a1e", "rows": 812}
    _upload(me, "runs/5b0c9a1e.json", body, 0, "0")
    time.sleep(0.6)
    _upload(me, "runs/5b0c9a1e.json", body, 412, "0")
    me.get("/storage/v1/b/shop/o/runs/5b0c9a1e.json")
    me.get("/storage/v1/b/shop/o/runs/5b0c9a1e.json?alt=media")


@case(
    "a227",
    "gcs-generation-zero-exists",
    "exists-already",
    "412",
    alone="exists-already",
    description="ifGenerationMatch=0 on a name that another team has used before.",
    synthetic=True,
)
def generation_zero(stage: Stage) -> None:
    """Create a taken name."""
    server = service(stage)
    me = stage.actor("client", server, "storage.example.test", "curl")
    other = stage.actor("other", server, "storage.example.test")
    _upload(other, "report.json", {"by": "team-b"}, 200, "0")
    time.sleep(1.1)
    _upload(me, "report.json", {"by": "team-a"}, 412, "0")
    me.get("/storage/v1/b/shop/o/report.json")


@case(
    "a228",
    "gcs-generation-chain-healthy",
    "none",
    "healthy",
    alone="none",
    description="A job creates its state with ifGenerationMatch=0 and replaces it by the generation it got.",
    synthetic=True,
)
def generation_chain(stage: Stage) -> None:
    """Replace the own object."""
    server = service(stage)
    me = stage.actor("client", server, "storage.example.test", "aiohttp")
    me.get("/storage/v1/b/shop/o/cursor.json", 404)
    current = _upload(me, "cursor.json", {"cursor": 0}, 200, "0")["generation"]
    for cursor in (10, 20, 30):
        current = _upload(me, "cursor.json", {"cursor": cursor}, 200, current)["generation"]
    me.get("/storage/v1/b/shop/o/cursor.json?alt=media")


@case(
    "a229",
    "elasticsearch-fresh-numbers-healthy",
    "none",
    "healthy",
    alone="none",
    description="One indexer reads and writes with the fresh sequence number each time.",
    synthetic=True,
)
def elastic_healthy(stage: Stage) -> None:
    """Index again and again."""
    server = service(stage)
    me = stage.actor("client", server, "search.example.test", "httpx")
    path = "/products/_doc/17"
    for stock in (39, 38):
        read = me.get(path).json
        guard = f"?if_seq_no={read['_seq_no']}&if_primary_term={read['_primary_term']}"
        me.put(path + guard, {**read["_source"], "stock": stock}, 200)
    me.get(path)
