"""Encoders, caches, balancers and rules on the way, each with a story of its own."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ora_setting as place

_BR = {"Accept-Encoding": "br"}


@case(
    "b593",
    "ora-brotli-adds-to-the-tag",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache compresses an orchard's stock lists with brotli and appends -br to their tags; the origin behind "
        "does not know such a tag and refuses, and the uncompressed read shows the same tag without it."
    ),
)
def brotli(stage: Stage) -> None:
    """Send the tag that mod_brotli made."""
    docs = {
        f"/stock/{n}": place.record(sort=n, crates=[{"row": i, "kg": 18} for i in range(9)]) for n in "abc"
    }
    docs |= place.side("/crates", 3)
    server = place.house(stage, docs, "gunicorn", tag="md5", form="code")
    front = fronts.apache(stage, server, "SetOutputFilter BROTLI_COMPRESS")
    me = stage.actor("client", front, "stock.obsthof.test", "httpx", place.basic("hof", **_BR))
    plain = {"Accept-Encoding": "identity"}
    me.get("/stock", 200, plain)
    me.get("/stock/a", 200, plain)
    place.day(me, place.paths("/crates", 3), 16, seed=37, users=("hof", "markt"), fields=plain)
    seen = me.get("/stock/b")
    place.require(holds=seen.etag.endswith('-br"'), otherwise=seen.etag)
    new = {"sort": "b", "crates": []}
    me.put("/stock/b", new, 412, {"If-Match": seen.etag})
    time.sleep(0.7)
    again = me.get("/stock/b", 200, plain)
    me.put("/stock/b", new, 200, {"If-Match": again.etag, **plain})


@case(
    "b594",
    "ora-caddy-encodes-the-timetable",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Caddy's encode appends -gzip to the tags of a bus company's timetables. Its reads with that tag give 304, "
        "its writes 412; nobody else writes, and later reads show the same tag."
    ),
)
def timetable(stage: Stage) -> None:
    """Write with Caddy's suffix."""
    docs = {
        f"/lines/{n}": place.record(line=n, stops=[f"Halt {i} an der Strasse {n}" for i in range(40)])
        for n in ("11", "12", "20")
    }
    server = place.house(stage, docs, "waitress", tag="uuid")
    me = stage.actor(
        "client", fronts.caddy(stage, server, "encode gzip"), "lines.busbetrieb.test", "node:axios"
    )
    held = place.look_around(me, ["/lines/11", "/lines/12", "/lines/20"])
    place.require(holds=held["/lines/12"].endswith('-gzip"'), otherwise=held)
    for _ in range(2):
        me.put("/lines/12", {"line": "12", "stops": ["ZOB"]}, 412, {"If-Match": held["/lines/12"]})
        me.get("/lines/12", 304, {"If-None-Match": held["/lines/12"]})
        time.sleep(0.6)


@case(
    "b595",
    "ora-varnish-weakens-for-everybody",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "Varnish with do_gzip makes tags weak, even of answers that reach the client uncompressed. The answer to a "
        "write names the tag strong, the next read of the same version weak, and the write with that one is refused."
    ),
)
def everybody(stage: Stage) -> None:
    """Send a tag that Varnish has weakened."""
    docs = {f"/exhibits/{n}": place.record(nr=n, label="x" * 300, case=n % 3) for n in (12, 13)}
    server = place.house(stage, docs, "cheroot", tag="short", form="text")
    rules = "sub vcl_backend_response { set beresp.do_gzip = true; set beresp.uncacheable = true; }"
    front = fronts.varnish(stage, server, rules)
    me = stage.actor("client", front, "exhibits.technikmuseum.test", "urllib", place.bearer("kurator"))
    me.get("/exhibits")
    made = me.put("/exhibits/14", {"nr": 14, "label": "y" * 300, "case": 1}, 201, {"If-None-Match": "*"})
    seen = me.get("/exhibits/14")
    place.require(holds=seen.etag == f"W/{made.etag}", otherwise=(seen.etag, made.etag))
    me.put("/exhibits/14", {**seen.json, "case": 2}, 412, {"If-Match": seen.etag})
    me.get("/exhibits/12")
    me.put("/exhibits/14", {**seen.json, "case": 2}, 412, {"If-Match": me.get("/exhibits/14").etag})


