"""Values that are damaged, of another thing, of another scope, in other words or out of date; and dates."""

from __future__ import annotations

import time
import urllib.request
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import jon_clients as kit
from tools.recording_apis.stories import jon_setting as place

_LIST = "/v1/buckets/crew/collections/rota/records"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@case(
    "b129",
    "jon-shell-script-loses-the-quotes",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A shell script strips the quotes from the tag that it cut out of a HEAD and sends it bare; lighttpd's "
        "WebDAV refuses, twice; nobody else writes."
    ),
)
def bare(stage: Stage) -> None:
    """Send a tag without quotes."""
    files = {"conf/lanes.json": '{"lanes":4}\n', "conf/readme.txt": "lanes\n"}
    server = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"])
    me = stage.actor("client", server, "share.meridian.test", "curl")
    me.get("/conf/readme.txt")
    for lanes in (5, 6):
        tag = me.send("HEAD", "/conf/lanes.json", 200).etag
        me.put("/conf/lanes.json", f'{{"lanes":{lanes}}}\n', 412, {"If-Match": tag.strip('"')})


@case(
    "b130",
    "jon-kinto-wants-quotes",
    "malformed-validator",
    "400",
    alone="malformed-validator",
    description=(
        "A script takes last_modified from the record's body and sends the bare number in If-Match; Kinto answers "
        "400 (invalid value in header); with quotes the same number passes."
    ),
)
def number(stage: Stage) -> None:
    """Send a bare number."""
    server = kit.rota(stage, **{"mon-early": {"who": "Mila"}, "mon-late": {"who": "Theo"}})
    me = stage.actor("client", server, kit.KINTO, "node:fetch", kit.basic("mila"))
    me.get(f"{_LIST}?_sort=-last_modified")
    stamp = me.get(f"{_LIST}/mon-early").json["data"]["last_modified"]
    body = {"data": {"who": "Mila", "task": "gate 2"}}
    me.put(f"{_LIST}/mon-early", body, 400, {"If-Match": str(stamp)})
    me.put(f"{_LIST}/mon-early", body, 200, {"If-Match": f'"{stamp}"'})


@case(
    "b131",
    "jon-collection-stamp-for-a-record",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "An app keeps the ETag of Kinto's list of records and sends it as If-Match for one record; the list's "
        "stamp is that of another, newer record, so the write is refused each time; nobody writes meanwhile."
    ),
)
def list_stamp(stage: Stage) -> None:
    """Take a list's tag for a member."""
    server = kit.rota(
        stage, **{"mon-early": {"who": "Mila"}, "tue-early": {"who": "Ana"}, "tue-late": {"who": "Theo"}}
    )
    me = stage.actor("client", server, kit.KINTO, "httpx", {**kit.basic("mila"), "User-Agent": "rota-app/3"})
    for note in ("gate 1", "gate 2"):
        tag = me.get(_LIST).etag
        me.get("/v1/")
        me.put(f"{_LIST}/mon-early", {"data": {"who": "Mila", "task": note}}, 412, {"If-Match": tag})
    me.get(f"{_LIST}/mon-early")


@case(
    "b132",
    "jon-day-plan-has-one-tag",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope other-writer",
    also="other-writer",
    description=(
        "All appointments of a day share one tag; a colleague changes the 9:45 slot, and the save of the untouched "
        "9:15 slot is refused; its fields are the same as read."
    ),
)
def day(stage: Stage) -> None:
    """Change another appointment of the day."""
    server = place.clinic(stage, SCOPE="1")
    me = stage.actor("client", server, place.PRAXIS, "requests", {"X-Staff": "lindqvist"})
    other = stage.actor("other", server, place.PRAXIS, "httpx", {"X-Staff": "reception"})
    me.get("/clinic/api/appointments")
    seen = me.get(place.SLOT)
    me.get(place.SLOT_2)
    theirs = other.get(place.SLOT_2)
    other.put(place.SLOT_2, place.edited(theirs, note="wheelchair"), 200, {"If-Match": theirs.etag})
    time.sleep(0.6)
    me.put(place.SLOT, place.edited(seen, note="fasting, labs"), 412, {"If-Match": seen.etag})
    again = me.get(place.SLOT)
    place.insist(place.edited(again) == place.edited(seen), "the slot itself changed")
    me.get(place.SLOT_2)
    me.put(place.SLOT, place.edited(again, note="fasting, labs"), 200, {"If-Match": again.etag})


