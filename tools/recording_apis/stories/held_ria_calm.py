"""Traffic in which nothing is wrong, and conflicts that their client heals."""

from __future__ import annotations

import os
import time
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ria_desk import Desk, counted, revision
from tools.recording_apis.apps.ria_ground import Ask, Reply, serve
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.ria_setting import need, rest, together


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
    desk = Desk({f"/platforms/{n}": {"platform": n, "next": "S1 04:31", "delay": 0} for n in (1, 2, 3)}, tag=revision)
    vcl = "sub vcl_backend_response { set beresp.ttl = 0.2s; set beresp.grace = 0s; }"
    front = fronts.varnish(stage, serve(stage, desk, "tornado"), vcl)
    me = stage.actor("client", front, "abfahrt.bahnhof.test", "aiohttp", {"User-Agent": "Board/5"})
    known: dict[int, str] = {}
    for turn in range(7):
        for number in (1, 2, 3):
            guard = {"If-None-Match": known[number]} if number in known else {}
            got = me.send("GET", f"/platforms/{number}", (200, 304), guard)
            need(turn == 0 or got.status == (200 if (turn, number) in {(3, 2), (5, 1)} else 304), f"{got.status}")
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
        "the tag of the last answer for the changed, a sync report in between."
    ),
)
def calendar(stage: Stage) -> None:
    """Sync a calendar."""
    server = stage.server("radicale")
    me = stage.actor("client", server, "cal.feuerwehr.test", "requests", {"Authorization": "Basic d2FjaGU6dw=="})
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
    me.get("/beds")
    seen = me.get("/beds/r2")
    theirs = other.get("/beds/r2")
    other.put("/beds/r2", {**theirs.json, "trees": ["Acer 14", "Tilia 3"], "by": "sven"}, 200, {"If-Match": theirs.etag})
    rest(0.7)
    me.put("/beds/r2", {**seen.json, "note": "Giessring", "by": "ulla"}, 412, {"If-Match": seen.etag})
    now = me.get("/beds/r2")
    me.put("/beds/r2", {**now.json, "note": "Giessring", "by": "ulla"}, 200, {"If-Match": now.etag})
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
    row: dict[str, Any] = {"id": "LP-88", "version": 31, "connector": "CCS 150", "tariff": 0.49, "changedBy": "ops"}

    def handle(ask: Ask) -> Reply:
        if ask.method == "GET":
            return Reply(200, row if ask.path.endswith("88") else {"posts": ["LP-88"]})
        sent = ask.json
        if sent["version"] != row["version"]:
            kind = {"Content-Type": "application/problem+json"}
            return Reply(409, {"type": "urn:evse:version", "title": "Version mismatch", "currentVersion": row["version"]}, kind)
        row.update(sent, version=row["version"] + 1)
        return Reply(200, row)

    server = serve(stage, handle, "uvicorn")
    me = stage.actor("client", server, "api.ladenetz.test", "java", {"Authorization": "Bearer tariff-svc"})
    other = stage.actor("other", server, "api.ladenetz.test", "requests", {"Authorization": "Bearer field-svc"})
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
    lines = [f"{n}\n00:{n // 60:02d}:{n % 60:02d},000 --> 00:{n // 60:02d}:{n % 60:02d},900\nZeile {n}\n\n" for n in range(90)]
    server = fronts.site(stage, "nginx", {"v/7/de.txt": "".join(lines), "v/7/fr.txt": "".join(lines).replace("Zeile", "Ligne")})
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
    desk = Desk({f"/records/{n}": {"no": n, "state": "new", "stamp": 0} for n in range(70, 78)}, tag=counted, first=1)
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

    together(lambda: work(me, (70, 72, 74, 76)), lambda: work(other, (71, 73, 75)), apart=0.05)
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
    server = fronts.site(stage, "apache2", {"cues/show.txt": "01 intro\n", "cues/b.txt": "-\n"}, fronts.DAV["apache2"])
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


