"""Stories on WebDAV shares and on what is downloaded in parts."""

from __future__ import annotations

import hashlib
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.ray_core import Api, Req, Res, httpdate
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ray_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_TEXT = {"Content-Type": "text/plain; charset=utf-8"}
_PROPS = '<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:getetag/><d:getlastmodified/><d:lockdiscovery/></d:prop></d:propfind>'
_XML = {"Content-Type": "application/xml; charset=utf-8"}


@case(
    "b937",
    "ray-notes-app-on-the-phone",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "The notes app's network layer on iOS keeps answers and adds If-None-Match with the kept tag to any request for "
        "a URL that it knows, a PUT too: Apache's DAV says 412, since the tag is the current one. New notes, and those "
        "that it has never read, pass without a condition, as does the same app on Android."
    ),
)
def notes(stage: Stage) -> None:
    """Have the cache below add a condition to a write."""
    files = {f"notizen/{name}.txt": f"- {name}" for name in ("einkauf", "garten", "umzug", "ideen")}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"], 9000)
    phone = {
        "User-Agent": "Notizen/418 CFNetwork/1498.700.2 Darwin/23.6.0",
        "Accept": "*/*",
        "Accept-Language": "de-DE",
    }
    me = stage.actor("client", server, "dav.hausnetz.example", "node:fetch", phone)
    other = stage.actor(
        "other", server, "dav.hausnetz.example", "urllib", {"User-Agent": "Notizen/418 okhttp/4.12.0"}
    )
    me.send("PROPFIND", "/notizen/", 207, {**_XML, "Depth": "1"}, _PROPS)
    kept = {name: me.get(f"/notizen/{name}.txt").etag for name in ("einkauf", "umzug")}
    me.get("/notizen/umzug.txt", 304, {"If-None-Match": kept["umzug"]})
    for name in ("einkauf", "garten", "umzug"):
        own = {"If-None-Match": kept[name]} if name in kept else {}
        me.put(f"/notizen/{name}.txt", f"- {name}\n- Leiter leihen", 412 if own else 204, {**_TEXT, **own})
        place.rest(0.4)
    me.put("/notizen/keller.txt", "- Regal", 201, _TEXT)
    me.put("/notizen/umzug.txt", "- umzug\n- Leiter leihen", 412, {**_TEXT, "If-None-Match": kept["umzug"]})
    other.get("/notizen/ideen.txt")
    other.put("/notizen/ideen.txt", "- ideen\n- Hochbeet", 204, _TEXT)
    me.get("/notizen/umzug.txt", 304, {"If-None-Match": kept["umzug"]})


_LOCK = '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner><D:href>{}</D:href></D:owner></D:lockinfo>'


