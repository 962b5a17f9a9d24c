"""Held-out stories on plain conditions behind real intermediaries: coders, filters and caches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.fen_desk import Folder, stamp
from tools.recording_apis.apps.vic_core import Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import fen_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _short(_path: str, doc: Doc) -> str:
    return f'"{doc.digest("sha1")[:12]}"'


def _counted(path: str, doc: Doc) -> str:
    return f'"{len(path)}:{doc.rev}"'


@case(
    "d688",
    "fen-fruit-fly-traps-under-gzip",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "A register of insect traps in orchards behind an nginx that compresses: the strong tag reaches the page as "
        "W/, whose If-Match is refused twice though nothing changed; a script that reads without compression gets the "
        "same opaque tag strong, and its write with it passes."
    ),
)
def traps(stage: Stage) -> None:
    """Write under a tag that the coder has weakened."""
    docs = {
        f"/pasti/{n}": {
            "past": n,
            "sadovnjak": "Brdo",
            "vaba": "feromon A",
            "ulov": [3, 0, 1, 4],
            "opomba": "",
        }
        for n in ("SI-108", "SI-109", "SI-112")
    }
    box = Folder(docs, _short, say={412: {"napaka": "Zapis se ne ujema s pogojem", "koda": "P-412"}})
    box.still(
        "/slojevi",
        {"type": "FeatureCollection", "features": [{"id": 1, "name": "Brdo"}, {"id": 2}]},
        '"sl-4"',
    )
    box.still("/obvestila", {"neprebrana": 0})
    front = fronts.nginx_gzip(stage, place.open_box(stage, box, "falcon"))
    me = stage.actor("client", front, "varstvo.sadjar.example", "node:axios", {"X-Enota": "terenska-2"})
    place.looks(me, "/slojevi", "/obvestila", "/pasti")
    seen = me.get("/pasti/SI-109")
    place.sure(seen.etag.startswith("W/"))
    body = {**seen.json, "ulov": [3, 0, 1, 4, 9], "opomba": "zamenjana vaba"}
    me.put("/pasti/SI-109", body, 412, {"If-Match": seen.etag})
    place.think(0.6)
    place.looks(me, "/obvestila")
    seen = me.get("/pasti/SI-109")
    me.put("/pasti/SI-109", body, 412, {"If-Match": seen.etag})
    place.looks(me, "/pasti/SI-112", "/obvestila")
    plain = me.get("/pasti/SI-109", 200, {"Accept-Encoding": "identity"})
    place.sure(f"W/{plain.etag}" == seen.etag)
    me.put("/pasti/SI-109", body, 200, {"If-Match": plain.etag, "Accept-Encoding": "identity"})


@case(
    "d659",
    "fen-liner-notes-behind-caddy",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "A record label's catalogue behind Caddy's encoder, which appends its coding inside the quotes of the tag; the "
        "archive behind it knows only its own tags and refuses the suffixed one of each long sheet, while a short "
        "sheet, which is not compressed, is saved."
    ),
)
def liner_notes(stage: Stage) -> None:
    """Write under a tag with a coding's name on it."""
    long = "Recorded over four nights in the former chapel; the organ was tuned down a quarter tone. " * 9
    docs = {
        f"/releases/{n}/notes": {"release": n, "credits": ["K. Aalto", "M. Ferro"], "text": long}
        for n in ("LR-0441", "LR-0452")
    }
    docs["/releases/LR-0460/notes"] = {"release": "LR-0460", "credits": [], "text": "t.b.a."}
    box = Folder(
        docs, _counted, say={412: "The sheet has another tag.\n"}, first=17, extra={"Vary": "Accept-Encoding"}
    )
    box.still("/releases", {"releases": ["LR-0441", "LR-0452", "LR-0460"]}, '"rel-3"')
    box.still("/covers/LR-0441.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>", '"c0441"', "image/svg+xml")
    front = fronts.caddy(stage, place.open_box(stage, box, "cheroot"), "encode gzip")
    me = stage.actor("client", front, "archive.lowriver.example", "httpx", {"Accept-Encoding": "gzip"})
    place.browse(me, "/covers/LR-0441.svg")
    place.looks(me, "/releases")
    short = me.get("/releases/LR-0460/notes")
    me.put(
        "/releases/LR-0460/notes", {**short.json, "text": "Mastering in May."}, 200, {"If-Match": short.etag}
    )
    for number in ("LR-0441", "LR-0452"):
        seen = me.get(f"/releases/{number}/notes")
        place.sure(seen.etag.endswith('-gzip"'))
        place.think(0.4)
        changed = {**seen.json, "credits": [*seen.json["credits"], "Y. Mbaye"]}
        me.put(f"/releases/{number}/notes", changed, 412, {"If-Match": seen.etag})
        me.get(f"/releases/{number}/notes", 304, {"If-None-Match": seen.etag})
    place.looks(me, "/releases")


