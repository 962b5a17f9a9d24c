"""Stories on Microsoft's lists, documents, settings and tables."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from tools.recording_apis import fronts
from tools.recording_apis.apps import tia_microsoft as microsoft
from tools.recording_apis.apps.tia_core import guid, httpdate
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_tia_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.apps.tia_core import Req, Res
    from tools.recording_apis.stage import Stage


@case(
    "e079",
    "tia-form-with-a-tag-of-this-moment",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    synthetic=True,
    description=(
        "A hire desk's form reads an item, and reads it once more at the moment of saving to have a valid IF-MATCH; it then "
        "merges all fields as they stood when the form was opened. The colleague's note that the second read held is gone; "
        "every answer is 2xx."
    ),
)
def hire(stage: Stage) -> None:
    """Save an old form under a new tag."""
    items = {
        str(n): {"Title": f"Beamer {n}", "Raum": "A1", "Notiz": "", "Status": "frei"} for n in (12, 14, 15)
    }
    server = place.open_box(stage, microsoft.sharepoint("Geraete", items), "cheroot", "SharePoint REST")
    host = "hochschule.sharepoint.example"
    accept = {"Accept": "application/json;odata=minimalmetadata", "X-RequestDigest": "0x***"}
    me = stage.actor("client", server, host, "httpx", {**accept, "User-Agent": place.CHROME})
    other = stage.actor("other", server, host, "requests", {**accept, "User-Agent": "PnPCoreSDK/1.14"})
    base = "/sites/verleih/_api/web/lists/getbytitle('Geraete')/items"
    me.send("POST", "/sites/verleih/_api/contextinfo", 200, None, "")
    me.get(f"{base}?$top=50")
    for number in (12, 14):
        path = f"{base}({number})"
        form = me.get(path).json
        if number == 14:
            theirs = other.get(path)
            other.send(
                "POST",
                path,
                204,
                {"X-HTTP-Method": "MERGE", "IF-MATCH": theirs.etag},
                {"Notiz": "Lampe defekt, nicht ausgeben"},
            )
        place.rest(1.1)
        now = me.get(path)
        body = {name: form[name] for name in ("Title", "Raum", "Notiz")} | {"Status": "verliehen"}
        me.send("POST", path, 204, {"X-HTTP-Method": "MERGE", "IF-MATCH": now.etag}, body)
    last = me.get(f"{base}(14)").json
    place.sure(last["Notiz"] == "" and last["Status"] == "verliehen")


def _cosmos(name: str) -> dict[str, str]:
    return {
        "Authorization": "type%3dmaster%26ver%3d1.0%26sig%3d***",
        "x-ms-date": httpdate(time.time()).lower(),
        "x-ms-version": "2020-07-15",
        "x-ms-documentdb-partitionkey": json.dumps([name]),
    }


@case(
    "e064",
    "tia-beds-without-a-condition",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    synthetic=True,
    description=(
        "A ward's board replaces whole documents without If-Match although each answer holds an _etag. Between its read and "
        "its write a feed that it polls shows the isolation which the hygiene team has set; the replacement takes it away, "
        "with 200."
    ),
)
def beds(stage: Stage) -> None:
    """Replace what was changed meanwhile."""
    docs = {
        f"B-{n}": {"ward": "3W", "patient": None, "isolation": False, "clean": True} for n in (31, 32, 33)
    }
    server = place.open_box(stage, microsoft.cosmos("betten", docs), "cheroot", "Azure Cosmos DB")
    host = "klinikum.documents.azure.example"
    me = stage.actor(
        "client",
        server,
        host,
        "node:axios",
        {**_cosmos("3W"), "User-Agent": "board/3 azsdk-js-cosmosdb/4.2.0"},
    )
    other = stage.actor(
        "other", server, host, "requests", {**_cosmos("3W"), "User-Agent": "hygiene azsdk-python-cosmos/4.9"}
    )
    base = "/dbs/betrieb/colls/betten/docs"
    me.get(base)
    mine = {n: me.get(f"{base}/B-{n}").json for n in (31, 32)}
    theirs = other.get(f"{base}/B-32")
    other.put(f"{base}/B-32", {**theirs.json, "isolation": True}, 200, {"If-Match": theirs.etag})
    place.rest(0.8)
    place.sure(me.get(base).json["Documents"][1]["isolation"] is True)
    for n, patient in ((31, "p-5521"), (32, "p-5530")):
        me.put(f"{base}/B-{n}", {**mine[n], "patient": patient}, 200)
        place.rest(0.4)
    place.sure(me.get(base).json["Documents"][1]["isolation"] is False)


@case(
    "e046",
    "tia-booking-sent-again-by-the-sdk",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    synthetic=True,
    description=(
        "A booking's replacement is carried out, but the connection breaks before the answer; the library sends it again "
        "with the same If-Match and activity id and gets 412. What is read then is the client's own document, with its "
        "operation's id, under a tag of the first attempt's second."
    ),
)
def booking(stage: Stage) -> None:
    """Be refused by one's own write."""
    docs = {f"T-{n}": {"room": "Turnhalle", "slot": n, "club": None} for n in (11, 12, 13)}
    server = place.open_box(stage, microsoft.cosmos("hallen", docs), "cheroot", "Azure Cosmos DB")
    me = stage.actor(
        "client",
        server,
        "sportamt.documents.azure.example",
        "requests",
        {**_cosmos("Turnhalle"), "User-Agent": "azsdk-python-cosmos/4.9.0"},
        loses=place.drops("PUT", "/docs/T-12"),
    )
    base = "/dbs/betrieb/colls/hallen/docs"
    me.get(base)
    for n in (11, 12):
        seen = me.get(f"{base}/T-{n}")
        body = {**seen.json, "club": "TSV 1861", "opId": guid(f"op{n}")}
        fields = {"If-Match": seen.etag, "x-ms-activity-id": guid(f"activity{n}")}
        if n == 11:
            me.put(f"{base}/T-11", body, 200, fields)
            continue
        me.put(f"{base}/T-12", body, 0, fields)
        place.rest(1.0)
        me.put(f"{base}/T-12", body, 412, fields)
        place.sure(me.get(f"{base}/T-12").json["opId"] == guid("op12"))
    me.get(base)


