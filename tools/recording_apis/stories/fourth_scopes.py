"""Tokens of another thing, another scope or another kind, and conditions nobody asked for."""

from __future__ import annotations

import json
import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.caldav import event
from tools.recording_apis.stories.fourth_setting import HANDBOOK, ICS, MERGE, TEXT, XML, browse, shelf
from tools.recording_apis.stories.records import anna, furnished


@case(
    "a345",
    "tag-of-the-list-for-an-item",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description="A table view reads the list and sends the list's own tag with the PATCH of one row; the row's tag stands in the list.",
)
def _list_tag(stage: Stage) -> None:
    seed = {f"/assets/{n}": {"kind": "laptop", "owner": n} for n in ("l-100", "l-101", "l-102")}
    server = shelf(stage, "flask", seed)
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "assets.example.test", "node", {"Authorization": "Bearer it"})
    tag = me.get("/assets").etag
    me.send("PATCH", "/assets/l-101", 412, {"If-Match": tag, **MERGE}, '{"owner":"bo"}')
    time.sleep(0.5)
    me.send("PATCH", "/assets/l-102", 412, {"If-Match": tag, **MERGE}, '{"owner":"bo"}')
    me.get("/assets/l-101")


@case(
    "a346",
    "tag-of-the-row-above",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description="Rows were sorted after the tags were kept by position: the save of one document carries the tag that its neighbour was served with.",
)
def _row_above(stage: Stage) -> None:
    seed = {f"/pads/{n}": {"text": n} for n in ("0b4", "1c7", "9aa", "f02")}
    server = shelf(stage, "aiohttp", seed, TAG="hash")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "pads.example.test", "aiohttp")
    tags = {path: me.get(path).etag for path in seed}
    time.sleep(0.6)
    me.put("/pads/9aa", {"text": "nine"}, 412, {"If-Match": tags["/pads/1c7"]})
    me.get("/pads/9aa", 304, {"If-None-Match": tags["/pads/9aa"]})


@case(
    "a347",
    "staging-tag-sent-to-production",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description="A release script reads the tag at staging and writes at production, which has another version.",
)
def _staging(stage: Stage) -> None:
    path = "/flags/checkout"
    staging = shelf(stage, "falcon", {path: {"on": True, "share": 100}}, TAG="hash")
    production = shelf(stage, "falcon", {path: {"on": True, "share": 10}}, TAG="hash")
    me = stage.actor("client", staging, "staging.example.test", "requests", {"X-Release": "81"})
    tag = me.get(path).etag
    content = me.get(path).json
    live = stage.actor("client2", production, "www.example.test", "requests", {"X-Release": "81"})
    time.sleep(0.4)
    live.put(path, content, 412, {"If-Match": tag})
    live.get(path)
    stage.taps["client"].recorded += stage.taps.pop("client2").recorded


@case(
    "a348",
    "one-version-for-the-whole-library",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope server-side-mutation unstable-etag",
    description="All songs of a library share its revision; somebody edits another song, so the save of an untouched one is refused: same content, next revision.",
)
def _library(stage: Stage) -> None:
    seed = {f"/songs/{n}": {"title": n, "stars": 3} for n in ("alba", "brio", "coda")}
    server = shelf(stage, "flask", seed, TAG="scope", GUARD="plain")
    me = stage.actor("client", server, "songs.example.test", "httpx", {"Authorization": "Bearer a"})
    other = stage.actor("other", server, "songs.example.test", "requests", {"Authorization": "Bearer b"})
    tag = me.get("/songs/alba").etag
    other.put("/songs/coda", {"title": "coda", "stars": 5}, 200, {"If-Match": other.get("/songs/coda").etag})
    time.sleep(0.9)
    me.put("/songs/alba", {"title": "alba", "stars": 4}, 412, {"If-Match": tag})
    me.get("/songs/alba")
    me.get("/songs/coda")


