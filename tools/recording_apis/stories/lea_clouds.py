"""A cloud of files in the manner of Nextcloud, a weblog in the manner of WordPress, and web servers on files."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import lea_setting as place
from tools.recording_apis.stories.sud_setting import caching

_ADA = place.basic("ada", **{"User-Agent": "Mozilla/5.0 (Linux) mirall/3.15.0 (Nextcloud)"})
_INES = place.basic("ines", **{"User-Agent": "Mozilla/5.0 (Android) Nextcloud-android/3.30.6"})


@case(
    "b327",
    "lea-cloud-new-note-name-is-taken",
    "exists-already",
    "412",
    alone="exists-already",
    synthetic=True,
    description=(
        "A phone uploads a note under a name that its index does not know, guarded with If-None-Match: *; a file "
        "of that name has been on the server for weeks. 412, it reads the file and uploads under another name."
    ),
)
def taken(stage: Stage) -> None:
    """Create what exists."""
    server = place.cloud(stage)
    me = stage.actor("client", server, place.CLOUD, "java", _INES)
    me.get("/status.php")
    me.send("PROPFIND", f"{place.DAV}Documents", 207, {"Depth": "1"})
    new = "- buy stamps\n"
    me.put(place.TODO, new, 412, {"If-None-Match": "*"})
    me.get(place.TODO)
    me.put(f"{place.DAV}Notes/todo%20(2).md", new, 201, {"If-None-Match": "*"})
    me.get("/status.php")


@case(
    "b328",
    "lea-cloud-file-deleted-on-the-phone",
    "target-missing",
    "412",
    alone="target-missing",
    synthetic=True,
    description=(
        "The desktop client uploads minutes with the tag of its last sync; Ines has deleted the file on her phone: "
        "412, the resource did not exist, and a read is 404."
    ),
)
def deleted(stage: Stage) -> None:
    """Write to what was deleted."""
    server = place.cloud(stage)
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, place.CLOUD, "requests", _ADA)
    other = stage.actor("other", front, place.CLOUD, "aiohttp", _INES)
    me.get("/status.php")
    listed = me.send("PROPFIND", place.DAV, 207, {"Depth": "infinity"})
    tag = place.etag_in(listed, place.MINUTES)
    me.get(place.MINUTES)
    other.send("DELETE", place.MINUTES, 204)
    time.sleep(0.7)
    me.get("/status.php")
    me.put(place.MINUTES, "# Minutes\n\n- budget agreed\n", 412, {"If-Match": tag})
    me.get(place.MINUTES, 404)
    me.send("PROPFIND", f"{place.DAV}Documents", 207, {"Depth": "1"})


@case(
    "b329",
    "lea-cloud-colleague-holds-the-file",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    synthetic=True,
    description=(
        "Ines has locked a spreadsheet (files_lock); Ada's upload, with the current tag, is answered 423 three "
        "times until Ines unlocks it. Nothing was written meanwhile."
    ),
)
def held(stage: Stage) -> None:
    """Write to what is locked."""
    server = place.cloud(stage, "locks")
    me = stage.actor("client", server, place.CLOUD, "httpx", _ADA)
    other = stage.actor("other", server, place.CLOUD, "curl", _INES)
    tag = me.get(place.BUDGET).etag
    other.send("LOCK", place.BUDGET, 200, {"X-User-Lock": "1"})
    new = "item,eur\nrent,1250\npower,180\n"
    for _ in range(3):
        me.put(place.BUDGET, new, 423, {"If-Match": tag})
        time.sleep(0.4)
        me.send("PROPFIND", f"{place.DAV}Documents", 207, {"Depth": "1"})
    other.send("UNLOCK", place.BUDGET, 204, {"X-User-Lock": "1"})
    me.put(place.BUDGET, new, 204, {"If-Match": tag})


@case(
    "b330",
    "lea-cloud-old-webdav-path-moved",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    synthetic=True,
    description=(
        "The old address /remote.php/webdav answers 302; requests makes a GET of the PUT and its 200 looks like "
        "success. The file is unchanged."
    ),
)
def moved(stage: Stage) -> None:
    """Follow a redirect as a read."""
    server = place.cloud(stage, "copy")
    fields = place.basic("ada", **{"User-Agent": "scan-upload/0.9"})
    me = stage.actor("client", server, place.CLOUD, "requests:follow", fields)
    me.get("/status.php")
    tag = me.get("/remote.php/webdav/Notes/todo.md").etag
    me.put(
        "/remote.php/webdav/Notes/todo.md", "- call Ada\n- book train\n- pay rent\n", 200, {"If-Match": tag}
    )
    time.sleep(0.4)
    me.get("/remote.php/webdav/Photos/index.txt")
    seen = me.get(place.TODO)
    place.require(holds="rent" not in seen.text, otherwise="it was written")


@case(
    "b331",
    "lea-weblog-two-editors-no-condition",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    synthetic=True,
    description=(
        "Two editors save one post through WordPress's REST interface, which takes no condition from them although "
        "it serves validators; the autosave is no lock. The second save brings the first title back."
    ),
)
def weblog(stage: Stage) -> None:
    """Save a post over a colleague's."""
    server = place.cloud(stage, "", "WordPress's REST interface")
    me = stage.actor("client", server, place.BLOG, "node:fetch", place.basic("rosa"))
    other = stage.actor("other", server, place.BLOG, "requests", place.basic("tim"))
    me.get("/wp-json/wp/v2/posts?per_page=10")
    mine = me.get(f"{place.POST}?context=edit").json
    theirs = other.get(f"{place.POST}?context=edit").json
    body = {"title": "Opening hours in December", "content": theirs["content"]["raw"]}
    other.send("POST", place.POST, 200, None, body)
    me.send("POST", f"{place.POST}/autosaves", 200, None, {"content": "<p>Open from nine.</p>"})
    time.sleep(1.1)
    me.send(
        "POST", place.POST, 200, None, {"title": mine["title"]["raw"], "content": "<p>Open from nine.</p>"}
    )
    me.get("/wp-json/wp/v2/posts?per_page=10")
    other.get(f"{place.POST}?context=edit")