@case(
    "b888",
    "ria-odata-weak-tags-are-good",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "An OData service hands out weak tags and compares them weakly, as its standard says; every PATCH with the "
        "@odata.etag of the last answer is accepted."
    ),
)
def odata(stage: Stage) -> None:
    """Use weak tags where they are good."""
    rows: dict[str, Any] = {str(n): {"AccountId": str(n), "Name": f"Kunde {n}", "Credit": 1000} for n in (1, 2, 3)}
    stamp = dict.fromkeys(rows, 88_100)

    def shown(name: str) -> dict[str, Any]:
        return {"@odata.etag": f'W/"{stamp[name]}"', **rows[name]}

    def handle(ask: Ask) -> Reply:
        name = ask.path.rpartition("(")[2].rstrip(")")
        fields = {"OData-Version": "4.0", "Content-Type": "application/json; odata.metadata=minimal"}
        if ask.method == "GET":
            return Reply(200, shown(name) if name in rows else {"value": [shown(one) for one in rows]}, fields)
        if ask.fields.get("if-match") not in {"*", f'W/"{stamp[name]}"'}:
            return Reply(412, {"error": {"code": "0x80060882", "message": "The version of the record differs"}}, fields)
        rows[name] |= ask.json
        stamp[name] = max(stamp.values()) + 7
        return Reply(200, shown(name), {**fields, "ETag": f'W/"{stamp[name]}"'})

    server = serve(stage, handle, "flask", "Microsoft-IIS/10.0")
    me = stage.actor("client", server, "org.crm.test", "aiohttp", {"Authorization": "Bearer crm", "Prefer": "return=representation"})
    base = "/api/data/v9.2/accounts"
    me.get(base)
    for name in rows:
        tag = me.get(f"{base}({name})").json["@odata.etag"]
        for credit in (1500, 1800):
            tag = me.send("PATCH", f"{base}({name})", 200, {"If-Match": tag}, {"Credit": credit}).etag
    me.get(base)


@case(
    "b889",
    "ria-address-is-taken",
    "none",
    "healthy",
    alone="none",
    description=(
        "A sign-up page meets what sign-up pages meet: 422 for a short password, 409 since the e-mail address has an "
        "account already, 404 for a voucher, then 201. No condition and no version is in play."
    ),
)
def signup(stage: Stage) -> None:
    """Be told that an address is taken."""
    taken = {"ina@mail.test"}

    def handle(ask: Ask) -> Reply:
        if ask.method == "GET":
            found = not ask.path.startswith("/vouchers")
            return Reply(200, {"plans": ["S", "M"]}) if found else Reply(404, {"fehler": "Gutschein unbekannt"})
        sent = ask.json
        if len(sent["password"]) < 8:
            return Reply(422, {"fehler": {"password": ["zu kurz (mindestens 8 Zeichen)"]}})
        if sent["email"] in taken:
            return Reply(409, {"fehler": {"email": ["Diese Adresse hat bereits ein Konto."]}})
        taken.add(sent["email"])
        return Reply(201, {"id": 4410, "email": sent["email"]}, {"Location": "/accounts/4410"})

    front = fronts.nginx(stage, serve(stage, handle, "tornado"))
    me = stage.actor("client", front, "konto.radio.test", "node:axios", {"Origin": "http://konto.radio.test"})
    me.get("/plans")
    me.send("POST", "/accounts", 422, None, {"email": "ina@mail.test", "password": "kurz", "plan": "S"})
    me.send("POST", "/accounts", 409, None, {"email": "ina@mail.test", "password": "langgenug", "plan": "S"})
    me.get("/vouchers/XMAS", 404)
    me.send("POST", "/accounts", 201, None, {"email": "ina.k@mail.test", "password": "langgenug", "plan": "M"})
    me.get("/plans")


