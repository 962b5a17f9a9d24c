"""Stories on small web applications whose updates get lost without a refusal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.pim_core import App, Req, Res, Row
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_pim_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _log(row: Row) -> Any:
    return {"v": row.v, "who": row.who, "when": row.iso(2), "doc": row.data}


@case(
    "d962",
    "pim-recipes-saved-whole",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "A recipe service gives tags and checks If-Match, which another client uses; this one saves whole recipes "
        "without any condition, from what it had read before: the allergens that a colleague had set in between are gone."
    ),
)
def recipes(stage: Stage) -> None:
    """Save without a condition."""
    app = (
        App(Vary="Accept")
        .page("/kitchen/units", ["g", "ml"], tag='"u1"')
        .page("/kitchen/today", {"menu": [5]})
    )
    app.seed("r", {n: {"name": f"Recept {n}", "portions": 40, "allergens": []} for n in (4, 5, 6)}, v=17)
    app.rest("/kitchen/recipes", "r", tag=lambda row: f'"{row.id}.{row.v}"')
    app.trail("/kitchen/recipes/{key}/versions", "r", _log, "versions")
    server = place.opened(stage, app, "starlette")
    me = stage.actor("client", server, "kok.skola.example", "node:axios", {"X-User": "lagret"})
    other = stage.actor("other", server, "kok.skola.example", "requests", {"X-User": "dietist"})
    mill = place.Mill(app, me, 3)
    mill.go(3)
    me.get("/kitchen/recipes")
    held = {n: me.get(f"/kitchen/recipes/{n}").json for n in (4, 5, 6)}
    seen = other.get("/kitchen/recipes/5")
    other.put("/kitchen/recipes/5", {**seen.json, "allergens": ["nöt"]}, 200, {"If-Match": seen.etag})
    place.rest(1.4)
    mill.go(2)
    for number in (4, 5, 6):
        me.put(f"/kitchen/recipes/{number}", {**held[number], "portions": 55}, 200)
        place.rest(0.1)
    old = me.get("/kitchen/recipes/5/versions").json["versions"]
    place.sure(old[1]["doc"]["allergens"] == ["nöt"] and old[0]["doc"]["allergens"] == [])
    mill.go(2)
    other.put("/kitchen/recipes/5", seen.json, 412, {"If-Match": seen.etag})


@case(
    "d997",
    "pim-patch-does-not-look-at-if-match",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "A service checks If-Match on PUT but not on PATCH: seconds after a colleague's change a PATCH with the older "
        "tag is 200 and takes the colleague's list of crew away; the PUT with that tag is 412."
    ),
)
def voyages(stage: Stage) -> None:
    """Patch with an outdated tag."""
    app = (
        App().page("/harbours", ["Vigo", "Leixões"], tag='"hb2"').page("/tides?port=vigo", {"high": "04:12"})
    )
    app.seed("y", {n: {"ship": n, "crew": ["A"], "eta": "06:00"} for n in ("mar", "sol", "lua")}, v=101)

    def judge(req: Req, row: Row) -> Res | None:
        wrong = req.method == "PUT" and req.fields.get("if-match") not in {None, f'"y{row.v}"'}
        return Res(412, {"motivo": "etag", "actual": f"y{row.v}"}) if wrong else None

    app.rest("/voyages", "y", tag=lambda row: f'"y{row.v}"', judge=judge)
    app.trail("/voyages/{key}/log", "y", _log, "log")
    server = place.opened(stage, app, "flask")
    me = stage.actor("client", server, "rutas.naviera.example", "httpx", {"X-User": "puente"})
    other = stage.actor("other", server, "rutas.naviera.example", "aiohttp", {"X-User": "armador"})
    mill = place.Mill(app, me, 11)
    mill.go(3)
    seen = me.get("/voyages/mar")
    me.put("/voyages/mar", {**seen.json, "eta": "06:30"}, 200, {"If-Match": seen.etag})
    seen, theirs = me.get("/voyages/sol"), other.get("/voyages/sol")
    mine = {"crew": [*seen.json["crew"], "B"]}
    other.put("/voyages/sol", {**theirs.json, "crew": ["A", "K", "M"]}, 200, {"If-Match": theirs.etag})
    place.rest(2.1)
    mill.go(2)
    got = me.send("PATCH", "/voyages/sol", 200, {"If-Match": seen.etag}, mine)
    place.sure(got.etag == '"y104"', got.etag)
    log = me.get("/voyages/sol/log").json["log"]
    place.sure(log[1]["doc"]["crew"] == ["A", "K", "M"] and log[0]["doc"]["crew"] == ["A", "B"])
    me.put("/voyages/sol", {**seen.json, "eta": "07:00"}, 412, {"If-Match": seen.etag})
    mill.go(1)


@case(
    "d984",
    "pim-looks-then-stores-later",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    description=(
        "A service compares lockVersion when a save begins and stores when its slow check of prices is over: two saves on "
        "one version overlap and are both taken; the log shows both on one base. Afterwards an outdated one is 409."
    ),
)
def offers(stage: Stage) -> None:
    """Have two overlapping saves taken."""
    app = App().page("/crm/me", {"team": "north"}).page("/crm/pipeline", {"open": 12})
    app.page("/crm/tags", ["vip"], tag='"tg"')
    app.seed("o", {n: {"client": f"C{n}", "discount": 0, "items": ["A"]} for n in (31, 32)}, v=5)
    based: dict[int, int] = {}

    def shown(row: Row) -> Any:
        return {"offer": row.data, "lockVersion": row.v, "savedBy": row.who}

    app.rest("/crm/offers", "o", show=shown)
    app.routes = [one for one in app.routes if one[0] != "PUT"]

    @app.on("PUT", "/crm/offers/{key}")
    def save(req: Req, key: str) -> Res:
        sent = req.json
        if sent["lockVersion"] != app.now("o", key).v:
            return Res(409, {"code": "LOCK_VERSION", "lockVersion": app.now("o", key).v})
        time.sleep(0.6)
        row = app.put("o", key, sent["offer"], req.who)
        based[row.v] = sent["lockVersion"]
        return Res(200, shown(row))

    app.trail(
        "/crm/offers/{key}/log",
        "o",
        lambda row: {**_log(row), "base": based.get(row.v), "doc": row.data},
        "entries",
    )
    server = place.opened(stage, app, "waitress")
    me = stage.actor("client", server, "crm.nordbau.test", "requests", {"X-User": "hanne"})
    other = stage.actor("other", server, "crm.nordbau.test", "node:fetch", {"X-User": "olaf"})
    mill = place.Mill(app, me, 2)
    mill.go(3)
    mine, theirs = me.get("/crm/offers/32").json, other.get("/crm/offers/32").json
    mine["offer"]["items"], theirs["offer"]["discount"] = ["A", "D"], 7
    place.together(
        lambda: me.put("/crm/offers/32", mine, 200),
        lambda: other.put("/crm/offers/32", theirs, 200),
        apart=0.15,
    )
    mill.go(2)
    place.sure(me.get("/crm/offers/32").json["offer"]["items"] == ["A"])
    log = me.get("/crm/offers/32/log").json["entries"]
    place.sure(log[0]["base"] == log[1]["base"])
    me.put("/crm/offers/32", mine, 409)
    mill.go(1)


@case(
    "d985",
    "pim-two-hundred-and-not-saved",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch",
    also="other-writer",
    description=(
        "A meter service answers each save with 200 and says within that the row was changed by another (saved false, "
        "reason row_version). The client looks at the status, takes the reading off its queue and says that all is "
        "saved; the later list shows the old reading."
    ),
)
def meters(stage: Stage) -> None:
    """Take a conflict within 200 for success."""
    app = App().page("/svc/areas", [{"id": 2}], tag='"ar"').page("/svc/version", {"v": "11.0"})
    app.seed("z", {n: {"meter": n, "kwh": 1000 * n, "seal": "ok"} for n in (81, 82, 83, 84)}, v=12)

    def shown(row: Row) -> Any:
        return {**row.data, "row_version": row.v, "by": row.who, "at": row.iso()}

    app.rest("/svc/meters", "z", show=shown)

    @app.on("POST", "/svc/meters/{key}/save")
    def save(req: Req, key: str) -> Res:
        row, sent = app.now("z", key), req.json
        if sent.pop("row_version") != row.v:
            return Res(
                200, {"saved": False, "reason": f"row_version {row.v} by {row.who}", "meter": int(key)}
            )
        return Res(200, {"saved": True, "row_version": app.put("z", key, {**row.data, **sent}, req.who).v})

    @app.on("POST", "/svc/queue")
    def report(req: Req) -> Res:
        return Res(202, {"noted": req.json["left"]})

    server = place.opened(stage, app, "aiohttp")
    me = stage.actor("client", server, "ablesung.stadtwerk.example", "urllib", {"X-User": "route-5"})
    other = stage.actor("other", server, "ablesung.stadtwerk.example", "httpx", {"X-User": "montage"})
    mill = place.Mill(app, me, 17)
    mill.go(3)
    held = {n: me.get(f"/svc/meters/{n}").json["row_version"] for n in (81, 82, 83, 84)}
    seen = other.get("/svc/meters/83").json
    other.send(
        "POST", "/svc/meters/83/save", 200, None, {"row_version": seen["row_version"], "seal": "replaced"}
    )
    place.rest(1.2)
    for left, number in enumerate((81, 82, 83, 84)):
        body = {"row_version": held[number], "kwh": 1000 * number + 37}
        me.send("POST", f"/svc/meters/{number}/save", 200, None, body)
        me.send("POST", "/svc/queue", 202, None, {"left": 3 - left, "saved": number, "failed": 0})
    mill.go(2)
    me.send(
        "POST", "/svc/queue", 202, None, {"left": 0, "message": "alle Ablesungen gespeichert", "failed": 0}
    )
    rows = {row["meter"]: row["kwh"] for row in me.get("/svc/meters").json["items"]}
    place.sure(rows[83] == 83000 and rows[82] == 82037)


@case(
    "d966",
    "pim-two-saves-in-one-second",
    "date-precision",
    "lost-update",
    alone="date-precision",
    description=(
        "Last-Modified has whole seconds, the rows have thousandths. A colleague's save falls into the second that the "
        "client had read; If-Unmodified-Since with that second passes, and the history shows the colleague's text gone."
    ),
)
def minutes(stage: Stage) -> None:
    """Pass within a second."""
    app = (
        App().page("/protokoll/gremien", ["Rat", "Bau"]).page("/protokoll/kalender", {"tage": 3}, tag='"k3"')
    )
    app.seed("s", {n: {"top": n, "beschluss": "", "stimmen": "0:0"} for n in (1, 2, 3)})

    def judge(req: Req, row: Row) -> Res | None:
        sent = req.fields.get("if-unmodified-since")
        ok = sent is not None and time.mktime(time.strptime(sent[5:25], "%d %b %Y %H:%M:%S")) - time.timezone
        return None if ok and int(row.at) <= ok else Res(412, {"fehler": "zwischenzeitlich geändert"})

    app.rest(
        "/protokoll/tops",
        "s",
        show=lambda row: {**row.data, "geaendert": row.iso(3), "von": row.who},
        marks=lambda row: {"Last-Modified": row.date()},
        judge=judge,
        edit=lambda req, row: {**row.data, **{k: v for k, v in req.json.items() if k in row.data}},
    )
    app.trail("/protokoll/tops/{key}/verlauf", "s", _log, "verlauf")
    server = place.opened(stage, app, "bottle")
    me = stage.actor("client", server, "rat.musterau.example", "requests", {"X-User": "schrift"})
    other = stage.actor("other", server, "rat.musterau.example", "httpx", {"X-User": "vorsitz"})
    mill = place.Mill(app, me, 8)
    mill.go(3)
    mine, theirs = me.get("/protokoll/tops/2"), other.get("/protokoll/tops/2")
    place.rest(1.05 - time.time() % 1)

    def save(who: Any, key: int, since: Any, body: Any, expect: int) -> Any:
        return who.put(
            f"/protokoll/tops/{key}", body, expect, {"If-Unmodified-Since": since.fields["last-modified"]}
        )

    save(me, 2, mine, {**mine.json, "stimmen": "14:3"}, 200)
    mine, theirs = me.get("/protokoll/tops/2"), other.get("/protokoll/tops/2")
    place.rest(0.35)
    save(other, 2, theirs, {**theirs.json, "beschluss": "vertagt"}, 200)
    place.rest(1.1)
    mill.go(2)
    save(me, 2, mine, {**mine.json, "stimmen": "15:3"}, 200)
    log = me.get("/protokoll/tops/2/verlauf").json["verlauf"]
    place.sure(log[1]["doc"]["beschluss"] == "vertagt" and log[0]["doc"]["beschluss"] == "")
    place.sure(log[1]["when"][:19] == log[2]["when"][:19])
    save(me, 2, mine, {**mine.json, "stimmen": "16:3"}, 412)
