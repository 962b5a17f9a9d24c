"""Stories behind real proxies, caches and balancers, most of them before real servers."""

from __future__ import annotations

import base64
import re
import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.vic_core import Box
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.apps.vic_core import Req
    from tools.recording_apis.stage import Stage


def _basic(name: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:x".encode()).decode()}


def _props(me: Actor, path: str, names: str) -> Answer:
    body = f'<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop>{names}</d:prop></d:propfind>'
    return me.send("PROPFIND", path, 207, {"Depth": "1", "Content-Type": "application/xml"}, body)


def _event(uid: str, summary: str, hour: int = 9) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Kollegium//2//FR", "BEGIN:VEVENT", f"UID:{uid}"]
    lines += [
        "DTSTAMP:20261101T080000Z",
        f"DTSTART:20261204T{hour:02}0000Z",
        f"DTEND:20261204T{hour + 1:02}0000Z",
    ]
    return "\r\n".join([*lines, f"SUMMARY:{summary}", "END:VEVENT", "END:VCALENDAR", ""])


def _card(uid: str, name: str, phone: str) -> str:
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"UID:{uid}",
        f"FN:{name}",
        f"N:{name};;;;",
        f"TEL:{phone}",
        "END:VCARD",
    ]
    return "\r\n".join([*lines, ""])


_CALENDAR = (
    '<?xml version="1.0"?><d:mkcol xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:{0}"><d:set><d:prop>'
    "<d:resourcetype><d:collection/><c:{1}/></d:resourcetype></d:prop></d:set></d:mkcol>"
)
_XML = {"Content-Type": "application/xml"}


@case(
    "e404",
    "dov-timetable-synchronised-in-peace",
    "none",
    "healthy",
    alone="none",
    description=(
        "Radicale behind nginx: a teacher's calendar creates under If-None-Match, changes with the newest tag, takes up "
        "a colleague's change from a sync report before touching it, and deletes what is done. Nothing is refused."
    ),
)
def timetable(stage: Stage) -> None:
    """Synchronise."""
    front = fronts.nginx(stage, stage.server("radicale"))
    me = stage.actor(
        "client", front, "agenda.lycee.test", "httpx", {**_basic("claire"), "User-Agent": "Agenda/4"}
    )
    other = stage.actor(
        "other", front, "agenda.lycee.test", "requests", {**_basic("claire"), "User-Agent": "Tel/2"}
    )
    me.send("MKCOL", "/claire/cours/", 201, _XML, _CALENDAR.format("caldav", "calendar"))
    tags = {}
    for n, what in enumerate(("Maths 2B", "Conseil", "Labo")):
        got = me.put(f"/claire/cours/{n}.ics", _event(f"k{n}", what), 201, {"If-None-Match": "*"})
        tags[n] = got.etag
    report = (
        '<?xml version="1.0"?><d:sync-collection xmlns:d="DAV:"><d:sync-token>{}</d:sync-token>'
        "<d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>"
    )
    token = re.search(
        "sync-token>([^<]+)<", me.send("REPORT", "/claire/cours/", 207, _XML, report.format("")).text
    )
    theirs = other.get("/claire/cours/1.ics")
    other.put(
        "/claire/cours/1.ics", _event("k1", "Conseil de classe", 14), (201, 204), {"If-Match": theirs.etag}
    )
    place.rest(0.6)
    seen = me.send("REPORT", "/claire/cours/", 207, _XML, report.format(token[1] if token else ""))
    place.sure("1.ics" in seen.text and "0.ics" not in seen.text)
    fresh = me.get("/claire/cours/1.ics", 200, {"Accept-Encoding": "identity"})
    me.put(
        "/claire/cours/1.ics", fresh.text.replace("classe", "classe 2B"), (201, 204), {"If-Match": fresh.etag}
    )
    me.put("/claire/cours/0.ics", _event("k0", "Maths 2B (salle 7)"), (201, 204), {"If-Match": tags[0]})
    me.send("DELETE", "/claire/cours/2.ics", (200, 204), {"If-Match": tags[2]})
    _props(me, "/claire/cours/", "<d:getetag/>")


