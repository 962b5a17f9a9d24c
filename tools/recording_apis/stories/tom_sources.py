"""Tokens of something else, of too much, of too long ago; conditions nobody wrote, and none where one is due."""

from __future__ import annotations

from typing import Any

from tools.recording_apis.apps.tom_counts import Library
from tools.recording_apis.apps.tom_engine import Reply
from tools.recording_apis.apps.tom_google import Compute, Policies
from tools.recording_apis.apps.tom_microsoft import Planner, Sap
from tools.recording_apis.apps.tom_tagged import Front, Statements
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.tom_setting import (
    api,
    bearer,
    look,
    must,
    news,
    ping,
    report,
    rest,
    seek,
    sign_in,
    wait_for,
)


@case(
    "d105",
    "tom-details-take-the-tag-of-their-task",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description="A checklist app patches the details of a Planner task with the @odata.etag of the task itself, which is another resource with tags of its own: 412. Patching the task with that tag works, and the details with theirs.",
)
def details(stage: Stage) -> None:
    """Mix two resources of one task."""
    tasks = "/v1.0/planner/tasks"
    product = Planner(
        {
            f"{tasks}/x7": {"title": "Audit", "percentComplete": 0},
            f"{tasks}/x7/details": {"description": "", "checklist": {}},
        },
        first=3,
    )
    product.store(f"{tasks}/x7", {"title": "Audit", "percentComplete": 10}, "lead")
    server = api(stage, product, "Microsoft Graph Planner")
    me = stage.actor("client", server, "graph.check.test", "httpx", bearer("checklist"))
    me.get("/v1.0/planner")
    whole = me.get(f"{tasks}/x7").json["@odata.etag"]
    me.get(f"{tasks}/x7/details")
    report(me)
    news(me)
    look(me, "tasks.css")
    new = {"checklist": {"c1": {"title": "Count tills", "isChecked": False}}}
    me.send("PATCH", f"{tasks}/x7/details", 412, {"If-Match": whole}, new)
    me.send("PATCH", f"{tasks}/x7", 204, {"If-Match": whole}, {"percentComplete": 20})
    rest(0.4)
    own = me.get(f"{tasks}/x7/details").json["@odata.etag"]
    me.send("PATCH", f"{tasks}/x7/details", 204, {"If-Match": own}, new)


@case(
    "d106",
    "tom-metadata-under-the-label-fingerprint",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description="A start-up script of Compute Engine sets instance metadata with labelFingerprint instead of metadata.fingerprint; both are in the same answer. 412: Supplied fingerprint does not match current metadata fingerprint, twice, also after a fresh read.",
)
def fingerprint(stage: Stage) -> None:
    """Take the fingerprint of the labels."""
    zone = "/compute/v1/projects/kiln/zones/europe-north1-a/instances"
    product = Compute(
        {
            f"{zone}/vm-{number}": {
                "name": f"vm-{number}",
                "status": "RUNNING",
                "labels": {"role": "kiln"},
                "metadata": [{"key": "mode", "value": "idle"}],
            }
            for number in (1, 2)
        }
    )
    server = api(stage, product, "Compute Engine")
    me = stage.actor("client", server, "compute.kiln.test", "urllib", bearer("kiln-agent"))
    me.get(zone)
    for _ in range(2):
        seen = me.get(f"{zone}/vm-1").json
        me.send(
            "POST",
            f"{zone}/vm-1/setMetadata",
            412,
            {},
            {"fingerprint": seen["labelFingerprint"], "items": [{"key": "mode", "value": "burn"}]},
        )
        rest(0.4)
    seen = me.get(f"{zone}/vm-2").json
    me.send(
        "POST",
        f"{zone}/vm-2/setMetadata",
        200,
        {},
        {"fingerprint": seen["metadata"]["fingerprint"], "items": [{"key": "mode", "value": "cool"}]},
    )
    me.get("/healthz")
    wait_for(me, "op-1")


