"""Conflicts that are real: clerks, nurses, bakers and jobs that touch one thing."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ost_setting as own

_ICS = {"Content-Type": "text/vcard; charset=utf-8"}


def card(uid: str, name: str, phone: str) -> str:
    """Return a contact as a vCard."""
    return f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nTEL:{phone}\r\nEND:VCARD\r\n"


@case(
    "a800",
    "inventory-two-clerks",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Two clerks of a town hall are signed in to the inventory. One moves a plotter to another room while the "
        "other has it open; his PATCH with the tag he read is 412, and the next read names the colleague."
    ),
)
def two_clerks(stage: Stage) -> None:
    """Move and mend one plotter."""
    server = own.house(stage, "ost_inventory.php", own.ASSETS)
    me = stage.actor("client", server, "inventory.townhall.example.test", "requests")
    other = stage.actor("other", server, "inventory.townhall.example.test", "httpx")
    mine, theirs = {"X-Clerk": "h.brandt"}, {"X-Clerk": "s.duarte"}
    me.get("/assets", 200, mine)
    me.get("/api/assets.json", 200, mine)
    first = me.get("/api/assets/1203.json", 200, mine)
    me.put("/api/assets/1203.json", {**first.json, "room": "2.15"}, 200, {**mine, "If-Match": first.etag})
    own.stroll(me, ["/assets/1203", "/assets/1377", "/api/assets/1377.json", "/logo.png"], mine)
    read = me.get("/api/assets/1204.json", 200, mine)
    seen = other.get("/api/assets/1204.json", 200, theirs)
    time.sleep(0.8)
    other.send("PATCH", "/api/assets/1204.json", 200, {**theirs, "If-Match": seen.etag}, {"room": "U.07"})
    time.sleep(0.5)
    me.send("PATCH", "/api/assets/1204.json", 412, {**mine, "If-Match": read.etag}, {"state": "mended"})
    now = me.get("/api/assets/1204.json", 200, mine)
    own.insist(now.json["edited_by"] == "s.duarte", "the colleague's change is not shown")


@case(
    "a801",
    "budget-sheet-on-webdav",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "A spreadsheet program saves a budget on WebDAV with the tag it loaded; the treasurer has uploaded her own "
        "version in between. The PROPFIND afterwards shows another tag, length and date."
    ),
)
def budget(stage: Stage) -> None:
    """Save over the treasurer's upload."""
    server = stage.server("wsgidav")
    sheet = server.directory / "club" / "budget-2027.csv"
    sheet.parent.mkdir()
    sheet.write_text("post;amount\nrent;4800\nballs;350\n", encoding="utf-8")
    (server.directory / "club" / "members.csv").write_text("name\nOdile\nRuben\n", encoding="utf-8")
    me = stage.actor(
        "client", server, "files.club.example.test", "requests", {"User-Agent": "LibreOffice 24.8"}
    )
    other = stage.actor(
        "other", server, "files.club.example.test", "curl", {"User-Agent": "curl/7.88.1 (odile)"}
    )
    me.send("OPTIONS", "/club/", 200)
    me.send("PROPFIND", "/club/", 207, {"Depth": "1", **own.XML})
    read = me.get("/club/budget-2027.csv")
    me.get("/club/members.csv")
    time.sleep(1.2)
    theirs = other.get("/club/budget-2027.csv")
    other.put("/club/budget-2027.csv", theirs.text + "bus;920\n", 204, {"If-Match": theirs.etag})
    time.sleep(0.4)
    me.put("/club/budget-2027.csv", read.text.replace("350", "410"), 412, {"If-Match": read.etag})
    me.send("PROPFIND", "/club/budget-2027.csv", 207, {"Depth": "0", **own.XML})
    me.get("/club/budget-2027.csv")


