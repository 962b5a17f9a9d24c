"""Stories of agents, apps and jobs on business services."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.quin_suites import Davical, Eve, Notes, Paddle, Spring, Square
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_quin_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.apps.quin_core import Row
    from tools.recording_apis.stage import Stage


def event(uid: str, title: str, *more: str, start: str = "20261204T090000Z") -> str:
    """Return an event."""
    inner = "".join(f"{line}\r\n" for line in (f"UID:{uid}", f"DTSTART:{start}", f"SUMMARY:{title}", *more))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Chorwerk//Probe 3//DE\r\nBEGIN:VEVENT\r\n{inner}END:VEVENT\r\nEND:VCALENDAR\r\n"


@case(
    "b900",
    "quin-choir-calendar-newest-tag-old-event",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    synthetic=True,
    description=(
        "A choir's app on DAViCal holds an event with an edit made offline; before it sends, it asks for the newest "
        "tag by a multiget, whose event has a room that somebody has added, and puts its old text with that tag: 204, "
        "and the room is gone in the event that it lists afterwards."
    ),
)
def choir(stage: Stage) -> None:
    """Put an old text under a new tag."""
    base = "/caldav.php/kantorei/proben/"
    names = ("tenor", "tutti", "bass")
    server = place.open_box(
        stage, Davical({f"{base}{n}.ics": event(n, f"Probe {n}") for n in names}), "cheroot", "DAViCal"
    )
    fields = {"Authorization": "Basic a2FudG9yOnBhc3M=", "User-Agent": "Probenplan/3.2 (Android 15)"}
    me = stage.actor("client", server, "kalender.kantorei.example", "requests", fields)
    other = stage.actor(
        "other", server, "kalender.kantorei.example", "curl", {"Authorization": "Basic a3VlczpwYXNz"}
    )
    find = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    multi = '<C:calendar-multiget xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/><C:calendar-data/></prop>'
    multi += "<href>%s</href></C:calendar-multiget>"
    me.send("OPTIONS", base, 200)
    me.send("PROPFIND", base, 207, {"Depth": "1"}, find)
    held = me.get(f"{base}tutti.ics")
    seen = other.get(f"{base}tutti.ics")
    body = event("tutti", "Probe tutti", "LOCATION:Gemeindesaal West")
    other.put(f"{base}tutti.ics", body, 204, {"If-Match": seen.etag, "Content-Type": "text/calendar"})
    place.rest(1.1)
    for name in ("bass", "tutti"):
        path = f"{base}{name}.ics"
        got = me.send(
            "REPORT", base, 207, {"Depth": "1", "Content-Type": "application/xml"}, multi % path
        ).text
        tag = got.partition("<getetag>")[2].partition("<")[0].replace("&quot;", '"')
        place.sure(name == "bass" or (tag != held.etag and "Gemeindesaal" in got))
        text = event(name, f"Probe {name}", "DESCRIPTION:Noten Bruckner mitbringen")
        me.put(path, text, 204, {"If-Match": tag, "Content-Type": "text/calendar; charset=utf-8"})
    last = me.send(
        "REPORT", base, 207, {"Depth": "1", "Content-Type": "application/xml"}, multi % f"{base}tutti.ics"
    ).text
    place.sure("Gemeindesaal" not in last)


@case(
    "b910",
    "quin-rehearsal-import-takes-the-star",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    synthetic=True,
    description=(
        "A roster import updates events on DAViCal with If-Match: *, to be sure that it makes none anew: the server "
        "compares the star as if it were a tag and refuses with 412 although each event is there (it has just been "
        "read, and prints its tag in the refusal); with the tag the same PUT is 204."
    ),
)
def star(stage: Stage) -> None:
    """Use the star on something that is there."""
    base = "/caldav.php/wache3/dienste/"
    server = place.open_box(
        stage,
        Davical({f"{base}d{n}.ics": event(f"d{n}", f"Schicht {n}") for n in (1, 2, 3)}),
        "aiohttp",
        "DAViCal",
    )
    me = stage.actor(
        "client",
        server,
        "dav.wache.example",
        "curl:trace-time",
        {"Authorization": "Basic ZGllbnN0OnBhc3M=", "User-Agent": "roster-import/0.7"},
    )
    me.send(
        "PROPFIND", base, 207, {"Depth": "1"}, '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    )
    for number in (1, 2):
        path = f"{base}d{number}.ics"
        seen = me.get(path)
        body = seen.text.replace("END:VEVENT", "LOCATION:Tor 2\r\nEND:VEVENT")
        fields = {"Content-Type": "text/calendar; charset=utf-8"}
        me.put(path, body, 412, {**fields, "If-Match": "*"})
        place.rest(0.4)
        place.sure(me.get(path).etag == seen.etag)
        if number == 2:
            me.put(path, body, 204, {**fields, "If-Match": seen.etag})
    me.put(
        f"{base}d9.ics",
        event("d9", "Schicht 9"),
        201,
        {"If-None-Match": "*", "Content-Type": "text/calendar"},
    )


@case(
    "b906",
    "quin-freight-orders-refused-yet-stored",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    synthetic=True,
    description=(
        "A Java job guards PUTs of freight orders (Spring Data REST) by If-Unmodified-Since with the date served: the "
        "server stores first and looks at the date afterwards, so each first attempt is 412, and the read after it "
        "has the job's own content and the next tag."
    ),
)
def freight(stage: Stage) -> None:
    """Be refused and stored."""
    rows = {
        f"orders/{n}": {"ref": f"FR-{n}", "pallets": 12, "gate": None, "note": ""} for n in (880, 881, 882)
    }
    shop = Spring(rows, "http://tms.spedition.example/api", 3)
    shop.late = True
    server = place.open_box(stage, shop, "waitress", "Spring Data REST")
    me = stage.actor(
        "client",
        server,
        "tms.spedition.example",
        "java",
        {"Authorization": "Bearer gate-job", "Accept": "application/hal+json"},
    )
    me.get("/actuator/health")
    me.get("/api/orders")
    for number in (880, 881):
        seen = me.get(f"/api/orders/{number}")
        body = {**seen.json, "gate": "G4", "note": f"avis {number}-77"}
        me.put(f"/api/orders/{number}", body, 412, {"If-Unmodified-Since": seen.fields["last-modified"]})
        place.rest(0.9)
        now = me.get(f"/api/orders/{number}")
        place.sure(now.json["note"] == f"avis {number}-77" and now.etag != seen.etag)
    seen = me.get("/api/orders/882")
    me.put("/api/orders/882", {**seen.json, "pallets": 14}, 204, {"If-Match": seen.etag})
    me.get("/api/orders")


@case(
    "b925",
    "quin-two-workers-of-one-rollout",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    synthetic=True,
    description=(
        "Two workers of a rollout tool put one tariff with the same tag at overlapping times: both get 204 with tags of "
        "their own, and the first one's surcharge is gone in the next read. A PUT with the outdated tag that stands "
        "alone is refused by the same service."
    ),
)
def workers(stage: Stage) -> None:
    """Check twice before either has written."""
    rows = {
        f"tariffs/{n}": {"zone": n, "base": 3.2, "surcharge": 0, "valid": "2026-12-01"}
        for n in ("A", "B", "C")
    }
    shop = Spring(rows, "http://tarife.verbund.example/api", 5)
    shop.gap, shop.slow = 1, 0.35
    server = place.open_box(stage, shop, "cheroot", "Spring Data REST")
    me = stage.actor(
        "client",
        server,
        "tarife.verbund.example",
        "urllib",
        {"Authorization": "Bearer rollout", "Accept": "application/hal+json"},
    )
    me.get("/api/tariffs")
    seen = {zone: me.get(f"/api/tariffs/{zone}") for zone in ("A", "B")}

    def save(zone: str, worker: str, **more: Any) -> Answer:
        body = {**seen[zone].json, **more}
        return me.put(
            f"/api/tariffs/{zone}", body, (204, 412), {"If-Match": seen[zone].etag, "X-Worker": worker}
        )

    save("A", "w1", surcharge=0.4)
    got = place.at_once(
        partial(save, "B", "w1", surcharge=0.5), partial(save, "B", "w2", valid="2027-01-01"), apart=0.08
    )
    place.sure([one.status for one in got] == [204, 204])
    place.rest(0.5)
    now = me.get("/api/tariffs/B").json
    place.sure(now["surcharge"] == 0 and now["valid"] == "2027-01-01")
    place.sure(save("B", "w1", base=3.4).status == 412)
    me.get("/api/tariffs")


@case(
    "b928",
    "quin-meter-register-with-weak-tags",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    synthetic=True,
    description=(
        "A register of meters gives weak tags only, uncompressed and without any intermediary, and compares If-Match "
        "strongly: each guarded PUT of the reading agent is 412 with the tag that every read, also one with identity "
        "coding, goes on to show."
    ),
)
def meters(stage: Stage) -> None:
    """Send the only tags that there are."""
    rows = {f"meters/{n}": {"nr": n, "kwh": 4100, "seal": "ok"} for n in ("7A1", "7A2", "7A3")}
    shop = Spring(rows, "http://register.netz.example/api", 11)
    shop.weak, shop.extra = True, {"Server": "Jetty(12.0.9)"}
    server = place.open_box(stage, shop, "bottle", "")
    me = stage.actor(
        "client",
        server,
        "register.netz.example",
        "httpx",
        {"Authorization": "Bearer ablesung-4", "User-Agent": "ablesung/4.0"},
    )
    me.get("/api/meters")
    for meter in ("7A1", "7A2"):
        for coding in ("gzip, deflate", "identity"):
            seen = me.get(f"/api/meters/{meter}", 200, {"Accept-Encoding": coding})
            me.put(f"/api/meters/{meter}", {**seen.json, "kwh": 4188}, 412, {"If-Match": seen.etag})
            place.rest(0.3)
        me.get(f"/api/meters/{meter}", 304, {"If-None-Match": seen.etag})
    me.get("/api/meters")


@case(
    "b907",
    "quin-seats-and-discount-at-once",
    "self-race",
    "409",
    alone="self-race",
    synthetic=True,
    description=(
        "A billing job changes one Paddle subscription in two threads: the seats and the discount are under way at the "
        "same time under one key, and the second is 409 concurrent_modification while the first is still open; on "
        "the other subscriptions the two go one after the other and pass."
    ),
)
def seats(stage: Stage) -> None:
    """Get into one's own way."""
    rows: dict[str, Any] = {
        f"subscriptions/sub_01hv8x{n}": {"status": "active", "items": [{"quantity": 5}], "discount": None}
        for n in ("29ka", "30kb", "31kc")
    }
    rows["prices/pri_01gs"] = {"unit_price": {"amount": "900", "currency_code": "EUR"}}
    server = place.open_box(stage, Paddle(rows), "flask-cheroot", "Paddle Billing")
    me = stage.actor(
        "client",
        server,
        "api.paddle.com",
        "urllib",
        {"Authorization": "Bearer pdl_live_EXAMPLE", "Paddle-Version": "1"},
    )
    me.get("/prices/pri_01gs")
    me.get("/subscriptions")
    for name in ("sub_01hv8x29ka", "sub_01hv8x30kb", "sub_01hv8x31kc"):
        path = f"/subscriptions/{name}"
        me.get(path)
        items, discount = (
            {"items": [{"quantity": 8}]},
            {"discount": {"id": "dsc_01gv", "effective_from": "next_billing_period"}},
        )
        if name.endswith("30kb"):
            first = partial(me.send, "PATCH", path, 200, None, items)
            got = place.at_once(first, partial(me.send, "PATCH", path, 409, None, discount), apart=0.1)
            place.sure([one.status for one in got] == [200, 409])
            me.get(path)
            continue
        me.send("PATCH", path, 200, None, items)
        me.send("PATCH", path, 200, None, discount)


