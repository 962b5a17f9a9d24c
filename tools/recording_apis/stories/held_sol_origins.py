"""Unseen recordings: services and web servers with a fault of their own."""

from __future__ import annotations

import importlib
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.sol_ledger import Ledger
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_sol_setting as place

if TYPE_CHECKING:
    from pathlib import Path

    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "e005",
    "sol-form-with-a-token-in-it",
    "unstable-etag",
    "wrong-200",
    alone="unstable-etag",
    description=(
        "Django's ConditionalGetMiddleware makes tags of the rendered page, which has a fresh CSRF token each time: "
        "an uptime watcher that polls the report form never gets a 304, while the page without a form is 304 at once."
    ),
)
def form(stage: Stage) -> None:
    """Poll a page that is new each time."""
    me = stage.actor(
        "client", place.forms(stage), "meldpunt.gemeente.test", "node:axios", {"User-Agent": "Wachter/6"}
    )
    still, counts = me.get("/uitleg"), me.get("/api/open.json")
    held = me.get("/melding/noord")
    for number in range(5):
        place.wait(0.7)
        new = me.get("/melding/noord", 200, {"If-None-Match": held.etag})
        place.sure(new.etag != held.etag and len(new.body) == len(held.body))
        held = new
        if number % 2:
            me.get("/uitleg", 304, {"If-None-Match": still.etag})
    me.get("/api/open.json", 304, {"If-None-Match": counts.etag})


@case(
    "e012",
    "sol-map-replaced-between-the-parts",
    "read-changed-mid-transfer",
    "wrong-200",
    alone="read-changed-mid-transfer",
    description=(
        "A navigation unit loads a map from nginx in parts without If-Range. Between the second and the third part the "
        "file is replaced by one of the same length: 206 under another tag, and the checksum beside it fits neither."
    ),
)
def parts(stage: Stage) -> None:
    """Put two files' parts together."""
    old = "".join(f"{n:05} node 47.{n:04} 8.{n:04} v1\n" for n in range(60))
    new = "".join(f"{n:05} node 47.{n:04} 8.{n:04} v2\n" for n in range(60))
    digest = importlib.import_module("hashlib").sha256
    files = {
        "maps/ch.txt": old,
        "maps/ch.sha256.txt": digest(old.encode()).hexdigest(),
        "maps/li.txt": old[:700],
    }
    server = fronts.site(stage, "nginx", files, age=40000)
    me = stage.actor("client", server, "maps.navi.test", "urllib", {"User-Agent": "NaviUnit/11"})
    place.polls(me, "/maps/li.txt")
    me.send("HEAD", "/maps/ch.txt", 200)
    got, tags, step = b"", [], 600
    for start in range(0, len(old), step):
        part = me.get("/maps/ch.txt", 206, {"Range": f"bytes={start}-{min(start + step, len(old)) - 1}"})
        got += part.body
        tags.append(part.etag)
        place.wait(0.5)
        if len(tags) == 2:
            fronts.put_file(server.directory, "maps/ch.txt", new)
            fronts.put_file(server.directory, "maps/ch.sha256.txt", digest(new.encode()).hexdigest())
    sums = me.get("/maps/ch.sha256.txt")
    place.sure(digest(got).hexdigest() != sums.text and len(set(tags)) == 2 and b"v1" in got and b"v2" in got)


_CALL = """async ([method, url, body]) => {
  const headers = body ? {'Content-Type': 'application/json', 'X-User': 'web'} : {'X-User': 'web'};
  const seen = window.tags || (window.tags = {});
  if (body && seen[url]) headers['If-Match'] = seen[url];
  const r = await fetch(url, {method, headers, body: body ? JSON.stringify(body) : undefined});
  const text = await r.text(); seen[url] = r.headers.get('etag');
  return [r.status, seen[url], text]; }"""


