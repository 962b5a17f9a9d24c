"""Conditions that nobody wrote, and tokens that are no longer kept."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tools.recording_apis.apps.tom_body import Kubernetes, Search
from tools.recording_apis.apps.tom_engine import Reply
from tools.recording_apis.apps.tom_google import Calendar
from tools.recording_apis.apps.tom_tagged import Notes
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.tom_setting import api, bearer, look, must, news, ping, report, rest

if TYPE_CHECKING:
    from tools.recording_apis.apps.tom_engine import Request


@case(
    "d112",
    "tom-notes-of-the-tablet-alone",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    synthetic=True,
    description="One notes app on two platforms. On the tablet the system's URL cache has the note's answer and adds If-None-Match with its tag to the PUT, which the app never does: 412. The same PUT of the phone goes without it and is stored.",
)
def notes(stage: Stage) -> None:
    """Let a cache add a field."""
    base = "/index.php/apps/notes/api/v1/notes"
    product = Notes(
        {
            f"{base}/{number}": {"title": f"List {number}", "content": "bread", "category": ""}
            for number in (51, 52, 53)
        }
    )
    server = api(stage, product, "Nextcloud Notes")
    own = {"Authorization": "Basic bm9yYTp4"}
    me = stage.actor(
        "client",
        server,
        "cloud.nora.test",
        "requests",
        {**own, "User-Agent": "Notes/4.9 (iPad; iOS 18.1) CFNetwork/1568.200.51 Darwin/24.1.0"},
    )
    other = stage.actor(
        "other", server, "cloud.nora.test", "httpx", {**own, "User-Agent": "Notes/4.9 (Android 15)"}
    )
    me.get(base)
    news(me)
    look(me, "icon.svg")
    tag = me.get(f"{base}/51").etag
    me.get(f"{base}/51", 304, {"If-None-Match": tag})
    me.put(
        f"{base}/51",
        {"title": "List 51", "content": "bread, salt", "category": ""},
        412,
        {"If-None-Match": tag},
    )
    rest(0.6)
    me.put(
        f"{base}/51",
        {"title": "List 51", "content": "bread, salt", "category": ""},
        412,
        {"If-None-Match": tag},
    )
    other.get(f"{base}/52")
    other.put(f"{base}/52", {"title": "List 52", "content": "bread, tea", "category": ""}, 200)
    me.put(f"{base}/53", {"title": "List 53", "content": "soap", "category": ""}, 200)
    must(other.get(f"{base}/51").json["content"] == "bread", "written")


@case(
    "d113",
    "tom-counter-updates-collide-inside",
    "implicit-precondition",
    "409",
    alone="implicit-precondition other-writer status-dialect-mismatch",
    also="other-writer status-dialect-mismatch",
    synthetic=True,
    description="Two trackers call Elasticsearch's _update on one document at once, with no condition of theirs. The update reads and writes under a sequence number of its own: one gets version_conflict_engine_exception, with a seqNo that it never sent.",
)
def counter(stage: Stage) -> None:
    """Meet inside of an update."""
    product = Search({"/views/_doc/home": {"a": 1, "b": 1}, "/views/_doc/shop": {"a": 3, "b": 4}}, inner=0.3)
    server = api(stage, product, "Elasticsearch")
    me = stage.actor("client", server, "es.stats.test", "node:fetch", bearer("tracker-a"))
    other = stage.actor("other", server, "es.stats.test", "requests", bearer("tracker-b"))
    me.get("/views/_doc/home")
    me.send("POST", "/views/_update/shop", 200, None, {"doc": {"a": 4}})
    first = threading.Thread(
        target=lambda: other.send("POST", "/views/_update/home", 200, None, {"doc": {"b": 2}})
    )
    first.start()
    rest(0.15)
    me.send("POST", "/views/_update/home", 409, None, {"doc": {"a": 2}})
    first.join()
    seen = me.get("/views/_doc/home").json
    must(seen["_source"] == {"a": 1, "b": 2}, "not the other's")
    ping(me, 3)
    report(me)
    report(other)
    ping(me)


@case(
    "d114",
    "tom-paged-list-outlives-its-snapshot",
    "token-expired",
    "410",
    alone="token-expired",
    also="status-dialect-mismatch",
    synthetic=True,
    description="An inventory walks the pods of a cluster in pages and does something slow in between. The continue token of page two is past the history that the server keeps: 410 Expired, too old. The walk begins anew and gets through.",
)
def pods(stage: Stage) -> None:
    """Come back too late with a continue token."""
    base = "/api/v1/namespaces/mill/pods"
    product = Kubernetes(
        {
            f"{base}/mill-{number}": {"kind": "Pod", "metadata": {"name": f"mill-{number}"}}
            for number in range(6)
        }
    )
    issued: dict[str, float] = {}

    def pages(request: Request) -> Reply | None:
        if request.path != base:
            return None
        token = request.query.get("continue", "")
        if token and (token not in issued or product.numbers - issued[token] > 4):
            said = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter"
            return Reply(410, product.status("Expired", 410, said))
        names = sorted(product.items)
        start = int(token.partition("-")[0] or 0)
        shown = [product.body(name, product.items[name]) for name in names[start : start + 2]]
        meta = {"resourceVersion": "337512"}
        if start + 2 < len(names):
            meta["continue"] = f"{start + 2}-{product.numbers}eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MzM3NTEy"
            issued[meta["continue"]] = product.numbers
        return Reply(200, {"kind": "PodList", "metadata": meta, "items": shown})

    product.before.append(pages)
    server = api(stage, product, "Kubernetes")
    me = stage.actor(
        "client",
        server,
        "kube.mill.test",
        "java",
        bearer("inventory", User_Agent="Kubernetes Java Client/21.0.1"),
    )
    token = me.get(f"{base}?limit=2").json["metadata"]["continue"]
    token = me.get(f"{base}?limit=2&continue={token}").json["metadata"]["continue"]
    for number in range(6):
        me.get(f"{base}/mill-{number}")
        rest(0.25)
    me.get(f"{base}?limit=2&continue={token}", 410)
    token = ""
    for _ in range(3):
        suffix = f"&continue={token}" if token else ""
        token = me.get(f"{base}?limit=2{suffix}").json["metadata"].get("continue", "")
    must(not token, "not through")


@case(
    "d115",
    "tom-calendar-sync-after-the-holidays",
    "token-expired",
    "410",
    alone="token-expired",
    also="status-dialect-mismatch",
    synthetic=True,
    description="A desktop calendar comes back with the syncToken of its last run and gets 410 fullSyncRequired: the sync token is no longer valid. It drops its store, reads all events and goes on with the fresh token, which works.",
)
def holidays(stage: Stage) -> None:
    """Synchronise with a token that is no longer kept."""
    base = "/calendar/v3/calendars/primary/events"
    product = Calendar({f"{base}/v{number}": {"summary": f"Visit {number}"} for number in range(3)})
    state = {"count": 7}

    def synced(request: Request) -> Reply | None:
        if request.path != base:
            return None
        token = request.query.get("syncToken")
        if token is not None and int(token.rpartition("_")[2]) < state["count"]:
            said = "Sync token is no longer valid, a full sync is required."
            error = {
                "domain": "calendar",
                "reason": "fullSyncRequired",
                "message": said,
                "locationType": "parameter",
                "location": "syncToken",
            }
            return Reply(410, {"error": {"errors": [error], "code": 410, "message": said}})
        shown = [] if token else [product.body(path, item) for path, item in product.items.items()]
        return Reply(
            200,
            {
                "kind": "calendar#events",
                "items": shown,
                "nextSyncToken": f"CPDAlvWDx70CEPDAlvWDx70CGAU_{state['count']}",
            },
        )

    product.before.append(synced)
    server = api(stage, product, "Google Calendar")
    me = stage.actor("client", server, "calendar.desk.test", "requests", bearer("desk"))
    first = me.get(base).json["nextSyncToken"]
    me.get(f"{base}?syncToken={first}")
    tag = me.get(f"{base}/v1").etag
    me.put(f"{base}/v1", {"summary": "Visit to Lund"}, 200, {"If-Match": tag})
    state["count"] += 4
    rest(1.2)
    look(me)
    me.get(f"{base}?syncToken={first}", 410)
    fresh = me.get(base).json["nextSyncToken"]
    must(fresh != first, "same")
    me.get(f"{base}?syncToken={fresh}")
