"""Locks, dialects, answers that only look like refused conditions, and a browser that may not see a tag."""

from __future__ import annotations

import importlib
import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.sud_setting import (
    DISPATCH,
    LIMS,
    OPAC,
    XML,
    courier,
    instrument,
    laboratory,
    library,
    title,
)
from tools.recording_apis.stories.webdav import lock, properties, quoted

_STORE = (
    "async ([url, body]) => { const read = await fetch(url); await read.text(); "
    "const headers = {'Content-Type': 'application/xml'}; const tag = read.headers.get('etag'); "
    "if (tag) headers['If-Match'] = tag; const put = await fetch(url, {method: 'PUT', headers, body}); "
    "await put.text(); return [tag, put.status] }"
)


@case(
    "a043",
    "minutes-locked-by-council-office",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "The council's office holds an exclusive lock on the minutes; a save with the right tag is refused with 423 "
        "until the lock is given back."
    ),
)
def locked(stage: Stage) -> None:
    """Write to what somebody has locked."""
    server = stage.server("wsgidav")
    (server.directory / "minutes-11.txt").write_text("Item 1: opening hours\n")
    me = stage.actor("client", server, "dav.rathaus.test", "curl")
    other = stage.actor("other", server, "dav.rathaus.test", "requests", {"User-Agent": "OfficeDrive/16"})
    held = lock(other, "/minutes-11.txt", "council office", "Second-900")
    properties(me, "/", "1")
    tag = quoted(me.get("/minutes-11.txt").etag)
    text = "Item 1: opening hours\nItem 2: budget\n"
    me.put("/minutes-11.txt", text, 423, {"If-Match": tag})
    time.sleep(0.7)
    properties(me, "/minutes-11.txt", "0")
    me.put("/minutes-11.txt", text, 423, {"If-Match": tag})
    other.send("UNLOCK", "/minutes-11.txt", 204, {"Lock-Token": f"<{held}>"})
    me.put("/minutes-11.txt", text, 204, {"If-Match": tag})


@case(
    "a044",
    "refusal-with-status-200",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description=(
        "The dispatch tells a refusal (REV_MISMATCH) in the body of a 200; the client takes the status for success, "
        "goes on with the next jobs, and its assignment never happened."
    ),
)
def soft(stage: Stage) -> None:
    """Take a refusal for success."""
    server = courier(stage, SOFT="1")
    me = stage.actor("client", server, DISPATCH, "node:fetch", {"X-Dispatcher": "disp-ana"})
    other = stage.actor("other", server, DISPATCH, "httpx", {"X-Dispatcher": "disp-kim"})
    me.send("GET", "/d1/jobs", 200)
    other.send("POST", "/d1/jobs/J-2041:weigh", 200, None, {"rev": other.get("/d1/jobs/J-2041").json["rev"]})
    for name, rider in (("J-2041", "r-07"), ("J-2042", "r-07"), ("J-2043", "r-11")):
        time.sleep(0.3)
        told = me.send("POST", f"/d1/jobs/{name}:assign", 200, None, {"rev": 4, "rider": rider}).json
        if told["ok"] == (name == "J-2041"):
            raise StoryError("told otherwise")
    time.sleep(1.0)
    if "rider" in me.get("/d1/jobs/J-2041").json:
        raise StoryError("it was assigned")


@case(
    "a045",
    "patch-tests-other-spelling",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "A JSON Patch tests the author as the client's own index spells it, in lower case; the record has capitals. "
        "The message names the step, nobody has written."
    ),
)
def spelling(stage: Stage) -> None:
    """Test a value that was never there."""
    server = library(stage)
    me = stage.actor("client", server, OPAC, "requests", {"X-Desk": "enrich-bot"})
    for page_number in range(1, 4):
        me.get(f"/opac/titles?page={page_number}&per_page=50&include=authority,holdings")
    me.get("/opac/titles/b5090")
    before = me.get("/opac/titles/b4472")
    patch = {"Content-Type": "application/json-patch+json"}
    step = {"op": "replace", "path": "/shelf", "value": "R 19"}
    test = {"op": "test", "path": "/author", "value": "seghers, anna"}
    me.send("PATCH", "/opac/titles/b4472", 412, patch, [test, step])
    if me.get("/opac/titles/b4472").body != before.body:
        raise StoryError("it has changed")
    me.send("PATCH", "/opac/titles/b4472", 200, patch, [{**test, "value": "Seghers, Anna"}, step])


@case(
    "a046",
    "one-card-two-patrons",
    "multi-match",
    "412",
    alone="multi-match",
    description="A PUT to the patron with a card number finds two patrons with that number and is refused.",
)
def patrons(stage: Stage) -> None:
    """Write to what a query finds twice."""
    server = library(stage)
    me = stage.actor("client", server, OPAC, "aiohttp", {"X-Desk": "school-import"})
    me.get("/opac/patrons")
    one = title("patrons/p20881", fees="0.00", school="Ost")
    me.put("/opac/patrons?card=DE-20881", one, 200)
    two = title("patrons/p20882", school="Ost")
    me.put("/opac/patrons?card=DE-20882", two, 412)
    time.sleep(0.4)
    me.put("/opac/patrons?card=DE-20882", two, 412)
    if me.get("/opac/patrons").text.count("DE-20882") != 2:
        raise StoryError("not two")