@case(
    "e014",
    "sol-planner-page-sees-no-tag",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag unconditional-write",
    also="unconditional-write",
    description=(
        "A planner's page in Chromium saves with If-Match when it knows a tag, but its interface on another origin "
        "does not expose ETag: it never knows one, saves without, and overwrites a change that the list has shown."
    ),
)
def planner(stage: Stage) -> None:
    """Save from a page on another origin."""
    fields = {
        "Access-Control-Allow-Origin": "http://plan.feuerwehr.test",
        "Access-Control-Allow-Methods": "GET, PUT, PATCH",
        "Access-Control-Allow-Headers": "Content-Type, If-Match, X-User",
    }
    rows = {f"/dienste/{d}": {"tag": d, "wagen": 2, "leitung": "Kern"} for d in ("mo", "di", "mi")}
    server = place.ledger(stage, Ledger(rows, fields=fields))
    page_server = fronts.site(
        stage, "nginx", {"index.html": "<!doctype html><title>Dienste</title><main></main>"}
    )
    export = stage.directory() / "client.har"
    rules = f"MAP plan.feuerwehr.test:80 127.0.0.1:{page_server.port}, "
    rules += f"MAP api.feuerwehr.test:80 127.0.0.1:{stage.tap('client', server)}"
    driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        f"--host-resolver-rules={rules}",
    ]
    chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
    context = chromium.new_context(record_har_path=str(export), record_har_content="embed", locale="de-DE")
    page = context.new_page()
    page.goto("http://plan.feuerwehr.test/index.html")

    def call(method: str, path: str, body: Any = None) -> Any:
        status, tag, text = page.evaluate(_CALL, [method, f"http://api.feuerwehr.test{path}", body])
        place.sure(status == 200 and tag is None, (method, path, status, tag))
        return importlib.import_module("json").loads(text)

    try:
        call("GET", "/dienste")
        seen = call("GET", "/dienste/di")
        other = stage.actor("other", server, "api.feuerwehr.test", "httpx", {"X-User": "wache"})
        theirs = other.get("/dienste/di")
        other.put("/dienste/di", {**theirs.json, "wagen": 3}, 200, {"If-Match": theirs.etag})
        place.wait(1.2)
        call("GET", "/dienste")
        call("GET", "/dienste/mi")
        call("PUT", "/dienste/di", {**seen, "leitung": "Voss"})
        place.sure(call("GET", "/dienste/di")["wagen"] == 2)
    finally:
        stage.servers["browser"] = f"Chromium {chromium.version}"
        context.close()
        chromium.close()
        driver.stop()
    stage.exported["client"] = export


@case(
    "e017",
    "sol-service-has-weak-tags-only",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "A Flask service marks all its tags weak and compares If-Match strongly, as Werkzeug does: every guarded save "
        "of a beekeeper's app is refused, read with or without compression, right after the read or the own create."
    ),
)
def weak(stage: Stage) -> None:
    """Save with the only kind of tag that there is."""
    rows = {f"/hives/{n}": {"hive": n, "queen": "2025", "weight": 31.5 + n} for n in (1, 2, 3)}
    kept = Ledger(
        rows, weak=True, refused={"error": {"type": "precondition", "message": "Entry was changed"}}
    )
    me = stage.actor(
        "client", place.ledger(stage, kept, "werkzeug"), "hives.imker.test", "httpx", {"X-User": "app"}
    )
    place.enter(me)
    me.get("/hives")
    seen = me.get("/hives/2")
    me.get("/hives/2", 304, {"If-None-Match": seen.etag})
    me.put("/hives/2", {**seen.json, "weight": 34}, 412, {"If-Match": seen.etag})
    made = me.put("/hives/4", {"hive": 4, "queen": "2026", "weight": 12}, 201, {"If-None-Match": "*"})
    place.wait(0.6)
    me.put("/hives/4", {"hive": 4, "queen": "2026", "weight": 13}, 412, {"If-Match": made.etag})
    bare = me.get("/hives/2", 200, {"Accept-Encoding": "identity"})
    place.sure(bare.etag == seen.etag and bare.etag.startswith("W/"))
    me.put("/hives/2", {**bare.json, "weight": 34}, 412, {"If-Match": bare.etag})
    place.polls(me, "/hives/3")


