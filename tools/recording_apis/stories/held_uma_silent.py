# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202, ARG001 - routes are called by the frameworks
# fmt: off
"""Pages, notes, mail and data that are damaged while each status says well."""

from __future__ import annotations

import time
from functools import partial

from tools.recording_apis.apps.uma5_core import Api, Res, date, iso, mark, request_id
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place


@case(
    "e119",
    "uma-confluence-version-fetched-to-save",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    synthetic=True,
    description=(
        "A documentation plug-in keeps the body of a Confluence page that it read as version 7, fetches only the version "
        "number before it saves, and sends 9: 200. The paragraph that a colleague wrote in version 8 is gone."
    ),
)
def page(stage):
    """Save an old body under a new number."""
    api = Api({"X-AREQUESTID": lambda _r: f"{time.time_ns() % 10**6}x1", "X-AUSERNAME": "doku"}, fixed={
        "/rest/api/user/current": {"type": "known", "username": "doku", "displayName": "Doku Plugin"},
        "/rest/api/space/BETR": {"id": 98306, "key": "BETR", "name": "Betrieb", "type": "global"}})
    intro = "<p>Störungen meldet die Leitstelle.</p>"
    past = {7: (intro, "h.lang", time.time() - 86000)}

    def shown(number, expand):
        body, who, moment = past[number]
        got = {"id": "7340041", "type": "page", "title": "Bereitschaft"}
        got["version"] = {"by": {"username": who}, "when": iso(moment), "number": number, "minorEdit": False}
        return {**got, "body": {"storage": {"value": body, "representation": "storage"}}} if "body" in expand else got

    @api.on("GET PUT", "/rest/api/content/7340041")
    def one(req):
        last = max(past)
        if req.method == "PUT":
            if req.json["version"]["number"] != last + 1:
                return Res(409, {"statusCode": 409, "message": f"Version must be incremented on update. Current version is: {last}"})
            past[last + 1] = (req.json["body"]["storage"]["value"], req.who, time.time())
            return Res(200, shown(last + 1, "body"))
        return Res(200, shown(int(req.query.get("version", last)), req.query.get("expand", "")))

    server = place.open_box(stage, api, "cheroot", "Confluence")
    me = stage.actor("client", server, "wiki.stadtwerke.example", "node:axios", {"Authorization": "Bearer doku"})
    other = stage.actor("other", server, "wiki.stadtwerke.example", "requests", {"Authorization": "Bearer h.lang"})

    def save(who, body, number):
        form = {"id": "7340041", "type": "page", "title": "Bereitschaft", "version": {"number": number}}
        who.put("/rest/api/content/7340041", {**form, "body": {"storage": {"value": body, "representation": "storage"}}}, 200)

    me.get("/rest/api/user/current")
    me.get("/rest/api/space/BETR")
    mine = me.get("/rest/api/content/7340041?expand=body.storage,version").json["body"]["storage"]["value"]
    other.get("/rest/api/content/7340041?expand=body.storage,version")
    save(other, intro + "<p>Ab 22 Uhr gilt die 0800-Nummer.</p>", 8)
    place.rest(1.2)
    me.get("/rest/api/space/BETR")
    number = me.get("/rest/api/content/7340041?expand=version").json["version"]["number"]
    save(me, mine + "<p>Liste der Fahrzeuge: siehe Anlage.</p>", number + 1)
    place.rest(0.5)
    me.get("/rest/api/content/7340041?status=historical&version=8&expand=body.storage")
    place.sure("0800" not in me.get("/rest/api/content/7340041?expand=body.storage,version").text)


