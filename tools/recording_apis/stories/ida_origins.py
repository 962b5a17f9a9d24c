"""How the services themselves make and judge validators: tags, order of work, and dates."""

from __future__ import annotations

import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ida_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer


def _modified(answer: Answer, hours: float = 0.0) -> str:
    """Return the Last-Modified of an answer, moved by hours."""
    moment = parsedate_to_datetime(answer.fields["last-modified"]).timestamp()
    return formatdate(moment + hours * 3600, usegmt=True)


@case(
    "b056",
    "render-time-in-the-tag",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "The claims desk makes tags of the moment: two reads of one claim, same octets, same revision, have two "
        "tags behind lighttpd, and no save with If-Match can pass."
    ),
)
def moment(stage: Stage) -> None:
    """Send a tag that nobody will make again."""
    server = place.service(stage, "claims", JITTER="1")
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, place.CLAIMS, "requests", {"X-Adjuster": "j.lindqvist"})
    me.get(place.LIST)
    first, second = me.get(place.CLAIM), me.get(place.CLAIM)
    place.require(first.etag != second.etag and first.body == second.body, "one tag")
    for _ in range(3):
        tag = me.get(place.CLAIM).etag
        me.put(place.CLAIM, place.claim(reserve=4450), 412, {"If-Match": tag})
        time.sleep(0.2)
    me.get(place.OTHER_CLAIM)


@case(
    "b057",
    "write-tells-another-kind-of-tag",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "The hub answers a change with a tag made of the time, a read of the same state with number and digest, "
        "and compares the latter only: a chain of changes breaks at each second step."
    ),
)
def kinds(stage: Stage) -> None:
    """Send the tag of a write's answer."""
    server = place.service(stage, "hub", PUTMARK="1")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, place.HUB, "node:fetch", {"X-Operator": "ops-1"})
    me.get("/twins")
    for serial in ("TG-0411", "TG-0433"):
        path = f"/twins/{serial}"
        tag = me.get(path).etag
        told = me.send("PATCH", path, 200, {"If-Match": tag}, {"interval": 300}).etag
        me.send("PATCH", path, 412, {"If-Match": told}, {"alarm": 2.5})
        now = me.get(path)
        place.require(now.etag != told and now.json["$by"] == "ops-1", "somebody else wrote")
        me.send("PATCH", path, 200, {"If-Match": now.etag}, {"alarm": 2.5})


@case(
    "b058",
    "tomcat-plans-are-weak",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Tomcat's own servlet tells weak tags only, with or without compression and with nothing in front; "
        "If-Match with the tag of the last read is always 412, without a condition the plan can be put."
    ),
)
def weak(stage: Stage) -> None:
    """Send weak tags to a server that has no others."""
    server = stage.server("tomcat")
    me = stage.actor("client", server, "plans.brenner-werk.test", "requests", {"User-Agent": "plan-push/3"})
    me.put("/week-48.txt", "mon: 31002\ntue: 31010\n", 201)
    time.sleep(1.2)
    me.get("/index.html")
    for text in ("tue: 31010 x2", "tue: 31010 x3"):
        tag = me.get("/week-48.txt", 200, place.PLAIN).etag
        place.require(tag.startswith("W/"), "a strong tag")
        me.put("/week-48.txt", f"mon: 31002\n{text}\n", 412, {"If-Match": tag})
        time.sleep(0.3)
    me.put("/week-48.txt", "mon: 31002\ntue: 31010 x3\n", 412, {"If-Match": tag.removeprefix("W/")})
    me.put("/week-48.txt", "mon: 31002\ntue: 31010 x3\n", 204)


