"""Stories of APIs in use in which nothing is wrong."""

from __future__ import annotations

import hashlib
import importlib
from typing import TYPE_CHECKING

from tools.recording_apis.apps import ben_google, ben_microsoft, ben_suites
from tools.recording_apis.stage import case
from tools.recording_apis.stories import ben_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d450",
    "ben-calm-kinto-two-devices",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two devices share a list in Kinto: creates with If-None-Match: *, polls that are 304, patches with the newest "
        "tag, each after a read of what the other has written."
    ),
)
def kinto(stage: Stage) -> None:
    """Take turns."""
    server = stage.server("kinto")
    login = {"Authorization": "Basic aXZvOml2bw=="}
    me = stage.actor("client", server, "kinto.larder.test", "requests", login)
    other = stage.actor("other", server, "kinto.larder.test", "httpx", login)
    me.put("/v1/accounts/ivo", {"data": {"password": "ivo"}}, 201)
    base = "/v1/buckets/default/collections/larder/records"
    for name, count in (("rice", 3), ("salt", 1)):
        me.put(f"{base}/{name}", {"data": {"count": count}}, 201, {"If-None-Match": "*"})
    listed = me.get(base)
    me.get(base, 304, {"If-None-Match": listed.etag})
    for number in range(3):
        theirs = other.get(f"{base}/rice")
        other.send("PATCH", f"{base}/rice", 200, {"If-Match": theirs.etag}, {"data": {"count": 4 + number}})
        place.rest(0.3)
        seen = me.get(f"{base}/rice")
        done = me.send(
            "PATCH", f"{base}/rice", 200, {"If-Match": seen.etag}, {"data": {"by": f"ivo {number}"}}
        )
        me.get(f"{base}/rice", 304, {"If-None-Match": done.etag})
    gone = me.get(f"{base}/salt")
    me.send("DELETE", f"{base}/salt", 200, {"If-Match": gone.etag})
    place.sure(me.get(f"{base}?_since={listed.etag.strip(chr(34))}").json["data"])


@case(
    "d451",
    "ben-calm-s3-manifest",
    "none",
    "healthy",
    alone="none",
    description=(
        "A job with boto3 creates parts with If-None-Match: *, and moves a manifest on with If-Match and the tag of its "
        "own last PutObject; a reader's conditional GETs are 304 until the manifest changes."
    ),
)
def manifest(stage: Stage) -> None:
    """Move a manifest on."""
    server = stage.server("moto")
    s3 = place.Amazon(stage, "client", server, "s3")
    reader = stage.actor("other", server, "s3.eu-north-1.amazonaws.example", "urllib")
    s3(
        "create_bucket",
        Bucket="lidar",
        CreateBucketConfiguration={"LocationConstraint": "eu-north-1"},
        ACL="public-read",
    )
    manifest = {"Bucket": "lidar", "Key": "manifest.json", "ACL": "public-read"}
    tag = s3("put_object", **manifest, Body=b'{"parts":[]}', IfNoneMatch="*")["ETag"]
    parts: list[str] = []
    for number in range(4):
        s3(
            "put_object",
            Bucket="lidar",
            Key=f"parts/{number:03}.laz",
            Body=b"LASF" * (number + 9),
            IfNoneMatch="*",
        )
        parts.append(f'"parts/{number:03}.laz"')
        seen = reader.get("/lidar/manifest.json")
        reader.get("/lidar/manifest.json", 304, {"If-None-Match": seen.etag})
        new = f'{{"parts":[{",".join(parts)}]}}'.encode()
        tag = s3("put_object", **manifest, Body=new, IfMatch=tag)["ETag"]
        place.rest(0.2)
    s3("get_object", Bucket="lidar", Key="manifest.json", IfMatch=tag)
    s3("list_objects_v2", Bucket="lidar", Prefix="parts/")


@case(
    "d452",
    "ben-calm-azure-table-sdk",
    "none",
    "healthy",
    alone="none",
    description=(
        "Azure's SDK for tables changes entities with MatchConditions.IfNotModified and the tag of the read just before; "
        "a second program changes others, and one it shares after ours is done."
    ),
)
def table(stage: Stage) -> None:
    """Change entities under their tags."""
    server = stage.server("azurite", table=True)
    mode = importlib.import_module("azure.data.tables").UpdateMode
    same = importlib.import_module("azure.core").MatchConditions.IfNotModified
    mine, i_send = place.table_service(stage, "client", server)
    yours, you_send = place.table_service(stage, "other", server)
    i_send()
    ours, theirs = mine.create_table("wagons"), yours.get_table_client("wagons")
    for number in range(3):
        ours.create_entity({"PartitionKey": "freight", "RowKey": f"w{number}", "load": 20, "track": "3"})
    for client, send, row in (
        (ours, i_send, "w0"),
        (theirs, you_send, "w1"),
        (ours, i_send, "w2"),
        (theirs, you_send, "w0"),
        (ours, i_send, "w0"),
    ):
        send()
        seen = client.get_entity("freight", row)
        seen["load"] += 5
        client.update_entity(seen, mode=mode.MERGE, etag=seen.metadata["etag"], match_condition=same)
        place.rest(0.2)
    place.sure(len(list(ours.query_entities("load gt 20"))) == 3)
    place.sure(ours.get_entity("freight", "w0")["load"] == 35)