@case(
    "e409",
    "dov-price-list-polled-through-a-store",
    "stale-cache-read",
    "wrong-304",
    alone="stale-cache-read",
    description=(
        "Varnish keeps a fishmonger's price list for a minute and does not notice the PUT that goes through it: having "
        "changed the list itself (204), the till polls with the old tag and gets 304 with an Age, and the old prices."
    ),
)
def prices(stage: Stage) -> None:
    """Change and poll through one store."""
    files = {f"preise/{n}.json": f'{{"art":"{n}","kg":[19.9,24.5]}}' for n in ("dorsch", "scholle", "aal")}
    origin = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    rules = "sub vcl_backend_response { set beresp.ttl = 60s; set beresp.grace = 10s; }"
    front = fronts.varnish(stage, origin, rules)
    me = stage.actor("client", front, "kasse.fischmarkt.example", "node:fetch", {"User-Agent": "Kasse/12.1"})
    held = {n: me.get(f"/preise/{n}.json") for n in ("dorsch", "scholle", "aal")}
    place.rest(1.2)
    new = '{"art":"scholle","kg":[17.5,21.0]}'
    me.put("/preise/scholle.json", new, 204, {"If-Match": held["scholle"].etag})
    for _ in range(3):
        place.rest(0.9)
        for n, old in held.items():
            got = me.get(f"/preise/{n}.json", 304, {"If-None-Match": old.etag})
            place.sure(int(got.fields["age"]) >= 1)
    place.sure(me.get("/preise/scholle.json").text != new)
    place.sure(_props(me, "/preise/", "<d:getetag/><d:getcontentlength/>").text.count("getetag>") >= 6)


@case(
    "e411",
    "dov-store-that-forgets-in-time",
    "none",
    "healthy",
    alone="none",
    description=(
        "An nginx cache before a lighttpd: hits, revalidations and 304s within its second; after its own save the "
        "editor passes the cache for what it edits and goes on with that tag. All as it should be."
    ),
)
def fresh_store(stage: Stage) -> None:
    """Read through a store and edit past it."""
    files = {f"menu/{n}.json": f'{{"dag":"{n}","ret":"suppe","pris":85}}' for n in ("man", "tir", "ons")}
    origin = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"])
    lines = "proxy_cache_revalidate on; proxy_cache_bypass $http_cache_control; "
    front = fronts.nginx_cache(stage, origin, 1, lines + "add_header X-Cache $upstream_cache_status always;")
    me = stage.actor("client", front, "kantine.kommune.test", "aiohttp", {"User-Agent": "MenuRed/2"})
    for n in ("man", "tir", "man", "ons", "tir"):
        me.get(f"/menu/{n}.json")
    for n, price in (("man", 89), ("ons", 92)):
        now = me.get(f"/menu/{n}.json", 200, {"Cache-Control": "no-cache"})
        me.put(f"/menu/{n}.json", now.text.replace("85", str(price)), (200, 204), {"If-Match": now.etag})
        place.rest(2.2)
        got = me.get(f"/menu/{n}.json")
        place.sure(str(price) in got.text, got.text)
        me.get(f"/menu/{n}.json", 304, {"If-None-Match": got.etag})
    got = me.get("/menu/tir.json")
    place.rest(1.3)
    me.get("/menu/tir.json", 304, {"If-None-Match": got.etag})


