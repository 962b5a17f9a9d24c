"""Held-out stories in which nothing is wrong: plain conditions on real servers and products in use."""

from __future__ import annotations

import hashlib
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.fen_desk import Folder
from tools.recording_apis.apps.vic_core import Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import fen_setting as place
from tools.recording_apis.stories.vic_setting import signature

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d653",
    "fen-water-levels-polled-through-a-coder",
    "none",
    "healthy",
    alone="none",
    description=(
        "A display of water levels behind an nginx that compresses polls gauges under the weak tags it is given and is "
        "answered 304, or 200 when the gauge has measured anew; remarks of the crew are made as new ones with "
        "If-None-Match: *, and all are stored."
    ),
)
def levels(stage: Stage) -> None:
    """Poll under weak tags and make new things."""
    docs: dict[str, Any] = {
        f"/pegel/{n}": {"ort": n, "cm": 212, "trend": "steigend", "reihe": [209, 210, 211, 212]}
        for n in ("furt", "wehr", "hafen")
    }
    box = Folder(docs, lambda _path, doc: f'"{doc.digest()[:10]}"')
    front = fronts.nginx_gzip(stage, place.open_box(stage, box, "cheroot"))
    me = stage.actor(
        "client",
        front,
        "pegel.schleuse-sued.example",
        "httpx",
        {"User-Agent": "Anzeige/4", "Accept-Encoding": "gzip"},
    )
    held = {name: me.get(f"/pegel/{name}") for name in ("furt", "wehr", "hafen")}
    for turn in range(4):
        if turn in {1, 3}:
            with box.lock:
                box.store("/pegel/wehr", {**box.docs["/pegel/wehr"].data, "cm": 212 + turn}, "sensor")
        for name, answer in held.items():
            got = me.send("GET", f"/pegel/{name}", (200, 304), {"If-None-Match": answer.etag})
            held[name] = got if got.status == 200 else answer
        if turn != 2:
            remark = {
                "text": f"Treibholz am Rechen, Feld {turn + 2}",
                "von": "Schicht 2",
                "laenge": "etwa acht Meter, wird abgeholt",
            }
            me.put(f"/pegel/wehr/meldung-{turn}", remark, 201, {"If-None-Match": "*"})
        place.think(0.4)


@case(
    "d649",
    "fen-two-curators-take-turns-in-kinto",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two curators change the same entries of a Kinto collection in turns: each reads before each change, changes "
        "under If-Match what is newest, and sees the other's fields kept; a poll with If-None-Match sees the list move."
    ),
)
def curators(stage: Stage) -> None:
    """Take turns, with a read before each change."""
    server = stage.server("kinto")
    host, root = "kinto.heimatmuseum.example", "/v1/buckets/haus/collections/objekte"
    setup = stage.actor("setup", server, host, "requests")
    for name in ("anke", "boris"):
        setup.put(f"/v1/accounts/{name}", {"data": {"password": "x"}}, 201)
    admin = {"Authorization": "Basic YW5rZTp4"}
    open_to = {"permissions": {"write": ["system.Authenticated"]}}
    setup.put("/v1/buckets/haus", open_to, 201, admin)
    setup.put(root, open_to, 201, admin)
    for number in (1, 2):
        setup.put(
            f"{root}/records/o{number}", {"data": {"titel": f"Truhe {number}", "raum": "3"}}, 201, admin
        )
    stage.forget()
    me = stage.actor("client", server, host, "requests", {**admin, "User-Agent": "inventar/2"})
    other = stage.actor("other", server, host, "aiohttp", {"Authorization": "Basic Ym9yaXM6eA=="})
    listed = me.get(f"{root}/records")
    for who, change in (
        (me, {"raum": "4"}),
        (other, {"zustand": "gut"}),
        (me, {"titel": "Truhe, bemalt"}),
        (other, {"foto": "f-12.jpg"}),
    ):
        seen = who.get(f"{root}/records/o1")
        place.think(0.35)
        who.send("PATCH", f"{root}/records/o1", 200, {"If-Match": seen.etag}, {"data": change})
        if who is me:
            place.looks(me, f"{root}/records/o2", "/v1/")
    me.get(f"{root}/records", 200, {"If-None-Match": listed.etag})
    now = me.get(f"{root}/records/o1").json["data"]
    place.sure(now["raum"] == "4" and now["zustand"] == "gut" and now["titel"] == "Truhe, bemalt")


