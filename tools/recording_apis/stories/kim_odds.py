"""Locks, refusals inside other answers, payload tests, searches, rules, claims, and a page that sees no tag."""

from __future__ import annotations

import importlib
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import kim_setting as at
from tools.recording_apis.stories.kim_setting import cloud, insist, look, office, suite, without

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor
    from tools.recording_apis.servers import Server


@case(
    "b207",
    "kim-page-version-kept-in-memory",
    "stale-stored-token",
    "409",
    alone="stale-stored-token",
    also="status-dialect-mismatch",
    description=(
        "A publisher reads a page once, saves with the version plus one, and saves again with the same number "
        "although its own answer told the new one: 409, version must be incremented. Nobody else writes."
    ),
    synthetic=True,
)
def kept(stage: Stage) -> None:
    """Keep the number of the first read."""
    server = suite(stage, "wiki", at.WIKI)
    me = stage.actor("client", server, "wiki.hafen.test", "curl", {"X-Actor": "md2wiki"})
    me.get("/wiki/rest/api/content?spaceKey=OPS")
    number = me.get("/wiki/rest/api/content/65601").json["version"]["number"]
    path = "/wiki/rest/api/content/65601"
    me.put(path, at.page("<p>Call the secondary.</p><p>Then the duty officer.</p>", number + 1), 200)
    time.sleep(0.8)
    me.put(path, at.page("<p>Call the duty officer.</p>", number + 1), 409)
    insist(me.get(path).json["version"]["by"]["displayName"] == "md2wiki", "somebody else wrote")


@case(
    "b215",
    "kim-library-version-guards-all-items",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope other-writer",
    also="other-writer",
    description=(
        "A reference library has one version for all of its items; a phone tags another item, and the desktop's "
        "change of its own item is 412, again on the next one. The items it changes were touched by nobody."
    ),
    synthetic=True,
)
def whole_library(stage: Stage) -> None:
    """Be refused for a sibling."""
    server = suite(stage, "zotero", at.LIBRARY, LIBRARY="1")
    me = stage.actor("client", server, "api.library.test", "requests", {"User-Agent": "refdesk/6"})
    other = stage.actor("other", server, "api.library.test", "httpx", {"User-Agent": "refphone/2"})
    me.get("/keys/current")
    for name, sibling, number in (("AB12", "CD34", 1), ("EF56", "CD34", 2)):
        known = me.get("/users/4471/items?since=0").fields["last-modified-version"]
        theirs = other.get("/users/4471/items").fields["last-modified-version"]
        tags = {"tags": ["safety", f"read-{number}"]}
        header = {"If-Unmodified-Since-Version": theirs}
        other.send("PATCH", f"/users/4471/items/{sibling}", 204, header, tags)
        time.sleep(0.5)
        mine = {"If-Unmodified-Since-Version": known}
        me.send("PATCH", f"/users/4471/items/{name}", 412, mine, {"tags": ["seminar"]})
    known = me.get("/users/4471/items?since=0").fields["last-modified-version"]
    mine = {"If-Unmodified-Since-Version": known}
    me.send("PATCH", "/users/4471/items/AB12", 204, mine, {"tags": ["seminar"]})


@case(
    "b218",
    "kim-one-platform-adds-if-none-match",
    "implicit-precondition",
    "412",
    alone="implicit-precondition create-guard-on-update",
    description=(
        "The phone's HTTP stack adds If-None-Match with the tag of its cache to every request for a known address, "
        "the PUT as well, which is 412; the desktop's program sends the same write without and succeeds."
    ),
    synthetic=True,
)
def platform(stage: Stage) -> None:
    """Let a cache speak."""
    server = suite(stage, "spring", at.ENTITIES)
    agent = {"User-Agent": "HafenShop/88 CFNetwork/1568.200.51 Darwin/24.1.0", "X-Actor": "till-4"}
    me = stage.actor("client", server, "shop.atlas.test", "httpx", agent)
    other = stage.actor("other", server, "shop.atlas.test", "requests", {"X-Actor": "till-1"})
    me.get("/data/")
    held = {path: me.get(f"/data/{path}").etag for path in ("products/12", "products/13", "suppliers/4")}
    for path, tag in held.items():
        me.get(f"/data/{path}", 304, {"If-None-Match": tag})
    body = at.entity("products/13", stock=2)
    for _ in range(2):
        me.put("/data/products/13", body, 412, {"If-None-Match": held["products/13"]})
        time.sleep(0.5)
    other.get("/data/products/13")
    other.put("/data/products/13", body, 200)


