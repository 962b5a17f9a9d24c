"""Clients and the tokens they hold: old ones, repeated ones, lost answers, none at all."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ora_setting as place

_TEXT = {"Content-Type": "text/plain"}


@case(
    "b567",
    "ora-podcast-notes-keep-the-first-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "An editor of show notes uploads to a blob, is told the new ETag, and uploads again with the tag of its "
        "first read: ConditionNotMet. Nobody else is there; the blob holds the editor's own first upload."
    ),
)
def notes(stage: Stage) -> None:
    """Ignore the tag of one's own upload."""
    show = place.Blobs(stage, "shownotes")
    me = show.actor("client", "node:axios")
    show.put(me, "ep-118.md", "Intro\n", 201)
    show.put(me, "ep-119.md", "Intro\nGuest: tba\n", 201)
    seen = show.get(me, "ep-119.md")
    show.get(me, "ep-118.md")
    show.put(me, "ep-119.md", "Intro\nGuest: R. Lind\n", 201, **{"If-Match": seen.etag})
    time.sleep(0.9)
    show.put(me, "ep-119.md", "Intro\nGuest: R. Lind\nLinks\n", 412, **{"If-Match": seen.etag})
    show.get(me, "ep-119.md")


@case(
    "b568",
    "ora-sync-state-of-the-morning",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A kiosk for meeting rooms works all day with the tags that each answer names, save for one screen, whose "
        "tags come from the state of the morning: its change of the garden room, already changed at noon by the same "
        "kiosk, is refused."
    ),
)
def morning(stage: Stage) -> None:
    """Use a tag from before one's own change."""
    names = ("garten", "aula", "keller", "turm")
    docs = {f"/rooms/{n}": {"name": n, "seats": 12 + len(n), "open": True, "notes": []} for n in names}
    server = place.rooms(stage, docs)
    me = stage.actor("client", server, "rooms.volkshaus.test", "node:fetch", place.bearer("kiosk-1"))
    me.get("/rooms")
    morning = {n: me.get(f"/rooms/{n}") for n in names}
    held = {n: one.etag for n, one in morning.items()}
    for number, name in enumerate(("aula", "garten", "turm", "aula", "keller", "turm", "aula")):
        told = me.send("PATCH", f"/rooms/{name}", 200, {"If-Match": held[name]}, {"seats": 20 + number})
        held[name] = told.etag
        other = names[number % 4]
        me.get(f"/rooms/{other}", 304, {"If-None-Match": held[other]})
        time.sleep(0.4)
    me.send("PATCH", "/rooms/garten", 412, {"If-Match": morning["garten"].etag}, {"open": False})
    me.get("/rooms")
    me.get("/rooms/garten", 304, {"If-None-Match": held["garten"]})
    me.send("PATCH", "/rooms/keller", 200, {"If-Match": held["keller"]}, {"open": False})


@case(
    "b569",
    "ora-herbarium-date-from-before-the-own-entry",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A herbarium's form guards by date. It stores a sheet, is told the new Last-Modified, and stores again with "
        "the date of its first read, hours old: 412 without anybody else."
    ),
)
def herbarium(stage: Stage) -> None:
    """Keep an old date."""
    docs = {
        f"/sheets/{n}": place.record(5 * place.DAY, taxon="Salix", site=f"plot {n}", det="") for n in (6, 7)
    }
    server = place.house(stage, docs, "cheroot", dates=1, form="xml")
    me = stage.actor("client", server, "herbarium.botanik.test", "httpx", place.basic("kustos"))
    me.get("/sheets")
    me.get("/sheets/6")
    seen = me.get("/sheets/7")
    guard = {"If-Unmodified-Since": seen.fields["last-modified"]}
    me.put("/sheets/7", {**seen.json, "det": "S. alba"}, 200, guard)
    time.sleep(1.4)
    me.put("/sheets/7", {**seen.json, "det": "S. alba", "site": "plot 7b"}, 412, guard)


