"""Stories of small trades on services of their own making."""

from __future__ import annotations

import hashlib
import json
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.hew_desk import Desk, Reply, http_date
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_hew_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.apps.hew_desk import Ask, Row
    from tools.recording_apis.stage import Stage


def _signed_in(desk: Desk, who: str) -> Desk:
    desk.extra["POST /session"] = lambda _ask: Reply(201, {"sid": "7a1", "u": who})
    desk.says("/ping", {"ok": 1})
    return desk


@case(
    "e533",
    "hew-florist-dates-outvote-tags",
    "server-precondition-bug",
    "stale-read",
    alone="server-precondition-bug",
    description=(
        "A flower wholesaler's prices come with a tag and the date of the supplier's list. A corrected price bears an "
        "older list's date; the shop asks with its tag and its date and is told 304, under a tag that is not the one it "
        "sent, since the server lets the date decide. Asked with the tag alone it hands the new price out."
    ),
)
def florist(stage: Stage) -> None:
    """Be told that nothing changed."""
    rows = {
        f"/sorten/{name}": {"st": 20, "ct": cents} for name, cents in (("r40", 61), ("r60", 84), ("t10", 32))
    }
    desk = _signed_in(Desk(rows, first=610), "laden7")
    desk.tag = lambda row: f'"{row.rev}"'
    desk.marks = lambda row: {"ETag": desk.tag(row), "Last-Modified": http_date(row.at)}

    def fresh(ask: Ask, row: Row) -> bool:
        since = ask.fields.get("if-modified-since")
        if since:
            return int(row.at) <= parsedate_to_datetime(since).timestamp()
        return desk.tag(row) == ask.fields.get("if-none-match")

    desk.fresh = fresh
    server = place.desk(stage, desk, "falcon")
    me = place.ruby(stage, "client", server, "preise.gaertnerhof.example", {"User-Agent": "kasse/2.9"})
    other = stage.actor("other", server, "preise.gaertnerhof.example", "curl", {"X-User": "einkauf"})
    me.send("POST", "/session", 201, None, {"u": "laden7"})
    me.get("/sorten")
    held = {name: me.get(f"/sorten/{name}") for name in ("r40", "r60", "t10")}
    asked = {
        name: {"If-None-Match": got.etag, "If-Modified-Since": got.fields["last-modified"]}
        for name, got in held.items()
    }
    for name, fields in asked.items():
        me.get(f"/sorten/{name}", 304, fields)
    other.put("/sorten/r60", {"st": 20, "ct": 97}, 200)
    desk.rows["/sorten/r60"].at -= 86400 * 3 + 77
    place.rest(0.6)
    for name, fields in asked.items():
        me.get(f"/sorten/{name}", 304, fields)
        me.get("/ping")
    place.rest(0.5)
    me.get("/sorten/r60", 304, asked["r60"])
    got = me.get("/sorten/r60", 200, {"If-None-Match": held["r60"].etag})
    place.sure(got.json["ct"] == 97)


