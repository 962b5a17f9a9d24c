"""Stories of what clients do with the versions that they were given."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.hal_core import Desk, Res, Row, Sheet, Table, digest, iso
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_hal_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.apps.hal_core import Req
    from tools.recording_apis.stage import Stage

_CSV = {"Content-Type": "text/csv; charset=utf-8"}


def _lines(old: str, new: str) -> list[str]:
    return [one for one in new.splitlines() if one not in old.splitlines()]


@case(
    "d722",
    "hal-quay-tariff-on-an-old-base",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A port's tariff is a CSV. An office edits a copy, fetches the newest tag before it saves, and sends its copy, "
        "which is older than what it has just fetched: accepted. The journal shows the pilotage fee set back."
    ),
)
def tariff(stage: Stage) -> None:
    """Save an old copy under a new tag."""
    desk = Desk(Server="Kaje")
    text = "post,unit,eur\nmooring,call,180.00\npilotage,call,640.00\nwater,m3,3.20\nwaste,m3,21.50\n"
    table = Table.of({"quay.csv": text, "tugs.csv": "post,unit,eur\ntug,hour,410.00\n"}, 21, by="board")
    sheet = Sheet(desk, "/tariffs", table, token=lambda _k, row: f'"{digest(row.data, 8)}-{row.n}"', need=428)
    sheet.dump = lambda _key, row: Res(200, row.data, dict(_CSV))
    sheet.load = lambda req, _row: req.body.decode()

    def journal(_req: Req, key: str) -> Res:
        rows = [*table.rows[key].past, table.rows[key]]
        pairs = zip([rows[0], *rows], rows, strict=False)
        told = [{"n": b.n, "by": b.by, "at": iso(b.at), "lines": _lines(a.data, b.data)} for a, b in pairs]
        return Res(200, told)

    desk.on("GET", "/tariffs/{key}/journal", journal)
    desk.page("/calls/today", {"calls": 14, "berths": 9}, tag='"c-14"')
    server = at.house(stage, desk, "waitress", "a port's tariffs")
    me = stage.actor("client", server, "tariff.port.example", "node:axios", {"X-User": "office", **_CSV})
    board = stage.actor("other", server, "tariff.port.example", "httpx", {"X-User": "board", **_CSV})
    at.again(me, "/calls/today")
    copy = me.get("/tariffs/quay.csv").text.replace("waste,m3,21.50", "waste,m3,23.00")
    theirs = board.get("/tariffs/quay.csv")
    board.put("/tariffs/quay.csv", theirs.text.replace("640.00", "715.00"), 200, {"If-Match": theirs.etag})
    at.wait(1.3)
    tugs = me.get("/tariffs/tugs.csv")
    me.put("/tariffs/tugs.csv", tugs.text.replace("410", "425"), 200, {"If-Match": tugs.etag})
    fresh = me.get("/tariffs/quay.csv")
    at.must("715.00" in fresh.text)
    me.put("/tariffs/quay.csv", copy, 200, {"If-Match": fresh.etag})
    at.wait(0.4)
    me.get("/calls/today")
    told = me.get("/tariffs/quay.csv/journal").json
    at.must("pilotage,call,640.00" in told[-1]["lines"] and told[-2]["by"] == "board")


@case(
    "d705",
    "hal-tree-survey-overwrites-a-risk",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "A city's tree register gives out tags and honours them. A survey app puts whole trees without any condition, "
        "from what it read in the morning; an arborist's risk class, stored in between, is gone, as the audit tells."
    ),
)
def trees(stage: Stage) -> None:
    """Put without a condition."""
    desk = Desk(Server="Baumkataster")
    data = {
        f"B{n}": {"species": "Tilia cordata", "girth_cm": 140 + n % 9, "risk": "low"}
        for n in (2201, 2202, 2203)
    }
    table = Table.of(data, 8)
    sheet = Sheet(desk, "/register/trees", table, token=lambda key, row: f'"{key}/{row.n}"')

    def audit(_req: Req, key: str) -> Res:
        rows = [*table.rows[key].past, table.rows[key]]
        return Res(
            200,
            {
                "tree": key,
                "versions": [{"n": r.n, "by": r.by, "at": iso(r.at), "risk": r.data["risk"]} for r in rows],
            },
        )

    desk.on("GET", "/register/trees/{key}/audit", audit)
    photos = Table.of({"p1": {"tree": "B2201", "caption": ""}})
    Sheet(desk, "/register/photos", photos, token=lambda key, row: f'"{key}/{row.n}"')
    desk.page("/tiles/12/2136.json", {"z": 12, "features": 31}, tag='"t-2136"')
    sheet.brief = lambda key, row: {"id": key, "risk": row.data["risk"]}
    server = at.house(stage, desk, "aiohttp", "a tree register")
    me = stage.actor("client", server, "trees.stadt.example", "java", {"X-User": "survey-app"})
    other = stage.actor("other", server, "trees.stadt.example", "requests", {"X-User": "arborist"})
    at.again(me, "/tiles/12/2136.json")
    me.get("/register/trees")
    held = {key: me.get(f"/register/trees/{key}").json for key in data}
    at.edit(other, "/register/trees/B2202", {"risk": "high"})
    at.wait(1.2)
    at.edit(me, "/register/photos/p1", {"caption": "crown, north side"})
    for key, one in held.items():
        me.put(f"/register/trees/{key}", {**one, "girth_cm": one["girth_cm"] + 2}, 200)
        at.wait(0.15)
    told = me.get("/register/trees/B2202/audit").json["versions"]
    at.must([one["risk"] for one in told] == ["low", "high", "low"] and told[1]["by"] == "arborist")


def _mark(key: str, row: Row) -> str:
    for salt in range(4000):
        made = base64.b64encode(hashlib.sha256(f"{key}{row.n}{salt}".encode()).digest()[:6]).decode()
        if ("+" in made) == (key == "BAT-07") and "/" not in made:
            return made
    raise ValueError(key)


@case(
    "d709",
    "hal-plus-sign-in-a-target",
    "malformed-validator",
    "409",
    alone="malformed-validator",
    description=(
        "A battery laboratory's protocols carry a version in base64, which goes back as ?version=. A client puts it "
        "into the target as it is: where it holds a plus sign, the service reads a blank and refuses, again and again."
    ),
)
def battery(stage: Stage) -> None:
    """Put a plus sign into a target."""
    desk = Desk(Server="zyklus")
    data = {f"BAT-{n:02}": {"chemistry": "LFP", "c_rate": 0.5, "cycles": 200} for n in (5, 6, 7)}
    sheet = Sheet(desk, "/protocols", Table.of(data), "query", "version", token=_mark, status=409, need=400)

    def words(req: Req, key: str, row: Row | None) -> Any:
        stored = _mark(key, row) if row else None
        return {"error": "version_mismatch", "given": req.query.get("version"), "stored": stored}

    sheet.words = words
    sheet.load = lambda req, _row: {k: v for k, v in req.json.items() if k != "version"}
    desk.page("/rigs", [{"rig": "A", "cells": 16}, {"rig": "B", "cells": 8}], tag='"rigs-5"')
    server = at.house(stage, desk, "cheroot", "a battery laboratory")
    me = stage.actor("client", server, "zyklus.labor.example", "requests", {"X-User": "okan"})
    at.again(me, "/rigs")
    me.get("/protocols")
    for key in ("BAT-05", "BAT-07", "BAT-06"):
        for turn in range(2 if key == "BAT-07" else 1):
            seen = me.get(f"/protocols/{key}").json
            wanted = 409 if key == "BAT-07" else 200
            body = {**seen, "c_rate": (0.7, 0.8)[turn]}
            got = me.put(f"/protocols/{key}?version={seen['version']}", body, wanted).json
            at.must(wanted == 200 or got["given"] == got["stored"].replace("+", " "))
            at.wait(0.5)
    at.must(me.get("/protocols/BAT-07").json["c_rate"] == 0.5)


@case(
    "d718",
    "hal-rev-of-the-limits-sent-for-the-pitch",
    "wrong-token-source",
    "409",
    alone="wrong-token-source",
    description=(
        "A wind turbine's document has parts, each with a rev of its own. A control room's script sends the rev of the "
        "limits with a new pitch: 409, also after a fresh read. The limits take that rev at once."
    ),
)
def turbine(stage: Stage) -> None:
    """Send another part's rev."""
    desk = Desk(Server="Rotor")
    table = Table.of({"limits": {"max_kw": 3200}, "pitch": {"fine_deg": 1.5}, "yaw": {"deadband_deg": 6}}, 11)

    def rev(key: str, row: Row) -> str:
        return f"{key[0].upper()}{digest([key, row.n], 6)}"

    def whole(_req: Req) -> Res:
        return Res(
            200, {"turbine": "T4", "parts": {k: {"rev": rev(k, r), **r.data} for k, r in table.rows.items()}}
        )

    def store(req: Req, part: str) -> Res:
        row, asked = table.rows[part], req.json
        if asked.pop("rev", None) != rev(part, row):
            return Res(409, {"part": part, "reason": "rev is not that of this part"})
        row = table.save(part, {**row.data, **asked}, req.who)
        return Res(200, {"rev": rev(part, row), **row.data})

    desk.on("GET", "/turbines/T4", whole)
    desk.on("PUT", "/turbines/T4/{part}", store)
    desk.page("/turbines/T4/power", {"kw": 1840, "wind": 9.1})
    desk.sink("/events", 202)
    server = at.house(stage, desk, "stdlib", "a wind farm")
    me = stage.actor("client", server, "farm.nordwind.example", "node:fetch", {"X-User": "control"})
    at.again(me, "/turbines/T4/power")
    for degrees in (2.0, 2.5):
        parts = me.get("/turbines/T4").json["parts"]
        me.put("/turbines/T4/pitch", {"rev": parts["limits"]["rev"], "fine_deg": degrees}, 409)
        me.send("POST", "/events", 202, None, {"level": "warn", "text": "pitch not stored"})
        at.wait(0.5)
        me.put(
            "/turbines/T4/limits", {"rev": parts["limits"]["rev"], "max_kw": 3000 + int(degrees * 10)}, 200
        )
        me.get("/turbines/T4/power")
    at.must(me.get("/turbines/T4").json["parts"]["pitch"]["fine_deg"] == 1.5)


