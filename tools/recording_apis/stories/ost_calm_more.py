"""More traffic of small services with nothing wrong in it."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ost_setting as own

_TEXT = {"Content-Type": "text/plain"}
_CARD = {"Content-Type": "text/vcard; charset=utf-8"}


def _card(uid: str, name: str) -> str:
    return f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nEND:VCARD\r\n"


@case(
    "a892",
    "redirect-that-keeps-the-put",
    "none",
    "healthy",
    alone="none",
    description="The old path is moved with 308; the client's library repeats its PUT at the new one, condition and all.",
)
def keeps_put(stage: Stage) -> None:
    """Follow 308."""
    server = own.house(stage, "ost_meters.py", own.METERS, FLAGS="demand")
    move = "location /meters/ { return 308 http://hydra.water.example.test/v3$request_uri; }"
    edge = fronts.nginx(stage, server, block=move)
    me = stage.actor(
        "client", edge, "hydra.water.example.test", "requests:follow", {"X-Operator": "reader-03"}
    )
    me.get("/v3/meters?district=Hill")
    for number in ("70231", "70114"):
        read = me.get(f"/meters/{number}")
        body = {"meter": {**read.json["meter"], "seal": "2026"}}
        made = me.put(f"/meters/{number}", body, 200, {"If-Match": read.etag})
        own.insist(made.json["meter"]["seal"] == "2026", "not stored")
        me.get(f"/v3/meters/{number}", 304, {"If-None-Match": made.etag})


@case(
    "a893",
    "tariff-csv-for-reading-json-for-writing",
    "none",
    "healthy",
    alone="none",
    description="A client downloads tariffs as CSV, and for its change reads JSON and writes JSON with the tag of that.",
)
def both_kinds(stage: Stage) -> None:
    """Keep representations apart."""
    server = own.house(stage, "ost_tariffs.py", own.TARIFFS, FLAGS="demand")
    me = stage.actor(
        "client", server, "tariffs.transit.example.test", "node:axios", {"X-Signed": "office north"}
    )
    for name in ("zone-a", "zone-b", "zone-z"):
        got = me.send("GET", f"/tariffs/{name}", (200, 404), {"Accept": "text/csv"})
        if got.status == 200:
            me.get(f"/tariffs/{name}", 304, {"Accept": "text/csv", "If-None-Match": got.etag})
    asked = {"Accept": "application/json"}
    me.send("HEAD", "/tariffs/zone-b", 200, asked)
    read = me.get("/tariffs/zone-b", 200, asked)
    rows = [*read.json["rows"], {"kind": "bike", "price": 3.1}]
    made = me.put("/tariffs/zone-b", {"rows": rows}, 200, {**asked, "If-Match": read.etag})
    rows[0]["price"] = 8.4
    me.put("/tariffs/zone-b", {"rows": rows}, 200, {**asked, "If-Match": made.etag})
    me.get("/tariffs/zone-b", 200, {"Accept": "text/csv"})


@case(
    "a894",
    "sheet-locked-saved-unlocked",
    "none",
    "healthy",
    alone="none",
    description="An office program locks a sheet on WsgiDAV, saves twice with the lock's token in If, and unlocks it.",
)
def sheet(stage: Stage) -> None:
    """Save under the own lock."""
    server = stage.server("wsgidav")
    folder = server.directory / "club"
    folder.mkdir()
    (folder / "budget-2027.csv").write_text("post;amount\nrent;4800\n", encoding="utf-8")
    me = stage.actor("client", server, "files.club.example.test", "httpx", {"User-Agent": "LibreOffice 24.8"})
    other = stage.actor("other", server, "files.club.example.test", "requests", {"User-Agent": "Mozilla/5.0"})
    me.send("OPTIONS", "/club/", 200)
    me.send("PROPFIND", "/club/", 207, {"Depth": "1", **own.XML})
    read = me.get("/club/budget-2027.csv")
    lock = (
        '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/>'
        "</locktype><owner>odile</owner></lockinfo>"
    )
    held = me.send(
        "LOCK", "/club/budget-2027.csv", 200, {"Timeout": "Second-300", "Depth": "0", **own.XML}, lock
    )
    token = held.fields["lock-token"]
    text = read.text
    for line in ("balls;350\n", "bus;920\n"):
        text += line
        me.put("/club/budget-2027.csv", text, 204, {"If": f"({token})", "Content-Type": "text/csv"})
        other.get("/club/budget-2027.csv")
        time.sleep(0.3)
    me.send("UNLOCK", "/club/budget-2027.csv", 204, {"Lock-Token": token})
    me.get("/club/budget-2027.csv")


@case(
    "a895",
    "switches-swapped-on-their-index",
    "none",
    "healthy",
    alone="none",
    description="An operator's script reads switches in etcd and swaps them on the index it has read, one after another.",
)
def switches(stage: Stage) -> None:
    """Swap keys."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.example.test", "curl", {"User-Agent": "switches.sh"})
    for name in ("search", "basket", "mail"):
        me.put(f"/v2/keys/switch/{name}?prevExist=false", "value=off", 201, own.FORM)
    me.get("/v2/keys/switch?recursive=true&sorted=true")
    for name in ("search", "mail"):
        node = me.get(f"/v2/keys/switch/{name}").json["node"]
        guard = f"prevIndex={node['modifiedIndex']}"
        made = me.put(f"/v2/keys/switch/{name}?{guard}", "value=on", 200, own.FORM).json["node"]
        me.put(f"/v2/keys/switch/{name}?prevIndex={made['modifiedIndex']}", "value=half", 200, own.FORM)
    me.get("/v2/keys/switch/none", 404)
    me.get("/v2/keys/switch?recursive=true&sorted=true")


