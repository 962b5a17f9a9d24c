"""Stories on real web servers and stores."""

from __future__ import annotations

import datetime as dt
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_TEXT = {"Content-Type": "text/plain"}


@case(
    "d506",
    "cal-nightly-build-under-the-download",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "A download in parts, each with If-Match, from Caddy's file server; the nightly build replaces the file after "
        "the third part, so that the fourth is 412. Begun anew under the new tag, it ends well."
    ),
)
def nightly(stage: Stage) -> None:
    """Read a file in parts that is replaced."""
    image = bytes(range(256)) * 40
    files: dict[str, str | bytes] = {
        "nightly/router.txt": image,
        "nightly/SHA256SUMS.txt": "9f2c  router.txt\n",
        "index.txt": "ok\n",
    }
    server = fronts.site(stage, "caddy", files)
    me = stage.actor("client", server, "images.firmware.test", "httpx", {"Accept-Encoding": "identity"})
    me.get("/nightly/SHA256SUMS.txt")
    head = me.send("HEAD", "/nightly/router.txt", 200)
    for part in range(3):
        span = f"bytes={part * 2048}-{part * 2048 + 2047}"
        me.get("/nightly/router.txt", 206, {"Range": span, "If-Match": head.etag})
        place.rest(0.2)
    fronts.put_file(server.directory, "nightly/router.txt", image[::-1])
    fronts.put_file(server.directory, "nightly/SHA256SUMS.txt", "41d7  router.txt\n")
    me.get("/nightly/router.txt", 412, {"Range": "bytes=6144-8191", "If-Match": head.etag})
    place.rest(0.5)
    me.get("/nightly/SHA256SUMS.txt")
    fresh = me.send("HEAD", "/nightly/router.txt", 200)
    place.sure(fresh.etag != head.etag)
    whole = b""
    for part in range(5):
        span = f"bytes={part * 2048}-{part * 2048 + 2047}"
        whole += me.get("/nightly/router.txt", 206, {"Range": span, "If-Match": fresh.etag}).body
    place.sure(whole == image[::-1])


@case(
    "d493",
    "cal-tomcat-has-weak-tags-only",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Tomcat's DefaultServlet has weak tags only: on templates of letters every write and delete with If-Match is "
        "412, straight after a read, without compression and with nobody else there; the wildcard passes."
    ),
)
def tomcat(stage: Stage) -> None:
    """Write under weak tags."""
    server = stage.server("tomcat")
    me = stage.actor("client", server, "letters.notary.test", "requests", {"Accept-Encoding": "identity"})
    me.put("/deed.txt", "Whereas the seller\n", 201, _TEXT)
    me.put("/will.txt", "I, the undersigned\n", 201, _TEXT)
    place.rest(1.4)
    for text in ("Whereas the buyer\n", "Whereas the buyer\n"):
        seen = me.get("/deed.txt")
        place.sure(seen.etag.startswith("W/"))
        me.put("/deed.txt", text, 412, {**_TEXT, "If-Match": seen.etag})
        me.get("/deed.txt", 304, {"If-None-Match": seen.etag})
        place.rest(1.1)
    will = me.get("/will.txt")
    me.send("DELETE", "/will.txt", 412, {"If-Match": will.etag})
    me.put("/deed.txt", "Whereas the buyer\n", 204, {**_TEXT, "If-Match": "*"})
    me.get("/deed.txt")


@case(
    "d496",
    "cal-httpd-not-sure-yet",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "On Apache's mod_dav a note that was written a moment ago has a weak tag, so that a second save at once is 412; "
        "two seconds later the same tag is strong and the save goes through. Older notes are saved at the first try."
    ),
)
def settling(stage: Stage) -> None:
    """Save twice in a second."""
    files = {f"notes/{n}.txt": f"note {n}\n" for n in (1, 2, 3)}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "notes.chapter.test", "curl", {"User-Agent": "quicknote/0.8"})
    old = me.get("/notes/1.txt")
    me.put("/notes/1.txt", "note 1, kept\n", 204, {"If-Match": old.etag})
    me.get("/notes/3.txt")
    for name, tag in (("2", me.get("/notes/2.txt").etag), ("new", "")):
        guard = {"If-Match": tag} if tag else {"If-None-Match": "*"}
        me.put(f"/notes/{name}.txt", f"draft {name}\n", (201, 204), guard)
        soon = me.get(f"/notes/{name}.txt")
        place.sure(soon.etag.startswith("W/"))
        me.put(f"/notes/{name}.txt", f"draft {name}, second\n", 412, {"If-Match": soon.etag})
        place.rest(2.3)
        later = me.get(f"/notes/{name}.txt")
        place.sure(later.etag == soon.etag.removeprefix("W/"))
        me.put(f"/notes/{name}.txt", f"draft {name}, second\n", 204, {"If-Match": later.etag})
    me.get("/notes/3.txt")


