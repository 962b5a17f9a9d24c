"""Traffic in which nothing is wrong, though some of it looks as if."""

from __future__ import annotations

import hashlib
import socket
import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import jon_clients as kit
from tools.recording_apis.stories import jon_setting as place
from tools.recording_apis.stories.jon_people import agenda, calendar, event
from tools.recording_apis.stories.jon_tokens import first

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@case(
    "b170",
    "jon-kinto-two-people-in-turns",
    "none",
    "healthy",
    alone="none",
    description=(
        "kinto-http: Mila and Theo edit one shift in turns; each fetches before the edit and sends the fetched "
        "last_modified, and both changes are kept."
    ),
)
def turns(stage: Stage) -> None:
    """Edit in turns."""
    server = kit.rota(stage, **{"mon-early": {"who": "Mila", "to": "14:00"}})
    me, other = kit.Tasks(stage, "client", server, "mila"), kit.Tasks(stage, "other", server, "theo")
    for turn in range(3):
        mine = me.do("get_record", id="mon-early")["data"]
        me.do("update_record", id="mon-early", data={**mine, f"mila{turn}": True})
        theirs = other.do("get_record", id="mon-early")["data"]
        other.do("update_record", id="mon-early", data={**theirs, f"theo{turn}": True})
    me.do("create_record", id="thu-early", data={"who": "Ana"}, if_not_exists=False)
    seen = me.do("get_record", id="mon-early")["data"]
    place.insist(all(f"{who}{turn}" in seen for who in ("mila", "theo") for turn in range(3)), "one is lost")


@case(
    "b171",
    "jon-loader-chains-its-tags",
    "none",
    "healthy",
    alone="none",
    description=(
        "boto3 on SeaweedFS: a loader renews its checkpoint nine times, each time under the tag of the answer "
        "before, and writes parts with IfNoneMatch '*'; one lost read is sent again by the library."
    ),
)
def chained(stage: Stage) -> None:
    """Chain the tags of answers."""
    server = kit.lake(stage, "seaweedfs", ckpt__loader=b'{"part":0}', raw__a=b"1\n2\n")
    me = kit.Objects(stage, "client", server, first("GET"))
    me.read("raw/a")
    tag = me.call("head_object", Key="ckpt/loader")["ETag"]
    for part in range(1, 10):
        me.call("put_object", Key=f"out/part-{part}", Body=b"x" * part, IfNoneMatch="*")
        body = f'{{"part":{part}}}'.encode()
        tag = me.call("put_object", Key="ckpt/loader", Body=body, IfMatch=tag)["ETag"]
    place.insist(me.read("ckpt/loader", IfMatch=tag) == b'{"part":9}', "the chain broke")


@case(
    "b172",
    "jon-deploy-under-its-lease",
    "none",
    "healthy",
    alone="none",
    description=(
        "Azure's library: a deployment takes a lease, writes twice under it, renews, releases; afterwards another "
        "worker takes a lease of its own and writes. Reads with a known tag are 304."
    ),
)
def lease(stage: Stage) -> None:
    """Write under leases, one after the other."""
    server = kit.container(stage, state_tf=b'{"serial":4}')
    me, other = kit.Containers(stage, "client", server), kit.Containers(stage, "other", server)
    held = me.on("state.tf", lambda one: one.acquire_lease(lease_duration=30))
    for serial in (b'{"serial":5}', b'{"serial":6}'):
        me.upload("state.tf", serial, me.tag("state.tf"), lease=held)
    me.on("state.tf", lambda _: held.renew())
    me.on("state.tf", lambda _: held.release())
    theirs = other.on("state.tf", lambda one: one.acquire_lease(lease_duration=15))
    other.upload("state.tf", b'{"serial":7}', other.tag("state.tf"), lease=theirs)
    other.on("state.tf", lambda _: theirs.release())
    me.on("state.tf", lambda one: one.download_blob().readall())


@case(
    "b173",
    "jon-calendar-sync-in-order",
    "none",
    "healthy",
    alone="none",
    description=(
        "A laptop and a phone synchronise one calendar behind Apache: creations with If-None-Match: *, moves and a "
        "deletion under the tag just read, lists in between; a deleted event is 404 as it should be."
    ),
)
def synchronised(stage: Stage) -> None:
    """Synchronise in order."""
    stage.keeps_content = False
    front = fronts.apache(stage, calendar(stage, standup="Standup", dentist="Dentist"))
    me = stage.actor(
        "client", front, "cal.meridian.test", "requests", {**kit.basic("ana"), "User-Agent": "Pocket/4"}
    )
    other = stage.actor("other", front, "cal.meridian.test", "httpx", kit.basic("ana"))
    ics = {"Content-Type": "text/calendar"}
    agenda(me)
    me.put("/ana/team/room-9.ics", event("room-9", "Room 9"), 201, {**ics, "If-None-Match": "*"})
    tag = other.get("/ana/team/room-9.ics").etag
    moved = event("room-9", "Room 9", 1, "20261204T100000Z")
    other.put("/ana/team/room-9.ics", moved, (201, 204), {**ics, "If-Match": tag})
    agenda(me)
    tag = me.get("/ana/team/room-9.ics").etag
    me.put(
        "/ana/team/room-9.ics",
        event("room-9", "Room 9b", 2, "20261204T100000Z"),
        204,
        {**ics, "If-Match": tag},
    )
    me.send("DELETE", "/ana/team/dentist.ics", 200, {"If-Match": me.get("/ana/team/dentist.ics").etag})
    agenda(other)
    other.get("/ana/team/dentist.ics", 404)


