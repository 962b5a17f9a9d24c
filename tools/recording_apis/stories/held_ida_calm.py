"""A browser, a contest that is meant, and days without trouble."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ida_wire import Desk, Req, Res, Rows, digest, http_date, iso
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ida_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _ownerships(rows: Rows) -> Desk:
    desk = Desk(x_ms_version="2021-12-02")
    base = r"/checkpoints/eh/strom/\$default/(ownership|checkpoint)/(\d)"

    def mark(key: str) -> str:
        return f'"0x8DD{digest([key, rows[key].rev], 12).upper()}"'

    @desk.on("PUT", base)
    def put(req: Req, kind: str, number: str) -> Res:
        key = f"{kind}/{number}"
        sent, none = req.fields.get("if-match"), req.fields.get("if-none-match")
        if (sent and (key not in rows or sent != mark(key))) or (none == "*" and key in rows):
            xml = '<?xml version="1.0"?><Error><Code>ConditionNotMet</Code><Message>The condition specified using HTTP conditional header(s) is not met.</Message></Error>'
            return Res(412, xml, {"x-ms-error-code": "ConditionNotMet", "Content-Type": "application/xml"})
        rows.keep(key, {k[10:]: v for k, v in req.fields.items() if k.startswith("x-ms-meta-")}, "x")
        return Res(
            200 if req.query.get("comp") else 201,
            b"",
            {"ETag": mark(key), "Last-Modified": http_date(rows[key].at)},
        )

    @desk.on("GET", "/checkpoints")
    def listing(req: Req) -> Res:
        below = req.query["prefix"].rpartition("/")[2]
        inner = "".join(
            f"<Blob><Name>eh/strom/$default/{key}</Name><Properties><Etag>{mark(key)[1:-1]}</Etag><Last-Modified>{http_date(row.at)}</Last-Modified></Properties><Metadata>"
            + "".join(f"<{k}>{v}</{k}>" for k, v in row.data.items())
            + "</Metadata></Blob>"
            for key, row in sorted(rows.rows.items())
            if key.startswith(below)
        )
        return Res(
            200,
            f'<?xml version="1.0"?><EnumerationResults><Blobs>{inner}</Blobs></EnumerationResults>',
            {"Content-Type": "application/xml"},
        )

    return desk


@case(
    "d774",
    "ida-partitions-claimed-in-turns",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    synthetic=True,
    description=(
        "Two event processors share out four partitions by conditional puts on ownership blobs, round after round. Each round somebody loses a claim "
        "with 412, goes on to the next partition, renews its own and writes its checkpoints; nothing fails that anybody notices."
    ),
)
def partitions(stage: Stage) -> None:
    """Lose a claim and go on."""
    rows = Rows()
    for number in range(4):
        rows.seed(f"ownership/{number}", {"ownerid": ""}, 4000)
        rows.seed(f"checkpoint/{number}", {"offset": "0", "sequencenumber": "0"}, 4000)
    server = place.serve(stage, _ownerships(rows), "waitress", "Azure Blob Storage")
    agent = {"x-ms-version": "2021-12-02", "User-Agent": "azsdk-python-eventhub-checkpointstoreblob/1.1.4"}
    me = stage.actor("client", server, "strom.blob.test", "requests", agent)
    other = stage.actor("other", server, "strom.blob.test", "httpx", agent)
    base, query = (
        "/checkpoints/eh/strom/$default",
        "/checkpoints?restype=container&comp=list&include=metadata&prefix=eh/strom/$default/ownership",
    )

    def tags(who: Any) -> list[str]:
        return [part.split("</Etag>")[0] for part in who.get(query).text.split("<Etag>")[1:]]

    def claim(who: Any, name: str, number: int, tag: str, status: int = 200) -> None:
        fields = {"If-Match": f'"{tag}"', "x-ms-meta-ownerid": name}
        who.put(f"{base}/ownership/{number}?comp=metadata", b"", status, fields)

    mine: set[int] = set()
    for lost, won in ((0, 1), (2, 3), (0, 1), (2, 3)):
        seen, theirs = tags(me), tags(other)
        claim(other, "proc-b", lost, theirs[lost])
        claim(me, "proc-a", lost, seen[lost], 412)
        claim(me, "proc-a", won, seen[won])
        mine.add(won)
        for number in sorted(mine):
            fields = {
                "x-ms-meta-offset": str(int(time.time() * 10) % 99991),
                "x-ms-meta-sequencenumber": str(number),
            }
            me.put(f"{base}/checkpoint/{number}?comp=metadata", b"", 200, fields)
        place.rest(0.8)
    tags(me)


def _choir_desk() -> Any:
    rows, log = Rows(first=5), []
    for key in ("kyrie", "gloria"):
        rows.seed(key, {"satz": key, "atem": [], "sopran": "f", "bass": "mf"}, 60000)
    desk = Desk(Access_Control_Allow_Origin="https://app.kantorei.test", Vary="Origin")

    @desk.on("OPTIONS", "/sheets/.*")
    def preflight(_req: Req) -> Res:
        allowed = {
            "Access-Control-Allow-Methods": "GET, PUT",
            "Access-Control-Allow-Headers": "content-type, if-match, x-user",
            "Access-Control-Max-Age": "5",
        }
        return Res(204, b"", allowed)

    @desk.on("GET PUT", r"/sheets/(\w+)")
    def sheet(req: Req, key: str) -> Res:
        mark = f'"{digest([key, rows[key].rev], 11)}"'
        if req.method == "PUT":
            if req.fields.get("if-match") not in {None, mark}:
                return Res(412, {"error": "changed meanwhile"})
            rows.keep(key, req.json, req.who)
            log.append({"sheet": key, "by": req.who, "at": iso(time.time()), "now": rows[key].data})
        return Res(
            200,
            rows[key].data,
            {"ETag": f'"{digest([key, rows[key].rev], 11)}"', "Cache-Control": "no-cache"},
        )

    @desk.on("GET", "/log")
    def logged(_req: Req) -> Res:
        return Res(200, list(log))

    desk.page("/sheets", ["gloria", "kyrie"])
    return desk


@case(
    "d775",
    "ida-choir-scores-edited-in-the-page",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag unconditional-write",
    also="unconditional-write",
    description=(
        "A choir's page on another origin reads sheets whose answers have an ETag but no Access-Control-Expose-Headers, so its script, which would "
        "send If-Match when it could read a tag, saves without: 200, and the conductor's breath marks, set in the native app with If-Match, are gone. "
        "The preflight allows if-match. The sheet's log tells of both."
    ),
)
def choir(stage: Stage) -> None:
    """Have a tag that the script cannot see."""
    desk = _choir_desk()
    server = place.serve(stage, desk, "starlette")
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"
    page = {
        "User-Agent": agent,
        "Origin": "https://app.kantorei.test",
        "Referer": "https://app.kantorei.test/",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Site": "same-site",
    }
    me = stage.actor("client", server, "noten.kantorei.test", "httpx", page)
    other = stage.actor(
        "other",
        server,
        "noten.kantorei.test",
        "java",
        {"X-User": "kantor", "User-Agent": "Notenpult/3 (Android 15)"},
    )

    def ask(key: str) -> None:
        me.send(
            "OPTIONS",
            f"/sheets/{key}",
            204,
            {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type,x-user"},
        )

    me.get("/sheets")
    held = {key: me.get(f"/sheets/{key}").json for key in ("gloria", "kyrie")}
    theirs = other.get("/sheets/kyrie")
    other.put("/sheets/kyrie", {**theirs.json, "atem": [12, 19, 31]}, 200, {"If-Match": theirs.etag})
    place.rest(0.7)
    for key, seen in held.items():
        ask(key)
        me.put(f"/sheets/{key}", {**seen, "bass": "f"}, 200, {"X-User": "bassist"})
        place.rest(0.3)
    place.sure(me.get("/sheets/kyrie").json["atem"] == [])
    me.get("/log")


@case(
    "d756",
    "ida-bios-settings-when-there-is-time",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A fleet tool sets BIOS attributes over an API after the pattern of Redfish with If-Match; the controller is busy and says 503 with Retry-After "
        "before it does anything; the tool waits, sees the same tag, sends the same again, and it is 200. Every tag was the newest."
    ),
)
def bios(stage: Stage) -> None:
    """Try again after a 503."""
    rows, busy = Rows(first=2), {"2": 2}
    for key in ("1", "2", "3"):
        rows.seed(key, {"Attributes": {"BootMode": "Uefi", "Turbo": "Enabled"}}, 600000)
    desk = Desk(OData_Version="4.0")

    @desk.on("GET PATCH", r"/redfish/v1/Systems/(\d)/Bios/Settings")
    def settings(req: Req, key: str) -> Res:
        mark = f'"{digest([key, rows[key].rev], 8)}"'
        if req.method == "PATCH":
            if busy.get(key):
                busy[key] -= 1
                error = {
                    "code": "Base.1.18.ServiceTemporarilyUnavailable",
                    "message": "The service is temporarily unavailable. Retry in 1 seconds.",
                }
                return Res(503, {"error": error}, {"Retry-After": "1"})
            if req.fields.get("if-match") != mark:
                return Res(412, {"error": {"code": "Base.1.18.PreconditionFailed"}})
            rows.keep(
                key, {"Attributes": {**rows[key].data["Attributes"], **req.json["Attributes"]}}, "fleet"
            )
            mark = f'"{digest([key, rows[key].rev], 8)}"'
        return Res(200, {"@odata.id": req.path, "@odata.etag": mark, **rows[key].data}, {"ETag": mark})

    desk.page("/redfish/v1/", {"RedfishVersion": "1.20.0"})
    desk.page("/redfish/v1/SessionService/Sessions", {"Id": "s1"}, 201, "POST", X_Auth_Token="t-99")  # noqa: S106 - no secret
    server = place.serve(stage, desk, "tornado", "Redfish")
    me = stage.actor("client", server, "bmc.rechenzentrum.test", "aiohttp", {"User-Agent": "fleet/2.1"})
    place.look(me, "/redfish/v1/")
    place.post(me, "/redfish/v1/SessionService/Sessions", {"UserName": "fleet"}, 201)
    for key in ("1", "2", "3"):
        path = f"/redfish/v1/Systems/{key}/Bios/Settings"
        seen, body = me.get(path), {"Attributes": {"Turbo": "Disabled"}}
        fields = {"If-Match": seen.etag}
        for status in (503, 503, 200) if key == "2" else (200,):
            me.send("PATCH", path, status, fields, body)
            if status == 503:
                place.rest(1.0)
                me.get(path, 200)
        place.sure(me.get(path).json["Attributes"]["Turbo"] == "Disabled")


def _foremen_desk() -> Any:
    rows = Rows(first=0)
    for key in ("5120", "5121"):
        rows.seed(
            key,
            {"subject": "Pumpe 3 tropft", "notes": [], "done_ratio": 0, "status": "Neu"},
            40000,
            "leitstelle",
        )
    desk = Desk()

    @desk.on("GET PUT", r"/issues/(\d+)\.json")
    def issue(req: Req, key: str) -> Res:
        if req.method == "PUT":
            told = dict(req.json["issue"])
            if int(told.pop("lock_version")) != rows[key].rev:
                return Res(409, {"errors": ["Das Ticket wurde inzwischen geändert"]})
            rows.keep(key, {**rows[key].data, **told}, req.who)
        row = rows[key]
        return Res(
            200,
            {
                "issue": {
                    "id": int(key),
                    **row.data,
                    "lock_version": row.rev,
                    "updated_on": iso(row.at, 0),
                    "updated_by": row.by,
                }
            },
        )

    desk.page("/issues.json", {"issues": [{"id": 5120}, {"id": 5121}], "total_count": 2})
    desk.page("/users/current.json", {"user": {"id": 8}})
    return desk


@case(
    "d796",
    "ida-two-foremen-on-one-ticket",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "Two foremen work on tickets with lock_version (after the pattern of Redmine), in turns: each reads the ticket before the edit, keeps what the other has "
        "written, and sends the version just read. All is 200 and all changes are in the journal and in the ticket."
    ),
)
def foremen(stage: Stage) -> None:
    """Take turns."""
    desk = _foremen_desk()
    server = place.serve(stage, desk, "falcon", "Redmine")
    me = stage.actor("client", server, "tickets.wasserwerk.test", "node:fetch", {"X-User": "meister-ost"})
    other = stage.actor("other", server, "tickets.wasserwerk.test", "requests", {"X-User": "meister-west"})
    place.look(me, "/users/current.json", "/issues.json?status_id=open")
    for step in range(3):
        for who, name, ratio in ((me, "Ost", 20), (other, "West", 30)):
            seen = who.get("/issues/5120.json").json["issue"]
            notes = [*seen["notes"], f"{name}: Schritt {step + 1}"]
            who.put(
                "/issues/5120.json",
                {
                    "issue": {
                        "notes": notes,
                        "done_ratio": step * 30 + ratio,
                        "lock_version": seen["lock_version"],
                    }
                },
                200,
            )
            place.rest(0.3)
        place.look(me, "/issues.json?status_id=open", "/issues/5121.json")
    place.sure(len(me.get("/issues/5120.json").json["issue"]["notes"]) == 6)


def _snapshot_desk() -> Any:
    rows, desk = Rows(first=1732753881004411, step=1), Desk()
    meta: dict[str, int] = {}
    born = [1732753881004411]

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        return {
            "kind": "storage#object",
            "name": key,
            "generation": str(row.rev),
            "metageneration": str(meta[key]),
            "size": str(len(row.data)),
            "updated": iso(row.at),
        }

    def refused() -> Res:
        said = "At least one of the pre-conditions you specified did not hold."
        errors = [{"reason": "conditionNotMet", "message": said}]
        return Res(412, {"error": {"code": 412, "message": said, "errors": errors}})

    @desk.on("POST", "/upload/storage/v1/b/sicherung/o")
    def upload(req: Req) -> Res:
        key, want = req.query["name"], req.query.get("ifGenerationMatch")
        if want is not None and want != (str(rows[key].rev) if key in rows else "0"):
            return refused()
        born[0] += 7341009
        rows.first, rows.step, meta[key] = born[0], 991, 1
        rows.keep(key, req.body.decode(), "backup")
        return Res(200, shown(key))

    @desk.on("GET PATCH DELETE", "/storage/v1/b/sicherung/o/(.+)")
    def thing(req: Req, key: str) -> Res:
        if key not in rows:
            return Res(404, {"error": {"code": 404, "message": f"No such object: sicherung/{key}"}})
        own = str(rows[key].rev)
        if req.query.get("ifGenerationNotMatch") == own:
            return Res(304)
        if req.query.get("ifGenerationMatch", own) != own or req.query.get(
            "ifMetagenerationMatch", str(meta[key])
        ) != str(meta[key]):
            return refused()
        if req.method == "DELETE":
            rows.drop(key)
            return Res(204)
        meta[key] += req.method == "PATCH"
        return Res(200, shown(key))

    return desk


@case(
    "d779",
    "ida-snapshot-made-dropped-made-again",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A backup job creates a snapshot with ifGenerationMatch=0, changes its metadata, polls it with ifGenerationNotMatch (304), deletes its very generation, finds "
        "404 and creates it anew under another generation: all as it should be in a store after the pattern of Google Cloud Storage."
    ),
)
def snapshot(stage: Stage) -> None:
    """Come and go with generations."""
    desk = _snapshot_desk()

    server = place.serve(stage, desk, "aiohttp", "Google Cloud Storage")
    me = stage.actor(
        "client", server, "storage.sicherung.test", "curl:verbose", {"User-Agent": "snap/1.0 gl-go"}
    )
    path, new = (
        "/storage/v1/b/sicherung/o/nas%2Fsnap.idx",
        "/upload/storage/v1/b/sicherung/o?uploadType=media&name=nas/snap.idx",
    )
    seen: list[str] = []
    for take in range(2):
        me.get(path, 404)
        made = place.post(
            me, f"{new}&ifGenerationMatch=0", f"idx take {take}\n" * 9, 200, {"Content-Type": "text/plain"}
        ).json
        seen.append(made["generation"])
        me.send("PATCH", f"{path}?ifMetagenerationMatch=1", 200, None, {"metadata": {"keep": "7d"}})
        for _ in range(2):
            me.get(f"{path}?ifGenerationNotMatch={made['generation']}", 304)
            place.rest(0.3)
        if not take:
            again = place.post(
                me,
                f"{new}&ifGenerationMatch={made['generation']}",
                "idx grown\n" * 12,
                200,
                {"Content-Type": "text/plain"},
            ).json
            me.get(f"{path}?ifGenerationNotMatch={made['generation']}", 200)
            me.send("DELETE", f"{path}?ifGenerationMatch={again['generation']}", 204)
            place.rest(0.4)
    place.sure(len(set(seen)) == 2)
