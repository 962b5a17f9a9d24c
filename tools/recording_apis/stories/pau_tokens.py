"""Clients that keep, repeat, mistake or spoil the versions of APIs in use."""

from __future__ import annotations

import importlib
import json

from tools.recording_apis import fronts
from tools.recording_apis.apps.pau_bodies import Confluence, Contentful, Kubernetes
from tools.recording_apis.apps.pau_google import Policies
from tools.recording_apis.apps.pau_stores import GoogleObjects, LockedRules, Placement
from tools.recording_apis.apps.pau_tagged import Tagged
from tools.recording_apis.names import route
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import pau_setting as place
from tools.recording_apis.stories.pau_setting import Aws, bearer, first, must, pause


@case(
    "b660",
    "pau-operator-writes-from-its-cache",
    "stale-stored-token",
    "409",
    alone="stale-stored-token",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "An operator updates a deployment's annotation and, a moment later, its replicas from the object it had "
        "listed before: 409 Conflict on its own update, whose answer held the new resourceVersion. The object read "
        "afterwards names no other manager."
    ),
)
def operator(stage: Stage) -> None:
    """Write from an object older than one's own update."""
    base = "/apis/apps/v1/namespaces/yard/deployments"
    shapes = {
        f"{base}/{n}": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": n},
            "spec": {"replicas": 2},
        }
        for n in ("crane", "gate")
    }
    product = Kubernetes(shapes, first=51200, by="crane-operator")
    product.extra["GET /version"] = place.said({"major": "1", "minor": "31", "gitVersion": "v1.31.2"})
    user = {"User-Agent": "crane-operator/v0.9.1 (linux/amd64) kubernetes/$Format"}
    server = place.api(stage, product, "Kubernetes", "cheroot")
    me = stage.actor("client", server, "kubernetes.yard.test", "httpx", bearer("crane-operator", **user))
    me.get("/version")
    kept = next(one for one in me.get(base).json["items"] if one["metadata"]["name"] == "crane")
    noted = {**kept, "metadata": {**kept["metadata"], "annotations": {"yard/checked": "07:30"}}}
    new = me.put(f"{base}/crane", noted, 200).json["metadata"]["resourceVersion"]
    pause()
    place.beside(me, "j")
    me.put(f"{base}/crane", {**kept, "spec": {"replicas": 3}}, 409)
    seen = me.get(f"{base}/crane").json
    must(seen["metadata"]["resourceVersion"] == new, "another write")
    me.put(f"{base}/crane", {**seen, "spec": {"replicas": 3}}, 200)


@case(
    "b661",
    "pau-save-after-publishing",
    "stale-stored-token",
    "409",
    alone="stale-stored-token",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A translation job saves an entry, publishes it and saves it again with the version that the save had "
        "answered: publishing had made it one more, as its answer said. VersionMismatch for each of three entries."
    ),
)
def publishing(stage: Stage) -> None:
    """Forget that publishing is a write."""
    base = "/spaces/sp1/environments/master/entries/"
    product = Contentful({base + n: {"fields": {"t": {"en": n}}} for n in ("oak", "elm", "ash")}, first=4)
    server = place.api(stage, product, "Contentful", "uvicorn")
    front = fronts.lighttpd(stage, server)
    me = stage.actor(
        "client",
        front,
        "api.contentful.test",
        "node:axios",
        bearer("translator", **{"X-Contentful-User-Agent": "sdk contentful-management.js/11.40"}),
    )
    place.beside(me, "lt")
    kind = {"Content-Type": "application/vnd.contentful.management.v1+json"}

    def save(name: str, text: str, version: int, status: int) -> int:
        body = place.dumped({"fields": {"t": {"en": name, "nl": text}}})
        told = me.put(base + name, body, status, {**kind, "X-Contentful-Version": str(version)})
        return 0 if status != 200 else int(told.json["sys"]["version"])

    for name, word in (("oak", "eik"), ("elm", "iep"), ("ash", "es")):
        version = save(name, word, me.get(base + name).json["sys"]["version"], 200)
        me.put(f"{base}{name}/published", b"", 200, {"X-Contentful-Version": str(version)})
        save(name, word + "enhout", version, 409)


