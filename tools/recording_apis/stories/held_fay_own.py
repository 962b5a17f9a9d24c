"""Stories on services of small houses, with versions in places of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.fay_core import Call, Item, Reply, Vault, shelf
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_fay_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e441",
    "fay-tariff-job-touches-what-was-saved",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "A ferry line's booking desk saves a booking with the tag it read; half a second later the service's own fare "
        "job fills in the price and counts the version up. The desk's next save, with the tag of its own answer, is "
        "refused; the booking differs in what the job wrote (setBy: fare-job)."
    ),
)
def ferry(stage: Stage) -> None:
    """Save, and be overtaken by the service's own job."""
    rows = {f"/bookings/{n}": {"id": n, "cars": 1, "route": "HEL-TLL", "fare": None} for n in (880, 881)}
    rows |= {f"/ships/{n}": {"id": n, "deck": 3 + n} for n in (1, 2)}
    job = {"under": "/bookings/", "ms": 500, "sets": {"fare": 64.5, "setBy": "fare-job"}}
    server = place.depot(stage, rows, {"tags": "sum", "job": job, "says": {"e": "stale"}})
    me = stage.actor("client", server, "desk.lautta.example", "java")
    me.send("POST", "/session", 200, {}, {"user": "desk2"})
    place.round_of(me, "/ships", "/ships/1")
    for number in (881, 880):
        seen = me.get(f"/bookings/{number}")
        new = me.put(f"/bookings/{number}", {**seen.json, "cars": 2}, 200, {"If-Match": seen.etag})
        me.get("/ships/2")
        place.wait(1.1)
        me.put(f"/bookings/{number}", {**new.json, "cabin": "B4"}, 412, {"If-Match": new.etag})
        place.sure(me.get(f"/bookings/{number}").json["setBy"] == "fare-job")


@case(
    "e444",
    "fay-change-without-its-number",
    "token-missing",
    "400",
    alone="token-missing",
    description=(
        "A land registry's service wants the running number (Folgezahl) of an entry with each change; a new form "
        "sends changes without it and gets 400 with a short word in German; the older form sends it and is served."
    ),
)
def registry(stage: Stage) -> None:
    """Leave out the number that the service asks for."""
    rows = shelf(
        "/blatt",
        *((f"{n}", {"gemarkung": "Au", "flaeche": 300 + n, "last": []}) for n in (14, 15, 19)),
        rev=61,
    )
    needs = (400, {"code": "GB-07", "text": "Folgezahl fehlt"})
    vault = Vault(
        rows,
        lambda item: item.rev,
        "field folgezahl",
        (409, {"code": "GB-11", "text": "Folgezahl veraltet"}),
        needs,
    )
    server = place.house(stage, vault, "flask")
    me = stage.actor("client", server, "grundbuch.au.example", "httpx")
    me.get("/blatt")
    seen = me.get("/blatt/14")
    me.put("/blatt/14", {**seen.json, "last": ["Weg"]}, 200)
    seen = me.get("/blatt/19")
    me.send("PATCH", "/blatt/19", 400, {}, {"last": ["Leitung"]})
    place.wait(0.7)
    me.send("PATCH", "/blatt/19", 400, {}, {"last": ["Leitung"], "flaeche": 319})
    me.get("/blatt/15")
    place.sure(me.get("/blatt/19").json == seen.json)


@case(
    "e452",
    "fay-revision-is-the-word-undefined",
    "null-token",
    "lost-update",
    alone="null-token",
    description=(
        "A clinic's web form sends its revision in the query; after a rename in the script it is the word undefined, "
        "which the service cannot read as a number and then leaves unchecked: a pharmacist's stop is overwritten."
    ),
)
def doses(stage: Stage) -> None:
    """Send a word for a number, and be let through."""

    class Lax(Vault):
        def sent(self, call: Call) -> object:
            brought = call.query.get("rev")
            return brought if brought and brought.isdigit() else None

    rows = shelf(
        "/orders", *((f"o{n}", {"drug": "heparin", "ml": n, "stop": None}) for n in (3, 5, 8)), rev=12
    )
    server = place.house(stage, Lax(rows, lambda item: item.rev, "query rev", (409, "")), "pyramid")
    me = stage.actor("client", server, "ward.klinik.test", "node:fetch", {"Accept": "application/json"})
    him = stage.actor("other", server, "ward.klinik.test", "requests")
    me.get("/orders")
    seen = me.get("/orders/o3")
    me.put("/orders/o3?rev=undefined", {"drug": "heparin", "ml": 4, "stop": None}, 200)
    seen = me.get("/orders/o5")
    his = him.get("/orders/o5").json
    him.put(f"/orders/o5?rev={his['rev']}", {"drug": "heparin", "ml": 5, "stop": "2026-11-28T15:00"}, 200)
    place.wait(0.8)
    me.get("/orders/o8")
    place.sure(me.get("/orders").json[1]["rev"] == seen.json["rev"] + 1)
    me.put("/orders/o5?rev=undefined", {"drug": "heparin", "ml": 6, "stop": None}, 200)
    place.sure(me.get("/orders/o5").json["stop"] is None)


