"""Clients that keep, repeat or refresh the wrong token."""

from __future__ import annotations

import subprocess
import time

from tools.recording_apis import fronts
from tools.recording_apis.servers import program
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.caldav import event
from tools.recording_apis.stories.fourth_setting import (
    HANDBOOK,
    ICS,
    MERGE,
    ROTA,
    TEXT,
    browse,
    first_of,
    shelf,
)
from tools.recording_apis.stories.records import anna, furnished

_TASKS = "/v1/buckets/team/collections/tasks/records"


@case(
    "a320",
    "state-file-written-before-the-save",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description="A deployment tool keeps tags in a state file that it fills from reads only; its second save sends the tag from before its first.",
)
def _state_file(stage: Stage) -> None:
    path = "/stacks/prod/network"
    server = shelf(
        stage, "django", {path: {"cidr": "10.0.0.0/16", "zones": 2}, "/stacks/prod/dns": {"ttl": 60}}
    )
    me = stage.actor("client", server, "stacks.example.test", "node:axios", {"Authorization": "Bearer plan"})
    state = {one: me.get(one).etag for one in (path, "/stacks/prod/dns")}
    me.put(path, {"cidr": "10.0.0.0/16", "zones": 3}, 200, {"If-Match": state[path]})
    me.put("/stacks/prod/dns", {"ttl": 30}, 200, {"If-Match": state["/stacks/prod/dns"]})
    time.sleep(1.2)
    me.put(path, {"cidr": "10.0.0.0/16", "zones": 4}, 412, {"If-Match": state[path]})
    me.get(path)


@case(
    "a321",
    "restart-reads-yesterdays-database",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description="A sync agent over HTTP/2 saves, is told the new tag, crashes before it notes it, and starts again with the old one.",
)
def _restart(stage: Stage) -> None:
    path = "/vaults/7/items/9d1e"
    seed = {path: {"name": "router", "secret": "x1"}, "/vaults/7/items/9d1f": {"name": "nas", "secret": "y"}}
    front = fronts.encrypted(stage, shelf(stage, "falcon", seed))
    me = stage.actor("client", front, "vault.example.test", "http2", {"authorization": "Bearer v"})
    tag = me.get(path).etag
    me.get("/vaults/7/items/9d1f")
    me.put(path, {"name": "router", "secret": "x2"}, 200, {"If-Match": tag})
    time.sleep(1.8)
    me.put(path, {"name": "router", "secret": "x3"}, 412, {"If-Match": tag})
    browse(me, [path, "/vaults/7/items/9d1f"])


@case(
    "a322",
    "export-without-content-first-tag-for-ever",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description="A HAR without response content: three saves of one client, the third with the tag of its first read.",
)
def _first_tag(stage: Stage) -> None:
    stage.keeps_content = False
    path = "/playlists/44"
    server = shelf(stage, "aiohttp", {path: {"title": "Road", "tracks": [1, 2, 3]}})
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "music.example.test", "httpx")
    first = me.get(path).etag
    tag = me.put(path, {"title": "Road", "tracks": [1, 2]}, 200, {"If-Match": first}).etag
    time.sleep(0.8)
    me.put(path, {"title": "Road", "tracks": [2]}, 200, {"If-Match": tag})
    time.sleep(0.8)
    me.put(path, {"title": "Road trip", "tracks": [2]}, 412, {"If-Match": first})
    me.get(path)


@case(
    "a323",
    "lighttpd-dav-tag-from-before-the-own-upload",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description="A notes app on lighttpd's mod_webdav reads once and uploads twice with that one tag; nobody else writes.",
)
def _own_upload(stage: Stage) -> None:
    server = fronts.site(stage, "lighttpd", {"todo.txt": "milk\n"}, fronts.DAV["lighttpd"])
    me = stage.actor("client", server, "todo.example.test", "aiohttp", {"Authorization": "Basic bWU6"})
    tag = me.get("/todo.txt").etag
    me.put("/todo.txt", "milk\nbread\n", 204, {"If-Match": tag, **TEXT})
    time.sleep(1.5)
    me.put("/todo.txt", "milk\nbread\nsoap\n", 412, {"If-Match": tag, **TEXT})
    me.put("/todo.txt", "milk\nbread\nsoap\n", 204, {"If-Match": me.get("/todo.txt").etag, **TEXT})


