# mypy: ignore-errors
# ruff: noqa: ANN001, ANN003, ANN201, ANN202, ARG001 - routes are called by the frameworks
# fmt: off
"""Placements, records, entries and calendars that are refused, each for another reason."""

from __future__ import annotations

import json
import time

from tools.recording_apis.apps.uma5_core import Api, Res, date, iso, mark, request_id
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place


@case(
    "e116",
    "uma-placement-traits-and-inventories",
    "coarse-token-scope",
    "409",
    alone="coarse-token-scope",
    synthetic=True,
    description=(
        "An inventory tool sets traits of OpenStack resource providers with the provider's generation; the compute agent "
        "reports its disk meanwhile, which counts the same generation: 409, and the traits read again are as before."
    ),
)
def traits(stage):
    """Be stopped by a sibling."""
    api = Api({"OpenStack-API-Version": "placement 1.39", "Vary": "OpenStack-API-Version", "x-openstack-request-id": lambda r: f"req-{request_id(r)}"},
              fixed={"/": {"versions": [{"id": "v1.0", "max_version": "1.39", "min_version": "1.0", "status": "CURRENT"}]}})
    ids = ["8a1f6c20-3c5e-4b1e-9b0a-0d4c1f7e2a61", "8a1f6c20-3c5e-4b1e-9b0a-0d4c1f7e2a62"]
    for key in ids:
        api.add(key, {"traits": ["HW_CPU_X86_AVX2"], "inventories": {"VCPU": {"total": 64}, "DISK_GB": {"total": 1800}}}, 41)

    @api.on("GET", "/resource_providers")
    def many(req):
        return Res(200, {"resource_providers": [{"uuid": k, "generation": r.rev, "name": f"node-{k[-2:]}"} for k, r in api.rows.items()]})

    @api.on("GET PUT", "/resource_providers/([^/]+)/(traits|inventories)")
    def one(req, key, kind):
        row = api.rows[key]
        if req.method == "PUT":
            if req.json["resource_provider_generation"] != row.rev:
                text = f"There was a conflict when trying to complete your request.\n\n Resource provider's generation already changed. Please update the generation and try again. Resource provider: {key}"
                return Res(409, {"errors": [{"status": 409, "title": "Conflict", "detail": text, "code": "placement.concurrent_update",
                    "request_id": f"req-{request_id(req)}"}]})
            row.write({**row.data, kind: req.json[kind]})
        return Res(200, {kind: row.data[kind], "resource_provider_generation": row.rev})

    server = place.open_box(stage, api, "flask", "OpenStack Placement")
    always = {"OpenStack-API-Version": "placement 1.39", "X-Auth-Token": "gAAAAABm"}
    me = stage.actor("client", server, "placement.cloud.example", "requests", {**always, "User-Agent": "openstacksdk/3.3.0 keystoneauth1/5.8.0"})
    other = stage.actor("other", server, "placement.cloud.example", "urllib", {**always, "User-Agent": "nova-compute keystoneauth1/5.6.0"})
    me.get("/")
    me.get("/resource_providers?member_of=in:agg-ssd")
    for number, key in enumerate(ids):
        seen = me.get(f"/resource_providers/{key}/traits").json
        before = me.get(f"/resource_providers/{key}/inventories").json
        if number:
            own = other.get(f"/resource_providers/{key}/inventories").json
            own["inventories"]["DISK_GB"]["total"] = 1746
            other.put(f"/resource_providers/{key}/inventories", own, 200)
            place.rest(0.8)
        seen["traits"] = [*seen["traits"], "CUSTOM_SSD_MIRROR"]
        me.put(f"/resource_providers/{key}/traits", seen, 409 if number else 200)
    now = me.get(f"/resource_providers/{key}/traits").json
    place.sure(now["traits"] == ["HW_CPU_X86_AVX2"] and now["resource_provider_generation"] == 42)
    place.sure(me.get(f"/resource_providers/{key}/inventories").json != before)


