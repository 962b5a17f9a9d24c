"""Stories on what proxies and caches do on the way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.dan_desk import Res, crc, desk, revision
from tools.recording_apis.stage import case
from tools.recording_apis.stories import dan_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.apps.vic_core import Box, Doc, Req
    from tools.recording_apis.stage import Stage


@case(
    "d576",
    "dan-suffix-of-the-compressing-apache",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache compresses the answers of a recipe service and puts -gzip into their tags; the service knows its own tags "
        "only, so that a save with the tag as read is refused. Read with identity, the same record has the bare tag, which is taken."
    ),
)
def suffix(stage: Stage) -> None:
    """Send a tag with the suffix of a coding."""
    text = "Simmer the stock for two hours and skim it now and then. "
    docs = {f"/recipes/{n}": {"id": n, "serves": 4, "method": text * 6} for n in (3, 4, 8)}
    box = desk(docs, crc, {"/recipes/units": ["g", "ml"]})
    box.say = {412: "recipe was modified"}
    front = fronts.apache(stage, at.open_box(stage, box, "starlette"), "SetOutputFilter DEFLATE")
    me = stage.actor("client", front, "cook.larder.example", "requests", {"User-Agent": "menu-planner/1.2"})
    at.reads(me, "/recipes/units", "/recipes/3")
    for _ in range(3):
        seen = me.get("/recipes/4")
        at.sure(seen.etag.endswith('-gzip"'), seen.etag)
        me.put("/recipes/4", at.over(seen, serves=6), 412, {"If-Match": seen.etag})
        at.rest(0.4)
    plain = me.get("/recipes/4", 200, {"Accept-Encoding": "identity"})
    at.sure(seen.etag == plain.etag[:-1] + '-gzip"')
    me.put("/recipes/4", at.over(plain, serves=6), 200, {"If-Match": plain.etag})
    at.reads(me, "/recipes/8", "/recipes/units")


@case(
    "d523",
    "dan-weak-behind-the-compressing-nginx",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "nginx compresses a policy service's answers and makes their tags weak; the service compares strongly, so that a save "
        "with the weak tag is refused each time. Read without compression the same tag is strong and is taken."
    ),
)
def weakened(stage: Stage) -> None:
    """Send a tag that has become weak on the way."""
    rules = [{"effect": "allow", "action": f"repo:{one}"} for one in ("read", "write", "admin", "delete")]
    docs = {f"/policies/{n}": {"name": n, "rules": rules} for n in ("devs", "ops", "audit")}
    server = at.node(stage, "koa", docs, {"/policies/-/schema": {"version": 3}})
    front = fronts.nginx_gzip(stage, server)
    me = stage.actor(
        "client", front, "iam.gatelodge.example", "node:axios", {"User-Agent": "terraform-gate/0.6"}
    )
    me.get("/policies/-/schema")
    for name in ("ops", "audit"):
        seen = me.get(f"/policies/{name}")
        at.sure(seen.etag.startswith("W/"), seen.etag)
        me.put(f"/policies/{name}", at.over(seen, rules=rules[:2]), 412, {"If-Match": seen.etag})
        at.rest(0.3)
    seen = me.get("/policies/ops")
    me.put("/policies/ops", at.over(seen, rules=rules[:2]), 412, {"If-Match": seen.etag})
    plain = me.get("/policies/ops", 200, {"Accept-Encoding": "identity"})
    at.sure(seen.etag == f"W/{plain.etag}")
    me.put("/policies/ops", at.over(plain, rules=rules[:2]), 200, {"If-Match": plain.etag})
    me.get("/policies/devs")


@case(
    "d571",
    "dan-hardened-edge-drops-if-match",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "HAProxy drops If-Match before a room planner (a rule from a hardening guide). A facility desk saves a room twice with "
        "the tag of its first read, across a colleague's booking, and is told 200; through the proxy stale tags always pass."
    ),
)
def hardened(stage: Stage) -> None:
    """Have an outdated tag accepted, since it never arrives."""
    docs = {f"/rooms/{n}": {"room": n, "seats": 8, "holder": ""} for n in ("oak", "elm", "ash")}
    box = desk(docs, revision, {"/floors": [1, 2]}, first=21)
    server = at.open_box(stage, box, "waitress")
    front = fronts.haproxy(stage, [server], " http-request del-header If-Match")
    me = stage.actor("client", front, "rooms.facilio.example", "httpx", {"X-User": "desk-1"})
    other = stage.actor("other", front, "rooms.facilio.example", "requests", {"X-User": "desk-2"})
    at.reads(me, "/floors", "/rooms")
    mine = me.get("/rooms/elm")
    at.rest(0.3)
    me.put("/rooms/elm", at.over(mine, seats=10), 200, {"If-Match": mine.etag})
    theirs = other.get("/rooms/elm")
    other.put("/rooms/elm", at.over(theirs, holder="board"), 200, {"If-Match": theirs.etag})
    at.reads(me, "/rooms/oak")
    at.rest(0.5)
    got = me.put("/rooms/elm", at.over(mine, seats=12), 200, {"If-Match": mine.etag})
    at.sure(got.etag == '"r24"' and not box.docs["/rooms/elm"].data["holder"])
    other.get("/rooms/elm")
    at.reads(me, "/rooms/elm", "/rooms/ash")


_VCL = """
sub vcl_recv { if (req.http.Cache-Control ~ "no-cache") { set req.hash_always_miss = true; } }
sub vcl_backend_response { set beresp.ttl = 45s; }
sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; } }
"""


@case(
    "d556",
    "dan-menu-from-the-store-of-varnish",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Varnish keeps the answers of a signage service for 45 s and does not drop them at a write. After its own save (204) a "
        "page reads the old record from the store and its next saves are refused; with Cache-Control: no-cache it gets the true one."
    ),
)
def signage(stage: Stage) -> None:
    """Take a tag from a cache."""
    docs = {
        f"/screens/{n}": {"screen": n, "slide": "welcome", "secs": 12} for n in ("lobby", "lift", "canteen")
    }
    box = desk(docs, crc, {"/playlists": ["welcome", "menu"]})
    box.answer_write = lambda _req, _path, _doc, _made: Res(204)
    box.say = {412: {"error": "Screen was changed. Reload it."}}
    front = fronts.varnish(stage, at.open_box(stage, box, "stdlib"), _VCL)
    me = stage.actor("client", front, "signs.vitrine.example", "node:fetch", at.BROWSER)
    at.reads(me, "/playlists", "/screens/lobby", "/screens/canteen")
    seen = me.get("/screens/lobby")
    me.put("/screens/lobby", at.over(seen, slide="menu"), 204, {"If-Match": seen.etag})
    for _ in range(2):
        at.rest(1.0)
        old = me.get("/screens/lobby")
        at.sure(old.etag == seen.etag and old.fields["x-cache"] == "HIT")
        me.put("/screens/lobby", at.over(old, secs=20), 412, {"If-Match": old.etag})
    at.reads(me, "/playlists")
    now = me.get("/screens/lobby", 200, {"Cache-Control": "no-cache"})
    at.sure(now.etag != seen.etag and now.json["slide"] == "menu")
    me.put("/screens/lobby", at.over(now, secs=20), 204, {"If-Match": now.etag})
    at.reads(me, "/screens/lift")


@case(
    "d564",
    "dan-read-replica-behind",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "Reads of a subscriptions API go to a replica 1.3 s behind, writes to the primary. A billing job reads a subscription "
        "right after its own change, gets the version from before, and its next change is refused; two seconds later all is well."
    ),
)
def replica(stage: Stage) -> None:
    """Read one's own write too early."""
    docs = {f"/v1/subs/{n}": {"sub": n, "seats": 5, "coupon": None} for n in ("s_10", "s_11", "s_12")}
    primary = desk(docs, revision, first=7)
    primary.say = {412: {"error": {"type": "conflict", "message": "If-Match is not the latest revision."}}}
    behind = desk({}, revision, {"/v1/plans": ["s", "m"]})
    behind.docs = primary.docs

    def look(_req: Req, path: str) -> Doc | None:
        doc = primary.docs.get(path)
        while doc is not None and doc.at > time.time() - 1.3 and doc.past:
            doc = doc.past[-1]
        return doc

    behind.look = look
    writes, reads = at.open_box(stage, primary, "waitress"), at.open_box(stage, behind, "waitress")
    me = stage.actor("client", fronts.split(stage, writes, reads), "api.tallybill.example", "requests")
    at.reads(me, "/v1/plans", "/v1/subs/s_10")
    for sub in ("s_11", "s_12"):
        seen = me.get(f"/v1/subs/{sub}")
        told = me.put(f"/v1/subs/{sub}", at.over(seen, seats=9), 200, {"If-Match": seen.etag})
        at.rest(0.2)
        old = me.get(f"/v1/subs/{sub}")
        at.sure(old.etag == seen.etag != told.etag)
        me.put(f"/v1/subs/{sub}", at.over(old, coupon="NOV"), 412, {"If-Match": old.etag})
        at.rest(0.3)
        me.get("/v1/plans")
    at.rest(1.6)
    now = me.get("/v1/subs/s_12")
    at.sure(now.etag == told.etag)
    me.put("/v1/subs/s_12", at.over(now, coupon="NOV"), 200, {"If-Match": now.etag})
    me.get("/v1/subs/s_10")


