"""Writers that meet, targets that are gone or taken, and saves that overwrite."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, Reply, size_and_time_tag, version_tag
from tools.recording.scenarios.material import ARTICLE, CATALOGUE, event, octets
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message


@case(
    "d150",
    "reload-tag-keep-form",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    also="other-writer",
    description=(
        "After a 412 the form takes the fresh tag and sends its old content again: 200, and the "
        "colleague's new end date is gone."
    ),
    client=(200, 412, 200, 200),
    other=(200, 200),
    upstream=(200, 200, 200, 412, 200, 200),
)
def reload_tag(stage: Stage) -> None:
    """Refresh the tag, keep the form."""
    origin = stage.origin(Habits())
    path = "/contracts/88/terms"
    terms = {"contract": 88, "ends": "2027-03-31", "discount": 5, "contact": "ola@example.org"}
    origin.store(path, terms)
    front = stage.front("nginx", stage.tap(origin.port))
    me = stage.client(front, "contracts.example.test", "axios", {"Authorization": "Bearer ola"})
    other = stage.other(front, "contracts.example.test", "axios", {"Authorization": "Bearer pia"})
    mine, theirs = me.get(path), other.get(path)
    time.sleep(0.7)
    other.put(path, {**terms, "ends": "2028-03-31"}, {"If-Match": theirs.etag})
    time.sleep(0.8)
    me.put(path, {**terms, "discount": 8}, {"If-Match": mine.etag})
    fresh = me.get(path)
    me.put(path, {**terms, "discount": 8}, {"If-Match": fresh.etag})


@case(
    "d180",
    "head-just-before-put",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    also="other-writer",
    description=(
        "A sync tool takes a fresh tag by HEAD right before each upload of a file it read minutes ago: "
        "no 412 ever, and the other site's edit is overwritten."
    ),
    client=(200, 200, 204, 200),
    other=(200, 204),
    upstream=(200, 200, 204, 200, 204, 200),
)
def head_before_put(stage: Stage) -> None:
    """Fetch the tag right before the write."""
    origin = stage.origin(Habits(put_status=204, fields=(("Server", "filegate"),)))
    path = "/share/budget-2027.csv"
    origin.store(path, "dept,amount\nops,120\nsales,90\nlegal,30\n", "text/csv")
    front = stage.front("apache2", stage.tap(origin.port))
    me = stage.client(front, "share.example.test", "requests", {"Authorization": "Basic c2l0ZS1h"})
    other = stage.other(front, "share.example.test", "requests", {"Authorization": "Basic c2l0ZS1i"})
    kind = {"Content-Type": "text/csv"}
    me.get(path)
    time.sleep(0.4)
    theirs = other.get(path)
    other.put(path, "dept,amount\nops,120\nsales,95\nlegal,30\n", {"If-Match": theirs.etag, **kind})
    time.sleep(1.6)
    head = me.send("HEAD", path)
    me.put(path, "dept,amount\nops,140\nsales,90\nlegal,30\n", {"If-Match": head.etag, **kind})
    me.get(path)


@case(
    "d151",
    "two-dashboards-no-guard",
    "unconditional-write",
    "lost-update",
    alone="none unconditional-write",
    description=(
        "Two dashboards edit one layout; both get an ETag, neither sends it. The second save drops the "
        "first one's tile."
    ),
    client=(200, 200),
    other=(200, 200),
    upstream=(200, 200, 200, 200),
)
def two_dashboards(stage: Stage) -> None:
    """Save twice without a guard."""
    origin = stage.origin(Habits(tag=version_tag))
    path = "/api/dashboards/uid/ops"
    layout = {"uid": "ops", "tiles": ["cpu", "errors"]}
    origin.store(path, layout)
    front = stage.front("envoy", stage.tap(origin.port))
    me = stage.client(front, "graphs.example.test", "browser", {"Cookie": "grafana_session=1a"})
    other = stage.other(front, "graphs.example.test", "browser", {"Cookie": "grafana_session=2b"})
    me.get(path)
    other.get(path)
    time.sleep(0.8)
    other.put(path, {**layout, "tiles": ["cpu", "errors", "queue"]})
    time.sleep(1.5)
    me.put(path, {**layout, "tiles": ["cpu", "errors", "disk"]})


@case(
    "d152",
    "deleted-meanwhile",
    "target-missing",
    "412",
    alone="target-missing",
    description="A colleague deletes the event; the save with If-Match is refused, the reload says 404.",
    client=(200, 412, 404),
    other=(200, 204),
)
def deleted_meanwhile(stage: Stage) -> None:
    """Save what is gone."""
    origin = stage.origin(Habits(problem="html"))
    path = "/caldav/room-4/ev-991.ics"
    origin.store(path, event("ev-991", "Interview"), "text/calendar")
    front = stage.front("nginx", stage.tap(origin.port))
    me = stage.client(front, "rooms.example.test", "urlsession", {"Authorization": "Basic cm9vbQ=="})
    other = stage.other(front, "rooms.example.test", "davx5", {"Authorization": "Basic aHI="})
    mine, theirs = me.get(path), other.get(path)
    time.sleep(0.5)
    other.send("DELETE", path, {"If-Match": theirs.etag})
    time.sleep(1.2)
    me.put(
        path, event("ev-991", "Interview (second)"), {"If-Match": mine.etag, "Content-Type": "text/calendar"}
    )
    me.get(path)


@case(
    "d153",
    "moved-path",
    "target-missing",
    "412",
    alone="target-missing wrong-token-source",
    description=(
        "The tag was read under the new path; the write goes to the legacy path, where nothing is: 412, "
        "and 404 when looked at."
    ),
    client=(200, 412, 404),
)
def moved_path(stage: Stage) -> None:
    """Write to a path that holds nothing."""
    origin = stage.origin(Habits(problem="plain"))
    origin.store("/v2/profiles/u-5", {"name": "Tor", "lang": "nn"})
    me = stage.client(stage.tap(origin.port), "id.example.test", "okhttp", {"Authorization": "Bearer a5"})
    read = me.get("/v2/profiles/u-5")
    time.sleep(0.6)
    me.put("/v1/profiles/u-5", {"name": "Tor", "lang": "nb"}, {"If-Match": read.etag})
    time.sleep(0.4)
    me.get("/v1/profiles/u-5")


@case(
    "d154",
    "name-is-taken",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "First contact: an upload with If-None-Match: * to a name that someone else took weeks ago; the "
        "look at it shows another's picture."
    ),
    client=(412, 200),
)
def name_is_taken(stage: Stage) -> None:
    """Create what another created long ago."""
    origin = stage.origin(Habits(tag=size_and_time_tag))
    path = "/gallery/2026/harbour.jpg"
    origin.store(path, octets(1800, 5), "image/jpeg", age=86400 * 20)
    me = stage.client(stage.front("varnishd", stage.tap(origin.port)), "photos.example.test", "okhttp")
    me.put(path, octets(2100, 6), {"If-None-Match": "*", "Content-Type": "image/jpeg"})
    time.sleep(0.9)
    me.get(path)


@case(
    "d155",
    "library-wide-token",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope unstable-etag server-side-mutation",
    also="other-writer",
    description=(
        "All items of a library share one version. The client edits item a, another edits item b; the "
        "first is refused although item a never changed: same content, tag several versions on."
    ),
    client=(200, 412, 200, 200),
    other=(200, 200, 200),
)
def library_wide(stage: Stage) -> None:
    """Be refused because a sibling changed."""
    origin = stage.origin(Habits(emit_last_modified=False))

    def version(_: object) -> str:
        return f"lib-{sum(one.version for one in origin.resources.values())}"

    origin.habits = Habits(tag=version, emit_last_modified=False)
    for name in ("a", "b", "c"):
        origin.store(f"/libraries/84/items/{name}", {"key": name, "title": f"Paper {name}", "tags": []})
    front = stage.front("nginx", stage.tap(origin.port))
    me = stage.client(front, "refs.example.test", "undici", {"authorization": "Bearer mia"})
    other = stage.other(front, "refs.example.test", "java", {"Authorization": "Bearer noa"})
    mine = me.get("/libraries/84/items/a")
    theirs = other.get("/libraries/84/items/b")
    written = other.put(
        "/libraries/84/items/b", {"key": "b", "title": "Paper b", "tags": ["read"]}, {"If-Match": theirs.etag}
    )
    other.put(
        "/libraries/84/items/b",
        {"key": "b", "title": "Paper B", "tags": ["read"]},
        {"If-Match": written.etag},
    )
    time.sleep(0.8)
    body = {"key": "a", "title": "Paper a", "tags": ["todo"]}
    me.put("/libraries/84/items/a", body, {"if-match": mine.etag})
    time.sleep(0.5)
    fresh = me.get("/libraries/84/items/a")
    me.put("/libraries/84/items/a", body, {"if-match": fresh.etag})


@case(
    "d156",
    "service-renders-afterwards",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "Half a second after each save the service stores the document again with a rendered preview "
        "(modifiedBy: system); the save with the tag from the own answer is refused."
    ),
    client=(200, 200, 412, 200, 200),
)
def service_renders(stage: Stage) -> None:
    """Save, and meet the service's own write."""
    origin = stage.origin(Habits(tag=version_tag))
    path = "/pages/welcome"
    page = {"title": "Welcome", "text": "Hello", "preview": "", "modifiedBy": "rut"}
    origin.store(path, page)
    me = stage.client(
        stage.front("caddy", stage.tap(origin.port)),
        "cms.example.test",
        "axios",
        {"Authorization": "Bearer rut"},
    )
    read = me.get(path)
    written = me.put(path, {**page, "text": "Hello there"}, {"If-Match": read.etag})
    time.sleep(0.5)
    origin.commit(
        path, b'{"title":"Welcome","text":"Hello there","preview":"/p/welcome.png","modifiedBy":"system"}'
    )
    time.sleep(0.6)
    me.put(path, {**page, "text": "Hello all"}, {"If-Match": written.etag})
    fresh = me.get(path)
    me.put(path, {**page, "text": "Hello all", "preview": "/p/welcome.png"}, {"If-Match": fresh.etag})


