"""Stories of true changes: a colleague, oneself, the service, a replaced file, a thing there or gone."""

from __future__ import annotations

import base64
import threading
import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.ada_desk import Ask, Desk, Reply, Sheet, hashed, numbered
from tools.recording_apis.stage import case
from tools.recording_apis.stories import ada_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "d340",
    "ada-museum-label-changed-by-the-curator",
    "other-writer",
    "recovered",
    alone="other-writer",
    description=(
        "A registrar edits the label of an exhibit; the curator saves another field between the registrar's read "
        "and save, which is refused. Re-read, merged and saved, it goes through. FastAPI behind nginx."
    ),
)
def curator(stage: Stage) -> None:
    """Be overtaken by a colleague."""
    rows = {
        f"/exhibits/{n}": {"inv": n, "title": "Amphora", "room": 4, "label": "Attic, 520 BC"}
        for n in (71, 72, 88)
    }
    side = at.beside("/loans", 4, state="out")
    desk = Desk(
        {**rows, **side},
        hashed,
        words={412: {"title": "Precondition Failed", "detail": "Exhibit was edited meanwhile."}},
    )

    def view(_ask: Ask, path: str, sheet: Sheet) -> Reply:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(sheet.at))
        return Reply(200, {**sheet.data, "editedBy": sheet.by, "editedAt": stamp}, desk.marks(path, sheet))

    desk.view = view  # type: ignore[method-assign]
    front = fronts.nginx(stage, at.desk(stage, desk, "fastapi"))
    me = stage.actor("client", front, "collection.museum.test", "httpx", {"X-Staff": "registrar"})
    other = stage.actor("other", front, "collection.museum.test", "requests", {"X-Staff": "curator"})
    at.rounds(me, "/status", "/exhibits")
    at.rounds(me, "/exhibits/71", again=True)
    at.busy(me, side, "state", 9, 340)
    mine = me.get("/exhibits/72")
    at.pause()
    me.get("/exhibits/88")
    theirs = other.get("/exhibits/72")
    other.send("PATCH", "/exhibits/72", 200, {"If-Match": theirs.etag}, {"room": 9})
    at.pause(1.1)
    me.send("PATCH", "/exhibits/72", 412, {"If-Match": mine.etag}, {"label": "Attic, about 515 BC"})
    now = me.get("/exhibits/72")
    at.need(now.json["room"] == 9 and now.json["editedBy"] == "curator")
    at.pause()
    me.send("PATCH", "/exhibits/72", 200, {"If-Match": now.etag}, {"label": "Attic, about 515 BC"})
    at.busy(me, side, "state", 6, 1340)
    at.rounds(me, "/exhibits/72", "/status")


@case(
    "d341",
    "ada-two-autosaves-in-flight",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "An editor of sermons saves on every pause in typing without waiting for the save before: two PUTs with one "
        "tag are under way together, the second is refused. Nobody else is there. Express."
    ),
)
def autosave(stage: Stage) -> None:
    """Race oneself."""
    rows = {f"/drafts/{n}": {"draft": n, "text": "In the beginning"} for n in ("easter", "lent")}
    side = at.beside("/hymns", 3, verse="1")
    server = at.counter(stage, "express", {**rows, **side}, delay=140)
    me = stage.actor(
        "client", server, "drafts.parish.test", "httpx", {"User-Agent": "quill/2.1", "X-Session": "s-83"}
    )
    at.rounds(me, "/drafts", "/drafts/lent")
    at.busy(me, side, "verse", 7, 341)
    seen = me.get("/drafts/easter")
    saved = me.put(
        "/drafts/easter", {"draft": "easter", "text": "In the beginning was"}, 200, {"If-Match": seen.etag}
    )
    for number in range(2):
        at.pause(0.7)
        texts = [f"In the beginning was the word{'.' * (number * 2 + more)}" for more in (0, 1)]
        tag = saved.etag

        def save(text: str, tag: str = tag) -> Answer:
            return me.put("/drafts/easter", {"draft": "easter", "text": text}, (200, 412), {"If-Match": tag})

        got = at.together(lambda t=texts[0]: save(t), lambda t=texts[1]: save(t), apart=0.03)  # type: ignore[misc]
        at.need(sorted(one.status for one in got) == [200, 412])
        at.pause(0.3)
        saved = me.get("/drafts/easter")
    at.busy(me, side, "verse", 6, 1341)
    last = {"draft": "easter", "text": "In the beginning was the word. Amen."}
    me.put("/drafts/easter", last, 200, {"If-Match": saved.etag})
    at.rounds(me, "/drafts/easter", "/ready")


