"""Healthy traffic that looks a little like trouble: locks, weak tags, restarts, odd shapes, keys that end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_joe_setting as lab

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_APACHE = fronts.DAV["apache2"]
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@case(
    "d808",
    "joe-lock-save-unlock",
    "none",
    "healthy",
    alone="none",
    description=(
        "A word processor locks a letter on mod_dav, saves it three times under its token and unlocks it; the tags are "
        "weak for a moment, and serve only to ask whether something is new; a temporary file comes and goes."
    ),
)
def letter(stage: Stage) -> None:
    """Edit under a lock."""
    files = {f"briefe/{n}.txt": f"Sehr geehrte {n}\n" for n in ("Meyer", "Sommer")}
    server = fronts.site(stage, "apache2", files, _APACHE)
    me = stage.actor("client", server, "akten.kanzlei.example", "requests", {"User-Agent": "Schreiber/6.4"})
    asked = (
        '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
        "<D:locktype><D:write/></D:locktype><D:owner>sekretariat</D:owner></D:lockinfo>"
    )
    me.send("OPTIONS", "/briefe/", 200)
    lab.walk(me, "/briefe/")
    key = me.send("LOCK", "/briefe/Meyer.txt", 200, {"Timeout": "Second-180"}, asked).fields["lock-token"]
    text = me.get("/briefe/Meyer.txt").text
    me.get("/briefe/.~lock.Meyer.txt", 404)
    me.put("/briefe/.~lock.Meyer.txt", "sekretariat", 201)
    for line in ("wir bestätigen\n", "den Termin\n", "Mit freundlichen Grüßen\n"):
        text += line
        me.put("/briefe/Meyer.txt", text, 204, {"If": f"({key})"})
        head = me.send("HEAD", "/briefe/Meyer.txt", 200)
        me.get("/briefe/Meyer.txt", 304, {"If-None-Match": head.etag})
        lab.rest(0.5)
    me.send("DELETE", "/briefe/.~lock.Meyer.txt", 204)
    me.send("UNLOCK", "/briefe/Meyer.txt", 204, {"Lock-Token": key})
    lab.rest(1.3)
    lab.sure(not me.send("HEAD", "/briefe/Meyer.txt", 200).etag.startswith("W/"))
    lab.walk(me, "/briefe/")


@case(
    "d813",
    "joe-weak-for-reading-strong-for-writing",
    "none",
    "healthy",
    alone="none",
    description=(
        "nginx compresses and weakens tags: a planner polls with the weak ones (304), and reads with identity before each "
        "save, whose strong tag is taken; another person's change shows in a poll and is kept in the next save."
    ),
)
def planner(stage: Stage) -> None:
    """Know how to read before a save."""
    files = {f"beete/{n}.txt": f"{n}\n" + "Reihe: Möhren\n" * 20 for n in ("ost", "west")}
    site = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"])
    front = fronts.nginx_gzip(stage, site)
    me = stage.actor("client", front, "beete.garten.example", "aiohttp", {"User-Agent": "Gartenplan/3"})
    other = stage.actor("other", front, "beete.garten.example", "urllib", {"User-Agent": "Gartenplan/2"})
    plain = {"Accept-Encoding": "identity"}
    seen = me.get("/beete/ost.txt")
    lab.sure(seen.etag.startswith("W/"))
    me.get("/beete/ost.txt", 304, {"If-None-Match": seen.etag})
    bare = me.get("/beete/ost.txt", 200, plain)
    me.put("/beete/ost.txt", bare.text + "Reihe: Dill\n", 204, {"If-Match": bare.etag})
    lab.rest(0.6)
    theirs = other.get("/beete/ost.txt", 200, plain)
    other.put("/beete/ost.txt", theirs.text + "Reihe: Lauch (Rosa)\n", 204, {"If-Match": theirs.etag})
    lab.rest(0.5)
    polled = me.get("/beete/ost.txt", 200, {"If-None-Match": seen.etag})
    lab.sure("Rosa" in polled.text and "Dill" in polled.text)
    me.get("/beete/west.txt")
    bare = me.get("/beete/ost.txt", 200, plain)
    me.put("/beete/ost.txt", bare.text + "Reihe: Mangold\n", 204, {"If-Match": bare.etag})
    now = me.get("/beete/ost.txt")
    lab.sure("Rosa" in now.text and "Mangold" in now.text)
    me.get("/beete/ost.txt", 304, {"If-None-Match": now.etag})


@case(
    "d815",
    "joe-download-starts-over",
    "none",
    "healthy",
    alone="none",
    description=(
        "A download in ranges with If-Range through HAProxy: the file is replaced half way, the next part is a 200 with "
        "the whole new file, the client throws away what it had and takes that; its sum is the one that is published."
    ),
)
def over(stage: Stage) -> None:
    """Start over with the whole."""
    old = "".join(f"{n:04} v1\n" for n in range(200))
    new = old.replace("v1", "v2")
    server = fronts.site(stage, "caddy", {"ota/karte.txt": old, "ota/version.txt": "1\n"})
    front = fronts.haproxy(stage, [server], " http-response set-header X-Pop fra2")
    me = stage.actor("client", front, "ota.navi.example", "httpx", {"User-Agent": "navi/5 ota"})
    me.get("/ota/version.txt")
    one = me.get("/ota/karte.txt", 206, {"Range": "bytes=0-399"})
    two = me.get("/ota/karte.txt", 206, {"Range": "bytes=400-799", "If-Range": one.etag})
    lab.sure(two.etag == one.etag)
    fronts.put_file(server.directory, "ota/karte.txt", new, 3.0)
    fronts.put_file(server.directory, "ota/version.txt", "2\n", 3.0)
    lab.rest(0.6)
    whole = me.get("/ota/karte.txt", 200, {"Range": "bytes=800-1199", "If-Range": one.etag})
    lab.sure(whole.text == new)
    me.get("/ota/version.txt")
    me.get("/ota/karte.txt", 304, {"If-None-Match": whole.etag})
    me.get("/ota/karte.txt", 416, {"Range": f"bytes={len(new)}-"})


@case(
    "d816",
    "joe-two-counters-one-queue",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two counters work on one queue in Kinto: each polls the list with its tag, changes with the record's newest one, "
        "creates under If-None-Match: *, and deletes what is done; a deleted one is 404 when it is looked for."
    ),
)
def counters(stage: Stage) -> None:
    """Take turns without a clash."""
    rows = {f"t{n}": {"nr": n, "state": "waiting", "desk": None} for n in (301, 302, 303)}
    server, base = lab.kinto(stage, "amt", "queue", ("platz1", "platz2"), rows)
    me = stage.actor("client", server, "aufruf.buergeramt.example", "node:axios", lab.basic("platz1"))
    other = stage.actor("other", server, "aufruf.buergeramt.example", "httpx", lab.basic("platz2"))
    listed = me.get(base)
    me.get(base, 304, {"If-None-Match": listed.etag})
    for who, nr in ((me, 301), (other, 302), (me, 303)):
        seen = who.get(f"{base}/t{nr}")
        desk = {"data": {"state": "called", "desk": 1 if who is me else 2}}
        done = who.send("PATCH", f"{base}/t{nr}", 200, {"If-Match": seen.etag}, desk)
        lab.rest(0.3)
        desk["data"]["state"] = "served"
        who.send("PATCH", f"{base}/t{nr}", 200, {"If-Match": done.etag}, desk)
    listed = me.get(base, 200, {"If-None-Match": listed.etag})
    other.put(f"{base}/t304", {"data": {"nr": 304, "state": "waiting"}}, 201, {"If-None-Match": "*"})
    me.put(f"{base}/t305", {"data": {"nr": 305, "state": "waiting"}}, 201, {"If-None-Match": "*"})
    seen = me.get(f"{base}/t301")
    me.send("DELETE", f"{base}/t301", 200, {"If-Match": seen.etag})
    me.get(f"{base}/t301", 404)
    since = listed.etag.strip('"')
    lab.sure("deleted" in me.get(f"{base}?_since={since}").text)


@case(
    "d826",
    "joe-registrations-that-run-out",
    "none",
    "healthy",
    alone="none",
    description=(
        "A worker registers itself in etcd for two seconds at a time and counts its jobs with prevIndex, each from the "
        "answer before; it pauses, its registration runs out (404, as intended), and it registers again."
    ),
)
def worker(stage: Stage) -> None:
    """Come, go and come again."""
    server = stage.server("etcd")
    setup = stage.actor("setup", server, "reg.cluster.test", "requests")
    setup.put("/v2/keys/jobs/done", "value=17", 201, _FORM)
    stage.forget()
    me = stage.actor("client", server, "reg.render.example", "node:fetch", {"User-Agent": "render-worker/9"})
    me.get("/version")
    me.put("/v2/keys/workers/w4?prevExist=false&ttl=2", "value=10.1.0.4", 201, _FORM)
    node = me.get("/v2/keys/jobs/done").json["node"]
    for number in range(3):
        path = f"/v2/keys/jobs/done?prevIndex={node['modifiedIndex']}"
        node = me.put(path, f"value={18 + number}", 200, _FORM).json["node"]
        me.put("/v2/keys/workers/w4?prevExist=true&ttl=2", "value=10.1.0.4", 200, _FORM)
        lab.rest(0.5)
    lab.rest(2.8)
    lab.sure(me.get("/v2/keys/workers/w4", 404).json["errorCode"] == 100)
    me.put("/v2/keys/workers/w4?prevExist=false&ttl=2", "value=10.1.0.4", 201, _FORM)
    path = f"/v2/keys/jobs/done?prevIndex={node['modifiedIndex']}"
    me.put(path, "value=21", 200, _FORM)
    me.get("/v2/keys/workers?recursive=true")


@case(
    "d827",
    "joe-tags-with-and-without-a-dash",
    "none",
    "healthy",
    alone="none",
    description=(
        "A backup program stores volumes in S3, small ones at once and a large one in parts: the tag of the latter has "
        "another shape (-2). It asks first what is there (404), creates with If-None-Match: *, and replaces its index with the current tag."
    ),
)
def backup(stage: Stage) -> None:
    """Store volumes of two kinds."""
    server = stage.server("moto")
    signed = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261128/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=9b1c2a7ed1f04d33a5c08bb6f27f6a31a0d1e5a8c5b5d6a1ad0c77e0b9f8a122",
        "x-amz-date": "20261128T030500Z",
        "User-Agent": "sicher/0.16",
    }
    me = stage.actor("client", server, "s3.praxis-backup.example", "requests", signed)
    me.put("/volumes", b"", 200)
    stage.forget()
    only = {"If-None-Match": "*"}
    me.send("HEAD", "/volumes/index", 404)
    index = me.put("/volumes/index", {"volumes": []}, 200, only)
    for number in range(2):
        me.send("HEAD", f"/volumes/data/{number:02}", 404)
        me.put(f"/volumes/data/{number:02}", f"volume {number} " * 20, 200, only)
        body = {"volumes": [f"{one:02}" for one in range(number + 1)]}
        index = me.put("/volumes/index", body, 200, {"If-Match": index.etag})
        lab.rest(0.2)
    begun = me.send("POST", "/volumes/data/02?uploads", 200).text
    upload = re.search(r"<UploadId>([^<]+)", begun)
    lab.sure(upload)
    key, parts = upload.group(1) if upload else "", ""
    for number in (1, 2):
        part = me.put(f"/volumes/data/02?partNumber={number}&uploadId={key}", f"part {number} " * 60, 200)
        parts += f"<Part><PartNumber>{number}</PartNumber><ETag>{part.etag}</ETag></Part>"
    whole = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"
    me.send("POST", f"/volumes/data/02?uploadId={key}", 200, {"Content-Type": "application/xml"}, whole)
    big = me.send("HEAD", "/volumes/data/02", 200)
    lab.sure(big.etag.endswith('-2"'), big.etag)
    me.put("/volumes/index", {"volumes": ["00", "01", "02"]}, 200, {"If-Match": index.etag})
    me.get("/volumes/data/02", 304, {"If-None-Match": big.etag})
    me.get("/volumes?list-type=2")
