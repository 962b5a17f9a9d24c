"""Stories on small services whose tags, dates or judgement are at fault, and one where nothing is."""

from __future__ import annotations

import datetime as dt
import itertools
import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _hash(_path: str, doc: Doc) -> str:
    return f'"{doc.digest("sha256")[:20]}"'


def _rev(_path: str, doc: Doc) -> str:
    return f'"{doc.rev:03}"'


def _micro(_path: str, doc: Doc) -> str:
    return f'"{int(doc.at * 1e6):x}"'


@case(
    "d284",
    "vic-tag-of-the-rendering",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "A service of seating plans makes the tag anew at every rendering: two reads in a row give the same octets "
        "under two tags, no poll is ever answered 304, and every save with the tag just read is refused."
    ),
)
def rendering(stage: Stage) -> None:
    """Send a tag that is gone with the answer."""
    count = itertools.count(0x51F0)
    docs = {f"/seats/{n}": {"hall": n, "rows": 14, "blocked": [3, 4]} for n in ("north", "south")}
    box = Box(docs, lambda _path, doc: f'"{doc.digest()[:6]}-{next(count) * 2654435761 % 2**32:08x}"')
    box.say = {412: {"fehler": "Der Saalplan hat sich geändert", "status": 412}}
    me = stage.actor("client", place.open_box(stage, box, "starlette"), "seats.opera.test", "node:fetch")
    place.chores(me, "hj")
    first, second = me.get("/seats/south"), me.get("/seats/south")
    place.sure(first.etag != second.etag and first.body == second.body)
    me.get("/seats/south", 200, {"If-None-Match": second.etag})
    for _ in range(3):
        seen = me.get("/seats/south")
        me.put("/seats/south", {**seen.json, "rows": 15}, 412, {"If-Match": seen.etag})
        place.rest(0.3)
        place.chores(me, "t")
    me.get("/seats/north")
    place.sure(me.get("/seats/south").body == first.body)


@case(
    "d285",
    "vic-answer-to-a-write-names-another-tag",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "The answer to a PUT names a hash, a read of the same version a revision, and writes are compared with the "
        "revision: a program that chains the tag of its own save is refused each time, after a read it is not."
    ),
)
def other_tag(stage: Stage) -> None:
    """Chain the tag of one's own save."""
    box = Box(
        {**{f"/rings/{n}": {"ring": n, "species": "tit"} for n in (501, 502)}, **place.side("/nets", 3)}, _rev
    )

    def after(req: Req, res: Res) -> None:
        if not req.safe and res.status == 200:
            res.fields["ETag"] = _hash(req.path, box.docs[req.path])

    server = place.open_box(stage, box, "flask")
    me = stage.actor("client", server, "rings.ornithology.test", "httpx", {"User-Agent": "ringer/0.3"})
    place.chores(me, "u")
    place.stroll(me, list(place.side("/nets", 3)), 5, 5)
    box.after.append(after)
    for ring in (501, 502, 501):
        seen = me.get(f"/rings/{ring}")
        told = me.put(f"/rings/{ring}", {**seen.json, "wing": 62}, 200, {"If-Match": seen.etag})
        place.sure(told.etag != seen.etag and len(told.etag) == 22)
        me.put(f"/rings/{ring}", {**seen.json, "wing": 62, "mass": 11}, 412, {"If-Match": told.etag})
        place.rest(0.3)
    again = me.get("/rings/501")
    me.put("/rings/501", {**again.json, "mass": 11}, 200, {"If-Match": again.etag})


