"""Healthy days that look a bit like trouble."""

from __future__ import annotations

import re
from email.utils import formatdate
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.lee_core import Desk, Res, counted, hashed
from tools.recording_apis.stage import case
from tools.recording_apis.stories.held_lee_setting import again, desk_on, rest, says, sure

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor
    from tools.recording_apis.stage import Stage


@case(
    "d900",
    "lee-parish-letters-on-dav",
    "none",
    "healthy",
    alone="none",
    description=(
        "Letters on Apache's mod_dav: a writer looks whether a file is there (404), creates it with If-None-Match: *, "
        "waits, reads the settled tag, changes it, locks it, saves under the lock and unlocks; nothing is refused."
    ),
)
def letters(stage: Stage) -> None:
    """Do all in its turn."""
    server = fronts.site(stage, "apache2", {"brieven/2026-01.txt": "Beste leden,\n"}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "brieven.dorpshuis.example", "requests")
    again(me, "/brieven/2026-01.txt", me.get("/brieven/2026-01.txt"))
    me.send("HEAD", "/brieven/2026-12.txt", 404)
    me.put("/brieven/2026-12.txt", "Beste leden,\nde zaal is dicht.\n", 201, {"If-None-Match": "*"})
    rest(2.2)
    seen = me.get("/brieven/2026-12.txt")
    sure(not seen.etag.startswith("W/"))
    me.put("/brieven/2026-12.txt", seen.text + "Groet, Wil\n", 204, {"If-Match": seen.etag})
    lock = '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>wil</D:owner></D:lockinfo>'
    got = me.send(
        "LOCK",
        "/brieven/2026-12.txt",
        200,
        {"Content-Type": "application/xml", "Timeout": "Second-120"},
        lock,
    )
    token = got.fields["lock-token"]
    me.put("/brieven/2026-12.txt", seen.text + "Groet, Wil en Ans\n", 204, {"If": f"({token})"})
    me.send("UNLOCK", "/brieven/2026-12.txt", 204, {"Lock-Token": token})
    rest(2.2)
    last = me.get("/brieven/2026-12.txt")
    sure("Ans" in last.text)
    again(me, "/brieven/2026-12.txt", last, 2)


@case(
    "d887",
    "lee-ski-report-behind-varnish",
    "none",
    "healthy",
    alone="none",
    description=(
        "Snow reports behind a Varnish that keeps reads and drops them at each write: reads with an Age, 304 from the "
        "store, a write with the tag of a stored answer that is still the current one, and the new version right after."
    ),
)
def snow(stage: Stage) -> None:
    """Live well with a cache."""
    docs = {f"/schnee/{n}": {"hang": n, "cm": 85, "lawine": 2} for n in ("nord", "kar", "grat")}
    desk = Desk(docs, counted('"s{}"'), since=61)
    vcl = 'sub vcl_recv { if (req.method == "PUT") { ban("req.url == " + req.url); } }\n'
    vcl += "sub vcl_backend_response { set beresp.ttl = 90s; }"
    server = desk_on(stage, desk, "waitress", "Varnish: ban on PUT")
    me = stage.actor("client", fronts.varnish(stage, server, vcl), "schnee.bergbahn.example", "httpx")
    for place in ("nord", "kar"):
        me.get(f"/schnee/{place}")
    rest(2.1)
    for place, depth in (("nord", 97), ("kar", 102)):
        seen = me.get(f"/schnee/{place}")
        sure(int(seen.fields["age"]) >= 1)
        again(me, f"/schnee/{place}", seen, 2)
        done = me.put(f"/schnee/{place}", {**seen.json, "cm": depth}, 200, {"If-Match": seen.etag})
        now = me.get(f"/schnee/{place}")
        sure(now.etag == done.etag and now.json["cm"] == depth)
    rest(1.1)
    sure(me.get("/schnee/nord").etag != seen.etag)
    me.get("/schnee/grat")
    me.get("/schnee/gipfel", 404)


_TASK = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//lista//PT\r\nBEGIN:VTODO\r\nUID:{uid}\r\nDTSTAMP:20261101T080000Z\r\nSUMMARY:{name}\r\nSTATUS:{state}\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"


