"""Stories on health records and mail in which all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vin_core import Desk, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_vin_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _fhir() -> Desk:
    desk = Desk(
        {"X-Powered-By": "HAPI FHIR 7.4.0 REST Server (FHIR Server; FHIR 4.0.1/R4)"},
        {"resourceType": "OperationOutcome"},
    )
    rows: dict[str, dict[str, Any]] = {}

    def keep(key: str, data: dict[str, Any], number: int) -> dict[str, Any]:
        meta = {"versionId": str(number), "lastUpdated": place.stamp(0, "%Y-%m-%dT%H:%M:%S.417+00:00")}
        rows[key] = {**data, "id": key, "meta": meta}
        return rows[key]

    keep(
        "881",
        {
            "resourceType": "Device",
            "identifier": [{"system": "urn:sn", "value": "PX-17"}],
            "status": "active",
        },
        3,
    )

    def tags(one: dict[str, Any]) -> dict[str, str]:
        return {"ETag": f'W/"{one["meta"]["versionId"]}"', "Content-Type": "application/fhir+json;charset=UTF-8",
                "Content-Location": f"/fhir/Device/{one['id']}/_history/{one['meta']['versionId']}"}  # fmt: skip

    @desk.on("POST", "/fhir/Device")
    def create(req: Req) -> Res:
        value = req.fields.get("if-none-exist", "").rpartition("|")[2]
        found = [one for one in rows.values() if one["identifier"][0]["value"] == value]
        made = found[0] if found else keep(str(900 + len(rows)), req.json, 1)
        return Res(200 if found else 201, made, tags(made))

    @desk.on("GET", "/fhir/Device/([0-9]+)")
    def read(req: Req, key: str) -> Res:
        one = rows[key]
        same = req.fields.get("if-none-match") == tags(one)["ETag"]
        return Res(304, b"", {"ETag": tags(one)["ETag"]}) if same else Res(200, one, tags(one))

    @desk.on("PUT", "/fhir/Device/([0-9]+)")
    def write(req: Req, key: str) -> Res:
        if req.fields.get("if-match") != tags(rows[key])["ETag"]:
            return Res(409, {"resourceType": "OperationOutcome"})
        return Res(200, one := keep(key, req.json, int(rows[key]["meta"]["versionId"]) + 1), tags(one))

    desk.fixed("/fhir/metadata", {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})
    return desk


@case(
    "e147",
    "vin-devices-made-once-and-updated",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A device gateway makes sure of its devices with If-None-Exist (200 for one that is there, 201 for the other), and "
        "updates them with weak version tags in If-Match, as FHIR has it; a 304 in between."
    ),
)
def devices(stage: Stage) -> None:
    """Make sure and update."""
    server = place.open_box(stage, _fhir(), "aiohttp", "FHIR server")
    me = stage.actor(
        "client", server, "fhir.station4.example", "aiohttp", {"Accept": "application/fhir+json"}
    )
    me.get("/fhir/metadata")
    for serial, status in (("PX-17", 200), ("PX-22", 201)):
        body = {
            "resourceType": "Device",
            "identifier": [{"system": "urn:sn", "value": serial}],
            "status": "active",
        }
        made = me.send("POST", "/fhir/Device", status, {"If-None-Exist": f"identifier=urn:sn|{serial}"}, body)
        path = f"/fhir/Device/{made.json['id']}"
        seen = me.get(path)
        saved = me.put(path, {**seen.json, "note": [{"text": "kalibriert"}]}, 200, {"If-Match": seen.etag})
        place.rest(0.5)
        me.get(path, 304, {"If-None-Match": saved.etag})
        me.put(path, {**saved.json, "status": "inactive"}, 200, {"If-Match": saved.etag})


def _mail() -> tuple[Desk, dict[str, Any]]:
    desk = Desk()
    state: dict[str, Any] = {"n": 880, "mails": {"M61": {"id": "M61", "subject": "Angebot", "keywords": {}}}}

    def answer(name: str, given: dict[str, Any], call: str) -> list[Any]:
        now = f"s{state['n']}"
        if name == "Email/get":
            return [name, {"accountId": "u7", "state": now, "list": [
                one for key, one in state["mails"].items() if given["ids"] is None or key in given["ids"]],
                "notFound": []}, call]  # fmt: skip
        if name == "Email/changes":
            made = [key for key in state["mails"] if key != "M61"]
            return [name, {"accountId": "u7", "oldState": given["sinceState"], "newState": now, "hasMoreChanges": False,
                           "created": made, "updated": [], "destroyed": []}, call]  # fmt: skip
        if given["ifInState"] != now:
            return ["error", {"type": "stateMismatch"}, call]
        state["n"] += 1
        for key, change in given["update"].items():
            state["mails"][key] = {**state["mails"][key], "keywords": change["keywords"]}
        return [name, {"accountId": "u7", "oldState": now, "newState": f"s{state['n']}",
                       "updated": dict.fromkeys(given["update"])}, call]  # fmt: skip

    @desk.on("POST", "/jmap/api")
    def api(req: Req) -> Any:
        return {
            "methodResponses": [answer(*one) for one in req.json["methodCalls"]],
            "sessionState": "c0ffee",
        }

    desk.fixed(
        "/.well-known/jmap",
        {"apiUrl": "/jmap/api", "username": "ines", "accounts": {"u7": {"isPersonal": True}}},
    )
    return desk, state


@case(
    "e155",
    "vin-mail-flags-set-after-new-mail-came",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A mail client on JMAP sets keywords with ifInState; new mail moves the state meanwhile, which the client learns "
        "with Email/changes before its next set. Each set is made in the newest state."
    ),
)
def mail(stage: Stage) -> None:
    """Flag mail."""
    desk, state = _mail()
    server = place.open_box(stage, desk, "starlette", "JMAP mail")
    me = stage.actor("client", server, "jmap.kanzlei.example", "requests", {"Authorization": "Bearer m4il"})

    def call(name: str, **given: Any) -> Any:
        using = ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"]
        body = {"using": using, "methodCalls": [[name, {"accountId": "u7", **given}, "0"]]}
        got = me.send("POST", "/jmap/api", 200, None, body).json["methodResponses"][0]
        place.sure(got[0] == name, got)
        return got[1]

    me.get("/.well-known/jmap")
    now = call("Email/get", ids=None)["state"]
    now = call("Email/set", ifInState=now, update={"M61": {"keywords": {"$seen": True}}})["newState"]
    state["n"] += 3
    state["mails"]["M62"] = {"id": "M62", "subject": "Mahnung", "keywords": {}}
    place.rest(0.9)
    now = call("Email/changes", sinceState=now)["newState"]
    call("Email/get", ids=["M62"])
    now = call("Email/set", ifInState=now, update={"M61": {"keywords": {"$seen": True, "$flagged": True}}})[
        "newState"
    ]
    call("Email/set", ifInState=now, update={"M62": {"keywords": {"$seen": True}}})
