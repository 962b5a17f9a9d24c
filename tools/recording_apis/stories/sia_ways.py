"""Encoders, rules, caches and balancers on the way between clients and real stores."""

from __future__ import annotations

import threading
import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import sia_setting as lab
from tools.recording_apis.stories import sia_stores as stores

_JSON = {"Content-Type": "application/json"}


@case(
    "d034",
    "sia-deflated-tag-comes-back",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache with mod_deflate stands before a WebDAV share on lighttpd. Compressed reads carry the tag with -gzip "
        "inside the quotes; a PUT with it is refused by the share, and an identity read shows the same tag without."
    ),
)
def deflated(stage: Stage) -> None:
    """Send the tag with Apache's suffix."""
    files = {f"rezepte/r{n}.json": '{"teig":[' + "500,10," * 60 + f"{n}]}}" for n in range(1, 6)}
    server = lab.shares(stage, "lighttpd", files)
    front = fronts.apache(stage, server, "SetOutputFilter DEFLATE")
    me = stage.actor("client", front, "rezepte.baeckerei.test", "requests", lab.GZIP)
    with lab.beside(stage, front, "app.baeckerei.test", ["/rezepte/r5.json"]):
        lab.propfind(me, "/rezepte/", **lab.PLAIN)
        lab.poll(me, lab.names("/rezepte", "r1.json", "r2.json"), 1)
        seen = me.get("/rezepte/r3.json")
        lab.must("-gzip" in seen.etag, seen.etag)
        me.put("/rezepte/r3.json", '{"teig":[480,12]}', 412, {"If-Match": seen.etag, **_JSON})
        me.get("/rezepte/r4.json")
        plain = me.get("/rezepte/r3.json", 200, lab.PLAIN)
        me.put("/rezepte/r3.json", '{"teig":[480,12]}', (200, 204), {"If-Match": plain.etag, **_JSON})


@case(
    "d035",
    "sia-caddy-before-the-minutes",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Caddy encodes what WsgiDAV serves; the tags end in -gzip inside the quotes. Conditional reads with them work, "
        "changes are refused, twice, and nobody else changes the minutes."
    ),
)
def caddy(stage: Stage) -> None:
    """Send the tag with Caddy's suffix."""
    note = "TOP: Bitte Zeiten einhalten und nach dem Spiel abziehen.\n" * 14
    server = lab.wsgidav(stage, {f"protokoll/p{n}.txt": f"Sitzung {n}\n{note}" for n in range(1, 5)})
    front = fronts.caddy(stage, server, "encode gzip")
    me = stage.actor(
        "client", front, "protokoll.tennis.test", "node:axios", {**lab.signed("platz"), **lab.GZIP}
    )
    lab.propfind(me, "/protokoll/")
    seen = me.get("/protokoll/p2.txt")
    lab.must(seen.etag.endswith('-gzip"'), seen.etag)
    me.get("/protokoll/p2.txt", 304, {"If-None-Match": seen.etag})
    for _ in range(2):
        guard = {"Content-Type": "text/plain", "If-Match": me.get("/protokoll/p2.txt").etag}
        me.put("/protokoll/p2.txt", f"Sitzung 2\n{note}Beschlossen.\n", 412, guard)
        time.sleep(0.4)
    lab.propfind(me, "/protokoll/")


@case(
    "d036",
    "sia-nginx-weakens-kinto",
    "etag-weakened",
    "400",
    alone="etag-weakened",
    description=(
        "nginx compresses Kinto's answers and turns their tags into weak ones. Kinto takes such an If-Match for an "
        "invalid header (400); the record's own timestamp, and an identity read, give the strong form, which passes."
    ),
)
def weakened(stage: Stage) -> None:
    """Send Kinto a tag that nginx has weakened."""
    devices = {f"d{n}": {"name": f"Gerät {n}", "note": "prüfen " * 20} for n in range(1, 6)}
    server, base = stores.kinto(stage, "devices.lab.test", "lab/devices", devices)
    front = fronts.nginx_gzip(stage, server)
    me = stage.actor("client", front, "devices.lab.test", "requests", {**lab.signed("redaktion"), **lab.GZIP})
    me.get("/v1/")
    me.get(base)
    lab.stroll(me, lab.names(base, "d1", "d2", "d5"), 5, 81)
    seen = me.get(f"{base}/d4")
    lab.must(seen.etag.startswith("W/"), seen.etag)
    body = {"data": {"name": "Gerät 4", "note": "geprüft"}}
    me.put(f"{base}/d4", body, 400, {"If-Match": seen.etag})
    me.put(f"{base}/d4", body, 400, {"If-Match": me.get(f"{base}/d4").etag})
    plain = me.get(f"{base}/d4", 200, lab.PLAIN)
    me.put(f"{base}/d4", body, 200, {"If-Match": plain.etag, **lab.PLAIN})


