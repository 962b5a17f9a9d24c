"""Unseen recordings: applications with versions of their own making."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from tools.recording_apis import fronts
from tools.recording_apis.apps.uma_core import Ask, Reply, Shelf, refusals
from tools.recording_apis.apps.uma_ledger import Ledger, Rec, iso
from tools.recording_apis.apps.uma_own import Desk, forms, graphql, rpc, sessions
from tools.recording_apis.stage import case
from tools.recording_apis.stories import uma_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@case(
    "d229",
    "a-page-that-may-not-see-the-tag",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag token-missing",
    also="token-missing",
    description=(
        "A page of another origin edits profiles. The answers carry an ETag and Access-Control-Allow-Origin but no "
        "Access-Control-Expose-Headers, so its script has no tag to send; the service answers 428 to each save. A "
        "program without an origin saves with the tag."
    ),
)
def hidden(stage: Stage) -> None:
    """Save from a page that cannot read the tag."""
    docs = {f"/profiles/{n}": {"nick": n, "bio": ""} for n in ("ada", "bo", "cy")}
    cors = {"Access-Control-Allow-Origin": "https://seite.example", "Vary": "Origin"}
    shelf = Shelf(docs, lambda doc: f'"p{doc.rev}"', refusals("de", "code"), need=428, more=cors)

    def app(ask: Ask) -> Reply:
        if ask.method == "OPTIONS":
            allowed = {"Access-Control-Allow-Methods": "GET, PUT", "Access-Control-Max-Age": "5"}
            return 204, {**cors, **allowed, "Access-Control-Allow-Headers": "content-type, if-match"}, None
        return shelf(ask)

    server = place.house(stage, app, "profile-api")
    page = {"Origin": "https://seite.example", "Referer": "https://seite.example/", "Sec-Fetch-Mode": "cors"}
    page |= {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}
    me = stage.actor("client", server, "api.profile.example", "httpx", page)
    other = stage.actor("other", server, "api.profile.example", "requests", {"User-Agent": "profilctl/3"})
    preflight = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    me.get("/profiles")
    for name in ("ada", "bo"):
        seen = me.get(f"/profiles/{name}")
        me.send("OPTIONS", f"/profiles/{name}", 204, preflight)
        me.put(f"/profiles/{name}", {**seen.json, "bio": "malt"}, 428)
    place.edit(other, "/profiles/cy", bio="singt")
    me.get("/profiles/cy")
    me.put("/profiles/ada", {"nick": "ada", "bio": "malt"}, 428)


@case(
    "d230",
    "the-phone-s-cache-puts-a-field-in",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "An app for bird sightings saves without a condition. On iPhones the system's HTTP cache adds If-None-Match with "
        "the tag of the stored read to the PUT, which the service refuses with 412; the same app on Android has no "
        "such field and is 200. A sighting that was never read is saved from the iPhone too."
    ),
)
def birds(stage: Stage) -> None:
    """Let a cache guard a write."""
    docs = {f"/sightings/{n}": {"species": s, "count": 2} for n, s in enumerate(("merle", "pie", "geai"), 50)}
    shelf = Shelf(docs, lambda doc: f'"{doc.rev}a"', refusals("fr", "code"), cache="private, max-age=0")
    server = place.house(stage, shelf, "Ornitho", "waitress")
    iphone = {"User-Agent": "Ornitho/41 CFNetwork/1568.200.51 Darwin/24.1.0", "Accept-Language": "fr-FR"}
    me = stage.actor("client", server, "api.ornitho.example", "requests", iphone)
    other = stage.actor("other", server, "api.ornitho.example", "java", {"User-Agent": "Ornitho/41 okhttp/4.12.0"})
    me.get("/sightings")
    seen = me.get("/sightings/51")
    place.kept(me, "/sightings/51", seen)
    own = {"If-None-Match": seen.etag}
    me.put("/sightings/51", {"species": "pie", "count": 3}, 412, own)
    me.put("/sightings/60", {"species": "pic vert", "count": 1}, 201)
    place.pause(0.5)
    me.put("/sightings/51", {"species": "pie", "count": 3}, 412, own)
    other.get("/sightings/50")
    other.put("/sightings/50", {"species": "merle", "count": 4}, 200)
    place.kept(me, "/sightings/51", seen)


@case(
    "d231",
    "a-firewall-dislikes-the-recipe",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A firewall before a recipe exchange answers 412 with a page of its own to texts that contain 'select ... from'. "
        "No request has a condition or a version; the origin sees none of the refused ones, other texts pass."
    ),
)
def firewall(stage: Stage) -> None:
    """Be refused for words."""
    box = Ledger({f"/recipes/{n}": {"title": f"Ricetta {n}", "text": "…"} for n in (1, 2, 3)})
    desk = Desk(box, place="header", name="X-Rev")

    page = "<html><head><title>Precondition Failed</title></head><body><h1>Access denied</h1>"
    page += "<p>Your request was filtered. Event 9A-31207</p><hr>NetShield</body></html>"
    words = "{ req.body -m sub Select } { req.body -m sub ' from ' }"
    answer = f' http-request return status 412 content-type text/html string "{page}" hdr X-NetShield policy=sqli'
    lines = f" option http-buffer-request\n{answer} if {words}"
    front = fronts.haproxy(stage, [place.house(stage, desk, "ricettario")], lines)
    me = stage.actor("client", front, "ricette.cucina.test", "node:axios")
    me.get("/recipes")
    me.send("POST", "/recipes", 201, body={"title": "Ribollita", "text": "Cavolo nero, pane"})
    text = "Select ripe tomatoes from the garden"
    me.send("POST", "/recipes", 412, body={"title": "Pappa", "text": text})
    me.get("/recipes/2")
    me.send("PATCH", "/recipes/2", 412, body={"text": f"{text}, then peel"})
    place.pause(0.4)
    me.send("PATCH", "/recipes/2", 200, body={"text": "Peel ripe tomatoes"})


@case(
    "d232",
    "a-bank-s-daily-limit",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A bank answers 412 to a transfer above the daily limit, with a message in Portuguese. Nothing in the requests "
        "is a condition or a version; smaller transfers are 201 before and after."
    ),
)
def limit(stage: Stage) -> None:
    """Be refused by a rule of the business."""
    spent = [0]

    def bank(ask: Ask) -> Reply:
        if ask.method == "GET":
            return 200, {"Cache-Control": "no-store"}, {"conta": "0007-3", "saldo": 9100 - spent[0], "moeda": "BRL"}
        value = ask.json["valor"]
        if spent[0] + value > 5000:
            text = f"Limite diário excedido: restam {5000 - spent[0]},00 para hoje."
            return 412, {}, {"codigo": "TRF-118", "mensagem": text}
        spent[0] += value
        return 201, {"Location": f"/transferencias/{spent[0]}"}, {"id": spent[0], "valor": value, "estado": "aceita"}

    server = place.house(stage, bank, "bancoapi/8", "cheroot")
    me = stage.actor("client", server, "api.banco.example", "java", {"Authorization": "Bearer conta-0007"})
    me.get("/contas/0007-3")
    for value, expect in ((1200, 201), (3900, 412), (800, 201), (3900, 412)):
        me.send("POST", "/transferencias", expect, body={"para": "0412-9", "valor": value})
        me.get("/contas/0007-3")


@case(
    "d233",
    "two-clerks-one-dog-tax-form",
    "other-writer",
    "409",
    alone="other-writer",
    also="status-dialect-mismatch",
    description=(
        "Two clerks have the form of one dog owner open. The second one's POST carries the lock_version of before and "
        "is answered 409 with a German page that names the first one; the record page shows her change."
    ),
)
def dogs(stage: Stage) -> None:
    """Post a form that another has posted before."""
    rows = {f"/halter/{n}": {"name": f"Frau {n}", "hunde": "1", "satz": "96"} for n in ("Arnold", "Bastian", "Celik")}
    words = {"lang": "de", "title": "Nicht gespeichert"}
    words["stale"] = "Der Datensatz wurde inzwischen von {by} geändert ({at}). Bitte laden Sie ihn neu."
    server = place.house(stage, forms(Ledger(rows), words), "Steueramt")
    me = stage.actor("client", server, "hundesteuer.stadt.test", "requests", {"X-User": "m.vogel"})
    other = stage.actor("other", server, "hundesteuer.stadt.test", "httpx", {"X-User": "s.albers"})

    def post(who: Actor, page: Answer, expect: int, **fields: str) -> Answer:
        version = page.text.split("lock_version' value='")[1].split("'")[0]
        return who.send("POST", "/halter/Celik", expect, FORM, urlencode({"lock_version": version, **fields}))

    me.get("/halter")
    css = me.get("/static/amt.css")
    page, theirs = me.get("/halter/Celik/edit"), other.get("/halter/Celik/edit")
    place.kept(me, "/static/amt.css", css)
    post(other, theirs, 303, name="Frau Celik", hunde="2", satz="120")
    other.get("/halter/Celik")
    place.pause(1.1)
    post(me, page, 409, name="Frau Celik-Roth", hunde="1", satz="96")
    place.holds("s.albers" in me.get("/halter/Celik").text)
    me.get("/halter/Arnold/edit")


UPDATE = "mutation Save($id: ID!, $input: {0}Input!) {{ update{0}(id: $id, input: $input) {{ id revision }} }}"
LIST = "query All { drafts { id title revision } }"
ONE = "query One($id: ID!) { draft(id: $id) { id title text revision } }"


@case(
    "d234",
    "autosave-overtakes-itself",
    "self-race",
    "200-error",
    alone="self-race",
    also="status-dialect-mismatch",
    description=(
        "An editor's autosave sends a GraphQL mutation while the one before is still under way, both with the same "
        "expectedRevision and session. The second is REVISION_CONFLICT in a 200; the stored text is the first one's."
    ),
)
def autosave(stage: Stage) -> None:
    """Save twice on one revision."""
    rows = {f"dr-{n}": {"title": f"Entwurf {n}", "text": "Es war"} for n in (1, 2, 3)}
    server = place.house(stage, graphql(Ledger(rows), "draft", 0.4), "apollo")
    me = stage.actor("client", server, "gql.schreiber.test", "aiohttp", {"X-User": "lou", "X-Session": "s-77c1"})
    second = place.twin(me, "httpx")

    def ask(who: Actor, query: str, **variables: Any) -> Answer:
        return who.send("POST", "/graphql", 200, body={"query": query, "variables": variables})

    save = UPDATE.format("Draft")
    ask(me, LIST)
    now = ask(me, ONE, id="dr-2").json["data"]["draft"]["revision"]
    texts = ("Es war einmal", "Es war einmal ein")
    calls = [{"text": one, "expectedRevision": now} for one in texts]
    first, late = place.together(
        lambda: ask(me, save, id="dr-2", input=calls[0]), lambda: ask(second, save, id="dr-2", input=calls[1]), apart=0.2
    )
    place.holds("errors" not in first.json and late.json["errors"][0]["extensions"]["code"] == "REVISION_CONFLICT")
    place.holds(ask(me, ONE, id="dr-2").json["data"]["draft"]["text"] == texts[0])
    second.program.close()
    me.get("/health")
    ask(me, LIST)


@case(
    "d235",
    "the-contract-numbers-itself",
    "server-side-mutation",
    "409",
    alone="server-side-mutation",
    also="status-dialect-mismatch",
    description=(
        "A contract's revision is in the path of a save. After each save a rule of the service fills in a number and "
        "counts the revision up, as changedBy says; the next save with the revision that the answer named is 409."
    ),
)
def contract(stage: Stage) -> None:
    """Write after a rule of the service."""
    rows = {f"/contracts/{n}": {"party": p, "sum": 1000 * n, "number": None} for n, p in enumerate(("Voss", "Ito"), 7)}
    box = Ledger(rows)
    text = {"melding": "Revisie {sent} is niet meer de laatste (nu {now}, door {by}).", "code": "REV"}
    desk = Desk(box, "path", "revision", stale=(409, text))

    def rule(path: str, rec: Rec) -> None:
        if rec.by != "regelmachine":
            box.merge(path, "regelmachine", number=f"C-{rec.serial}")

    desk.hooks.append(rule)
    server = place.house(stage, desk, "contracten", "waitress")
    me = stage.actor("client", server, "contracten.notaris.test", "node:fetch", {"X-User": "j.bos"})
    me.get("/contracts")
    seen = me.get("/contracts/7").json
    made = me.put(f"/contracts/7/{seen['revision']}", {**seen, "sum": 7200}, 200).json
    place.pause(0.7)
    me.put(f"/contracts/7/{made['revision']}", {**made, "party": "Voss & Zn"}, 409)
    now = me.get("/contracts/7").json
    place.holds(now["changedBy"] == "regelmachine" and now["sum"] == 7200 and now["revision"] == made["revision"] + 1)
    me.get("/contracts/8")


def row_version(rec: Rec) -> str:
    """Return eight octets in base64, as SQL Server's row versions are shown."""
    return base64.b64encode((rec.serial * 4093 + 0x3E7F).to_bytes(8, "big")).decode()


