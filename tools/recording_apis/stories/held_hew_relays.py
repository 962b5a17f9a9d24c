"""Stories of intermediaries and of several servers in turns, before origins of our own."""

from __future__ import annotations

import copy
import hashlib
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.hew_desk import Desk, Reply
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_hew_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.apps.hew_desk import Ask, Row
    from tools.recording_apis.stage import Stage


@case(
    "e550",
    "hew-toll-station-no-lane",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A toll road's nginx answers 412 to whatever is posted without a number of the lane, a rule of the operator's; the "
        "service behind never sees it. Nothing in those requests is a condition; reads with a tag are answered by the service "
        "as ever, and with the lane's number the passage is taken."
    ),
)
def toll(stage: Stage) -> None:
    """Post without a lane."""
    desk = Desk({f"/tarife/{n}": {"cent": n * 130} for n in (2, 3, 5)}, first=80)
    desk.extra["POST /durchfahrten"] = lambda _ask: Reply(201, {"nr": 99120})
    server = place.desk(stage, desk, "falcon")
    block = 'location /durchfahrten { if ($http_x_spur = "") { return 412; } proxy_pass http://127.0.0.1:PORT; proxy_set_header Host $http_host; }'
    front = fronts.nginx(stage, server, block=block.replace("PORT", str(stage.behind(server))))
    me = place.ruby(stage, "client", front, "maut.passstrasse.example", {"User-Agent": "schranke/4.1"})
    me.get("/tarife")
    rate = me.get("/tarife/3")
    for _ in range(2):
        me.send("POST", "/durchfahrten", 412, None, {"kl": 3, "cent": 390})
        place.rest(0.4)
        me.get("/tarife/3", 304, {"If-None-Match": rate.etag})
    me.send("POST", "/durchfahrten", 412, None, {"kl": 2, "cent": 260})
    me.send("POST", "/durchfahrten", 201, {"X-Spur": "4"}, {"kl": 3, "cent": 390})


@case(
    "e559",
    "hew-auction-lots-coded",
    "etag-suffix-rewrite",
    "needless-download",
    alone="etag-suffix-rewrite",
    description=(
        "An auction house's Apache compresses with brotli and puts -br into the tags. The viewers' polls bring them back as "
        "they came, the service behind does not know them: 200 under the same tag each time. A poll without coding, under "
        "the tag without the suffix, is 304."
    ),
)
def auction(stage: Stage) -> None:
    """Download again and again."""
    lots = {
        f"/lose/{n}": {
            "titel": f"Kommode, um {1700 + n}",
            "schaetzpreis": n * 20,
            "text": "Nussbaum furniert, drei Schübe. " * 6,
        }
        for n in (88, 89, 90)
    }
    desk = Desk(lots, first=300)
    desk.fresh = lambda ask, row: ask.fields.get("if-none-match") == desk.tag(row)
    server = place.desk(stage, desk)
    front = fronts.apache(
        stage, server, "AddOutputFilterByType BROTLI_COMPRESS application/json\nBrotliAlterETag AddSuffix"
    )
    always = {"Accept-Encoding": "br", "User-Agent": "saal-tafel/1"}
    me = stage.actor("client", front, "lose.auktionshaus.example", "curl:trace-time", always)
    plain = stage.actor(
        "other", front, "lose.auktionshaus.example", "requests", {"Accept-Encoding": "identity"}
    )
    me.send("HEAD", "/lose/88", 200)
    tags = {n: me.get(f"/lose/{n}").etag for n in (88, 89)}
    for _ in range(3):
        for n, tag in tags.items():
            place.sure(me.get(f"/lose/{n}", 200, {"If-None-Match": tag}).etag == tag)
        place.rest(0.3)
    bare = tags[88].replace("-br", "")
    me.get("/lose/88", 304, {"If-None-Match": bare, "Accept-Encoding": "identity"})
    plain.get("/lose/90")
    me.get("/lose/89", 200, {"If-None-Match": tags[89]})


