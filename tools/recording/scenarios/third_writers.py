"""Third batch: writers that meet in other ways, the service's own writes, scopes wider than the document."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, Reply, Resource, content_tag, version_tag
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.client import Answer
    from tools.recording.har import Json
    from tools.recording.message import Message

_MERGE = {"Content-Type": "application/merge-patch+json"}

CONFIG_TOML = '[mail]\nhost = "smtp.example.net"\nport = 587\n\n[queue]\nworkers = 4\nretry = "5m"\n'


def uuid_tag(resource: Resource) -> str:
    """Return a tag in the form of a UUID."""
    digits = content_tag(resource) + content_tag(Resource(resource.body + b"#", ""))
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


@case(
    "d300",
    "patch-after-unchanged-polls",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "A mobile app polls a task (304, 304), then PATCHes its due date; a colleague had ticked it off "
        "a moment before. The app looks with HEAD and GET and shows both."
    ),
    client=(200, 304, 304, 412, 200, 200),
    other=(200, 200),
    upstream=(200, 304, 304, 200, 200, 412, 200, 200),
)
def patch_after_polls(stage: Stage) -> None:
    """Poll, then patch what another has changed."""
    origin = stage.origin(Habits(tag=uuid_tag, lower=True, fields=(("server", "taskd"),)))
    path = "/v3/tasks/7781"
    origin.store(path, {"id": 7781, "title": "Order cable ties", "due": "2026-12-01", "done": False})
    front = stage.front("caddy", stage.tap(origin.port))
    me = stage.client(front, "tasks.example.test", "dart", {"Authorization": "Bearer kim"})
    other = stage.other(front, "tasks.example.test", "axios", {"Authorization": "Bearer lou"})
    tag = me.get(path).etag
    for _ in range(2):
        time.sleep(0.6)
        me.get(path, {"If-None-Match": tag})
    seen = other.get(path)
    other.send("PATCH", path, {"If-Match": seen.etag, **_MERGE}, body='{"done":true,"doneBy":"lou"}')
    time.sleep(0.5)
    me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body='{"due":"2026-12-08"}')
    time.sleep(0.2)
    me.send("HEAD", path)
    me.get(path)


@case(
    "d301",
    "two-known-tags-third-writer",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "A sync engine sends the two tags it knows in one If-Match; two other devices have written since, "
        "so neither fits. The refresh shows both changes."
    ),
    client=(200, 200, 412, 200),
    other=(200, 200),
    other2=(200, 200),
)
def two_tags(stage: Stage) -> None:
    """Send a list of tags that are all old."""
    origin = stage.origin(Habits(tag=version_tag, put_status=200, emit_last_modified=False))
    path = "/sync/vault/groceries"
    base = {"milk": 1, "eggs": 6, "by": "phone"}
    origin.store(path, base)
    front = stage.front("haproxy", stage.tap(origin.port))
    me = stage.client(front, "vault.example.test", "okhttp", {"X-Device": "phone"})
    tablet = stage.other(front, "vault.example.test", "urlsession", {"X-Device": "tablet"})
    laptop = stage.client(front, "vault.example.test", "go", {"X-Device": "laptop"}, name="other2")
    first = me.get(path)
    second = me.put(path, {**base, "milk": 2}, {"If-Match": first.etag})
    time.sleep(0.6)
    seen = tablet.get(path)
    tablet.put(path, {"milk": 2, "eggs": 6, "rye": 1, "by": "tablet"}, {"If-Match": seen.etag})
    time.sleep(0.7)
    seen = laptop.get(path)
    laptop.put(path, {"milk": 2, "eggs": 12, "rye": 1, "by": "laptop"}, {"If-Match": seen.etag})
    time.sleep(0.9)
    me.put(path, {**base, "milk": 3}, {"If-Match": f"{first.etag}, {second.etag}"})
    me.get(path)


@case(
    "d302",
    "settings-file-guarded-by-date",
    "other-writer",
    "recovered",
    alone="other-writer",
    description=(
        "A TOML file without ETag; the operator's save carries If-Unmodified-Since as served, the "
        "deployment tool wrote three seconds earlier."
    ),
    client=(200, 412, 200, 204),
    other=(200, 204),
)
def guarded_by_date(stage: Stage) -> None:
    """Meet another writer with nothing but dates."""
    origin = stage.origin(Habits(emit_etag=False, put_status=204, problem="plain", etag_on_write=False))
    path = "/etc/mailer.toml"
    origin.store(path, CONFIG_TOML, "application/toml")
    front = stage.front("apache2", stage.tap(origin.port))
    kind = {"Content-Type": "application/toml"}
    me = stage.client(front, "config.example.test", "powershell", {"Authorization": "Basic b3BzOg=="})
    other = stage.other(front, "config.example.test", "go", {"Authorization": "Bearer deploy"})
    mine, theirs = me.get(path), other.get(path)
    time.sleep(0.5)
    other.put(path, CONFIG_TOML.replace("587", "465"), {"If-Unmodified-Since": theirs.last_modified, **kind})
    time.sleep(3.1)
    me.put(
        path,
        CONFIG_TOML.replace("workers = 4", "workers = 8"),
        {"If-Unmodified-Since": mine.last_modified, **kind},
    )
    fresh = me.get(path)
    me.put(
        path,
        fresh.body.decode().replace("workers = 4", "workers = 8"),
        {"If-Unmodified-Since": fresh.last_modified, **kind},
    )


@case(
    "d303",
    "two-fields-two-patches",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A form sends one PATCH for each changed field at the same time, both with the tag of the page: "
        "the first is taken, the second refused; after a reload the second is sent again."
    ),
    client=(200, 200, 412, 200, 200),
)
def two_patches(stage: Stage) -> None:
    """Patch two fields at once."""
    origin = stage.origin(Habits(tag=lambda one: f"{one.version:08d}", write_delay=0.25))
    path = "/crm/people/5520"
    origin.store(path, {"name": "R. Castellanos", "phone": "+34 900 000 001", "city": "Vigo"})
    front = stage.front("traefik", stage.tap(origin.port))
    me = stage.client(front, "crm.example.test", "browser", {"Cookie": "sid=f00d"})
    tag = me.get(path).etag
    time.sleep(0.8)
    phone, city = '{"phone":"+34 900 000 002"}', '{"city":"Lugo"}'
    me.together(
        [
            lambda: me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body=phone),
            lambda: me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body=city),
        ],
        stagger=0.03,
    )
    tag = me.get(path).etag
    me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body=city)


@case(
    "d304",
    "import-rows-on-one-ledger",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "An import with three threads books rows on one ledger page, all with the tag read at the start, "
        "on connections of their own."
    ),
    client=(200, 204, 412, 412, 200),
)
def import_rows(stage: Stage) -> None:
    """Write one page from three threads."""
    origin = stage.origin(Habits(put_status=204, write_delay=0.3, problem="vendor"))
    path = "/ledger/2026/11"
    origin.store(path, "date,amount\n2026-11-01,120.00\n", "text/csv")
    me = stage.client(stage.tap(origin.port), "books.example.test", "java", {"X-Import-Run": "r-20261126-1"})
    tag = me.get(path).etag

    def book(row: str) -> Answer:
        text = f"date,amount\n2026-11-01,120.00\n{row}\n"
        return me.put(path, text, {"If-Match": tag, "Content-Type": "text/csv"})

    time.sleep(0.4)
    rows = ("2026-11-02,75.50", "2026-11-03,12.00", "2026-11-04,19.90")
    me.together([partial(book, row) for row in rows], stagger=0.04)
    time.sleep(0.5)
    me.get(path)


@case(
    "d305",
    "adding-a-line-moves-the-order",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "The client adds a line below an order (POST, 201); the service re-computes the order's total. "
        "The save of the order with the tag read before is refused; the refresh shows the new total by "
        "pricing-engine."
    ),
    client=(200, 201, 412, 200, 200),
)
def order_total(stage: Stage) -> None:
    """Write a linked resource, then the order."""
    order = {"no": 9, "total": 100, "note": "", "modifiedBy": "anna"}

    def lines(origin: Origin, request: Message) -> Reply | None:
        if request.method != "POST":
            return None
        total = {**order, "total": 140, "modifiedBy": "system:pricing-engine"}
        origin.commit("/orders/9", json.dumps(total).encode())
        return Reply(201, (("Location", "/orders/9/lines/3"), ("ETag", '"line-3"')), b"")

    origin = stage.origin(Habits(tag=lambda one: f"{one.version}"), hook=lines)
    origin.store("/orders/9", order)
    front = stage.front("envoy", stage.tap(origin.port))
    me = stage.client(front, "shop.example.test", "axios", {"Authorization": "Bearer anna"})
    tag = me.get("/orders/9").etag
    time.sleep(0.4)
    me.send("POST", "/orders/9/lines", body={"sku": "SKU-0004", "count": 2, "price": 20})
    time.sleep(0.6)
    me.put("/orders/9", {**order, "note": "leave at the gate"}, {"If-Match": tag})
    time.sleep(0.3)
    fresh = me.get("/orders/9")
    me.put("/orders/9", {**json.loads(fresh.body), "note": "leave at the gate"}, {"If-Match": fresh.etag})


@case(
    "d306",
    "scanner-marks-the-upload",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "After each upload a scanner of the service writes its verdict into the document's metadata; the "
        "PATCH with the tag from the 201 comes after it and is refused. Nobody else wrote."
    ),
    client=(201, 412, 200, 200),
    upstream=(201, 412, 200, 200),
)
def scanner(stage: Stage) -> None:
    """Meet the scanner's verdict."""
    origin = stage.origin(Habits(tag=lambda one: f"rev:{one.version}", emit_last_modified=False))
    path = "/documents/tender-17"
    document: dict[str, Json] = {
        "name": "tender-17.pdf",
        "scan": "pending",
        "lastModifiedBy": "user:noor",
        "tags": [],
    }
    front = stage.nginx_proxy(stage.tap(origin.port))
    me = stage.client(front, "docs.example.test", "okhttp", {"Authorization": "Bearer noor"})
    tag = me.put(path, document, {"If-None-Match": "*"}).etag
    time.sleep(0.7)
    scanned = {**document, "scan": "clean", "lastModifiedBy": "service:av-scan"}
    origin.commit(path, json.dumps(scanned).encode())
    time.sleep(0.9)
    me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body={"tags": ["tender"]})
    fresh = me.get(path)
    me.send("PATCH", path, {"If-Match": fresh.etag, **_MERGE}, body={"tags": ["tender"]})


