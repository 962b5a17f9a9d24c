"""What stands between: encoders, caches, balancers, redirects and filters before business services."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from tools.recording.components import ENVOY_COMPRESSOR
from tools.recording_apis import fronts
from tools.recording_apis.apps.ria_desk import Desk, Lagging, counted, revision
from tools.recording_apis.apps.ria_ground import Ask, Reply, serve
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.ria_setting import arrive, linger, need, rest, together

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server

_BR = {"Accept-Encoding": "br"}
_JSON = {"Content-Type": "application/json"}


@case(
    "b817",
    "ria-brotli-suffix-on-theatre-seats",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache compresses a theatre's seat plans with Brotli and appends -br to their tags. The box office sends "
        "that tag back and is refused; the tag of a read without compression is accepted."
    ),
)
def brotli(stage: Stage) -> None:
    """Send a tag with a coding's name in it."""
    plan = {"hall": "Grosses Haus", "rows": dict.fromkeys("ABCDEFGH", "." * 24), "blocked": ["A1", "A2"]}
    desk = Desk({"/seating/evening-2711": plan, "/seating/matinee-2911": plan}, tag=counted, first=41)
    front = fronts.apache(stage, serve(stage, desk, "cheroot"), "SetOutputFilter BROTLI_COMPRESS")
    me = stage.actor("client", front, "kasse.schauspiel.test", "urllib", {"X-Till": "2", "Accept": "*/*"})
    me.get("/seating", 200, _BR)
    tag = me.get("/seating/evening-2711", 200, _BR).etag
    need(tag == '"41-br"', tag)
    new = {**plan, "blocked": ["A1", "A2", "C7"]}
    me.put("/seating/evening-2711", new, 412, {**_BR, "If-Match": tag})
    me.get("/seating/matinee-2911", 304, {**_BR, "If-None-Match": '"41-br", "41"'})
    again = me.get("/seating/evening-2711", 200, _BR).etag
    me.put("/seating/evening-2711", new, 412, {**_BR, "If-Match": again})
    plain = me.get("/seating/evening-2711", 200, {"Accept-Encoding": "identity"}).etag
    me.put("/seating/evening-2711", new, 200, {"If-Match": plain, "Accept-Encoding": "identity"})


@case(
    "b818",
    "ria-recipes-compressed-at-the-edge",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "The production recipes of a paint works are compressed by nginx, which makes strong tags weak. Three saves "
        "in an evening are refused; the same recipe read without compression has the strong tag, and it works."
    ),
)
def recipes(stage: Stage) -> None:
    """Send weakened tags."""
    base = {
        "product": "Primer 440",
        "batch": 1200,
        "steps": [f"Stir {n} min at {20 + n} °C" for n in range(5)],
    }
    desk = Desk({f"/recipes/p{n}": {**base, "id": n} for n in (440, 441, 460)}, dated=True)
    front = fronts.nginx_gzip(stage, serve(stage, desk, "tornado"))
    me = stage.actor("client", front, "mes.farben.test", "httpx", {"Authorization": "Bearer shift-b"})
    me.get("/recipes")
    for number in (440, 441):
        seen = me.get(f"/recipes/p{number}")
        need(seen.etag.startswith("W/"), "strong")
        me.put(f"/recipes/p{number}", {**base, "id": number, "batch": 900}, 412, {"If-Match": seen.etag})
        rest(0.4)
    need(me.get("/recipes/p440").json["batch"] == 1200, "it was written")
    strong = me.get("/recipes/p440", 200, {"Accept-Encoding": "identity"}).etag
    linger(me)
    me.put("/recipes/p440", {**base, "id": 440, "batch": 900}, 200, {"If-Match": strong})


