"""Shared caches: stale reads, conditions answered from the store, and a file server that needs a second."""

from __future__ import annotations

import time

from tools.recording.origin import Habits, size_and_time_tag, version_tag
from tools.recording.scenarios.material import RUNBOOK, SETTINGS, octets
from tools.recording.stage import Stage, case


def _nginx_cache(stage: Stage, port: int, lines: str = "") -> int:
    path = stage.directory() / "cache"
    return stage.nginx_proxy(
        port,
        f"proxy_cache store; proxy_cache_valid 200 60s; {lines}",
        f"proxy_cache_path {path} keys_zone=store:1m;",
    )


@case(
    "d107",
    "mod-dav-edit-after-edit",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "Two saves of a new note within a second on Apache mod_dav: the tag is weak while the file is "
        "young, so the second save is refused; the same opaque tag is strong a little later and the save "
        "passes."
    ),
    config=("Dav On", "FileETag MTime Size"),
    client=(201, 200, 412, 200, 204),
    upstream=(201, 200, 412, 200, 204),
)
def mod_dav_young_file(stage: Stage) -> None:
    """Save twice within a second, then once more."""
    directory = stage.directory()
    for name in ("files", "locks"):
        (directory / name).mkdir()
        (directory / name).chmod(0o777)
    front = stage.tap(
        stage.apache(
            (
                f"DocumentRoot {directory}/files\nDavLockDB {directory}/locks/db\nFileETag MTime "
                f"Size\n<Location />\nDav On\n</Location>\n"
            ),
            directory,
        )
    )
    me = stage.client(front, "notes.example.test", "davx5", {"Authorization": "Basic bGlzOnB3"})
    me.put(
        "/minutes-2026-11-24.txt",
        "Present: Lis, Omar\n",
        {"Content-Type": "text/plain", "If-None-Match": "*"},
    )
    time.sleep(0.25)
    read = me.get("/minutes-2026-11-24.txt")
    body = "Present: Lis, Omar, Tuva\n"
    me.put("/minutes-2026-11-24.txt", body, {"If-Match": read.etag, "Content-Type": "text/plain"})
    time.sleep(1.6)
    read = me.get("/minutes-2026-11-24.txt")
    me.put("/minutes-2026-11-24.txt", body, {"If-Match": read.etag, "Content-Type": "text/plain"})


@case(
    "d108",
    "nginx-cache-other-writer-direct",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    also="other-writer",
    description=(
        "A deployment writes to the origin itself; the console reads through nginx proxy_cache, gets the "
        "stored tag again and again (also with Cache-Control: no-cache) and is refused each time, until "
        "a cache-busting query shows the new tag."
    ),
    config=("proxy_cache store", "proxy_cache_valid 200 60s", "no X-Cache field configured"),
    client=(200, 412, 200, 412, 200, 200),
    other=(200, 200),
)
def nginx_cache(stage: Stage) -> None:
    """Be refused with the stored tag until the query changes."""
    origin = stage.origin(Habits(tag=version_tag, emit_last_modified=False))
    origin.store("/deployments/checkout", SETTINGS)
    tap = stage.tap(origin.port)
    me = stage.client(_nginx_cache(stage, tap), "console.example.test", "browser", {"Cookie": "console=1"})
    pipeline = stage.other(tap, "console.example.test", "curl", {"Authorization": "Bearer ci-221"})
    read = me.get("/deployments/checkout")
    time.sleep(0.5)
    seen = pipeline.get("/deployments/checkout")
    pipeline.put("/deployments/checkout", {**SETTINGS, "image": "checkout:412"}, {"If-Match": seen.etag})
    time.sleep(1.2)
    changed = {**SETTINGS, "retention-days": 45}
    me.put("/deployments/checkout", changed, {"If-Match": read.etag})
    time.sleep(0.8)
    read = me.get("/deployments/checkout", {"Cache-Control": "no-cache", "Pragma": "no-cache"})
    me.put("/deployments/checkout", changed, {"If-Match": read.etag})
    time.sleep(0.6)
    read = me.get("/deployments/checkout?_=1795530000123")
    me.put("/deployments/checkout", {**changed, "image": "checkout:412"}, {"If-Match": read.etag})


