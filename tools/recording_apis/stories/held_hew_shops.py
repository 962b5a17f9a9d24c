"""Stories of shops, schools and workshops on Fastify and on PHP's own server."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tools.recording_apis.apps.hew_desk import Desk, Reply
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_hew_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e523",
    "hew-bakery-draft-without-number",
    "null-token",
    "lost-update",
    alone="null-token",
    description=(
        "A bakery's orders carry seq in the content. An order saved from the draft box of the till goes out "
        "with null, which the service takes as it comes: the 40 pretzels that the branch had added since are gone; the "
        "journal still has them. Orders opened from the list carry their number."
    ),
)
def bakery(stage: Stage) -> None:
    """Save a draft with null."""
    rows = {
        f"/bestellungen/{n}": {"filiale": n[0], "broetchen": 120, "brezeln": 0} for n in ("A17", "B02", "B03")
    }
    server = place.mill(
        stage,
        rows,
        field="seq",
        force=True,
        stale=409,
        words={"stale": {"e": 9}},
        journal="/log",
        fixed={"/anmelden": {"ok": True}, "/artikel": [{"a": "broetchen"}, {"a": "brezeln"}]},
    )
    host = "bestellung.backhaus.example"
    me = stage.actor("client", server, host, "node:axios", {"X-User": "kasse-2"})
    other = stage.actor("other", server, host, "requests", {"X-User": "filiale-b"})
    me.send("POST", "/anmelden", 200, None, {"pin": "0000"})
    me.get("/artikel")
    me.get("/bestellungen")
    order = me.get("/bestellungen/A17").json
    me.put("/bestellungen/A17", {**order, "broetchen": 140}, 200)
    draft = me.get("/bestellungen/B02").json
    theirs = other.get("/bestellungen/B02").json
    other.put("/bestellungen/B02", {**theirs, "brezeln": 40}, 200)
    me.get("/log")
    place.rest(0.4)
    me.put("/bestellungen/B02", {**draft, "broetchen": 90, "seq": None}, 200)
    third = me.get("/bestellungen/B03").json
    me.put("/bestellungen/B03", {**third, "broetchen": 60}, 200)
    place.sure(me.get("/bestellungen/B02").json["brezeln"] == 0)
    me.get("/log")


@case(
    "e556",
    "hew-music-school-two-stands",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    description=(
        "A music school's lessons in files under PHP: the check of the stand and the writing lie a moment apart. Two offices "
        "save one lesson in the same moment, both are told 200 and the same new stand, and one line is gone; the record has "
        "both lines under one number. A little later a stand that is old is refused as it should be."
    ),
)
def music(stage: Stage) -> None:
    """Save at the same time."""
    rows = {
        f"/stunden/{n}": {"fach": fach, "raum": "2.1", "lehrer": "Ott"}
        for n, fach in (("g4", "Geige"), ("k1", "Klavier"), ("k2", "Klavier"))
    }
    server = place.shed(stage, rows, slow=220, fixed={"/raeume": ["2.1", "2.2", "Saal"]})
    host = "stunden.musikschule.example"
    me = stage.actor("client", server, host, "httpx", {"X-User": "anmeldung"})
    other = stage.actor("other", server, host, "requests", {"X-User": "leitung"})
    me.get("/raeume")
    me.get("/stunden")
    violin = me.get("/stunden/g4").json
    me.put("/stunden/g4", {"stand": violin["stand"], "raum": "2.2"}, 200)
    mine, theirs = me.get("/stunden/k1").json, other.get("/stunden/k1").json
    place.both(
        partial(me.put, "/stunden/k1", {"stand": mine["stand"], "raum": "Saal"}, 200),
        partial(other.put, "/stunden/k1", {"stand": theirs["stand"], "lehrer": "Vogt"}, 200),
        apart=0.09,
    )
    me.get("/stunden/k1")
    me.get("/protokoll")
    place.rest(0.5)
    me.put("/stunden/g4", {"stand": violin["stand"], "raum": "2.1"}, 409)
    me.get("/stunden/g4")


@case(
    "e551",
    "hew-optician-bare-tag",
    "malformed-validator",
    "lost-update",
    alone="malformed-validator",
    description=(
        "An optician's cards are guarded by tags. The tablet's second screen sends the tag without its quotes; the service "
        "takes what is no tag for none and stores: the colleague's axis is gone. The first screen sends its tags whole, and "
        "an old one of those is refused."
    ),
)
def optician(stage: Stage) -> None:
    """Send a tag without quotes."""
    rows = {f"/brillen/{n}": {"sph": -1.25, "cyl": 0, "achse": 0} for n in (4031, 4032, 4040)}
    server = place.mill(
        stage,
        rows,
        tag="p%x",
        lax=True,
        words={"stale": {"e": "stand"}},
        journal="/verlauf",
        fixed={"/heute": [4031, 4032]},
    )
    host = "karten.optik-lenz.example"
    me = stage.actor("client", server, host, "node:fetch", {"X-User": "tablet-1"})
    other = place.ruby(stage, "other", server, host, {"X-User": "pruefraum"})
    me.get("/heute")
    me.get("/brillen")
    mine, theirs = me.get("/brillen/4031"), other.get("/brillen/4031")
    other.put("/brillen/4031", {**theirs.json, "cyl": -0.5}, 200, {"If-Match": theirs.etag})
    me.put("/brillen/4031", {**mine.json, "sph": -1.5}, 412, {"If-Match": mine.etag})
    me.get("/brillen/4031")
    mine, theirs = me.get("/brillen/4032"), other.get("/brillen/4032")
    other.put("/brillen/4032", {**theirs.json, "achse": 85}, 200, {"If-Match": theirs.etag})
    place.rest(0.5)
    me.put("/brillen/4032", {**mine.json, "sph": -2.0}, 200, {"If-Match": mine.etag.strip('"')})
    third = me.get("/brillen/4040")
    me.put("/brillen/4040", {**third.json, "sph": -0.75}, 200, {"If-Match": third.etag.strip('"')})
    place.sure(me.get("/brillen/4032").json["achse"] == 0)
    me.get("/verlauf")


@case(
    "e529",
    "hew-translator-two-timers",
    "self-race",
    "409",
    alone="self-race",
    description=(
        "A translation office's editor has two timers, one for the text and one for the count; both save one segment under "
        "one number in the same tenth of a second. The later one is refused each time; nobody else works there."
    ),
)
def translator(stage: Stage) -> None:
    """Overtake oneself."""
    rows = {
        f"/jobs/88/seg/{n}": {"src": src, "tgt": "", "w": 0}
        for n, src in ((1, "Schraube anziehen."), (2, "Deckel schließen."), (3, "Öl prüfen."))
    }
    server = place.mill(
        stage,
        rows,
        field="r",
        slow=160,
        stale=409,
        words={"stale": {"c": 1}},
        journal="/jobs/88/log",
        fixed={"/me": {"id": 6}},
    )
    me = stage.actor("client", server, "cat.sprachhaus.example", "requests", {"X-User": "u6", "X-Tab": "k2d"})
    me.get("/me")
    me.get("/jobs/88/seg")
    for number, text in ((1, "Serrer la vis."), (2, "Fermer le couvercle.")):
        path = f"/jobs/88/seg/{number}"
        rev = me.get(path).json["r"]
        place.both(
            partial(me.send, "PATCH", path, 200, None, {"r": rev, "tgt": text}),
            partial(me.send, "PATCH", path, 409, None, {"r": rev, "w": len(text.split())}),
            apart=0.05,
        )
        got = me.get(path).json
        place.sure(got["w"] == 0 and got["tgt"] == text)
        place.rest()
    me.get("/jobs/88/log")


@case(
    "e537",
    "hew-haulier-kilometres",
    "server-side-mutation",
    "409",
    alone="server-side-mutation",
    description=(
        "A haulier's service computes a tour's kilometres a moment after each save, under its own name. The dispatcher's next "
        "save with the number of the answer is refused; stops and driver are as sent, km and number are not. Tours that are "
        "only looked at stay."
    ),
)
def haulier(stage: Stage) -> None:
    """Be overtaken by the router."""
    rows = {f"/touren/{n}": {"fahrer": "Jansen", "stops": ["Emden", "Leer"], "km": 31.4} for n in (401, 402)}
    server = place.mill(
        stage,
        rows,
        field="nr",
        by="von",
        stale=409,
        words={"stale": {"m": "nr"}},
        settle={"on": "/touren/401", "after": 300, "set": {"km": 88.9}, "by": "routing"},
        fixed={"/lkw": ["LER-TR 40", "LER-TR 41"]},
    )
    me = stage.actor("client", server, "dispo.jansen-trans.example", "aiohttp", {"X-User": "dispo1"})
    me.get("/lkw")
    me.get("/touren")
    tour = me.get("/touren/401").json
    saved = me.send(
        "PATCH", "/touren/401", 200, None, {"nr": tour["nr"], "stops": ["Emden", "Leer", "Papenburg"]}
    ).json
    me.get("/touren/402")
    place.rest(0.7)
    me.send("PATCH", "/touren/401", 409, None, {"nr": saved["nr"], "fahrer": "Wilts"})
    now = me.get("/touren/401").json
    place.sure(now["von"] == "routing" and now["nr"] == saved["nr"] + 1)
    me.get("/touren/402")


@case(
    "e547",
    "hew-chimney-sweep-no-stand",
    "token-missing",
    "400",
    alone="token-missing",
    description=(
        "A chimney sweep's appointments want the stand with each save; the new handheld leaves it out and is told E-107 and "
        "the field's name, for each house. The older one, in the same office, sends it."
    ),
)
def sweep(stage: Stage) -> None:
    """Leave it out."""
    rows = {
        f"/termine/{n}": {"haus": haus, "ok": False}
        for n, haus in ((61, "Am Wall 3"), (62, "Am Wall 5"), (63, "Kirchgasse 1"))
    }
    server = place.shed(stage, rows, "need", fixed={"/bezirk": {"nr": 12}})
    host = "kehrbuch.bezirk12.example"
    me = stage.actor("client", server, host, "java", {"X-User": "handy"})
    other = stage.actor("other", server, host, "curl", {"X-User": "buero"})
    me.get("/bezirk")
    me.get("/termine")
    for number in (61, 63):
        got = me.get(f"/termine/{number}").json
        me.put(f"/termine/{number}", {"haus": got["haus"], "ok": True}, 400)
        place.rest()
    got = other.get("/termine/62").json
    other.put("/termine/62", {**got, "ok": True}, 200)
    me.send("PATCH", "/termine/61", 400, None, {"ok": True})
    me.get("/termine")


@case(
    "e527",
    "hew-stable-phone-cache",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "A riding stable's app on phones: the cache of its HTTP library puts the tag it holds on every request to that target "
        "as If-None-Match, reads and saves alike; the service answers the saves 412. A horse that the cache does not know "
        "is saved."
    ),
)
def stable(stage: Stage) -> None:
    """Carry a cache's tag on a write."""
    rows = {
        f"/hester/{n}": {"navn": navn, "boks": boks}
        for n, navn, boks in ((3, "Sleipner", 4), (5, "Freyja", 7), (8, "Blakken", 2))
    }
    server = place.mill(
        stage,
        rows,
        tag="h-%",
        none=True,
        quiet=True,
        words={"stale": {"feil": 412}},
        fixed={"/meg": {"id": 90}, "/foring": []},
    )
    always = {"User-Agent": "okhttp/4.12.0", "Accept-Encoding": "identity"}
    me = stage.actor("client", server, "stall.solberg.example", "httpx", always)
    me.get("/meg")
    me.get("/hester")
    first = me.get("/hester/3")
    me.get("/hester/3", 304, {"If-None-Match": first.etag})
    me.get("/foring")
    me.put("/hester/3", {"navn": "Sleipner", "boks": 9}, 412, {"If-None-Match": first.etag})
    me.put("/hester/8", {"navn": "Blakken", "boks": 4}, 204)
    second = me.get("/hester/5")
    me.put("/hester/5", {"navn": "Freyja", "boks": 2}, 412, {"If-None-Match": second.etag})
    me.get("/hester/5", 304, {"If-None-Match": second.etag})
    place.rest()
    me.get("/hester")