@case(
    "d342",
    "ada-the-indexer-fills-in-the-language",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "Half a second after each save of a transcript the service's own indexer adds the language and the count of "
        "words (lastModifiedBy svc-indexer), so that the tag of the save's answer is outdated at the next save: 412."
    ),
)
def indexer(stage: Stage) -> None:
    """Be overtaken by the service itself."""
    rows = {
        f"/transcripts/{n}": {"id": n, "text": "Guten Morgen", "language": "de", "words": 2}
        for n in (310, 311)
    }
    side = at.beside("/programmes", 4, host="Jan")
    said = {"code": "STALE", "message": "transcript has a newer revision"}
    desk = Desk({**rows, **side}, numbered, words={412: said}, rev=5)

    def view(_ask: Ask, path: str, sheet: Sheet) -> Reply:
        shown = {**sheet.data, "rev": sheet.rev, "lastModifiedBy": sheet.by}
        return Reply(200, shown, desk.marks(path, sheet))

    def later(path: str) -> None:
        time.sleep(0.5)
        with desk.lock:
            data = desk.sheets[path].data
            new = {**data, "language": "de", "words": len(data["text"].split())}
            desk.put_down(path, new, "svc-indexer")

    desk.view = view  # type: ignore[method-assign]

    def stored(_ask: Ask, path: str, _sheet: Sheet) -> None:
        if path.startswith("/transcripts"):
            threading.Thread(target=later, args=(path,), daemon=True).start()

    desk.stored = stored
    server = at.desk(stage, desk, "litestar")
    me = stage.actor("client", server, "transcripts.radio.test", "aiohttp", {"X-Staff": "inge"})
    at.rounds(me, "/transcripts", "/transcripts/311")
    at.busy(me, side, "host", 8, 342)
    held = me.get("/transcripts/310")
    saved = me.send(
        "PATCH", "/transcripts/310", 200, {"If-Match": held.etag}, {"text": "Guten Morgen Berlin"}
    )
    at.pause(1.3)
    me.send("PATCH", "/transcripts/310", 412, {"If-Match": saved.etag}, {"text": "Guten Morgen Potsdam"})
    at.pause(1.3)
    at.busy(me, side, "host", 5, 1342)
    now = me.get("/transcripts/310")
    at.need(now.json["lastModifiedBy"] == "svc-indexer" and now.json["words"] == 3)
    body = {"text": "Guten Morgen Potsdam, hallo"}
    saved = me.send("PATCH", "/transcripts/310", 200, {"If-Match": now.etag}, body)
    at.pause(1.2)
    me.send("PATCH", "/transcripts/310", 412, {"If-Match": saved.etag}, {"title": "Morgenmagazin"})
    now = me.get("/transcripts/310")
    me.send("PATCH", "/transcripts/310", 200, {"If-Match": now.etag}, {"title": "Morgenmagazin"})


