"""etcd's version 2 interface: compare-and-swap by query, 412 with error codes and no validators."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import quote

from tools.recording_apis.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def swap(actor: Actor, key: str, value: str, query: str, expect: int) -> Answer:
    """Write a key under a condition."""
    path = f"/v2/keys/{key}" + (f"?{query}" if query else "")
    return actor.put(path, f"value={quote(value)}", expect, _FORM)


@case(
    "a155",
    "etcd-prev-index",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "A configuration key is swapped on prevIndex; another operator wrote: 412 with errorCode 101."
    ),
    notes=(
        "no validator header anywhere: the token is modifiedIndex in the content, sent as a query parameter",
    ),
)
def prev_index(stage: Stage) -> None:
    """Compare and swap on an index."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.example.test", "requests")
    other = stage.actor("other", server, "etcd.example.test", "httpx")
    swap(other, "config/limits", '{"rps":100}', "", 201)
    index = me.get("/v2/keys/config/limits").json["node"]["modifiedIndex"]
    theirs = other.get("/v2/keys/config/limits").json["node"]["modifiedIndex"]
    swap(other, "config/limits", '{"rps":150}', f"prevIndex={theirs}", 200)
    time.sleep(0.4)
    swap(me, "config/limits", '{"rps":100,"burst":20}', f"prevIndex={index}", 412)
    me.get("/v2/keys/config/limits")


@case(
    "a156",
    "etcd-prev-value-spelling",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "The client compares on prevValue but spells the old value anew: the same JSON without its "
        "blanks. The error text shows both."
    ),
)
def prev_value(stage: Stage) -> None:
    """Spell the old value differently."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.example.test", "curl")
    swap(me, "flags/search", '{"on": true, "share": 10}', "", 201)
    old = me.get("/v2/keys/flags/search").json["node"]["value"]
    again = quote(json.dumps(json.loads(old), separators=(",", ":")))
    swap(me, "flags/search", '{"on": true, "share": 25}', f"prevValue={again}", 412)
    me.get("/v2/keys/flags/search")


@case(
    "a157",
    "etcd-create-only",
    "exists-already",
    "412",
    alone="exists-already",
    description="A tenant is registered with prevExist=false; the name is taken: 412 with errorCode 105.",
)
def create_only(stage: Stage) -> None:
    """Register a taken name."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.example.test", "aiohttp")
    other = stage.actor("other", server, "etcd.example.test")
    swap(other, "tenants/acme", '{"plan":"gold"}', "prevExist=false", 201)
    time.sleep(1.0)
    swap(me, "tenants/acme", '{"plan":"basic"}', "prevExist=false", 412)
    me.get("/v2/keys/tenants/acme")


@case(
    "a158",
    "etcd-lease-expired",
    "token-expired",
    "404",
    alone="token-expired target-missing",
    also="lease-or-lock target-missing status-dialect-mismatch",
    description=(
        "The holder of a key with a ttl of two seconds renews it too late: key not found, errorCode 100."
    ),
)
def expired(stage: Stage) -> None:
    """Renew too late."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.example.test", "requests")
    me.put("/v2/keys/locks/reindex?prevExist=false", "value=node-4&ttl=2", 201, _FORM)
    time.sleep(3.4)
    renew = "/v2/keys/locks/reindex?prevExist=true&prevValue=node-4"
    me.put(renew, "ttl=2&refresh=true", 404, _FORM)
    me.get("/v2/keys/locks/reindex", 404)


@case(
    "a159",
    "etcd-watch-index-cleared",
    "token-expired",
    "400",
    alone="token-expired",
    also="status-dialect-mismatch",
    description="A watch resumes at an index that the server no longer keeps: 400 with errorCode 401.",
)
def cleared(stage: Stage) -> None:
    """Resume too far back."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.example.test", "curl:trace-time")
    index = swap(me, "queue/head", "1", "", 201).json["node"]["modifiedIndex"]
    me.get(f"/v2/keys/queue?wait=false&recursive=true&waitIndex={index}")
    for number in range(1050):
        url = f"http://127.0.0.1:{server.port}/v2/keys/noise"
        request = urllib.request.Request(url, f"value={number}".encode(), method="PUT")
        with urllib.request.urlopen(request) as answer:
            answer.read()
    me.get(f"/v2/keys/queue?wait=true&recursive=true&waitIndex={index + 1}", 400)
    me.get("/v2/keys/queue?recursive=true")


@case(
    "a160",
    "etcd-leader-election-healthy",
    "none",
    "healthy",
    alone="none expected-control-flow",
    also="expected-control-flow",
    description="A follower tries to become leader every second and loses each time, as it should.",
)
def election(stage: Stage) -> None:
    """Lose an election again and again."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.example.test", "requests")
    other = stage.actor("other", server, "etcd.example.test", "httpx")
    key = "/v2/keys/election/scheduler"
    other.put(f"{key}?prevExist=false", "value=node-1&ttl=3", 201, _FORM)
    for _ in range(5):
        me.put(f"{key}?prevExist=false", "value=node-2&ttl=3", 412, _FORM)
        other.put(f"{key}?prevExist=true&prevValue=node-1", "ttl=3&refresh=true", 200, _FORM)
        time.sleep(0.9)


@case(
    "a161",
    "etcd-swap-loop-healthy",
    "none",
    "healthy",
    alone="none",
    description="A worker swaps its own progress key again and again on the index of its last write.",
)
def loop(stage: Stage) -> None:
    """Swap on the own index."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.example.test", "httpx")
    index = swap(me, "progress/shard-3", "0", "prevExist=false", 201).json["node"]["modifiedIndex"]
    for done in (120, 240, 360, 480):
        answer = swap(me, "progress/shard-3", str(done), f"prevIndex={index}", 200)
        index = answer.json["node"]["modifiedIndex"]
    me.get("/v2/keys/progress/shard-3")


@case(
    "a162",
    "etcd-swap-answer-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A swap on prevIndex succeeds, its answer is lost; aiohttp repeats it by itself and is refused "
        "by the first attempt, whose value carries the operation's id."
    ),
)
def swap_lost(stage: Stage) -> None:
    """Let aiohttp repeat a swap that had worked."""
    server = stage.server("etcd")
    lost = iter([False, True])
    me = stage.actor(
        "client",
        server,
        "etcd.example.test",
        "aiohttp",
        loses=lambda request: request.method == "PUT" and next(lost, False),
    )
    index = swap(me, "jobs/42", '{"state":"queued"}', "", 201).json["node"]["modifiedIndex"]
    value = '{"state":"running","op":"9d2e6c51-run"}'
    swap(me, "jobs/42", value, f"prevIndex={index}", 412)
    me.get("/v2/keys/jobs/42")
