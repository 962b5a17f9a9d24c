"""People and programs who meet at one document: conflicts, deletions, retries, locks and lost answers."""

from __future__ import annotations

import importlib
import json
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ria_desk import Desk, counted, revision
from tools.recording_apis.apps.ria_ground import Ask, Reply, serve
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.ria_setting import arrive, linger, need, rest

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server


@case(
    "b810",
    "ria-kitchen-and-dietitian",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "A hospital kitchen edits a ward's menu while the dietitian marks an allergy; the kitchen's save is refused, "
        "its re-read shows her change and her name. It stops there and asks. nginx stands before Flask."
    ),
)
def kitchen(stage: Stage) -> None:
    """Meet a colleague's change."""
    menu = {"ward": 3, "date": "2026-11-28", "lunch": "Kohlrouladen", "diet": [], "edited_by": "kueche"}
    desk = Desk({f"/menus/2026-48/ward-{n}": {**menu, "ward": n} for n in (2, 3, 4)})
    front = fronts.nginx(stage, serve(stage, desk, "flask"))
    me = stage.actor("client", front, "menue.klinikum.test", "aiohttp", {"Cookie": "kc=kueche-2"})
    other = stage.actor("other", front, "menue.klinikum.test", "httpx", {"Cookie": "kc=diaet-1"})
    arrive(me)
    me.get("/menus/2026-48")
    for ward in (2, 3, 4):
        seen = me.get(f"/menus/2026-48/ward-{ward}")
        if ward == 2:
            me.put(
                "/menus/2026-48/ward-2", {**seen.json, "lunch": "Linseneintopf"}, 200, {"If-Match": seen.etag}
            )
        if ward == 3:
            tag = seen.etag
    theirs = other.get("/menus/2026-48/ward-3")
    new = {**theirs.json, "diet": ["bed 7: no celery"], "edited_by": "dr.ahlers"}
    other.put("/menus/2026-48/ward-3", new, 200, {"If-Match": theirs.etag})
    rest(1.3)
    me.put("/menus/2026-48/ward-3", {**menu, "lunch": "Linseneintopf"}, 412, {"If-Match": tag})
    linger(me)
    need(me.get("/menus/2026-48/ward-3").json["edited_by"] == "dr.ahlers", "no change")


@case(
    "b811",
    "ria-download-in-parts-over-a-release",
    "read-changed-mid-transfer",
    "wrong-content",
    alone="read-changed-mid-transfer",
    description=(
        "A timetable is fetched from Caddy in parts without If-Range; between the second and the third part a new "
        "release takes its place: 206 with another tag and total length, and the joined file is of two releases."
    ),
)
def parts(stage: Stage) -> None:
    """Join parts of two releases."""
    rows = [f"{n:04d};Linie {n % 9};{5 + n % 18:02d}:{n * 7 % 60:02d};Platz {n % 40}\n" for n in range(170)]
    server = fronts.site(stage, "caddy", {"gtfs/stops.csv": "".join(rows)})
    me = stage.actor("client", server, "fahrplan.vb.test", "requests", {"User-Agent": "rangefetch/1.1"})
    me.send("HEAD", "/gtfs/stops.csv", 200)
    first = me.get("/gtfs/stops.csv", 206, {"Range": "bytes=0-1499"}).etag
    me.get("/gtfs/stops.csv", 206, {"Range": "bytes=1500-2999"})
    fronts.put_file(server.directory, "gtfs/stops.csv", "".join(rows[4:]).replace("Platz", "Gleis"), 1.0)
    rest(0.5)
    last = me.get("/gtfs/stops.csv", 206, {"Range": "bytes=3000-"})
    need(last.etag != first, "one tag")


