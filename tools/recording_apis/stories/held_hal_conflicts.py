"""Stories of changes that meet: others, oneself, the service, and what is no longer there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tools.recording_apis.apps.hal_core import Desk, Res, Row, Sheet, Table, digest, iso
from tools.recording_apis.fronts import put_file, site
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_hal_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.apps.hal_core import Req
    from tools.recording_apis.stage import Stage

_XML = {"Content-Type": "application/xml; charset=utf-8"}


def _lot(key: str, row: Row) -> Res:
    parts = "".join(f"<{name}>{value}</{name}>" for name, value in row.data.items())
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<lote id="{key}" versao="{row.n}">{parts}'
    text += f"<alteradoPor>{row.by}</alteradoPor><alteradoEm>{iso(row.at)}</alteradoEm></lote>\n"
    return Res(200, text, dict(_XML))


def _cork() -> Desk:
    desk = Desk(Server="Cortica/4.2")
    lots = {f"L{n}": {"calibre": "27-32", "humidade": 14, "destino": "rolhas"} for n in (305, 306, 307)}
    sheet = Sheet(desk, "/armazem/lotes", Table.of(lots, 14), "body", "versao", status=409, need=400)

    def sent(req: Req) -> str | None:
        found = re.search(rb'<lote [^>]*versao="(\d+)"', req.body)
        return found[1].decode() if found else None

    sheet.dump, sheet.sent = _lot, sent
    sheet.load = lambda req, _row: {
        name: value
        for name, value in re.findall(r"<(\w+)>([^<]*)</\1>", req.body.decode())
        if not name.startswith("alterado")
    }
    sheet.words = lambda _req, key, row: (
        f'<?xml version="1.0"?>\n<erro codigo="LOTE_ALTERADO" lote="{key}" versaoAtual="{row.n if row else 0}"/>\n'
    )
    desk.after.append(lambda _req, res: res.fields.update(_XML) if res.status == 409 else None)
    desk.page("/armazem/turno", {"turno": "manhã", "operadores": 6})
    desk.page("/estilo/lotes.xsl", "<xsl:stylesheet version='1.0'/>", "text/xsl", '"xsl-8"')
    return desk


@case(
    "d723",
    "hal-cork-lot-moisture-and-destination",
    "other-writer",
    "409",
    alone="other-writer",
    description=(
        "A cork warehouse's XML service: a grader reads a lot and changes its destination; the laboratory has stored a "
        "new moisture in between. The grader's document, with the old number in its root element, is refused."
    ),
)
def cork(stage: Stage) -> None:
    """Be second at a lot."""
    server = at.house(stage, _cork(), "cheroot", "a cork warehouse")
    me = stage.actor("client", server, "armazem.corticeira.example", "httpx", {"X-User": "r.nobre", **_XML})
    lab = stage.actor(
        "other", server, "armazem.corticeira.example", "java", {"X-User": "laboratorio", **_XML}
    )
    at.again(me, "/armazem/turno", "/estilo/lotes.xsl")
    mine, theirs = me.get("/armazem/lotes/L306").text, lab.get("/armazem/lotes/L306").text
    other = me.get("/armazem/lotes/L305").text
    me.put("/armazem/lotes/L305", other.replace("rolhas", "discos"), 200)
    lab.put("/armazem/lotes/L306", theirs.replace(">14<", ">17<"), 200)
    at.wait(1.2)
    me.get("/armazem/turno")
    me.put("/armazem/lotes/L306", mine.replace("rolhas", "granulado"), 409)
    now = me.get("/armazem/lotes/L306").text
    at.must(">17<" in now and "laboratorio" in now and "rolhas" in now)
    other = me.get("/armazem/lotes/L307").text
    me.put("/armazem/lotes/L307", other.replace("27-32", "29-34"), 200)


@case(
    "d728",
    "hal-three-workers-tag-one-block",
    "self-race",
    "409",
    alone="self-race",
    description=(
        "A telescope's night script hands the keywords of an observing block to three workers; all patch the block with "
        "the revision of one read at about the same time, in the same run: one is stored, two are told 409."
    ),
)
def telescope(stage: Stage) -> None:
    """Write three times at once."""
    desk = Desk(X_Observatory="Roque-2")
    blocks = {f"OB-{n}": {"target": f"NGC {n}", "seeing": 1.1, "keywords": {}} for n in (4151, 4258, 891)}
    sheet = Sheet(desk, "/queue/blocks", Table.of(blocks, 40), "query", "rev", status=409, need=400)
    sheet.words = lambda _req, key, row: {"reason": "stale_rev", "block": key, "head": row.n if row else None}
    desk.before.append(lambda req: at.wait(0.2) if req.method == "PATCH" else None)
    desk.page("/weather/now", {"humidity": 31, "wind": 6.2}, tag='"w-0412"')
    desk.sink("/log")
    server = at.house(stage, desk, "flask", "an observing queue")
    run = {"X-User": "nightly", "X-Run-Id": "run-20261127-02", "User-Agent": "obsprep/0.9"}
    me = stage.actor("client", server, "queue.roque.example", "httpx", run)
    at.again(me, "/weather/now")
    me.get("/queue/blocks")
    for block in ("OB-4258", "OB-891"):
        rev = me.get(f"/queue/blocks/{block}").json["rev"]
        words = (
            {"keywords": {"FILTER": "r"}},
            {"keywords": {"AIRMASS": 1.3}},
            {"keywords": {"MOON": "dark"}},
        )
        got = at.together(
            *(
                lambda one=one: me.send("PATCH", f"/queue/blocks/{block}?rev={rev}", (200, 409), None, one)  # noqa: B023
                for one in words
            )
        )
        at.must(sorted(one.status for one in got) == [200, 409, 409])
        me.send("POST", "/log", 204, None, {"block": block, "failed": 2})
        at.wait(0.8)
    rev = me.get("/queue/blocks/OB-4151").json["rev"]
    me.send("PATCH", f"/queue/blocks/OB-4151?rev={rev}", 200, None, {"seeing": 0.9})
    at.must(len(me.get("/queue/blocks/OB-891").json["keywords"]) == 1)


@case(
    "d724",
    "hal-ledger-moves-with-its-lines",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "An accountant changes a line of a ledger (200), and the service's balance engine thereupon writes the total "
        "into the ledger itself: the accountant's next change of the ledger's memo, with the tag read before the line "
        "was saved, is 412. Nobody else is there."
    ),
)
def ledger(stage: Stage) -> None:
    """Be overtaken by the sum of one's own line."""
    desk = Desk(Server="Saldo")
    books = Table.of(
        {"2026-10": {"memo": "", "total": 812.4}, "2026-11": {"memo": "", "total": 355.0}}, 3, by="opening"
    )
    lines = Table.of({str(n): {"konto": 4400 + n, "amount": 50.0 * n} for n in (1, 2, 3)}, 1, by="opening")
    book = Sheet(desk, "/ledgers", books, token=lambda key, row: f'"{key}.{row.n}"', need=428)
    line = Sheet(desk, "/ledgers/2026-11/lines", lines, token=lambda key, row: f'"l{key}.{row.n}"', need=428)
    book.words = lambda _req, key, _row: {"status": 412, "ledger": key, "detail": "entity tag does not match"}
    book.dump = lambda key, row: Res(
        200, {"id": key, **row.data, "updatedBy": row.by, "updatedAt": iso(row.at, 3)}
    )
    book.load = lambda req, row: {**row.data, "memo": req.json["memo"]} if row else {}

    def add_up(_req: Req, _key: str, _row: Row) -> None:
        total = sum(one.data["amount"] for one in lines.rows.values()) + 55
        books.save("2026-11", {**books.rows["2026-11"].data, "total": total}, "system:balance-engine")

    line.done.append(add_up)
    desk.page("/session", {"user": "i.korhonen", "company": 12})
    server = at.house(stage, desk, "falcon", "a bookkeeping service")
    me = stage.actor("client", server, "books.saldo.example", "node:axios", {"X-User": "i.korhonen"})
    at.again(me, "/session", "/ledgers/2026-10")
    seen = me.get("/ledgers/2026-11")
    for number, amount in ((2, 120.0), (3, 99.5)):
        at.edit(me, f"/ledgers/2026-11/lines/{number}", {"amount": amount})
        at.wait(0.5)
        me.send("PATCH", "/ledgers/2026-11", 412, {"If-Match": seen.etag}, {"memo": f"line {number} agreed"})
        seen = me.get("/ledgers/2026-11")
        at.must(seen.json["updatedBy"] == "system:balance-engine" and not seen.json["memo"])
    at.edit(me, "/ledgers/2026-10", {"memo": "closed"}, "PATCH")