@case(
    "b174",
    "jon-rclone-copies-twice",
    "none",
    "healthy",
    alone="none",
    description=(
        "rclone copies a folder to WsgiDAV, then again after one new local file; it is the only writer. Its MKCOLs "
        "on what exists are 405, as always with rclone."
    ),
)
def rclone(stage: Stage) -> None:
    """Copy twice as the only writer."""
    server = stage.server("wsgidav")
    port = stage.tap("client", server)
    local = stage.directory()
    (local / "a.txt").write_text("a\n")
    (local / "b.txt").write_text("b\n")
    kit.rclone(stage, port, "webdav", "copy", str(local), "far:plan")
    (local / "c.txt").write_text("c\n")
    kit.rclone(stage, port, "webdav", "copy", str(local), "far:plan")
    place.insist("c.txt" in kit.rclone(stage, port, "webdav", "ls", "far:plan"), "it was not copied")
    stage.servers["client"] = "rclone"


@case(
    "b175",
    "jon-cadaver-locks-and-saves",
    "none",
    "healthy",
    alone="none",
    description="cadaver on Apache's WebDAV: a folder, two uploads, a lock, a save under it, unlock, move, delete.",
)
def cadaver(stage: Stage) -> None:
    """Work with locks in order."""
    server = fronts.site(stage, "apache2", {"old.txt": "old\n"}, fronts.DAV["apache2"])
    commands = (
        "ls\nmkcol tour\ncd tour\nput gate.txt\nput yard.txt\nlock gate.txt\nput gate.txt\nunlock gate.txt\n"
    )
    commands += "move yard.txt pier.txt\nls\ndelete pier.txt\ncd ..\nget old.txt mine.txt\nquit\n"
    files = {"gate.txt": "gate 3\n", "yard.txt": "yard\n"}
    printed = kit.cadaver(stage, stage.tap("client", server), commands, files)
    place.insist("failed" not in printed, printed)


@case(
    "b176",
    "jon-restore-overwrites-on-purpose",
    "none",
    "healthy",
    alone="none",
    description=(
        "A restore reads each document and puts last night's content back with If-Match: *, on purpose and announced "
        "in X-Reason; an afternoon's edit is meant to go. Reads before and after."
    ),
)
def restore(stage: Stage) -> None:
    """Overwrite on purpose."""
    server = place.harbour(stage)
    before = stage.actor("before", server, place.PORT, "requests", {"X-Agent": "claes"})
    before.put(place.BERTH, place.document(place.BERTH, remark="crane 2 out of order"), 200)
    stage.forget()
    me = stage.actor(
        "client", server, place.PORT, "httpx", {"X-Agent": "restore", "X-Reason": "restore 2026-11-25"}
    )
    for path in place.BERTHS:
        me.get(f"/{path}")
        me.put(f"/{path}", place.BERTHS[path], 200, {"If-Match": "*"})
        me.get(f"/{path}")


@case(
    "b177",
    "jon-planner-shift-in-order",
    "none",
    "healthy",
    alone="none",
    description=(
        "A long shift behind HAProxy: polling, 304s, a wrong PIN, radar 503s, a colleague's saves; the planner reads "
        "each document right before she edits that very version, and nothing is lost."
    ),
)
def shift(stage: Stage) -> None:
    """Edit what was just read."""
    front = fronts.haproxy(stage, [place.harbour(stage, REQUIRE="1")])
    me = stage.actor("client", front, place.PORT, "node:fetch")
    other = stage.actor("other", front, place.PORT, "requests", {"X-Agent": "claes"})
    token = place.sign_in(me, "ines", fumbles=True)
    for turn in range(4):
        place.watch(me, 5, token, place.NOTICE)
        theirs = other.get(place.BERTH)
        other.put(place.BERTH, place.edited(theirs, remark=f"round {turn}"), 200, {"If-Match": theirs.etag})
        seen = me.get(place.BERTH, 200, token)
        me.put(place.BERTH, place.edited(seen, cranes=turn), 200, {**token, "If-Match": seen.etag})
    last = me.get(place.BERTH, 200, token).json
    place.insist((last["remark"], last["cranes"]) == ("round 3", 3), "something was lost")


