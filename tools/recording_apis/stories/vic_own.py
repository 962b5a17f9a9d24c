"""Stories on applications with versions of their own making: in content, fields, targets, calls and sessions."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res, Versions
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


def _signed(box: Versions) -> Versions:
    """Let each document say who changed it and when."""

    def marked(doc: Doc) -> Any:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(doc.at))
        return {**doc.data, box.name: box.version(doc), "changedBy": doc.by, "changedAt": moment}

    plain = box.change
    box.marked = marked
    box.change = lambda req, doc: {k: v for k, v in plain(req, doc).items() if not k.startswith("changed")}
    return box


@case(
    "d319",
    "vic-purchase-order-two-buyers",
    "other-writer",
    "409",
    alone="other-writer",
    description=(
        "A purchasing system wants the revision in the content: two buyers open one order, the second to save is told "
        "409 with the revision that there is now and the other's name; the order that he then reads shows it."
    ),
)
def buyers(stage: Stage) -> None:
    """Be second."""
    docs = {f"/orders/PO-{n}": {"id": f"PO-{n}", "qty": 40, "dock": "A"} for n in (61, 62, 63)}
    box = _signed(Versions(docs, "revision", need=422, first=5))
    box.say[409] = lambda _req, doc: {
        "errore": "L'ordine è stato modificato da un altro utente",
        "revisione": doc.rev,
        "utente": doc.by,
    }
    server = place.open_box(stage, box, "cheroot")
    me = stage.actor("client", server, "acquisti.fornace.example", "httpx", {"X-User": "g.rossi"})
    other = stage.actor("other", server, "acquisti.fornace.example", "node:fetch", {"X-User": "l.bruni"})
    place.chores(me, "uj")
    me.get("/orders")
    mine, theirs = me.get("/orders/PO-62").json, other.get("/orders/PO-62").json
    other.put("/orders/PO-62", {**theirs, "dock": "C"}, 200)
    place.rest(1.1)
    place.chores(me, "t")
    own = me.get("/orders/PO-61").json
    me.put("/orders/PO-61", {**own, "qty": 44}, 200)
    me.put("/orders/PO-62", {**mine, "qty": 48}, 409)
    place.sure(me.get("/orders/PO-62").json["changedBy"] == "l.bruni")


@case(
    "d320",
    "vic-autosave-overtakes-itself",
    "self-race",
    "409",
    alone="self-race",
    description=(
        "An editor's autosave and its save button send the same draft with the same lockVersion while the first is "
        "under way: one is stored, the other is 409 some hundredths of a second later, in one session, twice."
    ),
)
def autosave(stage: Stage) -> None:
    """Save twice at once."""
    box = Versions(
        {f"/drafts/{n}": {"title": f"Draft {n}", "text": "x"} for n in (5, 6)}, "lockVersion", first=0
    )
    box.say[409] = lambda _req, doc: {"message": "The draft was saved elsewhere", "lockVersion": doc.rev}
    box.done.append(lambda _req, _path: place.rest(0.2))
    server = place.open_box(stage, box, "starlette")
    me = stage.actor(
        "client", server, "drafts.magazine.test", "httpx", {"Cookie": "sid=9f3a1c", "User-Agent": "Writer/12"}
    )
    place.chores(me, "ujct")
    me.get("/drafts")
    for text in ("It began", "It began in rain"):
        seen = me.get("/drafts/5").json

        def save(more: Mapping[str, Any], seen: Mapping[str, Any] = seen) -> Answer:
            return me.put("/drafts/5", {**seen, **more}, (200, 409))

        bodies = ({"text": text}, {"text": text, "status": "review"})
        got = place.at_once(partial(save, bodies[0]), partial(save, bodies[1]), apart=0.06)
        place.sure(sorted(one.status for one in got) == [200, 409])
        place.rest(0.4)
        place.chores(me, "t")
    me.get("/drafts/6")


@case(
    "d321",
    "vic-totals-are-computed-afterwards",
    "server-side-mutation",
    "409",
    alone="server-side-mutation",
    description=(
        "A shop's quotes: a moment after each save the service's own pricing job writes the total (changedBy names it) "
        "and the version moves; the seller's next save carries the version that her save was answered with: 409."
    ),
)
def totals(stage: Stage) -> None:
    """Be overtaken by the service's job."""
    docs = {f"/quotes/{n}": {"id": n, "lines": [{"sku": "tap", "n": 2}], "total": 50} for n in (301, 302)}
    box = _signed(Versions(docs, "version", first=2))
    box.say[409] = lambda _req, doc: {"code": "QUOTE_CHANGED", "current": doc.rev}
    server = place.open_box(stage, box, "falcon")
    me = stage.actor("client", server, "quotes.sanitary.test", "aiohttp", {"X-User": "berit"})
    place.chores(me, "u")
    me.get("/quotes")
    for quote in (301, 302):
        seen = me.get(f"/quotes/{quote}").json
        saved = me.put(f"/quotes/{quote}", {**seen, "lines": [{"sku": "tap", "n": 3}]}, 200).json
        place.rest(0.5)
        place.chores(me, "t")
        with box.lock:
            box.store(f"/quotes/{quote}", {**box.docs[f"/quotes/{quote}"].data, "total": 75}, "pricing-job")
        place.rest(0.4)
        me.put(f"/quotes/{quote}", {**saved, "note": "lead time 3 w"}, 409)
        now = me.get(f"/quotes/{quote}").json
        place.sure(now["changedBy"] == "pricing-job" and now["lines"][0]["n"] == 3)