@case(
    "d713",
    "hal-one-number-for-all-the-rows-of-a-house",
    "coarse-token-scope",
    "409",
    alone="coarse-token-scope",
    also="other-writer",
    description=(
        "A theatre's seating plan has one number for the whole house. Each time the box office changes row F, a "
        "colleague has just changed row B: refused, although row F is read to be as it was."
    ),
)
def theatre(stage: Stage) -> None:
    """Be refused for another row."""
    desk = Desk(Server="Placement")
    table, plan = Table.of({row: {"fauteuils": 22, "bloqués": []} for row in "BFK"}), [806]
    sheet = Sheet(desk, "/salles/grande/rangs", table, "header", "X-Plan-Rev", status=409, need=400)
    sheet.token = lambda _key, _row: plan[0]
    sheet.words = lambda _req, _key, _row: {"erreur": "Le plan de la salle a changé", "plan": plan[0]}
    sheet.done.append(lambda _req, _key, _row: plan.__setitem__(0, plan[0] + 1))
    desk.page("/salles", [{"id": "grande", "jauge": 640}], tag='"s-640"')
    desk.page("/representations/1412", {"titre": "Bérénice", "vendues": 512})
    server = at.house(stage, desk, "tornado", "a theatre's seating plan")
    me = stage.actor("client", server, "billets.theatre.example", "aiohttp", {"X-User": "guichet-1"})
    other = stage.actor("other", server, "billets.theatre.example", "urllib", {"X-User": "guichet-3"})
    at.again(me, "/salles", "/representations/1412")
    for blocked in ([3], [3, 4], [3, 4, 5]):
        mine, theirs = me.get("/salles/grande/rangs/F"), other.get("/salles/grande/rangs/B")
        guard = {"X-Plan-Rev": theirs.fields["x-plan-rev"]}
        other.put("/salles/grande/rangs/B", {**theirs.json, "bloqués": blocked}, 200, guard)
        at.wait(0.4)
        guard = {"X-Plan-Rev": mine.fields["x-plan-rev"]}
        me.put("/salles/grande/rangs/F", {**mine.json, "bloqués": [11, 12]}, 409, guard)
        at.must(me.get("/salles/grande/rangs/F").json == mine.json)
    me.get("/representations/1412")
    k = me.get("/salles/grande/rangs/K")
    me.put("/salles/grande/rangs/K", {**k.json, "fauteuils": 21}, 200, {"X-Plan-Rev": k.fields["x-plan-rev"]})