@case(
    "d193",
    "catalogue-meets-pricing",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "A catalogue editor is refused because the pricing job wrote in between; the reload shows a "
        "changed count by another."
    ),
    client=(200, 412, 200),
    other=(200, 200),
)
def pricing(stage: Stage) -> None:
    """Meet another writer."""
    origin = stage.origin(Habits(fields=(("Server", "catalogd/5"),)))
    path = "/catalogue/warehouse-7"
    origin.store(path, {**CATALOGUE, "updatedBy": "import", "updatedAt": "2026-11-20T10:00:00Z"})
    front = stage.front("traefik", stage.tap(origin.port))
    me = stage.client(front, "catalogue.example.test", "browser", {"Cookie": "u=eva"})
    other = stage.other(front, "catalogue.example.test", "go", {"Authorization": "Bearer pricing-job"})
    mine, theirs = me.get(path), other.get(path)
    time.sleep(0.9)
    other.put(
        path,
        {**CATALOGUE, "updatedBy": "pricing-job", "updatedAt": "2026-11-24T14:00:00Z"},
        {"If-Match": theirs.etag},
    )
    time.sleep(1.1)
    me.put(path, {**CATALOGUE, "name": "Warehouse seven", "updatedBy": "eva"}, {"If-Match": mine.etag})
    time.sleep(0.4)
    me.get(path)


