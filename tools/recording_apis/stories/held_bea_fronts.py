"""Stories on what stands before a server: caches, copies, encoders, retries, rules."""

from __future__ import annotations

import shutil
import threading
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from pathlib import Path

    from tools.recording_apis.stage import Stage

_TEXT = {"Content-Type": "text/plain"}


def _rev(_path: str, doc: Doc) -> str:
    return f'"v{doc.rev:04d}"'


def _sha(_path: str, doc: Doc) -> str:
    return f'"{doc.digest("sha1")[:20]}"'


@case(
    "e327",
    "bea-the-notice-stays-as-it-was",
    "stale-cache-read",
    "stale-read",
    alone="stale-cache-read",
    description=(
        "Varnish with its default two minutes before lighttpd's DAV: a caretaker saves a notice through it (204), and "
        "every read after is the old text with Age and two numbers in X-Varnish, 304 for the old tag; a query shows the new."
    ),
)
def notice(stage: Stage) -> None:
    """Save, and read what was before."""
    files = {f"aushang/{n}.txt": f"Aushang {n}\nGilt bis 30.11.\n" for n in ("wasser", "putzplan", "muell")}
    server = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"], 40000)
    me = stage.actor(
        "client", fronts.varnish(stage, server), "haus.genossen.example", "httpx", {"User-Agent": "Aushang/2"}
    )
    for name in ("wasser", "putzplan", "muell"):
        seen = me.get(f"/aushang/{name}.txt")
    me.get("/aushang/muell.txt", 304, {"If-None-Match": seen.etag})
    water = me.get("/aushang/wasser.txt")
    place.rest(1.2)
    new = "Aushang wasser\nAbgestellt am 2.12. von 8 bis 12 Uhr\n"
    me.put("/aushang/wasser.txt", new, 204, {**_TEXT, "If-Match": water.etag})
    for _ in range(3):
        place.rest(0.9)
        old = me.get("/aushang/wasser.txt")
        place.sure(old.etag == water.etag and old.body == water.body and int(old.fields["age"]) > 0)
        me.get("/aushang/wasser.txt", 304, {"If-None-Match": water.etag})
    place.sure(me.get("/aushang/wasser.txt?t=1795").text == new)


@case(
    "e328",
    "bea-a-pinned-read-of-another-release",
    "cache-misevaluates",
    "wrong-200",
    alone="cache-misevaluates precondition-ignored",
    description=(
        "An agent pins its reads of a release list with If-Match. Varnish keeps what a later release has brought and "
        "answers the pinned reads with 200 under another tag, Age and its own numbers; the origin is not asked."
    ),
)
def pinned(stage: Stage) -> None:
    """Read under a condition that a cache does not know."""
    files = {"rel/list.json": '{"app":"7.0.1","db":"12"}', "rel/notes.txt": "7.0.1: first of the series"}
    server = fronts.site(stage, "caddy", files, "", 30000)
    vcl = "sub vcl_backend_response { set beresp.ttl = 2s; set beresp.grace = 0s; }"
    front = fronts.varnish(stage, server, vcl)
    me = stage.actor("client", front, "rel.bordnetz.test", "curl:trace-time", {"User-Agent": "agent/12"})
    other = stage.actor("other", front, "rel.bordnetz.test", "requests", {"User-Agent": "agent/13"})
    seen = me.get("/rel/list.json")
    me.get("/rel/list.json", 200, {"If-Match": seen.etag})
    me.get("/rel/notes.txt")
    fronts.put_file(server.directory, "rel/list.json", '{"app":"7.1.0","db":"13","drop":["db12"]}')
    place.rest(2.6)
    other.get("/rel/list.json")
    place.rest(1.1)
    got = me.get("/rel/list.json", 200, {"If-Match": seen.etag})
    place.sure(got.etag != seen.etag and int(got.fields["age"]) > 0)
    me.get("/rel/notes.txt")
    got = me.get("/rel/list.json", 200, {"If-Match": seen.etag})
    place.sure("7.1.0" in got.text)


