"""Stories on real stores: Kinto, Radicale, Azurite, moto's S3."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_joe_setting as lab

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor
    from tools.recording_apis.stage import Stage

_CALENDAR = {"Content-Type": "text/calendar; charset=utf-8"}
_SYNC = (
    '<?xml version="1.0" encoding="utf-8"?><D:sync-collection xmlns:D="DAV:"><D:sync-token>{}</D:sync-token>'
    "<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"
)
_ASKED = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/><sync-token/><displayname/></prop></propfind>'


def _event(uid: str, title: str, day: int, note: str = "") -> str:
    more = f"DESCRIPTION:{note}\r\n" if note else ""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Talo//2//FI\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20261101T080000Z\r\nDTSTART:202612{day:02}T170000Z\r\nSUMMARY:{title}\r\n{more}"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def _bookings(
    stage: Stage, who: str, program: str, host: str, titles: dict[str, str], *, age: int = 2592000
) -> Actor:
    server = stage.server("radicale", token_age=age)
    setup = stage.actor("setup", server, host, "requests", lab.basic(who))
    setup.send("MKCALENDAR", f"/{who}/cal/", 201)
    for number, (uid, title) in enumerate(titles.items()):
        setup.put(f"/{who}/cal/{uid}.ics", _event(uid, title, 3 + number), 201, _CALENDAR)
    stage.forget()
    return stage.actor("client", server, host, program, lab.basic(who))


@case(
    "d803",
    "joe-list-of-both-tags-refused",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "A calendar client does not know whether its last save arrived and names both tags that it would accept in "
        "If-Match: Radicale compares the list as one text, 412, although the second is current, as a read shows; alone it passes."
    ),
)
def both(stage: Stage) -> None:
    """Name two tags."""
    me = _bookings(
        stage, "aino", "httpx", "kalenteri.talo.example", {"sauna-41": "Sauna", "piha-2": "Talkoot"}
    )
    lab.walk(me, "/aino/cal/")
    for uid, title in (("sauna-41", "Sauna B"), ("piha-2", "Talkoot 2")):
        path = f"/aino/cal/{uid}.ics"
        first = me.get(path)
        second = me.put(path, _event(uid, title, 9), 204, {**_CALENDAR, "If-Match": first.etag})
        lab.rest(0.4)
        either = f"{first.etag}, {second.etag}"
        me.put(path, _event(uid, title, 9, "pyyhe"), 412, {**_CALENDAR, "If-Match": either})
        lab.sure(me.get(path).etag == second.etag)
        me.put(path, _event(uid, title, 9, "pyyhe"), 412, {**_CALENDAR, "If-Match": either})
        lab.rest(0.3)
    me.put(path, _event(uid, title, 9, "pyyhe"), 204, {**_CALENDAR, "If-Match": second.etag})
    lab.walk(me, "/aino/cal/")


@case(
    "d812",
    "joe-tag-of-the-whole-calendar",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A booking page lists a calendar on Radicale and takes the first getetag of the multistatus, that of the calendar "
        "itself, for the event it changes: 412 for two events; with the tag of the event's own read the third save passes."
    ),
)
def first(stage: Stage) -> None:
    """Take the parent's tag."""
    titles = {"boot-1": "Boot 1", "boot-2": "Boot 2", "steg-9": "Steg"}
    me = _bookings(stage, "verleih", "requests", "kal.bootshaus.example", titles)
    me.send("OPTIONS", "/verleih/cal/", 200)
    for uid in ("boot-2", "steg-9"):
        listed = lab.walk(me, "/verleih/cal/").text
        tag = listed.split("<getetag>")[1].partition("<")[0]
        lab.sure(listed.index(tag) < listed.index("boot-1.ics"))
        me.put(f"/verleih/cal/{uid}.ics", _event(uid, "Reparatur", 12), 412, {**_CALENDAR, "If-Match": tag})
        lab.rest(0.5)
    own = me.get("/verleih/cal/steg-9.ics")
    lab.sure(own.etag != tag)
    me.put(
        "/verleih/cal/steg-9.ics", _event("steg-9", "Reparatur", 12), 204, {**_CALENDAR, "If-Match": own.etag}
    )


