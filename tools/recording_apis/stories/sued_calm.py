"""Nothing is wrong: polling, synchronising, uploads, sessions, downloads, shared work that fits together."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.fronts import site
from tools.recording_apis.servers import program
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.caldav import event, phone
from tools.recording_apis.stories.caldav import furnished as calendar
from tools.recording_apis.stories.keys import swap
from tools.recording_apis.stories.sued_ground import (
    BASE,
    data_of,
    fleet,
    sign_in,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def run(stage: Stage, command: list[str], environment: Mapping[str, str] | None = None) -> str:
    """Run a whole client program and return what it printed; it must end well."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=stage.directory(),
        env={**os.environ, **(environment or {})},
    )
    if done.returncode:
        raise StoryError(f"{command[0]} ended with {done.returncode}: {done.stderr[-800:]}")
    return done.stdout + done.stderr


@case(
    "a783",
    "cart-refused-once-then-rebased",
    "none",
    "recovered",
    alone="none other-writer",
    also="other-writer",
    description=(
        "Two devices add to one cart; the second is refused once, reads the cart again, adds its line to what is "
        "there now and is done: both lines are in the cart."
    ),
    synthetic=True,
)
def cart(stage: Stage) -> None:
    """Add to a cart from two devices."""
    server = stage.server("application", app="suite_products")
    agent = {"Authorization": "type%3Dresource%26ver%3D1", "x-ms-version": "2018-12-31"}
    me = stage.actor("client", server, "shop.documents.example.test", "node:fetch", agent)
    other = stage.actor("other", server, "shop.documents.example.test", "httpx", agent)
    path = "/dbs/shop/colls/carts/docs/cart-91"
    mine, theirs = me.get(path), other.get(path)

    def added(read: Any, sku: str) -> dict[str, Any]:
        return {**read.json, "lines": [*read.json["lines"], {"sku": sku, "n": 1}]}

    other.put(path, added(theirs, "A-11"), 200, {"If-Match": theirs.json["_etag"]})
    time.sleep(0.3)
    me.put(path, added(mine, "C-07"), 412, {"If-Match": mine.json["_etag"]})
    again = me.get(path)
    me.put(path, added(again, "C-07"), 200, {"If-Match": again.json["_etag"]})
    me.get(path)


@case(
    "a784",
    "wget-mirror-by-dates",
    "none",
    "healthy",
    alone="none",
    description=(
        "wget mirrors a small site by dates, three times: all new, nothing new (304), and one page changed; a "
        "page that does not exist stays 404."
    ),
)
def mirror(stage: Stage) -> None:
    """Mirror a site."""
    pages: dict[str, str | bytes] = {name: f"<p>{name}</p>" for name in ("a.html", "b.html", "c/index.html")}
    server = site(stage, "nginx", pages)
    base = f"http://127.0.0.1:{stage.tap('client', server)}"
    work = stage.directory()
    command = [program("wget"), "-N", "-x", "-nv", "-P", str(work)]
    command += [f"{base}/{name}" for name in (*pages, "gone.html")]
    for turn in range(3):
        if turn == 2:
            fronts.put_file(server.directory, "b.html", "<p>b, new</p>")
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        if done.returncode not in {0, 8}:  # 8: some page was an error, which the story wants
            raise StoryError(done.stderr.decode())
        time.sleep(1.1)
    statuses = [one.response.status for one in stage.taps["client"].recorded if one.response]
    if 304 not in statuses or 404 not in statuses:
        raise StoryError(f"wget came to {statuses}")


@case(
    "a785",
    "rclone-copies-to-dav",
    "none",
    "healthy",
    alone="none",
    description=(
        "rclone copies a folder to a WebDAV server, copies it again (nothing to do), then with one changed and "
        "one new file, and checks the result."
    ),
)
def copies(stage: Stage) -> None:
    """Copy a folder thrice."""
    server = stage.server("wsgidav")
    port = stage.tap("client", server)
    work = stage.directory()
    for name, text in (("a.csv", "1;2\n"), ("b.csv", "3;4\n"), ("notes/c.txt", "c\n")):
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_text(text, encoding="utf-8")
    settings = {
        "RCLONE_CONFIG_BOX_TYPE": "webdav",
        "RCLONE_CONFIG_BOX_URL": f"http://127.0.0.1:{port}/",
        "RCLONE_CONFIG_BOX_VENDOR": "other",
        "RCLONE_CONFIG": str(work.parent / "none.conf"),
    }
    for turn in range(3):
        if turn == 2:
            (work / "b.csv").write_text("3;4;5\n", encoding="utf-8")
            (work / "d.csv").write_text("7\n", encoding="utf-8")
        run(stage, [program("rclone"), "copy", str(work), "box:backup", "--transfers", "1"], settings)
        time.sleep(0.5)
    run(stage, [program("rclone"), "check", "--size-only", str(work), "box:backup"], settings)


