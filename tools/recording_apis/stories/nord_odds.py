"""Dates, dialects, answers that are no precondition's, and a page on another origin."""

from __future__ import annotations

import importlib
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import nord_setting as scene

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_90117, _90118 = "/ledger/2026/invoices/90117", "/ledger/2026/invoices/90118"
_SINCE = "If-Unmodified-Since"


def _shifted(answer: Answer, **shift: float) -> str:
    """Return the Last-Modified of an answer, moved."""
    date = parsedate_to_datetime(answer.fields["last-modified"]).astimezone(UTC)
    return format_datetime(date + timedelta(**shift), usegmt=True)


@case(
    "a659",
    "ledger-compares-fractions-of-seconds",
    "date-precision",
    "412",
    alone="date-precision",
    description="The ledger stores fractions of seconds, serves whole ones and compares with the fractions: the echo of Last-Modified is refused, a second more passes, for each invoice.",
)
def fractions(stage: Stage) -> None:
    """Echo the served date."""
    server = scene.invoices(stage, DATES_ONLY="1", EXACT="1")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "ledger.example.test", "requests", {"From": "erp@example.test"})
    for path in (_90117, _90118):
        read = me.get(path)
        change = {**read.json, "Reminder": "1"}
        me.put(path, change, 412, {_SINCE: read.fields["last-modified"]})
        again = me.get(path)
        if again.fields["last-modified"] != read.fields["last-modified"]:
            raise StoryError("the invoice has changed")
        me.put(path, change, 412, {_SINCE: again.fields["last-modified"]})
        me.put(path, change, 200, {_SINCE: _shifted(again, seconds=1)})


@case(
    "a660",
    "terminal-clock-seven-minutes-slow",
    "clock-skew",
    "412",
    alone="clock-skew",
    description="A terminal whose clock is 7 minutes 11 seconds slow guards its save with the moment of its read by its own clock: earlier than the server's Last-Modified, refused; the served date passes.",
)
def slow_clock(stage: Stage) -> None:
    """Guard with the own clock."""
    server = scene.invoices(stage, DATES_ONLY="1")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "ledger.example.test", "httpx", {"From": "till-4@example.test"})

    def now() -> str:
        return format_datetime(datetime.now(UTC) - timedelta(minutes=7, seconds=11), usegmt=True)

    read = me.get(_90117, 200, {"Date": now()})
    me.put(_90117, {**read.json, "Paid": "0.00"}, 200, {_SINCE: read.fields["last-modified"], "Date": now()})
    for amount in ("640.00", "640.00"):
        time.sleep(1.2)
        read, moment = me.get(_90117, 200, {"Date": now()}), now()
        me.put(_90117, {**read.json, "Paid": amount}, 412, {_SINCE: moment, "Date": now()})
    me.get(_90118, 200, {"Date": now()})
    me.put(
        _90117, {**read.json, "Paid": "640.00"}, 200, {_SINCE: read.fields["last-modified"], "Date": now()}
    )


@case(
    "a661",
    "iso-date-is-no-http-date",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description="A program sends If-Unmodified-Since as ISO 8601; the ledger cannot read it and leaves it out, so an outdated invoice replaces the accountant's, where the same moment as an HTTP date is refused.",
)
def iso(stage: Stage) -> None:
    """Send an ISO date."""
    server = scene.invoices(stage, DATES_ONLY="1")
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "ledger.example.test", "node:fetch", {"From": "portal@example.test"})
    other = stage.actor("other", front, "ledger.example.test", "requests", {"From": "ruth@example.test"})
    me.get(_90118)
    read, theirs = me.get(_90117), other.get(_90117)
    date = parsedate_to_datetime(read.fields["last-modified"]).strftime("%Y-%m-%dT%H:%M:%SZ")
    change = {**theirs.json, "PayableAmount": "1180.00"}
    other.put(_90117, change, 200, {_SINCE: theirs.fields["last-modified"]})
    time.sleep(0.9)
    me.put(_90117, {**read.json, "Due": "2027-01-15"}, 200, {_SINCE: date})
    me.get(_90117)
    me.put(_90117, {**read.json, "Due": "2027-01-15"}, 412, {_SINCE: read.fields["last-modified"]})
    other.get(_90117)


