"""Stories of clients that keep, lose, damage or mistake their tags."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from tools.recording_apis.apps.ada_desk import Desk, Sheet, hashed, numbered
from tools.recording_apis.stage import case
from tools.recording_apis.stories import ada_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d346",
    "ada-tags-of-the-first-download",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A surveyor's tablet keeps the tags of its morning download in a file and never those of its own saves: the "
        "first save of each tree goes through, the second carries the morning's tag and is refused. Nobody else writes."
    ),
)
def tablet(stage: Stage) -> None:
    """Keep the tags of the first read."""
    rows = {
        f"/trees/{n}": {"tree": n, "species": "Tilia", "height": 12.0, "vitality": 2}
        for n in (1204, 1205, 1209)
    }
    side = at.beside("/photos", 4, caption="")
    desk = Desk({**rows, **side}, hashed, words={412: {"fejl": "Træet er ændret", "kode": 412}})
    server = at.desk(stage, desk, "flask")
    me = stage.actor("client", server, "trees.kommune.example", "urllib", {"User-Agent": "treewalk/1.8 sync"})
    at.rounds(me, "/status", "/trees")
    morning = {n: me.get(f"/trees/{n}") for n in (1204, 1205, 1209)}
    at.pause()
    for tree, change in ((1204, {"height": 12.5}), (1205, {"vitality": 3})):
        guard = {"If-Match": morning[tree].etag}
        saved = me.put(f"/trees/{tree}", {**morning[tree].json, **change}, 200, guard)
        at.need(saved.etag != morning[tree].etag)
        at.pause(0.5)
    at.busy(me, side, "caption", 12, 346)
    at.rounds(me, "/trees/1209", again=True)
    for tree, change in ((1204, {"height": 12.5, "vitality": 1}), (1205, {"vitality": 3, "height": 11.0})):
        me.put(f"/trees/{tree}", {**morning[tree].json, **change}, 412, {"If-Match": morning[tree].etag})
        at.rounds(me, "/status")
        at.pause(0.8)
    at.busy(me, side, "caption", 7, 1346)
    now = me.get("/trees/1204")
    at.need(now.json["height"] == 12.5)


@case(
    "d347",
    "ada-uploader-that-tries-and-tries",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A studio's uploader sends a playlist with the tag that it read; the station's editor was quicker. "
        "The uploader takes the 412 for a passing fault and sends the same again six times, at growing distances. Koa."
    ),
)
def uploader(stage: Stage) -> None:
    """Send what was refused again and again."""
    rows = {f"/playlists/{n}": {"name": n, "tracks": ["a1", "b7"]} for n in ("morning", "noon", "night")}
    side = at.beside("/jingles", 4, volume=3)
    server = at.counter(stage, "koa", {**rows, **side})
    me = stage.actor("client", server, "playlists.fm.test", "httpx", {"User-Agent": "studio-uploader/0.4"})
    other = stage.actor("other", server, "playlists.fm.test", "node:axios", {"User-Agent": "editor-web/12"})
    at.rounds(me, "/playlists", "/playlists/morning")
    at.busy(me, side, "volume", 8, 347)
    mine = me.get("/playlists/night")
    theirs = other.get("/playlists/night")
    other.put("/playlists/night", {**theirs.json, "tracks": ["c3"]}, 200, {"If-Match": theirs.etag})
    at.pause(0.8)
    wait, body = 0.15, {**mine.json, "tracks": ["a1", "b7", "d9"]}
    for attempt in range(1, 7):
        me.put("/playlists/night", body, 412, {"If-Match": mine.etag, "X-Attempt": str(attempt)})
        at.pause(wait)
        wait *= 1.8
    at.busy(me, side, "volume", 8, 1347)
    at.rounds(me, "/playlists/noon", again=True)
    other.get("/playlists/night")


@case(
    "d348",
    "ada-answer-lost-in-the-tunnel",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A conductor's terminal saves an occupancy; the train enters a tunnel and the answer is lost. The terminal "
        "sends the same save again, same tag and same id, and is refused by its own first attempt. Tornado."
    ),
)
def tunnel(stage: Stage) -> None:
    """Meet one's own write."""
    rows = {f"/coaches/{n}": {"coach": n, "seated": 31, "bikes": 1} for n in (21, 22, 23)}
    side = at.beside("/seats", 3, state="free")
    desk = Desk({**rows, **side}, hashed, words={412: {"error": "coach was updated", "retryable": False}})
    server = at.desk(stage, desk, "tornado")
    lost = at.loses("PUT", "/coaches/22")
    me = stage.actor(
        "client", server, "occupancy.rail.test", "requests", {"User-Agent": "conductor/6"}, loses=lost
    )
    at.rounds(me, "/status", "/coaches")
    at.busy(me, side, "state", 8, 348)
    held = {n: me.get(f"/coaches/{n}") for n in (21, 22, 23)}
    me.put(
        "/coaches/21", {**held[21].json, "seated": 44}, 200, {"If-Match": held[21].etag, "X-Op": "op-7719"}
    )
    at.pause()
    body, guard = {**held[22].json, "seated": 52, "bikes": 3}, {"If-Match": held[22].etag, "X-Op": "op-7720"}
    me.put("/coaches/22", body, 0, guard)
    at.pause(1.2)
    me.put("/coaches/22", body, 412, guard)
    now = me.get("/coaches/22")
    at.need(now.json == body)
    me.put("/coaches/23", {**held[23].json, "seated": 8}, 200, {"If-Match": held[23].etag, "X-Op": "op-7721"})
    at.busy(me, side, "state", 9, 1348)
    at.rounds(me, "/coaches/22", again=True)


