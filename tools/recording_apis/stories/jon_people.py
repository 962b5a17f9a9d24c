"""Colleagues, second requests of one's own, jobs of a service, names that are taken and records that are gone."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import jon_clients as kit
from tools.recording_apis.stories import jon_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor

_ROTA: dict[str, dict[str, Any]] = {
    "mon-early": {"who": "Mila", "from": "06:00", "to": "14:00", "task": "gate 3"},
    "mon-late": {"who": "Theo", "from": "14:00", "to": "22:00", "task": "gate 3"},
    "tue-early": {"who": "Ana", "from": "06:00", "to": "14:00", "task": "yard"},
}


@case(
    "b100",
    "jon-rota-changed-by-theo",
    "other-writer",
    "recovered",
    alone="other-writer",
    description=(
        "kinto-http: Mila fetches a shift, Theo moves it to another gate, Mila's update with the shift's own "
        "last_modified is refused; she fetches, merges and saves."
    ),
)
def shift(stage: Stage) -> None:
    """Let two people plan one shift."""
    server = kit.rota(stage, **_ROTA)
    me, other = kit.Tasks(stage, "client", server, "mila"), kit.Tasks(stage, "other", server, "theo")
    me.do("get_records")
    mine = me.do("get_record", id="mon-early")["data"]
    theirs = other.do("get_record", id="mon-early")["data"]
    time.sleep(0.5)
    other.do("update_record", id="mon-early", data={**theirs, "task": "gate 5"})
    time.sleep(0.4)
    me.do("update_record", 412, id="mon-early", data={**mine, "to": "13:30"})
    fresh = me.do("get_record", id="mon-early")["data"]
    me.do("update_record", id="mon-early", data={**fresh, "to": "13:30"})
    place.insist(fresh["task"] == "gate 5", "Theo's change is not there")


def event(uid: str, summary: str, sequence: int = 0, start: str = "20261203T090000Z") -> str:
    """Return an event."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Meridian//Pocket 4//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
    ]
    lines += ["DTSTAMP:20261126T200000Z", f"DTSTART:{start}", "DURATION:PT1H", f"SEQUENCE:{sequence}"]
    return "\r\n".join([*lines, f"SUMMARY:{summary}", "END:VEVENT", "END:VCALENDAR", ""])


_ICS = {"Content-Type": "text/calendar; charset=utf-8"}
_MULTI = (
    '<?xml version="1.0"?><C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop>'
    '<D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>'
)


def calendar(stage: Stage, **events: str) -> Any:
    """Start Radicale with a calendar of Ana's."""
    server = stage.server("radicale")
    setup = stage.actor("setup", server, "cal.meridian.test", always=kit.basic("ana"))
    setup.send("MKCALENDAR", "/ana/team/", 201)
    for uid, summary in events.items():
        setup.put(f"/ana/team/{uid}.ics", event(uid, summary), 201, _ICS)
    stage.forget()
    return server


def agenda(actor: Actor) -> None:
    """Ask for the tags of the calendar."""
    fields = {"Depth": "1", "Content-Type": "application/xml"}
    actor.send("REPORT", "/ana/team/", 207, fields, _MULTI)


@case(
    "b101",
    "jon-calendar-two-phones",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Radicale behind Apache: Ana's tablet moves an event while her laptop holds the older one; the laptop's "
        "PUT with the older tag is refused, the event then shows the tablet's PRODID."
    ),
)
def phones(stage: Stage) -> None:
    """Move one event on two devices."""
    front = fronts.apache(stage, calendar(stage, standup="Standup", review="Design review"))
    me = stage.actor(
        "client", front, "cal.meridian.test", "requests", {**kit.basic("ana"), "User-Agent": "Pocket/4"}
    )
    tablet = {**kit.basic("ana"), "User-Agent": "TabletCal/17.1"}
    other = stage.actor("other", front, "cal.meridian.test", "httpx", tablet)
    agenda(me)
    tag = me.get("/ana/team/review.ics").etag
    me.get("/ana/team/standup.ics")
    agenda(other)
    theirs = other.get("/ana/team/review.ics").etag
    moved = event("review", "Design review", 1, "20261203T130000Z").replace(
        "Meridian//Pocket 4", "TabletCal//17.1"
    )
    other.put("/ana/team/review.ics", moved, (201, 204), {**_ICS, "If-Match": theirs})
    time.sleep(0.8)
    me.put("/ana/team/review.ics", event("review", "Design review (long)", 1), 412, {**_ICS, "If-Match": tag})
    agenda(me)
    place.insist("130000Z" in me.get("/ana/team/review.ics").text, "the tablet's time is not there")


