"""Unseen recordings: small services of our own with a habit each."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.uma_core import Ask, Doc, Shelf, md5
from tools.recording_apis.apps.uma_words import Reply, refusals
from tools.recording_apis.stage import case
from tools.recording_apis.stories import uma_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


class _Fine(Shelf):
    """Names its dates to the microsecond in its list."""

    def listed(self, ask: Ask) -> Reply:
        status, fields, content = super().listed(ask)
        if isinstance(content, dict):
            for row in content.get("rows", ()):
                changed = self.docs[row["href"]].changed
                row["modified"] = dt.datetime.fromtimestamp(changed, dt.UTC).isoformat()
        return status, fields, content


@case(
    "d184",
    "a-station-stores-fractions-of-seconds",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "A weather service has dates only and compares them to the microsecond, as its list names them. The exact echo "
        "of Last-Modified is refused, a second later in the field it passes, with nothing written in between."
    ),
)
def station(stage: Stage) -> None:
    """Echo a date that lost its fraction."""
    docs: dict[str, Any] = {
        f"/stations/{n}": {"id": n, "alt": 310 + i, "offset": 0.2}
        for i, n in enumerate(("kahl", "hoh", "inn"))
    }
    shelf = _Fine(
        {path: (doc, 7205.63 + 11.1 * number) for number, (path, doc) in enumerate(docs.items())},
        lambda _: None,
        refusals("de", "code"),
        fraction=True,
        need=428,
    )
    me = stage.actor(
        "client", place.house(stage, shelf, "Wetterdienst/2", "waitress"), "api.wetter.test", "httpx"
    )
    me.get("/stations")
    place.glance(me, ["/stations/hoh", "/stations/inn", "/healthz"], 5, 184)
    for offset in (0.3, 0.4):
        seen = me.get("/stations/kahl")
        own = {"If-Unmodified-Since": seen.fields["last-modified"]}
        me.put("/stations/kahl", {**seen.json, "offset": offset}, 412, own)
    me.get("/stations/hoh", 304, {"If-Modified-Since": place.moment()})
    date = dt.datetime.strptime(seen.fields["last-modified"], "%a, %d %b %Y %H:%M:%S GMT").replace(
        tzinfo=dt.UTC
    )
    later = (date + dt.timedelta(seconds=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    me.put("/stations/kahl", {**seen.json, "offset": 0.4}, 200, {"If-Unmodified-Since": later})


@case(
    "d185",
    "a-till-four-minutes-slow",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A till, whose clock is four minutes slow (see its Date field), guards saves with its own time instead of the "
        "served Last-Modified. Old articles are saved; each second save of one within four minutes is 412 although "
        "nobody else writes."
    ),
)
def till(stage: Stage) -> None:
    """Guard with a clock of one's own."""
    docs: dict[str, Any] = {
        f"/articles/{n}": ({"sku": n, "price": 100 + n}, 90000.0 + n) for n in (4711, 4712, 4713)
    }
    shelf = Shelf(docs, lambda _: None, refusals("fr", "flat"))
    server = place.house(stage, shelf, "caisse-centrale", "cheroot")
    me = stage.actor("client", server, "articles.epicerie.test", "node:axios", {"X-User": "caisse-2"})

    def guarded() -> dict[str, str]:
        return {"Date": place.moment(-241), "If-Unmodified-Since": place.moment(-243)}

    place.reads(me, "/articles", "/articles/4711")
    seen = me.get("/articles/4712", 200, {"Date": place.moment(-241)})
    me.put("/articles/4712", {**seen.json, "price": 99}, 200, guarded())
    place.pause(1.2)
    seen = me.get("/articles/4712", 200, {"Date": place.moment(-241)})
    me.put("/articles/4712", {**seen.json, "price": 98}, 412, guarded())
    me.put("/articles/4713", {"sku": 4713, "price": 1}, 200, guarded())
    seen = me.get("/articles/4712", 200, {"Date": place.moment(-241)})
    me.put("/articles/4712", {**seen.json, "price": 98}, 412, guarded())