@case(
    "d236",
    "the-grid-keeps-its-row",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A grid saves a row, is given the new rowVersion, and saves the same row again with the one that it loaded at "
        "first: 412, in Spanish. The same happens with a second row; no one else writes."
    ),
)
def grid(stage: Stage) -> None:
    """Send the row version from before one's own save."""
    rows = {f"/api/rows/{n}": {"articulo": f"A-{n}", "cajas": 10 + n} for n in range(301, 305)}
    text = {"codigo": "FILA_MODIFICADA", "mensaje": "La fila cambió: se envió {sent} y la actual es {now}."}
    desk = Desk(Ledger(rows), "body", "rowVersion", row_version, stale=(412, text))
    server = place.house(stage, desk, "Kestrel")
    me = stage.actor("client", server, "almacen.frutas.test", "requests", {"X-User": "turno-1"})
    items = {one["id"]: one for one in me.get("/api/rows").json["items"]}
    for key in ("301", "303"):
        held = items[key]
        saved = me.put(f"/api/rows/{key}", {**held, "cajas": held["cajas"] - 2}, 200).json
        place.holds(saved["rowVersion"] != held["rowVersion"])
        place.pause(0.4)
        me.put(f"/api/rows/{key}", {**held, "cajas": held["cajas"] - 5}, 412)
    me.get("/api/rows/302")