@case(
    "b243",
    "kim-workbook-checked-out",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "A workbook is checked out by a colleague; a change of its description with the right tag is 423 "
        "resourceLocked until she checks it in."
    ),
    synthetic=True,
)
def checked_out(stage: Stage) -> None:
    """Write to what is checked out."""
    server = office(stage, "graph", at.DRIVE)
    me = stage.actor("client", server, "graph.example", "requests", {"X-Actor": "kofi"})
    other = stage.actor("other", server, "graph.example", "node:fetch", {"X-Actor": "ines"})
    path = "/v1.0/me/drive/items/01BYE5"
    other.send("POST", f"{path}/checkout", 204)
    look(me, ["/v1.0/me/drive/root:/Docs:/delta", "/v1.0/me/drive/items/01BYE6"])
    for _ in range(2):
        tag = me.get(path).json["eTag"]
        me.send("PATCH", path, 423, {"If-Match": tag}, {"description": "final"})
        time.sleep(0.7)
    other.send("POST", f"{path}/checkin", 204)
    tag = me.get(path).json["eTag"]
    me.send("PATCH", path, 200, {"If-Match": tag}, {"description": "final"})


@case(
    "b244",
    "kim-failed-members-of-a-200",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch other-writer stale-stored-token",
    also="other-writer",
    description=(
        "Several items are stored in one POST, which is 200; the part that failed with code 412 is told inside "
        "(failed). The client looks at the status, goes on for several more posts, and its tag is nowhere."
    ),
    synthetic=True,
)
def members(stage: Stage) -> None:
    """Look at the status only."""
    server = suite(stage, "zotero", at.LIBRARY)
    me = stage.actor("client", server, "api.library.test", "node:axios", {"User-Agent": "bulk-tagger/0.3"})
    other = stage.actor("other", server, "api.library.test", "requests", {"User-Agent": "refdesk/6"})
    rows = me.get("/users/4471/items?since=0&limit=100").json
    held = {row["key"]: row["version"] for row in rows}
    theirs = {"If-Unmodified-Since-Version": str(held["CD34"])}
    other.send("PATCH", "/users/4471/items/CD34", 204, theirs, {"date": "1999"})
    time.sleep(0.6)
    sent = [{"key": key, "version": number, "tags": ["ws26"]} for key, number in held.items()]
    told = me.send("POST", "/users/4471/items", 200, None, sent).json
    insist(told["failed"]["1"]["code"] == 412, "nothing failed")
    new = [{"key": f"GH7{number}", "version": 0, "title": f"Reader {number}"} for number in range(3)]
    me.send("POST", "/users/4471/items", 200, None, new)
    me.get("/users/4471/collections")
    insist(me.get("/users/4471/items/CD34").json["data"]["tags"] == ["safety"], "it was tagged")


@case(
    "b245",
    "kim-user-errors-nobody-reads",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description=(
        "A mutation of a listing carries the version as an argument; the refusal is 200 with userErrors[].code "
        "STALE_OBJECT and no errors. The app shows success and goes on; the price is the other's at the end."
    ),
    synthetic=True,
)
def user_errors(stage: Stage) -> None:
    """Take a 200 for success."""
    listings = {
        "listing/L-9": {"title": "Oak desk", "price": 240, "$writes": 3},
        "listing/L-10": {"title": "Lamp"},
    }
    server = cloud(stage, "graphql", listings, USERERRORS="1")
    me = stage.actor("client", server, "gateway.market.test", "aiohttp", {"X-Actor": "seller-app"})
    other = stage.actor("other", server, "gateway.market.test", "httpx", {"X-Actor": "moderation"})

    def call(who: Actor, name: str, **given: object) -> dict[str, object]:
        query = f"query {name} {{ listing {{ id version price }} }}"
        if not name.startswith(("Get", "List")):
            query = f"mutation {name}($id: ID!, $version: Int!, $input: ListingInput!) {{ listing {{ version }} }}"
        body = {"operationName": name, "query": query, "variables": given}
        told: dict[str, object] = who.send("POST", "/graphql", 200, None, body).json
        return told

    call(me, "ListListings")
    call(me, "GetListing", id="L-9")
    call(other, "UpdateListing", id="L-9", version=3, input={"price": 220})
    time.sleep(0.7)
    told = call(me, "UpdateListing", id="L-9", version=3, input={"price": 260})
    insist("STALE_OBJECT" in str(told), "it was stored")
    call(me, "UpdateListing", id="L-10", version=1, input={"price": 35})
    call(me, "ListListings")
    insist("260" not in str(call(me, "GetListing", id="L-9")), "it was stored")