@case(
    "a349",
    "kinto-list-timestamp-and-a-new-record",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope other-writer",
    description="Anna creates a record by POST under the timestamp of the list; a record she never touches was added by Ben.",
    also="other-writer",
)
def _list_timestamp(stage: Stage) -> None:
    server = furnished(stage, "hinges", "handles")
    me = anna(stage, server, "node")
    user = {"Authorization": "Basic YmVuOmJlbg=="}
    other = stage.actor("other", server, "sync.example.test", "urllib", user)
    records = "/v1/buckets/team/collections/tasks/records"
    tag = me.get(records).etag
    other.put(f"{records}/hooks", {"data": {"title": "hooks"}}, 201)
    time.sleep(0.8)
    me.send("POST", records, 412, {"If-Match": tag}, {"data": {"title": "locks"}})
    me.get(records)


@case(
    "a350",
    "upsert-that-always-creates",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description="A client reads its document, changes it and saves with the guard for creation: If-None-Match: * on what it has just read.",
)
def _upsert(stage: Stage) -> None:
    path = "/layouts/home"
    server = shelf(stage, "django", {path: {"tiles": ["mail", "news"]}})
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, "home.example.test", "node:axios")
    content = me.get(path).json
    me.put(path, {"tiles": [*content["tiles"], "maps"]}, 412, {"If-None-Match": "*"})
    time.sleep(0.7)
    me.put(path, {"tiles": [*content["tiles"], "maps"]}, 412, {"If-None-Match": "*"})
    me.get(path)


@case(
    "a351",
    "calendar-app-saves-every-event-as-new",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description="A calendar app creates an event on Radicale, reads it back, and moves it with If-None-Match: * again.",
)
def _as_new(stage: Stage) -> None:
    server = stage.server("radicale")
    user = {"Authorization": "Basic dW5hOnVuYQ=="}
    me = stage.actor("client", server, "dav.example.test", "httpx", user)
    made = "<?xml version='1.0'?><C:mkcalendar xmlns:C='urn:ietf:params:xml:ns:caldav'/>"
    me.send("MKCALENDAR", "/una/club/", 201, XML, made)
    path = "/una/club/training.ics"
    me.put(path, event("t-1", "Training"), 201, {"If-None-Match": "*", **ICS})
    me.get(path)
    time.sleep(0.9)
    me.put(path, event("t-1", "Training", "20261202T180000Z"), 412, {"If-None-Match": "*", **ICS})
    me.get(path)


@case(
    "a352",
    "service-demands-if-match",
    "token-missing",
    "428",
    alone="token-missing",
    description="A first integration writes without a condition; the service answers 428 to PUT and DELETE, and takes the PUT with the tag.",
)
def _demands(stage: Stage) -> None:
    path = "/contracts/2026/118"
    server = shelf(stage, "django", {path: {"party": "Fjord AS", "value": 90000}}, REQUIRE="1")
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "contracts.example.test", "java", {"Authorization": "Bearer k"})
    tag = me.get(path).etag
    me.put(path, {"party": "Fjord AS", "value": 95000}, 428)
    me.send("DELETE", path, 428)
    time.sleep(0.6)
    me.put(path, {"party": "Fjord AS", "value": 95000}, 200, {"If-Match": tag})


@case(
    "a353",
    "bad-request-for-want-of-a-version",
    "token-missing",
    "400",
    alone="token-missing",
    description="A service answers 400 'this request must be conditional: send If-Match' to a PATCH without a tag.",
    also="status-dialect-mismatch",
)
def _bad_request(stage: Stage) -> None:
    path = "/devices/0x1f"
    server = shelf(stage, "flask", {path: {"name": "boiler", "target": 55}}, REQUIRE="400", PLAIN="1")
    me = stage.actor("client", server, "home.example.test", "aiohttp")
    tag = me.get(path).etag
    me.send("PATCH", path, 400, MERGE, '{"target":60}')
    me.send("PATCH", path, 200, {"If-Match": tag, **MERGE}, '{"target":60}')


