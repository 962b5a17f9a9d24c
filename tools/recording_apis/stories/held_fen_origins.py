"""Held-out stories on what origins themselves do with tags, dates and conditions."""

from __future__ import annotations

import hashlib
import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.fen_desk import Folder, stamp
from tools.recording_apis.apps.vic_core import Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import fen_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d699",
    "fen-greenhouse-setpoints-on-express",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Setpoints of greenhouses on Express, whose tags are weak, with a comparison that wants strong ones: no If-Match "
        "can ever pass. The grower's program tries the tag as served, the tag of a read without compression, which is "
        "the same, and the tag without its W/; nothing changes meanwhile."
    ),
)
def greenhouse(stage: Stage) -> None:
    """Have only weak tags to send."""
    server = place.engine(stage, "node", "fen_bench.js", "Express 5", "climate")
    me = stage.actor("client", server, "klimaat.kwekerij-delta.example", "node:fetch", {"X-Teler": "joost"})
    place.looks(me, "/weer", "/kassen")
    seen = me.get("/kassen/12")
    body = {**seen.json, "nacht": 16.5}
    me.put("/kassen/12", body, 412, {"If-Match": seen.etag})
    place.think(0.7)
    plain = me.get("/kassen/12", 200, {"Accept-Encoding": "identity"})
    place.sure(plain.etag == seen.etag and plain.etag.startswith("W/"))
    me.put("/kassen/12", body, 412, {"If-Match": plain.etag, "Accept-Encoding": "identity"})
    place.looks(me, "/weer", "/kassen/14")
    me.put("/kassen/12", body, 412, {"If-Match": plain.etag.removeprefix("W/")})
    place.sure(me.get("/kassen/12").json["nacht"] == 17)


@case(
    "d677",
    "fen-calibration-sheets-with-a-fresh-token",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "Calibration sheets in XML carry a token that is drawn for each answer, and the tag is the hash of the whole: "
        "two reads one after the other have two tags and differ in the token alone, no 304 ever comes, and each write "
        "is refused at once."
    ),
)
def calibration(stage: Stage) -> None:
    """Read a tag that is gone at once."""
    docs = {
        f"/listy/{n}": {"pristroj": n, "hodnota": "0.998", "nejistota": "0.002"} for n in ("K-17", "K-18")
    }
    drawn = iter(range(3_000, 9_000, 77))

    def draw(doc: Doc) -> tuple[str, str]:
        token = hashlib.sha1(str(next(drawn)).encode()).hexdigest()[:10]  # noqa: S324 - a nonce of a form
        inner = "".join(f"<{name}>{value}</{name}>" for name, value in doc.data.items())
        text = f'<?xml version="1.0" encoding="utf-8"?>\n<kalibrace token="{token}">{inner}</kalibrace>\n'
        return text, f'"{hashlib.md5(text.encode()).hexdigest()}"'  # noqa: S324 - a tag, no secret

    box = Folder(docs)

    def show(_req: Req, _path: str, doc: Doc) -> Res:
        text, tag = draw(doc)
        return Res(200, text, {"Content-Type": "application/xml; charset=utf-8", "ETag": tag})

    def judge(req: Req, doc: Doc | None) -> Res | None:
        if doc is None or req.fields.get("if-match") == draw(doc)[1]:
            return None
        return box.error(412, '<?xml version="1.0"?><chyba kod="412">Podmínka nesplněna</chyba>')

    box.show, box.judge = show, judge
    box.still("/laborator", {"teplota": 20.1, "vlhkost": 44})
    server = place.open_box(stage, box, "starlette")
    me = stage.actor(
        "client", server, "kalibrace.metro-brno.example", "urllib", {"Content-Type": "application/xml"}
    )
    place.looks(me, "/laborator", "/listy")
    first, second = me.get("/listy/K-18"), me.get("/listy/K-18")
    place.sure(first.etag != second.etag)
    text = second.text.replace("0.998", "0.997")
    me.put("/listy/K-18", text, 412, {"If-Match": second.etag})
    me.get("/listy/K-18", 200, {"If-None-Match": second.etag})
    place.looks(me, "/laborator")
    again = me.get("/listy/K-18")
    me.put("/listy/K-18", again.text.replace("0.998", "0.997"), 412, {"If-Match": again.etag})
    place.looks(me, "/listy/K-17")


