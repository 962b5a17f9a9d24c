# mypy: ignore-errors
# fmt: off
"""Buckets, zones, settings, leases, drives, locks, tables and clusters."""

from __future__ import annotations

import importlib
import time
import uuid
from typing import TYPE_CHECKING
from unittest.mock import patch

from tools.recording_apis import fronts
from tools.recording_apis.apps.cal_apis import Api, Req, Res, Row, guid, hashed, instant, stamp
from tools.recording_apis.names import route
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_ACCOUNT = "AccountName=notes;AccountKey=ZXhhbXBsZQ==;DefaultEndpointsProtocol=http;"


def _s3(url: str) -> object:
    boto3, config = importlib.import_module("boto3"), importlib.import_module("botocore.config")
    unsigned = importlib.import_module("botocore").UNSIGNED
    own = config.Config(signature_version=unsigned, s3={"addressing_style": "path"}, retries={"max_attempts": 0})
    with patch("platform.release", return_value="6"):
        return boto3.client("s3", endpoint_url=url, region_name="eu-north-1", config=own)


@case("e370", "cal-public-tiles-pinned-to-a-tag", "cache-misevaluates", "stale-read", alone="cache-misevaluates", also="stale-cache-read",
      description="Map tiles in a bucket behind a Varnish: the publisher puts a tile anew, gets its tag and reads the object back by boto3's IfMatch of that tag; the cache looks at no If-Match and hands out 200 with the old tag, hit and aged, twice.")