@case(
    "e453",
    "fay-archive-cannot-compare",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description=(
        "A tape archive's gateway answers each write that has If-Match or If-Unmodified-Since with 501, also right "
        "after a read with the tag of that read; the same write without a condition is taken."
    ),
)
def archive(stage: Stage) -> None:
    """Ask for a comparison that the gateway does not have."""

    def first(call: Call) -> Reply | None:
        name = next((one for one in ("if-match", "if-unmodified-since") if one in call.head), None)
        if name is None or call.method == "GET":
            return None
        text = f"<Error><Code>NotImplemented</Code><Header>{name}</Header></Error>"
        return Reply(501, text, {"Content-Type": "application/xml"})

    rows = shelf("/tape/T0117", *((f"{n}.meta", {"seq": n, "crc": f"{n * 7919:08x}"}) for n in (1, 2, 3)))
    server = place.house(
        stage, Vault(rows, lambda item: f'"{item.digest("md5", 32)}"', first=first), "litestar"
    )
    me = stage.actor("client", server, "gw.tapes.test", "aiohttp")
    me.get("/tape/T0117")
    for n in (2, 3):
        path = f"/tape/T0117/{n}.meta"
        seen = me.get(path)
        me.put(path, {**seen.json, "note": "shelf C"}, 501, {"If-Match": seen.etag})
        me.get(path, 304, {"If-None-Match": seen.etag})
        me.put(path, {**seen.json, "note": "shelf C"}, 501, {"If-Match": me.get(path).etag})
        place.wait(0.4)
    me.put(
        "/tape/T0117/3.meta",
        {**seen.json, "note": "shelf C"},
        501,
        {"If-Unmodified-Since": "Sat, 28 Nov 2026 14:00:00 GMT"},
    )
    me.put("/tape/T0117/3.meta", {**seen.json, "note": "shelf C"}, 200)


@case(
    "e454",
    "fay-two-hundred-and-not-stored",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch",
    also="other-writer",
    description=(
        "A glass works' recipe service says 200 with done: 0 and the version it holds when the version in the body is "
        "old. The desk takes 200 for stored and goes on; its read half an hour later has the colleague's mixture only."
    ),
)
def glass(stage: Stage) -> None:
    """Take a refusal for a success."""
    rows = {f"/rezepte/{n}": {"glas": n, "sand": 70, "soda": 14} for n in ("K5", "F2", "opal")}
    server = place.depot(
        stage, rows, {"field": "stand", "refused": 200, "says": {"done": 0, "why": "stand"}}, 410
    )
    me = stage.actor("client", server, "rezepte.huette.example", "requests")
    him = stage.actor("other", server, "rezepte.huette.example", "node:axios")
    me.send("POST", "/session", 200, {}, {"desk": 3})
    me.get("/rezepte")
    seen, opal = me.get("/rezepte/K5"), me.get("/rezepte/opal")
    his = him.get("/rezepte/K5")
    him.put("/rezepte/K5", {**his.json, "soda": 15}, 200)
    me.put("/rezepte/opal", {**opal.json, "fluor": 2}, 200)
    place.wait(0.6)
    told = me.put("/rezepte/K5", {**seen.json, "sand": 68, "kalk": 9}, 200)
    place.sure(told.json["done"] == 0)
    me.get("/rezepte/F2")
    place.wait(1.2)
    place.sure("kalk" not in me.get("/rezepte/K5").json)
    me.get("/rezepte")