@case(
    "e114",
    "uma-fhir-device-saved-as-new",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    synthetic=True,
    description=(
        "A device gateway reads FHIR Devices with their versions, and saves the changed ones with If-None-Match: * as "
        "it does with new ones: 412 for those, 201 for the new one."
    ),
)
def devices(stage):
    """Guard an update as a creation."""
    api = Api({"X-Request-Id": lambda _r: mark(time.time_ns(), 16)}, fixed={"/r4/metadata": {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}})
    for key in ("ecg-101", "ecg-102"):
        api.add(key, {"resourceType": "Device", "id": key, "status": "active", "lotNumber": "L7"}, 3)

    @api.on("GET PUT", "/r4/Device/(.+)")
    def one(req, key):
        row, made = api.rows.get(key), False
        if req.method == "PUT":
            if row is not None and req.fields.get("if-none-match") == "*":
                text = f"Resource Device/{key} already exists and the request carried If-None-Match: *"
                return Res(412, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "conflict", "diagnostics": text}]},
                           {"Content-Type": "application/fhir+json"})
            made = row is None
            row = api.add(key, req.json, 1, 0.0) if made else row.write(req.json)
        if row is None:
            return Res(404, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]}, {"Content-Type": "application/fhir+json"})
        body = {**row.data, "meta": {"versionId": str(row.rev), "lastUpdated": iso(row.at, 3, "+00:00")}}
        return Res(201 if made else 200, body, {"ETag": f'W/"{row.rev}"', "Content-Type": "application/fhir+json", "Last-Modified": date(row.at)})

    server = place.open_box(stage, api, "aiohttp", "FHIR")
    me = stage.actor("client", server, "fhir.klinik.example", "java", {"Content-Type": "application/fhir+json"})
    me.get("/r4/metadata")
    for key in ("ecg-101", "ecg-102", "ecg-140"):
        new = key == "ecg-140"
        seen = me.get(f"/r4/Device/{key}", 404 if new else 200).json
        body = {"resourceType": "Device", "id": key, "lotNumber": "L9"} if new else {**seen, "status": "inactive"}
        me.put(f"/r4/Device/{key}", body, 201 if new else 412, {"If-None-Match": "*"})
        place.rest(0.3)
    me.get("/r4/Device/ecg-102")


@case(
    "e118",
    "uma-contentful-entry-without-its-version",
    "token-missing",
    "409",
    alone="token-missing",
    synthetic=True,
    description=(
        "A migration writes Contentful entries with sys.version in the body only: 409 VersionMismatch, which asks for the "
        "header; publishing, where it sends X-Contentful-Version, goes through."
    ),
)
def entries(stage):
    """Leave the header out."""
    base = "/spaces/k7x2ag/environments/master/entries"
    api = Api({"X-Contentful-Request-Id": request_id, "X-Contentful-Route": "/spaces/:space/environments/:environment/entries/:id"},
              fixed={"/spaces/k7x2ag/environments/master/locales": {"items": [{"code": "pl-PL", "default": True}], "total": 1}})
    for key in ("6KntaYXaHSyIw8M6eo26OK", "2hkNi3oVzW0Ewi2Q6oyaG4"):
        api.add(key, {"tytul": {"pl-PL": "Rozkład"}}, 9)

    def refuse(req, row):
        sent = req.fields.get("x-contentful-version")
        if sent == str(row.rev):
            return None
        text = {"message": "Please pass sys.version as HTTP header X-Contentful-Version"} if sent is None else {}
        body = {"sys": {"type": "Error", "id": "VersionMismatch"}, **text, "requestId": request_id(req)}
        return Res(409, body, {"Content-Type": "application/vnd.contentful.management.v1+json"})

    @api.on("GET PUT", base + "/([^/]+)(/published)?")
    def one(req, key, published):
        row = api.rows[key]
        if req.method == "PUT":
            refusal = refuse(req, row)
            if refusal is not None:
                return refusal
            row.write(row.data if published else req.json["fields"])
        body = {"sys": {"id": key, "type": "Entry", "version": row.rev, "updatedAt": iso(row.at)}, "fields": row.data}
        return Res(200, body, {"Content-Type": "application/vnd.contentful.management.v1+json"})

    server = place.open_box(stage, api, "bottle", "Contentful")
    kind = {"Content-Type": "application/vnd.contentful.management.v1+json", "X-Contentful-User-Agent": "app przenosiny/0.3; platform node.js/v20.11"}
    me = stage.actor("client", server, "api.contentful.example", "node:axios", {**kind, "Authorization": "Bearer CFPAT-x"})
    me.get("/spaces/k7x2ag/environments/master/locales")
    for key in api.rows:
        seen = me.get(f"{base}/{key}").json
        me.put(f"{base}/{key}", {"sys": seen["sys"], "fields": {"tytul": {"pl-PL": "Rozkład zimowy"}}}, 409)
        place.rest(0.3)
    me.send("PUT", f"{base}/{key}/published", 200, {"X-Contentful-Version": str(seen["sys"]["version"])})