@case(
    "d696",
    "fen-choir-scores-refused-under-their-own-date",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "Scores of a choir guarded by dates: the stored time has thousandths, which the list shows and Last-Modified "
        "does not, and the comparison keeps them. The exact echo of the date is refused twice while nothing changes; "
        "a date one second later passes."
    ),
)
def scores(stage: Stage) -> None:
    """Echo a date without its fraction."""
    docs = {
        f"/noten/{name}.abc": ("text/vnd.abc", f"X:1\nT:{name}\nK:D\nDFA|\n")
        for name in ("kanon", "quodlibet", "abendlied")
    }
    box = Folder(docs, dates=True, say={412: "Die Datei ist neuer als Ihr Datum.\n"})
    for number, doc in enumerate(box.docs.values()):
        doc.at = int(doc.at) + 0.318 + number * 0.207
    box.unchanged = lambda since, doc: doc.at <= parsedate_to_datetime(since).timestamp()
    box.listing = lambda _req, _path, below: Res(
        200,
        [
            {"datei": key[7:], "stand": stamp(doc.at, 3), "bytes": len(doc.octets)}
            for key, doc in below.items()
        ],
    )
    box.still("/proben", [{"tag": "Di", "saal": "Aula"}])
    server = place.open_box(stage, box, "flask")
    me = stage.actor(
        "client", server, "noten.kammerchor-see.example", "httpx", {"User-Agent": "Chorordner/0.9"}
    )
    place.looks(me, "/proben", "/noten")
    seen = me.get("/noten/quodlibet.abc")
    date = seen.fields["last-modified"]
    text, kind = seen.text + "|: AFD D2 :|\n", {"Content-Type": "text/vnd.abc"}
    me.put("/noten/quodlibet.abc", text, 412, {**kind, "If-Unmodified-Since": date})
    place.think(1.3)
    place.sure(me.get("/noten/quodlibet.abc").fields["last-modified"] == date)
    me.put("/noten/quodlibet.abc", text, 412, {**kind, "If-Unmodified-Since": date})
    place.looks(me, "/noten", "/noten/kanon.abc")
    later = formatdate(parsedate_to_datetime(date).timestamp() + 1, usegmt=True)
    me.put("/noten/quodlibet.abc", text, 200, {**kind, "If-Unmodified-Since": later})


@case(
    "d691",
    "fen-scale-whose-clock-is-behind",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A weighbridge terminal guards its writes with the time of its own clock at the moment of the read, which is "
        "nine minutes behind, as its own Date field shows beside the server's. Sheets that were changed a few minutes "
        "ago are refused, though nobody has written since the read; an old sheet passes."
    ),
)
def weighbridge(stage: Stage) -> None:
    """Guard with a clock that is behind."""
    docs: dict[str, Any] = {
        f"/wiegescheine/{n}": {"nr": n, "brutto": 18240, "tara": None} for n in (7701, 7702, 7703)
    }
    box = Folder(docs, dates=True, age=200.0, say={412: {"code": "ZWISCHENZEITLICH_GEAENDERT"}})
    box.docs["/wiegescheine/7701"].at -= 40_000
    box.still("/waage/status", {"nullpunkt": True, "temp": 4.5})
    server = place.open_box(stage, box, "tornado")
    behind = 563

    def stamped(**more: str) -> dict[str, str]:
        return {"Date": formatdate(time.time() - behind, usegmt=True), **more}

    me = stage.actor(
        "client", server, "waage.kieswerk-sued.example", "requests", {"User-Agent": "Terminal WT-4/2.2"}
    )
    place.looks(me, "/waage/status", fields=stamped())
    for number, expect in ((7701, 200), (7702, 412), (7703, 412)):
        seen = me.get(f"/wiegescheine/{number}", 200, stamped())
        moment = formatdate(time.time() - behind, usegmt=True)
        place.think(0.8)
        me.put(
            f"/wiegescheine/{number}",
            {**seen.json, "tara": 7420},
            expect,
            stamped(**{"If-Unmodified-Since": moment}),
        )
        place.looks(me, "/waage/status", fields=stamped())
    again = me.get("/wiegescheine/7702", 200, stamped())
    place.sure(again.json["tara"] is None)
    moment = formatdate(time.time() - behind, usegmt=True)
    me.put(
        "/wiegescheine/7702", {**again.json, "tara": 7420}, 412, stamped(**{"If-Unmodified-Since": moment})
    )


_LINKED = "application/ld+json"