@case(
    "d107",
    "tom-one-item-of-a-shared-library",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope other-writer",
    also="other-writer",
    synthetic=True,
    description="A reference manager edits one item under If-Unmodified-Since-Version, which counts for the whole Zotero library. A colleague has added tags to two other items meanwhile: 412 expected 4410, found 4412, though this item is as it was.",
)
def library(stage: Stage) -> None:
    """Edit one of many."""
    items = "/groups/552/items"
    product = Library(
        {
            f"{items}/{key}": {"title": title, "tags": []}
            for key, title in (("AB2", "Tides"), ("CD4", "Ports"), ("EF6", "Locks"))
        }
    )
    server = api(stage, product, "Zotero")
    me = stage.actor(
        "client", server, "api.refs.test", "node:fetch", {"Zotero-API-Key": "k1", "Zotero-API-Version": "3"}
    )
    other = stage.actor(
        "other", server, "api.refs.test", "requests", {"Zotero-API-Key": "k2", "Zotero-API-Version": "3"}
    )
    seen = me.get(items)
    version = seen.fields["last-modified-version"]
    before = me.get(f"{items}/AB2").json
    theirs = other.get(items).fields["last-modified-version"]
    for key in ("CD4", "EF6"):
        theirs = other.send(
            "PATCH",
            f"{items}/{key}",
            204,
            {"If-Unmodified-Since-Version": theirs},
            {"tags": [{"tag": "done"}]},
        ).fields["last-modified-version"]
    rest(0.5)
    me.send(
        "PATCH",
        f"{items}/AB2",
        412,
        {"If-Unmodified-Since-Version": version},
        {"title": "Tides and currents"},
    )
    now = me.get(f"{items}/AB2")
    must(now.json["data"] == before["data"], "changed")
    me.get(items)
    me.get(f"{items}/CD4")


@case(
    "d108",
    "tom-two-bindings-of-one-policy",
    "coarse-token-scope",
    "409",
    alone="coarse-token-scope other-writer",
    also="other-writer status-dialect-mismatch",
    synthetic=True,
    description="Two provisioning runs add a member each to different roles of one project. The policy has one etag for all of it: the second setIamPolicy is 409 ABORTED with both etags in the text, though no binding is touched by both.",
)
def policy(stage: Stage) -> None:
    """Add to another role."""
    path = "/v1/projects/quarry"
    roles = ["roles/viewer", "roles/storage.admin", "roles/logging.viewer"]
    product = Policies(
        {path: {"bindings": [{"role": role, "members": ["user:root@quarry.test"]} for role in roles]}}
    )
    server = api(stage, product, "Cloud Resource Manager")
    me = stage.actor("client", server, "cloudresources.quarry.test", "urllib", bearer("run-a"))
    other = stage.actor("other", server, "cloudresources.quarry.test", "curl", bearer("run-b"))

    def added(policy: Any, role: str, member: str) -> Any:
        bindings = [
            {**one, "members": [*one["members"], member]} if one["role"] == role else one
            for one in policy["bindings"]
        ]
        return {"policy": {**policy, "bindings": bindings}}

    ask = {"options": {"requestedPolicyVersion": 3}}
    mine = me.send("POST", f"{path}:getIamPolicy", 200, {}, ask).json
    theirs = other.send("POST", f"{path}:getIamPolicy", 200, {}, ask).json
    other.send(
        "POST", f"{path}:setIamPolicy", 200, {}, added(theirs, "roles/logging.viewer", "user:b@quarry.test")
    )
    rest(0.6)
    me.send(
        "POST",
        f"{path}:setIamPolicy",
        409,
        {},
        added(mine, "roles/storage.admin", "serviceAccount:a@quarry.test"),
    )
    ping(me)
    wait_for(me, "plan-2")
    seek(me, "storage")
    me.send("POST", f"{path}:getIamPolicy", 200, {}, ask)


