"""Chromium as the client, with the HAR that it keeps itself."""

from __future__ import annotations

import importlib
import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.fourth_setting import shelf

if TYPE_CHECKING:
    from collections.abc import Generator

    from tools.recording_apis.servers import Server

_APP, _API = "app.example.test", "api.example.test"
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--ignore-certificate-errors",
]
_CALL = """async ([method, url, headers, body]) => {
  try { const r = await fetch(url, {method, headers, body: body === null ? undefined : body});
        return [r.status, r.headers.get('ETag'), await r.text()] } catch (error) { return [0, null, String(error)] } }"""
_BOTH = """async ([url, headers, first, second]) => {
  const send = body => fetch(url, {method: 'PUT', headers, body}).then(r => r.status);
  const one = send(first); await new Promise(done => setTimeout(done, 80));
  return await Promise.all([one, send(second)]) }"""


class Tab:
    """A page in headless Chromium whose script calls an API."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def call(
        self,
        method: str,
        url: str,
        expect: int,
        headers: dict[str, str] | None = None,
        body: object = None,
    ) -> tuple[str | None, str]:
        """Fetch in the page, insist on the status, return the tag the script may read and the text."""
        content = None if body is None else json.dumps(body)
        own = {**({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})}
        status, tag, text = self.page.evaluate(_CALL, [method, url, own, content])
        if status != expect:
            raise StoryError(f"{method} {url}: {status}, expected {expect}: {text[:200]}")
        return tag, text


@contextmanager
def chromium(stage: Stage, start: str, servers: dict[str, Server]) -> Generator[Tab]:
    """Open a page in Chromium; hosts (with a port, 80 or 443) lead to servers; its HAR becomes the client's."""
    rules = ", ".join(f"MAP {host} 127.0.0.1:{stage.behind(one)}" for host, one in servers.items())
    export = stage.directory() / "client.har"
    driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
    try:
        browser = driver.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*_FLAGS, f"--host-resolver-rules={rules}"]
        )
        context = browser.new_context(
            record_har_path=str(export), record_har_content="embed", locale="en-GB", ignore_https_errors=True
        )
        page = context.new_page()
        page.goto(start)
        yield Tab(page)
        stage.servers["browser"] = f"Chromium {browser.version}"
        context.close()
        browser.close()
        stage.exported["client"] = export
    finally:
        driver.stop()


def _two_origins(stage: Stage, seed: dict[str, object], **settings: str) -> tuple[Server, dict[str, Server]]:
    api = shelf(stage, "falcon", seed, CORS=f"http://{_APP}", **settings)
    return api, {f"{_APP}:80": shelf(stage, "falcon", {}), f"{_API}:80": api}


@case(
    "a450",
    "chromium-script-finds-no-tag-and-writes-anyway",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag unconditional-write none",
    also="unconditional-write other-writer",
    description="ETag is not exposed to the other origin's script: it reads null and leaves the condition out; a colleague's change is overwritten.",
)
def _no_tag(stage: Stage) -> None:
    url = f"http://{_API}/todo/3"
    seed: dict[str, object] = {"/todo/3": {"text": "paint", "who": "me"}}
    api, ways = _two_origins(stage, seed, ALLOW="If-Match, Content-Type")
    with chromium(stage, f"http://{_APP}/page", ways) as tab:
        tag, text = tab.call("GET", url, 200)
        if tag is not None:
            raise StoryError("the tag is not hidden")
        other = stage.actor("other", api, _API, "requests", {"X-User": "colleague"})
        other.put("/todo/3", {"text": "paint", "who": "you"}, 200, {"If-Match": other.get("/todo/3").etag})
        tab.page.wait_for_timeout(700)
        tab.call("PUT", url, 200, None, {**json.loads(text), "text": "paint twice"})
        tab.call("GET", url, 200)


