"""Held-out stories on business services with versions of their own making: SOAP, paths, targets, forms."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.fen_desk import Desk, form, page, stamp
from tools.recording_apis.apps.vic_core import Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import fen_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor
    from tools.recording_apis.stage import Stage


def _soap(me: Actor, action: str, expect: int, **fields: object) -> dict[str, str]:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    body = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
        f"<{action}>{inner}</{action}></soapenv:Body></soapenv:Envelope>"
    )
    told = me.send(
        "POST",
        "/ws/apolices",
        expect,
        {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": f'"urn:{action}"'},
        body,
    )
    return dict(re.findall(r"<(\w+)>([^<]*)</\1>", told.text))


@case(
    "d689",
    "fen-policy-changed-at-the-counter-and-by-telephone",
    "other-writer",
    "500",
    alone="other-writer",
    also="status-dialect-mismatch",
    description=(
        "An insurer's policies over SOAP: a clerk opens a policy, a colleague on the telephone changes its excess, and "
        "the clerk's change of the sum is refused with a fault that names the colleague and the newer version. She "
        "reads it again, sees the other's excess, and leaves it; another policy is changed without trouble."
    ),
)
def policies(stage: Stage) -> None:
    """Be second at a policy."""
    server = place.engine(stage, "perl", "fen_policies.pl", "Perl, IO::Socket", probe="/ws/apolices?wsdl")
    host = "ws.seguros-atlantico.example"
    me = stage.actor("client", server, host, "requests", {"User-Agent": "BalcaoPlus/8.2"})
    other = stage.actor("other", server, host, "urllib", {"User-Agent": "LinhaDirecta/3"})
    place.looks(me, "/ws/apolices?wsdl")
    spare = _soap(me, "obter", 200, numero="A-560")
    mine = _soap(me, "obter", 200, numero="A-551")
    theirs = _soap(other, "obter", 200, numero="A-551")
    place.think(0.7)
    _soap(other, "alterar", 200, numero="A-551", franquia=500, versao=theirs["versao"], utilizador="r.matos")
    _soap(me, "alterar", 200, numero="A-560", capital=90000, versao=spare["versao"], utilizador="c.pires")
    place.think(0.8)
    told = _soap(
        me, "alterar", 500, numero="A-551", capital=180000, versao=mine["versao"], utilizador="c.pires"
    )
    place.sure(told["versaoActual"] == "18" and told["utilizador"] == "r.matos")
    now = _soap(me, "obter", 200, numero="A-551")
    place.sure(now["franquia"] == "500" and now["capital"] == "150000")
    _soap(me, "obter", 200, numero="A-552")


@case(
    "d676",
    "fen-photographs-enriched-behind-the-editors-back",
    "server-side-mutation",
    "409",
    alone="server-side-mutation",
    description=(
        "An archive of photographs: a moment after each stored change the service's own worker adds colours, and the "
        "edition moves once more (touchedBy names the worker). The editor's next change rests on the edition that its "
        "own change was answered with, and is refused, for two photographs."
    ),
)
def photographs(stage: Stage) -> None:
    """Be overtaken by the service's worker."""
    server = place.engine(stage, "node", "fen_bench.js", "Express 5", "photographs")
    me = stage.actor("client", server, "photos.harbour-archive.example", "aiohttp", {"X-Account": "imke"})
    place.looks(me, "/quota", "/photos")
    for name, year in (("p-88", 1924), ("p-90", 1931)):
        seen = me.get(f"/photos/{name}").json
        saved = me.send(
            "POST", f"/photos/{name}/facts?edition={seen['edition']}", 200, None, {"year": year}
        ).json
        place.sure(saved["touchedBy"] == "imke" and saved["colours"] == [])
        place.think(0.7)
        place.looks(me, "/quota")
        me.send(
            "POST",
            f"/photos/{name}/facts?edition={saved['edition']}",
            409,
            None,
            {"caption": "Tugboat at the quay"},
        )
        now = me.get(f"/photos/{name}").json
        place.sure(now["touchedBy"] == "svc:enrich" and now["year"] == year and not now["caption"])
    place.looks(me, "/photos")