def _sync(me: Actor, token: str = "") -> str:
    ask = f'<sync-collection xmlns="DAV:"><sync-token>{token}</sync-token><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>'
    told = me.send("REPORT", "/isabel/casa/", 207, {"Content-Type": "application/xml"}, ask)
    found = re.search(r"<sync-token>(.*?)</sync-token>", told.text)
    if found is None:
        raise ValueError("no sync token in the answer")
    return found.group(1)


@case(
    "d880",
    "lee-task-list-in-step",
    "none",
    "healthy",
    alone="none",
    description=(
        "Tasks on Radicale, of two devices of one person: each asks sync-collection before it saves, a task that the "
        "other has changed is read anew and changed again, one is created with If-None-Match: * and one is removed."
    ),
)
def tasks(stage: Stage) -> None:
    """Keep two devices in step."""
    base = "/isabel/casa"
    server, auth = stage.server("radicale"), {"Authorization": "Basic aXNhYmVsOng="}
    setup = stage.actor("setup", server, "tarefas.familia-reis.example", "requests", auth)
    setup.send("MKCALENDAR", f"{base}/", 201)
    kind = {"Content-Type": "text/calendar; charset=utf-8"}
    for uid, name in (("t1", "Pagar a luz"), ("t2", "Podar a vinha"), ("t3", "Vacina do gato")):
        setup.put(f"{base}/{uid}.ics", _TASK.format(uid=uid, name=name, state="NEEDS-ACTION"), 201, kind)
    stage.forget()
    me = stage.actor(
        "client", server, "tarefas.familia-reis.example", "aiohttp", {**auth, "User-Agent": "Tasks.org/14"}
    )
    other = stage.actor("other", server, "tarefas.familia-reis.example", "java", auth)

    token = _sync(me)
    one, two = me.get(f"{base}/t1.ics"), me.get(f"{base}/t2.ics")
    me.put(
        f"{base}/t1.ics",
        one.text.replace("NEEDS-ACTION", "COMPLETED"),
        204,
        {**kind, "If-Match": one.etag},
    )
    theirs = other.get(f"{base}/t2.ics")
    other.put(
        f"{base}/t2.ics",
        theirs.text.replace("vinha", "vinha velha"),
        204,
        {**kind, "If-Match": theirs.etag},
    )
    rest(1.0)
    token = _sync(me, token)
    new = me.get(f"{base}/t2.ics")
    sure(new.etag != two.etag)
    me.put(
        f"{base}/t2.ics",
        new.text.replace("NEEDS-ACTION", "IN-PROCESS"),
        204,
        {**kind, "If-Match": new.etag},
    )
    me.put(
        f"{base}/t4.ics",
        _TASK.format(uid="t4", name="Azeite", state="NEEDS-ACTION"),
        201,
        {**kind, "If-None-Match": "*"},
    )
    three = me.get(f"{base}/t3.ics")
    me.send("DELETE", f"{base}/t3.ics", (200, 204), {"If-Match": three.etag})
    _sync(me, token)
    sure("IN-PROCESS" in me.get(f"{base}/t2.ics").text)


@case(
    "d883",
    "lee-podcast-resumed",
    "none",
    "healthy",
    alone="none",
    description=(
        "A podcast player loads an episode from nginx in parts with If-Range: the episode is cut anew between two parts, "
        "the answer is the whole new file (200), from which the player goes on alone; another episode resumes with 206."
    ),
)
def podcast(stage: Stage) -> None:
    """Take the whole when the part is of another version."""
    files: dict[str, str | bytes] = {
        "odc/012.ogg": bytes(range(256)) * 20,
        "odc/011.ogg": bytes(range(128)) * 40,
        "odc/kanal.xml": "<rss><item>012</item></rss>",
    }
    server = fronts.site(stage, "nginx", files)
    me = stage.actor("client", server, "audycje.radio-wolin.example", "httpx", {"User-Agent": "Sluchacz/3.1"})
    again(me, "/odc/kanal.xml", me.get("/odc/kanal.xml"))
    first = me.get("/odc/011.ogg", 206, {"Range": "bytes=0-1023"})
    rest(0.4)
    me.get("/odc/011.ogg", 206, {"Range": "bytes=1024-5119", "If-Range": first.etag})
    start = me.get("/odc/012.ogg", 206, {"Range": "bytes=0-1023"})
    new = bytes(reversed(range(256))) * 18
    fronts.put_file(server.directory, "odc/012.ogg", new)
    rest(1.1)
    whole = me.get("/odc/012.ogg", 200, {"Range": "bytes=1024-", "If-Range": start.etag})
    sure(whole.body == new and whole.etag != start.etag)
    me.get("/odc/012.ogg", 304, {"If-None-Match": whole.etag})
    me.get("/odc/012.ogg", 416, {"Range": "bytes=9000-", "If-Range": whole.etag})
    me.get("/odc/kanal.xml")


