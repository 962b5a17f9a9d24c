"""Stories on calendars, key stores and buckets that are in use."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_fay_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor
    from tools.recording_apis.stage import Stage

_CAL = '<?xml version="1.0"?><mkcalendar xmlns="urn:ietf:params:xml:ns:caldav"/>'
_LOOK = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
_ICS = {"Content-Type": "text/calendar; charset=utf-8"}


def _event(uid: str, title: str, start: str, more: str = "") -> str:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Lehrbetrieb//Plan 4//DE",
        "BEGIN:VEVENT",
        f"UID:{uid}",
    ]
    lines += ["DTSTAMP:20261101T080000Z", f"DTSTART:{start}", f"SUMMARY:{title}", *([more] if more else [])]
    return "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""])


@case(
    "e449",
    "fay-plan-keeps-the-tag-of-the-morning",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A driving school's planner on Radicale saves a lesson, gets the new tag with the answer, but keeps the one of "
        "its first read: the next save of that lesson is refused. Lessons saved once only go through."
    ),
)
def lessons(stage: Stage) -> None:
    """Hold on to a tag from before one's own save."""
    server = stage.server("radicale")
    login = "Basic " + base64.b64encode(b"fahrschule:x").decode()
    me = stage.actor("client", server, "plan.fahrschule.example", "requests", {"Authorization": login})
    home = "/fahrschule/praxis/"
    me.send("MKCALENDAR", home, 201, {"Content-Type": "application/xml"}, _CAL)
    tags = {}
    for n in (1, 2, 3):
        made = me.put(
            f"{home}st{n}.ics",
            _event(f"st{n}", f"Stunde {n}", f"2026120{n}T090000Z"),
            201,
            {**_ICS, "If-None-Match": "*"},
        )
        tags[n] = made.etag
    stage.forget()
    me.send("PROPFIND", home, 207, {"Depth": "1", "Content-Type": "application/xml"}, _LOOK)
    tags = {n: me.get(f"{home}st{n}.ics").etag for n in (1, 2, 3)}
    new = me.put(
        f"{home}st2.ics",
        _event("st2", "Stunde 2 Nacht", "20261202T180000Z"),
        204,
        {**_ICS, "If-Match": tags[2]},
    )
    place.sure(new.etag != tags[2])
    me.put(
        f"{home}st1.ics",
        _event("st1", "Stunde 1 Autobahn", "20261201T090000Z"),
        204,
        {**_ICS, "If-Match": tags[1]},
    )
    place.wait(0.9)
    text = _event("st2", "Stunde 2 Nacht", "20261202T180000Z", "LOCATION:Hof 3")
    me.put(f"{home}st2.ics", text, 412, {**_ICS, "If-Match": tags[2]})
    place.sure(me.get(f"{home}st2.ics").etag == new.etag)
    me.get(f"{home}st3.ics")


def _kinto(me: Actor, user: str) -> None:
    me.put(f"/v1/accounts/{user}", {"data": {"password": "geheim"}}, 201)


@case(
    "e460",
    "fay-tag-of-the-collection-for-its-record",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A hive keeper's app on Kinto takes the ETag of the collection's own description for If-Match on a record in "
        "it: refused at each record, although nobody changed them since they were read; the records' own tags were at hand."
    ),
)
def hives(stage: Stage) -> None:
    """Guard a record with the tag of the collection's description."""
    server = stage.server("kinto")
    login = "Basic " + base64.b64encode(b"imker:geheim").decode()
    me = stage.actor("client", server, "api.bienen.example", "node:axios", {"Authorization": login})
    _kinto(me, "imker")
    me.put("/v1/buckets/stand", {"data": {}}, 201)
    me.put("/v1/buckets/stand/collections/voelker", {"data": {"jahr": 2026}}, 201)
    folder = "/v1/buckets/stand/collections/voelker"
    for n in (1, 2, 3):
        place.wait(0.1)
        me.put(f"{folder}/records/volk{n}", {"data": {"koenigin": f"blau {n}", "waben": 9 + n}}, 201)
    stage.forget()
    place.wait(0.5)
    me.get("/v1/")
    about = me.get(folder)
    me.get(f"{folder}/records?_sort=-last_modified")
    for n in (2, 1):
        seen = me.get(f"{folder}/records/volk{n}")
        me.get(f"{folder}/records/volk{n}", 304, {"If-None-Match": seen.etag})
        me.send("PATCH", f"{folder}/records/volk{n}", 412, {"If-Match": about.etag}, {"data": {"waben": 14}})
        place.sure(me.get(f"{folder}/records/volk{n}").etag == seen.etag)
        place.wait(0.3)


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@case(
    "e455",
    "fay-value-with-an-end-of-line",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "A pump station's script sets an etcd key with prevValue as it shows on its screen; the key was written from a "
        "file and ends in a line feed, so the comparison fails each time, and the answer shows both values."
    ),
)
def pumps(stage: Stage) -> None:
    """Name an expected value that is not quite the one that is there."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "keys.pumpwerk.example", "curl", _FORM)
    for key, value in (("p1/mode", "auto%0A"), ("p2/mode", "hand"), ("p1/limit", "4.20%0A")):
        me.put(f"/v2/keys/werk/{key}", f"value={value}", 201)
    stage.forget()
    stage.curls["client"].printed = ""
    me.get("/v2/keys/werk?recursive=true")
    me.put("/v2/keys/werk/p2/mode?prevValue=hand", "value=auto", 200)
    me.put("/v2/keys/werk/p1/mode?prevValue=auto", "value=hand", 412)
    me.get("/v2/keys/werk/p1/mode")
    place.wait(0.5)
    me.put("/v2/keys/werk/p1/mode?prevValue=auto", "value=hand", 412)
    me.put("/v2/keys/werk/p1/limit?prevValue=4.20", "value=3.90", 412)
    me.get("/v2/keys/werk/p2/mode")


@case(
    "e472",
    "fay-who-sends-the-night-report",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description=(
        "Two workers of a bakery chain claim each night's report with If-None-Match: * on a bucket (moto): the one that "
        "comes second is refused, reads the claim and goes to the next night; nobody misses a report."
    ),
)
def claims(stage: Stage) -> None:
    """Lose some claims and win others, as meant."""
    server = stage.server("moto")
    key = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20261128/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    }
    me = stage.actor("client", server, "s3.brot.test", "httpx", key)
    him = stage.actor("other", server, "s3.brot.test", "urllib", key)
    him.put("/nacht", b"", 200)
    stage.forget()
    guard = {"If-None-Match": "*", "Content-Type": "application/json"}
    for night, mine in ((24, True), (25, False), (26, False), (27, True), (28, False)):
        path = f"/nacht/claims/2026-11-{night}.lock"
        first, second = (me, him) if mine else (him, me)
        first.put(path, {"worker": "w1" if mine else "w2"}, 200, guard)
        place.wait(0.15)
        second.put(path, {"worker": "w2" if mine else "w1"}, 412, guard)
        second.get(path)
        if mine:
            me.put(f"/nacht/reports/{night}.csv", f"laib;{night * 40}\n", 200, {"Content-Type": "text/csv"})
        else:
            him.put(f"/nacht/reports/{night}.csv", f"laib;{night * 41}\n", 200, {"Content-Type": "text/csv"})
        place.wait(0.6)
    me.get("/nacht?list-type=2&prefix=reports/")
