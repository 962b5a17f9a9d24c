"""Tokens that are missing, damaged, of another thing or of too large a one."""

from __future__ import annotations

import json
import time
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import west_setting as place
from tools.recording_apis.stories.objects import bucket


@case(
    "a920",
    "west-two-dashboards-no-guard",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    description=(
        "Two dashboards of one team PUT whole flags without any condition though each read carried a "
        "tag: the targeting set by the first is overwritten by the second, who had read before it."
    ),
)
def dashboards(stage: Stage) -> None:
    """Write without a guard."""
    server = place.platform(stage)
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, "flags.acme.test", "node:fetch", {"X-Actor": "wen"})
    other = stage.actor("other", front, "flags.acme.test", "requests", {"X-Actor": "lou"})
    place.stroll(me, "flags", 2)
    me.get("/flags/web/production?limit=100&env=production&summary=0")
    me.get(f"/{place.FLAG}")
    other.get(f"/{place.FLAG}")
    wider = [{"attr": "country", "in": ["PT", "NO", "DK"]}]
    other.put(f"/{place.FLAG}", place.flag(targeting=wider), 200)
    time.sleep(0.9)
    me.get("/telemetry/pulse", 204)
    me.put(f"/{place.FLAG}", place.flag(on=True, rollout=20), 200)
    other.get(f"/{place.FLAG}")
    me.get(f"/{place.FLAG}")


@case(
    "a921",
    "west-manifest-plain-puts",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    description=(
        "Two indexers read one manifest from moto's S3 and put it back without If-Match: the segment that "
        "the first has added is missing afterwards."
    ),
)
def plain_puts(stage: Stage) -> None:
    """Put back what somebody has changed."""
    server = stage.server("moto")
    me, other = bucket(stage, server), bucket(stage, server, "other")
    key: dict[str, Any] = {"Bucket": "data", "Key": "index/manifest.json"}
    start = {"generation": 12, "segments": ["s1", "s2"]}
    other.call("put_object", **key, Body=json.dumps(start))
    me.call("get_object", **key)
    other.call("get_object", **key)
    other.call("put_object", **key, Body=json.dumps({"generation": 13, "segments": ["s1", "s2", "s3-left"]}))
    me.call("put_object", Bucket="data", Key="index/s3-right", Body="postings " * 60)
    me.call("put_object", **key, Body=json.dumps({"generation": 13, "segments": ["s1", "s2", "s3-right"]}))
    other.call("get_object", **key)
    me.call("get_object", **key)


@case(
    "a922",
    "west-spa-sends-undefined",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "A script reads a member 'etag' that the flag's JSON does not have and sends If-Match: undefined, "
        "twice; a save with the tag of the header passes."
    ),
)
def undefined(stage: Stage) -> None:
    """Send what is not there."""
    server = place.platform(stage)
    me = stage.actor("client", server, "flags.acme.test", "node:axios", {"X-Actor": "kim"})
    place.stroll(me, "flags", 2)
    cookie = place.login(me, "kim")
    tag = me.get(f"/{place.FLAG}", 200, cookie).etag
    me.put(f"/{place.FLAG}", place.flag(rollout=30), 412, {**cookie, "If-Match": "undefined"})
    me.get(f"/{place.OTHER_FLAG}", 200, cookie)
    me.put(
        f"/{place.OTHER_FLAG}",
        place.flag(place.OTHER_FLAG, on=False),
        412,
        {**cookie, "If-Match": "undefined"},
    )
    me.put(f"/{place.FLAG}", place.flag(rollout=30), 200, {**cookie, "If-Match": tag})


@case(
    "a923",
    "west-collection-variable-not-set",
    "null-token",
    "412",
    alone="null-token malformed-validator",
    description=(
        "A request collection is run with its variable unset: If-Match holds the placeholder {{etag}} "
        "itself, although the GET before it brought a tag."
    ),
)
def placeholder(stage: Stage) -> None:
    """Send a placeholder."""
    server = place.platform(stage)
    front = fronts.envoy(stage, [server])
    fields = {**place.JSONAPI, "User-Agent": "collection-runner/8.3", "X-Actor": "qa"}
    me = stage.actor("client", front, "api.acme.test", "curl", fields)
    place.stroll(me, "api", 3)
    me.get("/-/ready")
    me.get("/api/v3/projects?page%5Bnumber%5D=1&page%5Bsize%5D=20&fields%5Bprojects%5D=name,status")
    me.get(f"/{place.PROJECT}")
    me.put(f"/{place.PROJECT}", place.project(status="review"), 412, {"If-Match": '"{{etag}}"'})
    me.get(f"/{place.PROJECT}")


@case(
    "a924",
    "west-generated-client-drops-quotes",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A client generated from OpenAPI models the tag as a string and strips its quotation marks: "
        "If-Match carries the bare characters of the served tag."
    ),
)
def bare(stage: Stage) -> None:
    """Lose the quotation marks."""
    server = place.platform(stage)
    fields = {**place.JSONAPI, "User-Agent": "OpenAPI-Generator/7.9.0/python", "X-Actor": "svc-billing"}
    me = stage.actor("client", server, "api.acme.test", "requests", fields)
    place.stroll(me, "api", 4)
    me.get("/api/v3/projects?page%5Bsize%5D=5&sort=-updatedAt")
    tag = me.get(f"/{place.PROJECT}").etag
    me.put(f"/{place.PROJECT}", place.project(budget=50000), 412, {"If-Match": tag.strip('"')})
    again = me.get(f"/{place.PROJECT}").etag
    me.put(f"/{place.PROJECT}", place.project(budget=50000), 412, {"If-Match": again.strip('"')})
    me.get(f"/{place.MILESTONE}")


