"""Stories on several hands at one record, and on programs that overtake themselves."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.dan_desk import crc, desk, revision
from tools.recording_apis.stage import case
from tools.recording_apis.stories import dan_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.apps.vic_core import Req
    from tools.recording_apis.stage import Stage


@case(
    "d538",
    "dan-two-account-managers",
    "other-writer",
    "recovered",
    alone="other-writer",
    description=(
        "An account page behind nginx polls an activity feed while its form is open; a colleague changes the phone "
        "number of the same account meanwhile, and the save with the tag of the opened form is refused."
    ),
)
def managers(stage: Stage) -> None:
    """Save what a colleague has saved meanwhile."""
    docs = {
        f"/crm/v3/accounts/{n}": {"id": n, "name": name, "phone": "+44 20 7946 0018", "tier": "silver"}
        for n, name in ((40177, "Harrow Tiles"), (40178, "Brightwell Dental"), (40180, "Osprey Freight"))
    }
    docs["/crm/v3/activity/40178"] = {"events": ["call", "mail"]}
    beside = {
        "/crm/v3/session": {"user": "p.nolan", "locale": "en-GB"},
        "/crm/v3/picklists/tier": ["silver", "gold"],
    }
    server = at.node(stage, "fastify", docs, beside)
    front = fronts.nginx(stage, server, "add_header X-Edge lon2;")
    me = stage.actor(
        "client", front, "app.ledgerly.example", "node:axios", {**at.BROWSER, "X-User": "p.nolan"}
    )
    other = stage.actor("other", front, "app.ledgerly.example", "node:fetch", {"X-User": "s.adeyemi"})
    at.reads(me, "/crm/v3/session", "/crm/v3/accounts", "/crm/v3/accounts/40177", "/crm/v3/picklists/tier")
    mine = me.get("/crm/v3/accounts/40178")
    at.watch(me, "/crm/v3/activity/40178", 3, 0.3)
    theirs = other.get("/crm/v3/accounts/40178")
    other.put(
        "/crm/v3/accounts/40178", at.over(theirs, phone="+44 20 7946 0999"), 200, {"If-Match": theirs.etag}
    )
    at.watch(me, "/crm/v3/activity/40178", 2, 0.3)
    me.put("/crm/v3/accounts/40178", at.over(mine, tier="gold"), 412, {"If-Match": mine.etag})
    at.rest(1.1)
    now = me.get("/crm/v3/accounts/40178")
    at.sure(now.json["phone"].endswith("0999") and now.json["tier"] == "silver")
    at.reads(me, "/crm/v3/session", "/crm/v3/accounts/40180")
    me.put("/crm/v3/accounts/40178", at.over(now, tier="gold"), 200, {"If-Match": now.etag})
    me.get("/crm/v3/accounts")


@case(
    "d567",
    "dan-pipeline-workers-share-a-manifest",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "Three workers of one release job read the manifest blob on Azurite at the same time and write it back with "
        "the same ETag within milliseconds: one is stored, two are refused. All carry the job's run id."
    ),
)
def workers(stage: Stage) -> None:
    """Write one blob from three workers of a job."""
    server = stage.server("azurite")
    token = at.signature()
    run = {
        "x-ms-client-request-id": "run-88213",
        "x-ms-version": "2021-12-02",
        "User-Agent": "relbot/2.6 run-88213",
    }
    me = stage.actor("client", server, "releases.blob.test", "httpx", run)
    me.send("PUT", f"/notes/releases?restype=container&{token}", 201)
    path, kind = f"/notes/releases/manifest.json?{token}", {"x-ms-blob-type": "BlockBlob"}
    me.put(path, {"build": 811, "targets": []}, 201, {**kind, "If-None-Match": "*"})
    for n in range(4):
        me.put(f"/notes/releases/artifact-{n}.txt?{token}", f"artifact {n}\n" * 20, 201, kind)
    at.rest(0.4)
    seen = [me.get(path) for _ in range(3)]
    at.sure(len({one.etag for one in seen}) == 1)
    names = ("linux-x64", "linux-arm64", "darwin")

    def one(number: int) -> object:
        body = {"build": 811, "targets": [names[number]]}
        return lambda: me.put(path, body, (201, 412), {**kind, "If-Match": seen[number].etag})

    got = at.at_once(*(one(n) for n in range(3)), apart=0.003)  # type: ignore[arg-type]
    at.sure(sorted(one.status for one in got) == [201, 412, 412], [one.status for one in got])
    now = me.get(path)
    at.sure(len(now.json["targets"]) == 1)
    me.get(f"/notes/releases?restype=container&comp=list&{token}")
    me.get(f"/notes/releases/artifact-2.txt?{token}")


@case(
    "d578",
    "dan-approval-robot",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "An expense service runs its policy check half a second after each save and writes status and checkedAt into "
        "the report itself (changedBy system:policy-check). A bookkeeper's page saves on with the tag of its own answer."
    ),
)
def robot(stage: Stage) -> None:
    """Keep the tag of one's own save while the service goes on."""
    docs = {
        f"/v1/reports/{n}": {
            "no": n,
            "lines": [{"what": "train", "eur": 41}],
            "status": "draft",
            "changedBy": "m.roux",
        }
        for n in ("ER-2207", "ER-2208", "ER-2211")
    }
    box = desk(docs, crc, {"/v1/categories": ["train", "meal", "hotel"], "/v1/me": {"login": "m.roux"}})
    box.say = {412: {"code": "report_changed", "message": "This report has a newer version."}}

    def later(req: Req, path: str) -> None:
        def check() -> None:
            time.sleep(0.5)
            data = {**box.docs[path].data, "status": "checked", "changedBy": "system:policy-check"}
            box.store(path, {**data, "checkedAt": int(time.time())}, "system")

        if req.method == "PUT":
            threading.Thread(target=check, daemon=True).start()

    box.done.append(later)
    me = stage.actor(
        "client", at.open_box(stage, box, "starlette"), "spend.kontoo.example", "node:axios", at.BROWSER
    )
    at.reads(me, "/v1/me", "/v1/categories", "/v1/reports")
    for report in ("ER-2208", "ER-2211"):
        seen = me.get(f"/v1/reports/{report}")
        lines = [*seen.json["lines"], {"what": "meal", "eur": 18}]
        told = me.put(f"/v1/reports/{report}", at.over(seen, lines=lines), 200, {"If-Match": seen.etag})
        at.rest(0.9)
        at.reads(me, "/v1/categories")
        more = [*lines, {"what": "hotel", "eur": 120}]
        me.put(f"/v1/reports/{report}", at.over(told, lines=more), 412, {"If-Match": told.etag})
        now = me.get(f"/v1/reports/{report}")
        at.sure(now.json["lines"] == lines and now.json["changedBy"].startswith("system"))
        at.rest(0.2)
    me.put("/v1/reports/ER-2211", at.over(now, lines=more), 200, {"If-Match": now.etag})
    me.get("/v1/reports/ER-2207")


