"""Tokens damaged on the way, taken from elsewhere, too wide, missing, added by a layer, or past their time."""

from __future__ import annotations

import importlib
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.actors import Actor, Answer
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ora_setting as place

if TYPE_CHECKING:
    from collections.abc import Mapping

_ICS = {"Content-Type": "text/calendar"}


@case(
    "b581",
    "ora-tag-through-a-template",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A page writes the tag into a hidden field and reads it back escaped: If-Match: &quot;...&quot;. The "
        "observatory's schedule is refused; the tag behind the escapes is the current one."
    ),
)
def escaped(stage: Stage) -> None:
    """Send an escaped tag."""
    docs = {
        f"/nights/{n}": place.record(pi="Sato", target=f"NGC {n}", filter="R") for n in (1275, 2403, 4594)
    }
    docs |= place.side("/weather", 3)
    server = place.house(stage, docs, "waitress", tag="md5")
    me = stage.actor(
        "client", fronts.squid(stage, server), "queue.sternwarte.test", "requests", place.basic("sato")
    )
    me.get("/nights")
    place.day(me, place.paths("/weather", 3), 15, seed=32, users=("sato", "lopez"))
    seen = me.get("/nights/2403")
    damaged = seen.etag.replace('"', "&quot;")
    me.put("/nights/2403", {**seen.json, "filter": "Ha"}, 412, {"If-Match": damaged})
    time.sleep(0.6)
    me.get("/nights/2403")
    me.put("/nights/2403", {**seen.json, "filter": "Ha"}, 412, {"If-Match": damaged})


@case(
    "b582",
    "ora-calendar-import-strips-quotes",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "An import into Radicale keeps tags without their quotes in a table and sends them so; every update of an "
        "existing event is refused, new events are taken."
    ),
)
def unquoted(stage: Stage) -> None:
    """Send tags without quotes."""
    server = stage.server("radicale")
    me = stage.actor("client", server, "cal.sternsinger.test", "httpx", place.basic("import"))
    me.send("MKCALENDAR", "/import/termine/", 201)
    held: dict[str, str] = {}
    for name in ("e1", "e2", "e3"):
        path = f"/import/termine/{name}.ics"
        held[path] = me.put(path, place.event(name, "1600"), 201, {**_ICS, "If-None-Match": "*"}).etag.strip(
            '"'
        )
    time.sleep(0.7)
    for path, tag in held.items():
        me.put(path, place.event(path[-6:-4], "1630"), 412, {**_ICS, "If-Match": tag})
    me.put("/import/termine/e4.ics", place.event("e4", "1600"), 201, {**_ICS, "If-None-Match": "*"})
    me.get("/import/termine/e2.ics")


@case(
    "b585",
    "ora-tag-of-the-picture-for-its-caption",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A photo agency's editor reads a picture's description and its rights; the rights are stored with the tag of "
        "the description, which was never theirs."
    ),
)
def rights(stage: Stage) -> None:
    """Use the tag of another document."""
    docs: dict[str, object] = {}
    for number in (9001, 9002):
        docs[f"/photos/{number}/meta"] = place.record(title=f"Hafen {number}", by="Lorenz")
        docs[f"/photos/{number}/rights"] = place.record(licence="editorial", until="2027-06")
    docs |= place.side("/clients", 4)
    server = place.house(stage, docs, "aiohttp", tag="uuid")
    me = stage.actor(
        "client", fronts.encrypted(stage, server), "desk.fotoagentur.test", "http2", place.bearer("lorenz")
    )
    me.get("/photos/9001")
    place.day(me, place.paths("/clients", 4), 22, seed=33, users=("lorenz", "ana", "ruth"))
    meta = me.get("/photos/9001/meta")
    held = me.get("/photos/9001/rights")
    me.get("/photos/9002/meta")
    me.put("/photos/9001/rights", {**held.json, "until": "2028-06"}, 412, {"If-Match": meta.etag})
    again = me.get("/photos/9001/rights")
    place.require(holds=again.etag == held.etag, otherwise="it has moved")


