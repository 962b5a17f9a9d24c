"""Pages edited in a browser on their own origin."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import nord_setting as scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.recording_apis.servers import Server

_HTML = {"Content-Type": "text/html; charset=utf-8"}


@contextmanager
def _chromium(stage: Stage, host: str, server: Server) -> Iterator[Any]:
    """Give a page of a headless Chromium whose HAR becomes the client's file."""
    export = stage.directory() / "client.har"
    rules = f"MAP {host}:80 127.0.0.1:{stage.tap('client', server)}"
    driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
    flags = ["--no-sandbox", "--disable-gpu", "--disable-sync", f"--host-resolver-rules={rules}"]
    chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
    context = chromium.new_context(record_har_path=str(export), record_har_content="embed", locale="nb-NO")
    try:
        yield context.new_page()
    finally:
        stage.servers["browser"] = f"Chromium {chromium.version}"
        context.close()
        chromium.close()
        driver.stop()
    stage.exported["client"] = export


_GET = (
    "([url, cache]) => fetch(url, {cache}).then(async r => [r.status, r.headers.get('ETag'), await r.text()])"
)
_PUT = """([url, tag, body]) => fetch(url, {method: 'PUT', body,
  headers: {'Content-Type': 'text/html; charset=utf-8', 'If-Match': tag}})
  .then(r => [r.status, r.headers.get('ETag')])"""


def _read(page: Any, path: str, cache: str = "default") -> tuple[str, str]:
    status, tag, text = page.evaluate(_GET, [path, cache])
    if status != 200 or tag is None:
        raise StoryError(f"{path}: {status}, tag {tag}")
    return tag, text


def _save(page: Any, path: str, tag: str, text: str, expect: int) -> str:
    status, fresh = page.evaluate(_PUT, [path, tag, text])
    if status != expect:
        raise StoryError(f"PUT {path}: {status}, expected {expect}")
    return fresh or ""


@case(
    "a639",
    "browser-reads-its-own-cache",
    "stale-cache-read",
    "412",
    alone="stale-cache-read other-writer",
    description="Pages may be kept for two minutes: the editing page's read before its save is answered by the browser's own cache, after a colleague's change; the save is refused until it reads past the cache.",
    notes=("the second read of the page is in the browser's HAR and in no other file",),
)
def own_cache(stage: Stage) -> None:
    """Save with the tag of a copy."""
    server = scene.pages(stage, CACHE="max-age=120")
    front = fronts.caddy(stage, server)
    other = stage.actor(
        "other", front, "cms.example.test", "requests", {"User-Agent": "page-editor/3.4 (siv)"}
    )
    with _chromium(stage, "cms.example.test", front) as page:
        page.goto("http://cms.example.test/cms/pages/about/")
        first, _ = _read(page, "/cms/pages/jobs")
        theirs = other.get("/cms/pages/jobs")
        text = theirs.text.replace("Clerk", "Cook")
        other.put("/cms/pages/jobs", text, 204, {**_HTML, "If-Match": theirs.etag})
        page.wait_for_timeout(1500)
        kept, text = _read(page, "/cms/pages/jobs")
        if kept != first:
            raise StoryError("the cache was not used")
        mine = text.replace("Driver", "Driver (night)")
        _save(page, "/cms/pages/jobs", kept, mine, 412)
        _read(page, "/cms/pages/opening-hours")
        fresh, text = _read(page, "/cms/pages/jobs", "no-store")
        _save(page, "/cms/pages/jobs", fresh, text.replace("Driver", "Driver (night)"), 204)


@case(
    "a696",
    "page-edited-in-the-browser-healthy",
    "none",
    "healthy",
    alone="none",
    description="An editor works on pages of the same origin in a browser: reads past the cache, saves chained by tags, and looks at other pages in between.",
)
def in_the_browser(stage: Stage) -> None:
    """Edit in a browser."""
    server = scene.pages(stage)
    front = fronts.nginx(stage, server)
    with _chromium(stage, "cms.example.test", front) as page:
        page.goto("http://cms.example.test/cms/pages/about/")
        tag, text = _read(page, "/cms/pages/jobs", "no-store")
        for line in ("<p>Apply today.</p>\n", "<p>Apply by Friday.</p>\n", "<p>Closed.</p>\n"):
            tag = _save(page, "/cms/pages/jobs", tag, text + line, 204)
            page.wait_for_timeout(250)
            _read(page, "/cms/pages/opening-hours")
        page.goto("http://cms.example.test/cms/pages/jobs")
        tag, text = _read(page, "/cms/pages/opening-hours", "no-cache")
        _save(page, "/cms/pages/opening-hours", tag, text.replace("9-17", "9-16"), 204)
