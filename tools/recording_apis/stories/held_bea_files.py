"""Stories on web servers that keep files: Apache's and lighttpd's DAV, nginx, Caddy, WsgiDAV."""

from __future__ import annotations

import datetime as dt
import os
import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_TXT = {"Content-Type": "text/plain"}
_CSV = {"Content-Type": "text/csv"}
_DAV = fronts.DAV


@case(
    "e333",
    "bea-publishing-with-the-drafts-tag",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A publishing script on lighttpd's DAV reads a page of the draft folder and puts it to the public folder under "
        "the draft's tag: each page that is there already is refused, new ones pass."
    ),
)
def publish(stage: Stage) -> None:
    """Guard one file with the tag of another."""
    names = ("anfahrt", "preise", "team")
    files = {f"entwurf/{n}.txt": f"<h1>{n}</h1><p>Sommer 2027, neu gefasst</p>" for n in names}
    files |= {f"web/{n}.txt": f"<h1>{n}</h1><p>2026</p>" for n in names[:2]} | {
        "web/main.css": "h1{margin:0}"
    }
    server = fronts.site(stage, "lighttpd", files, _DAV["lighttpd"], 52000)
    me = stage.actor("client", server, "www.freibad-ost.example", "node:axios", {"User-Agent": "publish/0.9"})
    css = me.get("/web/main.css")
    me.send("PROPFIND", "/entwurf/", 207, {"Depth": "1"})
    for name in names:
        draft = me.get(f"/entwurf/{name}.txt")
        own = {**_TXT, "If-Match": draft.etag} if name != "team" else {**_TXT, "If-None-Match": "*"}
        me.put(f"/web/{name}.txt", draft.body, 201 if name == "team" else 412, own)
        place.rest(0.2)
    me.get("/web/main.css", 304, {"If-None-Match": css.etag})
    live = me.get("/web/preise.txt")
    place.sure("2026" in live.text)
    again = me.get("/entwurf/preise.txt")
    place.sure(again.etag != live.etag)
    me.put("/web/preise.txt", again.body, 412, {**_TXT, "If-Match": again.etag})


@case(
    "e320",
    "bea-balancer-keeps-the-condition",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored",
    description=(
        "HAProxy before Apache's DAV deletes If-Match (a rule meant for a cache). A stock taker who has seen a newer "
        "count in a poll saves the sheet from before under the tag from before: 204, the colleague's rows are gone."
    ),
)
def counts(stage: Stage) -> None:
    """Save over a newer sheet."""
    files = {f"inv/halle{n}.csv": f"fach;menge\n{n}01;40\n{n}02;7\n" for n in (1, 2, 3)}
    server = fronts.site(stage, "apache2", files, _DAV["apache2"], 30000)
    front = fronts.haproxy(stage, [server], " http-request del-header if-match")
    me = stage.actor("client", front, "lager.holzhof.test", "httpx", {"User-Agent": "scan-app/5"})
    other = stage.actor("other", front, "lager.holzhof.test", "urllib", {"User-Agent": "scan-app/4"})
    first = me.get("/inv/halle2.csv")
    one = me.get("/inv/halle1.csv")
    me.put("/inv/halle1.csv", one.text + "103;12\n", 204, {**_CSV, "If-Match": one.etag})
    theirs = other.get("/inv/halle2.csv")
    other.put("/inv/halle2.csv", theirs.text + "203;88\n204;5\n", 204, {**_CSV, "If-Match": theirs.etag})
    place.rest(1.2)
    me.send("HEAD", "/inv/halle3.csv", 200)
    now = me.get("/inv/halle2.csv", 200, {"If-None-Match": first.etag})
    place.sure("204;5" in now.text)
    place.rest(0.5)
    me.put("/inv/halle2.csv", first.text.replace(";7", ";6"), 204, {**_CSV, "If-Match": first.etag})
    place.rest(1.1)
    place.sure("204;5" not in me.get("/inv/halle2.csv").text)
    me.get("/inv/halle3.csv")