@case(
    "d473",
    "cal-nginx-dav-reads-no-condition",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored server-precondition-bug precondition-stripped",
    description=(
        "nginx's DAV module takes a PUT with an outdated If-Match: the plan that a colleague has just stored, whose new "
        "tag the client itself has seen, is replaced by one made from the version before it."
    ),
)
def unread(stage: Stage) -> None:
    """Overwrite a plan whose tag was outdated."""
    files = {f"plans/{n}.json": f'{{"plan":"{n}","beds":12}}\n' for n in ("north", "south")}
    server = fronts.site(stage, "nginx", files, fronts.DAV["nginx"])
    me = stage.actor("client", server, "plans.garden.test", "aiohttp", {"X-User": "mo"})
    other = stage.actor("other", server, "plans.garden.test", "requests", {"X-User": "fay"})
    opened = me.get("/plans/south.json")
    north = me.get("/plans/north.json")
    me.put("/plans/north.json", '{"plan":"north","beds":13}\n', 204, {"If-Match": north.etag})
    theirs = other.get("/plans/south.json")
    other.put("/plans/south.json", '{"plan":"south","beds":16,"pond":true}\n', 204, {"If-Match": theirs.etag})
    place.rest(1.2)
    now = me.send("HEAD", "/plans/south.json", 200)
    place.sure(now.etag != opened.etag)
    me.get("/plans/north.json", 304, {"If-None-Match": me.get("/plans/north.json").etag})
    me.put(
        "/plans/south.json", '{"plan":"south","beds":12,"path":"gravel"}\n', 204, {"If-Match": opened.etag}
    )
    place.sure("pond" not in me.get("/plans/south.json").text)
    me.get("/plans/south.json", 412, {"If-Match": opened.etag})
    place.rest(0.4)
    other.get("/plans/south.json")


_LOCK = """<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>
<D:locktype><D:write/></D:locktype><D:owner>{}</D:owner></D:lockinfo>"""
_ASK = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/><D:getetag/></D:prop></D:propfind>'
_XML = {"Content-Type": "application/xml"}


def _token(answer: Answer) -> str:
    return answer.fields["lock-token"]


@case(
    "d508",
    "cal-brochure-locked-by-the-designer",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "The designer holds a WebDAV lock on the text of a brochure (WsgiDAV); the editor's saves with the current tag "
        "are 423, PROPFIND names the holder, and after the designer's UNLOCK the same save is stored."
    ),
)
def locked(stage: Stage) -> None:
    """Save what somebody has locked."""
    server = stage.server("wsgidav")
    me = stage.actor("client", server, "docs.studio.test", "requests", {"User-Agent": "editor/5.2"})
    other = stage.actor("other", server, "docs.studio.test", "httpx", {"User-Agent": "designer/1.0"})
    me.put("/brochure.txt", "Our spring tours\n", 201, _TEXT)
    me.put("/prices.txt", "from 40\n", 201, _TEXT)
    lock = other.send("LOCK", "/brochure.txt", 200, {**_XML, "Timeout": "Second-600"}, _LOCK.format("Ines"))
    seen = me.get("/brochure.txt")
    for _ in range(2):
        me.put("/brochure.txt", "Our summer tours\n", 423, {**_TEXT, "If-Match": seen.etag})
        place.rest(0.4)
    found = me.send("PROPFIND", "/brochure.txt", 207, {**_XML, "Depth": "0"}, _ASK)
    place.sure("Ines" in found.text)
    prices = me.get("/prices.txt")
    me.put("/prices.txt", "from 45\n", 204, {**_TEXT, "If-Match": prices.etag})
    other.send("UNLOCK", "/brochure.txt", 204, {"Lock-Token": _token(lock)})
    place.rest(0.5)
    me.put("/brochure.txt", "Our summer tours\n", 204, {**_TEXT, "If-Match": seen.etag})
    me.get("/brochure.txt")