@case(
    "d521",
    "dan-firmware-replaced-while-fetched",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "A field device fetches a firmware image from nginx in ranges guarded by If-Match; the vendor's job uploads the "
        "next image to the same name by WebDAV after the third part, and the fourth part is refused."
    ),
)
def firmware(stage: Stage) -> None:
    """Read parts of two images."""
    first, second = bytes(range(256)) * 400, bytes(reversed(range(256))) * 410
    files: dict[str, str | bytes] = {"fw/gw7.bin": first, "fw/gw7.json": '{"version":"7.1.4","size":102400}'}
    server = fronts.site(stage, "nginx", files, fronts.DAV["nginx"])
    stage.keeps_content = False
    me = stage.actor("client", server, "fw.meshgate.example", "urllib", {"User-Agent": "gw7-updater/1.9"})
    other = stage.actor(
        "other", server, "fw.meshgate.example", "requests", {"User-Agent": "release-publish/0.4"}
    )
    me.get("/fw/gw7.json")
    head = me.send("HEAD", "/fw/gw7.bin", 200)
    size = 20480
    for part in range(4):
        if part == 3:
            at.rest(0.6)
            other.put("/fw/gw7.bin", second, 204)
            other.put("/fw/gw7.json", {"version": "7.1.5", "size": len(second)}, 204)
        span = {"Range": f"bytes={part * size}-{part * size + size - 1}", "If-Match": head.etag}
        me.get("/fw/gw7.bin", 206 if part < 3 else 412, span)
        at.rest(0.15)
    again = me.send("HEAD", "/fw/gw7.bin", 200)
    at.sure(again.etag != head.etag)
    me.get("/fw/gw7.json")
    for part in range(2):
        span = {"Range": f"bytes={part * size}-{part * size + size - 1}", "If-Match": again.etag}
        me.get("/fw/gw7.bin", 206, span)


