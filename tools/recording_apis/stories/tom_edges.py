"""What balancers, rewriting proxies, caches and redirects do to writes on APIs in use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.tom_counts import Commerce
from tools.recording_apis.apps.tom_engine import Reply
from tools.recording_apis.apps.tom_google import StorageXml
from tools.recording_apis.apps.tom_tagged import Fields, Rows
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.tom_setting import (
    api,
    bearer,
    kept,
    look,
    must,
    ping,
    report,
    rest,
    seek,
    sign_in,
    wait_for,
)

if TYPE_CHECKING:
    from tools.recording_apis.apps.tom_engine import Request


@case(
    "d124",
    "tom-order-put-twice-by-the-balancer",
    "intermediary-replay",
    "409",
    alone="intermediary-replay post-commit-412 lost-response-replay",
    also="status-dialect-mismatch",
    synthetic=True,
    description="HAProxy retries on response-timeout. A shop's POST with version 3 takes longer than that; the balancer sends it again, and the client gets ConcurrentModification, 3 expected and 4 found, for its only request. The cart is at 4 and has the client's own discount code.",
)
def order(stage: Stage) -> None:
    """Send once, arrive twice."""
    path = "/kiosk/carts/9b1"
    product = Commerce(
        {path: {"discountCode": None, "country": "DK"}, "/kiosk/carts/9b2": {"country": "SE"}}, first=3
    )
    slow: list[int] = []

    def late(request: Request, reply: Reply) -> None:
        if request.method == "POST" and reply.status == 200 and request.path == path and not slow:
            slow.append(1)
            time.sleep(1.4)

    product.after.append(late)
    server = api(stage, product, "commercetools")
    front = fronts.haproxy(stage, [server], " timeout server 700ms\n retries 1\n retry-on response-timeout")
    me = stage.actor("client", front, "api.kiosk.test", "httpx", bearer("kiosk"))
    look(me)
    sign_in(me)
    seek(me, "tea")
    report(me)
    version = me.get(path).json["version"]
    add = {"version": version, "actions": [{"action": "addDiscountCode", "discountCode": "MAJ-10"}]}
    me.send("POST", path, 409, None, add)
    now = me.get(path).json
    must(now["version"] == version + 1 and now["discountCode"] == "MAJ-10", "not ours")
    rest(1.2)
    me.get("/kiosk/carts/9b2")
    me.send(
        "POST",
        path,
        200,
        None,
        {"version": now["version"], "actions": [{"action": "setCountry", "country": "NO"}]},
    )


@case(
    "d125",
    "tom-pod-document-through-a-rewriting-proxy",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    also="token-missing",
    synthetic=True,
    description="A proxy rewrites the base address in Turtle and drops the ETag of what it rewrites. A pod's client finds no tag, writes without If-Match and gets 428; the server's own answers carry one each time, as the profile's owner sees on the inner network.",
)
def pod(stage: Stage) -> None:
    """Find no tag."""
    turtle = '<> <http://xmlns.com/foaf/0.1/name> "{}" ; <http://pod.inner.test/ns#in> <http://pod.inner.test/> .\n'
    product = Fields(
        {f"/{name}/card": turtle.format(name) for name in ("siri", "tove")},
        kind="text/turtle",
        demands=428,
        saved_status=205,
    )
    product.said = {"type": "about:blank", "title": "Precondition Failed", "status": 412}
    server = api(stage, product, "Solid pod")
    lines = "sub_filter 'pod.inner.test' 'pods.test'; sub_filter_once off; sub_filter_types text/turtle; proxy_set_header Accept-Encoding '';"
    front = fronts.nginx(stage, server, lines)
    me = stage.actor("client", front, "pods.test", "node:axios", {"Content-Type": "text/turtle"})
    inner = stage.actor("other", server, "pod.inner.test", "urllib", {"Content-Type": "text/turtle"})
    seen = me.get("/siri/card")
    must("etag" not in seen.fields and "pods.test" in seen.text, "a tag")
    me.get("/tove/card")
    me.put("/siri/card", seen.text.replace("siri", "Siri"), 428)
    rest(0.4)
    me.get("/robots.txt", 404)
    me.get("/favicon.ico", 404)
    me.send("HEAD", "/siri/card", 200)
    me.put("/siri/card", seen.text.replace("siri", "Siri"), 428)
    own = inner.get("/tove/card")
    inner.put("/tove/card", own.text.replace("tove", "Tove"), 205, {"If-Match": own.etag})
    ping(me)


@case(
    "d126",
    "tom-squid-refuses-for-the-bucket",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    also="stale-cache-read",
    synthetic=True,
    description="A render node asks for a scene with If-Match of the version that the queue names. Squid has an older copy, evaluates If-Match against that and answers 412 with its own page; the bucket never saw the request. With no-cache the same request is 200 with that very tag.",
)
def bucket(stage: Stage) -> None:
    """Let a cache decide."""
    stage.keeps_content = False
    product = StorageXml({"/scenes/pier.blend": "mesh 1 " * 60, "/scenes/sky.exr": "sky " * 40}, server="")
    product.after.append(lambda request, reply: kept(reply) if request.method == "GET" else None)
    server = api(stage, product, "object store")
    front = fronts.squid(stage, server, site="s3.render.test")
    me = stage.actor("client", front, "s3.render.test", "requests")
    other = stage.actor("other", server, "s3.render.test", "aiohttp")
    old = me.get("/scenes/pier.blend").etag
    me.get("/scenes/sky.exr")
    new = other.put(
        "/scenes/pier.blend", "mesh 2 " * 61, 200, {"If-Match": other.get("/scenes/pier.blend").etag}
    ).etag
    must(old != new, "same")
    rest(1.1)
    refused = me.get("/scenes/pier.blend", 412, {"If-Match": new})
    must("squid" in refused.fields.get("server", ""), "not Squid's")
    me.get("/scenes/sky.exr")
    me.get("/scenes/pier.blend", 412, {"If-Match": new})
    fresh = me.get("/scenes/pier.blend", 200, {"If-Match": new, "Cache-Control": "no-cache"})
    must(fresh.etag == new, "another")


@case(
    "d127",
    "tom-account-moved-to-its-own-domain",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    synthetic=True,
    description="A CRM has moved accounts to a newer path and answers the old one with 302. The client follows: its PATCH with If-Match becomes a GET, 200 with the account as it was, and the client takes that for success. Two accounts are never changed; a client on the new path gets 204.",
)
def account(stage: Stage) -> None:
    """Follow a redirect."""
    old, new = "/services/data/v29.0/sobjects/Account", "/services/data/v62.0/sobjects/Account"
    product = Rows(
        {
            f"{new}/001A{number}": {"Id": f"001A{number}", "Phone": "", "Name": f"Mill {number}"}
            for number in range(3)
        }
    )

    def moved(request: Request) -> Reply | None:
        if request.path.startswith(old):
            return Reply(302, None, {"Location": request.target.replace(old, new)})
        return None

    product.before.append(moved)
    server = api(stage, product, "Salesforce")
    me = stage.actor("client", server, "mills.crm.test", "requests:follow", bearer("import"))
    other = stage.actor("other", server, "mills.crm.test", "curl", bearer("console"))
    for number in range(2):
        tag = me.get(f"{old}/001A{number}").etag
        told = me.send("PATCH", f"{old}/001A{number}", 200, {"If-Match": tag}, {"Phone": f"555-010{number}"})
        must(told.json["Phone"] == "", "written")
        rest(0.2)
    other.send(
        "PATCH", f"{new}/001A2", 204, {"If-Match": other.get(f"{new}/001A2").etag}, {"Phone": "555-0102"}
    )
    must(me.get(f"{new}/001A0").json["Phone"] == "", "written")
    report(other)
    seek(me, "mills")
    wait_for(me, "bulk-9")