@case(
    "d548",
    "dan-two-pods-two-tags",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two pods behind HAProxy make the tag of a playlist with a salt that each draws at its start. Reads give the same octets "
        "under two tags, in turn with X-Pod; a save is refused whenever it lands on the pod that the read did not come from."
    ),
)
def pods(stage: Stage) -> None:
    """Read from one node, write to the other."""
    docs = {f"/lists/{n}": {"list": n, "tracks": [n * 3, n * 5]} for n in (71, 72, 73)}
    made: list[Box] = []
    for pod, salt in (("web-6f7-x2k", "5d"), ("web-6f7-q9v", "b1")):
        box = desk(docs if not made else {}, lambda _path, doc, salt=salt: f'"{salt}{doc.digest()[:10]}"')  # type: ignore[misc]
        box.extra = {"X-Pod": pod}
        box.fixed = {"/genres": Res(200, ["jazz", "folk"])}
        if made:
            box.docs = made[0].docs
        made.append(box)
    servers = [at.open_box(stage, box, "cheroot") for box in made]
    me = stage.actor("client", fronts.haproxy(stage, servers), "music.skein.example", "aiohttp")
    at.reads(me, "/genres", "/genres")
    one, two = me.get("/lists/72"), me.get("/lists/72")
    at.sure(one.body == two.body and one.etag != two.etag)
    me.get("/lists/72", 304, {"If-None-Match": one.etag})
    me.get("/lists/72", 200, {"If-None-Match": one.etag})
    for _ in range(2):
        seen = me.get("/lists/72")
        me.put("/lists/72", at.over(seen, tracks=[1]), 412, {"If-Match": seen.etag})
        at.rest(0.3)
    seen = me.get("/lists/73")
    me.get("/genres")
    me.put("/lists/73", at.over(seen, tracks=[2, 4]), 200, {"If-Match": seen.etag})
    at.reads(me, "/genres", "/lists/71", "/lists/71")