@case(
    "d109",
    "varnish-poll-says-unchanged",
    "stale-cache-read",
    "wrong-304",
    alone="stale-cache-read cache-misevaluates",
    description=(
        "A signage display polls its playlist with If-None-Match; Varnish answers 304 from the store for "
        "seconds after the playlist changed. The 200 that ends it bears a Last-Modified before those "
        "304s."
    ),
    config=("ttl 4 s from s-maxage",),
    client=(200, 304, 304, 304, 200),
    other=(200, 200),
)
def varnish_304(stage: Stage) -> None:
    """Poll through Varnish while the playlist changes behind it."""
    playlist = {"screen": "lobby-2", "slides": ["welcome", "menu"], "seconds": 12}
    origin = stage.origin(Habits(read_fields=(("Cache-Control", "public, s-maxage=4"),)))
    origin.store("/playlists/lobby-2.json", playlist)
    tap = stage.tap(origin.port)
    front = stage.varnish(tap, "sub vcl_backend_response { set beresp.grace = 0s; set beresp.keep = 0s; }")
    me = stage.client(front, "signage.example.test", "java")
    editor = stage.other(tap, "signage.example.test", "browser", {"Cookie": "ed=77"})
    read = me.get("/playlists/lobby-2.json")
    seen = editor.get("/playlists/lobby-2.json")
    for turn in range(4):
        time.sleep(1.05)
        if turn == 0:
            playlist["slides"] = ["welcome", "menu", "evacuation-drill"]
            editor.put("/playlists/lobby-2.json", playlist, {"If-Match": seen.etag})
        me.get("/playlists/lobby-2.json", {"If-None-Match": read.etag})


@case(
    "d110",
    "squid-date-from-store",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    also="other-writer",
    description=(
        "An XML price list with dates only: Squid serves the stored copy, its Last-Modified goes into "
        "If-Unmodified-Since and is refused; with Cache-Control: no-cache the read shows the true date "
        "and the write passes."
    ),
    config=("refresh_pattern . 1 50% 10",),
    client=(200, 200, 412, 200, 200),
    other=(200, 200),
)
def squid_dates(stage: Stage) -> None:
    """Be refused for a date out of the store."""
    prices = (
        "<?xml version='1.0'?>\n<prices currency='SEK'><item id='a1'>129</item><item id='a2'>249</item>"
        "</prices>\n"
    )
    origin = stage.origin(
        Habits(emit_etag=False, read_fields=(("Cache-Control", "max-age=120"),), problem="plain")
    )
    origin.store("/feeds/prices.xml", prices, "application/xml")
    tap = stage.tap(origin.port)
    front = stage.squid(tap, site="feeds.example.test")
    kind = {"Content-Type": "application/xml"}
    shop = stage.client(front, "feeds.example.test", "ruby")
    erp = stage.other(tap, "feeds.example.test", "powershell")
    shop.get("/feeds/prices.xml")
    seen = erp.get("/feeds/prices.xml")
    time.sleep(0.4)
    erp.put(
        "/feeds/prices.xml", prices.replace("129", "119"), {"If-Unmodified-Since": seen.last_modified, **kind}
    )
    time.sleep(2.2)
    read = shop.get("/feeds/prices.xml")
    changed = prices.replace("249", "239")
    shop.put("/feeds/prices.xml", changed, {"If-Unmodified-Since": read.last_modified, **kind})
    time.sleep(0.5)
    read = shop.get("/feeds/prices.xml", {"Cache-Control": "no-cache"})
    changed = changed.replace("129", "119")
    shop.put("/feeds/prices.xml", changed, {"If-Unmodified-Since": read.last_modified, **kind})


