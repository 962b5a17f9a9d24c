"""Intermediaries that compress, and what that does to entity tags."""

from __future__ import annotations

import time

from tools.recording.components import ENVOY_COMPRESSOR
from tools.recording.origin import Habits, size_and_time_tag, version_tag
from tools.recording.scenarios.material import ARTICLE, CATALOGUE, PAGE, RUNBOOK, SETTINGS
from tools.recording.stage import Stage, case


@case(
    "d101",
    "apache-brotli-suffix",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache mod_brotli before an article API appends -br inside the tag; axios accepts br, sends the "
        "tag back, and the API does not know it. A reload brings the same tag."
    ),
    config=("AddOutputFilterByType BROTLI_COMPRESS application/json",),
    client=(200, 412, 200, 412),
    upstream=(200, 412, 200, 412),
)
def apache_brotli(stage: Stage) -> None:
    """Edit an article through mod_brotli."""
    origin = stage.origin(Habits(fields=(("X-Powered-By", "Express"),)))
    origin.store("/v2/articles/optimistic-locking", ARTICLE, "application/json; charset=utf-8")
    tap = stage.tap(origin.port)
    front = stage.apache(
        f"AddOutputFilterByType BROTLI_COMPRESS application/json\nProxyPreserveHost On\nProxyPass / "
        f"http://127.0.0.1:{tap}/\n"
    )
    me = stage.client(front, "cms.example.test", "axios", {"Authorization": "Bearer t-93kd02"})
    for title in ("Optimistic locking, explained", "Optimistic locking explained"):
        read = me.get("/v2/articles/optimistic-locking")
        time.sleep(0.7)
        me.put("/v2/articles/optimistic-locking", {**ARTICLE, "title": title}, {"If-Match": read.etag})
        time.sleep(0.3)


@case(
    "d102",
    "caddy-encode-suffix",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Caddy's encode appends -gzip and takes it off again for If-None-Match only: polling gives 304, "
        "the PUT gives 412; a read with identity shows the bare tag and the PUT with that passes."
    ),
    config=("encode gzip", "reverse_proxy"),
    client=(200, 304, 412, 200, 200),
    upstream=(200, 304, 412, 200, 200),
)
def caddy_encode(stage: Stage) -> None:
    """Poll, write, then read with identity."""
    origin = stage.origin(Habits(tag=size_and_time_tag, lower=True))
    origin.store("/inventory/warehouse-7", CATALOGUE)
    tap = stage.tap(origin.port)
    front = stage.caddy(f" encode gzip\n reverse_proxy 127.0.0.1:{tap}")
    me = stage.client(front, "stock.example.test", "requests", {"X-Api-Key": "k-7781"})
    first = me.get("/inventory/warehouse-7")
    time.sleep(0.6)
    me.get("/inventory/warehouse-7", {"If-None-Match": first.etag})
    changed = {**CATALOGUE, "counted": "2026-11-24"}
    me.put("/inventory/warehouse-7", changed, {"If-Match": first.etag})
    time.sleep(1.4)
    plain = me.get("/inventory/warehouse-7", {"Accept-Encoding": "identity"})
    me.put("/inventory/warehouse-7", changed, {"If-Match": plain.etag, "Accept-Encoding": "identity"})


@case(
    "d103",
    "apache-deflate-before-lighttpd",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "A text file on lighttpd WebDAV behind Apache mod_deflate: the -gzip tag is refused; the next "
        "save, after a fresh read, is refused the same way."
    ),
    config=("SetOutputFilter DEFLATE", "lighttpd mod_webdav"),
    client=(200, 412, 200, 412),
    upstream=(200, 412, 200, 412),
)
def apache_deflate(stage: Stage) -> None:
    """Save a runbook through mod_deflate."""
    directory = stage.directory()
    files = directory / "files"
    files.mkdir()
    (files / "runbook.md").write_text(RUNBOOK)
    back = stage.lighttpd(
        f'server.modules = ("mod_webdav")\nserver.document-root = "{files}"\nwebdav.activate = "enable"\n'
        'mimetype.assign = (".md" => "text/markdown")\n',
        directory,
    )
    tap = stage.tap(back)
    front = stage.apache(f"SetOutputFilter DEFLATE\nProxyPass / http://127.0.0.1:{tap}/\n")
    me = stage.client(front, "files.example.test", "okhttp")
    for line in ("\nSee also: failover.\n", "\nSee also: failover, restore.\n"):
        read = me.get("/runbook.md")
        time.sleep(0.5)
        me.put("/runbook.md", RUNBOOK + line, {"If-Match": read.etag, "Content-Type": "text/markdown"})
        time.sleep(0.9)


