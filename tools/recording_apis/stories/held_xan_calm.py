"""Unseen recordings: healthy traffic that looks a bit like trouble."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_xan_setting as lab
from tools.recording_apis.stories.vic_setting import Lake, signature

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e222",
    "a-lock-taken-and-given-back",
    "none",
    "healthy",
    alone="none",
    description=(
        "An office suite opens a text on Apache's mod_dav under a lock, stores it three times with the lock's token, "
        "refreshes the lock and gives it back; a file that is not there yet is 404 once."
    ),
)
def office(stage: Stage) -> None:
    """Write under one's own lock."""
    files = {f"briefe/{n}.txt": f"Brief {n}\n" for n in ("amt", "bank", "verein")}
    server = lab.dav(stage, "apache2", files)
    me = stage.actor("client", server, "ablage.kanzlei.test", "requests", {"User-Agent": "LibreOffice"})
    lock = (
        '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype>'
        "<D:write/></D:locktype><D:owner>Kanzlei, Platz 2</D:owner></D:lockinfo>"
    )
    lab.listing(me, "/briefe/")
    me.send("HEAD", "/briefe/bank.txt.bak", 404)
    token = me.send("LOCK", "/briefe/bank.txt", 200, {"Timeout": "Second-300", **lab.XML}, lock).fields[
        "lock-token"
    ]
    text = me.get("/briefe/bank.txt").text
    for line in ("Sehr geehrte Damen und Herren,\n", "anbei die Unterlagen.\n", "Mit Gruß\n"):
        lab.wait(1.2)
        text += line
        me.put("/briefe/bank.txt", text, 204, {"If": f"({token})"})
    me.send("LOCK", "/briefe/bank.txt", 200, {"Timeout": "Second-300", "If": f"({token})"})
    lab.wait(0.5)
    lab.sure(me.get("/briefe/bank.txt").text == text)
    me.send("UNLOCK", "/briefe/bank.txt", 204, {"Lock-Token": token})
    lab.listing(me, "/briefe/")


@case(
    "e225",
    "two-clerks-one-list-in-turns",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two clerks work on Kinto records in turns: each reads afresh before writing with the tag of that read, polls "
        "give 304 and 200, one record is made with If-None-Match: *, and a removed one is 404 for its owner."
    ),
)
def turns(stage: Stage) -> None:
    """Take turns."""
    keys: dict[str, object] = {f"sleutel-{n}": {"lokaal": f"L{n}", "bij": "", "n": n} for n in range(1, 6)}
    server = lab.kinto(stage, "gebouw", "sleutels", keys, "sleutels.school.test")
    base = "/v1/buckets/gebouw/collections/sleutels/records"
    me = stage.actor("client", server, "sleutels.school.test", "aiohttp", lab.KINTO_ONE)
    other = stage.actor("other", server, "sleutels.school.test", "requests", lab.KINTO_TWO)
    listed = me.get(base)
    for n, who in ((2, "Boll"), (3, "Kern"), (2, "")):
        theirs = other.get(f"{base}/sleutel-{n}")
        other.send(
            "PATCH", f"{base}/sleutel-{n}", 200, {"If-Match": theirs.etag}, {"data": {"bij": f"{who}/p"}}
        )
        lab.wait(0.5)
        listed = me.get(base, 200, {"If-None-Match": listed.etag})
        seen = me.get(f"{base}/sleutel-{n}")
        lab.sure(seen.json["data"]["bij"] == f"{who}/p")
        saved = me.send("PATCH", f"{base}/sleutel-{n}", 200, {"If-Match": seen.etag}, {"data": {"bij": who}})
        me.get(f"{base}/sleutel-{n}", 304, {"If-None-Match": saved.etag})
        listed = me.get(base)
    me.put(f"{base}/sleutel-9", {"data": {"lokaal": "L9", "bij": "", "n": 9}}, 201, {"If-None-Match": "*"})
    tag = me.get(f"{base}/sleutel-9").etag
    me.send("DELETE", f"{base}/sleutel-9", 200, {"If-Match": tag})
    me.get(f"{base}/sleutel-9", 404)


@case(
    "e237",
    "a-broken-download-begun-again",
    "none",
    "healthy",
    alone="none",
    description=(
        "A player loads a recording from nginx in parts with If-Range. When the studio has replaced it, nginx answers "
        "the next part with the whole new file (200) under a new tag, and the player begins again with that: no splice."
    ),
)
def resumed(stage: Stage) -> None:
    """Resume with If-Range."""
    tape = "".join(f"{n:05}~{n * 31 % 9973:04}|" for n in range(700))
    files = {"emission/0411.dat": tape, "emission/0411.json": '{"titre":"Tour du port"}'}
    server = fronts.site(stage, "nginx", files, age=86400.0)
    me = stage.actor("client", server, "rediffusion.radio.test", "urllib", {"User-Agent": "Lecteur/9"})
    me.get("/emission/0411.json")
    first = me.get("/emission/0411.dat", 206, {"Range": "bytes=0-2999"})
    me.get("/emission/0411.dat", 206, {"Range": "bytes=3000-5999", "If-Range": first.etag})
    fronts.put_file(server.directory, "emission/0411.dat", tape.replace("~", "-") + "Fin")
    lab.wait(0.9)
    whole = me.get("/emission/0411.dat", 200, {"Range": "bytes=6000-8999", "If-Range": first.etag})
    lab.sure(whole.text.endswith("Fin") and whole.etag != first.etag)
    lab.wait(0.4)
    me.get("/emission/0411.dat", 304, {"If-None-Match": whole.etag})
    me.get("/emission/0411.dat", 206, {"Range": f"bytes={len(tape)}-", "If-Range": whole.etag})