@case(
    "d749",
    "hal-dye-recipe-saved-as-if-new",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A dye works' script stores recipes with If-None-Match: *. A new recipe is 201; the two that it has read before, "
        "tag and all, and wants to amend, are 412, today and on the next try."
    ),
)
def dyes(stage: Stage) -> None:
    """Amend with the guard of creating."""
    desk = Desk(Server="tintoria")
    text = {"Content-Type": "text/plain; charset=utf-8"}
    table = Table.of(
        {"indigo.txt": "indaco 4%\nidrosolfito 3 g/l\n", "robbia.txt": "robbia 40%\nallume 12%\n"}, 2
    )
    sheet = Sheet(desk, "/ricette", table, token=lambda _k, row: f'"{digest(row.data)}"')
    sheet.dump = lambda _key, row: Res(200, row.data, dict(text))
    sheet.load = lambda req, _row: req.body.decode()
    desk.after.append(lambda _req, res: res.fields.update(text) if res.status == 412 else None)
    sheet.words = lambda _req, key, _row: f"412: condizione non soddisfatta per {key}\n"
    desk.page("/vasche", {"vasche": 5, "libere": 2}, tag='"v2"')
    server = at.house(stage, desk, "waitress", "a dye works")
    me = stage.actor("client", server, "ricette.tintoria.example", "curl", {"X-User": "salva.sh", **text})
    at.again(me, "/vasche")
    seen = {key: me.get(f"/ricette/{key}").text for key in ("indigo.txt", "robbia.txt")}
    new = {"If-None-Match": "*"}
    me.put("/ricette/mallo.txt", "mallo di noce 100%\n", 201, new)
    for _ in range(2):
        for key, more in (("indigo.txt", "soda 2 g/l\n"), ("robbia.txt", "crusca 5%\n")):
            me.put(f"/ricette/{key}", seen[key] + more, 412, new)
        at.wait(0.8)
        me.get("/vasche")
    at.must(me.get("/ricette/indigo.txt").text == seen["indigo.txt"])