@case(
    "d667",
    "fen-orthophoto-fetched-in-two-goes",
    "none",
    "healthy",
    alone="none",
    description=(
        "A client resumes a download from nginx with If-Range: the first file is the same and goes on with 206; the "
        "second has been published anew, so the server sends the whole of it with 200, which the client takes instead."
    ),
)
def orthophoto(stage: Stage) -> None:
    """Resume what has stayed, and start again with what has not."""
    blocks = "".join(f"{n:05d} {hashlib.md5(str(n).encode()).hexdigest()}\n" for n in range(60))  # noqa: S324 - pixels
    files = {"orto/3301.asc": blocks, "orto/3302.asc": blocks.upper(), "orto/index.txt": "3301\n3302\n"}
    server = fronts.site(stage, "nginx", files)
    me = stage.actor("client", server, "kaart.maa-amet.example", "curl", {"User-Agent": "tombaja/1.1"})
    place.browse(me, "/orto/index.txt")
    for sheet, expect in (("3301", 206), ("3302", 200)):
        first = me.get(f"/orto/{sheet}.asc", 206, {"Range": "bytes=0-999"})
        place.think(0.6)
        if expect == 200:
            fronts.put_file(server.directory, "orto/3302.asc", blocks.upper() + "99999 F\n")
        rest = me.get(f"/orto/{sheet}.asc", expect, {"Range": "bytes=1000-", "If-Range": first.etag})
        place.sure((rest.etag == first.etag) == (expect == 206))
    place.looks(me, "/orto/index.txt")


@case(
    "d668",
    "fen-parish-register-under-a-lock",
    "none",
    "healthy",
    alone="none",
    description=(
        "An editor locks a new file on a WebDAV server, which makes it, writes it under its token in If, refreshes the "
        "lock, writes again, unlocks and reads: nothing is refused; a look for a draft that has never been is 404."
    ),
)
def register(stage: Stage) -> None:
    """Lock, write, refresh, write, unlock."""
    server = fronts.site(
        stage,
        "apache2",
        {"matriky/1866.txt": "Josef, Anna\n", "matriky/1867.txt": "Karel\n"},
        fronts.DAV["apache2"],
    )
    me = stage.actor(
        "client", server, "matriky.farnost-dub.example", "requests", {"User-Agent": "Prepis/1.4"}
    )
    lock = (
        '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype>'
        "<owner>pani Hajkova</owner></lockinfo>"
    )
    me.send("PROPFIND", "/matriky/", 207, {"Depth": "1"})
    me.get("/matriky/1868.koncept.txt", 404)
    held = me.send(
        "LOCK",
        "/matriky/1868.txt",
        (200, 201),
        {"Timeout": "Second-120", "Content-Type": "application/xml"},
        lock,
    )
    proof = {"If": f"({held.fields['lock-token']})", "Content-Type": "text/plain; charset=utf-8"}
    me.put("/matriky/1868.txt", "Marie\n", (201, 204), proof)
    place.think(0.7)
    me.send("LOCK", "/matriky/1868.txt", 200, {"Timeout": "Second-120", "If": proof["If"]})
    place.looks(me, "/matriky/1867.txt")
    me.put("/matriky/1868.txt", "Marie\nFrantisek\n", 204, proof)
    me.send("UNLOCK", "/matriky/1868.txt", 204, {"Lock-Token": held.fields["lock-token"]})
    place.sure("Frantisek" in me.get("/matriky/1868.txt").text)