@case(
    "d111",
    "haproxy-cache-until-expiry",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    also="other-writer",
    description=(
        "HAProxy's small cache gives the old tag (Age is the only mark) until it expires; the worker's "
        "read-then-write loop fails three times and then passes without any change of its own."
    ),
    config=("http-request cache-use small", "http-response cache-store small", "max-age 3"),
    client=(200, 412, 200, 412, 200, 412, 200, 200),
    other=(200, 200),
)
def haproxy_cache(stage: Stage) -> None:
    """Loop until the stored answer expires."""
    job = {"job": "reindex", "cursor": 1200, "owner": "w-3"}
    origin = stage.origin(
        Habits(
            tag=version_tag, read_fields=(("Cache-Control", "public, max-age=3"),), emit_last_modified=False
        )
    )
    origin.store("/jobs/reindex", job)
    tap = stage.tap(origin.port)
    front = stage.haproxy(
        (
            f"backend origin\n http-request cache-use small\n http-response cache-store small\n server "
            f"one 127.0.0.1:{tap}"
        ),
        extra="cache small\n total-max-size 4\n max-age 60",
    )
    stage.client(front, "jobs.example.test", "aiohttp", name="warm").get("/jobs/reindex")
    stage.actors.pop("warm").close()
    me = stage.client(front, "jobs.example.test", "aiohttp")
    scheduler = stage.other(tap, "jobs.example.test", "go")
    seen = scheduler.get("/jobs/reindex")
    scheduler.put("/jobs/reindex", {**job, "owner": "w-9"}, {"If-Match": seen.etag})
    for pause in (0.7, 0.9, 2.2, 0.0):
        read = me.get("/jobs/reindex")
        me.put("/jobs/reindex", {**job, "owner": "w-9", "cursor": 1800}, {"If-Match": read.etag})
        time.sleep(pause)


@case(
    "d112",
    "mod-cache-hit",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    also="other-writer",
    description=(
        "Apache mod_cache with CacheHeader on serves a translation file from the store (Age, X-Cache "
        "HIT); the write with its tag is refused, the refresh is a hit again, a reload with max-age=0 "
        "gets the truth."
    ),
    config=("CacheEnable disk /", "CacheHeader on"),
    client=(200, 412, 200, 412, 200, 200),
    other=(200, 200),
)
def mod_cache(stage: Stage) -> None:
    """Be refused with a tag from mod_cache until a reload."""
    words = {"greeting": "God dag", "farewell": "Ha det", "thanks": "Takk"}
    origin = stage.origin(
        Habits(read_fields=(("Cache-Control", "max-age=300"),), fields=(("Server", "gunicorn"),))
    )
    origin.store("/i18n/nb-NO.json", words)
    tap = stage.tap(origin.port)
    directory = stage.directory()
    (directory / "store").mkdir()
    (directory / "store").chmod(0o777)
    front = stage.apache(
        (
            f"CacheRoot {directory}/store\nCacheEnable disk /\nCacheHeader on\nCacheQuickHandler "
            f"on\nProxyPass / http://127.0.0.1:{tap}/\n"
        ),
        directory,
    )
    stage.client(front, "i18n.example.test", "undici", name="warm").get("/i18n/nb-NO.json")
    stage.actors.pop("warm").close()
    me = stage.client(front, "i18n.example.test", "undici")
    other = stage.other(tap, "i18n.example.test", "httpx", {"X-User": "solveig"})
    seen = other.get("/i18n/nb-NO.json")
    other.put("/i18n/nb-NO.json", {**words, "thanks": "Tusen takk"}, {"If-Match": seen.etag})
    time.sleep(1.3)
    for headers in ({}, {}, {"cache-control": "max-age=0"}):
        read = me.get("/i18n/nb-NO.json", headers)
        body = {**words, "thanks": "Tusen takk" if headers else "Takk", "sorry": "Beklager"}
        me.put("/i18n/nb-NO.json", body, {"If-Match": read.etag})
        time.sleep(0.4)


