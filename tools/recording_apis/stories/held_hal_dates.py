"""Stories of services whose only version is a date."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.hal_core import Desk, Res, Sheet, Table, http_date, iso
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_hal_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.apps.hal_core import Req
    from tools.recording_apis.stage import Stage


def _past(table: Table, digits: int = 0) -> Any:
    def told(_req: Req, key: str) -> Res:
        rows = [*table.rows[key].past, table.rows[key]]
        return Res(
            200, [{"rev": r.n, "by": r.by, "storedAt": iso(r.at, digits), "was": r.data} for r in rows]
        )

    return told


@case(
    "d745",
    "hal-two-sluice-orders-in-one-second",
    "date-precision",
    "lost-update",
    alone="date-precision",
    description=(
        "A sluice's orders carry Last-Modified alone. The shift and the lock keeper store within one second, so that "
        "both versions bear one date: the shift's next save, under the date of its own, passes and takes the keeper's "
        "change away. The journal has thousandths."
    ),
)
def sluice(stage: Stage) -> None:
    """Store thrice within a second."""
    desk = Desk(Server="Schleuse")
    table = Table.of({f"S{n}": {"gate": "closed", "lamp": "red", "fill_cm": 0} for n in (1, 2)}, 12)
    sheet = Sheet(desk, "/orders", table, "date", need=428)
    sheet.words = lambda _req, key, _row: {"error": "order was changed", "order": key}
    desk.on("GET", "/orders/{key}/journal", _past(table, 3))
    desk.page("/levels", {"upper": 311, "lower": 94})
    server = at.house(stage, desk, "cheroot", "a sluice's orders")
    me = stage.actor("client", server, "orders.schleuse.example", "httpx", {"X-User": "shift"})
    keeper = stage.actor("other", server, "orders.schleuse.example", "requests", {"X-User": "keeper"})
    at.again(me, "/levels")
    keeper.get("/levels")
    other = me.get("/orders/S2")
    me.put(
        "/orders/S2",
        {**other.json, "lamp": "green"},
        200,
        {"If-Unmodified-Since": other.fields["last-modified"]},
    )
    seen = me.get("/orders/S1")
    time.sleep(1.08 - time.time() % 1)
    one = me.put(
        "/orders/S1", {**seen.json, "fill_cm": 40}, 200, {"If-Unmodified-Since": seen.fields["last-modified"]}
    )
    theirs = keeper.get("/orders/S1")
    keeper.put(
        "/orders/S1",
        {**theirs.json, "gate": "open"},
        200,
        {"If-Unmodified-Since": theirs.fields["last-modified"]},
    )
    at.wait(0.2)
    two = me.put(
        "/orders/S1", {**one.json, "fill_cm": 85}, 200, {"If-Unmodified-Since": one.fields["last-modified"]}
    )
    at.must(one.fields["last-modified"] == two.fields["last-modified"] == theirs.fields["last-modified"])
    at.wait(1.2)
    me.get("/levels")
    told = me.get("/orders/S1/journal").json
    at.must([one["was"]["gate"] for one in told] == ["closed", "closed", "open", "closed"])


@case(
    "d738",
    "hal-feeder-whose-clock-is-ahead",
    "clock-skew",
    "lost-update",
    alone="clock-skew",
    description=(
        "A fish farm's feeder dates its conditions by its own clock, which is eleven minutes and more ahead. Its polls "
        "since then are 304 though the vet has changed the ration, and its save passes over that change; the history "
        "shows the medicated feed gone."
    ),
)
def feeder(stage: Stage) -> None:
    """Go by a clock of one's own."""
    ahead = 697.0
    desk = Desk(Server="Laksefor")
    table = Table.of(
        {f"merd-{n}": {"kg": 40, "pellet": "4.5 mm", "medisin": None} for n in (3, 4)}, 2, age=9000
    )
    sheet = Sheet(desk, "/rasjon", table, "date", need=428)
    sheet.words = lambda _req, key, _row: {"feil": "rasjonen er endret", "merd": key}
    desk.on("GET", "/rasjon/{key}/historie", _past(table))
    desk.page("/sensorer", {"oksygen": 8.1, "temp": 9.4})
    server = at.house(stage, desk, "flask", "a fish farm's rations")
    me = stage.actor("client", server, "rasjon.oppdrett.example", "urllib", {"X-User": "automat-2"})
    vet = stage.actor("other", server, "rasjon.oppdrett.example", "node:fetch", {"X-User": "vet-7"})
    at.again(me, "/sensorer")
    for key in ("merd-4", "merd-3"):
        seen = me.get(f"/rasjon/{key}").json
        mine = http_date(time.time() + ahead)
        at.wait(0.4)
        if key == "merd-3":
            theirs = vet.get(f"/rasjon/{key}")
            guard = {"If-Unmodified-Since": theirs.fields["last-modified"]}
            vet.put(f"/rasjon/{key}", {**theirs.json, "medisin": "florfenikol"}, 200, guard)
            at.wait(1.1)
        me.get(f"/rasjon/{key}", 304, {"If-Modified-Since": mine})
        at.wait(0.4)
        body = {**seen, "kg": 44, "avlest": iso(time.time() + ahead)}
        me.put(f"/rasjon/{key}", body, 200, {"If-Unmodified-Since": mine})
        me.get("/sensorer")
    at.wait(0.5)
    told = me.get("/rasjon/merd-3/historie").json
    at.must([one["was"]["medisin"] for one in told] == [None, "florfenikol", None])


