"""Tokens that clients keep, send again, replay, refresh blindly or leave out."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import sia_setting as lab
from tools.recording_apis.stories import sia_stores as stores


@case(
    "d011",
    "sia-second-save-with-the-first-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "An editor on lighttpd's WebDAV remembers the tag of the opening read only. Its first save is stored, its "
        "second one goes out with the tag from before the first and is refused; nobody else writes."
    ),
)
def second_save(stage: Stage) -> None:
    """Save twice with one tag."""
    files = {f"texte/kapitel-{n}.txt": f"Kapitel {n}\n\nEs war {n}.\n" for n in range(1, 5)}
    server = lab.shares(stage, "lighttpd", files)
    me = stage.actor("client", server, "texte.verlag.test", "requests", {"User-Agent": "Schreiber/1.9"})
    with lab.beside(stage, server, "leser.verlag.test", ["/texte/kapitel-4.txt"]):
        lab.propfind(me, "/texte/")
        lab.chores(me, lab.names("/texte", "kapitel-1.txt", "kapitel-3.txt"), 6, 74, 204)
        opened = me.get("/texte/kapitel-2.txt")
        me.get("/texte/kapitel-1.txt")
        first = opened.text + "Und dann kam Regen.\n"
        stored = me.put("/texte/kapitel-2.txt", first, (200, 204), {"If-Match": opened.etag})
        head = me.send("HEAD", "/texte/kapitel-2.txt", 200)
        lab.must(head.etag != opened.etag, (opened.etag, stored.fields))
        lab.propfind(me, "/texte/")
        time.sleep(1.2)
        me.put("/texte/kapitel-2.txt", first + "Ende.\n", 412, {"If-Match": opened.etag})
        lab.must(me.get("/texte/kapitel-2.txt").text == first)


@case(
    "d012",
    "sia-state-file-from-before-the-apply",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A deployment tool keeps ETags of Azure blobs in a state file. After an apply it has written two blobs but "
        "saved only the first one's new tag; the next apply refreshes, sees the newer tag and still sends the old."
    ),
)
def state_file(stage: Stage) -> None:
    """Send the tag of the state file."""
    box = stores.Container(stage, "conf.blob.test", "config")
    names = ("api.json", "web.json", "jobs.json")
    setup = stage.actor("setup", box.server, box.host)
    for name in names:
        box.put(setup, name, f'{{"unit":"{name}","replicas":2}}', 201)
    del stage.taps["setup"]
    stage.forget()
    me = stage.actor("client", box.server, box.host, "httpx", {"User-Agent": "deployer/0.8"})
    state = {name: box.get(me, name).etag for name in names}
    state["api.json"] = box.put(me, "api.json", '{"replicas":3}', 201, **{"If-Match": state["api.json"]}).etag
    written = box.put(me, "web.json", '{"replicas":4}', 201, **{"If-Match": state["web.json"]}).etag
    time.sleep(0.6)
    for name in names:
        box.get(me, name)
    box.put(me, "api.json", '{"replicas":5}', 201, **{"If-Match": state["api.json"]})
    box.put(me, "web.json", '{"replicas":5}', 412, **{"If-Match": state["web.json"]})
    lab.must(box.get(me, "web.json").etag == written)


@case(
    "d013",
    "sia-loader-hammers-with-one-tag",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A loader writes a checkpoint blob. After another loader's write its PUT is refused, and its retry loop "
        "sends the same If-Match five times more, waiting longer each time, without a read."
    ),
)
def hammer(stage: Stage) -> None:
    """Retry with what has failed."""
    box = stores.Container(stage, "loads.blob.test", "loads")
    setup = stage.actor("setup", box.server, box.host)
    box.put(setup, "mark.json", '{"offset":100,"by":"a"}', 201)
    box.put(setup, "plan.json", '{"files":40}', 201)
    del stage.taps["setup"]
    stage.forget()
    me = stage.actor("client", box.server, box.host, "requests", {"User-Agent": "loader-a"})
    other = stage.actor("other", box.server, box.host, "aiohttp", {"User-Agent": "loader-b"})
    box.get(me, "plan.json")
    mark = box.get(me, "mark.json")
    theirs = box.get(other, "mark.json")
    box.put(other, "mark.json", '{"offset":160,"by":"b"}', 201, **{"If-Match": theirs.etag})
    for pause in (0.1, 0.2, 0.4, 0.8, 1.6, 0.0):
        box.put(me, "mark.json", '{"offset":140,"by":"a"}', 412, **{"If-Match": mark.etag})
        time.sleep(pause)
    box.get(me, "plan.json")


@case(
    "d014",
    "sia-invitation-answer-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A client creates an appointment in Radicale with If-None-Match: *. The answer never arrives; the repeated "
        "PUT is refused by its own first, and the read shows exactly what was sent."
    ),
)
def invitation(stage: Stage) -> None:
    """Create, lose the answer, create again."""
    events = {"alt1": lab.appointment("alt1", "Wartung"), "alt2": lab.appointment("alt2", "Abnahme")}
    server = stores.radicale(stage, "cal.werk.test", "werk", "/werk/halle/", events)
    loses = lab.first("PUT", "/werk/halle/neu")
    me = stage.actor("client", server, "cal.werk.test", "requests", lab.signed("werk"), loses=loses)
    with lab.beside(stage, server, "anzeige.werk.test", ["/werk/halle/alt2.ics"]):
        lab.propfind(me, "/werk/halle/")
        me.get("/werk/halle/alt1.ics")
        lab.poll(me, lab.names("/werk/halle", "alt1.ics", "alt2.ics"), 2)
        body = lab.appointment("neu-7fd2", "Inbetriebnahme", organizer="mailto:werk@werk.test", sequence="0")
        fresh = {**lab.CALENDAR, "If-None-Match": "*"}
        me.put("/werk/halle/neu-7fd2.ics", body, 0, fresh)
        time.sleep(0.8)
        me.put("/werk/halle/neu-7fd2.ics", body, 412, fresh)
        lab.must("Inbetriebnahme" in me.get("/werk/halle/neu-7fd2.ics").text)
        lab.propfind(me, "/werk/halle/")


@case(
    "d015",
    "sia-gateway-gives-up-first",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "nginx gives up after a second while the service is still busy with a write; the client gets 504, sends the "
        "same PUT again and is refused. What it reads afterwards is its own content with its own run id."
    ),
)
def gateway(stage: Stage) -> None:
    """504, then one's own write in the way."""
    docs = {f"/batches/{n}": lab.doc(batch=n, litres=200, state="mixed", run=f"r{n}") for n in range(60, 66)}
    server = lab.bench(stage, docs, "flask", tag="long", dawdle=1.8, on="/batches/63")
    front = fronts.nginx(stage, server, "proxy_read_timeout 1s;")
    me = stage.actor("client", front, "batches.farben.test", "node:fetch", lab.signed("mixer-4"))
    me.get("/batches")
    lab.poll(me, lab.names("/batches", "61", "62"), 2)
    lab.chores(me, lab.names("/batches", "60", "61", "64"), 6, 75, 200)
    seen = me.get("/batches/63")
    body = {**seen.json, "state": "filled", "run": "run-88ac41"}
    me.put("/batches/63", body, 504, {"If-Match": seen.etag})
    me.get("/batches/62")
    time.sleep(1.1)
    me.put("/batches/63", body, 412, {"If-Match": seen.etag})
    lab.must(me.get("/batches/63").json == body)