@case(
    "a451",
    "chromium-sends-null-in-quotes",
    "cors-hidden-etag",
    "412",
    alone="cors-hidden-etag",
    also="null-token",
    description="The script reads null for the hidden tag and puts quotes around it; the write is refused each time.",
)
def _quoted_null(stage: Stage) -> None:
    url = f"http://{_API}/todo/4"
    _, ways = _two_origins(stage, {"/todo/4": {"text": "sand"}}, ALLOW="If-Match, Content-Type")
    with chromium(stage, f"http://{_APP}/page", ways) as tab:
        for text in ("sand it", "sand it all"):
            tag, _ = tab.call("GET", url, 200)
            tab.call("PUT", url, 412, {"If-Match": f'"{"null" if tag is None else tag}"'}, {"text": text})
            tab.page.wait_for_timeout(400)


@case(
    "a452",
    "chromium-may-not-see-the-412",
    "cors-hidden-etag",
    "blocked",
    alone="cors-hidden-etag other-writer",
    also="other-writer",
    description="The refusal lacks Access-Control-Allow-Origin: a colleague wrote, the API says 412, but the script only learns 'Failed to fetch' and tries again.",
)
def _unseen(stage: Stage) -> None:
    url = f"http://{_API}/todo/5"
    settings = {"ALLOW": "If-Match, Content-Type", "EXPOSE": "ETag", "PREFLIGHT_ONLY": "1"}
    api, ways = _two_origins(stage, {"/todo/5": {"text": "glue"}}, **settings)
    with chromium(stage, f"http://{_APP}/page", ways) as tab:
        tag, _ = tab.call("GET", url, 200)
        other = stage.actor("other", api, _API, "node", {"X-User": "colleague"})
        other.put("/todo/5", {"text": "glue 2x"}, 200, {"If-Match": other.get("/todo/5").etag})
        for _ in range(2):
            tab.page.wait_for_timeout(500)
            tab.call("PUT", url, 0, {"If-Match": str(tag)}, {"text": "glue well"})


@case(
    "a453",
    "chromium-http2-colleague-saved-first",
    "other-writer",
    "412",
    alone="other-writer",
    description="A page over HTTP/2 polls, edits for a second and saves; a colleague's save came in between.",
)
def _colleague(stage: Stage) -> None:
    server = shelf(stage, "falcon", {"/pages/5": {"h": "Tides"}, "/pages/6": {"h": "Moons"}})
    front = fronts.encrypted(stage, server)
    base = f"https://{_APP}"
    with chromium(stage, f"{base}/page", {f"{_APP}:443": front}) as tab:
        tag, _ = tab.call("GET", f"{base}/pages/5", 200)
        tab.call("GET", f"{base}/pages/6", 200)
        other = stage.actor("other", front, _APP, "http2", {"cookie": "u=2"})
        other.put("/pages/5", {"h": "Tides and waves"}, 200, {"If-Match": other.get("/pages/5").etag})
        tab.page.wait_for_timeout(1100)
        tab.call("PUT", f"{base}/pages/5", 412, {"If-Match": str(tag)}, {"h": "Spring tides"})
        tab.call("GET", f"{base}/pages/5", 200)


@case(
    "a454",
    "chromium-page-forgets-the-tag-of-its-save",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description="A single-page application keeps the tag of its first read in its store and saves twice.",
)
def _forgets(stage: Stage) -> None:
    server = shelf(stage, "falcon", {"/carts/77": {"n": 1}})
    base = f"http://{_APP}"
    with chromium(stage, f"{base}/page", {f"{_APP}:80": server}) as tab:
        tag, _ = tab.call("GET", f"{base}/carts/77", 200)
        tab.call("PUT", f"{base}/carts/77", 200, {"If-Match": str(tag)}, {"n": 2})
        tab.page.wait_for_timeout(900)
        tab.call("PUT", f"{base}/carts/77", 412, {"If-Match": str(tag)}, {"n": 3})


