"""Stories in which all is well, with something in them that might worry a reader."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.fay_core import Call, Reply, Vault, shelf
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_fay_setting as place
from tools.recording_apis.stories.held_fay_stores import _CAL, _ICS, _LOOK, _event

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e443",
    "fay-store-for-looking-service-for-writing",
    "none",
    "healthy",
    alone="none",
    description=(
        "A market hall's stands are looked at through nginx's store, some of it old; before each write the program "
        "reads past the store, and each write passes under the tag of that read."
    ),
)
def stands(stage: Stage) -> None:
    """Look at old copies, write under new tags."""
    rows = shelf(
        "/stands", *((f"s{n}", {"stand": n, "rent": 40 + n, "who": "frei"}) for n in (1, 2, 3)), rev=17
    )
    server = place.house(stage, Vault(rows, lambda item: f'"{item.rev}-{item.digest("md5", 6)}"'), "flask")
    store = "proxy_cache_bypass $http_cache_control; add_header X-Cache-Status $upstream_cache_status;"
    me = stage.actor("client", fronts.nginx_cache(stage, server, 30, store), "halle.markt.example", "httpx")
    him = stage.actor("other", server, "halle.markt.example", "urllib")
    me.get("/stands")
    old = me.get("/stands/s2")
    his = him.get("/stands/s2")
    him.put("/stands/s2", {**his.json, "who": "Olga"}, 200, {"If-Match": his.etag})
    place.wait(1.2)
    place.sure(me.get("/stands/s2").etag == old.etag)
    for name in ("s2", "s3"):
        now = me.get(f"/stands/{name}", 200, {"Cache-Control": "no-cache"})
        new = me.put(f"/stands/{name}", {**now.json, "rent": 55}, 200, {"If-Match": now.etag})
        me.get(f"/stands/{name}", 304, {"Cache-Control": "no-cache", "If-None-Match": new.etag})
    place.sure(rows["/stands/s2"].data["who"] == "Olga")


@case(
    "e451",
    "fay-download-begun-again-in-time",
    "none",
    "healthy",
    alone="none",
    description=(
        "A player fetches two recordings from Apache in ranges with If-Range. One is replaced between the pieces: "
        "the whole new file comes with 200, and the player begins it again. The other is put together from 206s."
    ),
)
def player(stage: Stage) -> None:
    """Begin again when If-Range says so."""
    files = {
        "rec/a.txt": "".join(f"{n:05d}." for n in range(300)),
        "rec/b.txt": "".join(f"{n:05d}," for n in range(300)),
    }
    server = fronts.site(stage, "apache2", files)
    me = stage.actor("client", server, "rec.radio.test", "curl", {"Accept-Encoding": "identity"})
    one = me.get("/rec/a.txt", 206, {"Range": "bytes=0-599"})
    two = me.get("/rec/b.txt", 206, {"Range": "bytes=0-599"})
    fronts.put_file(server.directory, "rec/b.txt", "".join(f"{n:05d};" for n in range(280)), 3)
    me.get("/rec/a.txt", 206, {"Range": "bytes=600-1799", "If-Range": one.etag})
    new = me.get("/rec/b.txt", 200, {"Range": "bytes=600-1799", "If-Range": two.etag})
    place.wait(0.8)
    me.get("/rec/b.txt", 304, {"If-None-Match": new.etag})
    me.get("/rec/a.txt", 304, {"If-None-Match": one.etag})


@case(
    "e456",
    "fay-lock-and-a-patient-second-save",
    "none",
    "healthy",
    alone="none",
    description=(
        "A sailing school's logbook on Apache's DAV is locked, saved with the lock's token, unlocked; the next save "
        "waits until the tag that was weak right after the first is strong, and passes."
    ),
)
def logbook(stage: Stage) -> None:
    """Lock, save, unlock, wait, save."""
    server = fronts.site(
        stage, "apache2", {f"log/{n}.txt": f"boat {n}\n08:10 out\n" for n in (1, 2)}, fronts.DAV["apache2"]
    )
    me = stage.actor("client", server, "log.segeln.test", "requests")
    ask = '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>mh</owner></lockinfo>'
    text = me.get("/log/1.txt").text
    token = me.send(
        "LOCK", "/log/1.txt", 200, {"Timeout": "Second-60", "Content-Type": "application/xml"}, ask
    ).fields["lock-token"]
    me.put("/log/1.txt", text + "09:40 buoy 3\n", 204, {"If": f"({token})"})
    me.send("UNLOCK", "/log/1.txt", 204, {"Lock-Token": token})
    young = me.get("/log/1.txt")
    place.sure(young.etag.startswith("W/"))
    me.get("/log/2.txt")
    place.wait(1.7)
    ripe = me.get("/log/1.txt")
    place.sure(ripe.etag == young.etag[2:])
    me.put("/log/1.txt", ripe.text + "11:15 in\n", 204, {"If-Match": ripe.etag})


@case(
    "e462",
    "fay-service-adds-and-desk-reads-again",
    "none",
    "healthy",
    alone="none",
    description=(
        "A parcel service's job fills in a zone after each save and counts the version up; the desk reads again before "
        "its next save, keeps what the job wrote, and is never refused."
    ),
)
def parcels(stage: Stage) -> None:
    """Read again before each save."""
    rows = {f"/parcels/{n}": {"no": n, "to": "Riga", "zone": None} for n in (5001, 5002)} | {
        "/vans/1": {"van": 1}
    }
    job = {"under": "/parcels/", "ms": 400, "sets": {"zone": "LV-N"}}
    server = place.depot(
        stage, rows, {"field": "revision", "stamp": "changed", "job": job, "refused": 409, "says": ""}, 300
    )
    me = stage.actor("client", server, "desk.pasts.example", "node:fetch")
    me.get("/parcels")
    for note in ("fragile", "call first", "paid"):
        for number in (5001, 5002):
            seen = me.get(f"/parcels/{number}")
            me.put(f"/parcels/{number}", {**seen.json, "note": note}, 200)
        me.get("/vans/1")
        place.wait(0.9)
    last = me.get("/parcels").json["rows"]
    place.sure(all(one["zone"] == "LV-N" and one["note"] == "paid" for one in last))


@case(
    "e469",
    "fay-calendar-tidied",
    "none",
    "healthy",
    alone="none",
    description=(
        "A parish's calendar on Radicale: listings, creates under If-None-Match: *, one change under the tag of the "
        "answer before, one delete under its tag and a read of what is gone (404), one listing more."
    ),
)
def tidy(stage: Stage) -> None:
    """Create, change and delete as one should."""
    server = stage.server("radicale")
    login = "Basic " + base64.b64encode(b"pfarre:x").decode()
    me = stage.actor("client", server, "kalender.pfarre.example", "aiohttp", {"Authorization": login})
    home, xml = "/pfarre/chor/", {"Content-Type": "application/xml"}
    me.send("MKCALENDAR", home, 201, xml, _CAL)
    me.get("/pfarre/none.ics", 404)
    made = {
        n: me.put(
            f"{home}p{n}.ics",
            _event(f"p{n}", f"Probe {n}", f"2026120{n}T190000Z"),
            201,
            {**_ICS, "If-None-Match": "*"},
        )
        for n in (1, 3, 5)
    }
    me.send("PROPFIND", home, 207, {**xml, "Depth": "1"}, _LOOK)
    new = me.put(
        f"{home}p3.ics",
        _event("p3", "Probe 3 Dom", "20261203T193000Z"),
        204,
        {**_ICS, "If-Match": made[3].etag},
    )
    me.put(
        f"{home}p3.ics", _event("p3", "Probe 3 Dom", "20261203T200000Z"), 204, {**_ICS, "If-Match": new.etag}
    )
    place.wait(0.6)
    me.send("DELETE", f"{home}p5.ics", (200, 204), {"If-Match": made[5].etag})
    me.get(f"{home}p5.ics", 404)
    me.send("PROPFIND", home, 207, {**xml, "Depth": "1"}, _LOOK)


@case(
    "e477",
    "fay-not-now-then-yes",
    "none",
    "healthy",
    alone="none",
    description=(
        "A greenhouse's controller is told 503 with Retry-After by a service that is being packed up, reads, sees that "
        "nothing was stored, and sends the same change with the same tag again: stored."
    ),
)
def greenhouse(stage: Stage) -> None:
    """Repeat a write that was not looked at."""
    busy: list[int] = []

    def first(call: Call) -> Reply | None:
        if call.method == "PUT" and call.path.endswith("g2") and len(busy) < 2:
            busy.append(1)
            return Reply(503, {"state": "backup"}, {"Retry-After": "1"})
        return None

    rows = shelf(
        "/beds", *((f"g{n}", {"bed": n, "c": 19.5, "vents": [n, n + 1]}) for n in (1, 2, 3)), rev=900
    )
    server = place.house(stage, Vault(rows, lambda item: f'"{item.rev:x}"', first=first), "litestar")
    me = stage.actor("client", server, "ctl.greens.test", "node:axios")
    me.get("/beds")
    one = me.get("/beds/g1")
    me.put("/beds/g1", {**one.json, "c": 20.0}, 200, {"If-Match": one.etag})
    seen = me.get("/beds/g2")
    for _ in range(2):
        me.put("/beds/g2", {**seen.json, "c": 21.0}, 503, {"If-Match": seen.etag})
        place.wait(1.1)
        me.get("/beds/g2", 304, {"If-None-Match": seen.etag})
    new = me.put("/beds/g2", {**seen.json, "c": 21.0}, 200, {"If-Match": seen.etag})
    place.round_of(me, "/beds/g3")
    me.get("/beds/g2", 304, {"If-None-Match": new.etag})
