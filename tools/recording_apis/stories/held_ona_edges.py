"""Stories behind real front servers, balancers and caches."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ona_core import App, Req, Res, Row
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ona_setting as place

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording_apis.stage import Stage


def _texts(app: App, root: str, tag: Callable[[Row], str], need: int = 0, media: str = "text/plain") -> None:
    """Let texts below a root be read and written under conditions."""

    @app.on("GET HEAD", f"{root}/(.+)")
    def read(req: Req, key: str) -> Res:
        row = app.rows.get(key)
        if row is None:
            return Res(404, app.lost)
        if req.fields.get("if-none-match") == tag(row):
            return Res(304, b"", {"ETag": tag(row)})
        return Res(200, row.data, {"ETag": tag(row), "Content-Type": media})

    @app.on("PUT", f"{root}/(.+)")
    def write(req: Req, key: str) -> Res:
        sent = req.fields.get("if-match")
        with app.lock:
            row = app.rows.get(key)
            if sent is None and row is not None and need:
                return Res(need, {"error": "precondition_required", "hint": "send If-Match"})
            if sent is not None and (row is None or sent != tag(row)):
                return Res(412, {"error": "precondition_failed", "object": key})
            data = req.json if media == "application/json" else req.body.decode()
            made = app.keep(key, data, req.fields.get("x-staff", ""))
        return Res(204 if row else 201, b"", {"ETag": tag(made)})


@case(
    "d928",
    "ona-choir-scores-through-a-compressor",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "A choir's song texts on Apache's WebDAV behind an nginx that compresses: reads come gzipped with a weak tag, "
        "which Apache's If-Match refuses; a HEAD without compression shows the same tag strong, and the plain "
        "mailing list, too short to be compressed, is saved at once."
    ),
)
def scores(stage: Stage) -> None:
    """Bring back the compressed copy's tag."""
    files = {
        f"sanger/{n}.txt": f"{n}\n" + "Du gamla, du fria, du fjallhoga nord\n" * 4 for n in ("vals", "psalm")
    }
    files["epost.txt"] = "anna@kor.example\n"
    origin = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    front = fronts.nginx_gzip(stage, origin)
    me = stage.actor("client", front, "noter.kammarkor.example", "aiohttp", {"Accept-Language": "sv"})
    kind = {"Content-Type": "text/plain; charset=utf-8"}
    mail = me.get("/epost.txt")
    me.put("/epost.txt", mail.text + "bo@kor.example\n", 204, {**kind, "If-Match": mail.etag})
    for song in ("vals", "psalm"):
        path = f"/sanger/{song}.txt"
        seen = me.get(path)
        place.rest(0.5)
        me.get(path, 304, {"If-None-Match": seen.etag})
        new = seen.text + "(da capo)\n"
        me.put(path, new, 412, {**kind, "If-Match": seen.etag})
        if song == "vals":
            again = me.get(path)
            me.put(path, new, 412, {**kind, "If-Match": again.etag})
        plain = me.send("HEAD", path, 200, {"Accept-Encoding": "identity"})
        place.sure(seen.etag == "W/" + plain.etag, (seen.etag, plain.etag))
    place.find(me, "/sanger/")


@case(
    "d937",
    "ona-timetables-read-from-disk",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "nginx hands timetables out from the disk with tags of its own making, writes go to an application that "
        "compares MD5s: whoever saves with the tag of a read is refused, though nobody else writes; the answer to a "
        "save shows the other form, and with it the next save passes."
    ),
)
def timetables(stage: Stage) -> None:
    """Read from one maker of tags and write to another."""
    folder = stage.directory()
    folder.chmod(0o755)
    app = App(lost={"chyba": "nenalezeno"})
    app.seed({f"linky/{n}.csv": f"zast;odj\nHrad;06:{n}\nTrh;06:{n + 4}\n" for n in (11, 14, 20)})
    for key, row in app.rows.items():
        fronts.put_file(folder, f"jr/{key}", row.data, time.time() - row.at)
    _texts(app, "/jr", lambda row: f'"{hashlib.md5(row.octets, usedforsecurity=False).hexdigest()}"')
    app.page("/api/ja", {"uzivatel": "dispecer2", "role": ["jr:zapis"]})
    written: Any = app.rules[2][2]

    def both(req: Req, key: str) -> Res:
        res: Res = written(req, key)
        if res.status < 300:
            fronts.put_file(folder, f"jr/{key}", app.rows[key].data)
        return res

    app.rules[2] = (*app.rules[2][:2], both)
    server = place.open_box(stage, app, "tornado")
    block = (
        f"location /jr/ {{ root {folder};\nif ($request_method !~ ^(GET|HEAD)$) "
        f"{{ proxy_pass http://127.0.0.1:{stage.behind(server)}; }} }}"
    )
    front = fronts.nginx(stage, server, block=block)
    stage.config[:] = ["location /jr/: GET and HEAD from the disk, the rest to the application"]
    me = stage.actor("client", front, "jr.dopravce-sever.example", "httpx", {"X-Staff": "dispecer2"})
    me.get("/api/ja")
    kind = {"Content-Type": "text/csv"}
    place.roam(me, ["/jr/linky/20.csv"], 5, 3)
    for line in (11, 14):
        path = f"/jr/linky/{line}.csv"
        seen = me.get(path)
        for _ in range(2):
            me.put(path, seen.text + "Nadr;06:55\n", 412, {**kind, "If-Match": seen.etag})
            place.rest(0.5)
            seen = me.send("GET", path, 200, {"Cache-Control": "no-cache"})
    made = me.put("/jr/linky/31.csv", "zast;odj\nLes;07:10\n", 201, kind)
    again = me.put("/jr/linky/31.csv", "zast;odj\nLes;07:12\n", 204, {**kind, "If-Match": made.etag})
    shown = me.get("/jr/linky/31.csv")
    place.sure(shown.etag != again.etag)
    me.put("/jr/linky/31.csv", "zast;odj\nLes;07:15\n", 412, {**kind, "If-Match": shown.etag})


