"""Stores and suites with versions of their own: real ones where there is one, else imitations."""

from __future__ import annotations

import importlib
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tools.recording_apis.apps.ria_ground import Ask, Reply, serve
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.ria_setting import need, rest


@case(
    "b858",
    "ria-azurite-lease-was-taken-over",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "A job holds a lease on its checkpoint blob in Azurite. Another worker breaks it and takes its own; the job's "
        "next write with the old lease id is 412 LeaseIdMismatchWithBlobOperation, and it cannot renew (409)."
    ),
)
def lease(stage: Stage) -> None:
    """Write with a lease that was taken over."""
    library = importlib.import_module("azure.storage.blob")
    rights = library.AccountSasPermissions(read=True, write=True, create=True, list=True)
    types = library.ResourceTypes(container=True, object=True)
    sas = library.generate_account_sas(
        "notes", "ZXhhbXBsZQ==", types, rights, datetime.now(UTC) + timedelta(hours=2)
    )
    server = stage.server("azurite")
    always = {"x-ms-version": "2023-11-03", "x-ms-client-request-id": "job-4"}
    me = stage.actor("client", server, "notes.blob.test", "requests", always)
    other = stage.actor(
        "other", server, "notes.blob.test", "httpx", {**always, "x-ms-client-request-id": "job-9"}
    )
    blob, kind = (
        f"/notes/jobs/checkpoint?{sas}",
        {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/json"},
    )
    me.put(f"/notes/jobs?restype=container&{sas}", b"", 201)
    me.put(blob, '{"offset":0}', 201, kind)
    stage.forget()
    take = {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "60"}
    mine = me.put(f"{blob}&comp=lease", b"", 201, take).fields["x-ms-lease-id"]
    for offset in (1200, 2400):
        tag = me.get(blob).etag
        me.put(blob, f'{{"offset":{offset}}}', 201, {**kind, "x-ms-lease-id": mine, "If-Match": tag})
    other.put(f"{blob}&comp=lease", b"", 202, {"x-ms-lease-action": "break", "x-ms-lease-break-period": "0"})
    other.put(f"{blob}&comp=lease", b"", 201, take)
    rest(0.5)
    tag = me.get(blob).etag
    refused = me.put(blob, '{"offset":3600}', 412, {**kind, "x-ms-lease-id": mine, "If-Match": tag})
    need("Lease" in refused.text, refused.text)
    me.put(f"{blob}&comp=lease", b"", 409, {"x-ms-lease-action": "renew", "x-ms-lease-id": mine})
    me.send("HEAD", blob, 200)


@case(
    "b859",
    "ria-table-tag-was-decoded",
    "malformed-validator",
    "400",
    alone="malformed-validator",
    synthetic=True,
    description=(
        "A storage table's tag has its colons percent-encoded; a client decodes what it takes for a URL and sends "
        "colons: 400 InvalidInput, for two entities. Sent as served, the merge is accepted."
    ),
)
def table(stage: Stage) -> None:
    """Decode an opaque tag."""
    rows = {
        "r1": "W/\"datetime'2026-11-26T21%3A03%3A31.9231271Z'\"",
        "r2": "W/\"datetime'2026-11-20T07%3A11%3A02.1000003Z'\"",
    }

    def handle(ask: Ask) -> Reply:
        fields = {"x-ms-version": "2019-02-02", "x-ms-request-id": f"{time.time_ns():x}"}
        name = next((one for one in rows if f"'{one}'" in ask.path), "")
        if ask.method == "GET":
            if not name:
                return Reply(
                    200, {"value": [{"RowKey": n, "odata.etag": t} for n, t in rows.items()]}, fields
                )
            return Reply(
                200,
                {"odata.etag": rows[name], "PartitionKey": "de", "RowKey": name, "qty": 4},
                {**fields, "ETag": rows[name]},
            )
        sent = ask.fields.get("if-match", "")
        if ":" in sent:
            words = "The etag value specified in one of the request headers is not valid. Please make sure only one etag"
            error = {"odata.error": {"code": "InvalidInput", "message": {"lang": "en-US", "value": words}}}
            return Reply(400, error, {**fields, "x-ms-error-code": "InvalidInput"})
        rows[name] = "W/\"datetime'2026-11-27T04%3A22%3A40.0000017Z'\""
        return Reply(204, b"", {**fields, "ETag": rows[name]})

    server = serve(stage, handle, "tornado", "Windows-Azure-Table/1.0 Microsoft-HTTPAPI/2.0")
    me = stage.actor("client", server, "stock.table.test", "node:axios", {"x-ms-client-request-id": "sync-2"})
    me.get("/stock()")
    for name in ("r1", "r2"):
        path = f"/stock(PartitionKey='de',RowKey='{name}')"
        tag = me.get(path).etag
        me.send("PATCH", path, 400, {"If-Match": tag.replace("%3A", ":")}, {"qty": 5})
    me.send("PATCH", path, 204, {"If-Match": tag}, {"qty": 5})


@case(
    "b860",
    "ria-box-file-without-a-known-etag",
    "null-token",
    "412",
    alone="null-token",
    synthetic=True,
    description=(
        "A script renames files at Box with the etag of its own database, in which some are empty: Python's None goes "
        "out as text. 412 for those two, 200 for the others; the files are at etag 3 and 0."
    ),
)
def box(stage: Stage) -> None:
    """Send None as text."""
    files: dict[str, Any] = {
        str(n): {"type": "file", "id": str(n), "etag": e, "name": f"scan{n}.pdf"}
        for n, e in enumerate("2370114920361582", 101)
    }

    def handle(ask: Ask) -> Reply:
        name = ask.path.rpartition("/")[2]
        if ask.method == "GET":
            return Reply(200, files.get(name) or {"entries": list(files.values()), "total_count": len(files)})
        if ask.fields.get("if-match") != files[name]["etag"]:
            words = {
                "type": "error",
                "status": 412,
                "code": "precondition_failed",
                "request_id": f"{time.time_ns():x}"[-8:],
            }
            return Reply(
                412,
                {
                    **words,
                    "message": "The resource has been modified. Please retrieve the resource again and retry",
                },
            )
        files[name] = {**files[name], **ask.json, "etag": str(int(files[name]["etag"]) + 1)}
        return Reply(200, files[name])

    me = stage.actor(
        "client",
        serve(stage, handle, "waitress", "BoxEdge"),
        "api.box.test",
        "urllib",
        {"Authorization": "Bearer bx-1"},
    )
    database = {number: None if number in {"102", "104"} else one["etag"] for number, one in files.items()}
    me.get("/2.0/folders/9")
    for number, known in database.items():
        status = 200 if known else 412
        me.put(f"/2.0/files/{number}", {"name": f"2026-11-{number}.pdf"}, status, {"if-match": str(known)})
        rest(0.1)
    me.get("/2.0/files/102")
    me.get("/2.0/files/104")


@case(
    "b861",
    "ria-etcd-candidates-for-one-role",
    "expected-control-flow",
    "412",
    alone="expected-control-flow exists-already",
    description=(
        "A scheduler's second instance asks etcd for the leader key every half second with prevExist=false and a time "
        "to live: 412 Key already exists while the first one renews it; when that one ends, it is created."
    ),
)
def candidates(stage: Stage) -> None:
    """Stand for election until the leader goes."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.infra.test", "aiohttp", {"User-Agent": "sched-b/1.9"})
    other = stage.actor("other", server, "etcd.infra.test", "requests", {"User-Agent": "sched-a/1.9"})
    form, key = {"Content-Type": "application/x-www-form-urlencoded"}, "/v2/keys/sched/leader"
    other.put(f"{key}?prevExist=false", "value=sched-a&ttl=2", 201, form)
    for number in range(8):
        me.put(f"{key}?prevExist=false", "value=sched-b&ttl=2", 412, form)
        if number % 2 == 0:
            other.put(f"{key}?prevValue=sched-a", "value=sched-a&ttl=2", 200, form)
        rest(0.5)
    other.send("DELETE", f"{key}?prevValue=sched-a", 200)
    me.put(f"{key}?prevExist=false", "value=sched-b&ttl=2", 201, form)
    for _ in range(2):
        me.put(f"{key}?prevValue=sched-b", "value=sched-b&ttl=2", 200, form)
        rest(0.5)


@case(
    "b863",
    "ria-elasticsearch-stock-by-two-services",
    "other-writer",
    "409",
    alone="other-writer",
    synthetic=True,
    description=(
        "Two services count stock in Elasticsearch with if_seq_no and if_primary_term. The picking service meets 409 "
        "version_conflict_engine_exception; the document has been booked by the returns service."
    ),
)
def elastic(stage: Stage) -> None:
    """Meet another service's booking."""
    docs: dict[str, Any] = {
        "a1": [7, {"sku": "a1", "left": 40, "by": "init"}],
    }
    docs |= {f"b{n}": [n, {"sku": f"b{n}", "left": 9 + n, "by": "init"}] for n in range(8, 16)}
    last = [15]

    def handle(ask: Ask) -> Reply:
        name = ask.path.rpartition("/")[2]
        seq, source = docs[name]
        head = {"_index": "stock", "_id": name}
        if ask.method == "GET":
            return Reply(200, {**head, "_seq_no": seq, "_primary_term": 2, "found": True, "_source": source})
        if ask.query["if_seq_no"] != str(seq):
            words = (
                f"[{name}]: version conflict, required seqNo [{ask.query['if_seq_no']}], primary term [2]. "
            )
            reason = {"type": "version_conflict_engine_exception", "index": "stock"}
            reason["reason"] = f"{words}current document has seqNo [{seq}] and primary term [2]"
            return Reply(409, {"error": {"root_cause": [reason], **reason}, "status": 409})
        last[0] += 1
        docs[name] = [last[0], ask.json]
        return Reply(200, {**head, "_seq_no": last[0], "_primary_term": 2, "result": "updated"})

    server = serve(stage, handle, "cheroot", "")
    always = {"Authorization": "ApiKey cGljaw==", "Accept": "application/json"}
    me = stage.actor("client", server, "es.lager.test", "java", {**always, "X-Opaque-Id": "picking"})
    other = stage.actor("other", server, "es.lager.test", "httpx", {**always, "X-Opaque-Id": "returns"})
    one = me.get("/stock/_doc/a1").json
    for name in [one for one in docs if one != "a1"]:
        row = me.get(f"/stock/_doc/{name}").json
        booked = {**row["_source"], "left": row["_source"]["left"] - 1, "by": "picking"}
        me.put(f"/stock/_doc/{name}?if_seq_no={row['_seq_no']}&if_primary_term=2", booked, 200)
    theirs = other.get("/stock/_doc/a1").json
    other.put(
        f"/stock/_doc/a1?if_seq_no={theirs['_seq_no']}&if_primary_term=2",
        {**theirs["_source"], "left": 43, "by": "returns"},
        200,
    )
    rest(0.6)
    me.put(
        f"/stock/_doc/a1?if_seq_no={one['_seq_no']}&if_primary_term=2",
        {**one["_source"], "left": 38, "by": "picking"},
        409,
    )
    need(me.get("/stock/_doc/a1").json["_source"]["by"] == "returns", "another hand")


_ICS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//ria//EN\r\nBEGIN:VEVENT\r\nUID:pruefung-7\r\n"
    "DTSTAMP:20261120T080000Z\r\nDTSTART:20261204T{start}00Z\r\nSUMMARY:{name}\r\n{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
)


