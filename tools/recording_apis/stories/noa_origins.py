"""Servers and services that make tags or judge conditions in a way of their own."""

from __future__ import annotations

import time
from datetime import timedelta

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import noa_setting as place
from tools.recording_apis.stories.noa_setting import bearer, must


@case(
    "b530",
    "sandbox-with-a-tag-per-answer",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "A sandbox API makes another tag for each answer: three reads in a row, the same bytes, three tags; the PUT "
        "with the last one is EtagMismatch, and its currentEtag does not match a moment later either."
    ),
    synthetic=True,
)
def sandbox(stage: Stage) -> None:
    """Read one thing with many tags."""
    path = "/v1/sandboxes/sb-31"
    server = place.api(
        stage, "plain", {path: {"image": "alpine:3.21", "cpus": 2}}, KIND="docker", FLAGS="unstable"
    )
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "sandboxes.docker.test", "requests", bearer("dev"))
    place.browse(me, "w")
    seen = [me.get(path) for _ in range(3)]
    must(len({one.etag for one in seen}) == 3 and len({one.text for one in seen}) == 1, "stable")
    refused = me.put(path, {"image": "alpine:3.21", "cpus": 4}, 412, {"If-Match": seen[-1].etag})
    me.put(
        path, {"image": "alpine:3.21", "cpus": 4}, 412, {"If-Match": refused.json["detail"]["currentEtag"]}
    )
    must(me.get(path).text == seen[0].text, "it was written")


@case(
    "b531",
    "answer-to-put-has-another-hash",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "xAPI agent profile: the answer to a PUT carries the hash of what was received, GET and the check use the hash "
        "of what was stored; with the PUT's own tag the next PUT is 412 each time, with the GET's it is taken."
    ),
    synthetic=True,
)
def received(stage: Stage) -> None:
    """Send the tag of the PUT's answer."""
    path = "/xapi/agents/profile"
    server = place.api(stage, "plain", {path: {"lang": "fr"}}, "cheroot", KIND="xapi", FLAGS="counted early")
    me = stage.actor(
        "client", server, "lrs.academy.test", "httpx", bearer("app", **{"X-Experience-API-Version": "1.0.3"})
    )
    place.browse(me, "cttttftttt")
    tag = me.get(path).etag
    for number in range(2):
        said = me.put(path, {"lang": "fr", "size": number}, 200, {"If-Match": tag}).etag
        time.sleep(0.2)
        me.put(path, {"lang": "fr", "size": number, "dark": True}, 412, {"If-Match": said})
        seen = me.get(path)
        must(seen.json == {"lang": "fr", "size": number} and seen.etag != said, "no mismatch")
        tag = seen.etag


@case(
    "b532",
    "tomcat-refuses-its-own-tag",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Tomcat's DefaultServlet has weak tags only, with identity as well, and compares strongly: each PUT with "
        "If-Match of a fresh read is 412 though nobody else writes."
    ),
)
def tomcat(stage: Stage) -> None:
    """Send the weak tag of Tomcat."""
    server = stage.server("tomcat")
    me = stage.actor("client", server, "files.plant.test", "curl")
    me.put("/limits.json", '{"pressure":4.0}', 201, {"Content-Type": "application/json"})
    time.sleep(1.2)
    for number in range(2):
        tag = me.get("/limits.json", 200, {"Accept-Encoding": "identity"}).etag
        must(tag.startswith("W/"), "strong")
        kind = {"Content-Type": "application/json", "If-Match": tag}
        me.put("/limits.json", '{"pressure":4.2}', 412, kind)
        time.sleep(0.4 * number)
    me.get("/limits.json")


@case(
    "b533",
    "tag-of-a-selection",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "An OData service hashes what it shows: a read with $select gives another tag than the whole entity, with "
        "which a PATCH without $select is compared. With the tag of the whole read it is taken."
    ),
    synthetic=True,
)
def selection(stage: Stage) -> None:
    """Send the tag of a part of an entity."""
    path = "/odata/Berths(12)"
    server = place.api(stage, "odata", {path: {"Id": 12, "Depth": 9.5, "Vessel": None, "Quay": "North"}})
    me = stage.actor("client", server, "port.test", "node:axios", bearer("pilot"))
    place.browse(me, "cf")
    part = me.get(f"{path}?$select=Id,Vessel").etag
    me.send("PATCH", path, 412, {"If-Match": part}, {"Vessel": "Aurora"})
    must(me.get(f"{path}?$select=Id,Vessel").etag == part, "it changed")
    whole = me.get(path).etag
    me.send("PATCH", path, 200, {"If-Match": whole}, {"Vessel": "Aurora"})


