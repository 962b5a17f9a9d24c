"""Stories of clients that keep, lose or make up the token of an API."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from tools.recording_apis.apps import ben_dav, ben_google, ben_microsoft, ben_stores, ben_suites
from tools.recording_apis.stage import case
from tools.recording_apis.stories import ben_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d407",
    "ben-iam-etag-in-the-loop",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A tool adds a member to a project's policy. Another tool was faster; ours repeats setIamPolicy with the same "
        "etag five times with growing pauses although each 409 ABORTED asks for the whole read-modify-write."
    ),
    synthetic=True,
)
def member(stage: Stage) -> None:
    """Repeat what cannot pass."""
    api = ben_google.policies("harbor-prod", ["user:ines@harbor.example"])
    server = place.open_api(stage, api, "starlette", "Google Cloud Resource Manager")
    host = "cloudresourcemanager.example"
    me = stage.actor(
        "client", server, host, "requests", {"Authorization": "Bearer ya29.grant", "User-Agent": "grant/0.7"}
    )
    other = stage.actor("other", server, host, "httpx", {"Authorization": "Bearer ya29.terraform"})
    place.aside(
        api, me, {"/v1/projects/harbor-prod": {"projectId": "harbor-prod", "lifecycleState": "ACTIVE"}}
    )
    base = "/v1/projects/harbor-prod"
    policy = me.send("POST", f"{base}:getIamPolicy", 200, None, {}).json
    place.aside(api, me, {"/v1/projects?pageSize=50": {"projects": [{"projectId": "harbor-prod"}]}})
    theirs = other.send("POST", f"{base}:getIamPolicy", 200, None, {}).json
    theirs["bindings"].append({"role": "roles/logging.viewer", "members": ["group:sre@harbor.example"]})
    other.send("POST", f"{base}:setIamPolicy", 200, None, {"policy": theirs})
    place.rest(0.4)
    policy["bindings"][0]["members"].append("user:teo@harbor.example")
    for number in range(5):
        me.send("POST", f"{base}:setIamPolicy", 409, None, {"policy": policy})
        place.rest(0.2 * 2**number)
    me.get(base)


@case(
    "d408",
    "ben-s3-claim-and-the-lost-answer",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "boto3 creates an object with If-None-Match: * and the answer is lost; its own repeat of the same invocation is "
        "412. The object carries the run id of this very job in its metadata and the time of the first attempt."
    ),
)
def claim(stage: Stage) -> None:
    """Be refused by one's own object."""
    server = stage.server("moto")
    s3 = place.Amazon(stage, "client", server, "s3", place.drops("PUT", "day-2026-11-26.parquet"))
    s3("create_bucket", Bucket="rides", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    s3("put_object", Bucket="rides", Key="raw/day-2026-11-25.parquet", Body=b"PAR1-25", IfNoneMatch="*")
    s3("head_object", Bucket="rides", Key="raw/day-2026-11-25.parquet")
    new = {
        "Bucket": "rides",
        "Key": "raw/day-2026-11-26.parquet",
        "Body": b"PAR1-26" * 30,
        "IfNoneMatch": "*",
    }
    s3("put_object", "PreconditionFailed", **new, Metadata={"run-id": "5b1e0c7a-nightly"})
    seen = s3("head_object", Bucket="rides", Key="raw/day-2026-11-26.parquet")
    place.sure(seen["Metadata"]["run-id"] == "5b1e0c7a-nightly" and seen["ContentLength"] == 210)
    s3("list_objects_v2", Bucket="rides", Prefix="raw/")
    s3("put_object", Bucket="rides", Key="raw/_SUCCESS", Body=b"")
    s3("get_object", Bucket="rides", Key="raw/day-2026-11-25.parquet")


@case(
    "d409",
    "ben-confluence-number-plus-one",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A generator keeps a page's text from its first read. Right before saving it reads the page again, but takes "
        "only version.number from it: the paragraph that a colleague has put in between is gone, with 200."
    ),
    synthetic=True,
)
def page(stage: Stage) -> None:
    """Take the number and leave the text."""
    text = "<h1>On call</h1><p>Week 48: Anders</p>"
    api = ben_suites.confluence(
        {"65538": {"title": "On call", "text": text}, "65540": {"title": "Runbook", "text": "<p>..</p>"}}
    )
    server = place.open_api(stage, api, "tornado", "Confluence")
    me = stage.actor("client", server, "wiki.fjordnet.example", "urllib", {"X-User": "rota-bot"})
    other = stage.actor("other", server, "wiki.fjordnet.example", "node:fetch", {"X-User": "Sunniva"})
    base = "/wiki/rest/api/content"
    place.aside(api, me, {"/wiki/rest/api/user/current": {"type": "known", "displayName": "rota-bot"}})
    place.aside(api, me, {"/wiki/rest/api/space/OPS": {"key": "OPS", "name": "Operations"}})
    draft = me.get(f"{base}/65538?expand=body.storage,version").json
    mine = draft["body"]["storage"]["value"].replace("Week 48: Anders", "Week 49: Kari")
    me.get(f"{base}/65540?expand=body.storage,version")
    theirs = other.get(f"{base}/65538?expand=body.storage,version").json
    value = theirs["body"]["storage"]["value"] + "<p>Pager moved to desk 4</p>"
    new = {"id": "65538", "type": "page", "title": "On call"}
    body = {"storage": {"value": value, "representation": "storage"}}
    other.put(f"{base}/65538", {**new, "version": {"number": 9}, "body": body}, 200)
    place.rest(1.0)
    number = me.get(f"{base}/65538?expand=body.storage,version").json["version"]["number"]
    body = {"storage": {"value": mine, "representation": "storage"}}
    me.put(f"{base}/65538", {**new, "version": {"number": number + 1}, "body": body}, 200)
    me.get(f"{base}/65540?expand=version")
    me.get(f"{base}/65538/version")
    place.sure("Pager" not in me.get(f"{base}/65538?expand=body.storage,version").text)


