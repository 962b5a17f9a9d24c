"""Kinto: records, collections, buckets with timestamps as tags."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor
    from tools.recording_apis.servers import Server

_TASKS = "/v1/buckets/team/collections/tasks"
_ANNA = {"Authorization": "Basic YW5uYTphbm5h"}
_BEN = {"Authorization": "Basic YmVuOmJlbg=="}


def furnished(stage: Stage, *identifiers: str) -> Server:
    """Start Kinto with two accounts, a shared collection and records."""
    server = stage.server("kinto")
    setup = stage.actor("setup", server, "sync.example.test", "httpx")
    for name in ("anna", "ben"):
        setup.put(f"/v1/accounts/{name}", {"data": {"password": name}}, 201)
    both = {"permissions": {"write": ["account:anna", "account:ben"]}}
    setup.put("/v1/buckets/team", both, 201, _ANNA)
    setup.put(_TASKS, both, 201, _ANNA)
    for identifier in identifiers:
        setup.put(
            f"{_TASKS}/records/{identifier}", {"data": {"title": identifier, "done": False}}, 201, _ANNA
        )
        time.sleep(0.02)
    for name in ("setup", "upstream"):
        stage.taps[name].recorded.clear()
    return server


def anna(stage: Stage, server: Server, program: str = "requests") -> Actor:
    """Return the first user."""
    return stage.actor("client", server, "sync.example.test", program, _ANNA)


def ben(stage: Stage, server: Server) -> Actor:
    """Return the second user."""
    return stage.actor("other", server, "sync.example.test", "httpx", _BEN)


def record(title: str, *, done: bool = False) -> dict[str, object]:
    """Return a record's envelope."""
    return {"data": {"title": title, "done": done}}


@case(
    "a140",
    "kinto-other-writer",
    "other-writer",
    "412",
    alone="other-writer",
    description="Ben ticks a task off while Anna renames it; Kinto's 412 carries the existing record.",
)
def other_writer(stage: Stage) -> None:
    """Two people edit one record."""
    server = furnished(stage, "paint-fence")
    me, other = anna(stage, server), ben(stage, server)
    path = f"{_TASKS}/records/paint-fence"
    tag = me.get(path).etag
    theirs = other.get(path).etag
    other.put(path, record("paint-fence", done=True), 200, {"If-Match": theirs})
    time.sleep(0.6)
    me.put(path, record("paint the fence"), 412, {"If-Match": tag})


@case(
    "a141",
    "kinto-collection-token",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    description=(
        "Anna adds a record under the collection's tag; Ben has added an unrelated one meanwhile, so her "
        "POST is refused although nothing she touches has changed."
    ),
)
def coarse(stage: Stage) -> None:
    """Guard one record with the whole collection's tag."""
    server = furnished(stage, "one", "two")
    me, other = anna(stage, server), ben(stage, server)
    tag = me.get(f"{_TASKS}/records").etag
    other.put(f"{_TASKS}/records/three", record("three"), 201, {"If-None-Match": "*"})
    time.sleep(0.3)
    body = {"data": {"id": "four", "title": "four", "done": False}}
    me.send("POST", f"{_TASKS}/records", 412, {"If-Match": tag}, body)
    me.get(f"{_TASKS}/records")


@case(
    "a142",
    "kinto-parent-tag",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description="The client updates a record with the tag of the collection object it lies in.",
)
def parent(stage: Stage) -> None:
    """Take the parent's tag."""
    server = furnished(stage, "order-paint")
    me = anna(stage, server, "curl")
    tag = me.get(_TASKS).etag
    me.get(f"{_TASKS}/records/order-paint")
    me.put(f"{_TASKS}/records/order-paint", record("order the paint"), 412, {"If-Match": tag})
    me.get(f"{_TASKS}/records/order-paint")