@case(
    "d037",
    "sia-balancer-compresses-the-share",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "HAProxy compresses what a WebDAV share on Apache serves and makes the tags weak. The editor's PUT with the "
        "weak tag is refused three times; the listing, uncompressed, has the same value without W/."
    ),
)
def compressed(stage: Stage) -> None:
    """Send Apache a tag that HAProxy has weakened."""
    files = {f"akten/a{n}.txt": f"Akte {n}\n" + "Zeile mit Text\n" * 60 for n in range(1, 5)}
    server = lab.shares(stage, "apache2", files)
    front = fronts.haproxy(stage, [server], " compression algo gzip\n compression type text/plain")
    me = stage.actor("client", front, "akten.kanzlei.test", "httpx", lab.signed("ra"))
    lab.propfind(me, "/akten/")
    for _ in range(3):
        seen = me.get("/akten/a2.txt", 200, lab.GZIP)
        lab.must(seen.etag.startswith("W/"), seen.etag)
        me.put(
            "/akten/a2.txt", "Akte 2\nerledigt\n", 412, {"If-Match": seen.etag, "Content-Type": "text/plain"}
        )
        time.sleep(0.3)
    plain = me.get("/akten/a2.txt", 200, lab.PLAIN)
    lab.must(f"W/{plain.etag}" == seen.etag)
    lab.propfind(me, "/akten/")


@case(
    "d038",
    "sia-proxy-clears-if-match",
    "precondition-stripped",
    "lost-update",
    alone="none precondition-stripped",
    description=(
        "nginx clears If-Match before it passes requests on to a share on lighttpd. A writer's outdated PUT, which "
        "carries If-Match, is stored over a colleague's; the share's own file shows the PUT without the field."
    ),
)
def cleared(stage: Stage) -> None:
    """If-Match does not arrive."""
    files = {f"dienst/tag-{n}.txt": f"Tag {n}\nFrüh: Amsel\nSpät: Buchfink\n" for n in range(1, 5)}
    server = lab.shares(stage, "lighttpd", files)
    front = fronts.nginx(stage, server, 'proxy_set_header If-Match "";')
    me = stage.actor("client", front, "dienst.klinik.test", "requests", lab.signed("station-3"))
    other = stage.actor("other", front, "dienst.klinik.test", "aiohttp", lab.signed("station-5"))
    with lab.beside(stage, front, "tafel.klinik.test", ["/dienst/tag-4.txt", "/dienst/tag-3.txt"]):
        lab.propfind(me, "/dienst/")
        lab.chores(me, lab.names("/dienst", "tag-1.txt", "tag-3.txt"), 5, 80, 204)
        seen = me.get("/dienst/tag-2.txt")
        theirs = other.get("/dienst/tag-2.txt")
        me.get("/dienst/tag-1.txt")
        text = {"Content-Type": "text/plain"}
        other.put(
            "/dienst/tag-2.txt",
            theirs.text + "Nacht: Drossel\n",
            (200, 204),
            {"If-Match": theirs.etag, **text},
        )
        time.sleep(1.2)
        mine = seen.text.replace("Amsel", "Zaunkönig")
        me.put("/dienst/tag-2.txt", mine, (200, 204), {"If-Match": seen.etag, **text})
        me.get("/dienst/tag-3.txt")
        lab.must("Drossel" not in me.get("/dienst/tag-2.txt").text)