@case(
    "d807",
    "joe-sync-token-after-the-holidays",
    "token-expired",
    "403",
    alone="token-expired",
    also="status-dialect-mismatch",
    description=(
        "A phone syncs a calendar on Radicale, is away for longer than the server keeps sync tokens, and is told 403 "
        "valid-sync-token for the one it holds, twice; a sync from nothing gives all events and a token that works."
    ),
)
def holidays(stage: Stage) -> None:
    """Come back with an old sync token."""
    titles = {"u1": "Zahnarzt", "u2": "Elternabend", "u3": "Yoga"}
    me = _bookings(stage, "jule", "aiohttp", "dav.familie.example", titles, age=2)
    xml = {"Content-Type": "application/xml", "Depth": "0"}
    listed = me.send("PROPFIND", "/jule/cal/", 207, xml, _ASKED).text
    token = listed.split("<sync-token>")[1].partition("<")[0]
    me.send("REPORT", "/jule/cal/", 207, xml, _SYNC.format(token))
    seen = me.get("/jule/cal/u2.ics")
    me.put(
        "/jule/cal/u2.ics",
        _event("u2", "Elternabend", 8, "Raum 4"),
        204,
        {**_CALENDAR, "If-Match": seen.etag},
    )
    got = me.send("REPORT", "/jule/cal/", 207, xml, _SYNC.format(token)).text
    held = got.split("<sync-token>")[1].partition("<")[0]
    lab.sure(held != token)
    lab.rest(3.2)
    me.put("/jule/cal/u4.ics", _event("u4", "Kino", 20), 201, {**_CALENDAR, "If-None-Match": "*"})
    me.send("REPORT", "/jule/cal/", 207, xml, _SYNC.format(""))
    lab.rest(2.5)
    for _ in range(2):
        lab.sure("valid-sync-token" in me.send("REPORT", "/jule/cal/", 403, xml, _SYNC.format(held)).text)
        lab.rest(0.5)
    anew = me.send("REPORT", "/jule/cal/", 207, xml, _SYNC.format("")).text
    me.send("REPORT", "/jule/cal/", 207, xml, _SYNC.format(anew.split("<sync-token>")[1].partition("<")[0]))


@case(
    "d809",
    "joe-badge-created-but-not-heard",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A conference desk creates a badge on Kinto under an id of its own making; the connection breaks before the "
        "answer, the same create is sent again and is 412, whose details show the record with the desk's own request mark."
    ),
)
def badge(stage: Stage) -> None:
    """Create twice."""
    server, base = lab.kinto(
        stage, "kongress", "badges", ("schalter2",), {"b-7": {"name": "Ada", "ref": "x"}}
    )
    me = stage.actor(
        "client",
        server,
        "api.kongress.example",
        "requests",
        {**lab.basic("schalter2"), "User-Agent": "Schalter/2"},
        loses=lab.drops("PUT", "/records/", 2),
    )
    me.get("/v1/")
    me.get(base)
    for name, status in (("Ilse Kern", 201), ("Ole Vogt", 0)):
        key = str(uuid.uuid4())
        row = {"data": {"name": name, "ref": f"s2-{uuid.uuid4().hex[:10]}", "lunch": True}}
        me.put(f"{base}/{key}", row, status, {"If-None-Match": "*"})
        lab.rest(0.7)
    told = me.put(f"{base}/{key}", row, 412, {"If-None-Match": "*"}).json
    lab.sure(told["details"]["existing"]["ref"] == row["data"]["ref"])
    lab.sure(me.get(f"{base}/{key}").json["data"]["ref"] == row["data"]["ref"])
    me.get(f"{base}?_limit=5")


@case(
    "d838",
    "joe-clear-finished-jobs",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    description=(
        "A print shop clears its finished jobs on Kinto with DELETE ?state=done and the tag of the list: every job that "
        "another station adds in between moves that tag, and the deletion is 412, three times, though no finished job has changed."
    ),
)
def jobs(stage: Stage) -> None:
    """Guard a few rows by the whole list."""
    rows = {f"j{n}": {"state": "done" if n < 3 else "open", "pages": n * 4} for n in range(1, 6)}
    server, base = lab.kinto(stage, "druckerei", "jobs", ("theke", "saal"), rows)
    me = stage.actor("client", server, "jobs.druckerei.example", "httpx", lab.basic("theke"))
    other = stage.actor("other", server, "jobs.druckerei.example", "node:fetch", lab.basic("saal"))
    me.get("/v1/")
    for number in range(3):
        done = me.get(f"{base}?state=done")
        lab.sure(len(done.json["data"]) == 2)
        me.get(f"{base}/j4")
        other.put(f"{base}/n{number}", {"data": {"state": "open", "pages": 2}}, 201, {"If-None-Match": "*"})
        lab.rest(0.5)
        me.send("DELETE", f"{base}?state=done", 412, {"If-Match": done.etag})
        lab.sure(me.get(f"{base}?state=done").json["data"] == done.json["data"])
        lab.rest(0.4)
    me.get(f"{base}?_sort=-last_modified&_limit=3")