@case(
    "b586",
    "ora-first-getetag-of-the-listing",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A script takes the first getetag of a PROPFIND on a folder for the file it means; that tag belongs to "
        "another file of the listing, and Apache refuses the save."
    ),
)
def first(stage: Stage) -> None:
    """Take the first tag of a listing."""
    files = {f"noten/{n}.txt": f"{n}\n" * (i + 3) for i, n in enumerate(("alt", "bass", "sopran"))}
    server = place.dav(stage, files)
    me = stage.actor("client", server, "dav.kantorei.test", "requests", place.basic("kantor"))
    ask = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    told = me.send("PROPFIND", "/noten/", 207, {"Depth": "1", "Content-Type": "text/xml"}, ask).text
    rows = {part.split("href>")[1].split("<")[0]: part for part in told.split("<D:response")[1:]}
    other = next(path for path in rows if path.endswith(".txt") and "bass" not in path)
    tag = rows[other].split("getetag>")[1].split("<")[0]
    me.get("/noten/bass.txt")
    me.put("/noten/bass.txt", "bass neu\n", 412, {"If-Match": tag, "Content-Type": "text/plain"})
    me.get("/noten/bass.txt")


@case(
    "b587",
    "ora-one-tag-for-the-whole-card",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    description=(
        "All dishes of a restaurant share one tag, that of the card. The kitchen changes the soup and then the fish "
        "with the tag that both had before: refused, though the fish is as it was read."
    ),
)
def card(stage: Stage) -> None:
    """Change two siblings with their common tag."""
    docs = {
        f"/card/{n}": place.record(name=n, price=p) for n, p in (("suppe", 6.5), ("fisch", 19), ("ente", 24))
    }
    docs |= place.side("/drinks", 3)
    server = place.house(stage, docs, "cheroot", tag="short", scope="/card/")
    me = stage.actor("client", server, "card.gasthaus.test", "java", place.basic("kueche"))
    held = {n: me.get(f"/card/{n}") for n in ("suppe", "fisch", "ente")}
    me.put("/card/suppe", {**held["suppe"].json, "price": 6.9}, 200, {"If-Match": held["suppe"].etag})
    place.day(me, place.paths("/drinks", 3), 14, seed=34, users=("kueche", "service"))
    me.put("/card/fisch", {**held["fisch"].json, "price": 21}, 412, {"If-Match": held["fisch"].etag})
    again = me.get("/card/fisch")
    place.require(
        holds=again.body == held["fisch"].body and again.etag != held["fisch"].etag, otherwise="changed"
    )
    me.get("/card/ente")


@case(
    "b588",
    "ora-star-for-an-update",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A ski school reads a course (200, with a tag) and stores its change with If-None-Match: *, which can only "
        "hold where nothing is: 412, twice."
    ),
)
def star(stage: Stage) -> None:
    """Guard an update as if it were a create."""
    docs = {f"/courses/{n}": place.record(course=n, level="blue", places=8) for n in ("k1", "k2", "k3")}
    docs |= place.side("/lifts", 3)
    server = place.house(stage, docs, "waitress", tag="rev", form="text")
    me = stage.actor(
        "client", fronts.haproxy(stage, [server]), "courses.skischule.test", "curl", place.bearer("desk")
    )
    me.get("/courses")
    me.get("/courses/k1")
    place.day(me, place.paths("/lifts", 3), 12, seed=35)
    seen = me.get("/courses/k2")
    me.put("/courses/k2", {**seen.json, "places": 6}, 412, {"If-None-Match": "*"})
    time.sleep(44)
    me.put("/courses/k2", {**seen.json, "places": 6}, 412, {"If-None-Match": "*"})
    me.get("/courses/k2", 304, {"If-None-Match": seen.etag})


@case(
    "b589",
    "ora-registry-insists",
    "token-missing",
    "428",
    alone="token-missing",
    description=(
        "A seed registry answers 428 to changes without a condition; a converter reads each lot (with its tag) and "
        "stores it without one, lot after lot."
    ),
)
def insists(stage: Stage) -> None:
    """Send no condition where one is due."""
    docs = {f"/lots/{n}": place.record(lot=n, germination=90 + n % 7) for n in range(411, 417)}
    docs |= place.side("/growers", 3)
    server = place.house(stage, docs, "aiohttp", tag="apache", need=1, form="code")
    front = fronts.squid(stage, server, "cache deny all")
    me = stage.actor("client", front, "registry.saatgut.test", "node:axios", place.bearer("converter"))
    me.get("/lots")
    place.day(me, place.paths("/growers", 3), 13, seed=36)
    for number in range(411, 415):
        seen = me.get(f"/lots/{number}")
        me.put(f"/lots/{number}", {**seen.json, "unit": "percent"}, 428)


