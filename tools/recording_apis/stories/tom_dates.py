"""Dates, clocks and locks on APIs in use."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from tools.recording_apis.apps.tom_engine import moment_of, when
from tools.recording_apis.apps.tom_tagged import Clinic, Rows, Sabre, Sync
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.tom_setting import (
    api,
    azure,
    bearer,
    must,
    news,
    ping,
    report,
    rest,
    seek,
    sign_in,
    wait_for,
)

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer


@case(
    "d141",
    "tom-appointment-between-two-seconds",
    "date-precision",
    "412",
    alone="date-precision",
    synthetic=True,
    description="A scheduler echoes Last-Modified of an appointment in If-Unmodified-Since. The service compares with meta.lastUpdated, which has microseconds: 412 for three appointments in a row, none changed since. With the next full second the same PUT is 200.",
)
def appointment(stage: Stage) -> None:
    """Echo a date that is too coarse."""
    base = "/core/api/Appointment"
    product = Clinic(
        {
            f"{base}/{number}": {"resourceType": "Appointment", "status": "booked", "minutes": 20}
            for number in range(1, 5)
        },
        age=7200.35,
    )
    server = api(stage, product, "Canvas Medical")
    me = stage.actor("client", server, "fumage.clinic.test", "aiohttp", bearer("scheduler"))
    ping(me)
    sign_in(me)
    news(me)
    wait_for(me, "slots")
    for number in range(1, 4):
        seen = me.get(f"{base}/{number}")
        must(not seen.json["meta"]["lastUpdated"].endswith(".000000Z"), "whole")
        me.put(
            f"{base}/{number}",
            {**seen.json, "minutes": 30},
            412,
            {"If-Unmodified-Since": seen.fields["last-modified"]},
        )
        rest(0.15)
    seen = me.get(f"{base}/2")
    next_second = when(moment_of(seen.fields["last-modified"]) + 1)
    me.put(
        f"{base}/2",
        {"resourceType": "Appointment", "status": "booked", "minutes": 30},
        200,
        {"If-Unmodified-Since": next_second},
    )
    me.get(f"{base}/4")


@case(
    "d142",
    "tom-bookmarks-by-the-laptop-clock",
    "clock-skew",
    "412",
    alone="clock-skew",
    synthetic=True,
    description="A browser's sync puts its own laptop's time into X-If-Unmodified-Since instead of a time that the server gave. That clock is seven minutes behind Date and X-Weave-Timestamp: bookmarks that the laptop itself had stored a moment ago are 412, time after time; with the server's X-Last-Modified they pass.",
)
def bookmarks(stage: Stage) -> None:
    """Trust one's own clock."""
    base = "/1.5/7781/storage/bookmarks"
    product = Sync({f"{base}/{name}": {"payload": "{}"} for name in ("menu", "toolbar", "mobile")}, age=900.0)
    server = api(stage, product, "Firefox Sync")
    me = stage.actor(
        "client",
        server,
        "sync.sky.test",
        "requests",
        {"Authorization": 'Hawk id="x"', "User-Agent": "Firefox/132.0 FxSync/1.134.0"},
    )

    def laptop() -> str:
        return f"{time.time() - 421.6:.2f}"

    me.get(f"{base}/menu")
    stored = me.put(
        f"{base}/menu",
        {"payload": f'{{"ct":"a1","at":{laptop()}}}'},
        200,
        {"X-If-Unmodified-Since": laptop()},
    )
    for name in ("menu", "toolbar"):
        me.get(f"{base}/{name}")
    for text in ("b2", "b3"):
        rest(0.5)
        payload = f'{{"ct":"{text}","at":{laptop()}}}'
        me.put(f"{base}/menu", {"payload": payload}, 412, {"X-If-Unmodified-Since": laptop()})
    now = me.get(f"{base}/menu").fields["x-last-modified"]
    must(now == stored.fields["x-last-modified"], "another writer")
    me.put(f"{base}/menu", {"payload": f'{{"ct":"b4","at":{laptop()}}}'}, 200, {"X-If-Unmodified-Since": now})
    me.get(f"{base}/mobile")


@case(
    "d143",
    "tom-row-with-an-iso-date",
    "bad-date",
    "400",
    alone="bad-date",
    synthetic=True,
    description="A data loader writes If-Unmodified-Since as an ISO 8601 timestamp, 2026-..T..Z. The service answers 400, Invalid If-Unmodified-Since header, for each row; rows sent with the Last-Modified of the read, as it came, are 204.",
)
def row(stage: Stage) -> None:
    """Write a date that is none."""
    base = "/services/data/v62.0/sobjects/Account"
    product = Rows({f"{base}/001B{number}": {"Id": f"001B{number}", "Site": ""} for number in range(4)})
    server = api(stage, product, "Salesforce")
    me = stage.actor("client", server, "farms.crm.test", "node:axios", bearer("loader"))
    me.get("/services/data/v62.0/sobjects")
    for number in range(3):
        seen = me.get(f"{base}/001B{number}")
        iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment_of(seen.fields["last-modified"])))
        me.send("PATCH", f"{base}/001B{number}", 400, {"If-Unmodified-Since": iso}, {"Site": "north"})
    rest(0.7)
    seek(me, "farms")
    wait_for(me, "load-6")
    report(me)
    for number in (2, 3):
        date = me.get(f"{base}/001B{number}").fields["last-modified"]
        me.send("PATCH", f"{base}/001B{number}", 204, {"If-Unmodified-Since": date}, {"Site": "north"})


