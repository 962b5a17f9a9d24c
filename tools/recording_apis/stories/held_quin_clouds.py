"""Stories of fleets on stores and offices in the cloud."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.quin_clouds import Lake, Planner, Site, Vault
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_quin_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _state(serial: int, *names: str) -> bytes:
    made = [{"type": name.partition(".")[0], "name": name.partition(".")[2]} for name in names]
    return json.dumps({"version": 4, "serial": serial, "resources": made}, indent=1).encode()


@case(
    "b895",
    "quin-inventory-upload-unheard",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    synthetic=True,
    description=(
        "An asset agent uploads its inventory to Google's store (XML) under x-goog-if-generation-match; the connection "
        "breaks when the object is stored, the agent sends the same again and gets 412; the object that it then reads "
        "bears its own x-goog-meta-run and the MD5 of what it sent."
    ),
)
def unheard(stage: Stage) -> None:
    """Lose the answer to an upload."""
    store = Vault({f"plant-assets/site-{n}/inventory.csv": f"tag;room\n{n}1;A\n".encode() for n in (2, 3, 4)})
    server = place.open_box(stage, store, "cheroot", "Cloud Storage XML API")
    lost = place.drops("PUT", "site-3/")
    fields = {"Authorization": "Bearer ya29.EXAMPLE", "User-Agent": "asset-agent/2.8 (python-requests)"}
    me = stage.actor("client", server, "storage.googleapis.com", "requests", fields, loses=lost)
    me.get("/plant-assets?prefix=site-")
    for site in (2, 3, 4):
        path = f"/plant-assets/site-{site}/inventory.csv"
        seen = me.get(path)
        body = seen.text + f"{site}9;B\n"
        guard = {
            "x-goog-if-generation-match": seen.fields["x-goog-generation"],
            "x-goog-meta-run": f"run-20261128-{site}f3",
            "Content-Type": "text/csv",
        }
        me.put(path, body, 0 if site == 3 else 200, guard)
        place.rest(0.5)
        if site == 3:
            me.put(path, body, 412, guard)
            now = me.get(path)
            place.sure(now.text == body and now.fields["x-goog-meta-run"] == guard["x-goog-meta-run"])
    me.get("/plant-assets?prefix=site-")


@case(
    "b897",
    "quin-part-copies-with-a-condition",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    synthetic=True,
    description=(
        "A video archive's mover copies large masters by UploadPartCopy with x-amz-copy-source-if-match and the tag it "
        "has just read; the S3-like store answers 501 NotImplemented for the field, after another fresh HEAD as well; "
        "the same part without the field is copied."
    ),
)
def parts(stage: Stage) -> None:
    """Send a condition that the store cannot do."""
    store = Lake({f"masters/reel-{n}.mxf": bytes([n]) * 6400 for n in (17, 18, 19)})
    store.cannot, store.extra = "match none-match", {"Server": "cloudflare", "CF-RAY": "8e9d41c7ab2c1e02-AMS"}
    server = place.open_box(stage, store, "cheroot", "R2", "UploadPartCopy has no conditional source headers")
    s3 = place.Bucket(stage, "client", server, "f00dbabe.r2.cloudflarestorage.com")
    s3.call("list_objects_v2", Bucket="masters", Prefix="reel-")
    for reel in (17, 18):
        key = f"reel-{reel}.mxf"
        named = {"Bucket": "vault", "Key": f"2026/{key}"}
        upload = s3.call("create_multipart_upload", **named)["UploadId"]
        common = {**named, "UploadId": upload, "PartNumber": 1, "CopySource": f"masters/{key}"}
        common["CopySourceRange"] = "bytes=0-6399"
        for _attempt in range(2):
            tag = s3.call("head_object", Bucket="masters", Key=key)["ETag"]
            s3.call("upload_part_copy", "NotImplemented", CopySourceIfMatch=tag, **common)
            place.rest(0.3)
        if reel == 17:
            s3.call("abort_multipart_upload", **named, UploadId=upload)
            continue
        part = s3.call("upload_part_copy", **common)["CopyPartResult"]["ETag"]
        done = {"Parts": [{"ETag": part, "PartNumber": 1}]}
        s3.call("complete_multipart_upload", **named, UploadId=upload, MultipartUpload=done)
    s3.call("head_object", Bucket="masters", Key="reel-19.mxf")


def _plan() -> Planner:
    titles = {"aT01": "Kabel verlegen", "aT02": "Rack 4 erden", "aT03": "Abnahme USV"}
    rows: dict[str, Any] = {
        f"tasks/{key}": {"id": key, "planId": "pL77", "title": title, "percentComplete": 0, "priority": 5}
        for key, title in titles.items()
    }
    rows["plans/pL77"] = {"id": "pL77", "title": "Umzug RZ Nord", "owner": "ebf3b108"}
    rows["plans/pL77/details"] = {
        "id": "pL77",
        "categoryDescriptions": {"category1": "Strom", "category2": None},
    }
    return Planner(rows)


@case(
    "b899",
    "quin-board-mirror-keeps-trying",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    synthetic=True,
    description=(
        "A mirror from a ticket system to Planner patches a task that an engineer has changed since the mirror's read; "
        "its retry policy sends the same If-Match four more times with growing pauses and never reads: five times 412."
    ),
)
def keeps_trying(stage: Stage) -> None:
    """Repeat what cannot pass."""
    server = place.open_box(stage, _plan(), "aiohttp", "Microsoft Graph Planner")
    fields = {"Authorization": "Bearer mirror", "User-Agent": "TicketMirror/5.1"}
    me = stage.actor("client", server, "graph.microsoft.com", "httpx", fields)
    other = stage.actor(
        "other", server, "graph.microsoft.com", "node:axios", {"Authorization": "Bearer engineer"}
    )
    held = {one["id"]: one["@odata.etag"] for one in me.get("/v1.0/planner/plans/pL77/tasks").json["value"]}
    seen = other.get("/v1.0/planner/tasks/aT02").json["@odata.etag"]
    other.send("PATCH", "/v1.0/planner/tasks/aT02", 204, {"If-Match": seen}, {"percentComplete": 50})
    place.rest(0.6)
    for task in ("aT01", "aT02", "aT03"):
        guard = {"If-Match": held[task], "Prefer": "return=representation"}
        path, body = f"/v1.0/planner/tasks/{task}", {"priority": 3}
        if task != "aT02":
            me.send("PATCH", path, 200, guard, body)
            continue
        for pause in (0.25, 0.5, 1.0, 2.0, 0.1):
            me.send("PATCH", path, 412, guard, body)
            place.rest(pause)
    me.get("/v1.0/planner/plans/pL77")


@case(
    "b934",
    "quin-category-names-of-a-plan",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description=(
        "A rollout tool names the categories of a Planner plan: it takes the plan's own @odata.etag for the PATCH of "
        "the plan's details and is told that the If-Match contains an invalid value, again after a fresh read of the "
        "plan; the tag within the expanded details, which it has read along, is another."
    ),
)
def categories(stage: Stage) -> None:
    """Take the plan's tag for its details."""
    server = place.open_box(stage, _plan(), "falcon", "Microsoft Graph Planner")
    me = stage.actor(
        "client", server, "graph.microsoft.com", "node:fetch", {"Authorization": "Bearer rollout"}
    )
    body = {"categoryDescriptions": {"category1": "Strom", "category2": "Kühlung"}}
    me.get("/v1.0/planner/plans/pL77/tasks")
    for _attempt in range(2):
        plan = me.get("/v1.0/planner/plans/pL77?$expand=details").json
        place.sure(plan["@odata.etag"] != plan["details"]["@odata.etag"])
        me.send("PATCH", "/v1.0/planner/plans/pL77/details", 412, {"If-Match": plan["@odata.etag"]}, body)
        place.rest(0.7)
    task = me.get("/v1.0/planner/tasks/aT03").json
    me.send(
        "PATCH", "/v1.0/planner/tasks/aT03", 204, {"If-Match": task["@odata.etag"]}, {"percentComplete": 100}
    )
    me.get("/v1.0/planner/plans/pL77/details")


