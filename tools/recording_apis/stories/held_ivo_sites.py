"""Documents of apps and pages, and what is lost there."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ivo_desk import Ask, Desk, Rows, Say, iso
from tools.recording_apis.stories import held_ivo_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_ROOT = "projects/brass-band/databases/(default)/documents"


def _firestore() -> Desk:
    desk = Desk({"Cache-Control": "private", "X-XSS-Protection": "0"})
    rows = Rows(
        {
            f"gigs/{n}": {"hall": {"stringValue": n}, "fee": {"integerValue": "300"}}
            for n in ("porto", "braga")
        }
    )

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        moment = iso(row.at, 6)
        return {
            "name": f"{_ROOT}/{key}",
            "fields": row.data,
            "createTime": "2026-10-01T09:00:00.102938Z",
            "updateTime": moment,
        }

    @desk.on("GET", r"/v1/projects/brass-band/databases/\(default\)/documents/(gigs(?:/[a-z]+)?)")
    def read(_ask: Ask, key: str) -> Say:
        if "/" not in key:
            return Say(200, {"documents": [shown(one) for one in sorted(rows)]})
        return (
            Say(200, shown(key)) if key in rows else Say(404, {"error": {"code": 404, "status": "NOT_FOUND"}})
        )

    @desk.on("PATCH", r"/v1/projects/brass-band/databases/\(default\)/documents/(gigs/[a-z]+)")
    def write(ask: Ask, key: str) -> Say:
        guard = ask.query.get("currentDocument.updateTime")
        there = ask.query.get("currentDocument.exists")
        if (guard and guard != shown(key)["updateTime"]) or (there == "false" and key in rows):
            status = {
                "code": 400,
                "message": "the stored version does not match the required base version",
                "status": "FAILED_PRECONDITION",
            }
            return Say(400, {"error": status})
        fields = ask.json["fields"]
        rows.keep(key, {**rows[key].data, **fields} if "updateMask.fieldPaths" in ask.query else fields)
        return Say(200, shown(key))

    return desk


@at.tell(
    "e565",
    "gig-saved-as-it-was-opened",
    "unconditional-write",
    "lost-update",
    "Firestore REST: a planner's page keeps a document open, a colleague adds the load-in time, and the page's PATCH of "
    "all fields goes without currentDocument: 200, and the colleague's field, listed before, is gone from the next list.",
)
def gig(stage: Stage) -> None:
    """Write back the whole."""
    server = at.opened(stage, _firestore(), "Firestore", "waitress")
    me = stage.actor(
        "client",
        server,
        "firestore.googleapis.test",
        "node:fetch",
        {"Authorization": "Bearer ya29", "X-Goog-Api-Client": "gl-js/ fire/11.0.2"},
    )
    other = stage.actor("other", server, "firestore.googleapis.test", "requests")
    base = f"/v1/{_ROOT}/gigs"
    at.look(me, f"{base}?pageSize=20")
    me.send(
        "PATCH",
        f"{base}/viseu?currentDocument.exists=false",
        200,
        None,
        {"fields": {"hall": {"stringValue": "viseu"}}},
    )
    for town in ("porto", "braga"):
        seen = me.get(f"{base}/{town}").json
        added = {"fields": {"loadIn": {"stringValue": "16:30"}}}
        other.send("PATCH", f"{base}/{town}?updateMask.fieldPaths=loadIn", 200, None, added)
        at.rest(0.5)
        listed = me.get(f"{base}?pageSize=20").json["documents"]
        at.sure(any("loadIn" in one["fields"] for one in listed))
        at.rest(0.3)
        body = {"fields": {**seen["fields"], "fee": {"integerValue": "350"}}}
        me.send("PATCH", f"{base}/{town}", 200, None, body)
    at.sure("loadIn" not in me.get(f"{base}?pageSize=20").text)


def _dataverse() -> Desk:
    desk = Desk({"OData-Version": "4.0", "x-ms-service-request-id": "2f6d3f34-8a3c"})
    rows = Rows(
        {
            f"7d577253-3ef0-4a0a-bb7f-8335c2596e7{n}": {"subject": f"Crate {n}", "statuscode": 1}
            for n in (0, 1, 2)
        }
    )
    start = 5530100

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        tag = f'W/"{start + int(row.rev) * 17 + int(key[-1])}"'
        more = {
            "_modifiedby_value": "5ac5-" + (row.by or "import"),
            "modifiedon": iso(row.at, 0),
            "versionnumber": int(tag[3:-1]),
        }
        return {
            "@odata.context": "https://crates.crm4.test/api/data/v9.2/$metadata#tasks/$entity",
            "@odata.etag": tag,
            **row.data,
            "activityid": key,
            **more,
        }

    @desk.on("GET", r"/api/data/v9\.2/tasks\(([0-9a-f-]+)\)")
    def read(_ask: Ask, key: str) -> Say:
        return Say(200, shown(key), {"ETag": shown(key)["@odata.etag"]})

    @desk.on("PATCH", r"/api/data/v9\.2/tasks\(([0-9a-f-]+)\)")
    def write(ask: Ask, key: str) -> Say:
        held = ask.field("if-match") in {"", "*", shown(key)["@odata.etag"]}
        if held:
            rows.keep(key, {**rows[key].data, **ask.json}, "jonas")
        if not held or "statuscode" in ask.json:
            told = "The version of the existing record doesn't match the RowVersion property provided."
            return Say(412, {"error": {"code": "0x80060882", "message": told}})
        return Say(204, None, {"OData-EntityId": f"tasks({key})", "ETag": shown(key)["@odata.etag"]})

    desk.shows("/api/data/v9.2/WhoAmI", {"UserId": "5ac5-jonas", "BusinessUnitId": "38e0"})
    desk.on("GET", r"/api/data/v9\.2/tasks")(lambda _ask: Say(200, {"value": [shown(key) for key in rows]}))
    return desk


@at.tell(
    "e582",
    "crate-is-done-nevertheless",
    "post-commit-412",
    "412",
    "Dataverse: completing a task with its fresh etag is told 412 0x80060882 at the first attempt, yet the record read at "
    "once has the client's own statuscode, its user and a new etag; other changes answer 204.",
)
def crate(stage: Stage) -> None:
    """Be refused and obeyed."""
    server = at.opened(stage, _dataverse(), "Dataverse", "tornado")
    me = stage.actor(
        "client",
        server,
        "crates.crm4.dynamics.test",
        "curl",
        {"OData-Version": "4.0", "Accept": "application/json"},
    )
    base = "/api/data/v9.2"
    at.look(me, f"{base}/WhoAmI", f"{base}/tasks?$select=subject,statuscode")
    for number in (0, 2):
        target = f"{base}/tasks(7d577253-3ef0-4a0a-bb7f-8335c2596e7{number})"
        seen = me.get(target)
        done = me.send("PATCH", target, 204, {"If-Match": seen.etag}, {"subject": f"Crate {number}, dock B"})
        at.rest(0.3)
        body = {"statuscode": 5, "actualend": iso(time.time(), 0)}
        me.send("PATCH", target, 412, {"If-Match": done.etag}, body)
        now = me.get(target)
        at.sure(now.json["statuscode"] == 5 and now.etag != done.etag)
        at.rest(0.3)
    at.look(me, f"{base}/tasks?$select=subject,statuscode")


def _storage() -> Desk:
    desk = Desk({"Access-Control-Allow-Origin": "https://notes.unhosted.test", "Vary": "Origin"})
    rows = Rows({one: {"title": one, "lines": ["first"]} for one in ("garden", "boat")})

    def tag(key: str) -> str:
        return '"' + hashlib.md5(repr((key, rows[key])).encode()).hexdigest() + '"'  # noqa: S324

    @desk.on("OPTIONS", "/storage/edda/.+")
    def before(_ask: Ask) -> Say:
        allowed = "Authorization, Content-Type, If-Match, If-None-Match, Origin"
        head = {
            "Access-Control-Allow-Headers": allowed,
            "Access-Control-Allow-Methods": "GET, HEAD, PUT, DELETE, OPTIONS",
        }
        return Say(204, None, {**head, "Access-Control-Max-Age": "600"})

    @desk.on("GET", "/storage/edda/notes/([a-z]+)")
    def read(_ask: Ask, key: str) -> Say:
        return Say(200, rows[key].data, {"ETag": tag(key), "Cache-Control": "no-cache"})

    @desk.on("PUT", "/storage/edda/notes/([a-z]+)")
    def write(ask: Ask, key: str) -> Say:
        if ask.field("if-match") not in {"", tag(key)}:
            return Say(412)
        rows.keep(key, ask.json)
        return Say(200, None, {"ETag": tag(key)})

    desk.shows(
        "/.well-known/webfinger",
        {
            "links": [
                {
                    "rel": "http://tools.ietf.org/id/draft-dejong-remotestorage",
                    "href": "https://storage.edda.test/storage/edda",
                }
            ]
        },
    )
    return desk


@at.tell(
    "e587",
    "notes-in-the-browser",
    "cors-hidden-etag",
    "lost-update",
    "remoteStorage from a page of another origin: the server permits If-Match in preflights and sends an ETag with each "
    "answer but exposes no field to the script, so the page's PUTs are bare and a line written on the phone disappears.",
)
def notes(stage: Stage) -> None:
    """Never see the tag."""
    server = at.opened(stage, _storage(), "remoteStorage", "uvicorn")
    page = {
        "Origin": "https://notes.unhosted.test",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Site": "cross-site",
    }
    me = stage.actor("client", server, "storage.edda.test", "requests", page)
    phone = stage.actor("other", server, "storage.edda.test", "java", {"Authorization": "Bearer 77"})
    token, base = {"Authorization": "Bearer 5e"}, "/storage/edda/notes"
    at.look(me, "/.well-known/webfinger?resource=acct:edda@edda.test")
    for key in ("garden", "boat"):
        wants = {"Access-Control-Request-Headers": "authorization", "Access-Control-Request-Method": "GET"}
        me.send("OPTIONS", f"{base}/{key}", 204, wants)
        seen = me.get(f"{base}/{key}", 200, token)
        theirs = phone.get(f"{base}/{key}")
        phone.put(
            f"{base}/{key}",
            {**theirs.json, "lines": ["first", "from the phone"]},
            200,
            {"If-Match": theirs.etag},
        )
        at.rest(0.7)
        wants = {
            "Access-Control-Request-Headers": "authorization,content-type",
            "Access-Control-Request-Method": "PUT",
        }
        me.send("OPTIONS", f"{base}/{key}", 204, wants)
        me.put(f"{base}/{key}", {**seen.json, "lines": ["first", "at the desk"]}, 200, token)
        at.sure("phone" not in me.get(f"{base}/{key}", 200, token).text)
