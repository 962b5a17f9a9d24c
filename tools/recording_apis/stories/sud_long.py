"""Longer sessions: calendars, address books, records of accounts, locks, other front ends, dates once more."""

from __future__ import annotations

import base64
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.sud_setting import (
    LIMS,
    OPAC,
    XML,
    instrument,
    laboratory,
    library,
    sign_on,
    title,
)
from tools.recording_apis.stories.webdav import lock, properties

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor

_ICS = {"Content-Type": "text/calendar; charset=utf-8"}
_VCF = {"Content-Type": "text/vcard; charset=utf-8"}


def basic(user: str) -> dict[str, str]:
    """Return the fields of somebody who signs on with a name."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:x-{user}".encode()).decode()}


def shift(name: str, start: str, who: str) -> str:
    """Return a shift as an event."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//velo-kurier//shifts//DE", "BEGIN:VEVENT"]
    lines += [f"UID:{name}@velo-kurier.test", "DTSTAMP:20261120T080000Z", f"DTSTART:202612{start}T060000Z"]
    lines += [f"DTEND:202612{start}T140000Z", f"SUMMARY:Shift {who}", "END:VEVENT", "END:VCALENDAR", ""]
    return "\r\n".join(lines)


def contact(name: str, phone: str) -> str:
    """Return a customer as a vCard."""
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"UID:{name}", f"FN:{name.title()}", f"N:{name.title()};;;;"]
    return "\r\n".join([*lines, f"TEL:{phone}", "END:VCARD", ""])


def _browse(actor: Actor, keys: str) -> None:
    for key in keys.split():
        actor.get(f"/opac/{key}")


@case(
    "a051",
    "shift-plan-two-phones",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Two riders edit one shift in a shared calendar on Radicale. The second PUT is refused; the event then shows "
        "the other rider's name and time."
    ),
)
def shifts(stage: Stage) -> None:
    """Edit one event from two phones."""
    server = stage.server("radicale")
    me = stage.actor(
        "client", server, "cal.velo-kurier.test", "httpx", {"User-Agent": "DAVx5/4.4", **basic("plan")}
    )
    other = stage.actor(
        "other", server, "cal.velo-kurier.test", "requests", {"User-Agent": "iOS/18", **basic("plan")}
    )
    me.send("MKCALENDAR", "/plan/december/", 201)
    for name, start, who in (("s1", "01", "Ana"), ("s2", "02", "Kim"), ("s3", "03", "Jo")):
        me.put(f"/plan/december/{name}.ics", shift(name, start, who), 201, {**_ICS, "If-None-Match": "*"})
    properties(me, "/plan/december/")
    tags = {name: me.get(f"/plan/december/{name}.ics").etag for name in ("s1", "s2", "s3")}
    properties(other, "/plan/december/")
    theirs = other.get("/plan/december/s2.ics").etag
    other.put("/plan/december/s2.ics", shift("s2", "09", "Ravi"), 204, {**_ICS, "If-Match": theirs})
    time.sleep(1.1)
    me.put("/plan/december/s1.ics", shift("s1", "04", "Ana"), 204, {**_ICS, "If-Match": tags["s1"]})
    me.put("/plan/december/s2.ics", shift("s2", "05", "Kim"), 412, {**_ICS, "If-Match": tags["s2"]})
    if "Ravi" not in me.get("/plan/december/s2.ics").text:
        raise StoryError("the other one's edit is not there")
    me.put("/plan/december/s3.ics", shift("s3", "06", "Jo"), 204, {**_ICS, "If-Match": tags["s3"]})