@case(
    "e534",
    "hew-tannery-links-rewritten",
    "validator-stripped",
    "428",
    alone="validator-stripped",
    description=(
        "A tannery's nginx rewrites the host in what the service answers and drops the tags of what it has looked into. The "
        "answer to a new card, which has no content, still has its tag; none of the reads has one, and saves, which the service "
        "wants guarded, are 428."
    ),
)
def tannery(stage: Stage) -> None:
    """Have nothing to send."""
    rows = {
        f"/partien/{n}": {"haut": "Rind", "grube": n % 5, "self": f"http://gerb.int:8080/partien/{n}"}
        for n in (1201, 1202)
    }
    desk = Desk(rows, first=40, need=428)
    desk.missing = {"e": "If-Match"}

    def create(ask: Ask) -> Reply:
        made = desk.rows["/partien/1203"] = copy.copy(desk.rows["/partien/1202"])
        made.data, made.rev, made.at = ask.json, 1, time.time()
        return Reply(201, None, {"Location": "/partien/1203", **desk.marks(made)})

    desk.extra["POST /partien"] = create
    server = place.desk(stage, desk)
    lines = "sub_filter http://gerb.int:8080 http://partien.gerberei.example; sub_filter_types application/json; sub_filter_once off;"
    front = fronts.nginx(stage, server, f'proxy_set_header Accept-Encoding ""; {lines}')
    me = stage.actor("client", front, "partien.gerberei.example", "node:axios", {"X-User": "grube"})
    me.get("/partien")
    me.send(
        "POST",
        "/partien",
        201,
        None,
        {"haut": "Ziege", "grube": 2, "self": "http://gerb.int:8080/partien/1203"},
    )
    for number in (1203, 1201):
        got = me.get(f"/partien/{number}")
        place.sure("etag" not in got.fields)
        me.put(f"/partien/{number}", {**got.json, "grube": 4}, 428)
        place.rest()
    me.get("/partien/1201")
    me.send("PATCH", "/partien/1201", 428, None, {"grube": 4})


@case(
    "e532",
    "hew-parking-guard-does-not-arrive",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored",
    description=(
        "A car park's HAProxy deletes If-Match on its way in. A save under an old tag is 200 and the colleague's permit is gone; "
        "the service's own record of what it got says that no condition came."
    ),
)
def parking(stage: Stage) -> None:
    """Send a guard that is taken away."""
    rows: dict[str, Any] = {f"/decks/{n}": {"sperre": [], "dauer": []} for n in ("p1", "p2", "p3")}
    desk = Desk(rows, first=70)
    seen: list[dict[str, object]] = []
    plain = desk.sent

    def sent(ask: Ask) -> str | None:
        seen.append(
            {
                "m": ask.method,
                "u": ask.path,
                "who": ask.who,
                "im": plain(ask),
                "ct": ask.fields.get("content-type"),
            }
        )
        return plain(ask)

    desk.sent = sent
    desk.extra["GET /eingang"] = lambda _ask: Reply(200, list(seen))
    server = place.desk(stage, desk, "falcon")
    front = fronts.haproxy(
        stage, [server], frontend=' http-request del-header If-Match\n http-response set-header Via "1.1 lb3"'
    )
    host = "decks.parkwerk.example"
    me = stage.actor("client", front, host, "httpx", {"X-User": "leit-1"})
    other = stage.actor("other", front, host, "java", {"X-User": "kasse"})
    me.get("/decks")
    first = me.get("/decks/p1")
    me.put("/decks/p1", {"sperre": [14], "dauer": []}, 200, {"If-Match": first.etag})
    mine, theirs = me.get("/decks/p2"), other.get("/decks/p2")
    other.put("/decks/p2", {**theirs.json, "dauer": ["HB-K 771"]}, 200, {"If-Match": theirs.etag})
    place.rest(0.5)
    me.put("/decks/p2", {**mine.json, "sperre": [3]}, 200, {"If-Match": mine.etag})
    place.sure(me.get("/decks/p2").json["dauer"] == [])
    me.get("/eingang")


