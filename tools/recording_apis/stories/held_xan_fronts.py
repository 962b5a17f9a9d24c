"""Unseen recordings: real intermediaries before real servers."""

from __future__ import annotations

import json
import shutil
import threading
import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_xan_setting as lab

if TYPE_CHECKING:
    from pathlib import Path

    from tools.recording_apis.stage import Stage


@case(
    "e200",
    "a-line-in-the-virtual-host",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "Apache before Radicale unsets If-Match and If-None-Match on requests, a line left from a static site. A stale "
        "save through it is 204 and the other planner's alarm is gone; past Apache the stale tag is 412."
    ),
)
def virtual_host(stage: Stage) -> None:
    """Lose conditions at the proxy."""
    days = {f"tour-{n}.ics": lab.event(f"tour-{n}", f"Tour {n}", f"2026121{n}T070000Z") for n in range(1, 5)}
    server = lab.calendar(stage, "touren.alpin.test", "/alpin/touren/", days)
    front = fronts.apache(stage, server, "RequestHeader unset If-Match\nRequestHeader unset If-None-Match")
    me = stage.actor(
        "client",
        front,
        "touren.alpin.test",
        "requests",
        {**lab.basic("alpin"), "User-Agent": "Tourenbuch/2.2"},
    )
    other = stage.actor("other", server, "direkt.alpin.test", "aiohttp", lab.basic("alpin"))
    media = {"Content-Type": "text/calendar; charset=utf-8"}
    lab.listing(me, "/alpin/touren/")
    seen, theirs = me.get("/alpin/touren/tour-2.ics"), other.get("/alpin/touren/tour-2.ics")
    body = lab.event("tour-2", "Tour 2", "20261212T070000Z", "COMMENT:Lawinenlage 3")
    mine = other.put("/alpin/touren/tour-2.ics", body, 204, {**media, "If-Match": theirs.etag})
    other.put(
        "/alpin/touren/tour-3.ics",
        lab.event("tour-3", "T3", "20261213T070000Z"),
        412,
        {**media, "If-Match": theirs.etag},
    )
    lab.wait(1.1)
    lab.sure(mine.etag in lab.listing(me, "/alpin/touren/").text.replace("&quot;", '"'))
    me.get("/alpin/touren/tour-1.ics")
    me.put(
        "/alpin/touren/tour-2.ics",
        seen.text.replace("SUMMARY:Tour 2", "SUMMARY:Tour 2 (Nord)"),
        204,
        {**media, "If-Match": seen.etag},
    )
    lab.sure("Lawinen" not in me.get("/alpin/touren/tour-2.ics").text)


@case(
    "e219",
    "brotli-signs-the-tag",
    "etag-suffix-rewrite",
    "400",
    alone="etag-suffix-rewrite",
    description=(
        "Apache's mod_brotli puts -br into the tags of Kinto's records. A save with such a tag is 400 (Invalid value "
        "for If-Match); the identity read shows the same digits bare, and the save with them is taken."
    ),
)
def brotli(stage: Stage) -> None:
    """Send a tag with a coding's suffix to Kinto."""
    text = " ".join(f"Satz {n} des Protokolls über den Bestand." for n in range(30))
    notes: dict[str, object] = {f"blatt-{n}": {"titel": f"Blatt {n}", "text": text} for n in range(1, 4)}
    server = lab.kinto(stage, "archiv", "blaetter", notes, "archiv.museum.test")
    front = fronts.apache(stage, server, "SetOutputFilter BROTLI_COMPRESS")
    base = "/v1/buckets/archiv/collections/blaetter/records"
    own = {**lab.KINTO_ONE, "Accept-Encoding": "br, gzip"}
    me = stage.actor("client", front, "archiv.museum.test", "node:axios", own)
    me.get("/v1/")
    me.get(f"{base}?_limit=2")
    for _ in range(2):
        seen = me.get(f"{base}/blatt-2")
        lab.sure(seen.etag.endswith('-br"'), seen.etag)
        me.send(
            "PATCH", f"{base}/blatt-2", 400, {"If-Match": seen.etag}, {"data": {"titel": "Blatt 2 (neu)"}}
        )
        lab.wait(0.6)
    plain = me.get(f"{base}/blatt-2", 200, {"Accept-Encoding": "identity"})
    lab.sure(plain.etag == seen.etag.replace("-br", ""), plain.etag)
    me.send("PATCH", f"{base}/blatt-2", 200, {"If-Match": plain.etag}, {"data": {"titel": "Blatt 2 (neu)"}})
    me.get(f"{base}/blatt-3")


