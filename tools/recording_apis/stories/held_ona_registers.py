"""Stories on registers of things and persons: imitations of products that keep documents."""

from __future__ import annotations

import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tools.recording_apis.apps.ona_core import App, Req, Res, Row, stamp
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ona_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_FHIR = {"Content-Type": "application/fhir+json;charset=UTF-8"}


def _several(query: str, count: int) -> Any:
    said = (
        f'HAPI-0958: Failed to UPDATE Device with match URL "Device?{query}" because '
        f"this search matched {count} resources"
    )
    issue = {"severity": "error", "code": "multiple-matches", "diagnostics": said}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _devices() -> App:
    app = App(
        {"X-Powered-By": "HAPI FHIR 7.4.5 REST Server (FHIR Server; FHIR 4.0.1/R4)", "X-Request-ID": "Gk3o1"}
    )
    serials = {"1201": "VN-7731", "1202": "VN-7740", "1377": "VN-7731", "1380": "VN-7755"}
    app.seed(
        {
            n: {"resourceType": "Device", "id": n, "serialNumber": s, "status": "active"}
            for n, s in serials.items()
        }
    )

    def shown(key: str) -> Any:
        row = app.rows[key]
        return {**row.data, "meta": {"versionId": str(row.n), "lastUpdated": stamp(row.at)}}

    def found(req: Req) -> list[str]:
        return [
            key for key, row in app.rows.items() if row.data["serialNumber"] == req.query.get("serial-number")
        ]

    @app.on("GET", "/fhir/Device")
    def search(req: Req) -> Res:
        entries = [
            {"fullUrl": f"Device/{key}", "resource": shown(key), "search": {"mode": "match"}}
            for key in found(req)
        ]
        return Res(
            200,
            {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries},
            dict(_FHIR),
        )

    @app.on("PUT", "/fhir/Device")
    def conditional(req: Req) -> Res:
        keys = found(req)
        if len(keys) > 1:
            return Res(412, _several(req.target.partition("?")[2], len(keys)), dict(_FHIR))
        key = keys[0] if keys else "1400"
        made = app.keep(key, {**req.json, "id": key})
        return Res(200 if keys else 201, shown(key), {**_FHIR, "ETag": f'W/"{made.n}"'})

    @app.on("GET", "/fhir/Device/([0-9]+)")
    def read(_req: Req, key: str) -> Res:
        return Res(200, shown(key), {**_FHIR, "ETag": f'W/"{app.rows[key].n}"'})

    app.page(
        "/fhir/metadata", {"resourceType": "CapabilityStatement", "status": "active", "fhirVersion": "4.0.1"}
    )
    return app


@case(
    "d948",
    "ona-ventilators-by-serial-number",
    "multi-match",
    "412",
    alone="multi-match",
    synthetic=True,
    description=(
        "A hospital's inventory run updates devices by serial number on a FHIR server in the manner of HAPI; one serial "
        "number is there twice, and the update is 412, multiple matches, again at the second run; the search shows both, "
        "the other devices are updated."
    ),
)
def ventilators(stage: Stage) -> None:
    """Mean two at once."""
    server = place.open_box(stage, _devices(), "flask-cheroot", "HAPI FHIR")
    agent = {"Accept": "application/fhir+json", "User-Agent": "inventar-lauf/5 (Java)"}
    me = stage.actor("client", server, "fhir.klinikum-weser.test", "java", agent)
    me.get("/fhir/metadata")
    for turn in (1, 2):
        for serial in ("VN-7740", "VN-7731", "VN-7755"):
            body = {
                "resourceType": "Device",
                "serialNumber": serial,
                "status": "active",
                "lotNumber": f"L{turn}",
            }
            fields = {"Content-Type": "application/fhir+json"}
            target = f"/fhir/Device?serial-number={serial}"
            me.send("PUT", target, 412 if serial == "VN-7731" else 200, fields, body)
        place.rest(1.0)
    place.sure(me.get("/fhir/Device?serial-number=VN-7731").json["total"] == 2)
    me.get("/fhir/Device/1377")
    body = {"resourceType": "Device", "serialNumber": "VN-7802", "status": "active"}
    me.send("PUT", "/fhir/Device?serial-number=VN-7802", 201, {"Content-Type": "application/fhir+json"}, body)