@case(
    "e102",
    "uma-spring-data-rest-date-judged-afterwards",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    synthetic=True,
    description=(
        "A Spring Data REST service judges If-Unmodified-Since after it has saved: each PATCH with the served date is "
        "412 in its only try, and the read after it shows the client's own values and a date within the request."
    ),
)
def berths(stage):
    """Be refused after the fact."""
    api = Api({"Vary": "Origin"}, fixed={"/harbour": {"_links": {"berths": {"href": "http://hafen.example/harbour/berths"}}}})
    for number in (1, 2):
        api.add(f"{number}", {"name": f"Kai {number}", "vessel": None})

    @api.on("GET PATCH", r"/harbour/berths/(\d+)")
    def one(req, key):
        row = api.rows[key]
        if req.method == "PATCH":
            row.write({**row.data, **req.json})
            if req.fields.get("if-unmodified-since", date(row.at)) != date(row.at):
                return Res(412)
            return Res(204)
        body = {**row.data, "lastModifiedDate": iso(row.at), "_links": {"self": {"href": f"http://hafen.example/harbour/berths/{key}"}}}
        return Res(200, body, {"Last-Modified": date(row.at), "Content-Type": "application/hal+json"})

    server = place.open_box(stage, api, "falcon", "Spring Data REST")
    me = stage.actor("client", server, "hafen.example", "httpx", {"Content-Type": "application/merge-patch+json"})
    me.get("/harbour")
    for number, vessel in ((1, "Möwe III"), (2, "Anna Ketels")):
        seen = me.get(f"/harbour/berths/{number}")
        me.send("PATCH", f"/harbour/berths/{number}", 412, {"If-Unmodified-Since": seen.fields["last-modified"]}, {"vessel": vessel, "call": mark(vessel, 10)})
        place.rest(0.2)
        place.sure(me.get(f"/harbour/berths/{number}").json["vessel"] == vessel)
        place.rest(0.5)


