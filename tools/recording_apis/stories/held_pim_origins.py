"""Stories on small web applications whose own tags, jobs, dates and answers are the trouble."""

from __future__ import annotations

import hashlib
import threading
import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.pim_core import App, Req, Res, Row
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_pim_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _since(req: Req, row: Row) -> Res | None:
    """Judge If-Unmodified-Since."""
    sent = req.fields.get("if-unmodified-since")
    if sent is None or int(row.at) <= parsedate_to_datetime(sent).timestamp():
        return None
    return Res(412, {"status": 412, "reason": "modified", "lastModified": row.iso()})


@case(
    "d974",
    "pim-stored-and-refused",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "A service of pump stations stores a PATCH and compares the tag afterwards, with the version that it has just "
        "made: each guarded PATCH is 412 within milliseconds, and what is read then is the client's own, one version "
        "on, under its own operation's id. PUT on the same stations works."
    ),
)
def pumps(stage: Stage) -> None:
    """Be refused for what was stored."""
    app = (
        App(X_Service="pumpen")
        .page("/p/alarms", {"active": []})
        .page("/p/map.svg", "<svg/>", "image/svg+xml", '"map4"')
    )
    app.sink("/p/heartbeat", 204, b"", {"console": 3})
    app.seed(
        "s", {n: {"station": n, "level": 120 + n, "mode": "auto", "op": "op-0"} for n in (14, 15, 16)}, v=7
    )

    def tag(row: Row) -> str:
        return f'"{row.sha(8)}/{row.v}"'

    def shown(row: Row) -> Any:
        return {**row.data, "version": row.v, "savedBy": row.who, "savedAt": row.iso(3)}

    def answer(req: Req, row: Row) -> Res:
        if req.method == "PATCH" and req.fields.get("if-match") not in {None, tag(row)}:
            return Res(412, {"error": "Version mismatch", "station": row.data["station"]})
        return Res(200, shown(row), {"ETag": tag(row)})

    def judge(req: Req, row: Row) -> Res | None:
        ok = req.method == "PATCH" or req.fields.get("if-match") in {None, tag(row)}
        return None if ok else Res(412, {"error": "Version mismatch", "station": row.data["station"]})

    def edit(req: Req, row: Row) -> Any:
        return {**row.data, **{k: v for k, v in req.json.items() if k in row.data}}

    app.rest("/p/stations", "s", tag=tag, show=shown, judge=judge, answer=answer, edit=edit)
    server = place.opened(stage, app, "tornado")
    me = stage.actor("client", server, "leitstand.wasser.example", "node:axios", {"X-User": "leit-3"})
    mill = place.Mill(app, me, 20)
    mill.go(3)
    seen = me.get("/p/stations/16")
    me.put("/p/stations/16", {**seen.json, "mode": "manual", "op": "op-8814"}, 200, {"If-Match": seen.etag})
    for station, op in ((14, "op-8815"), (15, "op-8816")):
        seen = me.get(f"/p/stations/{station}")
        body = {"level": 131, "op": op}
        me.send("PATCH", f"/p/stations/{station}", 412, {"If-Match": seen.etag}, body)
        now = me.get(f"/p/stations/{station}").json
        place.sure(now["op"] == op and now["version"] == seen.json["version"] + 1)
        mill.go(2)
    me.get("/p/stations")


