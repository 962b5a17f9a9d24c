"""Traffic in which nothing is wrong, and conflicts that their client healed."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.mia_setting import GZIP, JSON, around, desk, doc, dump, sure, together

_TEXT = {"Content-Type": "text/plain"}


@case(
    "b465",
    "mia-orchard-map-merges-and-goes-on",
    "none",
    "recovered",
    alone="other-writer none",
    also="other-writer",
    description=(
        "A save meets a colleague's change (412); the client reads again, keeps his member, lays its own over it and "
        "sends it with the fresh tag: 200, both changes are there."
    ),
)
def merges(stage: Stage) -> None:
    """Heal a conflict."""
    row = {"row": 4, "trees": 22, "pruned": None, "sprayed": None}
    server = desk(stage, "starlette", {"/rows/4": doc(row), "/rows/5": doc({**row, "row": 5})}, tag="uuid")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "map.orchard.test", "aiohttp", {"X-Picker": "iris"})
    other = stage.actor("other", front, "map.orchard.test", "requests", {"X-Picker": "jon"})
    around(me, 3)
    tag = me.get("/rows/4").etag
    other.put("/rows/4", {**row, "sprayed": "12-01"}, 200, {"If-Match": other.get("/rows/4").etag})
    around(me, 2)
    time.sleep(0.9)
    me.put("/rows/4", {**row, "pruned": "12-02"}, 412, {"If-Match": tag})
    now = me.get("/rows/4")
    me.put("/rows/4", {**now.json, "pruned": "12-02"}, 200, {"If-Match": now.etag})
    last = me.get("/rows/4").json
    sure(holds=last["sprayed"] == "12-01" and last["pruned"] == "12-02", otherwise=str(last))


@case(
    "b466",
    "mia-counter-file-third-time-lucky",
    "none",
    "recovered",
    alone="other-writer none",
    also="other-writer",
    description=(
        "lighttpd: a visitor counter at two doors. One door loses twice, reads again each time, adds to what it finds "
        "and gets through at the third attempt; no visitor is lost."
    ),
)
def counter(stage: Stage) -> None:
    """Lose twice and get through."""
    server = fronts.site(stage, "lighttpd", {"count.txt": "118\n"}, fronts.DAV["lighttpd"])
    me = stage.actor("client", server, "doors.zoo.test", "curl", {"X-Door": "south"})
    other = stage.actor("other", server, "doors.zoo.test", "urllib", {"X-Door": "north"})
    for turn in range(3):
        seen = me.get("/count.txt")
        if turn < 2:
            theirs = other.get("/count.txt")
            more = {"If-Match": theirs.etag, **_TEXT}
            other.put("/count.txt", f"{int(theirs.text) + 10}\n", 204, more)
            time.sleep(0.4)
        guard = {"If-Match": seen.etag, **_TEXT}
        me.put("/count.txt", f"{int(seen.text) + 1}\n", 204 if turn == 2 else 412, guard)
    sure(holds=me.get("/count.txt").text == "139\n", otherwise="somebody is lost")


@case(
    "b467",
    "mia-reader-polls-weak-tags",
    "none",
    "healthy",
    alone="none",
    description=(
        "A reader polls three pages through an nginx that compresses and weakens the tags. Weak tags are all that "
        "If-None-Match needs: 304 each time until a page changes, then 200 and 304 again."
    ),
)
def reader(stage: Stage) -> None:
    """Poll with weak tags."""
    docs = {f"/feed/{n}": doc({"n": n, "text": "tide and wind " * 9}) for n in (1, 2, 3)}
    server = desk(stage, "flask", docs, on_read={"Cache-Control": "no-cache"})
    me = stage.actor("client", fronts.nginx_gzip(stage, server), "feed.coast.test", "node", GZIP)
    tags = {path: me.get(path).etag for path in docs}
    sure(holds=all(tag.startswith("W/") for tag in tags.values()), otherwise=str(tags))
    other = stage.actor("other", server, "feed.coast.test", "requests")
    for turn in range(4):
        for path in docs:
            me.get(path, 304, {"If-None-Match": tags[path]})
        if turn == 2:
            seen = other.get("/feed/2")
            other.put("/feed/2", {**seen.json, "text": "storm " * 20}, 200, {"If-Match": seen.etag})
            tags["/feed/2"] = me.get("/feed/2", 200, {"If-None-Match": tags["/feed/2"]}).etag
        time.sleep(0.2)


@case(
    "b468",
    "mia-a-day-at-the-vets",
    "none",
    "healthy",
    alone="none",
    description=(
        "A long session at a vet's: list, four animals, three visits to each with chained tags, some polls (304), a new "
        "animal (201), one deleted at the end. Each tag is the newest the client knew."
    ),
)
def vets(stage: Stage) -> None:
    """Work well for a long while."""
    docs = {f"/animals/{n}": doc({"name": n, "kg": 4.0, "visits": 0}) for n in ("mia", "otto", "pip", "rex")}
    server = desk(stage, "aiohttp", docs, tag="stamp", needs=428, always={"X-Request-Id": "$id"})
    me = stage.actor("client", fronts.nginx(stage, server), "desk.vet.test", "requests", {"Cookie": "sid=41"})
    me.get("/animals/")
    tags = {path: me.get(path).etag for path in docs}
    for visit in range(1, 4):
        for path, tag in tags.items():
            new = {"name": path.rpartition("/")[2], "kg": 4.0 + visit / 10, "visits": visit}
            tags[path] = me.put(path, new, 200, {"If-Match": tag}).etag
            if visit % 2:
                me.get(path, 304, {"If-None-Match": tags[path]})
    made = me.send("POST", "/animals", 201, JSON, dump({"name": "zora", "kg": 3.1, "visits": 0}))
    me.put(made.fields["location"], {"name": "zora", "kg": 3.2, "visits": 1}, 200, {"If-Match": made.etag})
    me.send("DELETE", "/animals/rex", 204, {"If-Match": tags["/animals/rex"]})
    me.get("/animals/")


@case(
    "b469",
    "mia-object-store-backup-run",
    "none",
    "healthy",
    alone="none",
    description=(
        "A backup run on moto's S3: objects created with If-None-Match: *, read back, checked with HEAD and "
        "If-None-Match (304), the list read, the oldest one deleted."
    ),
)
def backup(stage: Stage) -> None:
    """Store, check and tidy up."""
    server = stage.server("moto")
    aws = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261127/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    me = stage.actor("client", server, "s3.backup.test", "httpx", {"Authorization": aws})
    me.put("/vault", None, 200)
    for day in ("mon", "tue", "wed"):
        text = f"{day}: 41 files\n"
        tag = me.put(f"/vault/{day}.txt", text, 200, {"If-None-Match": "*", **_TEXT}).etag
        sure(holds=me.send("HEAD", f"/vault/{day}.txt", 200).etag == tag, otherwise="another tag")
        me.get(f"/vault/{day}.txt", 304, {"If-None-Match": tag})
    me.get("/vault?list-type=2")
    me.send("DELETE", "/vault/mon.txt", 204)
    me.get("/vault/mon.txt", 404)


@case(
    "b411",
    "mia-kinto-catches-up-before-it-writes",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two devices on Kinto. The second's edit is noticed by a poll (200 instead of 304); the first takes it over "
        "into its own record before it writes with the new tag. Nothing refused, nothing lost."
    ),
)
def catches_up(stage: Stage) -> None:
    """Notice a change and keep it."""
    server = stage.server("kinto")
    me = stage.actor("client", server, "kinto.trip.test", "requests", {"User-Agent": "TripList/2 phone"})
    other = stage.actor("other", server, "kinto.trip.test", "node", {"User-Agent": "TripList/2 tablet"})
    me.put("/v1/accounts/noor", {"data": {"password": "amber-field"}}, 201)
    for one in (me, other):
        one.always = {**one.always, "Authorization": "Basic bm9vcjphbWJlci1maWVsZA=="}
    path = "/v1/buckets/default/collections/trips/records/alps"
    me.put(path, {"data": {"boots": True, "maps": 1}}, 201, {"If-None-Match": "*"})
    tag = me.get(path).etag
    me.get(path, 304, {"If-None-Match": tag})
    theirs = other.get(path)
    other.put(path, {"data": {"boots": True, "maps": 2}}, 200, {"If-Match": theirs.etag})
    time.sleep(0.6)
    seen = me.get(path, 200, {"If-None-Match": tag})
    mine = {**seen.json["data"], "rope": "30 m"}
    me.put(
        path, {"data": {k: v for k, v in mine.items() if k != "last_modified"}}, 200, {"If-Match": seen.etag}
    )
    sure(holds=me.get(path).json["data"]["maps"] == 2, otherwise="maps are lost")


@case(
    "b419",
    "mia-editor-goes-past-the-store",
    "none",
    "healthy",
    alone="none",
    description=(
        "A site behind Varnish: readers' pages come from the store (Age), but the editor's reads with a cookie go "
        "past it; he saves twice with current tags."
    ),
)
def editor(stage: Stage) -> None:
    """Read past a store and save."""
    docs = {f"/site/{n}": doc({"page": n, "text": "news " * 6}) for n in ("home", "about", "jobs")}
    server = desk(stage, "stdlib", docs, on_read={"Cache-Control": "public, max-age=90", "Vary": "Cookie"})
    me = stage.actor("client", fronts.varnish(stage, server), "www.union.test", "httpx")
    for path in docs:
        me.get(path)
    for path in docs:
        me.get(path)
    cookie = {"Cookie": "editor=1"}
    for text in ("strike on Monday", "strike is off"):
        tag = me.get("/site/home", 200, cookie).etag
        me.put("/site/home", {"page": "home", "text": text}, 200, {"If-Match": tag, **cookie})
    sure(holds=me.get("/site/home", 200, cookie).json["text"] == "strike is off", otherwise="old")


@case(
    "b424",
    "mia-two-languages-two-tags",
    "none",
    "healthy",
    alone="none",
    description=(
        "A text exists in German and English; each read names its language (Vary: Accept-Language) and has a tag of "
        "its own. Each save names the same language as its read. The tags take turns and nothing is wrong."
    ),
)
def languages(stage: Stage) -> None:
    """Save two languages, each with its own tag."""
    texts = {"en": "Please ring twice", "de": "Bitte zweimal klingeln"}
    docs = {"/signs/door": ("text/plain; charset=utf-8", dump(texts), 70000.0)}
    server = desk(stage, "starlette", docs, languages=True, on_read={"Vary": "Accept-Language"}, put=204)
    me = stage.actor("client", fronts.caddy(stage, server), "signs.house.test", "urllib")
    kind = {"Content-Type": "text/plain; charset=utf-8"}
    for turn in range(3):
        for lang, text in texts.items():
            named = {"Accept-Language": lang}
            tag = me.get("/signs/door", 200, named).etag
            me.get("/signs/door", 304, {"If-None-Match": tag, **named})
            new = f"{text}{'!' * (turn + 1)}"
            me.put("/signs/door", new, 204, {"If-Match": tag, "Content-Language": lang, **named, **kind})


_LOCK = (
    '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype>'
    "<owner>archivist</owner></lockinfo>"
)


@case(
    "b434",
    "mia-lock-write-unlock",
    "none",
    "healthy",
    alone="none",
    description=(
        "WebDAV on Apache as an office program does it: LOCK, GET, two PUTs with the lock's token in If, UNLOCK, and "
        "a PROPFIND before and after. A second file is only read."
    ),
)
def locked(stage: Stage) -> None:
    """Work under one's own lock."""
    files = {"box-7.txt": "letters 1901\n", "box-8.txt": "maps\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "dav.archive.test", "requests", {"User-Agent": "gvfs/1.50.3"})
    me.send("PROPFIND", "/", 207, {"Depth": "1"})
    xml = {"Content-Type": "application/xml", "Timeout": "Second-300"}
    token = me.send("LOCK", "/box-7.txt", 200, xml, _LOCK).fields["lock-token"]
    me.get("/box-7.txt")
    me.get("/box-8.txt")
    for line in ("letters 1901-1904\n", "letters 1901-1904, seals\n"):
        me.put("/box-7.txt", line, 204, {"If": f"({token})", **_TEXT})
        time.sleep(0.7)
    me.send("UNLOCK", "/box-7.txt", 204, {"Lock-Token": token})
    me.send("PROPFIND", "/box-7.txt", 207, {"Depth": "0"})


@case(
    "b395",
    "mia-resumed-download-that-fits",
    "none",
    "healthy",
    alone="none",
    description=(
        "A download from Caddy is resumed after pauses with If-Range of the first part's tag; the file is the same all "
        "along, so each part is 206 with that tag. A poll at the end is 304."
    ),
)
def resumed(stage: Stage) -> None:
    """Resume a download."""
    song = "".join(f"bar {n}: {'do re mi'[n % 6 :]}\n" for n in range(250))
    server = fronts.site(stage, "caddy", {"scores/suite.txt": song, "scores/index.html": "<p>scores</p>"})
    me = stage.actor("client", server, "scores.brass.test", "aiohttp", {"Accept-Encoding": "identity"})
    me.get("/scores/")
    first = me.get("/scores/suite.txt", 206, {"Range": "bytes=0-699"})
    for start in range(700, 2800, 700):
        time.sleep(0.25)
        span = {"Range": f"bytes={start}-{start + 699}", "If-Range": first.etag}
        sure(holds=me.get("/scores/suite.txt", 206, span).etag == first.etag, otherwise="another tag")
    me.get("/scores/suite.txt", 304, {"If-None-Match": first.etag})


@case(
    "b444",
    "mia-two-desks-take-turns",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two desks of a lost-property office work on one list in turns through Envoy, each reading before it writes "
        "and keeping the other's lines; HEAD in between. All writes pass."
    ),
)
def turns(stage: Stage) -> None:
    """Write in turns."""
    server = desk(
        stage, "flask", {"/found/today.txt": doc("umbrella\n", 3000, "text/plain")}, tag="size", put=204
    )
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, "found.rail.test", "urllib", {"X-Desk": "hall"})
    other = stage.actor("other", front, "found.rail.test", "httpx", {"X-Desk": "platform"})
    around(me, 2)
    for mine, theirs in (("glove", "phone"), ("hat", "cello"), ("keys", "scarf")):
        for one, thing in ((me, mine), (other, theirs)):
            seen = one.get("/found/today.txt")
            one.put("/found/today.txt", f"{seen.text}{thing}\n", 204, {"If-Match": seen.etag, **_TEXT})
            time.sleep(0.5)
        me.send("HEAD", "/found/today.txt", 200)
    sure(holds=len(me.get("/found/today.txt").text.split()) == 7, otherwise="a thing is lost")