@case(
    "d349",
    "ada-fresh-tag-for-an-old-form",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A form of a blood bank reads the stock anew right before it saves, takes nothing but the tag from that read "
        "and sends its old fields: a colleague's correction is undone with 200. Pyramid."
    ),
)
def form(stage: Stage) -> None:
    """Refresh the tag and not the content."""
    rows = {
        f"/stock/{n}": {"group": n, "units": 14, "reserved": 2, "note": ""} for n in ("0neg", "Apos", "Bpos")
    }
    side = at.beside("/donors", 4, note="")
    server = at.desk(stage, Desk({**rows, **side}, numbered, rev=31), "pyramid")
    me = stage.actor("client", server, "stock.bloodbank.test", "node:axios", {"X-Staff": "desk-2"})
    other = stage.actor("other", server, "stock.bloodbank.test", "httpx", {"X-Staff": "lab-1"})
    at.rounds(me, "/stock", "/stock/Apos")
    at.busy(me, side, "note", 10, 349)
    mine = me.get("/stock/0neg")
    at.pause()
    theirs = other.get("/stock/0neg")
    other.put("/stock/0neg", {**theirs.json, "units": 9, "reserved": 5}, 200, {"If-Match": theirs.etag})
    at.pause(1.2)
    at.rounds(me, "/status")
    fresh = me.get("/stock/0neg")
    at.need(fresh.json["units"] == 9)
    me.put("/stock/0neg", {**mine.json, "note": "call St. Mary"}, 200, {"If-Match": fresh.etag})
    at.pause()
    now = me.get("/stock/0neg")
    at.need(now.json["units"] == 14 and now.json["reserved"] == 2)
    at.busy(me, side, "note", 8, 1349)
    at.rounds(me, "/stock/Bpos", again=True)
    other.get("/stock/0neg")


@case(
    "d350",
    "ada-spreadsheet-export-without-a-condition",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "A macro writes rows of a duty table back as it read them in the morning, without any condition, though the "
        "service hands out tags and the web page uses them; a swap made by page, which the macro's own check had read, "
        "is overwritten with 200. Django."
    ),
)
def macro(stage: Stage) -> None:
    """Write without a condition."""
    rows = {
        f"/duties/{n}": {"day": n, "early": "Ana", "late": "Bo", "phone": ""} for n in ("mon", "tue", "wed")
    }
    server = at.desk(stage, Desk(rows, hashed), "django")
    me = stage.actor("client", server, "duties.clinic.test", "urllib", {"User-Agent": "xl-macro"})
    other = stage.actor("other", server, "duties.clinic.test", "requests", {"X-Staff": "bo"})
    morning = {n: me.get(f"/duties/{n}") for n in ("mon", "tue", "wed")}
    at.need(all("etag" in one.fields for one in morning.values()))
    theirs = other.get("/duties/tue")
    other.put("/duties/tue", {**theirs.json, "late": "Cem"}, 200, {"If-Match": theirs.etag})
    at.pause(1.1)
    at.rounds(me, "/status")
    seen = me.get("/duties/tue")
    at.need(seen.json["late"] == "Cem")
    at.pause()
    for day, held in morning.items():
        me.put(f"/duties/{day}", {**held.json, "phone": "4471"}, 200)
        at.pause(0.15)
    now = other.get("/duties/tue")
    at.need(now.json["late"] == "Bo")
    me.get("/duties/tue")
    me.get("/duties")


@case(
    "d351",
    "ada-if-match-undefined",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "A page reads the tag of a recipe from a name that the answer does not have and sends If-Match: undefined; "
        "every save is refused, whatever was read before. Fastify."
    ),
)
def undefined(stage: Stage) -> None:
    """Send a word in place of a tag."""
    rows = {f"/recipes/{n}": {"title": n, "serves": 4, "steps": ["boil"]} for n in ("dal", "pho", "borscht")}
    side = at.beside("/pantry", 3, left=2)
    server = at.counter(stage, "fastify", {**rows, **side})
    me = stage.actor("client", server, "recipes.kitchen.test", "node:axios", {"User-Agent": "cookpad-ng/0.1"})
    at.rounds(me, "/ready", "/recipes")
    at.rounds(me, "/recipes/dal", again=True)
    for name in ("pho", "pho", "borscht"):
        seen = me.get(f"/recipes/{name}")
        at.need(seen.etag.startswith('"'))
        me.send("PATCH", f"/recipes/{name}", 412, {"If-Match": "undefined"}, {"serves": 6})
        at.pause()
    at.rounds(me, *side, again=True)
    me.put("/recipes/laksa", {"title": "laksa", "serves": 2}, 201, {"If-None-Match": "*"})
    me.get("/recipes/pho")