@case(
    "e418",
    "dov-address-book-has-moved",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "nginx sends the old path of a Radicale address book on with 302; the client's library follows a PUT with a GET "
        "without content: 200 with the old card, taken for a success. The new number is nowhere in the book's report."
    ),
)
def moved(stage: Stage) -> None:
    """Write to where the book was."""
    block = "absolute_redirect off; location /adressen/ { rewrite ^/adressen/(.*)$ /$1 redirect; }"
    front = fronts.nginx(stage, stage.server("radicale"), block=block)
    host, fields = "buch.verein.example", {**_basic("ute"), "User-Agent": "Vereinsheft/3.3"}
    me = stage.actor("client", front, host, "requests:follow", fields)
    other = stage.actor("other", front, host, "httpx", {**_basic("ute"), "User-Agent": "Setup/1"})
    other.send("MKCOL", "/ute/mitglieder/", 201, _XML, _CALENDAR.format("carddav", "addressbook"))
    for n, name in enumerate(("Ahlers", "Boysen", "Carstens")):
        other.put(
            f"/ute/mitglieder/{n}.vcf", _card(f"v{n}", name, f"04841-22{n}"), 201, {"If-None-Match": "*"}
        )
    _props(me, "/ute/mitglieder/", "<d:getetag/><d:displayname/>")
    cards = {n: me.get(f"/adressen/ute/mitglieder/{n}.vcf") for n in range(3)}
    for n, phone in ((1, "0151-4477"), (2, "0170-9931")):
        body = re.sub("TEL:.*", f"TEL:{phone}", cards[n].text)
        guard = {"If-Match": cards[n].etag, "Content-Type": "text/vcard"}
        got = me.put(f"/adressen/ute/mitglieder/{n}.vcf", body, 200, guard)
        place.sure(phone not in got.text)
        place.rest(0.4)
    asked = (
        '<?xml version="1.0"?><c:addressbook-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav">'
        "<d:prop><d:getetag/><c:address-data/></d:prop><c:filter/></c:addressbook-query>"
    )
    listed = me.send("REPORT", "/ute/mitglieder/", 207, {**_XML, "Depth": "1"}, asked)
    place.sure("0151-4477" not in listed.text and "04841-221" in listed.text)


@case(
    "e422",
    "dov-minutes-through-a-compressing-front",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "nginx compresses what Apache's WebDAV serves and turns its strong tags into W/, so that the save of the long "
        "minutes is 412 again and again; the short note, which is not compressed, keeps its tag and passes."
    ),
)
def minutes(stage: Stage) -> None:
    """Edit what comes compressed."""
    long = "".join(f"{n}. Punkt: Beschluss einstimmig angenommen.\n" for n in range(1, 40))
    files = {"prot/11-november.txt": long, "prot/notiz.txt": "Kaffee!\n", "prot/10-oktober.txt": long[:900]}
    origin = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    front = fronts.nginx_gzip(stage, origin)
    me = stage.actor(
        "client", front, "akten.genossenschaft.example", "requests", {"User-Agent": "Protokollant/6"}
    )
    note = me.get("/prot/notiz.txt")
    me.put("/prot/notiz.txt", "Kaffee und Tee!\n", 204, {"If-Match": note.etag})
    for _ in range(2):
        got = me.get("/prot/11-november.txt")
        place.sure(got.etag.startswith("W/"))
        me.put("/prot/11-november.txt", got.text + "40. Schluss.\n", 412, {"If-Match": got.etag})
        place.rest(0.5)
    old = me.get("/prot/10-oktober.txt")
    me.get("/prot/10-oktober.txt", 304, {"If-None-Match": old.etag})
    plain = me.send("GET", "/prot/11-november.txt", 200, {"Accept-Encoding": "identity"})
    place.sure(f"W/{plain.etag}" == got.etag)


@case(
    "e424",
    "dov-lab-journal-behind-the-gateway",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored",
    description=(
        "The institute's Apache takes If-Match out of what it hands on to WsgiDAV: a page of the lab journal, which the "
        "colleague had changed as a listing showed, is stored over under the outdated tag with 204."
    ),
)
def journal(stage: Stage) -> None:
    """Send a condition that does not get through."""
    origin = stage.server("wsgidav")
    for n in (17, 18, 19):
        fronts.put_file(origin.directory, f"journal/p{n}.md", f"# Page {n}\npH 7.1\n", 9000)
    front = fronts.apache(stage, origin, "ProxyVia On\nRequestHeader unset If-Match")
    me = stage.actor("client", front, "journal.institute.test", "java", {"User-Agent": "ElnBench/20"})
    other = stage.actor("other", origin, "journal.institute.test", "urllib", {"User-Agent": "pH-Meter"})
    _props(me, "/journal/", "<d:getetag/><d:getlastmodified/>")
    mine = {n: me.get(f"/journal/p{n}.md") for n in (17, 18)}
    theirs = other.get("/journal/p18.md")
    other.put("/journal/p18.md", theirs.text + "probe B: pH 6.4\n", (201, 204), {"If-Match": theirs.etag})
    place.rest(1.1)
    listed = _props(me, "/journal/", "<d:getetag/><d:getlastmodified/>").text
    place.sure(mine[17].etag.strip('"') in listed and mine[18].etag.strip('"') not in listed)
    for n in (17, 18):
        me.put(
            f"/journal/p{n}.md", mine[n].text.replace("7.1", "7.15"), (201, 204), {"If-Match": mine[n].etag}
        )
        place.rest(0.2)
    place.sure("probe B" not in me.get("/journal/p18.md").text)
    other.put("/journal/p18.md", theirs.text + "probe C\n", 412, {"If-Match": theirs.etag})


