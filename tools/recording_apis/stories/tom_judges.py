"""Services of APIs in use that judge conditions in a way of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.tom_counts import Cart
from tools.recording_apis.apps.tom_engine import Product, Reply
from tools.recording_apis.apps.tom_google import StorageXml
from tools.recording_apis.apps.tom_microsoft import Configuration
from tools.recording_apis.apps.tom_tagged import Eve, Repository
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.tom_setting import (
    api,
    at_once,
    bearer,
    look,
    must,
    news,
    ping,
    report,
    rest,
    seek,
    sign_in,
)

if TYPE_CHECKING:
    from tools.recording_apis.apps.tom_engine import Item, Request


class _Marked(StorageXml):
    """An object store that takes a delete marker for an object when a create is guarded."""

    def __init__(self, items: dict[str, Any], **habits: Any) -> None:
        super().__init__(items, **habits)
        self.markers: set[str] = set()

    def commit(self, request: Request) -> Reply:
        """Remember what was deleted."""
        if request.method == "DELETE":
            self.markers.add(request.path)
        return super().commit(request)

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Return the refusal of a write, or None."""
        if request.fields.get("if-none-match") == "*" and request.path in self.markers:
            return self.refuse(request, item)
        return super().check(request, item)


@case(
    "d134",
    "tom-lock-object-that-is-gone",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    synthetic=True,
    description="A state store takes a lock by PUT with If-None-Match: * and gives it back by DELETE. On this versioned bucket the next lock is 412 although HEAD and GET of the key are 404; the same PUT without the condition is 200, and other keys work.",
)
def marker(stage: Stage) -> None:
    """Create what is not there."""
    product = _Marked({"/states/net.tfstate": "{}" * 10}, server="ceph", created_status=200)
    server = api(stage, product, "object store")
    me = stage.actor(
        "client", server, "s3.states.test", "node:axios", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    )
    lock, star = "/states/net.tfstate.tflock", {"If-None-Match": "*"}
    me.get(lock, 404)
    me.put(lock, '{"ID":"1"}', 200, star)
    state = me.get("/states/net.tfstate").etag
    me.put("/states/net.tfstate", '{"serial":2}', 200, {"If-Match": state})
    me.send("DELETE", lock, 204)
    rest(0.3)
    me.put(lock, '{"ID":"2"}', 412, star)
    me.send("HEAD", lock, 404)
    me.put(lock, '{"ID":"2"}', 412, star)
    me.get(lock, 404)
    me.put("/states/dns.tfstate.tflock", '{"ID":"3"}', 200, star)
    me.put(lock, '{"ID":"2"}', 200)


class _Remembering(Configuration):
    """A configuration store that answers 304 for every tag that a key ever had."""

    def read(self, request: Request, item: Item) -> Reply:
        """Answer a read."""
        known = request.fields.get("if-none-match", "")
        if any(self.tag(request.path, one) in known for one in item.past):
            return Reply(304, None, {"ETag": known})
        return super().read(request, item)


@case(
    "d135",
    "tom-setting-that-never-changes-for-pollers",
    "server-precondition-bug",
    "wrong-304",
    alone="server-precondition-bug",
    synthetic=True,
    description="A service polls a setting with If-None-Match. After an operator's change the configuration store goes on answering 304 to the old tag, with that old tag in it and no cache between; a plain GET has the new value and another tag, and polls with that are 304 rightly.",
)
def setting(stage: Stage) -> None:
    """Poll for a change that never shows."""
    product = _Remembering(
        {
            f"/kv/{key}": {"value": value, "content_type": ""}
            for key, value in (("rate", "30"), ("mode", "day"))
        }
    )
    server = api(stage, product, "Azure App Configuration")
    me = stage.actor("client", server, "conf.grid.test", "httpx", bearer("meter"))
    other = stage.actor("other", server, "conf.grid.test", "curl", bearer("operator"))
    path = "/kv/rate?api-version=2023-11-01"
    tag = me.get(path).etag
    me.get(path, 304, {"If-None-Match": tag})
    other.put(path, {"value": "45"}, 200, {"If-Match": other.get(path).etag})
    rest(0.4)
    for _ in range(3):
        me.get(path, 304, {"If-None-Match": tag})
        me.get("/kv/mode?api-version=2023-11-01")
        rest(0.3)
    ping(me, 4)
    fresh = me.get(path)
    must(fresh.json["value"] == "45" and fresh.etag != tag, "not new")
    me.get(path, 304, {"If-None-Match": fresh.etag})
    me.get(path, 304, {"If-None-Match": tag})


