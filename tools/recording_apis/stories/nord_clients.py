"""Clients that keep, repeat, damage, forget or mistake their tokens."""

from __future__ import annotations

import html
import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import nord_setting as scene

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_HTML = {"Content-Type": "text/html; charset=utf-8"}


@case(
    "a646",
    "tablet-keeps-the-tag-of-the-morning",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description="A reception tablet read three reservations in the morning; after its own save of one of them it still sends the morning's tag, although the answer to the save named the new one.",
)
def tablet(stage: Stage) -> None:
    """Save twice with the first tag."""
    server = scene.bookings(stage)
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, "desk.example.test", "node:axios", {"X-Clerk": "tablet-2"})
    held = {ref: me.get(f"/api/bookings/{ref}") for ref in ("BK-2041", "BK-2044", "BK-2050")}
    for ref, read in held.items():
        me.get(f"/api/bookings/{ref}", 304, {"If-None-Match": read.etag})
    guard = {"If-Match": held["BK-2050"].etag}
    me.put("/api/bookings/BK-2050", scene.booked(held["BK-2050"], persons=4), 200, guard)
    time.sleep(0.7)
    me.put(
        "/api/bookings/BK-2044",
        scene.booked(held["BK-2044"], state="in"),
        200,
        {"If-Match": held["BK-2044"].etag},
    )
    me.put("/api/bookings/BK-2050", scene.booked(held["BK-2050"], persons=4, state="confirmed"), 412, guard)
    me.get("/api/bookings/BK-2050")


@case(
    "a647",
    "ledger-job-repeats-the-refused-tag",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description="A ledger job answers every 412 with the same PUT after a longer pause; an accountant's change has made the tag outdated for good, and the job reads nothing in between.",
)
def repeated(stage: Stage) -> None:
    """Pause and repeat."""
    server = scene.invoices(stage)
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "ledger.example.test", "java", {"From": "dunning-job@example.test"})
    other = stage.actor("other", front, "ledger.example.test", "curl", {"From": "ruth@example.test"})
    path = "/ledger/2026/invoices/90118"
    me.get("/ledger/2026/invoices/90117")
    read = me.get(path)
    theirs = other.get(path)
    other.put(path, {**theirs.json, "Due": "2026-12-20"}, 200, {"If-Match": theirs.etag})
    for pause in (0.3, 0.6, 1.2, 2.4, 0.0):
        me.put(path, {**read.json, "Reminder": "1"}, 412, {"If-Match": read.etag})
        time.sleep(pause)


@case(
    "a648",
    "scanner-loses-the-answer",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description="A hand scanner's count is stored, the connection breaks before the answer, and the automatic repeat with the same request id meets the own write.",
)
def lost(stage: Stage) -> None:
    """Lose one answer."""
    server = scene.warehouse(stage)
    front = fronts.nginx(stage, server)
    lose = iter([True])
    always = {"X-Operator": "scanner-9", "User-Agent": "ScanApp/7.0 (Android 14)"}
    me = stage.actor(
        "client",
        front,
        "wms.example.test",
        "urllib",
        always,
        loses=lambda request: request.method == "PUT" and next(lose, False),
    )
    me.get(scene.WASHER)
    read = me.get(scene.JACK)
    change = scene.counted(read, onHand=3, countId="c-20261126-8841")
    headers = {"If-Match": read.etag, "X-Request-Id": "7be2-8841"}
    me.put(scene.JACK, change, 0, headers)
    time.sleep(0.4)
    me.put(scene.JACK, change, 412, headers)
    now = me.get(scene.JACK)
    if now.json["countId"] != change["countId"]:
        raise StoryError("the count was not stored")


