"""Tokens that are empty, damaged, too wide, missing or not those of the target."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.records import furnished as kinto
from tools.recording_apis.stories.sued_ground import (
    BASE,
    Vault,
    buckets,
    busy,
    data_of,
    fleet,
    look_around,
    second_name,
    sign_in,
)

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer

_ICS = {"Content-Type": "text/calendar; charset=utf-8"}
_TASKS = "/v1/buckets/team/collections/tasks/records"
_ANNA = {"Authorization": "Basic YW5uYTphbm5h"}


def suite(stage: Stage) -> Any:
    """Start the imitated products."""
    return stage.server("application", app="suite_products")


@case(
    "a723",
    "axios-sends-undefined",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "The page reads the tag under a wrong name and sends If-Match: undefined with each save, which the "
        "service compares and refuses; the tag itself was in the answers all the time."
    ),
)
def undefined(stage: Stage) -> None:
    """Send what was never set."""
    server = fleet(stage)
    me = stage.actor("client", server, "ops.example.test", "node:axios", {"X-Operator": "jonas"})
    me = busy(me, "a723")
    sign_in(me, "jonas")
    look_around(me)
    read = me.get(f"{BASE}things/valve-19")
    me.put(f"{BASE}things/valve-19", {**data_of(read), "owner": "north"}, 412, {"If-Match": "undefined"})
    read = me.get(f"{BASE}things/valve-19")
    me.put(f"{BASE}things/valve-19", {**data_of(read), "owner": "north"}, 412, {"If-Match": "undefined"})


@case(
    "a724",
    "kinto-version-zero",
    "null-token",
    "lost-update",
    alone="null-token precondition-ignored",
    also="precondition-ignored",
    description=(
        'A client whose last_modified defaults to 0 sends If-Match: "0" for a record that has a timestamp; Kinto '
        "takes that for no condition, and the renaming that Ben stored in between is overwritten."
    ),
)
def zero(stage: Stage) -> None:
    """Send a zero."""
    server = kinto(stage, "feed-cat", "pay-rent")
    me = stage.actor("client", server, "sync.example.test", "curl:trace-ascii", _ANNA)
    me = busy(
        me, "a724", ("/v1/", "/v1/buckets/team/collections", "/v1/buckets/team/collections/notes/records")
    )
    other = stage.actor(
        "other", server, "sync.example.test", "httpx", {"Authorization": "Basic YmVuOmJlbg=="}
    )
    me.get(f"{_TASKS}?_limit=5")
    me.get(f"{_TASKS}/feed-cat")
    tag = other.get(f"{_TASKS}/feed-cat").etag
    renamed = {"data": {"title": "feed both cats", "done": False}}
    other.put(f"{_TASKS}/feed-cat", renamed, 200, {"If-Match": tag})
    time.sleep(0.7)
    me.put(f"{_TASKS}/feed-cat", {"data": {"title": "feed-cat", "done": True}}, 200, {"If-Match": '"0"'})
    me.get(f"{_TASKS}/pay-rent")
    other.get(f"{_TASKS}/feed-cat")


@case(
    "a725",
    "tag-serialised-as-json-string",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        'The tag goes through a JSON encoder on its way into the field: If-Match: "\\"...\\"". Without the '
        "escapes it is the current tag."
    ),
)
def escaped(stage: Stage) -> None:
    """Escape the quotes."""
    server = fleet(stage, TAGS="digest")
    me = stage.actor("client", server, "iot.example.test", "requests", {"User-Agent": "shadowctl/0.7"})
    me = busy(me, "a725")
    me.get(f"{BASE}things/pump-04")
    read = me.get(f"{BASE}things/pump-04/shadow")
    body = {**data_of(read), "desired": {"rpm": 900, "mode": "manual"}}
    me.put(f"{BASE}things/pump-04/shadow", body, 412, {"If-Match": json.dumps(read.etag)})
    me.get(f"{BASE}things/pump-04/shadow")


@case(
    "a726",
    "tag-percent-encoded-in-store",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A script keeps tags in file names and sends them percent-encoded (%22...%22); the store compares them as "
        "they are and refuses, though the object has not changed."
    ),
)
def encoded(stage: Stage) -> None:
    """Leave the encoding on."""
    server = stage.server("seaweedfs")
    buckets(stage, server, "mirror", index='{"files":3}', log='{"lines":10}')
    me = Vault(stage, "client", server, "store.example.test", "mirror.py Boto3")
    me.browse("mirror", "a726", 3)
    me.do("list_objects_v2", Bucket="mirror")
    tag, content = me.read("mirror", "index.json")
    body = json.dumps({**content, "files": 4})
    me.do("put_object", 412, Bucket="mirror", Key="index.json", Body=body, IfMatch=quote(tag))
    me.do("head_object", Bucket="mirror", Key="index.json")
    me.do("put_object", Bucket="mirror", Key="index.json", Body=body, IfMatch=tag)


@case(
    "a728",
    "staging-tag-on-production",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A promotion tool reads a policy from one site's path and stores it at another's with the tag of the "
        "first: the tag was never that of the target, whose own is read afterwards."
    ),
)
def promoted(stage: Stage) -> None:
    """Promote from staging to production."""
    policies: dict[str, Any] = {
        "stages/staging/firewall": {"allow": ["10.1.0.0/16"], "log": True},
        "stages/production/firewall": {"allow": ["10.0.0.0/16"], "log": False},
    }
    server = fleet(stage, policies, TAGS="digest")
    me = stage.actor("client", server, "staging.example.test", "requests", {"User-Agent": "promote/1.3"})
    me = busy(me, "a728")
    live = second_name(me, "prod.example.test")
    look_around(me, "stages")
    read = me.get(f"{BASE}stages/staging/firewall")
    live.get(f"{BASE}policies/updates")
    live.put(f"{BASE}stages/production/firewall", data_of(read), 412, {"If-Match": read.etag})
    live.get(f"{BASE}stages/production/firewall")


def _zone(*names: str) -> dict[str, Any]:
    return {f"zones/example.test/{name}": {"type": "A", "ttl": 300, "address": "192.0.2.7"} for name in names}


@case(
    "a729",
    "dns-records-share-the-zones-tag",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    description=(
        "Every record of a zone has the zone's serial for its tag. A colleague changes two other records; the "
        "change of this one, which nobody touched, is refused."
    ),
)
def zone(stage: Stage) -> None:
    """Change one record of a zone."""
    server = fleet(stage, _zone("www", "mail", "api", "vpn"), TAGS="zone")
    me = stage.actor("client", server, "dns.example.test", "httpx", {"X-Operator": "certbot"})
    me = busy(me, "a729")
    other = stage.actor("other", server, "dns.example.test", "node:axios", {"X-Operator": "ida"})
    other = busy(other, "a729-other")
    base = f"{BASE}zones/example.test"
    me.get(f"{base}/www")
    read = me.get(f"{base}/mail")
    for name in ("api", "vpn"):
        tag = other.get(f"{base}/{name}").etag
        other.put(f"{base}/{name}", {"type": "A", "ttl": 60, "address": "192.0.2.9"}, 200, {"If-Match": tag})
    time.sleep(0.4)
    me.put(f"{base}/mail", {**data_of(read), "ttl": 600}, 412, {"If-Match": read.etag})
    me.get(f"{base}/mail")
    me.get(f"{base}/api")


@case(
    "a730",
    "group-library-version",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope other-writer",
    description=(
        "One version number guards a whole group library: a member tags two other items, and the change of this "
        "item is refused with 'expected 512, found 514' although the item is what it was."
    ),
    synthetic=True,
)
def library(stage: Stage) -> None:
    """Change one item of a shared library."""
    server = suite(stage)
    me = stage.actor("client", server, "zotero.example.test", "aiohttp", {"Zotero-API-Version": "3"})
    me = busy(
        me, "a730", ("/groups/881", "/groups/881/collections", "/groups/881/items?since=511&format=versions")
    )
    other = stage.actor("other", server, "zotero.example.test", "requests", {"Zotero-API-Version": "3"})
    field = "If-Unmodified-Since-Version"

    def version(answer: Answer) -> dict[str, str]:
        return {field: answer.fields["last-modified-version"]}

    me.get("/groups/881/items?since=0&format=json&limit=25")
    known = version(me.get("/groups/881/items/K7NQ2W9D"))
    seen = version(other.get("/groups/881/items?since=500"))
    for key in ("P3XV8T5R", "M4CB6H2Z"):
        seen = version(other.send("PATCH", f"/groups/881/items/{key}", 204, seen, {"tags": ["coast"]}))
    time.sleep(0.5)
    me.send("PATCH", "/groups/881/items/K7NQ2W9D", 412, known, {"title": "Harbour plans, Kiel"})
    me.get("/groups/881/items/K7NQ2W9D")
    me.get("/groups/881/items?since=512&format=json")


@case(
    "a731",
    "upload-guard-on-known-object",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "The job has just read the object with its tag and stores its next version with If-None-Match: *, which "
        "can only fail; it tries twice, then gives up."
    ),
)
def known_object(stage: Stage) -> None:
    """Guard an update with a star."""
    server = stage.server("moto")
    buckets(stage, server, "ledger", y2026__m11='{"sum":1200}', y2026__m10='{"sum":900}')
    me = Vault(stage, "client", server, "store.example.test", "closing-run/1 Boto3")
    me.browse("ledger", "a731", 4)
    me.read("ledger", "y2026/m10.json")
    for _ in range(2):
        _, content = me.read("ledger", "y2026/m11.json")
        body = json.dumps({**content, "sum": content["sum"] + 75})
        me.do("put_object", 412, Bucket="ledger", Key="y2026/m11.json", Body=body, IfNoneMatch="*")


@case(
    "a732",
    "record-update-as-creation",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A port of an app sends every save of a record as a creation: If-None-Match: * on a record that it has "
        "loaded with its tag and just wants to tick off."
    ),
)
def as_creation(stage: Stage) -> None:
    """Save as if it were new."""
    server = kinto(stage, "oil-hinges", "sweep-yard")
    me = stage.actor("client", server, "sync.example.test", "node:fetch", {**_ANNA, "X-Client": "tasks-web"})
    me = busy(me, "a732", ("/v1/", "/v1/buckets/team/collections", "/v1/buckets/team/collections/tasks"))
    me.get(f"{_TASKS}?_sort=title")
    me.get(f"{_TASKS}/oil-hinges", 200)
    body = {"data": {"title": "oil-hinges", "done": True}}
    me.put(f"{_TASKS}/oil-hinges", body, 412, {"If-None-Match": "*"})
    new = {"data": {"title": "wash-car", "done": False}}
    me.put(f"{_TASKS}/wash-car", new, 201, {"If-None-Match": "*"})
    me.get(f"{_TASKS}/oil-hinges")


@case(
    "a734",
    "planner-task-without-if-match",
    "token-missing",
    "400",
    alone="token-missing",
    also="status-dialect-mismatch",
    description=(
        "Planner wants If-Match on each change of a task and says so with 400; the same change goes through "
        "with the @odata.etag of the list."
    ),
    synthetic=True,
)
def planner(stage: Stage) -> None:
    """Tick off a task."""
    server = suite(stage)
    me = stage.actor("client", server, "graph.example.test", "curl", {"Authorization": "Bearer eyJ"})
    me = busy(
        me, "a734", ("/v1.0/me", "/v1.0/planner/plans/P1", "/v1.0/planner/plans/P1/buckets", "/v1.0/me/photo")
    )
    tasks = me.get("/v1.0/planner/plans/P1/tasks").json["value"]
    name = tasks[1]["id"]
    me.send("PATCH", f"/v1.0/planner/tasks/{name}", 400, None, {"percentComplete": 100})
    me.get(f"/v1.0/planner/tasks/{name}")
    guard = {"If-Match": tasks[1]["@odata.etag"]}
    me.send("PATCH", f"/v1.0/planner/tasks/{name}", 204, guard, {"percentComplete": 100})
    me.get("/v1.0/planner/plans/P1/tasks")
