"""Retries, replays and stale tokens: the story lies in the order of attempts."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, Reply, size_and_time_tag, version_tag
from tools.recording.scenarios.material import PAGE, SETTINGS, octets
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message


@case(
    "d142",
    "autosave-meets-save",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "The editor's autosave and the user's save go out 40 ms apart with one token; the first takes "
        "300 ms and wins, the second is refused. Nobody else writes."
    ),
    client=(200, 204, 412, 200),
)
def autosave(stage: Stage) -> None:
    """Save twice at once."""
    origin = stage.origin(Habits(put_status=204, write_delay=0.3, tag=version_tag))
    path = "/docs/9f/body"
    origin.store(path, PAGE, "text/html")
    me = stage.client(
        stage.front("nginx", stage.tap(origin.port)), "editor.example.test", "browser", {"Cookie": "tab=3"}
    )
    read = me.get(path)
    time.sleep(0.9)
    kind = {"If-Match": read.etag, "Content-Type": "text/html"}
    me.together(
        [
            lambda: me.put(path, PAGE.replace("rota", "rota (draft)"), {**kind, "X-Autosave": "1"}),
            lambda: me.put(path, PAGE.replace("rota", "rota 2026"), kind),
        ],
        stagger=0.04,
    )
    time.sleep(0.5)
    me.get(path)


@case(
    "d143",
    "four-workers-one-token",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "One import run lets four workers patch the same settings document with the token read at its "
        "start; one wins, three are refused within milliseconds."
    ),
    client=(200, 200, 412, 412, 412),
)
def four_workers(stage: Stage) -> None:
    """Patch with four workers."""
    origin = stage.origin(Habits(write_delay=0.12, lower=True))
    path = "/tenants/umbra/settings"
    origin.store(path, SETTINGS)
    me = stage.client(
        stage.front("haproxy", stage.tap(origin.port)),
        "admin.example.test",
        "go",
        {"X-Run-Id": "import-20261124-7"},
    )
    read = me.get(path)
    kind = {"If-Match": read.etag, "Content-Type": "application/merge-patch+json"}
    patches = [partial(me.send, "PATCH", path, kind, body={f"shard-{number}": "done"}) for number in range(4)]
    me.together(patches, stagger=0.006)


@case(
    "d144",
    "backoff-with-one-token",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "After another writer's change the client retries five times with growing pauses and the same "
        "token, never reading again."
    ),
    client=(200, 412, 412, 412, 412, 412),
    other=(200, 200),
)
def backoff(stage: Stage) -> None:
    """Retry without reading."""
    origin = stage.origin(Habits(tag=size_and_time_tag, problem="vendor"))
    path = "/inventory/items/hx-9"
    origin.store(path, {"sku": "hx-9", "count": 40, "bin": "B12"})
    front = stage.front("envoy", stage.tap(origin.port))
    me = stage.client(front, "wms.example.test", "java", {"X-Client": "picker-3"})
    other = stage.other(front, "wms.example.test", "java", {"X-Client": "picker-8"})
    mine, theirs = me.get(path), other.get(path)
    other.put(path, {"sku": "hx-9", "count": 38, "bin": "B12"}, {"If-Match": theirs.etag})
    for pause in (0.1, 0.2, 0.4, 0.8, 0.0):
        me.put(path, {"sku": "hx-9", "count": 35, "bin": "B12"}, {"If-Match": mine.etag})
        time.sleep(pause)


@case(
    "d145",
    "own-answer-not-taken",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A provisioning run keeps the tag of its first read; its own first write answered with a new one,"
        " and the second write is refused."
    ),
    client=(200, 200, 412, 200, 412),
)
def own_answer(stage: Stage) -> None:
    """Ignore the tag of one's own write."""
    origin = stage.origin(Habits(tag=version_tag, emit_last_modified=False))
    path = "/v1/networks/core/firewall"
    origin.store(path, {"rules": ["allow 22"], "revision": "r1"})
    me = stage.client(
        stage.front("caddy", stage.tap(origin.port)), "cloud.example.test", "go", {"X-Run": "apply-77"}
    )
    read = me.get(path)
    rules = ["allow 22"]
    for rule, pause in (("allow 443", 0.3), ("allow 8443", 0.9)):
        rules.append(rule)
        me.put(path, {"rules": rules, "revision": "r2"}, {"If-Match": read.etag})
        time.sleep(pause)
    me.get(path)
    me.put(path, {"rules": rules, "revision": "r2"}, {"If-Match": read.etag})


