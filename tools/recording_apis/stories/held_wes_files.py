"""Stories on files under Apache, nginx, lighttpd, Caddy and WsgiDAV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place
from tools.recording_apis.stories.held_wes_setting import JSON, iso, moved, now, second_begins

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_XML = {"Content-Type": "application/xml"}
_PROPS = '<propfind xmlns="DAV:"><prop><getetag/><getlastmodified/><lockdiscovery/></prop></propfind>'


@case(
    "e179",
    "wes-saved-and-saved-again-in-one-breath",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "An editor saves to Apache's mod_dav, asks HEAD for the tag at once and saves again with it: the tag is weak as "
        "the file is younger than a second, so 412; a little later the same value is strong and taken."
    ),
)
def settled(stage: Stage) -> None:
    """Save twice within a second."""
    files = {"texte/rede.txt": "Liebe Gäste\n", "texte/menue.txt": "Suppe\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "ablage.verein.example", "urllib", {"User-Agent": "Texter/2.1"})
    me.send("OPTIONS", "/texte/", 200)
    for number, name in enumerate(("rede", "menue")):
        seen = me.get(f"/texte/{name}.txt")
        me.put(f"/texte/{name}.txt", seen.text + "Entwurf\n", 204, {"If-Match": seen.etag})
        soon = me.send("HEAD", f"/texte/{name}.txt", 200)
        place.sure(soon.etag.startswith("W/"))
        me.put(f"/texte/{name}.txt", seen.text + "Entwurf, ergänzt\n", 412, {"If-Match": soon.etag})
        place.rest(1.6 + number)
        later = me.send("HEAD", f"/texte/{name}.txt", 200)
        place.sure(later.etag == soon.etag.removeprefix("W/"))
    me.put("/texte/menue.txt", "Suppe\nEntwurf, ergänzt\n", 204, {"If-Match": later.etag})


@case(
    "e176",
    "wes-poster-that-was-thrown-away",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A layout program saves a poster to mod_dav with the tag of its read; in between somebody deleted the file: 412, "
        "the read after it is 404 and the folder's listing no longer has it."
    ),
)
def poster(stage: Stage) -> None:
    """Save what is gone."""
    files = {f"posters/{name}.svg": f"<svg id='{name}'/>" for name in ("fair", "jazz", "run")}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "share.printshop.example", "httpx", {"User-Agent": "Layouter/14"})
    other = stage.actor("other", server, "share.printshop.example", "curl", {"User-Agent": "Finder/22"})
    me.send("PROPFIND", "/posters/", 207, {**_XML, "Depth": "1"}, _PROPS)
    jazz, run = me.get("/posters/jazz.svg"), me.get("/posters/run.svg")
    me.put("/posters/run.svg", "<svg id='run'><g/></svg>", 204, {"If-Match": run.etag})
    other.send("DELETE", "/posters/jazz.svg", 204)
    place.rest(1.2)
    me.put("/posters/jazz.svg", "<svg id='jazz'><g/></svg>", 412, {"If-Match": jazz.etag})
    me.get("/posters/jazz.svg", 404)
    listed = me.send("PROPFIND", "/posters/", 207, {**_XML, "Depth": "1"}, _PROPS)
    place.sure("jazz" not in listed.text)


_LOCK = (
    '<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype>'
    "<owner>studio-mac-3</owner></lockinfo>"
)


@case(
    "e165",
    "wes-score-open-at-the-other-desk",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "A colleague's program holds a WebDAV lock on a score under Apache; this one's PUT with the right tag is 423, as is "
        "its own LOCK; lockdiscovery names the owner and the tag is unchanged."
    ),
)
def score(stage: Stage) -> None:
    """Write what another has locked."""
    files = {f"scores/{name}.xml": f"<score>{name}</score>" for name in ("kyrie", "gloria")}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "noten.ensemble.example", "requests", {"User-Agent": "Notator/5"})
    other = stage.actor("other", server, "noten.ensemble.example", "httpx", {"User-Agent": "Notator/5"})
    other.send("LOCK", "/scores/kyrie.xml", 200, {**_XML, "Timeout": "Second-600", "Depth": "0"}, _LOCK)
    seen, free = me.get("/scores/kyrie.xml"), me.get("/scores/gloria.xml")
    me.put("/scores/gloria.xml", "<score>gloria II</score>", 204, {"If-Match": free.etag})
    place.rest(0.8)
    for _ in range(2):
        me.put("/scores/kyrie.xml", "<score>kyrie II</score>", 423, {"If-Match": seen.etag})
        place.rest(0.5)
    told = me.send("PROPFIND", "/scores/kyrie.xml", 207, {**_XML, "Depth": "0"}, _PROPS)
    place.sure("studio-mac-3" in told.text)
    me.send("LOCK", "/scores/kyrie.xml", 423, {**_XML, "Depth": "0"}, _LOCK.replace("mac-3", "mac-9"))
    place.sure(me.get("/scores/kyrie.xml").etag == seen.etag)


@case(
    "e193",
    "wes-rule-of-the-registry-share",
    "token-missing",
    "428",
    alone="token-missing",
    description=(
        "A rewrite rule of Apache answers 428 to a PUT on an existing file without If-Match; the exporter reads each file "
        "with its ETag but sends no condition."
    ),
)
def rule(stage: Stage) -> None:
    """Send no condition where one is demanded."""
    lines = fronts.DAV["apache2"] + (
        "\nRewriteEngine On\nRewriteCond %{REQUEST_METHOD} ^(PUT|DELETE)$\nRewriteCond %{HTTP:If-Match} ^$\n"
        "RewriteCond %{HTTP:If-None-Match} ^$\nRewriteRule ^ - [R=428,L]"
    )
    lines = "LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so\n" + lines
    files = {f"plots/{n}.json": f'{{"plot":{n},"owner":"gemeinde"}}' for n in (31, 32, 33)}
    server = fronts.site(stage, "apache2", files, lines)
    me = stage.actor("client", server, "kataster.amt.example", "java", {"User-Agent": "Ausleiter/1.8"})
    me.put("/plots/34.json", '{"plot":34}', 201, {**JSON, "If-None-Match": "*"})
    for plot in (31, 32, 33):
        seen = me.get(f"/plots/{plot}.json")
        place.sure(seen.etag)
        me.put(f"/plots/{plot}.json", f'{{"plot":{plot},"owner":"bund"}}', 428, JSON)
        place.rest(0.3)
    me.send("PROPFIND", "/plots/", 207, {**_XML, "Depth": "1"}, _PROPS)


@case(
    "e169",
    "wes-tag-out-of-an-address",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A job hands the tag on as a parameter and forgets to decode it: lighttpd's mod_webdav gets If-Match with %22 for "
        "the quotes and refuses; the file still has the tag that it had."
    ),
)
def coded(stage: Stage) -> None:
    """Send a coded tag."""
    files = {f"feeds/{n}.json": f'{{"station":"{n}","every":60}}' for n in ("aare", "emme", "reuss")}
    server = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"])
    me = stage.actor("client", server, "konfig.pegel.example", "node:fetch", {"User-Agent": "verteiler/0.4"})
    for name in files:
        me.get("/feeds/aare.json", 200, {"X-Job": name})
    good = me.get("/feeds/reuss.json")
    me.put("/feeds/reuss.json", '{"station":"reuss","every":30}', 204, {**JSON, "If-Match": good.etag})
    for name in ("aare", "emme"):
        seen = me.get(f"/feeds/{name}.json")
        sent = seen.etag.replace('"', "%22")
        me.put(f"/feeds/{name}.json", f'{{"station":"{name}","every":30}}', 412, {**JSON, "If-Match": sent})
        place.rest(0.5)
        place.sure(me.send("HEAD", f"/feeds/{name}.json", 200).etag == seen.etag)


@case(
    "e173",
    "wes-nginx-takes-any-tag",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "nginx's WebDAV module never looks at If-Match of a PUT: the client's save carries the tag of a version that its own "
        "poll has seen replaced, the answer is 204 and the other's line is gone from the next read."
    ),
)
def anytag(stage: Stage) -> None:
    """Be let through with an old tag."""
    files = {"lists/hut.txt": "hut\n1 rope\n", "lists/van.txt": "van\n1 rope, 60 m\n2 spades\n"}
    server = fronts.site(stage, "nginx", files, fronts.DAV["nginx"])
    me = stage.actor("client", server, "gear.alpine.example", "httpx", {"User-Agent": "GearList/6"})
    other = stage.actor("other", server, "gear.alpine.example", "requests", {"User-Agent": "GearList/6"})
    base = me.get("/lists/hut.txt")
    me.get("/lists/hut.txt", 304, {"If-None-Match": base.etag})
    van = me.get("/lists/van.txt")
    me.put("/lists/van.txt", van.text + "1 tarp\n", 204, {"If-Match": van.etag})
    other.put("/lists/hut.txt", base.text + "4 ice screws\n", 204, {"If-Match": base.etag})
    place.rest(1.2)
    newer = me.get("/lists/hut.txt", 200, {"If-None-Match": base.etag})
    place.sure("ice screws" in newer.text)
    place.rest(0.7)
    me.put("/lists/hut.txt", base.text + "2 stoves\n", 204, {"If-Match": base.etag})
    place.sure("ice screws" not in me.get("/lists/hut.txt").text)


@case(
    "e170",
    "wes-beam-plan-saved-bare",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "lighttpd's mod_webdav tags each file, but the planner's save has no condition; its poll had shown a colleague's new "
        "rafter, its save of the older plan puts it away, as the poll after it shows."
    ),
)
def bare(stage: Stage) -> None:
    """Save without a condition."""
    plan = '{"beams":["A1","A2"],"note":""}'
    server = fronts.site(
        stage, "lighttpd", {"plans/roof.json": plan, "plans/wall.json": plan}, fronts.DAV["lighttpd"]
    )
    me = stage.actor("client", server, "plans.zimmerei.example", "aiohttp", {"User-Agent": "Planer/3"})
    other = stage.actor("other", server, "plans.zimmerei.example", "node:axios", {"User-Agent": "Planer/3"})
    seen = me.get("/plans/roof.json")
    me.get("/plans/wall.json")
    me.get("/plans/roof.json", 304, {"If-None-Match": seen.etag})
    other.put(
        "/plans/roof.json", '{"beams":["A1","A2","R9"],"note":""}', 204, {**JSON, "If-Match": seen.etag}
    )
    place.rest(1.1)
    place.sure("R9" in me.get("/plans/roof.json", 200, {"If-None-Match": seen.etag}).text)
    place.rest(0.5)
    me.put("/plans/roof.json", '{"beams":["A1","A2"],"note":"oak"}', 204, JSON)
    place.sure("R9" not in me.get("/plans/roof.json").text)


@case(
    "e164",
    "wes-fresh-tag-stale-leaflet",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "The client keeps its edit of a morning's version, reads the file again under mod_dav only for its tag, and saves "
        "with that: 204, and the price that the read had shown is the old one again."
    ),
)
def leaflet(stage: Stage) -> None:
    """Take a new tag for an old edit."""
    text = '{"title":"Kurs","price":80,"room":"2","blurb":""}'
    files = {f"courses/{n}.json": text for n in ("yoga", "ton")}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "kurse.vhs.example", "requests", {"User-Agent": "Kursheft/9"})
    other = stage.actor("other", server, "kurse.vhs.example", "httpx", {"User-Agent": "Kasse/2"})
    me.send("PROPFIND", "/courses/", 207, {**_XML, "Depth": "1"}, _PROPS)
    base = me.get("/courses/ton.json")
    yoga = me.get("/courses/yoga.json")
    me.put("/courses/yoga.json", yoga.text.replace('"2"', '"5"'), 204, {**JSON, "If-Match": yoga.etag})
    other.put("/courses/ton.json", base.text.replace("80", "95"), 204, {**JSON, "If-Match": base.etag})
    place.rest(2.2)
    fresh = me.get("/courses/ton.json")
    place.sure("95" in fresh.text and not fresh.etag.startswith("W/"))
    edit = base.text.replace('"blurb":""', '"blurb":"mit Brennofen"')
    me.put("/courses/ton.json", edit, 204, {**JSON, "If-Match": fresh.etag})
    place.rest(0.4)
    place.sure('"price":80' in me.get("/courses/ton.json").text)


@case(
    "e160",
    "wes-two-saves-in-one-second",
    "date-precision",
    "lost-update",
    alone="date-precision",
    description=(
        "Writers under lighttpd guard by If-Unmodified-Since only: a second writer stores within the second of this client's "
        "version, Last-Modified stays the same though the length has grown, and the next guarded save passes over it."
    ),
)
def second(stage: Stage) -> None:
    """Guard by a date that did not move."""
    server = fronts.site(
        stage, "lighttpd", {"log/a.txt": "t;v\n", "log/b.txt": "t;v\n"}, fronts.DAV["lighttpd"]
    )
    me = stage.actor("client", server, "messung.labor.example", "httpx", {"User-Agent": "Logger/2"})
    other = stage.actor("other", server, "messung.labor.example", "requests", {"User-Agent": "Logger/2"})
    me.get("/log/b.txt")
    old = other.get("/log/a.txt").fields["last-modified"]
    second_begins()
    me.put("/log/a.txt", "t;v\n1;20.1\n", 204, {"If-Unmodified-Since": old})
    seen = me.get("/log/a.txt")
    date = seen.fields["last-modified"]
    other.put("/log/a.txt", "t;v\n1;20.1\n2;20.4\n", 204, {"If-Unmodified-Since": date})
    place.rest(1.4)
    head = me.send("HEAD", "/log/a.txt", 200)
    place.sure(head.fields["last-modified"] == date and head.fields["content-length"] != str(len(seen.body)))
    me.put("/log/a.txt", "t;v\n1;20.1\n3;20.9\n", 204, {"If-Unmodified-Since": date})
    place.sure("2;20.4" not in me.get("/log/a.txt").text)


@case(
    "e177",
    "wes-summer-time-in-the-guard",
    "timezone-error",
    "lost-update",
    alone="timezone-error",
    description=(
        "The client writes Last-Modified in its zone (UTC+5:30) with GMT behind it: If-Unmodified-Since is 5.5 hours late for "
        "each file, lighttpd lets the save pass, and a change of the minute before is gone."
    ),
)
def zone(stage: Stage) -> None:
    """Send a local time as GMT."""
    files = {f"rota/{n}.json": f'{{"ward":"{n}","night":"A"}}' for n in ("north", "south")}
    server = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"])
    me = stage.actor("client", server, "rota.clinic.example", "node:axios", {"User-Agent": "RotaBoard/4"})
    other = stage.actor("other", server, "rota.clinic.example", "urllib", {"User-Agent": "RotaBoard/4"})
    north, south = me.get("/rota/north.json"), me.get("/rota/south.json")
    sent = {**JSON, "If-Unmodified-Since": moved(south.fields["last-modified"], 19800)}
    me.put("/rota/south.json", '{"ward":"south","night":"B"}', 204, sent)
    other.put("/rota/north.json", '{"ward":"north","night":"A","oncall":"Dr. Rao"}', 204, JSON)
    place.rest(1.5)
    sent = {**JSON, "If-Unmodified-Since": moved(north.fields["last-modified"], 19800)}
    seen = me.get("/rota/north.json", 200, {"If-None-Match": north.etag})
    place.sure("Rao" in seen.text)
    me.put("/rota/north.json", '{"ward":"north","night":"C"}', 204, sent)
    place.sure("Rao" not in me.get("/rota/north.json").text)


@case(
    "e198",
    "wes-guard-in-iso",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "The client sends If-Unmodified-Since as ISO 8601; WsgiDAV cannot read it and goes on: a save on an older version "
        "passes, and the other's row that a poll had shown is gone."
    ),
)
def isodate(stage: Stage) -> None:
    """Guard by what is no date of HTTP."""
    server = stage.server("wsgidav")
    me = stage.actor("client", server, "stock.bakery.example", "httpx", {"User-Agent": "Stocktake/3"})
    other = stage.actor("other", server, "stock.bakery.example", "urllib", {"User-Agent": "Stocktake/3"})
    for name in ("flour", "sugar"):
        me.put(f"/{name}.csv", "day;kg\nmon;40\n", 201)
    stage.forget()
    place.rest(1.1)
    me.send("PROPFIND", "/", 207, {**_XML, "Depth": "1"}, _PROPS)
    flour, sugar = me.get("/flour.csv"), me.get("/sugar.csv")
    date = iso(flour.fields["last-modified"])
    me.put(
        "/sugar.csv",
        sugar.text + "tue;12\n",
        204,
        {"If-Unmodified-Since": iso(sugar.fields["last-modified"])},
    )
    other.put("/flour.csv", flour.text + "tue;38 (delivery)\n", 204)
    place.rest(1.3)
    place.sure("delivery" in me.get("/flour.csv", 200, {"If-None-Match": flour.etag}).text)
    me.put("/flour.csv", flour.text + "tue;31\n", 204, {"If-Unmodified-Since": date})
    place.sure("delivery" not in me.get("/flour.csv").text)


@case(
    "e184",
    "wes-tablet-three-quarters-of-an-hour-ahead",
    "clock-skew",
    "lost-update",
    alone="clock-skew",
    description=(
        "A tablet's clock is 47 minutes ahead, and it guards its saves by If-Unmodified-Since with its own time (its Date "
        "field shows it): the guard can never fail under Apache, and another's entry is overwritten."
    ),
)
def ahead(stage: Stage) -> None:
    """Guard by one's own fast clock."""
    files = {f"rounds/{n}.txt": f"{n}: ok\n" for n in ("pump", "boiler")}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor(
        "client", server, "rounds.plant.example", "curl:trace-time", {"User-Agent": "RoundsPad/1.3"}
    )
    other = stage.actor("other", server, "rounds.plant.example", "requests", {"User-Agent": "Desk/5"})
    skew = 2831
    pump = me.get("/rounds/pump.txt", 200, {"Date": now(skew)})
    boiler = me.get("/rounds/boiler.txt", 200, {"Date": now(skew)})
    guard = {"Date": now(skew), "If-Unmodified-Since": now(skew)}
    me.put("/rounds/boiler.txt", boiler.text + "seal wet\n", 204, guard)
    other.put("/rounds/pump.txt", pump.text + "STOPPED by order 5512\n", 204, {"If-Match": pump.etag})
    place.rest(2.1)
    place.sure(
        "5512" in me.get("/rounds/pump.txt", 200, {"Date": now(skew), "If-None-Match": pump.etag}).text
    )
    guard = {"Date": now(skew), "If-Unmodified-Since": now(skew)}
    me.put("/rounds/pump.txt", pump.text + "oil 2 l\n", 204, guard)
    place.sure("5512" not in me.get("/rounds/pump.txt", 200, {"Date": now(skew)}).text)