@case(
    "a649",
    "editor-fetches-a-tag-and-keeps-its-text",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description="An editor holds a page open, reads it again just to have a fresh tag, and stores the text from before: the check passes, and a colleague's paragraph is gone.",
)
def refreshed(stage: Stage) -> None:
    """Fetch the tag, not the text."""
    server = scene.pages(stage)
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "cms.example.test", "node:fetch", {"User-Agent": "page-editor/3.4"})
    other = stage.actor(
        "other", front, "cms.example.test", "requests", {"User-Agent": "page-editor/3.4 (siv)"}
    )
    me.get("/cms/pages/opening-hours")
    page, theirs = me.get("/cms/pages/jobs"), other.get("/cms/pages/jobs")
    added = theirs.text + "<p>Apply by 15 December to siv@example.test.</p>\n"
    other.put("/cms/pages/jobs", added, 204, {**_HTML, "If-Match": theirs.etag})
    time.sleep(1.0)
    fresh = me.get("/cms/pages/jobs").etag
    mine = page.text.replace("<li>Clerk</li>", "<li>Clerk (50 %)</li>")
    me.put("/cms/pages/jobs", mine, 204, {**_HTML, "If-Match": fresh})
    me.get("/cms/pages/jobs")
    other.get("/cms/pages/jobs")


@case(
    "a650",
    "calendar-saves-without-a-tag",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    description="A calendar plugin saves reservations without If-Match although it got the tags; a clerk's guarded change of the same reservation is overwritten.",
)
def plugin(stage: Stage) -> None:
    """Overwrite."""
    server = scene.bookings(stage)
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "desk.example.test", "requests", {"X-Clerk": "calendar-plugin"})
    other = stage.actor("other", front, "desk.example.test", "aiohttp", {"X-Clerk": "ada"})
    me.get("/api/bookings?q=2026-12&sort=from&page%5Bsize%5D=100")
    held = {ref: me.get(f"/api/bookings/{ref}") for ref in ("BK-2044", "BK-2050")}
    theirs = other.get("/api/bookings/BK-2050")
    other.put(
        "/api/bookings/BK-2050", scene.booked(theirs, guest="Family Vik-Dahl"), 200, {"If-Match": theirs.etag}
    )
    time.sleep(0.8)
    for ref, read in held.items():
        me.put(f"/api/bookings/{ref}", scene.booked(read, room="Aurora"), 200)
    other.get("/api/bookings/BK-2050")
    other.put("/api/bookings/BK-2050", scene.booked(theirs, persons=6), 412, {"If-Match": theirs.etag})
    me.get("/api/bookings/BK-2050")


@case(
    "a651",
    "mobile-form-sends-undefined",
    "null-token",
    "412",
    alone="null-token",
    description="A mobile form fills If-Match from a field that its list view never set: the word undefined goes out, twice, and the count is refused; the desktop form's goes through.",
)
def undefined(stage: Stage) -> None:
    """Send the word undefined."""
    server = scene.warehouse(stage)
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "wms.example.test", "node:axios", {"X-Operator": "m-form"})
    other = stage.actor("other", front, "wms.example.test", "httpx", {"X-Operator": "d-form"})
    me.get("/wms/v2/sites/oslo/stock?offset=0&limit=20&sort=bin")
    change = {**scene.STOCK["oslo/B-007"], "reserved": 2}
    me.put(scene.JACK, change, 412, {"If-Match": "undefined"})
    read = other.get(scene.WASHER)
    other.put(scene.WASHER, scene.counted(read, reserved=20), 200, {"If-Match": read.etag})
    time.sleep(0.5)
    me.put(scene.JACK, change, 412, {"If-Match": "undefined"})
    me.get(scene.JACK)


@case(
    "a652",
    "template-escapes-the-quotes",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description="A server-side template puts the tag into a form with its quotes escaped for HTML, and the form sends it back so: &quot; at both ends, refused although nothing has changed.",
)
def escaped(stage: Stage) -> None:
    """Send what the template made."""
    server = scene.tickets(stage, TAGS="1")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "help.example.test", "requests")
    me.send("POST", "/helpdesk/login", 302, _FORM, "agent=mia&password=x")
    me.get("/helpdesk/tickets/?state=open&per_page=50&page=1")
    tag = me.get("/helpdesk/tickets/4711.json").etag
    save = {"state": "solved", "assignee": "mia"}
    me.put("/helpdesk/tickets/4711.json", save, 412, {"If-Match": html.escape(tag)})
    again = me.get("/helpdesk/tickets/4711.json").etag
    if again != tag:
        raise StoryError("the ticket has changed")
    me.put("/helpdesk/tickets/4711.json", save, 412, {"If-Match": html.escape(again)})
    me.put("/helpdesk/tickets/4711.json", save, 200, {"If-Match": again})


