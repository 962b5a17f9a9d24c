"""Unseen recordings: applications with versions of their own making."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tools.recording_apis import fronts
from tools.recording_apis.apps.uma_core import Ask, Shelf
from tools.recording_apis.apps.uma_ledger import Ledger, Rec
from tools.recording_apis.apps.uma_own import Desk, forms, graphql
from tools.recording_apis.apps.uma_words import Reply, refusals
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
    other = stage.actor(
        "other", server, "api.ornitho.example", "java", {"User-Agent": "Ornitho/41 okhttp/4.12.0"}
    )
    me.get("/sightings")
    place.glance(me, ["/sightings/50", "/sightings/52", "/status"], 6, 230)
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
    answer = (
        f' http-request return status 412 content-type text/html string "{page}" hdr X-NetShield policy=sqli'
    )
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
            return (
                200,
                {"Cache-Control": "no-store"},
                {"conta": "0007-3", "saldo": 9100 - spent[0], "moeda": "BRL"},
            )
        value = ask.json["valor"]
        if spent[0] + value > 5000:
            text = f"Limite diário excedido: restam {5000 - spent[0]},00 para hoje."
            return 412, {}, {"codigo": "TRF-118", "mensagem": text}
        spent[0] += value
        return (
            201,
            {"Location": f"/transferencias/{spent[0]}"},
            {"id": spent[0], "valor": value, "estado": "aceita"},
        )

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
    rows = {
        f"/halter/{n}": {"name": f"Frau {n}", "hunde": "1", "satz": "96"}
        for n in ("Arnold", "Bastian", "Celik")
    }
    words = {"lang": "de", "title": "Nicht gespeichert"}
    words["stale"] = "Der Datensatz wurde inzwischen von {by} geändert ({at}). Bitte laden Sie ihn neu."
    server = place.house(stage, forms(Ledger(rows), words), "Steueramt")
    me = stage.actor("client", server, "hundesteuer.stadt.test", "requests", {"X-User": "m.vogel"})
    other = stage.actor("other", server, "hundesteuer.stadt.test", "httpx", {"X-User": "s.albers"})

    def post(who: Actor, page: Answer, expect: int, **fields: str) -> Answer:
        version = page.text.split("lock_version' value='")[1].split("'")[0]
        return who.send("POST", "/halter/Celik", expect, FORM, urlencode({"lock_version": version, **fields}))

    me.get("/halter")
    post_ok = me.get("/halter/Bastian/edit").text.split("lock_version' value='")[1].split("'")[0]
    fields = {"lock_version": post_ok, "name": "Frau Bastian", "hunde": "1", "satz": "102"}
    me.send("POST", "/halter/Bastian", 303, FORM, urlencode(fields))
    me.get("/halter/Bastian")
    css = me.get("/static/amt.css")
    page, theirs = me.get("/halter/Celik/edit"), other.get("/halter/Celik/edit")
    place.kept(me, "/static/amt.css", css)
    post(other, theirs, 303, name="Frau Celik", hunde="2", satz="120")
    other.get("/halter/Celik")
    place.pause(1.1)
    post(me, page, 409, name="Frau Celik-Roth", hunde="1", satz="96")
    place.holds("s.albers" in me.get("/halter/Celik").text)
    me.get("/halter/Arnold/edit")


UPDATE = (
    "mutation Save($id: ID!, $input: {0}Input!) {{ update{0}(id: $id, input: $input) {{ id revision }} }}"
)
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
    me = stage.actor(
        "client", server, "gql.schreiber.test", "aiohttp", {"X-User": "lou", "X-Session": "s-77c1"}
    )
    second = place.twin(me, "httpx")

    def ask(who: Actor, query: str, **variables: Any) -> Answer:
        return who.send("POST", "/graphql", 200, body={"query": query, "variables": variables})

    save = UPDATE.format("Draft")
    ask(me, LIST)
    turn = ask(me, ONE, id="dr-1").json["data"]["draft"]["revision"]
    for text in ("Am Anfang", "Am Anfang war"):
        got = ask(me, save, id="dr-1", input={"text": text, "expectedRevision": turn}).json
        turn = got["data"]["updateDraft"]["revision"]
    ask(me, ONE, id="dr-3")
    now = ask(me, ONE, id="dr-2").json["data"]["draft"]["revision"]
    texts = ("Es war einmal", "Es war einmal ein")
    calls = [{"text": one, "expectedRevision": now} for one in texts]
    first, late = place.together(
        lambda: ask(me, save, id="dr-2", input=calls[0]),
        lambda: ask(second, save, id="dr-2", input=calls[1]),
        apart=0.2,
    )
    place.holds(
        "errors" not in first.json and late.json["errors"][0]["extensions"]["code"] == "REVISION_CONFLICT"
    )
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
    rows = {
        f"/contracts/{n}": {"party": p, "sum": 1000 * n, "number": None}
        for n, p in enumerate(("Voss", "Ito"), 7)
    }
    box = Ledger(rows)
    text = {"melding": "Revisie {sent} is niet meer de laatste (nu {now}, door {by}).", "code": "REV"}
    desk = Desk(box, "path", "revision", stale=(409, text))

    def rule(path: str, rec: Rec) -> None:
        if rec.by != "regelmachine":
            box.merge(path, "regelmachine", number=f"C-{rec.serial}")

    desk.hooks.append(rule)
    server = place.house(stage, desk, "contracten", "waitress")
    me = stage.actor("client", server, "contracten.notaris.test", "node:fetch", {"X-User": "j.bos"})
    place.glance(me, ["/contracts", "/contracts/8"], 5, 235)
    seen = me.get("/contracts/7").json
    made = me.put(f"/contracts/7/{seen['revision']}", {**seen, "sum": 7200}, 200).json
    place.pause(0.7)
    me.put(f"/contracts/7/{made['revision']}", {**made, "party": "Voss & Zn"}, 409)
    now = me.get("/contracts/7").json
    place.holds(
        now["changedBy"] == "regelmachine" and now["sum"] == 7200 and now["revision"] == made["revision"] + 1
    )
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
    for key in ("302", "304"):
        me.put(f"/api/rows/{key}", {**items[key], "cajas": 30}, 200)
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
    for number in (84, 81, 82, 83):
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
