"""Conflicts that are real: colleagues, jobs and the services themselves."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import nord_setting as scene

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _agent(actor: Actor, name: str) -> None:
    """Sign in at the help desk and look at the first page."""
    actor.send("POST", "/helpdesk/login", 302, _FORM, f"agent={name}&password=x&remember=1")
    actor.get("/helpdesk/tickets/?state=open&per_page=50&page=1")


@case(
    "a640",
    "two-agents-one-ticket",
    "other-writer",
    "412",
    alone="other-writer",
    description="Two agents of a help desk work through the same list; one has assigned the ticket to herself while the other was typing, and his save is refused.",
)
def agents(stage: Stage) -> None:
    """Work through a list, two at a time."""
    server = scene.tickets(stage, TAGS="1")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "help.example.test", "requests")
    other = stage.actor("other", front, "help.example.test", "httpx")
    _agent(me, "bo")
    _agent(other, "mia")
    tag = me.get("/helpdesk/tickets/4711.json").etag
    me.put("/helpdesk/tickets/4711.json", {"assignee": "bo", "state": "pending"}, 200, {"If-Match": tag})
    mine = me.get("/helpdesk/tickets/4720.json").etag
    other.get("/helpdesk/tickets/4713.json")
    theirs = other.get("/helpdesk/tickets/4720.json").etag
    me.get("/helpdesk/contacts?email=ola@north.example")
    time.sleep(0.8)
    other.put("/helpdesk/tickets/4720.json", {"assignee": "mia"}, 200, {"If-Match": theirs})
    time.sleep(1.1)
    save = {"assignee": "bo", "tags": ["imported", "telephony"]}
    me.put("/helpdesk/tickets/4720.json", save, 412, {"If-Match": mine})
    me.get("/helpdesk/tickets/4720.json")
    me.get("/helpdesk/tickets/?state=open&per_page=50&page=1")


@case(
    "a641",
    "import-run-with-three-workers",
    "self-race",
    "412",
    alone="self-race",
    description="An import run updates one article from three workers at once with the tag that it read for all of them: one gets through, the others are refused.",
)
def workers(stage: Stage) -> None:
    """Send three rows for one article at once."""
    server = scene.warehouse(stage, PACE="0.25")
    front = fronts.haproxy(stage, [server])
    always = {"X-Operator": "import", "X-Run-Id": "run-20261126-0417", "User-Agent": "stock-import/5.1"}
    me = stage.actor("client", front, "wms.example.test", "requests", always)
    me.get("/wms/v2/sites/oslo/stock?offset=0&limit=20&sort=bin")
    read = me.get(scene.BOLT)
    washer = me.get(scene.WASHER)
    me.put(scene.WASHER, scene.counted(washer, onHand=9100), 200, {"If-Match": washer.etag})
    rows: list[dict[str, int | str]] = [{"onHand": 1900}, {"bin": "04-C-20"}, {"reserved": 60}]
    with ThreadPoolExecutor(3) as pool:
        guard = {"If-Match": read.etag}
        sent = [
            pool.submit(
                me.put, scene.BOLT, scene.counted(read, **row), (200, 412), {**guard, "X-Row": str(number)}
            )
            for number, row in enumerate(rows, 118)
        ]
        statuses = sorted(one.result().status for one in sent)
    if statuses != [200, 412, 412]:
        raise StoryError(f"the workers came to {statuses}")
    me.get(scene.BOLT)


@case(
    "a642",
    "payment-touches-the-reservation",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description="A clerk saves a reservation and books a payment for it; the payment changes the reservation on the server, so the tag of the own save is outdated at the next one.",
)
def payment(stage: Stage) -> None:
    """Save, pay, save."""
    server = scene.bookings(stage)
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "desk.example.test", "node:axios", {"X-Clerk": "ada"})
    me.get("/api/bookings?q=Aurora")
    read = me.get("/api/bookings/BK-2041")
    saved = me.put("/api/bookings/BK-2041", scene.booked(read, persons=3), 200, {"If-Match": read.etag})
    me.send("POST", "/api/payments", 201, None, {"booking": "BK-2041", "amount": "890.00", "method": "card"})
    time.sleep(0.9)
    change = scene.booked(saved, note="late arrival")
    me.put("/api/bookings/BK-2041", change, 412, {"If-Match": saved.etag})
    now = me.get("/api/bookings/BK-2041")
    if now.json["meta"]["edited_by"] != "payments":
        raise StoryError("somebody else has changed the reservation")
    me.get("/api/bookings/BK-2044")


@case(
    "a643",
    "timesheet-export-replaced-while-fetched",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description="A payroll job fetches an export in guarded parts while the nightly run replaces the file: the next part is refused, and the job starts again with the new tag.",
)
def export(stage: Stage) -> None:
    """Fetch in parts, twice."""
    rows = [f"{day:02};emp-{number:03};7.5\n" for day in range(1, 26) for number in range(40)]
    nginx = fronts.site(
        stage, "nginx", {"export/2026-11.csv": "".join(rows), "export/index.txt": "2026-11.csv\n"}
    )
    front = fronts.haproxy(stage, [nginx])
    me = stage.actor("client", front, "payroll.example.test", "aiohttp", {"User-Agent": "payroll-pull/2"})
    me.get("/export/index.txt")
    tag = me.send("HEAD", "/export/2026-11.csv", 200).etag
    for first in (0, 4000, 8000):
        me.get("/export/2026-11.csv", 206, {"Range": f"bytes={first}-{first + 3999}", "If-Match": tag})
        time.sleep(0.2)
    fronts.put_file(
        nginx.directory, "export/2026-11.csv", "".join(rows).replace("emp-007;7.5", "emp-007;6.0") + "#\n"
    )
    me.get("/export/2026-11.csv", 412, {"Range": "bytes=12000-15999", "If-Match": tag})
    size, first = int(me.send("HEAD", "/export/2026-11.csv", 200).fields["content-length"]), 0
    tag = me.send("HEAD", "/export/2026-11.csv", 200).etag
    while first < size:
        last = min(first + 5999, size - 1)
        me.get("/export/2026-11.csv", 206, {"Range": f"bytes={first}-{last}", "If-Match": tag})
        first = last + 1


@case(
    "a644",
    "invoice-number-taken-since-yesterday",
    "exists-already",
    "412",
    alone="exists-already",
    description="A billing run issues invoices under If-None-Match: *; one number has been taken for weeks by an invoice of another buyer, and the guard does what it is for.",
)
def taken(stage: Stage) -> None:
    """Issue three invoices, one of them under a number that is taken."""
    server = scene.invoices(stage)
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "ledger.example.test", "urllib", {"From": "billing-run@example.test"})
    xml = {"Content-Type": "application/xml", "Accept": "application/xml", "If-None-Match": "*"}
    me.put("/ledger/2026/invoices/90116", scene.invoice_xml("90116", "310.00", buyer="Fossen"), 201, xml)
    me.put("/ledger/2026/invoices/90118", scene.invoice_xml("90118", "77.00", buyer="Lunde IL"), 412, xml)
    me.get("/ledger/2026/invoices/90118", 200, {"Accept": "application/xml"})
    me.put("/ledger/2026/invoices/90119", scene.invoice_xml("90119", "77.00", buyer="Lunde IL"), 201, xml)
    me.get("/ledger/2026/invoices/90119", 200, {"Accept": "application/xml"})


@case(
    "a645",
    "article-removed-before-the-count",
    "target-missing",
    "412",
    alone="target-missing",
    description="An article was taken off the books by a colleague before the count of it arrived: the guarded count is refused, and the article is 404.",
)
def gone(stage: Stage) -> None:
    """Count what has gone."""
    server = scene.warehouse(stage)
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "wms.example.test", "httpx", {"X-Operator": "scanner-5"})
    other = stage.actor("other", front, "wms.example.test", "requests")
    scene.sign_on(other, "arkiv")
    me.get("/wms/v2/sites/oslo/stock?offset=0&limit=20&sort=bin")
    read, theirs = me.get(scene.FILM), other.get(scene.FILM)
    bolt = me.get(scene.BOLT)
    other.send("DELETE", scene.FILM, 204, {"If-Match": theirs.etag})
    me.put(scene.BOLT, scene.counted(bolt, onHand=1833), 200, {"If-Match": bolt.etag})
    time.sleep(0.5)
    me.put(scene.FILM, scene.counted(read, onHand=70), 412, {"If-Match": read.etag})
    me.get(scene.FILM, 404)
    me.get("/wms/v2/sites/oslo/stock?offset=0&limit=20&sort=bin")


@case(
    "a663",
    "budget-sheet-locked-by-controller",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description="A controller holds a WebDAV lock on a budget sheet; a colleague's save is 423 with the current tag as well as without, until the lock is given back.",
)
def locked(stage: Stage) -> None:
    """Save under somebody else's lock."""
    files = {"budget/2027.csv": "post;sum\nrent;120\n", "budget/notes.txt": "draft until 1 Dec\n"}
    site = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    front = fronts.haproxy(stage, [site])
    me = stage.actor("client", front, "files.example.test", "node:fetch", {"User-Agent": "sheet-sync/1.3"})
    other = stage.actor("other", front, "files.example.test", "requests", {"User-Agent": "OfficeSuite 24.8"})
    body = '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope>'
    body += "<locktype><write/></locktype><owner>controller</owner></lockinfo>"
    held = other.send(
        "LOCK", "/budget/2027.csv", 200, {"Timeout": "Second-300", "Content-Type": "text/xml"}, body
    )
    token = held.fields["lock-token"]
    me.get("/budget/notes.txt")
    read = me.get("/budget/2027.csv")
    me.put("/budget/2027.csv", f"{read.text}power;40\n", 423, {"If-Match": read.etag})
    me.put("/budget/2027.csv", f"{read.text}power;40\n", 423)
    me.send("PROPFIND", "/budget/2027.csv", 207, {"Depth": "0"})
    other.send("UNLOCK", "/budget/2027.csv", 204, {"Lock-Token": token})
    time.sleep(0.4)
    me.put("/budget/2027.csv", f"{read.text}power;40\n", 204, {"If-Match": read.etag})


