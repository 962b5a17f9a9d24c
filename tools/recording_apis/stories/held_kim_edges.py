"""Stories in which what stands between the client and the service has its part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.kim_room import Room
from tools.recording_apis.apps.vic_core import Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_kim_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d873",
    "kim-formulas-behind-deflate",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "A paint works' formulas come through Apache with mod_deflate, which adds -gzip inside the tag; the service does "
        "not know that tag, and each save of a formula is refused, while its polls never get a 304. Price lists in CSV "
        "pass uncompressed, and a script that reads without coding saves."
    ),
)
def formulas(stage: Stage) -> None:
    """Send a tag with the suffix."""
    docs: dict[str, Any] = {
        f"/api/rezepte/{n}": {
            "name": f"Lasur {n}",
            "teile": {"öl": 40, "pigment": 12 + n},
            "freigabe": False,
            "hinweis": "kühl lagern, vor Gebrauch rühren " * 4,
        }
        for n in (1207, 1208, 1311)
    }
    docs["/api/preise/2026.csv"] = ("text/csv; charset=utf-8", "artikel;preis\n1207;18,40\n1208;19,90\n")
    room = Room(
        docs,
        lambda _path, doc: f'"{doc.rev:x}-{doc.digest()[:12]}"',
        first=17,
        say={412: {"fehler": "Vorbedingung nicht erfüllt"}},
    )
    room.names = ("stand_von", "stand_am")
    room.beside(
        {
            "/api/ich": {"name": "kern", "rolle": "labor"},
            "/assets/labor.css": ("main{display:grid}", '"5f3-labor"'),
        }
    )
    front = fronts.apache(
        stage, place.opened(stage, room, "flask"), "AddOutputFilterByType DEFLATE application/json"
    )
    me = stage.actor("client", front, "rezepte.lackwerk.example", "requests", {"X-User": "kern"})
    place.look(me, "/api/ich", "/assets/labor.css", "/api/rezepte")
    csv = me.get("/api/preise/2026.csv")
    me.put(
        "/api/preise/2026.csv",
        csv.text + "1311;22,10\n",
        200,
        {"If-Match": csv.etag, "Content-Type": "text/csv; charset=utf-8"},
    )
    for number in (1207, 1208):
        seen = me.get(f"/api/rezepte/{number}")
        place.sure(seen.etag.endswith('-gzip"'))
        me.get(f"/api/rezepte/{number}", 200, {"If-None-Match": seen.etag})
        body = {**seen.json, "freigabe": True}
        me.put(f"/api/rezepte/{number}", body, 412, {"If-Match": seen.etag})
        place.rest(0.4)
        again = me.get(f"/api/rezepte/{number}")
        me.put(f"/api/rezepte/{number}", {**again.json, "freigabe": True}, 412, {"If-Match": again.etag})
    plain = me.get("/api/rezepte/1311", 200, {"Accept-Encoding": "identity"})
    me.put("/api/rezepte/1311", {**plain.json, "freigabe": True}, 200, {"If-Match": plain.etag})
    plain = me.get("/api/rezepte/1208", 200, {"Accept-Encoding": "identity"})
    place.sure(plain.etag == again.etag.replace("-gzip", ""))


@case(
    "d847",
    "kim-course-plans-compressed-on-the-way",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "HAProxy compresses a driving school's JSON and turns its strong tags into weak ones, which If-Match never "
        "accepts: two lessons cannot be moved. The same lesson read without coding has the same tag, strong, and is saved."
    ),
)
def lessons(stage: Stage) -> None:
    """Send the weakened tag."""
    docs: dict[str, Any] = {
        f"/v3/lessons/{n}": {
            "pupil": f"P-{n * 3}",
            "slot": f"2026-12-0{n % 7 + 1}T09:30",
            "car": "B-4",
            "remarks": "roundabouts, parking, motorway entry " * 5,
        }
        for n in (51, 52, 53, 54)
    }
    room = Room(
        docs,
        lambda _path, doc: f'"{doc.digest("sha1")[:20]}"',
        say={412: {"detail": "version_mismatch"}},
        extra={"Cache-Control": "private"},
    )
    room.names = ()
    room.beside(
        {
            "/v3/session": {"user": "iris", "school": 9},
            "/v3/cars": [{"id": "B-4", "gear": "manual"}, {"id": "E-1", "gear": "auto"}],
        }
    )
    lines = " compression algo gzip\n compression type application/json"
    front = fronts.haproxy(stage, [place.opened(stage, room, "django")], lines)
    me = stage.actor(
        "client", front, "plan.fahrschule.example", "httpx", {"X-User": "iris", "User-Agent": "planner/6.1"}
    )
    place.look(me, "/v3/session", "/v3/cars", "/v3/lessons")
    for number in (51, 53):
        seen = me.get(f"/v3/lessons/{number}")
        place.sure(seen.etag.startswith("W/"))
        place.poll(me, f"/v3/lessons/{number}", seen.etag, 1)
        me.put(f"/v3/lessons/{number}", {**seen.json, "car": "E-1"}, 412, {"If-Match": seen.etag})
        place.rest(0.5)
        place.sure(me.get(f"/v3/lessons/{number}").etag == seen.etag)
    strong = me.get("/v3/lessons/53", 200, {"Accept-Encoding": "identity"})
    place.sure(strong.etag == seen.etag.removeprefix("W/"))
    me.put("/v3/lessons/53", {**strong.json, "car": "E-1"}, 200, {"If-Match": strong.etag})
    me.get("/v3/lessons")


@case(
    "d864",
    "kim-permit-told-to-bring-what-it-brought",
    "precondition-stripped",
    "428",
    alone="precondition-stripped",
    description=(
        "The gateway in front of a port's permits (Caddy) takes If-Match away from what goes to the service, left from "
        "the setting of a static site: each guarded save is told 428, that If-Match is missing, though it was sent; "
        "with the date instead, which the gateway lets pass, the same save is taken."
    ),
)
def permits(stage: Stage) -> None:
    """Be told to send what was sent."""
    docs: dict[str, Any] = {
        f"/permits/{n}": {"vessel": f"MV {n}", "berth": 4, "dangerous": False}
        for n in ("LX-20", "LX-21", "LX-24")
    }
    room = Room(docs, lambda _path, doc: f'"{doc.rev}.{doc.digest()[:6]}"', dates=True, need=428, first=3)
    room.say[428] = {
        "type": "about:blank",
        "title": "Precondition Required",
        "detail": "This request carries no If-Match and no If-Unmodified-Since.",
    }
    room.names = ("lastActor", "lastChange")
    room.beside(
        {
            "/whoami": {"sub": "agent-7", "scopes": ["permits:write"]},
            "/tide": {"high": "14:05", "low": "20:21"},
        }
    )
    front = fronts.caddy(stage, place.opened(stage, room, "fastapi"), " request_header -If-Match")
    me = stage.actor("client", front, "permits.harbour.test", "node:fetch", {"X-User": "agent-7"})
    place.look(me, "/whoami", "/permits", "/tide")
    for number in ("LX-20", "LX-24"):
        seen = me.get(f"/permits/{number}")
        place.poll(me, f"/permits/{number}", seen.etag, 1)
        me.put(f"/permits/{number}", {**seen.json, "berth": 6}, 428, {"If-Match": seen.etag})
        place.rest(0.4)
        me.put(f"/permits/{number}", {**seen.json, "berth": 6}, 428, {"If-Match": seen.etag})
    me.put(
        "/permits/LX-24",
        {**seen.json, "berth": 6},
        200,
        {"If-Unmodified-Since": seen.fields["last-modified"]},
    )
    place.look(me, "/permits/LX-24", "/tide")


@case(
    "d879",
    "kim-gauge-settings-from-the-store",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    also="other-writer",
    description=(
        "Varnish keeps an irrigation's valve settings for two minutes, also after a write: the client's reads after a "
        "colleague's change are answered with the old content and its old tag (Age tells so), and its saves are refused "
        "again and again; a read past the store gives the true tag, and the save passes."
    ),
)
def valves(stage: Stage) -> None:
    """Save on what the store gave."""
    docs: dict[str, Any] = {
        f"/valves/{n}": {"valve": n, "litres": 200, "from": "05:30", "minutes": 25}
        for n in ("north", "south", "orchard")
    }
    room = Room(
        docs, lambda _path, doc: f'"{doc.digest()[:16]}"', say={412: {"error": "stale", "hint": "read again"}}
    )
    room.names = ("by", "at")
    room.beside({"/weather": {"rain": 0.2, "sun": 6}, "/pump": {"bar": 3.1, "on": True}})
    store = (
        'sub vcl_recv { if (req.url ~ "^/(weather|pump)") { return (pass); } '
        'if (req.http.Cache-Control ~ "no-cache") { set req.hash_always_miss = true; } }\n'
        "sub vcl_backend_response { set beresp.ttl = 120s; }"
    )
    front = fronts.varnish(stage, place.opened(stage, room, "aiohttp"), store)
    me = stage.actor("client", front, "bewaesserung.hof.test", "aiohttp", {"X-User": "hof"})
    other = stage.actor("other", front, "bewaesserung.hof.test", "requests", {"X-User": "tablet"})
    place.look(me, "/weather", "/valves", "/valves/north", "/valves/south")
    theirs = other.get("/valves/orchard")
    other.put("/valves/orchard", {**theirs.json, "minutes": 40}, 200, {"If-Match": theirs.etag})
    place.rest(2.2)
    south = me.get("/valves/south")
    me.put("/valves/south", {**south.json, "litres": 240}, 200, {"If-Match": south.etag})
    for _ in range(2):
        seen = me.get("/valves/orchard")
        place.sure(int(seen.fields["age"]) >= 1 and seen.json["minutes"] == 25)
        me.put("/valves/orchard", {**seen.json, "from": "06:10"}, 412, {"If-Match": seen.etag})
        place.look(me, "/pump")
        place.rest(1.1)
    true = me.get("/valves/orchard", 200, {"Cache-Control": "no-cache"})
    place.sure(true.json["minutes"] == 40)
    me.put("/valves/orchard", {**true.json, "from": "06:10"}, 200, {"If-Match": true.etag})


@case(
    "d851",
    "kim-store-judges-a-pinned-read",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    description=(
        "nginx stores a surveyor's point clouds and judges If-Match of reads by the copy that it holds: after the client "
        "has replaced a cloud and got its new tag, a ranged read pinned to that tag is 412 in nginx's own words, marked "
        "HIT, and does not reach the service; the same read past the store is 206."
    ),
)
def clouds(stage: Stage) -> None:
    """Be refused by a store."""
    docs: dict[str, Any] = {
        f"/clouds/{n}.xyz": ("text/plain", "".join(f"{x}.0 {x * 2}.5 {n}.1\n" for x in range(60)))
        for n in (1, 2, 3)
    }
    room = Room(docs, lambda path, doc: f'"{path[-5]}-{doc.digest()[:10]}"', extra={"Accept-Ranges": "bytes"})

    def part(req: Req, res: Res) -> Res | None:
        if "range" not in req.fields or res.status != 200 or req.method != "GET":
            return None
        first, last = (int(one) for one in req.fields["range"].removeprefix("bytes=").split("-"))
        span = {"Content-Range": f"bytes {first}-{last}/{len(res.octets)}"}
        return Res(206, res.octets[first : last + 1], {**res.fields, **span})

    room.after.append(part)
    room.beside({"/projects": [{"id": 8, "name": "Steinbruch"}], "/quota": {"used": 0.4}})
    lines = "proxy_cache_bypass $http_x_fresh; add_header X-Cache-Status $upstream_cache_status always;"
    front = fronts.nginx_cache(stage, place.opened(stage, room, "cheroot"), 90, lines)
    me = stage.actor("client", front, "clouds.vermessung.test", "curl", {"X-User": "survey"})
    place.look(me, "/projects", "/clouds/1.xyz", "/clouds/2.xyz")
    seen = me.get("/clouds/2.xyz")
    text = seen.text.replace("2.1\n", "2.4\n")
    put = me.put("/clouds/2.xyz", text, 200, {"If-Match": seen.etag, "Content-Type": "text/plain"})
    place.rest(0.4)
    pinned = {"If-Match": put.etag, "Range": "bytes=0-199"}
    refused = me.get("/clouds/2.xyz", 412, pinned)
    place.sure("nginx" in refused.text)
    me.get("/clouds/1.xyz", 200)
    place.rest(0.3)
    me.get("/clouds/2.xyz", 412, pinned)
    got = me.get("/clouds/2.xyz", 206, {**pinned, "X-Fresh": "1"})
    place.sure(got.etag == put.etag)
    place.look(me, "/quota")


@case(
    "d870",
    "kim-two-boots-two-tags",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two nodes behind HAProxy share a seed catalogue's data, but each makes its tags with a salt of its own start: "
        "the content is the same, the tag goes to and fro with X-Node; polls are answered in full and saves refused "
        "whenever the turn is another node's."
    ),
)
def salted(stage: Stage) -> None:
    """Meet another node than that of the read."""
    yaml = {"Content-Type": "text/yaml"}
    names = ("rauke", "gelbe-rübe", "melde", "haferwurz")
    first = Room({f"/sorten/{n}": ("text/yaml", f"sorte: {n}\nkeimrate: 88\nlager: 12\n") for n in names})
    first.tag = lambda _path, doc: f'"{doc.digest()[:4]}a07-{doc.digest("sha1")[:12]}"'
    second = Room({})
    second.docs, second.lock = first.docs, first.lock
    second.tag = lambda _path, doc: f'"{doc.digest()[4:8]}f31-{doc.digest("sha256")[:12]}"'
    nodes = []
    for room, name in ((first, "app-1"), (second, "app-2")):
        room.extra = {"X-Node": name}
        room.say[412] = {"meldung": "Der Datensatz hat einen anderen Stand."}
        room.beside({"/konto": {"name": "gärtnerei"}})
        nodes.append(place.opened(stage, room, "waitress"))
    front = fronts.haproxy(stage, nodes)
    me = stage.actor("client", front, "saatgut.genossenschaft.example", "requests", {"X-User": "lea"})
    seen = me.get("/sorten/rauke")
    me.get("/konto")
    me.put("/sorten/rauke", seen.text.replace("12", "11"), 200, {**yaml, "If-Match": seen.etag})
    for number in range(3):
        if number == 2:
            me.get("/konto")
        seen = me.get("/sorten/rauke")
        place.rest(0.3)
        if number == 1:
            me.get("/sorten/rauke", 200, {"If-None-Match": seen.etag})
            me.get("/konto")
        me.put("/sorten/rauke", seen.text.replace("11", "9"), 412, {**yaml, "If-Match": seen.etag})
        place.rest(0.2)
    one, two = me.get("/sorten/rauke"), me.get("/sorten/rauke")
    place.sure(one.body == two.body and one.etag != two.etag)
    me.get("/sorten/rauke", 304, {"If-None-Match": one.etag})


@case(
    "d843",
    "kim-gateway-tries-the-next-node",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412",
    description=(
        "nginx gives a save of a theatre's seating plan to a node that stores it but answers too late, and sends it to "
        "the next, where the tag no longer fits: one request, a second's wait, 412, and X-Upstream-Status 504, 412; the "
        "plan that is read next holds the client's own editId."
    ),
)
def seating(stage: Stage) -> None:
    """Be refused because of one's own first try."""
    docs: dict[str, Any] = {
        f"/plans/{n}": {"hall": n, "rows": 22, "blocked": [], "editId": "seed"} for n in ("gross", "studio")
    }
    slow, quick = Room(docs, lambda _path, doc: f'"p{doc.rev}-{doc.digest()[:8]}"', first=40), Room({})
    quick.docs, quick.lock, quick.tag = slow.docs, slow.lock, slow.tag
    slow.done.append(lambda _req, path: place.rest(1.7 if path.endswith("gross") else 0))
    for room in (slow, quick):
        room.beside({"/me": {"name": "kasse"}, "/events/today": [{"hall": "gross", "at": "19:30"}]})
    late, next_one = place.opened(stage, slow, "flask"), place.opened(stage, quick, "starlette")
    pool = f"upstream pool {{ server 127.0.0.1:{stage.behind(late)} max_fails=0; server 127.0.0.1:{stage.behind(next_one)} backup; }}"
    block = (
        "location /plans/ { proxy_pass http://pool; proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_read_timeout 1s; "
        "proxy_next_upstream error timeout; add_header X-Upstream-Status $upstream_status always; }"
    )
    front = fronts.nginx(stage, late, http=pool, block=block)
    me = stage.actor("client", front, "plaetze.theater.example", "httpx", {"X-User": "kasse"})
    place.look(me, "/me", "/events/today")
    studio = me.get("/plans/studio")
    me.put(
        "/plans/studio",
        {**studio.json, "blocked": ["A1"], "editId": "k-7001"},
        200,
        {"If-Match": studio.etag},
    )
    seen = me.get("/plans/gross")
    place.rest(0.4)
    me.put(
        "/plans/gross",
        {**seen.json, "blocked": ["C4", "C5"], "editId": "k-7002"},
        412,
        {"If-Match": seen.etag},
    )
    now = me.get("/plans/gross")
    place.sure(now.json["editId"] == "k-7002" and now.etag.startswith('"p41-'))
    me.get("/events/today")


