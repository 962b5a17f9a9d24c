"""Stories on tokens that clients damage, mistake, forget or let grow old."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tools.recording_apis import fronts
from tools.recording_apis.apps.dan_desk import Res, crc, desk, revision, versions
from tools.recording_apis.stage import case
from tools.recording_apis.stories import dan_setting as at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.apps.vic_core import Req
    from tools.recording_apis.stage import Stage


@case(
    "d553",
    "dan-grid-row-without-its-tag",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "A grid saves rows with the tag of its row object. Rows that were opened first have one; a row that is edited "
        "straight in the list has none, and the page sends If-Match: undefined, which no record matches."
    ),
)
def grid(stage: Stage) -> None:
    """Send a word for a tag."""
    docs = {f"/api/v1/seats/{n}": {"seat": n, "who": "", "plan": "basic"} for n in range(1, 8)}
    server = at.node(
        stage, "express", docs, {"/api/v1/tenant": {"name": "Nordlys"}, "/api/v1/plans": ["basic", "pro"]}
    )
    me = stage.actor("client", server, "admin.seatwise.example", "node:axios", at.BROWSER)
    at.reads(me, "/api/v1/tenant", "/api/v1/plans", "/api/v1/seats")
    for n in (1, 2):
        seen = me.get(f"/api/v1/seats/{n}")
        me.send("PATCH", f"/api/v1/seats/{n}", 200, {"If-Match": seen.etag}, {"who": f"user{n}"})
    at.rest(0.4)
    me.get("/api/v1/seats")
    for n in (5, 6):
        me.send("PATCH", f"/api/v1/seats/{n}", 412, {"If-Match": "undefined"}, {"plan": "pro"})
        at.rest(0.5)
    me.send("PATCH", "/api/v1/seats/5", 412, {"If-Match": "undefined"}, {"plan": "pro"})
    seen = me.get("/api/v1/seats/5")
    at.sure(seen.json["plan"] == "basic")
    me.send("PATCH", "/api/v1/seats/5", 200, {"If-Match": seen.etag}, {"plan": "pro"})
    at.reads(me, "/api/v1/tenant", "/api/v1/seats/6")


@case(
    "d544",
    "dan-tag-through-url-encoding",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A mobile app keeps tags in a local table of URL-encoded values and sends them back as stored: %22...%22 instead "
        "of quotes. Every save is refused though nobody else writes; right after a read the app uses the header and is served."
    ),
)
def encoded(stage: Stage) -> None:
    """Send a tag in URL encoding."""
    docs: dict[str, Any] = {
        f"/mobile/checklists/{n}": {"id": n, "done": [], "title": f"Room {n}"} for n in (12, 14, 19, 23)
    }
    box = desk(docs, crc, {"/mobile/config": {"sync": 30}, "/mobile/badges": {"open": 4}})
    box.say = {412: {"error": "etag_mismatch", "retryable": False}}
    me = stage.actor(
        "client",
        at.open_box(stage, box, "starlette"),
        "api.roomcheck.example",
        "httpx",
        {"User-Agent": "RoomCheck/8.1 CFNetwork/1568 Darwin/24.1.0"},
    )
    at.reads(me, "/mobile/config", "/mobile/checklists")
    table = {n: quote(me.get(f"/mobile/checklists/{n}").etag) for n in (12, 14, 19, 23)}
    at.rest(0.5)
    for n in (14, 19, 14):
        me.send("PATCH", f"/mobile/checklists/{n}", 412, {"If-Match": table[n]}, {"done": ["beds"]})
        at.reads(me, "/mobile/badges")
        at.rest(0.2)
    seen = me.get("/mobile/checklists/14")
    at.sure(quote(seen.etag) == table[14])
    me.send("PATCH", "/mobile/checklists/14", 200, {"If-Match": seen.etag}, {"done": ["beds"]})
    at.reads(me, "/mobile/badges", "/mobile/checklists/23")


@case(
    "d550",
    "dan-order-tag-for-its-line",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "Lines of a purchase order have tags of their own. The integration reads the order, takes the order's tag and "
        "sends it with the change of a line: refused each time; the line's own tag, read at last, is taken."
    ),
)
def order_line(stage: Stage) -> None:
    """Send the parent's tag for a part."""
    docs: dict[str, Any] = {}
    for n in (9001, 9002):
        docs[f"/v1/purchase-orders/{n}"] = {"no": n, "supplier": "Vik", "lines": [f"{n}-1", f"{n}-2"]}
        for part in (1, 2):
            docs[f"/v1/purchase-orders/{n}/lines/{part}"] = {"line": part, "qty": 10, "confirmed": False}
    server = at.node(stage, "fastify", docs, {"/v1/suppliers/vik": {"name": "Vik", "lead": 6}})
    me = stage.actor("client", server, "buy.procura.example", "requests", {"User-Agent": "edi-bridge/2.0"})
    at.reads(me, "/v1/suppliers/vik")
    for n in (9001, 9002):
        order = me.get(f"/v1/purchase-orders/{n}")
        me.send(
            "PATCH",
            f"/v1/purchase-orders/{n}/lines/2",
            412,
            {"If-Match": order.etag},
            {"qty": 8, "confirmed": True},
        )
        at.rest(0.4)
    order = me.get("/v1/purchase-orders/9001")
    me.send("PATCH", "/v1/purchase-orders/9001/lines/1", 412, {"If-Match": order.etag}, {"confirmed": True})
    me.send("PATCH", "/v1/purchase-orders/9001", 200, {"If-Match": order.etag}, {"supplier": "Vik AS"})
    line = me.get("/v1/purchase-orders/9001/lines/1")
    at.sure(line.etag != order.etag and line.json["confirmed"] is False)
    me.send("PATCH", "/v1/purchase-orders/9001/lines/1", 200, {"If-Match": line.etag}, {"confirmed": True})
    at.reads(me, "/v1/suppliers/vik", "/v1/purchase-orders/9002")


