"""Unseen recordings: calendars, contacts, object stores and record stores that others have made."""

from __future__ import annotations

import datetime as dt
import importlib
from functools import partial
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_sol_setting as place
from tools.recording_apis.stories.vic_setting import Lake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

_XML = {"Content-Type": "application/xml; charset=utf-8"}
_ICS = {"Content-Type": "text/calendar; charset=utf-8"}
_VCF = {"Content-Type": "text/vcard; charset=utf-8"}
_MAKE = (
    '<?xml version="1.0"?><mkcol xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:{0}"><set><prop><resourcetype>'
    "<collection/><c:{1}/></resourcetype><displayname>{2}</displayname></prop></set></mkcol>"
)


def _radicale(
    stage: Stage, kind: tuple[str, str, str], base: str, files: Mapping[str, str], media: str
) -> Server:
    server = stage.server("radicale")
    setup = stage.actor("setup", server, "dav.test", "httpx", {"Authorization": "Basic dGVhbTp0ZWFt"})
    setup.send("MKCOL", base, 201, _XML, _MAKE.format(*kind))
    for name, text in files.items():
        setup.put(f"{base}{name}", text, 201, {"Content-Type": media})
    stage.forget()
    del stage.taps["setup"]
    return server


def _card(uid: str, name: str, phone: str, more: str = "") -> str:
    first, last = name.split()
    return (
        f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nN:{last};{first};;;\r\n"
        f"TEL;TYPE=WORK:{phone}\r\n{more}END:VCARD\r\n"
    )


@case(
    "e006",
    "sol-two-desks-one-supplier-card",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Radicale's address book of a purchasing team: while one desk notes a mobile number for a supplier, another "
        "has stored a new work number; the first desk's PUT is refused, and the card it reads has the other's number."
    ),
)
def supplier(stage: Stage) -> None:
    """Be second at a card."""
    cards = {
        f"{u}.vcf": _card(u, n, f"+46 8 55 0{i}")
        for i, (u, n) in enumerate(
            {"lund-01": "Karin Lund", "berg-02": "Olle Berg", "ek-03": "Siv Ek"}.items()
        )
    }
    base = "/team/leverantorer/"
    server = _radicale(stage, ("carddav", "addressbook", "Leverantörer"), base, cards, "text/vcard")
    own = {"Authorization": "Basic dGVhbTp0ZWFt"}
    me = stage.actor("client", server, "dav.inkop.test", "requests", {**own, "User-Agent": "Evolution/3.46"})
    other = stage.actor("other", server, "dav.inkop.test", "httpx", {**own, "User-Agent": "DAVx5/4.4.2-ose"})
    place.listing(me, "/team/", "1")
    place.listing(me, base)
    seen = me.get(f"{base}berg-02.vcf")
    me.get(f"{base}ek-03.vcf")
    theirs = other.get(f"{base}berg-02.vcf")
    other.put(
        f"{base}berg-02.vcf",
        theirs.text.replace("55 01", "55 77"),
        (201, 204),
        {**_VCF, "If-Match": theirs.etag},
    )
    place.wait(1.3)
    first = me.get(f"{base}lund-01.vcf")
    text = first.text.replace("END:VCARD", "NOTE:ringer fre\r\nEND:VCARD")
    me.put(f"{base}lund-01.vcf", text, (201, 204), {**_VCF, "If-Match": first.etag})
    mine = seen.text.replace("END:VCARD", "TEL;TYPE=CELL:+46 70 1\r\nEND:VCARD")
    me.put(f"{base}berg-02.vcf", mine, 412, {**_VCF, "If-Match": seen.etag})
    place.sure("55 77" in me.get(f"{base}berg-02.vcf").text)
    place.listing(me, base)


def _event(uid: str, day: int, summary: str, more: str = "") -> str:
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//sol//klinik//PT\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20261120T080000Z\r\nDTSTART:202612{day:02}T090000Z\r\nDURATION:PT30M\r\n"
        f"SUMMARY:{summary}\r\n{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


