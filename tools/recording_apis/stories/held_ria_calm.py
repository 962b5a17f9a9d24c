"""Traffic in which nothing is wrong, and conflicts that their client heals."""

from __future__ import annotations

from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ria_desk import Desk, counted, revision
from tools.recording_apis.apps.ria_ground import Ask, Reply, serve
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.ria_setting import arrive, linger, need, rest, together


@case(
    "b880",
    "ria-departure-board-polls",
    "none",
    "healthy",
    alone="none",
    description=(
        "A departure board polls three platforms with If-None-Match through Varnish; mostly 304, and 200 with a new "
        "tag where the operations desk has really changed something."
    ),
)
def board(stage: Stage) -> None:
    """Poll, and now and then get something new."""
    desk = Desk(
        {f"/platforms/{n}": {"platform": n, "next": "S1 04:31", "delay": 0} for n in (1, 2, 3)}, tag=revision
    )
    vcl = "sub vcl_backend_response { set beresp.ttl = 0.2s; set beresp.grace = 0s; }"
    front = fronts.varnish(stage, serve(stage, desk, "tornado"), vcl)
    me = stage.actor("client", front, "abfahrt.bahnhof.test", "aiohttp", {"User-Agent": "Board/5"})
    known: dict[int, str] = {}
    for turn in range(7):
        for number in (1, 2, 3):
            guard = {"If-None-Match": known[number]} if number in known else {}
            got = me.send("GET", f"/platforms/{number}", (200, 304), guard)
            need(
                turn == 0 or got.status == (200 if (turn, number) in {(3, 2), (5, 1)} else 304),
                f"{got.status}",
            )
            known[number] = got.etag
        if turn in {2, 4}:
            number = 2 if turn == 2 else 1
            desk.store(f"/platforms/{number}", {"platform": number, "next": "S1 04:31", "delay": turn})
        rest(0.35)


_ICS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Dienst//DE\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261127T040000Z\r\n"
    "DTSTART:20261130T{hour}0000Z\r\nSUMMARY:{name}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@case(
    "b881",
    "ria-duty-calendar-syncs",
    "none",
    "healthy",
    alone="none",
    description=(
        "A phone creates, changes and deletes events on Radicale as a client ought: If-None-Match: * for the new, "
        "the tag of the last answer for the changed, a listing before and after."
    ),
)
def calendar(stage: Stage) -> None:
    """Sync a calendar."""
    server = stage.server("radicale")
    me = stage.actor(
        "client", server, "cal.feuerwehr.test", "requests", {"Authorization": "Basic d2FjaGU6dw=="}
    )
    kind = {"Content-Type": "text/calendar; charset=utf-8"}
    me.send("MKCALENDAR", "/wache/dienst/", 201)
    tags = {}
    for number, name in enumerate(("Frühdienst", "Spätdienst", "Nachtdienst")):
        path = f"/wache/dienst/d{number}.ics"
        new = _ICS.format(uid=f"d{number}", hour=f"{6 + number * 8:02d}", name=name)
        tags[path] = me.put(path, new, 201, {**kind, "If-None-Match": "*"}).etag
    me.send("PROPFIND", "/wache/dienst/", 207, {"Depth": "1"})
    for number, path in enumerate(tags):
        new = _ICS.format(uid=f"d{number}", hour=f"{7 + number * 8:02d}", name="Dienst, verschoben")
        tags[path] = me.put(path, new, 204, {**kind, "If-Match": tags[path]}).etag
        me.get(path, 304, {"If-None-Match": tags[path]}) if number == 5 else me.get(path)
    me.send("DELETE", "/wache/dienst/d2.ics", 200, {"If-Match": tags["/wache/dienst/d2.ics"]})
    me.send("PROPFIND", "/wache/dienst/", 207, {"Depth": "1"})