@case(
    "d938",
    "ona-pharmacy-shelf-follows-late",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "HAProxy sends a hospital pharmacy's reads to a follower that is a second behind: after its own save the client "
        "reads the tag and count from before it, saves with that and is refused; a little later the same read "
        "shows its own save. There are no caches."
    ),
)
def pharmacy(stage: Stage) -> None:
    """Read behind one's own write."""
    app = App({"Cache-Control": "no-store"})
    app.seed({f"S{n}": {"pzn": f"0{n}4711", "menge": 40 + n, "fach": "A"} for n in (3, 5, 8)}, 70)
    _texts(app, "/lager/v2", lambda row: f'"{row.n:x}-{row.hash("sha1", 6)}"', 428, "application/json")
    app.page("/lager/ich", {"konto": "apo-tresen", "rechte": ["buchen"]})
    past: list[tuple[float, str, Row]] = []
    keep = app.keep

    def kept(key: str, data: Any, by: str = "") -> Row:
        past.append((time.time(), key, app.rows[key]))
        return keep(key, data, by)

    app.keep = kept  # type: ignore[method-assign]
    late = App({"Cache-Control": "no-store"})
    late.rules = app.rules[2:]
    plain = app.rules[0][2]

    @late.on("GET HEAD", "/lager/v2/(.+)")
    def behind(req: Req, key: str) -> Res:
        old = next((row for at, name, row in past if name == key and at > time.time() - 1.2), None)
        with app.lock:
            now = app.rows.get(key)
            if old is not None:
                app.rows[key] = old
            res = plain(req, key)
            if old is not None and now is not None:
                app.rows[key] = now
        return res

    writes = place.open_box(stage, app, "waitress", said="the follower is 1.2 s behind")
    reads = place.open_box(stage, late, "waitress")
    front = fronts.split(stage, writes, reads)
    me = stage.actor("client", front, "lager.klinik-ost.example", "requests", {"X-Staff": "apo-tresen"})
    me.get("/lager/ich")
    for shelf in ("S5", "S3"):
        path = f"/lager/v2/{shelf}"
        seen = me.get(path)
        saved = me.put(path, {**seen.json, "menge": seen.json["menge"] - 6}, 204, {"If-Match": seen.etag})
        place.rest(0.2)
        stale = me.get(path)
        place.sure(stale.etag == seen.etag and stale.etag != saved.etag)
        me.put(path, {**stale.json, "fach": "B"}, 412, {"If-Match": stale.etag})
        me.get("/lager/v2/S8")
        me.get(path)
        place.rest(1.3)
        place.sure(me.get(path).etag == saved.etag)


@case(
    "d947",
    "ona-tile-packs-from-two-racks",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two Caddy nodes behind HAProxy hold the same map packs, copied at different moments, and so with different tags "
        "and dates: polls with the last tag are sent in full every other time, parts asked for with If-Match are 412 "
        "in turns, while the octets are the same."
    ),
)
def packs(stage: Stage) -> None:
    """Meet one node, then the other."""
    files = {f"packs/{n}.pmt": f"tile-{n};" * 120 for n in ("fjord", "vidde", "by")}
    files["packs/catalog.json"] = '{"packs":["fjord","vidde","by"],"edition":"2026-44"}'
    nodes = [
        fronts.site(stage, "caddy", files, f"header X-Rack {rack}", age)
        for rack, age in (("r4", 86400.0), ("r9", 86327.0))
    ]
    front = fronts.haproxy(stage, nodes)
    me = stage.actor(
        "client", front, "packs.turkart.example", "node:fetch", {"User-Agent": "turkart/6.2 (Android 15)"}
    )
    first = me.get("/packs/catalog.json")
    for _ in range(4):
        place.rest(0.25)
        me.send("GET", "/packs/catalog.json", (200, 304), {"If-None-Match": first.etag})
    for name in ("fjord", "vidde"):
        head = me.send("GET", f"/packs/{name}.pmt", 206, {"Range": "bytes=0-299"})
        got = []
        for start in (300, 300, 600, 600):
            fields = {"Range": f"bytes={start}-{start + 299}", "If-Match": head.etag}
            got.append(me.send("GET", f"/packs/{name}.pmt", (206, 412), fields).status)
            place.rest(0.12)
        place.sure(got.count(412) == 2, got)
        place.sure(me.get(f"/packs/{name}.pmt").body == me.get(f"/packs/{name}.pmt").body)


