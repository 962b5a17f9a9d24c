"""More stories on API services on real frameworks."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.lee_core import Desk, Res, counted, hashed
from tools.recording_apis.stage import case
from tools.recording_apis.stories.held_lee_setting import (
    again,
    desk_on,
    rest,
    says,
    side_by_side,
    sure,
)

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "d914",
    "lee-tour-notes-on-a-new-tag",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "Tours of a mountain guides' office: the desk program reads a tour, waits for the guide's typing, reads it again "
        "only for the tag, and saves what it had built from the first read: the price that the second read shows is "
        "lost, all answers are 200."
    ),
)
def tours(stage: Stage) -> None:
    """Put a new tag on an old edit."""
    docs = {
        f"/gite/{n}": {"id": n, "meta": m, "prezzo": 140, "posti": 6, "guida": ""}
        for n, m in (("g31", "Cima Tosa"), ("g32", "Via delle Bocchette"), ("g33", "Adamello"))
    }
    desk = Desk(
        docs,
        hashed(26, "sha1"),
        dated=True,
        words={412: ("application/json", '{"errore":"gita modificata"}')},
    )
    desk.views["/registro"] = lambda _req: Res(
        200,
        [
            {
                "gita": key,
                "n": one.rev,
                "da": one.by,
                "prezzo": one.json["prezzo"],
                "guida": one.json["guida"],
            }
            for key, all_ in desk.kept.items()
            for one in all_
            if one.rev > 1
        ],
    )
    server = desk_on(stage, desk, "bottle")
    me = stage.actor("client", server, "ufficio.guidealpine.example", "requests", {"X-User": "banco"})
    other = stage.actor("other", server, "ufficio.guidealpine.example", "httpx", {"X-User": "direzione"})
    first = me.get("/gite/g32")
    calm = me.get("/gite/g31")
    me.put("/gite/g31", {**calm.json, "guida": "Lorenz"}, 200, {"If-Match": calm.etag})
    theirs = other.get("/gite/g32")
    other.put("/gite/g32", {**theirs.json, "prezzo": 165}, 200, {"If-Match": theirs.etag})
    rest(1.4)
    again(me, "/gite/g33", me.get("/gite/g33"))
    fresh = me.get("/gite/g32")
    sure(fresh.json["prezzo"] == 165)
    me.put("/gite/g32", {**first.json, "guida": "Magda"}, 200, {"If-Match": fresh.etag})
    rest(0.4)
    sure(me.get("/gite/g32").json["prezzo"] == 140)
    me.get("/registro")


@case(
    "d916",
    "lee-choir-list-without-a-guard",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "Volunteers' shifts of a food bank behind a Caddy: the service gives tags and takes a PUT without one; the "
        "coordinator's phone reads, a colleague adds a name, the phone saves the whole sheet, and the change log and "
        "the sheet show that the name is gone."
    ),
)
def shifts(stage: Stage) -> None:
    """Save the whole sheet without a condition."""
    docs = {f"/turnos/{n}": {"dia": n, "mañana": ["Ana"], "tarde": []} for n in ("lunes", "martes", "jueves")}
    desk = Desk(docs, hashed(9, "sha256"), since=21)
    desk.views["/turnos/lunes/cambios"] = lambda _req: Res(
        200,
        {
            "cambios": [
                {"v": one.rev, "quien": one.by, "tarde": one.json["tarde"], "mañana": one.json["mañana"]}
                for one in desk.kept["/turnos/lunes"]
            ]
        },
    )
    server = desk_on(stage, desk, "waitress")
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "turnos.bancoalimentos.example", "node:axios", {"X-User": "coord"})
    other = stage.actor("other", front, "turnos.bancoalimentos.example", "urllib", {"X-User": "ines"})
    seen = me.get("/turnos/lunes")
    again(me, "/turnos/lunes", seen)
    theirs = other.get("/turnos/lunes")
    other.put("/turnos/lunes", {**theirs.json, "tarde": ["Inés", "Raúl"]}, 200, {"If-Match": theirs.etag})
    rest(1.2)
    tue = me.get("/turnos/martes")
    me.put("/turnos/martes", {**tue.json, "tarde": ["Pilar"]}, 200)
    me.put("/turnos/lunes", {**seen.json, "mañana": ["Ana", "Luis"]}, 200)
    rest(0.5)
    log = me.get("/turnos/lunes/cambios").json["cambios"]
    sure(log[-2]["tarde"] and not log[-1]["tarde"])
    sure(me.get("/turnos/lunes").json["tarde"] == [])


@case(
    "d885",
    "lee-chapter-with-the-books-tag",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A publisher's manuscripts behind lighttpd: the editing program reads a book and its chapters and saves chapters "
        "with the tag of the book's own page, which was never a chapter's: 412; the book's data with the same tag pass."
    ),
)
def chapters(stage: Stage) -> None:
    """Hold the parent's tag before the child."""
    docs: dict[str, object] = {"/kitap/deniz": {"ad": "Deniz Feneri", "bölümler": [1, 2, 3], "dizgi": "A5"}}
    docs |= {
        f"/kitap/deniz/bolum/{n}": ("text/markdown; charset=utf-8", f"# Bölüm {n}\n\nGece çöktü.\n")
        for n in (1, 2, 3)
    }
    desk = Desk(
        docs,
        hashed(16, "md5"),
        words={412: ("text/plain; charset=utf-8", "koşul sağlanmadı")},  # noqa: RUF001 - Turkish
        echo=False,
    )
    server = desk_on(stage, desk, "aiohttp")
    me = stage.actor("client", fronts.lighttpd(stage, server), "metin.yayinevi.example", "httpx")
    book = me.get("/kitap/deniz")
    kind = {"Content-Type": "text/markdown; charset=utf-8"}
    for number in (1, 2):
        seen = me.get(f"/kitap/deniz/bolum/{number}")
        rest(0.3)
        me.put(
            f"/kitap/deniz/bolum/{number}",
            seen.text + "\nRüzgâr dindi.\n",
            412,
            {**kind, "If-Match": book.etag},
        )
        again(me, f"/kitap/deniz/bolum/{number}", seen)
    me.put("/kitap/deniz", {**book.json, "dizgi": "B6"}, 204, {"If-Match": book.etag})
    book = me.get("/kitap/deniz")
    third = me.get("/kitap/deniz/bolum/3")
    me.put("/kitap/deniz/bolum/3", third.text + "\nSon.\n", 412, {**kind, "If-Match": book.etag})


