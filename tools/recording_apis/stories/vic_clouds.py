"""Stories on APIs in use: stores, leases, elections and clouds, some real and some imitated."""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING

from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res, Versions
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "d298",
    "vic-s3-create-answered-too-late",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "boto3 on moto's S3: the answer to a PutObject with If-None-Match: * is lost, boto3 sends the same invocation "
        "again and is told 412; the object that it then reads is its own, with the run id in the metadata."
    ),
)
def too_late(stage: Stage) -> None:
    """Lose the answer to a create."""
    server = stage.server("moto")
    keeper = place.Lake(stage, "keeper", server)
    keeper.call(
        "create_bucket", Bucket="manifests", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}
    )
    keeper.call("put_object", Bucket="manifests", Key="run/0041.json", Body=b'{"run":41}')
    stage.forget()
    del stage.taps["keeper"]
    me = place.Lake(stage, "client", server, place.drops("PUT", "0042"))
    me.call("list_objects_v2", Bucket="manifests", Prefix="run/")
    me.call("get_object", Bucket="manifests", Key="run/0041.json")
    me.call("head_object", Bucket="manifests", Key="run/0041.json")
    me.call("put_object", Bucket="manifests", Key="state/w-3", Body=b"busy")
    run = {"run-id": "5e0c7a61-42", "worker": "w-3"}
    body = b'{"run":42,"files":["a.parquet","b.parquet"],"by":"w-3"}'
    me.call(
        "put_object",
        "PreconditionFailed",
        Bucket="manifests",
        Key="run/0042.json",
        Body=body,
        IfNoneMatch="*",
        Metadata=run,
    )
    seen = me.call("get_object", Bucket="manifests", Key="run/0042.json")
    place.sure(seen["Metadata"] == run and seen["Body"].read() == body)
    me.call(
        "put_object",
        Bucket="manifests",
        Key="run/0043.json",
        Body=b'{"run":43}',
        IfNoneMatch="*",
        Metadata=run,
    )


def _blob(name: str, query: str = "") -> str:
    return f"/notes/scans{'/' if name else ''}{name}?{query}{place.signature()}"


