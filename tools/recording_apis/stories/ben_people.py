"""Stories of people, and of one program, who write the same thing."""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING

from tools.recording_apis.apps import ben_microsoft, ben_stores, ben_suites
from tools.recording_apis.stage import case
from tools.recording_apis.stories import ben_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "d400",
    "ben-box-description-of-a-cover",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "A studio's tool renames a file in Box with If-Match: 3; a designer has changed the description in the "
        "meantime (etag 4, modified_by her), and the rename is refused with precondition_failed."
    ),
    synthetic=True,
)
def cover(stage: Stage) -> None:
    """Rename what a designer has described."""
    api = ben_suites.box(
        {
            "88120041": {"name": "cover-draft.psd", "size": 8120334, "description": ""},
            "88120042": {"name": "back-draft.psd", "size": 7011200, "description": "wait for barcode"},
            "88120043": {"name": "spine.psd", "size": 210933, "description": ""},
        }
    )
    server = place.open_api(stage, api, "waitress", "Box")
    token = {"Authorization": "Bearer renamer", "User-Agent": "box-java-sdk/4.9.1"}
    me = stage.actor("client", server, "api.box.example", "httpx", token)
    other = stage.actor("other", server, "api.box.example", "requests", {"Authorization": "Bearer ulrike"})
    place.aside(api, me, {"/2.0/users/me": {"type": "user", "id": "771", "login": "renamer@studio.example"}})
    me.get("/2.0/folders/51120/items?limit=100")
    held = {key: me.get(f"/2.0/files/{key}").json for key in ("88120041", "88120042", "88120043")}
    me.put("/2.0/files/88120043", {"name": "spine-v1.psd"}, 200, {"If-Match": held["88120043"]["etag"]})
    theirs = other.get("/2.0/files/88120041").json
    other.put("/2.0/files/88120041", {"description": "foil on the title"}, 200, {"If-Match": theirs["etag"]})
    place.rest(1.2)
    me.put("/2.0/files/88120042", {"name": "back-v1.psd"}, 200, {"If-Match": held["88120042"]["etag"]})
    me.put("/2.0/files/88120041", {"name": "cover-v1.psd"}, 412, {"If-Match": held["88120041"]["etag"]})
    now = me.get("/2.0/files/88120041").json
    place.sure(now["description"] == "foil on the title" and now["modified_by"]["name"] == "ulrike")
    me.get("/2.0/folders/51120/items?limit=100")
    me.get("/2.0/files/88120042", 304, {"If-None-Match": "4"})


@case(
    "d401",
    "ben-contentful-autosave-twice",
    "self-race",
    "409",
    alone="self-race",
    description=(
        "An editor's autosave and its save button send two PUTs of one entry with X-Contentful-Version 11 at the same "
        "time; the first becomes version 12, the second is a VersionMismatch. It happens a second time with 12."
    ),
    synthetic=True,
)
def autosave(stage: Stage) -> None:
    """Save twice in one breath."""
    fields = {"title": {"de-DE": "Radweg am Fluss"}, "teaser": {"de-DE": "Neu ab Mai"}}
    api = ben_suites.contentful("rk19fq", {"4bXo1Trail": fields, "5cYp2Guide": {"title": {"de-DE": "Zelte"}}})
    server = place.open_api(stage, api, "aiohttp", "Contentful")
    token = {"Authorization": "Bearer CFPAT-editor-1", "User-Agent": "contentful-management.js/11.24"}
    me = stage.actor("client", server, "api.contentful.example", "httpx", token)
    kind = {"Content-Type": "application/vnd.contentful.management.v1+json"}
    base = "/spaces/rk19fq/environments/master/entries"
    place.aside(api, me, {"/spaces/rk19fq": {"sys": {"id": "rk19fq", "version": 3}, "name": "Touren"}})
    me.get(base)
    entry = me.get(f"{base}/4bXo1Trail").json
    me.get(f"{base}/5cYp2Guide")

    def save(text: str, version: int, expect: int) -> Answer:
        body = {"fields": {**fields, "teaser": {"de-DE": text}}}
        return me.put(f"{base}/4bXo1Trail", body, expect, {**kind, "X-Contentful-Version": str(version)})

    version = entry["sys"]["version"]
    for text in ("Neu ab Juni", "Neu ab Juli"):
        place.rest(0.5)
        api.gap = 0.25
        got = place.at_once(
            partial(save, text, version, 200), partial(save, f"{text}!", version, 409), apart=0.06
        )
        api.gap = 0.0
        version = got[0].json["sys"]["version"]
        me.get(f"{base}/5cYp2Guide")
    place.sure(me.get(f"{base}/4bXo1Trail").json["sys"]["version"] == version)
    save("Neu ab August", version, 200)