def _reads(letter: str) -> str:
    bases = "ACGT"
    rows = []
    for n in range(180):
        mark = digest(f"{letter}{n}", 60)
        rows.append(f"@run0417:{n:05}\n" + "".join(bases[int(one, 16) % 4] for one in mark) + "\n")
    return "".join(rows)


@case(
    "d731",
    "hal-reads-of-two-calibrations",
    "read-changed-mid-transfer",
    "corrupt-download",
    alone="read-changed-mid-transfer",
    description=(
        "A sequencing pipeline fetches a file in four ranges without a condition; a new base calling replaces the file "
        "after the second. All parts are 206, but they carry two tags, and the sum beside the file fits no such mixture."
    ),
)
def sequences(stage: Stage) -> None:
    """Splice two files."""
    old, new = _reads("a"), _reads("b")
    at.must(len(old) == len(new))
    files = {
        "runs/0417/reads.txt": old,
        "runs/0417/reads.sum.txt": digest(old.encode(), 64) + "\n",
        "runs/0416/reads.txt": _reads("c")[:1800],
        "runs/index.json": '{"runs":["0416","0417"]}\n',
    }
    server = site(stage, "nginx", files)
    me = stage.actor("client", server, "seq.genomik.example", "aiohttp", {"User-Agent": "fetch-reads/2.4"})
    at.again(me, "/runs/index.json", "/runs/0416/reads.txt")
    head = me.send("HEAD", "/runs/0417/reads.txt", 200)
    size, step = int(head.fields["content-length"]), len(old) // 4 + 1
    parts = []
    for number in range(4):
        if number == 2:
            put_file(server.directory, "runs/0417/reads.txt", new)
            put_file(server.directory, "runs/0417/reads.sum.txt", digest(new.encode(), 64) + "\n")
        asked = {"Range": f"bytes={number * step}-{min(size, (number + 1) * step) - 1}"}
        parts.append(me.send("GET", "/runs/0417/reads.txt", 206, asked))
        at.wait(0.25)
    at.must(len({one.etag for one in parts}) == 2)
    whole = b"".join(one.body for one in parts)
    told = me.get("/runs/0417/reads.sum.txt").text.strip()
    at.must(len(whole) == size and digest(whole, 64) != told)
    me.send("HEAD", "/runs/0417/reads.txt", 200)


