"""Stories on silent damage and on frameworks that judge late: downloads, mirrors, two at once."""

from __future__ import annotations

import hashlib
import json
import os
import time
from functools import partial
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_joe_setting as lab

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "d833",
    "joe-register-fetched-in-four-parts",
    "read-changed-mid-transfer",
    "mixed-content",
    alone="read-changed-mid-transfer",
    description=(
        "A register is fetched in four ranges without any guard; before the third a new edition takes its place: the "
        "206 of the later parts have another ETag and Last-Modified, and the sum of what was put together is neither's."
    ),
)
def register(stage: Stage) -> None:
    """Put parts of two editions together."""
    old = "".join(f"{n:05};Verein {n};aktiv\n" for n in range(160))
    new = old.replace("aktiv", "ruht ")

    def sums(text: str) -> str:
        return f"{hashlib.sha256(text.encode()).hexdigest()}  register.txt\n"

    server = fronts.site(stage, "nginx", {"pub/register.txt": old, "pub/SHA256SUMS.txt": sums(old)})
    me = stage.actor("client", server, "daten.amt.example", "java", {"User-Agent": "abruf/3"})
    size = int(me.send("HEAD", "/pub/register.txt", 200).fields["content-length"])
    step, got, tags = size // 4, b"", []
    for number in range(4):
        if number == 2:
            fronts.put_file(server.directory, "pub/register.txt", new, 1.0)
            fronts.put_file(server.directory, "pub/SHA256SUMS.txt", sums(new), 1.0)
        end = size - 1 if number == 3 else (number + 1) * step - 1
        part = me.get("/pub/register.txt", 206, {"Range": f"bytes={number * step}-{end}"})
        got += part.body
        tags.append(part.etag)
        lab.rest(0.4)
    lab.sure(tags[0] == tags[1] != tags[2] == tags[3])
    told = me.get("/pub/SHA256SUMS.txt").text
    lab.sure(hashlib.sha256(got).hexdigest() not in told)


@case(
    "d800",
    "joe-mirror-goes-by-seconds",
    "date-precision",
    "wrong-304",
    alone="date-precision",
    description=(
        "A mirror asks Caddy with If-Modified-Since; the bulletin was written twice within one second and the mirror has "
        "the first: 304 at each poll. The list of sums names other octets, and a plain read gives them under the same date."
    ),
)
def bulletin(stage: Stage) -> None:
    """Miss the second write of a second."""
    texts = ["Warnung: keine\nStand 06:00\n", "Warnung: Sturm\nStand 06:00\n"]
    server = fronts.site(stage, "caddy", {"wetter/lage.txt": texts[0], "wetter/archiv.txt": "a\n"})
    target = server.directory / "wetter" / "lage.txt"
    moment = int(time.time()) - 600
    os.utime(target, (moment + 0.21, moment + 0.21))
    summed = hashlib.md5(texts[1].encode(), usedforsecurity=False).hexdigest()
    me = stage.actor("client", server, "lage.wetter.example", "curl", {"User-Agent": "mirror/2.2"})
    me.get("/wetter/archiv.txt")
    seen = me.get("/wetter/lage.txt")
    target.write_text(texts[1], encoding="utf-8")
    os.utime(target, (moment + 0.83, moment + 0.83))
    fronts.put_file(server.directory, "wetter/MD5.txt", f"{summed}  lage.txt\n", 590)
    since = {"If-Modified-Since": seen.fields["last-modified"]}
    for _ in range(3):
        me.get("/wetter/lage.txt", 304, since)
        lab.rest(0.5)
    lab.sure(summed in me.get("/wetter/MD5.txt").text)
    me.get("/wetter/archiv.txt")
    now = me.get("/wetter/lage.txt")
    lab.sure(now.fields["last-modified"] == seen.fields["last-modified"] and now.etag != seen.etag)


@case(
    "d818",
    "joe-refused-and-stored-all-the-same",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "CherryPy's etags tool judges after the handler has stored: each save with the current tag is 412, and the read "
        "that follows shows the change with a new tag, at the first attempt of three different sheets."
    ),
)
def late(stage: Stage) -> None:
    """Be refused after the write."""
    seed = {f"/pegel/{n}": {"ort": n, "cm": 210 + n} for n in (1, 2, 3)}
    more = {"SEED": json.dumps(seed), "LATE": "1", "TAG": "hash"}
    server = stage.server("application", app="shelf_cherrypy", **more)
    me = stage.actor(
        "client", server, "pegel.wasseramt.example", "httpx", {"X-Station": "Sued", "User-Agent": "peg/1"}
    )
    me.get("/pegel/3")
    for number in (1, 2, 3):
        seen = me.get(f"/pegel/{number}")
        me.get(f"/pegel/{number}", 304, {"If-None-Match": seen.etag})
        changed = {**seen.json, "cm": 300 + number, "von": f"süd-{number}77"}
        me.put(f"/pegel/{number}", changed, 412, {"If-Match": seen.etag})
        lab.rest(0.5)
        now = me.get(f"/pegel/{number}")
        lab.sure(now.json == changed and now.etag != seen.etag)


@case(
    "d829",
    "joe-two-tills-sell-the-last-seat",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    description=(
        "Two tills of one box office send overlapping saves of one plan with one tag to a Django service that checks first "
        "and stores 0.4 s later: both are 200, one sale is lost. One after another, the same tag is refused with 412."
    ),
)
def tills(stage: Stage) -> None:
    """Save twice at once on one tag."""
    seed = {f"/saal/{n}": {"film": f"F{n}", "frei": ["C4", "C5", "C6"], "verkauft": {}} for n in (1, 2)}
    more = {"SEED": json.dumps(seed), "GAP": "0.4", "TAG": "uuid"}
    server = stage.server("application", app="shelf_django", **more)
    me = stage.actor("client", server, "kasse.kino.example", "httpx", {"User-Agent": "Kassenverbund/5"})
    for hall in (1, 2):
        one = me.get(f"/saal/{hall}", 200, {"X-Till": "1"})
        two = me.get(f"/saal/{hall}", 200, {"X-Till": "2"})

        def sell(till: int, seat: str, seen: Answer, hall: int = hall) -> Answer:
            free = [one for one in seen.json["frei"] if one != seat]
            body = {**seen.json, "frei": free, "verkauft": {seat: f"kasse {till}"}}
            own = {"If-Match": seen.etag, "X-Till": str(till)}
            return me.put(f"/saal/{hall}", body, (200, 412), own)

        got = lab.at_once(partial(sell, 1, "C4", one), partial(sell, 2, "C5", two), apart=0.12)
        lab.sure([answer.status for answer in got] == [200, 200])
        lab.rest(0.5)
        now = me.get(f"/saal/{hall}", 200, {"X-Till": "1"})
        lab.sure(list(now.json["verkauft"]) == ["C5"])
        lab.sure(sell(1, "C6", one).status == 412)
        me.get(f"/saal/{hall}", 304, {"If-None-Match": now.etag, "X-Till": "2"})