@case(
    "b436",
    "mia-parallel-saves-of-different-things",
    "none",
    "healthy",
    alone="none",
    description=(
        "A client saves four panels at the same moment; the panels happen to have the same tag (each is at version 3). "
        "The requests overlap, but each goes to a path of its own: all are 200."
    ),
)
def parallel(stage: Stage) -> None:
    """Save several things at once."""
    docs = {f"/panels/{n}": doc({"panel": n, "on": False}, 86402.5) for n in "abcd"}
    server = desk(stage, "aiohttp", docs, tag="rev", before=0.2, dated=False)
    me = stage.actor("client", fronts.traefik(stage, [server]), "panels.hall.test", "requests")
    tags = {path: me.get(path).etag for path in docs}
    sure(holds=len(set(tags.values())) == 1, otherwise=str(tags))

    def save(path: str) -> None:
        me.put(path, {"panel": path[-1], "on": True}, 200, {"If-Match": tags[path]})

    together(*(lambda path=path: save(path) for path in docs))
    for path in docs:
        sure(holds=me.get(path).json["on"], otherwise="not saved")


@case(
    "b438",
    "mia-dates-echoed-as-served",
    "none",
    "healthy",
    alone="none",
    description=(
        "A register without tags: three files are saved with If-Unmodified-Since, each time with the Last-Modified of "
        "the read just before, octet for octet, and polled with If-Modified-Since (304). A second or more lies between."
    ),
)
def dates(stage: Stage) -> None:
    """Guard with dates, well."""
    docs = {f"/register/{n}.txt": doc(f"parcel {n}: meadow\n", None, "text/plain") for n in (14, 15, 16)}
    server = desk(stage, "stdlib", docs, etag=False, shape="plain", put=204)
    me = stage.actor(
        "client", fronts.lighttpd(stage, server), "register.land.test", "java", {"X-Office": "3"}
    )
    for turn in ("meadow, drained", "meadow, drained, fenced"):
        for path in docs:
            date = me.get(path).fields["last-modified"]
            me.get(path, 304, {"If-Modified-Since": date})
            text = f"parcel {path[10:12]}: {turn}\n"
            me.put(path, text, 204, {"If-Unmodified-Since": date, **_TEXT})
        time.sleep(1.4)
    me.get("/register/")


@case(
    "b413",
    "mia-weak-tags-that-the-server-takes",
    "none",
    "healthy",
    alone="none",
    description=(
        "A service gives weak tags only and compares If-Match weakly, as its documentation says: all five saves of an "
        "order with W/ tags go through, each with the tag of the save before."
    ),
)
def weakly(stage: Stage) -> None:
    """Save with weak tags."""
    order = {"order": 5501, "state": "open", "lines": 2}
    server = desk(
        stage, "starlette", {"/orders/5501": doc(order)}, weak=True, weakly=True, tag="stamp", shape="code"
    )
    me = stage.actor("client", fronts.traefik(stage, [server]), "orders.tile.test", "node:axios")
    around(me, 3)
    tag = me.get("/orders/5501").etag
    for lines, state in ((3, "open"), (4, "open"), (4, "packed"), (4, "sent"), (4, "billed")):
        tag = me.put(
            "/orders/5501", {"order": 5501, "state": state, "lines": lines}, 200, {"If-Match": tag}
        ).etag
    me.get("/orders/5501", 304, {"If-None-Match": tag})
