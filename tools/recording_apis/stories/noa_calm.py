"""Days on which nothing went wrong, or what went wrong was healed by the client itself."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import noa_setting as place
from tools.recording_apis.stories.noa_setting import bearer, must


@case(
    "b540",
    "bird-map-polls",
    "none",
    "healthy",
    alone="none",
    description=(
        "Kinto: a map polls a collection with If-None-Match for a while, mostly 304, adds records with If-None-Match: *, "
        "and changes its own ones with the tags of the answers."
    ),
)
def bird_map(stage: Stage) -> None:
    """Poll and save, all well."""
    server = stage.server("kinto")
    me = stage.actor(
        "client", server, "kinto.map.test", "requests", {"Authorization": "Basic b2xpdmVyOmZha2U="}
    )
    me.put("/v1/accounts/oliver", {"data": {"password": "fake"}}, 201)
    base = "/v1/buckets/default/collections/nests"
    me.put(base, {}, 201)
    stage.forget()
    tag = me.get(f"{base}/records").etag
    for number in range(3):
        for _ in range(3):
            me.get(f"{base}/records", 304, {"If-None-Match": tag})
        record = f"{base}/records/7a1c0000-0000-4000-8000-00000000000{number}"
        made = me.put(record, {"data": {"eggs": number}}, 201, {"If-None-Match": "*"}).etag
        time.sleep(0.02)
        me.put(record, {"data": {"eggs": number + 1}}, 200, {"If-Match": made})
        tag = me.get(f"{base}/records", 200, {"If-None-Match": tag}).etag
    me.get(f"{base}/records", 304, {"If-None-Match": tag})


@case(
    "b541",
    "admission-desk-creates-once",
    "none",
    "healthy",
    alone="none",
    description=(
        "FHIR: an admission desk creates patients with If-None-Exist (201, and 200 for one who is known), searches, and "
        "updates with the version of the read."
    ),
    synthetic=True,
)
def admission(stage: Stage) -> None:
    """Create and update with conditions that hold."""
    value = {"identifier": [{"system": "urn:mrn", "value": "100"}], "name": [{"family": "Diaz"}]}
    server = place.api(stage, "fhir", {"/fhir/Patient/known": value})
    me = stage.actor(
        "client",
        server,
        "fhir.desk.test",
        "node:fetch",
        bearer("desk", **{"Content-Type": "application/fhir+json"}),
    )
    place.browse(me, "w")
    for number, expect in ((100, 200), (101, 201), (102, 201), (101, 200)):
        body = {
            **value,
            "resourceType": "Patient",
            "identifier": [{"system": "urn:mrn", "value": str(number)}],
        }
        me.send(
            "POST",
            "/fhir/Patient",
            expect,
            {"If-None-Exist": f"identifier=urn:mrn%7C{number}".replace("%7C", "|")},
            body,
        )
    me.get("/fhir/Patient?identifier=urn:mrn%7C102")
    for phone in ("555-1", "555-2", "555-3"):
        seen = me.get("/fhir/Patient/known")
        me.put(
            "/fhir/Patient/known", {**seen.json, "telecom": [{"value": phone}]}, 200, {"If-Match": seen.etag}
        )


@case(
    "b542",
    "importer-rebases-an-entry",
    "none",
    "recovered",
    alone="other-writer none",
    also="other-writer status-dialect-mismatch",
    description=(
        "Contentful: an importer meets VersionMismatch, reads the entry again, puts its own field into the editor's "
        "version and is taken; both changes are there."
    ),
    synthetic=True,
)
def importer(stage: Stage) -> None:
    """Heal a conflict by a rebase."""
    path = "/spaces/f2/environments/master/entries/harbour-tour"
    server = place.api(
        stage, "contentful", {path: {"fields": {"title": {"en": "Harbour tour"}, "price": {"en": 24}}}}
    )
    me = stage.actor("client", server, "api.contentful.test", "httpx", bearer("importer"))
    other = stage.actor("other", server, "api.contentful.test", "requests", bearer("editor"))
    place.browse(me, "wftt")
    mine, theirs = me.get(path).json, other.get(path).json
    theirs["fields"]["title"]["en"] = "Harbour tour by night"
    other.put(
        path, {"fields": theirs["fields"]}, 200, {"X-Contentful-Version": str(theirs["sys"]["version"])}
    )
    time.sleep(0.5)
    mine["fields"]["price"]["en"] = 26
    me.put(path, {"fields": mine["fields"]}, 409, {"X-Contentful-Version": str(mine["sys"]["version"])})
    fresh = me.get(path).json
    fresh["fields"]["price"]["en"] = 26
    me.put(path, {"fields": fresh["fields"]}, 200, {"X-Contentful-Version": str(fresh["sys"]["version"])})
    must("night" in me.get(path).text, "lost")


@case(
    "b543",
    "counter-object-healed",
    "none",
    "recovered",
    alone="other-writer none",
    also="other-writer",
    description=(
        "Cloud Storage: two loaders add their batch numbers to one manifest with ifGenerationMatch; one is refused, "
        "reads content and generation again, adds its number to what is there and is taken."
    ),
    synthetic=True,
)
def manifest(stage: Stage) -> None:
    """Heal a conflict over a manifest."""
    name = "loads/manifest.txt"
    server = place.api(
        stage, "gcs", {f"lake/{name}": {"content": "batch-1\n", "type": "text/plain"}}, "cheroot"
    )
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, "storage.googleapis.test", "requests", bearer("loader-a"))
    other = stage.actor("other", front, "storage.googleapis.test", "node:fetch", bearer("loader-b"))
    place.browse(me, "t")
    media, kind = f"/storage/v1/b/lake/o/{name}?alt=media", {"Content-Type": "text/plain"}
    target = f"/upload/storage/v1/b/lake/o?uploadType=media&name={name}&ifGenerationMatch="

    seen, theirs = me.get(media), other.get(media)
    generation = theirs.fields["x-goog-generation"]
    other.send("POST", target + generation, 200, kind, f"{theirs.text}batch-3\n")
    time.sleep(0.4)
    me.send("POST", target + seen.fields["x-goog-generation"], 412, kind, f"{seen.text}batch-2\n")
    fresh = me.get(media)
    me.send("POST", target + fresh.fields["x-goog-generation"], 200, kind, f"{fresh.text}batch-2\n")
    must(me.get(media).text == "batch-1\nbatch-3\nbatch-2\n", "not both")


@case(
    "b544",
    "reading-list-in-step",
    "none",
    "healthy",
    alone="none",
    description=(
        "Zotero: a client asks with If-Modified-Since-Version (304), fetches what is newer after a colleague's write, "
        "and patches items with the versions it has just got."
    ),
    synthetic=True,
)
def reading_list(stage: Stage) -> None:
    """Keep a library in step."""
    base = "/groups/77/items"
    seed = {f"{base}/{key}": {"itemType": "report", "title": key} for key in ("AAAA", "BBBB", "CCCC")}
    server = place.api(stage, "zotero", seed)
    front = fronts.apache(stage, server)
    me = stage.actor(
        "client", front, "api.zotero.test", "java", bearer("desktop", **{"Zotero-API-Version": "3"})
    )
    other = stage.actor(
        "other", front, "api.zotero.test", "requests", bearer("web", **{"Zotero-API-Version": "3"})
    )
    version = me.get(base).fields["last-modified-version"]
    for _ in range(3):
        me.get(f"{base}?since={version}", 304, {"If-Modified-Since-Version": version})
    seen = other.get(f"{base}/BBBB").json["version"]
    other.send("PATCH", f"{base}/BBBB", 204, {"If-Unmodified-Since-Version": str(seen)}, {"title": "Bees"})
    news = me.get(f"{base}?since={version}", 200, {"If-Modified-Since-Version": version})
    newest = news.json[0]["version"]
    done = me.send(
        "PATCH", f"{base}/BBBB", 204, {"If-Unmodified-Since-Version": str(newest)}, {"pages": "12"}
    )
    version = done.fields["last-modified-version"]
    me.get(f"{base}?since={version}", 304, {"If-Modified-Since-Version": version})


@case(
    "b545",
    "two-desks-two-folders",
    "none",
    "healthy",
    alone="none",
    description=(
        "Box: two clerks describe files of one folder at the same time, each his own, with the numbers of their reads; "
        "nothing meets."
    ),
    synthetic=True,
)
def clerks(stage: Stage) -> None:
    """Write different files side by side."""
    seed = {f"/2.0/files/7{n}": {"name": f"scan-{n}.pdf", "description": ""} for n in range(8)}
    server = place.api(stage, "box", seed, "cheroot")
    me = stage.actor("client", server, "api.box.test", "requests", bearer("clerk-1"))
    other = stage.actor("other", server, "api.box.test", "aiohttp", bearer("clerk-2"))
    place.browse(me, "cw")
    for number in range(4):
        mine, theirs = f"/2.0/files/7{number}", f"/2.0/files/7{number + 4}"
        tag, their_tag = me.get(mine).json["etag"], other.get(theirs).json["etag"]
        other.put(theirs, {"description": f"box {number}"}, 200, {"If-Match": their_tag})
        new = me.put(mine, {"description": f"invoice {number}"}, 200, {"If-Match": tag}).json["etag"]
        last = me.put(mine, {"description": f"invoice {number}, paid"}, 200, {"If-Match": new}).json["etag"]
        me.get(mine, 304, {"If-None-Match": last})


@case(
    "b546",
    "calendar-sync-of-an-evening",
    "none",
    "healthy",
    alone="none",
    description=(
        "Radicale: a phone lists a calendar, creates events with If-None-Match: *, moves one with the tag of its own "
        "PUT, deletes another with If-Match, lists again."
    ),
)
def evening(stage: Stage) -> None:
    """Sync a calendar."""
    server = stage.server("radicale")
    me = stage.actor(
        "client",
        server,
        "cal.home.test",
        "httpx",
        {"Authorization": "Basic bWFqYTpmYWtl", "User-Agent": "DAVx5/4.5"},
    )
    made = '<?xml version="1.0"?><C:mkcalendar xmlns:C="urn:ietf:params:xml:ns:caldav"/>'
    xml = {"Content-Type": "application/xml; charset=utf-8"}
    me.send("MKCALENDAR", "/maja/private/", 201, xml, made)
    ask = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>'
    me.send("PROPFIND", "/maja/private/", 207, {**xml, "Depth": "1"}, ask)
    kind = {"Content-Type": "text/calendar; charset=utf-8"}
    tags = {}
    for name, hour in (("choir", 18), ("vet", 10), ("plumber", 8)):
        text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//maja//EN\r\nBEGIN:VEVENT\r\nUID:{name}\r\nDTSTAMP:20261127T0{hour % 10}0000Z\r\n"
        text += f"DTSTART:20261203T{hour:02d}0000Z\r\nSUMMARY:{name}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        tags[name] = me.put(f"/maja/private/{name}.ics", text, 201, {**kind, "If-None-Match": "*"}).etag
    seen = me.get("/maja/private/vet.ics")
    must(seen.etag == tags["vet"], "another tag")
    me.put(
        "/maja/private/vet.ics",
        seen.text.replace("T100000Z", "T113000Z"),
        (201, 204),
        {**kind, "If-Match": seen.etag},
    )
    me.send("DELETE", "/maja/private/plumber.ics", 200, {"If-Match": tags["plumber"]})
    me.send("PROPFIND", "/maja/private/", 207, {**xml, "Depth": "1"}, ask)
    me.get("/maja/private/plumber.ics", 404)


@case(
    "b547",
    "state-file-under-a-lease",
    "none",
    "healthy",
    alone="none",
    description=(
        "Azure Blob (Azurite, the SDK for Python): a tool leases a state blob, renews, writes with lease id and If-Match, "
        "reads, and gives the lease back; another host reads in between."
    ),
)
def state(stage: Stage) -> None:
    """Lease, write, release."""
    server = stage.server("azurite")
    mine, theirs = place.Account(stage, server, "client"), place.Account(stage, server, "other")
    mine.service.create_container("state")
    mine.blob("state", "core.tfstate").upload_blob(b'{"serial":1}')
    stage.forget()
    lease = mine.blob("state", "core.tfstate").acquire_lease(60)
    for serial in (2, 3):
        props = mine.blob("state", "core.tfstate").get_blob_properties(lease=lease)
        blob = mine.blob("state", "core.tfstate")
        changed = {"etag": props.etag, "match_condition": place.not_modified()}
        blob.upload_blob(f'{{"serial":{serial}}}'.encode(), overwrite=True, lease=lease, **changed)
        theirs.blob("state", "core.tfstate").get_blob_properties()
    mine.service  # noqa: B018 - the lease's next connection goes through the own tap
    lease.renew()
    lease.release()
    mine.blob("state", "core.tfstate").get_blob_properties()


@case(
    "b548",
    "spreadsheet-locked-and-saved",
    "none",
    "healthy",
    alone="none",
    description=(
        "WsgiDAV: an office program locks a sheet, saves it three times with its lock token in the If field, and unlocks; "
        "a colleague reads meanwhile."
    ),
)
def sheet(stage: Stage) -> None:
    """Lock, save, unlock."""
    server = stage.server("wsgidav")
    me = stage.actor("client", server, "dav.clinic.test", "requests", {"User-Agent": "LibreOffice"})
    other = stage.actor("other", server, "dav.clinic.test", "urllib")
    me.put("/rota.csv", "day,who\nMon,Ada\n", 201)
    stage.forget()
    lock = '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    lock += "<D:locktype><D:write/></D:locktype><D:owner>Ada</D:owner></D:lockinfo>"
    got = me.send(
        "LOCK",
        "/rota.csv",
        200,
        {"Content-Type": "application/xml", "Timeout": "Second-300", "Depth": "0"},
        lock,
    )
    token = got.fields["lock-token"]
    rows = "day,who\nMon,Ada\n"
    for day in ("Tue,Ben", "Wed,Ada", "Thu,Cleo"):
        rows += f"{day}\n"
        me.put("/rota.csv", rows, 204, {"If": f"({token})"})
        other.get("/rota.csv")
    me.send("UNLOCK", "/rota.csv", 204, {"Lock-Token": token})
    must(me.get("/rota.csv").text == rows, "another sheet")