@case(
    "a802",
    "roster-drag-and-drop-twice",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A planner drags a shift and lets go twice: the page sends two PATCHes with one tag within milliseconds. "
        "The first is stored, the second 412; the feed shows no other writer."
    ),
)
def drag(stage: Stage) -> None:
    """Drop one shift twice."""
    server = own.house(stage, "ost_roster.js", own.SHIFTS, PAUSE="180")
    always = {
        "X-User": "planner.mia",
        "X-Tab": "t-90c1",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/133.0",
    }
    me = stage.actor("client", server, "roster.clinic.example.test", "httpx", always)
    me.get(own.WEEK)
    for name in ("s18", "s17"):
        tag = me.get(f"{own.WEEK}/{name}").etag
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(
            me.send, "PATCH", f"{own.WEEK}/s17", (200, 412), {"If-Match": tag}, {"from": "07:00"}
        )
        time.sleep(0.03)
        patch = {"from": "07:00", "to": "15:00"}
        second = pool.submit(me.send, "PATCH", f"{own.WEEK}/s17", (200, 412), {"If-Match": tag}, patch)
    own.insist(sorted([first.result().status, second.result().status]) == [200, 412], "both were stored")
    me.get("/changes?since=118&client=web")
    me.get(f"{own.WEEK}/s17")


@case(
    "a803",
    "bakery-import-two-workers",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A batch import works with two threads and finds one recipe twice in its file: both threads replace it "
        "with the tag of the same read, one is refused. The run id is the same."
    ),
)
def two_workers(stage: Stage) -> None:
    """Replace one recipe from two threads."""
    server = own.house(stage, "OstBakery.java", own.RECIPES, PAUSE="250")
    always = {"X-Baker": "import", "X-Run": "imp-20261126-2", "User-Agent": "recipe-import/1.4 (2 workers)"}
    me = stage.actor("client", server, "recipes.bakery.example.test", "requests", always)
    me.get("/recipes")
    tags = {name: me.get(f"/recipes/{name}").etag for name in ("brioche", "rye")}
    me.put(
        "/recipes/brioche", "Brioche\nflour 500 g\nbutter 240 g\neggs 5\n", 200, {"If-Match": tags["brioche"]}
    )

    def replace(worker: int, water: int) -> int:
        text = f"Rye loaf\nflour 1000 g\nwater {water} g\nsalt 20 g\n"
        fields = {"If-Match": tags["rye"], "X-Worker": str(worker), "Content-Type": "text/plain"}
        return me.put("/recipes/rye", text, (200, 412), fields).status

    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(replace, (1, 2), (790, 800)))
    own.insist(statuses == [200, 412], f"{statuses}")
    me.get("/recipes/rye")


@case(
    "a804",
    "meter-plausibility-job",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "After every reading the utility's own job fills in a quality code and counts a revision. The reader's "
        "correction with the tag of his own write comes after it: 412, and the record names the job."
    ),
)
def plausibility(stage: Stage) -> None:
    """Correct a reading that the job has stamped."""
    server = own.house(stage, "ost_meters.py", own.METERS, FLAGS="stamp")
    me = stage.actor("client", server, "hydra.water.example.test", "urllib", {"X-Operator": "reader-07"})
    me.get("/v3/meters?district=Harbour&fields=no,street&page=1&tour=2026-11-26-am")
    read = me.get("/v3/meters/70114")
    saved = me.put(
        "/v3/meters/70114", {"meter": {**read.json["meter"], "m3": 1219.0}}, 200, {"If-Match": read.etag}
    )
    me.get("/v3/meters/70231")
    time.sleep(1.3)
    again = {"meter": {**saved.json["meter"], "m3": 1216.0}}
    me.put("/v3/meters/70114", again, 412, {"If-Match": saved.etag})
    now = me.get("/v3/meters/70114")
    own.insist(now.json["sys"]["by"].startswith("system/"), "the job did not write")


@case(
    "a805",
    "permit-touched-by-its-comment",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "Adding a comment to a building permit makes the file index touch the permit itself. The clerk then saves "
        "the form with the tag from before her own comment: 412, changedBy is the system."
    ),
)
def comment(stage: Stage) -> None:
    """Comment, then save."""
    server = own.house(stage, "ost_permits.py", own.PERMITS, FLAGS="linked")
    me = stage.actor("client", server, "permits.county.example.test", "requests", {"X-Clerk": "l.novak"})
    me.get("/permits?applicant=Voss")
    me.get("/permits/BP-2026-0118")
    own.stroll(me, ["/permits/BP-2026-0131", "/permits?state=in%20review", "/permits/BP-2026-0999"])
    tag = me.get("/permits/BP-2026-0117").etag
    note = "<note>Survey of the plot has arrived</note>"
    me.send("POST", "/permits/BP-2026-0117/notes", 201, own.XML, note)
    time.sleep(0.7)
    body = "<permit><state>in review</state></permit>"
    me.put("/permits/BP-2026-0117", body, 412, {"If-Match": tag, **own.XML})
    own.insist("system:file-index" in me.get("/permits/BP-2026-0117").text, "not touched by the system")


