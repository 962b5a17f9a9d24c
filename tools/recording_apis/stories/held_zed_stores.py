"""Stores, indexes and clouds that are not Google's or Microsoft's, and a wiki."""

from __future__ import annotations

import base64
import uuid
from functools import partial
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps import zed_stores as stores
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "e298",
    "zed-second-change-of-the-distribution",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "An operator's script changes a distribution in two steps and takes the tag of its first read for both: the "
        "first answer has shown a newer one, so the second update is refused; nobody else changed anything."
    ),
    synthetic=True,
)
def distribution(stage: Stage) -> None:
    """Keep the first tag."""
    config = "<DistributionConfig><Comment>shop</Comment><PriceClass>PriceClass_All</PriceClass><Enabled>true</Enabled></DistributionConfig>"
    server = place.open_box(stage, stores.Cloudfront("EDFDVBD632BHDS5", config), "cheroot", "CloudFront")
    me = stage.actor(
        "client",
        server,
        "cloudfront.amazonaws.com",
        "urllib",
        {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE"},
    )
    base, kind = "/2020-05-31/distribution/EDFDVBD632BHDS5", {"Content-Type": "text/xml"}
    me.get(base)
    seen = me.get(f"{base}/config")
    text = seen.text.replace("PriceClass_All", "PriceClass_100")
    me.put(f"{base}/config", text, 200, {**kind, "If-Match": seen.etag})
    paths = "<InvalidationBatch><Paths><Quantity>1</Quantity><Items><Path>/*</Path></Items></Paths><CallerReference>r81</CallerReference></InvalidationBatch>"
    me.send("POST", f"{base}/invalidation", 201, kind, paths)
    place.rest(0.8)
    me.get(base)
    me.put(
        f"{base}/config", text.replace(">shop<", ">shop, since r81<"), 412, {**kind, "If-Match": seen.etag}
    )
    me.get(base)


@case(
    "e306",
    "zed-pinned-release-from-the-cache",
    "cache-misevaluates",
    "lost-update",
    alone="cache-misevaluates stale-cache-read",
    also="stale-cache-read",
    description=(
        "A fleet reads a manifest from S3 (moto) through Varnish and pins it with If-Match to the tag that the listing "
        "shows; Varnish answers with its stored older one (another tag, Age) instead of passing the condition on, and the "
        "fleet reports the old release as rolled out."
    ),
)
def pinned(stage: Stage) -> None:
    """Get another than asked for."""
    server = stage.server("moto")
    keeper = stage.actor("keeper", server, "s3.amazonaws.com", "requests")
    keeper.put("/fleet", b"", 200, {"x-amz-acl": "public-read-write"})
    public = {"x-amz-acl": "public-read-write", "Content-Type": "application/json"}
    keeper.put("/fleet/stable/manifest.json", {"release": 41, "units": ["pump", "valve"]}, 200, public)
    keeper.put("/fleet/stable/keys.json", {"kid": "2026-b"}, 200, public)
    stage.forget()
    del stage.taps["keeper"]
    rules = 'sub vcl_recv { if (req.url ~ "list-type" || req.method != "GET") { return (pass); } }'
    front = fronts.varnish(stage, server, rules)
    me = stage.actor("client", front, "s3.amazonaws.com", "httpx")
    other = stage.actor("other", server, "s3.amazonaws.com", "requests")
    me.get("/fleet?list-type=2&prefix=stable/")
    first = me.get("/fleet/stable/manifest.json")
    me.get("/fleet/stable/manifest.json", 304, {"If-None-Match": first.etag})
    me.get("/fleet/stable/keys.json")
    made = other.put(
        "/fleet/stable/manifest.json", {"release": 42, "units": ["pump", "valve", "siren"]}, 200, public
    )
    place.rest(2.1)
    listed = me.get("/fleet?list-type=2&prefix=stable/").text
    place.sure(made.etag.strip('"') in listed)
    got = me.get("/fleet/stable/manifest.json", 200, {"If-Match": made.etag})
    place.sure(got.etag == first.etag)
    me.put("/fleet/reports/north.json", {"rolledOut": got.json["release"], "state": "done"}, 200, public)
    me.get("/fleet/stable/keys.json")


@case(
    "e282",
    "zed-statement-of-march-is-there",
    "exists-already",
    "409",
    alone="exists-already",
    also="status-dialect-mismatch",
    description=(
        "An archive job stores bank statements in OSS and forbids overwriting: the one of March has been there since the "
        "spring with another content (its ETag and date tell), so the upload is refused; the others go through."
    ),
    synthetic=True,
)
def statement(stage: Stage) -> None:
    """Meet an old object."""
    api = stores.Oss("archive-zj")
    api.keep("2026/03/statement.txt", "对账单 三月 期末余额 81203.55".encode(), age=19000000)
    api.keep("2026/index.txt", b"01 02 03", age=18000000)
    server = place.open_box(stage, api, "cheroot", "Alibaba OSS")
    fields = {"Authorization": "OSS LTAIEXAMPLE:c2ln", "Content-Type": "text/plain"}
    me = stage.actor("client", server, "archive-zj.oss-cn-hangzhou.aliyuncs.com", "node:axios", fields)
    me.get("/2026/index.txt")
    for month in ("01", "02", "03", "04"):
        body = f"对账单 {month} 月 期末余额 {int(month) * 20110}.10"
        refused = month == "03"
        told = me.put(
            f"/2026/{month}/statement.txt", body, 409 if refused else 200, {"x-oss-forbid-overwrite": "true"}
        )
        place.sure(not refused or "FileAlreadyExists" in told.text)
    me.send("HEAD", "/2026/03/statement.txt", 200)
    me.get("/?prefix=2026/")


def _state(name: str, more: str = "") -> str:
    return f"/notes/tfstate/{name}?{more}{place.signature()}"


@case(
    "e310",
    "zed-state-after-a-force-unlock",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "Azurite: a plan holds an endless lease on its state; somebody breaks it and takes a lease of their own. The plan "
        "then uploads its state with its own lease id and is refused with LeaseIdMismatchWithBlobOperation."
    ),
)
def unlocked(stage: Stage) -> None:
    """Lose the lease."""
    server = stage.server("azurite")
    fields = {"x-ms-version": "2023-11-03"}
    block = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/json"}
    keeper = stage.actor("keeper", server, "infra.blob.example", "requests", fields)
    keeper.put(f"/notes/tfstate?restype=container&{place.signature()}", b"", 201)
    for name in ("net.tfstate", "dns.tfstate"):
        keeper.put(_state(name), {"version": 4, "serial": 17, "lineage": str(uuid.uuid4())}, 201, block)
    stage.forget()
    del stage.taps["keeper"]
    me = stage.actor("client", server, "infra.blob.example", "aiohttp", fields)
    other = stage.actor("other", server, "infra.blob.example", "curl", fields)
    lease = {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "-1"}
    me.get(_state("dns.tfstate"))
    mine = me.put(_state("net.tfstate", "comp=lease&"), b"", 201, lease).fields["x-ms-lease-id"]
    seen = me.get(_state("net.tfstate"))
    me.put(
        _state("net.tfstate", "comp=metadata&"),
        b"",
        200,
        {"x-ms-lease-id": mine, "x-ms-meta-terraformlockid": "eyJJRCI6IjRm"},
    )
    place.rest(0.5)
    other.put(
        _state("net.tfstate", "comp=lease&"),
        b"",
        202,
        {"x-ms-lease-action": "break", "x-ms-lease-break-period": "0"},
    )
    theirs = other.put(_state("net.tfstate", "comp=lease&"), b"", 201, lease).fields["x-ms-lease-id"]
    place.sure(theirs != mine)
    place.rest(0.7)
    told = me.put(_state("net.tfstate"), {**seen.json, "serial": 18}, 412, {**block, "x-ms-lease-id": mine})
    place.sure("LeaseIdMismatch" in told.fields["x-ms-error-code"])
    me.put(
        _state("net.tfstate", "comp=lease&"),
        b"",
        409,
        {"x-ms-lease-action": "release", "x-ms-lease-id": mine},
    )
    me.send("HEAD", _state("net.tfstate"), 200)


