"""Stories in which nothing goes wrong, though some of it looks like that."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.ona_core import App, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ona_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d934",
    "ona-measurement-archive-by-the-day",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two loggers archive to one bucket of moto's S3, each under keys of its own: they ask for what is not there yet "
        "(404), store without conditions, copy under the tag of the source, and poll a shared calibration that one "
        "of them replaces once; everything is there in the end."
    ),
)
def archive(stage: Stage) -> None:
    """Keep to one's own keys."""
    server = stage.server("moto")
    host = "s3.messnetz.test"
    me = place.Bucket(stage, "client", server, host, "logger-a/4 Boto3/1.35")
    other = place.Bucket(stage, "other", server, host, "logger-b/4 Boto3/1.35")
    where = {"Bucket": "messnetz"}
    me.call("create_bucket", **where, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    me.call("put_object", **where, Key="kal/faktor.json", Body='{"k":1.02}')
    stage.forget()
    factor = me.call("get_object", **where, Key="kal/faktor.json")
    for hour in (6, 7):
        for who, name in ((me, "a"), (other, "b")):
            key = f"{name}/2026-11-28/{hour:02}.csv"
            who.call("head_object", "404", **where, Key=key)
            who.call("put_object", **where, Key=key, Body=f"t;v\n{hour}:00;{hour * 3}\n")
        me.call("get_object", "304", **where, Key="kal/faktor.json", IfNoneMatch=factor["ETag"])
        place.rest(0.4)
    other.call("put_object", **where, Key="kal/faktor.json", Body='{"k":1.04}')
    new = me.call("get_object", **where, Key="kal/faktor.json", IfNoneMatch=factor["ETag"])
    place.sure("1.04" in new["Text"])
    last = me.call("head_object", **where, Key="a/2026-11-28/07.csv")
    source = {**where, "Key": "a/2026-11-28/07.csv"}
    me.call("copy_object", **where, Key="a/latest.csv", CopySource=source, CopySourceIfMatch=last["ETag"])
    place.sure(len(me.call("list_objects_v2", **where)["Contents"]) == 6)


@case(
    "d935",
    "ona-parish-notices-through-a-compressor",
    "none",
    "healthy",
    alone="none",
    description=(
        "Notices on Apache's WebDAV behind an nginx that compresses: the editor polls the compressed text with its weak "
        "tag and gets 304, but for its saves it reads without compression and sends the strong tag; two editors "
        "take turns, each having read what the other saved."
    ),
)
def notices(stage: Stage) -> None:
    """Read plainly before one writes."""
    files = {
        f"vijesti/{n}.txt": f"{n}\n" + "Nedjelja u 9 i 11 sati. " * 5 for n in ("oglas", "raspored", "zbor")
    }
    origin = fronts.site(stage, "apache2", files, fronts.DAV["apache2"], 50000.0)
    front = fronts.nginx_gzip(stage, origin)
    host = "vijesti.zupa-sv-roka.example"
    me = stage.actor("client", front, host, "aiohttp", {"User-Agent": "urednik/1.2"})
    other = stage.actor(
        "other", front, host, "requests", {"User-Agent": "urednik/1.2", "Accept-Encoding": "identity"}
    )
    plain = {"Accept-Encoding": "identity"}
    kind = {"Content-Type": "text/plain; charset=utf-8"}
    for name in ("oglas", "raspored"):
        path = f"/vijesti/{name}.txt"
        polled = me.get(path)
        place.sure(polled.etag.startswith("W/"))
        me.get(path, 304, {"If-None-Match": polled.etag})
        base = me.send("GET", path, 200, plain)
        me.put(path, base.text + f"\nMisa zadusnica u {name}.", 204, {**kind, "If-Match": base.etag})
        place.rest(2.1)
        theirs = other.get(path)
        other.put(path, theirs.text + "\nProba zbora u petak.", 204, {**kind, "If-Match": theirs.etag})
        place.rest(2.1)
        me.get(path, 200, {"If-None-Match": polled.etag})
        base = me.send("GET", path, 200, plain)
        place.sure("Proba" in base.text and "zadusnica" in base.text)
    me.put(path, base.text + "\nKava poslije mise.", 204, {**kind, "If-Match": base.etag})
    place.find(me, "/vijesti/")


def _uploads() -> App:
    app = App({"Tus-Resumable": "1.0.0", "Cache-Control": "no-store"}, "not found")
    held: dict[str, bytearray] = {}

    @app.on("POST", "/files/")
    def create(req: Req) -> Res:
        key = hashlib.md5(req.fields["upload-metadata"].encode(), usedforsecurity=False).hexdigest()[:12]
        held[key] = bytearray()
        app.keep(key, req.fields["upload-length"])
        return Res(201, b"", {"Location": f"/files/{key}"})

    @app.on("HEAD", "/files/([0-9a-f]+)")
    def look(_req: Req, key: str) -> Res:
        if key not in held:
            return Res(404)
        return Res(200, b"", {"Upload-Offset": str(len(held[key])), "Upload-Length": app.rows[key].data})

    @app.on("PATCH", "/files/([0-9a-f]+)")
    def more(req: Req, key: str) -> Res:
        if int(req.fields["upload-offset"]) != len(held[key]):
            return Res(409, "offset mismatch")
        held[key] += req.body
        return Res(204, b"", {"Upload-Offset": str(len(held[key]))})

    app.page("/gallery.json", {"photos": 311, "albums": ["Kås", "Løkken"]}, 'W/"g-311"')
    return app


@case(
    "d939",
    "ona-photo-upload-in-pieces",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A photo club's uploader sends in pieces in the manner of tus: an address from an earlier day is 404 and is begun "
        "anew, each piece names its offset, after a pause it asks where it stands and goes on from there; no piece is "
        "refused."
    ),
)
def photos(stage: Stage) -> None:
    """Go on where one stood."""
    server = place.open_box(stage, _uploads(), "cheroot", "tusd")
    me = stage.actor("client", server, "foto.klubben.example", "node:axios", {"Tus-Resumable": "1.0.0"})
    seen = me.get("/gallery.json")
    me.get("/gallery.json", 304, {"If-None-Match": seen.etag})
    me.send("HEAD", "/files/00ff31aa02bc", 404)
    for name, pieces in (
        ("bWFhZ2UuanBn", (b"\xff\xd8" + b"a" * 300, b"b" * 300, b"c" * 120)),
        ("a2F5LmpwZw==", (b"d" * 250,)),
    ):
        size = sum(len(one) for one in pieces)
        fields = {"Upload-Length": str(size), "Upload-Metadata": f"filename {name}"}
        where = me.send("POST", "/files/", 201, fields).fields["location"]
        at = 0
        for number, piece in enumerate(pieces):
            if number == 2:
                place.rest(0.8)
                at = int(me.send("HEAD", where, 200).fields["upload-offset"])
            own = {"Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream"}
            at = int(me.send("PATCH", where, 204, own, piece).fields["upload-offset"])
        place.sure(at == size)
    me.get("/gallery.json", 304, {"If-None-Match": seen.etag})


