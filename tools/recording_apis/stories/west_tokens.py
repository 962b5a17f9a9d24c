"""What clients do with tokens: keep old ones, resend refused ones, lose answers, refresh blindly."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import west_setting as place
from tools.recording_apis.stories.objects import bucket

if TYPE_CHECKING:
    from tools.recording.message import Message


@case(
    "a911",
    "west-calendar-delete-of-gone-event",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "The phone removes an event that the web calendar has removed already: Radicale answers the PUT "
        "with If-Match 412, a GET is 404 and the listing no longer names it."
    ),
)
def gone_event(stage: Stage) -> None:
    """Move an event that is gone."""
    from tools.recording_apis.stories.caldav import event, furnished, phone  # noqa: PLC0415 - one story's server

    server = furnished(stage, "retro", "planning", "one-on-one")
    me = phone(stage, server, agent="DAVx5/4.5.1-ose")
    other = phone(stage, server, "other", "httpx", "AcmeWebCalendar/3")
    base = "/anna/office/"
    listing = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    me.send("PROPFIND", base, 207, {"Depth": "1", "Content-Type": "application/xml"}, listing)
    tag = me.get(f"{base}retro.ics").etag
    me.get(f"{base}planning.ics")
    other.send("DELETE", f"{base}retro.ics", 200, {"If-Match": other.get(f"{base}retro.ics").etag})
    time.sleep(0.6)
    moved = event("retro", "Retro (moved)", "20261203T140000Z")
    me.put(f"{base}retro.ics", moved, 412, {"Content-Type": "text/calendar; charset=utf-8", "If-Match": tag})
    me.get(f"{base}retro.ics", 404)
    me.send("PROPFIND", base, 207, {"Depth": "1", "Content-Type": "application/xml"}, listing)


@case(
    "a912",
    "west-deploy-state-file-not-refreshed",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A deploy tool keeps the tag of its first read in a state file and ignores those of its own "
        "answers: the second configuration push of the pipeline is refused by the first."
    ),
)
def state_file(stage: Stage) -> None:
    """Push a configuration twice."""
    server = place.platform(stage)
    front = fronts.nginx(stage, server)
    fields = {**place.YAML, "X-Actor": "pipeline-7741", "User-Agent": "shipit/2.14"}
    me = stage.actor("client", front, "config.acme.test", "curl", fields)
    place.stroll(me, "config", 5)
    me.get("/-/ready")
    kept = me.get(f"/{place.GATEWAY}").etag
    me.get(f"/{place.LIMITS}")
    first = place.gateway()
    me.put(f"/{place.GATEWAY}", first, 200, {"If-Match": kept})
    me.get("/telemetry/pulse?stage=canary&pipeline=7741", 204)
    time.sleep(1.2)
    me.put(f"/{place.GATEWAY}", place.gateway("retries: 2", "retries: 4", first), 412, {"If-Match": kept})
    me.get(f"/{place.GATEWAY}")


@case(
    "a913",
    "west-state-bucket-serial-behind",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A tool writes its state object to SeaweedFS three times in one run; for the third it uses the "
        "tag of the first answer although the second answer carried a newer one."
    ),
)
def serial(stage: Stage) -> None:
    """Use the tag before last."""
    server = stage.server("seaweedfs")
    me = bucket(stage, server)
    key: dict[str, Any] = {"Bucket": "data", "Key": "envs/prod/network.tfstate"}
    me.call("list_objects_v2", Bucket="data", Prefix="envs/prod/")
    first = me.call("put_object", **key, Body='{"serial":1,"lineage":"c0de"}', IfNoneMatch="*")["ETag"]
    me.call("put_object", **key, Body='{"serial":2,"lineage":"c0de"}', IfMatch=first)
    me.call("put_object", Bucket="data", Key="envs/prod/network.log", Body="apply complete\n")
    time.sleep(0.8)
    me.call("put_object", 412, **key, Body='{"serial":3,"lineage":"c0de"}', IfMatch=first)
    me.call("get_object", **key)


@case(
    "a914",
    "west-sync-agent-hammers-412",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token other-writer",
    also="other-writer",
    description=(
        "A catalogue agent retries a refused save four times with growing pauses and always with the tag "
        "that was refused; it never reads in between."
    ),
)
def hammer(stage: Stage) -> None:
    """Retry with what failed."""
    server = place.platform(stage)
    agent = {**place.JSONAPI, "X-Actor": "svc-sync", "User-Agent": "sync-agent/0.31"}
    me = stage.actor("client", server, "api.acme.test", "java", agent)
    other = stage.actor("other", server, "api.acme.test", "requests", {**place.JSONAPI, "X-Actor": "mara"})
    place.stroll(me, "api", 3)
    tag = me.get(f"/{place.PROJECT}").etag
    me.get("/api/v3/milestones?filter[project]=atlas")
    other.put(
        f"/{place.PROJECT}",
        place.project(budget=52000),
        200,
        {"If-Match": other.get(f"/{place.PROJECT}").etag},
    )
    body = place.project(owner="ivo")
    for attempt in range(1, 5):
        me.put(f"/{place.PROJECT}", body, 412, {"If-Match": tag, "X-Attempt": str(attempt)})
        time.sleep(0.25 * 2**attempt)
    me.get("/telemetry/pulse", 204)
    me.get(f"/{place.PROJECT}")


@case(
    "a915",
    "west-kinto-retry-loop",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token other-writer stale-stored-token",
    also="other-writer",
    description=(
        "A settings client of Kinto gets 412 with the newer record in it, and sends the same If-Match "
        "five times more before it gives up."
    ),
)
def kinto_loop(stage: Stage) -> None:
    """Ignore what the refusal tells."""
    from tools.recording_apis.stories.records import anna, ben, furnished  # noqa: PLC0415 - one story's server

    server = furnished(stage, "theme", "layout")
    me, other = anna(stage, server, "node:axios"), ben(stage, server)
    base = "/v1/buckets/team/collections/tasks/records"
    me.get(f"{base}?_limit=50&_sort=-last_modified")
    tag = me.get(f"{base}/theme").etag
    other.put(f"{base}/theme", {"data": {"title": "theme", "done": True, "value": "light"}}, 200)
    for pause in (0.1, 0.2, 0.4, 0.8, 1.2):
        me.put(f"{base}/theme", {"data": {"title": "theme", "value": "dark"}}, 412, {"If-Match": tag})
        time.sleep(pause)
    me.put(f"{base}/theme", {"data": {"title": "theme", "value": "dark"}}, 412, {"If-Match": tag})
    me.get(f"{base}/theme")


@case(
    "a916",
    "west-wiki-save-answer-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "The connection breaks after a page was saved; the client repeats the save with the same "
        "Idempotency-Key and tag and is refused by its own version, which the read shows."
    ),
)
def answer_lost(stage: Stage) -> None:
    """Repeat a save that had worked."""
    server = place.platform(stage)
    lost = iter([True])

    def loses(request: Message) -> bool:
        return request.method == "PUT" and next(lost, False)

    me = stage.actor("client", server, "wiki.acme.test", "urllib", {"X-Actor": "sigrid"}, loses=loses)
    place.stroll(me, "wiki", 4)
    me.get("/wiki/spaces/OPS/pages?limit=5")
    tag = me.get(f"/{place.RUNBOOK}").etag
    body = place.page(place.RUNBOOK, body="Scale the consumers first. Ticket OPS-4471.", labels=["sre"])
    fields = {"If-Match": tag, "Idempotency-Key": "6b0f4c5e-51a5-4d0c-8e0a-1f5f3f0a7d11"}
    me.put(f"/{place.RUNBOOK}", body, 0, fields)
    time.sleep(0.9)
    me.put(f"/{place.RUNBOOK}", body, 412, fields)
    me.get(f"/{place.RUNBOOK}")


@case(
    "a917",
    "west-order-create-reset-and-repeated",
    "lost-response-replay",
    "412",
    alone="lost-response-replay exists-already",
    description=(
        "A project is created with If-None-Match: * under a name the client drew itself; the answer is "
        "lost, the repetition gets 412, and the document there carries the client's own request mark."
    ),
)
def create_lost(stage: Stage) -> None:
    """Create twice."""
    server = place.platform(stage)
    lost = iter([True])
    me = stage.actor(
        "client",
        server,
        "api.acme.test",
        "node:fetch",
        {**place.JSONAPI, "X-Actor": "importer-2"},
        loses=lambda request: request.method == "PUT" and next(lost, False),
    )
    name = "/api/v3/projects/imp-7c21e9b4"
    place.stroll(me, "api", 4)
    me.get("/api/v3/projects?page[size]=10")
    me.get(name, 404)
    attributes = {
        "name": "Imported",
        "owner": "importer-2",
        "importMark": "job-9911/row-38/4f0e",
        "budget": 0,
    }
    body = {"data": {"type": "projects", "id": "imp-7c21e9b4", "attributes": attributes}}
    me.put(name, body, 0, {"If-None-Match": "*", "X-Job": "9911"})
    time.sleep(0.5)
    me.put(name, body, 412, {"If-None-Match": "*", "X-Job": "9911"})
    me.get(name)


@case(
    "a918",
    "west-form-refreshes-tag-only",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A form filled from one version is saved with a tag fetched right before: the budget that Mara "
        "raised in between is set back, and nothing is refused."
    ),
)
def form(stage: Stage) -> None:
    """Fetch a fresh tag for an old edit."""
    server = place.platform(stage)
    me = stage.actor("client", server, "api.acme.test", "aiohttp", {**place.JSONAPI, "X-Actor": "ivo"})
    other = stage.actor("other", server, "api.acme.test", "node:axios", {**place.JSONAPI, "X-Actor": "mara"})
    place.stroll(me, "api", 6)
    me.get(f"/{place.PROJECT}")
    me.get("/api/v3/milestones?filter[project]=atlas&page[size]=50")
    read = other.get(f"/{place.PROJECT}")
    other.put(
        f"/{place.PROJECT}",
        place.project(budget=61000, tags=["infra", "eu", "gpu"]),
        200,
        {"If-Match": read.etag},
    )
    time.sleep(1.0)
    fresh = me.get(f"/{place.PROJECT}").etag
    me.put(f"/{place.PROJECT}", place.project(status="on-hold"), 200, {"If-Match": fresh})
    me.get(f"/{place.PROJECT}")
    other.get(f"/{place.PROJECT}")


@case(
    "a919",
    "west-fhir-client-asks-head-for-the-version",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh none",
    description=(
        "A ward client asks by HEAD for the current version id right before it saves a form that it had "
        "opened on the version before: the address that registration has entered since is gone, and "
        "nothing is refused."
    ),
)
def by_head(stage: Stage) -> None:
    """Take the fresh version id, keep the old body."""
    server = place.platform(stage, LOOSE="1")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "ehr.hospital.test", "httpx", {**place.FHIR, "X-Actor": "ward-2a"})
    other = stage.actor(
        "other", front, "ehr.hospital.test", "node:fetch", {**place.FHIR, "X-Actor": "registration"}
    )
    path = f"/{place.PATIENT}"
    me.get("/fhir/R4/MedicationRequest?subject=Patient/pt-2207&status=active")
    me.get(path)
    theirs = other.get(path).etag
    address = [{"line": ["Nygaten 2"], "city": "Bergen"}]
    other.put(path, place.patient(address=address, active=True), 200, {"If-Match": theirs})
    me.get(f"/{place.MEDICATION}")
    time.sleep(1.1)
    fresh = me.send("HEAD", path, 200).etag
    body = place.patient(telecom=[{"system": "phone", "value": "+47 555 0110"}])
    me.put(path, body, 200, {"If-Match": fresh})
    other.get(path)
    me.get(path)
