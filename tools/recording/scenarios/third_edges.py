"""Third batch: what stands between client and service."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, Reply, size_and_time_tag, version_tag
from tools.recording.scenarios.material import CATALOGUE, RUNBOOK, SETTINGS
from tools.recording.scenarios.routing import as_of, shared
from tools.recording.scenarios.third_tokens import number_tag
from tools.recording.scenarios.third_writers import uuid_tag
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message

_MERGE = {"Content-Type": "application/merge-patch+json"}


@case(
    "d348",
    "deflate-suffix-on-a-delete",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "mod_deflate adds -gzip to the tag of a text list; the DELETE and the PUT that carry it are "
        "refused, HEAD with identity shows the bare tag and that passes."
    ),
    config=("AddOutputFilterByType DEFLATE text/csv",),
    client=(200, 412, 412, 200, 204),
    upstream=(200, 412, 412, 200, 204),
)
def deflate_delete(stage: Stage) -> None:
    """Delete with the tag of the compressed answer."""
    origin = stage.origin(Habits(tag=uuid_tag, put_status=204))
    path = "/exports/members.csv"
    rows = "".join(f"{number},member {number},m{number}@example.org\n" for number in range(40))
    origin.store(path, "id,name,mail\n" + rows, "text/csv")
    front = stage.apache(
        f"AddOutputFilterByType DEFLATE text/csv\nProxyPass / http://127.0.0.1:{stage.tap(origin.port)}/\n"
    )
    me = stage.client(front, "exports.example.test", "aiohttp", {"Authorization": "Bearer gdpr"})
    tag = me.get(path).etag
    time.sleep(0.7)
    me.send("DELETE", path, {"If-Match": tag})
    me.put(path, "id,name,mail\n", {"If-Match": tag, "Content-Type": "text/csv"})
    time.sleep(0.5)
    tag = me.send("HEAD", path, {"Accept-Encoding": "identity"}).etag
    me.send("DELETE", path, {"If-Match": tag})


@case(
    "d350",
    "compressed-list-weak-tag-patch",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "HAProxy compresses and weakens: PATCH with the weak tag is refused, a conditional GET with it is "
        "304, the identity read shows the same tag strong and the PATCH passes."
    ),
    config=("compression algo gzip",),
    client=(200, 304, 412, 200, 200),
)
def weakened_patch(stage: Stage) -> None:
    """Patch with the tag of the compressed answer."""
    origin = stage.origin(Habits(tag=lambda one: f"sha256:{one.version:04x}", lower=True))
    path = "/stock/warehouse-7"
    origin.store(path, {**CATALOGUE, "checked": False})
    front = stage.haproxy(
        "backend origin\n compression algo gzip\n compression type application/json\n"
        f" server one 127.0.0.1:{stage.tap(origin.port)}"
    )
    me = stage.client(front, "stock.example.test", "okhttp", {"Authorization": "Bearer scan-2"})
    tag = me.get(path).etag
    time.sleep(0.5)
    me.get(path, {"If-None-Match": tag})
    me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body='{"checked":true}')
    time.sleep(0.6)
    tag = me.get(path, {"Accept-Encoding": "identity"}).etag
    me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body='{"checked":true}')


@case(
    "d351",
    "edge-hides-the-tag",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    description=(
        "HAProxy deletes ETag and Last-Modified ('hide implementation details'); the service demands a "
        "condition. HEAD, GET and PATCH by turns end in 428."
    ),
    config=("http-response del-header ETag", "http-response del-header Last-Modified"),
    client=(200, 200, 428, 200, 428),
    upstream=(200, 200, 428, 200, 428),
)
def hidden_tag(stage: Stage) -> None:
    """Write without a tag that was taken away."""
    origin = stage.origin(Habits(require=True, tag=uuid_tag, problem="vendor"))
    path = "/tenants/t9/quota"
    origin.store(path, {"tenant": "t9", "gigabytes": 50})
    front = stage.haproxy(
        "backend origin\n http-response del-header ETag\n http-response del-header Last-Modified\n"
        f" server one 127.0.0.1:{stage.tap(origin.port)}"
    )
    me = stage.client(front, "tenants.example.test", "postman", {"Authorization": "Bearer t"})
    me.send("HEAD", path)
    for gigabytes in (60, 61):
        me.get(path)
        time.sleep(0.6)
        me.send("PATCH", path, _MERGE, body=f'{{"gigabytes":{gigabytes}}}')


@case(
    "d352",
    "read-model-behind-the-writes",
    "replica-lag",
    "412",
    alone="replica-lag stale-cache-read",
    description=(
        "nginx sends reads to a read model 1.5 s behind. The client asks with If-None-Match for its own "
        "new version and gets the version before it (200); the PATCH with that is refused, a later one "
        "passes."
    ),
    config=("reads to a read model, writes to the write model",),
    client=(200, 200, 200, 412, 200, 200),
)
def read_model(stage: Stage) -> None:
    """Read the past after a write."""
    primary = stage.origin(Habits(tag=number_tag, emit_last_modified=False))

    def lagging(origin: Origin, request: Message) -> Reply | None:
        resource = as_of(primary, request.target, 1.5)
        if resource is None:
            return None
        lines = (("Content-Type", resource.media_type), *origin.validators(resource))
        return Reply(200, lines, resource.body)

    replica = stage.origin(Habits(tag=number_tag, emit_last_modified=False), hook=lagging)
    path = "/carts/c-4410"
    primary.store(path, {"cart": "c-4410", "items": 2, "coupon": None})
    front = stage.nginx(
        "location / { set $up write; if ($request_method = GET) { set $up read; } proxy_pass http://$up;"
        ' proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; }',
        f"upstream read {{ server 127.0.0.1:{stage.tap(replica.port, 'upstream-reads')}; }}\n"
        f"upstream write {{ server 127.0.0.1:{stage.tap(primary.port, 'upstream-writes')}; }}",
    )
    me = stage.client(front, "carts.example.test", "browser", {"Cookie": "cart=c-4410"})
    tag = me.get(path).etag
    tag = me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body='{"items":3}').etag
    time.sleep(0.3)
    tag = me.get(path, {"If-None-Match": tag}).etag
    me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body='{"coupon":"WINTER"}')
    time.sleep(2.0)
    tag = me.get(path, {"If-None-Match": tag}).etag
    me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body='{"coupon":"WINTER"}')


@case(
    "d353",
    "search-index-behind",
    "replica-lag",
    "412",
    alone="replica-lag stale-cache-read",
    description=(
        "After a colleague's save two reads by the replica still show the version before, and the save "
        "with it is refused; two seconds later read and save fit. No cache fields."
    ),
    also="other-writer",
    config=("HAProxy: GET to a replica 1.7 s behind",),
    client=(200, 412, 200, 412, 200, 200),
    other=(200, 200),
)
def index_behind(stage: Stage) -> None:
    """Read the past after another's write."""
    primary = stage.origin(Habits(tag=version_tag))

    def lagging(origin: Origin, request: Message) -> Reply | None:
        resource = as_of(primary, request.target, 1.7)
        if resource is None:
            return None
        lines = (("Content-Type", resource.media_type), ("ETag", origin.etag(resource)))
        return Reply(200, lines, resource.body)

    replica = stage.origin(Habits(tag=version_tag), hook=lagging)
    path = "/glossary/lease"
    primary.store(path, "lease: a lock with an end\n", "text/plain")
    writes = stage.tap(primary.port, "upstream-primary")
    front = stage.haproxy(
        f"backend reads\n server r 127.0.0.1:{stage.tap(replica.port, 'upstream-replica')}\n"
        f"backend writes\n server w 127.0.0.1:{writes}",
        " use_backend reads if { method GET }\n default_backend writes",
    )
    kind = {"Content-Type": "text/plain"}
    me = stage.client(front, "glossary.example.test", "java", {"Authorization": "Basic bWU="})
    other = stage.other(writes, "glossary.example.test", "curl", {"Authorization": "Basic eW91"})
    seen = other.get(path)
    other.put(path, "lease: a lock that ends\n", {"If-Match": seen.etag, **kind})
    time.sleep(0.2)
    for pause in (0.4, 1.9, 0.0):
        tag = me.get(path).etag
        me.put(path, "lease: a lock that ends by itself\n", {"If-Match": tag, **kind})
        time.sleep(pause)