def _event(uid: str, start: str, text: str) -> str:
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Kernlabor//Plan 3//DE\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20261120T080000Z\r\nDTSTART:{start}\r\nDURATION:PT2H\r\nSUMMARY:{text}\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


_PROPS = '<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:getetag/><d:resourcetype/></d:prop></d:propfind>'


@case(
    "d711",
    "hal-microscope-slot-was-cancelled",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A laboratory books its microscopes in Radicale. The manager deletes a slot; the user who had opened it moves "
        "it with If-Match: 412. A GET is 404, and the listing of the calendar has no such slot."
    ),
)
def microscope(stage: Stage) -> None:
    """Move a slot that has been deleted."""
    server = stage.server("radicale")
    host, text = "plan.kernlabor.example", {"Content-Type": "text/calendar; charset=utf-8"}
    login = {"Authorization": "Basic bGFib3I6bGFib3I="}
    me = stage.actor("client", server, host, "requests", {**login, "User-Agent": "Laborplan/3.1"})
    boss = stage.actor("other", server, host, "aiohttp", {**login, "User-Agent": "Leitstand/1.8"})
    boss.send("MKCALENDAR", "/labor/konfokal/", 201)
    for uid, start in (
        ("s-101", "20261201T080000Z"),
        ("s-102", "20261201T130000Z"),
        ("s-103", "20261202T080000Z"),
    ):
        boss.put(f"/labor/konfokal/{uid}.ics", _event(uid, start, "Messung"), 201, text)
    stage.forget()
    xml = {"Content-Type": "application/xml", "Depth": "1"}
    me.send("PROPFIND", "/labor/konfokal/", 207, xml, _PROPS)
    first, second = me.get("/labor/konfokal/s-101.ics"), me.get("/labor/konfokal/s-102.ics")
    me.put(
        "/labor/konfokal/s-101.ics",
        _event("s-101", "20261201T090000Z", "Messung"),
        (201, 204),
        {**text, "If-Match": first.etag},
    )
    seen = boss.get("/labor/konfokal/s-102.ics")
    boss.send("DELETE", "/labor/konfokal/s-102.ics", 200, {"If-Match": seen.etag})
    at.wait(1.1)
    moved = _event("s-102", "20261203T130000Z", "Messung")
    me.put("/labor/konfokal/s-102.ics", moved, 412, {**text, "If-Match": second.etag})
    me.get("/labor/konfokal/s-102.ics", 404)
    listed = me.send("PROPFIND", "/labor/konfokal/", 207, xml, _PROPS).text
    at.must("s-103" in listed and "s-102" not in listed)
    me.get("/labor/konfokal/s-103.ics")


