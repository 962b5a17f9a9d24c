"""Stories in which all is well."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps import gus_firms, gus_records, gus_suites
from tools.recording_apis.names import route
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_gus_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e480",
    "gus-measurements-by-the-sdk",
    "none",
    "healthy",
    alone="none",
    description="Two programs write different rows of a table by the SDK, each under the tag it has last been told.",
)
def table(stage: Stage) -> None:
    """A real emulator, the real SDK, tags that are weak and coded."""
    store = stage.server("azurite", table=True)
    data = importlib.import_module("azure.data.tables")
    secret = importlib.import_module("azure.core.credentials").AzureNamedKeyCredential(
        "notes", "ZXhhbXBsZQ=="
    )
    same = importlib.import_module("azure.core").MatchConditions.IfNotModified

    def client(name: str) -> Any:
        route("notes.table.example", stage.tap(name, store))
        service = data.TableServiceClient("http://notes.table.example/notes", credential=secret)
        return service.get_table_client("Messung")

    ours = client("client")
    ours.create_table()
    for row, value in (("r1", 4.1), ("r2", 3.9)):
        ours.create_entity({"PartitionKey": "halle", "RowKey": row, "wert": value, "einheit": "bar"})
    stage.forget()
    their = client("other")  # the connection of the first stays open
    one, two = ours.get_entity("halle", "r1"), their.get_entity("halle", "r2")
    their.update_entity({**two, "wert": 4.0}, match_condition=same, etag=two.metadata["etag"])
    told = ours.update_entity({**one, "wert": 4.3}, match_condition=same, etag=one.metadata["etag"])
    again = ours.update_entity(
        {**one, "wert": 4.4, "geprueft": True}, match_condition=same, etag=told["etag"]
    )
    place.sure(again["etag"] != told["etag"])
    place.sure(len(list(ours.query_entities("PartitionKey eq 'halle'"))) == 2)
    ours.upsert_entity({"PartitionKey": "halle", "RowKey": "r3", "wert": 0.0})
    ours.delete_entity("halle", "r3")


@case(
    "e482",
    "gus-intake-that-finds-the-record",
    "none",
    "healthy",
    alone="none",
    description="An intake creates unless it exists, gets the record that is there with 200, and goes on with its weak version as documented.",
    synthetic=True,
)
def intake(stage: Stage) -> None:
    """Created once, found once."""
    number = "urn:oid:1.2.208.176.1.2|2811661232"
    rows = {
        "31": {
            "resourceType": "Patient",
            "id": "31",
            "meta": {"versionId": "5", "lastUpdated": "2026-10-30T09:12:00.000Z"},
            "identifier": [{"system": "urn:oid:1.2.208.176.1.2", "value": "2811661232"}],
            "name": [{"family": "Krogh"}],
        }
    }
    app = place.hold(stage, gus_records.fhir(rows), "falcon", "FHIR")
    ours = place.actor(
        stage, "client", app, "epj.sygehus.example", "java", {"Accept": "application/fhir+json"}
    )
    kind = {"Content-Type": "application/fhir+json"}
    ours.get("/fhir/metadata")
    sent = {"resourceType": "Patient", "identifier": rows["31"]["identifier"], "name": [{"family": "Krogh"}]}
    got = ours.send("POST", "/fhir/Patient", 200, {**kind, "If-None-Exist": f"identifier={number}"}, sent)
    fresh = {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:oid:1.2.208.176.1.2", "value": "0101991111"}],
        "name": [{"family": "Lind"}],
    }
    ours.send(
        "POST",
        "/fhir/Patient",
        201,
        {**kind, "If-None-Exist": "identifier=urn:oid:1.2.208.176.1.2|0101991111"},
        fresh,
    )
    done = ours.put("/fhir/Patient/31", {**got.json, "gender": "female"}, 200, {**kind, "If-Match": got.etag})
    ours.get("/fhir/Patient/31", 304, {"If-None-Match": done.etag})
    last = ours.put(
        "/fhir/Patient/31", {**done.json, "birthDate": "1966-11-28"}, 200, {**kind, "If-Match": done.etag}
    )
    place.sure(last.etag == 'W/"7"')
    ours.get("/fhir/Patient?identifier=urn:oid:1.2.208.176.1.2%7C2811661232")


@case(
    "e491",
    "gus-import-that-only-updates",
    "none",
    "healthy",
    alone="none",
    description="An import uses both stars as documented, one to create only and one to update only, and a weak tag for the rest.",
    synthetic=True,
)
def import_(stage: Stage) -> None:
    """Stars that mean what they mean there."""
    keys = (
        "00aa00aa-0000-4000-8000-0000000000a1",
        "00aa00aa-0000-4000-8000-0000000000a2",
        "00aa00aa-0000-4000-8000-0000000000a3",
    )
    rows = {
        keys[0]: {"name": "Mühle Wied", "creditonhold": False},
        keys[1]: {"name": "Öl Sander", "creditonhold": False},
    }
    app = place.hold(stage, gus_suites.dataverse(rows), "flask", "Dataverse")
    ours = place.actor(
        stage,
        "client",
        app,
        "wied.crm4.example",
        "node:fetch",
        {"Authorization": "Bearer eyJ0", "OData-MaxVersion": "4.0"},
    )
    their = place.actor(stage, "other", app, "wied.crm4.example", "requests")
    base = "/api/data/v9.2/accounts"
    ours.get(f"{base}?$select=name")
    ours.send(
        "PATCH",
        f"{base}({keys[2]})",
        204,
        {"If-None-Match": "*"},
        {"name": "Hof Pries", "creditonhold": False},
    )
    ours.send("PATCH", f"{base}({keys[0]})", 204, {"If-Match": "*"}, {"telephone1": "+49 2634 5550"})
    their.send(
        "PATCH",
        f"{base}({keys[1]})",
        204,
        {"If-Match": their.get(f"{base}({keys[1]})").etag},
        {"creditonhold": True},
    )
    now = ours.get(f"{base}({keys[1]})")
    ours.get(f"{base}({keys[1]})", 304, {"If-None-Match": now.etag})
    ours.send(
        "PATCH", f"{base}({keys[1]})", 204, {"If-Match": now.etag}, {"description": "Gesperrt, nur Vorkasse"}
    )
    place.sure(ours.get(f"{base}({keys[1]})").json["creditonhold"])


@case(
    "e496",
    "gus-task-edited-in-turns",
    "none",
    "healthy",
    alone="none",
    description="Two people edit a task and its details in turns; each reads again before the next edit and keeps what the other has done.",
    synthetic=True,
)
def task(stage: Stage) -> None:
    """Weak tags that are taken, and a fresh one that comes with its content."""
    tasks = {
        "gcrYAaAkgU": {"title": "Kühlhaus abtauen", "percentComplete": 0, "planId": "pQ8"},
        "hT1xAaBb2": {"title": "Palette zählen", "percentComplete": 50, "planId": "pQ8"},
    }
    details = {key: {"description": "", "checklist": {}} for key in tasks}
    app = place.hold(stage, gus_suites.planner(tasks, details), "aiohttp", "Planner")
    ours = place.actor(
        stage, "client", app, "graph.kuehl.example", "node:axios", {"Authorization": "Bearer eyJ0"}
    )
    their = place.actor(stage, "other", app, "graph.kuehl.example", "bare")
    path = "/v1.0/planner/tasks/gcrYAaAkgU"
    ours.get("/v1.0/planner/plans/pQ8/tasks")
    one = ours.get(f"{path}/details").json
    got = ours.send(
        "PATCH",
        f"{path}/details",
        200,
        {"If-Match": one["@odata.etag"], "Prefer": "return=representation"},
        {"checklist": {"c1": {"title": "Strom aus", "isChecked": False}}},
    ).json
    their.send(
        "PATCH",
        f"{path}/details",
        204,
        {"If-Match": their.get(f"{path}/details").etag},
        {"checklist": {**got["checklist"], "c2": {"title": "Tür auf", "isChecked": False}}},
    )
    place.wait(0.5)
    now = ours.get(f"{path}/details").json
    new = {**now["checklist"], "c1": {"title": "Strom aus", "isChecked": True}}
    ours.send("PATCH", f"{path}/details", 204, {"If-Match": now["@odata.etag"]}, {"checklist": new})
    ours.send("PATCH", path, 204, {"If-Match": ours.get(path).etag}, {"percentComplete": 50})
    place.sure(len(ours.get(f"{path}/details").json["checklist"]) == 2)


@case(
    "e502",
    "gus-tag-that-ends-in-a-coding",
    "none",
    "healthy",
    alone="none",
    description="The service's tags end in -gzip as documented, whatever the coding; they are compared as they are and fit.",
    synthetic=True,
)
def ending(stage: Stage) -> None:
    """Nothing on the way has touched it."""
    keys = ("001Kx00000Q7r8sIAB", "001Kx00000Q7r8tIAB")
    rows: dict[str, dict[str, Any]] = {
        keys[0]: {"Name": "Tuuli Oy", "Phone": "+358 9 555 01"},
        keys[1]: {"Name": "Meri Ab", "Phone": None},
    }
    app, _past = gus_firms.force(rows, "gzip")
    crm = place.hold(stage, app, "falcon", "Salesforce")
    ours = place.actor(
        stage,
        "client",
        crm,
        "tuuli.my.salesforce.example",
        "ruby",
        {"Authorization": "Bearer 00Dx", "User-Agent": "restforce/7.5.0"},
    )
    base = "/services/data/v61.0/sobjects/Account"
    ours.get("/services/data/v61.0/limits")
    tag = ours.get(f"{base}/{keys[0]}").etag
    ours.get(f"{base}/{keys[0]}", 304, {"If-None-Match": tag})
    ours.send("PATCH", f"{base}/{keys[0]}", 204, {"If-Match": tag}, {"Phone": "+358 9 555 77"})
    ours.get(f"{base}/{keys[1]}")
    newer = ours.get(f"{base}/{keys[0]}", 200, {"If-None-Match": tag}).etag
    ours.send("PATCH", f"{base}/{keys[0]}", 204, {"If-Match": newer}, {"BillingCity": "Turku"})
    ours.get(f"{base}/{keys[0]}")


@case(
    "e509",
    "gus-plan-renamed-and-cleared-away",
    "none",
    "healthy",
    alone="none",
    description="Bare numbers as tags: a rename, a poll told unchanged, a rename by a colleague that is seen, a deletion, and a look at what is gone.",
    synthetic=True,
)
def plan(stage: Stage) -> None:
    """Numbers without quotes are right there."""
    files = {
        "770011": {
            "etag": "3",
            "sequence_id": "3",
            "name": "plan_v3.dwg",
            "description": "",
            "modified_at": "2026-11-20T08:00:00Z",
        },
        "770012": {
            "etag": "0",
            "sequence_id": "0",
            "name": "plan_alt.dwg",
            "description": "",
            "modified_at": "2026-08-02T08:00:00Z",
        },
    }
    app = place.hold(stage, gus_suites.box(files), "flask", "Box")
    ours = place.actor(stage, "client", app, "api.ablage.example", "perl", {"Authorization": "Bearer T9"})
    their = place.actor(stage, "other", app, "api.ablage.example", "httpx", {"Authorization": "Bearer U2"})
    ours.get("/2.0/folders/0/items?fields=id,etag,name")
    ours.get("/2.0/files/770011", 304, {"if-none-match": "3"})
    tag = ours.put("/2.0/files/770011", {"name": "plan_v4.dwg"}, 200, {"if-match": "3"}).json["etag"]
    ours.get("/2.0/events?stream_position=120")
    their.put("/2.0/files/770011", {"description": "freigegeben"}, 200, {"if-match": "4"})
    now = ours.get("/2.0/files/770011", 200, {"if-none-match": tag}).json
    ours.put("/2.0/files/770011", {"name": "plan_v4_frei.dwg"}, 200, {"if-match": now["etag"]})
    ours.send("DELETE", "/2.0/files/770012", 204, {"if-match": "0"})
    ours.get("/2.0/files/770012", 404)
    ours.get("/2.0/folders/0/items?fields=id,etag,name")