@case(
    "b812",
    "ria-nightly-report-is-there-already",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A nightly export writes its report to Apache's DAV folder with If-None-Match: *; a colleague's manual export "
        "of the evening lies there, with other figures. The other two reports of the night are created."
    ),
)
def nightly(stage: Stage) -> None:
    """Create what is there."""
    manual = "day;orders;sum\n2026-11-26;118;5120.40\n;manual export by T. Wendt\n"
    server = fronts.site(
        stage, "apache2", {"reports/2026-11-26.csv": manual}, fronts.DAV["apache2"], age=21_000
    )
    me = stage.actor("client", server, "dav.shop.test", "curl:trace-time", {"User-Agent": "export-cron/5"})
    create = {"If-None-Match": "*", "Content-Type": "text/csv"}
    me.put("/reports/returns-2026-11-26.csv", "day;returns\n2026-11-26;4\n", 201, create)
    me.put("/reports/2026-11-26.csv", "day;orders;sum\n2026-11-26;121;5288.10\n", 412, create)
    me.put("/reports/stock-2026-11-26.csv", "sku;left\nA-1;40\n", 201, create)
    rest(0.3)
    need("manual" in me.get("/reports/2026-11-26.csv").text, "another file")


@case(
    "b813",
    "ria-draft-was-deleted-in-the-meantime",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "An author saves a draft on Apache's DAV with the tag of an hour ago; the editor has deleted the file. 412, and "
        "the read that follows is 404, as is the listing without it."
    ),
)
def draft(stage: Stage) -> None:
    """Write what was deleted."""
    files = {"drafts/kap-04.md": "# Vier\n\nEs regnete.\n", "drafts/kap-05.md": "# Fünf\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "dav.verlag.test", "httpx", {"User-Agent": "Schreiber/7.2"})
    other = stage.actor("other", server, "dav.verlag.test", "requests", {"User-Agent": "Lektorat/2"})
    me.send("PROPFIND", "/drafts/", 207, {"Depth": "1"})
    tag = me.get("/drafts/kap-04.md").etag
    me.get("/drafts/kap-05.md")
    other.send("DELETE", "/drafts/kap-04.md", 204)
    rest(0.8)
    me.put("/drafts/kap-04.md", "# Vier\n\nEs regnete nicht mehr.\n", 412, {"If-Match": tag})
    me.get("/drafts/kap-04.md", 404)
    me.send("PROPFIND", "/drafts/", 207, {"Depth": "1"})


@case(
    "b814",
    "ria-second-save-with-the-first-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A laboratory's sheet is saved, the answer names the new tag, a HEAD names it again; the second save still "
        "carries the tag from the opening of the sheet. Nobody else writes; the text is the client's own."
    ),
)
def opened(stage: Stage) -> None:
    """Keep the tag of the opening."""
    server = fronts.site(
        stage,
        "lighttpd",
        {"sheets/s-204.json": '{"sample":"S-204","ph":null}', "sheets/s-205.json": '{"sample":"S-205"}'},
        fronts.DAV["lighttpd"],
    )
    me = stage.actor("client", server, "labor.wasser.test", "node:fetch", {"X-Bench": "4"})
    opening = me.get("/sheets/s-204.json").etag
    me.put("/sheets/s-204.json", '{"sample":"S-204","ph":7.12}', 204, {"If-Match": opening})
    tag = me.get("/sheets/s-205.json").etag
    for step in range(3):
        tag = me.put("/sheets/s-205.json", f'{{"sample":"S-205","step":{step}}}', 204, {"If-Match": tag}).etag
        me.get("/sheets/s-205.json", 304, {"If-None-Match": tag})
    rest(1.1)
    now = me.send("HEAD", "/sheets/s-204.json", 200).etag
    need(now != opening, "one tag")
    me.put("/sheets/s-204.json", '{"sample":"S-204","ph":7.12,"temp":11.4}', 412, {"If-Match": opening})
    need(me.get("/sheets/s-204.json").text == '{"sample":"S-204","ph":7.12}', "another state")


@case(
    "b815",
    "ria-outbox-tries-again-and-again",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    description=(
        "The outbox of an inspection app sends one report seven times with the same refused tag, with growing pauses "
        "and no read in between; reports of other lifts go through. HAProxy stands before aiohttp."
    ),
)
def outbox(stage: Stage) -> None:
    """Send the same refused tag again and again."""
    lift = {"lift": "A-0412", "rope": "ok", "brake": None, "due": "2027-05-01"}
    desk = Desk({f"/lifts/a-041{n}": {**lift, "lift": f"A-041{n}"} for n in (1, 2, 3)}, tag=revision, first=2)
    front = fronts.haproxy(stage, [serve(stage, desk, "aiohttp")])
    me = stage.actor("client", front, "pruefung.tuev.test", "requests", {"X-Device": "tablet-88"})
    me.get("/lifts")
    tags = {name: me.get(f"/lifts/{name}").etag for name in ("a-0411", "a-0412", "a-0413")}
    desk.store("/lifts/a-0412", {**lift, "due": "2027-04-01"})
    pause = 0.1
    for number in range(7):
        new = {**lift, "brake": "worn"}
        me.put("/lifts/a-0412", new, 412, {"If-Match": tags["a-0412"], "X-Attempt": str(number + 1)})
        if number in {1, 4}:
            name = "a-0411" if number == 1 else "a-0413"
            done = {**lift, "lift": name.upper(), "brake": "ok"}
            me.put(f"/lifts/{name}", done, 200, {"If-Match": tags[name]})
        rest(pause)
        pause *= 1.7