@case(
    "d352",
    "ada-tag-through-a-url-encoder",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A shell script keeps tags in the names of files and so encodes them as in URLs; it sends %22...%22 as they "
        "come from there, and each save is refused. With the quotes put back it goes through. PHP."
    ),
)
def encoded(stage: Stage) -> None:
    """Send an encoded tag."""
    rows = {
        f"/permits/{n}": {"permit": n, "street": "Rue Haute", "valid": True} for n in ("p17", "p18", "p20")
    }
    me = stage.actor("client", at.filing(stage, rows), "permits.ville.example", "curl")
    at.rounds(me, "/ready.php", "/permits/p20")
    for permit in ("p17", "p18"):
        seen = me.get(f"/permits/{permit}")
        me.get(f"/permits/{permit}", 304, {"If-None-Match": seen.etag})
        coded = seen.etag.replace('"', "%22")
        me.send("PATCH", f"/permits/{permit}", 412, {"If-Match": coded}, {"valid": False})
        at.pause()
    me.send("PATCH", "/permits/p18", 412, {"If-Match": coded}, {"valid": False})
    seen = me.get("/permits/p18")
    me.send("PATCH", "/permits/p18", 200, {"If-Match": seen.etag}, {"valid": False})
    me.get("/permits/p18")


@case(
    "d353",
    "ada-the-albums-tag-for-a-photo",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A gallery's app reads an album, which has a tag, with its photos inside, and saves the title of a photo "
        "under the album's tag: refused, each time. The tag of the photo itself is taken. Litestar."
    ),
)
def album(stage: Stage) -> None:
    """Send the tag of the parent."""
    photos = {f"/photos/{n}": {"id": n, "title": f"DSC_{n}", "album": "alps"} for n in (4031, 4032, 4033)}
    albums = {
        f"/albums/{n}": {"name": n, "cover": 4031, "photos": [4031, 4032, 4033]} for n in ("alps", "home")
    }
    server = at.desk(
        stage,
        Desk({**albums, **photos}, lambda path, sheet: f'"{path[1]}-{hashed(path, sheet)[1:13]}"'),
        "litestar",
    )
    me = stage.actor("client", server, "gallery.hikers.test", "aiohttp", {"User-Agent": "gallery-app/7"})
    at.rounds(me, "/status", "/albums")
    at.rounds(me, "/albums/home", again=True)
    for photo in (4032, 4033):
        seen = me.get("/albums/alps")
        me.get("/albums/alps", 304, {"If-None-Match": seen.etag})
        me.send("PATCH", f"/photos/{photo}", 412, {"If-Match": seen.etag}, {"title": "Morteratsch"})
        at.pause(0.5)
    me.send("PATCH", "/albums/alps", 200, {"If-Match": seen.etag}, {"cover": 4033})
    own = me.get("/photos/4033")
    me.send("PATCH", "/photos/4033", 200, {"If-Match": own.etag}, {"title": "Morteratsch"})
    me.get("/albums/alps")


@case(
    "d354",
    "ada-one-revision-for-the-whole-seating-plan",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    description=(
        "Every table of a wedding's seating plan carries the revision of the plan as its tag: one planner moves guests "
        "at several tables, and each save outdates the tags of all other tables, which have not changed. FastAPI."
    ),
)
def seating(stage: Stage) -> None:
    """Outdate the siblings' tags."""
    rows = {f"/plans/w9/tables/{n}": {"table": n, "guests": [f"g{n}1", f"g{n}2"]} for n in range(1, 6)}
    plan = itertools.count(118)
    now = [next(plan)]
    desk = Desk(
        rows,
        lambda _path, _sheet: f'"plan-w9-{now[0]}"',
        words={412: {"title": "plan has moved on", "status": 412}},
    )
    store = desk.put_down

    def put_down(path: str, data: object, by: str) -> Sheet:
        now[0] = next(plan)
        return store(path, data, by)

    desk.put_down = put_down  # type: ignore[method-assign]
    server = at.desk(stage, desk, "fastapi")
    me = stage.actor("client", server, "seating.planner.test", "httpx", {"X-Staff": "rosa"})
    at.rounds(me, "/status", "/plans/w9/tables")
    held = {n: me.get(f"/plans/w9/tables/{n}") for n in range(1, 6)}
    at.pause()
    for table in (1, 3, 4):
        body = {"table": table, "guests": [*held[table].json["guests"], "uncle"]}
        status = 200 if table == 1 else 412
        me.put(f"/plans/w9/tables/{table}", body, status, {"If-Match": held[table].etag})
        at.pause(0.4)
        if status == 412:
            again = me.get(f"/plans/w9/tables/{table}")
            at.need(again.body == held[table].body and again.etag != held[table].etag)
            me.put(f"/plans/w9/tables/{table}", body, 200, {"If-Match": again.etag})
    at.rounds(me, "/plans/w9/tables/5", again=True)