@case(
    "a669",
    "nightly-job-locks-of-two-schedulers",
    "expected-control-flow",
    "412",
    alone="expected-control-flow none",
    description="Two schedulers compete for the same lock pages with If-None-Match: * before every job; who loses waits for the next one, and nothing is wrong.",
)
def election(stage: Stage) -> None:
    """Win some, lose some."""
    server = scene.pages(stage)
    first = stage.actor(
        "client", server, "jobs.example.test", "requests", {"User-Agent": "scheduler/3 (node-1)"}
    )
    second = stage.actor(
        "other", server, "jobs.example.test", "httpx", {"User-Agent": "scheduler/3 (node-2)"}
    )
    guard = {"If-None-Match": "*", "Content-Type": "text/plain"}
    for job, winner, loser in (
        ("reindex", second, first),
        ("sitemap", first, second),
        ("purge", second, first),
        ("digest", second, first),
    ):
        path = f"/locks/{job}/2026-11-26T0{len(job) % 6}"
        winner.put(path, f"holder={'node-2' if winner is second else 'node-1'};ttl=60", 201, guard)
        loser.put(path, f"holder={'node-1' if winner is second else 'node-2'};ttl=60", 412, guard)
        winner.get("/cms/pages/jobs")
        time.sleep(0.25)
        winner.send("DELETE", path, 204)
