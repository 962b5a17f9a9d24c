"""Visits and patients."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.cal_apis import Api, Req, Res, Row, hashed, instant
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _canvas_api() -> Api:
    rows = {
        k: Row(
            {"status": "booked", "start": f"2025-03-1{n}T09:00:00Z", "comment": "", "room": "2"}, 4, "desk"
        )
        for n, k in enumerate(("a41c", "b77e", "c03d"))
    }

    def shown(key: str, data: dict[str, Any], rev: int, at: float, by: str) -> dict[str, Any]:
        return {
            "resourceType": "Appointment",
            "id": key,
            "meta": {"versionId": str(rev), "lastUpdated": instant(at), "source": by},
            **data,
        }

    def now(key: str) -> dict[str, Any]:
        row = rows[key]
        return shown(key, row.data, row.rev, row.at, row.by)

    def dated(key: str) -> dict[str, str]:
        return {"Last-Modified": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(rows[key].at))}

    api = Api(
        lambda _req: {"Referrer-Policy": "same-origin", "X-Frame-Options": "DENY"}, "application/fhir+json"
    )

    @api.on("GET", "/Appointment")
    def listed(_req: Req) -> Res:
        return Res(
            200,
            {
                "resourceType": "Bundle",
                "type": "searchset",
                "total": 3,
                "entry": [{"resource": now(k)} for k in rows],
            },
        )

    @api.on("GET", "/Appointment/([a-z0-9]+)/_history")
    def history(_req: Req, key: str) -> Res:
        kept = [shown(key, d, r, a, b) for r, a, b, d in rows[key].past]
        return Res(
            200,
            {
                "resourceType": "Bundle",
                "type": "history",
                "entry": [{"resource": one} for one in (now(key), *reversed(kept))],
            },
        )

    @api.on("GET|PUT", "/Appointment/([a-z0-9]+)")
    def one(req: Req, key: str) -> Res:
        row = rows[key]
        if req.method == "PUT":
            if (
                req.fields.get("if-unmodified-since", dated(key)["Last-Modified"])
                != dated(key)["Last-Modified"]
            ):
                return Res(
                    412,
                    {
                        "resourceType": "OperationOutcome",
                        "issue": [
                            {
                                "severity": "error",
                                "code": "conflict",
                                "details": {"text": "Resource has been modified"},
                            }
                        ],
                    },
                )
            row.set({k: v for k, v in req.json.items() if k in row.data}, req.fields["x-app"])
            return Res(200, b"", dated(key))
        return Res(200, now(key), dated(key))

    return api


@case(
    "e368",
    "cal-visit-moved-twice-within-a-second",
    "date-precision",
    "lost-update",
    alone="date-precision",
    also="other-writer",
    synthetic=True,
    description="Canvas Medical guards by If-Unmodified-Since alone: a desk moves a visit that a nurse changed after the desk's read but within the same second; Last-Modified says the same, the update is taken, and the history shows a version of that second whose room is gone.",
)
def canvas(stage: Stage) -> None:
    """Change twice in one second."""
    server = place.open_box(stage, _canvas_api(), "cheroot", "Canvas Medical")
    me = stage.actor(
        "client",
        server,
        "fumage.harbourclinic.example",
        "httpx",
        {"Authorization": "Bearer c1", "X-App": "desk"},
    )
    nurse = stage.actor(
        "other",
        server,
        "fumage.harbourclinic.example",
        "requests",
        {"Authorization": "Bearer c2", "X-App": "ward"},
    )
    me.get("/Appointment?date=2025-03-11")
    nurse.get("/Appointment/b77e")
    seen = me.get("/Appointment/a41c")
    me.put(
        "/Appointment/a41c",
        {**seen.json, "comment": "fasting"},
        200,
        {"If-Unmodified-Since": seen.fields["last-modified"]},
    )
    first = nurse.get("/Appointment/b77e")
    place.early()
    nurse.put(
        "/Appointment/b77e",
        {**first.json, "status": "arrived"},
        200,
        {"If-Unmodified-Since": first.fields["last-modified"]},
    )
    mine, theirs = me.get("/Appointment/b77e"), nurse.get("/Appointment/b77e")
    place.rest(0.1)
    nurse.put(
        "/Appointment/b77e",
        {**theirs.json, "room": "5"},
        200,
        {"If-Unmodified-Since": theirs.fields["last-modified"]},
    )
    place.rest(1.2)
    me.put(
        "/Appointment/b77e",
        {**mine.json, "comment": "interpreter asked for"},
        200,
        {"If-Unmodified-Since": mine.fields["last-modified"]},
    )
    place.sure(me.get("/Appointment/b77e").json["room"] == "2")
    place.sure('"room":"5"' in me.get("/Appointment/b77e/_history").text)


@case(
    "e369",
    "cal-two-patients-for-one-number",
    "multi-match",
    "412",
    alone="multi-match",
    synthetic=True,
    description="A laboratory's feed creates FHIR patients with If-None-Exist on the insurance number: one is made, one exists (200), and for the number that the register holds twice the server refuses with 412 and an OperationOutcome; the search counts two.",
)
def fhir(stage: Stage) -> None:
    """Ask for the one of two."""
    people: list[dict[str, Any]] = [
        {
            "resourceType": "Patient",
            "id": str(900 + n),
            "meta": {"versionId": "1"},
            "identifier": [{"system": "urn:oid:1.2.36.146", "value": v}],
            "name": [{"family": f}],
        }
        for n, (v, f) in enumerate(
            (("8003-11", "Okafor"), ("8003-27", "Lindqvist"), ("8003-27", "Lindquist"), ("8003-40", "Sato"))
        )
    ]
    api = Api(
        lambda _req: {
            "X-Powered-By": "HAPI FHIR 6.8.0 REST Server (FHIR Server; FHIR 4.0.1/R4)",
            "X-Request-ID": hashed(time.time())[:16],
        },
        "application/fhir+json;charset=UTF-8",
    )

    def found(query: str) -> list[dict[str, Any]]:
        return [
            one
            for one in people
            if one["identifier"][0]["value"] == query.rpartition("%7C")[2].rpartition("|")[2]
        ]

    api.say(
        "GET",
        "/fhir/metadata",
        {
            "resourceType": "CapabilityStatement",
            "fhirVersion": "4.0.1",
            "rest": [{"mode": "server", "resource": [{"type": "Patient", "conditionalCreate": True}]}],
        },
    )

    @api.on("GET", "/fhir/Patient")
    def search(req: Req) -> Res:
        got = found(req.query["identifier"])
        return Res(
            200,
            {
                "resourceType": "Bundle",
                "type": "searchset",
                "total": len(got),
                "entry": [{"resource": one} for one in got],
            },
        )

    @api.on("POST", "/fhir/Patient")
    def create(req: Req) -> Res:
        got = found(req.fields["if-none-exist"])
        if len(got) > 1:
            return Res(
                412,
                {
                    "resourceType": "OperationOutcome",
                    "issue": [
                        {
                            "severity": "error",
                            "code": "processing",
                            "diagnostics": f'HAPI-0958: Failed to CREATE resource with match URL "Patient?{req.fields["if-none-exist"]}" because this search matched {len(got)} resources',
                        }
                    ],
                },
            )
        if got:
            return Res(
                200,
                got[0],
                {
                    "ETag": 'W/"1"',
                    "Location": f"http://fhir.serolab.example/fhir/Patient/{got[0]['id']}/_history/1",
                },
            )
        people.append({**req.json, "id": str(900 + len(people)), "meta": {"versionId": "1"}})
        return Res(
            201,
            people[-1],
            {
                "ETag": 'W/"1"',
                "Location": f"http://fhir.serolab.example/fhir/Patient/{people[-1]['id']}/_history/1",
            },
        )

    server = place.open_box(stage, api, "tornado", "HAPI FHIR")
    me = stage.actor(
        "client",
        server,
        "fhir.serolab.example",
        "java",
        {"Accept": "application/fhir+json", "Content-Type": "application/fhir+json"},
    )
    me.get("/fhir/metadata")
    for number, family, status in (
        ("8003-52", "Brandt", 201),
        ("8003-11", "Okafor", 200),
        ("8003-27", "Lindqvist", 412),
        ("8003-40", "Sato", 200),
    ):
        body = {
            "resourceType": "Patient",
            "identifier": [{"system": "urn:oid:1.2.36.146", "value": number}],
            "name": [{"family": family}],
        }
        me.send(
            "POST",
            "/fhir/Patient",
            status,
            {"If-None-Exist": f"identifier=urn:oid:1.2.36.146%7C{number}"},
            body,
        )
    got = me.get("/fhir/Patient?identifier=urn:oid:1.2.36.146%7C8003-27").json
    place.sure(got["total"] == 2)