@case(
    "e520",
    "hew-bus-roster-one-stamp",
    "coarse-token-scope",
    "409",
    alone="coarse-token-scope",
    description=(
        "A bus company's roster has one stamp for the whole week. The dispatcher changes Monday while somebody else "
        "changes Thursday and is refused; Monday reads as before, under the stamp that Thursday has too. On Tuesday it "
        "happens again."
    ),
)
def roster(stage: Stage) -> None:
    """Be refused for another day's change."""
    days = ("mo", "di", "mi", "do", "fr")
    rows = {f"/dienstplan/kw48/{day}": {"frueh": "Ahrens", "spaet": "Toprak", "bus": 14} for day in days}
    server = place.shed(
        stage, rows, "scope", fixed={"/ich": {"name": "Wenke"}, "/fahrer": ["Ahrens", "Toprak", "Lüth"]}
    )
    host = "plan.weserbus.example"
    me = stage.actor("client", server, host, "node:axios", {"X-User": "wenke"})
    other = place.ruby(stage, "other", server, host, {"X-User": "brandt"})
    me.get("/ich")
    me.get("/fahrer")
    me.get("/dienstplan/kw48")
    friday = me.get("/dienstplan/kw48/fr").json
    me.put("/dienstplan/kw48/fr", {**friday, "bus": 9}, 200)
    for day, theirs in (("mo", "do"), ("di", "mi")):
        mine = me.get(f"/dienstplan/kw48/{day}").json
        seen = other.get(f"/dienstplan/kw48/{theirs}").json
        other.put(f"/dienstplan/kw48/{theirs}", {"stand": seen["stand"], "spaet": "Lüth"}, 200)
        place.rest()
        me.put(f"/dienstplan/kw48/{day}", {**mine, "frueh": "Lüth"}, 409)
        now = me.get(f"/dienstplan/kw48/{day}").json
        place.sure(now == {**mine, "stand": mine["stand"] + 1})
        me.get(f"/dienstplan/kw48/{theirs}")


@case(
    "e521",
    "hew-joinery-order-line",
    "wrong-token-source",
    "409",
    alone="wrong-token-source",
    description=(
        "A joinery's orders and their lines have a v each. The tablet writes a line with the v of the order above it and "
        "is refused, again after it has read the order again; the line's own v stood in the list of lines all the time. "
        "The order itself is saved with its v without trouble."
    ),
)
def joinery(stage: Stage) -> None:
    """Write a line with the order's number."""
    rows: dict[str, Any] = {
        "/auftraege/2088": {"kunde": "Raab", "termin": "2026-12-11"},
        "/auftraege/2088/pos/1": {"art": "Zarge 86", "n": 4},
        "/auftraege/2088/pos/2": {"art": "Türblatt Eiche", "n": 4},
        "/auftraege/2091": {"kunde": "Stifter", "termin": "2027-01-08"},
    }
    desk = _signed_in(Desk(rows, first=3, stale=409, need=400), "tablet3")
    desk.rows["/auftraege/2088"].rev = 19
    desk.marks = lambda _row: {}
    desk.sent = lambda ask: ask.query.get("v")
    desk.holds = lambda sent, row: sent == str(row.rev)
    desk.shape = lambda _ask, row: {"v": row.rev, **row.data}
    desk.stored = lambda row: {"v": row.rev}
    desk.refusal = lambda _row: {"f": 31}
    lines = [path for path in rows if "/pos/" in path]
    desk.extra["GET /auftraege/2088/pos"] = lambda _ask: Reply(
        200, [{"nr": path[-1], **dict(v=desk.rows[path].rev, **desk.rows[path].data)} for path in lines]
    )
    server = place.desk(stage, desk)
    me = stage.actor("client", server, "werk.tischlerei-holm.example", "httpx", {"X-User": "tablet3"})
    me.send("POST", "/session", 201, None, {"pin": "••••"})
    me.get("/auftraege")
    order = me.get("/auftraege/2088").json
    me.get("/auftraege/2088/pos")
    order = {
        **order,
        **me.put(f"/auftraege/2088?v={order['v']}", {"kunde": "Raab", "termin": "2026-12-14"}, 200).json,
    }
    me.put(f"/auftraege/2088/pos/2?v={order['v']}", {"art": "Türblatt Eiche", "n": 5}, 409)
    again = me.get("/auftraege/2088").json
    me.get("/ping")
    place.rest()
    me.put(f"/auftraege/2088/pos/2?v={again['v']}", {"art": "Türblatt Eiche", "n": 5}, 409)
    me.get("/auftraege/2088/pos/2")
    second = me.get("/auftraege/2091").json
    me.put(f"/auftraege/2091?v={second['v']}", {"kunde": "Stifter", "termin": "2027-01-15"}, 200)


