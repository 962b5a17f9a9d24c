"""Stories on real file servers and a real key store."""

from __future__ import annotations

import hashlib
import http.client
import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.hew_desk import http_date
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_hew_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

_LISTING = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/><getlastmodified/><getcontentlength/></prop></propfind>'
_XML = {"Content-Type": "application/xml"}


@case(
    "e524",
    "hew-archive-copy-not-over",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A parish archive files its scans by COPY on a WebDAV share with Overwrite: F. Two of four targets have been there "
        "since last year: 412 for those, 201 for the others, and the listing has the older dates."
    ),
)
def archive(stage: Stage) -> None:
    """Copy to where something is."""
    files = {f"eingang/scan{n}.txt": f"Taufregister Blatt {n}\n" for n in (1, 2, 3, 4)}
    kept = {f"1874/blatt{n}.txt": f"Blatt {n}, abgeschrieben 2025\n" for n in (2, 4)}
    server = fronts.site(stage, "apache2", {**files, **kept}, fronts.DAV["apache2"], age=4.0e6)
    host = "archiv.pfarre.example"
    me = stage.actor("client", server, host, "curl:trace-time", {"User-Agent": "ablage/1.1"})
    me.send("OPTIONS", "/", 200)
    me.send("PROPFIND", "/eingang/", 207, {"Depth": "1", **_XML}, _LISTING)
    for number, status in ((1, 201), (2, 412), (3, 201), (4, 412)):
        target = f"http://{host}/1874/blatt{number}.txt"
        me.send("COPY", f"/eingang/scan{number}.txt", status, {"Destination": target, "Overwrite": "F"})
    me.send("PROPFIND", "/1874/", 207, {"Depth": "1", **_XML}, _LISTING)
    me.get("/1874/blatt2.txt")


def _key(server: Server, path: str, *values: str) -> None:
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for value in values:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        line.request("PUT", f"/v2/keys{path}", f"value={value}", kind)
        line.getresponse().read()
    line.close()


@case(
    "e536",
    "hew-signage-watch-too-old",
    "token-expired",
    "400",
    alone="token-expired",
    description=(
        "A shopping centre's signs wait for changes in etcd from the index that they know. One was off over the weekend; the "
        "store keeps a thousand events, its index is answered 400 with code 401, twice. From the index of a new read the "
        "waiting works."
    ),
)
def signage(stage: Stage) -> None:
    """Wait from an index of last week."""
    server = stage.server("etcd")
    for name in ("eg", "og1", "og2"):
        _key(server, f"/signs/{name}", "Winterschlussverkauf")
    stage.forget()
    me = stage.actor("client", server, "signs.center.example", "requests", {"User-Agent": "sign-agent/0.6"})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    me.get("/version")
    me.get("/v2/keys/signs?recursive=true")
    own = me.put("/v2/keys/beat/og1", "value=up", 201, form)
    index = int(own.fields["x-etcd-index"])
    _key(server, "/signs/og1", "Adventsmarkt")
    me.get(f"/v2/keys/signs?recursive=true&wait=true&waitIndex={index + 1}")
    _key(server, "/beat/eg", *map(str, range(1040)))
    me.get(f"/v2/keys/signs?recursive=true&wait=true&waitIndex={index + 2}", 400)
    place.rest(0.8)
    me.get(f"/v2/keys/signs?recursive=true&wait=true&waitIndex={index + 2}", 400)
    now = me.get("/v2/keys/signs?recursive=true")
    _key(server, "/signs/og2", "Geschlossen")
    me.get(f"/v2/keys/signs?recursive=true&wait=true&waitIndex={int(now.fields['x-etcd-index']) + 1}")


