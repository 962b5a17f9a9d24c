"""Plans, drives, documents and tables at Microsoft's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.recording_apis.apps import zed_microsoft as microsoft
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "e291",
    "zed-drag-and-percent-at-once",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A board client sends two changes of one task at the same moment, the bucket and the progress, both with the "
        "etag that it holds: one is done, the other refused a blink later, on two tasks."
    ),
    synthetic=True,
)
def drag(stage: Stage) -> None:
    """Send two at once."""
    tasks = {
        f"01gzSlKkIUSUl6DF_EilrmQAKDh{x}": {
            "title": f"Casing {x}",
            "bucketId": "hsOf2dhO",
            "percentComplete": 0,
        }
        for x in "pqr"
    }
    server = place.open_box(stage, microsoft.Planner(tasks), "flask", "Microsoft Planner")
    me = stage.actor(
        "client",
        server,
        "graph.microsoft.com",
        "httpx",
        {"Authorization": "Bearer eyJ0eXAi.board", "client-request-id": "b7d1c5aa-board"},
    )
    me.get("/v1.0/me")
    me.get("/v1.0/planner/plans/xqQg5FS2LkCp935s-FIFm2QAFkHM/tasks")
    for key in list(tasks)[:2]:
        seen = me.get(f"/v1.0/planner/tasks/{key}").json["@odata.etag"]

        def save(body: object, key: str = key, seen: str = seen) -> Answer:
            fields = {"If-Match": seen, "Prefer": "return=representation"}
            return me.send("PATCH", f"/v1.0/planner/tasks/{key}", (200, 412), fields, body)

        got = place.at_once(
            lambda: save({"bucketId": "Q1yZ"}), lambda: save({"percentComplete": 50}), apart=0.05
        )
        place.sure(sorted(one.status for one in got) == [200, 412])
        place.rest(0.7)
    me.get("/v1.0/planner/plans/xqQg5FS2LkCp935s-FIFm2QAFkHM/tasks")


@case(
    "e316",
    "zed-captions-after-upload",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "An album client uploads pictures and then sets descriptions with the eTag that the upload returned; in between "
        "the service itself read the camera's data and changed the item (cTag the same): refused for each picture."
    ),
    synthetic=True,
)
def captions(stage: Stage) -> None:
    """Be overtaken by the service."""
    api = microsoft.Drive()
    server = place.open_box(stage, api, "tornado", "OneDrive")
    me = stage.actor(
        "client", server, "graph.microsoft.com", "node:axios", {"Authorization": "Bearer eyJ0eXAi.album"}
    )
    root = "/v1.0/me/drive/root:/Pictures"
    me.get("/v1.0/me/drive")
    me.get(f"{root}:/children")
    for name in ("DSCF2210.jpg", "DSCF2214.jpg"):
        made = me.put(f"{root}/{name}:/content", "JFIF" + name * 30, 201, {"Content-Type": "image/jpeg"}).json
        place.rest(0.8)
        api.look(name)
        place.rest(0.6)
        me.send(
            "PATCH", f"{root}/{name}", 412, {"If-Match": made["eTag"]}, {"description": "Serra, nevoeiro"}
        )
        now = me.get(f"{root}/{name}").json
        place.sure(now["cTag"] == made["cTag"] and now["eTag"] != made["eTag"])
    me.get(f"{root}:/children")


@case(
    "e309",
    "zed-label-printed-for-the-old-street",
    "replica-lag",
    "lost-update",
    alone="replica-lag",
    description=(
        "A despatch office corrects an order's address (200 with a new _etag) and reads the order at once to print its "
        "label: the read, from a region behind, has the older _etag and street, with a lower lsn; the label has the old "
        "street. A second later the same read has the new one."
    ),
    synthetic=True,
)
def street(stage: Stage) -> None:
    """Read behind."""
    docs = {f"so-{n}": {"depot": "gent", "street": f"Kouter {n}", "state": "packed"} for n in (771, 772, 773)}
    api = microsoft.Cosmos(docs)
    api.lag = 1.2
    server = place.open_box(stage, api, "aiohttp", "Azure Cosmos DB")
    root, part = (
        "/dbs/despatch/colls/orders/docs",
        {"x-ms-documentdb-partitionkey": '["gent"]', "x-ms-consistency-level": "Eventual"},
    )
    me = stage.actor(
        "client", server, "despatch.documents.azure.com", "requests", {"x-ms-version": "2018-12-31", **part}
    )
    me.get("/dbs/despatch/colls/orders")
    me.get(f"{root}/so-771")
    seen = me.get(f"{root}/so-772")
    new = {**seen.json, "street": "Coupure 118"}
    saved = me.put(f"{root}/so-772", new, 200, {"If-Match": seen.etag})
    place.rest(0.1)
    got = me.get(f"{root}/so-772")
    place.sure(got.etag == seen.etag != saved.etag)
    label = {"id": "lb-9", "depot": "gent", "order": "so-772", "to": got.json["street"], "basis": got.etag}
    me.send("POST", "/dbs/despatch/colls/labels/docs", 201, None, label)
    me.get(f"{root}/so-773")
    place.rest(1.4)
    place.sure(me.get(f"{root}/so-772").etag == saved.etag)
    me.get("/dbs/despatch/colls/labels/docs/lb-9")


@case(
    "e312",
    "zed-crates-with-weak-dates-as-tags",
    "none",
    "healthy",
    alone="none",
    description=(
        "A farm's crates in a table: weak, percent-encoded tags that hold dates go back in If-Match and are taken, each "
        "write chained on the one before; one row that is asked for before it is made is 404."
    ),
    synthetic=True,
)
def crates(stage: Stage) -> None:
    """Work well."""
    rows = {f"nord|crate-{n:03d}": {"kg": n * 2, "sort": "Boskoop"} for n in (4, 5, 6)}
    server = place.open_box(stage, microsoft.Tables(rows), "starlette", "Azure Table Storage")
    always = {
        "Accept": "application/json;odata=fullmetadata",
        "x-ms-version": "2019-02-02",
        "DataServiceVersion": "3.0",
    }
    me = stage.actor("client", server, "harvest.table.core.windows.net", "httpx", always)
    other = stage.actor("other", server, "harvest.table.core.windows.net", "requests", always)

    def at(n: int) -> str:
        return f"/harvest/crates(PartitionKey='nord',RowKey='crate-{n:03d}')"

    me.get("/harvest/crates()")
    me.get(at(9), 404)
    made = me.send(
        "POST", "/harvest/crates", 201, None, {"PartitionKey": "nord", "RowKey": "crate-009", "kg": 0}
    )
    tag = made.etag
    for kg in (12, 18):
        tag = me.send("PATCH", at(9), 204, {"If-Match": tag}, {"kg": kg}).etag
        place.rest(0.2)
    theirs = other.get(at(5))
    other.send("PATCH", at(5), 204, {"If-Match": theirs.etag}, {"kg": 11})
    seen = me.get(at(5))
    me.send("PATCH", at(5), 204, {"If-Match": seen.etag}, {"sort": "Elstar"})
    gone = me.get(at(4))
    me.send("DELETE", at(4), 204, {"If-Match": gone.etag})
    me.get("/harvest/crates()")