@case(
    "d307",
    "publishing-goes-on",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "PUT starts a deployment (state: updating); the service itself moves the state to ready a second "
        "later. A DELETE with the tag of the PUT's answer is refused; after the state is ready it passes."
    ),
    client=(200, 200, 412, 200, 204),
)
def publishing(stage: Stage) -> None:
    """Write while an operation of the service runs."""
    origin = stage.origin(Habits(tag=lambda one: f"gen-{one.version}", problem="vendor"))
    path = "/projects/p1/environments/preview-31"
    state = {"name": "preview-31", "replicas": 1, "state": "ready"}
    origin.store(path, state)
    front = stage.front("lighttpd", stage.tap(origin.port))
    me = stage.client(front, "paas.example.test", "go", {"Authorization": "Bearer ci"})
    tag = me.get(path).etag
    tag = me.put(path, {**state, "replicas": 2, "state": "updating"}, {"If-Match": tag}).etag
    time.sleep(1.0)
    origin.commit(path, b'{"name":"preview-31","replicas":2,"state":"ready","updatedBy":"controller"}')
    time.sleep(0.3)
    me.send("DELETE", path, {"If-Match": tag})
    tag = me.get(path).etag
    me.send("DELETE", path, {"If-Match": tag})


@case(
    "d308",
    "head-date-then-upload",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    also="other-writer",
    description=(
        "An uploader without ETags takes Last-Modified by HEAD just before the PUT of a list it read "
        "earlier: the guard holds, the other's line is lost."
    ),
    client=(200, 200, 204, 200),
    other=(200, 204),
)
def head_date(stage: Stage) -> None:
    """Refresh the date, keep the list."""
    origin = stage.origin(Habits(emit_etag=False, put_status=204))
    path = "/lists/allowed-hosts.txt"
    origin.store(path, "alpha.example\nbeta.example\n", "text/plain")
    front = stage.front("varnishd", stage.tap(origin.port))
    me = stage.client(front, "lists.example.test", "curl", {"Authorization": "Basic YTph"})
    other = stage.other(front, "lists.example.test", "curl", {"Authorization": "Basic Yjpi"})
    me.get(path)
    theirs = other.get(path)
    time.sleep(0.4)
    changed = "alpha.example\nbeta.example\ngamma.example\n"
    plain = {"Content-Type": "text/plain"}
    other.put(path, changed, {"If-Unmodified-Since": theirs.last_modified, **plain})
    time.sleep(2.3)
    head = me.send("HEAD", path)
    body = "alpha.example\nbeta.example\ndelta.example\n"
    me.put(path, body, {"If-Unmodified-Since": head.last_modified, **plain})
    me.get(path)