def _learning() -> App:
    app = App(
        {"X-Experience-API-Version": "1.0.3", "X-Experience-API-Consistent-Through": "2026-11-28T04:00:00Z"}
    )
    app.seed({"prefs": {"lang": "cy", "captions": True}, "badges": {"count": 3}})

    @app.on("GET", "/xapi/agents/profile")
    def read(req: Req) -> Res:
        key = req.query.get("profileId")
        if key is None:
            return Res(200, sorted(app.rows))
        row = app.rows.get(key)
        return (
            Res(200, row.data, {"ETag": f'"{row.hash("sha1")}"', "Last-Modified": row.date})
            if row
            else Res(404, {"error": "no such profile"})
        )

    @app.on("PUT", "/xapi/agents/profile")
    def write(req: Req) -> Res:
        key = req.query["profileId"]
        row = app.rows.get(key)
        match, none = req.fields.get("if-match"), req.fields.get("if-none-match")
        if match is None and none is None and row is not None:
            said = "A document matching your query already exists, but the request did not include If-Match or If-None-Match."
            return Res(409, said)
        if (none == "*" and row is not None) or (
            match is not None and (row is None or match != f'"{row.hash("sha1")}"')
        ):
            return Res(412, "Precondition Failed: the profile document is not in the expected state.")
        app.keep(key, req.json)
        return Res(204)

    @app.on("POST", "/xapi/statements")
    def state(_req: Req) -> Res:
        return Res(200, ["9e13cefd-53d3-4eac-b5ed-2cf6693903bb"])

    app.page("/xapi/about", {"version": ["1.0.3"]})
    return app


