"""Proxies, caches, replicas and nodes between clients and APIs in use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.tom_body import Couch
from tools.recording_apis.apps.tom_counts import Files
from tools.recording_apis.apps.tom_engine import Reply, digest
from tools.recording_apis.apps.tom_google import BigQuery, People
from tools.recording_apis.apps.tom_tagged import Eve, Fields, Sabre
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.tom_setting import api, bearer, kept, must, news, ping, rest, seek, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording_apis.apps.tom_engine import Item, Product, Request


class _Sandboxes(Fields):
    """Docker's sandboxes: the error names the current tag."""

    server = ""

    def refuse(self, request: Request, item: Item | None) -> Reply:
        """Answer 412 with the current tag in the details."""
        now = self.tag(request.path, item) if item else ""
        error = {
            "code": "EtagMismatch",
            "message": "the sandbox was modified",
            "detail": {"currentEtag": now},
        }
        return Reply(412, {"error": error})


@case(
    "d116",
    "tom-sandbox-tag-with-an-ending",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    synthetic=True,
    description="Apache compresses what a sandbox service answers and hangs -gzip on its tags. The client's PUT with the tag as it got it is 412 each time, and the error names the current tag, the same without the ending. Read with identity, the tag works.",
)
def sandbox(stage: Stage) -> None:
    """Return a tag with an ending."""
    base = "/v1/sandboxes"
    product = _Sandboxes(
        {
            f"{base}/sb-{number}": {
                "image": "debian:12",
                "cpus": 2,
                "mounts": ["src", "cache"],
                "env": {"CI": "1"},
            }
            for number in (1, 2)
        }
    )
    front = fronts.apache(
        stage, api(stage, product, "Docker Sandboxes"), "AddOutputFilterByType DEFLATE application/json"
    )
    me = stage.actor("client", front, "sandboxes.ci.test", "node:fetch", bearer("runner"))
    me.get(base)
    seen = me.get(f"{base}/sb-1")
    must(seen.etag.endswith('-gzip"'), seen.etag)
    new = {**seen.json, "cpus": 4}
    told = me.put(f"{base}/sb-1", new, 412, {"If-Match": seen.etag}).json["error"]["detail"]["currentEtag"]
    must(told.strip('"') + "-gzip" == seen.etag.strip('"'), "another tag")
    rest(0.5)
    wait_for(me, "build-71")
    ping(me)
    me.put(f"{base}/sb-1", new, 412, {"If-Match": me.get(f"{base}/sb-1").etag})
    plain = me.get(f"{base}/sb-1", 200, {"Accept-Encoding": "identity"}).etag
    me.put(f"{base}/sb-1", new, 200, {"If-Match": plain})


@case(
    "d117",
    "tom-crate-tag-made-weak",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    synthetic=True,
    description="nginx compresses the answers of an Eve service and makes their tags weak. A stock client's PATCH with W/ is refused with 412; its colleague on the inner network, without nginx, edits another crate with strong tags. The opaque part is that of the body's _etag.",
)
def crate(stage: Stage) -> None:
    """Return a weakened tag."""
    product = Eve(
        {
            f"/crates/{number}": {
                "fruit": "pear",
                "kilos": 12,
                "grade": "A",
                "grower": f"Hof {number}",
                "row": [1, 2, 3],
            }
            for number in (41, 42, 43)
        }
    )
    server = api(stage, product, "Python Eve")
    front = fronts.nginx_gzip(stage, server)
    me = stage.actor("client", front, "crates.coop.test", "httpx", bearer("stock"))
    inner = stage.actor("other", server, "crates.inner.test", "requests", bearer("hall"))
    seen = me.get("/crates/41")
    must(seen.etag.startswith("W/"), seen.etag)
    me.send("PATCH", "/crates/41", 412, {"If-Match": seen.etag}, {"kilos": 11})
    inner.send("PATCH", "/crates/42", 200, {"If-Match": inner.get("/crates/42").etag}, {"kilos": 9})
    rest(0.4)
    again = me.get("/crates/41")
    must(again.etag == seen.etag, "another writer")
    me.send("PATCH", "/crates/41", 412, {"If-Match": again.etag}, {"kilos": 11})
    me.get("/crates")
    news(me)
    seek(me, "pear")
    wait_for(me, "labels")
    me.send(
        "PATCH",
        "/crates/43",
        200,
        {"If-Match": me.get("/crates/43", 200, {"Accept-Encoding": "identity"}).etag},
        {"grade": "B"},
    )