@case(
    "b964",
    "ray-duty-plan-open-elsewhere",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "A colleague has the duty plan locked in Apache's DAV: the client's LOCK and its PUT are 423, with and without "
        "the lock token of another file in If, and lockdiscovery names the colleague; its own file it locks and saves."
    ),
)
def plan(stage: Stage) -> None:
    """Write what somebody else has locked."""
    files = {"plan/kw48.txt": "Mo: A\nDi: B\n", "plan/kw49.txt": "Mo: -\n", "plan/lies.txt": "Regeln"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"], 6000)
    me = stage.actor(
        "client",
        server,
        "ablage.rettung.example",
        "requests",
        {"User-Agent": "Microsoft Office Word 2014 (16.0.14332) Windows NT 10.0"},
    )
    other = stage.actor("other", server, "ablage.rettung.example", "curl", {"User-Agent": "LibreOffice 24.8"})
    lock = {**_XML, "Timeout": "Second-3600", "Depth": "0"}
    other.send("LOCK", "/plan/kw48.txt", 200, lock, _LOCK.format("wache2-schmid"))
    me.send("OPTIONS", "/plan/", 200)
    me.get("/plan/kw48.txt")
    got = me.send("LOCK", "/plan/kw49.txt", 200, lock, _LOCK.format("wache1-huber"))
    token = got.fields["lock-token"]
    me.put("/plan/kw49.txt", "Mo: C\n", 204, {**_TEXT, "If": f"({token})"})
    me.send("LOCK", "/plan/kw48.txt", 423, lock, _LOCK.format("wache1-huber"))
    place.rest(0.5)
    me.put("/plan/kw48.txt", "Mo: C\nDi: B\n", 423, _TEXT)
    me.put(
        "/plan/kw48.txt",
        "Mo: C\nDi: B\n",
        (412, 423),
        {**_TEXT, "If": f"<http://ablage.rettung.example/plan/kw49.txt> ({token})"},
    )
    told = me.send("PROPFIND", "/plan/kw48.txt", 207, {**_XML, "Depth": "0"}, _PROPS)
    place.sure("wache2-schmid" in told.text)
    me.send("UNLOCK", "/plan/kw49.txt", 204, {"Lock-Token": token})
    place.sure(me.get("/plan/kw48.txt").text == "Mo: A\nDi: B\n")


@case(
    "b967",
    "ray-price-lists-from-bogota",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A till in Bogotá turns Last-Modified into local time, writes it with GMT behind it, and sends it as "
        "If-Unmodified-Since: five hours before the file's date, to the second; Apache's DAV says 412 for each list."
    ),
)
def tills(stage: Stage) -> None:
    """Send local time as GMT."""
    files = {f"listas/{name}.txt": f"{name}; 1200\n" for name in ("pan", "leche", "cafe")}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"], 40000)
    me = stage.actor("client", server, "tienda.mercado.example", "urllib", {"User-Agent": "CajaPOS/6.0"})
    me.send("OPTIONS", "/listas/", 200)
    for name in ("pan", "cafe", "pan"):
        seen = me.get(f"/listas/{name}.txt")
        local = parsedate_to_datetime(seen.fields["last-modified"]).timestamp() - 5 * 3600
        guard = {"If-Unmodified-Since": formatdate(local, usegmt=True)}
        me.put(f"/listas/{name}.txt", f"{name}; 1350\n", 412, {**_TEXT, **guard})
        place.rest(0.3)
    me.put("/listas/caja7.txt", "cerrada\n", 201, _TEXT)
    me.get("/listas/leche.txt")


@case(
    "b936",
    "ray-build-badge-written-twice",
    "weak-until-settled",
    "412",
    alone="weak-until-settled etag-weakened weak-only-origin",
    description=(
        "A CI job puts a status file on Apache's DAV and writes it again at once with the tag that its HEAD shows, which "
        "is weak for the first second: 412, twice, then it gives up; a moment later the same tag is strong. For "
        "another file it waits first, and that passes."
    ),
)
def badge(stage: Stage) -> None:
    """Write again within a second."""
    server = fronts.site(
        stage, "apache2", {"ci/readme.txt": "status of builds\n"}, fronts.DAV["apache2"], 8000
    )
    me = stage.actor(
        "client", server, "artifacts.build.example", "curl", {"User-Agent": "curl/8.9.1", "X-Job": "4471"}
    )
    me.get("/ci/readme.txt")
    me.put("/ci/main.txt", "state=running\n", 201, _TEXT)
    for _ in range(2):
        seen = me.send("HEAD", "/ci/main.txt", 200)
        place.sure(seen.etag.startswith("W/"), seen.etag)
        me.put("/ci/main.txt", "state=passed\n", 412, {**_TEXT, "If-Match": seen.etag})
    me.put("/ci/docs.txt", "state=running\n", 201, _TEXT)
    place.rest(2.2)
    later = me.get("/ci/main.txt")
    place.sure(later.etag == seen.etag.removeprefix("W/") and later.text == "state=running\n")
    docs = me.send("HEAD", "/ci/docs.txt", 200)
    me.put("/ci/docs.txt", "state=passed\n", 204, {**_TEXT, "If-Match": docs.etag})


