"""Stories behind real intermediaries: compressors, caches, balancers, filters, redirects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.lee_core import Desk, Req, Res, counted, hashed
from tools.recording_apis.stage import case
from tools.recording_apis.stories.held_lee_setting import again, desk_on, rest, says, sure

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d889",
    "lee-playlist-behind-deflate",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "A radio station's running orders in YAML behind an Apache with mod_deflate: the tag that the presenter's tool "
        "reads ends in -gzip inside the quotes, and the service, which never made such a tag, refuses each save."
    ),
)
def playlist(stage: Stage) -> None:
    """Save with the tag of the compressed answer."""
    show = "title: {}\nhost: Aleida\nblocks:\n" + "".join(
        f"  - at: '0{n}:15'\n    item: jingle\n" for n in range(8)
    )
    desk = Desk(
        {f"/rundown/{n}.yaml": ("text/yaml", show.format(n)) for n in ("ochtend", "middag", "nacht")},
        hashed(20, "md5"),
        words={412: ("text/yaml", "fout: draaiboek is niet meer wat u las\n")},
        echo=False,
    )
    desk.views["/rundown/"] = says("- ochtend.yaml\n- middag.yaml\n- nacht.yaml\n", Content_Type="text/yaml")
    server = desk_on(stage, desk, "flask")
    lines = "AddOutputFilterByType DEFLATE text/yaml\nDeflateCompressionLevel 6"
    me = stage.actor("client", fronts.apache(stage, server, lines), "regie.golfslag.example", "httpx")
    me.get("/rundown/")
    seen = me.get("/rundown/middag.yaml")
    sure(seen.etag.endswith('-gzip"'))
    me.get("/rundown/middag.yaml", 200, {"If-None-Match": seen.etag})
    me.put(
        "/rundown/middag.yaml",
        seen.text + "  - at: '09:00'\n    item: nieuws\n",
        412,
        {"If-Match": seen.etag},
    )
    rest(0.5)
    more = me.get("/rundown/middag.yaml")
    sure(more.etag == seen.etag)
    me.put(
        "/rundown/middag.yaml",
        seen.text + "  - at: '09:00'\n    item: nieuws\n",
        412,
        {"If-Match": more.etag},
    )
    me.get("/rundown/nacht.yaml")
    plain = me.get("/rundown/middag.yaml", 200, {"Accept-Encoding": "identity"})
    sure(plain.etag == seen.etag.replace("-gzip", ""))


@case(
    "d898",
    "lee-canteen-menus-weakened",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "A hospital kitchen's menus as CSV behind an nginx that compresses: the browser tool reads W/ tags and its "
        "save is refused; a short file, which nginx leaves as it is, has a strong tag and is saved at once."
    ),
)
def menus(stage: Stage) -> None:
    """Save with a weakened tag."""
    rows = "tag;gericht;diät;portionen\n" + "".join(
        f"{d};Gemüsesuppe mit Brot;vegan;{80 + n}\n" for n, d in enumerate(("Mo", "Di", "Mi", "Do", "Fr"))
    )
    desk = Desk(
        {
            "/speiseplan/kw48.csv": ("text/csv", rows),
            "/speiseplan/kw49.csv": ("text/csv", rows + "Sa;Grießbrei;;60\n"),
            "/speiseplan/hinweis.csv": ("text/csv", "a;b\n1;2\n"),
        },
        lambda path, sheet: f'"{len(path):x}-{sheet.rev:04x}-{len(sheet.body):x}"',
        dated=True,
        words={412: ("application/json", '{"fehler":"Datei wurde geändert","code":"PLAN-7"}')},
    )
    desk.views["/anmeldung"] = says({"kennung": "kueche2"}, 200, Set_Cookie="s=7c1e; Path=/")
    server = desk_on(stage, desk, "cheroot")
    front = fronts.nginx(
        stage, server, "gzip on; gzip_types text/csv; gzip_min_length 60; gzip_proxied any; gzip_vary on;"
    )
    me = stage.actor(
        "client", front, "kueche.klinikum-nord.example", "node:axios", {"Accept-Encoding": "gzip"}
    )
    me.send("POST", "/anmeldung", 200, None, {"pin": "0000"})
    short = me.get("/speiseplan/hinweis.csv")
    me.put("/speiseplan/hinweis.csv", "a;b\n1;3\n", 200, {"If-Match": short.etag, "Content-Type": "text/csv"})
    week = me.get("/speiseplan/kw48.csv")
    sure(week.etag.startswith("W/") and not short.etag.startswith("W/"))
    again(me, "/speiseplan/kw48.csv", week)
    edit = {"If-Match": week.etag, "Content-Type": "text/csv"}
    me.put("/speiseplan/kw48.csv", rows.replace("83", "95"), 412, edit)
    rest(0.6)
    sure(me.get("/speiseplan/kw48.csv").etag == week.etag)
    me.put("/speiseplan/kw48.csv", rows.replace("83", "95"), 412, edit)
    sure(me.get("/speiseplan/kw48.csv", 200, {"Accept-Encoding": "identity"}).etag == week.etag[2:])


@case(
    "d908",
    "lee-stop-boards-from-varnish",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Departure boards of bus stops behind a Varnish that keeps reads for a minute: a dispatcher's edits are refused "
        "twice with the tag of answers that have an Age; only a read with a fresh query shows what a colleague stored."
    ),
)
def boards(stage: Stage) -> None:
    """Edit what the cache has kept."""
    docs = {
        f"/taulu/{n}": {"pysäkki": n, "viesti": "", "linjat": [4, 17], "kirkkaus": 70}
        for n in (2103, 2104, 2110)
    }
    desk = Desk(
        docs,
        hashed(16, "sha256"),
        words={412: ("application/json", '{"virhe":"taulu on muuttunut"}')},
        since=40,
    )
    desk.views["/linjat"] = says([{"nro": 4}, {"nro": 17}], Cache_Control="max-age=600")
    server = desk_on(stage, desk, "falcon")
    vcl = "sub vcl_backend_response { if (beresp.status == 200) { set beresp.ttl = 60s; } }\n"
    vcl += 'sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; } }'
    front = fronts.varnish(stage, server, vcl)
    me = stage.actor("client", front, "taulut.seutuliikenne.example", "aiohttp", {"X-Api-Key": "k-22"})
    other = stage.actor("other", front, "taulut.seutuliikenne.example", "requests", {"X-Api-Key": "k-09"})
    me.get("/linjat")
    one = me.get("/taulu/2110")
    me.put("/taulu/2110", {**one.json, "kirkkaus": 55}, 200, {"If-Match": one.etag})
    theirs = other.get("/taulu/2104")
    other.put("/taulu/2104", {**theirs.json, "viesti": "Poikkeusreitti"}, 200, {"If-Match": theirs.etag})
    rest(2.1)
    old = me.get("/taulu/2104")
    sure(old.fields["x-cache"] == "HIT" and int(old.fields["age"]) >= 1)
    me.put("/taulu/2104", {**old.json, "kirkkaus": 90}, 412, {"If-Match": old.etag})
    rest(1.1)
    me.get("/linjat")
    still = me.get("/taulu/2104", 200, {"Cache-Control": "no-cache"})
    sure(still.etag == old.etag)
    me.put("/taulu/2104", {**still.json, "kirkkaus": 90}, 412, {"If-Match": still.etag})
    fresh = me.get("/taulu/2104?t=88213")
    sure(fresh.json["viesti"] and fresh.etag != old.etag)
    me.put("/taulu/2104", {**fresh.json, "kirkkaus": 90}, 200, {"If-Match": fresh.etag})


@case(
    "d902",
    "lee-manifest-checked-at-the-edge",
    "cache-misevaluates",
    "412-on-read",
    alone="cache-misevaluates stale-cache-read",
    also="stale-cache-read",
    description=(
        "A release script publishes a firmware manifest and checks with If-Match and the tag of its own write: nginx, "
        "which still holds the former one, answers 412 itself (X-Edge: HIT); past the store the same check is 200."
    ),
)
def manifest(stage: Stage) -> None:
    """Let the cache judge a condition that the origin would have met."""
    text = '[image]\nname = "thermostat"\nversion = "{}"\nsha = "{}"\n'
    desk = Desk(
        {f"/fw/{n}/manifest.toml": ("text/plain", text.format("3.1.0", "aa01")) for n in ("eu", "us", "jp")},
        counted('"m{:05}"'),
        since=310,
        echo=False,
    )
    server = desk_on(stage, desk, "aiohttp")
    lines = "proxy_cache_bypass $http_cache_control; add_header X-Edge $upstream_cache_status always;"
    front = fronts.nginx_cache(stage, server, 120, lines)
    me = stage.actor("client", front, "fw.warmteregelaar.example", "curl")
    for zone in ("eu", "us"):
        me.get(f"/fw/{zone}/manifest.toml")
    seen = me.get("/fw/eu/manifest.toml")
    new = text.format("3.1.1", "bb02")
    done = me.put("/fw/eu/manifest.toml", new, 204, {"If-Match": seen.etag, "Content-Type": "text/plain"})
    rest(0.4)
    got = me.get("/fw/eu/manifest.toml", 412, {"If-Match": done.etag})
    sure(got.fields["x-edge"] == "HIT")
    rest(1.0)
    me.get("/fw/eu/manifest.toml", 412, {"If-Match": done.etag})
    me.get("/fw/us/manifest.toml", 200, {"If-Match": seen.etag})
    past = me.get("/fw/eu/manifest.toml", 200, {"If-Match": done.etag, "Cache-Control": "no-cache"})
    sure(past.etag == done.etag and past.fields["x-edge"] == "BYPASS")
    me.get("/fw/eu/manifest.toml", 200, {"If-Match": done.etag})


@case(
    "d884",
    "lee-tank-journal-without-conditions",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored",
    description=(
        "A winery's tanks behind an HAProxy that deletes If-Match: a cellar hand's save with the tag of an old version "
        "is taken, the laboratory's sulphur is gone, and the journal of the service notes no condition at any write."
    ),
)
def tanks(stage: Stage) -> None:
    """Be saved although the condition does not hold."""
    docs = {f"/depositos/{n}": {"deposito": n, "litros": 5200, "so2": 18, "nota": ""} for n in (3, 4, 9)}
    desk = Desk(docs, hashed(10), words={412: ("application/json", '{"error":"versión antigua"}')}, since=11)
    journal: list[dict[str, object]] = []

    def note(req: Req, path: str) -> None:
        sheet = desk.kept[path][-1]
        journal.append(
            {
                "deposito": path,
                "revision": sheet.rev,
                "usuario": req.who,
                "if_match": req.fields.get("if-match"),
                "antes": desk.kept[path][-2].json,
                "despues": sheet.json,
            }
        )

    desk.stored.append(note)
    desk.views["/diario"] = lambda _req: Res(200, {"asientos": journal[-6:]})
    server = desk_on(stage, desk, "tornado")
    front = fronts.haproxy(
        stage, [server], frontend=" http-request del-header If-Match\n http-request del-header X-Debug"
    )
    me = stage.actor("client", front, "bodega.cuatrorios.example", "requests", {"X-User": "marisa"})
    other = stage.actor("other", front, "bodega.cuatrorios.example", "node:fetch", {"X-User": "lab"})
    mine = me.get("/depositos/4")
    nine = me.get("/depositos/9")
    me.put("/depositos/9", {**nine.json, "litros": 5100}, 200, {"If-Match": nine.etag})
    theirs = other.get("/depositos/4")
    other.put("/depositos/4", {**theirs.json, "so2": 27}, 200, {"If-Match": theirs.etag})
    rest(1.2)
    again(me, "/depositos/3", me.get("/depositos/3"), 2)
    me.put("/depositos/4", {**mine.json, "nota": "trasegado"}, 200, {"If-Match": mine.etag})
    told = me.get("/diario").json["asientos"]
    sure(all(one["if_match"] is None for one in told) and told[-1]["antes"]["so2"] == 27)
    sure(me.get("/depositos/4").json["so2"] == 18)


@case(
    "d882",
    "lee-forms-with-rewritten-links",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    description=(
        "A town hall's requests behind an nginx whose sub_filter rewrites links in JSON: their ETag is gone on the way, "
        "while attachments in text keep theirs, so that the clerk's program has no tag to send and saves are 428."
    ),
)
def requerimentos(stage: Stage) -> None:
    """Have no tag to send."""
    docs: dict[str, object] = {
        f"/requerimentos/{n}": {
            "numero": n,
            "estado": "aberto",
            "_links": {"self": f"http://intra:8080/requerimentos/{n}"},
        }
        for n in (771, 772)
    }
    docs["/anexos/771.txt"] = ("text/plain; charset=utf-8", "Planta do terreno: lote 14.\n")
    problem = '{"type":"about:blank","title":"Condição em falta","status":428,"detail":"Envie em If-Match o ETag da última leitura."}'
    desk = Desk(docs, hashed(24, "md5"), words={428: ("application/problem+json", problem)}, needs=428)
    desk.last.append(
        lambda req, res: (
            res.fields.update(desk.marks(req.path, desk.kept[req.path][-1])) if res.status == 428 else None
        )
    )
    server = desk_on(stage, desk, "starlette")
    lines = 'sub_filter "http://intra:8080" "http://$host"; sub_filter_once off; sub_filter_types application/json;'
    me = stage.actor(
        "client",
        fronts.nginx(stage, server, lines + ' proxy_set_header Accept-Encoding "";'),
        "balcao.vilaseca.example",
        "urllib",
    )
    note = me.get("/anexos/771.txt")
    me.put(
        "/anexos/771.txt",
        "Planta do terreno: lote 15.\n",
        200,
        {"If-Match": note.etag, "Content-Type": "text/plain"},
    )
    for number in (771, 772):
        seen = me.get(f"/requerimentos/{number}")
        sure("etag" not in seen.fields and b"balcao.vilaseca" in seen.body)
        rest(0.3)
        me.put(f"/requerimentos/{number}", {**seen.json, "estado": "deferido"}, 428)
    again(me, "/anexos/771.txt", me.get("/anexos/771.txt"))
    sure("etag" not in me.get("/requerimentos/771", 200, {"Cache-Control": "no-cache"}).fields)


@case(
    "d917",
    "lee-order-sent-twice-by-the-balancer",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412",
    description=(
        "A print shop's jobs behind an nginx with two upstreams and a read timeout of a second: the first node stores "
        "slowly, nginx passes the PUT to the second, and the client, which sent once, is told 412 and finds its own job."
    ),
)
def printing(stage: Stage) -> None:
    """Meet one's own write."""
    docs = {
        f"/zlecenia/{n}": {"nr": n, "nakład": 500, "papier": "kreda 170", "odbiór": "kurier"}
        for n in (8801, 8802, 8803)
    }
    desk = Desk(
        docs,
        counted('"z-{}"'),
        dated=True,
        words={412: ("application/json", '{"komunikat":"Zlecenie zostało zmienione"}')},
        since=3,
    )
    slow: list[int] = []

    def linger(req: Req, res: Res) -> None:
        if req.method == "PUT" and req.path == "/zlecenia/8802" and res.status == 200 and not slow:
            slow.append(1)
            rest(1.8)

    desk.last.append(linger)
    server = desk_on(stage, desk, "waitress")
    port = stage.behind(server)
    pool = f"upstream pool {{ server 127.0.0.1:{port} max_fails=0; server 127.0.0.1:{port} max_fails=0; }}"
    block = "location /zlecenia/ { proxy_pass http://pool; proxy_http_version 1.1; proxy_set_header Host $http_host; "
    block += "proxy_read_timeout 1s; proxy_next_upstream error timeout; add_header X-Upstream-Status $upstream_status always; "
    block += "add_header X-Upstream-Time $upstream_response_time always; }"
    me = stage.actor(
        "client", fronts.nginx(stage, server, "", pool, block), "zlecenia.drukarnia.example", "node:fetch"
    )
    first = me.get("/zlecenia/8801")
    me.put("/zlecenia/8801", {**first.json, "nakład": 750}, 200, {"If-Match": first.etag})
    seen = me.get("/zlecenia/8802")
    want = {**seen.json, "nakład": 1200, "ref": "kl-55e1-02"}
    got = me.put("/zlecenia/8802", want, 412, {"If-Match": seen.etag})
    sure(got.fields["x-upstream-status"] == "504, 412", got.fields)
    rest(0.4)
    sure(me.get("/zlecenia/8802").json == want)
    rest(1.1)
    me.get("/zlecenia/8803")