@case(
    "e458",
    "fay-tag-of-the-table-for-the-form",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A quarry's plan has a tag for its CSV and one for its JSON. The surveyor's sheet reads CSV and writes JSON "
        "under the CSV's tag: refused, though nobody else writes; under the tag of the JSON the next plan goes in."
    ),
)
def quarry(stage: Stage) -> None:
    """Guard one representation with the tag of another."""

    def shows(call: Call, item: Item, reply: Reply) -> Reply:
        head = {**reply.head, "Vary": "Accept"}
        if "csv" not in call.head.get("accept", ""):
            return Reply(200, reply.content, head)
        text = "".join(f"{name};{value}\n" for name, value in item.data.items())
        return Reply(
            200, text, {**head, "ETag": f'"{item.digest("sha256", 8)}-t"', "Content-Type": "text/csv"}
        )

    rows = shelf(
        "/plans", *((f"q{n}", {"bench": n, "depth": 12.5 + n, "stone": "basalt"}) for n in (1, 2, 3)), rev=8
    )
    server = place.house(
        stage,
        Vault(rows, lambda item: f'"{item.digest("sha256", 8)}"', shows=shows, refuses=(412, "")),
        "pyramid",
    )
    me = stage.actor("client", server, "plans.quarry.test", "urllib")
    table = {"Accept": "text/csv"}
    me.get("/plans")
    seen = me.get("/plans/q2", 200, table)
    me.put("/plans/q2", {"bench": 2, "depth": 15.1, "stone": "basalt"}, 412, {"If-Match": seen.etag})
    again = me.get("/plans/q2", 200, table)
    place.sure(again.etag == seen.etag)
    me.put("/plans/q2", {"bench": 2, "depth": 15.1, "stone": "basalt"}, 412, {"If-Match": again.etag})
    me.get("/plans/q2", 200, {"Accept": "application/json"})
    form = me.get("/plans/q3", 200, {"Accept": "application/json"})
    me.put("/plans/q3", {**form.json, "depth": 16.0}, 200, {"If-Match": form.etag})


@case(
    "e463",
    "fay-one-name-two-members",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "A rowing club's import changes members by a search in the query (name and birth year) instead of an id; one "
        "pair of values is there twice, and that line of the import is refused, before and after a wait."
    ),
)
def rowers(stage: Stage) -> None:
    """Aim a change at a search that finds two."""
    people = [
        ("a1", "Ines Roth", 1990),
        ("a2", "Jan Vos", 1984),
        ("b7", "Jan Vos", 1984),
        ("c3", "Ugo Neri", 2001),
    ]

    def first(call: Call) -> Reply | None:
        if call.path == "/login":
            return Reply(200, {"as": "import", "until": "16:00"})
        if call.path != "/members" or not call.query:
            return None
        want = (call.query.get("name"), call.query.get("born"))
        found = [path for path, one in rows.items() if (one.data["name"], str(one.data["born"])) == want]
        if call.method == "GET":
            return Reply(200, {"total": len(found), "ids": [path.rsplit("/", 1)[1] for path in found]})
        if len(found) != 1:
            return Reply(412 if found else 404, {"matched": len(found)})
        rows[found[0]].data.update(call.json)
        rows[found[0]].rev += 1
        return Reply(200, rows[found[0]].data)

    rows = shelf(
        "/members", *((key, {"name": name, "born": born, "boat": None}) for key, name, born in people)
    )
    server = place.house(stage, Vault(rows, lambda item: f'"{item.rev}"', first=first), "flask")
    me = stage.actor("client", server, "club.rowing.example", "httpx")
    me.send("POST", "/login", 200, {}, {"user": "import"})
    me.get("/members/c3")
    me.send("PATCH", "/members?name=Ines+Roth&born=1990", 200, {}, {"boat": "Ida"})
    me.send("PATCH", "/members?name=Jan+Vos&born=1984", 412, {}, {"boat": "Ida"})
    me.send("PATCH", "/members?name=Ugo+Neri&born=2001", 200, {}, {"boat": "Lux"})
    place.wait(0.8)
    me.send("PATCH", "/members?name=Jan+Vos&born=1984", 412, {}, {"boat": "Ida"})
    place.sure(me.get("/members?name=Jan+Vos&born=1984").json["total"] == 2)
    round_: list[Any] = [me.get(f"/members/{key}") for key in ("a2", "b7")]
    place.sure(len(round_) == 2)


