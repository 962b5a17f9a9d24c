"""More stories on business applications with versions of their own making."""

from __future__ import annotations

import itertools
import re
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.cal_books import Books, stamp
from tools.recording_apis.apps.vic_core import Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d509",
    "cal-fingerprint-with-the-clock-in-it",
    "unstable-etag",
    "409",
    alone="unstable-etag",
    description=(
        "A hotel's rate service makes the fingerprint of a rate over its answer, which holds the time of rendering: two "
        "reads in a row give the same rate under two fingerprints, and each save with the one just read is 409."
    ),
)
def fingerprint(stage: Stage) -> None:
    """Save under a fingerprint that is gone."""
    books = Books({n: {"room": n, "eur": 129, "board": "BB"} for n in ("dbl", "sgl", "ste")})
    nonce = itertools.count(0x2F10)

    def mark(doc: Doc) -> str:
        return f"{next(nonce) * 2654435761 % 2**32:08x}{doc.digest()[:4]}"

    @books.on("GET", "/rates/(\\w+)")
    def read(_req: Req, key: str) -> Res:
        doc = books.rows[key]
        return Res(200, {**doc.data, "changed": stamp(doc.at, 0), "fingerprint": mark(doc)})

    @books.on("PUT", "/rates/(\\w+)")
    def save(req: Req, key: str) -> Res:
        now = mark(books.rows[key])
        if req.json["fingerprint"] != now:
            said = {"code": "FINGERPRINT_MISMATCH", "sent": req.json["fingerprint"], "current": now}
            return Res(409, {"error": said, "changed": stamp(books.rows[key].at, 0)})
        books.keep(key, req.json)
        return Res(200, req.json)

    books.on("GET", "/ping")(lambda _req: Res(200, {"pong": True}))
    me = stage.actor("client", place.open_box(stage, books, "starlette"), "rates.hotel.test", "node:fetch")
    me.get("/ping")
    place.usual(books, me, "/rooms", "/boards")
    one, two = me.get("/rates/dbl").json, me.get("/rates/dbl").json
    place.sure(one.pop("fingerprint") != two.pop("fingerprint") and one == two)
    for key in ("dbl", "dbl", "ste"):
        seen = me.get(f"/rates/{key}").json
        me.put(f"/rates/{key}", {**seen, "eur": 119}, 409)
        place.rest(0.4)
    me.get("/ping")
    place.sure(me.get("/rates/dbl").json["eur"] == 129)


@case(
    "d469",
    "cal-batch-has-tags-of-its-own",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "A parts service gives each part a tag that is a hash; its batch endpoint compares with one made of revision and "
        "length, as its own refusal shows: with the tag as read every item of a batch is 412, a single PUT is taken."
    ),
)
def batch(stage: Stage) -> None:
    """Send tags of the one path to the other."""
    books = Books({f"p-{n}": {"part": f"p-{n}", "bin": "A1", "qty": 40} for n in (1, 2, 3, 4)}, 6)

    def hashed(key: str) -> str:
        return books.rows[key].digest("sha1")[:18]

    @books.on("GET", "/parts/([\\w-]+)")
    def read(_req: Req, key: str) -> Res:
        return Res(200, {**books.rows[key].data, "etag": hashed(key)})

    @books.on("PUT", "/parts/([\\w-]+)")
    def save(req: Req, key: str) -> Res:
        if req.query["etag"] != hashed(key):
            return Res(412, {"error": "etag", "current": hashed(key)})
        books.keep(key, req.json)
        return Res(200, {**req.json, "etag": hashed(key)})

    @books.on("POST", "/parts/batch")
    def many(req: Req) -> Res:
        told = []
        for one in req.json["operations"]:
            doc = books.rows[one["id"]]
            current = f"{doc.rev}-{len(doc.octets)}"
            told.append(
                {
                    "id": one["id"],
                    "status": 412,
                    "error": "etag mismatch",
                    "sent": one["etag"],
                    "current": current,
                }
            )
        return Res(412, {"committed": False, "results": told})

    server = place.open_box(stage, books, "waitress")
    me = stage.actor("client", server, "parts.garage.test", "requests", {"User-Agent": "stocktake/1"})
    me.get("/parts/p-4")
    place.usual(books, me, "/bins", "/suppliers/44")
    for _ in range(2):
        seen = [me.get(f"/parts/p-{n}").json for n in (1, 2)]
        operations = [
            {"op": "update", "id": one["part"], "etag": one["etag"], "set": {"qty": 39}} for one in seen
        ]
        me.send("POST", "/parts/batch", 412, None, {"atomic": True, "operations": operations})
        place.rest(0.5)
    for part in (1, 2):
        now = me.get(f"/parts/p-{part}").json
        place.sure(now["etag"] == seen[part - 1]["etag"])
        tag = now.pop("etag")
        me.put(f"/parts/p-{part}?etag={tag}", {**now, "qty": 39}, 200)
    me.get("/parts/p-3")


