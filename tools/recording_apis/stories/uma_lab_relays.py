"""Unseen recordings: small services behind real proxies, balancers and caches."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.uma_core import Behind, Doc, Shelf, md5
from tools.recording_apis.apps.uma_words import refusals
from tools.recording_apis.stage import case
from tools.recording_apis.stories import uma_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d170",
    "apache-says-weak-for-a-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "An editor stores a chapter on Apache's mod_dav, reads it at once and saves again with the weak tag of that "
        "moment: 412. A second and a half later the same opaque value is strong, and the save with it is 204."
    ),
)
def chapter(stage: Stage) -> None:
    """Save twice within a second."""
    files = {f"book/ch{n:02}.md": f"# Kapitel {n}\n\nText.\n" for n in range(1, 5)}
    server = place.dav(stage, files)
    me = stage.actor("client", server, "manuskript.verlag.test", "httpx", {"User-Agent": "Schreibstube/3.2"})
    me.send("PROPFIND", "/book/", 207, {"Depth": "1"})
    place.reads(me, "/book/ch01.md", "/book/ch02.md", "/book/ch03.md")
    me.put("/book/ch05.md", "# Kapitel 5\n\nEs war\n", 201, {"If-None-Match": "*"})
    seen = me.get("/book/ch05.md")
    place.holds(seen.etag.startswith("W/"), seen.etag)
    me.put("/book/ch05.md", "# Kapitel 5\n\nEs war Nacht.\n", 412, {"If-Match": seen.etag})
    place.pause(1.6)
    again = me.get("/book/ch05.md")
    place.holds(again.etag == seen.etag[2:], again.etag)
    me.put("/book/ch05.md", "# Kapitel 5\n\nEs war Nacht.\n", 204, {"If-Match": again.etag})
    me.get("/book/ch04.md")


@case(
    "d171",
    "caddy-encodes-the-glossary",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Caddy compresses a glossary and puts -gzip into its tag. Conditional reads with it are 304, the translator's "
        "guarded save is 412 twice; read without compression the tag has no suffix, and the save is taken."
    ),
)
def glossary(stage: Stage) -> None:
    """Send back a tag with a coding's suffix."""
    terms = {f"term{n}": f"terme numéro {n}, substantif" for n in range(40)}
    docs: dict[str, Any] = {
        "/glossaries/bois": {"lang": "fr", "terms": terms},
        "/glossaries/fer": {"lang": "fr", "terms": {}},
    }
    docs["/glossaries/pierre"] = {"lang": "fr", "terms": {"grès": "roche"}}
    docs |= place.side("/projects", 4)
    shelf = Shelf(docs, lambda doc: f'"g{doc.rev}.{md5(doc.body, 10)}"', refusals("fr"))
    front = fronts.caddy(stage, place.house(stage, shelf, "Lexique"), "encode gzip")
    me = stage.actor("client", front, "lexique.atelier.example", "aiohttp", {"X-User": "odile"})
    place.reads(me, "/glossaries", "/glossaries/fer")
    place.rounds(me, place.paths("/projects", 4), 12, 171)
    seen = me.get("/glossaries/bois")
    place.holds(seen.etag.endswith('-gzip"'), seen.etag)
    place.kept(me, "/glossaries/bois", seen)
    place.save(me, "/glossaries/bois", seen, 412, terms={**terms, "aubier": "bois tendre"})
    place.edit(me, "/glossaries/pierre", note="relu")
    seen = me.get("/glossaries/bois")
    place.save(me, "/glossaries/bois", seen, 412, terms={**terms, "aubier": "bois tendre"})
    bare = me.get("/glossaries/bois", 200, {"Accept-Encoding": "identity"})
    place.save(me, "/glossaries/bois", bare, 200, terms={**terms, "aubier": "bois tendre"})