@case(
    "e009",
    "sol-plugin-asks-for-the-tag-just-before",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A calendar plugin on Radicale keeps the event as it was read, asks for the newest tag right before it saves "
        "and sends that. The reception's room, which moved the tag in between, is gone from the event afterwards."
    ),
)
def plugin(stage: Stage) -> None:
    """Fetch a tag for an old text."""
    base = "/team/consultas/"
    events = {f"c{n}.ics": _event(f"c{n}", n, f"Consulta {n}") for n in (3, 4, 7)}
    server = _radicale(stage, ("caldav", "calendar", "Consultas"), base, events, "text/calendar")
    own = {"Authorization": "Basic dGVhbTp0ZWFt"}
    me = stage.actor(
        "client", server, "agenda.clinica.test", "node:axios", {**own, "User-Agent": "CrmAgenda/2.0"}
    )
    other = stage.actor(
        "other", server, "agenda.clinica.test", "requests", {**own, "User-Agent": "Thunderbird/140.0"}
    )
    place.listing(me, "/team/", "1")
    tags = place.listing(me, base)
    seen = me.get(f"{base}c4.ics")
    other_day = me.get(f"{base}c7.ics")
    me.put(
        f"{base}c7.ics",
        other_day.text.replace("PT30M", "PT45M"),
        (201, 204),
        {**_ICS, "If-Match": other_day.etag},
    )
    theirs = other.get(f"{base}c4.ics")
    room = theirs.text.replace("END:VEVENT", "LOCATION:Sala 5\r\nEND:VEVENT")
    other.put(f"{base}c4.ics", room, (201, 204), {**_ICS, "If-Match": theirs.etag})
    place.wait(1.4)
    fresh = place.listing(me, f"{base}c4.ics", "0")[f"{base}c4.ics"]
    place.sure(fresh != tags[f"{base}c4.ics"] == seen.etag)
    text = seen.text.replace("Consulta 4", "Consulta 4 (jejum)")
    me.put(f"{base}c4.ics", text, (201, 204), {**_ICS, "If-Match": fresh})
    place.sure("Sala 5" not in me.get(f"{base}c4.ics").text)
    place.listing(me, base)


def _signature() -> str:
    library = importlib.import_module("azure.storage.blob")
    made: str = library.generate_account_sas(
        "notes",
        "ZXhhbXBsZQ==",
        resource_types=library.ResourceTypes(service=True, container=True, object=True),
        permission=library.AccountSasPermissions(read=True, write=True, delete=True, list=True, create=True),
        expiry=dt.datetime.now(dt.UTC) + dt.timedelta(days=2),
    )
    return made


def _azurite(stage: Stage, blobs: Mapping[str, str]) -> tuple[Server, str]:
    server, signed = stage.server("azurite"), _signature()
    setup = stage.actor("setup", server, "blob.test", "requests", {"x-ms-version": "2021-12-02"})
    setup.send("PUT", f"/notes/turbine?restype=container&{signed}", 201)
    for name, text in blobs.items():
        kind = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/json"}
        setup.put(f"/notes/turbine/{name}?{signed}", text, 201, kind)
    stage.forget()
    del stage.taps["setup"]
    return server, signed


@case(
    "e015",
    "sol-two-workers-of-one-run",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "Two workers of one run of a turbine's collector store their part of a summary blob on Azurite at the same "
        "moment with the tag that the run has read once: one is 201, the other ConditionNotMet, in three rounds."
    ),
)
def workers(stage: Stage) -> None:
    """Let two workers store at once."""
    server, signed = _azurite(stage, {f"t{n}.json": '{"parts":{}}' for n in (1, 2, 3)})
    always = {
        "x-ms-version": "2021-12-02",
        "User-Agent": "collector/1.2 run=5c71",
        "x-ms-blob-type": "BlockBlob",
    }
    me = stage.actor("client", server, "notes.blob.test", "httpx", always)
    me.get(f"/notes/turbine?restype=container&comp=list&{signed}")
    for number in (1, 2, 3):
        path = f"/notes/turbine/t{number}.json?{signed}"
        tag = me.get(path).etag

        def store(part: str, path: str = path, tag: str = tag) -> object:
            return me.put(path, {"parts": {part: list(range(2000))}}, (201, 412), {"If-Match": tag})

        got = place.both(partial(store, "north"), partial(store, "south"), 0.003)  # type: ignore[arg-type]
        place.sure(sorted(one.status for one in got) == [201, 412], [one.status for one in got])
        place.wait(0.5)
    me.get(f"/notes/turbine/t1.json?{signed}")


