"""Several people, or one in a hurry."""

from __future__ import annotations

import base64
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ida_wire import Desk, Req, Res, Rows, digest, http_date, iso
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ida_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _entries(rows: Rows) -> Desk:
    desk = Desk(X_Contentful_Request_Id="9f0-c4")

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        who = {"sys": {"type": "Link", "linkType": "User", "id": row.by}}
        sys = {"id": key, "type": "Entry", "version": row.rev, "updatedAt": iso(row.at), "updatedBy": who}
        return {"sys": sys, "fields": row.data}

    @desk.on("GET PUT", r"/spaces/muz3/environments/master/entries/(\w+)")
    def entry(req: Req, key: str) -> Res:
        if req.method == "PUT":
            if req.fields.get("x-contentful-version") != str(rows[key].rev):
                error = {"sys": {"type": "Error", "id": "VersionMismatch"}, "requestId": "9f0-c4"}
                return Res(409, error, {"Content-Type": "application/vnd.contentful.management.v1+json"})
            rows.keep(key, req.json["fields"], req.who)
        return Res(200, shown(key), {"Content-Type": "application/vnd.contentful.management.v1+json"})

    @desk.on("GET", "/spaces/muz3/environments/master/entries")
    def entries(_req: Req) -> Res:
        return Res(200, {"total": len(rows.rows), "items": [shown(key) for key in rows.rows]})

    desk.page(
        "/spaces/muz3/environments/master/content_types/exhibit", {"sys": {"id": "exhibit"}, "fields": []}
    )
    desk.page("/users/me", {"sys": {"type": "User", "id": "u-petra"}, "firstName": "Petra"})
    return desk


def _exhibit_desk() -> Any:
    rows = Rows(first=31)
    for number, key in enumerate(("4kVaza", "5pAmfora", "6nMapa")):
        rows.seed(
            key,
            {"title": {"cs": f"Exponát {number}"}, "text": {"cs": "…"}, "loanUntil": {"cs": "2027-01-31"}},
            80000,
            "u-petra",
        )
    return rows


@case(
    "d792",
    "ida-exhibit-text-and-loan-date",
    "other-writer",
    "409",
    alone="other-writer",
    synthetic=True,
    description=(
        "A curator edits an exhibit in a CMS after the pattern of Contentful; the loans office changes the same entry between "
        "her read and her save, which is 409 VersionMismatch. The entry read then has the next version, another user and "
        "another loan date; she leaves it at that for today."
    ),
)
def exhibit(stage: Stage) -> None:
    """Be second."""
    rows = _exhibit_desk()
    server = place.serve(stage, _entries(rows), "starlette", "Contentful Management API")
    agent = {
        "X-Contentful-User-Agent": "app contentful.web-app; platform browser",
        "Authorization": "Bearer u-petra",
    }
    me = stage.actor("client", server, "api.expozice.test", "node:axios", agent)
    other = stage.actor(
        "other", server, "api.expozice.test", "requests", {"Authorization": "Bearer u-zapujcky"}
    )
    root = "/spaces/muz3/environments/master"
    place.look(me, "/users/me", f"{root}/content_types/exhibit", f"{root}/entries?limit=20")
    warm = me.get(f"{root}/entries/6nMapa").json
    fields = {**warm["fields"], "text": {"cs": "Mapa kraje, 1742"}}
    me.put(
        f"{root}/entries/6nMapa",
        {"fields": fields},
        200,
        {"X-Contentful-Version": str(warm["sys"]["version"])},
    )
    mine = me.get(f"{root}/entries/4kVaza").json
    place.rest(0.4)
    theirs = other.get(f"{root}/entries/4kVaza").json
    loan = {**theirs["fields"], "loanUntil": {"cs": "2027-06-30"}}
    other.put(
        f"{root}/entries/4kVaza",
        {"fields": loan},
        200,
        {"X-Contentful-Version": str(theirs["sys"]["version"])},
    )
    place.rest(0.5)
    place.look(me, "/users/me")
    fields = {**mine["fields"], "text": {"cs": "Váza ze sklárny v Boru"}}
    me.put(
        f"{root}/entries/4kVaza",
        {"fields": fields},
        409,
        {"X-Contentful-Version": str(mine["sys"]["version"])},
    )
    now = me.get(f"{root}/entries/4kVaza").json
    place.sure(now["sys"]["updatedBy"]["sys"]["id"] == "u-zapujcky")
    place.look(me, f"{root}/entries?limit=20", f"{root}/entries/5pAmfora")


