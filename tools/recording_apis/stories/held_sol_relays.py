"""Unseen recordings: records on Flask behind proxies, balancers, caches and encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording.components import ENVOY_COMPRESSOR
from tools.recording_apis import fronts
from tools.recording_apis.apps.sol_ledger import Ledger
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_sol_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e000",
    "sol-varnish-keeps-what-was-before",
    "stale-cache-read",
    "wrong-200",
    alone="stale-cache-read",
    description=(
        "Varnish keeps a museum's labels for a minute and passes saves on without dropping anything: after her own "
        "save (200 with the new tag) the curator reads the old text with a growing Age, and polls with its tag are "
        "304, until a read with another query gets past the store."
    ),
)
def labels(stage: Stage) -> None:
    """Read old text after a save."""
    rows = {f"/labels/{n}": {"inv": n, "title": f"Krug {n}", "text": "Ton, um 1710"} for n in (211, 212, 213)}
    kept = Ledger(rows, fields={"Cache-Control": "max-age=60"})
    front = fronts.varnish(stage, place.ledger(stage, kept, "cheroot"))
    me = stage.actor("client", front, "tafeln.museum.test", "httpx", {"X-User": "kuratorin"})
    place.enter(me)
    me.get("/labels")
    for number in (211, 212, 213):
        me.get(f"/labels/{number}")
    seen = me.get("/labels/212")
    place.wait(1.1)
    saved = me.put("/labels/212", {**seen.json, "text": "Steinzeug, um 1725"}, 200, {"If-Match": seen.etag})
    place.wait(0.8)
    old = me.get("/labels/212")
    place.sure(old.etag == seen.etag != saved.etag and int(old.fields["age"]) > 0, old.fields)
    for _ in range(3):
        place.wait(1.0)
        me.get("/labels/212", 304, {"If-None-Match": old.etag})
    me.get("/labels/213")
    now = me.get("/labels/212?frisch=1")
    place.sure(now.etag == saved.etag and "Steinzeug" in now.text)


@case(
    "e007",
    "sol-header-policy-takes-the-guard",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "Apache's header policy unsets If-Match on the way to a records service. A nurse who has seen the newer plan "
        "saves with the older tag, gets 200, and the colleague's entry is gone; the upstream file has no condition."
    ),
)
def policy(stage: Stage) -> None:
    """Lose the guard to RequestHeader unset."""
    rows = {
        f"/plans/{b}": {"bed": b, "diet": "normal", "allergy": "", "note": ""} for b in ("4a", "4b", "5a")
    }
    server = place.ledger(stage, Ledger(rows, fields={"Cache-Control": "no-store"}))
    front = fronts.apache(
        stage, server, "RequestHeader unset If-Match\nRequestHeader unset X-Forwarded-Proto"
    )
    me = stage.actor("client", front, "plans.ward.test", "node:fetch", {"X-User": "nurse-lind"})
    other = stage.actor("other", front, "plans.ward.test", "aiohttp", {"X-User": "kitchen"})
    place.enter(me)
    me.get("/plans")
    place.edit(me, "/plans/5a", diet="low salt")
    seen, theirs = me.get("/plans/4b"), other.get("/plans/4b")
    other.put("/plans/4b", {**theirs.json, "allergy": "nuts"}, 200, {"If-Match": theirs.etag})
    place.wait(1.1)
    place.polls(me, "/plans/4a", "/plans/5a")
    now = me.get("/plans/4b")
    place.sure(now.json["allergy"] == "nuts")
    place.wait(0.5)
    me.put("/plans/4b", {**seen.json, "note": "sleeps badly"}, 200, {"If-Match": seen.etag})
    place.sure(me.get("/plans/4b").json["allergy"] == "")
    me.get("/plans/5a")


@case(
    "e008",
    "sol-varnish-compresses-the-catalogue",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "Varnish compresses answers (do_gzip) and so makes their tags weak. A seed catalogue's editor is refused with "
        "the weak tag twice; the strong one that the answer to her create named is taken for that record."
    ),
)
def catalogue(stage: Stage) -> None:
    """Send what Varnish made weak."""
    text = "keimt bei 18 Grad, " * 20
    rows: dict[str, Any] = {
        f"/sorten/{n}": {"nr": n, "name": f"Sorte {n}", "text": text} for n in (31, 32, 33)
    }
    server = place.ledger(
        stage, Ledger(rows, refused={"fehler": "Datensatz wurde nicht gespeichert"}), "werkzeug"
    )
    rules = (
        'sub vcl_recv { if (req.http.Accept-Encoding !~ "gzip") { return (pass); } }\n'
        'sub vcl_backend_response { if (beresp.http.Content-Type ~ "json" && !bereq.uncacheable) '
        "{ set beresp.do_gzip = true; } set beresp.ttl = 0s; set beresp.grace = 0s; }"
    )
    front = fronts.varnish(stage, server, rules)
    me = stage.actor("client", front, "sorten.samen.test", "requests", {"X-User": "irma"})
    me.send("POST", "/session", 200, None, {"client": "sorten"})
    me.get("/sorten")
    place.polls(me, "/sorten/31", "/sorten/33")
    made = me.put("/sorten/34", {"nr": 34, "name": "Neu", "text": "-"}, 201, {"If-None-Match": "*"})
    me.put("/sorten/34", {"nr": 34, "name": "Neu", "text": "robust"}, 200, {"If-Match": made.etag})
    for _ in range(2):
        seen = me.get("/sorten/32")
        place.sure(seen.etag.startswith('W/"') and seen.fields.get("content-encoding") == "gzip", seen.fields)
        me.put("/sorten/32", {**seen.json, "name": "Sorte 32 früh"}, 412, {"If-Match": seen.etag})
        place.wait(0.7)
    bare = me.get("/sorten/32", 200, {"Accept-Encoding": "identity"})
    place.sure(f"W/{bare.etag}" == seen.etag, bare.etag)
    me.get("/sorten/33")


@case(
    "e020",
    "sol-haproxy-asks-again",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412 lost-response-replay",
    description=(
        "HAProxy retries on a response timeout. A boat hire's booking is stored at once but answered too slowly; the "
        "balancer's second try of the same PUT is 412, and the client, who asked once, finds its own booking stored."
    ),
)
def hire(stage: Stage) -> None:
    """Let HAProxy send a write twice."""
    rows = {f"/boats/{n}": {"boat": n, "guest": None, "ref": None} for n in ("ella", "finn", "gerd", "hilde")}
    kept = Ledger(rows, slow={4: 1.4}, refused={"code": "TAG_MISMATCH"})
    lines = " retries 2\n retry-on conn-failure response-timeout\n timeout server 700ms\n option redispatch"
    front = fronts.haproxy(stage, [place.ledger(stage, kept, "cheroot")], lines)
    me = stage.actor("client", front, "verleih.see.test", "java", {"X-User": "steg-1"})
    place.enter(me, "/assets/steg.css")
    me.get("/boats")
    place.edit(me, "/boats/finn", guest="Ott", ref="B-5508")
    place.edit(me, "/boats/hilde", guest="Lay", ref="B-5509")
    first = me.get("/boats/ella")
    me.put("/boats/ella", {**first.json, "guest": "Roth", "ref": "B-5510"}, 200, {"If-Match": first.etag})
    seen = me.get("/boats/gerd")
    me.put("/boats/gerd", {**seen.json, "guest": "Imhof", "ref": "B-5511"}, 412, {"If-Match": seen.etag})
    place.wait(1.0)
    place.sure(me.get("/boats/gerd").json["ref"] == "B-5511")
    place.polls(me, "/boats/hilde", "/boats/ella")
    place.sure(len([1 for one in stage.taps["upstream"].recorded if one.request.method == "PUT"]) == 5)


@case(
    "e021",
    "sol-two-nodes-copied-without-times",
    "inconsistent-backends",
    "wrong-200",
    alone="inconsistent-backends",
    description=(
        "Two nginx nodes got the same files without their times, HAProxy takes turns: the tags and dates of equal bytes "
        "alternate with X-Served-By, and a sign that polls with its last tag gets the whole file each time."
    ),
)
def nodes(stage: Stage) -> None:
    """Poll at two nodes in turns."""
    files = {
        "board/gate12.json": '{"gate":12,"to":"Oslo","at":"09:40","status":"boarding"}',
        "board/gate14.json": '{"gate":14,"to":"Faro","at":"10:05","status":"on time"}',
        "board/ads.txt": "Coffee at gate 10\n" * 30,
    }
    servers = [fronts.site(stage, "nginx", files, age=age) for age in (8000.0, 4721.0)]
    lines = " http-response set-header X-Served-By %s"
    me = stage.actor("client", fronts.haproxy(stage, servers, lines), "signs.airport.test", "aiohttp")
    held = me.get("/board/gate12.json")
    tags = {held.etag}
    for _ in range(5):
        place.wait(0.8)
        new = me.get("/board/gate12.json", 200, {"If-None-Match": held.etag})
        place.sure(new.body == held.body and new.etag != held.etag)
        held = new
        tags.add(new.etag)
    ads = me.get("/board/ads.txt")
    me.get("/board/ads.txt", 200, {"If-None-Match": ads.etag})
    me.get("/board/gate14.json")
    me.get("/board/closed.json", 404)
    place.sure(len(tags) == 2)


@case(
    "e028",
    "sol-envoy-compressor-takes-strong-tags",
    "validator-stripped",
    "lost-update",
    alone="validator-stripped unconditional-write",
    also="unconditional-write",
    description=(
        "Envoy's compressor drops the strong tags and the program saves guarded only where it has one: small records "
        "with If-Match, the large tour without, over a colleague's change that the list's revision has shown."
    ),
)
def tours(stage: Stage) -> None:
    """Save without the tag that was dropped."""
    stops = [{"n": i, "street": f"Lindenweg {i}", "parcel": 7000 + i} for i in range(14)]
    rows: dict[str, Any] = {
        "/tours/k1": {"tour": "k1", "driver": "Abel", "gate": 2, "stops": stops},
        "/tours/k2": {"tour": "k2", "driver": "Ines", "gate": 3, "stops": stops[:9]},
        "/memo": {"m": "x"},
    }
    server = place.ledger(stage, Ledger(rows))
    front = fronts.envoy(stage, [server], ENVOY_COMPRESSOR, config="compressor gzip")
    me = stage.actor("client", front, "touren.paket.test", "requests", {"X-User": "dispo-1"})
    other = stage.actor("other", front, "touren.paket.test", "curl", {"X-User": "dispo-2"})
    memo = me.get("/memo")
    me.put("/memo", {"m": "Tor 4 gesperrt"}, 200, {"If-Match": memo.etag})
    place.edit(me, "/memo", m="Tor 4 wieder offen")
    me.get("/tours")
    seen = me.get("/tours/k1")
    place.sure("etag" not in seen.fields and seen.fields["content-encoding"] == "gzip", seen.fields)
    theirs = other.get("/tours/k1")
    other.put("/tours/k1", {**theirs.json, "gate": 5}, 200, {"If-Match": theirs.etag})
    place.wait(1.2)
    now = me.get("/tours/k1")
    place.sure(now.json["gate"] == 5)
    place.wait(0.5)
    me.put("/tours/k1", {**seen.json, "driver": "Cem"}, 200)
    place.sure(me.get("/tours/k1").json["gate"] == 2)
    bare = me.get("/tours/k2", 200, {"Accept-Encoding": "identity"})
    place.sure(bare.etag)


@case(
    "e034",
    "sol-brotli-suffix-comes-back",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache's mod_brotli adds -br inside the tags of an orchestra's records, which the service behind does not "
        "know: saves of what was read compressed are refused, and the record read as it is has the bare tag."
    ),
)
def orchestra(stage: Stage) -> None:
    """Send back a tag with -br."""
    rows = {f"/proben/{n}": {"nr": n, "ort": "Saal 2", "stimmen": ["Vl", "Va", "Vc"] * 25} for n in (6, 7, 8)}
    server = place.ledger(stage, Ledger(rows, refused={"meldung": "Stand überholt"}))
    front = fronts.apache(stage, server, "AddOutputFilterByType BROTLI_COMPRESS application/json")
    me = stage.actor("client", front, "proben.orchester.test", "node:fetch", {"Accept-Encoding": "br, gzip"})
    me.get("/status")
    me.get("/proben")
    place.polls(me, "/assets/probe.css", times=1)
    for number, place_ in ((6, "Saal 1"), (7, "Probebühne")):
        seen = me.get(f"/proben/{number}")
        place.sure(seen.etag.endswith('-br"'), seen.etag)
        me.put(f"/proben/{number}", {**seen.json, "ort": place_}, 412, {"If-Match": seen.etag})
        place.wait(0.4)
    me.get("/proben/8")
    bare = me.get("/proben/7", 200, {"Accept-Encoding": "identity"})
    me.put("/proben/7", {**bare.json, "ort": "Probebühne"}, 200, {"If-Match": bare.etag})


@case(
    "e037",
    "sol-squid-answers-in-full-after-a-304",
    "cache-misevaluates",
    "wrong-200",
    alone="cache-misevaluates",
    description=(
        "Squid revalidates a shop's pages at the origin (304) but hands the browser-like poller a whole 200 although "
        "its If-None-Match is the very tag of that answer; asked while the stored page is fresh, Squid says 304."
    ),
)
def pages(stage: Stage) -> None:
    """Get a 200 for a tag that fits."""
    files = {
        f"shop/{n}.html": f"<h1>{n}</h1>" + "<p>Wolle, 50 g</p>" * 30 for n in ("start", "wolle", "nadeln")
    }
    lines = 'add_header Cache-Control "max-age=1";'
    front = fronts.squid(stage, fronts.site(stage, "nginx", files, lines), site="laden.wolle.test")
    me = stage.actor("client", front, "laden.wolle.test", "requests", {"User-Agent": "Preisbeobachter/2"})
    held = {name: me.get(f"/shop/{name}.html") for name in ("start", "wolle", "nadeln")}
    me.get("/shop/start.html", 304, {"If-None-Match": held["start"].etag})
    for _ in range(4):
        place.wait(2.3)
        got = me.get("/shop/wolle.html", 200, {"If-None-Match": held["wolle"].etag})
        place.sure(got.etag == held["wolle"].etag and got.body == held["wolle"].body)
    me.get("/shop/wolle.html", 304, {"If-None-Match": held["wolle"].etag})
    passed = [one.response for one in stage.taps["upstream"].recorded]
    place.sure(304 in [one.status for one in passed if one is not None])


class _Copy(Ledger):
    """A copy of another ledger that is behind."""

    def __init__(self, first: Ledger, seconds: float) -> None:
        super().__init__({}, lag=seconds, fields={"X-Db": "replica-b"})
        self.db, self.lock = first.db, first.lock


@case(
    "e038",
    "sol-reads-come-from-the-copy",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "HAProxy sends reads to a copy that is a second and a half behind. Right after each of its own saves, whose "
        "answer named the tag, a warehouse program reads the version before and is refused with it; later the copy "
        "shows the saved one."
    ),
)
def copies(stage: Stage) -> None:
    """Read too early from the copy."""
    rows = {
        f"/bins/{n}": {"bin": n, "sku": f"S{i}00", "qty": 40 + i} for i, n in enumerate(("A1", "A2", "B7"))
    }
    first = Ledger(rows, fields={"X-Db": "primary"}, refused={"error": "stale_object"})
    reads = place.ledger(stage, _Copy(first, 1.5), "waitress", "copy")
    front = fronts.split(stage, place.ledger(stage, first, "waitress", "primary"), reads)
    me = stage.actor("client", front, "bins.warehouse.test", "httpx", {"X-User": "pick-07"})
    me.send("POST", "/session", 200, None, {"client": "scanner"})
    me.get("/bins")
    for name in ("A2", "B7"):
        seen = me.get(f"/bins/{name}")
        saved = me.put(f"/bins/{name}", {**seen.json, "qty": 30}, 200, {"If-Match": seen.etag})
        place.wait(0.2)
        old = me.get(f"/bins/{name}")
        place.sure(old.etag == seen.etag)
        me.put(f"/bins/{name}", {**old.json, "sku": "S990"}, 412, {"If-Match": old.etag})
        place.wait(1.7)
        place.sure(me.get(f"/bins/{name}").etag == saved.etag)
    place.polls(me, "/bins/A1")
