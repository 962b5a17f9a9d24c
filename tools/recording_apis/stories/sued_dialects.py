"""Other words for conditions: other statuses, conditions in the content, locks, rules and elections."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.fronts import DAV, site
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.azure import Blobs
from tools.recording_apis.stories.azure import furnished as blob_store
from tools.recording_apis.stories.keys import swap
from tools.recording_apis.stories.sued_ground import BASE, Vault, busy, fleet, sign_in
from tools.recording_apis.stories.webdav import lock, properties

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor
    from tools.recording_apis.servers import Server


def suite(stage: Stage) -> Server:
    """Start the imitated products."""
    return stage.server("application", app="suite_products")


@case(
    "a768",
    "worker-deletes-a-leased-blob",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "A retention job deletes blobs; one of them is leased by an export that is still running: 412 "
        "LeaseIdMissing. Its tag has not changed, and the properties show the lease."
    ),
)
def leased(stage: Stage) -> None:
    """Delete what somebody has leased."""
    server = blob_store(stage, plan='{"week":47}', exported='{"rows":120000}')
    me, other = Blobs(stage, "client", server), Blobs(stage, "other", server)
    other.on(lambda one: one.acquire_lease(60), blob="exported.json")
    me.tag("plan.json")
    tag = me.tag("exported.json")
    condition = {"etag": tag, "match_condition": me.match.IfNotModified}
    me.on(lambda one: one.delete_blob(**condition), "LeaseIdMissing", "exported.json")
    time.sleep(0.7)
    me.on(lambda one: one.delete_blob(**condition), "LeaseIdMissing", "exported.json")
    me.tag("exported.json")


@case(
    "a769",
    "lock-token-of-another-file",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "An editor holds locks on two files of Apache's WebDAV and sends the token of one with the save of the "
        "other: 412. With the token of that file the save is stored."
    ),
)
def other_lock(stage: Stage) -> None:
    """Mix up two locks."""
    files: dict[str, str | bytes] = {"plan/a.txt": "a 1\n", "plan/b.txt": "b 1\n"}
    server = site(stage, "apache2", files, DAV["apache2"])
    me = stage.actor("client", server, "files.example.test", "requests", {"User-Agent": "office-dav/16"})
    first, second = lock(me, "/plan/a.txt", "ines"), lock(me, "/plan/b.txt", "ines")
    me.get("/plan/a.txt")
    me.get("/plan/b.txt")
    me.put("/plan/b.txt", "b 2\n", 412, {"If": f"(<{first}>)"})
    properties(me, "/plan/b.txt", "0")
    me.put("/plan/b.txt", "b 2\n", 204, {"If": f"(<{second}>)"})
    me.send("UNLOCK", "/plan/b.txt", 204, {"Lock-Token": f"<{second}>"})
    me.send("UNLOCK", "/plan/a.txt", 204, {"Lock-Token": f"<{first}>"})


@case(
    "a770",
    "kv-cas-false-and-on-it-goes",
    "status-dialect-mismatch",
    "lost-write",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description=(
        "A deploy tool sets two keys by check-and-set; the first is refused with 200 and the body false, as "
        "another tool had written it, and the tool takes the status for success and marks the deployment done."
    ),
    synthetic=True,
)
def cas_false(stage: Stage) -> None:
    """Look at the status only."""
    server = suite(stage)
    me = stage.actor("client", server, "consul.example.test", "urllib", {"User-Agent": "deployctl/0.8"})
    me = busy(
        me,
        "a770",
        ("/v1/status/leader", "/v1/agent/services", "/v1/health/state/critical", "/v1/kv/shop/none"),
    )
    other = stage.actor("other", server, "consul.example.test", "curl", {"User-Agent": "canary-switch"})
    other.put("/v1/kv/shop/weight?cas=0", "100", 200)
    other.put("/v1/kv/shop/state?cas=0", "idle", 200)
    weight = me.get("/v1/kv/shop/weight").json[0]["ModifyIndex"]
    state = me.get("/v1/kv/shop/state?stale").json[0]["ModifyIndex"]
    other.put(f"/v1/kv/shop/weight?cas={weight}", "10", 200)
    time.sleep(0.5)
    refused = me.put(f"/v1/kv/shop/weight?cas={weight}&dc=eu", "50", 200)
    done = me.put(f"/v1/kv/shop/state?cas={state}&dc=eu", "done", 200)
    if (refused.json, done.json) != (False, True):
        raise StoryError("the first was not refused")
    me.get("/v1/kv/shop/state")
    other.get("/v1/kv/shop/weight")


@case(
    "a771",
    "batch-200-with-a-412-inside",
    "status-dialect-mismatch",
    "lost-write",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description=(
        "Three task changes go out in one batch; the batch is 200, one of its members 412, since a colleague had "
        "renamed that task. The client looks at the outer status and tells its channel that all is done."
    ),
    synthetic=True,
)
def batch(stage: Stage) -> None:
    """Send three changes at once."""
    server = suite(stage)
    me = stage.actor("client", server, "graph.example.test", "node:fetch", {"Authorization": "Bearer eyJ.me"})
    me = busy(me, "a771", ("/v1.0/me", "/v1.0/planner/plans/P1", "/v1.0/planner/plans/P1/buckets"))
    other = stage.actor("other", server, "graph.example.test", "httpx", {"Authorization": "Bearer eyJ.you"})
    tasks = me.get("/v1.0/planner/plans/P1/tasks?$select=id,title,percentComplete").json["value"]
    theirs = other.get("/v1.0/planner/tasks/qT2m").json["@odata.etag"]
    renamed = {"title": "Print badges and signs"}
    other.send("PATCH", "/v1.0/planner/tasks/qT2m", 204, {"If-Match": theirs}, renamed)
    time.sleep(0.8)
    requests = [
        {
            "id": str(number),
            "method": "PATCH",
            "url": f"/planner/tasks/{one['id']}",
            "headers": {"If-Match": one["@odata.etag"], "Content-Type": "application/json"},
            "body": {"percentComplete": 100},
        }
        for number, one in enumerate(tasks, 1)
    ]
    told = me.send("POST", "/v1.0/$batch", 200, None, {"requests": requests}).json["responses"]
    if [one["status"] for one in told] != [204, 412, 204]:
        raise StoryError(f"the batch came to {told}")
    text = {"body": {"content": "Venue, badges and lunch: all 3 tasks done"}}
    me.send("POST", "/v1.0/teams/T1/channels/C1/messages", 201, None, text)
    other.get("/v1.0/planner/tasks/qT2m")


@case(
    "a772",
    "json-patch-tests-another-spelling",
    "payload-precondition-mismatch",
    "422",
    alone="payload-precondition-mismatch",
    also="status-dialect-mismatch",
    description=(
        "A JSON patch tests cpu for '100m' before it replaces it; the live object has '0.1', the same amount in "
        "another spelling, and the patch is refused. With the live value in its test it is applied."
    ),
    synthetic=True,
)
def spelling(stage: Stage) -> None:
    """Test for a value that is spelled otherwise."""
    server = suite(stage)
    agent = {"User-Agent": "limits-operator/2.0", "Authorization": "Bearer k8s"}
    me = stage.actor("client", server, "k8s.example.test", "aiohttp", agent)
    me = busy(
        me, "a772", ("/version", "/api/v1/namespaces", "/apis/apps/v1", "/api/v1/namespaces/pay/pods?limit=3")
    )
    path = "/api/v1/namespaces/pay/configmaps/ingress"
    kind = {"Content-Type": "application/json-patch+json"}
    me.get("/api/v1/namespaces/pay/pods?limit=100")
    me.get(path)

    def patch(old: str) -> str:
        steps = [{"op": "test", "path": "/data/cpu", "value": old}]
        return json.dumps([*steps, {"op": "replace", "path": "/data/cpu", "value": "250m"}])

    me.send("PATCH", path, 422, kind, patch("100m"))
    live = me.get(path).json["data"]["cpu"]
    me.send("PATCH", path, 200, kind, patch(live))


@case(
    "a773",
    "table-condition-of-another-type",
    "payload-precondition-mismatch",
    "400",
    alone="payload-precondition-mismatch status-dialect-mismatch",
    also="status-dialect-mismatch",
    description=(
        "PutItem on condition that price is the old one, sent as a string where the item has a number: 400 "
        "ConditionalCheckFailedException with the item in the answer, unchanged since it was read. As a number "
        "the same condition holds."
    ),
    notes=("moto's DynamoDB",),
)
def other_type(stage: Stage) -> None:
    """Compare a number with a string."""
    server = stage.server("moto")
    me = Vault(stage, "client", server, "tables.example.test", "pricer/1 Boto3", service="dynamodb")
    me.do(
        "create_table",
        TableName="prices",
        KeySchema=[{"AttributeName": "sku", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "sku", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item = {"sku": {"S": "HX-3"}, "price": {"N": "9.5"}, "by": {"S": "import"}}
    me.do("put_item", TableName="prices", Item=item)
    stage.forget()
    me.do("describe_table", TableName="prices")
    me.do("get_item", TableName="prices", Key={"sku": {"S": "HX-3"}}, ConsistentRead=True)
    change: dict[str, Any] = {
        "TableName": "prices",
        "Item": {**item, "price": {"N": "9.9"}, "by": {"S": "pricer"}},
        "ConditionExpression": "price = :old",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    me.do("put_item", 400, **change, ExpressionAttributeValues={":old": {"S": "9.5"}})
    me.do("get_item", TableName="prices", Key={"sku": {"S": "HX-3"}}, ConsistentRead=True)
    me.do("put_item", **change, ExpressionAttributeValues={":old": {"N": "9.5"}})


@case(
    "a774",
    "fhir-update-by-search-two-hits",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "A conditional update names its practitioner by a number that two records carry: 412 with an "
        "OperationOutcome; the search shows both. For another number with one record the update goes through."
    ),
    synthetic=True,
)
def practitioners(stage: Stage) -> None:
    """Update whoever has a number."""
    server = suite(stage)
    kind = {"Accept": "application/fhir+json", "Content-Type": "application/fhir+json"}
    me = stage.actor("client", server, "fhir.example.test", "java", kind)
    me = busy(me, "a774", ("/r4/metadata", "/r4/Organization", "/r4/Practitioner?identifier=urn:lanr%7C1"))
    me.get("/r4/Practitioner?identifier=urn:lanr%7C70014&_elements=identifier")
    for number, expect in (("70014", 200), ("55501", 412)):
        record = {
            "resourceType": "Practitioner",
            "identifier": [{"system": "urn:lanr", "value": number}],
            "active": True,
        }
        me.put(f"/r4/Practitioner?identifier=urn:lanr%7C{number}", record, expect)
    me.get("/r4/Practitioner?identifier=urn:lanr%7C70014")
    found = me.get("/r4/Practitioner?identifier=urn:lanr%7C55501")
    if found.json["total"] != 2:
        raise StoryError("there are not two")


@case(
    "a775",
    "contact-by-ambiguous-mail",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "A newsletter tool changes contacts by their mail address as alternate key; two companies share one "
        "address, and the change is 412 'ambiguous' with both ids. No condition field was sent."
    ),
    synthetic=True,
)
def contacts(stage: Stage) -> None:
    """Change a contact by an address."""
    server = suite(stage)
    me = stage.actor("client", server, "crm.example.test", "node:axios", {"Authorization": "Bearer crm"})
    me = busy(me, "a775", ("/crm/v4/me", "/crm/v4/lists", "/crm/v4/lists/none"))
    change = {"newsletter": False}
    me.send("PATCH", "/crm/v4/contacts?email=kim%40example.test", 200, None, change)
    me.send("PATCH", "/crm/v4/contacts?email=office%40example.test", 412, None, change)
    me.get("/crm/v4/contacts?email=office%40example.test")
    me.send("PATCH", "/crm/v4/contacts?email=office%40example.test", 412, None, change)


@case(
    "a776",
    "archive-tier-knows-no-conditions",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description=(
        "A store refuses every conditional PUT on its archive tier with 501 NotImplemented, be the tag fresh or "
        "the name new; without a condition the same PUT is stored."
    ),
    synthetic=True,
)
def archive(stage: Stage) -> None:
    """Ask an archive for conditions."""
    server = suite(stage)
    me = stage.actor("client", server, "archive.example.test", "httpx", {"User-Agent": "restic-like/0.17"})
    me = busy(me, "a776", ("/cold", "/cold-usage", "/cold/repo/locks"))
    me.get("/cold/repo/config", 404)
    me.put("/cold/repo/config", {"v": 1}, 501, {"If-None-Match": "*"})
    me.put("/cold/repo/config", {"v": 1}, 200)
    tag = me.send("HEAD", "/cold/repo/config", 200).etag
    me.put("/cold/repo/config", {"v": 2}, 501, {"If-Match": tag})
    me.get("/cold/repo/config")


@case(
    "a777",
    "report-type-without-versions",
    "unsupported-precondition",
    "412",
    alone="unsupported-precondition",
    description=(
        "An OData-like service has no version property for one of its types: no ETag on any read, and 412 "
        "VersioningNotSupported for every If-Match, the star included."
    ),
    synthetic=True,
)
def versionless(stage: Stage) -> None:
    """Ask for the version of what has none."""
    server = suite(stage)
    me = stage.actor("client", server, "erp.example.test", "requests", {"OData-Version": "4.0"})
    me = busy(me, "a777", ("/$metadata", "/accounts", "/reports/q1", "/reports/q2"))
    for name, tag in (("q3", "*"), ("q3", 'W/"1"'), ("q4", "*")):
        read = me.get(f"/reports/{name}")
        if "etag" in read.fields:
            raise StoryError("there is a tag")
        me.put(f"/reports/{name}", {"state": "closed"}, 412, {"If-Match": tag})
    me.put("/reports/q3", {"state": "closed"}, 200)


@case(
    "a778",
    "handover-needs-a-signature",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A driver's app reports a handover without a signature: 412 with the rule that it breaks. No condition is "
        "sent anywhere; with a signature the same request is fine."
    ),
    synthetic=True,
)
def handover(stage: Stage) -> None:
    """Break a rule of the business."""
    server = suite(stage)
    agent = {"User-Agent": "DriverApp/7.12 (Android 15; SM-A556B) okhttp/4.12.0", "Cookie": "drv=d-17.s5"}
    me = stage.actor("client", server, "m.example.test", "aiohttp", agent)
    me = busy(me, "a778", ("/mobile/v7/me", "/mobile/v7/tour", "/mobile/v7/news"))
    rows = me.get("/mobile/v7/parcels?driver=d-17&day=2026-11-26&tz=Europe%2FBerlin").json["parcels"]
    for one in (row for row in rows if row["insured"]):
        path = f"/mobile/v7/parcels/{one['number']}"
        me.send("POST", f"{path}/scan", 200, None, {"at": [54.32, 10.13]})
        me.send("POST", f"{path}/handover", 412, None, {"to": "neighbour", "signature": ""})
        me.send("POST", f"{path}/handover", 200, None, {"to": "neighbour", "signature": "iVBORw0KGgo="})


@case(
    "a779",
    "edge-rule-refuses-scripts",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A rule at the nginx before the service answers requests of known script libraries with 412 and a page of "
        "its own, whatever they ask; the same requests under a browser's name pass. The service sees none of them."
    ),
)
def scripts(stage: Stage) -> None:
    """Be taken for a robot."""
    server = fleet(stage)
    rule = "if ($http_user_agent ~* (python|curl|wget)) { return 412 '<html><body><h1>Request blocked</h1>"
    rule += "<p>Reference 7c1-SCRIPT. Contact security.</p></body></html>'; } default_type text/html;"
    edge = fronts.nginx(stage, server, rule)
    me = stage.actor("client", edge, "www.example.test", "requests")
    path = f"{BASE}sites/kiel"
    me.get(path, 412)
    me.send("POST", f"{BASE}session", 412, None, {"account": "mara"})
    me.get(path, 412)
    browser = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"}
    me.get(path, 200, browser)
    me.send("POST", f"{BASE}session", 201, browser, {"account": "mara"})


def _candidate(actor: Actor, name: str, expect: int) -> None:
    """Try to become the leader."""
    swap(actor, "election/scheduler", name, "prevExist=false&ttl=3", expect)


@case(
    "a780",
    "scheduler-election",
    "expected-control-flow",
    "412",
    alone="expected-control-flow none exists-already",
    description=(
        "Two schedulers stand for leader by creating one key with a lifetime; the one that comes second is told "
        "412 'Key already exists' at each turn, waits, and takes over when the leader stops renewing."
    ),
)
def election(stage: Stage) -> None:
    """Stand for leader again and again."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.example.test", "httpx", {"User-Agent": "scheduler-b"})
    other = stage.actor("other", server, "etcd.example.test", "requests", {"User-Agent": "scheduler-a"})
    renew = "prevExist=true&prevValue=scheduler-a&refresh=true&ttl=3"
    _candidate(other, "scheduler-a", 201)
    for turn in range(4):
        _candidate(me, "scheduler-b", 412)
        me.get("/v2/keys/election/scheduler")
        if turn < 2:
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            other.put(f"/v2/keys/election/scheduler?{renew}", "ttl=3", 200, form)
        time.sleep(0.9)
    deadline = time.monotonic() + 30
    while me.send("GET", "/v2/keys/election/scheduler", (200, 404)).status == 200:
        if time.monotonic() > deadline:
            raise StoryError("the leader does not go")
        time.sleep(0.9)
    _candidate(me, "scheduler-b", 201)