@case(
    "e233",
    "varnish-squeezes-the-protocols",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "Varnish compresses what lighttpd's WebDAV serves (do_gzip) and makes the tag weak. Saves with it are 412; read "
        "with identity the tag is strong, and the save with that is stored."
    ),
)
def squeezed(stage: Stage) -> None:
    """Send a tag that Varnish has weakened."""
    body = "".join(f"{n:03} Messpunkt {n}, in Ordnung\n" for n in range(120))
    files = {f"protokoll/{n}.txt": f"Anlage {n}\n{body}" for n in ("k1", "k2", "k3")}
    server = lab.dav(stage, "lighttpd", files)
    vcl = (
        "sub vcl_recv { return (pass); }\nsub vcl_backend_response { "
        'if (bereq.http.Accept-Encoding ~ "gzip") { set beresp.do_gzip = true; } }'
    )
    front = fronts.varnish(stage, server, vcl)
    me = stage.actor("client", front, "pruefung.anlagen.test", "requests", {"User-Agent": "Pruefmappe/4"})
    listed = lab.listing(me, "/protokoll/")
    lab.sure("k2" in listed.text)
    for _ in range(2):
        seen = me.get("/protokoll/k2.txt")
        lab.sure(seen.etag.startswith("W/"), seen.etag)
        me.put(
            "/protokoll/k2.txt",
            seen.text.replace("007 Messpunkt 7, in Ordnung", "007 Messpunkt 7, UNDICHT"),
            412,
            {"If-Match": seen.etag},
        )
        lab.wait(0.7)
    bare = me.get("/protokoll/k2.txt", 200, {"Accept-Encoding": "identity"})
    lab.sure(f"W/{bare.etag}" == seen.etag)
    me.put(
        "/protokoll/k2.txt",
        bare.text.replace("007 Messpunkt 7, in Ordnung", "007 Messpunkt 7, UNDICHT"),
        (200, 204),
        {"If-Match": bare.etag},
    )
    me.get("/protokoll/k3.txt")


@case(
    "e208",
    "the-store-answers-the-board",
    "stale-cache-read",
    "stale-read",
    alone="stale-cache-read",
    description=(
        "nginx keeps what it read for 25 seconds (X-Proxy-Cache). A captain stores the crew list through it, the answer "
        "names the new tag, and each read after it is a HIT of the list before; polls with the old tag are 304. Read "
        "past the store (another query) the new list is there."
    ),
)
def crew(stage: Stage) -> None:
    """Read back from a store."""
    seed = {
        f"veneet/{n}": {"vene": n, "miehisto": ["Aino", "Pekka"], "lahto": "10:00"}
        for n in ("hirvi", "ilves", "mayra")
    }
    server = lab.django(stage, json.dumps(seed))
    front = fronts.nginx_cache(stage, server, 25, "add_header X-Proxy-Cache $upstream_cache_status;")
    me = stage.actor("client", front, "regatta.purje.test", "node:fetch", {"User-Agent": "Osallistujat/8"})
    me.get("/veneet/ilves")
    me.get("/veneet/ilves")
    seen = me.get("/veneet/hirvi")
    saved = me.put(
        "/veneet/hirvi", {**seen.json, "miehisto": ["Aino", "Pekka", "Tim"]}, 200, {"If-Match": seen.etag}
    )
    lab.sure(saved.etag != seen.etag)
    lab.wait(0.7)
    old = me.get("/veneet/hirvi")
    lab.sure(old.etag == seen.etag and old.fields["x-proxy-cache"] == "HIT", old.fields)
    me.get("/veneet/hirvi", 304, {"If-None-Match": old.etag})
    me.get("/veneet/mayra")
    lab.wait(0.9)
    old = me.get("/veneet/hirvi")
    lab.sure("Tim" not in old.json["miehisto"])
    lab.sure("Tim" in me.get("/veneet/hirvi?_=1").json["miehisto"])