@case(
    "b890",
    "ria-compressed-pages-only-read",
    "none",
    "healthy",
    alone="none",
    description=(
        "A reader browses a club's site on Caddy with compressed answers: tags end in -gzip, revalidations are "
        "304, HEAD and GET agree in what they say, and nobody writes."
    ),
)
def browse(stage: Stage) -> None:
    """Read compressed pages and validate them again."""
    text = "<!doctype html><title>{0}</title><h1>{0}</h1>" + "<p>Training ist am Dienstag.</p>" * 6
    files = {f"{name}.html": text.format(name) for name in ("index", "termine", "vorstand")}
    server = fronts.site(stage, "caddy", files, " encode gzip")
    me = stage.actor("client", server, "www.ruderclub.test", "requests", {"User-Agent": "Mozilla/5.0 (X11; Linux)"})
    tags = {name: me.get(f"/{name}").etag for name in files}
    need(all("-gzip" in tag for tag in tags.values()), "no suffix")
    for _ in range(3):
        for name, tag in tags.items():
            me.get(f"/{name}", 304, {"If-None-Match": tag})
        rest(0.2)
    me.get("/404.html", 404)


@case(
    "b891",
    "ria-two-nodes-one-release",
    "none",
    "healthy",
    alone="none",
    description=(
        "HAProxy takes turns between two nginx nodes that hold the same files with the same times: one tag. Then a "
        "release reaches both, the tag changes once, with the content; polls are 304 before and after."
    ),
)
def release(stage: Stage) -> None:
    """Poll over a release on two nodes."""
    nodes = [fronts.site(stage, "nginx", {"app/config.json": '{"release":"2026.47","flags":["a"]}'}) for _ in range(2)]
    moment = int(time.time()) - 40_000

    def date(offset: int) -> None:
        for node in nodes:
            os.utime(node.directory / "app" / "config.json", (moment + offset, moment + offset))

    date(0)
    front = fronts.haproxy(stage, nodes)
    me = stage.actor("client", front, "app.bank.test", "httpx", {"User-Agent": "Bank/9.1 (Android 16)"})
    tag = me.get("/app/config.json").etag
    for _ in range(5):
        me.get("/app/config.json", 304, {"If-None-Match": tag})
    for node in nodes:
        fronts.put_file(node.directory, "app/config.json", '{"release":"2026.48","flags":["a","b"]}')
    date(39_000)
    new = me.get("/app/config.json", 200, {"If-None-Match": tag}).etag
    need(new != tag, "one tag")
    for _ in range(5):
        me.get("/app/config.json", 304, {"If-None-Match": new})


@case(
    "b892",
    "ria-graphql-conflict-healed",
    "none",
    "recovered",
    alone="other-writer none",
    also="other-writer",
    description=(
        "A playlist in GraphQL: moveTrack with revision 15 is answered with a conflict and the new revision; the "
        "player fetches the list, finds a friend's track in it, moves its own in that and succeeds."
    ),
)
def playlist(stage: Stage) -> None:
    """Heal a conflict in GraphQL."""
    state: dict[str, Any] = {"revision": 15, "tracks": ["Alba", "Brise", "Cala"], "lastBy": "noor"}

    def handle(ask: Ask) -> Reply:
        sent = ask.json
        given = sent.get("variables", {})
        if "mutation" in sent["query"]:
            if given["revision"] != state["revision"]:
                extensions = {"code": "STALE_REVISION", "revision": state["revision"]}
                error = {"message": "The playlist has a newer revision", "extensions": extensions}
                return Reply(200, {"data": None, "errors": [error]})
            state.update(revision=state["revision"] + 1, tracks=given["tracks"], lastBy=ask.fields["x-user"])
        return Reply(200, {"data": {"playlist": {"id": "p1", **state}}})

    server = serve(stage, handle, "aiohttp")
    me = stage.actor("client", server, "gql.musik.test", "urllib", {"X-User": "noor"})
    other = stage.actor("other", server, "gql.musik.test", "requests", {"X-User": "finn"})
    read = {"query": "{ playlist(id: \"p1\") { id revision tracks lastBy } }"}
    change = "mutation($revision: Int!, $tracks: [String!]!) { setTracks(revision: $revision, tracks: $tracks) { revision } }"

    def write(actor: Any, revision: int, tracks: list[str]) -> Any:
        body = {"query": change, "variables": {"revision": revision, "tracks": tracks}}
        return actor.send("POST", "/graphql", 200, None, body).json

    seen = me.send("POST", "/graphql", 200, None, read).json["data"]["playlist"]
    write(other, 15, [*seen["tracks"], "Duna"])
    rest(0.6)
    need("errors" in write(me, seen["revision"], ["Cala", "Alba", "Brise"]), "no conflict")
    now = me.send("POST", "/graphql", 200, None, read).json["data"]["playlist"]
    write(me, now["revision"], ["Cala", "Alba", "Brise", *now["tracks"][3:]])
    need(me.send("POST", "/graphql", 200, None, read).json["data"]["playlist"]["tracks"][-1] == "Duna", "lost")


