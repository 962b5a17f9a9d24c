"""Writers that meet in products whose versions travel in the body, the query or a field of the product."""

from __future__ import annotations

import time

from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import kim_setting as at
from tools.recording_apis.stories.kim_setting import cloud, insist, look, office, together, without


@case(
    "b200",
    "kim-search-index-two-pipelines",
    "other-writer",
    "recovered",
    alone="other-writer status-dialect-mismatch",
    also="status-dialect-mismatch",
    description=(
        "A stock pipeline writes a part with the sequence number it read; a price pipeline has written the same "
        "document in between, and the answer is 409 version_conflict_engine_exception."
    ),
    synthetic=True,
)
def pipelines(stage: Stage) -> None:
    """Let the price pipeline come first."""
    server = cloud(stage, "elastic", at.PARTS)
    me = stage.actor("client", server, "es.parts.test", "httpx", {"X-Actor": "stock-sync"})
    other = stage.actor("other", server, "es.parts.test", "requests", {"X-Actor": "price-feed"})
    me.get("/")
    me.send("POST", "/parts/_search", 200, None, {"query": {"match": {"bin": "R2"}}, "size": 20})
    held = me.get("/parts/_doc/A-17").json
    me.get("/parts/_doc/B-02")
    theirs = other.get("/parts/_doc/A-17").json
    where = f"?if_seq_no={theirs['_seq_no']}&if_primary_term=2"
    time.sleep(0.4)
    other.put(f"/parts/_doc/A-17{where}", {**theirs["_source"], "price": 5.1}, 200)
    time.sleep(0.5)
    where = f"?if_seq_no={held['_seq_no']}&if_primary_term=2&refresh=wait_for"
    me.put(f"/parts/_doc/A-17{where}", {**held["_source"], "stock": 128}, 409)
    again = me.get("/parts/_doc/A-17").json
    insist(again["_source"]["price"] == 5.1, "the price was not written")
    where = f"?if_seq_no={again['_seq_no']}&if_primary_term=2&refresh=wait_for"
    me.put(f"/parts/_doc/A-17{where}", {**again["_source"], "stock": 128}, 200)


@case(
    "b201",
    "kim-list-item-edited-by-planner",
    "other-writer",
    "recovered",
    alone="other-writer",
    description=(
        "A list item is merged with the tag of its read; a colleague has moved the forklift meanwhile, the answer "
        "prints both tags."
    ),
    synthetic=True,
)
def forklift(stage: Stage) -> None:
    """Let a colleague merge first."""
    server = office(stage, "sharepoint", at.ASSETS)
    site = "/sites/ops/_api/web/lists/getbytitle('Assets')/items(4)"
    me = stage.actor("client", server, "hafen.sharepoint.test", "aiohttp", {"X-Actor": "kofi"})
    other = stage.actor("other", server, "hafen.sharepoint.test", "httpx", {"X-Actor": "ines"})
    merge = {
        "X-HTTP-Method": "MERGE",
        "X-RequestDigest": me.send("POST", "/sites/ops/_api/contextinfo", 200).json["FormDigestValue"],
    }
    me.get("/sites/ops/_api/web/lists/getbytitle('Assets')/items?$top=50")
    mine = me.get(site).etag
    theirs = other.get(site).etag
    time.sleep(0.6)
    other.send("POST", site, 204, {**merge, "IF-MATCH": theirs}, {"Site": "Hall C"})
    time.sleep(0.8)
    me.send("POST", site, 412, {**merge, "IF-MATCH": mine}, {"State": "repair"})
    seen = me.get(site)
    insist(seen.json["Site"] == "Hall C", "the colleague was not there")
    me.send("POST", site, 204, {**merge, "IF-MATCH": seen.etag}, {"State": "repair"})


@case(
    "b202",
    "kim-controller-two-workers",
    "self-race",
    "409",
    alone="self-race status-dialect-mismatch",
    also="status-dialect-mismatch",
    description=(
        "Two workers of one controller update one deployment at the same moment with the resourceVersion of the "
        "same list: one gets 200, the other 409."
    ),
    synthetic=True,
)
def workers(stage: Stage) -> None:
    """Update twice at once."""
    server = cloud(stage, "kube", at.WORKLOAD, HOLD="0.25")
    agent = {**at.KUBE, "User-Agent": "autosizer/v0.9 (linux/amd64) controller-runtime"}
    me = stage.actor("client", server, "kube.atlas.test", "requests", agent)
    look(me, ["/api/v1/namespaces/shop/configmaps/limits", "/apis/apps/v1/namespaces/shop/deployments"])
    path = "/apis/apps/v1/namespaces/shop/deployments/gateway"
    held = me.get(path).json
    told = together(
        [
            lambda: me.put(path, {**held, "spec": {**held["spec"], "replicas": 5}}, (200, 409)),
            lambda: me.put(path, {**held, "spec": {**held["spec"], "image": "gateway:4.2"}}, (200, 409)),
        ],
        0.05,
    )
    insist([one.status for one in told] == [200, 409], "both passed")
    me.get(path)