@case(
    "d299",
    "vic-azure-lease-of-the-night-job",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "Azurite: a night job holds the lease of a scan; an editor's uploads without the lease id, with the current "
        "tag, are refused with LeaseIdMissing until the job gives the lease back."
    ),
)
def night(stage: Stage) -> None:
    """Write what is under another's lease."""
    server = stage.server("azurite")
    fields = {"x-ms-version": "2023-11-03"}
    block = {**fields, "x-ms-blob-type": "BlockBlob", "Content-Type": "text/plain"}
    keeper = stage.actor("keeper", server, "scans.blob.example", "requests")
    keeper.put(_blob("", "restype=container&"), b"", 201, fields)
    for name in ("p1.txt", "p2.txt"):
        keeper.put(_blob(name), f"page {name}", 201, block)
    stage.forget()
    del stage.taps["keeper"]
    me = stage.actor("client", server, "scans.blob.example", "httpx", fields)
    other = stage.actor("other", server, "scans.blob.example", "aiohttp", fields)
    me.get(_blob("", "restype=container&comp=list&"))
    lease = {
        "x-ms-lease-action": "acquire",
        "x-ms-lease-duration": "60",
        "x-ms-proposed-lease-id": str(uuid.uuid4()),
    }
    held = other.put(_blob("p2.txt", "comp=lease&"), b"", 201, lease).fields["x-ms-lease-id"]
    me.get(_blob("p1.txt"))
    for _ in range(2):
        seen = me.get(_blob("p2.txt"))
        place.sure(seen.fields["x-ms-lease-state"] == "leased")
        told = me.put(_blob("p2.txt"), "page two, straightened", 412, {**block, "If-Match": seen.etag})
        place.sure(told.fields["x-ms-error-code"] == "LeaseIdMissing", told.fields)
        place.rest(0.5)
    other.put(_blob("p2.txt"), "page p2, with text", 201, {**block, "x-ms-lease-id": held})
    other.put(
        _blob("p2.txt", "comp=lease&"), b"", 200, {"x-ms-lease-action": "release", "x-ms-lease-id": held}
    )
    seen = me.get(_blob("p2.txt"))
    me.put(_blob("p2.txt"), seen.text + ", straightened", 201, {**block, "If-Match": seen.etag})


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@case(
    "d300",
    "vic-etcd-standby-node",
    "expected-control-flow",
    "412",
    alone="expected-control-flow none",
    description=(
        "etcd's version 2: two schedulers elect one by creating a key that lives two seconds. The standby asks every "
        "half second with prevExist=false and is refused as meant, does its reads, and takes over when the key ends."
    ),
)
def standby(stage: Stage) -> None:
    """Lose an election as a standby should."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.scheduler.test", "requests", {"User-Agent": "sched/2 node-b"})
    other = stage.actor("other", server, "etcd.scheduler.test", "httpx", {"User-Agent": "sched/2 node-a"})
    key, mine, theirs = "/v2/keys/election/leader", "value=node-b&ttl=2", "value=node-a&ttl=2"
    other.put(f"{key}?prevExist=false", theirs, 201, _FORM)
    for turn in range(6):
        told = me.put(f"{key}?prevExist=false", mine, 412, _FORM)
        place.sure(told.json["errorCode"] == 105, told.text)
        me.get(key)
        if turn % 2:
            me.get("/v2/keys/")
        other.put(f"{key}?prevValue=node-a", theirs, 200, _FORM)
        place.rest(0.5)
    place.rest(3.0)
    me.put(f"{key}?prevExist=false", mine, 201, _FORM)
    for _ in range(2):
        me.put(f"{key}?prevValue=node-b", mine, 200, _FORM)
        other.put(f"{key}?prevExist=false", theirs, 412, _FORM)
        place.rest(0.4)


def _user(name: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:pass-{name}'.encode()).decode()}"}


@case(
    "d301",
    "vic-kinto-two-readers-of-a-list",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Kinto: two people keep a reading list; between the client's read and its save the other has changed the same "
        "record, and the 412 shows the other's version under details.existing. The client gives up."
    ),
)
def reading(stage: Stage) -> None:
    """Meet another writer on Kinto."""
    server = stage.server("kinto")
    keeper = stage.actor("keeper", server, "lists.kinto.example", "requests")
    for name in ("vera", "olaf"):
        keeper.put(f"/v1/accounts/{name}", {"data": {"password": f"pass-{name}"}}, 201)
    everybody = {"permissions": {"write": ["system.Authenticated"]}}
    keeper.put("/v1/buckets/club", everybody, 201, _user("vera"))
    path = "/v1/buckets/club/collections/books"
    keeper.put(path, {}, 201, _user("vera"))
    for number in (1, 2, 3):
        keeper.put(
            f"{path}/records/b{number}",
            {"data": {"title": f"Book {number}", "read": False}},
            201,
            _user("vera"),
        )
    stage.forget()
    del stage.taps["keeper"]
    me = stage.actor("client", server, "lists.kinto.example", "node:fetch", _user("vera"))
    other = stage.actor("other", server, "lists.kinto.example", "httpx", _user("olaf"))
    books = me.get(f"{path}/records")
    me.get(f"{path}/records", 304, {"If-None-Match": books.etag})
    mine, theirs = me.get(f"{path}/records/b2"), other.get(f"{path}/records/b2")
    other.put(
        f"{path}/records/b2", {"data": {"title": "Book 2", "read": True}}, 200, {"If-Match": theirs.etag}
    )
    place.rest(0.9)
    first = me.get(f"{path}/records/b1")
    me.get(f"{path}/records/b1", 304, {"If-None-Match": first.etag})
    me.put(f"{path}/records/b1", {"data": {"title": "Book 1", "read": True}}, 200, {"If-Match": first.etag})
    data = {"data": {"title": "Book 2", "read": False, "stars": 4}}
    told = me.put(f"{path}/records/b2", data, 412, {"If-Match": mine.etag})
    place.sure(told.json["details"]["existing"]["read"] is True)
    place.sure(mine.json["data"]["read"] is False)
    me.get(f"{path}/records/b2")


@case(
    "d302",
    "vic-gcs-workers-on-one-generation",
    "self-race",
    "412",
    alone="self-race",
    synthetic=True,
    description=(
        "Three workers of one labelling program patch the metadata of one Cloud Storage object at the same time with "
        "the metageneration that they share: one is taken, two are 412 within milliseconds, also in a second round."
    ),
)
def workers(stage: Stage) -> None:
    """Race against oneself."""
    base = "/storage/v1/b/frames/o"
    reason = {
        "message": "At least one of the pre-conditions you specified did not hold.",
        "domain": "global",
        "reason": "conditionNotMet",
        "locationType": "header",
        "location": "If-Match",
    }
    docs = {
        f"{base}/{n}.png": {"name": f"{n}.png", "generation": "17640012345", "metadata": {}}
        for n in ("a", "b")
    }
    box = Versions(docs, "ifMetagenerationMatch", "query", 412, first=3)
    box.say[412] = lambda _req, _doc: {
        "error": {"code": 412, "message": reason["message"], "errors": [reason]}
    }
    box.marked = lambda doc: {"kind": "storage#object", **doc.data, "metageneration": str(doc.rev)}
    box.done.append(lambda _req, _path: place.rest(0.15))
    server = place.open_box(stage, box, "tornado", "Cloud Storage JSON")
    program = {"User-Agent": "label-frames/1.3 gl-python/3.11", "Authorization": "Bearer ya29.label"}
    me = stage.actor("client", server, "storage.frames.example", "httpx", program)
    place.aside(box, me, "/storage/v1/b/frames", "/storage/v1/b?project=frames")
    me.get(base)
    for turn in range(2):
        seen = me.get(f"{base}/a.png").json
        path = f"{base}/a.png?ifMetagenerationMatch={seen['metageneration']}"

        def label(name: str, path: str = path, turn: int = turn) -> Answer:
            return me.send("PATCH", path, (200, 412), None, {"metadata": {name: str(turn)}})

        got = place.at_once(lambda: label("sky"), lambda: label("road"), lambda: label("sign"), apart=0.02)
        place.sure(sorted(one.status for one in got) == [200, 412, 412])
        place.rest(0.3)
        place.aside(box, me, "/storage/v1/b/frames")
    me.get(f"{base}/b.png")


def _weak_equal(value: str, path: str, doc: Doc | None, box: Box) -> bool:
    return doc is not None and box.tag is not None and value in {box.tag(path, doc), "*"}


@case(
    "d303",
    "vic-planner-details-with-the-tasks-tag",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description=(
        "Planner: the description of a task lives in its details, which have a tag of their own; the program sends the "
        "task's. A patch of the task with the same tag passes, one of the details with its own passes as well."
    ),
)
def details(stage: Stage) -> None:
    """Send the task's tag to its details."""
    tasks = {f"/v1.0/planner/tasks/{t}": {"id": t, "title": f"T {t}"} for t in ("Xk2", "Pq9")}
    notes = {f"/v1.0/planner/tasks/{t}/details": {"id": t, "description": ""} for t in ("Xk2", "Pq9")}
    box = Box({**tasks, **notes}, need=400)

    def tag(path: str, doc: Doc) -> str:
        kind = "Task" if not path.endswith("details") else "TaskDetails"
        return f'W/"{base64.b64encode(f"1-{kind} @{doc.rev:x}{doc.digest()[:6]}".encode()).decode()}"'

    def show(_req: Req, path: str, doc: Doc) -> Res:
        return Res(
            200, {"@odata.etag": tag(path, doc), **doc.data}, {"ETag": tag(path, doc), "OData-Version": "4.0"}
        )

    box.tag, box.show = tag, show
    box.matches = lambda value, path, doc, **_how: _weak_equal(value, path, doc, box)
    box.say = {412: {"error": {"code": "", "message": "The If-Match header contains an invalid value."}}}
    server = place.open_box(stage, box, "waitress", "Planner")
    me = stage.actor(
        "client", server, "graph.tenant.example", "node:axios", {"Authorization": "Bearer eyJ0.planner"}
    )
    place.aside(box, me, "/v1.0/me", "/v1.0/groups/9/planner/plans")
    task = me.get("/v1.0/planner/tasks/Xk2").json
    for _ in range(2):
        guard = {"If-Match": task["@odata.etag"]}
        me.send("PATCH", "/v1.0/planner/tasks/Xk2/details", 412, guard, {"description": "Bring ladder"})
        task = me.get("/v1.0/planner/tasks/Xk2").json
        place.rest(0.4)
        place.aside(box, me, "/v1.0/planner/plans/p1/buckets")
    me.send("PATCH", "/v1.0/planner/tasks/Xk2", 200, {"If-Match": task["@odata.etag"]}, {"title": "Gutters"})
    own = me.get("/v1.0/planner/tasks/Pq9/details").json
    me.send(
        "PATCH",
        "/v1.0/planner/tasks/Pq9/details",
        200,
        {"If-Match": own["@odata.etag"]},
        {"description": "x"},
    )


