"""Versions that a client drops, keeps too long, spells wrongly or takes from somewhere else."""

from __future__ import annotations

import base64
import time

from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import kim_setting as at
from tools.recording_apis.stories.kim_setting import cloud, insist, look, office, without


@case(
    "b208",
    "kim-release-action-retries-one-sha",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token other-writer",
    also="other-writer status-dialect-mismatch",
    description=(
        "An action that bumps a version file gets 409 because a colleague has pushed to it; it sends the same blob "
        "sha four more times with growing pauses and never reads the file again."
    ),
    synthetic=True,
)
def bump(stage: Stage) -> None:
    """Retry with one sha."""
    files = {"charts/gateway/values.yaml": {"text": "image: gateway:4.1\nreplicas: 3\n"}}
    server = cloud(stage, "github", files)
    me = stage.actor("client", server, "api.github.example", "node:fetch", {"User-Agent": "bump-action/2"})
    other = stage.actor("other", server, "api.github.example", "requests", {"User-Agent": "octo-web"})
    me.get("/user")
    me.get("/repos/atlas/infra/git/ref/heads/main")
    path = "/repos/atlas/infra/contents/charts/gateway/values.yaml"
    sha = me.get(path).json["sha"]

    def change(text: str, named: str) -> dict[str, str]:
        content = base64.b64encode(text.encode()).decode()
        return {"message": "Bump gateway", "content": content, "sha": named, "branch": "main"}

    other.put(path, change("image: gateway:4.1\nreplicas: 6\n", other.get(path).json["sha"]), 200)
    for number in range(5):
        me.put(path, change("image: gateway:4.2\nreplicas: 3\n", sha), 409)
        time.sleep(0.2 * 1.8**number)


@case(
    "b212",
    "kim-revision-undefined",
    "null-token",
    "400",
    alone="null-token malformed-validator",
    also="status-dialect-mismatch",
    description=(
        "A form deletes and saves with ?rev=undefined because the list it was filled from has no revisions under "
        "that name: 400 Invalid rev format, twice."
    ),
    synthetic=True,
)
def undefined(stage: Stage) -> None:
    """Send undefined."""
    server = cloud(stage, "couch", at.FIELDS)
    me = stage.actor("client", server, "couch.farm.test", "node:axios", {"User-Agent": "feldbuch/1.8"})
    me.send("POST", "/_session", 200, None, {"name": "agronomist", "password": "********"})
    me.get("/fields/_all_docs?include_docs=false")
    me.get("/fields/north-4")
    me.put("/fields/north-5?rev=undefined", {"crop": "oats", "area": 3.9, "sown": "", "notes": ""}, 400)
    time.sleep(0.4)
    me.send("DELETE", "/fields/north-5?rev=undefined", 400)
    me.get("/fields/north-5")


@case(
    "b213",
    "kim-planner-tag-escaped",
    "malformed-validator",
    "400",
    alone="malformed-validator",
    also="status-dialect-mismatch",
    description=(
        "A flow builds its If-Match from JSON text and keeps the backslashes before the quotes; the planner answers "
        "400, the header contains an invalid value. The tag as it was served passes."
    ),
    synthetic=True,
)
def escaped(stage: Stage) -> None:
    """Keep the backslashes."""
    server = office(stage, "graph", at.PLAN)
    me = stage.actor("client", server, "graph.example", "httpx", {"X-Actor": "flow-badges"})
    me.get("/v1.0/me")
    me.get("/v1.0/planner/plans/xqQg/tasks")
    tag = me.get("/v1.0/planner/tasks/gtR1").json["@odata.etag"]
    spoiled = tag.replace('"', '\\"')
    for _ in range(2):
        me.send("PATCH", "/v1.0/planner/tasks/gtR1", 400, {"If-Match": spoiled}, {"percentComplete": 50})
        time.sleep(0.5)
    me.send("PATCH", "/v1.0/planner/tasks/gtR1", 204, {"If-Match": tag}, {"percentComplete": 50})


