"""Healthy traffic that looks like trouble: real servers at work, conflicts that their clients heal."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import sia_setting as lab
from tools.recording_apis.stories import sia_stores as stores

_TEXT = {"Content-Type": "text/plain"}
_JSON = {"Content-Type": "application/json"}


@case(
    "d072",
    "sia-static-site-with-all-statuses",
    "none",
    "healthy",
    alone="none",
    description=(
        "A browser-like client loads a site from nginx with gzip: 200, weak tags, 304 for each of them on the second "
        "round, 206 for a video with If-Range, 416, 404 for an icon. After a release the changed file comes as 200."
    ),
)
def site(stage: Stage) -> None:
    """A site and its caches."""
    files = {
        "index.html": "<main>" + "Hallo " * 80,
        "app.css": "a{color:red}" * 30,
        "film.txt": "bild " * 900,
    }
    server = fronts.site(stage, "nginx", files, "gzip on; gzip_types text/css; gzip_min_length 50;")
    me = stage.actor("client", server, "www.chor.test", "requests", {"User-Agent": "Mozilla/5.0", **lab.GZIP})
    tags = lab.poll(me, ["/index.html", "/app.css"], 2)
    lab.must(me.get("/app.css").etag.startswith("W/"))
    me.get("/favicon.ico", 404)
    film = me.get("/film.txt", 206, {"Range": "bytes=0-1999", **lab.PLAIN})
    me.get("/film.txt", 206, {"Range": "bytes=2000-3999", "If-Range": film.etag, **lab.PLAIN})
    me.get("/film.txt", 416, {"Range": "bytes=90000-", **lab.PLAIN})
    fronts.put_file(server.directory, "app.css", "a{color:green}" * 31)
    time.sleep(0.4)
    newer = me.get("/app.css", 200, {"If-None-Match": tags["/app.css"]})
    me.get("/app.css", 304, {"If-None-Match": newer.etag})
    me.get("/index.html", 304, {"If-None-Match": tags["/index.html"]})


@case(
    "d073",
    "sia-kinto-merge-of-the-existing",
    "none",
    "recovered",
    alone="none other-writer",
    also="other-writer",
    description=(
        "Two shift leaders edit one Kinto record. The second one's PUT is refused; the client merges its own field into "
        "the record that came with the 412 and a fresh read, writes under the new tag, and both changes stand."
    ),
)
def merged(stage: Stage) -> None:
    """A conflict that the client heals."""
    shifts = {f"t{n}": {"day": n, "early": "A", "late": "B", "night": "C"} for n in range(1, 6)}
    server, base = stores.kinto(stage, "shifts.lab.test", "plant/shifts", shifts)
    me = stage.actor("client", server, "shifts.lab.test", "node:fetch", lab.signed("redaktion"))
    other = stage.actor("other", server, "shifts.lab.test", "requests", lab.signed("mobil"))
    with lab.beside(stage, server, "probe.lab.test", ["/v1/__heartbeat__"]):
        me.get(base)
        lab.stroll(me, lab.names(base, "t1", "t2", "t5"), 6, 91)
        seen = me.get(f"{base}/t3")
        theirs = other.get(f"{base}/t3")
        kept = {"day": 3, "early": "A", "late": "B", "night": "K"}
        other.put(f"{base}/t3", {"data": kept}, 200, {"If-Match": theirs.etag})
        time.sleep(0.5)
        mine = {"data": {"day": 3, "early": "F", "late": "B", "night": "C"}}
        me.put(f"{base}/t3", mine, 412, {"If-Match": seen.etag})
        now = me.get(f"{base}/t3")
        both = {
            name: value for name, value in now.json["data"].items() if name not in {"id", "last_modified"}
        }
        me.put(f"{base}/t3", {"data": {**both, "early": "F"}}, 200, {"If-Match": now.etag})
        last = me.get(f"{base}/t3").json["data"]
        lab.must(last["early"] == "F" and last["night"] == "K")
        lab.must(other.get(f"{base}/t3").json["data"] == last)


@case(
    "d074",
    "sia-two-devices-one-calendar",
    "none",
    "healthy",
    alone="none",
    description=(
        "A phone and a desktop keep a calendar in Radicale: creates with If-None-Match: *, changes with the current "
        "tags, a delete, a 404 for what the other has deleted and seen in the listing. Nothing is lost."
    ),
)
def devices(stage: Stage) -> None:
    """Two devices that behave."""
    events = {f"e{n}": lab.appointment(f"e{n}", f"Probe {n}") for n in range(1, 5)}
    server = stores.radicale(stage, "cal.orchester.test", "orchester", "/orchester/proben/", events)
    me = stage.actor("client", server, "cal.orchester.test", "httpx", lab.signed("orchester"))
    other = stage.actor("other", server, "cal.orchester.test", "aiohttp", lab.signed("orchester"))
    with lab.beside(stage, server, "probe.orchester.test", ["/orchester/proben/e1.ics"]):
        root = "/orchester/proben"
        for one, name in ((me, "neu-a"), (other, "neu-b")):
            lab.propfind(one, f"{root}/")
            one.put(
                f"{root}/{name}.ics",
                lab.appointment(name, "Konzert"),
                201,
                {**lab.CALENDAR, "If-None-Match": "*"},
            )
        seen = me.get(f"{root}/e2.ics")
        changed = lab.appointment("e2", "Probe 2", location="Aula")
        me.put(f"{root}/e2.ics", changed, 204, {**lab.CALENDAR, "If-Match": seen.etag})
        theirs = other.get(f"{root}/e2.ics")
        lab.must("Aula" in theirs.text)
        later = lab.appointment("e2", "Probe 2", "20261212T090000Z", location="Aula")
        other.put(f"{root}/e2.ics", later, 204, {**lab.CALENDAR, "If-Match": theirs.etag})
        other.send("DELETE", f"{root}/e4.ics", 200, {"If-Match": other.get(f"{root}/e4.ics").etag})
        lab.propfind(me, f"{root}/")
        me.get(f"{root}/e4.ics", 404)
        now = me.get(f"{root}/e2.ics")
        final = lab.appointment("e2", "Probe 2 (Tutti)", "20261212T090000Z", location="Aula")
        me.put(f"{root}/e2.ics", final, 204, {**lab.CALENDAR, "If-Match": now.etag})


@case(
    "d075",
    "sia-lock-waited-for",
    "none",
    "recovered",
    alone="none lease-or-lock",
    also="lease-or-lock",
    description=(
        "A second editor finds a file in WsgiDAV locked (423), waits until the first has stored and unlocked it, takes "
        "the lock for itself, reads, adds its line and unlocks. Both lines are there."
    ),
)
def waited(stage: Stage) -> None:
    """Wait for the lock."""
    server = lab.wsgidav(stage, {"heft/liste.txt": "eins\n", "heft/alt.txt": "alt\n"})
    me = stage.actor("client", server, "heft.schule.test", "requests", {"User-Agent": "Heft 2"})
    other = stage.actor("other", server, "heft.schule.test", "httpx", {"User-Agent": "Heft 1"})
    theirs = lab.lock(other, "/heft/liste.txt", "anna")
    lab.propfind(me, "/heft/")
    lab.lock(me, "/heft/liste.txt", "bela", expect=423)
    text = other.get("/heft/liste.txt").text
    other.put("/heft/liste.txt", f"{text}zwei\n", 204, {"If": f"({theirs})"})
    other.send("UNLOCK", "/heft/liste.txt", 204, {"Lock-Token": theirs})
    time.sleep(1.2)
    mine = lab.lock(me, "/heft/liste.txt", "bela")
    seen = me.get("/heft/liste.txt")
    me.put("/heft/liste.txt", f"{seen.text}drei\n", 204, {"If": f"({mine})"})
    me.send("UNLOCK", "/heft/liste.txt", 204, {"Lock-Token": mine})
    lab.must(other.get("/heft/liste.txt").text == "eins\nzwei\ndrei\n")


@case(
    "d076",
    "sia-upload-in-parts",
    "none",
    "healthy",
    alone="none",
    description=(
        "boto3 against moto: 404 for a key that is not there yet, a multipart upload, whose tag ends in -2, a copy, "
        "conditional reads (304), ranges, a list and a delete. Different tags belong to different objects."
    ),
)
def multipart(stage: Stage) -> None:
    """An ordinary day of an object store."""
    server, host = stage.server("moto"), "s3.klinik.test"
    stores.bucket(stage, server, host, "scans", {"a/1.txt": "one", "a/2.txt": "two"})
    me = stores.Store(stage, "client", server, host)
    me.call("head_object", 404, Bucket="scans", Key="b/big.bin")
    where = {"Bucket": "scans", "Key": "b/big.bin"}
    upload = me.call("create_multipart_upload", 200, **where)["UploadId"]
    parts = []
    for number, char in ((1, b"x"), (2, b"y")):
        body = char * 400
        told = me.call("upload_part", 200, **where, UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": told["ETag"]})
    me.call("complete_multipart_upload", 200, **where, UploadId=upload, MultipartUpload={"Parts": parts})
    tag = me.call("head_object", 200, **where)["ETag"]
    lab.must(tag.endswith('-2"'), tag)
    me.call("get_object", 206, **where, Range="bytes=0-99", IfMatch=tag)
    me.call("get_object", 206, **where, Range="bytes=100-799", IfMatch=tag)
    me.call("get_object", 304, **where, IfNoneMatch=tag)
    me.call("copy_object", Bucket="scans", Key="c/copy.bin", CopySource="scans/b/big.bin")
    me.call("list_objects_v2", Bucket="scans")
    me.call("delete_object", 204, Bucket="scans", Key="a/2.txt")
    me.call("head_object", 404, Bucket="scans", Key="a/2.txt")


@case(
    "d077",
    "sia-cache-that-is-told",
    "none",
    "healthy",
    alone="none",
    description=(
        "Squid stores a price board for ten seconds. The editor reads with no-cache before it writes under If-Match, its "
        "PUT drops Squid's copy, and the readers' hits (Age) and 304 are of the current version."
    ),
)
def told(stage: Stage) -> None:
    """A cache in its place."""
    docs = {f"/prices/{n}": lab.doc(item=n, price=n * 10) for n in range(1, 5)}
    server = lab.bench(stage, docs, "flask", tag="crc", store="max-age=10")
    front = fronts.squid(stage, server, "", "prices.markt.test")
    me = stage.actor("client", front, "prices.markt.test", "node:axios", lab.signed("kasse"))
    other = stage.actor("other", front, "prices.markt.test", "httpx", {"User-Agent": "board"})
    lab.poll(other, lab.names("/prices", "1", "2"), 2)
    for price in (21, 22):
        seen = me.get("/prices/2", 200, {"Cache-Control": "no-cache"})
        made = me.put("/prices/2", {**seen.json, "price": price}, 200, {"If-Match": seen.etag})
        shown = other.get("/prices/2")
        lab.must(shown.etag == made.etag)
        other.get("/prices/2")
        other.get("/prices/2", 304, {"If-None-Match": made.etag})
        time.sleep(0.5)
    lab.poll(me, lab.names("/prices", "1", "3"), 1)


@case(
    "d078",
    "sia-two-nodes-one-content",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two nginx nodes behind HAProxy serve the same release with the same times, so with the same tags. Conditional "
        "reads are 304 on both, a download in ranges under If-Match goes through, a release of both changes the tags."
    ),
)
def release(stage: Stage) -> None:
    """Nodes that agree."""
    files = {"rel/app.txt": "build 41\n" * 300, "rel/notes.txt": "41\n", "rel/list.json": '["app.txt"]'}
    nodes = [fronts.site(stage, "nginx", files, f"add_header X-Node n{n};") for n in (1, 2)]
    lab.mirror(nodes[0].directory, nodes[1].directory)
    front = fronts.haproxy(stage, nodes)
    me = stage.actor("client", front, "rel.paket.test", "curl", {"User-Agent": "installer"})
    tags = lab.poll(me, ["/rel/list.json", "/rel/notes.txt"], 3)
    head = me.send("HEAD", "/rel/app.txt", 200)
    for part in range(3):
        span = f"bytes={part * 900}-{part * 900 + 899}"
        me.get("/rel/app.txt", 206, {"Range": span, "If-Match": head.etag})
    fronts.put_file(nodes[0].directory, "rel/notes.txt", "42\n")
    lab.mirror(nodes[0].directory, nodes[1].directory)
    newer = me.get("/rel/notes.txt", 200, {"If-None-Match": tags["/rel/notes.txt"]})
    lab.must(me.get("/rel/notes.txt", 304, {"If-None-Match": newer.etag}).etag == newer.etag)