@case(
    "d743",
    "hal-treatment-plan-wants-its-number",
    "token-missing",
    "400",
    alone="token-missing",
    description=(
        "A spa's treatment plans are only stored with X-Wersja. A new app leaves it out, for one guest after the other: "
        "400 with a word of what is missing. Its notes, which need none, are stored."
    ),
)
def spa(stage: Stage) -> None:
    """Leave the number out."""
    desk = Desk(Server="Uzdrowisko/2")
    plans = Table.of({f"G{n}": {"zabiegi": ["masaż"], "dieta": "lekka"} for n in (31, 32, 33)}, 2)
    sheet = Sheet(desk, "/plany", plans, "header", "X-Wersja", status=409, need=400)
    sheet.words = lambda _req, _key, row: (
        {"kod": "BRAK_WERSJI", "komunikat": "Nagłówek X-Wersja jest wymagany przy zapisie planu"}
        if row is None
        else {"kod": "ZLA_WERSJA", "wersja": row.n}
    )
    Sheet(desk, "/notatki", Table.of({f"G{n}": {"tekst": ""} for n in (31, 32)}), "body", "nr")
    desk.page("/goscie", [{"id": "G31", "pokój": 204}, {"id": "G32", "pokój": 118}], tag='"g-2"')
    server = at.house(stage, desk, "starlette", "a spa's plans")
    me = stage.actor("client", server, "plany.uzdrowisko.example", "node:fetch", {"X-User": "recepcja"})
    at.again(me, "/goscie")
    for guest in ("G31", "G32"):
        plan, note = me.get(f"/plany/{guest}").json, me.get(f"/notatki/{guest}").json
        me.put(f"/notatki/{guest}", {**note, "tekst": "przyjazd w piątek"}, 200)
        for _ in range(2):
            me.put(f"/plany/{guest}", {**plan, "zabiegi": ["masaż", "borowina"]}, 400)
            at.wait(0.4)
    at.must(me.get("/plany/G31").json["zabiegi"] == ["masaż"])
    me.get("/plany/G33")


def _visits() -> Desk:
    desk = Desk(Server="Pflegeweg")
    notes: dict[str, list[Any]] = {
        visit: [{"t": "08:10", "text": "RR 130/80"}] for visit in ("V12", "V13", "V14")
    }

    def tag(visit: str) -> str:
        return f'"{digest(notes[visit], 10)}"'

    def check(req: Req) -> Res | None:
        visit = req.path.split("/")[2] if req.path.startswith("/visits/") else ""
        if visit not in notes or req.fields.get("if-none-match") != tag(visit):
            return None
        return (
            Res(304, b"", {"ETag": tag(visit)})
            if req.safe
            else Res(412, {"fehler": "Vorbedingung nicht erfüllt"})
        )

    def add(req: Req, visit: str) -> Res:
        notes[visit].append({**req.json, "von": req.who})
        return Res(201, notes[visit][-1], {"Location": f"/visits/{visit}/notes/{len(notes[visit])}"})

    def read(_req: Req, visit: str) -> Res:
        own = {"ETag": tag(visit), "Cache-Control": "private, max-age=0"}
        return Res(200, {"visit": visit, "notes": notes[visit]}, own)

    desk.before.append(check)
    desk.on("GET", "/visits/{visit}/notes", read)
    desk.on("POST", "/visits/{visit}/notes", add)
    desk.page("/tour", [{"visit": v} for v in notes], tag='"tour-28"')
    return desk