@case(
    "d354",
    "node-file-times-differ",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends unstable-etag",
    description=(
        "Two nodes make the tag of time and size, and each stamps its own copy: through HAProxy the "
        "poll by tag gets 200 with the same octets, and the DELETE is refused by the node that did not "
        "issue the tag."
    ),
    config=("balance roundrobin", "two nodes, tags of modification time and size"),
    client=(200, 200, 200, 412, 200, 412),
)
def node_times(stage: Stage) -> None:
    """Poll and delete over two nodes."""
    one, two = shared(
        stage,
        Habits(tag=lambda one: f"65f1a0-{len(one.body):x}", emit_last_modified=False),
        Habits(tag=lambda one: f"65f2c4-{len(one.body):x}", emit_last_modified=False),
    )
    path = "/packages/tool-2.1.txt"
    one.store(path, RUNBOOK, "text/plain")
    ports = [stage.tap(one.port, "upstream1"), stage.tap(two.port, "upstream2")]
    front = stage.haproxy(
        f"backend origin\n balance roundrobin\n http-reuse never\n"
        f" server one 127.0.0.1:{ports[0]}\n server two 127.0.0.1:{ports[1]}"
    )
    me = stage.client(front, "packages.example.test", "ruby", {"Authorization": "token p"})
    tag = me.get(path).etag
    tag = me.get(path, {"If-None-Match": tag}).etag
    time.sleep(0.5)
    for _ in range(2):
        tag = me.get(path).etag
        me.send("DELETE", path, {"If-Match": tag})
        time.sleep(0.4)


