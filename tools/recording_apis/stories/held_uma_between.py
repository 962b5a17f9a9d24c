# mypy: ignore-errors
# ruff: noqa: ANN001, ANN003, ANN201, ANN202, ARG001 - routes are called by the frameworks
# fmt: off
"""APIs behind real nginx, Varnish and HAProxy that change what passes."""

from __future__ import annotations

import base64
import re
import time

from tools.recording_apis import fronts
from tools.recording_apis.apps.uma5_core import Api, Res, date, iso, mark, request_id
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place


@case(
    "e096",
    "uma-spring-data-rest-behind-the-gateway",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped",
    synthetic=True,
    description=(
        "A gateway's nginx passes no If-Match to a Spring Data REST service: a PUT with a stale tag is 200 and undoes a "
        "colleague's change; the service's own list of exchanges, read by the same client, shows the PUT without it."
    ),
)
def gateway(stage):
    """Lose the condition on the way."""
    api = Api({"Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}, fixed={
        "/api": {"_links": {"vehicles": {"href": "http://fuhrpark.kreis.example/api/vehicles{?page,size,sort}", "templated": True}}},
        "/actuator/health": {"status": "UP", "groups": ["liveness", "readiness"]}})
    for number in (7, 8):
        api.add(f"{number}", {"plate": f"HX-K {number}10", "driver": "Thiel", "depot": "Nord"}, number - 5)
    seen = []

    @api.on("GET", "/actuator/httpexchanges")
    def exchanges(req):
        return Res(200, {"exchanges": seen[-4:][::-1]}, {"Content-Type": "application/vnd.spring-boot.actuator.v3+json"})

    @api.on("GET PUT", r"/api/vehicles/(\d+)")
    def one(req, key):
        row = api.rows[key]
        shown = {name.title(): [value] for name, value in req.fields.items() if name != "host"}
        seen.append({"timestamp": iso(time.time(), 6), "request": {"uri": f"http://fuhrpark.kreis.example{req.path}", "method": req.method, "headers": shown},
                     "response": {"status": 200}})
        if req.method == "PUT":
            if req.fields.get("if-match", f'"{row.rev}"') != f'"{row.rev}"':
                return Res(412)
            row.write(req.json)
        body = {**row.data, "_links": {"self": {"href": f"http://fuhrpark.kreis.example/api/vehicles/{key}"}}}
        return Res(200, body, {"ETag": f'"{row.rev}"', "Content-Type": "application/hal+json"})

    server = place.open_box(stage, api, "waitress", "Spring Data REST")
    edge = fronts.nginx(stage, server, 'proxy_set_header If-Match "";')
    me = stage.actor("client", edge, "fuhrpark.kreis.example", "java")
    other = stage.actor("other", edge, "fuhrpark.kreis.example", "requests")
    me.get("/actuator/health")
    me.get("/api")
    held = {key: me.get(f"/api/vehicles/{key}") for key in (7, 8)}

    def save(who, key, had, **more):
        body = {k: v for k, v in had.json.items() if k != "_links"}
        return who.put(f"/api/vehicles/{key}", {**body, **more}, 200, {"If-Match": had.etag})

    save(me, 8, held[8], depot="Süd")
    save(other, 7, other.get("/api/vehicles/7"), driver="Wulf")
    place.rest(1.1)
    made = save(me, 7, held[7], depot="Süd")
    place.sure(made.json["driver"] == "Thiel" and made.etag == '"4"')
    me.get("/actuator/httpexchanges")