def _customers(first: int = 3) -> Square:
    people = {
        "JDKYHBWT1D4F8MFH63DBMEN8Y4": "Amira",
        "W4Q1HSX0N3Q4HA1SB3HN1XZE2R": "Bo",
        "Z9T5K0CC2N7VTR8N61ZQ6Q3AWG": "Cas",
    }
    return Square(
        {
            key: {"given_name": name, "phone_number": "+31205550100", "note": "VIP"}
            for key, name in people.items()
        },
        first,
    )


_SQUARE = {"Authorization": "Bearer EAAA-EXAMPLE", "Square-Version": "2025-10-16"}


@case(
    "b908",
    "quin-loyalty-reads-behind-its-write",
    "replica-lag",
    "409",
    alone="replica-lag",
    synthetic=True,
    description=(
        "A loyalty app saves a Square customer and is answered version 4; its read right after has version 3 again, "
        "without any mark of a cache, so the next update is 409 VERSION_MISMATCH; a second later the read has 4."
    ),
)
def behind(stage: Stage) -> None:
    """Read where the write has not yet come."""
    shop = _customers()
    past: dict[str, list[Row]] = {key: [row] for key, row in shop.rows.items()}
    keep = shop.store

    def store(key: str, data: object, by: str = "", meta: dict[str, str] | None = None) -> Row:
        made = keep(key, data, by, meta)
        past[key].append(made)
        return made

    def lagging(key: str) -> Row:
        now = place.now()
        return next((row for row in reversed(past[key]) if now - row.at > 0.9), past[key][0])

    shop.store, shop.read_row = store, lagging  # type: ignore[method-assign]
    server = place.open_box(stage, shop, "waitress", "Square")
    me = stage.actor(
        "client", server, "connect.squareup.com", "node:axios", {**_SQUARE, "User-Agent": "Spaarkaart/6.1"}
    )
    me.get("/v2/locations")
    for person in [
        row["id"]
        for row in me.send("POST", "/v2/customers/search", 200, None, {"limit": 10}).json["customers"]
    ][:2]:
        path = f"/v2/customers/{person}"
        seen = me.get(path).json["customer"]["version"]
        told = me.put(path, {"phone_number": "+31205550177", "version": seen}, 200).json["customer"][
            "version"
        ]
        again = me.get(path).json["customer"]["version"]
        place.sure(again == seen == told - 1)
        me.put(path, {"note": "VIP, 10e koffie", "version": again}, 409)
        place.rest(1.1)
        place.sure(me.get(path).json["customer"]["version"] == told)
    me.get("/v2/locations")