@case(
    "d146",
    "offline-database-older-than-pull",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A phone pulls the current note (and its tag) and then pushes the edit with the tag kept in its "
        "database from days ago."
    ),
    client=(200, 412, 200, 412),
)
def offline_database(stage: Stage) -> None:
    """Push with the tag of last week."""
    origin = stage.origin(Habits(tag=version_tag))
    path = "/notes/b81d"
    origin.store(path, "Buy candles\n", "text/plain; charset=utf-8")
    for text in ("Buy candles, matches\n", "Buy candles, matches, tape\n"):
        origin.commit(path, text.encode())
    me = stage.client(
        stage.tap(origin.port), "notes.example.test", "urlsession", {"Authorization": "Bearer n-12"}
    )
    for _ in range(2):
        me.get(path)
        time.sleep(0.5)
        me.put(
            path,
            "Buy candles, matches, tape, wax\n",
            {"If-Match": '"v1"', "Content-Type": "text/plain; charset=utf-8"},
        )
        time.sleep(1.0)


@case(
    "d147",
    "delete-after-patch",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A workflow patches a ticket, gets the new tag in the answer, and deletes with the old one; "
        "after a HEAD it deletes with the current tag."
    ),
    client=(200, 200, 412, 200, 204),
)
def delete_after_patch(stage: Stage) -> None:
    """Delete with the tag from before one's own patch."""
    origin = stage.origin(Habits(fields=(("Server", "Kestrel"), ("X-Powered-By", "ASP.NET"))))
    path = "/api/tickets/70021"
    origin.store(path, {"id": 70021, "state": "open", "assignee": "kai"})
    me = stage.client(stage.front("traefik", stage.tap(origin.port)), "desk.example.test", "powershell")
    read = me.get(path)
    me.send(
        "PATCH",
        path,
        {"If-Match": read.etag, "Content-Type": "application/merge-patch+json"},
        body={"state": "closed"},
    )
    time.sleep(0.4)
    me.send("DELETE", path, {"If-Match": read.etag})
    time.sleep(1.3)
    head = me.send("HEAD", path)
    me.send("DELETE", path, {"If-Match": head.etag})


@case(
    "d190",
    "client-timeout-then-again",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "The client gives up after 0.8 s; the service commits and answers after 1.3 s. The retry, two "
        "seconds later, meets its own write."
    ),
    client=(200, 0, 412, 200),
)
def client_timeout(stage: Stage) -> None:
    """Time out and send again."""
    origin = stage.origin(Habits(answer_delay=1.3, tag=version_tag))
    path = "/payments/intents/pi_3Q"
    origin.store(path, {"id": "pi_3Q", "amount": 4900, "state": "requires_capture"})
    me = stage.client(
        stage.front("haproxy", stage.tap(origin.port)),
        "pay.example.test",
        "requests",
        {"Authorization": "Bearer sk_test"},
    )
    read = me.get(path)
    body = {"id": "pi_3Q", "amount": 4900, "state": "captured"}
    headers = {"If-Match": read.etag, "Idempotency-Key": "0d4e6c"}
    me.put(path, body, headers, timeout=0.8)
    time.sleep(2.0)
    me.put(path, body, headers)
    me.get(path)


@case(
    "d191",
    "bad-gateway-after-commit",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "The service commits and its worker dies before it answers: nginx says 502, the client's one "
        "retry gets 412, the read shows its own binary."
    ),
    client=(200, 502, 412, 200),
)
def bad_gateway(stage: Stage) -> None:
    """Meet one's own write behind a 502."""
    died: list[bool] = []

    def die(_: Origin, __: Message) -> Reply | None:
        if died:
            return None
        died.append(True)
        return Reply(500, abort=True)

    origin = stage.origin(Habits(), after_commit=die)
    path = "/blobs/models/m-7.onnx"
    origin.store(path, octets(2400, 11), "application/octet-stream")
    me = stage.client(stage.front("nginx", stage.tap(origin.port)), "registry.example.test", "httpx")
    read = me.get(path)
    headers = {"If-Match": read.etag, "Content-Type": "application/octet-stream"}
    for pause in (1.0, 0.2):
        me.put(path, octets(2400, 12), headers)
        time.sleep(pause)
    me.get(path)


@case(
    "d192",
    "reset-after-create",
    "lost-response-replay",
    "412",
    alone="lost-response-replay exists-already",
    description=(
        "A create with If-None-Match: * is committed, the connection is reset, the automatic retry is "
        "told that the document exists; its body has the client's nonce."
    ),
    client=(404, 0, 412, 200),
)
def reset_after_create(stage: Stage) -> None:
    """Create, be reset, create again."""
    died: list[bool] = []

    def die(_: Origin, __: Message) -> Reply | None:
        if died:
            return None
        died.append(True)
        return Reply(500, abort=True)

    origin = stage.origin(Habits(tag=size_and_time_tag, lower=True), after_commit=die)
    path = "/events/2026/11/24/e-6b1f"
    me = stage.client(stage.tap(origin.port), "events.example.test", "aiohttp")
    me.get(path)
    for pause in (0.35, 0.0):
        me.put(path, {"kind": "signup", "nonce": "b7e0c2d9", "plan": "team"}, {"If-None-Match": "*"})
        time.sleep(pause)
    me.get(path)