@case(
    "e104",
    "uma-nextcloud-notes-tab-left-open",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    synthetic=True,
    description=(
        "A notes program saves what stands in its open window without If-Match, though its own list has shown meanwhile "
        "that the phone added a line to this note (new etag): 200, and the line is gone from the next list."
    ),
)
def notes(stage):
    """Write over what the list has shown."""
    base = "/index.php/apps/notes/api/v1/notes"
    api = Api({"X-Notes-API-Versions": "0.2, 1.3", "X-Request-Id": lambda _r: mark(time.time_ns(), 20)}, fixed={
        "/index.php/apps/notes/api/v1/settings": {"notesPath": "Notes", "fileSuffix": ".md"}})
    for number, text in ((211, "Lait\nPain"), (212, "Vélo: chaîne"), (215, "Train 17h04")):
        api.add(f"{number}", {"title": text.split("\n")[0], "content": text, "category": "", "favorite": False})

    def shown(key):
        row = api.rows[key]
        return {"id": int(key), "etag": mark((key, row.rev)), "readonly": False, "modified": int(row.at), **row.data}

    @api.on("GET", base)
    def many(req):
        return Res(200, [shown(key) for key in api.rows], {"ETag": f'"{mark([shown(k) for k in api.rows])}"'})

    @api.on("GET PUT", base + r"/(\d+)")
    def one(req, key):
        if req.method == "PUT":
            if req.fields.get("if-match", f'"{shown(key)["etag"]}"') != f'"{shown(key)["etag"]}"':
                return Res(412, shown(key))
            api.rows[key].write({**api.rows[key].data, **req.json})
        return Res(200, shown(key), {"ETag": f'"{shown(key)["etag"]}"'})

    server = place.open_box(stage, api, "falcon", "Nextcloud Notes")
    me = stage.actor("client", server, "nuage.famille.example", "aiohttp", {"Authorization": "Basic bGluZTp4", "User-Agent": "QOwnNotes/24.9"})
    other = stage.actor("other", server, "nuage.famille.example", "java", {"Authorization": "Basic bGluZTp5", "User-Agent": "Nextcloud Notes Android/4.5"})
    me.get("/index.php/apps/notes/api/v1/settings")
    me.get(base)
    mine = me.get(f"{base}/211").json
    seen = other.get(f"{base}/211")
    other.put(f"{base}/211", {"content": "Lait\nPain\nCouches taille 4"}, 200, {"If-Match": seen.etag})
    place.rest(1.2)
    me.get(base)
    me.put(f"{base}/215", {"content": "Train 17h34"}, 200)
    place.rest(0.4)
    me.put(f"{base}/211", {"content": mine["content"] + "\nBeurre", "title": "Lait"}, 200)
    place.sure("Couches" not in me.get(base).text)