@case(
    "d640",
    "fen-cable-route-moved-from-the-list",
    "null-token",
    "409",
    alone="null-token",
    description=(
        "A page of a fibre builder moves cable routes straight from its list, whose entries have no edition: the target "
        "then says utgava=undefined, and the service refuses it. From the detail view, which has the edition, the same "
        "change of another route passes."
    ),
)
def cables(stage: Stage) -> None:
    """Send a word of the language for a number."""
    routes = {
        f"F{n}": {"id": f"F{n}", "skap": "S1", "langd_m": 140 + n, "klar": False} for n in (21, 22, 23, 24)
    }
    desk = Desk(routes, first=6)
    desk.still("/api/omraden", [{"id": "norra", "antal": 4}], '"om-1"')
    desk.still("/api/inloggning", {})
    desk.still("/api/jag", {"namn": "Tove", "roll": "planerare"})

    @desk.on("GET", "/api/strackor")
    def listing(_req: Req) -> Res:
        return Res(
            200,
            {
                "strackor": [
                    {"id": key, "skap": row.data["skap"], "klar": row.data["klar"]}
                    for key, row in desk.rows.items()
                ]
            },
        )

    @desk.on("GET", "/api/strackor/([^/]+)")
    def read(_req: Req, key: str) -> Res:
        return Res(
            200, {**desk.rows[key].data, "utgava": desk.rows[key].rev, "andrad": stamp(desk.rows[key].at)}
        )

    @desk.on("POST", "/api/strackor/([^/]+)/flytta")
    def move(req: Req, key: str) -> Res:
        row, sent = desk.rows[key], req.query.get("utgava", "")
        if sent != str(row.rev):
            return Res(409, {"fel": "utgåvan stämmer inte", "skickad": sent, "aktuell": row.rev})
        row = desk.keep(key, {**row.data, **req.json}, "tove")
        return Res(200, {**row.data, "utgava": row.rev})

    server = place.open_box(stage, desk, "tornado")
    me = stage.actor("client", server, "fiber.norrnat.example", "node:fetch", {"X-Anvandare": "tove"})
    place.sign_in(me, "/api/inloggning", namn="tove")
    place.looks(me, "/api/jag", "/api/omraden")
    for route in me.get("/api/strackor").json["strackor"][:2]:
        target = f"/api/strackor/{route['id']}/flytta?utgava={route.get('utgava', 'undefined')}"
        me.send("POST", target, 409, None, {"skap": "S4"})
        place.think(0.4)
    seen = me.get("/api/strackor/F24").json
    me.send("POST", f"/api/strackor/F24/flytta?utgava={seen['utgava']}", 200, None, {"skap": "S4"})
    me.send("POST", "/api/strackor/F22/flytta?utgava=undefined", 409, None, {"skap": "S4"})
    place.sure(me.get("/api/strackor/F22").json["utgava"] == 6)


def _files(lifetime: float) -> Desk:
    """Return a registry whose forms carry a seal of the revision that is good for some time."""
    desk = Desk(
        {n: {"asunto": f"Licencia {n}", "estado": "abierto", "notas": ""} for n in ("501", "502")}, first=5
    )
    desk.still("/estilo.css", "body{font-family:serif}", '"e-41"', "text/css")
    start = page("Registro", "<ul><li><a href='/expedientes/501'>501</a></li></ul>")
    desk.still("/", start, "", "text/html; charset=utf-8")

    def sign(key: str, until: float) -> str:
        mark = hashlib.sha256(f"{key}|{desk.rows[key].rev}|{until:.0f}".encode()).hexdigest()[:12]
        return f"{desk.rows[key].rev}.{until:.0f}.{mark}"

    def html(status: int, title: str, inner: str) -> Res:
        return Res(status, page(title, inner), {"Content-Type": "text/html; charset=utf-8"})

    @desk.on("GET", "/expedientes/([0-9]+)")
    def read(_req: Req, key: str) -> Res:
        row = desk.rows[key]
        inner = f"<p>Revisión {row.rev}</p><p id='notas'>{row.data['notas']}</p>"
        return html(200, row.data["asunto"], inner)

    @desk.on("GET", "/expedientes/([0-9]+)/editar")
    def edit(_req: Req, key: str) -> Res:
        seal = sign(key, time.time() + lifetime)
        hidden = f"<input type='hidden' name='sello' value='{seal}'>"
        return html(
            200,
            "Editar",
            f"<form method='post'>{hidden}<textarea name='notas'>{desk.rows[key].data['notas']}</textarea></form>",
        )

    @desk.on("POST", "/expedientes/([0-9]+)/editar")
    def save(req: Req, key: str) -> Res:
        sent = form(req)
        until = float(sent["sello"].split(".")[1])
        if sign(key, until) != sent["sello"]:
            return html(409, "Conflicto", "<p>El expediente ha cambiado.</p>")
        if time.time() > until:
            return html(
                409,
                "Formulario caducado",
                "<h1>El sello del formulario ha caducado</h1><p>Vuelva a abrirlo; el sello vale un tiempo limitado.</p>",
            )
        desk.keep(key, {**desk.rows[key].data, "notas": sent["notas"]}, "ventanilla")
        return Res(303, b"", {"Location": f"/expedientes/{key}"})

    return desk


