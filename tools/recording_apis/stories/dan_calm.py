"""Ten days on which all went well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.dan_desk import Res, desk, revision, versions
from tools.recording_apis.stage import case
from tools.recording_apis.stories import dan_setting as at
from tools.recording_apis.stories.dan_rules import LOCK
from tools.recording_apis.stories.dan_tokens import calendar, put_event

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d557",
    "dan-fifty-rows-imported",
    "none",
    "healthy",
    alone="none",
    description=(
        "An importer creates 42 products with If-None-Match: *, all new, then corrects six of them with the tags of its creations; the last "
        "answers are chained. All is taken."
    ),
)
def imported(stage: Stage) -> None:
    """Create many, correct some."""
    beside = {"/v1/import-jobs/j-19": {"state": "accepted"}, "/v1/categories": ["tea", "cups"]}
    server = at.node(stage, "fastify", {"/v1/products/seed": {"sku": "seed"}}, beside)
    me = stage.actor("client", server, "api.teestube.example", "node:axios", {"User-Agent": "csv-import/2.8"})
    at.reads(me, "/v1/import-jobs/j-19", "/v1/categories")
    tags = {}
    for n in range(42):
        row = {"sku": f"TEA-{n:03}", "name": f"Tea {n}", "cents": 390 + n * 5}
        tags[n] = me.put(f"/v1/products/TEA-{n:03}", row, 201, {"If-None-Match": "*"}).etag
        at.rest(0.01)
    for n in (3, 9, 17, 3, 22, 40):
        row = {"sku": f"TEA-{n:03}", "name": f"Tea {n}", "cents": 500 + n}
        tags[n] = me.put(f"/v1/products/TEA-{n:03}", row, 200, {"If-Match": tags[n]}).etag
    at.sure(me.get("/v1/products/TEA-003").etag == tags[3])
    me.get("/v1/import-jobs/j-19")
    me.get("/v1/products")


@case(
    "d560",
    "dan-wallboard-behind-varnish",
    "none",
    "healthy",
    alone="none",
    description=(
        "A wallboard polls three queues through Varnish, which keeps answers for a second as the service allows (max-age=1): 304 for what "
        "is the same, a full answer once an agent has closed a ticket. Nobody else writes to what the wallboard reads last."
    ),
)
def wallboard(stage: Stage) -> None:
    """Poll through a cache that is allowed."""
    docs = {f"/queues/{n}": {"queue": n, "open": 4, "oldest": 12} for n in ("billing", "tech", "sales")}
    box = desk(docs, revision, {"/board": {"title": "Support"}}, extra={"Cache-Control": "public, max-age=1"})
    no_grace = "sub vcl_backend_response { set beresp.grace = 0s; }"
    front = fronts.varnish(stage, at.open_box(stage, box, "starlette"), no_grace)
    me = stage.actor("client", front, "board.helpdesk.example", "node:fetch", at.BROWSER)
    other = stage.actor("other", front, "board.helpdesk.example", "requests", {"User-Agent": "agent-app/5"})
    me.get("/board")
    seen = {name: me.get(f"/queues/{name}") for name in ("billing", "tech", "sales")}
    for turn in range(4):
        at.rest(1.2)
        if turn == 2:
            theirs = other.get("/queues/tech")
            other.put("/queues/tech", at.over(theirs, open=3), 200, {"If-Match": theirs.etag})
            at.rest(1.2)
        for name, old in seen.items():
            changed = turn == 2 and name == "tech"
            got = me.get(f"/queues/{name}", 200 if changed else 304, {"If-None-Match": old.etag})
            if changed:
                at.sure(got.json["open"] == 3)
                seen[name] = got
    me.get("/board")


@case(
    "d537",
    "dan-spreadsheet-under-a-lock",
    "none",
    "healthy",
    alone="none",
    description=(
        "An office program locks a spreadsheet on Apache mod_dav, writes it twice with the lock token and the tag, renews the lock and gives "
        "it back; a second file is written with its tag alone. Nothing is refused."
    ),
)
def under_lock(stage: Stage) -> None:
    """Lock, write, renew, unlock."""
    files: dict[str, str | bytes] = {"acc/2026.ods": "PK-sheet-1" * 20, "acc/notes.txt": "open items\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "dav.kontor.example", "requests", {"User-Agent": "LibreOffice 24.8"})
    xml = {"Content-Type": "application/xml"}
    me.send("OPTIONS", "/acc/2026.ods", 200)
    me.send("PROPFIND", "/acc/2026.ods", 207, {"Depth": "0"})
    got = me.send("LOCK", "/acc/2026.ods", 200, {**xml, "Timeout": "Second-180"}, LOCK.format("office-pc-4"))
    token = got.fields["lock-token"]
    for turn in range(2):
        seen = me.get("/acc/2026.ods")
        at.sure(not seen.etag.startswith("W/"), seen.etag)
        fields = {
            "If": f"({token} [{seen.etag}])",
            "Content-Type": "application/vnd.oasis.opendocument.spreadsheet",
        }
        me.put("/acc/2026.ods", f"PK-sheet-{turn + 2}" * 20, 204, fields)
        at.rest(2.1)
        me.send("LOCK", "/acc/2026.ods", 200, {"If": f"({token})", "Timeout": "Second-180"})
    me.send("UNLOCK", "/acc/2026.ods", 204, {"Lock-Token": token})
    note = me.get("/acc/notes.txt")
    me.put("/acc/notes.txt", f"{note.text}paid\n", 204, {"If-Match": note.etag, "Content-Type": "text/plain"})
    me.send("PROPFIND", "/acc/", 207, {"Depth": "1"})


@case(
    "d541",
    "dan-edit-put-onto-the-newer-version",
    "none",
    "healthy",
    alone="none",
    description=(
        "A menu editor polls the record it edits, sees a colleague's change of other fields before it saves, puts its edit onto that version "
        "and saves with the new tag. Both changes are there in the end."
    ),
)
def rebased(stage: Stage) -> None:
    """See a change in time and build on it."""
    docs = {
        f"/menus/{n}": {"day": n, "soup": "leek", "main": "stew", "price": 9} for n in ("mon", "tue", "wed")
    }
    server = at.node(stage, "koa", docs, {"/sites": ["mensa"]})
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "menu.kantine.example", "node:axios", {**at.BROWSER, "X-User": "rosa"})
    other = stage.actor("other", front, "menu.kantine.example", "httpx", {"X-User": "till"})
    at.reads(me, "/sites", "/menus")
    base = at.watch(me, "/menus/tue", 3, 0.3)
    theirs = other.get("/menus/tue")
    other.put("/menus/tue", at.over(theirs, price=10), 200, {"If-Match": theirs.etag})
    at.rest(0.4)
    newer = me.get("/menus/tue", 200, {"If-None-Match": base.etag})
    told = me.put("/menus/tue", at.over(newer, soup="pumpkin"), 200, {"If-Match": newer.etag})
    me.get("/menus/tue", 304, {"If-None-Match": told.etag})
    at.rest(0.5)
    now = other.get("/menus/tue")
    at.sure((now.json["price"], now.json["soup"]) == (10, "pumpkin"))
    told = me.put("/menus/tue", at.over(now, main="curry"), 200, {"If-Match": told.etag})
    at.reads(me, "/menus/mon", "/menus/wed")


@case(
    "d529",
    "dan-state-blob-under-a-lease",
    "none",
    "healthy",
    alone="none",
    description=(
        "A provisioning run takes a lease on its state blob (Azurite), writes it three times with the lease id and the tag, renews and "
        "releases the lease, and reads the result conditionally."
    ),
)
def under_lease(stage: Stage) -> None:
    """Write under one's own lease."""
    server, token = stage.server("azurite"), at.signature()
    fields = {"x-ms-version": "2021-12-02", "User-Agent": "tfstate-azure/1.9"}
    me = stage.actor("client", server, "state.blob.test", "httpx", fields)
    me.send("PUT", f"/notes/tfstate?restype=container&{token}", 201)
    path, kind = f"/notes/tfstate/prod.json?{token}", {"x-ms-blob-type": "BlockBlob"}
    me.put(path, {"serial": 1, "resources": []}, 201, {**kind, "If-None-Match": "*"})
    lease = f"/notes/tfstate/prod.json?comp=lease&{token}"
    got = me.send("PUT", lease, 201, {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "30"}, b"")
    own = {"x-ms-lease-id": got.fields["x-ms-lease-id"]}
    for serial in (2, 3, 4):
        seen = me.get(path, 200, own)
        body = {"serial": serial, "resources": [f"vm{n}" for n in range(serial)]}
        me.put(path, body, 201, {**kind, **own, "If-Match": seen.etag})
        at.rest(0.2)
    me.send("PUT", lease, 200, {**own, "x-ms-lease-action": "renew"}, b"")
    me.send("PUT", lease, 200, {**own, "x-ms-lease-action": "release"}, b"")
    last = me.get(path)
    me.get(path, 304, {"If-None-Match": last.etag})
    at.sure(last.json["serial"] == 4)


