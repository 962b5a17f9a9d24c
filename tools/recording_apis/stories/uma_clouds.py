"""Unseen recordings: interfaces of clouds and offices."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps import uma_clouds as clouds
from tools.recording_apis.apps.uma_ledger import Ledger
from tools.recording_apis.stage import case
from tools.recording_apis.stories import uma_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage


@case(
    "d199",
    "calendar-rehearsal-moved-twice",
    "other-writer",
    "412",
    alone="other-writer",
    synthetic=True,
    description=(
        "Two assistants of a theatre move one rehearsal in a Google calendar. The second one's update carries the etag "
        "of before the first one's and is 412 conditionNotMet; the event read after it has another room and sequence."
    ),
)
def rehearsal(stage: Stage) -> None:
    """Update an event that another has updated."""
    rows = {
        f"ev{n}": {"summary": f"Probe {n}", "location": "Bühne", "start": {"date": f"2027-01-1{n}"}}
        for n in range(4)
    }
    server = place.house(stage, clouds.calendar(Ledger(rows)), "ESF")
    base = "/calendar/v3/calendars/spielplan/events"
    me = stage.actor(
        "client", server, "www.googleapis.example", "httpx", {"Authorization": "Bearer ya29.assist-1"}
    )
    other = stage.actor(
        "other", server, "www.googleapis.example", "requests", {"Authorization": "Bearer ya29.assist-2"}
    )
    me.get(base)
    for name in ("ev0", "ev3"):
        place.edit(me, f"{base}/{name}", location="Foyer")
    seen, theirs = me.get(f"{base}/ev2"), other.get(f"{base}/ev2")
    place.kept(me, f"{base}/ev1", me.get(f"{base}/ev1"))
    place.save(other, f"{base}/ev2", theirs, location="Probebühne 3")
    place.pause()
    place.save(me, f"{base}/ev2", seen, 412, method="PATCH", start={"date": "2027-01-15"})
    place.holds(me.get(f"{base}/ev2").json["location"] == "Probebühne 3")
    me.get(base)


@case(
    "d200",
    "two-workers-of-one-exporter",
    "self-race",
    "412",
    alone="self-race",
    synthetic=True,
    description=(
        "One run of an exporter uploads an index to Cloud Storage from two workers at once, both with the generation "
        "that the run read at its start. The uploads overlap; the first is stored, the second is 412."
    ),
)
def exporter(stage: Stage) -> None:
    """Send two uploads under one generation."""
    files = {f"tiles/{n}.json": f'{{"tile": {n}}}' for n in range(3)} | {"tiles/index.json": '{"tiles": 3}'}
    server = place.house(stage, clouds.storage(Ledger(files), slow=0.5), "UploadServer")
    run = {"Authorization": "Bearer ya29.export", "x-goog-custom-audit-run": "exp-2207"}
    me = stage.actor("client", server, "storage.googleapis.example", "requests", run)
    me.get("/storage/v1/b/karten/o?prefix=tiles/")
    own = {"Content-Type": "application/json"}
    for number in range(3):
        seen = me.get(f"/storage/v1/b/karten/o/tiles%2F{number}.json").json
        query = f"uploadType=media&name=tiles/{number}.json&ifGenerationMatch={seen['generation']}"
        me.send(
            "POST", f"/upload/storage/v1/b/karten/o?{query}", 200, own, f'{{"tile": {number}, "zoom": 9}}'
        )
    now = me.get("/storage/v1/b/karten/o/tiles%2Findex.json").json["generation"]
    path = f"/upload/storage/v1/b/karten/o?uploadType=media&name=tiles/index.json&ifGenerationMatch={now}"
    second = place.twin(me)
    place.together(
        lambda: me.send("POST", path, 200, own, '{"tiles": 4, "worker": 1}'),
        lambda: second.send("POST", path, 412, own, '{"tiles": 5, "worker": 2}'),
        apart=0.15,
    )
    second.program.close()
    me.get("/storage/v1/b/karten/o/tiles%2Findex.json?alt=media")
    fresh = "/upload/storage/v1/b/karten/o?uploadType=media&name=tiles/4.json&ifGenerationMatch=0"
    me.send("POST", fresh, 200, own, '{"tile": 4}')


@case(
    "d201",
    "cluster-goes-on-after-the-answer",
    "server-side-mutation",
    "409",
    alone="server-side-mutation",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A pipeline changes the node count of an AKS cluster and, with the eTag of that very answer, a label. In "
        "between the service itself went from Updating to Succeeded, so it is 409 EtagMismatch; lastModifiedBy is the "
        "resource provider, and nobody else writes."
    ),
)
def cluster(stage: Stage) -> None:
    """Write while an operation of the service goes on."""
    base = "/subscriptions/5d1/resourceGroups/rg-shop/providers/Microsoft.ContainerService/managedClusters"
    state = {"provisioningState": "Succeeded", "count": 3, "labels": {}}
    box = Ledger(
        {f"{base}/aks-{n}": {"location": "westeurope", "properties": state} for n in ("blue", "green")}
    )
    server = place.house(stage, clouds.aks(box), "Microsoft-HTTPAPI/2.0", "waitress")
    always = {"Authorization": "Bearer eyJ.pipeline", "x-user": "pipeline@shop.example"}
    me = stage.actor("client", server, "management.azure.example", "node:axios", always)
    version = "?api-version=2024-09-01"
    me.get(base + version)
    place.glance(me, [base + version, f"{base}/aks-green{version}"], 5, 201)
    seen = me.get(f"{base}/aks-blue{version}").json
    props: dict[str, Any] = {**seen["properties"], "count": 5, "provisioningState": "Updating"}
    own = {"If-Match": f'"{seen["eTag"]}"'}
    made = me.put(f"{base}/aks-blue{version}", {"location": "westeurope", "properties": props}, 200, own).json
    done = {**props, "provisioningState": "Succeeded"}
    timer = threading.Timer(
        0.6, lambda: box.merge(f"{base}/aks-blue", "Microsoft.ContainerService", properties=done)
    )
    timer.start()
    place.pause(0.3)
    me.get(f"{base}/aks-green{version}")
    place.pause(0.7)
    timer.join()
    own = {"If-Match": f'"{made["eTag"]}"'}
    body = {"location": "westeurope", "properties": {**props, "labels": {"tier": "web"}}}
    me.put(f"{base}/aks-blue{version}", body, 409, own)
    now = me.get(f"{base}/aks-blue{version}").json
    place.holds(
        now["systemData"]["lastModifiedBy"] == "Microsoft.ContainerService"
        and now["properties"]["count"] == 5
    )


@case(
    "d205",
    "planner-gets-undefined",
    "null-token",
    "400",
    alone="null-token malformed-validator",
    synthetic=True,
    description=(
        "A board takes the tag of a Planner task from a member that its list has under another name, and sends "
        "If-Match: undefined: 400, invalid value, each time. A task opened by itself is saved with its tag."
    ),
)
def undefined(stage: Stage) -> None:
    """Send the word for nothing."""
    tasks = {f"tk{n}": {"title": f"Stand {n}", "percentComplete": 0, "planId": "messe"} for n in range(4)}
    server = place.house(stage, clouds.planner(Ledger(tasks)), "Microsoft-IIS/10.0", "cheroot")
    me = stage.actor(
        "client", server, "graph.microsoft.example", "node:fetch", {"Authorization": "Bearer eyJ.board"}
    )
    me.get("/v1.0/planner/plans/messe/tasks")
    for title in ("Stand 0, Halle 4", "Stand 0, Halle 5"):
        held = me.get("/v1.0/planner/tasks/tk0").json["@odata.etag"]
        me.send("PATCH", "/v1.0/planner/tasks/tk0", 204, {"If-Match": held}, {"title": title})
    for number in (1, 2):
        own = {"If-Match": "undefined"}
        me.send("PATCH", f"/v1.0/planner/tasks/tk{number}", 400, own, {"percentComplete": 50})
    seen = me.get("/v1.0/planner/tasks/tk3").json
    me.send(
        "PATCH", "/v1.0/planner/tasks/tk3", 204, {"If-Match": seen["@odata.etag"]}, {"percentComplete": 100}
    )
    place.pause(0.4)
    me.get("/v1.0/planner/plans/messe/tasks")
    me.send("PATCH", "/v1.0/planner/tasks/tk1", 400, {"If-Match": "undefined"}, {"percentComplete": 50})


@case(
    "d206",
    "drive-item-tag-with-quot-entities",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    synthetic=True,
    description=(
        "An add-in keeps the eTag of a OneDrive item in a page's attribute and sends it with &quot; for its quotes: "
        "412 resourceModified. The item's eTag is the same before and after."
    ),
)
def entities(stage: Stage) -> None:
    """Send a tag that went through HTML."""
    items = {f"01ABX{n}": {"name": f"angebot-{n}.docx", "size": 18000 + n} for n in (3, 5, 7)}
    server = place.house(stage, clouds.onedrive(Ledger(items)), "Microsoft-IIS/10.0")
    me = stage.actor(
        "client", server, "graph.microsoft.example", "aiohttp", {"Authorization": "Bearer eyJ.addin"}
    )
    base = "/v1.0/me/drive"
    me.get(f"{base}/special/documents/children")
    seen = me.get(f"{base}/items/01ABX5").json["eTag"]
    for name in ("angebot-5 final.docx", "angebot-5 final.docx"):
        own = {"If-Match": seen.replace('"', "&quot;")}
        me.send("PATCH", f"{base}/items/01ABX5", 412, own, {"name": name})
        place.holds(me.get(f"{base}/items/01ABX5").json["eTag"] == seen)
    other = me.get(f"{base}/items/01ABX7").json["eTag"]
    me.send("PATCH", f"{base}/items/01ABX7", 200, {"If-Match": other}, {"name": "angebot-7b.docx"})


@case(
    "d207",
    "the-fingerprint-beside-it",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description=(
        "A script sets the metadata of a Compute instance with the instance's own fingerprint instead of the one "
        "inside metadata: 412, again after a fresh read. Its labels, with labelFingerprint, are set."
    ),
)
def fingerprint(stage: Stage) -> None:
    """Take a fingerprint of another part."""
    machines = {
        f"web-{n}": {"metadata": [{"key": "role", "value": "web"}], "labels": {"env": "prod"}} for n in (1, 2)
    }
    server = place.house(stage, clouds.compute(Ledger(machines)), "ESF")
    me = stage.actor(
        "client", server, "compute.googleapis.example", "requests", {"Authorization": "Bearer ya29.ops"}
    )
    base = "/compute/v1/projects/laden/zones/europe-west3-b/instances"
    me.get(base)
    place.glance(me, [base, f"{base}/web-2"], 5, 207)
    for _ in range(2):
        seen = me.get(f"{base}/web-1").json
        body = {"fingerprint": seen["fingerprint"], "items": [{"key": "role", "value": "edge"}]}
        me.send("POST", f"{base}/web-1/setMetadata", 412, body=body)
        place.pause(0.3)
    labels = {"labelFingerprint": seen["labelFingerprint"], "labels": {"env": "prod", "owner": "lin"}}
    me.send("POST", f"{base}/web-1/setLabels", 200, body=labels)
    me.get(f"{base}/web-2")


@case(
    "d210",
    "a-deletion-with-another-ttl",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    synthetic=True,
    description=(
        "A DNS operator deletes a record set with the time to live of its own file, 300, where the live one has 60. "
        "Cloud DNS refuses the whole change, which names deletions[0]; a change of another name passes."
    ),
)
def ttl(stage: Stage) -> None:
    """Name an old record that differs in one member."""

    def rrset(name: str, seconds: int, *values: str) -> dict[str, Any]:
        return {"name": f"{name}.laden.example.", "type": "A", "ttl": seconds, "rrdatas": list(values)}

    live = [
        rrset("www", 60, "192.0.2.10"),
        rrset("api", 300, "192.0.2.20"),
        rrset("mail", 3600, "192.0.2.30"),
    ]
    box = Ledger({f"{one['name']} A": one for one in live})
    server = place.house(stage, clouds.dns(box), "ESF", "waitress")
    me = stage.actor(
        "client", server, "dns.googleapis.example", "urllib", {"User-Agent": "external-names/0.13"}
    )
    base = "/dns/v1/projects/laden/managedZones/laden"
    place.glance(me, [f"{base}/rrsets", f"{base}/changes"], 5, 210)
    change = {"deletions": [rrset("www", 300, "192.0.2.10")], "additions": [rrset("www", 300, "192.0.2.11")]}
    me.send("POST", f"{base}/changes", 412, body=change)
    second = {"deletions": [rrset("api", 300, "192.0.2.20")], "additions": [rrset("api", 300, "192.0.2.21")]}
    me.send("POST", f"{base}/changes", 200, body=second)
    me.get(f"{base}/changes")
    place.pause(0.8)
    me.send("POST", f"{base}/changes", 412, body=change)
    me.get(f"{base}/rrsets")


@case(
    "d212",
    "distribution-without-a-version",
    "token-missing",
    "400",
    alone="token-missing",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A deployment reads a CloudFront distribution's config and puts it back without If-Match: 400 "
        "InvalidIfMatchVersion, on three tries. The ETag was in each answer to its reads."
    ),
)
def distribution(stage: Stage) -> None:
    """Write without the token that is required."""
    config = "<DistributionConfig><Comment>{}</Comment><Enabled>true</Enabled></DistributionConfig>"
    box = Ledger({name: config.format(name.lower()) for name in ("E1SHOP", "E2BLOG", "E3DOCS")})
    server = place.house(stage, clouds.cloudfront(box), "CloudFront")
    me = stage.actor(
        "client", server, "cloudfront.amazonaws.example", "curl:trace-time", {"User-Agent": "deploy.sh"}
    )
    base = "/2020-05-31/distribution"
    me.get(base)
    for name in ("E1SHOP", "E2BLOG", "E1SHOP"):
        seen = me.get(f"{base}/{name}/config")
        place.holds(seen.etag)
        body = seen.text.replace("true", "false")
        me.put(f"{base}/{name}/config", body, 400, {"Content-Type": "text/xml"})
        place.pause(0.3)
    me.get(f"{base}/E3DOCS/config")


@case(
    "d220",
    "contacts-read-a-moment-too-early",
    "replica-lag",
    "400",
    alone="replica-lag",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A sync program updates a contact of Google People and reads it again at once: the read still has the etag of "
        "before, and the next update with it is 400 FAILED_PRECONDITION, twice. Two seconds later the read has caught up."
    ),
)
def contacts(stage: Stage) -> None:
    """Read one's own update too early."""
    rows = {f"people/c{n}": {"names": [{"givenName": f"N{n}"}], "phoneNumbers": []} for n in (701, 702, 703)}
    server = place.house(stage, clouds.people(Ledger(rows), 1.7), "ESF", "cheroot")
    me = stage.actor(
        "client", server, "people.googleapis.example", "java", {"Authorization": "Bearer ya29.sync"}
    )
    ask = "?personFields=names,phoneNumbers"

    def update(seen: Answer, expect: int, number: str) -> Answer:
        body = {"etag": seen.json["etag"], "phoneNumbers": [{"value": number}]}
        return me.send(
            "PATCH", "/v1/people/c702:updateContact?updatePersonFields=phoneNumbers", expect, body=body
        )

    me.get(f"/v1/people/me/connections{ask}")
    seen = me.get(f"/v1/people/c702{ask}")
    made = update(seen, 200, "+49 30 5550101")
    for _ in range(2):
        old = me.get(f"/v1/people/c702{ask}")
        place.holds(old.json["etag"] == seen.json["etag"])
        update(old, 400, "+49 30 5550102")
        place.pause(0.4)
    place.pause(1.3)
    place.holds(me.get(f"/v1/people/c702{ask}").json["etag"] == made.json["etag"])