@case(
    "b596",
    "ora-haproxy-compresses-the-price-list",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "HAProxy compresses answers and makes their tags weak; the merchant's write with the weak tag is refused, a "
        "HEAD of the same list names it strong, and a write with that is taken."
    ),
)
def prices(stage: Stage) -> None:
    """Send a tag that HAProxy has weakened."""
    docs = {
        "/prices/pellets": place.record(unit="t", rows=[{"from": i, "price": 310 - i} for i in range(20)])
    }
    docs["/prices/briketts"] = place.record(unit="t", rows=[])
    server = place.house(stage, docs, "aiohttp", tag="apache")
    front = fronts.haproxy(stage, [server], " compression algo gzip\n compression type application/json")
    me = stage.actor("client", front, "prices.brennstoff.test", "requests", place.basic("handel"))
    me.get("/prices")
    seen = me.get("/prices/pellets")
    me.get("/prices/briketts")
    place.require(holds=seen.etag.startswith("W/"), otherwise=seen.etag)
    me.put("/prices/pellets", {**seen.json, "unit": "kg"}, 412, {"If-Match": seen.etag})
    head = me.send("HEAD", "/prices/pellets", 200)
    me.put("/prices/pellets", {**seen.json, "unit": "kg"}, 200, {"If-Match": head.etag})


@case(
    "b597",
    "ora-edge-rule-takes-if-match",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "A rule of Varnish unsets If-Match on its way; a lighthouse keeper's outdated entry is stored with 200 over "
        "the colleague's that the keeper has just seen. The origin's file has the request without the field."
    ),
)
def rule(stage: Stage) -> None:
    """Write through a rule that drops the condition."""
    docs = {f"/log/{d}": place.record(day=d, wind="SW 5", sight="good", lamp="ok") for d in (24, 25, 26)}
    docs |= place.side("/supplies", 3)
    server = place.house(stage, docs, "gunicorn", tag="rev")
    rules = "sub vcl_recv { unset req.http.If-Match; return (pass); }"
    front = fronts.varnish(stage, server, rules)
    me = stage.actor("client", front, "log.leuchtturm.test", "node:fetch", place.basic("waerter"))
    other = stage.actor("other", front, "log.leuchtturm.test", "requests", place.basic("vertretung"))
    me.get("/log")
    place.day(me, place.paths("/supplies", 3), 14, seed=38)
    seen = me.get("/log/26")
    theirs = other.get("/log/26")
    other.put("/log/26", {**theirs.json, "lamp": "flickers"}, 200, {"If-Match": theirs.etag})
    time.sleep(1.2)
    place.require(holds=me.get("/log/26").etag != seen.etag, otherwise="unchanged")
    me.put("/log/26", {**seen.json, "wind": "W 7"}, 200, {"If-Match": seen.etag})
    place.require(holds=me.get("/log/26").json["lamp"] == "ok", otherwise="nothing lost")


@case(
    "b598",
    "ora-create-only-became-overwrite",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "HAProxy deletes If-None-Match of every request 'for the cache's sake'. A create-only PUT of a guest book "
        "page, which the client has just read, overwrites it with 200; the origin saw no condition."
    ),
)
def overwrite(stage: Stage) -> None:
    """Create what exists through a rule."""
    docs = {f"/book/{n}": place.text(f"Seite {n}\nGruss aus Kiel\n", "text/markdown") for n in (1, 2, 3)}
    server = place.house(stage, docs, "cheroot", tag="md5")
    front = fronts.haproxy(stage, [server], " http-request del-header if-none-match")
    me = stage.actor("client", front, "book.huette.test", "curl:trace-time", place.bearer("tablet"))
    page = {"Content-Type": "text/markdown"}
    me.get("/book")
    seen = me.get("/book/3")
    me.get("/book/3", 200, {"If-None-Match": seen.etag})
    time.sleep(38)
    me.put("/book/3", "Seite 3\n", 200, {"If-None-Match": "*", **page})
    place.require(holds="Kiel" not in me.get("/book/3").text, otherwise="nothing lost")
    me.put("/book/4", "Seite 4\n", 201, {"If-None-Match": "*", **page})