@case(
    "b882",
    "ria-two-gardeners-and-one-merge",
    "none",
    "recovered",
    alone="other-writer none",
    also="other-writer",
    description=(
        "A park's inventory: the client's save meets 412 since a colleague added a tree; it reads again, puts its "
        "note into the new state and saves with the new tag. Both changes stand."
    ),
)
def gardeners(stage: Stage) -> None:
    """Heal a conflict."""
    bed = {"bed": "Rondell 2", "trees": ["Acer 14"], "note": "", "by": "init"}
    front = fronts.caddy(stage, serve(stage, Desk({"/beds/r2": bed, "/beds/r3": bed}), "cheroot"))
    me = stage.actor("client", front, "kataster.park.test", "node:axios", {"X-Gardener": "ulla"})
    other = stage.actor("other", front, "kataster.park.test", "httpx", {"X-Gardener": "sven"})
    arrive(me)
    me.get("/beds")
    seen = me.get("/beds/r2")
    theirs = other.get("/beds/r2")
    other.put(
        "/beds/r2",
        {**theirs.json, "trees": ["Acer 14", "Tilia 3"], "by": "sven"},
        200,
        {"If-Match": theirs.etag},
    )
    rest(0.7)
    me.put("/beds/r2", {**seen.json, "note": "Giessring", "by": "ulla"}, 412, {"If-Match": seen.etag})
    now = me.get("/beds/r2")
    me.put("/beds/r2", {**now.json, "note": "Giessring", "by": "ulla"}, 200, {"If-Match": now.etag})
    linger(me)
    need(me.get("/beds/r2").json["trees"] == ["Acer 14", "Tilia 3"], "a change was lost")


@case(
    "b883",
    "ria-charging-post-version-healed",
    "none",
    "recovered",
    alone="other-writer none",
    also="other-writer",
    description=(
        "A charging network's app sends version 31 of a post in its body, is answered 409 with currentVersion 32 "
        "(the field service changed the connector), reads, rebases its tariff on that and is answered 200."
    ),
)
def post(stage: Stage) -> None:
    """Heal a conflict of versions in bodies."""
    row: dict[str, Any] = {
        "id": "LP-88",
        "version": 31,
        "connector": "CCS 150",
        "tariff": 0.49,
        "changedBy": "ops",
    }

    def handle(ask: Ask) -> Reply:
        if ask.method == "GET":
            return Reply(200, row if ask.path.endswith("88") else {"posts": ["LP-88"]})
        sent = ask.json
        if sent["version"] != row["version"]:
            kind = {"Content-Type": "application/problem+json"}
            return Reply(
                409,
                {"type": "urn:evse:version", "title": "Version mismatch", "currentVersion": row["version"]},
                kind,
            )
        row.update(sent, version=row["version"] + 1)
        return Reply(200, row)

    server = serve(stage, handle, "uvicorn")
    me = stage.actor("client", server, "api.ladenetz.test", "java", {"Authorization": "Bearer tariff-svc"})
    other = stage.actor(
        "other", server, "api.ladenetz.test", "requests", {"Authorization": "Bearer field-svc"}
    )
    me.get("/posts")
    seen = me.get("/posts/LP-88").json
    theirs = other.get("/posts/LP-88").json
    other.put("/posts/LP-88", {**theirs, "connector": "CCS 300", "changedBy": "field"}, 200)
    rest(0.5)
    me.put("/posts/LP-88", {**seen, "tariff": 0.44, "changedBy": "tariff"}, 409)
    now = me.get("/posts/LP-88").json
    me.put("/posts/LP-88", {**now, "tariff": 0.44, "changedBy": "tariff"}, 200)
    need(row["connector"] == "CCS 300", "a change was lost")


