"""Stories of locks, of services with words of their own, and of what is no condition at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.hal_core import Desk, Res, Row, Sheet, Table, digest, http_date, iso
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_hal_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.apps.hal_core import Req
    from tools.recording_apis.stage import Stage

_LOCK = (
    '<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    "<D:locktype><D:write/></D:locktype><D:owner>{}</D:owner></D:lockinfo>"
)
_FIND = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/><D:getetag/></D:prop></D:propfind>'


@case(
    "d730",
    "hal-site-plan-lock-shown-at-the-annex",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "On a WsgiDAV share an architect holds the lock of a site plan and saves it; the annex is locked by a colleague. "
        "The program presents the site plan's lock token for the annex: 412, twice, and a PROPFIND shows the colleague's "
        "lock there."
    ),
)
def share(stage: Stage) -> None:
    """Present the lock of another file."""
    server = stage.server("wsgidav")
    host, xml = "share.baubuero.example", {"Content-Type": "application/xml"}
    me = stage.actor("client", server, host, "httpx", {"User-Agent": "PlanDesk/14.2"})
    other = stage.actor("other", server, host, "requests", {"User-Agent": "PlanDesk/14.2"})
    for name in ("lageplan.txt", "anbau.txt", "legende.txt"):
        me.put(f"/{name}", f"{name}: Blatt 1\n", 201)
    stage.forget()
    me.get("/lageplan.txt")
    me.get("/legende.txt")
    theirs = other.send(
        "LOCK", "/anbau.txt", 200, {**xml, "Timeout": "Second-600"}, _LOCK.format("t.bruckner")
    )
    token = me.send(
        "LOCK", "/lageplan.txt", 200, {**xml, "Timeout": "Second-600"}, _LOCK.format("a.seidl")
    ).fields["lock-token"]
    other.put("/anbau.txt", "anbau.txt: Blatt 1, Achse C\n", 204, {"If": f"({theirs.fields['lock-token']})"})
    me.put("/lageplan.txt", "lageplan.txt: Blatt 1, Index b\n", 204, {"If": f"({token})"})
    at.wait(0.8)
    seen = me.get("/anbau.txt").text
    for _ in range(2):
        me.put("/anbau.txt", seen + "Schnitt D\n", 412, {"If": f"({token})"})
        told = me.send("PROPFIND", "/anbau.txt", 207, {**xml, "Depth": "0"}, _FIND)
        at.must("t.bruckner" in told.text)
        at.wait(0.7)
    me.send("UNLOCK", "/lageplan.txt", 204, {"Lock-Token": token})
    at.must("Schnitt" not in me.get("/anbau.txt").text)


def _meter(key: str, row: Row) -> Res:
    data = row.data
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<mero azonosito="{key}" v="{row.n}"><allas>{data["allas"]}</allas>'
    return Res(200, f"{text}<plomba>{data['plomba']}</plomba></mero>\n", {"Content-Type": "application/xml"})


@case(
    "d703",
    "hal-meter-reading-with-code-31",
    "status-dialect-mismatch",
    "200-conflict",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description=(
        "A waterworks answers 200 to everything and tells with a code in XML how it went: 31 is an outdated record. A "
        "reader's program looks at the status alone, goes on to the next meter, reports three done, and one of its "
        "readings is not there when the street is listed."
    ),
)
def meters(stage: Stage) -> None:
    """Take 200 for stored."""
    desk = Desk(Server="Vizmu")
    table = Table.of({f"M{n}": {"allas": str(n * 3), "plomba": "ép"} for n in (410, 411, 412)}, 12)
    sheet = Sheet(desk, "/merok", table, "body", "v", status=200)
    xml = {"Content-Type": "application/xml"}

    def answer(code: int, said: str) -> str:
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<valasz kod="{code}" uzenet="{said}"/>\n'

    def sent(req: Req) -> str:
        found = re.search(rb' v="(\d+)"', req.body)
        return found[1].decode() if found else ""

    def judge(req: Req, key: str, row: Row) -> Res | None:
        if sent(req) == str(row.n):
            return None
        return Res(200, answer(31, f"{key} időközben módosult, v={row.n}"), dict(xml))

    def street(_req: Req) -> Res:
        rows = "".join(
            f'<mero azonosito="{k}" v="{r.n}" allas="{r.data["allas"]}"/>' for k, r in table.rows.items()
        )
        return Res(
            200, f'<?xml version="1.0" encoding="UTF-8"?>\n<utca nev="Duna">{rows}</utca>\n', dict(xml)
        )

    sheet.dump, sheet.judge = _meter, judge
    sheet.kept = lambda _key, row, _status: Res(200, answer(0, f"tárolva, v={row.n}"), dict(xml))
    sheet.load = lambda req, _row: dict(re.findall(r"<(\w+)>([^<]*)</\1>", req.body.decode()))
    desk.on("GET", "/utcak/duna", street)
    desk.sink("/jelentes", 202)
    desk.page("/korzet", {"körzet": 9}, tag='"k9"')
    server = at.house(stage, desk, "stdlib", "a waterworks")
    me = stage.actor("client", server, "merok.vizmu.example", "urllib", {"X-User": "leolvaso-5", **xml})
    other = stage.actor("other", server, "merok.vizmu.example", "httpx", {"X-User": "plombalo", **xml})
    at.again(me, "/korzet")
    held = {key: me.get(f"/merok/{key}").text for key in table.rows}
    theirs = other.get("/merok/M411").text
    other.put("/merok/M411", theirs.replace("ép", "sérült"), 200)
    at.wait(1.1)
    for key, text in held.items():
        me.put(f"/merok/{key}", re.sub(r"<allas>\d+", f"<allas>{int(key[1:]) * 3 + 17}", text), 200)
        at.wait(0.3)
    me.send("POST", "/jelentes", 202, {"Content-Type": "application/json"}, {"kész": 3})
    at.must('azonosito="M411" v="13" allas="1233"' in me.get("/utcak/duna").text)


@case(
    "d708",
    "hal-price-without-its-last-nought",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "A wholesaler's price book takes changes as entries to remove and entries to add; what is to be removed must be "
        "as it stands. A client has made a number of 12.50 and writes 12.5: 412 at remove[0].price, before and after a "
        "fresh read. Nobody else writes; 14.25 goes through."
    ),
)
def prices(stage: Stage) -> None:
    """Write a price otherwise than it stands."""
    desk = Desk(Server="Grosshandel")
    book = {"S-100": "14.25", "S-200": "12.50", "S-300": "9.90"}

    def change(req: Req) -> Res:
        asked = req.json
        for number, one in enumerate(asked["remove"]):
            if book.get(one["sku"]) != one["price"]:
                said = {"path": f"remove[{number}].price", "message": "does not equal the entry in the book"}
                return Res(412, {"code": "CHANGE_NOT_APPLICABLE", "errors": [said]})
        for one in asked["add"]:
            book[one["sku"]] = one["price"]
        return Res(201, {"change": f"ch-{digest(asked, 6)}", "state": "applied"})

    desk.on(
        "GET",
        "/pricebook",
        lambda _req: Res(200, {"entries": [{"sku": k, "price": v} for k, v in book.items()]}),
    )
    desk.on("POST", "/pricebook/changes", change)
    desk.page("/customers/groups", ["A", "B"], tag='"gr-2"')
    server = at.house(stage, desk, "flask", "a wholesaler's price book")
    me = stage.actor("client", server, "preise.grosshandel.example", "node:axios", {"X-User": "kalkulation"})
    at.again(me, "/customers/groups")
    for sku, factor in (("S-100", 1.04), ("S-200", 1.04), ("S-200", 1.05), ("S-300", 1.02)):
        seen = {one["sku"]: one["price"] for one in me.get("/pricebook").json["entries"]}
        old = str(float(seen[sku]))
        body = {
            "remove": [{"sku": sku, "price": old}],
            "add": [{"sku": sku, "price": f"{float(old) * factor:.2f}"}],
        }
        me.send("POST", "/pricebook/changes", 201 if sku == "S-100" else 412, None, body)
        at.wait(0.4)
    at.must(book["S-200"] == "12.50")
    me.get("/pricebook")


@case(
    "d740",
    "hal-member-known-twice",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "A sports federation updates members by their tax number in the target. One number belongs to two records, from a "
        "merger: 412 that says so, and a search shows both. Numbers with one record are updated."
    ),
)
def members(stage: Stage) -> None:
    """Update what is there twice."""
    desk = Desk(Server="Federacion")
    rows = [
        {"id": 5501, "nif": "11880032K", "nombre": "Marta Rey", "club": "Remo Sur"},
        {"id": 5502, "nif": "20417755T", "nombre": "Iván Sanz", "club": "Vela Norte"},
        {"id": 6120, "nif": "20417755T", "nombre": "Sanz, I.", "club": "Club Náutico"},
    ]

    def found(req: Req) -> list[Any]:
        return [one for one in rows if one["nif"] == req.query.get("nif", one["nif"])]

    def update(req: Req) -> Res:
        hits = found(req)
        if len(hits) > 1:
            said = f"{len(hits)} fichas cumplen el criterio; no se ha modificado ninguna"
            return Res(
                412, {"código": "CRITERIO_AMBIGUO", "mensaje": said, "fichas": [one["id"] for one in hits]}
            )
        hits[0].update(req.json)
        return Res(200, hits[0])

    desk.on("GET", "/miembros", lambda req: Res(200, {"total": len(found(req)), "fichas": found(req)}))
    desk.on("PUT", "/miembros", update)
    desk.page("/temporada", {"año": 2027, "cuota": 45}, tag='"t27"')
    server = at.house(stage, desk, "bottle", "a sports federation")
    me = stage.actor("client", server, "fichas.federacion.example", "java", {"X-User": "altas"})
    at.again(me, "/temporada")
    for nif, wanted in (("11880032K", 200), ("20417755T", 412)):
        me.put(f"/miembros?nif={nif}", {"licencia": 2027}, wanted)
        at.wait(0.5)
    at.must(me.get("/miembros?nif=20417755T").json["total"] == 2)
    me.put("/miembros?nif=20417755T", {"licencia": 2027, "club": "Vela Norte"}, 412)


@case(
    "d704",
    "hal-parish-records-take-no-conditions",
    "unsupported-precondition",
    "400",
    alone="unsupported-precondition",
    description=(
        "A parish archive's transcripts have tags for reading, but its store takes no condition on a write: 400 that says "
        "so, with a tag just read, with the wildcard and with a date. The same write without any is stored."
    ),
)
def parish(stage: Stage) -> None:
    """Ask a store for what it cannot do."""
    desk = Desk(Server="Kirkebog")
    text = {"Content-Type": "text/plain; charset=utf-8"}
    table = Table.of({f"side-{n}": f"Dåb {n}: Anne Pedersdatter\n" for n in (44, 45)}, 1)
    sheet = Sheet(desk, "/afskrifter", table, token=lambda _k, row: f'"{digest(row.data, 18)}"')

    def judge(req: Req, _key: str, _row: Row | None) -> Res | None:
        asked = [
            one for one in ("If-Match", "If-Unmodified-Since", "If-None-Match") if one.lower() in req.fields
        ]
        if not asked:
            return None
        said = {"fejl": "Betingede skrivninger understøttes ikke af dette lager", "felt": asked[0]}
        return Res(400, said, {"Content-Type": "application/json"})

    sheet.judge = judge
    sheet.dump = lambda _key, row: Res(200, row.data, {**text, "Last-Modified": http_date(row.at)})
    sheet.load = lambda req, _row: req.body.decode()
    desk.page("/sogne", ["Hvidbjerg", "Ørum"], tag='"sg-2"')
    server = at.house(stage, desk, "aiohttp", "a parish archive")
    me = stage.actor("client", server, "arkiv.kirkebog.example", "requests", {"X-User": "afskriver", **text})
    at.again(me, "/sogne")
    for key in ("side-44", "side-45"):
        seen = me.get(f"/afskrifter/{key}")
        body = seen.text + "Faddere: Jens Smed\n"
        me.put(f"/afskrifter/{key}", body, 400, {"If-Match": seen.etag})
        at.wait(0.4)
        me.get(f"/afskrifter/{key}", 304, {"If-None-Match": seen.etag})
        guard = (
            {"If-Match": "*"} if key == "side-44" else {"If-Unmodified-Since": seen.fields["last-modified"]}
        )
        me.put(f"/afskrifter/{key}", body, 400, guard)
    me.put("/afskrifter/side-45", body, 200)


@case(
    "d725",
    "hal-horse-transport-without-its-papers",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A transport office answers 412 when a horse's papers are incomplete. No write carries a condition; the booking "
        "is refused twice, with the number of the rule, and stored once the vet's certificate has been uploaded."
    ),
)
def horses(stage: Stage) -> None:
    """Book without the papers."""
    desk = Desk(Server="TransportDesk/3")
    papers: set[str] = set()

    def book(req: Req) -> Res:
        horse = req.json["horse"]
        if horse not in papers:
            said = "Health certificate older than 10 days or not on file (regulation 7.2)"
            return Res(412, {"rule": "TR-7.2", "horse": horse, "message": said})
        return Res(201, {"booking": f"TB-{digest(req.json, 5)}", "horse": horse})

    def upload(_req: Req, horse: str) -> Res:
        papers.add(horse)
        return Res(201, {"horse": horse, "certificate": "accepted"})

    papers.add("Corvina")
    desk.on("POST", "/bookings", book)
    desk.on("POST", "/horses/{horse}/certificates", upload)
    desk.page("/horses/Alcazar", {"chip": "276098", "born": 2017}, tag='"h-3"')
    desk.page("/routes", [{"from": "Verden", "to": "Aachen", "km": 361}], tag='"r-11"')
    server = at.house(stage, desk, "waitress", "a transport office")
    me = stage.actor("client", server, "transport.reiter.example", "aiohttp", {"X-User": "stall-west"})
    at.again(me, "/routes", "/horses/Alcazar")
    trip = {"route": "Verden-Aachen", "date": "2026-12-03"}
    me.send("POST", "/bookings", 201, None, {**trip, "horse": "Corvina"})
    for _ in range(2):
        me.send("POST", "/bookings", 412, None, {**trip, "horse": "Alcazar"})
        at.wait(0.5)
    me.send(
        "POST",
        "/horses/Alcazar/certificates",
        201,
        {"Content-Type": "application/pdf"},
        b"%PDF-1.4 certificate",
    )
    me.send("POST", "/bookings", 201, None, {**trip, "horse": "Alcazar"})


@case(
    "d715",
    "hal-who-runs-the-night-settlement",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description=(
        "Workers of a payment house take turns at running the settlement by a key in etcd that lives two seconds: who "
        "finds it there is told 412 and asks again in a while, as designed; when the other lets it lapse, this one has it "
        "and renews it."
    ),
)
def settlement(stage: Stage) -> None:
    """Lose most of the time."""
    server = stage.server("etcd")
    host, form = "kv.zahlhaus.example", {"Content-Type": "application/x-www-form-urlencoded"}
    me = stage.actor("client", server, host, "requests", {**form, "User-Agent": "settle/2 worker-b"})
    other = stage.actor("other", server, host, "httpx", {**form, "User-Agent": "settle/2 worker-a"})
    key = "/v2/keys/settlement/runner"
    other.put("/v2/keys/settlement/cutoff", "value=23:30", 201)
    other.put(f"{key}?prevExist=false", "value=worker-a&ttl=2", 201)
    me.get("/v2/keys/settlement/cutoff")
    for number in range(5):
        me.put(f"{key}?prevExist=false", "value=worker-b&ttl=2", 412)
        if number < 4:
            other.put(f"{key}?prevValue=worker-a", "value=worker-a&ttl=2", 200)
        at.wait(0.8)
    me.get("/v2/keys/settlement/cutoff")
    at.wait(1.8)
    me.put(f"{key}?prevExist=false", "value=worker-b&ttl=2", 201)
    for _ in range(3):
        at.wait(0.8)
        me.put(f"{key}?prevValue=worker-b", "value=worker-b&ttl=2", 200)
    other.put(f"{key}?prevExist=false", "value=worker-a&ttl=2", 412)
    me.put("/v2/keys/settlement/last", f"value={iso(1795766400.0)}", 201)
    me.send("DELETE", f"{key}?prevValue=worker-b", 200)