@case(
    "d904",
    "lee-atlas-tiles-from-two-copies",
    "inconsistent-backends",
    "412-on-read",
    alone="inconsistent-backends",
    description=(
        "Map archives on two nginx file servers whose copies have different times, behind an HAProxy in turns: the tag "
        "alternates with X-Served-By, revalidations are never 304 and a guarded resume of a download is 412."
    ),
)
def atlas(stage: Stage) -> None:
    """Resume a download at another node."""
    data = bytes(range(256)) * 24
    files: dict[str, str | bytes] = {
        "kartor/fjall-07.bin": data,
        "kartor/innehåll.txt".replace("å", "a"): "fjall-07\nfjall-08\n",
    }
    one, two = fronts.site(stage, "nginx", files, age=7200), fronts.site(stage, "nginx", files, age=7253)
    front = fronts.haproxy(stage, [one, two], " http-response set-header X-Served-By %s")
    me = stage.actor("client", front, "kartor.fjallatlas.example", "curl:trace-time")
    path = "/kartor/fjall-07.bin"
    tags = [me.send("HEAD", path, 200).etag for _ in range(3)]
    sure(tags[0] == tags[2] != tags[1])
    part = me.get(path, 206, {"Range": "bytes=0-2047"})
    rest(0.4)
    me.get(path, 412, {"Range": "bytes=2048-4095", "If-Match": part.etag})
    me.get("/kartor/innehall.txt")
    me.get(path, 412, {"Range": "bytes=2048-4095", "If-Match": part.etag})
    whole = me.get(path)
    rest(0.5)
    sure(me.get(path, 200, {"If-None-Match": whole.etag}).body == whole.body)
    me.get("/kartor/innehall.txt")
    sure(me.get(path, 200, {"If-None-Match": whole.etag}).etag != whole.etag)