@case(
    "b816",
    "ria-answer-lost-in-the-tunnel",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A conductor's device saves a seat count in a tunnel: the connection breaks before the answer. aiohttp sends "
        "the same request, with its id, again by itself: refused; the count on the server is the device's own."
    ),
)
def tunnel(stage: Stage) -> None:
    """Lose an answer and send again."""
    train = {"train": "RE 4711", "coach": 5, "seated": 40, "standing": 0, "by": None, "request": None}
    desk = Desk(
        {"/counts/re-4711-5": train, "/counts/re-4711-6": {**train, "coach": 6}}, tag=counted, first=20
    )
    lost = {"open": True}

    def loses(request: Any) -> bool:
        chosen = b"PUT" in request.raw[:4] and b"re-4711-6" in request.raw[:60] and lost.pop("open", False)
        return bool(chosen)

    server = serve(stage, desk, "uvicorn")
    me = stage.actor("client", server, "zug.bahn.test", "aiohttp", {"X-Conductor": "c-71"}, loses=loses)
    me.get("/counts")
    five = me.get("/counts/re-4711-5")
    me.put(
        "/counts/re-4711-5",
        {**five.json, "seated": 52},
        200,
        {"If-Match": five.etag, "X-Request-Id": "c71-0091"},
    )
    six = me.get("/counts/re-4711-6")
    mine = {**six.json, "seated": 61, "standing": 9, "by": "c-71", "request": "c71-0092"}
    again = {"If-Match": six.etag, "X-Request-Id": "c71-0092"}
    me.put("/counts/re-4711-6", mine, 412, again)
    rest(0.5)
    linger(me)
    need(me.get("/counts/re-4711-6").json == mine, "not stored")


@case(
    "b838",
    "ria-date-in-the-words-of-the-country",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "A client formats If-Unmodified-Since in Spanish ('jue, 26 nov 2026 ... CET'). The service cannot read it and "
        "ignores it, as it may; the other clerk's change, made after that date, is overwritten."
    ),
)
def spanish(stage: Stage) -> None:
    """Send a date that nobody reads."""
    deed = {"finca": "8812", "titular": "Hnos. Prat", "cargas": [], "nota": ""}

    class Dated(Desk):
        """Dates and no tags."""

        def fields(self, path: str, ask: Ask | None = None) -> dict[str, str]:
            made = super().fields(path, ask)
            return {"Last-Modified": made["Last-Modified"]}

    second = {**deed, "finca": "8813", "titular": "M. Oller"}
    desk = Dated({"/fincas/8812": deed, "/fincas/8813": second}, dated=True)
    server = serve(stage, desk, "cheroot", "Registro/1.4")
    me = stage.actor("client", server, "registro.prop.test", "urllib", {"X-Oficial": "montse"})
    other = stage.actor("other", server, "registro.prop.test", "httpx", {"X-Oficial": "jordi"})
    me.get("/fincas")
    served = parsedate_to_datetime(me.get("/fincas/8812").fields["last-modified"])
    days, months = (
        ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"],
        ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"],
    )
    text = f"{days[served.weekday()]}, {served.day} {months[served.month - 1]} {served:%Y %H:%M:%S} CET"
    text = text.replace("á", "a").replace("é", "e")
    date = other.get("/fincas/8812").fields["last-modified"]
    other.put("/fincas/8812", {**deed, "cargas": ["hipoteca 2026"]}, 200, {"If-Unmodified-Since": date})
    rest(0.9)
    me.put("/fincas/8812", {**deed, "nota": "medir de nuevo"}, 200, {"If-Unmodified-Since": text})
    need(me.get("/fincas/8812").json["cargas"] == [], "nothing was lost")
    me.get("/fincas/8813")


