"""Unseen recordings: homemade versions, and all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tools.recording_apis import fronts
from tools.recording_apis.apps.uma_core import Ask, Doc, Shelf, md5
from tools.recording_apis.apps.uma_ledger import Ledger
from tools.recording_apis.apps.uma_own import Desk, forms, graphql
from tools.recording_apis.apps.uma_words import Reply, refusals
from tools.recording_apis.stage import case
from tools.recording_apis.stories import uma_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage


@case(
    "d247",
    "two-gardeners-one-bed",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two gardeners plan one bed, whose version is a member. Refused with 409, the client's program reads the bed "
        "again, adds its plant to the list it finds there, and saves with that version; both plants stand."
    ),
)
def bed(stage: Stage) -> None:
    """Heal a conflict by adding to what is there."""
    rows = {f"/beds/{n}": {"plants": ["Salbei"], "sun": n % 2 == 0} for n in (1, 2, 3, 4)}
    text = {"error": "version_conflict", "message": "Expected version {sent}, but it is {now}."}
    server = place.house(stage, Desk(Ledger(rows), stale=(409, text)), "gardens", "waitress")
    me = stage.actor("client", server, "beds.garden.example", "requests", {"X-User": "nils"})
    other = stage.actor("other", server, "beds.garden.example", "node:fetch", {"X-User": "ines"})
    me.get("/beds")
    for bed_, plant in ((2, "Minze"), (3, "Dill")):
        seen, theirs = me.get(f"/beds/{bed_}").json, other.get(f"/beds/{bed_}").json
        other.put(f"/beds/{bed_}", {**theirs, "plants": [*theirs["plants"], "Thymian"]}, 200)
        place.pause(0.5)
        me.put(f"/beds/{bed_}", {**seen, "plants": [*seen["plants"], plant]}, 409)
        again = me.get(f"/beds/{bed_}").json
        me.put(f"/beds/{bed_}", {**again, "plants": [*again["plants"], plant]}, 200)
        me.get("/beds/4")
    last = other.get("/beds/2").json["plants"]
    place.holds(last == ["Salbei", "Thymian", "Minze"], last)


@case(
    "d248",
    "a-course-office-at-work",
    "none",
    "healthy",
    alone="none",
    description=(
        "A course office signs people up: validation errors in Dutch with 422, a 401 before the token is renewed, 404 for "
        "a course that is not there, creations, and updates with the version from each answer. No version is refused."
    ),
)
def courses(stage: Stage) -> None:
    """Meet ordinary refusals."""
    desk = Desk(
        Ledger({f"/courses/{n}": {"name": f"Cursus {n}", "people": []} for n in (5, 6)}),
        "header",
        "X-Course-Version",
    )

    def app(ask: Ask) -> Reply:
        if ask.fields.get("authorization") == "Bearer oud":
            return 401, {"WWW-Authenticate": "Bearer"}, {"fout": "Het token is verlopen."}
        if ask.method != "GET" and "people" in ask.json and not all("@" in one for one in ask.json["people"]):
            return 422, {}, {"fouten": [{"veld": "people", "melding": "is geen e-mailadres"}]}
        return desk(ask)

    server = place.house(stage, app, "cursusbeheer")
    me = stage.actor("client", server, "cursus.volkshuis.test", "java", {"X-User": "balie"})
    new = {"Authorization": "Bearer nieuw"}
    me.get("/courses", 401, {"Authorization": "Bearer oud"})
    me.get("/courses", 200, new)
    me.get("/courses/9", 404, new)
    people: list[str] = []
    version = me.get("/courses/5", 200, new).fields["x-course-version"]
    for name, expect in (
        ("an@mail.example", 200),
        ("bart", 422),
        ("bart@mail.example", 200),
        ("cas@mail.example", 200),
    ):
        body: dict[str, Any] = {"name": "Cursus 5", "people": [*people, name]}
        got = me.put("/courses/5", body, expect, {**new, "X-Course-Version": version})
        if expect == 200:
            people, version = body["people"], got.fields["x-course-version"]
        place.pause(0.2)
    me.send("POST", "/courses", 201, new, {"name": "Cursus 7", "people": []})
    me.get("/courses", 200, new)


@case(
    "d249",
    "three-dispatchers-forty-lines",
    "none",
    "healthy",
    alone="none",
    description=(
        "Three dispatchers work on trips of a bus company, each with the tags that it was shown. Where two "
        "of them meet on a trip, the later one has read after the earlier one's save; nothing is refused and nothing lost."
    ),
)
def dispatchers(stage: Stage) -> None:
    """Write a lot, side by side."""
    docs = {f"/trips/{n}": {"trip": n, "bus": n % 5, "driver": "", "note": ""} for n in range(600, 609)}
    shelf = Shelf(docs, lambda doc: f'"{doc.rev:x}-{md5(doc.body, 6)}"', refusals("it", "code"))
    front = fronts.haproxy(stage, [place.house(stage, shelf, "corse", "cheroot")])
    me = stage.actor("client", front, "corse.autobus.test", "httpx", {"X-User": "sala-1"})
    other = stage.actor("other", front, "corse.autobus.test", "aiohttp", {"X-User": "sala-2"})
    third = stage.actor("third", front, "corse.autobus.test", "requests", {"X-User": "deposito"})
    me.get("/trips")
    place.rounds(me, ["/trips/600", "/trips/601", "/trips/602"], 16, 31)
    place.rounds(other, ["/trips/603", "/trips/604"], 8, 32)
    place.edit(third, "/trips/602", driver="Neri")
    place.edit(me, "/trips/602", note="cambio a Novoli")
    place.rounds(me, ["/trips/605", "/trips/606"], 9, 33)
    place.edit(other, "/trips/602", bus=9)
    seen = me.get("/trips/602")
    place.holds(seen.json["driver"] == "Neri" and seen.json["note"] and seen.json["bus"] == 9)
    place.save(me, "/trips/602", seen, note="cambio a Novoli, ore 12")


@case(
    "d250",
    "the-form-was-filled-in-again",
    "none",
    "healthy",
    alone="none",
    description=(
        "A visitor's booking form is refused with a Czech page because the desk has changed the booking. The visitor opens "
        "the form again, sees the desk's room, changes the nights only, and the post is taken: 303."
    ),
)
def booking(stage: Stage) -> None:
    """Open the form again after a refusal."""
    rows = {f"/rezervace/{n}": {"jmeno": f"Host {n}", "pokoj": "12", "noci": "2"} for n in (70, 71, 72)}
    words = {
        "lang": "cs",
        "title": "Neuloženo",
        "stale": "Rezervaci mezitím změnil {by} ({at}). Otevřete ji znovu.",
    }
    server = place.house(stage, forms(Ledger(rows), words), "penzion", "waitress")
    browser = {
        "User-Agent": "Mozilla/5.0 (Windows NT 10.0; rv:131.0) Gecko/20100101 Firefox/131.0",
        "X-User": "host",
    }
    me = stage.actor("client", server, "rezervace.penzion.test", "requests", browser)
    other = stage.actor("other", server, "rezervace.penzion.test", "urllib", {"X-User": "recepce"})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}

    def post(who: Actor, page: Answer, expect: int | tuple[int, ...], **changed: str) -> None:
        fields = dict(part.split("' value='") for part in page.text.split("name='")[1:])
        fields = {name: value.split("'")[0] for name, value in fields.items()} | changed
        who.send("POST", "/rezervace/71", expect, kind, urlencode(fields))

    css = me.get("/static/web.css")
    me.get("/rezervace")
    page = me.get("/rezervace/71/edit")
    post(other, other.get("/rezervace/71/edit"), (200, 303), pokoj="14")
    place.pause(0.8)
    post(me, page, 409, noci="3")
    again = me.get("/rezervace/71/edit")
    place.holds("value='14'" in again.text)
    place.kept(me, "/static/web.css", css)
    post(me, again, 303, noci="3")
    last = me.get("/rezervace/71").text
    place.holds("<dd>14<dt>noci<dd>3" in last, last)


@case(
    "d251",
    "a-graph-full-of-labels",
    "none",
    "healthy",
    alone="none",
    description=(
        "A studio labels pictures over GraphQL: queries, mutations with the revision from each answer before, one error for "
        "an empty field that has nothing to do with revisions, and one of a picture that does not exist."
    ),
)
def pictures(stage: Stage) -> None:
    """Chain revisions, with an error or two."""
    rows = {f"pic-{n}": {"title": f"Bild {n}", "label": "?"} for n in range(1, 6)}
    server = place.house(stage, graphql(Ledger(rows), "picture"), "graph/1")
    me = stage.actor("client", server, "graph.studio.test", "node:axios", {"X-User": "bildredaktion"})
    one = "query One($id: ID!) { picture(id: $id) { id label revision } }"
    save = "mutation Set($id: ID!, $input: PictureInput!) { updatePicture(id: $id, input: $input) { id revision } }"

    def ask(query: str, **variables: Any) -> dict[str, Any]:
        got: dict[str, Any] = me.send(
            "POST", "/query", 200, body={"query": query, "variables": variables}
        ).json
        return got

    ask("query All { pictures { id title revision } }")
    for number in (1, 2, 3):
        revision = ask(one, id=f"pic-{number}")["data"]["picture"]["revision"]
        for label in ("Hafen", "", "Hafen, Abend") if number == 2 else ("Wald", "Wald, früh"):
            got = ask(save, id=f"pic-{number}", input={"label": label, "expectedRevision": revision})
            if label:
                revision = got["data"]["updatePicture"]["revision"]
            else:
                place.holds(got["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT")
        place.pause(0.2)
    place.holds(ask(one, id="pic-9")["data"]["picture"] is None)
    me.get("/health")
    ask("query All { pictures { id title revision } }")


@case(
    "d252",
    "clearing-out-the-attic",
    "none",
    "healthy",
    alone="none",
    description=(
        "A cleaner deletes outdated offers with their tags. One that the shop has deleted a moment before is 404 on a read, "
        "and the cleaner takes it for done; the rest are 204 and 404 afterwards, as they should be."
    ),
)
def attic(stage: Stage) -> None:
    """Delete, and find things gone."""
    docs = {f"/offers/{n}": {"sku": n, "until": "2026-10-31"} for n in range(40, 47)}
    shelf = Shelf(docs, lambda doc: f'"{doc.rev}-{md5(doc.body, 4)}"', refusals("pl", "flat"), need=428)
    server = place.house(stage, shelf, "oferty", "waitress")
    me = stage.actor("client", server, "oferty.sklep.test", "aiohttp", {"X-User": "sprzatanie"})
    other = stage.actor("other", server, "oferty.sklep.test", "requests", {"X-User": "sklep"})
    me.get("/offers")
    other.send("DELETE", "/offers/42", 204, {"If-Match": other.get("/offers/42").etag})
    for number in (40, 41, 42, 43, 44):
        seen = me.get(f"/offers/{number}", 404 if number == 42 else 200)
        if number != 42:
            me.send("DELETE", f"/offers/{number}", 204, {"If-Match": seen.etag})
        place.pause(0.1)
    me.get("/offers/43", 404)
    place.edit(me, "/offers/45", until="2027-01-31")
    place.holds(me.get("/offers").json["count"] == 2)


class _Both(Shelf):
    """Shows weak tags and takes its own version field for writes."""

    def write(self, ask: Ask) -> Reply:
        doc = self.docs.get(ask.path)
        if doc and ask.fields.get("x-revision") != str(doc.rev):
            return 409, {}, {"error": "revision"}
        return super().write(ask)

    def validators(self, doc: Doc, ask: Ask) -> dict[str, str]:
        return {**super().validators(doc, ask), "X-Revision": str(doc.rev)}


@case(
    "d253",
    "a-dashboard-that-polls",
    "none",
    "healthy",
    alone="none",
    description=(
        "A dashboard polls with weak tags, which is 304 most of the time and 200 after a change, through nginx that "
        "compresses; it writes with X-Revision, never with the weak tag. HEAD and GET agree."
    ),
)
def dashboard(stage: Stage) -> None:
    """Poll with weak tags and write with another version."""
    docs = {f"/gauges/{n}": {"gauge": n, "value": 20 + n, "series": list(range(30))} for n in (1, 2, 3)}
    shelf = _Both(docs, lambda doc: f'W/"{doc.rev}"', refusals("ja"), cache="no-cache")
    front = fronts.nginx_gzip(stage, place.house(stage, shelf, "gauges"))
    me = stage.actor("client", front, "gauges.plant.example", "node:fetch", {"X-User": "wall"})
    other = stage.actor("other", front, "gauges.plant.example", "httpx", {"X-User": "sensor"})
    held = {n: me.get(f"/gauges/{n}") for n in (1, 2, 3)}
    for turn in range(5):
        for number in (1, 2, 3):
            tag = {"If-None-Match": held[number].etag}
            got = me.send("GET", f"/gauges/{number}", (200, 304), tag)
            held[number] = got if got.status == 200 else held[number]
        if turn % 2:
            seen = other.get("/gauges/2")
            other.put(
                "/gauges/2", {**seen.json, "value": 30 + turn}, 200, {"X-Revision": seen.fields["x-revision"]}
            )
        place.pause(0.2)
    head = me.send("HEAD", "/gauges/1", 200)
    place.holds(head.etag == held[1].etag)
    me.put("/gauges/1", {**held[1].json, "value": 22}, 200, {"X-Revision": held[1].fields["x-revision"]})


@case(
    "d254",
    "busy-for-a-moment",
    "none",
    "healthy",
    alone="none",
    description=(
        "A service is busy and answers 503 with Retry-After to guarded saves before it looks at anything. The program "
        "sends the same request with the same tag after the wait and is 200; the version moves once for each save."
    ),
)
def busy(stage: Stage) -> None:
    """Try again what was not tried."""
    docs = {f"/jobs/{n}": {"job": n, "prio": 5} for n in (1, 2, 3, 4)}
    shelf = Shelf(docs, lambda doc: f'"{doc.rev}"', refusals("es"))
    turns = iter([True, False, True, True, False, False])

    def app(ask: Ask) -> Reply:
        if ask.method == "PUT" and next(turns, False):
            return 503, {"Retry-After": "1"}, {"error": "servicio ocupado"}
        return shelf(ask)

    server = place.house(stage, app, "colas", "cheroot")
    me = stage.actor("client", server, "colas.imprenta.test", "curl", {"User-Agent": "prensa/2"})
    me.get("/jobs")
    for number, tries in ((1, 2), (3, 3), (4, 1)):
        seen = me.get(f"/jobs/{number}")
        for turn in range(1, tries + 1):
            body = {"job": number, "prio": 1}
            me.put(f"/jobs/{number}", body, 200 if turn == tries else 503, {"If-Match": seen.etag})
            place.pause(0.0 if turn == tries else 1.0)
        place.holds(int(me.get(f"/jobs/{number}").etag.strip('"')) == int(seen.etag.strip('"')) + 1)
    me.get("/status")