@case(
    "d479",
    "cal-tenant-name-is-taken",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A sign-up registers a tenant's name in etcd with prevExist=false and is told 412 (105, key already exists): "
        "somebody else has had the name for a while, as a read shows. Another name is free."
    ),
)
def taken(stage: Stage) -> None:
    """Register a name that is taken."""
    server = stage.server("etcd")
    other = stage.actor("other", server, "kv.platform.test", "curl", {"User-Agent": "signup/2 (batch)"})
    owner = urlencode({"value": '{"owner":"Lakeside Dental"}'})
    other.put("/v2/keys/tenants/lakeside?prevExist=false", owner, 201, _FORM)
    place.rest(1.0)
    me = stage.actor("client", server, "kv.platform.test", "urllib", {"User-Agent": "signup/2 (web)"})
    me.get("/v2/keys/tenants")
    for plan in ("small", "large"):
        me.put(f"/v2/keys/plans/{plan}?prevExist=false", urlencode({"value": plan}), 201, _FORM)
    mine = urlencode({"value": '{"owner":"Lakeside Rowing Club"}'})
    me.put("/v2/keys/tenants/lakeside?prevExist=false", mine, 412, _FORM)
    place.sure("Dental" in me.get("/v2/keys/tenants/lakeside").text)
    place.rest(0.5)
    me.get("/v2/keys/tenants/lakeside-rowing", 404)
    me.put("/v2/keys/tenants/lakeside-rowing?prevExist=false", mine, 201, _FORM)
    me.get("/v2/keys/tenants?recursive=true")


_EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//band//plan 1//EN\r\nBEGIN:VEVENT\r\nUID:{0}\r\n"
    "DTSTAMP:20261101T090000Z\r\nDTSTART:20261212T1{1}0000Z\r\nDURATION:PT2H\r\nSUMMARY:{2}\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)
_ICS = {"Content-Type": "text/calendar; charset=utf-8"}


@case(
    "d474",
    "cal-rehearsal-was-called-off",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "On Radicale a phone moves a rehearsal that the bandleader has meanwhile deleted: If-Match meets nothing, 412, "
        "and a read is 404. The other dates of the calendar are there and can be changed."
    ),
)
def called_off(stage: Stage) -> None:
    """Change an event that is gone."""
    server = stage.server("radicale")
    always = place.basic("band")
    me = stage.actor("client", server, "cal.brassband.test", "httpx", {**always, "User-Agent": "phone/14"})
    other = stage.actor("other", server, "cal.brassband.test", "requests", {**always, "User-Agent": "desk/2"})
    other.send("MKCALENDAR", "/band/plan/", 201)
    for uid, hour, name in (("reh-1", 8, "Rehearsal"), ("reh-2", 7, "Rehearsal brass"), ("gig", 9, "Market")):
        other.put(f"/band/plan/{uid}.ics", _EVENT.format(uid, hour, name), 201, _ICS)
    held = {uid: me.get(f"/band/plan/{uid}.ics") for uid in ("reh-1", "reh-2", "gig")}
    me.send("PROPFIND", "/band/plan/", 207, {**_XML, "Depth": "1"}, _ASK)
    named = {**_ICS, "If-Match": held["reh-1"].etag}
    me.put("/band/plan/reh-1.ics", _EVENT.format("reh-1", 8, "Rehearsal all"), (201, 204), named)
    gone = other.get("/band/plan/reh-2.ics")
    other.send("DELETE", "/band/plan/reh-2.ics", 200, {"If-Match": gone.etag})
    place.rest(0.8)
    moved = _EVENT.format("reh-2", 8, "Rehearsal brass")
    me.put("/band/plan/reh-2.ics", moved, 412, {**_ICS, "If-Match": held["reh-2"].etag})
    me.get("/band/plan/reh-2.ics", 404)
    later = _EVENT.format("gig", 6, "Market")
    me.put("/band/plan/gig.ics", later, (201, 204), {**_ICS, "If-Match": held["gig"].etag})
    me.get("/band/plan/reh-1.ics")


