"""A console in Chromium on another origin than its interface."""

from __future__ import annotations

import importlib
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import west_setting as place

_CONSOLE, _API = "http://console.acme.test", "http://api.acme.test"
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update")
_CALL = """async ([method, url, guard, body]) => {
  const headers = {'X-Actor': 'console'};
  if (body) headers['Content-Type'] = 'application/json';
  if (guard) headers['If-Match'] = guard;
  const r = await fetch(url, {method, headers, body: body ? JSON.stringify(body) : undefined});
  await r.text();
  return [r.status, r.headers.get('etag')]; }"""


class Console:
    """A page of the console in Chromium, on another origin than the interface."""

    def __init__(self, stage: Stage, **settings: str) -> None:
        server = place.platform(stage, CORS=_CONSOLE, **settings)
        self.server, self._stage, self._export = server, stage, stage.directory() / "client.har"
        shell = "<!doctype html><title>Console</title><main id='app'></main>"
        pages = fronts.site(stage, "nginx", {"flags.html": shell})
        rules = f"MAP console.acme.test:80 127.0.0.1:{pages.port}, "
        rules += f"MAP api.acme.test:80 127.0.0.1:{stage.tap('client', server)}"
        self._driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
        arguments = [*_FLAGS, f"--host-resolver-rules={rules}"]
        self._chromium = self._driver.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        self._context = self._chromium.new_context(
            record_har_path=str(self._export), record_har_content="embed", locale="pt-PT"
        )
        self._page = self._context.new_page()
        self._page.goto(f"{_CONSOLE}/flags.html")

    def call(self, method: str, path: str, expect: int, guard: str | None = None, body: object = None) -> Any:
        """Call the interface from the page and return the tag that the script may read."""
        status, tag = self._page.evaluate(_CALL, [method, f"{_API}/{path}", guard, body])
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
    "a981",
    "west-console-cannot-read-the-tag",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag unconditional-write",
    also="unconditional-write",
    description=(
        "The console's script, on another origin, gets no ETag to read (not exposed), so it saves without "
        "a condition and overwrites the targeting that Lou's tool has just set."
    ),
)
def console(stage: Stage) -> None:
    """Save without the tag that the script cannot see."""
    one = Console(stage, ALLOW="Content-Type, If-Match, X-Actor")
    try:
        one.call("GET", place.OTHER_FLAG, 200)
        place.require(one.call("GET", place.FLAG, 200) is None, "the tag is exposed")
        other = stage.actor("other", one.server, "api.acme.test", "httpx", {"X-Actor": "lou"})
        seen = other.get(f"/{place.FLAG}")
        targeting = [{"attr": "plan", "in": ["team"]}]
        other.put(f"/{place.FLAG}", place.flag(targeting=targeting), 200, {"If-Match": seen.etag})
        one.call("PUT", place.FLAG, 200, None, place.flag(rollout=70))
        one.call("GET", place.FLAG, 200)
        other.get(f"/{place.FLAG}")
    finally:
        one.finish()


@case(
    "a983",
    "west-console-saves-and-polls-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "With ETag exposed the console reads two flags, saves one twice with the fresh tag each time, and "
        "reads both again."
    ),
)
def exposed(stage: Stage) -> None:
    """Save with the tag that the script may see."""
    one = Console(stage, ALLOW="Content-Type, If-Match, X-Actor", EXPOSE="ETag, X-Request-Id")
    try:
        tag = one.call("GET", place.FLAG, 200)
        one.call("GET", place.OTHER_FLAG, 200)
        tag = one.call("PUT", place.FLAG, 200, tag, place.flag(on=True))
        tag = one.call("PUT", place.FLAG, 200, tag, place.flag(on=True, rollout=25))
        one.call("GET", place.FLAG, 200)
        one.call("GET", "flags/web/production?limit=50", 200)
        one.call("GET", place.OTHER_FLAG, 200)
    finally:
        one.finish()