@case(
    "d104",
    "nginx-gzip-wiki",
    "etag-weakened",
    "412",
    alone="etag-weakened weak-only-origin",
    description=(
        "nginx gzip makes the wiki's strong tag weak; the editor in the browser sends the weak one and "
        "is refused, reloads, is refused again."
    ),
    config=("gzip on; gzip_types text/html application/json",),
    client=(200, 412, 200, 412),
    upstream=(200, 412, 200, 412),
)
def nginx_gzip(stage: Stage) -> None:
    """Edit a wiki page through nginx gzip."""
    origin = stage.origin(Habits(problem="html", fields=(("X-Frame-Options", "DENY"),)))
    origin.store("/wiki/On-call_rota", PAGE, "text/html; charset=utf-8")
    tap = stage.tap(origin.port)
    front = stage.nginx_proxy(
        tap, http="gzip on; gzip_proxied any; gzip_http_version 1.0; gzip_types application/json;"
    )
    me = stage.client(front, "wiki.example.test", "browser", {"Cookie": "sid=8f3a1c"})
    for _ in range(2):
        read = me.get("/wiki/On-call_rota")
        time.sleep(0.8)
        page = PAGE.replace("<h1>", "<h1>Week 48: ")
        me.put(
            "/wiki/On-call_rota", page, {"If-Match": read.etag, "Content-Type": "text/html; charset=utf-8"}
        )
        time.sleep(0.2)


@case(
    "d105",
    "haproxy-compression",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "HAProxy compression weakens the tag of a settings document; HEAD shows the strong tag with the "
        "same opaque part, and the write with that one passes."
    ),
    config=("compression algo gzip", "compression type application/json"),
    client=(200, 412, 200, 200),
    upstream=(200, 412, 200, 200),
)
def haproxy_compression(stage: Stage) -> None:
    """Write with the weak tag, then with the one HEAD shows."""
    origin = stage.origin(Habits(tag=version_tag, emit_last_modified=False))
    origin.store("/config/feature-flags", SETTINGS)
    tap = stage.tap(origin.port)
    front = stage.haproxy(
        f"backend origin\n server one 127.0.0.1:{tap}",
        " default_backend origin\n compression algo gzip\n compression type application/json",
    )
    me = stage.client(front, "flags.example.test", "go")
    read = me.get("/config/feature-flags")
    changed = {**SETTINGS, "dark-mode": True}
    me.put("/config/feature-flags", changed, {"If-Match": read.etag})
    time.sleep(0.4)
    head = me.send("HEAD", "/config/feature-flags")
    me.put("/config/feature-flags", changed, {"If-Match": head.etag})


@case(
    "d106",
    "varnish-do-gzip-no-gzip-asked",
    "etag-weakened",
    "412",
    alone="etag-weakened weak-only-origin",
    description=(
        "Varnish with do_gzip weakens the tag also for a client that never asked for gzip: no "
        "Content-Encoding to see, only Via and X-Varnish."
    ),
    config=("set beresp.do_gzip = true",),
    client=(200, 412, 200, 412),
    upstream=(200, 412, 200, 412),
)
def varnish_do_gzip(stage: Stage) -> None:
    """Write through a Varnish that compresses what it fetches."""
    origin = stage.origin(Habits(tag=size_and_time_tag, read_fields=(("Cache-Control", "no-cache"),)))
    origin.store("/geo/regions/alps", CATALOGUE)
    tap = stage.tap(origin.port)
    front = stage.varnish(
        tap,
        'sub vcl_recv { if (req.method == "GET") { return (pass); } }\n'
        "sub vcl_backend_response { set beresp.do_gzip = true; }",
    )
    me = stage.client(front, "maps.example.test", "curl")
    for name in ("Alps", "The Alps"):
        read = me.get("/geo/regions/alps")
        time.sleep(1.1)
        me.put("/geo/regions/alps", {**CATALOGUE, "name": name}, {"If-Match": read.etag})


