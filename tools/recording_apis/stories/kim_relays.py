"""What stands between: compressors, caches, gateways and load balancers before the imitated products."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import kim_setting as at
from tools.recording_apis.stories.kim_setting import cloud, insist, look, nodes, office, suite

JSON = {"Content-Type": "application/json"}


@case(
    "b220",
    "kim-entity-tag-with-coding",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache compresses the entities of a Spring service and appends -gzip to the version tag; the service "
        "refuses it, and a read without compression shows the bare version."
    ),
    synthetic=True,
)
def suffix(stage: Stage) -> None:
    """Send a version with a coding's suffix."""
    stage.keeps_content = False
    server = suite(stage, "spring", at.ENTITIES)
    front = fronts.apache(stage, server, "SetOutputFilter DEFLATE")
    me = stage.actor(
        "client", front, "shop.atlas.test", "httpx", {"X-Actor": "till-2", "Accept-Encoding": "gzip"}
    )
    look(me, ["/data/", "/data/products/13"])
    tag = me.get("/data/products/12").etag
    for _ in range(2):
        me.put("/data/products/12", at.entity("products/12", stock=11), 412, {"If-Match": tag})
        time.sleep(0.4)
        tag = me.get("/data/products/12").etag
    plain = me.get("/data/products/12", 200, {"Accept-Encoding": "identity"}).etag
    insist(tag == f'{plain[:-1]}-gzip"', f"{tag} and {plain}")
    me.put("/data/products/12", at.entity("products/12", stock=11), 200, {"If-Match": plain})


@case(
    "b221",
    "kim-switch-tag-weakened",
    "etag-weakened",
    "412",
    alone="etag-weakened weak-only-origin",
    description=(
        "An nginx before the configuration store compresses and makes the tags weak; the store compares strongly "
        "and refuses what the client got. The origin's file has strong tags."
    ),
    synthetic=True,
)
def weakened(stage: Stage) -> None:
    """Send a weakened tag."""
    server = office(stage, "appconfig", at.SWITCHES)
    types = "gzip on; gzip_types *; gzip_min_length 20; gzip_proxied any;"
    front = fronts.nginx(stage, server, types)
    me = stage.actor("client", front, "atlas.azconfig.test", "requests", {"X-Actor": "release-bot"})
    path = "/kv/Pay:Limit?label=prod&api-version=2023-11-01"
    me.get("/labels?api-version=2023-11-01")
    me.get("/kv?key=Pay:*&api-version=2023-11-01")
    for _ in range(2):
        tag = me.get(path).etag
        insist(tag.startswith("W/"), f"{tag} is strong")
        me.put(path, {"value": "750", "content_type": "text/plain"}, 412, {"If-Match": tag})
        time.sleep(0.6)
    me.get("/kv/Search:Boost?label=prod&api-version=2023-11-01")


@case(
    "b222",
    "kim-gateway-drops-the-query",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped none",
    description=(
        "A gateway rewrites the paths of a key store and drops the query with it: ?cas= never reaches the store, "
        "which writes whatever the number. A colleague's change is gone; the origin's file has no cas."
    ),
    synthetic=True,
)
def dropped(stage: Stage) -> None:
    """Lose the number on the way."""
    server = cloud(stage, "consul", {"pricing/vat": {"text": "19"}, "pricing/margin": {"text": "0.31"}})
    port = stage.behind(server)
    rewrite = f"location ~ ^/registry/(.+)$ {{ proxy_pass http://127.0.0.1:{port}/v1/$1; "
    rewrite += "proxy_set_header Host $http_host; }"
    front = fronts.nginx(stage, server, "", "", rewrite)
    me = stage.actor("client", front, "registry.atlas.test", "aiohttp", {"X-Actor": "pricing-ui"})
    other = stage.actor("other", server, "registry.atlas.test", "requests", {"X-Actor": "ops"})
    me.get("/registry/catalog/services")
    index = me.get("/registry/kv/pricing/margin").json[0]["ModifyIndex"]
    insist(other.put(f"/v1/kv/pricing/margin?cas={index}", "0.33", 200).text == "true", "refused")
    insist(other.put(f"/v1/kv/pricing/margin?cas={index}", "0.34", 200).text == "false", "not refused")
    time.sleep(0.8)
    insist(me.put(f"/registry/kv/pricing/margin?cas={index}", "0.29", 200).text == "true", "refused")
    me.get("/registry/kv/pricing/margin")
    me.get("/registry/kv/pricing/vat")