@case(
    "b570",
    "ora-label-printer-tries-six-times",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A label printer's driver answers each 412 with the same request after a longer pause, six times, and never "
        "reads the queue again; a clerk had moved the job once at the beginning."
    ),
)
def printer(stage: Stage) -> None:
    """Repeat a refused request."""
    docs = {f"/queue/{n}": place.record(label=f"L-{n}", copies=2, at="press-1") for n in (301, 302)}
    docs |= place.side("/stock", 3)
    server = place.house(stage, docs, "gunicorn", tag="b64")
    me = stage.actor(
        "client", fronts.lighttpd(stage, server), "print.druckerei.test", "java", place.bearer("driver-9")
    )
    clerk = stage.actor("other", server, "print.druckerei.test", "requests", place.bearer("clerk"))
    me.get("/queue")
    place.day(me, place.paths("/stock", 3), 13, seed=26)
    seen = me.get("/queue/302")
    place.change(clerk, "/queue/302", at="press-2")
    for number in range(6):
        me.put("/queue/302", {**seen.json, "copies": 3}, 412, {"If-Match": seen.etag, "X-Try": str(number)})
        time.sleep(0.2 * 2**number)


@case(
    "b571",
    "ora-backup-agent-never-reads-again",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "An agent uploads the state of a greenhouse to S3 with If-Match; after the first PreconditionFailed it sends "
        "the same tag again and again, eight times, between its uploads of other objects."
    ),
)
def agent(stage: Stage) -> None:
    """Repeat between other work."""
    server = stage.server("seaweedfs")
    me = stage.actor("client", server, "s3.gewaechshaus.test", "curl", {"User-Agent": "state-agent/0.8"})
    other = stage.actor("other", server, "s3.gewaechshaus.test", "requests")
    other.put("/state", None, 200)
    other.put("/state/house-1.json", {"temp": 21, "vent": 0}, 200)
    tag = me.get("/state/house-1.json").etag
    other.put("/state/house-1.json", {"temp": 21, "vent": 40}, 200)
    for number in range(8):
        body = {"temp": 22, "vent": 0, "n": 1}
        me.put("/state/house-1.json", body, 412, {"If-Match": tag})
        if number % 3 == 1:
            me.put(f"/state/log-{number}.json", {"n": number}, 200)
        time.sleep(0.1 * 1.6**number)


@case(
    "b572",
    "ora-upload-whose-answer-was-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "The answer to an upload into a blob container never arrives; the client sends the same upload with the same "
        "tag again and gets ConditionNotMet. The blob holds this very upload."
    ),
)
def lost(stage: Stage) -> None:
    """Lose an answer and send again."""
    box = place.Blobs(stage, "surveys")
    me = box.actor("client", "requests", loses=place.nth("PUT /notes/surveys/plot-9", 2))
    box.put(me, "plot-9.json", '{"trees": 41}', 201)
    box.put(me, "plot-8.json", '{"trees": 12}', 201)
    seen = box.get(me, "plot-9.json")
    new = '{"trees": 43, "survey": "b7c1-44"}'
    box.put(me, "plot-9.json", new, 0, **{"If-Match": seen.etag})
    time.sleep(1.0)
    box.put(me, "plot-9.json", new, 412, **{"If-Match": seen.etag})
    place.require(holds="b7c1-44" in box.get(me, "plot-9.json").text, otherwise="not stored")


@case(
    "b573",
    "ora-gateway-gave-up-on-a-slow-ledger",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "HAProxy gives up on a slow write with 504 while the ledger commits it; the till sends the same closing again "
        "and is refused; the closing in the ledger is the till's own."
    ),
)
def gave_up(stage: Stage) -> None:
    """Send again after a 504."""
    docs = {f"/tills/{n}/closing": place.record(day="26", sum=0, state="open") for n in (1, 2)}
    server = place.house(stage, docs, "waitress", tag="short", slow=2.0)
    front = fronts.haproxy(stage, [server], " timeout server 900ms")
    me = stage.actor("client", front, "ledger.kaufhaus.test", "httpx", place.bearer("till-2"))
    me.get("/tills/1/closing")
    seen = me.get("/tills/2/closing")
    new = {**seen.json, "sum": 4180.55, "state": "closed", "receipt": "t2-000871"}
    me.put("/tills/2/closing", new, 504, {"If-Match": seen.etag})
    time.sleep(1.5)
    me.put("/tills/2/closing", new, 412, {"If-Match": seen.etag})
    place.require(holds=me.get("/tills/2/closing").json["receipt"], otherwise="not ours")