@case(
    "d309",
    "poller-hands-over-its-tag",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    also="other-writer",
    description=(
        "An editor's background poll picks up the new version's tag, the open form keeps the old content; "
        "saving passes the check and drops the other's speaker."
    ),
    client=(200, 304, 200, 200, 200),
    other=(200, 200),
    upstream=(200, 304, 200, 200, 200, 200, 200),
)
def poller(stage: Stage) -> None:
    """Save old content with the poll's tag."""
    origin = stage.origin(Habits())
    path = "/events/summit/programme"
    programme = {"title": "Summit", "speakers": ["Ada N.", "Jo P."], "room": "B2", "starts": "09:00"}
    origin.store(path, programme)
    front = stage.front("traefik", stage.tap(origin.port))
    me = stage.client(front, "events.example.test", "browser", {"Cookie": "s=11"})
    other = stage.other(front, "events.example.test", "browser", {"Cookie": "s=22"})
    tag = me.get(path).etag
    time.sleep(0.6)
    me.get(path, {"If-None-Match": tag})
    seen = other.get(path)
    other.put(path, {**programme, "speakers": ["Ada N.", "Jo P.", "Li W."]}, {"If-Match": seen.etag})
    time.sleep(0.6)
    tag = me.get(path, {"If-None-Match": tag}).etag
    time.sleep(0.9)
    me.put(path, {**programme, "room": "A1"}, {"If-Match": tag})
    me.get(path)


