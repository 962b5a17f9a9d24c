"""More of what stands in between."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ida_wire import Desk, Req, Res, Rows, digest, http_date, iso
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ida_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _pitches_desk() -> Any:
    rows, log, slow = Rows(first=12), [], [True]
    for week in ("28", "29"):
        rows.seed(week, {"woche": week, "belegt": [3, 4], "frei": 41}, 50000, "büro")
    desk = Desk()

    def mark(week: str) -> str:
        return f'"{rows[week].rev}-{digest(rows[week].data, 8)}"'

    @desk.on("GET", r"/plan/(\d+)")
    def read(_req: Req, week: str) -> Res:
        row = rows[week]
        return Res(
            200, row.data, {"ETag": mark(week), "Last-Modified": http_date(row.at), "X-Modified-By": row.by}
        )

    @desk.on("PUT", r"/plan/(\d+)", free=True)
    def save(req: Req, week: str) -> Res:
        with desk.lock:
            fine = req.fields.get("if-match") == mark(week)
            log.append(
                {
                    "id": req.fields["x-request-id"],
                    "um": iso(time.time()),
                    "ergebnis": "gespeichert" if fine else "412",
                }
            )
            if not fine:
                return Res(412, {"code": "plan-veraltet"})
            rows.keep(week, req.json, req.who)
        if week == "29" and slow:
            slow.clear()
            time.sleep(2.0)
        return Res(200, rows[week].data, {"ETag": mark(week)})

    @desk.on("GET", "/aktivitaet")
    def activity(_req: Req) -> Res:
        return Res(200, list(log))

    desk.page("/gaeste/heute", {"anreise": 6, "abreise": 2})
    return desk


@case(
    "d763",
    "ida-reservation-told-twice-by-the-balancer",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412",
    description=(
        "A campsite's desk saves a pitch plan through an HAProxy with retry-on response-timeout. The service stores at once but answers "
        "slowly, HAProxy sends the same request again, and the desk gets the 412 of the second. The plan has the desk's content, and "
        "its activity lists one request id twice: stored, then refused, though the desk sent it once."
    ),
)
def pitches(stage: Stage) -> None:
    """Have one's request sent twice."""
    desk = _pitches_desk()
    server = place.serve(stage, desk, "waitress")
    lines = " timeout server 900ms\n retries 2\n retry-on response-timeout conn-failure"
    edge = fronts.haproxy(stage, [server], lines)
    me = stage.actor("client", edge, "plan.camping.test", "requests", {"X-User": "platzwart"})
    place.look(me, "/gaeste/heute")
    for number, week in enumerate(("28", "29")):
        seen = me.get(f"/plan/{week}")
        body = {**seen.json, "belegt": [3, 4, 17 + number], "frei": 40}
        fields = {"If-Match": seen.etag, "X-Request-Id": f"pw-77{number}"}
        me.put(f"/plan/{week}", body, 412 if number else 200, fields)
    now = me.get("/plan/29")
    place.sure(now.json["belegt"] == [3, 4, 18] and now.fields["x-modified-by"] == "platzwart")
    place.sure(
        [one["ergebnis"] for one in me.get("/aktivitaet").json] == ["gespeichert", "gespeichert", "412"]
    )
    place.look(me, "/gaeste/heute")


def _timetable_desk() -> Any:
    rows = Rows(first=1)
    rows.seed("7b", '<plan klasse="7b" self="http://intern.schule/plan/7b"><mo>Bio</mo></plan>')
    rows.seed("raeume", {"A1": 28, "A2": 30})
    desk = Desk()

    @desk.on("GET PUT", r"/plan/(\w+)")
    def plan(req: Req, key: str) -> Res:
        row = rows.get(key)
        mark = f'"{key}.{row.rev}.{digest(row.data, 6)}"' if row else ""
        if req.method == "PUT":
            if row and "if-match" not in req.fields:
                said = "If-Match is required; use the ETag that every answer of this service carries"
                return Res(
                    428,
                    {"title": "Precondition Required", "detail": said},
                    {"Content-Type": "application/problem+json"},
                )
            if row and req.fields["if-match"] != mark:
                return Res(
                    412, {"title": "Precondition Failed"}, {"Content-Type": "application/problem+json"}
                )
            new = rows.keep(
                key,
                req.json if "json" in req.fields.get("content-type", "") else req.body.decode(),
                "sekretariat",
            )
            return Res(
                200 if row else 201, {"plan": key}, {"ETag": f'"{key}.{new.rev}.{digest(new.data, 6)}"'}
            )
        if row is None:
            return Res(404, {"title": "Not Found"})
        media = "application/xml" if isinstance(row.data, str) else "application/json"
        return Res(200, row.data, {"ETag": mark, "Last-Modified": http_date(row.at), "Content-Type": media})

    desk.page("/plan", {"plaene": ["7b", "raeume"]}, ETag='"p2"')
    return desk


