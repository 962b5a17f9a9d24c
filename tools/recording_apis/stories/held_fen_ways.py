"""Held-out stories on what stands between a client and what judges its write: nodes, retries, redirects, rules."""

from __future__ import annotations

import hashlib
import importlib
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.fen_desk import Folder, page, stamp
from tools.recording_apis.apps.vic_core import Doc, Req, Res
from tools.recording_apis.servers import program
from tools.recording_apis.stage import case
from tools.recording_apis.stories import fen_setting as place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage


def _slow(box: Folder, part: str, seen: list[int]) -> Callable[[Req], Res]:
    def answer(req: Req) -> Res:
        res = box(req)
        if req.method == "PUT" and part in req.path and not seen:
            seen.append(1)
            time.sleep(1.6)
        return res

    return answer


@case(
    "d641",
    "fen-playlist-sent-to-two-nodes",
    "intermediary-replay",
    "412",
    alone="intermediary-replay",
    also="post-commit-412",
    description=(
        "A radio's playlists on two nodes behind an nginx: the first node stores a save and is slow to answer, the "
        "proxy gives up after 0.7 s and sends the same to the second, whose 412 the editor gets. The answer's own "
        "field tells both upstream statuses; the playlist that is read next is the editor's, stored in that moment."
    ),
)
def playlist(stage: Stage) -> None:
    """Be refused because of one's own write, which the proxy has sent twice."""
    docs = {
        f"/saatekavad/{n}": {"tund": n, "lood": ["Veli", "Tuul"], "toimetaja": "-", "salvestatud": "-"}
        for n in ("08", "09", "10")
    }
    box = Folder(
        docs, lambda _path, doc: f'"{doc.digest()[:9]}.{doc.rev}"', say={412: {"viga": "Kava on muutunud"}}
    )
    plain = box.change
    box.change = lambda req, doc: {
        **plain(req, doc),
        "salvestatud": stamp(time.time(), 3),
        "toimetaja": req.who,
    }
    box.still("/eeter", {"nyyd": "uudised"})
    seen_once: list[int] = []
    nodes = [place.open_box(stage, _slow(box, "/09", seen_once), "waitress") for _ in range(2)]
    pool = "\n".join(f"server 127.0.0.1:{stage.behind(one)};" for one in nodes)
    lines = (
        'location /saatekavad/ { proxy_pass http://toad; proxy_http_version 1.1; proxy_set_header Connection ""; '
        "proxy_set_header Host $http_host; proxy_read_timeout 700ms; proxy_next_upstream error timeout; "
        "add_header X-Upstream-Status $upstream_status always; add_header X-Upstream-Time $upstream_response_time always; }"
    )
    front = fronts.nginx(stage, nodes[1], http=f"upstream toad {{ {pool} }}", block=lines)
    me = stage.actor("client", front, "kavad.raadio-kuma.example", "java", {"X-User": "maarja"})
    place.looks(me, "/eeter", "/saatekavad/10")
    place.touch_up(me, "/saatekavad/08", lood=["Veli", "Meri"])
    place.looks(me, "/saatekavad/08", "/eeter")
    seen = me.get("/saatekavad/09")
    told = me.put(
        "/saatekavad/09", {**seen.json, "lood": ["Veli", "Tuul", "Hommik"]}, 412, {"If-Match": seen.etag}
    )
    place.sure(told.fields["x-upstream-status"] == "504, 412", told.fields)
    place.looks(me, "/eeter")
    place.sure(me.get("/saatekavad/09").json["lood"][-1] == "Hommik")
    place.think(1.2)