@case(
    "b893",
    "ria-etcd-counter-by-one-hand",
    "none",
    "healthy",
    alone="none",
    description=(
        "A ticket printer counts numbers in etcd by compare-and-swap on prevIndex, reads its settings in between and "
        "finds one of them missing (404, as on every start). All swaps succeed."
    ),
)
def printer(stage: Stage) -> None:
    """Count by compare-and-swap."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.kiosk.test", "curl", {"User-Agent": "printer/2"})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    index = me.put("/v2/keys/kiosk/next?prevExist=false", "value=100", 201, form).json["node"]["modifiedIndex"]
    me.get("/v2/keys/kiosk/header", 404)
    for number in range(101, 109):
        got = me.put(f"/v2/keys/kiosk/next?prevIndex={index}", f"value={number}", 200, form)
        index = got.json["node"]["modifiedIndex"]
        if number % 3 == 0:
            me.get("/v2/keys/kiosk/next")
    me.get("/v2/keys/kiosk/header", 404)


@case(
    "b894",
    "ria-long-night-of-a-price-job",
    "none",
    "healthy",
    alone="none",
    description=(
        "A job walks eleven articles of a wholesaler: busy at first (503 with Retry-After), then read, revalidate, "
        "write with the tag, one article gone (404), one moved (308). More than forty exchanges, nothing wrong."
    ),
)
def night(stage: Stage) -> None:
    """Do a long job well."""
    busy = [2]

    class Shop(Desk):
        """Be busy at first, and have moved one article."""

        def __call__(self, ask: Ask) -> Reply:
            if busy[0]:
                busy[0] -= 1
                return Reply(503, "busy\n", {"Retry-After": "1"})
            if ask.path == "/articles/8-old":
                return Reply(308, b"", {"Location": "/articles/8"})
            return super().__call__(ask)

    desk = Shop({f"/articles/{n}": {"no": n, "net": 10 + n / 2, "vat": 19} for n in range(1, 12)}, dated=True)
    front = fronts.apache(stage, serve(stage, desk, "cheroot"))
    me = stage.actor("client", front, "artikel.grosso.test", "requests", {"Authorization": "Bearer night"})
    me.get("/articles", 503)
    me.get("/articles", 503)
    for item in me.get("/articles").json["items"]:
        path = f"/articles/{item['id']}"
        seen = me.get(path)
        me.get(path, 304, {"If-None-Match": seen.etag})
        got = me.put(path, {**seen.json, "net": round(seen.json["net"] * 1.03, 2)}, 200, {"If-Match": seen.etag})
        need(got.etag != seen.etag, "one tag")
        me.get(path)
    me.get("/articles/99", 404)
    me.get("/articles/8-old", 308)