@case(
    "d952",
    "ona-route-maps-from-a-near-copy",
    "stale-cache-read",
    "wrong-304",
    alone="stale-cache-read",
    description=(
        "A bus company's maps on Caddy behind an nginx that stores them for three seconds: a screen polls, is answered "
        "from the store (304 and 200), misses the new edition for as long as the store lasts and then has it. The screen "
        "only reads."
    ),
    notes=(
        (
            "Its author held it healthy, for the copy lay within the lifetime that the origin grants (RFC 9111 section "
            "4.2); labelled as c057 of the lab, where a poller misses a change for as long as a copy lasts."
        ),
    ),
)
def maps(stage: Stage) -> None:
    """See the new edition a little late."""
    files = {f"kart/{n}.svg": f"<svg><text>Linje {n}</text></svg>" for n in (2, 5, 19)}
    files["utgave.json"] = '{"utgave":"2026-11A"}'
    origin = fronts.site(stage, "caddy", files, "header Cache-Control max-age=3")
    front = fronts.nginx_cache(
        stage, origin, 3, "add_header X-Store $upstream_cache_status; proxy_ignore_headers Vary;"
    )
    me = stage.actor("client", front, "skjerm.bybuss.example", "urllib", {"User-Agent": "skjerm-holder-31/8"})
    first = me.get("/utgave.json")
    place.roam(me, ["/kart/2.svg", "/kart/5.svg"], 21, 5)
    fronts.put_file(origin.directory, "utgave.json", '{"utgave":"2026-11B"}')
    seen = []
    for _ in range(6):
        got = me.send("GET", "/utgave.json", (200, 304), {"If-None-Match": first.etag})
        seen.append(got.status)
        time.sleep(0.8)
    place.sure(seen[0] == 304 and seen[-1] == 200, seen)
    me.get("/kart/19.svg")
    me.get("/kart/20.svg", 404)