@case(
    "e083",
    "uma-oci-security-list-any-tag-will-do",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    synthetic=True,
    description=(
        "Oracle's cloud as a private region serves it: updates of security lists take an if-match of long ago with 200, "
        "so a rule that another team added, seen in the list meanwhile, disappears; twice."
    ),
)
def rules(stage):
    """Be let through with an old tag."""
    api = Api({"opc-request-id": lambda _r: f"{mark(time.time_ns()).upper()}/{mark(time.time_ns(), 32, 'sha1').upper()}"}, fixed={
        "/20160918/vcns": [{"id": "ocid1.vcn.oc2.frankfurt.aaaa", "cidrBlock": "10.4.0.0/16", "lifecycleState": "AVAILABLE"}]})
    for name in ("web", "db"):
        api.add(f"ocid1.securitylist.oc2.frankfurt.{name}", {"displayName": name, "ingressSecurityRules": [{"source": "10.4.0.0/16", "protocol": "6"}]})

    def tag(key):
        return mark((key, api.rows[key].rev), 8)

    def shown(key):
        row = api.rows[key]
        return {"id": key, "lifecycleState": "AVAILABLE", **row.data, "timeUpdated": iso(row.at)}

    @api.on("GET", "/20160918/securityLists")
    def many(req):
        return Res(200, [shown(key) for key in api.rows])

    @api.on("GET PUT", "/20160918/securityLists/(.+)")
    def one(req, key):
        if req.method == "PUT":
            api.rows[key].write({**api.rows[key].data, **req.json})
        return Res(200, shown(key), {"etag": tag(key)})

    server = place.open_box(stage, api, "starlette", "Oracle Cloud Infrastructure")
    always = {"User-Agent": "Oracle-PythonSDK/2.135.0", "opc-client-info": "Oracle-PythonSDK/2.135.0"}
    me = stage.actor("client", server, "iaas.frankfurt.oraclecloud.example", "requests", always)
    other = stage.actor("other", server, "iaas.frankfurt.oraclecloud.example", "httpx", always)
    me.get("/20160918/vcns?compartmentId=ocid1.compartment.oc1..net")
    held = {key: me.get(f"/20160918/securityLists/{key}") for key in api.rows}
    for key, seen in held.items():
        found = other.get(f"/20160918/securityLists/{key}")
        more = [*found.json["ingressSecurityRules"], {"source": "192.0.2.0/24", "protocol": "17"}]
        other.put(f"/20160918/securityLists/{key}", {"ingressSecurityRules": more}, 200, {"if-match": found.etag})
        place.rest(0.5)
        me.get("/20160918/securityLists?compartmentId=ocid1.compartment.oc1..net")
        now = me.get(f"/20160918/securityLists/{key}")
        place.sure(now.etag != seen.etag)
        own = [*seen.json["ingressSecurityRules"], {"source": "198.51.100.7/32", "protocol": "6"}]
        me.put(f"/20160918/securityLists/{key}", {"ingressSecurityRules": own}, 200, {"if-match": seen.etag})
    me.get("/20160918/securityLists?compartmentId=ocid1.compartment.oc1..net")


@case(
    "e110",
    "uma-couchdb-node-behind",
    "replica-lag",
    "conflict-in-200",
    alone="replica-lag",
    synthetic=True,
    description=(
        "A tram depot's CouchDB cluster: right after a PUT that made revision 4 a GET still answers revision 3; what is "
        "then sent to _bulk_docs with it comes back as conflict inside 201, and moments later the GET shows 4."
    ),
)
def depot(stage):
    """Read from the node that is behind."""
    api = Api({"Server": "CouchDB/3.3.3 (Erlang OTP/24)", "X-Couch-Request-ID": lambda _r: mark(time.time_ns(), 10), "X-CouchDB-Body-Time": "0"},
              lambda _r: Res(404, {"error": "not_found", "reason": "missing"}),
              {"/_session": {"ok": True, "userCtx": {"name": "depot", "roles": []}}, "/wagen": {"db_name": "wagen", "doc_count": 3}})
    past = {}
    for number in (2011, 2012, 2013):
        api.add(f"wagen:{number}", {"linie": "4", "km": 88120 + number}, 3)

    def rev(key, row):
        return f"{row.rev}-{mark((key, row.data))}"

    def change(key, body):
        row = api.rows[key]
        if body.get("_rev") != rev(key, row):
            return {"id": key, "error": "conflict", "reason": "Document update conflict."}
        past[key] = (rev(key, row), row.data, time.time())
        row.write({k: v for k, v in body.items() if not k.startswith("_")})
        return {"ok": True, "id": key, "rev": rev(key, row)}

    @api.on("POST", "/wagen/_bulk_docs")
    def bulk(req):
        return Res(201, [change(one["_id"], one) for one in req.json["docs"]])

    @api.on("GET PUT", "/wagen/(wagen:.+)")
    def one(req, key):
        if req.method == "PUT":
            made = change(key, req.json)
            return Res(201 if "ok" in made else 409, made, {"ETag": f'"{made.get("rev", "")}"'})
        now, data = rev(key, api.rows[key]), api.rows[key].data
        if key in past and time.time() - past[key][2] < 0.9:
            now, data = past[key][:2]
        return Res(200, {"_id": key, "_rev": now, **data}, {"ETag": f'"{now}"', "Cache-Control": "must-revalidate"})

    server = place.open_box(stage, api, "stdlib", "CouchDB cluster")
    me = stage.actor("client", server, "couch.depot.example", "node:fetch", {"Cookie": "AuthSession=ZGVwb3Q6NjU", "User-Agent": "nano/10.1.4"})
    me.get("/_session")
    me.get("/wagen")
    seen = me.get("/wagen/wagen:2012").json
    me.put("/wagen/wagen:2012", {**seen, "km": 90155}, 201)
    place.rest(0.15)
    docs = [me.get("/wagen/wagen:2011").json, me.get("/wagen/wagen:2012").json]
    told = me.send("POST", "/wagen/_bulk_docs", 201, None, {"docs": [{**doc, "werkstatt": "2026-12-02"} for doc in docs]}).json
    place.sure(told[1].get("error") == "conflict" and docs[1]["_rev"] == seen["_rev"])
    place.rest(1.0)
    place.sure(me.get("/wagen/wagen:2012").json["_rev"].startswith("4-"))


