"""Stories of what lies between a client and an API in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps import ben_google, ben_health, ben_microsoft, ben_stores
from tools.recording_apis.apps.ben_wire import Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import ben_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _template(name: str, *jobs: str) -> dict[str, object]:
    tasks = [
        {"type": "exec", "attributes": {"command": "make", "arguments": [job], "run_if": ["passed"]}}
        for job in jobs
    ]
    return {
        "name": name,
        "stages": [{"name": "build", "fetch_materials": True, "jobs": [{"name": "all", "tasks": tasks}]}],
    }


@case(
    "d419",
    "ben-gocd-behind-mod-deflate",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache httpd compresses the answers of a GoCD server and appends -gzip to the tags; a script sends what it got "
        "as If-Match and is 412 each time. Read with Accept-Encoding: identity, the tag has no suffix and passes."
    ),
    synthetic=True,
)
def suffix(stage: Stage) -> None:
    """Send a tag with the suffix of a coding."""
    api = ben_stores.gocd(
        {name: _template(name, "compile", "test", "package") for name in ("service", "site", "docs")}
    )
    origin = place.open_api(stage, api, "waitress", "GoCD")
    front = fronts.apache(stage, origin, "SetOutputFilter DEFLATE")
    kind = {"Accept": "application/vnd.go.cd.v7+json", "Authorization": "Bearer 4c1a"}
    me = stage.actor("client", front, "ci.brewlab.test", "requests", kind)
    base = "/go/api/admin/templates"
    place.aside(api, me, {"/go/api/version": {"version": "23.5.0", "build_number": "18179"}})
    me.get(base)
    for name in ("service", "docs", "service"):
        seen = me.get(f"{base}/{name}")
        place.sure(seen.etag.endswith('-gzip"'), seen.etag)
        me.put(
            f"{base}/{name}",
            {**seen.json, "stages": []},
            412,
            {"If-Match": seen.etag, "Accept-Encoding": "identity"},
        )
        place.rest(0.3)
    seen = me.get(f"{base}/site", 200, {"Accept-Encoding": "identity"})
    me.put(
        f"{base}/site", _template("site", "hugo"), 200, {"If-Match": seen.etag, "Accept-Encoding": "identity"}
    )
    me.get(base)


@case(
    "d420",
    "ben-app-configuration-behind-gzip",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "nginx compresses what App Configuration answers and makes its tags weak; a set of a key-value with If-Match "
        'W/"..." is 412. Read without compression the same opaque tag is strong, and the set passes.'
    ),
    synthetic=True,
)
def weakened(stage: Stage) -> None:
    """Send a tag that nginx has made weak."""
    long = ";".join(f"region-{n}=https://r{n}.shop.example/api" for n in range(20))
    api = ben_microsoft.app_configuration(
        {"shop:endpoints": long, "shop:banner": "none " * 30, "shop:limit": "40"}
    )
    origin = place.open_api(stage, api, "cheroot", "Azure App Configuration")
    front = fronts.nginx(
        stage, origin, "gzip on; gzip_types *; gzip_min_length 100; gzip_proxied any; gzip_vary on;"
    )
    me = stage.actor("client", front, "shop.azconfig.example", "httpx", {"x-ms-client-request-id": "7d1e"})
    set_kind = {"Content-Type": "application/vnd.microsoft.appconfig.kv+json"}
    me.get("/kv?key=shop:*&api-version=1.0")
    for key in ("shop:banner", "shop:endpoints", "shop:banner"):
        seen = me.get(f"/kv/{key}?api-version=1.0", 200, {"Accept-Encoding": "gzip"})
        place.sure(seen.etag.startswith("W/"), seen.etag)
        me.get(f"/kv/{key}?api-version=1.0", 200, {"Accept-Encoding": "gzip", "Cache-Control": "no-cache"})
        me.put(
            f"/kv/{key}?api-version=1.0", {"value": "spring sale"}, 412, {**set_kind, "If-Match": seen.etag}
        )
        place.rest(0.3)
    plain = me.get("/kv/shop:banner?api-version=1.0", 200, {"Accept-Encoding": "identity"})
    me.put(
        "/kv/shop:banner?api-version=1.0", {"value": "spring sale"}, 200, {**set_kind, "If-Match": plain.etag}
    )
    me.get("/kv?key=shop:*&api-version=1.0")


@case(
    "d421",
    "ben-spring-behind-a-careful-proxy",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored none",
    description=(
        "An nginx before a Spring Data REST service clears If-Match. A librarian's save with the tag from before a "
        'colleague\'s save is taken with 200 (tag "0" sent, "2" comes back); at the service no condition arrives.'
    ),
    synthetic=True,
)
def careful(stage: Stage) -> None:
    """Save in spite of an outdated tag."""
    api = ben_stores.spring(
        {f"books/{n}": {"title": f"Vol. {n}", "shelf": "A1", "copies": 2} for n in (31, 32, 33)}
    )
    origin = place.open_api(stage, api, "flask", "Spring Data REST")
    front = fronts.nginx(stage, origin, 'proxy_set_header If-Match "";')
    me = stage.actor("client", front, "books.library.test", "node:fetch", {"User-Agent": "desk/2"})
    other = stage.actor("other", front, "books.library.test", "urllib", {"User-Agent": "desk/2 (upstairs)"})
    place.aside(api, me, {"/api": {"_links": {"books": {"href": "http://books.example/api/books"}}}})
    me.get("/api/books?page=0")
    held = me.get("/api/books/32")
    third = me.get("/api/books/33")
    theirs = other.get("/api/books/32")
    other.send("PATCH", "/api/books/32", 200, {"If-Match": theirs.etag}, {"copies": 5})
    place.rest(1.1)
    me.get("/api/books/31")
    me.put("/api/books/33", {**third.json, "shelf": "B4"}, 200, {"If-Match": third.etag})
    done = me.put("/api/books/32", {**held.json, "shelf": "B4"}, 200, {"If-Match": held.etag})
    place.sure((held.etag, done.etag) == ('"0"', '"2"'))
    place.sure(me.get("/api/books/32").json["copies"] == 2)
    me.get("/api/books?page=0")


_VCL = """
sub vcl_recv {
  if (req.method == "GET") {
    if (req.http.Cache-Control ~ "no-cache") { set req.hash_always_miss = true; }
    return (hash);
  }
  return (pass);
}
sub vcl_backend_response {
  if (bereq.method == "GET") {
    unset beresp.http.Cache-Control; unset beresp.http.Expires; unset beresp.http.Pragma; unset beresp.http.Vary;
    set beresp.ttl = 40s;
  }
}
sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; } }
"""


@case(
    "d422",
    "ben-kinto-behind-varnish",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Varnish keeps reads of a Kinto for forty seconds. A program patches a record, reads it again (X-Cache HIT, Age, "
        "the tag from before its own write) and is 412 with it; a read with no-cache gives the tag that passes."
    ),
)
def varnished(stage: Stage) -> None:
    """Read one's own record from a cache."""
    origin = stage.server("kinto")
    front = fronts.varnish(stage, origin, _VCL)
    me = stage.actor(
        "client", front, "kinto.hikes.test", "httpx", {"Authorization": "Basic cmFuZ2VyOnJhbmdlcg=="}
    )
    me.put("/v1/accounts/ranger", {"data": {"password": "ranger"}}, 201)
    base = "/v1/buckets/default/collections/trails/records"
    for name in ("ridge", "lake", "gorge"):
        me.put(f"{base}/{name}", {"data": {"open": True, "snow": 0}}, 201, {"If-None-Match": "*"})
    me.get("/v1/")
    seen = me.get(f"{base}/ridge")
    me.get(f"{base}/lake")
    place.rest(1.2)
    own = me.send("PATCH", f"{base}/ridge", 200, {"If-Match": seen.etag}, {"data": {"snow": 20}})
    place.rest(1.1)
    old = me.get(f"{base}/ridge")
    place.sure(old.etag == seen.etag and int(old.fields["age"]) > 0 and own.json["data"]["snow"])
    me.send("PATCH", f"{base}/ridge", 412, {"If-Match": old.etag}, {"data": {"open": False}})
    place.rest(0.5)
    me.get(f"{base}/gorge")
    fresh = me.get(f"{base}/ridge", 200, {"Cache-Control": "no-cache"})
    me.send("PATCH", f"{base}/ridge", 200, {"If-Match": fresh.etag}, {"data": {"open": False}})