@case(
    "d411",
    "ben-twilio-revision-undefined",
    "null-token",
    "400",
    alone="null-token",
    description=(
        "A dashboard in JavaScript takes the revision from the wrong property and sends If-Match: undefined to Twilio "
        "Sync: 400 with code 54003, three documents in a row. With the revision that was read, the write passes."
    ),
    synthetic=True,
)
def undefined(stage: Stage) -> None:
    """Send a word instead of a revision."""
    api = ben_suites.twilio_sync()
    server = place.open_api(stage, api, "stdlib", "Twilio Sync")
    me = stage.actor(
        "client", server, "sync.twilio.example", "node:axios", {"Authorization": "Basic QUM1MTpzZWNyZXQ="}
    )
    base = "/v1/Services/IS51/Documents"
    place.aside(api, me, {"/v1/Services/IS51": {"sid": "IS51", "reachability_webhooks_enabled": False}})
    me.get(base)
    for key in ("queue-east", "queue-west", "queue-east"):
        seen = me.get(f"{base}/{key}").json
        me.send("POST", f"{base}/{key}", 400, {"If-Match": "undefined"}, {**seen["data"], "agents": 6})
        place.rest(0.4)
    me.get(base)
    seen = me.get(f"{base}/queue-night").json
    me.send("POST", f"{base}/queue-night", 200, {"If-Match": seen["revision"]}, {"agents": 2, "open": True})


@case(
    "d412",
    "ben-azure-table-tag-without-quotes",
    "malformed-validator",
    "400",
    alone="malformed-validator",
    description=(
        "A program cuts W/ and the quotes off the tags of Azure table entities, as it does with those of its blobs, and "
        "sends datetime'...': 400 InvalidOperation for each MERGE. The tag as it came is accepted."
    ),
)
def bared(stage: Stage) -> None:
    """Cut off what belongs to the tag."""
    server = stage.server("azurite", table=True)
    key = place.signed("table")
    fields = {
        "Accept": "application/json;odata=minimalmetadata",
        "x-ms-version": "2019-02-02",
        "DataServiceVersion": "3.0",
    }
    me = stage.actor("client", server, "meters.table.example", "httpx", fields)
    me.send("POST", f"/notes/Tables?{key}", 201, None, {"TableName": "meters"})
    rows = {n: f"/notes/meters(PartitionKey='north',RowKey='{n}')?{key}" for n in ("m1", "m2", "m3")}
    for n in rows:
        new = {"PartitionKey": "north", "RowKey": n, "reading": 1200, "unit": "kWh"}
        me.send("POST", f"/notes/meters?{key}", 201, None, new)
    me.get(f"/notes/meters()?$filter={quote('reading gt 0')}&{key}")
    for n in ("m1", "m2", "m1"):
        seen = me.get(rows[n])
        bare = seen.etag.removeprefix("W/").strip('"')
        me.send("MERGE", rows[n], 400, {"If-Match": bare}, {"reading": 1210})
        place.rest(0.3)
    seen = me.get(rows["m3"])
    me.send("MERGE", rows["m3"], 204, {"If-Match": seen.etag}, {"reading": 1210})
    me.get(f"/notes/meters()?{key}")