@case(
    "b599",
    "ora-varnish-keeps-the-old-menu",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Varnish stores reads of a canteen's plan and keeps them after a write. After its own save the client reads "
        "the old plan (Age, hit), and saves with its tag: 412, also a second time; with another query it sees its own."
    ),
)
def menu(stage: Stage) -> None:
    """Read the old plan after one's own save."""
    docs = {f"/plan/{d}": place.record(day=d, main="Eintopf", veg="") for d in ("mo", "di")}
    server = place.house(stage, docs, "gunicorn", tag="b64", hint="public, max-age=300", form="text")
    rules = 'sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } '
    front = fronts.varnish(stage, server, rules + 'else { set resp.http.X-Cache = "MISS"; } }')
    me = stage.actor("client", front, "plan.mensa.test", "aiohttp", place.AGENT_PLAN)
    me.get("/plan/mo")
    seen = me.get("/plan/di")
    me.put("/plan/di", {**seen.json, "veg": "Curry"}, 200, {"If-Match": seen.etag})
    time.sleep(1.3)
    for _ in range(2):
        old = me.get("/plan/di")
        place.require(holds=old.etag == seen.etag and old.fields["x-cache"] == "HIT", otherwise=old.fields)
        me.put("/plan/di", {**old.json, "veg": "Curry", "main": "Fisch"}, 412, {"If-Match": old.etag})
        time.sleep(1.0)
    place.require(holds=me.get("/plan/di?fresh=1").json["veg"] == "Curry", otherwise="not ours")


@case(
    "b600",
    "ora-apache-store-hides-a-colleague",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    also="other-writer",
    description=(
        "Apache's mod_cache keeps a sports club's squad for two minutes; a colleague changes it past that proxy. The "
        "trainer reads it from the store (Age, X-Cache: HIT) twice, before and after the 412, with the same old tag; "
        "with no-cache the new one comes."
    ),
)
def squad(stage: Stage) -> None:
    """Write with a tag from Apache's store."""
    docs = {f"/squad/{n}": place.record(team=n, keeper="Ilic", bench=["Roth"]) for n in ("u15", "u17")}
    server = place.house(stage, docs, "waitress", tag="apache", hint="public, max-age=120")
    body = 'CacheEnable disk "/"\nCacheRoot DIR/store\nCacheHeader on\nCacheIgnoreNoLastMod On'
    front = fronts.apache(stage, server, body)
    me = stage.actor("client", front, "squad.sportverein.test", "java")
    other = stage.actor("other", server, "squad.sportverein.test", "requests", place.basic("jugendwart"))
    me.get("/squad/u15")
    me.get("/squad/u17")
    place.change(other, "/squad/u17", bench=["Roth", "Akin"])
    time.sleep(2.2)
    for _ in range(2):
        old = me.get("/squad/u17")
        place.require(holds="age" in old.fields, otherwise=old.fields)
        me.put("/squad/u17", {**old.json, "keeper": "Voss"}, 412, {"If-Match": old.etag})
        time.sleep(0.8)
        if "HIT" not in me.get("/squad/u15").fields.get("x-cache", ""):
            place.require(holds=False, otherwise="no hit")
    place.require(
        holds="Akin" in me.get("/squad/u17", 200, {"Cache-Control": "no-cache"}).text, otherwise="old"
    )


