"""Stories in which all is well."""

from __future__ import annotations

import base64
import importlib
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.ada_desk import Desk, hashed
from tools.recording_apis.names import route
from tools.recording_apis.stage import case
from tools.recording_apis.stories import ada_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _event(name: str, title: str, hour: int) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//ada//rehearsal//EN", "BEGIN:VEVENT", f"UID:{name}"]
    lines += [
        "DTSTAMP:20261101T080000Z",
        f"DTSTART:20261203T{hour:02}0000Z",
        f"DTEND:20261203T{hour + 1:02}0000Z",
    ]
    return "\r\n".join([*lines, f"SUMMARY:{title}", "END:VEVENT", "END:VCALENDAR", ""])


@case(
    "d390",
    "ada-rehearsals-kept-in-radicale",
    "none",
    "healthy",
    alone="none",
    description=(
        "A calendar program makes a calendar and three events with If-None-Match: *, lists them, changes one twice with "
        "the tag of the answer before, and removes another with its tag. Radicale."
    ),
)
def rehearsals(stage: Stage) -> None:
    """Keep a calendar."""
    server = stage.server("radicale")
    basic = {
        "Authorization": "Basic " + base64.b64encode(b"lena:choir").decode(),
        "User-Agent": "Kalender/4.1",
    }
    me = stage.actor("client", server, "cal.choir.test", "requests", basic)
    ics = {"Content-Type": "text/calendar; charset=utf-8"}
    made = '<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop><D:displayname>Choir</D:displayname></D:prop></D:set></C:mkcalendar>'
    me.send("MKCALENDAR", "/lena/choir/", 201, {"Content-Type": "application/xml"}, made)
    for name, hour in (("alto", 18), ("bass", 19), ("all", 20)):
        me.put(
            f"/lena/choir/{name}.ics",
            _event(name, f"Rehearsal {name}", hour),
            201,
            {**ics, "If-None-Match": "*"},
        )
    query = '<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>'
    me.send("PROPFIND", "/lena/choir/", 207, {"Depth": "1", "Content-Type": "application/xml"}, query)
    seen = me.get("/lena/choir/alto.ics")
    for hour in (17, 16):
        at.pause()
        seen = me.put(
            "/lena/choir/alto.ics",
            _event("alto", "Rehearsal alto", hour),
            (201, 204),
            {**ics, "If-Match": seen.etag},
        )
    gone = me.get("/lena/choir/bass.ics")
    me.send("DELETE", "/lena/choir/bass.ics", 200, {"If-Match": gone.etag})
    me.send("PROPFIND", "/lena/choir/", 207, {"Depth": "1", "Content-Type": "application/xml"}, query)
    at.need(me.get("/lena/choir/alto.ics").etag == seen.etag)


@case(
    "d391",
    "ada-dashboard-that-rebases",
    "none",
    "healthy",
    alone="none",
    description=(
        "A dashboard polls three tanks with their tags (304), is shown a colleague's change by a poll, builds its own "
        "change on that and saves it with the new tag; the colleague goes on from there. Fastify."
    ),
)
def tanks(stage: Stage) -> None:
    """Poll, rebase, save."""
    rows = {f"/tanks/{n}": {"tank": n, "litres": 900, "temp": 4.0} for n in ("t1", "t2", "t3")}
    side = at.beside("/valves", 4, open=False)
    server = at.counter(stage, "fastify", {**rows, **side})
    me = stage.actor("client", server, "tanks.dairy.test", "httpx", {"User-Agent": "dashboard/5"})
    other = stage.actor("other", server, "tanks.dairy.test", "node:axios", {"User-Agent": "cellar-tablet/2"})
    held = {path: me.get(path) for path in rows}
    for turn in range(3):
        at.pause(0.5)
        if turn == 1:
            theirs = other.get("/tanks/t2")
            other.put("/tanks/t2", {**theirs.json, "litres": 640}, 200, {"If-Match": theirs.etag})
        for path in rows:
            got = me.get(
                path, 200 if turn == 1 and path == "/tanks/t2" else 304, {"If-None-Match": held[path].etag}
            )
            held[path] = got if got.status == 200 else held[path]
    at.busy(me, side, "open", 12, 391)
    base = held["/tanks/t2"]
    at.need(base.json["litres"] == 640)
    saved = me.put("/tanks/t2", {**base.json, "temp": 3.6}, 200, {"If-Match": base.etag})
    me.get("/tanks/t2", 304, {"If-None-Match": saved.etag})
    at.pause()
    theirs = other.get("/tanks/t2")
    other.put("/tanks/t2", {**theirs.json, "litres": 600}, 200, {"If-Match": theirs.etag})