@case(
    "d402",
    "ben-onedrive-photo-gets-its-facets",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "A program uploads a photo to OneDrive and renames it with the eTag of the upload's answer; the service has "
        "meanwhile read the photo's data and stored it (lastModifiedBy application, same cTag), so the rename is 412."
    ),
    synthetic=True,
)
def photo(stage: Stage) -> None:
    """Rename what the service is still looking at."""
    items = {
        "A1B2!101": {"name": "IMG_2207.JPG", "size": 0, "file": {"mimeType": "image/jpeg"}},
        "A1B2!102": {"name": "IMG_2208.JPG", "size": 0, "file": {"mimeType": "image/jpeg"}},
        "A1B2!103": {"name": "notes.txt", "size": 310, "file": {"mimeType": "text/plain"}},
    }
    api = ben_microsoft.drive(items)
    server = place.open_api(stage, api, "cheroot", "Microsoft Graph driveItem")
    me = stage.actor("client", server, "graph.microsoft.example", "aiohttp", {"Authorization": "Bearer eyJ0"})
    base = "/v1.0/me/drive/items"
    place.aside(
        api, me, {"/v1.0/me/drive": {"id": "a1b2", "driveType": "personal", "quota": {"used": 120331}}}
    )
    me.get("/v1.0/me/drive/root/children")
    for number, key in enumerate(("A1B2!101", "A1B2!102")):
        sent = me.put(f"{base}/{key}/content", "\x00JFIF" * 40, 200, {"Content-Type": "image/jpeg"}).json
        place.rest(0.7)
        taken = {"takenDateTime": "2026-08-02T10:11:09Z", "cameraMake": "Fuji"}
        api.keep(key, {**api.rows[key].data, "photo": taken}, "SharePoint App")
        place.rest(0.5)
        name = f"Sommer-{number + 1}.jpg"
        me.send("PATCH", f"{base}/{key}", 412, {"If-Match": sent["eTag"]}, {"name": name})
        now = me.get(f"{base}/{key}").json
        place.sure(now["cTag"] == sent["cTag"] and now["eTag"] != sent["eTag"])
        me.send("PATCH", f"{base}/{key}", 200, {"If-Match": now["eTag"]}, {"name": name})
        me.get(f"{base}/A1B2!103")
    me.get("/v1.0/me/drive/root/children")


@case(
    "d403",
    "ben-azure-growing-export",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "Azure's SDK downloads a blob in ranges, each pinned to the tag of the first; the nightly export replaces the "
        "blob after two of them, and the next range is 412 ConditionNotMet. The download is started again and ends."
    ),
)
def export(stage: Stage) -> None:
    """Read a blob while it is replaced."""
    server = stage.server("azurite")
    chunk = 4096
    theirs, they_send = place.blob_service(stage, "other", server)
    ours, we_send = place.blob_service(
        stage, "client", server, max_single_get_size=chunk, max_chunk_get_size=chunk
    )
    they_send()
    theirs.create_container("exports")
    theirs.get_blob_client("exports", "ledger.csv").upload_blob(b"2026-10;1200.00\n" * 1400)
    theirs.get_blob_client("exports", "readme.txt").upload_blob(b"nightly at two\n")
    we_send()
    ledger = ours.get_blob_client("exports", "ledger.csv")
    ours.get_blob_client("exports", "readme.txt").download_blob().readall()
    ledger.get_blob_properties()
    modified = importlib.import_module("azure.core.exceptions").ResourceModifiedError
    parts = ledger.download_blob().chunks()
    next(parts)
    next(parts)
    place.rest(0.4)
    they_send()
    theirs.get_blob_client("exports", "ledger.csv").upload_blob(b"2026-11;1310.00\n" * 1500, overwrite=True)
    we_send()
    refused = False
    try:
        for _part in parts:
            place.rest(0.05)
    except modified:
        refused = True
    place.sure(refused, "the ranges were not pinned")
    ledger.get_blob_properties()
    place.rest(0.5)
    place.sure(ledger.download_blob().readall().startswith(b"2026-11"))