@case(
    "b918",
    "quin-note-appended-without-version",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    synthetic=True,
    description=(
        "A booking bot appends to the note of a Square customer that it had read earlier and leaves the version out, "
        "so the latest is assumed: the allergy that the till had noted meanwhile, visible in a search, is gone. Its "
        "change of a phone number carries the version."
    ),
)
def appended(stage: Stage) -> None:
    """Leave the version out."""
    server = place.open_box(stage, _customers(7), "falcon", "Square")
    me = stage.actor(
        "client",
        server,
        "connect.squareup.com",
        "aiohttp",
        {**_SQUARE, "User-Agent": "SquarePython/43 booking-bot"},
    )
    other = stage.actor(
        "other", server, "connect.squareup.com", "httpx", {**_SQUARE, "User-Agent": "till/12"}
    )
    me.get("/v2/locations")
    people = me.send("POST", "/v2/customers/search", 200, None, {"limit": 50}).json["customers"]
    bo = next(one for one in people if one["given_name"] == "Bo")
    seen = other.get(f"/v2/customers/{bo['id']}").json["customer"]
    other.put(
        f"/v2/customers/{bo['id']}",
        {"note": f"{seen['note']}; notenallergie", "version": seen["version"]},
        200,
    )
    place.rest(0.8)
    cas = people[2]
    me.put(f"/v2/customers/{cas['id']}", {"phone_number": "+31205550142", "version": cas["version"]}, 200)
    listed = me.send("POST", "/v2/customers/search", 200, None, {"limit": 50}).text
    place.sure("notenallergie" in listed)
    me.put(f"/v2/customers/{bo['id']}", {"note": f"{bo['note']}; boekt altijd raam"}, 200)
    place.sure("notenallergie" not in me.get(f"/v2/customers/{bo['id']}").text)


