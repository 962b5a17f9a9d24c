"""Stories in which all is well."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps import yul_clouds as clouds
from tools.recording_apis.apps.vic_core import Box
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_yul_setting as place
from tools.recording_apis.stories.held_yul_fronts import tagged

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e264",
    "yul-library-moves-on-while-items-stay",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "Zotero behind nginx: a reader syncs by If-Modified-Since-Version, 304 mostly; a colleague's items make the "
        "library's version jump; the reader's own notes are written under the version of each item and are 204."
    ),
)
def library(stage: Stage) -> None:
    """Write items under their own versions."""
    rows = {
        f"KX{n}PQ7{n}": {"version": 4400 + n, "data": {"title": f"Ravn {n}", "note": ""}} for n in range(4)
    }
    beside = {"/keys/current": {"key": "zk", "userID": 771, "access": {"user": {"library": True}}}}
    server = place.open_box(stage, clouds.Library(rows, beside), "waitress", "Zotero")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "zot.bibliotek.example", "requests", {"Zotero-API-Key": "zk"})
    other = stage.actor("other", front, "zot.bibliotek.example", "httpx", {"Zotero-API-Key": "zl"})
    base, keys = "/groups/9/items", list(rows)
    me.get("/keys/current")
    since = me.get(base).fields["last-modified-version"]
    for turn in range(3):
        me.get(f"{base}?since={since}", 304, {"If-Modified-Since-Version": since})
        theirs = other.get(f"{base}/{keys[3]}").json["version"]
        other.send(
            "PATCH",
            f"{base}/{keys[3]}",
            204,
            {"If-Unmodified-Since-Version": str(theirs)},
            {"note": f"{turn}"},
        )
        mine = me.get(f"{base}/{keys[turn]}").json["version"]
        note = {"note": f"lest {turn}"}
        me.send("PATCH", f"{base}/{keys[turn]}", 204, {"If-Unmodified-Since-Version": str(mine)}, note)
        place.rest(0.4)
        new = me.get(f"{base}?since={since}", 200, {"If-Modified-Since-Version": since})
        since = new.fields["last-modified-version"]


@case(
    "e250",
    "yul-not-there-then-generations",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "Cloud Storage behind Envoy: state files are looked for (404), made with ifGenerationMatch=0, read, and written "
        "again and again under the generation of the last answer."
    ),
)
def generations(stage: Stage) -> None:
    """Chain generations."""
    server = place.open_box(
        stage, clouds.Bucket({"seed.json": (b"{}", 1795860000100001, 1)}), "stdlib", "Cloud Storage"
    )
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, "storage.lager.example", "aiohttp", {"Authorization": "Bearer ya29.l"})
    base, up = "/storage/v1/b/lager/o", "/upload/storage/v1/b/lager/o?uploadType=media"
    me.get(f"{base}/")
    for key in ("regal-a.json", "regal-b.json"):
        me.get(f"{base}/{key}", 404)
        number = "0"
        for turn in range(3):
            body: dict[str, Any] = {"regal": key[6], "boxes": 4 + turn}
            got = me.send("POST", f"{up}&name={key}&ifGenerationMatch={number}", 200, None, body).json
            number = got["generation"]
            place.rest(0.2)
        place.sure(me.get(f"{base}/{key}?alt=media").json["boxes"] == 6)
        me.get(f"{base}/{key}")


@case(
    "e271",
    "yul-weak-tags-that-count",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A FHIR server behind HAProxy: weak tags are what its If-Match takes; a patient that exists is found by "
        "If-None-Exist (200), another is made (201), and polls are 304."
    ),
)
def weak(stage: Stage) -> None:
    """Write under weak tags."""

    def patient(mrn: str, city: str) -> dict[str, Any]:
        return {
            "resourceType": "Patient",
            "identifier": [{"system": "urn:mrn", "value": mrn}],
            "address": [{"city": city}],
        }

    rows = {f"p{n}": (patient(f"M-{n}", "Turku"), n - 800, 1795800000.25 + n) for n in (801, 802, 803)}
    beside = {"/fhir/metadata": {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}}
    server = place.open_box(stage, clouds.Health(rows, beside), "starlette", "a FHIR server")
    front = fronts.haproxy(stage, [server])
    me = stage.actor(
        "client", front, "fhir.terveys.example", "node:fetch", {"Accept": "application/fhir+json"}
    )
    me.get("/fhir/metadata")
    me.get("/fhir/Patient?address-city=Turku")
    fields = {"Content-Type": "application/fhir+json"}
    for mrn, status in (("M-802", 200), ("M-990", 201)):
        exist = {**fields, "If-None-Exist": f"identifier=urn:mrn|{mrn}"}
        got = me.send("POST", "/fhir/Patient", status, exist, patient(mrn, "Turku")).json
        path = f"/fhir/Patient/{got['id']}"
        for city in ("Naantali", "Raisio"):
            seen = me.get(path)
            me.put(path, {**seen.json, "address": [{"city": city}]}, 200, {**fields, "If-Match": seen.etag})
            place.rest(0.3)
        seen = me.get(path)
        me.get(path, 304, {"If-None-Match": seen.etag})


@case(
    "e262",
    "yul-compressed-and-left-alone",
    "none",
    "healthy",
    alone="none",
    description=(
        "Apache's WebDAV with mod_deflate and DeflateAlterETag NoChange: pages are read compressed under the bare tag "
        "and saved under it, 204 each, the last one twice in a row with the newest tag."
    ),
)
def compressed(stage: Stage) -> None:
    """Save what was read compressed."""
    files = {f"blog/{n}.md": f"# Post {n}\n" + "Lorem ipsum dolor sit amet.\n" * 40 for n in (1, 2, 3)}
    lines = "DeflateAlterETag NoChange\n" + fronts.DAV["apache2"].replace(
        "Dav On", "Dav On\nSetOutputFilter DEFLATE"
    )
    site = fronts.site(stage, "apache2", files, lines)
    me = stage.actor("client", site, "blog.lagen.example", "requests", {"User-Agent": "mdsync/0.8"})
    place.listed(me, "/blog/")
    for number in (1, 2, 3, 3):
        seen = me.get(f"/blog/{number}.md")
        place.sure(seen.fields.get("content-encoding") == "gzip" and "gzip" not in seen.etag)
        me.put(f"/blog/{number}.md", seen.text + "Slut.\n", 204, {"If-Match": seen.etag})
        place.rest(1.4)
    place.watch(me, ["/blog/1.md", "/blog/2.md"], 2)


_ICS = {"Content-Type": "text/calendar; charset=utf-8"}
_SYNC = (
    '<?xml version="1.0"?><sync-collection xmlns="DAV:"><sync-token>{}</sync-token><sync-level>1</sync-level>'
    "<prop><getetag/></prop></sync-collection>"
)


def _event(uid: str, title: str, hour: int) -> str:
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Koor//1//NL", "BEGIN:VEVENT", f"UID:{uid}")
    end = (f"DTSTART:20261210T{hour:02}0000Z", "DTSTAMP:20261101T000000Z", f"SUMMARY:{title}", "END:VEVENT")
    return "\r\n".join((*lines, *end, "END:VCALENDAR", ""))


@case(
    "e247",
    "yul-two-singers-one-calendar",
    "none",
    "healthy",
    alone="none",
    description=(
        "Radicale behind HAProxy: two members of a choir keep one calendar by sync-collection; each makes events with "
        "If-None-Match *, changes them under the tag of its own last answer or of the read after the other's change."
    ),
)
def singers(stage: Stage) -> None:
    """Keep one calendar by turns."""
    server = stage.server("radicale")
    front = fronts.haproxy(stage, [server])
    basic = {"Authorization": "Basic " + base64.b64encode(b"koor:koor").decode()}
    setup = stage.actor("setup", server, "dav.koor.example", "requests", basic)
    setup.send("MKCALENDAR", "/koor/agenda/", 201)
    stage.forget()
    me = stage.actor(
        "client", front, "dav.koor.example", "httpx", {**basic, "User-Agent": "Agenda/5 (tablet)"}
    )
    other = stage.actor(
        "other", front, "dav.koor.example", "aiohttp", {**basic, "User-Agent": "Agenda/5 (pc)"}
    )
    token, xml = "", {"Content-Type": "application/xml", "Depth": "1"}
    path = "/koor/agenda/proef.ics"
    made = me.put(path, _event("proef", "Repetitie", 18), 201, {**_ICS, "If-None-Match": "*"})
    for turn in range(3):
        got = me.send("REPORT", "/koor/agenda/", 207, xml, _SYNC.format(token)).text
        token = got.partition("<sync-token>")[2].partition("</sync-token>")[0]
        made = me.put(path, _event("proef", f"Repetitie {turn}", 18), 204, {**_ICS, "If-Match": made.etag})
        extra = f"/koor/agenda/extra-{turn}.ics"
        other.put(extra, _event(f"extra-{turn}", "Extra", 20), 201, {**_ICS, "If-None-Match": "*"})
        place.rest(0.3)
    theirs = other.get(path)
    other.put(path, _event("proef", "Generale", 19), 204, {**_ICS, "If-Match": theirs.etag})
    me.send("REPORT", "/koor/agenda/", 207, xml, _SYNC.format(token))
    seen = me.get(path)
    me.put(path, seen.text.replace("Generale", "Generale repetitie"), 204, {**_ICS, "If-Match": seen.etag})


@case(
    "e246",
    "yul-hits-first-then-asked-again",
    "none",
    "healthy",
    alone="none",
    description=(
        "Squid before a menu service: boards read what is stored (Age, hits), an editor asks with no-cache before each "
        "save, saves under that tag, and the next read has the new version."
    ),
)
def menu(stage: Stage) -> None:
    """Read from the store and write from the origin."""
    docs = {
        f"/menu/{day}": {"dag": day, "ret": ["suppe", "fisk"], "pris": 85} for day in ("man", "tir", "ons")
    }
    box = Box(docs, tagged, dates=True, need=428)
    box.after.append(
        lambda req, res: res.fields.update({"Cache-Control": "max-age=20"}) if req.safe else None
    )
    server = place.open_box(stage, box, "stdlib", said="Cache-Control: max-age=20")
    front = fronts.squid(stage, server, "", "menu.kantine.example")
    me = stage.actor("client", front, "menu.kantine.example", "node:fetch", {"User-Agent": "Kantine/1.3"})
    for day in ("man", "tir", "man"):
        me.get(f"/menu/{day}")
    place.rest(1.5)
    for day, price in (("man", 90), ("tir", 88)):
        me.get(f"/menu/{day}")
        fresh = me.get(f"/menu/{day}", 200, {"Cache-Control": "no-cache"})
        me.put(f"/menu/{day}", {**fresh.json, "pris": price}, 200, {"If-Match": fresh.etag})
        place.rest(1.1)
        now = me.get(f"/menu/{day}")
        place.sure(now.json["pris"] == price)
        me.get(f"/menu/{day}", 304, {"If-None-Match": now.etag})
