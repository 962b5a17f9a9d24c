"""Healthy traffic of the same services, and conflicts that their clients heal as they should."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import qin_setting as qin

_ERP, _GRAPH, _LEDGER = "erp.kettler-antriebe.test", "graph.modehaus.test", "ledger.volksbank-ost.test"
_PARTS = {
    f"parts/KX-{n}": {"name": f"Coupling {n}", "stock": n % 37, "bin": f"E-{n % 9}"}
    for n in range(4100, 4109)
}
_MENUS = {
    f"menus/{day}": {"soup": "leek", "main": "pike", "price": 12.5}
    for day in ("mon", "tue", "wed", "thu", "fri")
}
_PERMITS = {
    "P-301": {"subject": "Street party", "state": "new"},
    "P-302": {"subject": "Skip in Mill Lane", "state": "new"},
}


@case(
    "b797",
    "qin-conflict-merged-and-saved",
    "none",
    "recovered",
    alone="none other-writer",
    description=(
        "A refused save is healed well: the client reads the row again, keeps the colleague's stock, puts its own bin "
        "on it and saves with the new version. Both changes are in the end."
    ),
)
def merged(stage: Stage) -> None:
    """Heal a conflict."""
    server = qin.service(stage, "parts", _PARTS, SHAPE="spring", CODE="OptimisticLockException")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, _ERP, "httpx", {"X-User": "ebers"})
    other = stage.actor("other", front, _ERP, "requests", {"X-User": "paulsen"})
    qin.office(me, 6, "ebers")
    me.get("/erp/parts")
    mine, theirs = me.get("/erp/parts/KX-4103"), other.get("/erp/parts/KX-4103")
    other.put("/erp/parts/KX-4103", qin.changed(theirs, stock=2), 200)
    me.put("/erp/parts/KX-4103", qin.changed(mine, bin="F-1"), 409)
    again = me.get("/erp/parts/KX-4103")
    me.put("/erp/parts/KX-4103", qin.changed(again, bin="F-1"), 200)
    found = me.get("/erp/parts/KX-4103").json
    qin.require(found["stock"] == 2 and found["bin"] == "F-1", "lost")


@case(
    "b798",
    "qin-form-shown-again-and-sent-again",
    "none",
    "recovered",
    alone="none other-writer",
    description=(
        "A clerk's form is refused with the page of a conflict; she opens it again, with the colleague's state in it, "
        "enters the fee once more and it is saved."
    ),
)
def reopened(stage: Stage) -> None:
    """Fill a form in again."""
    server = qin.service(stage, "council", _PERMITS)
    me = stage.actor("client", server, "permits.millbrook.test", "requests")
    other = stage.actor("other", server, "permits.millbrook.test", "httpx")
    for actor, name in ((me, "joan"), (other, "hugh")):
        actor.send("POST", "/login", 302, qin.FORM, qin.form(clerk=name, pin="1"))
    path = "/permits/P-301/edit"
    first = qin.hidden(me.get(path))
    theirs = qin.hidden(other.get(path))
    other.send(
        "POST", path, 302, qin.FORM, qin.form(lock_version=theirs, subject="Street party", state="granted")
    )
    me.send(
        "POST",
        path,
        409,
        qin.FORM,
        qin.form(lock_version=first, subject="Street party", state="new", fee="40"),
    )
    page = me.get(path)
    fields = qin.form(lock_version=qin.hidden(page), subject="Street party", state="granted", fee="40")
    me.send("POST", path, 302, qin.FORM, fields)
    shown = me.get("/permits/P-301").text
    qin.require("granted" in shown and "40" in shown, "lost")


@case(
    "b799",
    "qin-reader-follows-a-stream",
    "none",
    "healthy",
    alone="none",
    description=(
        "A projection follows an account's stream while a branch appends to it with the positions of its answers: "
        "many reads, positions that grow, no refusal."
    ),
)
def followed(stage: Stage) -> None:
    """Follow a stream."""
    server = qin.service(stage, "ledger", 'account-12|{"type":"Opened","owner":"Moor"}')
    me = stage.actor("client", server, _LEDGER, "httpx", {"X-Source": "projection"})
    other = stage.actor("other", server, _LEDGER, "requests", {"X-Source": "branch-1"})
    here = other.get("/streams/account-12").fields["stream-position"]
    for number in range(6):
        for _ in range(3):
            me.get("/streams/account-12")
            time.sleep(0.03)
        event = {"type": "Deposited", "amount": 10 + number}
        here = other.send("POST", "/streams/account-12", 201, {"Expected-Position": here}, event).fields[
            "stream-position"
        ]
    qin.require(me.get("/streams/account-12").fields["stream-position"] == "6", "lost")


@case(
    "b800",
    "qin-two-clerks-at-two-permits",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two clerks of a council work through two permits at the same time, each with the hidden version of a form "
        "just opened; redirects after each save, cookies, style and lists beside it."
    ),
)
def clerks(stage: Stage) -> None:
    """Save forms of two permits."""
    server = qin.service(stage, "council", _PERMITS)
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "permits.millbrook.test", "requests:follow")
    other = stage.actor("other", front, "permits.millbrook.test", "requests:follow")
    for actor, name in ((me, "joan"), (other, "hugh")):
        actor.get("/login")
        actor.send("POST", "/login", 200, qin.FORM, qin.form(clerk=name, pin="1"))
    for state in ("checked", "granted"):
        for actor, key in ((me, "P-301"), (other, "P-302")):
            version = qin.hidden(actor.get(f"/permits/{key}/edit"))
            body = qin.form(lock_version=version, state=state)
            actor.send("POST", f"/permits/{key}/edit", 200, qin.FORM, body)


@case(
    "b801",
    "qin-patches-with-tests-that-hold",
    "none",
    "healthy",
    alone="none",
    description=(
        "A tool moves devices to another VLAN with JSON Patches whose tests hold, then a batch of commands with "
        "ifSerial, each with its own result OK."
    ),
)
def holds(stage: Stage) -> None:
    """Patch what is as expected."""
    devices = {
        f"ap-{n}": {"site": "library", "serial": n, "config": {"vlan": 40, "power": 12}} for n in range(1, 7)
    }
    server = qin.service(stage, "patch", devices)
    me = stage.actor("client", server, "inventory.campusnet.test", "aiohttp", {"X-User": "netbot"})
    kind = {"Content-Type": "application/json-patch+json"}
    listed = me.get("/inventory/devices?site=library").json["devices"]
    for one in listed:
        old = me.get(f"/inventory/devices/{one['id']}").json["config"]["vlan"]
        steps = [
            {"op": "test", "path": "/config/vlan", "value": old},
            {"op": "replace", "path": "/config/vlan", "value": 44},
        ]
        me.send("PATCH", f"/inventory/devices/{one['id']}", 200, kind, steps)
    commands = [{"device": one["id"], "ifSerial": one["serial"], "set": {"contact": "noc"}} for one in listed]
    results = me.send("POST", "/inventory/batch", 200, None, {"commands": commands}).json["results"]
    qin.require(all(one["result"] == "OK" for one in results), f"{results}")


@case(
    "b802",
    "qin-graphql-errors-of-another-kind",
    "none",
    "healthy",
    alone="none",
    description=(
        "A service desk asks for orders and changes some with the versions it has; one note is too long, which comes "
        "back as VALIDATION_FAILED in a 200, and is sent once more shortened. No version was ever wrong."
    ),
)
def wordy(stage: Stage) -> None:
    """Write too long a note."""
    orders = {f"A-31{n}": {"status": "PAID", "note": ""} for n in range(20, 26)}
    server = qin.service(stage, "graph", orders)
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, _GRAPH, "node", {"X-Client-Name": "desk-5"})
    qin.graph_orders(me)
    version = qin.graph_order(me, "A-3121")["version"]
    wish = "call back before noon, ask for Mrs Holt, leave the parcel at the side gate"
    qin.graph_save(me, "addNote", id="A-3121", expectedVersion=version, note=wish)
    saved = qin.graph_save(me, "addNote", id="A-3121", expectedVersion=version, note=wish[:21]).json
    qin.graph_save(me, "holdOrder", id="A-3122", expectedVersion=11, status="HOLD")
    version = saved["data"]["addNote"]["version"]
    qin.graph_save(me, "holdOrder", id="A-3121", expectedVersion=version, status="HOLD")
    qin.graph_orders(me)


@case(
    "b803",
    "qin-makes-sure-that-streams-are-open",
    "none",
    "healthy",
    alone="none exists-already expected-control-flow",
    description=(
        "At its start a service makes sure that its streams are there: noStream is 201 for a new one and 409 for "
        "those of the last start, which it takes as there and goes on to append at the position it then reads."
    ),
)
def ensured(stage: Stage) -> None:
    """Make sure that streams exist."""
    seed = 'audit|{"type":"Created"}|{"type":"Entry","n":1}\nbilling|{"type":"Created"}'
    server = qin.service(stage, "ledger", seed)
    me = stage.actor("client", server, _LEDGER, "requests", {"X-Source": "boot"})
    for name, status in (("audit", 409), ("billing", 409), ("mailing", 201)):
        me.send("POST", f"/streams/{name}", status, {"Expected-Position": "noStream"}, {"type": "Created"})
        here = me.get(f"/streams/{name}").fields["stream-position"]
        me.send("POST", f"/streams/{name}", 201, {"Expected-Position": here}, {"type": "Booted"})


@case(
    "b804",
    "qin-tickets-used-in-time",
    "none",
    "healthy",
    alone="none",
    description=(
        "A station checks cars out, edits them with tickets that are still good, gives them back, and deletes one "
        "with its rowVersion, escaped as it should be."
    ),
)
def tickets(stage: Stage) -> None:
    """Edit with tickets."""
    cars = {f"car-{n}": {"plate": f"GO-TK {n}", "mileage": 300 * n} for n in range(401, 406)}
    server = qin.service(stage, "fleet", cars, LIFE="60")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "office.rentacar.test", "httpx", {"X-User": "station-3"})
    for key in ("car-401", "car-402", "car-403"):
        me.send("POST", f"/api/vehicles/{key}/checkout", 200)
        ticket = me.get(f"/api/vehicles/{key}?edit=true").json["editTicket"]
        me.put(f"/api/vehicles/{key}", {"mileage": 130000, "editTicket": ticket}, 200)
        me.send("DELETE", f"/api/vehicles/{key}/checkout", 204)
    version = me.get("/api/vehicles/car-405").json["rowVersion"]
    escaped = version.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    me.send("DELETE", f"/api/vehicles/car-405?rowVersion={escaped}", 204)
    me.get("/api/vehicles")


@case(
    "b805",
    "qin-nightly-bulk-with-right-versions",
    "none",
    "healthy",
    alone="none",
    description=(
        "A night job reads all cars and changes them in three bulk calls with the versions read, 207 with 200 for each "
        "item; then it reads again and has the new versions."
    ),
)
def nightly(stage: Stage) -> None:
    """Change many rows in bulk."""
    cars = {f"car-{n}": {"plate": f"GO-NB {n}", "mileage": 90 * n} for n in range(501, 510)}
    server = qin.service(stage, "fleet", cars)
    me = stage.actor("client", server, "office.rentacar.test", "java", {"X-User": "night-job"})
    for start in (0, 3, 6):
        batch = me.get("/api/vehicles").json[start : start + 3]
        items = [
            {"id": one["id"], "rowVersion": one["rowVersion"], "set": {"checked": True}} for one in batch
        ]
        results = me.send("POST", "/api/vehicles/-/bulk", 207, None, {"items": items}).json["results"]
        qin.require(all(one["status"] == 200 for one in results), f"{results}")
    me.get("/api/vehicles/car-505")


@case(
    "b806",
    "qin-service-down-for-a-moment",
    "none",
    "healthy",
    alone="none",
    description=(
        "The gateway answers 503 twice during a roll-out; the client repeats its save with the same version after a "
        "pause, nothing had been stored, and it is taken. Later saves use the versions of the answers."
    ),
)
def rollout(stage: Stage) -> None:
    """Repeat a save that never arrived."""
    server = qin.service(stage, "parts", _PARTS, NAME="lockVersion")
    block = 'location = /erp/parts/KX-4105 { if ($http_x_attempt ~ "^[12]$") { return 503; } '
    block += f"proxy_pass http://127.0.0.1:{stage.behind(server)}; proxy_set_header Host $http_host; }}"
    front = fronts.nginx(stage, server, "", "", block)
    me = stage.actor("client", front, _ERP, "requests", {"X-User": "ebers"})
    qin.office(me, 3)
    me.get("/erp/parts")
    one = me.get("/erp/parts/KX-4105")
    body = qin.changed(one, bin="G-4")
    for attempt, status in (("1", 503), ("2", 503), ("3", 200)):
        saved = me.put("/erp/parts/KX-4105", body, status, {"X-Attempt": attempt})
        time.sleep(0.4)
    saved = me.put("/erp/parts/KX-4105", qin.changed(saved, stock=9), 200)
    me.put("/erp/parts/KX-4105", qin.changed(saved, stock=8), 200)


@case(
    "b807",
    "qin-canteen-screen-polls-weak-tags",
    "none",
    "healthy",
    alone="none",
    description=(
        "A screen polls the menus through a compressing nginx, which makes tags weak: If-None-Match compares weakly, "
        "304 as it should; the kitchen changes one dish with a strong tag read without compression, the screen gets "
        "200 once and 304 again."
    ),
)
def screen(stage: Stage) -> None:
    """Poll with weak tags."""
    server = qin.service(stage, "tags", _MENUS, HABITS="indent")
    weak = "proxy_set_header If-None-Match $bare;"
    http = 'map $http_if_none_match $bare { "~^W/(?<own>.+)$" $own; default $http_if_none_match; }'
    gzip = "gzip on; gzip_types application/json; gzip_min_length 20; gzip_proxied any; gzip_vary on;"
    front = fronts.nginx(stage, server, f"{gzip} {weak}", http)
    me = stage.actor("client", front, "kantine.werk-sued.test", "node", {"X-User": "screen"})
    other = stage.actor("other", front, "kantine.werk-sued.test", "curl", {"X-User": "kitchen"})
    qin.notices(me, 3)
    held: dict[str, str] = {}
    for turn in range(5):
        for day in ("mon", "tue", "wed"):
            guard = {"If-None-Match": held[day]} if day in held else {}
            answer = me.get(f"/menus/{day}", (200, 304), guard)  # type: ignore[arg-type]
            held[day] = answer.fields.get("etag", held.get(day, ""))
        if turn == 2:
            one = other.get("/menus/tue", 200, qin.PLAIN)
            other.put("/menus/tue", qin.changed(one, main="veal"), 200, {"If-Match": one.etag})
        time.sleep(0.3)


@case(
    "b808",
    "qin-two-editors-who-read-before-they-write",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two people change the same account in turn, each after a fresh read and with updated_at as served; the "
        "stamps move with each save and every one is taken."
    ),
)
def turns(stage: Stage) -> None:
    """Take turns at a row."""
    rows = {"accounts/9100": {"name": "Pohl Optik", "terms": 30, "owner": "Nadja", "mail": "info@pohl.test"}}
    server = qin.service(stage, "parts", rows, CARRIER="stamp", SHAPE="laravel")
    me = stage.actor("client", server, "crm.lindholm.test", "aiohttp", {"X-User": "piet"})
    other = stage.actor("other", server, "crm.lindholm.test", "httpx", {"X-User": "nadja"})
    qin.office(me, 3, "piet")
    for number in range(4):
        mine = me.get("/erp/accounts/9100")
        me.put("/erp/accounts/9100", qin.changed(mine, terms=14 + number), 200)
        theirs = other.get("/erp/accounts/9100")
        other.put("/erp/accounts/9100", qin.changed(theirs, mail=f"kontakt{number}@pohl.test"), 200)
        time.sleep(0.2)
    found = me.get("/erp/accounts/9100").json
    qin.require(found["terms"] == 17 and found["mail"].startswith("kontakt3"), "lost")


@case(
    "b809",
    "qin-a-morning-at-the-customer-desk",
    "none",
    "healthy",
    alone="none",
    description=(
        "A clerk's SOAP session: customers are listed, read and updated with the versions read, one number is unknown "
        "(a fault with status 500), addresses and names move on, no version is ever old."
    ),
)
def morning(stage: Stage) -> None:
    """Work through customers."""
    seed = {f"K-30{n}": {"Name": f"Kunde {n}", "City": "Lehrte"} for n in range(10, 16)}
    server = qin.service(stage, "soap", seed)
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "ws.nordassekuranz.test", "urllib", {"X-Operator": "ruge"})
    xml = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
    path = "/ws/CustomerService"
    me.send("POST", path, 200, xml, qin.soap("<ListCustomers/>"))
    for number, city in (
        ("K-3010", "Burgdorf"),
        ("K-3012", "Sehnde"),
        ("K-3099", ""),
        ("K-3010", "Celle"),
        ("K-3015", "Peine"),
    ):
        ask = qin.soap(f"<GetCustomer><Number>{number}</Number></GetCustomer>")
        answer = me.send("POST", path, 200 if city else 500, xml, ask)
        if city:
            inner = f"<UpdateCustomer><Number>{number}</Number><City>{city}</City>"
            inner += f"<Version>{qin.element(answer, 'Version')}</Version></UpdateCustomer>"
            me.send("POST", path, 200, xml, qin.soap(inner))
