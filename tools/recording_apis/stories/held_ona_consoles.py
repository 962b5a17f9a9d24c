"""Stories on the interfaces of products that people of a laboratory run: real Kinto, and imitations."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ona_core import App, Req, Res, Row
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ona_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _basic(name: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{name}-pw".encode()).decode()}


@case(
    "d923",
    "ona-seed-collection-head-before-put",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "Two curators keep accessions in Kinto; the client reads one, works on it, and right before its save asks by HEAD "
        "for the newest tag, which is another by then, and sends its edit of the old content with it: 200, and the "
        "colleague's storage place is gone; the list that the client had read meanwhile showed it."
    ),
)
def accessions(stage: Stage) -> None:
    """Put a new tag on an old edit."""
    server = stage.server("kinto")
    host = "acc.genebank-tartu.example"
    me = stage.actor("client", server, host, "node:fetch", {**_basic("maarja"), "User-Agent": "accessions/3"})
    other = stage.actor(
        "other", server, host, "aiohttp", {**_basic("jaan"), "User-Agent": "shelf-terminal/1"}
    )
    for who, name in ((me, "maarja"), (other, "jaan")):
        who.put(f"/v1/accounts/{name}", {"data": {"password": f"{name}-pw"}}, 201)
    open_to = {"permissions": {"write": ["system.Authenticated"]}}
    me.put("/v1/buckets/bank", open_to, 201)
    me.put("/v1/buckets/bank/collections/rye", {}, 201)
    records = "/v1/buckets/bank/collections/rye/records"
    for n, name in enumerate(("sangaste", "vambo", "elvi")):
        data = {"name": name, "viability": 91 - n, "shelf": "K2", "notes": ""}
        me.put(f"{records}/{name}", {"data": data}, 201)
    stage.forget()
    me.get("/v1/")
    held = me.get(f"{records}/vambo")
    theirs = other.get(f"{records}/vambo")
    moved = {**theirs.json["data"], "shelf": "L7", "germinated": "2026-11-20"}
    other.put(f"{records}/vambo", {"data": moved}, 200, {"If-Match": theirs.etag})
    place.rest(0.8)
    listed = me.get(f"{records}?_sort=name").json["data"]
    place.sure(any(one.get("germinated") for one in listed))
    elvi = me.get(f"{records}/elvi")
    me.put(f"{records}/elvi", {"data": {**elvi.json["data"], "viability": 88}}, 200, {"If-Match": elvi.etag})
    mine = {**held.json["data"], "notes": "awns short"}
    mine.pop("last_modified")
    newest = me.send("HEAD", f"{records}/vambo", 200).etag
    place.sure(newest != held.etag)
    me.put(f"{records}/vambo", {"data": mine}, 200, {"If-Match": newest})
    place.rest(0.4)
    place.sure("germinated" not in me.get(f"{records}/vambo").json["data"])
    me.get(f"{records}?_sort=name")


def _orders(origin: str) -> App:
    app = App(
        {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": "X-Request-Id",
            "X-Request-Id": "0f3c",
        }
    )
    app.seed({f"{n}": {"ordre": n, "bed": "C4", "kasser": 12} for n in (71, 72, 75)}, 4)

    @app.on("OPTIONS", "/.*")
    def preflight(_req: Req) -> Res:
        allow = {
            "Access-Control-Allow-Methods": "GET, PUT",
            "Access-Control-Allow-Headers": "content-type, if-match",
            "Access-Control-Max-Age": "600",
        }
        return Res(204, b"", allow)

    @app.on("GET", "/hoest/v3/ordrer/([0-9]+)")
    def read(_req: Req, key: str) -> Res:
        row = app.rows[key]
        return Res(200, row.data, {"ETag": f'"{row.hash("sha1", 12)}"', "Cache-Control": "no-store"})

    @app.on("PUT", "/hoest/v3/ordrer/([0-9]+)")
    def write(req: Req, key: str) -> Res:
        row, sent = app.rows[key], req.fields.get("if-match")
        if sent is None:
            return Res(428, {"fejl": "Ordren kan kun gemmes med If-Match", "ordre": int(key)})
        if sent != f'"{row.hash("sha1", 12)}"':
            return Res(412, {"fejl": "Ordren er ændret", "ordre": int(key)})
        return Res(200, app.keep(key, req.json).data)

    app.page("/hoest/v3/hold", {"hold": ["morgen", "aften"]})
    return app


@case(
    "d925",
    "ona-harvest-board-on-another-host",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag",
    also="token-missing",
    description=(
        "A page in Chromium edits harvest orders on another host, which sends ETag but exposes only its request number: "
        "the script finds no tag, saves without one and is told 428, twice; the preflight would have allowed "
        "If-Match."
    ),
)
def harvest(stage: Stage) -> None:
    """Find null where the wire has a tag."""
    pages = App()
    pages.page("/", "<!doctype html><title>Tavle</title><main id=t></main>", media="text/html; charset=utf-8")
    app = _orders("http://tavle.gartneri.example")
    server = place.open_box(stage, app, "starlette", said="Access-Control-Expose-Headers: X-Request-Id")
    front = place.open_box(stage, pages, "waitress")
    read_it = "async url => { const r = await fetch(url); const o = await r.json(); return [r.status, r.headers.get('etag'), o] }"
    write_it = (
        "async ([url, tag, body]) => { const headers = {'content-type': 'application/json'}; if (tag) headers['if-match'] = tag;"
        " const r = await fetch(url, {method: 'PUT', headers, body: JSON.stringify(body)}); return [r.status, await r.json()] }"
    )

    def play(run: Any) -> None:
        base = "http://hoest.api.gartneri.example/hoest/v3"
        run(read_it, f"{base}/hold")
        for order in (71, 72):
            status, tag, seen = run(read_it, f"{base}/ordrer/{order}")
            place.sure(status == 200 and tag is None)
            place.sure(run(write_it, [f"{base}/ordrer/{order}", tag, {**seen, "kasser": 14}])[0] == 428)
            place.rest(0.4)
        place.sure(run(read_it, f"{base}/ordrer/71")[2]["kasser"] == 12)

    place.in_page(stage, front, server, ("tavle.gartneri.example", "hoest.api.gartneri.example"), play)


_EXPIRED = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Failure",
    "message": (
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter."
    ),
    "reason": "Expired",
    "code": 410,
}


def _jobs() -> App:
    app = App(
        {"Audit-Id": "5b1e", "Cache-Control": "no-cache, private", "X-Kubernetes-Pf-Flowschema-Uid": "97f1"}
    )
    names = [f"render-{n:03}" for n in range(1, 8)]
    app.seed({name: {"active": 1} for name in names}, 1)
    level = [88120]
    issued: dict[str, tuple[float, int]] = {}

    @app.on("GET", "/apis/batch/v1/namespaces/film/jobs")
    def listing(req: Req) -> Res:
        limit, token = int(req.query.get("limit", "500")), req.query.get("continue")
        start = 0
        if token:
            at, start = issued[token]
            if time.time() - at > 1.5:
                return Res(410, _EXPIRED)
        items = [
            {
                "metadata": {"name": n, "namespace": "film", "resourceVersion": str(level[0] - 7)},
                "status": app.rows[n].data,
            }
            for n in names[start : start + limit]
        ]
        meta: dict[str, Any] = {"resourceVersion": str(level[0])}
        if start + limit < len(names):
            meta["continue"] = base64.b64encode(
                f'{{"v":"meta.k8s.io/v1","rv":{level[0]},"start":"{names[start + limit]}"}}'.encode()
            ).decode()
            issued.setdefault(meta["continue"], (time.time(), start + limit))
            meta["remainingItemCount"] = len(names) - start - limit
        return Res(200, {"kind": "JobList", "apiVersion": "batch/v1", "metadata": meta, "items": items})

    @app.on("PATCH", "/apis/batch/v1/namespaces/film/jobs/([a-z0-9-]+)")
    def patch(req: Req, name: str) -> Res:
        level[0] += 3
        app.keep(name, {**app.rows[name].data, **req.json})
        meta = {"name": name, "namespace": "film", "resourceVersion": str(level[0])}
        return Res(200, {"kind": "Job", "metadata": meta, "status": app.rows[name].data})

    app.page("/version", {"major": "1", "minor": "31", "gitVersion": "v1.31.2"})
    return app


@case(
    "d927",
    "ona-render-jobs-paged-too-slowly",
    "token-expired",
    "410",
    alone="token-expired",
    synthetic=True,
    description=(
        "A reporter pages through the jobs of a cluster in the manner of Kubernetes and works on each page for longer "
        "than the server keeps its continue token: 410 Gone, reason Expired, again when it repeats; a list begun "
        "anew and read without a pause comes through."
    ),
)
def jobs(stage: Stage) -> None:
    """Come back with a token that is too old."""
    server = place.open_box(stage, _jobs(), "aiohttp", "Kubernetes")
    agent = {
        "User-Agent": "jobreport/v0.7 (linux/amd64) client-go/v0.31.2",
        "Accept": "application/json",
        "Authorization": "Bearer eyJhbGciOiJSUzI1NiJ9.e30.x",
    }
    me = stage.actor("client", server, "kube.studio-nord.test", "java", agent)
    path = "/apis/batch/v1/namespaces/film/jobs"
    me.get("/version")

    def page(size: int, token: str = "", expect: int = 200) -> Any:
        more = f"&continue={token.replace('=', '%3D')}" if token else ""
        return me.get(f"{path}?limit={size}{more}", expect).json

    first = page(3)
    for item in first["items"][:2]:
        fields = {"Content-Type": "application/merge-patch+json"}
        me.send("PATCH", f"{path}/{item['metadata']['name']}", 200, fields, {"reported": True})
        place.rest(0.9)
    for _ in range(2):
        told = page(3, first["metadata"]["continue"], 410)
        place.sure(told["reason"] == "Expired")
        place.rest(0.5)
    again = page(4)
    place.sure(len(page(4, again["metadata"]["continue"])["items"]) == 3)


@case(
    "d932",
    "ona-hive-scale-profiles",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "An apiary's scale service makes the tag of a profile anew for each answer, out of its content and the moment: "
        "polls never come back 304, though the octets are the same, and no save with a tag just read ever passes. There "
        "is one process, and nobody else writes."
    ),
)
def hives(stage: Stage) -> None:
    """Never meet the same tag twice."""
    app = App({"X-Powered-By": "ruche-ng 0.4"}, "<erreur>introuvable</erreur>")
    text = '<profil ruche="{0}"><tare>21.{0}</tare><cadence>300</cadence></profil>'
    app.seed({f"r{n}": text.format(n) for n in (4, 6, 9)})

    def tag(row: Row) -> str:
        return f'"{Row(row.data + str(time.time_ns()), 1, 0).hash("sha256", 20)}"'

    @app.on("GET", "/profils/(r[0-9])")
    def read(req: Req, key: str) -> Res:
        own = tag(app.rows[key])
        fields = {"ETag": own, "Content-Type": "application/xml"}
        if req.fields.get("if-none-match") == own:
            return Res(304, b"", fields)
        return Res(200, app.rows[key].data, fields)

    @app.on("PUT", "/profils/(r[0-9])")
    def write(req: Req, key: str) -> Res:
        sent = req.fields.get("if-match")
        if sent is not None and sent != tag(app.rows[key]):
            return Res(412, "<erreur>version différente</erreur>", {"Content-Type": "application/xml"})
        return Res(204, b"", {"ETag": tag(app.keep(key, req.body.decode()))})

    app.page(
        "/ruches.xml", '<ruches><r id="4"/><r id="6"/><r id="9"/></ruches>', '"liste-3"', "application/xml"
    )
    server = place.open_box(stage, app, "tornado")
    me = stage.actor(
        "client", server, "balances.rucher-du-lac.example", "urllib", {"User-Agent": "apicontrol/2"}
    )
    listed = me.get("/ruches.xml")
    me.get("/ruches.xml", 304, {"If-None-Match": listed.etag})
    for key in ("r4", "r9"):
        seen = me.get(f"/profils/{key}")
        for _ in range(2):
            place.rest(0.3)
            again = me.get(f"/profils/{key}", 200, {"If-None-Match": seen.etag})
            place.sure(again.body == seen.body and again.etag != seen.etag)
            seen = again
        new = seen.text.replace("300", "120")
        me.put(f"/profils/{key}", new, 412, {"If-Match": seen.etag, "Content-Type": "application/xml"})
        seen = me.get(f"/profils/{key}")
        me.put(f"/profils/{key}", new, 412, {"If-Match": seen.etag, "Content-Type": "application/xml"})
    place.sure("300" in me.get("/profils/r4").text)
