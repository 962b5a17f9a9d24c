"""Dates, and APIs with conditions of their own."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ida_wire import Desk, Req, Res, Rows, digest, http_date, iso, seconds
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ida_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _dated(desk: Desk, rows: Rows, pattern: str, refusal: Any) -> None:
    """Serve rows whose only validator is their date, and their history."""

    @desk.on("GET PUT", pattern)
    def one(req: Req, key: str) -> Res:
        if req.method == "PUT":
            since = req.fields.get("if-unmodified-since")
            if since and int(rows[key].at) > seconds(since):
                return Res(412, refusal)
            rows.keep(key, req.json, req.who)
        return Res(200, rows[key].data, {"Last-Modified": http_date(rows[key].at)})

    @desk.on("GET", pattern + "/history")
    def history(_req: Req, key: str) -> Res:
        return Res(
            200, [{"n": r.rev, "at": iso(r.at), "by": r.by, "data": r.data} for r in rows[key].lineage]
        )


@case(
    "d762",
    "ida-sample-plate-within-one-second",
    "date-precision",
    "lost-update",
    alone="date-precision",
    description=(
        "A laboratory's service has dates of whole seconds as its only validator. The analyser stores a plate, the client reads it, and the "
        "pipetting robot stores its wells, all within one second; the client's If-Unmodified-Since of that second passes, and "
        "the wells are gone. The history has the milliseconds."
    ),
)
def plate(stage: Stage) -> None:
    """Guard with a second in which two writes fell."""
    rows, desk = Rows(first=3), Desk()
    for key in ("P-0931", "P-0932"):
        rows.seed(key, {"plate": key, "wells": [], "label": ""}, 7000, "analyser")
    _dated(desk, rows, r"/lims/plates/([\w-]+)", {"code": "STALE_DATE"})
    desk.page("/lims/instruments", [{"id": "analyser"}, {"id": "robot-2"}])
    server = place.serve(stage, desk, "waitress")
    me = stage.actor("client", server, "lims.labor.test", "requests", {"X-User": "mta.celik"})
    other = stage.actor("other", server, "lims.labor.test", "httpx", {"X-User": "robot-2"})
    place.look(me, "/lims/instruments")
    calm = me.get("/lims/plates/P-0932")
    me.put(
        "/lims/plates/P-0932",
        {**calm.json, "label": "Kontrolle"},
        200,
        {"If-Unmodified-Since": calm.fields["last-modified"]},
    )
    other.get("/lims/plates/P-0931")
    place.rest(1.05 - time.time() % 1)
    rows.keep("P-0931", {**rows["P-0931"].data, "wells": ["A1 0.41"]}, "analyser")
    seen = me.get("/lims/plates/P-0931")
    place.rest(0.2)
    guard = {"If-Unmodified-Since": seen.fields["last-modified"]}
    other.put("/lims/plates/P-0931", {**seen.json, "wells": ["A1 0.41", "A2 0.39"]}, 200, guard)
    place.sure(int(rows["P-0931"].at) == seconds(guard["If-Unmodified-Since"]))
    place.rest(1.3)
    me.put("/lims/plates/P-0931", {**seen.json, "label": "Serie 7"}, 200, guard)
    place.sure(me.get("/lims/plates/P-0931").json["wells"] == ["A1 0.41"])
    me.get("/lims/plates/P-0931/history")
    place.look(me, "/lims/instruments")


@case(
    "d781",
    "ida-ranger-tablet-ahead-of-time",
    "clock-skew",
    "lost-update",
    alone="clock-skew",
    description=(
        "A forester's tablet is six minutes and forty seconds fast and sends the moment of its read, by its own clock, as If-Unmodified-Since "
        "(its Date field says the same): the date lies ahead of the server's, so the guard holds nothing back, and the hunting "
        "tenant's change, made after the read, is overwritten, as the history shows."
    ),
)
def ranger(stage: Stage) -> None:
    """Guard with a clock that is fast."""
    rows, desk = Rows(first=8), Desk()
    for key in ("abt-14", "abt-15"):
        rows.seed(key, {"abteilung": key, "festmeter": 210, "sperre": None}, 96000, "revier")
    _dated(desk, rows, r"/forst/([\w-]+)", {"meldung": "zwischenzeitlich geändert"})
    desk.page("/forst", {"abteilungen": ["abt-14", "abt-15"]})
    server = place.serve(stage, desk, "cheroot")
    me = stage.actor("client", server, "revier.wald.test", "httpx", {"X-User": "revierleiter"})
    other = stage.actor("other", server, "revier.wald.test", "requests", {"X-User": "jagdpacht"})
    ahead = 400.0

    def clock() -> str:
        return http_date(time.time() + ahead)

    me.get("/forst", 200, {"Date": clock()})
    read = {}
    for key in ("abt-15", "abt-14"):
        read[key] = (clock(), me.get(f"/forst/{key}", 200, {"Date": clock()}).json)
        place.rest(0.2)
    theirs = other.get("/forst/abt-14")
    place.rest(1.2)
    guard = {"If-Unmodified-Since": theirs.fields["last-modified"]}
    other.put("/forst/abt-14", {**theirs.json, "sperre": "Drückjagd 5.12."}, 200, guard)
    place.rest(1.1)
    for key, (moment, seen) in read.items():
        fields = {"Date": clock(), "If-Unmodified-Since": moment}
        me.put(f"/forst/{key}", {**seen, "festmeter": 188}, 200, fields)
        place.rest(0.3)
    place.sure(me.get("/forst/abt-14", 200, {"Date": clock()}).json["sperre"] is None)
    me.get("/forst/abt-14/history", 200, {"Date": clock()})


@case(
    "d797",
    "ida-vaccination-cards-in-local-time",
    "timezone-error",
    "lost-update",
    alone="timezone-error",
    synthetic=True,
    description=(
        "A veterinary practice in Nepal has a tool on an API after the pattern of Canvas Medical that turns Last-Modified into its local time and writes "
        "that with GMT behind it into If-Unmodified-Since: five hours and forty-five minutes too late, so the guard holds nothing back, and the "
        "dose that a colleague corrected after the read is gone, as the history shows."
    ),
)
def cards(stage: Stage) -> None:
    """Write local time as GMT."""
    rows, desk = Rows(), Desk(Content_Type="application/fhir+json")
    for number in (601, 602, 603):
        data = {
            "resourceType": "Immunization",
            "id": f"imm-{number}",
            "doseQuantity": {"value": 1},
            "note": [],
        }
        rows.seed(f"imm-{number}", data, 700 + number * 3, "reception")
    issue = {
        "severity": "error",
        "code": "conflict",
        "details": {"text": "Resource updated since If-Unmodified-Since date"},
    }
    _dated(desk, rows, r"/fhir/Immunization/([\w-]+)", {"resourceType": "OperationOutcome", "issue": [issue]})
    desk.page("/fhir/metadata", {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})
    desk.page("/fhir/Immunization", {"resourceType": "Bundle", "total": 3})
    server = place.serve(stage, desk, "flask-cheroot", "Canvas Medical")
    fhir = {"Accept": "application/fhir+json"}
    me = stage.actor(
        "client",
        server,
        "fhir.pashu.test",
        "node:fetch",
        {**fhir, "Accept-Language": "ne-NP", "X-User": "dr-thapa"},
    )
    other = stage.actor("other", server, "fhir.pashu.test", "requests", {**fhir, "X-User": "dr-gurung"})
    place.look(me, "/fhir/metadata", "/fhir/Immunization?patient=rex")
    held = {number: me.get(f"/fhir/Immunization/imm-{number}") for number in (603, 601, 602)}
    theirs = other.get("/fhir/Immunization/imm-601")
    guard = {"If-Unmodified-Since": theirs.fields["last-modified"]}
    other.put("/fhir/Immunization/imm-601", {**theirs.json, "doseQuantity": {"value": 0.5}}, 200, guard)
    place.rest(1.2)
    for number in (603, 601):
        local = http_date(seconds(held[number].fields["last-modified"]) + 5.75 * 3600)
        body = {**held[number].json, "note": [{"text": "प्रतिक्रिया छैन"}]}
        me.put(f"/fhir/Immunization/imm-{number}", body, 200, {"If-Unmodified-Since": local})
        place.rest(0.3)
    place.sure(me.get("/fhir/Immunization/imm-601").json["doseQuantity"]["value"] == 1)
    me.get("/fhir/Immunization/imm-601/history")
    place.look(me, "/fhir/Immunization?patient=rex")


def _zone_desk() -> Any:
    live = {
        ("A", "www"): {
            "kind": "dns#resourceRecordSet",
            "name": "www.brauerei.test.",
            "type": "A",
            "ttl": 300,
            "rrdatas": ["192.0.2.7"],
        },
        ("TXT", "@"): {
            "kind": "dns#resourceRecordSet",
            "name": "brauerei.test.",
            "type": "TXT",
            "ttl": 3600,
            "rrdatas": ['"v=spf1 mx -all"'],
        },
    }
    desk, base = Desk(), r"/dns/v1/projects/brauerei/managedZones/haupt"

    @desk.on("GET", base + "/rrsets")
    def listed(_req: Req) -> Res:
        return Res(200, {"kind": "dns#resourceRecordSetsListResponse", "rrsets": list(live.values())})

    @desk.on("POST", base + "/changes")
    def change(req: Req) -> Res:
        for number, gone in enumerate(req.json.get("deletions", [])):
            if gone not in live.values():
                said = f"Precondition not met for 'entity.change.deletions[{number}]'"
                error = {
                    "message": said,
                    "domain": "global",
                    "reason": "conditionNotMet",
                    "location": "If-Match",
                    "locationType": "header",
                }
                return Res(412, {"error": {"code": 412, "message": said, "errors": [error]}})
        for new in req.json["additions"]:
            live[(new["type"], "www" if new["type"] == "A" else "@")] = new
        return Res(200, {"kind": "dns#change", "id": "812", "status": "pending"})

    desk.page(
        "/dns/v1/projects/brauerei/managedZones/haupt",
        {"kind": "dns#managedZone", "dnsName": "brauerei.test."},
    )
    return desk


@case(
    "d753",
    "ida-spf-record-without-its-quotes",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    synthetic=True,
    description=(
        "A zone tool on an API after the pattern of Cloud DNS lists the record set, whose TXT data stands in quotes, and takes it without them into "
        "deletions[0] of its change: 412, Precondition not met for entity.change.deletions[0], again after another list. Its change of an "
        "A record, whose deletion is as listed, passes."
    ),
)
def zone(stage: Stage) -> None:
    """Delete what is not exactly there."""
    desk = _zone_desk()
    server = place.serve(stage, desk, "stdlib", "Google Cloud DNS")
    me = stage.actor("client", server, "dns.brauerei.test", "urllib", {"User-Agent": "zonectl/0.4"})
    root = "/dns/v1/projects/brauerei/managedZones/haupt"
    place.look(me, root)
    www = me.get(f"{root}/rrsets").json["rrsets"][0]
    place.post(me, f"{root}/changes", {"deletions": [www], "additions": [{**www, "rrdatas": ["192.0.2.9"]}]})
    for _ in range(2):
        spf = me.get(f"{root}/rrsets").json["rrsets"][1]
        bare = {**spf, "rrdatas": [spf["rrdatas"][0].strip('"')]}
        new = {**spf, "rrdatas": ['"v=spf1 mx include:post.test -all"']}
        place.post(me, f"{root}/changes", {"deletions": [bare], "additions": [new]}, 412)
        place.rest(0.4)
    me.get(f"{root}/rrsets")


def _patient_desk() -> Any:
    rows = Rows()
    for number, ident in ((1, "A10"), (2, "B22"), (3, "B22"), (4, "C31")):
        rows.seed(
            f"p{number}",
            {
                "resourceType": "Patient",
                "id": f"p{number}",
                "identifier": [{"system": "urn:kv", "value": ident}],
                "active": True,
            },
        )
    desk = Desk(Content_Type="application/fhir+json; charset=utf-8")

    def found(req: Req) -> list[str]:
        ident = req.query["identifier"].rpartition("|")[2]
        return [key for key, row in rows.rows.items() if row.data["identifier"][0]["value"] == ident]

    @desk.on("GET PUT", "/fhir/R4/Patient")
    def patients(req: Req) -> Res:
        keys = found(req)
        if req.method == "GET":
            entries = [{"fullUrl": f"Patient/{key}", "resource": rows[key].data} for key in keys]
            return Res(
                200, {"resourceType": "Bundle", "type": "searchset", "total": len(keys), "entry": entries}
            )
        if len(keys) > 1:
            said = (
                "HAPI-0958: Failed to UPDATE Patient with match URL because this search matched 2 resources"
            )
            return Res(
                412,
                {
                    "resourceType": "OperationOutcome",
                    "issue": [{"severity": "error", "code": "multiple-matches", "diagnostics": said}],
                },
            )
        row = rows.keep(keys[0], {**req.json, "id": keys[0]}, "bridge")
        return Res(200, row.data, {"ETag": f'W/"{row.rev}"'})

    desk.page("/fhir/R4/metadata", {"resourceType": "CapabilityStatement"})
    return desk


@case(
    "d785",
    "ida-patient-known-twice",
    "multi-match",
    "412",
    alone="multi-match",
    synthetic=True,
    description=(
        "A ward's bridge on a FHIR server updates patients by identifier (PUT Patient?identifier=...); one insurance number is on two records since a "
        "migration, and that update is 412 with an OperationOutcome; a search with it finds both. Others, found once, are updated."
    ),
)
def patient(stage: Stage) -> None:
    """Mean one and find two."""
    desk = _patient_desk()
    server = place.serve(stage, desk, "aiohttp", "HAPI FHIR")
    me = stage.actor("client", server, "fhir.station.test", "java", {"Accept": "application/fhir+json"})
    place.look(me, "/fhir/R4/metadata")
    for ident in ("A10", "B22", "C31"):
        body = {
            "resourceType": "Patient",
            "identifier": [{"system": "urn:kv", "value": ident}],
            "active": True,
            "gender": "unknown",
        }
        me.put(
            f"/fhir/R4/Patient?identifier=urn:kv%7C{ident}",
            body,
            412 if ident == "B22" else 200,
            {"Content-Type": "application/fhir+json"},
        )
        place.rest(0.2)
    place.sure(me.get("/fhir/R4/Patient?identifier=urn:kv%7CB22").json["total"] == 2)


@case(
    "d773",
    "ida-state-lock-on-a-store-without-conditions",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    synthetic=True,
    description=(
        "An infrastructure tool locks its state by a put with If-None-Match: * in an S3-compatible store that does not do conditional puts: 501 "
        "NotImplemented, A header you provided implies functionality that is not implemented; so is If-Match with the newest tag. Without a "
        "condition the same puts pass."
    ),
)
def state(stage: Stage) -> None:
    """Ask for what the store cannot do."""
    rows = Rows()
    rows.seed("net/terraform.tfstate", '{"version":4,"serial":61}', 90000)
    desk = Desk("<Error><Code>NoSuchKey</Code></Error>", x_amz_request_id="9a1f")

    @desk.on("GET HEAD PUT DELETE", r"/tfstate/(net/[\w.]+)")
    def thing(req: Req, key: str) -> Res:
        if req.method == "PUT":
            if {"if-match", "if-none-match"} & set(req.fields):
                said = "A header you provided implies functionality that is not implemented."
                return Res(
                    501,
                    f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NotImplemented</Code><Message>{said}</Message></Error>',
                    {"Content-Type": "application/xml"},
                )
            row = rows.keep(key, req.body.decode(), "ci")
            return Res(200, b"", {"ETag": f'"{digest(row.data)}"'})
        if key not in rows:
            return Res(404, desk.missing, {"Content-Type": "application/xml"})
        if req.method == "DELETE":
            rows.drop(key)
            return Res(204)
        return Res(
            200, rows[key].data, {"ETag": f'"{digest(rows[key].data)}"', "Content-Type": "application/json"}
        )

    desk.page(
        "/tfstate",
        "<ListBucketResult><Name>tfstate</Name></ListBucketResult>",
        Content_Type="application/xml",
    )
    server = place.serve(stage, desk, "bottle", "Backblaze B2 S3")
    me = stage.actor("client", server, "s3.netz.test", "requests", {"User-Agent": "tofu/1.9"})
    place.look(me, "/tfstate?prefix=net/")
    for _ in range(2):
        me.get("/tfstate/net/terraform.tfstate.tflock", 404)
        me.put(
            "/tfstate/net/terraform.tfstate.tflock", {"ID": "5c1d", "Who": "ci"}, 501, {"If-None-Match": "*"}
        )
        place.rest(0.3)
    seen = me.get("/tfstate/net/terraform.tfstate")
    me.put("/tfstate/net/terraform.tfstate", '{"version":4,"serial":62}', 501, {"If-Match": seen.etag})
    me.put("/tfstate/net/terraform.tfstate", '{"version":4,"serial":62}', 200)
    me.get("/tfstate/net/terraform.tfstate")


def _policy(rows: Rows) -> dict[str, Any]:
    row = rows["p"]
    mark = base64.b64encode(b"\x07\x05" + row.rev.to_bytes(6, "big")).decode()
    return {"version": 1, "etag": mark, "bindings": row.data}


def _grants_desk() -> Any:
    rows = Rows(first=7104)
    rows.seed("p", [{"role": "roles/viewer", "members": ["user:mika@werft.test"]}], 500000)
    log: list[dict[str, Any]] = []
    desk = Desk()

    @desk.on("POST", r"/v1/projects/werft-prod:(get|set)IamPolicy")
    def policy(req: Req, what: str) -> Res:
        if what == "set":
            sent = req.json["policy"]
            if sent.get("etag") not in {None, _policy(rows)["etag"]}:
                said = "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff."
                return Res(409, {"error": {"code": 409, "message": said, "status": "ABORTED"}})
            rows.keep("p", sent["bindings"], req.who)
            members = sorted(f"{b['role']} {m}" for b in sent["bindings"] for m in b["members"])
            log.append(
                {
                    "timestamp": iso(time.time()),
                    "principalEmail": req.who,
                    "methodName": "SetIamPolicy",
                    "result": members,
                }
            )
        return Res(200, _policy(rows))

    @desk.on("POST", "/v2/entries:list")
    def entries(_req: Req) -> Res:
        return Res(200, {"entries": list(log)})

    desk.page("/v1/projects/werft-prod", {"projectId": "werft-prod", "lifecycleState": "ACTIVE"})
    return desk


@case(
    "d778",
    "ida-role-grants-written-whole",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    synthetic=True,
    description=(
        "An onboarding script writes the policy of a project after the pattern of Google IAM without the etag that "
        "getIamPolicy shows; the auditor's grant, made between its read and its write, is gone, as the audit log and a later read show."
    ),
)
def grants(stage: Stage) -> None:
    """Write a policy without its etag."""
    desk = _grants_desk()
    server = place.serve(stage, desk, "flask", "Google Resource Manager")
    me = stage.actor(
        "client",
        server,
        "resourcemanager.werft.test",
        "urllib",
        {"Authorization": "Bearer onboard@werft.test"},
    )
    other = stage.actor(
        "other",
        server,
        "resourcemanager.werft.test",
        "requests",
        {"Authorization": "Bearer revision@werft.test"},
    )
    root = "/v1/projects/werft-prod"
    place.look(me, root)
    first = place.post(me, f"{root}:getIamPolicy", {}).json
    mine = [*first["bindings"], {"role": "roles/editor", "members": ["user:aino@werft.test"]}]
    place.post(me, f"{root}:setIamPolicy", {"policy": {"bindings": mine}})
    held = place.post(me, f"{root}:getIamPolicy", {}).json
    place.rest(0.4)
    theirs = place.post(other, f"{root}:getIamPolicy", {}).json
    theirs["bindings"] = [
        *theirs["bindings"],
        {"role": "roles/logging.viewer", "members": ["group:revision@werft.test"]},
    ]
    place.post(other, f"{root}:setIamPolicy", {"policy": theirs})
    place.rest(0.6)
    place.look(me, root)
    mine = [*held["bindings"], {"role": "roles/editor", "members": ["user:otso@werft.test"]}]
    place.post(me, f"{root}:setIamPolicy", {"policy": {"bindings": mine}})
    place.sure(
        len(place.post(me, "/v2/entries:list", {"resourceNames": ["projects/werft-prod"]}).json["entries"])
        == 3
    )
    place.sure("revision@" not in place.post(me, f"{root}:getIamPolicy", {}).text)
