"""Versions that are bent, taken from elsewhere, left out, or too old to be of use."""

from __future__ import annotations

import time
from datetime import datetime

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import qin_setting as qin

_CRM, _OFFICE, _GRAPH = "crm.lindholm.test", "office.rentacar.test", "api.modehaus.test"
_ACCOUNTS = {
    "accounts/8801": {"name": "Osterweil AG", "terms": 30, "owner": "Nadja", "#v": 14},
    "accounts/8802": {"name": "Brandt KG", "terms": 14, "owner": "Nadja", "#v": 3},
    "contacts/5510": {"account": "8801", "mail": "einkauf@osterweil.test", "phone": "+49 30 5550", "#v": 6},
    "contacts/5511": {"account": "8801", "mail": "lager@osterweil.test", "phone": "+49 30 5551", "#v": 9},
}
_CARS = {
    "car-104": {"plate": "GO-AB 104", "mileage": 22010, "station": "GOE"},
    "car-118": {"plate": "GO-CD 118", "mileage": 61877, "station": "KS"},
    "car-131": {"plate": "GO-XY 131", "mileage": 9120, "station": "GOE"},
}


@case(
    "b750",
    "qin-plus-of-base64-became-a-blank",
    "malformed-validator",
    "409",
    alone="malformed-validator",
    description=(
        "A rowVersion in base64 goes into a query without being escaped; its plus signs arrive as blanks and the "
        "delete is refused. Escaped, the same version is taken."
    ),
)
def plus(stage: Stage) -> None:
    """Send base64 in a query as it is."""
    cars = {f"car-{n}": {"plate": f"GO-ZZ {n}", "mileage": 50 * n} for n in range(300, 345)}
    server = qin.service(stage, "fleet", cars)
    me = stage.actor("client", server, _OFFICE, "requests", {"X-User": "disposal"})
    listed = me.get("/api/vehicles").json
    one = next(car for car in listed if "+" in car["rowVersion"])
    stage.forget()
    version = me.get(f"/api/vehicles/{one['id']}").json["rowVersion"]
    me.send("DELETE", f"/api/vehicles/{one['id']}?rowVersion={version}", 409)
    me.get(f"/api/vehicles/{one['id']}")
    escaped = version.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    me.send("DELETE", f"/api/vehicles/{one['id']}?rowVersion={escaped}", 204)


@case(
    "b751",
    "qin-shell-took-the-quotes",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A script cuts the tag out of a header with tr -d, so that If-Match has no quotes: refused, though the tag "
        "read again is the same; with the quotes it is taken."
    ),
)
def quotes(stage: Stage) -> None:
    """Send a tag without its quotes."""
    rows = {"prices/oak-27": {"net": 61.2}, "prices/oak-40": {"net": 88.0}}
    server = qin.service(stage, "tags", rows)
    me = stage.actor("client", server, "prices.holz-behrens.test", "curl", {"X-User": "cron"})
    qin.notices(me, 3)
    tag = me.get("/prices/oak-40").etag
    me.put("/prices/oak-40", {"net": 90.5}, 412, {"If-Match": tag.strip('"')})
    qin.require(me.get("/prices/oak-40").etag == tag, "moved")
    me.put("/prices/oak-40", {"net": 90.5}, 412, {"If-Match": tag.strip('"')})
    me.put("/prices/oak-40", {"net": 90.5}, 200, {"If-Match": tag})


@case(
    "b752",
    "qin-version-of-the-account-for-the-contact",
    "wrong-token-source",
    "409",
    alone="wrong-token-source",
    description=(
        "A screen shows an account with its contacts and sends the account's lock_version (14) when a contact is "
        "saved, whose own is 9: refused, and again after a reload of both."
    ),
)
def parent(stage: Stage) -> None:
    """Send the version of another row."""
    server = qin.service(
        stage, "parts", _ACCOUNTS, NAME="lock_version", SHAPE="rails", CODE="conflict", WORDS="de"
    )
    me = stage.actor("client", server, _CRM, "aiohttp", {"X-User": "nadja"})
    qin.office(me, 4, "nadja")
    for _ in range(2):
        account = me.get("/erp/accounts/8801").json
        contact = me.get("/erp/contacts/5511")
        qin.require(contact.json["lock_version"] == 9 and account["lock_version"] == 14, "moved")
        body = qin.changed(contact, phone="+49 30 8", lock_version=account["lock_version"])
        me.put("/erp/contacts/5511", body, 409)
        time.sleep(0.4)


