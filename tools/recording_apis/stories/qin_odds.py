"""Dates, locks, conditions in the payload, refusals that are none, and a page that cannot see a tag."""

from __future__ import annotations

import importlib
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import qin_setting as qin

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server

_NET, _BOX = "inventory.campusnet.test", "sync.wetterbox.test"
_BOXES = {"boxes/wb-17": {"interval": 600, "unit": "C"}, "boxes/wb-18": {"interval": 300, "unit": "C"}}
_DEVICES = {
    "sw-101": {
        "site": "north",
        "role": "access",
        "serial": 7,
        "ports": 48,
        "config": {"vlan": 110, "mtu": 1500},
    },
    "sw-102": {
        "site": "north",
        "role": "access",
        "serial": 3,
        "ports": 48,
        "config": {"vlan": 110, "mtu": 9000},
    },
    "sw-201": {
        "site": "south",
        "role": "core",
        "serial": 15,
        "ports": 32,
        "config": {"vlan": 1, "mtu": 9000},
    },
}


def _date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)


@case(
    "b786",
    "qin-box-with-a-slow-clock",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A weather box takes its own clock for If-Unmodified-Since; it is 25 minutes behind (X-Device-Time), the row "
        "was set up ten minutes ago: refused each time, though nobody has written. The served date is taken."
    ),
)
def slow(stage: Stage) -> None:
    """Guard with one's own wrong clock."""
    server = qin.service(stage, "tags", _BOXES, HABITS="dates,hideversion", AGE="600")
    me = stage.actor("client", server, _BOX, "requests")
    for _ in range(2):
        now = datetime.now(UTC) - timedelta(minutes=25, seconds=13)
        told = {"X-Device-Time": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
        one = me.get("/boxes/wb-17", 200, told)
        me.send("PATCH", "/boxes/wb-17", 412, {**told, "If-Unmodified-Since": _date(now)}, {"interval": 900})
        time.sleep(0.8)
    guard = {"If-Unmodified-Since": one.fields["last-modified"]}
    me.send("PATCH", "/boxes/wb-17", 200, guard, {"interval": 900})


@case(
    "b787",
    "qin-condition-in-iso-8601",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "If-Unmodified-Since goes out as 2026-11-27T03:40:00Z, which is no HTTP date and is passed over as it must: "
        "the outdated save is taken though the client has seen the newer row, and the office's unit is gone."
    ),
)
def iso(stage: Stage) -> None:
    """Send a date of another form."""
    server = qin.service(stage, "tags", _BOXES, HABITS="dates,hideversion")
    me = stage.actor("client", server, _BOX, "node:axios", {"X-User": "wb-18"})
    other = stage.actor("other", server, _BOX, "requests", {"X-User": "office"})
    qin.notices(me, 6)
    old = me.get("/boxes/wb-18")
    theirs = other.get("/boxes/wb-18")
    guard = {"If-Unmodified-Since": theirs.fields["last-modified"]}
    other.put("/boxes/wb-18", qin.changed(theirs, unit="K"), 200, guard)
    time.sleep(1.1)
    me.get("/boxes/wb-18")
    moment = datetime.strptime(old.fields["last-modified"], "%a, %d %b %Y %H:%M:%S GMT")  # noqa: DTZ007 - as served
    me.put(
        "/boxes/wb-18",
        qin.changed(old, interval=120),
        200,
        {"If-Unmodified-Since": f"{moment:%Y-%m-%dT%H:%M:%SZ}"},
    )
    qin.require(me.get("/boxes/wb-18").json["unit"] == "C", "kept")