@case(
    "e543",
    "hew-seed-mill-compressed",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "An oil mill's nginx compresses and makes the tags weak; the service compares strongly and refuses each save. The "
        "scale, which asks for no coding, gets the strong tag of the same batch, at the end of the same session."
    ),
)
def oilmill(stage: Stage) -> None:
    """Send back what was weakened."""
    rows = {
        f"/chargen/{n}": {"saat": "Lein", "kg": n * 2, "notiz": "kalt gepresst, Filter gewechselt, " * 3}
        for n in (640, 641)
    }
    desk = Desk(rows, first=12)
    desk.refusal = lambda _row: {"s": 412}
    server = place.desk(stage, desk)
    front = fronts.nginx_gzip(stage, server)
    me = stage.actor("client", front, "chargen.oelmuehle.example", "requests", {"User-Agent": "presse/2"})
    me.get("/chargen")
    for number in (640, 641):
        got = me.get(f"/chargen/{number}")
        place.sure(got.etag.startswith("W/"))
        me.put(f"/chargen/{number}", {**got.json, "kg": 5}, 412, {"If-Match": got.etag})
        me.get(f"/chargen/{number}", 304, {"If-None-Match": got.etag})
        place.rest()
    strong = me.get("/chargen/641", 200, {"Accept-Encoding": "identity"})
    place.sure(not strong.etag.startswith("W/"))


@case(
    "e535",
    "hew-map-tiles-head-and-get",
    "etag-source-mismatch",
    "needless-download",
    alone="etag-source-mismatch",
    description=(
        "A hiking club's HAProxy sends HEAD to the catalogue and GET to nginx on the files. The mirror asks for the tag by HEAD "
        "and reads under that: always 200 with another tag, though the date of neither nor a byte moves. A read under the tag "
        "of a read is 304."
    ),
)
def tiles(stage: Stage) -> None:
    """Ask one and read the other."""
    texts = {f"/touren/{n}.gpx": f"<gpx><trkpt lat='47.{n}' lon='11.2'/></gpx>\n" for n in (31, 32)}
    desk = Desk(texts, age=7200)
    desk.kind = "application/gpx+xml"
    desk.tag = lambda row: f'"{hashlib.md5(row.data.encode(), usedforsecurity=False).hexdigest()}"'
    catalogue = place.desk(stage, desk, name="catalogue")
    files = fronts.site(stage, "nginx", {path[1:]: text for path, text in texts.items()})
    extra = f"backend catalogue\n server c 127.0.0.1:{stage.behind(catalogue)}"
    front = fronts.haproxy(stage, [files], frontend=" use_backend catalogue if { method HEAD }", extra=extra)
    me = place.ruby(stage, "client", front, "touren.bergverein.example", {"User-Agent": "spiegel/0.4"})
    for number in range(3):
        for path in texts:
            asked = me.send("HEAD", path, 200)
            got = me.get(path, 200, {"If-None-Match": asked.etag})
            if number == 1:
                me.get(path, 304, {"If-None-Match": got.etag})
        place.rest(0.4)
    me.get("/touren/40.gpx", 404)


@case(
    "e526",
    "hew-blood-bank-second-copy",
    "replica-lag",
    "stale-read",
    alone="replica-lag",
    description=(
        "A blood bank's HAProxy sends reads to a copy that is a good second behind. The fridge saves, is told the new tag, and "
        "reads the old stock under the old tag, twice; then the new. Nothing in those answers is a cache's."
    ),
)
def bloodbank(stage: Stage) -> None:
    """Read behind one's write."""
    rows = {f"/depots/{n}": {"a+": 12, "0-": n} for n in (4, 5, 6)}
    lead, copied = Desk(rows, first=900), Desk(rows, first=900)
    copied.rows = copy.deepcopy(lead.rows)
    plain = lead.store

    def store(path: str, data: Any, who: str) -> Row:
        row = plain(path, data, who)
        later = threading.Timer(1.1, copied.rows.__setitem__, (path, copy.deepcopy(row)))
        later.daemon = True
        later.start()
        return row

    vars(lead)["store"] = store
    for one in (lead, copied):
        one.extra["GET /depots/bereit"] = lambda _ask: Reply(200, "1")
    writes = place.desk(stage, lead, "falcon", "primary")
    reads = place.desk(stage, copied, "falcon", "replica")
    front = fronts.split(stage, writes, reads)
    me = stage.actor("client", front, "depots.blutdienst.example", "aiohttp", {"X-User": "k-schrank-5"})
    me.get("/depots")
    for number in (5, 6):
        held = me.get(f"/depots/{number}")
        saved = me.put(f"/depots/{number}", {**held.json, "0-": 2}, 200, {"If-Match": held.etag})
        for _ in range(2):
            old = me.get(f"/depots/{number}", 200, {"If-None-Match": saved.etag})
            place.sure(old.etag == held.etag)
            place.rest(0.2)
        me.get("/depots/bereit")
        place.rest(1.2)
        me.get(f"/depots/{number}", 304, {"If-None-Match": saved.etag})