@case(
    "d286",
    "vic-tag-of-the-danish-page",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "The tag of a ferry notice depends on the language asked for; the office reads it in Danish and writes without "
        "a language, so that the tag is compared with the English one: 412. Read without a language, it is taken."
    ),
)
def danish(stage: Stage) -> None:
    """Write with the tag of another language."""
    docs = {f"/notices/{n}": {"n": n, "en": "Delayed", "da": "Forsinket", "gate": 2} for n in (61, 62)}
    box = Box(docs, _hash, extra={"Vary": "Accept-Language"})

    def show(req: Req, path: str, doc: Doc) -> Res:
        tongue = req.fields.get("accept-language", "en")[:2]
        data = {"n": doc.data["n"], "text": doc.data.get(tongue, doc.data["en"]), "gate": doc.data["gate"]}
        tag = _hash(path, doc) if tongue == "en" else f'"{tongue}-{doc.digest("sha1")[:17]}"'
        return Res(200, data, {"ETag": tag, "Content-Language": tongue, "Content-Type": "application/json"})

    def change(req: Req, doc: Doc | None) -> Any:
        return {**(doc.data if doc else {}), **req.json}

    box.show, box.change = show, change
    me = stage.actor("client", place.open_box(stage, box, "cheroot"), "notices.faerge.example", "java")
    place.chores(me, "h")
    me.get("/notices/61", 200, {"Accept-Language": "da"})
    for _ in range(2):
        seen = me.get("/notices/62", 200, {"Accept-Language": "da"})
        me.get("/notices/62", 304, {"Accept-Language": "da", "If-None-Match": seen.etag})
        me.send("PATCH", "/notices/62", 412, {"If-Match": seen.etag}, {"gate": 5})
        place.rest(0.4)
        place.chores(me, "u")
    plain = me.get("/notices/62")
    place.sure(plain.etag != seen.etag)
    me.send("PATCH", "/notices/62", 200, {"If-Match": plain.etag}, {"gate": 5})


@case(
    "d287",
    "vic-wildcard-taken-as-a-tag",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "A service of herbarium sheets compares If-Match with its tag as text: the wildcard on a sheet that exists and "
        "a list that holds the current tag are refused, the single tag is taken. Nobody else writes."
    ),
)
def wildcard(stage: Stage) -> None:
    """Use the wildcard and a list on what exists."""
    box = Box({f"/sheets/{n}": {"no": n, "taxon": "Carex nigra"} for n in (880, 881, 882)}, _hash, dates=True)
    box.matches = lambda value, path, doc, **_how: doc is not None and value == _hash(path, doc)
    box.say = {412: "<html><title>412</title><h1>Precondition Failed</h1></html>"}
    me = stage.actor(
        "client", place.open_box(stage, box, "waitress"), "sheets.herbarium.test", "curl:trace-time"
    )
    place.chores(me, "x")
    me.get("/sheets")
    me.get("/sheets/880")
    me.send("PATCH", "/sheets/880", 412, {"If-Match": "*"}, {"taxon": "Carex flava"})
    seen = me.get("/sheets/880")
    me.send("PATCH", "/sheets/880", 412, {"If-Match": f'"draft-1", {seen.etag}'}, {"taxon": "Carex flava"})
    me.get("/sheets/880", 304, {"If-None-Match": seen.etag})
    me.send("PATCH", "/sheets/880", 200, {"If-Match": seen.etag}, {"taxon": "Carex flava"})
    other = me.get("/sheets/881")
    me.send("DELETE", "/sheets/881", 412, {"If-Match": "*"})
    me.send("DELETE", "/sheets/881", 204, {"If-Match": other.etag})


@case(
    "d288",
    "vic-stored-and-then-refused",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "A service of kiln programs stores a PUT and compares the condition with what it has just stored: 412 to the "
        "one and only attempt, and the read after it shows the client's own program under a new tag, twice over."
    ),
)
def stored(stage: Stage) -> None:
    """Be refused after the write."""
    docs = {f"/kilns/{n}": {"kiln": n, "peak": 1180, "hold": 20} for n in ("k1", "k2", "k3")}
    box = Box({**docs, **place.side("/glazes", 3)}, _micro)
    judge = box.judge

    def route(req: Req) -> Res | None:
        if req.method != "PUT" or not req.path.startswith("/kilns/"):
            return None
        box.store(req.path, req.json, req.who)
        return judge(req, box.docs[req.path]) or Res(200, req.json)

    box.before.append(route)
    server = place.open_box(stage, box, "aiohttp")
    me = stage.actor("client", server, "kilns.pottery.test", "aiohttp", {"X-User": "agnes"})
    place.chores(me, "h")
    place.stroll(me, list(place.side("/glazes", 3)), 6, 13)
    for kiln, peak in (("k2", 1222), ("k3", 1060)):
        seen = me.get(f"/kilns/{kiln}")
        me.put(f"/kilns/{kiln}", {**seen.json, "peak": peak}, 412, {"If-Match": seen.etag})
        place.rest(0.2)
        now = me.get(f"/kilns/{kiln}")
        place.sure(now.json["peak"] == peak and now.etag != seen.etag)
    me.get("/kilns/k1")


