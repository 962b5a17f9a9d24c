"""Stories in which time passes: lag, cursors, files that change; and a wall."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.kim_room import Counted, Room, moment
from tools.recording_apis.apps.vic_core import Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_kim_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.apps.vic_core import Doc
    from tools.recording_apis.stage import Stage


@case(
    "d857",
    "kim-reads-behind-the-writer",
    "replica-lag",
    "409",
    alone="replica-lag",
    description=(
        "HAProxy sends a clinic's reads to a replica that is a second and a half behind: the client's save is answered "
        "with version 8, its next read still shows 7, and its save with 7 is refused; a moment later the read shows 8, "
        "and the save passes. Nobody else writes, nothing is cached."
    ),
)
def wards(stage: Stage) -> None:
    """Read what was, after one's own write."""
    docs: dict[str, Any] = {
        f"/beds/{n}": {"bed": n, "patient": None, "diet": "normal"} for n in ("3A-1", "3A-2", "3B-1")
    }
    primary = Counted(docs, "version", first=7)
    primary.say[409] = lambda _req, doc: {"error": "version_conflict", "expected": doc.rev}
    replica = Counted({}, "version")
    replica.docs = primary.docs

    def behind(_req: Req, path: str) -> Doc | None:
        doc = primary.docs.get(path)
        while doc is not None and doc.past and place.recent(doc.at, 1.5):
            doc = doc.past[-1]
        return doc

    replica.look = behind
    for room, name in ((primary, "pg-a"), (replica, "pg-b")):
        room.extra = {"X-Db": name, "Cache-Control": "no-store"}
        room.names = ("author", "ts")
    room.beside({"/whoami": {"ward": "3A"}, "/alarms": {"open": []}})
    front = fronts.split(
        stage, place.opened(stage, primary, "litestar"), place.opened(stage, replica, "tornado")
    )
    me = stage.actor("client", front, "wards.klinikum.test", "urllib", {"X-User": "station-3a"})
    place.look(me, "/whoami", "/beds", "/alarms")
    for bed in ("3A-1", "3B-1"):
        seen = me.get(f"/beds/{bed}").json
        saved = me.put(f"/beds/{bed}", {**seen, "patient": "K. 4471"}, 200).json
        place.sure(saved["version"] == 8)
        place.rest(0.3)
        old = me.get(f"/beds/{bed}").json
        place.sure(old["version"] == 7)
        me.put(f"/beds/{bed}", {**old, "patient": "K. 4471", "diet": "light"}, 409)
        me.get("/alarms")
        place.rest(1.6)
    now = me.get("/beds/3B-1").json
    place.sure(now["version"] == 8)
    me.put("/beds/3B-1", {**now, "diet": "light"}, 200)


@case(
    "d877",
    "kim-cursor-kept-over-lunch",
    "token-expired",
    "410",
    alone="token-expired",
    description=(
        "A delivery app's catalogue is followed with a cursor that lives two seconds; after a long pause the client's "
        "cursor is 410, expired, twice; a full read gives a new one, which works at once."
    ),
)
def cursor(stage: Stage) -> None:
    """Come back with a cursor that has run out."""
    room = Room(
        {f"/dishes/{n}": {"dish": n, "price": 9 + n} for n in range(1, 4)}, lambda _path, doc: f'"{doc.rev}"'
    )
    made: dict[str, float] = {}

    def follow(req: Req) -> Res | None:
        if req.path != "/feed":
            return None
        known = req.query.get("cursor")
        if known is not None and time.time() - made.get(known, 0.0) > 2:
            return room.error(
                410,
                {
                    "error": "cursor_expired",
                    "message": "Cursors are kept for 2 s; start with a full read.",
                    "issued": moment(made.get(known, 0.0)),
                },
            )
        fresh = f"c{len(made) + 1:03}x{int(time.time() * 1000) % 99991:05}"
        made[fresh] = time.time()
        items = [] if known else [{**doc.data, "href": path} for path, doc in room.docs.items()]
        return Res(200, {"items": items, "cursor": fresh, "complete": known is None})

    room.before.append(follow)
    room.names = ()
    room.beside({"/shop": {"open": True}, "/zones": [1, 2]})
    front = fronts.varnish(stage, place.opened(stage, room, "cheroot"), "sub vcl_recv { return (pass); }")
    me = stage.actor("client", front, "feed.lieferung.test", "requests", {"X-User": "kiosk"})
    place.look(me, "/shop", "/zones")
    held = me.get("/feed").json["cursor"]
    for _ in range(3):
        place.rest(0.5)
        held = me.get(f"/feed?cursor={held}").json["cursor"]
    place.daily(me, "/dishes/2", [{"price": 12}])
    place.rest(2.6)
    me.get(f"/feed?cursor={held}", 410)
    place.rest(0.5)
    me.get(f"/feed?cursor={held}", 410)
    held = me.get("/feed").json["cursor"]
    me.get(f"/feed?cursor={held}")


