"""More busy days on APIs in use with nothing wrong."""

from __future__ import annotations

import base64
import re
from typing import Any

from tools.recording_apis.apps.tom_body import Contentful
from tools.recording_apis.apps.tom_counts import Raven
from tools.recording_apis.apps.tom_engine import Reply, Request
from tools.recording_apis.apps.tom_tagged import Fhir
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.tom_setting import (
    api,
    azure,
    bearer,
    look,
    must,
    news,
    report,
    rest,
    seek,
    sign_in,
    wait_for,
)


@case(
    "d164",
    "tom-family-calendar-on-radicale",
    "none",
    "healthy",
    alone="none",
    description="A phone and a laptop share a calendar on Radicale: listings with getetag, events created under If-None-Match: *, changed and deleted under the tag of the last answer, a REPORT for what is missing, and a 404 for one that the other device has deleted and the listing no longer has.",
)
def family(stage: Stage) -> None:
    """Synchronise in turns."""
    server = stage.server("radicale")
    basic = {"Authorization": "Basic dGltOnB3"}
    me = stage.actor("client", server, "cal.family.test", "httpx", {**basic, "User-Agent": "DAVx5/4.4.5-ose"})
    other = stage.actor(
        "other", server, "cal.family.test", "requests", {**basic, "User-Agent": "Thunderbird/128.4"}
    )
    made = '<C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop><displayname>Family</displayname></prop></set></C:mkcalendar>'
    me.send("MKCALENDAR", "/tim/family/", 201, {"Content-Type": "text/xml"}, made)
    text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:{0}\r\nDTSTART:20260601T08{1:02d}00Z\r\nDTSTAMP:20260501T000000Z\r\nSUMMARY:{0}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    kind, xml = {"Content-Type": "text/calendar"}, {"Content-Type": "text/xml"}
    tags = {
        name: me.put(
            f"/tim/family/{name}.ics", text.format(name, 0), 201, {**kind, "If-None-Match": "*"}
        ).etag
        for name in ("swim", "vet", "tea")
    }
    query = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    listed = other.send("PROPFIND", "/tim/family/", 207, {**xml, "Depth": "1"}, query).text
    must(all(tag.strip('"') in listed for tag in tags.values()), "not listed")
    report_body = '<C:calendar-multiget xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/><C:calendar-data/></prop><href>/tim/family/swim.ics</href><href>/tim/family/vet.ics</href></C:calendar-multiget>'
    other.send("REPORT", "/tim/family/", 207, {**xml, "Depth": "1"}, report_body)
    tags["swim"] = other.put(
        "/tim/family/swim.ics", text.format("swim", 30), (201, 204), {**kind, "If-Match": tags["swim"]}
    ).etag
    other.send("DELETE", "/tim/family/tea.ics", 200, {"If-Match": tags["tea"]})
    rest(0.4)
    again = me.send("PROPFIND", "/tim/family/", 207, {**xml, "Depth": "1"}, query).text
    must("tea.ics" not in again, "kept")
    me.get("/tim/family/tea.ics", 404)
    tag = me.get("/tim/family/swim.ics").etag
    must(tag == tags["swim"], "another")
    me.put("/tim/family/swim.ics", text.format("swim", 45), (201, 204), {**kind, "If-Match": tag})
    me.put("/tim/family/vet.ics", text.format("vet", 15), (201, 204), {**kind, "If-Match": tags["vet"]})


@case(
    "d165",
    "tom-archive-read-in-ranges",
    "none",
    "healthy",
    alone="none",
    description="An archive and its checksum are created on SeaweedFS under If-None-Match: *; a reader takes the archive in ranges under If-Match of its tag, asks again with If-None-Match (304), and the older archive is copied and deleted. HEAD 404 comes before the first.",
)
def archive(stage: Stage) -> None:
    """Create once and read in ranges."""
    server = stage.server("seaweedfs")
    me = stage.actor("client", server, "s3.archive.test", "requests")
    other = stage.actor("other", server, "s3.archive.test", "curl")
    me.put("/vault", None, 200)
    me.put("/vault/2025.tar", "old " * 50, 200)
    me.send("HEAD", "/vault/2026.tar", 404)
    made = me.put("/vault/2026.tar", "days of the year " * 250, 200, {"If-None-Match": "*"})
    me.put("/vault/2026.sha256", "0f" * 32, 200, {"If-None-Match": "*"})
    head = me.send("HEAD", "/vault/2026.tar", 200)
    must(head.etag == made.etag, head.etag)
    rest(0.3)
    for low in (3960, 3980, 4000):
        other.get("/vault/2026.tar", 206, {"Range": f"bytes={low}-{low + 15}", "If-Match": head.etag})
    other.get("/vault/2026.tar", 304, {"If-None-Match": head.etag})
    me.put("/vault/old%2F2025.tar", None, 200, {"x-amz-copy-source": "/vault/2025.tar"})
    me.send("DELETE", "/vault/2025.tar", 204)
    me.send("HEAD", "/vault/2025.tar", 404)
    me.get("/vault?list-type=2")