@case(
    "d289",
    "vic-deleted-in-spite-of-the-tag",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "A service of job offers reads If-Match of PUT and PATCH but not of DELETE: an offer that a colleague has "
        "just extended, as the clerk's own refused save shows, is deleted with the tag from before."
    ),
)
def deleted(stage: Stage) -> None:
    """Delete with an outdated tag."""
    box = Box({f"/offers/{n}": {"offer": n, "until": "2026-11-30"} for n in (14, 15, 16)}, _rev, first=4)
    box.say = {412: {"error": "gewijzigd", "uitleg": "Het record is intussen gewijzigd."}}
    judge = box.judge
    box.judge = lambda req, doc: None if req.method == "DELETE" else judge(req, doc)
    server = place.open_box(stage, box, "bottle")
    me = stage.actor("client", server, "offers.vacatures.test", "requests", {"X-User": "wim"})
    other = stage.actor("other", server, "offers.vacatures.test", "urllib", {"X-User": "els"})
    held = {n: me.get(f"/offers/{n}") for n in (14, 15, 16)}
    theirs = other.get("/offers/15")
    other.send("PATCH", "/offers/15", 200, {"If-Match": theirs.etag}, {"until": "2027-01-31"})
    place.rest(0.6)
    me.send("PATCH", "/offers/15", 412, {"If-Match": held[15].etag}, {"room": 2})
    place.sure(me.get("/offers/15").json["until"] == "2027-01-31")
    me.send("DELETE", "/offers/15", 204, {"If-Match": held[15].etag})
    me.get("/offers/15", 404)
    me.send("DELETE", "/offers/16", 204, {"If-Match": held[16].etag})
    other.get("/offers/15", 404)


@case(
    "d290",
    "vic-two-saves-in-the-same-breath",
    "check-then-write-race",
    "lost-update",
    alone="none check-then-write-race",
    description=(
        "A service looks at the tag and stores a third of a second later. Two helpers of a food bank save the same "
        "list with the same tag at once and are both told 200; one save is gone. A later outdated tag is refused."
    ),
)
def breath(stage: Stage) -> None:
    """Win twice with one tag."""
    box = Box({"/lists/fri": {"rice": 10, "oil": 4, "by": ""}, **place.side("/bags", 3)}, _hash)
    server = place.open_box(stage, box, "waitress")
    me = stage.actor("client", server, "lists.foodbank.test", "httpx", {"X-User": "lou"})
    other = stage.actor("other", server, "lists.foodbank.test", "requests", {"X-User": "ray"})
    place.chores(me, "c")
    place.stroll(me, list(place.side("/bags", 3)), 6, 3)
    mine, theirs = me.get("/lists/fri"), other.get("/lists/fri")
    box.gap = 0.35
    place.at_once(
        lambda: me.put("/lists/fri", {**mine.json, "rice": 14}, 200, {"If-Match": mine.etag}),
        lambda: other.put("/lists/fri", {**theirs.json, "oil": 9}, 200, {"If-Match": theirs.etag}),
        apart=0.08,
    )
    box.gap = 0.0
    now = me.get("/lists/fri")
    place.sure(now.json["rice"] == 10 and now.json["oil"] == 9)
    place.rest(0.5)
    place.chores(me, "h")
    other.put("/lists/fri", {**theirs.json, "oil": 11}, 412, {"If-Match": theirs.etag})
    other.get("/lists/fri")


@case(
    "d291",
    "vic-dates-with-hidden-fractions",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "A service of shifts has dates for validators and compares them to the microsecond: the echoed Last-Modified "
        "is always before the stored moment (changedAt has the fraction) and is refused; one second later it is taken."
    ),
)
def fractions(stage: Stage) -> None:
    """Echo a date that has lost its fraction."""
    box = Box({f"/shifts/{n}": {"shift": n, "lead": "Ida"} for n in (1, 2, 3)}, dates=True, age=4000.31)

    def show(_req: Req, path: str, doc: Doc) -> Res:
        moment = dt.datetime.fromtimestamp(doc.at, dt.UTC).isoformat(timespec="microseconds")
        return Res(200, {**doc.data, "changedAt": moment}, box.marks(path, doc))

    def unchanged(since: str, doc: Doc) -> bool:
        return doc.at <= parsedate_to_datetime(since).timestamp()

    box.show, box.unchanged = show, unchanged
    me = stage.actor("client", place.open_box(stage, box, "cheroot"), "shifts.bakery.test", "urllib")
    place.chores(me, "x")
    me.get("/shifts")
    for shift in (2, 2, 3):
        seen = me.get(f"/shifts/{shift}")
        since = {"If-Unmodified-Since": seen.fields["last-modified"]}
        me.send("PATCH", f"/shifts/{shift}", 412, since, {"lead": "Ove"})
        place.rest(0.3)
        place.chores(me, "h")
    later = parsedate_to_datetime(seen.fields["last-modified"]) + dt.timedelta(seconds=1)
    since = {"If-Unmodified-Since": later.strftime("%a, %d %b %Y %H:%M:%S GMT")}
    me.send("PATCH", "/shifts/3", 200, since, {"lead": "Ove"})
    me.get("/shifts/1")