def _graph(box: Versions) -> Any:
    def answer(req: Req) -> Res | None:
        if req.path != "/graphql":
            return None
        asked = req.json["variables"]
        doc = box.docs[f"/plants/{asked['id']}"]
        if "mutation" not in req.json["query"]:
            return Res(200, {"data": {"plant": {"id": asked["id"], "rev": doc.rev, **doc.data}}})
        if asked["rev"] != doc.rev:
            error = {
                "message": f"Object was changed (expected rev {doc.rev})",
                "path": ["updatePlant"],
                "extensions": {"code": "REV_CONFLICT"},
            }
            return Res(200, {"data": None, "errors": [error]})
        doc = box.store(f"/plants/{asked['id']}", {**doc.data, **asked["input"]}, req.who)
        return Res(200, {"data": {"updatePlant": {"id": asked["id"], "rev": doc.rev}}})

    return answer


@case(
    "d322",
    "vic-graphql-keeps-the-first-rev",
    "stale-stored-token",
    "200-conflict",
    alone="stale-stored-token",
    also="status-dialect-mismatch",
    description=(
        "A nursery's GraphQL: each mutation answers the new rev, but the page goes on with that of its first query; "
        "its second mutation is an error REV_CONFLICT within a 200. There is one user, and nobody else writes."
    ),
)
def nursery(stage: Stage) -> None:
    """Forget the rev of one's own mutation."""
    box = Versions({f"/plants/{n}": {"name": n, "pots": 10, "bed": 1} for n in ("sage", "thyme")}, first=31)
    box.before.append(_graph(box))
    me = stage.actor(
        "client",
        place.open_box(stage, box, "aiohttp"),
        "plants.nursery.test",
        "node:fetch",
        {"X-User": "finn"},
    )
    place.chores(me, "jcu")
    query = "query P($id: ID!) { plant(id: $id) { id rev name pots bed } }"
    mutation = "mutation U($id: ID!, $rev: Int!, $input: PlantInput!) { updatePlant(id: $id, rev: $rev, input: $input) { id rev } }"

    def ask(text: str, **variables: Any) -> Any:
        return me.send("POST", "/graphql", 200, None, {"query": text, "variables": variables}).json

    for plant in ("sage", "thyme"):
        rev = ask(query, id=plant)["data"]["plant"]["rev"]
        told = ask(mutation, id=plant, rev=rev, input={"pots": 12})
        place.sure(told["data"]["updatePlant"]["rev"] == rev + 1)
        place.rest(0.5)
        place.chores(me, "t")
        place.sure("errors" in ask(mutation, id=plant, rev=rev, input={"bed": 4}))
    ask(query, id="sage")