@case(
    "e239",
    "the-pin-that-the-store-overlooks",
    "cache-misevaluates",
    "wrong-200",
    alone="cache-misevaluates",
    description=(
        "A rollout pins the configuration with If-Match on its read, so that a change would stop it. The configuration "
        "changes; Varnish serves its stored copy of the new one as 200 under another tag than the pinned one, with Age, "
        "and never asks Apache, which answers such a read with 412."
    ),
)
def pin(stage: Stage) -> None:
    """Pin a read before a store."""
    files = {f"conf/{n}.ini": f"[{n}]\nstufe=1\n" for n in ("ampel", "schranke", "anzeige")}
    server = lab.dav(stage, "apache2", files)
    vcl = "sub vcl_backend_response { set beresp.ttl = 3s; set beresp.grace = 0s; set beresp.keep = 0s; }"
    front = fronts.varnish(stage, server, vcl)
    me = stage.actor("client", front, "conf.verkehr.test", "httpx", {"User-Agent": "rollout/5.0"})
    other = stage.actor("other", front, "conf.verkehr.test", "requests", {"User-Agent": "leitstand/2"})
    me.get("/conf/schranke.ini")
    seen = me.get("/conf/ampel.ini")
    me.get("/conf/ampel.ini", 200, {"If-Match": seen.etag})
    other.put("/conf/ampel.ini", "[ampel]\nstufe=2\nblinken=ja\n", 204, {"If-Match": seen.etag})
    lab.wait(3.6)
    other.get("/conf/ampel.ini")
    lab.wait(1.1)
    for _ in range(2):
        got = me.get("/conf/ampel.ini", 200, {"If-Match": seen.etag})
        lab.sure(got.etag != seen.etag and int(got.fields["age"]) >= 1, got.fields)
        me.get("/conf/anzeige.ini")
        lab.wait(0.3)
    asked = [one.request.method for one in stage.taps["upstream"].recorded]
    lab.sure(len(asked) < 8, asked)


@case(
    "e204",
    "two-nodes-two-mtimes",
    "inconsistent-backends",
    "wasted-200",
    alone="inconsistent-backends",
    description=(
        "Traefik takes turns with two nginx nodes whose files were unpacked at different times: the same bytes under "
        "two tags, by X-Node. Polls of the signage players miss every time they meet the other node."
    ),
)
def nodes(stage: Stage) -> None:
    """Poll two nodes in turns."""
    text = "".join(f"folie {n}: Angebot {n}\n" for n in range(60))
    files = {"playlist.txt": text, "logo.txt": "LOGO\n"}
    first = fronts.site(stage, "nginx", files, "add_header X-Node b-07;", 86400.0)
    second = fronts.site(stage, "nginx", files, "add_header X-Node b-11;", 86400.0 - 48.0)
    front = fronts.traefik(stage, (first, second))
    me = stage.actor("client", front, "signage.markt.test", "java")
    tag, seen = me.get("/playlist.txt").etag, []
    for step in range(7):
        lab.wait(0.3)
        if step == 3:
            me.get("/logo.txt")
        got = me.send("GET", "/playlist.txt", (200, 304), {"If-None-Match": tag})
        tag = got.etag
        seen.append(got.status)
    lab.sure(seen.count(200) >= 4, seen)