@case(
    "d292",
    "vic-terminal-four-minutes-behind",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A till sends If-Unmodified-Since with the time of its own clock, which is four minutes behind the service's "
        "Date; prices that were changed a minute before are refused though the till read the latest, older ones pass."
    ),
)
def till(stage: Stage) -> None:
    """Send one's own time as a date."""
    box = Box({f"/plu/{n}": {"plu": n, "cents": 250} for n in (4011, 4046, 4225)}, dates=True, age=9000)
    ahead = 240.0
    for path, back in (("/plu/4046", 70.0), ("/plu/4225", 20.0)):
        box.docs[path].at = time.time() + ahead - back
    box.after.append(lambda _req, res: res.fields.update(Date=formatdate(time.time() + ahead, usegmt=True)))
    box.done.append(lambda _req, path: setattr(box.docs[path], "at", time.time() + ahead))
    server = place.open_box(stage, box, "waitress")
    me = stage.actor("client", server, "plu.grocer.test", "node:axios", {"User-Agent": "till/8"})
    for plu, status in ((4011, 200), (4046, 412), (4225, 412), (4046, 412)):
        seen = me.get(f"/plu/{plu}")
        me.get("/healthz")
        since = {"If-Unmodified-Since": formatdate(time.time(), usegmt=True)}
        me.send("PATCH", f"/plu/{plu}", status, since, {"cents": 255})
        place.rest(0.5)
    echoed = {"If-Unmodified-Since": me.get("/plu/4046").fields["last-modified"]}
    me.send("PATCH", "/plu/4046", 200, echoed, {"cents": 255})
    place.sure(seen.status == 200)


