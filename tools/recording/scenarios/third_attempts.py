"""Third batch: retries, lost answers, tags kept too long, names that are taken."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, Reply, size_and_time_tag
from tools.recording.scenarios.material import event
from tools.recording.scenarios.third_tokens import number_tag
from tools.recording.scenarios.third_writers import uuid_tag
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message

_MERGE = {"Content-Type": "application/merge-patch+json"}


@case(
    "d338",
    "map-of-tags-filled-by-reads-only",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "Two documents by turns; the map of tags is filled by GET only, so each second save of a document "
        "sends the tag from before the client's own save."
    ),
    client=(200, 200, 200, 200, 412, 412),
    upstream=(200, 200, 200, 200, 412, 412),
)
def map_of_tags(stage: Stage) -> None:
    """Edit two documents twice with the first tags."""
    origin = stage.origin(Habits(tag=number_tag, fields=(("X-Powered-By", "Express"),)))
    paths = ("/boards/1/columns/todo", "/boards/1/columns/done")
    for path in paths:
        origin.store(path, {"title": path.rsplit("/", 1)[-1], "cards": []})
    front = stage.front("caddy", stage.tap(origin.port))
    me = stage.client(front, "boards.example.test", "undici", {"authorization": "Bearer b"})
    tags = {path: me.get(path).etag for path in paths}
    for turn in range(2):
        for path in paths:
            time.sleep(0.35)
            cards = f'{{"cards":["card-{turn}"]}}'
            me.send("PATCH", path, {"if-match": tags[path], **_MERGE}, body=cards)


@case(
    "d339",
    "same-date-again-and-again",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A nightly upload guarded by a date is refused because an editor saved before it; the job repeats "
        "the same PUT with the same If-Unmodified-Since at growing pauses."
    ),
    client=(200, 412, 412, 412, 412),
    other=(200, 200),
)
def same_date(stage: Stage) -> None:
    """Repeat what was refused."""
    origin = stage.origin(Habits(emit_etag=False, problem="plain"))
    path = "/calendars/shifts.ics"
    origin.store(path, event("sh-1", "Early shift"), "text/calendar")
    front = stage.front("apache2", stage.tap(origin.port))
    kind = {"Content-Type": "text/calendar"}
    me = stage.client(front, "shifts.example.test", "ruby", {"Authorization": "Basic am9iOg=="})
    other = stage.other(front, "shifts.example.test", "davx5", {"Authorization": "Basic ZWQ6"})
    mine, theirs = me.get(path), other.get(path)
    other.put(path, event("sh-1", "Late shift", "14"), {"If-Unmodified-Since": theirs.last_modified, **kind})
    time.sleep(1.3)
    for pause in (0.2, 0.5, 1.1, 2.2):
        me.put(path, event("sh-1", "Early shift", "07"), {"If-Unmodified-Since": mine.last_modified, **kind})
        time.sleep(pause)


@case(
    "d341",
    "patch-timed-out-then-repeated",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A PATCH is applied, its answer comes later than the client waits; the repeat with the same "
        "request id is 412, and the read shows this very request id in the document."
    ),
    client=(200, 0, 412, 200),
)
def patch_timeout(stage: Stage) -> None:
    """Give up, repeat, and find the own change."""
    origin = stage.origin(Habits(tag=uuid_tag, answer_delay=1.4))
    path = "/accounts/88/limits"
    origin.store(path, {"daily": 500, "lastRequest": "r-1001"})
    front = stage.front("traefik", stage.tap(origin.port))
    me = stage.client(front, "bank.example.test", "okhttp", {"Authorization": "Bearer teller"})
    tag = me.get(path).etag
    again = {"If-Match": tag, "X-Request-Id": "r-1002", **_MERGE}
    body = '{"daily":750,"lastRequest":"r-1002"}'
    me.send("PATCH", path, again, body=body, timeout=0.7)
    time.sleep(1.0)
    me.send("PATCH", path, again, body=body)
    time.sleep(0.3)
    me.get(path)


@case(
    "d343",
    "create-reset-then-again",
    "lost-response-replay",
    "412",
    alone="lost-response-replay exists-already",
    description=(
        "The connection breaks after a create-only PUT was stored; the second try meets If-None-Match: * "
        "on its own document, with the client's own nonce inside."
    ),
    client=(0, 412, 200),
)
def create_reset(stage: Stage) -> None:
    """Create, lose the answer, create again."""
    broken: list[bool] = []

    def lose(_: Origin, __: Message) -> Reply | None:
        broken.append(True)
        return Reply(0, abort=True) if len(broken) == 1 else None

    origin = stage.origin(Habits(), after_commit=lose)
    path = "/jobs/nightly-2026-11-26"
    me = stage.client(stage.tap(origin.port), "jobs.example.test", "httpx", {"Authorization": "Bearer s"})
    job = {"job": "nightly", "nonce": "6f0d3a52-11", "owner": "scheduler-1"}
    me.put(path, job, {"If-None-Match": "*"})
    time.sleep(0.4)
    me.put(path, job, {"If-None-Match": "*"})
    me.get(path)


@case(
    "d346",
    "second-uploader-of-a-name",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "HEAD says 404, a minute's typing later another client has created the page under this name; the "
        "create-only PUT is refused and the other's text is shown."
    ),
    client=(404, 412, 200),
    other=(201,),
)
def second_uploader(stage: Stage) -> None:
    """Create what another created first."""
    origin = stage.origin(Habits(tag=size_and_time_tag, problem="html"))
    path = "/pages/team-offsite"
    front = stage.front("haproxy", stage.tap(origin.port))
    me = stage.client(front, "pages.example.test", "browser", {"Cookie": "u=1"})
    other = stage.other(front, "pages.example.test", "browser", {"Cookie": "u=2"})
    kind = {"Content-Type": "text/html", "If-None-Match": "*"}
    me.send("HEAD", path)
    time.sleep(0.9)
    other.put(path, "<h1>Offsite</h1><p>By Ulla: we meet in Lund.</p>", kind)
    time.sleep(1.1)
    me.put(path, "<h1>Team offsite</h1><p>Agenda to come.</p>", kind)
    me.get(path)
