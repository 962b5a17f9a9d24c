"""Replicas that lag, comparisons that are wrong, and a few more of the rarer kinds."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.fourth_setting import (
    HANDBOOK,
    MERGE,
    ROTA,
    TEXT,
    XML,
    at_once,
    browse,
    shelf,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tools.recording_apis.actors import Answer
    from tools.recording_apis.servers import Server


def _later(seconds: float, action: Callable[[], object]) -> None:
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()


def _copy(source: str, target: str) -> None:
    with sqlite3.connect(source) as read, sqlite3.connect(target) as write:
        read.backup(write)


@case(
    "a550",
    "seaweedfs-weak-form-of-its-own-tag",
    "server-precondition-bug",
    "no-304",
    alone="server-precondition-bug etag-weakened",
    description="A client that revalidates with the weak form of the current tag never gets 304 from SeaweedFS, though If-None-Match compares weakly (RFC 9110 13.1.2).",
)
def _weak_form(stage: Stage) -> None:
    server = stage.server("seaweedfs")
    setup = stage.actor("setup", server, "s3.example.test", "requests")
    setup.put("/site", b"", 200)
    setup.put("/site/logo.svg", "<svg/>" * 40, 200, {"Content-Type": "image/svg+xml"})
    stage.forget()
    me = stage.actor("client", server, "s3.example.test", "node:axios")
    tag = me.get("/site/logo.svg").etag
    me.get("/site/logo.svg", 304, {"If-None-Match": tag})
    for _ in range(3):
        me.get("/site/logo.svg", 200, {"If-None-Match": f"W/{tag}"})
        time.sleep(0.4)


@case(
    "a551",
    "list-of-tags-compared-as-one-text",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description="If-Match lists two tags, the current one among them: the service compares the whole field with one tag and refuses; the single tag passes.",
)
def _list(stage: Stage) -> None:
    path = "/scores/7"
    server = shelf(stage, "cherrypy", {path: {"p": 1}}, TAG="hash")
    me = stage.actor("client", fronts.haproxy(stage, [server]), "scores.example.test", "httpx")
    first = me.get(path).etag
    me.put(path, {"p": 2}, 200, {"If-Match": first})
    tag = me.get(path).etag
    time.sleep(0.6)
    me.put(path, {"p": 3}, 412, {"If-Match": f"{first}, {tag}"})
    me.get(path)
    me.put(path, {"p": 3}, 200, {"If-Match": tag})


@case(
    "a552",
    "fastapi-etag-and-the-star",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description="If-Match: * on a profile that exists is refused behind Caddy (the package compares the star with the tag); the tag itself passes.",
)
def _star(stage: Stage) -> None:
    server = stage.server("application", app="fastapi_documents")
    me = stage.actor("client", fronts.caddy(stage, server), "profiles.example.test", "node")
    me.get("/profiles/ada")
    body = {"email": "ada@example.test", "newsletter": False}
    me.put("/profiles/ada", body, 412, {"If-Match": "*"})
    tag = me.get("/profiles/ada").etag
    me.put("/profiles/ada", body, 200, {"If-Match": tag})


@case(
    "a553",
    "reads-come-from-a-slower-copy",
    "replica-lag",
    "412",
    alone="replica-lag stale-cache-read",
    description="HAProxy sends reads to a replica that is two seconds behind: after its own save the client reads the old tag, its next save is refused; a little later all agrees.",
)
def _slower(stage: Stage) -> None:
    folder, path = stage.directory(), "/orders/5"
    first, second = str(folder / "primary.db"), str(folder / "replica.db")
    seed = {path: {"state": "new"}}
    writes = shelf(stage, "flask", seed, STORE=first)
    reads = shelf(stage, "flask", seed, STORE=second)
    me = stage.actor("client", fronts.split(stage, writes, reads), "orders.example.test", "requests")
    tag = me.get(path).etag
    me.put(path, {"state": "paid"}, 200, {"If-Match": tag})
    _later(2.0, lambda: _copy(first, second))
    time.sleep(0.3)
    tag = me.get(path).etag
    me.put(path, {"state": "packed"}, 412, {"If-Match": tag})
    time.sleep(2.6)
    tag = me.get(path).etag
    me.put(path, {"state": "packed"}, 200, {"If-Match": tag})


def _replicated(stage: Stage) -> tuple[Server, Path, Path]:
    files = {"cfg/site.txt": HANDBOOK[:300]}
    writes = fronts.site(stage, "apache2", files, fronts.DAV["apache2"], 4000)
    reads = fronts.site(stage, "apache2", files, "", 4000)
    shutil.copystat(writes.directory / "cfg/site.txt", reads.directory / "cfg/site.txt")
    return fronts.split(stage, writes, reads), writes.directory, reads.directory


@case(
    "a554",
    "file-copied-to-the-reading-node-later",
    "replica-lag",
    "412",
    alone="replica-lag stale-cache-read",
    description="Files written on one Apache reach the reading one by copy a moment later: HEAD after the own PUT shows the old tag, the guarded PUT with it is refused, then it heals.",
)
def _copied(stage: Stage) -> None:
    front, source, target = _replicated(stage)
    me = stage.actor("client", front, "cfg.example.test", "node")
    tag = me.get("/cfg/site.txt").etag
    me.put("/cfg/site.txt", HANDBOOK[:400], 204, {"If-Match": tag, **TEXT})
    tag = me.get("/cfg/site.txt").etag
    time.sleep(1.5)
    me.put("/cfg/site.txt", HANDBOOK[:500], 412, {"If-Match": tag, **TEXT})
    time.sleep(0.8)
    shutil.copy2(source / "cfg/site.txt", target / "cfg/site.txt")
    tag = me.get("/cfg/site.txt").etag
    me.put("/cfg/site.txt", HANDBOOK[:500], 204, {"If-Match": tag, **TEXT})


@case(
    "a555",
    "one-version-for-the-board-two-people",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope server-side-mutation unstable-etag",
    description="Cards of a board share its revision: a colleague moves another card, the DELETE of an untouched card is refused; its text is as it was, its tag is four on.",
)
def _board(stage: Stage) -> None:
    seed = {f"/board/{n}": {"card": n, "lane": "todo"} for n in ("c1", "c2", "c3")}
    server = shelf(stage, "aiohttp", seed, TAG="scope")
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "board.example.test", "node:axios", {"Cookie": "u=1"})
    other = stage.actor("other", front, "board.example.test", "node", {"Cookie": "u=2"})
    tag = me.get("/board/c1").etag
    for lane in ("doing", "review", "done", "todo"):
        other.put("/board/c3", {"card": "c3", "lane": lane}, 200)
    time.sleep(0.7)
    me.send("DELETE", "/board/c1", 412, {"If-Match": tag})
    me.get("/board/c1")


@case(
    "a556",
    "http2-session-with-one-slow-conflict",
    "self-race",
    "412",
    alone="self-race",
    description="A script patches two members of one document with two overlapping PATCHes on one connection and one tag; the slower is refused.",
)
def _members(stage: Stage) -> None:
    path = "/settings/u-5"
    seed = {path: {"mail": True, "push": True}, "/settings/u-6": {"mail": True}}
    server = shelf(stage, "flask", seed, SLOW="0.6")
    me = stage.actor(
        "client", fronts.envoy(stage, [server]), "settings.example.test", "httpx", {"Cookie": "s=5"}
    )
    browse(me, ["/settings/u-6"], 2)
    tag = me.get(path).etag

    def patch(body: str) -> Answer:
        return me.send("PATCH", path, (200, 412), {"If-Match": tag, **MERGE}, body)

    at_once([lambda: patch('{"mail":false}'), lambda: patch('{"push":false}')], 0.1, 1)
    me.get(path)


@case(
    "a557",
    "lighttpd-takes-ranges-of-another-version",
    "precondition-ignored",
    "corruption",
    alone="precondition-ignored read-changed-mid-transfer server-precondition-bug",
    also="read-changed-mid-transfer",
    description="lighttpd does not look at If-Match on reads: a download guarded with the first tag gets ranges of the replaced file, 206 with the new tag.",
)
def _other_version(stage: Stage) -> None:
    server = fronts.site(stage, "lighttpd", {"disk.txt": "AAAA " * 400})
    me = stage.actor("client", server, "disks.example.test", "httpx")
    other = stage.actor("other", server, "disks.example.test", "requests")
    tag = me.send("HEAD", "/disk.txt", 200).etag
    for number in range(4):
        span = {"Range": f"bytes={number * 500}-{number * 500 + 499}", "If-Match": tag}
        me.get("/disk.txt", 206, span)
        time.sleep(0.4)
        if number == 1:
            fronts.put_file(server.directory, "disk.txt", "BBBB " * 420, 0.5)
            # The server looks at the file anew after a while only.
            deadline = time.monotonic() + 30
            while other.send("HEAD", "/disk.txt", 200).etag == tag and time.monotonic() < deadline:
                time.sleep(0.5)


@case(
    "a558",
    "cherrypy-creates-and-refuses",
    "post-commit-412",
    "412",
    alone="post-commit-412 intermediary-replay",
    description="HEAD says 404, the create-only PUT is stored by CherryPy and then judged: 412 within milliseconds, and the read shows the client's own nonce.",
)
def _creates(stage: Stage) -> None:
    server = shelf(stage, "cherrypy", {}, LATE="1")
    me = stage.actor("client", server, "orders.example.test", "java")
    path = "/orders/0190fa-77"
    me.get(path, 404)
    me.put(path, {"sum": 4, "nonce": "j-5512-aa"}, 412, {"If-None-Match": "*"})
    time.sleep(0.5)
    me.get(path)


@case(
    "a559",
    "renamed-file-and-an-old-bookmark",
    "target-missing",
    "412",
    alone="target-missing",
    description="A colleague moves a file on mod_dav; the client's guarded DELETE of the old name is refused, the listing shows the new name.",
)
def _renamed(stage: Stage) -> None:
    server = fronts.site(stage, "lighttpd", {"p/old.txt": HANDBOOK, "p/b.txt": "b"}, fronts.DAV["lighttpd"])
    me = stage.actor("client", server, "p.example.test", "httpx", {"Authorization": "Basic YTph"})
    other = stage.actor("other", server, "p.example.test", "requests", {"Authorization": "Basic Yjpi"})
    tag = me.get("/p/old.txt").etag
    other.send("MOVE", "/p/old.txt", 201, {"Destination": "http://p.example.test/p/new.txt"})
    time.sleep(0.8)
    me.put("/p/old.txt", "short\n", 412, {"If-Match": tag, **TEXT})
    me.get("/p/old.txt", 404)
    ask = "<?xml version='1.0'?><D:propfind xmlns:D='DAV:'><D:prop><D:getetag/></D:prop></D:propfind>"
    me.send("PROPFIND", "/p/", 207, {"Depth": "1", **XML}, ask)


@case(
    "a560",
    "service-closes-the-ticket-by-itself",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description="Django-like workflow on Flask behind Varnish: after the save the service adds members; the client's PATCH with its answer's tag fails, nobody else writes.",
)
def _workflow(stage: Stage) -> None:
    path = "/tickets/t-8"
    server = shelf(stage, "flask", {path: {"s": "open"}, "/tickets/t-9": {"s": "open"}}, FOLLOW="0.5")
    front = fronts.varnish(stage, server, "sub vcl_recv { return (pass); }")
    me = stage.actor("client", front, "tickets.example.test", "urllib")
    tag = me.put(path, {"s": "solved"}, 200, {"If-Match": me.get(path).etag}).etag
    me.get("/tickets/t-9")
    time.sleep(1.4)
    me.send("PATCH", path, 412, {"If-Match": tag, **MERGE}, '{"note":"thanks"}')
    me.get(path)


@case(
    "a561",
    "conditional-put-refused-as-bad-request",
    "unsupported-precondition",
    "400",
    alone="unsupported-precondition",
    description="A gateway's store answers 400 'conditional writes are not supported by this store' to If-Match, whatever its value.",
)
def _refuses(stage: Stage) -> None:
    path = "/objects/o1"
    server = shelf(stage, "flask", {path: ROTA}, UNABLE="400", PLAIN="1")
    me = stage.actor("client", fronts.nginx(stage, server), "objects.example.test", "aiohttp")
    tag = me.get(path).etag
    for guard in (tag, "*"):
        me.put(path, ROTA, 400, {"If-Match": guard})
        time.sleep(0.4)
    me.put(path, ROTA, 200)


@case(
    "a562",
    "mod-dav-compares-dates-with-now",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug date-precision unsupported-precondition",
    description="mod_dav takes the present for the time of the file: the exact echo of Last-Modified in If-Unmodified-Since is refused, and so is a date a minute later, though nobody wrote for two hours.",
)
def _with_now(stage: Stage) -> None:
    server = fronts.site(stage, "apache2", {"plan.txt": HANDBOOK}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "plans.example.test", "urllib")
    seen = me.get("/plan.txt").fields["last-modified"]
    me.put("/plan.txt", "1. Rest\n", 412, {"If-Unmodified-Since": seen, **TEXT})
    time.sleep(0.6)
    moment = parsedate_to_datetime(me.send("HEAD", "/plan.txt", 200).fields["last-modified"])
    later = format_datetime(moment + timedelta(minutes=1), usegmt=True)
    me.put("/plan.txt", "1. Rest\n", 412, {"If-Unmodified-Since": later, **TEXT})
    me.get("/plan.txt")
