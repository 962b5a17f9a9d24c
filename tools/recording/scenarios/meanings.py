"""Refusals that mean something else than a changed document."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from tools.recording.origin import (
    Habits,
    Origin,
    Reply,
    version_tag,
)
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message


@case(
    "d164",
    "firewall-page",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A web application firewall answers 412 with its page to a comment that looks like an attack; "
        "there is no condition in the request, other comments pass."
    ),
    client=(200, 201, 412, 412, 201),
)
def firewall(stage: Stage) -> None:
    """Post what a firewall dislikes."""

    def rule(_: Origin, request: Message) -> Reply | None:
        if request.method == "POST" and b"<script" in request.body:
            page = (
                "<!DOCTYPE html><html><head><title>Request blocked</title></head><body><h2>Request "
                "blocked</h2><p>Your support ID is: 8842107731</p></body></html>"
            )
            return Reply(412, (("Content-Type", "text/html"), ("X-WAF", "rule 941100")), page.encode())
        if request.method == "POST":
            return Reply(201, (("Location", f"{request.target}/{len(request.body)}"),))
        return None

    origin = stage.origin(Habits(), hook=rule)
    path = "/forum/threads/812/posts"
    origin.store(path, [{"id": 1, "text": "first"}])
    me = stage.client(
        stage.front("nginx", stage.tap(origin.port)), "forum.example.test", "browser", {"Cookie": "f=9"}
    )
    me.get(path)
    me.send("POST", path, body={"text": "How do I escape tags?"})
    time.sleep(0.8)
    for _ in range(2):
        me.send("POST", path, body={"text": "Why does <script>alert(1)</script> not show?"})
        time.sleep(0.7)
    me.send("POST", path, body={"text": "Why does my tag not show?"})


@case(
    "d165",
    "business-rule",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "An order API uses 412 for a business rule: the customer's credit is not approved. No condition, "
        "a JSON text that says so; the repeated POST fails alike."
    ),
    client=(200, 412, 412),
)
def business_rule(stage: Stage) -> None:
    """Order without credit."""

    def rule(_: Origin, request: Message) -> Reply | None:
        if request.method != "POST":
            return None
        text = {
            "status": "PRECONDITION_FAILED",
            "reason": "CREDIT_NOT_APPROVED",
            "message": "Customer 771 has no approved credit line",
        }
        return Reply(412, (("Content-Type", "application/json"),), json.dumps(text).encode())

    origin = stage.origin(Habits(emit_etag=False, emit_last_modified=False), hook=rule)
    origin.store("/customers/771", {"id": 771, "credit": "pending"})
    me = stage.client(stage.tap(origin.port), "orders.example.test", "okhttp")
    me.get("/customers/771")
    for _ in range(2):
        me.send("POST", "/customers/771/orders", body={"sku": "A-9", "quantity": 100})
        time.sleep(1.0)


@case(
    "d166",
    "leader-election",
    "expected-control-flow",
    "412",
    alone="expected-control-flow none",
    description=(
        "Three nodes try for a leader key with If-None-Match: * each second; the key expires, one wins a "
        "round, two are refused and wait. All is as designed."
    ),
    client=(201, 412, 412, 412, 201, 412),
    other=(412, 201, 412, 412, 412, 201),
)
def leader_election(stage: Stage) -> None:
    """Win and lose elections."""
    origin = stage.origin(Habits(problem="vendor", emit_last_modified=False))
    path = "/locks/scheduler-leader"
    front = stage.front("haproxy", stage.tap(origin.port))
    nodes = [
        stage.client(front, "coord.example.test", "go", {"X-Node": "node-a"}),
        stage.other(front, "coord.example.test", "go", {"X-Node": "node-b"}),
        stage.client(front, "coord.example.test", "go", {"X-Node": "node-c"}, name="other2"),
    ]
    orders = ((0, 1, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0), (0, 2, 1), (1, 0, 2))
    for term, order in enumerate(orders):
        origin.resources.pop(path, None)
        for number in order:
            name = f"node-{'abc'[number]}"
            nodes[number].put(path, {"holder": name, "term": term, "ttl": 1}, {"If-None-Match": "*"})
        time.sleep(0.9)


@case(
    "d167",
    "fhir-conditional-update",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "A conditional update by search finds two patients with one identifier: 412 with an "
        "OperationOutcome; the search shows both."
    ),
    client=(412, 200, 412),
)
def fhir(stage: Stage) -> None:
    """Update by criteria that match two."""
    two = [
        {"resource": {"resourceType": "Patient", "id": name, "identifier": [{"value": "NHI-4471"}]}}
        for name in ("p1", "p9")
    ]

    def search(_: Origin, request: Message) -> Reply | None:
        kind = (("Content-Type", "application/fhir+json"),)
        if request.method == "PUT":
            issue = {
                "severity": "error",
                "code": "multiple-matches",
                "diagnostics": "Conditional update criteria matched 2 resources",
            }
            return Reply(
                412, kind, json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()
            )
        return Reply(
            200,
            kind,
            json.dumps({"resourceType": "Bundle", "type": "searchset", "total": 2, "entry": two}).encode(),
        )

    origin = stage.origin(Habits(), hook=search)
    me = stage.client(
        stage.front("envoy", stage.tap(origin.port)),
        "fhir.example.test",
        "java",
        {"Accept": "application/fhir+json"},
    )
    path = "/r4/Patient?identifier=NHI-4471"
    body = {"resourceType": "Patient", "identifier": [{"value": "NHI-4471"}], "name": [{"family": "Moana"}]}
    me.put(path, body, {"Content-Type": "application/fhir+json"})
    time.sleep(1.2)
    me.get(path)
    me.put(path, body, {"Content-Type": "application/fhir+json"})


@case(
    "d168",
    "conflict-with-version-text",
    "status-dialect-mismatch",
    "409",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description=(
        "A cluster API says 409 with a text about the object's version where others say 412; the client "
        "takes 409 for a name clash and creates under another name."
    ),
    notes=("the rival write came from within the cluster and is in no file",),
    client=(200, 409, 201),
)
def conflict_text(stage: Stage) -> None:
    """Take a version conflict for a name clash."""
    origin = stage.origin(Habits(tag=version_tag, refuse_status=409, problem="vendor"))
    original = origin.refusal

    def refusal(status: int, detail: str, fields: tuple[tuple[str, str], ...] = ()) -> Reply:
        if status != 409:
            return original(status, detail, fields)
        text = {
            "kind": "Status",
            "status": "Failure",
            "reason": "Conflict",
            "code": 409,
            "message": (
                'Operation cannot be fulfilled on configmaps "limits": the object has been modified; '
                "please apply your changes to the latest version and try again"
            ),
        }
        return Reply(409, (("Content-Type", "application/json"), *fields), json.dumps(text).encode())

    origin.refusal = refusal  # type: ignore[method-assign]
    path = "/api/v1/namespaces/shop/configmaps/limits"
    origin.store(path, {"kind": "ConfigMap", "metadata": {"name": "limits"}, "data": {"rps": "50"}})
    me = stage.client(
        stage.front("nginx", stage.tap(origin.port)),
        "cluster.example.test",
        "go",
        {"Authorization": "Bearer op"},
    )
    mine = me.get(path)
    origin.commit(path, b'{"kind":"ConfigMap","metadata":{"name":"limits"},"data":{"rps":"80"}}')
    time.sleep(0.7)
    body = {"kind": "ConfigMap", "metadata": {"name": "limits"}, "data": {"rps": "50", "burst": "10"}}
    me.put(path, body, {"If-Match": mine.etag})
    time.sleep(0.3)
    me.put(path + "-1", body, {"If-None-Match": "*"})


@case(
    "d178",
    "dns-record-old-value",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "A DNS change must name the record it deletes exactly; the batch names a TTL of 300 while the "
        "live record has 3600: 412 that names deletions[0]; no condition field anywhere."
    ),
    client=(200, 412, 412),
)
def dns_record(stage: Stage) -> None:
    """Delete a record by an old value."""

    def changes(_: Origin, request: Message) -> Reply | None:
        if request.method != "POST":
            return None
        text = {
            "error": {
                "code": 412,
                "message": "Precondition not met for 'entity.change.deletions[0]'",
                "errors": [{"reason": "conditionNotMet", "location": "entity.change.deletions[0]"}],
            }
        }
        return Reply(412, (("Content-Type", "application/json; charset=UTF-8"),), json.dumps(text).encode())

    origin = stage.origin(Habits(emit_etag=False, emit_last_modified=False), hook=changes)
    zone = "/dns/v1/projects/p/managedZones/z"
    record = {"name": "www.example.test.", "type": "A", "ttl": 3600, "rrdatas": ["192.0.2.10"]}
    origin.store(f"{zone}/rrsets", {"rrsets": [record]})
    me = stage.client(
        stage.front("envoy", stage.tap(origin.port)),
        "dns.example.test",
        "go",
        {"Authorization": "Bearer ya29.x"},
    )
    me.get(f"{zone}/rrsets")
    for _ in range(2):
        time.sleep(0.7)
        me.send(
            "POST",
            f"{zone}/changes",
            body={
                "deletions": [{**record, "ttl": 300}],
                "additions": [{**record, "ttl": 300, "rrdatas": ["192.0.2.77"]}],
            },
        )