@case(
    "e346",
    "bea-links-made-secure-on-the-way",
    "validator-stripped",
    "lost-update",
    alone="validator-stripped unconditional-write",
    also="unconditional-write",
    description=(
        "nginx rewrites http: to https: in JSON (sub_filter) and so drops ETag from it, not from the CSV exports and the "
        "204s. A waterworks' client guards what has a tag and saves the rest without: its pump sheet goes over a colleague's, "
        "as the number of the answer's tag and the history show."
    ),
)
def pumps(stage: Stage) -> None:
    """Have no tag to send."""
    docs: dict[str, Any] = {
        f"/pumpen/{n}": {"id": n, "href": f"http://werk.test/pumpen/{n}", "druck": 4, "wart": "-"}
        for n in (6, 7)
    }
    docs["/export/tag.csv"] = ("text/csv", "pumpe;bar\n6;4\n7;4\n")
    box = Box(docs, _rev, first=12)
    box.answer_write = lambda _req, path, doc, _made: Res(204, b"", box.marks(path, doc))
    box.before.append(lambda req: _history(box, req))
    server = place.open_box(stage, box, "starlette")
    lines = "sub_filter_types application/json; sub_filter 'http://' 'https://'; sub_filter_once off; "
    front = fronts.nginx(stage, server, lines + 'proxy_set_header Accept-Encoding "";')
    me = stage.actor("client", front, "werk.stadtwasser.example", "aiohttp", {"X-User": "warte-1"})
    other = stage.actor("other", front, "werk.stadtwasser.example", "requests", {"X-User": "mobil-4"})
    sheet = me.get("/export/tag.csv")
    me.get("/export/tag.csv", 304, {"If-None-Match": sheet.etag})
    mine = me.get("/pumpen/7")
    place.sure("etag" not in mine.fields and "https" in mine.text)
    first = me.put("/pumpen/7", {**mine.json, "druck": 5}, 204)
    theirs = other.get("/pumpen/7").json
    other.put("/pumpen/7", {**theirs, "wart": "Lager getauscht"}, 204)
    place.rest(1.0)
    me.get("/pumpen/6")
    new = sheet.text + "8;3\n"
    me.put("/export/tag.csv", new, 204, {"Content-Type": "text/csv", "If-Match": sheet.etag})
    second = me.put("/pumpen/7", {**mine.json, "druck": 6}, 204)
    place.sure((first.etag, second.etag) == ('"v0013"', '"v0015"'), (first.etag, second.etag))
    me.get("/pumpen/7/verlauf")
    place.sure(me.get("/pumpen/7").json["wart"] == "-")


def _history(box: Box, req: Req) -> Res | None:
    if not req.path.endswith("/verlauf"):
        return None
    doc = box.docs[req.path.removesuffix("/verlauf")]
    rows = [
        {"stand": one.rev, "von": one.by, "wart": one.data["wart"], "druck": one.data["druck"]}
        for one in (*doc.past, doc)
    ]
    return Res(200, {"verlauf": rows})


@case(
    "e352",
    "bea-varnish-squeezes-the-menus",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "Varnish compresses what it fetches (do_gzip) for those who take gzip and makes the tag weak; the canteen's "
        "saves under it are refused. A read without coding shows the same tag strong, and with that the save passes."
    ),
)
def menus(stage: Stage) -> None:
    """Send Varnish's weak tag."""
    docs = {
        f"/menus/kw{n}": {"kw": n, "tage": [{"tag": t, "essen": "Linsen " * 9} for t in "MDMDF"]}
        for n in (49, 50, 51)
    }
    server = place.open_box(stage, Box(docs, _sha, dates=True), "falcon")
    vcl = (
        "sub vcl_recv { return (pass); }\nsub vcl_backend_response { "
        'if (bereq.http.Accept-Encoding ~ "gzip" && beresp.http.Content-Type ~ "json") { set beresp.do_gzip = true; } }'
    )
    me = stage.actor(
        "client",
        fronts.varnish(stage, server, vcl),
        "menus.mensa.example",
        "requests",
        {"User-Agent": "Mensa/1"},
    )
    me.get("/menus/kw49")
    for number in (50, 51, 50):
        seen = me.get(f"/menus/kw{number}")
        place.sure(seen.etag.startswith("W/"), seen.fields)
        me.get(f"/menus/kw{number}", 304, {"If-None-Match": seen.etag})
        me.put(f"/menus/kw{number}", {**seen.json, "vegan": True}, 412, {"If-Match": seen.etag})
        place.rest(0.4)
    bare = me.get("/menus/kw50", 200, {"Accept-Encoding": "identity"})
    place.sure(f"W/{bare.etag}" == seen.etag)
    me.put(
        "/menus/kw50",
        {**bare.json, "vegan": True},
        200,
        {"If-Match": bare.etag, "Accept-Encoding": "identity"},
    )