@case(
    "d392",
    "ada-backup-to-a-bucket",
    "none",
    "healthy",
    alone="none",
    description=(
        "A backup makes its objects with If-None-Match: *, checks them with HEAD and If-None-Match (304) and moves its "
        "pointer on with If-Match and the tag of the answer before. moto's S3."
    ),
)
def bucket(stage: Stage) -> None:
    """Keep a pointer in a bucket."""
    boto3, core = importlib.import_module("boto3"), importlib.import_module("botocore.config")
    refused = importlib.import_module("botocore.exceptions").ClientError
    named = core.Config(
        proxies={}, s3={"addressing_style": "path"}, request_checksum_calculation="when_required"
    )
    route("s3.backup.test", stage.tap("client", stage.server("moto")))
    secret = {
        "aws_access_key_id": "AKIAEXAMPLE",
        "aws_secret_access_key": "nothing",
    }  # the server checks none
    s3 = boto3.client(
        "s3", endpoint_url="http://s3.backup.test", region_name="eu-west-1", config=named, **secret
    )

    def unchanged(key: str, tag: str) -> None:
        try:
            s3.head_object(Bucket="vault", Key=key, IfNoneMatch=tag)
        except refused as answered:
            at.need(answered.response["ResponseMetadata"]["HTTPStatusCode"] == 304)
        else:
            at.need(False)

    s3.create_bucket(Bucket="vault", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    pointer = s3.put_object(Bucket="vault", Key="LATEST", Body=b"none\n", IfNoneMatch="*")
    for night in ("2026-11-25", "2026-11-26", "2026-11-27"):
        key, content = f"dump-{night}.bin", f"{night} {'#' * 300}".encode()
        made = s3.put_object(Bucket="vault", Key=key, Body=content, IfNoneMatch="*")
        unchanged(key, made["ETag"])
        pointer = s3.put_object(
            Bucket="vault", Key="LATEST", Body=f"{night}\n".encode(), IfMatch=pointer["ETag"]
        )
        at.pause()
    at.need(len(s3.list_objects_v2(Bucket="vault", Prefix="dump-")["Contents"]) == 3)
    at.need(s3.get_object(Bucket="vault", Key="LATEST")["ETag"] == pointer["ETag"])
    unchanged("LATEST", pointer["ETag"])


@case(
    "d393",
    "ada-bookmarks-synced-with-kinto",
    "none",
    "healthy",
    alone="none",
    description=(
        "A browser add-on creates records with If-None-Match: *, polls the collection with its tag (304), reads what is "
        "new since then after the phone has added one, and changes a record with the record's tag. Kinto."
    ),
)
def bookmarks(stage: Stage) -> None:
    """Sync with a collection's tag."""
    server = stage.server("kinto")
    basic = {"Authorization": "Basic " + base64.b64encode(b"mira:bookmarks-9").decode()}
    me = stage.actor(
        "client", server, "sync.bookmarks.test", "node:fetch", {**basic, "User-Agent": "addon/2.2"}
    )
    phone = stage.actor(
        "other", server, "sync.bookmarks.test", "requests", {**basic, "User-Agent": "phone/2.0"}
    )
    me.put("/v1/accounts/mira", {"data": {"password": "bookmarks-9"}}, 201, {"Authorization": ""})
    me.put("/v1/buckets/default/collections/marks", {"data": {}}, (200, 201))
    base = "/v1/buckets/default/collections/marks/records"
    for name in ("birds", "bread", "boats"):
        body = {"data": {"url": f"https://{name}.example/", "unread": True}}
        me.put(f"{base}/{name}", body, 201, {"If-None-Match": "*"})
    listed = me.get(base)
    me.get(base, 304, {"If-None-Match": listed.etag})
    at.pause(0.6)
    body = {"data": {"url": "https://bees.example/", "unread": True}}
    phone.put(f"{base}/bees", body, 201, {"If-None-Match": "*"})
    since = listed.etag.strip('"')
    new = me.get(f"{base}?_since={since}", 200, {"If-None-Match": listed.etag})
    at.need([one["id"] for one in new.json["data"]] == ["bees"])
    me.get(base, 304, {"If-None-Match": new.etag})
    seen = me.get(f"{base}/bread")
    saved = me.send("PATCH", f"{base}/bread", 200, {"If-Match": seen.etag}, {"data": {"unread": False}})
    me.send("PATCH", f"{base}/bread", 200, {"If-Match": saved.etag}, {"data": {"folder": "food"}})


@case(
    "d394",
    "ada-a-lease-used-as-is-meant",
    "none",
    "healthy",
    alone="none",
    description=(
        "A job takes a lease on a blob, writes it twice with the lease's id and the tag of the answer before, renews and "
        "releases it; a reader polls with its tag meanwhile. Azurite."
    ),
)
def lease(stage: Stage) -> None:
    """Hold a lease properly."""
    library = importlib.import_module("azure.storage.blob")
    allowed = library.AccountSasPermissions(read=True, write=True, delete=True, list=True, create=True)
    everything = library.ResourceTypes(service=True, container=True, object=True)
    until = datetime.now(UTC) + timedelta(days=2)
    key = library.generate_account_sas("notes", "ZXhhbXBsZQ==", everything, allowed, until)
    server = stage.server("azurite")
    job = {"x-ms-version": "2023-11-03", "User-Agent": "meter-job/1"}
    me = stage.actor("client", server, "blobs.meters.test", "requests", job)
    reader = stage.actor("other", server, "blobs.meters.test", "httpx", {"x-ms-version": "2023-11-03"})
    blob = f"/notes/meters/total.json?{key}"
    me.put(f"/notes/meters?restype=container&{key}", b"", 201)
    kind = {"x-ms-blob-type": "BlockBlob"}
    made = me.put(blob, {"kwh": 0}, 201, {**kind, "If-None-Match": "*"})
    seen = reader.get(blob)
    got = me.put(
        f"{blob}&comp=lease", b"", 201, {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "15"}
    )
    held = {"x-ms-lease-id": got.fields["x-ms-lease-id"]}
    for kwh in (410, 433):
        made = me.put(blob, {"kwh": kwh}, 201, {**kind, **held, "If-Match": made.etag})
        seen = reader.get(blob, 200, {"If-None-Match": seen.etag})
        reader.get(blob, 304, {"If-None-Match": seen.etag})
        at.pause(0.5)
        me.put(f"{blob}&comp=lease", b"", 200, {**held, "x-ms-lease-action": "renew"})
    me.put(f"{blob}&comp=lease", b"", 200, {**held, "x-ms-lease-action": "release"})
    me.get(blob, 304, {"If-None-Match": made.etag})


_LOCK = (
    '<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    "<D:locktype><D:write/></D:locktype><D:owner>office</D:owner></D:lockinfo>"
)


@case(
    "d395",
    "ada-a-document-locked-saved-and-released",
    "none",
    "healthy",
    alone="none",
    description=(
        "An office program locks a document on WsgiDAV, saves it twice with the lock's token, refreshes the lock and "
        "releases it; afterwards a colleague does the same."
    ),
)
def office(stage: Stage) -> None:
    """Lock, save, release."""
    server = stage.server("wsgidav")
    text, xml = {"Content-Type": "text/plain"}, {"Content-Type": "application/xml"}
    actors = [
        stage.actor("client", server, "dav.office.test", "requests", {"User-Agent": "writer/24.2"}),
        stage.actor("other", server, "dav.office.test", "urllib", {"User-Agent": "writer/7.6"}),
    ]
    actors[0].put("/tender.txt", "Offer\n", 201, {**text, "If-None-Match": "*"})
    for number, who in enumerate(actors):
        who.send("PROPFIND", "/", 207, {"Depth": "1"})
        seen = who.get("/tender.txt")
        got = who.send("LOCK", "/tender.txt", 200, {**xml, "Depth": "0", "Timeout": "Second-120"}, _LOCK)
        token = got.fields["lock-token"]
        for line in ("price", "date"):
            who.put("/tender.txt", f"{seen.text}{line} {number}\n", 204, {**text, "If": f"({token})"})
            at.pause(0.3)
        who.send("LOCK", "/tender.txt", 200, {"If": f"({token})", "Timeout": "Second-120"})
        who.send("UNLOCK", "/tender.txt", 204, {"Lock-Token": token})
        now = who.get("/tender.txt")
        who.get("/tender.txt", 304, {"If-None-Match": now.etag})


@case(
    "d396",
    "ada-a-download-taken-up-again",
    "none",
    "healthy",
    alone="none",
    description=(
        "A station fetches an archive in parts with If-Range and If-Match, takes up after a pause, checks with HEAD and "
        "a poll (304) and comes through; nothing changes meanwhile. nginx on files."
    ),
)
def download(stage: Stage) -> None:
    """Fetch parts of one version."""
    files = {
        "radar/loop.txt": "".join(f"{n:05};{n * 13 % 64}\n" for n in range(900)),
        "radar/legend.json": '{"mm": 0.1}\n',
    }
    me = stage.actor("client", fronts.site(stage, "nginx", files), "files.radar.test", "curl")
    at.rounds(me, "/radar/legend.json", again=True)
    told = me.send("HEAD", "/radar/loop.txt", 200)
    size = int(told.fields["content-length"])
    for begin in range(0, size, 2000):
        guard = {"If-Range": told.etag} if begin % 4000 else {"If-Match": told.etag}
        me.get("/radar/loop.txt", 206, {"Range": f"bytes={begin}-{min(begin + 1999, size - 1)}", **guard})
        at.pause(0.15)
    me.get("/radar/loop.txt", 304, {"If-None-Match": told.etag})
    me.get("/radar/loop.txt", 304, {"If-Modified-Since": told.fields["last-modified"]})


@case(
    "d397",
    "ada-squid-drops-what-was-changed",
    "none",
    "healthy",
    alone="none",
    description=(
        "Squid serves a rate table from its store (Age, HIT), answers polls with 304, lets a save with the current tag "
        "pass, drops what it held, and shows the new version to all. aiohttp behind Squid."
    ),
)
def rates(stage: Stage) -> None:
    """Work through a store that keeps up."""
    rows = {f"/rates/{n}": {"pair": n, "mid": 1.08} for n in ("eurusd", "eurchf")}
    desk = Desk(rows, hashed, dates=True, always={"Cache-Control": "public, max-age=60"})
    front = fronts.squid(stage, at.desk(stage, desk, "aiohttp"), site="rates.bank.test")
    me = stage.actor("client", front, "rates.bank.test", "requests", {"User-Agent": "treasury/4"})
    other = stage.actor("other", front, "rates.bank.test", "httpx", {"User-Agent": "ticker/1"})
    me.get("/rates/eurusd")
    at.pause(1.1)
    seen = me.get("/rates/eurusd")
    at.need(int(seen.fields["age"]) > 0)
    other.get("/rates/eurusd", 304, {"If-None-Match": seen.etag})
    saved = me.put("/rates/eurusd", {**seen.json, "mid": 1.09}, 200, {"If-Match": seen.etag})
    now = other.get("/rates/eurusd", 200, {"If-None-Match": seen.etag})
    at.need(now.etag == saved.etag)
    me.get("/rates/eurchf")
    saved = me.put("/rates/eurusd", {**now.json, "mid": 1.1}, 200, {"If-Match": saved.etag})
    at.pause(0.4)
    at.need(me.get("/rates/eurusd").etag == saved.etag)
    other.get("/rates/eurchf")
    me.get("/rates/eurusd", 304, {"If-None-Match": saved.etag})


@case(
    "d398",
    "ada-a-counter-in-etcd",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two workers take turns with a counter in etcd: it is made with prevExist=false, and each step compares with the "
        "index that was just read or answered; none is refused, and the key is removed with its index in the end."
    ),
)
def ticket(stage: Stage) -> None:
    """Compare and swap by turns."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "kv.tickets.test", "node:fetch", {"User-Agent": "worker-a"})
    other = stage.actor("other", server, "kv.tickets.test", "requests", {"User-Agent": "worker-b"})
    form, key = {"Content-Type": "application/x-www-form-urlencoded"}, "/v2/keys/queues/print/next"
    me.get(key, 404)
    index = me.put(f"{key}?prevExist=false", "value=1", 201, form).json["node"]["modifiedIndex"]
    for number in range(2, 8):
        who = me if number % 3 else other
        if number % 3 == 0 or number % 3 == 1:
            index = who.get(key).json["node"]["modifiedIndex"]
        index = who.put(f"{key}?prevIndex={index}", f"value={number}", 200, form).json["node"][
            "modifiedIndex"
        ]
        at.pause(0.3)
    at.need(me.get(key).json["node"]["value"] == "7")
    me.send("DELETE", f"{key}?prevIndex={index}", 200)


@case(
    "d399",
    "ada-dates-echoed-as-they-were-served",
    "none",
    "healthy",
    alone="none",
    description=(
        "A service with dates and no tags: two warders save by turns, seconds apart, each with the Last-Modified that it "
        "has just been served, polls are answered 304, and each sees the other's change before the next save. WEBrick."
    ),
)
def warders(stage: Stage) -> None:
    """Echo dates."""
    rows = {f"/reserves/{n}": {"reserve": n, "level": "low", "trails": 6} for n in ("heath", "dunes")}
    server = at.logbook(stage, rows, "dates")
    me = stage.actor("client", server, "fire.reserves.test", "httpx", {"User-Agent": "warder-app/2 (ana)"})
    other = stage.actor("other", server, "fire.reserves.test", "urllib", {"User-Agent": "warder-app/2 (ole)"})
    me.get("/ready")
    me.get("/reserves/dunes", 304, {"If-Modified-Since": me.get("/reserves/dunes").fields["last-modified"]})
    for turn, level in enumerate(("mid", "high", "mid")):
        time.sleep(1.3)
        who = other if turn % 2 else me
        seen = who.get("/reserves/heath")
        guard = {"If-Unmodified-Since": seen.fields["last-modified"]}
        saved = who.send("PATCH", "/reserves/heath", 200, guard, {"level": level})
        at.need(saved.json["revision"] == turn + 2)
    at.pause(1.2)
    me.get("/reserves/heath", 304, {"If-Modified-Since": saved.fields["last-modified"]})
    me.put("/reserves/marsh", {"reserve": "marsh", "level": "low"}, 201, {"If-None-Match": "*"})
    me.get("/reserves")