@case(
    "d355",
    "node-dies-after-commit",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412 lost-response-replay",
    description=(
        "The first node commits and drops the connection; nginx (non_idempotent) sends the PUT to the "
        "second, which answers 412. The client sees one PUT, one 412, and its own title with its own "
        "request id."
    ),
    config=("proxy_next_upstream error non_idempotent",),
    client=(200, 412, 200),
)
def node_dies(stage: Stage) -> None:
    """Put once, be sent twice."""

    def drop(_: Origin, __: Message) -> Reply:
        return Reply(0, abort=True)

    one, two = shared(stage, Habits(tag=uuid_tag), Habits(tag=uuid_tag))
    one.after_commit = drop
    path = "/albums/12"
    one.store(path, {"no": 12, "title": "Winter", "request": "q-1"})
    ports = [stage.tap(one.port, "upstream1"), stage.tap(two.port, "upstream2")]
    front = stage.nginx(
        "location / { proxy_pass http://app; proxy_set_header Host $http_host;"
        " proxy_next_upstream error non_idempotent; }",
        f"upstream app {{ server 127.0.0.1:{ports[0]} weight=9; server 127.0.0.1:{ports[1]} backup; }}",
    )
    me = stage.client(front, "albums.example.test", "axios", {"Authorization": "Bearer al"})
    tag = me.get(path).etag
    time.sleep(0.5)
    me.put(path, {"no": 12, "title": "Winter 2026", "request": "q-2"}, {"If-Match": tag})
    time.sleep(0.8)
    me.get(path)