@case(
    "e092",
    "uma-consul-reads-through-a-cache",
    "stale-cache-read",
    "conflict-in-200",
    alone="stale-cache-read",
    synthetic=True,
    description=(
        "An nginx that stores answers stands before Consul: a deploy script reads a key again after its own successful "
        "cas, gets the stored answer (X-Cache-Status HIT, old ModifyIndex), and its next cas is 200 with false."
    ),
)
def limits(stage):
    """Read what was stored."""
    api = Api({"X-Consul-Effective-Consistency": "leader", "X-Consul-KnownLeader": "true", "X-Consul-LastContact": "0"},
              fixed={"/v1/agent/self": {"Config": {"Datacenter": "lyon", "NodeName": "c2", "Version": "1.18.2"}}})
    api.now = 55120
    for number, key in enumerate(("edge/limits", "edge/routes", "edge/flags")):
        api.add(key, '{"rps":40}', 55000 + number * 9)

    @api.on("GET PUT", "/v1/kv/(.+)")
    def one(req, key):
        row = api.rows[key]
        if req.method == "PUT":
            if req.query.get("cas", str(row.rev)) != str(row.rev):
                return Res(200, "false", {"Content-Type": "application/json"})
            api.now += 3
            row.data, row.rev = req.body.decode(), api.now
            return Res(200, "true", {"Content-Type": "application/json"})
        value = base64.b64encode(row.data.encode()).decode()
        found = {"LockIndex": 0, "Key": key, "Flags": 0, "Value": value, "CreateIndex": 4100, "ModifyIndex": row.rev}
        return Res(200, [found], {"X-Consul-Index": str(row.rev)})

    server = place.open_box(stage, api, "cheroot", "Consul")
    edge = fronts.nginx_cache(stage, server, 30, "add_header X-Cache-Status $upstream_cache_status always;")
    me = stage.actor("client", edge, "consul.lyon.example", "curl", {"X-Consul-Token": "5f1e"})
    me.get("/v1/agent/self")
    for key, bodies in (("edge/routes", ('{"rps":41}',)), ("edge/limits", ('{"rps":60}', '{"rps":60,"burst":90}'))):
        for number, body in enumerate(bodies):
            seen = me.get(f"/v1/kv/{key}").json[0]
            place.rest(0.3)
            told = me.put(f"/v1/kv/{key}?cas={seen['ModifyIndex']}", body, 200).text
            place.sure(told == ("true" if number == 0 else "false"))
            place.rest(0.5)
    me.get("/v1/kv/edge/limits?consistent")


@case(
    "e113",
    "uma-ibm-cos-pinned-read-from-varnish",
    "cache-misevaluates",
    "wrong-object",
    alone="cache-misevaluates",
    synthetic=True,
    description=(
        "A simulation reads grid files of IBM's COS through Varnish, each GET with If-Match of the tag in its list; one "
        "was replaced, and Varnish answers the GET from its store with 200 and the other object, tag and all."
    ),
)
def grids(stage):
    """Be handed another object than asked for."""
    api = Api({"Server": "Cleversafe/3.17.4.98", "X-Clv-Request-Id": request_id, "X-Clv-S3-Version": "2.5"})
    for name in ("g01.csv", "g02.csv", "g03.csv"):
        api.add(name, "\n".join(f"{n};{int(name[2]) * n % 17}" for n in range(60)))

    def tag(name):
        return f'"{mark(api.rows[name].data)}"'

    @api.on("GET", "/grids")
    def many(req):
        rows = "".join(f"<Contents><Key>{k}</Key><LastModified>{iso(r.at)}</LastModified><ETag>{tag(k)}</ETag><Size>{len(r.data)}</Size></Contents>"
                       for k, r in api.rows.items())
        return Res(200, f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>grids</Name>{rows}</ListBucketResult>',
                   {"Content-Type": "application/xml", "Cache-Control": "no-store"})

    @api.on("GET PUT", "/grids/(.+)")
    def one(req, key):
        row = api.rows[key]
        if req.method == "PUT":
            row.write(req.body.decode())
            return Res(200, b"", {"ETag": tag(key)})
        own = {"ETag": tag(key), "Last-Modified": date(row.at), "Content-Type": "text/csv", "Accept-Ranges": "bytes", "Cache-Control": "max-age=300"}
        if req.fields.get("if-match", tag(key)) != tag(key):
            return Res(412, '<?xml version="1.0"?><Error><Code>PreconditionFailed</Code></Error>', {"Content-Type": "application/xml"})
        return Res(304, b"", own) if req.fields.get("if-none-match") == tag(key) else Res(200, row.data, own)

    server = place.open_box(stage, api, "cheroot", "IBM Cloud Object Storage")
    vcl = ('sub vcl_backend_response { if (beresp.http.Cache-Control ~ "no-store") { set beresp.uncacheable = true; } return (deliver); }\n'
           'sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; } }')
    edge = fronts.varnish(stage, server, vcl)
    me = stage.actor("client", edge, "s3.eu-de.cos.example", "requests", {"User-Agent": "ibm-cos-sdk-python/2.13"})
    other = stage.actor("other", edge, "s3.eu-de.cos.example", "httpx")
    listed = dict(re.findall("<Key>(.+?)</Key>.+?<ETag>(.+?)</ETag>", me.get("/grids?list-type=2").text))
    other.put("/grids/g02.csv", "0;0\n1;99\n", 200)
    other.get("/grids/g02.csv")
    place.rest(1.2)
    for name, known in listed.items():
        got = me.get(f"/grids/{name}", 200, {"If-Match": known})
        place.sure((got.etag == known) == (name != "g02.csv"))
    got = me.get("/grids/g01.csv")
    me.get("/grids/g01.csv", 304, {"If-None-Match": got.etag})


