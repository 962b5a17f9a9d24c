"""More stories on applications with versions of their own making, and calm days on some."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res, Versions
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.recording_apis.stage import Stage


@case(
    "d329",
    "vic-batch-door-checks-nothing",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "A zoo's feeding plans refuse an outdated version in a single save, but the batch takes it: the keeper, refused "
        "once and shown the vet's change, sends the same version through the batch, and the vet's dose is gone."
    ),
)
def batch(stage: Stage) -> None:
    """Go through the door where nobody checks."""
    docs = {f"/plans/{n}": {"animal": n, "kg": 4, "dose": 0} for n in ("lynx", "otter", "tapir")}
    box = Versions(docs, "version", status=409, first=11)
    box.say[409] = lambda _req, doc: {"reason": "version", "version": doc.rev}

    def many(req: Req) -> Res | None:
        if req.path != "/batch":
            return None
        rows = []
        for one in req.json["updates"]:
            data = {key: value for key, value in one["body"].items() if key != "version"}
            rows.append(
                {"path": one["path"], "status": 200, "version": box.store(one["path"], data, req.who).rev}
            )
        return Res(200, {"results": rows})

    box.before.append(many)
    server = place.open_box(stage, box, "starlette")
    me = stage.actor("client", server, "plans.zoo.test", "requests", {"X-User": "keeper"})
    other = stage.actor("other", server, "plans.zoo.test", "aiohttp", {"X-User": "vet"})
    place.chores(me, "u")
    held = {n: me.get(f"/plans/{n}").json for n in ("lynx", "otter", "tapir")}
    theirs = other.get("/plans/otter").json
    other.put("/plans/otter", {**theirs, "dose": 15}, 200)
    place.rest(0.7)
    place.chores(me, "t")
    me.put("/plans/otter", {**held["otter"], "kg": 5}, 409)
    place.sure(me.get("/plans/otter").json["dose"] == 15)
    updates = [{"path": f"/plans/{n}", "body": {**held[n], "kg": 5}} for n in ("lynx", "otter")]
    me.send("POST", "/batch", 200, None, {"updates": updates})
    place.sure(me.get("/plans/otter").json["dose"] == 0)
    me.get("/plans/tapir")


@case(
    "d330",
    "vic-version-of-the-folder",
    "wrong-token-source",
    "409",
    alone="wrong-token-source",
    description=(
        "A records office: the list of a folder has a version and each file has its own. The program sends the list's "
        "as the file's, which is 409 for each file; a file saved with the version of its own read is taken."
    ),
)
def folder(stage: Stage) -> None:
    """Send the version of the list."""
    docs = {f"/folders/7/files/{n}": {"file": n, "pages": 12, "closed": False} for n in (1, 2, 3)}
    box = Versions(docs, "version", status=409, first=3)
    box.say[409] = lambda _req, _doc: {"feil": "Versjonen stemmer ikke"}

    def listing(_req: Req, _path: str, below: Mapping[str, Doc]) -> Res:
        files = [{"href": key, "pages": one.data["pages"]} for key, one in below.items()]
        return Res(200, {"folder": 7, "version": 4471, "files": files})

    box.listing = listing
    me = stage.actor(
        "client", place.open_box(stage, box, "cheroot"), "arkiv.kommune.example", "java", {"X-User": "liv"}
    )
    place.chores(me, "h")
    listed = me.get("/folders/7/files").json
    for number in (1, 2):
        me.put(
            f"/folders/7/files/{number}",
            {"file": number, "pages": 12, "closed": True, "version": listed["version"]},
            409,
        )
        me.get(f"/folders/7/files/{number}")
        place.rest(0.4)
        place.chores(me, "u")
        listed = me.get("/folders/7/files").json
    own = me.get("/folders/7/files/3").json
    me.put("/folders/7/files/3", {**own, "closed": True}, 200)


@case(
    "d331",
    "vic-patch-tests-a-number",
    "payload-precondition-mismatch",
    "422",
    alone="payload-precondition-mismatch",
    description=(
        "A price service takes JSON Patch: the program tests /price against the number 10 where the live record has "
        "the text 10.00; 422 names the failed test, again after a read; without the test the patch is taken."
    ),
)
def tested(stage: Stage) -> None:
    """Test against a value that is spelled otherwise."""
    box = Box({f"/articles/{n}": {"sku": n, "price": "10.00", "vat": 19} for n in ("k-7", "k-8")})

    def patch(req: Req) -> Res | None:
        if req.method != "PATCH":
            return None
        data = dict(box.docs[req.path].data)
        for number, one in enumerate(req.json):
            key = one["path"].strip("/")
            if one["op"] == "test" and data.get(key) != one["value"]:
                told = {
                    "title": "Patch test failed",
                    "type": "https://docs.example/patch-test",
                    "operation": number,
                    "path": one["path"],
                }
                return box.error(422, told)
            if one["op"] == "replace":
                data[key] = one["value"]
        return Res(200, box.store(req.path, data, req.who).data)

    box.before.append(patch)
    me = stage.actor(
        "client",
        place.open_box(stage, box, "flask-cheroot"),
        "articles.wholesale.test",
        "httpx",
        {"X-User": "repricer"},
    )
    place.chores(me, "h")
    media = {"Content-Type": "application/json-patch+json"}
    me.get("/articles")
    change = [
        {"op": "test", "path": "/price", "value": 10},
        {"op": "replace", "path": "/price", "value": "10.50"},
    ]
    for article in ("k-7", "k-7", "k-8"):
        me.get(f"/articles/{article}")
        me.send("PATCH", f"/articles/{article}", 422, media, change)
        place.rest(0.3)
        place.chores(me, "h")
    me.send("PATCH", "/articles/k-8", 200, media, change[1:])


@case(
    "d332",
    "vic-page-may-not-see-the-tag",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag token-missing",
    description=(
        "A page on another origin reads garden plots; the answers have a tag but expose only X-Total, so that the "
        "script has none to send, and its saves are 428. The phone app of the same service sends the tag and is taken."
    ),
)
def plots(stage: Stage) -> None:
    """Write from a page that cannot see the tag."""
    docs = {f"/plots/{n}": {"plot": n, "crop": "beans"} for n in (3, 4, 5)}
    box = Box(docs, lambda _path, doc: f'"{doc.rev}/{doc.digest()[:9]}"', need=428)

    def cors(req: Req, res: Res) -> None:
        if "origin" in req.fields:
            res.fields |= {
                "Access-Control-Allow-Origin": req.fields["origin"],
                "Vary": "Origin",
                "Access-Control-Expose-Headers": "X-Total",
            }

    allow = {
        "Access-Control-Allow-Methods": "GET, PUT",
        "Access-Control-Allow-Headers": "content-type, if-match",
    }
    box.before.append(lambda req: Res(204, b"", dict(allow)) if req.method == "OPTIONS" else None)
    box.after.append(cors)
    server = place.open_box(stage, box, "waitress")
    page = {
        **place.CHROME,
        "Origin": "https://app.allotments.example",
        "Referer": "https://app.allotments.example/",
    }
    me = stage.actor("client", server, "api.allotments.example", "node:fetch", page)
    other = stage.actor("other", server, "api.allotments.example", "java", {"User-Agent": "plots-android/5"})
    place.chores(me, "jcu")
    me.get("/plots")
    for plot in (4, 5, 4):
        seen = me.get(f"/plots/{plot}")
        ask = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
        me.send("OPTIONS", f"/plots/{plot}", 204, ask)
        me.put(f"/plots/{plot}", {**seen.json, "crop": "leek"}, 428)
        place.rest(0.3)
        place.chores(me, "t")
    theirs = other.get("/plots/3")
    other.put("/plots/3", {**theirs.json, "crop": "kale"}, 200, {"If-Match": theirs.etag})


@case(
    "d333",
    "vic-read-model-is-behind",
    "replica-lag",
    "409",
    alone="replica-lag",
    description=(
        "A depot writes to a log and reads from a view that follows 1.3 seconds later: after its own save, answered "
        "with version 6, the client reads version 5, saves with that and is told 409; later the view shows 6."
    ),
)
def view(stage: Stage) -> None:
    """Read what the view does not have yet."""
    docs = {f"/bins/{n}": {"bin": n, "parts": 100} for n in ("b1", "b2", "b3")}
    box = Versions(docs, "version", status=409, first=5)
    box.say[409] = lambda _req, doc: {"error": "wrong expected version", "actual": doc.rev}

    def look(_req: Req, path: str) -> Doc | None:
        doc = box.docs.get(path)
        known = [] if doc is None else [*doc.past, doc]
        return next((one for one in reversed(known) if one.at <= time.time() - 1.3), None)

    box.look = look
    me = stage.actor(
        "client", place.open_box(stage, box, "aiohttp"), "bins.depot.test", "requests", {"X-User": "picker-2"}
    )
    place.chores(me, "h")
    for name in ("b1", "b2"):
        seen = me.get(f"/bins/{name}").json
        told = me.put(f"/bins/{name}", {**seen, "parts": 96}, 200).json
        place.sure(told["version"] == 6)
        old = me.get(f"/bins/{name}").json
        place.sure(old["version"] == 5)
        me.put(f"/bins/{name}", {**old, "parts": 90}, 409)
        place.rest(1.6)
        place.chores(me, "h")
        now = me.get(f"/bins/{name}").json
        place.sure(now["version"] == 6)
        me.put(f"/bins/{name}", {**now, "parts": 90}, 200)
    me.get("/bins/b3")


@case(
    "d334",
    "vic-conflict-looks-like-an-outage",
    "status-dialect-mismatch",
    "500",
    alone="status-dialect-mismatch retry-reuses-failed-token other-writer",
    also="other-writer retry-reuses-failed-token",
    description=(
        "A ledger answers an outdated version with 500 and an optimistic locking failure in its text; the client takes it "
        "for an outage and sends the same three times more, while reads and other saves work. A clerk had written."
    ),
)
def outage(stage: Stage) -> None:
    """Take a conflict for an outage."""
    docs = {f"/accounts/{n}": {"no": n, "limit": 500, "block": False} for n in (4001, 4002, 4003)}
    box = Versions(docs, "version", status=500, first=2)

    def told(req: Req, doc: Doc) -> Any:
        text = f"ObjectOptimisticLockingFailureException: Row was updated or deleted by another transaction: [Account#{req.path[-4:]}], version {doc.rev}"
        return {
            "timestamp": "2026-11-27T09:31:07.114+00:00",
            "status": 500,
            "error": "Internal Server Error",
            "message": text,
            "path": req.path,
        }

    box.say[500] = told
    server = place.open_box(stage, box, "tornado")
    me = stage.actor(
        "client", server, "accounts.ledger.example", "urllib", {"X-User": "batch", "User-Agent": "limits/2.2"}
    )
    other = stage.actor("other", server, "accounts.ledger.example", "httpx", {"X-User": "clerk"})
    place.chores(me, "h")
    held = {n: me.get(f"/accounts/{n}").json for n in (4001, 4002, 4003)}
    theirs = other.get("/accounts/4002").json
    other.put("/accounts/4002", {**theirs, "block": True}, 200)
    place.rest(0.4)
    place.chores(me, "h")
    me.put("/accounts/4001", {**held[4001], "limit": 800}, 200)
    for wait in (0.2, 0.4, 0.8, 0):
        me.put("/accounts/4002", {**held[4002], "limit": 800}, 500)
        place.rest(wait)
    me.put("/accounts/4003", {**held[4003], "limit": 800}, 200)
    me.get("/accounts/4002")


@case(
    "d335",
    "vic-vineyard-merges",
    "none",
    "healthy",
    alone="none other-writer",
    description=(
        "A vineyard's log with X-Rev: the second of two writers is refused once, reads the other's version, puts the "
        "own field onto it and is taken; the rest of the session goes without refusal."
    ),
)
def vineyard(stage: Stage) -> None:
    """Merge after a refusal."""
    docs = {f"/plots/{n}": {"plot": n, "brix": 20, "sprayed": None} for n in ("north", "slope")}
    box = Versions(
        {**docs, "/weather/today": {"rain": 0}}, "X-Rev", "header", 412, version=lambda doc: f"g{doc.rev}"
    )
    box.say[412] = lambda _req, _doc: {"message": "La parcelle a été modifiée entre-temps"}
    server = place.open_box(stage, box, "flask")
    me = stage.actor("client", server, "journal.vignoble.example", "node:axios", {"X-User": "luc"})
    other = stage.actor("other", server, "journal.vignoble.example", "curl", {"X-User": "aline"})
    place.chores(me, "u")
    me.get("/weather/today")
    mine, theirs = me.get("/plots/slope"), other.get("/plots/slope")
    other.put(
        "/plots/slope", {**theirs.json, "sprayed": "2026-11-20"}, 200, {"X-Rev": theirs.fields["x-rev"]}
    )
    place.rest(0.5)
    place.chores(me, "t")
    me.put("/plots/slope", {**mine.json, "brix": 22}, 412, {"X-Rev": mine.fields["x-rev"]})
    now = me.get("/plots/slope")
    last = me.put("/plots/slope", {**now.json, "brix": 22}, 200, {"X-Rev": now.fields["x-rev"]})
    me.put("/plots/slope", {**last.json, "brix": 23}, 200, {"X-Rev": last.fields["x-rev"]})
    place.sure(other.get("/plots/slope").json == {"plot": "slope", "brix": 23, "sprayed": "2026-11-20"})


@case(
    "d336",
    "vic-board-that-polls-all-day",
    "none",
    "healthy",
    alone="none",
    description=(
        "A departure board behind a caching nginx: the change feed is polled with its cursor (204 while nothing is new), "
        "a gate that does not exist is 404, the tower changes a gate with its tag, and the board's heartbeats are stored."
    ),
)
def departures(stage: Stage) -> None:
    """Poll without trouble."""
    box = Box(
        place.side("/gates", 4, cls="B"),
        lambda _path, doc: f'"{doc.rev}"',
        extra={"Cache-Control": "no-store"},
    )
    feed: list[str] = []

    def changes(req: Req) -> Res | None:
        if req.path != "/changes":
            return None
        since = int(req.query.get("since", "0"))
        return Res(200, {"cursor": len(feed), "changes": feed[since:]}) if feed[since:] else Res(204)

    box.before.append(changes)
    box.done.append(lambda _req, path: feed.append(path) if path.startswith("/gates") else None)
    front = fronts.nginx_cache(stage, place.open_box(stage, box, "waitress"), 30)
    me = stage.actor("client", front, "gates.airport.test", "aiohttp", {"User-Agent": "board-17"})
    other = stage.actor("other", front, "gates.airport.test", "requests", {"User-Agent": "tower"})
    cursor = 0
    for turn in range(4):
        me.get(f"/changes?since={cursor}", 204)
        gate = other.get("/gates/18")
        other.put("/gates/18", {**gate.json, "state": f"s{turn}"}, 200, {"If-Match": gate.etag})
        cursor = me.get(f"/changes?since={cursor}").json["cursor"]
        me.get("/gates/18")
        me.put(f"/boards/17/beats/{turn}", {"ok": True}, 201, {"If-None-Match": "*"})
        place.rest(0.2)
    me.get("/gates/99", 404)