@case(
    "d172",
    "nginx-squeezes-the-timetable",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "nginx compresses a timetable and weakens its strong tag. The planner's guarded PUT is refused, an unrelated "
        "small record that nginx leaves alone is saved, and the read with identity shows the same value strong."
    ),
)
def timetable(stage: Stage) -> None:
    """Send a tag that nginx has weakened."""
    rows = [{"stop": f"Halte {n}", "at": f"0{6 + n // 6}:{n % 6}5"} for n in range(24)]
    docs: dict[str, Any] = {
        "/lines/11": {"line": 11, "rows": rows},
        "/lines/4": {"line": 4, "rows": rows[:9]},
        "/memo": {"m": 1},
    }
    shelf = Shelf(docs, lambda doc: f'"{len(doc.body):x}-{int(doc.changed * 1e6):x}"', refusals("nl", "code"))
    front = fronts.nginx_gzip(stage, place.house(stage, shelf, "dienstregeling/2", "waitress"))
    me = stage.actor("client", front, "lijnen.tram.test", "node:axios", {"Accept-Encoding": "gzip"})
    place.reads(me, "/lines", "/healthz", "/memo")
    seen = me.get("/lines/11")
    place.holds(seen.etag.startswith("W/"), seen.etag)
    place.save(me, "/lines/11", seen, 412, rows=rows[:-1])
    place.edit(me, "/memo", m=2)
    place.pause(0.7)
    seen = me.get("/lines/11")
    place.save(me, "/lines/11", seen, 412, rows=rows[:-1])
    bare = me.get("/lines/11", 200, {"Accept-Encoding": "identity"})
    place.holds(f"W/{bare.etag}" == seen.etag, bare.etag)


@case(
    "d173",
    "nginx-line-empties-if-match",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "A line of nginx sets If-Match to nothing on its way to the origin. A vet's save with an outdated tag is 200 "
        "and a colleague's dose is gone; the colleague, who works past nginx, is refused with the tag of the own save."
    ),
)
def doses(stage: Stage) -> None:
    """Lose the guard at the edge."""
    docs: dict[str, Any] = {
        f"/animals/{n}": {"name": name, "dose": 2, "note": ""}
        for n, name in enumerate(("Bo", "Mia", "Rex"), 31)
    }
    docs |= place.side("/appointments", 3)
    shelf = Shelf(docs, lambda doc: f'"{doc.rev}"', refusals("de", "flat"))
    server = place.house(stage, shelf, "Tierkartei", "cheroot")
    front = fronts.nginx(stage, server, 'proxy_set_header If-Match "";')
    me = stage.actor("client", front, "kartei.tierarzt.test", "requests", {"X-User": "dr.lenz"})
    other = stage.actor("other", server, "intern.tierarzt.test", "httpx", {"X-User": "praxis"})
    place.reads(me, "/animals", "/animals/31")
    place.rounds(me, place.paths("/appointments", 3), 9, 173, "room")
    seen, theirs = me.get("/animals/32"), other.get("/animals/32")
    saved = place.save(other, "/animals/32", theirs, dose=4)
    place.pause()
    place.edit(me, "/animals/33", note="Krallen")
    place.holds(place.reads(me, "/animals", "/animals/32")[1].etag != seen.etag)
    place.save(me, "/animals/32", seen, 200, note="Impfung am 3.")
    place.holds(me.get("/animals/32").json["dose"] == 2, "nothing lost")
    place.save(other, "/animals/32", saved, 412, dose=5)


@case(
    "d174",
    "nginx-store-serves-the-old-rota",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "nginx keeps reads of a rota for half a minute and does not drop them when a save passes. The planner saves, "
        "reads the version of before (X-Cache-Status: HIT), and is refused with its tag, twice."
    ),
)
def rota(stage: Stage) -> None:
    """Read back through a store."""
    docs: dict[str, Any] = {
        f"/rota/{d}": {"day": d, "early": "Kos", "late": "Bem"} for d in ("mon", "tue", "wed")
    }
    docs |= place.side("/wards", 3)
    shelf = Shelf(docs, refuse=refusals("pl"), cache="public, max-age=30")
    server = place.house(stage, shelf, "Grafik/1.9", "waitress")
    front = fronts.nginx_cache(stage, server, 30, "add_header X-Cache-Status $upstream_cache_status always;")
    me = stage.actor("client", front, "grafik.szpital.test", "node:fetch", {"X-User": "oddzial-2"})
    for path in ("/rota/mon", "/rota/tue", "/rota/mon"):
        seen = me.get(path)
    place.glance(me, place.paths("/wards", 3), 7, 174)
    saved = place.save(me, "/rota/mon", seen, 200, late="Wit")
    for _ in range(2):
        place.pause(0.6)
        old = me.get("/rota/mon")
        place.holds(old.etag == seen.etag != saved.etag and old.fields["x-cache-status"] == "HIT", old.fields)
        place.save(me, "/rota/mon", old, 412, late="Wit", early="Zal")
    me.get("/rota/wed")


