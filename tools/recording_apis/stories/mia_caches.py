"""Stores on the way, copies that are behind, a browser."""

from __future__ import annotations

import importlib
import time
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.mia_setting import FRESH, JSON, around, desk, doc, dump, sure

_KEEP = {"Cache-Control": "public, max-age=120"}
_TEXT = {"Content-Type": "text/plain"}


@case(
    "b439",
    "mia-varnish-keeps-the-page-after-the-save",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "An editor saves through Varnish, reads again and gets the old page from the store (Age, X-Varnish with two "
        "numbers), though her own save was answered with a newer tag. Her next save with the old tag is refused."
    ),
)
def keeps(stage: Stage) -> None:
    """Read an old page after one's own save."""
    page = {"title": "Harvest", "text": "The pears are in.", "hits": 0}
    server = desk(stage, "flask", {"/pages/harvest": doc(page)}, tag="rev", on_read=_KEEP)
    me = stage.actor("client", fronts.varnish(stage, server), "blog.orchard.test", "requests")
    tag = me.get("/pages/harvest").etag
    me.put("/pages/harvest", {**page, "text": "The pears and quinces are in."}, 200, {"If-Match": tag})
    time.sleep(2.1)
    old = me.get("/pages/harvest")
    sure(holds=old.etag == tag and int(old.fields["age"]) > 0, otherwise="not from the store")
    me.put("/pages/harvest", {**page, "text": "Only medlars are left."}, 412, {"If-Match": old.etag})
    time.sleep(1.0)
    sure(holds=me.get("/pages/harvest").etag == tag, otherwise="it is fresh")


@case(
    "b440",
    "mia-mod-cache-in-front-of-the-quota",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    also="other-writer",
    description=(
        "Apache's mod_cache answers the read of a quota (Age, X-Cache: HIT); the accounts office has written past it. "
        "412 for the stored tag; a read with no-cache gives the current one, and the write passes."
    ),
)
def quota(stage: Stage) -> None:
    """Write with the tag of a stored answer."""
    server = desk(stage, "starlette", {"/quota/lab": doc({"gigabytes": 200, "until": 2027})}, on_read=_KEEP)
    lines = "CacheRoot DIR/store\nCacheEnable disk /\nCacheHeader on\nCacheIgnoreNoLastMod On"
    front = fronts.apache(stage, server, lines)
    me = stage.actor("client", front, "quota.uni.test", "urllib", {"User-Agent": "quotactl/1.1"})
    other = stage.actor("other", server, "quota.uni.test", "curl", {"User-Agent": "accounts"})
    me.get("/quota/lab")
    time.sleep(1.2)
    other.put("/quota/lab", dump({"gigabytes": 250, "until": 2027}), 200, JSON)
    time.sleep(1.0)
    seen = me.get("/quota/lab")
    sure(
        holds="HIT" in seen.fields.get("x-cache", "") and "age" in seen.fields, otherwise="not from the store"
    )
    me.put("/quota/lab", {"gigabytes": 300, "until": 2027}, 412, {"If-Match": seen.etag})
    fresh = me.get("/quota/lab", 200, FRESH)
    sure(holds=fresh.etag != seen.etag, otherwise="the same tag")
    me.put("/quota/lab", {**fresh.json, "until": 2028}, 200, {"If-Match": fresh.etag})


@case(
    "b441",
    "mia-varnish-says-not-modified",
    "stale-cache-read",
    "wrong-304",
    alone="stale-cache-read cache-misevaluates",
    description=(
        "A departure board polls with If-None-Match through Varnish: 304 (Age grows) although the operator's own "
        "write was answered with a newer tag by the same path; only a read past the store shows the change."
    ),
)
def not_modified(stage: Stage) -> None:
    """Poll and miss one's own change."""
    board = {"gate": 7, "to": "Bergen", "state": "on time"}
    server = desk(stage, "aiohttp", {"/boards/7": doc(board)}, on_read=_KEEP, tag="md5")
    vcl = 'sub vcl_recv { if (req.http.X-Past == "1") { return (pass); } }'
    me = stage.actor("client", fronts.varnish(stage, server, vcl), "boards.port.test", "node", {"X-Op": "3"})
    tag = me.get("/boards/7").etag
    me.get("/boards/7", 304, {"If-None-Match": tag})
    me.put("/boards/7", {**board, "state": "delayed"}, 200, {"If-Match": tag})
    for _ in range(12):
        time.sleep(0.3)
        me.get("/boards/7", 304, {"If-None-Match": tag})
    sure(
        holds=me.get("/boards/7", 200, {"If-None-Match": tag, "X-Past": "1"}).etag != tag,
        otherwise="not moved",
    )


@case(
    "b442",
    "mia-reading-room-copy-lags",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "Reads come from a copy that is two seconds behind. After its own save the client reads the record, gets the "
        "one from before without any sign of a cache, is refused with that tag, and sees its own save a little later."
    ),
)
def lags(stage: Stage) -> None:
    """Read from a copy after one's own save."""
    record = {"shelf": "K 14", "copies": 3, "note": ""}
    server = desk(stage, "starlette", {"/books/882": doc(record)}, lag=2.0, tag="stamp")
    me = stage.actor("client", fronts.envoy(stage, [server]), "books.room.test", "httpx", {"X-Desk": "2"})
    around(me, 3)
    tag = me.get("/books/882").etag
    new = me.put("/books/882", {**record, "copies": 4}, 200, {"If-Match": tag}).etag
    time.sleep(0.3)
    old = me.get("/books/882")
    sure(holds=old.etag == tag, otherwise="not behind")
    later = {**record, "copies": 4, "note": "one at the binder's"}
    me.put("/books/882", later, 412, {"If-Match": old.etag})
    time.sleep(2.1)
    sure(holds=me.get("/books/882").etag == new, otherwise="still behind")
    me.put("/books/882", later, 200, {"If-Match": new})