@case(
    "d166",
    "tom-records-of-a-busy-ward",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description="A ward's program creates observations, some with If-None-Exist (200 for one that is there, 201 for the rest), reads with If-None-Match (304), updates with the version it has just been given, and finds that a cancelled order is 404.",
)
def ward(stage: Stage) -> None:
    """Work on records."""
    base = "/fhir/Observation"
    product = Fhir(
        {
            f"{base}/{number}": {
                "status": "final",
                "identifier": [{"value": f"o-{number}"}],
                "value": 37 + number,
            }
            for number in (1, 2)
        }
    )
    server = api(stage, product, "FHIR server")
    me = stage.actor("client", server, "fhir.ward9.test", "aiohttp", bearer("ward9"))
    other = stage.actor("other", server, "fhir.ward9.test", "requests", bearer("lab"))
    kind = {"Content-Type": "application/fhir+json"}
    me.send(
        "POST",
        base,
        200,
        {**kind, "If-None-Exist": "identifier=o-2"},
        {"status": "final", "identifier": [{"value": "o-2"}]},
    )
    for number in (5, 6):
        made = me.send(
            "POST",
            base,
            201,
            {**kind, "If-None-Exist": f"identifier=o-{number}"},
            {"status": "preliminary", "identifier": [{"value": f"o-{number}"}], "value": 36},
        )
        path = re.sub("/_history/.*", "", made.fields["location"])
        first = me.put(path, {**made.json, "status": "final"}, 200, {**kind, "If-Match": made.etag})
        me.get(path, 304, {"If-None-Match": first.etag})
        seen = other.get(path)
        second = other.put(
            path, {**seen.json, "note": [{"text": "checked"}]}, 200, {**kind, "If-Match": seen.etag}
        )
        must(second.etag == 'W/"3"', second.etag)
        me.get(path, 200, {"If-None-Match": first.etag})
    me.send("DELETE", f"{base}/1", 204)
    me.get(f"{base}/1", 404)
    me.get(f"{base}?identifier=o-2")
    news(me)
    wait_for(me, "export-2")
    report(other)


@case(
    "d167",
    "tom-two-jobs-wait-for-one-lease",
    "none",
    "healthy",
    alone="none expected-control-flow",
    description="Two jobs process one inbox blob by turns under a lease. The second asks for the lease while the first has it (409 LeaseAlreadyPresent), waits as it is told to, gets it after the release and writes. Each write carries its lease; properties are read with If-None-Match.",
)
def turns(stage: Stage) -> None:
    """Wait for a lease."""
    server = stage.server("azurite")
    version, block = {"x-ms-version": "2021-12-02"}, {"x-ms-blob-type": "BlockBlob"}
    me = stage.actor("client", server, "inbox.blob.test", "httpx", version)
    other = stage.actor("other", server, "inbox.blob.test", "requests", version)
    azure(me, "PUT", "/notes/inbox?restype=container", 201)
    azure(me, "PUT", "/notes/inbox/queue.json", 201, {**block, "If-None-Match": "*"}, "[1,2,3]")
    path = "/notes/inbox/queue.json"
    acquire = {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "15"}
    first: dict[str, str] = {
        "x-ms-lease-id": azure(other, "PUT", f"{path}?comp=lease", 201, acquire).fields["x-ms-lease-id"]
    }
    azure(me, "PUT", f"{path}?comp=lease", 409, acquire)
    azure(other, "PUT", path, 201, {**block, **first}, "[2,3]")
    tag = azure(me, "HEAD", path, 200).etag
    rest(0.5)
    azure(me, "GET", path, 304, {"If-None-Match": tag})
    azure(other, "PUT", f"{path}?comp=lease", 200, {"x-ms-lease-action": "release", **first})
    own = {"x-ms-lease-id": azure(me, "PUT", f"{path}?comp=lease", 201, acquire).fields["x-ms-lease-id"]}
    must(azure(me, "GET", path, 200).text == "[2,3]", "another")
    azure(me, "PUT", path, 201, {**block, **own, "If-Match": tag}, "[3]")
    azure(me, "PUT", f"{path}?comp=lease", 200, {"x-ms-lease-action": "release", **own})


