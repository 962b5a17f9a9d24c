"""Refusals in the words of other products: leases, payloads, searches, rules, locks."""

from __future__ import annotations

import json
import time
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import west_setting as place
from tools.recording_apis.stories.azure import Blobs
from tools.recording_apis.stories.objects import bucket


@case(
    "a973",
    "west-blob-leased-by-the-exporter",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "An exporter holds a lease on a blob; the dashboard's upload without the lease is answered 412 "
        "LeaseIdMissing, and passes once the lease was released."
    ),
)
def leased(stage: Stage) -> None:
    """Upload to what is leased."""
    server = stage.server("azurite")
    setup = Blobs(stage, "setup", server)
    setup.container()
    setup.on(lambda one: one.upload_blob(b'{"rows":0}'), blob="board.json")
    stage.forget()
    del stage.taps["setup"]
    me, other = Blobs(stage, "client", server), Blobs(stage, "other", server)
    me.tag("board.json")
    lease = other.on(lambda one: one.acquire_lease(60), blob="board.json")
    other.on(lambda one: one.upload_blob(b'{"rows":40}', overwrite=True, lease=lease), blob="board.json")
    me.on(lambda one: one.upload_blob(b'{"rows":41}', overwrite=True), "LeaseIdMissing", blob="board.json")
    me.tag("board.json")
    me.on(lambda one: one.upload_blob(b'{"rows":41}', overwrite=True), "LeaseIdMissing", blob="board.json")
    other.on(lambda _: lease.release(), blob="board.json")
    me.on(lambda one: one.upload_blob(b'{"rows":41}', overwrite=True), blob="board.json")


def _cart(stage: Stage, server: Any, host: str, user: str) -> str:
    """Open a cart with two actions in it before the story begins."""
    setup = stage.actor("setup", server, host, "httpx", {"X-User": user})
    key = str(place.member(setup.send("POST", "/carts", 201, None, {"customerId": "cu-118"}), "id"))
    actions = [{"action": "addLineItem", "sku": sku} for sku in ("sku-8841", "sku-8850")]
    setup.send("POST", f"/carts/{key}", 200, None, {"version": 1, "actions": actions})
    setup.program.close()
    stage.forget()
    del stage.taps["setup"]
    return key


@case(
    "a974",
    "west-graphql-conflict-with-200",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch stale-stored-token other-writer",
    also="stale-stored-token",
    description=(
        "A mutation expects a version of the cart that it no longer has; the refusal is 200 with "
        "errors[].extensions.code VERSION_CONFLICT. The app looks at the status only, takes the coupon for "
        "stored, counts the version up itself and goes on; at the end the coupon is not in the cart."
    ),
)
def graphql(stage: Stage) -> None:
    """Take 200 for success."""
    server = place.checkout(stage)
    key = _cart(stage, server, "shop.acme.test", "app-ios")
    fields = {"X-User": "app-ios", "apollographql-client-name": "shop-ios"}
    me = stage.actor("client", server, "shop.acme.test", "aiohttp", fields)
    mutation = "mutation U($id: ID!, $expectedVersion: Int!, $input: CartInput!) { updateCart { version } }"
    me.get("/catalog/products?q=lamp")
    for assumed, change in ((2, {"coupon": "XMAS"}), (3, {"giftWrap": True}), (4, {"note": "leave at door"})):
        given = {"id": key, "expectedVersion": assumed, "input": change}
        told = me.send("POST", "/graphql", 200, None, {"query": mutation, "variables": given})
        place.require(("errors" in told.json) == (assumed == 2), "another mutation was refused")
        me.get("/catalog/products?q=bag")
    query = {
        "query": "query C($id: ID!) { cart { id version coupon giftWrap note } }",
        "variables": {"id": key},
    }
    told = me.send("POST", "/graphql", 200, None, query)
    place.require("coupon" not in place.member(told, "data", "cart"), "the coupon is there")