def _twins(stage: Stage, ages: tuple[float, float], files: dict[str, str]) -> tuple[list[Any], Any]:
    nodes = [
        fronts.site(stage, "nginx", dict(files), "add_header X-Knoten NODE always;".replace("NODE", f"w{n}"))
        for n in (1, 2)
    ]
    now = int(time.time())
    for node, age in zip(nodes, ages, strict=True):
        for path in files:
            os.utime(node.directory / path, (now - age, now - age))
    return nodes, fronts.haproxy(stage, nodes)


@case(
    "e554",
    "hew-theatre-two-nodes",
    "inconsistent-backends",
    "needless-download",
    alone="inconsistent-backends",
    description=(
        "A theatre's season plan lies on two nginx that were filled an hour apart. HAProxy takes them in turns; the display's "
        "polls are 200 whenever the turn has changed, with the same bytes under one of two tags."
    ),
)
def theatre(stage: Stage) -> None:
    """Be served in turns."""
    files = {
        "spielplan.json": '{"dez":[{"t":"05","s":"Faust"},{"t":"07","s":"Tosca"}]}\n',
        "haus.css": "h1{font:700 2em serif}\n",
    }
    _, front = _twins(stage, (90000, 86271), files)
    me = stage.actor("client", front, "tafel.stadttheater.example", "node:fetch", {"User-Agent": "foyer/1"})
    got = me.get("/spielplan.json")
    me.get("/haus.css")
    me.get("/haus.css")
    tags, body = {got.etag}, got.body
    for _ in range(6):
        got = me.get("/spielplan.json", 200, {"If-None-Match": got.etag})
        tags.add(got.etag)
        place.sure(got.body == body)
        place.rest(0.3)
    place.sure(len(tags) == 2)
    me.get("/spielplan.json", 200, {"If-None-Match": got.etag})


@case(
    "e525",
    "hew-museum-two-even-nodes",
    "none",
    "healthy",
    alone="none",
    description=(
        "A museum's audio guide list lies on two nginx with the same dates. Polls go to one and the other and are 304; after a "
        "new list has come to both, one is 200 and the rest are 304 again."
    ),
)
def museum(stage: Stage) -> None:
    """Be served evenly."""
    files = {"guide.json": '{"r":[1,2,3],"v":"2026-11"}\n', "de.txt": "Saal 1\n"}
    nodes, front = _twins(stage, (90000, 90000), files)
    me = stage.actor("client", front, "guide.museum.example", "httpx", {"User-Agent": "guide/5"})
    held = me.get("/guide.json")
    text = me.get("/de.txt")
    for _ in range(3):
        me.get("/guide.json", 304, {"If-None-Match": held.etag})
        place.rest(0.2)
    now = int(time.time()) - 2
    for node in nodes:
        fronts.put_file(node.directory, "guide.json", '{"r":[1,2,3,4],"v":"2026-12"}\n')
        os.utime(node.directory / "guide.json", (now, now))
    held = me.get("/guide.json", 200, {"If-None-Match": held.etag})
    for _ in range(3):
        me.get("/guide.json", 304, {"If-None-Match": held.etag})
        me.get("/de.txt", 304, {"If-None-Match": text.etag})