@case(
    "b214",
    "kim-task-tag-for-its-details",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "The description of a task lives in its details, which have a tag of their own; an app sends the task's tag "
        "to them and is refused, with the details' tag it passes. Nobody else writes."
    ),
    synthetic=True,
)
def details(stage: Stage) -> None:
    """Send the tag of the parent."""
    server = office(stage, "graph", at.PLAN)
    me = stage.actor("client", server, "graph.example", "aiohttp", {"X-Actor": "board-app"})
    look(me, ["/v1.0/planner/tasks/hhW8"])
    tag = me.get("/v1.0/planner/tasks/gtR1").json["@odata.etag"]
    changed = {"description": "250 pieces"}
    me.send("PATCH", "/v1.0/planner/tasks/gtR1/details", 412, {"If-Match": tag}, changed)
    time.sleep(0.4)
    again = me.get("/v1.0/planner/tasks/gtR1").json["@odata.etag"]
    me.send("PATCH", "/v1.0/planner/tasks/gtR1/details", 412, {"If-Match": again}, changed)
    insist(again == tag, "the task has changed")
    own = me.get("/v1.0/planner/tasks/gtR1/details").json["@odata.etag"]
    me.send("PATCH", "/v1.0/planner/tasks/gtR1/details", 204, {"If-Match": own}, changed)


@case(
    "b216",
    "kim-create-call-for-known-part",
    "create-guard-on-update",
    "409",
    alone="create-guard-on-update exists-already",
    also="status-dialect-mismatch",
    description=(
        "A tool reads a part and stores its change through the create-only interface (_create): document already "
        "exists. It does so again with op_type=create; the index call with the sequence number passes."
    ),
    synthetic=True,
)
def create_only(stage: Stage) -> None:
    """Create what was just read."""
    server = cloud(stage, "elastic", at.PARTS)
    me = stage.actor("client", server, "es.parts.test", "java", {"User-Agent": "bin-mover/1"})
    me.get("/")
    seen = me.get("/parts/_doc/A-18").json
    body = {**seen["_source"], "bin": "R3-01"}
    me.put("/parts/_create/A-18", body, 409)
    time.sleep(0.3)
    me.put("/parts/_doc/A-18?op_type=create", body, 409)
    seen = me.get("/parts/_doc/A-18").json
    me.put(f"/parts/_doc/A-18?if_seq_no={seen['_seq_no']}&if_primary_term=2", body, 200)


@case(
    "b217",
    "kim-order-patch-without-tag",
    "token-missing",
    "428",
    alone="token-missing",
    description=(
        "A freight interface patches a sales order with the token against forgery but no If-Match: 428 with the "
        "gateway's code; with the tag of a read it passes."
    ),
    synthetic=True,
)
def no_tag(stage: Stage) -> None:
    """Patch without a tag."""
    server = office(stage, "sap", at.ORDERS)
    me = stage.actor("client", server, "s4.hafen.test", "java", {"X-Actor": "FREIGHT_RFC"})
    root = "/sap/opu/odata/sap/API_SALES_ORDER_SRV"
    token = me.get(f"{root}/?sap-client=100", 200, {"X-CSRF-Token": "Fetch"}).fields["x-csrf-token"]
    me.get(f"{root}/A_SalesOrder?$top=20&$format=json")
    change = {"IncotermsLocation": "Bergen"}
    me.send("PATCH", f"{root}/A_SalesOrder('4711')", 428, {"X-CSRF-Token": token}, change)
    me.send("PATCH", f"{root}/A_SalesOrder('4712')", 428, {"X-CSRF-Token": token}, change)
    tag = me.get(f"{root}/A_SalesOrder('4711')").etag
    me.send("PATCH", f"{root}/A_SalesOrder('4711')", 204, {"X-CSRF-Token": token, "If-Match": tag}, change)