@case(
    "d535",
    "dan-two-calendars-kept-alike",
    "none",
    "healthy",
    alone="none",
    description=(
        "A bridge mirrors one Radicale calendar into another: creations with If-None-Match: *, changes with the tag of the last answer, "
        "removals with a tag, listings by PROPFIND. Each condition holds."
    ),
)
def mirrored(stage: Stage) -> None:
    """Mirror events with proper conditions."""
    server = stage.server("radicale")
    fields = {"Authorization": "Basic YnJpZGdlOng=", "User-Agent": "calbridge/0.12"}
    me = stage.actor("client", server, "dav.bridge.example", "aiohttp", fields)
    for name in ("work", "copy"):
        calendar(me, f"/bridge/{name}/")
    new, tags = {"If-None-Match": "*"}, {}
    for n in range(5):
        put_event(me, f"/bridge/work/m{n}.ics", f"Meeting {n}", 201, new)
        me.get(f"/bridge/work/m{n}.ics")
        tags[n] = put_event(me, f"/bridge/copy/m{n}.ics", f"Meeting {n} (copy)", 201, new).etag
    for n in (1, 3, 1):
        told = put_event(
            me,
            f"/bridge/copy/m{n}.ics",
            f"Meeting {n} moved",
            204,
            {"If-Match": tags[n]},
            start="20261211T100000Z",
        )
        tags[n] = told.fields.get("etag") or me.get(f"/bridge/copy/m{n}.ics").etag
        at.rest(0.3)
    me.send("DELETE", "/bridge/copy/m4.ics", (200, 204), {"If-Match": tags[4]})
    me.send("PROPFIND", "/bridge/copy/", 207, {"Depth": "1"})
    me.get("/bridge/copy/m3.ics")


