"""Traffic in order that may look like trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.kim_room import Counted, Room
from tools.recording_apis.apps.vic_core import Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_kim_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d842",
    "kim-download-starts-over",
    "none",
    "healthy",
    alone="none",
    description=(
        "A client goes on with a broken download of a soil map by If-Range; the map has a new issue meanwhile, so nginx "
        "answers 200 with the whole of it instead of 206, and the client takes that from its start; the checksum fits. "
        "A second file is gone on with, and is the same still."
    ),
)
def download(stage: Stage) -> None:
    """Start over when told so."""
    old, new = "".join(f"A{n};loess\n" for n in range(90)), "".join(f"A{n};marsh\n" for n in range(96))
    plain = "".join(f"B{n};sand\n" for n in range(80))
    server = fronts.site(
        stage, "nginx", {"maps/a.txt": old, "maps/b.txt": plain, "maps/index.json": '{"sheets":["a","b"]}'}
    )
    me = stage.actor("client", server, "karten.geologie.example", "urllib", {"User-Agent": "sheetsync/3.2"})
    me.get("/maps/index.json")
    one = me.get("/maps/a.txt", 206, {"Range": "bytes=0-399"})
    two = me.get("/maps/b.txt", 206, {"Range": "bytes=0-399"})
    fronts.put_file(server.directory, "maps/a.txt", new)
    place.rest(1.0)
    rest = me.get("/maps/b.txt", 206, {"Range": "bytes=400-", "If-Range": two.etag})
    place.sure(two.body + rest.body == plain.encode())
    whole = me.get("/maps/a.txt", 200, {"Range": "bytes=400-", "If-Range": one.etag})
    place.sure(whole.body == new.encode() and whole.etag != one.etag)
    place.poll(me, "/maps/a.txt", whole.etag, 2)


@case(
    "d849",
    "kim-busy-then-taken",
    "none",
    "healthy",
    alone="none",
    description=(
        "A blood bank's service is overloaded: two saves are 503 with Retry-After before anything is looked at, and the "
        "same requests with the same tags pass a second later, once each; reads show each change once."
    ),
)
def blood(stage: Stage) -> None:
    """Send again what was not taken."""
    docs: dict[str, Any] = {
        f"/units/{n}": {"unit": n, "group": "0-", "fridge": "F1"} for n in ("U-551", "U-552", "U-560")
    }
    room = Room(docs, lambda _path, doc: f'"{doc.rev}-{doc.digest()[:6]}"', first=1, need=428)
    busy = {"/units/U-552": 1, "/units/U-560": 2}

    def shed(req: Req) -> Res | None:
        if req.method == "PUT" and busy.get(req.path, 0) > 0:
            busy[req.path] -= 1
            return Res(503, {"error": "overloaded"}, {"Retry-After": "1"})
        return None

    room.before.append(shed)
    room.names = ()
    room.beside({"/me": {"lab": "east"}, "/fridges": ["F1", "F2"]})
    front = fronts.haproxy(stage, [place.opened(stage, room, "fastapi")])
    me = stage.actor("client", front, "units.bloodbank.test", "aiohttp", {"X-User": "lab-east"})
    place.look(me, "/me", "/units", "/fridges")
    for name, refusals in (("U-551", 0), ("U-552", 1), ("U-560", 2)):
        seen = me.get(f"/units/{name}")
        body, guard = {**seen.json, "fridge": "F2"}, {"If-Match": seen.etag}
        for _ in range(refusals):
            me.put(f"/units/{name}", body, 503, guard)
            place.rest(1.1)
        put = me.put(f"/units/{name}", body, 200, guard)
        place.sure(put.etag.startswith('"2-') and me.get(f"/units/{name}").etag == put.etag)


@case(
    "d856",
    "kim-new-build-new-tags",
    "none",
    "healthy",
    alone="none",
    description=(
        "A library's service puts its build into its tags; a new build is rolled out while a reader polls: each thing is "
        "sent in full once more under another tag with the same content, then 304 again; edits made before and after are "
        "taken, none falls into the change."
    ),
)
def build(stage: Stage) -> None:
    """Live through a deployment."""
    docs: dict[str, Any] = {
        f"/medien/{n}": {"sig": n, "titel": f"Band {n}", "standort": "Magazin"}
        for n in ("M-10", "M-11", "M-14")
    }
    room = Room(docs, first=5)
    now = {"build": "b318"}
    room.tag = lambda _path, doc: f'"{now["build"]}.{doc.rev}.{doc.digest()[:6]}"'
    room.after.append(lambda _req, res: res.fields.update({"X-Build": now["build"]}))
    room.names = ("von", "zuletzt")
    room.beside({"/version": {"api": 3}, "/oeffnung": {"mo": "9-18"}})
    front = fronts.nginx(stage, place.opened(stage, room, "django"))
    me = stage.actor("client", front, "katalog.stadtbibliothek.example", "node:fetch", {"X-User": "theke"})
    place.look(me, "/version", "/medien", "/oeffnung")
    seen = {name: me.get(f"/medien/{name}") for name in ("M-10", "M-11")}
    place.daily(me, "/medien/M-14", [{"standort": "Lesesaal"}, {"standort": "Magazin"}])
    for name, known in seen.items():
        place.poll(me, f"/medien/{name}", known.etag, 2)
    now["build"] = "b319"
    place.rest(0.6)
    for name, known in seen.items():
        fresh = me.get(f"/medien/{name}", 200, {"If-None-Match": known.etag})
        place.sure(fresh.body == known.body and fresh.etag != known.etag)
        seen[name] = fresh
    for name, known in seen.items():
        place.poll(me, f"/medien/{name}", known.etag, 2)
    place.daily(me, "/medien/M-10", [{"standort": "Ausleihe"}])


@case(
    "d862",
    "kim-two-editors-hand-in-hand",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two dispatchers change the same rescue boats in turns, each after reading, and each keeps what the other has "
        "set; a draft is refused with 422 because of a wrong value called version of the charts, and passes once it is "
        "put right. No change is lost."
    ),
)
def boats(stage: Stage) -> None:
    """Take turns."""
    docs: dict[str, Any] = {
        f"/boats/{n}": {"boat": n, "crew": 4, "fuel": 90, "charts": "2026-1"} for n in ("fanø", "læsø", "møn")
    }
    room = Counted(docs, "lockVersion", first=17)
    plain = room.judge

    def judge(req: Req, doc: object) -> Any:
        if req.method == "PUT" and not str(req.json.get("charts", "")).startswith("2026-"):
            return room.error(422, {"fejl": "charts: ukendt version", "felt": "charts"})
        return plain(req, doc)

    room.judge = judge
    room.logged("/logbog", known="lockVersion")
    room.names = ("ændretAf", "ændretKl")
    room.beside({"/vagt": {"nu": "ida"}, "/vejr": {"vind": "NV 8"}})
    front = fronts.apache(stage, place.opened(stage, room, "litestar"))
    me = stage.actor("client", front, "boats.redning.test", "requests", {"X-User": "ida"})
    other = stage.actor("other", front, "boats.redning.test", "node:axios", {"X-User": "bo"})
    path = "/boats/l%C3%A6s%C3%B8"
    place.look(me, "/vagt", "/boats", "/vejr")
    for number in range(3):
        mine = me.get(path).json
        me.put(path, {**mine, "crew": 5 + number}, 200)
        place.rest(0.4)
        theirs = other.get(path).json
        other.put(path, {**theirs, "fuel": 80 - number}, 200)
        place.rest(0.4)
    mine = me.get(path).json
    place.sure(mine["fuel"] == 78 and mine["crew"] == 7)
    me.put(path, {**mine, "charts": "26/2"}, 422)
    me.put(path, {**mine, "charts": "2026-2"}, 200)
    now = me.get(path).json
    place.sure(now["fuel"] == 78 and now["charts"] == "2026-2")
    me.get("/logbog")


@case(
    "d868",
    "kim-store-that-hears-of-writes",
    "none",
    "healthy",
    alone="none",
    description=(
        "Varnish stores a cinema's programme, answers polls with 304 from the store (Age grows), and forgets an entry "
        "whenever a write to it passes: reads after a save show the new tag, and saves go through; an old path is moved "
        "with 308 and the client sends method, content and If-Match to the new one itself."
    ),
)
def cinema(stage: Stage) -> None:
    """Live with a store that is told."""
    docs: dict[str, Any] = {
        f"/programm/{n}": {"film": n, "saal": 1, "zeit": "20:15"}
        for n in ("metropolis", "playtime", "stalker")
    }
    room = Room(docs, lambda _path, doc: f'"{doc.digest()[:13]}"', need=428)

    def moved(req: Req) -> Res | None:
        if not req.path.startswith("/spielplan/"):
            return None
        return Res(308, b"", {"Location": req.path.replace("/spielplan/", "/programm/")})

    room.before.append(moved)
    room.names = ()
    room.beside({"/kino": {"saele": 3}, "/static/kino.css": ("body{color:#222}", '"k-77"')})
    rules = (
        'sub vcl_recv { if (req.method == "PUT") { ban("req.url == " + req.url); return (pass); } }\n'
        'sub vcl_backend_response { set beresp.ttl = 60s; if (bereq.method == "PUT") { set beresp.uncacheable = true; } }'
    )
    front = fronts.varnish(stage, place.opened(stage, room, "flask"), rules)
    me = stage.actor("client", front, "programm.kino.test", "httpx", {"X-User": "kino-2"})
    place.look(me, "/kino", "/static/kino.css", "/programm")
    seen = me.get("/programm/playtime")
    place.rest(1.2)
    place.poll(me, "/programm/playtime", seen.etag, 2, every=0.9)
    put = me.put("/programm/playtime", {**seen.json, "saal": 2}, 200, {"If-Match": seen.etag})
    now = me.get("/programm/playtime", 200, {"If-None-Match": seen.etag})
    place.sure(now.etag == put.etag and now.json["saal"] == 2)
    place.rest(1.1)
    place.poll(me, "/programm/playtime", now.etag, 1)
    old = me.get("/programm/stalker")
    body = {**old.json, "zeit": "22:30"}
    to = me.put("/spielplan/stalker", body, 308, {"If-Match": old.etag}).fields["location"]
    me.put(to, body, 200, {"If-Match": old.etag})
    place.sure(me.get("/programm/stalker").json["zeit"] == "22:30")


@case(
    "d874",
    "kim-weak-tags-for-reading-only",
    "none",
    "healthy",
    alone="none",
    description=(
        "HAProxy compresses a forest office's stands and makes their tags weak; the client uses the tags for polling "
        "alone, which is answered with 304, and saves with the number in the content, as the service wants it; a "
        "colleague changes a stand, the poll shows it, and the next edit starts from there."
    ),
)
def forest(stage: Stage) -> None:
    """Poll with weak tags, save with numbers."""
    docs: dict[str, Any] = {
        f"/stands/{n}": {"stand": n, "species": "beech, oak, hornbeam " * 6, "thinning": 2027}
        for n in ("7a", "7b", "12c")
    }
    room = Counted(docs, "edition", first=3, need=400)
    room.tag = lambda _path, doc: f'"{doc.digest("sha1")[:16]}"'
    room.beside({"/district": {"name": "Solling"}, "/harvest": {"m3": 310}})
    front = fronts.haproxy(
        stage,
        [place.opened(stage, room, "aiohttp")],
        " compression algo gzip\n compression type application/json",
    )
    me = stage.actor("client", front, "stands.forst.test", "requests", {"X-User": "revier-4"})
    other = stage.actor("other", front, "stands.forst.test", "curl", {"X-User": "amt"})
    place.look(me, "/district", "/stands", "/harvest")
    seen = me.get("/stands/7b")
    place.sure(seen.etag.startswith("W/"))
    place.poll(me, "/stands/7b", seen.etag, 2)
    saved = me.put("/stands/7b", {**seen.json, "thinning": 2028}, 200)
    place.sure(saved.json["edition"] == seen.json["edition"] + 1)
    theirs = other.get("/stands/7b").json
    other.put("/stands/7b", {**theirs, "species": "beech, oak, maple " * 6}, 200)
    place.rest(0.7)
    now = me.get("/stands/7b", 200, {"If-None-Match": saved.etag})
    me.put("/stands/7b", {**now.json, "thinning": 2029}, 200)
    last = me.get("/stands/7b").json
    place.sure("maple" in last["species"] and last["thinning"] == 2029)
    place.daily(me, "/stands/12c", [{"thinning": 2030}], name="edition")