@case(
    "e324",
    "bea-poller-without-quotes",
    "malformed-validator",
    "wasted-transfer",
    alone="malformed-validator",
    description=(
        "A display board polls nginx's files with If-None-Match, but has taken the quotes off the tag: each poll is "
        "200 with the same octets. Another file that it asks for by the date gets 304."
    ),
)
def board(stage: Stage) -> None:
    """Never be told that nothing has changed."""
    files = {
        "abfahrten.json": '{"linien":[{"nr":4,"ab":"08:10"},{"nr":9,"ab":"08:14"}]}',
        "hinweis.txt": "Gleis 2 gesperrt",
    }
    server = fronts.site(stage, "nginx", files, "", 8000)
    me = stage.actor("client", server, "tafel.verkehr.example", "aiohttp", {"User-Agent": "board-esp/2.2"})
    note = me.get("/hinweis.txt")
    seen = me.get("/abfahrten.json")
    for number in range(5):
        place.rest(0.4)
        again = me.get("/abfahrten.json", 200, {"If-None-Match": seen.etag.strip('"')})
        place.sure(again.body == seen.body and again.etag == seen.etag)
        if number % 2:
            me.get("/hinweis.txt", 304, {"If-Modified-Since": note.fields["last-modified"]})


@case(
    "e336",
    "bea-two-lighttpds-two-inodes",
    "inconsistent-backends",
    "wasted-transfer",
    alone="inconsistent-backends",
    description=(
        "Two lighttpd nodes behind Traefik serve the same files of the same time, each with a tag of its own inodes: a "
        "client's If-None-Match is 200 whenever the other node answers, with equal octets and equal Last-Modified."
    ),
)
def nodes(stage: Stage) -> None:
    """Ask two nodes in turns."""
    files = {f"layers/{n}.json": f'{{"layer":"{n}","tiles":[1,2,3,4]}}' for n in ("soil", "water")}
    made = []
    for node in ("a", "b"):
        extra = f'setenv.add-response-header = ("X-Node" => "geo-{node}")'
        made.append(fronts.site(stage, "lighttpd", files, extra, 4000))
    for name, content in files.items():
        fronts.put_file(made[0].directory, name, content, 4000)
        moment = (made[0].directory / name).stat().st_mtime_ns
        os.utime(made[1].directory / name, ns=(moment, moment))
    me = stage.actor(
        "client", fronts.traefik(stage, made), "geo.region.test", "requests", {"User-Agent": "atlas/3"}
    )
    held: dict[str, str] = {}
    seen: set[str] = set()
    for number in range(11):
        name = "soil" if number % 3 else "water"
        path = f"/layers/{name}.json"
        own = {"If-None-Match": held[path]} if path in held else {}
        got = me.send("GET", path, (200, 304), own)
        held[path] = got.fields.get("etag", held.get(path, ""))
        seen.add(f"{name}{got.etag}")
        place.rest(0.2)
    place.sure(len(seen) == 4, seen)


@case(
    "e323",
    "bea-head-and-get-from-two-servers",
    "etag-source-mismatch",
    "wasted-transfer",
    alone="etag-source-mismatch",
    description=(
        "HAProxy sends GET to an nginx on the files and everything else to Apache's DAV on the same files: a mirror "
        "that asks with HEAD whether the tag has changed is always told another one, and downloads each time."
    ),
)
def mirror(stage: Stage) -> None:
    """Compare tags of two makers."""
    files = {f"pkg/{n}.xml": f"<p><n>{n}</n><v>4.{len(n)}</v></p>" * 9 for n in ("core", "tools", "extras")}
    dav = fronts.site(stage, "apache2", files, _DAV["apache2"], 20000)
    plain = fronts.site(stage, "nginx", {}, f"location /pkg/ {{ root {dav.directory}; }}")
    stage.config[:] = ["GET -> nginx, others -> Apache mod_dav, one directory"]
    rule = " acl reads method GET\n use_backend files if reads"
    extra = f"backend files\n server f 127.0.0.1:{stage.behind(plain)}"
    front = fronts.haproxy(stage, [dav], frontend=rule, extra=extra)
    me = stage.actor("client", front, "repo.kernbau.test", "node:fetch", {"User-Agent": "mirrord/1.12"})
    held = {name: me.get(f"/{name}") for name in files}
    for _ in range(2):
        place.rest(0.7)
        for name in files:
            told = me.send("HEAD", f"/{name}", 200)
            place.sure(told.etag != held[name].etag)
            again = me.get(f"/{name}")
            place.sure(again.etag == held[name].etag and again.body == held[name].body)