@case(
    "d040",
    "sia-nginx-store-outlives-the-write",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "nginx stores reads of Kinto records for a minute and keeps them after writes. After its own change the "
        "client reads the record through the cache (X-Cache: HIT), gets the version before, and its next change fails."
    ),
)
def outlived(stage: Stage) -> None:
    """One's own write is not in the cache."""
    shelves = {f"w{n}": {"shelf": f"W{n}", "count": n * 10} for n in range(1, 5)}
    server, base = stores.kinto(stage, "store.lab.test", "depot/shelves", shelves)
    lines = (
        "proxy_ignore_headers Cache-Control Expires Vary; add_header X-Cache $upstream_cache_status always;"
    )
    front = fronts.nginx_cache(stage, server, 60, lines)
    me = stage.actor("client", front, "store.lab.test", "curl", lab.signed("redaktion"))
    seen = me.get(f"{base}/w2")
    me.get(f"{base}/w3")
    made = me.put(f"{base}/w2", {"data": {"shelf": "W2", "count": 19}}, 200, {"If-Match": seen.etag})
    time.sleep(0.5)
    again = me.get(f"{base}/w2")
    lab.must(again.fields["x-cache"] == "HIT" and again.etag == seen.etag != made.etag)
    me.put(f"{base}/w2", {"data": {"shelf": "W2", "count": 18}}, 412, {"If-Match": again.etag})
    lab.must(me.get(f"{base}/w2").etag == seen.etag)
    lab.must(me.get(f"{base}/w2?_=4711").etag == made.etag)


@case(
    "d041",
    "sia-mod-cache-and-a-side-door",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    also="other-writer",
    description=(
        "Apache's mod_cache stores a catalogue's pages for two minutes. The buyers' program writes to the origin "
        "directly; the shop's reads through the cache (Age) keep the old tag and its changes are refused until it "
        "asks with no-cache."
    ),
)
def side_door(stage: Stage) -> None:
    """A writer that does not pass the cache."""
    docs = {f"/catalogue/{n}": lab.doc(item=n, price=n * 1.5, stock=9) for n in range(10, 16)}
    server = lab.bench(stage, docs, "stdlib", tag="size", store="max-age=120, public", voice="text")
    cache = 'CacheEnable disk "/"\nCacheRoot DIR/store\nCacheHeader on\nCacheIgnoreQueryString Off'
    front = fronts.apache(stage, server, cache)
    me = stage.actor("client", front, "catalogue.laden.test", "java")
    other = stage.actor("other", server, "catalogue.laden.test", "httpx", {"User-Agent": "buyer"})
    lab.poll(me, lab.names("/catalogue", "11", "12"), 2)
    first = me.get("/catalogue/13")
    lab.edit(other, "/catalogue/13", price=21.0)
    time.sleep(1.3)
    held = me.get("/catalogue/13")
    lab.must(held.etag == first.etag and "age" in held.fields, held.fields)
    me.put("/catalogue/13", {**held.json, "stock": 4}, 412, {"If-Match": held.etag})
    fresh = me.get("/catalogue/13", 200, {"Cache-Control": "no-cache"})
    lab.must(fresh.json["price"] == 21.0)
    lab.poll(me, lab.names("/catalogue", "14", "15"), 1)


@case(
    "d042",
    "sia-poller-gets-304-for-the-old-board",
    "stale-cache-read",
    "wrong-304",
    alone="stale-cache-read cache-misevaluates none",
    also="cache-misevaluates",
    description=(
        "Varnish keeps a departure board for two minutes. The board's editor changes it at the origin; the display "
        "polls with If-None-Match and is told 304 by the cache although the board has changed."
    ),
)
def board(stage: Stage) -> None:
    """304 for what has changed."""
    docs = {
        "/board/a": lab.doc(track=1, rows=["09:10 Ost", "09:40 West"]),
        "/board/b": lab.doc(track=2, rows=[]),
    }
    server = lab.bench(stage, docs, "flask", tag="crc")
    front = fronts.varnish(
        stage, server, "sub vcl_backend_response { set beresp.ttl = 120s; unset beresp.http.Cache-Control; }"
    )
    me = stage.actor("client", front, "board.bahnhof.test", "requests", {"User-Agent": "display/2"})
    other = stage.actor("other", server, "board.bahnhof.test", "requests", lab.signed("leitstelle"))
    first = me.get("/board/a")
    me.get("/board/b")
    changed = lab.edit(other, "/board/a", rows=["09:25 Ost (verspätet)", "09:40 West"])
    for _ in range(3):
        time.sleep(0.5)
        me.get("/board/a", 304, {"If-None-Match": first.etag})
    lab.must(other.get("/board/a").etag == changed.etag != first.etag)
    lab.must(me.get("/board/a").etag == first.etag)


