"""Stories of healthy traffic that looks a little like trouble."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.quin_suites import Eve, Notes, Spring, Square
from tools.recording_apis.apps.vic_core import Box, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_quin_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.apps.vic_core import Doc
    from tools.recording_apis.stage import Stage


def _coding(req: Req, res: Res) -> Res:
    """Compress an answer and mark its tag."""
    if "gzip" not in req.fields.get("accept-encoding", "") or res.status != 200 or "ETag" not in res.fields:
        res.fields["Vary"] = "Accept-Encoding"
        return res
    fields = {
        **res.fields,
        "ETag": res.fields["ETag"][:-1] + '-gzip"',
        "Vary": "Accept-Encoding",
        "Content-Encoding": "gzip",
    }
    return Res(200, gzip.compress(res.octets, mtime=0), fields)


@case(
    "b896",
    "quin-prices-with-coded-tags",
    "none",
    "healthy",
    alone="none",
    description=(
        "A price service behind HAProxy on two nodes marks the tags of its compressed answers with -gzip and knows them "
        "again in If-Match: reads by turns of node and of coding, and every guarded write is stored."
    ),
)
def coded(stage: Stage) -> None:
    """Write with the tags of compressed reads."""
    docs = {
        f"/prices/{n}": {"sku": n, "eur": 19.9, "text": "Wandfarbe weiß matt " * 6}
        for n in ("F10", "F20", "F30")
    }
    box = Box(docs, lambda _path, doc: f'"{doc.digest("sha1")[:12]}"', need=428)

    plain = box.matches

    def match(value: str, path: str, doc: Doc | None, *, strong: bool) -> bool:
        return bool(plain(value.replace('-gzip"', '"'), path, doc, strong=strong))

    box.matches = match
    box.after.append(_coding)
    nodes = [place.open_box(stage, box, kind) for kind in ("waitress", "cheroot")]
    edge = fronts.haproxy(stage, nodes, " http-response set-header X-Node %s")
    me = stage.actor(
        "client",
        edge,
        "preise.farben.example",
        "requests",
        {"Authorization": "Bearer pim", "User-Agent": "pim-sync/8"},
    )
    me.get("/prices")
    for sku in ("F10", "F20", "F30", "F10"):
        for identity in (False, True):
            more = {"Accept-Encoding": "identity"} if identity else {}
            seen = me.get(f"/prices/{sku}", 200, more)
            told = me.put(
                f"/prices/{sku}",
                {**seen.json, "eur": round(seen.json["eur"] + 0.5, 2)},
                200,
                {**more, "If-Match": seen.etag},
            )
            place.sure(("-gzip" in told.etag) != identity)
        place.rest(0.2)
    me.get("/healthz")


@case(
    "b911",
    "quin-notes-sync-with-many-304",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A notes app polls a Nextcloud with the tag of the list, finds a note changed on another device and one gone, "
        "takes both over before it writes, and guards its own saves with the newest tags."
    ),
)
def polling(stage: Stage) -> None:
    """Take over what others did, then write."""
    notes = {
        str(n): {"title": f"Ruta {n}", "content": f"Etapa {n}", "category": "camino"} for n in (51, 52, 53)
    }
    server = place.open_box(stage, Notes(notes), "flask-cheroot", "Nextcloud Notes")
    me = stage.actor(
        "client",
        server,
        "nube.camino.example",
        "aiohttp",
        {"Authorization": "Basic aW5lczpwYXNz", "User-Agent": "QOwnNotes/25.11"},
    )
    other = stage.actor(
        "other",
        server,
        "nube.camino.example",
        "node:fetch",
        {"Authorization": "Basic aW5lczpwYXNz", "User-Agent": "Nextcloud-Notes/5.0 (iPhone)"},
    )
    listed = me.get(Notes.base)
    for _poll in range(2):
        me.get(f"{Notes.base}?pruneBefore=1764300000", 304, {"If-None-Match": listed.etag})
        place.rest(0.3)
    theirs = other.get(f"{Notes.base}/52")
    other.put(f"{Notes.base}/52", {"content": "Etapa 52: 24 km"}, 200, {"If-Match": theirs.etag})
    gone = other.get(f"{Notes.base}/53").etag
    other.send("DELETE", f"{Notes.base}/53", 200, {"If-Match": gone})
    place.rest(0.6)
    me.get(Notes.base, 200, {"If-None-Match": listed.etag})
    me.get(f"{Notes.base}/53", 404)
    now = me.get(f"{Notes.base}/52")
    told = me.put(
        f"{Notes.base}/52", {"content": now.json["content"] + ", albergue lleno"}, 200, {"If-Match": now.etag}
    )
    told = me.put(f"{Notes.base}/52", {"content": told.json["content"] + "!"}, 200, {"If-Match": told.etag})
    me.send("POST", Notes.base, 200, None, {"title": "Compras", "content": "tiritas", "category": ""})
    me.get(f"{Notes.base}/52", 304, {"If-None-Match": told.etag})


@case(
    "b915",
    "quin-customer-made-once",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A till in a tunnel makes customers at Square with an idempotency key; one answer is lost, the till sends the "
        "same again and is given the customer that there is, version 0; its updates with versions pass."
    ),
)
def once(stage: Stage) -> None:
    """Repeat a creation that bears a key."""
    rows = {"HX7K0CC2N7VTR8N61ZQ6Q3AWGA": {"given_name": "Noor", "phone_number": "+32470000111", "note": ""}}
    server = place.open_box(stage, Square(rows, 0), "cheroot", "Square")
    fields = {
        "Authorization": "Bearer EAAA-EXAMPLE",
        "Square-Version": "2025-10-16",
        "User-Agent": "metrokassa/2.0",
    }
    me = stage.actor(
        "client",
        server,
        "connect.squareup.com",
        "httpx",
        fields,
        loses=place.drops("POST", "/v2/customers", 3),
    )
    me.get("/v2/locations")
    me.send("POST", "/v2/customers/search", 200, None, {"limit": 20})
    for name in ("Emma", "Youssef"):
        body = {"idempotency_key": f"till-4-{name.lower()}-1128", "given_name": name, "note": ""}
        got = me.send("POST", "/v2/customers", 0 if name == "Youssef" else 200, None, body)
        place.rest(0.5)
        if name == "Youssef":
            got = me.send("POST", "/v2/customers", 200, None, body)
        made = got.json["customer"]
        path = f"/v2/customers/{made['id']}"
        told = me.put(path, {"note": "stempelkaart", "version": made["version"]}, 200).json["customer"]
        me.put(path, {"phone_number": "+32470000222", "version": told["version"]}, 200)
    me.send("POST", "/v2/customers/search", 200, None, {"limit": 20})


@case(
    "b923",
    "quin-mirror-waits-for-the-second",
    "none",
    "healthy",
    alone="none",
    description=(
        "A publisher writes files to Apache's WebDAV; a HEAD right after the write has a weak tag, the publisher waits "
        "until it is strong and only then writes again with If-Match: everything is stored."
    ),
)
def waits(stage: Stage) -> None:
    """Wait for a strong tag."""
    files = {f"tides/{n}.csv": "hour;cm\n0;312\n" for n in ("husum", "emden")}
    edge = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", edge, "tides.kueste.example", "node:axios", {"User-Agent": "tidepush/1"})
    for name in ("husum", "emden"):
        path = f"/tides/{name}.csv"
        seen = me.get(path)
        for hour in (1, 2):
            me.put(
                path, seen.text + f"{hour};280\n", 204, {"If-Match": seen.etag, "Content-Type": "text/csv"}
            )
            place.sure(me.send("HEAD", path, 200).etag.startswith("W/"))
            place.rest(1.7)
            seen = me.get(path)
            place.sure(not seen.etag.startswith("W/"))
        me.get(path, 304, {"If-None-Match": seen.etag})


@case(
    "b926",
    "quin-listings-from-squid-writes-afresh",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "An inventory tool behind Squid takes its lists from the cache (Age, HIT), some of them older than its own "
        "writes, but reads each item with no-cache before it writes: no write is refused and none is lost."
    ),
)
def through_squid(stage: Stage) -> None:
    """Show old lists and write by fresh reads."""
    rows = {f"boats/{n}": {"name": n, "berth": "A1", "fuel": 40} for n in ("Alk", "Lumme", "Tordalk")}
    shop = Spring(rows, "http://hafen.segel.example/api", 0)
    shop.extra = {"Cache-Control": "max-age=45"}
    origin = place.open_box(stage, shop, "waitress", "Spring Data REST")
    edge = fronts.squid(stage, origin, "", "hafen.segel.example")
    me = stage.actor(
        "client",
        edge,
        "hafen.segel.example",
        "urllib",
        {"User-Agent": "berthplan/2.6", "Accept": "application/hal+json"},
    )
    me.get("/api/boats")
    for boat in ("Alk", "Lumme", "Alk"):
        fresh = me.get(f"/api/boats/{boat}", 200, {"Cache-Control": "no-cache"})
        me.send(
            "PATCH",
            f"/api/boats/{boat}",
            204,
            {"If-Match": fresh.etag, "Content-Type": "application/json"},
            {"fuel": fresh.json["fuel"] + 10},
        )
        place.rest(1.1)
        place.sure(int(me.get("/api/boats").fields["age"]) > 0)
    now = me.get("/api/boats/Alk", 200, {"Cache-Control": "no-cache"})
    place.sure(now.json["fuel"] == 60)
    me.get("/api/boats/Tordalk")


@case(
    "b932",
    "quin-two-desks-by-turns",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "Two desks of a hostel change the same rooms on Eve by turns; the tag changes under the client between its "
        "polls, but it reads before each of its writes, keeps what the other has set, and deletes what it may."
    ),
)
def by_turns(stage: Stage) -> None:
    """Change the same things, one after the other."""
    rows = {f"rooms/66{n}aa0{n}": {"room": n, "beds": 4, "guests": 0, "clean": True} for n in (21, 22, 23)}
    server = place.open_box(stage, Eve(rows), "flask", "Eve")
    me = stage.actor(
        "client",
        server,
        "desk.hostel.example",
        "requests",
        {"Authorization": "Basic ZnJvbnQ6cGFzcw==", "User-Agent": "FrontDesk/1"},
    )
    other = stage.actor(
        "other",
        server,
        "desk.hostel.example",
        "aiohttp",
        {"Authorization": "Basic bmlnaHQ6cGFzcw==", "User-Agent": "NightDesk/1"},
    )
    me.get("/rooms")
    path = "/rooms/6621aa021"
    first = me.get(path)
    for turn in range(3):
        theirs = other.get(path)
        other.send("PATCH", path, 200, {"If-Match": theirs.etag}, {"clean": turn % 2 == 1})
        place.rest(0.4)
        now = me.get(path, 200, {"If-None-Match": first.etag})
        place.sure(now.etag != first.etag)
        first = me.send("PATCH", path, 200, {"If-Match": now.etag}, {"guests": now.json["guests"] + 1})
        me.get(path, 304, {"If-None-Match": first.etag})
    place.sure(me.get(path).json["guests"] == 3)
    last = me.get("/rooms/6623aa023")
    me.send("DELETE", "/rooms/6623aa023", 204, {"If-Match": last.etag})
    me.get("/rooms")