@case(
    "d310",
    "form-posts-without-its-tag",
    "unconditional-write",
    "lost-update",
    alone="none unconditional-write",
    also="other-writer",
    description=(
        "Two people edit a route plan; one sends If-Match, the other's page never does. The page's save "
        "wipes out the guarded one, as its own read back shows."
    ),
    client=(200, 200, 200),
    other=(200, 200, 412, 200),
)
def form_without(stage: Stage) -> None:
    """Overwrite without a guard."""
    origin = stage.origin(Habits(tag=uuid_tag))
    path = "/routes/van-3"
    plan = {"van": 3, "stops": ["depot", "school", "market"], "driver": "Per"}
    origin.store(path, plan)
    front = stage.front("nginx", stage.tap(origin.port))
    me = stage.client(front, "routes.example.test", "browser", {"Cookie": "u=per"})
    other = stage.other(front, "routes.example.test", "httpx", {"Authorization": "Bearer planner"})
    me.get(path)
    seen = other.get(path)
    time.sleep(0.5)
    saved = other.put(
        path, {**plan, "stops": ["depot", "school", "market", "harbour"]}, {"If-Match": seen.etag}
    )
    time.sleep(1.0)
    me.put(path, {**plan, "driver": "Siv"})
    time.sleep(0.4)
    other.put(
        path, {**plan, "stops": ["depot", "school", "market", "harbour", "farm"]}, {"If-Match": saved.etag}
    )
    other.get(path)
    me.get(path)


@case(
    "d312",
    "branch-head-moves",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope unstable-etag server-side-mutation",
    also="other-writer",
    description=(
        "Every file of a branch carries the commit of the branch as its tag. A commit to another file "
        "refuses the save of a page that nobody touched: same text, new tag."
    ),
    client=(200, 412, 200, 200),
    other=(200, 200),
    upstream=(200, 200, 200, 412, 200, 200),
)
def branch_head(stage: Stage) -> None:
    """Be refused because the branch moved."""
    origin = stage.origin()

    def commit_of(_: Resource) -> str:
        whole = b"".join(one.body for one in origin.resources.values())
        return content_tag(Resource(whole, "")) + content_tag(Resource(whole[::-1], ""))

    origin.habits = Habits(tag=commit_of, emit_last_modified=False, read_fields=(("X-Ref", "main"),))
    origin.store("/repo/main/docs/setup.md", "# Setup\n\nInstall the tool.\n", "text/markdown")
    origin.store("/repo/main/docs/usage.md", "# Usage\n\nRun it.\n", "text/markdown")
    front = stage.front("haproxy", stage.tap(origin.port))
    kind = {"Content-Type": "text/markdown"}
    me = stage.client(front, "git.example.test", "undici", {"authorization": "Bearer w1"})
    other = stage.other(front, "git.example.test", "requests", {"Authorization": "Bearer w2"})
    mine = me.get("/repo/main/docs/setup.md")
    theirs = other.get("/repo/main/docs/usage.md")
    time.sleep(0.5)
    other.put("/repo/main/docs/usage.md", "# Usage\n\nRun it twice.\n", {"If-Match": theirs.etag, **kind})
    time.sleep(0.7)
    body = "# Setup\n\nInstall the tool, then log in.\n"
    me.put("/repo/main/docs/setup.md", body, {"if-match": mine.etag, **kind})
    fresh = me.get("/repo/main/docs/setup.md")
    me.put("/repo/main/docs/setup.md", body, {"if-match": fresh.etag, **kind})