@case(
    "e321",
    "bea-two-saves-in-one-second",
    "date-precision",
    "wrong-304",
    alone="date-precision",
    description=(
        "nginx without tags (etag off) on a lift's state: the station writes it twice within one second, the client "
        "reads between the two. Its If-Modified-Since is 304 from then on; a read without it shows other octets under the same date."
    ),
)
def lift(stage: Stage) -> None:
    """Keep an old state."""
    lines = "etag off; " + _DAV["nginx"]
    server = fronts.site(
        stage, "nginx", {"state/cable4.json": '{"open":false}', "state/wind.txt": "22"}, lines, 900
    )
    me = stage.actor("client", server, "lift.bergbahn.example", "requests", {"User-Agent": "app-ios/8.1"})
    other = stage.actor("other", server, "lift.bergbahn.example", "httpx", {"User-Agent": "plc-gw/1"})
    path = "/state/cable4.json"
    first = me.get(path)
    wind = me.get("/state/wind.txt")
    me.get(path, 304, {"If-Modified-Since": first.fields["last-modified"]})
    time.sleep(1.05 - time.time() % 1)
    other.put(path, {"open": True, "queue": 4}, 204)
    seen = me.get(path, 200, {"If-Modified-Since": first.fields["last-modified"]})
    other.put(path, {"open": True, "queue": 4, "evac": True}, 204)
    place.sure("evac" not in seen.text)
    for _ in range(4):
        place.rest(0.8)
        me.get(path, 304, {"If-Modified-Since": seen.fields["last-modified"]})
        me.get("/state/wind.txt", 304, {"If-Modified-Since": wind.fields["last-modified"]})
    now = me.get(path, 200, {"Cache-Control": "no-cache"})
    place.sure("evac" in now.text and now.fields["last-modified"] == seen.fields["last-modified"])


@case(
    "e353",
    "bea-a-till-with-a-fast-clock",
    "clock-skew",
    "wrong-304",
    alone="clock-skew",
    description=(
        "A till asks nginx (if_modified_since before) for prices changed since its own last look, by its own clock, "
        "which is 26 minutes ahead of the server's: 304 though the prices changed in between, as a full read then shows."
    ),
)
def till(stage: Stage) -> None:
    """Ask for changes since a time to come."""
    files = {"preise/obst.json": '{"apfel":220,"birne":260}', "preise/brot.json": '{"roggen":410}'}
    server = fronts.site(stage, "nginx", files, "if_modified_since before;", 50000)
    me = stage.actor("client", server, "kasse.hofladen.example", "urllib", {"User-Agent": "kasse/3 (T2)"})

    def since() -> dict[str, str]:
        return {"If-Modified-Since": formatdate(time.time() + 1572, usegmt=True)}

    me.get("/preise/obst.json")
    me.get("/preise/brot.json")
    look = since()
    place.rest(1.1)
    me.get("/preise/obst.json", 304, look)
    look = since()
    fronts.put_file(server.directory, "preise/obst.json", '{"apfel":190,"birne":260,"quitte":300}')
    place.rest(1.6)
    for path in ("obst", "brot", "obst"):
        me.get(f"/preise/{path}.json", 304, look)
        look = since()
        place.rest(0.8)
    now = me.get("/preise/obst.json")
    place.sure("quitte" in now.text)


@case(
    "e350",
    "bea-half-past-five-in-chennai",
    "timezone-error",
    "lost-update",
    alone="timezone-error",
    description=(
        "An office in Chennai writes Last-Modified in its local time and calls it GMT in If-Unmodified-Since: five and "
        "a half hours late, so Apache's DAV lets a save pass over a change that HEAD has shown, and the change is gone."
    ),
)
def chennai(stage: Stage) -> None:
    """Guard with a date hours ahead."""
    files = {f"plans/{n}.txt": f"{n}: 12 trucks\n" for n in ("ennore", "guindy", "tambaram")}
    server = fronts.site(stage, "apache2", files, _DAV["apache2"], 15100)
    me = stage.actor("client", server, "fleet.coromandel.test", "curl", {"User-Agent": "PlanSync/2 (IST)"})
    other = stage.actor("other", server, "fleet.coromandel.test", "requests", {"User-Agent": "PlanWeb"})

    def local(value: str) -> dict[str, str]:
        moment = parsedate_to_datetime(value) + dt.timedelta(hours=5, minutes=30)
        return {
            "Content-Type": "text/plain",
            "If-Unmodified-Since": moment.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        }

    seen = me.get("/plans/guindy.txt")
    mine = me.get("/plans/ennore.txt")
    me.put("/plans/ennore.txt", mine.text + "+2 vans\n", 204, local(mine.fields["last-modified"]))
    base = other.get("/plans/guindy.txt")
    other.put("/plans/guindy.txt", base.text + "gate B closed\n", 204, {"If-Match": base.etag})
    place.rest(1.3)
    told = me.send("HEAD", "/plans/guindy.txt", 200)
    place.sure(told.fields["last-modified"] != seen.fields["last-modified"])
    me.get("/plans/tambaram.txt")
    me.put("/plans/guindy.txt", seen.text + "driver: Mani\n", 204, local(seen.fields["last-modified"]))
    place.rest(0.4)
    place.sure("gate B" not in me.get("/plans/guindy.txt").text)