class _Single(Shelf):
    """Takes a list of tags for one tag."""

    def matches(self, sent: str, tag: str | None) -> bool:
        return sent == tag


@case(
    "d189",
    "a-list-of-tags-never-matches",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "A sync program sends If-Match with a list of two tags, of which one is the current one as the reads before and "
        "after show; the service answers 412 each time. The single current tag is taken."
    ),
)
def several(stage: Stage) -> None:
    """Send a list that holds the current tag."""
    docs: dict[str, Any] = {f"/tracks/{n}.gpx": f"<gpx><name>Tour {n}</name></gpx>" for n in (1, 2, 3)}
    docs |= place.side("/shares", 4)
    shelf = _Single(docs, lambda doc: f'"t{md5(doc.body, 12)}"', refusals("en", "xml"))
    server = place.house(stage, shelf, "trackd/0.4")
    me = stage.actor("client", server, "tracks.touring.example", "requests", {"User-Agent": "TourSync/3.1"})
    first = place.reads(me, "/tracks/1.gpx", "/tracks/2.gpx")[1]
    place.rounds(me, place.paths("/shares", 4), 11, 189)
    gpx = {"Content-Type": "application/gpx+xml"}
    own = {"If-Match": first.etag, **gpx}
    second = me.put("/tracks/2.gpx", "<gpx><name>Tour 2a</name></gpx>", 200, own)
    me.get("/healthz")
    both = {"If-Match": f"{first.etag}, {second.etag}", **gpx}
    me.put("/tracks/2.gpx", "<gpx><name>Tour 2b</name></gpx>", 412, both)
    place.holds(me.get("/tracks/2.gpx").etag == second.etag)
    me.put("/tracks/2.gpx", "<gpx><name>Tour 2b</name></gpx>", 412, both)
    me.put("/tracks/2.gpx", "<gpx><name>Tour 2b</name></gpx>", 200, {"If-Match": second.etag, **gpx})


class _After(Shelf):
    """Looks at the condition once more when the write is done."""

    def done(self, ask: Ask, made: Doc, *, created: bool) -> Reply:
        status, why = self.judge(ask, made)
        if status and not created:
            return self.refuse(status, why, ask.path)
        return super().done(ask, made, created=created)


@case(
    "d190",
    "refused-and-stored-all-the-same",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "A service compares If-Match after it has stored. Each first try with the tag of a moment ago is 412, and the "
        "read after it shows the new content under a new tag; the origin saw one request, and nobody else writes."
    ),
)
def after(stage: Stage) -> None:
    """Be refused by a write that took place."""
    docs: dict[str, Any] = {f"/tanks/{n}": {"tank": n, "litres": 500 * n, "log": []} for n in (1, 2, 3)}
    docs |= place.side("/vats", 4)
    shelf = _After(docs, lambda doc: f'"{doc.rev:04}"', refusals("es", "code"))
    server = place.house(stage, shelf, "bodega", "waitress")
    me = stage.actor("client", server, "tanques.bodega.test", "aiohttp", {"X-User": "enologa"})
    place.reads(me, "/tanks", "/tanks/1")
    place.glance(me, place.paths("/vats", 4), 8, 190)
    seen = me.get("/tanks/2")
    place.save(me, "/tanks/2", seen, 412, litres=940, log=["trasiego 18-b"])
    again = me.get("/tanks/2")
    place.holds(again.json["log"] == ["trasiego 18-b"] and again.etag != seen.etag)
    place.pause(0.5)
    seen = me.get("/tanks/3")
    place.save(me, "/tanks/3", seen, 412, litres=1490, log=["muestra 7"])
    place.holds(me.get("/tanks/3").json["litres"] == 1490)
    me.put("/tanks/4", {"tank": 4, "litres": 0, "log": []}, 201)