@case(
    "b753",
    "qin-tag-of-the-draft-price-list",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A tool reads a row of the draft list and writes the row of the live list with the draft's tag: 412. The live "
        "row, read afterwards, has a tag of its own, and with that the write goes."
    ),
)
def draft(stage: Stage) -> None:
    """Send the tag of another list."""
    rows = {"draft/prices/oak-27": {"net": 64.0}, "live/prices/oak-27": {"net": 61.2}}
    server = qin.service(stage, "tags", rows)
    me = stage.actor("client", server, "prices.holz-behrens.test", "httpx", {"X-User": "release-tool"})
    qin.notices(me, 1)
    one = me.get("/draft/prices/oak-27")
    me.put("/live/prices/oak-27", {"net": 64.0}, 412, {"If-Match": one.etag})
    me.get("/draft/prices/oak-27")
    live = me.get("/live/prices/oak-27")
    me.put("/live/prices/oak-27", {"net": 64.0}, 200, {"If-Match": live.etag})


@case(
    "b754",
    "qin-one-revision-for-a-whole-project",
    "coarse-token-scope",
    "200",
    alone="coarse-token-scope",
    description=(
        "JSON-RPC: all assets of a project share projectRevision. The client saves three texts one after the other, "
        "each with the revision it had read with that text; from the second on there is a conflict though nobody "
        "touched those texts."
    ),
)
def project(stage: Stage) -> None:
    """Write siblings under one revision."""
    seed = {f"fair25/{key}": {"text": key, "lang": "en"} for key in ("intro", "booth", "team", "map")}
    server = qin.service(stage, "graph", seed, HABITS="project")
    me = stage.actor("client", server, "assets.messebau.test", "requests", {"X-Client-Name": "layouter"})
    qin.rpc(me, 1, "asset.list", project="fair25")
    held = {
        key: qin.rpc(me, n, "asset.get", asset=f"fair25/{key}")["result"]
        for n, key in enumerate(("intro", "booth", "team"), 2)
    }
    for number, key in enumerate(held, 7):
        found = qin.rpc(
            me,
            number,
            "asset.update",
            asset=f"fair25/{key}",
            projectRevision=held[key]["projectRevision"],
            set={"text": f"{key}, new"},
        )
        qin.require(("error" in found) == (key != "intro"), f"{found}")
    again = qin.rpc(me, 12, "asset.get", asset="fair25/booth")["result"]
    qin.require(again["text"] == "booth", "touched")
    qin.rpc(
        me,
        13,
        "asset.update",
        asset="fair25/booth",
        projectRevision=again["projectRevision"],
        set={"text": "booth 2"},
    )


@case(
    "b755",
    "qin-update-sent-as-a-creation",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A client copies the guard of its create call into its update call: it reads a menu with a tag and puts it "
        "back with If-None-Match: *, which must fail; with If-Match the same save is taken."
    ),
)
def creation(stage: Stage) -> None:
    """Update with the guard of a creation."""
    rows = {"menus/fri": {"soup": "fish", "main": "cod", "price": 13.5}, "menus/sat": {"main": "stew"}}
    server = qin.service(stage, "tags", rows)
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, "kantine.werk-sued.test", "node", {"X-User": "office"})
    me.get("/menus")
    one = me.get("/menus/fri")
    me.put("/menus/fri", qin.changed(one, price=13.9), 412, {"If-None-Match": "*"})
    me.put("/menus/fri", qin.changed(one, price=13.9), 200, {"If-Match": one.etag})


@case(
    "b756",
    "qin-save-without-rowversion",
    "token-missing",
    "400",
    alone="token-missing",
    description=(
        "A new client leaves rowVersion out of the body; the validation says that the RowVersion field is required. "
        "With the one it had read the save is taken."
    ),
)
def required(stage: Stage) -> None:
    """Leave the version out."""
    server = qin.service(stage, "fleet", _CARS, HABITS="demand")
    me = stage.actor("client", server, _OFFICE, "aiohttp", {"X-User": "beta"})
    one = me.get("/api/vehicles/car-104")
    me.put("/api/vehicles/car-104", {"mileage": 22300}, 400)
    me.put("/api/vehicles/car-104", {"mileage": 22300}, 400)
    me.put("/api/vehicles/car-104", {"mileage": 22300, "rowVersion": one.json["rowVersion"]}, 200)