@case(
    "d423",
    "ben-people-seconds-behind",
    "replica-lag",
    "400",
    alone="replica-lag",
    description=(
        "After its own updateContact a program reads the person again and gets the etag from before (no cache marks), "
        "so the next update is failedPrecondition; two seconds later the read shows its own change and the update passes."
    ),
    synthetic=True,
)
def behind(stage: Stage) -> None:
    """Read what is not there yet."""
    api = ben_google.people(1.8)
    server = place.open_api(stage, api, "stdlib", "Google People")
    me = stage.actor(
        "client", server, "people.googleapis.example", "node:axios", {"Authorization": "Bearer ya29.c"}
    )
    mask = "personFields=names,biographies,metadata"
    target = "/v1/people/c4402:updateContact?updatePersonFields=biographies"
    me.get(f"/v1/people/me/connections?{mask}")
    first = me.get(f"/v1/people/c4402?{mask}").json
    new = {**first, "biographies": [{"value": "met in Oslo, likes trains"}]}
    own = me.send("PATCH", target, 200, None, new).json
    place.rest(0.3)
    old = me.get(f"/v1/people/c4402?{mask}").json
    place.sure(old["etag"] == first["etag"] != own["etag"])
    new = {**old, "biographies": [{"value": "met in Oslo, likes trains and boats"}]}
    me.send("PATCH", target, 400, None, new)
    me.get(f"/v1/people/c4401?{mask}")
    place.rest(1.9)
    now = me.get(f"/v1/people/c4402?{mask}").json
    place.sure(now["etag"] == own["etag"])
    me.send(
        "PATCH", target, 200, None, {**now, "biographies": [{"value": "met in Oslo, likes trains and boats"}]}
    )
    me.get(f"/v1/people/c4403?{mask}")