_TASK = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//hof//DE\r\nBEGIN:VTODO\r\nUID:{uid}\r\nDTSTAMP:20261103T060000Z\r\n"
    "SUMMARY:{text}\r\nSTATUS:{state}\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
)


@case(
    "d453",
    "ben-calm-radicale-tasks",
    "none",
    "healthy",
    alone="none",
    description=(
        "A task list syncs with Radicale: sync-collection with the newest token, creates with If-None-Match: *, changes "
        "and deletes with the tag of the latest answer; the helper's changes come in by the next sync."
    ),
)
def tasks(stage: Stage) -> None:
    """Sync a list of tasks."""
    server = stage.server("radicale")
    login = {"Authorization": "Basic aG9mOmhvZg=="}
    me = stage.actor("client", server, "dav.hof.test", "httpx", login)
    other = stage.actor("other", server, "dav.hof.test", "requests", login)
    make = '<?xml version="1.0"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"/>'
    text = {"Content-Type": "text/calendar; charset=utf-8"}
    me.send("MKCALENDAR", "/hof/tasks/", 201, None, make)

    def sync(token: str) -> str:
        body = f'<?xml version="1.0"?><D:sync-collection xmlns:D="DAV:"><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>'
        return place.tag_in(me.send("REPORT", "/hof/tasks/", 207, None, body).text, "sync-token")

    token = sync("")
    for uid in ("milk", "fence"):
        new = _TASK.format(uid=uid, text=uid, state="NEEDS-ACTION")
        me.put(f"/hof/tasks/{uid}.ics", new, 201, {**text, "If-None-Match": "*"})
    token = sync(token)
    theirs = other.get("/hof/tasks/fence.ics")
    other.put(
        "/hof/tasks/fence.ics",
        theirs.text.replace("SUMMARY:fence", "SUMMARY:west fence"),
        (200, 201, 204),
        {**text, "If-Match": theirs.etag},
    )
    token = sync(token)
    for uid in ("fence", "milk"):
        seen = me.get(f"/hof/tasks/{uid}.ics")
        me.put(
            f"/hof/tasks/{uid}.ics",
            seen.text.replace("NEEDS-ACTION", "COMPLETED"),
            (200, 201, 204),
            {**text, "If-Match": seen.etag},
        )
    seen = me.get("/hof/tasks/milk.ics")
    me.send("DELETE", "/hof/tasks/milk.ics", 200, {"If-Match": seen.etag})
    sync(token)


@case(
    "d454",
    "ben-calm-webdav-lock-and-go",
    "none",
    "healthy",
    alone="none",
    description=(
        "A word processor locks a document in WsgiDAV, saves twice with the lock token, refreshes the lock and unlocks; a "
        "colleague then does the same, and both read with conditions."
    ),
)
def locks(stage: Stage) -> None:
    """Lock, save, unlock."""
    server = stage.server("wsgidav")
    me = stage.actor("client", server, "docs.theater.test", "requests", {"User-Agent": "LibreOffice 24.8"})
    other = stage.actor("other", server, "docs.theater.test", "urllib", {"User-Agent": "LibreOffice 24.8"})
    text = {"Content-Type": "text/plain"}
    me.put("/scene-1.txt", "A hall.\n", 201, {**text, "If-None-Match": "*"})
    listing = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:getetag/><D:lockdiscovery/></D:prop></D:propfind>'
    for who, name in ((me, "Ruth"), (other, "Emil")):
        who.send("PROPFIND", "/scene-1.txt", 207, {"Depth": "0"}, listing)
        info = f'<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>{name}</D:owner></D:lockinfo>'
        lock = who.send("LOCK", "/scene-1.txt", 200, {"Timeout": "Second-180", "Depth": "0"}, info)
        held = {"If": f"({lock.fields['lock-token']})"}
        for line in ("Enter the ghost.", "Exit the ghost."):
            seen = who.get("/scene-1.txt")
            who.put("/scene-1.txt", f"{seen.text}{line} ({name})\n", 204, {**text, **held})
            place.rest(0.3)
        who.send("LOCK", "/scene-1.txt", 200, {**held, "Timeout": "Second-180"})
        who.send("UNLOCK", "/scene-1.txt", 204, {"Lock-Token": lock.fields["lock-token"]})
    seen = me.get("/scene-1.txt")
    me.get("/scene-1.txt", 304, {"If-None-Match": seen.etag})
    place.sure(seen.text.count("ghost") == 4)