@case(
    "d977",
    "pim-tag-of-what-was-sent",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "The answer to a PUT of a label has a tag made of the octets that were sent, the read one of revision and time, "
        "and the comparison uses the latter: a save with the answer's tag is 412 although the revision is still its own."
    ),
)
def labels(stage: Stage) -> None:
    """Use the tag of a PUT's answer."""
    app = (
        App()
        .page("/lbl/fonts", ["Inter", "Lora"], tag='W/"f2"')
        .page("/lbl/printers", [{"id": "zb-1", "up": True}])
    )
    app.seed("l", {n: {"name": n, "text": "100 % wool", "mm": 40} for n in ("care", "price", "box")}, v=3)

    def tag(row: Row) -> str:
        return f'"{row.v}-{int(row.at)}"'

    def shown(row: Row) -> Any:
        return {**row.data, "revision": row.v, "stored": row.iso(), "by": row.who}

    def answer(req: Req, row: Row) -> Res:
        return Res(200, shown(row), {"ETag": f'"{hashlib.sha256(req.body).hexdigest()[:32]}"'})

    def edit(req: Req, row: Row) -> Any:
        return {k: req.json.get(k, v) for k, v in row.data.items()}

    app.rest(
        "/lbl/labels", "l", tag=tag, show=shown, answer=answer, edit=edit, refuse={"message": "etag differs"}
    )
    server = place.opened(stage, app, "fastapi")
    me = stage.actor("client", server, "labels.weaver.test", "aiohttp", {"X-User": "rosa"})
    mill = place.Mill(app, me, 13)
    mill.go(3)
    me.get("/lbl/labels")
    for name in ("care", "box"):
        seen = me.get(f"/lbl/labels/{name}")
        told = me.put(f"/lbl/labels/{name}", {**seen.json, "mm": 45}, 200, {"If-Match": seen.etag})
        mill.go(2)
        me.put(f"/lbl/labels/{name}", {**told.json, "text": "wool"}, 412, {"If-Match": told.etag})
        now = me.get(f"/lbl/labels/{name}")
        place.sure(now.json == told.json and now.etag != told.etag)
        me.put(f"/lbl/labels/{name}", {**now.json, "text": "wool"}, 200, {"If-Match": now.etag})
    mill.go(2)


@case(
    "d998",
    "pim-place-is-looked-up-afterwards",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "Half a second after a site's address is saved the service's own job writes its position (updatedBy names the "
        "job). The client's next change, with the tag that its save was answered with, is 412; no one else writes."
    ),
)
def sites(stage: Stage) -> None:
    """Be overtaken by a job."""
    app = (
        App()
        .page("/api/crews", ["A", "B"], tag='"cr"')
        .page("/api/me", {"name": "Marek"})
        .page("/api/news", [])
    )
    app.seed(
        "s", {n: {"address": f"Dlouhá {n}", "lat": 50.1, "lon": 14.4, "crew": "A"} for n in (21, 22)}, v=40
    )

    def job(key: str) -> None:
        row = app.now("s", key)
        app.put("s", key, {**row.data, "lat": 50.08, "lon": 14.42}, "service:geocoder")

    def answer(req: Req, row: Row) -> Res:
        if "address" in req.json:
            threading.Timer(0.5, job, (row.id,)).start()
        return Res(200, shown(row), {"ETag": f'"{row.v}"'})

    def shown(row: Row) -> Any:
        return {**row.data, "updatedBy": row.who, "updatedAt": row.iso(1)}

    app.rest(
        "/api/sites",
        "s",
        tag=lambda row: f'"{row.v}"',
        show=shown,
        answer=answer,
        refuse={"chyba": "Záznam se změnil"},
    )
    server = place.opened(stage, app, "flask")
    me = stage.actor("client", server, "stavby.zednik.example", "node:fetch", {"X-User": "marek"})
    mill = place.Mill(app, me, 15)
    mill.go(3)
    for number in (22, 21):
        seen = me.get(f"/api/sites/{number}")
        body = {"address": f"Krátká {number}"}
        told = me.send("PATCH", f"/api/sites/{number}", 200, {"If-Match": seen.etag}, body)
        place.rest(0.9)
        mill.go(2)
        me.send("PATCH", f"/api/sites/{number}", 412, {"If-Match": told.etag}, {"crew": "B"})
        now = me.get(f"/api/sites/{number}").json
        place.sure(now["updatedBy"] == "service:geocoder" and now["crew"] == "A")
    mill.go(1)