@case(
    "d424",
    "ben-xapi-two-salted-nodes",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two nodes of a learning record store hash the same stored document with a salt of their own, and HAProxy takes "
        "turns: the tag alternates with X-Served-By over the same octets, and writes are 412 whenever the other node judges."
    ),
    synthetic=True,
)
def nodes(stage: Stage) -> None:
    """Be judged by the other node."""
    shared = {"badges": b'{"earned":["safety","ladder"]}', "theme": b'{"dark":true}'}
    servers = [
        place.open_api(stage, ben_health.xapi(f"lrs-{n}", f"boot-{n}", shared), "cheroot", f"xAPI LRS {n}")
        for n in "ab"
    ]
    front = fronts.haproxy(stage, servers)
    me = stage.actor("client", front, "lrs.academy.test", "urllib", {"X-Experience-API-Version": "1.0.3"})
    base = "/xapi/activities/profile?activityId=http%3A%2F%2Facademy.test%2Fcourse%2F7&profileId="
    me.get("/xapi/about")
    first, second = me.get(f"{base}badges"), me.get(f"{base}badges")
    place.sure(first.etag != second.etag and first.body == second.body)
    for _ in range(3):
        seen = me.get(f"{base}badges")
        me.put(f"{base}badges", {"earned": ["safety", "ladder", "crane"]}, 412, {"If-Match": seen.etag})
        place.rest(0.3)
    me.get(f"{base}theme")
    me.get(f"{base}badges", 200, {"If-None-Match": first.etag})
    place.sure(me.get(f"{base}badges").body == first.body)


