"""Writers who meet, targets that move, and content that changes under a reader."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.fourth_setting import HANDBOOK, MERGE, ROTA, TEXT, at_once, browse, shelf

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer


@case(
    "a300",
    "ticket-patched-by-two-desks",
    "other-writer",
    "412",
    alone="other-writer",
    description="A help desk polls a ticket, then sets its priority; the second desk had assigned it a second before.",
)
def _ticket(stage: Stage) -> None:
    path = "/tickets/58211"
    server = shelf(stage, "flask", {path: {"subject": "No heat", "priority": 3, "assignee": None}})
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "desk.example.test", "node", {"Authorization": "Bearer desk-1"})
    other = stage.actor("other", front, "desk.example.test", "httpx", {"Authorization": "Bearer desk-2"})
    tag = me.get(path).etag
    me.get(path, 304, {"If-None-Match": tag})
    other.send("PATCH", path, 200, {"If-Match": other.get(path).etag, **MERGE}, '{"assignee":"m.lind"}')
    time.sleep(1.0)
    me.send("PATCH", path, 412, {"If-Match": tag, **MERGE}, '{"priority":1}')
    me.get(path)


@case(
    "a301",
    "lighttpd-dav-two-laptops",
    "other-writer",
    "412",
    alone="other-writer",
    description="Two laptops keep one handbook on lighttpd's mod_webdav; the second PUT carries the tag from before the first.",
)
def _laptops(stage: Stage) -> None:
    server = fronts.site(stage, "lighttpd", {"handbook.txt": HANDBOOK}, fronts.DAV["lighttpd"])
    me = stage.actor(
        "client", server, "files.example.test", "curl:trace-time", {"Authorization": "Basic YTpi"}
    )
    other = stage.actor("other", server, "files.example.test", "aiohttp", {"Authorization": "Basic Yzpk"})
    tag, theirs = me.get("/handbook.txt").etag, other.get("/handbook.txt").etag
    time.sleep(0.4)
    other.put("/handbook.txt", f"{HANDBOOK}30. Mind the cat.\n", 204, {"If-Match": theirs, **TEXT})
    time.sleep(1.2)
    me.put("/handbook.txt", HANDBOOK.replace("node 9", "node 10"), 412, {"If-Match": tag, **TEXT})
    me.get("/handbook.txt")


@case(
    "a302",
    "http2-editors-in-a-busy-session",
    "other-writer",
    "412",
    alone="other-writer",
    description="Over HTTP/2: an editor among many polls saves a rota that a colleague saved two seconds earlier.",
)
def _http2(stage: Stage) -> None:
    seed = {f"/rotas/{n}": {**ROTA, "team": f"team {n}"} for n in ("icu", "er", "lab", "ward-3")}
    front = fronts.encrypted(stage, shelf(stage, "django", seed))
    me = stage.actor("client", front, "rota.example.test", "http2", {"cookie": "sid=3f9a"})
    other = stage.actor("other", front, "rota.example.test", "http2", {"cookie": "sid=77c0"})
    browse(me, list(seed), 2)
    tag, theirs = me.get("/rotas/er").etag, other.get("/rotas/er").etag
    other.put("/rotas/er", {**ROTA, "notes": "Keys in the blue box."}, 200, {"If-Match": theirs})
    browse(me, ["/rotas/icu", "/rotas/lab"])
    time.sleep(1.6)
    me.put("/rotas/er", {**ROTA, "team": "ER"}, 412, {"If-Match": tag})
    me.get("/rotas/er")
    browse(me, ["/rotas/lab"])


@case(
    "a303",
    "mod-dav-delete-of-a-renewed-file",
    "other-writer",
    "412",
    alone="other-writer",
    description="A clean-up script deletes a report on Apache mod_dav under the tag it listed; a nightly job has renewed the report.",
)
def _renewed(stage: Stage) -> None:
    server = fronts.site(stage, "apache2", {"reports/q3.txt": "Q3\n" + HANDBOOK}, fronts.DAV["apache2"])
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "reports.example.test", "node:axios")
    other = stage.actor("other", front, "reports.example.test", "urllib")
    tag = me.send("HEAD", "/reports/q3.txt", 200).etag
    other.put("/reports/q3.txt", "Q3, corrected\n", 204, TEXT)
    time.sleep(2.6)
    me.send("DELETE", "/reports/q3.txt", 412, {"If-Match": tag})
    me.get("/reports/q3.txt")


@case(
    "a304",
    "price-watch-by-date",
    "other-writer",
    "412",
    alone="other-writer",
    description="Dates only: the shop's script saves a price file under If-Unmodified-Since as served; the supplier's feed wrote three seconds before.",
)
def _by_date(stage: Stage) -> None:
    path = "/prices/bolts.csv"
    server = shelf(stage, "flask", {path: "sku,price\nm6,0.10\nm8,0.14\n"}, TAG="none", DATES="1")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "prices.example.test", "requests", {"Authorization": "Basic c2hvcDo="})
    other = stage.actor("other", front, "prices.example.test", "curl", {"Authorization": "Basic ZmVlZDo="})
    seen = me.get(path).fields["last-modified"]
    feed = other.get(path).fields["last-modified"]
    other.put(path, "sku,price\nm6,0.11\nm8,0.14\n", 200, {"If-Unmodified-Since": feed, **TEXT})
    time.sleep(3.0)
    me.put(path, "sku,price\nm6,0.10\nm8,0.15\n", 412, {"If-Unmodified-Since": seen, **TEXT})
    me.get(path)


@case(
    "a305",
    "form-autosave-overtakes-the-button",
    "self-race",
    "412",
    alone="self-race",
    description="One session's autosave and its save button go out 60 ms apart with the same tag; the first takes half a second.",
)
def _autosave(stage: Stage) -> None:
    path = "/drafts/0190f3c2-77aa"
    server = shelf(stage, "flask", {path: {"title": "Minutes", "text": ""}}, SLOW="0.5")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "drafts.example.test", "requests", {"Cookie": "session=91ab"})
    tag = me.get(path).etag

    def save(text: str) -> Answer:
        return me.put(path, {"title": "Minutes", "text": text}, (200, 412), {"If-Match": tag})

    at_once([lambda: save("Present: Ola"), lambda: save("Present: Ola, Siv")], 0.06, 1)
    me.get(path)


@case(
    "a306",
    "five-importers-one-record",
    "self-race",
    "412",
    alone="self-race",
    description="A run with five workers appends to one CherryPy record, all with the tag the run read at its start.",
)
def _importers(stage: Stage) -> None:
    path = "/ledgers/2026"
    server = shelf(stage, "cherrypy", {path: {"rows": 0}})
    me = stage.actor("client", server, "books.example.test", "httpx", {"X-Run-Id": "imp-20261126-1"})
    tag = me.get(path).etag
    calls = [
        lambda n=n: me.send("PATCH", path, (200, 412), {"If-Match": tag, **MERGE}, f'{{"row{n}":{n * 10}}}')
        for n in range(5)
    ]
    at_once(calls, 0.004, 4)
    me.get(path)


@case(
    "a307",
    "indexer-touches-what-was-saved",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description="After each save the service's search indexer adds members of its own; the next save with the tag of the own answer is refused.",
)
def _indexer(stage: Stage) -> None:
    path = "/articles/tidal-power"
    server = shelf(stage, "flask", {path: {"title": "Tidal power", "words": 800}}, FOLLOW="0.4")
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "press.example.test", "aiohttp", {"Authorization": "Bearer w-17"})
    tag = me.get(path).etag
    tag = me.put(path, {"title": "Tidal power", "words": 900}, 200, {"If-Match": tag}).etag
    time.sleep(1.3)
    me.put(path, {"title": "Tidal power", "words": 950}, 412, {"If-Match": tag})
    me.get(path)


@case(
    "a308",
    "upload-is-normalised-on-the-server",
    "server-side-mutation",
    "412",
    alone="server-side-mutation other-writer",
    description="A job on the file server rewrites line ends of each upload to mod_dav; the uploader's next PUT with the tag of its own file is refused.",
)
def _normalised(stage: Stage) -> None:
    server = fronts.site(stage, "apache2", {"in/ready.txt": "ready\n"}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "inbox.example.test", "requests")
    text = "id;total\r\n1;10\r\n2;20\r\n"
    me.put("/in/batch.csv", text, 201, {"Content-Type": "text/csv"})
    time.sleep(2.2)
    tag = me.send("HEAD", "/in/batch.csv", 200).etag
    fronts.put_file(server.directory, "in/batch.csv", text.replace("\r\n", "\n"), 1.5)
    time.sleep(1.0)
    me.put("/in/batch.csv", f"{text}3;30\r\n", 412, {"If-Match": tag, "Content-Type": "text/csv"})
    me.get("/in/batch.csv")


@case(
    "a309",
    "nginx-log-rotates-under-a-guarded-reader",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description="A collector reads a log from nginx in pieces with If-Match; the log is rotated between the third piece and the fourth.",
)
def _rotated(stage: Stage) -> None:
    server = fronts.site(stage, "nginx", {"app.log": "GET /a 200\n" * 300})
    me = stage.actor("client", server, "logs.example.test", "requests")
    tag = me.send("HEAD", "/app.log", 200).etag
    for number in range(4):
        span = {"Range": f"bytes={number * 800}-{number * 800 + 799}", "If-Match": tag}
        if number == 3:
            span["Connection"] = "close"  # nginx closes after its 412 and does not say so
        me.get("/app.log", 206 if number < 3 else 412, span)
        time.sleep(0.3)
        if number == 2:
            fronts.put_file(server.directory, "app.log", "GET /b 500\n" * 40)
    me.send("HEAD", "/app.log", 200)


@case(
    "a310",
    "caddy-image-spliced-from-two-versions",
    "read-changed-mid-transfer",
    "corruption",
    alone="read-changed-mid-transfer",
    description="A download manager fetches four ranges of a map from Caddy without a guard; the file is replaced half-way, the parts bear two tags.",
)
def _spliced(stage: Stage) -> None:
    server = fronts.site(stage, "caddy", {"maps/oslo.svg": "<svg>" + "<path d='M1 2'/>" * 200 + "</svg>"})
    me = stage.actor("client", server, "maps.example.test", "aiohttp")
    for number in range(4):
        me.get("/maps/oslo.svg", 206, {"Range": f"bytes={number * 700}-{number * 700 + 699}"})
        time.sleep(0.5)
        if number == 1:
            fronts.put_file(
                server.directory, "maps/oslo.svg", "<svg>" + "<path d='M3 4'/>" * 220 + "</svg>", 0.2
            )


@case(
    "a311",
    "aiohttp-file-replaced-between-ranges",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description="curl resumes a release file from aiohttp's FileResponse under If-Match; a new build was published after the second part.",
)
def _published(stage: Stage) -> None:
    server = shelf(stage, "aiohttp", {})
    setup = stage.actor("other", server, "builds.example.test", "httpx", {"Authorization": "Bearer ci"})
    setup.put("/files/app.tar", b"build-41 " * 300, 204)
    stage.forget()
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "builds.example.test", "curl")
    tag = me.get("/files/app.tar", 206, {"Range": "bytes=0-999"}).etag
    me.get("/files/app.tar", 206, {"Range": "bytes=1000-1999", "If-Match": tag})
    setup.put("/files/app.tar", b"build-42 " * 310, 204)
    time.sleep(0.6)
    me.get("/files/app.tar", 412, {"Range": "bytes=2000-2699", "If-Match": tag})
    me.get("/files/app.tar", 206, {"Range": "bytes=0-999"})


@case(
    "a312",
    "mod-dav-name-is-taken",
    "exists-already",
    "412",
    alone="exists-already",
    description="A scanner stores page 17 create-only on Apache mod_dav; another scanner has stored its own page 17 before.",
)
def _taken(stage: Stage) -> None:
    server = fronts.site(stage, "apache2", {"scans/page-16.txt": "p16"}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "scans.example.test", "java")
    other = stage.actor("other", server, "scans.example.test", "requests", {"X-Device": "scanner-2"})
    other.put("/scans/page-17.txt", "invoice 4410, page 1 of 2\n", 201, {"If-None-Match": "*", **TEXT})
    time.sleep(2.3)
    me.put("/scans/page-17.txt", "contract, page 17\n", 412, {"If-None-Match": "*", **TEXT})
    me.get("/scans/page-17.txt")


@case(
    "a313",
    "user-name-already-registered",
    "exists-already",
    "412",
    alone="exists-already",
    description="A sign-up form creates a profile under a name with If-None-Match: *; somebody registered it last year.",
)
def _registered(stage: Stage) -> None:
    path = "/people/solveig"
    server = shelf(stage, "falcon", {path: {"name": "Solveig Dahl", "since": "2025-03-02"}})
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, "people.example.test", "node", {"Origin": "http://people.example.test"})
    me.get("/people/solveig-n", 404)
    me.put(path, {"name": "Solveig Nes", "since": "2026-11-26"}, 412, {"If-None-Match": "*"})
    me.get(path)


@case(
    "a314",
    "radicale-uid-path-taken",
    "exists-already",
    "412",
    alone="exists-already",
    description="An assistant adds a meeting to a shared calendar on Radicale under a speaking file name that another meeting has.",
)
def _meeting(stage: Stage) -> None:
    from tools.recording_apis.stories.caldav import event  # noqa: PLC0415

    server = stage.server("radicale")
    other = stage.actor("other", server, "dav.example.test", "requests", {"Authorization": "Basic Ym86Ym8="})
    me = stage.actor("client", server, "dav.example.test", "httpx", {"Authorization": "Basic Ym86Ym8="})
    made = "<?xml version='1.0'?><C:mkcalendar xmlns:C='urn:ietf:params:xml:ns:caldav'/>"
    other.send("MKCALENDAR", "/bo/office/", 201, {"Content-Type": "application/xml"}, made)
    kind = {"If-None-Match": "*", "Content-Type": "text/calendar"}
    other.put("/bo/office/board-meeting.ics", event("b-1", "Board meeting, spring"), 201, kind)
    time.sleep(1.2)
    me.put("/bo/office/board-meeting.ics", event("b-2", "Board meeting, autumn"), 412, kind)
    me.get("/bo/office/board-meeting.ics")


@case(
    "a315",
    "patch-of-a-deleted-order",
    "target-missing",
    "412",
    alone="target-missing",
    description="A packer updates an order that the customer has cancelled meanwhile: 412 under If-Match, then 404.",
)
def _cancelled(stage: Stage) -> None:
    path = "/orders/A-20931"
    server = shelf(
        stage, "flask", {path: {"state": "open", "lines": 4}, "/orders/A-20932": {"state": "open"}}
    )
    me = stage.actor("client", server, "orders.example.test", "requests", {"Authorization": "Bearer pack"})
    other = stage.actor("other", server, "orders.example.test", "node", {"Authorization": "Bearer shop"})
    tag = me.get(path).etag
    other.send("DELETE", path, 204, {"If-Match": other.get(path).etag})
    time.sleep(1.5)
    me.send("PATCH", path, 412, {"If-Match": tag, **MERGE}, '{"state":"packed"}')
    me.get(path, 404)
    me.get("/orders/A-20932")


@case(
    "a316",
    "mod-dav-upload-to-a-removed-file",
    "target-missing",
    "412",
    alone="target-missing",
    description="An editor saves a page on mod_dav with the tag it read; an administrator removed the page from the disk.",
)
def _removed(stage: Stage) -> None:
    server = fronts.site(stage, "apache2", {"wiki/start.txt": HANDBOOK}, fronts.DAV["apache2"])
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "wiki.example.test", "urllib")
    tag = me.get("/wiki/start.txt").etag
    (server.directory / "wiki" / "start.txt").unlink()
    time.sleep(1.1)
    me.put("/wiki/start.txt", f"{HANDBOOK}\nThe end.\n", 412, {"If-Match": tag, **TEXT})
    me.send("HEAD", "/wiki/start.txt", 404)


@case(
    "a317",
    "second-delete-finds-nothing",
    "target-missing",
    "404",
    alone="target-missing",
    description="Two clean-up jobs delete one expired link, each with the tag of its read; the slower one gets 404.",
)
def _second_delete(stage: Stage) -> None:
    path = "/links/kq7-xw"
    server = shelf(stage, "falcon", {path: {"to": "https://example.test/a", "expires": "2026-11-01"}})
    me = stage.actor("client", server, "links.example.test", "aiohttp", {"X-Job": "sweep-b"})
    other = stage.actor("other", server, "links.example.test", "requests", {"X-Job": "sweep-a"})
    tag, theirs = me.get(path).etag, other.get(path).etag
    other.send("DELETE", path, 204, {"If-Match": theirs})
    time.sleep(0.7)
    me.send("DELETE", path, 404, {"If-Match": tag})
    me.get(path, 404)