def _panel_desk() -> Any:
    rows = Rows(first=17)
    for uid in ("sg9Wehr", "pe2Pegel"):
        rows.seed(
            uid,
            {"uid": uid, "title": uid[3:], "panels": [{"id": 1, "x": 0, "title": "Abfluss"}]},
            9000,
            "leonie",
        )
    desk = Desk(Cache_Control="no-store")

    @desk.on("GET", r"/api/dashboards/uid/(\w+)")
    def read(_req: Req, uid: str) -> Res:
        row = rows[uid]
        return Res(
            200,
            {
                "meta": {"updatedBy": row.by, "updated": iso(row.at), "version": row.rev},
                "dashboard": {**row.data, "version": row.rev},
            },
        )

    @desk.on("POST", "/api/dashboards/db")
    def save(req: Req) -> Res:
        board = dict(req.json["dashboard"])
        version, uid = board.pop("version"), board["uid"]
        if version != rows[uid].rev and not req.json.get("overwrite"):
            said = "The dashboard has been changed by someone else"
            return Res(412, {"message": said, "status": "version-mismatch"})
        time.sleep(0.35)
        row = rows.keep(uid, board, req.who)
        return Res(200, {"uid": uid, "status": "success", "version": row.rev})

    @desk.on("GET", r"/api/dashboards/uid/(\w+)/versions")
    def versions(_req: Req, uid: str) -> Res:
        return Res(
            200,
            {
                "versions": [
                    {"version": r.rev, "created": iso(r.at), "createdBy": r.by}
                    for r in reversed(rows[uid].lineage)
                ]
            },
        )

    desk.page("/api/user", {"login": "leonie", "orgId": 1})
    desk.page("/api/ds/query", {"results": {"A": {"frames": []}}}, 200, "POST")
    return desk


@case(
    "d765",
    "ida-panel-dragged-and-renamed",
    "self-race",
    "412",
    alone="self-race",
    synthetic=True,
    description=(
        "A dashboard editor after the pattern of Grafana saves at each change: dragging a panel and renaming it sends two saves of "
        "the same version that overlap; the first is 200, the second 412 version-mismatch. The history knows only one user."
    ),
)
def panel(stage: Stage) -> None:
    """Send two saves of one version at once."""
    desk = _panel_desk()
    server = place.serve(stage, desk, "waitress", "Grafana")
    me = stage.actor("client", server, "grafana.wasser.test", "httpx", {"Authorization": "Bearer leonie"})
    place.look(me, "/api/user")
    for uid in ("pe2Pegel", "sg9Wehr"):
        board = me.get(f"/api/dashboards/uid/{uid}").json["dashboard"]
        place.post(me, "/api/ds/query", {"queries": [{"refId": "A"}], "from": "now-6h"})
        moved = {**board, "panels": [{**board["panels"][0], "x": 12}]}
        named = {**moved, "panels": [{**moved["panels"][0], "title": "Abfluss m³/s"}]}
        if uid == "pe2Pegel":
            done = place.post(me, "/api/dashboards/db", {"dashboard": moved, "message": ""}).json
            place.post(
                me, "/api/dashboards/db", {"dashboard": {**named, "version": done["version"]}, "message": ""}
            )
            continue
        sends = [
            partial(place.post, me, "/api/dashboards/db", {"dashboard": one, "message": ""}, status)
            for one, status in ((moved, 200), (named, 412))
        ]
        place.at_once(*sends, apart=0.12)
    place.look(me, "/api/dashboards/uid/sg9Wehr/versions")
    place.sure(me.get("/api/dashboards/uid/sg9Wehr").json["meta"]["updatedBy"] == "leonie")


