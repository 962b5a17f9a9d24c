"""Writers who meet: others, oneself, the service itself, readers in the middle, what is there and what is gone."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import sia_setting as lab
from tools.recording_apis.stories import sia_stores as stores


@case(
    "d000",
    "sia-protocol-edited-in-two-offices",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "A laboratory's protocols on Apache's mod_dav. While one office edits a protocol, the other stores a version "
        "of its own; the first one's PUT is refused, and its next read shows the other's lines."
    ),
)
def protocol(stage: Stage) -> None:
    """Two offices, one file."""
    files = {f"protokolle/serie-{n}.txt": f"Serie {n}\npH 7,{n}\nTemp 21 C\n" for n in range(1, 5)}
    server = lab.shares(stage, "apache2", {**files, "protokolle/vorlage.txt": "Serie\npH\nTemp\n"})
    me = stage.actor("client", server, "dav.institut.test", "curl", lab.signed("berlin"))
    other = stage.actor("other", server, "dav.institut.test", "httpx", lab.signed("jena"))
    with lab.beside(
        stage, server, "status.institut.test", ["/protokolle/serie-1.txt", "/protokolle/vorlage.txt"]
    ):
        lab.propfind(me, "/protokolle/")
        lab.chores(me, lab.names("/protokolle", "serie-1.txt", "serie-2.txt"), 4, 71)
        seen = me.get("/protokolle/serie-3.txt")
        lab.propfind(other, "/protokolle/")
        theirs = other.get("/protokolle/serie-3.txt")
        me.get("/protokolle/vorlage.txt")
        text = theirs.text.replace("21 C", "23 C") + "Nachtrag Jena: Probe B verworfen\n"
        other.put("/protokolle/serie-3.txt", text, 204, {"If-Match": theirs.etag})
        other.get("/protokolle/serie-4.txt")
        time.sleep(1.3)
        mine = seen.text.replace("7,3", "7,4")
        me.put("/protokolle/serie-3.txt", mine, 412, {"If-Match": seen.etag, "Content-Type": "text/plain"})
        now = me.get("/protokolle/serie-3.txt")
        lab.must(now.etag != seen.etag and "Jena" in now.text)
        lab.propfind(me, "/protokolle/")


@case(
    "d001",
    "sia-kinto-two-editors-of-a-rule",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Filter rules in Kinto. A phone changes a rule between the editor's read and write; Kinto refuses and hands "
        "over the existing record, which the editor looks at and then gives up."
    ),
)
def rule(stage: Stage) -> None:
    """Kinto refuses the second editor."""
    rules = {f"rule-{n}": {"pattern": f"ads{n}.example", "action": "block", "weight": n} for n in range(1, 6)}
    server, base = stores.kinto(stage, "filter.lab.test", "shields/rules", rules)
    me = stage.actor("client", server, "filter.lab.test", "node:axios", lab.signed("redaktion"))
    other = stage.actor("other", server, "filter.lab.test", "requests", lab.signed("mobil"))
    with lab.beside(stage, server, "probe.lab.test", ["/v1/__heartbeat__", "/v1/"]):
        me.get("/v1/")
        me.get(f"{base}?_sort=-last_modified")
        lab.stroll(me, lab.names(base, "rule-1", "rule-3", "rule-5"), 6, 73)
        seen = me.get(f"{base}/rule-2")
        me.get(f"{base}/rule-4")
        theirs = other.get(f"{base}/rule-2")
        other.send(
            "PATCH",
            f"{base}/rule-2",
            200,
            {"If-Match": theirs.etag},
            {"data": {"action": "allow", "weight": 9}},
        )
        time.sleep(0.4)
        record = {name: value for name, value in seen.json["data"].items() if name != "last_modified"}
        refused = me.put(f"{base}/rule-2", {"data": {**record, "weight": 3}}, 412, {"If-Match": seen.etag})
        lab.must(refused.json["details"]["existing"]["weight"] == 9, refused.text)
        me.get(f"{base}/rule-2")
        me.get(f"{base}/rule-4", 304, {"If-None-Match": me.get(f"{base}/rule-4").etag})


@case(
    "d002",
    "sia-two-autosaves-overtake",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A notebook page saves on a timer and on leaving the field. Both PUTs leave within a few milliseconds under "
        "the same If-Match; the first is stored, the second refused. Nobody else is there."
    ),
)
def autosave(stage: Stage) -> None:
    """One page, two PUTs at once."""
    docs = {f"/notebooks/nb7/cells/{n}": lab.doc(kind="code", src=f"plot({n})", n=n) for n in range(1, 7)}
    server = lab.bench(stage, docs, "starlette", tag="guid", hold=0.35, voice="problem")
    head = {"User-Agent": "NotebookUI/4.2", "X-Session": "nb-51c0"}
    me = stage.actor("client", server, "notebooks.kern.test", "requests", head)
    lab.poll(me, lab.names("/notebooks/nb7/cells", "1", "2", "3"), 2)
    lab.chores(me, lab.names("/notebooks/nb7/cells", "4", "5", "6"), 4, 72, 200)
    seen = lab.edit(me, "/notebooks/nb7/cells/3", src="plot(3, log=True)")
    guard = {"If-Match": seen.etag}
    body = {**seen.json, "src": "plot(3, log=True, grid=1)"}
    lab.together(
        lambda: me.put("/notebooks/nb7/cells/3", body, 200, guard),
        lambda: me.put("/notebooks/nb7/cells/3", {**body, "cursor": 26}, 412, guard),
        lambda: me.get("/notebooks/nb7/cells/5"),
        gap=0.03,
    )
    me.get("/notebooks/nb7/cells/3")
    lab.poll(me, lab.names("/notebooks/nb7/cells", "1", "4"), 1)


@case(
    "d003",
    "sia-indexer-touches-the-upload",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "After each write a service indexes the record and notes that in it under its own name. The client's next "
        "write, with the tag of its own last answer, is refused; the record differs only in the indexer's part."
    ),
)
def indexer(stage: Stage) -> None:
    """The service writes after the client."""
    docs = {f"/specimens/{n}": lab.doc(id=n, species="Carabus", drawer=n % 4) for n in range(40, 46)}
    server = lab.bench(stage, docs, "aiohttp", tag="rev", job=[0.5])
    me = stage.actor("client", server, "specimens.museum.test", "httpx", lab.signed("kurator"))
    with lab.beside(stage, server, "probe.museum.test", ["/healthz", "/specimens/42"]):
        me.get("/specimens")
        lab.stroll(me, lab.names("/specimens", "40", "41"), 5, 11)
        made = lab.edit(me, "/specimens/44", drawer=9)
        me.get("/specimens/45")
        time.sleep(0.9)
        body = {**made.json, "label": "printed"}
        me.put("/specimens/44", body, 412, {"If-Match": made.etag})
        now = me.get("/specimens/44")
        lab.must(now.json["index"]["modifiedBy"] == "svc-indexer" and now.json["drawer"] == 9, now.text)
        lab.poll(me, lab.names("/specimens", "44", "45"), 1)


@case(
    "d004",
    "sia-child-write-moves-the-parent",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "An experiment's summary is recomputed by the service whenever one of its runs is stored. The client reads "
        "the summary, stores two runs and then writes the summary under the tag it has read: refused."
    ),
)
def parent(stage: Stage) -> None:
    """A linked resource moves the tag."""
    docs = {f"/experiments/x9/runs/{n}": lab.doc(run=n, yield_=0.5 + n / 10, ok=True) for n in range(1, 5)}
    docs["/experiments/x9"] = lab.doc(title="Katalyse", state="open", revision=4, modifiedBy="u:nora")
    links = {path: ["/experiments/x9"] for path in docs if "/runs/" in path}
    server = lab.bench(stage, docs, "bottle", tag="time", linked=links, voice="text", tongue="de")
    me = stage.actor("client", server, "eln.chemie.test", "java", lab.signed("nora"))
    summary = me.get("/experiments/x9")
    lab.stroll(me, lab.names("/experiments/x9/runs", "1", "4"), 8, 4)
    for run in ("2", "3"):
        lab.edit(me, f"/experiments/x9/runs/{run}", ok=False)
        time.sleep(0.2)
    closed = {**summary.json, "state": "closed"}
    me.put("/experiments/x9", closed, 412, {"If-Match": summary.etag})
    now = me.get("/experiments/x9")
    lab.must(now.json["modifiedBy"] == "service:rollup" and now.json["revision"] == 6, now.text)
    me.get("/experiments/x9/runs/3")


@case(
    "d005",
    "sia-image-replaced-during-ranges",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "A firmware image on nginx is fetched in ranges, each guarded by If-Match. A release job replaces the file "
        "after the third part; the fourth is refused and the client begins again."
    ),
)
def image(stage: Stage) -> None:
    """Ranges under If-Match, a file replaced meanwhile."""
    old, new = (
        "".join(f"{n:07x} old block\n" for n in range(900)),
        "".join(f"{n:07x} new bl\n" for n in range(990)),
    )
    files = {
        "fw/unit-8.bin": old,
        "fw/unit-8.sha256": "9a3c  unit-8.bin\n",
        "fw/index.json": '{"latest":"unit-8"}',
    }
    server = fronts.site(stage, "nginx", files)
    me = stage.actor("client", server, "fw.anlagen.test", "curl:trace-time", {"User-Agent": "updater/3.1"})
    me.get("/fw/index.json")
    lab.poll(me, lab.names("/fw", "index.json", "unit-8.sha256"), 2)
    head = me.send("HEAD", "/fw/unit-8.bin", 200)
    for part in range(3):
        span = f"bytes={part * 4000}-{part * 4000 + 3999}"
        me.get("/fw/unit-8.bin", 206, {"Range": span, "If-Match": head.etag})
        time.sleep(0.15)
    fronts.put_file(server.directory, "fw/unit-8.bin", new)
    fronts.put_file(server.directory, "fw/unit-8.sha256", "77d1  unit-8.bin\n")
    me.get("/fw/unit-8.bin", 412, {"Range": "bytes=12000-15999", "If-Match": head.etag})
    me.get("/fw/unit-8.sha256")
    again = me.send("HEAD", "/fw/unit-8.bin", 200)
    me.get("/fw/unit-8.bin", 206, {"Range": "bytes=0-7999", "If-Match": again.etag})
    me.get("/fw/unit-8.bin", 206, {"Range": "bytes=8000-15999", "If-Match": again.etag})


@case(
    "d006",
    "sia-parts-of-two-exports",
    "read-changed-mid-transfer",
    "mixed-206",
    alone="read-changed-mid-transfer",
    description=(
        "A viewer loads an export from lighttpd in unguarded ranges. The nightly job writes a new export in between: "
        "the later parts carry another tag and Last-Modified, and the pieces are put together all the same."
    ),
)
def parts(stage: Stage) -> None:
    """Ranges without a guard."""
    rows = "".join(f"2026-11-24;{n};{n * 3 % 97};ok\n" for n in range(1400))
    server = fronts.site(
        stage, "lighttpd", {"export/tag.txt": rows, "export/kopf.txt": "datum;nr;wert;stand\n"}
    )
    me = stage.actor("client", server, "export.messnetz.test", "urllib")
    me.get("/export/kopf.txt")
    tags, size = [], 6000
    for part in range(4):
        if part == 2:
            newer = "".join(f"2026-11-25;{n};{n * 5 % 89};neu\n" for n in range(1400))
            fronts.put_file(server.directory, "export/tag.txt", newer)
            time.sleep(1.2)
        span = f"bytes={part * size}-{part * size + size - 1}"
        tags.append(me.get("/export/tag.txt", 206, {"Range": span, **lab.PLAIN}).etag)
        time.sleep(0.2)
    lab.must(tags[1] != tags[2] and tags[0] == tags[1], tags)
    me.get("/export/kopf.txt", 304, {"If-None-Match": me.get("/export/kopf.txt").etag})


@case(
    "d007",
    "sia-seaweed-key-is-taken",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "boto3 stores a day's batch in SeaweedFS with If-None-Match: *; an earlier shift has already stored that "
        "key with content of its own, which the client then reads."
    ),
)
def taken(stage: Stage) -> None:
    """A key that is taken."""
    server = stage.server("seaweedfs")
    host = "s3.plasma.test"
    held = {
        "shots/0911.csv": "t,v\n0,1\n1,4\n",
        "shots/0912.csv": "shift=night\nt,v\n0,2\n",
        "conf/shot.json": "{}",
    }
    stores.bucket(stage, server, host, "shots", held)
    me = stores.Store(stage, "client", server, host)
    me.call("list_objects_v2", Bucket="shots", Prefix="shots/")
    me.call("get_object", Bucket="shots", Key="conf/shot.json")
    me.call("put_object", Bucket="shots", Key="shots/0913.csv", Body=b"t,v\n0,9\n", IfNoneMatch="*")
    me.call("put_object", 412, Bucket="shots", Key="shots/0912.csv", Body=b"t,v\n0,7\n", IfNoneMatch="*")
    me.call("head_object", Bucket="shots", Key="shots/0912.csv")
    lab.must("night" in me.call("get_object", Bucket="shots", Key="shots/0912.csv")["Text"])


@case(
    "d008",
    "sia-move-onto-a-taken-name",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A camera's uploader stores under a temporary name and moves the file into place with Overwrite: F. The "
        "final name is taken by another camera's picture; WsgiDAV refuses the MOVE."
    ),
)
def moved(stage: Stage) -> None:
    """MOVE with Overwrite: F."""
    files = {"eingang/IMG_0101.txt": "cam-2 frame 101\n", "eingang/IMG_0100.txt": "cam-2 frame 100\n"}
    server = lab.wsgidav(stage, files)
    me = stage.actor("client", server, "bilder.labor.test", "requests", {"User-Agent": "cam-1 uploader"})
    lab.propfind(me, "/eingang/")
    lab.stroll(me, lab.names("/eingang", "IMG_0100.txt", "IMG_0101.txt"), 5, 8)
    for number, expect in ((102, 201), (101, 412)):
        temporary = f"/eingang/.part-{number}"
        me.put(temporary, f"cam-1 frame {number}\n", 201)
        target = f"http://bilder.labor.test/eingang/IMG_0{number}.txt"
        me.send("MOVE", temporary, expect, {"Destination": target, "Overwrite": "F"})
    lab.must("cam-2" in me.get("/eingang/IMG_0101.txt").text)
    me.send("DELETE", "/eingang/.part-101", 204)
    lab.propfind(me, "/eingang/")


@case(
    "d009",
    "sia-appointment-deleted-on-the-phone",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A phone deletes an appointment in Radicale; the desktop, which still shows it, moves it with If-Match and "
        "gets 412. Its read gives 404, and it takes the appointment away."
    ),
)
def deleted(stage: Stage) -> None:
    """Move what is gone."""
    events = {
        f"t{n}": lab.appointment(f"t{n}", f"Gerätezeit {n}", f"202612{10 + n}T080000Z") for n in range(1, 5)
    }
    server = stores.radicale(stage, "kalender.labor.test", "frei", "/frei/geraete/", events)
    me = stage.actor("client", server, "kalender.labor.test", "curl:trace-time", lab.signed("frei"))
    phone = {**lab.signed("frei"), "User-Agent": "CalPhone/9"}
    other = stage.actor("other", server, "kalender.labor.test", "aiohttp", phone)
    with lab.beside(stage, server, "probe.labor.test", ["/.web/"]):
        lab.propfind(me, "/frei/geraete/")
        seen = me.get("/frei/geraete/t3.ics")
        me.get("/frei/geraete/t1.ics")
        lab.poll(me, lab.names("/frei/geraete", "t1.ics", "t2.ics"), 1)
        lab.propfind(other, "/frei/geraete/")
        other.send(
            "DELETE", "/frei/geraete/t3.ics", 200, {"If-Match": other.get("/frei/geraete/t3.ics").etag}
        )
        time.sleep(0.5)
        moved_to = lab.appointment("t3", "Gerätezeit 3", "20261214T080000Z")
        me.put("/frei/geraete/t3.ics", moved_to, 412, {**lab.CALENDAR, "If-Match": seen.etag})
        me.get("/frei/geraete/t3.ics", 404)
        lab.propfind(me, "/frei/geraete/")