@case(
    "b246",
    "kim-bulk-docs-row-conflict",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch other-writer stale-stored-token",
    also="other-writer",
    description=(
        "An app sends its field notes with _bulk_docs: 201, with a row of error conflict among the rows. It clears "
        "its outbox all the same, and the note on the field never arrives."
    ),
    synthetic=True,
)
def bulk_row(stage: Stage) -> None:
    """Clear the outbox on 201."""
    server = cloud(stage, "couch", at.FIELDS)
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "couch.farm.test", "requests", {"User-Agent": "feldbuch/1.8"})
    other = stage.actor("other", server, "couch.farm.test", "curl", {"X-Actor": "drone-import"})
    me.send("POST", "/_session", 200, None, {"name": "agronomist", "password": "********"})
    held = [me.get(f"/fields/{name}").json for name in ("north-4", "north-5")]
    other.put("/fields/north-5", {**other.get("/fields/north-5").json, "area": 3.75}, 201)
    time.sleep(0.9)
    sent = [{**held[0], "notes": "weeds"}, {**held[1], "notes": "drained"}]
    told = me.send("POST", "/fields/_bulk_docs", 201, None, {"docs": sent}).json
    insist([one.get("error") for one in told] == [None, "conflict"], "another outcome")
    me.get("/fields/_changes?since=now&limit=5")
    time.sleep(0.6)
    insist(me.get("/fields/north-5").json["notes"] == "wet corner", "it arrived")


@case(
    "b247",
    "kim-patch-tests-a-number-as-text",
    "payload-precondition-mismatch",
    "422",
    alone="payload-precondition-mismatch",
    also="status-dialect-mismatch",
    description=(
        'A JSON Patch guards the replica count with a test of the text "3" where the object has the number 3: 422, '
        "testing value /spec/replicas failed. Nothing has changed, and with the number it passes."
    ),
    synthetic=True,
)
def text_test(stage: Stage) -> None:
    """Test a text for a number."""
    server = cloud(stage, "kube", at.WORKLOAD)
    agent = {**at.KUBE, "User-Agent": "scale-hook/0.2", "Content-Type": "application/json-patch+json"}
    me = stage.actor("client", server, "kube.atlas.test", "httpx", agent)
    path = "/apis/apps/v1/namespaces/shop/deployments/gateway"
    me.get("/apis/apps/v1/namespaces/shop/deployments")
    before = me.get(path).json["metadata"]["resourceVersion"]
    step = {"op": "replace", "path": "/spec/replicas", "value": 5}
    for _ in range(2):
        me.send("PATCH", path, 422, None, [{"op": "test", "path": "/spec/replicas", "value": "3"}, step])
        time.sleep(0.4)
    insist(me.get(path).json["metadata"]["resourceVersion"] == before, "it has changed")
    me.send("PATCH", path, 200, None, [{"op": "test", "path": "/spec/replicas", "value": 3}, step])


@case(
    "b248",
    "kim-create-if-none-exist-finds-two",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "An import creates patients with If-None-Exist on the record number; one number is on two patients: 412 "
        "multiple-matches. Another import of the run finds one, a third creates."
    ),
    synthetic=True,
)
def multiple(stage: Stage) -> None:
    """Create by a criterion that fits two."""
    server = suite(stage, "fhir", at.PATIENTS)
    fields = {"X-Actor": "hl7-bridge", "Content-Type": "application/fhir+json"}
    me = stage.actor("client", server, "fhir.clinic.test", "java", fields)
    me.get("/fhir/metadata")
    for number, expect in (("MRN-7002", 200), ("MRN-5531", 412), ("MRN-8100", 201), ("MRN-5531", 412)):
        body = {"resourceType": "Patient", "active": True, "identifier": number, "name": [{"family": "?"}]}
        me.send("POST", "/fhir/Patient", expect, {"If-None-Exist": f"identifier={number}"}, body)
        time.sleep(0.2)
    insist(me.get("/fhir/Patient?identifier=MRN-5531").json["total"] == 2, "not two")