@case(
    "e099",
    "uma-sync-storage-own-clock",
    "clock-skew",
    "412",
    alone="clock-skew",
    synthetic=True,
    description=(
        "A browser whose clock is 140 seconds slow guards its Sync uploads with the time of its own clock instead of "
        "the served X-Last-Modified: 412 for what was stored within these seconds, though nobody else wrote."
    ),
)
def tabs(stage):
    """Trust one's own clock."""
    base = "/1.5/10442/storage"
    api = Api({"X-Weave-Timestamp": lambda _r: f"{time.time():.2f}", "X-Weave-Quota-Remaining": "1998.5"})
    for name, age in (("tabs", 61.0), ("forms", 4000.0), ("prefs", 30.0)):
        api.add(name, {"payload": f"{mark(name)}=="}, 1, age)

    @api.on("GET", "/1.5/10442/info/collections")
    def info(req):
        return Res(200, {name: round(row.at, 2) for name, row in api.rows.items()}, {"X-Last-Modified": f"{max(r.at for r in api.rows.values()):.2f}"})

    @api.on("GET PUT", base + "/([a-z]+)/own0123456AB")
    def one(req, name):
        row = api.rows[name]
        if req.method == "PUT":
            since = req.fields.get("x-if-unmodified-since")
            if since and round(float(since), 2) < round(row.at, 2):
                return Res(412, "0", {"Content-Type": "application/json", "X-Last-Modified": f"{row.at:.2f}"})
            row.write({"payload": req.json["payload"]})
            return Res(200, f"{row.at:.2f}", {"Content-Type": "application/json", "X-Last-Modified": f"{row.at:.2f}"})
        return Res(200, {"id": "own0123456AB", "modified": round(row.at, 2), **row.data}, {"X-Last-Modified": f"{row.at:.2f}"})

    server = place.open_box(stage, api, "waitress", "Firefox Sync")
    me = stage.actor("client", server, "sync-1-us-west1-g.sync.example", "aiohttp", {"User-Agent": "Firefox-Android-FxSync/132", "Authorization": 'Hawk id="eyJ"'})
    me.get("/1.5/10442/info/collections")
    for name in ("forms", "tabs", "prefs"):
        me.get(f"{base}/{name}/own0123456AB")
        own = {"X-If-Unmodified-Since": f"{time.time() - 140.4:.2f}", "X-Client-Timestamp": f"{time.time() - 140.4:.2f}"}
        me.put(f"{base}/{name}/own0123456AB", {"id": "own0123456AB", "payload": f"{mark(name + 'x')}=="}, 200 if name == "forms" else 412, own)
        place.rest(0.5)
    me.get("/1.5/10442/info/collections")


