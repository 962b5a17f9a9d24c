"""Stories on shops, messages, wikis and tariffs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tools.recording_apis.apps import gus_records, gus_trade
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_gus_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e484",
    "gus-cart-action-sent-four-times",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description="A back office sends the same cart update four times with growing pauses and never reads the cart again.",
    synthetic=True,
)
def retried_cart(stage: Stage) -> None:
    """A version in the body that is kept through the loop."""
    key = "3f0c1a52-6a0e-4b57-9d25-11c9be8f0a61"
    row = "a1b2c9d0-77ab-4c1e-8c2e-0d9a"
    carts = {
        key: {
            "id": key,
            "version": 34,
            "cartState": "Active",
            "country": "PT",
            "lineItems": [{"id": row, "name": {"pt": "Azulejo 14x14"}, "quantity": 40}],
            "discountCodes": [],
        }
    }
    shop = place.hold(stage, gus_trade.commerce("azulejos-prod", carts), "flask", "commercetools")
    said = {"User-Agent": "commercetools-sdk-javascript-v3/4.2.1 Node.js/20.11.1"}
    ours = place.actor(stage, "client", shop, "api.lojas.example", "node:axios", said)
    their = place.actor(stage, "other", shop, "api.lojas.example", "requests")
    got = ours.send(
        "POST",
        "/oauth/token",
        200,
        {"Content-Type": "application/x-www-form-urlencoded"},
        "grant_type=client_credentials",
    ).json
    auth = {"Authorization": f"Bearer {got['access_token']}"}
    ours.get("/azulejos-prod/carts?limit=5&sort=lastModifiedAt%20desc", 200, auth)
    read = ours.get(f"/azulejos-prod/carts/{key}", 200, auth).json
    path = f"/azulejos-prod/carts/{key}"
    their.send(
        "POST",
        path,
        200,
        None,
        {"version": 34, "actions": [{"action": "addDiscountCode", "code": "OUTONO10"}]},
    )
    body = {
        "version": read["version"],
        "actions": [{"action": "changeLineItemQuantity", "lineItemId": row, "quantity": 60}],
    }
    for pause in (0.15, 0.3, 0.6, 0.0):
        ours.send("POST", path, 409, auth, body)
        place.wait(pause)


def _pages(text: str) -> dict[str, dict[str, Any]]:
    return {
        "65712": {
            "id": "65712",
            "type": "page",
            "status": "current",
            "title": "Rufbereitschaft Netze",
            "space": {"key": "NETZ"},
            "version": {
                "number": 18,
                "when": "2026-11-20T08:02:11.000Z",
                "by": {"username": "rilgner"},
                "message": "",
            },
            "body": {"storage": {"value": text, "representation": "storage"}},
        }
    }


@case(
    "e487",
    "gus-page-number-fetched-late",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description="A generator renders a page from a copy read earlier and asks for the version number only before it saves: what was written meanwhile is gone.",
    synthetic=True,
)
def page_number(stage: Stage) -> None:
    """The number is of now, the text of before."""
    text = "<h2>Bereitschaft</h2><p>KW 48: Ilgner</p><p>KW 49: offen</p>"
    theirs = text.replace("KW 49: offen", "KW 49: Koerner (Vertretung ab Do: Pohl)")
    pages = _pages(text)
    wiki = place.hold(stage, gus_records.wiki(pages), "falcon", "Confluence")
    ours = place.actor(
        stage,
        "client",
        wiki,
        "wiki.stadtnetze.example",
        "perl",
        {"Authorization": "Bearer NjU0MzIx", "X-User": "svc-plan"},
    )
    their = place.actor(stage, "other", wiki, "wiki.stadtnetze.example", "httpx", {"X-User": "mkoerner"})
    path = "/rest/api/content/65712"
    ours.get("/rest/api/content/search?cql=space%3DNETZ%20and%20label%3Dplan")
    base = ours.get(f"{path}?expand=body.storage").json
    now = their.get(f"{path}?expand=body.storage,version").json
    their.put(
        path,
        {
            "id": "65712",
            "type": "page",
            "title": now["title"],
            "version": {"number": 19},
            "body": {"storage": {"value": theirs, "representation": "storage"}},
        },
        200,
    )
    place.wait(0.5)
    number = ours.get(f"{path}?expand=version").json["version"]["number"]
    value = base["body"]["storage"]["value"].replace("KW 48: Ilgner", "KW 48: Ilgner (bestätigt)")
    ours.put(
        path,
        {
            "id": "65712",
            "type": "page",
            "title": base["title"],
            "version": {"number": number + 1, "minorEdit": True},
            "body": {"storage": {"value": value, "representation": "storage"}},
        },
        200,
    )
    after = ours.get(f"{path}?expand=body.storage,version").json
    ours.get(f"{path}/version")
    place.sure("Koerner" not in after["body"]["storage"]["value"])


@case(
    "e492",
    "gus-tariff-saved-and-refused",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    also="server-precondition-bug",
    description="A tariff is saved, and only then its date is compared with the one sent: the answer is 412, the new price stands.",
    synthetic=True,
)
def saved_tariff(stage: Stage) -> None:
    """The refusal comes after the row is in the table."""
    rows = {
        "7": {"bezeichnung": "Nachtstrom Plus", "centProKwh": 24.10, "gueltigAb": "2027-01-01"},
        "8": {"bezeichnung": "Waermepumpe", "centProKwh": 22.75, "gueltigAb": "2027-01-01"},
    }
    app = place.hold(stage, gus_trade.spring(rows), "aiohttp", "Spring Data REST")
    ours = place.actor(stage, "client", app, "tarife.werke.example", "java")
    ours.get("/api/tarifs?size=20")
    ours.get("/api/tarifs/8")
    seen = ours.get("/api/tarifs/7")
    place.wait(1.1)
    ours.send(
        "PATCH",
        "/api/tarifs/7",
        412,
        {"If-Unmodified-Since": seen.fields["last-modified"], "Content-Type": "application/merge-patch+json"},
        '{"centProKwh":23.4}',
    )
    again = ours.get("/api/tarifs/7")
    place.sure(again.json["centProKwh"] == 23.4)
    ours.get("/api/tarifs?size=20")


@case(
    "e501",
    "gus-guest-card-without-version",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description="A till sends a customer's whole note field back without the version it has read; a colleague's note is gone.",
    synthetic=True,
)
def guest_card(stage: Stage) -> None:
    """What is not sent is not compared."""
    key = "JDKYHBWT1D4F8MFH63DBMEN8Y4"
    people = {
        key: {
            "id": key,
            "given_name": "Edda",
            "family_name": "Lund",
            "note": "Stammtisch Mi",
            "created_at": "2024-03-01T10:00:00.000Z",
            "updated_at": "2026-11-02T17:40:09.120Z",
            "version": 6,
        }
    }
    till = place.hold(stage, gus_trade.square(people), "flask", "Square")
    said = {"Square-Version": "2025-01-23", "Authorization": "Bearer EAAAl-sandbox"}
    ours = place.actor(
        stage, "client", till, "connect.kasse.example", "ruby", {**said, "User-Agent": "Square-Ruby-SDK/41.0"}
    )
    their = place.actor(stage, "other", till, "connect.kasse.example", "requests", said)
    ours.get("/v2/locations")
    ours.send(
        "POST", "/v2/customers/search", 200, None, {"limit": 10, "query": {"sort": {"field": "CREATED_AT"}}}
    )
    card = ours.get(f"/v2/customers/{key}").json["customer"]
    their.put(f"/v2/customers/{key}", {"note": "Stammtisch Mi. NUSSALLERGIE!", "version": 6}, 200)
    place.wait(0.4)
    ours.put(
        f"/v2/customers/{key}", {"note": card["note"] + ", zahlt bar", "phone_number": "+49 40 5550117"}, 200
    )
    last = ours.get(f"/v2/customers/{key}").json["customer"]
    place.sure("NUSS" not in last["note"] and last["version"] == 8)


@case(
    "e493",
    "gus-two-moves-on-one-revision",
    "self-race",
    "412",
    alone="self-race",
    description="A board sends two moves a few milliseconds apart with one revision; the second is refused.",
    synthetic=True,
)
def two_moves(stage: Stage) -> None:
    """A drag that ends in two saves."""
    docs = {
        "tafel-nord": {
            "sid": "ET5f0e1b2c3d4e5f60718293a4b5c6d7e8",
            "revision": "4e",
            "data": {"spalten": {"neu": [3, 9], "heute": [1]}},
            "date_updated": "2026-11-28T06:00:00Z",
            "created_by": "system",
        },
        "tafel-sued": {
            "sid": "ET600e1b2c3d4e5f60718293a4b5c6d7e8",
            "revision": "11",
            "data": {"spalten": {"neu": []}},
            "date_updated": "2026-11-27T06:00:00Z",
            "created_by": "system",
        },
    }
    base = "/v1/Services/IS1a2b3c/Documents"
    sync = place.hold(stage, gus_trade.sync("IS1a2b3c", docs), "flask", "Twilio Sync")
    ours = place.actor(
        stage,
        "client",
        sync,
        "sync.disposition.example",
        "urllib3",
        {"Authorization": "Basic QUM6eA==", "User-Agent": "twilio-python/9.4.1"},
    )
    ours.get(f"{base}?PageSize=50")
    rev = ours.get(f"{base}/tafel-nord").json["revision"]

    def move(spalten: dict[str, list[int]]) -> object:
        form = urlencode({"Data": json.dumps({"spalten": spalten})})
        return lambda: ours.send(
            "POST",
            f"{base}/tafel-nord",
            (200, 412),
            {"If-Match": rev, "Content-Type": "application/x-www-form-urlencoded"},
            form,
        )

    first, second = place.both(move({"neu": [3], "heute": [1, 9]}), move({"neu": [3], "heute": [9, 1]}))  # type: ignore[arg-type]
    place.sure((first.status, second.status) == (200, 412))
    ours.get(f"{base}/tafel-nord")
    ours.get(f"{base}/tafel-sued")


@case(
    "e481",
    "gus-basket-keeps-one-of-two",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    also="self-race",
    description="Two overlapping changes of one cart are both taken on one version and one of them is gone; a late one was refused before.",
    synthetic=True,
)
def basket(stage: Stage) -> None:
    """The version is looked at before the prices are asked for."""
    shop = place.script(stage, "gus_basket.js", "Broadleaf under Fastify", "carts")
    said = {"X-Context-Request": '{"tenantId":"T2","applicationId":"A7"}'}
    ours = place.actor(stage, "client", shop, "shop.kaesekeller.example", "httpx", said)
    path = "/api/cart/01HV7M2K9QCART/items"
    cart = ours.get("/api/cart/resolve").json
    ours.send("PATCH", f"{path}/it-2", 200, {"X-Cart-Version": str(cart["version"])}, {"quantity": 3})
    ours.send("PATCH", f"{path}/it-2", 409, {"X-Cart-Version": str(cart["version"])}, {"quantity": 4})
    now = ours.get("/api/cart/resolve").json["version"]
    ours.get("/api/catalog/products?q=zubehoer")
    guard = {"X-Cart-Version": str(now)}
    got = place.both(
        lambda: ours.send("POST", path, 200, guard, {"sku": "GABEL-HOLZ", "quantity": 6}),
        lambda: ours.send("POST", path, 200, guard, {"sku": "MUSKAT-GANZ", "quantity": 1}),
    )
    place.sure(got[0].json["version"] == got[1].json["version"])
    last = ours.get("/api/cart/resolve").json
    place.sure(len(last["items"]) == 3)