@case(
    "d237",
    "the-meter-van-tries-again-and-again",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token other-writer",
    also="other-writer status-dialect-mismatch",
    description=(
        "A meter reader's van sends a reading with ?rev= and, refused with 409 because the office has corrected the "
        "record, repeats the same URL four times with longer and longer waits, without reading it."
    ),
)
def van(stage: Stage) -> None:
    """Repeat a refused revision."""
    rows = {f"/meters/{n}": {"kwh": 5000 + n, "place": "Keller"} for n in (81, 82, 83, 84)}
    desk = Desk(Ledger(rows), "query", "rev", stale=(409, {"error": "rev_mismatch", "given": "{sent}"}))
    server = place.house(stage, desk, "zaehlerwesen", "cheroot")
    me = stage.actor("client", server, "zaehler.netz.test", "urllib", {"X-User": "wagen-6"})
    other = stage.actor("other", server, "zaehler.netz.test", "node:fetch", {"X-User": "buero"})
    for number in (81, 82, 83):
        seen = me.get(f"/meters/{number}").json
        if number == 82:
            theirs = other.get("/meters/82").json
            other.send("PATCH", f"/meters/82?rev={theirs['rev']}", 200, body={"place": "Flur"})
            place.pause(0.3)
            for wait in (0.2, 0.4, 0.8, 1.6):
                me.send("PATCH", f"/meters/82?rev={seen['rev']}", 409, body={"kwh": 5121})
                place.pause(wait)
        else:
            me.send("PATCH", f"/meters/{number}?rev={seen['rev']}", 200, body={"kwh": 5100 + number})


