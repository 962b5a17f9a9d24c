"""Requests sent again, redirected or answered late, with nothing wrong in it."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, Reply, version_tag
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message


@case(
    "d234",
    "challenge-then-same-token",
    "none",
    "healthy",
    alone="none",
    description=(
        "The PUT is answered 401, the client repeats it with credentials and the same If-Match: taken."
    ),
    client=(200, 401, 200, 200),
)
def challenge(stage: Stage) -> None:
    """Repeat after a challenge."""

    def guard(_: Origin, request: Message) -> Reply | None:
        if request.method == "PUT" and request.get("Authorization") is None:
            return Reply(401, (("WWW-Authenticate", 'Basic realm="docs"'),))
        return None

    origin = stage.origin(Habits(), hook=guard)
    path = "/docs/policy.txt"
    origin.store(path, "Policy 1\n", "text/plain")
    me = stage.client(stage.front("traefik", stage.tap(origin.port)), "docs.example.test", "powershell")
    read = me.get(path)
    headers = {"If-Match": read.etag, "Content-Type": "text/plain"}
    me.put(path, "Policy 2\n", headers)
    me.put(path, "Policy 2\n", {**headers, "Authorization": "Basic ZG9jczpkb2Nz"})
    time.sleep(0.5)
    me.get(path)


@case(
    "d235",
    "busy-then-same-token",
    "none",
    "healthy",
    alone="none",
    description=(
        "503 with Retry-After: 1 before anything was stored; the same request a second later is taken."
    ),
    client=(200, 503, 200, 200),
)
def busy(stage: Stage) -> None:
    """Repeat after 503."""
    turned: list[bool] = []

    def overload(origin: Origin, request: Message) -> Reply | None:
        if request.method == "PUT" and not turned:
            turned.append(True)
            return origin.refusal(503, "busy", (("Retry-After", "1"),))
        return None

    origin = stage.origin(Habits(tag=version_tag), hook=overload)
    path = "/meters/m-9/tariff"
    origin.store(path, {"tariff": "day"})
    me = stage.client(stage.front("haproxy", stage.tap(origin.port)), "meters.example.test", "okhttp")
    read = me.get(path)
    for pause in (1.1, 0.3):
        me.put(path, {"tariff": "night"}, {"If-Match": read.etag})
        time.sleep(pause)
    me.get(path)


@case(
    "d241",
    "permanent-redirect-keeps-put",
    "none",
    "healthy",
    alone="none",
    description="308: the PUT goes again to the new path with its body and If-Match, and is taken there.",
    config=("return 308",),
    client=(200, 308, 200, 200),
)
def permanent(stage: Stage) -> None:
    """Follow a 308 as it should be."""
    origin = stage.origin(Habits())
    origin.store("/v2/items/4", {"item": 4, "label": "old"})
    tap = stage.tap(origin.port)
    front = stage.nginx(
        f"location /v2/ {{ proxy_pass http://127.0.0.1:{tap}; proxy_set_header Host $http_host; }}\n"
        "location /v1/ { return 308 http://items.example.test/v2/items/4; }"
    )
    me = stage.client(front, "items.example.test", "undici")
    read = me.get("/v2/items/4")
    for path in ("/v1/items/4", "/v2/items/4"):
        me.put(path, {"item": 4, "label": "new"}, {"if-match": read.etag})
    me.get("/v2/items/4")


@case(
    "d244",
    "invalid-then-corrected",
    "none",
    "healthy",
    alone="none",
    description="422 for a wrong field, corrected and sent again with the same token: taken.",
    client=(200, 422, 200),
)
def corrected(stage: Stage) -> None:
    """Correct a field and send again."""

    def validate(origin: Origin, request: Message) -> Reply | None:
        return origin.refusal(422, "age must be positive") if b'"age":-' in request.body else None

    origin = stage.origin(Habits(problem="vendor"), hook=validate)
    origin.store("/persons/3", {"name": "Eli", "age": 30})
    me = stage.client(stage.front("haproxy", stage.tap(origin.port)), "hr.example.test", "java")
    read = me.get("/persons/3")
    for age in (-31, 31):
        me.put("/persons/3", {"name": "Eli", "age": age}, {"If-Match": read.etag})
        time.sleep(0.8)


@case(
    "d247",
    "parallel-workers-own-documents",
    "none",
    "healthy",
    alone="none",
    description="Five workers write at once, each its own document with its own tag.",
    client=(200, 200, 200, 200, 200, 200, 200, 200, 200, 200),
)
def parallel_workers(stage: Stage) -> None:
    """Write five documents at once."""
    origin = stage.origin(Habits(tag=version_tag, answer_delay=0.05))
    paths = [f"/shards/{number}/cursor" for number in range(5)]
    for path in paths:
        origin.store(path, {"cursor": 100})
    me = stage.client(
        stage.front("nginx", stage.tap(origin.port)), "stream.example.test", "aiohttp", {"X-Run": "r5"}
    )
    tags = {path: me.get(path).etag for path in paths}
    puts = [partial(me.put, path, {"cursor": 200}, {"If-Match": tags[path]}) for path in paths]
    me.together(puts, stagger=0.01)


@case(
    "d250",
    "slow-but-answered",
    "none",
    "healthy",
    alone="none",
    description="A PUT that takes 1.6 s and is answered; the client waits, chains the tag, goes on.",
    client=(200, 200, 200, 304),
)
def slow(stage: Stage) -> None:
    """Wait for slow answers."""
    origin = stage.origin(Habits(answer_delay=1.6, tag=version_tag))
    path = "/renders/scene-2"
    origin.store(path, {"scene": 2, "samples": 64})
    me = stage.client(stage.front("nginx", stage.tap(origin.port)), "render.example.test", "bare")
    tag = me.get(path).etag
    for samples in (128, 256):
        tag = me.put(path, {"scene": 2, "samples": samples}, {"If-Match": tag}).etag
    me.get(path, {"If-None-Match": tag})