@case(
    "d016",
    "sia-kinto-form-saved-over-a-fresh-tag",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A form is opened on a record in Kinto and left for a while. On saving, the page fetches the record for its "
        "tag only and sends the whole form as it was opened: accepted, and a colleague's phone number is gone."
    ),
)
def form(stage: Stage) -> None:
    """Fetch a tag, send an old form."""
    people = {f"p{n}": {"name": f"Person {n}", "phone": f"+49 30 1{n}", "room": f"B{n}"} for n in range(1, 6)}
    server, base = stores.kinto(stage, "people.lab.test", "staff/people", people)
    me = stage.actor("client", server, "people.lab.test", "requests", lab.signed("redaktion"))
    other = stage.actor("other", server, "people.lab.test", "httpx", lab.signed("mobil"))
    me.get(base)
    lab.stroll(me, lab.names(base, "p1", "p2", "p5"), 6, 76)
    opened = me.get(f"{base}/p3").json["data"]
    theirs = other.get(f"{base}/p3")
    changed = {"name": "Person 3", "phone": "+49 30 777", "room": "B3"}
    other.put(f"{base}/p3", {"data": changed}, 200, {"If-Match": theirs.etag})
    other.get(f"{base}/p4")
    time.sleep(0.9)
    me.get(f"{base}/p1")
    fresh = me.get(f"{base}/p3")
    lab.must(fresh.json["data"]["phone"] == "+49 30 777")
    sent = {"name": opened["name"], "phone": opened["phone"], "room": "C17"}
    me.put(f"{base}/p3", {"data": sent}, 200, {"If-Match": fresh.etag})
    me.get(base)