@case(
    "a143",
    "kinto-unquoted-timestamp",
    "malformed-validator",
    "400",
    alone="malformed-validator",
    description="The client sends the timestamp of last_modified without quotes; Kinto answers 400.",
)
def unquoted(stage: Stage) -> None:
    """Leave the quotes away."""
    server = furnished(stage, "buy-nails")
    me = anna(stage, server)
    path = f"{_TASKS}/records/buy-nails"
    stamp = me.get(path).json["data"]["last_modified"]
    me.put(path, record("buy nails", done=True), 400, {"If-Match": str(stamp)})


@case(
    "a144",
    "kinto-null-token",
    "null-token",
    "400",
    alone="null-token",
    also="malformed-validator",
    description="The variable was never set: the request carries If-Match: undefined.",
)
def null(stage: Stage) -> None:
    """Send a missing value."""
    server = furnished(stage, "sand-door")
    me = anna(stage, server, "aiohttp")
    me.get(f"{_TASKS}/records/sand-door")
    me.put(f"{_TASKS}/records/sand-door", record("sand the door"), 400, {"If-Match": "undefined"})


@case(
    "a145",
    "kinto-exists-already",
    "exists-already",
    "412",
    alone="exists-already",
    description="Both devices make the record of the day with If-None-Match: *; the second one is refused.",
)
def exists(stage: Stage) -> None:
    """Create the record of the day twice."""
    server = furnished(stage)
    me, other = anna(stage, server), ben(stage, server)
    path = f"{_TASKS}/records/day-2026-11-24"
    other.put(path, record("by ben"), 201, {"If-None-Match": "*"})
    time.sleep(0.7)
    me.put(path, record("by anna"), 412, {"If-None-Match": "*"})
    me.get(path)


@case(
    "a146",
    "kinto-own-stale-token",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description="The client patches a record twice with the tag of its first read.",
)
def stale(stage: Stage) -> None:
    """Forget the tag of the own write."""
    server = furnished(stage, "oil-hinges")
    me = anna(stage, server, "httpx")
    path = f"{_TASKS}/records/oil-hinges"
    tag = me.get(path).etag
    me.send("PATCH", path, 200, {"If-Match": tag}, {"data": {"done": True}})
    time.sleep(0.4)
    me.send("PATCH", path, 412, {"If-Match": tag}, {"data": {"title": "oil all hinges"}})
    me.get(path)


@case(
    "a147",
    "kinto-deleted-by-other",
    "target-missing",
    "412",
    alone="target-missing",
    description="Ben has deleted the record; Anna's update with her tag is refused.",
)
def deleted(stage: Stage) -> None:
    """Update a deleted record."""
    server = furnished(stage, "old-task")
    me, other = anna(stage, server), ben(stage, server)
    path = f"{_TASKS}/records/old-task"
    tag = me.get(path).etag
    other.send("DELETE", path, 200)
    me.put(path, record("old task, renamed"), (404, 412), {"If-Match": tag})
    me.get(path, 404)


@case(
    "a148",
    "kinto-poll-and-sync-healthy",
    "none",
    "healthy",
    alone="none",
    description="Polling with 304s, changes since a timestamp, a create and an update with the right tags.",
)
def polling(stage: Stage) -> None:
    """Poll and synchronise."""
    server = furnished(stage, "one", "two")
    me = anna(stage, server)
    tag = me.get(f"{_TASKS}/records").etag
    for _ in range(3):
        me.get(f"{_TASKS}/records", 304, {"If-None-Match": tag})
        time.sleep(0.25)
    me.put(f"{_TASKS}/records/three", record("three"), 201, {"If-None-Match": "*"})
    since = tag.strip('"')
    me.get(f"{_TASKS}/records?_since={since}")
    own = me.get(f"{_TASKS}/records/one").etag
    fresh = me.put(f"{_TASKS}/records/one", record("one", done=True), 200, {"If-Match": own}).etag
    me.put(f"{_TASKS}/records/one", record("one!", done=True), 200, {"If-Match": fresh})


