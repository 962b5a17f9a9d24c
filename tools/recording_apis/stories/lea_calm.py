"""Traffic in which nothing went wrong, though some of it looks as if."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import lea_setting as place
from tools.recording_apis.stories.lea_relays import Admin

if TYPE_CHECKING:
    from tools.recording.message import Message
    from tools.recording_apis.actors import Actor


def _moved_on(actor: Actor, version: int) -> bool:
    """Tell whether the cart has a newer version than the one that was told."""
    return bool(actor.get(place.CART).json["version"] > version)


@case(
    "b371",
    "lea-rack-watched-all-night-healthy",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A monitor polls two systems behind nginx with If-None-Match for a hundred exchanges, mostly 304; an "
        "operator's patches in between show as new tags, and the monitor's own three patches use what it has just read."
    ),
)
def night(stage: Stage) -> None:
    """Poll for long."""
    server = place.devices(stage, "Redfish", "", BUSY="1")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, place.BMC, "requests", {"X-Auth-Token": "mon-1", "User-Agent": "mon/4"})
    other = stage.actor("other", front, place.BMC, "httpx", {"X-Auth-Token": "op-1", "User-Agent": "op/1"})
    me.get(place.SYSTEMS, 503)
    me.get(place.SYSTEMS)
    tags = {path: me.get(path).etag for path in (place.SYSTEM, place.SYSTEM_2)}
    for turn in range(24):
        for path, tag in list(tags.items()):
            tags[path] = me.send("GET", path, (200, 304), {"If-None-Match": tag}).etag
        if turn % 9 == 4:
            theirs = other.get(place.SYSTEM_2).etag
            other.send("PATCH", place.SYSTEM_2, 200, {"If-Match": theirs}, {"AssetTag": f"A-{turn}"})
        if turn % 8 == 5:
            body = {"IndicatorLED": f"Lit{turn}"}
            tags[place.SYSTEM] = me.send(
                "PATCH", place.SYSTEM, 200, {"If-Match": tags[place.SYSTEM]}, body
            ).etag
        me.get(place.PROTOCOL)
        if turn % 3 == 0:
            me.get(place.SYSTEMS)


@case(
    "b372",
    "lea-gitlab-two-authors-in-turn-healthy",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "Two authors commit to one file in turn, each after a read of the other's last commit; last_commit_id moves "
        "with each commit, and every one is taken."
    ),
)
def turns(stage: Stage) -> None:
    """Commit in turn."""
    server = place.forge(stage, "GitLab's repository files")
    me = stage.actor("client", server, place.GITLAB, "node:fetch", {"PRIVATE-TOKEN": "glpat-ada"})
    other = stage.actor("other", server, place.GITLAB, "curl", {"PRIVATE-TOKEN": "glpat-ines"})
    me.get(place.COMMITS)
    for number in range(3):
        for actor, who in ((me, "ada"), (other, "ines")):
            seen = actor.get(f"{place.RUNBOOK}?ref=main")
            text = place.text_of(seen) + f"{number + 2}. Step by {who}.\n"
            last = seen.json["last_commit_id"]
            actor.put(place.RUNBOOK, place.file_change(text, f"Step {number}", who, last), 200)
            actor.get(f"{place.FILE}?ref=main")
    me.get(place.COMMITS)


@case(
    "b373",
    "lea-cloud-publishes-with-a-star-healthy",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A publisher puts its two files every time with If-Match: *, on purpose: it is their only writer, and they "
        "have to exist. Its reads show nothing but its own text."
    ),
)
def publisher(stage: Stage) -> None:
    """Overwrite on purpose."""
    server = place.cloud(stage)
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, place.CLOUD, "curl", place.basic("ada", **{"User-Agent": "publish.sh"}))
    me.get("/status.php")
    for number in range(3):
        for path in (place.TODO, f"{place.DAV}Photos/index.txt"):
            text = f"edition {number}\n"
            me.put(path, text, 204, {"If-Match": "*"})
            place.require(holds=me.get(path).text == text, otherwise="another text")
        time.sleep(0.3)
    me.send("PROPFIND", place.DAV, 207, {"Depth": "infinity"})


@case(
    "b374",
    "lea-read-answer-lost-then-saved-healthy",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "The answer to a read is lost on the way and the read is repeated; the two saves after it, each with the "
        "tag of the answer before, go well, and no write was sent twice."
    ),
)
def lost_read(stage: Stage) -> None:
    """Lose an answer that costs nothing."""
    server = place.pod(stage)
    lost: list[int] = []

    def loses(message: Message) -> bool:
        if message.method == "GET" and len(lost) < 2:
            lost.append(1)
            return len(lost) == 2
        return False

    me = stage.actor("client", server, place.POD, "httpx", place.bearer("alma"), loses=loses)
    me.get(place.CARD)
    me.get(place.TASKS, 0)
    time.sleep(0.8)
    tag = me.get(place.TASKS).etag
    for number in range(2):
        text = f'<#t1> <urn:title> "Order seeds {number}".\n'
        tag = me.put(place.TASKS, text, 205, {**place.TURTLE, "If-Match": tag}).etag
    me.get(place.TASKS, 304, {"If-None-Match": tag})
    me.get("/alma/tasks/")


@case(
    "b375",
    "lea-grafana-saves-two-boards-healthy",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "Two people each save a dashboard of their own several times, with the version number that the save before "
        "has returned; both boards were at the same version number when it began."
    ),
)
def boards(stage: Stage) -> None:
    """Save two dashboards."""
    server = place.forge(stage, "Grafana's dashboards")
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, place.GRAFANA, "node:fetch", place.bearer("ola"))
    other = stage.actor("other", front, place.GRAFANA, "requests", place.bearer("bo"))
    me.get("/api/search?query=&limit=50")
    mine = me.get(place.BOARD).json["dashboard"]
    theirs = other.get("/api/dashboards/uid/k8sNodes1").json["dashboard"]
    for number in range(3):
        told = me.send(
            "POST", place.BOARDS, 200, None, place.saved(mine, f"ola {number}", refresh=f"{number}m")
        )
        mine = {**mine, "refresh": f"{number}m", "version": told.json["version"]}
        told = other.send(
            "POST", place.BOARDS, 200, None, place.saved(theirs, f"bo {number}", tags=[str(number)])
        )
        theirs = {**theirs, "tags": [str(number)], "version": told.json["version"]}
    me.get(place.BOARD)
    me.get("/api/dashboards/uid/k8sNodes1")


@case(
    "b376",
    "lea-cart-filled-while-taxed-healthy",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A storefront fills a cart; the shop's tax service writes to it after each update, and the storefront, which "
        "knows that, reads the cart each time before it goes on. Versions jump, nothing is refused."
    ),
)
def taxed(stage: Stage) -> None:
    """Read before each update."""
    server = place.market(stage, "commercetools", TAX="0.2")
    front = fronts.haproxy(stage, [server])
    me = stage.actor(
        "client", front, place.SHOP, "aiohttp", place.bearer("store", **{"X-Client": "storefront"})
    )
    me.get("/acme/carts?limit=20")
    version = me.get(place.CART).json["version"]
    for sku in ("BOWL-2", "CUP-9", "JUG-1"):
        told = me.send("POST", place.CART, 200, None, place.acts(version, place.item(sku))).json["version"]
        place.poll(partial(_moved_on, me, told), pause=0.15)
        version = me.get(place.CART).json["version"]
    me.get(place.CART_2)


@case(
    "b377",
    "lea-directory-behind-compression-healthy",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "nginx compresses the directory's answers; its versions are weak by nature and compared as such, so the "
        "compressed reads' tags are good for 304 and for If-Match alike."
    ),
)
def compressed(stage: Stage) -> None:
    """Use weak tags that are taken."""
    server = place.devices(stage, "SCIM")
    front = fronts.nginx_gzip(stage, server)
    fields = place.bearer("hr-sync", **place.SCIM, **{"Accept-Encoding": "gzip"})
    me = stage.actor("client", front, place.IDP, "requests", fields)
    me.get("/scim/v2/Users", 200)
    for path in (place.USER, place.USER_2):
        tag = me.get(path).etag
        me.get(path, 304, {"If-None-Match": tag})
        body = place.dumped({"Operations": [{"op": "replace", "value": {"title": "Guide"}}]})
        new = me.send("PATCH", path, 200, {"If-Match": tag}, body).etag
        me.get(path, 304, {"If-None-Match": new})
    me.get("/scim/v2/Groups")


@case(
    "b378",
    "lea-admin-page-with-exposed-tag-healthy",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "The administration on another origin may read the tag: it saves a user twice, each time with the tag of "
        "the answer before, after preflights, and reads both users again."
    ),
)
def exposed(stage: Stage) -> None:
    """Save from a page."""
    one = Admin(stage, "cors")
    try:
        one.call("GET", "/scim/v2/Users", 200)
        tag = one.call("GET", place.USER, 200)
        body = {"userName": "bjensen", "displayName": "Babs Jensen", "active": True, "title": "Lead"}
        tag = one.call("PUT", place.USER, 200, tag, body)
        one.call("GET", place.USER_2, 200)
        one.call("PUT", place.USER, 200, tag, {**body, "title": "Head Guide"})
        one.call("GET", place.USER, 200)
        one.call("GET", place.USER_2, 200)
    finally:
        one.finish()


@case(
    "b379",
    "lea-pod-file-made-and-removed-healthy",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A test drive of a pod: a file that is 404 at first is created with If-None-Match: *, changed and deleted "
        "with If-Match, and 404 again, as it should be."
    ),
)
def made(stage: Stage) -> None:
    """Create and delete."""
    server = place.pod(stage)
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, place.POD, "urllib", place.bearer("probe"))
    for number in range(2):
        path = f"/alma/tmp-{number}/probe.ttl"
        me.get(path, 404)
        tag = me.put(path, "<> <urn:n> 1.\n", 201, {**place.TURTLE, "If-None-Match": "*"}).etag
        tag = me.put(path, "<> <urn:n> 2.\n", 205, {**place.TURTLE, "If-Match": tag}).etag
        me.send("DELETE", path, 205, {"If-Match": tag})
        me.get(path, 404)
    me.get(place.CARD)


@case(
    "b380",
    "lea-cloud-old-path-only-read-healthy",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A client reads by the old address, is redirected with 302 and follows; its writes go to the new one and "
        "are there when it reads them again by the old."
    ),
)
def old_path(stage: Stage) -> None:
    """Follow redirects of reads only."""
    server = place.cloud(stage, "copy")
    fields = place.basic("ada", **{"User-Agent": "notes-app/2"})
    me = stage.actor("client", server, place.CLOUD, "requests:follow", fields)
    me.get("/status.php")
    for name, path in (("Notes/todo.md", place.TODO), ("Documents/minutes.md", place.MINUTES)):
        seen = me.get(f"/remote.php/webdav/{name}")
        me.put(path, seen.body + b"- more\n", 204, {"If-Match": seen.etag})
        place.require(holds="more" in me.get(f"/remote.php/webdav/{name}").text, otherwise="not written")


@case(
    "b381",
    "lea-state-locked-in-turn-healthy",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "Two pipelines lock, write and unlock one Terraform state one after the other; the first read finds no "
        "state yet (204). No lock is met by another's."
    ),
)
def in_turn(stage: Stage) -> None:
    """Lock in turn."""
    server = place.forge(stage, "a Terraform http backend")
    me = stage.actor("client", server, "tfstate.acme.test", "java", {"User-Agent": "OpenTofu/1.8.3"})
    other = stage.actor("other", server, "tfstate.acme.test", "requests", {"User-Agent": "Terraform/1.9.8"})
    me.get("/state/stage", 204)
    for number in range(2):
        for actor, who in ((me, "ci-1"), (other, "ci-2")):
            info = {"ID": f"{who}-{number}", "Operation": "OperationTypeApply", "Who": who}
            actor.send("POST", "/state/stage/lock", 200, None, info)
            actor.send("GET", "/state/stage", (200, 204))
            state = {"version": 4, "serial": number, "lineage": "9c1d", "by": who}
            actor.send("POST", f"/state/stage?ID={who}-{number}", 200, None, state)
            actor.send("DELETE", "/state/stage/lock", 200, None, info)
    me.get("/state/stage")


@case(
    "b382",
    "lea-rooms-with-exact-times-healthy",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A booking screen sends each updateTime as it was served, with its microseconds, creates a room with "
        "exists=false and deletes it again; a second screen writes to another room meanwhile."
    ),
)
def exact(stage: Stage) -> None:
    """Send timestamps unchanged."""
    stage.keeps_content = True
    server = place.market(stage, "Firestore")
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, place.STORE, "httpx", place.bearer("screen"))
    other = stage.actor("other", front, place.STORE, "node:fetch", place.bearer("screen-2"))
    moment = me.get(place.ROOM).json["updateTime"]
    theirs = other.get(place.ROOM.replace("harbour", "garden")).json["updateTime"]
    for seats in ("10", "9", "8"):
        change = {"fields": {"seats": {"integerValue": seats}}}
        query = "?updateMask.fieldPaths=seats&currentDocument.updateTime="
        moment = me.send("PATCH", place.ROOM + query + moment, 200, None, change).json["updateTime"]
        path = place.ROOM.replace("harbour", "garden") + query + theirs
        theirs = other.send("PATCH", path, 200, None, change).json["updateTime"]
    attic = place.ROOM.replace("harbour", "attic")
    me.get(attic, 404)
    body = {"fields": {"open": {"booleanValue": False}}}
    new = me.send("PATCH", f"{attic}?currentDocument.exists=false", 200, None, body).json["updateTime"]
    me.send("DELETE", f"{attic}?currentDocument.updateTime={new}", 200)
    me.get(attic, 404)


@case(
    "b383",
    "lea-wiki-past-the-store-healthy",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "nginx keeps reads of the wiki; the generator looks at pages from the store (HIT) but reads past it "
        "(no-cache) before each save, and every save is taken. Once it is not logged in yet: 401."
    ),
)
def past(stage: Stage) -> None:
    """Read past a store before each save."""
    server = place.forge(stage, "Azure DevOps' wiki", HINT="public, max-age=60")
    lines = "add_header X-Cache-Status $upstream_cache_status; proxy_cache_bypass $http_cache_control;"
    front = fronts.nginx_cache(stage, server, 60, lines)
    anonymous = {"User-Agent": "docgen/3"}
    me = stage.actor("client", front, place.AZURE, "requests", anonymous)
    me.get(place.WIKI, 401)
    signed = place.basic("docgen")
    me.get(place.WIKI, 200, signed)
    for number in range(3):
        hit = me.get(place.WIKI, 200, signed)
        place.require(holds=hit.fields["x-cache-status"] == "HIT", otherwise="not stored")
        fresh = me.get(place.WIKI, 200, {**signed, "Cache-Control": "no-cache"})
        page = {"content": f"# Onboarding\n\nEdition {number}.\n"}
        me.put(place.WIKI, page, 200, {**signed, "If-Match": fresh.etag})
        time.sleep(0.2)


@case(
    "b384",
    "lea-requirements-reviewed-healthy",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A review of requirements behind Varnish: many reads, a colleague approves one before the client has read "
        "it, and the client's own two changes carry the tags it has just been given."
    ),
)
def review(stage: Stage) -> None:
    """Review requirements."""
    server = place.devices(stage, "OSLC", "need")
    front = fronts.varnish(stage, server, "sub vcl_recv { return (pass); }")
    me = stage.actor("client", front, place.ALM, "curl:trace-time", place.basic("ktan"))
    other = stage.actor("other", front, place.ALM, "requests", place.basic("rev2"))
    me.get("/rm/resources")
    theirs = other.get(place.REQ).etag
    other.put(place.REQ, "status=Reviewed", 200, {**place.FORM, "If-Match": theirs})
    for path, change in ((place.REQ, "status=Approved"), (place.REQ_2, "owner=ola")):
        tag = me.get(path).etag
        me.get(path, 304, {"If-None-Match": tag})
        tag = me.put(path, change, 200, {**place.FORM, "If-Match": tag}).etag
        me.get(path, 304, {"If-None-Match": tag})
    me.get("/rm/resources")
    other.get(place.REQ)