@case(
    "d425",
    "ben-oss-upload-sent-twice-by-haproxy",
    "intermediary-replay",
    "409",
    alone="intermediary-replay post-commit-412",
    description=(
        "A store like OSS takes more than a second for a create with x-oss-forbid-overwrite; HAProxy gives up waiting and "
        "sends it again, and the client gets the second answer: 409 FileAlreadyExists. The object is its own, stored "
        "within this one request; at the store the PUT arrives twice."
    ),
    synthetic=True,
)
def twice(stage: Stage) -> None:
    """Get the answer to a repeat that one has not sent."""
    api = ben_stores.oss("tide-archive")
    origin = place.open_api(stage, api, "waitress", "Alibaba Cloud OSS")
    lines = " timeout server 1s\n retries 1\n retry-on response-timeout"
    front = fronts.haproxy(stage, [origin], lines)
    me = stage.actor("client", front, "oss-cn-hangzhou.example", "aiohttp", {"Authorization": "OSS LTAI5t:x"})
    guard = {"x-oss-forbid-overwrite": "true", "Content-Type": "text/csv", "x-oss-meta-batch": "9f31"}
    me.get("/tide-archive/2026/11/25.csv", 404)
    me.put("/tide-archive/2026/11/25.csv", "t;cm\n0600;310\n", 200, guard)
    me.get("/tide-archive/2026/11/25.csv")
    me.get("/tide-archive/2026/11/26.csv", 404)
    api.flags["slow"][0] = 2.2
    me.put("/tide-archive/2026/11/26.csv", "t;cm\n0600;308\n1200;114\n", 409, guard)
    place.rest(0.4)
    place.sure(me.get("/tide-archive/2026/11/26.csv").text == "t;cm\n0600;308\n1200;114\n")
    me.put("/tide-archive/2026/11/27.csv", "t;cm\n0600;301\n", 200, guard)
    me.get("/tide-archive/2026/11/27.csv")
    place.rest(1.5)
    puts = [one for one in stage.taps["upstream"].recorded if one.request.method == "PUT"]
    place.sure(len(puts) == 4, f"{len(puts)} at the store")


@case(
    "d426",
    "ben-cloudfront-tag-hidden-by-the-proxy",
    "validator-stripped",
    "400",
    alone="validator-stripped token-missing",
    description=(
        "A company's nginx hides ETag from everything that comes back. CloudFront tells the version of a configuration "
        "in that field alone, so a tool has nothing to send: 400 InvalidIfMatchVersion, again and again."
    ),
    synthetic=True,
)
def hidden(stage: Stage) -> None:
    """Have no tag to send."""
    api = ben_stores.cloudfront({"E2QWRUHAPOMQZL": "shop", "EDFDVBD632BHDS5": "images"})
    origin = place.open_api(stage, api, "stdlib", "Amazon CloudFront")
    front = fronts.nginx(stage, origin, "proxy_hide_header ETag;")
    me = stage.actor("client", front, "cloudfront.amazonaws.example", "curl", {"User-Agent": "cdn-tool/1.2"})
    base = "/2020-05-31/distribution"
    me.get(base)
    for key, text in (
        ("E2QWRUHAPOMQZL", "shop autumn"),
        ("EDFDVBD632BHDS5", "images v2"),
        ("E2QWRUHAPOMQZL", "shop"),
    ):
        seen = me.get(f"{base}/{key}/config")
        place.sure("etag" not in seen.fields)
        new = (
            seen.text.split("<Comment>", maxsplit=1)[0]
            + f"<Comment>{text}</Comment><Enabled>true</Enabled></DistributionConfig>"
        )
        me.put(f"{base}/{key}/config", new, 400, {"Content-Type": "text/xml"})
        place.rest(0.3)
    me.get(base)


