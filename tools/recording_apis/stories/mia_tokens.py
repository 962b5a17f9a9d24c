"""Tokens in the hands of clients: old, used again, damaged, of another thing, none."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.mia_setting import JSON, M, X, around, desk, doc, dump, sure, unseen

if TYPE_CHECKING:
    from tools.recording.message import Message


@case(
    "b398",
    "mia-wizard-keeps-the-tag-of-page-one",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A wizard of three pages saves after each page but keeps the tag from its first read; its own save of page "
        "one has already told it a newer one. The second save is refused."
    ),
)
def wizard(stage: Stage) -> None:
    """Save twice with the tag of one read."""
    form = {"applicant": "Sato", "page": 0, "rooms": None, "heating": None}
    server = desk(stage, "flask", {"/grants/55": doc(form)}, tag="md5", shape="code")
    me = stage.actor("client", server, "grants.town.test", "requests", {"Cookie": "session=5f1c; theme=dark"})
    around(me, 3)
    tag = me.get("/grants/55").etag
    me.get("/grants/")
    me.put("/grants/55", {**form, "page": 1, "rooms": 4}, 200, {"If-Match": tag})
    around(me, 2)
    time.sleep(2.1)
    me.put("/grants/55", {**form, "page": 2, "rooms": 4, "heating": "gas"}, 412, {"If-Match": tag})


@case(
    "b399",
    "mia-radicale-calendar-cache",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A calendar program moves an event twice on Radicale. The first move's answer told the new tag, but the "
        "program's cache still has the one of the sync before; the second move is refused."
    ),
)
def event(stage: Stage) -> None:
    """Move an event twice."""
    server = stage.server("radicale")
    me = stage.actor("client", server, "cal.coop.test", "httpx", {"Authorization": "Basic YW5uYTp4"})
    me.send("MKCOL", "/anna/shop/", 201, {"Content-Type": "application/xml"}, _CALENDAR)
    me.put("/anna/shop/e1.ics", _ics("10"), 201, {"If-None-Match": "*", **_ICS})
    tag = me.get("/anna/shop/e1.ics").etag
    new = me.put("/anna/shop/e1.ics", _ics("11"), (201, 204), {"If-Match": tag, **_ICS}).etag
    sure(holds=new != tag, otherwise="the same tag")
    time.sleep(1.0)
    me.put("/anna/shop/e1.ics", _ics("12"), 412, {"If-Match": tag, **_ICS})


_ICS = {"Content-Type": "text/calendar; charset=utf-8"}
_CALENDAR = (
    '<?xml version="1.0"?><mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop>'
    "<resourcetype><collection/><C:calendar/></resourcetype></prop></set></mkcol>"
)


def _ics(hour: str) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//coop//agenda 3//EN", "BEGIN:VEVENT", "UID:e1@coop"]
    lines += ["DTSTAMP:20261101T080000Z", f"DTSTART:20261203T{hour}0000Z", "SUMMARY:Stock-taking"]
    return "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""])


@case(
    "b400",
    "mia-retry-decorator-growing-pauses",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    description=(
        "A retry decorator repeats a refused PATCH six times with growing pauses and the same tag; no read in "
        "between, and no file tells why the first one failed."
    ),
)
def decorator(stage: Stage) -> None:
    """Repeat what cannot succeed."""
    tree = {"species": "lime", "height": 14, "state": "ok"}
    trees = desk(stage, "starlette", {"/trees/8812": doc(tree)}, tag="rev")
    server = fronts.envoy(stage, [trees])
    me = stage.actor("client", server, "trees.city.test", "aiohttp", {"X-Crew": "4"})
    around(me, 2)
    tag = me.get("/trees/8812").etag
    unseen(trees, "/trees/8812", {**tree, "state": "ivy"})
    for number in range(6):
        time.sleep(0.1 * 2**number)
        me.send("PATCH", "/trees/8812", 412, {"If-Match": tag}, {"height": 15})


@case(
    "b402",
    "mia-tablet-in-the-tunnel",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A train's tablet stores a report; the connection breaks before the answer arrives. The replay with the same "
        "tag and content is refused; the report on the server is its own."
    ),
)
def tunnel(stage: Stage) -> None:
    """Lose an answer and send again."""
    report = {"train": "RE 4711", "delay": 0, "note": "", "nonce": "-"}
    server = desk(stage, "aiohttp", {"/reports/4711": doc(report)}, tag="uuid")
    lost = [True]

    def loses(request: Message) -> bool:
        return request.method == "PUT" and bool(lost) and lost.pop()

    me = stage.actor("client", server, "reports.rail.test", "requests", {"X-Device": "tab-88"}, loses=loses)
    around(me, 9)
    tag = me.get("/reports/4711").etag
    new = {**report, "delay": 9, "note": "signal failure at km 31", "nonce": "tab-88-000412"}
    me.put("/reports/4711", new, 0, {"If-Match": tag, "X-Attempt": "1"})
    time.sleep(0.8)
    me.put("/reports/4711", new, 412, {"If-Match": tag, "X-Attempt": "2"})
    sure(holds=me.get("/reports/4711").json["nonce"] == "tab-88-000412", otherwise="not ours")


@case(
    "b403",
    "mia-haproxy-gives-up-first",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "The archive needs three seconds for its first store, HAProxy waits one: 504 for the client. The client's "
        "own second attempt meets its first one: 412, and the archive holds its text."
    ),
)
def gives_up(stage: Stage) -> None:
    """Send again after a 504."""
    text = "<deed><no>1881/40</no><seal>no</seal></deed>"
    server = desk(
        stage, "stdlib", {"/deeds/1881-40.xml": doc(text, 400000, X)}, tag="sha", before=1.6, shape="xml"
    )
    front = fronts.haproxy(stage, [server], " timeout server 1s")
    me = stage.actor("client", front, "deeds.archive.test", "java", {"Content-Type": "application/xml"})
    tag = me.get("/deeds/1881-40.xml").etag
    new = text.replace("no</seal>", "yes, red wax, broken 1903</seal>")
    me.put("/deeds/1881-40.xml", new, 504, {"If-Match": tag})
    time.sleep(1.6)
    me.put("/deeds/1881-40.xml", new, 412, {"If-Match": tag})
    sure(holds="red wax" in me.get("/deeds/1881-40.xml").text, otherwise="not ours")


@case(
    "b404",
    "mia-price-list-refreshed-not-merged",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A till program reads a price list, keeps it for a while, then fetches it again only for its tag and PUTs "
        "the old list with one more price: the bread's new price that the second read showed is gone."
    ),
)
def prices(stage: Stage) -> None:
    """Take a fresh tag for an old text."""
    prices_then = {"bread": 310, "roll": 55, "cake": 290}
    server = desk(stage, "flask", {"/prices/main": doc(prices_then)}, tag="rev", shape="code")
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, "till.bakery.test", "node:axios", {"X-Till": "2"})
    other = stage.actor("other", front, "till.bakery.test", "requests", {"X-Till": "office"})
    around(me, 3)
    me.get("/prices/main")
    tag = other.get("/prices/main").etag
    other.put("/prices/main", {**prices_then, "bread": 330}, 200, {"If-Match": tag})
    around(me, 4)
    time.sleep(1.5)
    fresh = me.get("/prices/main")
    sure(holds=fresh.json["bread"] == 330, otherwise="no new price")
    me.put("/prices/main", {**prices_then, "cake": 310}, 200, {"If-Match": fresh.etag})
    sure(holds=me.get("/prices/main").json["bread"] == 310, otherwise="nothing was lost")


@case(
    "b405",
    "mia-two-devices-write-one-note",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "An Express service gives tags, but both devices PUT the note without any condition: the later one takes the "
        "earlier one's words along, which its own reads before and after show."
    ),
)
def note(stage: Stage) -> None:
    """Write without a condition."""
    server = stage.server("express")
    me = stage.actor("client", server, "notes.flat.test", "urllib", {"User-Agent": "notes-sync/1.0"})
    other = stage.actor("other", server, "notes.flat.test", "curl", {"User-Agent": "notes-sync/1.0"})
    me.get("/notes")
    me.get("/notes/1")
    other.get("/notes/1")
    other.put("/notes/1", dump({"text": "call the plumber, 0431 22", "pinned": False}), 200, JSON)
    time.sleep(1.2)
    sure(holds="0431" in me.get("/notes/1").text, otherwise="not there")
    time.sleep(0.4)
    me.put("/notes/1", {"text": "call the plumber", "pinned": True}, 200)
    sure(holds="0431" not in me.get("/notes/1").text, otherwise="nothing was lost")
    me.get("/notes/2")


@case(
    "b406",
    "mia-undefined-from-the-store",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "A page's store has no tag for a basket that it got from a list; If-Match: undefined goes out and is "
        "refused. After a read of the basket itself the same change goes through."
    ),
)
def basket(stage: Stage) -> None:
    """Send undefined."""
    docs = {"/baskets/k7": doc({"items": 3, "gift": False}), "/baskets/k8": doc({"items": 1, "gift": True})}
    server = fronts.caddy(stage, desk(stage, "aiohttp", docs, tag="uuid", shape="code"))
    me = stage.actor("client", server, "shop.wool.test", "node", {"Cookie": "basket=k7"})
    around(me, 17)
    me.get("/baskets/")
    me.send("PATCH", "/baskets/k7", 412, {"If-Match": "undefined"}, {"gift": True})
    tag = me.get("/baskets/k7").etag
    me.send("PATCH", "/baskets/k7", 200, {"If-Match": tag}, {"gift": True})


@case(
    "b407",
    "mia-empty-quotes-from-a-template",
    "null-token",
    "412",
    alone="null-token",
    description=(
        'A shell template puts quotes around an empty variable: If-Match: "" is sent for every station, and every '
        "one of the three writes is refused though the reads gave tags."
    ),
)
def empty(stage: Stage) -> None:
    """Send empty quotes."""
    docs = {f"/stations/{n}": doc({"name": n, "rain": 0.2}) for n in ("north", "quay", "hill")}
    server = desk(stage, "flask", docs, tag="size", shape="html")
    me = stage.actor("client", fronts.apache(stage, server), "rain.met.test", "curl", {"X-Job": "calibrate"})
    for name in ("north", "quay", "hill"):
        me.get(f"/stations/{name}")
        me.put(f"/stations/{name}", {"name": name, "rain": 0.25}, 412, {"If-Match": '""', **JSON})


@case(
    "b408",
    "mia-tag-through-an-html-attribute",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "The tag was kept in an attribute of a form and came out with its entities: &quot;...&quot;. Refused; with "
        "the quotes as they were served the same write is fine."
    ),
)
def attribute(stage: Stage) -> None:
    """Send a tag with entities in it."""
    server = desk(
        stage, "stdlib", {"/pages/about.md": doc("# About\n\nopen on Sundays\n", 5e5, M)}, tag="b64"
    )
    me = stage.actor("client", server, "www.museum.test", "requests", {"Authorization": "Basic ZWRpdG9yOng="})
    around(me, 2)
    tag = me.get("/pages/about.md").etag
    text = "# About\n\nopen on Sundays from ten\n"
    kind = {"Content-Type": "text/markdown"}
    me.put("/pages/about.md", text, 412, {"If-Match": tag.replace('"', "&quot;"), **kind})
    me.put("/pages/about.md", text, 200, {"If-Match": tag, **kind})


@case(
    "b409",
    "mia-tag-percent-encoded",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A client kept the tag in a query string and sends it back percent-encoded (%22...%22) to WsgiDAV; the read "
        "after the refusal shows that the file's tag has not moved."
    ),
)
def percent(stage: Stage) -> None:
    """Send a tag as a URL has it."""
    server = stage.server("wsgidav")
    (server.directory / "songs.txt").write_text("1 Ave\n2 Kyrie\n", encoding="utf-8")
    me = stage.actor("client", server, "choir.parish.test", "httpx")
    me.send("PROPFIND", "/songs.txt", 207, {"Depth": "0"})
    tag = me.get("/songs.txt").etag
    coded = tag.replace('"', "%22")
    me.put("/songs.txt", "1 Ave\n2 Kyrie\n3 Gloria\n", (400, 412), {"If-Match": coded})
    sure(holds=me.send("HEAD", "/songs.txt", 200).etag == tag, otherwise="it has moved")


@case(
    "b410",
    "mia-tag-of-the-archived-object",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "SeaweedFS: a job reads a report and its archived copy of last year, and sends the archived one's tag with the "
        "PUT of the current one. The current one's own tag, read a moment before, is another and still the same after."
    ),
)
def archived(stage: Stage) -> None:
    """Send the tag of another object."""
    server = stage.server("seaweedfs")
    me = stage.actor("client", server, "s3.press.test", "aiohttp", {"User-Agent": "report-job/5"})
    around(me, 4)
    me.put("/press-reports", b"", 200)
    me.put("/press-reports/2026/q3.txt", "circulation 41200\n", 200, {"If-None-Match": "*"})
    me.put("/press-reports/2025/q3.txt", "circulation 39900\n", 200, {"If-None-Match": "*"})
    me.get("/press-reports?list-type=2")
    own = me.get("/press-reports/2026/q3.txt").etag
    archived = me.get("/press-reports/2025/q3.txt").etag
    me.put("/press-reports/2026/q3.txt", "circulation 41250\n", 412, {"If-Match": archived})
    sure(holds=me.send("HEAD", "/press-reports/2026/q3.txt", 200).etag == own, otherwise="it has moved")
