"""Tables, documents and indices."""

from __future__ import annotations

import importlib
import time
import uuid
from typing import TYPE_CHECKING, Any, Protocol
from unittest.mock import patch

from tools.recording_apis.apps.cal_apis import Api, Req, Res, Row, guid, hashed, instant
from tools.recording_apis.names import route
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_cal_setting as place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tools.recording_apis.stage import Stage


class Entity(Protocol):
    """An entity of a table, with what came beside it."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """Return its tag and time."""
        ...

    def keys(self) -> Iterable[str]:
        """Return the names of its properties."""
        ...

    def __getitem__(self, name: str, /) -> Any:
        """Return a property."""
        ...


class Table(Protocol):
    """What the story calls of azure-data-tables."""

    def create_table(self) -> object:
        """Make the table."""
        ...

    def create_entity(self, entity: Mapping[str, object]) -> object:
        """Add an entity."""
        ...

    def query_entities(self, query_filter: str) -> Iterable[Entity]:
        """Return what fits."""
        ...

    def get_entity(self, partition_key: str, row_key: str) -> Entity:
        """Return one entity."""
        ...

    def update_entity(self, entity: Mapping[str, object], **named: object) -> object:
        """Store an entity."""
        ...

    def delete_entity(self, partition_key: str, row_key: str, **named: object) -> None:
        """Remove an entity."""
        ...


@case(
    "e376",
    "cal-meter-readings-with-weak-percent-tags",
    "none",
    "healthy",
    alone="none",
    description="Meter readings in Azurite's tables through azure-data-tables: weak, percent-encoded tags sent back in If-Match, all taken; a merge, a replace after a colleague's that was read first, a deletion and the 404 that follows it.",
)
def tables(stage: Stage) -> None:
    """Use weak tags as the service wants them."""
    server = stage.server("azurite", table=True)
    library, core = importlib.import_module("azure.data.tables"), importlib.import_module("azure.core")
    missing = importlib.import_module("azure.core.exceptions").ResourceNotFoundError
    same = core.MatchConditions.IfNotModified
    ports = {name: stage.tap(name, server) for name in ("client", "other")}

    def table(name: str) -> Table:
        route("tables.watt.example", ports[name])
        made: Table = library.TableServiceClient.from_connection_string(
            f"{place.AZURITE}TableEndpoint=http://tables.watt.example/notes", retry_total=0
        ).get_table_client("readings")
        return made

    with patch("platform.platform", return_value="Linux-x86_64"), patch("uuid.uuid1", uuid.uuid4):
        mine = table("client")
        mine.create_table()
        for n in (31, 32, 33):
            mine.create_entity({"PartitionKey": "north", "RowKey": f"m{n}", "kwh": n * 10, "note": ""})
        stage.forget()
        rows = {one["RowKey"]: one for one in mine.query_entities("PartitionKey eq 'north'")}
        first = mine.get_entity("north", "m31")
        mine.update_entity(
            {**first, "kwh": 318},
            mode=library.UpdateMode.MERGE,
            etag=first.metadata["etag"],
            match_condition=same,
        )
        theirs = table("other")
        seen = theirs.get_entity("north", "m32")
        theirs.update_entity(
            {**seen, "note": "seal broken"},
            mode=library.UpdateMode.REPLACE,
            etag=seen.metadata["etag"],
            match_condition=same,
        )
        route("tables.watt.example", ports["client"])
        place.rest(0.6)
        fresh = mine.get_entity("north", "m32")
        mine.update_entity(
            {**fresh, "kwh": 322},
            mode=library.UpdateMode.REPLACE,
            etag=fresh.metadata["etag"],
            match_condition=same,
        )
        mine.delete_entity("north", "m33", etag=rows["m33"].metadata["etag"], match_condition=same)
        try:
            mine.get_entity("north", "m33")
            place.sure(ok=False, said="still there")
        except missing:
            pass
        place.sure(mine.get_entity("north", "m32")["note"] == "seal broken")


@case(
    "e379",
    "cal-parcel-saved-once-answered-never",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    synthetic=True,
    description="A parcel service replaces an item in Cosmos DB under If-Match; the connection breaks before the answer, its client sends the same again and is told 412; the item that it reads has its own scan id and was stored at the time of the first attempt.",
)
def cosmos(stage: Stage) -> None:
    """Meet one's own write."""
    rows = {
        n: Row({"state": "sorted", "hub": "LEJ", "scans": []}, age=4000) for n in ("pc-41", "pc-42", "pc-43")
    }
    api = Api(
        lambda req: {
            "x-ms-activity-id": req.fields.get("x-ms-activity-id", guid(str(time.time()))),
            "x-ms-request-charge": "1.14",
            "x-ms-session-token": "0:-1#4412",
            "x-ms-schemaversion": "1.18",
            "Server": "Microsoft-HTTPAPI/2.0",
        }
    )

    def tag(key: str) -> str:
        return f'"{hashed(key, "md5")[:8]}-0000-0d00-0000-{hashed(rows[key].at, "md5")[:12]}"'

    @api.on("GET|PUT", "/dbs/parcels/colls/items/docs/(.+)")
    def doc(req: Req, key: str) -> Res:
        row = rows[key]
        if req.method == "PUT":
            if req.fields.get("if-match", tag(key)) != tag(key):
                return Res(
                    412,
                    {
                        "code": "PreconditionFailed",
                        "message": "Operation cannot be performed because one of the specified precondition is not met., \r\nRequestStartTime: "
                        + instant(time.time(), 6)
                        + ", Number of regions attempted:1\r\n",
                    },
                    {"x-ms-substatus": "0"},
                )
            row.set({k: v for k, v in req.json.items() if k[0] != "_" and k != "id"})
        shown = {
            "id": key,
            **row.data,
            "_rid": hashed(key)[:12] + "==",
            "_etag": tag(key),
            "_ts": int(row.at),
        }
        return Res(200, shown, {"ETag": tag(key)})

    server = place.open_box(stage, api, "aiohttp", "Azure Cosmos DB")
    head = {
        "x-ms-version": "2018-12-31",
        "Authorization": "type%3Dmaster%26ver%3D1.0%26sig%3Dx",
        "x-ms-documentdb-partitionkey": '["LEJ"]',
    }
    me = stage.actor(
        "client", server, "parcels.documents.example", "httpx", head, loses=place.drops("PUT", "pc-42")
    )
    base, last = "/dbs/parcels/colls/items/docs", 0
    for key in ("pc-41", "pc-42"):
        seen = me.get(f"{base}/{key}")
        body = {**seen.json, "state": "loaded", "scans": [{"id": guid("scan" + key), "belt": 7}]}
        for attempt in range(2):
            got = me.put(
                f"{base}/{key}",
                body,
                (0, 200, 412),
                {
                    "If-Match": seen.etag,
                    "x-ms-activity-id": guid(f"a{key}"),
                    "x-ms-retry-count": str(attempt),
                },
            )
            last = got.status
            if last:
                break
            place.rest(1.1)
    place.sure(last == 412)
    place.sure(guid("scanpc-42") in me.get(f"{base}/pc-42").text)
    me.get(f"{base}/pc-43")