_LOCK = (
    '<?xml version="1.0" encoding="utf-8"?><d:lockinfo xmlns:d="DAV:"><d:lockscope><d:exclusive/></d:lockscope>'
    "<d:locktype><d:write/></d:locktype><d:owner>{owner}</d:owner></d:lockinfo>"
)


@case(
    "b840",
    "ria-spreadsheet-open-at-a-colleague",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "A colleague has a spreadsheet open and locked on Apache's DAV; the client's save with the right tag is "
        "answered 423, its own LOCK as well; PROPFIND shows the lock and its owner."
    ),
)
def locked(stage: Stage) -> None:
    """Write what a colleague has locked."""
    table = "Kostenstelle;Plan;Ist\n4100;12000;11840\n4200;8000;8420\n"
    server = fronts.site(
        stage, "apache2", {"budget/2026.csv": table, "budget/2025.csv": table}, fronts.DAV["apache2"]
    )
    me = stage.actor("client", server, "dav.amt.test", "requests", {"User-Agent": "Calc/24.8"})
    other = stage.actor("other", server, "dav.amt.test", "curl", {"User-Agent": "Calc/7.6"})
    xml = {"Content-Type": "application/xml", "Timeout": "Second-600"}
    me.get("/budget/2025.csv")
    tag = me.get("/budget/2026.csv").etag
    other.send("LOCK", "/budget/2026.csv", 200, xml, _LOCK.format(owner="Frau Oduya"))
    rest(0.7)
    me.put("/budget/2026.csv", table + "4300;500;0\n", 423, {"If-Match": tag})
    me.send("LOCK", "/budget/2026.csv", 423, xml, _LOCK.format(owner="Herr Blum"))
    found = me.send("PROPFIND", "/budget/2026.csv", 207, {"Depth": "0"})
    need("Oduya" in found.text, "no lock is shown")
    need(me.get("/budget/2026.csv").etag == tag, "it has moved")


@case(
    "b841",
    "ria-phone-cache-adds-if-none-match",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "The URL cache of a phone adds If-None-Match with the stored tag to a PUT; the service refuses, since that "
        "is the current tag. Twice; with the cache switched off for the call the same PUT passes without the field."
    ),
    notes=("The field is one the phone's cache adds; the recorded program sends what the phone sent.",),
)
def phone(stage: Stage) -> None:
    """Send what a cache adds to a write."""
    goal = {"runner": 204, "goal_km": 120, "shoes": "B", "public": False}
    desk = Desk(
        {"/goals/204": goal, "/goals/205": {**goal, "runner": 205}},
        dated=True,
        extra={"Cache-Control": "private, max-age=0"},
    )
    agent = "Laufbuch/3.2 (iPhone; iOS 19.1) CFNetwork/1900.3 Darwin/25.1.0"
    me = stage.actor(
        "client", serve(stage, desk, "tornado"), "api.laufbuch.test", "node:axios", {"User-Agent": agent}
    )
    tag = me.get("/goals/204").etag
    arrive(me)
    me.get("/goals/205")
    me.get("/goals/204", 304, {"If-None-Match": tag})
    new = {**goal, "goal_km": 150}
    me.put("/goals/204", new, 412, {"If-None-Match": tag})
    me.get("/goals/204", 304, {"If-None-Match": tag})
    rest(0.4)
    me.put("/goals/204", new, 412, {"If-None-Match": tag})
    me.put("/goals/204", new, 200, {"Cache-Control": "no-store", "Pragma": "no-cache"})
    linger(me)
    me.get("/goals/204")


