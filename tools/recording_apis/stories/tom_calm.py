"""Busy days on APIs in use with nothing wrong."""

from __future__ import annotations

from tools.recording_apis.apps.tom_body import Couch, Kubernetes, Search
from tools.recording_apis.apps.tom_engine import Reply
from tools.recording_apis.apps.tom_google import Calendar, Storage
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.tom_setting import (
    api,
    bearer,
    look,
    must,
    news,
    ping,
    report,
    rest,
    seek,
    wait_for,
)


@case(
    "d157",
    "tom-nightly-mirror-to-a-bucket",
    "none",
    "healthy",
    alone="none",
    description="A mirror compares local files with a bucket: HEAD 404 for new ones, GET 304 with the stored tag for those that are as they were, PUT for the rest, a listing before and after. Two programs mirror into prefixes of their own.",
)
def mirror(stage: Stage) -> None:
    """Mirror files."""
    server = stage.server("moto")
    scope = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260504/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    me = stage.actor("client", server, "s3.mirror.test", "requests", {"Authorization": scope})
    other = stage.actor("other", server, "s3.mirror.test", "httpx", {"Authorization": scope})
    me.put("/depot", None, 200)
    tags = {name: me.put(f"/depot/a/{name}", f"{name}\n" * 9, 200).etag for name in ("one.txt", "two.txt")}
    me.get("/depot?list-type=2&prefix=a%2F")
    other.put("/depot/b/map.json", "{}", 200)
    for name in ("one.txt", "two.txt"):
        me.get(f"/depot/a/{name}", 304, {"If-None-Match": tags[name]})
    me.send("HEAD", "/depot/a/three.txt", 404)
    me.put("/depot/a/three.txt", "three\n", 200)
    rest(0.4)
    changed = me.put("/depot/a/two.txt", "two, longer\n", 200).etag
    must(changed != tags["two.txt"], "same")
    me.get("/depot/a/two.txt", 200, {"If-None-Match": tags["two.txt"]})
    other.get("/depot/b/map.json", 304, {"If-None-Match": other.get("/depot/b/map.json").etag})
    me.send("HEAD", "/depot/a/one.txt", 200)
    me.send("DELETE", "/depot/a/one.txt", 204)
    me.send("HEAD", "/depot/a/one.txt", 404)
    me.get("/depot?list-type=2&prefix=a%2F")


@case(
    "d158",
    "tom-controller-starts-its-round-again",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description="A controller's status update of a certificate meets a 409, since an issuer has added an annotation. It reads again, puts its status onto what it read, and is served; the annotation stays. Events and further objects go along.",
)
def controller(stage: Stage) -> None:
    """Read again after a conflict."""
    base = "/apis/cert.test/v1/namespaces/edge/certificates"
    product = Kubernetes(
        {
            f"{base}/{name}": {
                "kind": "Certificate",
                "metadata": {"name": name, "annotations": {}},
                "status": {"ready": False},
            }
            for name in ("www", "api")
        }
    )
    product.fixed["POST /api/v1/namespaces/edge/events"] = Reply(201, {"kind": "Event", "reason": "Issuing"})
    server = api(stage, product, "Kubernetes")
    me = stage.actor("client", server, "kube.edge.test", "node:fetch", bearer("controller"))
    other = stage.actor("other", server, "kube.edge.test", "curl", bearer("issuer"))
    me.get(base)
    mine = me.get(f"{base}/www").json
    theirs = other.get(f"{base}/www").json
    theirs["metadata"]["annotations"] = {"issuer": "ca-2"}
    other.put(f"{base}/www", theirs, 200)
    me.send("POST", "/api/v1/namespaces/edge/events", 201, None, {"kind": "Event", "reason": "Issuing"})
    rest(0.3)
    mine["status"] = {"ready": True}
    me.put(f"{base}/www", mine, 409)
    again = me.get(f"{base}/www").json
    again["status"] = {"ready": True}
    done = me.put(f"{base}/www", again, 200).json
    must(done["metadata"]["annotations"] == {"issuer": "ca-2"}, "lost")
    second = me.get(f"{base}/api").json
    second["status"] = {"ready": True}
    me.put(f"{base}/api", second, 200)
    ping(me, 2)
    wait_for(me, "issue-www")
    report(me)


