"""Who else writes: colleagues, the same program twice, the service itself, a release during a download."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import west_setting as place
from tools.recording_apis.stories.objects import bucket


@case(
    "a900",
    "west-wiki-page-two-authors",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Two members of a team edit one handbook page behind Traefik; the second to save sends the tag of "
        "the version she read, is refused, and her next read shows the colleague's text and name."
    ),
)
def wiki(stage: Stage) -> None:
    """Edit a page while a colleague does."""
    server = place.platform(stage)
    front = fronts.traefik(stage, [server])
    me = stage.actor(
        "client", front, "wiki.acme.test", "requests", {"User-Agent": "wiki-desktop/5.2 (macOS)"}
    )
    other = stage.actor("other", front, "wiki.acme.test", "node:axios")
    mine = place.login(me, "hedda")
    theirs = place.login(other, "tomas")
    me.get("/wiki/spaces/OPS/pages?limit=10&expand=version,body&orderBy=-modified", 200, mine)
    read = me.get(f"/{place.PAGE}", 200, mine)
    me.get(f"/{place.RUNBOOK}", 200, mine)
    seen = other.get(f"/{place.PAGE}", 200, theirs)
    me.get("/telemetry/pulse?v=5.2&tab=editor", 204, mine)
    body = place.page(body="Page the secondary after 5 minutes, the manager after 20.")
    other.put(f"/{place.PAGE}", body, 200, {**theirs, "If-Match": seen.etag})
    other.get(f"/{place.PAGE}", 200, theirs)
    time.sleep(1.3)
    text = place.page(body="Page the secondary after 10 minutes. Never page on Sundays.")
    me.put(f"/{place.PAGE}", text, 412, {**mine, "If-Match": read.etag})
    me.get(f"/{place.PAGE}", 200, {**mine, "Cache-Control": "no-cache"})


@case(
    "a901",
    "west-fhir-patient-registration-and-ward",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "The ward corrects a phone number with the version id it read, the registration desk has changed "
        "the address in between: OperationOutcome with code conflict."
    ),
)
def registration(stage: Stage) -> None:
    """Correct a patient's record."""
    server = place.platform(stage, LOOSE="1")
    ward = {**place.FHIR, "X-Actor": "ward-4b", "User-Agent": "WardClient/2.0 hapi-fhir/7.4"}
    me = stage.actor("client", server, "ehr.hospital.test", "java", ward)
    desk = {**place.FHIR, "X-Actor": "registration"}
    other = stage.actor("other", server, "ehr.hospital.test", "httpx", desk)
    path = f"/{place.PATIENT}"
    place.stroll(me, "fhir", 3)
    me.get("/fhir/R4/MedicationRequest?subject=Patient/pt-2207&_count=20&status=active")
    tag = me.get(path).etag
    other_tag = other.get(path).etag
    address = [{"line": ["Storgata 9"], "city": "Bergen", "postalCode": "5015"}]
    other.put(path, place.patient(address=address), 200, {"If-Match": other_tag})
    me.get(f"/{place.MEDICATION}")
    phone = [{"system": "phone", "value": "+47 555 0199"}]
    me.put(path, place.patient(telecom=phone), 412, {"If-Match": tag})
    me.get(path)


@case(
    "a902",
    "west-autosave-overtakes-itself",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "An editor saves on a timer and on a keystroke: two PUTs of one session with one tag are under "
        "way together; the first is stored, the second refused. Later saves use the fresh tag."
    ),
)
def autosave(stage: Stage) -> None:
    """Save twice at once."""
    server = place.platform(stage, HOLD="0.5")
    me = stage.actor("client", server, "docs.acme.test", "httpx", {"User-Agent": "acme-editor/11.0"})
    place.stroll(me, "wiki", 6)
    cookie = place.login(me, "quentin")
    tag = me.get(f"/{place.RUNBOOK}", 200, cookie).etag
    guard = {**cookie, "If-Match": tag}

    def save(body: str, expect: int) -> None:
        content = place.page(place.RUNBOOK, body=body)
        me.put(f"/{place.RUNBOOK}", content, expect, {**guard, "X-Editor-Seq": body[-2:]})

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(save, "Scale the consumers first. Then drain. 01", 200)
        time.sleep(0.15)
        second = pool.submit(save, "Scale the consumers first. Then drain the dead letters. 02", 412)
        first.result()
        second.result()
    fresh = me.get(f"/{place.RUNBOOK}", 200, cookie).etag
    body = place.page(place.RUNBOOK, body="Scale the consumers first. Then drain the dead letters. 02")
    me.put(f"/{place.RUNBOOK}", body, 200, {**cookie, "If-Match": fresh})


