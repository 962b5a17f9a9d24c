"""What programs do with a version between the read and the write: keep it, lose it, bend it, take another's."""

from __future__ import annotations

import time

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
    "b739",
    "qin-second-save-with-the-first-version",
    "stale-stored-token",
    "409",
    alone="stale-stored-token",
    description=(
        "A form in a page keeps the version from its opening: the first save works and answers version 15, the second "
        "save carries 14 again and is refused. Nobody else has written (modifiedBy nadja)."
    ),
)
def second(stage: Stage) -> None:
    """Save twice with one version."""
    server = qin.service(
        stage, "parts", _ACCOUNTS, SHAPE="rails", CODE="ActiveRecord::StaleObjectError", NAME="lock_version"
    )
    me = stage.actor("client", server, _CRM, "node:axios", {"X-User": "nadja"})
    qin.office(me, 5, "nadja")
    me.get("/erp/accounts")
    one = me.get("/erp/accounts/8801")
    me.get("/erp/contacts/5510")
    me.put("/erp/accounts/8801", qin.changed(one, terms=45), 200)
    time.sleep(1.4)
    me.put("/erp/accounts/8801", qin.changed(one, terms=45, owner="Piet"), 409)
    qin.require(me.get("/erp/accounts/8801").json["modifiedBy"] == "nadja", "somebody else")


@case(
    "b740",
    "qin-app-keeps-rowversion-of-start",
    "stale-stored-token",
    "409",
    alone="stale-stored-token",
    description=(
        "A station's app loads all cars at its start and sends the mileage of each return with the rowVersion from "
        "then. The first return of a car works, the second of the same day is refused: its own save had moved it."
    ),
)
def returns(stage: Stage) -> None:
    """Keep versions from the start of the day."""
    vans = {
        f"van-{n}": {"plate": f"GO-VN {n}", "mileage": 40000 + n, "station": "GOE"} for n in range(21, 30)
    }
    server = qin.service(stage, "fleet", {**_CARS, **vans})
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, _OFFICE, "java", {"X-User": "station-goe"})
    morning = {one["id"]: one["rowVersion"] for one in me.get("/api/vehicles").json}
    early = [(f"van-{n}", 40100 + n) for n in range(21, 30)]
    for car, mileage in (*early, ("car-104", 22190), ("car-131", 9333), ("car-118", 62001)):
        me.put(f"/api/vehicles/{car}", {"mileage": mileage, "rowVersion": morning[car]}, 200)
        time.sleep(0.2)
    body = {"mileage": 9480, "rowVersion": morning["car-131"]}
    me.put("/api/vehicles/car-131", body, 409)
    qin.require(me.get("/api/vehicles/car-131").json["modifiedBy"] == "station-goe", "somebody else")


@case(
    "b741",
    "qin-retry-decorator-around-the-put",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token",
    description=(
        "A retry decorator sits around the PUT and not around the read: after a save that nobody recorded the same "
        "body with the same version goes out seven times, with growing pauses, and is refused seven times."
    ),
)
def decorator(stage: Stage) -> None:
    """Repeat what was refused."""
    server = qin.service(stage, "parts", _ACCOUNTS, WORDS="es", CODE="VERSION_CONFLICT")
    me = stage.actor("client", server, _CRM, "requests", {"X-User": "sync-job"})
    qin.office(me, 2)
    one = me.get("/erp/contacts/5511")
    qin.aside(server, "PUT", "/erp/contacts/5511", qin.changed(one, phone="+49 30 5559"), {"X-User": "nadja"})
    body = qin.changed(one, mail="logistik@osterweil.test")
    for number in range(7):
        me.put("/erp/contacts/5511", body, 409)
        time.sleep(0.1 * 1.6**number)


