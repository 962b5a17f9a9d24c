"""Traffic in which nothing is wrong: polling, syncing, editing side by side, elections, downloads, pipelines."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import west_setting as place
from tools.recording_apis.stories.azure import Blobs
from tools.recording_apis.stories.objects import bucket


@case(
    "a984",
    "west-flag-sdk-polls-varnish-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two instances of a flag SDK poll two flags through Varnish: 200, then 304s, some from the cache "
        "(Age), none of them ever written."
    ),
)
def polling(stage: Stage) -> None:
    """Poll flags."""
    server = place.platform(stage, CACHE="public, max-age=2")
    front = fronts.varnish(stage, server)
    me = stage.actor("client", front, "flags.acme.test", "node:fetch", {"User-Agent": "flag-sdk-js/6.1.0"})
    other = stage.actor("other", front, "flags.acme.test", "java", {"User-Agent": "flag-sdk-java/4.9"})
    tags = {path: me.get(f"/{path}").etag for path in (place.FLAG, place.OTHER_FLAG)}
    for _ in range(4):
        for path, tag in tags.items():
            me.get(f"/{path}", 304, {"If-None-Match": tag})
        other.get(f"/{place.FLAG}")
        time.sleep(0.8)


@case(
    "a985",
    "west-kinto-two-way-sync-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "A client of Kinto pulls what changed, creates with If-None-Match: *, updates with the tag "
        "of the answer before, deletes with it, and pulls again; Ben works on a record of his own."
    ),
)
def kinto_sync(stage: Stage) -> None:
    """Sync both ways."""
    from tools.recording_apis.stories.records import anna, ben, furnished  # noqa: PLC0415 - one story's server

    server = furnished(stage, "sofa", "lamp", "desk")
    me, other = anna(stage, server, "aiohttp"), ben(stage, server)
    base = "/v1/buckets/team/collections/tasks/records"
    since = me.get(f"{base}?_sort=-last_modified").etag
    made = me.put(f"{base}/chair", {"data": {"title": "chair"}}, 201, {"If-None-Match": "*"})
    theirs = other.get(f"{base}/desk").etag
    second = me.put(f"{base}/chair", {"data": {"title": "chair", "done": True}}, 200, {"If-Match": made.etag})
    other.put(f"{base}/desk", {"data": {"title": "desk", "done": True}}, 200, {"If-Match": theirs})
    me.send("DELETE", f"{base}/chair", 200, {"If-Match": second.etag})
    me.get(f"{base}?_since={since.strip(chr(34))}")
    me.get(base, 200)


@case(
    "a986",
    "west-calendar-phone-day-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "A phone lists its calendar, fetches two events, creates one with If-None-Match: *, moves it with "
        "the tag of a read, deletes another with its tag and lists again."
    ),
)
def calendar(stage: Stage) -> None:
    """Keep a calendar."""
    from tools.recording_apis.stories.caldav import event, furnished, phone  # noqa: PLC0415 - one story's server

    server = furnished(stage, "dentist", "school")
    me = phone(stage, server, agent="iOS/26.1 dataaccessd/1.0")
    base, ics = "/anna/office/", {"Content-Type": "text/calendar; charset=utf-8"}
    listing = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    depth = {"Depth": "1", "Content-Type": "application/xml"}
    me.send("PROPFIND", base, 207, depth, listing)
    me.get(f"{base}dentist.ics")
    tag = me.get(f"{base}school.ics").etag
    me.put(f"{base}gym.ics", event("gym", "Gym"), 201, {**ics, "If-None-Match": "*"})
    fresh = me.get(f"{base}gym.ics").etag
    later = event("gym", "Gym (late)", "20261202T180000Z")
    me.put(f"{base}gym.ics", later, 204, {**ics, "If-Match": fresh})
    me.send("DELETE", f"{base}school.ics", 200, {"If-Match": tag})
    me.get(f"{base}school.ics", 404)
    me.send("PROPFIND", base, 207, depth, listing)


@case(
    "a987",
    "west-chunk-store-deduplicates-healthy",
    "none",
    "healthy",
    alone="none expected-control-flow exists-already",
    also="expected-control-flow",
    description=(
        "A backup puts chunks named by their checksum with If-None-Match: *; 412 tells that a chunk is "
        "there already and the backup goes on; in the end it writes its snapshot."
    ),
)
def chunks(stage: Stage) -> None:
    """Back up by chunks."""
    server = stage.server("moto")
    me = bucket(stage, server)
    seen: set[str] = set()
    names = []
    for text in ("boot", "etc", "home-1", "etc", "home-2", "boot", "var"):
        digest = hashlib.sha256(text.encode()).hexdigest()
        names.append(digest[:16])
        expect = 412 if digest in seen else 200
        seen.add(digest)
        body = f"chunk {text} ".encode() * 40
        me.call("put_object", expect, Bucket="data", Key=f"chunks/{digest}", Body=body, IfNoneMatch="*")
    snapshot = json.dumps({"host": "nas", "chunks": names})
    me.call("put_object", Bucket="data", Key="snapshots/2026-11-26", Body=snapshot)
    me.call("list_objects_v2", Bucket="data", Prefix="snapshots/")


@case(
    "a988",
    "west-service-registration-healthy",
    "none",
    "healthy",
    alone="none expected-control-flow",
    also="expected-control-flow",
    description=(
        "Two nodes keep a leader key in etcd: the follower tries to create it each second and is refused "
        "(412, errorCode 105), the leader refreshes its own; a configuration key is swapped on its index."
    ),
)
def registration(stage: Stage) -> None:
    """Keep a leader."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.acme.test", "httpx", {"User-Agent": "node-b"})
    other = stage.actor("other", server, "etcd.acme.test", "requests", {"User-Agent": "node-a"})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    leader = "/v2/keys/svc/billing/leader"
    other.put(f"{leader}?prevExist=false", "value=node-a&ttl=5", 201, form)
    made = me.put("/v2/keys/svc/billing/nodes/b", "value=10.0.0.2:8080", 201, form)
    index = made.json["node"]["modifiedIndex"]
    for _ in range(4):
        me.put(f"{leader}?prevExist=false", "value=node-b&ttl=5", 412, form)
        me.get(leader)
        other.put(f"{leader}?prevExist=true&prevValue=node-a", "ttl=5&refresh=true", 200, form)
        time.sleep(0.9)
    swapped = f"/v2/keys/svc/billing/nodes/b?prevIndex={index}"
    me.put(swapped, "value=10.0.0.2:8081", 200, form)
    me.get("/v2/keys/svc/billing/nodes?recursive=true")