@case(
    "e354",
    "bea-the-balancer-had-no-patience",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412 lost-response-replay",
    description=(
        "HAProxy gives an origin one second and then sends the same PUT once more (retry-on response-timeout); the first "
        "has been stored, the second is 412, and only that comes to the client after more than a second. The sheet then "
        "shows its own text, with a time within that request."
    ),
)
def patience(stage: Stage) -> None:
    """Be refused for one's own write."""
    docs = {f"/befunde/{n}": {"nr": n, "text": "offen", "arzt": "-"} for n in (901, 902, 903)}
    box = Box(docs, _rev, dates=True, first=3, extra={"X-App": "befund/4"})
    slow = iter((0.0, 1.5, 0.0, 1.5))
    box.done.append(lambda _req, _path: place.rest(next(slow)))
    server = place.open_box(stage, box, "waitress")
    rules = " timeout server 1s\n retries 1\n retry-on response-timeout"
    me = stage.actor(
        "client",
        fronts.haproxy(stage, [server], rules),
        "befund.labor.example",
        "urllib",
        {"User-Agent": "LIS/9"},
    )
    me.get("/befunde")
    for number, status in ((901, 200), (902, 412), (903, 200), (901, 412)):
        seen = me.get(f"/befunde/{number}")
        body = {**seen.json, "text": f"unauffaellig, Lauf {number}-{status}", "arzt": "Dr. Ilg"}
        me.put(f"/befunde/{number}", body, status, {"If-Match": seen.etag})
        if status == 412:
            place.sure(me.get(f"/befunde/{number}").json == body)
        place.rest(0.5)


@case(
    "e348",
    "bea-gauges-with-an-old-program",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "Apache before a readings service refuses programs older than version 5 with a rewrite rule to 412 and its stock "
        "page of a false precondition; the gauge sends no condition at all, its reads pass, each POST is refused."
    ),
)
def gauges(stage: Stage) -> None:
    """Be refused for the version of one's program."""
    box = Box({f"/pegel/{n}": {"ort": n, "cm": 210} for n in ("auerbach", "mitte")}, _sha)
    server = place.open_box(stage, box, "cheroot")
    rules = (
        "LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so\nRewriteEngine On\n"
        'RewriteCond %{HTTP:X-Client-Version} "^[0-4]\\."\nRewriteCond %{REQUEST_METHOD} =POST\nRewriteRule ^ - [R=412,L]'
    )
    front = fronts.apache(stage, server, rules)
    me = stage.actor(
        "client",
        front,
        "pegel.bachverband.example",
        "curl",
        {"User-Agent": "logger-m2", "X-Client-Version": "4.8"},
    )
    station = me.get("/pegel/mitte")
    for level in (214, 219, 227):
        me.send("POST", "/pegel/mitte/werte", 412, None, {"cm": level, "bat": 3.6})
        place.rest(0.6)
        me.get("/pegel/mitte", 304, {"If-None-Match": station.etag})
    me.get("/pegel/auerbach")


@case(
    "e349",
    "bea-linked-data-is-not-plain",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "An archive's service behind Traefik tags the JSON-LD and the plain JSON of a record apart (Vary: Accept) and "
        "judges If-Match by the plain one. A program that reads JSON-LD is refused with that tag, though a plain read at "
        "the same moment shows the same record, unchanged, under another."
    ),
)
def linked(stage: Stage) -> None:
    """Guard a write with another representation's tag."""
    docs = {f"/akten/{n}": {"nr": n, "titel": f"Grundbuch {n}", "jahr": 1890 + n} for n in (4, 5, 6)}
    box = Box(docs, _sha, extra={"Vary": "Accept"})

    def show(req: Req, path: str, doc: Doc) -> Res:
        if "ld+json" not in req.fields.get("accept", ""):
            return Res(200, doc.data, box.marks(path, doc))
        body = {
            "@context": "https://schema.org",
            "@id": path,
            "name": doc.data["titel"],
            "dateCreated": doc.data["jahr"],
        }
        tag = f'"ld-{doc.digest("sha256")[:14]}"'
        return Res(200, body, {"Content-Type": "application/ld+json", "ETag": tag})

    box.show = show
    server = place.open_box(stage, box, "tornado")
    me = stage.actor(
        "client",
        fronts.traefik(stage, [server]),
        "akten.archiv.example",
        "node:fetch",
        {"User-Agent": "edtf/2"},
    )
    ld = {"Accept": "application/ld+json"}
    me.get("/akten")
    for number in (5, 4):
        seen = me.get(f"/akten/{number}", 200, ld)
        me.get(f"/akten/{number}", 304, {**ld, "If-None-Match": seen.etag})
        body = {"nr": number, "titel": seen.json["name"] + ", Abt. II", "jahr": seen.json["dateCreated"]}
        me.put(f"/akten/{number}", body, 412, {"If-Match": seen.etag, "Accept": "application/json"})
        plain = me.get(f"/akten/{number}", 200, {"Accept": "application/json"})
        place.sure(plain.etag != seen.etag)
        place.sure(me.get(f"/akten/{number}", 200, ld).etag == seen.etag)
        place.rest(0.4)
    me.put(
        "/akten/4",
        {**plain.json, "titel": "Grundbuch 4, Abt. II"},
        200,
        {"If-Match": plain.etag, "Accept": "application/json"},
    )