@case(
    "a806",
    "firmware-replaced-during-download",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer other-writer",
    description=(
        "A device loads firmware in pieces of 64 KiB, each with If-Match and the tag of the first piece. The vendor "
        "puts a new build in place half way: the fourth piece is 412; the download starts again."
    ),
)
def firmware(stage: Stage) -> None:
    """Replace a file between two pieces."""
    build = bytes(range(256)) * 1024
    server = fronts.site(stage, "nginx", {"fw/pump-7.bin": build, "fw/manifest.txt": "pump-7 4.1.8\n"})
    me = stage.actor(
        "client", server, "fw.vendor.example.test", "curl", {"User-Agent": "pumpctl/2.2 esp-idf"}
    )
    me.get("/fw/manifest.txt")
    tag = me.send("HEAD", "/fw/pump-7.bin", 200).etag
    for piece in range(3):
        spanned = {"Range": f"bytes={piece * 65536}-{piece * 65536 + 65535}", "If-Match": tag}
        me.get("/fw/pump-7.bin", 206, spanned)
    fronts.put_file(server.directory, "fw/pump-7.bin", build[::-1] + b"4.1.9")
    fronts.put_file(server.directory, "fw/manifest.txt", "pump-7 4.1.9\n")
    me.get("/fw/pump-7.bin", 412, {"Range": "bytes=196608-262143", "If-Match": tag})
    me.get("/fw/manifest.txt")
    fresh = me.send("HEAD", "/fw/pump-7.bin", 200).etag
    own.insist(fresh != tag, "the tag stayed")
    me.get("/fw/pump-7.bin", 206, {"Range": "bytes=0-65535", "If-Match": fresh})


@case(
    "a807",
    "log-export-spliced",
    "read-changed-mid-transfer",
    "corrupt",
    alone="read-changed-mid-transfer",
    description=(
        "A script fetches an export in three ranges without any condition. The export is rewritten between the "
        "second and the third: the pieces carry two tags and the file put together is of two versions."
    ),
)
def spliced(stage: Stage) -> None:
    """Join pieces of two files."""
    lines = "".join(f"2026-11-26 day-shift line {n:05d}\n" for n in range(1200))
    server = fronts.site(stage, "lighttpd", {"export/shift.txt": lines, "index.txt": "export/\n"}, age=400)
    me = stage.actor("client", server, "plant.example.test", "node:axios", {"User-Agent": "shift-loader/0.3"})
    me.get("/index.txt")
    first = me.get("/export/shift.txt", 206, {"Range": "bytes=0-15999"})
    me.get("/export/shift.txt", 206, {"Range": "bytes=16000-31999"})
    time.sleep(0.5)
    fronts.put_file(server.directory, "export/shift.txt", lines.replace("day-shift", "night-shift"), 2)
    time.sleep(2.2)  # lighttpd remembers a file's state for a second
    third = me.get("/export/shift.txt", 206, {"Range": "bytes=32000-38399"})
    own.insist(first.etag != third.etag, "the pieces have one tag")
    whole = me.get("/export/shift.txt")
    own.insist(b"night-shift" in third.body and b"night-shift" in whole.body, "not replaced")


@case(
    "a808",
    "notice-number-taken",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A parish office posts a notice under number 32, guarded by If-None-Match: *; the number belongs to a "
        "notice of the office from long ago. The read shows that other notice; the next free number works."
    ),
)
def number_taken(stage: Stage) -> None:
    """Take a number that is taken."""
    server = own.house(stage, "ost_notices.rb", own.NOTICES)
    me = stage.actor("client", server, "parish.example.test", "urllib", {"X-Editor": "verger"})
    text = '<entry xmlns:n="urn:example:notice"><n:title>Roof appeal</n:title><n:when>Sun</n:when></entry>'
    kind = {"Content-Type": "application/atom+xml;type=entry", "If-None-Match": "*"}
    me.get("/notices", 200)
    own.stroll(me, ["/notices", "/notices/31", "/files/logo.png", "/notices/7"])
    me.put("/notices/32", text, 412, kind)
    own.insist("Jumble sale" in me.get("/notices/32").text, "another notice is expected there")
    me.put("/notices/33", text, 201, kind)
    me.get("/notices/33")


