"""Third batch: causes that are seldom met, once more and in another dress."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, Reply, Resource, version_tag
from tools.recording.scenarios.third_tokens import number_tag
from tools.recording.scenarios.third_writers import uuid_tag
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message

_MERGE = {"Content-Type": "application/merge-patch+json"}
_JSON = (("Content-Type", "application/json"),)


@case(
    "d358",
    "two-deployers-of-one-manifest",
    "unconditional-write",
    "lost-update",
    alone="none unconditional-write",
    description=(
        "Two pipelines apply one YAML manifest: HEAD to see that it is there, then PUT without a guard. The "
        "second apply takes the first one's image back to the old one."
    ),
    client=(200, 200, 204, 200),
    other=(200, 204),
    upstream=(200, 200, 200, 204, 204, 200),
)
def two_deployers(stage: Stage) -> None:
    """Apply over each other."""
    origin = stage.origin(Habits(tag=version_tag, put_status=204))
    path = "/manifests/checkout.yaml"
    manifest = "image: checkout:41\nreplicas: {}\n"
    origin.store(path, manifest.format(2), "application/yaml")
    front = stage.front("envoy", stage.tap(origin.port))
    kind = {"Content-Type": "application/yaml"}
    me = stage.client(front, "deploy.example.test", "go", {"Authorization": "Bearer scale"})
    other = stage.other(front, "deploy.example.test", "java", {"Authorization": "Bearer release"})
    me.get(path)
    me.send("HEAD", path)
    other.send("HEAD", path)
    time.sleep(0.4)
    other.put(path, "image: checkout:42\nreplicas: 2\n", kind)
    time.sleep(1.1)
    me.put(path, manifest.format(5), kind)
    me.get(path)


@case(
    "d398",
    "zone-serial-on-each-record",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope unstable-etag server-side-mutation",
    also="other-writer",
    description=(
        "Each record of a DNS zone carries the zone's serial as its tag. A change to mail refuses the DELETE "
        "of www, which is as it was; the record has the same octets under the new serial."
    ),
    client=(200, 412, 200, 204),
    other=(200, 200),
)
def zone_serial(stage: Stage) -> None:
    """Be refused because the zone's serial moved."""
    origin = stage.origin()

    def serial(_: Resource) -> str:
        return str(2026112600 + sum(one.version for one in origin.resources.values()))

    origin.habits = Habits(tag=serial, emit_last_modified=False, problem="plain")
    origin.store("/zones/example.net/www", {"name": "www", "ttl": 300, "a": "192.0.2.7"})
    origin.store("/zones/example.net/mail", {"name": "mail", "ttl": 300, "a": "192.0.2.8"})
    front = stage.front("apache2", stage.tap(origin.port))
    me = stage.client(front, "dns.example.test", "ruby", {"X-Api-Key": "ops-1"})
    other = stage.other(front, "dns.example.test", "postman", {"X-Api-Key": "ops-2"})
    mine, theirs = me.get("/zones/example.net/www"), other.get("/zones/example.net/mail")
    time.sleep(0.5)
    mail = {"name": "mail", "ttl": 60, "a": "192.0.2.8"}
    other.put("/zones/example.net/mail", mail, {"If-Match": theirs.etag})
    time.sleep(0.8)
    me.send("DELETE", "/zones/example.net/www", {"If-Match": mine.etag})
    fresh = me.get("/zones/example.net/www")
    me.send("DELETE", "/zones/example.net/www", {"If-Match": fresh.etag})