@case(
    "b819",
    "ria-balancer-deletes-the-condition",
    "precondition-stripped",
    "lost-update",
    alone="none",
    description=(
        "HAProxy deletes If-Match on the way to a port's berth plan (left over from a static site). The planner "
        "saves over the pilot's change with an old tag and is told 200."
    ),
)
def deleted(stage: Stage) -> None:
    """Write through a balancer that deletes the condition."""
    plan = {"berth": "Kade 7", "vessel": "MV Aurora", "eta": "2026-11-28T06:00Z", "pilot": None, "tugs": 1}
    desk = Desk({"/berths/k7": plan, "/berths/k8": {**plan, "berth": "Kade 8", "vessel": None}})
    front = fronts.haproxy(stage, [serve(stage, desk, "uvicorn")], " http-request del-header if-match")
    me = stage.actor("client", front, "plan.haven.test", "node:axios", {"X-User": "planner"})
    other = stage.actor("other", front, "plan.haven.test", "requests", {"X-User": "loods"})
    arrive(me)
    me.get("/berths")
    tag = me.get("/berths/k7").etag
    me.get("/berths/k8")
    seen = other.get("/berths/k7").etag
    other.put("/berths/k7", {**plan, "pilot": "J. de Wit", "tugs": 2}, 200, {"If-Match": seen})
    rest(0.9)
    me.put("/berths/k7", {**plan, "eta": "2026-11-28T07:30Z"}, 200, {"If-Match": tag})
    linger(me)
    me.get("/berths")
    rest(0.4)
    need(other.get("/berths/k7").json["pilot"] is None, "nothing was lost")


_MISS = 'sub vcl_recv { if (req.http.Cache-Control ~ "no-cache") { set req.hash_always_miss = true; } }\n'
_KEEP = 'sub vcl_backend_response { if (bereq.method == "GET") { set beresp.ttl = 90s; } }\n'


@case(
    "b820",
    "ria-varnish-keeps-the-price-list",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Varnish keeps reads of a florist's price list for 90 s. After its own save the shop reads the old list from "
        "the store (Age), is refused with its tag, reads again, is refused again; a read with no-cache heals it."
    ),
)
def florist(stage: Stage) -> None:
    """Read an old list after one's own save."""
    desk = Desk(
        {"/prices/roses": {"eur": "2.40", "unit": "stem"}, "/prices/tulips": {"eur": "0.80"}}, tag=revision
    )
    front = fronts.varnish(stage, serve(stage, desk, "waitress"), _MISS + _KEEP)
    me = stage.actor("client", front, "preise.blumen.test", "requests", {"X-Shop": "Hauptstrasse"})
    arrive(me)
    me.get("/prices")
    tag = me.get("/prices/roses").etag
    me.get("/prices/tulips")
    me.put("/prices/roses", {"eur": "2.60", "unit": "stem"}, 200, {"If-Match": tag})
    rest(1.2)
    for _ in range(2):
        old = me.get("/prices/roses")
        need(old.etag == tag and int(old.fields["age"]) > 0, "not stored")
        me.put("/prices/roses", {"eur": "2.60", "unit": "stem", "promo": True}, 412, {"If-Match": old.etag})
        rest(1.0)
    new = me.get("/prices/roses", 200, {"Cache-Control": "no-cache"}).etag
    me.put("/prices/roses", {"eur": "2.60", "unit": "stem", "promo": True}, 200, {"If-Match": new})


@case(
    "b821",
    "ria-reads-from-the-second-data-centre",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "Reads of a fleet register come from a copy in another data centre, 1.6 s behind. Twice the workshop saves, "
        "reads its own save back too early, is refused with the old tag, and sees its save a little later."
    ),
)
def far(stage: Stage) -> None:
    """Read too early from a copy."""
    van = {"plate": "TÜ-KV 311", "km": 88_120, "service": None, "state": "workshop"}
    desk = Desk({"/vans/311": van, "/vans/312": {**van, "plate": "TÜ-KV 312"}}, tag=counted, first=7)
    writes = serve(stage, desk, "cheroot", name="primary")
    reads = serve(stage, Lagging(desk, 1.6), "cheroot", name="replica")
    front = fronts.split(stage, writes, reads)
    me = stage.actor("client", front, "fuhrpark.kv.test", "node:fetch", {"X-Mechanic": "aydin"})
    me.get("/vans")
    for change in ({"km": 88_140}, {"service": "oil"}):
        seen = me.get("/vans/311")
        doc = {**seen.json, **change}
        new = me.put("/vans/311", doc, 200, {"If-Match": seen.etag}).etag
        rest(0.3)
        old = me.get("/vans/311")
        need(old.etag == seen.etag, "not behind")
        me.put("/vans/311", {**doc, "state": "ready"}, 412, {"If-Match": old.etag})
        rest(1.9)
        late = me.get("/vans/311")
        need(late.etag == new, "still behind")
        me.put("/vans/311", {**doc, "state": "ready"}, 200, {"If-Match": late.etag})
        rest(1.8)


