"""Healthy traffic of versioned products that looks like trouble."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import kim_setting as at
from tools.recording_apis.stories.kim_odds import browse
from tools.recording_apis.stories.kim_setting import (
    cloud,
    insist,
    look,
    office,
    seedbank,
    suite,
    terminal,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def calm(
    identifier: str, slug: str, description: str, *, synthetic: bool = True
) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
    """Register a healthy story."""
    return case(
        identifier, slug, "none", "healthy", alone="none", description=description, synthetic=synthetic
    )


@calm(
    "b270",
    "kim-controller-keeps-its-versions",
    "A controller reconciles two objects with the resourceVersion of each answer, asks for a lease that is not there "
    "(404), creates it, renews it by its own version and watches in between; nothing conflicts.",
)
def controller(stage: Stage) -> None:
    """Chain versions."""
    server = cloud(stage, "kube", at.WORKLOAD, OLDEST="40000")
    agent = {**at.KUBE, "User-Agent": "limiter/v0.3 controller-runtime"}
    me = stage.actor("client", server, "kube.atlas.test", "httpx", agent)
    me.get("/version")
    leases = "/apis/coordination.k8s.io/v1/namespaces/shop/leases"
    me.get(f"{leases}/limiter", 404)
    meta = {"name": "limiter", "namespace": "shop"}
    lease = me.send(
        "POST", leases, 201, None, {"kind": "Lease", "metadata": meta, "spec": {"renewTime": "0"}}
    ).json
    held = me.get("/api/v1/namespaces/shop/configmaps/limits").json
    for number in range(5):
        data = {**held["data"], "rps": str(120 + number * 10)}
        held = me.put("/api/v1/namespaces/shop/configmaps/limits", {**held, "data": data}, 200).json
        lease = me.put(f"{leases}/limiter", {**lease, "spec": {"renewTime": str(number + 1)}}, 200).json
        since = held["metadata"]["resourceVersion"]
        me.get(f"/api/v1/namespaces/shop/configmaps?watch=1&resourceVersion={since}&timeoutSeconds=1")
        time.sleep(0.2)


@calm(
    "b271",
    "kim-index-busy-then-done",
    "Guarded writes to a search index meet an overloaded proxy (429 with Retry-After) and are sent again with the "
    "same sequence number after the pause; that is right, since the first attempt was not taken, and it passes.",
)
def busy(stage: Stage) -> None:
    """Send again what was not taken."""
    server = cloud(stage, "elastic", at.PARTS)
    text = '{"error":{"type":"es_rejected_execution_exception"},"status":429}'
    lines = f"if ($busy) {{ add_header Retry-After 1 always; return 429 '{text}'; }} default_type application/json;"
    front = fronts.nginx(stage, server, lines, 'map $http_x_attempt $busy { default 0; "1" 1; }')
    me = stage.actor("client", front, "es.parts.test", "requests", {"X-Actor": "stock-sync"})
    for name, stock in (("A-17", 139), ("A-18", 95), ("B-02", 11)):
        seen = me.get(f"/parts/_doc/{name}").json
        where = f"/parts/_doc/{name}?if_seq_no={seen['_seq_no']}&if_primary_term=2"
        body = {**seen["_source"], "stock": stock}
        if name != "A-18":
            me.put(where, body, 429, {"X-Attempt": "1"})
            time.sleep(1.0)
        me.put(where, body, 200, {"X-Attempt": "2"})
    me.send("POST", "/parts/_search", 200, None, {"query": {"match_all": {}}})


@calm(
    "b272",
    "kim-replication-without-new-edits",
    "A replicator copies documents with new_edits=false, which checks no revision on purpose, and a person edits one "
    "of them before and after with the current _rev; a document that is not there yet is 404 and then created.",
)
def replication(stage: Stage) -> None:
    """Replicate."""
    server = cloud(stage, "couch", at.FIELDS)
    me = stage.actor("client", server, "couch.farm.test", "node:axios", {"User-Agent": "feldbuch/1.8"})
    other = stage.actor(
        "other", server, "couch.farm.test", "requests", {"User-Agent": "CouchDB-Replicator/3.3.3"}
    )
    me.get("/fields/south-1", 404)
    me.put("/fields/south-1", {"crop": "clover", "area": 1.1, "sown": "", "notes": ""}, 201)
    for notes in ("mown", "mown twice"):
        held = me.get("/fields/south-1").json
        me.put("/fields/south-1", {**held, "notes": notes}, 201)
        me.get("/fields/_changes?since=0")
        time.sleep(0.3)
    held = other.get("/fields/north-5").json
    other.send("POST", "/fields/_bulk_docs", 201, None, {"docs": [held], "new_edits": False})
    held = me.get("/fields/north-5").json
    me.put("/fields/north-5", {**held, "notes": "drained"}, 201)


@calm(
    "b273",
    "kim-inventory-overwrites-on-purpose",
    "An inventory run sets the state of list items with IF-MATCH: *, as it is meant to, while a colleague merges "
    "another item with its tag; a form digest that has run out is renewed after a 403.",
)
def overwrites(stage: Stage) -> None:
    """Overwrite with a star."""
    server = office(stage, "sharepoint", at.ASSETS)
    me = stage.actor("client", server, "hafen.sharepoint.test", "httpx", {"X-Actor": "inventory"})
    other = stage.actor("other", server, "hafen.sharepoint.test", "aiohttp", {"X-Actor": "ines"})
    root = "/sites/ops/_api/web/lists/getbytitle('Assets')/items"
    merge = {"X-HTTP-Method": "MERGE", "IF-MATCH": "*"}
    me.get(root)
    me.send("POST", f"{root}(4)", 403, merge, {"State": "counted"})
    digest = {"X-RequestDigest": me.send("POST", "/sites/ops/_api/contextinfo", 200).json["FormDigestValue"]}
    me.send("POST", f"{root}(4)", 204, {**merge, **digest}, {"State": "counted"})
    tag = other.get(f"{root}(5)").etag
    other.send(
        "POST", f"{root}(5)", 204, {"X-HTTP-Method": "MERGE", "IF-MATCH": tag, **digest}, {"Site": "Hall C"}
    )
    me.send("POST", f"{root}(4)", 204, {**merge, **digest}, {"Counted": "2026-11-26"})
    me.get(f"{root}(4)")


@calm(
    "b274",
    "kim-drive-follows-its-delta",
    "A drive client follows changes with delta tokens, revalidates items (304), and saves descriptions with the "
    "newest eTag after it has seen a colleague's change in the delta; every save passes.",
)
def delta(stage: Stage) -> None:
    """Follow a delta."""
    server = office(stage, "graph", at.DRIVE)
    me = stage.actor("client", server, "graph.example", "java", {"X-Actor": "kofi"})
    other = stage.actor("other", server, "graph.example", "requests", {"X-Actor": "ines"})
    me.get("/v1.0/me")
    follow = "/v1.0/me/drive/root:/Docs:/delta"
    link = me.get(follow).json["@odata.deltaLink"]
    item = "/v1.0/me/drive/items/01BYE6"
    for text in ("v1", "v2", "v3"):
        look(me, [item])
        tag = me.get(item).json["eTag"]
        me.send("PATCH", item, 200, {"If-Match": tag}, {"description": text})
        theirs = other.get(item).json["eTag"]
        other.send("PATCH", item, 200, {"If-Match": theirs}, {"description": f"{text}, seen by ines"})
        link = me.get(f"{follow}?token={link.rsplit('=', 1)[1]}").json["@odata.deltaLink"]
        time.sleep(0.2)


@calm(
    "b275",
    "kim-orders-with-token-and-tag",
    "An interface patches orders with the token against forgery and the tag of a read; a token that has run out is "
    "403 and fetched again, the patch then passes with the same tag, which is still right.",
)
def orders(stage: Stage) -> None:
    """Fetch a token anew."""
    stage.keeps_content = False
    server = office(stage, "sap", at.ORDERS)
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "s4.hafen.test", "curl", {"X-Actor": "FREIGHT_RFC"})
    root = "/sap/opu/odata/sap/API_SALES_ORDER_SRV"
    tag = me.get(f"{root}/A_SalesOrder('4711')").etag
    change = {"IncotermsLocation": "Bergen"}
    me.send(
        "PATCH", f"{root}/A_SalesOrder('4711')", 403, {"X-CSRF-Token": "expired", "If-Match": tag}, change
    )
    token = me.get(f"{root}/", 200, {"X-CSRF-Token": "Fetch"}).fields["x-csrf-token"]
    me.send("PATCH", f"{root}/A_SalesOrder('4711')", 204, {"X-CSRF-Token": token, "If-Match": tag}, change)
    for place in ("Turku", "Kemi"):
        tag = me.get(f"{root}/A_SalesOrder('4712')").etag
        fields = {"X-CSRF-Token": token, "If-Match": tag}
        me.send("PATCH", f"{root}/A_SalesOrder('4712')", 204, fields, {"IncotermsLocation": place})


@calm(
    "b276",
    "kim-publisher-counts-pages-up",
    "A publisher saves a page six times and counts the version up by itself from each answer; two people publish to "
    "different pages at the same time, a missing page is 404.",
)
def counts(stage: Stage) -> None:
    """Count up."""
    server = suite(stage, "wiki", at.WIKI)
    me = stage.actor("client", server, "wiki.hafen.test", "requests", {"X-Actor": "md2wiki"})
    other = stage.actor("other", server, "wiki.hafen.test", "httpx", {"X-Actor": "amelie"})
    me.get("/wiki/rest/api/content?spaceKey=OPS")
    me.get("/wiki/rest/api/content/99999", 404)
    number = me.get("/wiki/rest/api/content/65601").json["version"]["number"]
    theirs = other.get("/wiki/rest/api/content/65602").json["version"]["number"]
    for turn in range(6):
        told = me.put("/wiki/rest/api/content/65601", at.page(f"<p>Draft {turn}</p>", number + 1), 200).json
        number = told["version"]["number"]
        if turn % 3 == 1:
            theirs += 1
            other.put("/wiki/rest/api/content/65602", at.page(f"<p>TEU {turn}</p>", theirs, "Glossary"), 200)
        time.sleep(0.1)


@calm(
    "b277",
    "kim-patients-found-or-made",
    "An import creates patients with If-None-Exist: one is found (200) and left alone, another made (201); updates "
    "send the weak version tags that this product compares by their text, and a deleted test patient is 404.",
)
def patients(stage: Stage) -> None:
    """Create or find."""
    server = suite(stage, "fhir", at.PATIENTS)
    fields = {"X-Actor": "hl7-bridge", "Content-Type": "application/fhir+json"}
    me = stage.actor("client", server, "fhir.clinic.test", "aiohttp", fields)
    me.get("/fhir/metadata")
    for number, expect in (("MRN-7002", 200), ("MRN-9400", 201), ("MRN-9400", 200)):
        body = {"resourceType": "Patient", "active": True, "identifier": number, "name": [{"family": "New"}]}
        told = me.send("POST", "/fhir/Patient", expect, {"If-None-Exist": f"identifier={number}"}, body)
    path = f"/fhir/Patient/{told.json['id']}"
    for family in ("Newman", "Neumann"):
        tag = me.get(path).etag
        me.get(path, 304, {"If-None-Match": tag})
        me.put(path, {**told.json, "name": [{"family": family}]}, 200, {"If-Match": tag})
    me.send("DELETE", path, 204, {"If-Match": me.get(path).etag})
    me.get(path, 404)


@calm(
    "b278",
    "kim-library-sync-in-turns",
    "Two devices of one person change a reference library in turns: each syncs before it writes (304 when nothing is "
    "new) and sends the library version that it has just got; nothing is refused although the version guards all.",
)
def turns(stage: Stage) -> None:
    """Sync, then write, in turns."""
    server = suite(stage, "zotero", at.LIBRARY, LIBRARY="1")
    me = stage.actor("client", server, "api.library.test", "requests", {"User-Agent": "refdesk/6"})
    other = stage.actor("other", server, "api.library.test", "httpx", {"User-Agent": "refphone/2"})
    known = {"client": "0", "other": "0"}
    for turn in range(4):
        name, actor = ("client", me) if turn % 2 == 0 else ("other", other)
        got = actor.get(f"/users/4471/items?since={known[name]}")
        known[name] = got.fields["last-modified-version"]
        actor.get("/users/4471/items", 304, {"If-Modified-Since-Version": known[name]})
        guard = {"If-Unmodified-Since-Version": known[name]}
        told = actor.send("PATCH", "/users/4471/items/AB12", 204, guard, {"tags": [f"read-{turn}"]})
        known[name] = told.fields["last-modified-version"]
        time.sleep(0.3)
    me.get("/users/4471/collections")


@calm(
    "b279",
    "kim-entry-published-and-edited",
    "An editor saves and publishes an entry in turns; publishing counts the version as well, and the client takes the "
    "number from each answer. A proxy answers one read with 502, which is asked again.",
)
def published(stage: Stage) -> None:
    """Publish and go on."""
    server = suite(stage, "contentful", at.ENTRIES)
    front = fronts.nginx(stage, server, "if ($http_x_try) { return 502; }")
    me = stage.actor("client", front, "cms.atlas.test", "node:fetch", {"User-Agent": "editor-ui/12"})
    base = "/spaces/shop/environments/master/entries"
    me.get(base)
    me.get(f"{base}/sale", 502, {"X-Try": "1"})
    seen = me.get(f"{base}/sale").json
    for text in ("Winter sale 2026", "Winter sale 26/27", "Sale"):
        number = {"X-Contentful-Version": str(seen["sys"]["version"])}
        seen = me.put(
            f"{base}/sale", {"fields": {**seen["fields"], "title": {"en-US": text}}}, 200, number
        ).json
        number = {"X-Contentful-Version": str(seen["sys"]["version"])}
        seen = me.put(f"{base}/sale/published", None, 200, number).json
        time.sleep(0.2)


@calm(
    "b280",
    "kim-object-made-once-then-replaced",
    "An uploader makes an object with ifGenerationMatch=0, replaces it with the generation of each answer, and a "
    "reader pins its ranges to the generation; another object is left to whoever comes last, by one writer only.",
)
def generations(stage: Stage) -> None:
    """Chain generations."""
    server = cloud(stage, "google", {"objects/old.csv": {"text": "a;1\n"}})
    me = stage.actor("client", server, "storage.atlas.test", "httpx", {"X-Actor": "exporter"})
    other = stage.actor("other", server, "storage.atlas.test", "urllib", {"X-Actor": "reader"})
    name, csv = "/storage/v1/b/atlas/o/export.csv", {"Content-Type": "text/csv"}
    upload = "/upload/storage/v1/b/atlas/o?uploadType=media&name=export.csv&ifGenerationMatch="
    me.get(name, 404)
    generation = me.send("POST", f"{upload}0", 200, csv, "row;0\n" * 200).json["generation"]
    for number in range(3):
        pinned = f"{name}?alt=media&ifGenerationMatch={generation}"
        other.get(pinned, 206, {"Range": "bytes=0-599"})
        other.get(pinned, 206, {"Range": "bytes=600-1199"})
        generation = me.send("POST", upload + generation, 200, csv, f"row;{number}\n" * 200).json[
            "generation"
        ]
    me.get(name)


@calm(
    "b281",
    "kim-key-store-true-and-sessions",
    "A key store is written with cas, true each time, one key with cas=0 for the first time; a session takes and "
    "gives back a key; a key that is not there is 404. Text false appears only as a value.",
)
def cas_true(stage: Stage) -> None:
    """Write with the right number."""
    server = cloud(stage, "consul", {"flags/dark": {"text": "false"}, "flags/beta": {"text": "true"}})
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "consul.atlas.test", "requests", {"X-Actor": "flag-ui"})
    me.get("/v1/catalog/services")
    me.get("/v1/kv/flags/new", 404)
    insist(me.put("/v1/kv/flags/new?cas=0", "false", 200).text == "true", "not made")
    for value in ("true", "false", "true"):
        for key in ("flags/dark", "flags/new"):
            index = me.get(f"/v1/kv/{key}").json[0]["ModifyIndex"]
            insist(me.put(f"/v1/kv/{key}?cas={index}", value, 200).text == "true", "refused")
        time.sleep(0.2)
    session = me.put("/v1/session/create", {"Name": "flag-ui"}, 200).json["ID"]
    insist(me.put(f"/v1/kv/locks/flag-ui?acquire={session}", "", 200).text == "true", "not taken")
    me.put(f"/v1/kv/locks/flag-ui?release={session}", "", 200)
    me.get("/v1/kv/flags?recurse=true")


@calm(
    "b282",
    "kim-lots-relabelled-one-by-one",
    "Two curators relabel lots of a seed bank at the same time, each its own, every change based on the revision just "
    "read; a new lot is put without a base, since there is none, and a mistyped number is 404.",
    synthetic=False,
)
def relabelled(stage: Stage) -> None:
    """Relabel side by side."""
    server = seedbank(stage, at.LOTS)
    front = fronts.squid(stage, server, site="bank.saat.test")
    me = stage.actor("client", front, "bank.saat.test", "requests", {"X-Curator": "voss", **at.TEXT})
    other = stage.actor("other", front, "bank.saat.test", "curl", {"X-Curator": "adeyemi", **at.TEXT})
    me.get("/lots")
    me.get("/lots/TRI-71", 404)
    for shelf in ("F3", "F4", "F5"):
        for actor, number in ((me, "TRI-17"), (other, "VIC-03")):
            base = actor.get(f"/lots/{number}").fields["x-revision"]
            actor.send("PATCH", f"/lots/{number}", 200, {"X-Base-Revision": base}, f"shelf: {shelf}\n")
        time.sleep(0.2)
    me.put("/lots/TRI-19", "taxon: Triticum monococcum\nseeds: 400\n", 201)
    me.get("/lots/TRI-19")


@calm(
    "b283",
    "kim-planner-and-crane-in-turns",
    "A planner and a crane change one unit in turns, each reads its newest revision first; a session is "
    "renewed in between.",
    synthetic=False,
)
def planner(stage: Stage) -> None:
    """Write in turns."""
    server = terminal(stage, at.UNITS)
    me = stage.actor("client", server, "t7.kaikante.test", "httpx", {"Kk-User": "planner-2"})
    other = stage.actor("other", server, "t7.kaikante.test", "java", {"Kk-User": "crane-04"})
    me.send("POST", "/t7/session", 201, None, {"user": "planner-2", "secret": "********"})
    for turn in range(4):
        me.get("/t7/units")
        for actor, change in ((me, {"yard": f"C-{20 + turn}"}), (other, {"weight": 18200 + turn})):
            number = actor.get("/t7/units/MSKU7701").json["result"]["revision"]
            if turn % 2:
                actor.put(f"/t7/units/MSKU7701/revisions/{number}", change, 200)
            else:
                actor.put(f"/t7/units/MSKU7701?expectedRevision={number}", change, 200)
        me.get("/t7/clock")
    me.send("POST", "/t7/session", 201, None, {"user": "planner-2", "secret": "********"})


@calm(
    "b284",
    "kim-page-sees-the-tags",
    "A page of another origin edits articles: the service exposes ETag to it, preflights allow If-Match, and both "
    "saves carry the tag and pass.",
)
def sees(stage: Stage) -> None:
    """Edit from a page that sees the tag."""
    pages = fronts.site(stage, "nginx", {"desk.html": "<!doctype html><title>Desk</title><p>Desk"})
    server = suite(stage, "jsonapi", at.ARTICLES, NEED="1", CORS="http://desk.atlas.test", EXPOSE="ETag")
    steps = [(key, at.attributes(key, state="live")) for key in ("articles/77", "articles/78")]
    browse(stage, pages.port, server, steps, [["tag", 200]] * 2)