@case(
    "d647",
    "fen-cellar-book-moved-to-another-path",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description=(
        "A winery's cellar book has moved, and its nginx answers the old paths with 302. The cellar hand's program "
        "follows: its PUT becomes a GET without content, answered 200, which it takes for saved. The list shows the "
        "old sugar readings; nothing was ever written."
    ),
)
def cellar(stage: Stage) -> None:
    """Have a write turned into a read."""
    docs = {
        f"/v3/cuves/{n}": {"cuve": n, "cepage": "Mondeuse", "sucre_g_l": 118, "temp": 17.5} for n in (4, 7, 9)
    }
    box = Folder(docs, lambda path, doc: f'"cuve{path[-1]}-{doc.rev:04d}"', need=428, first=31, dates=True)
    box.listing = lambda _req, _path, below: Res(
        200, [{"cuve": d.data["cuve"], "sucre_g_l": d.data["sucre_g_l"]} for d in below.values()]
    )
    box.still("/v3/ouverture", {})
    server = place.open_box(stage, box, "flask-cheroot")
    front = fronts.nginx(
        stage,
        server,
        block="absolute_redirect off; location /registre/ { rewrite ^/registre/(.*)$ /v3/$1 redirect; }",
    )
    me = stage.actor("client", front, "chai.domaine-salins.example", "requests:follow", {"X-User": "chai-1"})
    place.sign_in(me, "/v3/ouverture", equipe="matin")
    me.get("/registre/cuves")
    for tank, sugar in ((7, 96), (9, 101)):
        seen = me.get(f"/registre/cuves/{tank}")
        place.think(0.5)
        told = me.put(
            f"/registre/cuves/{tank}", {**seen.json, "sucre_g_l": sugar}, 200, {"If-Match": seen.etag}
        )
        place.sure(told.json["sucre_g_l"] == 118)
    place.think(0.4)
    place.sure([one["sucre_g_l"] for one in me.get("/registre/cuves").json] == [118, 118, 118])
    place.looks(me, "/registre/cuves/4")


@case(
    "d651",
    "fen-audio-guide-on-two-nodes",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "A museum's audio guide on two nodes behind HAProxy, each of which puts the number of its own start into the "
        "tags. Reads of one unchanged stop alternate between two tags with the node that X-Node names, and each write "
        "that lands on the other node than its read is refused."
    ),
)
def audio_guide(stage: Stage) -> None:
    """Carry the tag of one node to the other."""
    docs = {
        f"/haltes/{n}": {"halte": n, "zaal": 3, "titel": {"nl": f"Werk {n}", "en": f"Work {n}"}, "duur": 94}
        for n in (301, 302, 303)
    }
    say = {412: {"fout": "ETag komt niet overeen"}}
    first = Folder(
        docs,
        lambda path, doc: f'"{int(path[-3:]) * 7919 + doc.rev:x}-6c1f"',
        say=say,
        extra={"X-Node": "gids-a"},
    )
    second = Folder(
        docs,
        lambda path, doc: f'"{int(path[-3:]) * 7919 + doc.rev:x}-e07a"',
        say=say,
        extra={"X-Node": "gids-b"},
    )
    second.docs, second.lock = first.docs, first.lock
    for box in (first, second):
        box.still("/talen", ["nl", "en", "de"])
    nodes = [place.open_box(stage, box, "aiohttp") for box in (first, second)]
    front = fronts.haproxy(stage, nodes)
    me = stage.actor("client", front, "gids.stadsmuseum.example", "node:fetch", {"X-User": "educatie"})
    me.get("/talen")
    seen = [me.get("/haltes/302") for _ in range(4)]
    place.sure(len({one.etag for one in seen}) == 2 and len({one.body for one in seen}) == 1)
    me.get("/haltes/303")
    body = {**seen[0].json, "duur": 101}
    mine = next(one for one in reversed(seen) if one.fields["x-node"] == "gids-b")
    told = me.put("/haltes/302", body, 412, {"If-Match": mine.etag})
    place.sure(told.fields["x-node"] == "gids-a")
    place.think(0.8)
    again = me.get("/haltes/302")
    me.get("/haltes/302", 200, {"If-None-Match": again.etag})
    later = me.get("/haltes/302")
    me.put("/haltes/302", body, 412, {"If-Match": later.etag})
    place.looks(me, "/talen", "/haltes/302", "/haltes/301", "/haltes/303")


def _on_disk(box: Folder, root: Callable[[], Path]) -> None:
    """Let writes be compared with the content of a file and go to it."""

    def look(path: str) -> str:
        return f'"{hashlib.md5((root() / path[1:]).read_bytes()).hexdigest()}"'  # noqa: S324 - a tag, no secret

    def judge(req: Req, _doc: Doc | None) -> Res | None:
        sent = req.fields.get("if-match")
        return None if sent in {None, look(req.path)} else box.error(412, "If-Match: no such version\n")

    def answer(req: Req, path: str, _doc: Doc, _made: bool) -> Res:
        (root() / path[1:]).write_bytes(req.body)
        return Res(200, {"stored": len(req.body)}, {"ETag": look(path)})

    box.judge, box.answer_write = judge, answer