@case(
    "d404",
    "ben-couchdb-set-up-again",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A set-up script creates the databases of a market hall in CouchDB. Two of them have been there for days with "
        "other people's documents: 412 file_exists; the third is made."
    ),
    synthetic=True,
)
def databases(stage: Stage) -> None:
    """Create what there is."""
    stalls = {f"stall:{n}": {"owner": "Pires", "meters": n} for n in (4, 6, 9)}
    api = ben_stores.couchdb({"stalls": stalls, "tenants": {"t1": {"name": "Pires"}}})
    for row in api.rows.values():
        row.at -= 500000
    me = stage.actor(
        "client", place.open_api(stage, api, "cheroot", "CouchDB"), "couch.markthalle.test", "curl"
    )
    place.aside(
        api, me, {"/": {"couchdb": "Welcome", "version": "3.3.3"}, "/_up": {"status": "ok", "seeds": {}}}
    )
    me.get("/_all_dbs")
    me.send("PUT", "/stalls", 412)
    place.sure(me.get("/stalls").json["doc_count"] == 3)
    me.send("PUT", "/tenants", 412)
    me.get("/tenants")
    me.send("PUT", "/invoices", 201)
    me.put("/invoices/i1", {"tenant": "t1", "sum": 310}, 201)
    place.rest(0.5)
    tag = me.get("/stalls/stall:4").etag
    me.get("/stalls/stall:4", 304, {"If-None-Match": tag})
    me.get("/_all_dbs")


_EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//rota//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261101T080000Z\r\n"
    "DTSTART:20261203T090000Z\r\nDTEND:20261203T100000Z\r\nSUMMARY:{text}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@case(
    "d405",
    "ben-radicale-meeting-called-off",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A rota program moves an appointment in Radicale with the tag it has read; the secretary has deleted it since. "
        "412 to the PUT, 404 to the read that follows."
    ),
)
def meeting(stage: Stage) -> None:
    """Move what is gone."""
    server = stage.server("radicale")
    login = {"Authorization": "Basic bm9yYTpub3Jh"}
    me = stage.actor("client", server, "dav.praxis.test", "requests", login)
    other = stage.actor("other", server, "dav.praxis.test", "urllib", login)
    make = (
        '<?xml version="1.0"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>'
        "<D:displayname>Rota</D:displayname></D:prop></D:set></C:mkcalendar>"
    )
    text = {"Content-Type": "text/calendar; charset=utf-8"}
    me.send("MKCALENDAR", "/nora/rota/", 201, None, make)
    for uid in ("ward-1", "ward-2", "ward-3"):
        new = _EVENT.format(uid=uid, text=f"Round {uid}")
        me.put(f"/nora/rota/{uid}.ics", new, 201, {**text, "If-None-Match": "*"})
    seen = {uid: me.get(f"/nora/rota/{uid}.ics") for uid in ("ward-1", "ward-2", "ward-3")}
    gone = other.get("/nora/rota/ward-2.ics")
    other.send("DELETE", "/nora/rota/ward-2.ics", 200, {"If-Match": gone.etag})
    place.rest(1.0)
    for uid, status in (("ward-1", (201, 204)), ("ward-2", 412), ("ward-3", (201, 204))):
        new = _EVENT.format(uid=uid, text=f"Round {uid} early")
        me.put(f"/nora/rota/{uid}.ics", new, status, {**text, "If-Match": seen[uid].etag})
    me.get("/nora/rota/ward-2.ics", 404)
    listing = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>'
    me.send("PROPFIND", "/nora/rota/", 207, {"Depth": "1"}, listing)