def _patched(desk: Desk, ask: Ask) -> Reply:
    row, steps = desk.rows[ask.path], ask.json
    data = dict(row.data)
    for number, step in enumerate(steps):
        key = step["path"].strip("/")
        if step["op"] == "test" and data.get(key) != step["value"]:
            return Reply(409, {"at": number})
        if step["op"] == "replace":
            data[key] = step["value"]
    desk.store(ask.path, data, ask.who)
    return Reply(204)


@case(
    "e555",
    "hew-cheese-price-as-text",
    "payload-precondition-mismatch",
    "409",
    alone="payload-precondition-mismatch",
    description=(
        "A dairy's price tool sends patches whose first step tests what it has read. The prices are text of two "
        "decimals; the tool's spreadsheet makes numbers of them, so its tests fail wherever the price ends in a zero "
        "or is text at all, while those of whole stocks pass."
    ),
)
def cheese(stage: Stage) -> None:
    """Test a number where text is."""
    rows = {
        f"/kaas/{n}": {"naam": naam, "prijs": prijs, "stuk": n * 3}
        for n, naam, prijs in ((11, "Belegen", "14.50"), (12, "Komijn", "15.25"), (15, "Geit", "18.90"))
    }
    desk = _signed_in(Desk(rows), "winkel")
    desk.marks = lambda _row: {}
    for path in rows:
        desk.extra[f"PATCH {path}"] = lambda ask: _patched(desk, ask)
    server = place.desk(stage, desk)
    kind = {"Content-Type": "application/json-patch+json"}
    me = stage.actor(
        "client", server, "prijzen.zuivelhoeve.example", "requests", {"User-Agent": "kaaslijst/1.4"}
    )
    me.send("POST", "/session", 201, None, {"u": "winkel"})
    listed = me.get("/kaas").json["items"]
    stock = [{"op": "test", "path": "/stuk", "value": 36}, {"op": "replace", "path": "/stuk", "value": 33}]
    me.send("PATCH", "/kaas/12", 204, kind, json.dumps(stock))
    for item in listed:
        old = float(item["prijs"])
        steps = [
            {"op": "test", "path": "/prijs", "value": old},
            {"op": "replace", "path": "/prijs", "value": f"{old * 1.04:.2f}"},
        ]
        me.send("PATCH", f"/kaas/{item['id']}", 409, kind, json.dumps(steps))
        place.rest(0.1)
    place.sure(me.get("/kaas/15").json["prijs"] == "18.90")
    me.get("/ping")


@case(
    "e541",
    "hew-clinic-same-second",
    "date-precision",
    "lost-update",
    alone="date-precision",
    description=(
        "A veterinary practice's cards are guarded by dates of whole seconds. A card is read, changed by the assistant "
        "in the same second, and saved by the vet under that second's date: 200, and the assistant's line is gone. The "
        "log of changes, which has milliseconds, shows both."
    ),
)
def clinic(stage: Stage) -> None:
    """Save within the second."""
    rows = {
        f"/fiches/{n}": {"animal": animal, "poids": kg, "note": ""}
        for n, animal, kg in ((204, "Rita", 31), (205, "Oslo", 6), (209, "Chipie", 4))
    }
    desk = _signed_in(Desk(rows), "dr.morel")
    desk.marks = lambda row: {"Last-Modified": http_date(row.at)}
    desk.sent = lambda ask: ask.fields.get("if-unmodified-since")
    desk.holds = lambda sent, row: int(row.at) <= parsedate_to_datetime(sent).timestamp()
    desk.fresh = lambda ask, row: ask.fields.get("if-modified-since") == http_date(row.at)
    desk.logged("/journal")
    server = place.desk(stage, desk)
    host = "cabinet.vetlac.example"
    me = stage.actor("client", server, host, "requests", {"X-User": "dr.morel"})
    other = stage.actor("other", server, host, "httpx", {"X-User": "ines"})
    me.send("POST", "/session", 201, None, {"u": "dr.morel"})
    me.get("/fiches")
    dog = me.get("/fiches/204")
    me.put(
        "/fiches/204", {**dog.json, "poids": 30}, 200, {"If-Unmodified-Since": dog.fields["last-modified"]}
    )
    me.get("/fiches/205", 200)
    card = other.get("/fiches/209")
    time.sleep(1.02 - time.time() % 1)
    other.put(
        "/fiches/209", {**card.json, "poids": 5}, 200, {"If-Unmodified-Since": card.fields["last-modified"]}
    )
    mine = me.get("/fiches/209")
    place.rest(0.1)
    other.put(
        "/fiches/209",
        {**mine.json, "note": "allergie pénicilline"},
        200,
        {"If-Unmodified-Since": mine.fields["last-modified"]},
    )
    place.rest(0.15)
    me.put(
        "/fiches/209",
        {**mine.json, "rappel": "2027-03"},
        200,
        {"If-Unmodified-Since": mine.fields["last-modified"]},
    )
    place.rest(0.8)
    place.sure(me.get("/fiches/209").json["note"] == "")
    me.get("/journal")


