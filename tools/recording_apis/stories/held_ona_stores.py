"""Stories on object, table and key stores: real ones, and imitations of some."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import importlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from tools.recording_apis.apps.ona_core import App, Req, Res, Row, stamp
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ona_setting as place
from tools.recording_apis.stories.vic_setting import signature

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _gateway() -> App:
    app = App({"Server": "StorageGRID/11.8", "x-amz-id-2": "12460113"})
    app.seed({"/tiles-eu/index.json": '{"rev":7,"z":[0,9]}', "/tiles-eu/style.json": '{"v":8}'})

    def refused(req: Req, name: str) -> Res:
        text = (
            f"{_XML}<Error><Code>NotImplemented</Code><Message>A header you provided implies functionality that is "
            f"not implemented</Message><Header>{name}</Header><Resource>{req.path}</Resource></Error>"
        )
        return Res(501, text, {"Content-Type": "application/xml"})

    @app.on("GET HEAD", "(/[^/]+/.+)")
    def read(req: Req, key: str) -> Res:
        row = app.rows.get(key)
        if row is None:
            return Res(
                404, f"{_XML}<Error><Code>NoSuchKey</Code></Error>", {"Content-Type": "application/xml"}
            )
        fields = {"ETag": f'"{row.hash()}"', "Last-Modified": row.date, "Content-Type": "application/json"}
        if req.fields.get("if-none-match") == fields["ETag"]:
            return Res(304, b"", fields)
        return Res(200, row.data, fields)

    @app.on("PUT", "(/[^/]+/.+)")
    def write(req: Req, key: str) -> Res:
        for name in ("If-Match", "If-None-Match", "If-Unmodified-Since"):
            if name.lower() in req.fields:
                return refused(req, name)
        return Res(200, b"", {"ETag": f'"{app.keep(key, req.body.decode()).hash()}"'})

    return app


@case(
    "d921",
    "ona-tile-index-on-a-gateway",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    synthetic=True,
    description=(
        "A map service's boto3 job updates its tile index on an S3 gateway that does no conditional writes: IfMatch with "
        "the tag of a read just made, and IfNoneMatch on a new key, are 501 NotImplemented; reads honour their "
        "conditions, and writes without one are stored."
    ),
)
def gateway(stage: Stage) -> None:
    """Ask for what the gateway cannot do."""
    server = place.open_box(stage, _gateway(), "cheroot", "StorageGRID")
    me = place.Bucket(stage, "client", server, "s3.kartverk.test", "tilejob/2.0 Boto3/1.35.60")
    where = {"Bucket": "tiles-eu", "Key": "index.json"}
    me.call("get_object", Bucket="tiles-eu", Key="style.json")
    for turn in (1, 2):
        seen = me.call("get_object", **where)
        index = {**json.loads(seen["Text"]), "rev": 7 + turn}
        me.call("put_object", "NotImplemented", **where, Body=json.dumps(index), IfMatch=seen["ETag"])
        place.rest(0.6)
    head = me.call("head_object", **where)
    me.call("get_object", "304", **where, IfNoneMatch=head["ETag"])
    lock = {"Bucket": "tiles-eu", "Key": "jobs/rebuild.lock", "Body": b"job-41"}
    me.call("put_object", "NotImplemented", **lock, IfNoneMatch="*")
    me.call(
        "put_object",
        Bucket="tiles-eu",
        Key="z9/268/151.pbf",
        Body=b"\x1a\x40tile",
        ContentType="application/x-protobuf",
    )
    me.call("head_object", Bucket="tiles-eu", Key="z9/268/151.pbf")


@case(
    "d929",
    "ona-price-sheet-in-a-versioned-bucket",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "Two programs keep one price sheet in a bucket with versions on moto's S3 and give no condition: the client "
        "lists, sees that the sheet has another tag than the one that it read, and stores its own edit of the old one "
        "all the same; the list of versions then shows a price that the newest lacks."
    ),
)
def prices(stage: Stage) -> None:
    """Put over what somebody has put."""
    server = stage.server("moto")
    host = "s3.dc2.grossmarkt.test"
    me = place.Bucket(stage, "client", server, host, "preisblatt/5.1 Boto3/1.34")
    other = place.Bucket(stage, "other", server, host, "filialsync/0.3 Boto3/1.35")
    held = {"Bucket": "preise", "Key": "2026/obst.csv"}
    me.call("create_bucket", Bucket="preise", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    me.call("put_bucket_versioning", Bucket="preise", VersioningConfiguration={"Status": "Enabled"})
    me.call("put_object", **held, Body="art;cent\napfel;189\nbirne;219\nkiwi;45\n")
    me.call("put_object", Bucket="preise", Key="2026/gemuese.csv", Body="art;cent\nlauch;129\n")
    stage.forget()
    me.call("list_objects_v2", Bucket="preise", Prefix="2026/")
    mine = me.call("get_object", **held)
    theirs = other.call("get_object", **held)
    other.call("put_object", **held, Body=theirs["Text"].replace("birne;219", "birne;199"))
    place.rest(1.1)
    veg = me.call("get_object", Bucket="preise", Key="2026/gemuese.csv")
    me.call("put_object", Bucket="preise", Key="2026/gemuese.csv", Body=veg["Text"] + "kohl;99\n")
    listed = me.call("list_objects_v2", Bucket="preise", Prefix="2026/obst")
    place.sure(listed["Contents"][0]["ETag"] != mine["ETag"])
    me.call("put_object", **held, Body=mine["Text"].replace("kiwi;45", "kiwi;39"))
    versions = me.call("list_object_versions", Bucket="preise", Prefix="2026/obst")["Versions"]
    place.sure(len(versions) == 3)
    lost = me.call("get_object", **held, VersionId=versions[1]["VersionId"])
    place.sure("birne;199" in lost["Text"] and "birne;219" in me.call("get_object", **held)["Text"])


def _shown(key: str, row: Row) -> dict[str, Any]:
    at = int(row.at * 1e6)
    return {
        "kind": "storage#object",
        "id": f"lab-runs/{key}/{at}",
        "name": key,
        "bucket": "lab-runs",
        "generation": str(at),
        "metageneration": "1",
        "contentType": "text/tab-separated-values",
        "size": str(len(row.octets)),
        "md5Hash": base64.b64encode(hashlib.md5(row.octets, usedforsecurity=False).digest()).decode(),
        "etag": base64.b64encode(at.to_bytes(8, "big")).decode(),
        "timeCreated": stamp(row.at),
        "updated": stamp(row.at),
        "metadata": {"uploader": row.by},
    }


def _cloud() -> App:
    app = App({"Server": "UploadServer", "Cache-Control": "no-cache, no-store, max-age=0, must-revalidate"})
    app.seed(
        {f"runs/{n}/samples.tsv": f"lane\tsample\n1\tP{n}\n" for n in ("A0311", "A0312", "A0314")},
        1,
        700000.0,
        "core-facility",
    )

    @app.on("POST", "/upload/storage/v1/b/lab-runs/o")
    def upload(req: Req) -> Res:
        key = req.query["name"]
        if req.query.get("ifGenerationMatch") == "0" and key in app.rows:
            told = {
                "message": "At least one of the pre-conditions you specified did not hold.",
                "domain": "global",
                "reason": "conditionNotMet",
                "locationType": "header",
                "location": "If-Match",
            }
            return Res(412, {"error": {"code": 412, "message": told["message"], "errors": [told]}})
        return Res(200, _shown(key, app.keep(key, req.body.decode(), "bench-4")))

    @app.on("GET", "/storage/v1/b/lab-runs/o/(.+)")
    def read(req: Req, key: str) -> Res:
        row = app.rows.get(key)
        if row is None:
            return Res(404, {"error": {"code": 404, "message": f"No such object: lab-runs/{key}"}})
        return Res(200, row.data if req.query.get("alt") == "media" else _shown(key, row))

    @app.on("GET", "/storage/v1/b/lab-runs/o")
    def listing(_req: Req) -> Res:
        return Res(
            200, {"kind": "storage#objects", "items": [_shown(key, row) for key, row in app.rows.items()]}
        )

    return app


@case(
    "d930",
    "ona-sample-sheet-of-an-old-run",
    "exists-already",
    "412",
    alone="exists-already",
    synthetic=True,
    description=(
        "A sequencing bench uploads sample sheets only where there is none (ifGenerationMatch=0): one run's name has been "
        "taken for a week by the core facility with other content, and the upload is 412 as meant; new names pass."
    ),
)
def sheets(stage: Stage) -> None:
    """Meet a name that is taken."""
    server = place.open_box(stage, _cloud(), "flask", "Google Cloud Storage")
    agent = {"User-Agent": "google-api-nodejs-client/9.14", "Authorization": "Bearer ya29.example"}
    me = stage.actor("client", server, "storage.lab-proxy.test", "node:axios", agent)
    kind = {"Content-Type": "text/tab-separated-values"}

    def upload(run: str, text: str, expect: int) -> Answer:
        name = quote(f"runs/{run}/samples.tsv", safe="")
        target = f"/upload/storage/v1/b/lab-runs/o?uploadType=media&name={name}&ifGenerationMatch=0"
        return me.send("POST", target, expect, kind, text)

    upload("A0321", "lane\tsample\n1\tQ7\n2\tQ8\n", 200)
    me.get(f"/storage/v1/b/lab-runs/o/{quote('runs/A0321/samples.tsv', safe='')}")
    place.rest(0.4)
    upload("A0312", "lane\tsample\n1\tQ9\n2\tQ10\n", 412)
    name = quote("runs/A0312/samples.tsv", safe="")
    place.sure(me.get(f"/storage/v1/b/lab-runs/o/{name}").json["metadata"]["uploader"] == "core-facility")
    me.get(f"/storage/v1/b/lab-runs/o/{name}?alt=media")
    place.rest(0.5)
    upload("A0322", "lane\tsample\n1\tQ11\n", 200)
    me.get("/storage/v1/b/lab-runs/o?prefix=runs%2F")


@case(
    "d933",
    "ona-consumers-share-partitions",
    "expected-control-flow",
    "409",
    alone="expected-control-flow",
    description=(
        "Three consumers of a message stream share partitions by leases on Azurite's blobs: at every round the client "
        "asks for all, is told 409 LeaseAlreadyPresent for those that others hold, renews its own and writes its "
        "checkpoint there; when another lets go, it gets that one. Nothing goes wrong."
    ),
)
def consumers(stage: Stage) -> None:
    """Lose most leases, each round."""
    server, key = stage.server("azurite"), signature()
    agent = {"x-ms-version": "2021-08-06", "User-Agent": "streamworker/1.9 (consumer-b)"}
    host = "checkpoints.telemetrie.test"
    me = stage.actor("client", server, host, "aiohttp", agent)
    other = stage.actor(
        "other", server, host, "requests", {**agent, "User-Agent": "streamworker/1.9 (consumer-a)"}
    )
    folder = "/notes/streams"
    me.send("PUT", f"{folder}?restype=container&{key}", 201)
    for part in range(4):
        me.put(f"{folder}/ownership/{part}?{key}", "", 201, {"x-ms-blob-type": "BlockBlob"})
    stage.forget()

    def lease(who: Actor, part: int, action: str, expect: int | tuple[int, ...], given: str = "") -> Answer:
        fields = {"x-ms-lease-action": action, **({"x-ms-lease-id": given} if given else {})}
        if action == "acquire":
            fields["x-ms-lease-duration"] = "30"
        return who.send("PUT", f"{folder}/ownership/{part}?comp=lease&{key}", expect, fields)

    theirs = {part: lease(other, part, "acquire", 201).fields["x-ms-lease-id"] for part in (0, 1, 3)}
    mine: dict[int, str] = {}
    for turn in range(5):
        if turn == 3:
            lease(other, 1, "release", 200, theirs.pop(1))
        for part in range(4):
            if part in mine:
                lease(me, part, "renew", 200, mine[part])
                mark = {
                    "x-ms-blob-type": "BlockBlob",
                    "x-ms-lease-id": mine[part],
                    "x-ms-meta-offset": str(4100 + turn * 64),
                }
                me.put(f"{folder}/ownership/{part}?{key}", "", 201, mark)
            else:
                got = lease(me, part, "acquire", 409 if part in theirs else 201)
                if got.status == 201:
                    mine[part] = got.fields["x-ms-lease-id"]
        place.rest(1.0)
    place.sure(sorted(mine) == [1, 2])
    me.get(f"{folder}?restype=container&comp=list&include=metadata&{key}")


@case(
    "d942",
    "ona-service-entry-compared-as-text",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "A roll-out tool moves service entries in etcd with prevValue, the whole old value: it writes the JSON that it "
        "read with blanks and in another order, so the compare fails, each time, with the unchanged entry in the error; "
        "the entry whose value is plain text is swapped at once."
    ),
)
def entries(stage: Stage) -> None:
    """Compare with one's own way of writing it."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "kv.rollout.test", "urllib", {"User-Agent": "rollctl/3.3"})
    root = "/v2/keys/svc"
    for name, port in (("billing", 8091), ("search", 8092)):
        value = json.dumps({"port": port, "host": "10.4.0.7", "drain": False}, separators=(",", ":"))
        me.put(f"{root}/{name}", urlencode({"value": value}), 201, _FORM)
    me.put(f"{root}/stage", "value=blue", 201, _FORM)
    stage.forget()
    me.get("/version")
    me.get(f"{root}?recursive=true&sorted=true")
    me.put(f"{root}/stage?{urlencode({'prevValue': 'blue'})}", "value=green", 200, _FORM)
    for name in ("billing", "search"):
        for turn in range(2):
            read = json.loads(me.get(f"{root}/{name}").json["node"]["value"])
            old = json.dumps(read, sort_keys=True)
            new = json.dumps({**read, "drain": True}, sort_keys=True)
            told = me.put(
                f"{root}/{name}?{urlencode({'prevValue': old})}", urlencode({"value": new}), 412, _FORM
            )
            place.sure(told.json["errorCode"] == 101)
            place.rest(0.4 + turn)
    me.get(f"{root}/stage")
    me.get(f"{root}?recursive=true&sorted=true")