@case(
    "a149",
    "kinto-two-people-two-records-healthy",
    "none",
    "healthy",
    alone="none",
    description="Anna and Ben edit different records of one collection with the records' own tags.",
)
def disjoint(stage: Stage) -> None:
    """Edit different records."""
    server = furnished(stage, "hers", "his")
    me, other = anna(stage, server), ben(stage, server)
    hers, his = f"{_TASKS}/records/hers", f"{_TASKS}/records/his"
    mine, yours = me.get(hers).etag, other.get(his).etag
    for number in (1, 2, 3):
        mine = me.put(hers, record(f"hers {number}"), 200, {"If-Match": mine}).etag
        yours = other.put(his, record(f"his {number}"), 200, {"If-Match": yours}).etag
    me.get(f"{_TASKS}/records")


@case(
    "a150",
    "kinto-two-unguarded-puts",
    "unconditional-write",
    "lost-update",
    alone="none unconditional-write",
    description="Anna and Ben read the same version and put without any condition: Ben's edit is gone.",
)
def unguarded(stage: Stage) -> None:
    """Write without a condition."""
    server = furnished(stage, "hang-lamp")
    me, other = anna(stage, server), ben(stage, server)
    path = f"{_TASKS}/records/hang-lamp"
    me.get(path)
    other.get(path)
    other.put(path, record("hang the lamp in the hall"), 200)
    time.sleep(0.7)
    me.put(path, record("hang-lamp", done=True), 200)
    other.get(path)


@case(
    "a151",
    "kinto-fresh-tag-old-edit",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "The client fetches a fresh tag right before its write and sends an edit of the version before: "
        "Ben's title is overwritten although every check passed."
    ),
)
def blind(stage: Stage) -> None:
    """Refresh the tag, not the edit."""
    server = furnished(stage, "fix-gate")
    me, other = anna(stage, server), ben(stage, server)
    path = f"{_TASKS}/records/fix-gate"
    edit = me.get(path).json["data"]
    theirs = other.get(path).etag
    other.put(path, record("fix the gate's hinge"), 200, {"If-Match": theirs})
    time.sleep(1.1)
    tag = me.get(path).etag
    body = {"data": {"title": edit["title"], "done": True}}
    me.put(path, body, 200, {"If-Match": tag})


@case(
    "a152",
    "kinto-refused-then-rebased",
    "none",
    "recovered",
    alone="none other-writer",
    also="other-writer",
    description="Refused once, the client takes the existing record out of Kinto's 412, rebases and stores.",
)
def rebased(stage: Stage) -> None:
    """Rebase on what the refusal shows."""
    server = furnished(stage, "wash-van")
    me, other = anna(stage, server), ben(stage, server)
    path = f"{_TASKS}/records/wash-van"
    tag = me.get(path).etag
    other.put(path, record("wash the van"), 200, {"If-Match": other.get(path).etag})
    refused = me.put(path, record("wash-van", done=True), 412, {"If-Match": tag})
    existing = refused.json["details"]["existing"]
    me.put(path, record(existing["title"], done=True), 200, {"If-Match": refused.etag})


@case(
    "a153",
    "kinto-create-answer-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A record with a random id is created with If-None-Match: *, the answer is lost; aiohttp repeats "
        "the PUT by itself and is refused by its first attempt."
    ),
)
def create_lost(stage: Stage) -> None:
    """Let aiohttp repeat a creation that had worked."""
    server = furnished(stage)
    lost = iter([True])
    me = stage.actor(
        "client",
        server,
        "sync.example.test",
        "aiohttp",
        _ANNA,
        loses=lambda request: request.method == "PUT" and next(lost, False),
    )
    path = f"{_TASKS}/records/e1c1a3f2-7d52-4c5e-9f0e-51b8a6c0d2aa"
    me.put(path, record("buy varnish"), 412, {"If-None-Match": "*"})
    me.get(path)
