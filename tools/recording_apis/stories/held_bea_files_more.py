"""More stories on web servers that keep files: locks, parts of files, races, a calm day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_TEXT = {"Content-Type": "text/plain"}
_LOCK = (
    '<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    "<D:locktype><D:write/></D:locktype><D:owner>{}</D:owner></D:lockinfo>"
)
_XML = {"Content-Type": "application/xml; charset=utf-8"}


@case(
    "e356",
    "bea-the-score-lies-open-elsewhere",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "An arranger has a part locked on Apache's DAV. The copyist's program saves it with the right tag and no lock "
        "token: 423, twice; the lock discovery names the arranger."
    ),
)
def score(stage: Stage) -> None:
    """Save what another has locked."""
    files = {f"suite/{n}.abc": f"X:1\nT:{n}\nK:D\nDFA dfa\n" for n in ("flute", "cello", "horn")}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"], 80000)
    me = stage.actor("client", server, "noten.orchester.test", "node:fetch", {"User-Agent": "Stimmen/2"})
    other = stage.actor("other", server, "noten.orchester.test", "curl", {"User-Agent": "davfs2/1.6.1"})
    horn = me.get("/suite/horn.abc")
    seen = me.get("/suite/cello.abc")
    fields = {**_XML, "Timeout": "Second-600", "Depth": "0"}
    other.send("LOCK", "/suite/cello.abc", 200, fields, _LOCK.format("Arr. Pilar"))
    place.rest(0.8)
    me.put("/suite/horn.abc", horn.text + "|:a:|\n", 204, {**_TEXT, "If-Match": horn.etag})
    me.put("/suite/cello.abc", seen.text + "z4|\n", 423, {**_TEXT, "If-Match": seen.etag})
    me.send("PROPFIND", "/suite/cello.abc", 207, {"Depth": "0"})
    place.rest(0.8)
    again = me.get("/suite/cello.abc")
    place.sure(again.etag == seen.etag)
    me.put("/suite/cello.abc", seen.text + "z4|\n", 423, {**_TEXT, "If-Match": again.etag})


@case(
    "e342",
    "bea-a-recording-spliced-of-two",
    "read-changed-mid-transfer",
    "corruption",
    alone="read-changed-mid-transfer",
    description=(
        "A player fetches a long transcript from Caddy in parts without If-Range; the editor replaces the file after "
        "the second part. All are 206, the last two under another tag and length: the whole is of two versions."
    ),
)
def transcript(stage: Stage) -> None:
    """Splice two versions."""
    old = "".join(f"{n:05d} speaker A: so be it\n" for n in range(160))
    new = "".join(f"{n:05d} SPEAKER B: no, not at all\n" for n in range(150))
    server = fronts.site(
        stage, "caddy", {"t/ep31.txt": old, "t/ep30.txt": "short\n", "cover.css": "i{top:0}"}, "", 9000
    )
    me = stage.actor("client", server, "podcast.archiv.test", "aiohttp", {"User-Agent": "Pod/11"})
    css = me.get("/cover.css")
    me.get("/t/ep30.txt", 206, {"Range": "bytes=0-99"})
    me.send("HEAD", "/t/ep31.txt", 200)
    parts = []
    for number in range(4):
        if number == 2:
            fronts.put_file(server.directory, "t/ep31.txt", new)
        start = number * 1200
        got = me.get("/t/ep31.txt", 206, {"Range": f"bytes={start}-{start + 1199}"})
        parts.append(got)
        place.rest(0.35)
    place.sure(len({one.etag for one in parts}) == 2)
    me.get("/cover.css", 304, {"If-None-Match": css.etag})


@case(
    "e359",
    "bea-two-desks-that-lock",
    "none",
    "healthy",
    alone="none",
    description=(
        "WsgiDAV as meant: each desk locks a chapter, saves with its lock token and the tag, refreshes and unlocks; "
        "a look into the other's chapter is a plain read, a chapter that is not there yet is 404 and then made."
    ),
)
def chapters(stage: Stage) -> None:
    """Work with locks."""
    server = stage.server("wsgidav")
    for n in (1, 2):
        fronts.put_file(server.directory, f"buch/kap{n}.txt", f"Kapitel {n}\n", 90000)
    me = stage.actor("client", server, "dav.verlag.example", "requests", {"User-Agent": "Lektorat/3"})
    other = stage.actor("other", server, "dav.verlag.example", "curl", {"User-Agent": "cadaver/0.24"})
    me.send("PROPFIND", "/buch/", 207, {"Depth": "1"})
    for who, n in ((me, 1), (other, 2), (me, 1)):
        path = f"/buch/kap{n}.txt"
        seen = who.get(path)
        got = who.send(
            "LOCK", path, 200, {**_XML, "Timeout": "Second-120", "Depth": "0"}, _LOCK.format(f"pult{n}")
        )
        token = got.fields["lock-token"]
        own = {**_TEXT, "If": f"({token})", "If-Match": seen.etag}
        who.put(path, seen.text + f"Absatz von Pult {n}\n", 204, own)
        who.send("UNLOCK", path, 204, {"Lock-Token": token})
        place.rest(0.6)
    me.get("/buch/kap3.txt", 404)
    me.put("/buch/kap3.txt", "Kapitel 3\n", 201, {**_TEXT, "If-None-Match": "*"})
    two = me.get("/buch/kap2.txt")
    me.get("/buch/kap2.txt", 304, {"If-None-Match": two.etag})