@case(
    "d293",
    "vic-dates-as-in-the-database",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "An importer sends If-Unmodified-Since as an ISO date, which the service ignores as it must; a colleague's "
        "change, of which the importer was told by a proper date's refusal, is overwritten with 200."
    ),
)
def iso(stage: Stage) -> None:
    """Send a date that is none."""
    box = Box(
        {f"/courses/{n}": {"course": n, "room": "B2", "seats": 20} for n in ("ada", "bio", "geo")}, dates=True
    )

    def unchanged(since: str, doc: Doc) -> bool:
        return "T" in since.split(" ", maxsplit=1)[0][1:] or Box.not_later(since, doc)

    box.unchanged = unchanged
    box.say = {412: {"code": "MODIFIED", "message": "O curso foi alterado."}}
    server = place.open_box(stage, box, "falcon")
    me = stage.actor("client", server, "courses.campus.test", "requests", {"User-Agent": "import/6"})
    other = stage.actor("other", server, "courses.campus.test", "curl", {"User-Agent": "registrar/2"})
    place.chores(me, "h")
    held = {n: me.get(f"/courses/{n}") for n in ("ada", "bio", "geo")}
    theirs = other.get("/courses/bio")
    other.put(
        "/courses/bio",
        {**theirs.json, "seats": 35},
        200,
        {"If-Unmodified-Since": theirs.fields["last-modified"]},
    )
    place.rest(1.1)
    place.chores(me, "h")
    proper = held["bio"].fields["last-modified"]
    me.put("/courses/bio", {**held["bio"].json, "room": "C1"}, 412, {"If-Unmodified-Since": proper})
    place.sure(me.get("/courses/bio").json["seats"] == 35)
    for name in ("bio", "geo"):
        moment = parsedate_to_datetime(held[name].fields["last-modified"])
        since = {"If-Unmodified-Since": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
        me.put(f"/courses/{name}", {**held[name].json, "room": "C1"}, 200, since)
    place.sure(me.get("/courses/bio").json["seats"] == 20)


@case(
    "d294",
    "vic-lima-time-called-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A program in Lima turns Last-Modified into its local time and labels it GMT: all its writes carry a date five "
        "hours before the one it was served, minutes and seconds alike, and are refused. Nobody else writes."
    ),
)
def lima(stage: Stage) -> None:
    """Send local time as GMT."""
    docs = {f"/lotes/{n}": {"lote": n, "sacos": 40, "grado": "A"} for n in (9, 10, 11)}
    box = Box(
        docs, dates=True, age=3000, say={412: {"error": "El lote fue modificado", "codigo": "LOTE-412"}}
    )
    server = place.open_box(stage, box, "tornado")
    me = stage.actor("client", server, "lotes.cafetal.example", "aiohttp", {"User-Agent": "acopio/1.0"})
    place.chores(me, "u")
    me.get("/lotes")
    for lot in (9, 10, 10):
        seen = me.get(f"/lotes/{lot}")
        moment = parsedate_to_datetime(seen.fields["last-modified"])
        local = (moment - dt.timedelta(hours=5)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        me.put(f"/lotes/{lot}", {**seen.json, "sacos": 42}, 412, {"If-Unmodified-Since": local})
        place.rest(0.4)
        place.chores(me, "h")
    me.get("/lotes/11", 304, {"If-Modified-Since": me.get("/lotes/11").fields["last-modified"]})


@case(
    "d295",
    "vic-conditions-not-implemented",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description=(
        "An object store of a film archive has tags on reads but answers 501 to a write with If-Match, whichever tag "
        "is sent, also right after a read; the same write without a condition is stored."
    ),
)
def archive(stage: Stage) -> None:
    """Send a condition that the store cannot do."""
    docs = {f"/reels/{n}": ("text/plain", f"reel {n}\n") for n in ("r1", "r2", "r3")}
    box = Box(docs, _hash, extra={"X-Request-Id": "4f0c"})
    xml = "<?xml version='1.0'?><Error><Code>NotImplemented</Code><Message>A header you provided implies functionality that is not implemented.</Message><Header>If-Match</Header></Error>"
    box.judge = lambda req, _doc: box.error(501, xml) if "if-match" in req.fields else None
    me = stage.actor("client", place.open_box(stage, box, "stdlib"), "reels.filmarchive.test", "httpx")
    place.chores(me, "x")
    text = {"Content-Type": "text/plain"}
    me.get("/reels")
    for reel in ("r1", "r2", "r1"):
        seen = me.get(f"/reels/{reel}")
        me.put(f"/reels/{reel}", f"{seen.text}tinted\n", 501, {**text, "If-Match": seen.etag})
        place.rest(0.3)
        place.chores(me, "h")
    me.get("/reels/r3", 304, {"If-None-Match": me.get("/reels/r3").etag})
    me.put("/reels/r1", "reel r1\ntinted\n", 200, text)


@case(
    "d296",
    "vic-shield-dislikes-a-text",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A shield before a service of letters answers 412 with a page of its own to posts whose text has a certain "
        "look; no request carries a condition, other texts go through, and reads do too."
    ),
)
def shield(stage: Stage) -> None:
    """Be refused for what was written."""
    box = Box({f"/letters/{n}": {"n": n, "text": "Dear editor"} for n in (1, 2)})
    page = "<html><head><title>Request blocked</title></head><body><p>Your request was blocked by policy 960024.</p><p>Incident 7c1f-22a9</p></body></html>"

    def guard(req: Req) -> Res | None:
        if req.method == "POST" and (b"<script" in req.body or b"SELECT " in req.body):
            return Res(412, page, {"Content-Type": "text/html", "X-Shield": "deny"})
        return None

    box.before.append(guard)
    server = place.open_box(stage, box, "cheroot")
    me = stage.actor("client", server, "letters.gazette.test", "node:fetch", {"User-Agent": "composer/5"})
    me.get("/letters")
    me.send("POST", "/letters", 201, None, {"text": "On the bus lane"})
    for text in ("How to embed <script src=x> in a page", "Why SELECT * FROM voters is no joke"):
        me.send("POST", "/letters", 412, None, {"text": text})
        place.rest(0.4)
        me.send("POST", "/letters", 412, None, {"text": text})
    me.send("POST", "/letters", 201, None, {"text": "How to embed a script"})
    me.get("/letters/1")
