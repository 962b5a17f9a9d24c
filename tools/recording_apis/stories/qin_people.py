"""Colleagues and oneself: conflicts that a version was made for, and records that are there already or gone."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import qin_setting as qin

_ERP = "erp.kettler-antriebe.test"
_PARTS = {
    "parts/KX-2210": {"name": "Bevel gear", "stock": 41, "bin": "C-07", "price": 88.4},
    "parts/KX-2214": {"name": "Shaft 18h6", "stock": 12, "bin": "C-09", "price": 31.75},
    "parts/KX-3001": {"name": "Housing", "stock": 3, "bin": "A-01", "price": 412.0},
    "orders/40071": {"customer": "Wendt GmbH", "quantity": 20, "part": "KX-2210"},
}
_PERMITS = {
    "2026-0817": {"subject": "Dachgaube Lindenweg 4", "clerk": "Hartl", "state": "in Prüfung", "fee": "180"},
    "2026-0822": {"subject": "Carport Am Anger 11", "clerk": "Brandl", "state": "eingegangen", "fee": "95"},
}


def _rows(prefix: str, rows: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    return {f"{prefix}{key}": value for key, value in rows.items()}


@case(
    "b725",
    "qin-two-storekeepers-count",
    "other-writer",
    "409",
    alone="other-writer",
    description=(
        "Two storekeepers count the same part. The second save carries version read before the first one and is "
        "refused with the Spring problem of an optimistic lock; the re-read record shows modifiedBy paulsen."
    ),
)
def storekeepers(stage: Stage) -> None:
    """Save after somebody else."""
    server = qin.service(
        stage, "parts", _PARTS, SHAPE="spring", CODE="ObjectOptimisticLockingFailureException"
    )
    me = stage.actor("client", server, _ERP, "httpx", {"X-User": "ebers"})
    other = stage.actor("other", server, _ERP, "requests", {"X-User": "paulsen"})
    qin.office(me, 4, "ebers")
    me.get("/erp/parts")
    mine = me.get("/erp/parts/KX-2210")
    theirs = other.get("/erp/parts/KX-2210")
    other.put("/erp/parts/KX-2210", qin.changed(theirs, stock=39), 200)
    time.sleep(0.9)
    me.put("/erp/parts/KX-2210", qin.changed(mine, bin="D-02"), 409)
    again = me.get("/erp/parts/KX-2210").json
    qin.require(again["modifiedBy"] == "paulsen" and again["stock"] == 39, "not theirs")


@case(
    "b726",
    "qin-form-open-over-lunch",
    "other-writer",
    "409",
    alone="other-writer",
    description=(
        "A clerk leaves the form of a permit open; a colleague saves it meanwhile. The POST with the hidden "
        "lock_version is answered with a page in German that names the colleague and both versions."
    ),
)
def lunch(stage: Stage) -> None:
    """Post a form that is out of date."""
    server = qin.service(stage, "council", _PERMITS, WORDS="de")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "bauamt.stadt-eichheim.test", "requests:follow")
    other = stage.actor("other", front, "bauamt.stadt-eichheim.test", "requests:follow")
    for actor, name in ((me, "Hartl"), (other, "Brandl")):
        actor.get("/login")
        actor.send("POST", "/login", 200, qin.FORM, qin.form(clerk=name, pin="0000"))
    page = me.get("/permits/2026-0817/edit")
    theirs = other.get("/permits/2026-0817/edit")
    other.send(
        "POST",
        "/permits/2026-0817/edit",
        200,
        qin.FORM,
        qin.form(lock_version=qin.hidden(theirs), state="genehmigt"),
    )
    me.get("/permits")
    fields = qin.form(
        csrfmiddlewaretoken=qin.hidden(page, "csrfmiddlewaretoken"), lock_version=qin.hidden(page), fee="210"
    )
    refused = me.send("POST", "/permits/2026-0817/edit", 409, qin.FORM, fields)
    qin.require("von Brandl geändert" in refused.text, "another page")
    me.get("/permits/2026-0817")


@case(
    "b727",
    "qin-graphql-order-picked-twice",
    "other-writer",
    "200",
    alone="other-writer status-dialect-mismatch",
    also="status-dialect-mismatch",
    description=(
        "A picker's mutation carries an expectedVersion that packing has just moved on; GraphQL says VERSION_CONFLICT "
        "in a 200, and the order read again was updated by packing-3."
    ),
)
def picked(stage: Stage) -> None:
    """Be too late with a mutation."""
    orders = {"A-1007": {"status": "NEW", "note": ""}, "A-1008": {"status": "PAID", "note": "gift"}}
    server = qin.service(stage, "graph", orders)
    me = stage.actor("client", server, "graph.modehaus.test", "node", {"X-Client-Name": "picker-12"})
    other = stage.actor("other", server, "graph.modehaus.test", "aiohttp", {"X-Client-Name": "packing-3"})
    qin.graph_orders(me)
    mine = qin.graph_order(me, "A-1008")
    theirs = qin.graph_order(other, "A-1008")
    qin.graph_save(other, "packOrder", id="A-1008", expectedVersion=theirs["version"], status="PACKED")
    time.sleep(0.4)
    told = qin.graph_save(me, "pickOrder", id="A-1008", expectedVersion=mine["version"], status="PICKED").json
    qin.require(told["errors"][0]["extensions"]["code"] == "VERSION_CONFLICT", "no conflict")
    qin.require(qin.graph_order(me, "A-1008")["updatedBy"] == "packing-3", "not theirs")


@case(
    "b728",
    "qin-account-stream-moved-on",
    "other-writer",
    "409",
    alone="other-writer",
    description=(
        "A branch appends a withdrawal to an account's stream at the position it has read; a card terminal appended "
        "in between, and the store says WrongExpectedPosition. The stream read again ends with the terminal's event."
    ),
)
def account(stage: Stage) -> None:
    """Append where somebody else has appended."""
    seed = 'account-77|{"type":"Opened","owner":"Ibe"}|{"type":"Deposited","amount":400}\naccount-78|{"type":"Opened"}'
    server = qin.service(stage, "ledger", seed)
    me = stage.actor("client", server, "ledger.volksbank-ost.test", "java", {"X-Source": "branch-4"})
    other = stage.actor("other", server, "ledger.volksbank-ost.test", "curl", {"X-Source": "pos-911"})
    me.get("/streams")
    mine = me.get("/streams/account-77").fields["stream-position"]
    theirs = other.get("/streams/account-77").fields["stream-position"]
    event = {"type": "Withdrawn", "amount": 60, "source": "pos-911"}
    other.send("POST", "/streams/account-77", 201, {"Expected-Position": theirs}, event)
    time.sleep(0.3)
    event = {"type": "Withdrawn", "amount": 380, "source": "branch-4"}
    me.send("POST", "/streams/account-77", 409, {"Expected-Position": mine}, event)
    qin.require("pos-911" in me.get("/streams/account-77").text, "not theirs")


@case(
    "b729",
    "qin-menu-edited-by-the-chef",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "The office changes a price of the lunch menu with If-Match; the chef has replaced the soup in between, so "
        "the tag is old. A good many other reads lie around it."
    ),
)
def menu(stage: Stage) -> None:
    """Be refused with an honest tag."""
    rows = {
        f"menus/{day}": {"soup": "lentil", "main": "trout", "price": 12.5, "day": day}
        for day in ("mon", "tue", "wed")
    }
    server = qin.service(stage, "tags", rows, HABITS="indent")
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "kantine.werk-sued.test", "aiohttp", {"X-User": "office"})
    other = stage.actor("other", front, "kantine.werk-sued.test", "node:axios", {"X-User": "chef"})
    qin.notices(me, 4)
    qin.browse(me, ("/menus", "/menus/mon", "/menus/wed"), 2)
    mine, theirs = me.get("/menus/tue"), other.get("/menus/tue")
    other.send("PATCH", "/menus/tue", 200, {"If-Match": theirs.etag}, {"soup": "pumpkin"})
    time.sleep(0.5)
    me.send("PATCH", "/menus/tue", 412, {"If-Match": mine.etag}, {"price": 12.9})
    qin.require(me.get("/menus/tue").json["soup"] == "pumpkin", "not theirs")
    qin.browse(me, ("/menus/wed",), 2)


@case(
    "b730",
    "qin-double-click-on-save",
    "self-race",
    "409",
    alone="self-race",
    description=(
        "A double click sends the same form twice with one lock_version, a tenth of a second apart; the first is "
        "taken while the second waits, the second gets the page of a conflict that names the clerk herself."
    ),
)
def clicked(stage: Stage) -> None:
    """Send a form twice."""
    server = qin.service(stage, "council", _PERMITS, WORDS="de", HOLD="0.5")
    me = stage.actor("client", server, "bauamt.stadt-eichheim.test", "httpx")
    me.send("POST", "/login", 302, qin.FORM, qin.form(clerk="Hartl", pin="0000"))
    me.get("/permits")
    version = qin.hidden(me.get("/permits/2026-0822/edit"))
    body = qin.form(lock_version=version, state="in Prüfung", clerk="Hartl")

    def click() -> object:
        return me.send("POST", "/permits/2026-0822/edit", (302, 409), qin.FORM, body)

    found = sorted(one.status for one in qin.at_once([click, click], 0.12))  # type: ignore[list-item]
    qin.require(found == [302, 409], f"{found}")
    me.get("/permits/2026-0822")


@case(
    "b731",
    "qin-import-with-four-workers",
    "self-race",
    "409",
    alone="self-race",
    description=(
        "An importer writes the attributes of one article from four workers of one run, all with the version read at "
        "its start; one gets through, three are refused while theirs overlap."
    ),
)
def workers(stage: Stage) -> None:
    """Write one row from many workers."""
    server = qin.service(stage, "parts", _PARTS, NAME="lockVersion", HOLD="0.4", SHAPE="plain")
    me = stage.actor("client", server, _ERP, "httpx", {"X-User": "import", "X-Run-Id": "run-5518"})
    qin.office(me, 2)
    me.get("/erp/parts")
    start = me.get("/erp/parts/KX-3001").json["lockVersion"]
    patches: tuple[dict[str, object], ...] = (
        {"price": 415.0},
        {"bin": "A-02"},
        {"name": "Housing, cast"},
        {"stock": 4},
    )

    def call(patch: dict[str, object]) -> object:
        return lambda: me.send(
            "PATCH", "/erp/parts/KX-3001", (200, 409), None, {**patch, "lockVersion": start}
        )

    found = sorted(one.status for one in qin.at_once([call(one) for one in patches], 0.04))  # type: ignore[misc]
    qin.require(found == [200, 409, 409, 409], f"{found}")
    me.get("/erp/parts/KX-3001")


@case(
    "b732",
    "qin-price-job-after-every-save",
    "server-side-mutation",
    "409",
    alone="server-side-mutation",
    description=(
        "A job of the ERP recomputes the gross price a moment after each save (modifiedBy system:repricing) and "
        "counts the version up. The client's next save, with the version of its own answer, is refused, twice."
    ),
)
def repricing(stage: Stage) -> None:
    """Meet a job of the service."""
    server = qin.service(stage, "parts", _PARTS, HABITS="job", SHAPE="rails", CODE="StaleObjectError")
    me = stage.actor("client", server, _ERP, "requests", {"X-User": "ebers"})
    qin.office(me, 3, "ebers")
    one = me.get("/erp/parts/KX-2214")
    saved = me.put("/erp/parts/KX-2214", qin.changed(one, price=33.0), 200)
    time.sleep(0.7)
    me.put("/erp/parts/KX-2214", qin.changed(saved, stock=11), 409)
    again = me.get("/erp/parts/KX-2214")
    qin.require(again.json["modifiedBy"] == "system:repricing", "no job")
    saved = me.put("/erp/parts/KX-2214", qin.changed(again, stock=11), 200)
    time.sleep(0.7)
    me.put("/erp/parts/KX-2214", qin.changed(saved, bin="C-10"), 409)
    qin.require(me.get("/erp/parts/KX-2214").json["modifiedBy"] == "system:repricing", "no job")


@case(
    "b733",
    "qin-menu-is-there-already",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A planning script creates the menus of three weeks with If-None-Match: *. One of them has been made by the office "
        "last week, the script has never seen it: 412; it reads it and goes on."
    ),
)
def planned(stage: Stage) -> None:
    """Create what is there."""
    server = qin.service(stage, "tags", {"menus/w49-tue": {"main": "dumplings", "#by": "office"}})
    me = stage.actor("client", server, "kantine.werk-sued.test", "curl", {"X-User": "planner"})
    qin.notices(me, 2)
    for week, dish in ((48, "risotto"), (49, "trout"), (50, "goulash")):
        for day in ("mon", "tue", "wed", "thu"):
            there = (week, day) == (49, "tue")
            path = f"/menus/w{week}-{day}"
            me.put(path, {"main": dish, "price": 11.5}, 412 if there else 201, {"If-None-Match": "*"})
            if there:
                me.get(path)


@case(
    "b734",
    "qin-stream-that-was-opened-before",
    "exists-already",
    "409",
    alone="exists-already",
    description=(
        "Opening an account appends to a stream that must not exist (Expected-Position: noStream). The number was "
        "given to somebody else in May: the store says it is at position 1, and the stream shows that owner."
    ),
)
def opened(stage: Stage) -> None:
    """Open a stream that exists."""
    seed = 'account-90|{"type":"Opened","owner":"Quist","at":"2026-05-03"}|{"type":"Deposited","amount":12}'
    server = qin.service(stage, "ledger", seed)
    me = stage.actor("client", server, "ledger.volksbank-ost.test", "httpx", {"X-Source": "onboarding"})
    event = {"type": "Opened", "owner": "Zeller"}
    me.send("POST", "/streams/account-90", 409, {"Expected-Position": "noStream"}, event)
    me.get("/streams/account-90")
    me.send("POST", "/streams/account-91", 201, {"Expected-Position": "noStream"}, event)


@case(
    "b735",
    "qin-vehicle-sold-meanwhile",
    "target-missing",
    "404",
    alone="target-missing",
    description=(
        "A station saves the mileage of a van with its rowVersion; the van was sold and deleted by the head office a "
        "moment before. The save is 404, so is the read after it, the list is without it."
    ),
)
def sold(stage: Stage) -> None:
    """Save what is gone."""
    cars = {
        "van-31": {"plate": "GO-VN 31", "mileage": 90120},
        "van-32": {"plate": "GO-VN 32", "mileage": 401},
    }
    server = qin.service(stage, "fleet", cars)
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "office.rentacar.test", "requests", {"X-User": "station-7"})
    other = stage.actor("other", front, "office.rentacar.test", "httpx", {"X-User": "head-office"})
    me.get("/api/vehicles")
    mine = me.get("/api/vehicles/van-31")
    version = other.get("/api/vehicles/van-31").json["rowVersion"].replace("+", "%2B").replace("=", "%3D")
    other.send("DELETE", f"/api/vehicles/van-31?rowVersion={version}", 204)
    time.sleep(0.6)
    me.put("/api/vehicles/van-31", qin.changed(mine, mileage=90544), 404)
    me.get("/api/vehicles/van-31", 404)
    me.get("/api/vehicles")


@case(
    "b736",
    "qin-price-row-withdrawn",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A partner's script updates a price row with the tag of its last run; the row was withdrawn since. If-Match "
        "is 412, and the re-read 404."
    ),
)
def withdrawn(stage: Stage) -> None:
    """Update with If-Match what is deleted."""
    rows = {"prices/oak-27": {"net": 61.2}, "prices/oak-40": {"net": 88.0}, "prices/ash-27": {"net": 55.9}}
    server = qin.service(stage, "tags", rows)
    me = stage.actor("client", server, "prices.holz-behrens.test", "urllib", {"X-User": "partner-18"})
    other = stage.actor("other", server, "prices.holz-behrens.test", "requests", {"X-User": "sortiment"})
    qin.notices(me, 6)
    held = {key: me.get(f"/prices/{key}").etag for key in ("oak-27", "oak-40", "ash-27")}
    other.send("DELETE", "/prices/oak-40", 204, {"If-Match": held["oak-40"]})
    for key, net, status in (("oak-27", 63.0, 200), ("oak-40", 91.5, 412), ("ash-27", 57.0, 200)):
        me.put(f"/prices/{key}", {"net": net}, status, {"If-Match": held[key]})
    me.get("/prices/oak-40", 404)


@case(
    "b737",
    "qin-catalogue-download-in-parts",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "A wholesaler's catalogue is downloaded in parts of 4,000 octets, each guarded with If-Match; the nightly "
        "export replaces it after the second part, the third is 412."
    ),
)
def parts(stage: Stage) -> None:
    """Download in parts while the file is replaced."""
    lines = "".join(f"{4000 + n};screw {n % 12};{n % 7}.{n % 90:02d};EUR\n" for n in range(620))
    server = qin.service(stage, "tags", {"exports/catalogue": {"text": lines}}, MEDIA="text/csv")
    me = stage.actor("client", server, "b2b.schrauben-link.test", "httpx", {"X-User": "shop-204"})
    other = stage.actor("other", server, "b2b.schrauben-link.test", "curl", {"X-User": "export"})
    first = me.get("/exports/catalogue", 206, {"Range": "bytes=0-3999", **qin.PLAIN})
    guard = {"If-Match": first.etag, **qin.PLAIN}
    me.get("/exports/catalogue", 206, {"Range": "bytes=4000-7999", **guard})
    other.put("/exports/catalogue", lines.replace("EUR", "CHF")[:9000], 200, {"If-Match": first.etag})
    me.get("/exports/catalogue", 412, {"Range": "bytes=8000-11999", **guard})
    again = me.get("/exports/catalogue", 206, {"Range": "bytes=0-3999", **qin.PLAIN})
    qin.require(again.etag != first.etag, "the same")


@case(
    "b738",
    "qin-pages-of-two-catalogues-spliced",
    "read-changed-mid-transfer",
    "wrong-content",
    alone="read-changed-mid-transfer",
    description=(
        "The same download without a guard: the parts come from two catalogues with different tags, all 206, and the "
        "client has put them together."
    ),
)
def spliced(stage: Stage) -> None:
    """Put parts of two versions together."""
    lines = "".join(f"{7000 + n}|bolt M{n % 20}|{n % 9}.{n % 80:02d}\n" for n in range(400))
    server = qin.service(stage, "tags", {"exports/bolts": {"text": lines}}, MEDIA="text/plain")
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, "b2b.schrauben-link.test", "requests", {"X-User": "shop-17"})
    other = stage.actor("other", front, "b2b.schrauben-link.test", "curl", {"X-User": "export"})
    first = me.get("/exports/bolts", 206, {"Range": "bytes=0-2999", **qin.PLAIN})
    other.put("/exports/bolts", lines.replace("bolt", "stud"), 200, {"If-Match": first.etag})
    for start in (3000, 6000):
        part = me.get("/exports/bolts", 206, {"Range": f"bytes={start}-{start + 2999}", **qin.PLAIN})
        qin.require(part.etag != first.etag, "one version")