@case(
    "b102",
    "jon-plan-blob-two-workers",
    "other-writer",
    "recovered",
    alone="other-writer undecided",
    description=(
        "Azure's library: two planning workers replace one blob; the slower one is refused with ConditionNotMet. "
        "The files hold no response content."
    ),
)
def workers(stage: Stage) -> None:
    """Let two workers replace one blob."""
    stage.keeps_content = False
    server = kit.container(stage, week48_json=b'{"week":48,"slots":[]}', readme_txt=b"plans")
    me, other = kit.Containers(stage, "client", server), kit.Containers(stage, "other", server)
    me.on("readme.txt", lambda one: one.download_blob().readall())
    seen = me.on("week48.json", lambda one: one.download_blob())
    tag = seen.properties.etag
    seen.readall()
    other.upload("week48.json", b'{"week":48,"slots":["K12"]}', other.tag("week48.json"))
    time.sleep(1.1)
    me.upload("week48.json", b'{"week":48,"slots":["K14"]}', tag, "ConditionNotMet")
    me.on("week48.json", lambda one: one.download_blob().readall())
    me.upload("week48.json", b'{"week":48,"slots":["K12","K14"]}', me.tag("week48.json"))


@case(
    "b103",
    "jon-planner-shift-with-one-conflict",
    "other-writer",
    "recovered",
    alone="other-writer",
    description=(
        "A planner's screen polls behind HAProxy all shift, edits several documents, is refused once because a "
        "colleague assigned the berth, reads it again and goes on; radar 503s and a wrong PIN are noise."
    ),
)
def long_shift(stage: Stage) -> None:
    """Refuse one save of many."""
    front = fronts.haproxy(stage, [place.harbour(stage)])
    me = stage.actor("client", front, place.PORT, "node:fetch")
    other = stage.actor("other", front, place.PORT, "httpx", {"X-Agent": "claes"})
    token = place.sign_in(me, "ines", fumbles=True)
    place.watch(me, 9, token)
    note = me.get(place.NOTICE, 200, token)
    me.put(place.NOTICE, place.edited(note, severity="warning"), 200, {**token, "If-Match": note.etag})
    seen = me.get(place.BERTH, 200, token)
    place.watch(me, 6, token, place.NOTICE)
    theirs = other.get(place.BERTH)
    other.put(place.BERTH, place.edited(theirs, occupant="MV-Aurelia"), 200, {"If-Match": theirs.etag})
    place.watch(me, 4, token)
    me.put(place.BERTH, place.edited(seen, cranes=2), 412, {**token, "If-Match": seen.etag})
    again = me.get(place.BERTH, 200, token)
    me.put(place.BERTH, place.edited(again, cranes=2), 200, {**token, "If-Match": again.etag})
    place.watch(me, 12, token)


@case(
    "b104",
    "jon-form-saves-two-fields-at-once",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A form sends a PATCH per field that loses focus; two of them are under way with the tag of one read, the "
        "second is refused some milliseconds after the first was accepted."
    ),
)
def fields(stage: Stage) -> None:
    """Send two patches at once."""
    server = place.harbour(stage, HOLD="180")
    me = stage.actor(
        "client", server, place.PORT, "requests", {"User-Agent": "QuayForms/2.3", "X-Agent": "ines"}
    )
    place.watch(me, 2)
    tag = me.get(place.BERTH_2).etag

    def save(delay: float, expect: int, **changes: object) -> None:
        time.sleep(delay)
        merge = {"Content-Type": "application/merge-patch+json", "If-Match": tag}
        me.send("PATCH", place.BERTH_2, expect, merge, changes)

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(save, 0.0, 200, draught=9.4), pool.submit(save, 0.05, 412, remark="fender 4 new")]
        for run in runs:
            run.result()
    seen = me.get(place.BERTH_2).json
    place.insist(seen["draught"] == 9.4 and seen["_meta"]["updatedBy"] == "ines", "it is not the first save")
    place.watch(me, 2)


@case(
    "b105",
    "jon-double-click-in-the-browser",
    "self-race",
    "412",
    alone="self-race",
    description="A double click in Chromium sends one save twice under one tag; the second is refused at once.",
)
def double_click(stage: Stage) -> None:
    """Click twice."""
    page = kit.Page(stage, place.harbour(stage, HOLD="150"), place.PORT)
    try:
        page.call("GET", f"{place.V2}/tides", 200)
        page.call("GET", place.VESSEL, 200)
        tag = page.call("GET", place.NOTICE, 200) or ""
        body = place.document(place.NOTICE, severity="warning")
        place.insist(
            sorted(page.twice(place.NOTICE, tag, [body, body], X_Agent="ines")) == [200, 412],
            "not one of two",
        )
        page.call("GET", place.NOTICE, 200)
    finally:
        page.finish()