@case(
    "e019",
    "sol-price-file-is-put-as-it-was",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "A price tool on SeaweedFS's S3 reads a file, works for a while, and puts it back without any condition; the "
        "branch's new line, which moved the tag in the list that the tool asked for meanwhile, is gone afterwards."
    ),
)
def prices(stage: Stage) -> None:
    """Put an object back without a condition."""
    server = stage.server("seaweedfs")
    setup = stage.actor("setup", server, "s3.test", "requests")
    setup.send("PUT", "/tarifs", 200)
    for name in ("nord", "sud", "est"):
        setup.put(f"/tarifs/2026/{name}.csv", f"zone,{name}\npain,1.20\n", 200, {"Content-Type": "text/csv"})
    stage.forget()
    del stage.taps["setup"]
    csv = {"Content-Type": "text/csv"}
    me = stage.actor(
        "client", server, "tarifs.boulange.test", "curl:trace-time", {"User-Agent": "tarif.sh/3"}
    )
    other = stage.actor("other", server, "tarifs.boulange.test", "aiohttp", {"User-Agent": "agence-sud"})
    me.get("/tarifs?list-type=2&prefix=2026/")
    seen = me.get("/tarifs/2026/sud.csv")
    me.get("/tarifs/2026/est.csv")
    theirs = other.get("/tarifs/2026/sud.csv")
    other.put("/tarifs/2026/sud.csv", theirs.text + "brioche,2.10\n", 200, {**csv, "If-Match": theirs.etag})
    place.wait(1.5)
    place.sure(
        seen.etag.strip('"') not in me.get("/tarifs?list-type=2&prefix=2026/").text.split("sud.csv")[1][:400]
    )
    place.wait(0.6)
    me.put("/tarifs/2026/sud.csv", seen.text.replace("1.20", "1.25"), 200, csv)
    place.sure("brioche" not in me.get("/tarifs/2026/sud.csv").text)
    me.send("HEAD", "/tarifs/2026/nord.csv", 200)


@case(
    "e027",
    "sol-night-report-is-there-already",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "boto3 on moto's S3: a plant's night report goes up with IfNoneMatch='*', but the other plant has filed under "
        "that name before, as its metadata tells; the tool looks at it and files under a name of its own."
    ),
)
def report(stage: Stage) -> None:
    """Create what another has created."""
    server = stage.server("moto")
    keeper = Lake(stage, "keeper", server)
    where = {"LocationConstraint": "eu-west-3"}
    keeper.call("create_bucket", Bucket="reports", CreateBucketConfiguration=where)
    keeper.call("put_object", Bucket="reports", Key="2026/11/26-night.txt", Body=b"plant A: 41 t")
    stage.forget()
    del stage.taps["keeper"]
    other = Lake(stage, "other", server)
    put = {"Bucket": "reports", "IfNoneMatch": "*"}
    other.call(
        "put_object",
        Key="2026/11/27-night.txt",
        Body=b"plant B: 38 t, belt 2 out",
        Metadata={"plant": "b"},
        **put,
    )
    place.wait(2.2)
    me = Lake(stage, "client", server)
    me.call("list_objects_v2", Bucket="reports", Prefix="2026/10/")
    me.call("get_object", Bucket="reports", Key="2026/11/26-night.txt")
    me.call("head_object", Bucket="reports", Key="2026/11/26-night.txt")
    me.call("put_object", Bucket="reports", Key="status/plant-a.txt", Body=b"night shift done")
    mine = b"plant A: 44 t"
    me.call(
        "put_object",
        "PreconditionFailed",
        Key="2026/11/27-night.txt",
        Body=mine,
        Metadata={"plant": "a"},
        **put,
    )
    seen = me.call("get_object", Bucket="reports", Key="2026/11/27-night.txt")
    place.sure(seen["Metadata"] == {"plant": "b"})
    me.call("put_object", Key="2026/11/27-night-a.txt", Body=mine, Metadata={"plant": "a"}, **put)
    me.call("list_objects_v2", Bucket="reports", Prefix="2026/11/")


@case(
    "e029",
    "sol-retries-with-growing-pauses",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A backup agent behind Caddy sends the manifest to WsgiDAV with a tag that another host has outdated, and "
        "sends it again and again with growing pauses and the same tag; it reads the manifest only when it gives up."
    ),
)
def retries(stage: Stage) -> None:
    """Repeat a refused token."""
    files = {f"sets/{h}/manifest.txt": f"host {h}\nfull 2026-11-22\n" for h in ("web1", "db1", "mail")}
    server = place.wsgidav(stage, files)
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "backup.rz.test", "aiohttp", {"User-Agent": "vaultd/0.9 web1"})
    other = stage.actor("other", front, "backup.rz.test", "curl", {"User-Agent": "vaultd/0.9 rotate"})
    text = {"Content-Type": "text/plain"}
    place.listing(me, "/sets/")
    seen = me.get("/sets/web1/manifest.txt")
    place.polls(me, "/sets/mail/manifest.txt", times=1)
    place.rewrite(me, "/sets/db1/manifest.txt", "incr 2026-11-28\n")
    theirs = other.get("/sets/web1/manifest.txt")
    other.put(
        "/sets/web1/manifest.txt", theirs.text + "incr 2026-11-27\n", 204, {**text, "If-Match": theirs.etag}
    )
    place.wait(1.2)
    for pause in (0.3, 0.6, 1.2, 2.4, 0.1):
        body = seen.text + "incr 2026-11-28\n"
        me.put("/sets/web1/manifest.txt", body, 412, {**text, "If-Match": seen.etag})
        place.wait(pause)
    place.sure("11-27" in me.get("/sets/web1/manifest.txt").text)