@case(
    "d323",
    "vic-survey-saved-but-not-heard",
    "lost-response-replay",
    "409",
    alone="lost-response-replay",
    description=(
        "A surveyor's tablet saves with X-Revision; the connection breaks after the service has stored, the tablet "
        "sends the same again and is told 409; the measurement that it reads carries its own clientRef."
    ),
)
def tablet(stage: Stage) -> None:
    """Lose the answer to a save."""
    docs = {f"/points/{n}": {"point": n, "height": 12.5, "clientRef": "seed"} for n in ("A1", "A2", "A3")}
    box = Versions(
        docs, "X-Revision", "header", version=lambda doc: f"{doc.rev:04}-{doc.digest()[:4]}", first=7
    )
    box.say[409] = lambda _req, doc: {
        "title": "Kollision",
        "type": "about:blank",
        "aktuell": box.version(doc),
    }
    server = place.open_box(stage, box, "waitress")
    lost = place.drops("PUT", "/points/A2")
    me = stage.actor(
        "client", server, "points.vermessung.example", "urllib", {"X-User": "tablet-3"}, loses=lost
    )
    place.chores(me, "h")
    for point in ("A1", "A2"):
        seen = me.get(f"/points/{point}")
        body = {**seen.json, "height": 12.62, "clientRef": f"t3-{point}-0912"}
        guard = {"X-Revision": seen.fields["x-revision"]}
        me.put(f"/points/{point}", body, 200 if point == "A1" else 0, guard)
        place.rest(0.4)
        place.chores(me, "h")
    me.put("/points/A2", body, 409, guard)
    now = me.get("/points/A2")
    place.sure(now.json["clientRef"] == "t3-A2-0912" and now.fields["x-revision"] != guard["X-Revision"])
    me.get("/points/A3")


@case(
    "d324",
    "vic-newest-number-old-content",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A client of menu cards fetches the newest lock_version right before each save but keeps the edit that it made "
        "on an older version: the save passes, and the price that a colleague had set, as the fetch showed, is gone."
    ),
)
def menu(stage: Stage) -> None:
    """Take the newest number for an old edit."""
    docs = {f"/cards/{n}": {"dish": n, "price": 11, "vegan": False, "text": ""} for n in ("soup", "stew")}
    box = _signed(Versions(docs, "lock_version", status=412, need=428, first=1))
    server = place.open_box(stage, box, "flask")
    me = stage.actor("client", server, "cards.bistro.test", "requests", {"X-User": "chef"})
    other = stage.actor("other", server, "cards.bistro.test", "java", {"X-User": "office"})
    place.chores(me, "uc")
    edit = {**me.get("/cards/stew").json, "text": "with dumplings"}
    me.get("/cards/soup")
    theirs = other.get("/cards/stew").json
    other.put("/cards/stew", {**theirs, "price": 13}, 200)
    place.rest(0.9)
    place.chores(me, "h")
    fresh = me.get("/cards/stew").json
    place.sure(fresh["price"] == 13)
    me.put("/cards/stew", {**edit, "lock_version": fresh["lock_version"]}, 200)
    place.sure(me.get("/cards/stew").json["price"] == 11)
    soup = me.get("/cards/soup").json
    me.put("/cards/soup", {**soup, "vegan": True}, 200)
    other.get("/cards/stew")