@case(
    "d735",
    "hal-kiln-recipe-asked-five-times",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A kiln's controller patches its firing recipe; a potter has changed it since. The controller sends the same "
        "request with the same tag five times, waiting longer each time, and reads nothing in between; then it gives up."
    ),
)
def kiln(stage: Stage) -> None:
    """Ask the same five times."""
    desk = Desk(Server="Brennofen")
    recipes = {"stoneware": {"peak": 1240, "hold_min": 20}, "raku": {"peak": 980, "hold_min": 5}}
    tag = lambda key, row: f'"{key[:3]}:{row.n:03}"'  # noqa: E731 - short
    sheet = Sheet(desk, "/firing/recipes", Table.of(recipes, 41), token=tag, need=428)
    sheet.words = lambda _req, key, _row: {
        "type": "https://brennofen.example/problems/version",
        "title": "Recipe has a different version",
        "instance": f"/firing/recipes/{key}",
    }
    desk.page("/firing/state", {"kiln": 2, "celsius": 311})
    desk.sink("/alarms", 202)
    server = at.house(stage, desk, "tornado", "a kiln's recipes")
    merge = {"Content-Type": "application/merge-patch+json"}
    me = stage.actor("client", server, "kilns.studio.example", "urllib", {"X-User": "kiln-2"})
    potter = stage.actor("other", server, "kilns.studio.example", "requests", {"X-User": "hana"})
    me.get("/firing/state")
    at.edit(me, "/firing/recipes/raku", {"hold_min": 6}, "PATCH")
    held = me.get("/firing/recipes/stoneware")
    at.edit(potter, "/firing/recipes/stoneware", {"hold_min": 35})
    at.wait(0.6)
    for number in range(5):
        me.send("PATCH", "/firing/recipes/stoneware", 412, {**merge, "If-Match": held.etag}, {"peak": 1255})
        if number % 2:
            me.get("/firing/state")
        at.wait(0.25 * 2**number)
    me.send("POST", "/alarms", 202, None, {"kiln": 2, "text": "recipe not stored"})
    me.get("/firing/state")


def _form(key: str, row: Row, note: str = "") -> str:
    stamp = digest([key, row.n], 10)
    data = row.data
    return (
        f"<!doctype html><html lang=nl><title>Polis {key}</title><p class=melding>{note}</p>"
        f"<form method=post><input type=hidden name=stempel value={stamp}>"
        f"<input name=eigen_risico value={data['eigen_risico']}><input name=kenteken value={data['kenteken']}>"
        f"<button>Opslaan</button></form></html>"
    )