@case(
    "d238",
    "the-newest-date-under-an-old-text",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "An app for care plans sends updatedAt with each save. Before it saves, it fetches the plan again and takes the "
        "date alone; its plan is that of the morning, so a nurse's new medicine is gone. All answers are 200."
    ),
)
def plan(stage: Stage) -> None:
    """Take a new date for an old plan."""
    rows = {f"/plans/{n}": {"bed": n, "meds": ["ASS 100"], "diet": "leicht"} for n in ("11a", "11b", "12a")}
    desk = Desk(
        Ledger(rows),
        "body",
        "updatedAt",
        lambda rec: iso(rec.at, 6),
        stale=(422, {"errors": {"updatedAt": "is not the latest"}}),
        missing=(422, {"errors": {"updatedAt": "can't be blank"}}),
    )
    server = place.house(stage, desk, "pflegeplan", "waitress")
    me = stage.actor("client", server, "plan.pflege.test", "node:axios", {"X-User": "arzt-3"})
    other = stage.actor("other", server, "plan.pflege.test", "requests", {"X-User": "schwester-t"})
    morning = {one["id"]: one for one in me.get("/plans").json["items"]}
    me.put("/plans/12a", {"bed": "12a", "meds": [], "diet": "leicht"}, 422)
    theirs = other.get("/plans/11b").json
    other.put("/plans/11b", {**theirs, "meds": ["ASS 100", "Ramipril 5"]}, 200)
    place.pause(1.2)
    me.put("/plans/11a", {**morning["11a"], "diet": "voll"}, 200)
    fresh = me.get("/plans/11b").json
    me.put("/plans/11b", {**morning["11b"], "diet": "voll", "updatedAt": fresh["updatedAt"]}, 200)
    place.holds(me.get("/plans/11b").json["meds"] == ["ASS 100"])


