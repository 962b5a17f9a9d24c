"""Stories on Radicale's calendars, and a healthy day on a store."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage

_XML = {"Content-Type": "application/xml; charset=utf-8"}
_ICS = {"Content-Type": "text/calendar; charset=utf-8"}
_PROPS = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/><sync-token/><displayname/></prop></propfind>'


def _event(name: str, title: str, hour: int, **more: str) -> str:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Kalm//Kalm 3.2//EN",
        "BEGIN:VEVENT",
        f"UID:{name}@kalm",
    ]
    lines += ["DTSTAMP:20261128T080000Z", f"DTSTART:20270210T{hour:02}0000Z", f"SUMMARY:{title}"]
    lines += [f"{key}:{value}" for key, value in more.items()]
    return "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""])


def _save(who: Actor, path: str, text: str, expect: Any, tag: str = "") -> Answer:
    guard = {"If-Match": tag} if tag else {"If-None-Match": "*"}
    return who.put(path, text, expect, {**_ICS, **guard})


def _calendar(stage: Stage, base: str, user: str, host: str, **more: Any) -> tuple[Any, Actor]:
    server = stage.server("radicale", **more)
    keeper = stage.actor("keeper", server, host, always={"Authorization": f"Basic {user}"})
    keeper.send("MKCALENDAR", base, 201, _XML)
    return server, keeper


def _settled(stage: Stage) -> None:
    del stage.taps["keeper"]
    stage.forget()


_UTE, _ROB = "dXRlOng=", "dXRlOnk="


@case(
    "e341",
    "bea-a-rehearsal-that-was-called-off",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "Radicale: the choir's office deletes a rehearsal; the conductor's phone, which still shows it, moves it under "
        "its tag and is refused, looks and finds 404; the next try is refused as well."
    ),
)
def rehearsal(stage: Stage) -> None:
    """Move an appointment that is gone."""
    base = "/ute/chor/"
    server, keeper = _calendar(stage, base, _UTE, "cal.kantorei.example")
    for name, hour in (("alt", 18), ("bass", 19), ("tutti", 20)):
        _save(keeper, f"{base}{name}.ics", _event(name, f"Probe {name}", hour), 201)
    _settled(stage)
    me = stage.actor(
        "client",
        server,
        "cal.kantorei.example",
        "httpx",
        {"Authorization": f"Basic {_UTE}", "User-Agent": "DAVx5/4.4"},
    )
    other = stage.actor(
        "other",
        server,
        "cal.kantorei.example",
        "curl",
        {"Authorization": f"Basic {_ROB}", "User-Agent": "Kalm/3.2"},
    )
    me.send("PROPFIND", base, 207, {**_XML, "Depth": "1"}, _PROPS)
    bass, tutti = me.get(f"{base}bass.ics"), me.get(f"{base}tutti.ics")
    other.send("DELETE", f"{base}tutti.ics", 200, {"If-Match": other.get(f"{base}tutti.ics").etag})
    place.rest(1.0)
    _save(me, f"{base}bass.ics", _event("bass", "Probe Bass", 17), (200, 201, 204), bass.etag)
    moved = _event("tutti", "Probe tutti", 21, LOCATION="Aula")
    _save(me, f"{base}tutti.ics", moved, 412, tutti.etag)
    me.get(f"{base}tutti.ics", 404)
    place.rest(0.6)
    _save(me, f"{base}tutti.ics", moved, 412, tutti.etag)
    me.send("PROPFIND", base, 207, {**_XML, "Depth": "1"}, _PROPS)


@case(
    "e332",
    "bea-fresh-tag-old-appointment",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A desktop calendar keeps an appointment open over lunch. Before it saves it asks Radicale for the tag only to "
        "put it into If-Match, though what it sends is made of the old text: taken, and the room that the office had entered is gone."
    ),
)
def lunch(stage: Stage) -> None:
    """Take a new tag for an old base."""
    base = "/ute/praxis/"
    server, keeper = _calendar(stage, base, _UTE, "termine.praxis.example")
    for name, hour in (("p1", 9), ("p2", 10)):
        _save(keeper, f"{base}{name}.ics", _event(name, f"Patient {name}", hour), 201)
    _settled(stage)
    me = stage.actor(
        "client",
        server,
        "termine.praxis.example",
        "requests",
        {"Authorization": f"Basic {_UTE}", "User-Agent": "Evo/3"},
    )
    other = stage.actor(
        "other", server, "termine.praxis.example", "node:fetch", {"Authorization": f"Basic {_ROB}"}
    )
    me.send("PROPFIND", base, 207, {**_XML, "Depth": "1"}, _PROPS)
    me.get(f"{base}p2.ics")
    place.sure("LOCATION" not in me.get(f"{base}p1.ics").text)
    theirs = other.get(f"{base}p1.ics")
    with_room = _event("p1", "Patient p1", 9, LOCATION="Raum 3", COMMENT="Dolmetscher kommt")
    _save(other, f"{base}p1.ics", with_room, (200, 201, 204), theirs.etag)
    place.rest(1.5)
    fresh = me.get(f"{base}p1.ics")
    place.sure("Raum 3" in fresh.text)
    mine = _event("p1", "Patient p1 (Kontrolle)", 11)
    _save(me, f"{base}p1.ics", mine, (200, 201, 204), fresh.etag)
    place.rest(0.5)
    place.sure("Raum 3" not in me.get(f"{base}p1.ics").text)
    me.send("PROPFIND", base, 207, {**_XML, "Depth": "1"}, _PROPS)


def _sync(who: Actor, base: str, token: str, expect: Any) -> Answer:
    body = (
        '<?xml version="1.0"?><d:sync-collection xmlns:d="DAV:">'
        f"<d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level>"
        "<d:prop><d:getetag/></d:prop></d:sync-collection>"
    )
    return who.send("REPORT", base, expect, {**_XML, "Depth": "1"}, body)


def _token(answer: Answer) -> str:
    found = re.search(r"<(?:\w+:)?sync-token>([^<]+)<", answer.text)
    return found.group(1) if found else ""


@case(
    "e334",
    "bea-a-tablet-that-slept-too-long",
    "token-expired",
    "409",
    alone="token-expired",
    description=(
        "A tablet wakes after longer than Radicale keeps sync tokens (max_sync_token_age is two seconds here): its "
        "REPORT with the stored token is refused with valid-sync-token, twice; an empty token brings a new one, which works."
    ),
)
def tablet(stage: Stage) -> None:
    """Go on from a token that is no longer kept."""
    base = "/ute/imkerei/"
    server, keeper = _calendar(stage, base, _UTE, "dav.imkerei.example", token_age=2)
    for name in ("volk1", "volk2", "schleuder"):
        _save(keeper, f"{base}{name}.ics", _event(name, f"Durchsicht {name}", 8), 201)
    _settled(stage)
    me = stage.actor(
        "client",
        server,
        "dav.imkerei.example",
        "aiohttp",
        {"Authorization": f"Basic {_UTE}", "User-Agent": "Tasks/14"},
    )
    first = _sync(me, base, "", 207)
    one = me.get(f"{base}volk1.ics")
    _sync(me, base, _token(first), 207)
    _save(me, f"{base}volk1.ics", _event("volk1", "Durchsicht", 9), (200, 201, 204), one.etag)
    held = _token(_sync(me, base, _token(first), 207))
    place.sure(held and held != _token(first))
    place.rest(4.2)
    two = me.get(f"{base}volk2.ics")
    _save(me, f"{base}volk2.ics", _event("volk2", "Varroa", 10), (200, 201, 204), two.etag)
    _sync(me, base, "", 207)
    place.rest(0.5)
    for _ in range(2):
        _sync(me, base, held, (403, 409, 412))
        place.rest(0.6)
    fresh = _sync(me, base, "", 207)
    _sync(me, base, _token(fresh), 207)


@case(
    "e339",
    "bea-a-family-calendar-on-a-good-day",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two phones on one Radicale calendar: reports with the last token, a read of what is new, saves under the tag "
        "of the last read, a create that passes, a delete of one's own, a 404 for what the other has deleted."
    ),
)
def family(stage: Stage) -> None:
    """Share a calendar without trouble."""
    base = "/ute/familie/"
    server, keeper = _calendar(stage, base, _UTE, "kalender.daheim.example")
    for name in ("zahnarzt", "judo", "oma"):
        _save(keeper, f"{base}{name}.ics", _event(name, name.title(), 15), 201)
    _settled(stage)
    me = stage.actor(
        "client", server, "kalender.daheim.example", "requests", {"Authorization": f"Basic {_UTE}"}
    )
    other = stage.actor(
        "other", server, "kalender.daheim.example", "curl", {"Authorization": f"Basic {_ROB}"}
    )
    token = _token(_sync(me, base, "", 207))
    judo = me.get(f"{base}judo.ics")
    saved = _save(me, f"{base}judo.ics", _event("judo", "Judo (Halle 2)", 16), (200, 201, 204), judo.etag)
    token = _token(_sync(me, base, token, 207))
    oma = other.get(f"{base}oma.ics")
    _save(other, f"{base}oma.ics", _event("oma", "Oma 80", 12, LOCATION="Garten"), (200, 201, 204), oma.etag)
    other.send("DELETE", f"{base}zahnarzt.ics", 200, {"If-Match": other.get(f"{base}zahnarzt.ics").etag})
    place.rest(0.8)
    token = _token(_sync(me, base, token, 207))
    me.get(f"{base}zahnarzt.ics", 404)
    seen = me.get(f"{base}oma.ics")
    _save(me, f"{base}oma.ics", seen.text.replace("Oma 80", "Oma wird 80"), (200, 201, 204), seen.etag)
    _save(me, f"{base}kino.ics", _event("kino", "Kino", 19), 201)
    _save(me, f"{base}judo.ics", _event("judo", "Judo (Halle 1)", 16), (200, 201, 204), saved.etag)
    place.sure(_token(_sync(me, base, token, 207)))


@case(
    "e326",
    "bea-a-build-cache-that-fills",
    "none",
    "healthy",
    alone="none",
    description=(
        "A build keeps its cache on SeaweedFS: HEAD is 404 for what is new and it is put create-only, reads with the "
        "known tag are 304, the index is swapped under the tag of the answer before, one object goes up in parts."
    ),
)
def build(stage: Stage) -> None:
    """Use conditions as meant."""
    server = stage.server("seaweedfs")
    keeper = place.Lake(stage, "keeper", server)
    keeper.call("create_bucket", Bucket="bau")
    keeper.call("put_object", Bucket="bau", Key="index.json", Body=b'{"n":0}')
    stage.forget()
    del stage.taps["keeper"]
    me = place.Lake(stage, "client", server)
    tag = me.call("get_object", Bucket="bau", Key="index.json")["ETag"]
    for number in (1, 2, 3):
        key = f"objs/{number * 7919:x}.o"
        me.call("head_object", "404", Bucket="bau", Key=key)
        me.call("put_object", Bucket="bau", Key=key, Body=b"\x7fELF" * number, IfNoneMatch="*")
        body = b'{"n":%d}' % number
        tag = me.call("put_object", Bucket="bau", Key="index.json", Body=body, IfMatch=tag)["ETag"]
        me.call("get_object", "304", Bucket="bau", Key="index.json", IfNoneMatch=tag)
        place.rest(0.3)
    spot: dict[str, Any] = {"Bucket": "bau", "Key": "objs/all.a"}
    up = me.call("create_multipart_upload", **spot)["UploadId"]
    part = me.call("upload_part", **spot, UploadId=up, PartNumber=1, Body=b"!<arch>\n" * 60)["ETag"]
    done = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    whole = me.call("complete_multipart_upload", **spot, UploadId=up, MultipartUpload=done)["ETag"]
    me.call("get_object", "304", **spot, IfNoneMatch=whole)
    me.call("list_objects_v2", Bucket="bau")