@case(
    "b662",
    "pau-inventory-repeats-one-generation",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token",
    also="other-writer status-dialect-mismatch",
    synthetic=True,
    description=(
        "A compute agent's PUT of its inventories conflicts with the generation that another agent has moved; it "
        "sends the same generation five times, at growing distances, and never reads in between."
    ),
)
def inventory(stage: Stage) -> None:
    """Repeat what cannot succeed."""
    path = "/resource_providers/4e8e5957-649f-477b-9e5b-f1f75b21c03c/inventories"
    data = {
        "inventories": {"VCPU": {"total": 16, "reserved": 0}, "MEMORY_MB": {"total": 65536, "reserved": 512}}
    }
    server = place.api(stage, Placement({path: data}, first=7), "OpenStack placement", "waitress")
    micro = {
        "OpenStack-API-Version": "placement 1.39",
        "User-Agent": "nova-compute keystoneauth1/5.8.0 python-requests/2.32.3 CPython/3.11.7",
    }
    me = stage.actor(
        "client", server, "placement.cloud.test", "requests", {"X-Auth-Token": "fake-a", **micro}
    )
    other = stage.actor("other", server, "placement.cloud.test", "aiohttp", {"X-Auth-Token": "fake-b"})
    generation = me.get(path).json["resource_provider_generation"]
    seen = other.get(path).json
    seen["inventories"]["DISK_GB"] = {"total": 400}
    other.put(path, seen, 200)
    data["inventories"]["VCPU"]["reserved"] = 2
    for wait in (0.2, 0.4, 0.8, 1.2, 0.0):
        me.put(path, {**data, "resource_provider_generation": generation}, 409)
        pause(wait)


@case(
    "b663",
    "pau-ticket-put-twice-by-boto3",
    "lost-response-replay",
    "400",
    alone="lost-response-replay",
    also="status-dialect-mismatch",
    description=(
        "boto3 puts a ticket into moto's DynamoDB under attribute_not_exists; the answer is lost, the library's own "
        "second attempt (same invocation id) is ConditionalCheckFailedException. The item holds the caller's nonce."
    ),
)
def ticket(stage: Stage) -> None:
    """Be refused by one's own first attempt."""
    server = stage.server("moto")
    setup = Aws(stage, "setup", server, "dynamodb")
    keys = [{"AttributeName": "id", "KeyType": "HASH"}]
    kinds = [{"AttributeName": "id", "AttributeType": "S"}]
    setup.call(
        "create_table",
        TableName="tickets",
        KeySchema=keys,
        AttributeDefinitions=kinds,
        BillingMode="PAY_PER_REQUEST",
    )
    stage.forget()
    seen: list[int] = []

    def loses(message: object) -> bool:
        if b"PutItem" in message.raw and not seen:  # type: ignore[attr-defined]
            seen.append(1)
            return True
        return False

    me = Aws(stage, "client", server, "dynamodb", loses, attempts=3)
    item = {"id": {"S": "F-2291"}, "seat": {"S": "12C"}, "nonce": {"S": "0c7e-55a1"}}
    me.call("get_item", TableName="tickets", Key={"id": item["id"]})
    me.call(
        "put_item",
        "ConditionalCheckFailedException",
        TableName="tickets",
        Item=item,
        ConditionExpression="attribute_not_exists(id)",
    )
    got = me.call("get_item", TableName="tickets", Key={"id": item["id"]}, ConsistentRead=True)["Item"]
    must(got["nonce"] == item["nonce"], "another's")