@case(
    "d113",
    "nginx-cache-answers-412",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    description=(
        "After its own successful PUT the client reads the document back pinned with If-Match; nginx "
        "compares with the copy in its store and answers 412 itself (HTML, Server: nginx). The origin "
        "never sees that read."
    ),
    config=("proxy_cache store", "proxy_cache_valid 200 60s"),
    client=(200, 200, 412, 412, 200),
    upstream=(200, 200, 200),
)
def nginx_cache_412(stage: Stage) -> None:
    """Read back pinned, through a store that is older."""
    origin = stage.origin(Habits(tag=size_and_time_tag, fields=(("Server", "docstore/2.4"),)))
    origin.store("/contracts/2291.json", {"party": "Nord AS", "state": "draft", "pages": 12})
    tap = stage.tap(origin.port)
    me = stage.client(
        _nginx_cache(stage, tap), "contracts.example.test", "httpx", {"Authorization": "Bearer c-2"}
    )
    read = me.get("/contracts/2291.json")
    time.sleep(0.6)
    written = me.put(
        "/contracts/2291.json", {"party": "Nord AS", "state": "signed", "pages": 12}, {"If-Match": read.etag}
    )
    time.sleep(0.2)
    me.get("/contracts/2291.json", {"If-Match": written.etag})
    time.sleep(1.5)
    me.get("/contracts/2291.json", {"If-Match": written.etag})
    time.sleep(0.4)
    me.get("/contracts/2291.json?fresh=1", {"If-Match": written.etag})


@case(
    "d114",
    "varnish-206-of-changed-object",
    "cache-misevaluates",
    "wrong-206",
    alone="cache-misevaluates read-changed-mid-transfer precondition-ignored",
    also="read-changed-mid-transfer",
    description=(
        "A firmware download in parts, each guarded with If-Match; the image is replaced between the "
        "parts; Varnish takes the condition off and serves a part of the new image as 206. The parts do "
        "not fit together."
    ),
    config=("Cache-Control: max-age=1",),
    client=(206, 206, 206),
    upstream=(200, 200),
)
def varnish_206(stage: Stage) -> None:
    """Download parts of two images."""
    origin = stage.origin(Habits(read_only_ranges=True, read_fields=(("Cache-Control", "max-age=1"),)))
    origin.store("/firmware/gw-300.bin", octets(9000, 3), "application/octet-stream")
    front = stage.varnish(
        stage.tap(origin.port), "sub vcl_backend_response { set beresp.grace = 0s; set beresp.keep = 0s; }"
    )
    me = stage.client(front, "fw.example.test", "okhttp")
    first = me.get("/firmware/gw-300.bin", {"Range": "bytes=0-2999"})
    time.sleep(0.2)
    me.get("/firmware/gw-300.bin", {"Range": "bytes=3000-5999", "If-Match": first.etag})
    origin.commit("/firmware/gw-300.bin", octets(9000, 4))
    time.sleep(1.5)
    me.get("/firmware/gw-300.bin", {"Range": "bytes=6000-8999", "If-Match": first.etag})


@case(
    "d126",
    "squid-ignores-if-unmodified-since",
    "cache-misevaluates",
    "wrong-200",
    alone="cache-misevaluates stale-cache-read precondition-ignored",
    description=(
        "A sync agent asks Squid for a runbook only if unmodified since a date before the stored copy's "
        "own Last-Modified; Squid answers 200 from the store where 412 is due, and the agent files it "
        "under the wrong revision."
    ),
    config=("accel", "IUS on a stored answer is not evaluated"),
    client=(200, 200),
    upstream=(200,),
)
def squid_ius(stage: Stage) -> None:
    """Ask for an unmodified document that is modified."""
    origin = stage.origin(Habits(emit_etag=False, read_fields=(("Cache-Control", "max-age=60"),)))
    origin.store("/runbooks/db.md", RUNBOOK, "text/markdown", age=900)
    front = stage.squid(stage.tap(origin.port), site="ops.example.test")
    me = stage.client(front, "ops.example.test", "go")
    read = me.get("/runbooks/db.md")
    time.sleep(0.5)
    date = read.last_modified.split(" ")
    earlier = " ".join((*date[:3], "2025", *date[4:])).replace(date[0], _weekday_a_year_before(date[0]))
    me.get("/runbooks/db.md", {"If-Unmodified-Since": earlier})


def _weekday_a_year_before(day: str) -> str:
    days = ("Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,", "Sun,")
    return days[(days.index(day) - 1) % 7]