@case(
    "e345",
    "bea-the-sorter-throws-away-what-was-amended",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "nginx's DAV module judges If-Match for reads only: a sorter that has read a form deletes it under the tag of its "
        "read after a poll has shown a newer one: 204, and what the citizen had added is gone. A DELETE under a tag that "
        "never was is 204 as well."
    ),
)
def sorter(stage: Stage) -> None:
    """Delete under an old tag."""
    files = {
        f"eingang/{n}.json": f'{{"az":"{n}","anlagen":1,"von":"{v}"}}'
        for n, v in (("b-201", "Lo"), ("b-202", "Brandt"), ("b-203", "Ayd"))
    }
    lines = f"autoindex on; autoindex_format json; {fronts.DAV['nginx']}"
    server = fronts.site(stage, "nginx", files, lines, 9000)
    me = stage.actor("client", server, "eingang.rathaus.example", "requests", {"User-Agent": "sortierer/3.3"})
    other = stage.actor("other", server, "eingang.rathaus.example", "node:fetch", {"User-Agent": "portal"})
    me.get("/eingang/")
    held = {name: me.get(f"/{name}") for name in files}
    base = other.get("/eingang/b-202.json")
    other.put(
        "/eingang/b-202.json",
        {**base.json, "anlagen": 3, "frist": "2027-01-15"},
        204,
        {"If-Match": base.etag},
    )
    place.rest(1.2)
    for name, seen in held.items():
        told = me.send("HEAD", f"/{name}", 200)
        place.sure((told.etag == seen.etag) == ("202" not in name))
    me.put("/archiv/b-202.json", held["eingang/b-202.json"].body, 201, {"Content-Type": "application/json"})
    me.send("DELETE", "/eingang/b-202.json", 204, {"If-Match": held["eingang/b-202.json"].etag})
    me.send("DELETE", "/eingang/b-203.json", 204, {"If-Match": '"b-203"'})
    listed = me.get("/eingang/")
    place.sure("b-202" not in listed.text and "frist" not in me.get("/archiv/b-202.json").text)


def _copies(source: Path, target: Path, seconds: float, ends: threading.Event) -> None:
    while not ends.wait(0.1):
        for one in source.rglob("*.json"):
            twin = target / one.relative_to(source)
            if (
                one.stat().st_mtime < time.time() - seconds
                and one.stat().st_mtime_ns != twin.stat().st_mtime_ns
            ):
                shutil.copy2(one, twin)


@case(
    "e330",
    "bea-reads-from-the-second-house",
    "replica-lag",
    "stale-read",
    alone="replica-lag stale-cache-read",
    description=(
        "HAProxy sends writes to one nginx and reads to another, to which a job copies the files some two seconds later: "
        "after its own 204 a gate's terminal reads the list from before twice (X-House: two, no cache marks), then the new."
    ),
)
def houses(stage: Stage) -> None:
    """Read before the copy has been made."""
    files = {
        f"tor/{n}.json": f'{{"tor":"{n}","offen":false,"liste":[],"wart":"{w}"}}'
        for n, w in (("nord", "Ole"), ("sued", "Nuri B."), ("hafen", "-"))
    }
    dav = fronts.DAV["nginx"]
    first = fronts.site(stage, "nginx", files, f"add_header X-House one always; {dav}", 20000)
    second = fronts.site(stage, "nginx", files, "add_header X-House two always;", 20000)
    for name in files:
        shutil.copy2(first.directory / name, second.directory / name)
    ends = threading.Event()
    job = threading.Thread(target=_copies, args=(first.directory, second.directory, 2.2, ends), daemon=True)
    job.start()
    me = stage.actor(
        "client",
        fronts.split(stage, first, second),
        "tore.spedition.example",
        "node:axios",
        {"User-Agent": "gate/6"},
    )
    me.get("/tor/nord.json")
    seen = me.get("/tor/sued.json")
    me.get("/tor/sued.json", 304, {"If-None-Match": seen.etag})
    new = {**seen.json, "offen": True, "liste": ["HH-KL 204"]}
    me.put("/tor/sued.json", new, 204)
    for _ in range(2):
        place.rest(0.4)
        old = me.get("/tor/sued.json")
        place.sure(old.json == seen.json)
    me.get("/tor/sued.json", 304, {"If-None-Match": seen.etag})
    me.get("/tor/hafen.json")
    place.rest(2.4)
    now = me.get("/tor/sued.json", 200, {"If-None-Match": seen.etag})
    ends.set()
    job.join()
    place.sure(now.json == new)
    me.get("/tor/nord.json")