@case(
    "b223",
    "kim-entry-version-from-a-cache",
    "stale-cache-read",
    "409",
    alone="stale-cache-read",
    also="status-dialect-mismatch",
    description=(
        "Entries may be stored for 30 s, and Varnish before the management interface does so: after its own save an "
        "editor reads the entry with the version before it (Age, X-Varnish) and is refused with 409 VersionMismatch."
    ),
    synthetic=True,
)
def cached(stage: Stage) -> None:
    """Read one's own save from before it."""
    server = suite(stage, "contentful", at.ENTRIES, FRESH="30")
    front = fronts.varnish(stage, server)
    me = stage.actor("client", front, "cms.atlas.test", "node:fetch", {"User-Agent": "editor-ui/12"})
    base = "/spaces/shop/environments/master/entries"
    me.get("/spaces/shop")
    me.get(f"{base}/hero")
    seen = me.get(f"{base}/sale").json
    fields = {**seen["fields"], "title": {"en-US": "Winter sale 2026"}}
    me.put(f"{base}/sale", {"fields": fields}, 200, {"X-Contentful-Version": str(seen["sys"]["version"])})
    for _ in range(2):
        time.sleep(1.1)
        seen = me.get(f"{base}/sale").json
        fields = {**seen["fields"], "teaser": {"en-US": "From Thursday"}}
        number = str(seen["sys"]["version"])
        me.put(f"{base}/sale", {"fields": fields}, 409, {"X-Contentful-Version": number})
    insist(number == "4", "it was current")


@case(
    "b224",
    "kim-search-index-not-refreshed",
    "replica-lag",
    "409",
    alone="replica-lag stale-stored-token",
    also="status-dialect-mismatch",
    description=(
        "A tool updates a part, searches for it at once and takes the sequence number of the hit: the search is a "
        "refresh interval behind, the number is the one before its own write, 409. Later search and index agree."
    ),
    synthetic=True,
)
def refresh(stage: Stage) -> None:
    """Take a number from a search."""
    server = cloud(stage, "elastic", at.PARTS, LAG="1.5")
    me = stage.actor("client", server, "es.parts.test", "httpx", {"X-Actor": "bin-planner"})
    find = {"query": {"match": {"name": "Bearing"}}, "seq_no_primary_term": True}

    def hit() -> tuple[int, dict[str, object]]:
        rows = me.send("POST", "/parts/_search?seq_no_primary_term=true", 200, None, find).json["hits"][
            "hits"
        ]
        one = next(row for row in rows if row["_id"] == "A-17")
        return one["_seq_no"], one["_source"]

    first, source = hit()
    me.put(f"/parts/_doc/A-17?if_seq_no={first}&if_primary_term=2", {**source, "bin": "R4-01"}, 200)
    again, source = hit()
    insist(again == first, "the search is current")
    me.put(f"/parts/_doc/A-17?if_seq_no={again}&if_primary_term=2", {**source, "stock": 139}, 409)
    time.sleep(2.0)
    later, source = hit()
    me.put(f"/parts/_doc/A-17?if_seq_no={later}&if_primary_term=2", {**source, "stock": 139}, 200)


@case(
    "b225",
    "kim-two-regions-two-tags",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends unstable-etag",
    description=(
        "Two nodes behind HAProxy serve one store and make the tags of its documents each in its own way (X-Node); "
        "reads and writes land on different ones, and every guarded write is refused."
    ),
    synthetic=True,
)
def regions(stage: Stage) -> None:
    """Meet another node at each turn."""
    servers = nodes(stage, "kim_suite.py", 2, at.PEOPLE, DIALECT="eve", PAIR="1")
    front = fronts.haproxy(stage, servers)
    me = stage.actor("client", front, "crew.hafen.test", "requests", {"X-Actor": "crewing"})
    seen = [me.get("/api/crew/ines") for _ in range(4)]
    insist(len({one.etag for one in seen}) == 2, "one tag")
    for _ in range(3):
        tag = me.get("/api/crew/ines").etag
        me.send("PATCH", "/api/crew/ines", 412, {"If-Match": tag}, {"port": "Skagen"})
        time.sleep(0.3)
    me.get("/api/crew/kofi")
    me.get("/api/crew/ines")


