"""Stories on sales, ERP, firewalls, distributions, references and edge stores."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps import tia_suites as suites
from tools.recording_apis.apps.tia_core import guid
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_tia_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "e045",
    "tia-accounts-by-the-retired-version",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    synthetic=True,
    description=(
        "A billing export changes accounts by the path of a retired API version; the service sends it on with 302, which "
        "the library follows with a GET. The export takes the 200 for success; the next query of the account shows the "
        "old address."
    ),
)
def accounts(stage: Stage) -> None:
    """Be sent on and change nothing."""
    rows = {
        f"0015g00000Xk{n}AAC": {"Name": f"Bäckerei {n}", "BillingCity": "Celle", "Phone": f"05141 {n}"}
        for n in (31, 32)
    }
    server = place.open_box(stage, suites.salesforce(rows, retired="v20.0"), "cheroot", "Salesforce REST")
    me = stage.actor(
        "client",
        server,
        "baeckerbund.my.salesforce.example",
        "requests:follow",
        place.bearer("fakturaexport/2.2"),
    )
    me.get("/services/data/v62.0/query?q=SELECT+Id,Name+FROM+Account")
    for key in rows:
        now = me.get(f"/services/data/v62.0/sobjects/Account/{key}")
        place.rest(0.4)
        got = me.send(
            "PATCH",
            f"/services/data/v20.0/sobjects/Account/{key}",
            200,
            {"If-Match": now.etag},
            {"BillingCity": "Uelzen"},
        )
        place.sure(got.json["BillingCity"] == "Celle")
    place.rest(0.3)
    last = me.get(f"/services/data/v62.0/sobjects/Account/{next(iter(rows))}")
    place.sure(last.json["BillingCity"] == "Celle")


@case(
    "e077",
    "tia-tags-that-end-in-gzip",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A loyalty app keeps accounts in step. The service's tags end in -gzip as its documentation has them, compressed or "
        "not, and are taken as they are: polls are 304, changes under them 204, and each change gives another tag."
    ),
)
def loyalty(stage: Stage) -> None:
    """Use tags as they are."""
    rows = {f"0015g00000Lo{n}AAC": {"Name": f"Kundin {n}", "Points__c": 10 * n} for n in (41, 42, 43)}
    server = place.open_box(stage, suites.salesforce(rows), "cheroot", "Salesforce REST")
    me = stage.actor(
        "client", server, "bonus.my.salesforce.example", "node:axios", place.bearer("jsforce/3.6")
    )
    me.get("/services/data/v62.0/query?q=SELECT+Id,Name+FROM+Account")
    top = "/services/data/v62.0/sobjects/Account"
    held = {key: me.get(f"{top}/{key}") for key in rows}
    for key, seen in list(held.items()):
        place.rest(0.3)
        me.get(f"{top}/{key}", 304, {"If-None-Match": seen.etag})
        me.send(
            "PATCH", f"{top}/{key}", 204, {"If-Match": seen.etag}, {"Points__c": seen.json["Points__c"] + 5}
        )
        held[key] = me.get(f"{top}/{key}", 200, {"If-None-Match": seen.etag})
        me.get(f"{top}/{key}", 304, {"If-None-Match": held[key].etag})


@case(
    "e054",
    "tia-orders-under-weak-tags",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A supplier portal changes purchase orders: CSRF token, read, PATCH under the weak tag that the service made, which "
        "it compares by its own rule; the next PATCH takes the tag of the answer. A buyer's change between is read first."
    ),
)
def orders(stage: Stage) -> None:
    """Change orders in a chain."""
    rows = {
        f"45000010{n}": {"PurchasingGroup": "001", "PaymentTerms": "0004", "IncotermsClassification": "EXW"}
        for n in (17, 18)
    }
    server = place.open_box(stage, suites.sap(rows), "cheroot", "SAP S/4HANA OData V4")
    host = "s4.maschinenbau.example"
    me = stage.actor(
        "client", server, host, "httpx", {"sap-client": "100", "User-Agent": "lieferantenportal/4"}
    )
    other = stage.actor("other", server, host, "requests", {"sap-client": "100", "User-Agent": "Fiori"})
    base = "/sap/opu/odata4/sap/api_purchaseorder_2/srvd_a2x/sap/purchaseorder/0001/PurchaseOrder"
    me.get(f"{base}?$top=20", 200, {"x-csrf-token": "Fetch"})
    for key in rows:
        seen = me.get(f"{base}('{key}')", 200, {"x-csrf-token": "Fetch"})
        fields = {"x-csrf-token": "k3J***=="}
        got = me.send(
            "PATCH",
            f"{base}('{key}')",
            200,
            {**fields, "If-Match": seen.etag},
            {"IncotermsClassification": "FCA"},
        )
        place.rest(0.5)
        if key.endswith("18"):
            tag = other.get(f"{base}('{key}')").etag
            other.send(
                "PATCH", f"{base}('{key}')", 200, {**fields, "If-Match": tag}, {"PurchasingGroup": "002"}
            )
            place.rest(0.4)
            got = me.get(f"{base}('{key}')")
        me.send("PATCH", f"{base}('{key}')", 200, {**fields, "If-Match": got.etag}, {"PaymentTerms": "0002"})
    me.get(f"{base}?$top=20")


@case(
    "e073",
    "tia-addresses-under-the-first-lock-token",
    "stale-stored-token",
    "400",
    alone="stale-stored-token",
    synthetic=True,
    description=(
        "A ban list's daemon reads an address set once and keeps its LockToken; the first UpdateIPSet answers with the "
        "NextLockToken, which it does not look at: the second carries the old one and is WAFOptimisticLockException, in "
        "two sets."
    ),
)
def bans(stage: Stage) -> None:
    """Keep the first token."""
    sets = {"scanner-v4": ["192.0.2.0/28"], "spam-v4": ["198.51.100.9/32"], "partner-v4": ["203.0.113.0/24"]}
    server = place.open_box(stage, suites.firewall(sets), "cheroot", "AWS WAFV2")
    me = stage.actor(
        "client",
        server,
        "wafv2.eu-central-1.amazonaws.example",
        "requests",
        {
            **place.amazon("fail2waf/0.4 Boto3/1.35.71", "eu-central-1/wafv2"),
            "Content-Type": "application/x-amz-json-1.1",
        },
    )

    def call(action: str, status: int = 200, **body: object) -> Answer:
        return me.send("POST", "/", status, {"X-Amz-Target": f"AWSWAF_20190729.{action}"}, json.dumps(body))

    call("ListIPSets", Scope="REGIONAL", Limit=100)
    for name in ("scanner-v4", "spam-v4"):
        key: dict[str, Any] = {"Name": name, "Scope": "REGIONAL", "Id": guid(name)}
        seen = call("GetIPSet", **key).json
        banned = list(seen["IPSet"]["Addresses"])
        for number, status in ((44, 200), (45, 400)):
            banned.append(f"192.0.2.{number}/32")
            place.rest(0.6)
            call("UpdateIPSet", status, **key, Addresses=list(banned), LockToken=seen["LockToken"])
    now = call("GetIPSet", Name="spam-v4", Scope="REGIONAL", Id=guid("spam-v4")).json
    place.sure(len(now["IPSet"]["Addresses"]) == 2)
    call("GetIPSet", Name="partner-v4", Scope="REGIONAL", Id=guid("partner-v4"))


@case(
    "e056",
    "tia-price-class-with-backoff",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    synthetic=True,
    description=(
        "A deployment changes the price class of distributions. One configuration was changed by a colleague between read "
        "and write: 412, and the pipeline's retry sends the very same If-Match three more times, with growing pauses and "
        "no read between."
    ),
)
def price_class(stage: Stage) -> None:
    """Knock with the same key."""
    server = place.open_box(
        stage, suites.distributions(("E2QWRUHAPOMQZL", "E1GX7TTV0KSKPM")), "cheroot", "Amazon CloudFront"
    )
    host = "cloudfront.amazonaws.example"
    me = stage.actor(
        "client",
        server,
        host,
        "node:fetch",
        place.amazon("deploy/19 aws-sdk-js/3.699.0", "us-east-1/cloudfront"),
    )
    other = stage.actor(
        "other", server, host, "httpx", place.amazon("aws-cli/2.22.7", "us-east-1/cloudfront")
    )
    me.get("/2020-05-31/distribution")
    paths = [f"/2020-05-31/distribution/{name}/config" for name in ("E2QWRUHAPOMQZL", "E1GX7TTV0KSKPM")]
    held = [me.get(path) for path in paths]
    theirs = other.get(paths[1])
    other.put(paths[1], theirs.text.replace("http2<", "http2and3<"), 200, {"If-Match": theirs.etag})
    place.rest(0.4)
    for path, seen, status in zip(paths, held, (200, 412), strict=True):
        body = seen.text.replace("PriceClass_All", "PriceClass_100")
        for pause in (0.3,) if status == 200 else (0.3, 0.6, 1.2, 2.4):
            me.put(path, body, status, {"If-Match": seen.etag, "Content-Type": "text/xml"})
            place.rest(pause)
    me.get("/2020-05-31/distribution")


@case(
    "e062",
    "tia-notes-in-a-shared-library",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    synthetic=True,
    description=(
        "A seminar's plug-in tags references under the version of the whole group library. Whenever somebody has touched "
        "any other reference it is 412 (expected, found), though the references that it writes have kept their versions; "
        "what has changed since is another item each time."
    ),
)
def seminar(stage: Stage) -> None:
    """Be stopped by what others do elsewhere."""
    items = {
        key: {"itemType": "book", "title": title, "tags": []}
        for key, title in (
            ("ABCD2345", "Deich und Land"),
            ("HK7P3MWA", "Sturmfluten"),
            ("QX22LTRB", "Wurten"),
            ("VV9E8NDC", "Koog"),
        )
    }
    server = place.open_box(stage, suites.zotero("48123", items, 24024), "cheroot", "Zotero")
    always = {"Zotero-API-Version": "3", "Zotero-API-Key": "***"}
    me = stage.actor(
        "client", server, "api.zotero.example", "aiohttp", {**always, "User-Agent": "seminar-tagger/0.3"}
    )
    other = stage.actor(
        "other", server, "api.zotero.example", "requests", {**always, "User-Agent": "Zotero/7.0.11"}
    )
    top = "/groups/48123/items"
    version = me.get(f"{top}?limit=100").fields["last-modified-version"]
    me.get(f"{top}?limit=100", 304, {"If-Modified-Since-Version": version})
    for mine, theirs in (("ABCD2345", "VV9E8NDC"), ("HK7P3MWA", "QX22LTRB")):
        now = other.get(f"{top}?since={version}&limit=100").fields["last-modified-version"]
        other.send(
            "POST",
            top,
            200,
            {"If-Unmodified-Since-Version": now},
            [{"key": theirs, "abstractNote": "gelesen"}],
        )
        place.rest(0.7)
        body = [{"key": mine, "tags": [{"tag": "referat-5"}]}]
        refused = me.send("POST", top, 412, {"If-Unmodified-Since-Version": version}, body)
        place.sure("expected" in refused.text)
        place.sure(me.get(f"{top}/{mine}").json["version"] == 24024)
        changed = me.get(f"{top}?since={version}&limit=100")
        place.sure([one["key"] for one in changed.json] == [theirs])
        version = changed.fields["last-modified-version"]
        place.rest(0.4)


@case(
    "e068",
    "tia-redirect-table-at-the-edge",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "An editor's office keeps its redirects in an edge store: a key that is not there yet is added, later versions go "
        "under the generation that the read before has shown; the generations leap, but each is taken."
    ),
)
def redirects(stage: Stage) -> None:
    """Write by generations."""
    server = place.open_box(stage, suites.edge_store("nzk6tq2l0rhjyv1pzk0m"), "cheroot", "Fastly KV Store")
    host = "api.fastly.example"
    me = stage.actor(
        "client", server, host, "requests", {"Fastly-Key": "***", "User-Agent": "FastlyGo/9.12.0"}
    )
    other = stage.actor("other", server, host, "httpx", {"Fastly-Key": "***", "User-Agent": "redaktion"})
    base = "/resources/stores/kv/nzk6tq2l0rhjyv1pzk0m/keys"
    for key in ("redirects-de", "redirects-fr"):
        me.get(f"{base}/{key}", 404)
        me.put(f"{base}/{key}?add=true", {"/alt": "/neu"}, 200)
    seen = other.get(f"{base}/redirects-fr")
    other.put(
        f"{base}/redirects-fr",
        {**seen.json, "/ete": "/saison"},
        200,
        {"if-generation-match": seen.fields["generation"]},
    )
    place.rest(0.6)
    for key in ("redirects-de", "redirects-fr", "redirects-fr"):
        seen = me.get(f"{base}/{key}")
        body = {**seen.json, f"/p{len(seen.json)}": "/start"}
        me.put(f"{base}/{key}", body, 200, {"if-generation-match": seen.fields["generation"]})
        place.rest(0.3)
    place.sure("/ete" in me.get(f"{base}/redirects-fr").json)
    me.get(base)