@case(
    "a653",
    "ticket-saved-with-the-tag-of-the-list",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description="An integration reads the list of tickets and sends the list's tag with the save of one ticket; the ticket's own tag is another, and with it the save goes through.",
)
def of_the_list(stage: Stage) -> None:
    """Take the tag of the list."""
    server = scene.tickets(stage, TAGS="1")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "help.example.test", "aiohttp", {"User-Agent": "crm-bridge/0.4"})
    listing = me.get("/helpdesk/tickets/?state=open&per_page=50&page=1")
    me.get("/helpdesk/contacts?email=ola@north.example")
    me.put("/helpdesk/tickets/4712.json", {"state": "pending"}, 412, {"If-Match": listing.etag})
    me.get("/helpdesk/tickets/?state=open&per_page=50&page=1", 304, {"If-None-Match": listing.etag})
    me.put("/helpdesk/tickets/4712.json", {"state": "pending"}, 412, {"If-Match": listing.etag})
    own = me.get("/helpdesk/tickets/4712.json").etag
    me.put("/helpdesk/tickets/4712.json", {"state": "pending"}, 200, {"If-Match": own})


@case(
    "a654",
    "one-tag-for-the-whole-site",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    also="other-writer",
    description="All articles of a site share one tag: a count of bolts is refused since a colleague has counted film, and the bolts are as they were.",
)
def whole_site(stage: Stage) -> None:
    """Count bolts while somebody counts film."""
    server = scene.warehouse(stage, TAG="site", NODATE="1")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "wms.example.test", "httpx", {"X-Operator": "hilde"})
    other = stage.actor("other", front, "wms.example.test", "urllib", {"X-Operator": "siri"})
    bolt, washer = me.get(scene.BOLT), me.get(scene.WASHER)
    if bolt.etag != washer.etag:
        raise StoryError("two tags")
    film = other.get(scene.FILM)
    other.put(scene.FILM, scene.counted(film, onHand=69), 200, {"If-Match": film.etag})
    time.sleep(0.6)
    me.put(scene.BOLT, scene.counted(bolt, onHand=1811), 412, {"If-Match": bolt.etag})
    again = me.get(scene.BOLT)
    me.get(scene.WASHER)
    me.get(scene.FILM)
    me.put(scene.BOLT, scene.counted(again, onHand=1811), 200, {"If-Match": again.etag})


@case(
    "a655",
    "known-reservation-saved-as-new",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description="A sync program reads a reservation and sends its change with If-None-Match: *, the guard of its creations; the reservation exists, as it knows, so that can never pass.",
)
def as_new(stage: Stage) -> None:
    """Update with the guard of a creation."""
    server = scene.bookings(stage)
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "desk.example.test", "curl:trace-time", {"X-Clerk": "ota-sync"})
    read = me.get("/api/bookings/BK-2041")
    made = {"room": "Birch", "from": "2027-01-02", "to": "2027-01-04", "guest": "OTA 99120"}
    me.put("/api/bookings/BK-3001", made, 201, {"If-None-Match": "*"})
    me.put("/api/bookings/BK-2041", scene.booked(read, state="confirmed"), 412, {"If-None-Match": "*"})
    read = me.get("/api/bookings/BK-2041")
    me.put("/api/bookings/BK-2041", scene.booked(read, state="confirmed"), 412, {"If-None-Match": "*"})


