"""Held-out stories in which nothing is wrong: business services with versions of their own making."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps import fen_suites as suites
from tools.recording_apis.apps.fen_desk import Desk, form, page, stamp
from tools.recording_apis.apps.vic_core import Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import fen_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d694",
    "fen-invoice-form-with-a-wrong-amount",
    "none",
    "healthy",
    alone="none",
    description=(
        "An invoice form carries the edition as a hidden field. The first post has an amount that does not add up and "
        "is shown again with 422; the corrected one, with the same edition, is stored, and the next change rests on the "
        "new edition."
    ),
)
def invoices(stage: Stage) -> None:
    """Mistype an amount and correct it."""
    desk = Desk(
        {n: {"cliente": f"Cantina {n}", "netto": 100, "iva": 22, "totale": 122} for n in ("F-81", "F-82")},
        first=4,
    )
    desk.still("/", page("Fatture", "<a href='/fatture/F-81'>F-81</a>"), "", "text/html; charset=utf-8")
    desk.still("/moduli.css", "form{display:grid}", '"m-2"', "text/css")

    def html(status: int, key: str, note: str = "") -> Res:
        row = desk.rows[key]
        inputs = "".join(f"<input name='{name}' value='{value}'>" for name, value in row.data.items())
        hidden = f"<input type='hidden' name='edizione' value='{row.rev}'>"
        text = page(
            f"Fattura {key}", f"<p class='avviso'>{note}</p><form method='post'>{hidden}{inputs}</form>"
        )
        return Res(status, text, {"Content-Type": "text/html; charset=utf-8"})

    @desk.on("GET", "/fatture/(F-[0-9]+)")
    def read(_req: Req, key: str) -> Res:
        return html(200, key)

    @desk.on("POST", "/fatture/(F-[0-9]+)")
    def save(req: Req, key: str) -> Res:
        sent = form(req)
        if int(sent["edizione"]) != desk.rows[key].rev:
            return html(409, key, "La fattura è stata modificata nel frattempo.")
        if int(sent["netto"]) + int(sent["iva"]) != int(sent["totale"]):
            return html(422, key, "Il totale non corrisponde alla somma.")
        desk.keep(key, {name: one for name, one in sent.items() if name != "edizione"}, "ufficio")
        return Res(303, b"", {"Location": f"/fatture/{key}"})

    server = place.open_box(stage, desk, "flask-cheroot")
    me = stage.actor("client", server, "fatture.vini-langhe.example", "requests:follow", place.FIREFOX)
    place.looks(me, "/")
    place.browse(me, "/moduli.css")
    me.get("/fatture/F-81")
    place.post_form(
        me, "/fatture/F-81", 422, edizione=4, cliente="Cantina F-81", netto=150, iva=33, totale=138
    )
    place.think(0.6)
    place.post_form(
        me, "/fatture/F-81", 200, edizione=4, cliente="Cantina F-81", netto=150, iva=33, totale=183
    )
    place.post_form(
        me, "/fatture/F-81", 200, edizione=5, cliente="Cantina Sociale", netto=150, iva=33, totale=183
    )
    me.get("/fatture/F-82")


def _berths() -> Desk:
    """Return a marina's berths over GraphQL."""
    desk = Desk({n: {"boat": None, "power": False, "note": ""} for n in ("B1", "B2", "C7")}, first=40)
    desk.still("/tides", {"high": "14:20"})

    @desk.on("POST", "/api/graph")
    def answer(req: Req) -> Res:
        asked = req.json["variables"]
        row = desk.rows.get(asked["berth"])
        if row is None:
            error = {
                "message": f"no berth {asked['berth']}",
                "path": ["berth"],
                "extensions": {"code": "NOT_FOUND"},
            }
            return Res(200, {"data": {"berth": None}, "errors": [error]})
        if "mutation" in req.json["query"]:
            if asked["stamp"] != f"s{row.rev}":
                return Res(
                    200,
                    {
                        "data": None,
                        "errors": [{"message": "stamp is old", "extensions": {"code": "OLD_STAMP"}}],
                    },
                )
            row = desk.keep(asked["berth"], {**row.data, **asked["set"]}, req.fields["x-desk"])
        shown = {"berth": asked["berth"], **row.data, "stamp": f"s{row.rev}", "by": row.by}
        return Res(200, {"data": {"berth": shown}})

    return desk


@case(
    "d646",
    "fen-marina-desks-merge-before-they-save",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two desks of a marina assign berths over GraphQL with stamps. The client's poll shows that the other desk has "
        "written the berth it has open; it takes the newest state, keeps the other's note and saves with that stamp; a "
        "query for a berth that does not exist is an error of its own kind."
    ),
)
def marina(stage: Stage) -> None:
    """See the other's change in time and keep it."""
    server = place.open_box(stage, _berths(), "tornado")
    host = "berths.north-quay.example"
    me = stage.actor("client", server, host, "node:fetch", {"X-Desk": "east"})
    other = stage.actor("other", server, host, "httpx", {"X-Desk": "west"})
    read = "query Berth($berth: ID!) { berth(id: $berth) { boat power note stamp by } }"
    save = "mutation Assign($berth: ID!, $stamp: String!, $set: BerthInput!) { berth: assign(id: $berth, stamp: $stamp, set: $set) { boat power note stamp by } }"

    def ask(who: Any, query: str, **variables: Any) -> Any:
        return who.send("POST", "/api/graph", 200, None, {"query": query, "variables": variables}).json[
            "data"
        ]["berth"]

    place.looks(me, "/tides")
    mine = ask(me, read, berth="B2")
    place.sure(ask(me, read, berth="B9") is None)
    theirs = ask(other, read, berth="B2")
    ask(other, save, berth="B2", stamp=theirs["stamp"], set={"note": "cleat loose"})
    place.think(0.8)
    now = ask(me, read, berth="B2")
    place.sure(now["stamp"] != mine["stamp"])
    saved = ask(
        me, save, berth="B2", stamp=now["stamp"], set={"boat": "Gannet", "power": True, "note": now["note"]}
    )
    for change in ({"power": False}, {"note": "cleat loose; sail at 9"}):
        place.think(0.3)
        saved = ask(me, save, berth="B2", stamp=saved["stamp"], set=change)
    place.sure(saved["boat"] == "Gannet" and "cleat" in saved["note"])
    place.looks(me, "/tides")
    ask(other, read, berth="B2")


