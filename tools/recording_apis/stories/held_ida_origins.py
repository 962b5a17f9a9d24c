"""Services with ways of their own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ida_wire import Desk, Req, Res, Rows, digest, http_date, iso, seconds
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ida_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d766",
    "ida-vacancies-never-the-same-twice",
    "unstable-etag",
    "never-304",
    alone="unstable-etag",
    description=(
        "A job board's feed hashes the whole rendered answer, in which a trace id and the moment of rendering change with every request: the tag is "
        "another each time, so an aggregator that polls with If-None-Match gets 200 always and reports the same vacancies as "
        "changed again and again, which its own log of duplicates shows. updated and the vacancies stay the same."
    ),
)
def vacancies(stage: Stage) -> None:
    """Poll what never matches."""
    jobs = [
        {"ref": f"J-{n}", "title": ("Pflegekraft", "Logopädin", "Hebamme")[n % 3], "rev": 4 + n}
        for n in range(6)
    ]
    counted, desk = [0], Desk(Cache_Control="no-cache")

    @desk.on("GET", "/feed/v1/vacancies")
    def feed(req: Req) -> Res:
        counted[0] += 1
        body = {
            "trace": digest(str(time.time_ns()), 16),
            "rendered": iso(time.time()),
            "updated": "2026-11-26T17:03:00Z",
            "vacancies": jobs,
        }
        mark = f'"{digest(body, 27, "sha1")}"'
        return (
            Res(304, b"", {"ETag": mark})
            if req.fields.get("if-none-match") == mark
            else Res(200, body, {"ETag": mark})
        )

    @desk.on("POST", "/hooks/changed")
    def changed(req: Req) -> Res:
        return Res(
            202,
            {"accepted": len(req.json["refs"]), "duplicates": len(req.json["refs"]) if counted[0] > 1 else 0},
        )

    desk.page("/feed/v1/regions", [{"id": "nord"}, {"id": "süd"}], ETag='"reg-7"')
    server = place.serve(stage, desk, "starlette")
    me = stage.actor("client", server, "stellen.klinik.test", "node:fetch", {"User-Agent": "aggregator/6"})
    place.again(me, "/feed/v1/regions")
    known: dict[str, str] = {}
    for _ in range(4):
        got = me.get("/feed/v1/vacancies", 200, known)
        known = {"If-None-Match": got.etag}
        place.post(me, "/hooks/changed", {"refs": [job["ref"] for job in got.json["vacancies"]]}, 202)
        place.rest(0.5)
    pair = [me.get("/feed/v1/vacancies") for _ in range(2)]
    place.sure(pair[0].etag != pair[1].etag and pair[0].json["vacancies"] == pair[1].json["vacancies"])


def _multistatus(path: str, mark: str, moment: float) -> str:
    inner = (
        f"<d:getetag>&quot;{mark}&quot;</d:getetag><d:getlastmodified>{http_date(moment)}</d:getlastmodified>"
    )
    head = (
        '<?xml version="1.0"?>\n<d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:response>'
    )
    return f"{head}<d:href>{path}</d:href><d:propstat><d:prop>{inner}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"


def _minutes_desk() -> Any:
    rows = Rows()
    for name in ("protokoll.md", "agenda.md"):
        rows.seed(name, f"# {name}\nBeginn 19:30\n", 7700)
    desk = Desk("<?xml version='1.0'?><d:error xmlns:d='DAV:'/>")

    def mark(name: str) -> str:
        return digest([name, rows[name].rev, rows[name].data])

    @desk.on("GET HEAD PUT PROPFIND", r"/remote\.php/dav/files/verein/([\w.]+)")
    def file(req: Req, name: str) -> Res:
        if req.method == "PROPFIND":
            return Res(
                207,
                _multistatus(req.path, mark(name), rows[name].at),
                {"Content-Type": "application/xml; charset=utf-8", "DAV": "1, 3"},
            )
        if req.method == "PUT":
            sent = req.fields.get("if-match")
            if sent and sent.strip('"') != mark(name):
                said = "An If-Match header was specified, but none of the specified ETags matched."
                xml = f'<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>Sabre\\DAV\\Exception\\PreconditionFailed</s:exception><s:message>{said}</s:message><s:header>If-Match</s:header></d:error>'
                return Res(412, xml, {"Content-Type": "application/xml; charset=utf-8"})
            rows.keep(name, req.body.decode(), "schrift")
            return Res(204, b"", {"OC-ETag": f'"{mark(name)}"', "ETag": f'"{mark(name)}"'})
        row = rows[name]
        return Res(
            200,
            row.data,
            {
                "ETag": f'"{int(row.at):x}-{len(row.data.encode()):x}"',
                "Last-Modified": http_date(row.at),
                "Content-Type": "text/markdown",
            },
        )

    desk.page("/status.php", {"installed": True, "version": "30.0.2.1"})
    return desk


@case(
    "d751",
    "ida-minutes-file-with-two-kinds-of-tag",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    synthetic=True,
    description=(
        "A file share after the pattern of SabreDAV hands downloads over to the file server's own code, which makes the tag of time and size; "
        "PUT compares with the database's getetag, 32 hex digits. If-Match with the tag of GET is 412, also right after a new GET; with that of "
        "PROPFIND the same file passes."
    ),
)
def minutes(stage: Stage) -> None:
    """Take the tag from the other path."""
    desk = _minutes_desk()
    server = place.serve(stage, desk, "waitress", "SabreDAV")
    me = stage.actor("client", server, "wolke.verein.test", "requests", {"User-Agent": "notes-sync/0.7"})
    place.look(me, "/status.php")
    base, ask = "/remote.php/dav/files/verein", {"Depth": "0"}
    for _ in range(2):
        seen = me.get(f"{base}/protokoll.md")
        me.put(f"{base}/protokoll.md", f"{seen.text}- Kasse geprüft\n", 412, {"If-Match": seen.etag})
        place.rest(0.4)
    for name in ("agenda.md", "protokoll.md"):
        found = me.send("PROPFIND", f"{base}/{name}", 207, ask).text
        tag = found.split("&quot;")[1]
        text = me.get(f"{base}/{name}").text
        me.put(f"{base}/{name}", f"{text}- Verschiedenes\n", 204, {"If-Match": f'"{tag}"'})


@case(
    "d776",
    "ida-members-with-scim-versions",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    synthetic=True,
    description=(
        "A directory after the pattern of SCIM gives every user the weak version W/ (meta.version and ETag, also for identity reads and in the "
        "answers to writes) and compares If-Match strongly: the provisioning tool's PUT with the newest one is 412 for each user, right "
        "after the read; without If-Match it passes."
    ),
)
def members(stage: Stage) -> None:
    """Send the only tag there is."""
    rows = Rows(first=2)
    for key in ("2819c223", "90af1e02"):
        rows.seed(key, {"userName": f"{key[:4]}@feuerwehr.test", "active": True, "title": "Anwärter"})
    desk = Desk()

    def user(key: str) -> Res:
        row = rows[key]
        mark = f'W/"{digest([key, row.rev], 18)}"'
        meta = {"resourceType": "User", "lastModified": iso(row.at), "version": mark}
        schema = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}
        return Res(
            200,
            {**schema, "id": key, **row.data, "meta": meta},
            {"ETag": mark, "Content-Type": "application/scim+json"},
        )

    @desk.on("GET PUT", r"/scim/v2/Users/(\w+)")
    def one(req: Req, key: str) -> Res:
        sent = req.fields.get("if-match")
        if req.method == "PUT" and sent is not None:
            own = user(key).fields["ETag"]
            if own.startswith("W/") or sent != own:
                error = {
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
                    "status": "412",
                    "detail": "Failed to update. Resource changed on the server.",
                }
                return Res(412, error, {"Content-Type": "application/scim+json"})
        if req.method == "PUT":
            rows.keep(key, {k: v for k, v in req.json.items() if k not in {"id", "schemas", "meta"}}, "idm")
        return user(key)

    desk.page("/scim/v2/ServiceProviderConfig", {"etag": {"supported": True}, "patch": {"supported": False}})
    server = place.serve(stage, desk, "bottle", "SCIM")
    me = stage.actor("client", server, "idm.feuerwehr.test", "java", {"Accept": "application/scim+json"})
    place.look(me, "/scim/v2/ServiceProviderConfig")
    for key in ("2819c223", "90af1e02"):
        seen = me.get(f"/scim/v2/Users/{key}", 200, {"Accept-Encoding": "identity"})
        body = {**seen.json, "title": "Truppführer"}
        me.put(f"/scim/v2/Users/{key}", body, 412, {"If-Match": seen.etag})
        place.sure(me.get(f"/scim/v2/Users/{key}").etag == seen.etag)
        place.rest(0.3)
    me.put(f"/scim/v2/Users/{key}", body, 200)
    me.get(f"/scim/v2/Users/{key}")


def _rehearsal_desk() -> Any:
    rows = Rows(first=5)
    for uid in ("probe-31", "probe-32"):
        rows.seed(uid, {"uid": uid, "summary": "Hauptprobe", "dtstart": "20261204T180000Z"}, 250000)
    desk = Desk(Vary="Accept")

    def shown(uid: str, media: str) -> Res:
        data = rows[uid].data
        body: Any = (
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n"
            + "".join(f"{k.upper()}:{v}\r\n" for k, v in data.items())
            + "END:VEVENT\r\nEND:VCALENDAR\r\n"
        )
        if "json" in media:
            body = [
                "vcalendar",
                [["version", {}, "text", "2.0"]],
                [["vevent", [[k, {}, "text", v] for k, v in data.items()], []]],
            ]
        return Res(200, body, {"ETag": f'"{digest([uid, rows[uid].rev, body], 20)}"', "Content-Type": media})

    @desk.on("GET PUT", r"/cal/buehne/([\w-]+)\.ics")
    def event(req: Req, uid: str) -> Res:
        media = (
            "application/calendar+json"
            if "json" in req.fields.get("accept", "")
            else "text/calendar; charset=utf-8"
        )
        if req.method == "PUT":
            own = shown(uid, req.fields["content-type"])
            if req.fields.get("if-match") not in {None, own.fields["ETag"]}:
                return Res(
                    412,
                    "Das Ereignis hat einen anderen Stand.",
                    {"Content-Type": "text/plain; charset=utf-8"},
                )
            lines = dict(
                line.split(":", 1)
                for line in req.body.decode().split("\r\n")
                if line.count(":") and "V" not in line[:1] and not line.startswith(("BEGIN", "END"))
            )
            rows.keep(uid, {k.lower(): v for k, v in lines.items()}, "regie")
            return Res(204, b"", {"ETag": shown(uid, req.fields["content-type"]).fields["ETag"]})
        return shown(uid, media)

    desk.page("/cal/buehne/", {"events": ["probe-31.ics", "probe-32.ics"]})
    return desk


@case(
    "d769",
    "ida-rehearsal-read-as-jcal",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A calendar service has tags of each format. A theatre's client reads a rehearsal as jCal (application/calendar+json), and writes it as "
        "text/calendar with that tag: 412. Read as text/calendar, the event has another tag, with which the same change "
        "passes; read as jCal again, nothing but the client's own change is new."
    ),
)
def rehearsal(stage: Stage) -> None:
    """Read one format and write the other."""
    desk = _rehearsal_desk()
    server = place.serve(stage, desk, "cheroot")
    me = stage.actor("client", server, "kalender.theater.test", "httpx", {"User-Agent": "probenplan/1.2"})
    place.look(me, "/cal/buehne/")
    text, jcal = {"Content-Type": "text/calendar; charset=utf-8"}, {"Accept": "application/calendar+json"}
    path = "/cal/buehne/probe-31.ics"
    for _ in range(2):
        data = {p[0]: p[3] for p in me.get(path, 200, jcal).json[2][0][1]}
        tag = me.get(path, 200, jcal).etag
        ics = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:{data['uid']}\r\nSUMMARY:Generalprobe\r\nDTSTART:{data['dtstart']}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        me.put(path, ics, 412, {**text, "If-Match": tag})
        place.rest(0.4)
    plain = me.get(path, 200, {"Accept": "text/calendar"})
    me.put(path, ics, 204, {**text, "If-Match": plain.etag})
    me.get(path, 200, jcal)


def _scan_desk() -> Any:
    rows, marked = Rows(), set()
    rows.seed("2026/akte-77.tif", "II*..scan 1", 900000)
    missing = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{}</Code><Key>{}</Key></Error>'
    desk = Desk(x_amz_request_id="0A49CE4060975EAC")

    @desk.on("GET HEAD PUT DELETE", r"/archiv/(\d+/[\w.-]+)")
    def thing(req: Req, key: str) -> Res:
        xml = {"Content-Type": "application/xml"}
        if req.method == "DELETE":
            marked.add(key)
            return Res(204, b"", {"x-amz-delete-marker": "true", "x-amz-version-id": digest([key, "dm"], 24)})
        if req.method == "PUT":
            if req.fields.get("if-none-match") == "*" and key in rows:
                return Res(412, missing.format("PreconditionFailed", key), xml)
            marked.discard(key)
            row = rows.keep(key, req.body.decode(), "scanner")
            return Res(
                200, b"", {"ETag": f'"{digest(row.data)}"', "x-amz-version-id": digest([key, row.rev], 24)}
            )
        if key not in rows or key in marked:
            return Res(
                404,
                missing.format("NoSuchKey", key),
                {**xml, **({"x-amz-delete-marker": "true"} if key in marked else {})},
            )
        return Res(
            200,
            rows[key].data,
            {
                "ETag": f'"{digest(rows[key].data)}"',
                "Last-Modified": http_date(rows[key].at),
                "x-amz-version-id": digest([key, rows[key].rev], 24),
            },
        )

    desk.page(
        "/archiv",
        "<ListBucketResult><Name>archiv</Name><KeyCount>1</KeyCount></ListBucketResult>",
        Content_Type="application/xml",
    )
    return desk


@case(
    "d787",
    "ida-deleted-scan-blocks-its-name",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    synthetic=True,
    description=(
        "A versioned bucket of an object store takes a delete marker for an object: after the archive has deleted a scan, GET is 404 with "
        "x-amz-delete-marker, and the put of the new scan with If-None-Match: * is 412, twice. Names that never were take the same guard well."
    ),
)
def scan(stage: Stage) -> None:
    """Be told that what is not there is there."""
    desk = _scan_desk()
    server = place.serve(stage, desk, "tornado", "S3 gateway")
    me = stage.actor("client", server, "s3.stadtarchiv.test", "requests", {"User-Agent": "scanner/3.3"})
    place.look(me, "/archiv")
    guard = {"If-None-Match": "*", "Content-Type": "image/tiff"}
    me.put("/archiv/2026/akte-76.tif", "II*..scan 9", 200, guard)
    me.get("/archiv/2026/akte-77.tif")
    me.send("DELETE", "/archiv/2026/akte-77.tif", 204)
    place.rest(0.3)
    for _ in range(2):
        me.get("/archiv/2026/akte-77.tif", 404)
        me.put("/archiv/2026/akte-77.tif", "II*..scan 2, gerade", 412, guard)
        place.rest(0.3)
    me.get("/archiv/2026/akte-77.tif", 404)
    me.put("/archiv/2026/akte-78.tif", "II*..scan 5", 200, guard)


@case(
    "d791",
    "ida-lockers-changed-before-the-check",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    synthetic=True,
    description=(
        "A service after the pattern of Spring Data REST stores a PATCH first and looks at If-Unmodified-Since after it, by the date that the "
        "change itself has made: 412, though the locker read next has the client's content, a new date, and the client as its last editor. It happens "
        "for each locker, at the first attempt."
    ),
)
def lockers(stage: Stage) -> None:
    """Be refused after having been served."""
    rows = Rows(first=0)
    for number in (11, 12):
        rows.seed(str(number), {"size": "M", "note": "", "lastModifiedBy": "setup"}, 3600)
    desk = Desk()

    @desk.on("GET PATCH", r"/lockers/(\d+)")
    def locker(req: Req, key: str) -> Res:
        links = {"_links": {"self": {"href": f"http://faecher.bahnhof.test/lockers/{key}"}}}
        hal = {"Content-Type": "application/hal+json"}
        if req.method == "PATCH":
            row = rows.keep(key, {**rows[key].data, **req.json, "lastModifiedBy": req.who}, req.who)
            since = req.fields.get("if-unmodified-since")
            if since and int(row.at) > seconds(since):
                return Res(412)
        row = rows[key]
        return Res(
            200, {**row.data, **links}, {**hal, "ETag": f'"{row.rev}"', "Last-Modified": http_date(row.at)}
        )

    desk.page("/profile", {"_links": {"lockers": {"href": "/profile/lockers"}}})
    desk.page("/stations", {"_embedded": {"stations": [{"name": "Gleis 1"}]}})
    server = place.serve(stage, desk, "falcon", "Spring Data REST")
    me = stage.actor("client", server, "faecher.bahnhof.test", "java", {"X-User": "wartung-5"})
    place.look(me, "/profile", "/stations")
    for number, note in ((11, "Tür klemmt"), (12, "Schloss neu")):
        seen = me.get(f"/lockers/{number}")
        place.rest(0.3)
        fields = {
            "If-Unmodified-Since": seen.fields["last-modified"],
            "Content-Type": "application/merge-patch+json",
        }
        me.send("PATCH", f"/lockers/{number}", 412, fields, {"note": note})
        now = me.get(f"/lockers/{number}")
        place.sure(
            now.json["note"] == note and now.json["lastModifiedBy"] == "wartung-5" and now.etag == '"1"'
        )
    place.look(me, "/stations")


@case(
    "d772",
    "ida-floor-plan-locked-by-the-architect",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "A building office's files lie on Apache's WebDAV. The architect has locked a plan; the site manager's PUT is 423, with and without the tag, "
        "and with the token of a lock of another file in If it is 412. lockdiscovery names the architect; the other file, locked by the "
        "site manager, takes the changes."
    ),
)
def plans(stage: Stage) -> None:
    """Write under somebody else's lock."""
    files = {
        "eg.svg": "<svg><g id='eg'/></svg>",
        "og.svg": "<svg><g id='og'/></svg>",
        "index.html": "<p>Pläne</p>",
    }
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "plaene.bau.test", "requests", {"User-Agent": "bauleiter/2"})
    other = stage.actor("other", server, "plaene.bau.test", "curl:verbose", {"User-Agent": "architekt/9"})

    def lock(who: Any, path: str, name: str) -> str:
        xml = f'<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>{name}</D:owner></D:lockinfo>'
        fields = {"Timeout": "Second-600", "Content-Type": "application/xml", "Depth": "0"}
        return str(who.send("LOCK", path, 200, fields, xml).fields["lock-token"])

    me.get("/index.html")
    lock(other, "/eg.svg", "architektin Wu")
    token = lock(me, "/og.svg", "bauleiter")
    upper = me.get("/og.svg")
    me.put("/og.svg", upper.text.replace("/>", "><path d='M0 1'/></g>"), 204, {"If": f"({token})"})
    ground = me.get("/eg.svg")
    new = ground.text.replace("/>", "><path d='M4 4'/></g>")
    me.put("/eg.svg", new, 423)
    me.put("/eg.svg", new, 423, {"If-Match": ground.etag})
    me.put("/eg.svg", new, 412, {"If": f"({token})"})
    ask = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/><D:getetag/></D:prop></D:propfind>'
    seen = me.send("PROPFIND", "/eg.svg", 207, {"Depth": "0", "Content-Type": "application/xml"}, ask)
    place.sure("architektin" in seen.text)
    me.send("UNLOCK", "/og.svg", 204, {"Lock-Token": token})
    place.sure(me.get("/eg.svg").etag == ground.etag)