@case(
    "b178",
    "jon-reads-back-after-silence",
    "none",
    "healthy",
    alone="none lost-response-replay",
    description=(
        "A save gets no answer; the app reads the document back, finds its own command id in it, and does not send it "
        "again; its next save is under the tag of that read and passes."
    ),
)
def reads_back(stage: Stage) -> None:
    """Look before sending again."""
    server = place.harbour(stage)
    me = stage.actor("client", server, place.PORT, "requests", {"X-Agent": "pilot-31"}, loses=first("PUT"))
    place.watch(me, 3)
    seen = me.get(place.VESSEL)
    me.put(place.VESSEL, place.edited(seen, loa=212.9, command="c-1"), 0, {"If-Match": seen.etag})
    time.sleep(0.4)
    again = me.get(place.VESSEL)
    place.insist(again.json["command"] == "c-1", "it was not written")
    me.put(place.VESSEL, place.edited(again, loa=213.0, command="c-2"), 200, {"If-Match": again.etag})


@case(
    "b179",
    "jon-weak-reads-strong-writes",
    "none",
    "healthy",
    alone="none",
    description=(
        "nginx weakens the tags of compressed answers; the portal revalidates with them (304) and, before a save, "
        "reads without compression and sends the strong tag: all saves pass."
    ),
)
def strong(stage: Stage) -> None:
    """Read without compression before a write."""
    front = fronts.nginx_gzip(stage, place.clinic(stage))
    me = stage.actor("client", front, place.PRAXIS, "node:axios", {"X-Staff": "portal"})
    for turn in range(3):
        weak = me.get(place.SLOT, 200, {"Accept-Encoding": "gzip"}).etag
        place.insist(weak.startswith("W/"), "it is not weak")
        me.get(place.SLOT, 304, {"Accept-Encoding": "gzip", "If-None-Match": weak})
        seen = me.get(place.SLOT, 200, {"Accept-Encoding": "identity"})
        me.put(place.SLOT, place.edited(seen, note=f"round {turn}"), 200, {"If-Match": seen.etag})


@case(
    "b180",
    "jon-squid-refreshed-before-saves",
    "none",
    "healthy",
    alone="none",
    description=(
        "Displays read a berth from Squid's store (HIT, Age); the planner's tool reads with no-cache before it saves "
        "under that tag, through the same Squid, while a colleague saves beside it: nothing is refused or lost."
    ),
)
def refreshed(stage: Stage) -> None:
    """Refresh before each save."""
    server = place.harbour(stage, PUBLIC="public, max-age=60")
    front = fronts.squid(stage, server, "", place.PORT)
    me = stage.actor("client", front, place.PORT, "urllib", {"X-Agent": "ines"})
    other = stage.actor("other", server, place.PORT, "requests", {"X-Agent": "claes"})
    for turn in range(3):
        me.get(place.BERTH)
        me.get(place.BERTH)
        theirs = other.get(place.BERTH)
        other.put(place.BERTH, place.edited(theirs, remark=f"r{turn}"), 200, {"If-Match": theirs.etag})
        me.get(place.BERTH)
        seen = me.get(place.BERTH, 200, {"Cache-Control": "no-cache"})
        me.put(place.BERTH, place.edited(seen, cranes=turn), 200, {"If-Match": seen.etag})
    last = other.get(place.BERTH).json
    place.insist((last["remark"], last["cranes"]) == ("r2", 2), "something was lost")


@case(
    "b181",
    "jon-image-pushed-to-the-registry",
    "none",
    "healthy",
    alone="none",
    description=(
        "A tool pushes an image to the Docker registry: HEADs of blobs that are not there yet (404), uploads, the "
        "manifest under two tags; a later pull revalidates it (304)."
    ),
)
def pushed(stage: Stage) -> None:
    """Push and pull an image."""
    server = stage.server("docker-registry")
    me = stage.actor("client", server, "registry.meridian.test", "httpx", {"User-Agent": "crane/0.20"})
    digests = []
    for content in (b'{"architecture":"amd64","os":"linux"}', b"layer" * 200):
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        digests.append((digest, len(content)))
        me.send("HEAD", f"/v2/quay/web/blobs/{digest}", 404)
        where = me.send("POST", "/v2/quay/web/blobs/uploads/", 202).fields["location"].split("test", 1)[1]
        octets = {"Content-Type": "application/octet-stream"}
        me.put(f"{where}&digest={digest}", content, 201, octets)
        me.send("HEAD", f"/v2/quay/web/blobs/{digest}", 200)
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    (config, size), (layer, length) = digests
    manifest = {"schemaVersion": 2, "mediaType": kind}
    manifest["config"] = {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "size": size,
        "digest": config,
    }
    gzip = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    manifest["layers"] = [{"mediaType": gzip, "size": length, "digest": layer}]
    for tag in ("1.4", "latest"):
        me.put(f"/v2/quay/web/manifests/{tag}", manifest, 201, {"Content-Type": kind})
    seen = me.get("/v2/quay/web/manifests/latest", 200, {"Accept": kind})
    me.get("/v2/quay/web/manifests/latest", 304, {"Accept": kind, "If-None-Match": seen.etag})
    me.get(f"/v2/quay/web/blobs/{layer}")