@case(
    "d515",
    "cal-signature-of-the-francs",
    "representation-mismatch",
    "409",
    alone="representation-mismatch",
    description=(
        "A quotation reads differently by currency and has a signature for each reading. The desk reads it in francs and "
        "saves without a currency, which is compared with the signature in euros: 409. Read in euros, the save is taken."
    ),
)
def francs(stage: Stage) -> None:
    """Save with the signature of another reading."""
    books = Books({n: {"quote": n, "eur": 1480, "terms": "30 d"} for n in ("Q-61", "Q-62")}, 3)

    def shown(key: str, currency: str) -> dict[str, Any]:
        data = books.rows[key].data
        amount = data["eur"] if currency == "EUR" else round(data["eur"] * 0.93, 2)
        told = {"quote": key, "currency": currency, "amount": amount, "terms": data["terms"]}
        return {**told, "signature": Doc(told, 1, 0, "").digest("sha256")[:24]}

    @books.on("GET", "/quotes/([\\w-]+)")
    def read(req: Req, key: str) -> Res:
        return Res(200, shown(key, req.query.get("currency", "EUR")))

    @books.on("PUT", "/quotes/([\\w-]+)/terms")
    def save(req: Req, key: str) -> Res:
        currency = req.query.get("currency", "EUR")
        if req.query["signature"] != shown(key, currency)["signature"]:
            return Res(
                409,
                {"error": "signature", "message": f"The signature is not that of this quote in {currency}."},
            )
        books.keep(key, {**books.rows[key].data, **req.json})
        return Res(200, shown(key, currency))

    me = stage.actor("client", place.open_box(stage, books, "falcon"), "quotes.machines.test", "httpx")
    place.usual(books, me, "/currencies", "/customers/88")
    me.get("/quotes/Q-61?currency=CHF")
    for _ in range(2):
        seen = me.get("/quotes/Q-62?currency=CHF").json
        me.put(f"/quotes/Q-62/terms?signature={seen['signature']}", {"terms": "14 d"}, 409)
        place.rest(0.5)
    place.sure(me.get("/quotes/Q-62?currency=CHF").json == seen)
    euros = me.get("/quotes/Q-62").json
    me.put(f"/quotes/Q-62/terms?signature={euros['signature']}", {"terms": "14 d"}, 200)
    francs_now = me.get("/quotes/Q-61?currency=CHF").json["signature"]
    me.put(f"/quotes/Q-61/terms?currency=CHF&signature={francs_now}", {"terms": "14 d"}, 200)


