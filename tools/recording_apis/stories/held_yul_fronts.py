"""Stories on what stands between: Caddy, Squid, nginx, HAProxy."""

from __future__ import annotations

import importlib.metadata
import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_yul_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e276",
    "yul-compressed-with-a-random-name",
    "unstable-etag",
    "missing-304",
    alone="unstable-etag",
    description=(
        "Django behind Caddy, ConditionalGetMiddleware above GZipMiddleware: the tag is a hash of the compressed "
        "octets, which hold a random file name, so it is another one at each request for the same timetable."
    ),
)
def timetable(stage: Stage) -> None:
    """Be given a new tag each time."""
    server = stage.server("application", app="yul_timetable")
    django, runner = importlib.metadata.version("django"), importlib.metadata.version("gunicorn")
    stage.servers["application"] = f"Django {django} under gunicorn {runner}"
    stage.config.append("MIDDLEWARE = [ConditionalGetMiddleware, GZipMiddleware]")
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "rutetabell.ferje.example", "httpx", {"User-Agent": "KaiSkjerm/3"})
    held, seen = {4: "", 7: ""}, []
    for turn in range(5):
        note = me.get("/notice.json")
        me.get("/notice.json", 304, {"If-None-Match": note.etag})
        for line in (4, 7):
            fields = {"If-None-Match": held[line]} if held[line] else {}
            got = me.get(f"/lines/{line}.json", 200, fields)
            held[line] = got.etag
            seen.append((got.etag, got.body))
        place.rest(0.3 + turn * 0.05)
    place.sure(len({tag for tag, _ in seen}) == 10 and len({body for _, body in seen}) == 2)


@case(
    "e265",
    "yul-whole-answer-for-the-same-tag",
    "cache-misevaluates",
    "wrong-200",
    alone="cache-misevaluates",
    description=(
        "Squid stores a price list for two seconds; when it has to ask again, the origin says 304, yet the till whose "
        "If-None-Match equals the tag is handed the whole list with 200 and that very tag."
    ),
)
def whole(stage: Stage) -> None:
    """Be sent what one has."""
    rows = {f"art-{n}": {"grosz": 199 + n * 7} for n in range(60)}
    docs = {"/ceny/sklep-12": rows, "/ceny/sklep-13": {"art-1": {"grosz": 5}}}
    box = Box(docs, lambda _path, doc: f'"{doc.digest()[:20]}"', dates=True)
    box.after.append(lambda req, res: res.fields.update({"Cache-Control": "max-age=2"}) if req.safe else None)
    server = place.open_box(stage, box, "cheroot", said="Cache-Control: max-age=2")
    front = fronts.squid(stage, server, "", "ceny.sklep.example")
    me = stage.actor("client", front, "ceny.sklep.example", "requests", {"User-Agent": "Kasa/9 (12)"})
    first = me.get("/ceny/sklep-12")
    me.get("/ceny/sklep-13")
    for _ in range(4):
        place.rest(3.2)
        got = me.get("/ceny/sklep-12", 200, {"If-None-Match": first.etag})
        place.sure(got.etag == first.etag and got.body == first.body)
    place.sure(any(one.response.status == 304 for one in stage.taps["upstream"].recorded if one.response))


@case(
    "e261",
    "yul-the-slash-eats-the-change",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "nginx redirects addresses with a slash at the end by 302; a gauge's configurator patches such an address "
        "with If-Match, its library follows with GET, and the 200 shows the old threshold with the old tag."
    ),
)
def slash(stage: Stage) -> None:
    """Follow with a GET."""
    docs = {f"/v1/gauges/{n}": {"id": n, "warn_cm": 310 + n, "crit_cm": 400 + n} for n in (21, 22, 23)}
    box = Box(docs, lambda _path, doc: f'"g{doc.rev}-{doc.digest("sha1")[:10]}"', need=428)
    server = place.open_box(stage, box, "flask")
    block = "location ~ ^/v1/gauges/\\d+/$ { rewrite ^(.*)/$ $1 redirect; }\nabsolute_redirect off;"
    front = fronts.nginx(stage, server, "", "", block)
    me = stage.actor(
        "client", front, "gauges.river.example", "requests:follow", {"User-Agent": "gaugectl/1.1"}
    )
    me.get("/v1/gauges")
    for number, slashed in ((21, ""), (22, "/"), (23, "/")):
        seen = me.get(f"/v1/gauges/{number}")
        body = {"warn_cm": 290}
        got = me.send("PATCH", f"/v1/gauges/{number}{slashed}", 200, {"If-Match": seen.etag}, body)
        place.sure((got.json["warn_cm"] == 290) == (slashed == ""))
        place.rest(0.3)
    place.sure(me.get("/v1/gauges/22").json["warn_cm"] == 332)