@case(
    "b534",
    "second-save-within-a-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "Apache mod_dav: a note is saved, read at once (W/ tag) and saved again with that tag: 412; more than a second "
        "later the same tag comes without W/ and the save goes through. Nobody else writes."
    ),
)
def settled(stage: Stage) -> None:
    """Save twice in a second."""
    server = fronts.site(
        stage, "apache2", {"minutes.txt": "1. Opening\n", "agenda.txt": "1. Budget\n"}, fronts.DAV["apache2"]
    )
    me = stage.actor("client", server, "dav.club.test", "requests")
    me.get("/agenda.txt")
    first = me.get("/minutes.txt").etag
    me.put("/minutes.txt", "1. Opening\n2. Budget\n", 204, {"If-Match": first})
    young = me.get("/minutes.txt").etag
    must(young.startswith("W/"), f"strong at once: {young}")
    me.put("/minutes.txt", "1. Opening\n2. Budget\n3. Votes\n", 412, {"If-Match": young})
    time.sleep(2.3)
    old = me.get("/minutes.txt").etag
    must(young == f"W/{old}", f"{young} and {old}")
    me.put("/minutes.txt", "1. Opening\n2. Budget\n3. Votes\n", 204, {"If-Match": old})


@case(
    "b535",
    "deleted-object-still-counts",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "An S3-compatible store takes a delete marker for an object: after DELETE the key is 404 on HEAD, yet a PUT "
        "with If-None-Match: * is 412, and HEAD is 404 again."
    ),
    synthetic=True,
)
def marker(stage: Stage) -> None:
    """Create where something was deleted."""
    path = "/locks/compaction.lock"
    server = place.api(stage, "s3-like", {path: "node-4"}, FLAGS="marker")
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "s3.ru-3.storage.selectel.test", "aiohttp", place.signed("AKIANODE4"))
    me.send("HEAD", path, 200)
    me.send("DELETE", path, 204)
    me.send("HEAD", path, 404)
    for _ in range(2):
        me.put(path, "node-4 again", 412, {"If-None-Match": "*"})
        me.send("HEAD", path, 404)
        time.sleep(0.2)


@case(
    "b536",
    "refused-and-stored",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "Spring Data REST evaluates If-Unmodified-Since after the commit: a single PUT with the date of the read is "
        "412, and the next read holds its content under a new version. One request at the origin too."
    ),
    synthetic=True,
)
def after(stage: Stage) -> None:
    """Get a 412 for what was stored."""
    path = "/api/vineyards/8"
    server = place.api(
        stage, "plain", {path: {"name": "Südhang", "rows": 40}}, "cheroot", KIND="spring", FLAGS="late"
    )
    me = stage.actor("client", server, "wine.test", "requests", bearer("cellar"))
    place.browse(me, "cwttfrttt")
    seen = me.get(path)
    new = {"name": "Südhang", "rows": 42, "editedBy": "cellar-tablet-2"}
    me.put(path, new, 412, {"If-Unmodified-Since": seen.fields["last-modified"]})
    time.sleep(0.3)
    place.browse(me, "tw")
    must(me.get(path).json == new, "not stored")


@case(
    "b537",
    "radicale-reads-no-dates",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "Radicale does not evaluate If-Unmodified-Since: an app that has seen a later Last-Modified saves from an older "
        "window with the older date, and it is taken; the assistant's new time is gone."
    ),
)
def dates(stage: Stage) -> None:
    """Save under an outdated date."""
    server = stage.server("radicale")
    basic = {"Authorization": "Basic ZGVzazpmYWtl"}
    me = stage.actor("client", server, "cal.studio.test", "requests", basic)
    other = stage.actor("other", server, "cal.studio.test", "httpx", {"Authorization": "Basic ZGVzazpmYWtl"})
    made = '<?xml version="1.0"?><C:mkcalendar xmlns:C="urn:ietf:params:xml:ns:caldav"/>'
    other.send("MKCALENDAR", "/desk/shoots/", 201, {"Content-Type": "application/xml"}, made)
    event = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//studio//EN\r\nBEGIN:VEVENT\r\nUID:s1\r\n"
    event += "DTSTAMP:20261120T080000Z\r\nDTSTART:20261201T090000Z\r\nSUMMARY:Shoot A\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    kind = {"Content-Type": "text/calendar; charset=utf-8"}
    other.put("/desk/shoots/s1.ics", event, 201, kind)
    stage.forget()
    old = me.get("/desk/shoots/s1.ics")
    time.sleep(1.2)
    moved = old.text.replace("T090000Z", "T140000Z")
    other.put(
        "/desk/shoots/s1.ics", moved, (201, 204), {**kind, "If-Match": other.get("/desk/shoots/s1.ics").etag}
    )
    seen = me.get("/desk/shoots/s1.ics")
    must(seen.fields["last-modified"] != old.fields["last-modified"], "one date")
    guard = {"If-Unmodified-Since": old.fields["last-modified"]}
    me.put("/desk/shoots/s1.ics", old.text.replace("Shoot A", "Shoot A, roof"), (201, 204), {**kind, **guard})
    must("T140000Z" not in me.get("/desk/shoots/s1.ics").text, "not lost")