@case(
    "d168",
    "tom-schedulers-compare-in-etcd",
    "none",
    "healthy",
    alone="none",
    description="Two schedulers place jobs with transactions of etcd that compare mod_revision. Each reads before it writes and all transactions succeed; range reads over the prefix, a lease with keep-alives and a deleted key go along.",
)
def etcd(stage: Stage) -> None:
    """Compare and set."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.jobs.test", "node:fetch")
    other = stage.actor("other", server, "etcd.jobs.test", "urllib")

    def read(actor: Any, key: str) -> Any:
        return actor.send("POST", "/v3/kv/range", 200, None, {"key": _b64(key)}).json.get("kvs", [{}])[0]

    def swap(actor: Any, key: str, revision: str, value: str) -> None:
        compare = [{"key": _b64(key), "target": "MOD", "result": "EQUAL", "mod_revision": revision}]
        put = [{"requestPut": {"key": _b64(key), "value": _b64(value)}}]
        done = actor.send("POST", "/v3/kv/txn", 200, None, {"compare": compare, "success": put}).json
        must(done.get("succeeded"), str(done))

    lease = me.send("POST", "/v3/lease/grant", 200, None, {"TTL": "60"}).json["ID"]
    for actor, key in ((me, "jobs/1"), (other, "jobs/2"), (me, "jobs/3")):
        must("mod_revision" not in read(actor, key), "there")
        swap(actor, key, "0", "new")
    for number, actor in enumerate((me, other, me, other)):
        seen = read(actor, "jobs/2")
        swap(actor, "jobs/2", seen["mod_revision"], f"step {number}")
        rest(0.1)
    me.send("POST", "/v3/lease/keepalive", 200, None, {"ID": lease})
    me.send("POST", "/v3/kv/range", 200, None, {"key": _b64("jobs/"), "range_end": _b64("jobs0")})
    me.send("POST", "/v3/kv/deleterange", 200, None, {"key": _b64("jobs/3")})
    must(not read(me, "jobs/3"), "there")


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@case(
    "d169",
    "tom-entries-published-by-version",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description="An importer creates, changes and publishes entries. It takes the version from each answer, also from publishing, which counts one on; a wrong field is 422, a rate limit 429 and sent again, a missing asset 404. A change vector of the search side store is carried on in the same manner.",
)
def entries(stage: Stage) -> None:
    """Take the version from each answer."""
    base = "/spaces/z3/environments/master/entries"
    product = Contentful(
        {f"{base}/e{number}": {"fields": {"name": {"de": f"Haus {number}"}}} for number in (1, 2)}, first=4
    )
    limited: list[int] = []

    def rules(request: Request) -> Reply | None:
        if request.method != "PUT" or request.path.endswith("/published"):
            return None
        if "naem" in request.json["fields"]:
            return Reply(
                422,
                {"sys": {"type": "Error", "id": "UnknownField"}, "message": "The field 'naem' is unknown"},
            )
        limited.append(1)
        if len(limited) == 3:
            return Reply(
                429,
                {"sys": {"type": "Error", "id": "RateLimitExceeded"}},
                {"X-Contentful-RateLimit-Reset": "1"},
            )
        return None

    product.before.append(rules)
    side = Raven({f"/databases/site/docs/{number}": {"name": f"Haus {number}"} for number in (1, 2)})
    me = stage.actor(
        "client", api(stage, product, "Contentful"), "api.houses.test", "requests", bearer("importer")
    )
    other = stage.actor("other", api(stage, side, "RavenDB"), "raven.houses.test", "httpx", bearer("search"))
    me.get(base)
    sign_in(me)
    look(me, "space.css")
    seek(me, "Haus")
    for number in (1, 2):
        path = f"{base}/e{number}"
        version = me.get(path).json["sys"]["version"]
        if number == 1:
            me.put(path, {"fields": {"naem": {"de": "x"}}}, 422, {"X-Contentful-Version": str(version)})
        new = {"fields": {"name": {"de": f"Haus {number}"}, "rooms": {"de": number}}}
        status = me.put(path, new, (200, 429), {"X-Contentful-Version": str(version)})
        if status.status == 429:
            rest(0.6)
            status = me.put(path, new, 200, {"X-Contentful-Version": str(version)})
        published = me.put(
            f"{path}/published", None, 200, {"X-Contentful-Version": str(status.json["sys"]["version"])}
        )
        me.put(path, new, 200, {"X-Contentful-Version": str(published.json["sys"]["version"])})
        seen = other.get(f"/databases/site/docs/{number}")
        other.put(
            f"/databases/site/docs/{number}",
            {"name": f"Haus {number}", "rooms": number},
            200,
            {"If-Match": seen.etag},
        )
    me.get("/spaces/z3/environments/master/assets/a9", 404)