def _table_signature() -> str:
    tables, core = (importlib.import_module(name) for name in ("azure.data.tables", "azure.core.credentials"))
    rights = dict.fromkeys(("read", "write", "delete", "list", "add", "create", "update", "process"), True)
    made: str = tables.generate_account_sas(
        core.AzureNamedKeyCredential("notes", "ZXhhbXBsZQ=="),
        resource_types=tables.ResourceTypes(service=True, object=True, container=True),
        permission=tables.AccountSasPermissions(**rights),
        expiry=dt.datetime.now(dt.UTC) + dt.timedelta(days=3),
    )
    return made


@case(
    "d959",
    "ona-buoy-table-from-a-shell",
    "malformed-validator",
    "400",
    alone="malformed-validator",
    description=(
        "A harbour's shell script changes rows of Azurite's tables; it cuts odata.etag out of the JSON text and sends it "
        "with the backslashes that JSON put before the quotes: 400 InvalidInput each time. Where it took the tag from "
        "the header of an insert, the merge passes."
    ),
)
def buoys(stage: Stage) -> None:
    """Send JSON's escapes along."""
    server, key = stage.server("azurite", table=True), _table_signature()
    always = {
        "x-ms-version": "2021-06-08",
        "Accept": "application/json;odata=fullmetadata",
        "DataServiceVersion": "3.0",
    }
    me = stage.actor("client", server, "tables.hafen.test", "curl:verbose", always)
    me.send("POST", f"/notes/Tables?{key}", 201, None, {"TableName": "Bojen"})
    for name, light in (("gelb-4", "Fl.5s"), ("rot-11", "Q"), ("gruen-2", "Iso.4s")):
        me.send(
            "POST",
            f"/notes/Bojen?{key}",
            201,
            None,
            {"PartitionKey": "foerde", "RowKey": name, "light": light},
        )
    stage.forget()
    stage.curls["client"].printed = ""

    def row(name: str) -> str:
        return f"/notes/Bojen(PartitionKey='foerde',RowKey='{name}')?{key}"

    me.get(f"/notes/Bojen()?$filter=PartitionKey%20eq%20'foerde'&{key}")
    fresh = {"PartitionKey": "foerde", "RowKey": "gelb-5", "light": "Fl.5s"}
    made = me.send("POST", f"/notes/Bojen?{key}", 201, None, fresh)
    me.send("MERGE", row("gelb-5"), 204, {"If-Match": made.etag}, {**fresh, "light": "Fl.3s"})
    for name in ("rot-11", "gelb-4"):
        text = me.get(row(name)).text
        cut = text.split('"odata.etag":"', 1)[1].split('","', 1)[0]
        place.sure("\\" in cut, cut)
        for _ in range(2 if name == "rot-11" else 1):
            me.send(
                "MERGE",
                row(name),
                400,
                {"If-Match": cut},
                {"PartitionKey": "foerde", "RowKey": name, "light": "Q(2)"},
            )
            place.rest(0.5)
    me.get(row("rot-11"))