@case(
    "b059",
    "spreadsheet-view-and-the-json-save",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "Tags depend on the media type: the tool reads the claim as CSV and saves as JSON, so its tag is that of "
        "the other representation. Read as JSON the tag passes; nobody else wrote."
    ),
)
def media(stage: Stage) -> None:
    """Save with the tag of another media type."""
    server = place.service(stage, "claims", BYMEDIA="1")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, place.CLAIMS, "httpx", {"X-Adjuster": "actuary"})
    sheet, record = {"Accept": "text/csv"}, {"Accept": "application/json"}
    me.get(place.OTHER_CLAIM, 200, sheet)
    tag = me.get(place.CLAIM, 200, sheet).etag
    me.put(place.CLAIM, place.claim(reserve=5600), 412, {**record, "If-Match": tag})
    place.require(me.get(place.CLAIM, 200, sheet).etag == tag, "somebody wrote")
    me.put(place.CLAIM, place.claim(reserve=5600), 412, {**record, "If-Match": tag})
    fresh = me.get(place.CLAIM, 200, record).etag
    me.put(place.CLAIM, place.claim(reserve=5600), 200, {**record, "If-Match": fresh})


@case(
    "b060",
    "apache-needs-a-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A surveyor's tool puts a report on Apache's WebDAV and corrects it at once: the tag just read is W/ "
        "while the file is younger than a second or so, and refused; two seconds later the same octets are strong."
    ),
)
def young(stage: Stage) -> None:
    """Save twice within a second."""
    files = {"reports/index.txt": "none yet\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "dav.norlander-mutual.test", "requests", {"User-Agent": "survey/2.2"})
    me.get("/reports/index.txt")
    for number in (1, 2):
        path = f"/reports/CLM-8821{number}.txt"
        me.put(path, "hail, roof\n", 201, {"If-None-Match": "*"})
        tag = me.get(path).etag
        place.require(tag.startswith("W/"), "strong at once")
        me.put(path, "hail, roof and gutter\n", 412, {"If-Match": tag})
        time.sleep(2.3)
        strong = me.get(path).etag
        place.require(strong == tag.removeprefix("W/"), "another tag")
        me.put(path, "hail, roof and gutter\n", 204, {"If-Match": strong})


@case(
    "b061",
    "star-is-no-wildcard-here",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "The claims desk compares If-Match: * as if it were a tag and answers 412 although the claim exists, as "
        "the reads before and after show; with the claim's tag the same save passes."
    ),
)
def star(stage: Stage) -> None:
    """Send the wildcard for what exists."""
    server = place.service(stage, "claims", NOSTAR="1")
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, place.CLAIMS, "aiohttp", {"X-Adjuster": "repair-job"})
    me.get(place.LIST)
    change = {"attributes": {"handler": "pool"}}
    for path in (place.CLAIM, place.OTHER_CLAIM):
        tag = me.get(path).etag
        me.send("PATCH", path, 412, {"If-Match": "*"}, change)
        place.require(me.get(path).etag == tag, "somebody wrote")
        me.send("PATCH", path, 200, {"If-Match": tag}, change)


@case(
    "b062",
    "refused-poll",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "A GET with If-None-Match and the current tag is answered 412 where 304 is due; with an older tag it is "
        "200 as it should be. A board that polls sees nothing but errors until something changes."
    ),
)
def refused(stage: Stage) -> None:
    """Poll with the current tag."""
    server = place.service(stage, "hub", READ412="1")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, place.HUB, "urllib", {"X-Operator": "board"})
    me.get("/twins")
    tag = me.get(place.TWIN).etag
    for _ in range(4):
        time.sleep(0.2)
        me.get(place.TWIN, 412, {"If-None-Match": tag})
    me.send("PATCH", place.TWIN, 200, {"If-Match": tag}, {"site": "Husum"})
    new = me.get(place.TWIN, 200, {"If-None-Match": tag}).etag
    me.get(place.TWIN, 412, {"If-None-Match": new})
    me.get("/twins")