@case(
    "d770",
    "ida-timetable-xml-with-other-links",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    description=(
        "An nginx rewrites the links in a school's timetable XML with sub_filter, which takes ETag away, and the service wants "
        "If-Match: the client, whose other resources (JSON, not rewritten) come with tags and are changed well, has none for the XML and "
        "gets 428. The answer to its creation of an XML plan, which is JSON, does show a tag."
    ),
)
def timetable(stage: Stage) -> None:
    """Have no tag to send."""
    desk = _timetable_desk()
    server = place.serve(stage, desk, "aiohttp")
    lines = 'proxy_set_header Accept-Encoding ""; sub_filter_types application/xml; sub_filter_once off; sub_filter "http://intern.schule" "http://plan.schule.test";'
    edge = fronts.nginx(stage, server, lines)
    me = stage.actor("client", edge, "plan.schule.test", "node:fetch")
    place.again(me, "/plan")
    rooms = me.get("/plan/raeume")
    me.put("/plan/raeume", {**rooms.json, "A3": 24}, 200, {"If-Match": rooms.etag})
    xml = {"Content-Type": "application/xml"}
    made = me.put("/plan/9a", '<plan klasse="9a" self="http://intern.schule/plan/9a"/>', 201, xml)
    place.sure(made.etag)
    for _ in range(2):
        seen = me.get("/plan/7b")
        place.sure("etag" not in seen.fields and "plan.schule.test" in seen.text)
        me.put("/plan/7b", seen.text.replace("Bio", "Chemie"), 428, xml)
        place.rest(0.3)
    place.sure("etag" not in me.get("/plan/9a").fields)


def _media_desk() -> Any:
    rows = Rows()
    for name in ("jingle.wav", "news.wav"):
        rows.seed(name, f"RIFF {name} take 1 " * 20, 7200)
    desk = Desk("<Error><Code>NoSuchKey</Code></Error>", x_amz_request_id="3F7C")

    @desk.on("GET HEAD PUT", r"/sendung/(\w+\.wav)")
    def thing(req: Req, key: str) -> Res:
        if req.method == "PUT":
            rows.keep(key, req.body.decode(), "studio")
        mark = f'"{digest(rows[key].data)}"'
        if req.fields.get("if-match") not in {None, mark}:
            return Res(
                412, "<Error><Code>PreconditionFailed</Code></Error>", {"Content-Type": "application/xml"}
            )
        fields = {
            "ETag": mark,
            "Last-Modified": http_date(rows[key].at),
            "Cache-Control": "public, max-age=3600",
        }
        return Res(
            200, b"" if req.method == "PUT" else rows[key].data, {**fields, "Content-Type": "audio/wav"}
        )

    @desk.on("GET", "/sendung")
    def listing(_req: Req) -> Res:
        inner = "".join(
            f"<Contents><Key>{key}</Key><LastModified>{iso(row.at)}</LastModified><ETag>&quot;{digest(row.data)}&quot;</ETag></Contents>"
            for key, row in rows.rows.items()
        )
        return Res(
            200,
            f"<ListBucketResult><Name>sendung</Name>{inner}</ListBucketResult>",
            {"Content-Type": "application/xml", "Cache-Control": "no-store"},
        )

    return desk