@case(
    "b574",
    "ora-created-but-never-told",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A ranger's tablet creates an observation under an id of its own with If-None-Match: *; the connection "
        "breaks before the answer. The repeated create is refused by its own first attempt: the stored observation "
        "has the tablet's id, its text and a date after the first attempt."
    ),
)
def created(stage: Stage) -> None:
    """Create twice because the answer was lost."""
    server = place.dav(stage, {"beob/readme.txt": "Beobachtungen\n"}, "lighttpd")
    loses = place.nth("PUT /beob/7f3a", 1)
    me = stage.actor("client", server, "dav.naturpark.test", "requests", place.basic("ranger-5"), loses=loses)
    me.get("/beob/readme.txt")
    me.put("/beob/11b0-fuchs.txt", "Fuchs 06:10\n", 201, {"If-None-Match": "*", **_TEXT})
    body = "Luchs 06:42 Hochstand 4\nid 7f3a\ntablet-5\n"
    me.put("/beob/7f3a-luchs.txt", body, 0, {"If-None-Match": "*", **_TEXT})
    time.sleep(0.8)
    me.put("/beob/7f3a-luchs.txt", body, 412, {"If-None-Match": "*", **_TEXT})
    place.require(holds=me.get("/beob/7f3a-luchs.txt").text == body, otherwise="not ours")


@case(
    "b575",
    "ora-theatre-rota-refreshed-blindly",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "The stage manager's program reads the rota, later reads it again only for the tag, and stores the list it "
        "made from the first read: the understudy that a colleague entered in between is gone, with 200 throughout."
    ),
)
def rota(stage: Stage) -> None:
    """Take a fresh tag for an old edit."""
    docs = {
        f"/rota/{d}": place.record(play="Nathan", lights="Kim", sound="Jo", understudy="")
        for d in ("fr", "sa")
    }
    docs |= place.side("/props", 3)
    server = place.house(stage, docs, "aiohttp", tag="apache")
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "rota.theater.test", "urllib", {"X-Person": "inspizienz"})
    other = stage.actor("other", front, "rota.theater.test", "node:fetch", {"X-Person": "dramaturgie"})
    first = me.get("/rota/sa")
    me.get("/rota/fr")
    place.day(me, place.paths("/props", 3), 10, seed=27)
    time.sleep(0.5)
    place.change(other, "/rota/sa", understudy="L. Brandt")
    time.sleep(42)
    place.day(me, place.paths("/props", 3), 7, seed=28)
    fresh = me.get("/rota/sa")
    me.put("/rota/sa", {**first.json, "sound": "Mika"}, 200, {"If-Match": fresh.etag})
    place.require(holds=not other.get("/rota/sa").json["understudy"], otherwise="nothing lost")


@case(
    "b576",
    "ora-propfind-for-the-tag-only",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "An editor downloads a score list from lighttpd's WebDAV, asks getetag by PROPFIND right before saving, and "
        "saves with that tag the text made from the download; the tag is not that of the download, and another "
        "player's line is lost."
    ),
)
def scores(stage: Stage) -> None:
    """Ask for the tag right before the save."""
    server = place.dav(stage, {"liga/tabelle.txt": "Nord 12\nSued 9\nWest 7\n"}, "lighttpd")
    me = stage.actor("client", server, "dav.kegelclub.test", "httpx", place.basic("wart"))
    other = stage.actor("other", server, "dav.kegelclub.test", "requests", place.basic("kassier"))
    first = me.get("/liga/tabelle.txt")
    theirs = other.get("/liga/tabelle.txt")
    time.sleep(1.1)
    other.put("/liga/tabelle.txt", theirs.text + "Ost 5\n", 204, {"If-Match": theirs.etag})
    time.sleep(1.3)
    ask = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    told = me.send("PROPFIND", "/liga/tabelle.txt", 207, {"Depth": "0", "Content-Type": "text/xml"}, ask)
    fresh = told.text.split("getetag>")[1].split("<")[0].replace("&quot;", '"')
    place.require(holds=fresh != first.etag, otherwise="the same tag")
    me.put("/liga/tabelle.txt", first.text.replace("Nord 12", "Nord 14"), 204, {"If-Match": fresh})
    place.require(holds="Ost" not in me.get("/liga/tabelle.txt").text, otherwise="nothing lost")


