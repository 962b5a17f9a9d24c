"""Unseen recordings of healthy traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.sol_ledger import Ledger
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_sol_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


@case(
    "e002",
    "sol-weak-for-reading-strong-for-writing",
    "none",
    "healthy",
    alone="none",
    description=(
        "nginx compresses and weakens tags, which a dashboard uses for 304s only; for its edits it reads with identity "
        "and saves with the strong tag, each time taken from the answer before. Two writers keep to records of their own."
    ),
)
def weak_and_strong(stage: Stage) -> None:
    """Know which tag is for what."""
    rows: dict[str, Any] = {
        f"/lines/{n}": {"line": n, "text": "Ersatzverkehr " * 9, "state": 0} for n in (4, 5, 6)
    }
    front = fronts.nginx_gzip(stage, place.ledger(stage, Ledger(rows), "cheroot"))
    me = stage.actor("client", front, "lage.bahn.test", "requests", {"X-User": "leitstelle"})
    other = stage.actor("other", front, "lage.bahn.test", "node:fetch", {"X-User": "presse"})
    bare = {"Accept-Encoding": "identity"}
    place.enter(me)
    me.get("/lines")
    for number in (4, 6):
        seen = me.get(f"/lines/{number}")
        place.sure(seen.etag.startswith("W/"))
        for _ in range(2):
            place.wait(0.3)
            me.get(f"/lines/{number}", 304, {"If-None-Match": seen.etag})
    got = me.get("/lines/5", 200, bare)
    theirs = other.get("/lines/6", 200, bare)
    for state in (1, 2, 3):
        got = me.put("/lines/5", {**got.json, "state": state}, 200, {**bare, "If-Match": got.etag})
        place.wait(0.2)
    other.put("/lines/6", {**theirs.json, "state": 9}, 200, {**bare, "If-Match": theirs.etag})
    changed = me.get("/lines/6", 200, {"If-None-Match": seen.etag})
    me.get("/lines/6", 304, {"If-None-Match": changed.etag})


@case(
    "e010",
    "sol-download-begins-again-when-it-must",
    "none",
    "healthy",
    alone="none",
    description=(
        "A player loads an audio guide from nginx in parts with If-Range. The file is replaced under way, so the next "
        "part's request brings the whole new file (200), which it keeps; parts of an unchanged file are 206."
    ),
)
def download(stage: Stage) -> None:
    """Resume safely."""
    old, new = ("".join(f"[{n:03}] {word} Saal {n % 7}\n" for n in range(80)) for word in ("alt", "neu"))
    files = {"guide/de.txt": old, "guide/fr.txt": old.replace("Saal", "Salle")}
    server = fronts.site(stage, "nginx", files, age=70000)
    me = stage.actor(
        "client",
        server,
        "audio.museum.test",
        "httpx",
        {"User-Agent": "Guide/8", "Accept-Encoding": "identity"},
    )
    place.polls(me, "/guide/de.txt", "/guide/fr.txt", times=1)
    me.send("HEAD", "/guide/fr.txt", 200)
    first = me.get("/guide/fr.txt", 206, {"Range": "bytes=0-499"})
    rest = me.get("/guide/fr.txt", 206, {"Range": "bytes=500-", "If-Range": first.etag})
    place.sure((first.body + rest.body).decode() == files["guide/fr.txt"])
    first = me.get("/guide/de.txt", 206, {"Range": "bytes=0-499"})
    place.wait(0.8)
    fronts.put_file(server.directory, "guide/de.txt", new)
    whole = me.get("/guide/de.txt", 200, {"Range": "bytes=500-", "If-Range": first.etag})
    place.sure(whole.text == new)
    place.wait(0.6)
    me.get("/guide/de.txt", 304, {"If-None-Match": whole.etag})


_LOCK = (
    '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype>'
    "<D:write/></D:locktype><D:owner>{}</D:owner></D:lockinfo>"
)


@case(
    "e018",
    "sol-lock-save-unlock-in-turns",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two office programs on Apache's DAV take turns at one document: the second sees the first one's lock, waits "
        "until it is gone, locks, reads again and saves under its own lock, and unlocks. Nothing is refused."
    ),
)
def turns(stage: Stage) -> None:
    """Wait for a lock to go."""
    files = {f"satzung/{n}.txt": f"§ {n}\nDer Verein heißt Anker.\n" for n in (1, 2, 3)}
    server = place.dav(stage, "apache2", files)
    me = stage.actor("client", server, "ablage.verein.test", "requests", {"User-Agent": "LibreOffice/24.2"})
    other = stage.actor(
        "other", server, "ablage.verein.test", "httpx", {"User-Agent": "Microsoft Office Word"}
    )
    ask = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><lockdiscovery/></prop></propfind>'
    xml = {"Content-Type": "text/xml", "Depth": "0"}
    path = "/satzung/2.txt"
    place.listing(me, "/satzung/")
    theirs = other.send("LOCK", path, 200, {**xml, "Timeout": "Second-300"}, _LOCK.format("Vorstand")).fields[
        "lock-token"
    ]
    place.sure("Vorstand" in me.send("PROPFIND", path, 207, xml, ask).text)
    text = other.get(path).text
    other.put(path, f"{text}Sitz ist Kiel.\n", 204, {**_TEXT, "If": f"({theirs})"})
    other.send("UNLOCK", path, 204, {"Lock-Token": theirs})
    place.wait(1.5)
    place.sure("Vorstand" not in me.send("PROPFIND", path, 207, xml, ask).text)
    mine = me.send("LOCK", path, 200, {**xml, "Timeout": "Second-300"}, _LOCK.format("Kasse")).fields[
        "lock-token"
    ]
    seen = me.get(path)
    me.put(path, f"{seen.text}Geschäftsjahr ist das Kalenderjahr.\n", 204, {**_TEXT, "If": f"({mine})"})
    me.send("UNLOCK", path, 204, {"Lock-Token": mine})
    place.sure("Kiel" in me.get(path).text)


@case(
    "e032",
    "sol-old-paths-move-with-308",
    "none",
    "healthy",
    alone="none",
    description=(
        "nginx sends a program from old paths to new ones with 308; requests repeats each PUT there with its content "
        "and its If-Match, and each is taken. The tags of the answers are used for the next save."
    ),
)
def moved(stage: Stage) -> None:
    """Be sent on with everything."""
    rows = {f"/v2/pumps/{n}": {"pump": n, "bar": 4.0, "on": True} for n in ("p1", "p2", "p3")}
    server = place.ledger(stage, Ledger(rows))
    front = fronts.nginx(
        stage, server, block="absolute_redirect off; location ~ ^/v1/(.*)$ { return 308 /v2/$1; }"
    )
    stage.config[-1] = "location ~ ^/v1/(.*)$ { return 308 /v2/$1; }"
    me = stage.actor("client", front, "pumpen.werk.test", "requests:follow", {"X-User": "leitwarte"})
    place.enter(me)
    me.get("/v2/pumps")
    for name in ("p1", "p3"):
        got = me.get(f"/v1/pumps/{name}")
        for bar in (4.2, 4.4):
            got = me.put(f"/v1/pumps/{name}", {**got.json, "bar": bar}, 200, {"If-Match": got.etag})
            place.wait(0.3)
        place.sure(me.get(f"/v2/pumps/{name}").json["bar"] == 4.4)
        me.get(f"/v2/pumps/{name}", 304, {"If-None-Match": got.etag})


@case(
    "e039",
    "sol-varnish-drops-what-is-saved",
    "none",
    "healthy",
    alone="none",
    description=(
        "Varnish keeps a library's shelf marks and drops what a save passes over it: reads with an Age are current, "
        "the tags out of the store are taken, a colleague's change is in the next read. Nothing is refused."
    ),
)
def dropped(stage: Stage) -> None:
    """Save with tags out of a store that is kept clean."""
    rows = {f"/marks/{n}": {"id": n, "mark": f"Ph {n}", "copies": 2} for n in (61, 62, 63)}
    rules = (
        'sub vcl_recv { if (req.method == "PUT") { ban("obj.http.x-url == " + req.url); return (pass); } }\n'
        "sub vcl_backend_response { set beresp.http.x-url = bereq.url; set beresp.ttl = 120s; }"
    )
    front = fronts.varnish(stage, place.ledger(stage, Ledger(rows), "werkzeug"), rules)
    me = stage.actor("client", front, "signaturen.bibliothek.test", "urllib", {"X-User": "magazin"})
    other = stage.actor("other", front, "signaturen.bibliothek.test", "curl", {"X-User": "ausleihe"})
    place.polls(me, "/assets/bib.css", times=1)
    for number in (61, 62, 63):
        me.get(f"/marks/{number}")
    place.wait(2.1)
    for number in (61, 63):
        seen = me.get(f"/marks/{number}")
        place.sure(int(seen.fields["age"]) >= 1)
        me.get(f"/marks/{number}", 304, {"If-None-Match": seen.etag})
        saved = me.put(f"/marks/{number}", {**seen.json, "copies": 3}, 200, {"If-Match": seen.etag})
        place.sure(me.get(f"/marks/{number}").etag == saved.etag)
    held = me.get("/marks/62")
    theirs = other.get("/marks/62")
    other.put("/marks/62", {**theirs.json, "mark": "Ph 62a"}, 200, {"If-Match": theirs.etag})
    place.wait(1.2)
    now = me.get("/marks/62", 200, {"If-None-Match": held.etag})
    me.put("/marks/62", {**now.json, "copies": 1}, 200, {"If-Match": now.etag})
