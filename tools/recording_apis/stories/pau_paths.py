"""Caches, replicas, nodes and repeating balancers on the way to APIs in use."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.pau_bodies import Commercetools, Confluence, Consul, Contentful, Elasticsearch
from tools.recording_apis.apps.pau_google import People
from tools.recording_apis.apps.pau_tagged import Tagged
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import pau_setting as place
from tools.recording_apis.stories.pau_setting import Aws, bearer, must, pause

if TYPE_CHECKING:
    from tools.recording_apis.apps.pau_engine import Answer, Item, Product, Request


@case(
    "b650",
    "pau-page-from-varnish-after-own-save",
    "stale-cache-read",
    "409",
    alone="stale-cache-read",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A generator saves a wiki page twice. Between the saves it reads the page from Varnish (Age, X-Varnish with "
        "two numbers), which still has the version from before its own first save: version 5 again, 409. Past the "
        "cache the page is at 5, and 6 is taken."
    ),
)
def wiki(stage: Stage) -> None:
    """Count on from a stored version."""
    path = "/rest/api/content/98311"
    product = Confluence({path: {"title": "Tide table", "body": {"storage": {"value": "<p>1</p>"}}}}, first=4)
    product.extra["GET /rest/api/user/current"] = place.said({"username": "tidebot", "type": "known"})
    server = place.api(stage, product, "Confluence", "cheroot")
    rules = 'sub vcl_recv { if (req.url ~ "nocache") { return (pass); } if (req.method == "GET") { return (hash); } }\n'
    rules += 'sub vcl_backend_response { if (bereq.url ~ "/content/") { set beresp.ttl = 90s; } }'
    front = fronts.varnish(stage, server, rules)
    me = stage.actor("client", front, "wiki.port.test", "requests", bearer("tidebot"))
    me.get("/rest/api/user/current")

    def saved(number: int, text: str, status: int) -> None:
        body = {"storage": {"value": f"<p>{text}</p>", "representation": "storage"}}
        page = {
            "id": "98311",
            "type": "page",
            "title": "Tide table",
            "version": {"number": number},
            "body": body,
        }
        me.put(path, page, status)

    number = me.get(path).json["version"]["number"]
    saved(number + 1, "2", 200)
    pause(1.1)
    place.beside(me, "a")
    again = me.get(path)
    must(int(again.fields["age"]) >= 1 and again.json["version"]["number"] == number, "not stored")
    saved(number + 1, "2 and 3", 409)
    fresh = me.get(f"{path}?nocache=1").json["version"]
    must(fresh["by"]["username"] == "tidebot", "another writer")
    saved(fresh["number"] + 1, "2 and 3", 200)


@case(
    "b651",
    "pau-search-document-from-nginx-store",
    "stale-cache-read",
    "409",
    alone="stale-cache-read",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "nginx stores reads of a search index for a minute (X-Cache-Status). The indexer updates a document, reads "
        "it again (HIT) and sends the old _seq_no: 409. Its own first answer had the new one."
    ),
)
def index(stage: Stage) -> None:
    """Take a sequence number from a store."""
    path = "/berths/_doc/b12"
    product = Elasticsearch(
        {path: {"ship": "Elbe 5", "draft": 3.1}, "/berths/_doc/b13": {"ship": ""}}, first=40
    )
    server = place.api(stage, product, "Elasticsearch", "waitress")
    front = fronts.nginx_cache(stage, server, 60, "add_header X-Cache-Status $upstream_cache_status;")
    user = {"User-Agent": "elasticsearch-py/8.17.0 (Python/3.11.7; elastic-transport/8.17.0)"}
    me = stage.actor("client", front, "search.port.test", "httpx", bearer("indexer", **user))
    place.beside(me, "s")

    def write(seen: dict[str, int], draft: float, status: int) -> Any:
        query = f"?if_seq_no={seen['_seq_no']}&if_primary_term={seen['_primary_term']}"
        return me.put(path + query, {"ship": "Elbe 5", "draft": draft}, status)

    first = me.get(path).json
    me.get("/berths/_doc/b13")
    write(first, 3.2, 200)
    pause(0.6)
    place.beside(me, "j")
    stored = me.get(path)
    must(stored.fields["x-cache-status"] == "HIT", "not stored")
    write(stored.json, 3.4, 409)
    pause()
    must(me.get(path).json["_seq_no"] == first["_seq_no"], "not stored")
    write(stored.json, 3.4, 409)


class _Copy:
    """A replica: what the primary held a while ago."""

    def __init__(self, primary: Product, lag: float) -> None:
        self.primary, self.lag = primary, lag

    def __call__(self, request: Request) -> Answer | None:
        """Answer reads with the newest version that is old enough."""
        item = self.primary.items.get(request.path)
        if request.writes or item is None:
            return None
        ready = [one for one in (*item.past, item) if one.changed <= time.time() - self.lag]
        return self.primary.show(request, request.path, ready[-1] if ready else item)


@case(
    "b652",
    "pau-cart-from-a-replica",
    "replica-lag",
    "409",
    alone="replica-lag",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "HAProxy sends reads of carts to a replica that is a second and a half behind (X-Served-By). After its own "
        "update the shop reads the older version and is refused: ConcurrentModification; a little later the "
        "replica has caught up."
    ),
)
def cart(stage: Stage) -> None:
    """Read behind one's own write."""
    path = "/shop/carts/4f1c"
    primary = Commercetools({path: {"lineItems": [{"sku": "TEA-1", "quantity": 1}]}}, first=3)
    replica = Commercetools({path: {}})
    replica.before.append(_Copy(primary, 1.5))
    primary.after.append(lambda _, answer: _marked(answer, "db-primary"))
    replica.after.append(lambda _, answer: _marked(answer, "db-replica-2"))
    servers = (
        place.api(stage, primary, "commercetools", "cheroot"),
        place.api(stage, replica, "commercetools", "cheroot"),
    )
    front = fronts.split(stage, *servers)
    me = stage.actor("client", front, "api.shop.test", "node:fetch", bearer("storefront"))

    def add(version: int, sku: str, status: int) -> Any:
        action = {"action": "addLineItem", "sku": sku, "quantity": 1}
        return me.send("POST", path, status, None, {"version": version, "actions": [action]})

    version = me.get(path).json["version"]
    must(add(version, "TEA-2", 200).json["version"] == version + 1, "no new version")
    pause(0.4)
    must(me.get(path).json["version"] == version, "no lag")
    add(version, "TEA-9", 409)
    pause(1.6)
    must(me.get(path).json["version"] == version + 1, "still behind")
    add(version + 1, "TEA-9", 200)


