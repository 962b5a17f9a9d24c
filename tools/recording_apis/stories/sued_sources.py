"""Where tags come from and how they are judged: services, files and frameworks that do it their own way."""

from __future__ import annotations

import importlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tools.recording_apis.fronts import DAV, site
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.sued_ground import (
    BASE,
    BOLTS,
    LOOKS,
    SHEETS,
    busy,
    data_of,
    depot,
    fleet,
    look_around,
    sign_in,
    together,
)


@case(
    "a750",
    "shadow-tag-salted-at-render",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "The service renders a time into each answer and makes a fresh tag for it: revision and data stay the "
        "same over all reads, the tag never does, and no write under a tag can succeed."
    ),
)
def salted(stage: Stage) -> None:
    """Read and write a document whose tag changes by itself."""
    server = fleet(stage, TAGS="salted")
    me = stage.actor("client", server, "iot.example.test", "urllib", {"User-Agent": "valve-cron/1"})
    me = busy(me, "a750", validates=False)
    path = f"{BASE}things/valve-19/shadow"
    me.get(f"{BASE}things/valve-19")
    for opening in (40, 45):
        read = me.get(path)
        me.put(path, {**data_of(read), "desired": {"open": opening}}, 412, {"If-Match": read.etag})
    tags = {me.get(path).etag for _ in range(3)}
    if len(tags) != 3:
        raise StoryError("the tags repeat")


@case(
    "a751",
    "put-answers-another-kind-of-tag",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "A PUT is answered with a tag made of the revision, a GET with one made of the content, and writes are "
        "compared with the latter: the tag of the client's own PUT answer is refused at once."
    ),
)
def two_kinds(stage: Stage) -> None:
    """Chain writes by the answers' tags."""
    server = fleet(stage, TAGS="split")
    me = stage.actor("client", server, "iot.example.test", "node:axios", {"X-Operator": "rollout-ui"})
    me = busy(me, "a751")
    sign_in(me, "rollout-ui")
    path = f"{BASE}policies/updates"
    read = me.get(path)
    tag = me.put(path, {**data_of(read), "maxParallel": 3}, 200, {"If-Match": read.etag}).etag
    me.put(path, {**data_of(read), "maxParallel": 3, "channel": "beta"}, 412, {"If-Match": tag})
    fresh = me.get(path)
    me.put(path, {**data_of(fresh), "channel": "beta"}, 200, {"If-Match": fresh.etag})
    me.get(path)


@case(
    "a752",
    "tomcat-files-have-weak-tags",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Tomcat's own files carry weak tags only; a deploy script puts them back with If-Match after a fresh read "
        "without compression, and is refused each time."
    ),
)
def tomcat(stage: Stage) -> None:
    """Replace a file under its weak tag."""
    server = stage.server("tomcat")
    root = server.directory / "webapps" / "ROOT"
    (root / "config.json").write_text('{"banner":"","theme":"light"}\n')
    (root / "news.html").write_text("<ul><li>Opening hours</li></ul>\n")
    me = stage.actor(
        "client", server, "intra.example.test", "curl:trace-time", {"Accept-Encoding": "identity"}
    )
    me = busy(me, "a752", ("/news.html", "/index.html", "/none.html"))
    me.get("/news.html")
    for theme in ("dark", "dark"):
        tag = me.get("/config.json").etag
        me.put("/config.json", f'{{"banner":"","theme":"{theme}"}}\n', 412, {"If-Match": tag})
    me.send("HEAD", "/config.json", 200)


@case(
    "a753",
    "sheet-read-as-csv-written-as-xml",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "The stocktaker reads a sheet as text/csv, whose tag differs from that of application/xml, and puts XML "
        "under it. Read with the Accept of the write, the tag is another, and with that the sheet is taken."
    ),
)
def formats(stage: Stage) -> None:
    """Read one format and write another."""
    server = depot(stage, TAGGED="1")
    me = stage.actor("client", server, "depot.example.test", "aiohttp", {"User-Agent": "stocktake/2.1"})
    me = busy(me, "a753", SHEETS)
    me.get("/sheets/seals.xml", 200, {"Accept": "text/csv"})
    table = me.get("/sheets/bolts.xml", 200, {"Accept": "text/csv"})
    text = BOLTS.replace('stock="64"', 'stock="40"')
    kind = {"Content-Type": "application/xml"}
    me.put("/sheets/bolts.xml", text, 412, {**kind, "If-Match": table.etag})
    same = me.get("/sheets/bolts.xml", 200, {"Accept": "application/xml"})
    me.put("/sheets/bolts.xml", text, 204, {**kind, "If-Match": same.etag})
    me.get("/sheets/bolts.xml", 200, {"Accept": "text/csv"})