@case(
    "e553",
    "hew-ski-lift-fast-clock",
    "clock-skew",
    "stale-read",
    alone="clock-skew",
    description=(
        "Panels in a ski resort ask a lighttpd whether the state of the slopes has changed since they asked last, by their "
        "own clock, which is nine minutes fast. A closure is published between two questions: 304, 304, 304; after a restart "
        "the panel gets it, with a date before those answers."
    ),
)
def skilift(stage: Stage) -> None:
    """Ask by one's own clock."""
    state = '{"piste":[{"n":7,"offen":true},{"n":9,"offen":true}]}\n'
    files = {
        "lage/pisten.json": state,
        "lage/lifte.json": '{"gondel":"ok","schlepper":"ok"}\n',
        "tafel.css": "b{color:#c00}\n",
    }
    server = fronts.site(stage, "lighttpd", files)
    me = stage.actor("client", server, "lage.hochalm.example", "urllib", {"User-Agent": "tafel/3"})
    ahead = 547.0
    me.get("/tafel.css")
    me.get("/lage/lifte.json")
    me.get("/lage/pisten.json")
    asked = time.time() + ahead
    for number in range(5):
        place.rest(1.1)
        since = {"If-Modified-Since": http_date(asked)}
        asked = time.time() + ahead
        me.get("/lage/pisten.json", 304, since)
        me.get("/lage/lifte.json", 304, since)
        if number == 1:
            fronts.put_file(
                server.directory, "lage/pisten.json", state.replace('7,"offen":true', '7,"offen":false')
            )
    me.get("/tafel.css")
    place.sure(not me.get("/lage/pisten.json").json["piste"][0]["offen"])