@case(
    "e319",
    "zed-packing-list-saved-on-the-train",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "Kinto: an app saves a packing list with If-Match while the train enters a tunnel; the answer never comes, the "
        "same request is sent again and refused, and the existing record in the refusal is the app's own."
    ),
)
def train(stage: Stage) -> None:
    """Replay after a lost answer."""
    server = stage.server("kinto")
    word = {"Authorization": f"Basic {base64.b64encode(b'ines:pw-of-ines').decode()}"}
    keeper = stage.actor("keeper", server, "kinto.packlist.app", "requests", word)
    keeper.put("/v1/accounts/ines", {"data": {"password": "pw-of-ines"}}, 201, {"Authorization": ""})
    base = "/v1/buckets/default/collections/trips/records"
    for number in (1, 2):
        key = f"5f2c9a1e-0000-4000-8000-00000000000{number}"
        keeper.put(
            f"{base}/{key}", {"data": {"place": ("Évora", "Tavira")[number - 1], "items": ["hat"]}}, 201
        )
    stage.forget()
    del stage.taps["keeper"]
    me = stage.actor(
        "client", server, "kinto.packlist.app", "node:fetch", word, loses=place.drops("PUT", "0002")
    )
    me.get("/v1/")
    all_of = me.get(f"{base}?_sort=-last_modified")
    me.get(f"{base}?_sort=-last_modified", 304, {"If-None-Match": all_of.etag})
    path = f"{base}/5f2c9a1e-0000-4000-8000-000000000002"
    seen = me.get(path)
    data = {"data": {"place": "Tavira", "items": ["hat", "snorkel", "book"]}}
    me.put(path, data, 0, {"If-Match": seen.etag})
    place.rest(1.5)
    told = me.put(path, data, 412, {"If-Match": seen.etag}).json
    place.sure(told["details"]["existing"]["items"] == ["hat", "snorkel", "book"])
    me.get(path)
    me.get(f"{base}?_sort=-last_modified")


