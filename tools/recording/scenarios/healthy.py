"""Reading and syncing with nothing wrong in it: no incident may be found here."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, Reply, version_tag
from tools.recording.scenarios.material import (
    CATALOGUE,
    PAGE,
    RUNBOOK,
    SETTINGS,
    octets,
)
from tools.recording.scenarios.routing import shared
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message


@case(
    "d220",
    "browsing-through-gzip",
    "none",
    "healthy",
    alone="none",
    description=(
        "A browser reads three pages through nginx gzip and revalidates them: weak tags, 304s, nothing "
        "written."
    ),
    config=("gzip on",),
    client=(200, 200, 200, 304, 304, 304),
)
def browsing(stage: Stage) -> None:
    """Read and revalidate."""
    origin = stage.origin(Habits(read_fields=(("Cache-Control", "no-cache"),)))
    paths = ("/guide/", "/guide/rota", "/guide/contact")
    for number, path in enumerate(paths):
        origin.store(path, PAGE.replace("rota", f"page {number}"), "text/html")
    front = stage.nginx_proxy(stage.tap(origin.port), http="gzip on; gzip_proxied any;")
    me = stage.client(front, "guide.example.test", "browser")
    tags = [me.get(path).etag for path in paths]
    time.sleep(0.8)
    for path, tag in zip(paths, tags, strict=True):
        me.get(path, {"If-None-Match": tag})
        time.sleep(0.2)


@case(
    "d221",
    "polling-squid",
    "none",
    "healthy",
    alone="none",
    description=(
        "A feed reader polls through Squid by date and tag; stored answers with Age, nothing changes."
    ),
    client=(200, 304, 304, 304),
)
def polling_squid(stage: Stage) -> None:
    """Poll a feed that stays as it is."""
    origin = stage.origin(Habits(read_fields=(("Cache-Control", "max-age=30"),)))
    origin.store(
        "/feed.atom",
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>News</title></feed>",
        "application/atom+xml",
    )
    me = stage.client(
        stage.squid(stage.tap(origin.port), site="news.example.test"), "news.example.test", "ruby"
    )
    read = me.get("/feed.atom")
    for _ in range(3):
        time.sleep(0.9)
        me.get("/feed.atom", {"If-None-Match": read.etag, "If-Modified-Since": read.last_modified})


@case(
    "d226",
    "head-checks",
    "none",
    "healthy",
    alone="none",
    description="A mirror checks four objects with HEAD, fetches the one that is new, checks again.",
    client=(200, 200, 200, 200, 200, 200),
)
def head_checks(stage: Stage) -> None:
    """Look with HEAD, fetch one."""
    origin = stage.origin(Habits(lower=True))
    for number in range(4):
        origin.store(
            f"/pool/p{number}.deb",
            octets(700, number + 70),
            "application/vnd.debian.binary-package",
            age=5000 * number + 10,
        )
    me = stage.client(stage.front("lighttpd", stage.tap(origin.port)), "pool.example.test", "curl")
    for number in range(4):
        me.send("HEAD", f"/pool/p{number}.deb")
    me.get("/pool/p0.deb")
    time.sleep(0.6)
    me.send("HEAD", "/pool/p0.deb")


@case(
    "d227",
    "resume-with-if-range",
    "none",
    "healthy",
    alone="none",
    description=(
        "A download from Apache is resumed twice with If-Range and ends complete; the file stays the same."
    ),
    config=("Apache static file",),
    client=(206, 206, 206),
)
def resume(stage: Stage) -> None:
    """Resume a download that fits."""
    directory = stage.directory()
    (directory / "files").mkdir()
    target = directory / "files" / "atlas.pdf"
    target.write_bytes(octets(4500, 81))
    os.utime(target, (time.time() - 40000, time.time() - 40000))
    front = stage.tap(stage.apache(f"DocumentRoot {directory}/files\n", directory))
    me = stage.client(front, "library.example.test", "curl")
    first = me.get("/atlas.pdf", {"Range": "bytes=0-1499"})
    for start in (1500, 3000):
        time.sleep(0.6)
        me.get("/atlas.pdf", {"Range": f"bytes={start}-{start + 1499}", "If-Range": first.etag})


@case(
    "d229",
    "compressed-with-strong-tag",
    "none",
    "healthy",
    alone="none",
    description=(
        "Traefik compresses and leaves the strong tag as it is: reading compressed and writing with that "
        "tag works."
    ),
    config=("compress: {}",),
    client=(200, 200, 200, 304),
)
def compressed(stage: Stage) -> None:
    """Write with the tag of a compressed answer."""
    origin = stage.origin(Habits())
    path = "/catalogue"
    origin.store(path, {**CATALOGUE, "notes": [f"line {number}" for number in range(60)]})
    front = stage.traefik([stage.tap(origin.port)], "    squeeze:\n      compress: {}", "squeeze")
    me = stage.client(front, "goods.example.test", "undici")
    read = me.get(path)
    time.sleep(0.7)
    me.put(
        path,
        {**CATALOGUE, "counted": True, "notes": [f"line {number}" for number in range(60)]},
        {"if-match": read.etag},
    )
    read = me.get(path)
    me.get(path, {"if-none-match": read.etag})


@case(
    "d230",
    "long-polling",
    "none",
    "healthy",
    alone="none",
    description=(
        "Long polling: each GET with If-None-Match is held up to 1.5 s and answered with a new state or 304."
    ),
    client=(200, 200, 304, 200, 304),
)
def long_polling(stage: Stage) -> None:
    """Wait for changes."""

    def hold(origin: Origin, request: Message) -> Reply | None:
        tag = request.get("If-None-Match")
        deadline = time.monotonic() + 1.5
        while tag == origin.etag(origin.resources["/room/3/state"]) and time.monotonic() < deadline:
            time.sleep(0.03)
        return None

    origin = stage.origin(Habits(tag=version_tag, emit_last_modified=False), hook=hold)
    path = "/room/3/state"
    origin.store(path, {"occupied": False})
    me = stage.client(stage.front("nginx", stage.tap(origin.port)), "rooms.example.test", "browser")
    tag = me.get(path).etag
    for turn in range(4):
        if turn % 2 == 0:
            origin.commit(path, b'{"occupied":%s,"turn":%d}' % (b"true" if turn == 0 else b"false", turn))
        answer = me.get(path, {"If-None-Match": tag})
        tag = answer.header("ETag") or tag


@case(
    "d232",
    "varnish-age-no-damage",
    "none",
    "healthy",
    alone="none",
    description="Static scripts through Varnish: Age, Via, 304s from the store; nothing changes behind it.",
    client=(200, 200, 304, 304, 200),
)
def varnish_age(stage: Stage) -> None:
    """Read through a cache that is right."""
    origin = stage.origin(Habits(read_fields=(("Cache-Control", "public, max-age=3600"),)))
    origin.store("/assets/app.8f1.js", "export const build = '8f1';\n" * 12, "application/javascript")
    origin.store("/assets/app.8f1.css", "body{margin:0}\n" * 9, "text/css")
    front = stage.varnish(stage.tap(origin.port))
    me = stage.client(front, "static.example.test", "browser")
    script, style = me.get("/assets/app.8f1.js"), me.get("/assets/app.8f1.css")
    time.sleep(2.2)
    me.get("/assets/app.8f1.js", {"If-None-Match": script.etag})
    me.get("/assets/app.8f1.css", {"If-None-Match": style.etag})
    me.get("/assets/app.8f1.js", {"Accept-Encoding": "identity"})


@case(
    "d233",
    "webdav-sync-lighttpd",
    "none",
    "healthy",
    alone="none",
    description=(
        "A sync client lists a lighttpd WebDAV folder, uploads one changed file with If-Match, makes one,"
        " deletes one."
    ),
    config=("lighttpd mod_webdav",),
)
def webdav_sync(stage: Stage) -> None:
    """Sync a folder."""
    directory = stage.directory()
    files = directory / "files"
    files.mkdir()
    for name in ("a.md", "b.md"):
        (files / name).write_text(RUNBOOK[: 200 + ord(name[0])])
    front = stage.lighttpd(
        (
            f'server.modules = ("mod_webdav")\nserver.document-root = "{files}"\nwebdav.activate = '
            f'"enable"\nmimetype.assign = (".md" => "text/markdown")\n'
        ),
        directory,
    )
    me = stage.client(stage.tap(front), "sync.example.test", "davx5")
    ask = "<?xml version='1.0'?><D:propfind xmlns:D='DAV:'><D:prop><D:getetag/></D:prop></D:propfind>"
    me.send("PROPFIND", "/", {"Depth": "1", "Content-Type": "application/xml"}, body=ask)
    read = me.get("/a.md")
    kind = {"Content-Type": "text/markdown"}
    me.put("/a.md", RUNBOOK[:333], {"If-Match": read.etag, **kind})
    me.put("/c.md", RUNBOOK[:111], {"If-None-Match": "*", **kind})
    head = me.send("HEAD", "/b.md")
    me.send("DELETE", "/b.md", {"If-Match": head.etag})
    me.send("PROPFIND", "/", {"Depth": "1", "Content-Type": "application/xml"}, body=ask)


@case(
    "d236",
    "changing-sensor",
    "none",
    "healthy",
    alone="none",
    description=(
        "Polling a sensor that does change: another tag with each read, and another value with each tag."
    ),
    client=(200, 200, 304, 200, 200, 200),
)
def changing_sensor(stage: Stage) -> None:
    """Read a value that moves."""
    origin = stage.origin(Habits(read_fields=(("Cache-Control", "no-store"),)))
    path = "/sensors/outdoor"
    origin.store(path, {"celsius": -1.2}, age=3)
    me = stage.client(stage.front("caddy", stage.tap(origin.port)), "weather.example.test", "aiohttp")
    tag = me.get(path).etag
    for turn, celsius in enumerate((-1.1, None, -0.9, -1.0, -1.3)):
        if celsius is not None:
            origin.commit(path, f'{{"celsius":{celsius}}}'.encode())
        answer = me.get(path, {"If-None-Match": tag})
        tag = answer.header("ETag") or tag
        time.sleep(0.2 + 0.1 * turn)


@case(
    "d242",
    "languages-read-only",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two languages of one page with a tag each and Vary: Accept-Language; reads and revalidations only."
    ),
    client=(200, 200, 304, 304),
)
def languages(stage: Stage) -> None:
    """Read two variants."""

    def pick(_: Origin, request: Message) -> Reply:
        language = "sv" if "sv" in (request.get("Accept-Language") or "") else "en"
        text = {"sv": b"Hej\n", "en": b"Hello\n"}[language]
        fields = (
            ("ETag", f'"greet-{language}-4"'),
            ("Vary", "Accept-Language"),
            ("Content-Language", language),
        )
        if request.get("If-None-Match") == fields[0][1]:
            return Reply(304, fields)
        return Reply(200, (("Content-Type", "text/plain"), *fields), text)

    origin = stage.origin(Habits(), hook=pick)
    me = stage.client(stage.front("varnishd", stage.tap(origin.port)), "hello.example.test", "browser")
    tags = [(language, me.get("/greeting", {"Accept-Language": language}).etag) for language in ("sv", "en")]
    for language, tag in tags:
        me.get("/greeting", {"Accept-Language": language, "If-None-Match": tag})


@case(
    "d243",
    "restart-after-if-range",
    "none",
    "recovered",
    alone="none read-changed-mid-transfer",
    also="read-changed-mid-transfer",
    description=(
        "The file changed while the download paused; If-Range makes the server send the whole new file "
        "(200) and the client starts over: as designed."
    ),
    client=(206, 200),
)
def restart(stage: Stage) -> None:
    """Start over when the file changed."""
    origin = stage.origin(Habits(read_only_ranges=True))
    path = "/nightly/build.tar"
    origin.store(path, octets(3000, 91), "application/x-tar")
    me = stage.client(stage.front("nginx", stage.tap(origin.port)), "nightly.example.test", "curl")
    first = me.get(path, {"Range": "bytes=0-1499"})
    origin.commit(path, octets(3100, 92))
    time.sleep(0.9)
    me.get(path, {"Range": "bytes=1500-", "If-Range": first.etag})


@case(
    "d245",
    "consistent-nodes",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two nodes behind Envoy answer in turn (X-Node differs), the tags agree: reads, 304s and a "
        "guarded write all fit."
    ),
    client=(200, 304, 304, 200, 304),
)
def consistent(stage: Stage) -> None:
    """Read and write over two nodes that agree."""
    one, two = shared(stage, Habits(fields=(("X-Node", "n1"),)), Habits(fields=(("X-Node", "n2"),)))
    path = "/plans/2027"
    one.store(path, SETTINGS)
    front = stage.envoy([stage.tap(one.port, "upstream1"), stage.tap(two.port, "upstream2")])
    me = stage.client(front, "plans.example.test", "httpx")
    tag = me.get(path).etag
    for _ in range(2):
        me.get(path, {"If-None-Match": tag})
        time.sleep(0.3)
    tag = me.put(path, {**SETTINGS, "dark-mode": True}, {"If-Match": tag}).etag
    me.get(path, {"If-None-Match": tag})


@case(
    "d246",
    "dates-on-static-files",
    "none",
    "healthy",
    alone="none",
    description=(
        "A build tool polls a static file on Caddy by If-Modified-Since; one deployment changes it, the "
        "next poll gets it."
    ),
    config=("file_server",),
    client=(200, 304, 304, 200, 304),
)
def static_dates(stage: Stage) -> None:
    """Poll by date through a deployment."""
    directory = stage.directory()
    target = directory / "schema.json"
    target.write_text('{"version":1}\n')
    os.utime(target, (time.time() - 600, time.time() - 600))
    me = stage.client(
        stage.tap(stage.caddy(f" root * {directory}\n file_server")), "schema.example.test", "ruby"
    )
    date = me.get("/schema.json").last_modified
    for turn in range(4):
        if turn == 2:
            target.write_text('{"version":2,"strict":true}\n')
        time.sleep(0.5)
        answer = me.get("/schema.json", {"If-Modified-Since": date})
        date = answer.header("Last-Modified") or date


@case(
    "d251",
    "cache-then-fresh-write",
    "none",
    "healthy",
    alone="none",
    description=(
        "Reads through nginx proxy_cache with a short life; before the edit the stored copy has expired, "
        "so the tag is current and the write is taken."
    ),
    config=("proxy_cache_valid 200 1s",),
    client=(200, 200, 200, 200),
)
def cache_then_write(stage: Stage) -> None:
    """Read from a cache, wait, write."""
    origin = stage.origin(Habits(tag=version_tag))
    path = "/zones/z1"
    origin.store(path, {"zone": "z1", "limit": 30})
    cache = stage.directory() / "cache"
    front = stage.nginx_proxy(
        stage.tap(origin.port),
        "proxy_cache store; proxy_cache_valid 200 1s; add_header X-Cache-Status $upstream_cache_status;",
        f"proxy_cache_path {cache} keys_zone=store:1m;",
    )
    me = stage.client(front, "traffic.example.test", "axios")
    me.get(path)
    me.get(path)
    time.sleep(2.3)
    read = me.get(path)
    me.put(path, {"zone": "z1", "limit": 50}, {"If-Match": read.etag})


@case(
    "d253",
    "lock-write-unlock",
    "none",
    "healthy",
    alone="none",
    description="Apache mod_dav: LOCK, PUT with the lock token and the current tag, UNLOCK.",
    config=("Dav On", "DavLockDB"),
    client=(200, 200, 204, 204, 200),
)
def lock_write(stage: Stage) -> None:
    """Write under one's own lock."""
    directory = stage.directory()
    for name in ("files", "locks"):
        (directory / name).mkdir()
        (directory / name).chmod(0o777)
    target = directory / "files" / "budget.csv"
    target.write_text("a,1\n")
    target.chmod(0o666)
    os.utime(target, (time.time() - 999, time.time() - 999))
    front = stage.tap(
        stage.apache(
            (
                f"DocumentRoot {directory}/files\nDavLockDB {directory}/locks/db\n<Location />\nDav "
                f"On\n</Location>\n"
            ),
            directory,
        )
    )
    me = stage.client(front, "dav.example.test", "davx5", {"Authorization": "Basic bTpt"})
    info = (
        "<?xml version='1.0'?><D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope>"
        "<D:locktype><D:write/></D:locktype></D:lockinfo>"
    )
    lock = me.send(
        "LOCK", "/budget.csv", {"Content-Type": "application/xml", "Timeout": "Second-30"}, body=info
    )
    token = lock.header("Lock-Token") or ""
    read = me.get("/budget.csv")
    me.put("/budget.csv", "a,1\nb,2\n", {"If": f"({token} [{read.etag}])", "Content-Type": "text/csv"})
    me.send("UNLOCK", "/budget.csv", {"Lock-Token": token})
    time.sleep(0.3)
    me.get("/budget.csv")