@case(
    "d505",
    "cal-halifax-time-called-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A program in Halifax turns Last-Modified into local time and calls it GMT: each If-Unmodified-Since is four "
        "hours before the date that Apache has just served, and each PUT on its mod_dav is 412. Nobody else writes."
    ),
)
def halifax(stage: Stage) -> None:
    """Send the local time as GMT."""
    files = {f"log/{n}.txt": f"tide log {n}\n" for n in ("pier-a", "pier-b", "buoy")}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"], age=9000)
    me = stage.actor("client", server, "tides.oceanlab.test", "node:fetch", {"User-Agent": "tidelog/2"})
    place.watch(me, ["/log/pier-b.txt"], 2)
    for name in ("pier-a", "buoy", "buoy"):
        seen = me.get(f"/log/{name}.txt")
        moment = parsedate_to_datetime(seen.fields["last-modified"]) - dt.timedelta(hours=4)
        since = {"If-Unmodified-Since": moment.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        me.put(f"/log/{name}.txt", f"{seen.text}0412 1.9\n", 412, since)
        place.rest(0.5)
    me.get("/log/pier-b.txt", 304, {"If-Modified-Since": seen.fields["last-modified"]})
    me.put("/log/today.txt", "0412 1.9\n", 201)


@case(
    "d498",
    "cal-mirror-with-lighttpd",
    "none",
    "healthy",
    alone="none",
    description=(
        "A mirror program asks lighttpd for packages: revalidations are 304, a package that has changed comes whole, a "
        "large one is gone on with from the middle under If-Range, and is whole in the end."
    ),
)
def mirror(stage: Stage) -> None:
    """Mirror files."""
    files = {f"pool/{n}.txt": f"package {n} " * 200 for n in ("alpha", "beta", "gamma")}
    server = fronts.site(stage, "lighttpd", files)
    me = stage.actor("client", server, "pool.mirror.test", "urllib", {"User-Agent": "mirrord/1.1"})
    held = place.watch(me, [f"/{name}" for name in files], 2)
    fronts.put_file(server.directory, "pool/beta.txt", "package beta 2 " * 180, 3)
    place.rest(2.2)
    new = me.get("/pool/beta.txt", 200, {"If-None-Match": held["/pool/beta.txt"].etag})
    me.get("/pool/beta.txt", 304, {"If-None-Match": new.etag})
    first = me.get("/pool/gamma.txt", 206, {"Range": "bytes=0-999"})
    place.rest(0.5)
    rest = me.get("/pool/gamma.txt", 206, {"Range": "bytes=1000-", "If-Range": first.etag})
    place.sure(first.body + rest.body == held["/pool/gamma.txt"].body)
    me.get("/pool/delta.txt", 404)
    date = held["/pool/alpha.txt"].fields["last-modified"]
    me.get("/pool/alpha.txt", 304, {"If-Modified-Since": date})


@case(
    "d489",
    "cal-minutes-under-a-lock",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two members of a committee take turns at the minutes on WsgiDAV: each locks, saves under the token and the tag "
        "just read, and unlocks, and finds the other's part there at the next turn."
    ),
)
def minutes(stage: Stage) -> None:
    """Take turns with a lock."""
    server = stage.server("wsgidav")
    me = stage.actor("client", server, "minutes.choir.test", "requests", {"User-Agent": "minutes/1 (ana)"})
    other = stage.actor("other", server, "minutes.choir.test", "httpx", {"User-Agent": "minutes/1 (bo)"})
    me.put("/minutes.txt", "1. Welcome\n", 201, {**_TEXT, "If-None-Match": "*"})
    place.rest(1.1)
    text = ""
    for number, who in ((2, other), (3, me), (4, other), (5, me)):
        lock = who.send("LOCK", "/minutes.txt", 200, {**_XML, "Timeout": "Second-60"}, _LOCK.format("x"))
        seen = who.get("/minutes.txt")
        text = f"{seen.text}{number}. Point {number}\n"
        fields = {**_TEXT, "If": f"({_token(lock)})", "If-Match": seen.etag}
        who.put("/minutes.txt", text, 204, fields)
        who.send("UNLOCK", "/minutes.txt", 204, {"Lock-Token": _token(lock)})
        place.rest(0.6)
    place.sure(me.get("/minutes.txt").text == text and len(re.findall("Point", text)) == 4)
    me.send("PROPFIND", "/", 207, {**_XML, "Depth": "1"}, _ASK)
