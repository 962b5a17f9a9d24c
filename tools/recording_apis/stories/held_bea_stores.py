"""Stories on real stores: etcd, Kinto, Azurite, SeaweedFS, moto, Tomcat."""

from __future__ import annotations

import base64
import json
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.ports import free_port
from tools.recording_apis import fronts, servers
from tools.recording_apis.servers import program
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@case(
    "e344",
    "bea-two-operators-one-window",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Two operators of a brewhouse keep set points in etcd's version 2 keys with prevIndex. The second one's write "
        "is 412 (code 101, both indexes in the cause); the key then shows the first one's value."
    ),
)
def brewhouse(stage: Stage) -> None:
    """Compare with an index that has moved."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "kv.sudhaus.example", "aiohttp", {"User-Agent": "leitstand/2"})
    other = stage.actor("other", server, "kv.sudhaus.example", "requests", {"User-Agent": "panel-hopfen/1"})
    for name, value in (("mash/temp", "63"), ("mash/rest", "40"), ("boil/min", "70")):
        other.send("PUT", f"/v2/keys/{name}", 201, _FORM, f"value={value}")
    stage.forget()
    me.get("/version")
    me.get("/v2/keys/?recursive=true")
    mine = me.get("/v2/keys/mash/temp").json["node"]["modifiedIndex"]
    rest = me.get("/v2/keys/mash/rest").json["node"]["modifiedIndex"]
    theirs = other.get("/v2/keys/mash/temp").json["node"]["modifiedIndex"]
    other.send("PUT", f"/v2/keys/mash/temp?prevIndex={theirs}", 200, _FORM, "value=66")
    place.rest(0.9)
    me.send("PUT", f"/v2/keys/mash/rest?prevIndex={rest}", 200, _FORM, "value=35")
    me.send("PUT", f"/v2/keys/mash/temp?prevIndex={mine}", 412, _FORM, "value=64")
    now = me.get("/v2/keys/mash/temp").json["node"]
    place.sure(now["value"] == "66")
    me.get("/v2/keys/boil/min")


_VERSION = {"x-ms-version": "2023-11-03"}


def _blob(name: str, query: str = "") -> str:
    return f"/notes/{name}?{query}{place.signature()}"


def _put_blob(who: Actor, name: str, body: str, expect: Any, **more: str) -> Answer:
    own = {**_VERSION, "x-ms-blob-type": "BlockBlob", "Content-Type": "application/json", **more}
    return who.put(_blob(name), body, expect, {**own, "x-ms-client-request-id": str(uuid.uuid4())})


def _azurite(stage: Stage, container: str, **blobs: str) -> Server:
    server = stage.server("azurite")
    keeper = stage.actor("keeper", server, "setup.test")
    keeper.put(_blob(container, "restype=container&"), None, 201, _VERSION)
    for name, body in blobs.items():
        _put_blob(keeper, f"{container}/{name}.json", body, 201)
    del stage.taps["keeper"]
    stage.forget()
    return server


@case(
    "e351",
    "bea-a-route-saved-from-two-tabs-of-one-run",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A route planner's two workers of one run put the same blob of Azurite under the same ETag at once: one is 201, "
        "the other 412 ConditionNotMet; twice, with one session id in both."
    ),
)
def routes(stage: Stage) -> None:
    """Race oneself."""
    server = _azurite(stage, "routes", r17='{"stops":[]}', r18='{"stops":[1]}', depot='{"lat":52.5}')
    always = {"User-Agent": "route-opt/5 run-88f1"}
    me = stage.actor("client", server, "touren.blob.core.example", "httpx", always)
    me.get(_blob("routes", "restype=container&comp=list&"), 200, _VERSION)
    me.get(_blob("routes/depot.json"), 200, _VERSION)
    for turn in (1, 2):
        seen = me.get(_blob("routes/r17.json"), 200, _VERSION)
        bodies = [
            json.dumps({"stops": list(range(4000)), "turn": turn, "eta": 1}),
            json.dumps({"stops": list(range(4000)), "turn": turn, "cost": 2}),
        ]
        calls = [
            partial(_put_blob, me, "routes/r17.json", body, (201, 412), **{"If-Match": seen.etag})
            for body in bodies
        ]
        got = place.at_once(*calls, apart=0.001)
        place.sure(sorted(one.status for one in got) == [201, 412], [one.status for one in got])
        place.rest(0.9)
    me.get(_blob("routes/r18.json"), 200, _VERSION)


@case(
    "e343",
    "bea-settings-put-back-by-the-dashboard",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "A dashboard keeps its widgets in a blob of Azurite and puts them without any condition. Its listing shows the "
        "blob under a newer Etag than the one it read; it saves all the same, and the colleague's widget is gone."
    ),
)
def widgets(stage: Stage) -> None:
    """Save without a condition."""
    server = _azurite(stage, "boards", ops='{"widgets":["cpu","disk"]}', qa='{"widgets":["tests"]}')
    me = stage.actor(
        "client", server, "boards.blob.core.example", "node:fetch", {"User-Agent": "azsdk-js-blob/12"}
    )
    other = stage.actor(
        "other", server, "boards.blob.core.example", "requests", {"User-Agent": "azsdk-python/12"}
    )
    seen = me.get(_blob("boards/ops.json"), 200, _VERSION)
    me.get(_blob("boards/qa.json"), 200, _VERSION)
    base = other.get(_blob("boards/ops.json"), 200, _VERSION)
    added = json.dumps({"widgets": [*base.json["widgets"], "pager"]})
    _put_blob(other, "boards/ops.json", added, 201, **{"If-Match": base.etag})
    place.rest(1.2)
    me.get(_blob("boards", "restype=container&comp=list&"), 200, _VERSION)
    poll = me.get(_blob("boards/ops.json"), 200, {**_VERSION, "If-None-Match": seen.etag})
    place.sure("pager" in poll.text)
    _put_blob(me, "boards/ops.json", json.dumps({"widgets": [*seen.json["widgets"], "net"]}), 201)
    place.sure("pager" not in me.get(_blob("boards/ops.json"), 200, _VERSION).text)
    _put_blob(me, "boards/qa.json", '{"widgets":["tests","lint"]}', 201)


@case(
    "e329",
    "bea-the-etag-of-the-first-upload",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A crawler keeps its frontier on SeaweedFS's S3 and takes the ETag once, from its first upload; the second save "
        "under it passes and names a new one, the third and fourth carry the first again: PreconditionFailed."
    ),
)
def frontier(stage: Stage) -> None:
    """Go on with the first tag."""
    server = stage.server("seaweedfs")
    keeper = place.Lake(stage, "keeper", server)
    keeper.call("create_bucket", Bucket="crawl")
    stage.forget()
    del stage.taps["keeper"]
    me = place.Lake(stage, "client", server)
    spot: dict[str, Any] = {"Bucket": "crawl", "Key": "frontier/shard-3.json"}
    first = me.call("put_object", **spot, Body=b'{"next":["/a"],"n":0}')["ETag"]
    me.call("put_object", Bucket="crawl", Key="pages/a.html", Body=b"<p>a</p>")
    place.rest(0.4)
    me.call("put_object", **spot, Body=b'{"next":["/b","/c"],"n":1}', IfMatch=first)
    me.call("put_object", Bucket="crawl", Key="pages/b.html", Body=b"<p>b</p>")
    place.rest(0.5)
    me.call("put_object", "PreconditionFailed", **spot, Body=b'{"next":["/c","/d"],"n":2}', IfMatch=first)
    me.call("head_object", **spot)
    place.rest(0.5)
    me.call("put_object", "PreconditionFailed", **spot, Body=b'{"next":["/d"],"n":3}', IfMatch=first)
    place.sure(b'"n":1' in me.call("get_object", **spot)["Body"].read())


@case(
    "e337",
    "bea-the-catalogue-that-is-made-every-night",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A job on moto's S3 reads its catalogue, adds a line and puts it back with If-None-Match: *, as it did when it "
        "made it: PreconditionFailed each time, while new objects pass under the same guard."
    ),
)
def catalogue(stage: Stage) -> None:
    """Create what one has just read."""
    server = stage.server("moto")
    keeper = place.Lake(stage, "keeper", server)
    keeper.call(
        "create_bucket", Bucket="herbar", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}
    )
    keeper.call("put_object", Bucket="herbar", Key="index.csv", Body=b"no;art\n1;Acer campestre\n")
    stage.forget()
    del stage.taps["keeper"]
    me = place.Lake(stage, "client", server)
    for number, name in enumerate((b"Betula pendula", b"Corylus avellana", b"Daphne mezereum"), 2):
        me.call("put_object", Bucket="herbar", Key=f"scans/{number}.txt", Body=name, IfNoneMatch="*")
        seen = me.call("get_object", Bucket="herbar", Key="index.csv")["Body"].read()
        body = seen + b"%d;%s\n" % (number, name)
        me.call(
            "put_object", "PreconditionFailed", Bucket="herbar", Key="index.csv", Body=body, IfNoneMatch="*"
        )
        place.rest(0.5)
    me.call("list_objects_v2", Bucket="herbar")


def _kinto(stage: Stage, base: str, users: tuple[str, ...], **records: dict[str, Any]) -> Server:
    server = stage.server("kinto")
    setup = stage.actor("setup", server, "setup.test", always=_basic(users[0]))
    for user in users:
        setup.put(f"/v1/accounts/{user}", {"data": {"password": "wort"}}, 201, {"Authorization": ""})
    bucket = base.split("/collections", maxsplit=1)[0]
    setup.put(bucket, {"permissions": {"write": ["system.Authenticated"]}}, 201)
    setup.put(base, {}, 201)
    for name, data in records.items():
        setup.put(f"{base}/records/{name}", {"data": data}, 201)
        place.rest(0.02)
    del stage.taps["setup"]
    stage.forget()
    return server


def _basic(user: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:wort".encode()).decode()}


@case(
    "e340",
    "bea-one-tag-for-all-the-logs",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope other-writer",
    also="other-writer",
    description=(
        "Caddy's admin interface tags each part of its configuration. A deploy script reads all logs at once and "
        "guards the change of its own one with the tag of the whole; the shop's team has changed theirs: 412, although "
        "nobody touched the blog's; a first change under the whole's tag had passed."
    ),
)
def logs(stage: Stage) -> None:
    """Guard a part with the tag of the whole."""
    server = _caddy_admin(stage, "edge-admin.zeitung.test")
    me = stage.actor("client", server, "edge-admin.zeitung.test", "urllib", {"User-Agent": "deploy-blog/1.7"})
    other = stage.actor("other", server, "edge-admin.zeitung.test", "curl", {"User-Agent": "deploy-shop/3"})
    whole = "/config/logging/logs"
    seen = me.get(whole)
    me.send(
        "PATCH",
        f"{whole}/blog/level",
        200,
        {"If-Match": seen.etag, "Content-Type": "application/json"},
        '"DEBUG"',
    )
    for level in ("WARN", "ERROR"):
        seen = me.get(whole)
        base = other.get(f"{whole}/shop/level")
        own = {"If-Match": base.etag, "Content-Type": "application/json"}
        other.send("PATCH", f"{whole}/shop/level", 200, own, f'"{level}"')
        place.rest(0.9)
        mine = {"If-Match": seen.etag, "Content-Type": "application/json"}
        me.send("PATCH", f"{whole}/blog/level", 412, mine, '"INFO"')
        me.get(f"{whole}/blog/level")
    now = me.get(whole).json
    place.sure(now["blog"]["level"] == "DEBUG" and now["shop"]["level"] == "ERROR")


def _caddy_admin(stage: Stage, host: str) -> Server:
    port, directory = free_port(), stage.directory()
    kinds = {
        name: {"level": "INFO", "include": [f"http.log.access.{name}"]} for name in ("blog", "shop", "cdn")
    }
    config = {"admin": {"listen": f"127.0.0.1:{port}", "origins": [host]}, "logging": {"logs": kinds}}
    (directory / "caddy.json").write_text(json.dumps(config), encoding="utf-8")
    command = [program("caddy"), "run", "--config", "caddy.json"]
    made = servers._run(  # noqa: SLF001 - one more program
        command,
        port,
        directory,
        "Caddy 2.11.7 admin",
        probe="/config/",
        environment={
            "XDG_DATA_HOME": str(directory),
            "XDG_CONFIG_HOME": str(directory),
            "HOME": str(directory),
        },
    )
    return stage.adopt("caddy-admin", made, recorded=True)


@case(
    "e322",
    "bea-the-test-in-the-patch",
    "payload-precondition-mismatch",
    "400",
    alone="payload-precondition-mismatch",
    description=(
        "A volunteer's app books shifts on Kinto with JSON Patch; its test operation names the count as text where the "
        "record has a number, so each patch is refused by the test, while one that tests another field passes."
    ),
)
def shifts(stage: Stage) -> None:
    """Test for what is written otherwise."""
    base = "/v1/buckets/tafel/collections/schichten"
    rows = {f"s{n}": {"tag": "Sa", "frei": n, "ort": "Nord"} for n in (3, 5)}
    server = _kinto(stage, base, ("oya",), **rows)
    me = stage.actor(
        "client", server, "schichten.tafel.example", "httpx", {**_basic("oya"), "User-Agent": "Helfer/4"}
    )
    patch = {"Content-Type": "application/json-patch+json"}
    me.get(f"{base}/records")
    for name in ("s3", "s5"):
        seen = me.get(f"{base}/records/{name}").json["data"]
        body = [
            {"op": "test", "path": "/data/frei", "value": str(seen["frei"])},
            {"op": "replace", "path": "/data/frei", "value": str(seen["frei"] - 1)},
        ]
        me.send("PATCH", f"{base}/records/{name}", 400, patch, body)
        place.rest(0.5)
    tested = [
        {"op": "test", "path": "/data/ort", "value": "Nord"},
        {"op": "add", "path": "/data/wagen", "value": "B"},
    ]
    me.send("PATCH", f"{base}/records/s5", 200, patch, tested)
    seen = me.get(f"{base}/records/s5").json["data"]
    place.sure(seen["frei"] == 5)


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@case(
    "e347",
    "bea-a-transaction-that-took-the-other-branch",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description=(
        "A rollout tool swaps a key in etcd's version 3 gateway by version. Another instance has written before: the "
        "answer is 200 without 'succeeded', the tool reports done, marks its job and goes on; the key holds the other value."
    ),
)
def rollout(stage: Stage) -> None:
    """Take 200 for success."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd-gw.flotte.test", "node:axios", {"User-Agent": "rollout/0.4"})
    other = stage.actor("other", server, "etcd-gw.flotte.test", "requests", {"User-Agent": "rollout/0.3"})

    def call(who: Actor, what: str, **body: Any) -> Any:
        return who.send("POST", f"/v3/kv/{what}", 200, None, body).json

    channel, job = _b64("rollout/channel/stable"), _b64("jobs/8841")
    call(other, "put", key=channel, value=_b64("fw-2.8.0"))
    stage.forget()
    version = call(me, "range", key=channel)["kvs"][0]["version"]
    call(me, "put", key=job, value=_b64("running"))
    call(other, "put", key=channel, value=_b64("fw-2.8.1-hold"))
    place.rest(0.8)
    compare = {"key": channel, "target": "VERSION", "result": "EQUAL", "version": version}
    success = [{"requestPut": {"key": channel, "value": _b64("fw-2.9.0")}}]
    got = call(me, "txn", compare=[compare], success=success, failure=[{"requestRange": {"key": channel}}])
    place.sure("succeeded" not in got)
    call(me, "put", key=job, value=_b64("done"))
    place.rest(0.7)
    now = call(me, "range", key=channel)["kvs"][0]["value"]
    place.sure(now == _b64("fw-2.8.1-hold"))