@case(
    "a754",
    "apache-file-younger-than-a-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "An uploader writes a manifest on Apache's WebDAV and corrects it at once: the tag read in the same second "
        "is weak and refused; a second later the same tag is strong and the correction is stored."
    ),
)
def settled(stage: Stage) -> None:
    """Correct a file at once."""
    server = site(stage, "apache2", {"release/1.40.txt": "shop 1.40\n"}, DAV["apache2"])
    me = stage.actor("client", server, "files.example.test", "httpx", {"User-Agent": "publish/0.3"})
    me.get("/release/1.40.txt")
    while time.time() % 1 > 0.4:
        time.sleep(0.02)
    me.put("/release/1.41.txt", "shop 1.41\n", 201)
    tag = me.get("/release/1.41.txt").etag
    if not tag.startswith("W/"):
        raise StoryError("the tag is strong already")
    me.put("/release/1.41.txt", "shop 1.41 (signed)\n", 412, {"If-Match": tag})
    time.sleep(2.4)
    tag = me.get("/release/1.41.txt").etag
    me.put("/release/1.41.txt", "shop 1.41 (signed)\n", 204, {"If-Match": tag})


@case(
    "a755",
    "poll-answered-412-instead-of-304",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "A dashboard polls with If-None-Match and the current tag; the service answers the GET with 412 instead "
        "of 304. Without the field the same document is 200 with that very tag."
    ),
)
def poll(stage: Stage) -> None:
    """Poll a service that takes If-None-Match for a write's condition."""
    server = fleet(stage, CHECK="poll412")
    me = stage.actor("client", server, "iot.example.test", "node:fetch", {"X-Operator": "wallboard"})
    me = busy(me, "a755", validates=False)
    path = f"{BASE}things/pump-04/shadow"
    sign_in(me, "wallboard")
    tag = me.get(path).etag
    for _ in range(2):
        time.sleep(0.4)
        me.get(path, 412, {"If-None-Match": tag})
    me.get(path)
    me.get(f"{BASE}things/valve-19/shadow", 200, {"If-None-Match": tag})


@case(
    "a756",
    "shadow-compared-after-storing",
    "post-commit-412",
    "412",
    alone="post-commit-412 intermediary-replay",
    description=(
        "The service stores first and compares If-Match with the new revision afterwards: 412 for a first and only "
        "attempt, after which the read shows the client's own content. Before the service there is one PUT."
    ),
)
def late(stage: Stage) -> None:
    """Be refused for what was stored."""
    server = fleet(stage, CHECK="late")
    me = stage.actor("client", server, "iot.example.test", "requests", {"X-Operator": "ole"})
    me = busy(me, "a756", validates=False)
    look_around(me)
    path = f"{BASE}sites/kiel"
    read = me.get(path)
    me.put(path, {**data_of(read), "alarm": "call"}, 412, {"If-Match": read.etag, "X-Request-Id": "ui-55-1"})
    again = me.get(path)
    if data_of(again)["alarm"] != "call":
        raise StoryError("it was not stored")
    me.get(f"{BASE}sites/husum")


@case(
    "a757",
    "nginx-dav-takes-any-tag",
    "precondition-ignored",
    "lost-update",
    alone="none precondition-ignored",
    description=(
        "nginx's DAV module does not look at If-Match on PUT: the second editor's outdated tag is answered 204 and "
        "the first one's line is gone."
    ),
)
def any_tag(stage: Stage) -> None:
    """Save under an outdated tag."""
    files: dict[str, str | bytes] = {
        "wiki/oncall.txt": "Mon: mara\nTue: ole\n",
        "wiki/index.txt": "oncall\nrules\n",
        "wiki/rules.txt": "One change a page.\n",
    }
    server = site(stage, "nginx", files, DAV["nginx"])
    me = stage.actor("client", server, "wiki.example.test", "curl", {"User-Agent": "wikitool/1"})
    me = busy(me, "a757", ("/wiki/index.txt", "/wiki/rules.txt", "/wiki/missing.txt"))
    other = stage.actor("other", server, "wiki.example.test", "aiohttp", {"User-Agent": "vim-dav/2"})
    me.get("/wiki/index.txt")
    tag, theirs = me.get("/wiki/oncall.txt").etag, other.get("/wiki/oncall.txt").etag
    other.put("/wiki/oncall.txt", "Mon: mara\nTue: ole\nWed: ida\n", 204, {"If-Match": theirs})
    other.get("/wiki/oncall.txt")
    time.sleep(1.2)
    me.put("/wiki/oncall.txt", "Mon: fenja\nTue: ole\n", 204, {"If-Match": tag})
    me.get("/wiki/oncall.txt")
    other.get("/wiki/oncall.txt")


