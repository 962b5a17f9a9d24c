"""Who else writes: colleagues, the client itself twice, the service, and what is or is not there."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ida_setting as place


@case(
    "b000",
    "reserve-raised-by-a-colleague",
    "other-writer",
    "recovered",
    alone="other-writer",
    description=(
        "Behind nginx a colleague raises the reserve of a claim between an adjuster's read and save; the save is "
        "refused, the adjuster reads again, keeps the new reserve and saves."
    ),
)
def colleague(stage: Stage) -> None:
    """Save a claim that a colleague has just saved."""
    server = place.service(stage, "claims", AUTH="1")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, place.CLAIMS, "httpx", {"Accept": "application/json"})
    other = stage.actor("other", front, place.CLAIMS, "requests")
    me.get(place.LIST, 401)
    mine, theirs = place.sign_in(me, "m.osei"), place.sign_in(other, "j.lindqvist")
    me.get(place.LIST, 200, mine)
    me.get("/claims/v3/policies/POL-3310", 200, mine)
    tag = me.get(place.CLAIM, 200, mine).etag
    seen = other.get(place.CLAIM, 200, theirs).etag
    time.sleep(0.4)
    other.put(place.CLAIM, place.claim(reserve=6100), 200, {**theirs, "If-Match": seen})
    me.get("/claims/v3/payments/PAY-5107", 200, mine)
    time.sleep(0.5)
    me.put(place.CLAIM, place.claim(status="survey"), 412, {**mine, "If-Match": tag})
    now = me.get(place.CLAIM, 200, mine)
    place.require(now.json["meta"]["modifiedBy"] == "j.lindqvist", "nobody else wrote")
    time.sleep(0.3)
    me.put(place.CLAIM, place.claim(status="survey", reserve=6100), 200, {**mine, "If-Match": now.etag})
    me.get(place.LIST, 200, mine)


@case(
    "b001",
    "night-shift-swapped-meanwhile",
    "other-writer",
    "recovered",
    alone="other-writer status-dialect-mismatch",
    also="status-dialect-mismatch",
    description=(
        "The rota carries lockVersion in the body and answers 409: the ward sister swaps the night shift while "
        "the planner edits the late one; the answer names her number, and after a fresh read the save passes."
    ),
)
def swapped(stage: Stage) -> None:
    """Save a shift with an outdated lockVersion."""
    server = place.service(stage, "rota")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, place.ROTA, "node:axios", {"X-Personal-Nr": "70012"})
    other = stage.actor("other", front, place.ROTA, "requests", {"X-Personal-Nr": "70340"})
    me.send("POST", "/anmeldung", 200, None, {"user": "70012"})
    me.get("/rota/c4")
    version = me.get(place.SHIFT).json["shift"]["lockVersion"]
    me.get("/rota/icu/2026-12-01")
    other.get(place.SHIFT)
    other.put(place.SHIFT, place.shift(night="Lind", lockVersion=version), 200)
    time.sleep(0.6)
    me.put(place.SHIFT, place.shift(late="Petrov", lockVersion=version), 409)
    now = me.get(place.SHIFT).json["shift"]
    place.require(now["changedBy"] == "70340", "she did not write")
    fresh = place.shift(late="Petrov", night="Lind", lockVersion=now["lockVersion"])
    me.put(place.SHIFT, fresh, 200)
    me.get("/rota/c4")


@case(
    "b002",
    "console-saves-twice-at-once",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A gauge console sends interval and alarm as two writes at once, both with the tag of the one read; the "
        "second is refused while the first is still under way."
    ),
)
def twice(stage: Stage) -> None:
    """Send two writes with one tag."""
    server = place.service(stage, "hub", TARRY="0.7")
    me = stage.actor("client", server, place.HUB, "requests", {"X-Operator": "ops-3"})
    place.poll(me, ["/twins", "/twins/TG-0420"], 2)
    tag = me.get(place.TWIN).etag
    guard = {"If-Match": tag}
    calls = [
        lambda: me.send("PATCH", place.TWIN, (200, 412), guard, {"interval": 300}),
        lambda: me.send("PATCH", place.TWIN, (200, 412), guard, {"alarm": 2.8}),
    ]
    place.require(place.at_once(calls, 0.15) == [200, 412], "not one of each")
    fresh = me.get(place.TWIN).etag
    me.send("PATCH", place.TWIN, 200, {"If-Match": fresh}, {"alarm": 2.8})
    place.poll(me, ["/twins/TG-0420"], 1)


@case(
    "b003",
    "plugin-workers-share-a-tag",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A CAD plug-in's three workers save parts of one sheet with the same tag through Envoy; the slow first "
        "one wins, the other two are refused before it has its answer."
    ),
)
def workers(stage: Stage) -> None:
    """Let three workers save at once."""
    server = place.service(stage, "vault", TARRY="900")
    front = fronts.envoy(stage, [server])
    always = {"X-Vault-User": "plm-bot", "User-Agent": "BrennerPlugin/9.3 (worker)"}
    me = stage.actor("client", front, place.VAULT, "httpx", always)
    me.get("/vault/documents")
    me.get("/vault/documents/BW-31002")
    tag = me.get(place.DRAWING).etag
    guard = {**place.XML, "If-Match": tag}
    calls = [
        lambda: me.put(place.DRAWING, place.drawing("Bracket left, rev"), (200, 412), guard),
        lambda: me.put(place.DRAWING, place.drawing(material="1.4404"), (200, 412), guard),
        lambda: me.put(place.DRAWING, place.drawing("Bracket L"), (200, 412), guard),
    ]
    place.require(place.at_once(calls, 0.12) == [200, 412, 412], "the first did not win alone")
    now = me.get(place.DRAWING)
    place.require('changedBy="plm-bot"' in now.text, "somebody else wrote")
    both = place.drawing("Bracket left, rev", "1.4404")
    me.put(place.DRAWING, both, 200, {**place.XML, "If-Match": now.etag})


@case(
    "b004",
    "fraud-score-follows-the-save",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "Half a second after each save the service writes a fraud score into the claim (modifiedBy svc-scoring), "
        "so the tag of the adjuster's own save no longer holds at the next one."
    ),
)
def scored(stage: Stage) -> None:
    """Save twice with the scoring in between."""
    server = place.service(stage, "claims", ROBOT="0.5")
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, place.CLAIMS, "requests", {"X-Adjuster": "r.achterberg"})
    place.poll(me, [place.LIST, place.OTHER_CLAIM], 2)
    tag = me.get(place.CLAIM).etag
    tag = me.send("PATCH", place.CLAIM, 200, {"If-Match": tag}, {"attributes": {"status": "survey"}}).etag
    place.poll(me, [place.OTHER_CLAIM], 3, 0.4)
    more = {"attributes": {"reserve": 5000}}
    me.send("PATCH", place.CLAIM, 412, {"If-Match": tag}, more)
    now = me.get(place.CLAIM)
    place.require(now.json["meta"]["modifiedBy"] == "svc-scoring", "not the service")
    me.send("PATCH", place.CLAIM, 200, {"If-Match": now.etag}, more)


@case(
    "b005",
    "payment-moves-the-claim",
    "server-side-mutation",
    "412",
    alone="server-side-mutation stale-stored-token",
    description=(
        "Correcting a payment makes the service write the paid amount into its claim (modifiedBy svc-ledger); "
        "the claim's tag, read before, is refused although nobody else was at work."
    ),
)
def linked(stage: Stage) -> None:
    """Write a payment and then its claim."""
    server = place.service(stage, "claims")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, place.CLAIMS, "aiohttp", {"X-Adjuster": "m.osei"})
    me.get(place.LIST)
    held = me.get(place.CLAIM).etag
    paid = me.get("/claims/v3/payments/PAY-5107").etag
    time.sleep(0.3)
    payment = {"attributes": {"claim": "CLM-88214", "amount": 1150, "payee": "Glas Berger"}}
    me.put("/claims/v3/payments/PAY-5107", payment, 200, {"If-Match": paid})
    time.sleep(0.4)
    me.send("PATCH", place.CLAIM, 412, {"If-Match": held}, {"attributes": {"status": "settled"}})
    now = me.get(place.CLAIM)
    place.require(now.json["meta"]["modifiedBy"] == "svc-ledger", "not the service")
    me.send("PATCH", place.CLAIM, 200, {"If-Match": now.etag}, {"attributes": {"status": "settled"}})
    me.get(place.LIST)


_IMAGE = b"".join(bytes([number % 251]) * 16 for number in range(512))


@case(
    "b006",
    "firmware-replaced-during-download",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "A gauge fetches its firmware in ranges with If-Match; a release replaces the file half way, the next "
        "range is 412, and the gauge starts again with the new one."
    ),
)
def firmware(stage: Stage) -> None:
    """Replace a file between two ranges."""
    server = fronts.site(stage, "nginx", {"fw/tg-4.3.bin": _IMAGE, "fw/index.json": '{"latest":"4.3"}'})
    always = {"User-Agent": "tg-bootloader/1.4"}
    me = stage.actor("client", server, "fw.tidegauge.test", "urllib", always)
    me.get("/fw/index.json")
    tag = me.send("HEAD", "/fw/tg-4.3.bin", 200).etag
    for start in range(0, 4096, 1024):
        span = {"Range": f"bytes={start}-{start + 1023}", "If-Match": tag}
        me.get("/fw/tg-4.3.bin", 206, span)
    fronts.put_file(server.directory, "fw/tg-4.3.bin", _IMAGE[::-1] + b"fix", 1.0)
    me.get("/fw/tg-4.3.bin", 412, {"Range": "bytes=4096-5119", "If-Match": tag})
    me.get("/fw/index.json")
    tag = me.send("HEAD", "/fw/tg-4.3.bin", 200).etag
    for start in range(0, 8195, 2048):
        span = {"Range": f"bytes={start}-{start + 2047}", "If-Match": tag}
        me.get("/fw/tg-4.3.bin", 206, span)


@case(
    "b007",
    "drawing-export-spliced-from-two",
    "read-changed-mid-transfer",
    "corrupt",
    alone="read-changed-mid-transfer",
    description=(
        "An export is fetched from Caddy in unguarded ranges while it is made anew: the parts carry two "
        "ETags, no request is refused, and the file put together belongs to neither."
    ),
)
def spliced(stage: Stage) -> None:
    """Fetch ranges of two states without a guard."""
    server = fronts.site(stage, "caddy", {"export/BW-31002.json": _IMAGE, "export/log.txt": "done\n"})
    me = stage.actor("client", server, "export.brenner-werk.test", "curl:trace-time")
    me.get("/export/log.txt")
    first = me.get("/export/BW-31002.json", 206, {"Range": "bytes=0-2047"})
    me.get("/export/BW-31002.json", 206, {"Range": "bytes=2048-4095"})
    fronts.put_file(server.directory, "export/BW-31002.json", _IMAGE[16:] + b"9" * 16, 2.0)
    third = me.get("/export/BW-31002.json", 206, {"Range": "bytes=4096-6143"})
    last = me.get("/export/BW-31002.json", 206, {"Range": "bytes=6144-8191"})
    place.require(first.etag != third.etag == last.etag, "one tag")
    me.get("/export/log.txt")


@case(
    "b008",
    "day-already-planned",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A planner opens days with If-None-Match: *; one of them was planned long before (changedBy planung), so "
        "that one is refused while the others are created."
    ),
)
def planned(stage: Stage) -> None:
    """Create days, one of which is there."""
    server = place.service(stage, "rota")
    me = stage.actor("client", server, place.ROTA, "java", {"X-Personal-Nr": "70012"})
    guard = {"If-None-Match": "*"}
    for day in ("05", "04", "03"):
        body = {"early": "Petrov", "late": "Kranz", "night": "Oduya"}
        me.put(f"/rota/c4/2026-12-{day}", body, 412 if day == "03" else 201, guard)
    now = me.get("/rota/c4/2026-12-03").json["shift"]
    place.require(now["changedBy"] == "planung", "not the old plan")
    me.put("/rota/c4/2026-12-06", {"early": "Lind", "late": "", "night": ""}, 201, guard)


@case(
    "b009",
    "import-meets-known-tickets",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A mail import creates tickets by number through Squid with If-None-Match: *; number 5530 exists since "
        "yesterday with another owner and text, its create is refused, the rest goes on."
    ),
)
def imported(stage: Stage) -> None:
    """Create tickets, one of which is there."""
    server = place.service(stage, "desk")
    front = fronts.squid(stage, server, site=place.DESK)
    me = stage.actor("client", front, place.DESK, "curl", {"User-Agent": "mail-import.sh"})
    guard = {**place.FORM, "If-None-Match": "*"}
    me.get("/desk/queue")
    for number in ("5551", "5552", "5530", "5553"):
        text = f"subject=Mail+{number}&state=new&owner=pool"
        me.put(f"/desk/ticket/{number}", text, 412 if number == "5530" else 201, guard)
    place.require("Printer" in me.get("/desk/ticket/5530").text, "another ticket")


@case(
    "b010",
    "claim-withdrawn-before-the-save",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "Another adjuster deletes a withdrawn claim; the save with the tag read before is 412 (the file does not "
        "exist), the next read 404."
    ),
)
def withdrawn(stage: Stage) -> None:
    """Save a claim that was deleted."""
    server = place.service(stage, "claims")
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, place.CLAIMS, "node:fetch", {"X-Adjuster": "j.lindqvist"})
    other = stage.actor("other", front, place.CLAIMS, "httpx", {"X-Adjuster": "m.osei"})
    place.poll(me, [place.LIST, place.CLAIM], 2)
    tag = me.get(place.OTHER_CLAIM).etag
    other.send("DELETE", place.OTHER_CLAIM, 204, {"If-Match": other.get(place.OTHER_CLAIM).etag})
    time.sleep(0.6)
    new = place.claim("CLM-88230", reserve=1200)
    me.put(place.OTHER_CLAIM, new, 412, {"If-Match": tag})
    me.get(place.OTHER_CLAIM, 404)
    me.get(place.LIST)


@case(
    "b011",
    "gauge-decommissioned-twice",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A clean-up job deletes gauges with the tags of its morning snapshot; one was taken out by a technician "
        "in between, so its DELETE is 412 and a read of it 404."
    ),
)
def decommissioned(stage: Stage) -> None:
    """Delete what is no longer there."""
    server = place.service(stage, "hub")
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, place.HUB, "urllib", {"X-Operator": "cleanup"})
    other = stage.actor("other", front, place.HUB, "requests", {"X-Operator": "technician-2"})
    serials = ["TG-0420", "TG-0411", "TG-0433"]
    me.get("/twins")
    tags = {serial: me.get(f"/twins/{serial}").etag for serial in serials}
    other.get("/twins/TG-0411")
    other.send("DELETE", "/twins/TG-0411", 204)
    time.sleep(0.5)
    for serial in serials:
        expect = 412 if serial == "TG-0411" else 204
        me.send("DELETE", f"/twins/{serial}", expect, {"If-Match": tags[serial]})
        me.get(f"/twins/{serial}", 404)
    me.get("/twins")