def _copied(source: Path, target: Path, ends: threading.Event, late: float) -> None:
    """Copy files to a second node, each version so much later."""
    known: dict[str, float] = {}
    while not ends.wait(0.05):
        for one in source.rglob("*"):
            if one.is_file():
                moment = one.stat().st_mtime
                if moment != known.get(one.name) and time.time() - moment > late:
                    known[one.name] = moment
                    shutil.copy2(one, target / one.relative_to(source))


@case(
    "e226",
    "the-copy-comes-by-rsync",
    "replica-lag",
    "stale-read",
    alone="replica-lag",
    description=(
        "HAProxy sends reads to a second lighttpd that gets its files 2.5 seconds late. After each own save, whose answer "
        "names the new tag, the editor reads the version before, without marks of a cache, and later its own."
    ),
)
def late_copy(stage: Stage) -> None:
    """Read one's own save too early."""
    files = {f"blog/{n}.txt": f"# Beitrag {n}\n\nText {n}.\n" for n in range(1, 5)}
    lines = 'etag.use-inode = "disable"'
    writer = lab.dav(stage, "lighttpd", files, lines)
    reader = lab.dav(stage, "lighttpd", files, lines)
    for one in writer.directory.rglob("*.txt"):
        shutil.copy2(one, reader.directory / one.relative_to(writer.directory))
    ends = threading.Event()
    copier = threading.Thread(target=_copied, args=(writer.directory, reader.directory, ends, 2.5))
    copier.start()
    try:
        front = fronts.split(stage, writer, reader)
        me = stage.actor(
            "client",
            front,
            "blog.werft.test",
            "aiohttp",
            {"User-Agent": "Schreibtisch/1", "Content-Type": "text/plain; charset=utf-8"},
        )
        me.get("/blog/1.txt")
        seen = me.get("/blog/3.txt")
        for text in ("Text 3, neu.", "Text 3, neu und länger."):
            saved = me.put(
                "/blog/3.txt", f"# Beitrag 3\n\n{text}\n", (200, 201, 204), {"If-Match": seen.etag}
            )
            lab.sure(saved.fields.get("etag") not in {None, seen.etag}, saved.fields)
            lab.wait(0.5)
            old = me.get("/blog/3.txt")
            lab.sure(old.etag == seen.etag, old.etag)
            me.get("/blog/2.txt")
            lab.wait(1.0)
            me.get("/blog/3.txt", 304, {"If-None-Match": seen.etag})
            lab.wait(2.2)
            seen = me.get("/blog/3.txt")
            lab.sure(seen.etag == saved.etag, seen.etag)
    finally:
        ends.set()
        copier.join()


@case(
    "e230",
    "haproxy-asks-twice",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412",
    description=(
        "HAProxy with retry-on response-timeout sends a save to Django again, whose first answer takes its time: one "
        "request of the client, two at the origin, and the client is told 412 about what it has just stored."
    ),
)
def asks_twice(stage: Stage) -> None:
    """Repeat a write at the proxy."""
    seed = {
        f"bazen/{n}": {"bazen": n, "chlor_mg": 0.4, "kdo": ""} for n in ("sportovni", "detsky", "venkovni")
    }
    server = lab.django(stage, json.dumps(seed), LATE="1.9", LATE_ONCE="detsky", DATES="1")
    front = fronts.haproxy(
        stage, [server], " retries 2\n retry-on conn-failure response-timeout\n timeout server 800"
    )
    me = stage.actor(
        "client", front, "koupaliste.mesto.test", "requests", {"User-Agent": "KnihaBazenu/3 (pokladna-1)"}
    )
    me.get("/bazen")
    seen = me.get("/bazen/sportovni")
    me.put(
        "/bazen/sportovni", {**seen.json, "chlor_mg": 0.5, "kdo": "jana 07:10"}, 200, {"If-Match": seen.etag}
    )
    seen = me.get("/bazen/detsky")
    lab.wait(0.6)
    me.put("/bazen/detsky", {**seen.json, "chlor_mg": 0.6, "kdo": "jana 07:14"}, 412, {"If-Match": seen.etag})
    lab.wait(0.4)
    now = me.get("/bazen/detsky")
    lab.sure(now.json["kdo"] == "jana 07:14")
    me.get("/bazen/venkovni")
    lab.wait(2.0)
    puts = [
        one
        for one in stage.taps["upstream"].recorded
        if one.request.start_line.startswith("PUT /bazen/detsky")
    ]
    lab.sure(len(puts) == 2, len(puts))