@case(
    "d413",
    "ben-planner-task-for-details",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A program writes the details of Planner tasks with the @odata.etag of the task itself, and is 412 each time. "
        "The details have a tag of their own, with which the last write passes."
    ),
    synthetic=True,
)
def details(stage: Stage) -> None:
    """Send a task's tag for its details."""
    api = ben_microsoft.planner()
    server = place.open_api(stage, api, "waitress", "Microsoft Graph Planner")
    me = stage.actor(
        "client", server, "graph.microsoft.example", "curl:trace-time", {"Authorization": "Bearer eyJ0"}
    )
    base = "/v1.0/planner/tasks"
    place.aside(api, me, {"/v1.0/me": {"displayName": "Olga Brandt", "id": "6e7b"}})
    tasks = me.get("/v1.0/planner/plans/xqQg5F/tasks").json["value"]
    for task in tasks:
        seen = me.get(f"{base}/{task['id']}")
        me.send("PATCH", f"{base}/{task['id']}", 204, {"If-Match": seen.etag}, {"percentComplete": 50})
        seen = me.get(f"{base}/{task['id']}")
        told = {"description": "Foreman has the key"}
        me.send("PATCH", f"{base}/{task['id']}/details", 412, {"If-Match": seen.etag}, told)
        place.rest(0.4)
    me.get("/v1.0/planner/plans/xqQg5F/tasks")
    own = me.get(f"{base}/gJ8mK2/details")
    me.send(
        "PATCH", f"{base}/gJ8mK2/details", 204, {"If-Match": own.etag}, {"description": "Foreman has the key"}
    )


@case(
    "d414",
    "ben-zotero-whole-library",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    description=(
        "A plug-in writes one item of a Zotero group with the version of the library. A fellow's program tags other "
        "items all the time, so two writes are 412 although ?since= shows that only those others have changed."
    ),
    synthetic=True,
)
def library(stage: Stage) -> None:
    """Write one item with the version of all."""
    api = ben_suites.zotero(
        {
            key: {"itemType": "book", "title": f"Tides {n}", "tags": []}
            for n, key in enumerate(("QX4TA8ZK", "B7NN2WED", "K3MMV9RS"))
        }
    )
    server = place.open_api(stage, api, "cheroot", "Zotero")
    me = stage.actor(
        "client", server, "api.zotero.example", "aiohttp", {"Zotero-API-Key": "k1", "Zotero-API-Version": "3"}
    )
    other = stage.actor("other", server, "api.zotero.example", "urllib", {"Zotero-API-Key": "k2"})
    base, since = "/groups/88021/items", "If-Unmodified-Since-Version"
    place.aside(api, me, {"/keys/k1": {"userID": 5, "access": {"groups": {"all": {"write": True}}}}})
    version = me.get(base).fields["last-modified-version"]
    me.get(f"{base}/QX4TA8ZK")
    me.get(base, 304, {"If-Modified-Since-Version": version})
    for number, key in enumerate(("B7NN2WED", "K3MMV9RS")):
        theirs = other.get(base).fields["last-modified-version"]
        other.send("POST", base, 200, {since: theirs}, [{"key": key, "tags": [{"tag": "moon"}]}])
        place.rest(0.6)
        mine = [{"key": "QX4TA8ZK", "title": f"Tides and shores {number + 2}"}]
        me.send("POST", base, 412, {since: version}, mine)
        newer = me.get(f"{base}?since={version}")
        place.sure([one["key"] for one in newer.json] == [key])
        version = newer.fields["last-modified-version"]
    done = me.send("POST", base, 200, {since: version}, [{"key": "QX4TA8ZK", "title": "Tides and shores"}])
    me.get(base, 304, {"If-Modified-Since-Version": done.fields["last-modified-version"]})


