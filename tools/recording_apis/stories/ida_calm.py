"""Healthy traffic that looks like trouble: retries that go well, refreshed caches, overwrites that are meant."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ida_setting as place


@case(
    "b070",
    "busy-core-and-patient-client",
    "none",
    "healthy",
    alone="none",
    description=(
        "The claims desk answers 503 with Retry-After twice; the client waits, sends the same save with the same "
        "tag again each time, and the third is stored. Nothing had been before."
    ),
)
def patient(stage: Stage) -> None:
    """Repeat a save that was not taken."""
    server = place.service(stage, "claims", BUSY="2")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, place.CLAIMS, "requests", {"X-Adjuster": "m.osei"})
    place.poll(me, [place.LIST, place.OTHER_CLAIM], 2)
    tag = me.get(place.CLAIM).etag
    for expect in (503, 503, 200):
        answer = me.put(place.CLAIM, place.claim(reserve=4900), expect, {"If-Match": tag})
        time.sleep(1.05 if expect == 503 else 0)
    more = place.claim(reserve=4900, status="survey")
    me.put(place.CLAIM, more, 200, {"If-Match": answer.etag})
    me.get(place.CLAIM)


@case(
    "b071",
    "lost-answer-read-back",
    "none",
    "healthy",
    alone="none",
    description=(
        "The answer to a change is lost; the gauge does not repeat it but reads its twin, finds its own change "
        "number there, and goes on with the tag of that read."
    ),
)
def read_back(stage: Stage) -> None:
    """Look before a write is repeated."""
    server = place.service(stage, "hub")
    always = {"X-Operator": "device:TG-0411", "User-Agent": "tg-fw/4.3.0"}
    me = stage.actor("client", server, place.HUB, "httpx", always, loses=place.first_of("PUT"))
    me.get("/changes")
    tag = me.get(place.TWIN).etag
    me.put(place.TWIN, place.twin(alarm=3.6, change="c-0411-9021"), 0, {"If-Match": tag})
    time.sleep(0.6)
    now = me.get(place.TWIN)
    place.require(now.json["desired"]["change"] == "c-0411-9021", "not stored")
    next_one = place.twin(alarm=3.6, interval=450, change="c-0411-9022")
    me.put(place.TWIN, next_one, 200, {"If-Match": now.etag})
    me.get("/changes")


@case(
    "b072",
    "cache-asked-for-the-current-state",
    "none",
    "healthy",
    alone="none",
    description=(
        "A screen shows twins from Varnish (HIT, Age), also one that a colleague has changed since; before it edits "
        "it reads past the cache, edits what it gets there, and its save passes."
    ),
)
def current(stage: Stage) -> None:
    """Edit only what was read past the cache."""
    server = place.service(stage, "hub", HINT="public, max-age=45")
    rule = 'sub vcl_recv { if (req.http.Cache-Control ~ "no-cache") { set req.hash_always_miss = true; } }\n'
    front = fronts.varnish(stage, server, rule)
    me = stage.actor("client", front, place.HUB, "node:fetch", {"X-Operator": "ops-3"})
    other = stage.actor("other", server, place.HUB, "requests", {"X-Operator": "ops-7"})
    place.poll(me, ["/twins", place.TWIN, "/twins/TG-0412"], 3)
    seen = other.get(place.TWIN).etag
    other.send("PATCH", place.TWIN, 200, {"If-Match": seen}, {"alarm": 3.0})
    place.poll(me, [place.TWIN, "/twins/TG-0412"], 2, 0.6)
    past = {"Cache-Control": "no-cache"}
    now = me.get(place.TWIN, 200, past)
    body = {**now.json["desired"], "interval": 450}
    place.require(body["alarm"] == 3.0, "an old state")
    new = me.put(place.TWIN, body, 200, {"If-Match": now.etag}).etag
    place.require(me.get(place.TWIN, 200, past).etag == new, "another tag")
    place.poll(me, ["/twins"], 2)


@case(
    "b073",
    "factory-reset-is-meant",
    "none",
    "healthy",
    alone="none",
    description=(
        "A technician resets four gauges to factory settings with If-Match: *, which says that the present state "
        "does not matter as long as there is one; a gauge out of the list is 404 and left alone."
    ),
)
def reset(stage: Stage) -> None:
    """Overwrite on purpose."""
    server = place.service(stage, "hub")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, place.HUB, "curl", {"X-Operator": "technician-2"})
    me.get("/twins")
    factory = {"interval": 900, "firmware": "factory", "site": "", "alarm": 3.0}
    for serial in ("TG-0411", "TG-0412", "TG-0499", "TG-0420", "TG-0433"):
        if serial == "TG-0499":
            me.get("/twins/TG-0499", 404)
            continue
        me.put(f"/twins/{serial}", factory, 200, {"If-Match": "*"})
    me.get("/twins")


@case(
    "b074",
    "a-day-of-polling",
    "none",
    "healthy",
    alone="none",
    description=(
        "A board polls claims through an nginx that compresses (weak tags, many 304) while an adjuster's session "
        "in the same file reads with identity and saves in a chain, each time with the tag of the last answer."
    ),
)
def polling(stage: Stage) -> None:
    """Poll a lot and save a little."""
    server = place.service(stage, "claims")
    front = fronts.nginx_gzip(stage, server)
    me = stage.actor("client", front, place.CLAIMS, "requests", {"X-Adjuster": "r.achterberg"})
    paths = [place.LIST, place.OTHER_CLAIM, "/claims/v3/claims/CLM-88302", "/claims/v3/policies/POL-3310"]
    place.poll(me, paths, 10, 0.02)
    tag = me.get(place.CLAIM, 200, place.PLAIN).etag
    for status in ("survey", "quoted", "approved"):
        guard = {"If-Match": tag, **place.PLAIN}
        tag = me.put(place.CLAIM, place.claim(status=status), 200, guard).etag
        place.poll(me, paths, 4, 0.02)
    me.get("/claims/v3/claims/CLM-99999", 404)
    place.poll(me, paths, 4, 0.02)


@case(
    "b075",
    "token-ran-out-in-the-middle",
    "none",
    "healthy",
    alone="none",
    description=(
        "A save is 401 since the access token is missing; the client signs in and sends the same save with the "
        "same If-Match again, which passes: nothing had been stored before."
    ),
)
def renewed(stage: Stage) -> None:
    """Repeat a save after a sign-in."""
    server = place.service(stage, "claims", AUTH="1", NEED="1")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, place.CLAIMS, "node:axios")
    mine = place.sign_in(me, "s.ibarra")
    me.get(place.LIST, 200, mine)
    tag = me.get(place.CLAIM, 200, mine).etag
    me.put(place.CLAIM, place.claim(reserve=4210), 401, {"If-Match": tag})
    mine = place.sign_in(me, "s.ibarra")
    tag = me.put(place.CLAIM, place.claim(reserve=4210), 200, {**mine, "If-Match": tag}).etag
    me.get(place.CLAIM, 304, {**mine, "If-None-Match": tag})


@case(
    "b076",
    "redirect-that-keeps-the-method",
    "none",
    "healthy",
    alone="none",
    description=(
        "HAProxy redirects the old path with 307; the library repeats the PUT with its If-Match and body at the "
        "new one and it is stored there, once."
    ),
)
def keeps(stage: Stage) -> None:
    """Follow a redirect with the same method."""
    server = place.service(stage, "hub")
    rule = " http-request redirect code 307 location http://%[hdr(host)]/twins/%[path,field(4,/)] if { path_beg /v1/ }"
    front = fronts.haproxy(stage, [server], "", rule)
    me = stage.actor("client", front, place.HUB, "requests:follow", {"X-Operator": "legacy-tool"})
    tag = me.get("/v1/twins/TG-0412").etag
    told = me.put("/v1/twins/TG-0412", place.twin("TG-0412", interval=60), 200, {"If-Match": tag})
    now = me.get("/v1/twins/TG-0412")
    place.require(now.json["desired"]["interval"] == 60 and now.etag == told.etag, "not written")
    me.put("/v1/twins/TG-0412", place.twin("TG-0412", interval=90), 200, {"If-Match": now.etag})


@case(
    "b077",
    "nodes-that-agree",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two vault nodes behind Traefik make the same tags of the same drawings: polls that move from one to the "
        "other are 304, whichever answers."
    ),
)
def agree(stage: Stage) -> None:
    """Poll two nodes with one set of tags."""
    stage.keeps_content = False
    servers = [place.service(stage, "vault") for _ in range(2)]
    front = fronts.traefik(stage, servers)
    me = stage.actor("client", front, place.VAULT, "aiohttp", {"X-Vault-User": "viewer"})
    paths = ["/vault/documents/BW-20417", "/vault/documents/BW-31002", "/vault/documents/BW-31010"]
    tags = {path: me.get(path).etag for path in paths}
    for _ in range(5):
        for path in paths:
            me.get(path, 304, {"If-None-Match": tags[path]})
    me.get("/vault/documents/BW-00000", 404)


@case(
    "b078",
    "download-resumed-with-if-range",
    "none",
    "healthy",
    alone="none",
    description=(
        "A firmware download breaks off and goes on with Range and If-Range; the file is the same, so the rest "
        "comes as 206 parts with one tag."
    ),
)
def resumed(stage: Stage) -> None:
    """Resume a download of what has not changed."""
    image = b"".join(bytes([number % 241]) * 24 for number in range(400))
    server = fronts.site(stage, "nginx", {"fw/tg-4.3.bin": image, "fw/index.json": '{"latest":"4.3"}'})
    agent = {"User-Agent": "tg-bootloader/1.4"}
    loses = place.first_of("GET")
    me = stage.actor("client", server, "fw.tidegauge.test", "urllib", agent, loses=loses)
    me.get("/fw/index.json", 0)
    me.get("/fw/index.json")
    tag = me.get("/fw/tg-4.3.bin", 206, {"Range": "bytes=0-2399"}).etag
    for start in range(2400, 9600, 2400):
        part = me.get("/fw/tg-4.3.bin", 206, {"Range": f"bytes={start}-{start + 2399}", "If-Range": tag})
        place.require(part.etag == tag, "another tag")
    me.get("/fw/tg-4.3.bin", 304, {"If-None-Match": tag})


@case(
    "b079",
    "shifts-handed-over-by-the-book",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two planners change the same three days in turns; each reads a day right before the edit, keeps what the "
        "other had entered, and saves with that tag. No save is refused and nothing is lost."
    ),
)
def handed(stage: Stage) -> None:
    """Take turns."""
    server = place.service(stage, "rota")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, place.ROTA, "httpx", {"X-Personal-Nr": "70012"})
    other = stage.actor("other", front, place.ROTA, "requests", {"X-Personal-Nr": "70340"})
    days = ["c4/2026-12-01", "c4/2026-12-02", "c4/2026-12-03"]
    for turn, (slot, name) in enumerate((("early", "Lind"), ("late", "Abbas"), ("night", "Sander"))):
        for actor in (other, me):
            for day in days:
                now = actor.get(f"/rota/{day}")
                shift = now.json["shift"]
                kept = {one: shift[one] for one in ("early", "late", "night")}
                who = name if actor is me else f"{name} ({turn})"
                actor.put(f"/rota/{day}", {**kept, slot: who}, 200, {"If-Match": now.etag})
            actor.get("/rota/c4")


@case(
    "b080",
    "server-clock-fast-but-echoed",
    "none",
    "healthy",
    alone="none",
    description=(
        "The hub stamps its states eleven minutes ahead of its own Date; the client sends back the dates it was "
        "given and nothing else, and each of its changes passes."
    ),
)
def echoed(stage: Stage) -> None:
    """Send back what was served."""
    server = place.service(stage, "hub", NOTAG="1", AHEAD="660", AGE="500")
    me = stage.actor("client", server, place.HUB, "java", {"X-Operator": "ops-1"})
    me.get("/twins")
    date = me.get(place.TWIN).fields["last-modified"]
    for interval in (120, 240, 480):
        guard = {"If-Unmodified-Since": date}
        date = me.send("PATCH", place.TWIN, 200, guard, {"interval": interval}).fields["last-modified"]
        time.sleep(1.1)
    me.get(place.TWIN, 304, {"If-Modified-Since": date})


@case(
    "b081",
    "numbers-taken-and-given-back",
    "none",
    "healthy",
    alone="none",
    description=(
        "Drawing numbers are looked up (404), taken with If-None-Match: *, saved with the tag of the answer, one "
        "is deleted with its tag and, being 404 again, taken once more."
    ),
)
def numbers(stage: Stage) -> None:
    """Create, change, delete and create again."""
    server = place.service(stage, "vault", NEED="1")
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, place.VAULT, "requests", {"X-Vault-User": "numbering"})
    new = {**place.XML, "If-None-Match": "*"}
    tags = {}
    for number in ("BW-50001", "BW-50002", "BW-50003"):
        path = f"/vault/documents/{number}"
        me.get(path, 404)
        tag = me.put(path, place.drawing("Reserved"), 201, new).etag
        guard = {**place.XML, "If-Match": tag}
        tags[path] = me.put(path, place.drawing(f"Stud {number[-1]}"), 200, guard).etag
    gone = "/vault/documents/BW-50002"
    me.send("DELETE", gone, 204, {"If-Match": tags[gone]})
    me.get(gone, 404)
    me.put(gone, place.drawing("Washer"), 201, new)
    me.get("/vault/documents")


@case(
    "b082",
    "compressed-with-its-own-tag",
    "none",
    "healthy",
    alone="none",
    description=(
        "Apache compresses claims but is told to leave tags as they are (DeflateAlterETag NoChange): saves with "
        "the tag of a compressed read pass, and so do 304 polls."
    ),
)
def unaltered(stage: Stage) -> None:
    """Save with the tag of a compressed read."""
    server = place.service(stage, "claims", PAD="900")
    front = fronts.apache(stage, server, "SetOutputFilter DEFLATE\nDeflateAlterETag NoChange")
    me = stage.actor("client", front, place.CLAIMS, "urllib", {"X-Adjuster": "j.lindqvist", **place.GZIP})
    me.get("/claims/v3/policies/POL-3310")
    seen = me.get(place.CLAIM)
    place.require(seen.fields.get("content-encoding") == "gzip", "not compressed")
    tag = me.put(place.CLAIM, place.claim(reserve=4333), 200, {"If-Match": seen.etag}).etag
    for _ in range(3):
        me.get(place.CLAIM, 304, {"If-None-Match": tag})
    me.put(place.CLAIM, place.claim(reserve=4334), 200, {"If-Match": me.get(place.CLAIM).etag})


@case(
    "b083",
    "four-workers-four-drawings",
    "none",
    "healthy",
    alone="none",
    description=(
        "Four workers of one release job save at the same moment, each another drawing with its own tag; all "
        "pass, and a second round with the tags of the answers does as well."
    ),
)
def parallel(stage: Stage) -> None:
    """Write four things at once."""
    server = place.service(stage, "vault")
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, place.VAULT, "httpx", {"X-Vault-User": "release-job"})
    me.get("/vault/documents")
    paths = [f"/vault/documents/BW-{number}" for number in ("20417", "20418", "31002", "31010")]
    for text in ("Released", "Released, stamped"):
        tags = {path: me.get(path).etag for path in paths}
        calls = [
            lambda path=path, tag=tag, text=text: me.put(
                path, place.drawing(f"{text} {path[-5:]}"), 200, {**place.XML, "If-Match": tag}
            )
            for path, tag in tags.items()
        ]
        place.require(place.at_once(calls, 0.02) == [200] * 4, "one was refused")
    me.get("/vault/documents")


@case(
    "b084",
    "portal-with-exposed-tags",
    "none",
    "healthy",
    alone="none",
    description=(
        "The portal's script on another origin reads ETag, which is exposed; preflights ask for If-Match, two "
        "saves carry the fresh tag each, and the reads after them are answered from the rota."
    ),
)
def exposed(stage: Stage) -> None:
    """Save from a page that sees the tag."""
    server = place.service(
        stage, "rota", CORS=place.Page.site, ALLOW="content-type, if-match", EXPOSE="ETag, Request-Id"
    )
    page = place.Page(stage, server, place.ROTA)
    try:
        page.call("GET", "/rota/c4", 200)
        tag = page.call("GET", place.SHIFT, 200)
        for night in ("Abbas", "Sander"):
            tag = page.call("PUT", place.SHIFT, 200, tag, place.shift(night=night))
            page.call("GET", "/rota/icu", 200, mode="no-store")
        page.call("GET", place.SHIFT, 200, mode="reload")
    finally:
        page.finish()