@case(
    "d175",
    "reads-go-to-the-second-database",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "HAProxy sends reads to a copy that is 1.4 seconds behind. After its own save, whose answer named the new "
        "tag, a ticket machine reads the version of before and is refused with it; later the read has caught up."
    ),
)
def machine(stage: Stage) -> None:
    """Read one's own write too early."""
    docs: dict[str, Any] = {
        f"/machines/{n}": {"id": n, "paper": 80, "coins": 120} for n in (901, 902, 903, 904)
    }
    first = Shelf(
        docs, lambda doc: f'"{doc.rev}-{int(doc.changed)}"', refusals("it", "code"), cache="no-store"
    )
    copy = Behind(first, 1.4, more={"X-Db-Role": "standby"})
    first.habits["more"] = {"X-Db-Role": "main"}
    writes = place.house(stage, first, "biglietti", "library", "main")
    front = fronts.split(stage, writes, place.house(stage, copy, "biglietti", "library", "standby"))
    me = stage.actor("client", front, "macchine.metro.test", "urllib", {"X-User": "m-902"})
    place.reads(me, "/machines", "/machines/901", "/machines/904")
    seen = me.get("/machines/902")
    saved = place.save(me, "/machines/902", seen, 200, paper=79)
    old = me.get("/machines/902")
    place.holds(old.etag == seen.etag, old.etag)
    place.save(me, "/machines/902", old, 412, paper=78, coins=124)
    place.pause(1.9)
    place.holds(me.get("/machines/902").etag == saved.etag)
    me.get("/machines/903")


@case(
    "d176",
    "two-apaches-and-their-inodes",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two Apaches with a copy of the same files each, FileETag with the inode, in turns behind HAProxy. Reads of "
        "one file alternate between two tags over equal bytes, and each guarded PUT comes to the other node: 412."
    ),
)
def inodes(stage: Stage) -> None:
    """Read from one node and write to the other."""
    files = {f"conf/{n}.ini": f"[{n}]\nlevel = 3\nowner = ops\n" for n in ("alpha", "beta", "gamma")}
    nodes = [place.dav(stage, files, "apache2", "FileETag INode MTime Size") for _ in range(2)]
    lines = " http-response set-header X-Served-By %s"
    me = stage.actor(
        "client", fronts.haproxy(stage, nodes, lines), "conf.rechenzentrum.test", "curl:trace-time"
    )
    tags = [me.get("/conf/beta.ini") for _ in range(4)]
    place.holds(len({one.etag for one in tags}) == 2, tags)
    me.get("/conf/alpha.ini")
    place.kept(me, "/conf/alpha.ini", me.get("/conf/alpha.ini"), 200)
    for level in (4, 4, 4):
        tag = me.get("/conf/beta.ini").etag
        me.put("/conf/beta.ini", f"[beta]\nlevel = {level}\nowner = ops\n", 412, {"If-Match": tag})
        place.pause(0.2)
    me.get("/conf/beta.ini")


@case(
    "d177",
    "envoy-tries-once-more",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412 lost-response-replay",
    description=(
        "Envoy has a timeout for each try and repeats. The origin stores a surveyor's plot but is slow to say so; "
        "the second try of the same request is 412, which is all that the client hears. The upstream file has both."
    ),
)
def plot(stage: Stage) -> None:
    """Let Envoy send a write twice."""
    docs: dict[str, Any] = {f"/plots/{n}": {"plot": n, "area": 400 + n, "marks": []} for n in (61, 62, 63)}
    docs |= place.side("/orders", 5)
    shelf = Shelf(docs, lambda doc: f'"{md5(doc.body, 16)}"', refusals("de", "xml"))
    slow = [1.1]

    def linger(path: str, doc: Doc) -> None:
        if path == "/plots/62" and slow:
            time.sleep(slow.pop())
        doc.media = "application/json"

    shelf.committed.append(linger)
    server = place.house(stage, shelf, "Kataster")
    route = ', retry_policy: {retry_on: "5xx,reset", num_retries: 2, per_try_timeout: 0.7s}'
    front = fronts.envoy(stage, [server], route=route, config="retry_on 5xx, per_try_timeout 0.7s")
    me = stage.actor("client", front, "kataster.amt.test", "java", {"X-User": "messtrupp-4"})
    place.reads(me, "/plots", "/plots/61")
    place.rounds(me, place.paths("/orders", 5), 14, 177, "remark")
    place.edit(me, "/plots/63", marks=["Stein NW"])
    seen = me.get("/plots/62")
    place.save(me, "/plots/62", seen, 412, marks=["Bolzen 1", "Bolzen 2", "auftrag 26-1187"])
    place.pause(0.4)
    place.holds("26-1187" in me.get("/plots/62").text, "not stored")