@case(
    "a656",
    "cms-demands-a-condition",
    "token-missing",
    "428",
    alone="token-missing",
    description="A content management system demands a condition and serves tags; an old import script sends none and is told 428 until it is taught to.",
)
def demanded(stage: Stage) -> None:
    """Send none, then one."""
    server = scene.pages(stage, DEMAND="1")
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, "cms.example.test", "urllib", {"User-Agent": "page-import/0.2"})
    me.get("/cms/pages/about/")
    page = me.get("/cms/pages/jobs")
    me.put("/cms/pages/jobs", "<h1>Jobs</h1>\n<p>None.</p>\n", 428, _HTML)
    time.sleep(0.3)
    me.put("/cms/pages/jobs", "<h1>Jobs</h1>\n<p>None.</p>\n", 428, _HTML)
    me.put("/cms/pages/jobs", "<h1>Jobs</h1>\n<p>None.</p>\n", 204, {**_HTML, "If-Match": page.etag})


class _CachingApp:
    """A phone's HTTP layer with a cache that adds its stored tag to whatever goes to a stored URL."""

    def __init__(self, actor: Actor) -> None:
        self._actor, self._tags = actor, dict[str, str]()

    def get(self, path: str, expect: int) -> Answer:
        """Read through the cache."""
        known = {"If-None-Match": self._tags[path]} if path in self._tags else {}
        answer = self._actor.get(path, expect, known)
        self._tags[path] = answer.etag
        return answer

    def put(self, path: str, body: object, expect: int) -> Answer:
        """Write through the cache."""
        return self._actor.put(path, body, expect, {"If-None-Match": self._tags[path]})


@case(
    "a657",
    "phone-cache-joins-the-save",
    "implicit-precondition",
    "412",
    alone="implicit-precondition create-guard-on-update",
    description="The cache of a phone's HTTP layer adds If-None-Match with the stored tag to a save as well; the booking desk obeys and refuses. The same app on a desktop, without the cache, saves.",
)
def phone(stage: Stage) -> None:
    """Save through a cache."""
    server = scene.bookings(stage)
    front = fronts.nginx(stage, server)
    always = {"User-Agent": "DeskApp/4.2 (Android; http-cache 10 MB)", "X-Clerk": "ines"}
    app = _CachingApp(stage.actor("client", front, "desk.example.test", "node:fetch", always))
    desktop = stage.actor(
        "other", front, "desk.example.test", "httpx", {"User-Agent": "DeskApp/4.2 (Windows)"}
    )
    app.get("/api/bookings/BK-2044", 200)
    read = app.get("/api/bookings/BK-2041", 200)
    app.get("/api/bookings/BK-2041", 304)
    app.put("/api/bookings/BK-2041", scene.booked(read, persons=3), 412)
    app.get("/api/bookings/BK-2041", 304)
    app.put("/api/bookings/BK-2041", scene.booked(read, persons=3), 412)
    other = desktop.get("/api/bookings/BK-2050")
    desktop.put("/api/bookings/BK-2050", scene.booked(other, persons=3), 200)


@case(
    "a658",
    "edit-token-outlived",
    "token-expired",
    "412",
    alone="token-expired",
    description="An agent asks for an edit token, answers the telephone, and saves when it has expired; a new token of the same kind is accepted.",
)
def outlived(stage: Stage) -> None:
    """Save too late."""
    server = scene.tickets(stage, TTL="1.5")
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "help.example.test", "httpx")
    me.send("POST", "/helpdesk/login", 302, _FORM, "agent=bo&password=x")
    me.get("/helpdesk/tickets/4713.json")
    token = me.send("POST", "/helpdesk/tickets/4713/edit-token", 201).json["edit_token"]
    me.get("/helpdesk/contacts?email=ola@north.example")
    time.sleep(2.1)
    save = {"assignee": "bo", "state": "pending"}
    me.put("/helpdesk/tickets/4713.json", save, 412, {"X-Edit-Token": token})
    me.put("/helpdesk/tickets/4713.json", save, 412, {"X-Edit-Token": token})
    token = me.send("POST", "/helpdesk/tickets/4713/edit-token", 201).json["edit_token"]
    me.put("/helpdesk/tickets/4713.json", save, 200, {"X-Edit-Token": token})