@case(
    "a324",
    "loop-with-growing-waits-and-one-tag",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token other-writer",
    also="other-writer",
    description="After another's save a job sends its PATCH four times with growing waits, always with the tag that failed; it never reads again.",
)
def _loop(stage: Stage) -> None:
    path = "/quotas/tenant-9"
    server = shelf(stage, "flask", {path: {"cpu": 8, "memory": 32}})
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "quota.example.test", "requests", {"X-Job": "resize"})
    other = stage.actor("other", front, "quota.example.test", "httpx", {"X-Job": "billing"})
    tag = me.get(path).etag
    other.send("PATCH", path, 200, {"If-Match": other.get(path).etag, **MERGE}, '{"memory":48}')
    for wait in (0.4, 0.8, 1.6, 0.0):
        me.send("PATCH", path, 412, {"If-Match": tag, **MERGE}, '{"cpu":16}')
        time.sleep(wait)


@case(
    "a325",
    "java-uploader-tries-five-times",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token other-writer",
    also="other-writer",
    description="A Java uploader on mod_dav repeats a refused PUT every half second with its first tag; another desk wrote before it.",
)
def _uploader(stage: Stage) -> None:
    server = fronts.site(stage, "apache2", {"desk/prices.txt": HANDBOOK}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "desk.example.test", "java")
    other = stage.actor("other", server, "desk.example.test", "curl")
    tag = me.get("/desk/prices.txt").etag
    other.put("/desk/prices.txt", "new prices\n", 204, TEXT)
    time.sleep(2.2)
    for _ in range(5):
        me.put("/desk/prices.txt", "my prices\n", 412, {"If-Match": tag, **TEXT})
        time.sleep(0.5)


@case(
    "a326",
    "curl-retries-its-own-committed-put",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description="curl --retry: the first PUT is stored but its answer is lost; curl's own repeat with the same tag is refused. The run id is in the content.",
)
def _curl_retry(stage: Stage) -> None:
    path = "/runs/current"
    server = shelf(stage, "falcon", {path: {"run": "0", "state": "idle"}})
    loses = first_of("PUT")
    me = stage.actor("client", server, "runs.example.test", "curl", loses=loses)
    tag = me.get(path).etag
    stage.curls["client"].more = ["--retry", "2", "--retry-delay", "1", "--retry-all-errors"]
    body = {"run": "5b0e9a44-2f1c", "state": "started", "by": "agent-12"}
    me.put(path, body, 412, {"If-Match": tag})
    stage.curls["client"].more = []
    me.get(path)


@case(
    "a327",
    "gateway-timeout-then-the-same-again",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description="HAProxy answers 504 after 0.7 s while the service stores the PUT; the client repeats it two seconds later and meets its own write.",
)
def _gateway(stage: Stage) -> None:
    path = "/bookings/QX81"
    server = shelf(stage, "flask", {path: {"seats": 2, "ref": None}}, SLOW="1.5")
    front = fronts.haproxy(stage, [server], " timeout server 700ms")
    me = stage.actor("client", front, "booking.example.test", "node", {"Idempotency-Key": "c0ffee-0031"})
    tag = me.get(path).etag
    body = {"seats": 3, "ref": "c0ffee-0031"}
    me.put(path, body, 504, {"If-Match": tag})
    time.sleep(2.2)
    me.put(path, body, 412, {"If-Match": tag})
    me.get(path)


@case(
    "a328",
    "radicale-new-event-answer-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay exists-already",
    description="A phone stores a new event create-only; the connection breaks after Radicale has it; the phone's repeat is refused by its own event.",
)
def _event_lost(stage: Stage) -> None:
    server = stage.server("radicale")
    user = {"Authorization": "Basic a2FpOmthaQ=="}
    made = "<?xml version='1.0'?><C:mkcalendar xmlns:C='urn:ietf:params:xml:ns:caldav'/>"
    setup = stage.actor("setup", server, "dav.example.test", "requests", user)
    setup.send("MKCALENDAR", "/kai/private/", 201, {"Content-Type": "application/xml"}, made)
    stage.forget()
    loses = first_of("PUT")
    me = stage.actor("client", server, "dav.example.test", "httpx", user, loses=loses)
    path, uid = "/kai/private/e2b97c1f-5d0a.ics", "e2b97c1f-5d0a-4be1@phone"
    me.put(path, event(uid, "Dentist"), 0, {"If-None-Match": "*", **ICS})
    time.sleep(1.4)
    me.put(path, event(uid, "Dentist"), 412, {"If-None-Match": "*", **ICS})
    me.get(path)


@case(
    "a329",
    "kinto-patch-timed-out",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description="An answer of Kinto is lost after the PATCH was stored; the app repeats the request, with its own change id inside, under the old timestamp.",
)
def _kinto_lost(stage: Stage) -> None:
    server = furnished(stage, "order-chairs")
    loses = first_of("PATCH")
    user = {"Authorization": "Basic YW5uYTphbm5h"}
    me = stage.actor("client", server, "sync.example.test", "urllib", user, loses=loses)
    path = f"{_TASKS}/order-chairs"
    tag = me.get(path).etag
    body = {"data": {"chairs": 12, "change": "anna-tablet-7731"}}
    me.send("PATCH", path, 0, {"If-Match": tag}, body)
    time.sleep(1.1)
    me.send("PATCH", path, 412, {"If-Match": tag}, body)
    me.get(path)