@case(
    "d955",
    "ona-translations-taken-in-turns",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two translators share records of Kinto; the client polls with If-None-Match, finds a record changed, takes the "
        "newer one as the base of its own edit and saves with its tag; new records are made with If-None-Match: * under "
        "names that are free. Both translators' texts are there at the end."
    ),
)
def translations(stage: Stage) -> None:
    """Build on what the other has done."""
    server = stage.server("kinto")
    host = "l10n.atlas-project.example"
    me = stage.actor(
        "client",
        server,
        host,
        "httpx",
        {"Authorization": "Basic bmVhOm5lYS1wdw==", "User-Agent": "l10n-desk/2"},
    )
    other = stage.actor(
        "other",
        server,
        host,
        "node:fetch",
        {"Authorization": "Basic aWFuOmlhbi1wdw==", "User-Agent": "l10n-web/7"},
    )
    for who, name in ((me, "nea"), (other, "ian")):
        who.put(f"/v1/accounts/{name}", {"data": {"password": f"{name}-pw"}}, 201)
    me.put("/v1/buckets/atlas", {"permissions": {"write": ["system.Authenticated"]}}, 201)
    me.put("/v1/buckets/atlas/collections/ui", {}, 201)
    records = "/v1/buckets/atlas/collections/ui/records"
    for key in ("zoom", "layers", "legend"):
        me.put(f"{records}/{key}", {"data": {"en": key, "fi": "", "gd": ""}}, 201)
    stage.forget()
    me.get("/v1/")
    for key, fi, gd in (("zoom", "lähennä", "sùm"), ("legend", "selite", "iuchair")):
        held = me.get(f"{records}/{key}")
        me.get(f"{records}/{key}", 304, {"If-None-Match": held.etag})
        theirs = other.get(f"{records}/{key}")
        body = {"data": {**theirs.json["data"], "gd": gd}}
        other.put(f"{records}/{key}", body, 200, {"If-Match": theirs.etag})
        place.rest(0.5)
        now = me.get(f"{records}/{key}", 200, {"If-None-Match": held.etag})
        place.sure(now.json["data"]["gd"] == gd)
        me.put(f"{records}/{key}", {"data": {**now.json["data"], "fi": fi}}, 200, {"If-Match": now.etag})
    me.get(f"{records}/scale", 404)
    me.put(
        f"{records}/scale",
        {"data": {"en": "scale", "fi": "mittakaava", "gd": ""}},
        201,
        {"If-None-Match": "*"},
    )
    listed = me.get(f"{records}?_sort=en").json["data"]
    place.sure(all(one["gd"] for one in listed if one["en"] in {"zoom", "legend"}))