@case(
    "e464",
    "fay-same-number-with-longer-waits",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A cinema's sign software sends one change four times with the same number of state after 409, waiting longer "
        "each time, and reads only afterwards."
    ),
)
def cinema(stage: Stage) -> None:
    """Repeat what cannot pass."""
    rows = {f"/saal/{n}": {"film": f"Film {n}", "zeit": "20:15"} for n in (1, 2, 3)}
    server = place.depot(stage, rows, {"field": "v", "refused": 409, "says": {"v": "old"}}, 7)
    me = stage.actor("client", server, "sign.kino.example", "aiohttp")
    him = stage.actor("other", server, "sign.kino.example", "curl")
    me.get("/up")
    me.get("/saal")
    seen = me.get("/saal/2")
    me.get("/saal/1")
    him.send("PATCH", "/saal/2", 200, {}, {"zeit": "21:00", "v": him.get("/saal/2").json["v"]})
    for gap in (0.3, 0.6, 1.2, 0.0):
        me.send("PATCH", "/saal/2", 409, {}, {"film": "Vertigo", "v": seen.json["v"]})
        me.get("/up")
        place.wait(gap)
    me.get("/saal/3")
    place.sure(me.get("/saal/2").json["film"] != "Vertigo")


@case(
    "e470",
    "fay-one-number-for-the-whole-price-book",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    description=(
        "A paint shop's service has one Book-Version for all its colours. A change of one colour under the number that "
        "came with it is refused when another colour was changed meanwhile; the colour itself is as it was read."
    ),
)
def paints(stage: Stage) -> None:
    """Be refused because a neighbour was changed."""
    book = {"n": 233}

    def counted(_call: Call, _item: Item) -> None:
        book["n"] += 1

    rows = shelf(
        "/colours",
        *((name, {"name": name, "eur": 20 + len(name)}) for name in ("ocker", "umbra", "siena", "kobalt")),
    )
    vault = Vault(
        rows,
        lambda _item: book["n"],
        "head Book-Version",
        (412, {"book": "moved"}),
        after=counted,
        echo=False,
        wrote=204,
    )
    server = place.house(stage, vault, "aiohttp")
    me = stage.actor("client", server, "book.farben.test", "requests")
    him = stage.actor("other", server, "book.farben.test", "node:fetch")
    me.get("/colours")
    seen = me.get("/colours/umbra")
    for name, price in (("siena", 31), ("kobalt", 77)):
        got = him.get(f"/colours/{name}")
        him.put(
            f"/colours/{name}", {**got.json, "eur": price}, 204, {"Book-Version": got.fields["book-version"]}
        )
    place.wait(0.7)
    me.get("/colours/ocker")
    me.put("/colours/umbra", {**seen.json, "eur": 27}, 412, {"Book-Version": seen.fields["book-version"]})
    place.sure(me.get("/colours/umbra").json == seen.json)
    me.get("/colours")


@case(
    "e479",
    "fay-list-of-tags-taken-for-one",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "A text store under WEBrick compares the whole If-Match field with the tag: a puppet theatre's program that "
        "names both tags it would accept, and one that sends *, are refused although the text is there and one of the "
        "two tags is its own; with that tag alone the same text goes in."
    ),
)
def puppets(stage: Stage) -> None:
    """Send a list and a star to a server that knows neither."""
    texts = {f"/stuk/{name}.txt": f"{name.upper()}\nbedrijf 1\n" for name in ("jan", "katrijn", "duivel")}
    server = place.mill(stage, texts, "literal")
    me = stage.actor("client", server, "stuk.poppen.example", "java", {"Content-Type": "text/plain"})
    me.get("/stuk")
    place.round_of(me, "/stuk/duivel.txt")
    one = me.get("/stuk/jan.txt")
    new = me.put("/stuk/jan.txt", one.text + "bedrijf 2\n", 204, {"If-Match": one.etag})
    both = f"{one.etag}, {new.etag}"
    me.put("/stuk/jan.txt", one.text + "bedrijf 3\n", 412, {"If-Match": both})
    place.sure(me.get("/stuk/jan.txt").etag == new.etag)
    me.put("/stuk/jan.txt", one.text + "bedrijf 3\n", 412, {"If-Match": "*"})
    me.get("/stuk/katrijn.txt")
    me.put("/stuk/jan.txt", one.text + "bedrijf 3\n", 204, {"If-Match": new.etag})
