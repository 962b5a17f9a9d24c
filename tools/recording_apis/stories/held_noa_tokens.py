"""What clients do with tokens: keep old ones, send them again, lose answers, refresh without looking."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import held_noa_setting as place
from tools.recording_apis.stories.held_noa_setting import bearer, must


@case(
    "b483",
    "labels-from-the-state-file",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "Compute Engine: a tool sets labels with the labelFingerprint of its state file; it had itself set labels "
        "in the same run and read the new fingerprint, but never stored it."
    ),
    synthetic=True,
)
def labels(stage: Stage) -> None:
    """Set labels twice with one fingerprint."""
    path = "/compute/v1/projects/lab/zones/europe-west3-a/instances/render-2"
    seed = {path: {"labels": {"env": "test"}, "metadata": [{"key": "ssh", "value": "off"}]}}
    server = place.api(stage, "compute", seed)
    me = stage.actor("client", server, "compute.googleapis.test", "requests", bearer("tf"))
    state = me.get(path).json["labelFingerprint"]
    first = {"labels": {"env": "prod"}, "labelFingerprint": state}
    me.send("POST", f"{path}/setLabels", 200, None, first)
    must(me.get(path).json["labelFingerprint"] != state, "same fingerprint")
    time.sleep(0.4)
    second = {"labels": {"env": "prod", "team": "film"}, "labelFingerprint": state}
    me.send("POST", f"{path}/setLabels", 412, None, second)


@case(
    "b484",
    "next-lock-token-thrown-away",
    "stale-stored-token",
    "400",
    alone="stale-stored-token",
    also="status-dialect-mismatch",
    description=(
        "AWS WAFv2: a script adds addresses to an IP set one by one and keeps the LockToken of its first Get; the "
        "answer of its own update carried NextLockToken, the next update is WAFOptimisticLockException."
    ),
    synthetic=True,
)
def next_token(stage: Stage) -> None:
    """Ignore the next token."""
    server = place.api(stage, "waf", {"deny": {"Addresses": ["192.0.2.1/32"]}, "allow": {"Addresses": []}})
    kind = {"Content-Type": "application/x-amz-json-1.1", **place.signed("AKIAOPS")}
    me = stage.actor("client", server, "wafv2.eu-west-1.amazonaws.test", "curl", kind)

    def call(name: str, expect: int, **body: object) -> place.Answer:
        return me.send("POST", "/", expect, {"X-Amz-Target": f"AWSWAF_20190729.{name}"}, {"Scope": "REGIONAL", **body})

    call("ListIPSets", 200)
    got = call("GetIPSet", 200, Name="deny").json
    addresses = [*got["IPSet"]["Addresses"], "198.51.100.7/32"]
    call("UpdateIPSet", 200, Name="deny", LockToken=got["LockToken"], Addresses=addresses)
    time.sleep(0.3)
    call("UpdateIPSet", 400, Name="deny", LockToken=got["LockToken"], Addresses=[*addresses, "198.51.100.9/32"])


@case(
    "b485",
    "offline-copy-keeps-its-first-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "Kinto: an app for bird counts saves a sighting, gets the new ETag in the answer, and saves again with the tag "
        "of its local database; details.existing in the 412 is the app's own first save."
    ),
)
def birds(stage: Stage) -> None:
    """Save twice with the first tag."""
    server = stage.server("kinto")
    me = stage.actor("client", server, "kinto.birds.test", "httpx", {"Authorization": "Basic Y2FybGE6ZmFrZS1wYXNz"})
    me.put("/v1/accounts/carla", {"data": {"password": "fake-pass"}}, 201)
    base = "/v1/buckets/default/collections/sightings"
    me.put(base, {}, 201)
    record = f"{base}/records/0d5c2a18-6a3e-4a0c-9c7a-51b0f1a2c3d4"
    me.put(record, {"data": {"species": "Alcedo atthis", "count": 1}}, 201)
    stage.forget()
    time.sleep(0.05)
    me.get(f"{base}/records?_sort=-last_modified")
    tag = me.get(record).etag
    me.put(record, {"data": {"species": "Alcedo atthis", "count": 2}}, 200, {"If-Match": tag})
    time.sleep(0.6)
    me.put(record, {"data": {"species": "Alcedo atthis", "count": 3}}, 412, {"If-Match": tag})


@case(
    "b486",
    "posting-tried-five-times",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "SAP S/4HANA: a posting program sends a PATCH with an outdated tag five times, waiting longer each time, "
        "without a read in between; each time the gateway says that the entity was changed."
    ),
    synthetic=True,
)
def posting(stage: Stage) -> None:
    """Send a refused tag again and again."""
    path = "/sap/opu/odata4/sap/api_order/srvd_a2x/sap/order/0001/Order('4500012')"
    server = place.api(stage, "sap", {path: {"Order": "4500012", "NetAmount": "180.00", "Plant": "1010"}})
    me = stage.actor("client", server, "s4.works.test", "java", bearer("POSTING", **{"sap-client": "100"}))
    other = stage.actor("other", server, "s4.works.test", "requests", bearer("DISPATCH", **{"sap-client": "100"}))
    tag = me.get(path).etag
    other.send("PATCH", path, 200, {"If-Match": other.get(path).etag}, {"Plant": "1020"})
    for pause in (0.1, 0.2, 0.4, 0.8, 0):
        me.send("PATCH", path, 412, {"If-Match": tag}, {"NetAmount": "171.00"})
        time.sleep(pause)


@case(
    "b487",
    "train-enters-a-tunnel",
    "lost-response-replay",
    "400",
    alone="lost-response-replay",
    also="status-dialect-mismatch",
    description=(
        "Firestore: the answer to a commit of an inspector's form is lost with the connection; the app sends the same "
        "form with the same updateTime again: FAILED_PRECONDITION, and the document holds the form already, updated "
        "while the first attempt ran."
    ),
    synthetic=True,
)
def tunnel(stage: Stage) -> None:
    """Repeat a patch whose answer was lost."""
    path = "/v1/projects/rail/databases/(default)/documents/inspections/i-77"
    fields = {"wagon": {"stringValue": "B 51-80"}, "brakes": {"stringValue": "open"}}
    server = place.api(stage, "firestore", {path: {"fields": fields}}, "cheroot")
    loses = place.first_write(path, "PATCH")
    me = stage.actor("client", server, "firestore.googleapis.test", "requests", bearer("inspector-4"), loses=loses)
    at = me.get(path).json["updateTime"]
    target = f"{path}?updateMask.fieldPaths=brakes&currentDocument.updateTime={at}"
    form = {"fields": {"brakes": {"stringValue": "checked by inspector-4, form 8821"}}}
    me.send("PATCH", target, 0, None, form)
    time.sleep(1.2)
    me.send("PATCH", target, 400, None, form)
    must("8821" in me.get(path).text, "not stored")


@case(
    "b488",
    "gateway-gives-up-on-the-meter",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "Eve behind nginx: the gateway answers 504 after a second while the service stores the meter's reading; the "
        "meter sends it again with the same tag and gets 412. The record is the meter's own reading."
    ),
    synthetic=True,
)
def meter(stage: Stage) -> None:
    """Repeat a write that timed out at the gateway."""
    path = "/readings/m-5512"
    seed = {path: {"kwh": 4410.2, "seq": 880}, "/tariffs/t1": {"cent": 31.4}}
    server = place.api(stage, "plain", seed, KIND="eve", TARRY="1.8", FLAGS="need")
    front = fronts.nginx(stage, server, "proxy_read_timeout 1s;")
    me = stage.actor("client", front, "meters.grid.test", "aiohttp", bearer("meter-5512"))
    me.get("/tariffs/t1")
    tag = me.get(path).json["_etag"]
    reading = {"kwh": 4411.7, "seq": 881, "nonce": "m5512-881-c0ffee"}
    me.send("PATCH", path, 504, {"If-Match": f'"{tag}"'}, reading)
    time.sleep(1.2)
    me.send("PATCH", path, 412, {"If-Match": f'"{tag}"'}, reading)
    must("c0ffee" in me.get(path).text, "not stored")


@case(
    "b489",
    "allergy-overwritten-with-a-fresh-version",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "FHIR: a ward system reads a patient, a pharmacist adds an allergy note; before it saves, the ward system "
        "reads again, takes only the new version and puts its old copy with a new phone number: 200, the note is gone."
    ),
    synthetic=True,
)
def allergy(stage: Stage) -> None:
    """Put an old copy under a fresh tag."""
    path = "/fhir/Patient/p-100"
    value = {"name": [{"family": "Sato", "given": ["Emi"]}], "telecom": [{"value": "+81 3 0000 0000"}]}
    server = place.api(stage, "fhir", {path: value})
    kind = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
    me = stage.actor("client", server, "fhir.ward.test", "httpx", bearer("ward-3", **kind))
    other = stage.actor("other", server, "fhir.ward.test", "requests", bearer("pharmacist", **kind))
    copy = me.get(path).json
    theirs = other.get(path)
    note = [{"url": "http://ward.test/allergy", "valueString": "penicillin"}]
    other.put(path, {**theirs.json, "extension": note}, 200, {"If-Match": theirs.etag})
    time.sleep(0.7)
    fresh = me.get(path)
    must("penicillin" in fresh.text, "no note")
    me.put(path, {**copy, "telecom": [{"value": "+81 3 1111 2222"}]}, 200, {"If-Match": fresh.etag})
    must("penicillin" not in me.get(path).text, "the note is there")


@case(
    "b490",
    "config-map-put-without-version",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    description=(
        "Kubernetes: a deploy script reads a config map, drops metadata.resourceVersion and puts the whole thing; a "
        "colleague's key, put in between, is gone. Nothing was refused."
    ),
    synthetic=True,
)
def config_map(stage: Stage) -> None:
    """Put a map without its version."""
    path = "/api/v1/namespaces/shop/configmaps/pricing"
    value = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"vat": "19"}}
    server = place.api(stage, "kubernetes", {path: value})
    me = stage.actor("client", server, "k8s.shop.test", "curl", bearer("deploy-bot"))
    other = stage.actor("other", server, "k8s.shop.test", "requests", bearer("lea"))
    mine, theirs = me.get(path).json, other.get(path).json
    theirs["data"]["promo"] = "blackweek"
    other.put(path, theirs, 200)
    time.sleep(0.4)
    del mine["metadata"]["resourceVersion"], mine["metadata"]["managedFields"]
    mine["data"]["vat"] = "20"
    me.put(path, mine, 200)
    must("promo" not in me.get(path).json["data"], "promo is there")


@case(
    "b491",
    "undefined-for-a-planner-task",
    "null-token",
    "400",
    alone="null-token",
    description=(
        "Microsoft Planner: a script reads task['@odata.etag'] of an object whose property is named otherwise and "
        "sends If-Match: undefined; Graph says that the field contains an invalid value."
    ),
    synthetic=True,
)
def undefined(stage: Stage) -> None:
    """Send undefined."""
    path = "/v1.0/planner/tasks/01gzSlKkIUSU"
    server = place.api(stage, "graph", {path: {"title": "Order slides", "percentComplete": 0}})
    me = stage.actor("client", server, "graph.microsoft.test", "node:fetch", bearer("bot"))
    me.get(path)
    me.send("PATCH", path, 400, {"If-Match": "undefined"}, {"percentComplete": 50})


@case(
    "b492",
    "none-in-a-format-string",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "Twilio Sync: a Python service formats the tag of a document it has not read yet, so the field is "
        'If-Match: "None"; 412 (20412), while a read in between shows the true tag.'
    ),
    synthetic=True,
)
def formatted(stage: Stage) -> None:
    """Send None in quotes."""
    path = "/v1/Services/ISfake/Documents/board"
    seed = {path: {"score": [2, 1]}, "/v1/Services/ISfake/Documents/clock": {"t": 55}}
    server = place.api(stage, "plain", seed, KIND="twilio")
    me = stage.actor("client", server, "sync.twilio.test", "requests", bearer("referee"))
    me.get("/v1/Services/ISfake/Documents/clock")
    me.send("POST", path, 412, {"If-Match": '"None"'}, {"score": [2, 2]})
    tag = me.get(path).etag
    me.send("POST", path, 200, {"If-Match": tag}, {"score": [2, 2]})


@case(
    "b493",
    "quotes-lost-at-the-estate-agent",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "Reapit Foundations: a connector trims the quotes of the ETag before it sends it back as If-Match; the API "
        "demands them. With the quotes the same value is taken."
    ),
    synthetic=True,
)
def unquoted(stage: Stage) -> None:
    """Send a tag without its quotes."""
    path = "/properties/OXF200117"
    server = place.api(stage, "plain", {path: {"rent": 1450, "beds": 2}}, KIND="reapit", FLAGS="need")
    me = stage.actor("client", server, "platform.reapit.test", "node:axios", bearer("connector", **{"api-version": "2020-01-31"}))
    tag = me.get(path).etag
    me.send("PATCH", path, 412, {"If-Match": tag.strip('"')}, {"rent": 1500})
    time.sleep(0.3)
    me.send("PATCH", path, 200, {"If-Match": tag}, {"rent": 1500})


@case(
    "b494",
    "tag-through-an-html-template",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "Nextcloud Notes: the tag went through an HTML attribute on its way, so the quotes come back as &quot; in "
        "If-Match: 412 though the note is as it was read."
    ),
    synthetic=True,
)
def escaped(stage: Stage) -> None:
    """Send a tag with entities."""
    path = "/index.php/apps/notes/api/v1/notes/118"
    server = place.api(stage, "plain", {path: {"title": "Shopping", "content": "leek", "favorite": False}}, KIND="notes")
    me = stage.actor("client", server, "cloud.home.test", "httpx", bearer("pia", Cookie="nc_session_id=fake"))
    me.get("/index.php/apps/notes/api/v1/notes/117", 404)
    tag = me.get(path).etag
    sent = tag.replace('"', "&quot;")
    me.put(path, {"title": "Shopping", "content": "leek, rice", "favorite": False}, 412, {"If-Match": sent})
    must(me.get(path).etag == tag, "another tag")


@case(
    "b495",
    "details-with-the-tag-of-the-task",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "Planner: a task's details are patched with the tag of the task itself; both were read, and each has its own."
    ),
    synthetic=True,
)
def details(stage: Stage) -> None:
    """Send the tag of the parent."""
    task = "/v1.0/planner/tasks/02hPlM0aGkWx"
    seed = {task: {"title": "Inventory", "percentComplete": 0}, f"{task}/details": {"description": ""}}
    server = place.api(stage, "graph", seed, "cheroot")
    me = stage.actor("client", server, "graph.microsoft.test", "aiohttp", bearer("warehouse"))
    tag = me.get(task).json["@odata.etag"]
    must(me.get(f"{task}/details").json["@odata.etag"] != tag, "one tag")
    me.send("PATCH", f"{task}/details", 412, {"If-Match": tag}, {"description": "Row C and D"})
    time.sleep(0.2)
    me.send("PATCH", task, 204, {"If-Match": tag}, {"percentComplete": 50})


@case(
    "b496",
    "metageneration-for-generation",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "Cloud Storage: an uploader takes metageneration out of the metadata and sends it as ifGenerationMatch; 412 "
        "conditionNotMet, with the generation it goes through."
    ),
    synthetic=True,
)
def metageneration(stage: Stage) -> None:
    """Send the other number."""
    seed = {"tiles/z8/134.json": {"content": '{"v":1}', "metageneration": 4, "metadata": {"by": "render"}}}
    server = place.api(stage, "gcs", seed)
    me = stage.actor("client", server, "storage.googleapis.test", "requests", bearer("tiler"))
    seen = me.get("/storage/v1/b/tiles/o/z8/134.json").json
    must(seen["metageneration"] == "4", "another number")
    target = "/upload/storage/v1/b/tiles/o?uploadType=media&name=z8/134.json"
    kind = {"Content-Type": "application/json"}
    me.send("POST", f"{target}&ifGenerationMatch={seen['metageneration']}", 412, kind, '{"v":2}')
    again = me.get("/storage/v1/b/tiles/o/z8/134.json").json["generation"]
    must(again == seen["generation"], "it changed")
    me.send("POST", f"{target}&ifGenerationMatch={again}", 200, kind, '{"v":2}')


@case(
    "b497",
    "one-version-for-the-library",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope other-writer",
    also="other-writer",
    description=(
        "Zotero: a plug-in patches an item with the version of the library it has listed; a colleague has tagged two "
        "other items since, which moves the library's version: 412, though the plug-in's item is as it was."
    ),
    synthetic=True,
)
def bibliography(stage: Stage) -> None:
    """Write one item while others are written."""
    base = "/groups/2100/items"
    seed = {f"{base}/{key}": {"itemType": "book", "title": key.title(), "tags": []} for key in ("ALDER", "BIRCH", "CEDAR")}
    server = place.api(stage, "zotero", seed, FLAGS="library")
    me = stage.actor("client", server, "api.zotero.test", "requests", bearer("plugin", **{"Zotero-API-Version": "3"}))
    other = stage.actor("other", server, "api.zotero.test", "httpx", bearer("kerstin", **{"Zotero-API-Version": "3"}))
    library = me.get(base).fields["last-modified-version"]
    before = me.get(f"{base}/ALDER").json
    version = other.get(base).fields["last-modified-version"]
    for key in ("BIRCH", "CEDAR"):
        guard = {"If-Unmodified-Since-Version": version}
        done = other.send("PATCH", f"{base}/{key}", 204, guard, {"tags": [{"tag": "read"}]})
        version = done.fields["last-modified-version"]
    time.sleep(0.5)
    me.send("PATCH", f"{base}/ALDER", 412, {"If-Unmodified-Since-Version": library}, {"title": "Alder trees"})
    must(me.get(f"{base}/ALDER").json == before, "the item was changed")
    me.get(f"{base}?since={library}")


@case(
    "b498",
    "create-guard-for-a-bookmark",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "xAPI activity profile: a course player reads its document (200 with ETag), then puts the next version "
        "with If-None-Match: * where it meant If-Match."
    ),
    synthetic=True,
)
def bookmark(stage: Stage) -> None:
    """Guard an update as if it were a creation."""
    path = "/xapi/activities/profile"
    server = place.api(stage, "plain", {path: {"page": 4, "score": 0.5}}, KIND="xapi", FLAGS="counted")
    me = stage.actor("client", server, "lrs.school.test", "java", bearer("player", **{"X-Experience-API-Version": "1.0.3"}))
    me.get(path)
    me.put(path, {"page": 5, "score": 0.6}, 412, {"If-None-Match": "*"})
    time.sleep(0.3)
    tag = me.get(path).etag
    me.put(path, {"page": 5, "score": 0.6}, 200, {"If-Match": tag})
