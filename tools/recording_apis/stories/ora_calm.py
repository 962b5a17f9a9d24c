"""Traffic in which nothing is wrong, and conflicts that their client has healed."""

from __future__ import annotations

import subprocess
import time

from tools.recording_apis import fronts
from tools.recording_apis.servers import program
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ora_setting as place
from tools.recording_apis.stories.ora_pages import Tab

_TEXT = {"Content-Type": "text/plain"}
_XML = {"Content-Type": "application/xml"}


@case(
    "b583",
    "ora-caretaker-merges-and-goes-on",
    "none",
    "recovered",
    alone="other-writer none",
    also="other-writer",
    description=(
        "A caretaker's app and an office change rooms all day; once the office was faster, the app reads again, puts "
        "its one field into the new state and stores that with the new tag: nothing is lost."
    ),
)
def caretaker(stage: Stage) -> None:
    """Heal a conflict in a long day."""
    docs = {f"/rooms/{n}": {"name": n, "seats": 10, "heat": 20, "note": ""} for n in ("r1", "r2", "r3", "r4")}
    server = place.rooms(stage, docs)
    me = stage.actor(
        "client", fronts.nginx(stage, server), "rooms.schule.test", "requests", place.bearer("hausmeister")
    )
    office = stage.actor("other", server, "rooms.schule.test", "node:fetch", place.bearer("sekretariat"))
    place.day(me, ["/rooms/r1", "/rooms/r3", "/rooms/r4"], 11, seed=5)
    seen = me.get("/rooms/r2")
    office.send(
        "PATCH", "/rooms/r2", 200, {"If-Match": office.get("/rooms/r2").etag}, {"note": "Elternabend"}
    )
    time.sleep(1.1)
    mine = {name: value for name, value in seen.json.items() if name != "_rev"}
    me.put("/rooms/r2", {**mine, "heat": 22}, 412, {"If-Match": seen.etag})
    now = me.get("/rooms/r2")
    mine = {name: value for name, value in now.json.items() if name != "_rev"}
    told = me.put("/rooms/r2", {**mine, "heat": 22}, 200, {"If-Match": now.etag})
    place.require(holds=told.json["note"] == "Elternabend", otherwise="lost")
    place.day(me, ["/rooms/r1", "/rooms/r3"], 6, seed=6)


@case(
    "b584",
    "ora-two-translators-one-glossary",
    "none",
    "recovered",
    alone="other-writer none",
    also="other-writer",
    description=(
        "Two translators add terms to a glossary in a blob; after ConditionNotMet one reads again, adds its line to "
        "the new text and uploads with the new tag. Both lines are there."
    ),
)
def glossary(stage: Stage) -> None:
    """Heal a conflict on a blob."""
    box = place.Blobs(stage, "glossary")
    me, other = box.actor("client", "aiohttp"), box.actor("other", "requests")
    box.put(me, "de-en.md", "Feder: spring\n", 201)
    box.put(me, "de-fr.md", "Feder: ressort\n", 201)
    seen = box.get(me, "de-en.md")
    theirs = box.get(other, "de-en.md")
    box.put(other, "de-en.md", theirs.text + "Welle: shaft\n", 201, **{"If-Match": theirs.etag})
    time.sleep(1.3)
    box.put(me, "de-en.md", seen.text + "Nabe: hub\n", 412, **{"If-Match": seen.etag})
    now = box.get(me, "de-en.md")
    box.put(me, "de-en.md", now.text + "Nabe: hub\n", 201, **{"If-Match": now.etag})
    place.require(holds="shaft" in box.get(me, "de-en.md").text, otherwise="lost")