@case(
    "d687",
    "fen-hydrants-through-the-public-gateway",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped",
    also="other-writer",
    description=(
        "A fire brigade's hydrants: the public gateway (HAProxy) removes If-Match as a field not on its list. A tablet "
        "in the field writes under the tag of its read, which a colleague's write has overtaken; it is stored, and the "
        "colleague's measurement is gone from the export. The same outdated tag through the house network is refused."
    ),
)
def hydrants(stage: Stage) -> None:
    """Overwrite through a gateway that removes the condition."""
    docs = {
        f"/hydranten/{n}": {"nr": n, "druck_bar": 6.1, "zugang": "frei", "gemessen": "2026-09-30"}
        for n in ("H-2207", "H-2208", "H-2231")
    }
    box = Folder(docs, lambda _path, doc: f'"v{doc.rev}-{doc.digest()[:6]}"', first=9)
    box.say[412] = {"fehler": "Stand überholt", "hinweis": "Bitte neu laden."}

    def export(req: Req) -> Res | None:
        if req.path != "/hydranten/export.csv":
            return None
        lines = [
            "nr;druck_bar;zugang",
            *(";".join(str(one.data[k]) for k in ("nr", "druck_bar", "zugang")) for one in box.docs.values()),
        ]
        return Res(200, "\n".join(lines) + "\n", {"Content-Type": "text/csv; charset=utf-8"})

    box.before.append(export)
    box.still("/lage/aktuell", {"einsaetze": 0, "stand": stamp(1795800000)})
    public = "{ hdr(host) -i hydranten.wehr-nord.example }"
    rules = f' http-request del-header If-Match if {public}\n http-response set-header Via "1.1 gw-aussen" if {{ var(txn.aussen) -m bool }}'
    rules = f" http-request set-var(txn.aussen) bool(true) if {public}\n{rules}"
    front = fronts.haproxy(stage, [place.open_box(stage, box, "tornado")], frontend=rules)
    me = stage.actor("client", front, "hydranten.wehr-nord.example", "requests", {"X-User": "tablet-7"})
    other = stage.actor("other", front, "hydranten.lan.wehr-nord.example", "urllib", {"X-User": "wache-2"})
    place.looks(me, "/lage/aktuell", "/hydranten")
    place.touch_up(me, "/hydranten/H-2207", zugang="Hof")
    mine, theirs = me.get("/hydranten/H-2208"), other.get("/hydranten/H-2208")
    other.put(
        "/hydranten/H-2208",
        {**theirs.json, "druck_bar": 3.4, "gemessen": "2026-11-27"},
        200,
        {"If-Match": theirs.etag},
    )
    place.think(0.7)
    place.looks(me, "/hydranten/export.csv", "/lage/aktuell")
    me.put("/hydranten/H-2208", {**mine.json, "zugang": "zugeparkt"}, 200, {"If-Match": mine.etag})
    place.looks(me, "/hydranten/export.csv")
    inside = replace(me, host="hydranten.lan.wehr-nord.example")
    now = inside.get("/hydranten/H-2208")
    place.sure(now.json["druck_bar"] == 6.1 and now.etag != mine.etag)
    inside.put("/hydranten/H-2208", {**now.json, "zugang": "frei"}, 412, {"If-Match": mine.etag})
    place.looks(me, "/hydranten/H-2231", "/lage/aktuell")