@case(
    "a662",
    "ledger-client-converts-the-date-twice",
    "timezone-error",
    "412",
    alone="timezone-error",
    description="A Java program takes the served GMT date for Oslo time and converts it once more: If-Unmodified-Since is one hour early to the second, and every save is refused.",
)
def twice(stage: Stage) -> None:
    """Convert once too often."""
    server = scene.invoices(stage, DATES_ONLY="1")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "ledger.example.test", "java", {"From": "faktura@example.test"})
    other = stage.actor("other", front, "ledger.example.test", "curl")
    read = me.get(_90117)
    me.put(_90117, {**read.json, "Note": "to be paid in two parts"}, 412, {_SINCE: _shifted(read, hours=-1)})
    second = me.get(_90118)
    me.put(_90118, {**second.json, "Note": "disputed"}, 412, {_SINCE: _shifted(second, hours=-1)})
    read = me.get(_90117)
    other.get(_90117)
    me.put(_90117, {**read.json, "Note": "two parts"}, 412, {_SINCE: _shifted(read, hours=-1)})
    me.get(_90117, 304, {"If-Modified-Since": read.fields["last-modified"]})


@case(
    "a664",
    "stale-ticket-answered-as-bad-request",
    "status-dialect-mismatch",
    "400",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description="A help desk tells of an outdated lock_version with 400; the client takes that for a faulty form and sends it again without the field it suspects, while the body says stale_object.",
)
def bad_request(stage: Stage) -> None:
    """Take a conflict for a faulty form."""
    server = scene.tickets(stage, CONFLICT="400")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "help.example.test", "node:axios", {"User-Agent": "crm-bridge/0.4"})
    other = stage.actor("other", front, "help.example.test", "requests")
    other.send("POST", "/helpdesk/login", 302, _FORM, "agent=mia&password=x")
    path = "/helpdesk/tickets/4711.json"
    mine, theirs = me.get(path).json["ticket"], other.get(path).json["ticket"]
    version = {"lock_version": theirs["lock_version"]}
    other.put(path, {"assignee": "mia", **version}, 200)
    time.sleep(0.7)
    save = {
        "subject": mine["subject"],
        "state": "pending",
        "tags": ["imported", "crm"],
        "lock_version": mine["lock_version"],
    }
    me.put(path, save, 400)
    me.put(path, {name: value for name, value in save.items() if name != "tags"}, 400)
    me.get("/helpdesk/contacts?email=ola@north.example")
    fresh = me.get(path).json["ticket"]["lock_version"]
    me.put(path, {"state": "pending", "lock_version": fresh}, 200)


@case(
    "a665",
    "patch-test-expects-an-empty-text",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description="A JSON Patch tests that the assignee is an empty text, where the live ticket has null: refused at operation 0 although nobody has touched the ticket; with the live value it passes.",
)
def patch_test(stage: Stage) -> None:
    """Test for what is not quite there."""
    server = scene.tickets(stage)
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "help.example.test", "aiohttp", {"User-Agent": "router-bot/2"})
    path, kind = "/helpdesk/tickets/4712.json", {"Content-Type": "application/json-patch+json"}
    me.get("/helpdesk/tickets/?state=open&per_page=50&page=1")
    me.get(path)
    steps: list[dict[str, Any]] = [
        {"op": "test", "path": "/assignee", "value": ""},
        {"op": "replace", "path": "/assignee", "value": "network-team"},
    ]
    me.send("PATCH", path, 412, kind, steps)
    live = me.get(path).json["ticket"]
    me.send("PATCH", path, 412, kind, steps)
    steps[0]["value"] = live["assignee"]
    me.send("PATCH", path, 200, kind, steps)


@case(
    "a666",
    "contact-update-by-address-fits-two",
    "multi-match",
    "412",
    alone="multi-match",
    description="A directory sync updates contacts by their mail address; one address belongs to two contacts, and the help desk refuses to choose.",
)
def two_contacts(stage: Stage) -> None:
    """Update by criteria."""
    server = scene.tickets(stage)
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "help.example.test", "requests", {"User-Agent": "directory-sync/1.9"})
    me.put("/helpdesk/contacts?email=ola@north.example", {"phone": "202"}, 200)
    me.put("/helpdesk/contacts?email=kim@north.example", {"phone": "200"}, 412)
    me.get("/helpdesk/contacts?email=kim@north.example")
    me.put("/helpdesk/contacts?email=nils@north.example", {"name": "Nils Aas", "phone": "204"}, 200)
    me.put("/helpdesk/contacts?email=kim@north.example", {"phone": "200", "name": "Kim Berg"}, 412)