@case(
    "e540",
    "hew-ferry-deck-plan",
    "other-writer",
    "409",
    alone="other-writer",
    description=(
        "A ferry line's deck plan: two offices load one sailing; the second is told 409 and nothing else. What is read "
        "afterwards has the other office's lorry and name. The agent gives up for today."
    ),
)
def ferry(stage: Stage) -> None:
    """Be second."""
    rows = {
        f"/seilinger/{n}": {"dekk": [], "kl": kl}
        for n, kl in ((771, "06:40"), (772, "09:15"), (773, "13:30"))
    }
    desk = _signed_in(Desk(rows, first=2, stale=409), "moss")
    desk.marks = lambda row: {"X-Rad": str(row.rev)}
    desk.sent = lambda ask: ask.fields.get("x-rad")
    desk.holds = lambda sent, row: sent == str(row.rev)
    desk.shape = lambda _ask, row: {**row.data, "av": row.by}
    desk.refusal = lambda _row: ""
    desk.stored = lambda row: {"av": row.by}
    server = place.desk(stage, desk, "falcon")
    host = "last.fjordferge.example"
    me = stage.actor("client", server, host, "urllib", {"X-User": "moss"})
    other = stage.actor("other", server, host, "node:fetch", {"X-User": "horten"})
    me.send("POST", "/session", 201, None, {"u": "moss"})
    me.get("/seilinger")
    early = me.get("/seilinger/771")
    me.put("/seilinger/771", {"kl": "06:40", "dekk": ["VW 1"]}, 200, {"X-Rad": early.fields["x-rad"]})
    mine, theirs = me.get("/seilinger/772"), other.get("/seilinger/772")
    me.get("/ping")
    other.put(
        "/seilinger/772", {"kl": "09:15", "dekk": ["Scania 24t"]}, 200, {"X-Rad": theirs.fields["x-rad"]}
    )
    place.rest(0.4)
    me.put("/seilinger/772", {"kl": "09:15", "dekk": ["Volvo 18t"]}, 409, {"X-Rad": mine.fields["x-rad"]})
    me.get("/seilinger/772")
    me.get("/seilinger")


