"""Days on small web applications on which all is well, though it may not look so."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.pim_core import App, Req, Res, Row
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_pim_setting as place
from tools.recording_apis.stories.held_pim_places import _browser, _cors
from tools.recording_apis.stories.vic_setting import drops

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "d961",
    "pim-access-token-ran-out-mid-save",
    "none",
    "healthy",
    alone="none",
    description=(
        "An accountant's page saves invoices with their rowversion in If-Match; once the access token has run out, the "
        "save is 401, the page refreshes the token and sends the same save with the same tag again, which is taken."
    ),
)
def accounts(stage: Stage) -> None:
    """Refresh a token and send again."""
    app = App().page("/fin/vat", [0.05, 0.2], tag='"vat2"').page("/fin/periods", ["2026-10", "2026-11"])
    app.seed("i", {n: {"no": n, "total": 120 + n, "paid": False} for n in (2201, 2202, 2203)}, v=9)
    valid, serial = {"t1"}, [1]

    def tag(row: Row) -> str:
        return f'"{base64.b64encode((0x7D1000 + row.v).to_bytes(8, "big")).decode()}"'

    def judge(req: Req, row: Row) -> Res | None:
        if req.fields.get("authorization", "").removeprefix("Bearer ") not in valid:
            return Res(401, {"error": "token_expired"}, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return None if req.fields.get("if-match") == tag(row) else Res(412, {"error": "rowversion"})

    @app.on("POST", "/auth/token")
    def token(_req: Req) -> Res:
        serial[0] += 1
        valid.add(f"t{serial[0]}")
        return Res(200, {"access_token": f"t{serial[0]}", "expires_in": 300})

    app.rest("/fin/invoices", "i", tag=tag, judge=judge)
    server = place.opened(stage, app, "aiohttp")
    me = stage.actor("client", server, "fin.ledgerly.test", "node:axios")
    mill = place.Mill(app, me, 6)
    mill.go(3)
    auth = {"Authorization": "Bearer t1"}
    for number in (2201, 2202, 2203):
        seen = me.get(f"/fin/invoices/{number}", 200, auth)
        body = {"paid": True, "ref": f"BANK-{number}"}
        if number == 2202:
            valid.clear()
            me.send("PATCH", f"/fin/invoices/{number}", 401, {**auth, "If-Match": seen.etag}, body)
            form = {"grant_type": "refresh_token", "refresh_token": "r-81"}
            auth = {
                "Authorization": f"Bearer {me.send('POST', '/auth/token', 200, None, form).json['access_token']}"
            }
        saved = me.send("PATCH", f"/fin/invoices/{number}", 200, {**auth, "If-Match": seen.etag}, body)
        me.get(f"/fin/invoices/{number}", 304, {**auth, "If-None-Match": saved.etag})
        mill.go(2)


@case(
    "d967",
    "pim-weak-tags-that-are-good-enough",
    "none",
    "healthy",
    alone="none",
    description=(
        "An OData-like service has weak tags of its own, behind an nginx that compresses, and compares them as they "
        "stand, as its kind may: all changes with W/ in If-Match are 204, each has its tag anew, and reads show them."
    ),
)
def odata(stage: Stage) -> None:
    """Send weak tags that are taken."""
    app = App(OData_Version="4.0").page("/odata/$metadata", "<edmx:Edmx/>", "application/xml", 'W/"md1"')
    app.page("/odata/Warehouses?$top=5", {"value": [{"Id": 1}, {"Id": 2}]})
    app.seed(
        "p",
        {n: {"Id": n, "Name": f"Pump {n}", "Stock": n, "Text": "spare " * 40} for n in (71, 72, 73)},
        v=300,
    )

    def tag(row: Row) -> str:
        return f"W/\"'{row.v:05}'\""

    def show(row: Row) -> Any:
        return {"@odata.context": "$metadata#Parts/$entity", "@odata.etag": tag(row), **row.data}

    def edit(req: Req, row: Row) -> Any:
        return {**row.data, **req.json}

    app.rest(
        "/odata/Parts",
        "p",
        tag=tag,
        show=show,
        edit=edit,
        answer=lambda _req, row: Res(204, b"", {"ETag": tag(row)}),
    )
    front = fronts.nginx_gzip(stage, place.opened(stage, app, "django"))
    me = stage.actor("client", front, "erp.pumpenwerk.example", "requests", {"Accept": "application/json"})
    other = stage.actor("other", front, "erp.pumpenwerk.example", "httpx")
    mill = place.Mill(app, me, 2)
    mill.go(3)
    for number, stock in ((71, 5), (72, 8), (71, 4)):
        seen = me.get(f"/odata/Parts/{number}")
        tags = seen.json["@odata.etag"]
        told = me.send("PATCH", f"/odata/Parts/{number}", 204, {"If-Match": tags}, {"Stock": stock})
        me.send("PATCH", f"/odata/Parts/{number}", 204, {"If-Match": told.etag}, {"Name": f"Pumpe {number}"})
        mill.go(2)
        theirs = other.get(f"/odata/Parts/{number}").json
        other.send("PATCH", f"/odata/Parts/{number}", 204, {"If-Match": theirs["@odata.etag"]}, {"Bin": "A4"})
    now = me.get("/odata/Parts/71").json
    place.sure(now["Stock"] == 4 and now["Bin"] == "A4" and now["Name"] == "Pumpe 71")


@case(
    "d970",
    "pim-order-repeated-under-its-key",
    "none",
    "healthy",
    alone="none",
    description=(
        "A shop's till loses the answer to a save on a bad line and sends it again under the same Idempotency-Key: the "
        "service answers 200 with the version that the first had made, and the next save on that version is taken."
    ),
)
def till(stage: Stage) -> None:
    """Repeat a save under its key."""
    app = App().page("/pos/config", {"till": 4}, tag='"pc7"').page("/pos/offers", [{"sku": "tea", "off": 10}])
    app.seed("o", {n: {"order": n, "lines": ["tea"], "state": "open"} for n in (880, 881)}, v=2)
    done: dict[str, Res] = {}

    def show(row: Row) -> Any:
        return {**row.data, "version": row.v, "at": row.iso(1)}

    def judge(req: Req, row: Row) -> Res | None:
        if (key := req.fields.get("idempotency-key", "")) in done:
            return Res(200, done[key].body, {"Idempotent-Replayed": "true"})
        return None if req.json["version"] == row.v else Res(409, {"error": "version", "version": row.v})

    def answer(req: Req, row: Row) -> Res:
        done[req.fields["idempotency-key"]] = Res(200, show(row))
        return Res(200, show(row))

    def edit(req: Req, row: Row) -> Any:
        return {k: req.json.get(k, v) for k, v in row.data.items()}

    app.rest("/pos/orders", "o", show=show, judge=judge, answer=answer, edit=edit)
    server = place.opened(stage, app, "tornado")
    lost = drops("PUT", "/pos/orders/881", 1)
    me = stage.actor("client", server, "pos.teahouse.test", "httpx", {"X-User": "till-4"}, loses=lost)
    mill = place.Mill(app, me, 3)
    mill.go(3)
    for number in (880, 881):
        seen = me.get(f"/pos/orders/{number}").json
        changes: tuple[dict[str, Any], ...] = ({"lines": ["tea", "bun"]}, {"state": "paid"})
        for step, more in enumerate(changes):
            key = {"Idempotency-Key": f"t4-{number}-{step}"}
            if (number, step) == (881, 0):
                me.put(f"/pos/orders/{number}", {**seen, **more}, 0, key)
                place.rest(0.5)
            got = me.put(f"/pos/orders/{number}", {**seen, **more}, 200, key)
            place.sure(got.json["version"] == seen["version"] + 1)
            seen = got.json
            mill.go(1)
    place.sure(me.get("/pos/orders/881").json["state"] == "paid")


@case(
    "d973",
    "pim-shop-window-may-be-old",
    "none",
    "healthy",
    alone="none",
    description=(
        "Squid keeps a nursery's shop window; the page looks at products from the copy (Age, HIT), but each edit starts "
        "from a read with no-cache, whose tag is taken. The window shows the old price for a while, and no edit rests on it."
    ),
)
def nursery(stage: Stage) -> None:
    """Look at copies, edit what is fresh."""
    app = (
        App()
        .page("/shop/banner.json", {"text": "Herfst"}, tag='"bn"', life="max-age=120")
        .page("/shop/cart", {"n": 0})
    )
    app.seed("g", {n: {"plant": n, "price": 7.5, "pots": 30} for n in ("salvia", "aster", "sedum")}, v=50)
    app.rest(
        "/shop/plants",
        "g",
        tag=lambda row: f'"{row.sha(18)}"',
        marks=lambda row: {"ETag": f'"{row.sha(18)}"', "Cache-Control": "public, max-age=60"},
    )
    front = fronts.squid(stage, place.opened(stage, app, "starlette"), site="kwekerij.example")
    me = stage.actor("client", front, "kwekerij.example", "node:fetch", {"X-User": "joke"})
    mill = place.Mill(app, me, 7)
    me.get("/shop/plants")
    for name in ("aster", "sedum", "salvia"):
        me.get(f"/shop/plants/{name}")
    mill.go(3)
    for name, price in (("aster", 8), ("salvia", 9), ("aster", 8.5)):
        me.get(f"/shop/plants/{name}")
        fresh = me.get(f"/shop/plants/{name}", 200, {"Cache-Control": "no-cache"})
        me.put(f"/shop/plants/{name}", {**fresh.json, "price": price}, 200, {"If-Match": fresh.etag})
        place.rest(1.1)
        mill.go(2)
    for name in ("sedum", "aster", "salvia"):
        me.get(f"/shop/plants/{name}")
    place.sure(me.get("/shop/plants/aster", 200, {"Cache-Control": "no-cache"}).json["price"] == 8.5)


_TURNS = (
    ("client", "title", "Kermis 2027"),
    ("client", "size", "A1"),
    ("other", "colour", "blauw"),
    ("client", "colour", "rozerood"),
    ("client", "colour", "rood"),
    ("other", "title", "Grote kermis"),
    ("client", "size", "A0"),
)


@case(
    "d976",
    "pim-two-patch-one-poster-by-turns",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two designers change one poster by turns with JSON Patch, its tests and If-Match; each looks again before each "
        "change (304 when it was his own, 200 when it was not). A 422 is a colour that does not exist. All changes last."
    ),
)
def poster(stage: Stage) -> None:
    """Take turns."""
    app = App().page("/api/palettes", ["rood", "blauw"], tag='"pal"')
    app.page("/api/fonts/inter.json", {"w": [400, 700]}).page("/api/cursors?doc=p1", {"others": 1})
    app.seed("p", {n: {"title": "Kermis", "colour": "rood", "size": "A2"} for n in ("p1", "p2")}, v=77)

    def edit(req: Req, row: Row) -> Any:
        ops = {one["path"].strip("/"): one["value"] for one in req.json if one["op"] == "replace"}
        return {**row.data, **ops}

    def judge(req: Req, row: Row) -> Res | None:
        for one in req.json:
            if one["op"] == "test" and row.data[one["path"].strip("/")] != one["value"]:
                return Res(409, {"detail": "test failed", "path": one["path"]})
            if one["op"] == "replace" and one["value"] == "rozerood":
                return Res(
                    422, {"detail": "unknown colour", "path": one["path"], "allowed": ["rood", "blauw"]}
                )
        return (
            None if req.fields.get("if-match") == f'"{row.v}.{row.sha(6)}"' else Res(412, {"detail": "stale"})
        )

    app.rest("/api/posters", "p", tag=lambda row: f'"{row.v}.{row.sha(6)}"', edit=edit, judge=judge)
    server = place.opened(stage, app, "fastapi")
    actors = {
        "client": stage.actor("client", server, "poster.atelier.test", "aiohttp", {"X-User": "bas"}),
        "other": stage.actor("other", server, "poster.atelier.test", "requests", {"X-User": "fien"}),
    }
    mill = place.Mill(app, actors["client"], 5)
    mill.go(3)
    held: dict[str, Answer] = {name: one.get("/api/posters/p1") for name, one in actors.items()}
    for name, field, value in _TURNS:
        me = actors[name]
        got = me.send("GET", "/api/posters/p1", (200, 304), {"If-None-Match": held[name].etag})
        held[name] = got if got.status == 200 else held[name]
        ops = [{"op": "test", "path": f"/{field}", "value": held[name].json[field]}]
        ops += [{"op": "replace", "path": f"/{field}", "value": value}]
        sent = {"If-Match": held[name].etag, "Content-Type": "application/json-patch+json"}
        saved = me.send("PATCH", "/api/posters/p1", 422 if value == "rozerood" else 200, sent, ops)
        held[name] = saved if saved.status == 200 else held[name]
        mill.go(1)
    place.sure(
        actors["client"].get("/api/posters/p1").json
        == {"title": "Grote kermis", "colour": "rood", "size": "A0"}
    )


@case(
    "d995",
    "pim-autosave-in-the-browser-chains",
    "none",
    "healthy",
    alone="none",
    description=(
        "A page of another origin saves a report while somebody types; the API exposes ETag, and each save goes out with "
        "the tag of the answer before it, many within seconds. All are taken; a 404 and other reads lie between."
    ),
)
def typing(stage: Stage) -> None:
    """Save while typing, each after the other."""
    app = App().page("/api/modelos", ["mensal", "anual"], tag='"mo1"').page("/api/perfil", {"nome": "Ivo"})
    app.sink("/api/registo")
    app.seed("r", {n: {"titulo": f"Relatório {n}", "texto": ""} for n in (5, 6)}, v=1)
    _cors(app, "ETag, Location")
    app.rest(
        "/api/relatorios", "r", tag=lambda row: f'"{row.v:03}-{row.sha(8)}"', refuse={"erro": "Versão antiga"}
    )
    browser, api = _browser(stage, app, "starlette", keeps=True), "http://api.frota.example/api"
    json = {"Content-Type": "application/json"}
    try:
        browser.call(200, "GET", f"{api}/perfil")
        browser.call(200, "GET", f"{api}/modelos")
        browser.call(404, "GET", f"{api}/relatorios/5/anexos")
        tag, _ = browser.call(200, "GET", f"{api}/relatorios/5")
        text = ""
        for word in ("Em", " novembro", " a frota", " fez", " 41 000 km", ", menos", " que em outubro."):
            text += word
            body = {"titulo": "Relatório de novembro", "texto": text}
            tag, _ = browser.call(200, "PUT", f"{api}/relatorios/5", {**json, "If-Match": tag}, body)
            place.rest(0.25)
        browser.call(204, "POST", f"{api}/registo", json, {"evento": "guardado", "vezes": 7})
        same, stored = browser.call(200, "GET", f"{api}/relatorios/5")
        place.sure(same == tag and "outubro" in stored)
        browser.call(200, "GET", f"{api}/modelos")
    finally:
        browser.close()