@case(
    "b106",
    "jon-tide-service-writes-after-save",
    "server-side-mutation",
    "412",
    alone="server-side-mutation other-writer",
    description=(
        "A moment after each save of a vessel the tide service adds a window to it; the next save with the tag of "
        "the own answer is refused, and updatedBy is tide-service."
    ),
)
def tides(stage: Stage) -> None:
    """Save twice while a service writes."""
    server = place.harbour(stage, STAMP="350")
    me = stage.actor("client", server, place.PORT, "java", {"X-Agent": "agency-17"})
    seen = me.get(place.VESSEL)
    tag = me.put(
        place.VESSEL, place.edited(seen, eta="2026-11-27T06:10:00Z"), 200, {"If-Match": seen.etag}
    ).etag
    me.get(place.PILOT)
    time.sleep(0.9)
    late = place.document(place.VESSEL, eta="2026-11-27T07:00:00Z")
    me.put(place.VESSEL, late, 412, {"If-Match": tag})
    again = me.get(place.VESSEL)
    place.insist(again.json["_meta"]["updatedBy"] == "tide-service", "the tide service did not write")
    place.insist(again.json["eta"].endswith("06:10:00Z"), "somebody else wrote")


@case(
    "b107",
    "jon-saving-the-ship-moves-the-berth",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "Behind Traefik a dispatcher reads ship and berth, saves the ship, and the service writes the berth's "
        "occupant; the dispatcher's own save of the berth with the tag read before is refused."
    ),
)
def linked(stage: Stage) -> None:
    """Save a linked document first."""
    front = fronts.traefik(stage, [place.harbour(stage, LINK="1")])
    me = stage.actor("client", front, place.PORT, "aiohttp")
    token = place.sign_in(me, "dispatch-2")
    berth = me.get(place.BERTH, 200, token)
    ship = me.get(place.VESSEL, 200, token)
    me.put(place.VESSEL, place.edited(ship, loa=213.0), 200, {**token, "If-Match": ship.etag})
    time.sleep(0.3)
    me.put(
        place.BERTH, place.edited(berth, remark="bow thruster off"), 412, {**token, "If-Match": berth.etag}
    )
    seen = me.get(place.BERTH, 200, token)
    place.insist(seen.json["_meta"]["updatedBy"] == "scheduler", "the scheduler did not write")


@case(
    "b108",
    "jon-sdk-download-sees-new-blob",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer implicit-precondition",
    also="implicit-precondition",
    description=(
        "Azure's library downloads a blob in chunks and guards the later ones with the first one's tag; the blob "
        "is replaced in between and the third chunk is refused. A second download passes."
    ),
)
def chunks(stage: Stage) -> None:
    """Replace a blob during a download."""
    server = kit.container(stage, survey_bin=b"depth0" * 2400)
    sizes = {"max_single_get_size": 4096, "max_chunk_get_size": 4096}
    me = kit.Containers(stage, "client", server, None, **sizes)
    other = kit.Containers(stage, "other", server)
    parts = me.on("survey.bin", lambda one: one.download_blob(max_concurrency=1).chunks())
    me.on("survey.bin", lambda _: (next(parts), next(parts)))
    other.on("survey.bin", lambda one: one.upload_blob(b"depth1" * 2500, overwrite=True))
    time.sleep(0.4)
    me.on("survey.bin", lambda _: next(parts), "ConditionNotMet")
    me.on("survey.bin", lambda one: one.download_blob(max_concurrency=1).readall())


@case(
    "b109",
    "jon-resumed-download-of-two-files",
    "read-changed-mid-transfer",
    "corrupt-download",
    alone="read-changed-mid-transfer",
    description=(
        "curl fetches a firmware image from Caddy in ranges without any guard; a release replaces it between two "
        "ranges, so the parts carry different tags and make one broken file. No 412."
    ),
)
def firmware(stage: Stage) -> None:
    """Splice two files."""
    server = fronts.site(
        stage, "caddy", {"fw/lock-ctl-3.1.bin": bytes(range(256)) * 20, "fw/SHA256": "9f1c  lock\n"}
    )
    me = stage.actor("client", server, "dist.zeehaven.test", "curl:trace-time")
    me.get("/fw/SHA256")
    for start in range(0, 3072, 1024):
        me.send("GET", "/fw/lock-ctl-3.1.bin", 206, {"Range": f"bytes={start}-{start + 1023}"})
        if start == 1024:
            time.sleep(1.1)
            fronts.put_file(server.directory, "fw/lock-ctl-3.1.bin", bytes(range(255, -1, -1)) * 20)
    me.send("GET", "/fw/lock-ctl-3.1.bin", 206, {"Range": "bytes=3072-"})