@case(
    "a896",
    "compressed-to-look-identity-to-edit",
    "none",
    "healthy",
    alone="none",
    description=(
        "Behind a compressing nginx an inventory client browses with gzip and weak tags (304), and reads with identity "
        "what it is about to change: its If-Match is strong and holds."
    ),
)
def identity_to_edit(stage: Stage) -> None:
    """Read for editing without a coding."""
    server = own.house(stage, "ost_inventory.php", own.ASSETS, FLAGS="demand")
    edge = fronts.nginx_gzip(stage, server)
    me = stage.actor("client", edge, "inventory.townhall.example.test", "requests", {"X-Clerk": "h.brandt"})
    packed, plain = {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "identity"}
    me.get("/assets", 200, packed)
    for no in ("1203", "1204", "1377"):
        seen = me.get(f"/api/assets/{no}.json", 200, packed)
        me.get(f"/api/assets/{no}.json", 304, {**packed, "If-None-Match": seen.etag.removeprefix("W/")})
    read = me.get("/api/assets/1377.json", 200, plain)
    made = me.send("PATCH", "/api/assets/1377.json", 200, {**plain, "If-Match": read.etag}, {"room": "Shed"})
    me.send("PATCH", "/api/assets/1377.json", 200, {**plain, "If-Match": made.etag}, {"state": "lent"})
    me.get("/api/assets.json", 200, packed)


@case(
    "a897",
    "cached-for-the-public-fresh-for-the-editor",
    "none",
    "healthy",
    alone="none",
    description=(
        "Notices come from Varnish for readers (HIT, Age); the editor reads past it with no-cache and stores with "
        "current tags. Readers see the old text until it has run out, which harms nobody."
    ),
)
def public(stage: Stage) -> None:
    """Read from a cache and edit past it."""
    server = own.house(stage, "ost_notices.rb", own.NOTICES)
    rules = (
        'sub vcl_recv { if (req.http.Cache-Control ~ "no-cache") { return (pass); } }\n'
        "sub vcl_backend_response { set beresp.ttl = 1s; set beresp.grace = 0s; }"
    )
    edge = fronts.varnish(stage, server, rules)
    me = stage.actor(
        "client", edge, "parish.example.test", "urllib", {"X-Editor": "verger", "User-Agent": "Atomic/1"}
    )
    other = stage.actor(
        "other", edge, "parish.example.test", "aiohttp", {"User-Agent": "Mozilla/5.0 (reader)"}
    )
    for _ in range(3):
        other.get("/notices/31")
    fresh = {"Cache-Control": "no-cache"}
    me.get("/notices", 200, fresh)
    me.get("/notices/32", 200, fresh)
    me.get("/notices/40", 404, fresh)
    read = me.get("/notices/31", 200, fresh)
    kind = {"Content-Type": "application/atom+xml;type=entry"}
    text = read.text.replace("19:30", "20:00")
    made = me.put("/notices/31", text, 200, {**kind, "If-Match": read.etag})
    other.get("/notices/31")
    time.sleep(1.4)
    own.insist("20:00" in other.get("/notices/31").text, "still the old text")
    me.put("/notices/31", text.replace("Hall", "Church"), 200, {**kind, "If-Match": made.etag})


