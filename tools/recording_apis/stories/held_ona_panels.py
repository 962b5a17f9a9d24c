"""Stories on panels from which people run balancers, benches, content and builds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ona_core import App, Req, Res, Row, stamp
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ona_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _balancer() -> App:
    app = App({"Configuration-Version": "12"})
    app.seed(
        {
            f"backends/{n}": {"name": n, "mode": "http", "balance": {"algorithm": "roundrobin"}}
            for n in ("shop", "blog", "mail")
        }
    )
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
                return stated(
                    Res(409, {"code": 409, "message": f"version mismatch: expected {level[0]}, got {sent}"})
                )
            level[0] += 1
            return stated(
                Res(202, app.keep(key, req.json).data, {"Reload-ID": f"2026-11-28-{level[0] - 200}"})
            )

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
    me = stage.actor(
        "client", server, host, "requests", {"Authorization": "Basic b3BzOm9wcw==", "User-Agent": "lbctl/1.7"}
    )
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
        "the terminal's two panes send at once are both 204, and the first one's line is missing afterwards; the first "
        "pane's next save, with the tag that its own was answered with, is refused with 412."
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
    me = stage.actor(
        "client", server, "rota.offene-werkstatt.example", "httpx", {"User-Agent": "terminal-4/1.0"}
    )
    me.get("/rota/")
    kind = {"Content-Type": "text/csv"}
    for week in (48, 49):
        seen = me.get(f"/rota/kw{week}.csv")
        guard = {**kind, "If-Match": seen.etag}
        texts = [
            seen.text.replace(f"{bench};", f"{bench};{who}", 1)
            for bench, who in (("lathe", "Uli"), ("mill", "Mo"))
        ]
        got = place.at_once(
            *(partial(me.put, f"/rota/kw{week}.csv", text, 204, guard) for text in texts), apart=0.09
        )
        place.rest(0.5)
        more = texts[0].replace(f"press;{week}", "press;Uli")
        me.put(f"/rota/kw{week}.csv", more, 412, {**kind, "If-Match": got[0].etag})
        now = me.get(f"/rota/kw{week}.csv")
        place.sure("Uli" not in now.text and "Mo" in now.text)
    me.get("/rota/kw50.csv")
    me.get("/rota/", 304, {"If-None-Match": '"toc1"'})


_SPACE = "/spaces/k9pw1/environments/master/entries"


def _content() -> App:
    app = App(
        {"Server": "Contentful", "X-Contentful-Region": "eu-west-1", "X-Contentful-RateLimit-Reset": "0"}
    )
    app.seed({f"e{n}": {"title": {"pt": f"Trilho {n}"}, "km": {"pt": 7 + n}} for n in (1, 2, 3)}, 14)

    def shown(key: str) -> dict[str, Any]:
        row = app.rows[key]
        return {
            "sys": {"type": "Entry", "id": key, "version": row.n, "updatedAt": stamp(row.at)},
            "fields": row.data,
        }

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
    always = {
        "Authorization": "Bearer CFPAT-example",
        "X-Contentful-User-Agent": "app trilhos-editor/2.2; platform node.js/v20",
    }
    me = stage.actor("client", server, "cma.trilhos.test", "httpx", always)
    me.get("/users/me")
    kind = {"Content-Type": "application/vnd.contentful.management.v1+json"}
    for entry in ("e1", "e3", "e2"):
        seen = me.get(f"{_SPACE}/{entry}").json
        guard = {**kind, "X-Contentful-Version": str(seen["sys"]["version"])}
        body = {"fields": {**seen["fields"], "km": {"pt": 9.4}}}
        if entry == "e2":
            saved = me.put(f"{_SPACE}/{entry}", body, 200, guard).json
            me.put(
                f"{_SPACE}/{entry}/published",
                "",
                200,
                {**kind, "X-Contentful-Version": str(saved["sys"]["version"])},
            )
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
    app.seed(
        {
            n: {"name": n, "label_template": "${COUNT}", "lock_behavior": "none", "timer": None}
            for n in ("firmware", "docs", "sim")
        }
    )

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
    server = place.open_box(stage, app, "cheroot", "GoCD")
    agent = {
        "Accept": "application/vnd.go.cd.v11+json",
        "User-Agent": "terraform-provider-gocd/0.9",
        "Authorization": "bearer 3f2a",
    }
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