@case(
    "b922",
    "quin-queue-keeps-tags-as-url",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    synthetic=True,
    description=(
        "An orchard app on Eve keeps what it has to send in a queue, as URLs; tags come out of it percent-coded, "
        "%22...%22, and each queued PATCH is 412 though nothing has changed. What is sent at once has the tag as read."
    ),
)
def queue(stage: Stage) -> None:
    """Send a tag as a URL has it."""
    trees = {
        f"trees/5f{n}c0ffee": {"row": n, "kind": "Jonagold", "graft": 2019, "state": "ok"}
        for n in (11, 12, 13)
    }
    server = place.open_box(stage, Eve(trees), "flask", "Eve")
    me = stage.actor(
        "client",
        server,
        "api.verger.example",
        "httpx",
        {"Authorization": "Basic dmVyZ2VyOnBhc3M=", "User-Agent": "Verger/2.3 Dart/3.5"},
    )
    for one in me.get("/trees").json["_items"]:
        path = f"/{one['_links']['self']['href']}"
        seen = me.get(path)
        late = one["row"] != 13
        tag = seen.etag.replace('"', "%22") if late else seen.etag
        me.send("PATCH", path, 412 if late else 200, {"If-Match": tag}, {"state": "taillé"})
        place.rest(0.3)
        if late:
            place.sure(me.get(path).etag == seen.etag)
            me.send("PATCH", path, 412, {"If-Match": tag}, {"state": "taillé"})
    me.get("/trees")


