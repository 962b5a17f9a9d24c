"""People and programs that meet at one thing: colleagues, parallel workers, services that write on their own."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import noa_setting as place
from tools.recording_apis.stories.noa_setting import bearer, must

_EVENTS = "/calendar/v3/calendars/surgery/events"


@case(
    "b470",
    "two-secretaries-one-appointment",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Google Calendar: while one secretary edits an appointment, the other moves it to another room; the save "
        "with the tag of the read is refused with conditionNotMet, and the event shows the other's room."
    ),
    synthetic=True,
)
def secretaries(stage: Stage) -> None:
    """Save an event that a colleague has moved."""
    event = {
        "summary": "Hip replacement, pre-op",
        "location": "Room 2",
        "start": {"dateTime": "2026-12-02T08:15:00+01:00"},
        "end": {"dateTime": "2026-12-02T08:45:00+01:00"},
    }
    seed = {f"{_EVENTS}/e7k1": event, f"{_EVENTS}/e7k2": {**event, "summary": "Ward round"}}
    server = place.api(stage, "calendar", seed)
    me = stage.actor("client", server, "www.googleapis.test", "requests", bearer("lund"))
    other = stage.actor("other", server, "www.googleapis.test", "httpx", bearer("okafor"))
    place.browse(me, "wf")
    me.get(f"{_EVENTS}?maxResults=50")
    mine = me.get(f"{_EVENTS}/e7k1")
    theirs = other.get(f"{_EVENTS}/e7k1")
    time.sleep(0.4)
    moved = {**theirs.json, "location": "Room 5"}
    other.put(f"{_EVENTS}/e7k1", moved, 200, {"If-Match": theirs.etag})
    me.get(f"{_EVENTS}/e7k2")
    time.sleep(0.5)
    later = {**mine.json, "summary": "Hip replacement, pre-op (fasting)"}
    me.put(f"{_EVENTS}/e7k1", later, 412, {"If-Match": mine.etag})
    must(me.get(f"{_EVENTS}/e7k1").json["location"] == "Room 5", "not moved")


@case(
    "b471",
    "translator-and-editor",
    "other-writer",
    "409",
    alone="other-writer",
    also="status-dialect-mismatch",
    description=(
        "Contentful: a translator saves an entry that an editor has changed and published in between; the answer is "
        "409 VersionMismatch, and sys.version has grown by the editor's doing."
    ),
    synthetic=True,
)
def translator(stage: Stage) -> None:
    """Save an entry with an outdated version."""
    path = "/spaces/c8k2/environments/master/entries/winter-coats"
    fields = {"title": {"en-US": "Winter coats"}, "body": {"en-US": "Down and wool."}}
    server = place.api(stage, "contentful", {path: {"fields": fields}}, "cheroot")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "api.contentful.test", "node:axios", bearer("translator-de"))
    other = stage.actor("other", front, "api.contentful.test", "requests", bearer("editor-7"))
    place.browse(me, "tt")
    media = {"Content-Type": "application/vnd.contentful.management.v1+json"}
    mine = me.get(path).json
    theirs = other.get(path).json
    theirs["fields"]["body"]["en-US"] = "Down, wool and cashmere."
    version = str(theirs["sys"]["version"])
    saved = other.put(
        path, {"fields": theirs["fields"]}, 200, {**media, "X-Contentful-Version": version}
    ).json
    other.put(f"{path}/published", "", 200, {"X-Contentful-Version": str(saved["sys"]["version"])})
    time.sleep(0.6)
    mine["fields"]["title"]["de-DE"] = "Wintermäntel"
    version = str(mine["sys"]["version"])
    me.put(path, {"fields": mine["fields"]}, 409, {**media, "X-Contentful-Version": version})
    seen = me.get(path).json
    must("cashmere" in seen["fields"]["body"]["en-US"], "no change of the editor")


@case(
    "b472",
    "page-published-again-and-again",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token",
    also="other-writer status-dialect-mismatch",
    description=(
        "Confluence: a generator publishes a page as version n+1 four times, each time the same body and number, though "
        "a colleague's edit took that number before; each answer names the current version, and it never reads again."
    ),
    synthetic=True,
)
def publisher(stage: Stage) -> None:
    """Send a refused number again and again."""
    path = "/wiki/rest/api/content/98311"
    page = {
        "title": "Release notes",
        "body": {"storage": {"value": "<p>4.1</p>", "representation": "storage"}},
    }
    server = place.api(stage, "bodied", {path: page}, KIND="confluence", FLAGS="confluence")
    me = stage.actor("client", server, "acme.atlassian.test", "aiohttp", bearer("docgen"))
    other = stage.actor("other", server, "acme.atlassian.test", "curl", bearer("tomas"))
    place.browse(me, "wcttftttcttw")
    number = me.get(path).json["version"]["number"]
    theirs = other.get(path).json
    theirs["version"] = {"number": theirs["version"]["number"] + 1}
    theirs["body"]["storage"]["value"] = "<p>4.1, typo fixed</p>"
    other.put(path, theirs, 200)
    time.sleep(0.4)
    new = {**page, "type": "page", "version": {"number": number + 1}}
    new["body"] = {"storage": {"value": "<p>4.1</p><p>4.2</p>", "representation": "storage"}}
    for pause in (0.2, 0.4, 0.8, 0):
        me.put(path, new, 409)
        time.sleep(pause)
    place.browse(me, "tt")


@case(
    "b473",
    "two-enrichers-of-one-index",
    "other-writer",
    "409",
    alone="other-writer",
    also="status-dialect-mismatch",
    description=(
        "Elasticsearch: a price job and a stock job write the same product with if_seq_no; the price job read before "
        "the stock job wrote and gets version_conflict_engine_exception with both numbers."
    ),
    synthetic=True,
)
def enrichers(stage: Stage) -> None:
    """Write a document with an outdated pair of numbers."""
    path = "/products/_doc/sku-4410"
    seed = {path: {"name": "Kettle", "price": 39.9, "stock": 12}, "/products/_doc/sku-4411": {"name": "Pan"}}
    server = place.api(stage, "elastic", seed)
    me = stage.actor("client", server, "search.shop.test", "httpx", bearer("price-job"))
    other = stage.actor("other", server, "search.shop.test", "requests", bearer("stock-job"))
    place.browse(me, "w")
    me.send("POST", "/products/_search", 200, None, {"query": {"range": {"price": {"gt": 30}}}})
    mine, theirs = me.get(path).json, other.get(path).json
    pair = f"?if_seq_no={theirs['_seq_no']}&if_primary_term=2"
    other.put(f"{path}{pair}", {**theirs["_source"], "stock": 11}, 200)
    time.sleep(0.3)
    me.get("/products/_doc/sku-4411")
    pair = f"?if_seq_no={mine['_seq_no']}&if_primary_term={mine['_primary_term']}"
    me.put(f"{path}{pair}", {**mine["_source"], "price": 36.5}, 409)
    must(me.get(path).json["_source"]["stock"] == 11, "stock unchanged")


@case(
    "b474",
    "two-operators-one-route",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "etcd's version 2 interface: two operators of a router change the same key with prevIndex; the second one's "
        "index is outdated, and the key holds the first one's upstream."
    ),
)
def operators(stage: Stage) -> None:
    """Swap a key by an outdated index."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.mesh.test", "requests")
    other = stage.actor("other", server, "etcd.mesh.test", "curl:trace-time")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    other.put("/v2/keys/routes/checkout", "value=10.4.0.11%3A8080", 201, form)
    stage.forget()
    mine = me.get("/v2/keys/routes/checkout").json["node"]["modifiedIndex"]
    theirs = other.get("/v2/keys/routes/checkout").json["node"]["modifiedIndex"]
    other.put(f"/v2/keys/routes/checkout?prevIndex={theirs}", "value=10.4.0.12%3A8080", 200, form)
    time.sleep(0.5)
    me.get("/v2/keys/routes?recursive=true")
    me.put(f"/v2/keys/routes/checkout?prevIndex={mine}", "value=10.4.0.11%3A9090", 412, form)
    must("0.12" in me.get("/v2/keys/routes/checkout").text, "not theirs")