@case(
    "d913",
    "lee-price-labels-moved",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description=(
        "Shelf labels of a supermarket have moved and nginx answers 302: the price tool's library follows each PUT with "
        "a GET without content, takes the 200 for a save, and the evening's list still shows the old prices."
    ),
)
def labels(stage: Stage) -> None:
    """Follow a redirect and save nothing."""
    docs = {
        f"/v2/labels/{n}": {"ean": n, "text": "Mléko 1 l", "cena": "24,90"}
        for n in ("859001", "859002", "859003")
    }
    desk = Desk(docs, hashed(14, "sha1", '"L{}"'), since=2)
    desk.views["/v2/labels"] = lambda _req: Res(200, [one[-1].json for one in desk.kept.values()])
    server = desk_on(stage, desk, "flask-cheroot")
    block = "location /etikety/ { rewrite ^/etikety/(.*)$ http://$http_host/v2/labels/$1 redirect; }"
    me = stage.actor(
        "client", fronts.nginx(stage, server, block=block), "regal.potraviny-lipa.example", "requests:follow"
    )
    for ean, price in (("859001", "26,50"), ("859003", "19,90")):
        seen = me.get(f"/etikety/{ean}")
        rest(0.3)
        done = me.put(f"/etikety/{ean}", {**seen.json, "cena": price}, 200, {"If-Match": seen.etag})
        sure(done.etag == seen.etag)
    rest(0.8)
    told = me.get("/v2/labels").json
    sure(all(one["cena"] == "24,90" for one in told), json.dumps(told))