@case(
    "a330",
    "wget-repeats-a-create",
    "lost-response-replay",
    "412",
    alone="lost-response-replay exists-already",
    description="wget sends a create-only PUT; the connection closes after the server stored it; wget's own second try is refused.",
)
def _wget(stage: Stage) -> None:
    server = shelf(stage, "django", {})
    port = stage.tap("client", server, first_of("PUT"))
    body = '{"host":"edge-4","boot":"7f1c0d52","at":"2026-11-26T08:00:11Z"}'
    command = [program("wget"), "-q", "-S", "-O", "-", "--tries=2", "--method=PUT", f"--body-data={body}"]
    command += ["--header=If-None-Match: *", "--header=Content-Type: application/json"]
    command += ["--header=Host: boots.example.test", f"http://127.0.0.1:{port}/boots/7f1c0d52"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    if "412" not in done.stderr:
        raise StoryError(done.stderr)
    read = [*command[:5], "--header=Host: boots.example.test", command[-1]]
    subprocess.run(read, capture_output=True, check=True, timeout=30)


@case(
    "a331",
    "fresh-tag-by-head-for-an-old-form",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    also="other-writer",
    description="After a 412 the form takes the new tag by HEAD and sends its old content again: 200, and the colleague's weeks are gone.",
)
def _old_form(stage: Stage) -> None:
    path = "/rotas/night"
    server = shelf(stage, "django", {path: ROTA})
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "rota.example.test", "node", {"Cookie": "u=ida"})
    other = stage.actor("other", front, "rota.example.test", "requests", {"Cookie": "u=per"})
    tag = me.get(path).etag
    other.put(path, {**ROTA, "weeks": ROTA["weeks"][:12]}, 200, {"If-Match": other.get(path).etag})
    time.sleep(0.9)
    mine = {**ROTA, "notes": "Hand over at 07:00."}
    me.put(path, mine, 412, {"If-Match": tag})
    fresh = me.send("HEAD", path, 200).etag
    me.put(path, mine, 200, {"If-Match": fresh})
    me.get(path)


@case(
    "a332",
    "dav-sync-looks-right-before-it-writes",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    also="other-writer",
    description="A sync tool reads a list from mod_dav, waits for its user, asks the tag by HEAD just before the PUT of the list it read earlier; another's line is gone.",
)
def _looks(stage: Stage) -> None:
    server = fronts.site(stage, "apache2", {"list.txt": "tents\nropes\n"}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "camp.example.test", "aiohttp")
    other = stage.actor("other", server, "camp.example.test", "curl")
    me.get("/list.txt")
    other.put("/list.txt", "tents\nropes\nstoves\n", 204, {"If-Match": other.get("/list.txt").etag, **TEXT})
    time.sleep(2.4)
    fresh = me.send("HEAD", "/list.txt", 200).etag
    me.put("/list.txt", "tents\nropes\nlamps\n", 204, {"If-Match": fresh, **TEXT})
    time.sleep(0.6)
    me.get("/list.txt")


@case(
    "a333",
    "two-unguarded-saves-of-one-profile",
    "unconditional-write",
    "lost-update",
    alone="none unconditional-write",
    also="other-writer",
    description="Two apps read a profile, both PUT it whole without any condition although it has a tag; the first one's phone number is lost.",
)
def _unguarded(stage: Stage) -> None:
    path = "/profiles/318"
    server = shelf(stage, "aiohttp", {path: {"name": "Mina", "city": "Turku", "phone": "1"}})
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "profiles.example.test", "node:axios", {"Authorization": "Bearer web"})
    other = stage.actor("other", front, "profiles.example.test", "java", {"Authorization": "Bearer app"})
    mine, theirs = me.get(path).json, other.get(path).json
    other.put(path, {**theirs, "phone": "2"}, 200)
    time.sleep(1.2)
    me.put(path, {**mine, "city": "Oulu"}, 200)
    me.get(path)