@case(
    "d495",
    "cal-tablet-behind-the-kitchen",
    "clock-skew",
    "409",
    alone="clock-skew",
    description=(
        "A waiter's tablet sends unchangedSince with the time of its own clock, which is five minutes behind the "
        "kitchen server's Date. Orders changed in these five minutes are refused though just read; older ones pass, "
        "and so does a save with the server's own changedAt."
    ),
)
def tablet(stage: Stage) -> None:
    """Send one's own time."""
    ahead = 300.0
    books = Books({n: {"table": n, "items": ["soup"], "note": ""} for n in ("t4", "t7", "t9")}, age=9000)
    books.clock = lambda: time.time() + ahead
    for key, back in (("t7", 45.0), ("t9", 130.0)):
        books.rows[key].at = time.time() + ahead - back

    @books.on("GET", "/orders/(\\w+)")
    def read(_req: Req, key: str) -> Res:
        return Res(200, {**books.rows[key].data, "changedAt": stamp(books.rows[key].at)})

    @books.on("PATCH", "/orders/(\\w+)")
    def save(req: Req, key: str) -> Res:
        changed = stamp(books.rows[key].at)
        if req.query["unchangedSince"] < changed:
            return Res(
                409,
                {
                    "error": "order was changed",
                    "changedAt": changed,
                    "unchangedSince": req.query["unchangedSince"],
                },
            )
        books.keep(key, {**books.rows[key].data, **req.json})
        return read(req, key)

    books.on("GET", "/menu")(lambda _req: Res(200, {"soup": 5.5, "stew": 11}))

    def dated(req: Req) -> Res:
        res = books(req)
        res.fields["Date"] = formatdate(time.time() + ahead, usegmt=True)
        return res

    server = place.open_box(stage, dated, "cheroot")
    me = stage.actor("client", server, "kitchen.tavern.test", "node:axios", {"User-Agent": "waiter/3"})
    me.get("/menu")
    place.usual(books, me, "/tables")
    for key, status in (("t4", 200), ("t7", 409), ("t9", 409), ("t7", 409)):
        seen = me.get(f"/orders/{key}").json
        me.send(
            "PATCH", f"/orders/{key}?unchangedSince={stamp(time.time())}", status, None, {"note": "no salt"}
        )
        place.rest(0.5)
    me.get("/menu")
    me.send("PATCH", f"/orders/t7?unchangedSince={seen['changedAt']}", 200, None, {"note": "no salt"})


_SOAP = (
    '<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    "{}</soap:Body></soap:Envelope>"
)


def bookings(first: int = 12) -> Books:
    """Return a SOAP service of bookings that keep a RowVersion."""
    books = Books({n: {"Guest": "Ferreira", "Nights": "2"} for n in ("B-70", "B-71", "B-72")}, first)

    @books.on("POST", "/BookingService.svc")
    def soap(req: Req) -> Res:
        sent = dict(re.findall(r"<b:(\w+)>([^<]*)</b:", req.body.decode()))
        key, action = sent.pop("Id"), req.fields["soapaction"].strip('"').rsplit("/", 1)[1]
        if action == "UpdateBooking":
            if sent.pop("RowVersion") != str(books.rows[key].rev):
                said = f"Booking {key} is at RowVersion {books.rows[key].rev}."
                fault = f"<soap:Fault><faultcode>soap:Client</faultcode><faultstring>{said}</faultstring><detail><ConcurrencyFault/></detail></soap:Fault>"
                return Res(500, _SOAP.format(fault))
            books.keep(key, {**books.rows[key].data, **sent})
        doc = books.rows[key]
        told = "".join(f"<b:{name}>{one}</b:{name}>" for name, one in doc.data.items())
        told = f"<b:Id>{key}</b:Id>{told}<b:RowVersion>{doc.rev}</b:RowVersion><b:Modified>{stamp(doc.at)}</b:Modified>"
        return Res(
            200, _SOAP.format(f'<{action}Response xmlns:b="urn:inn:bookings">{told}</{action}Response>')
        )

    return books


def ask(me: Any, action: str, expect: int = 200, **given: object) -> dict[str, str]:
    """Call the service of bookings and return what it told, nothing after a fault or without an answer."""
    inner = "".join(f"<b:{name}>{one}</b:{name}>" for name, one in given.items())
    body = _SOAP.format(f'<{action} xmlns:b="urn:inn:bookings">{inner}</{action}>')
    fields = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"urn:inn:bookings/{action}"'}
    return dict(
        re.findall(r"<b:(\w+)>([^<]*)</b:", me.send("POST", "/BookingService.svc", expect, fields, body).text)
    )