def _runbook_desk() -> Any:
    rows = Rows(first=40)
    rows.seed("98311", {"title": "Failover", "value": "<p>1. Drain</p><p>2. Switch</p>"}, 300000, "jb")
    rows.seed("98340", {"title": "Backup", "value": "<p>Nightly.</p>"}, 300000, "jb")
    desk = Desk(X_Seraph_LoginReason="OK")

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        version = {"number": row.rev, "when": iso(row.at), "by": {"username": row.by}, "minorEdit": False}
        body = {"storage": {"value": row.data["value"], "representation": "storage"}}
        return {"id": key, "type": "page", "title": row.data["title"], "version": version, "body": body}

    @desk.on("GET PUT", r"/wiki/rest/api/content/(\d+)")
    def content(req: Req, key: str) -> Res:
        if req.method == "PUT":
            told = req.json
            if told["version"]["number"] != rows[key].rev + 1:
                said = f"Version must be incremented on update. Current version is: {rows[key].rev}"
                return Res(409, {"statusCode": 409, "message": said, "reason": "Conflict"})
            rows.keep(key, {"title": told["title"], "value": told["body"]["storage"]["value"]}, req.who)
        return Res(200, shown(key))

    desk.page("/wiki/rest/api/user/current", {"username": "ci-docs"})
    desk.page("/wiki/rest/api/space/OPS", {"key": "OPS", "name": "Operations"})
    return desk


@case(
    "d788",
    "ida-runbook-published-from-an-old-copy",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    synthetic=True,
    description=(
        "A publishing script on a wiki after the pattern of Confluence keeps the page as it read it in the morning, fetches the page "
        "again only for its version number, and writes number + 1 with its edit of the morning's text: 200. The warning that a "
        "colleague put in, as the second read shows, is gone."
    ),
)
def runbook(stage: Stage) -> None:
    """Take a fresh number for an old text."""
    desk = _runbook_desk()
    server = place.serve(stage, desk, "cheroot", "Confluence")
    me = stage.actor(
        "client",
        server,
        "wiki.betrieb.test",
        "requests",
        {"Authorization": "Bearer ci-docs", "User-Agent": "mdpublish/2.4"},
    )
    other = stage.actor("other", server, "wiki.betrieb.test", "httpx", {"Authorization": "Bearer norrington"})
    expand = "?expand=body.storage,version"
    place.look(me, "/wiki/rest/api/user/current", "/wiki/rest/api/space/OPS")
    morning = {key: me.get(f"/wiki/rest/api/content/{key}{expand}").json for key in ("98311", "98340")}
    theirs = other.get(f"/wiki/rest/api/content/98311{expand}").json
    text = "<p><strong>Never on Fridays!</strong></p>" + theirs["body"]["storage"]["value"]
    body = {"storage": {"value": text, "representation": "storage"}}
    other.put("/wiki/rest/api/content/98311", {**theirs, "version": {"number": 41}, "body": body}, 200)
    place.rest(0.9)
    for key, line in (("98340", "<p>Weekly: full.</p>"), ("98311", "<p>3. Verify</p>")):
        fresh = me.get(f"/wiki/rest/api/content/{key}{expand}").json
        text = morning[key]["body"]["storage"]["value"] + line
        told = {
            "id": key,
            "type": "page",
            "title": fresh["title"],
            "version": {"number": fresh["version"]["number"] + 1},
        }
        me.put(
            f"/wiki/rest/api/content/{key}",
            {**told, "body": {"storage": {"value": text, "representation": "storage"}}},
            200,
        )
        place.rest(0.2)
    place.sure("Fridays" not in me.get(f"/wiki/rest/api/content/98311{expand}").text)


