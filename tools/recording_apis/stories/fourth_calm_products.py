"""Finished products and file servers on a calm day."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.servers import program
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.caldav import event
from tools.recording_apis.stories.fourth_setting import HANDBOOK, ICS, TEXT, XML, browse
from tools.recording_apis.stories.records import anna, furnished

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor

_RECORDS = "/v1/buckets/team/collections/tasks/records"
_DEEP = {"Depth": "1", **XML}
_ASK = "<?xml version='1.0'?><D:propfind xmlns:D='DAV:'><D:prop><D:getetag/></D:prop></D:propfind>"
_MAKE = "<?xml version='1.0'?><C:mkcalendar xmlns:C='urn:ietf:params:xml:ns:caldav'/>"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _sync(me: Actor, folder: str, status: int = 204, pause: float = 0.0) -> None:
    """List, upload three files create-only, change two with their tags, delete one, list again."""
    me.send("PROPFIND", f"{folder}/", 207, _DEEP, _ASK)
    for number in range(3):
        me.put(f"{folder}/part-{number}.txt", HANDBOOK[: 100 + number], 201, {"If-None-Match": "*", **TEXT})
    time.sleep(pause)
    for number in range(2):
        tag = me.send("HEAD", f"{folder}/part-{number}.txt", 200).etag
        me.put(f"{folder}/part-{number}.txt", HANDBOOK[: 200 + number], status, {"If-Match": tag, **TEXT})
    tag = me.send("HEAD", f"{folder}/part-2.txt", 200).etag
    me.send("DELETE", f"{folder}/part-2.txt", 204, {"If-Match": tag})
    me.send("PROPFIND", f"{folder}/", 207, _DEEP, _ASK)


@case(
    "a530",
    "mod-dav-folder-sync-healthy",
    "none",
    "healthy",
    alone="none",
    description="A sync client on mod_dav behind HAProxy lists, uploads, waits, changes, deletes and lists again; every tag fits.",
)
def _mod_dav(stage: Stage) -> None:
    server = fronts.site(stage, "apache2", {"box/readme.txt": "hi"}, fronts.DAV["apache2"])
    _sync(
        stage.actor("client", fronts.haproxy(stage, [server]), "box.example.test", "httpx"), "/box", 204, 2.3
    )


@case(
    "a531",
    "lighttpd-folder-sync-healthy",
    "none",
    "healthy",
    alone="none",
    description="The same day on lighttpd's mod_webdav with Node's fetch: uploads, guarded changes, a guarded delete.",
)
def _lighttpd(stage: Stage) -> None:
    server = fronts.site(stage, "lighttpd", {"box/readme.txt": "hi"}, fronts.DAV["lighttpd"])
    me = stage.actor("client", server, "box.example.test", "node", {"Authorization": "Basic dTp1"})
    me.send("PROPFIND", "/box/", 207, _DEEP, _ASK)
    for number in range(3):
        me.put(f"/box/n{number}.txt", f"note {number}\n", 201, TEXT)
    for number in range(3):
        tag = me.get(f"/box/n{number}.txt").etag
        me.put(f"/box/n{number}.txt", f"note {number}, longer\n", 204, {"If-Match": tag, **TEXT})
    me.send("DELETE", "/box/n0.txt", 204, {"If-Match": me.get("/box/n0.txt").etag})
    me.send("PROPFIND", "/box/", 207, _DEEP, _ASK)


@case(
    "a532",
    "wsgidav-lock-edit-unlock-healthy",
    "none",
    "healthy",
    alone="none",
    description="An editor locks a file on WsgiDAV behind Caddy, saves three times under the lock token, unlocks.",
)
def _wsgidav(stage: Stage) -> None:
    server = stage.server("wsgidav")
    fronts.put_file(server.directory, "talk.txt", HANDBOOK, 500)
    me = stage.actor("client", fronts.caddy(stage, server), "talks.example.test", "requests")
    body = "<?xml version='1.0'?><D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope>"
    body += "<D:locktype><D:write/></D:locktype><D:owner>me</D:owner></D:lockinfo>"
    token = me.send("LOCK", "/talk.txt", 200, {"Timeout": "Second-600", **XML}, body).fields["lock-token"]
    for number in range(3):
        me.put("/talk.txt", f"{HANDBOOK}{number}\n", 204, {"If": f"({token})", **TEXT})
        time.sleep(0.5)
    me.send("UNLOCK", "/talk.txt", 204, {"Lock-Token": token})
    me.get("/talk.txt")


@case(
    "a533",
    "radicale-week-healthy",
    "none",
    "healthy",
    alone="none",
    description="A calendar app on Radicale behind nginx: five events created create-only, two moved with fresh tags, one deleted, the collection synced.",
)
def _radicale(stage: Stage) -> None:
    server = stage.server("radicale")
    user = {"Authorization": "Basic ZXZhOmV2YQ=="}
    me = stage.actor("client", fronts.nginx(stage, server), "dav.example.test", "httpx", user)
    me.send("MKCALENDAR", "/eva/shifts/", 201, XML, _MAKE)
    for number in range(5):
        start = f"2026120{number + 1}T090000Z"
        me.put(
            f"/eva/shifts/e{number}.ics",
            event(f"e-{number}", "Shift", start),
            201,
            {"If-None-Match": "*", **ICS},
        )
    for number in (1, 3):
        tag = me.get(f"/eva/shifts/e{number}.ics").etag
        moved = event(f"e-{number}", "Shift", f"2026120{number + 1}T130000Z")
        me.put(f"/eva/shifts/e{number}.ics", moved, (201, 204), {"If-Match": tag, **ICS})
    tag = me.get("/eva/shifts/e4.ics").etag
    me.send("DELETE", "/eva/shifts/e4.ics", (200, 204), {"If-Match": tag})
    me.send("PROPFIND", "/eva/shifts/", 207, _DEEP, _ASK)


@case(
    "a534",
    "kinto-tablet-sync-healthy",
    "none",
    "healthy",
    alone="none",
    description="A tablet syncs a Kinto collection: list by tag, 304, three records created, each updated once with its timestamp, list again.",
)
def _kinto(stage: Stage) -> None:
    server = furnished(stage, "sweep", "mop")
    me = anna(stage, server, "node:axios")
    tag = me.get(_RECORDS).etag
    me.get(_RECORDS, 304, {"If-None-Match": tag})
    for name in ("dust", "wash", "dry"):
        made = me.put(f"{_RECORDS}/{name}", {"data": {"title": name}}, 201, {"If-None-Match": "*"})
        tag = made.fields.get("etag") or f'"{made.json["data"]["last_modified"]}"'
        me.send("PATCH", f"{_RECORDS}/{name}", 200, {"If-Match": tag}, {"data": {"done": True}})
    me.get(_RECORDS)


@case(
    "a535",
    "kinto-turns-of-two-healthy",
    "none",
    "healthy",
    alone="none",
    description="Anna and Ben take turns on one record, each reading the other's version first.",
)
def _turns(stage: Stage) -> None:
    server = furnished(stage, "tiles")
    me = anna(stage, server, "requests")
    other = stage.actor(
        "other", server, "sync.example.test", "aiohttp", {"Authorization": "Basic YmVuOmJlbg=="}
    )
    for turn in range(4):
        actor = (me, other)[turn % 2]
        tag = actor.get(f"{_RECORDS}/tiles").etag
        actor.send("PATCH", f"{_RECORDS}/tiles", 200, {"If-Match": tag}, {"data": {"rows": turn}})
        time.sleep(0.4)


@case(
    "a536",
    "etcd-swap-with-fresh-index-healthy",
    "none",
    "healthy",
    alone="none",
    description="An operator reads a key of etcd and swaps it on the index just read, five times.",
)
def _swap(stage: Stage) -> None:
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.example.test", "urllib")
    me.put("/v2/keys/pool/size?prevExist=false", "value=1", 201, _FORM)
    for size in range(2, 7):
        index = me.get("/v2/keys/pool/size").json["node"]["modifiedIndex"]
        me.put(f"/v2/keys/pool/size?prevIndex={index}", f"value={size}", 200, _FORM)


@case(
    "a537",
    "etcd-leader-renews-others-watch-healthy",
    "none",
    "healthy",
    alone="none expected-control-flow",
    description="A leader renews its key every second; a follower tries prevExist=false now and then, is told 412, and goes on following.",
)
def _leader(stage: Stage) -> None:
    server = stage.server("etcd")
    leader = stage.actor("other", server, "etcd.example.test", "requests")
    me = stage.actor("client", server, "etcd.example.test", "node")
    leader.put("/v2/keys/leader?prevExist=false", "value=n1&ttl=10", 201, _FORM)
    for _ in range(4):
        leader.put("/v2/keys/leader?prevExist=true&prevValue=n1", "ttl=10&refresh=true", 200, _FORM)
        me.put("/v2/keys/leader?prevExist=false", "value=n2&ttl=10", 412, _FORM)
        me.get("/v2/keys/leader")
        time.sleep(0.9)


@case(
    "a538",
    "tomcat-by-dates-healthy",
    "none",
    "healthy",
    alone="none",
    description="Files on Tomcat are read, polled by date (304) and saved under If-Unmodified-Since with the date just served.",
)
def _tomcat(stage: Stage) -> None:
    server = stage.server("tomcat")
    me = stage.actor("client", server, "files.example.test", "java")
    me.put("/a.txt", "one\n", 201, TEXT)
    for text in ("two\n", "three\n"):
        time.sleep(1.2)
        seen = me.get("/a.txt").fields["last-modified"]
        me.get("/a.txt", 304, {"If-Modified-Since": seen})
        me.put("/a.txt", text, 204, {"If-Unmodified-Since": seen, **TEXT})


@case(
    "a539",
    "express-pages-healthy",
    "none",
    "healthy",
    alone="none",
    description="Express serves JSON with weak tags: a client reads the notes three times and gets 304 with the tags it has.",
)
def _express(stage: Stage) -> None:
    server = stage.server("express")
    me = stage.actor("client", fronts.traefik(stage, [server]), "notes.example.test", "node")
    browse(me, ["/notes", "/notes/1", "/notes/2"], 3)


@case(
    "a540",
    "caddy-site-browsing-healthy",
    "none",
    "healthy",
    alone="none",
    description="A static site on Caddy with compression, browsed with curl; tags come back, 304 follows.",
)
def _caddy(stage: Stage) -> None:
    files = {"index.html": "<h1>Hi</h1>" * 60, "app.css": "a{color:red}" * 80, "data.json": '{"a":1}'}
    server = fronts.site(stage, "caddy", files, " encode gzip")
    me = stage.actor("client", server, "site.example.test", "curl:trace-time")
    for path in ("/app.css", "/data.json"):
        tag = me.get(path).etag
        me.get(path, 304, {"If-None-Match": tag})
    me.get("/app.css", 200, {"Accept-Encoding": "identity"})


@case(
    "a541",
    "nginx-dav-uploads-healthy",
    "none",
    "healthy",
    alone="none",
    description="A build uploads three artefacts to nginx's dav module, checks each with HEAD, and moves one.",
)
def _artefacts(stage: Stage) -> None:
    server = fronts.site(stage, "nginx", {"readme.txt": "x"}, fronts.DAV["nginx"])
    me = stage.actor("client", server, "artefacts.example.test", "requests", {"Authorization": "Bearer ci"})
    for number in range(3):
        me.put(f"/b41/part-{number}.bin", bytes([number]) * 200, 201)
        me.send("HEAD", f"/b41/part-{number}.bin", 200)
    target = {"Destination": "http://artefacts.example.test/b41/last.bin"}
    me.send("MOVE", "/b41/part-2.bin", 204, target)
    me.get("/b41/last.bin")


@case(
    "a542",
    "rclone-copies-to-dav-healthy",
    "none",
    "healthy",
    alone="none",
    description="rclone copies a folder to WsgiDAV, then copies it again with one file changed: uploads, listings and checks, no conflict.",
)
def _rclone(stage: Stage) -> None:
    server = stage.server("wsgidav")
    port, source = stage.tap("client", server), stage.directory()
    for number in range(3):
        (source / f"note-{number}.txt").write_text(f"note {number}\n" * 10, encoding="utf-8")
    command = [
        program("rclone"),
        "copy",
        str(source),
        ":webdav:/notes",
        "--webdav-url",
        f"http://127.0.0.1:{port}/",
    ]
    command += ["--webdav-vendor", "other", "--config", "", "--retries", "1", "--transfers", "2", "--header"]
    command += ["Host: dav.example.test"]
    for turn in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise StoryError(done.stderr)
        (source / "note-1.txt").write_text(
            f"note 1, turn {turn}, longer than before\n" * 12, encoding="utf-8"
        )


@case(
    "a543",
    "registry-push-and-pull-healthy",
    "none",
    "healthy",
    alone="none",
    description="A blob and a manifest are pushed to the Docker registry and pulled with their digests as tags; a second pull is 304.",
)
def _registry(stage: Stage) -> None:
    import hashlib  # noqa: PLC0415
    import json  # noqa: PLC0415

    server = stage.server("docker-registry")
    me = stage.actor("client", server, "hub.example.test", "requests")
    layer = b"layer " * 80
    digest = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    me.send("HEAD", f"/v2/tools/blobs/{digest}", 404)
    where = (
        me.send("POST", "/v2/tools/blobs/uploads/", 202).fields["location"].split("hub.example.test", 1)[1]
    )
    me.put(f"{where}&digest={digest}", layer, 201, {"Content-Type": "application/octet-stream"})
    kind = "application/vnd.oci.image.manifest.v1+json"
    part = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "size": len(layer), "digest": digest}
    config = {**part, "mediaType": "application/vnd.oci.image.config.v1+json"}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [part]})
    me.put("/v2/tools/manifests/v1", manifest, 201, {"Content-Type": kind})
    tag = me.get("/v2/tools/manifests/v1", 200, {"Accept": kind}).etag
    me.get("/v2/tools/manifests/v1", 304, {"Accept": kind, "If-None-Match": tag})
    me.get(f"/v2/tools/blobs/{digest}")
