"""Unseen recordings: a ledger on Django and a board on Express, alone and behind nginx."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_xan_setting as lab

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e205",
    "checked-then-the-database-took-its-time",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    description=(
        "Django's condition decorator compares before the view runs. Two workers of one import post to an account sheet "
        "at the same time with one tag, both are 200 and one posting is gone; a stale save by itself is 412 as it "
        "should be."
    ),
)
def postings(stage: Stage) -> None:
    """Write twice between a check and its write."""
    seed: dict[str, object] = {
        f"konten/{n}": {"konto": n, "saldo": 100 * n, "buchungen": []} for n in (1200, 1400, 1800)
    }
    server = lab.django(stage, json.dumps(seed), SLOW="0.45", SLOW_FOR="1400")
    me = stage.actor("client", server, "buch.verein.test", "httpx", {"User-Agent": "bankimport/3.1"})
    twin = lab.again(me, "httpx")
    me.get("/konten")
    old = me.get("/konten/1800")
    me.put("/konten/1800", {**old.json, "saldo": 1810}, 200, {"If-Match": old.etag})
    lab.wait(0.3)
    me.put("/konten/1800", {**old.json, "saldo": 1820}, 412, {"If-Match": old.etag})
    one, two = me.get("/konten/1400"), twin.get("/konten/1400")
    lab.wait(0.3)
    lab.both(
        lambda: me.put(
            "/konten/1400", {**one.json, "buchungen": ["B-88 Miete"]}, 200, {"If-Match": one.etag}
        ),
        lambda: twin.put(
            "/konten/1400", {**two.json, "buchungen": ["B-89 Strom"]}, 200, {"If-Match": two.etag}
        ),
        apart=0.12,
    )
    lab.sure(len(me.get("/konten/1400").json["buchungen"]) == 1)
    me.get("/konten/1200")


@case(
    "e215",
    "a-token-in-every-reading",
    "unstable-etag",
    "wasted-200",
    alone="unstable-etag",
    description=(
        "Express hashes what it sends, and a notice's JSON carries a form token made for each request: every read has "
        "another tag, polls are never 304 though nothing is written, while cards without the token are 304."
    ),
)
def notices(stage: Stage) -> None:
    """Poll what differs at each read."""
    seed: dict[str, Any] = {
        f"aushang-{n}": {"titel": f"Aushang {n}", "text": "Bitte beachten."} for n in (1, 2)
    }
    seed |= {f"karte-{n}": {"titel": f"Karte {n}", "text": "Lager"} for n in (1, 2, 3)}
    server = lab.express(stage, MODE="nonce", SEED=json.dumps(seed))
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "aushang.rathaus.test", "aiohttp", {"User-Agent": "Schaukasten/2"})
    me.get("/api/cards")
    other = me.get("/api/cards/karte-2").etag
    tag, tags = me.get("/api/cards/aushang-1").etag, set()
    for _ in range(4):
        lab.wait(0.5)
        me.get("/api/cards/karte-2", 304, {"If-None-Match": other})
        tag = me.get("/api/cards/aushang-1", 200, {"If-None-Match": tag}).etag
        tags.add(tag)
    lab.sure(len(tags) == 4)
    me.get("/api/cards/aushang-1")
    me.get("/api/cards/aushang-1")


@case(
    "e218",
    "the-page-cannot-read-the-tag",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag unconditional-write",
    description=(
        "Chromium: a page of another origin saves duty cards. The service lets it write, but does not expose ETag, so "
        "the page finds no tag and leaves If-Match out; a colleague's change of the card, made in between, is overwritten."
    ),
)
def hidden(stage: Stage) -> None:
    """Edit across origins."""
    seed = {f"dienst-{n}": {"titel": f"Dienst {n}", "frueh": "Ola", "spaet": "Kim"} for n in (1, 2, 3)}
    server = lab.express(stage, MODE="cors guard strong", SEED=json.dumps(seed))
    other = stage.actor(
        "other", server, "api.dienst.test", "requests", {"User-Agent": "Dienstbuch-Terminal/4"}
    )
    export = stage.directory() / "client.har"
    rules = f"MAP *:80 127.0.0.1:{stage.tap('client', server)}"
    driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
    flags = ["--no-sandbox", "--disable-gpu", "--disable-sync", f"--host-resolver-rules={rules}"]
    chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
    context = chromium.new_context(record_har_path=str(export), record_har_content="embed", locale="de-DE")
    page = context.new_page()
    read = "u => fetch(u).then(async r => ({tag: r.headers.get('ETag'), card: await r.json()}))"
    save = """([u, tag, card]) => fetch(u, {method: 'PUT', body: JSON.stringify(card),
      headers: tag ? {'Content-Type': 'application/json', 'If-Match': tag} : {'Content-Type': 'application/json'}})
      .then(r => r.status)"""
    try:
        page.goto("http://dienst.klinik.test/seite")
        base = "http://api.dienst.test/api/cards"
        page.evaluate("u => fetch(u).then(r => r.text())", base)
        page.evaluate(read, f"{base}/dienst-1")
        seen = page.evaluate(read, f"{base}/dienst-2")
        lab.sure(seen["tag"] is None, seen)
        theirs = other.get("/api/cards/dienst-2")
        other.put("/api/cards/dienst-2", {**theirs.json, "spaet": "Noor"}, 200, {"If-Match": theirs.etag})
        page.wait_for_timeout(900)
        shown = page.evaluate(read, f"{base}/dienst-2")  # beside the form that is open
        lab.sure(shown["card"]["spaet"] == "Noor", shown)
        page.wait_for_timeout(600)
        mine = {**seen["card"], "frueh": "Eli"}
        lab.sure(page.evaluate(save, [f"{base}/dienst-2", seen["tag"], mine]) == 200)
        now = page.evaluate(read, f"{base}/dienst-2")
        lab.sure(now["card"]["spaet"] == "Kim", now)
    finally:
        stage.servers["browser"] = f"Chromium {chromium.version}"
        context.close()
        chromium.close()
        driver.stop()
    stage.exported["client"] = export


@case(
    "e223",
    "two-hundred-and-not-saved",
    "status-dialect-mismatch",
    "lost-write",
    alone="status-dialect-mismatch",
    description=(
        "The board tells a stale version by 200 with ok:false and STALE_VERSION. The client looks at the status only and "
        "goes on as if the change were stored; the list and the card it reads later do not have it."
    ),
)
def not_saved(stage: Stage) -> None:
    """Take a refusal for a success."""
    seed = {f"curso-{n}": {"titel": f"Taller {n}", "plazas": 12, "aula": "B1"} for n in range(1, 5)}
    server = lab.express(stage, MODE="version", SEED=json.dumps(seed))
    me = stage.actor("client", server, "talleres.ateneo.test", "node:fetch", {"X-User": "recepcion"})
    other = stage.actor("other", server, "talleres.ateneo.test", "httpx", {"X-User": "direccion"})
    me.get("/api/cards")
    one, two = me.get("/api/cards/curso-1").json, me.get("/api/cards/curso-3").json
    theirs = other.get("/api/cards/curso-3").json
    lab.sure(other.put("/api/cards/curso-3", {**theirs, "aula": "C4"}, 200).json["ok"])
    lab.sure(me.put("/api/cards/curso-1", {**one, "plazas": 11}, 200).json["ok"])
    lab.wait(0.8)
    lab.sure(not me.put("/api/cards/curso-3", {**two, "plazas": 10}, 200).json["ok"])
    me.get("/api/cards/curso-4")
    lab.wait(0.4)
    me.get("/api/cards")
    lab.sure(me.get("/api/cards/curso-3").json["plazas"] == 12)


@case(
    "e234",
    "nginx-reads-what-django-writes",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "nginx serves the published sheets from the disk with its own tags of time and size, saves go to Django, which "
        "compares with a hash of its revision. The tag of a read never fits (412), the one of a save does."
    ),
)
def two_makers(stage: Stage) -> None:
    """Read from the web server and write to the application."""
    seed = {
        f"lehre/{n}": {"modulo": n, "aula": r, "posti": 60}
        for n, r in (("ana1", "H2"), ("lina", "Aula Magna"), ("stoch", "E 104"))
    }
    folder = stage.directory()
    folder.chmod(0o755)
    server = lab.django(stage, json.dumps(seed), PUBLISH=str(folder))
    block = f"location @files {{ root {folder}; default_type application/json; try_files $uri =404; }}"
    lines = "error_page 418 = @files; if ($request_method = GET) { return 418; }"
    front = fronts.nginx(stage, server, lines, "", block)
    stage.config = [one.replace(str(folder), "/srv/published") for one in stage.config]
    me = stage.actor("client", front, "moduli.ateneo.test", "requests", {"User-Agent": "PianoModuli/3"})
    for name in ("lina", "stoch"):
        seen = me.get(f"/lehre/{name}")
        me.get(f"/lehre/{name}", 304, {"If-None-Match": seen.etag})
    seen = me.get("/lehre/ana1")
    me.put("/lehre/ana1", {**seen.json, "aula": "H5"}, 412, {"If-Match": seen.etag})
    lab.wait(0.8)
    fresh = me.get("/lehre/ana1")
    lab.sure(fresh.etag == seen.etag)
    me.put("/lehre/ana1", {**seen.json, "aula": "H5"}, 412, {"If-Match": fresh.etag})
    made = me.put("/lehre/num2", {"modulo": "num2", "aula": "H1", "posti": 25}, 201, {"If-None-Match": "*"})
    me.get("/lehre/num2")
    me.put("/lehre/num2", {"modulo": "num2", "aula": "H1", "posti": 30}, 200, {"If-Match": made.etag})
