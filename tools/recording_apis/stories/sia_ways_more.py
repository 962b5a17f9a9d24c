"""More of the way: nodes that disagree, repeated writes, lost validators, caches that judge, redirects."""

from __future__ import annotations

import time

from tools.recording import components
from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import sia_setting as lab

_JSON = {"Content-Type": "application/json"}
_TEXT = {"Content-Type": "text/plain"}
_RETRY = ", retry_policy: {retry_on: 5xx, num_retries: 1, per_try_timeout: 1s}"


@case(
    "d045",
    "sia-one-share-two-settings",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two Apache nodes behind Traefik serve one and the same folder, one with FileETag INode MTime Size, the other "
        "with MTime Size. A read lands on one, the write on the other: 412 each time, and nobody else writes."
    ),
)
def settings(stage: Stage) -> None:
    """One folder, two makes of tags."""
    files = {f"werte/w{n}.txt": f"wert {n}\n" for n in range(1, 6)}
    mark = "Header set X-Node www1\nFileETag INode MTime Size"
    first = lab.shares(stage, "apache2", files, mark)
    shared = f'Alias "/werte" "{first.directory}/werte"'
    second = lab.shares(stage, "apache2", {"werte/x.txt": "x"}, f"Header set X-Node www2\n{shared}")
    stage.config[:] = [one for one in stage.config if "Alias" not in one]
    front = fronts.traefik(stage, [first, second])
    me = stage.actor("client", front, "werte.pegel.test", "httpx", lab.signed("pegel"))
    seen = me.get("/werte/w2.txt")
    refused = 0
    for _ in range(3):
        answer = me.send(
            "PUT", "/werte/w2.txt", (412, 204), {"If-Match": seen.etag, **_TEXT}, "wert 2\n7.31\n"
        )
        if answer.status == 204:
            break
        refused += 1
        me.get("/werte/w4.txt")
        me.get("/werte/w4.txt")
        seen = me.get("/werte/w2.txt")
    lab.must(refused)
    tags = {me.get("/werte/w5.txt").etag for _ in range(4)}
    lab.must(len(tags) == 2, tags)


@case(
    "d046",
    "sia-envoy-tries-again",
    "intermediary-replay",
    "412",
    alone="intermediary-replay lost-response-replay other-writer",
    description=(
        "Envoy waits a second for a write, then sends it again; the first had been stored. The client sent one PUT "
        "and gets the 412 of the second try; what it reads is its own content, and the origin saw two PUTs."
    ),
)
def envoy(stage: Stage) -> None:
    """One PUT at the client, two at the origin."""
    docs = {f"/runs/{n}": lab.doc(run=n, sample=f"P-{n}", state="queued") for n in range(1, 7)}
    server = lab.bench(stage, docs, "aiohttp", tag="guid", dawdle=1.6, on="/runs/4", tongue="de")
    front = fronts.envoy(stage, [server], route=_RETRY, config="per_try_timeout: 1s, num_retries: 1")
    me = stage.actor("client", front, "runs.sequenzierer.test", "requests", lab.signed("robot"))
    lab.stroll(me, lab.names("/runs", "1", "2", "3"), 6, 5)
    lab.chores(me, lab.names("/runs", "1", "2", "6"), 6, 83, 200)
    seen = me.get("/runs/4")
    body = {**seen.json, "state": "loaded", "operator": "robot", "nonce": "c1e7-44"}
    me.put("/runs/4", body, 412, {"If-Match": seen.etag})
    now = me.get("/runs/4")
    lab.must(now.json == body, now.text)
    time.sleep(0.9)
    lab.edit(me, "/runs/5", state="loaded")


@case(
    "d048",
    "sia-filtered-pages-have-no-tag",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    also="token-missing",
    description=(
        "nginx replaces host names in bodies (sub_filter) and drops the tags with that. The client cannot send "
        "If-Match and gets 428 for each change; the origin's answers do have the tag."
    ),
)
def filtered(stage: Stage) -> None:
    """No tag arrives, and one is demanded."""
    docs = {
        f"/pages/{n}": lab.doc(page=n, self=f"http://intern.test/pages/{n}", body="Text") for n in range(1, 5)
    }
    server = lab.bench(stage, docs, "starlette", tag="long", needs=428, dateless=True, voice="problem")
    lines = 'sub_filter "intern.test" "handbuch.werk.test"; sub_filter_types application/json; sub_filter_once off;'
    front = fronts.nginx(stage, server, f'{lines} proxy_set_header Accept-Encoding "";')
    me = stage.actor("client", front, "handbuch.werk.test", "aiohttp", lab.signed("technik"))
    with lab.beside(stage, front, "probe.werk.test", ["/healthz", "/pages/1"]):
        me.get("/pages")
        for n in (2, 3):
            seen = me.get(f"/pages/{n}")
            lab.must("etag" not in seen.fields)
            me.put(f"/pages/{n}", {**seen.json, "body": "Neuer Text"}, 428)
        me.send("HEAD", "/pages/2", 200)
        me.get("/pages/4")