@case(
    "a898",
    "permits-filed-and-worked-through",
    "none",
    "healthy",
    alone="none",
    description=(
        "A portal files two permits with If-None-Match: *, a clerk takes tickets, comments and changes states; each "
        "write carries the tag of the answer before."
    ),
)
def worked_through(stage: Stage) -> None:
    """File and decide."""
    server = own.house(stage, "ost_permits.py", own.PERMITS, FLAGS="must,tickets")
    me = stage.actor("client", server, "permits.county.example.test", "httpx", {"X-Clerk": "l.novak"})
    other = stage.actor("other", server, "permits.county.example.test", "requests", {"X-Clerk": "portal"})
    body = "<permit><applicant>{}</applicant><plot>{}</plot><state>received</state></permit>"
    fields = {**own.XML, "If-None-Match": "*"}
    for number, applicant in (("BP-2026-0150", "Ito"), ("BP-2026-0151", "Garcia")):
        other.put(f"/permits/{number}", body.format(applicant, "5/2"), 201, fields)
        other.get(f"/permits/{number}")
    me.get("/permits?state=received")
    for number in ("BP-2026-0150", "BP-2026-0151"):
        path = f"/permits/{number}"
        ticket = me.send("POST", f"{path}/ticket", 201, own.XML, "<take/>").fields["x-edit-ticket"]
        tag = me.get(path).etag
        for state in ("in review", "approved"):
            guarded = {**own.XML, "If-Match": tag, "X-Edit-Ticket": ticket}
            tag = me.put(path, f"<permit><state>{state}</state></permit>", 200, guarded).etag
        me.send("DELETE", f"{path}/ticket", 204)
    own.insist("approved" in other.get("/permits/BP-2026-0151").text, "not approved")


@case(
    "a899",
    "reading-tour-of-the-month",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two readers walk their districts: lists, reads, readings with If-Match, corrections with the tag of the "
        "answer, HEADs and 304s; a new meter is registered and an old one taken out."
    ),
)
def tour(stage: Stage) -> None:
    """Walk two districts."""
    server = own.house(stage, "ost_meters.py", own.METERS, FLAGS="demand")
    edge = fronts.traefik(stage, [server])
    always = {
        "X-Operator": "reader-07",
        "Authorization": "Bearer reader-07-token",
        "User-Agent": "MeterWalk/5.0",
    }
    me = stage.actor("client", edge, "hydra.water.example.test", "aiohttp", always)
    other = stage.actor("other", edge, "hydra.water.example.test", "httpx", {"X-Operator": "reader-12"})
    me.get("/v3/meters?district=Harbour&order=street&page=1&size=50")
    other.get("/v3/meters?district=Hill&order=street&page=1&size=50")
    for number, m3 in (("70114", 1225.0), ("70115", 95.5)):
        path = f"/v3/meters/{number}"
        read = me.get(path)
        made = me.put(path, {"meter": {**read.json["meter"], "m3": m3}}, 200, {"If-Match": read.etag})
        fixed = {"meter": {**read.json["meter"], "m3": m3 + 1, "photo": f"p-{number}.jpg"}}
        again = me.put(path, fixed, 200, {"If-Match": made.etag})
        me.get(path, 304, {"If-None-Match": again.etag})
        me.send("HEAD", path, 200)
    hill = other.get("/v3/meters/70231")
    other.put(
        "/v3/meters/70231", {"meter": {**hill.json["meter"], "m3": 652.0}}, 200, {"If-Match": hill.etag}
    )
    me.get("/v3/meters/70120", 404)
    meter = {"district": "Harbour", "street": "Quay 8", "m3": 0, "seal": "ok"}
    me.put("/v3/meters/70120", {"meter": meter}, 201, {"If-None-Match": "*"})
    old = me.get("/v3/meters/70115").etag
    me.send("DELETE", "/v3/meters/70115", 204, {"If-Match": old})
    me.get("/v3/meters?district=Harbour&order=street&page=1&size=50")