@case(
    "b867",
    "ria-calendar-app-asks-for-the-tag-before-saving",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A calendar app opens an examination on Radicale, asks for getetag just before it saves, gets a newer one and "
        "saves its old copy with it: 204. The room and the second examiner that the dean's office had added are gone."
    ),
)
def dean(stage: Stage) -> None:
    """Save an old copy with a new tag."""
    server = stage.server("radicale")
    me = stage.actor(
        "client",
        server,
        "cal.uni.test",
        "requests",
        {"User-Agent": "MiniCal/1.2", "Authorization": "Basic cHJvZjpw"},
    )
    other = stage.actor(
        "other",
        server,
        "cal.uni.test",
        "curl",
        {"User-Agent": "DeanSuite/9", "Authorization": "Basic cHJvZjpw"},
    )
    kind, path = {"Content-Type": "text/calendar; charset=utf-8"}, "/prof/exams/pruefung-7.ics"
    other.send("MKCALENDAR", "/prof/exams/", 201)
    other.put(path, _ICS.format(start="0900", name="Analysis II", more=""), 201, kind)
    stage.forget()
    me.send("PROPFIND", "/prof/exams/", 207, {"Depth": "1"})
    first = me.get(path)
    need("LOCATION" not in first.text, "there is a room")
    more = "LOCATION:H 3010\r\nATTENDEE;CN=Dr. Weiss:mailto:weiss@uni.test\r\n"
    other.put(
        path,
        _ICS.format(start="0900", name="Analysis II", more=more),
        204,
        {**kind, "If-Match": other.get(path).etag},
    )
    rest(0.8)
    fresh = me.send("HEAD", path, 200).etag
    need(fresh != first.etag, "one tag")
    me.put(path, _ICS.format(start="1030", name="Analysis II", more=""), 204, {**kind, "If-Match": fresh})
    rest(0.3)
    need("LOCATION" not in me.get(path).text, "nothing was lost")


