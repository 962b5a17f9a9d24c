"""Sessions with APIs in use in which nothing goes wrong, some of which look as if something did."""

from __future__ import annotations

import importlib
import time
from unittest.mock import patch

from tools.recording_apis import fronts
from tools.recording_apis.apps.pau_bodies import (
    Commercetools,
    Consul,
    Contentful,
    Elasticsearch,
    Kubernetes,
    Zotero,
)
from tools.recording_apis.apps.pau_engine import Answer, Request
from tools.recording_apis.apps.pau_stores import LockedRules
from tools.recording_apis.apps.pau_tagged import Tagged
from tools.recording_apis.names import route
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import pau_setting as place
from tools.recording_apis.stories.pau_setting import Aws, bearer, must, pause


@case(
    "b713",
    "pau-library-in-step",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A reference manager synchronises a group library: 304 while nothing is new, the changes since its version, "
        "and writes of four items each under the version that the last answer gave."
    ),
)
def library(stage: Stage) -> None:
    """Keep in step with a library."""
    base = "/groups/881/items"
    product = Zotero({f"{base}/{n}": {"title": n} for n in ("AAA1", "BBB2", "CCC3", "DDD4")}, first=1200)
    server = place.api(stage, product, "Zotero", "tornado")
    front = fronts.nginx(stage, server)
    me = stage.actor(
        "client",
        front,
        "api.zotero.test",
        "node:fetch",
        {"Zotero-API-Version": "3", "Zotero-API-Key": "fake"},
    )
    place.beside(me, "a")
    version = me.get(base).fields["last-modified-version"]
    for _ in range(2):
        me.get(f"{base}?since={version}", 304, {"If-Modified-Since-Version": version})
    place.beside(me, "t")
    for name in ("AAA1", "BBB2", "CCC3", "DDD4"):
        told = me.send(
            "PATCH",
            f"{base}/{name}",
            204,
            {"If-Unmodified-Since-Version": version},
            {"tags": [{"tag": "ok"}]},
        )
        version = told.fields["last-modified-version"]
    me.get(f"{base}?since={version}", 304, {"If-Modified-Since-Version": version})


@case(
    "b714",
    "pau-kinto-settings-of-three-devices",
    "none",
    "healthy",
    alone="none",
    description=(
        "Kinto keeps settings: a phone makes its bucket, collection and records under If-None-Match: *, polls with "
        "If-None-Match (304), and changes each record under the tag of its last answer."
    ),
)
def settings(stage: Stage) -> None:
    """Keep settings."""
    server = stage.server("kinto")
    me = stage.actor("client", server, "sync.phone.test", "aiohttp", {"Authorization": "Basic bWFlOm1hZQ=="})
    me.put("/v1/accounts/mae", {"data": {"password": "mae"}}, 201)
    me.put("/v1/buckets/phone", {}, 201, {"If-None-Match": "*"})
    me.put("/v1/buckets/phone/collections/settings", {}, 201, {"If-None-Match": "*"})
    base = "/v1/buckets/phone/collections/settings/records"
    for name in ("theme", "alarm", "home"):
        me.get(f"{base}/{name}", 404)
        made = me.put(f"{base}/{name}", {"data": {"value": 1}}, 201, {"If-None-Match": "*"})
        me.get(f"{base}/{name}", 304, {"If-None-Match": made.etag})
        new = me.send("PATCH", f"{base}/{name}", 200, {"If-Match": made.etag}, {"data": {"value": 2}})
        me.put(f"{base}/{name}", {"data": {"value": 3}}, 200, {"If-Match": new.etag})
    me.get(base)


@case(
    "b715",
    "pau-indexer-throttled",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "An indexer stores documents under the sequence numbers of its reads and is throttled once: 429 with "
        "Retry-After, nothing stored, and the same request (same numbers) is taken a second later."
    ),
)
def throttled(stage: Stage) -> None:
    """Be slowed down."""
    product = Elasticsearch({f"/ships/_doc/s{n}": {"name": f"Elbe {n}"} for n in range(1, 5)}, first=300)
    busy = [1]

    def slow(request: Request) -> Answer | None:
        if request.method == "PUT" and "/s3" in request.path and busy:
            busy.pop()
            error = {
                "type": "es_rejected_execution_exception",
                "reason": "rejected execution of coordinating operation",
            }
            return Answer(
                429, {"error": {"root_cause": [error], **error}, "status": 429}, {"Retry-After": "1"}
            )
        return None

    product.before.append(slow)
    server = place.api(stage, product, "Elasticsearch", "waitress")
    me = stage.actor("client", server, "search.port.test", "java", {"Authorization": "ApiKey fake"})
    place.beside(me, "l")
    for number in range(1, 5):
        path = f"/ships/_doc/s{number}"
        seen = me.get(path).json
        query = f"?if_seq_no={seen['_seq_no']}&if_primary_term=1"
        body = {"name": f"Elbe {number}", "draft": 3.0 + number / 10}
        if number == 3:
            me.put(path + query, body, 429)
            pause(1.0)
        me.put(path + query, body, 200)
    place.beside(me, "j")
    me.get("/ships/_doc/s9", 404)