_JSON = {"Accept": "application/json;odata=minimalmetadata"}


@case(
    "b901",
    "quin-price-file-in-someone-elses-hands",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    synthetic=True,
    description=(
        "A sync agent puts a new price file into a SharePoint library: the file is checked out by a buyer, so both "
        "uploads are 423 SPFileLockException although the tag is the current one; the file beside it is stored."
    ),
)
def checked_out(stage: Stage) -> None:
    """Write a file that somebody has checked out."""
    root = "/sites/Einkauf/Preise"
    site = Site(
        {f"{root}/{n}.csv": "sku;eur\n11;4,20\n" for n in ("Glas", "Holz")},
        "https://nordholz.sharepoint.com/sites/Einkauf",
    )
    site.locks[f"{root}/Holz.csv"] = "svenja.maas@nordholz.example"
    server = place.open_box(stage, site, "waitress", "SharePoint REST")
    fields = {**_JSON, "Authorization": "Bearer price-agent", "User-Agent": "NONISV|Nordholz|PriceAgent/1.4"}
    me = stage.actor("client", server, "nordholz.sharepoint.com", "requests", fields)
    me.send("POST", "/sites/Einkauf/_api/contextinfo", 200, None, "")
    for name in ("Glas", "Holz", "Holz"):
        call = f"/sites/Einkauf/_api/web/GetFileByServerRelativeUrl('{root}/{name}.csv')"
        seen = me.get(call)
        guard = {"If-Match": seen.json["ETag"], "X-RequestDigest": "0x4C3B", "Content-Type": "text/csv"}
        old = me.get(f"{call}/$value").text
        me.put(f"{call}/$value", old + "12;6,10\n", 423 if name == "Holz" else 204, guard)
        place.rest(0.8)
    me.get(f"/sites/Einkauf/_api/web/GetFileByServerRelativeUrl('{root}/Holz.csv')")