@case(
    "d109",
    "tom-profile-saved-as-if-new",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    synthetic=True,
    description="A course player reads an agent's profile document (200 with an ETag), changes it and stores it with If-None-Match: *, as it does for first visits: 412, the resource was detected. It had read it three seconds before.",
)
def profile(stage: Stage) -> None:
    """Guard an update as a create."""
    base = "/xapi/agents/profile"
    product = Statements({f"{base}/p-7": {"theme": "light", "visits": 4}, f"{base}/p-8": {"visits": 1}})
    product.fixed["POST /xapi/statements"] = Reply(200, ["7f1d0c64-1f4e-44c8-8c50-0d5f1f1f2a11"])
    server = api(stage, product, "xAPI LRS")
    me = stage.actor(
        "client",
        server,
        "lrs.campus.test",
        "requests",
        {"Authorization": "Basic cGxheWVyOng=", "X-Experience-API-Version": "1.0.3"},
    )
    me.get(f"{base}/p-9", 404)
    me.put(f"{base}/p-9", {"visits": 1}, 204, {"If-None-Match": "*"})
    seen = me.get(f"{base}/p-7")
    must(seen.etag, "no tag")
    me.send(
        "POST",
        "/xapi/statements",
        200,
        {},
        [
            {
                "actor": {"mbox": "mailto:p7@campus.test"},
                "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"},
            }
        ],
    )
    rest(0.5)
    me.put(f"{base}/p-7", {**seen.json, "visits": 5}, 412, {"If-None-Match": "*"})
    must(me.get(f"{base}/p-7").etag == seen.etag, "another writer")
    me.get(f"{base}/p-8")


@case(
    "d110",
    "tom-partner-patch-without-a-condition",
    "token-missing",
    "428",
    alone="token-missing",
    synthetic=True,
    description="A migration script patches business partners of SAP Gateway without If-Match: 428, the field is required (in German), for each of three. The entity's tag is in every read, and the script's second version sends it: 204.",
)
def partner(stage: Stage) -> None:
    """Patch without a condition."""
    base = "/sap/opu/odata4/sap/api_business_partner/srvd_a2x/0001/BusinessPartner"
    product = Sap(
        {
            f"{base}('100{number}')": {"BusinessPartner": f"100{number}", "SearchTerm1": ""}
            for number in range(1, 4)
        }
    )
    server = api(stage, product, "SAP S4HANA")
    me = stage.actor(
        "client",
        server,
        "s4.works.test",
        "aiohttp",
        {"Authorization": "Basic TUlHUkFURTp4", "x-csrf-token": "Zk1", "sap-language": "DE"},
    )
    for number in range(1, 4):
        me.get(f"{base}('100{number}')")
        me.send("PATCH", f"{base}('100{number}')", 428, {}, {"SearchTerm1": f"OLD{number}"})
    rest(0.8)
    seek(me, "SearchTerm1 eq empty")
    tag = me.get(f"{base}('1002')").etag
    me.send("PATCH", f"{base}('1002')", 204, {"If-Match": tag}, {"SearchTerm1": "OLD2"})


@case(
    "d111",
    "tom-function-deleted-without-its-version",
    "token-missing",
    "400",
    alone="token-missing",
    also="status-dialect-mismatch",
    synthetic=True,
    description="A clean-up job lists CloudFront functions and deletes one without If-Match: 400 InvalidIfMatchVersion. It retries once unchanged, then another job deletes a different one properly with the ETag of describe.",
)
def function(stage: Stage) -> None:
    """Delete without a version."""
    base = "/2020-05-31/function"
    product = Front(
        {
            f"{base}/{name}": f"<FunctionSummary><Name>{name}</Name></FunctionSummary>"
            for name in ("redirect", "headers", "old-ab")
        }
    )
    product.fixed[f"GET {base}"] = Reply(
        200, "<FunctionList><Quantity>3</Quantity></FunctionList>", {"Content-Type": "text/xml"}
    )
    server = api(stage, product, "CloudFront")
    me = stage.actor("client", server, "cloudfront.edge.test", "node:axios", bearer("cleanup"))
    other = stage.actor("other", server, "cloudfront.edge.test", "requests", bearer("release"))
    sign_in(me)
    me.get(base)
    me.send("DELETE", f"{base}/old-ab", 400)
    ping(me, 2)
    wait_for(me, "deploy-4")
    rest(0.5)
    me.send("DELETE", f"{base}/old-ab", 400)
    tag = other.get(f"{base}/headers").etag
    other.send("DELETE", f"{base}/headers", 204, {"If-Match": tag})
    me.get(f"{base}/redirect")