@case(
    "e023",
    "sol-check-and-write-are-two-steps",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race precondition-ignored",
    also="self-race",
    description=(
        "A counter's service checks If-Match, works for some tenths of a second, and only then writes. Two clerks of "
        "one terminal server save the same case file with the same tag, overlapping: both are 200, and the first "
        "clerk's field is gone from the next read. Saves one after another go well."
    ),
)
def counter(stage: Stage) -> None:
    """Let two checked writes pass."""
    rows = {f"/akter/{n}": {"nr": n, "sag": "byg", "note": "", "frist": None} for n in (7001, 7002, 7003)}
    server = place.ledger(stage, Ledger(rows, gap=0.35), "cheroot")
    me = stage.actor(
        "client", server, "akter.kommune.test", "httpx", {"User-Agent": "Sagsflade/3 (terminalserver)"}
    )
    me.send("POST", "/session", 200, {"X-User": "mette"}, {"client": "skranke"})
    me.send("POST", "/session", 200, {"X-User": "jonas"}, {"client": "skranke"})
    me.get("/akter")
    place.polls(me, "/assets/akt.css", times=1)
    seen = me.get("/akter/7001", 200, {"X-User": "mette"})
    me.put("/akter/7001", {**seen.json, "note": "ringet"}, 200, {"X-User": "mette", "If-Match": seen.etag})
    for number in (7002, 7003):
        mine = me.get(f"/akter/{number}", 200, {"X-User": "mette"})
        theirs = me.get(f"/akter/{number}", 200, {"X-User": "jonas"})

        def save(who: str, more: dict[str, str], got: Answer, number: int = number) -> Answer:
            fields = {"X-User": who, "If-Match": got.etag}
            return me.put(f"/akter/{number}", {**got.json, **more}, 200, fields)

        place.both(
            partial(save, "mette", {"note": "mangler tegning"}, mine),
            partial(save, "jonas", {"frist": "2026-12-18"}, theirs),
            0.12,
        )
        place.wait(0.5)
        place.sure(me.get(f"/akter/{number}", 200, {"X-User": "mette"}).json["note"] == "")


@case(
    "e025",
    "sol-screen-twenty-six-minutes-fast",
    "clock-skew",
    "wrong-304",
    alone="clock-skew",
    description=(
        "A screen whose clock is 26 minutes fast polls nginx (if_modified_since before) with its own time: 304, also "
        "after the programme has changed; a read without a date brings the change, dated before all that it had sent."
    ),
)
def screen(stage: Stage) -> None:
    """Poll with a clock of one's own."""
    files = {f"saal/{n}.txt": f"Saal {n}\n20:15 Metropolis\n" for n in (1, 2, 3)}
    server = fronts.site(stage, "nginx", files, "if_modified_since before; etag off;", 30000)
    me = stage.actor("client", server, "kino.anzeige.test", "requests", {"User-Agent": "Foyerschirm/2"})

    def poll(path: str) -> None:
        stamp = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 1564))
        me.get(path, 304, {"If-Modified-Since": stamp})

    for number in (1, 2, 3):
        me.get(f"/saal/{number}.txt")
    poll("/saal/2.txt")
    place.wait(1.5)
    poll("/saal/2.txt")
    fronts.put_file(server.directory, "saal/2.txt", "Saal 2\n20:15 ENTFÄLLT\n")
    for _ in range(4):
        place.wait(1.4)
        poll("/saal/2.txt")
        poll("/saal/3.txt")
    place.sure("ENTF" in me.get("/saal/2.txt").text)


class _Filed(Ledger):
    """Writes each version to a web server's folder as well.

    Attributes:
        folder: Where to.
    """

    folder: Path | None = None

    def keep(self, path: str, body: Any, who: str, at: float | None = None) -> None:
        """Store a version."""
        super().keep(path, body, who, at)
        if self.folder is not None:
            text = importlib.import_module("json").dumps(body, ensure_ascii=False)
            fronts.put_file(self.folder, path.lstrip("/"), text)