def _marked(answer: Answer, name: str) -> Answer:
    answer.fields["X-Served-By"] = name
    return answer


@case(
    "b653",
    "pau-person-still-old-for-seconds",
    "replica-lag",
    "400",
    alone="replica-lag",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "An address book client changes a person, reads it again and gets the etag from before its own change, for "
        "more than a second; with it the next change is failedPrecondition. No cache fields anywhere."
    ),
)
def person(stage: Stage) -> None:
    """Be refused with a fresh but old read."""
    path = "/v1/people/c77"
    product = People({path: {"names": [{"displayName": "Ada B"}], "phoneNumbers": [{"value": "1"}]}})
    product.before.append(_Copy(product, 1.3))
    product.extra["GET /discovery/v1/apis/people/v1/rest"] = place.said(
        {"kind": "discovery#restDescription", "name": "people", "version": "v1"}
    )
    server = place.api(stage, product, "People API", "uvicorn")
    user = {"User-Agent": "google-api-python-client/2.150 (gzip)"}
    me = stage.actor("client", server, "people.googleapis.test", "requests", user)
    token = me.send("POST", "/token", 200, None, "grant_type=refresh_token&client_id=book").json[
        "access_token"
    ]
    me.get("/discovery/v1/apis/people/v1/rest")
    auth = {"Authorization": f"Bearer {token}"}

    def change(etag: str, number: str, status: int) -> Any:
        body = {"etag": etag, "phoneNumbers": [{"value": number}]}
        return me.send("PATCH", f"{path}:updateContact?updatePersonFields=phoneNumbers", status, auth, body)

    query = "?personFields=names,phoneNumbers"
    before = me.get(path + query, 200, auth).json["etag"]
    new = change(before, "2", 200).json["etag"]
    pause(0.5)
    place.beside(me, "t")
    must(me.get(path + query, 200, auth).json["etag"] == before, "no lag")
    change(before, "23", 400)
    must(me.get(path + query, 200, auth).json["etag"] == before, "no lag")
    change(before, "23", 400)
    pause(1.5)
    must(me.get(path + query, 200, auth).json["etag"] == new, "still behind")
    change(new, "23", 200)