def _share() -> Api:
    """Return a share whose listing makes tags from content, and whose reads make them from date and size."""
    api = Api(lambda _req: {"DAV": "1, 2"}, lambda _req: Res(404, b""))
    for number, name in enumerate(("treaty.txt", "annex-a.txt", "annex-b.txt")):
        api.keep(f"/share/{name}", f"{name} {'x' * number}".encode(), age=7000 + number * 61)

    def listed(path: str) -> str:
        return hashlib.md5(api.rows[path].data).hexdigest()  # noqa: S324 - a tag

    def tag(path: str) -> str:
        return f'"{int(api.rows[path].at):x}-{len(api.rows[path].data):x}"'

    def props(_req: Req) -> Res:
        rows = "".join(
            f'<d:response><d:href>{path}</d:href><d:propstat><d:prop><d:getetag>"{listed(path)}"</d:getetag><d:getlastmodified>{httpdate(row.at)}</d:getlastmodified></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>'
            for path, row in api.rows.items()
        )
        return Res(207, f'<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">{rows}</d:multistatus>', _XML)

    def read(_req: Req, path: str) -> Res | None:
        row = api.rows.get(path)
        return (
            Res(
                200,
                row.data,
                {"ETag": tag(path), "Last-Modified": httpdate(row.at), "Content-Type": "text/plain"},
            )
            if row
            else None
        )

    def write(req: Req, path: str) -> Res:
        sent = req.fields.get("if", "")
        if path in api.rows and "[" in sent and sent.partition("[")[2].partition("]")[0] != tag(path):
            error = '<?xml version="1.0" encoding="utf-8"?><d:error xmlns:d="DAV:"><d:precondition-failed>If</d:precondition-failed></d:error>'
            return Res(412, error, _XML)
        api.keep(path, req.body)
        return Res(204, b"", {"ETag": tag(path)})

    api.on("PROPFIND", "/share/?", props)
    api.on("GET", "(/share/.+)", read)
    api.on("PUT", "(/share/.+)", write)
    return api


@case(
    "b960",
    "ray-share-with-two-kinds-of-tags",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "A share's PROPFIND lists tags made from content, while GET, and the If field of a PUT, go by date and size: a "
        "sync client puts the listed tag in If, as WebDAV has it, and is 412 each time, though the date is unchanged; "
        "with the tag that GET gives, another file is taken."
    ),
)
def share(stage: Stage) -> None:
    """Use the tag of the listing."""
    server = place.open_box(stage, _share(), "waitress")
    me = stage.actor(
        "client", server, "files.embassy.example", "aiohttp", {"User-Agent": "davfs2/1.7.0 neon/0.33.0"}
    )
    for _ in range(2):
        listed = me.send("PROPFIND", "/share/", 207, {**_XML, "Depth": "1"}, _PROPS).text
        for name in ("treaty.txt", "annex-a.txt"):
            tag = (
                listed.partition(f"/share/{name}</d:href>")[2]
                .partition("<d:getetag>")[2]
                .partition("</d:getetag>")[0]
            )
            me.put(f"/share/{name}", f"{name} revised", 412, {**_TEXT, "If": f"([{tag}])"})
            seen = me.send("HEAD", f"/share/{name}", 200)
            place.sure(seen.etag != tag)
        place.rest(0.5)
    seen = me.get("/share/annex-b.txt")
    me.put("/share/annex-b.txt", "annex-b revised", 204, {**_TEXT, "If": f"([{seen.etag}])"})