@case(
    "b249",
    "kim-entity-without-concurrency",
    "unsupported-precondition",
    "400",
    alone="unsupported-precondition",
    also="status-dialect-mismatch",
    description=(
        "An entity type has no optimistic concurrency: every update with If-Match, fresh or star, is 400 "
        "0x80060893, the same update without it passes."
    ),
    synthetic=True,
)
def disabled(stage: Stage) -> None:
    """Guard what cannot be guarded."""
    seed = {
        "new_gates/g-1": {"name": "Gate 1", "open": True},
        "new_gates/g-2": {"name": "Gate 2", "open": False},
    }
    server = office(stage, "dynamics", seed, DISABLED="1")
    me = stage.actor("client", server, "hafen.crm4.dynamics.test", "aiohttp", {"X-Actor": "gate-sync"})
    root = "/api/data/v9.2/new_gates"
    me.get(root)
    for name in ("g-1", "g-2"):
        tag = me.get(f"{root}({name})").etag
        me.send("PATCH", f"{root}({name})", 400, {"If-Match": tag}, {"open": False})
        me.send("PATCH", f"{root}({name})", 400, {"If-Match": "*"}, {"open": False})
    time.sleep(0.3)
    me.send("PATCH", f"{root}(g-1)", 204, None, {"open": False})


@case(
    "b250",
    "kim-gateway-wants-a-newer-app",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A gateway answers 412 APP_OUTDATED to every call of an old app version, reads and sign-in included; no "
        "request has a condition, the service behind sees none of them, and a current app gets through."
    ),
    synthetic=True,
)
def outdated(stage: Stage) -> None:
    """Be too old."""
    server = cloud(stage, "graphql", {"listing/L-9": {"title": "Oak desk", "price": 240}})
    text = '{"error":"APP_OUTDATED","minimum":"9.0.0","store":"https://market.test/get"}'
    lines = f"default_type application/json; if ($old) {{ return 412 '{text}'; }}"
    front = fronts.nginx(stage, server, lines, 'map $http_x_app_version $old { default 0; "~^8" 1; }')
    me = stage.actor("client", front, "gateway.market.test", "node:fetch", {"X-App-Version": "8.14.2"})
    other = stage.actor("other", front, "gateway.market.test", "requests", {"X-App-Version": "9.2.0"})
    query = {"operationName": "GetListing", "query": "query GetListing", "variables": {"id": "L-9"}}
    me.get("/health", 412)
    other.send("POST", "/graphql", 200, None, query)
    for _ in range(3):
        me.send("POST", "/graphql", 412, None, query)
        time.sleep(0.4)
    input_ = {"id": "L-9", "input": {"price": 230}}
    change = {"operationName": "UpdateListing", "query": "mutation UpdateListing", "variables": input_}
    me.send("POST", "/graphql", 412, None, change)


@case(
    "b251",
    "kim-candidates-for-one-lease",
    "expected-control-flow",
    "409",
    alone="expected-control-flow other-writer",
    also="status-dialect-mismatch",
    description=(
        "Three pods run for one lease by its resourceVersion, period after period: one renews, the others are told "
        "409 and wait for the next period; the holder stops and another takes over. No user sees any of it."
    ),
    synthetic=True,
)
def candidates(stage: Stage) -> None:
    """Run for a lease."""
    server = cloud(stage, "kube", at.WORKLOAD)
    pods = [("client", "pod-b"), ("other", "pod-a"), ("third", "pod-c")]
    path = "/apis/coordination.k8s.io/v1/namespaces/shop/leases/reindexer"
    actors = {
        pod: stage.actor(
            name, server, "kube.atlas.test", "requests", {**at.KUBE, "User-Agent": f"{pod}/leaderelection"}
        )
        for name, pod in pods
    }
    for period, winner in enumerate(("pod-a", "pod-a", "pod-c", "pod-b", "pod-b")):
        seen = {pod: actor.get(path).json for pod, actor in actors.items()}
        for pod in sorted(actors, key=lambda one: one != winner):
            spec = {"holderIdentity": pod, "leaseDurationSeconds": 2, "renewTime": str(period)}
            actors[pod].put(path, {**seen[pod], "spec": spec}, 200 if pod == winner else 409)
        time.sleep(0.8)


