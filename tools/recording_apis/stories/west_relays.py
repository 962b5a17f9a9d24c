"""Intermediaries that repeat, strip, judge and redirect."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.actors import Curl
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import west_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server

_COMPRESSOR = """
          - name: envoy.filters.http.compressor
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.compressor.v3.Compressor
              compressor_library:
                name: gzip
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip
"""


def _pool(stage: Stage, servers: tuple[Server, Server], lines: str) -> Server:
    """Put an nginx with an upstream pool before two servers."""
    ports = " ".join(f"server 127.0.0.1:{stage.behind(one)};" for one in servers)
    block = f"location /flags/ {{ proxy_pass http://pool; proxy_set_header Host $http_host; {lines} }}"
    return fronts.nginx(stage, servers[0], "", f"upstream pool {{ {ports} }}", block)


@case(
    "a948",
    "west-nginx-tries-the-next-pod",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412 lost-response-replay",
    description=(
        "The first pod stores the flag and stalls; nginx (proxy_next_upstream timeout non_idempotent) "
        "sends the same PUT to the second pod, whose 412 reaches the client. It sent one request; the read "
        "shows its own change."
    ),
)
def next_pod(stage: Stage) -> None:
    """Put once, be sent twice."""
    servers = place.pair(stage, {"HOLD": "2.2", "NODE": "flags-0"}, {"HOLD": "0", "NODE": "flags-1"})
    lines = "proxy_next_upstream error timeout non_idempotent; proxy_read_timeout 1s;"
    front = _pool(stage, servers, lines)
    me = stage.actor(
        "client", front, "flags.acme.test", "requests", {"X-Actor": "wen", "X-Change": "chg-20931"}
    )
    me.get(f"/{place.OTHER_FLAG}")
    tag = me.get(f"/{place.FLAG}").etag
    body = place.flag(on=True, rollout=40, note="chg-20931")
    me.put(f"/{place.FLAG}", body, 412, {"If-Match": tag})
    time.sleep(1.5)
    me.get(f"/{place.FLAG}")
    me.get("/flags/web/production?limit=20")


@case(
    "a949",
    "west-envoy-per-try-timeout",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412 lost-response-replay",
    description=(
        "Envoy gives each try 0.9 s and tries again: the health record service had committed the first "
        "try, the second is refused; the client sees one PUT, one 412 and its own text stored under "
        "its own name."
    ),
)
def per_try(stage: Stage) -> None:
    """Be tried twice by Envoy."""
    server = place.platform(stage, HOLD="1.8", LOOSE="1")
    policy = ", retry_policy: {retry_on: 'gateway-error,reset', num_retries: 1, per_try_timeout: 0.9s}"
    front = fronts.envoy(stage, [server], "", policy, "retry_on gateway-error, per_try_timeout 0.9s")
    me = stage.actor("client", front, "ehr.hospital.test", "httpx", {**place.FHIR, "X-Actor": "ward-7"})
    path = f"/{place.PATIENT}"
    place.stroll(me, "fhir", 4)
    me.get("/fhir/R4/MedicationRequest?subject=Patient/pt-2207")
    tag = me.get(path).etag
    phone = [{"system": "phone", "value": "+47 555 0177"}]
    me.put(path, place.patient(telecom=phone), 412, {"If-Match": tag, "X-Request-Id": "ward7-000183"})
    time.sleep(1.2)
    me.get(path)


@case(
    "a950",
    "west-sub-filter-drops-the-tag",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    also="token-missing",
    description=(
        "nginx rewrites addresses inside the answers (sub_filter) and thereby drops ETag and "
        "Last-Modified, which the origin sends; the client has nothing to send, the origin demands: 428."
    ),
)
def rewritten(stage: Stage) -> None:
    """Get no tag and be asked for one."""
    server = place.platform(stage, REQUIRE="428")
    lines = 'proxy_set_header Accept-Encoding ""; sub_filter_types *; sub_filter_once off; '
    front = fronts.nginx(stage, server, f"{lines} sub_filter 'http://internal' 'https://wiki.acme.test';")
    me = stage.actor("client", front, "wiki.acme.test", "node:axios", {"X-Actor": "amelie"})
    other = stage.actor("other", server, "wiki.acme.test", "curl", {"X-Actor": "ops"})
    place.stroll(me, "wiki", 2)
    me.get("/wiki/spaces/OPS/pages?limit=10")
    got = me.get(f"/{place.PAGE}")
    place.require("etag" not in got.fields, "the tag is still there")
    me.put(f"/{place.PAGE}", place.page(labels=["sre", "rota"]), 428)
    me.send("HEAD", f"/{place.PAGE}", 200)
    me.put(f"/{place.PAGE}", place.page(labels=["sre", "rota"]), 428)
    other.get(f"/{place.PAGE}")


@case(
    "a951",
    "west-envoy-compressor-drops-the-tag",
    "validator-stripped",
    "lost-update",
    alone="unconditional-write validator-stripped none",
    also="unconditional-write",
    description=(
        "Envoy's compressor removes the strong ETag of each answer it compresses; the client that guards "
        "its writes where it can has no tag here and overwrites the colleague's change unguarded."
    ),
)
def compressed(stage: Stage) -> None:
    """Write without the tag that was taken away."""
    server = place.platform(stage, NODATE="1")
    front = fronts.envoy(stage, [server], _COMPRESSOR, "", "envoy.filters.http.compressor gzip")
    me = stage.actor("client", front, "flags.acme.test", "requests", {"X-Actor": "wen"})
    other = stage.actor("other", server, "flags.acme.test", "httpx", {"X-Actor": "lou"})
    place.stroll(me, "flags", 6)
    got = me.get(f"/{place.FLAG}")
    place.require("etag" not in got.fields, "the tag is still there")
    seen = other.get(f"/{place.FLAG}")
    targeting = [{"attr": "plan", "in": ["enterprise"]}]
    other.put(f"/{place.FLAG}", place.flag(targeting=targeting), 200, {"If-Match": seen.etag})
    time.sleep(0.8)
    me.put(f"/{place.FLAG}", place.flag(rollout=45), 200)
    other.get(f"/{place.FLAG}")
    me.get(f"/{place.FLAG}")


@case(
    "a952",
    "west-nginx-cache-judges-if-match",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    also="stale-cache-read",
    description=(
        "After its own save a client reads with If-Match and the new tag; nginx judges it by the answer "
        "it stored before (412, an HTML page of nginx, the origin sees nothing). Past the cache it is 200."
    ),
)
def judged(stage: Stage) -> None:
    """Be judged by an old copy."""
    server = place.platform(stage, CACHE="public, max-age=90")
    front = fronts.nginx_cache(stage, server, 90, "add_header X-Cache-Status $upstream_cache_status always;")
    me = stage.actor("client", front, "config.acme.test", "urllib", {**place.YAML, "X-Actor": "gatekeeper"})
    place.stroll(me, "config", 3)
    old = me.get(f"/{place.LIMITS}").etag
    me.get(f"/{place.GATEWAY}")
    text = "default:\n  rps: 150\n  burst: 50\npartners:\n  rps: 400\n"
    fresh = me.put(f"/{place.LIMITS}", text, 200, {"If-Match": old}).etag
    me.get(f"/{place.LIMITS}", 412, {"If-Match": fresh})
    me.get(f"/{place.LIMITS}?verify=1", 200, {"If-Match": fresh})
    me.get(f"/{place.LIMITS}", 412, {"If-Match": fresh})


@case(
    "a953",
    "west-varnish-drops-if-match-of-reads",
    "cache-misevaluates",
    "wrong-content",
    alone="cache-misevaluates precondition-ignored read-changed-mid-transfer precondition-stripped",
    description=(
        "Ranges of an installer are asked for with If-Match; Varnish takes the condition off and answers "
        "206 from another build (other tag, Age, Via). Asked directly the origin says 412."
    ),
)
def ranges(stage: Stage) -> None:
    """Resume through Varnish with the tag of an older build."""
    path = "/dist/setup-arm64.run"
    old = b"#!/bin/sh\n# build 881\n" + b"payload-881 " * 200
    server = fronts.site(
        stage, "nginx", {path[1:]: old, "dist/latest.txt": "881\n"}, "add_header Cache-Control max-age=300;"
    )
    front = fronts.varnish(stage, server)
    me = stage.actor("client", front, "dl.acme.test", "curl:trace-time", {"User-Agent": "acme-installer/1.0"})
    other = stage.actor("other", server, "dl.acme.test", "requests", {"User-Agent": "origin-check/1"})
    tag = other.send("HEAD", path, 200).etag
    me.get("/dist/latest.txt")
    fronts.put_file(server.directory, path[1:], b"#!/bin/sh\n# build 882\n" + b"payload-882 " * 230)
    me.get(path, 206, {"Range": "bytes=0-1023", "If-Match": tag})
    me.get(path, 206, {"Range": "bytes=1024-2047", "If-Match": tag})
    me.get(path, 206, {"Range": "bytes=2048-2700", "If-Match": tag})
    me.get("/dist/latest.txt", 200)
    other.get(path, 412, {"Range": "bytes=1024-2047", "If-Match": tag})


@case(
    "a954",
    "west-moved-api-turns-put-into-get",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description=(
        "The old address answers 302; requests follows with a GET, so the program sees 200 and believes "
        "its change stored. The reads show that nothing was written."
    ),
)
def moved(stage: Stage) -> None:
    """Follow a redirect with a write."""
    server = place.platform(stage, MOVED="302")
    fields = {**place.JSONAPI, "X-Actor": "svc-crm", "User-Agent": "crm-bridge/4.0"}
    me = stage.actor("client", server, "api.acme.test", "requests:follow", fields)
    place.stroll(me, "api", 4)
    tag = me.get(f"/{place.PROJECT}").etag
    old = "/api/v3/legacy/projects/atlas"
    me.put(old, place.project(budget=99000), 200, {"If-Match": tag})
    me.get(f"/{place.MILESTONE}")
    kept = me.get(f"/{place.PROJECT}")
    place.require(place.member(kept, "data", "attributes", "budget") == 48000, "it was written")
    me.put(old, place.project(budget=99000), 200, {"If-Match": kept.etag})
    me.get(f"/{place.PROJECT}")


@case(
    "a955",
    "west-curl-follows-without-content",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description=(
        "A pipeline runs curl -L -X PUT on the old address: 301, and curl repeats the PUT without its "
        "content; the configuration file at the new address is empty afterwards."
    ),
)
def emptied(stage: Stage) -> None:
    """Follow a redirect and lose the content."""
    server = place.platform(stage, MOVED="301")
    me = stage.actor("client", server, "config.acme.test", "curl", {"X-Actor": "pipeline-88"})
    if not isinstance(me.program, Curl):
        raise TypeError("this story is about curl")
    me.program.more = ["-L"]
    place.stroll(me, "config", 3)
    tag = me.get(f"/{place.LIMITS}").etag
    me.get("/-/ready")
    text = "default:\n  rps: 200\n  burst: 80\n"
    fields = {"If-Match": tag, "Content-Type": "text/x-yaml"}
    me.put("/config/legacy/edge/limits.yaml", text, 200, fields)
    place.require(me.get(f"/{place.LIMITS}").text == "", "the content came through")
