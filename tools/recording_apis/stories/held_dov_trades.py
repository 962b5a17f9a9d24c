"""Stories on small services of many trades, with versions and words of their own making."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.vic_core import Box, Doc, Res, Versions
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.apps.vic_core import Req
    from tools.recording_apis.stage import Stage


@case(
    "e402",
    "dov-delivery-note-sent-again",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A driver's tablet reports a delivery under the note's stand; the answer is lost on the road, the same report "
        "with the same Vorgang goes out again and is 412; the note that it reads has its own Vorgang in its history."
    ),
)
def delivery(stage: Stage) -> None:
    """Lose the answer on the road."""
    docs = {
        f"/lieferscheine/{n}": {"nr": n, "kisten": 12, "pfand": 0, "vorgang": "disposition"}
        for n in (5501, 5502, 5503)
    }
    box = Box(docs, lambda _p, doc: f'"stand-{doc.rev}-{doc.digest()[:6]}"', first=3)

    def show(_req: Req, path: str, doc: Doc) -> Res:
        past = [{"stand": one.rev, "vorgang": one.data["vorgang"]} for one in (*doc.past, doc)]
        return Res(200, {**doc.data, "verlauf": past}, box.marks(path, doc))

    box.show = show
    box.change = lambda req, doc: {**doc.data, **{k: v for k, v in req.json.items() if k != "verlauf"}}
    box.say[412] = {"fehler": "Der Lieferschein wurde zwischenzeitlich geändert.", "code": "STAND_VERALTET"}
    server = place.open_box(stage, box, "starlette")
    lost = place.drops("PATCH", "/lieferscheine/5502")
    fields = {"X-User": "fahrer-8", "User-Agent": "Tour/5.0"}
    me = stage.actor("client", server, "touren.getraenke.example", "requests", fields, loses=lost)
    place.chores(me, "h")
    me.get("/lieferscheine")
    for number in (5501, 5502):
        seen = me.get(f"/lieferscheine/{number}")
        body = {"pfand": 4, "kisten": 11, "vorgang": f"f8-{number}-1128a"}
        guard = {"If-Match": seen.etag}
        me.send("PATCH", f"/lieferscheine/{number}", 200 if number == 5501 else 0, guard, body)
        place.rest(0.5)
    place.chores(me, "h")
    me.send("PATCH", "/lieferscheine/5502", 412, guard, body)
    now = me.get("/lieferscheine/5502").json
    place.sure(now["verlauf"][-1]["vorgang"] == "f8-5502-1128a" and len(now["verlauf"]) == 2)
    me.get("/lieferscheine/5503")


@case(
    "e406",
    "dov-parcel-without-customs-paper",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A forwarder's service answers 412 where its own rule fails: a parcel may not be released before there is a "
        "customs paper; there are no tags and no versions anywhere, and with the paper added the same release passes."
    ),
)
def parcel(stage: Stage) -> None:
    """Release what is not ready."""
    box = Box(
        {
            f"/colis/{n}": {"colis": n, "poids": 4.2, "douane": None, "etat": "quai"}
            for n in ("LY77", "LY78", "LY79")
        }
    )

    def act(req: Req) -> Res | None:
        path, _, verb = req.path.rpartition("/")
        if req.method != "POST" or path not in box.docs:
            return None
        doc = box.docs[path].data
        if verb == "douane":
            box.store(path, {**doc, "douane": req.json["numero"]}, req.who)
            return Res(201, {"numero": req.json["numero"]})
        if not doc["douane"]:
            said = {
                "code": "E-DOUANE-02",
                "message": "Le colis ne peut être libéré : déclaration en douane absente.",
            }
            return Res(412, said)
        box.store(path, {**doc, "etat": "parti"}, req.who)
        return Res(200, {"colis": doc["colis"], "etat": "parti"})

    box.before.append(act)
    server = place.open_box(stage, box, "falcon")
    me = stage.actor("client", server, "quai.transit.example", "java", {"X-User": "quai-3"})
    place.chores(me, "uj")
    me.get("/colis")
    for n in ("LY77", "LY78"):
        me.get(f"/colis/{n}")
        me.send("POST", f"/colis/{n}/liberation", 412, None, {"camion": "FR-551", "par": "quai-3"})
        place.rest(0.4)
    me.send("POST", "/colis/LY77/liberation", 412, None, {"camion": "FR-551", "par": "quai-3"})
    me.send("POST", "/colis/LY77/douane", 201, None, {"numero": "26FR0012345"})
    me.send("POST", "/colis/LY77/liberation", 200, None, {"camion": "FR-551", "par": "quai-3"})
    place.chores(me, "t")
    me.get("/colis/LY78")


@case(
    "e410",
    "dov-seating-plan-filled-by-two-threads",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    also="self-race",
    description=(
        "A theatre's importer changes one seating plan from two threads under Fassung 7; the service looks first and "
        "writes a moment later: both are told 200 and Fassung 8, and the plan of Fassung 8 has only one of the changes."
    ),
)
def seats(stage: Stage) -> None:
    """Write twice between look and write."""
    docs = {
        f"/saalplan/{n}": {"saal": n, "reihe_a": "frei", "reihe_b": "frei", "reihe_c": "frei"}
        for n in ("gross", "klein", "hof")
    }
    box = Versions(docs, "fassung", "query", first=7)
    box.marked = lambda doc: {**doc.data, "fassung": doc.rev}
    box.show = lambda _req, _path, doc: Res(200, box.marked(doc))
    box.say[409] = {"fehler": "veraltete Fassung"}

    def write(req: Req) -> Res | None:
        if req.method != "PATCH":
            return None
        old = box.docs[req.path]
        if int(req.query["fassung"]) != old.rev:
            return box.error(409)
        time.sleep(0.25)
        box.docs[req.path] = Doc({**old.data, **req.json}, old.rev + 1, time.time(), req.who)
        return Res(200, {"saal": old.data["saal"], "fassung": old.rev + 1, "geaendert": list(req.json)})

    box.before.append(write)
    server = place.open_box(stage, box, "flask")
    me = stage.actor("client", server, "plan.schauspiel.example", "httpx", {"X-User": "abo-import"})
    other = stage.actor("other", server, "plan.schauspiel.example", "requests", {"X-User": "kasse"})
    place.chores(me, "h")
    for n in ("gross", "hof"):
        seen = me.get(f"/saalplan/{n}").json
        target = f"/saalplan/{n}?fassung={seen['fassung']}"
        bodies = ({"reihe_a": "abo 2026"}, {"reihe_b": "abo 2026"})
        got = place.at_once(
            *(partial(me.send, "PATCH", target, 200, None, one) for one in bodies), apart=0.07
        )
        place.sure({one.json["fassung"] for one in got} == {8})
        now = me.get(f"/saalplan/{n}").json
        place.sure(now["fassung"] == 8 and [now["reihe_a"], now["reihe_b"]].count("frei") == 1)
        place.rest(0.4)
        me.send("PATCH", f"/saalplan/{n}?fassung=8", 200, None, {"reihe_c": "gesperrt"})
    other.send("PATCH", "/saalplan/hof?fassung=8", 409, None, {"reihe_a": "frei"})
    me.get("/saalplan/klein")


@case(
    "e416",
    "dov-rota-read-from-the-second-database",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "HAProxy sends reads to a copy that is a second and a half behind: having saved a rota (200, tag r15), the "
        "planner reads r14 again, works on that and is 412; a little later the same reading gives r15, without any cache."
    ),
)
def rota(stage: Stage) -> None:
    """Read behind one's own write."""
    docs = {f"/diensten/week-{n}": {"week": n, "ma": "Jo", "di": "Els", "wo": "Bas"} for n in (48, 49, 50)}

    def tag(_path: str, doc: Doc) -> str:
        return f'"r{doc.rev}"'

    first, second = Box(docs, tag, first=14, need=428), Box(docs, tag, first=14)
    second.look = lambda _req, path: (
        next(
            (d for d in reversed((*first.docs[path].past, first.docs[path])) if time.time() - d.at > 1.5),
            None,
        )
        if path in first.docs
        else None
    )
    first.say[412] = {"melding": "Dit rooster is inmiddels gewijzigd", "code": 412}
    writes, reads = place.open_box(stage, first, "cheroot"), place.open_box(stage, second, "tornado")
    front = fronts.split(stage, writes, reads)
    me = stage.actor("client", front, "rooster.thuiszorg.example", "node:fetch", {"X-User": "planner-2"})
    place.chores(me, "uc")
    me.get("/diensten/week-48")
    for n in (49, 50):
        seen = me.get(f"/diensten/week-{n}")
        saved = me.put(f"/diensten/week-{n}", {**seen.json, "di": "Kim"}, 200, {"If-Match": seen.etag})
        place.rest(0.3)
        old = me.get(f"/diensten/week-{n}")
        place.sure(old.etag == seen.etag != saved.etag)
        me.put(f"/diensten/week-{n}", {**old.json, "wo": "Fay"}, 412, {"If-Match": old.etag})
        place.chores(me, "t" if n == 49 else "h")
        place.rest(1.6)
        place.sure(me.get(f"/diensten/week-{n}").etag == saved.etag)