@case(
    "b630",
    "ora-design-office-with-locks",
    "none",
    "healthy",
    alone="none",
    description=(
        "A day of two designers on Apache's mod_dav: listing, locking, saving under the lock, unlocking, moving a "
        "draft to its place, conditional reads. Nothing is refused."
    ),
)
def office(stage: Stage) -> None:
    """Work with locks."""
    server = place.dav(stage, {f"entwurf/{n}.txt": f"{n}\n" * 6 for n in ("tisch", "stuhl", "lampe")})
    me = stage.actor("client", server, "dav.design.test", "httpx")
    body = '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/>'
    body += "</locktype><owner>d</owner></lockinfo>"
    for who, name in (
        (place.basic("mira"), "tisch"),
        (place.basic("tom"), "lampe"),
        (place.basic("mira"), "stuhl"),
    ):
        path = f"/entwurf/{name}.txt"
        find = (
            '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/><lockdiscovery/></prop></propfind>'
        )
        me.send("PROPFIND", "/entwurf/", 207, {"Depth": "1", **_XML, **who}, find)
        token = me.send("LOCK", path, 200, {**_XML, "Timeout": "Second-300", **who}, body).fields[
            "lock-token"
        ]
        seen = me.get(path, 200, who)
        me.put(path, seen.text + "v2\n", 204, {"If": f"({token})", **_TEXT, **who})
        me.send("UNLOCK", path, 204, {"Lock-Token": token, **who})
        time.sleep(1.3)
        fresh = me.get(path, 200, who).etag
        me.get(path, 304, {"If-None-Match": fresh, **who})
    told = {"Destination": "http://dav.design.test/entwurf/tisch-final.txt", "Overwrite": "F"}
    me.send("MOVE", "/entwurf/tisch.txt", 201, {**told, **place.basic("mira")})
    me.get("/entwurf/tisch-final.txt", 200, place.basic("tom"))


@case(
    "b631",
    "ora-taking-turns-through-gzip",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two registrars behind one gateway take turns on the same records through an nginx that compresses: they "
        "poll with the weak tags (304), and write with tags read uncompressed. All is well."
    ),
)
def turns(stage: Stage) -> None:
    """Use weak tags for reads only."""
    docs = {f"/births/{n}": place.record(nr=n, name="N.", place="Oldenburg " * 12) for n in (1, 2, 3)}
    server = place.house(stage, docs, "waitress", tag="uuid")
    me = stage.actor("client", fronts.nginx_gzip(stage, server), "births.standesamt.test", "node:axios")
    plain = {"Accept-Encoding": "identity"}
    for number, who in enumerate(("albers", "brunke", "albers")):
        own = place.basic(who)
        held = {path: me.get(path, 200, own).etag for path in docs}
        for path, tag in held.items():
            me.get(path, 304, {"If-None-Match": tag, **own})
        seen = me.get("/births/2", 200, {**own, **plain})
        body = {**seen.json, "name": f"N. {number} {who}"}
        me.put("/births/2", body, 200, {"If-Match": seen.etag, **own, **plain})
        time.sleep(0.5)


@case(
    "b632",
    "ora-map-resumed-by-if-range",
    "none",
    "healthy",
    alone="none",
    description=(
        "A hiking app loads an offline map from nginx in parts with If-Range after the line broke twice; every part "
        "is 206 with the same tag, a HEAD at the end agrees."
    ),
)
def resumed(stage: Stage) -> None:
    """Load in parts."""
    server = fronts.site(
        stage, "nginx", {"maps/harz.txt": b"tile 0815 " * 400, "maps/index.json": b'{"n": 1}'}
    )
    me = stage.actor("client", server, "maps.wandern.test", "java")
    me.get("/maps/index.json")
    tag = me.get("/maps/harz.txt", 206, {"Range": "bytes=0-899"}).etag
    for start in (900, 1500, 2600, 3300):
        own = {"Range": f"bytes={start}-{min(start + 1099, 3999)}", "If-Range": tag}
        place.require(holds=me.get("/maps/harz.txt", 206, own).etag == tag, otherwise="another tag")
        time.sleep(0.4)
    me.send("HEAD", "/maps/harz.txt", 200)
    me.get("/maps/harz.txt", 304, {"If-None-Match": tag})