@case(
    "d860",
    "kim-links-rewritten-tags-gone",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    description=(
        "nginx rewrites links in a publisher's JSON (sub_filter) and drops ETag and Last-Modified on the way; the "
        "service wants If-Match, the client has nothing to send and is told 428. HEAD and the CSV export of the same "
        "service, which nginx does not rewrite, come with their tags, and the export can be saved."
    ),
)
def titles(stage: Stage) -> None:
    """Have no tag to send."""
    docs: dict[str, Any] = {
        f"/titel/{n}": {"isbn": f"978-3-{n}", "preis": 24, "cover": f"http://intern.verlag/cover/{n}.jpg"}
        for n in (4401, 4402, 4407)
    }
    docs["/export/lager.csv"] = ("text/csv", "isbn;stand\n978-3-4401;120\n")
    room = Room(docs, lambda _path, doc: f'"{doc.digest()}"', dates=True, need=428)
    room.say[428] = {
        "code": "PRECONDITION_REQUIRED",
        "text": "Senden Sie If-Match mit dem ETag der gelesenen Fassung.",
    }
    room.beside({"/login": {"ok": True, "bis": "18:00"}, "/stat": {"titel": 3}})
    lines = "sub_filter_types application/json; sub_filter_once off; sub_filter 'http://intern.verlag/' 'https://bilder.verlag.example/'; proxy_set_header Accept-Encoding '';"
    front = fronts.nginx(stage, place.opened(stage, room, "bottle"), lines)
    me = stage.actor("client", front, "titel.verlag.example", "node:axios", {"X-User": "lektorat"})
    place.look(me, "/login", "/titel")
    for number in (4401, 4407):
        seen = me.get(f"/titel/{number}")
        place.sure("etag" not in seen.fields and "last-modified" not in seen.fields)
        me.put(f"/titel/{number}", {**seen.json, "preis": 26}, 428)
        place.rest(0.4)
    csv = me.get("/export/lager.csv")
    me.put(
        "/export/lager.csv",
        csv.text + "978-3-4402;80\n",
        200,
        {"If-Match": csv.etag, "Content-Type": "text/csv"},
    )
    me.get("/titel/4407")
    me.get("/stat")