@case(
    "b252",
    "kim-page-gets-no-tag-of-an-article",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag token-missing",
    also="token-missing",
    description=(
        "A page of another origin edits articles: the service does not expose ETag to it, the script finds null, "
        "sends no condition and gets 428, for two articles. A program that is no browser saves with the tag."
    ),
    synthetic=True,
)
def hidden(stage: Stage) -> None:
    """Edit from a page of another origin."""
    pages = fronts.site(stage, "nginx", {"desk.html": "<!doctype html><title>Desk</title><p>Desk"})
    server = suite(stage, "jsonapi", at.ARTICLES, NEED="1", CORS="http://desk.atlas.test")
    other = stage.actor("other", server, "news.atlas.test", "httpx", {"X-Actor": "cli"})
    steps = [
        ("articles/77", at.attributes("articles/77", state="live")),
        ("articles/78", at.attributes("articles/78", state="old")),
    ]
    browse(stage, pages.port, server, steps, [[None, 428], [None, 428]])
    tag = other.get("/jsonapi/articles/78").etag
    other.put("/jsonapi/articles/78", at.attributes("articles/78", state="old"), 200, {"If-Match": tag})


_EDIT = (
    "async ([url, body]) => { const read = await fetch(url); await read.text(); const tag = "
    "read.headers.get('etag'); const headers = {'Content-Type': 'application/vnd.api+json'}; "
    "if (tag) headers['If-Match'] = tag; const put = await fetch(url, {method: 'PUT', headers, "
    "body: JSON.stringify(body)}); await put.text(); return [tag === null ? null : 'tag', put.status] }"
)


def browse(
    stage: Stage, pages: int, server: Server, steps: list[tuple[str, dict[str, Any]]], wanted: list[list[Any]]
) -> None:
    """Let Chromium edit articles from a page of another origin; its own record is the client's file."""
    export = stage.directory() / "client.har"
    rules = f"MAP desk.atlas.test:80 127.0.0.1:{pages}, "
    rules += f"MAP news.atlas.test:80 127.0.0.1:{stage.tap('client', server)}"
    driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
    flags = ["--no-sandbox", "--disable-gpu", f"--host-resolver-rules={rules}"]
    chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
    try:
        context = chromium.new_context(record_har_path=str(export), record_har_content="embed")
        shown = context.new_page()
        shown.goto("http://desk.atlas.test/desk.html")
        for (key, body), expected in zip(steps, wanted, strict=True):
            told = shown.evaluate(_EDIT, [f"http://news.atlas.test/jsonapi/{key}", body])
            if told != expected:
                raise StoryError(f"{key}: {told}")
        stage.servers["browser"] = f"Chromium {chromium.version}"
        context.close()
    finally:
        chromium.close()
        driver.stop()
    stage.exported["client"] = export


@case(
    "b261",
    "kim-field-note-answer-lost",
    "lost-response-replay",
    "409",
    alone="lost-response-replay other-writer",
    also="status-dialect-mismatch",
    description=(
        "The answer to a PUT with _rev is lost in the field; the app sends it again and gets a conflict with its own "
        "write: the note and its id are in the document, at the next revision."
    ),
    synthetic=True,
)
def field_note(stage: Stage) -> None:
    """Lose an answer in the field."""
    server = cloud(stage, "couch", at.FIELDS)
    me = stage.actor(
        "client", server, "couch.farm.test", "httpx", {"User-Agent": "feldbuch/1.8"}, loses=at.once("PUT")
    )
    look(me, ["/fields/_all_docs", "/fields/north-5"])
    held = me.get("/fields/north-4").json
    body = {**held, "notes": "slugs in the lower third", "noteId": "fb-2041-7"}
    me.put("/fields/north-4", body, 0)
    time.sleep(1.4)
    me.put("/fields/north-4", body, 409)
    seen = me.get("/fields/north-4").json
    insist(seen["noteId"] == "fb-2041-7" and seen["_rev"].startswith("2-"), "it is not ours")
    insist(without(seen, "_rev") == without(body, "_rev"), "something else was changed")