@case(
    "d905",
    "lee-parcel-desk-wants-a-condition",
    "token-missing",
    "428",
    alone="token-missing",
    description=(
        "Parcels of a pick-up shop behind an HAProxy: the service wants If-Match at each change; a till, whose reads do "
        "carry an ETag, sends none and is told 428 with the name of the missing field, for two parcels and again."
    ),
)
def parcels(stage: Stage) -> None:
    """Send no condition where one is wanted."""
    docs = {
        f"/pakketten/{n}": {"code": n, "vak": "B3", "status": "klaar"} for n in ("3SX11", "3SX12", "3SX19")
    }
    said = {
        "fout": "voorwaarde-ontbreekt",
        "veld": "If-Match",
        "uitleg": "Stuur de ETag van het gelezen pakket mee.",
    }
    desk = Desk(
        docs, counted('"{}-p"'), words={428: ("application/json", json.dumps(said))}, needs=428, since=4
    )
    desk.views["/kassa/3/status"] = says({"open": True, "la": 214.5})
    server = desk_on(stage, desk, "starlette")
    me = stage.actor(
        "client",
        fronts.haproxy(stage, [server]),
        "afhaal.buurtwinkel.example",
        "urllib",
        {"User-Agent": "kassa/3"},
    )
    for code in ("3SX11", "3SX19"):
        me.get("/kassa/3/status")
        seen = me.get(f"/pakketten/{code}")
        sure(seen.etag)
        me.send("PATCH", f"/pakketten/{code}", 428, None, {"status": "afgehaald"})
        rest(0.5)
    me.send("PATCH", "/pakketten/3SX11", 428, None, {"status": "afgehaald"})
    sure(me.get("/pakketten/3SX11").json["status"] == "klaar")
    me.get("/kassa/3/status")


@case(
    "d888",
    "lee-floor-plan-two-saves-at-once",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A furniture planner in the browser stores the room and, while that is under way, the sofa's new place from its "
        "drag handler, both with the tag of the last read: one is 200 and the other 412 within a blink, twice."
    ),
)
def planner(stage: Stage) -> None:
    """Run two saves on one tag."""
    docs = {
        f"/rum/{n}": {"rum": n, "soffa": [120, 80], "lampa": [10, 10], "fönster": 2}
        for n in ("vardagsrum", "hall")
    }
    desk = Desk(
        docs,
        hashed(20, "sha1"),
        dated=True,
        words={412: ("application/json", '{"fel":"ritningen är ändrad"}')},
    )
    desk.last.append(lambda req, _res: rest(0.25) if req.method == "PUT" else None)
    desk.views["/katalog"] = says([{"sku": "S-1", "namn": "soffa"}], Cache_Control="max-age=3600")
    front = fronts.haproxy(stage, [desk_on(stage, desk, "tornado")])
    me = stage.actor(
        "client",
        front,
        "planera.mobelhus.example",
        "httpx",
        {"Cookie": "sid=b71f", "User-Agent": "Planerare/7 (Electron)"},
    )
    me.get("/katalog")
    for number in range(2):
        seen = me.get("/rum/vardagsrum")

        def save(more: dict[str, object], seen: Answer = seen) -> Answer:
            return me.put("/rum/vardagsrum", {**seen.json, **more}, (200, 412), {"If-Match": seen.etag})

        got = side_by_side(
            partial(save, {"fönster": 3 + number}), partial(save, {"soffa": [140, 90 + number]}), apart=0.07
        )
        sure(sorted(one.status for one in got) == [200, 412])
        rest(0.8)
    me.get("/rum/vardagsrum")
    me.get("/rum/hall")