@case(
    "b822",
    "ria-two-file-servers-two-inodes",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Traefik takes turns between two Apache servers on copies of the same share; their tags contain the inode. "
        "Equal bytes have two tags, and every write meets the server that the tag is not from."
    ),
)
def inodes(stage: Stage) -> None:
    """Read from one file server and write to the other."""
    files = {
        "plans/roof.txt": "Roof, revision C\nTiles: 4120\nGutter: zinc\n",
        "plans/floor.txt": "Floor, rev A\n",
    }
    moment = time.time() - 90_000
    nodes: list[Server] = []
    for _ in range(2):
        lines = fronts.DAV["apache2"] + "\nFileETag INode MTime Size"
        nodes.append(fronts.site(stage, "apache2", files, lines))
        for name in files:
            os.utime(nodes[-1].directory / name, (moment, moment))
    front = fronts.traefik(stage, nodes)
    me = stage.actor(
        "client", front, "share.architekten.test", "curl:trace-time", {"User-Agent": "plansync/2.3"}
    )
    seen = [me.get("/plans/roof.txt") for _ in range(4)]
    need(len({one.etag for one in seen}) == 2 and len({one.body for one in seen}) == 1, "not two tags")
    text = files["plans/roof.txt"] + "Dormer: 2\n"
    me.put("/plans/roof.txt", text, (412,), {"If-Match": seen[-1].etag})
    again = me.get("/plans/roof.txt")
    need(again.body == seen[0].body, "it was written")
    me.put("/plans/roof.txt", text, (412,), {"If-Match": again.etag})
    for _ in range(2):
        me.get("/plans/roof.txt")


@case(
    "b823",
    "ria-haproxy-retries-a-slow-save",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412 lost-response-replay",
    description=(
        "HAProxy (retry-on response-timeout) sends a save of a duty roster again when the service commits it but "
        "answers late; the browserless client gets the 412 of the second copy, and finds its own state."
    ),
)
def retried(stage: Stage) -> None:
    """Let HAProxy repeat a write."""
    roster = {"week": 48, "nights": {"mon": "Okafor", "tue": "Lindqvist", "wed": None}, "version": 3}

    class Late(Desk):
        """Commit the first save of a Wednesday at once and answer it late."""

        slow = True

        def write(self, path: str, ask: Ask) -> Reply:
            made = super().write(path, ask)
            if made.status == 200 and self.slow and path.endswith("48"):
                self.slow = False
                time.sleep(1.9)
            return made

    desk = Late({"/roster/48": roster, "/roster/49": {**roster, "week": 49}}, dated=True)
    lines = " retry-on response-timeout conn-failure\n retries 2\n timeout server 1s"
    front = fronts.haproxy(stage, [serve(stage, desk, "uvicorn")], lines)
    me = stage.actor("client", front, "dienst.klinik.test", "aiohttp", {"Authorization": "Bearer pd-17"})
    me.get("/roster")
    nine = me.get("/roster/49")
    me.put("/roster/49", {**nine.json, "version": 4}, 200, {"If-Match": nine.etag})
    tag = me.get("/roster/48").etag
    new = {**roster, "nights": {"mon": "Okafor", "tue": "Lindqvist", "wed": "Haddad"}, "version": 4}
    me.put("/roster/48", new, 412, {"If-Match": tag, "X-Request-Id": "7c1e-48-wed"})
    need(me.get("/roster/48").json == new, "it was not written")
    me.get("/roster")
    rest(1.0)


@case(
    "b824",
    "ria-traefik-removes-the-tag",
    "validator-stripped",
    "428",
    alone="token-missing validator-stripped",
    also="token-missing",
    description=(
        "A security profile of Traefik removes ETag from every answer of a grants office, which insists on a "
        "condition. The client reads thrice, never sees a tag and gets 428; the origin's file has the tags."
    ),
)
def removed(stage: Stage) -> None:
    """Read without ever seeing a tag."""
    grant = {"applicant": "Verein Flussbad", "sum": 14_000, "currency": "CHF", "decision": None}
    desk = Desk(
        {"/grants/2026-118": grant, "/grants/2026-119": {**grant, "applicant": "Chor Enge"}}, need=True
    )
    middle = '    plain:\n      headers:\n        customResponseHeaders:\n          ETag: ""\n'
    front = fronts.traefik(stage, [serve(stage, desk, "flask")], middle, "plain")
    me = stage.actor("client", front, "foerderung.stadt.test", "java", {"Cookie": "sid=4f1b"})
    linger(me)
    me.get("/grants")
    need("etag" not in me.get("/grants/2026-118").fields, "the tag is there")
    me.put("/grants/2026-118", {**grant, "decision": "approved"}, 428)
    me.get("/grants/2026-118", 200, {"Cache-Control": "no-cache"})
    me.put("/grants/2026-118", {**grant, "decision": "approved"}, 428)
    me.get("/grants/2026-119")