@case(
    "d532",
    "dan-balancer-sends-the-save-twice",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412 lost-response-replay",
    description=(
        "HAProxy (retry-on response-timeout) gives a slow payroll service 0.6 s and then sends the same PUT again: the first "
        "was stored, the second is refused, and the client, which sent it once, gets the 412. A read shows its own values."
    ),
)
def balancer(stage: Stage) -> None:
    """Be refused because the proxy has sent it twice."""
    docs = {
        f"/payslips/{n}": {"no": n, "hours": 160, "bonus": 0}
        for n in ("2026-11-04", "2026-11-05", "2026-11-09")
    }
    box = desk(docs, revision, {"/periods/2026-11": {"open": True}}, first=2)
    box.say = {412: {"message": "payslip was changed by another request"}}
    slow = {"/payslips/2026-11-05"}

    def linger(req: Req, res: Res) -> None:
        if req.method == "PUT" and res.status == 200 and req.path in slow:
            slow.clear()
            time.sleep(1.0)

    box.after.append(linger)
    server = at.open_box(stage, box, "waitress")
    lines = " retry-on response-timeout conn-failure\n retries 2\n timeout server 600ms"
    front = fronts.haproxy(stage, [server], lines)
    me = stage.actor("client", front, "pay.lohnhaus.example", "httpx", {"User-Agent": "payrun/7"})
    at.reads(me, "/periods/2026-11", "/payslips")
    for n in ("2026-11-04", "2026-11-05", "2026-11-09"):
        seen = me.get(f"/payslips/{n}")
        status = 412 if n.endswith("05") else 200
        me.put(f"/payslips/{n}", at.over(seen, hours=152, bonus=75), status, {"If-Match": seen.etag})
        now = me.get(f"/payslips/{n}")
        at.sure(now.json["bonus"] == 75)
    at.rest(0.6)
    me.get("/periods/2026-11")


