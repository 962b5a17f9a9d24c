"""Captures as people send them in: without the text of answers, or one trouble among much healthy traffic."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import records
from tools.recording_apis.stories.browser import Browser, in_browser
from tools.recording_apis.stories.objects import bucket

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor

_TASKS = "/v1/buckets/team/collections/tasks"


@case(
    "a261",
    "django-other-writer-no-content",
    "other-writer",
    "412",
    alone="other-writer",
    description="Read, refused, read again with another tag; the HAR holds no content of answers.",
)
def bare_other(stage: Stage) -> None:
    """Tell by tags alone."""
    stage.keeps_content = False
    server = stage.server("application", app="notes_django")
    me = stage.actor("client", server, "grants.example.test")
    other = stage.actor("other", server, "grants.example.test", "httpx")
    read, theirs = me.get("/notes/12"), other.get("/notes/12")
    time.sleep(0.6)
    other.put("/notes/12", {**theirs.json, "budget": 8800}, 200, {"If-Match": theirs.etag})
    me.put("/notes/12", {**read.json, "status": "submitted"}, 412, {"If-Match": read.etag})
    me.get("/notes/12")


@case(
    "a262",
    "s3-create-answer-lost-no-content",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "The answer to a guarded PutObject is lost and boto3 repeats it; without content of answers the "
        "proof is the invocation id and the tag, which is the MD5 of what was sent."
    ),
)
def bare_lost(stage: Stage) -> None:
    """Prove authorship by the tag."""
    stage.keeps_content = False
    server = stage.server("moto")
    lost = iter([True])
    me = bucket(stage, server, loses=lambda request: request.method == "PUT" and next(lost, False))
    key: dict[str, Any] = {"Bucket": "data", "Key": "exports/2026-11-24T15.parquet"}
    me.call("put_object", 412, **key, Body=b'PAR1 job 7f31c0de {"rows":90112} PAR1', IfNoneMatch="*")
    me.call("head_object", **key)


@case(
    "a263",
    "kinto-stale-own-token-no-content",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description="Two saves with the tag of the first read; the HAR holds no content of answers.",
)
def bare_stale(stage: Stage) -> None:
    """Tell by the own answer's tag."""
    stage.keeps_content = False
    server = records.furnished(stage, "stack-wood")
    me = records.anna(stage, server, "httpx")
    path = f"{_TASKS}/records/stack-wood"
    tag = me.get(path).etag
    me.put(path, records.record("stack the wood"), 200, {"If-Match": tag})
    time.sleep(0.8)
    me.put(path, records.record("stack the wood", done=True), 412, {"If-Match": tag})


@case(
    "a264",
    "kinto-sync-no-content-healthy",
    "none",
    "healthy",
    alone="none",
    description="A synchronisation of several records without trouble; the HAR holds no content of answers.",
)
def bare_healthy(stage: Stage) -> None:
    """Synchronise."""
    stage.keeps_content = False
    server = records.furnished(stage, "one", "two", "three")
    me = records.anna(stage, server, "aiohttp")
    tag = me.get(f"{_TASKS}/records").etag
    me.get(f"{_TASKS}/records", 304, {"If-None-Match": tag})
    for name in ("one", "two", "three"):
        own = me.get(f"{_TASKS}/records/{name}").etag
        me.put(f"{_TASKS}/records/{name}", records.record(name, done=True), 200, {"If-Match": own})
    me.get(f"{_TASKS}/records", 200, {"If-None-Match": tag})


def _busy(me: Actor, names: list[str]) -> dict[str, str]:
    """Poll, read and update many records; return their tags."""
    listing = me.get(f"{_TASKS}/records").etag
    me.get(f"{_TASKS}/records", 304, {"If-None-Match": listing})
    tags = {name: me.get(f"{_TASKS}/records/{name}").etag for name in names}
    for name in names[:6]:
        path = f"{_TASKS}/records/{name}"
        tags[name] = me.put(path, records.record(name, done=True), 200, {"If-Match": tags[name]}).etag
        me.get(path, 304, {"If-None-Match": tags[name]})
    return tags


