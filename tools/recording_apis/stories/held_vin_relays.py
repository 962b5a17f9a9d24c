"""Stories on what stands before a server: Apache, nginx, HAProxy, Varnish, Squid, Caddy."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res, Versions
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_vin_setting as place
from tools.recording_apis.stories.held_vin_files import _CAL, _EVENT, _MAKE

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


_NO_GRACE = "sub vcl_backend_response { set beresp.grace = 0s; }"


def _short(_path: str, doc: Doc) -> str:
    return f'"{doc.digest("sha1")[:16]}"'


def _row(path: str, doc: Doc) -> str:
    return f'"{path.rsplit("/", 1)[-1]}.{doc.rev}"'


@case(
    "e125",
    "vin-apache-deflate-before-wsgidav",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache with mod_deflate stands before WsgiDAV and appends -gzip to the tags of what it packs; the editor sends "
        "that back in If-Match and WsgiDAV refuses it, while a read with identity shows the tag without the suffix and the "
        "save with it is taken."
    ),
)
def deflate(stage: Stage) -> None:
    """Send the suffix back."""
    dav = stage.server("wsgidav")
    text = "".join(f"{n:03d};Schraube M{n};{n * 7}\n" for n in range(60))
    for name in ("teile.csv", "lieferanten.csv"):
        fronts.put_file(dav.directory, name, f"# {name}\n{text}", age=50000)
    server = fronts.apache(stage, dav, "SetOutputFilter DEFLATE\nSetEnvIfNoCase Request_URI \\.png$ no-gzip")
    me = stage.actor(
        "client", server, "stamm.maschinenbau.example", "node:fetch", {"User-Agent": "Teilepflege/11"}
    )
    me.send("OPTIONS", "/", 200)
    for name in ("teile.csv", "lieferanten.csv"):
        seen = me.get(f"/{name}")
        place.sure(seen.etag.endswith('-gzip"'), seen.etag)
        me.put(f"/{name}", seen.text + "060;Mutter;3\n", 412, {"If-Match": seen.etag})
        place.rest(0.6)
    plain = me.get("/teile.csv", 200, {"Accept-Encoding": "identity"})
    me.put("/teile.csv", plain.text + "060;Mutter;3\n", 204, {"If-Match": plain.etag})


@case(
    "e151",
    "vin-nginx-reads-wsgidav-writes",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "nginx serves reads of a document folder from the disk with tags of its own making, and passes the other methods to "
        "WsgiDAV, which makes them otherwise: every If-Match with a tag that was read is 412; the tag that WsgiDAV gives "
        "with its answer to a PUT without a condition works, and no read ever shows it."
    ),
)
def makers(stage: Stage) -> None:
    """Read there and write here."""
    dav = stage.server("wsgidav")
    for name in ("protokoll.md", "agenda.md"):
        fronts.put_file(dav.directory, name, f"# {name}\n\n- Punkt 1\n", age=30000)
    split = "error_page 418 = @files; if ($request_method ~ ^(GET|HEAD)$) { return 418; }"
    server = fronts.nginx(stage, dav, split, block=f"location @files {{ root {dav.directory}; }}")
    me = stage.actor("client", server, "akten.verein.example", "requests", {"User-Agent": "Vereinsmappe/2"})
    agenda = me.get("/agenda.md")
    seen = me.get("/protokoll.md")
    me.put("/protokoll.md", seen.text + "- Punkt 2\n", 412, {"If-Match": seen.etag})
    place.rest(0.7)
    again = me.get("/protokoll.md")
    place.sure(again.etag == seen.etag)
    me.put("/protokoll.md", seen.text + "- Punkt 2\n", 412, {"If-Match": again.etag})
    saved = me.put("/agenda.md", agenda.text + "- Wahl\n", 204)
    me.put("/agenda.md", agenda.text + "- Wahl\n- Kasse\n", 204, {"If-Match": saved.etag})
    place.sure(me.get("/agenda.md").etag not in {saved.etag, agenda.etag})


@case(
    "e120",
    "vin-haproxy-sends-the-booking-again",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412",
    description=(
        "HAProxy sends a PUT again when the answer takes longer than a second (retry-on response-timeout): the first had "
        "been stored, the second is 412. The client sent once; the record that it reads then is its own, bears the "
        "id of this very request and a time within it."
    ),
)
def again(stage: Stage) -> None:
    """Ask once and be sent twice."""
    docs = {
        f"/berths/{n}": {"berth": n, "ship": None, "lastRequest": None, "savedAt": None} for n in (3, 4, 5)
    }
    box = Box(docs, _row, extra={"X-App": "berths/2"})
    slow: list[str] = []
    plain = box.change

    def change(req: Req, doc: Doc | None) -> Any:
        own = {"lastRequest": req.fields.get("x-request-id"), "savedAt": place.stamp(0, "%Y-%m-%dT%H:%M:%SZ")}
        return {**plain(req, doc), **own}

    def dawdle(req: Req, res: Res) -> None:
        if req.method == "PUT" and req.path.endswith("/4") and res.status == 200 and not slow:
            slow.append("once")
            time.sleep(2.2)

    box.change = change
    box.after.append(dawdle)
    server = fronts.haproxy(
        stage, [place.open_box(stage, box, "waitress")],
        " retries 2\n retry-on response-timeout conn-failure\n timeout server 1s",
    )  # fmt: skip
    me = stage.actor("client", server, "berths.havn.example", "httpx", {"User-Agent": "kaiplan/1"})
    me.get("/me")
    me.get("/berths")
    for number, ship in ((3, "Astrid"), (4, "Brage")):
        seen = me.get(f"/berths/{number}")
        fields = {"If-Match": seen.etag, "X-Request-Id": f"7c9e-{number}-{ship.lower()}"}
        me.put(f"/berths/{number}", {**seen.json, "ship": ship}, 200 if number == 3 else 412, fields)
    now = me.get("/berths/4").json
    place.sure(now["ship"] == "Brage" and now["lastRequest"] == "7c9e-4-brage")
    seen = me.get("/berths/5")
    me.put(
        "/berths/5",
        {**seen.json, "ship": "Cato"},
        200,
        {"If-Match": seen.etag, "X-Request-Id": "7c9e-5-cato"},
    )
    me.get("/berths")


@case(
    "e159",
    "vin-nginx-store-answers-412-to-a-read",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates",
    description=(
        "A report reads with If-Match to be sure of the version that it has just saved. nginx has an older copy in its "
        "store and answers 412 from it by itself (X-Cache: HIT, nothing reaches the service); with the version of the copy "
        "it is 200, and past the store the saved one is there."
    ),
)
def store(stage: Stage) -> None:
    """Read on a condition."""
    box = Box({f"/tarife/{n}": {"tarif": n, "cent": 29 + n, "stand": 1} for n in (1, 2)}, _short)
    lines = "add_header X-Cache $upstream_cache_status always; proxy_cache_bypass $http_x_fresh;"
    server = fronts.nginx_cache(stage, place.open_box(stage, box, "cheroot"), 60, lines)
    me = stage.actor("client", server, "tarife.energie.example", "urllib", {"User-Agent": "Tarifbericht/3"})
    me.get("/tarife")
    for number in (1, 2):
        me.get(f"/tarife/{number}")
    old = me.get("/tarife/2")
    place.sure(old.fields["x-cache"] == "HIT")
    saved = me.put("/tarife/2", {**old.json, "cent": 33, "stand": 2}, 200, {"If-Match": old.etag})
    other = me.get("/tarife/1")
    me.get("/tarife/1", 200, {"If-Match": other.etag})
    me.get("/tarife/1", 304, {"If-None-Match": other.etag})
    place.rest(1.0)
    got = me.send("GET", "/tarife/2", 412, {"If-Match": saved.etag})
    place.sure(got.fields["x-cache"] == "HIT")
    me.get("/tarife/2", 200, {"If-Match": old.etag})
    place.rest(0.5)
    fresh = me.get("/tarife/2", 200, {"X-Fresh": "1"})
    place.sure(fresh.etag == saved.etag)


@case(
    "e141",
    "vin-varnish-shows-the-page-before-the-save",
    "stale-cache-read",
    "stale-read",
    alone="stale-cache-read",
    description=(
        "An editor of opening hours saves, is answered with the new tag, and reads: Varnish still gives the copy from before "
        "the save with its Age, several times, and the display's preview is made from it; when the copy has run out, the "
        "saved one comes."
    ),
)
def varnish(stage: Stage) -> None:
    """Read what was."""
    box = Box(
        {f"/filialen/{n}/zeiten": {"filiale": n, "mo": "9-18", "sa": "10-14"} for n in (12, 13)}, _short
    )
    box.extra["Cache-Control"] = "public, max-age=4"
    server = fronts.varnish(stage, place.open_box(stage, box, "tornado"), _NO_GRACE)
    me = stage.actor(
        "client", server, "filialen.buch.example", "requests", {"User-Agent": "Zeitenpflege/1.1"}
    )
    script = me.get("/static/app.9c1f.js")
    me.get("/static/app.9c1f.js", 304, {"If-None-Match": script.etag})
    me.get("/me")
    near = me.get("/filialen/13/zeiten")
    old = me.get("/filialen/12/zeiten")
    place.rest(1.2)
    saved = me.put("/filialen/12/zeiten", {**old.json, "sa": "10-16"}, 200, {"If-Match": old.etag})
    for _ in range(2):
        place.rest(0.7)
        seen = me.get("/filialen/12/zeiten")
        place.sure(seen.etag == old.etag and int(seen.fields["age"]) > 0)
    me.send("POST", "/vorschau", 201, None, {"filiale": 12, "text": f"Samstag {seen.json['sa']}"})
    place.rest(3.5)
    place.sure(me.get("/filialen/12/zeiten").etag == saved.etag)
    me.put("/filialen/13/zeiten", {**near.json, "mo": "10-18"}, 200, {"If-Match": near.etag})


@case(
    "e158",
    "vin-nginx-drops-if-match-before-radicale",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored",
    description=(
        'nginx before Radicale sets If-Match to nothing (proxy_set_header If-Match ""): a phone that has been offline saves '
        "an appointment with the tag of its old copy, though its own sync has shown another, and is answered as if all "
        "were well; what the desk had put in is gone."
    ),
)
def stripped(stage: Stage) -> None:
    """Save an old copy."""
    radicale = stage.server("radicale")
    server = fronts.nginx(stage, radicale, 'proxy_set_header If-Match "";')
    always = {"Authorization": "Basic cmV6ZXB0aW9uOnB3", "User-Agent": "iOS/18.1 dataaccessd/1.0"}
    me = stage.actor("client", server, "termine.zahn.example", "httpx", always)
    desk = stage.actor(
        "other", radicale, "termine.zahn.example", "requests", {**always, "User-Agent": "Thunderbird/128"}
    )
    desk.send("MKCALENDAR", "/rezeption/plan/", 201, {"Content-Type": "application/xml"}, _MAKE)
    paths = ["/rezeption/plan/a17.ics", "/rezeption/plan/a18.ics"]
    for n, path in enumerate(paths):
        desk.put(
            path, _EVENT.format("Praxis", f"a1{n}", n, f"Patient {n}"), 201, {**_CAL, "If-None-Match": "*"}
        )
    find = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>'
    xml = {"Content-Type": "application/xml", "Depth": "1"}
    me.send("PROPFIND", "/rezeption/plan/", 207, xml, find)
    first, held = me.get(paths[0]), me.get(paths[1])
    me.put(
        paths[0], first.text.replace("Patient 0", "Patient 0 (Krone)"), 204, {**_CAL, "If-Match": first.etag}
    )
    seen = desk.get(paths[1])
    body = seen.text.replace("SUMMARY", "DESCRIPTION:Allergie: Penicillin\r\nSUMMARY")
    desk.put(paths[1], body, 204, {**_CAL, "If-Match": seen.etag})
    place.rest(1.2)
    listed = me.send("PROPFIND", "/rezeption/plan/", 207, xml, find)
    place.sure(held.etag.strip('"') not in listed.text)
    me.put(
        paths[1],
        held.text.replace("Patient 1", "Patient 1 (verschoben)"),
        204,
        {**_CAL, "If-Match": held.etag},
    )
    place.sure("Penicillin" not in me.get(paths[1]).text)


@case(
    "e137",
    "vin-saves-that-became-reads",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description=(
        "Caddy moves an old path to a new one with 302. A client library follows it for a PUT with If-Match by a GET without "
        "content and takes the 200 for a save; a later read shows that nothing was stored."
    ),
)
def moved(stage: Stage) -> None:
    """Follow."""
    docs = {f"/v2/touren/{n}": {"tour": n, "fahrer": "Nowak", "stopps": 8 + n} for n in (71, 72)}
    box = Box(docs, _row)
    lines = "@alt path_regexp alt ^/v1/(.*)$\n redir @alt /v2/{re.alt.1} 302"
    server = fronts.caddy(stage, place.open_box(stage, box, "falcon"), lines)
    me = stage.actor(
        "client", server, "touren.bote.example", "requests:follow", {"User-Agent": "Disponent/5"}
    )
    me.get("/v2/touren")
    for tour in (71, 72):
        seen = me.get(f"/v1/touren/{tour}")
        got = me.put(f"/v1/touren/{tour}", {**seen.json, "fahrer": "Öztürk"}, 200, {"If-Match": seen.etag})
        place.sure(got.json["fahrer"] == "Nowak")
        place.rest(0.5)
    me.send("POST", "/telemetry", 204, None, {"event": "gespeichert", "touren": [71, 72]})
    place.sure(me.get("/v2/touren/72").json["fahrer"] == "Nowak")


@case(
    "e124",
    "vin-two-nodes-with-files-of-two-times",
    "inconsistent-backends",
    "not-revalidated",
    alone="inconsistent-backends",
    description=(
        "HAProxy takes two nginx nodes in turns whose deployment wrote the same files a quarter of an hour apart: tags and "
        "dates alternate with X-Node while the octets are the same, so a kiosk's If-None-Match is hardly ever 304 and it "
        "loads everything again."
    ),
)
def nodes(stage: Stage) -> None:
    """Alternate."""
    files = {
        "katalog.json": '{"artikel":[' + ",".join(str(n) for n in range(200)) + "]}",
        "farben.css": "b{color:#111}\n",
    }
    ports = [fronts.site(stage, "nginx", files, age=age) for age in (9000, 8100)]
    server = fronts.haproxy(stage, ports, " http-response set-header X-Node %s")
    me = stage.actor("client", server, "kiosk.moebel.example", "node:axios", {"User-Agent": "Kiosk/6.0"})
    tags = [me.get(path).etag for path in ("/katalog.json", "/farben.css", "/katalog.json")]
    held = tags[0]
    for _ in range(6):
        place.rest(0.4)
        got = me.send("GET", "/katalog.json", (200, 304), {"If-None-Match": held})
        held = got.fields.get("etag", held)
        tags.append(held)
        me.send("GET", "/farben.css", (200, 304), {"If-None-Match": tags[1]})
        me.send("HEAD", "/farben.css", 200)
    place.sure(len({one for one in tags if one != tags[1]}) == 2)


@case(
    "e156",
    "vin-express-tags-that-never-come-again",
    "unstable-etag",
    "not-revalidated",
    alone="unstable-etag",
    description=(
        "A service on Express puts a trace id into the content of one resource, and the tag is made from the content: the "
        "wall panel's If-None-Match never meets 304 there though limit and use are as they were, while the rooms beside it "
        "are 304 each time."
    ),
)
def quota(stage: Stage) -> None:
    """Ask again and again."""
    server = fronts.nginx(stage, place.node_app(stage, "vin_quota.js", "express", "/"))
    me = stage.actor("client", server, "raeume.campus.example", "aiohttp", {"User-Agent": "Wandtafel/2"})
    me.get("/api/rooms")
    room, tag = me.get("/api/rooms/aula").etag, me.get("/api/rooms/aula/quota").etag
    for _ in range(5):
        place.rest(0.3)
        me.get("/api/rooms/aula", 304, {"If-None-Match": room})
        fresh = me.get("/api/rooms/aula/quota", 200, {"If-None-Match": tag}).etag
        place.sure(fresh != tag)
        tag = fresh


@case(
    "e135",
    "vin-two-cashiers-take-the-last-seats",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race precondition-ignored",
    description=(
        "A box office's gateway passes on two cashiers' sales with the same If-Match, which overlap: the service checks, "
        "waits for its payment provider, and then writes, so both are 200 and one sale is gone. Sales one after the other "
        "in the same file are chained properly."
    ),
)
def cashiers(stage: Stage) -> None:
    """Sell the seats twice."""
    box = Box({f"/vorstellungen/{n}": {"saal": n, "verkauft": []} for n in (1, 2)}, _row)
    box.gap = 0.35
    server = fronts.nginx(stage, place.open_box(stage, box, "flask"))
    me = stage.actor("client", server, "kasse.theater.example", "httpx", {"User-Agent": "Kassengateway/9"})
    users = [{"Authorization": f"Bearer kasse-{name}", "X-User": name} for name in ("ost", "west")]
    for user in users:
        me.get("/me", 200, user)
        me.get("/vorstellungen", 200, user)

    def sell(seen: Answer, seat: str, user: dict[str, str]) -> Answer:
        body = {**seen.json, "verkauft": [*seen.json["verkauft"], f"{seat}:{user['X-User']}"]}
        return me.put(f"/vorstellungen/{body['saal']}", body, 200, {**user, "If-Match": seen.etag})

    seen = me.get("/vorstellungen/1", 200, users[0])
    seen = sell(seen, "A1", users[0])
    sell(seen, "A2", users[1])
    first, second = (me.get("/vorstellungen/2", 200, user) for user in users)
    place.at_once(partial(sell, first, "C7", users[0]), partial(sell, second, "C9", users[1]), apart=0.12)
    place.rest(0.6)
    place.sure(len(me.get("/vorstellungen/2", 200, users[0]).json["verkauft"]) == 1)


@case(
    "e132",
    "vin-packed-reads-and-plain-saves",
    "none",
    "healthy",
    alone="none",
    description=(
        "nginx packs and weakens the tags of a glossary. Readers revalidate with the weak ones (304), and before each save "
        "the editor reads with identity and sends the strong one: all taken. A revision goes along in the content too."
    ),
)
def packed(stage: Stage) -> None:
    """Know what to send."""
    docs = {f"/glossar/{n}": {"wort": n, "text": "Erklärung " * 20} for n in ("anker", "bug", "heck")}
    box = Versions(docs, "revision", tag=_short, first=3)
    server = fronts.nginx_gzip(stage, place.open_box(stage, box, "waitress"))
    me = stage.actor("client", server, "glossar.museum.example", "requests", {"User-Agent": "Redaktion/8"})
    for word in docs:
        weak = me.get(word)
        place.sure(weak.etag.startswith("W/"))
        me.get(word, 304, {"If-None-Match": weak.etag})
        plain = me.get(word, 200, {"Accept-Encoding": "identity"})
        place.rest(0.3)
        me.put(
            word,
            {**plain.json, "text": "Neu " * 20},
            200,
            {"If-Match": plain.etag, "Accept-Encoding": "identity"},
        )
    me.get("/glossar")


@case(
    "e136",
    "vin-squid-copies-and-fresh-reads-before-saves",
    "none",
    "healthy",
    alone="none",
    description=(
        "A planner reads rosters through Squid, with an Age and HIT most of the time; before each save it reads with "
        "no-cache, rebases on what a colleague did meanwhile, and is taken."
    ),
)
def fresh(stage: Stage) -> None:
    """Read afresh before each save."""
    docs = {f"/dienste/{day}": {"tag": day, "frueh": "Ana", "spaet": "Bo"} for day in ("mo", "di", "mi")}
    box = Box(docs, _row, dates=True)
    box.extra["Cache-Control"] = "max-age=60"
    inner = place.open_box(stage, box, "cheroot")
    server = fronts.squid(stage, inner, site="dienste.klinik.example")
    me = stage.actor("client", server, "dienste.klinik.example", "urllib", {"User-Agent": "Dienstplan/3"})
    other = stage.actor("other", inner, "dienste.klinik.example", "httpx", {"User-Agent": "Dienstplan/3"})
    me.get("/dienste/mo")
    me.get("/dienste/mi")
    place.rest(1.1)
    me.get("/dienste/mo")
    seen = other.get("/dienste/mo")
    other.put("/dienste/mo", {**seen.json, "spaet": "Cem"}, 200, {"If-Match": seen.etag})
    now = me.get("/dienste/mo", 200, {"Cache-Control": "no-cache"})
    place.sure(now.json["spaet"] == "Cem")
    saved = me.put("/dienste/mo", {**now.json, "frueh": "Dana"}, 200, {"If-Match": now.etag})
    place.rest(0.4)
    me.get("/dienste/mi")
    me.put("/dienste/mo", {**saved.json, "nacht": "Eli"}, 200, {"If-Match": saved.etag})
    done = me.get("/dienste/mo", 200, {"Cache-Control": "no-cache"}).json
    place.sure((done["frueh"], done["spaet"], done["nacht"]) == ("Dana", "Cem", "Eli"))
