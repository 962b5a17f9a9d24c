"""Stories on how servers make tags and dates, and on how they judge conditions."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.dan_desk import Res, crc, desk, revision
from tools.recording_apis.stage import case
from tools.recording_apis.stories import dan_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.apps.vic_core import Doc, Req
    from tools.recording_apis.stage import Stage


@case(
    "d572",
    "dan-dashboard-never-unchanged",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "A dashboard polls panels with If-None-Match; the service hashes the page with the time of rendering in it, so each answer "
        "is a full 200 under a new tag though the data stays the same. A save of a layout is refused for the same reason."
    ),
)
def dashboard(stage: Stage) -> None:
    """Get another tag at every read."""
    docs = {
        f"/panels/{n}": {"panel": n, "unit": "kWh", "values": [3, 4, 4, 5]} for n in ("roof", "heat", "car")
    }
    count = itertools.count(1)
    box = desk(
        docs,
        lambda _path, doc: f'"{doc.digest("sha256")[:8]}{next(count) * 7919:06x}"',
        {"/site": {"name": "Hof"}},
    )
    server = at.open_box(stage, box, "tornado")
    me = stage.actor("client", server, "energy.hofwatt.example", "node:fetch", at.BROWSER)
    at.reads(me, "/site")
    seen = {name: me.get(f"/panels/{name}") for name in ("roof", "heat", "car")}
    for _ in range(4):
        at.rest(0.25)
        for name, old in seen.items():
            got = me.get(f"/panels/{name}", 200, {"If-None-Match": old.etag})
            at.sure(got.body == old.body and got.etag != old.etag)
            seen[name] = got
    for _ in range(2):
        now = me.get("/panels/heat")
        me.put("/panels/heat", at.over(now, unit="MJ"), 412, {"If-Match": now.etag})
        at.rest(0.3)
    at.sure(me.get("/panels/heat").json["unit"] == "kWh")


@case(
    "d566",
    "dan-head-says-something-else",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "A file service answers HEAD with a tag of size and time, GET with a hash, and compares writes with the hash. A sync client "
        "takes tags by HEAD: every upload is refused, though HEAD before and after gives the same tag; with the tag of a GET it works."
    ),
)
def by_head(stage: Stage) -> None:
    """Take the tag of another code path."""
    docs = {f"/drive/{n}": ("text/plain", f"{n}\n" * 9) for n in ("todo.txt", "wines.txt", "songs.txt")}
    box = desk(docs, crc, {"/drive-info": {"free": 81200}}, dates=True)

    def shown(req: Req, res: Res) -> None:
        doc = box.docs.get(req.path)
        if req.method == "HEAD" and doc is not None:
            res.fields["ETag"] = f'"{len(doc.octets):x}-{int(doc.at):x}"'

    box.after.append(shown)
    server = at.open_box(stage, box, "waitress")
    me = stage.actor("client", server, "drive.kellerbox.example", "requests", {"User-Agent": "boxsync/0.20"})
    text = {"Content-Type": "text/plain"}
    at.reads(me, "/drive-info", "/drive")
    for name in ("todo.txt", "wines.txt"):
        head = me.send("HEAD", f"/drive/{name}", 200)
        me.put(f"/drive/{name}", "new\n", 412, {**text, "If-Match": head.etag})
        again = me.send("HEAD", f"/drive/{name}", 200)
        at.sure(again.etag == head.etag)
        me.put(f"/drive/{name}", "new\n", 412, {**text, "If-Match": again.etag})
        at.rest(0.3)
    got = me.get("/drive/wines.txt")
    at.sure(got.etag != head.etag)
    me.put("/drive/wines.txt", "new\n", 200, {**text, "If-Match": got.etag})
    at.reads(me, "/drive/songs.txt", "/drive-info")


@case(
    "d574",
    "dan-tags-as-express-makes-them",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "A volunteer roster on Express hands out the framework's own weak tags, with and without compression, and compares "
        "If-Match strongly as RFC 9110 says: no save with a tag can pass. 304 for reads works."
    ),
)
def express_tags(stage: Stage) -> None:
    """Send a tag that is weak from the start."""
    docs = {f"/roster/{n}": {"day": n, "team": ["Ana", "Leo"]} for n in ("sat", "sun", "mon")}
    server = at.node(stage, "express", docs, {"/venues": ["hall", "tent"]}, TAGS="own")
    me = stage.actor("client", server, "crew.festivo.example", "node:fetch", at.BROWSER)
    at.reads(me, "/venues", "/roster/sun")
    for _ in range(2):
        seen = me.get("/roster/sat")
        at.sure(seen.etag.startswith("W/"))
        me.get("/roster/sat", 304, {"If-None-Match": seen.etag})
        me.put("/roster/sat", at.over(seen, team=["Ana"]), 412, {"If-Match": seen.etag})
        at.rest(0.5)
    plain = me.get("/roster/sat", 200, {"Accept-Encoding": "identity"})
    at.sure(plain.etag == seen.etag)
    me.put("/roster/sat", at.over(seen, team=["Ana"]), 412, {"If-Match": plain.etag})
    sun = me.get("/roster/mon")
    me.send("PATCH", "/roster/mon", 412, {"If-Match": sun.etag}, {"team": []})
    me.get("/venues")


@case(
    "d561",
    "dan-csv-tag-for-a-json-save",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A budget service gives each media type its own tag (Vary: Accept). A script reads the sheet as text/csv, changes it as JSON "
        "with the tag of the CSV: refused. Read as JSON, the same sheet has the tag that is taken."
    ),
)
def csv_tag(stage: Stage) -> None:
    """Write with the tag of another media type."""
    docs = {f"/sheets/{n}": {"sheet": n, "rent": 1200, "power": 90} for n in ("jan", "feb", "mar")}
    box = desk(docs, crc, {"/years": [2025, 2026]}, extra={"Vary": "Accept"})

    def show(req: Req, path: str, doc: Doc) -> Res:
        if "csv" not in req.fields.get("accept", ""):
            return Res(200, doc.data, {"ETag": crc(path, doc)})
        text = "".join(f"{key},{one}\r\n" for key, one in doc.data.items())
        return Res(
            200, text, {"ETag": f'"{doc.digest("sha256")[:12]}"', "Content-Type": "text/csv; charset=utf-8"}
        )

    box.show = show
    server = at.open_box(stage, box, "falcon")
    me = stage.actor("client", server, "budget.haushalt.example", "curl:verbose")
    csv = {"Accept": "text/csv"}
    me.get("/years")
    for sheet in ("jan", "feb"):
        seen = me.get(f"/sheets/{sheet}", 200, csv)
        me.get(f"/sheets/{sheet}", 304, {**csv, "If-None-Match": seen.etag})
        me.send("PATCH", f"/sheets/{sheet}", 412, {"If-Match": seen.etag}, {"power": 96})
    seen = me.get("/sheets/feb", 200, csv)
    me.send("PATCH", "/sheets/feb", 412, {"If-Match": seen.etag}, {"power": 96})
    right = me.get("/sheets/feb", 200, {"Accept": "application/json"})
    at.sure(right.etag != seen.etag and right.json["power"] == 90)
    me.send("PATCH", "/sheets/feb", 200, {"If-Match": right.etag}, {"power": 96})
    me.get("/sheets/mar", 200, csv)


@case(
    "d565",
    "dan-bookmarks-written-and-written-again",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A bookmark sync writes its file on Apache mod_dav, reads it back at once and writes the next step with that tag. Within a second "
        "of the write Apache marks it W/ and refuses it; a moment later the same value is strong and the write passes."
    ),
)
def bookmarks(stage: Stage) -> None:
    """Write with a tag that has not settled yet."""
    files: dict[str, str | bytes] = {
        "sync/bookmarks.json": '{"rev":1,"urls":[]}',
        "sync/meta.json": '{"v":3}',
    }
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "dav.leseplatz.example", "httpx", {"User-Agent": "xmarks-sync/2.1"})
    me.get("/sync/meta.json")
    for turn in range(2):
        at.rest(1.05 - time.time() % 1.0)
        seen = me.get("/sync/bookmarks.json")
        at.sure(not seen.etag.startswith("W/"), seen.etag)
        me.put(
            "/sync/bookmarks.json",
            {"rev": turn * 2 + 2, "urls": ["a"] * (turn + 1)},
            204,
            {"If-Match": seen.etag},
        )
        fresh = me.get("/sync/bookmarks.json")
        at.sure(fresh.etag.startswith("W/"), fresh.etag)
        step = {"rev": turn * 2 + 3, "urls": ["a"] * (turn + 1), "folders": 1}
        me.put("/sync/bookmarks.json", step, 412, {"If-Match": fresh.etag})
        me.get("/sync/meta.json")
        at.rest(1.6)
        settled = me.get("/sync/bookmarks.json")
        at.sure(fresh.etag == f"W/{settled.etag}", settled.etag)
        me.put("/sync/bookmarks.json", step, 204, {"If-Match": settled.etag})
        at.rest(1.6)
    me.get("/sync/bookmarks.json")


@case(
    "d575",
    "dan-tombstone-counts-as-present",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "A settings service keeps a tombstone of what was deleted and takes it for a record when it judges If-None-Match: *: after the "
        "client's own DELETE a GET says 404, yet a create is refused with 412, again and again; without the condition it is made."
    ),
)
def tombstone(stage: Stage) -> None:
    """Be told that there is what is not there."""
    box = desk({f"/settings/{n}": {"key": n, "value": "on"} for n in ("mfa", "sso", "beta")}, revision)
    box.fixed = {"/org": Res(200, {"org": "kvist"})}
    buried: set[str] = set()
    box.done.append(lambda _req, path: buried.discard(path))
    judge = box.judge

    def judged(req: Req, doc: Doc | None) -> Res | None:
        if req.method == "DELETE":
            buried.add(req.path)
        if doc is None and req.path in buried and req.fields.get("if-none-match") == "*":
            return Res(
                412, {"error": "PreconditionFailed", "message": "If-None-Match: * failed, the key exists"}
            )
        refusal: Res | None = judge(req, doc)
        return refusal

    box.judge = judged
    server = at.open_box(stage, box, "bottle")
    me = stage.actor(
        "client", server, "conf.kvist.example", "requests", {"User-Agent": "terraform-kvist/1.5"}
    )
    at.reads(me, "/org", "/settings")
    new = {"If-None-Match": "*"}
    me.put("/settings/audit", {"key": "audit", "value": "on"}, 201, new)
    seen = me.get("/settings/beta")
    me.send("DELETE", "/settings/beta", 204, {"If-Match": seen.etag})
    me.get("/settings/beta", 404)
    for _ in range(3):
        me.put("/settings/beta", {"key": "beta", "value": "off"}, 412, new)
        me.get("/settings/beta", 404)
        at.rest(0.5)
    at.reads(me, "/settings", "/org")
    me.put("/settings/beta", {"key": "beta", "value": "off"}, 201)
    me.get("/settings/beta")


@case(
    "d530",
    "dan-booked-and-then-refused",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "A ledger service stores a posting first and compares If-Match with the tag after it: the only attempt of each change is told "
        "412, a read shows the client's own values and reference under a new tag. Creations are not concerned."
    ),
)
def booked(stage: Stage) -> None:
    """Be refused after the change was made."""
    docs = {f"/ledger/postings/{n}": {"no": n, "amount": 100 * n, "ref": ""} for n in (1, 2, 3, 4)}
    box = desk(docs, revision, {"/ledger/accounts/1200": {"name": "Bank"}}, first=5)
    commit = box.commit

    def judge(req: Req, doc: Doc | None) -> Res | None:
        if req.method != "PUT" or doc is None:
            return None
        sent = req.fields.get("if-match")
        commit(req, req.path)
        now = box.docs[req.path]
        if sent == revision(req.path, now):
            return Res(200, now.data, {"ETag": sent})
        return Res(412, {"status": 412, "error": "OptimisticLock", "sent": sent})

    box.judge = judge
    server = at.open_box(stage, box, "starlette")
    me = stage.actor("client", server, "books.soldo.example", "node:axios", {"User-Agent": "bank-feed/4"})
    at.reads(me, "/ledger/accounts/1200", "/ledger/postings")
    me.put("/ledger/postings/5", {"no": 5, "amount": 12, "ref": "FEED-0"}, 201)
    for n in (2, 3):
        seen = me.get(f"/ledger/postings/{n}")
        me.put(
            f"/ledger/postings/{n}", at.over(seen, ref=f"FEED-{n}", amount=55), 412, {"If-Match": seen.etag}
        )
        now = me.get(f"/ledger/postings/{n}")
        at.sure(now.json["ref"] == f"FEED-{n}" and now.etag != seen.etag)
        at.rest(0.3)
    at.reads(me, "/ledger/postings/4", "/ledger/accounts/1200")


@case(
    "d558",
    "dan-nginx-dav-reads-no-if-match",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "nginx's own WebDAV module hands out tags for files and takes every PUT, whatever If-Match says: a save with a tag that was "
        "replaced twice is stored, and a colleague's line is gone. There is no proxy."
    ),
)
def nginx_dav(stage: Stage) -> None:
    """Have an outdated tag accepted by a server that reads none."""
    files: dict[str, str | bytes] = {
        "wiki/agenda.txt": "1. Minutes\n",
        "wiki/menu.txt": "Soup\n",
        "wiki/rules.txt": "Be kind\n",
    }
    server = fronts.site(stage, "nginx", files, fronts.DAV["nginx"])
    me = stage.actor("client", server, "notes.verein.example", "urllib", {"User-Agent": "notepad-dav/1.8"})
    other = stage.actor("other", server, "notes.verein.example", "curl:verbose")
    text = {"Content-Type": "text/plain"}
    at.reads(me, "/wiki/menu.txt", "/wiki/rules.txt")
    first = me.get("/wiki/agenda.txt")
    me.put("/wiki/agenda.txt", "1. Minutes\n2. Budget\n", 204, {**text, "If-Match": first.etag})
    at.rest(1.1)
    theirs = other.get("/wiki/agenda.txt")
    other.put("/wiki/agenda.txt", f"{theirs.text}3. Garden\n", 204, {**text, "If-Match": theirs.etag})
    at.rest(1.2)
    me.get("/wiki/menu.txt")
    me.put("/wiki/agenda.txt", "1. Minutes\n2. Budget\n4. Party\n", 204, {**text, "If-Match": first.etag})
    now = me.get("/wiki/agenda.txt")
    at.sure(now.etag != first.etag and "Garden" not in now.text)
    me.get("/wiki/agenda.txt", 304, {"If-None-Match": now.etag})
    other.get("/wiki/agenda.txt")
