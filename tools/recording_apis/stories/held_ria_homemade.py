"""Applications that people write themselves: versions in forms, queries, envelopes, bodies and headers."""

from __future__ import annotations

import html
import time
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ria_desk import Desk, revision
from tools.recording_apis.apps.ria_ground import Ask, Reply, serve
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.ria_setting import arrive, linger, need, rest

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_HTML = {"Content-Type": "text/html; charset=utf-8"}


@case(
    "b870",
    "ria-form-with-a-lock-version",
    "other-writer",
    "409",
    alone="other-writer",
    description=(
        "An office form carries lock_version 4 in a hidden field. While it is open a colleague saves the same case; "
        "the POST is answered 409 with a German page that names her, and the form opened anew shows her text."
    ),
)
def form(stage: Stage) -> None:
    """Post a form that was overtaken."""
    record: dict[str, Any] = {
        "lock_version": 4,
        "betreff": "Baumfällung Lindenweg",
        "frist": "2026-12-10",
        "von": "Hr. Thoma",
    }

    def page(title: str, inner: str) -> str:
        return (
            f"<!doctype html><html lang=de><title>{title}</title><body><h1>{title}</h1>{inner}</body></html>"
        )

    def handle(ask: Ask) -> Reply:
        if ask.method == "GET":
            if not ask.path.endswith("bearbeiten"):
                return Reply(200, page("Vorgänge", "<a href=/vorgaenge/77/bearbeiten>77</a>"), dict(_HTML))
            inner = "".join(f"<input name={k} value='{html.escape(str(v))}'>" for k, v in record.items())
            return Reply(
                200,
                page("Vorgang 77", f"<form method=post>{inner}<button>Speichern</button></form>"),
                dict(_HTML),
            )
        sent = ask.form
        if sent["lock_version"] != str(record["lock_version"]):
            words = (
                f"<p>Der Vorgang wurde zwischenzeitlich von {record['von']} gespeichert. Bitte neu laden.</p>"
            )
            return Reply(409, page("Konflikt", words), dict(_HTML))
        record.update(sent, lock_version=record["lock_version"] + 1)
        return Reply(303, b"", {"Location": "/vorgaenge/77"})

    front = fronts.nginx(stage, serve(stage, handle, "flask"))
    me = stage.actor("client", front, "vorgang.rathaus.test", "requests", {"Cookie": "sid=thoma-1", **_FORM})
    other = stage.actor("other", front, "vorgang.rathaus.test", "urllib", {"Cookie": "sid=yilmaz-4", **_FORM})
    me.get("/vorgaenge")
    me.get("/vorgaenge/77/bearbeiten")
    other.get("/vorgaenge/77/bearbeiten")
    theirs = "lock_version=4&betreff=Baumf%C3%A4llung+Lindenweg+9&frist=2026-12-10&von=Fr.+Yilmaz"
    other.send("POST", "/vorgaenge/77/bearbeiten", (303, 200), None, theirs)
    rest(1.2)
    mine = "lock_version=4&betreff=Baumf%C3%A4llung+Lindenweg&frist=2026-12-17&von=Hr.+Thoma"
    me.send("POST", "/vorgaenge/77/bearbeiten", 409, None, mine)
    need("Yilmaz" in me.get("/vorgaenge/77/bearbeiten").text, "another hand")