@case(
    "b788",
    "qin-local-time-labelled-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A client in New York parses Last-Modified into local time and prints it with GMT behind it: five hours too "
        "early to the second, refused on both boxes; the served text is taken."
    ),
)
def york(stage: Stage) -> None:
    """Label local time as GMT."""
    server = qin.service(stage, "tags", _BOXES, HABITS="dates,hideversion")
    me = stage.actor("client", server, _BOX, "java", {"X-User": "ops-nyc"})
    qin.notices(me, 3)
    for path in ("/boxes/wb-17", "/boxes/wb-18"):
        served = me.get(path).fields["last-modified"]
        moment = datetime.strptime(served, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
        guard = {"If-Unmodified-Since": _date(moment - timedelta(hours=5))}
        me.send("PATCH", path, 412, guard, {"interval": 60})
    me.send("PATCH", path, 200, {"If-Unmodified-Since": served}, {"interval": 60})


@case(
    "b789",
    "qin-car-checked-out-by-the-workshop",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "The workshop has checked a car out; a station's saves with the right rowVersion are 423, locked by workshop-2, "
        "until the car is given back."
    ),
)
def workshop(stage: Stage) -> None:
    """Save what somebody has checked out."""
    cars = {
        "car-204": {"plate": "GO-WS 204", "mileage": 70210},
        "car-205": {"plate": "GO-WS 205", "mileage": 12},
    }
    server = qin.service(stage, "fleet", cars)
    me = stage.actor("client", server, "office.rentacar.test", "aiohttp", {"X-User": "station-f"})
    other = stage.actor("other", server, "office.rentacar.test", "curl", {"X-User": "workshop-2"})
    one = me.get("/api/vehicles/car-204")
    other.send("POST", "/api/vehicles/car-204/checkout", 200)
    for _ in range(2):
        me.put("/api/vehicles/car-204", {"mileage": 70290, "rowVersion": one.json["rowVersion"]}, 423)
        time.sleep(0.6)
    qin.require(me.get("/api/vehicles/car-204").json["rowVersion"] == one.json["rowVersion"], "moved")
    other.send("DELETE", "/api/vehicles/car-204/checkout", 204)
    me.put("/api/vehicles/car-204", {"mileage": 70290, "rowVersion": one.json["rowVersion"]}, 200)


@case(
    "b790",
    "qin-graphql-errors-nobody-looks-at",
    "status-dialect-mismatch",
    "lost-write",
    alone="status-dialect-mismatch other-writer",
    description=(
        "A robot ships seventeen orders by mutation and looks at the status only: one answer is 200 with VERSION_CONFLICT in "
        "errors, the robot goes on to the next orders as if that one were shipped, and it still is not at the end."
    ),
)
def robot(stage: Stage) -> None:
    """Take an error for a success."""
    orders = {f"A-20{n}": {"status": "PACKED", "note": ""} for n in range(10, 27)}
    server = qin.service(stage, "graph", orders)
    me = stage.actor("client", server, "graph.modehaus.test", "httpx", {"X-Client-Name": "shipbot"})
    qin.graph_orders(me)
    query = {
        "query": "mutation",
        "variables": {"input": {"id": "A-2012", "expectedVersion": 11, "note": "fragile"}},
    }
    query["query"] = "mutation M($input: NoteInput!) { addNote(input: $input) { id } }"
    qin.aside(server, "POST", "/graphql", query)
    for order in orders:
        qin.graph_save(me, "shipOrder", id=order, expectedVersion=11, status="SHIPPED")
        time.sleep(0.15)
    qin.graph_orders(me)
    qin.require(qin.graph_order(me, "A-2012")["status"] == "PACKED", "shipped")


@case(
    "b791",
    "qin-json-patch-tests-text-for-a-number",
    "payload-precondition-mismatch",
    "409",
    alone="payload-precondition-mismatch",
    description=(
        "A tool's JSON Patch tests /config/vlan for the text 110 where the device has the number: test failed at "
        '/config/vlan, expected "110", found 110. Nothing has changed; with the number the patch is taken.'
    ),
)
def test_step(stage: Stage) -> None:
    """Test for a value of another type."""
    server = qin.service(stage, "patch", _DEVICES)
    me = stage.actor("client", server, _NET, "requests", {"X-User": "netbot"})
    me.get("/inventory/devices")
    vlan = me.get("/inventory/devices/sw-101").json["config"]["vlan"]
    kind = {"Content-Type": "application/json-patch+json"}
    steps: list[dict[str, object]] = [
        {"op": "test", "path": "/config/vlan", "value": str(vlan)},
        {"op": "replace", "path": "/config/vlan", "value": 120},
    ]
    me.send("PATCH", "/inventory/devices/sw-101", 409, kind, steps)
    qin.require(me.get("/inventory/devices/sw-101").json["config"]["vlan"] == vlan, "moved")
    me.send("PATCH", "/inventory/devices/sw-101", 409, kind, steps)
    steps[0]["value"] = vlan
    me.send("PATCH", "/inventory/devices/sw-101", 200, kind, steps)


