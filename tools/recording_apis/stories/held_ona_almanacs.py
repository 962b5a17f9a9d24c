"""Stories on calendars and address books: Radicale, and imitations of SabreDAV and DAViCal."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tools.recording_apis.apps.ona_core import App, Req, Res, Row
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ona_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_ICS = {"Content-Type": "text/calendar; charset=utf-8"}
_VCF = {"Content-Type": "text/vcard; charset=utf-8"}


def _event(uid: str, summary: str, start: str, maker: str = "Werkplaats//Plan 3//NL") -> str:
    return (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//{maker}\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20261120T080000Z\r\nDTSTART:{start}\r\nDURATION:PT1H\r\nSUMMARY:{summary}\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


_service = partial(_event, maker="ical4j v1.0//EN")
_rehearsal = partial(_event, maker="Notenpult 2//DE")


def _card(uid: str, name: str, phone: str) -> str:
    return f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nTEL;TYPE=CELL:{phone}\r\nEND:VCARD\r\n"


@case(
    "d924",
    "ona-workshop-plan-first-tag-of-many",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A planner reads a calendar on Radicale with a PROPFIND of depth 1 and keeps the first getetag of the answer, "
        "which is the collection's own, for the event that it then changes: 412, twice. With the tag of the event's "
        "own GET another event is saved."
    ),
)
def workshop(stage: Stage) -> None:
    """Take the folder's tag for the event's."""
    server = stage.server("radicale")
    always = {"Authorization": "Basic cGlldDpnZWhlaW0=", "User-Agent": "Werkplaats/3.2 (neon)"}
    me = stage.actor("client", server, "agenda.fietsmaker.example", "requests", always)
    me.send("MKCALENDAR", "/piet/werk/", 201)
    for number in (1, 2, 3):
        made = _event(f"beurt-{number}", f"Beurt {number}", f"2026121{number}T090000Z")
        me.put(f"/piet/werk/beurt-{number}.ics", made, 201, _ICS)
    stage.forget()
    place.find(me, "/piet/", "1")
    first = me.get("/piet/werk/beurt-3.ics")
    me.put(
        "/piet/werk/beurt-3.ics",
        first.text.replace("Beurt 3", "Beurt 3 (remmen)"),
        204,
        {**_ICS, "If-Match": first.etag},
    )
    for number in (1, 2):
        path = f"/piet/werk/beurt-{number}.ics"
        tag = place.find(me, "/piet/werk/").text.split("<getetag>", 1)[1].split("</getetag>", 1)[0]
        place.sure(tag.startswith('"'), tag)
        body = _event(f"beurt-{number}", f"Beurt {number} (ketting)", f"2026121{number}T103000Z")
        me.put(path, body, 412, {**_ICS, "If-Match": tag})
        place.rest(0.6)
        place.sure(me.get(path).etag != tag)
    me.put(
        "/piet/werk/beurt-8.ics",
        _event("beurt-8", "Beurt 8", "20261218T090000Z"),
        201,
        {**_ICS, "If-None-Match": "*"},
    )
    place.find(me, "/piet/werk/", "0")


def _sabre(app: App, kind: str) -> None:
    def tag(row: Row) -> str:
        return f'"{row.hash()}"'

    def failed(said: str) -> Res:
        text = (
            '<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">\n'
            f"  <s:exception>Sabre\\DAV\\Exception\\PreconditionFailed</s:exception>\n  <s:message>{said}</s:message>\n"
            "  <s:header>If-Match</s:header>\n</d:error>\n"
        )
        return Res(412, text, {"Content-Type": "application/xml; charset=utf-8"})

    @app.on("PROPFIND REPORT", "(/remote.php/dav/.+/)")
    def listing(_req: Req, folder: str) -> Res:
        rows = "".join(
            f"<d:response><d:href>{key}</d:href><d:propstat><d:prop><d:getetag>&quot;{row.hash()}&quot;</d:getetag>"
            "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
            for key, row in app.rows.items()
            if key.startswith(folder)
        )
        text = f'<?xml version="1.0"?>\n<d:multistatus xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">{rows}</d:multistatus>'
        return Res(207, text, {"Content-Type": "application/xml; charset=utf-8"})

    @app.on("GET", "(/remote.php/dav/.+)")
    def read(req: Req, key: str) -> Res:
        row = app.rows.get(key)
        if row is None:
            return Res(404, app.lost, {"Content-Type": "application/xml; charset=utf-8"})
        if req.fields.get("if-none-match") == tag(row):
            return Res(304, b"", {"ETag": tag(row)})
        return Res(200, row.data, {"ETag": tag(row), "Content-Type": kind, "Last-Modified": row.date})

    @app.on("PUT DELETE", "(/remote.php/dav/.+)")
    def write(req: Req, key: str) -> Res:
        row, sent = app.rows.get(key), req.fields.get("if-match")
        if sent is not None and row is None:
            return failed("An If-Match header was specified and the resource did not exist")
        if sent is not None and row is not None and sent != tag(row):
            return failed("An If-Match header was specified, but none of the specified ETags matched.")
        if req.method == "DELETE":
            app.rows.pop(key, None)
            return Res(204)
        made = app.keep(key, req.body.decode(), req.who)
        return Res(204 if row else 201, b"", {"ETag": tag(made), "OC-ETag": tag(made)})


@case(
    "d936",
    "ona-volunteers-address-book",
    "target-missing",
    "412",
    alone="target-missing",
    synthetic=True,
    description=(
        "A rescue squad's address book in the manner of Nextcloud: a card that the phone has read is deleted from the "
        "office; the phone's change with the tag that it had is 412, the resource did not exist, the card is 404 "
        "and no longer listed."
    ),
)
def volunteers(stage: Stage) -> None:
    """Change a card that is gone."""
    lost = '<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:"><s:exception xmlns:s="http://sabredav.org/ns">Sabre\\DAV\\Exception\\NotFound</s:exception></d:error>'
    app = App({"X-Request-Id": "k2Vw9", "DAV": "1, 3, extended-mkcol, addressbook"}, lost)
    book = "/remote.php/dav/addressbooks/users/gorska/ratownicy/"
    names = {"7f21": "Ewa Kot", "8a02": "Jan Wilk", "91c7": "Zofia Lis"}
    app.seed({f"{book}{uid}.vcf": _card(uid, name, "+48 600 100") for uid, name in names.items()})
    _sabre(app, "text/vcard; charset=utf-8")
    app.page("/status.php", {"installed": True, "version": "29.0.8.1", "productname": "Chmura"})
    server = place.open_box(stage, app, "cheroot", "Nextcloud contacts")
    host = "chmura.gopr-kotlina.example"
    me = stage.actor("client", server, host, "httpx", {"User-Agent": "DAVx5/4.4.3-ose (dav4jvm) Android/14"})
    other = stage.actor("other", server, host, "node:fetch", {"User-Agent": "Mozilla/5.0 Firefox/132.0"})
    me.get("/status.php")
    place.find(me, book)
    held = {uid: me.get(f"{book}{uid}.vcf") for uid in names}
    saved = me.put(
        f"{book}7f21.vcf",
        _card("7f21", "Ewa Kot", "+48 600 777"),
        204,
        {**_VCF, "If-Match": held["7f21"].etag},
    )
    other.get(f"{book}8a02.vcf")
    other.send("DELETE", f"{book}8a02.vcf", 204)
    place.rest(0.9)
    me.get(f"{book}7f21.vcf", 304, {"If-None-Match": saved.etag})
    me.put(
        f"{book}8a02.vcf",
        _card("8a02", "Jan Wilk", "+48 601 222"),
        412,
        {**_VCF, "If-Match": held["8a02"].etag},
    )
    place.rest(0.4)
    me.get(f"{book}8a02.vcf", 404)
    place.find(me, book)


def _literal(app: App) -> None:
    @app.on("GET", "(/caldav.php/.+)")
    def read(_req: Req, key: str) -> Res:
        row = app.rows.get(key)
        if row is None:
            return Res(404, app.lost)
        return Res(200, row.data, {"ETag": f'"{row.hash()}"', "Content-Type": _ICS["Content-Type"]})

    @app.on("PUT DELETE", "(/caldav.php/.+)")
    def write(req: Req, key: str) -> Res:
        row, sent = app.rows.get(key), req.fields.get("if-match", "").strip('"')
        own = row.hash() if row else ""
        if sent and sent != own:
            said = f"Existing resource ETag of <<{own}>> does not match <<{sent}>>"
            return Res(412, said, {"Content-Type": "text/plain; charset=utf-8"})
        if req.method == "DELETE":
            del app.rows[key]
            return Res(204)
        return Res(204 if row else 201, b"", {"ETag": f'"{app.keep(key, req.body.decode()).hash()}"'})


@case(
    "d946",
    "ona-parish-calendar-any-version-will-do",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    synthetic=True,
    description=(
        "A calendar server in the manner of an old DAViCal compares If-Match: * with the tag letter by letter: PUT and "
        "DELETE of events that are there are 412, the message says that the existing tag does not match the asterisk; "
        "with the tag spelt out both pass."
    ),
)
def parish(stage: Stage) -> None:
    """Be refused with an asterisk."""
    app = App(
        {
            "Server": "Apache/2.4.38 (Debian)",
            "DAV": "1, 2, access-control, calendar-access",
            "X-DAViCal-Version": "DAViCal/1.1.7; DB/1.3.2",
        },
        "Resource Not Found.",
    )
    home = "/caldav.php/pfarre/dienste/"
    app.seed(
        {
            f"{home}{n}.ics": _service(n, f"Dienst {n}", "20261206T080000Z")
            for n in ("messner", "orgel", "lektor")
        }
    )
    _literal(app)
    server = place.open_box(stage, app, "cheroot", "DAViCal")
    me = stage.actor(
        "client", server, "kalender.pfarre-st-anna.example", "java", {"User-Agent": "ical4j-connector/2.1"}
    )
    me.get(f"{home}orgel.ics")
    for _ in range(2):
        new = _service("messner", "Dienst messner (Aushilfe)", "20261206T080000Z")
        me.put(f"{home}messner.ics", new, 412, {**_ICS, "If-Match": "*"})
        place.rest(0.5)
        seen = me.get(f"{home}messner.ics")
    me.send("DELETE", f"{home}lektor.ics", 412, {"If-Match": "*"})
    me.get(f"{home}lektor.ics")
    me.put(f"{home}messner.ics", new, 204, {**_ICS, "If-Match": seen.etag})
    me.put(f"{home}kantor.ics", _service("kantor", "Dienst kantor", "20261213T080000Z"), 201, _ICS)


@case(
    "d922",
    "ona-rehearsals-on-two-devices",
    "none",
    "healthy",
    alone="none",
    description=(
        "An orchestra's two secretaries work on one Radicale calendar: each reads again before it writes and sends the "
        "newest tag, a removed event is looked for once (404), and all changes of both are there at the end."
    ),
)
def rehearsals(stage: Stage) -> None:
    """Read first, each time."""
    server = stage.server("radicale")
    always = {"Authorization": "Basic b3JrZXN0ZXI6eA=="}
    host = "proben.stadtorchester.example"
    me = stage.actor("client", server, host, "node:axios", {**always, "User-Agent": "Notenpult/2"})
    other = stage.actor("other", server, host, "urllib", {**always, "User-Agent": "Evolution/3.46"})
    home = "/orkester/proben/"
    me.send("MKCALENDAR", home, 201)
    stage.forget()
    tags = {}
    for n in (1, 2, 3):
        fields = {**_ICS, "If-None-Match": "*"}
        tags[n] = me.put(
            f"{home}p{n}.ics", _rehearsal(f"p{n}", f"Probe {n}", f"2027010{n}T180000Z"), 201, fields
        ).etag
    me.get(f"{home}p2.ics")
    theirs = other.get(f"{home}p1.ics")
    other.put(
        f"{home}p1.ics",
        theirs.text.replace("Probe 1", "Probe 1 (Saal B)"),
        204,
        {**_ICS, "If-Match": theirs.etag},
    )
    gone = other.get(f"{home}p3.ics")
    other.send("DELETE", f"{home}p3.ics", 200, {"If-Match": gone.etag})
    place.rest(0.6)
    place.find(me, home)
    me.get(f"{home}p3.ics", 404)
    now = me.get(f"{home}p1.ics")
    place.sure("Saal B" in now.text and now.etag != tags[1])
    moved = now.text.replace("T180000Z", "T190000Z")
    saved = me.put(f"{home}p1.ics", moved, 204, {**_ICS, "If-Match": now.etag})
    place.sure(me.get(f"{home}p1.ics").etag == saved.etag)
    place.sure("Saal B" in other.get(f"{home}p1.ics").text)