@case(
    "b873",
    "ria-order-total-is-counted-by-the-service",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "A till adds a line to an order; the service recomputes the order's total and counts its revision on "
        "(changed_by system:pricing). The till's change of the delivery date with the order's old revision is refused."
    ),
)
def total(stage: Stage) -> None:
    """Change a thing that one's own linked write has moved."""

    class Orders(Desk):
        """Recompute an order's total when a line is added."""

        def write(self, path: str, ask: Ask) -> Reply:
            if not path.endswith("/lines"):
                return super().write(path, ask)
            order = path.removesuffix("/lines")
            line = ask.json
            total = round(self.docs[order]["total"] + line["qty"] * line["price"], 2)
            self.store(order, {**self.docs[order], "total": total, "changed_by": "system:pricing"})
            return Reply(
                201, {"line": self.version[order], **line}, {"Location": f"{path}/{self.version[order]}"}
            )

    order = {
        "number": 5512,
        "customer": "Café Mokka",
        "deliver": "2026-12-01",
        "total": 0.0,
        "changed_by": "till-2",
    }
    desk = Orders({"/orders/5512": order, "/orders/5513": {**order, "number": 5513}}, tag=revision, first=6)
    me = stage.actor(
        "client", serve(stage, desk, "tornado"), "pos.roesterei.test", "aiohttp", {"X-Till": "till-2"}
    )
    arrive(me)
    me.get("/orders")
    seen = me.get("/orders/5512")
    for sku, price in (("espresso-1kg", 18.9), ("filter-100", 4.2)):
        me.send("POST", "/orders/5512/lines", 201, None, {"sku": sku, "qty": 2, "price": price})
        rest(0.3)
    me.put("/orders/5512", {**seen.json, "deliver": "2026-12-03"}, 412, {"If-Match": seen.etag})
    now = me.get("/orders/5512")
    need(now.json["changed_by"] == "system:pricing", "another hand")
    linger(me)
    me.put(
        "/orders/5512",
        {**now.json, "deliver": "2026-12-03", "changed_by": "till-2"},
        200,
        {"If-Match": now.etag},
    )


@case(
    "b875",
    "ria-closed-file-admits-no-change",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A Spanish land office answers 412 to a resolution on a closed file ('El expediente está cerrado'), whatever "
        "is sent and without any condition; the resolution on an open file is stored."
    ),
)
def closed(stage: Stage) -> None:
    """Be refused by a rule of business."""
    files = {"2291": "cerrado", "2292": "abierto"}

    def handle(ask: Ask) -> Reply:
        number = ask.path.split("/")[2] if ask.path.count("/") > 1 else ""
        if ask.method == "GET":
            found: object = {"numero": number, "estado": files[number]} if number else sorted(files)
            return Reply(200, found)
        if files[number] == "cerrado":
            words = f"El expediente {number} está cerrado desde el 20/11/2026 y no admite resoluciones"
            return Reply(412, {"codigo": "EXP-ESTADO", "mensaje": words})
        return Reply(201, {"resolucion": "R-881", "numero": number})

    front = fronts.haproxy(stage, [serve(stage, handle, "aiohttp")])
    me = stage.actor("client", front, "sede.catastro.test", "httpx", {"Authorization": "Bearer of-33"})
    me.get("/expedientes")
    me.get("/expedientes/2291")
    me.send("POST", "/expedientes/2291/resoluciones", 412, None, {"texto": "Estimada"})
    rest(0.6)
    me.send("POST", "/expedientes/2291/resoluciones", 412, None, {"texto": "Estimada en parte"})
    me.send("POST", "/expedientes/2292/resoluciones", 201, None, {"texto": "Estimada"})


@case(
    "b876",
    "ria-stale-row-told-as-a-server-error",
    "status-dialect-mismatch",
    "500",
    alone="status-dialect-mismatch",
    description=(
        "A Spring application tells a stale version as 500 StaleObjectStateException. The client takes it for an "
        "outage, looks at the health page (UP), tries again, 500; the row is at the next version with the same values."
    ),
)
def stale_row(stage: Stage) -> None:
    """Take a conflict for an outage."""
    row: dict[str, Any] = {"id": 3, "version": 2, "tarif": "Nacht", "cent": 21.4, "gueltigAb": "2027-01-01"}

    def handle(ask: Ask) -> Reply:
        if ask.path.startswith("/actuator"):
            return Reply(200, {"status": "UP"})
        if ask.method == "GET":
            return Reply(200, row)
        sent = ask.json
        if sent["version"] != row["version"]:
            words = (
                "Row was updated or deleted by another transaction (or unsaved-value mapping was incorrect)"
            )
            made = {
                "timestamp": "2026-11-27T04:26:00.000+00:00",
                "status": 500,
                "error": "Internal Server Error",
            }
            made["exception"] = "org.hibernate.StaleObjectStateException"
            return Reply(500, {**made, "message": f"{words} : [de.netz.Tarif#3]", "path": ask.path})
        row.update(sent, version=row["version"] + 1)
        return Reply(200, row)

    me = stage.actor(
        "client",
        serve(stage, handle, "tornado", "Apache-Coyote/1.1"),
        "tarif.netz.test",
        "java",
        {"X-App": "tarif-ui"},
    )
    seen = me.get("/api/tarife/3").json
    row["version"] = 3
    rest(0.5)
    for _ in range(2):
        me.put("/api/tarife/3", {**seen, "cent": 22.1}, 500)
        me.get("/actuator/health")
        rest(0.6)
    now = me.get("/api/tarife/3").json
    me.put("/api/tarife/3", {**now, "cent": 22.1}, 200)


