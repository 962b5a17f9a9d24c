"""More healthy traffic: backups, downloads, leases, builds, and many writers who lose nothing."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import sia_setting as lab
from tools.recording_apis.stories import sia_stores as stores

_TEXT = {"Content-Type": "text/plain"}


@case(
    "d079",
    "sia-backup-makes-its-folders",
    "none",
    "healthy",
    alone="none",
    description=(
        "A backup client on Apache's mod_dav: MKCOL is 405 where the folder exists, HEAD 404 for each new file before "
        "it is created with If-None-Match: *, 304 for what is stored already, 404 for a removal that was done before."
    ),
)
def folders(stage: Stage) -> None:
    """Many statuses, no trouble."""
    files = {f"mo/f{n}.txt": f"datei {n}\n" * 20 for n in range(1, 5)}
    server = lab.shares(stage, "apache2", files)
    me = stage.actor("client", server, "backup.nas.test", "requests", {"User-Agent": "tresor/8"})
    other = stage.actor("other", server, "backup.nas.test", "httpx", {"User-Agent": "tresor/8 (laptop)"})
    me.send("MKCOL", "/", 405)
    me.send("MKCOL", "/mo/", 405)
    me.send("MKCOL", "/di/", 201)
    other.send("MKCOL", "/mi/", 201)
    tags = {n: me.send("HEAD", f"/mo/f{n}.txt", 200).etag for n in (1, 2, 3)}
    for n in (1, 2, 3):
        me.get(f"/mo/f{n}.txt", 304, {"If-None-Match": tags[n]})
        me.send("HEAD", f"/di/f{n}.txt", 404)
        me.put(f"/di/f{n}.txt", f"datei {n}\nneu\n", 201, {"If-None-Match": "*", **_TEXT})
        other.put(f"/mi/l{n}.txt", f"laptop {n}\n", 201, {"If-None-Match": "*", **_TEXT})
    lab.propfind(me, "/di/")
    me.send("DELETE", "/mo/f4.txt", 204)
    me.send("HEAD", "/mo/f4.txt", 404)
    me.send("DELETE", "/mo/f4.txt", 404)
    time.sleep(1.2)
    fresh = me.get("/di/f2.txt")
    me.put("/di/f2.txt", f"{fresh.text}und mehr\n", 204, {"If-Match": fresh.etag, **_TEXT})
    lab.propfind(other, "/mi/")


@case(
    "d080",
    "sia-download-begins-again",
    "none",
    "recovered",
    alone="none",
    description=(
        "A download from Apache is resumed with If-Range. The file has been replaced meanwhile, Apache answers 200 with "
        "the whole new file, the client throws its first part away and goes on with the new tag."
    ),
)
def again(stage: Stage) -> None:
    """If-Range does what it is for."""
    files = {"iso/disk.txt": "old disk\n" * 700, "iso/disk.md5": "11aa\n", "iso/lies.txt": "lies mich\n"}
    server = fronts.site(stage, "apache2", files)
    me = stage.actor("client", server, "iso.spiegel.test", "urllib", {"User-Agent": "loader/5"})
    me.get("/iso/lies.txt")
    first = me.get("/iso/disk.txt", 206, {"Range": "bytes=0-1999"})
    me.get("/iso/disk.txt", 206, {"Range": "bytes=2000-3499", "If-Range": first.etag})
    fronts.put_file(server.directory, "iso/disk.txt", "new disk!\n" * 640, 5.0)
    fronts.put_file(server.directory, "iso/disk.md5", "22bb\n", 5.0)
    time.sleep(0.5)
    whole = me.get("/iso/disk.txt", 200, {"Range": "bytes=3500-", "If-Range": first.etag})
    lab.must(whole.etag != first.etag and "old" not in whole.text)
    me.get("/iso/disk.md5")
    me.get("/iso/disk.txt", 304, {"If-None-Match": whole.etag})


@case(
    "d081",
    "sia-lease-kept-and-given-back",
    "none",
    "healthy",
    alone="none",
    description=(
        "A job in Azurite takes a lease, writes under it twice, renews and releases it; a second job's acquire meets 409 "
        "once, and after the release it gets the lease. Reads go on all the while."
    ),
)
def kept(stage: Stage) -> None:
    """A lease as it is meant."""
    box = stores.Container(stage, "jobs.blob.test", "jobs")
    setup = stage.actor("setup", box.server, box.host)
    box.put(setup, "state.json", '{"step":0}', 201)
    box.put(setup, "conf.json", '{"steps":3}', 201)
    del stage.taps["setup"]
    stage.forget()
    me = stage.actor("client", box.server, box.host, "requests", {"User-Agent": "job-a"})
    other = stage.actor("other", box.server, box.host, "httpx", {"User-Agent": "job-b"})
    box.get(me, "conf.json")
    mine = box.lease(me, "state.json", "acquire", 201, **{"x-ms-lease-duration": "15"}).fields[
        "x-ms-lease-id"
    ]
    box.lease(other, "state.json", "acquire", 409, **{"x-ms-lease-duration": "15"})
    held = {"x-ms-lease-id": mine}
    for step in (1, 2):
        seen = box.get(me, "state.json")
        box.put(me, "state.json", f'{{"step":{step}}}', 201, **held, **{"If-Match": seen.etag})
        box.get(other, "state.json")
        box.lease(me, "state.json", "renew", 200, **held)
    box.lease(me, "state.json", "release", 200, **held)
    time.sleep(0.5)
    theirs = {"x-ms-lease-duration": "15"}
    next_one = {
        "x-ms-lease-id": box.lease(other, "state.json", "acquire", 201, **theirs).fields["x-ms-lease-id"]
    }
    box.put(other, "state.json", '{"step":3}', 201, **next_one)
    box.lease(other, "state.json", "release", 200, **next_one)
    box.get(me, "state.json")


@case(
    "d082",
    "sia-waiting-for-the-build",
    "none",
    "healthy",
    alone="none",
    description=(
        "A client starts a build, polls its artefact (404 until it is there), polls the state under If-None-Match (304 "
        "until it changes) and sends each of its own changes with the tag of the answer before."
    ),
)
def build(stage: Stage) -> None:
    """Poll until it is there."""
    docs = {f"/builds/{n}": lab.doc(build=n, state="ready", branch="main") for n in range(300, 304)}
    server = lab.bench(stage, docs, "aiohttp", tag="rev", voice="problem")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "ci.werkzeug.test", "java", lab.signed("ci"))
    other = stage.actor("other", front, "ci.werkzeug.test", "requests", lab.signed("runner-4"))
    with lab.beside(stage, front, "badge.werkzeug.test", ["/builds/301", "/builds/304"]):
        me.get("/builds")
        lab.chores(me, lab.names("/builds", "300", "302", "303"), 7, 92, 200)
        made = me.put(
            "/builds/304", {"build": 304, "state": "queued", "branch": "fix"}, 201, {"If-None-Match": "*"}
        )
        for turn in range(3):
            me.get("/artefacts/304", 404)
            me.get("/builds/304", 304, {"If-None-Match": made.etag})
            time.sleep(0.2 + turn / 10)
        lab.edit(other, "/builds/304", state="running")
        now = me.get("/builds/304", 200, {"If-None-Match": made.etag})
        other.put("/artefacts/304", "build 304 ok\n", 201, {"If-None-Match": "*", **_TEXT})
        lab.edit(other, "/builds/304", state="done")
        done = me.get("/builds/304", 200, {"If-None-Match": now.etag})
        me.get("/artefacts/304")
        body = {**done.json, "label": "nightly"}
        first = me.put("/builds/304", body, 200, {"If-Match": done.etag})
        me.put("/builds/304", {**body, "label": "weekly"}, 200, {"If-Match": first.etag})


@case(
    "d083",
    "sia-many-hands-no-loss",
    "none",
    "healthy",
    alone="none",
    description=(
        "Three writers keep a parts list on Express with numbered versions. Each reads and writes in its turn with the "
        "tag just read, on its own and on common parts; every change is still there at the end."
    ),
)
def hands(stage: Stage) -> None:
    """Three writers take turns."""
    docs = {f"/parts/{n}": {"part": n, "a": 0, "b": 0, "c": 0, "version": n % 3 + 1} for n in range(1, 7)}
    server = lab.express(stage, docs, versions=True)
    host = "parts.werft.test"
    writers = {
        "a": stage.actor("client", server, host, "httpx", lab.signed("anton")),
        "b": stage.actor("other", server, host, "requests", lab.signed("berta")),
        "c": stage.actor("third", server, host, "node:axios", lab.signed("carla")),
    }
    for turn in range(1, 5):
        for number, (name, who) in enumerate(writers.items()):
            lab.edit(who, f"/parts/{1 + (turn + number) % 3}", **{name: turn})
            time.sleep(0.06)
        writers["a"].get("/parts")
        writers["a"].get("/parts/99", 404)
    ends = [writers["a"].get(f"/parts/{n}").json for n in (1, 2, 3)]
    lab.must(sum(1 for one in ends for name in "abc" if one[name]) == 9, ends)


@case(
    "d084",
    "sia-refused-shown-and-decided",
    "none",
    "recovered",
    alone="none other-writer",
    also="other-writer",
    description=(
        "Two people edit one text on lighttpd's WebDAV. The second one's save is refused; the program fetches the newer "
        "text, its user takes both paragraphs, and the merged text is stored under the tag just read."
    ),
)
def decided(stage: Stage) -> None:
    """A merge by hand."""
    files = {f"artikel/a{n}.txt": f"Artikel {n}\n\nErster Absatz.\n" for n in range(1, 5)}
    server = lab.shares(stage, "lighttpd", files)
    me = stage.actor("client", server, "artikel.zeitung.test", "aiohttp", lab.signed("mueller"))
    other = stage.actor("other", server, "artikel.zeitung.test", "httpx", lab.signed("schulz"))
    with lab.beside(stage, server, "leser.zeitung.test", ["/artikel/a1.txt", "/artikel/a2.txt"]):
        lab.propfind(me, "/artikel/")
        lab.chores(me, lab.names("/artikel", "a2.txt", "a4.txt"), 5, 93, 204)
        seen = me.get("/artikel/a3.txt")
        theirs = other.get("/artikel/a3.txt")
        added = theirs.text + "\nAbsatz von Schulz.\n"
        other.put("/artikel/a3.txt", added, 204, {"If-Match": theirs.etag, **_TEXT})
        time.sleep(1.2)
        me.put("/artikel/a3.txt", seen.text + "\nAbsatz von Müller.\n", 412, {"If-Match": seen.etag, **_TEXT})
        now = me.get("/artikel/a3.txt")
        time.sleep(1.0)
        both = now.text + "\nAbsatz von Müller.\n"
        me.put("/artikel/a3.txt", both, 204, {"If-Match": now.etag, **_TEXT})
        time.sleep(1.1)
        lab.must("Schulz" in me.get("/artikel/a3.txt").text)
        other.get("/artikel/a3.txt")
        lab.propfind(me, "/artikel/")