@case(
    "d118",
    "envoy-compressor-removes-tag",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    description=(
        "Envoy's compressor deletes the strong ETag of what it compresses; the client never gets a token,"
        " the API demands one."
    ),
    config=("envoy.filters.http.compressor gzip",),
    client=(200, 428, 200, 428),
    upstream=(200, 428, 200, 428),
)
def envoy_compressor(stage: Stage) -> None:
    """Write without the tag that Envoy took away."""
    origin = stage.origin(Habits(require=True, emit_last_modified=False))
    origin.store("/orders/2026-1187", CATALOGUE)
    front = stage.envoy([stage.tap(origin.port)], ENVOY_COMPRESSOR)
    me = stage.client(front, "shop.example.test", "axios", {"Authorization": "Bearer abc.def.ghi"})
    for state in ("packed", "shipped"):
        me.get("/orders/2026-1187")
        time.sleep(0.5)
        me.put("/orders/2026-1187", {**CATALOGUE, "state": state})


@case(
    "d119",
    "nginx-sub-filter-lost-update",
    "validator-stripped",
    "lost-update",
    alone="none validator-stripped unconditional-write",
    also="unconditional-write",
    description=(
        "nginx sub_filter rewrites links in a JSON profile and drops ETag and Last-Modified; the client "
        "writes unguarded, and a change made meanwhile by the mobile application (direct to the origin) "
        "is gone."
    ),
    config=("sub_filter http://origin https://profile.example.test", "sub_filter_types application/json"),
    client=(200, 200, 200),
    other=(200, 200),
    upstream=(200, 200, 200, 200, 200),
)
def nginx_sub_filter(stage: Stage) -> None:
    """Overwrite another's change because the validators never arrived."""
    profile = {"id": 88, "name": "Mara Quist", "phone": "+45 5550 1188", "self": "http://origin/people/88"}
    origin = stage.origin(Habits(tag=version_tag))
    origin.store("/people/88", profile)
    tap = stage.tap(origin.port)
    front = stage.nginx_proxy(
        tap,
        (
            "sub_filter 'http://origin' 'https://profile.example.test'; sub_filter_types "
            "application/json; sub_filter_once off;"
        ),
    )
    me = stage.client(front, "profile.example.test", "browser", {"Cookie": "session=Zm9v"})
    app = stage.other(tap, "profile.example.test", "dart", {"authorization": "Bearer m-1"})
    me.get("/people/88")
    time.sleep(0.4)
    seen = app.get("/people/88")
    app.put("/people/88", {**profile, "phone": "+45 5550 9900"}, {"if-match": seen.etag})
    time.sleep(0.9)
    me.put("/people/88", {**profile, "name": "Mara Quist-Holm"})
    me.get("/people/88")


@case(
    "d120",
    "apache-deflate-etag-remove",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    description=(
        "DeflateAlterETag Remove: the tag is gone on compressed answers, the API wants If-Match; asking "
        "with identity shows it, and the write passes."
    ),
    config=("SetOutputFilter DEFLATE", "DeflateAlterETag Remove"),
    client=(200, 428, 200, 200),
    upstream=(200, 428, 200, 200),
)
def apache_remove(stage: Stage) -> None:
    """Write without the tag, then read with identity."""
    origin = stage.origin(
        Habits(require=True, emit_last_modified=False, problem="vendor", fields=(("Server", "Kestrel"),))
    )
    origin.store("/api/tenants/acme/policy", SETTINGS)
    tap = stage.tap(origin.port)
    front = stage.apache(
        f"SetOutputFilter DEFLATE\nDeflateAlterETag Remove\nProxyPass / http://127.0.0.1:{tap}/\n"
    )
    me = stage.client(front, "policy.example.test", "httpx")
    me.get("/api/tenants/acme/policy")
    time.sleep(0.3)
    changed = {**SETTINGS, "retention-days": 90}
    me.put("/api/tenants/acme/policy", changed)
    time.sleep(2.1)
    plain = me.get("/api/tenants/acme/policy", {"Accept-Encoding": "identity"})
    me.put("/api/tenants/acme/policy", changed, {"If-Match": plain.etag})