def _couch_api() -> Api:
    rows: dict[str, Row] = {}
    seq = [0]

    def rev(key: str) -> str:
        return f"{rows[key].rev}-{hashed((key, rows[key].rev, str(rows[key].data)), 'md5')}"

    def store(key: str, data: dict[str, Any]) -> None:
        seq[0] += 1
        rows[key] = rows[key].set(data) if key in rows else Row(data)
        rows[key].seq = seq[0]

    for n in (1, 2, 3):
        store(f"note-{n}", {"text": f"bed {n}: kale"})
    api = Api(
        lambda _req: {
            "Server": "CouchDB/3.3.3 (Erlang OTP/24)",
            "X-Couch-Request-ID": hashed(time.time())[:10],
            "Cache-Control": "must-revalidate",
        }
    )

    @api.on("GET", "/garden/_changes")
    def changes(req: Req) -> Res:
        since = int(req.query.get("since", "0").split("-")[0])
        found = sorted(((r.seq, k) for k, r in rows.items() if r.seq > since and not k.startswith("_local")))
        return Res(
            200,
            {
                "results": [
                    {
                        "seq": f"{s}-g1AAA",
                        "id": k,
                        "changes": [{"rev": rev(k)}],
                        **({"deleted": True} if rows[k].data.get("_deleted") else {}),
                    }
                    for s, k in found
                ],
                "last_seq": f"{seq[0]}-g1AAA",
                "pending": 0,
            },
        )

    @api.on("GET|PUT|DELETE", "/garden/((?:_local/)?[a-z0-9-]+)")
    def doc(req: Req, key: str) -> Res:
        row = rows.get(key)
        dead = row is None or row.data.get("_deleted")
        if req.method == "GET":
            if row is None or dead:
                return Res(404, {"error": "not_found", "reason": "missing" if row is None else "deleted"})
            if req.fields.get("if-none-match") == f'"{rev(key)}"':
                return Res(304, b"", {"ETag": f'"{rev(key)}"'})
            return Res(200, {"_id": key, "_rev": rev(key), **row.data}, {"ETag": f'"{rev(key)}"'})
        body = req.json if req.body else {"_deleted": True}
        sent = req.query.get("rev") or body.get("_rev")
        if not dead and sent != rev(key):
            return Res(409, {"error": "conflict", "reason": "Document update conflict."})
        store(key, {k: v for k, v in body.items() if k not in {"_id", "_rev"}})
        return Res(
            200 if req.method == "DELETE" else 201,
            {"ok": True, "id": key, "rev": rev(key)},
            {"ETag": f'"{rev(key)}"'},
        )

    return api