@case(
    "a354",
    "falcon-precondition-required-for-a-script",
    "token-missing",
    "428",
    alone="token-missing",
    description="A nightly script overwrites three documents blindly; the service wants If-Match on each.",
)
def _script(stage: Stage) -> None:
    seed = {f"/rates/{n}": {"rate": 1.0} for n in ("eur", "nok", "sek")}
    server = shelf(stage, "falcon", seed, REQUIRE="1")
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "rates.example.test", "curl")
    for path in seed:
        me.put(path, '{"rate":1.02}', 428, {"Content-Type": "application/json"})
    me.get("/rates/eur")


@case(
    "a355",
    "http-cache-adds-if-none-match-to-a-put",
    "implicit-precondition",
    "412",
    alone="implicit-precondition create-guard-on-update",
    description="The app's HTTP cache adds If-None-Match with the cached tag to every request for that URL, a PUT included: refused because nothing has changed.",
)
def _cache_layer(stage: Stage) -> None:
    path = "/notes/6a2f"
    server = shelf(stage, "flask", {path: {"text": "call Eva"}})
    agent = {"User-Agent": "Notes/4.1 CFNetwork/1568.300.101 Darwin/24.2.0"}
    me = stage.actor("client", server, "notes.example.test", "urllib", agent)
    tag = me.get(path).etag
    time.sleep(0.4)
    me.get(path, 304, {"If-None-Match": tag})
    me.put(path, {"text": "call Eva at 4"}, 412, {"If-None-Match": tag})
    me.put(path, {"text": "call Eva at 4"}, 412, {"If-None-Match": tag})


@case(
    "a356",
    "cached-date-joins-the-delete",
    "implicit-precondition",
    "412",
    alone="implicit-precondition create-guard-on-update server-precondition-bug",
    description="A caching layer revalidates everything it has stored: DELETE goes out with the cached tag in If-None-Match and is refused by Django.",
)
def _cached_delete(stage: Stage) -> None:
    path = "/uploads/tmp-881"
    server = shelf(stage, "django", {path: {"size": 10}, "/uploads/tmp-882": {"size": 12}})
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "uploads.example.test", "node", {"User-Agent": "okhttp/5.0.0"})
    tags = {one: me.get(one).etag for one in (path, "/uploads/tmp-882")}
    me.get(path, 304, {"If-None-Match": tags[path]})
    time.sleep(0.5)
    me.send("DELETE", path, 412, {"If-None-Match": tags[path]})
    me.get(path, 304, {"If-None-Match": tags[path]})


@case(
    "a357",
    "mod-dav-lock-ran-out-while-typing",
    "token-expired",
    "412",
    alone="token-expired lease-or-lock",
    also="lease-or-lock",
    description="An editor locks a page on mod_dav for two seconds, types longer, and saves with the lock token that the server no longer keeps.",
)
def _lock_out(stage: Stage) -> None:
    server = fronts.site(stage, "apache2", {"book/ch1.txt": HANDBOOK}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "book.example.test", "requests")
    lock = "<?xml version='1.0'?><D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope>"
    lock += "<D:locktype><D:write/></D:locktype><D:owner>ida</D:owner></D:lockinfo>"
    path = "/book/ch1.txt"
    token = me.send("LOCK", path, 200, {"Timeout": "Second-2", **XML}, lock).fields["lock-token"]
    me.put(path, f"{HANDBOOK}31.\n", 204, {"If": f"({token})", **TEXT})
    time.sleep(4.0)
    me.put(path, f"{HANDBOOK}31. Rest.\n", 412, {"If": f"({token})", **TEXT})
    token = me.send("LOCK", path, 200, {"Timeout": "Second-60", **XML}, lock).fields["lock-token"]
    me.put(path, f"{HANDBOOK}31. Rest.\n", 204, {"If": f"({token})", **TEXT})


