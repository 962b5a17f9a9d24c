"""Stories in which nothing is wrong."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.cal_books import Books, stamp
from tools.recording_apis.apps.vic_core import Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import cal_setting as place
from tools.recording_apis.stories.cal_desks import ask, bookings
from tools.recording_apis.stories.cal_offices import akten, stand_of

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d471",
    "cal-zotero-library-kept-in-step",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A reference manager keeps a Zotero library (imitation) in step: If-Modified-Since-Version gives 304 or what is "
        "new, and each write carries the library version of the answer before it; all are stored."
    ),
)
def zotero(stage: Stage) -> None:
    """Keep a library in step."""
    books = Books({n: {"itemType": "book", "title": f"Title {n}"} for n in ("AB12", "CD34")})
    count = itertools.count(2041)
    now = [next(count)]
    seen: dict[str, int] = dict.fromkeys(books.rows, 2035)

    def told(status: int, body: Any = b"") -> Res:
        return Res(status, body, {"Last-Modified-Version": str(now[0]), "Zotero-API-Version": "3"})

    @books.on("GET", "/users/77/items")
    def listing(req: Req) -> Res:
        since = int(req.fields.get("if-modified-since-version", "0"))
        if since >= now[0]:
            return told(304)
        changed = [key for key, version in seen.items() if version > int(req.query.get("since", "0"))]
        return told(
            200, [{"key": key, "version": seen[key], "data": books.rows[key].data} for key in changed]
        )

    @books.on("PATCH", "/users/77/items/(\\w+)")
    def patch(req: Req, key: str) -> Res:
        if req.fields["if-unmodified-since-version"] != str(now[0]):
            return told(412, f"Library has been modified since specified version (expected {now[0]})")
        now[0] = seen[key] = next(count)
        books.keep(key, {**books.rows.get(key, books.rows["AB12"]).data, **req.json})
        return told(204)

    server = place.open_box(stage, books, "cheroot", "Zotero")
    me = stage.actor("client", server, "api.references.test", "requests", {"Zotero-API-Version": "3"})
    version = me.get("/users/77/items").fields["last-modified-version"]
    for key, title in (("AB12", "Peatlands"), ("CD34", "Mosses"), ("AB12", "Peatlands, 2nd ed.")):
        me.get(f"/users/77/items?since={version}", 304, {"If-Modified-Since-Version": version})
        done = me.send(
            "PATCH", f"/users/77/items/{key}", 204, {"If-Unmodified-Since-Version": version}, {"title": title}
        )
        version = done.fields["last-modified-version"]
        place.rest(0.3)
    me.get("/users/77/items?since=2041", 200)
    me.get(f"/users/77/items?since={version}", 304, {"If-Modified-Since-Version": version})


@case(
    "d491",
    "cal-search-documents-by-sequence",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A job corrects documents of an Elasticsearch index (imitation): one is made by _create where none was, each "
        "change names if_seq_no and if_primary_term of the latest answer, and every one is taken."
    ),
)
def sequences(stage: Stage) -> None:
    """Chain sequence numbers."""
    books = Books({"n7": {"sku": "n7", "stock": 3}, "n8": {"sku": "n8", "stock": 14}})
    count = itertools.count(912)
    seqs: dict[str, int] = {key: next(count) for key in books.rows}

    def told(key: str, result: str, status: int) -> Res:
        doc = {"_index": "stock", "_id": key, "_version": books.rows[key].rev, "result": result}
        return Res(status, {**doc, "_seq_no": seqs[key], "_primary_term": 2})

    @books.on("GET", "/stock/_doc/(\\w+)")
    def read(_req: Req, key: str) -> Res:
        if key not in books.rows:
            return Res(404, {"_index": "stock", "_id": key, "found": False})
        res = told(key, "", 200)
        res.body = {
            **{k: v for k, v in res.body.items() if k != "result"},
            "found": True,
            "_source": books.rows[key].data,
        }
        return res

    @books.on("PUT", "/stock/_(?:doc|create)/(\\w+)")
    def write(req: Req, key: str) -> Res:
        want, made = req.query.get("if_seq_no"), key not in books.rows
        if (want is None and not made) or (want is not None and want != str(seqs[key])):
            return Res(409, {"error": {"type": "version_conflict_engine_exception"}, "status": 409})
        books.keep(key, req.json)
        seqs[key] = next(count)
        return told(key, "created" if made else "updated", 201 if made else 200)

    server = place.open_box(stage, books, "tornado", "Elasticsearch")
    me = stage.actor("client", server, "search.shop.test", "aiohttp", {"User-Agent": "stock-fix/1"})
    me.get("/stock/_doc/n9", 404)
    me.put("/stock/_create/n9", {"sku": "n9", "stock": 0}, 201)
    for key in ("n7", "n9", "n8"):
        seen = me.get(f"/stock/_doc/{key}").json
        for more in (1, 5):
            url = f"/stock/_doc/{key}?if_seq_no={seen['_seq_no']}&if_primary_term={seen['_primary_term']}"
            seen = me.put(url, {"sku": key, "stock": more}, 200).json
            place.rest(0.2)
    place.sure(me.get("/stock/_doc/n8").json["_source"]["stock"] == 5)


@case(
    "d475",
    "cal-hausverwaltung-one-after-the-other",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two clerks change flats of a property manager one after the other; each opens the form anew, posts its hidden state "
        "within the minute, and finds what the other has entered."
    ),
)
def in_turn(stage: Stage) -> None:
    """Post forms in turn."""
    server = place.open_box(stage, akten(61), "flask")
    me = stage.actor("client", server, "verwaltung.wohnbau.test", "requests", {"X-Benutzer": "S. Petersen"})
    other = stage.actor("other", server, "verwaltung.wohnbau.test", "httpx", {"X-Benutzer": "M. Weber"})
    me.get("/wohnungen")
    css = me.get("/css/main.css")
    for who, rent, note in (
        (me, "840,00", "Zähler neu"),
        (other, "855,00", "Zähler neu"),
        (me, "855,00", "Zähler neu, Bad"),
    ):
        opened = who.get("/wohnungen/3b/bearbeiten").text
        place.rest(0.4)
        fields = {"stand": stand_of(opened), "mieter": "Familie Yilmaz", "miete": rent, "notiz": note}
        place.post(who, "/wohnungen/3b/bearbeiten", fields)
        who.get("/wohnungen/3b")
    me.get("/css/main.css", 304, {"If-None-Match": css.etag})
    place.sure("855,00" in me.get("/wohnungen/3b").text)


@case(
    "d472",
    "cal-graphql-board-with-revisions",
    "none",
    "healthy",
    alone="none",
    description=(
        "A board of repairs is polled over GraphQL and its cards are moved with the revision of the latest answer; a "
        "colleague moves other cards in between, and all mutations are taken."
    ),
)
def board(stage: Stage) -> None:
    """Move cards with their revisions."""
    books = Books({n: {"titel": f"Reparatie {n}", "kolom": "nieuw"} for n in ("R1", "R2", "R3")}, 4)

    def card(key: str) -> dict[str, Any]:
        return {"id": key, "revisie": books.rows[key].rev, **books.rows[key].data}

    @books.on("POST", "/graphql")
    def graphql(req: Req) -> Res:
        given = req.json["variables"]
        if "verplaats" not in req.json["query"]:
            return Res(200, {"data": {"kaarten": [card(key) for key in books.rows]}})
        if given["revisie"] != books.rows[given["id"]].rev:
            return Res(200, {"data": None, "errors": [{"message": "De kaart is gewijzigd"}]})
        books.keep(given["id"], {**books.rows[given["id"]].data, "kolom": given["kolom"]})
        return Res(200, {"data": {"verplaats": card(given["id"])}})

    server = place.open_box(stage, books, "starlette")
    me = stage.actor("client", server, "bord.werkplaats.example", "node:fetch", {"X-User": "joost"})
    other = stage.actor("other", server, "bord.werkplaats.example", "requests", {"X-User": "fenna"})
    poll = {
        "operationName": "Kaarten",
        "query": "query Kaarten { kaarten { id revisie titel kolom } }",
        "variables": {},
    }
    move = "mutation Verplaats($id: ID!, $revisie: Int!, $kolom: String!) { verplaats(id: $id, revisie: $revisie, kolom: $kolom) { id revisie kolom } }"
    for who, key, column in (
        (me, "R1", "bezig"),
        (other, "R2", "bezig"),
        (me, "R1", "klaar"),
        (me, "R3", "bezig"),
    ):
        cards = who.send("POST", "/graphql", 200, None, poll).json["data"]["kaarten"]
        held = next(one["revisie"] for one in cards if one["id"] == key)
        given = {"id": key, "revisie": held, "kolom": column}
        sent = {"operationName": "Verplaats", "query": move, "variables": given}
        place.sure("errors" not in who.send("POST", "/graphql", 200, None, sent).json)
        place.rest(0.3)
    place.usual(books, me, "/assets/bord.4f1.js", "/mij")
    for _ in range(3):
        place.rest(0.4)
        me.send("POST", "/graphql", 200, None, poll)


@case(
    "d480",
    "cal-edit-session-opened-and-closed",
    "none",
    "healthy",
    alone="none",
    description=(
        "A translator opens an edit session on a text, sends drafts that count up, keeps the session alive, commits on the "
        "base version that it was opened on, and closes; then the same with the next text."
    ),
)
def session(stage: Stage) -> None:
    """Edit in a session."""
    books = Books({n: {"text": f"Segment {n}", "state": "open"} for n in ("seg-1", "seg-2")}, 3)
    opened: dict[str, dict[str, Any]] = {}
    count = itertools.count(0x6E1)

    @books.on("POST", "/segments/([\\w-]+)/sessions")
    def start(_req: Req, key: str) -> Res:
        name = f"es-{next(count):x}"
        opened[name] = {"session": name, "segment": key, "baseVersion": books.rows[key].rev, "draft": 0}
        return Res(201, {**opened[name], "text": books.rows[key].data["text"], "expiresIn": 120})

    @books.on("PUT", "/sessions/([\\w-]+)/draft")
    def draft(req: Req, name: str) -> Res:
        if req.json["draft"] != opened[name]["draft"] + 1:
            return Res(409, {"error": "draft out of order"})
        opened[name].update(draft=req.json["draft"], text=req.json["text"])
        return Res(200, {"session": name, "draft": req.json["draft"], "savedAt": stamp(books.clock())})

    @books.on("POST", "/sessions/([\\w-]+)/(keepalive|commit)")
    def step(req: Req, name: str, what: str) -> Res:
        one = opened[name]
        if what == "keepalive":
            return Res(200, {"session": name, "expiresIn": 120})
        if req.json["baseVersion"] != books.rows[one["segment"]].rev:
            return Res(409, {"error": "segment was changed"})
        doc = books.keep(one["segment"], {"text": one["text"], "state": "done"})
        return Res(200, {"segment": one["segment"], "version": doc.rev})

    @books.on("DELETE", "/sessions/([\\w-]+)")
    def close(_req: Req, name: str) -> Res:
        del opened[name]
        return Res(204)

    books.on("GET", "/segments")(
        lambda _req: Res(200, {"segments": [{"id": key, **doc.data} for key, doc in books.rows.items()]})
    )
    server = place.open_box(stage, books, "falcon")
    me = stage.actor("client", server, "cat.translate.test", "node:axios", {"X-User": "irena"})
    me.get("/segments")
    for key, drafts in (("seg-1", 3), ("seg-2", 2)):
        made = me.send("POST", f"/segments/{key}/sessions", 201).json
        for number in range(1, drafts + 1):
            me.put(f"/sessions/{made['session']}/draft", {"draft": number, "text": f"Úsek {number}"}, 200)
            place.rest(0.3)
        me.send("POST", f"/sessions/{made['session']}/keepalive", 200)
        me.send(
            "POST", f"/sessions/{made['session']}/commit", 200, None, {"baseVersion": made["baseVersion"]}
        )
        me.send("DELETE", f"/sessions/{made['session']}", 204)
    me.get("/segments")


@case(
    "d476",
    "cal-batches-of-meter-readings",
    "none",
    "healthy",
    alone="none",
    description=(
        "A utility's collector sends readings in batches whose items carry the version of each meter as last told; all "
        "items are applied, the meters' list is polled with its tag, and a new meter is created where none was."
    ),
)
def readings(stage: Stage) -> None:
    """Send batches with a version per item."""
    books = Books({f"m{n}": {"meter": f"m{n}", "kwh": 100 * n} for n in (1, 2, 3)}, 20)

    def rows() -> list[dict[str, Any]]:
        return [{**doc.data, "version": doc.rev} for doc in books.rows.values()]

    @books.on("GET", "/meters")
    def listing(req: Req) -> Res:
        tag = f'"{sum(doc.rev for doc in books.rows.values()):x}-{len(books.rows)}"'
        same = req.fields.get("if-none-match") == tag
        return Res(304 if same else 200, b"" if same else {"meters": rows()}, {"ETag": tag})

    @books.on("POST", "/readings/batch")
    def many(req: Req) -> Res:
        told = []
        for one in req.json["items"]:
            doc = books.rows.get(one["meter"])
            fits = (doc.rev if doc else 0) == one["version"]
            new = books.keep(one["meter"], {"meter": one["meter"], "kwh": one["kwh"]}) if fits else doc
            told.append({"meter": one["meter"], "applied": fits, "version": new.rev if new else 0})
        return Res(200, {"items": told})

    server = place.open_box(stage, books, "waitress")
    me = stage.actor("client", server, "readings.utility.test", "httpx", {"User-Agent": "collector/12"})
    got = me.get("/meters")
    versions = {one["meter"]: one["version"] for one in got.json["meters"]}
    me.get("/meters", 304, {"If-None-Match": got.etag})
    versions["m4"] = 0
    for turn in range(4):
        items = [{"meter": name, "version": held, "kwh": 400 + 10 * turn} for name, held in versions.items()]
        told = me.send("POST", "/readings/batch", 200, None, {"items": items}).json["items"]
        place.sure(all(one["applied"] for one in told))
        versions = {one["meter"]: one["version"] for one in told}
        place.rest(0.3)
    place.usual(books, me, "/tariffs", "/areas/12/outages")
    last = me.get("/meters")
    me.get("/meters", 304, {"If-None-Match": last.etag})


@case(
    "d511",
    "cal-soap-bookings-in-order",
    "none",
    "healthy",
    alone="none",
    description=(
        "A front desk changes bookings over SOAP with the RowVersion of the latest answer, its own or a read one after a "
        "colleague at the other desk has changed them; each update is taken."
    ),
)
def inn(stage: Stage) -> None:
    """Update bookings with their row versions."""
    server = place.open_box(stage, bookings(30), "bottle")
    me = stage.actor("client", server, "soap.inn.test", "urllib", {"User-Agent": "FrontDesk/2.2 (west)"})
    other = stage.actor("other", server, "soap.inn.test", "httpx", {"User-Agent": "FrontDesk/2.2 (east)"})
    held = ask(me, "GetBooking", Id="B-70")["RowVersion"]
    for nights in (3, 4):
        held = ask(me, "UpdateBooking", Id="B-70", Nights=nights, RowVersion=held)["RowVersion"]
        place.rest(0.3)
    theirs = ask(other, "GetBooking", Id="B-70")
    ask(other, "UpdateBooking", Id="B-70", Guest="Ferreira, Lia", RowVersion=theirs["RowVersion"])
    place.rest(0.6)
    now = ask(me, "GetBooking", Id="B-70")
    place.sure((now["Guest"], now["Nights"]) == ("Ferreira, Lia", "4"))
    ask(me, "UpdateBooking", Id="B-70", Nights=5, RowVersion=now["RowVersion"])
    for booking in ("B-71", "B-72"):
        row = ask(me, "GetBooking", Id=booking)
        place.rest(0.2)
        ask(me, "UpdateBooking", Id=booking, Guest="Ferreira group", RowVersion=row["RowVersion"])
    ask(me, "GetBooking", Id="B-70")
    ask(other, "GetBooking", Id="B-70")