@case(
    "e420",
    "dov-typefaces-fetched-every-morning",
    "etag-source-mismatch",
    "wrong-change",
    alone="etag-source-mismatch",
    description=(
        "A print shop's mirror asks with HEAD whether a typeface has changed; HEAD makes its tag of size and time, GET "
        "of the content, so the mirror fetches the same octets every round; asked with GET's own tag there is a 304."
    ),
)
def typefaces(stage: Stage) -> None:
    """Compare tags of two makings."""
    docs = {
        f"/faces/{n}": ("font/otf", f"OTTO {n} " + "glyf" * 90)
        for n in ("antiqua.otf", "grotesk.otf", "mono.otf")
    }
    box = Box(docs, lambda _p, doc: f'"{doc.digest("sha1")}"', dates=True)

    def head(req: Req, res: Res) -> None:
        if req.method == "HEAD" and req.path in box.docs:
            doc = box.docs[req.path]
            res.fields["ETag"] = f'"{len(doc.octets):x}-{int(doc.at):x}"'

    box.after.append(head)
    server = place.open_box(stage, box, "waitress")
    me = stage.actor("client", server, "faces.druckhaus.example", "urllib", {"User-Agent": "Spiegel/1.0"})
    me.get("/faces")
    kept = {path: me.get(path) for path in docs}
    for turn in range(3):
        place.rest(0.6)
        for path, old in kept.items():
            told = me.send("HEAD", path, 200).etag
            place.sure(told != old.etag)
            sent = old.etag if turn == 1 and path.endswith("mono.otf") else told
            got = me.get(path, 304 if sent == old.etag else 200, {"If-None-Match": sent})
            place.sure(got.etag == old.etag)