@case(
    "d421",
    "cache-interceptor-joins-the-patch",
    "implicit-precondition",
    "412",
    alone="implicit-precondition create-guard-on-update",
    description=(
        "The app's caching interceptor adds If-None-Match with the stored tag to reads (304) and to a "
        "PATCH (412) as well; with Cache-Control: no-store the same PATCH goes out bare and is taken."
    ),
    client=(200, 304, 412, 412, 200),
)
def interceptor(stage: Stage) -> None:
    """Patch with a condition out of the app's cache."""
    origin = stage.origin(Habits(tag=uuid_tag, read_fields=(("Cache-Control", "private, max-age=0"),)))
    path = "/me/preferences"
    origin.store(path, {"theme": "light", "beta": False})
    front = stage.front("haproxy", stage.tap(origin.port))
    me = stage.client(front, "app.example.test", "okhttp", {"Authorization": "Bearer app"})
    tag = me.get(path).etag
    time.sleep(0.6)
    me.get(path, {"If-None-Match": tag})
    for _ in range(2):
        me.send("PATCH", path, {"If-None-Match": tag, **_MERGE}, body='{"theme":"dark"}')
        time.sleep(0.7)
    me.send("PATCH", path, {"Cache-Control": "no-store", **_MERGE}, body='{"theme":"dark"}')


@case(
    "d423",
    "created-and-refused",
    "post-commit-412",
    "412",
    alone="post-commit-412 intermediary-replay",
    description=(
        "HEAD says 404; a create-only PUT stores the document and then finds it there: 412 within "
        "milliseconds, one request at the origin, and the read shows the client's own nonce."
    ),
    client=(404, 412, 200),
    upstream=(404, 412, 200),
)
def created_refused(stage: Stage) -> None:
    """Create, and be told that it exists."""

    def late(origin: Origin, request: Message) -> Reply | None:
        return origin.refusal(412, "Resource exists") if request.get("If-None-Match") else None

    origin = stage.origin(Habits(tag=number_tag, problem="vendor"), after_commit=late)
    path = "/reservations/2026-12-24-T4"
    front = stage.front("nginx", stage.tap(origin.port))
    me = stage.client(front, "tables.example.test", "httpx", {"Authorization": "Bearer host"})
    me.send("HEAD", path)
    time.sleep(0.5)
    me.put(path, {"table": 4, "guest": "Moe", "nonce": "b7e1-5520"}, {"If-None-Match": "*"})
    time.sleep(0.6)
    me.get(path)


@case(
    "d434",
    "forbidden-means-modified",
    "status-dialect-mismatch",
    "403",
    alone="status-dialect-mismatch other-writer retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A service refuses a stale If-Match with 403 'ResourceModified'; the client takes it for a matter "
        "of rights, gets a new access token, and sends the same stale tag again. Another had written."
    ),
    client=(200, 403, 201, 403, 200),
    other=(200, 200),
)
def forbidden(stage: Stage) -> None:
    """Take a version conflict for missing rights."""
    path = "/spaces/s4/plan"

    def judge(origin: Origin, request: Message) -> Reply | None:
        if request.method == "POST":
            return Reply(201, _JSON, b'{"access_token":"t-2","expires_in":3600}')
        current = origin.etag(origin.resources[path])
        if request.method != "PUT" or request.get("If-Match") in {None, current}:
            return None
        text = {"code": "ResourceModified", "message": "The resource was modified; If-Match is not current."}
        return Reply(403, _JSON, json.dumps(text).encode())

    origin = stage.origin(Habits(tag=version_tag, emit_last_modified=False), hook=judge)
    plan = {"space": "s4", "goal": "launch", "week": 49}
    origin.store(path, plan)
    front = stage.front("caddy", stage.tap(origin.port))
    me = stage.client(front, "spaces.example.test", "requests", {"Authorization": "Bearer t-1"})
    other = stage.other(front, "spaces.example.test", "dart", {"Authorization": "Bearer o-1"})
    mine, theirs = me.get(path), other.get(path)
    other.put(path, {**plan, "week": 50}, {"If-Match": theirs.etag})
    time.sleep(0.8)
    body = {**plan, "goal": "soft launch"}
    me.put(path, body, {"If-Match": mine.etag})
    me.send("POST", "/oauth/token", body={"grant_type": "refresh_token"})
    me.put(path, body, {"If-Match": mine.etag, "Authorization": "Bearer t-2"})
    time.sleep(0.4)
    me.get(path)