@case(
    "d953",
    "ona-lab-settings-with-rewritten-links",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    description=(
        "A laboratory's device settings demand If-Match; nginx rewrites links in the JSON and thereby takes ETag off the "
        "answers to reads. What the client has just created itself it can save again, with the tag of its own PUT's "
        "answer; what it reads has none, and its save is 428."
    ),
)
def settings(stage: Stage) -> None:
    """Never get to see the tag."""
    app = App({"X-Service": "labconf/3"})
    app.seed(
        {
            f"{n}": {"device": n, "gain": 4, "self": f"http://labconf:8080/conf/{n}"}
            for n in ("ph1", "ph2", "od3")
        },
        12,
    )
    _texts(app, "/conf", lambda row: f'"{row.hash("sha256", 16)}"', 428, "application/json")
    app.page("/conf-index", {"devices": ["ph1", "ph2", "od3"], "base": "http://labconf:8080"})
    server = place.open_box(stage, app, "flask")
    lines = "sub_filter 'http://labconf:8080' 'https://conf.bioproc.example'; sub_filter_once off; "
    front = fronts.nginx(stage, server, lines + "sub_filter_types application/json;")
    me = stage.actor("client", front, "conf.bioproc.example", "urllib", {"X-Staff": "m.okafor"})
    me.get("/conf-index")
    new = {"device": "od7", "gain": 2, "self": ""}
    made = me.put("/conf/od7", new, 201)
    me.put("/conf/od7", {**new, "gain": 3}, 204, {"If-Match": made.etag})
    for device in ("ph1", "od3"):
        seen = me.get(f"/conf/{device}")
        place.sure("etag" not in seen.fields)
        me.put(f"/conf/{device}", {**seen.json, "gain": 6}, 428)
        place.rest(0.5)
    me.send("HEAD", "/conf/ph1", 200)
    place.sure(me.get("/conf/ph1").json["gain"] == 4)
    me.get("/conf-index")


@case(
    "d957",
    "ona-exhibit-labels-over-the-public-name",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped",
    description=(
        "A museum's label service answers under two names at one nginx; for the public one a rule clears If-Match. An "
        "outdated tag is refused with 412 under the inner name and accepted under the public one, and the "
        "translation that a colleague had entered in between is gone when the labels are exported."
    ),
)
def labels(stage: Stage) -> None:
    """Lose the condition under one of two names."""
    app = App({"Vary": "Accept"})
    app.seed({f"vitrine-{n}": {"de": f"Kanne {n}", "fr": "", "maß": "21 cm"} for n in (2, 6, 7)}, 5)
    _texts(app, "/etiketten", lambda row: f'"v{row.n}.{row.hash("md5", 8)}"', 0, "application/json")

    @app.on("GET", "/export")
    def export(_req: Req) -> Res:
        rows = [
            f"{key};{row.n};{row.data['de']};{row.data['fr']};{row.by}"
            for key, row in sorted(app.rows.items())
        ]
        return Res(
            200,
            "\n".join(["vitrine;fassung;de;fr;zuletzt", *rows]),
            {"Content-Type": "text/csv; charset=utf-8"},
        )

    server = place.open_box(stage, app, "falcon")
    lines = 'set $cond $http_if_match; if ($http_host = "etiketten.museum-am-see.example") { set $cond ""; } '
    front = fronts.nginx(stage, server, lines + "proxy_set_header If-Match $cond;")
    agent = {"X-Staff": "t.brandt", "User-Agent": "etikett/1.4"}
    me = stage.actor("client", front, "etiketten.museum-am-see.example", "httpx", agent)
    inner = replace(me, host="etiketten.haus.museum-am-see.example")
    other = stage.actor(
        "other", front, "etiketten.haus.museum-am-see.example", "requests", {"X-Staff": "c.meunier"}
    )
    me.get("/export")
    for number, way in ((2, me), (6, inner)):
        path = f"/etiketten/vitrine-{number}"
        mine, theirs = way.get(path), other.get(path)
        other.put(path, {**theirs.json, "fr": f"Cruche {number}"}, 204, {"If-Match": theirs.etag})
        place.rest(0.7)
        me.get("/etiketten/vitrine-7")
        place.sure(f"Cruche {number}" in me.get("/export").text)
        body = {**mine.json, "de": f"Deckelkanne {number}"}
        way.put(path, body, 204 if number == 2 else 412, {"If-Match": mine.etag})
    seen = inner.get("/etiketten/vitrine-7")
    first = {**seen.json, "de": "Teller"}
    inner.put("/etiketten/vitrine-7", first, 204, {"If-Match": seen.etag})
    inner.put("/etiketten/vitrine-7", {**first, "maß": "30 cm"}, 412, {"If-Match": seen.etag})
    me.put("/etiketten/vitrine-7", {**first, "maß": "30 cm"}, 204, {"If-Match": seen.etag})
    me.get("/export")