@case(
    "b133",
    "jon-agency-api-requires-a-revision",
    "token-missing",
    "428",
    alone="token-missing",
    description=(
        "The harbour demands If-Match; an agency's new client reads a ship and saves it without: 428 three times, "
        "between polls; its reads show the tag."
    ),
)
def required(stage: Stage) -> None:
    """Save without what is demanded."""
    front = fronts.traefik(stage, [place.harbour(stage, REQUIRE="1")])
    me = stage.actor("client", front, place.PORT, "java", {"X-Agent": "agency-9"})
    place.watch(me, 2)
    for _ in range(3):
        seen = me.get(place.VESSEL)
        me.put(place.VESSEL, place.edited(seen, eta="2026-11-27T08:00:00Z"), 428)
    place.watch(me, 1)


@case(
    "b134",
    "jon-mobile-stack-guards-every-method",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "The mobile platform's HTTP stack adds If-None-Match with the cached tag to a PUT as well: refused while "
        "nothing has changed. The same user's desktop client, without the cache, saves."
    ),
)
def stack(stage: Stage) -> None:
    """Let a cache guard a save."""
    server = place.harbour(stage)
    phone = {"X-Agent": "ines", "User-Agent": "QuayMobile/41 CFNetwork/1568.300.101 Darwin/24.2.0"}
    me = stage.actor("client", server, place.PORT, "requests", phone)
    me.program = kit.Caching(me.program)
    other = stage.actor("other", server, place.PORT, "node:axios", {"X-Agent": "ines"})
    me.get(f"{place.V2}/berths")
    seen = me.get(place.BERTH_2)
    me.get(place.BERTH_2, 304)
    me.put(place.BERTH_2, place.edited(seen, remark="fender 4, ladder"), 412)
    me.get(place.BERTH_2, 304)
    me.put(place.BERTH_2, place.edited(seen, remark="fender 4, ladder"), 412)
    other.put(place.NOTICE, place.edited(other.get(place.NOTICE), severity="warning"), 200)