@case(
    "e546",
    "hew-garden-centre-own-answer",
    "stale-stored-token",
    "409",
    alone="stale-stored-token",
    description=(
        "A garden centre's handheld keeps the number that it read in the morning. Its first save is answered with the next "
        "number; its second goes out with the morning's and is refused. The journal has its own first save and nothing else "
        "for that shelf."
    ),
)
def garden(stage: Stage) -> None:
    """Keep the morning's number."""
    rows = {
        f"/regale/{n}": {"art": art, "menge": m}
        for n, art, m in (("F2", "Buchs 30", 41), ("F3", "Eibe", 12), ("G1", "Torf", 200))
    }
    server = place.mill(
        stage,
        rows,
        field="lfd",
        stale=409,
        words={"stale": "lfd"},
        journal="/buchungen",
        fixed={"/schicht": {"n": 2}},
    )
    me = place.ruby(stage, "client", server, "lager.gruenwelt.example", {"X-User": "scan-4"})
    me.get("/schicht")
    me.get("/regale")
    morning = me.get("/regale/F2").json
    other = me.get("/regale/G1").json
    answer = me.put("/regale/F2", {**morning, "menge": 38}, 200).json
    place.sure(answer["lfd"] == morning["lfd"] + 1)
    me.put("/regale/G1", {**other, "menge": 180}, 200)
    place.rest(0.6)
    me.put("/regale/F2", {**morning, "menge": 37}, 409)
    me.get("/buchungen")
    me.get("/regale/F2")