@case(
    "e095",
    "uma-tencent-cos-model-in-parts",
    "read-changed-mid-transfer",
    "corrupt-read",
    alone="read-changed-mid-transfer",
    synthetic=True,
    description=(
        "An inspection line fetches a model of 96 kB from Tencent's COS in four ranges without If-Match; it is replaced "
        "after the second: 206 all along, with two ETags, checksums and dates; another file came whole."
    ),
)
def parts(stage):
    """Splice two objects."""
    api = Api({"Server": "tencent-cos", "x-cos-request-id": lambda _r: mark(time.time_ns(), 28)})
    api.add("/models/weld-v5.bin", "A" * 98304)
    api.add("/models/labels.txt", "pore,crack,spatter\n" * 40)

    @api.on("GET HEAD PUT", "(/models/.+)")
    def one(req, key):
        row = api.rows[key]
        if req.method == "PUT":
            row.write(req.body.decode())
        marks = {"ETag": f'"{mark(row.data)}"', "Last-Modified": date(row.at), "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream",
                 "x-cos-hash-crc64ecma": str(int(mark(row.data, 15), 16)), "x-cos-storage-class": "STANDARD"}
        if "range" in req.fields:
            first, last = (int(one) for one in req.fields["range"].removeprefix("bytes=").split("-"))
            marks["Content-Range"] = f"bytes {first}-{last}/{len(row.data)}"
            return Res(206, row.data[first : last + 1], marks)
        return Res(200, "" if req.method == "PUT" else row.data, marks)

    server = place.open_box(stage, api, "cheroot", "Tencent COS")
    me = stage.actor("client", server, "qa-1300000000.cos.ap-shanghai.myqcloud.example", "requests", {"User-Agent": "cos-python-sdk-v5.1.9.31"})
    other = stage.actor("other", server, "qa-1300000000.cos.ap-shanghai.myqcloud.example", "curl")
    me.get("/models/labels.txt")
    me.send("HEAD", "/models/weld-v5.bin", 200)
    for number in range(4):
        if number == 2:
            place.rest(0.6)
            other.put("/models/weld-v5.bin", "B" * 98304, 200)
            place.rest(0.5)
        me.get("/models/weld-v5.bin", 206, {"Range": f"bytes={number * 24576}-{number * 24576 + 24575}"})