@case(
    "a052",
    "import-with-four-workers",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "An import with four workers has the same title twice in its list; both rows are sent at the same time with "
        "the tag of one read, and one of them is refused. All requests carry one run number."
    ),
)
def workers(stage: Stage) -> None:
    """Send two rows for one record at once."""
    server = library(stage, HOLD="0.15")
    me = stage.actor("client", server, OPAC, "requests", {"X-Desk": "import", "X-Run": "2026-11-26/4"})
    sign_on(me, "nightly-batch")
    me.get("/opac/titles")
    names = ["b4471", "b4472", "b5090", "b6113"]
    tags = {name: me.get(f"/opac/titles/{name}").etag for name in names}

    def row(number: int, name: str) -> int:
        time.sleep(0.02 * number)
        wanted = title(f"titles/{name}", copies=20 + number)
        return me.put(f"/opac/titles/{name}", wanted, (200, 412), {"If-Match": tags[name]}).status

    rows = ["b4471", "b5090", "b4472", "b5090"]
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(row, range(4), rows))
    if sorted(statuses) != [200, 200, 200, 412] or statuses[0] == 412 or statuses[2] == 412:
        raise StoryError(f"{statuses}")
    _browse(me, "titles/b4471 titles/b5090 titles/b4472")


@case(
    "a053",
    "profile-of-earlier-install",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "An app stores its settings in Kinto with If-None-Match: * under a fixed name; an earlier installation did "
        "so before, with other content, which the answer and the read show."
    ),
)
def profile(stage: Stage) -> None:
    """Create what an earlier installation has created."""
    server = stage.server("kinto")
    user = basic("noor")
    old = stage.actor(
        "other", server, "sync.reader.test", "httpx", {**user, "User-Agent": "Reader/2.8 (tablet)"}
    )
    me = stage.actor(
        "client", server, "sync.reader.test", "node:axios", {**user, "User-Agent": "Reader/3.1 (phone)"}
    )
    old.put("/v1/accounts/noor", {"data": {"password": "x-noor"}}, 201)
    records = "/v1/buckets/default/collections/settings/records"
    old.put(f"{records}/profile", {"data": {"font": 14, "theme": "sepia"}}, 201, {"If-None-Match": "*"})
    time.sleep(2.0)
    me.get("/v1/")
    me.get(f"{records}?_sort=-last_modified&_limit=50")
    me.put(f"{records}/device-phone", {"data": {"model": "P9"}}, 201, {"If-None-Match": "*"})
    me.put(f"{records}/profile", {"data": {"font": 12, "theme": "dark"}}, 412, {"If-None-Match": "*"})
    if me.get(f"{records}/profile").json["data"]["theme"] != "sepia":
        raise StoryError("it is ours")
    me.get(f"{records}?_sort=-last_modified&_limit=50")


@case(
    "a054",
    "customer-deleted-on-desktop",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A customer's card is deleted on the desktop; the phone changes the number with the tag that it has and is "
        "refused by Radicale; the read is 404 and the listing has no such card."
    ),
)
def customer(stage: Stage) -> None:
    """Change what another program has deleted."""
    server = stage.server("radicale")
    me = stage.actor("client", server, "cards.velo-kurier.test", "aiohttp", basic("office"))
    other = stage.actor("other", server, "cards.velo-kurier.test", "curl", basic("office"))
    book = (
        '<?xml version="1.0"?><mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop>'
        "<resourcetype><collection/><C:addressbook/></resourcetype></prop></set></mkcol>"
    )
    other.send("MKCOL", "/office/customers/", 201, {"Content-Type": "text/xml"}, book)
    for name, phone in (("lenz", "+49 30 1"), ("meyer", "+49 30 2"), ("ost", "+49 30 3")):
        other.put(f"/office/customers/{name}.vcf", contact(name, phone), 201, {**_VCF, "If-None-Match": "*"})
    properties(me, "/office/customers/")
    tags = {name: me.get(f"/office/customers/{name}.vcf").etag for name in ("lenz", "meyer", "ost")}
    other.send("DELETE", "/office/customers/meyer.vcf", 200)
    time.sleep(0.8)
    me.put(
        "/office/customers/lenz.vcf", contact("lenz", "+49 30 11"), 204, {**_VCF, "If-Match": tags["lenz"]}
    )
    me.put(
        "/office/customers/meyer.vcf", contact("meyer", "+49 30 22"), 412, {**_VCF, "If-Match": tags["meyer"]}
    )
    me.get("/office/customers/meyer.vcf", 404)
    properties(me, "/office/customers/")