@case(
    "e287",
    "zed-two-bots-one-parent-revision",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    also="self-race",
    description=(
        "A wiki's bot runs two workers that add a line to one page at the same time with the same baserevid: both are "
        "told Success with the same oldrevid, and one line is gone; a later stale edit is told editconflict (200)."
    ),
    synthetic=True,
)
def bots(stage: Stage) -> None:
    """Pass the same check twice."""
    pages = {"Fen orchids": "* Liparis loeselii\n", "Sedges": "* Carex elata\n"}
    server = place.open_box(stage, stores.Wiki(pages, 0.2), "cheroot", "MediaWiki")
    form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": "fenwiki_session=8a1f"}
    me = stage.actor("client", server, "wiki.fenland.example", "httpx", form)

    def edit(text: str, base: int) -> Answer:
        asked = {
            "action": "edit",
            "title": "Fen orchids",
            "text": text,
            "baserevid": base,
            "bot": 1,
            "token": "7f1c03a4+\\",
            "format": "json",
            "formatversion": 2,
        }
        return me.send("POST", "/w/api.php", 200, None, stores.encode(asked))

    query = "/w/api.php?action=query&prop=revisions&rvslots=main&rvprop=ids|timestamp|user|content&format=json&formatversion=2&titles="
    me.get("/w/api.php?action=query&meta=userinfo&format=json")
    me.get("/w/api.php?action=query&meta=tokens&format=json")
    me.get(query + "Sedges")
    seen = me.get(query + "Fen%20orchids").json["query"]["pages"][0]["revisions"][0]
    lines = ("* Dactylorhiza incarnata\n", "* Epipactis palustris\n")
    got = place.at_once(*(partial(edit, seen["content"] + one, seen["revid"]) for one in lines), apart=0.06)
    place.sure([one.json["edit"]["oldrevid"] for one in got] == [seen["revid"]] * 2)
    place.rest(0.5)
    now = me.get(query + "Fen%20orchids&rvlimit=3").json["query"]["pages"][0]["revisions"]
    place.sure("incarnata" not in now[0]["content"] and len(now) == 3)
    late = edit(seen["content"] + "* Orchis morio\n", seen["revid"]).json
    place.sure(late["error"]["code"] == "editconflict")
    me.get(query + "Sedges")