_ANNA = {"Authorization": "Basic bmlscy10YWI6cHc="}


def _kinto(stage: Stage, *names: str) -> Server:
    server = stage.server("kinto")
    setup = stage.actor("setup", server, "sync.test", "httpx")
    setup.put("/v1/accounts/nils-tab", {"data": {"password": "pw"}}, 201)
    setup.put("/v1/buckets/hytte", {}, 201, _ANNA)
    setup.put("/v1/buckets/hytte/collections/lister", {}, 201, _ANNA)
    for name in names:
        data = {"data": {"navn": name, "varer": ["kaffe"], "ferdig": False}}
        setup.put(f"/v1/buckets/hytte/collections/lister/records/{name}", data, 201, _ANNA)
    stage.forget()
    del stage.taps["setup"]
    return server


_RECORDS = "/v1/buckets/hytte/collections/lister/records"


@case(
    "e036",
    "sol-tablet-keeps-the-tag-of-the-first-read",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A shopping list on Kinto: the tablet stores the tag that it got when it read, not the one that each save is "
        "answered with; its second save of a list is refused, for two lists, while nobody else writes."
    ),
)
def tablet(stage: Stage) -> None:
    """Keep the first tag."""
    server = _kinto(stage, "fredag", "lordag", "tur")
    me = stage.actor(
        "client", server, "sync.hytte.test", "node:fetch", {**_ANNA, "User-Agent": "Handleliste/5"}
    )
    me.get(f"{_RECORDS}?_sort=-last_modified")
    for name in ("fredag", "tur"):
        path = f"{_RECORDS}/{name}"
        seen = me.get(path)
        data = {"navn": name, "varer": ["kaffe", "ved"], "ferdig": False}
        saved = me.put(path, {"data": data}, 200, {"If-Match": seen.etag})
        place.sure(saved.etag != seen.etag)
        place.wait(0.9)
        me.get(f"{_RECORDS}/lordag")
        data["varer"] = ["kaffe", "ved", "brus"]
        me.put(path, {"data": data}, 412, {"If-Match": seen.etag})
        place.sure(me.get(path).etag == saved.etag)


@case(
    "e026",
    "sol-phone-syncs-with-kinto",
    "none",
    "healthy",
    alone="none",
    description=(
        "A phone syncs lists with Kinto: polls that are 304, a change by the tablet that the next poll brings, saves "
        "with the newest tags, a guarded delete and the 404 for what it has itself deleted."
    ),
)
def phone(stage: Stage) -> None:
    """Sync without trouble."""
    server = _kinto(stage, "fredag", "lordag", "tur")
    me = stage.actor(
        "client", server, "sync.hytte.test", "java", {**_ANNA, "User-Agent": "Handleliste/5 (Android)"}
    )
    other = stage.actor(
        "other", server, "sync.hytte.test", "requests", {**_ANNA, "User-Agent": "Handleliste/5"}
    )
    poll = me.get(_RECORDS)
    for _ in range(3):
        place.wait(0.4)
        me.get(_RECORDS, 304, {"If-None-Match": poll.etag})
    theirs = other.get(f"{_RECORDS}/tur")
    other.send("PATCH", f"{_RECORDS}/tur", 200, {"If-Match": theirs.etag}, {"data": {"ferdig": True}})
    place.wait(0.4)
    me.get(f"{_RECORDS}?_since={poll.etag.strip(chr(34))}")
    tag = me.get(f"{_RECORDS}/fredag").etag
    for count in (2, 3):
        tag = me.send(
            "PATCH", f"{_RECORDS}/fredag", 200, {"If-Match": tag}, {"data": {"varer": ["kaffe"] * count}}
        ).etag
    tag = me.get(f"{_RECORDS}/tur").etag
    me.send("DELETE", f"{_RECORDS}/tur", 200, {"If-Match": tag})
    me.get(f"{_RECORDS}/tur", 404)
    me.get(_RECORDS)
