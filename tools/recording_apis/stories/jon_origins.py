"""Origins that make or judge tags in ways of their own."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import jon_setting as place

_TXT = {"Content-Type": "text/plain"}


@case(
    "b161",
    "jon-a-tag-for-each-rendering",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "The harbour salts its tags anew at each rendering: three reads within a second show one revision under three "
        "tags, and both saves behind Caddy are refused; nobody writes."
    ),
)
def shaken(stage: Stage) -> None:
    """Get a new tag for each read."""
    front = fronts.caddy(stage, place.harbour(stage, SHAKE="1"))
    me = stage.actor("client", front, place.PORT, "httpx", {"X-Agent": "ines"})
    tags = {me.get(place.BERTH).etag for _ in range(3)}
    place.insist(len(tags) == 3, "tags are stable")
    for cranes in (1, 2):
        seen = me.get(place.BERTH)
        me.put(place.BERTH, place.edited(seen, cranes=cranes), 412, {"If-Match": seen.etag})
    me.get(place.BERTH)


@case(
    "b162",
    "jon-head-has-other-tags",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "A sync tool asks HEAD for tags; the harbour computes those otherwise than for GET, and compares writes with "
        "the latter: 412 on both documents; with the tag of a GET in the same second it passes."
    ),
)
def heads(stage: Stage) -> None:
    """Take the tag of a HEAD."""
    stage.keeps_content = False
    server = place.harbour(stage, HEADS="1")
    me = stage.actor("client", server, place.PORT, "requests", {"X-Agent": "edi-sync"})
    me.get(f"{place.V2}/tides")
    for path in (place.BERTH, place.VESSEL):
        tag = me.send("HEAD", path, 200).etag
        me.put(path, place.document(path, checked=True), 412, {"If-Match": tag})
        seen = me.get(path)
        me.put(path, place.edited(seen, checked=True), 200, {"If-Match": seen.etag})


@case(
    "b163",
    "jon-tomcat-never-matches-itself",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Tomcat's DefaultServlet has weak tags only and compares strongly: a save with the tag just read is 412, "
        "without compression and direct; the tag without W/ as well; with * it passes."
    ),
)
def tomcat(stage: Stage) -> None:
    """Send Tomcat its own tag."""
    server = stage.server("tomcat")
    setup = stage.actor("setup", server, "intranet.meridian.test")
    setup.put("/rooms.txt", "2.07 Okafor\n", 201, _TXT)
    stage.forget()
    time.sleep(1.2)
    me = stage.actor(
        "client", server, "intranet.meridian.test", "curl:trace-time", {"Accept-Encoding": "identity"}
    )
    me.get("/index.html")
    tag = me.get("/rooms.txt").etag
    me.put("/rooms.txt", "2.07 Okafor\n2.08 Lindqvist\n", 412, {"If-Match": tag, **_TXT})
    me.get("/rooms.txt", 304, {"If-None-Match": tag})
    me.put("/rooms.txt", "2.07 Okafor\n2.08 Lindqvist\n", 412, {"If-Match": tag.removeprefix("W/"), **_TXT})
    me.put("/rooms.txt", "2.07 Okafor\n2.08 Lindqvist\n", 204, {"If-Match": "*", **_TXT})


@case(
    "b164",
    "jon-apache-edit-after-edit",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "An editor saves on Apache's WebDAV, reads at once and saves again: the file is younger than a second, its "
        "tag weak, the save 412; two seconds later the same opaque tag is strong and passes."
    ),
)
def settled(stage: Stage) -> None:
    """Save twice within a second."""
    files: dict[str, str | bytes] = {"docs/tour.md": "# Tour\n", "docs/style.css": "h1{}\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor(
        "client", server, "docs.meridian.test", "node:axios", {"User-Agent": "MarkPad/3 (axios)"}
    )
    me.get("/docs/style.css")
    tag = me.get("/docs/tour.md").etag
    me.put("/docs/tour.md", "# Tour\n\n1. Gate\n", 204, {"If-Match": tag, **_TXT})
    weak = me.get("/docs/tour.md").etag
    place.insist(weak.startswith("W/"), "it is not weak")
    me.put("/docs/tour.md", "# Tour\n\n1. Gate\n2. Yard\n", 412, {"If-Match": weak, **_TXT})
    time.sleep(2.2)
    strong = me.get("/docs/tour.md").etag
    place.insist(strong == weak.removeprefix("W/"), "another tag")
    me.put("/docs/tour.md", "# Tour\n\n1. Gate\n2. Yard\n", 204, {"If-Match": strong, **_TXT})


@case(
    "b165",
    "jon-star-and-lists-never-match",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "A service on fastapi-etag compares If-Match byte for byte: * on an existing profile is 412, and so is a list "
        "that contains the current tag; the tag alone passes (RFC 9110 section 13.1.1)."
    ),
)
def star(stage: Stage) -> None:
    """Send what must match."""
    front = fronts.nginx(stage, stage.server("application", app="fastapi_documents"))
    me = stage.actor("client", front, "profiles.meridian.test", "httpx")
    tag = me.get("/profiles/ada").etag
    body = {"email": "ada@meridian.test", "newsletter": False}
    me.put("/profiles/ada", body, 412, {"If-Match": "*"})
    me.get("/profiles/ada")
    me.put("/profiles/ada", body, 412, {"If-Match": f'"v0", {tag}'})
    me.put("/profiles/ada", body, 200, {"If-Match": tag})
    me.put("/profiles/ada", {**body, "newsletter": True}, 412, {"If-Match": "*"})


@case(
    "b166",
    "jon-card-changed-and-refused",
    "post-commit-412",
    "412",
    alone="post-commit-412 intermediary-replay",
    description=(
        "asgi-etags performs the method before it looks at If-Match: each save with the current tag is 412, and the "
        "read after it shows exactly the text that was refused. No proxy, no second request."
    ),
)
def committed(stage: Stage) -> None:
    """Be refused after the write."""
    server = stage.server("application", app="asgi_etags_cards")
    me = stage.actor("client", server, "cards.meridian.test", "urllib", {"X-Request-Source": "board-1"})
    for lane in ("doing", "review"):
        seen = me.get("/cards/9")
        body = {**seen.json, "lane": lane}
        me.put("/cards/9", body, 412, {"If-Match": seen.etag})
        place.insist(me.get("/cards/9").json == body, "it was not written")


@case(
    "b167",
    "jon-nginx-dav-takes-any-tag",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped stale-stored-token",
    also="stale-stored-token",
    description=(
        "nginx's WebDAV module does not look at If-Match on PUT: a save with a tag that the client's own HEAD has "
        "shown to be outdated is 204, and so is a colleague's; one line is lost."
    ),
)
def nginx_dav(stage: Stage) -> None:
    """Put with outdated tags."""
    files: dict[str, str | bytes] = {"lists/crew.txt": "Mila\n", "lists/boats.txt": "Tern\n"}
    server = fronts.site(stage, "nginx", files, fronts.DAV["nginx"])
    me = stage.actor("client", server, "lists.meridian.test", "aiohttp", {"User-Agent": "crewlist/1.1"})
    other = stage.actor("other", server, "lists.meridian.test", "requests")
    seen = me.get("/lists/crew.txt")
    me.put("/lists/crew.txt", "Mila\nTheo\n", 204, {"If-Match": seen.etag, **_TXT})
    me.get("/lists/boats.txt")
    theirs = other.get("/lists/crew.txt")
    other.put("/lists/crew.txt", f"{theirs.text}Ana\n", 204, {"If-Match": theirs.etag, **_TXT})
    time.sleep(1.1)
    place.insist(me.send("HEAD", "/lists/crew.txt", 200).etag != seen.etag, "the tag is the same")
    me.put("/lists/crew.txt", "Mila\nTheo\nJo\n", 204, {"If-Match": seen.etag, **_TXT})
    place.insist("Ana" not in other.get("/lists/crew.txt").text, "nothing was lost")


@case(
    "b168",
    "jon-two-desks-in-one-gap",
    "check-then-write-race",
    "lost-update",
    alone="none check-then-write-race precondition-ignored",
    description=(
        "The harbour waits between its check and its write; two desks save under one tag in that gap and both are told "
        "200, one remark is gone; before and after it, outdated tags are refused."
    ),
)
def gap(stage: Stage) -> None:
    """Check both, then write both."""
    front = fronts.haproxy(stage, [place.harbour(stage, GAP="350")])
    me = stage.actor("client", front, place.PORT, "requests", {"X-Agent": "desk-1"})
    other = stage.actor("other", front, place.PORT, "httpx", {"X-Agent": "desk-2"})
    place.watch(me, 3)
    old = other.get(place.BERTH_2)
    tag = other.put(place.BERTH_2, place.edited(old, cranes=2), 200, {"If-Match": old.etag}).etag
    other.put(place.BERTH_2, place.edited(old, cranes=1), 412, {"If-Match": old.etag})
    seen = me.get(place.BERTH_2)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(
            other.put, place.BERTH_2, place.edited(seen, remark="ladder"), 200, {"If-Match": tag}
        )
        time.sleep(0.1)
        body, guard = place.edited(seen, draught=9.2), {"If-Match": seen.etag}
        two = pool.submit(me.put, place.BERTH_2, body, 200, guard)
        one.result()
        two.result()
    other.put(place.BERTH_2, place.edited(seen, remark="ladder"), 412, {"If-Match": tag})
    place.insist(other.get(place.BERTH_2).json["remark"] == "fender 4", "nothing was lost")
    place.watch(me, 2)


@case(
    "b169",
    "jon-caddy-suffix-in-a-long-morning",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Behind Caddy's encode a reception works all morning: reads are 304 with the suffixed tag, but the three "
        "saves with it are 412; the read of the label printer, without compression, has the bare tag and passes."
    ),
)
def caddy(stage: Stage) -> None:
    """Send a tag with a suffix, among many reads."""
    front = fronts.caddy(stage, place.clinic(stage), " encode {\n  gzip\n  minimum_length 32\n }")
    me = stage.actor(
        "client", front, place.PRAXIS, "requests", {"X-Staff": "reception", "Accept-Encoding": "gzip"}
    )
    other = stage.actor("other", front, place.PRAXIS, "curl", {"X-Staff": "label-printer"})
    known: dict[str, str] = {}
    for turn in range(14):
        me.get("/clinic/api/appointments")
        slot = (place.SLOT, place.SLOT_2)[turn % 2]
        fields = {"If-None-Match": known[slot]} if slot in known else {}
        seen = me.send("GET", slot, (200, 304), fields)
        known[slot] = seen.fields.get("etag", known.get(slot, ""))
        if seen.status == 200:
            suffixed = seen.etag
        if turn in {4, 7, 11}:
            fresh = me.get(slot)
            place.insist("-gzip" in fresh.etag and suffixed, "no suffix")
            me.put(slot, place.edited(fresh, note=f"called {turn}"), 412, {"If-Match": fresh.etag})
    plain = other.get(place.SLOT)
    other.put(place.SLOT, place.document(place.SLOT, printed=True), 200, {"If-Match": plain.etag})
