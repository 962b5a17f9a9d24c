"""Colleagues, one's own second request, the service itself; what is there already and what is gone."""

from __future__ import annotations

import threading
import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ora_setting as place

PRESS = "dav.morgenpost.test"
_DAV = {"Depth": "1", "Content-Type": "application/xml"}
_ASK = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/><getcontentlength/></prop></propfind>'


@case(
    "b555",
    "ora-two-curators-one-label",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Two curators edit the wall text of one picture in a blob container; the second upload with the tag of its "
        "read is refused with ConditionNotMet, and a look at the blob shows the colleague's text."
    ),
)
def curators(stage: Stage) -> None:
    """Upload over a colleague's text."""
    museum = place.Blobs(stage, "wall-texts")
    me = museum.actor("client", "requests")
    other = museum.actor("other", "httpx")
    museum.put(other, "room-4/vermeer.md", "# View\n\nOil on canvas.\n", 201)
    museum.put(other, "room-4/steen.md", "# Feast\n\nOil on panel.\n", 201)
    time.sleep(1.2)
    museum.list(me)
    museum.get(me, "room-4/steen.md")
    seen = museum.get(me, "room-4/vermeer.md")
    time.sleep(1.4)
    held = museum.get(other, "room-4/vermeer.md").etag
    museum.put(
        other, "room-4/vermeer.md", "# View\n\nOil on canvas, about 1660.\n", 201, **{"If-Match": held}
    )
    time.sleep(2.1)
    museum.put(
        me, "room-4/vermeer.md", "# View of the town\n\nOil on canvas.\n", 412, **{"If-Match": seen.etag}
    )
    place.require(holds="1660" in museum.get(me, "room-4/vermeer.md").text, otherwise="not theirs")


@case(
    "b556",
    "ora-newsroom-afternoon",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "An afternoon of three editors through one gateway on Apache's mod_dav: reading, saving, listing. Another "
        "desk rewrites the harbour story meanwhile; the save with the tag from before is refused and the re-read "
        "shows the other desk's text."
    ),
)
def newsroom(stage: Stage) -> None:
    """Work long and lose one race."""
    stories = {f"politik/{n}.txt": f"Entwurf {n}\n" * 4 for n in ("hafen", "rat", "bahn", "markt")}
    server = place.dav(stage, stories)
    me = stage.actor("client", server, PRESS, "requests")
    desk = stage.actor("other", server, PRESS, "urllib", place.basic("spaetdienst"))
    anna, bo, cem = (place.basic(one) for one in ("anna", "bo", "cem"))
    me.send("PROPFIND", "/politik/", 207, {**_DAV, **anna}, _ASK)
    held = {
        path: me.get(f"/{path}", 200, who) for path, who in zip(stories, (anna, bo, cem, bo), strict=True)
    }
    for number in range(3):
        for path, who in (("politik/rat.txt", bo), ("politik/markt.txt", cem)):
            time.sleep(1.25)
            body = held[path].text + f"Absatz {number}\n"
            me.put(f"/{path}", body, 204, {**who, "If-Match": held[path].etag, "Content-Type": "text/plain"})
            time.sleep(1.25)
            held[path] = me.get(f"/{path}", 200, who)
        me.get("/politik/bahn.txt", 304, {**anna, "If-None-Match": held["politik/bahn.txt"].etag})
    desk.send("PROPFIND", "/politik/", 207, _DAV, _ASK)
    theirs = desk.get("/politik/hafen.txt")
    desk.put("/politik/hafen.txt", "Hafen: Streik beendet\n", 204, {"If-Match": theirs.etag})
    time.sleep(1.3)
    me.get("/politik/bahn.txt", 304, {**anna, "If-None-Match": held["politik/bahn.txt"].etag})
    mine = held["politik/hafen.txt"]
    me.put("/politik/hafen.txt", mine.text + "Zitat der Kapitaenin\n", 412, {**anna, "If-Match": mine.etag})
    place.require(holds="Streik" in me.get("/politik/hafen.txt", 200, anna).text, otherwise="not theirs")
    me.send("PROPFIND", "/politik/", 207, {**_DAV, **cem}, _ASK)


