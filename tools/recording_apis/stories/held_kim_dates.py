"""Stories on dates as conditions: too fine, too early, too late."""

from __future__ import annotations

import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.kim_room import Room
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_kim_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.apps.vic_core import Doc
    from tools.recording_apis.stage import Stage


def _lm(at: float) -> str:
    return formatdate(at, usegmt=True)


def _set_ahead(room: Room, seconds: float) -> None:
    """Let a room's clock be ahead of everybody else's."""
    plain = room.store

    def store(path: str, data: object, by: str, media: str = "application/json") -> Doc:
        doc = plain(path, data, by, media)
        doc.at += seconds
        return doc

    room.store = store  # type: ignore[method-assign]
    room.after.append(lambda _req, res: res.fields.update({"Date": _lm(time.time() + seconds)}))


@case(
    "d865",
    "kim-stored-finer-than-shown",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "A vineyard's service keeps times in microseconds and compares If-Unmodified-Since with them, while "
        "Last-Modified has whole seconds: the exact echo of the served date is refused each time, a second more passes. "
        "The content shows the fine time; nobody else writes."
    ),
)
def parcels(stage: Stage) -> None:
    """Echo the date in vain."""
    docs: dict[str, Any] = {
        f"/parzellen/{n}": {"parzelle": n, "oechsle": 84, "lese": None}
        for n in ("kalkofen", "schlossberg", "in-der-hölle")
    }
    room = Room(
        docs, dates=True, say={412: {"erreur": "version", "message": "La parcelle a été modifiée depuis."}}
    )
    room.fine = True
    room.unchanged = lambda since, doc: doc.at <= parsedate_to_datetime(since).timestamp()
    for doc in room.docs.values():
        doc.at = int(doc.at) + 0.48 + doc.at % 0.4
    room.names = ("auteur", "modifieLe")
    room.beside({"/vent": {"kmh": 14}, "/cuve": [{"no": 3, "litres": 900}]})
    front = fronts.squid(
        stage, place.opened(stage, room, "django"), "cache deny all", "parzellen.weingut.test"
    )
    me = stage.actor(
        "client", front, "parzellen.weingut.test", "curl:trace-time", {"X-User": "kellermeister"}
    )
    place.look(me, "/vent", "/parzellen", "/cuve")
    for name in ("kalkofen", "schlossberg"):
        seen = me.get(f"/parzellen/{name}")
        shown = seen.fields["last-modified"]
        me.put(f"/parzellen/{name}", {**seen.json, "oechsle": 88}, 412, {"If-Unmodified-Since": shown})
        place.rest(0.4)
        seen = me.get(f"/parzellen/{name}")
        place.sure(seen.fields["last-modified"] == shown)
        me.put(f"/parzellen/{name}", {**seen.json, "oechsle": 88}, 412, {"If-Unmodified-Since": shown})
    later = _lm(parsedate_to_datetime(shown).timestamp() + 1)
    me.put("/parzellen/schlossberg", {**seen.json, "oechsle": 88}, 200, {"If-Unmodified-Since": later})
    me.get("/vent")


@case(
    "d875",
    "kim-service-clock-ahead",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A weather network's service is 37 minutes ahead, its Date and Last-Modified with it; the client takes its own "
        "clock's time of the read as If-Unmodified-Since: stations changed within the last half hour are refused again "
        "and again, older ones pass, and so does the served date."
    ),
)
def network(stage: Stage) -> None:
    """Trust one's own clock."""
    ahead = 37 * 60.0
    docs: dict[str, Any] = {
        f"/sites/{n}": {"site": n, "height": 410, "sensor": "PT100"}
        for n in ("abisko", "kiruna", "nikkaluokta")
    }
    room = Room(docs, dates=True, say={412: {"fel": "ändrad sedan dess"}})
    for number, doc in enumerate(room.docs.values()):
        doc.at = time.time() - 86000 if number == 1 else time.time() + ahead - 400 - 71 * number
    _set_ahead(room, ahead)
    room.names = ("av", "tid")
    room.beside({"/network": {"sites": 3}, "/latest": {"abisko": -11.2, "kiruna": -9.8}})
    me = stage.actor(
        "client",
        place.opened(stage, room, "waitress", "server clock 37 min ahead"),
        "sites.vaeder.example",
        "requests",
        {"X-User": "sync"},
    )
    place.look(me, "/network", "/sites")
    for name in ("kiruna", "abisko", "nikkaluokta"):
        seen = me.get(f"/sites/{name}")
        read = _lm(time.time())
        place.rest(0.3)
        good = name == "kiruna"
        me.put(
            f"/sites/{name}",
            {**seen.json, "sensor": "PT1000"},
            200 if good else 412,
            {"If-Unmodified-Since": read},
        )
        if not good:
            place.rest(1.1)
            again = me.get(f"/sites/{name}")
            place.sure(again.fields["last-modified"] == seen.fields["last-modified"])
            me.put(
                f"/sites/{name}",
                {**seen.json, "sensor": "PT1000"},
                412,
                {"If-Unmodified-Since": _lm(time.time())},
            )
    me.put(
        "/sites/abisko",
        {"site": "abisko", "height": 410, "sensor": "PT1000"},
        200,
        {"If-Unmodified-Since": me.get("/sites/abisko").fields["last-modified"]},
    )
    me.get("/latest")


@case(
    "d845",
    "kim-dates-nine-hours-late",
    "timezone-error",
    "lost-update",
    alone="timezone-error",
    description=(
        "A bookshop's stock client writes served dates in its local time (UTC+9) and labels them GMT: its condition is "
        "nine hours late and never fails, and a clerk's reservation from in between is lost, as the stock's log shows."
    ),
)
def stock(stage: Stage) -> None:
    """Send a date that is nine hours late."""
    docs: dict[str, Any] = {
        f"/stock/{n}": {"isbn": n, "shelf": "B2", "copies": 4, "reserved": []}
        for n in ("4-10-109205", "4-06-275302", "4-16-711003")
    }
    room = Room(docs, dates=True, first=6, age=6000.0)
    room.logged("/stock-log")
    room.beside({"/me": {"store": "神保町"}, "/rates": {"tax": 10}})
    front = fronts.nginx(stage, place.opened(stage, room, "bottle"))
    me = stage.actor("client", front, "stock.shoten.example", "urllib", {"X-User": "tana-oroshi"})
    other = stage.actor("other", front, "stock.shoten.example", "requests", {"X-User": "clerk-2"})
    place.look(me, "/me", "/stock", "/rates")

    def local(shown: str) -> str:
        return _lm(parsedate_to_datetime(shown).timestamp() + 9 * 3600)

    held = {name: me.get(f"/stock/{name}") for name in ("4-10-109205", "4-06-275302")}
    theirs = other.get("/stock/4-06-275302")
    other.put(
        "/stock/4-06-275302",
        {**theirs.json, "reserved": ["Sato"]},
        200,
        {"If-Unmodified-Since": theirs.fields["last-modified"]},
    )
    place.rest(1.3)
    for name, seen in held.items():
        me.put(
            f"/stock/{name}",
            {**seen.json, "copies": 3},
            200,
            {"If-Unmodified-Since": local(seen.fields["last-modified"])},
        )
        place.rest(0.3)
    place.sure(me.get("/stock/4-06-275302").json["reserved"] == [])
    me.get("/stock-log?of=/stock/4-06-275302")
