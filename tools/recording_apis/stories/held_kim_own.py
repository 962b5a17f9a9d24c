"""Stories on versions in contents and fields, on locks of time, and on walls."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.kim_room import Counted, Room, moment
from tools.recording_apis.apps.vic_core import Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_kim_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.apps.vic_core import Doc
    from tools.recording_apis.stage import Stage


@case(
    "d872",
    "kim-second-notary",
    "other-writer",
    "409",
    alone="other-writer",
    description=(
        "Two notaries' assistants open one deed; the second to save brings the versión that it had read and is told 409, "
        "who saved and when; the deed that it then reads shows the other's clause. Its own deed before was saved well."
    ),
)
def notary(stage: Stage) -> None:
    """Come second."""
    docs: dict[str, Any] = {
        f"/escrituras/{n}": {"num": n, "cláusulas": ["1ª"], "estado": "borrador"} for n in (771, 772, 780)
    }
    room = Counted(docs, "versión", first=12)
    room.names = ("modificadoPor", "modificadoEl")
    room.say[409] = lambda _req, doc: {
        "código": "VERSION_OBSOLETA",
        "mensaje": "La escritura fue modificada por otra persona.",
        "por": doc.by,
        "el": moment(doc.at),
    }
    room.beside({"/sesión": {"usuario": "p.vega"}, "/tipos": ["compraventa", "poder"]})
    front = fronts.apache(stage, place.opened(stage, room, "django"))
    me = stage.actor("client", front, "gestion.notaria.example", "httpx", {"X-User": "p.vega"})
    other = stage.actor("other", front, "gestion.notaria.example", "requests", {"X-User": "m.soto"})
    place.look(me, "/tipos", "/escrituras")
    place.daily(me, "/escrituras/771", [{"estado": "revisión"}, {"estado": "firma"}], name="versión")
    mine = me.get("/escrituras/780").json
    theirs = other.get("/escrituras/780").json
    other.put("/escrituras/780", {**theirs, "cláusulas": ["1ª", "2ª bis"]}, 200)
    place.rest(1.2)
    me.get("/tipos")
    me.put("/escrituras/780", {**mine, "estado": "revisión"}, 409)
    now = me.get("/escrituras/780").json
    place.sure(now["modificadoPor"] == "m.soto" and now["versión"] == mine["versión"] + 1)
    me.get("/escrituras/772")


@case(
    "d859",
    "kim-two-workers-one-base",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A parcel locker's gateway flushes its queue with two workers: both send changes of one locker on the same "
        "X-Row-Stamp within hundredths of a second; one is stored, the other 412, twice. The later ones in turn pass."
    ),
)
def lockers(stage: Stage) -> None:
    """Flush one queue twice at once."""
    docs: dict[str, Any] = {
        f"/lockers/{n}": {"id": n, "doors": {"1": "free", "2": "free"}, "battery": 80}
        for n in ("L-07", "L-08", "L-12")
    }
    room = Counted(
        docs, "X-Row-Stamp", "header", 412, lambda doc: f"{doc.rev:04x}{doc.digest()[:8]}", first=300
    )
    room.say[412] = lambda _req, doc: {"error": "stamp", "current": room.version(doc)}
    room.done.append(lambda _req, _path: place.rest(0.15))
    room.names = ()
    room.beside({"/gateway": {"id": "gw-3", "queue": 2}, "/firmware": {"v": "4.4.1"}})
    front = fronts.haproxy(stage, [place.opened(stage, room, "falcon")])
    me = stage.actor(
        "client", front, "lockers.parcel.test", "httpx", {"X-User": "gw-3", "User-Agent": "gw-flush/2.0"}
    )
    place.look(me, "/gateway", "/lockers")
    place.daily(me, "/lockers/L-12", [{"battery": 79}, {"battery": 78}], field="X-Row-Stamp")

    def flush(path: str, seen: Answer, worker: int, more: dict[str, Any]) -> Answer:
        guard = {"X-Row-Stamp": seen.fields["x-row-stamp"], "X-Worker": f"gw-3/{worker}"}
        return me.put(path, {**seen.json, **more}, (200, 412), guard)

    for name in ("L-07", "L-08"):
        seen = me.get(f"/lockers/{name}")
        doors = {"doors": {"1": "taken", "2": "free"}}
        got = place.at_once(
            partial(flush, f"/lockers/{name}", seen, 1, doors),
            partial(flush, f"/lockers/{name}", seen, 2, {"battery": 71}),
            apart=0.04,
        )
        place.sure([one.status for one in got] == [200, 412])
        place.rest(0.5)
        me.get("/firmware")
    me.get("/lockers/L-08")


@case(
    "d853",
    "kim-reader-touches-the-receipt",
    "server-side-mutation",
    "409",
    alone="server-side-mutation",
    description=(
        "An expense service reads uploaded receipts and writes their sum into the claim by itself: after the client's "
        "upload, its save of the claim with the number of its own last save is 409; the claim says text-reader changed "
        "it, and only the sum differs. It happens with two claims; nobody else is there."
    ),
)
def claims(stage: Stage) -> None:
    """Be overtaken by the service."""
    docs: dict[str, Any] = {
        f"/claims/{n}": {"claim": n, "purpose": "", "total": None, "state": "draft"} for n in (31, 32, 35)
    }
    room = Counted(docs, "seq", first=1)
    room.names = ("lastModifiedBy", "lastModifiedAt")
    room.say[409] = lambda _req, doc: {"title": "Stale claim", "status": 409, "seq": doc.rev}

    def upload(req: Req) -> Res | None:
        if req.method != "POST" or not req.path.endswith("/receipts"):
            return None
        path = req.path.removesuffix("/receipts")
        with room.lock:
            room.store(path, {**room.docs[path].data, "total": len(req.body) / 10}, "service:text-reader")
        return Res(202, {"receipt": f"r{len(req.body)}", "reading": "queued"})

    room.before.append(upload)
    room.beside({"/me": {"dept": "sales"}, "/currencies": ["EUR", "SEK"]})
    front = fronts.nginx(stage, place.opened(stage, room, "fastapi"))
    me = stage.actor("client", front, "claims.spesen.test", "requests", {"X-User": "nils"})
    place.look(me, "/me", "/currencies", "/claims")
    for number, text in ((31, "trade fair"), (35, "client visit")):
        seen = me.get(f"/claims/{number}").json
        saved = me.put(f"/claims/{number}", {**seen, "purpose": text}, 200).json
        me.send(
            "POST",
            f"/claims/{number}/receipts",
            202,
            {"Content-Type": "image/png"},
            b"\x89PNG" + bytes(range(90)) * number,
        )
        place.rest(0.9)
        me.put(f"/claims/{number}", {**saved, "state": "submitted"}, 409)
        now = me.get(f"/claims/{number}").json
        place.sure(now["lastModifiedBy"] == "service:text-reader" and now["purpose"] == text)
    place.daily(me, "/claims/32", [{"purpose": "train"}], name="seq")


@case(
    "d863",
    "kim-form-keeps-its-first-rev",
    "stale-stored-token",
    "409",
    alone="stale-stored-token",
    description=(
        "A kennel's form keeps the ?rev= of its first load: its first save passes and answers the new rev, its second "
        "goes with the old one and is 409. The same with the next dog. Only this user writes, as the entries tell."
    ),
)
def kennel(stage: Stage) -> None:
    """Forget what the save has told."""
    docs: dict[str, Any] = {
        f"/gaeste/{n}": {"hund": n, "futter": "2x", "box": 3, "arznei": ""} for n in ("balu", "kira", "otto")
    }
    room = Counted(docs, "rev", "query", version=lambda doc: f"{doc.rev}-{doc.digest()[:16]}", first=2)
    room.say[409] = lambda _req, _doc: {"error": "conflict", "reason": "Document update conflict."}
    room.names = ("von", "am")
    room.beside({"/ich": {"name": "Pension Pfote"}, "/boxen": [1, 2, 3, 4]})
    front = fronts.varnish(stage, place.opened(stage, room, "bottle"), "sub vcl_recv { return (pass); }")
    me = stage.actor("client", front, "gaeste.hundepension.example", "node:axios", {"X-User": "pfote"})
    place.look(me, "/ich", "/gaeste", "/boxen")
    for dog in ("kira", "otto"):
        seen = me.get(f"/gaeste/{dog}").json
        saved = me.put(f"/gaeste/{dog}?rev={seen['rev']}", {**seen, "futter": "3x"}, 200).json
        place.rest(0.7)
        me.put(f"/gaeste/{dog}?rev={seen['rev']}", {**saved, "arznei": "Tropfen, abends"}, 409)
        now = me.get(f"/gaeste/{dog}").json
        place.sure(now["rev"] == saved["rev"] and now["von"] == "pfote")
    me.get("/boxen")


@case(
    "d869",
    "kim-five-times-the-same-number",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A charging operator's job saves a station with the number from its read; a fitter has saved in between; the "
        "job repeats the same content with the same number five times with growing pauses, and reads nothing between."
    ),
)
def charging(stage: Stage) -> None:
    """Repeat what cannot pass."""
    docs: dict[str, Any] = {
        f"/stations/{n}": {"evse": n, "kw": 50, "state": "ok", "tariff": "T1"}
        for n in ("DE*A1", "DE*A2", "DE*B4")
    }
    room = Counted(docs, "lockNo", status=409, first=55)
    room.say[409] = lambda _req, doc: {"fault": {"code": "OPTIMISTIC_LOCK", "entity": doc.data["evse"]}}
    room.names = ("modBy", "modAt")
    room.beside({"/job": {"run": "n-2217"}, "/tariffs": ["T1", "T2"]})
    front = fronts.haproxy(stage, [place.opened(stage, room, "aiohttp")])
    me = stage.actor("client", front, "stations.laden.test", "aiohttp", {"X-User": "tariff-job"})
    other = stage.actor("other", front, "stations.laden.test", "node:fetch", {"X-User": "fitter"})
    place.look(me, "/job", "/tariffs", "/stations")
    seen = {name: me.get(f"/stations/{name}").json for name in ("DE*A1", "DE*A2", "DE*B4")}
    theirs = other.get("/stations/DE*A2").json
    other.put("/stations/DE*A2", {**theirs, "state": "maintenance"}, 200)
    place.rest(0.5)
    me.put("/stations/DE*A1", {**seen["DE*A1"], "tariff": "T2"}, 200)
    pause = 0.2
    for _ in range(5):
        me.put("/stations/DE*A2", {**seen["DE*A2"], "tariff": "T2"}, 409)
        place.rest(pause)
        pause *= 1.8
    me.put("/stations/DE*B4", {**seen["DE*B4"], "tariff": "T2"}, 200)
    me.get("/job")


@case(
    "d844",
    "kim-newest-stamp-for-an-old-form",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A housing cooperative's form fetches the stamp anew right before each save but sends the fields of its first "
        "load: the caretaker's date of repair, which the fetch shows, is overwritten, and no save is refused."
    ),
)
def repairs(stage: Stage) -> None:
    """Take the newest stamp for an old form."""
    docs: dict[str, Any] = {
        f"/wohnungen/{n}": {"nr": n, "reparatur": None, "heizung": "ok", "kontakt": "Tel."}
        for n in ("2-l", "3-r", "4-l")
    }
    room = Counted(
        docs, "stempel", status=412, version=lambda doc: doc.digest()[:7].upper(), need=428, first=3
    )
    room.names = ("bearbeitetVon", "bearbeitetAm")
    room.beside({"/haus": {"adresse": "Am Anger 4"}, "/termine": []})
    room.logged("/protokoll")
    front = fronts.nginx(stage, place.opened(stage, room, "waitress"))
    me = stage.actor("client", front, "wohnen.genossenschaft.example", "urllib", {"X-User": "verwaltung"})
    other = stage.actor("other", front, "wohnen.genossenschaft.example", "httpx", {"X-User": "hausmeister"})
    place.look(me, "/haus", "/wohnungen")
    form = me.get("/wohnungen/3-r").json
    theirs = other.get("/wohnungen/3-r").json
    other.put("/wohnungen/3-r", {**theirs, "reparatur": "2026-12-02 08:00", "heizung": "defekt"}, 200)
    place.rest(1.0)
    place.daily(me, "/wohnungen/2-l", [{"kontakt": "Mail"}], name="stempel")
    fresh = me.get("/wohnungen/3-r").json
    place.sure(fresh["heizung"] == "defekt")
    me.put("/wohnungen/3-r", {**form, "kontakt": "Mail, ab 17 Uhr", "stempel": fresh["stempel"]}, 200)
    place.rest(0.3)
    now = me.get("/wohnungen/3-r").json
    place.sure(now["reparatur"] is None and now["heizung"] == "ok")
    place.look(me, "/termine", "/protokoll?of=/wohnungen/3-r")


@case(
    "d848",
    "kim-one-revision-for-the-week",
    "coarse-token-scope",
    "409",
    alone="coarse-token-scope",
    also="other-writer",
    description=(
        "A bakery's rota has one revision for the whole week: whenever a colleague moves another shift, the client's "
        "save of its own shift, which nobody has touched, is refused; the refusal names the other shift, and the own one "
        "reads as before."
    ),
)
def rota(stage: Stage) -> None:
    """Be refused because of another shift."""
    docs: dict[str, Any] = {
        f"/week/49/shifts/{n}": {"shift": n, "who": "open", "from": "03:00"}
        for n in ("mon-1", "mon-2", "thu-1", "sat-3")
    }
    room = Room(docs)
    week: dict[str, Any] = {"rev": 2207, "last": ""}

    def show(_req: Req, _path: str, doc: Doc) -> Res:
        return Res(200, {**doc.data, **room.told(doc)}, {"X-Week-Revision": str(week["rev"])})

    def judge(req: Req, _doc: Doc | None) -> Res | None:
        if req.fields.get("x-week-revision") == str(week["rev"]):
            return None
        return room.error(
            409, {"error": "week_changed", "weekRevision": week["rev"], "lastChange": week["last"]}
        )

    def count(_req: Req, path: str) -> None:
        week.update(rev=week["rev"] + 1, last=path)

    room.show, room.judge = show, judge
    room.done.append(count)
    room.names = ("setBy", "setAt")
    room.beside({"/staff": ["ines", "olaf", "tarik"], "/week/49/summary": {"open": 4}})
    front = fronts.caddy(stage, place.opened(stage, room, "tornado"))
    me = stage.actor("client", front, "rota.bakery.test", "requests", {"X-User": "ines"})
    other = stage.actor("other", front, "rota.bakery.test", "urllib", {"X-User": "olaf"})
    place.look(me, "/staff", "/week/49/summary")
    for theirs_, name in (("thu-1", "olaf"), ("sat-3", "tarik")):
        mine = me.get("/week/49/shifts/mon-2")
        theirs = other.get(f"/week/49/shifts/{theirs_}")
        other.put(
            f"/week/49/shifts/{theirs_}",
            {**theirs.json, "who": name},
            200,
            {"X-Week-Revision": theirs.fields["x-week-revision"]},
        )
        place.rest(0.6)
        me.put(
            "/week/49/shifts/mon-2",
            {**mine.json, "who": "ines"},
            409,
            {"X-Week-Revision": mine.fields["x-week-revision"]},
        )
        place.sure(me.get("/week/49/shifts/mon-2").body == mine.body)
    me.get("/week/49/shifts/sat-3")
    me.get("/staff")


@case(
    "d866",
    "kim-order-stamp-for-a-line",
    "wrong-token-source",
    "409",
    alone="wrong-token-source",
    description=(
        "An optician's orders hold lines with stamps of their own; the client saves a line with the stamp of the order "
        "around it and is refused, also after another read of the order, whose line still has the stamp that was wanted. "
        "A line saved from its own address passes."
    ),
)
def optician(stage: Stage) -> None:
    """Send the parent's stamp."""
    docs: dict[str, Any] = {
        f"/orders/{n}/lines/{k}": {"line": k, "lens": "1.5", "pd": 57 + k + n % 7}
        for n in (640, 641)
        for k in (1, 2)
    }
    room = Counted(docs, "stamp", version=lambda doc: f"ln_{doc.digest()[:9]}", need=400, first=1)
    room.say[409] = lambda _req, _doc: {"ok": False, "reason": "stamp does not fit this line"}

    def order(req: Req) -> Res | None:
        parts = req.path.strip("/").split("/")
        if req.method != "GET" or len(parts) != 2 or parts[0] != "orders":
            return None
        lines = [room.marked(doc) for path, doc in room.docs.items() if path.startswith(f"{req.path}/")]
        stamp = hashlib.sha1(parts[1].encode(), usedforsecurity=False).hexdigest()[:9]
        return Res(200, {"order": parts[1], "customer": "Frau Adler", "stamp": f"or_{stamp}", "lines": lines})

    room.before.append(order)
    room.beside({"/shop": {"city": "Jena"}, "/lenses": ["1.5", "1.6", "1.67"]})
    front = fronts.nginx(stage, place.opened(stage, room, "pyramid"))
    me = stage.actor("client", front, "orders.optik.test", "node:fetch", {"X-User": "werkbank"})
    place.look(me, "/shop", "/lenses")
    for number in (640, 641):
        seen = me.get(f"/orders/{number}").json
        for _ in range(2 if number == 641 else 1):
            me.put(
                f"/orders/{number}/lines/2", {**seen["lines"][1], "lens": "1.6", "stamp": seen["stamp"]}, 409
            )
            place.rest(0.4)
            again = me.get(f"/orders/{number}").json
            place.sure(again == seen)
    place.daily(me, "/orders/641/lines/1", [{"pd": 63}, {"lens": "1.67"}], name="stamp")