@case(
    "b219",
    "kim-calendar-sync-token-too-old",
    "token-expired",
    "410",
    alone="token-expired",
    description=(
        "A calendar is followed with sync tokens; after a pause the service no longer keeps the token and answers "
        "410 fullSyncRequired; a full read gives a token that works."
    ),
    synthetic=True,
)
def sync_token(stage: Stage) -> None:
    """Come back too late."""
    server = cloud(stage, "google", at.EVENTS, EXPIRE="1.6")
    me = stage.actor("client", server, "calendar.atlas.test", "requests", {"User-Agent": "room-display/7"})
    other = stage.actor("other", server, "calendar.atlas.test", "httpx", {"X-Actor": "mara"})
    me.send("POST", "/token", 200, None, "grant_type=refresh_token")
    base = "/calendar/v3/calendars/room-4/events"
    token = me.get(f"{base}?maxResults=250").json["nextSyncToken"]
    for _ in range(3):
        time.sleep(0.4)
        token = me.get(f"{base}?syncToken={token}").json["nextSyncToken"]
    other.send("PATCH", f"{base}/7kq2", 200, None, {"location": "Room 5"})
    time.sleep(2.4)
    me.get(f"{base}?syncToken={token}", 410)
    token = me.get(f"{base}?maxResults=250").json["nextSyncToken"]
    me.get(f"{base}?syncToken={token}")


@case(
    "b256",
    "kim-metageneration-for-generation",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "An uploader takes the metageneration of an object's metadata for its generation and sends "
        "ifGenerationMatch=1: 412 conditionNotMet, again after a fresh read; with the generation it passes."
    ),
    synthetic=True,
)
def other_member(stage: Stage) -> None:
    """Take the number beside it."""
    server = cloud(stage, "google", {"objects/price-list.csv": {"text": "lamp;39.90\n"}})
    me = stage.actor("client", server, "storage.atlas.test", "curl", {"User-Agent": "price-push/0.4"})
    name = "/storage/v1/b/atlas/o/price-list.csv"
    upload = "/upload/storage/v1/b/atlas/o?uploadType=media&name=price-list.csv&ifGenerationMatch="
    for _ in range(2):
        seen = me.get(name).json
        me.send("POST", upload + seen["metageneration"], 412, {"Content-Type": "text/csv"}, "lamp;41.90\n")
        time.sleep(0.3)
    me.send("POST", upload + seen["generation"], 200, {"Content-Type": "text/csv"}, "lamp;41.90\n")


@case(
    "b257",
    "kim-policy-of-the-whole-project",
    "coarse-token-scope",
    "409",
    alone="coarse-token-scope other-writer status-dialect-mismatch",
    also="other-writer status-dialect-mismatch",
    description=(
        "Two teams manage different roles of one project; the policy has one etag for all of it, and the second "
        "setIamPolicy is 409 ABORTED although it touches another role only, twice in a row."
    ),
    synthetic=True,
)
def policy(stage: Stage) -> None:
    """Share one tag among roles."""
    server = cloud(stage, "google", at.POLICY)
    me = stage.actor("client", server, "cloudresourcemanager.atlas.test", "httpx", {"X-Actor": "team-pay"})
    other = stage.actor(
        "other", server, "cloudresourcemanager.atlas.test", "requests", {"X-Actor": "team-data"}
    )
    base = "/v1/projects/atlas"
    for number in range(2):
        mine = me.send("POST", f"{base}:getIamPolicy", 200, None, {}).json
        theirs = other.send("POST", f"{base}:getIamPolicy", 200, None, {}).json
        reader = {"role": f"roles/bigquery.reader{number}", "members": ["group:data@atlas.test"]}
        kept = {"policy": {**theirs, "bindings": [*theirs["bindings"], reader]}}
        other.send("POST", f"{base}:setIamPolicy", 200, None, kept)
        time.sleep(0.4)
        editor = {"role": "roles/pay.editor", "members": ["user:ivo@atlas.test"]}
        wanted = {"policy": {**mine, "bindings": [*mine["bindings"], editor]}}
        me.send("POST", f"{base}:setIamPolicy", 409, None, wanted)
    mine = me.send("POST", f"{base}:getIamPolicy", 200, None, {}).json
    wanted = {"policy": {**mine, "bindings": [*mine["bindings"], editor]}}
    me.send("POST", f"{base}:setIamPolicy", 200, None, wanted)