@case(
    "d798",
    "ida-scores-pinned-behind-squid",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    also="stale-cache-read",
    synthetic=True,
    description=(
        "A playout system reads media from an object store with If-Match, the tag taken from the bucket's list, through a Squid. The Squid has "
        "the object of an hour ago, finds the tag otherwise and answers 412 by itself; the store, asked with no-cache, has the very "
        "tag of the list and answers 200."
    ),
)
def media(stage: Stage) -> None:
    """Be refused by a cache."""
    desk = _media_desk()

    server = place.serve(stage, desk, "cheroot", "S3 gateway")
    edge = fronts.squid(stage, server, site="medien.radio.test")
    me = stage.actor("client", edge, "medien.radio.test", "urllib", {"User-Agent": "playout/11"})
    other = stage.actor("other", server, "medien.radio.test", "requests", {"User-Agent": "studio/2"})

    def listed(name: str) -> str:
        return me.get("/sendung").text.split(f"<Key>{name}</Key>")[1].split("&quot;")[1]

    for name in ("jingle.wav", "news.wav"):
        me.get(f"/sendung/{name}", 200, {"If-Match": f'"{listed(name)}"'})
        me.get(f"/sendung/{name}")
    place.rest(0.4)
    other.put("/sendung/news.wav", "RIFF news.wav take 2 " * 20, 200, {"Content-Type": "audio/wav"})
    place.rest(1.2)
    pinned = {"If-Match": f'"{listed("news.wav")}"'}
    for _ in range(2):
        me.get("/sendung/news.wav", 412, pinned)
        place.rest(0.2)
    me.get("/sendung/jingle.wav", 200, {"If-Match": f'"{listed("jingle.wav")}"'})
    fresh = me.get("/sendung/news.wav", 200, {**pinned, "Cache-Control": "no-cache", "Pragma": "no-cache"})
    place.sure("take 2" in fresh.text)


@case(
    "d789",
    "ida-ticket-moved-with-its-project",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description=(
        "An issue tracker's projects have moved and HAProxy answers old addresses with 302; the client's library turns its PUT with "
        "If-Match into a GET of the new address, whose 200 it takes for a save. The ticket read later still has the old state. "
        "Saves at the new address pass."
    ),
)
def ticket(stage: Stage) -> None:
    """Have a write turned into a read."""
    rows = Rows(first=9)
    for number in (1402, 1403):
        rows.seed(str(number), {"id": number, "summary": "Leck am Ventil", "state": "open", "assignee": None})
    desk = Desk()

    @desk.on("GET PUT", r"/api/projects/anlagen/issues/(\d+)")
    def issue(req: Req, key: str) -> Res:
        mark = f'"i{key}r{rows[key].rev}"'
        if req.method == "PUT":
            if req.fields.get("if-match") != mark:
                return Res(412, {"error": "outdated"})
            rows.keep(key, req.json, req.who)
        return Res(
            200, {**rows[key].data, "updated": iso(rows[key].at)}, {"ETag": f'"i{key}r{rows[key].rev}"'}
        )

    desk.page("/api/me", {"login": "kaya"})
    desk.page("/api/projects/anlagen/issues", {"issues": [1402, 1403]}, ETag='"l-2"')
    server = place.serve(stage, desk, "falcon")
    rule = " http-request redirect location /api/projects/anlagen/issues/%[path,field(6,/)] code 302 if { path_beg /api/projects/technik/issues/ }"
    edge = fronts.haproxy(stage, [server], "", rule)
    me = stage.actor("client", edge, "tickets.klaerwerk.test", "requests:follow", {"X-User": "kaya"})
    place.look(me, "/api/me")
    seen = me.get("/api/projects/technik/issues/1402")
    me.put(
        "/api/projects/technik/issues/1402",
        {**seen.json, "state": "fixed", "assignee": "kaya"},
        200,
        {"If-Match": seen.etag},
    )
    place.rest(0.4)
    listed = me.get("/api/projects/anlagen/issues")
    me.get("/api/projects/anlagen/issues", 304, {"If-None-Match": listed.etag})
    two = me.get("/api/projects/anlagen/issues/1403")
    me.put("/api/projects/anlagen/issues/1403", {**two.json, "assignee": "kaya"}, 200, {"If-Match": two.etag})
    now = me.get("/api/projects/anlagen/issues/1402")
    place.sure(now.json["state"] == "open" and now.etag == seen.etag)