@case(
    "d540",
    "dan-one-version-for-the-whole-glossary",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    description=(
        "A translation memory guards every term with one version of the glossary (X-Glossary-Version). A translator "
        "edits a few terms, a colleague only others; her saves are refused though her terms never changed."
    ),
)
def glossary(stage: Stage) -> None:
    """Guard a term with the version of all."""
    terms = {
        f"/glossaries/de-fi/terms/{n}": {"id": n, "de": f"Wort{n}", "fi": "", "rev": 1} for n in range(1, 7)
    }
    box = versions(
        terms, "X-Glossary-Version", {"/glossaries/de-fi/info": {"terms": 6}}, place="header", status=412
    )
    whole = [731]
    box.version = lambda _doc: whole[0]
    change = box.change
    box.change = lambda req, doc: {**change(req, doc), "rev": doc.data["rev"] + 1}
    box.done.append(lambda _req, _path: whole.__setitem__(0, whole[0] + 1))
    box.say = {
        412: lambda req, _doc: f"glossary is at {whole[0]}, you sent {req.fields['x-glossary-version']}"
    }
    server = at.open_box(stage, box, "bottle")
    me = stage.actor("client", server, "tm.sanakirja.example", "aiohttp", {"X-User": "aino"})
    other = stage.actor("other", server, "tm.sanakirja.example", "requests", {"X-User": "kalle"})
    at.reads(me, "/glossaries/de-fi/info", "/glossaries/de-fi/terms")
    held = {n: me.get(f"/glossaries/de-fi/terms/{n}") for n in (2, 3)}
    name = "x-glossary-version"
    for n in (5, 6, 5):
        seen = other.get(f"/glossaries/de-fi/terms/{n}")
        fields = {"X-Glossary-Version": seen.fields[name]}
        other.put(f"/glossaries/de-fi/terms/{n}", at.over(seen, fi=f"sana{n}"), 200, fields)
        at.rest(0.1)
    for n, seen in held.items():
        fields = {"X-Glossary-Version": seen.fields[name]}
        me.put(f"/glossaries/de-fi/terms/{n}", at.over(seen, fi=f"termi{n}"), 412, fields)
        now = me.get(f"/glossaries/de-fi/terms/{n}")
        at.sure(now.json == seen.json and int(now.fields[name]) == int(seen.fields[name]) + 3)
        at.rest(0.3)
    me.get("/glossaries/de-fi/terms/5")
    me.put(
        "/glossaries/de-fi/terms/3", at.over(now, fi="termi3"), 200, {"X-Glossary-Version": now.fields[name]}
    )