@case(
    "d415",
    "ben-dataverse-never-update",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A connector reads an account from Dataverse and sends the change as PATCH with If-None-Match: *, which means "
        "never update: 412 for each account that is there. With If-Match and the tag it passes."
    ),
    synthetic=True,
)
def never(stage: Stage) -> None:
    """Guard an update like a create."""
    keys = [f"0b5a7c1e-2f10-4c6e-9d1{n}-3f21aa90b7{n}4" for n in range(4)]
    api = ben_microsoft.dataverse(
        {key: {"name": f"Werft {n}", "creditlimit": 10000} for n, key in enumerate(keys[:3])}
    )
    server = place.open_api(stage, api, "falcon", "Dataverse")
    me = stage.actor(
        "client",
        server,
        "org7.crm4.example",
        "java",
        {"Authorization": "Bearer eyJ0", "OData-MaxVersion": "4.0"},
    )
    base = "/api/data/v9.2/accounts"
    place.aside(api, me, {"/api/data/v9.2/WhoAmI": {"UserId": "a6e1", "OrganizationId": "77"}})
    me.get(f"{base}?$select=name,creditlimit")
    for key in (keys[0], keys[1], keys[0]):
        seen = me.get(f"{base}({key})")
        place.sure(seen.etag)
        me.send("PATCH", f"{base}({key})", 412, {"If-None-Match": "*"}, {"creditlimit": 12000})
        place.rest(0.3)
    me.send("PATCH", f"{base}({keys[3]})", 204, {"If-None-Match": "*"}, {"name": "Werft 3"})
    seen = me.get(f"{base}({keys[2]})")
    me.send("PATCH", f"{base}({keys[2]})", 204, {"If-Match": seen.etag}, {"creditlimit": 12000})


@case(
    "d416",
    "ben-sap-order-without-if-match",
    "token-missing",
    "428",
    alone="token-missing",
    description=(
        "An integration changes purchase orders in S/4HANA with the CSRF token but no If-Match: 428 each time, though "
        "every read has an ETag. With the tag the same change is 204."
    ),
    synthetic=True,
)
def order(stage: Stage) -> None:
    """Send no condition where one is demanded."""
    orders = {f"45000012{n}": {"PurchaseOrderType": "NB", "PaymentTerms": "0001"} for n in (17, 18, 19)}
    api = ben_suites.sap(orders)
    server = place.open_api(stage, api, "waitress", "SAP S/4HANA OData")
    me = stage.actor(
        "client", server, "s4.kontor.example:8443".partition(":")[0], "requests", {"sap-client": "100"}
    )
    base = "/sap/opu/odata/sap/API_PURCHASEORDER_PROCESS_SRV"
    place.aside(api, me, {f"{base}/": {"d": {"EntitySets": ["A_PurchaseOrder", "A_PurchaseOrderItem"]}}})
    token = {"x-csrf-token": "kR4vXw=="}
    me.get(f"{base}/A_PurchaseOrder?$top=20")
    me.send("PATCH", f"{base}/A_PurchaseOrder('4500001217')", 403, None, {"d": {"PaymentTerms": "0002"}})
    for key in ("4500001217", "4500001218", "4500001217"):
        me.get(f"{base}/A_PurchaseOrder('{key}')")
        me.send("PATCH", f"{base}/A_PurchaseOrder('{key}')", 428, token, {"d": {"PaymentTerms": "0002"}})
        place.rest(0.4)
    seen = me.get(f"{base}/A_PurchaseOrder('4500001219')")
    target = f"{base}/A_PurchaseOrder('4500001219')"
    me.send("PATCH", target, 204, {**token, "If-Match": seen.etag}, {"d": {"PaymentTerms": "0002"}})
    me.get(f"{base}/A_PurchaseOrder?$top=20")