@case(
    "b557",
    "ora-choir-rehearsal-moved-by-phone",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "The choir's secretary moves a rehearsal in Radicale from a phone while the conductor's laptop still holds "
        "the event of the morning; the laptop's change is refused."
    ),
)
def rehearsal(stage: Stage) -> None:
    """Save an event that somebody has moved."""
    server = stage.server("radicale")
    me = stage.actor("client", server, "cal.chor-nord.test", "java", place.basic("chor"))
    phone = stage.actor(
        "other", server, "cal.chor-nord.test", "aiohttp", place.basic("chor", **place.AGENT_PHONE)
    )
    phone.send("MKCALENDAR", "/chor/proben/", 201)
    kind = {"Content-Type": "text/calendar"}
    for name in ("p1", "p2", "p3"):
        phone.put(f"/chor/proben/{name}.ics", place.event(name, "1900"), 201, {**kind, "If-None-Match": "*"})
    time.sleep(0.8)
    me.get("/chor/proben/p1.ics")
    seen = me.get("/chor/proben/p2.ics")
    me.get("/chor/proben/p3.ics")
    theirs = phone.get("/chor/proben/p2.ics").etag
    phone.put("/chor/proben/p2.ics", place.event("p2", "2030"), 204, {**kind, "If-Match": theirs})
    time.sleep(1.7)
    mine = place.event("p2", "1900", place="Aula")
    me.put("/chor/proben/p2.ics", mine, 412, {**kind, "If-Match": seen.etag})
    place.require(holds="2030" in me.get("/chor/proben/p2.ics").text, otherwise="not moved")


@case(
    "b558",
    "ora-vineyard-date-guard",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "A vineyard's cellar book has dates only. The cellar master's entry with If-Unmodified-Since is refused "
        "since the laboratory has written the sugar value between the read and the write."
    ),
)
def vineyard(stage: Stage) -> None:
    """Be refused by a date, rightly."""
    docs = {
        f"/cellar/tank-{n}": place.record(fill=n * 800, grape="Riesling", sugar=None, note="")
        for n in (3, 4, 7)
    }
    server = place.house(stage, docs, "aiohttp", dates=1, form="text")
    me = stage.actor(
        "client", server, "cellar.weingut.test", "curl:trace-time", {"X-Person": "kellermeister"}
    )
    lab = stage.actor("other", server, "cellar.weingut.test", "requests", {"X-Person": "labor"})
    me.get("/cellar")
    me.get("/cellar/tank-3")
    seen = me.get("/cellar/tank-7")
    time.sleep(31)
    theirs = lab.get("/cellar/tank-7")
    body = {**theirs.json, "sugar": 84.5, "by": "labor"}
    lab.put("/cellar/tank-7", body, 200, {"If-Unmodified-Since": theirs.fields["last-modified"]})
    time.sleep(34)
    mine = {**seen.json, "note": "racked"}
    me.put("/cellar/tank-7", mine, 412, {"If-Unmodified-Since": seen.fields["last-modified"]})
    place.require(holds=me.get("/cellar/tank-7").json["sugar"], otherwise="no sugar")


@case(
    "b559",
    "ora-bike-shop-saves-twice-at-once",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A workshop's form saves on leaving a field and on the button: two PUTs with one tag are under way at once, "
        "the first is stored, the second refused; both come from the same session."
    ),
)
def twice_at_once(stage: Stage) -> None:
    """Save by two handlers at once."""
    docs = {f"/jobs/{n}": place.record(bike=f"R{n}", state="waiting", parts=[]) for n in (88, 89, 90)}
    server = place.house(stage, docs, "waitress", tag="rev", hold=0.35)
    cookie = {"Cookie": "wsid=9f2c71; lang=nl", "User-Agent": "Workshop/3.2 (tablet-2)"}
    me = stage.actor("client", fronts.nginx(stage, server), "jobs.fietshal.test", "urllib", cookie)
    place.look_around(me, ["/jobs", "/jobs/88", "/jobs/90"], 2)
    seen = me.get("/jobs/89")
    answers: list[int] = []

    def save(**fields: object) -> None:
        body = {**seen.json, **fields}
        answers.append(me.put("/jobs/89", body, (200, 412), {"If-Match": seen.etag}).status)

    both = [threading.Thread(target=save, kwargs=one) for one in ({"parts": ["chain"]}, {"state": "ready"})]
    for one in both:
        one.start()
        time.sleep(0.05)
    for one in both:
        one.join()
    place.require(holds=sorted(answers) == [200, 412], otherwise=answers)
    me.get("/jobs/89")