@case(
    "d478",
    "cal-soap-answer-on-the-train",
    "lost-response-replay",
    "conflict",
    alone="lost-response-replay",
    description=(
        "The answer to an update of a booking is lost with the connection; the program sends the same envelope again and gets "
        "a ConcurrencyFault, for the first one was stored: a read shows its own nights under the next RowVersion."
    ),
)
def train(stage: Stage) -> None:
    """Send an update again whose answer was lost."""
    server = place.open_box(stage, bookings(), "waitress")
    lost = place.drops("POST", "/BookingService", 4)
    me = stage.actor(
        "client", server, "soap.inn.test", "requests", {"User-Agent": "FrontDesk/2.2"}, loses=lost
    )
    ask(me, "GetBooking", Id="B-70")
    first = ask(me, "GetBooking", Id="B-72")
    ask(me, "UpdateBooking", Id="B-72", Nights=3, RowVersion=first["RowVersion"])
    place.rest(0.4)
    sent = {"Id": "B-71", "Guest": "Ferreira", "Nights": 5, "RowVersion": 12}
    ask(me, "UpdateBooking", 0, **sent)
    place.rest(0.8)
    ask(me, "UpdateBooking", 500, **sent)
    now = ask(me, "GetBooking", Id="B-71")
    place.sure((now["Nights"], now["RowVersion"]) == ("5", "13"))
    place.rest(0.3)
    held = ask(me, "GetBooking", Id="B-70")["RowVersion"]
    for guest in ("Ferreira, J.", "Ferreira, Joana"):
        held = ask(me, "UpdateBooking", Id="B-70", Guest=guest, RowVersion=held)["RowVersion"]
        place.rest(0.2)
    ask(me, "GetBooking", Id="B-72")


@case(
    "d467",
    "cal-conflict-that-looks-like-no-rights",
    "status-dialect-mismatch",
    "403",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description=(
        "A customs declaration that a colleague has changed is refused with 403 and the code STALE_OBJECT. The client takes "
        "403 for a session that has ended, signs in again, and sends the same, twice over; only a new read helps."
    ),
)
def forbidden(stage: Stage) -> None:
    """Sign in again because of a conflict."""
    books = Books(
        {n: {"mrn": n, "gross": 1200, "status": "draft"} for n in ("26FR01", "26FR02", "26FR03")}, 4
    )
    tickets = itertools.count(0x71A0)
    books.on("POST", "/session")(lambda _req: Res(201, {"ticket": f"{next(tickets):x}", "expires": 3600}))

    @books.on("GET", "/declarations/(\\w+)")
    def read(_req: Req, key: str) -> Res:
        return Res(200, {**books.rows[key].data, "objectVersion": books.rows[key].rev})

    @books.on("PUT", "/declarations/(\\w+)")
    def save(req: Req, key: str) -> Res:
        doc = books.rows[key]
        if req.json["objectVersion"] != doc.rev:
            said = f"Object version {req.json['objectVersion']} is not the current version {doc.rev}"
            return Res(403, {"code": "STALE_OBJECT", "message": said})
        books.keep(key, {name: one for name, one in req.json.items() if name != "objectVersion"}, req.who)
        return read(req, key)

    server = place.open_box(stage, books, "bottle")
    me = stage.actor("client", server, "customs.freight.test", "aiohttp", {"X-User": "broker-1"})
    other = stage.actor("other", server, "customs.freight.test", "requests", {"X-User": "broker-2"})
    me.send("POST", "/session", 201, None, {"user": "broker-1"})
    me.get("/declarations/26FR01")
    seen, theirs = me.get("/declarations/26FR02").json, other.get("/declarations/26FR02").json
    other.put("/declarations/26FR02", {**theirs, "gross": 1260}, 200)
    place.rest(0.6)
    for _ in range(2):
        me.put("/declarations/26FR02", {**seen, "status": "lodged"}, 403)
        ticket = me.send("POST", "/session", 201, None, {"user": "broker-1"}).json["ticket"]
        place.rest(0.3)
    me.put("/declarations/26FR02", {**seen, "status": "lodged"}, 403, {"X-Ticket": ticket})
    place.rest(0.8)
    now = me.get("/declarations/26FR02").json
    me.put("/declarations/26FR02", {**now, "status": "lodged"}, 200)


