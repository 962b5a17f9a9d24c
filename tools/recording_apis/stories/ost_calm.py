"""Traffic of small services with nothing wrong in it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ost_setting as own

_TEXT = {"Content-Type": "text/plain"}
_CARD = {"Content-Type": "text/vcard; charset=utf-8"}


def _card(uid: str, name: str) -> str:
    return f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nEND:VCARD\r\n"


@case(
    "a883",
    "clerk-signs-in-and-edits-forms",
    "none",
    "healthy",
    alone="none",
    description="A clerk signs in, looks at assets and saves two forms with their lock_version: 303 and the new page.",
)
def forms(stage: Stage) -> None:
    """Edit pages after signing in."""
    server = own.house(stage, "ost_inventory.php", own.ASSETS, FLAGS="demand")
    browser = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/133.0", "Accept": "text/html"}
    me = stage.actor("client", server, "inventory.townhall.example.test", "requests", browser)
    cookie = own.sign_in(me, "h.brandt")
    own.browse(me, ["/favicon.ico", "/assets/1203", "/assets/9999"], cookie)
    me.get("/assets/1204", 200, cookie)
    form = "lock_version=5&name=Plotter+A0&room=U.03&state=mended&owner=Planning"
    me.send("POST", "/assets/1204", 303, {**cookie, **own.FORM}, form)
    page = me.get("/assets/1204", 200, cookie)
    own.insist("h.brandt" in page.text and 'value="6"' in page.text, "not saved")
    form = "lock_version=6&name=Plotter+A0&room=U.03&state=mended&owner=Archive"
    me.send("POST", "/assets/1204", 303, {**cookie, **own.FORM}, form)
    me.get("/assets/1204", 200, cookie)
    me.get("/assets", 200, cookie)


@case(
    "a884",
    "fixture-bot-polls-and-appends",
    "none",
    "healthy",
    alone="none",
    description="A bot polls wiki pages with 304s and appends to one with the tag of its read; it makes a new page too.",
)
def bot(stage: Stage) -> None:
    """Poll and append."""
    pages = {"Home": "#author admin\nHi\n", "Results": "#author admin\n= Results =\n* 28 Nov 2:1\n"}
    server = own.wiki(stage, pages)
    me = stage.actor("client", server, "wiki.club.example.test", "aiohttp", {"User-Agent": "fixture-bot/0.2"})
    tags = {name: me.get(f"/wiki.pl/{name}").etag for name in pages}
    for _ in range(2):
        for name, tag in tags.items():
            me.get(f"/wiki.pl/{name}", 304, {"If-None-Match": tag})
        time.sleep(0.2)
    me.get("/wiki.pl/Table", 404)
    me.put("/wiki.pl/Table", "#author fixture-bot\n= Table =\n", 201, {"If-None-Match": "*"})
    text, tag = me.get("/wiki.pl/Results").text, tags["Results"]
    for line in ("* 5 Dec 0:0\n", "* 12 Dec 1:3\n"):
        text += line
        tag = me.put("/wiki.pl/Results", text, 200, {"If-Match": tag}).etag
    me.get("/wiki.pl/Results", 304, {"If-None-Match": tag})
    me.get("/wiki.pl/Home", 304, {"If-None-Match": tags["Home"]})


@case(
    "a885",
    "ward-board-follows-the-feed",
    "none",
    "healthy",
    alone="none",
    description=(
        "A board on the ward polls the feed and the week; a planner edits shifts with current tags. The week is 304 "
        "until something has changed."
    ),
)
def ward_board(stage: Stage) -> None:
    """Follow a week."""
    server = own.house(stage, "ost_roster.js", own.SHIFTS)
    board = {"X-User": "ward-3b-tablet", "User-Agent": "WardBoard/2.0 (kiosk)"}
    me = stage.actor("client", server, "roster.clinic.example.test", "node", board)
    other = stage.actor("other", server, "roster.clinic.example.test", "httpx", {"X-User": "planner.mia"})
    listed = me.get(own.WEEK)
    place, tag = listed.json["cursor"], listed.etag
    for name, nurse in (("s17", "Weiss"), ("s19", "Sato")):
        me.get(f"/changes?since={place}&wait=0")
        me.get(own.WEEK, 304, {"If-None-Match": tag})
        theirs = other.get(f"{own.WEEK}/{name}")
        other.send("PATCH", f"{own.WEEK}/{name}", 200, {"If-Match": theirs.etag}, {"nurse": nurse})
        place = me.get(f"/changes?since={place}&wait=0").json["cursor"]
        tag = me.get(own.WEEK, 200, {"If-None-Match": tag}).etag
        me.get(f"{own.WEEK}/{name}")
    me.get(own.WEEK, 304, {"If-None-Match": tag})


@case(
    "a886",
    "phone-syncs-its-contacts",
    "none",
    "healthy",
    alone="none",
    description="A phone's first and second sync with Radicale: creations, an update and a deletion, all with conditions.",
)
def contacts(stage: Stage) -> None:
    """Synchronise an address book."""
    server = stage.server("radicale")
    phone = {"Authorization": "Basic a2ltOmtpbQ==", "User-Agent": "DAVx5/4.4.3 Android 15"}
    me = stage.actor("client", server, "dav.kim.example.test", "httpx", phone)
    me.get("/.well-known/carddav", 301)
    me.send("MKCOL", "/kim/family/", 201, own.XML, own.BOOK)
    listing = '<propfind xmlns="DAV:"><prop><getetag/><sync-token/></prop></propfind>'
    me.send("PROPFIND", "/kim/family/", 207, {"Depth": "1", **own.XML}, listing)
    tags = {}
    for uid, name in (("k1", "Mum"), ("k2", "Joon"), ("k3", "Dentist")):
        fields = {**_CARD, "If-None-Match": "*"}
        tags[uid] = me.put(f"/kim/family/{uid}.vcf", _card(uid, name), 201, fields).etag
    time.sleep(0.3)
    me.send("PROPFIND", "/kim/family/", 207, {"Depth": "1", **own.XML}, listing)
    fields = {**_CARD, "If-Match": tags["k2"]}
    tags["k2"] = me.put("/kim/family/k2.vcf", _card("k2", "Joon Park"), 204, fields).etag
    me.send("DELETE", "/kim/family/k3.vcf", 200, {"If-Match": tags["k3"]})
    me.get("/kim/family/k3.vcf", 404)
    own.insist(me.get("/kim/family/k2.vcf").etag == tags["k2"], "another tag")


@case(
    "a887",
    "two-bakers-two-recipes",
    "none",
    "healthy",
    alone="none",
    description="Two bakers edit different recipes at the same time, each with the tag of the own one.",
)
def two_bakers(stage: Stage) -> None:
    """Edit different recipes."""
    server = own.house(stage, "OstBakery.java", own.RECIPES)
    me = stage.actor(
        "client", server, "recipes.bakery.example.test", "requests", {"X-Baker": "Giulia", **_TEXT}
    )
    other = stage.actor(
        "other", server, "recipes.bakery.example.test", "httpx", {"X-Baker": "Tomas", **_TEXT}
    )
    mine, theirs = me.get("/recipes/rye"), other.get("/recipes/stollen")
    me.get("/recipes/stollen")
    own_tag, their_tag = mine.etag, theirs.etag
    for step in ("rest 30 min", "fold", "bake 45 min"):
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(me.put, "/recipes/rye", f"{mine.text}{step}\n", 200, {"If-Match": own_tag})
            second = pool.submit(
                other.put, "/recipes/stollen", f"{theirs.text}{step}\n", 200, {"If-Match": their_tag}
            )
            own_tag, their_tag = first.result().etag, second.result().etag
    me.get("/recipes/rye", 304, {"If-None-Match": own_tag})
    other.get("/recipes/stollen", 304, {"If-None-Match": their_tag})


@case(
    "a888",
    "read-lost-and-repeated",
    "none",
    "healthy",
    alone="none",
    description=(
        "The answer to a read is lost on the way to a meter reader; he reads again and stores his readings with the "
        "tags he got. Nothing is written twice."
    ),
)
def read_again(stage: Stage) -> None:
    """Repeat a read."""
    server = own.house(stage, "ost_meters.py", own.METERS, FLAGS="demand")
    lost = iter([True])
    me = stage.actor(
        "client",
        server,
        "hydra.water.example.test",
        "urllib",
        {"X-Operator": "reader-11", "User-Agent": "MeterWalk/5.0"},
        loses=lambda request: "70115" in request.target and next(lost, False),
    )
    me.get("/v3/meters?district=Harbour")
    for number, m3 in (("70114", 1221.0), ("70115", 92.0), ("70231", 650.25)):
        if number == "70115":
            me.send("GET", f"/v3/meters/{number}", 0)
            time.sleep(0.4)
        read = me.get(f"/v3/meters/{number}")
        made = me.put(
            f"/v3/meters/{number}", {"meter": {**read.json["meter"], "m3": m3}}, 200, {"If-Match": read.etag}
        )
        me.get(f"/v3/meters/{number}", 304, {"If-None-Match": made.etag})


@case(
    "a889",
    "export-ensures-its-objects",
    "none",
    "healthy",
    alone="none",
    description="An export asks by HEAD which objects are there and stores the missing ones with If-None-Match: *.",
)
def ensures(stage: Stage) -> None:
    """Store what is missing."""
    server = stage.server("moto")
    me = stage.actor(
        "client", server, "s3.shop.example.test", "requests", {"User-Agent": "export/3", **own.SIGNED}
    )
    me.put("/reports", "", 200)
    days = [f"/reports/2026-11-{day}.csv" for day in (23, 24, 25)]
    me.put(days[0], "till;sum\n1;300.00\n", 200, {"Content-Type": "text/csv"})
    me.get("/reports?list-type=2&prefix=2026-11")
    for number, path in enumerate(days):
        there = me.send("HEAD", path, (200, 404))
        if there.status == 404:
            fields = {"Content-Type": "text/csv", "If-None-Match": "*"}
            me.put(path, f"till;sum\n1;{400 + number}.00\n", 200, fields)
    for path in days:
        tag = me.get(path).etag
        me.get(path, 304, {"If-None-Match": tag})
    me.get("/reports?list-type=2&prefix=2026-11")


@case(
    "a890",
    "podcast-in-pieces",
    "none",
    "healthy",
    alone="none",
    description="A player loads an episode in ranges with If-Range, jumps, and asks later whether it has changed: 304.",
)
def podcast(stage: Stage) -> None:
    """Load a file in pieces."""
    sound = bytes(range(7, 247)) * 500
    feed = '<?xml version="1.0"?><rss><channel><title>Parish radio</title></channel></rss>\n'
    server = fronts.site(stage, "nginx", {"audio/e12.bin": sound, "feed.xml": feed})
    me = stage.actor("client", server, "radio.parish.example.test", "curl", {"User-Agent": "AntennaPod/3.5"})
    feed_tag = me.get("/feed.xml").etag
    tag = me.send("HEAD", "/audio/e12.bin", 200).etag
    for start in (0, 20000, 40000, 90000):
        me.get("/audio/e12.bin", 206, {"Range": f"bytes={start}-{start + 19999}", "If-Range": tag})
    me.get("/audio/e12.bin", 206, {"Range": "bytes=-500", "If-Match": tag})
    me.get("/feed.xml", 304, {"If-None-Match": feed_tag})
    me.get("/audio/e12.bin", 304, {"If-None-Match": tag})
    me.get("/audio/e13.bin", 404)


@case(
    "a891",
    "recipes-kept-by-date",
    "none",
    "healthy",
    alone="none",
    description=(
        "A kiosk keeps recipes by their dates: If-Modified-Since with the served date is 304, and its one change "
        "carries If-Unmodified-Since with the served date."
    ),
)
def by_date(stage: Stage) -> None:
    """Use dates as validators."""
    server = own.house(stage, "OstBakery.java", own.RECIPES, FLAGS="datesonly")
    me = stage.actor("client", server, "recipes.bakery.example.test", "java", {"X-Baker": "kiosk"})
    own.browse(me, ["/recipes", "/recipes/panettone", "/robots.txt"])
    dates = {
        name: me.get(f"/recipes/{name}").fields["last-modified"] for name in ("rye", "brioche", "stollen")
    }
    for name, date in dates.items():
        me.get(f"/recipes/{name}", 304, {"If-Modified-Since": date})
    text = me.get("/recipes/rye").text + "caraway 5 g\n"
    me.put("/recipes/rye", text, 200, {"If-Unmodified-Since": dates["rye"], **_TEXT})
    fresh = me.get("/recipes/rye", 200, {"If-Modified-Since": dates["rye"]})
    me.get("/recipes/rye", 304, {"If-Modified-Since": fresh.fields["last-modified"]})
    me.send("DELETE", "/recipes/stollen", 204, {"If-Unmodified-Since": dates["stollen"]})
    me.get("/recipes/stollen", 404)