@case(
    "a334",
    "tomcat-config-written-by-two-without-guard",
    "unconditional-write",
    "lost-update",
    alone="none unconditional-write",
    also="other-writer",
    description="Two deployers read a properties file from Tomcat and PUT their own version of it; no condition is sent, the first one's line is gone.",
)
def _deployers(stage: Stage) -> None:
    server = stage.server("tomcat")
    setup = stage.actor("setup", server, "config.example.test", "requests")
    setup.put("/app.properties", "pool=5\ncache=on\n", 201, TEXT)
    stage.forget()
    me = stage.actor("client", server, "config.example.test", "requests", {"X-Pipeline": "blue"})
    other = stage.actor("other", server, "config.example.test", "urllib", {"X-Pipeline": "green"})
    mine, theirs = me.get("/app.properties").text, other.get("/app.properties").text
    other.put("/app.properties", theirs.replace("pool=5", "pool=9"), 204, TEXT)
    time.sleep(1.6)
    me.put("/app.properties", f"{mine}trace=off\n", 204, TEXT)
    me.get("/app.properties")


@case(
    "a335",
    "axios-sends-the-word-undefined",
    "null-token",
    "412",
    alone="null-token",
    description="A page reads response.headers.ETag (capitals) in axios, gets undefined and sends a template string of it.",
)
def _undefined(stage: Stage) -> None:
    path = "/boards/sprint-14"
    server = shelf(stage, "falcon", {path: {"columns": 3}})
    me = stage.actor(
        "client", server, "boards.example.test", "node:axios", {"Origin": "http://boards.example.test"}
    )
    me.get(path)
    me.put(path, {"columns": 4}, 412, {"If-Match": '"undefined"'})
    me.get(path)


@case(
    "a336",
    "placeholder-left-in-a-collection",
    "null-token",
    "412",
    alone="null-token",
    description="A request collection runs without its environment: {{etag}} goes to mod_dav as it stands.",
)
def _placeholder(stage: Stage) -> None:
    server = fronts.site(stage, "apache2", {"spec.txt": HANDBOOK}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "specs.example.test", "node", {"User-Agent": "newman/6.2.1"})
    me.get("/spec.txt")
    me.put("/spec.txt", "v2\n", 412, {"If-Match": "{{etag}}", **TEXT})
    me.put("/spec.txt", "v2\n", 412, {"If-Match": "{{etag}}", **TEXT})


@case(
    "a337",
    "empty-tag-from-an-empty-column",
    "null-token",
    "400",
    alone="null-token",
    description="A sync job formats an empty database column: If-Match is a pair of quotes; the record has a timestamp as tag.",
)
def _empty(stage: Stage) -> None:
    server = furnished(stage, "bins")
    me = anna(stage, server, "aiohttp")
    me.get(_TASKS)
    me.send("PATCH", f"{_TASKS}/bins", 400, {"If-Match": '""'}, {"data": {"done": True}})
    me.send("PATCH", f"{_TASKS}/bins", 400, {"If-Match": '""'}, {"data": {"done": True}})


@case(
    "a338",
    "tag-went-through-json-twice",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description="The tag was kept as JSON inside JSON; on mod_dav it comes back with backslashes before its quotes.",
)
def _json_twice(stage: Stage) -> None:
    server = fronts.site(stage, "apache2", {"plan.txt": HANDBOOK}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "plans.example.test", "requests")
    tag = me.get("/plan.txt").etag.replace('"', '\\"')
    me.put("/plan.txt", "1. Rest\n", 412, {"If-Match": tag, **TEXT})
    time.sleep(0.5)
    me.put("/plan.txt", "1. Rest\n", 412, {"If-Match": tag, **TEXT})
    me.send("HEAD", "/plan.txt", 200)


@case(
    "a339",
    "shell-ate-the-quotes",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description="A shell script passes the tag on without its quotes; aiohttp's parser finds no entity tag in it.",
)
def _shell(stage: Stage) -> None:
    path = "/sensors/12/limits"
    server = shelf(stage, "aiohttp", {path: {"low": 2, "high": 8}}, TAG="hash")
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, "sensors.example.test", "curl:trace-ascii")
    tag = me.get(path).etag
    me.put(path, '{"low":3,"high":8}', 412, {"If-Match": tag.strip('"'), "Content-Type": "application/json"})
    me.get(path)
    me.put(path, '{"low":3,"high":8}', 200, {"If-Match": tag, "Content-Type": "application/json"})


@case(
    "a340",
    "tag-copied-out-of-a-web-page",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description="A template writes the tag into a hidden field and reads it back as &quot;...&quot;; the service finds no match.",
)
def _hidden_field(stage: Stage) -> None:
    path = "/pages/contact"
    server = shelf(stage, "cherrypy", {path: {"title": "Contact", "body": "Call us"}}, TAG="version")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "cms.example.test", "httpx", {"Cookie": "editor=1"})
    tag = me.get(path).etag.replace('"', "&quot;")
    me.put(path, {"title": "Contact", "body": "Write to us"}, 412, {"If-Match": tag})
    me.get(path)