@case(
    "d325",
    "vic-batch-import-without-rev",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    description=(
        "A rental's desk writes with ?rev=, which the service checks; an import writes the same bikes without it, from "
        "what it had read earlier, and the desk's repair note is gone. The desk's later outdated rev is refused."
    ),
)
def importer(stage: Stage) -> None:
    """Leave out the rev."""
    docs = {f"/bikes/{n}": {"bike": n, "tyre": 28, "note": ""} for n in (1, 2, 3)}
    box = _signed(Versions(docs, "rev", "query", status=409, first=10))
    box.say[409] = lambda _req, doc: {"error": "rev_mismatch", "rev": doc.rev}
    server = place.open_box(stage, box, "bottle")
    me = stage.actor(
        "client", server, "bikes.verleih.example", "httpx", {"X-User": "import", "User-Agent": "nightly/3"}
    )
    other = stage.actor(
        "other", server, "bikes.verleih.example", "requests", {"X-User": "desk", "User-Agent": "desk/1"}
    )
    place.chores(me, "h")
    held = {n: me.get(f"/bikes/{n}").json for n in (1, 2, 3)}
    theirs = other.get("/bikes/2").json
    other.put(f"/bikes/2?rev={theirs['rev']}", {**theirs, "note": "brake pads new"}, 200)
    place.rest(0.8)
    place.chores(me, "h")
    for number in (1, 2, 3):
        me.put(f"/bikes/{number}", {"bike": number, "tyre": held[number]["tyre"] + 1, "note": ""}, 200)
    place.sure(me.get("/bikes/2").json["note"] == "")
    other.put(f"/bikes/2?rev={theirs['rev'] + 1}", {**theirs, "note": "chain oiled"}, 409)
    other.get("/bikes/2")


@case(
    "d326",
    "vic-edit-session-ran-out",
    "token-expired",
    "409",
    alone="token-expired",
    description=(
        "A museum's catalogue wants an edit session, which lives two seconds; a cataloguer thinks longer, the save is "
        "refused as expired, twice with the same session; with a session opened anew the same save passes."
    ),
)
def session(stage: Stage) -> None:
    """Save with a session that has run out."""
    box = Box({f"/objects/{n}": {"inv": n, "title": "Vase", "era": ""} for n in (901, 902)})
    until: dict[str, float] = {}

    def sessions(req: Req) -> Res | None:
        if req.method == "POST" and req.path.endswith("/sessions"):
            key = f"es_{len(until) + 1:04}{req.path.rsplit('/', 2)[1]}"
            until[key] = time.time() + 2
            return Res(201, {"session": key, "expiresIn": 2})
        return None

    def judge(req: Req, _doc: Doc | None) -> Res | None:
        ends = until.get(req.fields.get("x-edit-session", ""))
        if ends is None:
            return box.error(400, {"kod": "NO_SESSION"})
        return (
            None
            if time.time() < ends
            else box.error(409, {"kod": "SESSION_EXPIRED", "komunikat": "Sesja edycji wygasła"})
        )

    box.before.append(sessions)
    box.judge = judge
    server = place.open_box(stage, box, "tornado")
    me = stage.actor("client", server, "katalog.muzeum.example", "node:axios", {"X-User": "ewa"})
    place.chores(me, "uj")
    for inv in (902, 901):
        seen = me.get(f"/objects/{inv}").json
        key = {"X-Edit-Session": me.send("POST", f"/objects/{inv}/sessions", 201, None, {}).json["session"]}
        if inv == 902:
            me.put(f"/objects/{inv}", {**seen, "era": "Ming"}, 200, key)
            continue
        place.rest(2.4)
        place.chores(me, "t")
        for _ in range(2):
            me.put(f"/objects/{inv}", {**seen, "era": "Qing"}, 409, key)
            place.rest(0.4)
    key = {"X-Edit-Session": me.send("POST", "/objects/901/sessions", 201, None, {}).json["session"]}
    me.put("/objects/901", {**seen, "era": "Qing"}, 200, key)