@case(
    "b203",
    "kim-account-touched-by-workflow",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "After each save of an account a workflow of the service (SYSTEM) sets a score; the tag of the save's own "
        "answer is outdated at the next save. No other client writes."
    ),
    synthetic=True,
)
def workflow(stage: Stage) -> None:
    """Save twice while a workflow runs."""
    server = office(stage, "dynamics", at.ACCOUNTS, STAMP="0.5", STAMPED='{"scoring_status": "rated"}')
    me = stage.actor("client", server, "hafen.crm4.dynamics.test", "node:fetch", {"X-Actor": "crm-sync"})
    path = "/api/data/v9.2/accounts(8f21-77)"
    me.get("/api/data/v9.2/WhoAmI")
    me.get("/api/data/v9.2/accounts?$select=name,creditlimit")
    tag = me.get(path).json["@odata.etag"]
    told = me.send("PATCH", path, 204, {"If-Match": tag}, {"creditlimit": 60000})
    me.get("/api/data/v9.2/accounts(9a02-13)")
    time.sleep(1.1)
    me.send("PATCH", path, 412, {"If-Match": told.etag}, {"telephone1": "+47 555 0199"})
    seen = me.get(path).json
    insist(seen["_modifiedby_value"] == "SYSTEM" and seen["creditlimit"] == 60000, "no workflow")
    me.send("PATCH", path, 204, {"If-Match": seen["@odata.etag"]}, {"telephone1": "+47 555 0199"})


@case(
    "b204",
    "kim-object-replaced-between-ranges",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    also="other-writer",
    description=(
        "An export is downloaded in ranges pinned to its generation with ifGenerationMatch; the nightly job uploads "
        "a new one in the middle, the next range is refused and the download begins again."
    ),
    synthetic=True,
)
def ranges(stage: Stage) -> None:
    """Replace an object while it is read."""
    rows = "".join(f"{number};{number * 7 % 13}\n" for number in range(900))
    server = cloud(stage, "google", {"objects/export.csv": {"text": rows}})
    me = stage.actor("client", server, "storage.atlas.test", "java", {"User-Agent": "gcs-fetch/2.3"})
    other = stage.actor("other", server, "storage.atlas.test", "curl", {"X-Actor": "nightly-export"})
    name = "/storage/v1/b/atlas/o/export.csv"
    generation = me.get(name).json["generation"]
    pinned = f"{name}?alt=media&ifGenerationMatch={generation}"
    me.get(pinned, 206, {"Range": "bytes=0-1999"})
    me.get(pinned, 206, {"Range": "bytes=2000-3999"})
    other.send("POST", "/upload/storage/v1/b/atlas/o?uploadType=media&name=export.csv", 200, None, rows[::-1])
    time.sleep(0.3)
    me.get(pinned, 412, {"Range": "bytes=4000-5999"})
    generation = me.get(name).json["generation"]
    pinned = f"{name}?alt=media&ifGenerationMatch={generation}"
    me.get(pinned, 206, {"Range": "bytes=0-3999"})
    me.get(pinned, 206, {"Range": "bytes=4000-"})


@case(
    "b205",
    "kim-database-is-there",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A script creates its database with PUT /fields on a server that has had it for long: 412 file_exists. It "
        "then works in the existing one."
    ),
    synthetic=True,
)
def database(stage: Stage) -> None:
    """Create a database that exists."""
    server = cloud(stage, "couch", at.FIELDS)
    me = stage.actor("client", server, "couch.farm.test", "curl", {"User-Agent": "provision.sh"})
    me.get("/")
    me.put("/fields", None, 412)
    insist(me.get("/fields").json["doc_count"] == 2, "it was empty")
    me.put("/weather", None, 201)
    me.put("/weather/2026-11-26", {"rain": 4.2, "wind": "NW 4"}, 201)


@case(
    "b206",
    "kim-switch-deleted-by-colleague",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A key-value is updated with the tag of its read after a colleague has deleted it: 412 with no body, and "
        "the read is 404."
    ),
    synthetic=True,
)
def deleted(stage: Stage) -> None:
    """Write to a key that is gone."""
    server = office(stage, "appconfig", at.SWITCHES)
    me = stage.actor("client", server, "atlas.azconfig.test", "httpx", {"X-Actor": "release-bot"})
    other = stage.actor("other", server, "atlas.azconfig.test", "requests", {"X-Actor": "mara"})
    path = "/kv/Pay:Limit?label=prod&api-version=2023-11-01"
    me.get("/kv?key=Pay:*&api-version=2023-11-01")
    tag = me.get(path).etag
    look(me, ["/kv/Pay:Mode?label=prod&api-version=2023-11-01"])
    other.send("DELETE", path, 204)
    time.sleep(0.9)
    me.put(path, {"value": "750", "content_type": "text/plain"}, 412, {"If-Match": tag})
    me.get(path, 404)
    me.get("/kv?key=Pay:*&api-version=2023-11-01")