@case(
    "b716",
    "pau-lock-tokens-in-a-chain",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A blocklist job updates an address set six times with the NextLockToken of each answer, and the office's set "
        "once with the token of a read."
    ),
)
def chain(stage: Stage) -> None:
    """Hand tokens on."""
    product = LockedRules({"blocked": {"Addresses": []}, "office": {"Addresses": ["198.51.100.7/32"]}})
    server = place.api(stage, product, "WAFv2", "uvicorn")
    scope = {"Scope": "REGIONAL", "Id": "a1b2"}
    me = Aws(stage, "client", fronts.envoy(stage, [server]), "wafv2")
    me.call("list_ip_sets", Scope="REGIONAL")
    token = me.call("get_ip_set", Name="blocked", **scope)["LockToken"]
    held: list[str] = []
    for number in range(6):
        held.append(f"203.0.113.{number}/32")
        token = me.call("update_ip_set", Name="blocked", **scope, Addresses=held, LockToken=token)[
            "NextLockToken"
        ]
        pause(0.1)
    token = me.call("get_ip_set", Name="office", **scope)["LockToken"]
    me.call("update_ip_set", Name="office", **scope, Addresses=["198.51.100.9/32"], LockToken=token)


@case(
    "b717",
    "pau-addressbook-in-step",
    "none",
    "healthy",
    alone="none",
    description=(
        "A phone keeps an address book on Radicale: discovery, a sync-collection report, two cards created under "
        "If-None-Match: *, one changed and one removed under If-Match, another report."
    ),
)
def book(stage: Stage) -> None:
    """Keep an address book."""
    server = stage.server("radicale")
    me = stage.actor(
        "client",
        server,
        "dav.mae.test",
        "httpx",
        {"Authorization": "Basic bWFlOm1hZQ==", "User-Agent": "DAVx5/4.4.5-ose"},
    )
    xml = {"Content-Type": "application/xml; charset=utf-8"}
    asked = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>'
    me.send("PROPFIND", "/", 207, {**xml, "Depth": "0"}, asked)
    made = '<?xml version="1.0"?><mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype><collection/><C:addressbook/></resourcetype></prop></set></mkcol>'
    me.send("MKCOL", "/mae/friends/", 201, xml, made)
    report = '<?xml version="1.0"?><sync-collection xmlns="DAV:"><sync-token>{}</sync-token><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>'
    told = me.send("REPORT", "/mae/friends/", 207, xml, report.format("")).text
    token = told.partition("sync-token>")[2].partition("<")[0]
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{0}\r\nFN:{1}\r\nEND:VCARD\r\n"
    kind = {"Content-Type": "text/vcard; charset=utf-8"}
    for uid in ("k1", "k2"):
        me.put(f"/mae/friends/{uid}.vcf", card.format(uid, uid.upper()), 201, {**kind, "If-None-Match": "*"})
    tag = me.get("/mae/friends/k1.vcf").etag
    me.put("/mae/friends/k1.vcf", card.format("k1", "Kim"), 204, {**kind, "If-Match": tag})
    me.send("DELETE", "/mae/friends/k2.vcf", 200, {"If-Match": me.get("/mae/friends/k2.vcf").etag})
    me.send("REPORT", "/mae/friends/", 207, xml, report.format(token))


@case(
    "b718",
    "pau-meter-rows-by-microsofts-library",
    "none",
    "healthy",
    alone="none",
    description=(
        "Microsoft's table library on Azurite: rows are created, read and updated under their weak, percent-encoded "
        "tags, which this API accepts in If-Match; one row is removed at the end."
    ),
)
def rows(stage: Stage) -> None:
    """Update rows under weak tags."""
    server = stage.server("azurite", table=True)
    port = stage.tap("client", server)
    tables = importlib.import_module("azure.data.tables")
    match = importlib.import_module("azure.core").MatchConditions.IfNotModified
    text = "AccountName=notes;AccountKey=ZXhhbXBsZQ==;DefaultEndpointsProtocol=http;TableEndpoint=http://table.meter.test/notes"
    route("table.meter.test", port)
    with patch("platform.platform", return_value="Linux-x86_64"):  # its name is sent along
        client = tables.TableClient.from_connection_string(text, "meters", retry_total=0)
        client.create_table()
        for name in ("m1", "m2"):
            client.create_entity({"PartitionKey": "north", "RowKey": name, "kwh": 10})
        for name in ("m1", "m2"):
            row = client.get_entity("north", name)
            row["kwh"] = 12
            client.update_entity(row, "replace", etag=row.metadata["etag"], match_condition=match)
        row = client.get_entity("north", "m2")
        client.delete_entity(row, etag=row.metadata["etag"], match_condition=match)


