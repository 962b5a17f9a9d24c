"""Stories on what lies between a client and its service: nginx, Apache, HAProxy, Varnish."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.vic_core import Box, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place
from tools.recording_apis.stories.held_wes_setting import ICS, JSON, basic, event

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_XML = {"Content-Type": "application/xml"}
_PROPS = '<propfind xmlns="DAV:"><prop><getetag/><getlastmodified/></prop></propfind>'


@case(
    "e197",
    "wes-deflate-before-tornado",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "mod_deflate compresses JSON in front of a Tornado service and puts -gzip into its tags; PUT with the tag as read is "
        "412 with the bare one in the refusal, while a small document that is not compressed saves well."
    ),
)
def deflate(stage: Stage) -> None:
    """Echo the tag of a compressed read."""
    docs = {f"/kurven/{n}": {"id": n, "punkte": [n * k % 17 for k in range(60)]} for n in (3, 5, 8)}
    box = Box(docs, lambda _path, doc: f'"{doc.digest()[:20]}"', need=428)
    box.conflict = lambda req, doc: Res(
        412, {"fehler": "Stand passt nicht"}, {"ETag": box.marks(req.path, doc)["ETag"]}
    )
    lines = "AddOutputFilterByType DEFLATE application/json"
    edge = fronts.apache(stage, place.open_box(stage, box, "tornado"), lines)
    me = stage.actor("client", edge, "kurven.netz.example", "requests", {"User-Agent": "Kurvenblatt/7"})
    place.chores(me, "u")
    me.get("/kurven")
    for curve in (3, 8):
        seen = me.get(f"/kurven/{curve}")
        place.sure("-gzip" in seen.etag)
        place.rest(0.5)
        me.put(f"/kurven/{curve}", {**seen.json, "notiz": "geprüft"}, 412, {"If-Match": seen.etag})
        place.chores(me, "t")
    bare = me.get("/kurven/5", 200, {"Accept-Encoding": "identity"})
    me.put("/kurven/5", {**bare.json, "notiz": "geprüft"}, 200, {"If-Match": bare.etag})


@case(
    "e190",
    "wes-pages-read-from-disk-written-by-app",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "nginx serves GETs of pages from disk with its time-and-size tags, PUTs go to the application, which compares with a "
        "sha-256 of the content: each save with the read's tag is 412, and the refusal shows a tag of another shape."
    ),
)
def disk(stage: Stage) -> None:
    """Read from one, write to another."""
    docs = {f"/pages/{n}.json": {"page": n, "text": f"About {n}"} for n in ("visit", "team", "shop")}
    box = Box(docs, lambda _path, doc: f'"sha256-{doc.digest("sha256")[:32]}"')
    box.conflict = lambda req, doc: Res(412, {"error": "version"}, {"ETag": box.marks(req.path, doc)["ETag"]})
    server = place.open_box(stage, box, "cheroot")
    folder = stage.directory()
    for path in docs:
        fronts.put_file(folder, path[1:], box.docs[path].octets, 8000.0)
    box.done.append(lambda _req, path: fronts.put_file(folder, path[1:], box.docs[path].octets))
    port = stage.behind(server)
    block = f"location /pages/ {{ root {folder}; if ($request_method = PUT) {{ proxy_pass http://127.0.0.1:{port}; }} }}"
    edge = fronts.nginx(stage, server, "", "", block)
    me = stage.actor("client", edge, "cms.museum.example", "node:axios", place.CHROME)
    place.chores(me, "ju")
    for page in ("visit", "shop"):
        seen = me.get(f"/pages/{page}.json")
        me.get(f"/pages/{page}.json", 304, {"If-None-Match": seen.etag})
        place.rest(0.6)
        me.put(f"/pages/{page}.json", {**seen.json, "text": "Open daily"}, 412, {"If-Match": seen.etag})
        place.sure(me.get(f"/pages/{page}.json").etag == seen.etag)
        place.chores(me, "t")


@case(
    "e185",
    "wes-patience-of-one-second",
    "intermediary-replay",
    "412",
    alone="intermediary-replay lost-response-replay",
    description=(
        "nginx waits a second for a slow save, then sends the same PUT to the next peer (proxy_next_upstream timeout): the "
        "client's one request is 412 after more than a second, and what it then reads is its own save with its own mark."
    ),
)
def patience(stage: Stage) -> None:
    """Be refused for what the proxy has sent before."""
    docs = {f"/votes/{n}": {"motion": n, "yes": 0, "no": 0, "mark": "-"} for n in (11, 12, 13)}
    box = Box(docs, lambda _path, doc: f'"m{doc.rev}-{doc.digest()[:8]}"', dates=True, need=428)
    box.done.append(
        lambda req, path: place.rest(1.5) if path == "/votes/12" and req.method == "PUT" else None
    )
    server = place.open_box(stage, box, "waitress")
    port = stage.behind(server)
    http = f"upstream two {{ server 127.0.0.1:{port}; server 127.0.0.1:{port}; }}"
    block = (
        "location /votes/ { proxy_pass http://two; proxy_http_version 1.1; proxy_set_header Host $http_host; "
        'proxy_set_header Connection ""; proxy_read_timeout 1s; proxy_next_upstream error timeout non_idempotent; }'
    )
    edge = fronts.nginx(stage, server, "", http, block)
    me = stage.actor("client", edge, "votes.assembly.example", "httpx", {"X-User": "clerk-2"})
    place.chores(me, "h")
    for motion in (11, 12):
        seen = me.get(f"/votes/{motion}")
        body = {**seen.json, "yes": 31 + motion, "no": 7, "mark": f"clerk-2/{motion}/5be0"}
        me.put(f"/votes/{motion}", body, 200 if motion == 11 else 412, {"If-Match": seen.etag})
        place.chores(me, "h")
    now = me.get("/votes/12")
    place.sure(now.json["mark"] == "clerk-2/12/5be0" and now.etag != seen.etag)
    me.get("/votes/13")


@case(
    "e191",
    "wes-header-lost-at-the-gate",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored",
    description=(
        "Apache in front of Radicale has RequestHeader unset If-Match left over: a save with the tag of a version that its "
        "own poll saw replaced is 204 and the other's change is gone; the tap behind shows that the field never arrived."
    ),
)
def gate(stage: Stage) -> None:
    """Lose the condition on the way."""
    server = stage.server("radicale")
    edge = fronts.apache(stage, server, "RequestHeader unset If-Match")
    me = stage.actor("client", edge, "plan.feuerwehr.example", "aiohttp", basic("wache"))
    other = stage.actor("other", edge, "plan.feuerwehr.example", "requests", basic("wache"))
    other.send("MKCALENDAR", "/wache/dienst/", 201, _XML)
    for uid in ("uebung", "pruefung"):
        other.put(f"/wache/dienst/{uid}.ics", event(uid, uid, 18, "LOCATION:Hof"), 201, ICS)
    stage.forget()
    me.send("PROPFIND", "/wache/dienst/", 207, {**_XML, "Depth": "1"}, _PROPS)
    base, check = me.get("/wache/dienst/uebung.ics"), me.get("/wache/dienst/pruefung.ics")
    done = event("pruefung", "pruefung", 17, "LOCATION:Hof")
    me.put("/wache/dienst/pruefung.ics", done, 204, {**ICS, "If-Match": check.etag})
    theirs = event("uebung", "uebung", 20, "LOCATION:Kiesgrube", "COMMENT:Anfahrt mit TLF")
    other.put("/wache/dienst/uebung.ics", theirs, 204, {**ICS, "If-Match": base.etag})
    place.rest(1.2)
    listed = me.send("PROPFIND", "/wache/dienst/", 207, {**_XML, "Depth": "1"}, _PROPS)
    place.sure(base.etag not in listed.text)
    place.sure("TLF" in me.get("/wache/dienst/uebung.ics").text)
    mine = event("uebung", "uebung", 18, "LOCATION:Hof", "DESCRIPTION:Atemschutz")
    me.put("/wache/dienst/uebung.ics", mine, 204, {**ICS, "If-Match": base.etag})
    place.sure("TLF" not in me.get("/wache/dienst/uebung.ics").text)


@case(
    "e166",
    "wes-tariff-out-of-the-store",
    "stale-cache-read",
    "wrong-304",
    alone="stale-cache-read",
    description=(
        "nginx stores GETs of a share under Apache for a minute: after the client's own PUT (204) its reads are HITs of the "
        "old tariff, its revalidation with the old tag is 304, while PROPFIND, which is not stored, shows the new tag."
    ),
)
def tariff(stage: Stage) -> None:
    """Read the store after a write."""
    files = {f"tariffs/{n}.json": f'{{"zone":"{n}","fare":2.8}}' for n in ("a", "b")}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    edge = fronts.nginx_cache(stage, server, 60, "add_header X-Cache-Status $upstream_cache_status;")
    me = stage.actor("client", edge, "tarif.verbund.example", "node:fetch", {"User-Agent": "Tarifpflege/12"})
    seen = me.get("/tariffs/a.json")
    me.get("/tariffs/b.json")
    me.put("/tariffs/a.json", '{"zone":"a","fare":3.1}', 204, {**JSON, "If-Match": seen.etag})
    place.rest(1.3)
    old = me.get("/tariffs/a.json")
    place.sure(old.etag == seen.etag and "2.8" in old.text)
    told = me.send("PROPFIND", "/tariffs/a.json", 207, {**_XML, "Depth": "0"}, _PROPS)
    place.sure(seen.etag.strip('"') not in told.text)
    place.rest(0.8)
    me.get("/tariffs/a.json", 304, {"If-None-Match": seen.etag})
    me.get("/tariffs/b.json")


@case(
    "e186",
    "wes-copy-checked-at-the-cache",
    "cache-misevaluates",
    "wrong-200",
    alone="cache-misevaluates precondition-ignored",
    description=(
        "Before it stamps a drawing a client asks with If-Match of its copy whether that is still the current one: Varnish "
        "answers from its store, 200 with another ETag and an Age, instead of passing the question on or refusing."
    ),
)
def checked(stage: Stage) -> None:
    """Ask the cache whether a copy is current."""
    files = {f"drawings/{n}.txt": f"{n} rev B\n" for n in ("deck", "hull")}
    server = fronts.site(stage, "apache2", files)
    store = "sub vcl_backend_response { set beresp.ttl = 4s; set beresp.grace = 0s; set beresp.keep = 0s; }"
    edge = fronts.varnish(stage, server, store)
    me = stage.actor("client", edge, "cad.yard.example", "curl", {"User-Agent": "Stamper/2"})
    reader = stage.actor("other", edge, "cad.yard.example", "httpx", {"User-Agent": "Viewer/8"})
    held = {name: me.get(f"/drawings/{name}.txt").etag for name in ("deck", "hull")}
    me.get("/drawings/hull.txt", 304, {"If-None-Match": held["hull"]})
    fronts.put_file(server.directory, "drawings/deck.txt", "deck rev C, hatch moved\n")
    place.rest(4.3)
    reader.get("/drawings/deck.txt")
    place.rest(1.2)
    for _ in range(2):
        told = me.get("/drawings/deck.txt", 200, {"If-Match": held["deck"]})
        place.sure(told.etag != held["deck"] and int(told.fields["age"]) > 0)
        place.rest(0.8)
    me.get("/drawings/hull.txt", 200, {"If-Match": held["hull"]})


@case(
    "e180",
    "wes-banner-filter-on-html",
    "validator-stripped",
    "lost-update",
    alone="validator-stripped",
    description=(
        "nginx's sub_filter writes a banner into HTML in front of WsgiDAV and drops its ETag and Last-Modified; text files "
        "keep theirs and are saved with If-Match, HTML is saved bare and a colleague's paragraph, seen by a poll, is lost."
    ),
)
def banner(stage: Stage) -> None:
    """Have no tag for one media type."""
    server = stage.server("wsgidav")
    edge = fronts.nginx(stage, server, 'sub_filter "</body>" "<p>Staging</p></body>"; sub_filter_once on;')
    me = stage.actor("client", edge, "staging.gazette.example", "httpx", {"User-Agent": "PageDesk/5"})
    other = stage.actor("other", edge, "staging.gazette.example", "urllib", {"User-Agent": "PageDesk/5"})
    page = "<html><body><h1>Fair</h1></body></html>"
    other.put("/fair.html", page, 201)
    other.put("/notes.txt", "todo\n", 201)
    stage.forget()
    me.send("PROPFIND", "/", 207, {**_XML, "Depth": "1"}, _PROPS)
    place.sure("etag" not in me.get("/fair.html").fields)
    notes = me.get("/notes.txt")
    me.get("/notes.txt", 304, {"If-None-Match": notes.etag})
    me.put("/notes.txt", "todo\nphotos\n", 204, {"If-Match": notes.etag})
    other.put("/fair.html", page.replace("</h1>", "</h1><p>Parking: north field</p>"), 204)
    place.rest(1.2)
    place.sure("Parking" in me.get("/fair.html").text)
    me.put("/fair.html", page.replace("Fair", "Autumn fair"), 204)
    place.sure("Parking" not in me.get("/fair.html").text)


@case(
    "e182",
    "wes-tag-of-the-request",
    "unstable-etag",
    "wasted-reads",
    alone="unstable-etag",
    description=(
        "Somebody let nginx add the request's id as ETag (add_header ETag $request_id): each poll with the last tag is a full "
        "200 with the same octets and a new tag; other resources, tagged by the service, are 304."
    ),
)
def request_id(stage: Stage) -> None:
    """Poll what has a new tag each time."""
    docs = {f"/menus/{day}": {"day": day, "soup": "leek", "main": "barley"} for day in ("mon", "tue")}
    server = place.open_box(stage, Box(docs), "cheroot")
    port = stage.behind(server)
    block = f"location /menus/ {{ proxy_pass http://127.0.0.1:{port}; add_header ETag '\"$request_id\"'; }}"
    edge = fronts.nginx(stage, server, "", "", block)
    me = stage.actor("client", edge, "kantine.werk.example", "node:fetch", place.CHROME)
    place.chores(me, "jc")
    tags = {day: me.get(f"/menus/{day}") for day in ("mon", "tue")}
    for _ in range(3):
        for day, last in list(tags.items()):
            tags[day] = me.get(f"/menus/{day}", 200, {"If-None-Match": last.etag})
            place.sure(tags[day].etag != last.etag and tags[day].body == last.body)
        place.rest(0.5)
    place.chores(me, "t")


@case(
    "e168",
    "wes-two-rollouts-one-bundle",
    "inconsistent-backends",
    "wasted-reads",
    alone="inconsistent-backends",
    description=(
        "Two nginx nodes behind HAProxy hold the same files, rolled out 40 minutes apart: their tags are of time and size, so "
        "a poll that lands on the other node is 200 with the same octets, and the tags come and go between two."
    ),
)
def rollouts(stage: Stage) -> None:
    """Poll two nodes in turns."""
    files = {"maps/index.json": '{"tiles":412,"rev":"r88"}', "maps/style.css": "p{margin:1px}"}
    nodes = [
        fronts.site(stage, "nginx", files, f'add_header X-Served-By "web-{name}";', age)
        for name, age in (("blue", 9000.0), ("green", 6600.0))
    ]
    edge = fronts.haproxy(stage, nodes)
    me = stage.actor("client", edge, "maps.hiking.example", "httpx", {"User-Agent": "TrailApp/31"})
    me.get("/maps/style.css")
    held = me.get("/maps/index.json")
    missed = 0
    for turn in range(6):
        got = me.send("GET", "/maps/index.json", (200, 304), {"If-None-Match": held.etag})
        missed += got.status == 200
        held = got if got.status == 200 else held
        if turn == 2:
            me.send("HEAD", "/maps/style.css", 200)
        place.rest(0.4)
    place.sure(missed >= 3)
    place.sure({me.get("/maps/index.json").body for _ in range(3)} == {b'{"tiles":412,"rev":"r88"}'})


@case(
    "e194",
    "wes-mirror-two-seconds-late",
    "replica-lag",
    "stale-read",
    alone="replica-lag",
    description=(
        "HAProxy sends GET and HEAD to a mirror that follows two seconds late, the rest to the primary: after the client's "
        "own PUT its reads have the old tag (304 even), PROPFIND from the primary has the new one, and so have later reads."
    ),
)
def mirror(stage: Stage) -> None:
    """Read behind one's own write."""
    files = {f"boards/{n}.json": f'{{"board":"{n}","gate":"12"}}' for n in ("east", "west")}
    nodes = [fronts.site(stage, "apache2", files, fronts.DAV["apache2"]) for _ in range(2)]
    for path in files:
        shutil.copystat(nodes[0].directory / path, nodes[1].directory / path)
    edge = fronts.split(stage, nodes[0], nodes[1])
    me = stage.actor("client", edge, "boards.terminal.example", "urllib", {"User-Agent": "GateDesk/3"})
    for board in ("east", "west"):
        seen = me.get(f"/boards/{board}.json")
        me.put(
            f"/boards/{board}.json",
            f'{{"board":"{board}","gate":"14"}}',
            204,
            {**JSON, "If-Match": seen.etag},
        )
        place.rest(1.1)
        told = me.send("PROPFIND", f"/boards/{board}.json", 207, {**_XML, "Depth": "0"}, _PROPS)
        place.sure(seen.etag.strip('"') not in told.text)
        place.sure('"12"' in me.get(f"/boards/{board}.json").text)
        me.get(f"/boards/{board}.json", 304, {"If-None-Match": seen.etag})
        place.rest(0.8)
        shutil.copy2(nodes[0].directory / f"boards/{board}.json", nodes[1].directory / f"boards/{board}.json")
        place.rest(0.3)
        place.sure('"14"' in me.get(f"/boards/{board}.json", 200, {"If-None-Match": seen.etag}).text)