@case(
    "d790",
    "ida-depot-moved-for-good",
    "none",
    "healthy",
    alone="none",
    description=(
        "HAProxy sends the old addresses of a bicycle depot's API to the new ones with 308, curl repeats the PUT with its If-Match and content, "
        "and the depot stores it: 200, the new tag, the content as sent. Two nodes over one store answer in turns with equal tags."
    ),
)
def depot(stage: Stage) -> None:
    """Follow a redirect that keeps the method."""
    rows = Rows(first=3)
    for key in ("nord", "sued"):
        rows.seed(key, {"depot": key, "raeder": 60, "defekt": 2})
    nodes = []
    for node in ("a", "b"):
        desk = Desk(X_Node=node)

        @desk.on("GET PUT", r"/v3/depots/(\w+)")
        def one(req: Req, key: str) -> Res:
            mark = f'"{digest([key, rows[key].rev], 14)}"'
            if req.method == "PUT":
                if req.fields.get("if-match") != mark:
                    return Res(412, {"fel": "för gammal"})
                rows.keep(key, req.json, "verkstad")
                mark = f'"{digest([key, rows[key].rev], 14)}"'
            if req.fields.get("if-none-match") == mark:
                return Res(304, b"", {"ETag": mark})
            return Res(200, rows[key].data, {"ETag": mark})

        desk.page("/v3/depots", {"depots": ["nord", "sued"]})
        nodes.append(place.serve(stage, desk, "stdlib"))
    rule = " http-request redirect location /v3%[path,regsub(^/v2,)] code 308 if { path_beg /v2/ }"
    edge = fronts.haproxy(stage, nodes, "", rule)
    me = stage.actor("client", edge, "depots.cykel.test", "curl:verbose")
    stage.curls["client"].more = ["--location"]
    me.get("/v2/depots")
    for key, broken in (("nord", 3), ("sued", 1), ("nord", 5)):
        seen = me.get(f"/v2/depots/{key}")
        me.get(f"/v3/depots/{key}", 304, {"If-None-Match": seen.etag})
        done = me.put(f"/v2/depots/{key}", {**seen.json, "defekt": broken}, 200, {"If-Match": seen.etag})
        now = me.get(f"/v3/depots/{key}")
        place.sure(now.etag == done.etag and now.json["defekt"] == broken)


def _leads_desk() -> Any:
    rows = Rows(first=770112)
    for key in ("a31c", "a31d"):
        rows.seed(
            key,
            {"subject": "Anfrage Wärmepumpe", "budget": 18000, "stage": 1, "memo": "Rückruf am Abend. " * 6},
        )
    desk = Desk(OData_Version="4.0")

    @desk.on("GET PATCH", r"/api/data/v9\.2/leads\((\w+)\)")
    def lead(req: Req, key: str) -> Res:
        mark = f'W/"{rows[key].rev}"'
        if req.method == "PATCH":
            if req.fields.get("if-match", "").removeprefix("W/") != mark.removeprefix("W/"):
                return Res(
                    412,
                    {
                        "error": {
                            "code": "0x80060882",
                            "message": "The version of the existing record doesn't match the RowVersion property provided.",
                        }
                    },
                )
            rows.keep(key, {**rows[key].data, **req.json}, req.who)
            return Res(204, b"", {"ETag": f'W/"{rows[key].rev}"'})
        return Res(200, {"@odata.etag": mark, "leadid": key, **rows[key].data}, {"ETag": mark})

    desk.page("/api/data/v9.2/WhoAmI", {"UserId": "e1"})
    desk.page("/api/data/v9.2/leads", {"value": [{"leadid": "a31c"}, {"leadid": "a31d"}]})
    return desk