@case(
    "e558",
    "hew-menu-sheet-and-record",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A canteen's week menu comes as JSON and as a sheet of commas, with a tag each. The kitchen's tool reads the "
        "sheet, writes JSON under the sheet's tag and is refused; nobody else has been there. Dishes, which it reads as JSON, "
        "it saves without trouble."
    ),
)
def menu(stage: Stage) -> None:
    """Write under the tag of the sheet."""
    rows = {
        "/menus/49": {"lun": "couscous", "mar": "polenta", "jeu": "hachis"},
        "/menus/50": {"lun": "dahl"},
        "/plats/couscous": {"kcal": 640},
    }
    desk = _signed_in(Desk(rows), "cuisine")

    def octets(data: dict[str, Any], accept: str) -> bytes:
        if "csv" in accept:
            return "".join(f"{key},{value}\r\n" for key, value in data.items()).encode()
        return json.dumps(data).encode()

    def tag(data: dict[str, Any], accept: str) -> str:
        return f'"{hashlib.sha1(octets(data, accept), usedforsecurity=False).hexdigest()[:12]}"'

    def read(ask: Ask) -> Reply:
        row, accept = desk.rows[ask.path], ask.fields.get("accept", "")
        kind = "text/csv" if "csv" in accept else "application/json"
        fields = {"Content-Type": kind, "ETag": tag(row.data, accept), "Vary": "Accept"}
        if fields["ETag"] == ask.fields.get("if-none-match"):
            return Reply(304, None, fields)
        return Reply(200, octets(row.data, accept), fields)

    desk.tag = lambda row: tag(row.data, "")
    desk.refusal = lambda _row: "412"
    for path in rows:
        desk.extra[f"GET {path}"] = read
    server = place.desk(stage, desk)
    me = stage.actor("client", server, "cantine.mairie.example", "aiohttp", {"X-User": "cuisine"})
    sheet, record = {"Accept": "text/csv"}, {"Accept": "application/json"}
    me.send("POST", "/session", 201, None, {"u": "cuisine"})
    dish = me.get("/plats/couscous", 200, record)
    me.put("/plats/couscous", {"kcal": 655}, 200, {"If-Match": dish.etag, **record})
    week = me.get("/menus/49", 200, sheet)
    me.get("/menus/50", 200, sheet)
    place.rest()
    told = {"lun": "couscous", "mar": "polenta", "jeu": "lasagnes"}
    me.put("/menus/49", told, 412, {"If-Match": week.etag, **record})
    me.get("/menus/49", 304, {"If-None-Match": week.etag, **sheet})
    me.put("/menus/49", told, 412, {"If-Match": week.etag, **record})
    me.get("/menus/49", 200, record)


@case(
    "e539",
    "hew-scrapyard-weighing-twice",
    "lost-response-replay",
    "409",
    alone="lost-response-replay",
    description=(
        "A scrapyard's weighbridge saves a slip over a bad line: the answer does not come, the same slip is sent again and "
        "refused. What is stored bears the weighbridge's own job number."
    ),
)
def scrapyard(stage: Stage) -> None:
    """Send a slip again."""
    rows = {
        f"/bons/{n}": {"ijzer": 0, "wagen": wagen}
        for n, wagen in ((5510, "1-KLM-203"), (5511, "2-ABX-881"), (5512, "1-TRE-009"))
    }
    desk = _signed_in(Desk(rows, first=1, stale=409), "brug")
    desk.marks = lambda _row: {}
    desk.sent = lambda ask: str(ask.json.get("ver", ""))
    desk.holds = lambda sent, row: sent == str(row.rev)
    desk.shape = lambda _ask, row: {**row.data, "ver": row.rev}
    desk.stored = lambda row: {"ver": row.rev}
    desk.refusal = lambda _row: {"fout": "versie"}
    server = place.desk(stage, desk)
    lost = place.first("PUT", "/bons/5511")
    me = place.ruby(stage, "client", server, "weeg.schroot.example", {"User-Agent": "brug/0.8"}, loses=lost)
    me.send("POST", "/session", 201, None, {"u": "brug"})
    me.get("/bons")
    slip = me.get("/bons/5510").json
    me.put("/bons/5510", {**slip, "ijzer": 8120, "job": "b-4401"}, 200)
    slip = {**me.get("/bons/5511").json, "ijzer": 11760, "job": "b-4402"}
    me.put("/bons/5511", slip, 0)
    place.rest(0.7)
    me.put("/bons/5511", slip, 409)
    place.sure(me.get("/bons/5511").json["job"] == "b-4402")
    me.get("/ping")