@case(
    "d903",
    "lee-backups-in-a-bucket",
    "none",
    "healthy",
    alone="none",
    description=(
        "A backup job on moto's S3: it looks for today's object (404), puts it, reads it back with If-Match and its tag, "
        "skips what has not changed by If-None-Match (304), and copies one after a look at its source's tag."
    ),
)
def bucket(stage: Stage) -> None:
    """Keep backups."""
    server = stage.server("moto")
    signed = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261128/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0f"
    setup = stage.actor("setup", server, "s3.zalohy.example", "requests", {"Authorization": signed})
    setup.put("/ucetni", "", 200)
    old = setup.put("/ucetni/2026/11-27.dump", "FAKTURY v27\n" * 12, 200)
    stage.forget()
    me = stage.actor("client", server, "s3.zalohy.example", "requests", {"Authorization": signed})
    me.get("/ucetni?list-type=2&prefix=2026/")
    me.send("HEAD", "/ucetni/2026/11-28.dump", 404)
    done = me.put("/ucetni/2026/11-28.dump", "FAKTURY v28\n" * 12, 200)
    rest(0.4)
    back = me.get("/ucetni/2026/11-28.dump", 200, {"If-Match": done.etag})
    sure(back.etag == done.etag)
    me.get("/ucetni/2026/11-27.dump", 304, {"If-None-Match": old.etag})
    source = {"x-amz-copy-source": "/ucetni/2026/11-28.dump", "x-amz-copy-source-if-match": done.etag}
    me.put("/ucetni/posledni.dump", None, 200, source)
    me.get("/ucetni?list-type=2&prefix=2026/")
    sure(me.send("HEAD", "/ucetni/posledni.dump", 200).etag == done.etag)
    me.send("DELETE", "/ucetni/2026/11-27.dump", 204)
    me.get("/ucetni/2026/11-27.dump", 404)


@case(
    "d891",
    "lee-hives-behind-gzip",
    "none",
    "healthy",
    alone="none",
    description=(
        "Bee-keepers' hive sheets behind an nginx that compresses: weak tags at the client, 304 to them, and changes with "
        "If-Unmodified-Since and the date just read, which pass; a sheet that fails the service's own check is 422."
    ),
)
def hives(stage: Stage) -> None:
    """Write by date where the tags are weakened."""
    docs = {
        f"/ruches/{n}": {
            "ruche": n,
            "hausse": 1,
            "reine": "2025 bleue",
            "notes": "butinage faible, couvain compact, réserves correctes",
        }
        for n in (1, 2, 3)
    }
    desk = Desk(docs, hashed(14, "md5"), dated=True)
    desk.first.append(
        lambda req: (
            Res(422, {"champ": "hausse", "message": "au plus 4 hausses"})
            if req.method == "PUT" and req.json["hausse"] > 4
            else None
        )
    )
    desk.views["/meteo"] = says({"vent": "NO 12", "temp": 7, "le": formatdate(0, usegmt=True)})
    server = desk_on(stage, desk, "flask-cheroot")
    me = stage.actor(
        "client",
        fronts.nginx_gzip(stage, server),
        "ruchers.miel-aubrac.example",
        "node:axios",
        {"Accept-Encoding": "gzip"},
    )
    me.get("/meteo")
    for number, supers in ((1, 2), (2, 6), (2, 3)):
        seen = me.get(f"/ruches/{number}")
        sure(seen.etag.startswith("W/"))
        again(me, f"/ruches/{number}", seen)
        guard = {"If-Unmodified-Since": seen.fields["last-modified"]}
        me.put(f"/ruches/{number}", {**seen.json, "hausse": supers}, 422 if supers > 4 else 200, guard)
        rest(1.1)
    sure(me.get("/ruches/2").json["hausse"] == 3)
    again(me, "/ruches/3", me.get("/ruches/3"), 2)
