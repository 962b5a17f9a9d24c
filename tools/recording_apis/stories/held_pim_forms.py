"""Stories on small web applications: what clients send, and what they are told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from tools.recording_apis.apps.pim_core import App, Req, Res, Row
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_pim_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_HTML = {"Content-Type": "text/html; charset=utf-8"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _member_page(row: Row, note: str = "") -> str:
    fields = "".join(f'<label>{k} <input name="{k}" value="{v}"></label>\n' for k, v in row.data.items())
    return (
        f"<html><head><title>Mitglied {row.id}</title></head><body>{note}"
        f'<form method="post" action="/mitglieder/{row.id}/aendern">\n'
        f'<input type="hidden" name="stand" value="{row.v}">\n{fields}<button>Speichern</button></form>'
        f"<p>zuletzt geändert {row.iso()} von {row.who}</p></body></html>"
    )


def _club() -> App:
    app = App(X_Frame_Options="DENY").page("/static/verein.css", "body{}", "text/css", '"v31"')
    app.page("/mitglieder", "<html><body><ul><li>812</li><li>815</li></ul></body></html>", "text/html")
    app.page("/termine.json", {"termine": [{"am": "2026-12-04", "was": "Vorstand"}]})
    rows = {
        812: {"name": "A. Brandl", "strasse": "Lindenweg 4", "beitrag": "erm"},
        815: {"name": "K. Seidl", "strasse": "Am Wehr 11", "beitrag": "voll"},
    }
    app.seed("m", rows, v=6, who="import")

    @app.on("GET", "/mitglieder/{key}/aendern")
    def form(_req: Req, key: str) -> Res:
        return Res(200, _member_page(app.now("m", key)), dict(_HTML))

    @app.on("POST", "/mitglieder/{key}/aendern")
    def save(req: Req, key: str) -> Res:
        sent, row = dict(parse_qsl(req.body.decode(), keep_blank_values=True)), app.now("m", key)
        if int(sent.pop("stand")) != row.v:
            note = (
                f"<div class=fehler>Der Datensatz wurde um {row.iso()[11:19]} von {row.who} geändert.</div>"
            )
            return Res(409, _member_page(row, note), dict(_HTML))
        app.put("m", key, sent, req.fields["cookie"].partition("=")[2].partition(".")[0])
        return Res(303, "", {"Location": f"/mitglieder/{key}/aendern"})

    return app


@case(
    "d990",
    "pim-two-at-the-register-of-members",
    "other-writer",
    "409",
    alone="other-writer",
    description=(
        "A club's register is edited in HTML forms with a hidden number of the version; while one secretary types, the "
        "treasurer saves the same member. The form is refused with 409 and a page that names him and his moment."
    ),
)
def register(stage: Stage) -> None:
    """Be second with a form."""
    app = _club()
    server = place.opened(stage, app, "django")
    me = stage.actor("client", server, "register.tsv-oberau.example", "requests", {"Cookie": "sid=petra.7c1"})
    other = stage.actor(
        "other", server, "register.tsv-oberau.example", "httpx", {"Cookie": "sid=kassier.e02"}
    )
    mill = place.Mill(app, me, 4)
    mill.go(4)

    def load(who: Any, key: int) -> dict[str, str]:
        return dict(re.findall(r'name="(\w+)" value="([^"]*)"', who.get(f"/mitglieder/{key}/aendern").text))

    def save(who: Any, key: int, sent: dict[str, str], expect: int) -> Any:
        body = "&".join(f"{k}={quote(v)}" for k, v in sent.items())
        return who.send("POST", f"/mitglieder/{key}/aendern", expect, _FORM, body)

    save(me, 815, {**load(me, 815), "strasse": "Am Wehr 12"}, 303)
    load(me, 815)
    mine, theirs = load(me, 812), load(other, 812)
    save(other, 812, {**theirs, "beitrag": "voll"}, 303)
    place.rest(1.2)
    mill.go(3)
    save(me, 812, {**mine, "strasse": "Lindenweg 14"}, 409)
    place.sure(load(me, 812)["beitrag"] == "voll")
    mill.go(2)


@case(
    "d982",
    "pim-patch-without-row-version",
    "token-missing",
    "422",
    alone="token-missing",
    also="status-dialect-mismatch",
    description=(
        "A FastAPI service of a vet's stock wants row_version in the content of each PATCH; an older scanner leaves it "
        "out and is told 422, field required, while the newer page of the same desk sends it and is taken."
    ),
)
def stock(stage: Stage) -> None:
    """Leave out the version."""
    app = (
        App()
        .page("/api/v2/me", {"user": "praxis-2"})
        .page("/api/v2/suppliers", [{"id": 4, "name": "Vetmed"}])
    )
    app.sink("/api/v2/scan-log", 202, {"queued": True}, {"codes": 1})
    rows = {f"RX-{n}": {"sku": f"RX-{n}", "units": 12 + n, "shelf": "B"} for n in (11, 12, 17)}
    app.seed("s", rows, v=30)

    def judge(req: Req, row: Row) -> Res | None:
        if "row_version" not in req.json:
            asked = {
                "type": "missing",
                "loc": ["body", "row_version"],
                "msg": "Field required",
                "input": req.json,
            }
            return Res(422, {"detail": [asked]})
        if req.json["row_version"] == row.v:
            return None
        return Res(409, {"detail": f"row_version is {row.v}"})

    app.rest(
        "/api/v2/items",
        "s",
        show=lambda row: {**row.data, "row_version": row.v, "updated": row.iso()},
        judge=judge,
        edit=lambda req, row: {**row.data, **{k: v for k, v in req.json.items() if k != "row_version"}},
    )
    server = place.opened(stage, app, "fastapi")
    me = stage.actor("client", server, "stock.tierpraxis.test", "node:axios", {"Authorization": "Bearer p2"})
    mill = place.Mill(app, me, 9)
    mill.go(4)
    scanner = {"User-Agent": "scanr/1.8"}
    me.get("/api/v2/items")
    seen = me.get("/api/v2/items/RX-11").json
    me.send("PATCH", "/api/v2/items/RX-11", 200, None, {"units": 20, "row_version": seen["row_version"]})
    for sku, units in (("RX-12", 3), ("RX-17", 28)):
        me.get(f"/api/v2/items/{sku}", 200, scanner)
        me.send("PATCH", f"/api/v2/items/{sku}", 422, scanner, {"units": units})
        mill.go(2)
    me.send("PATCH", "/api/v2/items/RX-12", 422, scanner, {"units": 3})
    place.sure(me.get("/api/v2/items/RX-12").json["units"] == 24)


@case(
    "d994",
    "pim-rev-of-nothing",
    "null-token",
    "409",
    alone="null-token",
    description=(
        "A page of a bookshop writes ?rev= from a field that the answer does not have (it is called revision), so that "
        "undefined goes over the wire; each save is 409, and the book is at the revision it was read with."
    ),
)
def bookshop(stage: Stage) -> None:
    """Send undefined."""
    app = App().page("/assets/boot.4a.js", "boot()", "text/javascript", '"4a"', "max-age=60")
    app.page("/v1/genres", ["roman", "poésie", "essai"]).page("/v1/basket", {"lines": []})
    app.sink("/v1/beacon", 204, b"", {"page": "fiche"})
    books = {
        n: {"isbn": n, "titre": f"Tome {n[-2:]}", "prix": 18.5} for n in ("97820702", "97822260", "97827073")
    }
    app.seed("b", books, v=3)

    def judge(req: Req, row: Row) -> Res | None:
        if req.query.get("rev") == str(row.v):
            return None
        return Res(409, {"erreur": "révision différente", "reçue": req.query.get("rev"), "isbn": row.id})

    app.rest("/v1/livres", "b", show=lambda row: {"revision": row.v, "livre": row.data}, judge=judge)
    server = place.opened(stage, app, "aiohttp")
    me = stage.actor("client", server, "fonds.librairie-du-port.example", "node:fetch", {"X-User": "claire"})
    mill = place.Mill(app, me, 2)
    mill.go(4)
    me.get("/v1/livres")
    for isbn in ("97822260", "97827073", "97822260"):
        book = me.get(f"/v1/livres/{isbn}").json
        me.put(f"/v1/livres/{isbn}?rev=undefined", {**book["livre"], "prix": 19.9}, 409)
        mill.go(2)
    place.sure(me.get("/v1/livres/97822260").json == book)


@case(
    "d983",
    "pim-tag-came-through-a-route",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A single-page application keeps the tag of a tender in its own route and sends it as it stands there, "
        "percent-encoded with its quotes: %22...%22 fits nothing, in If-Match (412) as in If-None-Match (200)."
    ),
)
def tenders(stage: Stage) -> None:
    """Send a percent-encoded tag."""
    app = App().page("/bundle.js", "x", "text/javascript", '"b-77"').page("/api/session", {"role": "buyer"})
    app.page("/api/alerts?unread=1", {"alerts": []}).page("/api/currencies", ["EUR", "PLN"], tag='"c2"')
    app.seed("t", {n: {"lot": n, "status": "draft", "budget": 1000 * n} for n in (41, 42, 43)}, v=2)
    app.rest(
        "/api/tenders", "t", tag=lambda row: f'"{row.v}:{row.sha(10)}"', refuse={"błąd": "Wersja nieaktualna"}
    )
    server = place.opened(stage, app, "starlette")
    me = stage.actor("client", server, "przetargi.gmina.example", "httpx", {"Accept": "application/json"})
    mill = place.Mill(app, me, 8)
    mill.go(5)
    me.get("/api/tenders")
    for lot in (42, 41):
        seen = me.get(f"/api/tenders/{lot}")
        bent = quote(seen.etag, safe="")
        me.get(f"/api/tenders/{lot}", 200, {"If-None-Match": bent})
        me.send("PATCH", f"/api/tenders/{lot}", 412, {"If-Match": bent}, {"status": "published"})
        mill.go(2)
    now = me.get("/api/tenders/41")
    place.sure(now.etag == seen.etag and now.json["status"] == "draft")


@case(
    "d965",
    "pim-profile-saved-as-if-new",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A mobile app reads a rider's preferences with their tag and saves the changed ones with If-None-Match: *, on "
        "three screens; each save is 412 while the preferences are as they were read. Creating a favourite passes."
    ),
)
def preferences(stage: Stage) -> None:
    """Guard an update as if it were a creation."""
    app = (
        App()
        .page("/m/config?build=512", {"minBuild": 480}, tag='"cfg9"')
        .page("/m/tickets", {"tickets": [1]})
    )
    app.sink("/m/push/register", 201, {"ok": True}, {"token": "f:abc"})
    screens = {"home": {"stop": "Kaivopuisto"}, "alerts": {"lines": ["4", "7B"]}, "payment": {"card": "visa"}}
    app.seed("p", screens, v=11)

    @app.on("PUT", "/m/users/u77/{area}/{key}")
    def put(req: Req, area: str, key: str) -> Res:
        row = app.now(area[0], key)
        if row is not None and req.fields.get("if-none-match") == "*":
            return Res(412, {"code": "EXISTS", "viesti": "Kohde on jo olemassa"})
        made = app.put(area[0], key, req.json, "u77")
        return Res(200 if row else 201, made.data, {"ETag": f'"{made.v}"'})

    app.rest("/m/users/u77/prefs", "p", tag=lambda row: f'"{row.v}"')
    server = place.opened(stage, app, "flask")
    me = stage.actor("client", server, "api.ratikka.example", "java", {"X-App": "ratikka-android/5.12"})
    mill = place.Mill(app, me, 3)
    mill.go(4)
    star = {"If-None-Match": "*"}
    me.put("/m/users/u77/favourites/office", {"from": "Kaivopuisto", "to": "Pasila"}, 201, star)
    for screen, more in (
        ("home", {"stop": "Töölö"}),
        ("alerts", {"lines": ["4"]}),
        ("home", {"stop": "Töölö"}),
    ):
        seen = me.get(f"/m/users/u77/prefs/{screen}")
        place.rest(0.3)
        me.put(f"/m/users/u77/prefs/{screen}", {**seen.json, **more}, 412, star)
        mill.go(2)
    me.get("/m/users/u77/prefs/home")


@case(
    "d992",
    "pim-room-of-that-name-is-there",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A script makes chat rooms with If-None-Match: *; three of four are made, the fourth name has been another "
        "team's for a year: 412, and what is read there is theirs, with members and topic that the script never sent."
    ),
)
def rooms(stage: Stage) -> None:
    """Meet a name that is taken."""
    app = App().page("/api/whoami", {"bot": "onboarding"}).page("/api/limits", {"perMinute": 60})
    kept = {"ops": {"topic": "on call 24/7", "members": ["ines", "rui", "joana"], "owner": "infra"}}
    app.seed("r", kept, v=88, who="joana", ago=3.1e7)

    def show(row: Row) -> Any:
        return {**row.data, "slug": row.id, "created": app.past("r", row.id)[-1].iso(), "by": row.who}

    @app.on("PUT", "/api/rooms/{key}")
    def put(req: Req, key: str) -> Res:
        if app.now("r", key) is not None:
            return Res(412, {"error": "room_exists", "slug": key})
        row = app.put("r", key, req.json, "onboarding")
        return Res(201, show(row), {"ETag": f'"{row.id}-{row.v}"', "Location": f"/api/rooms/{key}"})

    app.rest("/api/rooms", "r", tag=lambda row: f'"{row.id}-{row.v}"', show=show)
    server = place.opened(stage, app, "bottle")
    me = stage.actor("client", server, "chat.estaleiro.example", "aiohttp", {"User-Agent": "room-maker/0.4"})
    me.get("/api/whoami")
    me.get("/api/limits")
    for slug, expect in (("boas-vindas", 201), ("vendas", 201), ("ops", 412), ("doca-3", 201)):
        body = {"topic": f"novo: {slug}", "members": [], "owner": "rh"}
        me.put(f"/api/rooms/{slug}", body, expect, {"If-None-Match": "*"})
        place.rest(0.1)
    place.sure(me.get("/api/rooms/ops").json["owner"] == "infra")
    me.get("/api/rooms")


@case(
    "d989",
    "pim-plan-is-checked-out-by-another",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "Floor plans are checked out before they are edited. The client's save has the newest tag, but a colleague has "
        "the plan checked out: 423 with his name; after trying to check it out (409) the client leaves it."
    ),
)
def plans(stage: Stage) -> None:
    """Save what somebody else has checked out."""
    app = (
        App(X_Api="4")
        .page("/api4/projects", [{"no": 7}])
        .page("/api4/symbols", ["door", "sink"], tag='W/"s5"')
    )
    app.page("/api4/inbox?since=0", {"messages": []})
    app.seed("f", {f"eg-{n}": {"rooms": n + 3, "scale": 50} for n in (1, 2, 3)}, v=14)
    held: dict[str, str] = {}

    @app.on("POST DELETE GET", "/api4/plans/{key}/checkout")
    def checkout(req: Req, key: str) -> Res:
        if req.method == "GET":
            return Res(200, {"plan": key, "checkedOutBy": held.get(key)})
        if req.method == "DELETE":
            held.pop(key)
            return Res(204)
        if held.get(key, req.who) != req.who:
            return Res(409, {"reason": "already-checked-out", "by": held[key]})
        held[key] = req.who
        return Res(201, {"plan": key, "checkedOutBy": req.who})

    def judge(req: Req, row: Row) -> Res | None:
        if held.get(row.id) != req.who:
            return Res(423, {"reason": "checked-out", "by": held.get(row.id), "plan": row.id})
        return None if req.fields.get("if-match") == f'"{row.sha()}"' else Res(412, {"reason": "changed"})

    app.rest("/api4/plans", "f", tag=lambda row: f'"{row.sha()}"', judge=judge)
    server = place.opened(stage, app, "tornado")
    me = stage.actor("client", server, "plans.bureau-lang.test", "node:axios", {"X-User": "m.weiss"})
    other = stage.actor("other", server, "plans.bureau-lang.test", "requests", {"X-User": "t.auer"})
    mill = place.Mill(app, me, 6)
    mill.go(3)
    me.send("POST", "/api4/plans/eg-1/checkout", 201)
    seen = me.get("/api4/plans/eg-1")
    me.put("/api4/plans/eg-1", {**seen.json, "rooms": 5}, 200, {"If-Match": seen.etag})
    me.send("DELETE", "/api4/plans/eg-1/checkout", 204)
    other.send("POST", "/api4/plans/eg-2/checkout", 201)
    other.get("/api4/plans/eg-2")
    seen = me.get("/api4/plans/eg-2")
    mill.go(3)
    me.put("/api4/plans/eg-2", {**seen.json, "scale": 100}, 423, {"If-Match": seen.etag})
    me.send("POST", "/api4/plans/eg-2/checkout", 409)
    me.get("/api4/plans/eg-2/checkout")
    me.put("/api4/plans/eg-2", {**seen.json, "scale": 100}, 423, {"If-Match": seen.etag})
    me.get("/api4/plans/eg-2", 304, {"If-None-Match": seen.etag})
    mill.go(2)
