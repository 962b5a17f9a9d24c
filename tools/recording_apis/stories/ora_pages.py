"""A tab of Chromium on one origin that calls a service on another."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Self

from tools.recording_apis import fronts
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from types import TracebackType

    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update")
_CALL = """async ([method, url, guard, body]) => {
  const headers = {};
  if (body) headers['Content-Type'] = 'application/json';
  if (guard) headers[guard[0] === '!' ? 'If-None-Match' : 'If-Match'] = guard.replace(/^!/, '');
  const r = await fetch(url, {method, headers, body: body ? JSON.stringify(body) : undefined});
  await r.text();
  return [r.status, r.headers.get('etag')]; }"""


class Tab:
    """A page in Chromium; use as a context manager."""

    def __init__(self, stage: Stage, server: Server, origin: str, host: str) -> None:
        self._stage, self._export, self._host = stage, stage.directory() / "client.har", host
        shell = "<!doctype html><title>Laden</title><link rel='stylesheet' href='/app.css'><main>...</main>"
        pages = fronts.site(stage, "nginx", {"index.html": shell, "app.css": "main { margin: 1em }\n"})
        rules = f"MAP {origin.split('//')[1]}:80 127.0.0.1:{pages.port}, "
        rules += f"MAP {host}:80 127.0.0.1:{stage.tap('client', server)}"
        self._driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
        arguments = [*_FLAGS, f"--host-resolver-rules={rules}"]
        self._chromium = self._driver.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        self._context = self._chromium.new_context(
            record_har_path=str(self._export), record_har_content="embed", locale="de-DE"
        )
        self._page = self._context.new_page()
        self._page.goto(f"{origin}/index.html")

    def __enter__(self) -> Self:
        return self

    def call(self, method: str, path: str, expect: int, guard: str | None = None, body: object = None) -> Any:
        """Call the service from the page and return the tag that the script may read."""
        status, tag = self._page.evaluate(_CALL, [method, f"http://{self._host}{path}", guard, body])
        if status != expect:
            raise StoryError(f"{method} {path}: {status}, expected {expect}")
        return tag

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stage.servers["browser"] = f"Chromium {self._chromium.version}"
        self._context.close()
        self._chromium.close()
        self._driver.stop()
        self._stage.exported["client"] = self._export