@case(
    "a989",
    "west-two-editors-two-pages-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two colleagues edit at the same time, each a page of their own, each save with the tag of their "
        "last read or answer."
    ),
)
def side_by_side(stage: Stage) -> None:
    """Edit side by side."""
    server = place.platform(stage)
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "wiki.acme.test", "requests")
    other = stage.actor("other", front, "wiki.acme.test", "httpx")
    place.stroll(me, "wiki", 6)
    mine, theirs = place.login(me, "hedda"), place.login(other, "tomas")
    tag = me.get(f"/{place.PAGE}", 200, mine).etag
    tag_two = other.get(f"/{place.RUNBOOK}", 200, theirs).etag
    for number in range(1, 4):
        body = place.page(body=f"Page the secondary after {number * 5} minutes.")
        tag = me.put(f"/{place.PAGE}", body, 200, {**mine, "If-Match": tag}).etag
        more = place.page(place.RUNBOOK, body=f"Scale the consumers first. Step {number}.")
        tag_two = other.put(f"/{place.RUNBOOK}", more, 200, {**theirs, "If-Match": tag_two}).etag
    me.get("/wiki/spaces/OPS/pages?limit=25&orderBy=-modified", 200, mine)
    me.get(f"/{place.RUNBOOK}", 200, mine)


