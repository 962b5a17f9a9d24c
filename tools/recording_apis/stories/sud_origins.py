"""What services do: tags that move, differ or are weak, conditions misjudged, ignored or judged too late, dates."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, formatdate, parsedate_to_datetime

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


@case(
    "a031",
    "tag-of-the-moment",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description="Each answer has a tag of its own although card and revision stay the same; no write ever passes.",
)
def moment(stage: Stage) -> None:
    """Read twice the same with two tags."""
    server = laboratory(stage, UNSTABLE="1")
    me = stage.actor("client", server, LIMS, "httpx", {"X-Technician": "sato"})
    me.get("/lims/instrument")
    first, second = me.get("/lims/instrument/HPLC-04"), me.get("/lims/instrument/HPLC-04")
    if first.body != second.body or first.etag == second.etag:
        raise StoryError("stable")
    new = instrument("HPLC-04", status="ready")
    me.put("/lims/instrument/HPLC-04", new, 412, {**XML, "If-Match": second.etag})
    third = me.get("/lims/instrument/HPLC-04").etag
    me.put("/lims/instrument/HPLC-04", new, 412, {**XML, "If-Match": third})
    me.get("/lims/instrument/HPLC-04")


@case(
    "a032",
    "answer-to-put-names-another-tag",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "The answer to a PUT has a tag made of the time, reads have one made of the content. Chaining the tag of "
        "the own answer is refused although nobody else wrote."
    ),
)
def another(stage: Stage) -> None:
    """Chain the tag of the answer to a write."""
    server = library(stage, ANSWER="1")
    me = stage.actor("client", server, OPAC, "node:axios", {"X-Desk": "desk-2"})
    me.get("/opac/holdings")
    tag = me.get("/opac/holdings/b4471-3").etag
    new = title("holdings/b4471-3", state="on loan", due="2026-12-20")
    told = me.put("/opac/holdings/b4471-3", new, 200, {"If-Match": tag}).etag
    time.sleep(0.6)
    later = {**new, "due": "2027-01-03"}
    me.put("/opac/holdings/b4471-3", later, 412, {"If-Match": told})
    seen = me.get("/opac/holdings/b4471-3")
    if seen.json["_by"] != "desk-2" or seen.etag == told:
        raise StoryError("the tags agree")
    me.put("/opac/holdings/b4471-3", later, 200, {"If-Match": seen.etag})


@case(
    "a033",
    "catalogue-with-weak-tags",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "The library itself has weak tags only, without any compression, and compares strongly: If-Match never holds."
    ),
)
def weak(stage: Stage) -> None:
    """Send the only tag there is."""
    server = library(stage, WEAK="1")
    me = stage.actor(
        "client", server, OPAC, "curl:trace-time", {"X-Desk": "desk-1", "Accept-Encoding": "identity"}
    )
    me.get("/opac/titles")
    me.get("/opac/titles/b4471")
    tag = me.get("/opac/titles/b6113").etag
    me.put("/opac/titles/b6113", title("titles/b6113", shelf="R 03"), 412, {"If-Match": tag})
    time.sleep(1.3)
    if me.get("/opac/titles/b6113").etag != tag:
        raise StoryError("it has changed")
    me.put("/opac/titles/b6113", title("titles/b6113", shelf="R 03"), 412, {"If-Match": tag})


@case(
    "a034",
    "spreadsheet-tag-for-xml",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A card is read as text/csv and written as XML with the tag of the CSV; read as XML it has another tag, "
        "with which the write goes through."
    ),
)
def spreadsheet(stage: Stage) -> None:
    """Read in one media type and write in another."""
    server = laboratory(stage, VARIANT="1")
    me = stage.actor("client", server, LIMS, "requests", {"X-Technician": "varga"})
    me.get("/lims/instrument")
    sheet = me.get("/lims/instrument/ICPMS-01", 200, {"Accept": "text/csv"}).etag
    new = instrument("ICPMS-01", status="plasma off")
    me.put("/lims/instrument/ICPMS-01", new, 412, {**XML, "If-Match": sheet})
    again = me.get("/lims/instrument/ICPMS-01", 200, {"Accept": "text/csv"}).etag
    document = me.get("/lims/instrument/ICPMS-01", 200, {"Accept": "application/xml"}).etag
    if again != sheet or document == sheet:
        raise StoryError("the tags agree")
    me.put("/lims/instrument/ICPMS-01", new, 200, {**XML, "If-Match": document})


@case(
    "a035",
    "opening-hours-just-saved",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "Apache marks the tag of a file stored within the last second weak; the second save with it is refused, a "
        "while later the same tag is strong and passes."
    ),
)
def settled(stage: Stage) -> None:
    """Save twice within a second."""
    server = fronts.site(stage, "apache2", {"hours.json": '{"mo":"10-18"}'}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "www.stadtbuecherei.test", "httpx", {"User-Agent": "SiteEdit/3"})
    me.get("/hours.json")
    form = {"Content-Type": "application/json"}
    tag = ""
    for _ in range(8):
        now = time.time() % 1
        time.sleep((1.05 - now) % 1)
        me.put("/hours.json", '{"mo":"10-19"}', 204, form)
        tag = me.get("/hours.json").etag
        if tag.startswith("W/"):
            break
    me.put("/hours.json", '{"mo":"10-19","tu":"10-18"}', 412, {**form, "If-Match": tag})
    time.sleep(2.2)
    strong = me.get("/hours.json").etag
    if tag != f"W/{strong}":
        raise StoryError(f"{tag} and {strong}")
    me.put("/hours.json", '{"mo":"10-19","tu":"10-18"}', 204, {**form, "If-Match": strong})


@case(
    "a036",
    "star-refused-on-existing",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description="If-Match: * on a record that was read a moment ago is refused: the library knows no wildcard.",
)
def wildcard(stage: Stage) -> None:
    """Send the wildcard to what exists."""
    server = library(stage, STAR="1")
    me = stage.actor("client", server, OPAC, "requests", {"X-Desk": "desk-3"})
    sign_on(me, "staff-weber")
    before = me.get("/opac/patrons/p20990")
    me.put("/opac/patrons/p20990", title("patrons/p20990", fees="0.20"), 412, {"If-Match": "*"})
    after = me.get("/opac/patrons/p20990")
    if after.etag != before.etag:
        raise StoryError("it has changed")
    me.send("DELETE", "/opac/patrons/p20990", 412, {"If-Match": "*"})
    me.put("/opac/patrons/p20990", title("patrons/p20990", fees="0.20"), 200, {"If-Match": after.etag})


@case(
    "a037",
    "refused-but-stored",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "The registry checks once more after it has stored: the first and only attempt gets 412, and the card has "
        "the new content, a new revision and the technician's name. The origin saw one request."
    ),
)
def late(stage: Stage) -> None:
    """Get a refusal for what was stored."""
    server = laboratory(stage, LATE="1")
    me = stage.actor("client", server, LIMS, "aiohttp", {"X-Technician": "iyer"})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    me.send("POST", "/lims/session", 204, form, "name=iyer&next=%2Fcards%3Froom%3D2.114")
    me.get("/lims/instrument")
    for name in ("HPLC-04", "BAL-17"):
        me.get(f"/lims/instrument/{name}")
    tag = me.get("/lims/instrument/HPLC-03").etag
    new = instrument("HPLC-03", owner="Iyer", status="column change 11/26")
    me.put("/lims/instrument/HPLC-03", new, 412, {**XML, "If-Match": tag})
    seen = me.get("/lims/instrument/HPLC-03")
    if "column change 11/26" not in seen.text or 'by="iyer"' not in seen.text:
        raise StoryError("not stored")
    me.get("/lims/instrument")
    me.get("/lims/method/HPLC-03")


@case(
    "a038",
    "put-never-looks-at-if-match",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "PUT of the library reads no condition, as the request at the origin shows: an outdated tag and even an "
        "invented one get 200, and a colleague's change is gone."
    ),
)
def ignored(stage: Stage) -> None:
    """Write with an outdated tag."""
    server = library(stage, IGNORE="PUT")
    me = stage.actor("client", server, OPAC, "httpx", {"X-Desk": "desk-1"})
    other = stage.actor("other", server, OPAC, "requests", {"X-Desk": "desk-2"})
    me.get("/opac/titles")
    tag = me.get("/opac/titles/b5090").etag
    theirs = other.get("/opac/titles/b5090").etag
    other.put("/opac/titles/b5090", title("titles/b5090", copies=7), 200, {"If-Match": theirs})
    time.sleep(0.9)
    new = title("titles/b5090", shelf="K 05")
    me.put("/opac/titles/b5090", new, 200, {"If-Match": tag})
    if other.get("/opac/titles/b5090").json["copies"] != 9:
        raise StoryError("nothing was lost")
    me.put("/opac/titles/b5090", new, 200, {"If-Match": '"b5090:r1:0"'})


@case(
    "a039",
    "date-to-the-microsecond",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "The registry has no tags and compares If-Unmodified-Since with fractions of a second (changed= in the "
        "card): the echo of Last-Modified is refused, one second more passes; nobody else wrote."
    ),
)
def fraction(stage: Stage) -> None:
    """Echo a truncated date."""
    server = laboratory(stage, NOETAG="1", FRACTION="1")
    me = stage.actor("client", server, LIMS, "requests", {"X-Technician": "varga"})
    me.get("/lims/instrument")
    before = me.get("/lims/instrument/BAL-17")
    echo = before.fields["last-modified"]
    new = instrument("BAL-17", status="calibrated")
    me.put("/lims/instrument/BAL-17", new, 412, {**XML, "If-Unmodified-Since": echo})
    if me.get("/lims/instrument/BAL-17").body != before.body:
        raise StoryError("it has changed")
    second = format_datetime(parsedate_to_datetime(echo) + timedelta(seconds=1), usegmt=True)
    me.put("/lims/instrument/BAL-17", new, 200, {**XML, "If-Unmodified-Since": second})


@case(
    "a040",
    "tablet-clock-is-slow",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A tablet, 47 minutes slow, takes its own time of reading for If-Unmodified-Since. Its own save of a "
        "minute ago is newer than that; the Date fields show the difference."
    ),
)
def slow(stage: Stage) -> None:
    """Take the date from one's own clock."""
    server = library(stage, NOETAG="1")
    me = stage.actor("client", server, OPAC, "curl:verbose", {"X-Desk": "tablet-2"})

    def clock() -> dict[str, str]:
        return {"Date": formatdate(time.time() - 2833, usegmt=True)}

    me.get("/opac/holdings", 200, clock())
    me.get("/opac/holdings/b4471-2", 200, clock())
    new = title("holdings/b4471-2", state="returned", due="")
    now = clock()["Date"]
    me.put("/opac/holdings/b4471-2", new, 200, {**clock(), "If-Unmodified-Since": now})
    time.sleep(1.2)
    seen = me.get("/opac/holdings/b4471-2", 200, clock())
    now = clock()["Date"]
    me.put("/opac/holdings/b4471-2", {**new, "branch": "Mitte"}, 412, {**clock(), "If-Unmodified-Since": now})
    again = me.get("/opac/holdings/b4471-2", 200, clock())
    if again.body != seen.body or again.json["_by"] != "tablet-2":
        raise StoryError("somebody else wrote")