@case(
    "a903",
    "west-label-workers-share-a-tag",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A queue worker reads a project once and lets four tasks of the same run (X-Run-Id) add a label "
        "each in parallel with that one tag: one is stored, three are refused within milliseconds."
    ),
)
def workers(stage: Stage) -> None:
    """Add labels in parallel."""
    server = place.platform(stage)
    run = {
        **place.JSONAPI,
        "X-Run-Id": "run-58c1d0",
        "User-Agent": "label-worker/1.9",
        "X-Actor": "svc-labels",
    }
    me = stage.actor("client", server, "api.acme.test", "httpx", run)
    place.stroll(me, "api", 3)
    me.get("/api/v3/milestones?filter[project]=atlas&page[size]=25")
    read = me.get(f"/{place.PROJECT}")

    def add(label: str) -> int:
        tags = [*place.SEEDS[place.PROJECT]["tags"], label]
        body = {"data": {"type": "projects", "id": "atlas", "attributes": {"tags": tags}}}
        return me.send("PATCH", f"/{place.PROJECT}", (200, 412), {"If-Match": read.etag}, body).status

    with ThreadPoolExecutor(4) as pool:
        came = sorted(pool.map(add, ("urgent", "q1", "audited", "gpu")))
    place.require(came == [200, 412, 412, 412], f"statuses {came}")
    me.get(f"/{place.PROJECT}")


@case(
    "a904",
    "west-flag-guarded-rollout-bot",
    "server-side-mutation",
    "412",
    alone="server-side-mutation other-writer",
    description=(
        "After a flag is switched on, the service's own guarded rollout raises its percentage a moment "
        "later (_maintainer system:rollout); the next change with the tag of the own answer is refused. "
        "Nobody else is connected."
    ),
)
def rollout(stage: Stage) -> None:
    """Change a flag that the service moves on."""
    rule = {"on": place.FLAG, "in": 0.9, "by": "system:rollout", "set": {"rollout": 25}}
    server = place.platform(stage, AFTER=json.dumps(rule))
    me = stage.actor(
        "client", server, "flags.acme.test", "node:fetch", {"X-Actor": "wen", "Accept": "application/json"}
    )
    place.stroll(me, "flags", 4)
    me.get("/flags/web/production?limit=50&summary=true&sort=name")
    tag = me.get(f"/{place.FLAG}").etag
    tag = me.put(f"/{place.FLAG}", place.flag(on=True), 200, {"If-Match": tag}).etag
    me.get(f"/{place.OTHER_FLAG}")
    time.sleep(1.6)
    wider = [{"attr": "country", "in": ["PT", "NO", "SE"]}]
    me.put(f"/{place.FLAG}", place.flag(on=True, targeting=wider), 412, {"If-Match": tag})
    me.get(f"/{place.FLAG}")


@case(
    "a905",
    "west-milestone-moves-its-project",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "Closing a milestone makes the service itself bump the project it belongs to (updatedBy "
        "app:rollup); the client, who read the project before, is refused by that linked change."
    ),
)
def linked(stage: Stage) -> None:
    """Write a linked resource first."""
    rule = {"on": place.MILESTONE, "do": place.PROJECT, "in": 0, "by": "app:rollup", "set": {"progress": 100}}
    server = place.platform(stage, AFTER=json.dumps(rule))
    me = stage.actor("client", server, "api.acme.test", "aiohttp", {**place.JSONAPI, "X-Actor": "ivo"})
    place.stroll(me, "api", 2)
    project = me.get(f"/{place.PROJECT}")
    milestone = me.get(f"/{place.MILESTONE}")
    body = {"data": {"type": "milestones", "id": "m-17", "attributes": {"state": "closed"}}}
    me.send("PATCH", f"/{place.MILESTONE}", 200, {"If-Match": milestone.etag}, body)
    me.get("/api/v3/projects?page[size]=10&include=milestones")
    me.put(f"/{place.PROJECT}", place.project(status="delivered"), 412, {"If-Match": project.etag})
    me.get(f"/{place.PROJECT}")


@case(
    "a906",
    "west-artifact-redeployed-during-download",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "A runner fetches a release archive from nginx in ranges, each with If-Match; a deploy replaces "
        "the file after the second range: the third is 412, the whole is fetched anew."
    ),
)
def artifact(stage: Stage) -> None:
    """Download what is being replaced."""
    server = fronts.site(
        stage,
        "nginx",
        {
            "releases/agent-2.4.1.tar": b"AGENT-2.4.1 build 118 " * 420,
            "releases/SHA256SUMS": "d41d agent-2.4.1.tar\n",
        },
        fronts.DAV["nginx"],
    )
    me = stage.actor("client", server, "dl.acme.test", "urllib", {"User-Agent": "fetch-tool/0.8"})
    other = stage.actor("other", server, "dl.acme.test", "curl", {"User-Agent": "deploy-bot/3.1"})
    path = "/releases/agent-2.4.1.tar"
    me.get("/releases/SHA256SUMS")
    tag = me.send("HEAD", path, 200).etag
    for start in (0, 2048):
        fields = {"Range": f"bytes={start}-{start + 2047}", "If-Match": tag}
        me.get(path, 206, fields)
    other.put(path, b"AGENT-2.4.1 build 119 hotfix " * 330, (201, 204))
    me.get(path, 412, {"Range": "bytes=4096-6143", "If-Match": tag})
    fresh = me.get(path).etag
    me.get(path, 206, {"Range": "bytes=0-2047", "If-Match": fresh})