@case(
    "e538",
    "hew-notary-saved-at-once",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A notary's word processor saves a deed on Apache's WebDAV, asks for its tag at once and saves a correction under it: "
        "412, since the tag of a file that young is weak. A second later the same tag has lost its W/."
    ),
)
def notary(stage: Stage) -> None:
    """Correct within the second."""
    files = {"akten/ur-118.txt": "Kaufvertrag, Entwurf\n", "akten/ur-119.txt": "Schenkung\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = place.ruby(stage, "client", server, "akten.notariat.example", {"User-Agent": "Schreibwerk/5"})
    me.send("PROPFIND", "/akten/", 207, {"Depth": "1", **_XML}, _LISTING)
    held = me.get("/akten/ur-118.txt")
    me.get("/akten/ur-119.txt")
    time.sleep(1.05 - time.time() % 1)
    me.put("/akten/ur-118.txt", "Kaufvertrag, Reinschrift\n", 204, {"If-Match": held.etag})
    young = me.send("HEAD", "/akten/ur-118.txt", 200)
    place.rest(0.1)
    me.put("/akten/ur-118.txt", "Kaufvertrag, Reinschrift §4\n", 412, {"If-Match": young.etag})
    place.rest(1.4)
    settled = me.send("HEAD", "/akten/ur-118.txt", 200)
    place.sure(young.etag == f"W/{settled.etag}", (young.etag, settled.etag))
    me.get("/akten/ur-118.txt")


@case(
    "e542",
    "hew-weather-grid-in-parts",
    "read-changed-mid-transfer",
    "damaged-download",
    alone="read-changed-mid-transfer",
    description=(
        "A wind park fetches a forecast in parts from nginx while the next run is put in its place: all parts are 206, the "
        "later ones under another tag and of another run, and the sum that it then fetches does not fit."
    ),
)
def weather(stage: Stage) -> None:
    """Splice two runs."""

    def grid(run: str) -> str:
        return "".join(
            f"{run};{n:04d};{(n * 37 + len(run) * int(run[-2:])) % 190 / 10:04.1f}\n" for n in range(240)
        )

    def total(run: str) -> str:
        return hashlib.sha256(grid(run).encode()).hexdigest() + "  wind.csv\n"

    files = {
        "prog/wind.csv": grid("2026112806"),
        "prog/wind.csv.sha256": total("2026112806"),
        "prog/laeufe.txt": "2026112806\n",
    }
    server = fronts.site(stage, "nginx", files)
    me = stage.actor(
        "client", server, "prog.wetterdienst.example", "node:fetch", {"Accept-Encoding": "identity"}
    )
    me.get("/prog/laeufe.txt")
    size = int(me.send("HEAD", "/prog/wind.csv", 200).fields["content-length"])
    tags = []
    for number, start in enumerate(range(0, size, 1024)):
        part = {"Range": f"bytes={start}-{min(size, start + 1024) - 1}"}
        tags.append(me.send("GET", "/prog/wind.csv", 206, part).etag)
        if number == 1:
            fronts.put_file(server.directory, "prog/wind.csv", grid("2026112812"))
            fronts.put_file(server.directory, "prog/wind.csv.sha256", total("2026112812"))
        place.rest(0.1)
    place.sure(len(set(tags)) == 2)
    me.get("/prog/wind.csv.sha256")


@case(
    "e544",
    "hew-reports-one-of-three",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description=(
        "Three nodes of a reporting service draw for the night job with etcd's prevExist=false and a short life; the one that "
        "is recorded loses each round but one, in which it holds the key, renews it and gives it back."
    ),
)
def leader(stage: Stage) -> None:
    """Lose most rounds."""
    server = stage.server("etcd")
    host = "kv.berichte.example"
    me = stage.actor("client", server, host, "httpx", {"User-Agent": "nightly/2.3 node-c"})
    other = stage.actor("other", server, host, "aiohttp", {"User-Agent": "nightly/2.3 node-a"})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    key = "/v2/keys/nightly/leader"
    me.get("/version")
    other.put(f"{key}?prevExist=false", "value=node-a&ttl=2", 201, form)
    for number in range(7):
        if number == 3:
            other.send("DELETE", f"{key}?prevValue=node-a", 200)
            me.put(f"{key}?prevExist=false", "value=node-c&ttl=2", 201, form)
            place.rest(0.5)
            me.put(f"{key}?prevValue=node-c", "value=node-c&ttl=2", 200, form)
            me.put("/v2/keys/nightly/last", "value=node-c", 201, form)
            me.send("DELETE", f"{key}?prevValue=node-c", 200)
            other.put(f"{key}?prevExist=false", "value=node-a&ttl=2", 201, form)
        else:
            me.put(f"{key}?prevExist=false", "value=node-c&ttl=2", 412, form)
        place.rest(0.5)
        other.put(f"{key}?prevValue=node-a", "value=node-a&ttl=2", 200, form)


@case(
    "e522",
    "hew-choir-sheet-uploaded-over",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "A choir's programme on lighttpd's WebDAV: tags come with every read, and the conductor's editor saves without any. "
        "The secretary's soloist, whom a preview in the same session still showed, is gone."
    ),
)
def choir(stage: Stage) -> None:
    """Save without a condition."""
    files = {
        "prog/advent.txt": "1 Machet die Tore weit\n2 Es ist ein Ros\n",
        "prog/ostern.txt": "1 Christ lag\n",
    }
    server = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"])
    host = "noten.kantorei.example"
    me = stage.actor("client", server, host, "curl", {"User-Agent": "notat/0.9"})
    other = stage.actor("other", server, host, "requests", {"User-Agent": "davx/4"})
    me.send("PROPFIND", "/prog/", 207, {"Depth": "1", **_XML}, _LISTING)
    mine, theirs = me.get("/prog/advent.txt"), other.get("/prog/advent.txt")
    me.get("/prog/ostern.txt")
    other.put("/prog/advent.txt", f"{theirs.text}Solo: Frau Iversen\n", (200, 204), {"If-Match": theirs.etag})
    place.rest(1.2)
    me.get("/prog/advent.txt", 200, {"User-Agent": "vorschau/0.9"})
    place.rest(0.4)
    me.put("/prog/advent.txt", f"{mine.text}3 Tochter Zion\n", (200, 204))
    place.rest(0.3)
    place.sure("Iversen" not in me.get("/prog/advent.txt").text)
    me.send("PROPFIND", "/prog/", 207, {"Depth": "1", **_XML}, _LISTING)