@case(
    "d191",
    "both-bookings-of-one-seat",
    "check-then-write-race",
    "lost-update",
    alone="other-writer check-then-write-race",
    description=(
        "Two box offices save one row of seats with the same tag at the same time; the service checks both before it "
        "stores either, so both are 200 and the first booking is gone. Its office's next save, with the tag of its "
        "own 200, is 412: one after the other, the check holds."
    ),
)
def seats(stage: Stage) -> None:
    """Let two writes pass one check."""
    docs: dict[str, Any] = {f"/rows/{n}": {"row": n, "taken": {}} for n in "ABC"} | place.side("/shows", 3)
    shelf = Shelf(docs, lambda doc: f'"{md5(doc.body, 8)}"', refusals("it"), gap=0.35)
    server = place.house(stage, shelf, "platea/7", "cheroot")
    me = stage.actor("client", server, "platea.teatro.test", "requests", {"X-User": "cassa-1"})
    other = stage.actor("other", server, "platea.teatro.test", "httpx", {"X-User": "cassa-2"})
    place.reads(me, "/rows", "/rows/A")
    place.rounds(me, place.paths("/shows", 3), 6, 191)
    seen, theirs = me.get("/rows/B"), other.get("/rows/B")
    mine, _ = place.together(
        lambda: place.save(me, "/rows/B", seen, taken={"9": "Serra"}),
        lambda: place.save(other, "/rows/B", theirs, taken={"4": "Conti"}),
        apart=0.12,
    )
    place.save(me, "/rows/B", mine, 412, taken={"9": "Serra", "10": "Serra"})
    now = me.get("/rows/B").json["taken"]
    place.holds(now == {"4": "Conti"}, now)
    me.get("/rows/C")


class _Restless(Shelf):
    """Mixes a counter into each tag."""

    asked = 0

    def tag(self, doc: Doc, ask: Ask) -> str | None:
        self.asked += 1
        return f'"{md5(doc.body + ask.path.encode() + str(self.asked).encode(), 20)}"'


@case(
    "d192",
    "a-tag-of-each-answer-its-own",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "A catalogue of seeds has another tag in each answer, over the same bytes and with the same date, from one "
        "process. No conditional read is 304, and each guarded save is 412."
    ),
)
def seeds(stage: Stage) -> None:
    """Meet a tag that does not hold still."""
    docs: dict[str, Any] = {
        f"/seeds/{n}": {"name": n, "year": 2024, "grams": 20} for n in ("borage", "kale", "leek")
    }
    server = place.house(stage, _Restless(docs, refuse=refusals("nl")), "zaadbank")
    me = stage.actor("client", server, "zaden.tuin.test", "node:fetch", {"X-User": "inge"})
    seen = place.reads(me, "/seeds", "/seeds/kale", "/seeds/kale", "/seeds/kale")
    place.holds(len({one.etag for one in seen[1:]}) == 3 and len({one.body for one in seen[1:]}) == 1)
    place.kept(me, "/seeds/kale", seen[3], 200)
    for grams in (18, 18):
        place.edit(me, "/seeds/kale", 412, grams=grams)
        place.pause(0.3)
    me.get("/seeds/leek")


class _Headed(Shelf):
    """Makes HEAD's tag from size and date."""

    def tag(self, doc: Doc, ask: Ask) -> str | None:
        if ask.method == "HEAD":
            return f'"{int(doc.changed):x}-{len(doc.body):x}"'
        return super().tag(doc, ask)


@case(
    "d193",
    "head-and-get-name-two-tags",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "A deployment tool asks for the tag by HEAD, which the service makes from date and size, and sends it with PUT, "
        "which compares with the hash that GET gives: 412 each time. With the tag of GET the save is taken."
    ),
)
def headed(stage: Stage) -> None:
    """Take the tag from HEAD."""
    docs: dict[str, Any] = {
        f"/units/{n}.service": f"[Unit]\nDescription={n}\n" for n in ("relay", "probe", "sink")
    }
    server = place.house(stage, _Headed(docs, refuse=refusals("en", "text")), "unitstore", "waitress")
    me = stage.actor("client", server, "units.fleet.example", "curl:trace-ascii", {"User-Agent": "roll/0.9"})
    me.get("/units")
    text = {"Content-Type": "text/plain"}
    for name in ("probe", "relay"):
        head = me.send("HEAD", f"/units/{name}.service", 200)
        body = f"[Unit]\nDescription={name}\nAfter=network.target\n"
        me.put(f"/units/{name}.service", body, 412, {"If-Match": head.etag, **text})
    seen = me.get("/units/probe.service")
    me.put("/units/probe.service", "[Unit]\nDescription=probe 2\n", 200, {"If-Match": seen.etag, **text})
    me.get("/healthz")