@case(
    "b719",
    "pau-keys-by-index",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "An agent keeps its keys in step: cas=0 for a new key (true), ?index= reads, cas of each read for its "
        "updates (true), and a 404 for a key that nobody has made."
    ),
)
def keys(stage: Stage) -> None:
    """Compare and set, with success."""
    base = "/v1/kv/agents/a7/"
    server = place.api(stage, Consul({base + "state": "idle"}, first=9100), "Consul", "wsgiref")
    me = stage.actor(
        "client", fronts.traefik(stage, [server]), "consul.yard.test", "requests", {"X-Consul-Token": "fake"}
    )
    place.beside(me, "s")
    me.get(base + "plan", 404)
    must(me.put(base + "plan?cas=0", "lift 12", 200).text == "true\n", "false")
    for state in ("busy", "idle") * 3:
        seen = me.get(base + "state").json[0]["ModifyIndex"]
        must(me.put(f"{base}state?cas={seen}", state, 200).text == "true\n", "false")
        me.get(f"{base}state?index={seen}&wait=1s")


@case(
    "b720",
    "pau-download-in-guarded-ranges",
    "none",
    "healthy",
    alone="none",
    description=(
        "Through Envoy a mirror reads an object of SeaweedFS in five ranges, each under If-Match of the HEAD before, "
        "finds another not modified (304), and a third missing (404); then it stores its own list."
    ),
)
def ranges(stage: Stage) -> None:
    """Read in parts what stays as it is."""
    server = stage.server("seaweedfs")
    setup = Aws(stage, "setup", server, "s3")
    setup.call("create_bucket", Bucket="mirror")
    setup.call("put_object", Bucket="mirror", Key="chart.bin", Body=bytes(range(65, 90)) * 40)
    stage.forget()
    me = stage.actor(
        "client",
        fronts.envoy(stage, [server]),
        "s3.mirror.test",
        "requests",
        {"User-Agent": "rclone/v1.68.1"},
    )
    tag = me.send("HEAD", "/mirror/chart.bin", 200).etag
    for start in range(0, 1000, 200):
        me.get("/mirror/chart.bin", 206, {"Range": f"bytes={start}-{start + 199}", "If-Match": tag})
    me.get("/mirror/chart.bin", 304, {"If-None-Match": tag})
    me.get("/mirror/none.bin", 404)
    me.put("/mirror/list.txt", "chart.bin\n", 200, {"If-None-Match": "*", "Content-Type": "text/plain"})


@case(
    "b721",
    "pau-rollout-by-merge-patches",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "kubectl looks for a deployment (404), makes it, patches it twice without a resourceVersion, as merge patches "
        "are, and replaces a config map with the version just read. Nobody else writes."
    ),
)
def rollout(stage: Stage) -> None:
    """Roll out alone."""
    base = "/apis/apps/v1/namespaces/yard/deployments"
    switch = "/api/v1/namespaces/yard/configmaps/switch"
    product = Kubernetes(
        {switch: {"kind": "ConfigMap", "metadata": {"name": "switch"}, "data": {"mode": "blue"}}}, first=4400
    )
    product.extra["GET /api"] = place.said({"kind": "APIVersions", "versions": ["v1"]})
    server = place.api(stage, product, "Kubernetes", "cheroot")
    me = stage.actor(
        "client", server, "kubernetes.yard.test", "curl", bearer("ops", **{"User-Agent": "kubectl/v1.31.2"})
    )
    place.beside(me, "j")
    me.get("/api")
    me.get(f"{base}/crane", 404)
    me.put(
        f"{base}/crane", {"kind": "Deployment", "metadata": {"name": "crane"}, "spec": {"replicas": 1}}, 201
    )
    for replicas in (2, 3):
        kind = {"Content-Type": "application/merge-patch+json"}
        me.send("PATCH", f"{base}/crane", 200, kind, place.dumped({"spec": {"replicas": replicas}}))
    seen = me.get(switch).json
    me.put(switch, {**seen, "data": {"mode": "green"}}, 200)
    me.get(f"{base}/crane")