@case(
    "d017",
    "sia-head-before-every-put",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A sync tool asks lighttpd for the tag with HEAD right before each PUT of its local copy, which is older. "
        "The write holds and a colleague's line is lost."
    ),
)
def head_first(stage: Stage) -> None:
    """HEAD and PUT an old copy."""
    files = {"plan/woche-48.txt": "Mo Halle 1\nDi Halle 2\nMi frei\n", "plan/woche-49.txt": "Mo frei\n"}
    server = lab.shares(stage, "lighttpd", files)
    me = stage.actor("client", server, "plan.sport.test", "curl", {"User-Agent": "filesync/2"})
    other = stage.actor("other", server, "plan.sport.test", "requests", {"User-Agent": "web editor"})
    copy = me.get("/plan/woche-48.txt")
    me.get("/plan/woche-49.txt")
    theirs = other.get("/plan/woche-48.txt")
    added = theirs.text + "Do Turnier bis 22 Uhr\n"
    other.put("/plan/woche-48.txt", added, (200, 204), {"If-Match": theirs.etag})
    time.sleep(1.2)
    head = me.send("HEAD", "/plan/woche-48.txt", 200)
    lab.must(head.etag != copy.etag)
    mine = copy.text.replace("Mi frei", "Mi Halle 3")
    me.put("/plan/woche-48.txt", mine, (200, 204), {"If-Match": head.etag, "Content-Type": "text/plain"})
    me.send("HEAD", "/plan/woche-49.txt", 200)
    lab.must("Turnier" not in other.get("/plan/woche-48.txt").text)


@case(
    "d018",
    "sia-two-robots-without-conditions",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "Two robots change one setpoint file on Apache's mod_dav. Apache serves ETags with every read, neither robot "
        "sends one back; the second PUT takes the first one's line away, as its next read shows."
    ),
)
def robots(stage: Stage) -> None:
    """Write without a condition over another's line."""
    start = "druck=4.0\ntemp=180\nrpm=900\n"
    files = {"soll/presse.txt": start, "soll/ofen.txt": "temp=800\n", "soll/liste.txt": "presse\nofen\n"}
    server = lab.shares(stage, "apache2", files)
    me = stage.actor("client", server, "soll.werk.test", "httpx", {"User-Agent": "robot-links"})
    other = stage.actor("other", server, "soll.werk.test", "urllib", {"User-Agent": "robot-rechts"})
    with lab.beside(stage, server, "monitor.werk.test", ["/soll/ofen.txt", "/soll/liste.txt"]):
        me.get("/soll/liste.txt")
        lab.stroll(me, lab.names("/soll", "ofen.txt", "liste.txt"), 5, 77)
        mine = me.get("/soll/presse.txt")
        theirs = other.get("/soll/presse.txt")
        me.get("/soll/ofen.txt")
        other.put("/soll/presse.txt", theirs.text.replace("180", "195"), 204, {"Content-Type": "text/plain"})
        time.sleep(1.2)
        lab.must("temp=195" in me.get("/soll/presse.txt").text)
        me.put("/soll/presse.txt", mine.text.replace("900", "950"), 204, {"Content-Type": "text/plain"})
        lab.must("temp=180" in me.get("/soll/presse.txt").text)
        other.get("/soll/presse.txt")


@case(
    "d019",
    "sia-calendar-robot-overwrites",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    description=(
        "A booking robot PUTs appointments into Radicale without If-Match. Between its read and its write a person "
        "has added a location with If-Match; the robot's version, based on its old read, replaces it."
    ),
)
def robot(stage: Stage) -> None:
    """A PUT without If-Match after somebody's change."""
    events = {f"r{n}": lab.appointment(f"r{n}", f"Raum {n}") for n in range(1, 5)}
    server = stores.radicale(stage, "raum.uni.test", "uni", "/uni/raeume/", events)
    me = stage.actor(
        "client", server, "raum.uni.test", "aiohttp", {**lab.signed("uni"), "User-Agent": "booker"}
    )
    other = stage.actor("other", server, "raum.uni.test", "requests", lab.signed("uni"))
    lab.propfind(me, "/uni/raeume/")
    me.get("/uni/raeume/r2.ics")
    me.get("/uni/raeume/r3.ics")
    theirs = other.get("/uni/raeume/r2.ics")
    changed = lab.appointment("r2", "Raum 2", location="Keller, Schluessel beim Pfoertner")
    other.put("/uni/raeume/r2.ics", changed, 204, {**lab.CALENDAR, "If-Match": theirs.etag})
    time.sleep(0.6)
    later = lab.appointment("r2", "Raum 2", "20261211T100000Z")
    me.put("/uni/raeume/r2.ics", later, 204, lab.CALENDAR)
    lab.propfind(me, "/uni/raeume/")
    lab.must("LOCATION" not in other.get("/uni/raeume/r2.ics").text)