@case(
    "d702",
    "hal-form-posted-with-its-first-stamp",
    "stale-stored-token",
    "409",
    alone="stale-stored-token",
    description=(
        "An insurer's pages carry a hidden stamp, and the page that answers a saved form carries the next. A script "
        "posts twice with the stamp of the first page: its second form is refused as out of date, for two policies."
    ),
)
def policies(stage: Stage) -> None:
    """Post with the stamp of the page before."""
    desk = Desk(Server="Polisweb/11")
    table = Table.of(
        {k: {"eigen_risico": "250", "kenteken": f"XK-{k[-3:]}-B"} for k in ("P70118", "P70342")}, 4
    )
    html = {"Content-Type": "text/html; charset=utf-8"}

    def show(_req: Req, key: str) -> Res:
        return Res(200, _form(key, table.rows[key]), dict(html))

    def save(req: Req, key: str) -> Res:
        row, sent = table.rows[key], dict(one.split("=") for one in req.body.decode().split("&"))
        if sent.pop("stempel") != digest([key, row.n], 10):
            text = "<!doctype html><html lang=nl><p>Dit formulier is niet meer actueel. Open het opnieuw.</p></html>"
            return Res(409, text, dict(html))
        row = table.save(key, {**row.data, **sent}, req.who)
        return Res(200, _form(key, row, "Opgeslagen"), dict(html))

    desk.on("GET", "/polissen/{key}/wijzigen", show)
    desk.on("POST", "/polissen/{key}/wijzigen", save)
    desk.page("/css/polis.css", "form{margin:1em}", "text/css", '"css31"')
    desk.page("/agenda", "<ul><li>11:00 schade</li></ul>", "text/html; charset=utf-8")
    server = at.house(stage, desk, "bottle", "an insurer's pages")
    cookie = {"Cookie": "sessie=7d21f0", "User-Agent": "Mutatiescript/1.2"}
    me = stage.actor("client", server, "polis.verzekeraar.example", "requests", cookie)
    at.again(me, "/css/polis.css", "/agenda")
    urlencoded = {"Content-Type": "application/x-www-form-urlencoded"}
    for key in ("P70118", "P70342"):
        found = re.search(r"stempel value=(\w+)", me.get(f"/polissen/{key}/wijzigen").text)
        stamp = found[1] if found else ""
        one = f"stempel={stamp}&eigen_risico=500"
        at.must("Opgeslagen" in me.send("POST", f"/polissen/{key}/wijzigen", 200, urlencoded, one).text)
        at.wait(0.6)
        me.get("/agenda")
        two = f"stempel={stamp}&kenteken=ZN-442-F"
        me.send("POST", f"/polissen/{key}/wijzigen", 409, urlencoded, two)
    at.must("500" in me.get("/polissen/P70118/wijzigen").text)


@case(
    "d737",
    "hal-loan-crate-stored-unheard",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A museum's courier stores the condition of a loan's crate; the connection ends before an answer. The script "
        "sends it again with the same tag: 412. The crate then read carries the courier's own note number."
    ),
)
def crate(stage: Stage) -> None:
    """Hear nothing, ask again."""
    desk = Desk(Server="Leihverkehr")
    data = {f"K{n}": {"work": f"Inv. {n}", "condition": "packed", "noteNo": "-"} for n in (17, 18, 19)}
    sheet = Sheet(
        desk, "/loans/L-88/crates", Table.of(data, 6), token=lambda _k, row: f'"{digest(row.data, 16)}"'
    )
    api = {"Content-Type": "application/vnd.api+json"}
    sheet.dump = lambda key, row: Res(
        200,
        {"data": {"type": "crates", "id": key, "attributes": row.data, "meta": {"rev": row.n}}},
        dict(api),
    )
    sheet.load = lambda req, row: {**(row.data if row else {}), **req.json["data"]["attributes"]}
    sheet.words = lambda _req, _key, _row: {"errors": [{"status": "412", "title": "Precondition Failed"}]}
    desk.page(
        "/loans/L-88",
        {"data": {"type": "loans", "id": "L-88", "attributes": {"lender": "Kassel"}}},
        tag='"L88-2"',
    )
    server = at.house(stage, desk, "starlette", "a museum's loans")
    lost = at.once("PATCH", "/crates/K18")
    me = stage.actor(
        "client", server, "loans.museum.example", "curl:trace-time", {"X-User": "courier-4"}, loses=lost
    )
    at.again(me, "/loans/L-88")
    for key, answer in (("K17", 200), ("K18", 0)):
        seen = me.get(f"/loans/L-88/crates/{key}")
        more = {"condition": "left corner dented", "noteNo": f"c4-{key}-0231"}
        body = {"data": {"type": "crates", "id": key, "attributes": more}}
        guard = {**api, "If-Match": seen.etag}
        me.send("PATCH", f"/loans/L-88/crates/{key}", answer, guard, body)
        at.wait(0.7)
    me.send("PATCH", "/loans/L-88/crates/K18", 412, guard, body)
    now = me.get("/loans/L-88/crates/K18")
    at.must(
        now.json["data"]["attributes"]["noteNo"] == "c4-K18-0231" and now.json["data"]["meta"]["rev"] == 7
    )
    me.get("/loans/L-88/crates/K19")