@case(
    "e549",
    "hew-library-fines-merged",
    "none",
    "healthy",
    alone="none",
    description=(
        "A library's desk reads an account, the other desk changes it, and the first desk reads it again before it saves: its "
        "save has the other's line and its own. Polls are 304 while nothing changes."
    ),
)
def fines(stage: Stage) -> None:
    """Read again before saving."""
    rows = {f"/konten/{n}": {"offen": 0, "sperre": False, "zeilen": []} for n in (70112, 70113, 70140)}
    server = place.mill(
        stage, rows, tag="k%", words={"stale": {"e": 1}}, journal="/buch", fixed={"/theke": {"n": 1}}
    )
    host = "theke.stadtbuecherei.example"
    me = stage.actor("client", server, host, "requests", {"X-User": "theke1"})
    other = stage.actor("other", server, host, "node:fetch", {"X-User": "theke2"})
    me.get("/theke")
    me.get("/konten")
    early = me.get("/konten/70112")
    me.get("/konten/70112", 304, {"If-None-Match": early.etag})
    theirs = other.get("/konten/70112")
    other.put(
        "/konten/70112", {**theirs.json, "offen": 250, "zeilen": ["Mahnung"]}, 200, {"If-Match": theirs.etag}
    )
    place.rest(0.5)
    now = me.get("/konten/70112", 200, {"If-None-Match": early.etag})
    saved = me.put(
        "/konten/70112",
        {**now.json, "sperre": True, "zeilen": [*now.json["zeilen"], "Sperre"]},
        200,
        {"If-Match": now.etag},
    )
    me.get("/konten/70112", 304, {"If-None-Match": saved.etag})
    me.get("/buch")