@case(
    "a975",
    "west-json-patch-test-spells-a-price",
    "payload-precondition-mismatch",
    "409",
    alone="payload-precondition-mismatch",
    also="status-dialect-mismatch",
    description=(
        "A stock tool guards a JSON Patch with a test of the price, but writes 39.9 as a number where the "
        "record holds the text 39.90: the test fails with both shown. Nothing has changed in between."
    ),
)
def json_patch(stage: Stage) -> None:
    """Test for a value spelled anew."""
    server = place.checkout(stage)
    media = {"Content-Type": "application/json-patch+json", "User-Agent": "stock-tool/1.1"}
    me = stage.actor("client", server, "stock.acme.test", "node:axios", media)
    me.get("/catalog/products?q=bag")
    price = place.member(me.get("/stock/sku-8841"), "price")
    spelled = {"amount": float(price["amount"]), "currency": price["currency"]}
    patch = [
        {"op": "test", "path": "/price", "value": spelled},
        {"op": "replace", "path": "/price", "value": {"amount": "44.90", "currency": "EUR"}},
    ]
    me.send("PATCH", "/stock/sku-8841", 409, None, patch)
    me.get("/stock/sku-8841")
    patch[0]["value"] = price
    me.send("PATCH", "/stock/sku-8841", 200, None, patch)


@case(
    "a976",
    "west-two-patients-with-one-number",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "An admission interface updates by search on the record number; two patients carry it: 412 "
        "multiple-matches. Another number, with one patient, passes."
    ),
    synthetic=True,
)
def multiple(stage: Stage) -> None:
    """Update by a search that finds two."""
    server = place.checkout(stage)
    me = stage.actor(
        "client", server, "fhir.hospital.test", "java", {"User-Agent": "hl7-bridge/5", **place.FHIR}
    )
    telecom = [{"system": "email", "value": "okafor@example.test"}]
    body = {"resourceType": "Patient", "telecom": telecom}
    me.send("PUT", "/r4/Patient?identifier=urn:mrn%7CMRN-7002", 200, None, body)
    me.send("PUT", "/r4/Patient?identifier=urn:mrn%7CMRN-5531", 412, None, body)
    me.get("/r4/Patient?identifier=urn:mrn%7CMRN-5531&_summary=true")
    me.send("PUT", "/r4/Patient?identifier=urn:mrn%7CMRN-5531", 412, None, body)


@case(
    "a977",
    "west-conditions-not-implemented",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description=(
        "A configuration store refuses every write that carries a condition with 501, whichever tag it "
        "is; the same write without one passes."
    ),
)
def unsupported(stage: Stage) -> None:
    """Guard where no guard is known."""
    server = place.platform(stage, UNSUPPORTED="501", TAG="none", NODATE="1")
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "config.acme.test", "requests", {**place.YAML, "X-Actor": "gitops"})
    place.stroll(me, "config", 2)
    me.get(f"/{place.GATEWAY}")
    me.put(f"/{place.GATEWAY}", place.gateway(), 501, {"If-Match": "*"})
    me.put("/config/edge/extra.yaml", "a: 1\n", 501, {"If-None-Match": "*"})
    me.put("/config/edge/extra.yaml", "a: 1\n", 201)
    me.get("/config/edge/extra.yaml")
    date = "Thu, 26 Nov 2026 00:00:00 GMT"
    me.put("/config/edge/extra.yaml", "a: 2\n", 501, {"If-Unmodified-Since": date})


@case(
    "a978",
    "west-edge-blocks-a-script",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "The edge answers requests of a scripting library with 412 and a page of its own that names a "
        "rule and an incident; no condition is sent, the origin sees nothing, a browser's request passes."
    ),
)
def blocked(stage: Stage) -> None:
    """Be blocked by a rule."""
    server = place.platform(stage)
    page = (
        "<html><head><title>Request blocked</title></head><body><h1>Access denied</h1>"
        "<p>Rule 920-BOT. Incident $request_id. Contact your administrator.</p></body></html>"
    )
    lines = (
        f"if ($bot) {{ add_header X-Edge-Rule 920-BOT always; return 412 '{page}'; }} default_type text/html;"
    )
    rule = 'map "$request_method:$http_user_agent" $bot { default 0; "~^P(UT|OST):python-requests" 1; }'
    front = fronts.nginx(stage, server, lines, rule)
    me = stage.actor("client", front, "flags.acme.test", "requests")
    other = stage.actor(
        "other", front, "flags.acme.test", "httpx", {"User-Agent": "Mozilla/5.0 Firefox/145.0"}
    )
    place.stroll(me, "flags", 5)
    me.get(f"/{place.FLAG}")
    me.send("POST", "/flags/web/production", 412, None, place.flag(rollout=5))
    me.get("/flags/web/production?limit=10")
    me.send("POST", "/flags/web/production", 412, None, place.flag(rollout=5))
    other.send("POST", "/flags/web/production", 201, None, place.flag(rollout=5))