@case(
    "b664",
    "pau-upload-repeated-by-google-sdk",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    synthetic=True,
    description=(
        "google-cloud-storage uploads a manifest under if_generation_match; the connection breaks after the bucket "
        "has stored it, the library tries again by itself and is told conditionNotMet. The stored md5 is that of "
        "its own content, of a generation within the first attempt."
    ),
)
def manifest(stage: Stage) -> None:
    """Let an SDK repeat an upload."""
    path = "/storage/v1/b/fleet/o/manifest.json"
    product = GoogleObjects({path: '{"files": []}'})
    bucket = {
        "kind": "storage#bucket",
        "id": "fleet",
        "name": "fleet",
        "metageneration": "3",
        "location": "EU",
    }
    product.extra["GET /storage/v1/b/fleet"] = place.said(bucket)
    server = place.api(stage, product, "Cloud Storage JSON", "waitress")
    port = stage.tap("client", server, first("POST", "/upload/"))
    storage = importlib.import_module("google.cloud.storage")
    nobody = importlib.import_module("google.auth.credentials").AnonymousCredentials()
    route("storage.fleet.test", port)
    client = storage.Client(
        project="fleet", credentials=nobody, client_options={"api_endpoint": "http://storage.fleet.test"}
    )
    blob = client.bucket("fleet").blob("manifest.json")
    blob.reload()
    content = '{"files": ["part-0001.parquet"], "run": "a91-77"}'
    refused = importlib.import_module("google.api_core.exceptions").PreconditionFailed
    try:
        blob.upload_from_string(content, "application/json", if_generation_match=blob.generation)
    except refused:
        blob = client.bucket("fleet").blob("manifest.json")
        blob.reload()
    else:
        raise StoryError("it was taken")
    must(blob.download_as_text() == content, "not ours")


@case(
    "b665",
    "pau-number-fetched-for-an-old-text",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    synthetic=True,
    description=(
        "A page is opened at version 3 and edited for a while; before saving, the tool asks for the version only "
        "(expand=version, now 4, by kim) and sends its text under 5. The line that kim had added is gone."
    ),
)
def number(stage: Stage) -> None:
    """Renew the number and not the text."""
    path = "/rest/api/content/7001"
    product = Confluence(
        {path: {"title": "Rota", "body": {"storage": {"value": "<p>Mon Ada</p>"}}}}, first=3, by="ada"
    )
    server = place.api(stage, product, "Confluence", "tornado")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "wiki.ward.test", "java", bearer("ada"))
    other = stage.actor("other", front, "wiki.ward.test", "requests", bearer("kim"))
    place.beside(me, "a")

    def page(text: str, version: int) -> dict[str, object]:
        body = {"storage": {"value": text, "representation": "storage"}}
        return {"id": "7001", "type": "page", "title": "Rota", "version": {"number": version}, "body": body}

    me.get(path + "?expand=body.storage,version")
    seen = other.get(path + "?expand=body.storage,version").json
    other.put(path, page("<p>Mon Ada</p><p>Tue Kim</p>", seen["version"]["number"] + 1), 200)
    pause(0.8)
    place.beside(me, "st")
    fresh = me.get(path + "?expand=version").json["version"]["number"]
    me.put(path, page("<p>Mon Ada, from 8</p>", fresh + 1), 200)
    must("Kim" not in me.get(path + "?expand=body.storage,version").text.replace("kim", ""), "it is there")