@case(
    "e071",
    "tia-flags-under-an-empty-tag",
    "null-token",
    "lost-update",
    alone="null-token",
    synthetic=True,
    description=(
        'A release tool lists settings with $Select=key,value, so that it knows no etag, and sends If-Match: "" with each '
        "change, which the service takes for no condition. The country that an operator has added to a flag, and that the "
        "tool's own watch has shown since, is gone."
    ),
)
def flags(stage: Stage) -> None:
    """Guard with nothing."""
    pairs = {
        f"Shop:{name}": json.dumps({"on": False, "countries": ["de"]})
        for name in ("Coupons", "Klarna", "Abholung")
    }
    server = place.open_box(stage, microsoft.settings(pairs), "cheroot", "Azure App Configuration")
    host = "shop-cfg.azconfig.example"
    me = stage.actor(
        "client",
        server,
        host,
        "requests",
        {"Authorization": "HMAC-SHA256 Credential=***", "User-Agent": "release-train/11"},
    )
    other = stage.actor(
        "other",
        server,
        host,
        "node:fetch",
        {"Authorization": "HMAC-SHA256 Credential=***", "User-Agent": "javascript-appconfiguration/1.8"},
    )
    more = "label=prod&api-version=2023-11-01"
    known = {
        one["key"]: json.loads(one["value"]) for one in me.get(f"/kv?{more}&$Select=key,value").json["items"]
    }
    path = f"/kv/Shop%3AKlarna?{more}"
    theirs = other.get(path)
    body = {"value": json.dumps({"on": False, "countries": ["de", "nl"]}), "content_type": "application/json"}
    other.put(path, body, 200, {"If-Match": theirs.etag})
    place.rest(0.9)
    watched = me.get(path)
    me.get(path, 304, {"If-None-Match": watched.etag})
    place.sure("nl" in watched.json["value"])
    for key in ("Shop:Coupons", "Shop:Klarna"):
        value = json.dumps({**known[key], "on": True})
        me.put(
            f"/kv/{quote(key, '')}?{more}",
            {"value": value, "content_type": "application/json"},
            200,
            {"If-Match": '""'},
        )
        place.rest(0.3)
    place.sure("nl" not in me.get(path, 200, {"If-None-Match": watched.etag}).json["value"])


