"""What stands in front of an interface: compressors, header rules, caches, replicas, nodes that disagree."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import west_setting as place


@case(
    "a936",
    "west-apache-deflate-suffix",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache compresses the flag service's answers and appends -gzip to the tag; the service does not "
        "know the tag that comes back. Without compression the tag is bare and the save passes."
    ),
)
def deflate(stage: Stage) -> None:
    """Send a tag with a suffix back."""
    server = place.platform(stage, TAG="uuid")
    front = fronts.apache(stage, server, "SetOutputFilter DEFLATE")
    me = stage.actor("client", front, "flags.acme.test", "requests", {"X-Actor": "wen"})
    place.stroll(me, "flags", 3)
    me.get("/flags/web/production?limit=50&sort=name&filter=tag:checkout")
    tag = me.get(f"/{place.FLAG}").etag
    place.require("-gzip" in tag, f"no suffix: {tag}")
    me.put(f"/{place.FLAG}", place.flag(rollout=35), 412, {"If-Match": tag})
    again = me.get(f"/{place.FLAG}").etag
    me.put(f"/{place.FLAG}", place.flag(rollout=35), 412, {"If-Match": again})
    plain = me.get(f"/{place.FLAG}", 200, {"Accept-Encoding": "identity"}).etag
    me.put(f"/{place.FLAG}", place.flag(rollout=35), 200, {"If-Match": plain})


@case(
    "a937",
    "west-caddy-encode-suffix",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Caddy's encode adds its suffix to a page's tag for a browser that takes gzip; polling gets 304, "
        "but the save with that tag is refused by the wiki."
    ),
)
def encode(stage: Stage) -> None:
    """Poll and save through Caddy."""
    server = place.platform(stage)
    front = fronts.caddy(stage, server, " encode {\n  gzip\n  minimum_length 32\n }")
    me = stage.actor("client", front, "wiki.acme.test", "node:fetch", {"Accept-Encoding": "gzip"})
    place.stroll(me, "wiki", 3)
    cookie = place.login(me, "tomas")
    tag = me.get(f"/{place.PAGE}", 200, cookie).etag
    place.require("-gzip" in tag, f"no suffix: {tag}")
    me.get(f"/{place.RUNBOOK}", 200, cookie)
    me.get(f"/{place.PAGE}", 304, {**cookie, "If-None-Match": tag})
    body = place.page(body="Page the secondary after 15 minutes.")
    me.put(f"/{place.PAGE}", body, 412, {**cookie, "If-Match": tag})
    me.get(f"/{place.PAGE}", 200, cookie)
    me.get(f"/{place.PAGE}", 200, {**cookie, "Accept-Encoding": "identity"})


@case(
    "a938",
    "west-nginx-gzip-weakens",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "nginx compresses a page and makes its tag weak; If-Match compares strongly, so the save is "
        "refused. The identity read has the same tag without W/, and with that the save passes."
    ),
)
def weakened(stage: Stage) -> None:
    """Send a weakened tag."""
    server = place.platform(stage)
    front = fronts.nginx_gzip(stage, server)
    me = stage.actor(
        "client", front, "wiki.acme.test", "httpx", {"User-Agent": "python-httpx/0.28 notion-sync"}
    )
    place.stroll(me, "wiki", 5)
    cookie = place.login(me, "sigrid")
    me.get("/wiki/spaces/OPS/pages?limit=25", 200, cookie)
    tag = me.get(f"/{place.RUNBOOK}", 200, cookie).etag
    place.require(tag.startswith("W/"), f"not weak: {tag}")
    body = place.page(place.RUNBOOK, labels=["sre", "queues", "kafka"])
    me.put(f"/{place.RUNBOOK}", body, 412, {**cookie, "If-Match": tag})
    strong = me.get(f"/{place.RUNBOOK}", 200, {**cookie, "Accept-Encoding": "identity"}).etag
    me.put(f"/{place.RUNBOOK}", body, 200, {**cookie, "If-Match": strong})


@case(
    "a939",
    "west-varnish-gzip-weakens-for-all",
    "etag-weakened",
    "412",
    alone="etag-weakened weak-only-origin",
    description=(
        "Varnish stores answers compressed (do_gzip) and so weakens the tag for everybody; the origin, as "
        "the file before it shows, has the strong one and compares with it."
    ),
)
def do_gzip(stage: Stage) -> None:
    """Write through Varnish with a weakened tag."""
    server = place.platform(stage, CACHE="no-cache")
    rules = "sub vcl_backend_response { set beresp.do_gzip = true; }"
    front = fronts.varnish(stage, server, rules)
    me = stage.actor("client", front, "config.acme.test", "curl", {**place.YAML, "X-Actor": "release-ci"})
    place.stroll(me, "config", 2)
    me.get("/telemetry/pulse", 204)
    tag = me.get(f"/{place.GATEWAY}").etag
    place.require(tag.startswith("W/"), f"not weak: {tag}")
    me.put(f"/{place.GATEWAY}", place.gateway(), 412, {"If-Match": tag})
    me.get(f"/{place.GATEWAY}")
    me.put(f"/{place.GATEWAY}", place.gateway(), 412, {"If-Match": tag})


@case(
    "a940",
    "west-haproxy-deletes-if-match",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "A gateway rule deletes If-Match: the client's outdated save is stored over the colleague's. The "
        "colleague, who goes to the origin directly, is refused there with such a tag."
    ),
)
def deleted(stage: Stage) -> None:
    """Lose the condition on the way."""
    server = place.platform(stage)
    front = fronts.haproxy(stage, [server], frontend=" http-request del-header If-Match")
    me = stage.actor("client", front, "api.acme.test", "java", {**place.JSONAPI, "X-Actor": "ivo"})
    other = stage.actor("other", server, "api.acme.test", "httpx", {**place.JSONAPI, "X-Actor": "mara"})
    path = f"/{place.PROJECT}"
    place.stroll(me, "api", 4)
    tag = me.get(path).etag
    me.get("/api/v3/milestones?page%5Bsize%5D=10")
    old = other.get(path).etag
    other.put(path, place.project(budget=70000), 200, {"If-Match": old})
    time.sleep(0.6)
    me.put(path, place.project(owner="ivo"), 200, {"If-Match": tag})
    me.get(path)
    other.put(path, place.project(budget=71000), 412, {"If-Match": old})
    other.get(path)


@case(
    "a941",
    "west-nginx-blanks-create-guard",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "nginx is set to blank If-None-Match before the service (to spare it 304s): the create-only PUT "
        "of a flag overwrites one that is there (200 where 201 or 412 is due); the origin never sees the "
        "guard. Asked directly it refuses."
    ),
)
def blanked(stage: Stage) -> None:
    """Create only, and overwrite."""
    server = place.platform(stage)
    front = fronts.nginx(stage, server, 'proxy_set_header If-None-Match "";')
    me = stage.actor("client", front, "flags.acme.test", "node:axios", {"X-Actor": "bootstrap-job"})
    other = stage.actor("other", server, "flags.acme.test", "curl", {"X-Actor": "lou"})
    place.stroll(me, "flags", 4)
    me.get("/-/ready")
    me.put("/flags/web/production/beta-banner", place.flag(rollout=0), 201, {"If-None-Match": "*"})
    me.put(f"/{place.OTHER_FLAG}", place.flag(rollout=0), 200, {"If-None-Match": "*"})
    me.get(f"/{place.OTHER_FLAG}")
    other.put(f"/{place.OTHER_FLAG}", place.flag(place.OTHER_FLAG), 412, {"If-None-Match": "*"})
    other.get(f"/{place.OTHER_FLAG}")


@case(
    "a942",
    "west-nginx-cache-serves-old-flag",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "nginx stores reads for a minute: after the own save the next read (X-Cache-Status: HIT) has the "
        "tag from before it, and the save with that is refused. A read past the cache shows the newer one."
    ),
)
def nginx_hit(stage: Stage) -> None:
    """Read from a store that a write does not touch."""
    server = place.platform(stage, CACHE="public, max-age=60")
    front = fronts.nginx_cache(stage, server, 60, "add_header X-Cache-Status $upstream_cache_status always;")
    me = stage.actor("client", front, "flags.acme.test", "aiohttp", {"X-Actor": "wen"})
    place.stroll(me, "flags", 3)
    tag = me.get(f"/{place.FLAG}").etag
    me.get(f"/{place.OTHER_FLAG}")
    me.put(f"/{place.FLAG}", place.flag(on=True), 200, {"If-Match": tag})
    time.sleep(1.1)
    old = me.get(f"/{place.FLAG}").etag
    me.put(f"/{place.FLAG}", place.flag(on=True, rollout=60), 412, {"If-Match": old})
    me.get(f"/{place.FLAG}")
    me.get(f"/{place.FLAG}?cb=1764183302")


@case(
    "a943",
    "west-varnish-handbook-copy",
    "stale-cache-read",
    "412",
    alone="stale-cache-read other-writer",
    also="other-writer",
    description=(
        "Tomas saves a page; some seconds later Hedda opens it and gets Varnish's copy from before "
        "(Age > 0): she starts from an old version and is refused, though nobody wrote after her read."
    ),
)
def varnish_copy(stage: Stage) -> None:
    """Open a page from the cache."""
    server = place.platform(stage, CACHE="public, max-age=120")
    front = fronts.varnish(stage, server)
    me = stage.actor("client", front, "wiki.acme.test", "httpx", {"X-Actor": "hedda"})
    other = stage.actor("other", front, "wiki.acme.test", "requests", {"X-Actor": "tomas"})
    seen = other.get(f"/{place.PAGE}")
    body = place.page(title="On-call handbook 2027")
    other.put(f"/{place.PAGE}", body, 200, {"If-Match": seen.etag})
    time.sleep(2.2)
    place.stroll(me, "wiki", 3)
    me.get(f"/{place.RUNBOOK}")
    old = me.get(f"/{place.PAGE}")
    place.require(int(old.fields["age"]) > 0, "not from the cache")
    me.put(f"/{place.PAGE}", place.page(labels=["sre", "pager"]), 412, {"If-Match": old.etag})
    me.get(f"/{place.PAGE}", 200, {"Cache-Control": "no-cache"})
    me.get(f"/{place.PAGE}?nocache=8837", 200)


@case(
    "a944",
    "west-reads-go-to-a-replica",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "HAProxy sends GETs to a replica some seconds behind (X-Served-By): the read after the own save "
        "brings the old version, the save with its tag is refused by the primary; later the replica is up "
        "to date and the save passes."
    ),
)
def replica(stage: Stage) -> None:
    """Read behind the own write."""
    one, two = place.pair(stage, {"NODE": "pg-primary"}, {"NODE": "pg-replica-b", "LAG": "2.4"})
    front = fronts.split(stage, one, two)
    me = stage.actor("client", front, "api.acme.test", "httpx", {**place.JSONAPI, "X-Actor": "rui"})
    path = f"/{place.MILESTONE}"
    place.stroll(me, "api", 2)
    tag = me.get(path).etag
    me.get("/api/v3/projects?page%5Bsize%5D=10")
    attributes = {"title": "Beta", "due": "2027-01-15", "project": "atlas", "state": "open"}
    body = {"data": {"type": "milestones", "id": "m-17", "attributes": attributes}}
    me.put(path, body, 200, {"If-Match": tag})
    old = me.get(path).etag
    place.require(old == tag, "the replica is not behind")
    attributes["title"] = "Beta 2"
    me.put(path, body, 412, {"If-Match": old})
    time.sleep(2.8)
    fresh = me.get(path).etag
    me.put(path, body, 200, {"If-Match": fresh})


@case(
    "a945",
    "west-health-record-read-behind",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "A health record's read side follows the write side by more than a second: two reads after the "
        "own write show the versionId before it, the save with that is refused, a later read has caught up."
    ),
)
def behind(stage: Stage) -> None:
    """Read a version too old."""
    server = place.platform(stage, LOOSE="1", LAG="1.7")
    front = fronts.traefik(stage, [server])
    me = stage.actor(
        "client", front, "ehr.hospital.test", "node:axios", {**place.FHIR, "X-Actor": "pharmacy"}
    )
    path = f"/{place.MEDICATION}"
    base = {"resourceType": "MedicationRequest", "id": "mr-88", "status": "active", "intent": "order"}
    place.stroll(me, "fhir", 2)
    tag = me.get(path).etag
    me.get(f"/{place.PATIENT}")
    me.put(path, {**base, "dosage": "10 mg daily"}, 200, {"If-Match": tag})
    me.get(path)
    old = me.get(path).etag
    me.put(path, {**base, "dosage": "10 mg daily", "note": "with food"}, 412, {"If-Match": old})
    time.sleep(2.0)
    me.get(path)


@case(
    "a946",
    "west-envoy-nodes-salt-their-tags",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two pods behind Envoy make tags with a salt of their own (X-Served-By): each save meets the pod "
        "that did not give the tag and is refused; content and version number never change."
    ),
)
def salted(stage: Stage) -> None:
    """Meet the other pod."""
    one, two = place.pair(
        stage, {"NODE": "api-7d9f-x2k", "TAG": "node"}, {"NODE": "api-7d9f-q8m", "TAG": "node"}
    )
    front = fronts.envoy(stage, [one, two])
    me = stage.actor("client", front, "flags.acme.test", "requests", {"X-Actor": "wen"})
    tags = set()
    for rollout in (15, 15, 20):
        tag = me.get(f"/{place.FLAG}").etag
        tags.add(tag)
        me.put(f"/{place.FLAG}", place.flag(rollout=rollout), 412, {"If-Match": tag})
    for _ in range(3):
        tags.add(me.get(f"/{place.FLAG}").etag)
    place.require(len(tags) == 2, f"tags {tags}")


@case(
    "a947",
    "west-mirrors-with-their-own-mtime",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends read-changed-mid-transfer",
    description=(
        "Two Apache mirrors behind HAProxy were filled at different times, their tags hold the file's "
        "mtime: a ranged download with If-Match is refused by every second answer, the bytes being equal."
    ),
)
def mirrors(stage: Stage) -> None:
    """Download from two mirrors in turns."""
    text = "".join(f"{number:05d} libacme-{number % 9} 1.{number % 7}.0\n" for number in range(300))
    files = {"pool/Packages.txt": text}
    one = fronts.site(stage, "apache2", files, 'Header set X-Mirror "fra-1"', age=7200)
    two = fronts.site(stage, "apache2", files, 'Header set X-Mirror "ams-2"', age=9411)
    front = fronts.haproxy(stage, [one, two])
    me = stage.actor("client", front, "mirror.acme.test", "urllib", {"User-Agent": "apt-like/2.6"})
    path = "/pool/Packages.txt"
    tag = me.get(path, 200).etag
    me.get(path, 412, {"Range": "bytes=0-1999", "If-Match": tag})
    me.get(path, 206, {"Range": "bytes=0-1999", "If-Match": tag})
    me.get(path, 412, {"Range": "bytes=2000-3999", "If-Match": tag})
    me.get(path, 206, {"Range": "bytes=2000-3999", "If-Match": tag})
    me.get(path, 200, {"If-None-Match": tag})
    me.get(path, 304, {"If-None-Match": tag})
