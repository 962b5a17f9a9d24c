"""Healthy days behind intermediaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _rev(_path: str, doc: Doc) -> str:
    return f'"{doc.rev}.{doc.digest()[:8]}"'


@case(
    "e331",
    "bea-a-store-that-is-asked-past",
    "none",
    "healthy",
    alone="none",
    description=(
        "nginx keeps reads of a seed shop's articles for half a minute (X-Store HIT for those who only look) and is passed "
        "by with Cache-Control: no-cache before each save; every save goes through, the front's new state is read with no-cache."
    ),
)
def seeds(stage: Stage) -> None:
    """Read past the store before writing."""
    docs = {f"/artikel/{n}": {"nr": n, "name": f"Samen {n}", "bestand": 9 * n} for n in (3, 4, 5, 6)}
    server = place.open_box(stage, Box(docs, _rev, dates=True), "flask")
    lines = "proxy_cache_bypass $http_cache_control; add_header X-Store $upstream_cache_status;"
    front = fronts.nginx_cache(stage, server, 30, lines)
    me = stage.actor("client", front, "samen.garten.example", "requests", {"User-Agent": "kontor/2"})
    other = stage.actor("other", front, "samen.garten.example", "httpx", {"User-Agent": "kasse/1"})
    past = {"Cache-Control": "no-cache"}
    for number in (3, 4, 3, 4, 5):
        me.get(f"/artikel/{number}")
    for number in (4, 3):
        seen = me.get(f"/artikel/{number}", 200, past)
        body = {**seen.json, "bestand": seen.json["bestand"] - 2}
        saved = me.put(f"/artikel/{number}", body, 200, {"If-Match": seen.etag})
        place.sure(me.get(f"/artikel/{number}", 200, past).etag == saved.etag)
        place.rest(0.5)
    theirs = other.get("/artikel/4", 200, past)
    other.put("/artikel/4", {**theirs.json, "bestand": 1}, 200, {"If-Match": theirs.etag})
    place.rest(0.6)
    now = me.get("/artikel/4", 200, past)
    place.sure(now.json["bestand"] == 1)
    me.put("/artikel/4", {**now.json, "bestand": 40}, 200, {"If-Match": now.etag})
    still = me.get("/artikel/6")
    me.get("/artikel/6", 304, {"If-None-Match": still.etag})


@case(
    "e357",
    "bea-compressed-and-left-alone",
    "none",
    "healthy",
    alone="none",
    description=(
        "Apache compresses a theatre's plans with DeflateAlterETag NoChange: tags come through as they are, 304s and saves "
        "work; a long plan of another house is 404 until it is made."
    ),
)
def plans(stage: Stage) -> None:
    """Save what was read compressed."""
    docs = {
        f"/spielplan/{m}": {"monat": m, "abende": [{"d": d, "stueck": "Woyzeck"} for d in range(1, 20)]}
        for m in (1, 2)
    }
    server = place.open_box(stage, Box(docs, _rev), "bottle")
    rules = "AddOutputFilterByType DEFLATE application/json\nDeflateAlterETag NoChange"
    front = fronts.apache(stage, server, rules)
    me = stage.actor("client", front, "plan.theater.example", "aiohttp", {"User-Agent": "dispo/8"})
    me.get("/spielplan")
    for number in (1, 2, 1):
        seen = me.get(f"/spielplan/{number}")
        me.get(f"/spielplan/{number}", 304, {"If-None-Match": seen.etag})
        body = {**seen.json, "stand": f"{number}/{len(seen.etag)}/{seen.json.get('stand', '')}"}
        saved = me.put(f"/spielplan/{number}", body, 200, {"If-Match": seen.etag})
        me.put(f"/spielplan/{number}", {**body, "druck": True}, 200, {"If-Match": saved.etag})
        place.rest(0.4)
    me.get("/spielplan/3", 404)
    me.put("/spielplan/3", {"monat": 3, "abende": []}, 201, {"If-None-Match": "*"})
    me.get("/spielplan/3")


@case(
    "e325",
    "bea-a-queue-at-the-counter",
    "none",
    "healthy",
    alone="none",
    description=(
        "A counter's program behind Traefik with two nodes on one store: a login after 401, a 429 that it waits out, a 422 "
        "for a wrong field, 503 from a node that restarts, then the same request again; every condition holds."
    ),
)
def counter(stage: Stage) -> None:
    """Meet refusals that have nothing to do with versions."""
    docs: dict[str, Any] = {f"/antraege/{n}": {"id": n, "status": "neu", "gebuehr": 12} for n in (71, 72, 73)}
    box = Box(docs, _rev, say={412: {"fehler": "Stand veraltet"}})
    turns = {"busy": 1, "down": 1}

    def gate(req: Req) -> Res | None:
        if not req.fields.get("authorization"):
            return Res(401, {"fehler": "Anmeldung noetig"}, {"WWW-Authenticate": 'Bearer realm="amt"'})
        if req.method == "PUT" and req.path.endswith("72") and turns["busy"]:
            turns["busy"] -= 1
            return Res(429, {"fehler": "zu viele Anfragen"}, {"Retry-After": "1"})
        if req.method == "PUT" and req.path.endswith("73") and turns["down"]:
            turns["down"] -= 1
            return Res(503, "restarting", {"Retry-After": "1"})
        if req.method == "PUT" and req.json.get("gebuehr", 0) < 0:
            return Res(422, {"fehler": "gebuehr", "grund": "negativ"})
        return None

    box.before.append(gate)
    nodes = [place.open_box(stage, box, kind) for kind in ("waitress", "cheroot")]
    me = stage.actor(
        "client", fronts.traefik(stage, nodes), "antrag.amt.example", "httpx", {"User-Agent": "schalter/3"}
    )
    own = {"Authorization": "Bearer s-3"}
    me.get("/antraege", 401)
    me.get("/antraege", 200, own)
    for number, status in ((71, 0), (72, 429), (73, 503)):
        seen = me.get(f"/antraege/{number}", 200, own)
        guard, body = {**own, "If-Match": seen.etag}, {**seen.json, "status": "in Arbeit"}
        if status:
            me.put(f"/antraege/{number}", body, status, guard)
            place.rest(1.1)
        else:
            me.put(f"/antraege/{number}", {**body, "gebuehr": -1}, 422, guard)
        saved = me.put(f"/antraege/{number}", body, 200, guard)
        me.get(f"/antraege/{number}", 304, {**own, "If-None-Match": saved.etag})
        place.rest(0.3)
    me.get("/healthz", 200, own)