@case(
    "a809",
    "object-of-an-earlier-run",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A cron job uploads the day's takings with If-None-Match: * and the date as key; the run of the morning "
        "has stored that key. HEAD shows an older date and another length."
    ),
)
def earlier_run(stage: Stage) -> None:
    """Store a day twice."""
    server = stage.server("moto")
    other = stage.actor("other", server, "s3.shop.example.test", "curl", own.SIGNED)
    me = stage.actor(
        "client",
        server,
        "s3.shop.example.test",
        "curl:trace-time",
        {"User-Agent": "takings.sh", **own.SIGNED},
    )
    other.put("/takings", "", 200)
    kind = {"Content-Type": "text/csv", "If-None-Match": "*"}
    other.put("/takings/2026-11-26.csv", "till;sum;run\n1;412.10;0600\n2;98.00;0600\n", 200, kind)
    for day in ("24", "25"):
        other.put(f"/takings/2026-11-{day}.csv", f"till;sum;run\n1;{day}7.20;1900\n", 200, kind)
    time.sleep(1.4)
    me.get("/takings?list-type=2&prefix=2026-11")
    own.stroll(me, ["/takings/2026-11-24.csv", "/takings/2026-11-23.csv"])
    me.send("HEAD", "/takings/2026-11-25.csv", 200)
    me.put(
        "/takings/2026-11-26.csv", "till;sum;run\n1;2204.75;1900\n2;1180.20;1900\n3;77.5;1900\n", 412, kind
    )
    me.send("HEAD", "/takings/2026-11-26.csv", 200)
    me.get("/takings/2026-11-26.csv")


@case(
    "a810",
    "contact-deleted-on-the-phone",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A supplier is deleted on the phone; the desktop still has the card and saves it with its tag: 412 from "
        "Radicale, and the read is 404."
    ),
)
def deleted(stage: Stage) -> None:
    """Save a card that is gone."""
    server = stage.server("radicale")
    desk = {"Authorization": "Basic b3R0bzpvdHRv", "User-Agent": "Thunderbird/128.5.0"}
    me = stage.actor("client", server, "dav.otto.example.test", "httpx", desk)
    other = stage.actor(
        "other", server, "dav.otto.example.test", "requests", {**desk, "User-Agent": "DAVx5/4.4.3"}
    )
    me.send("MKCOL", "/otto/suppliers/", 201, own.XML, own.BOOK)
    for name, phone in (("mill", "+49 30 1200"), ("dairy", "+49 30 4411"), ("eggs", "+49 30 9087")):
        me.put(f"/otto/suppliers/{name}.vcf", card(f"{name}-1", name.title(), phone), 201, _ICS)
    tag = me.get("/otto/suppliers/dairy.vcf").etag
    seen = other.get("/otto/suppliers/dairy.vcf").etag
    other.send("DELETE", "/otto/suppliers/dairy.vcf", 200, {"If-Match": seen})
    time.sleep(0.5)
    me.put(
        "/otto/suppliers/dairy.vcf",
        card("dairy-1", "Dairy Hof", "+49 30 4412"),
        412,
        {"If-Match": tag, **_ICS},
    )
    me.get("/otto/suppliers/dairy.vcf", 404)
    me.send("PROPFIND", "/otto/suppliers/", 207, {"Depth": "1", **own.XML})