@case(
    "d357",
    "own-save-then-old-copy",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Varnish keeps the settings after the client's own PUT through it: the read back is a hit with "
        "Age, the PATCH with its tag is refused, also after no-cache; a query that is new gets the truth."
    ),
    config=("ttl 60 s",),
    client=(200, 200, 200, 412, 200, 412, 200, 200),
    upstream=(200, 200, 412, 412, 200, 200),
)
def old_copy(stage: Stage) -> None:
    """Save, read the past, be refused."""
    origin = stage.origin(Habits(tag=size_and_time_tag, problem="empty"))
    path = "/settings/org-3"
    origin.store(path, SETTINGS)
    front = stage.varnish(
        stage.tap(origin.port), "sub vcl_backend_response { set beresp.ttl = 60s; set beresp.grace = 0s; }"
    )
    me = stage.client(front, "settings.example.test", "dart")
    tag = me.get(path).etag
    me.put(path, {**SETTINGS, "retention-days": 60}, {"If-Match": tag})
    time.sleep(1.2)
    patch = '{"dark-mode":true}'
    no_cache: dict[str, str] = {"Cache-Control": "no-cache"}
    empty: dict[str, str] = {}
    for extra, target in ((empty, path), (no_cache, path), (empty, f"{path}?v=2")):
        tag = me.get(target, extra).etag
        me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body=patch)
        time.sleep(0.6)


@case(
    "d359",
    "patch-to-the-old-host-name",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "The API moved; Caddy answers a guarded PATCH with 302 and the library follows with GET: 200, the "
        "document is as before, as a later read shows."
    ),
    config=("redir https://api.example.test{uri} 302",),
    client=(200, 302, 200, 200),
    upstream=(200, 200, 200),
)
def old_host(stage: Stage) -> None:
    """Patch, be redirected, read instead."""
    origin = stage.origin(Habits(tag=number_tag))
    path = "/v2/alarms/a7"
    origin.store(path, {"id": "a7", "armed": True})
    tap = stage.tap(origin.port)
    front = stage.caddy(
        f" @moved {{\n  host old.example.test\n  method PATCH\n }}\n redir @moved http://api.example.test{{uri}} 302\n"
        f" reverse_proxy 127.0.0.1:{tap}"
    )
    me = stage.client(front, "old.example.test", "requests", {"X-Api-Key": "k"})
    tag = me.get(path).etag
    moved = me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body='{"armed":false}')
    target = (moved.header("Location") or "").removeprefix("http://api.example.test")
    me.get(target, {"If-Match": tag}, host="api.example.test")
    time.sleep(1.0)
    me.get(path, host="api.example.test")


@case(
    "d374",
    "edge-blanks-if-match",
    "precondition-stripped",
    "lost-update",
    alone="none precondition-stripped precondition-ignored",
    also="other-writer",
    description=(
        "A Traefik middleware sets If-Match to nothing, which removes it; the stale DELETE of one client "
        "removes a playlist that another had just extended."
    ),
    config=('customRequestHeaders: {If-Match: ""}',),
    client=(200, 204, 404),
    other=(200, 200),
    upstream=(200, 200, 200, 204, 404),
)
def blanked(stage: Stage) -> None:
    """Delete with a stale tag that never arrives."""
    origin = stage.origin(Habits(tag=uuid_tag))
    path = "/playlists/road-trip"
    origin.store(path, {"name": "Road trip", "tracks": [11, 12]})
    blank = '    blank:\n      headers:\n        customRequestHeaders:\n          If-Match: ""'
    front = stage.traefik([stage.tap(origin.port)], blank, "blank")
    me = stage.client(front, "music.example.test", "urlsession", {"Authorization": "Bearer one"})
    other = stage.other(front, "music.example.test", "browser", {"Cookie": "two=2"})
    mine, theirs = me.get(path), other.get(path)
    time.sleep(0.6)
    other.put(path, {"name": "Road trip", "tracks": [11, 12, 13, 14]}, {"If-Match": theirs.etag})
    time.sleep(1.0)
    me.send("DELETE", path, {"If-Match": mine.etag})
    me.get(path)