def tiles(stage: Stage) -> None:
    """Ask for one version and get another."""
    server = stage.server("moto")
    front = fronts.varnish(stage, server, 'sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; } }')
    url = place.host(stage, "client", front, "tiles.fjordmap.example")
    s3 = _s3(url)
    s3.create_bucket(Bucket="z11", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    first = {n: s3.put_object(Bucket="z11", Key=f"1093/{n}.json", Body=f'{{"tile":{n},"roads":{n % 9}}}', ContentType="application/json", ACL="public-read")["ETag"] for n in (588, 589, 590)}
    stage.forget()
    for n, tag in first.items():
        place.sure(s3.get_object(Bucket="z11", Key=f"1093/{n}.json", IfMatch=tag)["ETag"] == tag)
    s3.list_objects_v2(Bucket="z11", Prefix="1093/")
    place.rest(1.1)
    made = s3.put_object(Bucket="z11", Key="1093/589.json", Body='{"tile":589,"roads":14,"ferry":true}', ContentType="application/json", ACL="public-read")["ETag"]
    for _turn in range(2):
        got = s3.get_object(Bucket="z11", Key="1093/589.json", IfMatch=made)
        place.sure(got["ETag"] == first[589] != made, got["ETag"])
        got["Body"].read()
        place.rest(1.2)
    s3.get_object(Bucket="z11", Key="1093/588.json", IfMatch=first[588])["Body"].read()


@case("e371", "cal-zone-record-with-another-ttl", "payload-precondition-mismatch", "412", alone="payload-precondition-mismatch", synthetic=True,
      description="A certificate helper replaces TXT records in Google Cloud DNS: its deletion names the TTL 300 of its template, the record has 60, so the change is 412 at entity.change.deletions[0] twice; the one that repeats the listed record verbatim is done.")
def zones(stage: Stage) -> None:
    """Delete a record that is not quite there."""
    rr = {"api": {"kind": "dns#resourceRecordSet", "name": "api.moorhen.example.", "type": "A", "ttl": 300, "rrdatas": ["203.0.113.9"]}, "txt": {"kind": "dns#resourceRecordSet", "name": "_acme-challenge.moorhen.example.", "type": "TXT", "ttl": 60, "rrdatas": ['"k1Zt"']}}
    done: list[dict] = []
    api = Api(lambda _req: {"Server": "ESF", "Vary": "Origin, X-Origin, Referer", "Cache-Control": "private"}, "application/json; charset=UTF-8")
    base = "/dns/v1/projects/moorhen/managedZones"
    api.say("GET", base, {"kind": "dns#managedZonesListResponse", "managedZones": [{"name": "main", "dnsName": "moorhen.example.", "id": "77120", "visibility": "public"}]})

    @api.on("GET", base + "/main/rrsets")
    def rrsets(req: Req) -> Res:
        wanted = req.query.get("name")
        return Res(200, {"kind": "dns#resourceRecordSetsListResponse", "rrsets": [one for one in rr.values() if wanted in {None, one["name"]}]})

    @api.on("GET", base + "/main/changes/([0-9]+)")
    def change(_req: Req, number: str) -> Res:
        return Res(200, {**done[int(number) - 1], "status": "done"})

    @api.on("POST", base + "/main/changes")
    def changes(req: Req) -> Res:
        for n, gone in enumerate(req.json.get("deletions", [])):
            if not any(all(one[k] == gone[k] for k in ("name", "type", "ttl", "rrdatas")) for one in rr.values()):
                text = f"Precondition not met for 'entity.change.deletions[{n}]'"
                return Res(412, {"error": {"code": 412, "message": text, "errors": [{"message": text, "domain": "global", "reason": "conditionNotMet"}]}})
        for more in req.json.get("additions", []):
            rr["txt" if more["type"] == "TXT" else "api"] = {"kind": "dns#resourceRecordSet", **more}
        done.append({"kind": "dns#change", "id": str(len(done) + 1), "startTime": instant(time.time()), "status": "pending", **req.json})
        return Res(200, done[-1])

    server = place.open_box(stage, api, "tornado", "Google Cloud DNS")
    me = stage.actor("client", server, "dns.moorhen.example", "httpx", {"Authorization": "Bearer ya29.c", "User-Agent": "google-api-python-client/1.12 certhook/0.4"})
    me.get(base + "?dnsName=moorhen.example.")
    name = "_acme-challenge.moorhen.example."

    def swap(old: dict, value: str, expect: int) -> dict:
        return me.send("POST", base + "/main/changes", expect, body={"kind": "dns#change", "deletions": [old], "additions": [{"name": name, "type": "TXT", "ttl": 300, "rrdatas": [value]}]}).json

    swap({"name": name, "type": "TXT", "ttl": 300, "rrdatas": ['"k1Zt"']}, '"p8Qa"', 412)
    me.get(base + f"/main/rrsets?name={name}&type=TXT")
    place.rest(0.8)
    swap({"name": name, "type": "TXT", "ttl": 300, "rrdatas": ['"k1Zt"']}, '"p8Qa"', 412)
    live = me.get(base + f"/main/rrsets?name={name}&type=TXT").json["rrsets"][0]
    made = swap({k: live[k] for k in ("name", "type", "ttl", "rrdatas")}, '"p8Qa"', 200)
    me.get(base + f"/main/changes/{made['id']}")


@case("e372", "cal-settings-never-unchanged", "unstable-etag", "wasted-reads", alone="unstable-etag", synthetic=True,
      description="A worker polls key-values of an App Configuration store with the tag it was last given: never a 304, each answer the same octets, last_modified months old, with a tag like none before; the sentinel key beside it has a steady tag and answers 304.")
def settings(stage: Stage) -> None:
    """Poll for what never seems to rest."""
    rows = {"Orders:Batch": ("40", 90), "Orders:Retry": ("3", 70), "Sentinel": ("17", 5)}
    api = Api(lambda _req: {"x-ms-correlation-request-id": guid(str(time.time())), "Sync-Token": "zAJw6V16=MjotMSM0OTk4;sn=4998", "x-ms-request-id": guid("r" + str(time.time())), "Server": "openresty/1.21"}, "application/vnd.microsoft.appconfig.kv+json; charset=utf-8")

    @api.on("GET", "/kv/(.+)")
    def kv(req: Req, key: str) -> Res:
        value, days = rows[key]
        salt = "" if key == "Sentinel" else str(time.time_ns())
        tag = f'"{hashed(key + value + salt, "sha256")[:43]}"'
        at = 1700000000 - days * 86400
        if req.fields.get("if-none-match") == tag:
            return Res(304, b"", {"ETag": tag})
        return Res(200, {"key": key, "label": "prod", "content_type": "", "value": value, "last_modified": instant(at, 0).replace("Z", "+00:00"), "locked": False, "tags": {}}, {"ETag": tag, "Last-Modified": stamp(at)})

    server = place.open_box(stage, api, "stdlib", "Azure App Configuration")
    me = stage.actor("client", server, "settings.orders.example", "aiohttp", {"Accept": "application/vnd.microsoft.appconfig.kv+json", "Authorization": "HMAC-SHA256 Credential=worker"})
    held = {key: me.get(f"/kv/{key.replace(':', '%3A')}?label=prod&api-version=1.0") for key in rows}
    bodies = {held["Orders:Batch"].body}
    for _turn in range(4):
        place.rest(0.7)
        for key in rows:
            expect = 304 if key == "Sentinel" else 200
            got = me.get(f"/kv/{key.replace(':', '%3A')}?label=prod&api-version=1.0", expect, {"If-None-Match": held[key].etag})
            if expect == 200:
                held[key] = got
                bodies |= {got.body} if key == "Orders:Batch" else set()
    place.sure(len(bodies) == 1)


@case("e373", "cal-ledger-blob-leased-by-the-night-run", "lease-or-lock", "412", alone="lease-or-lock",
      description="Azurite behind azure-storage-blob: a night run leases the blob of a ledger, uploads under its lease, and then a second container client of the same process uploads without the lease id: 412 LeaseIdMissing; after the release it goes through.")
def lease(stage: Stage) -> None:
    """Forget the key to one's own door."""
    server = stage.server("azurite")
    library = importlib.import_module("azure.storage.blob")
    errors = importlib.import_module("azure.core.exceptions")
    port = stage.tap("client", server)
    route("ledgers.harbour.example", port)
    with patch("platform.platform", return_value="Linux-x86_64"), patch("uuid.uuid1", uuid.uuid4):
        service = library.BlobServiceClient.from_connection_string(f"{_ACCOUNT}BlobEndpoint=http://ledgers.harbour.example/notes", retry_total=0)
        service.create_container("ledger")
        blobs = {n: service.get_blob_client("ledger", n) for n in ("2024-11.csv", "2024-12.csv", "rates.json")}
        for n, one in blobs.items():
            one.upload_blob(f"{n};opening;0\n".encode())
        stage.forget()
        list(service.get_container_client("ledger").list_blobs())
        blobs["rates.json"].download_blob().readall()
        held = blobs["2024-12.csv"].acquire_lease(lease_duration=30)
        blobs["2024-12.csv"].upload_blob(b"2024-12;berth 4;1180\n", overwrite=True, lease=held)
        blobs["2024-11.csv"].upload_blob(b"2024-11;closing;77\n", overwrite=True)
        again = service.get_container_client("ledger").get_blob_client("2024-12.csv")
        props = again.get_blob_properties()
        try:
            again.upload_blob(b"2024-12;berth 4;1180\n2024-12;berth 5;940\n", overwrite=True, etag=props.etag, match_condition=importlib.import_module("azure.core").MatchConditions.IfNotModified)
            place.sure(ok=False, said="taken without the lease")
        except errors.HttpResponseError as refused:
            place.sure(refused.status_code == 412 and "LEASE" in str(refused.error_code).upper(), refused.error_code)
        place.rest(0.5)
        held.renew()
        held.release()
        again.upload_blob(b"2024-12;berth 4;1180\n2024-12;berth 5;940\n", overwrite=True)
        again.get_blob_properties()


@case("e374", "cal-songs-rewritten-by-the-drive-itself", "server-side-mutation", "412", alone="server-side-mutation", synthetic=True,
      description="A band's tool uploads an mp3 to OneDrive and renames it with the eTag that the upload gave: 412 resourceModified, since the drive's own indexing (lastModifiedBy: an application, the same size and cTag) had moved the eTag; the text file beside it keeps its own and is renamed.")
def songs(stage: Stage) -> None:
    """Be overtaken by the drive."""
    rows: dict[str, Row] = {}

    def tag(name: str, kind: str, rev: int) -> str:
        return f'"{{{guid(name).upper()}}},{rev}"' if kind == "e" else f'"c:{{{guid(name).upper()}}},{rev}"'

    def shown(key: str) -> dict:
        row = rows[key]
        by = {"application": {"id": "00000003-0000-0ff1", "displayName": "SharePoint Online Media"}} if row.by == "media" else {"user": {"displayName": "Lotte V.", "email": "lotte@fanfare.example"}}
        return {"id": key, "eTag": tag(key, "e", row.rev), "cTag": tag(key, "c", 1), "lastModifiedDateTime": instant(row.at, 0), "lastModifiedBy": by, **row.data}

    api = Api(lambda _req: {"request-id": guid(str(time.time())), "OData-Version": "4.0", "Strict-Transport-Security": "max-age=31536000"}, "application/json;odata.metadata=minimal")

    @api.on("GET", "/v1.0/me/drive/root/children|/v1.0/me/drive/root:/Set:/children")
    def children(_req: Req) -> Res:
        return Res(200, {"@odata.count": len(rows), "value": [shown(k) for k in rows]})

    @api.on("PUT", "/v1.0/me/drive/root:/Set/(.+):/content")
    def upload(req: Req, name: str) -> Res:
        key = f"01{hashed(name)[:18].upper()}"
        rows[key] = Row({"name": name, "size": len(req.body), "file": {"mimeType": req.fields["content-type"], "hashes": {"quickXorHash": hashed(req.body)[:20] + "="}}}, 1, "lotte", 0)
        return Res(201, shown(key))

    @api.on("GET|PATCH", "/v1.0/me/drive/items/([A-Z0-9]+)")
    def item(req: Req, key: str) -> Res:
        if req.method == "PATCH":
            if req.fields.get("if-match", tag(key, "e", rows[key].rev)) != tag(key, "e", rows[key].rev):
                return Res(412, {"error": {"code": "resourceModified", "message": "ETag does not match current item's value", "innerError": {"date": instant(time.time(), 0)[:-1]}}})
            rows[key].add(req.json, "lotte")
        return Res(200, shown(key), {"ETag": tag(key, "e", rows[key].rev)})

    server = place.open_box(stage, api, "cheroot", "OneDrive")
    me = stage.actor("client", server, "graph.fanfare.example", "requests", {"Authorization": "Bearer EwB4"})
    me.get("/v1.0/me/drive/root/children")
    text = me.put("/v1.0/me/drive/root:/Set/order.txt:/content", "1 Waltz\n2 Polka", 201, {"Content-Type": "text/plain"}).json
    song = me.put("/v1.0/me/drive/root:/Set/take7.mp3:/content", b"ID3\x03\x00\x00\x00\x00" + b"tone" * 40, 201, {"Content-Type": "audio/mpeg"}).json
    place.rest(0.8)
    rows[song["id"]].add({"audio": {"duration": 184000, "bitrate": 192, "title": "Take 7"}}, "media")
    me.send("PATCH", f"/v1.0/me/drive/items/{text['id']}", 200, {"If-Match": text["eTag"]}, {"name": "setlist.txt"})
    place.rest(0.3)
    me.send("PATCH", f"/v1.0/me/drive/items/{song['id']}", 412, {"If-Match": song["eTag"]}, {"name": "07 Waltz.mp3"})
    now = me.get(f"/v1.0/me/drive/items/{song['id']}").json
    place.sure(now["eTag"] != song["eTag"] and now["size"] == song["size"] and now["cTag"] == song["cTag"])
    me.get("/v1.0/me/drive/root:/Set:/children")


def _leader_api() -> Api:
    state = {"index": 4120, "session": "", "value": "", "lock": 0}
    api = Api(lambda _req: {"X-Consul-Index": str(state["index"]), "X-Consul-Knownleader": "true", "X-Consul-Lastcontact": "0", "Vary": "Accept-Encoding"})
    number = [0]

    @api.on("PUT", "/v1/session/create")
    def create(req: Req) -> Res:
        number[0] += 1
        return Res(200, {"ID": guid(req.json["Name"])})

    @api.on("PUT", "/v1/session/renew/(.+)")
    def renew(_req: Req, key: str) -> Res:
        return Res(200, [{"ID": key, "Name": "sched", "TTL": "15s", "Behavior": "release"}])

    @api.on("GET", "/v1/kv/service/scheduler/leader")
    def get(_req: Req) -> Res:
        import base64  # noqa: PLC0415 - beside its only use

        own = {"LockIndex": state["lock"], "Key": "service/scheduler/leader", "Flags": 0, "Value": base64.b64encode(state["value"].encode()).decode(), "CreateIndex": 4100, "ModifyIndex": state["index"]}
        return Res(200, [{**own, "Session": state["session"]} if state["session"] else own])

    @api.on("PUT", "/v1/kv/service/scheduler/leader")
    def put(req: Req) -> Res:
        sent = req.query
        if "release" in sent:
            ok = state["session"] == sent["release"]
            state.update(session="" if ok else state["session"], index=state["index"] + ok)
        else:
            ok = state["session"] in {"", sent["acquire"]}
            if ok:
                state.update(session=sent["acquire"], value=req.body.decode(), lock=state["lock"] + 1, index=state["index"] + 1)
        return Res(200, "true\n" if ok else "false\n")

    api.say("GET", "/v1/health/service/scheduler", [{"Service": {"ID": f"sched-{n}", "Port": 8700 + n}, "Checks": [{"Status": "passing"}]} for n in (1, 2, 3)])
    return api


@case("e375", "cal-three-schedulers-one-leader", "expected-control-flow", "healthy", alone="expected-control-flow", synthetic=True,
      description="Schedulers ask Consul for one key with acquire and their session, over and over: true for the one that leads, false in a 200 for this one, until the leader releases it; then this one leads. Nothing is lost.")
def leader(stage: Stage) -> None:
    """Lose again and again, as meant."""
    server = place.open_box(stage, _leader_api(), "waitress", "Consul")
    me = stage.actor("client", server, "consul.depot.example", "httpx", {"X-Consul-Token": "5c9e"})
    other = stage.actor("other", server, "consul.depot.example", "requests", {"X-Consul-Token": "5c9e"})
    ids = {}
    for name, one in (("sched-1", other), ("sched-2", me)):
        ids[name] = one.put("/v1/session/create", {"Name": name, "TTL": "15s", "Behavior": "release", "LockDelay": "0s"}, 200).json["ID"]
    key = "/v1/kv/service/scheduler/leader"
    place.sure(other.put(f"{key}?acquire={ids['sched-1']}", '{"node":"sched-1"}', 200).text == "true\n")
    for turn in range(5):
        place.sure(me.put(f"{key}?acquire={ids['sched-2']}", '{"node":"sched-2"}', 200).text == "false\n")
        me.get(key)
        me.put(f"/v1/session/renew/{ids['sched-2']}", None, 200)
        if turn == 2:
            me.get("/v1/health/service/scheduler?passing=1")
        place.rest(1.0)
    other.put(f"{key}?release={ids['sched-1']}", "", 200)
    place.sure(me.put(f"{key}?acquire={ids['sched-2']}", '{"node":"sched-2"}', 200).text == "true\n")
    me.get(key)


@case("e376", "cal-meter-readings-with-weak-percent-tags", "none", "healthy", alone="none",
      description="Meter readings in Azurite's tables through azure-data-tables: weak, percent-encoded tags sent back in If-Match, all taken; a merge, a replace after a colleague's that was read first, a deletion and the 404 that follows it.")
def tables(stage: Stage) -> None:
    """Use weak tags as the service wants them."""
    server = stage.server("azurite", table=True)
    library, core = importlib.import_module("azure.data.tables"), importlib.import_module("azure.core")
    missing = importlib.import_module("azure.core.exceptions").ResourceNotFoundError
    same = core.MatchConditions.IfNotModified
    ports = {name: stage.tap(name, server) for name in ("client", "other")}

    def table(name: str) -> object:
        route("tables.watt.example", ports[name])
        return library.TableServiceClient.from_connection_string(f"{_ACCOUNT}TableEndpoint=http://tables.watt.example/notes", retry_total=0).get_table_client("readings")

    with patch("platform.platform", return_value="Linux-x86_64"), patch("uuid.uuid1", uuid.uuid4):
        mine = table("client")
        mine.create_table()
        for n in (31, 32, 33):
            mine.create_entity({"PartitionKey": "north", "RowKey": f"m{n}", "kwh": n * 10, "note": ""})
        stage.forget()
        rows = {one["RowKey"]: one for one in mine.query_entities("PartitionKey eq 'north'")}
        first = mine.get_entity("north", "m31")
        mine.update_entity({**first, "kwh": 318}, mode=library.UpdateMode.MERGE, etag=first.metadata["etag"], match_condition=same)
        theirs = table("other")
        seen = theirs.get_entity("north", "m32")
        theirs.update_entity({**seen, "note": "seal broken"}, mode=library.UpdateMode.REPLACE, etag=seen.metadata["etag"], match_condition=same)
        route("tables.watt.example", ports["client"])
        place.rest(0.6)
        fresh = mine.get_entity("north", "m32")
        mine.update_entity({**fresh, "kwh": 322}, mode=library.UpdateMode.REPLACE, etag=fresh.metadata["etag"], match_condition=same)
        mine.delete_entity("north", "m33", etag=rows["m33"].metadata["etag"], match_condition=same)
        try:
            mine.get_entity("north", "m33")
            place.sure(ok=False, said="still there")
        except missing:
            pass
        place.sure(mine.get_entity("north", "m32")["note"] == "seal broken")


@case("e377", "cal-manifest-put-through-the-xml-door", "precondition-ignored", "lost-update", alone="precondition-ignored", synthetic=True,
      description="A database writes its manifest to Google Cloud Storage by the XML API with S3's If-Match: both writers hold one tag, the second's stale condition is taken with 200 and a higher generation, and the list of parts that it reads back lacks the part of the first, whose generation it had seen.")
def manifest(stage: Stage) -> None:
    """Trust a condition that nobody reads."""
    rows = {n: Row({"text": t}, 1718000000000000, age=500) for n, t in (("manifest.txt", "p1\np2\n"), ("parts/p1.bin", "a" * 60), ("parts/p2.bin", "b" * 60))}

    def fields(row: Row) -> dict[str, str]:
        return {"ETag": f'"{hashed(row.data["text"], "md5")}"', "x-goog-generation": str(row.rev), "x-goog-metageneration": "1", "x-goog-storage-class": "STANDARD", "Last-Modified": stamp(row.at), "Content-Type": "text/plain"}

    api = Api(lambda _req: {"X-GUploader-UploadID": hashed(time.time())[:24], "Server": "UploadServer", "Cache-Control": "private, max-age=0"}, "application/xml; charset=UTF-8")

    @api.on("GET", "/ck-cold/?")
    def listing(_req: Req) -> Res:
        inner = "".join(f"<Contents><Key>{k}</Key><Generation>{r.rev}</Generation><ETag>\"{hashed(r.data['text'], 'md5')}\"</ETag><Size>{len(r.data['text'])}</Size></Contents>" for k, r in rows.items())
        return Res(200, f"<?xml version='1.0' encoding='UTF-8'?><ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'><Name>ck-cold</Name>{inner}</ListBucketResult>")

    @api.on("GET|HEAD|PUT", "/ck-cold/(.+)")
    def thing(req: Req, key: str) -> Res:
        if req.method == "PUT":
            row = rows.setdefault(key, Row({"text": ""}, 1718000000000000))
            row.set({"text": req.body.decode()}, step=int(time.time() * 1e6) - row.rev)
            return Res(200, b"", fields(row))
        if key not in rows:
            return Res(404, "<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>")
        return Res(200, rows[key].data["text"], fields(rows[key]))

    server = place.open_box(stage, api, "cheroot", "Google Cloud Storage XML API")
    site = "storage.coldstore.example"
    me = stage.actor("client", server, site, "curl:trace-time", {"Authorization": "GOOG4-HMAC-SHA256 Credential=GOOG1E", "x-goog-project-id": "coldstore"})
    other = stage.actor("other", server, site, "java", {"Authorization": "GOOG4-HMAC-SHA256 Credential=GOOG1F"})
    me.get("/ck-cold/?prefix=parts%2F")
    mine, theirs = me.get("/ck-cold/manifest.txt"), other.get("/ck-cold/manifest.txt")
    other.put("/ck-cold/parts/p3.bin", "c" * 60, 200)
    other.put("/ck-cold/manifest.txt", theirs.text + "p3\n", 200, {"If-Match": theirs.etag})
    me.put("/ck-cold/parts/p4.bin", "d" * 60, 200)
    place.rest(1.1)
    me.send("GET", "/ck-cold/?prefix=", 200)
    me.put("/ck-cold/manifest.txt", mine.text + "p4\n", 200, {"If-Match": mine.etag, "Content-Type": "text/plain"})
    place.sure(me.get("/ck-cold/manifest.txt").text == "p1\np2\np4\n")
    me.get("/ck-cold/parts/p3.bin")


@case("e378", "cal-rollout-tool-replaces-the-map", "unconditional-write", "lost-update", alone="unconditional-write", synthetic=True,
      description="A rollout tool puts whole ConfigMaps to Kubernetes, made from its own template and without resourceVersion: each is taken, and a map that an operator had added to (seen in the tool's own list at a higher resourceVersion) has lost the added key afterwards.")
def maps(stage: Stage) -> None:
    """Replace what was not looked at."""
    rows = {n: Row({"LOG": "info", "POOL": "8"}, 88120 + 7 * i) for i, n in enumerate(("checkout", "ledger", "mailer"))}
    clock = [88200]
    api = Api(lambda _req: {"Audit-Id": guid(str(time.time())), "Cache-Control": "no-cache, private", "X-Kubernetes-Pf-Flowschema-Uid": guid("flow")})
    base = "/api/v1/namespaces/shop/configmaps"

    def shown(name: str) -> dict:
        row = rows[name]
        meta = {"name": name, "namespace": "shop", "uid": guid(name), "resourceVersion": str(row.rev), "managedFields": [{"manager": row.by, "operation": "Update", "time": instant(row.at, 0)}]}
        return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta, "data": row.data}

    @api.on("GET", base)
    def listed(_req: Req) -> Res:
        return Res(200, {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": str(clock[0])}, "items": [shown(n) for n in rows]})

    @api.on("GET|PUT", base + "/([a-z]+)")
    def one(req: Req, name: str) -> Res:
        row = rows[name]
        if req.method == "PUT":
            sent = req.json["metadata"].get("resourceVersion")
            if sent and sent != str(row.rev):
                return Res(409, {"kind": "Status", "status": "Failure", "message": f'Operation cannot be fulfilled on configmaps "{name}": the object has been modified; please apply your changes to the latest version and try again', "reason": "Conflict", "code": 409})
            clock[0] += 13
            row.set(req.json["data"], req.fields["user-agent"].split("/")[0], clock[0] - row.rev)
        return Res(200, shown(name))

    api.say("GET", "/version", {"major": "1", "minor": "29", "gitVersion": "v1.29.4"})
    server = place.open_box(stage, api, "starlette", "Kubernetes")
    me = stage.actor("client", server, "kube.shop.example", "node:fetch", {"User-Agent": "rollout/2.3", "Authorization": "Bearer eyJr"})
    other = stage.actor("other", server, "kube.shop.example", "requests", {"User-Agent": "kubectl/v1.29", "Authorization": "Bearer eyJo"})
    me.get("/version")
    me.get(base)
    me.put(base + "/checkout", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "checkout", "namespace": "shop"}, "data": {"LOG": "info", "POOL": "10"}}, 200)
    seen = other.get(base + "/ledger").json
    other.put(base + "/ledger", {**seen, "data": {**seen["data"], "FX_HOLIDAY": "2025-01-06"}}, 200)
    place.rest(1.2)
    place.sure("FX_HOLIDAY" in me.get(base + "?limit=500").text)
    for name in ("ledger", "mailer"):
        me.put(f"{base}/{name}", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": {"LOG": "info", "POOL": "10"}}, 200)
    place.sure("FX_HOLIDAY" not in me.get(base + "/ledger").text)


@case("e379", "cal-parcel-saved-once-answered-never", "lost-response-replay", "412", alone="lost-response-replay", synthetic=True,
      description="A parcel service replaces an item in Cosmos DB under If-Match; the connection breaks before the answer, its client sends the same again and is told 412; the item that it reads has its own scan id and was stored at the time of the first attempt.")
def cosmos(stage: Stage) -> None:
    """Meet one's own write."""
    rows = {n: Row({"state": "sorted", "hub": "LEJ", "scans": []}, age=4000) for n in ("pc-41", "pc-42", "pc-43")}
    api = Api(lambda req: {"x-ms-activity-id": req.fields.get("x-ms-activity-id", guid(str(time.time()))), "x-ms-request-charge": "1.14", "x-ms-session-token": "0:-1#4412", "x-ms-schemaversion": "1.18", "Server": "Microsoft-HTTPAPI/2.0"})

    def tag(key: str) -> str:
        return f'"{hashed(key, "md5")[:8]}-0000-0d00-0000-{hashed(rows[key].at, "md5")[:12]}"'

    @api.on("GET|PUT", "/dbs/parcels/colls/items/docs/(.+)")
    def doc(req: Req, key: str) -> Res:
        row = rows[key]
        if req.method == "PUT":
            if req.fields.get("if-match", tag(key)) != tag(key):
                return Res(412, {"code": "PreconditionFailed", "message": "Operation cannot be performed because one of the specified precondition is not met., \r\nRequestStartTime: " + instant(time.time(), 6) + ", Number of regions attempted:1\r\n"}, {"x-ms-substatus": "0"})
            row.set({k: v for k, v in req.json.items() if k[0] != "_" and k != "id"})
        shown = {"id": key, **row.data, "_rid": hashed(key)[:12] + "==", "_etag": tag(key), "_ts": int(row.at)}
        return Res(200, shown, {"ETag": tag(key)})

    server = place.open_box(stage, api, "aiohttp", "Azure Cosmos DB")
    head = {"x-ms-version": "2018-12-31", "Authorization": "type%3Dmaster%26ver%3D1.0%26sig%3Dx", "x-ms-documentdb-partitionkey": '["LEJ"]'}
    me = stage.actor("client", server, "parcels.documents.example", "httpx", head, loses=place.drops("PUT", "pc-42"))
    base = "/dbs/parcels/colls/items/docs"
    for key in ("pc-41", "pc-42"):
        seen = me.get(f"{base}/{key}")
        body = {**seen.json, "state": "loaded", "scans": [{"id": guid("scan" + key), "belt": 7}]}
        for attempt in range(2):
            got = me.put(f"{base}/{key}", body, (0, 200, 412), {"If-Match": seen.etag, "x-ms-activity-id": guid(f"a{key}"), "x-ms-retry-count": str(attempt)})
            if got.status:
                break
            place.rest(1.1)
    place.sure(got.status == 412)
    place.sure(guid("scanpc-42") in me.get(f"{base}/pc-42").text)
    me.get(f"{base}/pc-43")
