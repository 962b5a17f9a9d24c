"""A story of a browser, and stories in which nothing is wrong."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.hal_core import Desk, Res, Sheet, Table, digest, iso
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_hal_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.apps.hal_core import Req
    from tools.recording_apis.stage import Stage


def _history(table: Table) -> Any:
    def told(_req: Req, key: str) -> Res:
        rows = [*table.rows[key].past, table.rows[key]]
        return Res(200, {"versions": [{"n": r.n, "by": r.by, "at": iso(r.at, 3), **r.data} for r in rows]})

    return told


@case(
    "d742",
    "hal-allergens-edited-from-another-origin",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag unconditional-write",
    description=(
        "A page of a canteen's menu at one origin edits dishes at another: the answers bear a tag, and If-Match is "
        "allowed, but the tag is not among the fields exposed, so that the script sends none. A cook's allergen, "
        "stored from an app with If-Match, is gone, as the versions show."
    ),
)
def canteen(stage: Stage) -> None:
    """Not be shown the tag."""
    desk = Desk()
    data = {f"dish-{n}": {"name": f"Gericht {n}", "price": 4.9, "allergens": []} for n in (12, 13)}
    table = Table.of(data, 5)
    Sheet(desk, "/v1/dishes", table, token=lambda key, row: f'"{key}-{row.n}"')
    desk.on("GET", "/v1/dishes/{key}/versions", _history(table))
    page = "https://speiseplan.mensa.example"

    def shares(req: Req, res: Res) -> None:
        if req.fields.get("origin") == page:
            more = {
                "Access-Control-Allow-Origin": page,
                "Vary": "Origin",
                "Access-Control-Expose-Headers": "X-Request-Id",
            }
            res.fields.update({**more, "X-Request-Id": digest(time.time(), 8)})
            if req.method == "OPTIONS":
                res.fields["Access-Control-Allow-Methods"] = "GET, PUT"
                res.fields["Access-Control-Allow-Headers"] = "authorization, content-type, if-match"

    desk.before.append(lambda req: Res(204) if req.method == "OPTIONS" else None)
    desk.after.append(shares)
    desk.page("/v1/week", {"week": 49, "dishes": ["dish-12", "dish-13"]})
    server = at.house(stage, desk, "starlette", "a canteen's dishes")
    browser = {**at.CHROME, "Origin": page, "Referer": f"{page}/"}
    login = {"Authorization": "Bearer speiseplan-7"}
    me = stage.actor("client", server, "api.mensa.example", "httpx", browser)
    cook = stage.actor(
        "other", server, "api.mensa.example", "node:axios", {"X-User": "koch", "User-Agent": "KuecheApp/3"}
    )
    me.get("/v1/week")
    seen = {key: me.get(f"/v1/dishes/{key}").json for key in data}
    at.edit(cook, "/v1/dishes/dish-13", {"allergens": ["Sellerie"]})
    at.wait(1.3)
    for key, one in seen.items():
        asks = {
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        me.send("OPTIONS", f"/v1/dishes/{key}", 204, asks)
        got = me.put(f"/v1/dishes/{key}", {**one, "price": 5.2}, 200, login)
        at.must(got.etag)
        at.wait(0.4)
    told = me.get("/v1/dishes/dish-13/versions").json["versions"]
    at.must([one["allergens"] for one in told] == [[], ["Sellerie"], []])


@case(
    "d714",
    "hal-numbers-that-go-by-twos",
    "none",
    "healthy",
    alone="none",
    description=(
        "A reef survey's records count a version for the draft and one for its publication, so that the tag goes by twos. "
        "Each save carries the tag of the one before; the versions are all of this diver."
    ),
)
def reef(stage: Stage) -> None:
    """Count by twos."""
    desk = Desk(Server="Reef")
    data = {f"T{n}": {"transect": n, "coral_pct": 31, "bleached": False} for n in (6, 7)}
    table = Table.of(data, 10, by="diver-2")
    sheet = Sheet(desk, "/transects", table, token=lambda _k, row: f'"{row.n}"', need=428)

    def commit(req: Req, key: str) -> Res:
        row = table.save(key, sheet.load(req, table.rows.get(key)), req.who, step=2)
        return sheet.shown(key, row)

    sheet.commit = commit  # type: ignore[method-assign]
    desk.on("GET", "/transects/{key}/versions", _history(table))
    desk.page("/tides", {"high": "11:40", "low": "17:52"}, tag='"td-1"')
    server = at.house(stage, desk, "cheroot", "a reef survey")
    me = stage.actor("client", server, "reef.survey.example", "node:fetch", {"X-User": "diver-2"})
    at.again(me, "/tides")
    for key, steps in (("T6", (33, 34, 36)), ("T7", (29, 28))):
        got = me.get(f"/transects/{key}")
        for coral in steps:
            got = me.put(f"/transects/{key}", {**got.json, "coral_pct": coral}, 200, {"If-Match": got.etag})
            at.wait(0.4)
        me.get(f"/transects/{key}", 304, {"If-None-Match": got.etag})
    told = me.get("/transects/T6/versions").json["versions"]
    at.must([one["n"] for one in told] == [10, 12, 14, 16] and {one["by"] for one in told} == {"diver-2"})


@case(
    "d733",
    "hal-donation-sent-again-under-its-key",
    "none",
    "healthy",
    alone="none",
    description=(
        "A donation's answer is lost on the way; the form sends it again under the same Idempotency-Key and gets the "
        "answer of the first, marked as such. The list has it once, and the total is right."
    ),
)
def donation(stage: Stage) -> None:
    """Be heard at the second time."""
    desk = Desk(Server="Spendenkasse")
    kept: dict[str, dict[str, Any]] = {}

    def give(req: Req) -> Res:
        key = req.fields.get("idempotency-key", "")
        if key in kept:
            return Res(
                201, kept[key], {"Idempotent-Replayed": "true", "Location": f"/donations/{kept[key]['id']}"}
            )
        kept[key] = {"id": 7001 + len(kept), **req.json, "received": iso(time.time(), 3)}
        return Res(201, kept[key], {"Location": f"/donations/{kept[key]['id']}"})

    def listing(_req: Req) -> Res:
        return Res(200, {"total": sum(one["eur"] for one in kept.values()), "donations": list(kept.values())})

    desk.on("POST", "/donations", give)
    desk.on("GET", "/donations", listing)
    desk.page("/campaigns/winter", {"goal": 5000, "until": "2026-12-31"}, tag='"cw-4"')
    server = at.house(stage, desk, "waitress", "a charity's donations")
    seen: list[int] = []

    def second(message: Any) -> bool:
        if message.method == "POST":
            seen.append(1)
        return message.method == "POST" and len(seen) == 2

    me = stage.actor(
        "client", server, "give.charity.example", "httpx", {"User-Agent": "GiveForm/5"}, loses=second
    )
    at.again(me, "/campaigns/winter")
    me.send("POST", "/donations", 201, {"Idempotency-Key": "f3a9-01"}, {"donor": "E. Falk", "eur": 40})
    gift = {"donor": "M. Oduya", "eur": 125}
    me.send("POST", "/donations", 0, {"Idempotency-Key": "c07b-44"}, gift)
    at.wait(0.9)
    got = me.send("POST", "/donations", 201, {"Idempotency-Key": "c07b-44"}, gift)
    at.must(got.fields["idempotent-replayed"] == "true")
    at.wait(0.4)
    at.must(me.get("/donations").json["total"] == 165)
    me.get("/campaigns/winter", 304, {"If-None-Match": '"cw-4"'})


@case(
    "d744",
    "hal-shift-list-brought-together",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two wardens work on one list of shifts. Before each save the client reads anew, puts its own change into what it "
        "has just read, and sends that with its tag; the versions show both wardens' changes, and none is lost."
    ),
)
def shifts(stage: Stage) -> None:
    """Read anew and put the change in."""
    desk = Desk(Server="Dienstplan")
    table = Table.of(
        {"kw49": {"mo": "Ada", "di": "Ben", "mi": "Cem"}, "kw50": {"mo": "Ben", "di": "Ada", "mi": "Cem"}}, 3
    )
    Sheet(desk, "/plans", table, token=lambda key, row: f'"{key}.{row.n}.{digest(row.data, 4)}"', need=428)
    desk.on("GET", "/plans/{key}/versions", _history(table))
    desk.page("/people", ["Ada", "Ben", "Cem", "Dora"], tag='"p-4"')
    server = at.house(stage, desk, "tornado", "a list of shifts")
    me = stage.actor("client", server, "dienst.hutte.example", "aiohttp", {"X-User": "wart-1"})
    other = stage.actor("other", server, "dienst.hutte.example", "curl", {"X-User": "wart-2"})
    at.again(me, "/people")
    me.get("/plans/kw49")
    for mine, theirs in ((("mo", "Dora"), ("di", "Dora")), (("mi", "Ada"), ("di", "Ben"))):
        at.edit(other, "/plans/kw49", {theirs[0]: theirs[1]})
        at.wait(0.6)
        fresh = me.get("/plans/kw49")
        me.put("/plans/kw49", {**fresh.json, mine[0]: mine[1]}, 200, {"If-Match": fresh.etag})
        at.wait(0.4)
    at.edit(me, "/plans/kw50", {"mo": "Dora"})
    now = me.get("/plans/kw49").json
    at.must(now == {"mo": "Dora", "di": "Ben", "mi": "Ada"})
    me.get("/plans/kw49/versions")


@case(
    "d739",
    "hal-weak-tags-that-are-taken",
    "none",
    "healthy",
    alone="none",
    description=(
        "A vineyard's feed has weak tags of row numbers and takes them in If-Match, as some suites do: patches pass, reads "
        "are 304, a new plot is 201 under If-None-Match: *, a deletion with the wildcard 204, and a read of it 404."
    ),
)
def vineyard(stage: Stage) -> None:
    """Use weak tags where they are taken."""
    desk = Desk(OData_Version="4.0")
    data = {f"Parzellen({n})": {"Id": n, "Rebsorte": "Riesling", "Oechsle": 84} for n in (21, 22, 23)}
    table = Table.of(data, 2)
    sheet = Sheet(
        desk,
        "/odata/v4",
        table,
        need=428,
        strong=False,
        token=lambda key, row: f'W/"{key[-3:-1]}-{row.n:05}"',
    )
    sheet.dump = lambda key, row: Res(200, {"@odata.etag": sheet.token(key, row), **row.data})
    sheet.load = lambda req, row: {
        **(row.data if row and req.method == "PATCH" else {}),
        **{k: v for k, v in req.json.items() if k != "@odata.etag"},
    }
    sheet.kept = lambda key, row, status: Res(
        204 if status == 200 else 201, b"", {"ETag": str(sheet.token(key, row))}
    )
    server = at.house(stage, desk, "flask", "a vineyard's feed")
    me = stage.actor("client", server, "feed.weingut.example", "java", {"X-User": "kellerei"})
    me.get("/odata/v4")
    for number, degrees in ((21, (86, 88)), (22, (91,))):
        tag = me.get(f"/odata/v4/Parzellen({number})").etag
        for value in degrees:
            got = me.send(
                "PATCH", f"/odata/v4/Parzellen({number})", 204, {"If-Match": tag}, {"Oechsle": value}
            )
            tag = got.etag
            at.wait(0.5)
        me.get(f"/odata/v4/Parzellen({number})", 304, {"If-None-Match": tag})
    me.put(
        "/odata/v4/Parzellen(24)",
        {"Id": 24, "Rebsorte": "Silvaner", "Oechsle": 79},
        201,
        {"If-None-Match": "*"},
    )
    me.get("/odata/v4/Parzellen(24)")
    me.send("DELETE", "/odata/v4/Parzellen(23)", 204, {"If-Match": "*"})
    me.get("/odata/v4/Parzellen(23)", 404)


@case(
    "d710",
    "hal-fresh-enough-from-the-store",
    "none",
    "healthy",
    alone="none",
    description=(
        "A Varnish keeps an observatory's star charts and forgets one when it is written. Reads are hits with an age, and "
        "saves based on them pass, since nothing has changed; after a save the next read is a miss with the new tag."
    ),
)
def charts(stage: Stage) -> None:
    """Edit what the store has, rightly."""
    desk = Desk(Server="Sternkarte")
    data = {name: {"epoch": "J2000", "limit_mag": 9.5, "labels": 40} for name in ("lyra", "cygnus", "draco")}
    sheet = Sheet(desk, "/charts", Table.of(data, 6), token=lambda key, row: f'"{key[:2]}{row.n}"', need=428)
    sheet.brief = lambda key, _row: {"chart": key}
    origin = at.house(stage, desk, "aiohttp", "star charts")
    vcl = (
        "import std;\n"
        'sub vcl_recv { if (req.method == "PUT") { std.ban("req.url == " + req.url); } }\n'
        "sub vcl_backend_response { set beresp.ttl = 40s; }\n"
        'sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; } }'
    )
    server = fronts.varnish(stage, origin, vcl)
    me = stage.actor("client", server, "charts.sternwarte.example", "requests", {"X-User": "kartograf"})
    viewer = stage.actor("other", server, "charts.sternwarte.example", "urllib", {"User-Agent": "Dome/2"})
    for name in ("lyra", "cygnus"):
        viewer.get(f"/charts/{name}")
    at.wait(2.1)
    me.get("/charts")
    for name, labels in (("lyra", 44), ("cygnus", 52), ("lyra", 47)):
        seen = me.get(f"/charts/{name}")
        saved = me.put(f"/charts/{name}", {**seen.json, "labels": labels}, 200, {"If-Match": seen.etag})
        at.wait(0.5)
        now = me.get(f"/charts/{name}")
        at.must(now.etag == saved.etag and now.fields["x-cache"] == "MISS")
        at.wait(1.1)
        at.must(int(me.get(f"/charts/{name}").fields["age"]) >= 1)
    me.get("/charts/draco")


def _tiles(row: int) -> str:
    return "".join(f"{row + n:04} {digest([row, n], 48)}\n" for n in range(90))


@case(
    "d734",
    "hal-download-taken-up-again",
    "none",
    "healthy",
    alone="none",
    description=(
        "A map of aerial pictures is fetched in pieces with If-Range and the tag of the first; each piece is 206 of the "
        "same version, a last request past the end is 416, and the sum agrees."
    ),
)
def aerial(stage: Stage) -> None:
    """Take a download up again."""
    text = _tiles(11)
    files = {
        "luftbild/2026/blatt-118.txt": text,
        "luftbild/2026/blatt-118.sha256": digest(text.encode(), 64) + "\n",
        "luftbild/2026/blatt-119.txt": _tiles(12)[:900],
        "luftbild/liste.json": '{"blatt":[118,119]}\n',
    }
    server = fronts.site(stage, "lighttpd", files)
    me = stage.actor("client", server, "karten.vermessung.example", "urllib", {"User-Agent": "geofetch/1.1"})
    at.again(me, "/luftbild/liste.json", "/luftbild/2026/blatt-119.txt")
    path, step = "/luftbild/2026/blatt-118.txt", len(text) // 3 + 40
    first = me.send("GET", path, 206, {"Range": f"bytes=0-{step - 1}"})
    whole = first.body
    while len(whole) < len(text):
        at.wait(0.6)
        asked = {"Range": f"bytes={len(whole)}-{len(whole) + step - 1}", "If-Range": first.etag}
        got = me.send("GET", path, 206, asked)
        at.must(got.etag == first.etag)
        whole += got.body
    me.send("GET", path, 416, {"Range": f"bytes={len(whole)}-", "If-Range": first.etag})
    at.must(me.get("/luftbild/2026/blatt-118.sha256").text.strip() == digest(whole, 64))