@case(
    "d455",
    "ben-calm-registry-push-and-pull",
    "none",
    "healthy",
    alone="none",
    description=(
        "An image is pushed to a Docker registry in the usual way: 404 to the first HEAD of each blob, uploads, the "
        "manifest under its tag; a mirror asks for the manifest again with If-None-Match and is 304."
    ),
)
def registry(stage: Stage) -> None:
    """Push an image and ask for it again."""
    server = stage.server("docker-registry")
    me = stage.actor(
        "client", server, "registry.boats.test", "httpx", {"User-Agent": "docker/26.1 go/go1.21"}
    )
    other = stage.actor("other", server, "registry.boats.test", "curl", {"User-Agent": "mirror/0.4"})
    me.get("/v2/")
    kind = "application/vnd.docker.distribution.manifest.v2+json"

    def push(content: bytes, media: str) -> dict[str, object]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        me.send("HEAD", f"/v2/boats/api/blobs/{digest}", 404)
        where = me.send("POST", "/v2/boats/api/blobs/uploads/", 202).fields["location"]
        target = "/" + where.split("/", 3)[3]
        join = "&" if "?" in target else "?"
        octets = {"Content-Type": "application/octet-stream"}
        me.put(f"{target}{join}digest={digest}", content, 201, octets)
        me.send("HEAD", f"/v2/boats/api/blobs/{digest}", 200)
        return {"mediaType": media, "size": len(content), "digest": digest}

    for number in (1, 2):
        layer = push(b"layer" * 200 * number, "application/vnd.docker.image.rootfs.diff.tar.gzip")
        config = push(
            f'{{"os":"linux","n":{number}}}'.encode(), "application/vnd.docker.container.image.v1+json"
        )
        manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]}
        me.put("/v2/boats/api/manifests/stable", manifest, 201, {"Content-Type": kind})
        seen = other.get("/v2/boats/api/manifests/stable", 200, {"Accept": kind})
        for _ in range(2):
            other.get("/v2/boats/api/manifests/stable", 304, {"Accept": kind, "If-None-Match": seen.etag})
        place.rest(0.3)
    me.get("/v2/boats/api/tags/list")


@case(
    "d456",
    "ben-calm-gcs-generations",
    "none",
    "healthy",
    alone="none",
    description=(
        "Google's storage client creates a checkpoint with if_generation_match=0 and moves it on with the generation of "
        "its own last write; reads are pinned to a generation, and the old lock is deleted under its own."
    ),
    synthetic=True,
)
def generations(stage: Stage) -> None:
    """Move a checkpoint on."""
    api = ben_google.storage("checkpoints", {"eta/lock": b"free", "eta/config": b"shards=4"})
    server = place.open_api(stage, api, "waitress", "Google Cloud Storage JSON")
    bucket = place.storage_bucket(stage, "client", server, "checkpoints")
    point = bucket.blob("eta/offset")
    point.upload_from_string("0", if_generation_match=0)
    for number in range(1, 4):
        place.rest(0.2)
        point.upload_from_string(f"{number * 1000}", if_generation_match=point.generation)
        point.reload()
        place.sure(
            point.download_as_bytes(if_generation_match=point.generation) == f"{number * 1000}".encode()
        )
    lock = bucket.get_blob("eta/lock")
    lock.delete(if_generation_match=lock.generation)
    place.sure(bucket.get_blob("eta/config").download_as_bytes() == b"shards=4")
    place.sure(len(list(bucket.list_blobs())) == 2)


@case(
    "d457",
    "ben-calm-cosmos-baskets",
    "none",
    "healthy",
    alone="none",
    description=(
        "A shop keeps baskets in Cosmos DB: create, point reads that are 304 while nothing changes, replace with the _etag "
        "of the latest answer, by two services in turn."
    ),
    synthetic=True,
)
def baskets(stage: Stage) -> None:
    """Replace documents under their tags."""
    api = ben_microsoft.cosmos({f"b-{n}": {"customer": n, "lines": [], "open": True} for n in (71, 72)})
    server = place.open_api(stage, api, "aiohttp", "Azure Cosmos DB")
    fields = {"x-ms-version": "2018-12-31", "Authorization": "type%3dmaster%26ver%3d1.0%26sig%3dx"}
    me = stage.actor("client", server, "shop.documents.example", "node:axios", fields)
    other = stage.actor("other", server, "shop.documents.example", "requests", fields)
    base = "/dbs/shop/colls/baskets/docs"
    place.aside(
        api, me, {"/dbs/shop/colls/baskets": {"id": "baskets", "partitionKey": {"paths": ["/id"]}}}, tags=True
    )
    made = me.send("POST", base, 201, None, {"id": "b-73", "customer": 73, "lines": [], "open": True})
    place.watch(me, f"{base}/b-73", made.etag, 2)
    for number, key in enumerate(("b-71", "b-73", "b-71")):
        seen = me.get(f"{base}/{key}")
        lines = [*seen.json["lines"], {"sku": f"s{number}", "n": 1}]
        done = me.put(f"{base}/{key}", {**seen.json, "lines": lines}, 200, {"If-Match": seen.etag})
        place.watch(me, f"{base}/{key}", done.etag, 1)
        theirs = other.get(f"{base}/{key}")
        other.put(f"{base}/{key}", {**theirs.json, "priced": number}, 200, {"If-Match": theirs.etag})
    me.get(f"{base}/b-71", 200, {"If-None-Match": done.etag})