@case(
    "e426",
    "dov-room-taken-out-of-the-plan",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A housekeeper sets a room to clean under the tag she read in the morning; the desk has closed the room and "
        "deleted it from the plan meanwhile: 412, and the reading after is 404, the floor's list goes without it."
    ),
)
def rooms(stage: Stage) -> None:
    """Write to what is no more."""
    docs = {
        f"/piani/2/camere/{n}": {"camera": n, "stato": "sporca", "letti": 2} for n in (201, 202, 203, 204)
    }
    box = Box(docs, lambda path, doc: f'"{path[-3:]}:{doc.rev}:{int(doc.at)}"', need=428)
    box.say |= {412: "Condizione non soddisfatta", 404: "Risorsa inesistente"}
    server = place.open_box(stage, box, "aiohttp")
    me = stage.actor("client", server, "camere.albergo.example", "aiohttp", {"X-User": "piano2"})
    other = stage.actor(
        "other", server, "camere.albergo.example", "curl:trace-time", {"X-User": "portineria"}
    )
    place.chores(me, "u")
    me.get("/piani/2/camere")
    held = {n: me.get(f"/piani/2/camere/{n}") for n in (201, 202, 203, 204)}
    other.send("DELETE", "/piani/2/camere/203", 204, {"If-Match": other.get("/piani/2/camere/203").etag})
    place.rest(1.0)
    for n in (201, 202, 203, 204):
        body = {**held[n].json, "stato": "pulita"}
        me.put(f"/piani/2/camere/{n}", body, 412 if n == 203 else 200, {"If-Match": held[n].etag})
        place.rest(0.3)
    me.get("/piani/2/camere/203", 404)
    place.sure(me.get("/piani/2/camere").json["count"] == 3)