@case(
    "e295",
    "zed-shelf-count-with-version-nought",
    "null-token",
    "lost-update",
    alone="null-token",
    also="unconditional-write",
    description=(
        "A stockroom's handheld writes parts to Solr with _version_ 0, its default when nothing was kept, though the "
        "parts it read have versions: Solr checks nothing, and a colleague's new bin is gone in the next list."
    ),
    synthetic=True,
)
def nought(stage: Stage) -> None:
    """Send no version as 0."""
    docs = [{"id": f"part-{n}", "bin_s": f"K{n}", "qty_i": 40 + n} for n in (12, 13, 14)]
    server = place.open_box(stage, stores.Solr("parts", docs), "stdlib", "Solr")
    me = stage.actor("client", server, "solr.stockroom.example", "requests")
    other = stage.actor("other", server, "solr.stockroom.example", "aiohttp")
    me.get("/solr/parts/admin/ping?wt=json")
    me.get("/solr/parts/select?q=*:*&rows=20")
    doc = me.get("/solr/parts/get?id=part-13").json["doc"]
    theirs = other.get("/solr/parts/get?id=part-13").json["doc"]
    other.send("POST", "/solr/parts/update?commit=true&versions=true", 200, None, [{**theirs, "bin_s": "M2"}])
    place.rest(0.6)
    me.get("/solr/parts/select?q=*:*&rows=20")
    for qty in (51, 49):
        new = {**doc, "qty_i": qty, "_version_": 0}
        me.send("POST", "/solr/parts/update?commit=true&versions=true", 200, None, [new])
        place.rest(0.3)
    got = me.get("/solr/parts/select?q=bin_s:K13").json["response"]["docs"][0]
    place.sure(got["bin_s"] == "K13")
    first = me.get("/solr/parts/get?id=part-12").json["doc"]
    me.send(
        "POST",
        "/solr/parts/update?commit=true&versions=true",
        200,
        None,
        [{**first, "qty_i": 30, "_version_": 0}],
    )


@case(
    "e313",
    "zed-stock-after-a-failover",
    "none",
    "healthy",
    alone="none",
    description=(
        "A stock service on Elasticsearch: sequence numbers jump since the index counts all documents, the primary term "
        "goes up after a failover, and each write carries the newest pair; one look for an unknown item is 404."
    ),
    synthetic=True,
)
def failover(stage: Stage) -> None:
    """Work well."""
    api = stores.Elastic("stock", {f"hose-{n}": {"metres": n * 10, "rack": "H"} for n in (19, 25, 32)})
    server = place.open_box(stage, api, "waitress", "Elasticsearch")
    me = stage.actor("client", server, "stock.es.example", "node:fetch", {"Accept": "application/json"})
    other = stage.actor("other", server, "stock.es.example", "requests")
    me.get("/_cluster/health")
    me.get("/stock/_doc/hose-40", 404)
    made = me.put("/stock/_doc/hose-40", {"metres": 0, "rack": "J"}, 201).json
    for number, metres in enumerate((120, 95, 60)):
        for _ in range(number + 1):
            other.send(
                "POST", "/stock/_update/hose-19?retry_on_conflict=3", 200, None, {"doc": {"metres": metres}}
            )
        pair = f"if_seq_no={made['_seq_no']}&if_primary_term={made['_primary_term']}"
        made = me.put(f"/stock/_doc/hose-40?{pair}", {"metres": metres, "rack": "J"}, 200).json
        if number == 1:
            api.term = 2
    me.send("POST", "/stock/_search", 200, None, {"seq_no_primary_term": True, "query": {"match_all": {}}})
    seen = me.get("/stock/_doc/hose-19").json
    me.put(
        f"/stock/_doc/hose-19?if_seq_no={seen['_seq_no']}&if_primary_term={seen['_primary_term']}",
        {"metres": 7, "rack": "H"},
        200,
    )
    me.get("/stock/_doc/hose-40")