@case(
    "d118",
    "tom-database-home-behind-a-gateway",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored",
    also="stale-stored-token",
    synthetic=True,
    description="A gateway empties If-Match on its way to a database service. An operator's change with an old tag is accepted through the gateway and takes a colleague's change away, and so is the next one with that tag still; the same kind of old tag sent past the gateway is refused with DCS-10182.",
)
def home(stage: Stage) -> None:
    """Lose the condition on the way."""
    base = "/20160918/dbHomes"
    product = Fields(
        {
            f"{base}/h{number}": {"displayName": f"home {number}", "dbVersion": "19.24", "tags": {}}
            for number in (1, 2)
        },
        saved_status=200,
    )
    product.said = {
        "code": "DCS-10182",
        "message": "The If-Match header value does not match the current etag.",
    }
    server = api(stage, product, "Oracle Database Cloud")
    front = fronts.nginx(stage, server, 'proxy_set_header If-Match "";')
    me = stage.actor("client", front, "db.fleet.test", "httpx", bearer("op-a"))
    other = stage.actor("other", server, "db.fleet.test", "urllib", bearer("op-b"))
    mine = me.get(f"{base}/h1")
    theirs = other.get(f"{base}/h1")
    other.put(f"{base}/h1", {**theirs.json, "tags": {"owner": "finance"}}, 200, {"If-Match": theirs.etag})
    other.put(f"{base}/h1", {**theirs.json, "tags": {"owner": "sales"}}, 412, {"If-Match": theirs.etag})
    rest(0.5)
    me.get(base)
    me.put(f"{base}/h1", {**mine.json, "displayName": "home one"}, 200, {"If-Match": mine.etag})
    must(other.get(f"{base}/h1").json["tags"] == {}, "kept")
    me.get(f"{base}/h2")
    me.put(f"{base}/h1", {**mine.json, "displayName": "home 1a"}, 200, {"If-Match": mine.etag})
    wait_for(me, "wr-118")


@case(
    "d119",
    "tom-docs-file-from-nginx-store",
    "stale-cache-read",
    "400",
    alone="stale-cache-read",
    also="status-dialect-mismatch",
    synthetic=True,
    description="A docs bot commits a file to GitLab, whose answer has no commit id, and reads the file through nginx's store (X-Cache-Status: HIT): last_commit_id from before its own commit. The second commit is 400, a file that has changed; past the store it has the new id.",
)
def docs(stage: Stage) -> None:
    """Take a commit id from a store."""
    path = "/api/v4/projects/9/repository/files/docs%2Fhours.md"
    product = Files(
        {
            path: {"content": "Mon-Fri\n"},
            "/api/v4/projects/9/repository/files/docs%2Ffaq.md": {"content": "?\n"},
        }
    )
    front = fronts.nginx_cache(
        stage, api(stage, product, "GitLab"), 60, "add_header X-Cache-Status $upstream_cache_status always;"
    )
    me = stage.actor("client", front, "git.museum.test", "aiohttp", {"PRIVATE-TOKEN": "glpat-example"})
    me.get("/api/v4/projects/9/repository/files/docs%2Ffaq.md?ref=main")

    def commit(seen: Any, text: str, status: int) -> None:
        body = {
            "branch": "main",
            "content": text,
            "commit_message": "hours",
            "last_commit_id": seen["last_commit_id"],
        }
        me.put(path, body, status)

    first = me.get(f"{path}?ref=main")
    commit(first.json, "Mon-Sat\n", 200)
    rest(0.7)
    stored = me.get(f"{path}?ref=main")
    must(stored.fields["x-cache-status"] == "HIT" and stored.json == first.json, "not stored")
    commit(stored.json, "Mon-Sun\n", 400)
    rest(0.3)
    commit(me.get(f"{path}?ref=main").json, "Mon-Sun\n", 400)
    fresh = me.get(f"{path}?ref=refs%2Fheads%2Fmain")
    must(fresh.fields["x-cache-status"] == "MISS", "stored")
    commit(fresh.json, "Mon-Sun\n", 200)