@case(
    "b842",
    "ria-update-sent-as-a-create",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A translation tool reads an entry, changes it and saves with If-None-Match: *, the guard of its create "
        "routine: refused for both entries it edits, while a new entry passes. With If-Match the edit is stored."
    ),
)
def guard(stage: Stage) -> None:
    """Update with the guard of a create."""
    word = {"term": "Schieber", "en": "gate valve", "fr": "robinet-vanne", "state": "draft"}
    desk = Desk(
        {"/terms/schieber": word, "/terms/kegel": {**word, "term": "Kegel", "en": "plug"}}, tag=revision
    )
    front = fronts.caddy(stage, serve(stage, desk, "waitress"))
    me = stage.actor("client", front, "terms.werk.test", "httpx", {"Authorization": "Bearer tt-5"})
    arrive(me)
    me.get("/terms")
    me.put("/terms/spindel", {**word, "term": "Spindel", "en": "stem"}, 201, {"If-None-Match": "*"})
    for name in ("schieber", "kegel"):
        seen = me.get(f"/terms/{name}")
        me.put(f"/terms/{name}", {**seen.json, "state": "approved"}, 412, {"If-None-Match": "*"})
        rest(0.3)
    me.put("/terms/kegel", {**seen.json, "state": "approved"}, 200, {"If-Match": seen.etag})


_CALL = """async ([method, path, guard, body]) => {
  const headers = body ? {'Content-Type': 'application/json'} : {};
  if (guard !== null) headers['If-Match'] = guard;
  const r = await fetch('http://api.vereine.test' + path, {method, headers, body: body || undefined});
  await r.text();
  return [r.status, r.headers.get('etag')]; }"""
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update")


def _browse(stage: Stage, server: Server, steps: Any) -> None:
    """Play steps in a page of Chromium whose origin is another than the service's."""
    shell = "<!doctype html><meta charset=utf-8><title>Mitglieder</title><h1>Mitglieder</h1>"
    pages = fronts.site(stage, "nginx", {"index.html": shell})
    rules = f"MAP verwaltung.vereine.test:80 127.0.0.1:{pages.port}, "
    rules += f"MAP api.vereine.test:80 127.0.0.1:{stage.tap('client', server)}"
    export = stage.directory() / "client.har"
    with importlib.import_module("playwright.sync_api").sync_playwright() as driver:
        arguments = [*_FLAGS, f"--host-resolver-rules={rules}"]
        chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        context = chromium.new_context(
            record_har_path=str(export), record_har_content="embed", locale="de-DE"
        )
        page = context.new_page()
        page.goto("http://verwaltung.vereine.test/index.html")

        def call(
            method: str, path: str, expect: int, guard: str | None = None, body: str | None = None
        ) -> Any:
            status, tag = page.evaluate(_CALL, [method, path, guard, body])
            if status != expect:
                raise StoryError(f"{method} {path}: {status}, expected {expect}")
            return tag

        steps(call)
        stage.servers["browser"] = f"Chromium {chromium.version}"
        context.close()
        chromium.close()
    stage.exported["client"] = export


@case(
    "b843",
    "ria-members-page-on-another-origin",
    "cors-hidden-etag",
    "412",
    alone="cors-hidden-etag null-token",
    also="null-token",
    description=(
        "A members' page in Chromium calls an API on another origin that does not expose ETag: the script reads null "
        "and sends it as If-Match. 412 for each of two members, though every answer on the wire has the tag."
    ),
)
def members(stage: Stage) -> None:
    """Send null for a tag that the script may not read."""

    class Cross(Desk):
        """Allow another origin and expose nothing."""

        def __call__(self, ask: Ask) -> Reply:
            if ask.method == "OPTIONS":
                made = Reply(204, b"", {"Access-Control-Allow-Methods": "GET, PUT"})
                made.fields["Access-Control-Allow-Headers"] = "content-type, if-match"
            else:
                made = super().__call__(ask)
            made.fields["Access-Control-Allow-Origin"] = "http://verwaltung.vereine.test"
            return made

    person = {"nr": 31, "name": "Ines Kaya", "fee": "36.00", "section": "Rudern"}
    desk = Cross(
        {"/members/31": person, "/members/32": {**person, "nr": 32, "name": "Bo Falk"}}, tag=counted, first=4
    )
    server = serve(stage, desk, "aiohttp")

    def steps(call: Any) -> None:
        call("GET", "/members", 200)
        names = {31: "Ines Kaya", 32: "Bo Falk"}
        for number, name in names.items():
            need(call("GET", f"/members/{number}", 200) is None, "the tag is exposed")
            body = json.dumps({"nr": number, "name": name, "fee": "48.00", "section": "Rudern"})
            call("PUT", f"/members/{number}", 412, "null", body)
            time.sleep(0.2)
        call("GET", "/members/31", 200)

    _browse(stage, server, steps)
