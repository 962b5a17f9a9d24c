"""People and programs that meet: other writers, own overlaps, the service itself, things gone or there already."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.mia_setting import JSON, C, M, around, desk, doc, dump, sure, together

_MARKDOWN = {"Content-Type": "text/markdown"}


@case(
    "b385",
    "mia-parish-minutes-two-secretaries",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "WsgiDAV: a secretary edits the minutes while another one adds an item; her PUT with the tag that she read "
        "is refused, and the re-read shows the other's item."
    ),
)
def minutes(stage: Stage) -> None:
    """Edit a file that somebody else has just saved."""
    server = stage.server("wsgidav")
    first = "# Minutes\n\n1. Opening\n2. Roof of the hall\n"
    (server.directory / "minutes.md").write_text(first, encoding="utf-8")
    me = stage.actor("client", server, "files.parish.test", "urllib")
    other = stage.actor("other", server, "files.parish.test", "curl", {"User-Agent": "cyberduck/8.7"})
    me.send("PROPFIND", "/", 207, {"Depth": "1"})
    tag = me.get("/minutes.md").etag
    theirs = other.get("/minutes.md").etag
    time.sleep(1.2)
    other.put("/minutes.md", first + "3. Summer feast\n", 204, {"If-Match": theirs, **_MARKDOWN})
    time.sleep(0.5)
    me.put("/minutes.md", first + "3. Any other business\n", 412, {"If-Match": tag, **_MARKDOWN})
    sure(holds="Summer feast" in me.get("/minutes.md").text, otherwise="no other item")


@case(
    "b386",
    "mia-gallery-loan-sheet",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "A gallery's loans behind Caddy: the registrar patches the insurance value, a courier has confirmed the "
        "crate in between. 412; the sheet now carries the courier's name and a newer date."
    ),
)
def loans(stage: Stage) -> None:
    """Patch what a courier has confirmed meanwhile."""
    sheet = {"work": "Still life with pears", "value": 120000, "crate": "open", "by": "registrar"}
    docs = {"/loans/2026-118": doc(sheet), "/loans/2026-119": doc({**sheet, "work": "Harbour at dusk"})}
    server = fronts.caddy(stage, desk(stage, "starlette", docs, tag="rev", shape="code"))
    me = stage.actor(
        "client", server, "registry.gallery.test", "node:axios", {"Authorization": "Bearer reg-1"}
    )
    other = stage.actor(
        "other", server, "registry.gallery.test", "httpx", {"Authorization": "Bearer courier-7"}
    )
    around(me, 3)
    me.get("/loans/")
    tag = me.get("/loans/2026-118").etag
    me.get("/loans/2026-119")
    other.get("/loans/")
    theirs = other.get("/loans/2026-118").etag
    other.send(
        "PATCH", "/loans/2026-118", 200, {"If-Match": theirs}, {"crate": "sealed", "by": "courier Ruiz"}
    )
    around(me, 2)
    time.sleep(1.3)
    me.send("PATCH", "/loans/2026-118", 412, {"If-Match": tag}, {"value": 135000, "by": "registrar"})
    sure(holds=me.get("/loans/2026-118").json["crate"] == "sealed", otherwise="not sealed")
    me.get("/loans/2026-119", 304, {"If-None-Match": me.get("/loans/2026-119").etag})


@case(
    "b387",
    "mia-timetable-older-than-date",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "A timetable is guarded by date: If-Unmodified-Since with the Last-Modified that was read. The night job of "
        "operations has stored a new table; 412, and the re-read shows a later date and another table."
    ),
)
def timetable(stage: Stage) -> None:
    """Write with the date of an older table."""
    table = "line,stop,minute\n12,Market,05\n12,Mill,11\n"
    server = desk(stage, "stdlib", {"/tables/12.csv": doc(table, 7200, C)}, etag=False, shape="plain")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "tables.bus.test", "java")
    other = stage.actor("other", server, "tables.bus.test", "requests", {"User-Agent": "ops-night/4.1"})
    date = me.get("/tables/12.csv").fields["last-modified"]
    other.put("/tables/12.csv", table + "12,Lock,19\n", 200, {"Content-Type": C})
    time.sleep(0.8)
    guard = {"If-Unmodified-Since": date, "Content-Type": C}
    me.put("/tables/12.csv", table.replace("05", "06"), 412, guard)
    sure(holds="Lock" in me.get("/tables/12.csv").text, otherwise="the same table")


@case(
    "b388",
    "mia-note-autosave-overtakes-itself",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "An editor saves by timer and by button at the same moment with the same tag: the first is stored, the "
        "second, a few milliseconds later and while the first is on its way, is refused."
    ),
)
def autosave(stage: Stage) -> None:
    """Save twice at once."""
    note = {"title": "Recipe for rye", "text": "Feed the starter", "cursor": 16}
    server = fronts.traefik(stage, [desk(stage, "flask", {"/notes/rye": doc(note)}, tag="uuid", before=0.25)])
    me = stage.actor("client", server, "notes.bakers.test", "httpx", {"X-Session": "s-9131"})
    around(me, 4)
    tag = me.get("/notes/rye").etag
    longer = {**note, "text": "Feed the starter at six", "cursor": 23}

    def timer() -> None:
        me.put("/notes/rye", longer, 200, {"If-Match": tag, "X-Trigger": "timer"})

    def button() -> None:
        time.sleep(0.06)
        me.put("/notes/rye", {**longer, "cursor": 24}, 412, {"If-Match": tag, "X-Trigger": "button"})

    together(timer, button)
    time.sleep(0.4)
    me.get("/notes/rye")


@case(
    "b389",
    "mia-importer-four-workers-one-index",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "An importer with four workers uploads photographs to lighttpd and each adds its own to index.json at the "
        "end, all with the tag of one read: one gets through, three are refused within milliseconds."
    ),
)
def workers(stage: Stage) -> None:
    """Let four workers write one index."""
    server = fronts.site(stage, "lighttpd", {"album/index.json": "[]\n"}, fronts.DAV["lighttpd"])
    me = stage.actor(
        "client", server, "photos.club.test", "requests", {"User-Agent": "importer/2.0 (run 771)"}
    )
    for number in range(4):
        me.put(f"/album/p{number}.txt", f"caption {number}\n", 201, {"If-None-Match": "*"})
    tag = me.get("/album/index.json").etag
    seen: list[int] = []

    def add(number: int) -> None:
        new = [{"worker": number, "href": f"p{number}.txt"}]
        seen.append(me.put("/album/index.json", new, (204, 412), {"If-Match": tag}).status)

    together(*(lambda number=number: add(number) for number in range(4)))
    sure(holds=sorted(seen) == [204, 412, 412, 412], otherwise=str(seen))
    me.get("/album/index.json")


@case(
    "b390",
    "mia-video-page-gets-its-poster",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "After the editor's own save the service renders a poster and writes it into the page's record (modifiedBy "
        "service:poster). Her next save with the tag of her own answer is refused; nobody else was there."
    ),
)
def poster(stage: Stage) -> None:
    """Save twice while the service adds something."""
    page = {"title": "Otters", "seconds": 312, "poster": None, "modifiedBy": "user:ana"}
    more = {"poster": "/posters/77.webp", "modifiedBy": "service:poster"}
    touch = {"paths": ["/videos/77"], "seconds": 0.6, "set": more}
    server = desk(stage, "aiohttp", {"/videos/77": doc(page)}, tag="stamp", touch=touch)
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "studio.film.test", "node", {"Cookie": "sid=ana-22"})
    around(me, 2)
    tag = me.get("/videos/77").etag
    saved = me.put("/videos/77", {**page, "title": "Otters at dawn"}, 200, {"If-Match": tag})
    around(me, 3)
    time.sleep(1.4)
    again = {**page, "title": "Otters at dawn", "seconds": 309}
    me.put("/videos/77", again, 412, {"If-Match": saved.etag})
    seen = me.get("/videos/77").json
    sure(holds=seen["modifiedBy"] == "service:poster", otherwise="no poster")
    me.put("/videos/77", {**again, **more}, 200, {"If-Match": me.get("/videos/77").etag})


@case(
    "b391",
    "mia-booking-moves-the-room",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "The receptionist reads a room, stores a booking that belongs to it, and then the room with the tag from "
        "before: the booking has moved the room (events counts, lastEvent names the booking), so 412."
    ),
)
def rooms(stage: Stage) -> None:
    """Write a thing that a linked write has moved."""
    docs = {
        "/rooms/14": doc({"name": "Lake view", "beds": 2, "events": 3, "lastEvent": "b-880"}),
        "/bookings/b-901": doc({"room": "/rooms/14", "guest": "Okafor", "nights": 1}),
    }
    server = desk(stage, "flask", docs, linked={"/bookings/b-901": ["/rooms/14"]}, shape="html")
    me = stage.actor("client", server, "desk.hotel.test", "requests", {"X-Terminal": "front-2"})
    around(me, 3)
    room = me.get("/rooms/14")
    booking = me.get("/bookings/b-901")
    more = {**booking.json, "nights": 3}
    me.put("/bookings/b-901", more, 200, {"If-Match": booking.etag})
    time.sleep(0.3)
    me.put("/rooms/14", {**room.json, "beds": 3}, 412, {"If-Match": room.etag})
    now = me.get("/rooms/14")
    sure(holds=now.json["lastEvent"] == "b-901", otherwise="not moved")
    me.put("/rooms/14", {**now.json, "beds": 3}, 200, {"If-Match": now.etag})


@case(
    "b392",
    "mia-survey-download-in-parts",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "A download in parts of a survey file from Apache, each part with If-Match of the first; the file is "
        "replaced on the server between the third and the fourth part: 412; it starts again with the new tag."
    ),
)
def survey(stage: Stage) -> None:
    """Replace a file during a download in parts."""
    rows = "".join(f"{n};{n * n % 97};ok\n" for n in range(700))
    server = fronts.site(stage, "apache2", {"exports/survey.csv": rows})
    me = stage.actor("client", server, "data.survey.test", "aiohttp", {"Accept-Encoding": "identity"})
    head = me.send("HEAD", "/exports/survey.csv", 200)
    guard = {"If-Match": head.etag}
    for part in range(3):
        me.get("/exports/survey.csv", 206, {**guard, "Range": f"bytes={part * 900}-{part * 900 + 899}"})
    fronts.put_file(server.directory, "exports/survey.csv", rows.replace("ok", "checked"), age=60)
    me.get("/exports/survey.csv", 412, {**guard, "Range": "bytes=2700-3599"})
    again = me.send("HEAD", "/exports/survey.csv", 200)
    sure(holds=again.etag != head.etag, otherwise="the same tag")
    for part in range(2):
        span = f"bytes={part * 900}-{part * 900 + 899}"
        me.get("/exports/survey.csv", 206, {"If-Match": again.etag, "Range": span})


@case(
    "b393",
    "mia-firmware-spliced-from-two-builds",
    "read-changed-mid-transfer",
    "corrupt-read",
    alone="read-changed-mid-transfer",
    description=(
        "A device fetches its firmware from nginx in ranges without If-Range or If-Match. A new build is published "
        "meanwhile: the later 206 answers carry another ETag and length, and the parts are spliced."
    ),
)
def firmware(stage: Stage) -> None:
    """Read parts of two builds."""
    build = "".join(f"{n:04x} " for n in range(600))
    server = fronts.site(stage, "nginx", {"fw/meter.bin": build}, "")
    me = stage.actor("client", server, "update.meter.test", "curl", {"User-Agent": "meterd/3.8"})
    size = int(me.send("HEAD", "/fw/meter.bin", 200).fields["content-length"])
    step = size // 30
    for number in range(30):
        if number == 22:
            fronts.put_file(server.directory, "fw/meter.bin", "v9 " + build, age=5)
        me.get("/fw/meter.bin", 206, {"Range": f"bytes={number * step}-{(number + 1) * step - 1}"})


@case(
    "b394",
    "mia-seminar-paper-name-taken",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A student hands in a paper under a name that is taken: PUT with If-None-Match: * is refused; the GET shows "
        "somebody else's paper of last week."
    ),
)
def paper(stage: Stage) -> None:
    """Create what is there."""
    docs = {"/papers/tides.md": doc("# Tides\n\nby M. Brandt\n", 600000, M)}
    server = desk(stage, "stdlib", docs, tag="md5", shape="xml")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "papers.college.test", "curl:trace-time", {"X-Student": "k-olsen"})
    me.get("/papers/ebb.md", 404)
    text = "# Tides of the estuary\n\nby K. Olsen\n"
    me.put("/papers/tides.md", text, 412, {"If-None-Match": "*", **_MARKDOWN})
    me.get("/papers/tides.md")
    me.put("/papers/tides-olsen.md", text, 201, {"If-None-Match": "*", **_MARKDOWN})


@case(
    "b396",
    "mia-volunteer-removed-the-shift",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A shift is deleted by the coordinator while a volunteer changes it; her PUT with the right tag of before is "
        "412, and the read after it 404."
    ),
)
def shift(stage: Stage) -> None:
    """Change what is gone."""
    one = {"place": "kitchen", "from": "08:00", "who": "Lin"}
    docs = {"/shifts/301": doc(one), "/shifts/302": doc({**one, "place": "door"})}
    server = desk(stage, "starlette", docs, tag="word", shape="problem")
    front = fronts.varnish(stage, server, "sub vcl_recv { return (pass); }")
    me = stage.actor("client", front, "rota.relief.test", "node", {"Authorization": "Bearer lin"})
    other = stage.actor("other", front, "rota.relief.test", "requests", {"Authorization": "Bearer lead"})
    around(me, 8)
    me.get("/shifts/")
    tag = me.get("/shifts/301").etag
    other.send("DELETE", "/shifts/301", 204, {"If-Match": other.get("/shifts/301").etag})
    around(me, 3)
    time.sleep(0.7)
    me.put("/shifts/301", {**one, "from": "09:00"}, 412, {"If-Match": tag})
    me.get("/shifts/301", 404)
    me.get("/shifts/")


@case(
    "b397",
    "mia-plural-path-of-the-old-manual",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A script of an old manual writes to /v1/sensor/9, where nothing has ever been (the read is 404); If-Match: "
        "* is therefore refused. The resource lives at /v1/sensors/9."
    ),
)
def manual(stage: Stage) -> None:
    """Write under a path where nothing is."""
    docs = {"/v1/sensors/9": doc({"name": "cellar", "unit": "C", "offset": 0.4})}
    server = desk(stage, "aiohttp", docs, tag="b64", shape="plain")
    me = stage.actor("client", server, "sensors.farm.test", "curl", {"X-Api-Key": "farm-0000"})
    around(me, 2)
    me.get("/v1/sensor/9", 404)
    me.put("/v1/sensor/9", {"name": "cellar", "unit": "C", "offset": 0.1}, 412, {"If-Match": "*"})
    me.get("/v1/sensors/")
    me.get("/v1/sensors/9")
    me.put(
        "/v1/sensors/9", dump({"name": "cellar", "unit": "C", "offset": 0.1}), 200, {"If-Match": "*", **JSON}
    )
