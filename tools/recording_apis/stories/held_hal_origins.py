"""Stories of services that make or weigh versions in ways of their own."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.hal_core import Desk, Res, Row, Sheet, Table, digest, iso
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_hal_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.apps.hal_core import Req
    from tools.recording_apis.stage import Stage


def _plan(key: str, row: Row) -> str:
    rates = "".join(f'<rate room="{room}">{price}</rate>' for room, price in row.data.items())
    return (
        f'<?xml version="1.0"?>\n<ratePlan code="{key}" issued="{iso(time.time(), 4)}">{rates}</ratePlan>\n'
    )


@case(
    "d706",
    "hal-rate-plan-with-the-hour-of-its-printing",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "A hotel's rate plans are XML whose root tells when it was issued, and the tag is a hash of it all: each read "
        "has another tag while the rates stay. No save passes, however fresh the read; allotments, with tags of their "
        "own, do."
    ),
)
def rates(stage: Stage) -> None:
    """Get another tag each time."""
    desk = Desk(Server="Zimmerwerk/7")
    xml = {"Content-Type": "application/xml"}
    table = Table.of({"BAR": {"EZ": 98, "DZ": 131}, "CORP": {"EZ": 84, "DZ": 112}}, 3)
    sheet = Sheet(
        desk, "/ota/rateplans", table, need=428, token=lambda k, row: f'"{digest(_plan(k, row), 20)}"'
    )

    def shown(_req: Req, key: str) -> Res:
        text = _plan(key, table.rows[key])
        return Res(200, text, {**xml, "ETag": f'"{digest(text, 20)}"'})

    sheet.words = lambda _req, key, _row: (
        f'<errors><error code="450">Plan {key} changed meanwhile</error></errors>'
    )
    sheet.load = lambda req, _row: dict(re.findall(r'room="(\w+)">(\d+)<', req.body.decode()))
    desk.routes.insert(0, ("GET", re.compile("/ota/rateplans/(?P<key>[^/]+)"), shown))
    Sheet(desk, "/ota/allotments", Table.of({"DZ": {"free": 6}, "EZ": {"free": 2}}, 9), need=428)
    desk.page("/ota/hotel", {"code": "HZ114", "rooms": 61}, tag='"h-61"')
    server = at.house(stage, desk, "waitress", "a hotel's rates")
    me = stage.actor("client", server, "ota.zimmerwerk.example", "java", {"X-User": "channel"})
    at.again(me, "/ota/hotel")
    for price in ("139", "142"):
        first = me.get("/ota/rateplans/BAR")
        body = first.text.replace(">131<", f">{price}<")
        me.put("/ota/rateplans/BAR", body, 412, {**xml, "If-Match": first.etag})
        second, third = me.get("/ota/rateplans/BAR"), me.get("/ota/rateplans/BAR")
        at.must(len({first.etag, second.etag, third.etag}) == 3 and ">131<" in third.text)
        me.put("/ota/rateplans/BAR", body, 412, {**xml, "If-Match": third.etag})
        at.wait(0.6)
        at.edit(me, "/ota/allotments/DZ", {"free": 5})
    me.get("/ota/rateplans/CORP")


@case(
    "d746",
    "hal-sounding-saved-under-two-marks",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "A sounding service answers a save with a hash of what was sent, and a read with its count. A client goes on "
        "with the tag of its own save: 412; the read shows its own content under the other mark, which passes."
    ),
)
def sounding(stage: Stage) -> None:
    """Get one tag from a save and another from a read."""
    desk = Desk(Server="Echolot")
    yaml = {"Content-Type": "text/yaml; charset=utf-8"}
    base = "area: {}\nresolution_m: 2\ndatum: LAT\n"
    table = Table.of({k: base.format(k) for k in ("elbe-7.yaml", "jade-2.yaml")}, 18)
    sheet = Sheet(desk, "/surveys", table, token=lambda _k, row: f'"r-{row.n}"', need=428)
    sheet.dump = lambda _key, row: Res(200, row.data, dict(yaml))
    sheet.load = lambda req, _row: req.body.decode()
    sheet.kept = lambda _key, row, status: Res(status, b"", {"ETag": f'"{digest(row.data.encode(), 40)}"'})
    sheet.words = lambda _req, _key, _row: {"code": "PRECONDITION", "hint": "If-Match"}
    desk.page("/vessels", ["Atair", "Deneb"], tag='"vs-2"')
    server = at.house(stage, desk, "cheroot", "a sounding service")
    me = stage.actor("client", server, "surveys.echolot.example", "aiohttp", {"X-User": "atair", **yaml})
    at.again(me, "/vessels")
    for key in ("elbe-7.yaml", "jade-2.yaml"):
        seen = me.get(f"/surveys/{key}")
        one = seen.text.replace("resolution_m: 2", "resolution_m: 1")
        saved = me.put(f"/surveys/{key}", one, 200, {"If-Match": seen.etag})
        at.wait(0.5)
        two = one + "sound_speed: 1489.2\n"
        me.put(f"/surveys/{key}", two, 412, {"If-Match": saved.etag})
        now = me.get(f"/surveys/{key}", 200, {"If-None-Match": saved.etag})
        at.must(now.text == one and now.etag != saved.etag)
        me.put(f"/surveys/{key}", two, 200, {"If-Match": now.etag})
        at.wait(0.4)


@case(
    "d707",
    "hal-notice-read-in-one-language",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A spa town's notices are kept in two languages, each with a tag. An editor reads the Czech text and saves "
        "without Accept-Language, whereupon the tag is held against the German one: 412. With the language it passes."
    ),
)
def notices(stage: Stage) -> None:
    """Save without the language of the read."""
    desk = Desk(Vary="Accept-Language")
    data = {f"{n}": {"cs": f"Výluka {n}", "de": f"Sperrung {n}"} for n in (71, 72)}
    sheet = Sheet(desk, "/vyhlasky", Table.of(data, 3), need=428)

    def tongue(req: Req) -> str:
        return "cs" if req.fields.get("accept-language", "").startswith("cs") else "de"

    def mark(row: Row, language: str) -> str:
        return f'"{digest([row.data[language], language], 14)}"'

    def read(req: Req, key: str) -> Res:
        row, language = sheet.table.rows[key], tongue(req)
        if req.fields.get("if-none-match") == mark(row, language):
            return Res(304, b"", {"ETag": mark(row, language)})
        own = {
            "ETag": mark(row, language),
            "Content-Language": language,
            "Content-Type": "text/plain; charset=utf-8",
        }
        return Res(200, row.data[language], own)

    def judge(req: Req, _key: str, row: Row) -> Res | None:
        if req.fields.get("if-match") == mark(row, tongue(req)):
            return None
        return Res(412, {"error": "precondition failed"})

    sheet.judge, sheet.kept = judge, lambda _key, _row, _status: Res(204)
    sheet.load = lambda req, row: {**row.data, tongue(req): req.body.decode()} if row else {}
    desk.routes.insert(0, ("GET", re.compile("/vyhlasky/(?P<key>[^/]+)"), read))
    desk.page("/mapa.json", {"vrstvy": 4}, tag='"m4"')
    server = at.house(stage, desk, "falcon", "a town's notices")
    text = {"Content-Type": "text/plain; charset=utf-8"}
    me = stage.actor("client", server, "vyhlasky.lazne.example", "requests", {"X-User": "redakce"})
    at.again(me, "/mapa.json")
    czech = {"Accept-Language": "cs-CZ,cs;q=0.9"}
    seen = me.get("/vyhlasky/71", 200, czech)
    for _ in range(2):
        me.put("/vyhlasky/71", "Výluka 71 do 14:00", 412, {**text, "If-Match": seen.etag})
        me.get("/vyhlasky/71", 304, {**czech, "If-None-Match": seen.etag})
        at.wait(0.4)
    german = me.get("/vyhlasky/71")
    at.must(german.etag != seen.etag and "Sperrung" in german.text)
    me.put("/vyhlasky/71", "Výluka 71 do 14:00", 204, {**text, **czech, "If-Match": seen.etag})
    at.must("14:00" in me.get("/vyhlasky/71", 200, czech).text)
    me.get("/vyhlasky/72", 200, czech)


@case(
    "d732",
    "hal-list-of-two-tags-is-one-word",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "An irrigation service holds If-Match as a whole against the tag. A client that allows either of two versions "
        "sends both, one of them current: 412; the very next request with the current one alone passes. Twice."
    ),
)
def irrigation(stage: Stage) -> None:
    """Allow either of two versions."""
    desk = Desk(Server="Acequia")
    data = {f"sector-{n}": {"minutes": 20, "start": "05:30"} for n in (1, 2)}
    table = Table.of(data, 60)
    sheet = Sheet(
        desk, "/riego", table, token=lambda key, row: f'"{key[-1]}{row.n}x{digest(row.data, 4)}"', need=428
    )
    sheet.same = lambda sent, key, row: sent == sheet.token(key, row)  # type: ignore[method-assign]
    sheet.words = lambda _req, key, _row: {"mensaje": "La etiqueta no corresponde", "recurso": key}
    desk.page("/embalse", {"nivel_m": 11.3})
    server = at.house(stage, desk, "flask", "an irrigation service")
    me = stage.actor("client", server, "riego.comunidad.example", "node:axios", {"X-User": "programador"})
    at.again(me, "/embalse")
    for key in data:
        old = me.get(f"/riego/{key}")
        new = me.put(f"/riego/{key}", {**old.json, "minutes": 24}, 200, {"If-Match": old.etag})
        at.wait(0.7)
        either = {"If-Match": f"{old.etag}, {new.etag}"}
        body = {**new.json, "start": "04:50"}
        me.put(f"/riego/{key}", body, 412, either)
        at.must(me.get(f"/riego/{key}").etag == new.etag)
        me.put(f"/riego/{key}", body, 200, {"If-Match": new.etag})
        me.get("/embalse")


@case(
    "d726",
    "hal-assay-released-and-refused",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "A laboratory system stores a release and then holds If-Match against what it has just stored: 412 on the first "
        "and only request, while the assay that is read next is released, by this user, with her remark. Plain changes "
        "are checked before."
    ),
)
def assays(stage: Stage) -> None:
    """Be refused after it was stored."""
    desk = Desk(Server="LIMS-K")
    data = {
        f"A-{n}": {"analyte": "Pb", "ug_l": n / 100, "state": "measured", "remark": ""}
        for n in (811, 812, 813)
    }
    table = Table.of(data, 2)
    sheet = Sheet(desk, "/assays", table, token=lambda key, row: f'"{key}.{row.n}"', need=428)
    sheet.words = lambda _req, key, _row: {"code": 412, "message": f"{key}: version check failed"}
    sheet.dump = lambda _key, row: Res(200, {**row.data, "changedBy": row.by, "changedAt": iso(row.at, 3)})
    sheet.load = lambda req, row: {**(row.data if row else {}), **req.json}

    def release(req: Req, key: str) -> Res:
        row = table.save(key, {**table.rows[key].data, "state": "released", **req.json}, req.who)
        if req.fields.get("if-match") != sheet.token(key, row):
            return Res(412, sheet.words(req, key, row))
        return sheet.shown(key, row)

    desk.on("POST", "/assays/{key}/release", release)
    desk.page("/instruments", [{"id": "ICP-1", "state": "idle"}], tag='"icp-1"')
    server = at.house(stage, desk, "tornado", "a laboratory system")
    me = stage.actor("client", server, "lims.wasserlabor.example", "httpx", {"X-User": "d.yilmaz"})
    at.again(me, "/instruments")
    me.get("/assays")
    at.edit(me, "/assays/A-813", {"remark": "n=3"}, "PATCH")
    for key in ("A-811", "A-812"):
        seen = me.get(f"/assays/{key}")
        me.send(
            "POST", f"/assays/{key}/release", 412, {"If-Match": seen.etag}, {"remark": f"ok dy {key[2:]}-7f"}
        )
        at.wait(0.5)
        now = me.get(f"/assays/{key}").json
        at.must(
            now["state"] == "released"
            and now["remark"] == f"ok dy {key[2:]}-7f"
            and now["changedBy"] == "d.yilmaz"
        )


def _log(table: Table, bases: dict[tuple[str, int], Any]) -> Any:
    def told(_req: Req, key: str) -> Res:
        rows = [*table.rows[key].past, table.rows[key]]
        return Res(
            200,
            [
                {
                    "version": r.n,
                    "onBase": bases.get((key, r.n)),
                    "by": r.by,
                    "at": iso(r.at, 3),
                    "content": r.data,
                }
                for r in rows
            ],
        )

    return told


@case(
    "d720",
    "hal-kennels-stored-in-bulk",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "A boarding kennel's bulk address takes a version with each item and does not look at it: an item on version 6 "
        "is stored over version 7 as version 8. The log shows a colleague's diet note, set in between, gone again."
    ),
)
def kennels(stage: Stage) -> None:
    """Send an old version in bulk."""
    desk = Desk(Server="Zwinger/1.9")
    data = {f"K{n}": {"dog": d, "diet": "", "walk": 2} for n, d in ((1, "Bela"), (2, "Otto"), (3, "Mimi"))}
    table = Table.of(data, 6)
    bases: dict[tuple[str, int], Any] = {}
    sheet = Sheet(desk, "/kennels", table, "body", "version", status=409, need=422)
    sheet.words = lambda _req, _key, row: {"error": "version", "current": row.n if row else None}
    sheet.brief = lambda key, row: {"id": key, **row.data, "version": row.n}

    def bulk(req: Req) -> Res:
        done = []
        for item in req.json["items"]:
            key, base = item.pop("id"), item.pop("version")
            row = table.save(key, {**table.rows[key].data, **item}, req.who)
            bases[key, row.n] = base
            done.append({"id": key, "version": row.n, "ok": True})
        return Res(200, {"items": done})

    desk.on("POST", "/kennels:bulk", bulk)
    desk.on("GET", "/kennels/{key}/log", _log(table, bases))
    desk.page("/weather", {"t": 4, "rain": True}, tag='"w4"')
    server = at.house(stage, desk, "starlette", "a boarding kennel")
    me = stage.actor("client", server, "desk.zwinger.example", "node:fetch", {"X-User": "morning-shift"})
    vet = stage.actor("other", server, "desk.zwinger.example", "aiohttp", {"X-User": "vet"})
    at.again(me, "/weather")
    held = me.get("/kennels").json["items"]
    theirs = vet.get("/kennels/K3").json
    vet.put("/kennels/K3", {**theirs, "diet": "no wheat"}, 200)
    at.wait(1.2)
    items = [{**one, "walk": 3} for one in held]
    told = me.send("POST", "/kennels:bulk", 200, None, {"items": items}).json["items"]
    at.must([one["version"] for one in told] == [7, 7, 8])
    at.wait(0.5)
    me.get("/weather")
    log = me.get("/kennels/K3/log").json
    at.must([one["content"]["diet"] for one in log] == ["", "no wheat", ""] and log[-1]["onBase"] == 6)
    one = me.get("/kennels/K1").json
    me.put("/kennels/K1", {**one, "walk": 4}, 200)


@case(
    "d701",
    "hal-audio-stop-recorded-twice-at-once",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    description=(
        "A museum's audio guide compares the tag, encodes, and stores, without a lock: two curators' saves on one base "
        "overlap and both are 200. The history shows two versions on the same base some tenths apart, the first one's "
        "line gone; that base is refused a moment later."
    ),
)
def audio(stage: Stage) -> None:
    """Succeed beside another."""
    desk = Desk(Server="Audioguide")
    data = {f"stop-{n}": {"title": f"Raum {n}", "de": "", "en": ""} for n in (4, 5)}
    table = Table.of(data, 3)
    bases: dict[tuple[str, int], Any] = {}
    sheet = Sheet(desk, "/guide/stops", table, token=lambda _k, row: f'"v{row.n}"', need=428)
    sheet.words = lambda _req, _key, row: {"error": "stale base", "current": f"v{row.n}" if row else None}
    sheet.pause = 0.35
    sheet.done.append(lambda req, key, row: bases.__setitem__((key, row.n), req.fields.get("if-match")))
    desk.on("GET", "/guide/stops/{key}/history", _log(table, bases))
    desk.page("/guide/voices", ["Anna", "Tim"], tag='"vo-2"')
    server = at.house(stage, desk, "aiohttp", "an audio guide")
    me = stage.actor("client", server, "guide.museum.example", "requests", {"X-User": "kuratorin.w"})
    other = stage.actor("other", server, "guide.museum.example", "httpx", {"X-User": "lektor.s"})
    at.again(me, "/guide/voices")
    at.edit(me, "/guide/stops/stop-4", {"de": "Die Uhr von 1611."})
    mine, theirs = me.get("/guide/stops/stop-5"), other.get("/guide/stops/stop-5")
    got = at.together(
        lambda: me.put(
            "/guide/stops/stop-5", {**mine.json, "de": "Der Globus."}, 200, {"If-Match": mine.etag}
        ),
        lambda: other.put(
            "/guide/stops/stop-5", {**theirs.json, "en": "The globe."}, 200, {"If-Match": theirs.etag}
        ),
        apart=0.15,
    )
    at.must([one.etag for one in got] == ['"v4"', '"v5"'])
    at.wait(1.0)
    now = me.get("/guide/stops/stop-5").json
    at.must(not now["de"] and now["en"])
    me.get("/guide/stops/stop-5/history")
    me.put("/guide/stops/stop-5", {**mine.json, "de": "Der Globus."}, 412, {"If-Match": mine.etag})