@case(
    "b825",
    "ria-nginx-store-judges-a-date-that-is-not-there",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates server-precondition-bug",
    description=(
        "Tiles of a weather map carry a tag and no date. A viewer reads with If-Unmodified-Since; nginx answers 412 "
        "from its store (X-Cache: HIT), though without Last-Modified the field is to be ignored, as the origin does."
    ),
)
def undated(stage: Stage) -> None:
    """Read with a date what has none, through a cache."""
    tile = {"z": 5, "x": 17, "y": 10, "cells": [n * 7 % 13 for n in range(40)]}
    desk = Desk(
        {f"/tiles/5/17/{y}": {**tile, "y": y} for y in (10, 11, 12, 13)},
        extra={"Cache-Control": "max-age=90"},
    )
    lines = "add_header X-Cache $upstream_cache_status always;"
    front = fronts.nginx_cache(stage, serve(stage, desk, "waitress"), 90, lines)
    me = stage.actor("client", front, "karten.wetter.test", "curl", {"User-Agent": "TileView/1.8"})
    for y in (10, 11, 12):
        me.get(f"/tiles/5/17/{y}")
    since = {"If-Unmodified-Since": "Fri, 27 Nov 2026 03:40:00 GMT"}
    for y in (10, 11, 10):
        refused = me.get(f"/tiles/5/17/{y}", 412, since)
        need(refused.fields.get("x-cache") == "HIT", "not by the store")
        rest(0.2)
    me.get("/tiles/5/17/13", 412, since)
    me.get("/tiles/5/17/13")


@case(
    "b826",
    "ria-missing-slash-makes-a-get-of-a-post",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "A courier's client posts a status to a path without the slash at its end. Caddy answers 301, the library "
        "follows with a GET, the 200 looks like success; the parcel's status is what it was."
    ),
)
def slash(stage: Stage) -> None:
    """Follow a redirect with another method."""
    parcel = {"parcel": "PK 5510", "status": "at depot", "signed_by": None}
    desk = Desk(
        {"/parcels/5510/": parcel, "/parcels/5511/": {**parcel, "parcel": "PK 5511"}}, tag=counted, first=12
    )
    lines = "@bare path_regexp bare ^/parcels/([0-9]+)$\n redir @bare /parcels/{re.bare.1}/ 301"
    front = fronts.caddy(stage, serve(stage, desk, "cheroot"), lines)
    me = stage.actor("client", front, "api.kurier.test", "requests:follow", {"X-Driver": "n.petrov"})
    tag = me.get("/parcels/5510/").etag
    me.get("/parcels/5511/")
    done = {**parcel, "status": "delivered", "signed_by": "Frau Amsel"}
    got = me.send("POST", "/parcels/5510", 200, {"If-Match": tag, "X-HTTP-Method-Override": "PUT"}, done)
    need(got.json["status"] == "at depot", "it was written")
    rest(0.5)
    me.get("/parcels/5511/")
    need(me.get("/parcels/5510/").json == parcel, "it was written")


@case(
    "b844",
    "ria-envoy-compressor-drops-strong-tags",
    "validator-stripped",
    "lost-update",
    alone="none unconditional-write validator-stripped",
    also="unconditional-write",
    description=(
        "Envoy's compressor removes the strong tag of what it compresses. The editor of a museum's labels finds no "
        "tag, saves without a condition, and the curator's text is gone. The origin's file has the tags."
    ),
)
def compressor(stage: Stage) -> None:
    """Write without a tag that was removed on the way."""
    label = {"object": "Astrolabe, Toledo 1068", "text": "Brass. " * 12, "room": "2.14", "lang": "en"}
    desk = Desk({"/labels/a-1068": label, "/labels/a-1070": {**label, "object": "Quadrant, 1070"}})
    server = serve(stage, desk, "tornado")
    front = fronts.envoy(stage, [server], ENVOY_COMPRESSOR, "", "envoy.filters.http.compressor")
    me = stage.actor("client", front, "labels.museo.test", "httpx", {"X-Editor": "labels-desk"})
    other = stage.actor("other", server, "labels.museo.test", "requests", {"X-Editor": "curator"})
    me.get("/labels")
    need("etag" not in me.get("/labels/a-1068").fields, "the tag is there")
    seen = other.get("/labels/a-1068").etag
    other.put(
        "/labels/a-1068", {**label, "text": "Brass, signed Ibrahim ibn Said. " * 3}, 200, {"If-Match": seen}
    )
    rest(0.7)
    me.put("/labels/a-1068", {**label, "room": "2.15"}, 200)
    other.get("/labels/a-1068")