@case(
    "d767",
    "ida-species-notes-patched-over",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "A botanical garden's service looks at If-Match on PUT only: a PATCH that carries an outdated tag is 200 and its list of "
        "sightings replaces the one that a ranger had lengthened, as the revisions show. A PUT with an outdated tag is 412."
    ),
)
def species(stage: Stage) -> None:
    """Trust a guard that is not looked at."""
    rows = Rows(first=6)
    for name in ("drosera", "pinguicula"):
        rows.seed(name, {"name": name, "bed": 4, "sightings": ["2026-05-02"]}, 88000, "import")
    desk = Desk()

    def mark(name: str) -> str:
        return f'"{digest([name, rows[name].rev], 10, "sha1")}.{rows[name].rev}"'

    @desk.on("GET PUT PATCH", r"/v2/species/(\w+)")
    def one(req: Req, name: str) -> Res:
        if req.method == "PUT" and req.fields.get("if-match") not in {None, mark(name)}:
            return Res(
                412,
                {"type": "about:blank", "title": "Outdated", "status": 412},
                {"Content-Type": "application/problem+json"},
            )
        if req.method != "GET":
            rows.keep(name, {**(rows[name].data if req.method == "PATCH" else {}), **req.json}, req.who)
        return Res(200, rows[name].data, {"ETag": mark(name)})

    @desk.on("GET", r"/v2/species/(\w+)/revisions")
    def revisions(_req: Req, name: str) -> Res:
        return Res(
            200, [{"rev": r.rev, "at": iso(r.at), "by": r.by, "state": r.data} for r in rows[name].lineage]
        )

    desk.page("/v2/beds", [{"bed": 4, "plants": 2}], ETag='"beds-12"')
    server = place.serve(stage, desk, "falcon")
    me = stage.actor("client", server, "flora.garten.test", "urllib", {"X-User": "herbarium"})
    other = stage.actor("other", server, "flora.garten.test", "curl:verbose", {"X-User": "ranger"})
    place.look(me, "/v2/beds")
    patch = {"Content-Type": "application/merge-patch+json"}
    seen = me.get("/v2/species/drosera")
    theirs = other.get("/v2/species/drosera")
    more = [*theirs.json["sightings"], "2026-11-20 (2 plants)"]
    other.put("/v2/species/drosera", {**theirs.json, "sightings": more}, 200, {"If-Match": theirs.etag})
    place.rest(0.7)
    mine = [*seen.json["sightings"], "2026-06-11"]
    me.send("PATCH", "/v2/species/drosera", 200, {**patch, "If-Match": seen.etag}, {"sightings": mine})
    me.get("/v2/species/drosera")
    place.sure(len(me.get("/v2/species/drosera/revisions").json) == 3)
    me.put("/v2/species/drosera", {**seen.json, "bed": 5}, 412, {"If-Match": seen.etag})
    place.look(me, "/v2/species/pinguicula", "/v2/beds")


@case(
    "d780",
    "ida-manifest-lines-of-two-workers",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race self-race",
    also="self-race",
    synthetic=True,
    description=(
        "Two workers of one loader append a line each to a manifest in a gateway after the pattern of S3 with the same If-Match; "
        "the puts overlap and both are 200, since the gateway compares first and stores later. One line is missing from the manifest. "
        "Later a put with an outdated tag, alone, is refused with 412."
    ),
)
def manifest(stage: Stage) -> None:
    """Pass a check twice."""
    rows = Rows()
    rows.seed("load/manifest.txt", "part-000\npart-001\n", 4000)
    desk = Desk("<Error><Code>NoSuchKey</Code></Error>", x_amz_request_id="17F3C0")

    @desk.on("GET PUT HEAD", r"/erntedaten/(load/.+)", free=True)
    def thing(req: Req, key: str) -> Res:
        row = rows.get(key)
        if req.method == "PUT":
            sent = req.fields.get("if-match")
            if sent and (row is None or sent != f'"{digest(row.data)}"'):
                said = "At least one of the pre-conditions you specified did not hold"
                xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>PreconditionFailed</Code><Message>{said}</Message><Condition>If-Match</Condition></Error>'
                return Res(412, xml, {"Content-Type": "application/xml"})
            time.sleep(0.4)
            row = rows.keep(key, req.body.decode(), "loader")
            return Res(200, b"", {"ETag": f'"{digest(row.data)}"'})
        if row is None:
            return Res(404, desk.missing, {"Content-Type": "application/xml"})
        return Res(
            200,
            row.data,
            {
                "ETag": f'"{digest(row.data)}"',
                "Last-Modified": http_date(row.at),
                "Content-Type": "text/plain",
            },
        )

    server = place.serve(stage, desk, "waitress", "S3 gateway")
    me = stage.actor("client", server, "s3.ernte.test", "requests", {"User-Agent": "loader/5 (workers=2)"})
    for part in ("002", "003"):
        me.put(f"/erntedaten/load/part-{part}", f"{part};wheat;7.1\n" * 4, 200)
    seen = me.get("/erntedaten/load/manifest.txt")
    got = place.at_once(
        *(
            lambda part=part: me.put(
                "/erntedaten/load/manifest.txt", f"{seen.text}part-{part}\n", 200, {"If-Match": seen.etag}
            )
            for part in ("002", "003")
        ),
        apart=0.15,
    )
    place.rest(0.3)
    now = me.get("/erntedaten/load/manifest.txt")
    place.sure("part-002" not in now.text and now.etag == got[1].etag)
    me.put("/erntedaten/load/manifest.txt", f"{seen.text}part-004\n", 412, {"If-Match": seen.etag})
    me.get("/erntedaten/load/manifest.txt")