@case(
    "e335",
    "bea-only-weak-tags-from-the-container",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Tomcat's default servlet makes weak tags only, also without any coding: a translator's save under If-Match is "
        "refused for every file, after every fresh read; If-None-Match with the same tag is 304 as it should be."
    ),
)
def translator(stage: Stage) -> None:
    """Send a weak tag that can match nothing."""
    server = stage.server("tomcat")
    root = server.directory / "webapps" / "ROOT"
    for name in ("nl", "fi"):
        fronts.put_file(root, f"i18n/{name}.properties", f"greet=hello in {name}\nbye=bye\n", 50000)
    me = stage.actor("client", server, "i18n.kiosk.test", "urllib", {"User-Agent": "po-sync/6"})
    for name in ("nl", "fi", "nl"):
        seen = me.get(f"/i18n/{name}.properties", 200, {"Accept-Encoding": "identity"})
        place.sure(seen.etag.startswith("W/"))
        me.get(f"/i18n/{name}.properties", 304, {"If-None-Match": seen.etag})
        new = seen.text.replace("bye=bye", "bye=tot ziens")
        me.put(f"/i18n/{name}.properties", new, 412, {"Content-Type": "text/plain", "If-Match": seen.etag})
        place.rest(0.4)


@case(
    "e358",
    "bea-three-sweepers-and-one-key",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description=(
        "A sweeper of three asks etcd's version 2 keys for a lease key with prevExist=false every second and loses to "
        "the one that holds it (412, key already exists), until the key runs out and it wins; then it works and renews."
    ),
)
def sweepers(stage: Stage) -> None:
    """Lose an election time and again."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "kv.raeumdienst.test", "requests", {"User-Agent": "sweeper/2 node-c"})
    other = stage.actor("other", server, "kv.raeumdienst.test", "httpx", {"User-Agent": "sweeper/2 node-a"})
    other.send("PUT", "/v2/keys/stats/swept", 201, _FORM, "value=0")
    stage.forget()
    key = "/v2/keys/election/sweeper"
    other.send("PUT", f"{key}?prevExist=false", 201, _FORM, "value=node-a&ttl=4")
    for _ in range(4):
        me.send("PUT", f"{key}?prevExist=false", 412, _FORM, "value=node-c&ttl=4")
        me.get("/v2/keys/stats/swept")
        place.rest(0.8)
    place.rest(1.6)
    me.send("PUT", f"{key}?prevExist=false", 201, _FORM, "value=node-c&ttl=4")
    me.send("PUT", "/v2/keys/stats/swept", 200, _FORM, "value=31")
    me.send("PUT", f"{key}?prevValue=node-c&prevExist=true&refresh=true", 200, _FORM, "ttl=4")
    other.send("PUT", f"{key}?prevExist=false", 412, _FORM, "value=node-a&ttl=4")
