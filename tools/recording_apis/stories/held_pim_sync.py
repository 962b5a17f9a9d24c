"""Stories on small web applications with mobile clients, importers and calls: versions kept and lost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from tools.recording_apis.apps.pim_core import App, Req, Res, Row
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_pim_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d986",
    "pim-hive-app-keeps-its-first-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A beekeeper's app keeps the tags of its morning download: its first save of a hive passes and is answered "
        "with a new tag, the later ones of that hive go out with the morning's and are 412; nobody else writes."
    ),
)
def hives(stage: Stage) -> None:
    """Go on with the morning's tag."""
    app = (
        App()
        .page("/sync/weather?apiary=3", {"temp": 11, "wind": 4})
        .page("/sync/user", {"id": 3}, tag='"u3"')
    )
    app.sink("/sync/crash", 204, b"", {"app": "hive-1.3", "crashes": 0})
    app.seed("h", {n: {"frames": 8 + n, "queen": "2025", "mood": "calm"} for n in (1, 2, 3, 4)}, v=20)
    app.rest(
        "/sync/hives",
        "h",
        tag=lambda row: f'"{row.v:x}.{int(row.at * 1000):x}"',
        edit=lambda req, row: {**row.data, **dict(parse_qsl(req.body.decode()))},
        refuse=lambda row: {
            "status": "conflict",
            "hive": int(row.id),
            "changedBy": row.who,
            "at": row.iso(3),
        },
    )
    server = place.opened(stage, app, "flask-cheroot")
    always = {"X-User": "imker-3", "Content-Type": "application/x-www-form-urlencoded"}
    me = stage.actor("client", server, "sync.waldhonig.example", "java", always)
    mill = place.Mill(app, me, 12)
    me.get("/sync/hives")
    tags = {n: me.get(f"/sync/hives/{n}").etag for n in (1, 2, 3, 4)}
    mill.go(3)
    edits = ((2, {"mood": "lively"}, 200), (3, {"frames": "9"}, 200), (2, {"frames": "7"}, 412))
    for hive, more, expect in (*edits, (4, {"queen": "2026"}, 200), (3, {"mood": "cross"}, 412)):
        me.send("PATCH", f"/sync/hives/{hive}", expect, {"If-Match": tags[hive]}, urlencode(more))
        place.rest(0.4)
        mill.go(1)
    place.sure(me.get("/sync/hives/2").json["frames"] == 10)


@case(
    "d979",
    "pim-push-again-and-again",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A field team's tablet pushes a batch on baseSeq; another tablet was faster, 409. The push queue sends the same "
        "batch on the same baseSeq four times more, each later than the one before, and never pulls."
    ),
)
def pushing(stage: Stage) -> None:
    """Push the same batch on the same base."""
    app = (
        App()
        .page("/v3/handshake", {"server": "3.9", "features": ["bulk"]})
        .page("/v3/layers", ["roads", "trees"])
    )
    app.page("/v3/tiles/14/8710/5744.pbf", "\x1a\x02", "application/x-protobuf", '"t-8710"')
    app.seed("t", {n: {"species": "tilia", "girth": 80 + n} for n in range(1, 9)})
    seq = [5130]

    @app.on("GET", "/v3/trees/changes")
    def pull(_req: Req) -> Res:
        return Res(200, {"seq": seq[0], "trees": {row.id: row.data for row in app.every("t")}})

    @app.on("POST", "/v3/trees/bulk")
    def push(req: Req) -> Res:
        sent = req.json
        if sent["baseSeq"] != seq[0]:
            return Res(409, {"error": "SEQ_BEHIND", "baseSeq": sent["baseSeq"], "accepted": 0})
        seq[0] += len(sent["ops"])
        for one in sent["ops"]:
            app.put("t", str(one["id"]), one["doc"], req.who)
        return Res(200, {"seq": seq[0], "accepted": len(sent["ops"])})

    server = place.opened(stage, app, "fastapi")
    me = stage.actor("client", server, "baumkataster.example", "httpx", {"X-User": "tablet-06"})
    other = stage.actor("other", server, "baumkataster.example", "aiohttp", {"X-User": "tablet-02"})
    mill = place.Mill(app, me, 5)
    mill.go(3)

    def batch(base: int, *ids: int) -> Any:
        ops = [{"op": "put", "id": n, "doc": {"species": "tilia", "girth": 90 + n}} for n in ids]
        return {"baseSeq": base, "client": "06", "ops": ops}

    base = me.get("/v3/trees/changes?since=0").json["seq"]
    base = me.send("POST", "/v3/trees/bulk", 200, None, batch(base, 1)).json["seq"]
    other.get("/v3/trees/changes?since=0")
    other.send("POST", "/v3/trees/bulk", 200, None, batch(base, 7, 8))
    place.rest(0.4)
    for wait in (0.3, 0.6, 1.2, 2.4, 0.1):
        me.send("POST", "/v3/trees/bulk", 409, None, batch(base, 2, 3))
        place.rest(wait)
        mill.go(1)