@case(
    "a990",
    "west-refused-once-then-rebased",
    "none",
    "recovered",
    alone="none other-writer",
    also="other-writer",
    description=(
        "A project's budget is changed by Mara; Ivo's client is refused once, reads, puts its own member "
        "on top of the new version and saves: both changes are there at the end."
    ),
)
def rebased(stage: Stage) -> None:
    """Be refused, rebase, save."""
    server = place.platform(stage)
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, "api.acme.test", "node:axios", {**place.JSONAPI, "X-Actor": "ivo"})
    other = stage.actor("other", front, "api.acme.test", "aiohttp", {**place.JSONAPI, "X-Actor": "mara"})
    path = f"/{place.PROJECT}"
    place.stroll(me, "api", 8)
    tag = me.get(path).etag
    theirs = other.get(path).etag
    other.put(path, place.project(budget=53000), 200, {"If-Match": theirs})
    me.put(path, place.project(status="done"), 412, {"If-Match": tag})
    fresh = me.get(path)
    attributes = {**place.member(fresh, "data", "attributes"), "status": "done"}
    body = {"data": {"type": "projects", "id": "atlas", "attributes": attributes}}
    me.put(path, body, 200, {"If-Match": fresh.etag})
    me.get(path)
    other.get(path)


@case(
    "a991",
    "west-crawler-meets-404-and-redirects-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "A link checker reads pages and lists, meets 404s, a folder's redirect and 304s on its second "
        "round; it writes nothing."
    ),
)
def crawler(stage: Stage) -> None:
    """Check links."""
    files = {
        "index.html": "<a href='docs'>docs</a><a href='gone.html'>old</a>\n",
        "docs/index.html": "<h1>Docs</h1><a href='/docs/api.json'>api</a>\n",
        "docs/api.json": '{"openapi":"3.1.0"}\n',
    }
    server = fronts.site(stage, "apache2", files, "LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so")
    me = stage.actor("client", server, "www.acme.test", "requests", {"User-Agent": "linkcheck/10.6"})
    tags = {path: me.get(path).etag for path in ("/index.html", "/docs/index.html", "/docs/api.json")}
    me.get("/docs", 301)
    me.get("/gone.html", 404)
    me.send("HEAD", "/docs/api.json", 200)
    for path, tag in tags.items():
        me.get(path, 304, {"If-None-Match": tag})
    me.get("/gone.html?retry=1", 404)


@case(
    "a992",
    "west-image-download-in-ranges-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "An installer asks by HEAD, fetches an image in ranges with If-Range and If-Match, breaks off, goes "
        "on later: it is the same file all the time."
    ),
)
def image(stage: Stage) -> None:
    """Download in ranges."""
    files: dict[str, str | bytes] = {
        "images/core-26.img": b"\x7fIMG" + b"sector-data " * 700,
        "images/core-26.sig": "ed25519 9c1f\n",
    }
    server = fronts.site(stage, "nginx", files, age=86400.0)
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "dl.acme.test", "httpx", {"User-Agent": "image-fetch/3"})
    path = "/images/core-26.img"
    head = me.send("HEAD", path, 200)
    for start in (0, 2000):
        me.get(path, 206, {"Range": f"bytes={start}-{start + 1999}", "If-Match": head.etag})
    me.get("/images/core-26.sig")
    time.sleep(1.2)
    for start in (4000, 6000):
        me.get(path, 206, {"Range": f"bytes={start}-{start + 1999}", "If-Range": head.etag})
    me.get(path, 304, {"If-None-Match": head.etag})


@case(
    "a993",
    "west-report-pages-through-projects-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "A reporting job pages through the projects and their milestones after signing in, creates a "
        "project by POST, amends it with its tag, and removes it again."
    ),
)
def report(stage: Stage) -> None:
    """Page through a list."""
    server = place.platform(stage)
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "api.acme.test", "urllib", dict(place.JSONAPI))
    cookie = place.login(me, "report-bot")
    for offset in (0, 1, 2):
        me.get(f"/api/v3/projects?limit=1&offset={offset}&sort=name", 200, cookie)
    me.get("/api/v3/milestones?limit=50", 200, cookie)
    attributes = {"name": "Scratch", "status": "draft", "owner": "report-bot", "budget": 0, "tags": []}
    made = me.send(
        "POST", "/api/v3/projects", 201, cookie, {"data": {"type": "projects", "attributes": attributes}}
    )
    where = made.fields["location"]
    change = {"data": {"type": "projects", "attributes": {"status": "report"}}}
    tag = me.send("PATCH", where, 200, {**cookie, "If-Match": made.etag}, change).etag
    me.get(where, 304, {**cookie, "If-None-Match": tag})
    me.send("DELETE", where, 204, {**cookie, "If-Match": tag})
    me.get(where, 404, cookie)


