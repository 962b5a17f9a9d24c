"""Guards of the wrong kind, missing ones, ones nobody wrote, and tokens that have run out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import west_setting as place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.recording_apis.actors import Answer, Program


@dataclass
class Caching:
    """A client library with a cache of its own that adds If-None-Match to whatever it has a tag for.

    Args:
        inner: What sends.
    """

    inner: Program
    tags: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request with the condition of the cache."""
        known = self.tags.get(url)
        more = {"If-None-Match": known} if known else {}
        answer = self.inner.send(method, url, {**headers, **more}, body)
        if method == "GET" and answer.status == 200 and "etag" in answer.fields:
            self.tags[url] = answer.etag
        return answer

    def close(self) -> None:
        """Close what sends."""
        self.inner.close()


@case(
    "a930",
    "west-config-push-always-creates",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A push tool reads the gateway's configuration with its tag, changes a line and puts it back with "
        "If-None-Match: *, as it does for new files."
    ),
)
def create_guard(stage: Stage) -> None:
    """Guard an update as a creation."""
    server = place.platform(stage)
    fields = {**place.YAML, "X-Actor": "confd", "User-Agent": "confd-push/0.9"}
    me = stage.actor("client", server, "config.acme.test", "httpx", fields)
    place.stroll(me, "config", 3)
    me.get(f"/{place.GATEWAY}")
    me.put("/config/edge/headers.yaml", "hsts: true\n", 201, {"If-None-Match": "*"})
    me.put(f"/{place.GATEWAY}", place.gateway("retries: 2", "retries: 3"), 412, {"If-None-Match": "*"})
    me.get(f"/{place.GATEWAY}")


@case(
    "a931",
    "west-project-saves-need-a-tag",
    "token-missing",
    "428",
    alone="token-missing",
    description=(
        "The projects service demands a condition; an integration script saves without, gets 428, reads "
        "(the tag is there to see) and saves without once more."
    ),
)
def demanded(stage: Stage) -> None:
    """Save without what is demanded."""
    server = place.platform(stage, REQUIRE="428")
    me = stage.actor(
        "client", server, "api.acme.test", "node:fetch", {**place.JSONAPI, "X-Actor": "zap-hook"}
    )
    place.stroll(me, "api", 5)
    me.get("/api/v3/projects?sort=-updatedAt")
    body = place.project(status="won")
    me.put(f"/{place.PROJECT}", body, 428)
    me.get(f"/{place.PROJECT}")
    me.put(f"/{place.PROJECT}", body, 428)


@case(
    "a932",
    "west-flag-api-400-without-version",
    "token-missing",
    "400",
    alone="token-missing",
    also="status-dialect-mismatch",
    description=(
        "A flag service refuses a write that names no version with 400 and a text that asks for "
        "If-Match; a colleague's client that sends the tag passes."
    ),
)
def bad_request(stage: Stage) -> None:
    """Be told by 400 that the version is missing."""
    server = place.platform(stage, REQUIRE="400")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "flags.acme.test", "java", {"X-Actor": "kim"})
    other = stage.actor("other", front, "flags.acme.test", "httpx", {"X-Actor": "lou"})
    place.stroll(me, "flags", 2)
    me.get("/flags/web/production?limit=10")
    me.get(f"/{place.OTHER_FLAG}")
    me.put(f"/{place.OTHER_FLAG}", place.flag(place.OTHER_FLAG, rollout=99), 400)
    theirs = other.get(f"/{place.FLAG}")
    other.put(f"/{place.FLAG}", place.flag(rollout=12), 200, {"If-Match": theirs.etag})
    me.put(f"/{place.OTHER_FLAG}", place.flag(place.OTHER_FLAG, rollout=99), 400)


@case(
    "a933",
    "west-ios-cache-guards-the-save",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "The iOS app's HTTP cache puts If-None-Match with the cached tag on every request for an address "
        "it knows, the PUT too: refused as long as nothing has changed. The web app, without such a "
        "cache, saves the other page."
    ),
)
def cached(stage: Stage) -> None:
    """Let a cache guard a save."""
    server = place.platform(stage)
    ios = {"User-Agent": "AcmeWiki/812 CFNetwork/1568.200.51 Darwin/24.1.0", "X-Actor": "noor"}
    me = stage.actor("client", server, "wiki.acme.test", "requests", ios)
    me.program = Caching(me.program)
    other = stage.actor("other", server, "wiki.acme.test", "node:axios", {"X-Actor": "noor"})
    place.stroll(me, "wiki", 4)
    me.get(f"/{place.PAGE}")
    me.get(f"/{place.RUNBOOK}")
    me.get(f"/{place.PAGE}", 304)
    me.put(f"/{place.PAGE}", place.page(labels=["sre", "mobile"]), 412)
    me.get(f"/{place.PAGE}", 304)
    me.put(f"/{place.PAGE}", place.page(labels=["sre", "mobile"]), 412)
    other.get(f"/{place.RUNBOOK}")
    other.put(f"/{place.RUNBOOK}", place.page(place.RUNBOOK, labels=["queues"]), 200)


@case(
    "a934",
    "west-draft-ticket-ran-out",
    "token-expired",
    "412",
    alone="token-expired lease-or-lock",
    description=(
        "An edit ticket is good for two seconds; the save after a pause is refused with TICKET_EXPIRED, a "
        "new ticket lets the same text pass."
    ),
)
def ticket(stage: Stage) -> None:
    """Save under a ticket that has run out."""
    server = place.checkout(stage, TICKET="2")
    me = stage.actor("client", server, "shop.acme.test", "aiohttp", {"X-User": "copy-team"})
    me.get("/catalog/products?q=lamp")
    key = place.member(me.send("POST", "/drafts/landing-xmas/ticket", 201), "ticket")
    me.put("/drafts/landing-xmas", {"headline": "Light up"}, 200, {"X-Edit-Ticket": key})
    me.get("/catalog/products?q=")
    time.sleep(2.6)
    me.put("/drafts/landing-xmas", {"headline": "Light up the trail"}, 412, {"X-Edit-Ticket": key})
    key = place.member(me.send("POST", "/drafts/landing-xmas/ticket", 201), "ticket")
    me.put("/drafts/landing-xmas", {"headline": "Light up the trail"}, 200, {"X-Edit-Ticket": key})


@case(
    "a935",
    "west-event-cursor-too-old",
    "token-expired",
    "410",
    alone="token-expired",
    also="status-dialect-mismatch",
    description=(
        "A consumer goes on from a stored cursor after a pause longer than the feed keeps it: 410 "
        "CURSOR_EXPIRED; it lists again from the start and gets a cursor that works."
    ),
)
def cursor(stage: Stage) -> None:
    """Go on from a cursor that is too old."""
    server = place.checkout(stage, CURSOR="1.5")
    me = stage.actor("client", server, "events.acme.test", "httpx", {"User-Agent": "order-consumer/2.2"})
    mark = place.member(me.get("/events"), "next")
    mark = place.member(me.get(f"/events?cursor={mark}"), "next")
    time.sleep(2.4)
    me.get(f"/events?cursor={mark}", 410)
    me.get(f"/events?cursor={mark}", 410)
    mark = place.member(me.get("/events"), "next")
    me.get(f"/events?cursor={mark}")