@case(
    "d512",
    "cal-same-revision-six-times",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A sync program puts a contract to the path of the revision it was made from, /revisions/22, and after 409 tries the "
        "same path five times more, with longer and longer pauses and no read, while the contract is at 23 since long."
    ),
)
def six_times(stage: Stage) -> None:
    """Try the same revision again and again."""
    books = Books({n: {"contract": n, "fee": 90, "owner": "Ito"} for n in ("k31", "k32")}, 22)

    @books.on("GET", "/contracts/(\\w+)/revisions/latest")
    def latest(_req: Req, key: str) -> Res:
        return Res(200, {"revision": books.rows[key].rev, "content": books.rows[key].data})

    @books.on("PUT", "/contracts/(\\w+)/revisions/(\\d+)")
    def follow(req: Req, key: str, base: str) -> Res:
        if int(base) != books.rows[key].rev:
            return Res(
                409, {"message": f"revision {base} already has a successor", "latest": books.rows[key].rev}
            )
        return Res(201, {"revision": books.keep(key, req.json).rev})

    server = place.open_box(stage, books, "stdlib")
    me = stage.actor("client", server, "contracts.law.test", "urllib", {"User-Agent": "docsync/0.5"})
    other = stage.actor("other", server, "contracts.law.test", "httpx", {"User-Agent": "portal/3"})
    seen = {key: me.get(f"/contracts/{key}/revisions/latest").json for key in ("k31", "k32")}
    theirs = other.get("/contracts/k32/revisions/latest").json
    other.put("/contracts/k32/revisions/22", {**theirs["content"], "owner": "Abe"}, 201)
    place.rest(0.5)
    me.put("/contracts/k31/revisions/22", {**seen["k31"]["content"], "fee": 95}, 201)
    place.usual(books, me, "/templates/nda")
    for pause in (0.2, 0.4, 0.8, 1.4, 2.2, 0.1):
        me.put("/contracts/k32/revisions/22", {**seen["k32"]["content"], "fee": 95}, 409)
        place.rest(pause)
    me.get("/contracts/k31/revisions/latest")


@case(
    "d516",
    "cal-one-number-for-the-whole-book",
    "coarse-token-scope",
    "409",
    alone="coarse-token-scope",
    description=(
        "A budget has one version for all its lines. While a line is edited, a colleague fills in three others: the version "
        "has moved on by three, the line itself is as read, and its save is refused, twice in the same way."
    ),
)
def budget(stage: Stage) -> None:
    """Be refused because of other lines."""
    books = Books({f"{n}": {"line": n, "planned": 1000 * n, "by": ""} for n in range(1, 9)})
    book = itertools.count(311)
    now = [next(book)]

    @books.on("GET", "/budgets/2027/lines/(\\d)")
    def read(_req: Req, key: str) -> Res:
        return Res(200, {**books.rows[key].data, "bookVersion": now[0]})

    @books.on("PUT", "/budgets/2027/lines/(\\d)")
    def save(req: Req, key: str) -> Res:
        if req.query["bookVersion"] != str(now[0]):
            said = f"El presupuesto 2027 está en la versión {now[0]}, no en la {req.query['bookVersion']}."
            return Res(409, {"error": "version_del_libro", "detalle": said})
        books.keep(key, req.json)
        now[0] = next(book)
        return read(req, key)

    books.on("GET", "/budgets/2027")(
        lambda _req: Res(200, {"year": 2027, "bookVersion": now[0], "lines": len(books.rows)})
    )
    server = place.open_box(stage, books, "flask")
    me = stage.actor("client", server, "presupuesto.ayto.example", "requests", {"X-User": "deportes"})
    other = stage.actor("other", server, "presupuesto.ayto.example", "curl", {"X-User": "cultura"})
    me.get("/budgets/2027")
    for theirs in ((2, 3, 4), (5, 6)):
        seen = me.get("/budgets/2027/lines/7").json
        version = seen.pop("bookVersion")
        for line in theirs:
            row = other.get(f"/budgets/2027/lines/{line}").json
            held = row.pop("bookVersion")
            other.put(f"/budgets/2027/lines/{line}?bookVersion={held}", {**row, "by": "cultura"}, 200)
        place.rest(0.4)
        me.put(f"/budgets/2027/lines/7?bookVersion={version}", {**seen, "planned": 7400}, 409)
        again = me.get("/budgets/2027/lines/7").json
        place.sure(again.pop("bookVersion") == version + len(theirs) and again == seen)
        place.rest(0.4)
    last = me.get("/budgets/2027").json["bookVersion"]
    me.put(f"/budgets/2027/lines/7?bookVersion={last}", {**seen, "planned": 7400}, 200)
    me.get("/budgets/2027/lines/2")