@case(
    "d679",
    "fen-station-files-read-from-nginx-written-by-an-app",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "Metadata of seismic stations: reads come from nginx, which tags files by time and size, writes go to an "
        "application that compares the MD5. A write under the tag of the read is refused each time, the tag of a "
        "write's answer has another shape and is accepted."
    ),
)
def stations(stage: Stage) -> None:
    """Compare two kinds of tag."""
    where: dict[str, Any] = {}
    box = Folder({})
    _on_disk(box, lambda: where["root"])
    app = place.open_box(stage, box, "waitress")
    files = {
        f"stations/{code}.json": f'{{"code":"{code}","lat":78.92,"sensor":"STS-2","gain":1500.0}}\n'
        for code in ("KBS", "HOPEN", "BJO1")
    }
    lines = (
        f"location /stations/ {{ if ($request_method = PUT) {{ proxy_pass http://127.0.0.1:{stage.behind(app)}; }} "
        "proxy_set_header Host $http_host; }"
    )
    front = fronts.site(stage, "nginx", {**files, "net.txt": "NS network, 3 stations\n"}, lines)
    where["root"] = front.directory
    me = stage.actor("client", front, "meta.seis-nord.example", "httpx", {"X-User": "operator"})
    place.browse(me, "/net.txt")
    for code, gain in (("HOPEN", 1495.5), ("KBS", 1502.0)):
        seen = me.get(f"/stations/{code}.json")
        me.put(f"/stations/{code}.json", {**seen.json, "gain": gain}, 412, {"If-Match": seen.etag})
        place.think(0.4)
    place.looks(me, "/stations/BJO1.json")
    text = {**seen.json, "gain": 1502.0}
    saved = me.put("/stations/KBS.json", text, 200)
    again = me.get("/stations/KBS.json")
    place.sure(again.etag != saved.etag)
    me.put("/stations/KBS.json", {**text, "gain": 1502.5}, 412, {"If-Match": again.etag})
    me.put("/stations/KBS.json", {**text, "gain": 1502.5}, 200, {"If-Match": saved.etag})
    place.looks(me, "/stations/KBS.json")


_DENIED = page(
    "Comprobación de acceso",
    "<h1>No hemos podido verificar su navegador</h1><p>Incidencia AC-5512</p><p>Protección perimetral</p>",
)


@case(
    "d695",
    "fen-ticket-shop-turns-scripts-away",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A theatre's ticket shop stands behind a HAProxy that turns some requests away with 412 and a page of its own: "
        "a partner's script gets it for searches and for a booking, which carry no condition; the same requests under "
        "a browser's user agent are answered."
    ),
)
def tickets(stage: Stage) -> None:
    """Be turned away by a rule of the edge."""
    box = Folder(
        {
            "/funciones/88": {"obra": "La dama boba", "libres": 41},
            "/funciones/89": {"obra": "Yerma", "libres": 3},
        }
    )
    box.still("/sala/plano.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>", '"plano2"', "image/svg+xml")
    box.answer_write = lambda _req, _path, doc, _made: Res(201, {"reserva": "R-7731", **doc.data})
    server = place.open_box(stage, box, "cheroot")
    text = _DENIED.replace("\n", "").replace('"', '\\"')
    rule = (
        " acl script hdr_sub(user-agent) -i python aiohttp\n acl open path_beg /sala\n"
        f' http-request return status 412 content-type "text/html; charset=utf-8" string "{text}" if script !open'
    )
    front = fronts.haproxy(stage, [server], frontend=rule)
    me = stage.actor("client", front, "entradas.teatro-corral.example", "aiohttp")
    place.browse(me, "/sala/plano.svg")
    me.get("/funciones?fecha=2026-12-04", 412)
    me.get("/funciones/88", 412)
    order = {"funcion": 88, "butacas": ["F12", "F13"], "correo": "grupo@colegio.example"}
    me.send("POST", "/funciones/88/reservas", 412, None, order)
    place.think(1.0)
    me.send("POST", "/funciones/88/reservas", 412, None, order)
    place.browse(me, "/sala/plano.svg")
    chrome = {
        "User-Agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15"
    }
    me.get("/funciones/88", 200, chrome)
    me.send("POST", "/funciones/88/reservas", 201, chrome, order)