@case(
    "b845",
    "ria-nginx-hands-a-slow-booking-twice",
    "intermediary-replay",
    "409",
    alone="intermediary-replay post-commit-412 lost-response-replay",
    also="status-dialect-mismatch",
    description=(
        "A booking with the version of the slot in its body takes longer than nginx waits; nginx sends it to the "
        "second server of the pair, which finds the first copy booked: 409. The slot is the client's own."
    ),
)
def booking(stage: Stage) -> None:
    """Let nginx hand a write to a second server."""
    slots: dict[str, Any] = {"s-0915": {"slot": "09:15", "guest": None, "ref": None, "version": 1}}
    slots["s-1030"] = {"slot": "10:30", "guest": "Ruiz", "ref": "R-90", "version": 2}
    waits = [1.9]

    def handle(ask: Ask) -> Reply:
        name = ask.path.rpartition("/")[2]
        if ask.method == "GET":
            return Reply(200, slots.get(name) or {"slots": list(slots)})
        sent, slot = ask.json, slots[name]
        if sent["version"] != slot["version"]:
            words = {"error": "version_conflict", "message": f"Slot is at version {slot['version']}"}
            return Reply(409, words)
        slots[name] = {**slot, "guest": sent["guest"], "ref": sent["ref"], "version": slot["version"] + 1}
        time.sleep(waits.pop() if waits else 0)
        return Reply(200, slots[name])

    server = serve(stage, handle, "cheroot", "padel/3.1")
    port = stage.behind(server)
    pair = f"upstream pair {{ server 127.0.0.1:{port} max_fails=0; server 127.0.0.1:{port} max_fails=0; }}"
    block = "location /slots/ { proxy_pass http://pair; proxy_read_timeout 1s; proxy_http_version 1.1; "
    block += 'proxy_set_header Connection ""; proxy_set_header Host $http_host; '
    block += "proxy_next_upstream error timeout non_idempotent; proxy_next_upstream_tries 2; }"
    front = fronts.nginx(stage, server, "", pair, block)
    me = stage.actor("client", front, "reserva.padel.test", "requests", {"Authorization": "Bearer app-77"})
    me.get("/slots/")
    me.get("/slots/s-1030")
    version = me.get("/slots/s-0915").json["version"]
    mine = {"guest": "Ferrer", "ref": "R-4471", "version": version}
    me.send("POST", "/slots/s-0915", 409, None, mine)
    need(me.get("/slots/s-0915").json["ref"] == "R-4471", "it was not booked")
    rest(1.0)


@case(
    "b846",
    "ria-two-saves-cross-in-one-editor",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A form saves a field when it loses the focus and the whole form on Enter: two PUTs with one tag, 60 ms "
        "apart, on two connections; the first is stored, the second refused. Traefik stands before."
    ),
)
def crossed(stage: Stage) -> None:
    """Send two saves with one tag at the same time."""
    case_file = {"file": "AZ 12-88", "judge": "Dr. Sommer", "hearing": "2027-01-14", "room": None}
    desk = Desk({"/files/12-88": case_file, "/files/12-90": {**case_file, "file": "AZ 12-90"}}, tarry=0.25)
    front = fronts.traefik(stage, [serve(stage, desk, "waitress")])
    me = stage.actor("client", front, "akte.gericht.test", "requests", {"Cookie": "JSESSIONID=A81C", **_JSON})
    arrive(me)
    me.get("/files")
    tag = me.get("/files/12-88").etag
    one = {**case_file, "room": "B 2"}
    two = {**case_file, "room": "B 2", "hearing": "2027-01-15"}
    together(
        lambda: me.put("/files/12-88", one, 200, {"If-Match": tag}),
        lambda: me.put("/files/12-88", two, 412, {"If-Match": tag}),
        apart=0.06,
    )
    need(me.get("/files/12-88").json == one, "another state")
    me.get("/files/12-90")