@case(
    "b560",
    "ora-night-import-with-four-workers",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A museum's import runs four workers of one job; two of them carry lines of the same loan contract, both "
        "write with the tag that the job has read once, and one is refused."
    ),
)
def workers(stage: Stage) -> None:
    """Let workers of one job meet."""
    docs = {f"/loans/L{n}": place.record(object=n, lender="Kunsthalle", lines=[]) for n in range(70, 78)}
    docs |= place.side("/lenders", 4)
    server = place.house(stage, docs, "gunicorn", tag="short", hold=0.25, form="code")
    me = stage.actor(
        "client", server, "registrar.museum.test", "httpx", place.bearer("import-7", **{"X-Run": "r-3391"})
    )
    me.get("/loans")
    place.day(me, place.paths("/lenders", 4), 9, seed=21)
    held = {n: me.get(f"/loans/L{n}") for n in range(70, 76)}
    tasks = [(70, "a"), (71, "b"), (72, "c"), (73, "d"), (74, "e"), (74, "f"), (75, "g")]
    answers: list[tuple[int, int]] = []

    def work(number: int, line: str) -> None:
        seen = held[number]
        body = {**seen.json, "lines": [line]}
        told = me.put(f"/loans/L{number}", body, (200, 412), {"If-Match": seen.etag, "X-Worker": line})
        answers.append((number, told.status))

    threads = [threading.Thread(target=work, args=one) for one in tasks]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    place.require(holds=[n for n, status in answers if status == 412] == [74], otherwise=answers)
    me.get("/loans/L74")


@case(
    "b561",
    "ora-rules-engine-marks-what-was-saved",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "A shipping desk saves a parcel and half a second later saves again with the tag of its first answer; the "
        "service's rules have stamped the parcel in between (checked by system:rules), so the second save is refused."
    ),
)
def rules(stage: Stage) -> None:
    """Save again after the service has stamped."""
    docs = {
        f"/parcels/{n}": place.record(to="Oslo", weight=2.4, service="std") for n in ("P-1", "P-2", "P-3")
    }
    server = place.house(stage, docs, "cheroot", tag="uuid", job=0.3)
    me = stage.actor("client", server, "parcels.spedition.test", "node:fetch", place.bearer("desk-2"))
    me.get("/parcels")
    me.get("/parcels/P-1")
    seen = me.get("/parcels/P-2")
    saved = me.put("/parcels/P-2", {**seen.json, "weight": 2.9}, 200, {"If-Match": seen.etag})
    me.get("/parcels/P-3")
    time.sleep(0.8)
    me.put("/parcels/P-2", {**seen.json, "weight": 2.9, "service": "express"}, 412, {"If-Match": saved.etag})
    now = me.get("/parcels/P-2")
    place.require(holds=now.json["checked"]["by"] == "system:rules", otherwise=now.text)


@case(
    "b562",
    "ora-order-total-follows-its-lines",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "A wholesaler's client adds a line to an order and then changes the order with the tag read before; the "
        "service has recalculated the order (recalculated by system:pricing) because of the line."
    ),
)
def totals(stage: Stage) -> None:
    """Write a line, then the order."""
    docs = {
        "/orders/5512": place.record(customer="Blumen Groth", total=140.0, state="open"),
        "/orders/5512/lines/1": place.record(article="tulip", count=200, price=0.7),
        "/orders/5513": place.record(customer="Floristik am Ring", total=20.0, state="open"),
    }
    docs |= place.side("/notes", 3)
    linked = {"/orders/5512/lines/1": ["/orders/5512"]}
    server = place.house(stage, docs, "gunicorn", tag="apache", linked=linked)
    me = stage.actor(
        "client", fronts.caddy(stage, server), "orders.gros.test", "aiohttp", place.basic("verkauf")
    )
    me.get("/orders/5513")
    place.day(me, place.paths("/notes", 3), 16, seed=23, users=("verkauf", "lager", "azubi"))
    order = me.get("/orders/5512")
    place.change(me, "/orders/5512/lines/1", count=260)
    place.day(me, place.paths("/notes", 3), 5, seed=24, users=("lager", "azubi"))
    me.put("/orders/5512", {**order.json, "state": "confirmed"}, 412, {"If-Match": order.etag})
    place.require(holds="system:pricing" in me.get("/orders/5512").text, otherwise="nothing recalculated")