@case(
    "d648",
    "fen-hiking-signs-in-two-languages",
    "none",
    "healthy",
    alone="none",
    description=(
        "Texts of hiking signs exist in German and Ladin under one address, each with a tag of its own (Vary). The "
        "client reads, polls and writes each language under that language's tag: two shapes of tag alternate, and "
        "every write passes."
    ),
)
def signs(stage: Stage) -> None:
    """Keep the tags of two languages apart."""
    docs = {f"/tafeln/{n}": {"de": f"Steig {n}", "lld": f"Troi {n}"} for n in ("5", "16", "22")}
    box = Folder(docs)

    def tongue(req: Req) -> str:
        return (
            "lld"
            if req.fields.get("accept-language", req.fields.get("content-language", "")).startswith("lld")
            else "de"
        )

    def tag(key: str, doc: Doc) -> str:
        return f'"{key}-{hashlib.sha1(doc.data[key].encode()).hexdigest()[:8]}"'  # noqa: S324 - a tag, no secret

    def show(req: Req, _path: str, doc: Doc) -> Res:
        key = tongue(req)
        return Res(
            200,
            {"text": doc.data[key]},
            {"ETag": tag(key, doc), "Content-Language": key, "Vary": "Accept-Language"},
        )

    def judge(req: Req, doc: Doc | None) -> Res | None:
        return None if doc and req.fields.get("if-match") == tag(tongue(req), doc) else box.error(412)

    box.show, box.judge = show, judge
    box.change = lambda req, doc: {**doc.data, tongue(req): req.json["text"]}
    box.answer_write = lambda req, _path, doc, _made: Res(200, {"ok": True}, {"ETag": tag(tongue(req), doc)})
    box.still("/wege", ["5", "16", "22"], '"wege-3"')
    server = place.open_box(stage, box, "bottle")
    me = stage.actor("client", server, "tafeln.alpenverein-gadertal.example", "node:axios")
    place.browse(me, "/wege")
    for sign in ("16", "5"):
        for key, text in (
            ("de", "Rundweg zur Alm"),
            ("lld", "Iade ala munt"),
            ("de", "Rundweg zur Alm, 2 Std."),
        ):
            own = {"Accept-Language": key}
            seen = me.get(f"/tafeln/{sign}", 200, own)
            me.get(f"/tafeln/{sign}", 304, {**own, "If-None-Match": seen.etag})
            me.put(
                f"/tafeln/{sign}",
                {"text": text},
                200,
                {**own, "Content-Language": key, "If-Match": seen.etag},
            )
            place.think(0.2)
    place.looks(me, "/tafeln/22", fields={"Accept-Language": "lld"})


@case(
    "d697",
    "fen-lease-held-and-given-back",
    "none",
    "healthy",
    alone="none",
    description=(
        "A report generator takes a lease on a blob of Azurite, writes under it, renews it, writes again and releases "
        "it; another blob is written under If-Match. All is stored, and the lease is free in the end."
    ),
)
def lease(stage: Stage) -> None:
    """Hold a lease as one should."""
    server = stage.server("azurite")
    me = stage.actor(
        "client", server, "notes.blob.jahresbericht.example", "aiohttp", {"User-Agent": "berichte/3.0"}
    )
    sas = signature()

    def send(method: str, name: str, expect: int, body: Any = None, query: str = "", **fields: str) -> Any:
        more = {"x-ms-version": "2021-12-02", "x-ms-date": formatdate(time.time(), usegmt=True)}
        more |= {"x-ms-blob-type": "BlockBlob"} if method == "PUT" and name and not query else {}
        more |= {key.replace("_", "-"): one for key, one in fields.items()}
        return me.send(
            method, f"/notes/berichte{name}?{query}{'&' if query else ''}{sas}", expect, more, body
        )

    send("PUT", "", 201, b"", "restype=container")
    for name in ("/2026.md", "/anhang.md"):
        send("PUT", name, 201, "# Entwurf\n")
    stage.forget()
    send("GET", "", 200, None, "restype=container&comp=list")
    send("HEAD", "/2026.md", 200)
    key = send(
        "PUT", "/2026.md", 201, b"", "comp=lease", x_ms_lease_action="acquire", x_ms_lease_duration="15"
    ).fields["x-ms-lease-id"]
    send("PUT", "/2026.md", 201, "# Bericht\n\n1 Lage\n", x_ms_lease_id=key)
    place.think(0.9)
    send("PUT", "/2026.md", 200, b"", "comp=lease", x_ms_lease_action="renew", x_ms_lease_id=key)
    seen = send("GET", "/anhang.md", 200)
    send("PUT", "/anhang.md", 201, "# Anhang\n", If_Match=seen.etag)
    send("PUT", "/2026.md", 201, "# Bericht\n\n1 Lage\n2 Ausblick\n", x_ms_lease_id=key)
    send("PUT", "/2026.md", 200, b"", "comp=lease", x_ms_lease_action="release", x_ms_lease_id=key)
    place.sure(send("GET", "/2026.md", 200).fields["x-ms-lease-state"] == "available")