@case(
    "a047",
    "no-conditions-on-old-server",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description="The branch's old server answers 501 to any write with a condition, whatever the tag, and says so.",
)
def refuses(stage: Stage) -> None:
    """Send a condition to a server that knows none."""
    server = library(stage, REFUSES="1", BRANCH="west-legacy")
    me = stage.actor("client", server, OPAC, "httpx", {"X-Desk": "desk-w1"})
    tag = me.get("/opac/titles/b4471").etag
    new = title("titles/b4471", shelf="W 1")
    me.put("/opac/titles/b4471", new, 501, {"If-Match": tag})
    again = me.get("/opac/titles/b4471")
    me.put("/opac/titles/b4471", new, 501, {"If-Match": again.etag})
    me.put("/opac/titles/b9001", title("titles/b6113", title="Kassandra"), 501, {"If-None-Match": "*"})
    me.put("/opac/titles/b4471", new, 200)


@case(
    "a048",
    "bot-wall-answers-412",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A wall before the library answers 412 to a program by its User-Agent, to reads as well and without any "
        "condition; the origin sees nothing of it, and another program gets through."
    ),
)
def wall(stage: Stage) -> None:
    """Meet a wall."""
    server = library(stage)
    page = "<html><title>Request blocked</title><p>Automated access. Incident 7f-3310</p></html>"
    rule = f"default_type text/html; if ($http_user_agent ~* \"harvest\") {{ return 412 '{page}'; }}"
    front = fronts.nginx(stage, server, rule)
    me = stage.actor("client", front, OPAC, "urllib", {"User-Agent": "oai-harvester/0.3"})
    other = stage.actor("other", front, OPAC, "requests")
    other.get("/opac/titles")
    me.get("/opac/titles?page=1", 412)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    me.send("POST", "/opac/login", 412, form, "card=harvest&pin=0")
    time.sleep(0.5)
    for name in ("b4471", "b4472", "b5090"):
        me.get(f"/opac/titles/{name}?format=marc21&t=1795722918", 412)
        other.get(f"/opac/titles/{name}")


@case(
    "a049",
    "three-sweepers-one-claim",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description=(
        "Workers ask for one claim each second with a create-only PUT; whoever does not get it waits and asks again. "
        "The holder stops and another takes over. No user sees any of it."
    ),
)
def sweepers(stage: Stage) -> None:
    """Ask for a claim in turns."""
    server = courier(stage)
    me = stage.actor("client", server, DISPATCH, "aiohttp", {"User-Agent": "sweeper/node-2"})
    other = stage.actor("other", server, DISPATCH, "requests", {"User-Agent": "sweeper/node-1"})
    guard = {"If-None-Match": "*"}
    path = "/d1/claims/route-sweeper"
    other.put(path, {"holder": "node-1", "seconds": 2.6}, 201, guard)
    for _ in range(4):
        me.put(path, {"holder": "node-2", "seconds": 30}, 412, guard)
        me.get("/d1/jobs")
        time.sleep(0.6)
    time.sleep(0.7)
    me.put(path, {"holder": "node-2", "seconds": 30}, 200, guard)
    me.get(path)
    other.put(path, {"holder": "node-1", "seconds": 2}, 412, guard)


@case(
    "a050",
    "page-cannot-see-tag",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag token-missing",
    also="token-missing",
    description=(
        "A page of another origin saves an instrument card: the registry does not expose ETag, so the script finds "
        "none, sends no condition and gets 428. A program that is no browser saves with the tag."
    ),
)
def page(stage: Stage) -> None:
    """Save from a page of another origin."""
    pages = fronts.site(stage, "nginx", {"index.html": "<!doctype html><title>Cards</title><p>Cards"})
    server = laboratory(stage, NEED="1", CORS="http://cards.chem-east.test")
    other = stage.actor("other", server, LIMS, "requests", {"X-Technician": "varga"})
    export = stage.directory() / "client.har"
    rules = f"MAP cards.chem-east.test:80 127.0.0.1:{pages.port}, "
    rules += f"MAP {LIMS}:80 127.0.0.1:{stage.tap('client', server)}"
    driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
    flags = ["--no-sandbox", "--disable-gpu", f"--host-resolver-rules={rules}"]
    chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
    try:
        context = chromium.new_context(record_har_path=str(export), record_har_content="embed")
        shown = context.new_page()
        shown.goto("http://cards.chem-east.test/index.html")
        for name in ("HPLC-03", "BAL-17"):
            body = instrument(name, status="in use")
            tag, status = shown.evaluate(_STORE, [f"http://{LIMS}/lims/instrument/{name}", body])
            if tag is not None or status != 428:
                raise StoryError(f"{tag} {status}")
        stage.servers["browser"] = f"Chromium {chromium.version}"
        context.close()
    finally:
        chromium.close()
        driver.stop()
    stage.exported["client"] = export
    seen = other.get("/lims/instrument/BAL-17").etag
    other.put(
        "/lims/instrument/BAL-17", instrument("BAL-17", status="in use"), 200, {**XML, "If-Match": seen}
    )
