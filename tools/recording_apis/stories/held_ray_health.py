"""Stories on FHIR's resources."""

from __future__ import annotations

import importlib
import shutil
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ray_core import Req, Res
from tools.recording_apis.apps.ray_suites import fhir
from tools.recording_apis.apps.vic_serve import serve
from tools.recording_apis.servers import MissingProgramError
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ray_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_JSON = {"Accept": "application/fhir+json", "Content-Type": "application/fhir+json; charset=utf-8"}
_MRN = "urn:oid:1.2.276.0.76"


def _patient(family: str, mrn: str, **more: Any) -> dict[str, Any]:
    return {"identifier": [{"system": _MRN, "value": mrn}], "name": [{"family": family}], **more}


@case(
    "b944",
    "ray-ward-tablet-behind-a-store",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    synthetic=True,
    description=(
        "nginx keeps FHIR reads for a minute: a ward tablet reads a care plan (X-Cache HIT, version 1), changes it and is "
        "refused with 412, and again after reading it again from the store; with Cache-Control: no-cache it is version 2."
    ),
)
def ward(stage: Stage) -> None:
    """Write with the version that a store has kept."""
    plans = {
        f"CarePlan/cp-{n}": {"status": "active", "intent": "plan", "title": f"Wundversorgung {n}"}
        for n in (17, 18, 19)
    }
    server = place.open_box(
        stage, fhir("http://fhir.klinikum.example/fhir", plans), "aiohttp", "a FHIR server"
    )
    store = "proxy_cache_bypass $http_cache_control; add_header X-Cache $upstream_cache_status always; add_header Via '1.1 ward-edge' always;"
    front = fronts.nginx_cache(stage, server, 60, store)
    other = stage.actor("other", server, "fhir.klinikum.example", "java", {**_JSON, "X-User": "arzt-7"})
    desk = stage.actor(
        "client", front, "fhir.klinikum.example", "node:fetch", {**_JSON, "X-User": "station-3"}
    )
    desk.get("/fhir/metadata")
    for number in (17, 18, 19):
        desk.get(f"/fhir/CarePlan/cp-{number}")
    seen = other.get("/fhir/CarePlan/cp-18")
    other.put(
        "/fhir/CarePlan/cp-18", {**seen.json, "description": "Verband täglich"}, 200, {"If-Match": seen.etag}
    )
    place.rest(1.2)
    for _ in range(2):
        held = desk.get("/fhir/CarePlan/cp-18")
        place.sure(held.fields["x-cache"] == "HIT" and held.etag == 'W/"1"')
        desk.put(
            "/fhir/CarePlan/cp-18", {**held.json, "note": [{"text": "nässt"}]}, 412, {"If-Match": held.etag}
        )
        place.rest(0.4)
    fresh = desk.get("/fhir/CarePlan/cp-18", 200, {"Cache-Control": "no-cache"})
    place.sure(fresh.etag == 'W/"2"')
    held = desk.get("/fhir/CarePlan/cp-19")
    desk.put(
        "/fhir/CarePlan/cp-19", {**held.json, "note": [{"text": "trocken"}]}, 200, {"If-Match": held.etag}
    )


def _transaction(api: Any, req: Req) -> Res:
    rows = []
    for entry in req.json["entry"]:
        key = entry["request"]["url"]
        api.store(key, entry["resource"], req.who)
        rows.append(
            {
                "response": {
                    "status": "200 OK",
                    "location": f"{key}/_history/{api.rows[key].rev}",
                    "etag": f'W/"{api.rows[key].rev}"',
                }
            }
        )
    return Res(
        200,
        {"resourceType": "Bundle", "type": "transaction-response", "entry": rows},
        {"Content-Type": "application/fhir+json"},
    )