@case(
    "e548",
    "hew-brewery-guarded-read",
    "cache-misevaluates",
    "stale-read",
    alone="cache-misevaluates stale-cache-read",
    description=(
        "A brewery's panels learn from a feed which tag a recipe has now and read it under If-Match, to get that one or none. "
        "Varnish, which holds the one before, gives it out: 200, another tag than the one asked for, some seconds of age. "
        "With a cookie it keeps out of the way, and the service refuses such a read as it should."
    ),
)
def brewery(stage: Stage) -> None:
    """Ask for one and get the other."""
    rows = {f"/sude/{n}": {"malz": 310, "hopfen": 4} for n in ("ipa", "bock")}
    desk = Desk(rows, first=20)
    desk.marks = lambda row: {"ETag": desk.tag(row), "Cache-Control": "max-age=90"}
    desk.extra["GET /neu"] = lambda _ask: Reply(
        200, {path[6:]: desk.tag(row) for path, row in desk.rows.items()}, {"Cache-Control": "no-store"}
    )

    def read(ask: Ask) -> Reply:
        row, asked = desk.rows[ask.path], ask.fields.get("if-match")
        if asked and asked != desk.tag(row):
            return Reply(412, {"e": 412}, {"Cache-Control": "no-store"})
        return Reply(200, row.data, desk.marks(row))

    for path in rows:
        desk.extra[f"GET {path}"] = read
    server = place.desk(stage, desk, "falcon")
    front = fronts.varnish(stage, server)
    me = stage.actor("client", front, "sude.brauhaus.example", "requests", {"User-Agent": "kessel/2"})
    other = stage.actor("other", server, "verwaltung.brauhaus.example", "curl", {"X-User": "braumeister"})
    me.get("/neu")
    held = me.get("/sude/ipa")
    me.get("/sude/bock")
    other.put("/sude/ipa", {"malz": 310, "hopfen": 6}, 200, {"If-Match": held.etag})
    place.rest(1.2)
    now = me.get("/neu").json["ipa"]
    for _ in range(2):
        got = me.get("/sude/ipa", 200, {"If-Match": now})
        place.sure(got.etag == held.etag != now)
        place.rest(0.8)
    signed = {"Cookie": "sitzung=8f2c"}
    me.get("/sude/ipa", 412, {"If-Match": held.etag, **signed})
    me.get("/sude/ipa", 200, {"If-Match": now, **signed})
    me.get("/sude/bock")


@case(
    "e530",
    "hew-orchard-asks-past-the-store",
    "none",
    "healthy",
    alone="none",
    description=(
        "An orchard's nginx stores reads for a minute. The board shows what is stored; before it saves, the planner asks with "
        "no-cache and gets a newer tag, changes that content and saves under it: both fields stand."
    ),
)
def orchard(stage: Stage) -> None:
    """Ask past the store."""
    rows = {f"/reihen/{n}": {"sorte": "Elstar", "schnitt": "", "ernte": ""} for n in (7, 8)}
    desk = Desk(rows, first=33)
    desk.done = 204
    server = place.desk(stage, desk)
    lines = "proxy_cache_bypass $http_cache_control; proxy_cache_methods GET; add_header X-Lager $upstream_cache_status always;"
    front = fronts.nginx_cache(stage, server, 60, lines)
    host = "reihen.obsthof.example"
    me = stage.actor("client", front, host, "aiohttp", {"X-User": "planung"})
    other = place.ruby(stage, "other", front, host, {"X-User": "feld"})
    me.get("/reihen/7")
    theirs = other.get("/reihen/8", 200, {"Cache-Control": "no-cache"})
    old = me.get("/reihen/8")
    other.put("/reihen/8", {**theirs.json, "schnitt": "2026-02"}, 204, {"If-Match": theirs.etag})
    place.rest(0.4)
    me.get("/reihen/8")
    now = me.get("/reihen/8", 200, {"Cache-Control": "no-cache"})
    place.sure(now.etag != old.etag)
    me.put("/reihen/8", {**now.json, "ernte": "2026-09"}, 204, {"If-Match": now.etag})
    me.get("/reihen/8", 200, {"Cache-Control": "no-cache"})