@case(
    "b792",
    "qin-criteria-fit-two-switches",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "A conditional update by criteria (site=north, role=access) wants exactly one device and finds two: 412 "
        "MULTIPLE_MATCHES names both. With ports added it is still two; site=south fits one."
    ),
)
def criteria(stage: Stage) -> None:
    """Update by criteria that fit two."""
    server = qin.service(stage, "patch", _DEVICES)
    me = stage.actor("client", server, _NET, "node", {"X-User": "netbot"})
    me.put("/inventory/devices?site=north&role=access", {"contact": "noc-1"}, 412)
    me.get("/inventory/devices?site=north&role=access")
    me.put("/inventory/devices?site=north&role=access&ports=48", {"contact": "noc-1"}, 412)
    me.put("/inventory/devices?site=south&role=core", {"contact": "noc-1"}, 200)


@case(
    "b793",
    "qin-store-that-cannot-compare",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description=(
        "A service on a store without comparison answers each If-Match and If-None-Match on writes with 501, "
        "conditional requests are not supported; it gives no tags. Without a condition the write is taken."
    ),
)
def cannot(stage: Stage) -> None:
    """Ask for what a service cannot do."""
    server = qin.service(stage, "tags", _BOXES, HABITS="plain")
    me = stage.actor("client", server, _BOX, "curl", {"X-User": "ops"})
    one = me.get("/boxes/wb-17")
    qin.require("etag" not in one.fields, "a tag")
    me.put("/boxes/wb-17", qin.changed(one, interval=240), 501, {"If-Match": "*"})
    me.put("/boxes/wb-19", {"interval": 240, "unit": "C"}, 501, {"If-None-Match": "*"})
    me.put(
        "/boxes/wb-17", qin.changed(one, interval=240), 501, {"If-Match": f'"{one.fields["x-row-version"]}"'}
    )
    me.put("/boxes/wb-17", qin.changed(one, interval=240), 200)


@case(
    "b794",
    "qin-credit-limit-is-a-412",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "An order desk answers orders above the customer's credit limit with 412 and CREDIT_LIMIT; the requests carry "
        "no version and no condition, the same order with less is taken."
    ),
)
def limit(stage: Stage) -> None:
    """Order too much."""
    rows = {"orders/50881": {"customer": "Wendt GmbH", "quantity": 100, "part": "KX-2210"}}
    server = qin.service(stage, "parts", rows, HABITS="rules", LIMIT="500")
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, "orders.kettler-antriebe.test", "java", {"X-User": "edi"})
    qin.office(me, 2)
    me.get("/erp/orders/50881")
    me.send("PATCH", "/erp/orders/50881", 412, None, {"quantity": 900})
    me.send("PATCH", "/erp/orders/50881", 412, None, {"quantity": 650})
    me.send("PATCH", "/erp/orders/50881", 200, None, {"quantity": 480})
    me.get("/erp/orders/50881")