@case(
    "b332",
    "lea-crm-upsert-finds-two",
    "multi-match",
    "412",
    alone="multi-match",
    synthetic=True,
    description=(
        "An importer upserts contacts by address for mail in a home-made CRM; two records have the same address, "
        "and the upsert is refused with 412 (AMBIGUOUS_MATCH). The search shows both; others go through."
    ),
)
def ambiguous(stage: Stage) -> None:
    """Match two records."""
    server = place.cloud(stage, "", "a home-made CRM")
    me = stage.actor("client", server, "crm.acme.test", "aiohttp", place.bearer("import"))
    me.get("/crm/contacts")
    me.put("/crm/contacts?email=kit%40mail.test", {"name": "Kit Moreau"}, 200)
    me.put("/crm/contacts?email=jo%40mail.test", {"name": "Jo Lund", "phone": "+45 555 0102"}, 412)
    me.put("/crm/contacts?email=pia%40mail.test", {"name": "Pia"}, 201)
    time.sleep(0.4)
    me.put("/crm/contacts?email=jo%40mail.test", {"name": "Jo Lund", "phone": "+45 555 0102"}, 412)
    found = me.get("/crm/contacts?email=jo%40mail.test").json
    place.require(holds=found["total"] == 2, otherwise="not two")


@case(
    "b333",
    "lea-cloud-forgotten-cache-adds-condition",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "A script's session has a cache that looks after PUT too: it puts the If-None-Match of an earlier read "
        "on the script's unconditional PUT, and Apache's WebDAV answers 412."
    ),
)
def implicit(stage: Stage) -> None:
    """Send a condition that nobody has written."""
    files = {"notes/todo.md": "- call Ada\n", "notes/old.md": "- none\n"}
    front = fronts.site(
        stage, "apache2", files, fronts.DAV["apache2"] + "\nHeader set Cache-Control no-cache"
    )
    me = caching(stage, "client", front, place.CLOUD, {"User-Agent": "notes-sync/0.4"})
    me.get("/notes/old.md")
    me.get("/notes/todo.md")
    me.put("/notes/todo.md", "- call Ada\n- pay rent\n", 412)
    time.sleep(0.6)
    me.put("/notes/todo.md", "- call Ada\n- pay rent\n", 412)
    me.get("/notes/old.md")