class _Tagging:
    """The requests library with a layer that adds If-None-Match to every request for an address it knows."""

    def __init__(self) -> None:
        self._session: Any = importlib.import_module("requests").Session()
        self._session.trust_env = False
        self._known: dict[str, str] = {}

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request, with the layer's condition."""
        own = dict(headers)
        if url in self._known:
            own["If-None-Match"] = self._known[url]
        got = self._session.request(method, url, headers=own, data=body, timeout=10)
        if "ETag" in got.headers:
            self._known[url] = got.headers["ETag"]
        return Answer(got.status_code, {n.lower(): v for n, v in got.headers.items()}, got.content)

    def close(self) -> None:
        """Close the session."""
        self._session.close()


@case(
    "b590",
    "ora-cache-layer-guards-a-put",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "A caching layer of a swimming club's app adds If-None-Match with the tag it has stored to every request for "
        "a known address, to PUT as well: since the tag is current, the PUT is refused; reads give 304."
    ),
)
def layer(stage: Stage) -> None:
    """Let a cache guard a write."""
    docs = {f"/lanes/{n}": {"lane": n, "club": "SV 09", "from": "17:00"} for n in (1, 2, 3)}
    server = place.rooms(stage, docs)
    agent = {"User-Agent": "BahnenApp/4.1 CacheKit/2"}
    me = Actor("lanes.hallenbad.test", stage.tap("client", server), _Tagging(), agent)
    me.get("/lanes")
    for path in ("/lanes/1", "/lanes/2", "/lanes/1"):
        me.send("GET", path, (200, 304))
    me.put("/lanes/1", {"lane": 1, "club": "SV 09", "from": "18:00"}, 412)
    time.sleep(0.5)
    me.send("GET", "/lanes/2", 304)
    me.put("/lanes/1", {"lane": 1, "club": "SV 09", "from": "18:00"}, 412)
    me.send("GET", "/lanes/1", 304)


@case(
    "b591",
    "ora-lease-ran-out-during-lunch",
    "token-expired",
    "412",
    alone="token-expired lease-or-lock",
    also="lease-or-lock",
    description=(
        "A layouter takes a lease of fifteen seconds on a poster and saves under it; the save after a pause longer "
        "than the lease is refused (no lease present). Nobody else has touched the blob; a new lease works."
    ),
)
def lease(stage: Stage) -> None:
    """Save under a lease that has run out."""
    box = place.Blobs(stage, "posters")
    me = box.actor("client", "httpx")
    box.put(me, "mai.svg", "<svg/>", 201)
    got = box.lease(me, "mai.svg", "acquire", 201, **{"x-ms-lease-duration": "15"})
    mine = {"x-ms-lease-id": got.fields["x-ms-lease-id"]}
    box.put(me, "mai.svg", "<svg><g/></svg>", 201, **mine)
    box.get(me, "mai.svg")
    time.sleep(17)
    box.put(me, "mai.svg", "<svg><g/><text/></svg>", 412, **mine)
    box.get(me, "mai.svg")
    got = box.lease(me, "mai.svg", "acquire", 201, **{"x-ms-lease-duration": "15"})
    box.put(me, "mai.svg", "<svg><g/><text/></svg>", 201, **{"x-ms-lease-id": got.fields["x-ms-lease-id"]})


@case(
    "b592",
    "ora-sync-token-forgotten",
    "token-expired",
    "403",
    alone="token-expired status-dialect-mismatch",
    description=(
        "A calendar bridge asks Radicale for changes since a sync token that the server keeps for a second only; "
        "valid-sync-token says that it is no longer known, a report without one works."
    ),
)
def sync(stage: Stage) -> None:
    """Ask with a token the server has dropped."""
    server = stage.server("radicale", token_age=1)
    me = stage.actor("client", server, "cal.theater.test", "urllib", place.basic("bridge"))
    me.send("MKCALENDAR", "/bridge/spielplan/", 201)

    def report(token: str, expect: int) -> Answer:
        body = f'<?xml version="1.0"?><sync-collection xmlns="DAV:"><sync-token>{token}</sync-token>'
        body += "<sync-level>1</sync-level><prop><getetag/></prop></sync-collection>"
        return me.send("REPORT", "/bridge/spielplan/", expect, {"Content-Type": "application/xml"}, body)

    me.put("/bridge/spielplan/a.ics", place.event("a", "1930"), 201, _ICS)
    token = report("", 207).text.split("sync-token>")[1].split("<")[0]
    time.sleep(2.5)
    for name in "bc":
        me.put(f"/bridge/spielplan/{name}.ics", place.event(name, "1500"), 201, _ICS)
        report("", 207)
    time.sleep(1.2)
    report(token, 403)
    report("", 207)