@case(
    "d178",
    "nginx-rewrites-links-and-drops-the-tag",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    also="token-missing",
    description=(
        "nginx rewrites links in JSON with sub_filter and so removes ETag and Last-Modified; the origin answers 428 to "
        "a write without a condition. The importer has nothing to send; the upstream file shows tag and date."
    ),
)
def links(stage: Stage) -> None:
    """Have no validator to send."""
    docs: dict[str, Any] = {
        f"/works/{n}": {"title": f"Opus {n}", "self": f"http://works.int/works/{n}", "keys": ["C"]}
        for n in range(5, 9)
    }
    shelf = Shelf(docs, lambda doc: f'"op-{doc.rev}"', refusals("es"), need=428)
    rules = (
        "sub_filter 'http://works.int' 'https://obras.archivo.test'; sub_filter_once off; sub_filter_types *;"
    )
    front = fronts.nginx(stage, place.house(stage, shelf, "archivo", "waitress"), rules)
    me = stage.actor("client", front, "obras.archivo.test", "requests", {"User-Agent": "importador/0.7"})
    me.get("/works")
    place.glance(me, ["/works/7", "/works/8", "/healthz"], 5, 178)
    for number in (5, 6):
        seen = me.get(f"/works/{number}")
        place.holds("etag" not in seen.fields, seen.fields)
        me.put(f"/works/{number}", {**seen.json, "keys": ["C", "G"]}, 428)
    me.send("PATCH", "/works/7", 428, body={"keys": ["D"]})
    me.put("/works/9", {"title": "Opus 9", "keys": []}, 201)
    me.get("/works/7")


@case(
    "d179",
    "nginx-judges-a-guarded-read-by-its-store",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    also="stale-cache-read",
    description=(
        "A player loads a channel list guarded by If-Match with the tag that its own save has just got. nginx judges "
        "the guard by the copy in its store and answers 412 as HTML; the origin never sees the read, and answers "
        "200 to the same read that comes past nginx."
    ),
)
def channels(stage: Stage) -> None:
    """Let a store judge a condition."""
    docs: dict[str, Any] = {
        f"/channels/{c}": {"name": c, "streams": ["a", "b"]} for c in ("news", "jazz", "sport")
    }
    shelf = Shelf(docs, refuse=refusals("en", "code"), cache="public, max-age=60")
    server = place.house(stage, shelf, "tuner/5")
    front = fronts.nginx_cache(stage, server, 60)
    me = stage.actor("client", front, "api.tuner.example", "curl:trace-ascii", {"X-User": "box-17"})
    other = stage.actor("other", server, "origin.tuner.example", "httpx", {"X-User": "ops"})
    place.reads(me, "/channels/news", "/channels/jazz")
    seen = me.get("/channels/news")
    saved = place.save(me, "/channels/news", seen, 200, streams=["a", "b", "hd"])
    place.pause(0.5)
    refused = me.get("/channels/news", 412, {"If-Match": saved.etag})
    place.holds("html" in refused.fields["content-type"], refused.fields)
    other.get("/channels/news", 200, {"If-Match": saved.etag})
    me.get("/channels/jazz")
    me.get("/channels/news", 412, {"If-Match": saved.etag})


@case(
    "d180",
    "a-slash-turned-the-save-into-a-read",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "nginx answers 302 to a path without its final slash. requests makes a GET of the PUT, gets 200 and takes it "
        "for success; the note is as before, while the save to the path with the slash is stored."
    ),
)
def slash(stage: Stage) -> None:
    """Write through a redirect."""
    docs: dict[str, Any] = {f"/notes/{n}/": {"id": n, "text": "…", "pinned": False} for n in (7, 8, 9)}
    shelf = Shelf(docs, lambda doc: f'"{doc.rev}"', refusals("fr", "flat"), quiet=True)
    server = place.house(stage, shelf, "carnet", "cheroot")
    rule = r"location ~ ^(/notes/\d+)$ { return 302 $1/; }"
    front = fronts.nginx(stage, server, block=rule)
    me = stage.actor("client", front, "carnet.lycee.test", "requests:follow", {"X-User": "cdi"})
    place.reads(me, "/notes", "/notes/8/")
    me.send(
        "PUT",
        "/notes/8/",
        204,
        {"If-Match": me.get("/notes/8/").etag},
        {"id": 8, "text": "vu", "pinned": False},
    )
    seen = me.get("/notes/7/")
    me.put("/notes/7", {"id": 7, "text": "réunion à 14 h", "pinned": True}, 200, {"If-Match": seen.etag})
    place.pause(0.8)
    place.holds(not me.get("/notes/7/").json["pinned"], "stored")
    me.get("/notes/9/")