@case(
    "d221",
    "state-file-on-a-store-without-if-match",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    synthetic=True,
    description=(
        "A tool keeps its state on a store after S3 that takes If-None-Match: * but answers 501 NotImplemented to any "
        "If-Match on a write, also right after a read and with the tag of its own write."
    ),
)
def statefile(stage: Stage) -> None:
    """Ask a store for what it cannot do."""
    box = Ledger({"/infra/old.tfstate": '{"serial": 3}', "/infra/readme": "states"})
    server = place.house(stage, clouds.vast(box), "vast 5.2", "waitress")
    me = stage.actor("client", server, "s3.lager.test", "httpx", {"User-Agent": "tofu/1.9"})
    place.glance(me, ["/infra/", "/infra/readme", "/infra/old.tfstate"], 6, 221)
    made = me.put("/infra/net.tfstate", '{"serial": 1}', 200, {"If-None-Match": "*"})
    me.put("/infra/net.tfstate", '{"serial": 2}', 501, {"If-Match": made.etag})
    seen = me.get("/infra/net.tfstate")
    me.put("/infra/net.tfstate", '{"serial": 2}', 501, {"If-Match": seen.etag})
    me.put("/infra/.lock", "net", 200, {"If-None-Match": "*"})
    place.pause(0.5)
    me.put("/infra/old.tfstate", '{"serial": 4}', 501, {"If-Match": me.get("/infra/old.tfstate").etag})