@case(
    "a758",
    "two-dispatchers-one-moment",
    "check-then-write-race",
    "lost-update",
    alone="none check-then-write-race",
    description=(
        "Two dispatchers send the same tag within the quarter second that the service spends between its check and "
        "its write: both are answered 200, one change is gone. A moment later an outdated tag is refused."
    ),
)
def dispatchers(stage: Stage) -> None:
    """Write together, then one after the other."""
    server = fleet(stage, CHECK="gap")
    me = stage.actor("client", server, "ops.example.test", "httpx", {"X-Operator": "mara"})
    other = stage.actor("other", server, "ops.example.test", "requests", {"X-Operator": "jonas"})
    path = f"{BASE}sites/kiel"
    for look in LOOKS[:5]:
        me.get(look)
    read, theirs = me.get(path), other.get(path)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(
            other.put, path, {**data_of(theirs), "shift": ["jonas"]}, 200, {"If-Match": theirs.etag}
        )
        time.sleep(0.06)
        second = pool.submit(me.put, path, {**data_of(read), "alarm": "call"}, 200, {"If-Match": read.etag})
        first.result()
        second.result()
    together(stage, "PUT", "upstream")
    me.get(path)
    time.sleep(0.5)
    other.put(path, {**data_of(theirs), "shift": ["jonas"]}, 412, {"If-Match": theirs.etag})
    other.get(path)


_PAGE, _API = "http://console.example.test", "http://fleet-api.example.test"
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]
_SAVE = """async ([url, change]) => {
  const first = await fetch(url);
  const tag = first.headers.get('ETag');
  const shown = await first.json();
  await new Promise(done => setTimeout(done, 1500));
  const headers = {'Content-Type': 'application/json'};
  if (tag) headers['If-Match'] = tag;
  const saved = await fetch(url, {method: 'PUT', headers, body: JSON.stringify({...shown.data, ...change})});
  return [tag, saved.status, (await (await fetch(url)).json()).modifiedBy];
}"""


@case(
    "a759",
    "console-cannot-read-the-tag",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag unconditional-write",
    also="unconditional-write",
    description=(
        "A console's script on another origin reads the ETag as null, since the service does not expose it, and "
        "so sends its save without If-Match: the change that a program stored in between is overwritten."
    ),
)
def console(stage: Stage) -> None:
    """Save from a page of another origin."""
    pages = stage.server("application", app="documents_flask")
    server = fleet(stage, CORS=_PAGE)
    other = stage.actor("other", server, "fleet-api.example.test", "requests", {"X-Operator": "shift-bot"})
    path, export = f"{BASE}sites/husum", stage.directory() / "client.har"
    rules = f"MAP console.example.test:80 127.0.0.1:{pages.port}, "
    rules += f"MAP fleet-api.example.test:80 127.0.0.1:{stage.tap('client', server)}"
    with importlib.import_module("playwright.sync_api").sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*_FLAGS, f"--host-resolver-rules={rules}"]
        )
        context = chromium.new_context(
            record_har_path=str(export), record_har_content="embed", locale="en-GB"
        )
        page = context.new_page()
        page.goto(f"{_PAGE}/editor")
        with ThreadPoolExecutor(1) as pool:
            between = pool.submit(_between, other, path)
            told = page.evaluate(_SAVE, [f"{_API}{path}", {"alarm": "call"}])
            between.result()
        stage.servers["browser"] = f"Chromium {chromium.version}"
        context.close()
        chromium.close()
    stage.exported["client"] = export
    if told[:2] != [None, 200]:
        raise StoryError(f"the page was told {told}")
    other.get(path)


def _between(other: Any, path: str) -> None:
    time.sleep(0.8)
    read = other.get(path)
    other.put(path, {**data_of(read), "shift": ["ida", "fenja"]}, 200, {"If-Match": read.etag})
