"""What intermediaries do to tags and conditions on the way."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.fourth_setting import HANDBOOK, MERGE, ROTA, TEXT, shelf


@case(
    "a370",
    "caddy-encode-and-a-django-service",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description="Caddy compresses a rota and appends -gzip to its tag; Django compares the whole text and refuses the save, twice.",
)
def _caddy(stage: Stage) -> None:
    front = fronts.caddy(stage, shelf(stage, "django", {"/rotas/1": ROTA}), " encode gzip")
    me = stage.actor("client", front, "rota.example.test", "requests")
    tag = me.get("/rotas/1").etag
    me.put("/rotas/1", {**ROTA, "team": "day shift"}, 412, {"If-Match": tag})
    time.sleep(0.8)
    me.put("/rotas/1", {**ROTA, "team": "day shift"}, 412, {"If-Match": me.get("/rotas/1").etag})


@case(
    "a371",
    "apache-deflate-before-aiohttp-delete",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description="Apache's deflate filter puts -gzip inside the quotes; a DELETE with that tag is refused by the service, one with the tag of an identity read passes.",
)
def _deflate(stage: Stage) -> None:
    server = shelf(stage, "aiohttp", {"/plans/7": ROTA}, TAG="hash")
    front = fronts.apache(stage, server, "SetOutputFilter DEFLATE")
    me = stage.actor("client", front, "plans.example.test", "httpx")
    tag = me.get("/plans/7").etag
    me.send("DELETE", "/plans/7", 412, {"If-Match": tag})
    time.sleep(1.1)
    tag = me.get("/plans/7", 200, {"Accept-Encoding": "identity"}).etag
    me.send("DELETE", "/plans/7", 204, {"If-Match": tag})


@case(
    "a372",
    "apache-brotli-suffix-on-a-patch",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description="Apache's brotli filter makes the tag end in -br; the PATCH with it is refused by Flask.",
)
def _brotli(stage: Stage) -> None:
    server = shelf(stage, "flask", {"/rotas/2": ROTA})
    front = fronts.apache(stage, server, "SetOutputFilter BROTLI_COMPRESS")
    me = stage.actor("client", front, "rota.example.test", "node:axios")
    tag = me.get("/rotas/2", 200, {"Accept-Encoding": "br"}).etag
    me.send("PATCH", "/rotas/2", 412, {"If-Match": tag, **MERGE}, '{"team":"x"}')
    me.send("PATCH", "/rotas/2", 412, {"If-Match": tag, **MERGE}, '{"team":"x"}')


@case(
    "a373",
    "nginx-gzip-before-falcon",
    "etag-weakened",
    "412",
    alone="etag-weakened weak-only-origin",
    description="nginx compresses and marks the tag weak; Falcon's strong comparison refuses the save.",
)
def _nginx_gzip(stage: Stage) -> None:
    front = fronts.nginx_gzip(stage, shelf(stage, "falcon", {"/rotas/3": ROTA}))
    me = stage.actor("client", front, "rota.example.test", "aiohttp")
    for text in ("Knock twice.", "Knock three times."):
        tag = me.get("/rotas/3").etag
        me.put("/rotas/3", {**ROTA, "notes": text}, 412, {"If-Match": tag})
        time.sleep(0.6)


@case(
    "a374",
    "haproxy-compression-healed-by-head",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description="HAProxy's compression marks the tag weak; HEAD is not compressed and shows the strong one, with which the save passes.",
)
def _haproxy_compression(stage: Stage) -> None:
    server = shelf(stage, "aiohttp", {"/rotas/4": ROTA}, TAG="time")
    rules = " compression algo gzip\n compression type application/json"
    front = fronts.haproxy(stage, [server], rules)
    me = stage.actor("client", front, "rota.example.test", "node")
    tag = me.get("/rotas/4").etag
    me.put("/rotas/4", {**ROTA, "team": "early"}, 412, {"If-Match": tag})
    tag = me.send("HEAD", "/rotas/4", 200, {"Accept-Encoding": "identity"}).etag
    me.put("/rotas/4", {**ROTA, "team": "early"}, 200, {"If-Match": tag})


@case(
    "a375",
    "nginx-gzip-before-mod-dav",
    "etag-weakened",
    "412",
    alone="etag-weakened weak-only-origin",
    description="A handbook on mod_dav behind a compressing nginx: W/ on every read, so each guarded PUT and DELETE fails at Apache.",
)
def _gzip_dav(stage: Stage) -> None:
    server = fronts.site(stage, "apache2", {"handbook.txt": HANDBOOK}, fronts.DAV["apache2"])
    front = fronts.nginx_gzip(stage, server)
    me = stage.actor("client", front, "files.example.test", "requests")
    tag = me.get("/handbook.txt").etag
    me.put("/handbook.txt", "short\n", 412, {"If-Match": tag, **TEXT})
    time.sleep(0.7)
    me.send("DELETE", "/handbook.txt", 412, {"If-Match": me.get("/handbook.txt").etag})


@case(
    "a376",
    "nginx-blanks-if-match",
    "precondition-stripped",
    "lost-update",
    alone="none precondition-stripped precondition-ignored",
    also="other-writer",
    description="nginx blanks If-Match on its way to the service: a save with an outdated tag is taken and a colleague's field is gone.",
)
def _blanked(stage: Stage) -> None:
    path = "/cases/2026-77"
    server = shelf(stage, "django", {path: {"state": "new", "owner": None}})
    front = fronts.nginx(stage, server, 'proxy_set_header If-Match "";')
    me = stage.actor("client", front, "cases.example.test", "httpx", {"X-User": "ann"})
    other = stage.actor("other", front, "cases.example.test", "requests", {"X-User": "bo"})
    tag, theirs = me.get(path).etag, other.get(path).etag
    other.put(path, {"state": "new", "owner": "bo"}, 200, {"If-Match": theirs})
    time.sleep(0.9)
    me.put(path, {"state": "closed", "owner": None}, 200, {"If-Match": tag})
    me.get(path)


@case(
    "a377",
    "haproxy-deletes-the-create-guard",
    "precondition-stripped",
    "lost-update",
    alone="none precondition-stripped precondition-ignored",
    description="HAProxy deletes If-None-Match from every request 'for the cache'; a create-only PUT overwrites the document that was there.",
)
def _guard_gone(stage: Stage) -> None:
    path = "/names/fjord"
    server = shelf(stage, "falcon", {path: {"owner": "h.berg"}})
    front = fronts.haproxy(stage, [server], " http-request del-header If-None-Match")
    me = stage.actor("client", front, "names.example.test", "aiohttp")
    me.put(path, {"owner": "k.lie"}, 200, {"If-None-Match": "*"})
    me.get(path)


@case(
    "a378",
    "traefik-header-list-and-a-428",
    "precondition-stripped",
    "428",
    alone="precondition-stripped token-missing",
    description="A Traefik middleware empties If-Match; the service says 428 to a request that left the client with its tag.",
)
def _traefik(stage: Stage) -> None:
    path = "/tariffs/b2"
    server = shelf(stage, "flask", {path: {"price": 3}}, REQUIRE="428")
    rule = '    clean:\n      headers:\n        customRequestHeaders:\n          If-Match: ""\n'
    front = fronts.traefik(stage, [server], rule, "clean")
    me = stage.actor("client", front, "tariffs.example.test", "node")
    tag = me.get(path).etag
    me.put(path, {"price": 4}, 428, {"If-Match": tag})
    time.sleep(0.5)
    me.put(path, {"price": 4}, 428, {"If-Match": me.get(path).etag})


@case(
    "a379",
    "apache-unsets-the-condition-own-old-tag-taken",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped server-precondition-bug",
    description="Apache unsets If-Match: the client's third save with the tag from before its second one is taken, although the service checks properly.",
)
def _unset(stage: Stage) -> None:
    path = "/budgets/it"
    server = shelf(stage, "aiohttp", {path: {"sum": 10}})
    front = fronts.apache(stage, server, "RequestHeader unset If-Match")
    me = stage.actor("client", front, "budgets.example.test", "curl")
    kind = {"Content-Type": "application/json"}
    first = me.get(path).etag
    me.put(path, '{"sum":11}', 200, {"If-Match": first, **kind})
    time.sleep(0.6)
    me.put(path, '{"sum":12}', 200, {"If-Match": first, **kind})
    me.put(path, '{"sum":13}', 200, {"If-Match": first, **kind})
    me.get(path)