@case(
    "b475",
    "two-workers-one-batch",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "Cosmos DB: two workers of one import (same client-request id, same user agent) replace the same item with "
        "the same _etag a few milliseconds apart; one gets 200, the other 412."
    ),
    synthetic=True,
)
def workers(stage: Stage) -> None:
    """Replace an item twice at once."""
    path = "/dbs/fleet/colls/vans/docs/van-12"
    server = place.api(stage, "cosmos", {path: {"id": "van-12", "km": 81200, "state": "ok"}}, TARRY="0.15")
    run = bearer("import", **{"x-ms-version": "2018-12-31", "x-ms-client-request-id": "run-5c1f"})
    me = stage.actor("client", server, "fleet.documents.azure.test", "urllib", run)
    place.browse(me, "t")
    item = me.get(path)
    me.get("/dbs/fleet/colls/vans/docs/van-13", 404)
    must(item.json["_etag"] == item.etag, "two tags")
    first = {**item.json, "km": 81344}
    second = {**item.json, "state": "service due"}
    guard = {"If-Match": item.etag}
    answers = place.together(
        lambda: me.put(path, first, (200, 412), guard),
        lambda: me.put(path, second, (200, 412), guard),
        apart=0.012,
    )
    must(sorted(one.status for one in answers) == [200, 412], f"{[one.status for one in answers]}")
    time.sleep(0.2)
    me.get(path)