@case(
    "d750",
    "ida-leads-through-gzip-compared-weakly",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A CRM after the pattern of OData behind an nginx that compresses: the tags are W/ from the start, the service compares them "
        "weakly as OData says, and each PATCH with the newest one is 204; a colleague's change in between is read before the next edit."
    ),
)
def leads(stage: Stage) -> None:
    """Use weak tags where they count."""
    desk = _leads_desk()
    server = place.serve(stage, desk, "flask", "Dataverse")
    edge = fronts.nginx_gzip(stage, server)
    me = stage.actor("client", edge, "crm.heizung.test", "httpx", {"X-User": "sofia"})
    other = stage.actor("other", edge, "crm.heizung.test", "requests", {"X-User": "emre"})
    place.look(me, "/api/data/v9.2/WhoAmI", "/api/data/v9.2/leads?$top=5")
    for number in (1, 2):
        theirs = other.get("/api/data/v9.2/leads(a31c)")
        other.send(
            "PATCH",
            "/api/data/v9.2/leads(a31c)",
            204,
            {"If-Match": theirs.etag},
            {"budget": 18000 + number * 900},
        )
        place.rest(0.3)
        for key in ("a31c", "a31d"):
            mine = me.get(f"/api/data/v9.2/leads({key})")
            me.send(
                "PATCH",
                f"/api/data/v9.2/leads({key})",
                204,
                {"If-Match": mine.json["@odata.etag"]},
                {"stage": number + 1},
            )
        now = me.get("/api/data/v9.2/leads(a31c)").json
        place.sure(now["stage"] == number + 1 and now["budget"] == 18000 + number * 900)


@case(
    "d757",
    "ida-catalogue-at-the-edge-admin-past-it",
    "none",
    "healthy",
    alone="none",
    description=(
        "A shop's catalogue comes from Varnish's store with Age, its admin interface (Cache-Control: private) from the service: each save has the "
        "tag that the admin read showed and passes; the shop's page may be old for some seconds and says so, and nobody writes with it."
    ),
)
def shop(stage: Stage) -> None:
    """Show old copies and save with new ones."""
    rows = Rows(first=15)
    for sku in ("tee-oolong", "tee-assam"):
        rows.seed(sku, {"sku": sku, "preis": 7.9, "lager": 30})
    desk = Desk()

    @desk.on("GET PUT", r"/(admin|shop)/artikel/([\w-]+)")
    def article(req: Req, where: str, sku: str) -> Res:
        mark = f'"{where[0]}{digest([sku, rows[sku].rev], 12)}"'
        if req.method == "PUT":
            if where != "admin" or req.fields.get("if-match") != mark:
                return Res(412, {"error": "precondition"})
            rows.keep(sku, req.json, "inhaber")
            mark = f'"a{digest([sku, rows[sku].rev], 12)}"'
        control = "public, max-age=4" if where == "shop" else "private, no-cache"
        return Res(200, rows[sku].data, {"ETag": mark, "Cache-Control": control})

    desk.page(
        "/shop/style.css",
        "body{color:#321}",
        Content_Type="text/css",
        ETag='"st4"',
        Cache_Control="max-age=900",
    )
    server = place.serve(stage, desk, "tornado")
    vcl = 'sub vcl_recv { if (req.url ~ "^/admin") { return (pass); } }'
    edge = fronts.varnish(stage, server, vcl)
    me = stage.actor("client", edge, "laden.teehaus.test", "aiohttp")
    place.again(me, "/shop/style.css")
    first = me.get("/shop/artikel/tee-oolong")
    for price in (8.2, 8.4):
        for sku in ("tee-oolong", "tee-assam"):
            seen = me.get(f"/admin/artikel/{sku}")
            me.put(f"/admin/artikel/{sku}", {**seen.json, "preis": price}, 200, {"If-Match": seen.etag})
            place.sure(me.get(f"/admin/artikel/{sku}").json["preis"] == price)
        place.rest(1.2)
        place.sure(me.get("/shop/artikel/tee-oolong").etag == first.etag)
    place.rest(16.5)
    me.get("/shop/artikel/tee-oolong")
    place.rest(0.5)
    place.sure(me.get("/shop/artikel/tee-oolong").json["preis"] == 8.4)
    me.get("/shop/style.css", 304, {"If-None-Match": '"st4"'})