@case(
    "a265",
    "kinto-one-conflict-among-many",
    "other-writer",
    "412",
    alone="other-writer",
    description="Thirty requests on ten records; one update is refused because Ben changed that record.",
)
def among_many(stage: Stage) -> None:
    """Find the one that failed."""
    names = [f"task-{number}" for number in range(10)]
    server = records.furnished(stage, *names)
    me, other = records.anna(stage, server), records.ben(stage, server)
    tags = _busy(me, names)
    path = f"{_TASKS}/records/task-8"
    other.put(path, records.record("task-8, Ben's"), 200, {"If-Match": other.get(path).etag})
    me.put(f"{_TASKS}/records/task-7", records.record("seven"), 200, {"If-Match": tags["task-7"]})
    me.put(path, records.record("eight"), 412, {"If-Match": tags["task-8"]})
    me.put(f"{_TASKS}/records/task-9", records.record("nine"), 200, {"If-Match": tags["task-9"]})
    me.get(f"{_TASKS}/records")


@case(
    "a266",
    "kinto-parallel-workers-healthy",
    "none",
    "healthy",
    alone="none",
    description="Four workers of one program update eight different records at the same time, all accepted.",
)
def parallel(stage: Stage) -> None:
    """Work in parallel on different records."""
    names = [f"task-{number}" for number in range(8)]
    server = records.furnished(stage, *names)
    me = records.anna(stage, server)

    def update(name: str) -> None:
        path = f"{_TASKS}/records/{name}"
        for done in (True, False):
            tag = me.get(path).etag
            me.put(path, records.record(name, done=done), 200, {"If-Match": tag})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(update, names))
    me.get(f"{_TASKS}/records")


@case(
    "a267",
    "s3-daily-guard-on-own-object",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "The job's second run replaces its own report, which it has stored and read, with If-None-Match: *."
    ),
)
def daily(stage: Stage) -> None:
    """Replace the own object as if it were new."""
    server = stage.server("moto")
    me = bucket(stage, server)
    key: dict[str, Any] = {"Bucket": "data", "Key": "reports/latest.json"}
    me.call("put_object", **key, Body='{"day":"2026-11-23","total":41}', IfNoneMatch="*")
    time.sleep(1.3)
    me.call("get_object", **key)
    me.call("put_object", 412, **key, Body='{"day":"2026-11-24","total":57}', IfNoneMatch="*")


@case(
    "a268",
    "s3-unquoted-tag-tolerated-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "Tags go into If-Match and If-None-Match without quotes, which S3's dialect takes: no fault shows."
    ),
)
def tolerated(stage: Stage) -> None:
    """Leave the quotes away where it does no harm."""
    server = stage.server("moto")
    me = bucket(stage, server)
    key: dict[str, Any] = {"Bucket": "data", "Key": "site/index.html"}
    me.call("put_object", **key, Body="<p>one</p>")
    tag = me.call("head_object", **key)["ETag"].strip('"')
    me.call("get_object", **key, IfMatch=tag)
    fresh = me.call("put_object", **key, Body="<p>two</p>", IfMatch=tag)["ETag"].strip('"')
    me.call("put_object", **key, Body="<p>three</p>", IfMatch=fresh)


@case(
    "a269",
    "chromium-refused-then-rebased",
    "none",
    "recovered",
    alone="none other-writer",
    also="other-writer",
    description=(
        "A page is refused, reads again, takes over the colleague's text and stores with the fresh tag."
    ),
)
def page_heals(stage: Stage) -> None:
    """Heal a refusal in a page."""

    def play(browser: Browser) -> None:
        tag = browser.read()
        other = stage.actor("other", browser.api, "api.example.test", "requests")
        theirs = other.get("/documents/7").etag
        other.put("/documents/7", {"name": "Terms", "text": "Draft of June"}, 200, {"If-Match": theirs})
        browser.write(tag, "Draft of March, reviewed", 412)
        fresh = browser.read()
        browser.write(fresh, "Draft of June, reviewed", 200)

    in_browser(stage, play, ALLOW="If-Match, Content-Type", EXPOSE="ETag")