@case(
    "d980",
    "pim-head-then-put-of-an-old-form",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A desk client asks for the newest tag with HEAD right before each save, but what it saves was typed on what it "
        "had read minutes ago. The save passes; the history then shows that a colleague's allergy note is gone."
    ),
)
def clinic(stage: Stage) -> None:
    """Take the newest tag for an old form."""
    app = (
        App()
        .page("/api/rooms", [1, 2])
        .page("/api/queue?room=2", {"waiting": 3})
        .page("/api/icd", {"n": 2}, tag='"i"')
    )
    app.seed(
        "p", {n: {"name": f"P{n}", "phone": "0", "allergies": [], "note": ""} for n in (70, 71, 72)}, v=9
    )
    app.rest("/api/patients", "p", tag=lambda row: f'"{row.sha(16)}"')
    app.trail(
        "/api/patients/{key}/log", "p", lambda row: {"at": row.iso(1), "by": row.who, "now": row.data}, "log"
    )
    server = place.opened(stage, app, "django")
    me = stage.actor("client", server, "klinikk.fjordby.example", "requests", {"X-User": "resepsjon"})
    other = stage.actor("other", server, "klinikk.fjordby.example", "node:fetch", {"X-User": "dr.lie"})
    mill = place.Mill(app, me, 21)
    mill.go(4)

    def save(key: int, form: Any) -> None:
        tag = me.send("HEAD", f"/api/patients/{key}", 200).etag
        me.put(f"/api/patients/{key}", form, 200, {"If-Match": tag})

    save(70, {**me.get("/api/patients/70").json, "phone": "55 01 22"})
    form = me.get("/api/patients/71").json
    seen = other.get("/api/patients/71")
    body = {**seen.json, "allergies": ["penicillin"]}
    other.put("/api/patients/71", body, 200, {"If-Match": seen.etag})
    place.rest(1.3)
    mill.go(3)
    save(71, {**form, "phone": "55 90 14"})
    place.rest(0.5)
    log = me.get("/api/patients/71/log").json["log"]
    place.sure(log[0]["now"]["allergies"] == [] and log[1]["now"]["allergies"] == ["penicillin"])
    mill.go(2)
    place.sure(me.get("/api/patients/71").json["allergies"] == [])


@case(
    "d999",
    "pim-cursor-older-than-its-life",
    "token-expired",
    "410",
    alone="token-expired",
    description=(
        "A sync service keeps cursors three seconds, as its start says. A phone that was away pushes and pulls on an "
        "older one: 410 CURSOR_EXPIRED, again with the same; after a new start the same push passes."
    ),
)
def cursors(stage: Stage) -> None:
    """Push on a cursor that has run out."""
    app = App().page("/s/ping", {"pong": 1}).page("/s/avatars/9.svg", "<svg/>", "image/svg+xml", '"av9"')
    app.seed("n", {n: {"text": f"note {n}"} for n in (1, 2)})
    given: dict[str, float] = {}

    def cursor() -> str:
        key = f"c1.{len(given):03}.{int(time.time() * 1000) % 10**9:x}"
        given[key] = time.time()
        return key

    def stale(key: str) -> Res | None:
        if (age := time.time() - given.get(key, 0)) < 3:
            return None
        return Res(410, {"code": "CURSOR_EXPIRED", "cursor": key, "ageSeconds": int(age), "keptSeconds": 3})

    @app.on("POST", "/s/start")
    def start(_req: Req) -> Res:
        notes = {row.id: row.data for row in app.every("n")}
        return Res(200, {"cursor": cursor(), "keptSeconds": 3, "notes": notes})

    @app.on("GET", "/s/pull")
    def pull(req: Req) -> Res:
        return stale(req.query["cursor"]) or Res(200, {"cursor": cursor(), "changes": []})

    @app.on("POST", "/s/push")
    def push(req: Req) -> Res:
        if refused := stale(req.json["cursor"]):
            return refused
        for key, text in req.json["notes"].items():
            app.put("n", key, {"text": text}, req.who)
        return Res(200, {"cursor": cursor(), "stored": list(req.json["notes"])})

    server = place.opened(stage, app, "starlette")
    always = {"X-User": "dev-9", "User-Agent": "Kladde/2"}
    me = stage.actor("client", server, "sync.kladde.test", "aiohttp", always)
    mill = place.Mill(app, me, 7)
    held = me.send("POST", "/s/start", 200, None, {"device": 9}).json["cursor"]
    held = me.get(f"/s/pull?cursor={held}").json["cursor"]
    first = {"cursor": held, "notes": {"1": "milk, eggs"}}
    held = me.send("POST", "/s/push", 200, None, first).json["cursor"]
    mill.go(2)
    place.rest(4.2)
    notes = {"2": "ring the plumber", "3": "stamps"}
    me.send("POST", "/s/push", 410, None, {"cursor": held, "notes": notes})
    me.get(f"/s/pull?cursor={held}", 410)
    mill.go(2)
    me.send("POST", "/s/push", 410, None, {"cursor": held, "notes": notes})
    held = me.send("POST", "/s/start", 200, None, {"device": 9}).json["cursor"]
    me.send("POST", "/s/push", 200, None, {"cursor": held, "notes": notes})