@case(
    "e355",
    "bea-a-date-as-the-office-writes-it",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "A macro guards its saves on Apache's DAV with If-Unmodified-Since in the office's own way of writing dates, "
        "which is none of HTTP's: it is ignored, and the save of an old sheet passes over a newer one."
    ),
)
def macro(stage: Stage) -> None:
    """Guard with what is no HTTP-date."""
    files = {f"kw{n}.csv": f"tag;dienst\nMo;Fruh\nDi;Spat {n}\n" for n in (48, 49, 50)}
    server = fronts.site(stage, "apache2", files, _DAV["apache2"], 7000)
    agent = {"User-Agent": "Mozilla/4.0 (compatible; Win32; WinHttp.WinHttpRequest.5)"}
    me = stage.actor("client", server, "dienstplan.klinik.example", "requests", agent)
    other = stage.actor(
        "other", server, "dienstplan.klinik.example", "node:fetch", {"User-Agent": "pflege-web"}
    )

    def office(value: str) -> dict[str, str]:
        return {**_CSV, "If-Unmodified-Since": parsedate_to_datetime(value).strftime("%d.%m.%Y %H:%M:%S")}

    seen = me.get("/kw49.csv")
    side = me.get("/kw48.csv")
    me.put("/kw48.csv", side.text + "Mi;frei\n", 204, office(side.fields["last-modified"]))
    base = other.get("/kw49.csv")
    other.put("/kw49.csv", base.text + "Mi;Nacht (Yusuf)\n", 204, {**_CSV, "If-Match": base.etag})
    place.rest(1.4)
    listed = me.send("PROPFIND", "/", 207, {"Depth": "1"})
    place.sure("kw50" in listed.text)
    now = me.get("/kw49.csv", 200, {"If-Modified-Since": seen.fields["last-modified"]})
    place.sure("Yusuf" in now.text)
    me.put("/kw49.csv", seen.text + "Fr;Fruh\n", 204, office(seen.fields["last-modified"]))
    place.sure("Yusuf" not in me.get("/kw49.csv").text)


@case(
    "e338",
    "bea-the-204-that-fell-off-the-train",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "An inspector's tablet on a train saves a protocol on WsgiDAV; the answer never comes, the program sends the "
        "same once more under the same tag and is refused. The read shows its own text, dated by the first attempt."
    ),
)
def train(stage: Stage) -> None:
    """Meet one's own save."""
    server = stage.server("wsgidav")
    for n in (11, 12, 13):
        fronts.put_file(server.directory, f"protokoll/br{n}.txt", f"Bruecke {n}\nLager: ok\n", 90000)
    me = stage.actor(
        "client",
        server,
        "pruefung.gleisbau.test",
        "httpx",
        {"User-Agent": "Tab/7"},
        loses=place.drops("PUT", "br12"),
    )
    me.send("PROPFIND", "/protokoll/", 207, {"Depth": "1"})
    one, seen = me.get("/protokoll/br11.txt"), me.get("/protokoll/br12.txt")
    text = {"Content-Type": "text/plain"}
    me.put("/protokoll/br11.txt", one.text + "Geprueft 28.11.\n", 204, {**text, "If-Match": one.etag})
    mine = seen.text + "Riss am Auflager, Kennung 7f3c-2201\n"
    me.put("/protokoll/br12.txt", mine, 0, {**text, "If-Match": seen.etag})
    place.rest(1.4)
    me.put("/protokoll/br12.txt", mine, 412, {**text, "If-Match": seen.etag})
    place.sure(me.get("/protokoll/br12.txt").text == mine)
    me.get("/protokoll/br13.txt")