@case(
    "d671",
    "fen-thesis-records-with-rewritten-links",
    "validator-stripped",
    "428",
    alone="validator-stripped",
    description=(
        "A university's thesis records want a condition on each write. An nginx rewrites links in the bodies and so "
        "drops the tag; the client has none to send and is told 428 again and again. The path that goes round the "
        "rewriting shows the tag, and the write with it passes."
    ),
)
def theses(stage: Stage) -> None:
    """Have no tag to send."""
    docs = {
        f"/mémoires/{n}".replace("é", "e"): {
            "id": n,
            "titre": f"Étude {n}",
            "jury": ["A. Roy"],
            "lien": f"http://coeur.local/pdf/{n}.pdf",
        }
        for n in (3011, 3012)
    }
    say = {
        428: {
            "type": "about:blank",
            "title": "Condition requise",
            "detail": "If-Match est obligatoire pour modifier.",
        }
    }
    box = Folder(docs, lambda _path, doc: f'"{doc.digest()[:16]}"', need=428, say=say)
    box.still("/annees", [2024, 2025, 2026])
    box.still("/session", {})
    server = place.open_box(stage, box, "flask")
    lines = "sub_filter 'http://coeur.local' 'https://theses.univ-aubrac.example'; sub_filter_once off; sub_filter_types application/json;"
    around = f"location /brut/ {{ proxy_pass http://127.0.0.1:{stage.behind(server)}/; proxy_http_version 1.1; proxy_set_header Host $http_host; }}"
    front = fronts.nginx(stage, server, lines, block=around)
    me = stage.actor("client", front, "theses.univ-aubrac.example", "aiohttp", {"Accept-Language": "fr"})
    place.sign_in(me, "/session", identifiant="scolarite")
    place.looks(me, "/annees", "/memoires")
    seen = me.get("/memoires/3012")
    place.sure("etag" not in seen.fields)
    body = {**seen.json, "jury": ["A. Roy", "C. Nguyen"]}
    me.put("/memoires/3012", body, 428)
    head = me.send("HEAD", "/memoires/3012", 200)
    place.sure("etag" not in head.fields)
    place.think(0.5)
    seen = me.get("/memoires/3012", 200, {"Cache-Control": "no-cache"})
    me.put("/memoires/3012", body, 428)
    place.looks(me, "/memoires/3011")
    raw = me.get("/brut/memoires/3012")
    me.put("/brut/memoires/3012", {**raw.json, "jury": body["jury"]}, 200, {"If-Match": raw.etag})
    place.looks(me, "/memoires/3012")