@case(
    "d120",
    "tom-table-schema-with-an-age",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    also="other-writer",
    synthetic=True,
    description="A schema tool reads a BigQuery table through a company proxy, Squid, that still has the answer of a minute's validity (Age 1, HIT). A modeller changed the table directly before that read: the tool's PATCH is 412, and with no-cache it gets another etag that works.",
)
def schema(stage: Stage) -> None:
    """Take a tag with an age."""
    base = "/bigquery/v2/projects/p/datasets/sales/tables"
    product = BigQuery({f"{base}/{name}": {"description": "", "labels": {}} for name in ("orders", "items")})
    product.after.append(lambda request, reply: kept(reply) if request.method == "GET" else None)
    server = api(stage, product, "BigQuery")
    front = fronts.squid(stage, server, site="bigquery.sales.test")
    me = stage.actor("client", front, "bigquery.sales.test", "requests", {"X-Goog-User-Project": "p"})
    other = stage.actor("other", server, "bigquery.sales.test", "httpx", bearer("modeller"))
    me.get(f"{base}/orders")
    tag = other.get(f"{base}/orders").etag
    other.send("PATCH", f"{base}/orders", 200, {"If-Match": tag}, {"labels": {"team": "crm"}})
    rest(1.3)
    me.get(f"{base}/items")
    aged = me.get(f"{base}/orders")
    must(int(aged.fields["age"]) >= 1 and "HIT" in aged.fields["x-cache"] and aged.etag == tag, "not stored")
    me.send("PATCH", f"{base}/orders", 412, {"If-Match": aged.etag}, {"description": "All orders"})
    fresh = me.get(f"{base}/orders", 200, {"Cache-Control": "no-cache"})
    must(fresh.etag != aged.etag, "stale")
    me.send("PATCH", f"{base}/orders", 200, {"If-Match": fresh.etag}, {"description": "All orders"})


def _behind(primary: Product, lag: float) -> Callable[[Request], Reply | None]:
    """Return a hook that answers reads with the newest version that is older than ``lag``."""

    def read(request: Request) -> Reply | None:
        item = primary.items.get(request.path)
        if request.writes or item is None:
            return None
        ready = [one for one in (*item.past, item) if one.changed <= time.time() - lag]
        return primary.read(request, ready[-1] if ready else item)

    return read


@case(
    "d121",
    "tom-revision-from-the-other-node",
    "replica-lag",
    "409",
    alone="replica-lag",
    also="status-dialect-mismatch",
    synthetic=True,
    description="A cluster answers writes from one CouchDB node and reads from another that is a second and a bit behind. The client's PUT gives revision 3; the GET after it says revision 2, and a PUT with that is a conflict. A second later the read says 3, with the client's own content.",
)
def revision(stage: Stage) -> None:
    """Read behind one's own write."""
    docs = {f"/log/buoy-{number}": {"depth": 12, "unit": "m"} for number in (1, 2)}
    writes, reads = Couch(docs, first=2), Couch(docs)
    reads.before.append(_behind(writes, 1.3))
    writes.after.append(
        lambda _, reply: Reply(reply.status, reply.body, {**reply.fields, "X-Couch-Node": "couch@a"})
    )
    reads.after.append(
        lambda _, reply: Reply(reply.status, reply.body, {**reply.fields, "X-Couch-Node": "couch@b"})
    )
    servers = api(stage, writes, "CouchDB"), api(stage, reads, "CouchDB")
    me = stage.actor(
        "client",
        fronts.split(stage, *servers),
        "couch.bay.test",
        "node:fetch",
        {"Accept": "application/json"},
    )
    base = me.get("/log/buoy-1").json
    written = me.put("/log/buoy-1", {**base, "depth": 13}, 201).json["rev"]
    me.get("/log/buoy-2")
    older = me.get("/log/buoy-1").json
    must(older["_rev"] == base["_rev"] != written, "no lag")
    me.put("/log/buoy-1", {**older, "depth": 14}, 409)
    rest(1.6)
    caught = me.get("/log/buoy-1").json
    must(caught["_rev"] == written and caught["depth"] == 13, "another writer")
    me.put("/log/buoy-1", {**caught, "depth": 14}, 201)