@case(
    "b961",
    "ray-bundle-entries-with-old-versions",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    synthetic=True,
    description=(
        "A FHIR server looks at If-Match of a PUT, but not at ifMatch of a transaction's entries: an offline queue that "
        "has been told 412 for its PUT of version 1 sends it in a Bundle, 200, and the allergy of version 2 is gone."
    ),
)
def bundle(stage: Stage) -> None:
    """Have a transaction take what a PUT does not."""
    things = {
        f"AllergyIntolerance/al-{n}": {"code": {"text": word}, "criticality": "low"}
        for n, word in ((1, "noce"), (2, "lattice"), (3, "polline"))
    }
    api = fhir("http://fhir.asl4.example/fhir", things)

    api.on("POST", "/fhir/?", partial(_transaction, api))
    server = place.open_box(stage, api, "flask", "a FHIR server")
    me = stage.actor("client", server, "fhir.asl4.example", "aiohttp", {**_JSON, "X-User": "app-domicilio"})
    other = stage.actor("other", server, "fhir.asl4.example", "httpx", {**_JSON, "X-User": "medico"})
    held = {n: me.get(f"/fhir/AllergyIntolerance/al-{n}") for n in (1, 2, 3)}
    theirs = other.get("/fhir/AllergyIntolerance/al-2")
    severe = {**theirs.json, "criticality": "high", "reaction": [{"description": "anafilassi"}]}
    other.put("/fhir/AllergyIntolerance/al-2", severe, 200, {"If-Match": theirs.etag})
    place.rest(0.9)
    edits = {n: {**held[n].json, "note": [{"text": f"visita {n}"}]} for n in held}
    me.put("/fhir/AllergyIntolerance/al-2", edits[2], 412, {"If-Match": held[2].etag})
    place.sure(me.get("/fhir/AllergyIntolerance/al-2").json["criticality"] == "high")
    entries = [
        {
            "resource": edits[n],
            "request": {"method": "PUT", "url": f"AllergyIntolerance/al-{n}", "ifMatch": held[n].etag},
        }
        for n in (1, 2, 3)
    ]
    told = me.send(
        "POST", "/fhir", 200, None, {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    )
    place.sure(told.json["entry"][1]["response"]["etag"] == 'W/"3"')
    place.sure(me.get("/fhir/AllergyIntolerance/al-2").json["criticality"] == "low")
    me.get("/fhir/AllergyIntolerance?patient=44")


def _normalising(api: Any) -> None:
    plain = api.store

    def store(key: str, told: dict[str, Any], by: str) -> None:
        for one in told.get("telecom", []):
            one["value"] = "+31" + one["value"].replace("-", "").replace(" ", "").removeprefix(
                "+31"
            ).removeprefix("0")
        plain(key, told, by)

    def put(req: Req, key: str) -> Any:
        if req.fields.get("if-match") != f'W/"{api.rows[key].rev}"':
            return api.outcome(412, "conflict", "version")
        store(key, req.json, req.who)
        return api.show(key)

    def patch(req: Req, key: str) -> Any:
        row = api.rows[key].data
        for step in req.json:
            field, index, leaf = step["path"].strip("/").split("/")
            if step["op"] == "test" and row[field][int(index)].get(leaf) != step["value"]:
                return api.outcome(
                    422,
                    "processing",
                    f'JSON Patch operation 0 failed: test \'{step["path"]}\' expected "{step["value"]}" but found "{row[field][int(index)].get(leaf)}"',
                )
            row[field][int(index)][leaf] = step["value"]
        store(key, row, req.who)
        return api.show(key)

    api.ahead("PUT", "/fhir/(Patient/[^/]+)", put)
    api.ahead("PATCH", "/fhir/(Patient/[^/]+)", patch)


@case(
    "b956",
    "ray-phone-number-as-it-was-typed",
    "payload-precondition-mismatch",
    "422",
    alone="payload-precondition-mismatch",
    synthetic=True,
    description=(
        "A portal patches phone numbers with JSON Patch whose test names the number as its user typed it; the server has "
        "stored it in the international form, so the test fails each time, though the resource is still the version "
        "that the portal's own PUT made."
    ),
)
def phones(stage: Stage) -> None:
    """Test for a value that the server has normalised."""
    api = fhir(
        "http://ehr.huisarts.example/fhir",
        {f"Patient/{n}": _patient(name, f"88{n}") for n, name in ((51, "de Wit"), (52, "Bakker"))},
    )
    _normalising(api)
    server = place.open_box(stage, api, "starlette", "a FHIR server")
    me = stage.actor("client", server, "ehr.huisarts.example", "node:axios", {**_JSON, "X-User": "portaal"})
    me.get("/fhir/Patient?name=Bakker")
    typed = {51: "06-1234 5678", 52: "010 987 65 43"}
    for number, phone in typed.items():
        seen = me.get(f"/fhir/Patient/{number}")
        body = {**seen.json, "telecom": [{"system": "phone", "value": phone, "use": "home"}]}
        me.put(f"/fhir/Patient/{number}", body, 200, {"If-Match": seen.etag})
        place.rest(0.5)
        steps = [
            {"op": "test", "path": "/telecom/0/value", "value": phone},
            {"op": "replace", "path": "/telecom/0/use", "value": "mobile"},
        ]
        for _ in range(2):
            me.send(
                "PATCH",
                f"/fhir/Patient/{number}",
                422,
                {"Content-Type": "application/json-patch+json"},
                steps,
            )
            place.rest(0.2)
        place.sure(me.get(f"/fhir/Patient/{number}").etag == 'W/"2"')


@case(
    "b973",
    "ray-lab-creates-unless-there",
    "multi-match",
    "412",
    alone="multi-match",
    synthetic=True,
    description=(
        "A laboratory creates patients with If-None-Exist on the record number: one is new, one is there once, and one "
        "number is on two patients, for which the server says 412; the search that follows shows both."
    ),
)
def lab(stage: Stage) -> None:
    """Match two."""
    things = {
        f"Patient/{n}": _patient(name, mrn)
        for n, name, mrn in (
            (301, "Öberg", "770-1"),
            (302, "Lindqvist", "771-4"),
            (377, "Lindkvist", "771-4"),
        )
    }
    server = place.open_box(
        stage, fhir("http://fhir.region-nord.example/fhir", things), "falcon", "a FHIR server"
    )
    me = stage.actor(
        "client",
        server,
        "fhir.region-nord.example",
        "java",
        {**_JSON, "X-User": "labb", "User-Agent": "HAPI-FHIR/7.4.0 (FHIR Client; FHIR 4.0.1/R4; apache)"},
    )
    me.get("/fhir/metadata")
    for name, mrn, status in (
        ("Åkesson", "779-2", 201),
        ("Öberg", "770-1", 200),
        ("Lindqvist", "771-4", 412),
    ):
        body = {"resourceType": "Patient", **_patient(name, mrn)}
        me.send("POST", "/fhir/Patient", status, {"If-None-Exist": f"identifier={_MRN}|{mrn}"}, body)
        me.send(
            "POST",
            "/fhir/Observation",
            201,
            None,
            {"resourceType": "Observation", "status": "final", "valueString": mrn},
        )
        place.rest(0.3)
    me.send(
        "POST",
        "/fhir/Patient",
        412,
        {"If-None-Exist": f"identifier={_MRN}|771-4"},
        {"resourceType": "Patient", **_patient("Lindqvist", "771-4")},
    )
    place.sure(me.get(f"/fhir/Patient?identifier={_MRN}%7C771-4").json["total"] == 2)
    me.get("/fhir/Patient/302")


_PAGE = """<!doctype html><meta charset=utf-8><title>Impfpass</title><script>
async function run() {
  const base = 'http://r4.praxis-verbund.example/fhir/', out = [];
  const list = await (await fetch(base + 'Immunization?patient=9', {headers: {Accept: 'application/fhir+json'}})).json();
  for (const entry of list.entry) {
    const read = await fetch(base + 'Immunization/' + entry.resource.id, {cache: 'no-store'});
    const tag = read.headers.get('ETag'), body = await read.json();
    const headers = {'Content-Type': 'application/fhir+json'};
    if (tag !== null) headers['If-Match'] = tag;
    await new Promise(done => setTimeout(done, 300));
    const told = await fetch(base + 'Immunization/' + body.id, {method: 'PUT', headers, body: JSON.stringify({...body, lotNumber: 'EW0' + out.length})});
    out.push([tag, told.status]);
  }
  return out;
}
</script>"""


def _browse(chromium: str, options: list[str]) -> Any:
    """Let Chromium play the page and return what its script saw."""
    play = importlib.import_module("playwright.sync_api").sync_playwright
    with play() as made:
        shown = made.chromium.launch(executable_path=chromium, args=options)
        tab = shown.new_page()
        tab.goto("http://impfpass.example/")
        told = tab.evaluate("async () => await run()")
        shown.close()
    return told


@case(
    "b965",
    "ray-vaccination-page-on-another-origin",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag token-missing",
    also="token-missing",
    synthetic=True,
    description=(
        "A page in Chromium edits FHIR resources of another origin, which wants If-Match: its answers carry ETag, but no "
        "Access-Control-Expose-Headers, so the script reads null, sends no condition, and each PUT is 428."
    ),
)
def page(stage: Stage) -> None:
    """Edit across origins without seeing the tag."""
    if (chromium := shutil.which("chromium")) is None:
        raise MissingProgramError("chromium is not installed; see tools/recording_apis/README.md")
    things = {
        f"Immunization/im-{n}": {
            "status": "completed",
            "vaccineCode": {"text": word},
            "patient": {"reference": "Patient/9"},
        }
        for n, word in ((1, "FSME"), (2, "Tetanus"))
    }
    api = fhir("http://r4.praxis-verbund.example/fhir", things, need=428)
    api.ahead(
        "GET",
        "/fhir/Immunization",
        lambda _req: Res(
            200,
            {
                "resourceType": "Bundle",
                "type": "searchset",
                "entry": [
                    {"resource": {"resourceType": "Immunization", "id": key.split("/")[1]}} for key in things
                ],
            },
        ),
    )
    allowed = {
        "Access-Control-Allow-Methods": "GET, PUT, OPTIONS",
        "Access-Control-Allow-Headers": "content-type, if-match",
        "Access-Control-Max-Age": "0",
    }
    api.on("OPTIONS", "/.*", lambda _req: Res(204, b"", dict(allowed)))
    api.after.append(
        lambda req, res: res.fields.update(
            {"Access-Control-Allow-Origin": req.fields.get("origin", "*"), "Vary": "Origin"}
        )
    )
    server = place.open_box(stage, api, "waitress", "a FHIR server")
    port = stage.tap("client", server)
    desk, _version, stop = serve(lambda _req: Res(200, _PAGE, {"Content-Type": "text/html"}), "stdlib")
    rules = f"--host-resolver-rules=MAP r4.praxis-verbund.example:80 127.0.0.1:{port},MAP impfpass.example:80 127.0.0.1:{desk}"
    options = ["--no-sandbox", "--no-proxy-server", rules, "--disable-features=LocalNetworkAccessChecks"]
    told = _browse(chromium, options)
    stop()
    place.sure(told == [[None, 428]] * 2, told)


@case(
    "b947",
    "ray-registry-that-finds-what-is-there",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A registry creates practitioners with If-None-Exist (201 for new ones, 200 for one that is there, as meant), "
        "polls with If-None-Match, and updates with the newest version, once after a colleague's change that it has read."
    ),
)
def registry(stage: Stage) -> None:
    """Find what is there and update what is newest."""
    things = {
        f"Practitioner/{n}": {"identifier": [{"system": "npi", "value": f"19{n}"}], "active": True}
        for n in (11, 12)
    }
    server = place.open_box(
        stage, fhir("http://directory.health.example/fhir", things), "cheroot", "a FHIR server"
    )
    me = stage.actor(
        "client", server, "directory.health.example", "requests", {**_JSON, "X-User": "registry"}
    )
    other = stage.actor("other", server, "directory.health.example", "curl", {**_JSON, "X-User": "hr"})
    me.get("/fhir/metadata")
    for npi, status in (("1911", 200), ("1990", 201), ("1991", 201)):
        body = {"resourceType": "Practitioner", "identifier": [{"system": "npi", "value": npi}]}
        made = me.send("POST", "/fhir/Practitioner", status, {"If-None-Exist": f"identifier=npi|{npi}"}, body)
        path = f"/fhir/Practitioner/{made.json['id']}"
        me.get(path, 304, {"If-None-Match": made.etag})
        told = me.put(path, {**made.json, "active": False}, 200, {"If-Match": made.etag})
        me.get(path, 304, {"If-None-Match": told.etag})
    theirs = other.get("/fhir/Practitioner/12")
    other.put(
        "/fhir/Practitioner/12",
        {**theirs.json, "qualification": [{"code": {"text": "MD"}}]},
        200,
        {"If-Match": theirs.etag},
    )
    place.rest(0.5)
    seen = me.get("/fhir/Practitioner/12")
    me.put("/fhir/Practitioner/12", {**seen.json, "active": False}, 200, {"If-Match": seen.etag})
    me.get("/fhir/Practitioner/999", 404)
    place.sure("qualification" in me.get("/fhir/Practitioner/12").json)