@case(
    "b654",
    "pau-statements-store-with-two-nodes",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    synthetic=True,
    description=(
        "Two nodes of a learning record store behind Traefik compute the tag of the same profile document each in "
        "its own way (X-Node); read on one and written on the other, every PUT is 412."
    ),
)
def statements(stage: Stage) -> None:
    """Read and write in turns on two nodes."""
    path = "/xapi/agents/profile"
    seed: dict[str, object] = {path: {"badge": "welder", "level": 2}}
    nodes = []
    for name in ("lrs-a", "lrs-b"):
        product = _Salted(name, seed)
        nodes.append(place.api(stage, product, "xAPI record store", "waitress"))
    front = fronts.traefik(stage, nodes)
    me = stage.actor(
        "client",
        front,
        "lrs.yard.test",
        "requests",
        {"X-Experience-API-Version": "1.0.3", "Authorization": "Basic a2V5OmZha2U="},
    )
    query = "?agent=%7B%22mbox%22%3A%22mailto%3Aw%40yard.test%22%7D&profileId=badges"
    tags = set()
    for _ in range(4):
        seen = me.get(path + query)
        tags.add(seen.etag)
        me.put(path + query, {**seen.json, "level": 3}, 412, {"If-Match": seen.etag})
        pause(0.2)
        tags.add(me.get(path + query).etag)
    must(len(tags) == 2, f"{tags}")


class _Salted(Tagged):
    """A node with a salt in its tags."""

    def __init__(self, name: str, seed: dict[str, object], style: str = "xapi") -> None:
        self.name = name
        super().__init__(style, seed)
        self.after.append(self._named)

    def _named(self, request: Request, answer: Answer) -> Answer:  # noqa: ARG002
        answer.fields["X-Node"] = self.name
        return answer

    def mint(self, path: str, item: Item) -> str:
        """Return a tag that is this node's own."""
        salted = copy.copy(item)
        salted.version = item.version + sum(self.name.encode())
        return super().mint(path, salted)


@case(
    "b655",
    "pau-data-set-on-two-systems",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    synthetic=True,
    description=(
        "Two systems of a sysplex answer for one data set behind HAProxy; each makes its own ETag of the same member. "
        "Five reads give two tags in turns for the same text, and the save is refused."
    ),
)
def member(stage: Stage) -> None:
    """See two tags for one text."""
    path = "/zosmf/restfiles/ds/PAU.JCL(NIGHTLY)"
    seed: dict[str, object] = {path: "//NIGHTLY JOB (ACCT),CLASS=A\n//S1 EXEC PGM=IEFBR14\n"}
    nodes = [
        place.api(stage, _Salted(name, seed, "zosmf"), "z/OSMF files", "tornado") for name in ("SYSA", "SYSB")
    ]
    front = fronts.haproxy(stage, nodes)
    always = {"X-CSRF-ZOSMF-HEADER": "x", "Cookie": "LtpaToken2=fake", "X-IBM-Return-Etag": "true"}
    me = stage.actor("client", front, "zosmf.plex.test", "curl", always)
    seen = [me.get(path) for _ in range(5)]
    must(len({one.etag for one in seen}) == 2 and len({one.text for one in seen}) == 1, "not two tags")
    new = seen[-1].text.replace("CLASS=A", "CLASS=B")
    me.put(path, new, 412, {"If-Match": seen[-1].etag, "Content-Type": "text/plain"})
    me.get(path)


@case(
    "b656",
    "pau-cas-twice-by-nginx",
    "intermediary-replay",
    "200-false",
    alone="intermediary-replay post-commit-412",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "The key store commits a ?cas= put but answers late; nginx gives up after a second, sends it to the same "
        "store again and hands over the second answer, false. The key holds the client's value with its own id; the "
        "store saw two puts."
    ),
)
def cas(stage: Stage) -> None:
    """Hear false for what was written."""
    path = "/v1/kv/locks/crane-2"
    product = Consul({path: "free"}, first=880)
    product.late[1] = 1.6
    server = place.api(stage, product, "Consul", "waitress")
    port = stage.behind(server)
    pair = f"upstream pair {{ server 127.0.0.1:{port} max_fails=0; server 127.0.0.1:{port} max_fails=0; }}"
    block = (
        "location /v1/kv/ { proxy_pass http://pair; proxy_http_version 1.1; proxy_set_header Connection ''; "
    )
    block += "proxy_set_header Host $http_host; proxy_read_timeout 1s; "
    block += "proxy_next_upstream error timeout non_idempotent; proxy_next_upstream_tries 2; }"
    front = fronts.nginx(stage, server, "", pair, block)
    me = stage.actor("client", front, "consul.port.test", "curl", {"X-Consul-Token": "fake"})
    me.get("/v1/kv/locks/crane-1", 404)
    seen = me.get(path).json[0]["ModifyIndex"]
    must(me.put(f"{path}?cas={seen}", "taken by job 7f3a-0091", 200).text.strip() == "false", "true")
    after = me.get(path).json[0]
    must(after["Value"] == "dGFrZW4gYnkgam9iIDdmM2EtMDA5MQ==", "it was not written")
    pause(1.0)