def _event(uid: str, title: str, start: str = "20261204T090000Z") -> str:
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//dan//plan 2//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20261120T080000Z\r\nDTSTART:{start}\r\nSUMMARY:{title}\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


ICS = {"Content-Type": "text/calendar; charset=utf-8"}
MKCAL = (
    '<?xml version="1.0"?><d:mkcol xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:set><d:prop>'
    "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype></d:prop></d:set></d:mkcol>"
)


def calendar(me: Actor, path: str) -> None:
    """Make a calendar."""
    me.send("MKCOL", path, 201, {"Content-Type": "application/xml"}, MKCAL)


def put_event(
    me: Actor,
    path: str,
    title: str,
    expect: int,
    fields: Mapping[str, str],
    *,
    start: str = "20261204T090000Z",
) -> Answer:
    """Write an event."""
    uid = path.rsplit("/", 1)[1].removesuffix(".ics")
    return me.put(path, _event(uid, title, start), expect, {**ICS, **fields})


@case(
    "d528",
    "dan-shift-planner-always-creates",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A shift planner writes events to Radicale with If-None-Match: * whether they are new or not: the shifts of the "
        "next week are made, every change of one that it has made and read itself is refused."
    ),
)
def planner(stage: Stage) -> None:
    """Update with the guard for new things."""
    server = stage.server("radicale")
    me = stage.actor(
        "client",
        server,
        "dav.rota.example",
        "requests",
        {"Authorization": "Basic cm90YTp4", "User-Agent": "rota2dav/1.3"},
    )
    me.send("PROPFIND", "/", 207, {"Depth": "0"})
    calendar(me, "/rota/shifts/")
    new = {"If-None-Match": "*"}
    for day in (1, 2, 3):
        put_event(me, f"/rota/shifts/shift-{day}.ics", f"Early shift {day}", 201, new)
    at.rest(0.8)
    seen = me.get("/rota/shifts/shift-2.ics")
    put_event(me, "/rota/shifts/shift-2.ics", "Late shift 2", 412, new, start="20261204T140000Z")
    put_event(me, "/rota/shifts/shift-4.ics", "Early shift 4", 201, new)
    put_event(me, "/rota/shifts/shift-3.ics", "Late shift 3", 412, new, start="20261204T140000Z")
    now = me.get("/rota/shifts/shift-2.ics")
    at.sure(now.etag == seen.etag)
    me.send("PROPFIND", "/rota/shifts/", 207, {"Depth": "1"})
    put_event(
        me, "/rota/shifts/shift-2.ics", "Late shift 2", 204, {"If-Match": now.etag}, start="20261204T140000Z"
    )


@case(
    "d579",
    "dan-firewall-rules-want-a-condition",
    "token-missing",
    "428",
    alone="token-missing",
    description=(
        "A firewall API asks for If-Match with each change of a rule since its last release; a CI script with curl "
        "still sends none: 428 with a problem that says so. Creations go through; with the tag of a read the change does too."
    ),
)
def firewall(stage: Stage) -> None:
    """Change without a condition where one is asked for."""
    docs = {f"/fw/v4/rules/{n}": {"n": n, "port": 443, "from": "0.0.0.0/0"} for n in (10, 20, 30)}
    box = desk(docs, revision, {"/fw/v4/version": {"api": "4.2.0"}}, need=428, first=2)
    box.say[428] = {
        "type": "https://fw.example/problems/if-match-required",
        "title": "Precondition Required",
        "detail": "PUT, PATCH and DELETE of a rule need If-Match with its current ETag.",
    }
    front = fronts.caddy(stage, at.open_box(stage, box, "waitress"))
    me = stage.actor("client", front, "api.wallkeeper.example", "curl:verbose")
    at.reads(me, "/fw/v4/version", "/fw/v4/rules")
    me.put("/fw/v4/rules/40", {"n": 40, "port": 8443, "from": "10.0.0.0/8"}, 201)
    seen = me.get("/fw/v4/rules/20")
    me.put("/fw/v4/rules/20", at.over(seen, **{"from": "10.0.0.0/8"}), 428)
    me.send("DELETE", "/fw/v4/rules/30", 428)
    me.put("/fw/v4/rules/20", at.over(seen, **{"from": "10.0.0.0/8"}), 428)
    me.get("/fw/v4/version")
    seen = me.get("/fw/v4/rules/20")
    me.put("/fw/v4/rules/20", at.over(seen, **{"from": "10.0.0.0/8"}), 200, {"If-Match": seen.etag})