@case(
    "e108",
    "uma-broadleaf-cart-two-at-once",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    synthetic=True,
    description=(
        "A shop's front end adds two articles to a cart at the same moment with the same X-Cart-Version: both are 200 "
        "with the same next version, and the cart read afterwards holds one of them; it happens with two carts."
    ),
)
def carts(stage):
    """Pass the check together."""
    api = Api({"X-Content-Type-Options": "nosniff"}, fixed={"/api/catalog/browse/categories": {"content": [{"name": "Tea"}, {"name": "Cups"}]}})
    for number in ("01J9ZC", "01J9ZD"):
        api.add(number, {"items": [("kettle", 1)]}, 4)

    def shown(key):
        row = api.rows[key]
        return {"id": key, "version": row.rev, "status": "IN_PROCESS", "cartItems": [{"sku": sku, "quantity": n} for sku, n in row.data["items"]]}

    @api.on("GET", "/api/cart/carts/([^/]+)")
    def read(req, key):
        return Res(200, shown(key))

    @api.on("POST", "/api/cart-operations/cart/([^/]+)/items")
    def add(req, key):
        row = api.rows[key]
        rev, items = row.rev, row.data["items"]
        if req.fields.get("x-cart-version") != str(rev):
            return Res(409, {"type": "STALE_CART", "message": "The cart version is out of date", "status": 409})
        time.sleep(0.3)
        row.data, row.rev = {"items": [*items, (req.json["sku"], req.json["quantity"])]}, rev + 1
        return Res(200, shown(key))

    server = place.open_box(stage, api, "waitress", "Broadleaf")
    me = stage.actor("client", server, "shop.teahouse.example", "httpx", {"X-Context-Request": '{"tenantId":"5DF1363059675161A85F576D"}'})
    me.get("/api/catalog/browse/categories")
    for key in ("01J9ZC", "01J9ZD"):
        seen = me.get(f"/api/cart/carts/{key}").json

        def add_one(sku, key=key, seen=seen):
            return me.send("POST", f"/api/cart-operations/cart/{key}/items", 200, {"X-Cart-Version": str(seen["version"])}, {"sku": sku, "quantity": 1})

        place.at_once(partial(add_one, "sencha-100"), partial(add_one, "cup-blue"), apart=0.05)
        now = me.get(f"/api/cart/carts/{key}").json
        place.sure(len(now["cartItems"]) == 2 and now["version"] == 5)
    seen = me.send("POST", "/api/cart-operations/cart/01J9ZD/items", 200, {"X-Cart-Version": "5"}, {"sku": "lemon", "quantity": 2}).json
    me.get("/api/catalog/browse/categories")


@case(
    "e097",
    "uma-notion-page-polled",
    "unstable-etag",
    "no-304",
    alone="unstable-etag",
    synthetic=True,
    description=(
        "A wall display polls Notion pages with the tag of the last answer and is sent the whole page each time: the "
        "body carries a fresh request_id, and the tag is made of the body; last_edited_time never moves."
    ),
)
def wall(stage):
    """Never be told 304."""
    api = Api({"X-Powered-By": "Express", "x-notion-request-id": request_id})
    pages = {"1a2b3c4d5e6f4a7b8c9d0e1f2a3b4c5d": "Speiseplan", "2b3c4d5e6f4a7b8c9d0e1f2a3b4c5d6e": "Aushang"}

    @api.on("GET", "/v1/pages/(.+)")
    def one(req, key):
        title = {"title": {"id": "title", "type": "title", "title": [{"plain_text": pages[key]}]}}
        body = {"object": "page", "id": key, "last_edited_time": "2026-11-26T09:14:00.000Z", "archived": False, "properties": title,
                "request_id": request_id(req)}
        tag = f'W/"{len(str(body)):x}-{mark(body, 27)}"'
        return Res(304, b"", {"ETag": tag}) if req.fields.get("if-none-match") == tag else Res(200, body, {"ETag": tag})

    @api.on("GET", "/v1/users/me")
    def user(req):
        return Res(200, {"object": "user", "id": "9c8b7a65", "type": "bot", "name": "Wand"}, {"ETag": 'W/"4b-Zw8"'})

    server = place.open_box(stage, api, "aiohttp", "Notion")
    me = stage.actor("client", server, "api.notion.example", "node:fetch", {"Notion-Version": "2022-06-28", "Authorization": "Bearer secret_wall"})
    me.get("/v1/users/me")
    tags = {}
    for _round in range(4):
        for key in pages:
            own = {"If-None-Match": tags[key]} if key in tags else None
            tags[key] = me.get(f"/v1/pages/{key}", 200, own).etag
        place.rest(0.3)