class _Spoken(Shelf):
    """Has a representation, and a tag, for each language."""

    def tag(self, doc: Doc, ask: Ask) -> str | None:
        language = ask.fields.get("accept-language", "en")[:2]
        return f'"{language}-{doc.rev}"'

    def read(self, ask: Ask) -> Reply:
        status, fields, content = super().read(ask)
        language = ask.fields.get("accept-language", "en")[:2]
        if isinstance(content, bytes):
            held: Any = self.docs[ask.path].json
            content = {**held, "label": held["labels"].get(language, "")}
        return status, {**fields, "Vary": "Accept-Language", "Content-Language": language}, content


@case(
    "d194",
    "read-in-polish-written-in-english",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A museum's labels have a tag for each language. The editor reads with Accept-Language: pl and saves without, "
        "so the tag is compared with that of the English one: 412. Saved with the language of the read it is taken."
    ),
)
def labels(stage: Stage) -> None:
    """Negotiate the read and not the write."""
    docs: dict[str, Any] = {
        f"/labels/{n}": {"no": n, "labels": {"pl": f"waza {n}", "en": f"vase {n}"}} for n in (210, 211, 212)
    }
    server = place.house(stage, _Spoken(docs, refuse=refusals("en", "flat")), "labelarium", "cheroot")
    me = stage.actor("client", server, "labels.muzeum.test", "requests", {"X-User": "kustosz"})
    me.get("/labels")
    place.glance(me, ["/labels/210", "/labels/212", "/healthz"], 6, 194)
    polish = {"Accept-Language": "pl"}
    seen = me.get("/labels/211", 200, polish)
    body = {"no": 211, "labels": {"pl": "waza etruska", "en": "vase 211"}}
    me.put("/labels/211", body, 412, {"If-Match": seen.etag})
    seen = me.get("/labels/211", 200, polish)
    me.put("/labels/211", body, 412, {"If-Match": seen.etag})
    me.get("/labels/212", 200, {"Accept-Language": "en"})
    me.put("/labels/211", body, 200, {"If-Match": seen.etag, **polish})


@case(
    "d195",
    "the-answer-was-lost-behind-the-tunnel",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "The connection of a train crew's tablet breaks after the service has stored a report. The program sends the "
        "same save again under the same Idempotency-Key and gets 412; what is stored is its own, with its run id."
    ),
)
def tunnel(stage: Stage) -> None:
    """Meet one's own write on the second try."""
    docs: dict[str, Any] = {
        f"/reports/{n}": {"train": n, "delay": 0, "run": None} for n in (2041, 2043, 2045)
    }
    docs |= place.side("/crews", 4)
    shelf = Shelf(docs, lambda doc: f'"{md5(doc.body, 24)}"', refusals("de"))
    server = place.house(stage, shelf, "Zugmeldung", "waitress")
    front = fronts.lighttpd(stage, server)
    loses = place.nth("PUT /reports/2043", 1)
    me = stage.actor("client", front, "meldung.bahn.test", "httpx", {"X-User": "tablet-88"}, loses=loses)
    place.reads(me, "/reports", "/reports/2041", "/reports/2043")
    place.rounds(me, place.paths("/crews", 4), 13, 195, "shift")
    seen = me.get("/reports/2043")
    own = {"If-Match": seen.etag, "Idempotency-Key": "6b1c0f0e-51d2-4c0a-9a35-0a0e7d1f2b77"}
    body = {"train": 2043, "delay": 7, "run": "tablet-88/117"}
    me.put("/reports/2043", body, 0, own)
    place.pause(0.9)
    me.put("/reports/2043", body, 412, own)
    place.holds(me.get("/reports/2043").json == body)
    me.get("/reports/2045")
