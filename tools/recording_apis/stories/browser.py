"""Chromium: what a script on another origin may read and send."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tools.recording_apis.stage import Stage, StoryError, case

if TYPE_CHECKING:
    from collections.abc import Callable

_PAGE, _API = "http://app.example.test", "http://api.example.test"
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_READ = (
    "async url => { const r = await fetch(url); return [r.status, r.headers.get('ETag'), await r.text()] }"
)
_WRITE = """async ([url, tag, body]) => {
  const headers = {'Content-Type': 'application/json'};
  if (tag !== undefined) headers['If-Match'] = tag;
  try { const r = await fetch(url, {method: 'PUT', headers, body: JSON.stringify(body)});
        return [r.status, r.headers.get('ETag')] } catch (error) { return [0, String(error)] } }"""


class Browser:
    """A headless Chromium that keeps a HAR of what it does."""

    def __init__(self, stage: Stage, **settings: str) -> None:
        pages = stage.server("application", app="documents_flask")
        server = stage.server("application", app="documents_flask", CORS=_PAGE, **settings)
        self._stage, self.export, self.api = stage, stage.directory() / "client.har", server
        rules = f"MAP app.example.test:80 127.0.0.1:{pages.port}, "
        rules += f"MAP api.example.test:80 127.0.0.1:{stage.tap('client', server)}"
        self._driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
        self._chromium = self._driver.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*_FLAGS, f"--host-resolver-rules={rules}"]
        )
        self._context = self._chromium.new_context(
            record_har_path=str(self.export), record_har_content="embed", locale="en-GB"
        )
        self.page = self._context.new_page()
        self.page.goto(f"{_PAGE}/editor")

    def read(self, expect: int = 200, path: str = "/documents/7") -> Any:
        """Fetch a document in the page and return what the script may read of its tag."""
        status, tag, _ = self.page.evaluate(_READ, f"{_API}{path}")
        if status != expect:
            raise StoryError(f"read {status}, expected {expect}")
        return tag

    def write(self, tag: str | None, text: str, expect: int, *, guarded: bool = True) -> Any:
        """Store a document from the page and return the tag that the script may read."""
        body = {"name": "Terms", "text": text}
        call = "([url, tag, body]) => (%s)([url, tag, body])" % _WRITE  # noqa: UP031 - braces in the script
        if not guarded:
            call = "([url, tag, body]) => (%s)([url, undefined, body])" % _WRITE  # noqa: UP031
        status, fresh = self.page.evaluate(call, [f"{_API}/documents/7", tag, body])
        if status != expect:
            raise StoryError(f"write {status}, expected {expect}: {fresh}")
        return fresh

    def finish(self) -> None:
        """Close the browser, which writes its HAR."""
        self._stage.servers["browser"] = f"Chromium {self._chromium.version}"
        self._context.close()
        self._chromium.close()
        self._driver.stop()
        self._stage.exported["client"] = self.export


def in_browser(stage: Stage, play: Callable[[Browser], None], **settings: str) -> None:
    """Play a story in a browser."""
    browser = Browser(stage, **settings)
    try:
        play(browser)
    finally:
        browser.finish()


@case(
    "a205",
    "chromium-hidden-etag-null",
    "cors-hidden-etag",
    "412",
    alone="cors-hidden-etag",
    also="null-token",
    description=(
        "The API does not expose ETag to other origins: the script reads null and sends it as If-Match: "
        "null, which is refused for ever."
    ),
)
def hidden(stage: Stage) -> None:
    """Send null."""

    def play(browser: Browser) -> None:
        tag = browser.read()
        if tag is not None:
            raise StoryError("the tag is not hidden")
        browser.write(tag, "Draft of April", 412)
        browser.read()

    in_browser(stage, play, ALLOW="If-Match, Content-Type")


@case(
    "a206",
    "chromium-hidden-etag-428",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag",
    also="token-missing",
    description=(
        "The script finds no tag to send, because ETag is not exposed, and the API demands If-Match: 428."
    ),
)
def hidden_required(stage: Stage) -> None:
    """Find nothing to send."""

    def play(browser: Browser) -> None:
        browser.read()
        browser.write(None, "Draft of April", 428, guarded=False)

    in_browser(stage, play, ALLOW="If-Match, Content-Type", REQUIRE="1")


@case(
    "a207",
    "chromium-preflight-forbids-if-match",
    "cors-hidden-etag",
    "blocked",
    alone="cors-hidden-etag none",
    description=(
        "ETag is exposed, but the preflight does not allow If-Match: the browser never sends the write; "
        "the page then saves without a condition."
    ),
)
def forbidden(stage: Stage) -> None:
    """Be stopped by the preflight."""

    def play(browser: Browser) -> None:
        tag = browser.read()
        browser.write(tag, "Draft of April", 0)
        browser.write(None, "Draft of April", 200, guarded=False)

    in_browser(stage, play, ALLOW="Content-Type", EXPOSE="ETag")


@case(
    "a208",
    "chromium-exposed-etag-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "With ETag exposed and If-Match allowed the page reads, saves twice with the fresh tag, re-reads."
    ),
)
def exposed(stage: Stage) -> None:
    """Edit from another origin."""

    def play(browser: Browser) -> None:
        tag = browser.read()
        tag = browser.write(tag, "Draft of April", 200)
        browser.write(tag, "Draft of May", 200)
        browser.read()
        browser.read(path="/documents/8")

    in_browser(stage, play, ALLOW="If-Match, Content-Type", EXPOSE="ETag")


@case(
    "a209",
    "chromium-other-writer",
    "other-writer",
    "412",
    alone="other-writer",
    description="A page saves with the tag it read; a colleague's script has stored another text meanwhile.",
)
def other_writer(stage: Stage) -> None:
    """Page against script."""

    def play(browser: Browser) -> None:
        tag = browser.read()
        other = stage.actor("other", browser.api, "api.example.test", "httpx")
        theirs = other.get("/documents/7").etag
        other.put("/documents/7", {"name": "Terms", "text": "Draft of June"}, 200, {"If-Match": theirs})
        browser.page.wait_for_timeout(400)
        browser.write(tag, "Draft of April", 412)
        browser.read()

    in_browser(stage, play, ALLOW="If-Match, Content-Type", EXPOSE="ETag")


@case(
    "a210",
    "chromium-page-keeps-first-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description="The page saves twice and sends the tag of its first read both times.",
)
def first_tag(stage: Stage) -> None:
    """Keep the first tag in the page."""

    def play(browser: Browser) -> None:
        tag = browser.read()
        browser.write(tag, "Draft of April", 200)
        browser.page.wait_for_timeout(600)
        browser.write(tag, "Draft of April, second reading", 412)
        browser.read()

    in_browser(stage, play, ALLOW="If-Match, Content-Type", EXPOSE="ETag")


@case(
    "a211",
    "chromium-reload-healthy",
    "none",
    "healthy",
    alone="none",
    description="A page reads two documents again and again; the browser's own cache revalidates them.",
    notes=("the browser's HAR says 200 where it got 304: it shows the answer completed from its cache",),
)
def reload(stage: Stage) -> None:
    """Read again and again."""

    def play(browser: Browser) -> None:
        for _ in range(3):
            browser.read()
            browser.read(path="/documents/8")
            browser.page.wait_for_timeout(150)

    in_browser(stage, play, EXPOSE="ETag")