@case(
    "d652",
    "fen-registry-form-left-open-too-long",
    "token-expired",
    "409",
    alone="token-expired",
    description=(
        "A town registry's forms carry a seal with the revision and its end. A clerk leaves a form open too long: the "
        "post is refused as expired, twice with the same seal. The form opened anew has the same revision and content "
        "and a later end, and the same note is stored."
    ),
)
def registry(stage: Stage) -> None:
    """Post a form whose seal has run out."""
    server = place.open_box(stage, _files(2), "flask")
    me = stage.actor("client", server, "registro.ayto-lerma.example", "requests:follow", place.FIREFOX)

    def seal(key: str) -> str:
        found = re.search(r"name='sello' value='([^']+)'", me.get(f"/expedientes/{key}/editar").text)
        return found[1] if found else ""

    place.looks(me, "/")
    place.browse(me, "/estilo.css")
    place.post_form(me, "/expedientes/502/editar", 200, sello=seal("502"), notas="Archivar")
    held, note = seal("501"), "Falta el plano de situación"
    place.think(3.3)
    for _ in range(2):
        place.post_form(me, "/expedientes/501/editar", 409, sello=held, notas=note)
        place.think(0.5)
    fresh = seal("501")
    place.sure(fresh.split(".")[0] == held.split(".")[0])
    place.post_form(me, "/expedientes/501/editar", 200, sello=fresh, notas=note)


@case(
    "d662",
    "fen-customs-heading-tried-five-times",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "Customs headings in Java, the edition in the path: a nightly job's change is refused since a clerk has made "
        "edition 13; the job repeats the very same request with edition 12 four times more at growing distances, "
        "without a read, and reports failure. Its next heading goes well."
    ),
)
def customs(stage: Stage) -> None:
    """Try the same again and again."""
    server = place.engine(stage, "java", "FenTariff.java", "httpserver of Java", probe="/tila")
    host = "tariffi.tulli-pohjola.example"
    me = stage.actor(
        "client", server, host, "node:axios", {"X-Virkailija": "yoajo", "User-Agent": "tariffi-tuonti/1.9"}
    )
    other = stage.actor("other", server, host, "httpx", {"X-Virkailija": "s.laine"})
    place.looks(me, "/tila", "/nimikkeet")
    held = {code: me.get(f"/nimikkeet/{code}").json for code in ("0406", "0407")}
    theirs = other.get("/nimikkeet/0406").json
    other.put(f"/nimikkeet/0406/laitos/{theirs['laitos']}", {"tulli": "8.1 %"}, 200)
    for wait in (0.25, 0.5, 1.0, 2.0, 0.1):
        me.put(f"/nimikkeet/0406/laitos/{held['0406']['laitos']}", {"tulli": "7.9 %"}, 409)
        place.think(wait)
    me.put(f"/nimikkeet/0407/laitos/{held['0407']['laitos']}", {"tulli": "31.0 EUR/100 kg"}, 200)
    place.looks(me, "/tila", "/nimikkeet/2201")


@case(
    "d678",
    "fen-trekking-permits-in-kathmandu-time",
    "timezone-error",
    "409",
    alone="timezone-error",
    description=(
        "Trekking permits are changed under as_of, the time of their last change. An agency's program writes that time "
        "in its own zone, five hours and three quarters ahead, and still puts a Z behind it: each change is refused, "
        "for every permit by the same distance, though nobody else has changed any."
    ),
)
def permits(stage: Stage) -> None:
    """Write local time and call it UTC."""
    desk = Desk(
        {
            f"TP-{n}": {"permit": f"TP-{n}", "route": "Langtang", "days": 9, "guide": None}
            for n in (310, 311, 312)
        },
        age=31_000,
    )
    desk.still(
        "/v1/routes", [{"id": "langtang", "open": True}, {"id": "manaslu", "open": False}], '"routes-77"'
    )
    desk.still("/v1/session", {"agency": "Himal Treks", "until": "2026-12-31"})

    @desk.on("GET", "/v1/permits/([^/]+)")
    def read(_req: Req, key: str) -> Res:
        return Res(200, {**desk.rows[key].data, "last_change": stamp(desk.rows[key].at)})

    @desk.on("PATCH", "/v1/permits/([^/]+)")
    def change(req: Req, key: str) -> Res:
        row = desk.rows[key]
        if req.query.get("as_of") != stamp(row.at):
            return Res(
                409, {"code": "AS_OF_MISMATCH", "as_of": req.query.get("as_of"), "last_change": stamp(row.at)}
            )
        row = desk.keep(key, {**row.data, **req.json}, "agency")
        return Res(200, {**row.data, "last_change": stamp(row.at)})

    server = place.open_box(stage, desk, "starlette")
    me = stage.actor("client", server, "permits.trek-board.example", "java", {"X-Agency": "himal-treks"})
    place.sign_in(me, "/v1/session", agency="himal-treks")
    place.looks(me, "/v1/session", "/v1/permits/TP-311")
    place.browse(me, "/v1/routes")
    for key in ("TP-310", "TP-312"):
        seen: Any = me.get(f"/v1/permits/{key}").json
        moment = dt.datetime.fromisoformat(seen["last_change"]) + dt.timedelta(hours=5, minutes=45)
        place.think(0.4)
        me.send(
            "PATCH", f"/v1/permits/{key}?as_of={moment:%Y-%m-%dT%H:%M:%SZ}", 409, None, {"guide": "P. Tamang"}
        )
        place.sure(me.get(f"/v1/permits/{key}").json["guide"] is None)
    place.looks(me, "/v1/session")