@case(
    "a907",
    "west-dataset-parts-spliced",
    "read-changed-mid-transfer",
    "corrupt-content",
    alone="read-changed-mid-transfer",
    description=(
        "A reader fetches a table file from SeaweedFS in three ranges without any condition; a compaction "
        "job replaces the object between the first and the second: the parts carry two tags."
    ),
)
def spliced(stage: Stage) -> None:
    """Splice two versions."""
    server = stage.server("seaweedfs")
    me, other = bucket(stage, server), bucket(stage, server, "other")
    key: dict[str, Any] = {"Bucket": "data", "Key": "warehouse/orders/part-0007.parquet"}
    other.call("put_object", **key, Body=b"PAR1" + b"row-group-A;" * 400 + b"PAR1")
    me.call("list_objects_v2", Bucket="data", Prefix="warehouse/orders/")
    size = me.call("head_object", **key)["ContentLength"]
    me.call("get_object", 206, **key, Range=f"bytes={size - 1024}-{size - 1}")
    time.sleep(1.1)
    other.call("put_object", **key, Body=b"PAR1" + b"row-group-B;" * 520 + b"PAR1")
    me.call("get_object", 206, **key, Range="bytes=0-2047")
    me.call("get_object", 206, **key, Range="bytes=2048-4095")


@case(
    "a908",
    "west-tenant-bootstrap-name-taken",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A provisioning script creates a project with If-None-Match: *; the name was taken by another "
        "tenant's script hours ago, whose content a read then shows."
    ),
)
def bootstrap(stage: Stage) -> None:
    """Create a project whose name is taken."""
    server = place.platform(stage)
    script = {**place.JSONAPI, "X-Actor": "provisioner-eu", "User-Agent": "terraform-provider-acme/1.3"}
    me = stage.actor("client", server, "api.acme.test", "curl:trace-time", script)
    place.stroll(me, "config", 2)
    me.get("/-/ready")
    me.get("/me")
    attributes = {"name": "Borea EU", "status": "active", "owner": "eu-team", "budget": 15000, "tags": ["eu"]}
    body = {"data": {"type": "projects", "id": "borea", "attributes": attributes}}
    me.put(
        "/api/v3/projects/caelum", {"data": {"attributes": {"name": "Caelum"}}}, 201, {"If-None-Match": "*"}
    )
    me.put("/api/v3/projects/borea", body, 412, {"If-None-Match": "*"})
    me.get("/api/v3/projects/borea")


@case(
    "a909",
    "west-object-store-upload-taken",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "Two offices export under one key; the second PutObject with If-None-Match: * meets the report "
        "that the first office stored before, and reads it."
    ),
)
def taken(stage: Stage) -> None:
    """Upload under a taken key."""
    server = stage.server("moto")
    me, other = bucket(stage, server), bucket(stage, server, "other")
    key: dict[str, Any] = {"Bucket": "data", "Key": "reports/2026/W48.json"}
    theirs = {"office": "Porto", "by": "rita", "total": 90211}
    other.call("put_object", **key, Body=json.dumps(theirs), IfNoneMatch="*", ContentType="application/json")
    time.sleep(1.5)
    for week in (46, 47):
        me.call("put_object", Bucket="data", Key=f"reports/2026/W{week}-oslo.json", Body='{"office":"Oslo"}')
    mine = {"office": "Oslo", "by": "jan", "total": 71100}
    me.call("put_object", 412, **key, Body=json.dumps(mine), IfNoneMatch="*", ContentType="application/json")
    me.call("get_object", **key)
    me.call("list_objects_v2", Bucket="data", Prefix="reports/2026/")


@case(
    "a910",
    "west-flag-archived-meanwhile",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A colleague archives (deletes) a flag; the toggle with If-Match is refused and the read after it "
        "is 404."
    ),
)
def archived(stage: Stage) -> None:
    """Toggle a flag that is gone."""
    server = place.platform(stage)
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "flags.acme.test", "httpx", {"X-Actor": "nils"})
    other = stage.actor("other", front, "flags.acme.test", "urllib", {"X-Actor": "olga"})
    place.stroll(me, "flags", 3)
    me.get("/flags/web/production?limit=50")
    tag = me.get(f"/{place.OTHER_FLAG}").etag
    theirs = other.get(f"/{place.OTHER_FLAG}").etag
    other.send("DELETE", f"/{place.OTHER_FLAG}", 204, {"If-Match": theirs})
    time.sleep(0.7)
    me.get(f"/{place.FLAG}")
    me.put(f"/{place.OTHER_FLAG}", place.flag(place.OTHER_FLAG, on=False), 412, {"If-Match": tag})
    me.get(f"/{place.OTHER_FLAG}", 404)
    me.get("/flags/web/production?limit=50")