@case(
    "e058",
    "tia-portal-of-another-origin",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag",
    also="unconditional-write",
    synthetic=True,
    description=(
        "A portal's page on another origin edits rows; preflights and answers allow it, if-match among the fields, but no "
        "answer exposes ETag, and the content without metadata has none. So the page sends no condition: an agent's hint of "
        "a minute before is overwritten by the form, with 204."
    ),
)
def portal(stage: Stage) -> None:
    """Edit without being shown the tag."""
    origin = "https://kundenportal.stadtwerk.example"
    rows = {
        guid(f"zaehler{n}"): {"new_name": f"Anschluss {n}", "new_phone": f"0551 {n}", "new_hint": ""}
        for n in (71, 72, 73)
    }
    server = place.open_box(
        stage, microsoft.dataverse("new_connections", rows, origin), "cheroot", "Dataverse Web API"
    )
    host = "stadtwerk.crm4.dynamics.example"
    chrome = {
        "Origin": origin,
        "Referer": f"{origin}/",
        "User-Agent": place.CHROME,
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Site": "cross-site",
    }
    accept = {"Accept": "application/json;odata.metadata=none", "OData-Version": "4.0"}
    me = stage.actor("client", server, host, "httpx", chrome)
    other = stage.actor("other", server, host, "requests", {**accept, "User-Agent": "Dynamics-Agent/9.2"})
    base = "/api/data/v9.2/new_connections"

    def preflight(path: str, method: str, names: str) -> None:
        asks = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": names}
        me.send("OPTIONS", path, 204, asks)

    preflight(base, "GET", "odata-version")
    me.get(f"{base}?$select=new_name", 200, accept)
    for number in (71, 72):
        path = f"{base}({guid(f'zaehler{number}')})"
        preflight(path, "GET", "odata-version")
        form = me.get(path, 200, accept).json
        if number == 72:
            tag = other.get(path).etag
            other.send("PATCH", path, 204, {"If-Match": tag}, {"new_hint": "Sperrung 3.12., nicht anfahren"})
            place.rest(1.0)
            place.sure(me.get(path, 200, accept).json["new_hint"])
        preflight(path, "PATCH", "content-type,odata-version")
        me.send("PATCH", path, 204, accept, {**form, "new_phone": f"0170 {number}"})
        place.rest(0.4)
    place.sure(me.get(f"{base}({guid('zaehler72')})", 200, accept).json["new_hint"] == "")


@case(
    "e075",
    "tia-merge-that-took-too-long",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412",
    synthetic=True,
    description=(
        "A library's loans are merged into a table through an HAProxy that sends a request again when the answer takes "
        "longer than a second. The store has carried the first out; the second is refused by it, and the client sees one "
        "request and a 412 after that second. What it reads is its own entry, stamped within the request."
    ),
    notes=("the upstream file holds both requests",),
)
def loans(stage: Stage) -> None:
    """Be sent twice by a balancer."""
    rows = {f"2026/{n:04d}": {"Signatur": f"Hb {n}", "Leser": "", "Faellig": ""} for n in (417, 418, 419)}
    api = microsoft.table("Ausleihen", rows)
    slow: list[int] = []

    def late(req: Req, res: Res) -> None:
        if req.method == "MERGE" and "0418" in req.path and not slow:
            slow.append(res.status)
            time.sleep(1.5)

    api.after.append(late)
    server = place.open_box(stage, api, "cheroot", "Azure Table Storage")
    front = fronts.haproxy(
        stage,
        [server],
        " retries 2\n retry-on response-timeout conn-failure\n timeout server 1s\n http-response add-header X-Edge lb-2",
    )
    me = stage.actor(
        "client",
        front,
        "bibliothek.table.core.windows.example",
        "requests",
        {
            "x-ms-version": "2019-02-02",
            "Accept": "application/json;odata=minimalmetadata",
            "User-Agent": "azsdk-python-data-tables/12.6.0",
        },
    )
    me.get("/Ausleihen()?$filter=Leser%20eq%20''")
    for number, status in (("0417", 204), ("0418", 412), ("0419", 204)):
        path = f"/Ausleihen(PartitionKey='2026',RowKey='{number}')"
        seen = me.get(path)
        me.send(
            "MERGE",
            path,
            status,
            {"If-Match": seen.etag},
            {"Leser": f"L-77{number[-1]}", "Faellig": "2026-12-19"},
        )
        place.rest(0.3)
        me.get(path)
    place.sure(slow == [204])