@case(
    "d665",
    "fen-editing-slip-renewed-in-time",
    "none",
    "healthy",
    alone="none",
    description=(
        "A land registry gives out editing slips that live three seconds. The client renews its slip while it works, "
        "saves with the newest one, takes another for the next parcel and saves at once; slips come and go, and nothing "
        "is refused."
    ),
)
def parcels(stage: Stage) -> None:
    """Renew before the end."""
    desk = Desk({n: {"parcela": n, "namembnost": "njiva", "opomba": ""} for n in ("114/2", "115", "118/1")})
    slips: dict[str, tuple[str, float]] = {}
    numbers = itertools.count(41, 3)
    desk.still("/katastrska-obcina", {"ko": 2175, "ime": "Brezje"}, '"ko-2175"')

    def slip(key: str) -> Res:
        name = f"listek-{next(numbers):03d}"
        slips[name] = (key, time.time() + 3)
        return Res(201, {"listek": name, "velja_do": stamp(time.time() + 3, 1)})

    @desk.on("GET", "/parcele/(.+)")
    def read(_req: Req, key: str) -> Res:
        return Res(200, {**desk.rows[key].data, "stanje": desk.rows[key].rev})

    @desk.on("POST", "/listki")
    def take(req: Req) -> Res:
        return slip(req.json["parcela"])

    @desk.on("POST", "/listki/([^/]+)/podaljsanje")
    def renew(_req: Req, name: str) -> Res:
        key, until = slips.pop(name, ("", 0.0))
        return slip(key) if until > time.time() else Res(410, {"napaka": "listek je potekel"})

    @desk.on("PUT", "/parcele/(.+)")
    def write(req: Req, key: str) -> Res:
        own, until = slips.pop(req.fields.get("x-listek", ""), ("", 0.0))
        if own != key or until < time.time():
            return Res(410, {"napaka": "listek je potekel"})
        row = desk.keep(key, {name: one for name, one in req.json.items() if name != "stanje"}, "notar")
        return Res(200, {**row.data, "stanje": row.rev})

    server = place.open_box(stage, desk, "falcon")
    me = stage.actor("client", server, "kataster.zemljiski-urad.example", "urllib", {"X-Notar": "014"})
    place.browse(me, "/katastrska-obcina")
    seen = me.get("/parcele/115").json
    name = me.send("POST", "/listki", 201, None, {"parcela": "115"}).json["listek"]
    for _ in range(3):
        place.think(1.6)
        name = me.send("POST", f"/listki/{name}/podaljsanje", 201, None, {}).json["listek"]
    me.put("/parcele/115", {**seen, "opomba": "služnost poti"}, 200, {"X-Listek": name})
    seen = me.get("/parcele/118/1").json
    name = me.send("POST", "/listki", 201, None, {"parcela": "118/1"}).json["listek"]
    me.put("/parcele/118/1", {**seen, "namembnost": "travnik"}, 200, {"X-Listek": name})


@case(
    "d685",
    "fen-dashboard-tags-set-one-after-the-other",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A script sets tags and panels of Grafana dashboards one after the other, each time with the version of a fresh "
        "read or of the answer before; one dashboard is stored three times in a row with rising versions."
    ),
)
def tags(stage: Stage) -> None:
    """Chain the versions as one should."""
    boards: dict[str, Any] = {
        uid: {"title": uid.title(), "panels": [], "tags": ["obst"]}
        for uid in ("kuehlhaus", "presse", "abfuellung")
    }
    server = place.open_box(stage, suites.dashboards(boards), "waitress", "Grafana")
    me = stage.actor(
        "client", server, "grafana.mosterei-rhoen.example", "java", {"Authorization": "Bearer glsa_k1"}
    )
    place.looks(me, "/api/health", "/api/search?type=dash-db")
    for uid in boards:
        seen = me.get(f"/api/dashboards/uid/{uid}").json["dashboard"]
        version = seen["version"]
        for number in range(3 if uid == "presse" else 1):
            body = {
                "dashboard": {**seen, "tags": ["obst", f"runde-{number}"], "version": version},
                "overwrite": False,
            }
            version = me.send("POST", "/api/dashboards/db", 200, None, body).json["version"]
            place.think(0.25)
    place.sure(me.get("/api/dashboards/uid/presse").json["dashboard"]["version"] == 15)
    place.looks(me, "/api/folders")
