"""Servers that make odd tags, or evaluate conditions in their own way."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.mia_setting import (
    JSON,
    PLAIN,
    C,
    around,
    desk,
    doc,
    dump,
    sure,
    together,
)

_TEXT = {"Content-Type": "text/plain"}


@case(
    "b445",
    "mia-tag-hashes-the-request-id",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "The tag is made over an envelope with the request's id: three reads of one draft give three tags for the "
        "same octets and the same Last-Modified, a poll never gets 304, and the PUT is refused."
    ),
)
def unstable(stage: Stage) -> None:
    """Read tags that never come again."""
    server = desk(stage, "flask", {"/drafts/law-9": doc({"law": 9, "clauses": 31})}, unstable=True)
    me = stage.actor(
        "client", fronts.haproxy(stage, [server]), "drafts.senate.test", "urllib", {"X-Clerk": "12"}
    )
    seen = [me.get("/drafts/law-9") for _ in range(3)]
    sure(
        holds=len({one.etag for one in seen}) == 3 and len({one.body for one in seen}) == 1,
        otherwise="stable",
    )
    me.get("/drafts/law-9", 200, {"If-None-Match": seen[-1].etag})
    me.put("/drafts/law-9", {"law": 9, "clauses": 32}, 412, {"If-Match": me.get("/drafts/law-9").etag})
    me.get("/drafts/law-9")


@case(
    "b446",
    "mia-put-answers-with-a-counter",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "A save is answered with a tag that is a counter; reads give a hash, and only hashes match. The client chains "
        "the tag of its own save and is refused; the read shows its own text under a hash."
    ),
)
def counter(stage: Stage) -> None:
    """Chain a tag that only the answers to writes have."""
    tune = {"name": "The Kesh", "key": "G", "bars": 16}
    server = desk(stage, "aiohttp", {"/tunes/kesh": doc(tune)}, put_tag="rev", tag="md5", dated=False)
    me = stage.actor("client", server, "tunes.session.test", "httpx", {"X-Player": "niamh"})
    around(me, 14)
    tag = me.get("/tunes/kesh").etag
    chained = me.put("/tunes/kesh", {**tune, "key": "D"}, 200, {"If-Match": tag}).etag
    me.put("/tunes/kesh", {**tune, "key": "D", "bars": 32}, 412, {"If-Match": chained})
    now = me.get("/tunes/kesh")
    sure(holds=now.json == {**tune, "key": "D"} and now.etag != chained, otherwise="not as told")
    me.put("/tunes/kesh", {**tune, "key": "D", "bars": 32}, 200, {"If-Match": now.etag})


@case(
    "b447",
    "mia-tomcat-only-weak",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Tomcat's DefaultServlet gives weak tags only, with identity as well: a PUT with its tag is always refused; "
        "guarded by date instead it passes."
    ),
)
def tomcat(stage: Stage) -> None:
    """Send a tag that is always weak."""
    server = stage.server("tomcat")
    rows = "id,name\n1,weir\n2,lock\n"
    target = server.directory / "webapps" / "ROOT" / "works.csv"
    fronts.put_file(target.parent, "works.csv", rows, age=5000)
    me = stage.actor("client", server, "works.canal.test", "java", {"User-Agent": "LockKeeper/4.0"})
    weak = me.get("/works.csv", 200, PLAIN)
    sure(holds=weak.etag.startswith("W/"), otherwise=weak.etag)
    me.put("/works.csv", rows + "3,sluice\n", 412, {"If-Match": weak.etag, "Content-Type": C})
    me.send("HEAD", "/works.csv", 200, PLAIN)
    guard = {"If-Unmodified-Since": weak.fields["last-modified"], "Content-Type": C}
    me.put("/works.csv", rows + "3,sluice\n", 204, guard)


@case(
    "b448",
    "mia-apache-tag-still-young",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A job stores a list on Apache's DAV, reads it back at once and gets a weak tag; the PUT with it is refused. "
        "Two seconds later the same opaque value is strong and the PUT passes."
    ),
)
def young(stage: Stage) -> None:
    """Write twice in a second on Apache."""
    server = fronts.site(stage, "apache2", {"lists/old.txt": "old\n"}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "dav.choir.test", "requests", {"User-Agent": "lists-nightly/2"})
    me.put("/lists/alto.txt", "Ines\nMaud\n", 201, {"If-None-Match": "*", **_TEXT})
    weak = me.get("/lists/alto.txt").etag
    sure(holds=weak.startswith("W/"), otherwise=weak)
    me.put("/lists/alto.txt", "Ines\nMaud\nRuth\n", 412, {"If-Match": weak, **_TEXT})
    time.sleep(2.2)
    strong = me.get("/lists/alto.txt").etag
    sure(holds=f"W/{strong}" == weak, otherwise=strong)
    me.put("/lists/alto.txt", "Ines\nMaud\nRuth\n", 204, {"If-Match": strong, **_TEXT})


@case(
    "b449",
    "mia-star-matches-nothing",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "If-Match: * on a document that exists (200 before and after, same tag) is 412: the server compares the star "
        "as if it were a tag. With the tag itself the PUT passes."
    ),
)
def star(stage: Stage) -> None:
    """Send a star to a server that does not know it."""
    docs = {
        "/signs/exit": doc({"text": "Exit", "lang": "en"}),
        "/signs/lift": doc({"text": "Lift", "lang": "en"}),
    }
    server = desk(stage, "starlette", docs, bug="star", shape="code", tag="uuid")
    me = stage.actor(
        "client", fronts.lighttpd(stage, server), "signs.airport.test", "curl", {"X-Team": "signs"}
    )
    tag = me.get("/signs/exit").etag
    new = dump({"text": "Way out", "lang": "en"})
    me.put("/signs/exit", new, 412, {"If-Match": "*", **JSON})
    sure(holds=me.get("/signs/exit").etag == tag, otherwise="it has moved")
    me.put("/signs/exit", new, 200, {"If-Match": tag, **JSON})


@case(
    "b450",
    "mia-compared-with-the-tag-of-afterwards",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "The framework compares If-Match with the tag of the page after the save: every save is stored and answered "
        "412 within milliseconds. The read after it shows the client's own text; the origin got one PUT each time."
    ),
)
def afterwards(stage: Stage) -> None:
    """Be refused and stored at once."""
    docs = {"/maps/harbour": doc({"title": "Harbour", "layers": 3}), "/maps/forest": doc({"title": "Forest"})}
    server = desk(stage, "flask", docs, post_commit=True, tag="sha", shape="html")
    me = stage.actor(
        "client", fronts.nginx(stage, server), "maps.scouts.test", "requests", {"Cookie": "u=14"}
    )
    around(me, 2)
    tag = me.get("/maps/harbour").etag
    me.put("/maps/harbour", {"title": "Harbour", "layers": 4, "by": "u14"}, 412, {"If-Match": tag})
    seen = me.get("/maps/harbour")
    sure(holds=seen.json.get("by") == "u14" and seen.etag != tag, otherwise="not stored")
    around(me, 3)
    time.sleep(1.2)
    tag = me.get("/maps/forest").etag
    me.put("/maps/forest", {"title": "Forest", "layers": 1, "by": "u14"}, 412, {"If-Match": tag})
    sure(holds=me.get("/maps/forest").json["by"] == "u14", otherwise="not stored")


@case(
    "b451",
    "mia-nginx-dav-looks-at-no-condition",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "nginx's own DAV never reads If-Match on PUT: a list is stored with the tag of an outdated read (a newer tag "
        "was seen in between), 204, and the colleague's line is gone."
    ),
)
def nginx_dav(stage: Stage) -> None:
    """Store with an outdated tag on nginx."""
    server = fronts.site(stage, "nginx", {"kit/list.txt": "tent\nrope\n"}, fronts.DAV["nginx"])
    me = stage.actor("client", server, "kit.climb.test", "node", {"User-Agent": "kitlist/1"})
    other = stage.actor("other", server, "kit.climb.test", "urllib", {"User-Agent": "kitlist/1"})
    tag = me.get("/kit/list.txt").etag
    other.put(
        "/kit/list.txt", "tent\nrope\nstove\n", 204, {"If-Match": other.get("/kit/list.txt").etag, **_TEXT}
    )
    time.sleep(0.6)
    sure(holds=me.get("/kit/list.txt").etag != tag, otherwise="not moved")
    me.put("/kit/list.txt", "tent\nrope\nmap\n", 204, {"If-Match": tag, **_TEXT})
    sure(holds="stove" not in me.get("/kit/list.txt").text, otherwise="nothing was lost")


@case(
    "b401",
    "mia-resume-with-a-failed-if-range",
    "precondition-ignored",
    "wrong-206",
    alone="precondition-ignored read-changed-mid-transfer",
    also="read-changed-mid-transfer",
    description=(
        "A download is resumed with If-Range of the first part's tag; the file has been replaced, so the whole is due, "
        "but the server answers 206 with the rest of the new file under another tag."
    ),
)
def resume(stage: Stage) -> None:
    """Resume a download on a server that does not look at If-Range."""
    tape = "".join(f"minute {n}: {'la' * (n % 9)}\n" for n in range(120))
    docs = {"/tapes/12.txt": doc(tape, 300000, "text/plain")}
    server = desk(stage, "stdlib", docs, ranges="always", tag="size")
    me = stage.actor("client", server, "tapes.radio.test", "curl", {"Accept-Encoding": "identity"})
    other = stage.actor("other", server, "tapes.radio.test", "requests", {"User-Agent": "cutter/5"})
    first = me.get("/tapes/12.txt", 206, {"Range": "bytes=0-899"})
    me.get("/tapes/12.txt", 206, {"Range": "bytes=900-1299", "If-Range": first.etag})
    other.put("/tapes/12.txt", tape.replace("minute", "min"), 200, _TEXT)
    time.sleep(0.9)
    rest = me.get("/tapes/12.txt", 206, {"Range": "bytes=1300-", "If-Range": first.etag})
    sure(holds=rest.etag != first.etag, otherwise="not replaced")


@case(
    "b452",
    "mia-two-saves-pass-one-check",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    also="self-race",
    description=(
        "The server checks the tag, works for a moment, then stores without looking again: two saves of one program "
        "with one tag overlap and both are answered 200. One of the two texts is gone."
    ),
)
def both(stage: Stage) -> None:
    """Let two saves through with one tag."""
    ledger = {"account": "boat", "balance": 900, "entries": 4}
    server = desk(stage, "starlette", {"/ledgers/boat": doc(ledger)}, racy=0.35, tag="rev", shape="code")
    me = stage.actor(
        "client", fronts.traefik(stage, [server]), "ledger.club.test", "requests", {"X-Key": "bank"}
    )
    tag = me.get("/ledgers/boat").etag

    def book(amount: int, pause: float) -> None:
        time.sleep(pause)
        new = {"account": "boat", "balance": 900 + amount, "entries": 5}
        me.put("/ledgers/boat", new, 200, {"If-Match": tag})

    together(lambda: book(120, 0.0), lambda: book(-45, 0.1))
    time.sleep(0.3)
    sure(holds=me.get("/ledgers/boat").json["entries"] == 5, otherwise="both are there")


@case(
    "b453",
    "mia-store-keeps-fractions",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "The store keeps microseconds, the header whole seconds: If-Unmodified-Since with the served Last-Modified, "
        "byte for byte, is refused; one second more passes, and nobody else wrote."
    ),
)
def fractions(stage: Stage) -> None:
    """Echo a date that has lost its fraction."""
    docs = {"/samples/b12": doc({"sample": "b12", "state": "frozen"}, 7321.5)}
    server = desk(stage, "flask", docs, etag=False, fraction=True, shape="plain")
    me = stage.actor("client", server, "samples.bio.test", "httpx", {"Authorization": "Bearer bench"})
    date = me.get("/samples/b12").fields["last-modified"]
    new = {"sample": "b12", "state": "thawed"}
    me.put("/samples/b12", new, 412, {"If-Unmodified-Since": date})
    sure(holds=me.get("/samples/b12").fields["last-modified"] == date, otherwise="it has moved")
    me.put("/samples/b12", new, 200, {"If-Unmodified-Since": _later(date)})


def _later(date: str) -> str:
    parts = date.split(" ")
    hour, minute, second = (int(one) for one in parts[4].split(":"))
    total = hour * 3600 + minute * 60 + second + 1
    parts[4] = f"{total // 3600:02}:{total % 3600 // 60:02}:{total % 60:02}"
    return " ".join(parts)