@case(
    "b877",
    "ria-tag-through-an-html-template",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A tag reaches the client's code through a template that escapes quotes: If-Match: &quot;rev-5-...&quot;. "
        "Refused for two pages of a handbook, of which nothing changed; typed by hand with quotes it is accepted."
    ),
)
def escaped(stage: Stage) -> None:
    """Send a tag with escaped quotes."""
    page = {"title": "Abschnitt 4", "text": "Vor Arbeiten am Schaltschrank freischalten.", "state": "geprüft"}
    desk = Desk(
        {f"/handbook/p{n}": {**page, "title": f"Abschnitt {n}"} for n in (4, 5)}, tag=revision, first=5
    )
    front = fronts.traefik(stage, [serve(stage, desk, "flask")])
    me = stage.actor("client", front, "handbuch.werk.test", "urllib", {"Cookie": "hb=1f9a"})
    arrive(me)
    me.get("/handbook")
    for number in (4, 5):
        seen = me.get(f"/handbook/p{number}")
        new = {**seen.json, "state": "freigegeben"}
        me.put(f"/handbook/p{number}", new, 412, {"If-Match": html.escape(seen.etag)})
        need(me.get(f"/handbook/p{number}").etag == seen.etag, "it has moved")
        rest(0.2)
    me.put("/handbook/p5", new, 200, {"If-Match": seen.etag})


@case(
    "b878",
    "ria-edit-session-ran-out",
    "token-expired",
    "410",
    alone="token-expired",
    description=(
        "A French translation desk opens an edit session of two seconds for a text; the save after three is 410 "
        "(jeton d'édition expiré), as is a second one. With a session opened anew the text is stored."
    ),
)
def session(stage: Stage) -> None:
    """Save after the session has ended."""
    texts = {"t-14": {"fr": "Ouvrir", "de": "Öffnen"}, "t-15": {"fr": "Fermer", "de": "Schließen"}}
    sessions: dict[str, float] = {}

    def handle(ask: Ask) -> Reply:
        if ask.path == "/sessions":
            token = f"ed-{len(sessions) + 31:04x}-{time.time_ns() % 65521:04x}"
            sessions[token] = time.time() + 2
            return Reply(201, {"jeton": token, "texte": ask.json["texte"], "expire_dans": 2})
        name = ask.path.rpartition("/")[2]
        if ask.method == "GET":
            return Reply(200, texts.get(name) or list(texts))
        if sessions[ask.fields["x-jeton-edition"]] < time.time():
            return Reply(410, {"erreur": "jeton d'édition expiré", "duree": 2})
        texts[name] = ask.json
        return Reply(200, texts[name])

    me = stage.actor(
        "client", serve(stage, handle, "cheroot"), "trad.atelier.test", "requests", {"X-Utilisateur": "lea"}
    )
    me.get("/textes")
    for name, pause in (("t-15", 0.4), ("t-14", 3.0)):
        token = me.send("POST", "/sessions", 201, None, {"texte": name}).json["jeton"]
        text = me.get(f"/textes/{name}").json
        rest(pause)
        new = {**text, "fr": text["fr"] + " le dossier"}
        me.put(f"/textes/{name}", new, 200 if pause < 1 else 410, {"X-Jeton-Edition": token})
    rest(0.3)
    me.put("/textes/t-14", new, 410, {"X-Jeton-Edition": token})
    token = me.send("POST", "/sessions", 201, None, {"texte": "t-14"}).json["jeton"]
    me.put("/textes/t-14", new, 200, {"X-Jeton-Edition": token})
