"""Stories on tags, dates and ranges, told by what the service or its client makes of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tools.recording_apis import fronts
from tools.recording_apis.apps.kim_room import Room
from tools.recording_apis.apps.vic_core import Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_kim_setting as place
from tools.recording_apis.stories.ada_setting import counter

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d846",
    "kim-hut-given-up-meanwhile",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "An alpine club's client edits a hut's notes while the office deletes the hut: the save with If-Match is 412, "
        "the read that follows 404, and so is the list without it. Other huts are saved as ever, behind lighttpd."
    ),
)
def huts(stage: Stage) -> None:
    """Write to what has gone."""
    rows = {f"/huts/{n}": {"hut": n, "beds": 18, "notes": ""} for n in ("col-vert", "lago-scuro", "steinkar")}
    front = fronts.lighttpd(stage, counter(stage, "express", rows))
    me = stage.actor("client", front, "huts.club.test", "node:fetch", {"X-Staff": "mira"})
    other = stage.actor("other", front, "huts.club.test", "curl", {"X-Staff": "office"})
    me.get("/huts")
    seen = me.get("/huts/lago-scuro")
    place.daily(me, "/huts/steinkar", [{"beds": 20}, {"notes": "stove repaired"}])
    theirs = other.get("/huts/lago-scuro")
    other.send("DELETE", "/huts/lago-scuro", (200, 204), {"If-Match": theirs.etag})
    place.rest(0.8)
    me.put(
        "/huts/lago-scuro", {**seen.json, "notes": "spring dry since August"}, 412, {"If-Match": seen.etag}
    )
    me.get("/huts/lago-scuro", 404)
    me.get("/huts")
    place.daily(me, "/huts/col-vert", [{"notes": "key at the dairy"}])


@case(
    "d841",
    "kim-receipt-not-heard",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A lorry's terminal confirms a delivery over a bad link: the connection breaks after the service has stored, "
        "the terminal sends the same bytes with the same tag and Idempotency-Key again and is told 412; the delivery "
        "that it then reads carries its own scan id and was changed by it at the time of the first try."
    ),
)
def terminal(stage: Stage) -> None:
    """Repeat what had been done."""
    docs: dict[str, Any] = {
        f"/deliveries/{n}": {"no": n, "status": "unterwegs", "scan": None} for n in (88120, 88121, 88122)
    }
    room = Room(
        docs,
        lambda _path, doc: f'"{doc.digest("sha1")[:11]}"',
        first=2,
        say={412: {"fout": "document is gewijzigd"}},
    )
    room.names = ("gewijzigdDoor", "gewijzigdOp")
    room.beside(
        {
            "/truck": {"plate": "7-XKB-21", "driver": "wim"},
            "/route": {"stops": [88120, 88121, 88122]},
            "/ping": {"pong": 1},
        }
    )
    front = fronts.nginx(stage, place.opened(stage, room, "fastapi"))
    lost = place.drops("PUT", "/deliveries/88121")
    me = stage.actor("client", front, "ritten.vervoer.example", "httpx", {"X-User": "truck-7"}, loses=lost)
    place.look(me, "/truck", "/route")
    for number in (88120, 88121, 88122):
        seen = me.get(f"/deliveries/{number}")
        place.rest(0.3)
        body = {**seen.json, "status": "afgeleverd", "scan": f"t7-{number}-9c{number % 97}"}
        guard = {"If-Match": seen.etag, "Idempotency-Key": f"5d1e-{number}-77a0"}
        if number != 88121:
            me.put(f"/deliveries/{number}", body, 200, guard)
            continue
        me.put(f"/deliveries/{number}", body, 0, guard)
        place.rest(0.7)
        me.get("/ping")
        me.put(f"/deliveries/{number}", body, 412, guard)
        now = me.get(f"/deliveries/{number}")
        place.sure(now.json["scan"] == body["scan"] and now.json["gewijzigdDoor"] == "truck-7")
    me.get("/route")


@case(
    "d852",
    "kim-tag-out-of-a-link",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A newsroom's approval page gets the tag out of a link's parameter and does not decode it: If-Match: %22...%22. "
        "The article still has the tag that was meant. The editor of the same room sends tags as they came."
    ),
)
def approval(stage: Stage) -> None:
    """Send a coded tag."""
    form = '<?xml version="1.0"?>\n<artikel nr="{0}"><titel>Meldung {0}</titel><text>…</text><freigabe/></artikel>\n'
    xml = {"Content-Type": "application/xml"}
    docs: dict[str, Any] = {f"/artikel/{n}": ("application/xml", form.format(n)) for n in (9310, 9311, 9317)}
    room = Room(
        docs,
        lambda _path, doc: f'"a:{doc.rev}/{doc.digest()[:9]}"',
        first=5,
        say={412: "<html><body><h1>412</h1><p>If-Match trifft nicht zu.</p></body></html>"},
    )
    room.beside({"/sitzung": {"kuerzel": "abr"}, "/static/redaktion.js": ("start()", '"r-811"')})
    front = fronts.caddy(stage, place.opened(stage, room, "django"))
    me = stage.actor(
        "client",
        front,
        "redaktion.zeitung.example",
        "requests",
        {"X-User": "abr", "User-Agent": place.ridge["User-Agent"]},
    )
    place.look(me, "/sitzung", "/static/redaktion.js", "/artikel")
    seen = me.get("/artikel/9317")
    for old, new in (("Meldung 9317", "Hochwasser sinkt"), ("…", "Der Pegel fällt.")):
        place.rest(0.2)
        seen = me.put("/artikel/9317", seen.text.replace(old, new), 200, {**xml, "If-Match": seen.etag})
    for number in (9310, 9311):
        seen = me.get(f"/artikel/{number}")
        place.rest(0.5)
        coded = {
            "If-Match": quote(seen.etag, safe=""),
            "Referer": f"http://redaktion.zeitung.example/freigabe?id={number}",
        }
        me.put(
            f"/artikel/{number}",
            seen.text.replace("<freigabe/>", "<freigabe>abr</freigabe>"),
            412,
            {**xml, **coded},
        )
        place.sure(me.get(f"/artikel/{number}").etag == seen.etag)
    me.put("/artikel/9311", seen.text.replace("…", "Bearbeitet."), 200, {**xml, "If-Match": seen.etag})


@case(
    "d858",
    "kim-tag-of-the-rendering",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "A heat supplier's service makes the tag of a station from the moment of rendering: two reads at once of one "
        "unchanged content have two tags, a poll is never 304, and no save ever passes; tariffs, whose tag is stored, "
        "are saved as they should."
    ),
)
def stations(stage: Stage) -> None:
    """Chase a tag that never stays."""
    docs: dict[str, Any] = {
        f"/api/stations/{n}": ("text/csv", f"station;flow;return;mode\r\n{n};71,5;48,0;auto\r\n")
        for n in ("ost", "west")
    }
    docs |= {f"/api/tariffs/{n}": {"tariff": n, "cent": 11.4} for n in ("home", "trade")}
    room = Room(docs, first=9, say={412: {"status": 412, "reason": "etag"}})
    room.tag = lambda path, doc: f'"{time.time_ns() if "stations" in path else doc.rev:x}"'
    room.beside({"/api/user": {"id": 4}, "/api/outdoor": {"celsius": 3.5}})
    front = fronts.nginx(stage, place.opened(stage, room, "aiohttp"))
    me = stage.actor("client", front, "leitwarte.fernwaerme.example", "node:axios", {"X-User": "wart"})
    place.look(me, "/api/user", "/api/stations", "/api/outdoor")
    place.daily(me, "/api/tariffs/home", [{"cent": 11.6}, {"cent": 11.5}])
    for mode in ("manual", "eco"):
        one, two = me.get("/api/stations/west"), me.get("/api/stations/west")
        place.sure(one.body == two.body and one.etag != two.etag)
        csv = {"Content-Type": "text/csv", "If-Match": two.etag}
        me.put("/api/stations/west", two.text.replace("auto", mode), 412, csv)
        place.rest(0.4)
        place.poll(me, "/api/stations/west", two.etag, 1, 200)
    place.look(me, "/api/outdoor", "/api/stations/west")


@case(
    "d878",
    "kim-middleware-hashes-table-counts",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "A middleware gives each read of a rescue dog club's records a hash of the bytes as tag, while writes compare "
        "with the table's counter, which the answers to writes show: a save with the tag of a read is always 412, one "
        "with the tag of a write's answer passes."
    ),
)
def dogs(stage: Stage) -> None:
    """Be given a tag that the write does not know."""
    docs: dict[str, Any] = {
        f"/dogs/{n}": {"dog": n, "handler": "unassigned", "trials": 2} for n in ("arko", "bella", "fips")
    }
    room = Room(docs, lambda _path, doc: f'"row-{doc.rev}"', first=23)

    def conflict(_req: Req, doc: Doc | None) -> Res:
        res = room.error(412, {"error": "row changed"})
        res.fields |= room.marks("", doc) if doc else {}
        return res

    def hashed(req: Req, res: Res) -> None:
        if req.safe and res.status == 200 and "ETag" in res.fields:
            res.fields["ETag"] = f'"{Doc(res.body, 0, 0.0, "").digest("sha256")[:40]}"'

    room.conflict = conflict
    room.after.append(hashed)
    room.names = ()
    room.beside({"/account": {"club": "staffel-sued"}, "/calendar": [{"on": "2026-12-05", "what": "trial"}]})
    front = fronts.apache(stage, place.opened(stage, room, "litestar"))
    me = stage.actor("client", front, "dogs.staffel.test", "aiohttp", {"X-User": "tess"})
    place.look(me, "/account", "/dogs")
    for dog in ("arko", "fips"):
        for _ in range(2):
            seen = me.get(f"/dogs/{dog}")
            me.put(f"/dogs/{dog}", {**seen.json, "handler": "tess"}, 412, {"If-Match": seen.etag})
            place.rest(0.3)
    made = me.send("POST", "/dogs", 201, None, {"dog": "gora", "handler": "uli", "trials": 0})
    path = made.fields["location"]
    put = me.put(path, {"dog": "gora", "handler": "tess", "trials": 0}, 200, {"If-Match": made.etag})
    me.put(path, {"dog": "gora", "handler": "tess", "trials": 1}, 200, {"If-Match": put.etag})
    me.get(path)
    me.get("/calendar")


@case(
    "d840",
    "kim-tag-of-the-short-form",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A museum's tours come in two media types, each with a tag of its own; the client reads the compact one and "
        "saves the full one with its tag, which is refused; read as the full type, the tour has another tag and the "
        "save passes."
    ),
)
def tours(stage: Stage) -> None:
    """Mix two media types."""
    docs: dict[str, Any] = {
        f"/tours/{n}": {"title": f"Tour {n}", "minutes": 60, "rooms": [4, 7], "guide": "n.n."}
        for n in (11, 12, 14)
    }
    room = Room(
        docs,
        first=4,
        extra={"Vary": "Accept"},
        say={412: {"title": "Precondition Failed", "type": "urn:museum:412"}},
    )
    full = "application/vnd.museum.tour.full+json"

    def show(req: Req, _path: str, doc: Doc) -> Res:
        wide = full in req.fields.get("accept", "") or (
            not req.safe and full in req.fields.get("content-type", "")
        )
        body = (
            {**doc.data, **room.told(doc)} if wide else {key: doc.data[key] for key in ("title", "minutes")}
        )
        tag = f'"{Doc(body, 0, 0.0, "").digest()[:14]}"'
        return Res(200, body, {"Content-Type": full if wide else "application/json", "ETag": tag})

    def judge(req: Req, doc: Doc | None) -> Res | None:
        return (
            None
            if doc and show(req, "", doc).fields["ETag"] == req.fields.get("if-match")
            else room.error(412)
        )

    room.show, room.judge = show, judge
    room.names = ()
    room.beside({"/me": {"role": "curator"}, "/rooms": [4, 7, 9]})
    front = fronts.nginx(stage, place.opened(stage, room, "flask"))
    me = stage.actor("client", front, "fuehrungen.museum.test", "httpx", {"X-User": "curator-2"})
    place.look(me, "/me", "/tours", "/rooms")
    wide = {"Content-Type": full}
    for number in (11, 14):
        seen = me.get(f"/tours/{number}", 200, {"Accept": "application/json"})
        place.poll(me, f"/tours/{number}", seen.etag, 1)
        body = {"title": seen.json["title"], "minutes": 75, "rooms": [4, 9], "guide": "i. sand"}
        me.put(f"/tours/{number}", body, 412, {**wide, "If-Match": seen.etag})
        place.rest(0.4)
    whole = me.get("/tours/14", 200, {"Accept": full})
    place.sure(whole.etag != seen.etag)
    me.put("/tours/14", body, 200, {**wide, "If-Match": whole.etag})
    whole = me.get("/tours/12", 200, {"Accept": full})
    me.put("/tours/12", {**whole.json, "minutes": 45}, 200, {**wide, "If-Match": whole.etag})


@case(
    "d876",
    "kim-patch-does-not-ask",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "An observatory's service checks If-Match on PUT but not on PATCH: a schedule that a colleague has extended is "
        "patched on the tag from before and answers 200, and the colleague's targets are gone, as the log of changes "
        "and the next read show; the same outdated tag on PUT is 412."
    ),
)
def schedule(stage: Stage) -> None:
    """Be let through with an old tag."""
    docs: dict[str, Any] = {
        f"/nights/{n}": {"night": n, "targets": ["M31"], "filter": "R"}
        for n in ("2026-12-03", "2026-12-04", "2026-12-08")
    }
    room = Room(docs, lambda _path, doc: f'"{doc.rev}"', first=14)
    strict = room.judge
    room.judge = lambda req, doc: None if req.method == "PATCH" else strict(req, doc)
    room.logged("/log")
    room.names = ("editor", "edited")
    room.beside({"/dome": {"open": False}, "/seeing": {"arcsec": 1.3}})
    front = fronts.haproxy(stage, [place.opened(stage, room, "starlette")])
    me = stage.actor("client", front, "nights.observatory.test", "requests", {"X-User": "queue-bot"})
    other = stage.actor("other", front, "nights.observatory.test", "java", {"X-User": "astrid"})
    place.look(me, "/dome", "/nights")
    seen = me.get("/nights/2026-12-04")
    theirs = other.get("/nights/2026-12-04")
    other.put(
        "/nights/2026-12-04",
        {**theirs.json, "targets": ["M31", "NGC 891", "M77"]},
        200,
        {"If-Match": theirs.etag},
    )
    place.rest(0.9)
    place.look(me, "/seeing")
    place.daily(me, "/nights/2026-12-03", [{"filter": "V"}])
    patched = me.send(
        "PATCH",
        "/nights/2026-12-04",
        200,
        {"If-Match": seen.etag},
        {"targets": ["M31", "M33"], "filter": "B"},
    )
    place.sure(patched.etag == '"16"' and seen.etag == '"14"')
    me.get("/nights/2026-12-04")
    me.get("/log?of=/nights/2026-12-04")
    me.put("/nights/2026-12-04", {**seen.json, "filter": "R"}, 412, {"If-Match": seen.etag})


@case(
    "d871",
    "kim-compares-with-what-it-has-stored",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "A tram depot's service stores a vehicle first and then compares If-Match with what it has just stored: the very "
        "first save is 412 within milliseconds, and the read shows the client's own content and note number under a new "
        "tag, for two vehicles. Saves of shifts pass."
    ),
)
def trams(stage: Stage) -> None:
    """Be refused and obeyed."""
    docs: dict[str, Any] = {
        f"/fahrzeuge/{n}": {"nr": n, "km": 81000 + n, "befund": "", "beleg": ""} for n in (2101, 2102, 2107)
    }
    docs |= {f"/schichten/{n}": {"schicht": n, "fahrer": "offen"} for n in ("früh", "spät")}
    room = Room(docs, lambda _path, doc: f'"{doc.digest("sha1")[:18]}"', first=3)
    strict = room.judge

    def judge(req: Req, doc: Doc | None) -> Any:
        refused = strict(req, doc)
        if refused or doc is None or not req.path.startswith("/fahrzeuge"):
            return refused
        room.commit(req, req.path)
        return room.error(412, {"fehler": "Versionskonflikt", "pfad": req.path})

    room.judge = judge
    room.names = ("geaendert_von", "geaendert_am")
    room.beside({"/depot": {"name": "Ost"}, "/wagenliste": {"anzahl": 3}})
    front = fronts.apache(stage, place.opened(stage, room, "falcon"))
    me = stage.actor("client", front, "depot.strassenbahn.example", "urllib", {"X-User": "werkstatt"})
    place.look(me, "/depot", "/wagenliste")
    place.daily(me, "/schichten/früh".replace("ü", "%C3%BC"), [{"fahrer": "Aydin"}, {"fahrer": "Holm"}])
    for number in (2102, 2107):
        seen = me.get(f"/fahrzeuge/{number}")
        place.rest(0.3)
        body = {**seen.json, "befund": "Bremse nachgestellt", "beleg": f"W-{number}-0417"}
        me.put(f"/fahrzeuge/{number}", body, 412, {"If-Match": seen.etag})
        now = me.get(f"/fahrzeuge/{number}")
        place.sure(now.json["beleg"] == body["beleg"] and now.etag != seen.etag)
    me.get("/wagenliste")


@case(
    "d855",
    "kim-phone-saves-without-tag",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "A scout troop's phone application reads packing lists with their tags and saves without any; the service "
        "takes it. A leader's saved change from in between is gone, as the list of changes shows that the phone loads "
        "later. The tags are used for polling alone."
    ),
)
def packing(stage: Stage) -> None:
    """Save without a condition."""
    docs: dict[str, Any] = {
        f"/lists/{n}": {"camp": n, "tents": 6, "stove": "gas", "medkit": "tom"}
        for n in ("spring", "lake", "alps")
    }
    room = Room(docs, lambda _path, doc: f'"{doc.digest()[:10]}-{doc.rev}"', first=31)
    room.logged("/changes")
    room.names = ("who", "when")
    room.beside({"/profile": {"troop": 12}, "/static/app.css": ("nav{}", '"c0ffee"')})
    front = fronts.caddy(stage, place.opened(stage, room, "cheroot"))
    me = stage.actor("client", front, "lists.scouts.test", "node:fetch", {"X-User": "phone:jo"})
    other = stage.actor("other", front, "lists.scouts.test", "httpx", {"X-User": "leader:ann"})
    place.look(me, "/profile", "/static/app.css", "/lists")
    seen = me.get("/lists/lake")
    place.poll(me, "/lists/lake", seen.etag, 1)
    theirs = other.get("/lists/lake")
    other.put("/lists/lake", {**theirs.json, "medkit": "ann", "tents": 8}, 200, {"If-Match": theirs.etag})
    place.rest(0.8)
    alps = me.get("/lists/alps")
    me.put("/lists/alps", {**alps.json, "stove": "wood"}, 200)
    me.put("/lists/lake", {**seen.json, "stove": "wood"}, 200)
    place.rest(0.4)
    now = me.get("/lists/lake")
    place.sure(now.json["tents"] == 6)
    me.get("/changes?of=/lists/lake")
