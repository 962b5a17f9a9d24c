"""Stories on a real file server and in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.pim_core import App, Req, Res, Row
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_pim_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_SHELL = (
    "<!doctype html><html lang=pt><head><title>Painel</title></head><body><main id=app></main></body></html>"
)


@case(
    "d960",
    "pim-subtitles-saved-too-soon",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "Apache's WebDAV marks the tag of a file weak within a second of its change: an editor of subtitles that saves, "
        "reads the tag and saves again at once is 412; a second later the same tag is strong, and the save passes."
    ),
)
def subtitles(stage: Stage) -> None:
    """Save again within the second."""
    text = "1\n00:00:01,000 --> 00:00:03,000\nDobrý večer.\n"
    files = {f"serie/{n}/cs.txt": text * n for n in (1, 2, 3)} | {"serie/styl.css": "i{color:#ff0}"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "titulky.studio.test", "httpx", {"User-Agent": "Titulkovac/3.2"})
    plain = {"Content-Type": "text/plain"}
    me.send("PROPFIND", "/serie/", 207, {"Depth": "1"})
    style = me.get("/serie/styl.css")
    for part in (2, 3):
        path = f"/serie/{part}/cs.txt"
        tag, body = me.get(path).etag, text * part
        for line in ("Dobré ráno.", "Na shledanou."):
            body += f"{line}\n"
            me.put(path, body, 204, {**plain, "If-Match": tag})
            weak = me.get(path).etag
            place.sure(weak.startswith("W/"), weak)
            me.put(path, f"{body}…\n", 412, {**plain, "If-Match": weak})
            me.get("/serie/styl.css", 304, {"If-None-Match": style.etag})
            place.rest(2.1)
            tag = me.get(path).etag
            place.sure(f"W/{tag}" == weak, (tag, weak))
        me.put(path, f"{body}…\n", 204, {**plain, "If-Match": tag})


def _cors(app: App, exposed: str = "") -> App:
    """Let another origin in."""
    origin = "http://painel.frota.example"
    app.fields |= {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    app.fields["Access-Control-Allow-Credentials"] = "true"
    if exposed:
        app.fields["Access-Control-Expose-Headers"] = exposed

    @app.on("OPTIONS", ".*")
    def preflight(_req: Req) -> Res:
        allowed = {"Access-Control-Allow-Methods": "GET, PATCH, PUT, POST"}
        allowed |= {"Access-Control-Allow-Headers": "content-type, if-match", "Access-Control-Max-Age": "5"}
        return Res(204, b"", allowed)

    return app


def _browser(stage: Stage, app: App, kind: str, *, keeps: bool) -> place.Chrome:
    shell = App().page("/", _SHELL, "text/html; charset=utf-8").page("/favicon.ico", "", "image/x-icon")
    pages = place.opened(stage, shell, "waitress", "pages")
    server = place.opened(stage, app, kind)
    ports = {"painel.frota.example": pages.port, "api.frota.example": stage.tap("client", server)}
    return place.Chrome(stage, ports, "http://painel.frota.example/", keeps=keeps)


@case(
    "d993",
    "pim-page-cannot-see-the-tag",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag",
    also="token-missing",
    description=(
        "The API of a fleet allows another origin's page to send If-Match but does not expose ETag: the page's script "
        "reads null, sends its PATCH without a condition and is told 428, on two vehicles, though each answer has a tag."
    ),
)
def fleet(stage: Stage) -> None:
    """Read null where a tag is."""
    app = (
        App()
        .page("/api/depositos", ["Faro", "Beja"])
        .page("/api/perfil", {"nome": "Rita"})
        .sink("/api/registo")
    )
    app.seed("v", {n: {"matricula": n, "km": 1000, "estado": "ok"} for n in ("AA-11", "BB-22", "CC-33")}, v=5)
    _cors(app)

    def judge(req: Req, row: Row) -> Res | None:
        sent = req.fields.get("if-match")
        if sent is None:
            return Res(428, {"erro": "Falta a condição", "veiculo": row.id})
        return None if sent == f'"{row.sha()}"' else Res(412, {"erro": "Versão antiga"})

    app.rest("/api/veiculos", "v", tag=lambda row: f'"{row.sha()}"', judge=judge)
    browser, api = _browser(stage, app, "fastapi", keeps=False), "http://api.frota.example/api"
    try:
        browser.call(200, "GET", f"{api}/perfil")
        browser.call(200, "GET", f"{api}/veiculos")
        for key in ("AA-11", "CC-33", "CC-33"):
            tag, _ = browser.call(200, "GET", f"{api}/veiculos/{key}")
            place.sure(tag is None, tag)
            body = {"estado": "oficina"}
            browser.call(428, "PATCH", f"{api}/veiculos/{key}", {"Content-Type": "application/json"}, body)
            browser.call(
                204,
                "POST",
                f"{api}/registo",
                {"Content-Type": "application/json"},
                {"falhou": key, "tag": tag},
            )
            browser.call(200, "GET", f"{api}/depositos")
    finally:
        browser.close()