@case(
    "d570",
    "dan-key-name-taken",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A provisioning loop creates feature records on Kinto with If-None-Match: *; one name has been there since "
        "another team's run, with other values, and is refused with the record in the answer. The others are made."
    ),
)
def name_taken(stage: Stage) -> None:
    """Create what another team has created long before."""
    server = stage.server("kinto")
    team = stage.actor(
        "other", server, "settings.flagyard.example", "requests", {"User-Agent": "flags-seed/1.0"}
    )
    team.put("/v1/accounts/ops", {"data": {"password": "ops"}}, 201)
    base = {"Authorization": "Basic b3BzOm9wcw=="}
    team.put("/v1/buckets/flags", {"data": {}}, 201, base)
    team.put("/v1/buckets/flags/collections/web", {"data": {}}, 201, base)
    records = "/v1/buckets/flags/collections/web/records"
    team.put(f"{records}/dark-mode", {"data": {"on": True, "owner": "design"}}, 201, base)
    at.rest(1.2)
    me = stage.actor(
        "client", server, "settings.flagyard.example", "aiohttp", {**base, "User-Agent": "tf-flags/0.9"}
    )
    me.get("/v1/")
    for name in ("checkout-v2", "search-beta", "dark-mode", "eu-banner", "slow-ship"):
        body = {"data": {"on": False, "owner": "platform"}}
        status = 412 if name == "dark-mode" else 201
        me.put(f"{records}/{name}", body, status, {"If-None-Match": "*"})
    seen = me.get(f"{records}/dark-mode")
    at.sure(seen.json["data"]["owner"] == "design")
    me.get(records)
    me.get(f"{records}/eu-banner")


@case(
    "d520",
    "dan-variant-removed-from-the-catalogue",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A price sync walks a list of variants read at the start; merchandising deletes one meanwhile. Its update with "
        "If-Match is refused, a read says 404, all others are taken."
    ),
)
def removed(stage: Stage) -> None:
    """Update what was deleted meanwhile."""
    docs = {
        f"/api/variants/{n}": {"sku": f"MUG-{n}", "price": 1290 + n, "currency": "SEK"}
        for n in range(501, 509)
    }
    server = at.node(stage, "koa", docs, {"/api/fx/SEK": {"eur": 0.087}})
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, "shop.kopp.example", "requests", {"User-Agent": "erp-price-sync/5.2"})
    other = stage.actor("other", front, "shop.kopp.example", "node:fetch", at.BROWSER)
    at.reads(me, "/api/fx/SEK", "/api/variants")
    held = {n: me.get(f"/api/variants/{n}") for n in range(501, 509)}
    gone = other.get("/api/variants/506")
    other.send("DELETE", "/api/variants/506", 204, {"If-Match": gone.etag})
    for n, seen in held.items():
        me.send(
            "PATCH",
            f"/api/variants/{n}",
            412 if n == 506 else 200,
            {"If-Match": seen.etag},
            {"price": 1350 + n},
        )
        at.rest(0.05)
    me.get("/api/variants/506", 404)
    listed = me.get("/api/variants")
    at.sure("/api/variants/506" not in listed.json["rows"])
    me.get("/api/variants/507")


@case(
    "d555",
    "dan-state-file-keeps-the-first-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A provisioning tool keeps the tag of the create in its state file and does not take that of its update: the "
        "first apply is taken, the second is refused though the last writer was the tool itself and its answer named the tag."
    ),
)
def state_file(stage: Stage) -> None:
    """Write with the tag from before one's own update."""
    box = desk({"/v2/zones/main": {"name": "main"}}, revision, {"/v2/account": {"plan": "team"}}, first=1)
    box.say = {412: {"errors": [{"code": "CND-12", "detail": "If-Match does not name the current revision"}]}}
    server = at.open_box(stage, box, "falcon")
    me = stage.actor(
        "client", server, "api.dnsgarden.example", "requests", {"User-Agent": "provision/1.11 (apply)"}
    )
    at.reads(me, "/v2/account", "/v2/zones")
    state = {}
    for name in ("web", "mail", "vpn"):
        body = {"name": name, "ttl": 300, "values": ["192.0.2.10"]}
        state[name] = me.put(f"/v2/records/{name}", body, 201, {"If-None-Match": "*"}).etag
    at.rest(0.8)
    at.reads(me, "/v2/account")
    body = {"name": "web", "ttl": 120, "values": ["192.0.2.10"]}
    told = me.put("/v2/records/web", body, 200, {"If-Match": state["web"]})
    at.sure(told.etag != state["web"])
    at.rest(0.8)
    at.reads(me, "/v2/account")
    for name, ttl in (("web", 60), ("mail", 60), ("vpn", 60)):
        wanted = 412 if name == "web" else 200
        me.put(f"/v2/records/{name}", {**body, "name": name, "ttl": ttl}, wanted, {"If-Match": state[name]})
    now = me.get("/v2/records/web")
    at.sure(now.etag == told.etag and now.json["ttl"] == 120)


