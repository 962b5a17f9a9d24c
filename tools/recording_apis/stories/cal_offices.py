"""Stories on business applications whose versions travel in forms, contents and parameters."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.cal_books import Books, form, page, stamp
from tools.recording_apis.apps.vic_core import Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def akten(first: int = 17) -> Books:
    """Return flats with a form each, whose hidden field carries the state."""
    rows = {n: {"mieter": "Familie Yilmaz", "miete": "840,00", "notiz": ""} for n in ("3a", "3b", "4a")}
    books = Books(rows, first, lost=page("Nicht gefunden", "<p>Diese Seite gibt es nicht.</p>"))

    def shown(key: str, said: str = "") -> str:
        doc = books.rows[key]
        inputs = "".join(
            f'<label>{name}<input name="{name}" value="{one}"></label>' for name, one in doc.data.items()
        )
        hidden = f'<input type="hidden" name="stand" value="{doc.rev}">'
        return page(
            f"Wohnung {key}", f'{said}<form method="post">{hidden}{inputs}<button>Speichern</button></form>'
        )

    @books.on("GET", "/wohnungen/(\\w+)/bearbeiten")
    def edit(_req: Req, key: str) -> Res:
        return Res(200, shown(key))

    @books.on("POST", "/wohnungen/(\\w+)/bearbeiten")
    def save(req: Req, key: str) -> Res:
        sent, doc = form(req), books.rows[key]
        if sent.pop("stand", "") != str(doc.rev):
            said = f"Der Datensatz wurde inzwischen von {doc.by} geändert (Stand {doc.rev}). Ihre Eingaben wurden nicht gespeichert."
            return Res(409, shown(key, f'<p class="fehler">{said}</p>'))
        books.keep(key, sent, req.fields.get("x-benutzer", "?"))
        return Res(303, "", {"Location": f"/wohnungen/{key}"})

    @books.on("GET", "/wohnungen/(\\w+)")
    def show(_req: Req, key: str) -> Res:
        lines = "".join(f"<dt>{name}</dt><dd>{one}</dd>" for name, one in books.rows[key].data.items())
        return Res(200, page(f"Wohnung {key}", f"<dl>{lines}</dl>"))

    @books.on("GET", "/wohnungen")
    def listing(_req: Req) -> Res:
        return Res(
            200, page("Wohnungen", "".join(f'<a href="/wohnungen/{key}">{key}</a>' for key in books.rows))
        )

    books.static("/css/main.css", "p{margin:0}", ETag='"m1"', Content_Type="text/css")
    return books


def stand_of(text: str) -> str:
    """Return the state that a form carries."""
    return text.partition('name="stand" value="')[2].partition('"')[0]


@case(
    "d502",
    "cal-hausverwaltung-form-was-overtaken",
    "other-writer",
    "recovered",
    alone="other-writer",
    description=(
        "A form of a property manager carries the state of the record in a hidden field. While a clerk has it open, a "
        "colleague raises the rent; the clerk's form is turned down with a page that names the colleague. Opened anew, it is stored."
    ),
)
def overtaken(stage: Stage) -> None:
    """Post a form that somebody has overtaken."""
    server = place.open_box(stage, akten(), "flask")
    me = stage.actor("client", server, "verwaltung.wohnbau.test", "requests", {"X-Benutzer": "S. Petersen"})
    other = stage.actor("other", server, "verwaltung.wohnbau.test", "httpx", {"X-Benutzer": "M. Weber"})
    me.get("/wohnungen")
    me.get("/css/main.css", 304, {"If-None-Match": me.get("/css/main.css").etag})
    mine = stand_of(me.get("/wohnungen/3b/bearbeiten").text)
    theirs = stand_of(other.get("/wohnungen/3b/bearbeiten").text)
    fields = {"mieter": "Familie Yilmaz", "miete": "865,00", "notiz": ""}
    place.post(other, "/wohnungen/3b/bearbeiten", {"stand": theirs, **fields})
    other.get("/wohnungen/3b")
    place.rest(0.8)
    fields = {"mieter": "Familie Yilmaz", "miete": "840,00", "notiz": "Schlüssel fehlt"}
    told = place.post(me, "/wohnungen/3b/bearbeiten", {"stand": mine, **fields}, 409)
    place.sure("M. Weber" in told.text)
    place.rest(0.6)
    again = me.get("/wohnungen/3b/bearbeiten").text
    place.post(me, "/wohnungen/3b/bearbeiten", {"stand": stand_of(again), **fields, "miete": "865,00"})
    me.get("/wohnungen/3b")
    me.get("/wohnungen/4a")


@case(
    "d490",
    "cal-form-takes-the-newest-state-only",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A browser extension that avoids the message about overtaken forms fetches the form anew just before it posts, "
        "takes the new hidden state and posts the fields it has kept: a colleague's new rent, there to read in that form, is gone."
    ),
)
def newest(stage: Stage) -> None:
    """Post old fields under a new state."""
    server = place.open_box(stage, akten(203), "bottle")
    me = stage.actor("client", server, "verwaltung.wohnbau.test", "node:fetch", {"X-Benutzer": "J. Krause"})
    other = stage.actor("other", server, "verwaltung.wohnbau.test", "requests", {"X-Benutzer": "M. Weber"})
    me.get("/wohnungen")
    css = me.get("/css/main.css")
    me.get("/wohnungen/3a")
    state = stand_of(me.get("/wohnungen/3a/bearbeiten").text)
    moved = {"mieter": "Familie Yilmaz", "miete": "840,00", "notiz": "Keller 7"}
    place.post(me, "/wohnungen/3a/bearbeiten", {"stand": state, **moved})
    me.get("/css/main.css", 304, {"If-None-Match": css.etag})
    opened = me.get("/wohnungen/4a/bearbeiten").text
    place.sure("840,00" in opened)
    theirs = stand_of(other.get("/wohnungen/4a/bearbeiten").text)
    fields = {"mieter": "Familie Yilmaz", "miete": "912,50", "notiz": "ab Januar"}
    place.post(other, "/wohnungen/4a/bearbeiten", {"stand": theirs, **fields})
    place.rest(0.9)
    me.get("/wohnungen/3b")
    fresh = me.get("/wohnungen/4a/bearbeiten").text
    place.sure(fields["miete"] in fresh and stand_of(fresh) != stand_of(opened))
    kept = {"mieter": "Yilmaz, Aylin", "miete": "840,00", "notiz": ""}
    place.post(me, "/wohnungen/4a/bearbeiten", {"stand": stand_of(fresh), **kept})
    place.sure("912,50" not in me.get("/wohnungen/4a").text)
    place.rest(0.4)
    other.get("/wohnungen/4a")


@case(
    "d477",
    "cal-graphql-revision-undefined",
    "null-token",
    "conflict",
    alone="null-token",
    description=(
        "A front end of an insurer sends its mutations with the revision as 'undefined' since it reads a field that its "
        "query does not ask for; the answer is 200 with an error in French. With revision in the query, the mutation works."
    ),
)
def undefined(stage: Stage) -> None:
    """Send a revision that was never read."""
    books = Books({"C-118": {"titulaire": "A. Morel", "plafond": 20000}}, 7)

    @books.on("POST", "/graphql")
    def graphql(req: Req) -> Res:
        asked, given = req.json["query"], req.json["variables"]
        doc = books.rows[given["id"]]
        if asked.startswith("mutation"):
            if given["revision"] != str(doc.rev):
                said = f"Le contrat a été modifié : révision attendue « {given['revision']} », révision actuelle « {doc.rev} »."
                return Res(
                    200,
                    {"data": None, "errors": [{"message": said, "extensions": {"code": "REVISION_PERIMEE"}}]},
                )
            doc = books.keep(given["id"], {**doc.data, **given["contrat"]})
        shown = {"id": given["id"], **doc.data}
        return Res(
            200, {"data": {"contrat": {**shown, "revision": str(doc.rev)} if "revision" in asked else shown}}
        )

    books.on("GET", "/config.json")(lambda _req: Res(200, {"locale": "fr", "build": 4410}))
    server = place.open_box(stage, books, "waitress")
    me = stage.actor("client", server, "contrats.mutuelle.example", "node:axios", {"X-Build": "4410"})
    me.get("/config.json")
    read = "query($id: ID!) { contrat(id: $id) { id titulaire plafond } }"
    write = "mutation($id: ID!, $revision: String!, $contrat: ContratInput!) { contrat(id: $id, revision: $revision, contrat: $contrat) { id plafond } }"
    given = {"id": "C-118", "contrat": {"plafond": 25000}}
    for _ in range(3):
        seen = me.send("POST", "/graphql", 200, None, {"query": read, "variables": {"id": "C-118"}}).json
        place.sure("revision" not in seen["data"]["contrat"])
        sent = {"query": write, "variables": {**given, "revision": "undefined"}}
        place.sure("errors" in me.send("POST", "/graphql", 200, None, sent).json)
        place.rest(0.4)
    full = {"query": read.replace("plafond }", "plafond revision }"), "variables": {"id": "C-118"}}
    now = me.send("POST", "/graphql", 200, None, full).json["data"]["contrat"]["revision"]
    sent = {"query": write, "variables": {**given, "revision": now}}
    place.sure("errors" not in me.send("POST", "/graphql", 200, None, sent).json)


@case(
    "d460",
    "cal-nota-fiscal-needs-a-certificate",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A service of electronic invoices answers 412 to every invoice of one company because its digital certificate has "
        "run out, and says so in Portuguese; no request carries a condition or a version, another company's invoices are taken."
    ),
)
def certificate(stage: Stage) -> None:
    """Issue an invoice without a valid certificate."""
    books = Books({}, lost={"codigo": "E0404", "mensagem": "Recurso não encontrado"})
    taken = itertools.count(3301)

    @books.on("POST", "/nfe/v2/emissores/(\\d+)/notas")
    def issue(req: Req, issuer: str) -> Res:
        if issuer == "2207":
            said = "Pré-condição não atendida: o certificado digital A1 do emissor venceu em 24/11/2026."
            return Res(412, {"codigo": "E0412", "mensagem": said, "correlacao": "c1f0"})
        return Res(201, {"numero": next(taken), "situacao": "autorizada", "total": req.json["total"]})

    @books.on("GET", "/nfe/v2/emissores/(\\d+)")
    def issuer(_req: Req, number: str) -> Res:
        until = "2026-11-24" if number == "2207" else "2027-08-01"
        return Res(200, {"emissor": number, "ambiente": "producao", "certificado": {"validade": until}})

    server = place.open_box(stage, books, "cheroot")
    me = stage.actor("client", server, "api.notas.example", "requests", {"User-Agent": "erp-loja/6.2"})
    note = {"destinatario": "11444777000161", "total": "189.90"}
    me.send("POST", "/nfe/v2/emissores/1180/notas", 201, None, note)
    place.usual(books, me, "/nfe/v2/tabelas/cfop", "/nfe/v2/tabelas/ncm")
    for total in ("75.00", "75.00", "312.40"):
        me.send("POST", "/nfe/v2/emissores/2207/notas", 412, None, {**note, "total": total})
        place.rest(0.5)
    me.get("/nfe/v2/emissores/2207")
    me.send("POST", "/nfe/v2/emissores/1180/notas", 201, None, {**note, "total": "41.10"})
    me.send("POST", "/nfe/v2/emissores/2207/notas", 412, None, {**note, "total": "75.00"})


@case(
    "d492",
    "cal-autosave-and-the-save-key",
    "self-race",
    "conflict",
    alone="self-race",
    description=(
        "A script editor saves over JSON-RPC by a timer and by a key. Twice both fall together: two calls of one session "
        "with one rev within milliseconds, the first stored, the second told that its rev is stale. Nobody else is there."
    ),
)
def autosave(stage: Stage) -> None:
    """Save twice at once."""
    books = Books({"scene-4": {"text": "INT. KITCHEN - NIGHT"}, "scene-5": {"text": "EXT. YARD"}}, 51)

    @books.on("POST", "/rpc")
    def rpc(req: Req) -> Res:
        call, given = req.json, req.json["params"]
        told: dict[str, Any] = {"jsonrpc": "2.0", "id": call["id"]}
        if call["method"] == "scene.save":
            time.sleep(0.12)
            with books.lock:
                now = books.rows[given["scene"]].rev
                if given["rev"] != now:
                    return Res(
                        200, {**told, "error": {"code": -32009, "message": "stale rev", "data": {"rev": now}}}
                    )
                books.keep(given["scene"], {"text": given["text"]})
        doc = books.rows[given["scene"]]
        return Res(200, {**told, "result": {"scene": given["scene"], "rev": doc.rev, **doc.data}})

    server = place.open_box(stage, books, "aiohttp")
    me = stage.actor("client", server, "rpc.scripts.test", "httpx", {"X-Session": "b07e-441"})
    count = itertools.count(1)

    def call(method: str, **given: object) -> Any:
        body = {"jsonrpc": "2.0", "id": next(count), "method": f"scene.{method}", "params": given}
        return me.send("POST", "/rpc", 200, None, body).json

    call("get", scene="scene-5")
    rev = call("get", scene="scene-4")["result"]["rev"]
    text = "INT. KITCHEN - NIGHT. Rain."
    for more in (" A door.", " Steps."):
        rev = call("save", scene="scene-4", rev=rev, text=text)["result"]["rev"]
        text += more
        place.rest(0.6)
        both = place.at_once(
            lambda r=rev, t=text: call("save", scene="scene-4", rev=r, text=t),  # type: ignore[misc]
            lambda r=rev, t=text: call("save", scene="scene-4", rev=r, text=f"{t}\n"),  # type: ignore[misc]
        )
        place.sure(["result" in one for one in both] == [True, False])  # type: ignore[operator]
        place.rest(0.5)
        rev = call("get", scene="scene-4")["result"]["rev"]
    call("save", scene="scene-4", rev=rev, text=text)


@case(
    "d500",
    "cal-roster-checks-before-it-stores",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race none",
    description=(
        "A roster compares rev of the query with its row, works out the pay for a quarter of a second, and stores. Two "
        "planners save the same day at once, both get 200 and rev 10; one planner's change is gone. Later an old rev is 409."
    ),
)
def roster(stage: Stage) -> None:
    """Store twice on one revision."""
    books = Books({"2026-12-24": {"early": "Ola", "late": "Siv"}, "2026-12-25": {"early": "", "late": ""}}, 9)

    def shown(key: str) -> Res:
        return Res(200, {"day": key, "rev": books.rows[key].rev, **books.rows[key].data})

    books.on("GET", "/roster/([\\d-]+)")(lambda _req, key: shown(key))

    @books.on("PUT", "/roster/([\\d-]+)")
    def save(req: Req, key: str) -> Res:
        old = books.rows[key]
        if req.query["rev"] != str(old.rev):
            return Res(409, {"error": "rev_outdated", "rev": old.rev})
        time.sleep(0.25)
        with books.lock:
            books.rows[key] = Doc(req.json, old.rev + 1, time.time(), "planner")
            return Res(200, {"day": key, "rev": old.rev + 1, **req.json})

    server = place.open_box(stage, books, "waitress")
    me = stage.actor("client", server, "roster.zoo.test", "requests", {"X-Planner": "kim"})
    other = stage.actor("other", server, "roster.zoo.test", "aiohttp", {"X-Planner": "lee"})
    me.get("/roster/2026-12-25")
    place.usual(books, me, "/rules/rest-times", "/people")
    mine, theirs = me.get("/roster/2026-12-24").json, other.get("/roster/2026-12-24").json
    url = f"/roster/2026-12-24?rev={mine['rev']}"
    both = place.at_once(
        lambda: me.put(url, {"early": "Ola, Per", "late": "Siv"}, 200),
        lambda: other.put(url, {"early": "Ola", "late": theirs["late"] + ", Ane"}, 200),
        apart=0.06,
    )
    place.sure([one.json["rev"] for one in both] == [10, 10])
    place.rest(0.5)
    now = me.get("/roster/2026-12-24").json
    place.sure(now["rev"] == 10 and now["early"] == "Ola")
    me.put(url, {**now, "early": "Ola, Per"}, 409)
    me.put("/roster/2026-12-24?rev=10", {"early": "Ola, Per", "late": now["late"]}, 200)
    other.get("/roster/2026-12-24")


@case(
    "d499",
    "cal-hora-sin-fracciones",
    "date-precision",
    "409",
    alone="date-precision",
    description=(
        "A dealer's stock shows modificado to the second and compares what comes back with its microseconds: each save "
        "with the value as read is 409, and the error tells both times. The value with the fraction is taken."
    ),
)
def fractions(stage: Stage) -> None:
    """Echo a time that has lost its fraction."""
    rows = {n: {"modelo": "Tractor 5075", "precio": 41900} for n in ("T-88", "T-89", "T-90")}
    books = Books(rows, age=64000.48213)

    def shown(key: str) -> dict[str, Any]:
        return {"id": key, **books.rows[key].data, "modificado": stamp(books.rows[key].at, 0)}

    books.on("GET", "/inventario/([\\w-]+)")(lambda _req, key: Res(200, shown(key)))
    books.on("GET", "/inventario")(lambda _req: Res(200, {"unidades": [shown(key) for key in books.rows]}))

    @books.on("PUT", "/inventario/([\\w-]+)")
    def save(req: Req, key: str) -> Res:
        stored, sent = stamp(books.rows[key].at, 6), req.json["modificado"]
        if stored != sent:
            said = "El registro no coincide con la última modificación"
            return Res(409, {"error": said, "recibido": sent, "guardado": stored})
        books.keep(key, {name: one for name, one in req.json.items() if name not in {"id", "modificado"}})
        return Res(200, shown(key))

    server = place.open_box(stage, books, "tornado")
    me = stage.actor("client", server, "stock.agro.example", "java", {"Accept": "application/json"})
    me.get("/inventario")
    for key in ("T-89", "T-89", "T-90"):
        seen = me.get(f"/inventario/{key}").json
        told = me.put(f"/inventario/{key}", {**seen, "precio": 40500}, 409).json
        place.sure(told["guardado"].startswith(seen["modificado"][:-1]))
        place.rest(0.4)
    me.get("/inventario/T-88")
    place.usual(books, me, "/monedas")
    me.put("/inventario/T-90", {**seen, "precio": 40500, "modificado": told["guardado"]}, 200)