@case(
    "a994",
    "west-blob-sdk-uploads-and-reads-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "Azure's library uploads a blob that must not exist, replaces it with the tag it has read, reads "
        "it, holds a lease for one more save and releases it."
    ),
)
def blobs(stage: Stage) -> None:
    """Use blobs by library."""
    server = stage.server("azurite")
    setup = Blobs(stage, "setup", server)
    setup.container()
    stage.forget()
    del stage.taps["setup"]
    me = Blobs(stage, "client", server)
    name = "invoices/2026-11.json"
    me.on(lambda one: one.upload_blob(b'{"open":3}', overwrite=False), blob=name)
    me.write('{"open":2}', me.tag(name), blob=name)
    me.on(lambda one: one.download_blob().readall(), blob=name)
    lease = me.on(lambda one: one.acquire_lease(30), blob=name)
    me.on(lambda one: one.upload_blob(b'{"open":1}', overwrite=True, lease=lease), blob=name)
    me.on(lambda _: lease.release(), blob=name)
    me.on(lambda one: one.download_blob().readall(), blob=name)


@case(
    "a995",
    "west-compressed-reads-plain-saves-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "Behind a compressing nginx a client polls with the weak tag (304) and saves with the strong one "
        "of its identity reads and own answers."
    ),
)
def compressed(stage: Stage) -> None:
    """Poll compressed, save plain."""
    server = place.platform(stage)
    front = fronts.nginx_gzip(stage, server)
    me = stage.actor("client", front, "wiki.acme.test", "aiohttp", {"X-Actor": "noor"})
    plain = {"Accept-Encoding": "identity"}
    weak = me.get(f"/{place.PAGE}").etag
    place.require(weak.startswith("W/"), "not weak")
    me.get(f"/{place.PAGE}", 304, {"If-None-Match": weak})
    tag = me.get(f"/{place.PAGE}", 200, plain).etag
    body = place.page(labels=["sre", "night"])
    tag = me.put(f"/{place.PAGE}", body, 200, {**plain, "If-Match": tag}).etag
    me.put(f"/{place.PAGE}", place.page(labels=["sre"]), 200, {**plain, "If-Match": tag})
    me.get(f"/{place.PAGE}", 200, {"If-None-Match": weak})
    me.get(f"/{place.RUNBOOK}")


@case(
    "a996",
    "west-two-pods-one-database-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two pods behind HAProxy in turns (X-Served-By) give the same tags, since they are made of the "
        "stored version: reads, 304s and saves go through whichever pod they meet."
    ),
)
def pods(stage: Stage) -> None:
    """Meet both pods."""
    one, two = place.pair(stage, {"NODE": "api-a"}, {"NODE": "api-b"})
    front = fronts.haproxy(stage, [one, two])
    me = stage.actor("client", front, "flags.acme.test", "java", {"X-Actor": "wen"})
    tag = me.get(f"/{place.FLAG}").etag
    for rollout in (20, 40, 60):
        me.get(f"/{place.FLAG}", 304, {"If-None-Match": tag})
        tag = me.put(f"/{place.FLAG}", place.flag(on=True, rollout=rollout), 200, {"If-Match": tag}).etag
    me.get(f"/{place.OTHER_FLAG}")
    me.get("/flags/web/production?limit=50")