@case(
    "d417",
    "ben-nextcloud-the-phones-cache",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "A notes app on a phone saves through the system's HTTP cache, which adds If-None-Match with the tag of its "
        "stored read to every request, also to PUT: SabreDAV says 412, the ETag matched. The desktop, without such a "
        "cache, saves the same file; the phone's new files pass."
    ),
    synthetic=True,
)
def phone(stage: Stage) -> None:
    """Save through a cache that adds a condition."""
    api = ben_dav.sabre(
        {"Notes/shopping.md": "- oats\n", "Notes/trip.md": "# Lofoten\n", "Notes/ideas.md": "...\n"}
    )
    server = place.open_api(stage, api, "cheroot", "SabreDAV (Nextcloud)")
    agent = {"User-Agent": "Notes/412 CFNetwork/1496.0.7 Darwin/23.5.0", "Authorization": "Basic am86am8="}
    me = stage.actor("client", server, "cloud.jo.example", "urllib", agent)
    other = stage.actor("other", server, "cloud.jo.example", "curl", {"Authorization": "Basic am86am8="})
    base, text = "/remote.php/dav/files/jo/Notes", {"Content-Type": "text/markdown"}
    me.get("/status.php")
    held = {name: me.get(f"{base}/{name}.md").etag for name in ("shopping", "trip", "ideas")}
    for name in ("shopping", "trip"):
        me.get(f"{base}/{name}.md", 304, {"If-None-Match": held[name]})
        me.put(f"{base}/{name}.md", f"{name}\n- more\n", 412, {**text, "If-None-Match": held[name]})
        place.rest(0.4)
        me.get(f"{base}/{name}.md", 304, {"If-None-Match": held[name]})
    me.put(f"{base}/fresh.md", "- new\n", 201, text)
    me.put(f"{base}/shopping.md", "shopping\n- more\n", 412, {**text, "If-None-Match": held["shopping"]})
    seen = other.get(f"{base}/trip.md")
    other.put(f"{base}/trip.md", "# Lofoten\n- tent\n", 204, {**text, "If-Match": seen.etag})


@case(
    "d418",
    "ben-kubernetes-watch-after-the-nap",
    "token-expired",
    "410",
    alone="token-expired",
    description=(
        "A controller lists config maps and watches from the list's resourceVersion. After a pause the API server no "
        "longer keeps that version: 410 Expired, too old resource version, twice, until the controller lists again."
    ),
    synthetic=True,
)
def nap(stage: Stage) -> None:
    """Watch from a version that is gone."""
    api = ben_stores.kubernetes(2.5)
    server = place.open_api(stage, api, "aiohttp", "Kubernetes API server")
    agent = {"User-Agent": "config-syncer/v0.3.1 (linux/amd64)", "Accept": "application/json"}
    me = stage.actor("client", server, "k8s.apps.test", "httpx", agent)
    base = "/api/v1/namespaces/apps/configmaps"
    place.aside(
        api, me, {"/version": {"major": "1", "minor": "30"}, "/api/v1/namespaces/apps": {"kind": "Namespace"}}
    )
    began = time.monotonic()
    version = me.get(f"{base}?limit=500").json["metadata"]["resourceVersion"]
    for _ in range(3):
        me.get(f"{base}?watch=1&resourceVersion={version}&timeoutSeconds=1&allowWatchBookmarks=true")
        place.rest(0.2)
    seen = me.get(f"{base}/mailer").json
    me.put(f"{base}/mailer", {**seen, "data": {"log.level": "debug"}}, 200)
    place.rest(max(0.1, 2.9 - (time.monotonic() - began)))
    for _ in range(2):
        me.get(f"{base}?watch=1&resourceVersion={version}&timeoutSeconds=1&allowWatchBookmarks=true", 410)
        place.rest(0.5)
    version = me.get(f"{base}?limit=500").json["metadata"]["resourceVersion"]
    me.get(f"{base}?watch=1&resourceVersion={version}&timeoutSeconds=1&allowWatchBookmarks=true")
    me.get(f"{base}/mapper")