@case(
    "d304",
    "vic-sap-wants-a-condition",
    "token-missing",
    "428",
    alone="token-missing",
    synthetic=True,
    description=(
        "An add-on patches purchase requisitions of S/4HANA without If-Match; the service names a tag in each read and "
        "answers 428 with its message class each time. One other entity needs none and is patched."
    ),
)
def requisition(stage: Stage) -> None:
    """Leave out what is demanded."""
    root = "/sap/opu/odata4/sap/api_purchaserequisition_2/PurchaseReqn"
    docs = {f"{root}('100{n}')": {"PurchaseRequisition": f"100{n}", "Text": "paper"} for n in (4, 5)}
    box = Box(
        {**docs, "/sap/opu/memo/7": {"memo": "x"}},
        lambda _path, doc: f'W/"SADL-0202611{doc.rev:02}0731~{doc.digest()[:8]}"',
    )
    box.matches = lambda value, path, doc, **_how: _weak_equal(value, path, doc, box)
    judge = box.judge

    def demand(req: Req, doc: Doc | None) -> Res | None:
        if req.path.startswith(root) and "if-match" not in req.fields:
            return box.error(428)
        refused: Res | None = judge(req, doc)
        return refused

    box.judge = demand
    text = "Precondition required: the If-Match header is missing"
    box.say = {428: {"error": {"code": "/IWBEP/CM_V4_APPS017", "message": text, "target": "", "details": []}}}
    server = place.open_box(stage, box, "cheroot", "SAP S4HANA")
    me = stage.actor(
        "client", server, "s4.trading.example", "java", {"sap-client": "100", "Accept": "application/json"}
    )
    place.aside(box, me, "/sap/opu/odata4/sap/api_purchaserequisition_2/$metadata")
    for number in (4, 5, 4):
        seen = me.get(f"{root}('100{number}')")
        place.sure(seen.etag.startswith("W/"))
        me.send("PATCH", f"{root}('100{number}')", 428, None, {"Text": "paper A4"})
        place.rest(0.3)
        place.aside(box, me, "/sap/opu/alerts")
    me.send("PATCH", "/sap/opu/memo/7", 200, None, {"memo": "y"})