@case(
    "d136",
    "tom-refused-and-stored",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    synthetic=True,
    description="A hospital pharmacy puts with If-Unmodified-Since to Spring Data REST, echoing Last-Modified. The answer is 412, but a read shows the pharmacy's own values under a new version, for two entities, each at the first attempt; no one else writes.",
)
def pharmacy(stage: Stage) -> None:
    """Be refused after the commit."""
    product = Repository(
        {
            f"/stock/{number}": {"drug": drug, "packs": 40}
            for number, drug in ((1, "ASA 100"), (2, "NaCl 0.9"), (3, "KCl"))
        },
        late=True,
        first=5,
    )
    server = api(stage, product, "Spring Data REST")
    me = stage.actor("client", server, "pharmacy.test", "java", bearer("dispense"))
    look(me)
    sign_in(me)
    news(me)
    for number in (1, 2):
        seen = me.get(f"/stock/{number}")
        new = {**seen.json, "packs": 40 - number}
        me.put(f"/stock/{number}", new, 412, {"If-Unmodified-Since": seen.fields["last-modified"]})
        rest(0.2)
        now = me.get(f"/stock/{number}")
        must(now.json["packs"] == 40 - number and now.etag == '"6"', "not stored")
    me.put("/stock/3", {**me.get("/stock/3").json, "packs": 39}, 200, {"If-Match": '"5"'})


@case(
    "d137",
    "tom-catalogue-takes-any-tag",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    synthetic=True,
    description="Two table engines commit to one catalogue object by XML PUT with If-Match. The store reads no If-Match on writes: the second commit with the older tag is 200 and drops the first one's segment. GET honours If-Match (412), which makes the engines trust it.",
)
def catalogue(stage: Stage) -> None:
    """Accept an old tag."""
    product = StorageXml({"/lake/catalog.json": '["seg-1"]', "/lake/seg-1": "rows " * 20})
    product.deaf = frozenset({"if-match"})
    server = api(stage, product, "Cloud Storage XML")
    me = stage.actor("client", server, "storage.lake.test", "requests", bearer("engine-a"))
    other = stage.actor("other", server, "storage.lake.test", "httpx", bearer("engine-b"))
    mine = me.get("/lake/catalog.json")
    theirs = other.get("/lake/catalog.json")
    other.put("/lake/seg-2", "rows " * 25, 200, {"If-None-Match": "*"})
    other.put("/lake/catalog.json", '["seg-1","seg-2"]', 200, {"If-Match": theirs.etag})
    rest(0.6)
    me.send("HEAD", "/lake/seg-1", 200)
    me.send("HEAD", "/lake/seg-3", 404)
    me.put("/lake/seg-3", "rows " * 30, 200, {"If-None-Match": "*"})
    me.get("/lake/seg-3", 206, {"Range": "bytes=0-9"})
    me.get("/lake/catalog.json", 412, {"If-Match": mine.etag})
    me.put("/lake/catalog.json", '["seg-1","seg-3"]', 200, {"If-Match": mine.etag})
    must("seg-2" not in other.get("/lake/catalog.json").text, "kept")
    me.get("/lake/seg-1")


@case(
    "d138",
    "tom-resumed-image-of-two-versions",
    "precondition-ignored",
    "mixed-206",
    alone="precondition-ignored read-changed-mid-transfer",
    also="read-changed-mid-transfer",
    synthetic=True,
    description="A set-top box resumes the download of a firmware image with If-Range and the tag of its first part. The image has been replaced: the store sends 206 all the same, under another ETag and total length, instead of 200 with the whole; the file on the box is of two versions.",
)
def image(stage: Stage) -> None:
    """Send a part of something else."""
    product = StorageXml(
        {"/fw/box-2.img": "A1" * 400, "/fw/box-2.sig": "sig"}, keeps=True, server="AliyunOSS"
    )
    server = api(stage, product, "Alibaba OSS")
    me = stage.actor("client", server, "fw.boxes.test", "curl", {"User-Agent": "stb-updater/7"})
    other = stage.actor("other", server, "fw.boxes.test", "requests", bearer("release"))
    me.get("/fw/box-2.sig")
    begun = me.get("/fw/box-2.img", 206, {"Range": "bytes=0-299"})
    other.put(
        "/fw/box-2.img",
        "B2" * 450,
        200,
        {"If-Match": other.get("/fw/box-2.img", 206, {"Range": "bytes=0-0"}).etag},
    )
    rest(0.5)
    ping(me)
    for low in (300, 600):
        part = me.get("/fw/box-2.img", 206, {"Range": f"bytes={low}-{low + 299}", "If-Range": begun.etag})
        must(part.etag != begun.etag and "/900" in part.fields["content-range"], "one version")
    report(me)