@case(
    "d721",
    "hal-notes-posted-from-one-kind-of-phone",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "A nursing app on iOS posts notes to the address from which it has just read them, and the URL cache of the "
        "system adds If-None-Match with the tag of that read: 412 each time. A visit that it has not read takes its note; "
        "the other kind of phone posts without such a field."
    ),
)
def nursing(stage: Stage) -> None:
    """Post with what a cache adds."""
    server = at.house(stage, _visits(), "flask", "a nursing service")
    host = "api.pflegeweg.example"
    ios = {"X-User": "schwester.ina", "User-Agent": "Pflegeweg/512 CFNetwork/1494.0.7 Darwin/23.4.0"}
    me = stage.actor("client", server, host, "httpx", ios)
    other = stage.actor(
        "other", server, host, "requests", {"X-User": "pfleger.udo", "User-Agent": "okhttp/4.12.0"}
    )
    at.again(me, "/tour")
    other.get("/visits/V13/notes")
    other.send("POST", "/visits/V13/notes", 201, None, {"t": "09:02", "text": "Verband neu"})
    tag = me.get("/visits/V12/notes").etag
    for _ in range(2):
        me.send(
            "POST", "/visits/V12/notes", 412, {"If-None-Match": tag}, {"t": "09:20", "text": "Insulin 8 IE"}
        )
        at.wait(0.6)
    me.get("/visits/V12/notes", 304, {"If-None-Match": tag})
    me.send("POST", "/visits/V14/notes", 201, None, {"t": "09:41", "text": "Gehübung"})
    seen = me.get("/visits/V13/notes").etag
    me.send("POST", "/visits/V13/notes", 412, {"If-None-Match": seen}, {"t": "10:05", "text": "Puls 72"})
    me.get("/visits/V13/notes", 304, {"If-None-Match": seen})


@case(
    "d736",
    "hal-archive-feed-after-a-long-pause",
    "token-expired",
    "410",
    alone="token-expired",
    description=(
        "An archive's feed of changes goes on from a cursor that lives two seconds. A harvester polls in time twice, "
        "then pauses; its cursor is gone (410), also on the second try. It lists anew, and that cursor works."
    ),
)
def archive(stage: Stage) -> None:
    """Come too late with a cursor."""
    desk = Desk(Server="Arkisto")
    born: dict[str, float] = {}

    def cursor() -> str:
        made = f"k{len(born):02}{digest([len(born)], 8)}"
        born[made] = time.time()
        return made

    def listing(_req: Req) -> Res:
        return Res(200, {"aineistot": [{"tunnus": f"AY-{n}"} for n in (114, 115)], "kohdistin": cursor()})

    def changes(req: Req) -> Res:
        since = born.get(req.query.get("kohdasta", ""), 0.0)
        if time.time() - since > 2:
            return Res(410, {"virhe": "KOHDISTIN_VANHENTUNUT", "elinikä_s": 2})
        return Res(
            200, {"muutokset": [{"tunnus": f"AY-{114 + len(born)}", "tapa": "lisäys"}], "kohdistin": cursor()}
        )

    desk.on("GET", "/aineistot", listing)
    desk.on("GET", "/muutokset", changes)
    desk.page("/tietoja", {"versio": "5.1", "kohdistimen_elinikä_s": 2}, tag='"t51"')
    server = at.house(stage, desk, "bottle", "an archive's feed")
    me = stage.actor("client", server, "arkisto.kaupunki.example", "urllib", {"User-Agent": "haravoija/0.3"})
    at.again(me, "/tietoja")
    held = me.get("/aineistot").json["kohdistin"]
    for _ in range(2):
        at.wait(0.7)
        held = me.get(f"/muutokset?kohdasta={held}").json["kohdistin"]
    at.wait(2.6)
    for _ in range(2):
        me.get(f"/muutokset?kohdasta={held}", 410)
        at.wait(0.5)
    held = me.get("/aineistot").json["kohdistin"]
    at.wait(0.4)
    me.get(f"/muutokset?kohdasta={held}")