@case(
    "b930",
    "quin-notes-row-without-a-tag",
    "null-token",
    "412",
    alone="null-token",
    synthetic=True,
    description=(
        "A notes app for Nextcloud has rows without a tag after an upgrade of its database and sends them with "
        'If-Match: "null": each is 412 with the current note in the answer, which differs from the app\'s base in '
        "nothing; notes with a tag in their row are saved."
    ),
)
def no_tag(stage: Stage) -> None:
    """Send the word for nothing."""
    notes = {
        str(n): {"title": f"Ricetta {n}", "content": f"# Ricetta {n}\nfarina 500 g", "category": "cucina"}
        for n in (31, 32, 33)
    }
    server = place.open_box(stage, Notes(notes), "cheroot", "Nextcloud Notes")
    fields = {
        "Authorization": "Basic Y2hpYXJhOnBhc3M=",
        "User-Agent": "Mozilla/5.0 (Android) Nextcloud-Notes/4.5",
        "OCS-APIRequest": "true",
    }
    me = stage.actor("client", server, "cloud.famiglia.example", "java", fields)
    me.get("/index.php/apps/notes/api/v1/settings")
    rows = me.get(Notes.base).json
    for row in rows:
        body = {"content": row["content"] + "\nlievito 7 g", "title": row["title"], "category": "cucina"}
        known = row["id"] == 33
        path = f"{Notes.base}/{row['id']}"
        got = me.put(
            path, body, 200 if known else 412, {"If-Match": f'"{row["etag"]}"' if known else '"null"'}
        )
        place.sure(known or got.json["content"] == row["content"])
        place.rest(0.3)
    listed = me.get(Notes.base).fields["etag"]
    me.get(Notes.base, 304, {"If-None-Match": listed})