@case(
    "d764",
    "ida-tram-signs-answer-false",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    synthetic=True,
    description=(
        "A sign controller writes keys with ?cas= to a store after the pattern of Consul. The operator's change came in between, so "
        "the put is 200 with the body false; the controller takes 200 for success, reports the text as shown, and the text "
        "read later is the operator's."
    ),
)
def signs(stage: Stage) -> None:
    """Take 200 for yes."""
    rows, level = Rows(), [90210]
    desk = Desk(X_Consul_Knownleader="true")

    def put(key: str, data: str) -> None:
        level[0] += 3
        rows.keep(key, {"text": data, "index": level[0], "flags": 0}, "x")

    for key in ("signs/platz/1", "signs/platz/2"):
        put(key, "Linie 4  3 min")

    @desk.on("GET PUT", r"/v1/kv/(signs/.+)")
    def kv(req: Req, key: str) -> Res:
        if req.method == "PUT":
            if "cas" in req.query and int(req.query["cas"]) != rows[key].data["index"]:
                return Res(200, "false\n", {"Content-Type": "application/json"})
            put(key, req.body.decode())
            return Res(200, "true\n", {"Content-Type": "application/json"})
        data = rows[key].data
        value = base64.b64encode(data["text"].encode()).decode()
        one = {
            "LockIndex": 0,
            "Key": key,
            "Flags": 0,
            "Value": value,
            "CreateIndex": 90213,
            "ModifyIndex": data["index"],
        }
        return Res(200, [one], {"X-Consul-Index": str(level[0])})

    desk.page("/v1/status/leader", "10.0.3.1:8300")
    desk.page("/v1/event/fire/sign-shown", {"ID": "b54f", "Name": "sign-shown"}, 200, "PUT")
    server = place.serve(stage, desk, "aiohttp", "Consul")
    me = stage.actor("client", server, "kv.tram.test", "java", {"User-Agent": "signctl/3"})
    other = stage.actor("other", server, "kv.tram.test", "curl:verbose")
    place.look(me, "/v1/status/leader")
    for number, text in ((2, "Linie 6  1 min"), (1, "Linie 4  sofort")):
        path = f"/v1/kv/signs/platz/{number}"
        index = me.get(path).json[0]["ModifyIndex"]
        if number == 1:
            place.rest(0.3)
            other.put(path, "Ersatzverkehr ab Ring", 200)
            place.rest(0.3)
        said = me.put(f"{path}?cas={index}", text, 200).text.strip()
        place.sure(said == ("false" if number == 1 else "true"))
        me.put("/v1/event/fire/sign-shown", {"sign": number, "text": text}, 200)
        place.rest(0.4)
    me.get("/v1/kv/signs/platz/2")
    me.get("/v1/kv/signs/platz/1")
