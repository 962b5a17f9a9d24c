"""Stories of plain origins behind real intermediaries, told by clients of many kinds."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING

from tools.recording.origin import (
    Habits,
    Origin,
    Reply,
    content_tag,
    size_and_time_tag,
    version_tag,
)
from tools.recording.scenarios.material import CATALOGUE, SETTINGS
from tools.recording.scenarios.routing import as_of, shared
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message
    from tools.recording.origin import Resource

_JSON = (("Content-Type", "application/json"),)
_MERGE = {"Content-Type": "application/merge-patch+json"}


def _booted(moment: int, one: Resource) -> str:
    return f"{one.version}-boot{moment:x}"


def _told(status: int, **members: object) -> Reply:
    return Reply(status, _JSON, json.dumps(members).encode())


@case(
    "d600",
    "three-nodes-three-boot-times",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends unstable-etag",
    description="Three nodes put their boot time into the tag; Envoy takes turns, so a save always meets another node than its read. The octets are one.",
    config=("round robin over three nodes",),
    client=(200, 412, 200, 412, 200, 200, 200),
)
def _boot_times(stage: Stage) -> None:
    ports = []
    first: Origin | None = None
    for number in range(3):
        made = stage.origin(Habits(tag=partial(_booted, 1790000000 + number * 61), emit_last_modified=False))
        if first is None:
            first = made
        made.resources, made.lock = first.resources, first.lock
        ports.append(stage.tap(made.port, f"upstream{number + 1}"))
    if first is None:
        raise RuntimeError("no node")
    first.store("/feature/flags", SETTINGS)
    me = stage.client(stage.envoy(ports), "flags.example.test", "go")
    for _ in range(2):
        tag = me.get("/feature/flags").etag
        me.put("/feature/flags", {**SETTINGS, "dark-mode": True}, {"If-Match": tag})
        time.sleep(0.5)
    for _ in range(3):
        me.get("/feature/flags")


@case(
    "d601",
    "reads-are-a-second-and-a-half-behind",
    "replica-lag",
    "412",
    alone="replica-lag stale-cache-read",
    description="Reads lag 1.5 s behind writes: right after its own save a phone reads the tag from before, its next PATCH is refused; two seconds later all is well.",
    client=(200, 200, 200, 412, 200, 200),
)
def _behind(stage: Stage) -> None:
    path = "/baskets/b-19"

    def lag(origin: Origin, request: Message) -> Reply | None:
        if request.method != "GET":
            return None
        one = as_of(origin, path, 1.5)
        if one is None:
            return None
        return Reply(200, (*_JSON, ("ETag", origin.etag(one))), one.body)

    origin = stage.origin(Habits(tag=version_tag), hook=lag)
    origin.store(path, {"items": 1})
    me = stage.client(stage.front("haproxy", stage.tap(origin.port)), "shop.example.test", "okhttp")
    tag = me.get(path).etag
    me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body='{"items":2}')
    time.sleep(0.3)
    tag = me.get(path).etag
    me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body='{"items":3}')
    time.sleep(2.2)
    tag = me.get(path).etag
    me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body='{"items":3}')


@case(
    "d602",
    "one-node-six-minutes-slow",
    "clock-skew",
    "412",
    alone="clock-skew inconsistent-backends",
    description="Two nodes share the store but stamp Last-Modified with clocks six minutes apart (see Date); a date read at the slow node is too early for the other.",
    config=("round robin over two nodes",),
    client=(200, 412, 200, 412),
)
def _slow_node(stage: Stage) -> None:
    slow, right = shared(stage, Habits(emit_etag=False, date_offset=-360.0), Habits(emit_etag=False))
    path = "/timetable/line-2"
    slow.store(path, {"first": "05:40"})
    front = stage.traefik([stage.tap(right.port, "upstream1"), stage.tap(slow.port, "upstream2")])
    me = stage.client(front, "lines.example.test", "ruby")
    for first in ("05:45", "05:50"):
        seen = me.get(path).last_modified
        me.put(path, {"first": first}, {"If-Unmodified-Since": seen})
        time.sleep(0.6)


@case(
    "d603",
    "version-header-makes-another-form",
    "representation-mismatch",
    "412",
    alone="representation-mismatch wrong-token-source",
    description="The API's form depends on X-Api-Version and so does its tag; the client reads version 2 and writes version 3.",
    client=(200, 412, 200, 200),
)
def _version_header(stage: Stage) -> None:
    path = "/invoices/2026-9"

    def forms(origin: Origin, request: Message) -> Reply | None:
        number = request.get("X-Api-Version") or "3"
        one = origin.resources[path]
        tag = f'"{content_tag(one)}.v{number}"'
        fields = (*_JSON, ("ETag", tag), ("Vary", "X-Api-Version"))
        if request.method == "GET":
            return Reply(200, fields, one.body)
        if request.get("If-Match") != tag:
            return origin.refusal(412, "ETag does not match")
        made = origin.commit(path, request.body)
        return Reply(
            200, (*_JSON, ("ETag", f'"{content_tag(made)}.v{number}"'), ("Vary", "X-Api-Version")), made.body
        )

    origin = stage.origin(hook=forms)
    origin.store(path, {"total": 40})
    me = stage.client(stage.front("nginx", stage.tap(origin.port)), "billing.example.test", "powershell")
    tag = me.get(path, {"X-Api-Version": "2"}).etag
    me.put(path, {"total": 45}, {"If-Match": tag, "X-Api-Version": "3"})
    time.sleep(0.7)
    tag = me.get(path, {"X-Api-Version": "3"}).etag
    me.put(path, {"total": 45}, {"If-Match": tag, "X-Api-Version": "3"})


@case(
    "d604",
    "unchanged-is-answered-412",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description="A poll with the current tag in If-None-Match is answered 412 where 304 is due; without the field it is 200 with that very tag.",
    client=(200, 412, 200, 412, 200),
)
def _unchanged(stage: Stage) -> None:
    def judge(origin: Origin, request: Message) -> Reply | None:
        known = request.get("If-None-Match")
        if request.method == "GET" and known == origin.etag(origin.resources["/status/eu"]):
            return origin.refusal(412, "Precondition Failed")
        return None

    origin = stage.origin(Habits(tag=version_tag, problem="html"), hook=judge)
    origin.store("/status/eu", {"up": True})
    me = stage.client(stage.front("caddy", stage.tap(origin.port)), "status.example.test", "dart")
    tag = me.get("/status/eu").etag
    for _ in range(2):
        me.get("/status/eu", {"If-None-Match": tag})
        time.sleep(0.5)
        me.get("/status/eu")


@case(
    "d605",
    "lease-held-by-the-other-agent",
    "lease-or-lock",
    "409",
    alone="lease-or-lock",
    also="status-dialect-mismatch",
    description="A store leases documents: the PUT with the right tag but without the lease id is 409 LeaseHeld; when the other agent has released it, it passes.",
    client=(200, 409, 409, 200),
    other=(200, 200),
)
def _held(stage: Stage) -> None:
    holder: list[str] = []

    def lease(origin: Origin, request: Message) -> Reply | None:
        if request.method == "POST":
            if request.target.endswith("acquire"):
                holder.append("lease-71")
                return _told(200, leaseId="lease-71", seconds=60)
            holder.clear()
            return _told(200, released=True)
        if request.method == "PUT" and holder and request.get("X-Lease-Id") not in holder:
            return _told(
                409, error={"code": "LeaseHeld", "message": "The document is leased; send X-Lease-Id."}
            )
        del origin
        return None

    origin = stage.origin(Habits(tag=version_tag), hook=lease)
    path = "/manuals/pump"
    origin.store(path, {"pages": 80})
    front = stage.front("traefik", stage.tap(origin.port))
    other = stage.other(front, "manuals.example.test", "java", {"Authorization": "Bearer b"})
    me = stage.client(front, "manuals.example.test", "httpx", {"Authorization": "Bearer a"})
    other.send("POST", f"{path}/lease/acquire")
    tag = me.get(path).etag
    for _ in range(2):
        me.put(path, {"pages": 81}, {"If-Match": tag})
        time.sleep(0.6)
    other.send("POST", f"{path}/lease/release", {"X-Lease-Id": "lease-71"})
    me.put(path, {"pages": 81}, {"If-Match": tag})


@case(
    "d606",
    "cursor-older-than-the-log",
    "token-expired",
    "410",
    alone="token-expired",
    description="A change feed keeps cursors for a second; the consumer comes back later with its own: 410 'cursor expired', a fresh listing gives a cursor that works.",
    client=(200, 200, 410, 200, 200),
)
def _cursor(stage: Stage) -> None:
    issued: dict[str, float] = {}

    def feed(origin: Origin, request: Message) -> Reply | None:
        _, _, query = request.target.partition("cursor=")
        if query and time.time() - issued.get(query, 0.0) > 1.0:
            return _told(410, code="CursorExpired", message="the cursor is too old; list again")
        made = f"c{len(issued) + 1:04d}"
        issued[made] = time.time()
        del origin
        return _told(200, changes=[], next=made)

    origin = stage.origin(hook=feed)
    me = stage.client(stage.front("apache2", stage.tap(origin.port)), "feed.example.test", "aiohttp")
    me.get("/changes")
    me.get("/changes?cursor=c0001")
    time.sleep(1.8)
    me.get("/changes?cursor=c0002")
    me.get("/changes")
    me.get("/changes?cursor=c0003")


@case(
    "d607",
    "two-hundred-with-a-refusal-inside",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description="The RPC answers 200 with ok=false, VERSION_CONFLICT; the client looks at the status only and tells its user that the price was saved.",
    client=(200, 200, 200),
    other=(200, 200),
)
def _inside(stage: Stage) -> None:
    state = {"version": 4, "price": 10}

    def rpc(origin: Origin, request: Message) -> Reply | None:
        del origin
        if request.method == "GET":
            return _told(200, **state)
        sent = json.loads(request.body)
        if sent["version"] != state["version"]:
            text = f"expected version {state['version']}, got {sent['version']}"
            return _told(200, ok=False, error={"code": "VERSION_CONFLICT", "message": text})
        state.update(price=sent["price"], version=state["version"] + 1)
        return _told(200, ok=True, **state)

    origin = stage.origin(hook=rpc)
    front = stage.front("lighttpd", stage.tap(origin.port))
    me = stage.client(front, "prices.example.test", "axios", {"Authorization": "Bearer a"})
    other = stage.other(front, "prices.example.test", "undici", {"authorization": "Bearer b"})
    me.get("/rpc/prices/a4")
    other.get("/rpc/prices/a4")
    other.send("POST", "/rpc/prices/a4", body={"version": 4, "price": 12})
    time.sleep(0.8)
    me.send("POST", "/rpc/prices/a4", body={"version": 4, "price": 11})
    time.sleep(0.9)
    me.get("/rpc/prices/a4")


@case(
    "d608",
    "stock-rule-speaks-412",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description="An order API answers 412 with 'insufficient stock' to a POST without any condition; with a smaller amount it passes.",
    client=(200, 412, 412, 201),
)
def _stock(stage: Stage) -> None:
    def rule(origin: Origin, request: Message) -> Reply | None:
        del origin
        if request.method != "POST":
            return None
        if json.loads(request.body)["amount"] > 3:
            return _told(412, error="insufficient_stock", detail="only 3 of SKU-0007 left")
        return _told(201, order=9917)

    origin = stage.origin(Habits(tag=size_and_time_tag), hook=rule)
    origin.store("/catalogue", CATALOGUE)
    me = stage.client(stage.front("envoy", stage.tap(origin.port)), "shop.example.test", "urlsession")
    me.get("/catalogue")
    for amount in (9, 5, 3):
        me.send("POST", "/orders", body={"sku": "SKU-0007", "amount": amount})
        time.sleep(0.4)


@case(
    "d609",
    "if-none-exist-finds-two-patients",
    "multi-match",
    "412",
    alone="multi-match",
    description="A conditional create by If-None-Exist meets two patients with one number: 412 with an OperationOutcome; the search shows both.",
    client=(412, 200, 412),
)
def _patients(stage: Stage) -> None:
    two = [{"resource": {"resourceType": "Patient", "id": one}} for one in ("p-1", "p-44")]

    def fhir(origin: Origin, request: Message) -> Reply | None:
        del origin
        if request.method == "GET":
            return _told(200, resourceType="Bundle", type="searchset", total=2, entry=two)
        issue = {"severity": "error", "code": "multiple-matches", "diagnostics": "search matched 2 resources"}
        return _told(412, resourceType="OperationOutcome", issue=[issue])

    origin = stage.origin(hook=fhir)
    me = stage.client(stage.front("varnishd", stage.tap(origin.port)), "fhir.example.test", "java")
    patient = {"resourceType": "Patient", "identifier": [{"system": "urn:ehr", "value": "4711"}]}
    guard = {"If-None-Exist": "identifier=urn:ehr|4711"}
    me.send("POST", "/fhir/Patient", guard, body=patient)
    me.get("/fhir/Patient?identifier=urn:ehr%7C4711")
    time.sleep(0.6)
    me.send("POST", "/fhir/Patient", guard, body=patient)


@case(
    "d610",
    "line-item-moves-its-order",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description="Adding a line (own POST below the order) makes the service recompute the order's total: the order's tag from before no longer fits, nobody else wrote.",
    client=(200, 201, 412, 200, 200),
)
def _line(stage: Stage) -> None:
    path = "/orders/o-3"

    def lines(origin: Origin, request: Message) -> Reply | None:
        if request.method != "POST":
            return None
        order = json.loads(origin.resources[path].body)
        origin.commit(
            path, json.dumps({**order, "total": order["total"] + 5, "recomputedBy": "pricing"}).encode()
        )
        return Reply(201, (("Location", f"{path}/lines/2"), *_JSON), request.body)

    origin = stage.origin(Habits(tag=version_tag), hook=lines)
    origin.store(path, {"id": "o-3", "total": 20, "note": ""})
    me = stage.client(stage.front("haproxy", stage.tap(origin.port)), "orders.example.test", "dart")
    tag = me.get(path).etag
    me.send("POST", f"{path}/lines", body={"sku": "SKU-0001", "amount": 1})
    time.sleep(0.5)
    me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body='{"note":"ring twice"}')
    tag = me.get(path).etag
    me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body='{"note":"ring twice"}')


@case(
    "d611",
    "url-loading-system-adds-a-condition",
    "implicit-precondition",
    "412",
    alone="implicit-precondition create-guard-on-update",
    description="On the phone only, the platform's cache adds If-None-Match with the cached tag to the app's PUT; the same app on the desk sends none and is taken.",
    client=(200, 304, 412, 412),
    other=(200, 200),
)
def _platform(stage: Stage) -> None:
    origin = stage.origin(Habits(tag=content_tag))
    path = "/journal/2026-11-26"
    origin.store(path, {"text": "fog"})
    front = stage.front("nginx", stage.tap(origin.port))
    me = stage.client(front, "journal.example.test", "urlsession", {"Authorization": "Bearer j"})
    other = stage.other(front, "journal.example.test", "undici", {"authorization": "Bearer j"})
    tag = me.get(path).etag
    me.get(path, {"If-None-Match": tag})
    for text in ("fog, later sun", "fog, then sun"):
        me.put(path, {"text": text}, {"If-None-Match": tag})
        time.sleep(0.5)
    other.get(path)
    other.put(path, {"text": "fog"})
