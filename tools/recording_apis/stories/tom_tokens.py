"""Clients of APIs in use and what they do with their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.tom_body import Search, Wiki
from tools.recording_apis.apps.tom_counts import Fastly
from tools.recording_apis.apps.tom_engine import Reply
from tools.recording_apis.apps.tom_google import Calendar, Storage
from tools.recording_apis.apps.tom_microsoft import Planner
from tools.recording_apis.apps.tom_tagged import Fhir, Fields, Front, Repository
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.tom_setting import (
    api,
    bearer,
    look,
    must,
    news,
    once,
    ping,
    report,
    rest,
    seek,
    sign_in,
    wait_for,
)

if TYPE_CHECKING:
    from tools.recording_apis.apps.tom_engine import Item, Request


_FRONTS = "/2020-05-31/distribution"


def _distribution(comment: str, price: str) -> str:
    return f'<DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><CallerReference>r1</CallerReference><Comment>{comment}</Comment><PriceClass>{price}</PriceClass><Enabled>true</Enabled></DistributionConfig>'


@case(
    "d094",
    "tom-state-file-keeps-the-first-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    synthetic=True,
    description="An infrastructure tool updates a CloudFront distribution, gets a new ETag in the answer, and applies a second change with the tag of its state file from before: 412 PreconditionFailed. Nobody else touches the distribution.",
)
def state(stage: Stage) -> None:
    """Apply twice with one tag."""
    config = f"{_FRONTS}/E2QX/config"
    product = Front(
        {
            config: _distribution("shop", "PriceClass_All"),
            f"{_FRONTS}/E7PL/config": _distribution("blog", "PriceClass_100"),
        }
    )
    server = api(stage, product, "CloudFront")
    agent = {"User_Agent": "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 aws-sdk-go-v2/1.32.5"}
    me = stage.actor("client", server, "cloudfront.cdn.test", "java", bearer("ci", **agent))
    stored = me.get(config).etag
    me.get(f"{_FRONTS}/E7PL/config")
    answer = me.put(config, _distribution("shop eu", "PriceClass_All"), 200, {"If-Match": stored})
    must(answer.etag != stored, "same tag")
    ping(me, 2)
    rest(0.3)
    wait_for(me, "invalidate-E2QX")
    me.put(config, _distribution("shop eu", "PriceClass_100"), 412, {"If-Match": stored})
    me.get(f"{_FRONTS}/E7PL/config")
    must(me.get(config).etag == answer.etag, "another writer")


@case(
    "d095",
    "tom-event-object-saved-twice",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    synthetic=True,
    description="A booking page keeps the event object that it read, saves it, changes the object again and saves it again: the library takes If-Match from the object's own etag member, which is from before the first save. 412 conditionNotMet; after a read the save works.",
)
def event(stage: Stage) -> None:
    """Save one object twice."""
    events = "/calendar/v3/calendars/rooms/events"
    product = Calendar(
        {f"{events}/e{number}": {"summary": f"Slot {number}", "location": "2.14"} for number in (1, 2, 3)}
    )
    server = api(stage, product, "Google Calendar")
    me = stage.actor(
        "client",
        server,
        "calendar.rooms.test",
        "node:fetch",
        bearer("desk", User_Agent="google-api-nodejs-client/7.2.0 (gzip)"),
    )
    me.get(events)
    held = me.get(f"{events}/e2").json
    look(me, "rooms.css")
    held["summary"] = "Choir"
    first = me.put(f"{events}/e2", held, 200, {"If-Match": held["etag"]}).json
    me.get(f"{events}/e3")
    rest(0.6)
    news(me)
    report(me)
    seek(me, "free rooms")
    held["location"] = "Aula"
    me.put(f"{events}/e2", held, 412, {"If-Match": held["etag"]})
    now = me.get(f"{events}/e2").json
    must(now["etag"] == first["etag"], "another writer")
    me.put(f"{events}/e2", {**now, "location": "Aula"}, 200, {"If-Match": now["etag"]})


@case(
    "d096",
    "tom-patient-update-knocks-five-times",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token other-writer",
    also="other-writer",
    synthetic=True,
    description='An admission desk\'s update of a patient is refused with 412, because a ward has written version 8 meanwhile. Its retry decorator sends the same If-Match W/"7" four more times with growing pauses and never reads.',
)
def patient(stage: Stage) -> None:
    """Repeat without a read."""
    product = Fhir(
        {
            f"/fhir/Patient/{name}": {"active": True, "name": [{"family": family}]}
            for name, family in (("p12", "Brandt"), ("p13", "Sundby"))
        },
        first=7,
    )
    server = api(stage, product, "HAPI FHIR")
    me = stage.actor("client", server, "fhir.clinic.test", "requests", bearer("admission"))
    ward = stage.actor("other", server, "fhir.clinic.test", "aiohttp", bearer("ward3"))
    sign_in(me)
    me.get("/fhir/metadata", 404)
    mine = me.get("/fhir/Patient/p12")
    theirs = ward.get("/fhir/Patient/p12")
    ward.put(
        "/fhir/Patient/p12", {**theirs.json, "maritalStatus": {"text": "M"}}, 200, {"If-Match": theirs.etag}
    )
    new = {**mine.json, "telecom": [{"system": "phone", "value": "555-0117"}]}
    for pause in (0.15, 0.3, 0.6, 1.2, 0.0):
        me.put("/fhir/Patient/p12", new, 412, {"If-Match": mine.etag})
        rest(pause)
        ping(me)
    me.get("/fhir/Patient/p13")


@case(
    "d097",
    "tom-upload-answer-never-came",
    "lost-response-replay",
    "412",
    alone="lost-response-replay exists-already",
    synthetic=True,
    description="A backup uploads an archive to Cloud Storage with ifGenerationMatch=0; the connection breaks before the answer. The library repeats the request under the same invocation id and gets 412; the size, the MD5 and the time of the object are of this very upload.",
)
def upload(stage: Stage) -> None:
    """Lose the answer of a create."""
    bucket = "/storage/v1/b/backups/o"
    product = Storage({f"{bucket}/day-1.tar": "one" * 30, f"{bucket}/day-2.tar": "two" * 30})
    server = api(stage, product, "Cloud Storage JSON")
    me = stage.actor(
        "client", server, "storage.backup.test", "requests", bearer("backup"), loses=once("POST", "day-3")
    )
    me.get(bucket)
    me.get(f"{bucket}/day-3.tar", 404)
    archive = "three" * 40
    target = f"/upload{bucket}?uploadType=media&name=day-3.tar&ifGenerationMatch=0"
    told = {
        "Content-Type": "application/x-tar",
        "x-goog-gcs-idempotency-token": "5f0c1c1e-7d3e-4d0f-9d9e-0b9a5a1c77e2",
    }
    told["X-Goog-API-Client"] = (
        "gl-python/3.11 gccl/2.18.2 gccl-invocation-id/5f0c1c1e-7d3e-4d0f-9d9e-0b9a5a1c77e2"
    )
    me.send("POST", target, 0, told, archive)
    rest(0.5)
    me.send("POST", target, 412, told, archive)
    seen = me.get(f"{bucket}/day-3.tar").json
    must(seen["size"] == str(len(archive)), "another's")
    must(me.get(f"{bucket}/day-3.tar?alt=media").text == archive, "another's content")
    me.get(f"{bucket}/day-1.tar")


@case(
    "d098",
    "tom-index-job-repeats-its-own-write",
    "lost-response-replay",
    "409",
    alone="lost-response-replay",
    also="status-dialect-mismatch",
    synthetic=True,
    description="An index job writes a document under if_seq_no; the load balancer drops the connection after the shard has committed. The job's repeat carries the same numbers and gets version_conflict_engine_exception, one above; the document has the job's run id.",
)
def job(stage: Stage) -> None:
    """Repeat a committed write."""
    product = Search(
        {f"/offers/_doc/{number}": {"price": 10 + number, "run": "r-100"} for number in range(1, 5)}
    )
    server = api(stage, product, "Elasticsearch")
    me = stage.actor(
        "client",
        server,
        "es.shop.test",
        "httpx",
        bearer("indexer", User_Agent="elasticsearch-py/8.15.1"),
        loses=once("PUT", "/offers/_doc/3?"),
    )
    for number in (1, 2, 3):
        seen = me.get(f"/offers/_doc/{number}").json
        target = f"/offers/_doc/{number}?if_seq_no={seen['_seq_no']}&if_primary_term=2"
        new = {"price": seen["_source"]["price"] + 1, "run": "r-101"}
        me.put(target, new, 0 if number == 3 else 200)
        if number == 3:
            rest(0.4)
            me.put(target, new, 409)
            must(me.get("/offers/_doc/3").json["_source"] == new, "another's")
    wait_for(me, "refresh")
    me.get("/offers/_doc/4")


@case(
    "d099",
    "tom-page-saved-over-a-colleague",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    synthetic=True,
    description="A wiki editor has page text of version 6 open. Before saving it asks for the current version number (7 by now, a colleague added a paragraph), counts one on and sends its old text: 200, and the colleague's paragraph is gone.",
)
def page(stage: Stage) -> None:
    """Take the number and leave the text."""
    path = "/wiki/rest/api/content/4411"
    text = "<p>Open daily.</p><p>Bring towels.</p>"
    product = Wiki(
        {
            path: {"title": "Sauna", "body": {"storage": {"value": text}}},
            "/wiki/rest/api/content/4412": {"title": "Pool"},
        },
        first=6,
    )
    server = api(stage, product, "Confluence")
    me = stage.actor("client", server, "wiki.spa.test", "node:axios", bearer("greta"))
    other = stage.actor("other", server, "wiki.spa.test", "requests", bearer("haruki"))
    mine = me.get(f"{path}?expand=body.storage,version").json
    look(me)
    theirs = other.get(f"{path}?expand=body.storage,version").json
    longer = text + "<p>Closed on 24 June.</p>"
    other.put(
        path,
        {
            "id": "4411",
            "type": "page",
            "title": "Sauna",
            "version": {"number": 7},
            "body": {"storage": {"value": longer}},
        },
        200,
    )
    must(theirs["version"]["number"] == 6, "first")
    rest(0.8)
    news(me)
    seek(me, "opening hours")
    report(me)
    now = me.get(f"{path}?expand=version").json["version"]["number"]
    must(now == 7, "no other")
    old = mine["body"]["storage"]["value"].replace("daily", "daily from 9")
    me.put(
        path,
        {
            "id": "4411",
            "type": "page",
            "title": "Sauna",
            "version": {"number": now + 1},
            "body": {"storage": {"value": old}},
        },
        200,
    )
    must("24 June" not in other.get(path).json["body"]["storage"]["value"], "kept")


@case(
    "d100",
    "tom-two-forms-put-without-a-tag",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    synthetic=True,
    description="Spring Data REST gives ETag with each read, and If-Match is honoured for a third client. Two back office forms PUT whole entities without it: the second form's PUT takes the first one's phone number away again, both 200.",
)
def forms(stage: Stage) -> None:
    """Write without a condition."""
    path = "/api/suppliers/31"
    product = Repository(
        {
            path: {"name": "Holz & Co", "phone": "", "iban": "NL00 0001", "terms": 30},
            "/api/suppliers/32": {"name": "Fox"},
        }
    )
    server = api(stage, product, "Spring Data REST")
    me = stage.actor("client", server, "repo.test", "urllib", bearer("form-a"))
    other = stage.actor("other", server, "repo.test", "node:fetch", bearer("form-b"))
    other.get("/api/suppliers/32")
    theirs = other.get(path).json
    mine = me.get(path).json
    other.put(path, {**theirs, "phone": "+31 20 555"}, 200)
    rest(0.5)
    look(me, "forms.js")
    report(me)
    news(other)
    me.put(path, {**mine, "terms": 14}, 200)
    me.get("/api/suppliers")
    must(other.get(path).json["phone"] == "", "kept")
    tag = other.get("/api/suppliers/32").etag
    other.put("/api/suppliers/32", {"name": "Fox Ltd"}, 200, {"If-Match": tag})
    other.put("/api/suppliers/32", {"name": "Fox GmbH"}, 412, {"If-Match": tag})


class _Documents(Fields):
    """Twilio Sync's documents: revisions as tags, 400 for a value that is no revision."""

    server = "envoy"

    def tag(self, _path: str, item: Item) -> str:
        """Return the revision."""
        return f'"{item.version}"'

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Return the refusal of a write, or None."""
        sent = request.fields.get("if-match", "").strip('"')
        if sent and not sent.isdigit():
            return Reply(
                400,
                {
                    "code": 54003,
                    "message": "Invalid If-Match header",
                    "more_info": "https://docs.sync.test/errors/54003",
                    "status": 400,
                },
            )
        return super().check(request, item)


@case(
    "d101",
    "tom-seat-plan-sends-undefined",
    "null-token",
    "400",
    alone="null-token",
    also="malformed-validator",
    synthetic=True,
    description="A seat plan keeps the revision of each document it has opened. For one it never opened the variable is empty, and its first change goes with If-Match: undefined: 400, code 54003. After a read the change is taken.",
)
def seats(stage: Stage) -> None:
    """Send a word for a revision."""
    base = "/v1/Services/IS1/Documents"
    product = _Documents({f"{base}/row-{row}": {"data": {"free": 12}} for row in "abc"}, first=31)
    product.said = {"code": 20412, "message": "Precondition failed", "status": 412}
    server = api(stage, product, "Twilio Sync")
    me = stage.actor(
        "client", server, "sync.seats.test", "node:axios", {"Authorization": "Basic QUMxOnRva2Vu"}
    )
    for row in "ab":
        tag = me.get(f"{base}/row-{row}").etag
        me.send("POST", f"{base}/row-{row}", 200, {"If-Match": tag}, {"data": {"free": 11}})
    me.send("POST", f"{base}/row-c", 400, {"If-Match": "undefined"}, {"data": {"free": 11}})
    rest(0.3)
    look(me, "plan.js")
    news(me)
    tag = me.get(f"{base}/row-c").etag
    me.send("POST", f"{base}/row-c", 200, {"If-Match": tag}, {"data": {"free": 11}})


@case(
    "d102",
    "tom-edge-value-with-generation-null",
    "null-token",
    "412",
    alone="null-token",
    synthetic=True,
    description="A deployment script writes four values to an edge key-value store under if-generation-match. For one key its look-up in the lock file finds nothing and it sends the word null: 412. The other three carry their generations and pass.",
)
def edge(stage: Stage) -> None:
    """Send a word for a generation."""
    base = "/resources/stores/kv/x91/keys"
    keys = ("banner", "flags", "limits", "geo")
    product = Fastly({f"{base}/{key}": {"on": False, "key": key} for key in keys})
    server = api(stage, product, "Fastly KV store")
    me = stage.actor("client", server, "api.edge.test", "curl", {"Fastly-Key": "example"})
    ping(me)
    for key in keys:
        lock = "null" if key == "limits" else me.get(f"{base}/{key}").fields["generation"]
        me.put(
            f"{base}/{key}",
            {"on": True, "key": key},
            412 if lock == "null" else 200,
            {"if-generation-match": lock},
        )
    must(me.get(f"{base}/limits").json["on"] is False, "written")


@case(
    "d103",
    "tom-lead-tag-without-its-quotes",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    synthetic=True,
    description="An estate agent's connector parses ETag, strips the quotes and sends the bare value in If-Match. The platform wants the quotes: 412 ETag provided does not match. A colleague's connector that keeps them is served.",
)
def lead(stage: Stage) -> None:
    """Strip the quotes."""
    paths = [f"/applicants/BED1600{number}" for number in range(1, 4)]
    product = Fields(
        {path: {"active": True, "currency": "GBP", "notes": ""} for path in paths}, moved="_eTag"
    )
    product.said = {
        "statusCode": 412,
        "dateTime": "2026-05-04T09:30:00Z",
        "description": "The ETag provided does not match the current ETag for this entity",
    }
    server = api(stage, product, "Reapit Foundations")
    version = {"api_version": "2020-01-31"}
    me = stage.actor("client", server, "platform.estates.test", "urllib", bearer("connector", **version))
    other = stage.actor("other", server, "platform.estates.test", "httpx", bearer("sync", **version))
    other.send("PATCH", paths[2], 200, {"If-Match": other.get(paths[2]).etag}, {"notes": "called"})
    sign_in(me)
    me.get("/applicants")
    news(me)
    tag = me.get(paths[0]).etag
    me.send("PATCH", paths[0], 412, {"If-Match": tag.strip('"')}, {"notes": "viewing on Friday"})
    rest(0.3)
    must(me.get(paths[0]).etag == tag, "another writer")
    me.send("PATCH", paths[0], 412, {"If-Match": tag.strip('"')}, {"notes": "viewing on Friday"})
    other.send("PATCH", paths[1], 200, {"If-Match": other.get(paths[1]).etag}, {"notes": "sold"})


@case(
    "d104",
    "tom-task-tag-with-backslashes",
    "malformed-validator",
    "400",
    alone="malformed-validator",
    synthetic=True,
    description="A flow copies @odata.etag of a Planner task out of JSON text without decoding it, so that each quote of the tag has a backslash before it. The service answers 400: the header contains invalid values; the tag as served passes.",
)
def task(stage: Stage) -> None:
    """Send the tag as JSON has it."""
    base = "/v1.0/planner/tasks"
    product = Planner(
        {f"{base}/ab{number}": {"title": f"Task {number}", "percentComplete": 0} for number in (1, 2)},
        first=5,
    )
    server = api(stage, product, "Microsoft Graph Planner")
    me = stage.actor("client", server, "graph.flow.test", "requests", bearer("flow"))
    me.get("/v1.0/planner/tasks")
    raw: Any = me.get(f"{base}/ab1").json["@odata.etag"]
    escaped = raw.replace('"', '\\"')
    me.send("PATCH", f"{base}/ab1", 400, {"If-Match": escaped}, {"percentComplete": 50})
    rest(0.2)
    me.send("PATCH", f"{base}/ab1", 400, {"If-Match": escaped}, {"percentComplete": 50})
    me.get(f"{base}/ab2")
    rest(0.9)
    must(me.get(f"{base}/ab1").json["@odata.etag"] == raw, "changed")
    me.send("PATCH", f"{base}/ab1", 204, {"If-Match": raw}, {"percentComplete": 50})