@case(
    "b722",
    "pau-calendar-polled-with-weak-tags",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "nginx compresses a calendar's answers and makes their tags weak, and a display polls with just these in "
        "If-None-Match: 304, as is right. Its one change goes out under the member etag, which is strong: 200."
    ),
)
def calendar(stage: Stage) -> None:
    """Poll with weak tags and write with a strong one."""
    path = "/calendar/v3/calendars/hall/events/e81"
    product = Tagged("calendar", {path: {"summary": "Choir", "description": "Bring the blue folder. " * 9}})

    def compared(request: Request) -> Answer | None:
        known = request.fields.get("if-none-match", "")
        item = product.items[path]
        return Answer(304, b"", {"ETag": item.token}) if known.removeprefix("W/") == item.token else None

    product.before.append(compared)
    front = fronts.nginx_gzip(stage, place.api(stage, product, "Google Calendar", "tornado"))
    me = stage.actor("client", front, "calendar.googleapis.test", "requests", bearer("hall-display"))
    place.beside(me, "la")
    seen = me.get(path)
    must(seen.etag.startswith("W/"), "not weak")
    for _ in range(4):
        me.get(path, 304, {"If-None-Match": seen.etag})
        pause(0.2)
    place.beside(me, "t")
    me.send("PATCH", path, 200, {"If-Match": seen.json["etag"]}, {"location": "Hall 2"})
    me.get(path, 200, {"If-None-Match": seen.etag})


@case(
    "b723",
    "pau-editor-through-a-restart",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "An entry is created, saved, published and saved again with the right versions; in between the service is "
        "restarted behind HAProxy: two saves get 503 and have not been stored, the third, with the same version, is."
    ),
)
def restart(stage: Stage) -> None:
    """Try again what was not stored."""
    path = "/spaces/sp1/environments/master/entries/ferry"
    product = Contentful({}, first=1)
    down: list[int] = []

    def restarting(request: Request) -> Answer | None:
        if request.writes and down:
            down.pop()
            return Answer(503, {"sys": {"type": "Error", "id": "ServiceUnavailable"}}, {"Retry-After": "1"})
        return None

    product.before.append(restarting)
    front = fronts.haproxy(stage, [place.api(stage, product, "Contentful", "cheroot")])
    me = stage.actor("client", front, "api.contentful.test", "node:axios", bearer("editor"))
    place.beside(me, "l")
    kind = {"Content-Type": "application/vnd.contentful.management.v1+json"}

    def save(text: str, version: int, status: int) -> None:
        body = place.dumped({"fields": {"text": {"da": text}}})
        me.put(path, body, status, {**kind, "X-Contentful-Version": str(version)})

    me.put(path, place.dumped({"fields": {"text": {"da": "Færge"}}}), 201, kind)
    save("Færge 3", 1, 200)
    me.put(f"{path}/published", b"", 200, {"X-Contentful-Version": "2"})
    down += [1, 1]
    save("Færge 3, is", 3, 503)
    pause(0.5)
    place.beside(me, "t")
    must(me.get(path).json["sys"]["version"] == 3, "it was stored")
    save("Færge 3, is", 3, 503)
    pause(0.5)
    save("Færge 3, is", 3, 200)


@case(
    "b724",
    "pau-checkout-beside-a-cached-catalogue",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A shop's session through Varnish: products come from the store with Age and hits, the cart never does; five "
        "updates of the cart follow each other, each with the version of the answer before."
    ),
)
def checkout(stage: Stage) -> None:
    """Buy beside a cache."""
    path = "/shop/me/carts/5d21"
    product = Commercetools({path: {"lineItems": []}}, first=1)
    for number in range(1, 4):
        told = place.said(
            {"id": f"p{number}", "version": 8, "name": f"Tea {number}"}, Cache_Control="max-age=120"
        )
        product.extra[f"GET /shop/products/p{number}"] = told
    server = place.api(stage, product, "commercetools", "waitress")
    rules = 'sub vcl_recv { if (req.url ~ "/products/") { unset req.http.Authorization; } else { return (pass); } }'
    front = fronts.varnish(stage, server, rules)
    me = stage.actor("client", front, "api.shop.test", "httpx", bearer("anon-71"))
    version = me.get(path).json["version"]
    for number in (1, 2, 3, 1, 2):
        me.get(f"/shop/products/p{number}")
        action = {"action": "addLineItem", "sku": f"TEA-{number}", "quantity": 1}
        version = me.send("POST", path, 200, None, {"version": version, "actions": [action]}).json["version"]
        time.sleep(0.3)
    me.get(path)