class _Index(Box):
    """Solr's handlers over documents: updates at once, a searcher that is opened now and then."""

    def __init__(self, docs: dict[str, dict[str, object]], lag: float) -> None:
        super().__init__({})
        self.base = 1849230015872401408
        self.rows = {key: [(0.0, self.base + n * 1048576, row)] for n, (key, row) in enumerate(docs.items())}
        self.lag = lag

    def seen(self, key: str, late: float) -> dict[str, object]:
        """Return a document as a searcher of some age has it."""
        moment = time.monotonic() - late
        _, version, row = [one for one in self.rows[key] if one[0] <= moment][-1]
        return {"id": key, **row, "_version_": version}

    def answer(self, req: Req, late: float) -> Res:
        """Answer one of Solr's handlers."""
        head = {"responseHeader": {"status": 0, "QTime": 3, "params": req.query}}
        if req.path.endswith("/update"):
            added: list[object] = []
            for row in req.json:
                known = self.rows[row["id"]][-1][1]
                if row.get("_version_") not in (None, known):
                    said = f"version conflict for {row['id']} expected={row['_version_']} actual={known}"
                    return Res(409, {"responseHeader": {"status": 409}, "error": {"msg": said, "code": 409}})
                version = known + 917504 + len(req.body)
                kept = {name: one for name, one in row.items() if name not in {"id", "_version_"}}
                self.rows[row["id"]].append((time.monotonic(), version, kept))
                added += [row["id"], version]
            return Res(200, {"responseHeader": {"rf": 1, "status": 0, "QTime": 11}, "adds": added})
        found = [
            self.seen(key, late) for key in self.rows if req.query.get("q", "*:*").split(":")[1] in (key, "*")
        ]
        return Res(200, {**head, "response": {"numFound": len(found), "start": 0, "docs": found}})


@case(
    "e270",
    "yul-search-follower-is-behind",
    "replica-lag",
    "stale-read",
    alone="replica-lag",
    synthetic=True,
    description=(
        "Solr behind HAProxy: updates go to the leader, selects to a follower that is 1.6 s behind. The answer of an "
        "update names the new _version_, the select after it shows the older one, and so does the label sheet printed "
        "from it; two seconds later the new one is there, without anybody's writing."
    ),
)
def follower(stage: Stage) -> None:
    """Read where the write is not yet."""
    index = _Index({f"wein-{n}": {"name_s": f"Wein {n}", "preis_d": 9.5 + n} for n in (3, 4, 5)}, 1.6)
    leader = place.open_box(stage, lambda req: index.answer(req, 0.0), "stdlib", "Solr")
    late = place.open_box(
        stage, lambda req: index.answer(req, index.lag), "waitress", "Solr", "follower 1.6 s behind"
    )
    front = fronts.split(stage, leader, late)
    me = stage.actor("client", front, "suche.kellerei.example", "httpx", {"User-Agent": "Regal/2.7"})
    me.get("/solr/weine/select?q=*:*&fl=*,_version_")
    for key, price in (("wein-4", 11.9), ("wein-5", 12.5)):
        got = me.get(f"/solr/weine/select?q=id:{key}").json["response"]["docs"][0]
        body = [{**got, "preis_d": price}]
        done = me.send("POST", "/solr/weine/update?versions=true&commitWithin=500", 200, None, body).json
        place.rest(0.3)
        soon = me.get(f"/solr/weine/select?q=id:{key}").json["response"]["docs"][0]
        place.sure(soon["_version_"] == got["_version_"] != done["adds"][1])
        me.get("/solr/weine/select?q=*:*&fl=id,name_s,preis_d,_version_&rows=100")
        place.rest(1.9)
        then = me.get(f"/solr/weine/select?q=id:{key}").json["response"]["docs"][0]
        place.sure(then["_version_"] == done["adds"][1] and then["preis_d"] == price)


def tagged(_path: str, doc: Doc) -> str:
    """Return a tag of a version's content."""
    return f'"{doc.digest("sha1")[:16]}"'