@case(
    "b795",
    "qin-schedulers-claim-each-slot",
    "expected-control-flow",
    "409",
    alone="expected-control-flow none exists-already",
    description=(
        "Two schedulers claim each slot by opening its stream (noStream): the one that is late gets "
        "WrongExpectedPosition, drops the slot and waits for the next. Thirteen slots, thirteen losers, no harm."
    ),
)
def slots(stage: Stage) -> None:
    """Lose most elections."""
    server = qin.service(stage, "ledger", 'scheduler|{"type":"Started"}')
    me = stage.actor("client", server, "ledger.jobs.test", "httpx", {"X-Source": "scheduler-b"})
    other = stage.actor("other", server, "ledger.jobs.test", "aiohttp", {"X-Source": "scheduler-a"})
    for number in range(13):
        path, guard = f"/streams/slot-20261127-{540 + number}", {"Expected-Position": "noStream"}
        first, late = (me, other) if number in {2, 5, 6, 10} else (other, me)
        first.send(
            "POST", path, 201, guard, {"type": "Claimed", "by": f"scheduler-{'b' if first is me else 'a'}"}
        )
        late.send(
            "POST", path, 409, guard, {"type": "Claimed", "by": f"scheduler-{'b' if late is me else 'a'}"}
        )
        if first is me:
            me.send("POST", path, 201, {"Expected-Position": "0"}, {"type": "Done", "rows": 41 * number})
        time.sleep(0.35)


_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update")
_CALL = """async ([method, url, guard, body]) => {
  const headers = {};
  if (body) headers['Content-Type'] = 'application/json';
  if (guard) headers['If-Match'] = guard;
  const r = await fetch(url, {method, headers, body: body ? JSON.stringify(body) : undefined});
  await r.text();
  return [r.status, r.headers.get('etag')]; }"""


class _Page:
    """A page of a dashboard in Chromium, on another origin than the service."""

    def __init__(self, stage: Stage, server: Server) -> None:
        self._stage, self._export = stage, stage.directory() / "client.har"
        shell = "<!doctype html><title>Boxes</title><link rel='stylesheet' href='/d.css'><table></table>"
        pages = fronts.site(stage, "nginx", {"boxes.html": shell, "d.css": "table { width: 40em }\n"})
        rules = f"MAP dash.wetterbox.test:80 127.0.0.1:{pages.port}, "
        rules += f"MAP {_BOX}:80 127.0.0.1:{stage.tap('client', server)}"
        self._driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
        arguments = [*_FLAGS, f"--host-resolver-rules={rules}"]
        self._chromium = self._driver.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        self._context = self._chromium.new_context(
            record_har_path=str(self._export), record_har_content="embed", locale="de-AT"
        )
        self._page = self._context.new_page()
        self._page.goto("http://dash.wetterbox.test/boxes.html")

    def call(self, method: str, path: str, expect: int, guard: str | None = None, body: object = None) -> Any:
        """Call the service from the page and return the tag that the script may read."""
        status, tag = self._page.evaluate(_CALL, [method, f"http://{_BOX}{path}", guard, body])
        if status != expect:
            raise StoryError(f"{method} {path}: {status}, expected {expect}")
        return tag

    def finish(self) -> None:
        """Close the browser, which writes its HAR."""
        self._stage.servers["browser"] = f"Chromium {self._chromium.version}"
        self._context.close()
        self._chromium.close()
        self._driver.stop()
        self._stage.exported["client"] = self._export


@case(
    "b796",
    "qin-dashboard-may-not-see-the-tag",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag token-missing",
    also="token-missing",
    description=(
        "A dashboard on another origin reads boxes with their tags on the wire, but Access-Control-Expose-Headers is "
        "not there and the script gets null; it saves without If-Match and is asked for it, 428, box after box."
    ),
)
def dashboard(stage: Stage) -> None:
    """Save without a tag that the script cannot see."""
    server = qin.service(stage, "tags", _BOXES, HABITS="need", ORIGIN="http://dash.wetterbox.test")
    page = _Page(stage, server)
    try:
        for path in ("/boxes/wb-17", "/boxes/wb-18"):
            qin.require(page.call("GET", path, 200) is None, "the tag is exposed")
            page.call("PATCH", path, 428, None, {"interval": 450})
        page.call("GET", "/boxes/wb-17", 200)
    finally:
        page.finish()
