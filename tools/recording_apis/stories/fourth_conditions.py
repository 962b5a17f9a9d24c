"""Conditions in payloads and criteria, refusals that are none, and losers that are expected."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.fourth_setting import HANDBOOK, MERGE, TEXT, shelf

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor

_PATCH = {"Content-Type": "application/json-patch+json"}


def _named(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _swap(actor: Actor, key: str, compare: dict[str, object], value: str) -> object:
    put = {"request_put": {"key": _named(key), "value": _named(value)}}
    body = {"compare": [{"key": _named(key), **compare}], "success": [put]}
    return actor.send("POST", "/v3/kv/txn", 200, None, body).json


@case(
    "a437",
    "etcd-transaction-lost-behind-a-200",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description="etcd v3 answers a failed compare with 200 and no 'succeeded'; the client takes the status for success and goes on, its value was never stored.",
)
def _transaction(stage: Stage) -> None:
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.example.test", "requests")
    other = stage.actor("other", server, "etcd.example.test", "node")
    key = {"key": _named("pools/web/size")}
    other.send("POST", "/v3/kv/put", 200, None, {**key, "value": _named("4")})
    revision = me.send("POST", "/v3/kv/range", 200, None, key).json["kvs"][0]["mod_revision"]
    other.send("POST", "/v3/kv/put", 200, None, {**key, "value": _named("6")})
    time.sleep(0.7)
    compare = {"target": "MOD", "result": "EQUAL", "mod_revision": revision}
    _swap(me, "pools/web/size", compare, "5")
    time.sleep(0.8)
    me.send("POST", "/v3/kv/range", 200, None, key)


@case(
    "a438",
    "conflict-409-for-an-old-version",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token status-dialect-mismatch",
    also="other-writer status-dialect-mismatch",
    description="The service says 409 'version conflict' where 412 is due; the client's rule for 409 is to send the same again, which it does three times.",
)
def _conflict(stage: Stage) -> None:
    path = "/policies/door"
    settings = {"REFUSE": "409", "TEXT": "version conflict: the policy was changed"}
    server = shelf(stage, "flask", {path: {"open": "07:00"}}, **settings)
    me = stage.actor("client", server, "doors.example.test", "httpx")
    other = stage.actor("other", server, "doors.example.test", "requests")
    tag = me.get(path).etag
    other.put(path, {"open": "06:30"}, 200, {"If-Match": other.get(path).etag})
    for _ in range(3):
        time.sleep(0.5)
        me.put(path, {"open": "06:00"}, 409, {"If-Match": tag})
    me.get(path)


@case(
    "a439",
    "etcd-compare-on-a-value-with-a-blank",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description="prevValue has a blank more than the stored value; nobody else wrote. etcd's 412 shows both spellings.",
)
def _blank(stage: Stage) -> None:
    server = stage.server("etcd")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    me = stage.actor("client", server, "etcd.example.test", "urllib")
    me.put("/v2/keys/site/banner", "value=Closed+Monday", 201, form)
    me.get("/v2/keys/site/banner")
    time.sleep(0.5)
    for _ in range(2):
        me.put("/v2/keys/site/banner?prevValue=Closed%20Monday%20", "value=Open+daily", 412, form)
    me.put("/v2/keys/site/banner?prevValue=Closed%20Monday", "value=Open+daily", 200, form)


@case(
    "a440",
    "json-patch-tests-a-number-as-text",
    "payload-precondition-mismatch",
    "409",
    alone="payload-precondition-mismatch",
    also="status-dialect-mismatch",
    description='A JSON Patch tests priority against the text "2"; the document has the number 2. Operation 0 fails though nobody else wrote.',
)
def _number(stage: Stage) -> None:
    path = "/jobs/441"
    server = shelf(stage, "flask", {path: {"priority": 2, "state": "waiting"}})
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "jobs.example.test", "node:axios")
    me.get(path)
    raised = '{"op":"replace","path":"/priority","value":1}'
    me.send("PATCH", path, 409, _PATCH, f'[{{"op":"test","path":"/priority","value":"2"}},{raised}]')
    time.sleep(0.6)
    me.send("PATCH", path, 200, _PATCH, f'[{{"op":"test","path":"/priority","value":2}},{raised}]')


@case(
    "a441",
    "update-by-mail-address-meets-two",
    "multi-match",
    "412",
    alone="multi-match",
    description="A conditional update by criteria finds two members with one mail address: 412 'the criteria match 2 documents'; the list shows both.",
)
def _two_members(stage: Stage) -> None:
    seed = {
        f"/members/{n}": {"mail": m, "name": f"N{n}"}
        for n, m in ((1, "a@x.test"), (2, "b@x.test"), (3, "a@x.test"))
    }
    server = shelf(stage, "flask", seed)
    me = stage.actor("client", server, "club.example.test", "requests")
    me.put("/members?mail=a@x.test", {"mail": "a@x.test", "name": "Anna"}, 412)
    me.get("/members")
    time.sleep(0.5)
    me.put("/members?mail=a@x.test&name=N1", {"mail": "a@x.test", "name": "Anna"}, 200)


@case(
    "a442",
    "delete-by-label-meets-three",
    "multi-match",
    "412",
    alone="multi-match",
    description="A clean-up deletes by criteria that three volumes share; refused with 412 twice, no condition field is sent.",
)
def _three_volumes(stage: Stage) -> None:
    seed = {f"/volumes/v{n}": {"label": "tmp", "gb": n * 10} for n in (1, 2, 3)}
    server = shelf(stage, "flask", seed, PLAIN="1")
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, "disks.example.test", "aiohttp")
    me.send("DELETE", "/volumes?label=tmp", 412)
    time.sleep(0.8)
    me.send("DELETE", "/volumes?label=tmp", 412)
    me.get("/volumes")
    me.send("DELETE", "/volumes?label=tmp&gb=30", 204)


@case(
    "a443",
    "mod-dav-without-tags",
    "unsupported-precondition",
    "412",
    alone="unsupported-precondition",
    description="FileETag None: mod_dav has no tags at all, so If-Match with anything (here a tag kept from an older set-up) is refused for ever; without a condition it passes.",
)
def _no_tags(stage: Stage) -> None:
    lines = f"FileETag None\n{fronts.DAV['apache2']}"
    server = fronts.site(stage, "apache2", {"old.txt": HANDBOOK}, lines)
    me = stage.actor("client", server, "old.example.test", "httpx")
    me.get("/old.txt")
    for _ in range(2):
        me.put("/old.txt", "new\n", 412, {"If-Match": '"1a2b-63f0"', **TEXT})
        me.send("HEAD", "/old.txt", 200)
        time.sleep(0.5)
    me.put("/old.txt", "new\n", 204, TEXT)


@case(
    "a444",
    "store-says-not-implemented",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description="The store answers 501 to any If-Match, the one just read included; without a condition the write is taken.",
)
def _not_implemented(stage: Stage) -> None:
    path = "/blobs/k1"
    server = shelf(stage, "flask", {path: {"v": 1}}, UNABLE="501")
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "blobs.example.test", "java")
    for _ in range(2):
        me.put(path, {"v": 2}, 501, {"If-Match": me.get(path).etag})
        time.sleep(0.4)
    me.put(path, {"v": 2}, 200)


@case(
    "a445",
    "firewall-rule-at-nginx",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description="A rule at nginx answers 412 with its page to requests whose agent looks like a scanner; no condition is sent, other agents pass.",
)
def _firewall(stage: Stage) -> None:
    server = shelf(stage, "falcon", {"/shop/items/4": {"price": 9}})
    block = "error_page 412 /blocked; location = /blocked { internal; default_type text/html; return 412 "
    block += '"<html><title>Request blocked</title><p>Rule 941100, incident 7f3a.</p></html>"; }'
    front = fronts.nginx(stage, server, "if ($http_user_agent ~* sqlmap) { return 412; }", "", block)
    me = stage.actor("client", front, "shop.example.test", "curl", {"User-Agent": "sqlmap/1.8"})
    me.get("/shop/items/4", 412)
    me.put("/shop/items/4", '{"price":1}', 412, {"Content-Type": "application/json"})
    me.get("/shop/items/4", 200, {"User-Agent": "curl/8.5.0"})


@case(
    "a446",
    "varnish-wants-a-consent-cookie",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description="A consent gate in Varnish uses 412 until the cookie is there; tags and conditions play no part.",
)
def _consent(stage: Stage) -> None:
    server = shelf(stage, "django", {"/letters/1": {"to": "all"}})
    rule = (
        'sub vcl_recv { if (req.http.Cookie !~ "consent=yes") { return (synth(412, "Consent required")); } '
    )
    rule += "return (pass); }"
    front = fronts.varnish(stage, server, rule)
    me = stage.actor("client", front, "letters.example.test", "requests")
    me.get("/letters/1", 412)
    me.send("DELETE", "/letters/1", 412)
    time.sleep(0.4)
    me.get("/letters/1", 200, {"Cookie": "consent=yes"})


@case(
    "a447",
    "three-nodes-claim-one-lock",
    "expected-control-flow",
    "412",
    alone="expected-control-flow none exists-already",
    description="Each minute's job lock is claimed by three schedulers create-only (prevExist=false); one wins, the losers look and wait for the next minute.",
)
def _locks(stage: Stage) -> None:
    server = stage.server("etcd")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    other = stage.actor("other", server, "etcd.example.test", "httpx")
    me = stage.actor("client", server, "etcd.example.test", "requests")
    for minute in ("0801", "0802", "0803", "0804"):
        winner, loser = (me, other) if minute == "0803" else (other, me)
        winner.put(f"/v2/keys/locks/job-{minute}?prevExist=false", "value=n1&ttl=60", 201, form)
        loser.put(f"/v2/keys/locks/job-{minute}?prevExist=false", "value=n2&ttl=60", 412, form)
        time.sleep(0.8)


@case(
    "a448",
    "checkpoint-claims-by-two-workers",
    "expected-control-flow",
    "412",
    alone="expected-control-flow none other-writer",
    also="other-writer",
    description="Two workers claim partition records by If-Match in turn; a refused claim is skipped and the next one taken, nothing is lost and nobody complains.",
)
def _claims(stage: Stage) -> None:
    paths = [f"/ownership/partition-{n}" for n in range(4)]
    server = shelf(stage, "falcon", {path: {"owner": None} for path in paths})
    me = stage.actor("client", server, "hub.example.test", "httpx", {"X-Worker": "w1"})
    other = stage.actor("other", server, "hub.example.test", "httpx", {"X-Worker": "w2"})
    tags = {path: me.get(path).etag for path in paths}
    theirs = {path: other.get(path).etag for path in paths}
    for number, path in enumerate(paths):
        order = [(me, tags, "w1"), (other, theirs, "w2")][:: 1 if number % 2 else -1]
        for (actor, known, name), status in zip(order, (200, 412), strict=True):
            actor.put(path, {"owner": name}, status, {"If-Match": known[path]})
        time.sleep(0.4)


@case(
    "a449",
    "three-blind-patches",
    "token-missing",
    "428",
    alone="token-missing",
    description="Three PATCHes through Varnish without a condition, each 428; the agent never reads and gives up.",
)
def _never_reads(stage: Stage) -> None:
    server = shelf(stage, "flask", {"/rows/1": {"n": 1}, "/rows/2": {"n": 2}}, REQUIRE="428")
    front = fronts.varnish(stage, server, "sub vcl_recv { return (pass); }")
    me = stage.actor("client", front, "rows.example.test", "node")
    for number in (1, 2, 1):
        me.send("PATCH", f"/rows/{number}", 428, MERGE, '{"n":0}')
        time.sleep(0.3)