@case(
    "d049",
    "sia-compressor-deletes-the-tag",
    "validator-stripped",
    "lost-update",
    alone="unconditional-write validator-stripped none",
    also="unconditional-write",
    description=(
        "Envoy compresses and deletes strong tags. A client that sends If-Match whenever it has a tag writes without "
        "one, over the change that another client, which reads uncompressed, has stored under its tag."
    ),
)
def compressor(stage: Stage) -> None:
    """No tag arrives, and the write is unguarded."""
    rows = [{"slot": i, "crew": "offen"} for i in range(12)]
    docs = {f"/rota/{n}": lab.doc(week=n, rows=rows, lead="") for n in (47, 48, 49)}
    server = lab.bench(stage, docs, "flask", tag="sha", dateless=True)
    front = fronts.envoy(stage, [server], components.ENVOY_COMPRESSOR, config="compressor gzip")
    me = stage.actor("client", front, "rota.rettung.test", "requests", {**lab.signed("web"), **lab.GZIP})
    other = stage.actor("other", front, "rota.rettung.test", "httpx", {**lab.signed("tablet"), **lab.PLAIN})
    seen = me.get("/rota/48")
    lab.must("etag" not in seen.fields and seen.fields.get("content-encoding") == "gzip", seen.fields)
    me.get("/rota/47")
    lab.stroll(me, lab.names("/rota", "47", "49"), 5, 84)
    lab.edit(other, "/rota/48", lead="Mertens")
    other.get("/rota/49")
    time.sleep(0.6)
    rows[3] = {"slot": 3, "crew": "RTW 2"}
    me.put("/rota/48", {**seen.json, "rows": rows}, 200)
    lab.must(me.get("/rota/48").json["lead"] == "")
    other.get("/rota/48")


@case(
    "d050",
    "sia-nginx-judges-with-its-old-copy",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    also="stale-cache-read",
    description=(
        "A client that has just stored a file and knows its tag downloads it with If-Match. nginx's cache judges the "
        "condition by its own older copy and answers 412 as HTML; the origin sees no such read and holds that tag."
    ),
)
def judged(stage: Stage) -> None:
    """412 from a cache."""
    docs = {
        f"/maps/{n}": lab.page(f"map {n}\n" + "tile 0 0\n" * 40, "text/plain")
        for n in ("nord", "sued", "ost")
    }
    server = lab.bench(stage, docs, "bottle", tag="crc")
    lines = "proxy_ignore_headers Cache-Control; add_header X-Cache-Status $upstream_cache_status always;"
    front = fronts.nginx_cache(stage, server, 120, lines)
    me = stage.actor("client", front, "maps.forst.test", "urllib", lab.signed("revier"))
    lab.poll(me, lab.names("/maps", "nord", "ost"), 2)
    seen = me.get("/maps/sued")
    stored = me.put("/maps/sued", seen.text + "tile 9 9\n", 200, {"If-Match": seen.etag, **_TEXT})
    lab.must(stored.etag != seen.etag)
    for _ in range(2):
        me.get("/maps/sued", 412, {"If-Match": stored.etag})
        time.sleep(0.4)
    me.send("HEAD", "/maps/sued?direct=1", 200)
    me.get("/maps/sued?direct=2", 200, {"If-Match": stored.etag})


@case(
    "d051",
    "sia-squid-does-not-say-304",
    "cache-misevaluates",
    "wrong-200",
    alone="cache-misevaluates",
    description=(
        "Squid revalidates a stored timetable at the origin, gets 304 there, and sends the client a whole 200 with the "
        "very tag that the client's If-None-Match names, every time."
    ),
)
def squid(stage: Stage) -> None:
    """200 for a matching If-None-Match."""
    docs = {f"/lines/{n}": lab.doc(line=n, stops=[f"Halt {i}" for i in range(60)]) for n in (4, 7, 9)}
    server = lab.bench(stage, docs, "aiohttp", tag="sha", store="max-age=0, must-revalidate")
    front = fronts.squid(stage, server, "", "lines.verkehr.test")
    me = stage.actor("client", front, "lines.verkehr.test", "httpx", {"User-Agent": "display"})
    tags = lab.poll(me, lab.names("/lines", "4", "7"), 1)
    me.get("/lines")
    for _ in range(3):
        time.sleep(0.5)
        for path, tag in tags.items():
            lab.must(me.get(path, 200, {"If-None-Match": tag}).etag == tag)
    lab.must(304 in [one.response.status for one in stage.taps["upstream"].recorded if one.response])


@case(
    "d052",
    "sia-moved-server-turns-put-into-get",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "A share has moved and Apache answers every request for the old name with 302. requests follows a PUT with a "
        "GET of the new place and reports 200; nothing has been written, as the next read shows."
    ),
)
def redirected(stage: Stage) -> None:
    """PUT, 302, GET, 200."""
    files = {f"neu/kurs-{n}.txt": f"Kurs {n}\n12 Plätze\n" for n in range(1, 5)}
    server = lab.shares(stage, "apache2", files, 'Redirect 302 "/alt" "http://kurse.vhs.test/neu"')
    me = stage.actor("client", server, "kurse.vhs.test", "requests:follow", lab.signed("buero"))
    lab.stroll(me, lab.names("/neu", "kurs-1.txt", "kurs-3.txt"), 7, 52)
    for n in (2, 4):
        seen = me.get(f"/alt/kurs-{n}.txt")
        guard = {"If-Match": seen.etag, **_TEXT}
        told = me.put(f"/alt/kurs-{n}.txt", seen.text.replace("12", "15"), 200, guard)
        lab.must("12 Plätze" in told.text)
        time.sleep(0.3)
    lab.must("12 Plätze" in me.get("/neu/kurs-2.txt").text)
    lab.propfind(me, "/neu/")