@case(
    "d239",
    "the-version-is-optional",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "A service for shift swaps refuses an outdated version with 409 and takes a body without one. A kiosk, which "
        "reads the version each time, never sends it, and overwrites what the phone has just saved with it."
    ),
)
def swaps(stage: Stage) -> None:
    """Leave out what may be left out."""
    rows = {f"/shifts/{n}": {"day": n, "who": "Ayla", "note": ""} for n in ("mo", "di", "mi")}
    desk = Desk(Ledger(rows), stale=(409, {"hiba": "A rekord közben megváltozott.", "jelenlegi": "{now}"}))
    server = place.house(stage, desk, "muszak")
    me = stage.actor("client", server, "muszak.gyar.test", "httpx", {"X-User": "kioszk"})
    other = stage.actor("other", server, "muszak.gyar.test", "aiohttp", {"X-User": "telefon"})
    me.get("/shifts")
    seen, theirs = me.get("/shifts/di").json, other.get("/shifts/di").json
    old = dict(theirs)
    other.put("/shifts/di", {**theirs, "note": "csere Pallal"}, 200)
    other.put("/shifts/di", {**old, "note": "csere"}, 409)
    place.pause(0.9)
    place.holds(me.get("/shifts/di").json["note"] == "csere Pallal")
    me.put("/shifts/di", {"day": "di", "who": "Bela", "note": seen["note"]}, 200)
    me.put("/shifts/mi", {"day": "mi", "who": "Ayla", "note": ""}, 200)
    place.holds(me.get("/shifts/di").json["note"] == "")