@case(
    "d663",
    "fen-ferry-departures-from-varnish",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "A ferry line's timetable behind Varnish, which keeps reads for a while: after its own stored write the office "
        "reads the old departure with an Age and takes its tag; the next write is refused. A read past the cache shows "
        "the tag that the first write was answered with."
    ),
)
def ferries(stage: Stage) -> None:
    """Take the tag from a cache."""
    docs = {
        f"/avganger/{n}": {"kode": n, "fra": "Hestvika", "til": "Storøya", "kl": "07:15", "merknad": None}
        for n in ("F-31", "F-33", "F-35")
    }
    box = Folder(docs, lambda _path, doc: f'"{int(doc.at * 1000):x}"', dates=True)
    box.say[412] = {"feil": "forutsetning", "melding": "Avgangen er endret i mellomtiden."}
    box.still("/innlogging", {})
    box.still("/vaer", {"vind": "SV 7 m/s"}, "", "", Cache_Control="private")
    vcl = (
        'sub vcl_recv { if (req.http.Cache-Control ~ "no-cache") { set req.hash_always_miss = true; } }\n'
        'sub vcl_backend_response { if (bereq.url ~ "^/avganger") { set beresp.ttl = 40s; } else { set beresp.ttl = 0s; } }'
    )
    front = fronts.varnish(stage, place.open_box(stage, box, "starlette"), vcl)
    me = stage.actor("client", front, "ruter.fjordbat.example", "node:fetch", {"Accept": "application/json"})
    place.sign_in(me, "/innlogging", bruker="rutekontor")
    place.looks(me, "/avganger", "/vaer")
    place.touch_up(me, "/avganger/F-35", merknad="Kun hverdager")
    first = me.get("/avganger/F-33")
    place.think(1.2)
    saved = me.put("/avganger/F-33", {**first.json, "kl": "07:25"}, 200, {"If-Match": first.etag})
    place.looks(me, "/vaer", "/avganger/F-31")
    place.think(1.1)
    again = me.get("/avganger/F-33")
    place.sure(again.etag == first.etag and again.fields.get("age", "0") != "0")
    me.put("/avganger/F-33", {**again.json, "merknad": "Innstilt ved kuling"}, 412, {"If-Match": again.etag})
    place.looks(me, "/vaer")
    fresh = me.get("/avganger/F-33", 200, {"Cache-Control": "no-cache"})
    place.sure(fresh.etag == saved.etag)
    me.put("/avganger/F-33", {**fresh.json, "merknad": "Innstilt ved kuling"}, 200, {"If-Match": fresh.etag})


@case(
    "d673",
    "fen-pinned-reads-answered-by-the-proxy",
    "cache-misevaluates",
    "412-read",
    alone="cache-misevaluates",
    description=(
        "A foundry's alloy sheets behind an nginx that stores reads. After its own write the client reads back under "
        "If-Match with the new tag: the proxy judges that on its stored copy and answers 412 itself, marked HIT, for "
        "several sheets; the same read past the store is answered 200 with that very tag."
    ),
)
def alloys(stage: Stage) -> None:
    """Read back under a condition that the proxy judges."""
    docs: dict[str, Any] = {
        f"/ötvözet/{n}".replace("ö", "o"): {"jel": n, "Cu": 84.0, "Sn": 10.0, "olvadaspont": 960}
        for n in ("CuSn10", "CuSn12", "CuAl10")
    }
    box = Folder(docs, lambda _path, doc: f'"r{doc.rev}/{doc.digest("sha256")[:8]}"', first=3)
    box.say[412] = {"hiba": "A lap közben megváltozott"}
    box.still("/olvasztas/ma", {"adag": 14, "kemence": 2}, "", "", Cache_Control="no-store")
    lines = "proxy_cache_bypass $http_pragma; add_header X-Store $upstream_cache_status always;"
    front = fronts.nginx_cache(stage, place.open_box(stage, box, "bottle"), 90, lines)
    me = stage.actor("client", front, "lapok.ontode.example", "curl", {"X-User": "labor"})
    place.looks(me, "/olvasztas/ma", "/otvozet")
    for alloy, copper in (("CuSn12", 87.5), ("CuAl10", 89.0)):
        seen = me.get(f"/otvozet/{alloy}")
        saved = me.put(f"/otvozet/{alloy}", {**seen.json, "Cu": copper}, 200, {"If-Match": seen.etag})
        place.think(0.4)
        told = me.get(f"/otvozet/{alloy}", 412, {"If-Match": saved.etag})
        place.sure(told.fields["x-store"] == "HIT")
        place.think(0.3)
        past = me.get(f"/otvozet/{alloy}", 200, {"If-Match": saved.etag, "Pragma": "no-cache"})
        place.sure(past.etag == saved.etag)
    place.looks(me, "/otvozet/CuSn10")