@case(
    "b476",
    "autosave-and-save-button",
    "self-race",
    "409",
    alone="self-race",
    also="status-dialect-mismatch",
    description=(
        "RavenDB: the autosave of an order form is under way when the same session presses Save; both PUTs carry the "
        "same change vector, the second is refused 60 ms after the first was sent, and the first is what is stored."
    ),
    synthetic=True,
)
def autosave(stage: Stage) -> None:
    """Let a save overtake an autosave."""
    path = "/databases/shop/docs?id=orders/811-A"
    server = place.api(stage, "raven", {path: {"Lines": 3, "Note": ""}}, TARRY="0.25")
    me = stage.actor("client", server, "raven.shop.test", "urllib", bearer("anja", Cookie="sid=9F11A0"))
    place.browse(me, "cw")
    tag = me.get(path).etag
    guard = {"If-Match": tag}
    answers = place.together(
        lambda: me.put(path, {"Lines": 4, "Note": ""}, (201, 409), guard),
        lambda: me.put(path, {"Lines": 4, "Note": "gift"}, (201, 409), guard),
        apart=0.06,
    )
    must([one.status for one in answers] == [201, 409], "not in this order")
    must(me.get(path).json["Results"][0]["Note"] == "", "another note")


@case(
    "b477",
    "picture-changes-by-itself",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "OneDrive: after an upload the service reads the picture's camera data and thereby moves the eTag; the "
        "client's rename with the eTag of its own upload gets resourceModified, lastModifiedBy is the application."
    ),
    synthetic=True,
)
def picture(stage: Stage) -> None:
    """Rename a picture that the service has looked into."""
    path = "/v1.0/me/drive/items/01ABCX7"
    server = place.api(
        stage, "graph", {"/v1.0/me/drive/items/01ABCX1": {"name": "Pictures", "folder": {"childCount": 4}}}
    )
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "graph.microsoft.test", "requests", bearer("mika", SdkVersion="rclone"))
    place.browse(me, "wf")
    me.get("/v1.0/me/drive/items/01ABCX1")
    jpeg = b"\xff\xd8\xff\xe0" + b"\x00JFIF" * 40
    made = me.put(f"{path}/content", jpeg, 201, {"Content-Type": "image/jpeg"}).json
    time.sleep(1.1)
    me.send("PATCH", path, 412, {"If-Match": made["eTag"]}, {"name": "lighthouse.jpg"})
    seen = me.get(path).json
    must(seen["cTag"] == made["cTag"] and seen["eTag"] != made["eTag"], "no change by itself")
    me.send("PATCH", path, 200, {"If-Match": seen["eTag"]}, {"name": "lighthouse.jpg"})


@case(
    "b478",
    "cluster-is-still-updating",
    "server-side-mutation",
    "409",
    alone="server-side-mutation",
    also="status-dialect-mismatch",
    description=(
        "AKS: a second change of a node pool carries the etag of the first change's answer; the operation behind it "
        "has finished since and moved the etag (provisioningState Updating to Succeeded): 409 EtagMismatch."
    ),
    synthetic=True,
)
def cluster(stage: Stage) -> None:
    """Change a pool while the service finishes the last change."""
    path = "/subscriptions/77aa/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/c1/agentPools/np1"
    version = "?api-version=2025-05-01"
    seed = {path: {"count": 3, "vmSize": "Standard_D4s_v5", "provisioningState": "Succeeded"}}
    server = place.api(stage, "arm", seed, FLAGS="aks")
    agent = {"User-Agent": "HashiCorp Terraform/1.9.8 azapi/2.1"}
    me = stage.actor("client", server, "management.azure.test", "requests", bearer("tf", **agent))
    place.browse(me, "t")
    read = me.get(path + version).json
    first = me.put(path + version, {"properties": {"count": 5}}, 200, {"If-Match": f'"{read["etag"]}"'}).json
    must(first["properties"]["provisioningState"] == "Updating", "not updating")
    time.sleep(1.0)
    me.put(path + version, {"properties": {"maxPods": 60}}, 409, {"If-Match": f'"{first["etag"]}"'})
    last = me.get(path + version).json
    must(last["properties"]["provisioningState"] == "Succeeded", "not done")
    me.put(path + version, {"properties": {"maxPods": 60}}, 200, {"If-Match": f'"{last["etag"]}"'})


