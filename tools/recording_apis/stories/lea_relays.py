"""Caches, firewalls, rules that are no conditions, a browser, and two files with more than one trouble."""

from __future__ import annotations

import importlib
import time
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import lea_setting as place

_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update")
_ADMIN, _API = "http://admin.acme.test", "http://scim.idp.test"
_CALL = """async ([method, url, guard, body]) => {
  const headers = {'Authorization': 'Bearer admin-0000'};
  if (body) headers['Content-Type'] = 'application/scim+json';
  if (guard) headers['If-Match'] = guard;
  const r = await fetch(url, {method, headers, body: body ? JSON.stringify(body) : undefined});
  await r.text();
  return [r.status, r.headers.get('etag')]; }"""


class Admin:
    """A page of an administration in Chromium, on another origin than the directory."""

    def __init__(self, stage: Stage, flags: str) -> None:
        self.server = place.devices(stage, "SCIM", flags)
        self._stage, self._export = stage, stage.directory() / "client.har"
        shell = "<!doctype html><title>People</title><link rel='stylesheet' href='/app.css'><main></main>"
        pages = fronts.site(stage, "caddy", {"people.html": shell, "app.css": "main { margin: 2em }\n"})
        rules = f"MAP admin.acme.test:80 127.0.0.1:{pages.port}, "
        rules += f"MAP scim.idp.test:80 127.0.0.1:{stage.tap('client', self.server)}"
        self._driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
        arguments = [*_FLAGS, f"--host-resolver-rules={rules}"]
        self._chromium = self._driver.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        self._context = self._chromium.new_context(
            record_har_path=str(self._export), record_har_content="embed", locale="nl-NL"
        )
        self._page = self._context.new_page()
        self._page.goto(f"{_ADMIN}/people.html")

    def call(self, method: str, path: str, expect: int, guard: str | None = None, body: object = None) -> Any:
        """Call the directory from the page and return the tag that the script may read."""
        status, tag = self._page.evaluate(_CALL, [method, f"{_API}{path}", guard, body])
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
    "b365",
    "lea-admin-page-cannot-read-the-tag",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag unconditional-write",
    also="unconditional-write",
    synthetic=True,
    description=(
        "An administration on another origin cannot read the directory's ETag (not exposed) and saves users without "
        "a condition; the title that the HR job has just set is gone."
    ),
)
def admin(stage: Stage) -> None:
    """Save without a tag that the script cannot see."""
    one = Admin(stage, "cors,hide")
    try:
        one.call("GET", "/scim/v2/Users", 200)
        place.require(holds=one.call("GET", place.USER, 200) is None, otherwise="the tag is exposed")
        other = stage.actor("other", one.server, place.IDP, "requests", place.bearer("hr", **place.SCIM))
        seen = other.get(place.USER)
        theirs = {"userName": "bjensen", "displayName": "Babs Jensen", "active": True, "title": "Head Guide"}
        other.put(place.USER, place.dumped(theirs), 200, {"If-Match": seen.etag})
        mine = {**theirs, "title": "Tour Guide", "displayName": "B. Jensen"}
        one.call("PUT", place.USER, 200, None, mine)
        one.call("GET", place.USER, 200)
        other.get(place.USER)
    finally:
        one.finish()


@case(
    "b366",
    "lea-wiki-read-from-nginx-store",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    synthetic=True,
    description=(
        "nginx keeps reads of the wiki for two minutes. After its own save the generator reads the page again, from "
        "the store (X-Cache-Status: HIT), and its next save with that tag is refused; past the store it is taken."
    ),
)
def stored(stage: Stage) -> None:
    """Read a page from a store after one's own save."""
    server = place.forge(stage, "Azure DevOps' wiki", HINT="public, max-age=120")
    lines = "add_header X-Cache-Status $upstream_cache_status; proxy_cache_bypass $http_cache_control;"
    front = fronts.nginx_cache(stage, server, 120, lines)
    me = stage.actor("client", front, place.AZURE, "requests", place.basic("docgen"))
    me.get(place.ITEM)
    tag = me.get(place.WIKI).etag
    new = me.put(place.WIKI, {"content": "# Onboarding\n\n1. Badge.\n"}, 200, {"If-Match": tag}).etag
    time.sleep(0.8)
    old = me.get(place.WIKI)
    place.require(holds=old.etag == tag and old.fields["x-cache-status"] == "HIT", otherwise="not stored")
    page = {"content": "# Onboarding\n\n1. Badge.\n2. Keys.\n"}
    me.put(place.WIKI, page, 412, {"If-Match": old.etag})
    again = me.get(place.WIKI, 200, {"Cache-Control": "no-cache"})
    place.require(holds=again.etag == new, otherwise="another write")
    me.put(place.WIKI, page, 200, {"If-Match": again.etag})