@case(
    "a455",
    "chromium-two-saves-at-once",
    "self-race",
    "412",
    alone="self-race",
    description="Blur and submit both save: two PUTs of one page go out 80 ms apart with one tag, the service takes half a second.",
)
def _twice(stage: Stage) -> None:
    server = shelf(stage, "flask", {"/page": "form", "/forms/9": {"a": 1}}, SLOW="0.5")
    base = f"http://{_APP}"
    with chromium(stage, f"{base}/page", {f"{_APP}:80": server}) as tab:
        tag, _ = tab.call("GET", f"{base}/forms/9", 200)
        headers = {"If-Match": tag, "Content-Type": "application/json"}
        statuses = tab.page.evaluate(_BOTH, [f"{base}/forms/9", headers, '{"a":2}', '{"a":2,"b":1}'])
        if sorted(statuses) != [200, 412]:
            raise StoryError(f"statuses {statuses}")
        tab.call("GET", f"{base}/forms/9", 200)


@case(
    "a456",
    "chromium-edits-page-after-page-healthy",
    "none",
    "healthy",
    alone="none",
    description="A page over HTTP/2 reads three documents, saves each with its own fresh tag, some twice, and re-reads.",
)
def _edits(stage: Stage) -> None:
    seed = {f"/pages/{n}": {"h": f"page {n}"} for n in (1, 2, 3)}
    front = fronts.encrypted(stage, shelf(stage, "falcon", seed))
    base = f"https://{_APP}"
    with chromium(stage, f"{base}/page", {f"{_APP}:443": front}) as tab:
        for path in seed:
            tag, _ = tab.call("GET", base + path, 200)
            for text in ("first", "second"):
                tag, _ = tab.call("PUT", base + path, 200, {"If-Match": str(tag)}, {"h": text})
            tab.page.wait_for_timeout(200)
        for path in seed:
            tab.call("GET", base + path, 200)


@case(
    "a457",
    "chromium-other-origin-polls-healthy",
    "none",
    "healthy",
    alone="none",
    description="A script of another origin, with ETag exposed and If-Match allowed, polls two documents and saves one of them.",
)
def _polls(stage: Stage) -> None:
    seed: dict[str, object] = {"/todo/1": {"t": "a"}, "/todo/2": {"t": "b"}}
    _, ways = _two_origins(stage, seed, ALLOW="If-Match, Content-Type", EXPOSE="ETag")
    with chromium(stage, f"http://{_APP}/page", ways) as tab:
        for turn in range(3):
            tag, _ = tab.call("GET", f"http://{_API}/todo/1", 200)
            tab.call("GET", f"http://{_API}/todo/2", 200)
            if turn == 1:
                tab.call("PUT", f"http://{_API}/todo/1", 200, {"If-Match": str(tag)}, {"t": "c"})
            tab.page.wait_for_timeout(250)


@case(
    "a458",
    "chromium-refused-then-merged-healthy",
    "none",
    "recovered",
    alone="none other-writer",
    also="other-writer",
    description="A page's save is refused, it reads again, keeps the colleague's field, and saves with the new tag.",
)
def _merges(stage: Stage) -> None:
    server = shelf(stage, "falcon", {"/rooms/2": {"seats": 10, "screen": False}})
    base = f"http://{_APP}"
    with chromium(stage, f"{base}/page", {f"{_APP}:80": server}) as tab:
        tag, text = tab.call("GET", f"{base}/rooms/2", 200)
        other = stage.actor("other", server, _APP, "httpx", {"X-User": "2"})
        changed = {"seats": 10, "screen": True}
        other.put("/rooms/2", changed, 200, {"If-Match": other.get("/rooms/2").etag})
        time.sleep(0.6)
        mine = {**json.loads(text), "seats": 12}
        tab.call("PUT", f"{base}/rooms/2", 412, {"If-Match": str(tag)}, mine)
        tag, text = tab.call("GET", f"{base}/rooms/2", 200)
        tab.call("PUT", f"{base}/rooms/2", 200, {"If-Match": str(tag)}, {**json.loads(text), "seats": 12})
        tab.call("GET", f"{base}/rooms/2", 200)