@case(
    "d343",
    "ada-nightly-dump-replaced-under-the-download",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "A dump is fetched in parts with Range and If-Match from Apache; the job that makes it puts a new one there "
        "while the third part is due, which is refused. The download begins anew and comes through."
    ),
)
def dump(stage: Stage) -> None:
    """Fetch parts of what is replaced."""
    old = "".join(f"{n};Ghent;{n * 37 % 91}\n" for n in range(420))
    files = {"dumps/stations.csv": old, "dumps/readme.txt": "one line a station\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "open.weather.test", "curl")
    other = stage.actor("other", server, "open.weather.test", "urllib", {"User-Agent": "dump-job/1"})
    me.get("/dumps/readme.txt")
    told = me.send("HEAD", "/dumps/stations.csv", 200)
    tag, size = told.etag, int(told.fields["content-length"])
    at.need(not tag.startswith("W/"))
    for begin in (0, 1500):
        me.get("/dumps/stations.csv", 206, {"Range": f"bytes={begin}-{begin + 1499}", "If-Match": tag})
        at.pause(0.2)
    new = "".join(f"{n};Ghent;{n * 41 % 97};ok\n" for n in range(430))
    other.put("/dumps/stations.csv", new, 204, {"Content-Type": "text/csv"})
    at.pause(1.6)
    me.get("/dumps/stations.csv", 412, {"Range": "bytes=3000-4499", "If-Match": tag})
    again = me.send("HEAD", "/dumps/stations.csv", 200)
    at.need(again.etag != tag and not again.etag.startswith("W/"))
    size = int(again.fields["content-length"])
    for begin in range(0, size, 3000):
        span = {"Range": f"bytes={begin}-{min(begin + 2999, size - 1)}", "If-Match": again.etag}
        me.get("/dumps/stations.csv", 206, span)
        at.pause(0.1)


def _basic(name: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{name}-2026".encode()).decode()}


@case(
    "d344",
    "ada-kinto-record-is-there-already",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A device sets its profile up in Kinto with If-None-Match: *, as it does for three records; one of them was "
        "made earlier by the web page, and is refused. It reads that one and goes on with it."
    ),
)
def profile(stage: Stage) -> None:
    """Create what somebody has made."""
    server = stage.server("kinto")
    me = stage.actor(
        "client", server, "sync.readers.test", "requests", {**_basic("nora"), "User-Agent": "reader-ink/4"}
    )
    web = stage.actor("other", server, "sync.readers.test", "node:fetch", _basic("nora"))
    web.put("/v1/accounts/nora", {"data": {"password": "nora-2026"}}, 201, {"Authorization": ""})
    web.put("/v1/buckets/default/collections/shelf", {"data": {}}, (200, 201))
    base = "/v1/buckets/default/collections/shelf/records"
    made = web.put(f"{base}/settings", {"data": {"font": "serif", "size": 18}}, 201, {"If-None-Match": "*"})
    web.put(f"{base}/settings", {"data": {"font": "serif", "size": 20}}, 200, {"If-Match": made.etag})
    at.pause(1.0)
    me.get("/v1/")
    for name, status in (("device-ink4", 201), ("settings", 412), ("queue", 201)):
        body = {"data": {"font": "sans", "size": 14, "of": name}}
        me.put(f"{base}/{name}", body, status, {"If-None-Match": "*"})
        at.pause(0.2)
    seen = me.get(f"{base}/settings")
    at.need(seen.json["data"]["size"] == 20)
    listed = me.get(base)
    me.get(base, 304, {"If-None-Match": listed.etag})
    me.send("PATCH", f"{base}/settings", 200, {"If-Match": seen.etag}, {"data": {"night": True}})


@case(
    "d345",
    "ada-the-page-was-removed-in-the-meantime",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A colleague removes a file from Apache's DAV while an author has it open; the author's save with the file's "
        "tag is refused, a look shows 404, and so is the second save. Another file is saved as ever."
    ),
)
def removed(stage: Stage) -> None:
    """Save what is gone."""
    files = {"council/agenda.txt": "1. Bins\n2. Lights\n", "council/minutes.txt": "Present: all\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"], age=90000)
    me = stage.actor(
        "client", server, "files.parish-council.test", "requests", {"User-Agent": "notepad-dav/0.9"}
    )
    other = stage.actor("other", server, "files.parish-council.test", "curl")
    text = {"Content-Type": "text/plain"}
    me.send("PROPFIND", "/council/", 207, {"Depth": "1"})
    seen = me.get("/council/agenda.txt")
    at.pause()
    other.send("DELETE", "/council/agenda.txt", 204)
    at.pause(0.8)
    minutes = me.get("/council/minutes.txt")
    me.put("/council/minutes.txt", "Present: all but one\n", 204, {**text, "If-Match": minutes.etag})
    me.put("/council/agenda.txt", "1. Bins\n2. Lights\n3. Bench\n", 412, {**text, "If-Match": seen.etag})
    me.get("/council/agenda.txt", 404)
    at.pause(0.6)
    me.put("/council/agenda.txt", "1. Bins\n2. Lights\n3. Bench\n", 412, {**text, "If-Match": seen.etag})
    me.send("PROPFIND", "/council/", 207, {"Depth": "1"})
    other.get("/council/minutes.txt")