@case(
    "a811",
    "plan-moved-to-the-archive",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A drawing was moved into the archive folder by a colleague; the old bookmark of the drawing program "
        "still saves to the former URL with If-Match: 412, 404 on reading, and PROPFIND finds it elsewhere."
    ),
)
def moved(stage: Stage) -> None:
    """Save to a former URL."""
    drawing = "<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0 L{} 40'/></svg>\n"
    files = {"plans/hall-3.svg": drawing.format(80), "archive/readme.txt": "closed plans\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "cad.example.test", "requests", {"User-Agent": "Inkdraw/1.3"})
    other = stage.actor("other", server, "cad.example.test", "curl")
    me.send("PROPFIND", "/plans/", 207, {"Depth": "1", **own.XML})
    own.stroll(me, ["/archive/readme.txt", "/plans/hall-3.svg.bak"])
    tag = me.get("/plans/hall-3.svg").etag
    other.send(
        "MOVE", "/plans/hall-3.svg", 201, {"Destination": "http://cad.example.test/archive/hall-3.svg"}
    )
    time.sleep(0.6)
    me.put("/plans/hall-3.svg", drawing.format(95), 412, {"If-Match": tag, "Content-Type": "image/svg+xml"})
    me.get("/plans/hall-3.svg", 404)
    me.send("PROPFIND", "/archive/", 207, {"Depth": "1", **own.XML})


@case(
    "a812",
    "wiki-conflict-in-a-form-tool",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "A script keeps the fixtures page of a club wiki; the coach edits the page between its read and its save. "
        "The 412 prints the tag of the text now, and the page read next is signed by the coach."
    ),
)
def fixtures(stage: Stage) -> None:
    """Save over the coach."""
    pages = {
        "Home": "#author admin\n= Club =\nsee Fixtures\n",
        "Fixtures": "#author admin\n= Fixtures =\n* 5 Dec away\n* 12 Dec home\n",
    }
    server = own.wiki(stage, pages)
    me = stage.actor("client", server, "wiki.club.example.test", "aiohttp", {"User-Agent": "fixture-bot/0.2"})
    other = stage.actor(
        "other", server, "wiki.club.example.test", "requests", {"User-Agent": "Mozilla/5.0 coach"}
    )
    own.stroll(me, ["/wiki.pl/Home", "/wiki.pl/Table", "/wiki.pl/Home?view=html"])
    read = me.get("/wiki.pl/Fixtures")
    page = other.get("/wiki.pl/Fixtures?view=html")
    own.insist("Fixtures" in page.text, "no page")
    seen = other.get("/wiki.pl/Fixtures")
    text = seen.text.replace("admin", "coach").replace("12 Dec home", "13 Dec home, 15:00")
    other.put("/wiki.pl/Fixtures", text, 200, {"If-Match": seen.etag})
    time.sleep(0.9)
    grown = read.text.replace("admin", "fixture-bot") + "* 19 Dec cup\n"
    me.put("/wiki.pl/Fixtures", grown, 412, {"If-Match": read.etag})
    own.insist("#author coach" in me.get("/wiki.pl/Fixtures").text, "not the coach")


@case(
    "a813",
    "tariff-upload-of-two-offices",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Two offices replace a tariff table on Tornado with the tag of the same table. The second is 412 and the "
        "table it reads then is signed by the other office. Other tables go on without trouble."
    ),
)
def two_offices(stage: Stage) -> None:
    """Replace a table at the same time."""
    server = own.house(stage, "ost_tariffs.py", own.TARIFFS, FLAGS="demand")
    me = stage.actor("client", server, "tariffs.transit.example.test", "java", {"X-Signed": "office north"})
    other = stage.actor(
        "other", server, "tariffs.transit.example.test", "httpx", {"X-Signed": "office south"}
    )
    me.get("/tariffs/zone-a", 200, {"Accept": "text/csv"})
    me.get("/tariffs/zone-q", 404)
    for name in ("zone-b", "zone-a"):
        read = me.get(f"/tariffs/{name}")
    seen = other.get("/tariffs/zone-a")
    rows = json.loads(seen.text)["rows"]
    other.put(
        "/tariffs/zone-a", {"rows": [*rows, {"kind": "bike", "price": 3.0}]}, 200, {"If-Match": seen.etag}
    )
    time.sleep(0.5)
    mine = [{**row, "price": round(row["price"] * 1.05, 2)} for row in read.json["rows"]]
    me.put("/tariffs/zone-a", {"rows": mine}, 412, {"If-Match": read.etag})
    own.insist(me.get("/tariffs/zone-a").json["signed"] == "office south", "another signature is expected")
    zone = me.get("/tariffs/zone-b")
    me.put("/tariffs/zone-b", {"rows": zone.json["rows"][:1]}, 200, {"If-Match": zone.etag})