@case(
    "e383",
    "cal-couch-follows-its-feed",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description="A tablet syncs notes with CouchDB: _local checkpoint missing at first (404) and then saved with its own _rev, documents put with the newest _rev, one deleted and made anew over its tombstone, a change of another tablet taken from _changes before it is edited. Nothing is lost.",
)
def couch(stage: Stage) -> None:
    """Replicate in peace."""
    server = place.open_box(stage, _couch_api(), "cheroot", "CouchDB")
    me = stage.actor(
        "client", server, "couch.allotment.example", "node:fetch", {"Authorization": "Basic dGFibGV0"}
    )
    other = stage.actor(
        "other", server, "couch.allotment.example", "aiohttp", {"Authorization": "Basic c2hlZA=="}
    )
    me.get("/garden/_local/tab9", 404)
    first = me.get("/garden/_changes?style=all_docs&since=0&limit=100").json
    mark = me.put("/garden/_local/tab9", {"last_seq": first["last_seq"]}, 201).json["rev"]
    note = me.get("/garden/note-1").json
    saved = me.put("/garden/note-1", {**note, "text": "bed 1: kale, thinned"}, 201).json
    me.put("/garden/note-1", {**note, "_rev": saved["rev"], "text": "bed 1: kale, thinned twice"}, 201)
    theirs = other.get("/garden/note-2").json
    other.put("/garden/note-2", {**theirs, "text": "bed 2: leeks"}, 201)
    place.rest(0.8)
    feed = me.get(f"/garden/_changes?style=all_docs&since={first['last_seq']}").json
    note = me.get("/garden/note-2").json
    me.put("/garden/note-2", {**note, "text": note["text"] + ", netted"}, 201)
    gone = me.get("/garden/note-3").json["_rev"]
    me.send("DELETE", f"/garden/note-3?rev={gone}", 200)
    me.get("/garden/note-3", 404)
    me.put("/garden/note-3", {"text": "bed 3: beans"}, 201)
    me.put("/garden/_local/tab9", {"_rev": mark, "last_seq": feed["last_seq"]}, 201)
    kept = me.get("/garden/note-2")
    me.get("/garden/note-2", 304, {"If-None-Match": kept.etag})