@case(
    "a667",
    "ledger-knows-no-conditions",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description="A ledger serves tags and dates, and answers any conditional write with 501, right after a read and whatever the field; without condition the same write passes.",
)
def refused_as_such(stage: Stage) -> None:
    """Try every field there is."""
    server = scene.invoices(stage, REFUSE="501")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "ledger.example.test", "httpx", {"From": "erp@example.test"})
    me.get(_90118)
    read = me.get(_90117)
    change = {**read.json, "Reminder": "2"}
    me.put(_90117, change, 501, {"If-Match": read.etag})
    read = me.get(_90117)
    me.put(_90117, change, 501, {"If-Match": read.etag})
    me.put(_90117, change, 501, {_SINCE: read.fields["last-modified"]})
    me.put(_90117, change, 501, {"If-Match": "*"})
    me.put(_90117, change, 200)


@case(
    "a668",
    "request-filter-answers-412",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description="A request filter in HAProxy answers 412 with a page of its own to texts that hold a script element; there is no condition in sight, and the page without the script is stored.",
)
def filtered(stage: Stage) -> None:
    """Store a page with a script in it."""
    server = scene.pages(stage)
    page = "<html><body><h2>Request blocked</h2><p>Policy 941-110. Incident 5f2c-0091.</p></body></html>"
    rule = " option http-buffer-request\n http-request return status 412 content-type text/html "
    rule += f'string "{page}" if {{ method PUT POST }} {{ req.body -m sub <script }}'
    front = fronts.haproxy(stage, [server], frontend=rule)
    me = stage.actor("client", front, "cms.example.test", "node:fetch", {"User-Agent": "page-editor/3.4"})
    text = "<h1>Jobs</h1>\n<ul><li>Driver</li></ul>\n"
    me.get("/cms/pages/jobs")
    widget = '<script src="https://maps.example.test/w.js"></script>\n'
    me.put("/cms/pages/jobs", text + widget, 412, _HTML)
    me.get("/cms/pages/opening-hours")
    me.put("/cms/pages/map", widget, 412, _HTML)
    me.put("/cms/pages/jobs", text, 204, _HTML)
    me.get("/cms/pages/jobs")


_SAVE = """async ([url, text]) => {
  const read = await fetch(url); const tag = read.headers.get('ETag'); await read.text();
  await new Promise((done) => setTimeout(done, 900));
  const headers = {'Content-Type': 'text/html; charset=utf-8'};
  if (tag) headers['If-Match'] = tag;
  const saved = await fetch(url, {method: 'PUT', headers, body: text});
  return [tag, saved.status] }"""


def _editing_page(stage: Stage, text: str) -> tuple[Any, Any]:
    """Let a page on another origin read and save; return the tag that its script saw and the status."""
    site = scene.pages(stage)
    server = scene.pages(stage, CORS="http://edit.example.test", ALLOW="Content-Type, If-Match")
    other = stage.actor("other", server, "cms.example.test", "httpx", {"User-Agent": "page-editor/3.4 (siv)"})
    export = stage.directory() / "client.har"
    rules = f"MAP edit.example.test:80 127.0.0.1:{site.port}, "
    rules += f"MAP cms.example.test:80 127.0.0.1:{stage.tap('client', server)}"
    driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
    flags = ["--no-sandbox", "--disable-gpu", "--disable-sync", f"--host-resolver-rules={rules}"]
    chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
    context = chromium.new_context(record_har_path=str(export), record_har_content="embed", locale="nb-NO")
    try:
        page = context.new_page()
        page.goto("http://edit.example.test/cms/pages/about")
        page.evaluate(
            "url => fetch(url).then(r => r.text())", "http://cms.example.test/cms/pages/opening-hours"
        )
        page.evaluate(
            f"call => {{ window.saved = ({_SAVE})(call) }}", ["http://cms.example.test/cms/pages/jobs", text]
        )
        page.wait_for_timeout(400)
        theirs = other.get("/cms/pages/jobs")
        other.put(
            "/cms/pages/jobs", theirs.text + "<p>Closed.</p>\n", 204, {**_HTML, "If-Match": theirs.etag}
        )
        tag, status = page.evaluate("() => window.saved")
        other.get("/cms/pages/jobs")
    finally:
        stage.servers["browser"] = f"Chromium {chromium.version}"
        context.close()
        chromium.close()
        driver.stop()
    stage.exported["client"] = export
    return tag, status


@case(
    "a670",
    "page-editor-on-another-origin",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag unconditional-write none",
    also="unconditional-write",
    description="An editing page on another origin may send If-Match but not read ETag, which is not exposed: it finds no tag, saves without a condition, and a colleague's guarded change is gone.",
)
def hidden(stage: Stage) -> None:
    """Save from another origin."""
    tag, status = _editing_page(stage, "<h1>Jobs</h1>\n<ul><li>Driver (night)</li></ul>\n")
    if tag is not None or status != 204:
        raise StoryError(f"the script saw {tag} and got {status}")