@case(
    "b601",
    "ora-read-copy-of-the-warehouse",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "Reads of a warehouse come from a copy 1.6 s behind. After its own two saves the picker reads the version of "
        "before, is refused with it, and a moment later the same read shows its own save."
    ),
)
def copy(stage: Stage) -> None:
    """Read from a copy that is behind."""
    docs = {f"/bins/{n}": place.record(bin=n, sku="S-7", count=40) for n in ("A1", "A2", "B7")}
    server = place.house(stage, docs, "aiohttp", tag="rev", lag=1.6)
    me = stage.actor(
        "client", fronts.envoy(stage, [server]), "bins.lager.test", "httpx", place.bearer("picker-3")
    )
    me.get("/bins")
    me.get("/bins/A1")
    seen = me.get("/bins/B7")
    saved = me.put("/bins/B7", {**seen.json, "count": 36}, 200, {"If-Match": seen.etag})
    saved = me.put("/bins/B7", {**seen.json, "count": 31}, 200, {"If-Match": saved.etag})
    time.sleep(0.3)
    old = me.get("/bins/B7")
    me.put("/bins/B7", {**old.json, "count": 30}, 412, {"If-Match": old.etag})
    time.sleep(2.0)
    place.require(
        holds=me.get("/bins/B7").etag == saved.etag and old.etag == seen.etag, otherwise="not behind"
    )


@case(
    "b602",
    "ora-two-pods-with-their-own-salt",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two instances behind Traefik mix something of their own into tags; reads of one lesson show two tags in "
        "turns with one content, conditional reads come to the other one and are 200, and so do the writes: 412."
    ),
)
def pods(stage: Stage) -> None:
    """Read here and write there."""
    seed = {f"/lessons/{n}": place.record(86400.5, title=f"Lektion {n}", minutes=45) for n in range(1, 4)}
    nodes = [
        place.house(stage, seed, "gunicorn", tag="md5", salt=n, node=f"lessons-6d9f-{n}")
        for n in ("x2k", "q8p")
    ]
    front = fronts.traefik(stage, nodes)
    me = stage.actor("client", front, "lessons.musikschule.test", "node:fetch", place.bearer("app"))
    seen = [me.get("/lessons/2") for _ in range(6)]
    place.require(holds=len({one.etag for one in seen}) == 2, otherwise="one tag")
    for number in range(4):
        me.send("GET", "/lessons/2", 200, {"If-None-Match": seen[(number + 1) % 2].etag})
    for _ in range(2):
        tag = me.get("/lessons/2")
        me.put("/lessons/2", {**tag.json, "minutes": 60}, 412, {"If-Match": tag.etag})


@case(
    "b603",
    "ora-balancer-repeats-a-slow-put",
    "intermediary-replay",
    "412",
    alone="intermediary-replay lost-response-replay post-commit-412",
    description=(
        "HAProxy repeats requests on a response timeout. A nurse's one save is stored by the first try and refused "
        "at the second, whose 412 comes back after the timeout; the chart holds the save, dated inside that request."
    ),
)
def repeats(stage: Stage) -> None:
    """Let HAProxy send a write twice."""
    docs = {f"/charts/{n}": place.record(bed=n, temp=36.8, note="") for n in ("204a", "204b", "205")}
    server = place.house(stage, docs, "gunicorn", tag="short", slow=3.0, form="code")
    lines = " retries 3\n retry-on response-timeout conn-failure\n timeout server 1200ms\n option http-buffer-request"
    front = fronts.haproxy(stage, [server], lines)
    me = stage.actor("client", front, "charts.klinikum.test", "requests", place.basic("schwester-j"))
    me.get("/charts")
    place.look_around(me, ["/charts/204a", "/charts/205"], 2)
    seen = me.get("/charts/204b")
    me.put("/charts/204b", {**seen.json, "note": "07:10 37.9 j", "temp": 37.9}, 412, {"If-Match": seen.etag})
    place.require(holds=me.get("/charts/204b").json["note"], otherwise="not stored")
    time.sleep(2.6)