@case(
    "d949",
    "ona-learner-profile-saved-as-if-new",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    synthetic=True,
    description=(
        "A course player reads a learner's profile document from an xAPI record store, changes it and puts it with "
        "If-None-Match: *, as it does for new ones: 412, at both tries, and the document is as it was read; a profile that "
        "is really new is stored that way."
    ),
)
def learner(stage: Stage) -> None:
    """Say new of what one has read."""
    server = place.open_box(stage, _learning(), "bottle", "an xAPI record store")
    always = {"X-Experience-API-Version": "1.0.3", "Authorization": "Basic cGxheWVyOnB3"}
    me = stage.actor("client", server, "lrs.cwrs-cymru.test", "node:fetch", always)
    agent = quote('{"mbox":"mailto:dysgwr@cwrs.example"}', safe="")
    me.get("/xapi/about")
    me.get(f"/xapi/agents/profile?agent={agent}")
    verb = {
        "actor": {"mbox": "mailto:dysgwr@cwrs.example"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/launched"},
    }
    me.send("POST", "/xapi/statements", 200, None, verb)
    fresh = f"/xapi/agents/profile?agent={agent}&profileId=goals"
    me.get(fresh, 404)
    me.put(fresh, {"weekly": 3}, 204, {"If-None-Match": "*"})
    path = f"/xapi/agents/profile?agent={agent}&profileId=prefs"
    for captions in (False, False):
        seen = me.get(path)
        place.sure(seen.etag and seen.json["captions"])
        me.put(path, {**seen.json, "captions": captions}, 412, {"If-None-Match": "*"})
        place.rest(0.7)
    me.send(
        "POST",
        "/xapi/statements",
        200,
        None,
        {**verb, "verb": {"id": "http://adlnet.gov/expapi/verbs/exited"}},
    )
    place.sure(me.get(path).json["captions"])


@case(
    "d950",
    "ona-berth-fees-told-no-and-changed",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    synthetic=True,
    description=(
        "A marina's register in the manner of Spring Data REST stores a PATCH first and compares If-Unmodified-Since with "
        "the date of what it has just stored: 412 at the first try, with the date exactly as served, and the read "
        "afterwards shows the client's own fee and clerk's mark; it is so for each berth."
    ),
)
def berths(stage: Stage) -> None:
    """Be refused and obeyed."""
    app = App({"Vary": "Origin, Access-Control-Request-Method"})
    media = {"Content-Type": "application/hal+json"}
    app.seed({f"{n}": {"berth": f"B-{n}", "fee": 340 + n, "editedWith": "import"} for n in (17, 18, 22)})

    def shown(key: str) -> Any:
        return {**app.rows[key].data, "_links": {"self": {"href": f"/api/berths/{key}"}}}

    @app.on("GET", "/api/berths/([0-9]+)")
    def read(_req: Req, key: str) -> Res:
        return Res(200, shown(key), {**media, "Last-Modified": app.rows[key].date})

    @app.on("GET", "/api/berths")
    def listing(_req: Req) -> Res:
        page = {"size": 20, "totalElements": len(app.rows), "number": 0}
        return Res(
            200, {"_embedded": {"berths": [shown(key) for key in app.rows]}, "page": page}, dict(media)
        )

    @app.on("PATCH", "/api/berths/([0-9]+)")
    def write(req: Req, key: str) -> Res:
        row = app.keep(key, {**app.rows[key].data, **req.json})
        since = req.fields.get("if-unmodified-since")
        if since and int(row.at) > parsedate_to_datetime(since).timestamp():
            return Res(412)
        return Res(204, b"", {"Last-Modified": row.date})

    app.page("/api/profile", {"_links": {"self": {"href": "/api/profile"}}})
    server = place.open_box(stage, app, "waitress", "Spring Data REST")
    me = stage.actor(
        "client", server, "register.marina-kvarner.example", "requests", {"User-Agent": "pult-vezova/2.1"}
    )
    me.get("/api/profile")
    me.get("/api/berths?page=0&size=20")
    for berth in (17, 22):
        seen = me.get(f"/api/berths/{berth}")
        place.rest(0.6)
        edit = {"fee": 365, "editedWith": f"pult-3/{berth}-0411"}
        fields = {
            "Content-Type": "application/merge-patch+json",
            "If-Unmodified-Since": seen.fields["last-modified"],
        }
        me.send("PATCH", f"/api/berths/{berth}", 412, fields, edit)
        place.rest(0.4)
        now = me.get(f"/api/berths/{berth}")
        place.sure(now.json["editedWith"] == edit["editedWith"])
    me.get("/api/berths?page=0&size=20")


@case(
    "d954",
    "ona-cold-store-samples-by-the-second",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "A sample store keeps milliseconds and serves whole seconds: If-Unmodified-Since with the Last-Modified just read "
        "is 412 although nobody has written, and passes when the client adds a second; the content names the moment with "
        "its fraction. A sample stored on the full second passes at once."
    ),
)
def samples(stage: Stage) -> None:
    """Lose the fraction on the way."""
    app = App({"Content-Language": "fi"}, {"errors": [{"status": "404", "title": "Ei löydy"}]})
    media = {"Content-Type": "application/vnd.api+json"}
    app.seed({f"N-{n}": {"hylly": f"{n}B", "lämpö": -80, "ml": 1.5} for n in (311, 312, 319)})
    for place_, key in enumerate(app.rows):
        app.rows[key].at = int(app.rows[key].at) + (0.0, 0.412, 0.873)[place_]

    def shown(key: str, row: Row) -> Res:
        body = {
            "data": {"type": "näyte", "id": key, "attributes": row.data, "meta": {"muokattu": stamp(row.at)}}
        }
        return Res(200, body, {**media, "Last-Modified": row.date})

    @app.on("GET", "/varasto/näytteet/(N-[0-9]+)")
    def read(_req: Req, key: str) -> Res:
        return shown(key, app.rows[key])

    @app.on("PATCH", "/varasto/näytteet/(N-[0-9]+)")
    def write(req: Req, key: str) -> Res:
        row, since = app.rows[key], parsedate_to_datetime(req.fields["if-unmodified-since"]).timestamp()
        if row.at > since + 0.0005:
            told = {"status": "412", "title": "Näytettä on muutettu", "meta": {"muokattu": stamp(row.at)}}
            return Res(412, {"errors": [told]}, dict(media))
        made = app.keep(key, {**row.data, **req.json["data"]["attributes"]})
        made.at = int(time.time()) + 0.64
        return shown(key, made)

    app.page("/varasto/tila", {"pakastimia": 4, "tila": "ok"}, '"t1"')
    server = place.open_box(stage, app, "falcon")
    me = stage.actor(
        "client", server, "varasto.biopankki.example", "httpx", {"Accept": "application/vnd.api+json"}
    )
    me.get("/varasto/tila")
    me.get("/varasto/tila", 304, {"If-None-Match": '"t1"'})
    for key in ("N-311", "N-312", "N-319"):
        path = f"/varasto/n%C3%A4ytteet/{key}"
        body = {"data": {"type": "näyte", "id": key, "attributes": {"ml": 1.2}}}
        for again in range(1 if key == "N-311" else 2):
            date = me.get(path).fields["last-modified"]
            fields = {**media, "If-Unmodified-Since": date}
            me.send("PATCH", path, 200 if key == "N-311" else 412, fields, body)
            place.rest(0.5 + again)
    later = formatdate(parsedate_to_datetime(date).timestamp() + 1, usegmt=True)
    me.send("PATCH", path, 200, {**media, "If-Unmodified-Since": later}, body)