@case(
    "d240",
    "a-version-of-zero",
    "null-token",
    "409",
    alone="null-token",
    also="status-dialect-mismatch",
    description=(
        "A script calls save over JSON-RPC with version 0, the start value of its class, for records that are at version "
        "2 and more, as get and list told it: 409, code -32009, each time. One save with the version is taken."
    ),
)
def zero(stage: Stage) -> None:
    """Send a start value for a version."""
    rows = {f"tariff/{n}": {"cents": 30 + n, "zone": n} for n in range(1, 5)}
    server = place.house(stage, rpc(Ledger(rows)), "rpcd/2")
    me = stage.actor("client", server, "rpc.tarife.test", "curl:trace-time", {"X-User": "import.py"})
    counter = iter(range(1, 20))

    def call(method: str, expect: int = 200, **params: object) -> Answer:
        body = {"jsonrpc": "2.0", "id": next(counter), "method": f"tariff.{method}", "params": params}
        return me.send("POST", "/rpc", expect, body=body)

    call("list")
    for number in (1, 2):
        call("get", key=f"tariff/{number}")
        call("save", 409, key=f"tariff/{number}", version=0, value={"cents": 40, "zone": number})
    version = call("get", key="tariff/3").json["result"]["version"]
    call("save", key="tariff/3", version=version, value={"cents": 41, "zone": 3})
    call("save", 409, key="tariff/4", version=0, value={"cents": 42, "zone": 4})


@case(
    "d241",
    "a-row-version-coded-for-urls",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A client puts the base64 row version of a loan percent-encoded into its field If-Row-Version, as for a URL: 412. "
        "Each read names the same value without the coding; a value without signs to encode passes."
    ),
)
def coded(stage: Stage) -> None:
    """Encode what has to be sent as it is."""
    rows = {f"/loans/{n}": {"loan": n, "rate": 3.1, "term": 120} for n in (1, 2, 3)}

    def version(rec: Rec) -> str:
        return base64.b64encode(bytes([0xFB, rec.serial % 256, 0xEF, rec.version])).decode()

    text = {"error": "row_version_mismatch", "detail": "If-Row-Version does not name the stored row version."}
    desk = Desk(Ledger(rows), "header", "Row-Version", version, stale=(412, text))

    def app(ask: Ask) -> Reply:
        fields = {**ask.fields, "row-version": ask.fields["if-row-version"]} if "if-row-version" in ask.fields else ask.fields
        return desk(Ask(ask.method, ask.path, ask.query, fields, ask.body))

    me = stage.actor("client", place.house(stage, app, "loans", "waitress"), "loans.bank.example", "java")
    me.get("/loans")
    for rate in (3.3, 3.3):
        seen = me.get("/loans/2")
        own = {"If-Row-Version": quote(seen.fields["row-version"], safe="")}
        place.holds("%" in own["If-Row-Version"])
        me.put("/loans/2", {"loan": 2, "rate": rate, "term": 120}, 412, own)
    place.pause(0.4)
    me.get("/loans/3")
    place.holds(me.get("/loans/2").fields["row-version"] == seen.fields["row-version"])
    me.put("/loans/2", {"loan": 2, "rate": 3.3, "term": 120}, 200, {"If-Row-Version": seen.fields["row-version"]})