@case(
    "b367",
    "lea-squid-never-says-304",
    "cache-misevaluates",
    "no-304",
    alone="cache-misevaluates",
    synthetic=True,
    description=(
        "A display polls a page with If-None-Match. Squid revalidates its copy, gets 304 from the origin and hands "
        "the display a whole 200 with the very tag it had sent, every time."
    ),
)
def revalidated(stage: Stage) -> None:
    """Get the whole page though one has it."""
    server = place.devices(stage, "OSLC", HINT="public, max-age=0, must-revalidate")
    front = fronts.squid(stage, server, "", place.ALM)
    me = stage.actor("client", front, place.ALM, "curl", {"X-Auth-Token": "display-41"})
    me.get("/rm/resources")
    tag = me.get(place.REQ).etag
    for _ in range(5):
        again = me.get(place.REQ, 200, {"If-None-Match": tag})
        place.require(holds=again.etag == tag, otherwise="another tag")
        time.sleep(0.3)
    upstream = [one.response.status for one in stage.taps["upstream"].recorded if one.response]
    place.require(holds=upstream.count(304) >= 4, otherwise=f"{upstream}")


@case(
    "b368",
    "lea-registry-tag-is-immutable",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    synthetic=True,
    description=(
        "A clean-up job deletes tags of images in Harbor without any condition; those that match an immutable rule "
        "are answered 412 (PRECONDITION), every time, the nightly one goes."
    ),
)
def immutable(stage: Stage) -> None:
    """Delete what a rule protects."""
    server = place.forge(stage, "Harbor's API")
    me = stage.actor("client", server, "harbor.acme.test", "urllib", place.basic("cleanup"))
    base = "/api/v2.0/projects/pay/repositories/api/artifacts"
    me.get(f"{base}?page=1&page_size=50&with_tag=true")
    me.send("DELETE", f"{base}/sha256:d/tags/v2.4.0", 412)
    me.send("DELETE", f"{base}/sha256:d/tags/nightly", 200)
    time.sleep(0.5)
    me.send("DELETE", f"{base}/sha256:d/tags/v2.4.0", 412)
    me.get(f"{base}?page=1&page_size=50&with_tag=true")


@case(
    "b369",
    "lea-firewall-dislikes-a-script-element",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    synthetic=True,
    description=(
        "A wiki page with a script element in its text is answered with an HTML page and 412 by a firewall, with "
        "the current tag; the same page without that element, with the same tag, is saved."
    ),
)
def firewall(stage: Stage) -> None:
    """Be refused for the content."""
    server = place.forge(stage, "Azure DevOps' wiki behind a firewall", FIREWALL="1")
    me = stage.actor("client", server, place.AZURE, "java", place.basic("writer"))
    me.get(place.ITEM)
    tag = me.get(place.WIKI).etag
    bad = {"content": "# Onboarding\n\nPaste <script src='x.js'></script> into the page.\n"}
    me.put(place.WIKI, bad, 412, {"If-Match": tag})
    place.require(holds=me.get(place.WIKI).etag == tag, otherwise="it has moved")
    me.put(place.WIKI, bad, 412, {"If-Match": tag})
    me.put(
        place.WIKI, {"content": "# Onboarding\n\nPaste the element into the page.\n"}, 200, {"If-Match": tag}
    )


@case(
    "b370",
    "lea-two-troubles-in-one-shift",
    "stale-stored-token",
    "412",
    alone="stale-stored-token null-token",
    also="null-token",
    synthetic=True,
    description=(
        "A long night of a provisioning job: most users and systems go well, one user is patched with the version "
        "from before the job's own patch of it (the trouble that costs a change), and once If-Match is 'undefined'."
    ),
    notes=("Two incidents: the outdated version of 2819c223, later the literal undefined for c75ad752.",),
)
def shift(stage: Stage) -> None:
    """Do much well and two things wrong."""
    server = place.devices(stage, "SCIM", "", BUSY="2")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, place.IDP, "requests", place.bearer("night", **place.SCIM))

    def change(**value: object) -> bytes:
        return place.dumped({"Operations": [{"op": "replace", "value": value}]})

    me.get("/scim/v2/Users", 503)
    me.get("/scim/v2/Users", 503)
    for _ in range(6):
        me.get("/scim/v2/Users")
        for path in (place.USER_2, place.GROUP):
            tag = me.get(path).etag
            me.get(path, 304, {"If-None-Match": tag})
            me.send("PATCH", path, 200, {"If-Match": tag}, change(displayName="Name " + tag[3:6]))
    before = me.get(place.USER).etag
    me.send("PATCH", place.USER, 200, {"If-Match": before}, change(title="Guide"))
    me.get(place.GROUP)
    time.sleep(0.6)
    me.send("PATCH", place.USER, 412, {"If-Match": before}, change(active=False))
    for _ in range(4):
        tag = me.get(place.USER_2).etag
        me.send("PATCH", place.USER_2, 200, {"If-Match": tag}, change(title="T" + tag[4:6]))
    me.send("PATCH", place.USER_2, 412, {"If-Match": "undefined"}, change(active=False))
    me.get("/scim/v2/Groups")