@case(
    "a055",
    "json-server-takes-old-tag",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored none precondition-stripped",
    description=(
        "json-server sends tags but reads no If-Match: a colleague's change of the tour is overwritten with an "
        "outdated tag and status 200."
    ),
)
def tours(stage: Stage) -> None:
    """Write to json-server with an outdated tag."""
    content = (
        '{"tours":[{"id":1,"rider":"Ana","stops":6},{"id":2,"rider":"Kim","stops":3}],"bikes":[{"id":1}]}'
    )
    server = stage.server("json-server", content=content)
    me = stage.actor("client", server, "api.velo-kurier.test", "httpx")
    other = stage.actor("other", server, "api.velo-kurier.test", "urllib")
    me.get("/tours?_sort=stops&_order=desc")
    me.get("/bikes")
    tag = me.get("/tours/1").etag
    me.get("/tours/2", 200)
    theirs = other.get("/tours/1").etag
    other.put("/tours/1", {"rider": "Ana", "stops": 7}, 200, {"If-Match": theirs})
    time.sleep(0.8)
    me.put("/tours/1", {"rider": "Jo", "stops": 6}, 200, {"If-Match": tag})
    me.get("/tours")
    if other.get("/tours/1").json["stops"] != 6:
        raise StoryError("nothing was lost")


@case(
    "a056",
    "varnish-after-own-save",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Varnish stores reads of the registry for a while. Twice the client saves, reads (Age above nought, "
        "the old card) and is refused with that tag; nobody else writes."
    ),
)
def varnish(stage: Stage) -> None:
    """Read through Varnish after a write."""
    server = laboratory(stage)
    rule = 'sub vcl_recv { if (req.http.Cache-Control ~ "no-cache") { return (pass); } } '
    rule += "sub vcl_backend_response { set beresp.ttl = 60s; } "
    rule += 'sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; } }'
    front = fronts.varnish(stage, server, rule)
    me = stage.actor("client", front, LIMS, "requests", {"X-Technician": "sato"})
    me.get("/lims/instrument")
    for name in ("HPLC-03", "BAL-17"):
        tag = me.get(f"/lims/instrument/{name}").etag
        fields = {**XML, "If-Match": tag}
        me.put(f"/lims/instrument/{name}", instrument(name, status="audit"), 200, fields)
        time.sleep(1.2)
        old = me.get(f"/lims/instrument/{name}")
        if old.etag != tag or old.fields["x-cache"] != "HIT":
            raise StoryError("not from the cache")
        again = {**XML, "If-Match": old.etag}
        me.put(f"/lims/instrument/{name}", instrument(name, status="audited"), 412, again)
    past = me.get("/lims/instrument/BAL-17", 200, {"Cache-Control": "no-cache"}).etag
    me.put("/lims/instrument/BAL-17", instrument("BAL-17", status="audited"), 200, {**XML, "If-Match": past})


@case(
    "a057",
    "lock-of-another-file",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "A program locks one file and names that lock's token with its write to another: the If field is tested "
        "against the file that is written and fails."
    ),
)
def other_file(stage: Stage) -> None:
    """Use a lock's token for another file."""
    server = stage.server("wsgidav")
    for name in ("agenda.txt", "agenda-annex.txt"):
        (server.directory / name).write_text(f"{name}\n")
    me = stage.actor("client", server, "dav.rathaus.test", "requests", {"User-Agent": "RatsInfo/7"})
    properties(me, "/")
    me.get("/agenda.txt")
    me.get("/agenda-annex.txt")
    held = lock(me, "/agenda.txt", "clerk", "Second-300")
    me.put("/agenda.txt", "agenda, second version\n", 204, {"If": f"(<{held}>)"})
    me.put("/agenda-annex.txt", "annex, second version\n", 412, {"If": f"(<{held}>)"})
    properties(me, "/agenda-annex.txt", "0")
    me.send("UNLOCK", "/agenda.txt", 204, {"Lock-Token": f"<{held}>"})
    me.put("/agenda-annex.txt", "annex, second version\n", 204)