@case(
    "d242",
    "the-list-s-number-for-an-item",
    "wrong-token-source",
    "409",
    alone="wrong-token-source",
    also="status-dialect-mismatch",
    description=(
        "A board's list has a revision of its own beside the items' revisions. A script sends the list's number as an "
        "item's: 409, names the item's. The numbers are apart by thousands, and nobody else writes."
    ),
)
def board(stage: Stage) -> None:
    """Send a number of the list."""
    rows = {f"/cards/{n}": {"title": f"Kort {n}", "column": "todo"} for n in range(21, 26)}
    box = Ledger(rows, 48100)
    text = {"fel": "Fel revision för kortet.", "skickad": "{sent}", "gällande": "{now}"}
    desk = Desk(box, "body", "revision", stale=(409, text), listed=lambda: {"revision": box.serial})
    server = place.house(stage, desk, "tavlan", "cheroot")
    me = stage.actor("client", server, "tavla.byra.test", "requests", {"X-User": "skript"})
    for number, column in ((21, "doing"), (24, "done"), (21, "done")):
        shown = me.get("/cards").json
        me.send("PATCH", f"/cards/{number}", 409, body={"column": column, "revision": shown["revision"]})
        place.pause(0.2)
    card = me.get("/cards/22").json
    me.send("PATCH", "/cards/22", 200, body={"column": "doing", "revision": card["revision"]})


@case(
    "d243",
    "five-hundred-for-a-version",
    "status-dialect-mismatch",
    "500",
    alone="status-dialect-mismatch other-writer",
    also="other-writer retry-reuses-failed-token",
    description=(
        "A service answers 500 to an outdated version, with OptimisticLockException in its body. The client takes it "
        "for a failure of the server and sends the same three times more; a colleague had changed the record."
    ),
)
def exception(stage: Stage) -> None:
    """Take a conflict for a failure."""
    rows = {f"/policies/{n}": {"holder": f"Kunde {n}", "premium": 40 + n} for n in (401, 402, 403)}
    text = {"error": "Internal Server Error", "exception": "javax.persistence.OptimisticLockException"}
    text["message"] = "Row was updated or deleted by another transaction: Policy, version {sent}"
    server = place.house(stage, Desk(Ledger(rows), stale=(500, text)), "Apache-Coyote/1.1")
    me = stage.actor("client", server, "police.versicherung.test", "java", {"X-User": "makler-2"})
    other = stage.actor("other", server, "police.versicherung.test", "httpx", {"X-User": "innendienst"})
    me.get("/policies")
    seen, theirs = me.get("/policies/402").json, other.get("/policies/402").json
    other.put("/policies/402", {**theirs, "premium": 55}, 200)
    place.pause(0.6)
    for wait in (0.2, 0.2, 0.2, 0.2):
        me.put("/policies/402", {**seen, "holder": "Kundin 402"}, 500)
        place.pause(wait)
    me.get("/policies/403")


@case(
    "d244",
    "a-price-with-two-decimals",
    "payload-precondition-mismatch",
    "422",
    alone="payload-precondition-mismatch",
    also="status-dialect-mismatch",
    description=(
        "A price service changes a price when expect names the stored one exactly. A till sends 12.50 where 12.5 is "
        "stored: 422, which names expect.prix, though the read shows that nobody changed it; 12.5 is taken."
    ),
)
def price(stage: Stage) -> None:
    """Expect a value in another notation."""
    box = Ledger({f"/prix/{n}": {"article": n, "prix": p} for n, p in (("thé", "4.2"), ("miel", "12.5"), ("sel", "2"))})

    def app(ask: Ask) -> Reply:
        rec = box.get(ask.path)
        if rec is None:
            return 200, {}, {"articles": [one.data for one in box.below("/prix/").values()]}
        if ask.method == "PATCH":
            wanted = ask.json["expect"]["prix"]
            if wanted != rec.data["prix"]:
                told = {"champ": "expect.prix", "message": f"valeur attendue {wanted}, valeur enregistrée {rec.data['prix']}"}
                return 422, {}, {"erreurs": [told]}
            rec = box.merge(ask.path, "caisse", prix=ask.json["set"]["prix"])
        return 200, {}, rec.data

    server = place.house(stage, app, "tarifs/3")
    me = stage.actor("client", server, "tarifs.epice.test", "aiohttp", {"X-User": "caisse-4"})
    me.get("/prix")
    for _ in range(2):
        me.send("PATCH", "/prix/miel", 422, body={"expect": {"prix": "12.50"}, "set": {"prix": "13.90"}})
        me.get("/prix/miel")
    me.send("PATCH", "/prix/sel", 200, body={"expect": {"prix": "2"}, "set": {"prix": "2.2"}})
    place.pause(0.3)
    me.send("PATCH", "/prix/miel", 200, body={"expect": {"prix": "12.5"}, "set": {"prix": "13.90"}})