@case(
    "d458",
    "ben-calm-planner-and-settings",
    "none",
    "healthy",
    alone="none",
    description=(
        "A workshop's program writes Planner tasks and their details, each with the tag of its own resource read just "
        "before, and polls an App Configuration key, which is 304 until somebody sets it, and then sets one of its own."
    ),
    synthetic=True,
)
def workshop(stage: Stage) -> None:
    """Write with the right tags."""
    tasks = place.open_api(stage, ben_microsoft.planner(), "cheroot", "Microsoft Graph Planner")
    settings = ben_microsoft.app_configuration({"shop:sentinel": "7", "shop:hours": "8-17"})
    configured = place.open_api(stage, settings, "waitress", "Azure App Configuration")
    me = stage.actor("client", tasks, "graph.microsoft.example", "httpx", {"Authorization": "Bearer eyJ0"})
    other = stage.actor("other", configured, "werk.azconfig.example", "aiohttp")
    base = "/v1.0/planner/tasks"
    for task in me.get("/v1.0/planner/plans/xqQg5F/tasks").json["value"]:
        for part, change in (("", {"percentComplete": 100}), ("/details", {"description": "Done by Ida"})):
            seen = me.get(f"{base}/{task['id']}{part}")
            me.send("PATCH", f"{base}/{task['id']}{part}", 204, {"If-Match": seen.etag}, change)
            place.rest(0.2)
    me.get("/v1.0/planner/plans/xqQg5F/tasks")
    seen = other.get("/kv/shop:sentinel?api-version=1.0")
    place.watch(other, "/kv/shop:sentinel?api-version=1.0", seen.etag, 3)
    kind = {"Content-Type": "application/vnd.microsoft.appconfig.kv+json"}
    done = other.put(
        "/kv/shop:sentinel?api-version=1.0", {"value": "8"}, 200, {**kind, "If-Match": seen.etag}
    )
    place.watch(other, "/kv/shop:sentinel?api-version=1.0", done.etag, 1)
    other.put("/kv/shop:lift?api-version=1.0", {"value": "east"}, 200, {**kind, "If-None-Match": "*"})


@case(
    "d459",
    "ben-calm-zotero-and-records",
    "none",
    "healthy",
    alone="none",
    description=(
        "A library program syncs a Zotero group: If-Modified-Since-Version is 304 when nothing is new, writes carry the "
        "newest library version, and what a fellow has added is fetched with ?since= before the next write."
    ),
    synthetic=True,
)
def shelves(stage: Stage) -> None:
    """Sync before each write."""
    api = ben_suites.zotero(
        {key: {"itemType": "map", "title": f"Sheet {n}"} for n, key in enumerate(("MAPA1111", "MAPB2222"))}
    )
    server = place.open_api(stage, api, "tornado", "Zotero")
    me = stage.actor("client", server, "api.zotero.example", "node:fetch", {"Zotero-API-Key": "k1"})
    other = stage.actor("other", server, "api.zotero.example", "curl", {"Zotero-API-Key": "k2"})
    base, since, newer = "/groups/88021/items", "If-Unmodified-Since-Version", "If-Modified-Since-Version"
    version = me.get(base).fields["last-modified-version"]
    me.get(base, 304, {newer: version})
    for number in range(3):
        done = me.send(
            "POST", base, 200, {since: version}, [{"key": "MAPA1111", "title": f"Sheet {number + 4}"}]
        )
        version = done.fields["last-modified-version"]
        me.get(base, 304, {newer: version})
        theirs = other.get(base).fields["last-modified-version"]
        other.send("POST", base, 200, {since: theirs}, [{"key": "MAPB2222", "title": f"Sheet B{number}"}])
        place.rest(0.3)
        version = me.get(f"{base}?since={version}", 200, {newer: version}).fields["last-modified-version"]
    me.get(f"{base}/MAPA1111")