@case(
    "d830",
    "joe-board-in-the-hall-forgets",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "A notice board on Kinto: the form of a caretaker puts whole records without any condition, though each answer "
        "has an ETag; a poll had shown the entry of a tenant a moment before, and the form's save wipes it out."
    ),
)
def board(stage: Stage) -> None:
    """Write over what one has just been shown."""
    rows = {f"haus{n}": {"heizung": "ok", "zettel": ["Müll di"]} for n in (1, 2)}
    server, base = lab.kinto(stage, "verwaltung", "tafel", ("hausmeister", "mieter"), rows)
    me = stage.actor("client", server, "tafel.hausverwaltung.example", "node:axios", lab.basic("hausmeister"))
    other = stage.actor("other", server, "tafel.hausverwaltung.example", "aiohttp", lab.basic("mieter"))
    form, poll = me.get(f"{base}/haus2").json["data"], me.get(base)
    me.get(base, 304, {"If-None-Match": poll.etag})
    theirs = other.get(f"{base}/haus2")
    note = {"zettel": [*theirs.json["data"]["zettel"], "Kinderwagen zu verschenken, Top 9"]}
    other.send("PATCH", f"{base}/haus2", 200, {"If-Match": theirs.etag}, {"data": note})
    lab.rest(0.9)
    poll = me.get(base, 200, {"If-None-Match": poll.etag})
    lab.sure("Top 9" in poll.text)
    whole = {"heizung": "Wartung 3.12.", "zettel": form["zettel"]}
    me.put(f"{base}/haus2", {"data": whole}, 200)
    lab.rest(0.6)
    lab.sure("Top 9" not in me.get(base, 200, {"If-None-Match": poll.etag}).text)
    me.put(f"{base}/haus1", {"data": {"heizung": "ok", "zettel": []}}, 200)


@case(
    "d814",
    "joe-manifest-keeps-its-first-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A build agent appends to a manifest blob: it keeps the tag of its first read, though its own first save was "
        "answered with a newer one; its second save is ConditionNotMet, and so is that of the next file. Nobody else writes."
    ),
)
def manifest(stage: Stage) -> None:
    """Go on with the tag from before one's own save."""
    server = stage.server("azurite")
    sas = lab.signature()
    always = {"x-ms-version": "2021-12-02", "User-Agent": "agent/12 (pipeline)"}
    setup = stage.actor("setup", server, "notes.blob.test", "requests", always)
    setup.put(f"/notes/builds?restype=container&{sas}", b"", 201)
    blob = {"x-ms-blob-type": "BlockBlob", "Content-Type": "text/plain"}
    for name in ("linux", "arm", "docs"):
        setup.put(f"/notes/builds/{name}.txt?{sas}", f"{name} 1.0\n", 201, blob)
    stage.forget()
    me = stage.actor("client", server, "artefacts.foundry.example", "requests", always)
    me.get(f"/notes/builds?restype=container&comp=list&{sas}")
    me.get(f"/notes/builds/docs.txt?{sas}")
    for name in ("linux", "arm"):
        path = f"/notes/builds/{name}.txt?{sas}"
        seen = me.get(path)
        guard = {**blob, "If-Match": seen.etag}
        done = me.put(path, seen.text + "a.o\n", 201, guard)
        lab.sure(done.etag != seen.etag)
        lab.rest(0.6)
        told = me.put(path, seen.text + "a.o\nb.o\n", 412, guard)
        lab.sure(told.fields["x-ms-error-code"] == "ConditionNotMet")
    head = me.send("HEAD", path, 200)
    lab.sure(head.etag == done.etag)
    me.put(path, seen.text + "a.o\nb.o\n", 201, {**blob, "If-Match": head.etag})


@case(
    "d836",
    "joe-catalogue-job-insists",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A catalogue job on an object store reads once and then puts in a loop with growing pauses: the first 412 came of "
        "another job's write, the further four of the same If-Match sent again. It never reads in between."
    ),
)
def insists(stage: Stage) -> None:
    """Send a failed tag again and again."""
    server = stage.server("moto")
    signed = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261128/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        "x-amz-date": "20261128T030000Z",
    }
    host = "objects.arkiv.example"
    setup = stage.actor("setup", server, host, "requests", signed)
    setup.put("/katalog", b"", 200)
    for name in ("index.json", "kart/1880.json", "kart/1914.json"):
        setup.put(f"/katalog/{name}", {"name": name, "poster": [3, 5]}, 200)
    stage.forget()
    me = stage.actor("client", server, host, "urllib", {**signed, "User-Agent": "katalogjobb/1"})
    other = stage.actor("other", server, host, "curl", {**signed, "User-Agent": "skanner/4"})
    me.get("/katalog?list-type=2")
    seen = me.get("/katalog/index.json")
    me.get("/katalog/kart/1880.json")
    theirs = other.get("/katalog/index.json")
    other.put(
        "/katalog/index.json", {"name": "index.json", "poster": [3, 5, 8]}, 200, {"If-Match": theirs.etag}
    )
    body = {"name": "index.json", "poster": [3, 5], "kart": ["1880", "1914"]}
    for number in range(5):
        me.put("/katalog/index.json", body, 412, {"If-Match": seen.etag})
        lab.rest(0.2 * 2**number)
    me.get("/katalog/kart/1914.json")