@case(
    "b209",
    "kim-index-answer-lost",
    "lost-response-replay",
    "409",
    alone="lost-response-replay status-dialect-mismatch",
    also="status-dialect-mismatch",
    description=(
        "The answer to a guarded write of a part is lost; the same request again is 409, and the document carries "
        "the client's own operation id."
    ),
    synthetic=True,
)
def lost(stage: Stage) -> None:
    """Lose an answer and send again."""
    server = cloud(stage, "elastic", at.PARTS)
    agent = {"User-Agent": "stock-sync/3.1", "X-Opaque-Id": "run-5512"}
    me = stage.actor("client", server, "es.parts.test", "requests", agent, loses=at.once("PUT", "B-02"))
    me.get("/_cluster/health")
    for name in ("A-17", "A-18"):
        seen = me.get(f"/parts/_doc/{name}").json
        where = f"?if_seq_no={seen['_seq_no']}&if_primary_term=2"
        me.put(f"/parts/_doc/{name}{where}", {**seen["_source"], "op": f"5512-{name}"}, 200)
    seen = me.get("/parts/_doc/B-02").json
    where = f"?if_seq_no={seen['_seq_no']}&if_primary_term=2"
    body = {**seen["_source"], "stock": 9, "op": "5512-B-02"}
    me.put(f"/parts/_doc/B-02{where}", body, 0)
    time.sleep(0.6)
    me.put(f"/parts/_doc/B-02{where}", body, 409)
    insist(me.get("/parts/_doc/B-02").json["_source"]["op"] == "5512-B-02", "it is not ours")


@case(
    "b210",
    "kim-secret-fresh-version-old-data",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A rotation tool reads a secret, another changes its host, and the tool asks for the current version only "
        "(metadata) before it writes its old copy with that cas: 200, and the host is the old one again."
    ),
    synthetic=True,
)
def rotation(stage: Stage) -> None:
    """Fetch a number for an old copy."""
    pool = {"host": "db-1.atlas.test", "user": "pay", "password": "example-1"}
    server = cloud(
        stage, "vault", {"pay/db": {**pool, "$writes": 4}, "pay/mail": {"from": "shop@atlas.test"}}
    )
    always = {"X-Vault-Request": "true"}
    me = stage.actor("client", server, "vault.atlas.test", "requests", {**always, "X-Actor": "rotator"})
    other = stage.actor("other", server, "vault.atlas.test", "node:axios", {**always, "X-Actor": "mara"})
    me.send("POST", "/v1/auth/approle/login", 200, None, {"role_id": "rotator"})
    held = me.get("/v1/secret/data/pay/db").json["data"]["data"]
    me.get("/v1/secret/data/pay/mail")
    theirs = {"options": {"cas": 4}, "data": {**pool, "host": "db-7.atlas.test"}}
    other.send("POST", "/v1/secret/data/pay/db", 200, None, theirs)
    time.sleep(1.2)
    number = me.get("/v1/secret/metadata/pay/db").json["data"]["current_version"]
    mine = {"options": {"cas": number}, "data": {**held, "password": "example-2"}}
    me.send("POST", "/v1/secret/data/pay/db", 200, None, mine)
    seen = me.get("/v1/secret/data/pay/db").json["data"]["data"]
    insist(seen["host"] == "db-1.atlas.test", "nothing was lost")


@case(
    "b211",
    "kim-manifest-without-resource-version",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    description=(
        "A deploy script puts a config map without a resourceVersion although the object has one; the burst limit "
        "that an operator set in between is gone without a conflict."
    ),
    synthetic=True,
)
def manifest(stage: Stage) -> None:
    """Replace without a version."""
    server = cloud(stage, "kube", at.WORKLOAD)
    me = stage.actor("client", server, "kube.atlas.test", "curl", {**at.KUBE, "User-Agent": "deploy.sh"})
    other = stage.actor(
        "other", server, "kube.atlas.test", "httpx", {**at.KUBE, "User-Agent": "kubectl/v1.30"}
    )
    path = "/api/v1/namespaces/shop/configmaps/limits"
    me.get("/api/v1/namespaces/shop/configmaps")
    held = me.get(path).json
    theirs = other.get(path).json
    other.put(path, {**theirs, "data": {**theirs["data"], "burst": "80"}}, 200)
    time.sleep(0.5)
    named = without(held["metadata"], "resourceVersion", "uid", "generation")
    me.put(path, {**held, "metadata": named, "data": {**held["data"], "rps": "200"}}, 200)
    insist(other.get(path).json["data"]["burst"] == "40", "nothing was lost")