@case(
    "b633",
    "ora-parish-calendar-week",
    "none",
    "healthy",
    alone="none",
    description=(
        "A parish office keeps its calendar in Radicale: new events with If-None-Match: *, changes and deletions with "
        "the tags that the answers named, then a listing. Nothing is refused."
    ),
)
def parish(stage: Stage) -> None:
    """Keep a calendar properly."""
    server = stage.server("radicale")
    me = stage.actor("client", server, "cal.pfarramt.test", "curl:trace-time", place.basic("buero"))
    kind = {"Content-Type": "text/calendar"}
    me.send("MKCALENDAR", "/buero/gottesdienste/", 201)
    held = {}
    for name in ("s1", "s2", "s3", "s4"):
        path = f"/buero/gottesdienste/{name}.ics"
        held[path] = me.put(path, place.event(name, "1000"), 201, {**kind, "If-None-Match": "*"}).etag
    for hour in ("1030", "1100"):
        for path in list(held)[:3]:
            name = path[-6:-4]
            held[path] = me.put(path, place.event(name, hour), 204, {**kind, "If-Match": held[path]}).etag
        place.require(holds=me.get(path).etag == held[path], otherwise="another tag")
    me.send("DELETE", "/buero/gottesdienste/s4.ics", 200, {"If-Match": held["/buero/gottesdienste/s4.ics"]})
    ask = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    me.send("PROPFIND", "/buero/gottesdienste/", 207, {"Depth": "1", **_XML}, ask)
    me.get("/buero/gottesdienste/s4.ics", 404)


@case(
    "b634",
    "ora-day-at-the-counter-over-http2",
    "none",
    "healthy",
    alone="none",
    description=(
        "A working day of a counter over TLS and HTTP/2: three clerks read, poll and change files of a citizens' "
        "office with the tags they were shown, now and then a file that does not exist. Nothing goes wrong."
    ),
)
def counter(stage: Stage) -> None:
    """Work all day over HTTP/2."""
    docs = {f"/files/{n}": place.record(file=n, state="open", clerk="") for n in range(201, 208)}
    server = place.house(stage, docs, "aiohttp", tag="b64", form="code")
    me = stage.actor("client", fronts.encrypted(stage, server), "files.example.test", "http2")
    place.day(me, list(docs), 28, seed=11, users=("meier", "okoro", "lindt"))


@case(
    "b635",
    "ora-page-that-sees-the-tag",
    "none",
    "healthy",
    alone="none",
    description=(
        "A bakery's page on another origin reads and stores cakes; the tag is exposed, each save carries it, the "
        "preflights are answered, and a poll is 304. Nothing is wrong."
    ),
)
def sees(stage: Stage) -> None:
    """Save from a page with the exposed tag."""
    docs = {f"/cakes/{n}": place.record(name=n, price=31) for n in ("nuss", "mohn")}
    server = place.house(stage, docs, "gunicorn", tag="rev", cors="http://torten.baeckerei.test", expose=1)
    with Tab(stage, server, "http://torten.baeckerei.test", "api.baeckerei.test") as tab:
        tab.call("GET", "/cakes", 200)
        tag = tab.call("GET", "/cakes/mohn", 200)
        for price in (32, 33):
            tag = tab.call("PUT", "/cakes/mohn", 200, tag, {"name": "mohn", "price": price})
        place.require(holds=tab.call("GET", "/cakes/mohn", 200) == tag, otherwise="another tag")
        tab.call("GET", "/cakes/nuss", 200)


@case(
    "b636",
    "ora-lost-answer-looked-after",
    "none",
    "recovered",
    alone="none",
    description=(
        "The answer to a save is lost; the client does not send it again but reads, finds its own entry, and goes on "
        "with the new tag. Nothing is refused and nothing lost."
    ),
)
def looked(stage: Stage) -> None:
    """Read after a lost answer."""
    docs = {f"/rounds/{n}": place.record(round=n, watch="", seen=[]) for n in (1, 2, 3)}
    server = place.house(stage, docs, "cheroot", tag="short")
    me = stage.actor(
        "client",
        server,
        "rounds.wachdienst.test",
        "requests",
        place.bearer("w-8"),
        loses=place.nth("PUT /rounds/2", 1),
    )
    me.get("/rounds")
    place.change(me, "/rounds/1", watch="w-8")
    seen = me.get("/rounds/2")
    mine = {**seen.json, "watch": "w-8", "seen": ["gate 23:10"]}
    me.put("/rounds/2", mine, 0, {"If-Match": seen.etag})
    time.sleep(0.9)
    now = me.get("/rounds/2")
    place.require(holds=now.json == mine, otherwise=now.text)
    me.put("/rounds/2", {**mine, "seen": ["gate 23:10", "dock 23:40"]}, 200, {"If-Match": now.etag})
    place.change(me, "/rounds/3", watch="w-8")