@case(
    "b742",
    "qin-soap-queue-redelivers",
    "retry-reuses-failed-token",
    "500",
    alone="retry-reuses-failed-token",
    also="status-dialect-mismatch",
    description=(
        "A queue hands the same UpdateCustomer message to a worker again and again because a fault is an error to "
        "it: each time StaleObjectFault with the same version, the current one beside it, never a GetCustomer."
    ),
)
def redelivered(stage: Stage) -> None:
    """Redeliver a refused message."""
    seed = {"K-1001": {"Name": "Ahrens", "City": "Celle"}, "K-1002": {"Name": "Boll", "City": "Peine"}}
    server = qin.service(stage, "soap", seed)
    me = stage.actor("client", server, "ws.nordassekuranz.test", "requests", {"X-Operator": "mq"})
    xml = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"UpdateCustomer"'}
    reading = {**xml, "SOAPAction": '"GetCustomer"'}
    ask = qin.soap("<GetCustomer><Number>K-1002</Number></GetCustomer>")
    version = qin.element(me.send("POST", "/ws/CustomerService", 200, reading, ask), "Version")
    update = "<UpdateCustomer><Number>K-1002</Number><City>{}</City><Version>{}</Version></UpdateCustomer>"
    qin.aside(server, "POST", "/ws/CustomerService", qin.soap(update.format("Gifhorn", version)), xml)
    body = qin.soap(update.format("Wolfsburg", version))
    for _ in range(5):
        me.send("POST", "/ws/CustomerService", 500, xml, body)
        time.sleep(0.5)


@case(
    "b743",
    "qin-answer-lost-and-sent-again",
    "lost-response-replay",
    "409",
    alone="lost-response-replay",
    description=(
        "The connection breaks after the service has stored the mileage; the client sends the same body with the same "
        "rowVersion again, is refused, and finds its own mileage under its own name."
    ),
)
def lost(stage: Stage) -> None:
    """Send again what was stored."""
    server = qin.service(stage, "fleet", _CARS)
    me = stage.actor("client", server, _OFFICE, "httpx", {"X-User": "obd-118"}, loses=qin.first_of("PUT"))
    one = me.get("/api/vehicles/car-118")
    body = {"mileage": 61950, "rowVersion": one.json["rowVersion"]}
    me.put("/api/vehicles/car-118", body, 0)
    time.sleep(0.5)
    me.put("/api/vehicles/car-118", body, 409)
    again = me.get("/api/vehicles/car-118").json
    qin.require(again["mileage"] == 61950 and again["modifiedBy"] == "obd-118", "not its own")


@case(
    "b744",
    "qin-event-sent-again-after-reset",
    "lost-response-replay",
    "409",
    alone="lost-response-replay",
    description=(
        "An append with an event id gets no answer; the repeat is WrongExpectedPosition, and the stream ends with "
        "the very event id of the client."
    ),
)
def event(stage: Stage) -> None:
    """Append again what is there."""
    server = qin.service(stage, "ledger", 'parcel-5501|{"type":"Accepted"}|{"type":"Sorted","hub":"H2"}')
    me = stage.actor("client", server, "events.paketnetz.test", "aiohttp", loses=qin.first_of("POST"))
    here = me.get("/streams/parcel-5501").fields["stream-position"]
    one = {"type": "Loaded", "tour": "T-77", "eventId": "6c1d0b7e-1f0a-4d0e-9a55-77a1b0c4e201"}
    me.send("POST", "/streams/parcel-5501", 0, {"Expected-Position": here}, one)
    time.sleep(0.4)
    me.send("POST", "/streams/parcel-5501", 409, {"Expected-Position": here}, one)
    qin.require(one["eventId"] in me.get("/streams/parcel-5501").text, "not there")


@case(
    "b745",
    "qin-fetches-the-version-just-to-pass",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A page reads a contact, a colleague changes its phone, and on saving the page fetches the record only for "
        "its version and sends the old form with it: the check passes, the phone is the old one again."
    ),
)
def blind(stage: Stage) -> None:
    """Take a fresh version for an old form."""
    server = qin.service(stage, "parts", _ACCOUNTS, SHAPE="spring")
    me = stage.actor("client", server, _CRM, "node", {"X-User": "piet"})
    other = stage.actor("other", server, _CRM, "requests", {"X-User": "nadja"})
    qin.office(me, 3, "piet")
    old = me.get("/erp/contacts/5510")
    other.put("/erp/contacts/5510", qin.changed(other.get("/erp/contacts/5510"), phone="+49 30 7777"), 200)
    time.sleep(1.2)
    fresh = me.get("/erp/contacts/5510").json["version"]
    me.put("/erp/contacts/5510", qin.changed(old, mail="office@osterweil.test", version=fresh), 200)
    qin.require(me.get("/erp/contacts/5510").json["phone"] == "+49 30 5550", "kept")


