"""Stories on the interfaces of products that people of a laboratory run: real Kinto, and imitations."""

from __future__ import annotations

import base64
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ona_core import App, Req, Res, Row, stamp
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
    other = stage.actor("other", server, host, "aiohttp", {**_basic("jaan"), "User-Agent": "shelf-terminal/1"})
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
    origin = "http://tavle.gartneri.example"
    pages, app = App(), App({"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "X-Request-Id", "X-Request-Id": "0f3c"})
    pages.page("/", "<!doctype html><title>Tavle</title><main id=t></main>", media="text/html; charset=utf-8")
    app.seed({f"{n}": {"ordre": n, "bed": "C4", "kasser": 12} for n in (71, 72, 75)}, 4)

    @app.on("OPTIONS", "/.*")
    def preflight(_req: Req) -> Res:
        allow = {"Access-Control-Allow-Methods": "GET, PUT", "Access-Control-Allow-Headers": "content-type, if-match", "Access-Control-Max-Age": "600"}
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


def _jobs() -> App:
    app = App({"Audit-Id": "5b1e", "Cache-Control": "no-cache, private", "X-Kubernetes-Pf-Flowschema-Uid": "97f1"})
    names = [f"render-{n:03}" for n in range(1, 8)]
    app.seed({name: {"active": 1} for name in names}, 1)
    level, issued = [88120], {}

    @app.on("GET", "/apis/batch/v1/namespaces/film/jobs")
    def listing(req: Req) -> Res:
        limit, token = int(req.query.get("limit", "500")), req.query.get("continue")
        start = 0
        if token:
            at, start = issued[token]
            if time.time() - at > 1.5:
                told = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter."
                return Res(410, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": told, "reason": "Expired", "code": 410})
        items = [{"metadata": {"name": n, "namespace": "film", "resourceVersion": str(level[0] - 7)}, "status": app.rows[n].data} for n in names[start : start + limit]]
        meta: dict[str, Any] = {"resourceVersion": str(level[0])}
        if start + limit < len(names):
            meta["continue"] = base64.b64encode(f'{{"v":"meta.k8s.io/v1","rv":{level[0]},"start":"{names[start + limit]}"}}'.encode()).decode()
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
    agent = {"User-Agent": "jobreport/v0.7 (linux/amd64) client-go/v0.31.2", "Accept": "application/json", "Authorization": "Bearer eyJhbGciOiJSUzI1NiJ9.e30.x"}
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
    app.seed({f"r{n}": f'<profil ruche="{n}"><tare>21.{n}</tare><cadence>300</cadence></profil>' for n in (4, 6, 9)})

    def tag(row: Row) -> str:
        return f'"{Row(row.data + str(time.time_ns()), 1, 0).hash("sha256", 20)}"'

    @app.on("GET", "/profils/(r[0-9])")
    def read(req: Req, key: str) -> Res:
        own = tag(app.rows[key])
        fields = {"ETag": own, "Content-Type": "application/xml"}
        return Res(304, b"", fields) if req.fields.get("if-none-match") == own else Res(200, app.rows[key].data, fields)

    @app.on("PUT", "/profils/(r[0-9])")
    def write(req: Req, key: str) -> Res:
        sent = req.fields.get("if-match")
        if sent is not None and sent != tag(app.rows[key]):
            return Res(412, "<erreur>version différente</erreur>", {"Content-Type": "application/xml"})
        return Res(204, b"", {"ETag": tag(app.keep(key, req.body.decode()))})

    app.page("/ruches.xml", '<ruches><r id="4"/><r id="6"/><r id="9"/></ruches>', '"liste-3"', "application/xml")
    server = place.open_box(stage, app, "tornado")
    me = stage.actor("client", server, "balances.rucher-du-lac.example", "urllib", {"User-Agent": "apicontrol/2"})
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


def _balancer() -> App:
    app = App({"Configuration-Version": "12"})
    app.seed({f"backends/{n}": {"name": n, "mode": "http", "balance": {"algorithm": "roundrobin"}} for n in ("shop", "blog", "mail")})
    level = [212]
    base = "/v2/services/haproxy/configuration"

    def stated(res: Res) -> Res:
        res.fields["Configuration-Version"] = str(level[0])
        return res

    @app.on("GET", f"{base}/version")
    def version(_req: Req) -> Res:
        return stated(Res(200, str(level[0]), {"Content-Type": "application/json"}))

    @app.on("GET", f"{base}/(backends/[a-z]+)")
    def read(_req: Req, key: str) -> Res:
        return stated(Res(200, {"_version": level[0], "data": app.rows[key].data}))

    @app.on("GET", f"{base}/backends")
    def listing(_req: Req) -> Res:
        return stated(Res(200, {"_version": level[0], "data": [row.data for row in app.rows.values()]}))

    @app.on("PUT", f"{base}/(backends/[a-z]+)")
    def write(req: Req, key: str) -> Res:
        with app.lock:
            sent = req.query.get("version")
            if sent != str(level[0]):
                return stated(Res(409, {"code": 409, "message": f"version mismatch: expected {level[0]}, got {sent}"}))
            level[0] += 1
            return stated(Res(202, app.keep(key, req.json).data, {"Reload-ID": f"2026-11-28-{level[0] - 200}"}))

    app.page("/v2/info", {"api": {"version": "v2.9.1"}, "system": {}})
    return app


@case(
    "d940",
    "ona-balancer-configuration-counts-as-one",
    "coarse-token-scope",
    "409",
    alone="coarse-token-scope",
    also="other-writer",
    synthetic=True,
    description=(
        "A balancer's configuration in the manner of HAProxy's Data Plane API has one version for all of it: while the "
        "client edits one backend, a colleague saves another, and the client's PUT is 409 version mismatch; its own "
        "backend reads exactly as before, only the version is another. It happens again at its next save."
    ),
)
def balancer(stage: Stage) -> None:
    """Be refused for the sake of another section."""
    server = place.open_box(stage, _balancer(), "falcon", "HAProxy Data Plane API")
    base = "/v2/services/haproxy/configuration"
    host = "lb1-api.hosting-werft.test"
    me = stage.actor("client", server, host, "requests", {"Authorization": "Basic b3BzOm9wcw==", "User-Agent": "lbctl/1.7"})
    other = stage.actor("other", server, host, "curl", {"Authorization": "Basic a2FpOmthaQ=="})
    me.get("/v2/info")
    me.get(f"{base}/backends")
    for turn, (name, algorithm) in enumerate((("shop", "leastconn"), ("blog", "source"))):
        mine = me.get(f"{base}/backends/{name}").json
        theirs = other.get(f"{base}/backends/mail").json
        body = {**theirs["data"], "server_timeout": 30000 + turn}
        other.put(f"{base}/backends/mail?version={theirs['_version']}", body, 202)
        place.rest(0.9)
        new = {**mine["data"], "balance": {"algorithm": algorithm}}
        me.put(f"{base}/backends/{name}?version={mine['_version']}", new, 409)
        me.get(f"{base}/version")
        place.sure(me.get(f"{base}/backends/{name}").json["data"] == mine["data"])
    me.get(f"{base}/backends")


@case(
    "d941",
    "ona-bench-rota-two-hands",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    description=(
        "A workshop's rota looks at If-Match, then takes its time to store: two saves of one sheet with the same tag that "
        "the terminal's two panes send at once are both 204, and the first one's line is missing afterwards; one after "
        "the other, the second with an outdated tag is refused with 412."
    ),
)
def rota(stage: Stage) -> None:
    """Let two through one door."""
    app = App({"X-Rota": "1.12"}, "no such sheet")
    app.seed({f"kw{n}": f"bench;who\nlathe;\nmill;\npress;{n}\n" for n in (48, 49, 50)}, 2)

    @app.on("GET", "/rota/(kw[0-9]+)\\.csv")
    def read(_req: Req, key: str) -> Res:
        row = app.rows[key]
        return Res(200, row.data, {"ETag": f'"{key}-{row.n}"', "Content-Type": "text/csv"})

    @app.on("PUT", "/rota/(kw[0-9]+)\\.csv")
    def write(req: Req, key: str) -> Res:
        if req.fields.get("if-match") != f'"{key}-{app.rows[key].n}"':
            return Res(412, "sheet has moved on\n")
        place.rest(0.35)
        return Res(204, b"", {"ETag": f'"{key}-{app.keep(key, req.body.decode()).n}"'})

    app.page("/rota/", "kw48\nkw49\nkw50\n", '"toc1"', "text/plain")
    server = place.open_box(stage, app, "flask")
    me = stage.actor("client", server, "rota.offene-werkstatt.example", "httpx", {"User-Agent": "terminal-4/1.0"})
    me.get("/rota/")
    kind = {"Content-Type": "text/csv"}
    for week in (48, 49):
        seen = me.get(f"/rota/kw{week}.csv")
        guard = {**kind, "If-Match": seen.etag}
        texts = [seen.text.replace(f"{bench};", f"{bench};{who}", 1) for bench, who in (("lathe", "Uli"), ("mill", "Mo"))]
        got = place.at_once(*(partial(me.put, f"/rota/kw{week}.csv", text, 204, guard) for text in texts), apart=0.09)
        place.sure(len(got) == 2)
        now = me.get(f"/rota/kw{week}.csv")
        place.sure("Uli" not in now.text and "Mo" in now.text)
        me.put(f"/rota/kw{week}.csv", now.text.replace("lathe;", "lathe;Uli"), 412, guard)
        place.rest(0.5)
    me.get("/rota/kw50.csv")
    me.get("/rota/", 304, {"If-None-Match": '"toc1"'})


_SPACE = "/spaces/k9pw1/environments/master/entries"


def _content() -> App:
    app = App({"Server": "Contentful", "X-Contentful-Region": "eu-west-1", "X-Contentful-RateLimit-Reset": "0"})
    app.seed({f"e{n}": {"title": {"pt": f"Trilho {n}"}, "km": {"pt": 7 + n}} for n in (1, 2, 3)}, 14)

    def shown(key: str) -> dict[str, Any]:
        row = app.rows[key]
        return {"sys": {"type": "Entry", "id": key, "version": row.n, "updatedAt": stamp(row.at)}, "fields": row.data}

    @app.on("GET", f"{_SPACE}/(e[0-9])")
    def read(_req: Req, key: str) -> Res:
        return Res(200, shown(key), {"Content-Type": "application/vnd.contentful.management.v1+json"})

    @app.on("PUT", f"{_SPACE}/(e[0-9])(/published)?")
    def write(req: Req, key: str, publish: str | None) -> Res:
        with app.lock:
            if req.fields.get("x-contentful-version") != str(app.rows[key].n):
                told = {"requestId": "b7c1", "message": "", "sys": {"type": "Error", "id": "VersionMismatch"}}
                return Res(409, told, {"Content-Type": "application/vnd.contentful.management.v1+json"})
            app.keep(key, app.rows[key].data if publish else req.json["fields"])
        place.rest(0.3)
        return Res(200, shown(key), {"Content-Type": "application/vnd.contentful.management.v1+json"})

    app.page("/users/me", {"sys": {"type": "User", "id": "u77"}, "firstName": "Inês"})
    return app


@case(
    "d943",
    "ona-trail-guide-saves-and-publishes",
    "self-race",
    "409",
    alone="self-race",
    synthetic=True,
    description=(
        "A trail guide's editor on content in the manner of Contentful sends its autosave and, while that is under way, "
        "the publication with the same X-Contentful-Version: the first is stored, the second is 409 VersionMismatch; "
        "both are of one session. It happens to two entries; a third, published after the save's answer, passes."
    ),
)
def trails(stage: Stage) -> None:
    """Be in one's own way."""
    server = place.open_box(stage, _content(), "cheroot", "Contentful")
    always = {"Authorization": "Bearer CFPAT-example", "X-Contentful-User-Agent": "app trilhos-editor/2.2; platform node.js/v20"}
    me = stage.actor("client", server, "cma.trilhos.test", "httpx", always)
    me.get("/users/me")
    kind = {"Content-Type": "application/vnd.contentful.management.v1+json"}
    for entry in ("e1", "e3", "e2"):
        seen = me.get(f"{_SPACE}/{entry}").json
        guard = {**kind, "X-Contentful-Version": str(seen["sys"]["version"])}
        body = {"fields": {**seen["fields"], "km": {"pt": 9.4}}}
        if entry == "e2":
            saved = me.put(f"{_SPACE}/{entry}", body, 200, guard).json
            me.put(f"{_SPACE}/{entry}/published", "", 200, {**kind, "X-Contentful-Version": str(saved["sys"]["version"])})
            continue
        got = place.at_once(
            partial(me.put, f"{_SPACE}/{entry}", body, 200, guard),
            partial(me.put, f"{_SPACE}/{entry}/published", "", 409, guard),
            apart=0.08,
        )
        place.sure([one.status for one in got] == [200, 409])
        place.rest(0.6)
        me.get(f"{_SPACE}/{entry}")


@case(
    "d944",
    "ona-pipelines-from-a-state-file",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    synthetic=True,
    description=(
        "A provisioning tool changes pipelines of a build server in the manner of GoCD in two steps each; the answer to "
        "its first PUT shows the new tag, but the second goes out with the one from its state file, of the read "
        "before: 412, with both pipelines that it changes. It is alone on the server."
    ),
)
def pipelines(stage: Stage) -> None:
    """Keep the tag of the read."""
    app = App({"Server": "Jetty(9.4.48.v20220622)", "Cache-Control": "max-age=0, private, must-revalidate"})
    media = {"Content-Type": "application/vnd.go.cd.v11+json; charset=utf-8"}
    app.seed({n: {"name": n, "label_template": "${COUNT}", "lock_behavior": "none", "timer": None} for n in ("firmware", "docs", "sim")})

    def tagged(row: Row) -> dict[str, str]:
        return {"ETag": f'"{row.hash("sha256")}"', **media}

    @app.on("GET", "/go/api/admin/pipelines/([a-z]+)")
    def read(_req: Req, key: str) -> Res:
        row = app.rows.get(key)
        return Res(200, row.data, tagged(row)) if row else Res(404, {"message": "Pipeline not found"}, media)

    @app.on("PUT", "/go/api/admin/pipelines/([a-z]+)")
    def write(req: Req, key: str) -> Res:
        if req.fields.get("if-match") != tagged(app.rows[key])["ETag"]:
            said = f"Someone has modified the configuration for pipeline '{key}'. Please update your copy of the config with the changes and try again."
            return Res(412, {"message": said}, media)
        row = app.keep(key, req.json)
        return Res(200, row.data, tagged(row))

    app.page("/go/api/version", {"version": "23.5.0", "build_number": "18179"})
    server = place.open_box(stage, app, "waitress", "GoCD")
    agent = {"Accept": "application/vnd.go.cd.v11+json", "User-Agent": "terraform-provider-gocd/0.9", "Authorization": "bearer 3f2a"}
    me = stage.actor("client", server, "go.satlab.test", "aiohttp", agent)
    me.get("/go/api/version")
    me.get("/go/api/admin/pipelines/legacy", 404)
    for name in ("firmware", "sim"):
        read_it = me.get(f"/go/api/admin/pipelines/{name}")
        state = {"If-Match": read_it.etag}
        body = {**read_it.json, "label_template": "1.4.${COUNT}"}
        saved = me.put(f"/go/api/admin/pipelines/{name}", body, 200, state)
        place.sure(saved.etag != read_it.etag)
        place.rest(0.4)
        me.put(f"/go/api/admin/pipelines/{name}", {**body, "lock_behavior": "lockOnFailure"}, 412, state)
        place.rest(0.5)
        place.sure(me.get(f"/go/api/admin/pipelines/{name}").json["lock_behavior"] == "none")
    me.get("/go/api/admin/pipelines/docs")
