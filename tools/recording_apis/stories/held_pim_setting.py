"""Where pim's stories play, and what goes on beside them."""

from __future__ import annotations

import importlib
import random
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, cast

from tools.recording_apis.apps.pim_serve import serve
from tools.recording_apis.stage import StoryError
from tools.recording_apis.stories.vic_setting import Inside

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.apps.pim_core import App
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage


def opened(stage: Stage, app: Callable[..., Any], kind: str, name: str = "") -> Server:
    """Serve an application with a tap before it."""
    port, version, stop = serve(app, kind)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.03)
    made = Inside(port, f"application on SQLite under {version}", (), cast("Any", None), stage.directory())
    made.ends = stop
    return stage.adopt(name or kind, made, recorded=True)


def sure(ok: object, said: object = "otherwise than told") -> None:
    """Insist on something beside the status."""
    if not ok:
        raise StoryError(str(said))


def rest(seconds: float) -> None:
    """Let time pass."""
    time.sleep(seconds)


class Mill:
    """Goes round what lies beside a story.

    Args:
        app: What serves it.
        me: Who goes.
        seed: Draws the round.
    """

    def __init__(self, app: App, me: Actor, seed: int) -> None:
        self._app, self._me, self._draw = app, me, random.Random(seed)  # noqa: S311 - no secret
        self._tags: dict[str, str] = {}

    def go(self, steps: int, fields: dict[str, str] | None = None) -> None:
        """Make some requests; what has a tag is asked for with it from the second time on."""
        for _ in range(steps):
            method, path, body = self._draw.choice(self._app.ambient)
            if method == "POST":
                self._me.send("POST", path, (200, 201, 202, 204), fields, body)
            elif path in self._tags:
                self._me.get(path, 304, {**(fields or {}), "If-None-Match": self._tags[path]})
            else:
                got = self._me.get(path, 200, fields)
                if "etag" in got.fields:
                    self._tags[path] = got.etag
            time.sleep(self._draw.choice((0.01, 0.03, 0.09)))


def together(*calls: Callable[[], Answer], apart: float = 0.1) -> list[Answer]:
    """Make calls that overlap, each a little after the one before."""
    got: dict[int, Any] = {}

    def make(number: int) -> None:
        time.sleep(number * apart)
        try:
            got[number] = calls[number]()
        except Exception as error:  # noqa: BLE001 - raised again below
            got[number] = error

    threads = [threading.Thread(target=make, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in got.values():
        if isinstance(one, Exception):
            raise one
    return [got[number] for number in range(len(calls))]


_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
_FLAGS += ["--disable-background-networking", "--disable-component-update"]
_FETCH = """async ([url, method, headers, body]) => {
  try { const r = await fetch(url, {method, headers, body: body === null ? undefined : JSON.stringify(body),
                                    credentials: 'include'});
        const text = await r.text();
        return [r.status, r.headers.get('ETag'), text] } catch (error) { return [0, null, String(error)] } }"""


class Chrome:
    """A headless Chromium that shows a page of one host and calls an API of another.

    Args:
        stage: The story's stage.
        hosts: Loopback ports by host.
        page: URL of the page.
        keeps: Whether its own record becomes the client's file.
    """

    def __init__(self, stage: Stage, hosts: dict[str, int], page: str, *, keeps: bool) -> None:
        self._stage, self._keeps, self._har = stage, keeps, stage.directory() / "client.har"
        rules = ", ".join(f"MAP {host}:80 127.0.0.1:{port}" for host, port in hosts.items())
        self._driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
        self._chromium = self._driver.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*_FLAGS, f"--host-resolver-rules={rules}"]
        )
        self._context = self._chromium.new_context(
            record_har_path=str(self._har), record_har_content="embed", locale="pt-PT"
        )
        self.page = self._context.new_page()
        self.page.goto(page)

    def call(
        self, expect: int, method: str, url: str, headers: dict[str, str] | None = None, body: Any = None
    ) -> tuple[Any, str]:
        """Fetch in the page and return the tag that the script may read, and the text."""
        status, tag, text = self.page.evaluate(_FETCH, [url, method, headers or {}, body])
        sure(status == expect, f"{method} {url}: {status}, expected {expect}: {text[:200]}")
        return tag, text

    def close(self) -> None:
        """Close the browser, which writes its record."""
        self._stage.servers["browser"] = f"Chromium {self._chromium.version}"
        self._context.close()
        self._chromium.close()
        self._driver.stop()
        if self._keeps:
            self._stage.exported["client"] = self._har