@case(
    "d122",
    "tom-person-read-too-soon",
    "replica-lag",
    "400",
    alone="replica-lag",
    also="status-dialect-mismatch",
    synthetic=True,
    description="A card scanner updates a person, reads her again at once to set one more field and gets the etag of before its own update: 400 failedPrecondition. The same read two seconds later has the etag that the update had answered with.",
)
def person(stage: Stage) -> None:
    """Read a person whose update has not arrived."""
    product = People(
        {
            f"/v1/people/c{number}": {"names": [{"givenName": name}]}
            for number, name in ((71, "Aino"), (72, "Beate"))
        }
    )
    product.before.append(_behind(product, 1.6))
    server = api(stage, product, "People API")
    me = stage.actor("client", server, "people.cards.test", "curl", bearer("scanner"))
    fields = "?personFields=names,phoneNumbers,organizations"
    held = me.get(f"/v1/people/c71{fields}").json
    target = "/v1/people/c71:updateContact?updatePersonFields="
    new = me.send(
        "PATCH",
        f"{target}phoneNumbers",
        200,
        None,
        {"etag": held["etag"], "phoneNumbers": [{"value": "+358 40 1"}]},
    ).json
    soon = me.get(f"/v1/people/c71{fields}").json
    must(soon["etag"] == held["etag"] != new["etag"], "no lag")
    firm = [{"name": "Koivu Oy"}]
    me.send("PATCH", f"{target}organizations", 400, None, {"etag": soon["etag"], "organizations": firm})
    me.get(f"/v1/people/c72{fields}")
    rest(2.0)
    news(me)
    seek(me, "Koivu")
    later = me.get(f"/v1/people/c71{fields}").json
    must(later["etag"] == new["etag"], "another writer")
    me.send("PATCH", f"{target}organizations", 200, None, {"etag": later["etag"], "organizations": firm})


class _Node(Sabre):
    """A node whose tags come from its own file system."""

    node = "app1"
    kind = "text/markdown; charset=utf-8"

    def tag(self, path: str, item: Item) -> str:
        """Return a tag of the node's own."""
        return f'"{digest((self.node, path, item.version))}"'

    def handle(self, request: Request) -> Reply:
        """Answer, with the node's name."""
        reply = super().handle(request)
        reply.fields["X-App-Node"] = self.node
        return reply


@case(
    "d123",
    "tom-cloud-files-on-two-nodes",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    synthetic=True,
    description="Two application nodes of a file cloud take turns behind HAProxy (X-App-Node). Each has another tag for the same octets, so that GET lands on one and PUT on the other: 412 whenever they differ. Nobody else writes; the tags go back and forth between two values.",
)
def nodes(stage: Stage) -> None:
    """Read here, write there."""
    files = {f"/remote.php/dav/files/ole/{name}.md": f"# {name}\n" for name in ("plan", "todo")}
    one, two = _Node(files), _Node(files, node="app2")
    two.items = one.items
    front = fronts.haproxy(stage, [api(stage, one, "Nextcloud files"), api(stage, two, "Nextcloud files")])
    me = stage.actor("client", front, "cloud.ole.test", "requests", {"Authorization": "Basic b2xlOng="})
    path = "/remote.php/dav/files/ole/plan.md"
    refused, seen = 0, set()
    for number in range(3):
        read = me.get(path)
        seen.add((read.fields["x-app-node"], read.etag))
        answer = me.put(path, "# plan\n- rope\n", (412, 204), {"If-Match": read.etag})
        refused += answer.status == 412
        again = me.get(path)
        seen.add((again.fields["x-app-node"], again.etag))
        if number == 1:
            me.get("/remote.php/dav/files/ole/todo.md")
        rest(0.2)
    must(refused >= 2 and len(seen) >= 2, f"{refused} {seen}")