@case(
    "a041",
    "iso-date-in-condition",
    "bad-date",
    "412",
    alone="bad-date",
    description=(
        "The date of the card is sent in ISO 8601 as If-Unmodified-Since; the registry cannot read it and refuses. "
        "As served in Last-Modified the date passes."
    ),
)
def iso(stage: Stage) -> None:
    """Send a date in another form."""
    server = laboratory(stage, NOETAG="1", LAX="1")
    me = stage.actor("client", server, LIMS, "java", {"X-Technician": "sato"})
    me.get("/lims/method/HPLC-03")
    echo = me.get("/lims/instrument/HPLC-04").fields["last-modified"]
    sent = parsedate_to_datetime(echo).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    new = instrument("HPLC-04", room="2.116")
    me.put("/lims/instrument/HPLC-04", new, 412, {**XML, "If-Unmodified-Since": sent})
    me.get("/lims/instrument/HPLC-04")
    me.put("/lims/instrument/HPLC-04", new, 200, {**XML, "If-Unmodified-Since": echo})


@case(
    "a042",
    "halifax-time-called-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A client in a zone west of Greenwich parses Last-Modified, prints it in local time and calls it GMT: "
        "four hours less to the second, so the record always looks newer."
    ),
)
def hours(stage: Stage) -> None:
    """Call local time GMT."""
    server = library(stage, NOETAG="1")
    me = stage.actor("client", server, OPAC, "requests", {"X-Desk": "halifax", "User-Agent": "ShelfTool/1.7"})
    sign_on(me, "staff-macneil")
    me.get("/opac/titles")
    for key in ("titles/b4472", "titles/b6113"):
        echo = me.get(f"/opac/{key}").fields["last-modified"]
        local: datetime = parsedate_to_datetime(echo) - timedelta(hours=4)
        wrong = local.strftime("%a, %d %b %Y %H:%M:%S GMT")
        me.put(f"/opac/{key}", title(key, copies=3), 412, {"If-Unmodified-Since": wrong})
    me.put("/opac/titles/b6113", title("titles/b6113", copies=3), 200, {"If-Unmodified-Since": echo})