@case(
    "b538",
    "two-jobs-one-member",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race precondition-ignored",
    also="self-race",
    description=(
        "z/OSMF files: two jobs of one program save a member with the same ETag 50 ms apart; the service checks both "
        "before it writes the first, answers 2xx to both, and the first job's line is gone. An outdated tag sent later "
        "by itself is refused."
    ),
    synthetic=True,
)
def jobs(stage: Stage) -> None:
    """Let two writes pass one check."""
    path = "/zosmf/restfiles/ds/PAY.CNTL(NIGHTLY)"
    seed = {path: "//STEP1 EXEC PGM=IEFBR14\n"}
    server = place.api(stage, "plain", seed, KIND="zosmf", RACE="0.3")
    me = stage.actor(
        "client", server, "zosmf.bank.test", "urllib", bearer("BATCH", **{"X-IBM-Return-Etag": "true"})
    )
    seen = me.get(path)
    guard = {"If-Match": seen.etag, "Content-Type": "text/plain"}
    place.together(
        lambda: me.put(path, f"{seen.text}//STEP2 EXEC PGM=SORT\n", 200, guard),
        lambda: me.put(path, f"{seen.text}//STEP9 EXEC PGM=IDCAMS\n", 200, guard),
        apart=0.05,
    )
    last = me.get(path)
    must("STEP9" in last.text and "STEP2" not in last.text, "not lost")
    me.put(path, f"{seen.text}//STEP2 EXEC PGM=SORT\n", 412, guard)


@case(
    "b539",
    "create-only-is-not-looked-at",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "Cloud Storage's XML interface: a database reads the marker of another replica (200) and then puts its own with "
        "If-None-Match: *, which the service does not evaluate on writes: 200, the other replica's marker is gone."
    ),
    synthetic=True,
)
def create_only(stage: Stage) -> None:
    """Put with a guard that nobody reads."""
    path = "/ch-parts/markers/part_44"
    seed = {"ch-parts/markers/part_44": {"content": "replica=r1"}}
    server = place.api(stage, "gcs", seed, "cheroot")
    me = stage.actor(
        "client", server, "storage.googleapis.test", "requests", {"User-Agent": "ClickHouse/25.9"}
    )
    me.get("/ch-parts/markers/part_43", 404)
    before = me.get(path)
    kind = {"Content-Type": "application/octet-stream"}
    me.put(path, "replica=r2", 200, {**kind, "If-None-Match": "*"})
    now = me.get(path)
    must(now.text == "replica=r2" and before.text == "replica=r1", "not overwritten")


@case(
    "b511",
    "lease-held-by-another-host",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "Azure Blob (Azurite, the SDK for Python): another host holds a lease on the state blob; the upload without a "
        "lease id is 412 LeaseIdMissing, and one with a made-up id is refused as well."
    ),
)
def leased(stage: Stage) -> None:
    """Write a blob that is leased."""
    server = stage.server("azurite")
    mine, theirs = place.Account(stage, server, "client"), place.Account(stage, server, "other")
    theirs.service.create_container("state")
    theirs.blob("state", "prod.tfstate").upload_blob(b'{"serial":41}')
    stage.forget()
    theirs.blob("state", "prod.tfstate").acquire_lease(60)
    mine.blob("state", "prod.tfstate").get_blob_properties()
    new = b'{"serial":42}'
    place.fails(lambda: mine.blob("state", "prod.tfstate").upload_blob(new, overwrite=True), 412)
    fake = "11111111-2222-3333-4444-555555555555"
    own = mine.blob("state", "prod.tfstate")
    place.fails(lambda: own.upload_blob(new, overwrite=True, lease=fake), (409, 412))
    mine.blob("state", "prod.tfstate").get_blob_properties()


@case(
    "b515",
    "local-time-called-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "Azure Blob (Azurite): a job in a zone west of Greenwich sends the blob's Last-Modified five hours back, still "
        "labelled GMT, as If-Unmodified-Since: 412; nobody has written, and the served date works."
    ),
)
def local_time(stage: Stage) -> None:
    """Send a date in local time."""
    server = stage.server("azurite")
    one = place.Account(stage, server, "client")
    one.service.create_container("sales")
    own = one.blob("sales", "2026-11.csv")
    own.upload_blob(b"day;eur\n1;220\n")
    stage.forget()
    time.sleep(1.1)
    served = own.get_blob_properties().last_modified
    local = served - timedelta(hours=5)
    new = b"day;eur\n1;220\n2;180\n"
    place.fails(lambda: own.upload_blob(new, overwrite=True, if_unmodified_since=local), 412)
    must(own.get_blob_properties().last_modified == served, "it was written")
    own.upload_blob(new, overwrite=True, if_unmodified_since=served)
