"""Documents, events, lists, repositories and records of products: who wrote, which token, and where it came from."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING

from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.sued_ground import busy

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server

_EVENT = "/calendar/v3/calendars/team%40example.test/events"
_ITEM = "/sites/port/_api/web/lists/getbytitle('Works')/items(4)"


def suite(stage: Stage, **settings: str) -> Server:
    """Start the imitated products."""
    return stage.server("application", app="suite_content", **settings)


@case(
    "a701",
    "two-cooks-one-recipe",
    "other-writer",
    "409",
    alone="other-writer status-dialect-mismatch",
    also="status-dialect-mismatch",
    description=(
        "Two kitchens change one document of CouchDB; the second sends the revision that it has read before the "
        "first one's change: 409 conflict. The document read afterwards is by the other kitchen."
    ),
    synthetic=True,
)
def recipe(stage: Stage) -> None:
    """Change a recipe in two kitchens."""
    server = suite(stage)
    me = stage.actor("client", server, "couch.example.test", "node:axios", {"Cookie": "AuthSession=bWVubw"})
    looks = ("/kitchen", "/", "/kitchen/recipe%3Abread", "/kitchen/menu%3A2026-48", "/kitchen/recipe%3Acake")
    me = busy(me, "a701", looks)
    other = stage.actor("other", server, "couch.example.test", "httpx", {"User-Agent": "kitchen-tablet/2"})
    me.get("/kitchen/_all_docs?limit=50&include_docs=false&descending=false")
    path = "/kitchen/recipe%3Asoup"
    mine, theirs = me.get(path).json, other.get(path).json
    other.put(path, {**theirs, "serves": 6, "by": "kitchen 2"}, 201)
    other.get(path)
    time.sleep(0.8)
    me.put(path, {**mine, "title": "Fish soup with dill", "by": "kitchen 1"}, 409)
    me.get(path)


@case(
    "a704",
    "workflow-stamps-list-item",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "After each save a workflow of the site asks for approval by writing to the item itself, as System "
        "Account: the ETag of the client's own 204 is outdated when it saves the next field."
    ),
    synthetic=True,
)
def workflow(stage: Stage) -> None:
    """Save two fields one after the other."""
    server = suite(stage, WORKFLOW="0.5")
    always = {"Accept": "application/json;odata=verbose", "X-User": "Ida Holm", "X-RequestDigest": "0x3F21"}
    me = stage.actor("client", server, "port.sharepoint.example.test", "curl:trace-time", always)
    me.get("/sites/port/_api/web/currentuser")
    me.get("/sites/port/_api/web/lists/getbytitle('Works')/items?$select=Id,Title&$top=20")
    tag = me.get(_ITEM).etag
    merge = {"X-HTTP-Method": "MERGE"}
    tag = me.send("POST", _ITEM, 204, {**merge, "IF-MATCH": tag}, {"Status": "Ready"}).etag
    me.get("/sites/port/_api/web")
    time.sleep(1.5)
    me.send("POST", _ITEM, 412, {**merge, "IF-MATCH": tag}, {"Title": "Crane 2 inspection"})
    me.get(_ITEM)


@case(
    "a711",
    "event-deleted-by-colleague",
    "target-missing",
    "410",
    alone="target-missing",
    also="status-dialect-mismatch",
    description=(
        "A clean-up deletes old events under the etags of its list; a colleague has deleted one of them by hand: "
        "410 'Resource has been deleted', and a read of it is 404. The others go."
    ),
    synthetic=True,
)
def deleted(stage: Stage) -> None:
    """Delete what is deleted."""
    server = suite(stage)
    me = stage.actor(
        "client", server, "www.googleapis.example.test", "aiohttp", {"Authorization": "Bearer ya29.c"}
    )
    me = busy(me, "a711", ("/calendar/v3/users/me/calendarList", "/calendar/v3/colors"))
    agent = {"Authorization": "Bearer ya29.d", "User-Agent": "Calendar/2026.47 (Android 15)"}
    other = stage.actor("other", server, "www.googleapis.example.test", "requests", agent)
    items = me.get(f"{_EVENT}?timeMax=2026-12-31T00%3A00%3A00Z&singleEvents=true&maxResults=50").json["items"]
    theirs = other.get(f"{_EVENT}/ev6m").etag
    other.send("DELETE", f"{_EVENT}/ev6m", 204, {"If-Match": theirs})
    time.sleep(0.7)
    for one in items:
        expect = 410 if one["id"] == "ev6m" else 204
        me.send("DELETE", f"{_EVENT}/{one['id']}?sendUpdates=none", expect, {"If-Match": one["etag"]})
    me.get(f"{_EVENT}/ev6m", 404)
    me.get(f"{_EVENT}?maxResults=50")


@case(
    "a716",
    "index-job-repeats-its-sequence-number",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token other-writer",
    also="other-writer status-dialect-mismatch",
    description=(
        "An index job repeats a refused request as it is: five times the same if_seq_no within four seconds and "
        "no read, while each answer says which number the document has by now, since a shop wrote it."
    ),
    synthetic=True,
)
def index_job(stage: Stage) -> None:
    """Repeat a request."""
    server = suite(stage)
    me = stage.actor("client", server, "search.example.test", "node:axios", {"Authorization": "ApiKey am9i"})
    other = stage.actor("other", server, "search.example.test", "httpx", {"Authorization": "ApiKey c2hvcA=="})
    me.get("/_cluster/health?level=indices")
    read = me.get("/shop-v7/_doc/4711?realtime=true").json
    me.get("/shop-v7/_doc/4712?realtime=true")
    theirs = other.get("/shop-v7/_doc/4711").json
    guard = f"if_seq_no={theirs['_seq_no']}&if_primary_term={theirs['_primary_term']}"
    other.put(f"/shop-v7/_doc/4711?{guard}&refresh=wait_for", {**theirs["_source"], "stock": 11}, 200)
    own = f"if_seq_no={read['_seq_no']}&if_primary_term={read['_primary_term']}"
    for pause in (0.2, 0.4, 0.8, 1.6, 0.0):
        body = {**read["_source"], "tags": ["car", "winter"]}
        me.put(f"/shop-v7/_doc/4711?{own}&timeout=1m", body, 409)
        time.sleep(pause)


@case(
    "a719",
    "event-form-takes-a-fresh-etag",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "An event's form is filled from one version; on save the page asks for nothing but the fresh etag and "
        "sends its form under it. The start that a colleague has moved meanwhile is put back."
    ),
    synthetic=True,
)
def form(stage: Stage) -> None:
    """Fetch an etag just before the save."""
    server = suite(stage)
    me = stage.actor(
        "client", server, "www.googleapis.example.test", "node:fetch", {"Authorization": "Bearer ya29.a"}
    )
    me = busy(me, "a719", ("/calendar/v3/users/me/calendarList", "/calendar/v3/colors"))
    other = stage.actor(
        "other", server, "www.googleapis.example.test", "requests", {"Authorization": "Bearer ya29.b"}
    )
    me.get(f"{_EVENT}?timeMin=2026-12-01T00%3A00%3A00Z&singleEvents=true")
    shown = me.get(f"{_EVENT}/ev5k").json
    theirs = other.get(f"{_EVENT}/ev5k")
    moved = {**theirs.json, "start": {"dateTime": "2026-12-01T14:30:00+01:00"}}
    other.put(f"{_EVENT}/ev5k", moved, 200, {"If-Match": theirs.etag})
    time.sleep(1.1)
    fresh = me.get(f"{_EVENT}/ev5k?fields=etag,id").json["etag"]
    me.put(
        f"{_EVENT}/ev5k",
        {**shown, "etag": fresh, "summary": "Harbour tour (by boat)"},
        200,
        {"If-Match": fresh},
    )
    me.get(f"{_EVENT}/ev5k")
    other.get(f"{_EVENT}/ev5k")


@case(
    "a721",
    "two-wards-store-one-patient",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    description=(
        "Two wards read one patient's record and put it back whole without If-Match, though every answer had its "
        "version as ETag: the telephone number that the first one has added is gone."
    ),
    synthetic=True,
)
def wards(stage: Stage) -> None:
    """Store a record without a condition."""
    server = suite(stage)
    kind = {"Accept": "application/fhir+json"}
    me = stage.actor("client", server, "fhir.example.test", "httpx", kind)
    me = busy(me, "a721", ("/base/metadata", "/base/Patient/p-502", "/base/Patient/p-900"), validates=False)
    other = stage.actor("other", server, "fhir.example.test", "java", kind)
    path, sends = "/base/Patient/p-501", {"Content-Type": "application/fhir+json"}
    mine, theirs = me.get(path).json, other.get(path).json
    time.sleep(0.3)
    numbers = [*theirs["telecom"], {"value": "+49 160 77"}]
    other.put(path, {**theirs, "telecom": numbers}, 200, sends)
    time.sleep(0.9)
    me.put(path, {**mine, "active": False}, 200, sends)
    me.get(path)
    other.get(path)


@case(
    "a727",
    "commit-sha-for-a-blob-sha",
    "wrong-token-source",
    "409",
    alone="wrong-token-source",
    also="status-dialect-mismatch",
    description=(
        "A bot replaces a file under the sha of the newest commit; the interface wants that of the file's blob: "
        "409 'does not match'. With the sha from the file's own answer the same content is committed."
    ),
    synthetic=True,
)
def shas(stage: Stage) -> None:
    """Take the commit's sha."""
    server = suite(stage)
    agent = {
        "User-Agent": "docs-bot/0.2",
        "Authorization": "token ghx",
        "Accept": "application/vnd.github+json",
    }
    me = stage.actor("client", server, "api.git.example.test", "urllib", agent)
    looks = ("/repos/harbour/site", "/rate_limit", "/repos/harbour/site/contents/docs/faq.md")
    me = busy(me, "a727", looks, validates=False)
    path = "/repos/harbour/site/contents/docs/install.md"
    head = me.get("/repos/harbour/site/commits?sha=main&per_page=1").json[0]["sha"]
    me.get(f"{path}?ref=main")
    text = base64.b64encode(b"# Install\n\nRun make, then make install.\n").decode()
    body = {"message": "Explain make install", "content": text, "branch": "main"}
    me.put(path, {**body, "sha": head}, 409)
    blob = me.get(f"{path}?ref=main").json["sha"]
    me.put(path, {**body, "sha": blob}, 200)
    me.get("/repos/harbour/site/commits?sha=main&per_page=1")


@case(
    "a733",
    "entry-without-its-version",
    "token-missing",
    "409",
    alone="token-missing status-dialect-mismatch",
    also="status-dialect-mismatch",
    description=(
        "The content interface wants the entry's version in a field of its own and says so with 409; the client "
        "has it from its GET, forgets it twice, then sends it and is through."
    ),
    synthetic=True,
)
def entry(stage: Stage) -> None:
    """Store an entry without its version."""
    server = suite(stage)
    kind = {
        "Authorization": "Bearer CFPAT-x",
        "Content-Type": "application/vnd.contentful.management.v1+json",
    }
    me = stage.actor("client", server, "api.content.example.test", "java", kind)
    me = busy(me, "a733", ("/spaces/harbour", "/spaces/harbour/environments/master/locales"), validates=False)
    path = "/spaces/harbour/environments/master/entries/jobs"
    me.get("/spaces/harbour/environments/master/entries?limit=20&order=-sys.updatedAt")
    version = me.get(path).json["sys"]["version"]
    body = {"fields": {"title": {"en-GB": "Jobs at the harbour"}}}
    me.put(path, body, 409)
    me.put(path, body, 409)
    me.put(path, body, 200, {"X-Contentful-Version": str(version)})
    me.get(path)
