"""What clients do with versions."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tools.recording_apis.apps.ida_wire import Desk, Req, Res, Rows, digest, iso
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ida_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _table(rows: Rows) -> Desk:
    desk = Desk(x_ms_version="2019-02-02", Cache_Control="no-cache")

    def mark(key: str) -> str:
        stamp = iso(rows[key].at, 6)[:-1] + "7Z"
        return f"W/\"datetime'{stamp.replace(':', '%3A')}'\""

    def entity(key: str) -> dict[str, Any]:
        return {"odata.etag": mark(key), "PartitionKey": "linie9", "RowKey": key, **rows[key].data}

    def error(status: int, code: str, said: str) -> Res:
        body = {"odata.error": {"code": code, "message": {"lang": "en-US", "value": said}}}
        return Res(status, body, {"x-ms-error-code": code})

    @desk.on("GET MERGE PUT", r"/haltestellen\(PartitionKey='linie9',RowKey='(\w+)'\)")
    def one(req: Req, key: str) -> Res:
        sent = req.fields.get("if-match", "")
        if req.method == "GET":
            return Res(200, entity(key), {"ETag": mark(key)})
        if sent != "*" and "%3A" not in sent:
            return error(
                400, "InvalidInput", "The etag value specified in one of the request headers is not valid."
            )
        if sent not in {"*", mark(key)}:
            return error(
                412,
                "UpdateConditionNotSatisfied",
                "The update condition specified in the request was not satisfied.",
            )
        rows.keep(key, {**rows[key].data, **req.json}, "dispo")
        return Res(204, b"", {"ETag": mark(key)})

    @desk.on("GET", r"/haltestellen\(\)")
    def query(_req: Req) -> Res:
        return Res(
            200, {"odata.metadata": "$metadata#haltestellen", "value": [entity(key) for key in rows.rows]}
        )

    desk.page("/Tables", {"value": [{"TableName": "haltestellen"}, {"TableName": "fahrzeuge"}]})
    return desk


@case(
    "d795",
    "ida-stops-with-decoded-moment",
    "malformed-validator",
    "400",
    alone="malformed-validator",
    synthetic=True,
    description=(
        "A transport dispatcher's tool on a store after the pattern of Azure Table passes the odata.etag of a list through "
        "a URL decoder before it sends it in If-Match: %3A has become a colon, and the merge is 400 InvalidInput. Another "
        "view of the tool takes the ETag field as it is, and its merge passes."
    ),
)
def stops(stage: Stage) -> None:
    """Decode what is opaque."""
    rows = Rows()
    for number, key in enumerate(("rathaus", "hafen", "zoo")):
        rows.seed(key, {"Steig": number + 1, "Barrierefrei": False}, 70000 + number * 311)
    server = place.serve(stage, _table(rows), "cheroot", "Azure Table")
    me = stage.actor(
        "client",
        server,
        "verkehr.table.test",
        "requests",
        {"Accept": "application/json;odata=minimalmetadata"},
    )
    place.look(me, "/Tables")
    listed = {one["RowKey"]: one for one in me.get("/haltestellen()").json["value"]}
    zoo = "/haltestellen(PartitionKey='linie9',RowKey='zoo')"
    me.send("MERGE", zoo, 204, {"If-Match": me.get(zoo).etag}, {"Barrierefrei": True})
    for key in ("rathaus", "hafen"):
        path = f"/haltestellen(PartitionKey='linie9',RowKey='{key}')"
        me.send("MERGE", path, 400, {"If-Match": unquote(listed[key]["odata.etag"])}, {"Barrierefrei": True})
        place.rest(0.3)
        place.sure(me.get(path).json["odata.etag"] == listed[key]["odata.etag"])


def _compute(rows: Rows) -> Desk:
    desk = Desk()
    base = "/compute/v1/projects/radar/zones/europe-north1-a/instances"

    def finger(part: Any) -> str:
        return base64.urlsafe_b64encode(bytes.fromhex(digest(part, 16))).decode()

    def shown(key: str) -> dict[str, Any]:
        data = rows[key].data
        meta = {"kind": "compute#metadata", "fingerprint": finger(["m", data["meta"]]), "items": data["meta"]}
        own = {
            "id": digest(key, 12),
            "name": key,
            "status": "RUNNING",
            "metadata": meta,
            "labels": data["labels"],
        }
        return {
            "kind": "compute#instance",
            **own,
            "labelFingerprint": finger(["l", data["labels"]]),
            "fingerprint": finger([key, rows[key].rev]),
        }

    @desk.on("GET", base + r"/([\w-]+)")
    def one(_req: Req, key: str) -> Res:
        return Res(200, shown(key))

    @desk.on("POST", base + r"/([\w-]+)/set(Labels|Metadata)")
    def change(req: Req, key: str, what: str) -> Res:
        field, part = ("labelFingerprint", "labels") if what == "Labels" else ("fingerprint", "meta")
        now = shown(key)["labelFingerprint"] if what == "Labels" else shown(key)["metadata"]["fingerprint"]
        if req.json.get(field) != now:
            said = f"{'Labels' if what == 'Labels' else 'Metadata'} fingerprint either invalid or resource labels have changed"
            where = {"reason": "conditionNotMet", "location": "If-Match", "locationType": "header"}
            error = {"message": said, "domain": "global", **where}
            return Res(412, {"error": {"code": 412, "message": said, "errors": [error]}})
        rows.keep(key, {**rows[key].data, part: req.json["labels" if what == "Labels" else "items"]}, "ops")
        return Res(
            200,
            {"kind": "compute#operation", "operationType": f"set{what}", "status": "DONE", "progress": 100},
        )

    @desk.on("GET", base)
    def listing(_req: Req) -> Res:
        items = [{"name": key, "status": "RUNNING"} for key in rows.rows]
        return Res(200, {"kind": "compute#instanceList", "items": items})

    return desk


@case(
    "d786",
    "ida-labels-with-metadata-fingerprint",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description=(
        "An inventory tool sets labels of machines (after the pattern of Google Compute) and sends the fingerprint of the "
        "machine's metadata as labelFingerprint: 412 conditionNotMet, also after a fresh read. Its change of the metadata with "
        "the same value passes. Nobody else writes."
    ),
)
def labels(stage: Stage) -> None:
    """Take the mark of another part."""
    rows = Rows(first=5)
    for key in ("radar-ingest-1", "radar-ingest-2"):
        rows.seed(key, {"meta": [{"key": "startup", "value": "v2"}], "labels": {"team": "sea"}})
    server = place.serve(stage, _compute(rows), "aiohttp", "Google Compute Engine")
    me = stage.actor(
        "client", server, "compute.radar.test", "node:axios", {"User-Agent": "inventory/0.9 gl-node/20"}
    )
    base = "/compute/v1/projects/radar/zones/europe-north1-a/instances"
    me.get(base)
    for key in ("radar-ingest-1", "radar-ingest-2"):
        one = me.get(f"{base}/{key}").json
        if key.endswith("1"):
            items = [*one["metadata"]["items"], {"key": "owner", "value": "met"}]
            place.post(
                me,
                f"{base}/{key}/setMetadata",
                {"fingerprint": one["metadata"]["fingerprint"], "items": items},
            )
            one = me.get(f"{base}/{key}").json
        for _ in range(2):
            body = {
                "labels": {**one["labels"], "cost": "4410"},
                "labelFingerprint": one["metadata"]["fingerprint"],
            }
            place.post(me, f"{base}/{key}/setLabels", body, 412)
            place.rest(0.3)
            one = me.get(f"{base}/{key}").json


def _library(rows: Rows) -> tuple[Desk, list[int]]:
    desk, level = Desk(Zotero_API_Version="3"), [4810]
    base = r"/groups/51733/items"

    def head(version: int) -> dict[str, str]:
        return {"Last-Modified-Version": str(version)}

    @desk.on("GET PATCH", base + r"/(\w{8})")
    def item(req: Req, key: str) -> Res:
        row = rows[key]
        if req.method == "PATCH":
            sent = req.fields.get("if-unmodified-since-version")
            if sent is None:
                return Res(428, "If-Unmodified-Since-Version not provided", {"Content-Type": "text/plain"})
            if int(sent) < level[0]:
                said = (
                    f"Library has been modified since specified version (expected {sent}, found {level[0]})"
                )
                return Res(412, said, {"Content-Type": "text/plain", **head(level[0])})
            level[0] += 1
            row = rows.keep(key, {**row.data, **req.json, "version": level[0]}, req.who)
            return Res(204, b"", head(level[0]))
        return Res(
            200, {"key": key, "version": row.data["version"], "data": row.data}, head(row.data["version"])
        )

    @desk.on("GET", base)
    def items(req: Req) -> Res:
        if req.fields.get("if-modified-since-version") == str(level[0]):
            return Res(304, b"", head(level[0]))
        since = int(req.query.get("since", 0))
        changed = {key: row.data["version"] for key, row in rows.rows.items() if row.data["version"] > since}
        return Res(200, changed, head(level[0]))

    desk.page("/keys/current", {"userID": 990, "username": "thesis"})
    desk.page("/groups/51733", {"id": 51733, "data": {"name": "Glaciology"}})
    return desk, level


@case(
    "d794",
    "ida-bibliography-one-number-for-all",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    also="other-writer",
    synthetic=True,
    description=(
        "A group library after the pattern of Zotero compares If-Unmodified-Since-Version with the version of the whole library. "
        "A colleague tags other items; the client's change of an item that nobody touched is 412 twice, the item's own "
        "version being the same each time it is read."
    ),
)
def bibliography(stage: Stage) -> None:
    """Be refused for what others did to other items."""
    rows = Rows()
    for number, key in enumerate(("ABCD2345", "EFGH6789", "JKLM2345", "NPQR6789")):
        rows.seed(key, {"title": f"Ice {number}", "tags": [], "extra": "", "version": 4790 + number * 5})
    desk, _level = _library(rows)
    server = place.serve(stage, desk, "bottle", "Zotero")
    me = stage.actor(
        "client", server, "api.literatur.test", "httpx", {"Zotero-API-Key": "P9NiFo", "X-User": "thesis"}
    )
    other = stage.actor(
        "other", server, "api.literatur.test", "requests", {"Zotero-API-Key": "Kq81", "X-User": "tutor"}
    )
    place.look(me, "/keys/current", "/groups/51733")
    base = "/groups/51733/items"
    version = me.get(f"{base}?format=versions").fields["last-modified-version"]
    me.get(f"{base}?format=versions", 304, {"If-Modified-Since-Version": version})
    for number, key in enumerate(("EFGH6789", "NPQR6789")):
        mine = me.get(f"{base}/ABCD2345").json
        listed = me.get(f"{base}?format=versions&since={version}").fields["last-modified-version"]
        theirs = other.get(f"{base}?format=versions").fields["last-modified-version"]
        fields = {"If-Unmodified-Since-Version": theirs}
        other.send("PATCH", f"{base}/{key}", 204, fields, {"tags": [{"tag": f"round {number}"}]})
        place.rest(0.4)
        me.send(
            "PATCH", f"{base}/ABCD2345", 412, {"If-Unmodified-Since-Version": listed}, {"extra": "DOI 10.1/x"}
        )
        place.sure(me.get(f"{base}/ABCD2345").json == mine)
        me.get(f"{base}?format=versions&since={listed}")


@case(
    "d793",
    "ida-draft-order-patched-bare",
    "token-missing",
    "428",
    alone="token-missing",
    synthetic=True,
    description=(
        "A buyer's macro patches orders of an OData service after the pattern of SAP S/4HANA with a CSRF token but no "
        "If-Match, though each read shows the ETag: 428. It reads again and sends the same, also 428."
    ),
)
def order(stage: Stage) -> None:
    """Leave the condition out where it is wanted."""
    rows = Rows()
    for number in (4500000017, 4500000018):
        rows.seed(str(number), {"PurchaseOrder": str(number), "Incoterms": "EXW", "YY1_Note": ""}, 200000)
    desk = Desk(sap_processing_info="ODataBEP=,crp=,RAL=")

    @desk.on("GET PATCH HEAD", r"/sap/opu/odata4/sap/z_po/srvd_a2x/0001/PurchaseOrder\('(\d+)'\)")
    def one(req: Req, key: str) -> Res:
        row = rows[key]
        mark = f'W/"SADL-{iso(row.at, 0).translate(str.maketrans("", "", "-T:Z"))}000000C~{digest([key, row.rev], 12).upper()}"'
        if req.method == "PATCH" and "if-match" not in req.fields:
            said = "Die Anforderung muss als bedingte Anforderung gesendet werden (fehlendes If-Match)"
            error = {
                "code": "/IWBEP/CM_V4_APPS/017",
                "message": said,
                "@SAP__common.ExceptionCategory": "Client_Error",
            }
            return Res(428, {"error": error})
        return Res(
            200,
            {"@odata.metadataEtag": 'W/"20261101"', "@odata.etag": mark, **row.data},
            {"ETag": mark, "x-csrf-token": "Kx3a=="},
        )

    desk.page(
        "/sap/opu/odata4/sap/z_po/srvd_a2x/0001/",
        {"value": [{"name": "PurchaseOrder"}]},
        x_csrf_token="Kx3a==",  # noqa: S106 - no secret
    )
    server = place.serve(stage, desk, "waitress", "SAP S/4HANA OData V4")
    me = stage.actor(
        "client",
        server,
        "erp.einkauf.test",
        "curl:trace-time",
        {"Accept": "application/json", "sap-client": "100"},
    )
    root = "/sap/opu/odata4/sap/z_po/srvd_a2x/0001/"
    token = me.get(root, 200, {"x-csrf-token": "Fetch"}).fields["x-csrf-token"]
    for number in (4500000017, 4500000018, 4500000018):
        me.get(f"{root}PurchaseOrder('{number}')")
        me.send(
            "PATCH", f"{root}PurchaseOrder('{number}')", 428, {"x-csrf-token": token}, {"Incoterms": "FCA"}
        )
        place.rest(0.3)
    me.get(f"{root}PurchaseOrder('4500000018')")


@case(
    "d759",
    "ida-phone-app-adds-what-it-knows",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "A hiking club's app on a phone: the view in the web page saves a tour without any condition and gets 200; the native "
        "screen's save goes through the system's URL cache, which adds the If-None-Match of the stored answer to the PUT: 412, "
        "each time, while the page's saves of the same tours pass. The app's own code sets no condition."
    ),
)
def phone(stage: Stage) -> None:
    """Send what a cache added."""
    rows = Rows()
    for number in (12, 13):
        rows.seed(str(number), {"tour": number, "ziel": "Karwendel", "plaetze": 8})
    desk = Desk(Cache_Control="private, max-age=0")

    @desk.on("GET PUT", r"/api/touren/(\d+)")
    def tour(req: Req, key: str) -> Res:
        mark = f'"t{digest(rows[key].data, 16)}"'
        if req.fields.get("if-none-match") == mark:
            if req.method == "GET":
                return Res(304, b"", {"ETag": mark})
            return Res(412, {"fehler": "Vorbedingung nicht erfüllt", "feld": "If-None-Match"})
        if req.method == "PUT":
            rows.keep(key, req.json, req.who)
        return Res(200, rows[key].data, {"ETag": f'"t{digest(rows[key].data, 16)}"'})

    desk.page("/api/touren", {"touren": [12, 13]}, ETag='"tl2"')
    desk.page("/api/ich", {"name": "Resi", "rolle": "leitung"})
    server = place.serve(stage, desk, "stdlib")
    me = stage.actor("client", server, "touren.alpenverein.test", "requests", {"X-User": "resi"})
    native = {"User-Agent": "Touren/412 CFNetwork/1568.200.51 Darwin/24.1.0", "Accept-Language": "de-AT"}
    web = {
        "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
        "Accept-Language": "de-AT",
    }
    me.get("/api/ich", 200, native)
    place.again(me, "/api/touren", native)
    for key in ("12", "13"):
        path = f"/api/touren/{key}"
        one = me.get(path, 200, native)
        me.get(path, 304, {**native, "If-None-Match": one.etag})
        body = {**one.json, "plaetze": 10}
        me.put(path, body, 412, {**native, "If-None-Match": one.etag})
        place.rest(0.4)
        me.get(path, 200, web)
        me.put(path, body, 200, web)
        place.rest(0.2)
    seen = me.get("/api/touren/13", 200, native)
    me.put("/api/touren/13", {**seen.json, "ziel": "Rofan"}, 412, {**native, "If-None-Match": seen.etag})


def _pages_desk() -> Any:
    desk = Desk(audit_id="6fe1-90")
    born: dict[str, float] = {}
    names = [f"release-{n:02}" for n in range(1, 7)]

    @desk.on("GET", "/api/v1/namespaces/ads/configmaps")
    def listing(req: Req) -> Res:
        token, start = req.query.get("continue", ""), 0
        if token:
            start = int(base64.b64decode(token).decode().split("@")[1])
            if time.time() - born[token.split("=")[0]] > 1.6:
                said = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter."
                return Res(
                    410,
                    {
                        "kind": "Status",
                        "apiVersion": "v1",
                        "status": "Failure",
                        "message": said,
                        "reason": "Expired",
                        "code": 410,
                    },
                )
        meta: dict[str, Any] = {"resourceVersion": "884120"}
        if start + 2 < len(names):
            meta["continue"] = base64.b64encode(
                f"rv884120t{time.time_ns() % 10**9}@{start + 2}".encode()
            ).decode()
            meta["remainingItemCount"] = len(names) - start - 2
            born[meta["continue"].split("=")[0]] = time.time()
        items = [
            {"metadata": {"name": name, "namespace": "ads", "resourceVersion": str(880000 + n)}}
            for n, name in enumerate(names)
        ]
        page = {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": meta}
        return Res(200, {**page, "items": items[start : start + 2]})

    @desk.on("PATCH", r"/api/v1/namespaces/ads/configmaps/([\w-]+)")
    def label(req: Req, name: str) -> Res:
        return Res(
            200, {"kind": "ConfigMap", "metadata": {"name": name, "labels": req.json["metadata"]["labels"]}}
        )

    desk.page("/version", {"major": "1", "minor": "31"})
    return desk


@case(
    "d768",
    "ida-inventory-pages-too-slow",
    "token-expired",
    "410",
    alone="token-expired",
    synthetic=True,
    description=(
        "An inventory job lists config maps of a cluster after the pattern of Kubernetes page by page and works on each page; "
        "by the third page the continue token has outlived the compaction and is 410 Expired. A list begun anew gives fresh "
        "tokens of the same kind that work when it goes on at once."
    ),
)
def pages(stage: Stage) -> None:
    """Come back too late with a token."""
    desk = _pages_desk()
    server = place.serve(stage, desk, "tornado", "Kubernetes")
    me = stage.actor(
        "client",
        server,
        "kube.werbung.test",
        "aiohttp",
        {"User-Agent": "inventory/v0.3 (linux/amd64) kubernetes/$Format"},
    )
    path, patch = "/api/v1/namespaces/ads/configmaps", {"Content-Type": "application/merge-patch+json"}
    place.look(me, "/version")

    def one_run(pause: float) -> None:
        page, token = 0, ""
        while page == 0 or token:
            page += 1
            slow = pause and page == 3
            got = me.get(f"{path}?limit=2{f'&continue={token}' if token else ''}", 410 if slow else 200).json
            if slow:
                return
            for item in got["items"]:
                name = item["metadata"]["name"]
                me.send("PATCH", f"{path}/{name}", 200, patch, '{"metadata":{"labels":{"seen":"yes"}}}')
                place.rest(pause if page == 2 else 0.05)
            token = got["metadata"].get("continue", "")

    one_run(1.0)
    place.rest(0.4)
    one_run(0.0)
