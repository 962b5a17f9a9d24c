"""Stories of services whose tags or judgement are at fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.ada_desk import Ask, Desk, Reply, Sheet, hashed, numbered
from tools.recording_apis.stage import case
from tools.recording_apis.stories import ada_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d369",
    "ada-the-moment-of-rendering-in-the-tag",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "A Koa service makes its tag of the content and the moment of rendering: each read of an unchanged score has "
        "another tag, no poll is answered 304, and every save is refused, however fast it follows the read."
    ),
)
def rendered(stage: Stage) -> None:
    """Read a tag that holds for nothing."""
    rows = {f"/scores/{n}": {"piece": n, "key": "G", "tempo": 96} for n in ("gavotte", "gigue")}
    me = stage.actor("client", at.counter(stage, "koa", rows, "render"), "scores.quartet.test", "aiohttp")
    at.rounds(me, "/ready", "/scores")
    one, two = me.get("/scores/gigue"), me.get("/scores/gigue")
    at.need(one.body == two.body and one.etag != two.etag)
    me.get("/scores/gigue", 200, {"If-None-Match": two.etag})
    for piece in ("gigue", "gavotte", "gigue"):
        seen = me.get(f"/scores/{piece}")
        me.send("PATCH", f"/scores/{piece}", 412, {"If-Match": seen.etag}, {"tempo": 100})
        at.pause()
    at.need(me.get("/scores/gigue").body == one.body)


@case(
    "d370",
    "ada-one-tag-to-read-and-another-to-judge",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "An item's ETag is a hash of what is shown; writes are compared with the row version, which only lists and "
        "refusals show. The item's own tag is refused each time though nothing changed; the list's is taken. FastAPI."
    ),
)
def judged(stage: Stage) -> None:
    """Be compared with another tag than the one shown."""
    rows = {f"/pumps/{n}": {"pump": n, "bar": 4.5, "mode": "auto"} for n in ("p1", "p2", "p3")}
    desk = Desk(rows, numbered, rev=17)

    def row(sheet: Sheet) -> str:
        return f'"rv-{sheet.rev:06}"'

    desk.tag = lambda _path, sheet: row(sheet)

    def view(_ask: Ask, path: str, sheet: Sheet) -> Reply:
        return Reply(200, sheet.data, {"ETag": hashed(path, sheet)})

    def index(_ask: Ask, below: object) -> Reply:
        assert isinstance(below, dict)  # noqa: S101 - tells mypy
        return Reply(
            200,
            {"pumps": [{"self": path, "etag": row(sheet), **sheet.data} for path, sheet in below.items()]},
        )

    def last(ask: Ask, reply: Reply) -> None:
        if reply.status == 412:
            reply.data, reply.head["ETag"] = {"error": "pump was changed"}, row(desk.sheets[ask.path])

    desk.view, desk.index, desk.last = view, index, last  # type: ignore[method-assign]
    me = stage.actor("client", at.desk(stage, desk, "fastapi"), "pumps.waterworks.test", "requests")
    at.rounds(me, "/status", "/pumps")
    for pump in ("p1", "p2"):
        seen = me.get(f"/pumps/{pump}")
        me.get(f"/pumps/{pump}", 304, {"If-None-Match": seen.etag})
        told = me.send("PATCH", f"/pumps/{pump}", 412, {"If-Match": seen.etag}, {"bar": 4.8})
        at.need(told.etag != seen.etag and me.get(f"/pumps/{pump}").etag == seen.etag)
        at.pause(0.5)
    listed = next(one for one in me.get("/pumps").json["pumps"] if one["pump"] == "p2")
    me.send("PATCH", "/pumps/p2", 200, {"If-Match": listed["etag"]}, {"bar": 4.8})
    at.rounds(me, "/pumps/p3")


@case(
    "d371",
    "ada-express-and-its-weak-tags",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Express makes a weak tag of every answer, compressed or not, and the service compares If-Match strongly as "
        "the standard has it: no save with a tag ever goes through, one with * does."
    ),
)
def express(stage: Stage) -> None:
    """Have nothing but weak tags."""
    rows = {f"/gardens/{n}": {"plot": n, "tenant": "Sami", "fee": 45} for n in ("g1", "g2", "g3")}
    me = stage.actor("client", at.counter(stage, "express", rows, "own"), "gardens.allotment.test", "httpx")
    me.get("/gardens")
    at.rounds(me, "/gardens/g1", again=True)
    for plot in ("g2", "g3"):
        seen = me.get(f"/gardens/{plot}", 200, {"Accept-Encoding": "identity"})
        at.need(seen.etag.startswith('W/"'))
        me.put(f"/gardens/{plot}", {**seen.json, "fee": 48}, 412, {"If-Match": seen.etag})
        at.pause(0.5)
        again = me.get(f"/gardens/{plot}", 304, {"If-None-Match": seen.etag})
        me.put(f"/gardens/{plot}", {**seen.json, "fee": 48}, 412, {"If-Match": again.etag})
    me.put("/gardens/g2", {**seen.json, "plot": "g2", "fee": 48}, 200, {"If-Match": "*"})
    me.get("/gardens/g2")


@case(
    "d372",
    "ada-read-as-csv-and-saved-as-json",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A script reads a survey as CSV, whose tag is of the CSV, and saves as JSON, which is compared with the tag of "
        "the JSON: refused, as often as it tries. Read as JSON (Vary: Accept), the tag is taken. Litestar."
    ),
)
def survey(stage: Stage) -> None:
    """Send the tag of another representation."""
    rows = {f"/surveys/{n}": {"id": n, "asked": 120, "answered": 81} for n in (5, 6, 7)}
    desk = Desk(
        rows,
        hashed,
        always={"Vary": "Accept"},
        words={412: {"detail": "survey has changed", "status_code": 412}},
    )

    def view(ask: Ask, path: str, sheet: Sheet) -> Reply:
        if "csv" in ask.head.get("accept", ""):
            text = "\n".join((",".join(sheet.data), ",".join(str(one) for one in sheet.data.values()), ""))
            head = {"ETag": f'"csv-{sheet.digest(32)[20:]}"', "Content-Type": "text/csv; charset=utf-8"}
            return Reply(200, text, head)
        return Reply(200, sheet.data, desk.marks(path, sheet))

    desk.view = view  # type: ignore[method-assign,assignment]
    me = stage.actor("client", at.desk(stage, desk, "litestar"), "surveys.institute.test", "curl:trace-time")
    me.get("/status")
    csv = {"Accept": "text/csv"}
    at.rounds(me, "/surveys/5", again=True, head=csv)
    for number, answered in ((6, 90), (7, 84)):
        seen = me.get(f"/surveys/{number}", 200, csv)
        body = {"id": number, "asked": 120, "answered": answered}
        me.put(f"/surveys/{number}", body, 412, {"If-Match": seen.etag, "Accept": "application/json"})
        at.pause(0.5)
    again = me.get("/surveys/6", 200, csv)
    me.put("/surveys/6", {"id": 6, "asked": 120, "answered": 90}, 412, {"If-Match": again.etag})
    plain = me.get("/surveys/6", 200, {"Accept": "application/json"})
    me.put("/surveys/6", {"id": 6, "asked": 120, "answered": 90}, 200, {"If-Match": plain.etag})


@case(
    "d373",
    "ada-apaches-first-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A script saves a page to Apache's DAV, reads it back at once and saves again: the tag is weak in the file's "
        "first second, and the save is refused. Two seconds later the same tag is strong, and the save goes through."
    ),
)
def settled(stage: Stage) -> None:
    """Save again within the first second."""
    files = {"site/home.html": "<h1>Choir</h1>\n", "site/dates.html": "<p>none</p>\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "www.choir.test", "requests", {"User-Agent": "publish.py"})
    html = {"Content-Type": "text/html"}
    me.send("PROPFIND", "/site/", 207, {"Depth": "1"})
    at.rounds(me, "/site/home.html", again=True)
    old = me.get("/site/dates.html")
    me.put("/site/dates.html", "<p>3 December</p>\n", 204, {**html, "If-Match": old.etag})
    for dates in ("<p>3 and 10 December</p>\n", "<p>3, 10 and 17 December</p>\n"):
        young = me.get("/site/dates.html")
        at.need(young.etag.startswith("W/"))
        me.put("/site/dates.html", dates, 412, {**html, "If-Match": young.etag})
        at.pause(2.2)
        ripe = me.get("/site/dates.html")
        at.need(ripe.etag == young.etag.removeprefix("W/"))
        me.put("/site/dates.html", dates, 204, {**html, "If-Match": ripe.etag})
    at.rounds(me, "/site/home.html")


@case(
    "d374",
    "ada-a-read-refused-for-knowing-the-tag",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "A service treats If-None-Match the same for all methods: a poll with the current tag is answered 412 where "
        "304 is due, one with an old tag 200; creations and saves are judged rightly. aiohttp."
    ),
)
def polled(stage: Stage) -> None:
    """Be refused a read."""
    rows = {
        f"/flights/{n}": {"flight": n, "gate": "B4", "state": "on time"} for n in ("XQ102", "XQ377", "XQ410")
    }
    desk = Desk(rows, numbered, rev=9, words={412: {"errorCode": 1412, "errorText": "PRECONDITION_FAILED"}})

    def last(_ask: Ask, reply: Reply) -> None:
        if reply.status == 304:
            reply.status, reply.data = 412, desk.words[412]

    desk.last = last
    me = stage.actor(
        "client", at.desk(stage, desk, "aiohttp"), "flights.airport.test", "httpx", {"User-Agent": "board/9"}
    )
    me.get("/status")
    seen = {n: me.get(f"/flights/{n}") for n in ("XQ102", "XQ377", "XQ410")}
    for name in ("XQ102", "XQ377", "XQ102"):
        me.get(f"/flights/{name}", 412, {"If-None-Match": seen[name].etag})
        at.pause(0.5)
    old = seen["XQ377"]
    saved = me.send("PATCH", "/flights/XQ377", 200, {"If-Match": old.etag}, {"gate": "B7"})
    me.get("/flights/XQ377", 200, {"If-None-Match": old.etag})
    me.get("/flights/XQ377", 412, {"If-None-Match": saved.etag})
    me.put("/flights/XQ500", {"flight": "XQ500", "gate": "A1"}, 201, {"If-None-Match": "*"})
    at.need(me.get("/flights/XQ102").etag == seen["XQ102"].etag)


@case(
    "d375",
    "ada-compared-after-the-save",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "A decorator around a view of maps compares If-Match with the tag after the view has stored: the only attempt "
        "is refused with 412, and the next read shows the client's own title under a new tag. Django."
    ),
)
def after(stage: Stage) -> None:
    """Be refused after the commit."""
    rows = {f"/maps/{n}": {"map": n, "title": "Walks", "zoom": 11} for n in ("m31", "m32", "m40")}
    side = at.beside("/tours", 4, guide="Eva")
    desk = Desk({**rows, **side}, hashed, words={412: "Precondition Failed\n"})
    usual = desk.check

    def check(ask: Ask, path: str, sheet: Sheet | None) -> Reply | None:
        if ask.method != "PUT" or sheet is None:
            return usual(ask, path, sheet)
        return usual(ask, path, desk.put_down(path, ask.data, ask.user)) or Reply(200, ask.data)

    desk.check = check  # type: ignore[method-assign]
    me = stage.actor(
        "client",
        at.desk(stage, desk, "django"),
        "maps.hiking.test",
        "node:axios",
        {"User-Agent": "mapper/1.2"},
    )
    at.rounds(me, "/status", "/maps")
    at.busy(me, side, "guide", 11, 375)
    at.rounds(me, "/maps/m40", again=True)
    for name, title in (("m31", "Walks by the lake"), ("m32", "Winter walks")):
        seen = me.get(f"/maps/{name}")
        me.put(f"/maps/{name}", {**seen.json, "title": title}, 412, {"If-Match": seen.etag})
        at.pause(0.6)
        now = me.get(f"/maps/{name}")
        at.need(now.json["title"] == title and now.etag != seen.etag)
    me.get("/maps")


@case(
    "d376",
    "ada-nginx-dav-takes-any-tag",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "nginx's DAV module does not look at If-Match of a PUT, though the same server does of a GET: a sync client that "
        "has just seen a colleague's file under a new tag sends an older job with the old tag, and 204 overwrites it."
    ),
)
def dav(stage: Stage) -> None:
    """Write with an outdated tag."""
    files = {"notes/plan.txt": "Monday: roof\n", "notes/tools.txt": "saw\n"}
    server = fronts.site(stage, "nginx", files, fronts.DAV["nginx"])
    me = stage.actor("client", server, "dav.builders.test", "urllib", {"User-Agent": "foldersync/4"})
    other = stage.actor("other", server, "dav.builders.test", "curl")
    text = {"Content-Type": "text/plain"}
    at.rounds(me, "/notes/tools.txt", again=True)
    mine = me.get("/notes/plan.txt")
    at.pause(1.0)
    theirs = other.get("/notes/plan.txt")
    other.put("/notes/plan.txt", "Monday: roof\nTuesday: floor\n", 204, {**text, "If-Match": theirs.etag})
    at.pause(0.7)
    seen = me.get("/notes/plan.txt", 200, {"If-None-Match": mine.etag})
    at.need("floor" in seen.text and seen.etag != mine.etag)
    me.get("/notes/plan.txt", 412, {"If-Match": mine.etag})
    me.put("/notes/plan.txt", "Monday: roof and gutter\n", 204, {**text, "If-Match": mine.etag})
    at.pause(0.5)
    at.need("floor" not in me.get("/notes/plan.txt").text)
    at.rounds(me, "/notes/tools.txt")
    other.get("/notes/plan.txt")


@case(
    "d377",
    "ada-both-workers-are-told-200",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    description=(
        "A PHP service looks at the tag and stores a third of a second later. Two workers of one importer save the same "
        "record with the same tag at once, each another field; both are told 200 and one field is gone. An outdated tag "
        "sent later is refused."
    ),
)
def both(stage: Stage) -> None:
    """Win twice."""
    rows = {f"/firms/{n}": {"firm": n, "vat": "", "site": "", "staff": 3} for n in ("f1", "f2", "f3")}
    server = at.filing(stage, rows, "slow")
    me = stage.actor(
        "client", server, "firms.register.test", "httpx", {"User-Agent": "importer/2 (2 workers)"}
    )
    at.rounds(me, "/ready.php", "/firms/f3")
    for firm in ("f1", "f2"):
        seen = me.get(f"/firms/{firm}")
        guard = {"If-Match": seen.etag}
        at.together(
            lambda path=f"/firms/{firm}", old=seen, own=guard: me.put(
                path, {**old.json, "vat": "BE04"}, 200, {**own, "X-Worker": "1"}
            ),  # type: ignore[misc]
            lambda path=f"/firms/{firm}", old=seen, own=guard: me.put(
                path, {**old.json, "site": "x.test"}, 200, {**own, "X-Worker": "2"}
            ),  # type: ignore[misc]
            apart=0.06,
        )
        now = me.get(f"/firms/{firm}")
        at.need(bool(now.json["vat"]) != bool(now.json["site"]))
        at.pause(0.5)
    me.put("/firms/f2", {**seen.json, "staff": 4}, 412, {**guard, "X-Worker": "1"})
    me.put("/firms/f2", {**now.json, "staff": 4}, 200, {"If-Match": now.etag, "X-Worker": "1"})