@case(
    "a058",
    "head-answers-from-index",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "The registry answers HEAD from an index with tags of another make than GET and the write have: a client "
        "that asks with HEAD before it writes is always refused."
    ),
)
def index(stage: Stage) -> None:
    """Take the tag from HEAD."""
    server = laboratory(stage, HEADMARK="1")
    me = stage.actor("client", server, LIMS, "curl", {"X-Technician": "varga"})
    me.get("/lims/instrument")
    for name in ("HPLC-03", "HPLC-04"):
        tag = me.send("HEAD", f"/lims/instrument/{name}", 200).etag
        fields = {**XML, "If-Match": tag}
        me.put(f"/lims/instrument/{name}", instrument(name, room="2.118"), 412, fields)
    seen = me.get("/lims/instrument/HPLC-03").etag
    if me.send("HEAD", "/lims/instrument/HPLC-03", 200).etag == seen:
        raise StoryError("the tags agree")
    me.put("/lims/instrument/HPLC-03", instrument("HPLC-03", room="2.118"), 200, {**XML, "If-Match": seen})


@case(
    "a059",
    "two-saves-in-one-second",
    "date-precision",
    "lost-update",
    alone="date-precision none check-then-write-race precondition-ignored",
    description=(
        "The library has dates only. A colleague saves twice within one second and the client reads in between: "
        "Last-Modified is the same for both, the condition holds, and the second save is gone."
    ),
)
def one_second(stage: Stage) -> None:
    """Write twice with one date."""
    server = library(stage, NOETAG="1")
    me = stage.actor("client", server, OPAC, "requests", {"X-Desk": "desk-1"})
    other = stage.actor("other", server, OPAC, "httpx", {"X-Desk": "desk-7"})
    me.get("/opac/patrons")
    since = other.get("/opac/patrons/p20882").fields["last-modified"]
    time.sleep((1.08 - time.time() % 1) % 1)
    first = title("patrons/p20882", fees="2.50")
    since = other.put("/opac/patrons/p20882", first, 200, {"If-Unmodified-Since": since}).fields[
        "last-modified"
    ]
    seen = me.get("/opac/patrons/p20882")
    second = title("patrons/p20882", fees="2.50", mail="lhaas@new.test")
    told = other.put("/opac/patrons/p20882", second, 200, {"If-Unmodified-Since": since})
    if not since == seen.fields["last-modified"] == told.fields["last-modified"]:
        raise StoryError("not within one second")
    time.sleep(1.3)
    mine = title("patrons/p20882", fees="0.00")
    me.put("/opac/patrons/p20882", mine, 200, {"If-Unmodified-Since": since})
    if other.get("/opac/patrons/p20882").json["mail"] != "haas@mail.test":
        raise StoryError("nothing was lost")


@case(
    "a060",
    "node-clock-an-hour-fast",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "The clock of the service is 53 minutes fast: Last-Modified lies in the future of every Date. A client that "
        "takes the Date of its read as If-Unmodified-Since is refused after its own save."
    ),
)
def fast(stage: Stage) -> None:
    """Compare a date with one in the future."""
    server = laboratory(stage, NOETAG="1", AHEAD="3207")
    me = stage.actor("client", server, LIMS, "httpx", {"X-Technician": "iyer"})
    me.get("/lims/instrument")
    date = me.get("/lims/instrument/ICPMS-01").fields["date"]
    me.put(
        "/lims/instrument/ICPMS-01",
        instrument("ICPMS-01", room="0.030"),
        200,
        {**XML, "If-Unmodified-Since": date},
    )
    time.sleep(1.1)
    seen = me.get("/lims/instrument/ICPMS-01")
    new = instrument("ICPMS-01", room="0.030", owner="Sato")
    me.put("/lims/instrument/ICPMS-01", new, 412, {**XML, "If-Unmodified-Since": seen.fields["date"]})
    again = me.get("/lims/instrument/ICPMS-01")
    if again.body != seen.body:
        raise StoryError("somebody else wrote")
    echo = {**XML, "If-Unmodified-Since": again.fields["last-modified"]}
    me.put("/lims/instrument/ICPMS-01", new, 200, echo)
