"""Locks, dialects, rules that are no conditions, losing branches that are meant, a browser, broken downloads."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ora_setting as place
from tools.recording_apis.stories.ora_pages import Tab

_TEXT = {"Content-Type": "text/plain"}
_LOCK = (
    '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype>'
    "<owner>{}</owner></lockinfo>"
)
_XML = {"Content-Type": "application/xml"}
_FIND = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><lockdiscovery/><getetag/></prop></propfind>'


@case(
    "b620",
    "ora-surveyor-locked-the-map",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "A surveyor has a lock on a field map on Apache's mod_dav; the office saves with the right tag and without a "
        "lock token: 423, and lockdiscovery names the surveyor. Other files can be saved."
    ),
)
def locked(stage: Stage) -> None:
    """Save what somebody has locked."""
    server = place.dav(stage, {f"karten/{n}.txt": f"{n}\n" * 3 for n in ("nord", "sued", "moor")})
    me = stage.actor("client", server, "dav.vermessung.test", "requests", place.basic("buero"))
    other = stage.actor("other", server, "dav.vermessung.test", "httpx", place.basic("feld-2"))
    told = {**_XML, "Timeout": "Second-3600", "Depth": "0"}
    other.send("LOCK", "/karten/moor.txt", 200, told, _LOCK.format("feld-2"))
    held = place.look_around(me, [f"/karten/{n}.txt" for n in ("nord", "sued", "moor")], 2)
    guard = {"If-Match": held["/karten/nord.txt"], **_TEXT}
    me.put("/karten/nord.txt", "nord 2\n", 204, guard)
    guard = {"If-Match": held["/karten/moor.txt"], **_TEXT}
    me.put("/karten/moor.txt", "moor 2\n", 423, guard)
    me.send("PROPFIND", "/karten/moor.txt", 207, {"Depth": "0", **_XML}, _FIND)
    time.sleep(0.9)
    me.put("/karten/moor.txt", "moor 2\n", 423, guard)


@case(
    "b621",
    "ora-token-of-a-lock-given-back",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "An editor locks a chapter on mod_dav, saves under the lock, gives it back on losing focus, and then saves "
        "with the same lock token in If: 412, for no such lock is there; the tag is that of its own save."
    ),
)
def given_back(stage: Stage) -> None:
    """Save with the token of a lock that is gone."""
    server = place.dav(stage, {"buch/kap1.txt": "eins\n", "buch/kap2.txt": "zwei\n"})
    me = stage.actor("client", server, "dav.lektorat.test", "java", place.basic("lektor"))
    me.get("/buch/kap1.txt")
    me.get("/buch/kap2.txt")
    told = {**_XML, "Timeout": "Second-600", "Depth": "0"}
    token = me.send("LOCK", "/buch/kap2.txt", 200, told, _LOCK.format("lektor")).fields["lock-token"]
    me.put("/buch/kap2.txt", "zwei, zweite Fassung\n", 204, {"If": f"({token})", **_TEXT})
    me.send("UNLOCK", "/buch/kap2.txt", 204, {"Lock-Token": token})
    time.sleep(1.4)
    me.put("/buch/kap2.txt", "zwei, dritte Fassung\n", 412, {"If": f"({token})", **_TEXT})
    me.send("PROPFIND", "/buch/kap2.txt", 207, {"Depth": "0", **_XML}, _FIND)
    place.require(holds="zweite" in me.get("/buch/kap2.txt").text, otherwise="not ours")


@case(
    "b622",
    "ora-conflict-said-with-403",
    "status-dialect-mismatch",
    "403",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description=(
        "A parking service says a version conflict with 403 and a code version_conflict; the app takes it for missing "
        "rights, fetches a new access token and sends the same once more. A colleague had changed the permit."
    ),
)
def forbidden(stage: Stage) -> None:
    """Take a conflict for missing rights."""
    docs = {f"/permits/{n}": place.record(plate=f"OL-{n}", zone="A", until="2027-01") for n in (501, 502)}
    docs["/session"] = place.record(user="app", scope="permits:write")
    docs |= place.side("/meters", 3)
    server = place.house(stage, docs, "waitress", tag="rev", stale=403, form="code")
    me = stage.actor("client", server, "permits.parken.test", "node:axios")
    other = stage.actor("other", server, "permits.parken.test", "requests", place.basic("amt"))
    me.get("/session", 200, place.bearer("app-1"))
    place.day(me, place.paths("/meters", 3), 12, seed=43, fields=place.bearer("app-1"))
    seen = me.get("/permits/502", 200, place.bearer("app-1"))
    place.change(other, "/permits/502", zone="B")
    for number in (1, 2):
        who = place.bearer(f"app-{number}")
        me.put("/permits/502", {**seen.json, "until": "2027-06"}, 403, {**who, "If-Match": seen.etag})
        me.get("/session", 200, place.bearer(f"app-{number + 1}"))
    place.require(holds=me.get("/permits/502", 200, place.bearer("app-3")).json["zone"] == "B", otherwise="A")


@case(
    "b623",
    "ora-test-operation-does-not-hold",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "A dairy's planner sends JSON Patches that test the value they replace; it tests for '6' as text where the "
        "record has the number 6: 412, 'operation 0: test failed'. With the number it goes through."
    ),
)
def tested(stage: Stage) -> None:
    """Test for a value of another type."""
    docs = {f"/tours/{n}": place.record(tour=n, stops=6, milk=2400 + n) for n in (1, 2, 3)}
    docs |= place.side("/farms", 3)
    server = place.house(stage, docs, "gunicorn", tag="uuid", form="problem")
    me = stage.actor(
        "client", fronts.envoy(stage, [server]), "tours.molkerei.test", "aiohttp", place.bearer("planer")
    )
    kind = {"Content-Type": "application/json-patch+json"}
    steps: list[dict[str, object]] = []
    me.get("/tours")
    place.day(me, place.paths("/farms", 3), 18, seed=44)
    for number in (1, 3):
        seen = me.get(f"/tours/{number}")
        steps = [
            {"op": "test", "path": "/stops", "value": "6"},
            {"op": "replace", "path": "/stops", "value": 7},
        ]
        me.send("PATCH", f"/tours/{number}", 412, kind, steps)
        place.require(holds=me.get(f"/tours/{number}").etag == seen.etag, otherwise="moved")
    steps[0]["value"] = 6
    me.send("PATCH", "/tours/3", 200, kind, steps)


@case(
    "b624",
    "ora-search-finds-two-members",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "A library of things updates members by search (PUT /members?mail=...); for one address there are two cards "
        "and the service answers 412, 'matches 2 documents'; the search itself says so too. Others are updated."
    ),
)
def several(stage: Stage) -> None:
    """Update what a search finds."""
    docs = {
        "/members/m1": place.record(name="Ida Roth", mail="ida@post.test", fee=20),
        "/members/m2": place.record(name="Per Lund", mail="lund@post.test", fee=20),
        "/members/m3": place.record(name="P. Lund", mail="lund@post.test", fee=0),
    }
    server = place.house(stage, docs, "cheroot", tag="short", search=1, form="xml")
    me = stage.actor("client", server, "members.leihladen.test", "httpx", place.basic("kasse"))
    me.get("/members")
    me.put("/members?mail=ida@post.test", {"name": "Ida Roth", "mail": "ida@post.test", "fee": 25}, 200)
    new = {"name": "Per Lund", "mail": "lund@post.test", "fee": 25}
    me.put("/members?mail=lund@post.test", new, 412)
    me.get("/members?mail=lund@post.test")
    me.put("/members?mail=lund@post.test", new, 412)


@case(
    "b625",
    "ora-store-without-conditions",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description=(
        "A carpenter's file store answers 501 to any write with a condition (not implemented by this store), fresh "
        "tag or wildcard alike; the same write without a condition is taken."
    ),
)
def unsupported(stage: Stage) -> None:
    """Ask for what the store cannot do."""
    docs = {f"/cuts/{n}": place.record(board=n, saw=1) for n in ("b1", "b2")}
    server = place.house(stage, docs, "aiohttp", tag="apache", refuse=1, form="xml")
    me = stage.actor(
        "client", fronts.haproxy(stage, [server]), "cuts.tischlerei.test", "curl", place.bearer("cnc")
    )
    me.get("/cuts")
    seen = me.get("/cuts/b1")
    me.put("/cuts/b1", {"board": "b1", "saw": 2}, 501, {"If-Match": seen.etag})
    me.put("/cuts/b1", {"board": "b1", "saw": 2}, 501, {"If-Match": me.get("/cuts/b1").etag})
    me.put("/cuts/b3", {"board": "b3", "saw": 1}, 501, {"If-None-Match": "*"})
    me.put("/cuts/b1", {"board": "b1", "saw": 2}, 200)


@case(
    "b626",
    "ora-confirmed-order-must-not-shrink",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A brewery's shop answers 412 to a confirmed order whose count is lowered, a rule of the business: with the "
        "fresh tag as well as without one; a higher count with the same tag is taken."
    ),
)
def shrink(stage: Stage) -> None:
    """Break a rule of the business."""
    docs = {f"/orders/{n}": place.record(beer="Helles", count=12, state="confirmed") for n in (70, 71, 72)}
    docs |= place.side("/carts", 4)
    server = place.house(stage, docs, "gunicorn", tag="rev", rule="count", form="problem")
    me = stage.actor(
        "client", fronts.nginx(stage, server), "orders.brauhaus.test", "requests", {"Cookie": "cart=71"}
    )
    me.get("/orders/70")
    place.day(me, place.paths("/carts", 4), 15, seed=45)
    seen = me.get("/orders/71")
    me.put("/orders/71", {**seen.json, "count": 6}, 412, {"If-Match": seen.etag})
    again = me.get("/orders/71")
    place.require(holds=again.etag == seen.etag, otherwise="moved")
    me.put("/orders/71", {**seen.json, "count": 8}, 412, {"If-Match": again.etag})
    me.put("/orders/71", {**seen.json, "count": 6}, 412)
    me.put("/orders/71", {**seen.json, "count": 18}, 200, {"If-Match": again.etag})


@case(
    "b627",
    "ora-three-pumps-one-turn",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description=(
        "Three pump controllers behind one gateway try every turn to create the turn's marker with If-None-Match: *; "
        "one wins with 201, the two others lose with 412 and wait for the next turn. Six turns, nothing else fails."
    ),
)
def turns(stage: Stage) -> None:
    """Elect a leader each turn."""
    server = place.house(stage, {"/turns/readme": place.record(ttl=1)}, "waitress", tag="rev", form="text")
    me = stage.actor("client", server, "turns.wasserwerk.test", "httpx")
    for turn in range(1, 7):
        for step in range(3):
            pump = f"pump-{(turn + step) % 3 + 1}"
            own = {"User-Agent": f"{pump}/5.0", "If-None-Match": "*"}
            me.put(f"/turns/lock-{turn}", {"holder": pump, "turn": turn}, 412 if step else 201, own)
        winner = {"User-Agent": f"pump-{turn % 3 + 1}/5.0"}
        place.require(holds=me.get(f"/turns/lock-{turn}", 200, winner).json["turn"] == turn, otherwise=turn)
        time.sleep(0.5)


@case(
    "b628",
    "ora-shop-window-cannot-see-the-tag",
    "cors-hidden-etag",
    "412",
    alone="cors-hidden-etag null-token",
    also="null-token",
    description=(
        "A florist's page on another origin reads a bouquet; ETag is on the wire but not exposed, so the script gets "
        "null and sends If-Match: null with its save: 412."
    ),
)
def window(stage: Stage) -> None:
    """Read a tag that the browser hides."""
    docs = {f"/bouquets/{n}": place.record(name=n, price=24, stems=12) for n in ("fruehling", "herbst")}
    server = place.house(stage, docs, "cheroot", tag="md5", cors="http://laden.florist.test", hint="no-store")
    with Tab(stage, server, "http://laden.florist.test", "api.florist.test") as tab:
        tab.call("GET", "/bouquets", 200)
        tag = tab.call("GET", "/bouquets/herbst", 200)
        place.require(holds=tag is None, otherwise=tag)
        body = {"name": "herbst", "price": 26, "stems": 12}
        tab.call("PUT", "/bouquets/herbst", 412, str(tag).replace("None", "null"), body)
        tab.call("GET", "/bouquets/herbst", 200)


@case(
    "b629",
    "ora-film-replaced-between-two-parts",
    "read-changed-mid-transfer",
    "corrupt-read",
    alone="read-changed-mid-transfer",
    description=(
        "A cinema loads a trailer from lighttpd in parts, without a guard; the distributor replaces the file between "
        "the second and third part: the parts carry two ETags and two total lengths, and all are 206."
    ),
)
def film(stage: Stage) -> None:
    """Splice two versions."""
    old, new = b"trailer-cut-1 " * 300, b"trailer-cut-2!" * 310
    server = fronts.site(stage, "lighttpd", {"film/trailer.txt": old, "film/poster.txt": b"poster" * 50})
    me = stage.actor("client", server, "media.kino.test", "urllib", {"User-Agent": "ProjectorSync/7"})
    me.get("/film/poster.txt")
    tags = []
    for start in range(0, 4096, 1024):
        tags.append(me.get("/film/trailer.txt", 206, {"Range": f"bytes={start}-{start + 1023}"}).etag)
        if start == 1024:
            fronts.put_file(server.directory, "film/trailer.txt", new, 1.0)
            time.sleep(1.3)
    place.require(holds=len(set(tags)) == 2, otherwise=tags)