@case(
    "d650",
    "fen-herbarium-sheets-in-two-notations",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "Herbarium sheets are served as JSON and as JSON-LD, each with a tag of its own. The client reads the linked "
        "notation and writes plain JSON under that tag: refused, again after a new read of the same kind. A read of the "
        "plain notation in the same moment has another tag, and the write under it passes."
    ),
)
def herbarium(stage: Stage) -> None:
    """Compare two notations of one state."""
    docs = {
        f"/sheets/{n}": {"barcode": n, "taxon": "Carex flava", "leg": "Olsen", "year": 1931}
        for n in ("H0881", "H0882", "H0890")
    }

    def notation(kind: str, path: str, doc: Doc) -> tuple[Any, str]:
        data = (
            {"@context": "https://schema.example/herb", "@id": path, **doc.data}
            if _LINKED in kind
            else doc.data
        )
        return data, f'"{hashlib.sha256(Res(200, data).octets).hexdigest()[:18]}"'

    box = Folder(docs, say={412: {"status": 412, "reason": "tag does not match the stored sheet"}})

    def show(req: Req, path: str, doc: Doc) -> Res:
        kind = _LINKED if _LINKED in req.fields.get("accept", "") else "application/json"
        data, tag = notation(kind, path, doc)
        return Res(200, data, {"Content-Type": kind, "ETag": tag, "Vary": "Accept"})

    def judge(req: Req, doc: Doc | None) -> Res | None:
        own = notation(req.fields.get("content-type", ""), req.path, doc)[1] if doc else ""
        return None if req.fields.get("if-match") == own else box.error(412)

    box.show, box.judge = show, judge
    box.answer_write = lambda _req, path, doc, _made: Res(200, doc.data, {"ETag": notation("", path, doc)[1]})
    box.still("/taxa", ["Carex flava", "Carex nigra"], '"taxa-9"')
    server = place.open_box(stage, box, "falcon")
    me = stage.actor("client", server, "herbarium.univ-fjell.example", "java", {"X-Curator": "ns"})
    place.browse(me, "/taxa")
    for _ in range(2):
        seen = me.get("/sheets/H0882", 200, {"Accept": _LINKED})
        body = {**{k: v for k, v in seen.json.items() if k[0] != "@"}, "taxon": "Carex demissa"}
        me.put("/sheets/H0882", body, 412, {"If-Match": seen.etag})
        place.think(0.5)
    place.looks(me, "/sheets/H0890", fields={"Accept": _LINKED})
    plain = me.get("/sheets/H0882", 200, {"Accept": "application/json"})
    place.sure(plain.etag != seen.etag)
    me.put("/sheets/H0882", body, 200, {"If-Match": plain.etag})


@case(
    "d655",
    "fen-bus-stops-and-a-list-of-tags",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "A service of bus stops compares the whole field If-Match as one text: a list that holds the current tag is "
        "refused, and so is * for a stop that exists, while the refusal itself names the current tag; the same tag "
        "alone passes."
    ),
)
def stops(stage: Stage) -> None:
    """Meet a server that takes a list for a tag."""
    docs = {
        f"/duraklar/{n}": {"no": n, "ad": f"Durak {n}", "peron": "A", "bank": True} for n in (501, 502, 503)
    }
    box = Folder(docs, lambda path, doc: f'"d{path[-3:]}.{doc.rev}"', first=60)

    def judge(req: Req, doc: Doc | None) -> Res | None:
        sent, own = req.fields.get("if-match"), box.tag(req.path, doc) if box.tag and doc else ""
        if sent in {None, own}:
            return None
        return Res(
            412, {"hata": "Sürüm uyuşmuyor", "guncel": own}, {"Content-Type": "application/json", "ETag": own}
        )

    box.judge = judge
    box.still("/oturum", {})
    box.still("/hatlar", [{"hat": "14B", "duraklar": [501, 502, 503]}], '"h-2026-11"')
    server = place.open_box(stage, box, "bottle")
    me = stage.actor("client", server, "durak.buyuksehir.example", "node:axios", {"X-User": "planlama"})
    place.sign_in(me, "/oturum", kullanici="planlama")
    place.browse(me, "/hatlar")
    first = me.get("/duraklar/502")
    saved = me.put("/duraklar/502", {**first.json, "peron": "B"}, 200, {"If-Match": first.etag})
    place.think(0.4)
    body = {**first.json, "peron": "B", "bank": False}
    told = me.put("/duraklar/502", body, 412, {"If-Match": f"{first.etag}, {saved.etag}"})
    place.sure(told.etag == saved.etag)
    place.looks(me, "/duraklar/503")
    place.sure(me.get("/duraklar/502").etag == saved.etag)
    me.put("/duraklar/502", body, 412, {"If-Match": "*"})
    me.put("/duraklar/502", body, 200, {"If-Match": saved.etag})