@case(
    "b666",
    "pau-lock-token-for-an-old-list",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    synthetic=True,
    description=(
        "An address set is read, minutes later its LockToken is fetched anew with the list of all sets and sent with "
        "addresses based on the old read: the block that the on-call tool had added meanwhile is gone."
    ),
)
def addresses(stage: Stage) -> None:
    """Renew a lock token for old content."""
    product = LockedRules(
        {"blocked": {"Addresses": ["192.0.2.0/24"]}, "office": {"Addresses": ["198.51.100.7/32"]}}
    )
    server = place.api(stage, product, "WAFv2", "cheroot")
    scope = {"Scope": "REGIONAL", "Id": "a1b2"}
    me = Aws(stage, "client", server, "wafv2")
    other = Aws(stage, "other", server, "wafv2")
    mine = me.call("get_ip_set", Name="blocked", **scope)
    theirs = other.call("get_ip_set", Name="blocked", **scope)
    added = [*theirs["IPSet"]["Addresses"], "203.0.113.9/32"]
    other.call("update_ip_set", Name="blocked", **scope, Addresses=added, LockToken=theirs["LockToken"])
    pause(0.9)
    listed = me.call("list_ip_sets", Scope="REGIONAL")["IPSets"]
    fresh = next(one["LockToken"] for one in listed if one["Name"] == "blocked")
    must(fresh != mine["LockToken"], "no other write")
    new = [*mine["IPSet"]["Addresses"], "192.0.2.200/32"]
    me.call("update_ip_set", Name="blocked", **scope, Addresses=new, LockToken=fresh)
    me.call("get_ip_set", Name="blocked", **scope)


@case(
    "b667",
    "pau-policy-without-its-etag",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    synthetic=True,
    description=(
        "A script reads a project's IAM policy with its etag, adds a binding and sets the policy without the etag: "
        "last writer wins. The auditors' binding, set in between, is not in the policy any more."
    ),
)
def policy(stage: Stage) -> None:
    """Leave out the etag of a policy."""
    path = "/v1/projects/harbour"
    owner = {"role": "roles/owner", "members": ["user:chief@port.test"]}
    server = place.api(stage, Policies({path: {"bindings": [owner]}}), "Resource Manager", "uvicorn")
    me = stage.actor(
        "client", server, "cloudresourcemanager.googleapis.test", "urllib", {"Accept": "application/json"}
    )
    other = stage.actor("other", server, "cloudresourcemanager.googleapis.test", "requests", bearer("audit"))
    token = me.send("POST", "/token", 200, None, "grant_type=jwt-bearer&client_id=setup").json["access_token"]
    auth = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    mine = me.send("POST", f"{path}:getIamPolicy", 200, auth, "{}").json
    theirs = other.send("POST", f"{path}:getIamPolicy", 200, None, {}).json
    theirs["bindings"].append({"role": "roles/viewer", "members": ["group:audit@port.test"]})
    other.send("POST", f"{path}:setIamPolicy", 200, None, {"policy": theirs})
    pause(0.5)
    bound = [*mine["bindings"], {"role": "roles/editor", "members": ["serviceAccount:ci@port.test"]}]
    me.send("POST", f"{path}:setIamPolicy", 200, auth, json.dumps({"policy": {"bindings": bound}}))
    me.send("POST", f"{path}:getIamPolicy", 200, auth, "{}")


@case(
    "b668",
    "pau-rename-with-undefined",
    "null-token",
    "412",
    alone="null-token",
    synthetic=True,
    description=(
        "A Node tool renames files; it takes the tag from the headers, where this API has none, and sends the word "
        "undefined as If-Match: 412 for each file. The member etag was in every body."
    ),
)
def undefined(stage: Stage) -> None:
    """Send the name of nothing."""
    files = {
        f"/2.0/files/{n}": {"type": "file", "id": str(n), "name": f"scan {n}.pdf"} for n in (551, 552, 553)
    }
    server = place.api(stage, Tagged("box", files, first=4), "Box", "waitress")
    me = stage.actor("client", server, "api.box.test", "node:fetch", bearer("archive"))
    place.beside(me, "l")
    for path in files:
        seen = me.get(path)
        must("etag" not in seen.fields and seen.json["etag"] == "3", "a tag in the headers")
        me.put(path, {"name": f"2026 {seen.json['name']}"}, 412, {"If-Match": "undefined"})
        pause(0.2)
    place.beside(me, "ja")