@case(
    "a786",
    "image-push-and-pull",
    "none",
    "healthy",
    alone="none",
    description=(
        "A builder pushes an image to a registry (blobs asked for by HEAD, then uploaded), moves a "
        "tag; a node pulls it and asks again with the digest: 304."
    ),
)
def image(stage: Stage) -> None:
    """Push and pull an image."""
    server = stage.server("docker-registry")
    kind = "application/vnd.oci.image.index.v1+json"
    me = stage.actor("client", server, "registry.example.test", "httpx", {"User-Agent": "buildx/0.19"})
    other = stage.actor("other", server, "registry.example.test", "requests", {"User-Agent": "node/1.32"})
    index = {"schemaVersion": 2, "mediaType": kind, "manifests": [], "annotations": {"rev": "9f1"}}
    me.get("/v2/")
    layers = {"layer one": "8d3f", "layer two": "a011"}
    for text in layers:
        blob = me.send("POST", "/v2/shop/web/blobs/uploads/", 202).fields["location"]
        target = "/" + blob.split("/", 3)[3]
        digest = f"sha256:{_sha(text)}"
        me.send("HEAD", f"/v2/shop/web/blobs/{digest}", 404)
        me.put(f"{target}&digest={digest}", text, 201, {"Content-Type": "application/octet-stream"})
        me.send("HEAD", f"/v2/shop/web/blobs/{digest}", 200)
    me.put("/v2/shop/web/manifests/1.41", index, 201, {"Content-Type": kind})
    me.put("/v2/shop/web/manifests/stable", index, 201, {"Content-Type": kind})
    tag = other.get("/v2/shop/web/manifests/stable", 200, {"Accept": kind}).etag
    other.get("/v2/shop/web/manifests/stable", 304, {"Accept": kind, "If-None-Match": tag})
    me.get("/v2/shop/web/tags/list")


def _sha(text: str) -> str:
    import hashlib  # noqa: PLC0415 - for this story only

    return hashlib.sha256(text.encode()).hexdigest()


@case(
    "a787",
    "phone-synchronises-its-calendar",
    "none",
    "healthy",
    alone="none",
    description=(
        "A phone synchronises by token: one new event of its own, one moved, one deleted, each under the tag it "
        "has, and a second device's addition arrives with the next synchronisation."
    ),
)
def synchronised(stage: Stage) -> None:
    """Synchronise a calendar."""
    server = calendar(stage, "mon", "tue", "wed")
    me = phone(stage, server, program="aiohttp", agent="DAVx5/4.4.3-ose (2026/11; okhttp/4.12.0) Android/15")
    other = phone(stage, server, "other", "requests", "Evolution/3.54")
    kind = {"Content-Type": "text/calendar; charset=utf-8"}

    def synchronise(token: str) -> str:
        body = f'<?xml version="1.0"?><sync-collection xmlns="DAV:"><sync-token>{token}</sync-token>'
        body += "<sync-level>1</sync-level><prop><getetag/></prop></sync-collection>"
        answer = me.send("REPORT", "/anna/office/", 207, {"Content-Type": "application/xml"}, body)
        return answer.text.partition("<sync-token>")[2].partition("<")[0]

    token = synchronise("")
    tags = {name: me.get(f"/anna/office/{name}.ics").etag for name in ("mon", "tue", "wed")}
    me.put("/anna/office/new.ics", event("new", "Dentist"), 201, {**kind, "If-None-Match": "*"})
    moved = event("tue", "Stand-up", "20261202T110000Z")
    me.put("/anna/office/tue.ics", moved, 204, {**kind, "If-Match": tags["tue"]})
    me.send("DELETE", "/anna/office/wed.ics", 200, {"If-Match": tags["wed"]})
    other.put("/anna/office/fri.ics", event("fri", "Review"), 201, {**kind, "If-None-Match": "*"})
    token = synchronise(token)
    me.get("/anna/office/fri.ics")
    me.get("/anna/office/wed.ics", 404)
    synchronise(token)


@case(
    "a788",
    "provisioning-run-twice",
    "none",
    "healthy",
    alone="none exists-already expected-control-flow",
    also="expected-control-flow",
    description=(
        "A provisioning run makes sure that three sites exist by If-None-Match: *; its second run is told 412 "
        "for each, compares what is there with what it wants, finds them equal and goes on."
    ),
)
def twice(stage: Stage) -> None:
    """Make sure that sites exist, twice."""
    server = fleet(stage)
    me = stage.actor("client", server, "iot.example.test", "curl", {"X-Operator": "ansible"})
    wanted = {
        name: {"name": name.title(), "shift": [], "alarm": "sms"} for name in ("emden", "norden", "leer")
    }
    me.get(f"{BASE}sites?offset=0&limit=50")
    for expect in (201, 412):
        for name, body in wanted.items():
            me.put(f"{BASE}sites/{name}", body, expect, {"If-None-Match": "*"})
            if data_of(me.get(f"{BASE}sites/{name}")) != body:
                raise StoryError("it is another")
    me.get(f"{BASE}sites?offset=0&limit=50")


