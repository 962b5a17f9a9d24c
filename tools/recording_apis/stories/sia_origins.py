"""How origins make tags, judge conditions and store what they have judged."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import sia_setting as lab

_TEXT = {"Content-Type": "text/plain"}


@case(
    "d010",
    "sia-tag-of-the-moment",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "A service puts the time of rendering into its tags. Two reads in a row give the same bytes under two tags, no "
        "conditional read is ever answered 304, and every guarded change is refused."
    ),
)
def moment(stage: Stage) -> None:
    """Tags that change with every read."""
    docs = {f"/gauges/{n}": lab.doc(gauge=n, low=n * 2, high=n * 9, unit="mbar") for n in range(1, 7)}
    server = lab.bench(stage, docs, "flask", tag="long", drift=True, dateless=True, voice="problem")
    me = stage.actor("client", server, "gauges.vakuum.test", "node:fetch", lab.signed("prozess"))
    lab.stroll(me, lab.names("/gauges", "1", "2", "6"), 8, 10)
    for n in (3, 5):
        first, second = me.get(f"/gauges/{n}"), me.get(f"/gauges/{n}")
        lab.must(first.body == second.body and first.etag != second.etag)
        me.get(f"/gauges/{n}", 200, {"If-None-Match": second.etag})
        me.put(f"/gauges/{n}", {**second.json, "high": 99}, 412, {"If-Match": second.etag})
        time.sleep(0.2)
    lab.must(me.get("/gauges/3").json["high"] == 27)


@case(
    "d021",
    "sia-nginx-reads-lighttpd-writes",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "nginx serves the files of a share by itself and passes only the other methods to lighttpd on the same folder. "
        "Reads carry nginx's kind of tag, writes are compared with lighttpd's: always 412, though nobody else writes."
    ),
)
def halves(stage: Stage) -> None:
    """Two programs, one folder, two kinds of tags."""
    files = {f"blatt/b{n}.txt": f"Blatt {n}\nStand offen\n" + "-" * n for n in range(1, 6)}
    server = lab.shares(stage, "lighttpd", files)
    behind = stage.behind(server)
    rest = f"error_page 418 = @dav; if ($request_method !~ ^(GET|HEAD)$) {{ return 418; }} root {server.directory};"
    block = f"location /blatt/ {{ {rest} }} location @dav {{ proxy_pass http://127.0.0.1:{behind}; }}"
    front = fronts.nginx(stage, server, "", "", block)
    stage.config[:] = ["location /blatt/: GET and HEAD from the folder, other methods to lighttpd"]
    me = stage.actor("client", front, "blatt.archiv.test", "requests", lab.signed("archiv"))
    listing = lab.propfind(me, "/blatt/")
    seen = me.get("/blatt/b2.txt")
    lab.must(lab.raw_tag(listing, "/blatt/b2.txt").strip('"') not in seen.etag)
    me.get("/blatt/b3.txt")
    for _ in range(2):
        me.put(
            "/blatt/b2.txt", "Blatt 2\nStand zu\n", 412, {"If-Match": me.get("/blatt/b2.txt").etag, **_TEXT}
        )
        time.sleep(0.3)
    lab.must(me.get("/blatt/b2.txt").etag == seen.etag)
    lab.propfind(me, "/blatt/")
    me.get("/blatt/b3.txt")


@case(
    "d030",
    "sia-express-never-strong",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Express gives each answer a weak tag and the service compares If-Match strongly, as it must. With compression "
        "or without, every guarded change of a parcel is refused, though nothing has changed."
    ),
)
def weak(stage: Stage) -> None:
    """Weak tags from the origin."""
    docs = {
        f"/parcels/{n}": {"id": n, "to": f"Calle {n}", "kg": n / 2, "state": "hub"} for n in range(31, 37)
    }
    server = lab.express(stage, docs)
    me = stage.actor("client", server, "parcels.envios.test", "node:axios", lab.signed("reparto"))
    lab.stroll(me, lab.names("/parcels", "31", "32", "35"), 7, 30)
    for fields in ({}, lab.PLAIN, lab.GZIP):
        seen = me.get("/parcels/33", 200, fields)
        lab.must(seen.etag.startswith("W/"), seen.etag)
        me.put("/parcels/33", {**seen.json, "state": "out"}, 412, {"If-Match": seen.etag, **fields})
        me.get("/parcels/34", 200, fields)
    me.get("/parcels/33", 304, {"If-None-Match": seen.etag})


@case(
    "d039",
    "sia-read-in-french-written-in-german",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A shop on Django makes its tags per language. The app reads articles in French and writes without an "
        "Accept-Language, so Django compares with the German tag and refuses; with the same language it passes."
    ),
)
def languages(stage: Stage) -> None:
    """Another language on the way back."""
    title = {"de": "Schraube", "fr": "Vis", "it": "Vite"}
    articles = {f"m{n}": {"title": dict(title), "price": n, "stock": 10 * n} for n in range(4, 9)}
    server = lab.django(stage, articles)
    me = stage.actor("client", server, "shop.schrauben.test", "httpx", {"User-Agent": "shop-app/6"})
    french = {"Accept-Language": "fr-CH, fr;q=0.9"}
    me.get("/articles/", 200, french)
    lab.poll(me, lab.names("/articles", "m5", "m6"), 2, french)
    seen = me.get("/articles/m7", 200, french)
    body = {"title": "Vis", "price": 7, "stock": 65}
    me.put("/articles/m7", body, 412, {"If-Match": seen.etag})
    lab.must(me.get("/articles/m7", 200, french).etag == seen.etag)
    me.get("/articles/m7")
    me.put("/articles/m7", body, 412, {"If-Match": seen.etag})
    me.put("/articles/m7", body, 200, {"If-Match": seen.etag, **french})


@case(
    "d047",
    "sia-apache-just-after-the-write",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A generator stores a page on Apache's mod_dav, reads it back at once and stores an addition: the tag of the "
        "fresh file is weak and the PUT is refused. A second and a half later the same value is strong and passes."
    ),
)
def settle(stage: Stage) -> None:
    """Too fast for Apache."""
    server = lab.shares(stage, "apache2", {"site/index.txt": "Start\n", "site/news.txt": "Neues\n"})
    me = stage.actor(
        "client", server, "site.generator.test", "curl:trace-time", {"User-Agent": "sitegen/0.4"}
    )
    lab.propfind(me, "/site/")
    for name in ("termine", "presse"):
        me.put(f"/site/{name}.txt", f"{name}\n", 201, {"If-None-Match": "*", **_TEXT})
        seen = me.get(f"/site/{name}.txt")
        lab.must(seen.etag.startswith("W/"), seen.etag)
        me.put(f"/site/{name}.txt", f"{name}\nFuß\n", 412, {"If-Match": seen.etag, **_TEXT})
        time.sleep(1.6)
        again = me.get(f"/site/{name}.txt")
        lab.must(f"W/{again.etag}" == seen.etag)
        me.put(f"/site/{name}.txt", f"{name}\nFuß\n", 204, {"If-Match": again.etag, **_TEXT})


@case(
    "d053",
    "sia-nginx-minds-the-date-beside-the-tag",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "A mirror asks nginx for a package with If-Match and, from its manifest, an older If-Unmodified-Since. The tag "
        "is current, so the date must be ignored (RFC 9110 section 13.2.2); nginx answers 412 because of the date."
    ),
)
def both(stage: Stage) -> None:
    """If-Match holds, the date beside it does not."""
    files = {f"dists/p{n}.txt": f"package {n}\n" * (80 + 7 * n) for n in range(1, 5)}
    server = fronts.site(stage, "nginx", {**files, "dists/manifest.json": '{"built":"2026-11-20"}'})
    me = stage.actor("client", server, "dists.spiegel.test", "urllib", {"User-Agent": "mirror/12"})
    me.get("/dists/manifest.json")
    lab.stroll(me, lab.names("/dists", "p2.txt", "p4.txt"), 6, 86)
    for n in (1, 3):
        head = me.send("HEAD", f"/dists/p{n}.txt", 200)
        dated = {"If-Match": head.etag, "If-Unmodified-Since": lab.shifted(head.fields["last-modified"], -31)}
        me.get(f"/dists/p{n}.txt", 412, dated)
        lab.must(me.send("HEAD", f"/dists/p{n}.txt", 200).etag == head.etag)
        me.get(f"/dists/p{n}.txt", 200, {"If-Match": head.etag})


@case(
    "d054",
    "sia-refused-and-stored",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "A board behind the asgi-etags middleware compares If-Match with the tag of the answer, that is after the "
        "handler has stored the change: 412 for each guarded PUT, and each following read shows the client's own text."
    ),
)
def stored(stage: Stage) -> None:
    """412 after the write."""
    server = stage.server("application", app="asgi_etags_cards")
    me = stage.actor("client", server, "board.werkstatt.test", "requests", lab.signed("meister"))
    for text, lane in (("Farbe kaufen", "heute"), ("Farbe holen", "fertig")):
        seen = me.get("/cards/9")
        me.put("/cards/9", {"text": text, "lane": lane, "by": "meister"}, 412, {"If-Match": seen.etag})
        now = me.get("/cards/9")
        lab.must(now.json["text"] == text and now.etag != seen.etag, now.text)
        me.get(f"/cards/{len(text)}")
        time.sleep(0.4)
    me.put("/cards/10", {"text": "Pinsel reinigen", "lane": "heute"}, 200)
    me.get("/cards/10")


@case(
    "d055",
    "sia-nginx-dav-takes-anything",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "nginx's DAV module does not look at If-Match. A field engineer's PUT under the tag of two versions ago is "
        "answered 204 and replaces what a colleague has stored; GET with the same field gives 412."
    ),
)
def anything(stage: Stage) -> None:
    """An old tag is accepted."""
    files = {f"mast/m{n}.txt": f"Mast {n}\nHöhe 3{n} m\n" for n in range(1, 6)}
    server = lab.shares(stage, "nginx", files)
    me = stage.actor("client", server, "mast.netz.test", "curl", lab.signed("trupp-1"))
    other = stage.actor("other", server, "mast.netz.test", "httpx", lab.signed("trupp-2"))
    with lab.beside(stage, server, "karte.netz.test", ["/mast/m2.txt", "/mast/m5.txt"]):
        lab.chores(me, lab.names("/mast", "m1.txt", "m4.txt"), 5, 85, 204)
        seen = me.get("/mast/m3.txt")
        me.get("/mast/m1.txt")
        theirs = other.get("/mast/m3.txt")
        other.put("/mast/m3.txt", theirs.text + "Seil neu\n", 204, {"If-Match": theirs.etag, **_TEXT})
        time.sleep(1.2)
        me.get("/mast/m3.txt", 412, {"If-Match": seen.etag})
        lab.must(me.get("/mast/m3.txt").etag != seen.etag)
        me.put("/mast/m3.txt", seen.text + "Erdung geprüft\n", 204, {"If-Match": seen.etag, **_TEXT})
        lab.must("Seil neu" not in me.get("/mast/m3.txt").text)
        other.get("/mast/m3.txt")


@case(
    "d056",
    "sia-resumed-with-an-old-if-range",
    "precondition-ignored",
    "mixed-206",
    alone="precondition-ignored read-changed-mid-transfer server-precondition-bug",
    also="read-changed-mid-transfer",
    description=(
        "A download from aiohttp's static handler is resumed with If-Range and the tag of the first part. The file has "
        "been replaced, yet the handler answers 206 with the new file's bytes and tag: the pieces do not fit."
    ),
)
def resumed(stage: Stage) -> None:
    """If-Range does not hold, and 206 comes."""
    old = "".join(f"alt {n:05d}\n" for n in range(1500))
    server = lab.folder(stage, {"daten.txt": old, "lies.txt": "Daten 2026\n"})
    me = stage.actor("client", server, "daten.geo.test", "requests", {"User-Agent": "resumer/2", **lab.PLAIN})
    me.get("/lies.txt")
    first = me.get("/daten.txt", 206, {"Range": "bytes=0-4999"})
    me.get("/daten.txt", 206, {"Range": "bytes=5000-7999", "If-Range": first.etag})
    fronts.put_file(server.directory, "daten.txt", "".join(f"neu {n:05d}\n" for n in range(1500)))
    time.sleep(0.6)
    second = me.get("/daten.txt", 206, {"Range": "bytes=8000-14999", "If-Range": first.etag})
    lab.must(second.etag != first.etag and "neu" in second.text)
    lab.stroll(me, ["/lies.txt"], 6, 56)


@case(
    "d057",
    "sia-both-drivers-get-the-slot",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race none other-writer",
    also="other-writer",
    description=(
        "A dock service on Express compares If-Match, waits for its planner and stores then. Two drivers' PUTs under "
        "one tag overlap and both get 200, the second over the first; one after the other such a PUT gets 412, and "
        "its sender reads and merges."
    ),
)
def slot(stage: Stage) -> None:
    """Two overlapping writes under one tag."""
    docs = {f"/docks/{n}": {"dock": n, "slot": "", "version": n} for n in range(1, 6)}
    server = lab.express(stage, docs, versions=True, wait=450)
    me = stage.actor("client", server, "docks.logistik.test", "requests", lab.signed("fahrer-17"))
    other = stage.actor("other", server, "docks.logistik.test", "httpx", lab.signed("fahrer-22"))
    with lab.beside(stage, server, "tor.logistik.test", ["/docks/1", "/healthz"]):
        me.get("/docks")
        mine = me.get("/docks/3")
        theirs = other.get("/docks/3")
        lab.must(mine.etag == theirs.etag)
        lab.together(
            lambda: me.put("/docks/3", {**mine.json, "slot": "17 um 10:00"}, 200, {"If-Match": mine.etag}),
            lambda: other.put(
                "/docks/3", {**theirs.json, "slot": "22 um 10:00"}, 200, {"If-Match": theirs.etag}
            ),
            gap=0.15,
        )
        other.get("/docks/3")
        time.sleep(0.3)
        seen = me.get("/docks/4")
        lab.edit(other, "/docks/4", slot="22 um 11:00")
        me.put("/docks/4", {**seen.json, "slot": "17 um 11:00"}, 412, {"If-Match": seen.etag})
        now = me.get("/docks/4")
        lab.must(now.json["slot"].startswith("22"))
        lab.edit(me, "/docks/4", note="17 ab 12:00")
        lab.must(me.get("/docks/3").json["slot"].startswith("22"))


@case(
    "d071",
    "sia-mod-dav-has-no-date-yet",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug unsupported-precondition",
    description=(
        "Apache's mod_dav judges If-Unmodified-Since of a PUT before it knows the file's time and takes the present "
        "instead: the Last-Modified just served is refused, hours more too, on files that nobody has touched for a day. "
        "The tag passes."
    ),
)
def dateless(stage: Stage) -> None:
    """If-Unmodified-Since never holds."""
    server = lab.shares(
        stage, "apache2", {f"funde/f{n}.txt": f"Fund {n}\n" for n in range(1, 6)}, age=26 * lab.HOUR
    )
    me = stage.actor("client", server, "funde.grabung.test", "httpx", lab.signed("grabung"))
    lab.propfind(me, "/funde/")
    lab.chores(me, lab.names("/funde", "f1.txt", "f3.txt"), 4, 87)
    for n in (2, 5):
        seen = me.get(f"/funde/f{n}.txt")
        date = seen.fields["last-modified"]
        for sent in (date, lab.shifted(date, 1 / 3600), lab.shifted(date, 20)):
            me.put(f"/funde/f{n}.txt", f"{seen.text}Scherbe\n", 412, {"If-Unmodified-Since": sent, **_TEXT})
        lab.must(me.send("HEAD", f"/funde/f{n}.txt", 200).fields["last-modified"] == date)
        me.put(f"/funde/f{n}.txt", f"{seen.text}Scherbe\n", 204, {"If-Match": seen.etag, **_TEXT})
        time.sleep(0.3)
