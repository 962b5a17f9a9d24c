"""What clients do with tokens: keep old ones, send them again, lose answers, refresh without looking."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import noa_setting as place
from tools.recording_apis.stories.noa_setting import bearer, must

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer


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
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, "compute.googleapis.test", "requests", bearer("tf"))
    place.browse(me, "w")
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

    def call(name: str, expect: int, **body: object) -> Answer:
        return me.send(
            "POST", "/", expect, {"X-Amz-Target": f"AWSWAF_20190729.{name}"}, {"Scope": "REGIONAL", **body}
        )

    call("ListIPSets", 200)
    got = call("GetIPSet", 200, Name="deny").json
    addresses = [*got["IPSet"]["Addresses"], "198.51.100.7/32"]
    call("UpdateIPSet", 200, Name="deny", LockToken=got["LockToken"], Addresses=addresses)
    time.sleep(0.3)
    call(
        "UpdateIPSet", 400, Name="deny", LockToken=got["LockToken"], Addresses=[*addresses, "198.51.100.9/32"]
    )


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
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "s4.works.test", "java", bearer("POSTING", **{"sap-client": "100"}))
    other = stage.actor(
        "other", front, "s4.works.test", "requests", bearer("DISPATCH", **{"sap-client": "100"})
    )
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
    me = stage.actor(
        "client", server, "firestore.googleapis.test", "requests", bearer("inspector-4"), loses=loses
    )
    place.browse(me, "t")
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
    place.browse(me, "f")
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
    front = fronts.nginx(stage, server)
    kind = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
    me = stage.actor("client", front, "fhir.ward.test", "httpx", bearer("ward-3", **kind))
    other = stage.actor("other", front, "fhir.ward.test", "requests", bearer("pharmacist", **kind))
    place.browse(me, "wcttfttcttw")
    copy = me.get(path).json
    theirs = other.get(path)
    note = [{"url": "http://ward.test/allergy", "valueString": "penicillin"}]
    other.put(path, {**theirs.json, "extension": note}, 200, {"If-Match": theirs.etag})
    time.sleep(0.7)
    place.browse(me, "ctf")
    fresh = me.get(path)
    must("penicillin" in fresh.text, "no note")
    me.put(path, {**copy, "telecom": [{"value": "+81 3 1111 2222"}]}, 200, {"If-Match": fresh.etag})
    must("penicillin" not in me.get(path).text, "the note is there")


@case(
    "b490",
    "customer-note-without-version",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    description=(
        "Square: a till reads a customer, and saves it without the version that the API takes as a guard; a colleague's "
        "address, saved in between, is gone, and the version has grown by two. Nothing was refused."
    ),
    synthetic=True,
)
def customer(stage: Stage) -> None:
    """Put a customer without its version."""
    path = "/v2/customers/JDKYHBWT1D4F8MFH63DBMEN8Y4"
    value = {"given_name": "Amelia", "address": "12 Elm St", "note": ""}
    server = place.api(stage, "bodied", {path: value}, "cheroot", KIND="square", FLAGS="square")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "connect.squareup.test", "curl", bearer("till-2"))
    other = stage.actor("other", front, "connect.squareup.test", "requests", bearer("office"))
    mine, theirs = me.get(path).json, other.get(path).json
    moved = {"version": theirs["version"], "address": "7 Birch Rd"}
    other.put(path, {**{name: theirs[name] for name in value}, **moved}, 200)
    time.sleep(0.4)
    seen = me.put(path, {**{name: mine[name] for name in value}, "note": "likes tulips"}, 200).json
    must(seen["version"] == mine["version"] + 2 and seen["address"] == "12 Elm St", "not lost")
    me.get(path)


@case(
    "b491",
    "null-for-a-cart-version",
    "null-token",
    "409",
    alone="null-token",
    also="status-dialect-mismatch",
    description=(
        "Broadleaf: a storefront takes the version from a field that the cart does not have and sends X-Cart-Version: "
        "null; 409 says that null is not current, the cart is as it was, and with its version the line is added."
    ),
    synthetic=True,
)
def cart_version(stage: Stage) -> None:
    """Send null."""
    path = "/cart/01J9ZK"
    server = place.api(stage, "bodied", {path: {"lines": ["lamp"]}}, KIND="broadleaf", FLAGS="broadleaf")
    me = stage.actor("client", server, "shop.broadleaf.test", "node:fetch", bearer("guest"))
    place.browse(me, "wc")
    me.get(path)
    me.send("PATCH", path, 409, {"X-Cart-Version": "null"}, {"lines": ["lamp", "bulb"]})
    time.sleep(0.3)
    version = me.get(path).json["version"]
    me.send("PATCH", path, 200, {"X-Cart-Version": str(version)}, {"lines": ["lamp", "bulb"]})


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
    front = fronts.envoy(stage, [server])
    me = stage.actor(
        "client",
        front,
        "platform.reapit.test",
        "node:axios",
        bearer("connector", **{"api-version": "2020-01-31"}),
    )
    place.browse(me, "wf")
    tag = me.get(path).etag
    me.send("PATCH", path, 412, {"If-Match": tag.strip('"')}, {"rent": 1500})
    time.sleep(0.3)
    place.browse(me, "t")
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
    server = place.api(
        stage, "plain", {path: {"title": "Shopping", "content": "leek", "favorite": False}}, KIND="notes"
    )
    me = stage.actor("client", server, "cloud.home.test", "httpx", bearer("pia", Cookie="nc_session_id=fake"))
    place.browse(me, "cwf")
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
    place.browse(me, "w")
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
    place.browse(me, "f")
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
    seed = {
        f"{base}/{key}": {"itemType": "book", "title": key.title(), "tags": []}
        for key in ("ALDER", "BIRCH", "CEDAR")
    }
    server = place.api(stage, "zotero", seed, FLAGS="library")
    front = fronts.haproxy(stage, [server])
    me = stage.actor(
        "client", front, "api.zotero.test", "requests", bearer("plugin", **{"Zotero-API-Version": "3"})
    )
    other = stage.actor(
        "other", front, "api.zotero.test", "httpx", bearer("kerstin", **{"Zotero-API-Version": "3"})
    )
    place.browse(me, "cwttffttctt")
    library = me.get(base).fields["last-modified-version"]
    before = me.get(f"{base}/ALDER").json
    version = other.get(base).fields["last-modified-version"]
    for key in ("BIRCH", "CEDAR"):
        guard = {"If-Unmodified-Since-Version": version}
        done = other.send("PATCH", f"{base}/{key}", 204, guard, {"tags": [{"tag": "read"}]})
        version = done.fields["last-modified-version"]
    time.sleep(0.5)
    place.browse(me, "tcf")
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
    me = stage.actor(
        "client", server, "lrs.school.test", "java", bearer("player", **{"X-Experience-API-Version": "1.0.3"})
    )
    place.browse(me, "r")
    me.get(path)
    me.put(path, {"page": 5, "score": 0.6}, 412, {"If-None-Match": "*"})
    time.sleep(0.3)
    tag = me.get(path).etag
    me.put(path, {"page": 5, "score": 0.6}, 200, {"If-Match": tag})