@case(
    "d534",
    "dan-mirror-job-that-insists",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A mirror job between two ticket systems treats 412 like an outage: it sends the same PUT with the same "
        "If-Match eight times with growing pauses and gives up, without one read. The first refusal was a comment by an agent."
    ),
)
def insists(stage: Stage) -> None:
    """Send again what was refused."""
    docs = {f"/rest/tickets/{n}": {"key": f"OPS-{n}", "state": "open", "comments": 1} for n in range(88, 94)}
    box = desk(docs, revision, {"/rest/projects/OPS": {"name": "Operations"}}, first=14)
    box.say = {412: {"status": 412, "title": "Precondition Failed", "type": "about:blank"}}
    server = at.open_box(stage, box, "tornado")
    me = stage.actor(
        "client", server, "tickets.helpwell.example", "node:axios", {"User-Agent": "mirrorjob/3.3"}
    )
    other = stage.actor(
        "other", server, "tickets.helpwell.example", "requests", {"User-Agent": "agent-desk/9"}
    )
    at.reads(me, "/rest/projects/OPS", "/rest/tickets")
    held = {n: me.get(f"/rest/tickets/{n}") for n in range(88, 94)}
    seen = other.get("/rest/tickets/91")
    other.send("PATCH", "/rest/tickets/91", 200, {"If-Match": seen.etag}, {"comments": 2})
    for n, ours in held.items():
        body, guard = at.over(ours, state="done"), {"If-Match": ours.etag}
        if n != 91:
            me.put(f"/rest/tickets/{n}", body, 200, guard)
            continue
        for attempt in range(8):
            me.put(f"/rest/tickets/{n}", body, 412, {**guard, "X-Attempt": str(attempt + 1)})
            at.rest(0.1 * 1.5**attempt)
    me.get("/rest/projects/OPS")


@case(
    "d526",
    "dan-answer-lost-in-the-lift",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A field engineer's app saves a visit in a lift: the server stores it, the answer never arrives, the app sends "
        "the same save with the same X-Mutation again and is refused. The record names that mutation as its last."
    ),
)
def lift(stage: Stage) -> None:
    """Repeat a save whose answer was lost."""
    docs = {f"/sync/visits/{n}": {"visit": n, "notes": "", "lastMutation": "-"} for n in (7001, 7002, 7004)}
    box = desk(docs, crc, {"/sync/profile": {"engineer": "jo"}, "/sync/cursor": {"at": 5512}})
    change = box.change
    box.change = lambda req, doc: {**change(req, doc), "lastMutation": req.fields["x-mutation"]}
    box.say = {412: {"conflict": True, "hint": "pull first"}}
    server = at.open_box(stage, box, "aiohttp")
    phone = {"User-Agent": "FieldMate/4.4 (Android 14; okhttp)", "X-Device": "a7c1"}
    me = stage.actor(
        "client", server, "sync.fieldmate.example", "httpx", phone, loses=at.drops("PUT", "/visits/7002")
    )
    at.reads(me, "/sync/profile", "/sync/cursor", "/sync/visits")
    held = {n: me.get(f"/sync/visits/{n}") for n in (7001, 7002, 7004)}
    for n, seen in held.items():
        fields = {"If-Match": seen.etag, "X-Mutation": f"m-{n}-19af"}
        body = {"visit": n, "notes": f"valve {n % 10} replaced"}
        if n == 7002:
            me.put(f"/sync/visits/{n}", body, 0, fields)
            at.rest(0.7)
            me.put(f"/sync/visits/{n}", body, 412, fields)
            now = me.get(f"/sync/visits/{n}")
            at.sure(now.json["lastMutation"] == "m-7002-19af")
        else:
            me.put(f"/sync/visits/{n}", body, 200, fields)
    at.reads(me, "/sync/cursor", "/sync/visits/7002")