@case(
    "e082",
    "uma-gocd-old-context-path",
    "redirect-rewrites-request",
    "not-stored",
    alone="redirect-rewrites-request",
    synthetic=True,
    description=(
        "A script saves GoCD pipelines under a server's old path: nginx redirects with 302, the library follows with a "
        "GET whose 200 shows the old configuration, and nothing was saved; reads go through as well."
    ),
)
def pipelines(stage):
    """Be led to a read."""
    api = Api({"X-XSS-Protection": "1; mode=block", "X-Frame-Options": "SAMEORIGIN"}, fixed={"/go/api/version": {"version": "24.3.0", "build_number": "19261"}})
    for name in ("build-web", "build-docs"):
        api.add(name, {"label_template": "${COUNT}", "lock_behavior": "none"})

    @api.on("GET PUT", "/go/api/admin/pipelines/(.+)")
    def one(req, name):
        row = api.rows[name]
        tag = f'"{mark((name, row.rev), 64, "sha256")}"'
        if req.method == "PUT":
            if req.fields.get("if-match") != tag:
                return Res(412, {"message": f"Someone has modified the configuration for pipeline '{name}'. Please update your copy of the config with the changes."})
            row.write({k: v for k, v in req.json.items() if k not in {"name", "_links"}})
            tag = f'"{mark((name, row.rev), 64, "sha256")}"'
        body = {"_links": {"self": {"href": f"http://ci.werft.example/go/api/admin/pipelines/{name}"}}, "name": name, **row.data}
        return Res(200, body, {"ETag": tag, "Content-Type": "application/vnd.go.cd.v11+json; charset=utf-8", "Cache-Control": "max-age=0, private, must-revalidate"})

    server = place.open_box(stage, api, "starlette", "GoCD")
    edge = fronts.nginx(stage, server, "", "", "absolute_redirect off; location /cruise/ { rewrite ^/cruise/(.*)$ /go/$1 redirect; }")
    me = stage.actor("client", edge, "ci.werft.example", "requests:follow", {"Accept": "application/vnd.go.cd.v11+json", "Authorization": "bearer 2f7a"})
    me.get("/go/api/version", 200, {"Accept": "application/vnd.go.cd+json"})
    for name in ("build-web", "build-docs"):
        seen = me.get(f"/cruise/api/admin/pipelines/{name}")
        told = me.put(f"/cruise/api/admin/pipelines/{name}", {**seen.json, "lock_behavior": "lockOnFailure"}, 200, {"If-Match": seen.etag})
        place.sure(told.json["lock_behavior"] == "none")
        place.rest(0.4)
    me.get("/go/api/admin/pipelines/build-web")