@case(
    "b226",
    "kim-balancer-repeats-a-page-save",
    "intermediary-replay",
    "409",
    alone="intermediary-replay post-commit-412 lost-response-replay other-writer",
    also="status-dialect-mismatch",
    description=(
        "HAProxy waits a second for the wiki, which has stored the page, and sends the same save again: the client "
        "sends one PUT, gets one 409 and finds its own text under its own name. The origin has two PUTs."
    ),
    synthetic=True,
)
def repeated(stage: Stage) -> None:
    """Put once, arrive twice."""
    server = suite(stage, "wiki", at.WIKI, TARRY="1.7")
    lines = " timeout server 1s\n retries 1\n retry-on response-timeout"
    front = fronts.haproxy(stage, [server], lines)
    me = stage.actor("client", front, "wiki.hafen.test", "java", {"X-Actor": "amelie"})
    me.get("/wiki/rest/api/content?limit=25")
    seen = me.get("/wiki/rest/api/content/65601").json
    text = "<p>Call the secondary after 10 minutes. (am-88172)</p>"
    me.put("/wiki/rest/api/content/65601", at.page(text, seen["version"]["number"] + 1), 409)
    now = me.get("/wiki/rest/api/content/65601").json
    insist(now["body"]["storage"]["value"] == text, "it was not stored")
    me.get("/wiki/rest/api/content/65602")
    time.sleep(1.0)


@case(
    "b227",
    "kim-balancer-takes-the-version",
    "validator-stripped",
    "428",
    alone="token-missing validator-stripped",
    also="token-missing",
    description=(
        "A load balancer deletes ETag and Last-Modified; the service, whose entities carry their "
        "version nowhere else, insists on one: 428. The origin's file has the tags."
    ),
    synthetic=True,
)
def taken(stage: Stage) -> None:
    """Have no version to send."""
    server = suite(stage, "spring", at.ENTITIES, NEED="1")
    front = fronts.haproxy(
        stage, [server], " http-response del-header ETag\n http-response del-header Last-Modified"
    )
    me = stage.actor("client", front, "shop.atlas.test", "node:axios", {"X-Actor": "back-office"})
    look(me, ["/data/", "/data/products/13"])
    for stock in (11, 10):
        insist("etag" not in me.get("/data/products/12").fields, "there is a tag")
        me.put("/data/products/12", at.entity("products/12", stock=stock), 428)
        time.sleep(0.5)
    me.get("/data/suppliers/4")


@case(
    "b228",
    "kim-cache-judges-a-pinned-read",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    description=(
        "A client checks its save by a read with If-Match and the tag of the save's answer; the nginx cache before "
        "the service compares with the state it has stored and answers 412 with a page of its own. The origin sees "
        "no such read, and past the cache it is 200."
    ),
    synthetic=True,
)
def judged(stage: Stage) -> None:
    """Be refused by a cache."""
    server = suite(stage, "eve", at.PEOPLE)
    lines = "add_header X-Cache $upstream_cache_status always; proxy_cache_bypass $http_pragma;"
    front = fronts.nginx_cache(stage, server, 90, lines)
    me = stage.actor("client", front, "crew.hafen.test", "curl", {"X-Actor": "roster"})
    me.get("/api/crew/liv")
    tag = me.get("/api/crew/kofi").etag
    told = me.send("PATCH", "/api/crew/kofi", 200, {"If-Match": tag}, {"port": "Tromso"})
    time.sleep(0.5)
    refused = me.get("/api/crew/kofi", 412, {"If-Match": told.etag})
    insist("nginx" in refused.text, "not a page of nginx")
    time.sleep(0.4)
    me.get("/api/crew/kofi", 412, {"If-Match": told.etag})
    me.get("/api/crew/kofi", 200, {"If-Match": told.etag, "Pragma": "no-cache"})


@case(
    "b229",
    "kim-old-wiki-address-redirects",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description=(
        "A publisher saves to an old address of the wiki, is sent on with 302 and follows with a GET: 200, and the "
        "page is unchanged, twice. To the new address the save passes."
    ),
    synthetic=True,
)
def moved(stage: Stage) -> None:
    """Follow a redirect with a write."""
    server = suite(stage, "wiki", at.WIKI, MOVED="/confluence/rest/api/content")
    me = stage.actor("client", server, "wiki.hafen.test", "requests:follow", {"X-Actor": "md2wiki"})
    old, new = "/confluence/rest/api/content/65602", "/wiki/rest/api/content/65602"
    number = me.get(old).json["version"]["number"]
    for text in ("<p>TEU, FEU</p>", "<p>TEU, FEU, reefer</p>"):
        told = me.put(old, at.page(text, number + 1, "Glossary"), 200)
        insist(told.json["version"]["number"] == number, "it was saved")
        time.sleep(0.5)
    me.get(new)
    me.put(new, at.page("<p>TEU, FEU, reefer</p>", number + 1, "Glossary"), 200)