@case(
    "d867",
    "kim-moved-academy-saves-nothing",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "Apache sends an academy's old paths to new ones with 302; the client's library follows a PUT with a GET that "
        "has neither content nor If-Match, is told 200, and nothing is stored, as the next reads show. Saves to the new "
        "paths are stored."
    ),
)
def academy(stage: Stage) -> None:
    """Have a write turned into a read."""
    docs: dict[str, Any] = {
        f"/akademie/kurse/{n}": {"kurs": n, "plaetze": 12, "raum": "2.04"}
        for n in ("drehen", "fräsen", "löten")
    }
    room = Room(docs, lambda _path, doc: f'"k{doc.rev:03}{doc.digest()[:5]}"', first=8, need=428)
    room.names = ("bearbeiter", "bearbeitet")
    room.beside({"/akademie/profil": {"name": "Büro"}, "/akademie/raeume": ["2.04", "2.05"]})
    front = fronts.apache(
        stage,
        place.opened(stage, room, "pyramid"),
        "ProxyPass /kurse/ !\nRedirectMatch 302 ^/kurse/(.*)$ /akademie/kurse/$1",
    )
    me = stage.actor("client", front, "kurse.kammer.example", "requests:follow", {"X-User": "buero"})
    place.look(me, "/akademie/profil", "/akademie/raeume")
    place.daily(me, "/akademie/kurse/löten", [{"raum": "2.05"}, {"plaetze": 10}])
    seen = me.get("/kurse/drehen")
    place.rest(0.4)
    answered = me.put("/kurse/drehen", {**seen.json, "plaetze": 16}, 200, {"If-Match": seen.etag})
    place.sure(answered.json["plaetze"] == 12)
    place.rest(0.6)
    again = me.get("/kurse/drehen")
    place.sure(again.json["plaetze"] == 12 and again.etag == seen.etag)
    me.put("/kurse/drehen", {**again.json, "plaetze": 16}, 200, {"If-Match": again.etag})
    place.sure(me.get("/akademie/kurse/drehen").json["plaetze"] == 12)
