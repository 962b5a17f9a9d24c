"""Conditions on dates: fractions, clocks, forms, zones."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, formatdate, parsedate_to_datetime

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import west_setting as place

_FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


def moved(date: str, **by: float) -> str:
    """Return an HTTP date moved by so much."""
    return format_datetime(parsedate_to_datetime(date) + timedelta(**by), usegmt=True)


@case(
    "a967",
    "west-milliseconds-behind-the-date",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "The service has no tags and compares If-Unmodified-Since with a time in milliseconds: the exact "
        "echo of Last-Modified fails, one second more passes; updatedAt shows the fraction."
    ),
)
def fraction(stage: Stage) -> None:
    """Echo the date and be refused."""
    server = place.platform(stage, TAG="none", EXACT="1")
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, "api.acme.test", "node:fetch", {**place.JSONAPI, "X-Actor": "svc-crm"})
    place.stroll(me, "api", 3)
    me.get("/api/v3/projects?page%5Bsize%5D=10")
    date = me.get(f"/{place.PROJECT}").fields["last-modified"]
    body = place.project(budget=47000)
    me.put(f"/{place.PROJECT}", body, 412, {"If-Unmodified-Since": date})
    date = me.get(f"/{place.PROJECT}").fields["last-modified"]
    me.put(f"/{place.PROJECT}", body, 412, {"If-Unmodified-Since": date})
    me.put(f"/{place.PROJECT}", body, 200, {"If-Unmodified-Since": moved(date, seconds=1)})


@case(
    "a968",
    "west-two-saves-in-one-second",
    "date-precision",
    "lost-update",
    alone="none date-precision",
    also="other-writer",
    description=(
        "A page without tags is saved twice within one second: both versions have one Last-Modified, so "
        "the guard of the reader in between passes and the second author's text is lost."
    ),
)
def one_second(stage: Stage) -> None:
    """Share a date."""
    server = place.platform(stage, TAG="none")
    me = stage.actor("client", server, "wiki.acme.test", "requests", {"X-Actor": "hedda"})
    other = stage.actor("other", server, "wiki.acme.test", "httpx", {"X-Actor": "tomas"})
    path = f"/{place.PAGE}"
    place.stroll(me, "wiki", 3)
    me.get(f"/{place.RUNBOOK}")
    start = {"If-Unmodified-Since": other.get(path).fields["last-modified"]}
    time.sleep(1.02 - time.time() % 1)
    first = other.put(path, place.page(body="Page the secondary after 7 minutes."), 200, start)
    date = me.get(path).fields["last-modified"]
    second = other.put(
        path,
        place.page(body="Page the secondary after 7 minutes. Log the page in OPS-12."),
        200,
        {"If-Unmodified-Since": first.fields["last-modified"]},
    )
    place.require(second.fields["last-modified"] == date, "not within one second")
    time.sleep(1.5)
    body = place.page(title="On-call guide", body="Page the secondary after 7 minutes.")
    me.put(path, body, 200, {"If-Unmodified-Since": date})
    other.get(path)
    me.get(path)


@case(
    "a969",
    "west-appliance-clock-behind",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "An appliance guards each save with its own time (shown in X-Device-Time), whose clock is 433 "
        "seconds behind the server's: its second save always lies before its own first one."
    ),
)
def behind(stage: Stage) -> None:
    """Guard with a clock that is behind."""
    server = place.platform(stage, TAG="none")
    front = fronts.haproxy(stage, [server])
    me = stage.actor(
        "client", front, "config.acme.test", "urllib", {"User-Agent": "edgebox/2.7", **place.YAML}
    )

    def now() -> dict[str, str]:
        moment = time.time() - 433
        shown = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"X-Device-Time": shown, "If-Unmodified-Since": formatdate(moment, usegmt=True)}

    place.stroll(me, "config", 3)
    me.get(f"/{place.LIMITS}")
    me.put(f"/{place.GATEWAY}", place.gateway(), 200, now())
    time.sleep(1.4)
    me.put(f"/{place.GATEWAY}", place.gateway("retries: 2", "retries: 5"), 412, now())
    me.get(f"/{place.GATEWAY}")
    time.sleep(1.4)
    me.put(f"/{place.GATEWAY}", place.gateway("retries: 2", "retries: 5"), 412, now())


@case(
    "a970",
    "west-region-clock-ahead",
    "clock-skew",
    "lost-update",
    alone="none clock-skew",
    also="other-writer",
    description=(
        "The node of one region runs 95 seconds ahead. A version saved there has a Last-Modified in the "
        "future; the other region's save, made later, gets an earlier one, and the first writer's guard "
        "lets it overwrite that."
    ),
)
def ahead(stage: Stage) -> None:
    """Write in two regions."""
    fast = {"NODE": "us-east", "LD_PRELOAD": _FAKETIME, "FAKETIME": "+95s"}
    right, wrong = place.pair(stage, {"NODE": "eu-west", "TAG": "none"}, {**fast, "TAG": "none"})
    me = stage.actor("client", wrong, "api.acme.test", "httpx", {**place.JSONAPI, "X-Actor": "ivo"})
    other = stage.actor("other", right, "api.acme.test", "node:axios", {**place.JSONAPI, "X-Actor": "mara"})
    path = f"/{place.PROJECT}"
    place.stroll(me, "api", 2)
    date = me.get(path).fields["last-modified"]
    held = me.put(path, place.project(status="review"), 200, {"If-Unmodified-Since": date})
    theirs = other.get(path).fields["last-modified"]
    body = place.project(status="review", budget=66000)
    other.put(path, body, 200, {"If-Unmodified-Since": theirs})
    other.get(path)
    time.sleep(0.8)
    guard = {"If-Unmodified-Since": held.fields["last-modified"]}
    me.put(path, place.project(status="approved"), 200, guard)
    other.get(path)
    me.get(path)


@case(
    "a971",
    "west-iso-date-as-guard",
    "bad-date",
    "412",
    alone="bad-date",
    description=(
        "A script takes updatedAt of the content, in ISO 8601, for If-Unmodified-Since: the service "
        "refuses what is no HTTP date; Last-Modified of the same read passes."
    ),
)
def iso(stage: Stage) -> None:
    """Send a date in another form."""
    server = place.platform(stage, TAG="none", DATES="refuse")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "api.acme.test", "curl", {**place.JSONAPI, "X-Actor": "cron-billing"})
    place.stroll(me, "api", 2)
    me.get("/-/ready")
    read = me.get(f"/{place.MILESTONE}")
    stamp = str(place.member(read, "data", "meta", "updatedAt"))
    attributes = {"title": "Beta", "due": "2026-12-20", "project": "atlas", "state": "open"}
    body = {"data": {"type": "milestones", "id": "m-17", "attributes": attributes}}
    me.put(f"/{place.MILESTONE}", body, 412, {"If-Unmodified-Since": stamp})
    me.get(f"/{place.MILESTONE}")
    me.put(f"/{place.MILESTONE}", body, 412, {"If-Unmodified-Since": stamp[:19] + "Z"})
    me.put(f"/{place.MILESTONE}", body, 200, {"If-Unmodified-Since": read.fields["last-modified"]})


@case(
    "a972",
    "west-sao-paulo-time-labelled-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A desktop client stores Last-Modified in local time (UTC-3) and writes it out as GMT: the guard "
        "lies three hours before the served date to the second, and each save is refused."
    ),
)
def zone(stage: Stage) -> None:
    """Label local time GMT."""
    server = place.platform(stage, TAG="none")
    me = stage.actor(
        "client", server, "wiki.acme.test", "java", {"X-Actor": "caio", "User-Agent": "WikiDesk/3"}
    )
    place.stroll(me, "wiki", 4)
    me.get("/wiki/spaces/OPS/pages?limit=10")
    date = me.get(f"/{place.PAGE}").fields["last-modified"]
    body = place.page(labels=["sre", "plantao"])
    me.put(f"/{place.PAGE}", body, 412, {"If-Unmodified-Since": moved(date, hours=-3)})
    date = me.get(f"/{place.RUNBOOK}").fields["last-modified"]
    more = place.page(place.RUNBOOK, labels=["plantao"])
    me.put(f"/{place.RUNBOOK}", more, 412, {"If-Unmodified-Since": moved(date, hours=-3)})
    me.get(f"/{place.PAGE}")