@case(
    "d533",
    "dan-squid-keeps-the-tags",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    description=(
        "Squid before a contracts service takes ETag out of the answers (reply_header_access); the service wants If-Match with "
        "each change, the client never sees a tag to send: 428 each time. The origin's answers had one."
    ),
)
def keeps_tags(stage: Stage) -> None:
    """Get no tag and be asked for one."""
    docs = {f"/contracts/{n}": {"no": n, "party": "Lund AB", "ends": "2027-03-31"} for n in ("K-81", "K-82")}
    box = desk(docs, revision, {"/parties/lund": {"name": "Lund AB"}}, need=428)
    box.extra = {"Cache-Control": "private, no-store"}
    box.say[428] = {
        "error": "Precondition Required",
        "detail": "If-Match must carry the ETag of your last read.",
    }
    front = fronts.squid(stage, at.open_box(stage, box, "falcon"), "reply_header_access ETag deny all")
    me = stage.actor("client", front, "docs.avtal.example", "requests", {"User-Agent": "contract-bot/1.0"})
    at.reads(me, "/parties/lund", "/contracts")
    for n in ("K-81", "K-82", "K-81"):
        seen = me.get(f"/contracts/{n}")
        at.sure("etag" not in seen.fields)
        me.put(f"/contracts/{n}", at.over(seen, ends="2028-03-31"), 428)
        at.rest(0.3)
    me.put("/contracts/K-90", {"no": "K-90", "party": "Lund AB", "ends": "2027-06-30"}, 201)
    at.reads(me, "/contracts/K-90", "/parties/lund")


@case(
    "d543",
    "dan-nginx-judges-for-the-origin",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates",
    also="stale-cache-read",
    description=(
        "A catalogue mirror learns new tags from an uncached index and fetches each part with If-Match. nginx answers 412 out of "
        "its store (X-Cache: HIT, its own page) without asking the origin, which would say 200, as a read past the cache shows."
    ),
)
def judges(stage: Stage) -> None:
    """Be refused by a cache."""
    docs = {f"/parts/{n}": {"part": n, "stock": 3, "bin": "A1"} for n in ("p7", "p8", "p9")}
    box = desk(docs, crc, {"/parts-index/info": {"feed": "hourly"}})
    box.listing = lambda _req, _path, below: Res(
        200, {"parts": [{"href": path, "etag": crc(path, doc)} for path, doc in below.items()]}
    )
    server = at.open_box(stage, box, "flask-cheroot")
    lines = "proxy_cache_bypass $arg_fresh; proxy_no_cache $arg_fresh; add_header X-Cache $upstream_cache_status always;"
    front = fronts.nginx_cache(stage, server, 120, lines)
    me = stage.actor("client", front, "parts.spindle.example", "urllib", {"User-Agent": "partmirror/2.2"})
    other = stage.actor("other", server, "origin.spindle.example", "requests", {"User-Agent": "warehouse/1"})
    index = me.get("/parts?fresh=1").json["parts"]
    for one in index:
        me.get(one["href"], 200, {"If-Match": one["etag"]})
    at.rest(0.4)
    theirs = other.get("/parts/p8")
    other.put("/parts/p8", at.over(theirs, stock=11), 200, {"If-Match": theirs.etag})
    at.rest(0.6)
    index = me.get("/parts?fresh=1").json["parts"]
    for one in index:
        got = me.get(one["href"], 412 if one["href"] == "/parts/p8" else 200, {"If-Match": one["etag"]})
        at.sure(got.fields["x-cache"] == "HIT")
    at.rest(0.8)
    me.get("/parts/p8", 412, {"If-Match": index[1]["etag"]})
    passed = me.get("/parts/p8?fresh=1", 200, {"If-Match": index[1]["etag"]})
    at.sure(passed.json["stock"] == 11 and passed.etag == index[1]["etag"])
    me.get("/parts-index/info")


@case(
    "d551",
    "dan-save-sent-on-as-a-read",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description=(
        "A leave tool still writes to /v1; Apache sends /v1 on to /v2 with 302, which the client library follows with a GET "
        "without condition and content. Its 200 is the unchanged record, the tool says saved; reads through /v1 look well."
    ),
)
def sent_on(stage: Stage) -> None:
    """Have a PUT followed by a GET."""
    docs = {f"/v2/leave/{n}": {"id": n, "days": 3, "approved": False} for n in (601, 602, 603)}
    server = at.node(stage, "express", docs, {"/v2/holidays": ["2026-12-25"]})
    body = "ProxyPass /v1/ !\nRedirect 302 /v1/ http://leave.urlaub.example/v2/"
    front = fronts.apache(stage, server, body)
    me = stage.actor(
        "client", front, "leave.urlaub.example", "requests:follow", {"User-Agent": "leave-cli/0.4"}
    )
    at.reads(me, "/v1/holidays", "/v1/leave/601")
    for n in (601, 603):
        seen = me.get(f"/v1/leave/{n}")
        got = me.put(f"/v1/leave/{n}", at.over(seen, approved=True), 200, {"If-Match": seen.etag})
        at.sure(got.json["approved"] is False)
        at.rest(0.4)
    now = me.get("/v1/leave/601")
    at.sure(now.json["approved"] is False)
    me.put("/v2/leave/601", at.over(now, approved=True), 200, {"If-Match": now.etag})
    at.reads(me, "/v2/leave/601", "/v1/leave/602")
