"""Stories of reads in parts and of pages from elsewhere, and of traffic that is well."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.vic_core import Box
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place
from tools.recording_apis.stories.held_wes_setting import ICS, JSON, basic, event

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_XML = {"Content-Type": "application/xml"}
_PROPS = '<propfind xmlns="DAV:"><prop><getetag/><getlastmodified/></prop></propfind>'


def _rows(mark: str, count: int = 400) -> str:
    return "".join(f"{number:05};{mark};{number * 37 % 1009}\n" for number in range(count))


@case(
    "e175",
    "wes-table-fetched-in-four-parts",
    "read-changed-mid-transfer",
    "spliced",
    alone="read-changed-mid-transfer",
    description=(
        "A client fetches a table from Caddy in ranges without If-Range or If-Match; the file is replaced by a new export "
        "between the second and the third: all are 206, but the parts carry two ETags and lengths and do not belong together."
    ),
)
def parts(stage: Stage) -> None:
    """Read two files as one."""
    files = {"exports/prices.txt": _rows("old"), "exports/README.txt": "nightly\n"}
    server = fronts.site(stage, "caddy", files)
    me = stage.actor("client", server, "exports.grid.example", "curl", {"User-Agent": "fetcher/1.0"})
    me.get("/exports/README.txt")
    head = me.send("HEAD", "/exports/prices.txt", 200)
    size = int(head.fields["content-length"])
    step, tags = size // 4, []
    for number in range(4):
        if number == 2:
            fronts.put_file(server.directory, "exports/prices.txt", _rows("new", 390))
        end = size - 1 if number == 3 else (number + 1) * step - 1
        got = me.get("/exports/prices.txt", 206, {"Range": f"bytes={number * step}-{end}"})
        tags.append(got.etag)
        place.rest(0.4)
    place.sure(tags[0] == tags[1] != tags[2] == tags[3])
    me.get("/exports/README.txt")


@case(
    "e189",
    "wes-widget-on-another-site",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag unconditional-write",
    description=(
        "A widget's script edits files of another origin: nginx allows the origin but exposes no ETag, and its preflight "
        "allows Content-Type only, so the script saves without a condition; a colleague's slot, seen by its poll, is lost."
    ),
)
def widget(stage: Stage) -> None:
    """Not see the tag that is there."""
    files = {f"slots/{n}.json": f'{{"day":"{n}","taken":[]}}' for n in ("fri", "sat")}
    server = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"])
    lines = (
        'add_header Access-Control-Allow-Origin "http://club.example" always;'
        'if ($request_method = OPTIONS) { add_header Access-Control-Allow-Origin "http://club.example";'
        ' add_header Access-Control-Allow-Methods "GET, PUT"; add_header Access-Control-Allow-Headers "content-type";'
        " return 204; }"
    )
    edge = fronts.nginx(stage, server, lines)
    page = {**place.CHROME, "Origin": "http://club.example", "Referer": "http://club.example/"}
    me = stage.actor("client", edge, "slots.court.example", "requests", page)
    other = stage.actor("other", edge, "slots.court.example", "httpx", page)
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    seen = me.get("/slots/fri.json")
    me.get("/slots/sat.json")
    place.sure("etag" in seen.fields and "access-control-expose-headers" not in seen.fields)
    me.send("OPTIONS", "/slots/sat.json", 204, asked)
    me.put("/slots/sat.json", '{"day":"sat","taken":["10:00 Ida"]}', 204, JSON)
    other.put("/slots/fri.json", '{"day":"fri","taken":["18:00 Ben"]}', 204, JSON)
    place.rest(1.2)
    place.sure("Ben" in me.get("/slots/fri.json").text)
    place.rest(0.5)
    me.send("OPTIONS", "/slots/fri.json", 204, asked)
    me.put("/slots/fri.json", '{"day":"fri","taken":["19:00 Ida"]}', 204, JSON)
    place.sure("Ben" not in me.get("/slots/fri.json").text)


@case(
    "e162",
    "wes-moved-share-keeps-method",
    "none",
    "healthy",
    alone="none",
    description=(
        "A share has moved: nginx answers 308 for the old folder, the client follows with the same PUT, body and If-Match, "
        "mod_dav takes them and later reads show what was saved. Nothing is wrong."
    ),
)
def moved_share(stage: Stage) -> None:
    """Follow a redirect that keeps all."""
    files = {f"team/{n}.txt": f"{n}\n" for n in ("goals", "dates", "people")}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    edge = fronts.nginx(
        stage, server, "", "", "absolute_redirect off; location ~ ^/old-team/(.*)$ { return 308 /team/$1; }"
    )
    me = stage.actor("client", edge, "share.coop.example", "requests:follow", {"User-Agent": "Syncer/10"})
    me.send("PROPFIND", "/team/", 207, {**_XML, "Depth": "1"}, _PROPS)
    for name in ("goals", "dates"):
        seen = me.get(f"/old-team/{name}.txt")
        place.rest(0.4)
        me.put(f"/old-team/{name}.txt", seen.text + "checked\n", 204, {"If-Match": seen.etag})
        place.rest(1.3)
        now = me.get(f"/old-team/{name}.txt")
        place.sure("checked" in now.text)
        me.get(f"/team/{name}.txt", 304, {"If-None-Match": now.etag})
    me.get("/team/people.txt")


@case(
    "e178",
    "wes-store-passed-by-for-edits",
    "none",
    "healthy",
    alone="none",
    description=(
        "nginx stores reads for a while; the client shows stored answers, but reads with no-cache before each edit, which "
        "passes the store by and renews it, and after each of its PUTs. Each guard fits and no read is older than it may be."
    ),
)
def passed_by(stage: Stage) -> None:
    """Read past the store before a write."""
    files = {f"signs/{n}.json": f'{{"line":"{n}","text":"on time"}}' for n in ("s1", "s2", "s7")}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    lines = "add_header X-Cache-Status $upstream_cache_status; proxy_cache_bypass $http_cache_control;"
    edge = fronts.nginx_cache(stage, server, 40, lines)
    me = stage.actor("client", edge, "signs.bahn.example", "node:axios", {"User-Agent": "SignDesk/2"})
    shown = {name: me.get(f"/signs/{name}.json") for name in ("s1", "s2", "s7")}
    for name, seen in shown.items():
        me.get(f"/signs/{name}.json", 304, {"If-None-Match": seen.etag})
    for name in ("s2", "s7"):
        past = {"Cache-Control": "no-cache"}
        seen = me.get(f"/signs/{name}.json", 200, past)
        body = f'{{"line":"{name}","text":"10 min late"}}'
        me.put(f"/signs/{name}.json", body, 204, {**JSON, "If-Match": seen.etag})
        place.rest(1.3)
        now = me.get(f"/signs/{name}.json", 200, past)
        place.sure("late" in now.text)
        me.get(f"/signs/{name}.json", 304, {"If-None-Match": now.etag})
    me.get("/signs/s1.json")


@case(
    "e187",
    "wes-weak-for-reading-strong-for-writing",
    "none",
    "healthy",
    alone="none",
    description=(
        "nginx compresses what is shown, whose tags are weak; before a save the client reads with identity and sends "
        "the strong tag, which Radicale takes. Two forms of one tag, nothing is wrong."
    ),
)
def two_forms(stage: Stage) -> None:
    """Know when which form is good."""
    server = stage.server("radicale")
    edge = fronts.nginx_gzip(stage, server, 'proxy_set_header Accept-Encoding "";')
    me = stage.actor("client", edge, "cal.theatre.example", "httpx", basic("inspizienz"))
    me.send("MKCALENDAR", "/inspizienz/saison/", 201, _XML)
    for uid in ("probe", "premiere"):
        me.put(f"/inspizienz/saison/{uid}.ics", event(uid, uid, 19, "LOCATION:Grosses Haus"), 201, ICS)
    stage.forget()
    for uid in ("probe", "premiere"):
        path = f"/inspizienz/saison/{uid}.ics"
        weak = me.get(path, 200, {"Accept-Encoding": "gzip"})
        place.sure(weak.etag.startswith("W/"))
        me.get(path, 200, {"Accept-Encoding": "gzip"})
        place.rest(0.4)
        plain = me.get(path, 200, {"Accept-Encoding": "identity"})
        later = event(uid, uid, 20, "LOCATION:Grosses Haus")
        told = me.put(path, later, 204, {**ICS, "If-Match": plain.etag})
        seen = me.get(path, 200, {"Accept-Encoding": "gzip"})
        place.sure(seen.etag == f"W/{told.etag}" and "T200000Z" in seen.text)
    me.send("PROPFIND", "/inspizienz/saison/", 207, {**_XML, "Depth": "1"}, _PROPS)


@case(
    "e192",
    "wes-two-tabs-take-turns-on-one-service",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two nodes behind HAProxy share one store and its tags: whichever answers, polls are 304, one's saves and another "
        "user's follow each other with the right tags, some requests overlap on different documents. Nothing is wrong."
    ),
)
def turns(stage: Stage) -> None:
    """Work on two nodes with one store."""
    docs = {f"/pitches/{n}": {"pitch": n, "guest": "", "power": False} for n in (1, 2, 3, 4)}
    box = Box(docs, lambda path, doc: f'"{path[-1]}-{doc.rev}"', dates=True, need=428)
    nodes = [place.open_box(stage, box, kind) for kind in ("waitress", "cheroot")]
    edge = fronts.haproxy(stage, nodes, " http-response set-header X-Node %s")
    me = stage.actor("client", edge, "pitches.camping.example", "aiohttp", {"X-User": "rezeption"})
    other = stage.actor("other", edge, "pitches.camping.example", "requests", {"X-User": "platzwart"})
    place.chores(me, "uj")
    me.get("/pitches")
    for pitch in (1, 2):
        seen = me.get(f"/pitches/{pitch}")
        me.get(f"/pitches/{pitch}", 304, {"If-None-Match": seen.etag})
        told = me.put(f"/pitches/{pitch}", {**seen.json, "guest": "Alder"}, 200, {"If-Match": seen.etag})
        other.put(f"/pitches/{pitch}", {**told.json, "power": True}, 200, {"If-Match": told.etag})
        place.rest(0.4)
        now = me.get(f"/pitches/{pitch}", 200, {"If-None-Match": told.etag})
        me.put(f"/pitches/{pitch}", {**now.json, "guest": "Alder (2)"}, 200, {"If-Match": now.etag})
        place.chores(me, "t")
    third, fourth = me.get("/pitches/3"), me.get("/pitches/4")
    me.put("/pitches/3", {**third.json, "guest": "Birk"}, 200, {"If-Match": third.etag})
    me.put("/pitches/4", {**fourth.json, "guest": "Birk"}, 200, {"If-Match": fourth.etag})
    me.get("/pitches/1", 200)


@case(
    "e199",
    "wes-download-starts-over",
    "none",
    "healthy",
    alone="none",
    description=(
        "A download in ranges carries If-Range: when the file under nginx is replaced, the next range is answered with the "
        "whole new file (200), which the client keeps instead of its parts. "
        "Nothing is wrong."
    ),
)
def over(stage: Stage) -> None:
    """Start over as one should."""
    server = fronts.site(stage, "nginx", {"radar/frame.txt": _rows("a"), "radar/legend.txt": "dBZ\n"})
    me = stage.actor("client", server, "radar.wetter.example", "urllib", {"User-Agent": "RadarBox/6"})
    legend = me.get("/radar/legend.txt")
    first = me.get("/radar/frame.txt", 206, {"Range": "bytes=0-1499"})
    fetch = partial(me.send, "GET", "/radar/frame.txt")
    fetch(206, {"Range": "bytes=1500-2999", "If-Range": first.etag})
    fronts.put_file(server.directory, "radar/frame.txt", _rows("b", 380))
    place.rest(0.6)
    whole = fetch(200, {"Range": "bytes=3000-4499", "If-Range": first.etag})
    place.sure(whole.text == _rows("b", 380) and whole.etag != first.etag)
    place.rest(0.4)
    fetch(304, {"If-None-Match": whole.etag})
    me.get("/radar/legend.txt", 304, {"If-None-Match": legend.etag})