@case(
    "d159",
    "tom-two-desks-one-calendar",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description="Two reception desks move appointments about. Once they meet at the same event: 412, the second desk reads it, sees the other's new time, adds its own room to that and saves. All else goes to different events, with fresh tags each time.",
)
def desks(stage: Stage) -> None:
    """Meet once and go on from what is there."""
    base = "/calendar/v3/calendars/spa/events"
    product = Calendar(
        {
            f"{base}/m{number}": {"summary": f"Massage {number}", "start": f"{9 + number}:00", "location": ""}
            for number in range(4)
        }
    )
    server = api(stage, product, "Google Calendar")
    me = stage.actor("client", server, "calendar.spa.test", "httpx", bearer("desk-a"))
    other = stage.actor("other", server, "calendar.spa.test", "aiohttp", bearer("desk-b"))
    me.get(base)
    for number in (0, 1):
        mine = me.get(f"{base}/m{number}").json
        me.put(f"{base}/m{number}", {**mine, "location": "R1"}, 200, {"If-Match": mine["etag"]})
        theirs = other.get(f"{base}/m{number + 2}").json
        other.put(f"{base}/m{number + 2}", {**theirs, "location": "R2"}, 200, {"If-Match": theirs["etag"]})
        rest(0.1)
    mine, theirs = me.get(f"{base}/m1").json, other.get(f"{base}/m1").json
    other.put(f"{base}/m1", {**theirs, "start": "10:30"}, 200, {"If-Match": theirs["etag"]})
    look(me)
    news(me)
    news(other)
    seek(me, "massage")
    me.put(f"{base}/m1", {**mine, "location": "R3"}, 412, {"If-Match": mine["etag"]})
    now = me.get(f"{base}/m1").json
    saved = me.put(f"{base}/m1", {**now, "location": "R3"}, 200, {"If-Match": now["etag"]}).json
    must((saved["start"], saved["location"]) == ("10:30", "R3"), "lost")
    other.get(base)


@case(
    "d160",
    "tom-video-in-parts-of-one-generation",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description="A player takes a film from Cloud Storage in six ranges, each pinned to its generation, asks for the subtitles again with ifGenerationNotMatch (304), and seeks back. Meanwhile an editor creates and replaces other objects under their generations.",
)
def film(stage: Stage) -> None:
    """Read in parts."""
    base = "/storage/v1/b/films/o"
    product = Storage(
        {
            f"{base}/reef.mp4": "frame" * 240,
            f"{base}/reef.vtt": "WEBVTT\n" * 4,
            f"{base}/poster.svg": "<svg/>",
        }
    )
    server = api(stage, product, "Cloud Storage JSON")
    me = stage.actor("client", server, "storage.films.test", "node:fetch", bearer("player"))
    other = stage.actor("other", server, "storage.films.test", "requests", bearer("editor"))
    generation = me.get(f"{base}/reef.mp4").json["generation"]
    words = me.get(f"{base}/reef.vtt").json["generation"]
    me.get(f"{base}/reef.vtt?alt=media&generation={words}")
    for number in (0, 1, 2, 3, 4, 5, 1):
        span = {"Range": f"bytes={number * 200}-{number * 200 + 199}"}
        me.get(f"{base}/reef.mp4?alt=media&ifGenerationMatch={generation}", 206, span)
        if number == 2:
            poster = other.get(f"{base}/poster.svg").json["generation"]
            other.send(
                "POST",
                f"/upload{base}?uploadType=media&name=poster.svg&ifGenerationMatch={poster}",
                200,
                None,
                "<svg><g/></svg>",
            )
            other.send(
                "POST", f"/upload{base}?uploadType=media&name=cast.json&ifGenerationMatch=0", 201, None, "[]"
            )
    me.get(f"{base}/reef.vtt?alt=media&ifGenerationNotMatch={words}", 304)
    report(me)
    report(me)
    me.get("/favicon.ico", 404)
    look(me, "player.js")
    look(me, "player.css")