@case(
    "a358",
    "radicale-sync-token-forgotten",
    "token-expired",
    "403",
    alone="token-expired",
    also="status-dialect-mismatch",
    description="A phone syncs with the token of its last visit; Radicale keeps tokens for one second here: valid-sync-token fails, a full sync works.",
)
def _sync_token(stage: Stage) -> None:
    server = stage.server("radicale", token_age=1)
    me = stage.actor("client", server, "dav.example.test", "aiohttp", {"Authorization": "Basic bGVvOmxlbw=="})
    made = "<?xml version='1.0'?><C:mkcalendar xmlns:C='urn:ietf:params:xml:ns:caldav'/>"
    me.send("MKCALENDAR", "/leo/band/", 201, XML, made)
    me.put("/leo/band/gig.ics", event("g-1", "Gig"), 201, ICS)
    ask = "<?xml version='1.0'?><D:sync-collection xmlns:D='DAV:'><D:sync-token>{}</D:sync-token>"
    ask += "<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"
    told = me.send("REPORT", "/leo/band/", 207, XML, ask.format("")).text
    token = told.split("sync-token>")[1].split("<")[0]
    time.sleep(2.5)
    for number in range(2):
        me.put(f"/leo/band/n{number}.ics", event(f"n-{number}", "Practice"), 201, ICS)
        me.send("REPORT", "/leo/band/", 207, XML, ask.format(""))
        time.sleep(1.6)
    me.send("REPORT", "/leo/band/", (403, 409), XML, ask.format(token))
    me.send("REPORT", "/leo/band/", 207, XML, ask.format(""))


@case(
    "a359",
    "etcd-revision-compacted",
    "token-expired",
    "400",
    alone="token-expired",
    also="status-dialect-mismatch",
    description="A watcher of etcd v3 resumes at a revision that has been compacted: 'required revision has been compacted'; a fresh range works.",
)
def _compacted(stage: Stage) -> None:
    import base64  # noqa: PLC0415

    def named(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.example.test", "httpx")
    other = stage.actor("other", server, "etcd.example.test", "requests")
    key = named("config/limits")
    other.send("POST", "/v3/kv/put", 200, None, {"key": key, "value": named("rps=10")})
    revision = me.send("POST", "/v3/kv/range", 200, None, {"key": key}).json["header"]["revision"]
    for value in ("rps=20", "rps=30", "rps=40"):
        other.send("POST", "/v3/kv/put", 200, None, {"key": key, "value": named(value)})
    last = int(revision) + 3
    other.send("POST", "/v3/kv/compaction", 200, None, {"revision": last, "physical": True})
    time.sleep(0.8)
    me.send("POST", "/v3/kv/range", (400, 500), None, {"key": key, "revision": revision})
    me.send("POST", "/v3/kv/range", 200, None, {"key": key})


@case(
    "a360",
    "http2-poller-hands-its-tag-to-the-form",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    also="other-writer",
    description="A background poll picks up the new version and its tag, the open form keeps the old fields; the save passes the check and undoes a colleague's change.",
)
def _poller(stage: Stage) -> None:
    path = "/events/4410"
    start = {"title": "Open day", "room": "A1", "guests": 40}
    front = fronts.encrypted(stage, shelf(stage, "django", {path: start, "/events/4411": {"title": "Tour"}}))
    me = stage.actor("client", front, "events.example.test", "http2")
    other = stage.actor("other", front, "events.example.test", "http2", {"cookie": "u=2"})
    tag = me.get(path).etag
    browse(me, ["/events/4411"])
    other.put(path, {**start, "room": "B7"}, 200, {"If-Match": other.get(path).etag})
    time.sleep(1.0)
    tag = me.get(path, 200, {"If-None-Match": tag}).etag
    time.sleep(0.7)
    me.put(
        path, json.dumps({**start, "guests": 60}), 200, {"If-Match": tag, "content-type": "application/json"}
    )
    me.get(path)