@case(
    "d963",
    "pim-one-catalogue-one-number",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    description=(
        "A translators' service guards each phrase with the number of the whole catalogue: the client's phrase is as it "
        "was read, but other phrases were changed meanwhile, and its save is 412, twice; the number goes up by several."
    ),
)
def phrases(stage: Stage) -> None:
    """Be refused for other phrases."""
    app = (
        App()
        .page("/glossary.tbx", "<martif/>", "application/xml", '"g4"')
        .page("/api/team", ["ana", "mai", "leo"])
    )
    keys = ("cart.empty", "cart.title", "pay.now", "pay.later", "login.hint")
    app.seed("k", {key: {"key": key, "de": key.upper(), "fr": ""} for key in keys})
    level = [2204]

    def shown(row: Row) -> Any:
        return {**row.data, "touched": row.iso(), "by": row.who}

    def judge(req: Req, _row: Row) -> Res | None:
        if req.fields.get("if-match") == f'"cat-{level[0]}"':
            return None
        return Res(412, {"title": "Catalogue has moved on", "type": "/errors/moved", "catalogue": level[0]})

    def edit(req: Req, row: Row) -> Any:
        level[0] += 1
        return {**row.data, **req.json}

    app.rest(
        "/api/phrases",
        "k",
        marks=lambda _row: {"ETag": f'"cat-{level[0]}"'},
        show=shown,
        judge=judge,
        edit=edit,
    )
    server = place.opened(stage, app, "falcon")
    me = stage.actor("client", server, "words.shop.test", "node:fetch", {"X-User": "leo"})
    other = stage.actor("other", server, "words.shop.test", "httpx", {"X-User": "mai"})
    mill = place.Mill(app, me, 14)
    mill.go(2)
    me.get("/api/phrases")
    seen = me.get("/api/phrases/login.hint")
    me.send("PATCH", "/api/phrases/login.hint", 200, {"If-Match": seen.etag}, {"fr": "Votre nom"})
    for theirs in (("cart.empty", "cart.title", "pay.later"), ("cart.title", "cart.empty")):
        seen = me.get("/api/phrases/pay.now")
        for key in theirs:
            tag = other.get(f"/api/phrases/{key}").etag
            other.send("PATCH", f"/api/phrases/{key}", 200, {"If-Match": tag}, {"fr": f"{key}!{len(theirs)}"})
        place.rest(0.4)
        mill.go(1)
        me.send("PATCH", "/api/phrases/pay.now", 412, {"If-Match": seen.etag}, {"fr": "Payer"})
        place.sure(me.get("/api/phrases/pay.now").json == seen.json)
    me.get("/api/phrases")


@case(
    "d972",
    "pim-number-of-the-queue-for-its-ticket",
    "wrong-token-source",
    "409",
    alone="wrong-token-source",
    description=(
        "A help desk's ticket carries its own version and, within, that of its queue; a script sends the queue's with "
        "each save of a ticket, 409 each time, though the ticket is unchanged."
    ),
)
def tickets(stage: Stage) -> None:
    """Send the queue's version."""
    app = (
        App()
        .page("/rest/queues", [{"id": 3, "name": "Druck", "version": 57}])
        .page("/rest/macros", [], tag='"m0"')
    )
    app.sink("/rest/presence", 204, b"", {"state": "active"})
    app.seed("t", {n: {"subject": f"Drucker {n}", "state": "neu"} for n in (9001, 9002, 9003)}, v=4)

    def shown(row: Row) -> Any:
        queue = {"id": 3, "name": "Druck", "version": 57}
        return {"id": int(row.id), **row.data, "queue": queue, "version": row.v, "touched": row.iso()}

    def judge(req: Req, row: Row) -> Res | None:
        sent = req.json.get("version")
        return (
            None if sent == row.v else Res(409, {"error": "Ticket hat eine andere Version", "gesendet": sent})
        )

    def edit(req: Req, row: Row) -> Any:
        return {**row.data, "state": req.json["state"]}

    app.rest("/rest/tickets", "t", show=shown, judge=judge, edit=edit)
    server = place.opened(stage, app, "tornado")
    me = stage.actor("client", server, "hilfe.druckerei.example", "requests", {"User-Agent": "closer.py/7"})
    mill = place.Mill(app, me, 19)
    mill.go(3)
    me.get("/rest/tickets")
    for key in (9001, 9003, 9001):
        seen = me.get(f"/rest/tickets/{key}").json
        sent = {"state": "gelöst", "version": seen["queue"]["version"]}
        me.send("PATCH", f"/rest/tickets/{key}", 409, None, sent)
        mill.go(2)
    place.sure(me.get("/rest/tickets/9001").json == seen)
