"""Writing with nothing wrong in it: no incident may be found here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, Reply, size_and_time_tag, version_tag
from tools.recording.scenarios.material import (
    ARTICLE,
    card,
    event,
    octets,
)
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message


@case(
    "d222",
    "uploads-nginx-dav",
    "none",
    "healthy",
    alone="none",
    description=(
        "A camera uploads four pictures to nginx WebDAV, each new, each guarded with If-None-Match: *; "
        "all 201."
    ),
    config=("dav_methods PUT", "create_full_put_path on"),
    client=(201, 201, 201, 201),
)
def uploads(stage: Stage) -> None:
    """Upload new files."""
    directory = stage.directory()
    (directory / "files").mkdir()
    front = stage.nginx(
        f"root {directory}/files; client_body_temp_path {directory}/uploads; location / {{ dav_methods "
        f"PUT; create_full_put_path on; }}"
    )
    me = stage.client(stage.tap(front), "camera.example.test", "okhttp")
    for number in range(4):
        me.put(
            f"/2026/11/IMG_{4120 + number}.jpg",
            octets(900 + number, number + 50),
            {"If-None-Match": "*", "Content-Type": "image/jpeg"},
        )
        time.sleep(0.3)


@case(
    "d223",
    "ensure-exists",
    "none",
    "healthy",
    alone="none expected-control-flow",
    description=(
        "A start-up script ensures three documents: one is made, two exist with the wanted content (412),"
        " it reads them and goes on."
    ),
    client=(201, 412, 200, 412, 200, 200),
)
def ensure_exists(stage: Stage) -> None:
    """Create what is missing."""
    origin = stage.origin(Habits(problem="vendor"))
    queues = {name: {"name": name, "durable": True} for name in ("audit", "mail", "push")}
    for name in ("mail", "push"):
        origin.store(f"/queues/{name}", queues[name], age=86400)
    me = stage.client(
        stage.front("haproxy", stage.tap(origin.port)), "mq.example.test", "go", {"X-Job": "ensure"}
    )
    for name, queue in queues.items():
        if me.put(f"/queues/{name}", queue, {"If-None-Match": "*"}).status == 412:
            me.get(f"/queues/{name}")
    time.sleep(0.4)
    me.get("/queues/audit")


@case(
    "d224",
    "disjoint-editors",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two editors patch different fields of one document, each reading right before; all tags fit, "
        "both changes stay."
    ),
    client=(200, 200, 200, 200, 200),
    other=(200, 200, 200, 200),
)
def disjoint(stage: Stage) -> None:
    """Edit in turn."""
    origin = stage.origin(Habits(tag=version_tag))
    path = "/profiles/acme"
    origin.store(path, {"name": "Acme", "phone": "", "url": ""})
    front = stage.front("caddy", stage.tap(origin.port))
    me = stage.client(front, "crm.example.test", "axios", {"Authorization": "Bearer lea"})
    other = stage.other(front, "crm.example.test", "browser", {"Cookie": "s=max"})
    kind = {"Content-Type": "application/merge-patch+json"}
    for turn in range(2):
        read = me.get(path)
        me.send("PATCH", path, {"If-Match": read.etag, **kind}, body={"phone": f"+49 30 55500{turn}"})
        time.sleep(0.4)
        read = other.get(path)
        other.send(
            "PATCH", path, {"If-Match": read.etag, **kind}, body={"url": f"https://acme.example/{turn}"}
        )
        time.sleep(0.5)
    me.get(path)


@case(
    "d225",
    "healed-conflict",
    "none",
    "recovered",
    alone="none other-writer",
    also="other-writer",
    description=(
        "A 412 handled as it should be: read again, take over the other's field, write with the fresh "
        "tag: nothing is lost."
    ),
    client=(200, 412, 200, 200, 200),
    other=(200, 200),
)
def healed(stage: Stage) -> None:
    """Rebase after a refusal."""
    origin = stage.origin(Habits(tag=size_and_time_tag))
    path = "/tasks/t-80"
    task = {"id": "t-80", "title": "Order cable", "done": False, "owner": "ida"}
    origin.store(path, task)
    front = stage.front("nginx", stage.tap(origin.port))
    me = stage.client(front, "tasks.example.test", "httpx", {"X-User": "bea"})
    other = stage.other(front, "tasks.example.test", "dart", {"x-user": "carl"})
    mine, theirs = me.get(path), other.get(path)
    other.put(path, {**task, "owner": "carl"}, {"if-match": theirs.etag})
    time.sleep(0.7)
    me.put(path, {**task, "done": True}, {"If-Match": mine.etag})
    fresh = me.get(path)
    me.put(path, {**task, "owner": "carl", "done": True}, {"If-Match": fresh.etag})
    time.sleep(0.3)
    me.get(path)


@case(
    "d228",
    "patch-chain",
    "none",
    "healthy",
    alone="none",
    description="Six PATCHes in a row, each with the tag of the answer before.",
    client=(200, 200, 200, 200, 200, 200, 200),
)
def patch_chain(stage: Stage) -> None:
    """Chain tags of own answers."""
    origin = stage.origin(Habits(require=True))
    path = "/builds/881"
    origin.store(path, {"build": 881, "step": "queued"})
    me = stage.client(stage.front("envoy", stage.tap(origin.port)), "ci.example.test", "java")
    tag = me.get(path).etag
    for step in ("checkout", "compile", "test", "package", "publish", "done"):
        tag = me.send(
            "PATCH",
            path,
            {"If-Match": tag, "Content-Type": "application/merge-patch+json"},
            body={"step": step},
        ).etag
        time.sleep(0.15)


@case(
    "d231",
    "two-clients-two-documents",
    "none",
    "healthy",
    alone="none",
    description="Two clients write at the same time, each a document of its own.",
    client=(200, 204, 204),
    other=(200, 204, 204),
)
def two_documents(stage: Stage) -> None:
    """Write side by side."""
    origin = stage.origin(Habits(put_status=204))
    for name in ("a", "b"):
        origin.store(f"/cal/{name}/1.ics", event(f"{name}1", "Standup"), "text/calendar")
    front = stage.front("apache2", stage.tap(origin.port))
    me = stage.client(front, "cal.example.test", "davx5", {"Authorization": "Basic YTph"})
    other = stage.other(front, "cal.example.test", "urlsession", {"Authorization": "Basic YjpiCg=="})
    tags = {"a": me.get("/cal/a/1.ics").etag, "b": other.get("/cal/b/1.ics").etag}
    for hour in ("10", "11"):
        for name, actor in (("a", me), ("b", other)):
            answer = actor.put(
                f"/cal/{name}/1.ics",
                event(f"{name}1", "Standup", hour),
                {"If-Match": tags[name], "Content-Type": "text/calendar"},
            )
            tags[name] = answer.etag
        time.sleep(0.5)


@case(
    "d237",
    "lease-renewed",
    "none",
    "healthy",
    alone="none",
    description=(
        "One holder takes a lease key with If-None-Match: * and renews it five times with its own tags, "
        "then lets go."
    ),
    client=(201, 200, 200, 200, 200, 200, 204),
)
def lease(stage: Stage) -> None:
    """Take, renew, release."""
    origin = stage.origin(Habits(tag=version_tag, emit_last_modified=False))
    path = "/leases/compactor"
    me = stage.client(
        stage.front("envoy", stage.tap(origin.port)), "coord.example.test", "go", {"X-Node": "n1"}
    )
    tag = me.put(path, {"holder": "n1", "beat": 0}, {"If-None-Match": "*"}).etag
    for beat in range(1, 6):
        time.sleep(0.4)
        tag = me.put(path, {"holder": "n1", "beat": beat}, {"If-Match": tag}).etag
    me.send("DELETE", path, {"If-Match": tag})


@case(
    "d238",
    "weak-tags-by-dialect",
    "none",
    "healthy",
    alone="none",
    description="An OData service compares weak tags in If-Match, as its dialect says: read and write work.",
    client=(200, 204, 200, 204),
)
def odata(stage: Stage) -> None:
    """Write with weak tags where that is the rule."""
    origin = stage.origin(
        Habits(
            weak=True,
            weak_compare=True,
            put_status=204,
            fields=(("OData-Version", "4.0"),),
            emit_last_modified=False,
            tag=lambda one: f"datetime'2026-11-{one.version:02d}T08:00:00Z'",
        )
    )
    path = "/odata/Products(17)"
    origin.store(path, {"@odata.context": "$metadata#Products/$entity", "ID": 17, "Price": 9})
    me = stage.client(stage.front("nginx", stage.tap(origin.port)), "erp.example.test", "powershell")
    for price in (10, 11):
        read = me.get(path)
        me.put(path, {"ID": 17, "Price": price}, {"If-Match": read.etag})
        time.sleep(0.6)


@case(
    "d239",
    "sole-author-no-guard",
    "none",
    "healthy",
    alone="none",
    description=(
        "One author saves a draft four times without a condition; nobody else is there, nothing is lost."
    ),
    client=(200, 200, 200, 200, 200, 200),
)
def sole_author(stage: Stage) -> None:
    """Save alone."""
    origin = stage.origin(Habits())
    path = "/drafts/11"
    origin.store(path, ARTICLE)
    me = stage.client(
        stage.front("apache2", stage.tap(origin.port)), "blog.example.test", "browser", {"Cookie": "b=3"}
    )
    me.get(path)
    for number in range(4):
        me.put(path, {**ARTICLE, "title": f"Draft {number}"})
        time.sleep(0.3)
    me.get(path)


@case(
    "d240",
    "star-on-existing",
    "none",
    "healthy",
    alone="none",
    description="Updates with If-Match: * (any version, but it must exist) as an inventory job means them.",
    client=(200, 200, 200),
)
def star(stage: Stage) -> None:
    """Update whatever is there."""
    origin = stage.origin(Habits(tag=version_tag))
    origin.store("/stock/s-1", {"count": 4})
    me = stage.client(stage.tap(origin.port), "stock.example.test", "requests")
    me.put("/stock/s-1", {"count": 5}, {"If-Match": "*"})
    time.sleep(0.4)
    me.put("/stock/s-1", {"count": 6}, {"If-Match": "*"})
    me.get("/stock/s-1")


@case(
    "d248",
    "re-read-before-edit",
    "none",
    "healthy",
    alone="none",
    description="Two people edit one card; each opens it anew before editing, both changes stay, no 412.",
    client=(200, 204, 200),
    other=(200, 204),
)
def re_read(stage: Stage) -> None:
    """Edit after the other has finished."""
    origin = stage.origin(Habits(put_status=204, tag=size_and_time_tag))
    path = "/cards/8.vcf"
    origin.store(path, card("8", "Ada Lund", "ada@example.com"), "text/vcard")
    front = stage.front("lighttpd", stage.tap(origin.port))
    me = stage.client(front, "cards.example.test", "urlsession")
    other = stage.other(front, "cards.example.test", "davx5")
    kind = {"Content-Type": "text/vcard"}
    read = other.get(path)
    other.put(path, read.body.replace(b"END:", b"TEL:+46 555 010\r\nEND:"), {"If-Match": read.etag, **kind})
    time.sleep(1.0)
    read = me.get(path)
    me.put(path, read.body.replace(b"Ada Lund", b"Ada Lund-Berg"), {"If-Match": read.etag, **kind})
    me.get(path)


@case(
    "d249",
    "cors-done-right",
    "none",
    "healthy",
    alone="none",
    description="Cross-origin page, ETag exposed, If-Match allowed in the preflight: read and write work.",
    client=(200, 204, 200),
)
def cors_right(stage: Stage) -> None:
    """Write across origins as it should be."""

    def preflight(_: Origin, request: Message) -> Reply | None:
        allow = (
            ("Access-Control-Allow-Methods", "GET, PUT"),
            ("Access-Control-Allow-Headers", "if-match, content-type"),
        )
        return Reply(204, allow) if request.method == "OPTIONS" else None

    shown = (
        ("Access-Control-Allow-Origin", "https://ui.example.test"),
        ("Access-Control-Expose-Headers", "ETag"),
    )
    origin = stage.origin(Habits(fields=shown), hook=preflight)
    path = "/todos/5"
    origin.store(path, {"id": 5, "done": False})
    me = stage.client(
        stage.front("caddy", stage.tap(origin.port)),
        "api.example.test",
        "browser",
        {"Origin": "https://ui.example.test", "Sec-Fetch-Site": "same-site"},
    )
    read = me.get(path)
    me.send(
        "OPTIONS",
        path,
        {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type,if-match"},
    )
    me.put(path, {"id": 5, "done": True}, {"If-Match": read.etag})


@case(
    "d252",
    "import-skips-existing",
    "none",
    "healthy",
    alone="none expected-control-flow",
    description=(
        "A nightly import creates what is new with If-None-Match: * and skips what is there (412): two "
        "of six are known, it never touches them again."
    ),
    client=(201, 412, 201, 201, 412, 201),
)
def import_skips(stage: Stage) -> None:
    """Create only what is new."""
    origin = stage.origin(Habits(problem="empty"))
    for number in (1, 4):
        origin.store(f"/measurements/2026-11-{20 + number}", {"day": number}, age=90000)
    me = stage.client(
        stage.front("envoy", stage.tap(origin.port)),
        "energy.example.test",
        "requests",
        {"X-Job": "nightly-import"},
    )
    for number in range(6):
        me.put(f"/measurements/2026-11-{20 + number}", {"day": number}, {"If-None-Match": "*"})
        time.sleep(0.1)