@case(
    "b757",
    "qin-form-without-the-hidden-field",
    "token-missing",
    "422",
    alone="token-missing",
    description=(
        "A robot posts a permit's form without its hidden field; the French page says that lock_version is "
        "obligatory (422). The form it had read holds it."
    ),
)
def robot(stage: Stage) -> None:
    """Post a form without its version."""
    permits = {
        "D-511": {"subject": "Terrasse, 4 tables", "state": "reçu"},
        "D-512": {"subject": "Enseigne", "state": "reçu"},
    }
    server = qin.service(stage, "council", permits, WORDS="fr", HABITS="demand")
    me = stage.actor("client", server, "mairie.saint-brieg.test", "urllib")
    me.get("/permits")
    me.get("/permits/D-511/edit")
    me.send("POST", "/permits/D-511/edit", 422, qin.FORM, qin.form(state="accordé"))
    me.send("POST", "/permits/D-512/edit", 422, qin.FORM, qin.form(state="accordé"))
    me.get("/permits/D-511")


@case(
    "b758",
    "qin-ticket-of-the-form-ran-out",
    "token-expired",
    "410",
    alone="token-expired",
    description=(
        "A car is opened for editing and gets an edit ticket for two seconds (editTicketExpiresIn); the save comes "
        "after three: 410, the ticket has expired. Opened again and saved at once it works. Nobody else wrote."
    ),
)
def expired(stage: Stage) -> None:
    """Save with a ticket that has ended."""
    server = qin.service(stage, "fleet", _CARS, LIFE="2")
    me = stage.actor("client", server, _OFFICE, "requests", {"X-User": "station-ks"})
    me.get("/api/vehicles")
    ticket = me.get("/api/vehicles/car-118?edit=true").json["editTicket"]
    time.sleep(3.1)
    me.put("/api/vehicles/car-118", {"station": "GOE", "editTicket": ticket}, 410)
    ticket = me.get("/api/vehicles/car-118?edit=true").json["editTicket"]
    me.put("/api/vehicles/car-118", {"station": "GOE", "editTicket": ticket}, 200)


@case(
    "b759",
    "qin-javascript-cut-the-microseconds",
    "date-precision",
    "409",
    alone="date-precision malformed-validator",
    description=(
        "Laravel-like: updated_at with six digits is the version. The page parses it into a Date and sends it back "
        "with three; never equal, always refused, though the record has not moved. Sent as served it is taken."
    ),
)
def microseconds(stage: Stage) -> None:
    """Send a time with fewer digits."""
    server = qin.service(
        stage, "parts", _ACCOUNTS, CARRIER="stamp", SHAPE="laravel", CODE="StaleModelException"
    )
    me = stage.actor("client", server, _CRM, "node", {"X-User": "nadja"})
    qin.office(me, 7, "nadja")
    one = me.get("/erp/accounts/8802")
    moment = datetime.fromisoformat(one.json["updated_at"])
    cut = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    qin.require(moment.microsecond % 1000, "no microseconds")
    me.put("/erp/accounts/8802", qin.changed(one, terms=20, updated_at=cut), 409)
    again = me.get("/erp/accounts/8802")
    qin.require(again.json["updated_at"] == one.json["updated_at"], "moved")
    me.put("/erp/accounts/8802", qin.changed(one, terms=20, updated_at=cut), 409)
    me.put("/erp/accounts/8802", qin.changed(again, terms=20), 200)


@case(
    "b760",
    "qin-http-cache-put-its-tag-on-the-save",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "A caching layer of the client adds If-None-Match with its stored tag to every request of a URL, saves "
        "included: reads are 304 as they should, PUTs are 412 because the tag matches. The application sends only "
        "If-Match with the same, current tag."
    ),
)
def layer(stage: Stage) -> None:
    """Have a layer that adds a condition to writes."""
    rows = {"prices/ash-27": {"net": 55.9}, "prices/ash-40": {"net": 79.0}}
    server = qin.service(stage, "tags", rows)
    me = stage.actor("client", server, "prices.holz-behrens.test", "requests", {"X-User": "mobile"})
    tag = me.get("/prices/ash-27").etag
    me.get("/prices/ash-40")
    me.get("/prices/ash-27", 304, {"If-None-Match": tag})
    guard = {"If-Match": tag, "If-None-Match": tag}
    me.put("/prices/ash-27", {"net": 57.0}, 412, guard)
    me.get("/prices/ash-27", 304, {"If-None-Match": tag})
    me.put("/prices/ash-27", {"net": 57.0}, 412, guard)