def _index_api(place_: dict[str, int]) -> Api:
    rows: dict[str, Row] = {}

    def store(key: str, data: dict[str, Any]) -> dict[str, Any]:
        place_["seq"] += 1
        made = "updated" if key in rows else "created"
        rows[key] = rows[key].set(data) if key in rows else Row(data)
        rows[key].seq, rows[key].term = place_["seq"], place_["term"]
        return {
            "_index": "shards-of-pottery",
            "_id": key,
            "_version": rows[key].rev,
            "result": made,
            "_shards": {"total": 2, "successful": 2, "failed": 0},
            "_seq_no": rows[key].seq,
            "_primary_term": rows[key].term,
        }

    for n in (5, 6, 7):
        store(f"s{n}", {"ware": "samian", "grams": n * 11})
    api = Api(
        lambda _req: {"X-elastic-product": "Elasticsearch"},
        "application/vnd.elasticsearch+json;compatible-with=8",
    )
    api.say("GET", "/_cluster/health", {"cluster_name": "digs", "status": "green", "relocating_shards": 1})

    @api.on("GET|PUT", "/shards-of-pottery/_doc/([a-z0-9]+)")
    def doc(req: Req, key: str) -> Res:
        row = rows.get(key)
        if req.method == "PUT":
            held = (row.seq, row.term) if row else None
            if "if_seq_no" in req.query and held != (
                int(req.query["if_seq_no"]),
                int(req.query["if_primary_term"]),
            ):
                return Res(409, {"error": {"type": "version_conflict_engine_exception"}, "status": 409})
            return Res(200 if row else 201, store(key, req.json))
        if row is None:
            return Res(404, {"_index": "shards-of-pottery", "_id": key, "found": False})
        return Res(
            200,
            {
                "_index": "shards-of-pottery",
                "_id": key,
                "_version": row.rev,
                "_seq_no": row.seq,
                "_primary_term": row.term,
                "found": True,
                "_source": row.data,
            },
        )

    @api.on("POST", "/shards-of-pottery/_update/([a-z0-9]+)")
    def update(req: Req, key: str) -> Res:
        return Res(200, store(key, {**rows[key].data, **req.json["doc"]}))

    @api.on("POST", "/shards-of-pottery/_search")
    def search(_req: Req) -> Res:
        return Res(
            200,
            {
                "took": 3,
                "timed_out": False,
                "hits": {
                    "total": {"value": len(rows), "relation": "eq"},
                    "hits": [
                        {"_id": k, "_seq_no": r.seq, "_primary_term": r.term, "_source": r.data}
                        for k, r in rows.items()
                    ],
                },
            },
        )

    return api


@case(
    "e389",
    "cal-index-after-a-shard-moved",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description="A catalogue's indexer on Elasticsearch: if_seq_no and if_primary_term from each read, a term that grows as a shard moves, sequence numbers that jump for other documents' sake, a 404 for what was never indexed, one _update with retry_on_conflict. All is stored as meant.",
)
def index(stage: Stage) -> None:
    """Index with care."""
    place_ = {"seq": 40, "term": 1}
    server = place.open_box(stage, _index_api(place_), "tornado", "Elasticsearch")
    me = stage.actor("client", server, "search.digs.example", "requests", {"Authorization": "ApiKey Vn"})
    other = stage.actor("other", server, "search.digs.example", "node:fetch", {"Authorization": "ApiKey Wo"})
    base = "/shards-of-pottery"
    me.get("/_cluster/health")
    me.send("POST", f"{base}/_search", 200, body={"query": {"match_all": {}}, "seq_no_primary_term": True})
    me.get(f"{base}/_doc/s9", 404)
    me.put(f"{base}/_doc/s9?op_type=create", {"ware": "grey", "grams": 8}, 201)

    def edit(key: str, **more: object) -> None:
        seen = me.get(f"{base}/_doc/{key}").json
        me.put(
            f"{base}/_doc/{key}?if_seq_no={seen['_seq_no']}&if_primary_term={seen['_primary_term']}",
            {**seen["_source"], **more},
            200,
        )

    edit("s5", rim=True)
    other.send("POST", f"{base}/_update/s6?retry_on_conflict=3", 200, body={"doc": {"box": "K4"}})
    place_["term"] = 2
    place.rest(0.6)
    edit("s6", rim=False)
    edit("s5", glaze="none")
    me.send("POST", f"{base}/_update/s7?retry_on_conflict=3", 200, body={"doc": {"box": "K5"}})
    me.send(
        "POST",
        f"{base}/_search",
        200,
        body={"query": {"term": {"ware": "samian"}}, "seq_no_primary_term": True},
    )
    place.sure(me.get(f"{base}/_doc/s6").json["_source"]["box"] == "K4")
