"""APIs in use with something in between."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ivo_desk import Ask, Desk, Row, Rows, Say, http_date, iso
from tools.recording_apis.stories import held_ivo_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _reapit() -> Desk:
    desk, rows = Desk({"X-Reapit-Request": "rq"}), Rows({})
    for number in (17, 18, 19):
        key = f"OXF18000{number}"
        rows[key] = Row(
            {
                "id": key,
                "type": "viewing",
                "description": "Viewing",
                "negotiatorIds": ["LJK"],
                "cancelled": False,
            },
            3,
            1764230000.0,
        )

    def tag(row: Row) -> str:
        return '"' + hashlib.md5(f"{row.rev}{row.data}".encode()).hexdigest().upper() + '"'  # noqa: S324

    def shown(row: Row) -> dict[str, Any]:
        return {**row.data, "modified": iso(row.at, 0), "_eTag": tag(row)}

    @desk.on("GET", "/appointments")
    def page(_ask: Ask) -> Say:
        found = [shown(one) for one in rows.values()]
        return Say(200, {"_embedded": found, "pageNumber": 1, "pageSize": 25, "totalCount": len(found)})

    @desk.on("GET", "/appointments/([A-Z0-9]+)")
    def read(_ask: Ask, key: str) -> Say:
        return Say(200, shown(rows[key]), {"ETag": tag(rows[key])})

    @desk.on("PATCH", "/appointments/([A-Z0-9]+)")
    def write(ask: Ask, key: str) -> Say:
        sent = ask.field("if-match")
        if sent and sent != tag(rows[key]):
            told = "The ETag provided does not match the current version of the resource"
            return Say(412, {"statusCode": 412, "dateTime": iso(rows[key].at, 0), "description": told})
        rows.keep(key, {**rows[key].data, **ask.json})
        return Say(204, None, {"ETag": tag(rows[key])})

    desk.shows("/negotiators/LJK", {"id": "LJK", "name": "Lena Kerr", "active": True})
    desk.shows("/offices/OXF", {"id": "OXF", "name": "Oxford"})
    return desk


@at.tell(
    "e581",
    "estate-agents-gateway",
    "precondition-stripped",
    "lost-update",
    "Reapit Foundations: appointments are changed through the agency's gateway, an nginx that empties If-Match; a "
    "stale tag is accepted there and the colleague's change goes, while the platform itself refuses such a tag.",
    alone="precondition-stripped precondition-ignored",
)
def viewings(stage: Stage) -> None:
    """Write the same stale tag on both ways."""
    server = at.opened(stage, _reapit(), "Reapit Foundations", "cheroot")
    strip = 'if ($host = "gw.hartley-lettings.test") { set $guard ""; }\nproxy_set_header If-Match $guard;\n'
    strip += 'add_header Via "1.1 $host" always;'
    front = fronts.nginx(stage, server, f"set $guard $http_if_match;\n{strip}")
    head = {"api-version": "2020-01-31", "reapit-customer": "SBOX"}
    gate = stage.actor("client", front, "gw.hartley-lettings.test", "httpx", head)
    direct = at.also_at(gate, "platform.reapit.cloud")
    other = stage.actor("other", server, "platform.reapit.cloud", "requests", head)
    at.look(gate, "/negotiators/LJK", "/offices/OXF", "/appointments")
    seen = gate.get("/appointments/OXF1800017")
    theirs = other.get("/appointments/OXF1800017")
    other.send(
        "PATCH", "/appointments/OXF1800017", 204, {"If-Match": theirs.etag}, {"negotiatorIds": ["LJK", "TOM"]}
    )
    at.rest(1.1)
    gate.send(
        "PATCH",
        "/appointments/OXF1800017",
        204,
        {"If-Match": seen.etag},
        {"description": "Viewing, keys at reception", "negotiatorIds": ["LJK"]},
    )
    at.sure(gate.get("/appointments/OXF1800017").json["negotiatorIds"] == ["LJK"])
    one = direct.get("/appointments/OXF1800018")
    direct.send(
        "PATCH", "/appointments/OXF1800018", 204, {"If-Match": one.etag}, {"description": "Second viewing"}
    )
    direct.send("PATCH", "/appointments/OXF1800018", 412, {"If-Match": one.etag}, {"cancelled": True})
    now = gate.send("PATCH", "/appointments/OXF1800018", 204, {"If-Match": one.etag}, {"cancelled": True})
    at.sure(now.etag != one.etag)


def _gocd() -> Desk:
    desk = Desk({"X-Runtime": "21", "Cache-Control": "no-cache"})
    rows = Rows(
        {f"{one}-build": {"name": f"{one}-build", "label_template": "${COUNT}"} for one in ("cart", "tax")}
    )
    for row in rows.values():
        row.data["materials"] = [
            {"type": "git", "attributes": {"url": "https://git.test/shop.git", "branch": "main"}}
        ]
        row.data["stages"] = [
            {"name": "compile", "clean_working_directory": False, "jobs": [{"name": "mvn"}]}
        ] * 3

    def tag(row: Row) -> str:
        return '"' + hashlib.sha256(repr((row.rev, row.data)).encode()).hexdigest() + '"'

    @desk.on("GET", "/go/api/admin/pipelines/([a-z-]+)")
    def read(ask: Ask, key: str) -> Say:
        head = {"ETag": tag(rows[key]), "Content-Type": "application/vnd.go.cd.v11+json; charset=utf-8"}
        return (
            Say(304, None, head)
            if ask.field("if-none-match") == head["ETag"]
            else Say(200, rows[key].data, head)
        )

    @desk.on("PUT", "/go/api/admin/pipelines/([a-z-]+)")
    def write(ask: Ask, key: str) -> Say:
        if ask.field("if-match").replace("--gzip", "") != tag(rows[key]):
            told = f"Someone has modified the configuration for pipeline '{key}'. Please update your copy of the config with the changes and try again."
            return Say(
                412, {"message": told}, {"Content-Type": "application/vnd.go.cd.v11+json; charset=utf-8"}
            )
        return Say(200, rows.keep(key, ask.json).data, {"ETag": tag(rows[key])})

    desk.shows("/go/api/v1/health", {"health": "OK"})
    desk.shows(
        "/go/api/dashboard", {"_embedded": {"pipeline_groups": [{"name": "shop", "pipelines": list(rows)}]}}
    )
    desk.shows("/go/api/version", {"version": "24.3.0", "build_number": "19261"})
    return desk


@at.tell(
    "e568",
    "pipelines-behind-httpd",
    "etag-suffix-rewrite",
    "412",
    "GoCD behind Apache's mod_deflate: the pipeline's tag comes back with -gzip within its quotes, and each PUT with it "
    "is 412 although nobody else changes anything.",
)
def pipelines(stage: Stage) -> None:
    """Send the tag as it came."""
    server = at.opened(stage, _gocd(), "GoCD", "waitress")
    deflate = "AddOutputFilterByType DEFLATE application/json application/vnd.go.cd.v11+json"
    front = fronts.apache(stage, server, deflate)
    me = stage.actor("client", front, "ci.shop.test", "requests", {"Authorization": "Bearer 5f1c"})
    accept = {"Accept": "application/vnd.go.cd.v11+json"}
    at.look(me, "/go/api/v1/health", "/go/api/version", "/go/api/dashboard")
    for key in ("cart-build", "tax-build"):
        seen = me.get(f"/go/api/admin/pipelines/{key}", 200, accept)
        at.sure(seen.etag.endswith('-gzip"'))
        body = {**seen.json, "label_template": "r${COUNT}"}
        at.rest()
        me.put(f"/go/api/admin/pipelines/{key}", body, 412, {**accept, "If-Match": seen.etag})
        me.get("/go/api/v1/health")
    at.look(me, "/go/api/dashboard")


def _sap() -> Desk:
    desk = Desk(
        {"sap-processing-info": "ODataBEP=,crp=,RAL=,st=,MedCacheHub=Table", "dataserviceversion": "2.0"}
    )
    rows = Rows(
        {
            number: {"SalesOrder": number, "PurchaseOrderByCustomer": "", "SoldToParty": "17100001"}
            for number in ("4711", "4712")
        }
    )

    def tag(row: Row) -> str:
        return f"W/\"datetimeoffset'{iso(row.at, 6).replace(':', '%3A')}'\""

    def shown(row: Row) -> Any:
        uri = (
            f"https://s4.test/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder('{row.data['SalesOrder']}')"
        )
        return {"d": {"__metadata": {"uri": uri, "type": "API_SALES_ORDER_SRV.A_SalesOrderType"}, **row.data}}

    base = "/sap/opu/odata/sap/API_SALES_ORDER_SRV"

    @desk.on("GET", rf"{base}/A_SalesOrder\('(\d+)'\)")
    def read(ask: Ask, key: str) -> Say:
        head = {"ETag": tag(rows[key])}
        if ask.field("x-csrf-token").lower() == "fetch":
            head["x-csrf-token"] = "pYxN0aWl8g=="
        return Say(200, shown(rows[key]), head)

    @desk.on("PATCH", rf"{base}/A_SalesOrder\('(\d+)'\)")
    def write(ask: Ask, key: str) -> Say:
        sent = ask.field("if-match")
        if sent != tag(rows[key]):
            code, told = (
                ("/IWFND/CM_MGW/505", "Data has been changed by another user")
                if sent
                else ("/IWBEP/CM_MGW_RT/053", "A precondition header is required: If-Match")
            )
            error = {
                "code": code,
                "message": {"lang": "en", "value": told},
                "innererror": {"transactionid": "6C9A"},
            }
            return Say(412 if sent else 428, {"error": error})
        rows.keep(key, {**rows[key].data, **ask.json})
        return Say(204, None, {"ETag": tag(rows[key])})

    desk.shows(f"{base}/", {"d": {"EntitySets": ["A_SalesOrder", "A_SalesOrderItem"]}})
    return desk


@at.tell(
    "e571",
    "orders-on-the-portal",
    "validator-stripped",
    "428",
    "SAP's sales orders through a portal that hides ETag: the program has nothing to send and is told 428 on each "
    "order; the same order read at the system itself has its tag, and the PATCH with it passes.",
    alone="validator-stripped token-missing",
)
def orders(stage: Stage) -> None:
    """Have no tag to send."""
    server = at.opened(stage, _sap(), "SAP Gateway", "tornado")
    hide = "proxy_hide_header ETag;"
    front = fronts.nginx(
        stage,
        server,
        "add_header X-Portal-Node p2 always;",
        "",
        f"location /portal/ {{ proxy_pass http://127.0.0.1:{stage.behind(server)}/; {hide} "
        "add_header X-Portal-Node p2 always; }",
    )
    me = stage.actor("client", front, "s4.kunze-pumpen.test", "java", {"Accept": "application/json"})
    base = "/sap/opu/odata/sap/API_SALES_ORDER_SRV"
    at.look(me, f"/portal{base}/")
    for order in ("4711", "4712"):
        seen = me.get(f"/portal{base}/A_SalesOrder('{order}')", 200, {"x-csrf-token": "Fetch"})
        at.sure("etag" not in seen.fields)
        token = {"x-csrf-token": seen.fields["x-csrf-token"]}
        change = {"PurchaseOrderByCustomer": "PO-9917"}
        me.send("PATCH", f"/portal{base}/A_SalesOrder('{order}')", 428, token, change)
        at.rest()
    seen = me.get(f"{base}/A_SalesOrder('4711')", 200, {"x-csrf-token": "Fetch"})
    guard = {"x-csrf-token": seen.fields["x-csrf-token"], "If-Match": seen.etag}
    me.send("PATCH", f"{base}/A_SalesOrder('4711')", 204, guard, {"PurchaseOrderByCustomer": "PO-9917"})


def _commerce() -> Desk:
    desk = Desk({"Server-Timing": "projectRequestTime;dur=12"})
    names = {"4f2b": "kettle", "77ac": "toaster", "90de": "grill"}
    rows = Rows(
        {f"{key}-11ee": {"key": name, "published": True, "slug": name} for key, name in names.items()}, 6
    )

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        return {"id": key, "version": row.rev, "lastModifiedAt": iso(row.at), **row.data}

    @desk.on("GET", "/kitchen/products/([0-9a-f-]+)")
    def read(_ask: Ask, key: str) -> Say:
        return Say(200, shown(key), {"Cache-Control": "public, max-age=60"})

    @desk.on("GET", "/kitchen/products")
    def page(_ask: Ask) -> Say:
        return Say(
            200,
            {"limit": 20, "offset": 0, "results": [shown(key) for key in rows]},
            {"Cache-Control": "no-store"},
        )

    @desk.on("POST", "/kitchen/products/([0-9a-f-]+)")
    def write(ask: Ask, key: str) -> Say:
        sent, row = ask.json["version"], rows[key]
        if sent != row.rev:
            told = (
                f"Object {key} has a different version than expected. Expected: {sent} - Actual: {row.rev}."
            )
            error = {"code": "ConcurrentModification", "message": told, "currentVersion": row.rev}
            return Say(409, {"statusCode": 409, "message": told, "errors": [error]})
        rows.keep(key, {**row.data, **{one["action"]: one.get("value") for one in ask.json["actions"]}})
        return Say(200, shown(key), {"Cache-Control": "no-store"})

    desk.on("POST", "/oauth/token")(
        lambda _ask: Say(
            200, {"access_token": "vkFuQ6oTwj8", "expires_in": 172800, "scope": "manage_products:kitchen"}
        )
    )
    return desk


@at.tell(
    "e563",
    "kettle-reads-through-a-store",
    "stale-cache-read",
    "409",
    "commercetools products read through a shared cache: after its own successful update the importer reads the "
    "product again, gets the older version from the store (HIT, Age) and its next update is ConcurrentModification.",
)
def kettle(stage: Stage) -> None:
    """Read what is kept."""
    server = at.opened(stage, _commerce(), "commercetools", "uvicorn")
    more = "add_header X-Cache $upstream_cache_status always; proxy_ignore_headers Vary;"
    front = fronts.nginx_cache(stage, server, 60, more)
    me = stage.actor("client", front, "api.europe-west1.kitchen.test", "node:axios")
    token = me.send("POST", "/oauth/token", 200, None, "grant_type=client_credentials").json["access_token"]
    head = {"Authorization": f"Bearer {token}"}
    at.look(me, "/kitchen/products", head=head)
    for key in ("4f2b-11ee", "90de-11ee"):
        seen = me.get(f"/kitchen/products/{key}", 200, head).json
        action = {"action": "setDescription", "value": "1.7 l"}
        body = {"version": seen["version"], "actions": [action]}
        done = me.send("POST", f"/kitchen/products/{key}", 200, head, body).json
        at.rest(0.6)
        again = me.get(f"/kitchen/products/{key}", 200, head)
        at.sure(again.json["version"] < done["version"] and again.fields["x-cache"] == "HIT")
        body = {
            "version": again.json["version"],
            "actions": [{"action": "setPriceMode", "value": "Embedded"}],
        }
        me.send("POST", f"/kitchen/products/{key}", 409, head, body)
    at.look(me, "/kitchen/products", head=head)


def _lrs() -> Desk:
    desk = Desk({"X-Experience-API-Version": "1.0.3"})
    store: dict[str, bytes] = {}
    for key in ("bookmark", "prefs"):
        store[key] = b'{"lesson":"3.2","seconds":418,"notes":"' + b"see the annex, page 4; " * 6 + b'"}'

    def tag(key: str) -> str:
        return '"' + hashlib.sha1(store[key]).hexdigest() + '"'  # noqa: S324

    @desk.on("GET", "/xapi/agents/profile")
    def read(ask: Ask) -> Say:
        key = ask.query.get("profileId", "")
        if not key:
            return Say(200, sorted(store))
        if key not in store:
            return Say(404)
        return Say(200, store[key], {"ETag": tag(key), "Content-Type": "application/json"})

    @desk.on("PUT", "/xapi/agents/profile")
    def write(ask: Ask) -> Say:
        key, guard = ask.query["profileId"], ask.field("if-match")
        if not guard and not ask.field("if-none-match"):
            return Say(409, "This document already exists; If-Match or If-None-Match is needed")
        if guard and guard != tag(key):
            return Say(412, "ETag does not match")
        store[key] = ask.body
        return Say(204, None, {"ETag": tag(key)})

    desk.on("POST", "/xapi/statements")(lambda _ask: Say(200, ["b5b1c0de-7d0c-4e0c-9d11-6f0b2a7ad001"]))
    desk.shows("/xapi/about", {"version": ["1.0.3"], "extensions": {}})
    return desk


@at.tell(
    "e562",
    "course-profile-compressed",
    "etag-weakened",
    "412",
    "An xAPI learning record store behind a compressing nginx: the agent profile's SHA-1 tag arrives weak, and the "
    "course's PUT with W/ is refused; the uncompressed read has the same tag without it and is let through.",
)
def course(stage: Stage) -> None:
    """Hold a weak tag."""
    server = at.opened(stage, _lrs(), "learning record store", "flask")
    me = stage.actor(
        "client",
        fronts.nginx_gzip(stage, server),
        "lrs.academy.test",
        "node:fetch",
        {"X-Experience-API-Version": "1.0.3", "Authorization": "Basic c2NvcmU6eA=="},
    )
    at.look(me, "/xapi/about")
    agent = "%7B%22mbox%22%3A%22mailto%3Aeva%40academy.test%22%7D"
    target = f"/xapi/agents/profile?agent={agent}&profileId="
    statement = {
        "actor": {"mbox": "mailto:eva@academy.test"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/initialized"},
        "object": {"id": "https://academy.test/c/7"},
    }
    me.send("POST", "/xapi/statements", 200, None, statement)
    me.get(target.removesuffix("&profileId="))
    seen = me.get(f"{target}bookmark", 200, {"Accept-Encoding": "gzip"})
    at.sure(seen.etag.startswith("W/"))
    body = {**seen.json, "seconds": 460}
    me.put(f"{target}bookmark", body, 412, {"If-Match": seen.etag})
    at.rest(0.8)
    me.send(
        "POST",
        "/xapi/statements",
        200,
        None,
        {**statement, "verb": {"id": "http://adlnet.gov/expapi/verbs/progressed"}},
    )
    seen = me.get(f"{target}prefs", 200, {"Accept-Encoding": "gzip"})
    me.put(f"{target}prefs", {**seen.json, "lesson": "3.3"}, 412, {"If-Match": seen.etag})
    plain = me.get(f"{target}prefs", 200, {"Accept-Encoding": "identity"})
    at.sure(f"W/{plain.etag}" == seen.etag)
    me.put(f"{target}prefs", {**seen.json, "lesson": "3.3"}, 204, {"If-Match": plain.etag})


def _blobs() -> Desk:
    desk, rows = Desk({"x-ms-version": "2023-11-03", "Server": "Windows-Azure-Blob/1.0"}), Rows({})
    for name in ("tariff.json", "zones.json"):
        rows[name] = Row(b'{"edition":7,"rates":[11,14,19]}', 7, 1732690000.0)

    def head(row: Row) -> dict[str, str]:
        digest = base64.b64encode(hashlib.md5(row.data).digest()).decode()  # noqa: S324
        more = {"ETag": f'"0x8DD0F{row.rev:010X}"', "Last-Modified": http_date(row.at), "Content-MD5": digest}
        return {**more, "x-ms-blob-type": "BlockBlob", "x-ms-lease-state": "available"}

    @desk.on("GET", "/fares/([a-z.]+)")
    def read(ask: Ask, key: str) -> Say:
        own, guard = head(rows[key]), ask.field("if-match")
        if guard and guard != own["ETag"]:
            return Say(
                412, "<Error><Code>ConditionNotMet</Code></Error>", {"x-ms-error-code": "ConditionNotMet"}
            )
        return Say(
            200, rows[key].data, {**own, "Content-Type": "application/json", "Cache-Control": "max-age=120"}
        )

    @desk.on("PUT", "/fares/([a-z.]+)")
    def write(ask: Ask, key: str) -> Say:
        if ask.field("if-match") not in {"", head(rows[key])["ETag"]}:
            return Say(
                412, "<Error><Code>ConditionNotMet</Code></Error>", {"x-ms-error-code": "ConditionNotMet"}
            )
        rows.keep(key, ask.body)
        return Say(201, None, {k: v for k, v in head(rows[key]).items() if not k.startswith("x-ms-l")})

    return desk


@at.tell(
    "e586",
    "tariffs-from-the-edge",
    "cache-misevaluates",
    "412",
    "Azure blobs behind an edge store: the publisher uploads a new tariff and reads it back pinned with If-Match to "
    "the tag that the upload answered; the store answers 412 itself from its old copy, without asking the account.",
)
def tariffs(stage: Stage) -> None:
    """Pin a read at the edge."""
    server = at.opened(stage, _blobs(), "Azure Blob", "cheroot")
    more = "add_header X-Cache $upstream_cache_status always; add_header X-Edge fra2 always;"
    front = fronts.nginx_cache(stage, server, 120, more)
    me = stage.actor("client", front, "cdn.tramfares.test", "urllib", {"x-ms-version": "2023-11-03"})
    for key in ("tariff.json", "zones.json"):
        seen = me.get(f"/fares/{key}")
        body = seen.body.replace(b'"edition":7', b'"edition":8')
        guard = {"If-Match": seen.etag, "x-ms-blob-type": "BlockBlob", "Content-Type": "application/json"}
        done = me.send("PUT", f"/fares/{key}", 201, guard, body)
        at.rest(0.5)
        refused = me.get(f"/fares/{key}", 412, {"If-Match": done.etag})
        at.sure(refused.fields["x-cache"] == "HIT" and "x-ms-error-code" not in refused.fields)
        at.rest(0.3)
    fresh = me.get("/fares/tariff.json?edition=8")
    at.sure(b'"edition":8' in fresh.body)
