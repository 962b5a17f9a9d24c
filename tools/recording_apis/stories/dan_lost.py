"""Stories on updates that are lost without a refusal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.dan_desk import desk, revision
from tools.recording_apis.stage import case
from tools.recording_apis.stories import dan_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d536",
    "dan-form-fetches-a-tag-on-save",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A job advert form reads the record when it opens and once more on Save, only for the tag; it sends the values of "
        "the first read. Pay and contact that a recruiter set in between are put back; every answer is 200."
    ),
)
def refreshes(stage: Stage) -> None:
    """Guard an old edit with a new tag."""
    advert = {"title": "Plumber", "pay": "28000", "contact": "hr@pipes.example", "text": "Full time."}
    docs = {f"/api/adverts/{n}": {"id": n, **advert} for n in (31, 32, 35)}
    server = at.node(stage, "express", docs, {"/api/whoami": {"login": "tess"}, "/api/regions": ["N", "S"]})
    me = stage.actor("client", server, "hire.pipes.example", "node:fetch", at.BROWSER)
    other = stage.actor("other", server, "hire.pipes.example", "node:axios", {"X-User": "recruiter"})
    at.reads(me, "/api/whoami", "/api/adverts", "/api/regions", "/api/adverts/31")
    opened = me.get("/api/adverts/32")
    at.rest(0.5)
    theirs = other.get("/api/adverts/32")
    body = at.over(theirs, pay="31500", contact="jobs@pipes.example")
    other.put("/api/adverts/32", body, 200, {"If-Match": theirs.etag})
    at.rest(0.6)
    fresh = me.get("/api/adverts/32")
    at.sure(fresh.json["pay"] == "31500")
    me.put(
        "/api/adverts/32", at.over(opened, text="Full time, vans provided."), 200, {"If-Match": fresh.etag}
    )
    now = me.get("/api/adverts/32")
    at.sure(now.json["pay"] == "28000")
    at.reads(me, "/api/adverts", "/api/adverts/35")
    at.rest(0.4)
    other.get("/api/adverts/32")


@case(
    "d527",
    "dan-shared-price-file",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "Two branches keep a price list on Apache mod_dav, which gives tags with each read; both upload without any "
        "condition from the same base, and the line of the first is gone when it looks again."
    ),
)
def price_file(stage: Stage) -> None:
    """Upload without a condition."""
    files: dict[str, str | bytes] = {
        "lists/prices.csv": "sku,price\nA1,10\nB2,20\n",
        "lists/stores.csv": "store\nnorth\nsouth\n",
        "lists/readme.txt": "Keep the header line.\n",
    }
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "files.tarnbrook.example", "curl:trace-time")
    other = stage.actor(
        "other", server, "files.tarnbrook.example", "requests", {"User-Agent": "branch-south/1"}
    )
    me.get("/lists/readme.txt")
    mine, theirs = me.get("/lists/prices.csv"), other.get("/lists/prices.csv")
    at.sure(mine.etag and theirs.etag)
    me.get("/lists/stores.csv")
    text = {"Content-Type": "text/csv"}
    me.put("/lists/prices.csv", f"{mine.text}N1,31\n", 204, text)
    got = me.get("/lists/prices.csv")
    at.sure("N1,31" in got.text)
    at.rest(0.6)
    other.put("/lists/prices.csv", f"{theirs.text}S1,44\n", 204, text)
    at.rest(0.8)
    me.get("/lists/stores.csv")
    now = me.get("/lists/prices.csv")
    at.sure("N1" not in now.text and "S1" in now.text)
    me.put("/lists/prices.csv", f"{now.text}N1,31\n", 204, text)
    other.get("/lists/prices.csv")


@case(
    "d569",
    "dan-import-in-two-lanes",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    description=(
        "An importer posts stock from two warehouses in two lanes; both change one bin with the same tag at once and both "
        "are told 200, one count is lost. A moment later the same old tag is refused as it should be."
    ),
)
def lanes(stage: Stage) -> None:
    """Have both of two overlapping writes with one tag accepted."""
    docs = {f"/stock/bins/{n}": {"bin": n, "east": 0, "west": 0} for n in ("b11", "b12", "b13", "b14")}
    box = desk(docs, revision, {"/stock/imports/77": {"state": "running"}}, first=3)
    box.say = {412: {"fault": "stale bin"}}
    me = stage.actor("client", at.open_box(stage, box, "cheroot"), "wms.cratework.example", "httpx")
    at.reads(me, "/stock/imports/77", "/stock/bins")
    for n in ("b11", "b13", "b14"):
        seen = me.get(f"/stock/bins/{n}")
        me.put(f"/stock/bins/{n}", at.over(seen, east=40), 200, {"If-Match": seen.etag, "X-Lane": "east"})
    seen, again = me.get("/stock/bins/b12"), me.get("/stock/bins/b12")
    box.gap = 0.4
    got = at.at_once(
        lambda: me.put(
            "/stock/bins/b12", at.over(seen, east=25), 200, {"If-Match": seen.etag, "X-Lane": "east"}
        ),
        lambda: me.put(
            "/stock/bins/b12", at.over(again, west=60), 200, {"If-Match": again.etag, "X-Lane": "west"}
        ),
        apart=0.07,
    )
    box.gap = 0.0
    at.sure([one.status for one in got] == [200, 200])
    now = me.get("/stock/bins/b12")
    at.sure(now.json == {"bin": "b12", "east": 0, "west": 60}, json.dumps(now.json))
    at.rest(0.4)
    me.put("/stock/bins/b12", at.over(seen, east=25), 412, {"If-Match": seen.etag, "X-Lane": "east"})
    at.reads(me, "/stock/imports/77")
    me.put("/stock/bins/b12", at.over(now, east=25), 200, {"If-Match": now.etag, "X-Lane": "east"})