@case(
    "e093",
    "uma-nextcloud-files-without-their-tags",
    "validator-stripped",
    "lost-update",
    alone="validator-stripped",
    synthetic=True,
    description=(
        "Before a Nextcloud, nginx drops ETag from every answer (OC-ETag and getetag remain): a synchroniser that guards "
        "by ETag sends its PUTs bare, and the change that PROPFIND has shown by a new getetag is overwritten with 204."
    ),
)
def sync(stage):
    """Have no tag to send."""
    base = "/remote.php/dav/files/mara"
    api = Api({"X-Request-Id": lambda _r: mark(time.time_ns(), 20)}, fixed={
        "/status.php": {"installed": True, "maintenance": False, "version": "29.0.4.1", "productname": "Nextcloud"},
        "/ocs/v2.php/cloud/user": {"ocs": {"meta": {"status": "ok", "statuscode": 200}, "data": {"id": "mara", "quota": {"free": 4096}}}}}, tags=True)
    for name in ("Kasse.csv", "Mitglieder.csv"):
        api.add(name, "Datum;Betrag\n2026-11-01;40\n" if name[0] == "K" else "Name;Seit\nOtt;2019\n")

    def tag(name):
        return f'"{mark((name, api.rows[name].rev))}"'

    @api.on("PROPFIND", base + "/?")
    def many(req):
        found = "".join(f"<d:response><d:href>{base}/{k}</d:href><d:propstat><d:prop><d:getlastmodified>{date(r.at)}</d:getlastmodified>"
                        f"<d:getetag>{tag(k).replace(chr(34), '&quot;')}</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
                        for k, r in api.rows.items())
        return Res(207, f'<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">{found}</d:multistatus>', {"Content-Type": "application/xml; charset=utf-8"})

    @api.on("GET PUT", base + "/(.+)")
    def one(req, name):
        if req.method == "PUT":
            if req.fields.get("if-match", tag(name)) != tag(name):
                return Res(412)
            api.rows[name].write(req.body.decode())
        own = {"ETag": tag(name), "OC-ETag": tag(name), "Last-Modified": date(api.rows[name].at), "Content-Type": "text/csv"}
        return Res(204, b"", own) if req.method == "PUT" else Res(200, api.rows[name].data, own)

    server = place.open_box(stage, api, "waitress", "Nextcloud")
    edge = fronts.nginx(stage, server, "proxy_hide_header ETag;")
    me = stage.actor("client", edge, "wolke.verein.example", "aiohttp", {"Authorization": "Basic bWFyYTp4", "User-Agent": "syncer/0.9 (webdav)"})
    other = stage.actor("other", edge, "wolke.verein.example", "curl", {"Authorization": "Basic bWFyYTp5"})
    me.get("/status.php")
    me.get("/ocs/v2.php/cloud/user?format=json")
    ask = '<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:getlastmodified/><d:getetag/></d:prop></d:propfind>'
    me.send("PROPFIND", f"{base}/", 207, {"Depth": "1", "Content-Type": "application/xml"}, ask)
    held = {name: me.get(f"{base}/{name}").text for name in api.rows}
    other.put(f"{base}/Kasse.csv", held["Kasse.csv"] + "2026-11-14;-12\n", 204, {"Content-Type": "text/csv"})
    place.rest(1.1)
    me.send("PROPFIND", f"{base}/", 207, {"Depth": "1", "Content-Type": "application/xml"}, ask)
    for name, line in (("Mitglieder.csv", "Rau;2026\n"), ("Kasse.csv", "2026-11-20;25\n")):
        me.put(f"{base}/{name}", held[name] + line, 204, {"Content-Type": "text/csv"})
    place.sure("11-14" not in me.get(f"{base}/Kasse.csv").text)
    me.send("PROPFIND", f"{base}/", 207, {"Depth": "1", "Content-Type": "application/xml"}, ask)


