"""Products whose preconditions have a carrier of their own: imitations after their documentation."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ria_ground import Ask, Reply, serve
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.ria_setting import need, rest


@case(
    "b848",
    "ria-zotero-library-moves-under-one-item",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    synthetic=True,
    description=(
        "A Zotero plugin patches an item with If-Unmodified-Since-Version and the version of the whole library. "
        "Another device has added two other items; this one is what it was, with its own version it is patched."
    ),
)
def zotero(stage: Stage) -> None:
    """Guard an item with the version of the library."""
    items: dict[str, Any] = {
        k: {"key": k, "version": 640, "data": {"title": f"Title {k}", "tags": []}}
        for k in ("AB12", "CD34", "EF56")
    }
    library = [811]

    def handle(ask: Ask) -> Reply:
        key = ask.path.rpartition("/")[2]
        if ask.method == "GET":
            found: Any = items.get(key) or list(items.values())
            version = items[key]["version"] if key in items else library[0]
            return Reply(200, found, {"Last-Modified-Version": str(version)})
        if ask.method == "POST":
            library[0] += 1
            for number, one in enumerate(ask.json):
                name = f"NN{library[0]}{number}"
                items[name] = {"key": name, "version": library[0], "data": one}
            return Reply(
                200, {"success": {"0": name}, "failed": {}}, {"Last-Modified-Version": str(library[0])}
            )
        sent, now = int(ask.fields["if-unmodified-since-version"]), items[key]["version"]
        if sent != now and sent < library[0]:
            words = f"Library has been modified since specified version (expected {sent}, found {library[0]})"
            return Reply(412, words, {"Last-Modified-Version": str(library[0])})
        library[0] += 1
        items[key] = {"key": key, "version": library[0], "data": {**items[key]["data"], **ask.json}}
        return Reply(204, b"", {"Last-Modified-Version": str(library[0])})

    always = {"Zotero-API-Version": "3", "Zotero-API-Key": "k-demo", "User-Agent": "RefTidy/0.4"}
    server = serve(stage, handle, "waitress", "Apache")
    me = stage.actor("client", server, "api.zotero.test", "requests", always)
    other = stage.actor(
        "other", server, "api.zotero.test", "httpx", {**always, "User-Agent": "Zotero/7.0 (iPad)"}
    )
    base = "/users/77/items"
    start = me.get(base).fields["last-modified-version"]
    me.get(f"{base}/AB12")
    for number in range(2):
        other.send("POST", base, 200, None, [{"title": f"Imported {number}", "tags": []}])
        rest(0.2)
    patch = {"tags": [{"tag": "read"}]}
    me.send("PATCH", f"{base}/AB12", 412, {"If-Unmodified-Since-Version": start}, patch)
    need(me.get(f"{base}/AB12").json["version"] == 640, "the item has moved")
    me.get(base)
    me.send("PATCH", f"{base}/AB12", 204, {"If-Unmodified-Since-Version": "640"}, patch)


@case(
    "b849",
    "ria-planner-task-tag-for-its-details",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description=(
        "A flow reads a Planner task and patches the task's details with the tag of the task; the details have a tag "
        "of their own. Refused for two tasks; with the tag of the details the same patch is accepted."
    ),
)
def planner(stage: Stage) -> None:
    """Use the tag of a neighbour."""

    def tag(name: str, version: int) -> str:
        return 'W/"' + base64.b64encode(f"{name}@{version}".encode()).decode() + '"'

    versions = {"t1": 3, "t2": 9, "t1/details": 5, "t2/details": 2}

    def handle(ask: Ask) -> Reply:
        name = ask.path.removeprefix("/v1.0/planner/tasks/")
        if name not in versions:
            return Reply(
                200, {"value": [{"id": n, "@odata.etag": tag(n, versions[n])} for n in ("t1", "t2")]}
            )
        current = tag(name, versions[name])
        if ask.method == "PATCH":
            if ask.fields.get("if-match") != current:
                inner = {
                    "code": "",
                    "message": "The If-Match header contains an invalid value or the item changed.",
                }
                return Reply(412, {"error": inner})
            versions[name] += 1
            return Reply(204)
        text = (
            {"description": "Order 40 chairs"}
            if "details" in name
            else {"title": name, "percentComplete": 50}
        )
        return Reply(200, {"@odata.etag": current, "id": name, **text})

    server = serve(stage, handle, "aiohttp", "Microsoft-IIS/10.0")
    me = stage.actor(
        "client", server, "graph.planner.test", "node:fetch", {"Authorization": "Bearer eyJ0.flow"}
    )
    base = "/v1.0/planner/tasks/"
    me.get("/v1.0/planner/plans/p7/tasks")
    change = {"description": "Order 44 chairs"}
    for name in ("t1", "t2"):
        task = me.get(base + name).json["@odata.etag"]
        me.send("PATCH", base + name + "/details", 412, {"If-Match": task}, change)
        detail = me.get(base + name + "/details").json["@odata.etag"]
        need(task != detail, "one tag")
        rest(0.2)
    me.send("PATCH", base + "t2/details", 204, {"If-Match": detail}, change)


@case(
    "b850",
    "ria-compute-fingerprint-of-the-wrong-part",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description=(
        "A start-up script sets an instance's metadata with the instance's fingerprint instead of the one of its "
        "metadata: 412 conditionNotMet, twice; with metadata.fingerprint the operation is accepted."
    ),
)
def compute(stage: Stage) -> None:
    """Use the fingerprint of the whole for a part."""
    vm: dict[str, Any] = {"kind": "compute#instance", "name": "web-3", "status": "RUNNING"}
    vm |= {"fingerprint": "9wLm2Qe1bXo=", "labelFingerprint": "42WmSpB8rSM="}
    vm["metadata"] = {"kind": "compute#metadata", "fingerprint": "q0Tz7hUfPlk=", "items": []}

    def handle(ask: Ask) -> Reply:
        if ask.method == "GET":
            return Reply(
                200, vm if "web-3" in ask.path else {"items": [{"name": "web-3"}]}, {"ETag": "eJx9=="}
            )
        sent = ask.json
        if sent.get("fingerprint") != vm["metadata"]["fingerprint"]:
            words = "Supplied fingerprint does not match current metadata fingerprint."
            errors = [
                {"message": words, "domain": "global", "reason": "conditionNotMet", "location": "If-Match"}
            ]
            return Reply(412, {"error": {"code": 412, "message": words, "errors": errors}})
        vm["metadata"] = {**sent, "kind": "compute#metadata", "fingerprint": "Zk81nWq0Ahc="}
        return Reply(200, {"kind": "compute#operation", "status": "RUNNING", "progress": 0})

    server = serve(stage, handle, "cheroot", "ESF")
    me = stage.actor("client", server, "compute.gcp.test", "aiohttp", {"Authorization": "Bearer ya29.demo"})
    path = "/compute/v1/projects/acme/zones/europe-west3-a/instances"
    me.get(path)
    seen = me.get(f"{path}/web-3").json
    mine = {"items": [{"key": "startup-script", "value": "#!/bin/sh\napt-get -y install nginx"}]}
    me.send("POST", f"{path}/web-3/setMetadata", 412, None, {**mine, "fingerprint": seen["fingerprint"]})
    again = me.get(f"{path}/web-3").json
    need(again == seen, "it has moved")
    me.send("POST", f"{path}/web-3/setMetadata", 412, None, {**mine, "fingerprint": again["fingerprint"]})
    right = again["metadata"]["fingerprint"]
    me.send("POST", f"{path}/web-3/setMetadata", 200, None, {**mine, "fingerprint": right})


@case(
    "b851",
    "ria-cloudfront-update-without-version",
    "token-missing",
    "400",
    alone="token-missing",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A deployment updates a CloudFront distribution without If-Match: 400 InvalidIfMatchVersion, for the second "
        "try as well. The tag of the last GET is there to be sent, and is accepted at last."
    ),
)
def cloudfront(stage: Stage) -> None:
    """Send no version where one is demanded."""
    state = {"tag": "E2QWRUHAPOMQZL", "comment": "shop"}

    def config() -> str:
        return f"<DistributionConfig><Comment>{state['comment']}</Comment><Enabled>true</Enabled></DistributionConfig>"

    def handle(ask: Ask) -> Reply:
        fields = {"Content-Type": "text/xml", "x-amzn-RequestId": f"{time.time_ns():x}"}
        if ask.method == "GET":
            return Reply(200, config().encode(), {**fields, "ETag": state["tag"]})
        if ask.fields.get("if-match") != state["tag"]:
            words = "The If-Match version is missing or not valid for the resource."
            error = f"<Error><Type>Sender</Type><Code>InvalidIfMatchVersion</Code><Message>{words}</Message></Error>"
            return Reply(400, f"<ErrorResponse>{error}</ErrorResponse>".encode(), fields)
        state.update(tag="E1VC38T7YXB528", comment="shop, redesigned")
        return Reply(200, config().encode(), {**fields, "ETag": state["tag"]})

    server = serve(stage, handle, "tornado", "CloudFront")
    me = stage.actor(
        "client", server, "cloudfront.aws.test", "urllib", {"User-Agent": "deployer/2 boto-like"}
    )
    path, xml = "/2020-05-31/distribution/EDFDVBD632BHDS5", {"Content-Type": "text/xml"}
    me.get(path)
    tag = me.get(f"{path}/config").etag
    new = (
        "<DistributionConfig><Comment>shop, redesigned</Comment><Enabled>true</Enabled></DistributionConfig>"
    )
    me.put(f"{path}/config", new, 400, xml)
    rest(0.4)
    me.put(f"{path}/config", new, 400, xml)
    me.put(f"{path}/config", new, 200, {**xml, "If-Match": tag})


@case(
    "b852",
    "ria-sap-wants-if-match",
    "token-missing",
    "428",
    alone="token-missing",
    synthetic=True,
    description=(
        "An S/4HANA OData service answers a PATCH without If-Match with 428 and its message class; the client fetches "
        "a CSRF token, sends all else, and tries two business partners without it."
    ),
)
def sap(stage: Stage) -> None:
    """Patch without the tag that was read."""
    tags = {"1000042": "W/\"'20261126143011'\"", "1000043": "W/\"'20261101080000'\""}

    def handle(ask: Ask) -> Reply:
        name = next((one for one in tags if one in ask.path), "")
        if ask.method == "GET":
            fields = {"x-csrf-token": "u7Yk2-demo", "dataserviceversion": "2.0"}
            if not name:
                return Reply(200, {"d": {"EntitySets": ["A_BusinessPartner"]}}, fields)
            data = {"__metadata": {"etag": tags[name]}, "BusinessPartner": name, "SearchTerm1": "ACME"}
            return Reply(200, {"d": data}, {**fields, "ETag": tags[name]})
        if "if-match" not in ask.fields:
            words = "Die Vorbedingung fehlt: Header If-Match ist erforderlich"
            inner = {"code": "/IWBEP/CM_MGW_RT/020", "message": {"lang": "de", "value": words}}
            return Reply(428, {"error": inner})
        return Reply(204)

    server = serve(stage, handle, "cheroot", "SAP NetWeaver Application Server / ABAP 757")
    always = {"Authorization": "Basic ZGVtbzpkZW1v", "sap-client": "100", "Accept": "application/json"}
    me = stage.actor("client", server, "s4.konzern.test", "java", always)
    base = "/sap/opu/odata/sap/API_BUSINESS_PARTNER"
    token = me.get(f"{base}/", 200, {"x-csrf-token": "Fetch"}).fields["x-csrf-token"]
    for name in tags:
        one = f"{base}/A_BusinessPartner('{name}')"
        me.get(one)
        me.send("PATCH", one, 428, {"x-csrf-token": token}, {"SearchTerm1": "ACME EU"})
    me.get(f"{base}/A_BusinessPartner('1000042')")


@case(
    "b853",
    "ria-kubernetes-continue-token-too-old",
    "token-expired",
    "410",
    alone="token-expired",
    synthetic=True,
    description=(
        "A slow inventory job walks the pods of a cluster page by page and works on each page; the continue token it "
        "then sends is too old: 410 Expired. A list from the start, walked without pause, succeeds."
    ),
)
def pages(stage: Stage) -> None:
    """Send a continuation after its life."""
    base = {"kind": "PodList", "apiVersion": "v1"}

    def handle(ask: Ask) -> Reply:
        token = ask.query.get("continue", "")
        page, moment = 0, time.time()
        if token:
            text = base64.b64decode(token).decode()
            page, moment = int(text.split(":")[1]), float(text.split(":")[2])
            if time.time() - moment > 1.5:
                words = "The provided continue parameter is too old to display a consistent list result. You must start"
                status = {"kind": "Status", "status": "Failure", "reason": "Expired", "code": 410}
                return Reply(
                    410, {**status, "message": f"{words} a new list without the continue parameter."}
                )
        more = base64.b64encode(f"rv:{page + 1}:{moment:.3f}".encode()).decode() if page < 3 else ""
        pods = [
            {"metadata": {"name": f"api-{page}-{n}", "resourceVersion": str(90210 + page + n)}}
            for n in range(2)
        ]
        return Reply(200, {**base, "metadata": {"resourceVersion": "91044", "continue": more}, "items": pods})

    server = serve(stage, handle, "uvicorn", "kube-apiserver")
    me = stage.actor("client", server, "k8s.cluster.test", "httpx", {"Authorization": "Bearer sa-inventory"})
    path = "/api/v1/namespaces/shop/pods?limit=2"
    token = me.get(path).json["metadata"]["continue"]
    token = me.get(f"{path}&continue={token}").json["metadata"]["continue"]
    rest(1.9)
    me.get(f"{path}&continue={token}", 410)
    token = me.get(path).json["metadata"]["continue"]
    while token:
        token = me.get(f"{path}&continue={token}").json["metadata"]["continue"]


@case(
    "b854",
    "ria-consul-says-false-with-200",
    "status-dialect-mismatch",
    "lost-write",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    synthetic=True,
    description=(
        "A release script sets a Consul key with ?cas= and an old index; the answer is 200 with the body false. The "
        "script looks at the status only, reports success and goes on; the key has another value to the end."
    ),
)
def consul(stage: Stage) -> None:
    """Take a false with 200 for success."""
    keys: dict[str, list[Any]] = {"release/api": [412, "v41"], "release/web": [409, "v17"]}
    keys |= {
        f"release/{name}": [300 + len(name), "v9"] for name in ("log", "mail", "cart", "search", "admin")
    }
    last = [500]

    def handle(ask: Ask) -> Reply:
        name = ask.path.removeprefix("/v1/kv/")
        if ask.method == "GET":
            index, value = keys[name]
            text = base64.b64encode(str(value).encode()).decode()
            return Reply(
                200, [{"Key": name, "ModifyIndex": index, "Value": text}], {"X-Consul-Index": str(index)}
            )
        if int(ask.query["cas"]) != keys[name][0]:
            return Reply(200, b"false", {"Content-Type": "application/json"})
        last[0] += 1
        keys[name] = [last[0], ask.body.decode()]
        return Reply(200, b"true", {"Content-Type": "application/json"})

    me = stage.actor(
        "client", serve(stage, handle, "waitress", ""), "consul.test", "curl", {"X-Consul-Token": "rel"}
    )
    index = {name: me.get(f"/v1/kv/{name}").json[0]["ModifyIndex"] for name in keys}
    keys["release/api"] = [498, "v41-hotfix1"]
    rest(0.6)
    for name, value in (
        *((one, "v10") for one in list(keys)[2:]),
        ("release/api", "v42"),
        ("release/web", "v18"),
    ):
        me.put(f"/v1/kv/{name}?cas={index[name]}", value, 200)
    rest(0.3)
    need(base64.b64decode(me.get("/v1/kv/release/api").json[0]["Value"]) == b"v41-hotfix1", "it was written")


@case(
    "b855",
    "ria-cloud-dns-ttl-is-another",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    synthetic=True,
    description=(
        "A certificate tool replaces a TXT record in Cloud DNS; its deletion names a TTL of 300, the record has 60. "
        "412 for entity.change.deletions[0], again after a pause; with the record as listed the change is accepted."
    ),
)
def dns(stage: Stage) -> None:
    """Delete a record by a description that does not fit."""
    name = "_acme-challenge.shop.test."
    live = {"name": name, "type": "TXT", "ttl": 60, "rrdatas": ['"gk2-first"']}

    def handle(ask: Ask) -> Reply:
        if ask.method == "GET":
            return Reply(
                200,
                {"rrsets": [live, {"name": "shop.test.", "type": "A", "ttl": 300, "rrdatas": ["192.0.2.7"]}]},
            )
        if ask.json["deletions"][0] != live:
            words = "Precondition not met for 'entity.change.deletions[0]'"
            inner = {
                "code": 412,
                "message": words,
                "errors": [{"reason": "conditionNotMet", "message": words}],
            }
            return Reply(412, {"error": inner})
        live.update(ask.json["additions"][0])
        return Reply(200, {"id": "88", "status": "pending", **ask.json})

    server = serve(stage, handle, "uvicorn", "ESF")
    me = stage.actor("client", server, "dns.gcp.test", "requests", {"Authorization": "Bearer ya29.acme"})
    zone = "/dns/v1/projects/acme/managedZones/shop"
    me.get(f"{zone}/rrsets")
    new = {"name": name, "type": "TXT", "ttl": 60, "rrdatas": ['"pw9-second"']}
    wrong = {"deletions": [{**live, "ttl": 300}], "additions": [new]}
    me.send("POST", f"{zone}/changes", 412, None, wrong)
    rest(0.8)
    me.send("POST", f"{zone}/changes", 412, None, wrong)
    seen = me.get(f"{zone}/rrsets?name={name}").json["rrsets"][0]
    me.send("POST", f"{zone}/changes", 200, None, {"deletions": [seen], "additions": [new]})


@case(
    "b856",
    "ria-fhir-two-patients-with-one-number",
    "multi-match",
    "412",
    alone="multi-match",
    synthetic=True,
    description=(
        "A laboratory creates a patient with If-None-Exist and an insurance number that two records have: 412 with an "
        "OperationOutcome; the search shows both. Another patient is found once (200), a third created (201)."
    ),
)
def fhir(stage: Stage) -> None:
    """Create by a condition that more than one meets."""
    patients = [{"id": "p1", "identifier": "A100200300"}, {"id": "p2", "identifier": "A100200300"}]
    patients.append({"id": "p3", "identifier": "B555"})

    def handle(ask: Ask) -> Reply:
        fields = {"Content-Type": "application/fhir+json"}
        wanted = ask.query.get("identifier") or ask.fields.get("if-none-exist", "").rpartition("=")[2]
        found = [one for one in patients if one["identifier"] == wanted.rpartition("|")[2]]
        if ask.method == "GET":
            rows = [{"resource": {"resourceType": "Patient", **one}} for one in found]
            return Reply(200, {"resourceType": "Bundle", "total": len(found), "entry": rows}, fields)
        if len(found) > 1:
            words = "Multiple matching resources found for the conditional create criteria"
            issue = {"severity": "error", "code": "multiple-matches", "diagnostics": words}
            return Reply(412, {"resourceType": "OperationOutcome", "issue": [issue]}, fields)
        tag = {**fields, "ETag": 'W/"1"', "Location": f"/fhir/Patient/p{len(patients) + 1}"}
        return Reply(200 if found else 201, {"resourceType": "Patient", "meta": {"versionId": "1"}}, tag)

    front = fronts.nginx(stage, serve(stage, handle, "cheroot", "HAPI FHIR 8.2"))
    me = stage.actor("client", front, "fhir.labor.test", "httpx", {"Content-Type": "application/fhir+json"})
    for number, status in (("B555", 200), ("C777", 201), ("A100200300", 412), ("A100200300", 412)):
        body = {"resourceType": "Patient", "identifier": [{"system": "urn:gkv", "value": number}]}
        me.send("POST", "/fhir/Patient", status, {"If-None-Exist": f"identifier=urn:gkv|{number}"}, body)
    need(me.get("/fhir/Patient?identifier=urn:gkv%7CA100200300").json["total"] == 2, "not two")


@case(
    "b857",
    "ria-appliance-does-not-implement-if-match",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    synthetic=True,
    description=(
        "A table format commits its metadata to an S3 appliance with If-Match: 501 NotImplemented, with a fresh tag "
        "as well and on another key; without the condition the same object is stored."
    ),
)
def appliance(stage: Stage) -> None:
    """Send a condition that the store does not know."""
    objects = {
        "/lake/orders/metadata.json": b'{"snapshot":7}',
        "/lake/items/metadata.json": b'{"snapshot":2}',
    }

    def handle(ask: Ask) -> Reply:
        fields = {"x-amz-request-id": f"{time.time_ns():X}"[-12:], "Content-Type": "application/xml"}
        tag = f'"{hashlib.md5(objects[ask.path], usedforsecurity=False).hexdigest()}"'
        if ask.method in {"GET", "HEAD"}:
            return Reply(200, objects[ask.path], {**fields, "ETag": tag, "Content-Type": "application/json"})
        if "if-match" in ask.fields:
            words = "A header you provided implies functionality that is not implemented"
            text = f"<Error><Code>NotImplemented</Code><Message>{words}</Message><Header>If-Match</Header></Error>"
            return Reply(501, f'<?xml version="1.0"?>{text}'.encode(), fields)
        objects[ask.path] = ask.body
        return Reply(200, b"", fields)

    me = stage.actor(
        "client",
        serve(stage, handle, "aiohttp", "StoreBox/6"),
        "s3.box.test",
        "aiohttp",
        {"x-amz-date": "20261127T041900Z"},
    )
    for table in ("orders", "items"):
        for _ in range(2 if table == "orders" else 1):
            tag = me.get(f"/lake/{table}/metadata.json").etag
            me.put(f"/lake/{table}/metadata.json", '{"snapshot":8}', 501, {"If-Match": tag})
    me.put("/lake/orders/metadata.json", '{"snapshot":8}', 200)