@case(
    "b110",
    "jon-shift-id-is-taken",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "kinto-http creates a shift under an id that Theo's planning made before (the library's If-None-Match: *): "
        "refused; the record shown is Theo's; another id passes."
    ),
)
def taken(stage: Stage) -> None:
    """Create what exists."""
    server = kit.rota(stage, **_ROTA)
    me, other = kit.Tasks(stage, "client", server, "mila"), kit.Tasks(stage, "other", server, "theo")
    other.do("create_record", id="wed-early", data={"who": "Theo", "from": "06:00", "to": "14:00"})
    time.sleep(1.3)
    me.do("get_record", id="tue-early")
    wanted = {"who": "Ana", "from": "05:30", "to": "13:30"}
    me.do("create_record", 412, id="wed-early", data=wanted, if_not_exists=False)
    place.insist(me.do("get_record", id="wed-early")["data"]["who"] == "Theo", "it is not Theo's")
    me.do("create_record", id="wed-early-2", data=wanted)


@case(
    "b111",
    "jon-report-name-used-in-spring",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A reporting job uploads to lighttpd's WebDAV with If-None-Match: *; a file of that name has been there for "
        "months; the job asks for its date and takes the next number."
    ),
)
def report(stage: Stage) -> None:
    """Upload under a name that is taken."""
    stage.keeps_content = False
    old = {"reports/2026-Q4-1.csv": "site,kwh\n4711,120\n", "reports/index.txt": "2026-Q4-1\n"}
    server = fronts.site(stage, "lighttpd", old, fronts.DAV["lighttpd"], age=5184000)
    me = stage.actor("client", server, "reports.stadtwerk.test", "java", {"User-Agent": "ReportJob/11"})
    guard = {"If-None-Match": "*", "Content-Type": "text/csv"}
    me.get("/reports/index.txt")
    me.put("/reports/2026-Q4-1.csv", "site,kwh\n4711,131\n", 412, guard)
    me.send("HEAD", "/reports/2026-Q4-1.csv", 200)
    me.put("/reports/2026-Q4-2.csv", "site,kwh\n4711,131\n", 201, guard)
    me.send("HEAD", "/reports/2026-Q4-2.csv", 200)


@case(
    "b112",
    "jon-event-cancelled-elsewhere",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A phone deletes an event; the laptop, offline until then, sends its edit with the last tag it knew: 412, "
        "and the event is 404."
    ),
)
def cancelled(stage: Stage) -> None:
    """Edit a deleted event."""
    server = calendar(stage, standup="Standup", dentist="Dentist")
    me = stage.actor("client", server, "cal.meridian.test", "node:axios", kit.basic("ana"))
    other = stage.actor("other", server, "cal.meridian.test", "requests", kit.basic("ana"))
    agenda(me)
    tag = me.get("/ana/team/dentist.ics").etag
    agenda(other)
    other.send(
        "DELETE", "/ana/team/dentist.ics", (200, 204), {"If-Match": other.get("/ana/team/dentist.ics").etag}
    )
    time.sleep(0.9)
    me.put(
        "/ana/team/dentist.ics", event("dentist", "Dentist, bring card", 1), 412, {**_ICS, "If-Match": tag}
    )
    me.get("/ana/team/dentist.ics", 404)
    agenda(me)


@case(
    "b113",
    "jon-object-expired-before-replace",
    "target-missing",
    "404",
    alone="target-missing",
    also="status-dialect-mismatch",
    description=(
        "boto3 replaces an object under IfMatch that a cleaner has removed meanwhile: S3's answer is 404 NoSuchKey, "
        "twice, then the listing no longer has it."
    ),
)
def removed(stage: Stage) -> None:
    """Replace a removed object."""
    server = kit.lake(stage, "moto", cache__cursor_json=b'{"at":17}', cache__keep_json=b"{}")
    me, other = kit.Objects(stage, "client", server), kit.Objects(stage, "other", server)
    tag = me.call("get_object", Key="cache/cursor_json")["ETag"]
    other.call("list_objects_v2", Prefix="cache/")
    other.call("delete_object", 204, Key="cache/cursor_json")
    time.sleep(0.6)
    replace = partial(me.call, "put_object", 404, Key="cache/cursor_json", IfMatch=tag)
    replace(Body=b'{"at":18}')
    replace(Body=b'{"at":18}')
    me.call("list_objects_v2", Prefix="cache/")