@case(
    "b334",
    "lea-dav-save-after-save-on-apache",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "An editor saves a file on Apache's WebDAV, reads it at once (a weak tag) and saves again with it: 412. "
        "Two seconds later the read gives the same value strong, and the save is taken."
    ),
)
def settling(stage: Stage) -> None:
    """Save again within a second."""
    files = {"drafts/letter.txt": "Dear all,\n", "drafts/list.txt": "one\n"}
    front = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", front, "dav.acme.test", "httpx", {"User-Agent": "pad/3.3"})
    me.get("/drafts/list.txt")
    tag = me.get("/drafts/letter.txt").etag
    me.put("/drafts/letter.txt", "Dear all,\n\nthe hall is booked.\n", 204, {"If-Match": tag})
    weak = me.get("/drafts/letter.txt").etag
    place.require(holds=weak.startswith("W/"), otherwise="already strong")
    text = "Dear all,\n\nthe hall is booked from nine.\n"
    me.put("/drafts/letter.txt", text, 412, {"If-Match": weak})
    time.sleep(2.3)
    strong = me.get("/drafts/letter.txt").etag
    me.put("/drafts/letter.txt", text, 204, {"If-Match": strong})


@case(
    "b335",
    "lea-parts-of-a-log-that-was-rotated",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "A collector fetches a log in parts, each with If-Match of the first; between the second and third part "
        "the file is replaced on the server and the third part is 412. It starts over and gets all parts."
    ),
)
def parts(stage: Stage) -> None:
    """Read a file that is replaced."""
    old = "".join(f"2026-11-25T10:{n:02d}:00Z pump {n} ok\n" for n in range(60))
    front = fronts.site(stage, "apache2", {"logs/pump.log": old, "logs/fan.log": "none\n"})
    me = stage.actor("client", front, "logs.plant.test", "curl", {"User-Agent": "collect/1.1"})
    me.get("/logs/fan.log")
    first = me.get("/logs/pump.log", 206, {"Range": "bytes=0-599"})
    me.get("/logs/pump.log", 206, {"Range": "bytes=600-1199", "If-Match": first.etag})
    new = "".join(f"2026-11-26T11:{n:02d}:00Z pump {n} ok\n" for n in range(50))
    fronts.put_file(front.directory, "logs/pump.log", new, 3.0)
    me.get("/logs/pump.log", 412, {"Range": "bytes=1200-1799", "If-Match": first.etag})
    start = me.get("/logs/pump.log", 206, {"Range": "bytes=0-599"})
    me.get("/logs/pump.log", 206, {"Range": "bytes=600-1199", "If-Match": start.etag})
    me.get("/logs/pump.log", 206, {"Range": "bytes=1200-1799", "If-Match": start.etag})


@case(
    "b336",
    "lea-nginx-dav-takes-any-tag",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "nginx's WebDAV does not look at If-Match on PUT: a station's save with the tag of its first read is taken, "
        "though it has read a newer one since, and the other station's line is gone."
    ),
)
def nginx_dav(stage: Stage) -> None:
    """Have nginx take a stale tag."""
    files = {"stations/plan.csv": "mon,kit\ntue,jo\n", "stations/readme.txt": "plans\n"}
    front = fronts.site(stage, "nginx", files, fronts.DAV["nginx"])
    me = stage.actor("client", front, "plans.fire.test", "aiohttp", {"User-Agent": "station-north"})
    other = stage.actor("other", front, "plans.fire.test", "urllib", {"User-Agent": "station-south"})
    me.get("/stations/readme.txt")
    tag = me.get("/stations/plan.csv").etag
    theirs = other.get("/stations/plan.csv").etag
    other.put("/stations/plan.csv", "mon,kit\ntue,jo\nwed,south-2\n", 204, {"If-Match": theirs})
    time.sleep(1.2)
    place.require(holds=me.get("/stations/plan.csv").etag != tag, otherwise="the same tag")
    me.put("/stations/plan.csv", "mon,kit\ntue,north-1\n", 204, {"If-Match": tag})
    me.get("/stations/plan.csv")
    other.get("/stations/plan.csv")