@case(
    "e238",
    "a-lease-for-the-nightly-job",
    "none",
    "healthy",
    alone="none",
    description=(
        "A nightly job takes a lease on a blob of Azurite, writes with the lease's id and the current tag, renews, writes "
        "again and releases; afterwards a plain guarded save of another job is taken."
    ),
)
def lease(stage: Stage) -> None:
    """Write under one's own lease."""
    server, key = stage.server("azurite"), signature()
    own = {"x-ms-version": "2024-11-04"}
    setup = stage.actor("setup", server, "nacht.lager.test", "httpx", own)
    setup.put(f"/notes/lager?restype=container&{key}", b"", 201)
    for n in (1, 2, 3):
        body = json.dumps({"halle": n, "paletten": 40 * n})
        setup.put(
            f"/notes/lager/halle-{n}.json?{key}",
            body,
            201,
            {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/json"},
        )
    lab.begin(stage, "setup")
    me = stage.actor("client", server, "nacht.lager.test", "httpx", {**own, "User-Agent": "inventur/2"})
    other = stage.actor("other", server, "nacht.lager.test", "requests", {**own, "User-Agent": "versand/2"})
    path = f"/notes/lager/halle-2.json?{key}"
    block = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/json"}
    me.get(f"/notes/lager?restype=container&comp=list&{key}")
    take = {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "30"}
    held = me.put(path + "&comp=lease", b"", 201, take).fields["x-ms-lease-id"]
    for count in (78, 75):
        seen = me.get(path)
        pallets = {**seen.json, "paletten": count}
        me.put(path, pallets, 201, {**block, "If-Match": seen.etag, "x-ms-lease-id": held})
        lab.wait(0.6)
        me.put(path + "&comp=lease", b"", 200, {"x-ms-lease-action": "renew", "x-ms-lease-id": held})
    me.put(path + "&comp=lease", b"", 200, {"x-ms-lease-action": "release", "x-ms-lease-id": held})
    seen = other.get(path)
    done = other.put(path, {**seen.json, "versand": 3}, 201, {**block, "If-Match": seen.etag})
    lab.wait(0.5)
    now = me.get(path)
    lab.sure(now.etag == done.etag)
    me.put(path, {**now.json, "geprueft": True}, 201, {**block, "If-Match": now.etag})


@case(
    "e213",
    "weak-for-a-moment-and-waited-for",
    "none",
    "healthy",
    alone="none",
    description=(
        "Apache's WebDAV compresses songs without touching their tags. The client stores a song, sees the weak tag of a "
        "file just written, waits, reads the strong one and stores the next version with that: every save is taken."
    ),
)
def settled(stage: Stage) -> None:
    """Wait for the strong tag."""
    body = "".join(f"{n:02}. Strophe, vier Zeilen, Refrain\n" for n in range(60))
    files = {f"lieder/{n}.txt": f"{n}\n{body}" for n in ("abend", "morgen", "winter")}
    lines = "DeflateAlterETag NoChange\n<Location />\nSetOutputFilter DEFLATE\n</Location>"
    server = lab.dav(stage, "apache2", files, lines)
    own = {"User-Agent": "Notenmappe/3", "Content-Type": "text/plain; charset=utf-8"}
    me = stage.actor("client", server, "lieder.chor.test", "httpx", own)
    lab.listing(me, "/lieder/")
    for name in ("abend", "winter"):
        seen = me.get(f"/lieder/{name}.txt")
        me.put(f"/lieder/{name}.txt", seen.text + "61. Zugabe\n", 204, {"If-Match": seen.etag})
        weak = me.get(f"/lieder/{name}.txt")
        lab.sure(weak.etag.startswith("W/"), weak.etag)
        lab.wait(1.6)
        seen = me.get(f"/lieder/{name}.txt")
        lab.sure(not seen.etag.startswith("W/"), seen.etag)
        me.put(f"/lieder/{name}.txt", seen.text + "62. Schluss\n", 204, {"If-Match": seen.etag})
    me.get("/lieder/morgen.txt")
    lab.listing(me, "/lieder/")


@case(
    "e207",
    "one-writer-one-chain",
    "none",
    "healthy",
    alone="none",
    description=(
        "A publisher writes its own daily object in SeaweedFS three times, each with the tag of the read before, and lists "
        "it; the tag moves with each write, and a ready-mark is made once with If-None-Match: *."
    ),
)
def overwrite(stage: Stage) -> None:
    """Write what only one writes."""
    server = stage.server("seaweedfs")
    setup = Lake(stage, "setup", server)
    setup.call("create_bucket", Bucket="presse")
    setup.call("put_object", Bucket="presse", Key="heute/titel.json", Body='{"n":0,"zeilen":[]}')
    lab.begin(stage, "setup")
    me = Lake(stage, "client", server)
    key: dict[str, Any] = {"Bucket": "presse", "Key": "heute/titel.json"}
    rows: list[str] = []
    for n in range(1, 4):
        got = me.call("get_object", **key)
        lab.sure(json.loads(got["Body"].read())["n"] == n - 1)
        rows.append(f"Meldung {n}")
        me.call("put_object", **key, Body=json.dumps({"n": n, "zeilen": rows}), IfMatch=got["ETag"])
        lab.wait(0.5)
        me.call("list_objects_v2", Bucket="presse", Prefix="heute/")
    me.call("put_object", Bucket="presse", Key="heute/fertig", Body="3", IfNoneMatch="*")
    me.call("head_object", Bucket="presse", Key="heute/fertig")
