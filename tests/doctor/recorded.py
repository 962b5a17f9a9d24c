"""Record a real conflict as a HAR: a read, another writer, a refused write."""

from __future__ import annotations

import json
import time

from ifmatch.capture.har_writer import write_har
from ifmatch.model.message import Content, Fields, Request
from ifmatch.wire import Budget, ConnectPolicy, Limits, Sender


def record_conflict(origin, folder, mine, theirs):
    url = f"http://127.0.0.1:{origin.port}/notes/7"
    heads: list[bytes] = []
    origin.heads = heads
    original = origin.hook

    def hook(one, message):
        heads.append(repr(message).encode())
        return original(one, message) if original is not None else None

    origin.hook = hook
    with Sender(
        source="recorded",
        policy=ConnectPolicy(typed=True),
        budget=Budget(9, 20, time.monotonic),
        limits=Limits(),
        clock=time.monotonic,
        wall_clock=time.time,
    ) as wire:
        secret = ("Authorization", "Bearer hunter2hunter2")
        read = wire.send(Request("GET", url, Fields([secret, ("User-Agent", "app/1")])))
        origin.commit("/notes/7", json.dumps(theirs).encode())
        fields = [secret, ("User-Agent", "app/1"), ("If-Match", read.response.fields.text("etag"))]
        fields.append(("Content-Type", "application/json"))
        refused = wire.send(
            Request("PUT", url, Fields(fields), Content.from_octets(json.dumps(mine).encode()))
        )
        assert refused.status == 412
        path = folder / "conflict.har"
        with path.open("wb") as stream:
            write_har(stream, wire.exchanges)
    return str(path)