@case(
    "a781",
    "partition-claims-of-two-consumers",
    "expected-control-flow",
    "412",
    alone="expected-control-flow none exists-already",
    description=(
        "Two consumers share out four partitions by creating an ownership object each with If-None-Match: *; who "
        "comes second is refused and takes the next, as it is meant: each ends with two."
    ),
)
def partitions(stage: Stage) -> None:
    """Share out partitions."""
    server = stage.server("seaweedfs")
    store = partial(Vault, stage, server=server, host="store.example.test")
    setup = store(name="setup", agent="setup")
    setup.do("create_bucket", Bucket="offsets")
    setup.client.close()
    stage.forget()
    me = store(name="client", agent="consumer-1 Boto3")
    other = store(name="other", agent="consumer-2 Boto3")

    def claim(who: Vault, name: str, number: int, expect: int = 200) -> None:
        body = json.dumps({"owner": name, "partition": number, "epoch": 4})
        key = f"orders/ownership/{number}"
        who.do("put_object", expect, Bucket="offsets", Key=key, Body=body, IfNoneMatch="*")

    claim(other, "consumer-2", 0)
    claim(me, "consumer-1", 0, 412)
    claim(me, "consumer-1", 1)
    claim(other, "consumer-2", 1, 412)
    claim(other, "consumer-2", 2)
    claim(me, "consumer-1", 2, 412)
    claim(me, "consumer-1", 3)
    claim(other, "consumer-2", 3, 412)
    for number in (1, 3):
        me.do("put_object", Bucket="offsets", Key=f"orders/offset/{number}", Body=f"{number * 880}")
    me.do("list_objects_v2", Bucket="offsets", Prefix="orders/ownership/")


@case(
    "a782",
    "upload-filter-by-suffix",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A filter at HAProxy answers uploads whose name has a blocked suffix with 412 and its own text; they carry "
        "a correct If-None-Match: * for a name that is free (404), and the same content under a .txt name is stored."
    ),
)
def upload_filter(stage: Stage) -> None:
    """Upload what a filter does not like."""
    server = fleet(stage)
    rule = " acl blocked path_end .exe .scr\n"
    rule += ' http-request return status 412 content-type text/plain string "Policy 44: file type blocked" if blocked !METH_GET'
    edge = fronts.haproxy(stage, [server], "", rule)
    me = stage.actor("client", edge, "files.example.test", "urllib", {"X-Operator": "jonas"})
    me = busy(me, "a782")
    sign_in(me, "jonas")
    body = {"kind": "attachment", "content": "TVrCkCBzZXR1cA=="}
    me.put(f"{BASE}attachments/setup.exe", body, 412, {"If-None-Match": "*"})
    me.get(f"{BASE}attachments/setup.exe", 404)
    me.put(f"{BASE}attachments/setup.txt", body, 201, {"If-None-Match": "*"})
    me.put(f"{BASE}attachments/setup.exe", body, 412, {"If-None-Match": "*"})