@case(
    "e528",
    "hew-camp-site-plan-gone",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A camp site's plan of pitches has been cleared away on the WebDAV share; the warden's copy is saved under the tag it "
        "had, and refused. The listing and a read show that there is nothing there."
    ),
)
def camp(stage: Stage) -> None:
    """Save what has gone."""
    files = {"plan/wiese.txt": "1 Boer\n2 frei\n", "plan/ufer.txt": "1 frei\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    host = "plan.camping-see.example"
    me = stage.actor("client", server, host, "requests", {"User-Agent": "platzwart/2"})
    other = place.ruby(stage, "other", server, host, {"User-Agent": "buero/2"})
    me.send("PROPFIND", "/plan/", 207, {"Depth": "1", **_XML}, _LISTING)
    held = me.get("/plan/ufer.txt")
    field = me.get("/plan/wiese.txt")
    me.put("/plan/wiese.txt", "1 Boer\n2 Lind\n", 204, {"If-Match": field.etag})
    other.send("DELETE", "/plan/ufer.txt", 204)
    place.rest(0.6)
    me.put("/plan/ufer.txt", "1 Mäkinen\n", 412, {"If-Match": held.etag})
    me.get("/plan/ufer.txt", 404)
    me.send("PROPFIND", "/plan/", 207, {"Depth": "1", **_XML}, _LISTING)


@case(
    "e552",
    "hew-radio-jingles-old-tag",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "A local radio keeps its running orders on nginx's WebDAV, which reads no If-Match. An order is saved twice under one tag; "
        "another, which the newsroom has changed since, is deleted under the tag from before: 204 each time."
    ),
)
def radio(stage: Stage) -> None:
    """Delete under an old tag."""
    files = {f"lauf/{n}.txt": f"{n}:00 Nachrichten\n{n}:05 Musik\n" for n in (16, 17, 18)}
    lines = f"{fronts.DAV['nginx']} autoindex on; autoindex_format json;"
    server = fronts.site(stage, "nginx", files, lines)
    host = "lauf.welle5.example"
    me = stage.actor("client", server, host, "aiohttp", {"User-Agent": "sendeplan/1"})
    other = stage.actor("other", server, host, "urllib", {"User-Agent": "nachrichten/7"})
    me.get("/lauf/")
    first = me.get("/lauf/16.txt")
    me.put("/lauf/16.txt", f"{first.text}16:20 Wetter\n", 204, {"If-Match": first.etag})
    held = me.get("/lauf/18.txt")
    other.put("/lauf/18.txt", f"{held.text}18:30 Sondersendung Hochwasser\n", 204)
    place.rest(1.1)
    me.get("/lauf/")
    me.put("/lauf/16.txt", f"{first.text}16:25 Verkehr\n", 204, {"If-Match": first.etag})
    me.send("DELETE", "/lauf/18.txt", 204, {"If-Match": held.etag})
    me.get("/lauf/18.txt", 404)
    me.get("/lauf/16.txt")


@case(
    "e545",
    "hew-surveyor-waits-a-moment",
    "none",
    "healthy",
    alone="none",
    description=(
        "A surveyor's sheets on Apache's WebDAV: each save is followed by a pause and a new read, and goes out under the tag "
        "of that; one sheet is taken away under its tag at the end. A read right after the save shows a weak tag, which is used "
        "for a read only."
    ),
)
def surveyor(stage: Stage) -> None:
    """Save in peace."""
    files = {"flur/12.txt": "P1 4.20 8.11\n", "flur/13.txt": "alt\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "flur.vermessung.example", "httpx", {"User-Agent": "feldbuch/3"})
    me.send("PROPFIND", "/flur/", 207, {"Depth": "1", **_XML}, _LISTING)
    held = me.get("/flur/12.txt")
    me.put("/flur/12.txt", f"{held.text}P2 4.90 8.40\n", 204, {"If-Match": held.etag})
    young = me.get("/flur/12.txt")
    me.get("/flur/12.txt", 304, {"If-None-Match": young.etag})
    place.rest(1.6)
    held = me.get("/flur/12.txt")
    me.put("/flur/12.txt", f"{held.text}P3 5.17 8.02\n", 204, {"If-Match": held.etag})
    old = me.get("/flur/13.txt")
    me.send("DELETE", "/flur/13.txt", 204, {"If-Match": old.etag})
    me.send("PROPFIND", "/flur/", 207, {"Depth": "1", **_XML}, _LISTING)