@case(
    "d964",
    "pim-who-sends-the-digest",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description=(
        "Three workers of a mailer try every half second to claim the turn of a digest with If-None-Match: *; one gets "
        "it, the others are 412 and go on with their own work. The client wins one turn of six."
    ),
)
def turns(stage: Stage) -> None:
    """Lose a turn to another worker."""
    app = (
        App()
        .page("/v1/mail/outbox?limit=5", {"messages": []})
        .page("/v1/templates/digest", {"t": "{{x}}"}, tag='"d3"')
    )
    app.sink("/v1/metrics", 204, b"", {"worker": "w2", "idle": True})

    @app.on("GET", "/v1/turns/digest/{key}")
    def read(_req: Req, key: str) -> Res:
        row = app.now("turn", key)
        return Res(200, row.data) if row else Res(404, {"error": "unclaimed"})

    @app.on("PUT", "/v1/turns/digest/{key}")
    def claim(req: Req, key: str) -> Res:
        with app.lock:
            row = app.now("turn", key)
            if row is not None:
                return Res(412, {"claimed": True, "by": row.data["worker"], "turn": key})
            app.put("turn", key, req.json, req.json["worker"])
        return Res(201, {"claimed": True, "by": req.json["worker"], "turn": key})

    server = place.opened(stage, app, "cheroot")
    me = stage.actor(
        "client", server, "mailer.internal.test", "requests", {"User-Agent": "digest-worker/2 w2"}
    )
    other = stage.actor(
        "other", server, "mailer.internal.test", "httpx", {"User-Agent": "digest-worker/2 w1"}
    )
    third = stage.actor(
        "third", server, "mailer.internal.test", "aiohttp", {"User-Agent": "digest-worker/2 w3"}
    )
    mill = place.Mill(app, me, 1)
    workers = {"w1": other, "w2": me, "w3": third}
    for minute, first in enumerate(("w1", "w3", "w1", "w2", "w3", "w1")):
        turn = f"/v1/turns/digest/2026-11-28T05:{30 + minute}"
        for name in (first, *(one for one in workers if one != first)):
            body = {"worker": name, "ttl": 20}
            workers[name].put(turn, body, 201 if name == first else 412, {"If-None-Match": "*"})
        if first == "w2":
            me.get("/v1/templates/digest")
            me.send("POST", "/v1/metrics", 204, None, {"worker": "w2", "sent": 118})
        mill.go(1)
        place.rest(0.35)


@case(
    "d969",
    "pim-newfoundland-time-called-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A fisheries client turns Last-Modified into local time (three and a half hours behind) and sends it as GMT in "
        "If-Unmodified-Since: catches entered today are always 412, those of last week are too, unchanged as they are."
    ),
)
def catches(stage: Stage) -> None:
    """Send local time as GMT."""
    app = App().page("/species", ["cod", "capelin"], tag='"sp"').page("/quota?zone=3L", {"left": 118.5})
    app.sink("/position", 202, {"ok": 1}, {"lat": 47.5, "lon": -52.7})
    app.seed("c", {f"c-{n}": {"kg": 400 + n, "zone": "3L", "species": "cod"} for n in (1, 2, 3)}, ago=5400)
    app.rest("/catches", "c", marks=lambda row: {"Last-Modified": row.date()}, judge=_since)
    server = place.opened(stage, app, "starlette")
    me = stage.actor("client", server, "log.fishers.example", "curl:verbose", {"Accept": "application/json"})
    mill = place.Mill(app, me, 10)
    mill.go(3)
    me.get("/catches")
    for key in ("c-1", "c-3", "c-1"):
        seen = me.get(f"/catches/{key}")
        local = parsedate_to_datetime(seen.fields["last-modified"]).timestamp() - 3.5 * 3600
        guard = {"If-Unmodified-Since": formatdate(local, usegmt=True)}
        me.send("PATCH", f"/catches/{key}", 412, guard, {"kg": 395})
        mill.go(1)
        place.rest(0.4)
    me.get("/catches/c-1")