@case(
    "b063",
    "checked-again-after-the-commit",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "The claims desk stores a save and compares the condition once more with the new state: the first and "
        "only attempt is told 412, and the claim holds its content under its name. Three saves, three times."
    ),
)
def late(stage: Stage) -> None:
    """Be refused after the commit."""
    server = place.service(stage, "claims", RECHECK="1", AUTH="1")
    me = stage.actor("client", server, place.CLAIMS, "httpx")
    mine = place.sign_in(me, "s.ibarra")
    me.get(place.LIST, 200, mine)
    for reserve in (4701, 4702, 4703):
        tag = me.get(place.CLAIM, 200, mine).etag
        me.put(place.CLAIM, place.claim(reserve=reserve), 412, {**mine, "If-Match": tag})
        now = me.get(place.CLAIM, 200, mine).json
        place.require(now["attributes"]["reserve"] == reserve, "not stored")
        place.require(now["meta"]["modifiedBy"] == "s.ibarra", "not by the client")


@case(
    "b064",
    "nginx-dav-never-asks",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "Duty notes lie on nginx's DAV module, which does not look at If-Match on PUT: the second nurse's save "
        "with the tag of the old note is 204 and the first one's lines are gone."
    ),
)
def dav(stage: Stage) -> None:
    """Save with an outdated tag."""
    files = {"notes/c4.txt": "bed 3: i.v. changed\n", "notes/icu.txt": "quiet\n"}
    server = fronts.site(stage, "nginx", files, fronts.DAV["nginx"])
    me = stage.actor("client", server, "notes.st-marien.test", "requests", {"User-Agent": "DutyPad/7"})
    other = stage.actor("other", server, "notes.st-marien.test", "curl", {"User-Agent": "DutyPad/6"})
    me.get("/notes/icu.txt")
    seen = me.get("/notes/c4.txt")
    tag = other.get("/notes/c4.txt").etag
    other.put("/notes/c4.txt", f"{seen.text}bed 5: fasting\n", 204, {"If-Match": tag})
    time.sleep(0.8)
    me.get("/notes/icu.txt")
    me.put("/notes/c4.txt", f"{seen.text}bed 1: discharge\n", 204, {"If-Match": seen.etag})
    place.require("fasting" not in me.get("/notes/c4.txt").text, "nothing lost")


@case(
    "b065",
    "two-swaps-pass-at-once",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race precondition-ignored undecided",
    description=(
        "The rota checks and stores in two steps: two saves that overlap, both with the same tag, are both 200 "
        "and one swap is lost; one after the other the second such save is refused."
    ),
)
def race(stage: Stage) -> None:
    """Save at the same time as another."""
    server = place.service(stage, "rota", GAP="400")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, place.ROTA, "requests", {"X-Personal-Nr": "70012"})
    other = stage.actor("other", front, place.ROTA, "httpx", {"X-Personal-Nr": "70340"})
    me.get("/rota/c4")
    mine, theirs = me.get(place.SHIFT).etag, other.get(place.SHIFT).etag
    calls = [
        lambda: other.put(place.SHIFT, place.shift(early="Lind"), 200, {"If-Match": theirs}),
        lambda: me.put(place.SHIFT, place.shift(night="Abbas"), 200, {"If-Match": mine}),
    ]
    place.require(place.at_once(calls, 0.15) == [200, 200], "one was refused")
    now = me.get(place.SHIFT)
    place.require(now.json["shift"]["early"] == "Yilmaz", "nothing lost")
    time.sleep(0.4)
    me.put(place.SHIFT, place.shift(night="Abbas", late="Sander"), 412, {"If-Match": mine})
    me.put(place.SHIFT, place.shift(night="Abbas", late="Sander"), 200, {"If-Match": now.etag})