@case(
    "b884",
    "ria-delete-and-create-with-guards",
    "none",
    "healthy",
    alone="none",
    description=(
        "A configuration tool reconciles a site's redirects on Apache's DAV: looks (404), creates with "
        "If-None-Match: *, replaces and deletes with the served tags, looks again (404). All as it should be."
    ),
)
def reconcile(stage: Stage) -> None:
    """Bring files to a wanted state."""
    files = {"rules/old.conf": "Redirect /a /b\n", "rules/keep.conf": "Redirect /c /d\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "dav.cfg.test", "curl", {"User-Agent": "reconcile/0.3"})
    me.send("PROPFIND", "/rules/", 207, {"Depth": "1"})
    me.get("/rules/new.conf", 404)
    me.put("/rules/new.conf", "Redirect /e /f\n", 201, {"If-None-Match": "*"})
    tag = me.get("/rules/keep.conf").etag
    me.get("/rules/keep.conf", 304, {"If-None-Match": tag})
    me.put("/rules/keep.conf", "Redirect 301 /c /d\n", 204, {"If-Match": tag})
    me.send("DELETE", "/rules/old.conf", 204, {"If-Match": me.get("/rules/old.conf").etag})
    me.get("/rules/old.conf", 404)
    me.send("PROPFIND", "/rules/", 207, {"Depth": "1"})


@case(
    "b885",
    "ria-film-resumes-where-it-stopped",
    "none",
    "healthy",
    alone="none",
    description=(
        "A player fetches a subtitle track from nginx in ranges with If-Range and the tag of the first answer: 206 "
        "each time, one tag, one length; a second track likewise, and a revalidation with 304 at the end."
    ),
)
def film(stage: Stage) -> None:
    """Read in ranges what does not change."""
    lines = [
        f"{n}\n00:{n // 60:02d}:{n % 60:02d},000 --> 00:{n // 60:02d}:{n % 60:02d},900\nZeile {n}\n\n"
        for n in range(90)
    ]
    server = fronts.site(
        stage, "nginx", {"v/7/de.txt": "".join(lines), "v/7/fr.txt": "".join(lines).replace("Zeile", "Ligne")}
    )
    me = stage.actor("client", server, "cdn.kino.test", "node:fetch", {"User-Agent": "Player/11"})
    for name in ("de", "fr"):
        tag = me.get(f"/v/7/{name}.txt", 206, {"Range": "bytes=0-999"}).etag
        for start in (1000, 2000, 3000):
            part = me.get(f"/v/7/{name}.txt", 206, {"Range": f"bytes={start}-{start + 999}", "If-Range": tag})
            need(part.etag == tag, "another tag")
            rest(0.1)
        me.get(f"/v/7/{name}.txt", 304, {"If-None-Match": tag})


@case(
    "b886",
    "ria-two-clerks-at-two-counters",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two clerks of a registry office work side by side on different records of one list, each write with its "
        "tag, at the same moments; the list grows and changes under both. Nothing is refused, nothing lost."
    ),
)
def counters(stage: Stage) -> None:
    """Work side by side."""
    desk = Desk(
        {f"/records/{n}": {"no": n, "state": "new", "stamp": 0} for n in range(70, 78)}, tag=counted, first=1
    )
    front = fronts.lighttpd(stage, serve(stage, desk, "waitress"))
    me = stage.actor("client", front, "urkunden.amt.test", "requests", {"X-Clerk": "berg"})
    other = stage.actor("other", front, "urkunden.amt.test", "httpx", {"X-Clerk": "tal"})

    def work(actor: Any, numbers: tuple[int, ...]) -> None:
        for number in numbers:
            seen = actor.get(f"/records/{number}")
            for stamp in (1, 2):
                new = {**seen.json, "state": "checked", "stamp": stamp}
                seen = actor.put(f"/records/{number}", new, 200, {"If-Match": seen.etag})
                rest(0.1)
            actor.get("/records")

    together(lambda: work(me, (70, 72, 74)), lambda: work(other, (71, 73)), apart=0.05)
    me.put("/records/78", {"no": 78, "state": "new", "stamp": 0}, 201, {"If-None-Match": "*"})


_LOCK = (
    '<?xml version="1.0" encoding="utf-8"?><d:lockinfo xmlns:d="DAV:"><d:lockscope><d:exclusive/></d:lockscope>'
    "<d:locktype><d:write/></d:locktype><d:owner>Studio 3</d:owner></d:lockinfo>"
)


@case(
    "b887",
    "ria-studio-locks-and-unlocks",
    "none",
    "healthy",
    alone="none",
    description=(
        "A studio's editor locks a cue sheet on Apache's DAV, saves it three times with the lock token in If, "
        "refreshes the lock, unlocks it and saves once more with the tag."
    ),
)
def studio(stage: Stage) -> None:
    """Hold a lock as one ought."""
    server = fronts.site(
        stage, "apache2", {"cues/show.txt": "01 intro\n", "cues/b.txt": "-\n"}, fronts.DAV["apache2"]
    )
    me = stage.actor("client", server, "dav.studio.test", "httpx", {"User-Agent": "CueSheet/6"})
    me.get("/cues/show.txt")
    xml = {"Content-Type": "application/xml", "Timeout": "Second-300"}
    token = me.send("LOCK", "/cues/show.txt", 200, xml, _LOCK).fields["lock-token"]
    for number in range(3):
        me.put("/cues/show.txt", f"01 intro\n02 take {number}\n", 204, {"If": f"({token})"})
        me.get("/cues/b.txt")
        rest(0.2)
    me.send("LOCK", "/cues/show.txt", 200, {"If": f"({token})", "Timeout": "Second-300"})
    me.send("UNLOCK", "/cues/show.txt", 204, {"Lock-Token": token})
    rest(2.1)
    tag = me.get("/cues/show.txt").etag
    me.put("/cues/show.txt", "01 intro\n02 take 2\n03 outro\n", 204, {"If-Match": tag})