@case(
    "e531",
    "hew-print-shop-waits-for-price",
    "none",
    "healthy",
    alone="none",
    description=(
        "A print shop's service prices a job a moment after each save. The form waits, reads the job again and saves with the "
        "number that it then has: nothing is refused."
    ),
)
def printing(stage: Stage) -> None:
    """Wait for the price."""
    rows = {f"/jobs/{n}": {"bogen": 500, "papier": "115g", "preis": 0} for n in (9014, 9015)}
    server = place.mill(
        stage,
        rows,
        field="st",
        by="durch",
        stale=409,
        words={"stale": {"m": 4}},
        journal="/spur",
        settle={"on": "/jobs/9014", "after": 200, "set": {"preis": 184.2}, "by": "kalkulation"},
        fixed={"/papiere": ["115g", "135g"]},
    )
    me = stage.actor("client", server, "auftrag.druckwerk.example", "node:axios", {"X-User": "annahme"})
    me.get("/papiere")
    me.get("/jobs")
    for sheets, paper in ((800, "115g"), (800, "135g")):
        job = me.get("/jobs/9014").json
        me.put("/jobs/9014", {"bogen": sheets, "papier": paper, "preis": job["preis"], "st": job["st"]}, 200)
        place.rest(0.6)
    me.get("/jobs/9014")
    me.get("/spur")


@case(
    "e557",
    "hew-lift-service-back-and-forth",
    "none",
    "healthy",
    alone="none",
    description=(
        "A lift company's fault tickets: a fitter sets one to hold, the office back to open after a call, and the fitter, who "
        "has read it, to hold again: the value goes to and fro by intention, each save on the newest number."
    ),
)
def lifts(stage: Stage) -> None:
    """Go to and fro."""
    rows = {f"/stoerungen/{n}": {"anlage": n * 3, "lage": "offen", "text": ""} for n in (310, 311, 318)}
    desk = Desk(rows, first=5, stale=409, need=428)
    desk.marks = lambda _row: {}
    desk.sent = lambda ask: ask.query.get("auf")
    desk.holds = lambda sent, row: sent == str(row.rev)
    desk.shape = lambda _ask, row: {**row.data, "auf": row.rev, "zuletzt": row.by}
    desk.stored = lambda row: {"auf": row.rev}
    desk.logged("/verlauf")
    desk.extra["POST /login"] = lambda _ask: Reply(204)
    server = place.desk(stage, desk, "falcon")
    host = "stoerung.liftdienst.example"
    me = stage.actor("client", server, host, "httpx", {"X-User": "monteur8"})
    other = stage.actor("other", server, host, "requests", {"X-User": "leitstand"})
    me.send("POST", "/login", 204, None, {"u": "monteur8"})
    me.get("/stoerungen")
    for who, state, text in (
        (me, "wartet", "Teil fehlt"),
        (other, "offen", "Teil da"),
        (me, "wartet", "falsches Teil"),
    ):
        got = who.get("/stoerungen/311").json
        told = {"anlage": got["anlage"], "lage": state, "text": text}
        who.put(f"/stoerungen/311?auf={got['auf']}", told, 200)
        place.rest(0.3)
    me.get("/stoerungen/311")
    me.get("/verlauf")
