"""Stories of conditions misplaced, left out, added unasked or out of date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.recording_apis.apps.ada_desk import Ask, Desk, Reply, hashed, numbered
from tools.recording_apis.stage import case
from tools.recording_apis.stories import ada_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d355",
    "ada-every-save-as-if-it-were-new",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A connector writes all its cards with If-None-Match: *, those that it has just read as well: new ones are "
        "created, every change of one that is there is refused. Pyramid."
    ),
)
def connector(stage: Stage) -> None:
    """Guard an update as a creation."""
    rows = {f"/cards/{n}": {"uid": n, "fn": "Ira Volt", "tel": "100"} for n in ("ira", "jo")}
    server = at.desk(stage, Desk(rows, hashed, words={412: "412 card exists\n"}), "pyramid")
    me = stage.actor("client", server, "cards.crm.test", "requests", {"User-Agent": "crm-connector/3.1"})
    at.rounds(me, "/status", "/cards")
    me.put("/cards/kim", {"uid": "kim", "fn": "Kim Ohm", "tel": "102"}, 201, {"If-None-Match": "*"})
    for name, tel in (("ira", "110"), ("jo", "111"), ("kim", "112")):
        seen = me.get(f"/cards/{name}")
        me.put(f"/cards/{name}", {**seen.json, "tel": tel}, 412, {"If-None-Match": "*"})
        at.pause(0.4)
    me.put("/cards/lou", {"uid": "lou", "fn": "Lou Watt", "tel": "103"}, 201, {"If-None-Match": "*"})
    me.get("/cards")
    me.put("/cards/ira", {**me.get("/cards/ira").json, "tel": "110"}, 412, {"If-None-Match": "*"})


@case(
    "d356",
    "ada-save-without-the-tag-it-asks-for",
    "token-missing",
    "428",
    alone="token-missing",
    description=(
        "A service of timetables wants a condition on every change and says so with 428; a new script has read the tag "
        "and sends none. Told so twice, its author adds If-Match, and it runs. aiohttp."
    ),
)
def script(stage: Stage) -> None:
    """Leave the condition out."""
    rows = {f"/lines/{n}": {"line": n, "every": 10, "last": "23:40"} for n in ("7", "7N", "12")}
    side = at.beside("/stops", 4, shelter=True)
    said = {
        "title": "Precondition Required",
        "status": 428,
        "detail": "Send If-Match with the ETag of the line.",
    }
    server = at.desk(stage, Desk({**rows, **side}, numbered, needs=428, words={428: said}, rev=12), "aiohttp")
    me = stage.actor("client", server, "lines.tram.test", "node:fetch", {"User-Agent": "timetable-fix.mjs"})
    at.rounds(me, "/status", "/lines")
    for line in ("7", "7N"):
        seen = me.get(f"/lines/{line}")
        me.put(f"/lines/{line}", {**seen.json, "last": "00:10"}, 428)
        at.pause(0.5)
    for line in ("7", "7N", "12"):
        seen = me.get(f"/lines/{line}")
        me.put(f"/lines/{line}", {**seen.json, "last": "00:10"}, 200, {"If-Match": seen.etag})
    at.busy(me, side, "shelter", 10, 356)
    at.rounds(me, "/lines/12", again=True)


@case(
    "d357",
    "ada-the-phones-cache-adds-a-condition",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "The HTTP cache of a phone's framework adds If-None-Match with the stored tag to every request for a URL that "
        "it holds, to PUTs as well: saves of what has just been read are refused, those of what is new to the cache go "
        "through, and so do those of the same app's web version, which has no such cache. Flask."
    ),
    notes=("the application sets no condition on either platform",),
)
def phone(stage: Stage) -> None:
    """Let a cache add to a write."""
    rows = {f"/plots/{n}": {"plot": n, "crop": "barley", "area": 3.2} for n in (8, 9, 10)}
    server = at.desk(stage, Desk(rows, hashed, words={412: {"message": "Precondition Failed"}}), "flask")
    me = stage.actor(
        "client", server, "plots.farm.test", "urllib", {"User-Agent": "FieldBook/3.2 (phone; urlcache)"}
    )
    web = stage.actor("other", server, "plots.farm.test", "node:fetch", {"User-Agent": "FieldBook/3.2 (web)"})
    stored: dict[str, str] = {}

    def ask(method: str, path: str, status: int, body: object = None) -> None:
        added = {"If-None-Match": stored[path]} if path in stored else {}
        got = me.send(method, path, status, added, body)
        if method == "GET" and status == 200 and "etag" in got.fields:
            stored[path] = got.etag

    ask("GET", "/status", 200)
    ask("GET", "/plots", 200)
    for plot in (8, 9):
        ask("GET", f"/plots/{plot}", 200)
        ask("GET", f"/plots/{plot}", 304)
        ask("PUT", f"/plots/{plot}", 412, {"plot": plot, "crop": "oats", "area": 3.2})
        at.pause(0.5)
    ask("PUT", "/plots/10", 200, {"plot": 10, "crop": "rye", "area": 1.1})
    ask("PUT", "/plots/9", 412, {"plot": 9, "crop": "oats", "area": 3.2})
    ask("GET", "/plots/9", 304)
    for plot in (8, 10):
        seen = web.get(f"/plots/{plot}")
        web.put(f"/plots/{plot}", {**seen.json, "crop": "oats"}, 200)


@case(
    "d358",
    "ada-change-token-kept-over-lunch",
    "token-expired",
    "410",
    alone="token-expired",
    description=(
        "A mirror of a parts catalogue asks for changes since a token; after a pause longer than the service keeps "
        "tokens it is told 410 with the token's age, twice. A full read gives a new token, which works. FastAPI."
    ),
)
def mirror(stage: Stage) -> None:
    """Come back too late."""
    rows = {f"/parts/{n}": {"part": n, "stock": 5} for n in ("m6", "m8", "m10")}
    side = at.beside("/offers", 4, price=12)
    desk = Desk({**rows, **side}, numbered)
    start = at.clock()

    def feed(ask: Ask) -> Reply | None:
        if ask.path != "/changes":
            return None
        moment, token = at.clock(), ask.query.get("since")
        new = f"t{int((moment - start) * 1000):09}"
        parts = [one.data for path, one in desk.sheets.items() if path in rows]
        told = {"nextToken": new, "tokenTtlSeconds": 3}
        if token is None:
            return Reply(200, {"full": True, "parts": parts, **told})
        age = moment - start - int(token[1:]) / 1000
        if age > 3:
            said = "The change token is too old; read the catalogue in full."
            return Reply(410, {"code": "TOKEN_EXPIRED", "message": said, "ageSeconds": round(age, 1)})
        return Reply(200, {"full": False, "changed": [], **told})

    desk.first = feed
    me = stage.actor(
        "client",
        at.desk(stage, desk, "fastapi"),
        "parts.supplier.test",
        "requests",
        {"User-Agent": "mirror/5"},
    )
    token = me.get("/changes").json["nextToken"]
    at.rounds(me, "/parts/m6", again=True)
    at.busy(me, side, "price", 9, 358)
    for _ in range(2):
        at.pause(0.6)
        token = me.get(f"/changes?since={token}").json["nextToken"]
    at.pause(3.5)
    at.busy(me, side, "price", 4, 1358)
    me.get("/status")
    me.get(f"/changes?since={token}", 410)
    at.pause(0.5)
    me.get(f"/changes?since={token}", 410)
    token = me.get("/changes").json["nextToken"]
    at.pause()
    me.get(f"/changes?since={token}")
    at.rounds(me, "/parts/m8", again=True)