@case(
    "e085",
    "uma-dynamodb-instant-written-otherwise",
    "payload-precondition-mismatch",
    "400",
    alone="payload-precondition-mismatch",
    synthetic=True,
    description=(
        "A parcel service's job updates DynamoDB items on the condition that updatedAt is what it read; it parses the "
        "instant and writes it without milliseconds: ConditionalCheckFailedException, and the item is as it was read."
    ),
)
def parcels(stage):
    """Expect the same instant in other letters."""
    api = Api({"Server": "Server", "x-amzn-RequestId": lambda _r: mark(time.time_ns(), 52, "sha256").upper(), "x-amz-crc32": "2745614147"})
    for number in (1, 2):
        api.add(f"P-88{number}", {"state": "HUB", "updatedAt": f"2026-11-27T05:1{number}:09.000Z"})

    def item(key):
        return {"id": {"S": key}, **{name: {"S": value} for name, value in api.rows[key].data.items()}}

    @api.on("POST", "/")
    def call(req):
        kind, body = {"Content-Type": "application/x-amz-json-1.0"}, req.json
        name = req.fields["x-amz-target"].partition(".")[2]
        if name == "Query":
            return Res(200, {"Count": 2, "Items": [item(k) for k in api.rows], "ScannedCount": 2}, kind)
        key = body["Key"]["id"]["S"]
        if name == "UpdateItem":
            values = body["ExpressionAttributeValues"]
            if ":seen" in values and values[":seen"]["S"] != api.rows[key].data["updatedAt"]:
                error = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": "The conditional request failed"}
                return Res(400, {**error, "Item": item(key)}, kind)
            api.rows[key].write({**api.rows[key].data, "state": values[":st"]["S"]})
            return Res(200, {"Attributes": item(key)}, kind)
        return Res(200, {"Item": item(key)}, kind)

    server = place.open_box(stage, api, "cheroot", "DynamoDB")
    me = stage.actor("client", server, "dynamodb.eu-north-1.amazonaws.example", "requests", {"Content-Type": "application/x-amz-json-1.0", "User-Agent": "Boto3/1.35.10"})

    def ask(name, expect=200, **body):
        return me.send("POST", "/", expect, {"X-Amz-Target": f"DynamoDB_20120810.{name}"}, json.dumps({"TableName": "parcels", **body}))

    ask("Query", IndexName="by-hub", KeyConditionExpression="hub = :h", ExpressionAttributeValues={":h": {"S": "ARN"}})
    for key in api.rows:
        seen = ask("GetItem", Key={"id": {"S": key}}, ConsistentRead=True).json["Item"]["updatedAt"]["S"]
        values = {":seen": {"S": seen.replace(".000Z", "Z")}, ":st": {"S": "VAN"}}
        ask("UpdateItem", 400, Key={"id": {"S": key}}, UpdateExpression="SET #s = :st", ConditionExpression="updatedAt = :seen",
            ExpressionAttributeNames={"#s": "state"}, ExpressionAttributeValues=values, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        place.rest(0.3)
    ask("GetItem", Key={"id": {"S": key}}, ConsistentRead=True)


@case(
    "e098",
    "uma-davical-star-taken-literally",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    synthetic=True,
    description=(
        "A room display's calendar tool changes existing events in DAViCal with If-Match: *; the server compares the star "
        "with the event's tag and answers 412, while the same event can be read and is written with its tag well."
    ),
)
def rooms(stage):
    """Meet a server that knows no star."""
    base = "/caldav.php/sitzung"
    api = Api({"DAV": "1, 2, 3, access-control, calendar-access, calendar-schedule", "X-DAViCal-Version": "DAViCal/1.1.12; DB/1.3.4"})
    lines = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:{0}\r\nSUMMARY:{1}\r\nDTSTART:20261203T0{2}0000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    for number, name in enumerate(("raum-a", "raum-b")):
        api.add(f"{name}.ics", lines.format(name, "Beirat", 8 + number))

    def tag(name):
        return f'"{mark((api.rows[name].data, api.rows[name].rev))}"'

    @api.on("PROPFIND", base + "/")
    def many(req):
        found = "".join(f"<response><href>{base}/{k}</href><propstat><prop><getetag>{tag(k)}</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response>" for k in api.rows)
        return Res(207, f'<?xml version="1.0" encoding="utf-8" ?>\n<multistatus xmlns="DAV:">{found}</multistatus>', {"Content-Type": 'text/xml; charset="utf-8"'})

    @api.on("GET PUT", base + "/(.+)")
    def one(req, name):
        if req.method == "PUT":
            sent = req.fields.get("if-match")
            if sent is not None and sent != tag(name):
                text = f'Existing resource ETag of "<<{tag(name)}>>" does not match "<<{sent}>>"'
                return Res(412, text, {"Content-Type": "text/plain"})
            api.rows[name].write(req.body.decode())
            return Res(204, b"", {"ETag": tag(name)})
        return Res(200, api.rows[name].data, {"ETag": tag(name), "Content-Type": "text/calendar; charset=utf-8"})

    server = place.open_box(stage, api, "waitress", "DAViCal")
    me = stage.actor("client", server, "kalender.gemeinde.example", "curl", {"Authorization": "Basic c2l0enVuZzp4"})
    ask = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    me.send("PROPFIND", f"{base}/", 207, {"Depth": "1", "Content-Type": "text/xml"}, ask)
    kind = {"Content-Type": "text/calendar; charset=utf-8"}
    for name in api.rows:
        seen = me.get(f"{base}/{name}")
        me.put(f"{base}/{name}", seen.text.replace("Beirat", "Beirat (verlegt)"), 412, {**kind, "If-Match": "*"})
        place.rest(0.2)
    seen = me.get(f"{base}/{name}")
    me.put(f"{base}/{name}", seen.text.replace("Beirat", "Beirat (verlegt)"), 204, {**kind, "If-Match": seen.etag})
