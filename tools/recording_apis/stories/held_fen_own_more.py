"""Held-out stories on business services with versions of their own making: lots, forms, criteria, XML, GraphQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.fen_desk import Desk, form, stamp
from tools.recording_apis.apps.vic_core import Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import fen_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _lots() -> Desk:
    """Return lots of coffee whose fingerprint single changes compare, and lots of changes do not."""
    desk = Desk(
        {f"L-{n}": {"lote": f"L-{n}", "sacos": 120, "humedad": 11.4, "bodega": "A"} for n in (71, 72, 73)},
        first=2,
    )
    desk.still("/api/bodegas", [{"id": "A", "t": 18.5}, {"id": "B", "t": 17.9}])

    def shown(key: str) -> dict[str, Any]:
        row = desk.rows[key]
        return {**row.data, "huella": row.digest(14), "por": row.by}

    def keep(key: str, sent: dict[str, Any], who: str) -> None:
        desk.keep(key, {name: one for name, one in sent.items() if name not in {"huella", "por"}}, who)

    @desk.on("GET", "/api/lotes")
    def listing(_req: Req) -> Res:
        return Res(200, [shown(key) for key in desk.rows])

    @desk.on("GET", "/api/lotes/(L-[0-9]+)")
    def read(_req: Req, key: str) -> Res:
        return Res(200, shown(key))

    @desk.on("PUT", "/api/lotes/(L-[0-9]+)")
    def write(req: Req, key: str) -> Res:
        if req.json.get("huella") != desk.rows[key].digest(14):
            return Res(
                409, {"mensaje": "La huella no corresponde al estado actual del lote", "codigo": "HUELLA"}
            )
        keep(key, req.json, req.fields["x-usuario"])
        return Res(200, shown(key))

    @desk.on("POST", "/api/lotes/masivo")
    def bulk(req: Req) -> Res:
        for sent in req.json["lotes"]:
            keep(sent["lote"], sent, req.fields["x-usuario"])
        return Res(200, {"procesados": len(req.json["lotes"]), "errores": []})

    return desk


@case(
    "d674",
    "fen-coffee-lots-changed-in-bulk",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    also="other-writer",
    description=(
        "A coffee exporter's lots carry a fingerprint. The bulk route takes changes with fingerprints and compares none: "
        "the humidity that the laboratory had measured, which the list in between shows, is overwritten from what was "
        "read before. A single change under such an old fingerprint is refused."
    ),
)
def coffee(stage: Stage) -> None:
    """Have a bulk route that compares nothing."""
    server = place.open_box(stage, _lots(), "falcon")
    host = "lotes.exportadora-huila.example"
    me = stage.actor("client", server, host, "httpx", {"X-Usuario": "planilla", "User-Agent": "hoja-lotes/6"})
    other = stage.actor("other", server, host, "node:fetch", {"X-Usuario": "laboratorio"})
    place.looks(me, "/api/bodegas")
    held = me.get("/api/lotes").json
    theirs = other.get("/api/lotes/L-72").json
    other.put("/api/lotes/L-72", {**theirs, "humedad": 13.1}, 200)
    place.think(0.8)
    now = me.get("/api/lotes").json
    place.sure(now[1]["huella"] != held[1]["huella"] and now[1]["humedad"] == 13.1)
    place.looks(me, "/api/bodegas")
    told = me.send(
        "POST", "/api/lotes/masivo", 200, None, {"lotes": [{**one, "bodega": "B"} for one in held]}
    )
    place.sure(told.json["errores"] == [])
    after = me.get("/api/lotes").json
    place.sure(after[1]["humedad"] == 11.4)
    me.put("/api/lotes/L-72", {**held[1], "sacos": 118}, 409)
    me.put("/api/lotes/L-73", {**after[2], "sacos": 119}, 200)


@case(
    "d670",
    "fen-lorry-assigned-and-refused",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "A haulier's lorries: the service stores an assignment, which moves the version, and compares the sent version "
        "only then: the dispatcher is told 412 on the first attempt, though the lorry, read next, has her driver, her "
        "name and the next version. A change of the note, which goes another way, passes."
    ),
)
def lorries(stage: Stage) -> None:
    """Compare after storing."""
    desk = Desk({n: {"bil": n, "sjafor": "", "merknad": ""} for n in ("K-12", "K-14", "K-15")}, first=30)
    desk.still("/drift/turer", [{"tur": 881, "bil": "K-15"}])

    def shown(key: str) -> dict[str, Any]:
        row = desk.rows[key]
        return {**row.data, "versjon": row.rev, "endretAv": row.by, "endret": stamp(row.at, 3)}

    @desk.on("GET", "/drift/biler/([^/]+)")
    def read(_req: Req, key: str) -> Res:
        return Res(200, shown(key))

    @desk.on("POST", "/drift/biler/([^/]+)/(tildel|merknad)")
    def change(req: Req, key: str, what: str) -> Res:
        sent, refused = (
            form(req),
            Res(412, {"feil": "VERSJON", "tekst": "Bilen er endret siden du hentet den"}),
        )
        if what == "merknad" and sent["versjon"] != str(desk.rows[key].rev):
            return refused
        name = "sjafor" if what == "tildel" else "merknad"
        desk.keep(key, {**desk.rows[key].data, name: sent[name]}, req.fields["x-ansatt"])
        return (
            refused
            if sent["versjon"] != str(desk.rows[key].rev) and what == "tildel"
            else Res(200, shown(key))
        )

    server = place.open_box(stage, desk, "aiohttp")
    me = stage.actor("client", server, "drift.fjordfrakt.example", "urllib", {"X-Ansatt": "hege"})
    place.looks(me, "/drift/turer", "/drift/biler/K-15")
    seen = me.get("/drift/biler/K-12").json
    place.post_form(
        me, "/drift/biler/K-12/merknad", 200, versjon=seen["versjon"], merknad="EU-kontroll i mars"
    )
    for lorry, driver in (("K-14", "Arne"), ("K-12", "Siri")):
        seen = me.get(f"/drift/biler/{lorry}").json
        place.think(0.4)
        place.post_form(me, f"/drift/biler/{lorry}/tildel", 412, versjon=seen["versjon"], sjafor=driver)
        now = me.get(f"/drift/biler/{lorry}").json
        place.sure(
            now["sjafor"] == driver and now["versjon"] == seen["versjon"] + 1 and now["endretAv"] == "hege"
        )
        place.looks(me, "/drift/turer")


@case(
    "d681",
    "fen-customer-kept-by-tax-number",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "A wholesaler's customers are stored by a criterion instead of an id: where none fits one is made, where one fits "
        "it is changed, and where two have the tax number the answer is 412. The search shows the two; under the id the "
        "change passes."
    ),
)
def customers(stage: Stage) -> None:
    """Mean one and find two."""
    names = {
        "301": ("Αφοί Λάππα", "099811223"),
        "302": ("Λάππας ΑΕ", "099811223"),  # noqa: RUF001 - Greek
        "305": ("Κρητικά Έλαια", "094417788"),
    }
    desk = Desk({key: {"επωνυμία": name, "αφμ": tax, "όριο": 4000} for key, (name, tax) in names.items()})
    desk.still("/syndesi", {})
    desk.still("/pelates/katigories", ["λιανική", "χονδρική"])

    @desk.on("GET", "/pelates")
    def search(req: Req) -> Res:
        found = [
            {"id": key, **row.data}
            for key, row in desk.rows.items()
            if row.data["αφμ"] == req.query.get("afm")
        ]
        return Res(200, {"πλήθος": len(found), "πελάτες": found})

    @desk.on("PUT", "/pelates")
    def upsert(req: Req) -> Res:
        found = [key for key, row in desk.rows.items() if row.data["αφμ"] == req.query["afm"]]
        if len(found) > 1:
            told = "Το κριτήριο ταιριάζει σε περισσότερους πελάτες"  # noqa: RUF001 - Greek
            return Res(412, {"σφάλμα": told, "ευρέθησαν": len(found)})
        key = found[0] if found else str(310 + len(desk.rows))
        desk.keep(key, {**(desk.rows[key].data if found else {"αφμ": req.query["afm"]}), **req.json}, "erp")
        return Res(200 if found else 201, {"id": key, **desk.rows[key].data})

    @desk.on("PUT", "/pelates/([0-9]+)")
    def write(req: Req, key: str) -> Res:
        desk.keep(key, {**desk.rows[key].data, **req.json}, "erp")
        return Res(200, {"id": key, **desk.rows[key].data})

    server = place.open_box(stage, desk, "starlette")
    me = stage.actor("client", server, "erp.xondriki-kriti.example", "node:axios", {"X-Client": "erp-sync"})
    place.sign_in(me, "/syndesi", xristis="erp")
    place.looks(me, "/pelates/katigories")
    me.put("/pelates?afm=094417788", {"όριο": 6000}, 200)
    me.put("/pelates?afm=099811223", {"όριο": 9000}, 412)
    place.think(0.6)
    me.put("/pelates?afm=099811223", {"όριο": 9000}, 412)
    me.put("/pelates?afm=801122334", {"επωνυμία": "Νέα Γη", "όριο": 1000}, 201)
    place.sure(me.get("/pelates?afm=099811223").json["πλήθος"] == 2)
    me.put("/pelates/302", {"όριο": 9000}, 200)


def _cabinets() -> Desk:
    """Return a stock service that answers everything 200 and says in XML how it went."""
    desk = Desk({n: {"armari": n, "venes": 40, "gases": 200} for n in ("A7", "A8", "B2")}, first=8)
    desk.still("/estat", "<estat>actiu</estat>", "", "application/xml")
    desk.still("/avisos", "<avisos/>", "", "application/xml")

    def xml(inner: str) -> Res:
        return Res(
            200,
            f'<?xml version="1.0" encoding="UTF-8"?>\n<resposta>{inner}</resposta>\n',
            {"Content-Type": "application/xml; charset=utf-8"},
        )

    def shown(key: str) -> str:
        row = desk.rows[key]
        return "".join(f"<{k}>{v}</{k}>" for k, v in {**row.data, "versio": row.rev}.items())

    @desk.on("GET", "/estoc/([A-Z0-9]+)")
    def read(_req: Req, key: str) -> Res:
        return xml(f"<codi>0</codi>{shown(key)}")

    @desk.on("GET", "/informe")
    def report(_req: Req) -> Res:
        return xml("".join(f"<fila>{shown(key)}</fila>" for key in desk.rows))

    @desk.on("POST", "/estoc/([A-Z0-9]+)")
    def write(req: Req, key: str) -> Res:
        sent = dict(re.findall(r"<(\w+)>([^<]*)</\1>", req.body.decode()))
        if sent["versio"] != str(desk.rows[key].rev):
            return xml(
                f"<codi>17</codi><text>Versió divergent</text><versioActual>{desk.rows[key].rev}</versioActual>"
            )
        desk.keep(key, {**desk.rows[key].data, "venes": int(sent["venes"])}, req.fields["x-operari"])
        return xml(f"<codi>0</codi>{shown(key)}")

    return desk


@case(
    "d693",
    "fen-first-aid-cabinets-counted-in-vain",
    "status-dialect-mismatch",
    "200-conflict",
    alone="status-dialect-mismatch",
    also="other-writer",
    description=(
        "A first-aid stock service answers all with 200 and tells a version conflict by a number in its XML. A counting "
        "program looks at the status alone: it announces two cabinets as stored of which one was refused with 17, and "
        "sends the next count of that cabinet with the version that its supposed one would have made; the report shows neither."
    ),
)
def cabinets(stage: Stage) -> None:
    """Take 200 for a success."""
    server = place.open_box(stage, _cabinets(), "cheroot")
    host, kind = "estoc.creu-verda.example", {"Content-Type": "application/xml"}
    me = stage.actor("client", server, host, "requests", {"X-Operari": "recompte-2", **kind})
    other = stage.actor("other", server, host, "curl", {"X-Operari": "magatzem", **kind})
    place.looks(me, "/estat")

    def version(key: str) -> int:
        return int(re.findall("<versio>(.*)</versio>", me.get(f"/estoc/{key}").text)[0])

    def count(who: Any, key: str, number: int, held: int) -> str:
        body = f"<recompte><versio>{held}</versio><venes>{number}</venes></recompte>"
        told: str = who.send("POST", f"/estoc/{key}", 200, None, body).text
        return told

    held = {key: version(key) for key in ("A7", "A8")}
    for more, number in enumerate((38, 36)):
        count(other, "A7", number, held["A7"] + more)
    place.think(0.7)
    for key, number in (("A8", 31), ("A7", 33)):
        told = count(me, key, number, held[key])
        place.sure(("<codi>17</codi>" in told) == (key == "A7"))
        me.send("POST", "/avisos", 204, None, f"<avis>Armari {key} desat: {number} venes</avis>")
    place.think(0.6)
    place.sure("<codi>17</codi>" in count(me, "A7", 32, held["A7"] + 1))
    me.send("POST", "/avisos", 204, None, "<avis>Armari A7 desat: 32 venes</avis>")
    place.sure("<venes>36</venes>" in me.get("/informe").text)
    place.looks(me, "/estat")


@case(
    "d658",
    "fen-two-marks-for-one-pupil",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    description=(
        "A school's gateway passes two teachers' marks for one pupil at the same time to a GraphQL service, which "
        "compares the revision and stores a moment later: both on revision 20 succeed and both are told 21, and one "
        "mark is gone. Later, one after the other, a mutation on revision 20 is an error."
    ),
)
def marks(stage: Stage) -> None:
    """Let two writes pass one comparison."""
    server = place.engine(stage, "node", "fen_bench.js", "Express 5", "marks")
    me = stage.actor(
        "client", server, "dziennik.szkola-12.example", "httpx", {"User-Agent": "bramka-szkolna/2.1"}
    )
    place.looks(me, "/kalendarz")
    read = "query Uczen($id: ID!) { uczen(id: $id) { id algebra biologia rev } }"
    save = "mutation Zapisz($id: ID!, $rev: Int!, $oceny: OcenyInput!) { zapiszOceny(id: $id, rev: $rev, oceny: $oceny) { rev algebra biologia } }"

    def ask(query: str, teacher: str, **variables: Any) -> Any:
        return me.send(
            "POST", "/graphql", 200, {"X-Nauczyciel": teacher}, {"query": query, "variables": variables}
        )

    rev = ask(read, "nowak", id="e-401").json["data"]["uczen"]["rev"]
    ask(read, "wrona", id="e-401")
    got = place.at_once(
        lambda: ask(save, "nowak", id="e-401", rev=rev, oceny={"algebra": 5}),
        lambda: ask(save, "wrona", id="e-401", rev=rev, oceny={"biologia": 4}),
        apart=0.09,
    )
    place.sure(all(one.json["data"]["zapiszOceny"]["rev"] == rev + 1 for one in got))
    place.think(0.5)
    place.looks(me, "/kalendarz")
    now = ask(read, "nowak", id="e-401").json["data"]["uczen"]
    place.sure(now["algebra"] is None and now["biologia"] == 4)
    place.sure("errors" in ask(save, "nowak", id="e-401", rev=rev, oceny={"algebra": 5}).json)
    spare = ask(read, "nowak", id="e-402").json["data"]["uczen"]["rev"]
    ask(save, "nowak", id="e-402", rev=spare, oceny={"algebra": 3})