@case(
    "e030",
    "sol-reads-by-nginx-writes-by-the-service",
    "etag-source-mismatch",
    "wrong-200",
    alone="etag-source-mismatch",
    description=(
        "nginx serves the files that a service behind it writes: the service answers a PUT with a hash as the tag, "
        "nginx a GET with time and length. A kiosk that polls with the tag of its own PUT gets the same bytes again "
        "and again, and a 304 only with the tag of a GET."
    ),
)
def sources(stage: Stage) -> None:
    """Poll with the tag of the write."""
    kept = _Filed({"/cards/c0.json": {"id": "c0", "visits": 1}})
    app = place.ledger(stage, kept, "waitress", "cards")
    lines = (
        "location / { error_page 418 = @app; if ($request_method = PUT) { return 418; } try_files $uri =404; }\n"
        f"location @app {{ proxy_pass http://127.0.0.1:{stage.behind(app)}; proxy_set_header Host $http_host; }}"
    )
    first = {"cards/c0.json": '{"id": "c0", "visits": 1}'}
    server = fronts.site(stage, "nginx", first, lines)
    stage.config[-1] = "reads: nginx try_files; PUT: proxy_pass to the service"
    kept.folder = server.directory
    me = stage.actor("client", server, "kiosk.bad.test", "aiohttp", {"X-User": "kiosk-3"})
    me.get("/cards/c0.json")
    for name in ("c1", "c2"):
        path = f"/cards/{name}.json"
        made = me.put(path, {"id": name, "visits": 10}, 201, {"If-None-Match": "*"})
        for _ in range(3):
            place.wait(0.9)
            got = me.get(path, 200, {"If-None-Match": made.etag})
            place.sure(got.etag != made.etag and got.json["visits"] == 10)
        me.get(path, 304, {"If-None-Match": got.etag})
    place.wait(0.5)
    me.get("/cards/c0.json")


def _csv(row: Any) -> str:
    return "artikel;antal\n" + "".join(f"{name};{count}\n" for name, count in row.items())


def _from_csv(text: str) -> Any:
    return {line.split(";")[0]: int(line.split(";")[1]) for line in text.splitlines()[1:]}


@case(
    "e031",
    "sol-reads-json-writes-csv",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A stock service has a tag for each form of a record (Vary: Accept). A script reads JSON and writes CSV with "
        "the JSON's tag: refused, for two shelves. Read as CSV, the record has another tag, and the CSV is taken."
    ),
)
def shelves(stage: Stage) -> None:
    """Write another form than was read."""
    rows = {f"/hyllor/{h}": {"skruv": 400, "mutter": 380, "bricka": 90} for h in ("A1", "A2", "B1")}
    kept = Ledger(rows, forms={"text/csv": _csv}, parse=_from_csv, refused={"fel": "Posten har ändrats"})
    me = stage.actor(
        "client", place.ledger(stage, kept), "lager.verkstad.test", "curl", {"User-Agent": "inventering.sh"}
    )
    me.get("/status")
    me.get("/hyllor")
    place.edit(me, "/hyllor/A2", bricka=88)
    for shelf in ("A1", "B1"):
        seen = me.get(f"/hyllor/{shelf}", 200, {"Accept": "application/json"})
        text = _csv({**seen.json, "bricka": 75})
        me.put(f"/hyllor/{shelf}", text, 412, {"Content-Type": "text/csv", "If-Match": seen.etag})
        place.wait(0.5)
    same = me.get("/hyllor/B1", 200, {"Accept": "application/json"})
    place.sure(same.etag == seen.etag)
    as_csv = me.get("/hyllor/B1", 200, {"Accept": "text/csv"})
    place.sure(as_csv.etag != seen.etag)
    me.put("/hyllor/B1", text, 200, {"Content-Type": "text/csv", "If-Match": as_csv.etag})
    me.get("/hyllor/A2", 200, {"Accept": "text/csv"})