class Caching:
    """A client program behind a cache that adds the stored tag to every request for a known URL."""

    def __init__(self, inner: Actor) -> None:
        self._inner, self._tags = inner, dict[str, str]()

    def send(
        self,
        method: str,
        path: str,
        expect: int,
        body: object = None,
        fields: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request as the layer makes it."""
        own = dict(fields or {})
        if path in self._tags:
            own["If-None-Match"] = self._tags[path]
        got = self._inner.send(method, path, expect, own, body)
        if method == "GET" and got.status == 200 and "etag" in got.fields:
            self._tags[path] = got.fields["etag"]
        return got


@case(
    "d546",
    "dan-url-cache-of-the-tablet",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "The URL cache of a tablet app adds If-None-Match with its stored tag to every request for a URL that it has "
        "read, saves included: a PUT of a record that was read before is refused, one that was never read is taken."
    ),
    notes=("The app's code sets no condition; its caching layer, imitated here, does.",),
)
def tablet(stage: Stage) -> None:
    """Save through a cache that adds a condition."""
    docs: dict[str, Any] = {
        f"/pos/tables/{n}": {"table": n, "guests": 0, "bill": []} for n in (1, 2, 3, 4, 5)
    }
    server = at.node(stage, "koa", docs, {"/pos/menu": {"soup": 6, "fish": 18}})
    agent = {"User-Agent": "TableTop/3.0 (iPad; iOS 18.1) CFNetwork/1568.200.51 Darwin/24.1.0"}
    me = Caching(stage.actor("client", server, "pos.tabletop.example", "httpx", agent))
    me.send("GET", "/pos/menu", 200)
    for n in (1, 2):
        me.send("GET", f"/pos/tables/{n}", 200)
    me.send("PUT", "/pos/tables/4", 200, {"table": 4, "guests": 2, "bill": []})
    me.send("GET", "/pos/tables/1", 304)
    me.send("PUT", "/pos/tables/1", 412, {"table": 1, "guests": 3, "bill": []})
    at.rest(0.4)
    me.send("GET", "/pos/menu", 200)
    me.send("PUT", "/pos/tables/1", 412, {"table": 1, "guests": 3, "bill": []})
    me.send("PUT", "/pos/tables/2", 412, {"table": 2, "guests": 4, "bill": ["soup"]})
    me.send("PUT", "/pos/tables/5", 200, {"table": 5, "guests": 1, "bill": ["fish"]})
    me.send("GET", "/pos/tables/1", 304)


def _changes(token: str) -> str:
    return (
        '<?xml version="1.0"?><d:sync-collection xmlns:d="DAV:"><d:sync-token>'
        f"{token}</d:sync-token><d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>"
    )


@case(
    "d552",
    "dan-phone-back-from-the-drawer",
    "token-expired",
    "403",
    alone="token-expired",
    description=(
        "Radicale forgets sync tokens after two seconds (max_sync_token_age). A phone asks for changes since a token "
        "from before: 403 valid-sync-token, twice; a sync from the start gives a new token that works."
    ),
)
def drawer(stage: Stage) -> None:
    """Ask for changes since a token that the server has dropped."""
    server = stage.server("radicale", token_age=2)
    me = stage.actor(
        "client",
        server,
        "cal.drawer.example",
        "aiohttp",
        {"Authorization": "Basic bWlhOng=", "User-Agent": "PocketCal/6"},
    )
    desktop = {"Authorization": "Basic bWlhOng=", "User-Agent": "DeskCal/3"}
    other = stage.actor("other", server, "cal.drawer.example", "requests", desktop)
    calendar(me, "/mia/home/")
    for n in range(3):
        put_event(me, f"/mia/home/e{n}.ics", f"Dentist {n}", 201, {"If-None-Match": "*"})
    xml = {"Content-Type": "application/xml", "Depth": "1"}
    first = me.send("REPORT", "/mia/home/", 207, xml, _changes("")).text
    token = first.partition("<sync-token>")[2].partition("</sync-token>")[0]
    at.sure(token.startswith("http"), first)
    put_event(me, "/mia/home/e3.ics", "Vet", 201, {"If-None-Match": "*"})
    me.send("REPORT", "/mia/home/", 207, xml, _changes(token))
    at.rest(3.2)
    put_event(other, "/mia/home/e4.ics", "Garage", 201, {"If-None-Match": "*"})
    other.send("REPORT", "/mia/home/", 207, xml, _changes(""))
    at.rest(0.3)
    for _ in range(2):
        refused = me.send("REPORT", "/mia/home/", (403, 409, 412), xml, _changes(token))
        at.sure("valid-sync-token" in refused.text, refused.text)
        at.rest(0.4)
    again = me.send("REPORT", "/mia/home/", 207, xml, _changes("")).text
    token = again.partition("<sync-token>")[2].partition("</sync-token>")[0]
    me.send("REPORT", "/mia/home/", 207, xml, _changes(token))
    me.get("/mia/home/e4.ics")


@case(
    "d531",
    "dan-embedded-widget-cannot-see-the-tag",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag",
    description=(
        "A booking widget on a shop's site talks to an API of another origin that allows the origin but exposes no ETag: "
        "the script cannot read the tag that is on the wire, sends no condition, and each change is answered 428."
    ),
    notes=("Node.js stands in for the browser: it sends the preflight and hides what is not exposed.",),
)
def widget(stage: Stage) -> None:
    """Read a tag that the script may not see."""
    docs = {f"/public/bookings/{n}": {"id": n, "guests": 2, "time": "19:00"} for n in ("bk-81", "bk-82")}
    box = desk(docs, crc, {"/public/opening": {"fri": "17-23"}}, need=428)
    box.say[428] = {"error": "precondition_required", "detail": "Send If-Match with the booking's ETag."}
    box.extra = {"Access-Control-Allow-Origin": "https://www.trattoria.example", "Vary": "Origin"}

    def preflight(req: Req) -> Res | None:
        allowed = {
            "Access-Control-Allow-Methods": "GET, PATCH",
            "Access-Control-Allow-Headers": "content-type, if-match",
        }
        return Res(204, b"", {**allowed, "Access-Control-Max-Age": "0"}) if req.method == "OPTIONS" else None

    box.before.append(preflight)
    page = {
        **at.BROWSER,
        "Origin": "https://www.trattoria.example",
        "Referer": "https://www.trattoria.example/",
    }
    page = {**page, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    page.pop("X-Requested-With")
    me = stage.actor("client", at.open_box(stage, box, "aiohttp"), "api.tavolo.example", "node:axios", page)
    ask = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "content-type"}
    at.reads(me, "/public/opening")
    for booking in ("bk-81", "bk-82", "bk-81"):
        seen = me.get(f"/public/bookings/{booking}")
        at.sure(seen.etag and "access-control-expose-headers" not in seen.fields)
        at.rest(0.4)
        me.send("OPTIONS", f"/public/bookings/{booking}", 204, ask)
        me.send("PATCH", f"/public/bookings/{booking}", 428, None, {"guests": 4})
    at.reads(me, "/public/opening", "/public/bookings/bk-82")