@case(
    "b905",
    "quin-site-visit-list-changed-by-planner",
    "other-writer",
    "412",
    alone="other-writer",
    synthetic=True,
    description=(
        "A surveyor's app merges an item of a SharePoint list with the tag of its read; a dispatcher has moved the "
        "visit meanwhile: 412, and the item that the app then reads has the dispatcher as Editor and another date."
    ),
)
def visits(stage: Stage) -> None:
    """Come second to a list item."""
    rows = {f"Visits/{n}": {"Title": f"Silo {n}", "When": "2026-12-03", "Result": None} for n in (4, 5, 6)}
    server = place.open_box(
        stage, Site(rows, "https://agrar.sharepoint.com/sites/feld"), "cheroot", "SharePoint REST"
    )
    host, base = "agrar.sharepoint.com", "/sites/feld/_api/web"
    me = stage.actor("client", server, host, "node:fetch", {**_JSON, "Authorization": "Bearer i.lund"})
    other = stage.actor("other", server, host, "urllib", {**_JSON, "Authorization": "Bearer dispatch"})
    me.send("POST", "/sites/feld/_api/contextinfo", 200, None, "")
    me.get(f"{base}/currentuser")
    me.get(f"{base}/lists/getbytitle('Visits')/items")
    merge = {"X-HTTP-Method": "MERGE", "X-RequestDigest": "0x4C3B"}
    held = me.get(f"{base}/lists/getbytitle('Visits')/items(5)").etag
    seen = other.get(f"{base}/lists/getbytitle('Visits')/items(5)").etag
    target = f"{base}/lists/getbytitle('Visits')/items"
    other.send("POST", f"{target}(5)", 204, {**merge, "IF-MATCH": seen}, {"When": "2026-12-07"})
    place.rest(1.2)
    tag = me.get(f"{target}(4)").etag
    me.send("POST", f"{target}(4)", 204, {**merge, "IF-MATCH": tag}, {"Result": "tör"})
    me.send("POST", f"{target}(5)", 412, {**merge, "IF-MATCH": held}, {"Result": "fuktig"})
    now = me.get(f"{target}(5)").json
    place.sure(now["Editor"]["Title"] == "dispatch" and now["Result"] is None)
    me.get(f"{base}/lists/getbytitle('Visits')/items")


@case(
    "b914",
    "quin-state-bucket-with-the-other-stores-condition",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    synthetic=True,
    description=(
        "An infrastructure tool keeps its state in Google's store over the XML interface and guards it as it does with "
        "S3, by If-Match: the listing shows another tag already, the PUT with the outdated one is 200, and the "
        "colleague's resource is gone."
    ),
)
def states(stage: Stage) -> None:
    """Write with a condition nobody looks at."""
    rows = {
        "infra-state/prod/net.tfstate": _state(41, "network.core"),
        "infra-state/prod/db.tfstate": _state(7, "db.main"),
    }
    server = place.open_box(stage, Vault(rows), "flask-cheroot", "Cloud Storage XML API")
    host = "storage.googleapis.com"
    me = stage.actor(
        "client",
        server,
        host,
        "aiohttp",
        {"Authorization": "Bearer ya29.EXAMPLE-A", "User-Agent": "groundwork/0.19"},
    )
    other = stage.actor("other", server, host, "curl", {"Authorization": "Bearer ya29.EXAMPLE-B"})
    base = "/infra-state/prod"
    mine = me.get(f"{base}/net.tfstate")
    me.get(f"{base}/db.tfstate")
    theirs = other.get(f"{base}/net.tfstate").fields["x-goog-generation"]
    guard = {"x-goog-if-generation-match": theirs}
    other.put(f"{base}/net.tfstate", _state(42, "network.core", "firewall.edge"), 200, guard)
    place.rest(0.7)
    me.put(f"{base}/net.lock", '{"id":"77aa"}', 200, {"x-goog-if-generation-match": "0"})
    listed = me.get("/infra-state?prefix=prod/").text
    place.sure(mine.etag not in listed)
    own = _state(42, "network.core", "subnet.lab")
    me.put(f"{base}/net.tfstate", own, 200, {"If-Match": mine.etag, "Content-Type": "application/json"})
    place.sure("firewall" not in me.get(f"{base}/net.tfstate").text)
    me.send("DELETE", f"{base}/net.lock", 204)


