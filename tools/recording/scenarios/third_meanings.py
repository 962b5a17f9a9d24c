"""Third batch: dates, locks, and statuses that mean something else."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from tools.recording.http_dates import format_http_date, parse_http_date
from tools.recording.origin import Habits, Origin, Reply, version_tag
from tools.recording.scenarios.material import event
from tools.recording.scenarios.third_tokens import number_tag
from tools.recording.scenarios.third_writers import uuid_tag
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message

_MERGE = {"Content-Type": "application/merge-patch+json"}
_PATCH = {"Content-Type": "application/json-patch+json"}


def _moved(value: str, seconds: float) -> str:
    return format_http_date((parse_http_date(value) or 0.0) + seconds)


@case(
    "d379",
    "second-save-within-the-second",
    "date-precision",
    "lost-update",
    alone="none date-precision",
    description=(
        "Dates only: the colleague saves within the very second in which the client read, so the "
        "client's If-Unmodified-Since still holds; the client's own write is taken over it, as the other's "
        "later read shows."
    ),
    also="other-writer",
    client=(200, 204),
    other=(200, 204, 204, 200),
)
def within_second(stage: Stage) -> None:
    """Save by a date that two versions share."""
    origin = stage.origin(Habits(emit_etag=False, put_status=204, problem="vendor"))
    path = "/whiteboards/7.svg"
    shape = "<svg xmlns='http://www.w3.org/2000/svg'><circle r='{}'/></svg>"
    origin.store(path, shape.format(4), "image/svg+xml")
    front = stage.front("haproxy", stage.tap(origin.port))
    kind = {"Content-Type": "image/svg+xml"}
    me = stage.client(front, "boards.example.test", "undici", {"authorization": "Bearer me"})
    other = stage.other(front, "boards.example.test", "undici", {"authorization": "Bearer ot"})
    date = other.get(path).last_modified
    while time.time() % 1 > 0.1:
        time.sleep(0.02)
    other.put(path, shape.format(5), {"if-unmodified-since": date, **kind})
    date = me.get(path).last_modified
    time.sleep(0.3)
    other.put(path, shape.format(6), {"if-unmodified-since": date, **kind})
    time.sleep(1.4)
    me.put(path, shape.format(50), {"if-unmodified-since": date, **kind})
    time.sleep(0.5)
    other.get(path)


@case(
    "d380",
    "exact-echo-is-too-early",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "The store keeps milliseconds and compares them with the date sent: DELETE and PATCH with the "
        "exact Last-Modified are refused though nobody wrote; a date one second later is taken. The body "
        "shows the milliseconds."
    ),
    client=(200, 412, 412, 200, 200),
)
def exact_echo(stage: Stage) -> None:
    """Echo the date and be refused."""
    moment = time.time() // 1 - 7200 + 0.431

    def compare(origin: Origin, request: Message) -> Reply | None:
        limit = parse_http_date(request.get("If-Unmodified-Since") or "")
        if request.method in {"PATCH", "DELETE"} and limit is not None and moment > limit:
            return origin.refusal(412, "The object has changed after the given time")
        return None

    origin = stage.origin(Habits(emit_etag=False, lower=True), hook=compare)
    path = "/objects/o-9"
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    origin.store(path, {"id": "o-9", "colour": "red", "changedAt": f"{whole}.431Z"})
    origin.resources[path].modified = moment
    front = stage.front("traefik", stage.tap(origin.port))
    me = stage.client(front, "objects.example.test", "java", {"Authorization": "Basic bzpv"})
    date = me.get(path).last_modified
    me.send("DELETE", path, {"If-Unmodified-Since": date})
    time.sleep(0.8)
    me.send("PATCH", path, {"If-Unmodified-Since": date, **_MERGE}, body='{"colour":"blue"}')
    me.get(path)
    late = {"If-Unmodified-Since": _moved(date, 1), **_MERGE}
    me.send("PATCH", path, late, body='{"colour":"blue"}')


@case(
    "d381",
    "summer-time-forgotten",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A date library takes the served GMT for local time and goes two hours back; DELETE and PUT with "
        "it are refused each time, minutes and seconds agree; with the served text it passes."
    ),
    client=(200, 412, 412, 204),
)
def summer_time(stage: Stage) -> None:
    """Send a date two hours early."""
    origin = stage.origin(Habits(put_status=204, fields=(("Server", "Microsoft-IIS/10.0"),)))
    path = "/rota/week-49.ics"
    origin.store(path, event("w49", "Night rota", "22"), "text/calendar", age=888)
    front = stage.front("lighttpd", stage.tap(origin.port))
    me = stage.client(front, "rota.example.test", "powershell")
    date = me.get(path).last_modified
    early = {"If-Unmodified-Since": _moved(date, -7200)}
    me.put(path, event("w49", "Night rota", "21"), {**early, "Content-Type": "text/calendar"})
    time.sleep(0.7)
    me.send("DELETE", path, early)
    time.sleep(0.4)
    me.send("DELETE", path, {"If-Unmodified-Since": date})


@case(
    "d383",
    "laptop-clock-slow",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "The laptop's clock is 13 minutes slow and its 'now' is the condition: earlier than the "
        "Last-Modified of its own save a moment ago, so the second save and the DELETE are refused."
    ),
    client=(200, 200, 412, 412, 200),
)
def laptop_clock(stage: Stage) -> None:
    """Send one's own slow clock after one's own save."""
    origin = stage.origin(Habits(emit_etag=False, problem="plain"))
    path = "/notes/n1.txt"
    origin.store(path, "one\n", "text/plain", age=86400)
    front = stage.front("caddy", stage.tap(origin.port))
    me = stage.client(front, "notes.example.test", "urlsession", {"Authorization": "Basic bG86"})
    me.clock_offset = -787.0

    def now() -> dict[str, str]:
        return {"If-Unmodified-Since": format_http_date(time.time() - 787)}

    me.get(path)
    me.put(path, "one\ntwo\n", {**now(), "Content-Type": "text/plain"})
    time.sleep(1.2)
    me.put(path, "one\ntwo\nthree\n", {**now(), "Content-Type": "text/plain"})
    time.sleep(0.6)
    me.send("DELETE", path, now())
    me.send("HEAD", path)


@case(
    "d385",
    "unix-seconds-as-a-date",
    "bad-date",
    "lost-update",
    alone="bad-date",
    also="other-writer",
    description=(
        "A script sends If-Unmodified-Since as seconds since 1970; it is no HTTP date and is ignored, so "
        "the PUT overwrites a colleague's line."
    ),
    client=(200, 200, 200),
    other=(200, 200),
)
def unix_seconds(stage: Stage) -> None:
    """Send a number for a date."""
    origin = stage.origin(Habits(emit_etag=False, fields=(("Via", "1.1 edge"),)))
    path = "/hosts/inventory.ini"
    origin.store(path, "[web]\nw1\nw2\n\n[db]\nd1\n", "text/plain", age=9000)
    front = stage.front("envoy", stage.tap(origin.port))
    kind = {"Content-Type": "text/plain"}
    me = stage.client(front, "hosts.example.test", "requests", {"Authorization": "token a"})
    other = stage.other(front, "hosts.example.test", "curl", {"Authorization": "token b"})
    mine, theirs = me.get(path), other.get(path)
    time.sleep(1.1)
    other.put(path, "[web]\nw1\nw2\nw3\n\n[db]\nd1\n", {"If-Unmodified-Since": theirs.last_modified, **kind})
    time.sleep(1.2)
    stamp = str(int(parse_http_date(mine.last_modified) or 0))
    me.put(path, "[web]\nw1\nw2\n\n[db]\nd1\nd2\n", {"If-Unmodified-Since": stamp, **kind})
    me.get(path)


@case(
    "d387",
    "bad-request-means-version",
    "status-dialect-mismatch",
    "400",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description=(
        "A document service refuses a stale If-Match with 400 'version_conflict' instead of 412; the client "
        "takes it for a fault in its document, leaves a member out, and is refused again. Another had written."
    ),
    client=(200, 400, 400, 200),
    other=(200, 200),
)
def conflict_status(stage: Stage) -> None:
    """Be refused with another status and look in the wrong place."""
    path = "/db/orders/o-77"

    def wording(maker: Origin, request: Message) -> Reply | None:
        current = maker.etag(maker.resources[path])
        if request.method != "PUT" or request.get("If-Match") in {None, current}:
            return None
        text = {"error": "version_conflict", "reason": f"If-Match is not the current version {current}"}
        return Reply(400, (("Content-Type", "application/json"),), json.dumps(text).encode())

    origin = stage.origin(Habits(tag=number_tag, emit_last_modified=False), hook=wording)
    order = {"_id": "o-77", "state": "packed", "carrier": "none"}
    origin.store(path, order)
    front = stage.front("varnishd", stage.tap(origin.port))
    me = stage.client(front, "db.example.test", "go", {"Authorization": "Basic c2hpcA=="})
    other = stage.other(front, "db.example.test", "aiohttp", {"Authorization": "Basic cGFjaw=="})
    mine, theirs = me.get(path), other.get(path)
    other.put(path, {**order, "carrier": "Posten"}, {"If-Match": theirs.etag})
    time.sleep(0.9)
    me.put(path, {**order, "state": "sent"}, {"If-Match": mine.etag})
    time.sleep(0.6)
    me.put(path, {"_id": "o-77", "state": "sent"}, {"If-Match": mine.etag})
    me.get(path)


@case(
    "d388",
    "json-patch-test-fails",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "A JSON Patch begins with a test operation for state=open; the ticket is in state Open (capital), "
        "so operation 0 fails with 412 and a text that names it. No condition field. With the live value "
        "it passes."
    ),
    client=(200, 412, 200),
)
def json_patch_test(stage: Stage) -> None:
    """Fail a test operation in the payload."""
    path = "/tickets/900"

    def apply(origin: Origin, request: Message) -> Reply | None:
        if request.method != "PATCH":
            return None
        resource = origin.resources[path]
        document = json.loads(resource.body)
        for number, one in enumerate(json.loads(request.body)):
            name = one["path"].removeprefix("/")
            if one["op"] == "test" and document.get(name) != one["value"]:
                detail = f"operations[{number}]: test failed at {one['path']}, value differs"
                return origin.refusal(412, detail)
            document[name] = one["value"]
        return Reply(
            200,
            (("Content-Type", "application/json"),),
            origin.commit(path, json.dumps(document).encode()).body,
        )

    origin = stage.origin(Habits(emit_etag=False, emit_last_modified=False), hook=apply)
    origin.store(path, {"id": 900, "state": "Open", "owner": "li"})
    me = stage.client(stage.front("nginx", stage.tap(origin.port)), "tickets.example.test", "httpx")
    me.get(path)
    for state in ("open", "Open"):
        operations = [
            {"op": "test", "path": "/state", "value": state},
            {"op": "replace", "path": "/owner", "value": "mo"},
        ]
        time.sleep(0.6)
        me.send("PATCH", path, _PATCH, body=json.dumps(operations))


@case(
    "d390",
    "two-subscribers-match",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "A conditional create by criteria (If-None-Exist) and a conditional delete meet two records each: "
        "412 'multiple matches'; the search lists both."
    ),
    client=(412, 412, 200),
)
def two_match(stage: Stage) -> None:
    """Create and delete by criteria that match two."""
    kind = (("Content-Type", "application/fhir+json"),)

    def judge(_: Origin, request: Message) -> Reply:
        if request.method == "GET":
            entries = [{"resource": {"resourceType": "Coverage", "id": name}} for name in ("c3", "c8")]
            bundle = {"resourceType": "Bundle", "type": "searchset", "total": 2, "entry": entries}
            return Reply(200, kind, json.dumps(bundle).encode())
        text = "Multiple matches: 2 resources match the criteria identifier=SUB-18"
        issue = [{"severity": "error", "code": "multiple-matches", "diagnostics": text}]
        outcome = {"resourceType": "OperationOutcome", "issue": issue}
        return Reply(412, kind, json.dumps(outcome).encode())

    origin = stage.origin(hook=judge)
    front = stage.front("haproxy", stage.tap(origin.port))
    me = stage.client(front, "payer.example.test", "okhttp", {"Accept": "application/fhir+json"})
    coverage = {"resourceType": "Coverage", "identifier": [{"value": "SUB-18"}], "status": "active"}
    fhir = {"Content-Type": "application/fhir+json", "If-None-Exist": "identifier=SUB-18"}
    me.send("POST", "/fhir/Coverage", fhir, body=coverage)
    time.sleep(0.7)
    me.send("DELETE", "/fhir/Coverage?identifier=SUB-18")
    time.sleep(0.5)
    me.get("/fhir/Coverage?identifier=SUB-18")


@case(
    "d392",
    "terms-not-accepted",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A DELETE and a POST without any condition get 412 because the account has not accepted the "
        "terms; after the POST that accepts them the DELETE passes. The tags played no part."
    ),
    client=(200, 412, 412, 201, 204),
)
def terms(stage: Stage) -> None:
    """Be refused until the terms are accepted."""
    accepted: list[bool] = []

    def rule(_: Origin, request: Message) -> Reply | None:
        if request.target == "/account/terms" and request.method == "POST":
            accepted.append(True)
            return Reply(201)
        if request.method in {"POST", "DELETE"} and not accepted:
            text = b'{"code":"TERMS_NOT_ACCEPTED","message":"Accept the terms of 2026-11 first."}'
            return Reply(412, (("Content-Type", "application/json"),), text)
        return None

    origin = stage.origin(Habits(tag=uuid_tag), hook=rule)
    origin.store("/apps/a1", {"app": "a1"})
    front = stage.front("apache2", stage.tap(origin.port))
    me = stage.client(front, "console.example.test", "browser", {"Cookie": "acc=1"})
    me.get("/apps/a1")
    me.send("DELETE", "/apps/a1")
    time.sleep(0.5)
    me.send("POST", "/apps", body={"app": "a2"})
    time.sleep(0.9)
    me.send("POST", "/account/terms", body={"accept": "2026-11"})
    me.send("DELETE", "/apps/a1")


@case(
    "d393",
    "checkpoint-claims",
    "expected-control-flow",
    "412",
    alone="expected-control-flow none",
    description=(
        "Two workers claim partitions by PUT with If-None-Match: *; each partition has one winner, the "
        "loser of each goes on to the next. All are claimed once, as designed."
    ),
    client=(201, 412, 201, 412),
    other=(412, 201, 412, 201),
)
def claims(stage: Stage) -> None:
    """Claim partitions, win half."""
    origin = stage.origin(Habits(problem="empty", emit_last_modified=False))
    front = stage.front("caddy", stage.tap(origin.port))
    workers = [
        stage.client(front, "hub.example.test", "java", {"X-Worker": "w-a"}),
        stage.other(front, "hub.example.test", "java", {"X-Worker": "w-b"}),
    ]
    for number in range(4):
        for turn in (number % 2, 1 - number % 2):
            owner = {"owner": f"w-{'ab'[turn]}", "partition": number}
            workers[turn].put(f"/hub/ownership/{number}", owner, {"If-None-Match": "*"})
        time.sleep(0.6)


@case(
    "d396",
    "editor-session-holds-the-lock",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "Another session holds the editing lock: PUT with the current tag is 423 with the holder's name, "
        "a second one too; after the holder's DELETE of the lock the same PUT passes."
    ),
    client=(200, 423, 423, 200),
    other=(201, 204),
)
def editing_lock(stage: Stage) -> None:
    """Write what another session has locked."""
    path = "/models/bridge-2"

    def guard(origin: Origin, request: Message) -> Reply | None:
        holder = origin.resources.get(f"{path}/lock")
        if request.target != path or request.method != "PUT" or holder is None:
            return None
        return origin.refusal(423, "Locked by session editor-B until released; send its Lock-Token")

    origin = stage.origin(Habits(tag=version_tag), hook=guard)
    origin.store(path, {"model": "bridge-2", "span": 40})
    front = stage.front("envoy", stage.tap(origin.port))
    me = stage.client(front, "cad.example.test", "undici", {"x-session": "editor-A"})
    other = stage.other(front, "cad.example.test", "undici", {"x-session": "editor-B"})
    other.put(f"{path}/lock", {"holder": "editor-B"}, {"if-none-match": "*"})
    tag = me.get(path).etag
    for _ in range(2):
        time.sleep(0.5)
        me.put(path, {"model": "bridge-2", "span": 42}, {"if-match": tag})
    other.send("DELETE", f"{path}/lock")
    time.sleep(0.4)
    me.put(path, {"model": "bridge-2", "span": 42}, {"if-match": tag})
