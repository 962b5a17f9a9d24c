"""Calm days on imitated APIs in use and on applications of one's own."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res, Versions
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _index() -> Box:
    box = Box({f"/shop/_doc/{n}": {"sku": n, "stock": 5} for n in (1, 2, 3)}, first=20)
    box.show = lambda _req, path, doc: Res(
        200,
        {
            "_index": "shop",
            "_id": path[-1],
            "_seq_no": doc.rev,
            "_primary_term": 2,
            "found": True,
            "_source": doc.data,
        },
    )
    box.answer_write = lambda _req, path, doc, _made: Res(
        200, {"_index": "shop", "_id": path[-1], "result": "updated", "_seq_no": doc.rev, "_primary_term": 2}
    )

    def judge(req: Req, doc: Doc | None) -> Res | None:
        sent = req.query.get("if_seq_no")
        if doc is None or sent is None or int(sent) == doc.rev:
            return None
        reason = f"[{req.path[-1]}]: version conflict, required seqNo [{sent}], primary term [2]. current document has seqNo [{doc.rev}] and primary term [2]"
        return Res(
            409,
            {
                "error": {"type": "version_conflict_engine_exception", "reason": reason, "index": "shop"},
                "status": 409,
            },
        )

    box.judge = judge
    return box


@case(
    "d316",
    "vic-search-index-heals-its-conflicts",
    "none",
    "healthy",
    alone="none other-writer",
    synthetic=True,
    description=(
        "Two feeders update an Elasticsearch index with if_seq_no. When one is told 409 it reads the document again, "
        "puts its own field onto the other's version and is taken; both fields are in the final document."
    ),
)
def feeders(stage: Stage) -> None:
    """Heal a version conflict."""
    box = _index()
    server = place.open_box(stage, box, "stdlib", "Elasticsearch")
    me = stage.actor("client", server, "search.shop.test", "aiohttp", {"User-Agent": "feed-stock/2"})
    other = stage.actor("other", server, "search.shop.test", "httpx", {"User-Agent": "feed-price/2"})
    place.aside(box, me, "/_cluster/health", "/shop/_mapping")
    for number in (1, 3, 2):
        mine, theirs = me.get(f"/shop/_doc/{number}").json, other.get(f"/shop/_doc/{number}").json
        other.put(
            f"/shop/_doc/{number}?if_seq_no={theirs['_seq_no']}&if_primary_term=2",
            {**theirs["_source"], "price": 9},
            200,
        )
        place.rest(0.3)
        place.aside(box, me, "/_cat/indices?format=json")
        body = {**mine["_source"], "stock": 7}
        me.put(f"/shop/_doc/{number}?if_seq_no={mine['_seq_no']}&if_primary_term=2", body, 409)
        again = me.get(f"/shop/_doc/{number}").json
        body = {**again["_source"], "stock": 7}
        me.put(f"/shop/_doc/{number}?if_seq_no={again['_seq_no']}&if_primary_term=2", body, 200)
        place.sure(
            other.get(f"/shop/_doc/{number}").json["_source"] == {"sku": number, "stock": 7, "price": 9}
        )


@case(
    "d317",
    "vic-code-host-files-one-after-the-other",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A release program stores files through GitHub's contents interface one after the other, each with the sha of "
        "the answer before; a missing file is created after its 404, and lists are polled with their tags: all well."
    ),
)
def contents(stage: Stage) -> None:
    """Store files in order."""
    root = "/repos/acme/site/contents"

    def sha(doc: Doc) -> str:
        return hashlib.sha1(b"blob " + doc.octets).hexdigest()  # noqa: S324 - as Git names blobs

    box = Box(
        {f"{root}/{n}.md": {"content": base64.b64encode(n.encode()).decode()} for n in ("faq", "news")},
        lambda _p, d: f'W/"{d.digest("sha256")}"',
    )

    def show(_req: Req, path: str, doc: Doc) -> Res:
        tag = {"ETag": f'W/"{doc.digest("sha256")}"'}
        return Res(
            200, {"path": path.rpartition("/")[2], "sha": sha(doc), "content": doc.data["content"]}, tag
        )

    def judge(req: Req, doc: Doc | None) -> Res | None:
        if doc is None or req.json.get("sha") == sha(doc):
            return None
        return Res(409, {"message": f"{req.path} is at {sha(doc)} but expected {req.json.get('sha')}"})

    box.show, box.judge = show, judge
    box.change = lambda req, _doc: {"content": req.json["content"]}
    box.answer_write = lambda req, path, doc, made: Res(
        201 if made else 200, {"content": show(req, path, doc).body}
    )
    server = place.open_box(stage, box, "cheroot", "GitHub")
    me = stage.actor(
        "client",
        server,
        "api.code.example",
        "requests",
        {"Authorization": "token ghx", "User-Agent": "release/4"},
    )
    place.aside(box, me, "/rate_limit", "/user")
    for name in ("faq", "news"):
        seen = me.get(f"{root}/{name}.md")
        me.get(f"{root}/{name}.md", 304, {"If-None-Match": seen.etag})
        known = seen.json["sha"]
        for text in ("eHg=", "eHl6"):
            body = {"message": f"{name}", "content": text, "sha": known}
            known = me.put(f"{root}/{name}.md", body, 200).json["content"]["sha"]
    me.get(f"{root}/terms.md", 404)
    me.put(f"{root}/terms.md", {"message": "terms", "content": "dA=="}, 201)
    me.get(f"{root}/terms.md")


@case(
    "d318",
    "vic-wiki-page-rebased",
    "none",
    "healthy",
    alone="none other-writer",
    synthetic=True,
    description=(
        "Confluence: a bot and a person edit the same page; the bot is told 409 once, reads the page, appends its line "
        "to the person's text under the next version number and is taken; nothing is lost."
    ),
)
def rebased(stage: Stage) -> None:
    """Rebase an edit of a page."""
    box = Versions(
        {f"/wiki/api/v2/pages/{n}": {"title": f"P{n}", "body": "<p>one</p>"} for n in (71, 72)}, first=8
    )
    box.marked = lambda doc: {**doc.data, "version": {"number": doc.rev}}
    box.sent = lambda req: req.json["version"]["number"] - 1
    box.say = {
        409: {
            "errors": [{"status": 409, "code": "CONFLICT", "title": "Version must be incremented on update."}]
        }
    }
    server = place.open_box(stage, box, "waitress", "Confluence")
    me = stage.actor("client", server, "wiki.office.example", "node:fetch", {"User-Agent": "status-bot/2"})
    other = stage.actor("other", server, "wiki.office.example", "requests", {"User-Agent": "editor/1"})
    place.aside(box, me, "/wiki/api/v2/spaces?keys=OPS")

    def edit(who: Any, base: Any, line: str, expect: int) -> None:
        body = {**base, "body": base["body"] + line, "version": {"number": base["version"]["number"] + 1}}
        who.put("/wiki/api/v2/pages/71", body, expect)

    me.get("/wiki/api/v2/pages/72")
    mine, theirs = me.get("/wiki/api/v2/pages/71").json, other.get("/wiki/api/v2/pages/71").json
    edit(other, theirs, "<p>two</p>", 200)
    place.rest(0.6)
    place.aside(box, me, "/wiki/api/v2/tasks")
    edit(me, mine, "<p>bot</p>", 409)
    edit(me, me.get("/wiki/api/v2/pages/71").json, "<p>bot</p>", 200)
    place.sure(me.get("/wiki/api/v2/pages/71").json["body"] == "<p>one</p><p>two</p><p>bot</p>")
    me.get("/wiki/api/v2/pages/72")


def _hash(_path: str, doc: Doc) -> str:
    return f'"{doc.digest("sha256")[:20]}"'


@case(
    "d297",
    "vic-a-strict-service-on-a-plain-day",
    "none",
    "healthy",
    alone="none",
    description=(
        "A service that insists on conditions, used well: reads by tag and by date, writes with the newest tag of an "
        "answer, a wildcard on what exists, creates, deletions, a 404 and a 405; three users and no refusal."
    ),
)
def strict(stage: Stage) -> None:
    """Use a strict service well."""
    box = Box({**place.side("/bikes", 5), **place.side("/racks", 3)}, _hash, dates=True, need=428)
    server = place.open_box(stage, box, "flask")
    me = stage.actor("client", server, "bikes.rental.example", "java", {"X-User": "front"})
    other = stage.actor("other", server, "bikes.rental.example", "node:fetch", {"X-User": "workshop"})
    place.stroll(me, list(place.side("/bikes", 3)), 9, 41)
    one = other.get("/racks/18")
    two = other.put("/racks/18", {**one.json, "free": 3}, 200, {"If-Match": one.etag})
    other.put("/racks/18", {**one.json, "free": 2}, 200, {"If-Match": two.etag})
    me.put("/bikes/900", {"id": 900, "state": "open"}, 201, {"If-None-Match": "*"})
    me.send("PATCH", "/bikes/39", 200, {"If-Match": "*"}, {"bell": True})
    me.send("DELETE", "/bikes/900", 204, {"If-Match": me.get("/bikes/900").etag})
    me.get("/bikes/900", 404)
    me.get("/racks/11", 304, {"If-Modified-Since": me.get("/racks/11").fields["last-modified"]})


@case(
    "d337",
    "vic-five-waiters-one-restaurant",
    "none",
    "healthy",
    alone="none",
    description=(
        "Three waiters and the kitchen change the tables' orders in turns, each with the version of a read just before; "
        "several of them touch the same table one after the other, every save is taken and every dish is there."
    ),
)
def restaurant(stage: Stage) -> None:
    """Write one after the other."""
    box = Versions({f"/tables/{n}": {"table": n, "dishes": []} for n in (1, 2, 3)}, "seq", need=422)
    server = place.open_box(stage, box, "falcon")
    crew = [
        stage.actor(name, server, "tables.trattoria.example", program, {"X-User": name})
        for name, program in (
            ("client", "httpx"),
            ("other", "requests"),
            ("third", "urllib"),
            ("kitchen", "aiohttp"),
        )
    ]
    place.chores(crew[0], "h")
    served: dict[int, list[str]] = {1: [], 2: [], 3: []}
    for turn in range(12):
        who, table = crew[turn % 4], turn % 3 + 1
        seen = who.get(f"/tables/{table}").json
        served[table].append(f"d{turn}")
        who.put(f"/tables/{table}", {**seen, "dishes": [*seen["dishes"], f"d{turn}"]}, 200)
        place.rest(0.1)
        place.chores(who, "h")
    for table, dishes in served.items():
        place.sure(crew[0].get(f"/tables/{table}").json["dishes"] == dishes)


@case(
    "d338",
    "vic-court-already-taken",
    "none",
    "healthy",
    alone="none nonprecondition-412",
    description=(
        "A tennis club's bookings: an hour that a neighbour has taken is 409 by the club's rule, and the member takes "
        "another hour; a court that does not exist is 404, and the list is read in between. Nothing is overwritten."
    ),
)
def court(stage: Stage) -> None:
    """Find the hour taken and take another."""
    box = Box(
        {"/courts/c1": {"court": "c1", "surface": "clay"}, "/courts/c2": {"court": "c2", "surface": "hard"}}
    )
    taken: dict[str, str] = {}

    def book(req: Req) -> Res | None:
        if req.path != "/bookings":
            return None
        if req.safe:
            return Res(200, {"bookings": [{"hour": k, "by": v} for k, v in taken.items()]})
        hour = f"{req.json['court']} {req.json['hour']}"
        if f"/courts/{req.json['court']}" not in box.docs:
            return box.error(404, {"error": "Kein solcher Platz"})
        if hour in taken:
            return box.error(
                409, {"error": "Der Platz ist um diese Zeit schon gebucht", "hour": req.json["hour"]}
            )
        taken[hour] = req.who
        return Res(201, {"booking": len(taken), "hour": hour, "by": req.who})

    box.before.append(book)
    server = place.open_box(stage, box, "bottle")
    me = stage.actor("client", server, "plaetze.tennisclub.example", "node:fetch", {"X-User": "k.albers"})
    other = stage.actor("other", server, "plaetze.tennisclub.example", "java", {"X-User": "t.ney"})
    place.chores(me, "ujcx")
    me.get("/courts")
    me.get("/bookings")
    other.send("POST", "/bookings", 201, None, {"court": "c1", "hour": "18:00"})
    place.rest(0.5)
    place.chores(me, "t")
    me.send("POST", "/bookings", 409, None, {"court": "c1", "hour": "18:00"})
    me.get("/bookings")
    me.send("POST", "/bookings", 404, None, {"court": "c9", "hour": "18:00"})
    me.send("POST", "/bookings", 201, None, {"court": "c2", "hour": "18:00"})
    me.get("/bookings")


@case(
    "d339",
    "vic-theirs-is-fine",
    "none",
    "healthy",
    alone="none other-writer",
    description=(
        "A parish's notice board with revisions: the warden's save is refused because the pastor has corrected the "
        "same notice; the warden reads it, finds the wish fulfilled, keeps it and goes on to the next notice."
    ),
)
def theirs_is_fine(stage: Stage) -> None:
    """Accept the other's version."""
    docs = {f"/board/{n}": {"n": n, "text": "Coffee at 10", "room": "hall"} for n in (21, 22, 23)}
    box = Versions(docs, "_rev", status=409, version=lambda doc: f"{doc.rev}-{doc.digest()[:8]}", need=400)
    box.say[409] = lambda _req, doc: {
        "error": "conflict",
        "reason": "Document update conflict.",
        "_rev": box.version(doc),
    }
    server = place.open_box(stage, box, "starlette")
    me = stage.actor("client", server, "board.parish.example", "requests", {"X-User": "warden"})
    other = stage.actor("other", server, "board.parish.example", "aiohttp", {"X-User": "pastor"})
    place.chores(me, "uj")
    me.get("/board")
    mine, theirs = me.get("/board/22").json, other.get("/board/22").json
    other.put("/board/22", {**theirs, "text": "Coffee at 11"}, 200)
    place.rest(0.8)
    place.chores(me, "t")
    me.put("/board/22", {**mine, "text": "Coffee at 11"}, 409)
    place.sure(me.get("/board/22").json["text"] == "Coffee at 11")
    next_one = me.get("/board/23").json
    me.put("/board/23", {**next_one, "room": "crypt"}, 200)
    me.get("/board/21")