@case(
    "e196",
    "wes-two-tabs-both-saved",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race precondition-ignored",
    description=(
        "A Flask service compares the tag, then works a quarter of a second, then stores: two tabs' saves with one If-Match "
        "overlap, both are 200 with different new tags, and the next read has only the later one's field, for two documents."
    ),
)
def tabs(stage: Stage) -> None:
    """Save twice at once and be told yes twice."""
    docs = {f"/loads/{n}": {"truck": n, "pallets": 0, "seal": ""} for n in (71, 72, 73)}
    box = Box(docs, lambda _path, doc: f'"{doc.rev}.{doc.digest("sha1")[:10]}"', need=428)
    box.gap = 0.25
    server = place.open_box(stage, box, "flask")
    me = stage.actor("client", server, "loads.depot.example", "requests", {"X-User": "lager"})
    place.chores(me, "uj")
    free = me.get("/loads/73")
    me.put("/loads/73", {**free.json, "seal": "S-1"}, 200, {"If-Match": free.etag})
    for truck in (71, 72):
        seen = me.get(f"/loads/{truck}")
        edits: tuple[dict[str, Any], ...] = ({"pallets": 22}, {"seal": f"S-{truck}"})
        calls = [
            partial(
                me.put,
                f"/loads/{truck}",
                {**seen.json, **edit},
                200,
                {"If-Match": seen.etag, "X-Tab": f"{number}"},
            )
            for number, edit in enumerate(edits, 1)
        ]
        first, last = place.at_once(*calls, apart=0.08)
        place.sure(first.etag != last.etag)
        now = me.get(f"/loads/{truck}").json
        place.sure(not (now["pallets"] and now["seal"]))
        place.chores(me, "t")
