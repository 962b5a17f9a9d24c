"""More stories on real servers of files and cards."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories.held_lee_setting import again, rest, sure

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor
    from tools.recording_apis.stage import Stage


@case(
    "d892",
    "lee-signage-with-a-fast-clock",
    "clock-skew",
    "wrong-304",
    alone="clock-skew",
    description=(
        "A gate display asks Caddy for its screen with the time of its own clock, nine minutes ahead of the server's "
        "Date: a screen that was replaced after the first read is 304 again and again, until it asks without a date."
    ),
)
def signage(stage: Stage) -> None:
    """Ask by one's own clock."""
    files = {
        "ekran/kapi-12.json": '{"uçuş":"TZ 411","durum":"zamanında"}',  # noqa: RUF001 - Turkish
        "ekran/kapi-13.json": '{"uçuş":"TZ 96"}',
        "ekran/surum.txt": "kapi-12 rev 7\n",
    }
    server = fronts.site(
        stage, "caddy", files, " header /ekran/* -Etag\n header /ekran/* Cache-Control no-cache", age=5400
    )
    me = stage.actor("client", server, "ekran.havalimani.example", "node:fetch", {"User-Agent": "kiosk/5"})

    def mine() -> dict[str, str]:
        return {"If-Modified-Since": formatdate(time.time() + 548, usegmt=True)}

    me.get("/ekran/surum.txt")
    me.get("/ekran/kapi-12.json")
    me.get("/ekran/kapi-12.json", 304, mine())
    rest(1.1)
    fronts.put_file(server.directory, "ekran/kapi-12.json", '{"uçuş":"TZ 411","durum":"rötar 15:40"}')
    fronts.put_file(server.directory, "ekran/surum.txt", "kapi-12 rev 8\n")
    for _ in range(2):
        rest(1.1)
        me.get("/ekran/kapi-12.json", 304, mine())
    sure("rev 8" in me.get("/ekran/surum.txt").text)
    me.get("/ekran/kapi-12.json", 304, mine())
    rest(0.6)
    sure("rötar" in me.get("/ekran/kapi-12.json").text)
    me.get("/ekran/kapi-13.json", 304, mine())


_CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nN:{name};;;;\r\nTEL:{tel}\r\nEND:VCARD\r\n"


@case(
    "d899",
    "lee-address-book-without-quotes",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A vet's address book on Radicale: the practice's script takes the quotes off each tag that it reads and sends "
        "If-Match without them; every save and removal is refused, though nobody else writes."
    ),
)
def cards(stage: Stage) -> None:
    """Take the quotes off."""
    server = stage.server("radicale")
    auth = {"Authorization": "Basic cHJheGlzOng="}
    setup = stage.actor("setup", server, "kontakte.tierpraxis.example", "requests", auth)
    kind = '<mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype><collection/><C:addressbook/></resourcetype></prop></set></mkcol>'
    setup.send("MKCOL", "/praxis/halter/", 201, {"Content-Type": "application/xml"}, kind)
    vcf = {"Content-Type": "text/vcard; charset=utf-8"}
    for uid, name in (("h1", "Kaya"), ("h2", "Brandl"), ("h3", "Okafor")):
        setup.put(f"/praxis/halter/{uid}.vcf", _CARD.format(uid=uid, name=name, tel="030 111"), 201, vcf)
    stage.forget()
    me = stage.actor("client", server, "kontakte.tierpraxis.example", "httpx", auth)
    me.send("PROPFIND", "/praxis/halter/", 207, {"Depth": "1"})
    for uid, name in (("h1", "Kaya"), ("h2", "Brandl")):
        seen = me.get(f"/praxis/halter/{uid}.vcf")
        text = _CARD.format(uid=uid, name=name, tel="030 222")
        me.put(f"/praxis/halter/{uid}.vcf", text, 412, {**vcf, "If-Match": seen.etag.strip('"')})
        rest(0.4)
        sure(me.get(f"/praxis/halter/{uid}.vcf").etag == seen.etag)
    third = me.get("/praxis/halter/h3.vcf")
    me.send("DELETE", "/praxis/halter/h3.vcf", 412, {"If-Match": third.etag.strip('"')})
    me.put(
        "/praxis/halter/h4.vcf",
        _CARD.format(uid="h4", name="Lindt", tel="030 9"),
        201,
        {**vcf, "If-None-Match": "*"},
    )


@case(
    "d907",
    "lee-recipes-on-plain-nginx",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "Recipes of a bakery on nginx with dav_methods, which never looks at If-Match of a PUT: the client, which has "
        "seen that the tag moved, saves a draft with the former tag and is told 204; the night shift's change is gone."
    ),
)
def recipes(stage: Stage) -> None:
    """Be taken with the tag of a version that is gone."""
    files = {
        f"oppskrift/{n}.txt": f"{n}\nmel 900 g\nvann 600 g\nsalt 20 g\n"
        for n in ("rugbrød".replace("ø", "o"), "loff", "skolebolle")
    }
    server = fronts.site(stage, "nginx", files, fronts.DAV["nginx"], age=90000)
    me = stage.actor("client", server, "oppskrift.bakeriet.example", "curl")
    other = stage.actor("other", server, "oppskrift.bakeriet.example", "requests")
    path, text = "/oppskrift/loff.txt", {"Content-Type": "text/plain"}
    mine = me.get(path)
    again(me, path, mine)
    theirs = other.get(path)
    other.put(path, theirs.text.replace("salt 20", "salt 16"), 204, {**text, "If-Match": theirs.etag})
    rest(1.3)
    moved = me.send("HEAD", path, 200)
    sure(moved.etag != mine.etag)
    me.get("/oppskrift/rugbrod.txt")
    me.put(path, mine.text + "hvile 40 min\n", 204, {**text, "If-Match": mine.etag})
    rest(0.4)
    now = me.get(path)
    sure("salt 20" in now.text)
    again(me, "/oppskrift/skolebolle.txt", me.get("/oppskrift/skolebolle.txt"))


def _walk(me: Actor) -> str:
    return me.send("PROPFIND", "/rooster/", 207, {"Depth": "1"}).text


@case(
    "d886",
    "lee-rota-uploaded-as-new",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A swimming club's rota on WsgiDAV: the upload tool lists and reads the sheets, and then sends the changed ones "
        "with If-None-Match: * as if they were new: 412, while a sheet that is new is created."
    ),
)
def rota(stage: Stage) -> None:
    """Guard an update as a creation."""
    server = stage.server("wsgidav")
    fronts.put_file(server.directory, "rooster/week49.csv", "dag,bad,wie\nma,25m,Sanne\ndi,25m,Bas\n", 86000)
    fronts.put_file(server.directory, "rooster/week50.csv", "dag,bad,wie\nma,25m,Joris\n", 86000)
    me = stage.actor("client", server, "rooster.zwemclub.example", "aiohttp")
    star = {"If-None-Match": "*", "Content-Type": "text/csv"}
    _walk(me)
    for week in (49, 50):
        seen = me.get(f"/rooster/week{week}.csv")
        sure(seen.etag)
        rest(0.3)
        me.put(f"/rooster/week{week}.csv", seen.text + "wo,50m,Femke\n", 412, star)
    me.put("/rooster/week51.csv", "dag,bad,wie\nma,25m,Bas\n", 201, star)
    _walk(me)
    seen = me.get("/rooster/week49.csv")
    sure("Femke" not in seen.text)
    me.put("/rooster/week49.csv", seen.text + "wo,50m,Femke\n", 412, star)
