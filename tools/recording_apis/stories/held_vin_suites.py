"""Stories on products: CouchDB, Nextcloud, Kibana, Solr, a learning record store."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vin_core import Desk, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_vin_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _couch() -> Desk:
    desk = Desk({"Cache-Control": "must-revalidate", "X-CouchDB-Body-Time": "0"})
    docs: dict[str, dict[str, Any]] = {}

    def keep(key: str, data: dict[str, Any], number: int) -> str:
        own = {one: value for one, value in data.items() if one not in {"_id", "_rev"}}
        rev = f"{number}-{hashlib.md5(json.dumps(own).encode()).hexdigest()}"  # noqa: S324
        docs[key] = {"_id": key, "_rev": rev, **own}
        return rev

    keep("anlage:7", {"typ": "Filter", "stufe": 2, "standort": "Halle B"}, 4)
    keep("anlage:8", {"typ": "Pumpe", "stufe": 1, "standort": "Halle B"}, 2)

    @desk.on("GET", "/wartung/(anlage:.+)")
    def read(_req: Req, key: str) -> Any:
        return (
            Res(200, docs[key], {"ETag": f'"{docs[key]["_rev"]}"'}) if key in docs else Res(404, desk.missing)
        )

    @desk.on("PUT", "/wartung/(anlage:.+)")
    def write(req: Req, key: str) -> Any:
        sent, old = req.json, docs.get(key)
        given = sent.get("_rev") or req.query.get("rev") or req.fields.get("if-match", "").strip('"') or None
        if (old or {}).get("_rev") != given:
            return Res(409, {"error": "conflict", "reason": "Document update conflict."})
        rev = keep(key, sent, int(given.split("-")[0]) + 1 if given else 1)
        return Res(201, {"ok": True, "id": key, "rev": rev}, {"ETag": f'"{rev}"', "Location": req.path})

    @desk.on("GET", "/wartung/_all_docs")
    def listed(_req: Req) -> Any:
        rows = [{"id": key, "key": key, "value": {"rev": one["_rev"]}} for key, one in docs.items()]
        return {"total_rows": len(rows), "offset": 0, "rows": rows}

    desk.fixed(
        "/", {"couchdb": "Welcome", "version": "3.3.3", "vendor": {"name": "The Apache Software Foundation"}}
    )
    return desk


@case(
    "e133",
    "vin-couch-document-without-its-revision",
    "token-missing",
    "409",
    alone="token-missing",
    synthetic=True,
    description=(
        "A maintenance app saves documents to CouchDB through a mapper that knows the fields of the trade only: the _rev "
        "that it had just read is not in what it puts, and each save of an existing document is 409; with rev in the "
        "target it is taken."
    ),
)
def couch(stage: Stage) -> None:
    """Drop the revision."""
    server = place.open_box(stage, _couch(), "cheroot", "CouchDB")
    me = stage.actor(
        "client", server, "couch.wasserwerk.example", "node:axios", {"Authorization": "Basic YXBwOg=="}
    )
    me.get("/")
    me.get("/wartung/_all_docs")
    made = {"typ": "Ventil", "stufe": 1, "standort": "Halle C"}
    me.put("/wartung/anlage:9", made, 201)
    seen = me.get("/wartung/anlage:7").json
    body = {"typ": seen["typ"], "stufe": 3, "standort": seen["standort"]}
    me.put("/wartung/anlage:7", body, 409)
    place.rest(0.7)
    other = me.get("/wartung/anlage:8").json
    me.put("/wartung/anlage:8", {"typ": other["typ"], "stufe": 2, "standort": other["standort"]}, 409)
    place.rest(2.1)
    seen = me.get("/wartung/anlage:7").json
    me.put(f"/wartung/anlage:7?rev={seen['_rev']}", body, 201)


def _cloud() -> Desk:
    desk = Desk({"X-Content-Type-Options": "nosniff", "X-Frame-Options": "SAMEORIGIN"})
    notes = {"Einkauf.md": "Milch\n"}
    status = {"status": "online"}

    def tag() -> str:
        return '"' + hashlib.md5(notes["Einkauf.md"].encode()).hexdigest()[:26] + '"'  # noqa: S324

    def ocs(data: Any) -> dict[str, Any]:
        return {"ocs": {"meta": {"status": "ok", "statuscode": 200, "message": "OK"}, "data": data}}

    def guarded(req: Req) -> Res | None:
        if req.fields.get("ocs-apirequest") == "true" or req.fields.get("requesttoken"):
            return None
        return Res(412, {"message": "CSRF check failed"})

    @desk.on("GET", "/remote.php/dav/files/ilse/Einkauf.md")
    def read(_req: Req) -> Res:
        return Res(200, notes["Einkauf.md"], {"ETag": tag(), "Content-Type": "text/markdown"})

    @desk.on("PUT", "/remote.php/dav/files/ilse/Einkauf.md")
    def write(req: Req) -> Res:
        if req.fields.get("if-match") not in {None, tag()}:
            return Res(412, '<?xml version="1.0"?><d:error xmlns:d="DAV:"/>')
        notes["Einkauf.md"] = req.body.decode()
        return Res(204, b"", {"ETag": tag(), "OC-ETag": tag()})

    @desk.on("GET", "/ocs/v2.php/apps/user_status/api/v1/user_status")
    def shown(req: Req) -> Any:
        return guarded(req) or ocs({"userId": "ilse", **status})

    @desk.on("PUT", "/ocs/v2.php/apps/user_status/api/v1/user_status/status")
    def change(req: Req) -> Any:
        refused = guarded(req)
        if refused is None:
            status["status"] = req.json["statusType"]
        return refused or ocs({"userId": "ilse", **status})

    desk.fixed("/status.php", {"installed": True, "maintenance": False, "versionstring": "30.0.2"})
    return desk


@case(
    "e154",
    "vin-412-for-want-of-a-request-header",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    synthetic=True,
    description=(
        "A desktop widget sets a user's status at Nextcloud without OCS-APIRequest: 412 with CSRF check failed, twice, for "
        "a read as well; conditions play no part, and its files with If-Match beside it are saved well."
    ),
)
def widget(stage: Stage) -> None:
    """Meet another kind of 412."""
    server = place.open_box(stage, _cloud(), "waitress", "Nextcloud")
    always = {
        "Authorization": "Basic aWxzZTph",
        "Accept": "application/json",
        "User-Agent": "StatusWidget/1.4",
    }
    me = stage.actor("client", server, "wolke.familie.example", "requests", always)
    me.get("/status.php")
    note = me.get("/remote.php/dav/files/ilse/Einkauf.md")
    fields = {"If-Match": note.etag, "Content-Type": "text/markdown"}
    me.put("/remote.php/dav/files/ilse/Einkauf.md", note.text + "Brot\n", 204, fields)
    path = "/ocs/v2.php/apps/user_status/api/v1/user_status"
    me.put(f"{path}/status", {"statusType": "away"}, 412)
    place.rest(0.8)
    me.get(path, 412)
    me.put(f"{path}/status", {"statusType": "away"}, 412)
    note = me.get("/remote.php/dav/files/ilse/Einkauf.md")
    fields["If-Match"] = note.etag
    me.put("/remote.php/dav/files/ilse/Einkauf.md", note.text + "Eier\n", 204, fields)


def _kibana() -> Desk:
    desk = Desk({"kbn-name": "kibana-0", "x-elastic-product": "Kibana"})
    panels = [{"panelIndex": "1", "title": "Latency p95"}, {"panelIndex": "2", "title": "5xx by pod"}]
    state: dict[str, Any] = {"seq": 441, "at": place.stamp(90000), "attributes": {
        "title": "Checkout SLO", "timeRestore": False, "panelsJSON": json.dumps(panels)}}  # fmt: skip

    def shown() -> dict[str, Any]:
        version = base64.b64encode(f"[{state['seq']},3]".encode()).decode()
        return {"id": "slo-checkout", "type": "dashboard", "updated_at": state["at"], "version": version,
                "attributes": state["attributes"], "references": [], "coreMigrationVersion": "8.8.0"}  # fmt: skip

    @desk.on("GET", "/api/saved_objects/dashboard/slo-checkout")
    def read(_req: Req) -> Any:
        return shown()

    @desk.on("PUT", "/api/saved_objects/dashboard/slo-checkout")
    def write(req: Req) -> Any:
        sent = req.json
        if sent.get("version") not in (None, shown()["version"]):
            said = "Saved object [dashboard/slo-checkout] conflict"
            return Res(409, {"statusCode": 409, "error": "Conflict", "message": said})
        state["attributes"] = {**state["attributes"], **sent["attributes"]}
        state["seq"], state["at"] = state["seq"] + 6, place.stamp()
        return shown()

    @desk.on("GET", "/api/saved_objects/_find")
    def find(_req: Req) -> Any:
        return {"page": 1, "per_page": 20, "total": 1, "saved_objects": [shown()]}

    desk.fixed("/api/spaces/space", [{"id": "default", "name": "Default", "disabledFeatures": []}])
    desk.fixed("/api/data_views", {"data_view": [{"id": "logs", "title": "logs-*", "name": "Logs"}]})
    desk.fixed(
        "/api/status",
        {"name": "kibana-0", "version": {"number": "8.15.3"}, "status": {"overall": {"level": "available"}}},
    )
    return desk


@case(
    "e153",
    "vin-dashboard-saved-with-a-version-just-fetched",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    synthetic=True,
    description=(
        "A generator of Kibana dashboards holds the panels that it read in the morning; before it saves it asks for the "
        "object only to send along the newest version. A colleague's panel, there in that answer, is gone after the save."
    ),
)
def dashboards(stage: Stage) -> None:
    """Fetch the version and keep the old base."""
    server = place.open_box(stage, _kibana(), "falcon", "Kibana")
    me = stage.actor(
        "client",
        server,
        "kibana.betalning.example",
        "requests",
        {"kbn-xsrf": "gen", "Authorization": "ApiKey R2Vu"},
    )
    other = stage.actor(
        "other", server, "kibana.betalning.example", "httpx", {"kbn-xsrf": "kibana", "Cookie": "sid=Fe26.2"}
    )
    path = "/api/saved_objects/dashboard/slo-checkout"
    me.get("/api/status")
    me.get("/api/spaces/space")
    me.get("/api/data_views")
    base = json.loads(me.get(path).json["attributes"]["panelsJSON"])
    theirs = other.get(path).json
    panels = [*json.loads(theirs["attributes"]["panelsJSON"]), {"panelIndex": "3", "title": "Error budget"}]
    body = {"attributes": {"panelsJSON": json.dumps(panels)}, "version": theirs["version"]}
    other.put(path, body, 200)
    place.rest(1.4)
    fresh = me.get(path).json["version"]
    base[0]["title"] = "Latency p99"
    me.put(path, {"attributes": {"panelsJSON": json.dumps(base)}, "version": fresh}, 200)
    place.rest(0.6)
    seen = me.get("/api/saved_objects/_find?type=dashboard&search=slo").json["saved_objects"][0]
    place.sure("Error budget" not in seen["attributes"]["panelsJSON"])


def _solr() -> Desk:
    desk = Desk({"Cache-Control": "no-cache, no-store", "X-Content-Type-Options": "nosniff"})
    state = {"clock": 1817390221904510976}
    docs: dict[str, dict[str, Any]] = {}

    def keep(doc: dict[str, Any]) -> int:
        state["clock"] += 1048576 * 731
        docs[doc["id"]] = {**doc, "_version_": state["clock"]}
        return state["clock"]

    for n, name in ((4401, "Kaffeekanne"), (4402, "Teekanne")):
        keep({"id": f"sku-{n}", "name_s": name, "price_f": 39.5, "stock_i": 12})

    @desk.on("GET", "/solr/katalog/select")
    def select(req: Req) -> Any:
        wanted = req.query.get("fl", "").split(",")
        rows = [{key: one for key, one in doc.items() if key in wanted} for doc in docs.values()]
        return {
            "responseHeader": {"status": 0, "QTime": 1},
            "response": {"numFound": len(rows), "start": 0, "docs": rows},
        }

    @desk.on("GET", "/solr/katalog/get")
    def read(req: Req) -> Any:
        return {"doc": docs.get(req.query["id"])}

    @desk.on("POST", "/solr/katalog/update")
    def update(req: Req) -> Any:
        adds: list[Any] = []
        for doc in req.json:
            told, old = int(doc.get("_version_", 0)), docs.get(doc["id"])
            known = old["_version_"] if old else -1
            if told > 1 and told != known:
                said = f"version conflict for {doc['id']} expected={told} actual={known}"
                return Res(
                    409, {"responseHeader": {"status": 409, "QTime": 2}, "error": {"msg": said, "code": 409}}
                )
            adds += [doc["id"], keep({key: one for key, one in doc.items() if key != "_version_"})]
        return {"responseHeader": {"status": 0, "QTime": 6}, "adds": adds}

    desk.fixed("/solr/katalog/admin/ping", {"status": "OK"})
    return desk


@case(
    "e121",
    "vin-solr-document-with-version-zero",
    "null-token",
    "lost-update",
    alone="null-token",
    also="unconditional-write",
    synthetic=True,
    description=(
        "A price feed reads documents from Solr with a list of fields that lacks _version_ and puts them back with "
        "_version_ 0, the default of its class, which asks for no check: a stock correction made in between by another "
        "job, with the proper version, is written over."
    ),
)
def solr(stage: Stage) -> None:
    """Send zero."""
    server = place.open_box(stage, _solr(), "tornado", "Solr")
    me = stage.actor("client", server, "solr.haushalt.example", "java", {"User-Agent": "PreisFeed/3.0"})
    other = stage.actor("other", server, "solr.haushalt.example", "requests", {"User-Agent": "lager-sync"})
    update = "/solr/katalog/update?commit=true&versions=true"
    me.get("/solr/katalog/admin/ping")
    rows = me.get("/solr/katalog/select?q=name_s:*kanne&fl=id,name_s,price_f,stock_i&rows=50").json[
        "response"
    ]["docs"]
    theirs = other.get("/solr/katalog/get?id=sku-4402").json["doc"]
    other.send("POST", update, 200, None, [{**theirs, "stock_i": 3}])
    place.rest(1.1)
    me.get("/solr/katalog/get?id=sku-4402")
    me.send("POST", update, 200, None, [{**one, "price_f": 34.9, "_version_": 0} for one in rows])
    place.rest(0.5)
    me.get("/solr/katalog/get?id=sku-4401")
    now = me.get("/solr/katalog/get?id=sku-4402").json["doc"]
    place.sure(now["stock_i"] == 12)


_ACT = "https%3A%2F%2Fkurs.example%2Farbeitsschutz"
_STATE = f"/xapi/activities/state?activityId={_ACT}&agent=%7B%22mbox%22%3A%22mailto%3Apia%40werk.example%22%7D&stateId=bookmark"


def _lrs() -> Desk:
    desk = Desk({"X-Experience-API-Version": "1.0.3", "Access-Control-Allow-Origin": "https://kurs.example"})
    state: dict[str, Any] = {
        "doc": {"page": 3, "done": ["intro"]},
        "at": place.stamp(4000, "%a, %d %b %Y %H:%M:%S GMT"),
    }
    said: list[Any] = []

    def tag() -> str:
        return '"' + hashlib.sha1(json.dumps(state["doc"]).encode()).hexdigest() + '"'  # noqa: S324

    def write(req: Req) -> Res:
        if req.fields.get("if-match") not in {None, tag()}:
            return Res(412, {"error": True, "message": "ETag does not match"})
        state["doc"], state["at"] = req.json, place.stamp(0, "%a, %d %b %Y %H:%M:%S GMT")
        return Res(204)

    def preflight(_req: Req) -> Res:
        return Res(204, b"", {"Access-Control-Allow-Methods": "GET, PUT, POST, DELETE", "Access-Control-Max-Age": "600",
                              "Access-Control-Allow-Headers": "authorization, content-type, x-experience-api-version"})  # fmt: skip

    @desk.on("GET", "/xapi/activities/state")
    def read(_req: Req) -> Res:
        return Res(200, state["doc"], {"ETag": tag(), "Last-Modified": state["at"]})

    @desk.on("GET", "/xapi/statements")
    def statements(_req: Req) -> Any:
        return {"statements": said, "more": ""}

    @desk.on("POST", "/xapi/statements")
    def state_it(req: Req) -> Any:
        said.insert(0, {"id": f"6c3a2f1e-{len(said):04d}", "stored": place.stamp(), **req.json})
        return [said[0]["id"]]

    desk.on("PUT", "/xapi/activities/state")(write)
    desk.on("OPTIONS", "/xapi/activities/state")(preflight)
    desk.fixed("/xapi/about", {"version": ["1.0.3"]})
    return desk


@case(
    "e130",
    "vin-course-player-that-cannot-see-the-tag",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag unconditional-write",
    also="unconditional-write",
    synthetic=True,
    description=(
        "A course player on another origin keeps its bookmark in a learning record store. The ETag is in the answers, but "
        "no Access-Control-Expose-Headers names it and the preflight does not allow If-Match, so the player saves without a "
        "condition, and what the learner did in a second tab is written over."
    ),
)
def player(stage: Stage) -> None:
    """Save without the tag that the script cannot read."""
    server = place.open_box(stage, _lrs(), "stdlib", "xAPI learning record store")
    always = {"Origin": "https://kurs.example", "Referer": "https://kurs.example/", "Sec-Fetch-Mode": "cors",
              "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
              "X-Experience-API-Version": "1.0.3", "Authorization": "Basic cGlhOg=="}  # fmt: skip
    me = stage.actor("client", server, "lrs.werk.example", "httpx", always)
    other = stage.actor("other", server, "lrs.werk.example", "node:fetch", always)
    ask = {"Access-Control-Request-Method": "PUT",
           "Access-Control-Request-Headers": "authorization,content-type,x-experience-api-version"}  # fmt: skip
    me.get("/xapi/about")
    held = me.get(_STATE).json
    seen = other.get(_STATE).json
    other.put(_STATE, {"page": 7, "done": [*seen["done"], "quiz-2"]}, 204)
    verb = {"actor": {"mbox": "mailto:pia@werk.example"}, "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
            "object": {"id": "https://kurs.example/arbeitsschutz/quiz-2"}}  # fmt: skip
    other.send("POST", "/xapi/statements", 200, None, verb)
    place.rest(1.2)
    me.get("/xapi/statements?limit=5")
    me.get(_STATE)
    me.send("OPTIONS", _STATE, 204, ask)
    me.put(_STATE, {**held, "page": 4}, 204)
    place.rest(0.4)
    place.sure(me.get(_STATE).json["done"] == ["intro"])
