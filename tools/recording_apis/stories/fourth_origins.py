"""Services whose tags do not hold, and services that judge conditions wrongly."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.fourth_setting import HANDBOOK, MERGE, ROTA, TEXT, at_once, browse, shelf

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server


@case(
    "a400",
    "django-gzip-under-conditional-get",
    "unstable-etag",
    "no-304",
    alone="unstable-etag",
    description="Django's ConditionalGetMiddleware hashes what GZipMiddleware made, which pads each answer at random: every poll sees a new tag for the same text.",
)
def _gzip_inside(stage: Stage) -> None:
    settings = {"MIDDLEWARE": "http.ConditionalGetMiddleware,gzip.GZipMiddleware", "TAG": "none"}
    server = shelf(stage, "django", {"/rotas/5": ROTA}, **settings)
    me = stage.actor("client", server, "rota.example.test", "requests")
    tag = me.get("/rotas/5").etag
    for _ in range(5):
        tag = me.get("/rotas/5", 200, {"If-None-Match": tag}).etag
        time.sleep(0.5)


@case(
    "a401",
    "tag-is-the-moment-of-the-answer",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description="The service makes its tags of the time at which it answers; no save ever fits, though one client only is about and the text stays.",
)
def _moment(stage: Stage) -> None:
    path = "/themes/dark"
    server = shelf(stage, "aiohttp", {path: {"ink": "#eee", "paper": "#111"}}, TAG="clock")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "themes.example.test", "node")
    for ink in ("#ddd", "#ccc"):
        tag = me.get(path).etag
        me.get(path)
        me.put(path, {"ink": ink, "paper": "#111"}, 412, {"If-Match": tag})
        time.sleep(0.7)


@case(
    "a402",
    "nonce-in-each-page",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description="Flask hashes a document with a fresh anti-forgery token in it: tags differ from read to read, saves are refused over HTTP/2 as well.",
)
def _nonce(stage: Stage) -> None:
    server = stage.server("application", app="documents_flask", NONCE="1")
    front = fronts.encrypted(stage, server)
    me = stage.actor("client", front, "terms.example.test", "http2")
    me.get("/documents/8")
    for text in ("Draft of June", "Draft of July"):
        tag = me.get("/documents/7").etag
        time.sleep(0.5)
        me.put("/documents/7", {"name": "Terms", "text": text}, 412, {"If-Match": tag})
    me.get("/documents/7")
    me.get("/documents/7")


@case(
    "a403",
    "tag-of-the-receipt",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch wrong-token-source",
    description="A PUT is answered with a receipt that has a tag of its own; the client takes it for the document's and its next save is refused.",
)
def _receipt(stage: Stage) -> None:
    path = "/orders/7711"
    server = shelf(stage, "flask", {path: {"lines": 1}, "/orders/7712": {"lines": 9}}, ECHO="1")
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, "orders.example.test", "java")
    tag = me.get(path).etag
    tag = me.put(path, {"lines": 2}, 200, {"If-Match": tag}).etag
    time.sleep(0.6)
    me.put(path, {"lines": 3}, 412, {"If-Match": tag})
    tag = me.get(path).etag
    me.put(path, {"lines": 3}, 200, {"If-Match": tag})


def _nginx_reads_apache_writes(stage: Stage) -> Server:
    """Return an nginx that serves files itself and passes writes of the same files to mod_dav."""
    server = fronts.site(stage, "apache2", {"docs/faq.txt": HANDBOOK}, fronts.DAV["apache2"])
    block = f"root {server.directory}; "
    write = "if ($request_method !~ ^(GET|HEAD)$) { proxy_pass http://127.0.0.1:%d; }" % stage.behind(server)  # noqa: UP031 - braces
    return fronts.nginx(
        stage, server, "", "", f"location /docs/ {{ {block} proxy_set_header Host $http_host; {write} }}"
    )


@case(
    "a404",
    "nginx-reads-and-mod-dav-writes",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch unsupported-precondition",
    description="nginx serves the files with tags of its own shape, Apache judges the writes of the same files by its own: no guarded PUT ever fits.",
)
def _two_servers(stage: Stage) -> None:
    front = _nginx_reads_apache_writes(stage)
    me = stage.actor("client", front, "docs.example.test", "requests")
    for text in ("Ask Bo.\n", "Ask Bo or Ida.\n"):
        tag = me.get("/docs/faq.txt").etag
        me.put("/docs/faq.txt", text, 412, {"If-Match": tag, **TEXT})
        time.sleep(0.6)
    me.send("HEAD", "/docs/faq.txt", 200)


@case(
    "a405",
    "propfind-tag-of-one-server-delete-at-the-other",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch wrong-token-source",
    description="A sync tool takes tags from PROPFIND (mod_dav) for its writes and from GET (nginx) for its deletes; only the first kind fits.",
)
def _propfind(stage: Stage) -> None:
    front = _nginx_reads_apache_writes(stage)
    me = stage.actor("client", front, "docs.example.test", "httpx")
    ask = "<?xml version='1.0'?><D:propfind xmlns:D='DAV:'><D:prop><D:getetag/></D:prop></D:propfind>"
    listed = me.send("PROPFIND", "/docs/faq.txt", 207, {"Depth": "0", "Content-Type": "text/xml"}, ask).text
    tag = listed.split("getetag>")[1].split("<")[0].replace("&quot;", '"')
    me.put("/docs/faq.txt", HANDBOOK[:400], 204, {"If-Match": tag, **TEXT})
    time.sleep(2.2)
    tag = me.get("/docs/faq.txt").etag
    me.send("DELETE", "/docs/faq.txt", 412, {"If-Match": tag})
    me.send("PROPFIND", "/docs/faq.txt", 207, {"Depth": "0", "Content-Type": "text/xml"}, ask)


@case(
    "a406",
    "weak-tags-and-a-strict-service",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description="The service marks every tag weak, identity encoding or not, and compares If-Match strongly: no guarded save can pass.",
)
def _strict(stage: Stage) -> None:
    path = "/wishes/12"
    server = shelf(stage, "aiohttp", {path: {"gift": "book"}}, WEAK="1")
    me = stage.actor("client", server, "wishes.example.test", "curl", {"Accept-Encoding": "identity"})
    for gift in ("boots", "bike"):
        tag = me.get(path).etag
        me.put(path, f'{{"gift":"{gift}"}}', 412, {"If-Match": tag, "Content-Type": "application/json"})
        time.sleep(0.5)


@case(
    "a407",
    "flask-weak-tags-a-patch-and-a-delete",
    "weak-only-origin",
    "412",
    alone="weak-only-origin etag-weakened",
    description="Weak tags from a Flask service behind HAProxy without compression; PATCH and DELETE with the current one are refused by strong comparison.",
)
def _weak_flask(stage: Stage) -> None:
    path = "/plots/17"
    server = shelf(stage, "flask", {path: {"crop": "oats"}, "/plots/18": {"crop": "rye"}}, WEAK="strict")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "farm.example.test", "urllib")
    tags = {one: me.get(one).etag for one in (path, "/plots/18")}
    me.send("PATCH", path, 412, {"If-Match": tags[path], **MERGE}, '{"crop":"barley"}')
    time.sleep(0.6)
    me.send("DELETE", "/plots/18", 412, {"If-Match": tags["/plots/18"]})
    browse(me, [path])


@case(
    "a408",
    "tomcat-put-through-caddy-then-by-date",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description="Tomcat's default servlet knows weak tags only: a PUT with the tag just read is refused twice; the same PUT under If-Unmodified-Since passes.",
)
def _tomcat(stage: Stage) -> None:
    server = stage.server("tomcat")
    setup = stage.actor("setup", server, "store.example.test", "requests")
    setup.put("/stock.csv", "sku;n\na;4\n", 201, TEXT)
    time.sleep(1.5)
    stage.forget()
    me = stage.actor("client", fronts.caddy(stage, server), "store.example.test", "node:axios")
    for _ in range(2):
        read = me.get("/stock.csv")
        me.put("/stock.csv", "sku;n\na;5\n", 412, {"If-Match": read.etag, **TEXT})
        time.sleep(0.4)
    seen = {"If-Unmodified-Since": read.fields["last-modified"]}
    me.put("/stock.csv", "sku;n\na;5\n", 204, {**seen, **TEXT})


@case(
    "a409",
    "read-as-csv-written-as-json",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description="A report tool reads a document as CSV and saves JSON under the tag of the CSV; read with the Accept of the write it passes.",
)
def _csv(stage: Stage) -> None:
    path = "/samples/s-4"
    server = shelf(stage, "flask", {path: {"ph": 7.1, "salt": 0.3}}, VIEWS="1", TAG="hash")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "lab.example.test", "requests")
    tag = me.get(path, 200, {"Accept": "text/csv"}).etag
    me.put(path, {"ph": 7.2, "salt": 0.3}, 412, {"If-Match": tag, "Accept": "application/json"})
    time.sleep(0.9)
    tag = me.get(path, 200, {"Accept": "application/json"}).etag
    me.put(path, {"ph": 7.2, "salt": 0.3}, 200, {"If-Match": tag, "Accept": "application/json"})


@case(
    "a410",
    "short-view-guards-the-whole",
    "representation-mismatch",
    "412",
    alone="representation-mismatch wrong-token-source",
    description="A phone reads ?view=short, which has a tag of its own, and patches the document itself with it.",
)
def _short(stage: Stage) -> None:
    path = "/trips/t-90"
    seed = {path: {"from": "Oslo", "to": "Rome", "seat": "14C", "meal": "veg"}}
    server = shelf(stage, "flask", seed, VIEWS="1")
    me = stage.actor("client", server, "trips.example.test", "node", {"User-Agent": "Trips/7 (Android 15)"})
    tag = me.get(f"{path}?view=short").etag
    me.send("PATCH", path, 412, {"If-Match": tag, **MERGE}, '{"seat":"3A"}')
    time.sleep(0.5)
    tag = me.get(path).etag
    me.send("PATCH", path, 200, {"If-Match": tag, **MERGE}, '{"seat":"3A"}')


@case(
    "a411",
    "new-page-on-mod-dav-saved-at-once",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description="A note is stored on mod_dav and saved again within the same second: its tag is still weak; a little later the same tag is strong and passes.",
)
def _at_once(stage: Stage) -> None:
    server = fronts.site(stage, "apache2", {"a.txt": "a"}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "notes.example.test", "aiohttp")
    me.put("/n/0190.txt", "1", (201, 409), TEXT)
    me.send("MKCOL", "/n", 201)
    me.put("/n/0190.txt", "buy nails", 201, TEXT)
    tag = me.get("/n/0190.txt").etag
    me.put("/n/0190.txt", "buy nails, glue", 412, {"If-Match": tag, **TEXT})
    time.sleep(2.2)
    tag = me.get("/n/0190.txt").etag
    me.put("/n/0190.txt", "buy nails, glue", 204, {"If-Match": tag, **TEXT})


@case(
    "a412",
    "young-upload-cannot-be-removed",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description="A test uploads a file to mod_dav behind HAProxy and deletes it in the same breath, guarded: the weak tag of the young file is refused, later it works.",
)
def _young(stage: Stage) -> None:
    server = fronts.site(stage, "apache2", {"a.txt": "a"}, fronts.DAV["apache2"])
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "ci.example.test", "curl")
    me.put("/probe-31.bin", "x" * 64, 201, TEXT)
    tag = me.send("HEAD", "/probe-31.bin", 200).etag
    me.send("DELETE", "/probe-31.bin", 412, {"If-Match": tag})
    time.sleep(2.3)
    tag = me.send("HEAD", "/probe-31.bin", 200).etag
    me.send("DELETE", "/probe-31.bin", 204, {"If-Match": tag})


@case(
    "a413",
    "cherrypy-tool-judges-after-the-handler",
    "post-commit-412",
    "412",
    alone="post-commit-412 intermediary-replay",
    description="CherryPy's tools.etags compares If-Match when the PUT has been stored: the client is refused although its tag was right, and the read shows its own text.",
)
def _after(stage: Stage) -> None:
    path = "/recipes/rye-bread"
    server = shelf(stage, "cherrypy", {path: {"flour": "wheat", "hours": 12}}, LATE="1")
    me = stage.actor("client", server, "bread.example.test", "requests")
    tag = me.get(path).etag
    me.put(path, {"flour": "rye", "hours": 18}, 412, {"If-Match": tag})
    time.sleep(0.4)
    me.get(path)


@case(
    "a414",
    "cherrypy-refuses-the-patches-it-stores",
    "post-commit-412",
    "412",
    alone="post-commit-412 intermediary-replay",
    description="Two PATCHes through Traefik, each under the tag just read, are both answered 412 by CherryPy after they were stored.",
)
def _patches(stage: Stage) -> None:
    path = "/recipes/waffles"
    server = shelf(stage, "cherrypy", {path: {"eggs": 3, "milk": 4}}, LATE="1")
    me = stage.actor("client", fronts.traefik(stage, [server]), "bread.example.test", "node")
    for eggs in (4, 5):
        tag = me.get(path).etag
        me.send("PATCH", path, 412, {"If-Match": tag, **MERGE}, f'{{"eggs":{eggs}}}')
        time.sleep(0.6)
    me.get(path)


@case(
    "a415",
    "nginx-dav-never-looks-at-if-match",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored server-precondition-bug precondition-stripped",
    description="nginx's dav module takes a PUT whose If-Match names the tag from before the client's own upload: the condition is not read.",
)
def _nginx_dav(stage: Stage) -> None:
    server = fronts.site(stage, "nginx", {"logs/day.txt": "08:00 start\n"}, fronts.DAV["nginx"])
    me = stage.actor("client", server, "ship.example.test", "httpx")
    first = me.get("/logs/day.txt").etag
    me.put("/logs/day.txt", "08:00 start\n09:00 fog\n", 204, {"If-Match": first, **TEXT})
    time.sleep(1.2)
    me.get("/logs/day.txt")
    me.put("/logs/day.txt", "08:00 start\n10:00 sun\n", 204, {"If-Match": first, **TEXT})
    me.get("/logs/day.txt")


@case(
    "a416",
    "tag-of-last-week-is-good-enough",
    "precondition-ignored",
    "lost-update",
    alone="none precondition-ignored server-precondition-bug precondition-stripped",
    also="other-writer",
    description="The service never compares: a colleague's change is overwritten by a PUT with the tag from before it.",
)
def _never(stage: Stage) -> None:
    path = "/menus/friday"
    server = shelf(stage, "flask", {path: {"soup": "pea", "main": "cod"}}, GUARD="off")
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "canteen.example.test", "java", {"X-Cook": "1"})
    other = stage.actor("other", front, "canteen.example.test", "requests", {"X-Cook": "2"})
    tag, theirs = me.get(path).etag, other.get(path).etag
    other.put(path, {"soup": "pea", "main": "hake"}, 200, {"If-Match": theirs})
    time.sleep(1.4)
    me.put(path, {"soup": "leek", "main": "cod"}, 200, {"If-Match": tag})
    me.get(path)


@case(
    "a417",
    "json-server-takes-any-tag",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored server-precondition-bug precondition-stripped",
    description="json-server gives tags and takes PUTs under any: the same first tag passes three times though each save changed the post.",
)
def _json_server(stage: Stage) -> None:
    content = '{"posts":[{"id":4,"title":"Snow","likes":1},{"id":5,"title":"Sleet","likes":0}]}'
    server = stage.server("json-server", content=content)
    me = stage.actor("client", server, "blog.example.test", "requests")
    tag = me.get("/posts/4").etag
    for likes in (2, 3, 4):
        me.put("/posts/4", {"id": 4, "title": "Snow", "likes": likes}, 200, {"If-Match": tag})
        time.sleep(0.4)
    me.get("/posts/4")


@case(
    "a418",
    "two-tills-one-drawer",
    "check-then-write-race",
    "lost-update",
    alone="none stale-stored-token check-then-write-race",
    also="other-writer",
    description="The service checks, waits for its stock system, then writes: two overlapping PUTs under one tag both get 200; later the old tag alone is refused.",
)
def _tills(stage: Stage) -> None:
    path = "/drawers/3"
    server = shelf(stage, "flask", {path: {"cash": 500}}, GUARD="naive", GAP="0.4")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "tills.example.test", "requests", {"X-Till": "1"})
    other = stage.actor("other", front, "tills.example.test", "httpx", {"X-Till": "2"})
    tag, theirs = me.get(path).etag, other.get(path).etag
    at_once(
        [
            lambda: me.put(path, {"cash": 520}, 200, {"If-Match": tag}),
            lambda: other.put(path, {"cash": 540}, 200, {"If-Match": theirs}),
        ],
        0.1,
    )
    time.sleep(0.6)
    me.put(path, {"cash": 560}, 412, {"If-Match": tag})
    me.get(path)


@case(
    "a419",
    "one-agents-two-threads-both-taken",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race self-race precondition-ignored",
    also="self-race",
    description="Two threads of one agent patch a counter with the same tag at once; Django's check is not atomic with the write, both get 200, one is lost.",
)
def _threads(stage: Stage) -> None:
    path = "/counters/visits"
    server = shelf(stage, "django", {path: {"north": 0, "south": 0}}, GAP="0.5")
    me = stage.actor("client", server, "count.example.test", "httpx", {"X-Agent": "gate-7"})
    tag = me.get(path).etag
    north, south = '{"north":9,"south":0}', '{"north":0,"south":4}'
    kind = {"If-Match": tag, "Content-Type": "application/json"}
    at_once([lambda: me.put(path, north, 200, kind), lambda: me.put(path, south, 200, kind)], 0.08)
    time.sleep(0.5)
    me.get(path)
    me.put(path, north, 412, kind)