@case(
    "d043",
    "sia-replicated-share-is-behind",
    "replica-lag",
    "412",
    alone="replica-lag stale-cache-read",
    description=(
        "HAProxy sends reads of a share to a second lighttpd that a copy job follows up every second and a half. "
        "Right after its own PUT the client reads the old file there and its next PUT is refused; a little later "
        "the read shows its own version."
    ),
)
def lagging(stage: Stage) -> None:
    """Read one's own write too early."""
    files = {f"seiten/s{n}.txt": f"Seite {n}\n" for n in range(1, 6)}
    even = 'etag.use-inode = "disable"'
    writes = lab.shares(stage, "lighttpd", files, even)
    reads = lab.shares(stage, "lighttpd", files, even)
    lab.mirror(writes.directory, reads.directory)
    front = fronts.split(stage, writes, reads)
    me = stage.actor("client", front, "seiten.redaktion.test", "httpx", lab.signed("autorin"))
    lab.poll(me, [f"/seiten/s{n}.txt" for n in (1, 3)], 1)
    lab.stroll(me, lab.names("/seiten", "s4.txt", "s5.txt"), 6, 82)
    seen = me.get("/seiten/s2.txt")
    text = {"Content-Type": "text/plain"}
    stored = me.put("/seiten/s2.txt", "Seite 2\nneu\n", (200, 204), {"If-Match": seen.etag, **text})
    job = threading.Timer(1.5, lab.mirror, (writes.directory, reads.directory))
    job.start()
    early = me.get("/seiten/s2.txt")
    lab.must(early.etag == seen.etag != stored.fields.get("etag"), (early.etag, stored.fields))
    me.put("/seiten/s2.txt", "Seite 2\nneu\nmehr\n", 412, {"If-Match": early.etag, **text})
    job.join()
    time.sleep(1.2)
    now = me.get("/seiten/s2.txt")
    lab.must(now.text == "Seite 2\nneu\n")
    me.get("/seiten/s4.txt")


@case(
    "d044",
    "sia-two-downloads-nodes-two-inodes",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two Apache nodes behind HAProxy hold the same files, and their tags have the inode in them. A download in "
        "ranges with If-Match is refused by every second node; the bytes and the dates are the same."
    ),
)
def inodes(stage: Stage) -> None:
    """Every second range is refused."""
    body = "".join(f"{n:06d} paket\n" for n in range(1200))
    nodes = []
    for number in (1, 2):
        mark = f"FileETag INode MTime Size\nHeader set X-Node dl{number}"
        nodes.append(
            fronts.site(stage, "apache2", {"pool/image.txt": body, "pool/list.txt": "image.txt\n"}, mark)
        )
    lab.mirror(nodes[0].directory, nodes[1].directory)
    front = fronts.haproxy(stage, nodes)
    me = stage.actor("client", front, "pool.mirror.test", "urllib", {"User-Agent": "fetcher/1.0"})
    me.get("/pool/list.txt")
    first = me.get("/pool/image.txt", 206, {"Range": "bytes=0-3999"})
    tags = {first.etag}
    for part in (1, 2, 3):
        span = f"bytes={part * 4000}-{part * 4000 + 3999}"
        got = me.send("GET", "/pool/image.txt", (206, 412), {"Range": span, "If-Match": first.etag})
        if got.status == 412:
            tags.add(me.send("HEAD", "/pool/image.txt", 200).etag)
    for _ in range(3):
        tags.add(me.send("HEAD", "/pool/image.txt", 200).etag)
    lab.must(len(tags) == 2, tags)
    lab.must(412 in [one.response.status for one in stage.taps["client"].recorded if one.response])