@case(
    "d911",
    "lee-gauge-notes-from-the-replica",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "Notes at river gauges, reads of which an HAProxy sends to a replica that is two seconds behind: right after "
        "its own save the field app reads the former version again and its next edit is refused; later reads agree."
    ),
)
def gauges(stage: Stage) -> None:
    """Read behind one's own write."""
    docs = {f"/pegel/{n}/notiz": {"pegel": n, "text": "ok", "wart": "Huber"} for n in ("tal", "furt", "wehr")}
    desk = Desk(
        docs,
        counted('"{:08x}"'),
        words={412: ("application/json", '{"meldung":"Notiz inzwischen geändert"}')},
        since=0x51,
        echo=False,
    )
    copy = Desk({}, desk.tag, lag=2.0)
    copy.kept = desk.kept
    copy.views["/pegel"] = says([{"pegel": "tal", "cm": 211}, {"pegel": "furt", "cm": 88}])
    front = fronts.split(stage, desk_on(stage, desk, "bottle"), desk_on(stage, copy, "falcon"))
    me = stage.actor("client", front, "pegel.flussmeisterei.example", "java", {"X-User": "huber"})
    me.get("/pegel")
    seen = me.get("/pegel/furt/notiz")
    saved = me.put("/pegel/furt/notiz", {**seen.json, "text": "Treibholz"}, 204, {"If-Match": seen.etag})
    rest(0.3)
    back = me.get("/pegel/furt/notiz")
    sure(back.etag == seen.etag != saved.etag)
    me.put("/pegel/furt/notiz", {**back.json, "wart": "Maier"}, 412, {"If-Match": back.etag})
    me.get("/pegel")
    rest(2.2)
    now = me.get("/pegel/furt/notiz")
    sure(now.etag == saved.etag and now.json["text"] == "Treibholz")
    me.put("/pegel/furt/notiz", {**now.json, "wart": "Maier"}, 204, {"If-Match": now.etag})