@case(
    "b443",
    "mia-nginx-store-never-says-304",
    "cache-misevaluates",
    "wrong-200",
    alone="cache-misevaluates precondition-stripped precondition-ignored",
    description=(
        "nginx with proxy_cache takes If-None-Match off the reads it forwards, and does not store answers marked "
        "no-cache: the poller sends the current tag and gets the whole 200 with that very tag each time. Past the "
        "cache the same read is 304. The origin's file shows reads without the field."
    ),
    notes=("X-Cache: MISS on each answer; BYPASS on the last, which carried its condition through.",),
)
def never(stage: Stage) -> None:
    """Poll in vain for a 304."""
    text = "".join(f"{n} knots from west by south\n" for n in range(12))
    docs = {"/wind/today.txt": doc(text, 900, "text/plain")}
    server = desk(stage, "flask", docs, on_read={"Cache-Control": "no-cache"}, tag="sha")
    block = f"location /direct/ {{ proxy_pass http://127.0.0.1:{stage.behind(server)}/; }}"
    store = "proxy_cache store; add_header X-Cache $upstream_cache_status;"
    front = fronts.nginx(stage, server, store, "proxy_cache_path DIR/store keys_zone=store:1m;", block)
    me = stage.actor("client", front, "wind.sail.test", "aiohttp", {"User-Agent": "buoy/2.2"})
    tag = me.get("/wind/today.txt").etag
    for _ in range(4):
        time.sleep(0.3)
        sure(holds=me.get("/wind/today.txt", 200, {"If-None-Match": tag}).etag == tag, otherwise="moved")
    me.get("/direct/wind/today.txt", 304, {"If-None-Match": tag})


_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update")
_CALL = """async ([method, url, guard, body]) => {
  const headers = {};
  if (body) headers['Content-Type'] = 'application/json';
  if (guard) headers['If-Match'] = guard;
  const r = await fetch(url, {method, headers, body: body ? JSON.stringify(body) : undefined});
  await r.text();
  return [r.status, r.headers.get('etag')]; }"""


class Page:
    """A page in Chromium on one site that calls the desk on another."""

    def __init__(self, stage: Stage, expose: str, **told: Any) -> None:
        cors = {
            "Access-Control-Allow-Origin": "http://app.garden.test",
            "Access-Control-Allow-Methods": "GET, PUT",
            "Access-Control-Allow-Headers": "If-Match, Content-Type",
        }
        if expose:
            cors["Access-Control-Expose-Headers"] = expose
        beds = {f"/beds/{n}": doc({"bed": n, "crop": "kale", "rows": 2 + n}) for n in (1, 2, 3)}
        server = desk(stage, "starlette", beds, cors=cors, **told)
        self._stage, self._export = stage, stage.directory() / "client.har"
        pages = fronts.site(
            stage, "nginx", {"plan.html": "<!doctype html><title>Beds</title>", "a.css": "p{}"}
        )
        rules = f"MAP app.garden.test:80 127.0.0.1:{pages.port}, "
        rules += f"MAP api.garden.test:80 127.0.0.1:{stage.tap('client', server)}"
        self._driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
        arguments = [*_FLAGS, f"--host-resolver-rules={rules}"]
        self._chromium = self._driver.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        self._context = self._chromium.new_context(
            record_har_path=str(self._export), record_har_content="embed", locale="en-IE"
        )
        self._page = self._context.new_page()
        self._page.goto("http://app.garden.test/plan.html")

    def call(self, method: str, path: str, expect: int, guard: str | None = None, body: object = None) -> Any:
        """Call the desk from the page and return the tag that the script may read."""
        status, tag = self._page.evaluate(_CALL, [method, f"http://api.garden.test{path}", guard, body])
        if status != expect:
            raise StoryError(f"{method} {path}: {status}, expected {expect}")
        return tag

    def finish(self) -> None:
        """Close the browser, which writes its HAR."""
        self._stage.servers["browser"] = f"Chromium {self._chromium.version}"
        self._context.close()
        self._chromium.close()
        self._driver.stop()
        self._stage.exported["client"] = self._export


@case(
    "b464",
    "mia-garden-plan-cannot-see-the-tag",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag token-missing",
    also="token-missing",
    description=(
        "A page on another site reads beds; the answers carry ETag but no Access-Control-Expose-Headers, so the "
        "script finds none, sends no If-Match and gets 428 for each save."
    ),
)
def hidden(stage: Stage) -> None:
    """Save without a tag that the script cannot read."""
    page = Page(stage, "", needs=428)
    try:
        for n in (1, 2):
            sure(holds=page.call("GET", f"/beds/{n}", 200) is None, otherwise="the tag is readable")
            page.call("PUT", f"/beds/{n}", 428, None, {"bed": n, "crop": "leek", "rows": 4})
    finally:
        page.finish()


@case(
    "b417",
    "mia-garden-plan-with-exposed-tags",
    "none",
    "healthy",
    alone="none",
    description=(
        "The same kind of page where ETag is exposed: three beds are read and saved in Chromium, each with the tag of "
        "its read or of the save before."
    ),
)
def exposed(stage: Stage) -> None:
    """Save with tags that the script may read."""
    page = Page(stage, "ETag", needs=428, tag="rev")
    try:
        for n in (1, 2, 3):
            tag = page.call("GET", f"/beds/{n}", 200)
            tag = page.call("PUT", f"/beds/{n}", 200, tag, {"bed": n, "crop": "leek", "rows": 4})
            page.call("PUT", f"/beds/{n}", 200, tag, {"bed": n, "crop": "leek", "rows": 5})
    finally:
        page.finish()