@case(
    "d981",
    "pim-handheld-is-eleven-minutes-slow",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A handheld guards its saves with the time of its own clock when it read, which is eleven minutes slow, as its "
        "Date field shows: what was changed in the last minutes, by itself, is 412; what is older is taken."
    ),
)
def handheld(stage: Stage) -> None:
    """Guard with one's own clock."""
    app = (
        App()
        .page("/wms/zones", ["cold", "dry"])
        .page("/wms/tasks?picker=8", {"tasks": [{"bin": "C-2"}]}, tag='"t8"')
    )
    app.seed("b", {f"C-{n}": {"bin": f"C-{n}", "sku": f"S{n}", "count": 10} for n in (1, 2, 3)}, ago=40000)
    app.rest("/wms/bins", "b", marks=lambda row: {"Last-Modified": row.date()}, judge=_since)
    server = place.opened(stage, app, "stdlib")
    me = stage.actor(
        "client", server, "lager.kuehlhaus.example", "urllib", {"User-Agent": "Handheld/4.1 (picker 8)"}
    )
    mill = place.Mill(app, me, 16)

    def clock() -> dict[str, str]:
        return {"Date": formatdate(time.time() - 677, usegmt=True)}

    def count(key: str, number: int, expect: int) -> None:
        me.get(f"/wms/bins/{key}", 200, clock())
        own = clock()
        place.rest(0.6)
        guard = {**clock(), "If-Unmodified-Since": own["Date"]}
        me.send("PATCH", f"/wms/bins/{key}", expect, guard, {"count": number})

    mill.go(2, clock())
    count("C-2", 9, 200)
    mill.go(1, clock())
    count("C-2", 8, 412)
    count("C-1", 7, 200)
    place.rest(1.0)
    count("C-1", 6, 412)
    count("C-2", 8, 412)
    mill.go(1, clock())
    place.sure(me.get("/wms/bins/C-1", 200, clock()).json["count"] == 7)


@case(
    "d988",
    "pim-two-nodes-two-salts",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two nodes behind HAProxy make tags with a salt of their own start: the same menu at the same version has two "
        "tags by turns, X-Node names them, and a save is taken or 412 by which node it meets."
    ),
)
def nodes(stage: Stage) -> None:
    """Meet the other node."""
    app = App().seed(
        "m", {n: {"dish": n, "price": 9, "veg": n == "dal"} for n in ("dal", "laksa", "pho")}, v=4
    )
    app.page("/hours", {"open": "11-22"}).page("/tables", {"free": 6})
    shared = {"front": ""}

    def tag(row: Row) -> str:
        return f'"{hashlib.md5((shared["front"] + row.sha()).encode()).hexdigest()[:14]}"'  # noqa: S324

    def shown(row: Row) -> Any:
        return {**row.data, "version": row.v, "changed": row.iso()}

    def edit(req: Req, row: Row) -> Any:
        return {**row.data, "price": req.json["price"]}

    app.rest("/menu", "m", tag=tag, show=shown, edit=edit)

    def node(name: str) -> Any:
        def answer(req: Req) -> Res:
            with app.lock:
                shared["front"] = name
                res = app(req)
            res.fields["X-Node"] = name
            return res

        return answer

    both = [place.opened(stage, node(name), "waitress", name) for name in ("kitchen-a", "kitchen-b")]
    me = stage.actor("client", fronts.haproxy(stage, both), "menu.hawker.test", "httpx", {"X-User": "lim"})
    mill = place.Mill(app, me, 2)
    mill.go(2)
    for dish in ("laksa", "pho", "laksa"):
        seen = me.get(f"/menu/{dish}")
        me.put(f"/menu/{dish}", {"price": 11}, 412, {"If-Match": seen.etag})
        first, second = me.get(f"/menu/{dish}"), me.get(f"/menu/{dish}")
        place.sure(first.json == second.json and first.etag != second.etag)
        mill.go(1)
        if dish == "pho":
            mill.go(1)
    seen = me.get("/menu/dal")
    me.get("/hours")
    me.put("/menu/dal", {"price": 12}, 200, {"If-Match": seen.etag})
