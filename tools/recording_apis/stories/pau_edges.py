"""Fronts that alter tags, drop conditions or hide validators on the way to APIs in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.recording.components import ENVOY_COMPRESSOR
from tools.recording_apis import fronts
from tools.recording_apis.apps.pau_bodies import Contentful
from tools.recording_apis.apps.pau_stores import FastlyStore, GoogleObjects
from tools.recording_apis.apps.pau_tagged import Tagged
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import pau_setting as place
from tools.recording_apis.stories.pau_setting import bearer, must, pause

if TYPE_CHECKING:
    from tools.recording_apis.apps.pau_engine import Answer, Request

_LONG = "Check the seals, note the pressure before and after, and sign with initials. " * 5


@case(
    "b640",
    "pau-gocd-behind-deflate",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    synthetic=True,
    description=(
        "A pipeline's configuration is read through Apache with DEFLATE, which hangs -gzip on its tag; the PUT with "
        "that tag is 412 twice. Read with identity, the tag has no suffix and the PUT is taken."
    ),
)
def gocd(stage: Stage) -> None:
    """Send back a tag with a coding suffix."""
    path = "/go/api/admin/pipelines/deck"
    stages = [{"name": name, "approval": {"type": "success"}, "notes": _LONG} for name in ("build", "ship")]
    product = Tagged("gocd", {path: {"name": "deck", "group": "yard", "stages": stages}})
    product.extra["GET /go/api/current_user"] = place.said({"login_name": "rune", "display_name": "Rune"})
    front = fronts.apache(stage, place.api(stage, product, "GoCD", "cheroot"), "SetOutputFilter DEFLATE")
    always = bearer("rune", Accept="application/vnd.go.cd.v11+json")
    me = stage.actor("client", front, "gocd.yard.test", "requests", always)
    place.beside(me, "l")
    me.get("/go/api/current_user")
    for _ in range(2):
        seen = me.get(path)
        must(seen.etag.endswith('-gzip"'), "no suffix")
        new = {**seen.json, "label_template": "${COUNT}-rc"}
        me.put(path, new, 412, {"If-Match": seen.etag, "Content-Type": "application/vnd.go.cd.v11+json"})
        pause()
    place.beside(me, "t")
    plain = me.get(path, 200, {"Accept-Encoding": "identity"})
    me.put(path, new, 200, {"If-Match": plain.etag, "Content-Type": "application/vnd.go.cd.v11+json"})


@case(
    "b641",
    "pau-appconfig-behind-caddy",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite malformed-validator",
    synthetic=True,
    description=(
        "Key-values of a configuration store behind Caddy's encode: the ETag field ends in -gzip, the member etag of "
        "the same body does not. A deployment sends the field and is refused for the long value; the short one, "
        "which Caddy does not compress, goes through."
    ),
)
def appconfig(stage: Stage) -> None:
    """Write one compressed and one uncompressed setting."""
    base = "/kv/checkout:"
    product = Tagged(
        "appconfig",
        {
            base + "banner": {"key": "checkout:banner", "label": "prod", "value": _LONG + _LONG},
            base + "ttl": {"key": "checkout:ttl", "label": "prod", "value": "300"},
        },
    )
    lines = " encode {\n  gzip\n  minimum_length 400\n  match header Content-Type *json*\n }"
    front = fronts.caddy(stage, place.api(stage, product, "App Configuration", "tornado"), lines)
    user = {"User-Agent": "azsdk-js-app-configuration/1.7.0 Node/20.20.2 OS/(x64-Linux)"}
    me = stage.actor("client", front, "shop-prod.azconfig.test", "httpx", bearer("deploy", **user))
    query = "?label=prod&api-version=1.0"
    for name, value in (("ttl", "600"), ("banner", "Closed on Sunday. " + _LONG)):
        seen = me.get(f"{base}{name}{query}")
        status = 412 if name == "banner" else 200
        body = {"key": f"checkout:{name}", "label": "prod", "value": value}
        me.put(f"{base}{name}{query}", body, status, {"If-Match": seen.etag})
        pause()
    again = me.get(f"{base}banner{query}")
    must(
        again.etag.strip('"') == again.json["etag"].strip('"') + "-gzip", f"{again.etag} {again.json['etag']}"
    )
    me.put(f"{base}banner{query}", body, 412, {"If-Match": again.etag})


@case(
    "b642",
    "pau-sync-document-made-weak",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    synthetic=True,
    description=(
        "nginx compresses the documents of a synchronisation service and so makes their tags weak; If-Match with "
        "W/ is 412 (20412) at once. The list gives the revision, and an uncompressed read the strong tag."
    ),
)
def weakened(stage: Stage) -> None:
    """Send a tag that nginx made weak."""
    path = "/v1/Services/IS12/Documents/rota"
    data = {"unique_name": "rota", "data": {"week": 48, "text": _LONG}}
    server = place.api(stage, Tagged("twilio", {path: data}), "Twilio Sync", "waitress")
    front = fronts.nginx_gzip(stage, server)
    me = stage.actor("client", front, "sync.relay.test", "aiohttp", {"Authorization": "Basic QUMwOmZha2U="})
    place.beside(me, "la")
    me.get("/v1/Services/IS12/Documents")
    tag = me.get(path).etag
    must(tag.startswith("W/"), "not weak")
    body = {"data": {"week": 49, "text": _LONG}}
    me.send("POST", path, 412, {"If-Match": tag}, body)
    pause()
    strong = me.get(path, 200, {"Accept-Encoding": "identity"}).etag
    must(strong == tag[2:], "another tag")
    me.send("POST", path, 200, {"If-Match": strong}, body)


@case(
    "b643",
    "pau-hal-resource-behind-haproxy",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    synthetic=True,
    description=(
        "A warehouse tool reads stock rows (Spring Data REST) through HAProxy, which compresses GETs and weakens "
        "their tags; its HEAD shows the same number strong. Every PUT of the evening is 412."
    ),
)
def stock(stage: Stage) -> None:
    """See a strong tag by HEAD and a weak one by GET."""
    base = "/api/stockRows/"
    rows = {f"{base}{n}": {"sku": f"BOLT-M{n}", "count": n * 40, "note": _LONG} for n in (6, 8, 10)}
    server = place.api(stage, Tagged("spring", rows), "Spring Data REST", "uvicorn")
    lines = " compression algo gzip\n compression type application/hal+json"
    front = fronts.haproxy(stage, [server], lines)
    me = stage.actor(
        "client", front, "stock.depot.test", "curl", bearer("depot", **{"Accept-Encoding": "gzip"})
    )
    for number in (6, 8, 10):
        tag = me.get(f"{base}{number}").etag
        head = me.send("HEAD", f"{base}{number}", 200)
        must(tag == "W/" + head.etag, f"{tag} and {head.etag}")
        me.put(
            f"{base}{number}",
            {"sku": f"BOLT-M{number}", "count": 5, "note": "recount"},
            412,
            {"If-Match": tag},
        )


@case(
    "b644",
    "pau-edge-drops-generation-field",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    synthetic=True,
    description=(
        "A company's gateway lets only listed fields pass; if-generation-match is not on the list. A stale put of a "
        "key is stored over the value of the editor, whose own stale put, sent direct, is 412. The origin's file "
        "lacks the field."
    ),
)
def unlisted(stage: Stage) -> None:
    """Lose the field of a condition on the way."""
    path = "/resources/stores/kv/s7/keys/redirects"
    product = FastlyStore({path: {"/old": "/new"}})
    server = place.api(stage, product, "Fastly KV store", "cheroot")
    front = fronts.haproxy(stage, [server], " http-request del-header if-generation-match")
    me = stage.actor("client", front, "api-gw.press.test", "requests", {"Fastly-Key": "fake-a"})
    other = stage.actor("other", server, "api.fastly.test", "httpx", {"Fastly-Key": "fake-b"})
    place.beside(me, "a")
    mine = me.get(path).fields["generation"]
    theirs = other.get(path).fields["generation"]
    other.put(path, {"/old": "/new", "/jobs": "/careers"}, 200, {"if-generation-match": theirs})
    pause()
    place.beside(me, "s")
    other.put(path, {"/old": "/new", "/jobs": "/work"}, 412, {"if-generation-match": theirs})
    must(me.get(path).fields["generation"] != mine, "no other write")
    me.put(path, {"/old": "/newer"}, 200, {"if-generation-match": mine})
    me.get(path)


@case(
    "b645",
    "pau-gateway-forgets-the-query",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    synthetic=True,
    description=(
        "nginx maps a short path to a bucket and loses the query of uploads: ifGenerationMatch never arrives. A job "
        "uploads with the generation of its last run, older than the one it has just been told; it is taken."
    ),
)
def forgotten(stage: Stage) -> None:
    """Lose a condition with the query."""
    path = "/storage/v1/b/tide/o/limits.json"
    server = place.api(stage, GoogleObjects({path: '{"high": 410}'}), "Cloud Storage JSON", "tornado")
    port = stage.behind(server)
    block = f"location = /limits {{ set $args ''; proxy_pass http://127.0.0.1:{port}{path}; "
    block += 'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; }'
    front = fronts.nginx(stage, server, "", "", block)
    me = stage.actor("client", front, "buckets.tide.test", "node:axios", bearer("gauge-job"))
    other = stage.actor("other", server, "storage.googleapis.test", "requests", bearer("harbour-master"))
    old = me.get("/limits").json["generation"]
    other.put(f"{path}?ifGenerationMatch={old}", '{"high": 395, "low": 22}', 200)
    pause()
    must(me.get("/limits").json["generation"] != old, "no other write")
    me.put(f"/limits?ifGenerationMatch={old}", '{"high": 412}', 200, {"Content-Type": "application/json"})
    other.put(f"{path}?ifGenerationMatch={old}", '{"high": 396}', 412)
    me.get("/limits")


@case(
    "b646",
    "pau-distribution-behind-envoy-compressor",
    "validator-stripped",
    "400",
    alone="token-missing validator-stripped",
    also="token-missing",
    synthetic=True,
    description=(
        "A company's Envoy compresses what comes from the CDN's API and deletes its ETag. The tool finds no tag and "
        "sends none: 400 InvalidIfMatchVersion for each distribution. The API's side of the file has the ETags."
    ),
)
def distribution(stage: Stage) -> None:
    """Read a configuration whose tag is gone."""
    base = "/2020-05-31/distribution/"
    xml = f"<DistributionConfig><Comment>{_LONG}</Comment><PriceClass>PriceClass_All</PriceClass></DistributionConfig>"
    product = Tagged(
        "cloudfront", {f"{base}{name}/config": xml for name in ("EDFDVBD6EXAMPLE", "E2QWRUHEXAMPLE")}
    )
    server = place.api(stage, product, "CloudFront", "cheroot")
    filters = ENVOY_COMPRESSOR.replace(
        "compressor_library:",
        "response_direction_config: {common_config: {content_type: [text/xml]}}\n              compressor_library:",
    )
    front = fronts.envoy(stage, [server], filters, config="compressor gzip, content_type text/xml")
    me = stage.actor(
        "client", front, "cloudfront.amazonaws.test", "requests", {"X-Amz-Date": "20261127T033000Z"}
    )
    for name in ("EDFDVBD6EXAMPLE", "E2QWRUHEXAMPLE"):
        seen = me.get(f"{base}{name}/config")
        must("etag" not in seen.fields, "the tag is there")
        new = seen.text.replace("PriceClass_All", "PriceClass_200")
        me.put(f"{base}{name}/config", new, 400, {"Content-Type": "text/xml"})
    me.get(f"{base}EDFDVBD6EXAMPLE/config")


def _untagged(request: Request, answer: Answer) -> Answer:  # noqa: ARG001
    if isinstance(answer.body, dict):
        answer.body = {key: one for key, one in answer.body.items() if key != "_eTag"}
    return answer


@case(
    "b647",
    "pau-portal-rewrites-links",
    "validator-stripped",
    "428",
    alone="token-missing validator-stripped",
    also="token-missing",
    synthetic=True,
    description=(
        "A portal's nginx rewrites host names in answers with sub_filter and so drops ETag and Last-Modified; the "
        "estate agents' API wants If-Match, and the portal has none to send: 428 each time. The API's side shows the "
        "tags."
    ),
)
def links(stage: Stage) -> None:
    """Lose a tag to a body filter."""
    path = "/properties/OXF190065"
    data = {
        "id": "OXF190065",
        "strapline": _LONG,
        "selling": {"price": 410000},
        "_links": {"self": "http://platform.reapit.test" + path},
    }
    product = Tagged("reapit", {path: data})
    product.after.append(_untagged)
    server = place.api(stage, product, "Reapit Foundations", "waitress")
    lines = "sub_filter platform.reapit.test portal.agents.test; sub_filter_once off; sub_filter_types application/json;"
    front = fronts.nginx(stage, server, f'proxy_set_header Accept-Encoding ""; {lines}')
    me = stage.actor(
        "client", front, "portal.agents.test", "requests", bearer("lister", **{"api-version": "2020-01-31"})
    )
    seen = me.get(path)
    must("etag" not in seen.fields, "the tag is there")
    me.send("PATCH", path, 428, None, {"selling": {"price": 399000}})
    pause()
    me.send("PATCH", path, 428, None, {"selling": {"price": 399000}})
    me.get(path)


@case(
    "b648",
    "pau-redirect-of-a-moved-space",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    synthetic=True,
    description=(
        "The master environment was renamed; Caddy sends old paths on with 302. The library turns the PUT of an entry "
        "into a GET without its body, whose 200 the import takes for success; nothing has changed."
    ),
)
def renamed(stage: Stage) -> None:
    """Follow a redirect with another method."""
    path = "/spaces/sp1/environments/main/entries/e9"
    server = place.api(
        stage, Contentful({path: {"fields": {"title": {"sv": "Vinterfiske"}}}}), "Contentful", "uvicorn"
    )
    rule = " @old path_regexp old ^/spaces/sp1/environments/master/(.*)$\n"
    rule += " redir @old /spaces/sp1/environments/main/{re.old.1} 302"
    front = fronts.caddy(stage, server, rule)
    me = stage.actor("client", front, "api.contentful.test", "requests:follow", bearer("import"))
    old = path.replace("main", "master")
    version = str(me.get(path).json["sys"]["version"])
    kind = {"Content-Type": "application/vnd.contentful.management.v1+json", "X-Contentful-Version": version}
    title = {"fields": {"title": {"sv": "Isfiske"}}}
    me.put(old, place.dumped(title), 200, kind)
    pause()
    must(me.get(path).json["fields"]["title"]["sv"] == "Vinterfiske", "it was written")


@case(
    "b649",
    "pau-firewall-page-for-a-template",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    synthetic=True,
    description=(
        "A contact card with a link to a script is answered 412 with a page of the web application firewall (rule "
        "941110), with the current tag; the same card without the link is saved with the same tag."
    ),
)
def card(stage: Stage) -> None:
    """Be refused for one's content by a front."""
    path = "/remote.php/dav/addressbooks/users/liv/contacts/7C1.vcf"
    text = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:7C1\r\nFN:Harbour café\r\nNOTE:{}\r\nEND:VCARD\r\n"
    server = place.api(stage, Tagged("sabre", {path: text.format("open")}), "Nextcloud", "waitress")
    page = "<html><head><title>412</title></head><body><h1>Request rejected</h1><p>ModSecurity rule 941110, support id 7741</p></body></html>"
    rule = " option http-buffer-request\n http-request return status 412 content-type text/html "
    rule += f"string '{page}' if {{ req.body -m sub <script }}"
    front = fronts.haproxy(stage, [server], rule)
    me = stage.actor(
        "client",
        front,
        "cloud.liv.test",
        "httpx",
        {"User-Agent": "DAVx5/4.4.5-ose (2026/10; dav4jvm; okhttp)"},
    )
    tag = me.get(path).etag
    kind = {"Content-Type": "text/vcard; charset=utf-8"}
    me.put(path, text.format("menu: <script src=//m.test/x>"), 412, {"If-Match": tag, **kind})
    must(me.get(path).etag == tag, "it has moved")
    me.put(path, text.format("menu: <script src=//m.test/x>"), 412, {"If-Match": tag, **kind})
    me.put(path, text.format("menu on the wall"), 204, {"If-Match": tag, **kind})