@case(
    "d562",
    "dan-offline-app-comes-online",
    "none",
    "healthy",
    alone="none",
    description=(
        "An offline app with Kinto: it pulls the collection, asks again with If-None-Match (304), pushes changed records with If-Match and "
        "new ones with If-None-Match: *, and pulls what is newer than its last tag."
    ),
)
def online(stage: Stage) -> None:
    """Pull, push, pull."""
    server = stage.server("kinto")
    fields = {"Authorization": "Basic aXZvOml2bw==", "User-Agent": "kinto-offline/13 (Android)"}
    me = stage.actor("client", server, "kinto.wegbuch.example", "node:fetch", fields)
    me.put("/v1/accounts/ivo", {"data": {"password": "ivo"}}, 201, {"Authorization": ""})
    me.put("/v1/buckets/hikes", {"data": {}}, 201)
    me.put("/v1/buckets/hikes/collections/log", {"data": {}}, 201)
    records = "/v1/buckets/hikes/collections/log/records"
    for name in ("alm", "see", "grat"):
        me.put(f"{records}/{name}", {"data": {"km": 7, "note": name}}, 201, {"If-None-Match": "*"})
    pulled = me.get(records)
    for _ in range(3):
        at.rest(0.3)
        me.get(records, 304, {"If-None-Match": pulled.etag})
    for name in ("see", "grat"):
        seen = me.get(f"{records}/{name}")
        me.put(f"{records}/{name}", {"data": {"km": 11, "note": name}}, 200, {"If-Match": seen.etag})
    since = pulled.etag.strip('"')
    fresh = me.get(f"{records}?_since={since}")
    at.sure(len(fresh.json["data"]) == 2)
    me.get(f"{records}?_since={since}", 304, {"If-None-Match": fresh.etag})
    me.get("/v1/")