@case(
    "d194",
    "edit-token-expired",
    "token-expired",
    "412",
    alone="token-expired",
    description=(
        "The service hands out edit tokens that live one second; the save after a pause is refused with "
        "code EditTokenExpired though nobody wrote, and a fresh token works at once."
    ),
    client=(200, 412, 200, 200),
)
def token_expired(stage: Stage) -> None:
    """Save with a token past its life."""

    def expiring(_: Origin, request: Message) -> Reply | None:
        value = request.get("If-Match")
        if request.method != "PUT" or value is None:
            return None
        issued = float(value.strip('"').split("-")[1]) / 1000
        if time.time() - issued <= 1.0:
            return None
        text = (
            b'{"code":"EditTokenExpired","message":"The edit token is older than 1 second; read the '
            b'document again."}'
        )
        return Reply(412, (("Content-Type", "application/json"),), text)

    origin = stage.origin(Habits(emit_last_modified=False), hook=expiring)
    issued: list[str] = [""]

    def tag(_: object) -> str:
        return issued[0]

    origin.habits = Habits(
        tag=tag, emit_last_modified=False, read_fields=(("X-Edit-Token-Lifetime", "1"),), etag_on_write=False
    )
    path = "/drafts/press-release"
    origin.store(path, ARTICLE)
    me = stage.client(
        stage.front("envoy", stage.tap(origin.port)), "press.example.test", "browser", {"Cookie": "w=1"}
    )

    def read() -> str:
        issued[0] = f"e-{int(time.time() * 1000)}"
        return me.get(path).etag

    token = read()
    time.sleep(2.4)
    me.put(path, {**ARTICLE, "title": "Now"}, {"If-Match": token})
    token = read()
    me.put(path, {**ARTICLE, "title": "Now"}, {"If-Match": token})