@case(
    "d719",
    "hal-auction-lot-by-the-wall-clock",
    "timezone-error",
    "lost-update",
    alone="timezone-error",
    description=(
        "A tea auction's client writes the Last-Modified that it was given as its own wall clock shows it, five and a "
        "half hours on, and calls it GMT. The condition always holds: a taster's grade, set in between, is overwritten."
    ),
)
def auction(stage: Stage) -> None:
    """Write local time as GMT."""
    desk = Desk(Server="Lots/3")
    data = {f"DJ-{n}": {"grade": "FTGFOP", "chests": 12, "reserve_inr": 2400} for n in (31, 32, 33)}
    table = Table.of(data, 4, age=2500)
    sheet = Sheet(desk, "/catalogue/lots", table, "date", need=428)
    sheet.words = lambda _req, key, _row: {"error": "LOT_MODIFIED", "lot": key}
    desk.on("GET", "/catalogue/lots/{key}/trail", _past(table))
    desk.page("/catalogue/sale", {"sale": 47, "room": "B"})
    server = at.house(stage, desk, "waitress", "a tea auction")
    me = stage.actor("client", server, "lots.teaauction.example", "java", {"X-User": "broker-9"})
    taster = stage.actor("other", server, "lots.teaauction.example", "curl", {"X-User": "taster"})
    at.again(me, "/catalogue/sale")
    me.get("/catalogue/lots")
    for key in ("DJ-31", "DJ-33"):
        seen = me.get(f"/catalogue/lots/{key}")
        local = parsedate_to_datetime(seen.fields["last-modified"]).timestamp() + 5.5 * 3600
        if key == "DJ-33":
            theirs = taster.get(f"/catalogue/lots/{key}")
            guard = {"If-Unmodified-Since": theirs.fields["last-modified"]}
            taster.put(f"/catalogue/lots/{key}", {**theirs.json, "grade": "TGFOP"}, 200, guard)
        at.wait(1.2)
        body = {**seen.json, "reserve_inr": 2650}
        me.put(f"/catalogue/lots/{key}", body, 200, {"If-Unmodified-Since": http_date(local)})
        me.get("/catalogue/sale")
    told = me.get("/catalogue/lots/DJ-33/trail").json
    at.must([one["was"]["grade"] for one in told] == ["FTGFOP", "TGFOP", "FTGFOP"])