@case(
    "b921",
    "quin-source-replaced-between-parts",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    synthetic=True,
    description=(
        "A replicator copies a large log archive part by part with the tag of its HEAD as copy-source condition; after "
        "the second part the exporter replaces the source: part three is 412, the upload is given up, and the whole "
        "copy is done again with the tag of the new source."
    ),
)
def replaced(stage: Stage) -> None:
    """Let the source change between two parts."""
    store = Lake({f"raw-logs/2026/11/{n}.tar": bytes([n]) * 4096 for n in (26, 27, 28)})
    seen: list[int] = []

    def during(number: int) -> None:
        seen.append(number)
        if len(seen) == 7:
            store.store("raw-logs/2026/11/27.tar", b"\x99" * 4096, "exporter")

    store.during = during
    server = place.open_box(stage, store, "flask-cheroot", "S3")
    s3 = place.Bucket(stage, "client", server, "s3.eu-north-1.amazonaws.com", "eu-north-1")
    s3.call("list_objects_v2", Bucket="raw-logs", Prefix="2026/11/")
    for day, bad in ((26, 0), (27, 3), (27, 0)):
        place.rest(0.6)
        key, named = f"2026/11/{day}.tar", {"Bucket": "cold-logs", "Key": f"{day}.tar"}
        tag = s3.call("head_object", Bucket="raw-logs", Key=key)["ETag"]
        upload = {**named, "UploadId": s3.call("create_multipart_upload", **named)["UploadId"]}
        tags = []
        for number in (1, 2, 3) if bad else (1, 2, 3, 4):
            more = {"PartNumber": number, "CopySource": f"raw-logs/{key}", "CopySourceIfMatch": tag}
            more["CopySourceRange"] = f"bytes={1024 * (number - 1)}-{1024 * number - 1}"
            failed = "PreconditionFailed" if number == bad else ""
            got = s3.call("upload_part_copy", failed, **upload, **more)
            tags += [] if failed else [{"ETag": got["CopyPartResult"]["ETag"], "PartNumber": number}]
        if bad:
            s3.call("abort_multipart_upload", **upload)
        else:
            s3.call("complete_multipart_upload", **upload, MultipartUpload={"Parts": tags})
    s3.call("head_object", Bucket="cold-logs", Key="27.tar")


@case(
    "b929",
    "quin-archiver-in-lima",
    "timezone-error",
    "412",
    alone="timezone-error",
    synthetic=True,
    description=(
        "A nightly archiver in Lima turns LastModified into local time before it hands it to boto3 as copy condition: "
        "x-amz-copy-source-if-unmodified-since is five hours before what the store had said, and each copy is 412; "
        "the last object, copied with the time as served, passes."
    ),
)
def lima(stage: Stage) -> None:
    """Hand a local time over."""
    store = Lake({f"facturas/2026-11/{n}.xml": f"<f n='{n}'/>".encode() * 9 for n in (3101, 3102, 3103)})
    server = place.open_box(stage, store, "cheroot", "S3")
    s3 = place.Bucket(stage, "client", server, "s3.sa-east-1.amazonaws.com", "sa-east-1")
    listed = s3.call("list_objects_v2", Bucket="facturas", Prefix="2026-11/")["Contents"]
    lima_zone = dt.timezone(dt.timedelta(hours=-5))
    for one in listed:
        seen = s3.call("head_object", Bucket="facturas", Key=one["Key"])["LastModified"]
        local = seen.astimezone(lima_zone).replace(tzinfo=None)
        named = {"Bucket": "archivo", "Key": one["Key"], "CopySource": f"facturas/{one['Key']}"}
        last = one is listed[-1]
        s3.call("copy_object", "PreconditionFailed", **named, CopySourceIfUnmodifiedSince=local)
        place.rest(0.4)
        if last:
            s3.call("copy_object", **named, CopySourceIfUnmodifiedSince=seen)
    s3.call("list_objects_v2", Bucket="archivo", Prefix="2026-11/")