@case(
    "b258",
    "kim-cas-zero-for-a-known-secret",
    "null-token",
    "400",
    alone="null-token create-guard-on-update exists-already",
    also="status-dialect-mismatch",
    description=(
        "A template leaves options.cas at its default 0 for every secret it writes; the ones that exist are refused "
        "with 400 although their version was just read, the new one passes."
    ),
    synthetic=True,
)
def zero(stage: Stage) -> None:
    """Leave the number at zero."""
    server = cloud(
        stage, "vault", {"pay/db": {"pool": "20", "$writes": 3}, "pay/mail": {"from": "a@atlas.test"}}
    )
    me = stage.actor("client", server, "vault.atlas.test", "node:fetch", {"X-Vault-Request": "true"})
    me.get("/v1/sys/health")
    for name, data, expect in (
        ("db", {"pool": "40"}, 400),
        ("mail", {"from": "b@atlas.test"}, 400),
        ("sms", {"key": "example"}, 200),
    ):
        me.get(f"/v1/secret/data/pay/{name}", (200 if expect == 400 else 404))
        me.send("POST", f"/v1/secret/data/pay/{name}", expect, None, {"options": {"cas": 0}, "data": data})
    number = me.get("/v1/secret/metadata/pay/db").json["data"]["current_version"]
    right = {"options": {"cas": number}, "data": {"pool": "40"}}
    me.send("POST", "/v1/secret/data/pay/db", 200, None, right)


@case(
    "b259",
    "kim-secret-mount-wants-cas",
    "token-missing",
    "400",
    alone="token-missing",
    also="status-dialect-mismatch",
    description=(
        "A mount that insists on check-and-set answers 400 to writes without options.cas, in a run over several "
        "secrets; other calls of the run are fine."
    ),
    synthetic=True,
)
def wants(stage: Stage) -> None:
    """Write without cas."""
    seed = {f"apps/{name}": {"dsn": f"db/{name}"} for name in ("cart", "mail", "search", "stock")}
    server = cloud(stage, "vault", seed, NEED="1")
    me = stage.actor("client", server, "vault.atlas.test", "httpx", {"User-Agent": "secretsync/0.7"})
    me.send("POST", "/v1/auth/kubernetes/login", 200, None, {"jwt": "example", "role": "sync"})
    for name in ("cart", "mail", "search", "stock"):
        me.get(f"/v1/secret/metadata/apps/{name}")
        held = me.get(f"/v1/secret/data/apps/{name}").json["data"]["data"]
        me.send("POST", f"/v1/secret/data/apps/{name}", 400, None, {"data": {**held, "pool": "10"}})
    me.get("/v1/sys/health")


@case(
    "b260",
    "kim-contact-read-is-behind",
    "replica-lag",
    "400",
    alone="replica-lag stale-stored-token",
    also="status-dialect-mismatch",
    description=(
        "A contact is updated; the read right after it still shows the state before, with its old etag, and the "
        "next update with that is 400 FAILED_PRECONDITION. Two seconds later read and update agree."
    ),
    synthetic=True,
)
def behind(stage: Stage) -> None:
    """Read what is behind."""
    person = {"names": [{"givenName": "Liv", "familyName": "Haugen"}], "phoneNumbers": []}
    server = cloud(stage, "google", {"people/c81": person}, LAG="1.7")
    me = stage.actor("client", server, "people.atlas.test", "aiohttp", {"X-Actor": "phonebook-sync"})
    path, read = "/v1/people/c81:updateContact", "/v1/people/c81?personFields=names,phoneNumbers"
    first = me.get(read).json
    one = {**without(first, "resourceName", "metadata"), "phoneNumbers": [{"value": "+47 555 0142"}]}
    told = me.send("PATCH", path, 200, None, one).json
    time.sleep(0.2)
    seen = me.get(read).json
    insist(seen["etag"] == first["etag"] != told["etag"], "the read is current")
    two = {**without(seen, "resourceName", "metadata"), "names": [{"givenName": "Liv", "familyName": "Voss"}]}
    me.send("PATCH", path, 400, None, two)
    time.sleep(0.3)
    me.get(read)
    time.sleep(2.0)
    seen = me.get(read).json
    two = {**without(seen, "resourceName", "metadata"), "names": [{"givenName": "Liv", "familyName": "Voss"}]}
    me.send("PATCH", path, 200, None, two)