@case(
    "b479",
    "report-replaced-during-download",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "S3 (moto): a report is fetched in ranges pinned by If-Match; the nightly job replaces it after the second "
        "range, the third is 412 and a fresh HEAD shows another ETag and a later Last-Modified."
    ),
)
def report(stage: Stage) -> None:
    """Fetch ranges of an object that is replaced."""
    server = stage.server("moto")
    me = stage.actor("client", server, "s3.reports.test", "httpx", place.signed("AKIAREADER"))
    job = stage.actor("other", server, "s3.reports.test", "requests", place.signed("AKIANIGHTLY"))
    text = "".join(f"{n:05d};{n * 37 % 991};EUR\n" for n in range(160))
    job.put("/reports", "", 200)
    job.put("/reports/2026-11-26.csv", text, 200, {"Content-Type": "text/csv"})
    stage.forget()
    time.sleep(1.1)
    head = me.send("HEAD", "/reports/2026-11-26.csv", 200)
    for begin in (0, 600):
        span = f"bytes={begin}-{begin + 599}"
        me.get("/reports/2026-11-26.csv", 206, {"Range": span, "If-Match": head.etag})
    job.put("/reports/2026-11-26.csv", text.replace(";EUR", ";USD"), 200, {"Content-Type": "text/csv"})
    me.get("/reports/2026-11-26.csv", 412, {"Range": "bytes=1200-1799", "If-Match": head.etag})
    must(me.send("HEAD", "/reports/2026-11-26.csv", 200).etag != head.etag, "same tag")


@case(
    "b480",
    "backup-slot-taken",
    "exists-already",
    "409",
    alone="exists-already",
    also="status-dialect-mismatch",
    description=(
        "Alibaba OSS: a backup is put with x-oss-forbid-overwrite: true where another host's backup of the day lies "
        "since the morning: 409 FileAlreadyExists; HEAD shows the older object."
    ),
    synthetic=True,
)
def slot(stage: Stage) -> None:
    """Put an object that is there."""
    seed = {"/backup/db/2026-11-27.dump": "PGDMP host=db-2 rows=88120"}
    server = place.api(stage, "s3-like", seed, FLAGS="oss", WRITTEN=str(time.time() - 21_400))
    me = stage.actor(
        "client", server, "bucket.oss-eu-central-1.aliyuncs.test", "curl:trace-time", bearer("db-1")
    )
    me.put("/backup/db/2026-11-27.log", "started 02:10", 200, {"x-oss-forbid-overwrite": "true"})
    dump = "PGDMP host=db-1 rows=88121"
    me.put("/backup/db/2026-11-27.dump", dump, 409, {"x-oss-forbid-overwrite": "true"})
    me.send("HEAD", "/backup/db/2026-11-27.dump", 200)
    must("db-2" in me.get("/backup/db/2026-11-27.dump").text, "not the other's")


@case(
    "b481",
    "database-is-there",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "CouchDB: a set-up script makes databases by PUT at each start; the one of the last start is there: "
        "412 file_exists without any condition in the request."
    ),
    synthetic=True,
)
def database(stage: Stage) -> None:
    """Make a database twice."""
    seed = {"/visits": {}, "/visits/v-1": {"ward": "3B"}}
    server = place.api(stage, "couch", seed)
    me = stage.actor("client", server, "couch.clinic.test", "node:fetch", bearer("setup"))
    me.put("/visits-archive", None, 201)
    me.put("/visits", None, 412)
    must(me.get("/visits").json["doc_count"] == 1, "no documents")
    revision = me.get("/visits/v-1").json["_rev"]
    me.put("/visits/v-1", {"_rev": revision, "ward": "3C"}, 201)


@case(
    "b482",
    "contact-deleted-on-the-phone",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "Nextcloud contacts (SabreDAV): the card is edited at the desk after it was deleted on the phone; 412 says "
        "that the resource did not exist, the next GET is 404."
    ),
    synthetic=True,
)
def contact(stage: Stage) -> None:
    """Save a card that is gone."""
    path = "/remote.php/dav/addressbooks/users/ines/contacts/7C1E.vcf"
    card = "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:7C1E\r\nFN:Rui Costa\r\nTEL:+351 210 000 000\r\nEND:VCARD\r\n"
    server = place.api(stage, "dav", {path: card, path.replace("7C1E", "7C1F"): card.replace("7C1E", "7C1F")})
    desk = {"User-Agent": "Mozilla/5.0 Thunderbird/128.5.0", "X-User": "x.ines"}
    me = stage.actor("client", server, "cloud.test", "requests", desk)
    phone = stage.actor(
        "other", server, "cloud.test", "java", {"User-Agent": "DAVx5/4.4.5-ose", "X-User": "x.ines"}
    )
    tag = me.get(path).etag
    phone.send("DELETE", path, 204, {"If-Match": phone.get(path).etag})
    time.sleep(0.4)
    kind = {"Content-Type": "text/vcard; charset=utf-8"}
    me.put(path, card.replace("210 000 000", "210 999 111"), 412, {**kind, "If-Match": tag})
    me.get(path, 404)
    me.get(path.replace("7C1E", "7C1F"))