@case(
    "e314",
    "zed-orders-on-either-node",
    "none",
    "healthy",
    alone="none",
    description=(
        "Orders in RavenDB while its nodes change places: change vectors grow by a part of the other node, writes carry "
        "the vector read last, polls are 304, and a list shows everything."
    ),
    synthetic=True,
)
def nodes(stage: Stage) -> None:
    """Work well."""
    api = stores.Raven(
        "Depot", {f"orders/{n}-A": {"Company": f"companies/{n}", "Lines": n} for n in (7, 8, 9)}
    )
    server = place.open_box(stage, api, "bottle", "RavenDB")
    me = stage.actor("client", server, "a.depot.ravendb.example", "aiohttp")
    root = "/databases/Depot/docs"
    me.get("/cluster/topology")
    me.get(f"{root}?start=0&pageSize=25")
    seen = me.get(f"{root}?id=orders/8-A")
    me.get(f"{root}?id=orders/8-A", 304, {"If-None-Match": seen.etag})
    doc = seen.json["Results"][0]
    vector = doc["@metadata"]["@change-vector"]
    for number, node in enumerate("ABBA"):
        api.node = node
        new = {**{k: v for k, v in doc.items() if k != "@metadata"}, "Lines": 20 + number}
        vector = me.put(f"{root}?id=orders/8-A", new, 201, {"If-Match": f'"{vector}"'}).json["ChangeVector"]
        place.rest(0.2)
    now = me.get(f"{root}?id=orders/8-A")
    place.sure(now.json["Results"][0]["Lines"] == 23)
    me.get(f"{root}?id=orders/8-A", 304, {"If-None-Match": now.etag})
    me.get(f"{root}?id=orders/70-A", 404)
    me.get(f"{root}?start=0&pageSize=25")


@case(
    "e284",
    "zed-hives-behind-a-tidy-proxy",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored",
    description=(
        "A beekeepers' app on Eve behind an nginx that clears If-Match and If-None-Match: a stale tag is taken (200) and "
        "a colleague's treatment is gone in the next read; polls with the current tag are whole answers too."
    ),
    synthetic=True,
)
def hives(stage: Stage) -> None:
    """Lose the condition on the way."""
    api = stores.Eve(
        "hives",
        {f"65f0c2aa9d1e4b00{n:08x}": {"name": f"Hive {n}", "frames": 9, "treated": None} for n in (1, 2, 3)},
    )
    server = place.open_box(stage, api, "flask", "Eve")
    front = fronts.nginx(stage, server, 'proxy_set_header If-Match ""; proxy_set_header If-None-Match "";')
    me = stage.actor(
        "client", front, "bees.valley.example", "requests", {"Authorization": "Basic bWFyaWE6eA=="}
    )
    other = stage.actor(
        "other", front, "bees.valley.example", "node:axios", {"Authorization": "Basic ZGFuOnk="}
    )
    keys = list(api.rows)

    def own(item: dict[str, object], **more: object) -> dict[str, object]:
        return {**{name: one for name, one in item.items() if name[0] != "_"}, **more}

    me.get("/hives?max_results=25")
    for key in keys[:2]:
        seen = me.get(f"/hives/{key}")
        me.get(f"/hives/{key}", 200, {"If-None-Match": seen.etag})
    theirs = other.get(f"/hives/{keys[1]}")
    other.put(
        f"/hives/{keys[1]}",
        own(theirs.json, treated="2026-11-27 oxalic acid"),
        200,
        {"If-Match": theirs.etag},
    )
    place.rest(0.9)
    listed = me.get("/hives?max_results=25").json["_items"][1]
    place.sure(listed["treated"])
    saved = me.put(f"/hives/{keys[1]}", own(seen.json, frames=8), 200, {"If-Match": seen.etag})
    place.sure(saved.etag != seen.etag)
    again = me.get(f"/hives/{keys[1]}", 200, {"If-None-Match": saved.etag})
    place.sure(again.json["treated"] is None)
    me.get(f"/hives/{keys[2]}")