@case(
    "d161",
    "tom-replication-between-two-offices",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description="An office replicates visits into CouchDB: its checkpoint is 404 the first time, new documents are 201, two writers take turns at one document with the revision just read. One conflict is resolved by reading and merging both lists of guests.",
)
def replication(stage: Stage) -> None:
    """Replicate and merge."""
    product = Couch({f"/visits/v{number}": {"guests": ["Ann"], "day": number} for number in (1, 2)})
    product.fixed["GET /visits"] = Reply(200, {"db_name": "visits", "doc_count": 2, "update_seq": "9-g1AA"})
    product.fixed["GET /visits/_changes"] = Reply(200, {"results": [], "last_seq": "9-g1AA", "pending": 0})
    server = api(stage, product, "CouchDB")
    me = stage.actor("client", server, "couch.office.test", "urllib", {"Accept": "application/json"})
    other = stage.actor("other", server, "couch.office.test", "node:axios", {"Accept": "application/json"})
    me.get("/visits")
    me.get("/visits/_local%2Fq8k", 404)
    me.get("/visits/_changes?since=0&limit=100")
    me.put("/visits/v3", {"guests": ["Kai"], "day": 3}, 201)
    me.put("/visits/v4", {"guests": [], "day": 4}, 201)
    mine, theirs = me.get("/visits/v1").json, other.get("/visits/v1").json
    other.put("/visits/v1", {**theirs, "guests": ["Ann", "Lee"]}, 201)
    rest(0.3)
    me.put("/visits/v1", {**mine, "guests": ["Ann", "Mo"]}, 409)
    now = me.get("/visits/v1").json
    me.put("/visits/v1", {**now, "guests": [*now["guests"], "Mo"]}, 201)
    must(other.get("/visits/v1").json["guests"] == ["Ann", "Lee", "Mo"], "lost")
    tag = me.get("/visits/v2").etag
    me.get("/visits/v2", 304, {"If-None-Match": tag})
    me.put("/visits/_local%2Fq8k", {"last_seq": "9-g1AA"}, 201)
    me.get("/visits/_changes?since=9-g1AA")


@case(
    "d162",
    "tom-reindex-with-three-writers",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description="Three programs write one index under if_seq_no, each with the numbers of its last read, on documents of their own; one missing document is 404 and then created. A shared one is written in turns, each reading before it writes. No conflict at all.",
)
def reindex(stage: Stage) -> None:
    """Write in turns."""
    product = Search({f"/parts/_doc/{number}": {"stock": 5, "at": "A"} for number in range(1, 8)})
    server = api(stage, product, "Elasticsearch")
    writers = [
        stage.actor("client", server, "es.parts.test", "httpx", bearer("w1")),
        stage.actor("other", server, "es.parts.test", "requests", bearer("w2")),
        stage.actor("third", server, "es.parts.test", "node:fetch", bearer("w3")),
    ]
    for round_ in range(2):
        for number, writer in enumerate(writers, 1):
            for name in (number + 3 * round_, 7):
                seen = writer.get(f"/parts/_doc/{name}").json
                new = {"stock": seen["_source"]["stock"] - 1, "at": f"w{number}"}
                writer.put(
                    f"/parts/_doc/{name}?if_seq_no={seen['_seq_no']}&if_primary_term={seen['_primary_term']}",
                    new,
                    200,
                )
        rest(0.2)
    me = writers[0]
    ping(me, 2)
    wait_for(me, "merge")
    me.get("/parts/_doc/8", 404)
    me.put("/parts/_doc/8", {"stock": 1, "at": "w1"}, 201)
    must(me.get("/parts/_doc/7").json["_source"]["stock"] == -1, "lost")


@case(
    "d163",
    "tom-settings-kept-in-kinto",
    "none",
    "healthy",
    alone="none",
    description="Two devices keep settings in Kinto. Lists are polled with If-None-Match (304), new records are made under If-None-Match: *, and where the phone is second, it takes the record in the 412, puts its own field beside the desk's and sends that with the new tag.",
)
def settings(stage: Stage) -> None:
    """Merge with the record in the refusal."""
    server = stage.server("kinto")
    basic = {"Authorization": "Basic cGFtOnNlY3JldA=="}
    me = stage.actor("client", server, "kinto.phone.test", "requests", basic)
    other = stage.actor("other", server, "kinto.phone.test", "httpx", basic)
    me.put("/v1/accounts/pam", {"data": {"password": "secret"}}, 201, {"Authorization": ""})
    base = "/v1/buckets/default/collections/prefs/records"
    me.get("/v1/")
    for name in ("theme", "font"):
        me.put(f"{base}/{name}", {"data": {"value": name}}, 201, {"If-None-Match": "*"})
    tag = me.get(base).etag
    me.get(base, 304, {"If-None-Match": tag})
    mine, theirs = me.get(f"{base}/theme"), other.get(f"{base}/theme")
    other.put(f"{base}/theme", {"data": {"value": "dark"}}, 200, {"If-Match": theirs.etag})
    rest(0.4)
    me.get(base, 200, {"If-None-Match": tag})
    refused = me.put(f"{base}/theme", {"data": {"value": "theme", "size": 3}}, 412, {"If-Match": mine.etag})
    now = refused.json["details"]["existing"]
    merged = {"value": now["value"], "size": 3}
    me.put(f"{base}/theme", {"data": merged}, 200, {"If-Match": refused.etag})
    must(other.get(f"{base}/theme").json["data"]["value"] == "dark", "lost")
    me.send("DELETE", f"{base}/font", 200, {"If-Match": me.get(f"{base}/font").etag})
    me.get(f"{base}/font", 404)