@case(
    "b604",
    "ora-envoy-removes-the-tag",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    also="token-missing",
    description=(
        "Envoy's compressor deletes the ETag of what it compresses; the origin demands a condition, the client has no "
        "tag to send and gets 428. A small answer, not compressed, still has its tag; the origin's file has all."
    ),
)
def removed(stage: Stage) -> None:
    """Have no tag to send."""
    docs = {f"/deeds/{n}": place.record(deed=n, text="Grundstueck " * 40) for n in (880, 881)}
    docs["/deeds/9"] = place.record(deed=9)
    server = place.house(stage, docs, "waitress", tag="uuid", need=1)
    front = fronts.envoy(stage, [server], place.ENVOY_GZIP, config="compressor gzip")
    me = stage.actor("client", front, "deeds.notariat.test", "node:axios", place.bearer("kanzlei"))
    me.get("/deeds")
    me.get("/deeds/9")
    seen = me.get("/deeds/881")
    place.require(holds="etag" not in seen.fields, otherwise=seen.fields)
    me.put("/deeds/881", {"deed": 881, "text": "neu"}, 428)
    me.get("/deeds/880")
    me.put("/deeds/881", {"deed": 881, "text": "neu"}, 428)


@case(
    "b605",
    "ora-varnish-knows-no-if-match",
    "cache-misevaluates",
    "wrong-200",
    alone="cache-misevaluates precondition-ignored",
    description=(
        "A radio station's player loads a playlist guarded by If-Match through Varnish, which takes the field off and "
        "evaluates it nowhere: once the playlist has changed, the guarded read is 200 with another tag instead of 412."
    ),
)
def playlist(stage: Stage) -> None:
    """Read with a guard that nobody looks at."""
    docs = {
        f"/playlists/{n}": place.record(show=n, tracks=[f"t{i}" for i in range(5)])
        for n in ("frueh", "spaet")
    }
    server = place.house(stage, docs, "cheroot", tag="md5", hint="public, max-age=1")
    front = fronts.varnish(
        stage, server, "sub vcl_backend_response { set beresp.grace = 0s; set beresp.keep = 0s; }"
    )
    me = stage.actor("client", front, "playlists.radio.test", "java")
    other = stage.actor("other", server, "playlists.radio.test", "requests", place.basic("redaktion"))
    me.get("/playlists/spaet")
    seen = me.get("/playlists/frueh")
    place.require(
        holds=me.get("/playlists/frueh", 200, {"If-Match": seen.etag}).etag == seen.etag, otherwise="moved"
    )
    place.change(other, "/playlists/frueh", tracks=["t9"])
    time.sleep(2.3)
    got = me.get("/playlists/frueh", 200, {"If-Match": seen.etag})
    place.require(holds=got.etag != seen.etag, otherwise="the same")
    me.get("/playlists/frueh", 200, {"If-Match": seen.etag})


@case(
    "b606",
    "ora-delete-moved-and-became-a-read",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "Apache redirects the old path of a club's bookings with 302; the library turns the guarded DELETE into a "
        "GET, whose 200 looks like success. The booking is still there."
    ),
)
def moved(stage: Stage) -> None:
    """Delete through a redirect."""
    docs = {f"/v2/courts/{n}": place.record(court=n, at="18:00", who="Kern") for n in (1, 2, 3)}
    docs |= place.side("/v2/players", 4)
    server = place.house(stage, docs, "aiohttp", tag="rev")
    lines = 'RedirectMatch 302 "^/courts/(.*)" "http://courts.tennis.test/v2/courts/$1"\nProxyPass /courts !'
    front = fronts.apache(stage, server, lines)
    me = stage.actor("client", front, "courts.tennis.test", "requests:follow", place.basic("kern"))
    me.get("/v2/courts")
    place.day(me, place.paths("/v2/players", 4), 19, seed=39, users=("kern", "wolf"))
    tag = me.get("/v2/courts/2").etag
    me.send("DELETE", "/courts/2", 200, {"If-Match": tag})
    time.sleep(0.6)
    me.get("/v2/courts/2")
