"""Traffic in which nothing is wrong, with services behind intermediaries."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.fourth_setting import HANDBOOK, MERGE, ROTA, TEXT, at_once, browse, shelf

if TYPE_CHECKING:
    from collections.abc import Callable


def _healthy(
    identifier: str, slug: str, description: str, alone: str = "none", also: str = ""
) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
    outcome = "recovered" if also else "healthy"
    return case(identifier, slug, "none", outcome, alone=alone, also=also, description=description)


@_healthy(
    "a490",
    "browsing-with-304-healthy",
    "Five pages behind a compressing nginx are read twice; the tags of the reads come back and get 304.",
)
def _browsing(stage: Stage) -> None:
    seed = {f"/articles/{n}": {**ROTA, "n": n} for n in range(5)}
    front = fronts.nginx_gzip(stage, shelf(stage, "django", seed))
    browse(stage.actor("client", front, "news.example.test", "requests"), list(seed), 2)


@_healthy(
    "a491",
    "poll-until-done-healthy",
    "A client polls a job by tag; the service advances it twice, each change brings a new tag, between them 304.",
)
def _poll(stage: Stage) -> None:
    path = "/jobs/118"
    server = shelf(stage, "flask", {path: {"state": "queued"}})
    me = stage.actor("client", fronts.haproxy(stage, [server]), "jobs.example.test", "node")
    other = stage.actor("other", server, "jobs.example.test", "httpx", {"X-Runner": "r4"})
    tag = me.get(path).etag
    for state in ("running", "", "done", ""):
        if state:
            other.put(path, {"state": state}, 200, {"If-Match": other.get(path).etag})
        answer = me.send("GET", path, (200, 304), {"If-None-Match": tag})
        tag = answer.fields.get("etag", tag)
        time.sleep(0.5)


@_healthy(
    "a492",
    "save-chain-over-http2-healthy",
    "Eight guarded saves in a row over HTTP/2, each with the tag of the answer before, among other reads.",
)
def _chain(stage: Stage) -> None:
    seed: dict[str, object] = {"/docs/a1": {"v": 0}, "/docs/a2": {"v": 0}}
    front = fronts.encrypted(stage, shelf(stage, "falcon", seed))
    me = stage.actor("client", front, "docs.example.test", "http2")
    tag = me.get("/docs/a1").etag
    for value in range(8):
        tag = me.put("/docs/a1", {"v": value}, 200, {"If-Match": tag}).etag
        if value % 3 == 0:
            me.get("/docs/a2")


@_healthy(
    "a493",
    "two-editors-apart-healthy",
    "Two people edit two documents at the same time behind Envoy; no save touches the other's.",
)
def _apart(stage: Stage) -> None:
    seed: dict[str, object] = {"/pads/x": {"t": ""}, "/pads/y": {"t": ""}}
    front = fronts.envoy(stage, [shelf(stage, "aiohttp", seed)])
    me = stage.actor("client", front, "pads.example.test", "httpx", {"X-User": "1"})
    other = stage.actor("other", front, "pads.example.test", "aiohttp", {"X-User": "2"})
    tags = [me.get("/pads/x").etag, other.get("/pads/y").etag]
    for turn in range(4):
        tags[0] = me.put("/pads/x", {"t": "x" * turn}, 200, {"If-Match": tags[0]}).etag
        tags[1] = other.put("/pads/y", {"t": "y" * turn}, 200, {"If-Match": tags[1]}).etag
        time.sleep(0.3)


@_healthy(
    "a494",
    "refused-read-again-merged-healthy",
    "A PATCH is refused, the client reads again, finds its field untouched and repeats it with the new tag: both changes stand.",
    "none other-writer",
    "other-writer",
)
def _merged(stage: Stage) -> None:
    path = "/people/61"
    server = shelf(stage, "django", {path: {"mail": "a@x.test", "phone": "1"}})
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "people.example.test", "node:axios", {"Authorization": "Bearer 1"})
    other = stage.actor("other", front, "people.example.test", "requests", {"Authorization": "Bearer 2"})
    tag = me.get(path).etag
    other.send("PATCH", path, 200, {"If-Match": other.get(path).etag, **MERGE}, '{"phone":"2"}')
    time.sleep(0.5)
    me.send("PATCH", path, 412, {"If-Match": tag, **MERGE}, '{"mail":"b@x.test"}')
    me.send("PATCH", path, 200, {"If-Match": me.get(path).etag, **MERGE}, '{"mail":"b@x.test"}')
    me.get(path)


@_healthy(
    "a495",
    "range-download-from-caddy-healthy",
    "A download in six ranges under If-Match, out of order, of a file that stays.",
)
def _ranges(stage: Stage) -> None:
    server = fronts.site(stage, "caddy", {"film.txt": "frame " * 700})
    me = stage.actor("client", server, "films.example.test", "java")
    tag = me.send("HEAD", "/film.txt", 200).etag
    for number in (0, 3, 1, 5, 2, 4):
        me.get("/film.txt", 206, {"Range": f"bytes={number * 700}-{number * 700 + 699}", "If-Match": tag})


@_healthy(
    "a496",
    "resume-restarts-when-the-file-is-new-healthy",
    "A resumed download with If-Range meets a new file: 200 with the whole of it, then ranges of the new one.",
    "none read-changed-mid-transfer",
)
def _resume(stage: Stage) -> None:
    server = fronts.site(stage, "nginx", {"pack.txt": "one " * 600})
    me = stage.actor("client", server, "packs.example.test", "curl")
    tag = me.get("/pack.txt", 206, {"Range": "bytes=0-999"}).etag
    fronts.put_file(server.directory, "pack.txt", "two " * 620, 1)
    tag = me.get("/pack.txt", 200, {"Range": "bytes=1000-", "If-Range": tag}).etag
    me.get("/pack.txt", 206, {"Range": "bytes=2000-", "If-Range": tag})


@_healthy(
    "a497",
    "dates-in-turn-healthy",
    "Two editors take turns on a file without tags, seconds apart, each with the date just read.",
)
def _dates(stage: Stage) -> None:
    path = "/log/bridge.txt"
    server = shelf(stage, "flask", {path: "08:00\n"}, TAG="none", DATES="1")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "log.example.test", "requests", {"X-Watch": "1"})
    other = stage.actor("other", front, "log.example.test", "urllib", {"X-Watch": "2"})
    for turn, actor in enumerate((me, other, me)):
        read = actor.get(path)
        seen = {"If-Unmodified-Since": read.fields["last-modified"], **TEXT}
        actor.put(path, f"{read.text}0{turn + 9}:00\n", 200, seen)
        time.sleep(1.6)
    me.get(path)


@_healthy(
    "a498",
    "cached-reads-fresh-writes-healthy",
    "Reads come from nginx's store; before a save the client asks past it with a query of its own, and the save passes.",
)
def _past_the_store(stage: Stage) -> None:
    path = "/prices/list"
    server = shelf(stage, "falcon", {path: {"m6": 1}})
    lines = "add_header X-Cache $upstream_cache_status always; proxy_cache_bypass $http_x_fresh;"
    front = fronts.nginx_cache(stage, server, 30, lines)
    me = stage.actor("client", front, "prices.example.test", "aiohttp")
    for _ in range(3):
        me.get(path)
        time.sleep(0.3)
    tag = me.get(path, 200, {"X-Fresh": "1"}).etag
    me.put(path, {"m6": 2}, 200, {"If-Match": tag})
    me.get(path, 200, {"X-Fresh": "1"})


@_healthy(
    "a499",
    "varnish-ages-and-revalidates-healthy",
    "A page ages in Varnish, is fetched again when its two seconds are over, and nothing has changed.",
)
def _ages(stage: Stage) -> None:
    server = shelf(stage, "flask", {"/wx/bergen": {"c": 4}, "/wx/oslo": {"c": 1}}, CACHE="max-age=2")
    front = fronts.varnish(stage, server)
    me = stage.actor("client", front, "wx.example.test", "node")
    for _ in range(4):
        browse(me, ["/wx/bergen", "/wx/oslo"], 2)
        time.sleep(0.9)


@_healthy(
    "a501",
    "busy-then-the-same-request-healthy",
    "The gateway is out of its upstream for a moment (503 before anything was written); the same guarded PUT passes a second later.",
)
def _busy(stage: Stage) -> None:
    path = "/slots/4"
    server = shelf(stage, "falcon", {path: {"free": True}})
    rule = "if ($http_x_try = 1) { return 503; }"
    me = stage.actor("client", fronts.nginx(stage, server, rule), "slots.example.test", "httpx")
    tag = me.get(path).etag
    me.put(path, {"free": False}, 503, {"If-Match": tag, "X-Try": "1"})
    time.sleep(1.0)
    me.put(path, {"free": False}, 200, {"If-Match": tag, "X-Try": "2"})
    me.get(path)


@_healthy(
    "a502",
    "sign-in-then-the-same-tag-healthy",
    "A guarded save meets 401, the client signs in, sends the same again and is taken.",
)
def _sign_in(stage: Stage) -> None:
    path = "/vault/3"
    server = shelf(stage, "django", {path: {"n": 1}})
    rule = ' http-request return status 401 hdr WWW-Authenticate "Bearer" if { method PUT } !{ req.hdr(authorization) -m found }'
    me = stage.actor("client", fronts.haproxy(stage, [server], "", rule), "vault.example.test", "java")
    tag = me.get(path).etag
    me.put(path, {"n": 2}, 401, {"If-Match": tag})
    me.put(path, {"n": 2}, 200, {"If-Match": tag, "Authorization": "Bearer fresh"})
    me.get(path)


@_healthy(
    "a503",
    "invalid-then-corrected-healthy",
    "A PUT is 403 by rule, the corrected one with the same tag passes; the tag was good all along.",
)
def _corrected(stage: Stage) -> None:
    path = "/forms/12"
    server = shelf(stage, "aiohttp", {path: {"age": 30}})
    rule = "if ($http_content_type = text/csv) { return 415; }"
    me = stage.actor("client", fronts.nginx(stage, server, rule), "forms.example.test", "urllib")
    tag = me.get(path).etag
    me.put(path, "age,31\n", 415, {"If-Match": tag, "Content-Type": "text/csv"})
    me.put(path, {"age": 31}, 200, {"If-Match": tag})


@_healthy(
    "a504",
    "list-and-items-healthy",
    "A table reads the list, then each row, and patches two rows with the rows' own tags.",
)
def _items(stage: Stage) -> None:
    seed = {f"/assets/k-{n}": {"kind": "desk", "room": n} for n in range(4)}
    server = shelf(stage, "flask", seed)
    me = stage.actor("client", fronts.caddy(stage, server), "assets.example.test", "requests")
    listed = me.get("/assets").json
    me.get("/assets")
    for row in listed[:2]:
        me.send("PATCH", row["href"], 200, {"If-Match": row["etag"], **MERGE}, '{"room":9}')
    me.get("/assets")


@_healthy(
    "a505",
    "two-views-each-with-its-tag-healthy",
    "A document is read as JSON and as CSV, polled in both forms, and saved with the tag of the JSON.",
)
def _views(stage: Stage) -> None:
    path = "/samples/s-9"
    server = shelf(stage, "flask", {path: {"ph": 7.0, "salt": 0.2}}, VIEWS="1")
    me = stage.actor("client", server, "lab.example.test", "node:axios")
    forms = ("application/json", "text/csv")
    tags = {form: me.get(path, 200, {"Accept": form}).etag for form in forms}
    for form in forms:
        me.get(path, 304, {"Accept": form, "If-None-Match": tags[form]})
    me.put(path, {"ph": 7.3, "salt": 0.2}, 200, {"If-Match": tags[forms[0]], "Accept": forms[0]})
    me.get(path, 200, {"Accept": forms[1], "If-None-Match": tags[forms[1]]})


@_healthy(
    "a506",
    "sole-author-without-guard-healthy",
    "One author writes a page again and again without a condition; nobody else is about and nothing is lost.",
)
def _sole(stage: Stage) -> None:
    path = "/diary/26"
    server = shelf(stage, "falcon", {path: {"t": ""}})
    me = stage.actor("client", fronts.lighttpd(stage, server), "diary.example.test", "requests")
    text = ""
    for word in ("woke", "ate", "read", "slept"):
        text = f"{text} {word}".strip()
        me.put(path, {"t": text}, 200)
        time.sleep(0.4)
    me.get(path)


@_healthy(
    "a507",
    "weak-tags-compared-by-their-text-healthy",
    "A service with weak tags compares them by their text, as its dialect has it; every guarded save passes.",
)
def _weak(stage: Stage) -> None:
    path = "/odata/Customers(7)"
    server = shelf(stage, "flask", {path: {"Name": "Ola"}}, WEAK="1")
    me = stage.actor("client", server, "crm.example.test", "node", {"OData-Version": "4.0"})
    tag = me.get(path).etag
    for name in ("Ola N", "Ola Nes", "Ola Nes jr"):
        tag = me.send("PATCH", path, 200, {"If-Match": tag, **MERGE}, json.dumps({"Name": name})).etag
        time.sleep(0.3)


@_healthy(
    "a508",
    "two-nodes-one-truth-healthy",
    "Two Flask nodes on one database agree about tags; HAProxy takes turns, saves and polls fit.",
)
def _nodes(stage: Stage) -> None:
    store = str(stage.directory() / "shared.db")
    seed = {"/queues/q1": {"len": 0}}
    nodes = [shelf(stage, "flask", seed, STORE=store) for _ in range(2)]
    me = stage.actor("client", fronts.haproxy(stage, nodes), "queues.example.test", "httpx")
    tag = me.get("/queues/q1").etag
    for length in range(1, 5):
        tag = me.put("/queues/q1", {"len": length}, 200, {"If-Match": tag}).etag
        me.get("/queues/q1", 304, {"If-None-Match": tag})


@_healthy(
    "a509",
    "star-on-what-exists-healthy",
    "If-Match: * on a document that exists: write it only if it is there; all are taken.",
)
def _star(stage: Stage) -> None:
    server = shelf(stage, "falcon", {"/keys/1": {"v": 1}, "/keys/2": {"v": 1}})
    me = stage.actor("client", fronts.envoy(stage, [server]), "keys.example.test", "aiohttp")
    for number in (1, 2, 1):
        me.put(f"/keys/{number}", {"v": 2}, 200, {"If-Match": "*"})
        me.get(f"/keys/{number}")


@_healthy(
    "a510",
    "create-read-update-delete-healthy",
    "The whole life of four documents: created under If-None-Match: *, read, updated with their tags, deleted with their tags.",
)
def _life(stage: Stage) -> None:
    server = shelf(stage, "django", {})
    me = stage.actor("client", fronts.nginx(stage, server), "life.example.test", "node")
    for number in range(4):
        path = f"/things/{number:04x}"
        tag = me.put(path, {"n": number}, 201, {"If-None-Match": "*"}).etag
        me.get(path, 304, {"If-None-Match": tag})
        tag = me.put(path, {"n": number + 1}, 200, {"If-Match": tag}).etag
        me.send("DELETE", path, 204, {"If-Match": tag})
    me.get("/things/0000", 404)


@_healthy(
    "a511",
    "parallel-workers-on-their-own-records-healthy",
    "Six workers of one run patch a record each at the same time, all guarded with the record's own tag.",
)
def _workers(stage: Stage) -> None:
    seed = {f"/rows/r{n}": {"n": n} for n in range(6)}
    server = shelf(stage, "flask", seed, SLOW="0.2")
    me = stage.actor("client", fronts.nginx(stage, server), "rows.example.test", "httpx", {"X-Run": "7"})
    tags = {path: me.get(path).etag for path in seed}
    done = '{"done":true}'
    at_once(
        [partial(me.send, "PATCH", one, 200, {"If-Match": tags[one], **MERGE}, done) for one in seed], 0.03
    )
    me.get("/rows")


@_healthy(
    "a512",
    "queued-autosave-healthy",
    "An editor's autosaves are sent one after the other, each with the tag of the answer before, though they come fast.",
)
def _queued(stage: Stage) -> None:
    path = "/drafts/88"
    server = shelf(stage, "aiohttp", {path: {"t": ""}}, TAG="hash")
    me = stage.actor(
        "client", fronts.traefik(stage, [server]), "drafts.example.test", "node", {"Cookie": "s=1"}
    )
    tag = me.get(path).etag
    for length in range(1, 8):
        tag = me.put(path, {"t": "word " * length}, 200, {"If-Match": tag}).etag


@_healthy(
    "a513",
    "no-content-in-the-export-healthy",
    "A HAR without response content of a calm session: reads, 304s, two guarded saves.",
)
def _no_content(stage: Stage) -> None:
    stage.keeps_content = False
    server = shelf(stage, "django", {"/c/1": ROTA, "/c/2": ROTA})
    me = stage.actor("client", fronts.caddy(stage, server), "c.example.test", "requests")
    browse(me, ["/c/1", "/c/2"], 2)
    tag = me.get("/c/1").etag
    for team in ("a", "b"):
        tag = me.put("/c/1", {**ROTA, "team": team}, 200, {"If-Match": tag}).etag
    browse(me, ["/c/1", "/c/2"], 2)


@_healthy(
    "a514",
    "deleted-twice-by-the-same-script-healthy",
    "A clean-up deletes what is left and takes 404 for done; nothing it wanted to keep is gone.",
    "none target-missing",
)
def _twice(stage: Stage) -> None:
    server = shelf(stage, "falcon", {f"/scratch/{n}": {"n": n} for n in range(3)})
    me = stage.actor("client", server, "tmp.example.test", "curl")
    for number in range(3):
        me.send("DELETE", f"/scratch/{number}", 204)
    for number in range(3):
        me.send("DELETE", f"/scratch/{number}", 404)


@_healthy(
    "a515",
    "feed-by-date-healthy",
    "A feed reader asks by If-Modified-Since: 304 four times, then a new issue with a later date.",
)
def _feed(stage: Stage) -> None:
    server = fronts.site(stage, "nginx", {"feed.xml": "<feed>1</feed>"})
    me = stage.actor("client", server, "feeds.example.test", "urllib", {"User-Agent": "feedparser/6.0.11"})
    seen = me.get("/feed.xml").fields["last-modified"]
    for _ in range(4):
        me.get("/feed.xml", 304, {"If-Modified-Since": seen})
        time.sleep(0.4)
    fronts.put_file(server.directory, "feed.xml", "<feed>2</feed>")
    fresh = me.get("/feed.xml", 200, {"If-Modified-Since": seen}).fields["last-modified"]
    if parsedate_to_datetime(fresh) <= parsedate_to_datetime(seen):
        raise AssertionError(fresh)


@_healthy(
    "a516",
    "permanent-redirect-keeps-the-put-healthy",
    "308 from HAProxy to the new prefix: the client sends the same guarded PUT there and it is taken.",
)
def _redirect(stage: Stage) -> None:
    server = shelf(stage, "falcon", {"/v2/cfg/1": {"a": 1}})
    rule = " http-request redirect code 308 prefix /v2 if { path_beg /cfg/ }"
    me = stage.actor("client", fronts.haproxy(stage, [server], "", rule), "cfg.example.test", "aiohttp")
    tag = me.get("/v2/cfg/1").etag
    me.put("/cfg/1", {"a": 2}, 200, {"If-Match": tag})
    me.get("/v2/cfg/1")


@_healthy(
    "a517",
    "strong-tags-survive-compression-healthy",
    "aiohttp compresses its answers and keeps one strong tag for both forms; saves with it pass, identity reads show the same.",
)
def _compressed(stage: Stage) -> None:
    server = shelf(stage, "aiohttp", {"/r/1": ROTA}, DEFLATE="1")
    me = stage.actor("client", fronts.haproxy(stage, [server]), "r.example.test", "httpx")
    tag = me.get("/r/1").etag
    me.get("/r/1", 200, {"Accept-Encoding": "identity"})
    tag = me.put("/r/1", {**ROTA, "team": "z"}, 200, {"If-Match": tag}).etag
    me.get("/r/1", 304, {"If-None-Match": tag})


@_healthy(
    "a518",
    "long-handbook-in-many-small-saves-healthy",
    "Two authors take turns on one handbook over a minute's worth of edits; each reads before it writes.",
)
def _handbook(stage: Stage) -> None:
    path = "/books/h.txt"
    server = shelf(stage, "cherrypy", {path: HANDBOOK[:200]})
    me = stage.actor("client", server, "books.example.test", "requests", {"X-Author": "1"})
    other = stage.actor("other", server, "books.example.test", "node", {"X-Author": "2"})
    for turn in range(6):
        actor = (me, other)[turn % 2]
        read = actor.get(path)
        actor.put(path, f"{read.text}{turn}. Next.\n", 200, {"If-Match": read.etag, **TEXT})
        time.sleep(0.6)