@case(
    "d225",
    "cosmos-stock-counted-by-two",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "Two shops count one stock in Cosmos DB with If-Match. Each of them meets a 412 now and then, reads again, adds "
        "to the new number and stores it; in the end the sum is right."
    ),
)
def stock(stage: Stage) -> None:
    """Count together without loss."""
    base = "/dbs/laden/colls/bestand/docs"
    box = Ledger({f"{base}/{n}": {"sku": n, "count": 40} for n in ("tee", "salz", "reis")})
    server = place.house(stage, clouds.cosmos(box), "Microsoft-HTTPAPI/2.0")
    me = stage.actor(
        "client", server, "laden.documents.azure.example", "requests", {"User-Agent": "kasse-nord"}
    )
    other = stage.actor(
        "other", server, "laden.documents.azure.example", "aiohttp", {"User-Agent": "kasse-sued"}
    )

    def sell(who: Actor, seen: Answer, expect: int = 200) -> Answer:
        body = {**seen.json, "count": seen.json["count"] - 1}
        return who.put(f"{base}/tee", body, expect, {"If-Match": seen.etag})

    me.get(base)
    for turn in range(4):
        mine, theirs = me.get(f"{base}/tee"), other.get(f"{base}/tee")
        if turn % 2:
            sell(other, theirs)
            sell(me, mine, 412)
            sell(me, me.get(f"{base}/tee"))
        else:
            sell(me, mine)
            sell(other, theirs, 412)
            sell(other, other.get(f"{base}/tee"))
        place.pause(0.2)
    last = me.get(f"{base}/tee")
    place.holds(last.json["count"] == 32, last.json)
    place.kept(me, f"{base}/tee", last)


def zoned(date: str, hours: int) -> str:
    """Return an HTTP date as a clock so many hours off would write it."""
    form = "%a, %d %b %Y %H:%M:%S GMT"
    moment = dt.datetime.strptime(date, form).replace(tzinfo=dt.UTC)
    return (moment + dt.timedelta(hours=hours)).strftime(form)