def _chromium(stage: Stage, server: Server, host: str, own: str, script: str) -> Any:
    """Run a script in a page of one host that talks to another, both behind the client's tap."""
    port = stage.tap("client", server)
    library = importlib.import_module("playwright.sync_api")
    with library.sync_playwright() as play:
        arguments = [f"--host-resolver-rules=MAP {host}:80 127.0.0.1:{port}, MAP {own}:80 127.0.0.1:{port}"]
        arguments += ["--no-sandbox", "--no-proxy-server", "--disable-features=LocalNetworkAccessChecks"]
        browser = play.chromium.launch(executable_path=program("chromium"), args=arguments)
        try:
            stage.servers["browser"] = f"Chromium {browser.version}"
            tab = browser.new_page()
            tab.goto(f"http://{own}/redazione")
            return tab.evaluate(script)
        finally:
            browser.close()


_SCRIPT = """async () => {
  const at = 'http://contenuti.gazzetta-alpina.example/articoli/';
  const told = [];
  const wait = (ms) => new Promise((r) => setTimeout(r, ms));
  await fetch(at + '510');
  const got = await fetch(at + '512');
  const tag = got.headers.get('ETag');
  const text = await got.json();
  told.push(String(tag));
  await wait(1500);
  await fetch('http://contenuti.gazzetta-alpina.example/menu');
  const headers = { 'Content-Type': 'application/json', 'X-User': 'bozze' };
  if (tag) headers['If-Match'] = tag;
  const saved = await fetch(at + '512', { method: 'PUT', headers, body: JSON.stringify({ ...text, occhiello: 'Neve fresca' }) });
  told.push(saved.status);
  const history = await (await fetch(at + '512/cronologia')).json();
  told.push(history.length);
  return told;
}"""


@case(
    "d660",
    "fen-newsroom-page-cannot-see-the-tag",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag",
    also="unconditional-write other-writer",
    description=(
        "A newsroom's page in Chromium edits articles of a content service on another host, which allows If-Match but "
        "exposes no ETag: the script, which would send it, reads null and writes without a condition. A colleague's "
        "correction made in between is gone, as the history shows."
    ),
)
def newsroom(stage: Stage) -> None:
    """Edit across origins."""
    docs = {
        f"/articoli/{n}": {"id": n, "titolo": "Valanga in quota", "occhiello": "", "morti": 0}
        for n in (510, 512)
    }
    box = Folder(docs, lambda _path, doc: f'"art-{doc.rev}-{doc.digest()[:5]}"', first=4)
    box.still("/redazione", page("Redazione", "<main>bozze</main>"), "", "text/html; charset=utf-8")
    box.still("/menu", ["cronaca", "sport"])

    def before(req: Req) -> Res | None:
        if req.method == "OPTIONS":
            return Res(
                204,
                b"",
                {
                    "Access-Control-Allow-Methods": "GET, PUT",
                    "Access-Control-Allow-Headers": "content-type, if-match, x-user",
                    "Access-Control-Max-Age": "600",
                },
            )
        if req.path.endswith("/cronologia"):
            doc = box.docs[req.path.rpartition("/")[0]]
            return Res(200, [{"rev": one.rev, "da": one.by, **one.data} for one in (*doc.past, doc)])
        return None

    def after(req: Req, res: Res) -> None:
        if "origin" in req.fields:
            res.fields |= {"Access-Control-Allow-Origin": req.fields["origin"], "Vary": "Origin"}

    box.before.append(before)
    box.after.append(after)
    server = place.open_box(stage, box, "starlette")
    host = "contenuti.gazzetta-alpina.example"
    other = stage.actor("other", server, host, "httpx", {"X-User": "desk-notte"})

    def write() -> Any:
        for _ in range(400):
            if any("/articoli/512" in one.request.target for one in stage.taps["client"].recorded):
                break
            time.sleep(0.02)
        seen = other.get("/articoli/512")
        return other.put("/articoli/512", {**seen.json, "morti": 2}, 200, {"If-Match": seen.etag})

    def edit() -> Any:
        return _chromium(stage, server, host, "redazione.gazzetta-alpina.example", _SCRIPT)

    got: list[Any] = list(place.at_once(edit, write))
    place.sure(got[0] == ["null", 200, 3], got[0])
    place.sure(box.docs["/articoli/512"].data["morti"] == 0)
