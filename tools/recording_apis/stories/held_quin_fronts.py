"""Stories of fleets behind real gateways, caches and web servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.actors import Actor
from tools.recording_apis.apps.quin_suites import Notes, Spring
from tools.recording_apis.apps.vic_core import Box, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_quin_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.apps.vic_core import Doc
    from tools.recording_apis.stage import Stage


@case(
    "b902",
    "quin-shopping-note-after-restart",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    synthetic=True,
    description=(
        "A notes app behind a Varnish that stores reads for a minute saves a note, is restarted and reads it again: a "
        "hit with Age and the tag from before its own save; the next save with it is 412; a read with no-cache "
        "goes through, has the newer tag, and with that the save passes."
    ),
)
def restart(stage: Stage) -> None:
    """Take a tag from a cache."""
    notes = {
        str(n): {"title": f"Liste {n}", "content": "- lait\n- pain", "category": "courses"} for n in (8, 9)
    }
    origin = place.open_box(stage, Notes(notes), "waitress", "Nextcloud Notes")
    vcl = (
        'sub vcl_recv { if (req.method != "GET" || req.http.Cache-Control ~ "no-cache") { return (pass); }\n'
        " return (hash); }\nsub vcl_backend_response { set beresp.ttl = 60s; }\n"
        'sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; } }'
    )
    edge = fronts.varnish(stage, origin, vcl)
    fields = {"Authorization": "Basic bGVvOnBhc3M=", "User-Agent": "Nextcloud-Notes/5.0 (iPhone)"}
    me = stage.actor("client", edge, "nuage.colocation.example", "httpx", fields)
    me.get("/index.php/apps/notes/api/v1/settings")
    me.get(Notes.base)
    path = f"{Notes.base}/9"
    seen = me.get(path)
    told = me.put(path, {"content": "- lait\n- pain\n- thé"}, 200, {"If-Match": seen.etag})
    place.rest(2.2)
    me.get("/index.php/apps/notes/api/v1/settings")
    again = me.get(path)
    place.sure(again.etag == seen.etag and int(again.fields["age"]) > 1)
    me.put(path, {"content": "- lait\n- pain\n- thé\n- riz"}, 412, {"If-Match": again.etag})
    place.rest(0.4)
    fresh = me.get(path, 200, {"Cache-Control": "no-cache"})
    place.sure(fresh.etag == told.etag)
    me.put(path, {"content": "- lait\n- pain\n- thé\n- riz"}, 200, {"If-Match": fresh.etag})


def _firmware(builds: dict[str, str]) -> Any:
    def answer(req: Req) -> Res:
        name = req.path.rsplit("/", 1)[1]
        if req.path.startswith("/channels/"):
            shown = {"channel": name, "file": "/images/gw-500.img", "etag": f'"{builds["now"]}"'}
            return Res(200, shown, {"Cache-Control": "no-store", "Content-Type": "application/json"})
        if req.method == "POST":
            return Res(204)
        tag = f'"{builds["now"]}"'
        fields = {"ETag": tag, "Cache-Control": "max-age=600", "Content-Type": "application/octet-stream"}
        if req.fields.get("if-match") not in (None, tag):
            return Res(412, b"", {"ETag": tag, "Cache-Control": "no-store"})
        return Res(200, builds["now"].encode() * 120, fields)

    return answer


@case(
    "b903",
    "quin-gateway-image-pinned-by-tag",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates",
    description=(
        "Gateways fetch an image pinned by If-Match to the tag that the channel names. The cache of nginx still holds the "
        "image before, answers 412 by itself with X-Cache HIT, and asks the origin nothing; the same request with "
        "no-cache is 200 with exactly that tag."
    ),
)
def image(stage: Stage) -> None:
    """Let a cache judge a condition by an old copy."""
    builds = {"now": "500-7f31ab"}
    origin = place.open_box(stage, _firmware(builds), "cheroot")
    lines = "proxy_cache_bypass $http_cache_control; add_header X-Cache $upstream_cache_status always;"
    edge = fronts.nginx_cache(stage, origin, 600, lines)
    me = stage.actor(
        "client", edge, "updates.gateways.example", "urllib", {"User-Agent": "gw-updater/3.8 unit-0412"}
    )
    channel = me.get("/channels/stable").json
    got = me.get(channel["file"], 200, {"If-Match": channel["etag"]})
    me.send("POST", "/reports/unit-0412", 204, None, {"image": got.etag, "state": "installed"})
    place.rest(0.6)
    me.get(channel["file"])
    builds["now"] = "501-02c9de"
    place.rest(1.3)
    channel = me.get("/channels/stable").json
    for _attempt in range(2):
        got = me.get(channel["file"], 412, {"If-Match": channel["etag"]})
        place.sure("HIT" in got.fields.get("x-cache", ""), got.fields)
        place.rest(0.7)
        me.send("POST", "/reports/unit-0412", 204, None, {"image": channel["etag"], "state": "failed"})
    got = me.get(channel["file"], 200, {"If-Match": channel["etag"], "Cache-Control": "no-cache"})
    place.sure(got.etag == channel["etag"])
    me.send("POST", "/reports/unit-0412", 204, None, {"image": got.etag, "state": "installed"})


def _revised(_path: str, doc: Doc) -> str:
    return f'"{doc.rev:03}.{doc.digest()[:6]}"'


@case(
    "b904",
    "quin-pipeline-on-the-old-address",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "A pipeline puts limits of queues to an address that nginx redirects with 302; the client follows by GET, "
        "without content, and takes the 200 for success. The drift check afterwards shows the old limits."
    ),
)
def pipeline(stage: Stage) -> None:
    """Follow a redirect that makes a PUT a GET."""
    docs = {f"/v2/queues/{n}": {"queue": n, "limit": 500, "ttl": 60} for n in ("mail", "push", "fax")}
    origin = place.open_box(stage, Box(docs, _revised, need=428), "starlette")
    block = "location /v1/ { absolute_redirect off; rewrite ^/v1/(.*)$ /v2/$1 redirect; }"
    edge = fronts.nginx(stage, origin, block=block)
    me = stage.actor(
        "client",
        edge,
        "broker.intern.example",
        "requests:follow",
        {"Authorization": "Bearer ci", "User-Agent": "queuectl/0.9 (job 5512)"},
    )
    me.get("/healthz")
    for queue in ("mail", "push"):
        seen = me.get(f"/v2/queues/{queue}")
        told = me.put(f"/v1/queues/{queue}", {**seen.json, "limit": 900}, 200, {"If-Match": seen.etag})
        place.sure(told.json["limit"] == 500)
        place.rest(0.4)
    me.get("/v2/queues")
    for queue in ("mail", "push", "fax"):
        place.sure(me.get(f"/v2/queues/{queue}").json["limit"] == 500)


@case(
    "b909",
    "quin-mirror-writes-again-at-once",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A mirror writes an index to Apache's WebDAV and at once, with the tag of a HEAD, once more: the tag is weak "
        "while the file is younger than a second, and If-Match fails; a second and a half later the same tag is "
        "strong, and the PUT passes."
    ),
)
def at_once(stage: Stage) -> None:
    """Write a file twice within its second."""
    files = {f"pool/{n}.json": f'{{"pkg":"{n}","v":1}}' for n in ("alsa", "bash", "curl")}
    edge = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", edge, "pool.mirror.example", "aiohttp", {"User-Agent": "poolsync/2.2"})
    for name in ("bash", "curl"):
        path = f"/pool/{name}.json"
        seen = me.get(path)
        me.put(path, f'{{"pkg":"{name}","v":2}}', 204, {"If-Match": seen.etag})
        young = me.send("HEAD", path, 200).etag
        place.sure(young.startswith("W/"))
        me.put(path, f'{{"pkg":"{name}","v":2,"sum":"9a"}}', 412, {"If-Match": young})
        place.rest(1.6)
        old = me.send("HEAD", path, 200).etag
        place.sure(young == f"W/{old}")
        if name == "curl":
            me.put(path, f'{{"pkg":"{name}","v":2,"sum":"9a"}}', 204, {"If-Match": old})
    me.get("/pool/alsa.json")


@case(
    "b931",
    "quin-backup-agent-with-iso-dates",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "A backup agent guards its PUTs to Apache's WebDAV by If-Unmodified-Since, but as 2026-11-28T04:10:00Z, which "
        "is no HTTP date and is ignored: although its HEAD has shown a newer Last-Modified than the one it sends, the "
        "PUT is 204 and the line that the administrator had added is gone."
    ),
)
def iso_dates(stage: Stage) -> None:
    """Send dates that nobody reads."""
    files = {f"etc/{n}.conf": f"name = {n}\nkeep = 7\n" for n in ("db", "web", "mail")}
    edge = fronts.site(stage, "apache2", files, fronts.DAV["apache2"], 86400.0)
    me = stage.actor("client", edge, "conf.depot.example", "urllib", {"User-Agent": "confbackup/1.12"})
    other = stage.actor("other", edge, "conf.depot.example", "curl", {"User-Agent": "cadaver/0.24"})
    held = {name: me.get(f"/etc/{name}.conf") for name in ("db", "web", "mail")}
    theirs = other.get("/etc/web.conf")
    other.put("/etc/web.conf", theirs.text + "maxconn = 900\n", 204, {"If-Match": theirs.etag})
    place.rest(1.4)
    for name, seen in held.items():
        path = f"/etc/{name}.conf"
        now = me.send("HEAD", path, 200).fields["last-modified"]
        place.sure((now != seen.fields["last-modified"]) == (name == "web"))
        me.put(
            path,
            seen.text.replace("keep = 7", "keep = 30"),
            204,
            {"If-Unmodified-Since": place.iso_of(seen.fields["last-modified"])},
        )
    place.sure("maxconn" not in me.get("/etc/web.conf").text)


_PAGE = (
    "<html><head><title>Request rejected</title></head><body><h1>Precondition Failed</h1><p>The requested operation was "
    "blocked by policy 942-190. Please contact the service desk and quote the reference above.</p></body></html>"
)


@case(
    "b917",
    "quin-release-notes-with-a-statement",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A release job posts notes; those whose text has an SQL statement are answered 412 with an HTML page by the "
        "HAProxy before the service, whose rule looks at the content; there is no condition at all, and the same note "
        "with other words is taken."
    ),
)
def notes_posted(stage: Stage) -> None:
    """Be refused by a rule about content."""
    box = Box({f"/releases/{n}": {"tag": f"v{n}", "notes": ""} for n in ("3.1", "3.2")})
    origin = place.open_box(stage, box, "tornado")
    rule = " option http-buffer-request\n http-request return status 412 content-type text/html string "
    rule += '"' + _PAGE.replace('"', "") + '" if METH_POST { req.body -m reg -i "union +select|drop +table" }'
    edge = fronts.haproxy(stage, [origin], frontend=rule)
    me = stage.actor(
        "client",
        edge,
        "releases.werkstatt.example",
        "curl",
        {"Authorization": "Bearer ci-772", "User-Agent": "release-job/4"},
    )
    me.get("/releases")
    first = {"tag": "v3.3", "notes": "Fixed: search for 'x UNION SELECT y' made the log grow"}
    me.send("POST", "/releases", 201, None, {"tag": "v3.2.1", "notes": "Typos"})
    for _attempt in range(2):
        me.send("POST", "/releases", 412, None, first)
        place.rest(0.6)
    me.get("/releases")
    me.send(
        "POST",
        "/releases",
        201,
        None,
        {"tag": "v3.3", "notes": "Fixed: searches for statements made the log grow"},
    )
    me.get("/healthz")


@case(
    "b920",
    "quin-tenant-address-without-tags",
    "validator-stripped",
    "428",
    alone="validator-stripped",
    description=(
        "A provisioning tool reads devices through a tenant's address, where nginx rewrites links in the content and "
        "drops the ETag with it; the service wants If-Match, and each PUT is 428. At the plain address the same device "
        "has its ETag, and the PUT with it passes on either address."
    ),
)
def tenant(stage: Stage) -> None:
    """Read where the tag is taken away."""
    base = "http://core.netz.example"
    docs = {
        f"/devices/{n}": {"id": n, "self": f"{base}/devices/{n}", "vlan": 10, "name": f"sw{n}"}
        for n in (71, 72, 73)
    }
    say = {428: {"type": "about:blank", "title": "Precondition Required", "detail": "If-Match fehlt"}}
    origin = place.open_box(stage, Box(docs, _revised, need=428, say=say), "aiohttp")
    block = (
        f"location /t/acme/ {{ proxy_pass http://127.0.0.1:{stage.behind(origin)}/; proxy_http_version 1.1; "
        'proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_set_header Accept-Encoding ""; '
        f"sub_filter '{base}/' '{base}/t/acme/'; sub_filter_types application/json; sub_filter_once off; }}"
    )
    edge = fronts.nginx(stage, origin, block=block)
    stage.config[-1] = "location /t/acme/ { sub_filter ...; sub_filter_types application/json; }"
    me = stage.actor(
        "client",
        edge,
        "core.netz.example",
        "node:axios",
        {"Authorization": "Bearer acme", "User-Agent": "provision/1.31 (plan)"},
    )
    me.get("/t/acme/devices")
    for number in (71, 72):
        path = f"/t/acme/devices/{number}"
        seen = me.get(path)
        place.sure("etag" not in seen.fields)
        me.put(path, {**seen.json, "vlan": 20}, 428)
        place.rest(0.3)
    plain = me.get("/devices/72")
    me.put("/t/acme/devices/72", {**plain.json, "vlan": 20}, 200, {"If-Match": plain.etag})
    me.get("/t/acme/devices/73")


@case(
    "b927",
    "quin-public-name-lets-old-tags-in",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored",
    synthetic=True,
    description=(
        "A controller puts a load balancer's pool through the public name with the tag of its cache, which its list has "
        "shown to be outdated: 204, and the colleague's member is gone. HAProxy takes If-Match off under that name (Via "
        "tells the two apart); under the inner name the same outdated tag is 412."
    ),
)
def pools(stage: Stage) -> None:
    """Lose the condition on one of two ways."""
    rows = {f"pools/{n}": {"name": n, "members": ["10.0.0.4"], "algo": "rr"} for n in ("web", "api", "img")}
    origin = place.open_box(stage, Spring(rows, "http://lb.example/api", 2), "cheroot", "Spring Data REST")
    rule = " http-request set-var(txn.pub) bool(true) if { hdr(host) -i lb.wolke.example }\n"
    rule += " http-request del-header If-Match if { var(txn.pub) -m bool }\n"
    rule += ' http-response set-header Via "1.1 front-2" if { var(txn.pub) -m bool }'
    edge = fronts.haproxy(stage, [origin], frontend=rule)
    me = stage.actor(
        "client",
        edge,
        "lb.wolke.example",
        "httpx",
        {"Authorization": "Bearer controller", "Accept": "application/hal+json"},
    )
    inner = Actor("lb.rz2.wolke.example", me.port, me.program, me.always)
    other = stage.actor("other", edge, "lb.rz2.wolke.example", "requests", {"Authorization": "Bearer sina"})
    held = {name: me.get(f"/api/pools/{name}") for name in ("web", "api")}
    seen = other.get("/api/pools/web")
    other.send("PATCH", "/api/pools/web", 204, {"If-Match": seen.etag}, {"members": ["10.0.0.4", "10.0.0.9"]})
    place.rest(0.7)
    place.sure(
        "10.0.0.9" in me.get("/api/pools").text
        and me.get("/api/pools/web", 200, {"If-None-Match": held["web"].etag}).etag != held["web"].etag
    )
    me.put("/api/pools/api", {**held["api"].json, "algo": "least"}, 204, {"If-Match": held["api"].etag})
    me.put("/api/pools/web", {**held["web"].json, "algo": "least"}, 204, {"If-Match": held["web"].etag})
    place.sure("10.0.0.9" not in me.get("/api/pools/web").text)
    place.rest(0.5)
    inner.get("/actuator/health")
    inner.put("/api/pools/web", {**held["web"].json, "algo": "hash"}, 412, {"If-Match": held["web"].etag})
    inner.get("/api/pools/web")