@case(
    "d850",
    "kim-workers-both-win",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race self-race",
    description=(
        "A clinic laboratory's service compares the version and stores later, without a lock: two workers of one import "
        "send results for one sample on the same version at once, both are told 200, and the first one's value is gone "
        "in the next read. One after the other, the outdated version is 409 as it should be."
    ),
)
def samples(stage: Stage) -> None:
    """Win twice on one version."""
    docs: dict[str, Any] = {
        f"/samples/{n}": {"sample": n, "na": None, "k": None, "crp": None}
        for n in ("S-881", "S-882", "S-890")
    }
    room = Counted(docs, "version", first=4)
    room.say[409] = lambda _req, doc: {"error": "CONFLICT", "yours": "outdated", "version": doc.rev}
    room.logged("/trail", known="version")
    room.names = ("operator", "resultAt")
    room.beside({"/analyser": {"id": "cobas-2"}, "/norms": {"na": [135, 145]}})
    room.gap = 0.25
    front = fronts.haproxy(stage, [place.opened(stage, room, "starlette")])
    me = stage.actor(
        "client", front, "samples.labor.test", "httpx", {"X-User": "import", "User-Agent": "lis-import/5"}
    )
    place.look(me, "/analyser", "/samples", "/norms")

    def save(seen: Any, worker: str, more: dict[str, Any]) -> Answer:
        return me.put(f"/samples/{seen['sample']}", {**seen, **more}, 200, {"X-Worker": worker})

    for name in ("S-881", "S-890"):
        seen = me.get(f"/samples/{name}").json
        place.at_once(partial(save, seen, "a", {"na": 139}), partial(save, seen, "b", {"k": 4.1}), apart=0.06)
        place.rest(0.4)
        now = me.get(f"/samples/{name}").json
        place.sure(now["na"] is None and now["k"] == 4.1)
    me.get("/trail?of=/samples/S-890")
    room.gap = 0.0
    me.put("/samples/S-890", {**seen, "crp": 0.3}, 409)