@case(
    "a925",
    "west-template-escapes-the-tag",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "The edit page carries the tag in a hidden input, escaped for HTML; the script posts it back "
        "without decoding: If-Match: &quot;…&quot;."
    ),
)
def escaped(stage: Stage) -> None:
    """Send an HTML-escaped tag."""
    server = place.platform(stage)
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "wiki.acme.test", "node:fetch", {"X-Requested-With": "XMLHttpRequest"})
    place.stroll(me, "wiki", 3)
    cookie = place.login(me, "amelie")
    tag = me.get(f"/{place.PAGE}", 200, cookie).etag
    me.get(f"/{place.PAGE}", 304, {**cookie, "If-None-Match": tag})
    wrong = tag.replace('"', "&quot;")
    body = place.page(labels=["sre", "on-call"])
    me.put(f"/{place.PAGE}", body, 412, {**cookie, "If-Match": wrong})
    me.get(f"/{place.PAGE}", 304, {**cookie, "If-None-Match": tag})


@case(
    "a926",
    "west-milestone-tag-for-project",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A screen shows a project with its milestone and keeps one tag for both: the project is saved "
        "with the tag of the milestone, which was read last."
    ),
)
def other_resource(stage: Stage) -> None:
    """Use another resource's tag."""
    server = place.platform(stage)
    me = stage.actor("client", server, "api.acme.test", "httpx", {**place.JSONAPI, "X-Actor": "rui"})
    place.stroll(me, "api", 3)
    me.get(f"/{place.PROJECT}?include=milestones")
    wrong = me.get(f"/{place.MILESTONE}").etag
    me.put(f"/{place.PROJECT}", place.project(status="late"), 412, {"If-Match": wrong})
    right = me.get(f"/{place.PROJECT}").etag
    me.get(f"/{place.MILESTONE}")
    me.put(f"/{place.PROJECT}", place.project(status="late"), 200, {"If-Match": right})


@case(
    "a927",
    "west-staging-tag-for-production",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A promotion script reads the flag in staging and writes it to production with staging's tag; "
        "production's own tag, read afterwards, is another and was so all the time."
    ),
)
def promotion(stage: Stage) -> None:
    """Promote with the wrong environment's tag."""
    server = place.platform(stage, TAG="uuid")
    me = stage.actor("client", server, "flags.acme.test", "curl:trace-ascii", {"X-Actor": "promote.sh"})
    place.stroll(me, "flags", 3)
    before = me.get(f"/{place.FLAG}").etag
    wrong = me.get(f"/{place.FLAG_STAGING}").etag
    body = place.flag(on=True, rollout=50)
    me.put(f"/{place.FLAG}", body, 412, {"If-Match": wrong})
    place.require(me.get(f"/{place.FLAG}").etag == before, "production's tag has moved")
    me.get("/flags/web/staging?limit=10")


@case(
    "a928",
    "west-environment-wide-flag-token",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope other-writer",
    also="other-writer",
    description=(
        "The flag service guards all flags with one token: Lou's change of dark-mode refuses Wen's "
        "change of new-checkout, whose content and version number are as she read them."
    ),
)
def flag_scope(stage: Stage) -> None:
    """Be refused for a sibling."""
    server = place.platform(stage, TAG="scope")
    me = stage.actor("client", server, "flags.acme.test", "httpx", {"X-Actor": "wen"})
    other = stage.actor("other", server, "flags.acme.test", "java", {"X-Actor": "lou"})
    place.stroll(me, "flags", 5)
    tag = me.get(f"/{place.FLAG}").etag
    me.get(f"/{place.OTHER_FLAG}")
    theirs = other.get(f"/{place.OTHER_FLAG}").etag
    other.put(f"/{place.OTHER_FLAG}", place.flag(place.OTHER_FLAG, rollout=80), 200, {"If-Match": theirs})
    time.sleep(0.5)
    me.put(f"/{place.FLAG}", place.flag(rollout=15), 412, {"If-Match": tag})
    me.get(f"/{place.FLAG}")
    me.get(f"/{place.OTHER_FLAG}")


@case(
    "a929",
    "west-kinto-collection-timestamp",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope other-writer",
    also="other-writer",
    description=(
        "A new record is posted to Kinto with the collection's timestamp as If-Match; Ben has touched "
        "another record since, so the whole collection counts as changed."
    ),
)
def collection(stage: Stage) -> None:
    """Guard an addition with the collection's timestamp."""
    from tools.recording_apis.stories.records import anna, ben, furnished  # noqa: PLC0415 - one story's server

    server = furnished(stage, "invite-speakers", "book-hall")
    me, other = anna(stage, server), ben(stage, server)
    base = "/v1/buckets/team/collections/tasks/records"
    stamp = me.get(f"{base}?_sort=-last_modified").etag
    me.get(f"{base}/book-hall")
    other.put(f"{base}/invite-speakers", {"data": {"title": "invite speakers", "done": True}}, 200)
    time.sleep(0.6)
    me.send("POST", base, 412, {"If-Match": stamp}, {"data": {"title": "order badges", "done": False}})
    me.get(f"{base}/book-hall")
    me.get(f"{base}?_sort=-last_modified")