@case(
    "e235",
    "moved-permanently-and-half-forgotten",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "nginx sends the old addresses of a store to the new ones with 301. requests follows a POST with GET: no body, no "
        "guard, a list with 200, and the entry that the client believes stored is in no list."
    ),
)
def moved(stage: Stage) -> None:
    """Follow a redirect of a write."""
    entries: dict[str, object] = {f"e{n}": {"tag": f"2026-11-{n:02}", "regen": n} for n in range(20, 24)}
    server = lab.kinto(stage, "wetter", "eintraege", entries, "wetter.schule.test")
    block = "location /api/ { rewrite ^/api/(.*)$ http://wetter.schule.test/v1/buckets/wetter/collections/$1 permanent; }"
    front = fronts.nginx(stage, server, "", "", block)
    me = stage.actor(
        "client",
        front,
        "wetter.schule.test",
        "requests:follow",
        {**lab.KINTO_ONE, "User-Agent": "Wetterbuch/1.1"},
    )
    seen = me.get("/api/eintraege/records")
    me.get("/v1/buckets/wetter/collections/eintraege/records/e21")
    lab.wait(0.4)
    body = {"data": {"id": "e24", "tag": "2026-11-24", "regen": 9}}
    got = me.send("POST", "/api/eintraege/records", 200, {"If-Match": seen.etag}, body)
    lab.sure(len(got.json["data"]) == 4, got.text)
    lab.wait(0.6)
    me.get("/v1/buckets/wetter/collections/eintraege/records?tag=2026-11-24")
    me.get("/api/eintraege/records")


@case(
    "e221",
    "the-filter-dislikes-a-word",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "HAProxy before Express answers any body with a script element by a page of its own and 412, with an incident "
        "number. The save has no condition, the same card without the snippet is stored, and the origin never saw it."
    ),
)
def filtered(stage: Stage) -> None:
    """Send what a filter dislikes."""
    seed = {f"pagina-{n}": {"titel": f"Pagina {n}", "html": "<p>Welkom</p>"} for n in (1, 2, 3)}
    server = lab.express(stage, MODE="plain", SEED=json.dumps(seed))
    page = "<html><head><title>Request rejected</title></head><body><h1>Request rejected</h1><p>Incident 77-4-1b9e</p></body></html>"
    rule = (
        " option http-buffer-request\n"
        f" http-request return status 412 content-type text/html string '{page}' if METH_PUT "
        "{ req.body -m sub -i <script }"
    )
    front = fronts.haproxy(stage, [server], "", rule)
    me = stage.actor("client", front, "sitebouwer.club.test", "node:axios", {"X-Session": "s-9912"})
    me.get("/api/cards")
    seen = me.get("/api/cards/pagina-2").json
    html = "<p>Welkom</p><script src='teller.js'></script>"
    me.put("/api/cards/pagina-2", {**seen, "html": html}, 412)
    lab.wait(0.7)
    me.get("/api/cards/pagina-2")
    me.put("/api/cards/pagina-2", {**seen, "titel": "Start", "html": html}, 412)
    me.put("/api/cards/pagina-2", {**seen, "titel": "Start"}, 200)
    me.get("/api/cards/pagina-3")