@case(
    "a997",
    "west-cart-versions-in-the-content-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "A shopper fills a cart whose version travels in the content, each request naming the version of "
        "the answer before, and orders."
    ),
)
def cart(stage: Stage) -> None:
    """Fill a cart."""
    server = place.checkout(stage)
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "shop.acme.test", "node:fetch", {"X-User": "cu-301"})
    me.get("/catalog/products?q=lamp")
    one = me.send("POST", "/carts", 201, None, {"customerId": "cu-301"}).json
    address = {"city": "Aveiro", "country": "PT"}
    for action in (
        {"action": "addLineItem", "sku": "sku-8841"},
        {"action": "addLineItem", "sku": "sku-8850", "quantity": 2},
        {"action": "setShippingAddress", "address": address},
    ):
        body = {"version": one["version"], "actions": [action]}
        one = me.send("POST", f"/carts/{one['id']}", 200, None, body).json
        me.get("/catalog/products?q=bag")
    me.get(f"/carts/{one['id']}")
    me.send("POST", "/orders", 201, None, {"cart": one["id"], "total": 87.9})


@case(
    "a998",
    "west-patient-record-versions-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "A ward reads a patient, saves twice with the version id of the answer before (weak tags, which "
        "this service accepts), the pharmacy writes another record, the ward polls: 304, then 200."
    ),
)
def patient(stage: Stage) -> None:
    """Keep a patient's record."""
    server = place.platform(stage, LOOSE="1")
    me = stage.actor("client", server, "ehr.hospital.test", "curl", {**place.FHIR, "X-Actor": "ward-4b"})
    other = stage.actor("other", server, "ehr.hospital.test", "httpx", {**place.FHIR, "X-Actor": "pharmacy"})
    path: str = f"/{place.PATIENT}"
    place.stroll(me, "fhir", 7)
    tag = me.get(path).etag
    phone = [{"system": "phone", "value": "+47 555 0155"}]
    tag = me.put(path, place.patient(telecom=phone), 200, {"If-Match": tag}).etag
    theirs = other.get(f"/{place.MEDICATION}").etag
    dose: dict[str, Any] = {"status": "active", "intent": "order", "dosage": "7.5 mg daily"}
    other.put(f"/{place.MEDICATION}", dose, 200, {"If-Match": theirs})
    tag = me.put(path, place.patient(telecom=phone, active=False), 200, {"If-Match": tag}).etag
    me.get(path, 304, {"If-None-Match": tag})
    me.get(f"/{place.MEDICATION}")
    me.get(path, 304, {"If-None-Match": tag})


@case(
    "a999",
    "west-image-push-and-pull-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "A builder pushes two layers and a manifest to a container registry (HEAD 404, POST, PUT), a "
        "second push finds them there, a pull is answered 304 the second time."
    ),
)
def registry(stage: Stage) -> None:
    """Push and pull an image."""
    server = stage.server("docker-registry")
    me = stage.actor("client", server, "registry.acme.test", "requests", {"User-Agent": "buildkit/0.25"})
    layers = []
    for content in (b'{"architecture":"arm64","os":"linux"}', b"layer " * 300):
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        me.send("HEAD", f"/v2/shop/api/blobs/{digest}", 404)
        place_to = me.send("POST", "/v2/shop/api/blobs/uploads/", 202).fields["location"]
        target = f"/{place_to.split('/', 3)[3]}" if place_to.startswith("http") else place_to
        binary = {"Content-Type": "application/octet-stream"}
        me.put(f"{target}&digest={digest}", content, 201, binary)
        layers.append({"mediaType": "application/octet-stream", "size": len(content), "digest": digest})
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    config = {**layers[0], "mediaType": "application/vnd.docker.container.image.v1+json"}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers[1:]})
    me.put("/v2/shop/api/manifests/1.4.0", manifest, 201, {"Content-Type": kind})
    for one in layers:
        me.send("HEAD", f"/v2/shop/api/blobs/{one['digest']}", 200)
    tag = me.get("/v2/shop/api/manifests/1.4.0", 200, {"Accept": kind}).etag
    me.get("/v2/shop/api/manifests/1.4.0", 304, {"Accept": kind, "If-None-Match": tag})