@case(
    "b657",
    "pau-entry-twice-by-envoy",
    "intermediary-replay",
    "409",
    alone="intermediary-replay post-commit-412",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "Envoy gives each try of an entry's update 0.8 s and then tries again: the first was stored, the second is "
        "VersionMismatch. The editor sent one PUT; the entry is one version up, by him, with his text."
    ),
)
def entry(stage: Stage) -> None:
    """Be refused by one's own write, repeated on the way."""
    path = "/spaces/q1/environments/master/entries/lead"
    product = Contentful({path: {"fields": {"text": {"en": "Draft"}}}}, first=11)
    product.late[1] = 1.4
    server = place.api(stage, product, "Contentful", "tornado")
    rule = ', timeout: 8s, retry_policy: {retry_on: "5xx,reset", num_retries: 1, per_try_timeout: 0.8s}'
    front = fronts.envoy(stage, [server], "", rule, "per_try_timeout 0.8s, num_retries 1")
    me = stage.actor("client", front, "api.contentful.test", "node:axios", bearer("editor-ida"))
    version = me.get(path).json["sys"]["version"]
    body = {"fields": {"text": {"en": "Ferry line 3 stops for ice"}}}
    lines = {
        "X-Contentful-Version": str(version),
        "Content-Type": "application/vnd.contentful.management.v1+json",
    }
    me.put(path, place.dumped(body), 409, lines)
    seen = me.get(path).json
    must(
        seen["sys"]["updatedBy"]["sys"]["id"] == "editor-ida" and seen["fields"] == body["fields"],
        "not written",
    )
    pause(0.8)


@case(
    "b658",
    "pau-guarded-get-answered-by-nginx",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    description=(
        "A loader (boto3) replaces an object of moto's S3 and reads it with IfMatch of its own new tag through "
        "nginx's cache: 412, an HTML page of nginx, from the stored copy; the origin saw no such request."
    ),
)
def guarded(stage: Stage) -> None:
    """Read with If-Match through a cache."""
    server = stage.server("moto")
    setup = Aws(stage, "setup", server, "s3")
    setup.call("create_bucket", Bucket="tide", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    setup.call("put_object", Bucket="tide", Key="gauges.csv", Body=b"id,level\n1,402\n")
    stage.forget()
    lines = "add_header X-Cache $upstream_cache_status always; proxy_ignore_headers Cache-Control Expires Set-Cookie;"
    front = fronts.nginx_cache(stage, server, 120, lines)
    me = Aws(stage, "client", front, "s3")
    key = {"Bucket": "tide", "Key": "gauges.csv"}
    old = me.call("get_object", **key)["ETag"]
    new = me.call("put_object", **key, Body=b"id,level\n1,402\n2,377\n", IfMatch=old)["ETag"]
    pause(0.4)
    me.call("get_object", "412", **key, IfMatch=new)


@case(
    "b659",
    "pau-download-resumed-over-varnish",
    "cache-misevaluates",
    "corrupt-download",
    alone="cache-misevaluates precondition-ignored",
    description=(
        "A download from SeaweedFS is resumed with Range and If-Match through Varnish, which takes If-Match off every "
        "GET: 206 with the bytes of a newer object, whose ETag is another than the one asked for; 412 was due."
    ),
)
def resumed(stage: Stage) -> None:
    """Go on with a file that is another one."""
    server = stage.server("seaweedfs")
    setup = Aws(stage, "other", server, "s3")
    setup.call("create_bucket", Bucket="maps")
    key = {"Bucket": "maps", "Key": "chart-57.bin"}
    setup.call("put_object", **key, Body=b"A" * 900)
    stage.forget()
    front = fronts.varnish(
        stage, server, "sub vcl_backend_response { set beresp.ttl = 0.4s; set beresp.grace = 0s; }"
    )
    me = stage.actor("client", front, "maps.port.test", "requests", {"User-Agent": "chartplotter/3.2"})
    path = "/maps/chart-57.bin"
    part = me.get(path, 206, {"Range": "bytes=0-449"})
    setup.call("put_object", **key, Body=b"B" * 880)
    pause(0.9)
    rest = me.get(path, 206, {"Range": "bytes=450-", "If-Match": part.etag})
    must(rest.etag != part.etag and rest.body[:1] == b"B", "the same object")
    pause(0.9)
    must(me.send("HEAD", path, 200).etag == rest.etag, "another one again")