@case(
    "d139",
    "tom-two-tanks-both-accepted",
    "check-then-write-race",
    "lost-update",
    alone="none check-then-write-race",
    synthetic=True,
    description="Two feeders put the level of one fish tank to an Eve service with the same If-Match within a tenth of a second: both 200, and the first one's values are gone. One after the other, an old tag is refused with 412.",
)
def tank(stage: Stage) -> None:
    """Check, think, write."""
    product = Eve({f"/tanks/{number}": {"feed": 10, "ph": 7.1, "by": ""} for number in (1, 2)}, gap=0.35)
    server = api(stage, product, "Python Eve")
    me = stage.actor("client", server, "tanks.farm.test", "requests", bearer("feeder-a"))
    other = stage.actor("other", server, "tanks.farm.test", "httpx", bearer("feeder-b"))
    old = me.get("/tanks/2").etag
    me.put("/tanks/2", {"feed": 9, "ph": 7.1, "by": "a"}, 200, {"If-Match": old})
    me.put("/tanks/2", {"feed": 8, "ph": 7.1, "by": "a"}, 412, {"If-Match": old})
    mine, theirs = me.get("/tanks/1").etag, other.get("/tanks/1").etag
    must(mine == theirs, "two tags")
    at_once(
        lambda: me.put("/tanks/1", {"feed": 12, "ph": 7.1, "by": "a"}, 200, {"If-Match": mine}),
        lambda: other.put("/tanks/1", {"feed": 10, "ph": 6.9, "by": "b"}, 200, {"If-Match": theirs}),
        apart=0.1,
    )
    must(me.get("/tanks/1").json["feed"] == 10, "kept")
    me.get("/tanks")
    report(me)
    news(other)
    seek(me, "ph")
    ping(other, 2)
    old = other.get("/tanks/2").etag
    other.put("/tanks/2", {"feed": 7, "ph": 7.0, "by": "b"}, 200, {"If-Match": old})


@case(
    "d140",
    "tom-cart-filled-from-two-devices",
    "check-then-write-race",
    "lost-update",
    alone="none check-then-write-race",
    synthetic=True,
    description="A couple fill one cart from a phone and a television at the same moment, both with X-Cart-Version 6. Both get 200 with version 7 and 8, and only the second one's lines are left. A minute before, the phone's repeat of an old version had been 409.",
)
def cart(stage: Stage) -> None:
    """Accept two writes of one version."""
    product: Product = Cart(
        {"/cart/v3/carts/77": {"lines": ["bread"]}, "/cart/v3/carts/78": {"lines": []}}, first=5, gap=0.3
    )
    server = api(stage, product, "Broadleaf")
    me = stage.actor("client", server, "shop.pair.test", "node:fetch", bearer("phone"))
    other = stage.actor("other", server, "shop.pair.test", "httpx", bearer("tv"))
    path = "/cart/v3/carts/77"
    other.get("/cart/v3/carts/78")
    me.put(path, {"lines": ["bread", "milk"]}, 200, {"X-Cart-Version": str(me.get(path).json["version"])})
    me.put(path, {"lines": ["bread", "milk"]}, 409, {"X-Cart-Version": "5"})
    look(me)
    mine, theirs = me.get(path).json, other.get(path).json
    must(mine["version"] == theirs["version"] == 6, "two versions")
    both = at_once(
        lambda: me.put(path, {"lines": [*mine["lines"], "eggs"]}, 200, {"X-Cart-Version": "6"}),
        lambda: other.put(path, {"lines": [*theirs["lines"], "jam"]}, 200, {"X-Cart-Version": "6"}),
        apart=0.05,
    )
    must(sorted(one.json["version"] for one in both) == [7, 8], "one")
    must(len(me.get(path).json["lines"]) == 3, "both kept")
    other.get(path)
    seek(me, "jam")
    report(other)
    report(me)