@case(
    "b066",
    "a-third-of-a-second",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "This claims desk has dates only and compares them with the fraction it stores: the exact Last-Modified "
        "sent back is earlier than modifiedAt by less than a second and refused; one second more passes."
    ),
)
def fraction(stage: Stage) -> None:
    """Send back a date without its fraction."""
    server = place.service(stage, "claims", NOTAG="1", MICRO="1")
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, place.CLAIMS, "java", {"X-Adjuster": "m.osei"})
    me.get(place.LIST)
    seen = me.get(place.CLAIM)
    new = place.claim(reserve=4250)
    me.put(place.CLAIM, new, 412, {"If-Unmodified-Since": _modified(seen)})
    seen = me.get(place.CLAIM)
    me.put(place.CLAIM, new, 412, {"If-Unmodified-Since": _modified(seen)})
    me.put(place.CLAIM, new, 200, {"If-Unmodified-Since": _modified(seen, 1 / 3600)})


@case(
    "b067",
    "tablet-clock-runs-late",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A tablet dates its condition by its own clock, which is 7 minutes 23 seconds slow: what it has just saved "
        "is newer than that, so its next save is 412 though nobody wrote. The served date passes."
    ),
)
def slow(stage: Stage) -> None:
    """Date a condition by a slow clock."""
    server = place.service(stage, "hub", NOTAG="1")
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, place.HUB, "httpx", {"X-Operator": "tablet-9"})

    def mine() -> dict[str, str]:
        return {"If-Unmodified-Since": formatdate(time.time() - 443, usegmt=True)}

    me.get("/twins")
    me.get(place.TWIN)
    me.send("PATCH", place.TWIN, 200, mine(), {"alarm": 3.1})
    time.sleep(1.1)
    me.get(place.TWIN)
    me.send("PATCH", place.TWIN, 412, mine(), {"interval": 600})
    time.sleep(0.4)
    seen = me.get(place.TWIN)
    me.send("PATCH", place.TWIN, 412, mine(), {"interval": 600})
    me.send("PATCH", place.TWIN, 200, {"If-Unmodified-Since": _modified(seen)}, {"interval": 600})


@case(
    "b068",
    "date-of-the-database",
    "bad-date",
    "412",
    alone="bad-date",
    description=(
        "A batch sends If-Unmodified-Since in ISO 8601, as its database prints it; the claims desk answers 412 to "
        "a date that it cannot read. The same moment as an HTTP date passes."
    ),
)
def iso(stage: Stage) -> None:
    """Send a date in another form."""
    server = place.service(stage, "claims", BADDATE="412", NOTAG="1")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, place.CLAIMS, "node:axios", {"X-Adjuster": "batch"})
    for path, key in ((place.CLAIM, "CLM-88214"), (place.OTHER_CLAIM, "CLM-88230")):
        seen = me.get(path)
        stamp = parsedate_to_datetime(seen.fields["last-modified"]).strftime("%Y-%m-%dT%H:%M:%SZ")
        new = place.claim(key, status="audit")
        me.put(path, new, 412, {"If-Unmodified-Since": stamp})
        me.put(path, new, 200, {"If-Unmodified-Since": _modified(seen)})
    me.get(place.LIST)


@case(
    "b069",
    "local-time-called-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A clerk's tool in Halifax prints the ticket's date in local time and writes GMT behind it, four hours "
        "early to the second; the desk, which has dates only, refuses until the served date is sent back."
    ),
)
def halifax(stage: Stage) -> None:
    """Send a date in local time."""
    server = place.service(stage, "desk", DATES="1")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, place.DESK, "curl:trace-time", {"User-Agent": "deskctl/0.9"})
    me.get("/desk/queue")
    for number, state in (("5521", "waiting"), ("5530", "open")):
        path = f"/desk/ticket/{number}"
        seen = me.get(path)
        early = {**place.FORM, "If-Unmodified-Since": _modified(seen, -4)}
        me.put(path, place.ticket(number, state=state), 412, early)
        exact = {**place.FORM, "If-Unmodified-Since": seen.fields["last-modified"]}
        me.put(path, place.ticket(number, state=state), 200, exact)
    me.get("/desk/queue")