@case(
    "e432",
    "dov-hut-weather-stamped-when-asked",
    "unstable-etag",
    "missing-304",
    alone="unstable-etag",
    description=(
        "A mountain hut's service makes the tag of its snow report from the moment of asking: two readings in a row have "
        "the same octets and two tags, each poll under the last one is 200 in full; the lift list beside it gets its 304."
    ),
)
def hut(stage: Stage) -> None:
    """Poll what is stamped anew."""
    docs = {
        "/berichte/schnee": {"hoehe_cm": 84, "neu_cm": 0, "messung": "06:00"},
        "/berichte/lawine": {"stufe": 2},
        "/lifte": {"offen": ["A", "C"]},
    }
    asked = [0]

    def tag(path: str, doc: Doc) -> str:
        if path == "/lifte":
            return f'"{doc.digest()[:12]}"'
        asked[0] += 1
        return f'"{time.time_ns() // 1000:x}"'

    box = Box(docs, tag)
    server = place.open_box(stage, box, "bottle")
    me = stage.actor("client", server, "huette.alpin.example", "curl", {"User-Agent": "Anzeige/0.3"})
    lifts = me.get("/lifte")
    held = {path: me.get(path) for path in docs if path != "/lifte"}
    for turn in range(4):
        for path, old in held.items():
            got = me.get(path, 200, {"If-None-Match": old.etag})
            place.sure(got.body == old.body and got.etag != old.etag)
            held[path] = got
        if turn % 2:
            me.get("/lifte", 304, {"If-None-Match": lifts.etag})
        place.rest(0.5)


@case(
    "e438",
    "dov-price-sheet-read-as-a-table",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A nursery's price sheet has a tag for each form: a buyer's macro reads it as CSV and stores JSON under that "
        "tag, 412 each time; what it has read as JSON passes at once, though nobody has changed anything."
    ),
)
def sheet(stage: Stage) -> None:
    """Read one form and write another."""
    docs = {f"/listini/{n}": {"pianta": n, "vaso": 14, "prezzo": 6.5} for n in ("salvia", "timo", "alloro")}
    box = Box(docs, lambda _p, doc: f'"{doc.digest("sha256")[:16]}"', need=428)

    def show(req: Req, path: str, doc: Doc) -> Res:
        if "text/csv" not in req.fields.get("accept", ""):
            return Res(
                200, doc.data, {"Content-Type": "application/json", "Vary": "Accept", **box.marks(path, doc)}
            )
        text = ";".join(doc.data) + "\n" + ";".join(str(one) for one in doc.data.values()) + "\n"
        own = '"' + Doc(text, 0, 0, "").digest("sha256")[:16] + '"'
        return Res(200, text, {"Content-Type": "text/csv; charset=utf-8", "Vary": "Accept", "ETag": own})

    box.show = show
    server = place.open_box(stage, box, "stdlib")
    me = stage.actor("client", server, "listini.vivaio.example", "node:axios", {"X-User": "ufficio"})
    place.chores(me, "j")
    me.get("/listini")
    for n in ("salvia", "alloro"):
        for _ in range(2):
            got = me.get(f"/listini/{n}", 200, {"Accept": "text/csv"})
            me.put(f"/listini/{n}", {"pianta": n, "vaso": 14, "prezzo": 6.9}, 412, {"If-Match": got.etag})
            place.rest(0.4)
        me.get(f"/listini/{n}", 304, {"Accept": "text/csv", "If-None-Match": got.etag})
    plain = me.get("/listini/timo", 200, {"Accept": "application/json"})
    me.put(
        "/listini/timo",
        {**plain.json, "prezzo": 5.9},
        200,
        {"If-Match": plain.etag, "Accept": "application/json"},
    )
    same = me.get("/listini/salvia", 200, {"Accept": "application/json"})
    place.sure(same.json["prezzo"] == 6.5)