@case(
    "b869",
    "ria-first-answer-of-a-create-is-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A writer creates a manifest in S3 (moto) with If-None-Match: *; the connection breaks before the answer. The "
        "retry is 412, and HEAD shows the writer's own run id in the object's metadata and its own MD5 as the tag."
    ),
)
def manifest(stage: Stage) -> None:
    """Create, lose the answer, create again."""
    server = stage.server("moto")
    lost = {"open": True}

    def loses(request: Any) -> bool:
        return b"PUT /lake/runs/0042" in request.raw[:40] and lost.pop("open", False)

    signed = "AWS4-HMAC-SHA256 Credential=AKIADEMO/20261127/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    other = stage.actor("admin", server, "s3.lake.test", "requests", {"Authorization": signed})
    other.put("/lake", b"", 200)
    other.put("/lake/runs/0040.json", '{"run":40}', 200)
    other.put("/lake/runs/0041.json", '{"run":41}', 200)
    always = {"User-Agent": "lakewriter/3", "Authorization": signed}
    me = stage.actor("client", server, "s3.lake.test", "requests", always, loses=loses)
    stage.forget()
    stage.taps.pop("admin")
    me.get("/lake?list-type=2&prefix=runs/")
    guard = {"If-None-Match": "*", "x-amz-meta-run": "w7-9f31c2", "Content-Type": "application/json"}
    body = '{"run":42,"files":["part-0.parquet","part-1.parquet"]}'
    me.put("/lake/runs/0042.json", body, 0, guard)
    rest(0.7)
    me.put("/lake/runs/0042.json", body, 412, guard)
    seen = me.send("HEAD", "/lake/runs/0042.json", 200)
    need(seen.fields["x-amz-meta-run"] == "w7-9f31c2", "another's")
    me.get("/lake/runs/0042.json")
