"""Load balancers and gateways: stripped conditions, nodes that disagree, lag, replays, redirects."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, Reply, Resource, content_tag, version_tag
from tools.recording.scenarios.material import RUNBOOK, card, event
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message


def shared(stage: Stage, first: Habits, second: Habits) -> tuple[Origin, Origin]:
    """Return two origins over one set of documents."""
    one, two = stage.origin(first), stage.origin(second)
    two.resources, two.lock = one.resources, one.lock
    return one, two


def as_of(origin: Origin, path: str, lag: float) -> Resource | None:
    """Return a document as it was ``lag`` seconds ago."""
    resource = origin.resources.get(path)
    if resource is None:
        return None
    moment = time.time() - lag
    for replaced, body, version in resource.previous:
        if replaced > moment:
            return Resource(body, resource.media_type, version, modified=moment - 60)
    return resource


@case(
    "d115",
    "nginx-strips-create-guard",
    "precondition-stripped",
    "lost-update",
    alone="none precondition-stripped precondition-ignored",
    description=(
        "A template line clears If-None-Match at nginx; two clinics create the same booking slot with "
        "If-None-Match: *, the second silently overwrites the first (200 instead of 412)."
    ),
    config=('proxy_set_header If-None-Match ""',),
    client=(404, 200, 200),
    other=(404, 201),
    upstream=(404, 404, 201, 200, 200),
)
def nginx_strips(stage: Stage) -> None:
    """Create what exists already."""
    origin = stage.origin(Habits(fields=(("Server", "Jetty(12.0.14)"),)))
    front = stage.nginx_proxy(stage.tap(origin.port), 'proxy_set_header If-None-Match "";')
    slot = "/clinics/oslo/slots/2026-12-01T09:30"
    me = stage.client(front, "booking.example.test", "browser", {"Authorization": "Bearer clinic-7"})
    other = stage.other(front, "booking.example.test", "browser", {"Authorization": "Bearer clinic-4"})
    me.get(slot)
    other.get(slot)
    time.sleep(0.6)
    other.put(slot, {"patient": "p-3310", "by": "clinic-4"}, {"If-None-Match": "*"})
    time.sleep(0.7)
    me.put(slot, {"patient": "p-2874", "by": "clinic-7"}, {"If-None-Match": "*"})
    me.get(slot)


@case(
    "d116",
    "haproxy-deletes-if-match",
    "precondition-stripped",
    "lost-update",
    alone="none",
    description=(
        "HAProxy deletes If-Match (a rule against cache poisoning); the stale PUT of one planner "
        "succeeds and the other's change of the calendar event is gone."
    ),
    config=("http-request del-header If-Match",),
    client=(200, 204, 200),
    other=(200, 204),
    upstream=(200, 200, 204, 204, 200),
)
def haproxy_deletes(stage: Stage) -> None:
    """Overwrite an event with a stale tag."""
    origin = stage.origin(Habits(put_status=204, etag_on_write=False))
    path = "/dav/calendars/team/sprint-review.ics"
    origin.store(path, event("sr-48", "Sprint review"), "text/calendar; charset=utf-8")
    front = stage.haproxy(
        f"backend origin\n http-request del-header If-Match\n server one 127.0.0.1:{stage.tap(origin.port)}"
    )
    kind = {"Content-Type": "text/calendar; charset=utf-8"}
    me = stage.client(front, "cal.example.test", "davx5", {"Authorization": "Basic YW5uYTpw"})
    other = stage.other(front, "cal.example.test", "urlsession", {"Authorization": "Basic Ym86cA=="})
    mine, theirs = me.get(path), other.get(path)
    time.sleep(0.5)
    other.put(path, event("sr-48", "Sprint review", "14"), {"If-Match": theirs.etag, **kind})
    time.sleep(1.1)
    me.put(path, event("sr-48", "Sprint review and demo"), {"If-Match": mine.etag, **kind})
    me.get(path)


@case(
    "d117",
    "apache-unsets-if-match-own-stale",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped server-precondition-bug",
    description=(
        "Apache unsets If-Match; a sync agent keeps its first tag through three saves and each is "
        "accepted. Between the second and the third another agent's phone number is lost."
    ),
    config=("RequestHeader unset If-Match",),
    client=(200, 200, 200, 200),
    other=(200, 200),
    upstream=(200, 200, 200, 200, 200, 200),
)
def apache_unsets(stage: Stage) -> None:
    """Save three times with one tag."""
    origin = stage.origin(Habits(tag=version_tag))
    path = "/contacts/ines.vcf"
    origin.store(path, card("5f1c", "Ines Duarte", "ines@old.example"), "text/vcard")
    front = stage.apache(
        f"RequestHeader unset If-Match\nProxyPass / http://127.0.0.1:{stage.tap(origin.port)}/\n"
    )
    kind = {"Content-Type": "text/vcard"}
    me = stage.client(front, "contacts.example.test", "java")
    other = stage.other(front, "contacts.example.test", "okhttp")
    read = me.get(path)
    for turn, name in enumerate(("Ines Duarte", "Inês Duarte", "Inês S. Duarte")):
        me.put(path, card("5f1c", name, "ines@new.example"), {"If-Match": read.etag, **kind})
        time.sleep(0.8)
        if turn == 1:
            seen = other.get(path)
            other.put(
                path,
                seen.body.replace(b"END:", b"TEL:+351 555 0101\r\nEND:"),
                {"If-Match": seen.etag, **kind},
            )
            time.sleep(0.4)


@case(
    "d121",
    "nginx-round-robin-node-salt",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends unstable-etag",
    description=(
        "Two workers salt their tags at start; nginx sends each other request to the other one: every "
        "PUT meets the worker that did not issue the tag, four of four refused, though the bytes never "
        "change."
    ),
    config=("upstream with two servers, round robin", "tag salted by each process"),
    client=(200, 412, 200, 200, 200, 412, 200, 200),
    upstream1=(200, 200, 200, 200),
    upstream2=(412, 200, 412, 200),
)
def nginx_round_robin(stage: Stage) -> None:
    """Read from one worker, write to the other."""
    one, two = shared(
        stage,
        Habits(tag=lambda resource: "a7" + content_tag(resource)[:12], emit_last_modified=False),
        Habits(tag=lambda resource: "1f" + content_tag(resource)[2:14], emit_last_modified=False),
    )
    path = "/teams/blue/rota"
    rota = {"team": "blue", "weeks": {"48": "Ada", "49": "Bo"}}
    one.store(path, rota)
    ports = [stage.tap(one.port, "upstream1"), stage.tap(two.port, "upstream2")]
    servers = " ".join(f"server 127.0.0.1:{port};" for port in ports)
    front = stage.nginx(
        (
            "location / { proxy_pass http://workers; proxy_http_version 1.1; proxy_set_header Host "
            "rota.internal.test; }"
        ),
        f"upstream workers {{ {servers} }}",
    )
    me = stage.client(front, "rota.example.test", "requests")
    for _ in range(2):
        read = me.get(path)
        me.put(path, {**rota, "weeks": {"48": "Ada", "49": "Cy"}}, {"If-Match": read.etag})
        time.sleep(0.6)
        me.get(path)
        me.get(path)
        time.sleep(0.9)


@case(
    "d122",
    "traefik-round-robin-deploy-stamp",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "The tag carries each node's deploy stamp; Traefik balances round robin and the answers name "
        "their node. Polling never gets a 304 and saves are refused or accepted by chance."
    ),
    config=("Traefik round robin", "X-Served-By on each answer"),
    client=(200, 200, 200, 412, 200, 200, 200),
)
def traefik_round_robin(stage: Stage) -> None:
    """Poll and save over two nodes."""
    one, two = shared(
        stage,
        Habits(tag=lambda resource: f"1763900000-{resource.version}", fields=(("X-Served-By", "app-fra-1"),)),
        Habits(tag=lambda resource: f"1763986412-{resource.version}", fields=(("X-Served-By", "app-fra-2"),)),
    )
    path = "/plans/q1.md"
    one.store(path, RUNBOOK[:400], "text/markdown")
    front = stage.traefik([stage.tap(one.port, "upstream1"), stage.tap(two.port, "upstream2")])
    me = stage.client(front, "plans.example.test", "undici", {"authorization": "Bearer p"})
    read = me.get(path)
    for _ in range(2):
        time.sleep(0.5)
        read = me.get(path, {"if-none-match": read.etag})
    kind = {"content-type": "text/markdown"}
    me.put(path, RUNBOOK[:390], {"if-match": read.etag, **kind})
    read = me.get(path)
    me.get(path, {"if-none-match": read.etag})
    me.put(path, RUNBOOK[:390], {"if-match": read.etag, **kind})


@case(
    "d123",
    "haproxy-read-replica",
    "replica-lag",
    "412",
    alone="replica-lag stale-cache-read",
    description=(
        "HAProxy sends reads to a replica 1.8 s behind. After its own PUT the client reads back the old "
        "tag and is refused with it, waits, and passes. No cache fields anywhere."
    ),
    config=("use_backend reads if { method GET HEAD }", "replica 1.8 s behind"),
    client=(200, 200, 200, 412, 200, 200),
)
def haproxy_replica(stage: Stage) -> None:
    """Write, read the past, be refused, wait."""
    primary = stage.origin(Habits(tag=version_tag))

    def lagging(origin: Origin, request: Message) -> Reply | None:
        resource = as_of(primary, request.target, 1.8)
        if resource is None:
            return None
        return Reply(
            200, (("Content-Type", resource.media_type), *origin.validators(resource)), resource.body
        )

    replica = stage.origin(Habits(tag=version_tag, emit_last_modified=False), hook=lagging)
    path = "/v3/subscriptions/s-118"
    plan = {"id": "s-118", "plan": "basic", "seats": 5}
    primary.store(path, plan)
    front = stage.haproxy(
        f"backend reads\n server r 127.0.0.1:{stage.tap(replica.port, 'upstream-replica')}\n"
        f"backend writes\n server w 127.0.0.1:{stage.tap(primary.port, 'upstream-primary')}",
        " use_backend reads if { method GET HEAD }\n default_backend writes",
    )
    me = stage.client(front, "billing.example.test", "java", {"Authorization": "Bearer svc-4"})
    read = me.get(path)
    me.put(path, {**plan, "seats": 6}, {"If-Match": read.etag})
    time.sleep(0.3)
    read = me.get(path)
    me.put(path, {**plan, "seats": 7}, {"If-Match": read.etag})
    time.sleep(2.1)
    read = me.get(path)
    me.put(path, {**plan, "seats": 7}, {"If-Match": read.etag})


@case(
    "d124",
    "nginx-next-upstream-non-idempotent",
    "intermediary-replay",
    "412",
    alone="intermediary-replay lost-response-replay post-commit-412",
    description=(
        "nginx gives the first server a second, then sends the same PATCH to the next one "
        "(non_idempotent): the first committed late, the second refuses. The client sees one PATCH, one "
        "412 after a second, and its own data."
    ),
    config=("proxy_next_upstream error timeout non_idempotent", "proxy_read_timeout 1s"),
    client=(200, 412, 200),
)
def nginx_replays(stage: Stage) -> None:
    """Patch once, be sent twice."""
    one, two = shared(stage, Habits(answer_delay=1.5), Habits(answer_delay=0.0))
    path = "/devices/thermo-12/settings"
    one.store(path, {"target": 20.5, "mode": "eco", "updatedBy": "app"})
    ports = [stage.tap(one.port, "upstream1"), stage.tap(two.port, "upstream2")]
    front = stage.nginx(
        "location / { proxy_pass http://app; proxy_set_header Host $http_host; proxy_read_timeout 1s;"
        " proxy_next_upstream error timeout non_idempotent; }",
        f"upstream app {{ server 127.0.0.1:{ports[0]} weight=9; server 127.0.0.1:{ports[1]} backup; }}",
    )
    me = stage.client(front, "home.example.test", "dart", {"authorization": "Bearer u-5"})
    read = me.get(path)
    time.sleep(0.4)
    kind = {"content-type": "application/merge-patch+json"}
    me.send("PATCH", path, {"if-match": read.etag, **kind}, body={"target": 21.5, "updatedBy": "phone-5"})
    time.sleep(1.2)
    me.get(path)


@case(
    "d125",
    "haproxy-retry-on-response-timeout",
    "intermediary-replay",
    "412",
    alone="intermediary-replay lost-response-replay post-commit-412",
    description=(
        "HAProxy retries a PUT on response-timeout; the origin had committed before it stalled. One "
        "request at the client, two at the origin, 412 after the timeout, own content stored."
    ),
    config=("retry-on response-timeout", "retries 2", "timeout server 900ms"),
    client=(200, 412, 200),
    upstream=(200, 200, 412, 200),
)
def haproxy_replays(stage: Stage) -> None:
    """Put once, be sent twice."""
    stalled: list[bool] = []

    def stall(_: Origin, __: Message) -> None:
        if not stalled:
            stalled.append(True)
            time.sleep(1.4)

    origin = stage.origin(Habits(tag=version_tag, problem="vendor"), after_commit=stall)
    path = "/v1/invoices/INV-20418"
    origin.store(
        path, {"number": "INV-20418", "state": "draft", "lines": [{"text": "Support", "amount": 1200}]}
    )
    front = stage.haproxy(
        f"backend origin\n timeout server 900ms\n retries 2\n retry-on conn-failure "
        f"response-timeout\n server one 127.0.0.1:{stage.tap(origin.port)}"
    )
    me = stage.client(front, "ledger.example.test", "httpx", {"X-Request-Id": "7d1e-55"})
    read = me.get(path)
    body = {"number": "INV-20418", "state": "sent", "lines": [{"text": "Support", "amount": 1200}]}
    me.put(path, body, {"If-Match": read.etag, "Idempotency-Key": "c9d1b0"})
    time.sleep(1.0)
    me.get(path)