@case(
    "d861",
    "kim-two-halves-of-two-files",
    "read-changed-mid-transfer",
    "corrupt-read",
    alone="read-changed-mid-transfer",
    description=(
        "A client loads a timetable file in parts without a condition while the publisher puts the next issue there: the "
        "parts carry two tags and two lengths, all are 206, and what it puts together is neither file, as the checksum "
        "that it loads at the end says. Other files come whole."
    ),
)
def timetable(stage: Stage) -> None:
    """Put two files together."""

    def issue(word: str, lines: int) -> str:
        return "".join(f"{word};{n:03};stop {n * 7 % 50};{6 + n % 16}:{n % 60:02}\n" for n in range(lines))

    old, new = issue("winter-a", 60), issue("winter-b", 66)
    sums = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in (("old", old), ("new", new))}
    files = {
        "feed/lines.txt": old,
        "feed/lines.txt.sha256": sums["old"],
        "feed/stops.txt": issue("stop", 9),
        "feed/index.json": '{"files":["lines.txt","stops.txt"]}',
    }
    server = fronts.site(stage, "nginx", files)
    me = stage.actor(
        "client", server, "offen.verkehrsverbund.example", "httpx", {"User-Agent": "gtfs-pull/0.9"}
    )
    place.look(me, "/feed/index.json", "/feed/stops.txt")
    size, got = 512, b""
    tags = set()
    for start in range(0, len(old), size):
        if start == 3 * size:
            fronts.put_file(server.directory, "feed/lines.txt", new)
            fronts.put_file(server.directory, "feed/lines.txt.sha256", sums["new"])
        part = me.get("/feed/lines.txt", 206, {"Range": f"bytes={start}-{start + size - 1}"})
        tags.add(part.etag)
        got += part.body
        place.rest(0.15)
    told = me.get("/feed/lines.txt.sha256").text
    place.sure(
        len(tags) == 2 and hashlib.sha256(got).hexdigest() not in sums.values() and told == sums["new"]
    )
    me.get("/feed/index.json")


@case(
    "d854",
    "kim-drop-table-is-a-leaf",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A joinery's orders go through HAProxy with a rule against SQL in contents: an order for a 'drop table' is "
        "answered 412 with a page of the wall and an incident number, whatever is tried; no condition was sent, other "
        "orders are taken, and so is this one once it says 'folding table'."
    ),
)
def joinery(stage: Stage) -> None:
    """Be stopped by a wall."""
    room = Room(
        {f"/orders/{n}": {"order": n, "text": "oak shelf", "qty": 2} for n in (1, 2)},
        lambda _path, doc: f'"{doc.digest()[:8]}"',
    )
    room.names = ()
    room.beside({"/user": {"name": "Bench 2"}, "/woods": ["oak", "ash", "elm"]})
    page = "<html><head><title>Request blocked</title></head><body><h1>412</h1><p>Your request was blocked by a security policy. Incident 7f0c-88121.</p></body></html>"
    frontend = (
        " option http-buffer-request\n"
        f" http-request return status 412 content-type text/html string '{page}' if {{ req.body -m sub -i 'drop table' }}"
    )
    front = fronts.haproxy(stage, [place.opened(stage, room, "flask")], frontend=frontend)
    me = stage.actor("client", front, "orders.joinery.test", "curl:verbose", {"X-User": "bench-2"})
    place.look(me, "/user", "/orders", "/woods")
    me.send("POST", "/orders", 201, None, {"text": "ash bench", "qty": 1})
    order = {"text": "walnut drop table, two leaves", "qty": 1}
    me.send("POST", "/orders", 412, None, order)
    place.rest(0.5)
    me.send("POST", "/orders", 412, None, {**order, "qty": 2})
    me.put("/orders/2", {"order": 2, "text": "drop table, oak", "qty": 1}, 412)
    made = me.send("POST", "/orders", 201, None, {**order, "text": "walnut folding table, two leaves"})
    me.get(made.fields["location"])
    me.get("/orders")