@case(
    "d327",
    "vic-one-number-for-the-whole-board",
    "coarse-token-scope",
    "409",
    alone="coarse-token-scope",
    also="other-writer",
    description=(
        "A task board has one boardVersion for all its cards: a colleague renames card 4, and the client's save of card "
        "9, which nobody has touched, is refused twice; card 9 itself is unchanged each time it is read."
    ),
)
def board(stage: Stage) -> None:
    """Be refused because of another card."""
    box = Box({f"/boards/b1/cards/{n}": {"card": n, "title": f"Task {n}", "lane": "todo"} for n in (4, 9)})
    level = [1187]

    def judge(req: Req, _doc: Doc | None) -> Res | None:
        if req.json.get("boardVersion") == level[0]:
            return None
        return box.error(409, {"error": "board moved on", "boardVersion": level[0]})

    def count(_req: Req, _path: str) -> None:
        level[0] += 1

    box.judge = judge
    box.done.append(count)
    box.show = lambda _req, _path, doc: Res(200, {"boardVersion": level[0], "card": doc.data})
    box.change = lambda req, _doc: req.json["card"]
    box.answer_write = lambda _req, _path, doc, _made: Res(200, {"boardVersion": level[0], "card": doc.data})
    server = place.open_box(stage, box, "stdlib")
    me = stage.actor("client", server, "boards.team.test", "aiohttp", {"X-User": "ana"})
    other = stage.actor("other", server, "boards.team.test", "requests", {"X-User": "bruno"})
    place.chores(me, "ujc")
    for title in ("Ring the bank", "Ring the bank again"):
        mine, theirs = me.get("/boards/b1/cards/9").json, other.get("/boards/b1/cards/4").json
        other.put("/boards/b1/cards/4", {**theirs, "card": {**theirs["card"], "title": title}}, 200)
        place.rest(0.4)
        place.chores(me, "t")
        me.put("/boards/b1/cards/9", {**mine, "card": {**mine["card"], "lane": "done"}}, 409)
        place.sure(me.get("/boards/b1/cards/9").json["card"] == mine["card"])
        me.get("/boards/b1/cards/4")


@case(
    "d328",
    "vic-remote-call-saves-twice",
    "check-then-write-race",
    "lost-update",
    alone="none check-then-write-race",
    description=(
        "A JSON-RPC service compares the base and stores later without a lock: two overlapping calls on the same base "
        "both succeed, and the first one's hours are gone. A later call on that base is an error, as it should be."
    ),
)
def remote(stage: Stage) -> None:
    """Succeed twice on one base."""
    box = Versions({"/timesheets/t9": {"mon": 0, "tue": 0, "wed": 0}}, "base", first=3)
    slow = [True]

    def call(req: Req) -> Res | None:
        if req.path != "/rpc":
            return None
        asked = req.json
        doc, args = box.docs["/timesheets/t9"], asked["params"]
        if asked["method"] == "timesheet.get":
            return Res(
                200, {"jsonrpc": "2.0", "id": asked["id"], "result": {"base": doc.rev, "hours": doc.data}}
            )
        if args["base"] != doc.rev:
            error = {"code": -32009, "message": "base is not current", "data": {"base": doc.rev}}
            return Res(200, {"jsonrpc": "2.0", "id": asked["id"], "error": error})
        if slow[0]:
            place.rest(0.3)
        doc = box.store("/timesheets/t9", args["hours"], req.who)
        return Res(200, {"jsonrpc": "2.0", "id": asked["id"], "result": {"base": doc.rev}})

    box.before.append(call)
    server = place.open_box(stage, box, "waitress")
    me = stage.actor("client", server, "rpc.payroll.test", "httpx", {"X-User": "sam"})
    other = stage.actor("other", server, "rpc.payroll.test", "node:fetch", {"X-User": "foreman"})

    def rpc(who: Any, number: int, method: str, **params: Any) -> Any:
        return who.send(
            "POST",
            "/rpc",
            200,
            None,
            {"jsonrpc": "2.0", "id": number, "method": f"timesheet.{method}", "params": params},
        )

    place.chores(me, "ujc")
    place.chores(other, "u")
    mine, theirs = rpc(me, 1, "get", id="t9").json["result"], rpc(other, 1, "get", id="t9").json["result"]
    got = place.at_once(
        lambda: rpc(me, 2, "save", id="t9", base=mine["base"], hours={**mine["hours"], "mon": 8}),
        lambda: rpc(other, 2, "save", id="t9", base=theirs["base"], hours={**theirs["hours"], "tue": 6}),
        apart=0.1,
    )
    place.sure(all("result" in one.json for one in got))
    slow[0] = False
    place.chores(me, "t")
    place.rest(0.4)
    place.sure(rpc(me, 3, "get", id="t9").json["result"]["hours"]["mon"] == 0)
    place.sure(
        "error"
        in rpc(other, 3, "save", id="t9", base=theirs["base"], hours={**theirs["hours"], "wed": 1}).json
    )