@case(
    "b135",
    "jon-watch-index-cleared",
    "token-expired",
    "400",
    alone="token-expired",
    also="status-dialect-mismatch",
    description=(
        "A watcher goes on from an etcd index after a pause in which more than a thousand events passed: 400 with "
        "errorCode 401, outdated and cleared; it lists again and watches from the fresh index."
    ),
)
def cleared(stage: Stage) -> None:
    """Watch from an index that etcd no longer keeps."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.meridian.test", "httpx", {"User-Agent": "confwatch/0.4"})
    me.put("/v2/keys/conf/lanes", "value=4", 201, _FORM)
    index = int(me.get("/v2/keys/conf?recursive=true").fields["x-etcd-index"])
    me.get(f"/v2/keys/conf/lanes?wait=true&waitIndex={index}")
    for turn in range(1040):
        url = f"http://127.0.0.1:{server.port}/v2/keys/load?value={turn}"
        urllib.request.urlopen(urllib.request.Request(url, method="PUT")).close()
    me.get(f"/v2/keys/conf/lanes?wait=true&waitIndex={index + 1}", 400)
    me.get(f"/v2/keys/conf/lanes?wait=true&waitIndex={index + 1}", 400)
    me.get("/v2/keys/conf?recursive=true")
    put = me.put("/v2/keys/conf/lanes", "value=5", 200, _FORM).json["node"]["modifiedIndex"]
    me.get(f"/v2/keys/conf/lanes?wait=true&waitIndex={put}")


@case(
    "b136",
    "jon-change-ticket-lapsed",
    "token-expired",
    "412",
    alone="token-expired lease-or-lock",
    description=(
        "The energy supplier's change tickets live two seconds; the operator's save after a pause is refused with "
        "TICKET_LAPSED although the tag is current; with a new ticket it passes."
    ),
)
def lapsed(stage: Stage) -> None:
    """Save under a ticket that has lapsed."""
    server = place.meters(stage, TICKET="2")
    always = {"X-Operator": "op-22", "Content-Type": "application/xml"}
    me = stage.actor("client", server, place.EMS, "urllib", always)

    def ticket() -> dict[str, str]:
        text = me.send("POST", "/ems/tickets", 201).text
        return {"X-Change-Ticket": text.split('"')[1]}

    one, tag = ticket(), me.get(place.SITE).etag
    tag = me.put(place.SITE, place.meter(rate="0.33"), 200, {**one, "If-Match": tag}).etag
    me.get("/ems/heartbeat", 204)
    time.sleep(2.5)
    me.put(place.SITE, place.meter(rate="0.34"), 412, {**one, "If-Match": tag})
    me.put(place.SITE, place.meter(rate="0.34"), 200, {**ticket(), "If-Match": tag})


@case(
    "b137",
    "jon-read-in-german-write-in-english",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A portal reads an appointment with Accept-Language: de and writes without it; tags differ by language, so "
        "every save is refused; a read without the field has the tag that passes."
    ),
)
def languages(stage: Stage) -> None:
    """Read one representation and write against another."""
    front = fronts.lighttpd(stage, place.clinic(stage, VARIANTS="1"))
    me = stage.actor("client", front, place.PRAXIS, "node:axios", {"X-Staff": "portal"})
    german = {"Accept-Language": "de-AT,de;q=0.8"}
    me.get("/clinic/api/appointments", 200, german)
    for note in ("nüchtern", "nüchtern!"):
        tag = me.get(place.SLOT, 200, german).etag
        me.put(place.SLOT, place.document(place.SLOT, note=note), 412, {"If-Match": tag})
    tag = me.get(place.SLOT).etag
    me.put(place.SLOT, place.document(place.SLOT, note="nüchtern"), 200, {"If-Match": tag})


@case(
    "b138",
    "jon-dates-with-fractions",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "The clinic has dates only and compares times with fractions: the exact echo of Last-Modified is refused on "
        "each record though the body's modified shows the same second; nobody writes."
    ),
)
def fractions(stage: Stage) -> None:
    """Echo a date that is cut to the second."""
    server = place.clinic(stage, DATES="1")
    me = stage.actor("client", server, place.PRAXIS, "java", {"X-Staff": "okafor"})
    for slot in (place.SLOT, place.SLOT_2):
        seen = me.get(slot)
        since = {"If-Unmodified-Since": seen.fields["last-modified"]}
        me.put(slot, place.edited(seen, note="seen"), 412, since)
        me.get(slot)


@case(
    "b139",
    "jon-server-clock-runs-ahead",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "The clinic's server runs six minutes ahead. A tablet guards its second save with its own time of the first "
        "one, which is before the server's Last-Modified: 412. With the echoed date it passes."
    ),
)
def skewed(stage: Stage) -> None:
    """Take one's own clock for the server's."""
    server = place.clinic(stage, "+6m", DATES="1", SECOND="1")
    me = stage.actor("client", server, place.PRAXIS, "requests", {"X-Staff": "ward-tablet"})
    seen = me.get(place.SLOT)
    since = {"If-Unmodified-Since": seen.fields["last-modified"]}
    me.put(place.SLOT, place.edited(seen, note="arrived"), 200, since)
    own = {"If-Unmodified-Since": formatdate(usegmt=True)}
    time.sleep(1.2)
    me.put(place.SLOT, place.edited(seen, note="in room 2"), 412, own)
    told = me.get(place.SLOT).fields["last-modified"]
    me.put(place.SLOT, place.edited(seen, note="in room 2"), 200, {"If-Unmodified-Since": told})


@case(
    "b140",
    "jon-mirror-sends-iso-dates",
    "bad-date",
    "412",
    alone="bad-date",
    description=(
        "A mirror script guards ranges on nginx with If-Unmodified-Since in ISO 8601; nginx takes what it cannot "
        "read as failed: 412 on each file; unguarded and with the header's own form it gets 206."
    ),
)
def iso(stage: Stage) -> None:
    """Send a date in a form that HTTP does not have."""
    files: dict[str, str | bytes] = {"pub/chart-12.tif": b"II*\0" * 900, "pub/chart-13.tif": b"II*\1" * 900}
    server = fronts.site(stage, "nginx", files)
    me = stage.actor("client", server, "charts.zeehaven.test", "urllib", {"User-Agent": "chart-mirror/2"})
    for path in ("/pub/chart-12.tif", "/pub/chart-13.tif"):
        head = me.send("GET", path, 206, {"Range": "bytes=0-1023"})
        served = head.fields["last-modified"]
        moment = parsedate_to_datetime(served).strftime("%Y-%m-%dT%H:%M:%SZ")
        me.send("GET", path, 412, {"Range": "bytes=1024-2047", "If-Unmodified-Since": moment})
    me.send("GET", path, 206, {"Range": "bytes=1024-2047", "If-Unmodified-Since": served})


@case(
    "b141",
    "jon-eastern-time-labelled-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "An uploader formats lighttpd's Last-Modified in New York's time and writes GMT behind it: five hours too "
        "early, so each guarded PUT on its WebDAV is refused; minutes and seconds agree."
    ),
)
def eastern(stage: Stage) -> None:
    """Write local time as GMT."""
    files: dict[str, str | bytes] = {"drop/a.txt": "1,2\n", "drop/b.txt": "3,4\n"}
    server = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"])
    me = stage.actor("client", server, "drop.meridian.test", "aiohttp", {"User-Agent": "dropper/5.0"})
    for path in ("/drop/a.txt", "/drop/b.txt"):
        served = me.get(path).fields["last-modified"]
        local = formatdate(parsedate_to_datetime(served).timestamp() - 5 * 3600, usegmt=True)
        me.put(path, "1,2\n5,6\n", 412, {"If-Unmodified-Since": local, "Content-Type": "text/plain"})
    me.put(path, "3,4\n5,6\n", (200, 204), {"If-Unmodified-Since": served, "Content-Type": "text/plain"})


@case(
    "b142",
    "jon-deploy-holds-the-lease",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "A deployment holds a lease on a blob; the nightly job uploads without one: 412 LeaseIdMissing, again a "
        "second later; after the release it passes. The tags never changed."
    ),
)
def leased(stage: Stage) -> None:
    """Write to a leased blob."""
    server = kit.container(stage, state_tf=b'{"serial":4}', log_txt=b"")
    me, other = kit.Containers(stage, "client", server), kit.Containers(stage, "other", server)
    tag = me.tag("state.tf")
    lease: Any = other.on("state.tf", lambda one: one.acquire_lease(lease_duration=60))
    me.upload("state.tf", b'{"serial":5}', tag, "LeaseIdMissing")
    me.on("log.txt", lambda one: one.upload_blob(b"waiting", overwrite=True))
    time.sleep(0.9)
    me.upload("state.tf", b'{"serial":5}', tag, "LeaseIdMissing")
    other.on("state.tf", lambda _: lease.release())
    me.upload("state.tf", b'{"serial":5}', tag)


@case(
    "b143",
    "jon-lock-of-the-other-document",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "An office add-in locks one document on Apache's WebDAV and saves another one with that lock token in If: "
        "412; the save of the locked document with the same token passes."
    ),
)
def other_lock(stage: Stage) -> None:
    """Show a lock of another document."""
    files: dict[str, str | bytes] = {"office/offer.txt": "offer 1\n", "office/order.txt": "order 1\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "office.meridian.test", "requests", {"User-Agent": "OfficeAddin/16.1"})
    info = '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/>'
    info += "</locktype><owner>mila</owner></lockinfo>"
    fields = {"Content-Type": "application/xml", "Timeout": "Second-120", "Depth": "0"}
    token = me.send("LOCK", "/office/offer.txt", 200, fields, info).fields["lock-token"]
    me.get("/office/order.txt")
    me.put("/office/order.txt", "order 2\n", 412, {"If": f"({token})"})
    me.put("/office/offer.txt", "offer 2\n", 204, {"If": f"({token})"})
    me.put("/office/order.txt", "order 2\n", 412, {"If": f"({token})"})
    me.send("UNLOCK", "/office/offer.txt", 204, {"Lock-Token": token})