@case(
    "d435",
    "compare-and-set-by-value",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "A key-value service compares prevValue of the body with what is stored; the script's value has a "
        "blank at its end: 412 that names prevValue, twice. With the value as read it passes."
    ),
    client=(200, 412, 412, 200),
)
def compare_and_set(stage: Stage) -> None:
    """Fail a comparison in the payload."""
    stored = {"value": "eu-north-1"}

    def service(_: Origin, request: Message) -> Reply:
        if request.method == "GET":
            return Reply(200, _JSON, json.dumps({"key": "region", **stored}).encode())
        asked = json.loads(request.body)
        if asked["prevValue"] != stored["value"]:
            cause = f"prevValue: [{asked['prevValue']} != {stored['value']}]"
            text = {"errorCode": 101, "message": "Compare failed", "cause": cause}
            return Reply(412, _JSON, json.dumps(text).encode())
        stored["value"] = asked["value"]
        return Reply(200, _JSON, json.dumps({"key": "region", **stored}).encode())

    origin = stage.origin(hook=service)
    front = stage.front("traefik", stage.tap(origin.port))
    me = stage.client(front, "kv.example.test", "curl", {"Authorization": "Bearer kv"})
    me.get("/kv/region")
    for value in ("eu-north-1 ", "eu-north-1 ", "eu-north-1"):
        time.sleep(0.6)
        me.send("POST", "/kv/region", body={"prevValue": value, "value": "eu-west-3"})


@case(
    "d436",
    "update-by-mail-address",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "A directory updates by criteria; three entries share the address: 412 'criteria matched 3 entries, "
        "1 expected', for PATCH and PUT. Narrowed by the entry's number it passes."
    ),
    client=(412, 200, 412, 200),
)
def by_mail(stage: Stage) -> None:
    """Update by criteria that match three."""

    def directory(_: Origin, request: Message) -> Reply:
        if "number=" in request.target:
            return Reply(200, _JSON, b'{"number":12,"mail":"desk@example.org","floor":3}')
        if request.method == "GET":
            found = [{"number": one, "mail": "desk@example.org"} for one in (12, 40, 41)]
            return Reply(200, _JSON, json.dumps({"totalResults": 3, "entries": found}).encode())
        text = {"code": "MULTIPLE_MATCHES", "message": "The criteria matched 3 entries, 1 expected"}
        return Reply(412, _JSON, json.dumps(text).encode())

    origin = stage.origin(hook=directory)
    front = stage.front("lighttpd", stage.tap(origin.port))
    me = stage.client(front, "directory.example.test", "powershell", {"Authorization": "Basic aXQ6"})
    wanted = "/entries?mail=desk@example.org"
    me.send("PATCH", wanted, _MERGE, body='{"floor":3}')
    time.sleep(0.5)
    me.get(wanted)
    me.put(wanted, {"mail": "desk@example.org", "floor": 3})
    time.sleep(0.7)
    me.send("PATCH", f"{wanted}&number=12", _MERGE, body='{"floor":3}')


@case(
    "d439",
    "only-the-first-of-the-list",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "The client sends its old and its current tag in one If-Match; the service looks at the first "
        "member only and refuses. The current tag alone is taken."
    ),
    client=(200, 200, 412, 304, 200),
    upstream=(200, 200, 412, 304, 200),
)
def first_only(stage: Stage) -> None:
    """Send a list that holds the current tag."""

    def first(origin: Origin, request: Message) -> Reply | None:
        sent = request.get("If-Match")
        if sent and sent.split(",")[0].strip() != origin.etag(origin.resources[request.target]):
            return origin.refusal(412, "If-Match")
        return None

    origin = stage.origin(Habits(tag=uuid_tag, problem="empty"), hook=first)
    path = "/recipes/soup"
    origin.store(path, {"name": "Soup", "leeks": 2})
    front = stage.front("varnishd", stage.tap(origin.port))
    me = stage.client(front, "kitchen.example.test", "aiohttp", {"Authorization": "Bearer cook"})
    old = me.get(path).etag
    new = me.put(path, {"name": "Soup", "leeks": 3}, {"If-Match": old}).etag
    time.sleep(0.8)
    me.put(path, {"name": "Soup", "leeks": 4}, {"If-Match": f"{old}, {new}"})
    me.get(path, {"If-None-Match": new})
    me.put(path, {"name": "Soup", "leeks": 4}, {"If-Match": new})