@case(
    "b943",
    "ray-runbooks-by-the-zipping-proxy",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "nginx compresses what Apache's DAV serves and marks its tags weak; an operator's editor sends the weak tag in "
        "If-Match and is 412 each time; a HEAD with identity shows the same tag strong, and with such a one another "
        "runbook is saved."
    ),
)
def runbooks(stage: Stage) -> None:
    """Write with a tag that a proxy has weakened."""
    files = {
        f"runbooks/{name}.txt": f"# {name}\n" + "1. call the duty officer\n2. close the valve\n" * 6
        for name in ("pump-3", "valve-9", "fire")
    }
    origin = fronts.site(stage, "apache2", files, fronts.DAV["apache2"], 7000)
    front = fronts.nginx_gzip(stage, origin)
    me = stage.actor(
        "client",
        front,
        "runbooks.plant.example",
        "node:fetch",
        {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"},
    )
    me.send("OPTIONS", "/runbooks/", 200)
    for name in ("pump-3", "fire"):
        path = f"/runbooks/{name}.txt"
        for _ in range(2):
            seen = me.get(path, 200, {"Accept-Encoding": "gzip"})
            place.sure(seen.etag.startswith("W/"), seen.etag)
            me.put(path, f"# {name}\n0. breathe\n", 412, {**_TEXT, "If-Match": seen.etag})
            place.rest(0.3)
        plain = me.send("HEAD", path, 200, {"Accept-Encoding": "identity"})
        place.sure(plain.etag == seen.etag.removeprefix("W/"), plain.etag)
    plain = me.get("/runbooks/valve-9.txt", 200, {"Accept-Encoding": "identity"})
    me.put("/runbooks/valve-9.txt", "# valve-9\n1. close\n", 204, {**_TEXT, "If-Match": plain.etag})


def _blob(word: str, size: int = 12000) -> str:
    lines = [hashlib.sha256(f"{word}{n}".encode()).hexdigest() for n in range(size // 65 + 1)]
    return "\n".join(lines)[:size]


@case(
    "b957",
    "ray-maps-in-four-parts",
    "read-changed-mid-transfer",
    "corrupted-read",
    alone="read-changed-mid-transfer",
    description=(
        "A navigation app loads a map from a CDN's origin in parts of 3000 octets without If-Range; the map is replaced "
        "after the second part: the later parts carry another ETag and Last-Modified, the sum is not that of the list, "
        "and the app loads the last part once more, in vain."
    ),
)
def maps(stage: Stage) -> None:
    """Splice two versions."""
    files = {
        "maps/it-nord.dat": _blob("old"),
        "maps/it-nord.sha256": hashlib.sha256(_blob("old").encode()).hexdigest(),
        "maps/index.json": '["it-nord"]',
    }
    server = fronts.site(stage, "nginx", files, "add_header Cache-Control 'public, max-age=0';", 86400)
    me = stage.actor(
        "client",
        server,
        "tiles.navi.example",
        "java",
        {"User-Agent": "NaviApp/9.2 (Android 14)", "Accept-Encoding": "identity"},
    )
    me.get("/maps/index.json")
    me.get("/maps/it-nord.sha256")
    parts = []
    for start in range(0, 12000, 3000):
        if start == 6000:
            fronts.put_file(server.directory, "maps/it-nord.dat", _blob("new"))
            fronts.put_file(
                server.directory, "maps/it-nord.sha256", hashlib.sha256(_blob("new").encode()).hexdigest()
            )
            place.rest(0.4)
        parts.append(me.get("/maps/it-nord.dat", 206, {"Range": f"bytes={start}-{start + 2999}"}))
    place.sure(len({one.etag for one in parts}) == 2)
    place.sure("".join(one.text for one in parts) not in (_blob("old"), _blob("new")))
    me.get("/maps/it-nord.sha256")
    me.get("/maps/it-nord.dat", 206, {"Range": "bytes=9000-11999"})
    me.get("/maps/index.json")


@case(
    "b962",
    "ray-mirror-pinned-to-a-version",
    "cache-misevaluates",
    "wrong-version",
    alone="cache-misevaluates",
    also="precondition-ignored",
    description=(
        "A mirror asks for just one version of package lists with If-Match; Varnish, which does not look at it, gives "
        "the newer one it has stored (Age, 200, another ETag); past the store, with no-cache, the origin says 412."
    ),
)
def mirror(stage: Stage) -> None:
    """Be given another version than the one asked for."""
    files = {
        f"dists/{name}/Packages": _blob(name, 700 + 31 * len(name)) for name in ("main", "contrib", "extra")
    }
    origin = fronts.site(stage, "nginx", files, "", 50000)
    vcl = (
        'sub vcl_recv { if (req.http.Cache-Control ~ "no-cache") { return (pass); } }\n'
        "sub vcl_backend_response { set beresp.ttl = 2s; set beresp.grace = 0s; set beresp.keep = 0s; }\n"
        'sub vcl_deliver { set resp.http.X-Cache = "MISS"; if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } }'
    )
    front = fronts.varnish(stage, origin, vcl)
    me = stage.actor("client", front, "deb.mirror.example", "httpx", {"User-Agent": "mirror-agent/2.8"})
    other = stage.actor(
        "other", front, "deb.mirror.example", "curl", {"User-Agent": "Debian APT-HTTP/1.3 (2.9.8)"}
    )
    pins = {name: me.get(f"/dists/{name}/Packages").etag for name in ("main", "contrib", "extra")}
    me.get("/dists/main/Packages", 200, {"If-Match": pins["main"]})
    place.rest(2.3)
    fronts.put_file(origin.directory, "dists/contrib/Packages", _blob("contrib-2", 960), 5.0)
    other.get("/dists/contrib/Packages")
    place.rest(1.1)
    got = me.get("/dists/contrib/Packages", 200, {"If-Match": pins["contrib"]})
    place.sure(got.etag != pins["contrib"] and got.fields["x-cache"] == "HIT")
    me.get("/dists/contrib/Packages", 412, {"If-Match": pins["contrib"], "Cache-Control": "no-cache"})
    me.get("/dists/extra/Packages", 200, {"If-Match": pins["extra"]})
    place.rest(0.3)
    again = me.get("/dists/contrib/Packages", 200, {"If-Match": pins["contrib"]})
    place.sure(again.etag == got.etag)


@case(
    "b974",
    "ray-podcast-from-two-edges",
    "inconsistent-backends",
    "missing-304",
    alone="inconsistent-backends",
    description=(
        "Two nginx edges hold the same episode with the dates of their own deployments, so its ETag takes one of two "
        "values, by X-Served-By: a podcast app that resumes with If-Range gets everything anew, and its polls with "
        "If-None-Match are 200, whenever the other edge answers. The octets are the same."
    ),
)
def podcast(stage: Stage) -> None:
    """Resume at another edge."""
    files = {"ep/081.txt": _blob("episode", 6000), "feed.xml": "<rss version='2.0'><channel/></rss>"}
    edges = [
        fronts.site(stage, "nginx", files, f"add_header X-Served-By edge-{word};", age)
        for word, age in (("fra1", 5000), ("fra2", 4213))
    ]
    front = fronts.haproxy(stage, edges)
    me = stage.actor(
        "client",
        front,
        "cdn.podcast.example",
        "aiohttp",
        {"User-Agent": "PodcastPlayer/5.1 (iPhone; iOS 17.6)", "Accept-Encoding": "identity"},
    )
    feed = me.get("/feed.xml")
    me.get("/feed.xml", 200, {"If-None-Match": feed.etag})
    first = me.get("/ep/081.txt", 206, {"Range": "bytes=0-2999"})
    whole = me.get("/ep/081.txt", 200, {"Range": "bytes=3000-", "If-Range": first.etag})
    place.sure(whole.etag != first.etag and whole.body.startswith(first.body))
    for _ in range(4):
        got = me.send("GET", "/ep/081.txt", (200, 304), {"If-None-Match": whole.etag})
        place.rest(0.3)
        if got.status == 200:
            place.sure(got.body == whole.body)
    me.get("/feed.xml")


@case(
    "b951",
    "ray-installer-resumed-by-the-store",
    "none",
    "healthy",
    alone="none",
    description=(
        "An installer loads a package through Varnish in parts with If-Range, is cut off, resumes, asks once beyond the "
        "end (416), and checks weeks-old files with If-Modified-Since (304); nothing is replaced meanwhile."
    ),
)
def installer(stage: Stage) -> None:
    """Resume as it should be."""
    files = {
        "pkg/tool-4.2.run": _blob("tool", 9000),
        "pkg/tool-4.2.sum": hashlib.sha256(_blob("tool", 9000).encode()).hexdigest(),
    }
    origin = fronts.site(stage, "nginx", files, "", 1900000)
    front = fronts.varnish(stage, origin, "sub vcl_backend_response { set beresp.ttl = 600s; }")
    me = stage.actor(
        "client",
        front,
        "dl.vendor.example",
        "requests",
        {"User-Agent": "setup/4.2", "Accept-Encoding": "identity"},
    )
    head = me.send("HEAD", "/pkg/tool-4.2.run", 200)
    text = me.get("/pkg/tool-4.2.run", 206, {"Range": "bytes=0-2499"}).text
    for start in (2500, 5000, 7500):
        place.rest(0.3)
        text += me.get(
            "/pkg/tool-4.2.run", 206, {"Range": f"bytes={start}-{start + 2499}", "If-Range": head.etag}
        ).text
    me.get("/pkg/tool-4.2.run", 416, {"Range": "bytes=9000-"})
    place.sure(text == _blob("tool", 9000))
    total = me.get("/pkg/tool-4.2.sum")
    place.sure(total.text == hashlib.sha256(text.encode()).hexdigest())
    me.get("/pkg/tool-4.2.sum", 304, {"If-Modified-Since": total.fields["last-modified"]})
    me.get("/pkg/tool-4.2.run", 304, {"If-None-Match": head.etag})