@case(
    "b746",
    "qin-conflict-answered-with-force",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "After a refusal the client takes the new tag from a re-read and puts its old menu over the chef's soup: "
        "a fresh tag, an old base, the soup is gone."
    ),
)
def forced(stage: Stage) -> None:
    """Overwrite after a refusal."""
    rows = {"menus/thu": {"soup": "lentil", "main": "schnitzel", "price": 11.9}}
    server = qin.service(stage, "tags", rows)
    me = stage.actor("client", server, "kantine.werk-sued.test", "requests", {"X-User": "office"})
    other = stage.actor("other", server, "kantine.werk-sued.test", "httpx", {"X-User": "chef"})
    qin.notices(me, 5)
    mine = me.get("/menus/thu")
    other.put(
        "/menus/thu", qin.changed(mine, soup="beetroot"), 200, {"If-Match": other.get("/menus/thu").etag}
    )
    body = qin.changed(mine, price=12.4)
    me.put("/menus/thu", body, 412, {"If-Match": mine.etag})
    me.put("/menus/thu", body, 200, {"If-Match": me.get("/menus/thu").etag})
    qin.require(me.get("/menus/thu").json["soup"] == "lentil", "kept")


@case(
    "b747",
    "qin-patch-without-any-version",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "Two back offices replace the same account; one sends the version, the other's script leaves it out (the ERP "
        "takes that). Its whole record goes over the new terms, and its last read shows the old terms back."
    ),
)
def unguarded(stage: Stage) -> None:
    """Write without a version."""
    server = qin.service(stage, "parts", _ACCOUNTS)
    me = stage.actor("client", server, _CRM, "curl", {"X-User": "script"})
    other = stage.actor("other", server, _CRM, "requests", {"X-User": "nadja"})
    one = me.get("/erp/accounts/8802")
    body = {"name": "Brandt KG", "terms": 14, "owner": "Piet"}
    qin.require(one.json["terms"] == 14, "other terms")
    other.put("/erp/accounts/8802", qin.changed(other.get("/erp/accounts/8802"), terms=60), 200)
    time.sleep(0.5)
    qin.require(me.get("/erp/accounts/8802").json["terms"] == 60, "not written")
    me.put("/erp/accounts/8802", body, 200)
    qin.require(me.get("/erp/accounts/8802").json["terms"] == 14, "kept")


@case(
    "b748",
    "qin-version-is-null-in-json",
    "null-token",
    "409",
    alone="null-token",
    description=(
        'The model of a client has lost the member: it sends "version": "undefined" as text, then 0; the ERP '
        "refuses both, and the version on every read is 6."
    ),
)
def undefined(stage: Stage) -> None:
    """Send no version in the place of one."""
    server = qin.service(stage, "parts", _ACCOUNTS, HABITS="tell", WORDS="fr")
    me = stage.actor("client", server, _CRM, "node", {"X-User": "widget"})
    qin.office(me, 6)
    one = me.get("/erp/contacts/5510")
    me.put("/erp/contacts/5510", qin.changed(one, phone="+49 30 1", version="undefined"), 409)
    me.get("/erp/contacts/5510")
    me.put("/erp/contacts/5510", qin.changed(one, phone="+49 30 1", version=0), 409)


@case(
    "b749",
    "qin-empty-element-for-version",
    "null-token",
    "500",
    alone="null-token",
    description=(
        'A .NET-like proxy serialises a missing number as <Version xsi:nil="true"/>: StaleObjectFault with an empty '
        "Sent and the current version, which the read before had shown."
    ),
)
def nil(stage: Stage) -> None:
    """Send an empty version."""
    seed = {"K-2001": {"Name": "Cordes", "City": "Uelzen"}, "K-2002": {"Name": "Dirks", "City": "Soltau"}}
    server = qin.service(stage, "soap", seed)
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "ws.nordassekuranz.test", "httpx", {"X-Operator": "portal"})
    xml = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
    me.send("POST", "/ws/CustomerService", 200, xml, qin.soap("<ListCustomers/>"))
    ask = qin.soap("<GetCustomer><Number>K-2001</Number></GetCustomer>")
    me.send("POST", "/ws/CustomerService", 200, xml, ask)
    inner = "<UpdateCustomer><Number>K-2001</Number><City>Bergen</City>"
    inner += (
        '<Version xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/></UpdateCustomer>'
    )
    me.send("POST", "/ws/CustomerService", 500, xml, qin.soap(inner))
    me.send("POST", "/ws/CustomerService", 200, xml, ask)