@case(
    "b563",
    "ora-trainee-tidied-the-folder",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A trainee deletes a recipe on lighttpd's WebDAV share; the baker's save with the tag of the morning is "
        "refused, and the file is no longer there."
    ),
)
def tidied(stage: Stage) -> None:
    """Save a file that was deleted."""
    server = place.dav(
        stage, {f"rezepte/{n}.txt": f"{n}\n" * 9 for n in ("brezel", "zopf", "laugen")}, "lighttpd"
    )
    me = stage.actor("client", server, "dav.baeckerei.test", "requests", place.basic("baecker"))
    other = stage.actor("other", server, "dav.baeckerei.test", "requests", place.basic("azubi"))
    held = place.look_around(me, [f"/rezepte/{n}.txt" for n in ("brezel", "zopf", "laugen")], 2)
    other.send("DELETE", "/rezepte/zopf.txt", 204)
    time.sleep(1.1)
    me.put("/rezepte/zopf.txt", "zopf\nmehr Butter\n", 412, {"If-Match": held["/rezepte/zopf.txt"]})
    me.get("/rezepte/zopf.txt", 404)
    me.get("/rezepte/brezel.txt", 304, {"If-None-Match": held["/rezepte/brezel.txt"]})


@case(
    "b564",
    "ora-room-plan-with-an-old-address",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A calendar bridge updates bookings with If-Match: *; one of them was cancelled last week, the server says "
        "412, and a read of it 404. The others go through."
    ),
)
def cancelled(stage: Stage) -> None:
    """Update only what exists."""
    docs = {f"/rooms/aula/bookings/{n}": {"title": f"Gruppe {n}", "seats": 20} for n in (41, 42, 44)}
    docs |= place.plain_side("/rooms/keller/bookings", 3)
    server = place.rooms(stage, docs)
    me = stage.actor("client", server, "rooms.gemeinde.test", "node:axios", place.bearer("bridge"))
    me.get("/rooms/aula/bookings")
    place.day(me, place.paths("/rooms/keller/bookings", 3), 12, seed=25)
    for number in (41, 42, 43, 44):
        body = {"title": f"Gruppe {number}", "seats": 24}
        me.put(f"/rooms/aula/bookings/{number}", body, 412 if number == 43 else 200, {"If-Match": "*"})
    me.get("/rooms/aula/bookings/43", 404)
    me.get("/rooms/aula/bookings")


@case(
    "b565",
    "ora-archive-copy-must-not-overwrite",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "An archivist copies scans into a year's folder with Overwrite: F on WsgiDAV; one of the names is taken "
        "there already, and that copy is answered 412."
    ),
)
def taken(stage: Stage) -> None:
    """Copy onto a name that is taken."""
    server = stage.server("wsgidav")
    for folder, names in (("eingang", "abc"), ("1987", "b")):
        for name in names:
            fronts.put_file(server.directory, f"{folder}/akte-{name}.txt", f"{folder} {name}\n" * 5, 900)
    me = stage.actor("client", server, "dav.stadtarchiv.test", "httpx", place.basic("archiv"))
    me.send("PROPFIND", "/eingang/", 207, _DAV, _ASK)
    for name in "abc":
        told = {"Destination": f"http://dav.stadtarchiv.test/1987/akte-{name}.txt", "Overwrite": "F"}
        me.send("COPY", f"/eingang/akte-{name}.txt", 412 if name == "b" else 201, told)
    me.send("PROPFIND", "/1987/", 207, _DAV, _ASK)
    me.get("/1987/akte-b.txt")


@case(
    "b566",
    "ora-new-tariff-has-been-there",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A ferry line's clerk creates next summer's tariff sheet with If-None-Match: *; head office has put one "
        "there months ago, so the create is refused and a read shows head office's sheet."
    ),
)
def tariff(stage: Stage) -> None:
    """Create what exists."""
    sheets = {
        "/tariffs/2026-s": "adult 9.40\ncar 31.00\n",
        "/tariffs/2027-s": "adult 9.80\ncar 32.50\nby HQ\n",
    }
    server = place.tide(stage, sheets)
    me = stage.actor("client", server, "tariffs.faehre.test", "urllib", {"X-Clerk": "port-3"})
    old = me.get("/tariffs/2026-s")
    me.put(
        "/tariffs/2026-s", old.text + "dog 3.00\n", 204, {"If-Match": old.etag, "Content-Type": "text/plain"}
    )
    new = "adult 9.90\ncar 33.00\ndog 3.10\n"
    me.put("/tariffs/2027-s", new, 412, {"If-None-Match": "*", "Content-Type": "text/plain"})
    place.require(holds="HQ" in me.get("/tariffs/2027-s").text, otherwise="not theirs")
    me.get("/tariffs/2026-s")
