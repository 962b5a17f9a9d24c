"""Tills, carts and stock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.cal_apis import Api, Req, Res, Row, guid, hashed, instant, stamp
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _square_api() -> Api:
    names = {"VQX2": ("Flat white", 320), "MTR7": ("Cortado", 300), "PLS9": ("Chai", 380)}
    rows = {
        k: Row({"name": n, "price": p}, 1700000000000 + i * 977)
        for i, (k, (n, p)) in enumerate(names.items())
    }

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        money = {"amount": row.data["price"], "currency": "GBP"}
        return {
            "type": "ITEM_VARIATION",
            "id": key,
            "updated_at": instant(row.at),
            "version": row.rev,
            "is_deleted": False,
            "item_variation_data": {
                "name": row.data["name"],
                "pricing_type": "FIXED_PRICING",
                "price_money": money,
            },
        }

    api = Api(lambda _req: {"Square-Version": "2024-05-15", "X-Request-Id": guid(str(time.time()))})

    @api.on("POST", "/v2/catalog/search")
    def search(_req: Req) -> Res:
        return Res(200, {"objects": [shown(k) for k in rows], "latest_time": instant(time.time())})

    @api.on("GET", "/v2/catalog/object/([A-Z0-9]+)")
    def one(_req: Req, key: str) -> Res:
        return Res(200, {"object": shown(key)})

    @api.on("POST", "/v2/catalog/object")
    def upsert(req: Req) -> Res:
        made = req.json["object"]
        row = rows[made["id"]]
        if made.get("version") is not None and made["version"] != row.rev:
            return Res(
                400,
                {
                    "errors": [
                        {
                            "category": "INVALID_REQUEST_ERROR",
                            "code": "VERSION_MISMATCH",
                            "detail": "Object version does not match latest database version.",
                            "field": "version",
                        }
                    ]
                },
            )
        data = made["item_variation_data"]
        row.set(
            {"name": data["name"], "price": data["price_money"]["amount"]},
            step=int(time.time() * 1000) - row.rev,
        )
        return Res(200, {"catalog_object": shown(made["id"])})

    api.say(
        "GET",
        "/v2/locations",
        {"locations": [{"id": "L8", "name": "Quayside", "status": "ACTIVE", "currency": "GBP"}]},
    )
    return api


@case(
    "e362",
    "cal-till-sends-no-number",
    "null-token",
    "lost-update",
    alone="null-token",
    also="unconditional-write",
    synthetic=True,
    description="A till's upserts of Square catalogue objects carry version null, as its model never got the number: the API takes that as the latest, and the price that the office set in between, which the till's own search had listed, is back at the old one.",
)
def square(stage: Stage) -> None:
    """Send a null where the number goes."""
    server = place.open_box(stage, _square_api(), "tornado", "Square")
    head = {"Square-Version": "2024-05-15", "Authorization": "Bearer EAAAl"}
    me = stage.actor("client", server, "connect.till.example", "node:fetch", head)
    office = stage.actor("other", server, "connect.till.example", "requests", head)
    me.get("/v2/locations")
    held = {
        o["id"]: o
        for o in me.send("POST", "/v2/catalog/search", 200, body={"object_types": ["ITEM_VARIATION"]}).json[
            "objects"
        ]
    }

    def save(key: str, **more: object) -> dict[str, Any]:
        data = {**held[key]["item_variation_data"], **more}
        body = {
            "idempotency_key": guid(key + str(more)),
            "object": {"type": "ITEM_VARIATION", "id": key, "version": None, "item_variation_data": data},
        }
        kept: dict[str, Any] = me.send("POST", "/v2/catalog/object", 200, body=body).json["catalog_object"]
        return kept

    save("PLS9", name="Chai latte")
    theirs = office.get("/v2/catalog/object/VQX2").json["object"]
    theirs["item_variation_data"]["price_money"]["amount"] = 350
    office.send("POST", "/v2/catalog/object", 200, body={"idempotency_key": "o1", "object": theirs})
    place.rest(0.9)
    listed = me.send(
        "POST",
        "/v2/catalog/search",
        200,
        body={"object_types": ["ITEM_VARIATION"], "begin_time": "2024-05-01T00:00:00Z"},
    ).json
    place.sure("350" in str(listed))
    save("VQX2", name="Flat white 6oz")
    place.sure(
        me.get("/v2/catalog/object/VQX2").json["object"]["item_variation_data"]["price_money"]["amount"]
        == 320
    )


@case(
    "e366",
    "cal-cart-in-two-tabs-of-a-couple",
    "other-writer",
    "409",
    alone="other-writer",
    synthetic=True,
    description="A shared cart on commercetools: the partner's phone adds a line while the first shopper's laptop holds version 7; her action with 7 is refused, 409 ConcurrentModification with currentVersion 8, and the cart that she then reads holds his line, last modified by his session.",
)
def commerce(stage: Stage) -> None:
    """Come second in one cart."""
    row = Row(
        {"lineItems": [{"id": "l1", "productKey": "lamp", "quantity": 1}], "cartState": "Active"},
        7,
        "web-ann",
    )

    def shown() -> dict[str, Any]:
        return {
            "type": "Cart",
            "id": guid("cart"),
            "version": row.rev,
            "lastModifiedAt": instant(row.at),
            "lastModifiedBy": {"clientId": "sf", "anonymousId": row.by},
            **row.data,
        }

    api = Api(
        lambda _req: {
            "X-Correlation-ID": f"projects-lumen-{hashed(time.time())[:8]}",
            "Server": "istio-envoy",
        }
    )
    api.say(
        "GET",
        "/lumen/product-projections/search",
        {
            "limit": 20,
            "count": 2,
            "results": [{"key": "lamp", "version": 41}, {"key": "shade", "version": 12}],
        },
    )
    api.say("POST", "/oauth/token", {"access_token": "x7", "expires_in": 172800, "token_type": "Bearer"})

    @api.on("GET", "/lumen/me/carts/.+|/lumen/carts/.+")
    def get(_req: Req) -> Res:
        return Res(200, shown())

    @api.on("POST", "/lumen/me/carts/.+")
    def act(req: Req) -> Res:
        if req.json["version"] != row.rev:
            text = f"Object {guid('cart')} has a different version than expected. Expected: {req.json['version']} - Actual: {row.rev}."
            return Res(
                409,
                {
                    "statusCode": 409,
                    "message": text,
                    "errors": [
                        {"code": "ConcurrentModification", "message": text, "currentVersion": row.rev}
                    ],
                },
            )
        found = [dict(one) for one in row.data["lineItems"]]
        for action in req.json["actions"]:
            if action["action"] == "addLineItem":
                found.append(
                    {"id": f"l{len(found) + 1}", "productKey": action["sku"], "quantity": action["quantity"]}
                )
            else:
                found[0]["quantity"] = action["quantity"]
        row.add({"lineItems": found}, req.fields["x-anon"])
        return Res(200, shown())

    server = place.open_box(stage, api, "starlette", "commercetools")
    me = stage.actor(
        "client",
        server,
        "api.lumen.example",
        "node:axios",
        {"Authorization": "Bearer x7", "X-Anon": "web-ann"},
    )
    other = stage.actor(
        "other", server, "api.lumen.example", "aiohttp", {"Authorization": "Bearer y2", "X-Anon": "phone-bo"}
    )
    me.send("POST", "/oauth/token", 200, body="grant_type=client_credentials")
    path = f"/lumen/me/carts/{guid('cart')}"
    mine = me.get(path).json
    me.get("/lumen/product-projections/search?text.en=lamp")
    theirs = other.get(path).json
    other.send(
        "POST",
        path,
        200,
        body={
            "version": theirs["version"],
            "actions": [{"action": "addLineItem", "sku": "shade", "quantity": 2}],
        },
    )
    place.rest(1.3)
    me.send(
        "POST",
        path,
        409,
        body={
            "version": mine["version"],
            "actions": [{"action": "changeLineItemQuantity", "lineItemId": "l1", "quantity": 3}],
        },
    )
    now = me.get(path).json
    place.sure(now["lastModifiedBy"]["anonymousId"] == "phone-bo" and len(now["lineItems"]) == 2)


@case(
    "e387",
    "cal-cart-line-sent-to-the-old-address",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    synthetic=True,
    description="A shop on Broadleaf moved its carts under a tenant's path and answers the old one with 302: a kiosk's PUT of a line with X-Cart-Version is followed as a GET, its 200 is the cart as it was, and the kiosk goes on; the cart it shows later has the old amount and version.",
)
def cart(stage: Stage) -> None:
    """Have a write become a read."""
    row = Row({"items": [{"id": "01H", "sku": "boots", "quantity": 1}], "status": "IN_PROCESS"}, 4)
    api = Api(lambda _req: {"X-Trace-Id": hashed(time.time())[:16]})

    def shown() -> dict[str, Any]:
        return {
            "id": "01HC",
            "version": row.rev,
            **row.data,
            "cartPricing": {"total": {"amount": 90 * row.data["items"][0]["quantity"], "currency": "EUR"}},
        }

    @api.on("GET", "/t/alpine/cart/01HC(?:/items/01H)?")
    def read(_req: Req) -> Res:
        return Res(200, shown(), {"X-Cart-Version": str(row.rev)})

    @api.on("PUT|PATCH", "/t/alpine/cart/01HC/items/01H")
    def line(req: Req) -> Res:
        if req.fields.get("x-cart-version") != str(row.rev):
            return Res(
                409, {"type": "CONFLICT", "message": "cart version mismatch", "currentVersion": row.rev}
            )
        row.add({"items": [{**row.data["items"][0], **req.json}]})
        return Res(200, shown(), {"X-Cart-Version": str(row.rev)})

    @api.on("GET|PUT|PATCH", "/api/cart-operations(/cart/.+)")
    def moved(_req: Req, rest: str) -> Res:
        return Res(302, b"", {"Location": f"http://shop.alpine.example/t/alpine{rest}"})

    api.say("GET", "/t/alpine/catalog/products/boots", {"sku": "boots", "price": 90, "available": 14})
    server = place.open_box(stage, api, "waitress", "Broadleaf Commerce")
    me = stage.actor(
        "client",
        server,
        "shop.alpine.example",
        "requests:follow",
        {"X-Context-Request": '{"tenantId":"alpine"}'},
    )
    me.get("/t/alpine/catalog/products/boots")
    seen = me.get("/api/cart-operations/cart/01HC")
    got = me.put(
        "/api/cart-operations/cart/01HC/items/01H",
        {"quantity": 2},
        200,
        {"X-Cart-Version": seen.fields["x-cart-version"]},
    )
    place.sure(got.json["version"] == 4)
    place.rest(0.8)
    me.get("/t/alpine/catalog/products/boots")
    got = me.get("/api/cart-operations/cart/01HC").json
    place.sure(got["version"] == 4 and got["items"][0]["quantity"] == 1)


@case(
    "e396",
    "cal-stock-list-from-two-nodes",
    "inconsistent-backends",
    "wasted-reads",
    alone="inconsistent-backends",
    synthetic=True,
    description="Two nodes of a Python Eve service behind HAProxy hash a document differently: a display's polls with the tag it was last given are answered 200 in turns by web-a and web-b, always the other of two tags, _updated and fields the same for hours.",
)
def stock(stage: Stage) -> None:
    """Go back and forth."""
    at = time.time() - 30000
    docs = {f"64f1c0{n}a9d2": {"sku": f"oak-{n}", "qty": 40 + n, "bay": "C"} for n in range(3)}

    def node(name: str) -> Api:
        api = Api(lambda _req: {"X-Served-By": name, "Cache-Control": "max-age=0"})

        def shown(key: str) -> dict[str, Any]:
            own = {"_id": key, **docs[key], "_updated": stamp(at), "_created": stamp(at - 99)}
            return {
                **own,
                "_etag": hashed(sorted(own.items()) if name == "web-a" else list(own.items())),
                "_links": {"self": {"title": "stock", "href": f"stock/{key}"}},
            }

        @api.on("GET", "/stock")
        def listed(_req: Req) -> Res:
            return Res(
                200,
                {
                    "_items": [
                        {k: v for k, v in shown(d).items() if k not in {"_etag", "_links"}} for d in docs
                    ],
                    "_meta": {"page": 1, "max_results": 25, "total": 3},
                },
            )

        @api.on("GET", "/stock/([0-9a-z]+)")
        def one(req: Req, key: str) -> Res:
            tag = f'"{shown(key)["_etag"]}"'
            if req.fields.get("if-none-match") == tag:
                return Res(304, b"", {"ETag": tag, "Last-Modified": stamp(at)})
            return Res(200, shown(key), {"ETag": tag, "Last-Modified": stamp(at)})

        return api

    servers = [place.open_box(stage, node(name), "waitress", "Python Eve") for name in ("web-a", "web-b")]
    front = fronts.haproxy(stage, servers)
    me = stage.actor(
        "client",
        front,
        "stock.sawmill.example",
        "aiohttp",
        {"Accept": "application/json", "Authorization": "Basic ZGlzcGxheQ=="},
    )
    me.get("/stock")
    key = next(iter(docs))
    held, tags = me.get(f"/stock/{key}"), list[str]()
    for _turn in range(6):
        place.rest(0.6)
        held = me.get(f"/stock/{key}", 200, {"If-None-Match": held.etag})
        tags.append(held.etag)
    place.sure(len(set(tags)) == 2 and tags[0] == tags[2] != tags[1])
    me.get("/stock")
