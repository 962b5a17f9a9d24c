"""Stories on calendars, business suites, registries, health records and search, imitated."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis.apps.eva_core import guid
from tools.recording_apis.apps.eva_platforms import Clinic, Davical, Entities
from tools.recording_apis.apps.eva_suites import Fhir, Frappe, Harbor, Search
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_eva_setting as scene

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "d608",
    "eva-star-taken-for-a-tag",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    synthetic=True,
    description=(
        "A migration wants to change calendar objects of DAViCal only if they exist and sends If-Match: *. The server takes "
        "the star for a tag and answers 412 for objects that it has just served; with the tag itself the same change passes."
    ),
)
def star(stage: Stage) -> None:
    """Be refused although the condition is true."""
    text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:{0}\r\nDTSTART:20261204T180000Z\r\nSUMMARY:{0}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    rows = {
        f"/caldav.php/orkester/program/{name}.ics": text.format(name)
        for name in ("repetisjon", "konsert", "styremote")
    }
    api = Davical(rows)
    server = scene.host(stage, api, "stdlib", "DAViCal")
    me = stage.actor("client", server, "kalender.orkester.example", "curl", {"Content-Type": "text/calendar"})
    near = scene.Nearby(
        api, me, {"/caldav.php/orkester/": "<h1>orkester</h1>", "/public.php/orkester/": "<h1>offentlig</h1>"}
    )
    near()
    for name in ("repetisjon", "konsert"):
        path = f"/caldav.php/orkester/program/{name}.ics"
        seen = me.get(path)
        me.put(path, seen.text.replace("DTSTART:20261204", "DTSTART:20261211"), 412, {"If-Match": "*"})
        scene.wait(0.3)
        scene.must(me.get(path).etag == seen.etag)
        if name == "konsert":
            me.put(
                path, seen.text.replace("DTSTART:20261204", "DTSTART:20261211"), 204, {"If-Match": seen.etag}
            )
    me.put("/caldav.php/orkester/program/julefest.ics", text.format("julefest"), 201, {"If-None-Match": "*"})
    me.get("/caldav.php/orkester/program/styremote.ics")


@case(
    "d583",
    "eva-refused-after-it-was-saved",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    synthetic=True,
    description=(
        "A forwarder's service on Spring Data REST looks at If-Unmodified-Since when the entity is saved already, and so with "
        "the date of that very save: the first and only PUT is answered 412 at once, and the read after it shows the new state."
    ),
)
def saved(stage: Stage) -> None:
    """Be refused what was done."""
    rows = {
        f"/api/shipments/{n}": {"reference": f"HAM-{n}", "state": "BOOKED", "weightKg": n * 3}
        for n in (801, 802, 803)
    }
    api = Entities(rows)
    server = scene.host(stage, api, "cheroot", "Spring Data REST")
    me = stage.actor("client", server, "tms.spedition.example", "java", {"Accept": "application/hal+json"})
    me.get("/api/shipments?page=0")
    near = scene.Nearby(
        api,
        me,
        {
            "/api/carriers": {"_embedded": {"carriers": [{"name": "Nordfracht"}]}},
            "/actuator/health": {"status": "UP"},
            "/api/profile": {"_links": {}},
        },
        tagged=False,
    )
    near()
    me.get("/api/shipments/803")
    for number, state in ((801, "LOADED"), (802, "CANCELLED")):
        seen = me.get(f"/api/shipments/{number}")
        scene.wait(1.1)
        near(1)
        body = {key: value for key, value in seen.json.items() if key != "_links"} | {
            "state": state,
            "dispatchNote": guid("note", number),
        }
        me.put(f"/api/shipments/{number}", body, 412, {"If-Unmodified-Since": seen.fields["last-modified"]})
        now = me.get(f"/api/shipments/{number}").json
        scene.must(now["state"] == state and now["dispatchNote"] == guid("note", number))
    me.get("/api/shipments?page=0")


@case(
    "d611",
    "eva-appointments-with-a-fraction-behind",
    "date-precision",
    "412",
    alone="date-precision",
    synthetic=True,
    description=(
        "Canvas Medical has dates only. A scheduler echoes Last-Modified to the letter, but the stored lastUpdated has "
        "microseconds and is later than that: 412, also after another read. The one stored at a full second passes."
    ),
)
def fraction(stage: Stage) -> None:
    """Be too early by a fraction."""
    rows = {
        f"/Appointment/{guid('appt', n)}": {
            "status": "proposed",
            "description": f"Nachsorge {n}",
            "minutesDuration": 20,
        }
        for n in range(3)
    }
    api = Clinic(rows)
    keys = list(rows)
    for key, part in zip(keys, (0.482913, 0.0, 0.907001), strict=True):
        api.rows[key].at = int(time.time()) - 5000 + part
    server = scene.host(stage, api, "flask", "Canvas Medical FHIR")
    me = stage.actor(
        "client",
        server,
        "fumage-praxis.canvas.example",
        "requests",
        {"Authorization": "Bearer cv", "Accept": "application/fhir+json"},
    )
    near = scene.Nearby(
        api,
        me,
        {
            "/metadata": {"resourceType": "CapabilityStatement"},
            "/Patient/7c11": {"resourceType": "Patient", "id": "7c11"},
            "/Slot": {"resourceType": "Bundle", "total": 0},
        },
        tagged=False,
    )
    near()
    me.get("/Appointment?patient=Patient/7c11")

    def book(key: str, expect: int) -> Answer:
        seen = me.get(key)
        return me.put(
            key,
            {**seen.json, "status": "booked"},
            expect,
            {"If-Unmodified-Since": seen.fields["last-modified"]},
        )

    book(keys[0], 412)
    near(2)
    scene.wait(0.5)
    book(keys[0], 412)
    book(keys[1], 200)
    book(keys[2], 412)
    scene.must(me.get(keys[0]).json["meta"]["versionId"] == "1")


@case(
    "d639",
    "eva-expectation-that-nobody-had",
    "status-dialect-mismatch",
    "417",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    synthetic=True,
    description=(
        "ERPNext says with 417 and TimestampMismatchError that a document was saved by another since. A warehouse's client "
        "takes 417 for a trouble with the Expect field, reports a proxy and gives the price up; the item has another's save."
    ),
)
def expectation(stage: Stage) -> None:
    """Take a conflict for something else."""
    api = Frappe(
        {
            f"SKRUE-{n}": {"item_name": f"Skrue M{n}", "standard_rate": 1.2 * n, "shelf": "A"}
            for n in (4, 6, 8)
        }
    )
    server = scene.host(stage, api, "flask", "ERPNext")
    me = stage.actor(
        "client",
        server,
        "erp.jernvare.example",
        "requests",
        {"Authorization": "token lager", "X-User": "lager@jernvare.example"},
    )
    other = stage.actor(
        "other",
        server,
        "erp.jernvare.example",
        "aiohttp",
        {"Authorization": "token indkob", "X-User": "indkob@jernvare.example"},
    )
    near = scene.Nearby(
        api,
        me,
        {
            "/api/method/frappe.auth.get_logged_user": {"message": "lager@jernvare.example"},
            "/api/resource/Warehouse": {"data": [{"name": "Hal 2 - JV"}]},
            "/api/resource/Bin": {"data": []},
        },
        tagged=False,
    )
    near()
    me.get("/api/resource/Item")
    held = {key: me.get(f"/api/resource/Item/{key}").json["data"] for key in ("SKRUE-4", "SKRUE-6")}
    theirs = other.get("/api/resource/Item/SKRUE-6").json["data"]
    other.put("/api/resource/Item/SKRUE-6", {"modified": theirs["modified"], "standard_rate": 8.1}, 200)
    scene.wait(0.8)
    for key, expect in (("SKRUE-4", 200), ("SKRUE-6", 417)):
        me.put(f"/api/resource/Item/{key}", {**held[key], "shelf": "C"}, expect)
    near(2)
    seen = me.get("/api/resource/Item/SKRUE-8").json["data"]
    me.put("/api/resource/Item/SKRUE-8", {**seen, "shelf": "C"}, 200)
    report = {
        "method": "lager.sync",
        "error": "HTTP 417 Expectation Failed: proxy does not support Expect, item SKRUE-6 skipped",
    }
    me.send("POST", "/api/resource/Error%20Log", 200, None, report)
    scene.must(me.get("/api/resource/Item/SKRUE-6").json["data"]["shelf"] == "A")


_DIRECTORY = {
    "/fhir/R4/metadata": {"resourceType": "CapabilityStatement", "status": "active"},
    "/auth/me": {"profile": {"resourceType": "ClientApplication"}},
    "/fhir/R4/Organization": {"resourceType": "Bundle", "total": 0},
}


@case(
    "d631",
    "eva-practitioner-who-is-there-twice",
    "multi-match",
    "412",
    alone="multi-match",
    synthetic=True,
    description=(
        "A directory feed updates practitioners of a FHIR server by their registration number. Two records have the same one: "
        "412 multiple-matches, and the search for it has a total of two. The others are updated or made."
    ),
)
def there_twice(stage: Stage) -> None:
    """Mean two."""
    numbers = ("MR-4410", "MR-4411", "MR-4411", "MR-4412")
    rows = {
        guid("prac", n): {
            "identifier": [{"system": "https://artsen.example/reg", "value": number}],
            "name": [{"family": f"de Wit {n}"}],
            "active": True,
        }
        for n, number in enumerate(numbers)
    }
    api = Fhir(rows)
    server = scene.host(stage, api, "tornado", "Medplum FHIR")
    me = stage.actor(
        "client",
        server,
        "fhir.zorg.example",
        "node:fetch",
        {"Authorization": "Bearer md", "Content-Type": "application/fhir+json"},
    )
    near = scene.Nearby(
        api,
        me,
        _DIRECTORY,
    )
    near()
    me.get("/fhir/R4/Practitioner")

    def feed(number: str, expect: int | tuple[int, ...]) -> None:
        body = {
            "resourceType": "Practitioner",
            "identifier": [{"system": "https://artsen.example/reg", "value": number}],
            "name": [{"family": "de Wit", "given": ["Jo"]}],
            "active": False,
        }
        me.put(
            f"/fhir/R4/Practitioner?identifier=https%3A%2F%2Fartsen.example%2Freg%7C{number}", body, expect
        )
        scene.wait(0.2)

    feed("MR-4410", 200)
    feed("MR-4411", 412)
    scene.must(
        me.get("/fhir/R4/Practitioner?identifier=https%3A%2F%2Fartsen.example%2Freg%7CMR-4411").json["total"]
        == 2
    )
    near(0, 2)
    feed("MR-4412", 200)
    feed("MR-4499", 201)


@case(
    "d597",
    "eva-project-that-is-not-empty",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    synthetic=True,
    description=(
        "A script tidies a Harbor registry. Projects that hold repositories are not deleted but answered 412 with that reason, "
        "which has nothing to do with a version: no request carries any. An empty one is deleted."
    ),
)
def not_empty(stage: Stage) -> None:
    """Run into a rule."""
    rows = {"sandkasse": {"repos": ["ui", "api"]}, "gammel-ci": {"repos": ["runner"]}, "tom": {"repos": []}}
    api = Harbor(rows)
    server = scene.host(stage, api, "waitress", "Harbor")
    me = stage.actor(
        "client",
        server,
        "harbor.fjord.example",
        "httpx",
        {"Authorization": "Basic cm9ib3Q=", "User-Agent": "harbor-tidy/1.3"},
    )
    near = scene.Nearby(
        api,
        me,
        {
            "/api/v2.0/systeminfo": {"harbor_version": "v2.11.1"},
            "/api/v2.0/users/current": {"username": "robot$tidy"},
            "/api/v2.0/health": {"status": "healthy"},
        },
        tagged=False,
    )
    near()
    me.get("/api/v2.0/projects?page_size=50")
    for name, expect in (("sandkasse", 412), ("tom", 200), ("gammel-ci", 412)):
        me.get(f"/api/v2.0/projects/{name}/summary")
        me.send("DELETE", f"/api/v2.0/projects/{name}", expect)
        if expect == 412:
            me.get(f"/api/v2.0/projects/{name}/repositories")
    me.get("/api/v2.0/projects?page_size=50")


@case(
    "d582",
    "eva-numbers-that-leap-in-one-shard",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "Two programs index weather stations in OpenSearch with if_seq_no. The numbers leap, since all documents of the shard "
        "share one sequence; each writes on what it has read or been told last, and all are stored."
    ),
)
def leaps(stage: Stage) -> None:
    """Let numbers leap."""
    api = Search({f"s{n}": {"ort": f"Hütte {n}", "grad": -n} for n in range(5)}, first=2)
    server = scene.host(stage, api, "aiohttp", "OpenSearch")
    me = stage.actor(
        "client", server, "suche.wetter.example", "node:axios", {"Authorization": "Basic d2V0dGVy"}
    )
    near = scene.Nearby(
        api,
        me,
        {
            "/_cat/shards/stationen": [{"shard": "0", "state": "STARTED"}],
            "/stationen/_mapping": {"stationen": {"mappings": {}}},
        },
        tagged=False,
    )
    near()
    other = stage.actor("other", server, "suche.wetter.example", "httpx", {"Authorization": "Basic ZGllbnN0"})
    me.get("/_cluster/health")
    hits = me.send(
        "POST", "/stationen/_search", 200, None, {"seq_no_primary_term": True, "query": {"match_all": {}}}
    ).json["hits"]["hits"]
    held = {hit["_id"]: hit for hit in hits}
    for turn in range(3):
        for key in ("s1", "s3"):
            source = {"ort": held[key].get("_source", {}).get("ort", "Hütte"), "grad": turn}
            told = me.put(
                f"/stationen/_doc/{key}?if_seq_no={held[key]['_seq_no']}&if_primary_term=3", source, 200
            ).json
            held[key] = {**told, "_source": source}
        seen = other.get("/stationen/_doc/s4").json
        other.put(
            f"/stationen/_doc/s4?if_seq_no={seen['_seq_no']}&if_primary_term=3",
            {**seen["_source"], "grad": turn},
            200,
        )
        scene.wait(0.3)
        near(0)
        me.get("/stationen/_doc/s4")
    scene.must(me.get("/stationen/_doc/s3").json["_version"] == 5)