@case(
    "d245",
    "the-edit-session-ran-out",
    "token-expired",
    "410",
    alone="token-expired",
    description=(
        "An archive lets edit within a session that lasts a second and a half. An archivist saves with one that is "
        "older: 410, with the time it ended, twice; a fresh session of the same record is taken at once."
    ),
)
def archive(stage: Stage) -> None:
    """Save with a session that is over."""
    rows = {f"/akten/{n}": {"titel": f"Akte {n}", "jahr": 1900 + n} for n in (11, 12, 13)}
    words = {"unknown": "Diese Sitzung gehört nicht zur Akte.", "expired": "Die Bearbeitungssitzung ist abgelaufen."}
    server = place.house(stage, sessions(Ledger(rows), 1.5, words), "archivum", "waitress")
    me = stage.actor("client", server, "akten.archiv.test", "node:fetch", {"X-User": "archivar"})
    me.get("/akten")
    quick = me.send("POST", "/akten/11/sessions", 201).json["session"]
    me.put("/akten/11", {"titel": "Akte 11", "jahr": 1912}, 200, {"Edit-Session": quick})
    held = {"Edit-Session": me.send("POST", "/akten/12/sessions", 201).json["session"]}
    me.get("/akten/12")
    place.pause(1.9)
    me.put("/akten/12", {"titel": "Akte 12, neu", "jahr": 1912}, 410, held)
    me.get("/akten/13")
    me.put("/akten/12", {"titel": "Akte 12, neu", "jahr": 1912}, 410, held)
    fresh = {"Edit-Session": me.send("POST", "/akten/12/sessions", 201).json["session"]}
    me.put("/akten/12", {"titel": "Akte 12, neu", "jahr": 1912}, 200, fresh)


@case(
    "d246",
    "one-version-two-winners",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race other-writer none",
    description=(
        "Two nurses add a reading to one chart with the same version at the same moment; both are 200 with the version "
        "counted up, and one reading is gone. An outdated version by itself is 409."
    ),
)
def winners(stage: Stage) -> None:
    """Let two saves of one version pass."""
    rows = {f"/charts/{n}": {"bed": n, "readings": []} for n in (3, 4, 5)}
    desk = Desk(Ledger(rows), stale=(409, {"error": "outdated", "current": "{now}"}), gap=0.3)
    server = place.house(stage, desk, "charts", "waitress")
    me = stage.actor("client", server, "charts.ward.example", "httpx", {"X-User": "nurse-kay"})
    other = stage.actor("other", server, "charts.ward.example", "requests", {"X-User": "nurse-lee"})
    me.get("/charts")
    seen, theirs = me.get("/charts/4").json, other.get("/charts/4").json
    got = place.together(
        lambda: me.put("/charts/4", {**seen, "readings": ["37.1 kay"]}, 200),
        lambda: other.put("/charts/4", {**theirs, "readings": ["118/76 lee"]}, 200),
        apart=0.1,
    )
    place.holds(len(got) == 2 and me.get("/charts/4").json["readings"] == ["118/76 lee"])
    me.put("/charts/4", {**seen, "readings": ["37.1 kay", "36.9 kay"]}, 409)
    me.put("/charts/5", {**me.get("/charts/5").json, "readings": ["60 kay"]}, 200)