@case(
    "a979",
    "west-order-below-the-minimum",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A shop refuses an order below its minimum value with 412 (problem document, rule MOV-20); with "
        "another article in the basket the order passes. No request carries a condition."
    ),
)
def minimum(stage: Stage) -> None:
    """Order too little."""
    server = place.checkout(stage)
    front = fronts.varnish(stage, server)
    me = stage.actor("client", front, "shop.acme.test", "node:fetch", {"X-User": "cu-220"})
    me.get("/catalog/products?q=bag")
    key = place.member(me.send("POST", "/carts", 201, None, {"customerId": "cu-220"}), "id")
    items = {"version": 1, "actions": [{"action": "addLineItem", "sku": "sku-8850"}]}
    me.send("POST", f"/carts/{key}", 200, None, items)
    me.send("POST", "/orders", 412, None, {"cart": key, "total": 12.5, "currency": "EUR"})
    me.send("POST", "/orders", 412, None, {"cart": key, "total": 12.5, "currency": "EUR"})
    more = {"version": 2, "actions": [{"action": "addLineItem", "sku": "sku-8841"}]}
    me.send("POST", f"/carts/{key}", 200, None, more)
    me.send("POST", "/orders", 201, None, {"cart": key, "total": 52.4, "currency": "EUR"})


@case(
    "a980",
    "west-schedulers-claim-each-tick",
    "expected-control-flow",
    "412",
    alone="expected-control-flow none",
    also="exists-already",
    description=(
        "Three schedulers claim each tick by a small object put with If-None-Match: *; one wins, the "
        "others get 412 and go to sleep until the next tick, again and again."
    ),
)
def ticks(stage: Stage) -> None:
    """Claim ticks."""
    server = stage.server("seaweedfs")
    me = bucket(stage, server)
    second, third = bucket(stage, server, "other"), bucket(stage, server, "third")
    claims = [(me, "sched-a"), (second, "sched-b"), (third, "sched-c")]
    for tick, winner in enumerate((1, 2, 0, 1, 2, 1)):
        key: dict[str, Any] = {"Bucket": "data", "Key": f"locks/nightly/tick-{2840 + tick}"}
        order = claims[winner:] + claims[:winner]
        for rank, (who, name) in enumerate(order):
            body = json.dumps({"owner": name, "tick": 2840 + tick})
            who.call("put_object", 412 if rank else 200, **key, Body=body, IfNoneMatch="*")
        time.sleep(1.0)


@case(
    "a982",
    "west-registry-answers-false",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch stale-stored-token other-writer",
    also="stale-stored-token",
    description=(
        "A rollout script writes keys with the cas numbers of its manifest; the store answers a number "
        "that does not fit with 200 and the text false. The script checks the status only, goes on with "
        "its next steps and finds the old value at the end."
    ),
)
def answers_false(stage: Stage) -> None:
    """Take false for stored."""
    server = place.checkout(stage, CAS="false")
    front = fronts.haproxy(stage, [server])
    setup = stage.actor("setup", front, "registry.acme.test", "httpx")
    for size in (20, 40):
        setup.send("POST", "/secrets/data/pay/db", 200, None, {"data": {"pool": size}})
    setup.send("POST", "/secrets/data/pay/mail", 200, None, {"data": {"from": "shop@example.test"}})
    setup.program.close()
    stage.forget()
    del stage.taps["setup"]
    me = stage.actor("client", front, "registry.acme.test", "curl", {"User-Agent": "rollout.sh"})
    me.get("/-/ready")
    mail = {"options": {"cas": 1}, "data": {"from": "orders@example.test"}}
    me.send("POST", "/secrets/data/pay/mail", 200, None, mail)
    pool = {"options": {"cas": 1}, "data": {"pool": 60}}
    me.send("POST", "/secrets/data/pay/db", 200, None, pool)
    me.send("POST", "/secrets/data/pay/rollout", 200, None, {"data": {"step": "db", "state": "done"}})
    me.send("POST", "/orders", 201, None, {"total": 40, "note": "smoke test"})
    me.get("/secrets/data/pay/mail")
    me.get("/secrets/data/pay/db")