@case(
    "e115",
    "uma-cdn-nodes-with-dates-of-their-own",
    "inconsistent-backends",
    "full-200",
    alone="inconsistent-backends",
    description=(
        "Two nginx nodes of a download mirror hold one file with two dates: curl goes on where it stopped with If-Range "
        "and is sent the whole file with 200 whenever the other node answers, and polls alternate between two tags."
    ),
)
def mirror(stage):
    """Resume at the other node."""
    text = "".join(f"record {n:05d}\n" for n in range(3000))
    nodes = [fronts.site(stage, "nginx", {"iso/addendum.txt": text, "SHA256SUMS": f"{mark(text, 64, 'sha256')}  iso/addendum.txt\n"},
                         f"add_header X-Served-By cache-{name} always;", age) for name, age in (("ams21037", 7200.0), ("fra-eddf8230", 6931.0))]
    edge = fronts.haproxy(stage, nodes)
    me = stage.actor("client", edge, "dl.mirror.example", "curl")
    me.get("/SHA256SUMS")
    first = me.get("/iso/addendum.txt", 206, {"Range": "bytes=0-11999"})
    whole = 0
    for start in (12000, 24000, 36000):
        got = me.get("/iso/addendum.txt", (200, 206), {"Range": f"bytes={start}-{min(start + 11999, len(text) - 1)}", "If-Range": first.etag})
        whole += got.status == 200
        place.rest(0.2)
    seen = {me.get("/iso/addendum.txt", (200, 304), {"If-None-Match": first.etag}).status for _n in range(2)}
    place.sure(whole and seen == {200, 304}, (whole, seen))


@case(
    "e080",
    "uma-remotestorage-compressed-on-the-way",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    synthetic=True,
    description=(
        "A remoteStorage account lies behind an nginx that compresses JSON: the tag that the app reads is W/, its PUTs "
        "with If-Match of it are 412, while a read without compression shows the same tag strong, and a small file works."
    ),
)
def account(stage):
    """Hold a weak tag."""
    api = Api({"Access-Control-Expose-Headers": "ETag, Content-Length, Content-Type", "Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"})
    api.add("tasks.json", {"tasks": [{"id": n, "text": f"Schritt {n}", "done": n % 2 == 0} for n in range(12)]})
    api.add("flag", "on")

    def tag(name):
        return f'"{mark((name, api.rows[name].rev), 20)}"'

    @api.on("GET", "/storage/nils/planner/")
    def folder(req):
        items = {k: {"ETag": tag(k).strip('"'), "Content-Length": len(str(api.rows[k].data))} for k in api.rows}
        return Res(200, {"@context": "http://remotestorage.io/spec/folder-description", "items": items},
                   {"Content-Type": "application/ld+json", "ETag": f'"{mark(items, 20)}"'})

    @api.on("GET PUT", "/storage/nils/planner/(.+)")
    def one(req, name):
        row = api.rows[name]
        if req.method == "PUT":
            if req.fields.get("if-match", tag(name)) != tag(name):
                return Res(412, "Precondition Failed", {"Content-Type": "text/plain"})
            row.write(req.json if name != "flag" else req.body.decode())
            return Res(200, b"", {"ETag": tag(name)})
        kind = "application/json" if name != "flag" else "application/octet-stream"
        return Res(200, row.data, {"ETag": tag(name), "Content-Type": kind})

    server = place.open_box(stage, api, "tornado", "remoteStorage")
    edge = fronts.nginx_gzip(stage, server)
    me = stage.actor("client", edge, "rs.example", "node:fetch", {"Authorization": "Bearer 83fz", "Origin": "https://planner.example"})
    me.get("/storage/nils/planner/")
    seen = me.get("/storage/nils/planner/flag")
    me.put("/storage/nils/planner/flag", "off", 200, {"If-Match": seen.etag, "Content-Type": "application/octet-stream"})
    for number in (3, 5):
        seen = me.get("/storage/nils/planner/tasks.json")
        place.sure(seen.etag.startswith("W/"))
        tasks = [{**one, "done": one["done"] or one["id"] == number} for one in seen.json["tasks"]]
        me.put("/storage/nils/planner/tasks.json", {"tasks": tasks}, 412, {"If-Match": seen.etag})
        place.rest(0.3)
    me.get("/storage/nils/planner/tasks.json", 200, {"Accept-Encoding": "identity"})