@case(
    "b182",
    "jon-download-restarts-by-if-range",
    "none",
    "healthy",
    alone="none",
    description=(
        "A downloader goes on with Range and If-Range on nginx; a new release was put in between, so the answer is the "
        "whole new file (200), which replaces the part; the next file comes in ranges of one tag."
    ),
)
def if_range(stage: Stage) -> None:
    """Restart when the file is another."""
    files: dict[str, str | bytes] = {"fw/a.bin": bytes(range(256)) * 12, "fw/b.bin": bytes(range(256)) * 12}
    server = fronts.site(stage, "nginx", files)
    me = stage.actor("client", server, "dist.zeehaven.test", "java", {"User-Agent": "fetcher/2"})
    tag = me.send("GET", "/fw/a.bin", 206, {"Range": "bytes=0-1023"}).etag
    fronts.put_file(server.directory, "fw/a.bin", bytes(range(255, -1, -1)) * 12)
    me.send("GET", "/fw/a.bin", 200, {"Range": "bytes=1024-", "If-Range": tag})
    tag = me.send("GET", "/fw/b.bin", 206, {"Range": "bytes=0-1023"}).etag
    me.send("GET", "/fw/b.bin", 206, {"Range": "bytes=1024-2047", "If-Range": tag})
    me.send("GET", "/fw/b.bin", 206, {"Range": "bytes=2048-", "If-Range": tag})


@case(
    "b183",
    "jon-board-saves-in-the-browser",
    "none",
    "healthy",
    alone="none",
    description=(
        "The board in Chromium on another origin may read the tag: it saves one notice three times, each under the "
        "tag of the answer before, with preflights and reads of other documents in between."
    ),
)
def board(stage: Stage) -> None:
    """Save in a browser that may read tags."""
    origin = "board.zeehaven.test"
    exposed = {"CORS": f"http://{origin}", "EXPOSE": "ETag, Port-Trace", "REQUIRE": "1"}
    page = kit.Page(stage, place.harbour(stage, **exposed), place.PORT, origin)
    try:
        tag = page.call("GET", place.NOTICE, 200)
        for day in ("05", "06", "07"):
            body = place.document(place.NOTICE, until=f"2026-12-{day}")
            tag = page.call("PUT", place.NOTICE, 200, body, If_Match=tag, X_Agent="board")
            page.call("GET", f"{place.V2}/ais?after={day}", 200)
            page.call("GET", place.BERTH, 200)
        place.insist(page.call("GET", place.NOTICE, 200) == tag, "somebody else wrote")
    finally:
        page.finish()


@case(
    "b184",
    "jon-etcd-settings-by-index",
    "none",
    "healthy",
    alone="none",
    description=(
        "A tool changes settings in etcd by prevIndex, each time the index of the answer before, creates with "
        "prevExist=false, lets a key with a TTL run out (404) and creates it again."
    ),
)
def settings(stage: Stage) -> None:
    """Compare and swap in order."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.meridian.test", "aiohttp", {"User-Agent": "confctl/3"})
    made = me.put("/v2/keys/conf/lanes?prevExist=false", "value=4", 201, _FORM)
    index = made.json["node"]["modifiedIndex"]
    for lanes in range(5, 11):
        changed = me.put(f"/v2/keys/conf/lanes?prevIndex={index}", f"value={lanes}", 200, _FORM)
        index = changed.json["node"]["modifiedIndex"]
        me.get("/v2/keys/conf?recursive=true")
    me.put("/v2/keys/conf/notice?prevExist=false", "value=closed&ttl=1", 201, _FORM)
    place.until(lambda: _gone(server.port), "the key did not run out")
    me.get("/v2/keys/conf/notice", 404)
    me.put("/v2/keys/conf/notice?prevExist=false", "value=open&ttl=60", 201, _FORM)
    me.get("/v2/keys/conf/notice")


def _gone(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port)) as one:
        one.sendall(b"GET /v2/keys/conf/notice HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return b" 404 " in one.recv(64)