@case(
    "d406",
    "ben-waf-lock-token-of-the-plan",
    "stale-stored-token",
    "400",
    alone="stale-stored-token",
    description=(
        "A deployment keeps the LockToken of a web ACL from its plan and uses it for each step: the first update passes "
        "and hands out a NextLockToken that is never used, the second is a WAFOptimisticLockException, also repeated."
    ),
)
def firewall(stage: Stage) -> None:
    """Use the lock token of the plan to the end."""
    server = stage.server("moto")
    waf = place.Amazon(stage, "client", server, "wafv2")
    shows = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "shop"}
    acl = {"Name": "shop-edge", "Scope": "REGIONAL"}
    made = waf("create_web_acl", **acl, DefaultAction={"Allow": {}}, VisibilityConfig=shows)["Summary"]
    waf("create_ip_set", Name="office", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=["192.0.2.0/28"])
    acl["Id"] = made["Id"]
    waf("list_web_acls", Scope="REGIONAL")
    token = waf("get_web_acl", **acl)["LockToken"]
    rest = {**acl, "VisibilityConfig": shows, "LockToken": token}
    waf("update_web_acl", DefaultAction={"Block": {}}, **rest)
    waf("list_ip_sets", Scope="REGIONAL")
    place.rest(0.6)
    waf("update_web_acl", "WAFOptimisticLockException", DefaultAction={"Allow": {}}, **rest)
    waf("list_web_acls", Scope="REGIONAL")
    place.rest(0.4)
    waf("update_web_acl", "WAFOptimisticLockException", DefaultAction={"Allow": {}}, **rest)
    waf("get_web_acl", **acl)


@case(
    "d410",
    "ben-gitlab-tariff-table",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "A job rewrites a table in GitLab from the copy that it read in the morning and sends no last_commit_id, which "
        "a colleague's web editor did: his commit, to be seen in the list afterwards, is undone by the job's 200."
    ),
    synthetic=True,
)
def tariffs(stage: Stage) -> None:
    """Write over a colleague's commit."""
    table = "zone;price\nA;2.40\nB;3.10\nC;4.00\n"
    api = ben_suites.gitlab(
        {"data/tariffs.csv": table, "data/zones.csv": "zone;name\nA;inner\n", "README.md": "# Tariffs\n"}
    )
    server = place.open_api(stage, api, "waitress", "GitLab")
    me = stage.actor("client", server, "gitlab.transit.example", "requests", {"PRIVATE-TOKEN": "glpat-job"})
    other = stage.actor(
        "other", server, "gitlab.transit.example", "node:axios", {"PRIVATE-TOKEN": "glpat-henk"}
    )
    base = "/api/v4/projects/4711/repository"
    place.aside(api, me, {"/api/v4/projects/4711": {"id": 4711, "name": "tariffs", "default_branch": "main"}})
    file = f"{base}/files/data%2Ftariffs.csv"
    me.get(f"{file}?ref=main")
    me.get(f"{base}/files/data%2Fzones.csv?ref=main")
    theirs = other.get(f"{file}?ref=main").json
    changed = {"branch": "main", "author_name": "henk", "commit_message": "Zone C costs 4.20"}
    new = {**changed, "content": table.replace("4.00", "4.20"), "last_commit_id": theirs["last_commit_id"]}
    other.put(file, new, 200)
    place.rest(1.1)
    job = {"branch": "main", "author_name": "tariff-job", "commit_message": "Zone A costs 2.50"}
    me.put(file, {**job, "content": table.replace("2.40", "2.50")}, 200)
    me.get(f"{base}/commits?path=data/tariffs.csv&ref_name=main")
    now = me.get(f"{file}?ref=main").json
    zones = {**job, "commit_message": "Name zone B", "content": "zone;name\nA;inner\nB;outer\n"}
    me.put(f"{base}/files/data%2Fzones.csv", zones, 200)
    me.get(f"{base}/files/README.md?ref=main")
    place.sure(now["last_commit_id"] != theirs["last_commit_id"])