@case(
    "d427",
    "ben-s3-cache-judges-if-match",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates",
    description=(
        "An nginx cache before a bucket answers GETs with If-Match from its store: a player asks for the segment under "
        "the tag of the new playlist and gets 412 with X-Cache HIT, unknown to S3; past the cache it is 200."
    ),
)
def judge(stage: Stage) -> None:
    """Be refused by a cache."""
    origin = stage.server("moto")
    lines = (
        "proxy_cache_bypass $arg_fresh $http_cache_control; add_header X-Cache $upstream_cache_status always;"
    )
    front = fronts.nginx_cache(stage, origin, 60, lines)
    s3 = place.Amazon(stage, "other", origin, "s3")
    s3(
        "create_bucket",
        Bucket="radio",
        CreateBucketConfiguration={"LocationConstraint": "eu-north-1"},
        ACL="public-read",
    )
    tags = []
    for body in (b"jingle one " * 9, b"jingle two " * 9):
        tags.append(
            s3("put_object", Bucket="radio", Key="seg/jingle.mp3", Body=body, ACL="public-read")["ETag"]
        )
        if len(tags) == 1:
            s3(
                "put_object",
                Bucket="radio",
                Key="list.json",
                Body=f'{{"jingle":{tags[0]}}}'.encode(),
                ACL="public-read",
            )
            me = stage.actor("client", front, "cdn.radio.example", "urllib", {"User-Agent": "player/4"})
            me.get("/radio/list.json", 200, {"Cache-Control": "no-cache"})
            me.get("/radio/seg/jingle.mp3", 200, {"If-Match": tags[0]})
            me.get("/radio/seg/jingle.mp3", 200, {"If-Match": tags[0]})
            place.rest(0.5)
    s3(
        "put_object",
        Bucket="radio",
        Key="list.json",
        Body=f'{{"jingle":{tags[1]}}}'.encode(),
        ACL="public-read",
    )
    place.sure(tags[1] in me.get("/radio/list.json", 200, {"Cache-Control": "no-cache"}).text)
    for _ in range(2):
        refused = me.get("/radio/seg/jingle.mp3", 412, {"If-Match": tags[1]})
        place.sure(refused.fields["x-cache"] == "HIT", refused.fields)
        place.rest(0.4)
    me.get("/radio/seg/jingle.mp3", 200, {"If-Match": tags[1], "Cache-Control": "no-cache"})
    me.get("/radio/list.json", 200, {"Cache-Control": "no-cache"})


@case(
    "d428",
    "ben-sharepoint-site-has-moved",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description=(
        "A SharePoint site has been renamed and the old address answers 301. A script's POST with X-HTTP-Method: MERGE "
        "and IF-MATCH is followed as GET: 200 with the item as it was, three times. At the new address the MERGE is 204."
    ),
    synthetic=True,
)
def moved(stage: Stage) -> None:
    """Follow a redirect with a write."""
    api = ben_microsoft.sharepoint("/sites/works")

    def old(req: Req) -> Res | None:
        if not req.path.startswith("/sites/north/"):
            return None
        target = req.target.replace("/sites/north/", "/sites/works/", 1)
        return Res(301, b"", {"Location": f"http://contoso.sharepoint.example{target}"})

    api.before.append(old)
    server = place.open_api(stage, api, "waitress", "SharePoint REST")
    fields = {"Accept": "application/json;odata=minimalmetadata", "Authorization": "Bearer eyJ0"}
    me = stage.actor("client", server, "contoso.sharepoint.example", "requests:follow", fields)
    items = "_api/web/lists/getbytitle('Inspections')/items"
    me.get(f"/sites/north/{items}?$select=Id,Title")
    merge = {
        "X-HTTP-Method": "MERGE",
        "Content-Type": "application/json;odata=verbose",
        "X-RequestDigest": "0x7A",
    }
    for number in (3, 5, 3):
        seen = me.get(f"/sites/north/{items}({number})")
        fields = {**merge, "IF-MATCH": seen.etag}
        got = me.send("POST", f"/sites/north/{items}({number})", 200, fields, {"Status": "Closed"})
        place.sure(got.json["Status"] == "Open")
        place.rest(0.3)
    place.sure(me.get(f"/sites/works/{items}(3)").json["Status"] == "Open")
    seen = me.get(f"/sites/works/{items}(4)")
    me.send("POST", f"/sites/works/{items}(4)", 204, {**merge, "IF-MATCH": seen.etag}, {"Status": "Closed"})
