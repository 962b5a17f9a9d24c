"""Stories on API services on real frameworks, some behind a web server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.lee_core import Desk, Req, Res, counted, hashed
from tools.recording_apis.stage import case
from tools.recording_apis.stories.held_lee_setting import (
    again,
    desk_on,
    loses,
    rest,
    says,
    sure,
)

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d890",
    "lee-stock-list-has-other-tags",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "A seed shop's stock: the list gives each row an MD5, the item's own reads, writes and refusals a number with a "
        "revision; the counting app saves with the tag of the list and is refused, though nothing has changed."
    ),
)
def seeds(stage: Stage) -> None:
    """Take the tag where another is made."""
    docs = {
        f"/api/semences/{n}": {"réf": n, "variété": v, "sachets": s}
        for n, v, s in (
            ("T-19", "Cœur de bœuf", 40),
            ("T-22", "Noire de Crimée", 12),
            ("C-04", "Longue verte", 71),
        )
    }
    desk = Desk(
        docs,
        counted('"rev-{}"'),
        since=7,
        words={412: ("application/json", '{"erreur":"if-match","message":"la version ne correspond pas"}')},
    )

    def rows(_req: Req) -> Res:
        got = [
            {
                "href": key,
                "etag": hashed(32, "md5")(key, one[-1]),
                "valeur": one[-1].json,
            }
            for key, one in desk.kept.items()
        ]
        return Res(200, {"lignes": got})

    desk.views["/api/semences"] = rows
    desk.last.append(
        lambda req, res: (
            res.fields.update(desk.marks(req.path, desk.kept[req.path][-1])) if res.status == 412 else None
        )
    )
    server = desk_on(stage, desk, "flask")
    me = stage.actor("client", fronts.lighttpd(stage, server), "stock.grainetier.example", "node:fetch")
    listed = {one["href"]: one for one in me.get("/api/semences").json["lignes"]}
    for ref in ("T-19", "C-04"):
        path = f"/api/semences/{ref}"
        body = {**listed[path]["valeur"], "sachets": listed[path]["valeur"]["sachets"] - 3}
        me.put(path, body, 412, {"If-Match": listed[path]["etag"]})
        rest(0.3)
    me.get("/api/semences")
    seen = me.get("/api/semences/T-19")
    sure(seen.etag == '"rev-7"' and seen.json["sachets"] == 40)
    me.put("/api/semences/T-19", {**seen.json, "sachets": 37}, 200, {"If-Match": seen.etag})
    new = next(one for one in me.get("/api/semences").json["lignes"] if one["href"].endswith("T-19"))
    me.put("/api/semences/T-19", {**seen.json, "sachets": 36}, 412, {"If-Match": new["etag"]})


@case(
    "d893",
    "lee-mooring-wildcard-refused",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "Berths of a marina: the service compares If-Match as a whole with its tag, so that the wildcard and a list with "
        "the current tag in it are refused for a berth that is there, while the tag alone is taken."
    ),
)
def berths(stage: Stage) -> None:
    """Be refused where the condition holds."""
    docs = {
        f"/mooring/{n}": {"berth": n, "vessel": v, "until": "2026-12-20"}
        for n, v in (("A7", "Siskin"), ("A8", ""), ("C2", "Petrel"))
    }
    tag = hashed(8, "md5")
    desk = Desk(docs, tag, words={412: ("text/plain", "precondition failed\n")})
    desk.fits = lambda value, path, sheet, _strong: sheet is not None and value == tag(path, sheet)
    me = stage.actor(
        "client",
        desk_on(stage, desk, "cheroot"),
        "berths.oldharbour.example",
        "curl:trace-ascii",
        {"Accept": "application/json"},
    )
    seen = me.get("/mooring/A7")
    again(me, "/mooring/A7", seen)
    me.put("/mooring/A7", {**seen.json, "until": "2027-01-03"}, 412, {"If-Match": "*"})
    me.send("HEAD", "/mooring/A7", 200)
    rest(0.6)
    me.put("/mooring/A7", {**seen.json, "until": "2027-01-03"}, 412, {"If-Match": f'"00000000", {seen.etag}'})
    now = me.get("/mooring/A7")
    sure(now.etag == seen.etag and now.body == seen.body)
    me.put("/mooring/A7", {**seen.json, "until": "2027-01-03"}, 200, {"If-Match": seen.etag})
    two = me.get("/mooring/C2")
    me.send("DELETE", "/mooring/C2", 412, {"If-Match": "*"})
    sure(me.get("/mooring/C2").etag == two.etag)


@case(
    "d915",
    "lee-meter-reading-answer-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A heating company's meter readings: the connection breaks after the service has stored a reading; the handset "
        "sends the same with the same Request-Id again, is told 412, and finds its own request id in the reading."
    ),
)
def meters(stage: Stage) -> None:
    """Send again what was stored."""
    docs = {
        f"/odczyty/{n}": {"licznik": n, "kWh": 10400, "ostatnie_zgłoszenie": "import"}
        for n in ("L-301", "L-302", "L-303")
    }
    desk = Desk(
        docs,
        hashed(18, "sha256"),
        dated=True,
        words={412: ("application/json", '{"kod":412,"opis":"odczyt został już zmieniony"}')},
    )
    desk.views["/trasa/28"] = says({"liczniki": ["L-301", "L-302", "L-303"]})
    me = stage.actor(
        "client",
        desk_on(stage, desk, "tornado"),
        "odczyty.cieplo-miejskie.example",
        "httpx",
        {"User-Agent": "inkasent/4.0"},
        loses=loses("PUT", "L-302"),
    )
    me.get("/trasa/28")
    for number, (meter, status) in enumerate((("L-301", 200), ("L-302", 0), ("L-303", 200))):
        seen = me.get(f"/odczyty/{meter}")
        mark = f"rq-7f3{number}"
        body = {**seen.json, "kWh": 10611 + number, "ostatnie_zgłoszenie": mark}
        sent = {"If-Match": seen.etag, "Request-Id": mark}
        me.put(f"/odczyty/{meter}", body, status, sent)
        rest(0.6)
        if not status:
            me.put(f"/odczyty/{meter}", body, 412, sent)
            now = me.get(f"/odczyty/{meter}")
            sure(now.json == body and now.etag != seen.etag)
    me.get("/trasa/28")


@case(
    "d896",
    "lee-seating-plan-undefined",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "Seating plans of a theatre: the page keeps the tag of a plan that it has opened, but plans that come from a "
        "template have none in its store, and it sends If-Match: undefined; these saves are 412, the others pass."
    ),
)
def seating(stage: Stage) -> None:
    """Send a word of JavaScript."""
    docs = {
        f"/saalplan/{n}": ("application/xml", f'<plan nr="{n}"><reihe nr="1" plätze="22"/></plan>')
        for n in (5, 6, 7)
    }
    desk = Desk(
        docs,
        hashed(22),
        words={
            412: ("application/xml", '<fehler code="412">Der Plan wurde zwischenzeitlich geändert.</fehler>')
        },
    )
    desk.views["/vorlagen"] = says(
        '<vorlagen><v plan="6"/><v plan="7"/></vorlagen>', Content_Type="application/xml"
    )
    server = desk_on(stage, desk, "aiohttp")
    me = stage.actor(
        "client",
        fronts.caddy(stage, server),
        "saal.schauspielhaus.example",
        "node:fetch",
        {
            "User-Agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:133.0) Gecko/20100101 Firefox/133.0"
        },
    )
    kind = {"Content-Type": "application/xml"}
    plan = '<plan nr="{}"><reihe nr="1" plätze="{}"/></plan>'
    opened = me.get("/saalplan/5")
    done = me.put("/saalplan/5", plan.format(5, 20), 200, {**kind, "If-Match": opened.etag})
    me.get("/vorlagen")
    unknown = {**kind, "If-Match": "undefined"}
    for number in (6, 7):
        me.put(f"/saalplan/{number}", plan.format(number, 18), 412, unknown)
        rest(0.4)
    me.put("/saalplan/5", plan.format(5, 19), 200, {**kind, "If-Match": done.etag})
    sure('plätze="22"' in me.get("/saalplan/6").text)
    me.put("/saalplan/6", plan.format(6, 18), 412, unknown)


@case(
    "d912",
    "lee-contract-kept-its-first-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "Contracts of a power supplier: a batch program reads a contract once, saves the tariff, is answered with the "
        "new tag, and saves the address with the tag of its read: 412, at each contract; nobody else writes."
    ),
)
def contracts(stage: Stage) -> None:
    """Keep the tag of the read."""
    docs = {
        f"/sopimus/{n}": {"nro": n, "tariffi": "yö", "osoite": "Rantatie 2", "viimeksi": "tuonti"}
        for n in (4401, 4402, 4403)
    }
    desk = Desk(
        docs,
        hashed(32, "md5"),
        words={412: ("application/problem+json", '{"title":"Ehto ei täyty","status":412}')},
    )
    me = stage.actor(
        "client",
        desk_on(stage, desk, "starlette"),
        "sopimus.sahkoyhtio.example",
        "java",
        {"Authorization": "Bearer era-17"},
    )
    desk.views["/era/17"] = says({"tila": "käynnissä", "sopimukset": [4401, 4402, 4403]})
    me.get("/era/17")
    for number in (4401, 4402, 4403):
        path = f"/sopimus/{number}"
        seen = me.get(path)
        body = {**seen.json, "tariffi": "tunti", "viimeksi": "era-17"}
        done = me.put(path, body, 200, {"If-Match": seen.etag})
        sure(done.etag != seen.etag)
        rest(0.3)
        if number != 4402:
            me.put(path, {**body, "osoite": "Rantatie 2 B"}, 412, {"If-Match": seen.etag})
    now = me.get("/sopimus/4401")
    sure(now.json["viimeksi"] == "era-17" and now.json["osoite"] == "Rantatie 2")
    me.get("/era/17")


@case(
    "d897",
    "lee-feed-mixer-tries-again",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "Feed recipes of a dairy farm: after a colleague's change a controller's save is 412; its retry loop sends the "
        "same bytes with the same tag five times with growing pauses and never reads in between, then gives up."
    ),
)
def feed(stage: Stage) -> None:
    """Knock with the same key."""
    docs = {
        f"/foder/{n}": ("text/plain", f'grupp = "{n}"\nensilage = 28.0\nkraftfoder = 6.5\n')
        for n in ("hog", "lag", "sin")
    }
    desk = Desk(
        docs,
        counted('"foder:{}"'),
        since=118,
        words={412: ("text/plain; charset=utf-8", "receptet har ändrats sedan du hämtade det")},
    )
    server = desk_on(stage, desk, "falcon")
    me = stage.actor("client", server, "foder.ladugard.example", "aiohttp", {"User-Agent": "blandare/1.8"})
    other = stage.actor("other", server, "foder.ladugard.example", "curl")
    kind = {"Content-Type": "text/plain"}
    seen = me.get("/foder/hog")
    me.get("/foder/sin")
    theirs = other.get("/foder/hog")
    other.put("/foder/hog", theirs.text.replace("6.5", "7.0"), 200, {**kind, "If-Match": theirs.etag})
    rest(0.5)
    for number in range(5):
        me.put("/foder/hog", seen.text.replace("28.0", "29.5"), 412, {**kind, "If-Match": seen.etag})
        rest(0.2 * 1.8**number)
    low = me.get("/foder/lag")
    me.put("/foder/lag", low.text.replace("28.0", "26.0"), 200, {**kind, "If-Match": low.etag})