@case(
    "d144",
    "tom-cards-five-hours-early",
    "timezone-error",
    "412",
    alone="timezone-error",
    synthetic=True,
    description="An office in Bogota formats the Last-Modified that it keeps as a local time and labels it GMT: If-Unmodified-Since is five hours before what the server gave, minutes and seconds alike. SabreDAV answers 412 for every card, of which none has changed.",
)
def cards(stage: Stage) -> None:
    """Label a local time GMT."""
    base = "/dav/addressbooks/ana/team/"
    card = "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:{0}\r\nFN:{0} Rojas\r\nEND:VCARD\r\n"
    product = Sabre({f"{base}{name}.vcf": card.format(name) for name in ("eva", "luz", "sol")}, age=7000.0)
    product.validators = False
    server = api(stage, product, "SabreDAV")
    me = stage.actor(
        "client",
        server,
        "dav.oficina.example",
        "java",
        {"Authorization": "Basic YW5hOng=", "Content-Type": "text/vcard"},
    )
    for name in ("eva", "luz"):
        seen = me.get(f"{base}{name}.vcf")
        local = when(moment_of(seen.fields["last-modified"]) - 5 * 3600)
        me.put(
            f"{base}{name}.vcf",
            seen.text.replace("END:", "ORG:Sur\r\nEND:"),
            412,
            {"If-Unmodified-Since": local},
        )
        rest(0.3)
    again = me.get(f"{base}luz.vcf")
    must(again.fields["last-modified"] == seen.fields["last-modified"], "changed")
    me.get(f"{base}sol.vcf")
    me.get(f"{base}rio.vcf", 404)
    exact = {"If-Unmodified-Since": again.fields["last-modified"]}
    me.put(f"{base}luz.vcf", again.text.replace("END:", "ORG:Sur\r\nEND:"), 204, exact)


@case(
    "d145",
    "tom-state-blob-under-somebodys-lease",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description="A pipeline writes a state blob that another run holds a lease on: 412 LeaseIdMissing, though its If-Match is the current tag. Acquiring a lease of its own is 409 LeaseAlreadyPresent, and both come again after the other run has written under its lease.",
)
def leased(stage: Stage) -> None:
    """Write without the lease."""
    server = stage.server("azurite")
    version = {"x-ms-version": "2021-12-02"}
    block = {"x-ms-blob-type": "BlockBlob"}
    other = stage.actor("other", server, "tfstate.blob.test", "httpx", version)
    me = stage.actor("client", server, "tfstate.blob.test", "requests", version)
    azure(other, "PUT", "/notes/state?restype=container", 201)
    azure(other, "PUT", "/notes/state/prod.tfstate", 201, block, '{"serial":1}')
    lease = azure(
        other,
        "PUT",
        "/notes/state/prod.tfstate?comp=lease",
        201,
        {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "60"},
    ).fields["x-ms-lease-id"]
    tag = azure(me, "GET", "/notes/state/prod.tfstate", 200).etag
    refused = azure(me, "PUT", "/notes/state/prod.tfstate", 412, {**block, "If-Match": tag}, '{"serial":2}')
    must("LeaseIdMissing" in refused.text, refused.text)
    _acquire(me, 409)
    rest(0.5)
    held = {**block, "x-ms-lease-id": lease, "x-ms-meta-run": "77"}
    azure(other, "PUT", "/notes/state/prod.tfstate", 201, held, '{"serial":1,"outputs":{}}')
    azure(me, "HEAD", "/notes/state/prod.tfstate", 200)
    again = azure(me, "PUT", "/notes/state/prod.tfstate", 412, block, '{"serial":2}')
    must("LeaseIdMissing" in again.text, again.text)
    _acquire(me, 409)


def _acquire(me: Actor, status: int) -> Answer:
    fields = {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "15"}
    return azure(me, "PUT", "/notes/state/prod.tfstate?comp=lease", status, fields)


_LOCK = '<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>ruth@desk-4</D:owner></D:lockinfo>'
_ASKED = '<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/><D:getetag/></D:prop></D:propfind>'


@case(
    "d146",
    "tom-office-forgets-its-own-lock",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description="An office program locks a document on WsgiDAV, is closed and opened again, and saves without the token of its lock: 423, and another LOCK is 423 too. The lock's owner in lockdiscovery is the same desk; with the token from there in If, the save is 204.",
)
def office(stage: Stage) -> None:
    """Save without one's own lock."""
    server = stage.server("wsgidav")
    (server.directory / "minutes.odt").write_text("minutes of May\n")
    (server.directory / "rota.ods").write_text("rota\n")
    me = stage.actor("client", server, "share.office.test", "requests", {"User-Agent": "LibreOffice/24.8"})
    xml = {"Content-Type": 'application/xml; charset="utf-8"', "Depth": "0"}
    me.send("PROPFIND", "/", 207, {**xml, "Depth": "1"}, _ASKED)
    me.get("/minutes.odt")
    me.send("LOCK", "/minutes.odt", 200, {**xml, "Timeout": "Second-600"}, _LOCK)
    rest(0.4)
    me.get("/rota.ods")
    me.get("/minutes.odt")
    me.put("/minutes.odt", "minutes of May and June\n", 423)
    me.send("LOCK", "/minutes.odt", 423, {**xml, "Timeout": "Second-600"}, _LOCK)
    found = me.send("PROPFIND", "/minutes.odt", 207, xml, _ASKED).text
    token = re.findall(r"opaquelocktoken:[0-9a-fA-Fx-]+", found)
    must(token and "ruth@desk-4" in found, found)
    me.put("/minutes.odt", "minutes of May and June\n", 204, {"If": f"(<{token[0]}>)"})
    me.send("UNLOCK", "/minutes.odt", 204, {"Lock-Token": f"<{token[0]}>"})
    look_at = me.get("/minutes.odt")
    must("June" in look_at.text, "not saved")