@case(
    "b669",
    "pau-generation-null",
    "null-token",
    "400",
    alone="null-token",
    synthetic=True,
    description=(
        "After a restart an agent's cache is empty and it sends resource_provider_generation null: 400, None is not "
        "of type integer, on two providers. With the generation read, the same inventories are taken."
    ),
)
def generation(stage: Stage) -> None:
    """Send null for a number."""
    paths = [f"/resource_providers/{name}/inventories" for name in ("8d2f", "b77c")]
    data = {"inventories": {"VCPU": {"total": 8}}}
    server = place.api(
        stage, Placement(dict.fromkeys(paths, data), first=3), "OpenStack placement", "tornado"
    )
    me = stage.actor(
        "client",
        server,
        "placement.cloud.test",
        "curl:trace-time",
        {"X-Auth-Token": "fake", "OpenStack-API-Version": "placement 1.39"},
    )
    place.beside(me, "s")
    new = {"inventories": {"VCPU": {"total": 8, "reserved": 1}}}
    for path in paths:
        me.put(path, {**new, "resource_provider_generation": None}, 400)
    seen = me.get(paths[1]).json["resource_provider_generation"]
    me.put(paths[1], {**new, "resource_provider_generation": seen}, 200)


@case(
    "b670",
    "pau-contact-tag-with-entities",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A home-made client takes getetag out of the multistatus with a regular expression and sends it with its XML "
        "entities, &quot; at both ends: Radicale refuses both changes. The tags are current."
    ),
)
def entities(stage: Stage) -> None:
    """Send XML escapes as a tag."""
    server = stage.server("radicale")
    text = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{0}\r\nFN:{1}\r\nEND:VCARD\r\n"
    setup = stage.actor("other", server, "dav.crew.test", "requests", {"Authorization": "Basic YW5uYTphbm5h"})
    book = '<?xml version="1.0"?><mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype><collection/><C:addressbook/></resourcetype></prop></set></mkcol>'
    setup.send("MKCOL", "/anna/crew/", 201, {"Content-Type": "application/xml"}, book)
    for uid, name in (("p1", "Piet"), ("p2", "Wim")):
        setup.put(f"/anna/crew/{uid}.vcf", text.format(uid, name), 201, {"Content-Type": "text/vcard"})
    stage.forget()
    me = stage.actor(
        "client",
        server,
        "dav.crew.test",
        "aiohttp",
        {"Authorization": "Basic YW5uYTphbm5h", "User-Agent": "crewbook/0.3"},
    )
    asked = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    told = me.send(
        "PROPFIND", "/anna/crew/", 207, {"Depth": "1", "Content-Type": "application/xml"}, asked
    ).text
    for uid, name in (("p1", "Pieter"), ("p2", "Willem")):
        tag = told.partition(f"{uid}.vcf")[2].partition("getetag>")[2].partition("<")[0]
        sent = tag.replace('"', "&quot;")
        me.put(
            f"/anna/crew/{uid}.vcf",
            text.format(uid, name),
            412,
            {"If-Match": sent, "Content-Type": "text/vcard"},
        )
        must(me.get(f"/anna/crew/{uid}.vcf").etag == tag, "it has moved")


@case(
    "b671",
    "pau-tag-as-json-text",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A pipeline passes tags between its steps as JSON and does not decode them: SeaweedFS gets If-Match with "
        "backslashes and a second pair of quotes and refuses; the state file has not changed."
    ),
)
def jsoned(stage: Stage) -> None:
    """Quote a tag twice."""
    server = stage.server("seaweedfs")
    me = Aws(stage, "client", server, "s3")
    me.call("create_bucket", Bucket="pipe")
    key = {"Bucket": "pipe", "Key": "state/step.json"}
    me.call("put_object", **key, Body=b'{"step": 1}')
    tag = me.call("get_object", **key)["ETag"]
    me.call("put_object", "PreconditionFailed", **key, Body=b'{"step": 2}', IfMatch=json.dumps(tag))
    pause()
    must(me.call("head_object", **key)["ETag"] == tag, "it has moved")
    me.call("put_object", "PreconditionFailed", **key, Body=b'{"step": 2}', IfMatch=json.dumps(tag))