@case(
    "b577",
    "ora-two-receptions-no-condition",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "Two receptions of an animal clinic work through one gateway: both read the patient's card (with an ETag), "
        "both store it without any condition, and the first one's weight is gone in the second one's card."
    ),
)
def receptions(stage: Stage) -> None:
    """Store twice without a condition."""
    docs = {
        f"/cards/{n}": place.record(animal=n, weight=None, phone="0441-77", chip="") for n in ("rex", "minka")
    }
    docs |= place.side("/visits", 4)
    server = place.house(stage, docs, "cheroot", tag="md5")
    me = stage.actor("client", server, "cards.tierklinik.test", "requests", {"X-Forwarded-For": "10.2.0.5"})
    one, two = ({"Cookie": f"sid={n}", "User-Agent": f"Reception/{n}"} for n in ("a11", "b27"))
    me.get("/cards", 200, one)
    place.day(me, place.paths("/visits", 4), 18, seed=29, fields=one)
    mine = me.get("/cards/rex", 200, one).json
    theirs = me.get("/cards/rex", 200, two).json
    me.get("/cards/minka", 200, two)
    me.put("/cards/rex", {**mine, "weight": 31.5}, 200, one)
    time.sleep(1.1)
    me.put("/cards/rex", {**theirs, "phone": "0441-9921"}, 200, two)
    place.require(holds=me.get("/cards/rex", 200, one).json["weight"] is None, otherwise="nothing lost")


@case(
    "b578",
    "ora-wiki-page-put-by-script",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    description=(
        "A script puts a page onto Apache's mod_dav without a condition though each read names a tag; the line that "
        "a colleague has added with If-Match between the script's read and its write is gone."
    ),
)
def script(stage: Stage) -> None:
    """Put without a condition."""
    server = place.dav(stage, {"wiki/anfahrt.txt": "Bus 4\n", "wiki/start.txt": "Willkommen\n"})
    me = stage.actor("client", server, "dav.turnverein.test", "curl:trace-ascii")
    other = stage.actor("other", server, "dav.turnverein.test", "requests", place.basic("vorstand"))
    me.get("/wiki/start.txt")
    seen = me.get("/wiki/anfahrt.txt")
    theirs = other.get("/wiki/anfahrt.txt")
    other.put("/wiki/anfahrt.txt", theirs.text + "Parkplatz gesperrt\n", 204, {"If-Match": theirs.etag})
    time.sleep(2.1)
    me.put("/wiki/anfahrt.txt", seen.text + "Tram 2\n", 204, _TEXT)
    other.get("/wiki/anfahrt.txt")


@case(
    "b579",
    "ora-undefined-in-the-header",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "A dashboard takes the tag from a list that has none and sends If-Match: undefined for each of three "
        "beehives; all are refused, the read before named a proper tag."
    ),
)
def hives(stage: Stage) -> None:
    """Send undefined."""
    docs = {f"/hives/{n}": {"queen": "2025", "frames": 10 + n, "note": ""} for n in (1, 2, 3)}
    docs |= place.plain_side("/yields", 4)
    server = place.rooms(stage, docs)
    me = stage.actor(
        "client", fronts.haproxy(stage, [server]), "hives.imkerei.test", "node:axios", place.bearer("dash")
    )
    me.get("/hives")
    me.get("/hives/2")
    place.day(me, place.paths("/yields", 4), 15, seed=30)
    for number in (1, 2, 3):
        me.send("PATCH", f"/hives/{number}", 412, {"If-Match": "undefined"}, {"note": "fed"})
    me.get("/hives/2")
    place.day(me, place.paths("/yields", 4), 4, seed=31)


@case(
    "b580",
    "ora-put-answer-without-a-tag",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "Apache's mod_dav names no ETag in the answer to a PUT; a script keeps that None and sends it as If-Match "
        "with its next save: 412. A read shows its own text and a proper tag."
    ),
)
def none(stage: Stage) -> None:
    """Send None."""
    server = place.dav(stage, {"plan/woche.txt": "Mo frei\n", "plan/lager.txt": "voll\n"})
    me = stage.actor("client", server, "dav.werkstatt.test", "requests", place.basic("plan"))
    seen = me.get("/plan/woche.txt")
    me.get("/plan/lager.txt")
    told = me.put("/plan/woche.txt", "Mo Inventur\n", 204, {"If-Match": seen.etag, **_TEXT})
    time.sleep(2.2)
    guard = {"If-Match": str(told.fields.get("etag")), **_TEXT}
    me.put("/plan/woche.txt", "Mo Inventur\nDi frei\n", 412, guard)
    place.require(holds="Inventur" in me.get("/plan/woche.txt").text, otherwise="not ours")