@case(
    "e428",
    "dov-balancer-asks-twice",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412",
    description=(
        "HAProxy's retry-on response-timeout: a slow archive stores the box's record, HAProxy sends it again to the same "
        "server, which refuses its own new state; the archivist sent once, got 412 and reads his own text."
    ),
)
def archive(stage: Stage) -> None:
    """Send once what arrives twice."""
    docs = {f"/boxes/B{n}": {"box": f"B{n}", "shelf": n % 9, "content": "letters"} for n in range(310, 316)}
    box = Box(docs, lambda _p, doc: f'"{doc.digest()[:20]}"', dates=True, need=428)
    slow: list[str] = []

    def wait(_req: Req, path: str) -> None:
        if path in {"/boxes/B312", "/boxes/B314"} and path not in slow:
            slow.append(path)
            box.lock.release()
            time.sleep(1.3)
            box.lock.acquire()

    box.done.append(wait)
    server = place.open_box(stage, box, "tornado")
    lines = " option redispatch\n retries 2\n retry-on all-retryable-errors\n timeout server 800ms"
    front = fronts.haproxy(stage, [server], lines + '\n http-response set-header Via "1.1 lb2"')
    me = stage.actor("client", front, "kartons.archiv.example", "httpx", {"X-User": "e.brandt"})
    place.chores(me, "hu")
    me.get("/boxes")
    for n in (311, 312, 313, 314):
        seen = me.get(f"/boxes/B{n}")
        body = {**seen.json, "content": f"letters, inventoried as {n}-26"}
        slow_one = n in {312, 314}
        me.put(f"/boxes/B{n}", body, 412 if slow_one else 200, {"If-Match": seen.etag})
        place.rest(0.3)
        if slow_one:
            place.sure(me.get(f"/boxes/B{n}").json == body)
    place.chores(me, "j")


@case(
    "e436",
    "dov-signage-pinned-to-one-version",
    "cache-misevaluates",
    "wrong-200",
    alone="cache-misevaluates precondition-ignored",
    description=(
        "Signs read their playlist with If-Match, to show nothing but the version that was released; Varnish answers "
        "from its store without a look at it: 200 with another tag, Age and two transaction numbers; no 412."
    ),
)
def signage(stage: Stage) -> None:
    """Ask for one version of what is stored."""
    files = {
        "show/list.json": '{"v":31,"clips":["a","b","c"]}',
        "show/a.json": '{"s":12}',
        "show/b.json": '{"s":8}',
    }
    origin = fronts.site(stage, "nginx", files)
    rules = "sub vcl_backend_response { set beresp.ttl = 2s; set beresp.grace = 0s; set beresp.keep = 0s; }"
    front = fronts.varnish(stage, origin, rules)
    me = stage.actor("client", front, "signs.station.test", "urllib", {"User-Agent": "Signbox/1.14"})
    other = stage.actor("other", front, "signs.station.test", "aiohttp", {"User-Agent": "Signbox/1.15"})
    first = me.get("/show/list.json")
    for n in "ab":
        me.get(f"/show/{n}.json")
    me.get("/show/list.json", 200, {"If-Match": first.etag})
    place.rest(1.2)
    fronts.put_file(origin.directory, "show/list.json", '{"v":32,"clips":["a","d"]}')
    place.rest(2.2)
    other.get("/show/list.json")
    for _ in range(2):
        place.rest(0.5)
        got = me.get("/show/list.json", 200, {"If-Match": first.etag})
        place.sure(got.etag != first.etag and " " in got.fields["x-varnish"])
        me.get("/show/a.json")