@case(
    "b637",
    "ora-bucket-of-a-choir",
    "none",
    "healthy",
    alone="none",
    description=(
        "A choir's recordings in SeaweedFS: uploads, create-only uploads of new names, guarded replacements with the "
        "tag that the last answer named, lists, a deletion and the 404 after it. All as it should be."
    ),
)
def bucket(stage: Stage) -> None:
    """Use a bucket properly."""
    server = stage.server("seaweedfs")
    me = stage.actor("client", server, "s3.choraufnahmen.test", "urllib", {"User-Agent": "takes/1.2"})
    me.put("/takes", None, 200)
    held: dict[str, str] = {}
    for name in ("kyrie", "gloria", "credo"):
        held[name] = me.put(f"/takes/{name}.txt", f"{name} take 1\n" * 5, 200, {"If-None-Match": "*"}).etag
    me.get("/takes?list-type=2")
    for take in (2, 3):
        for name in ("kyrie", "credo"):
            own = {"If-Match": held[name]}
            held[name] = me.put(f"/takes/{name}.txt", f"{name} take {take}\n" * 5, 200, own).etag
            place.require(holds=me.send("HEAD", f"/takes/{name}.txt", 200).etag == held[name], otherwise=name)
        time.sleep(0.6)
    me.send("DELETE", "/takes/gloria.txt", 204)
    me.get("/takes/gloria.txt", 404)
    me.get("/takes?list-type=2")


@case(
    "b638",
    "ora-dates-kept-byte-for-byte",
    "none",
    "healthy",
    alone="none",
    description=(
        "A printer's order book has weak tags, so its client guards writes by the served Last-Modified, byte for byte, "
        "and reads by the weak tag; two users, several orders, all accepted."
    ),
)
def kept(stage: Stage) -> None:
    """Guard by date where tags are weak."""
    docs = {f"/jobs/{n}": {"paper": "120g", "count": n * 10, "state": "new"} for n in (4, 5)}
    server = place.rooms(stage, docs, weak=1)
    me = stage.actor("client", server, "jobs.druck.test", "node:axios")
    for user, states in (("satz", ("set", "proof")), ("presse", ("print", "done"))):
        own = place.basic(user)
        for path in docs:
            for state in states:
                seen = me.get(path, 200, own)
                me.get(path, 304, {"If-None-Match": seen.etag, **own})
                body = {k: v for k, v in seen.json.items() if k != "_rev"}
                guard = {"If-Unmodified-Since": seen.fields["last-modified"], **own}
                me.put(path, {**body, "state": state}, 200, guard)
                time.sleep(1.1)


@case(
    "b639",
    "ora-wget-keeps-a-copy",
    "none",
    "healthy",
    alone="none",
    description=(
        "wget keeps a copy of three lists on lighttpd by date, four times; one list is replaced by its keeper in "
        "between and comes anew, the others are 304."
    ),
)
def wget(stage: Stage) -> None:
    """Mirror by date."""
    files = {f"listen/{n}.txt": f"{n}\n" * 20 for n in ("preise", "orte", "zeiten")}
    server = fronts.site(stage, "lighttpd", files, age=90000.0)
    port, work = stage.tap("client", server), stage.directory()
    urls = [f"http://127.0.0.1:{port}/{path}" for path in files]
    for number in range(4):
        command = [program("wget"), "-N", "-q", "--no-proxy", "--header=Host: listen.verband.test", *urls]
        subprocess.run(command, cwd=work, check=True, timeout=30)
        if number == 1:
            fronts.put_file(server.directory, "listen/preise.txt", "preise neu\n" * 20, 60.0)
        time.sleep(0.8)
    statuses = place.tap_statuses(stage, "client")
    place.require(holds=statuses.count(200) == 4 and 304 in statuses, otherwise=statuses)