@case(
    "d545",
    "dan-nightly-bucket-copy",
    "none",
    "healthy",
    alone="none",
    description=(
        "A nightly job copies a folder into a bucket (moto S3): new keys with If-None-Match: *, reads with If-None-Match that are 304 "
        "when nothing changed, ranged reads under If-Match, one changed object."
    ),
)
def bucket(stage: Stage) -> None:
    """Copy files into a bucket."""
    server = stage.server("moto")
    me = stage.actor("client", server, "s3.nachtbus.example", "requests", {"User-Agent": "nightcopy/1.4"})
    sign = {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261127/us-east-1/s3/aws4_request"}
    me.send("PUT", "/lines", 200, sign)
    tags = {}
    for n in (12, 14, 18, 27):
        key = f"/lines/gtfs-{n}.txt"
        tags[key] = me.put(key, f"stop,{n}\n" * 60, 200, {**sign, "If-None-Match": "*"}).etag
    for key, tag in tags.items():
        me.send("HEAD", key, 200, sign)
        me.get(key, 304, {**sign, "If-None-Match": tag})
    key = "/lines/gtfs-18.txt"
    tags[key] = me.put(key, "stop,18,new\n" * 60, 200, sign | {"If-Match": tags[key]}).etag
    for start in (0, 200, 400):
        me.get(key, 206, {**sign, "Range": f"bytes={start}-{start + 199}", "If-Match": tags[key]})
    me.get("/lines?list-type=2", 200, sign)
    me.get(key, 304, {**sign, "If-None-Match": tags[key]})


@case(
    "d554",
    "dan-download-taken-up-again",
    "none",
    "healthy",
    alone="none",
    description=(
        "A script fetches a map from nginx in four parts with If-Range and curl, the file stays the same (206 each time), checks it with HEAD, "
        "and asks later whether there is a newer one (304)."
    ),
)
def taken_up(stage: Stage) -> None:
    """Fetch a file in parts."""
    files: dict[str, str | bytes] = {
        "maps/alps.txt": "".join(f"{n:05} ridge\n" for n in range(400)),
        "maps/alps.json": '{"edition":"2026-10"}',
    }
    server = fronts.site(stage, "nginx", files)
    me = stage.actor("client", server, "maps.gipfel.example", "curl:verbose")
    me.get("/maps/alps.json")
    head = me.send("HEAD", "/maps/alps.txt", 200)
    size = int(head.fields["content-length"])
    for start in range(0, size, 1200):
        end = min(start + 1199, size - 1)
        me.get("/maps/alps.txt", 206, {"Range": f"bytes={start}-{end}", "If-Range": head.etag})
    at.sure(me.send("HEAD", "/maps/alps.txt", 200).etag == head.etag)
    for _ in range(2):
        at.rest(0.4)
        me.get("/maps/alps.txt", 304, {"If-None-Match": head.etag})
    me.get("/maps/alps.json", 304, {"If-Modified-Since": head.fields["last-modified"]})


@case(
    "d563",
    "dan-meter-readings-carried-over",
    "none",
    "healthy",
    alone="none",
    description=(
        "A job carries meter readings from one system to another whose records have a lockVersion in the content: read, add one reading, "
        "write with the version as read, follow the version of the answer for the second reading."
    ),
)
def carried(stage: Stage) -> None:
    """Write with versions in the content."""
    docs = {f"/meters/{n}": {"meter": n, "readings": [100]} for n in range(610, 618)}
    box = versions(
        docs, "lockVersion", {"/tariffs": ["day", "night"], "/jobs/carry": {"state": "running"}}, first=1
    )
    box.listing = lambda _req, _path, below: Res(200, {"meters": sorted(below), "total": len(below)})
    server = at.open_box(stage, box, "flask")
    me = stage.actor("client", server, "meters.stadtwerk.example", "requests", {"User-Agent": "carry/0.3"})
    at.reads(me, "/tariffs", "/jobs/carry", "/meters")
    for n in range(610, 618):
        seen = me.get(f"/meters/{n}")
        body = at.over(seen, readings=[*seen.json["readings"], 120 + n % 10])
        told = me.put(f"/meters/{n}", body, 200)
        at.sure(told.json["lockVersion"] == seen.json["lockVersion"] + 1)
        if n % 2:
            body = at.over(told, readings=[*told.json["readings"], 140 + n % 10])
            me.put(f"/meters/{n}", body, 200)
        at.rest(0.05)
    at.reads(me, "/jobs/carry", "/meters/613")