@case(
    "a789",
    "leader-renews-followers-watch",
    "none",
    "healthy",
    alone="none",
    description=(
        "One leader renews its key under its own value, followers only look; on leaving, the leader deletes the "
        "key under that value, and a follower that has seen it go takes it."
    ),
)
def leader(stage: Stage) -> None:
    """Lead and leave."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.example.test", "requests", {"User-Agent": "api-1"})
    other = stage.actor("other", server, "etcd.example.test", "node:fetch", {"User-Agent": "api-2"})
    swap(me, "leader/api", "api-1", "prevExist=false&ttl=5", 201)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for _ in range(3):
        other.get("/v2/keys/leader/api")
        time.sleep(0.5)
        me.put("/v2/keys/leader/api?prevValue=api-1&prevExist=true&refresh=true&ttl=5", "ttl=5", 200, form)
    me.send("DELETE", "/v2/keys/leader/api?prevValue=api-1", 200)
    other.get("/v2/keys/leader/api", 404)
    swap(other, "leader/api", "api-2", "prevExist=false&ttl=5", 201)
    me.get("/v2/keys/leader/api")


@case(
    "a790",
    "two-shifts-two-sites",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two people keep a site each, always with the tag of the last answer, and look at the other's with "
        "If-None-Match; nobody gets into anybody's way."
    ),
)
def two_sites(stage: Stage) -> None:
    """Edit two sites."""
    server = fleet(stage, TAGS="digest")
    me = stage.actor("client", server, "ops.example.test", "node:axios", {"X-Operator": "mara"})
    other = stage.actor("other", server, "ops.example.test", "aiohttp", {"X-Operator": "ida"})
    sign_in(me, "mara")
    sign_in(other, "ida")
    mine, theirs = me.get(f"{BASE}sites/kiel"), other.get(f"{BASE}sites/husum")
    seen = me.get(f"{BASE}sites/husum").etag
    first, second = mine.etag, theirs.etag
    for shift in (["mara"], ["mara", "jonas"]):
        first = me.put(f"{BASE}sites/kiel", {**data_of(mine), "shift": shift}, 200, {"If-Match": first}).etag
        me.get(f"{BASE}sites/husum", 304, {"If-None-Match": seen})
        me.get(f"{BASE}sites/kiel", 304, {"If-None-Match": first})
    second = other.put(
        f"{BASE}sites/husum", {**data_of(theirs), "alarm": "call"}, 200, {"If-Match": second}
    ).etag
    seen = me.get(f"{BASE}sites/husum", 200, {"If-None-Match": seen}).etag
    other.send("PATCH", f"{BASE}sites/husum", 200, {"If-Match": second}, {"alarm": "mail"})
    me.get(f"{BASE}sites/husum", 200, {"If-None-Match": seen})


@case(
    "a791",
    "image-in-ranges-with-if-range",
    "none",
    "healthy",
    alone="none",
    description=(
        "A gateway loads a firmware image in four ranges under If-Range, is interrupted, goes on with the same "
        "tag, and fetches the checksum; the file stays what it was."
    ),
)
def ranges(stage: Stage) -> None:
    """Load an image in parts."""
    content = b"\x7fELF-2.9.0:" * 900
    server = site(stage, "apache2", {"fw/hx3.bin": content, "fw/hx3.sha256": _sha(content.decode("latin-1"))})
    me = stage.actor("client", server, "dl.example.test", "aiohttp", {"User-Agent": "gateway-ota/1.3"})
    tag = me.send("HEAD", "/fw/hx3.bin", 200).etag
    for start in range(0, len(content), 2500):
        end = min(start + 2499, len(content) - 1)
        me.send("GET", "/fw/hx3.bin", 206, {"Range": f"bytes={start}-{end}", "If-Range": tag})
        time.sleep(0.6 if start == 2500 else 0)
    me.get("/fw/hx3.sha256")
    me.get("/fw/hx3.bin", 304, {"If-None-Match": tag})


@case(
    "a792",
    "console-session-with-pages",
    "none",
    "healthy",
    alone="none",
    description=(
        "A console session: login with a cookie, a list in pages, a look at three things, changes one after the "
        "other with the tag of each answer, one thing that is not there, one deletion."
    ),
)
def session(stage: Stage) -> None:
    """Work through a list."""
    meters: dict[str, Any] = {f"meters/e7-{n}": {"site": "kiel", "reading": 100 * n} for n in range(1, 8)}
    server = fleet(stage, meters, NEEDED="1")
    me = stage.actor("client", server, "ops.example.test", "httpx", {"X-Operator": "fenja"})
    me.get(f"{BASE}meters/e7-9", 404)
    sign_in(me, "fenja")
    page = me.get(f"{BASE}meters?offset=0&limit=3&order=asc&columns=href,rev,site").json
    while page["next"]:
        page = me.get(page["next"]).json
    for number in (2, 5):
        tag = me.get(f"{BASE}meters/e7-{number}").etag
        for reading in (number * 100 + 4, number * 100 + 9):
            change = {"reading": reading}
            tag = me.send("PATCH", f"{BASE}meters/e7-{number}", 200, {"If-Match": tag}, change).etag
    tag = me.get(f"{BASE}meters/e7-7").etag
    me.send("DELETE", f"{BASE}meters/e7-7", 204, {"If-Match": tag})
    me.get(f"{BASE}meters?offset=0&limit=10")
