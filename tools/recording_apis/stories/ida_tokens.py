"""What clients do with tokens: keep them, repeat them, damage them, take another one's, or send none."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ida_setting as place


@case(
    "b012",
    "form-keeps-the-tag-of-its-opening",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "The claim form saves once with success and then again with the tag that it was opened with, although "
        "the answer to its own save had told the new one."
    ),
)
def form(stage: Stage) -> None:
    """Save twice with the first tag."""
    stage.keeps_content = False
    server = place.service(stage, "claims", AUTH="1")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, place.CLAIMS, "requests")
    mine = place.sign_in(me, "r.achterberg")
    me.get(place.LIST, 200, mine)
    tag = me.get(place.CLAIM, 200, mine).etag
    me.get("/claims/v3/policies/POL-3310", 200, mine)
    me.put(place.CLAIM, place.claim(reserve=4600), 200, {**mine, "If-Match": tag})
    me.get(place.OTHER_CLAIM, 200, mine)
    time.sleep(0.8)
    me.put(place.CLAIM, place.claim(reserve=4600, status="survey"), 412, {**mine, "If-Match": tag})
    now = me.get(place.CLAIM, 200, mine)
    place.require(now.json["meta"]["modifiedBy"] == "r.achterberg", "somebody else wrote")
    me.put(place.CLAIM, place.claim(reserve=4600, status="survey"), 200, {**mine, "If-Match": now.etag})


@case(
    "b013",
    "agent-with-a-morning-snapshot",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A fleet agent sets intervals and firmware of all gauges, each time with the tag of the last answer; only "
        "for TG-0420 it uses the tag of its snapshot again after its own write, in the middle of much polling."
    ),
)
def agent(stage: Stage) -> None:
    """Use a snapshot's tag once too often."""
    stage.keeps_content = False
    server = place.service(stage, "hub")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, place.HUB, "httpx", {"X-Operator": "fleet-agent"})
    serials = ["TG-0411", "TG-0412", "TG-0420", "TG-0433"]
    tags = {serial: me.get(f"/twins/{serial}").etag for serial in serials}
    held = tags["TG-0420"]
    for change in ({"interval": 450}, {"firmware": "4.2.1"}, {"alarm": 3.2}):
        for serial in serials:
            path = f"/twins/{serial}"
            if serial == "TG-0420" and "firmware" in change:
                me.send("PATCH", path, 412, {"If-Match": held}, change)
                tags[serial] = me.get(path).etag
            tags[serial] = me.send("PATCH", path, 200, {"If-Match": tags[serial]}, change).etag
            place.poll(me, ["/twins"], 1, 0.02)
        place.poll(me, [f"/twins/{serial}" for serial in serials], 6)


@case(
    "b014",
    "backoff-around-the-wrong-line",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token other-writer",
    also="other-writer",
    description=(
        "After a colleague's save the client's retry loop sends the refused request four more times, byte for "
        "byte and with growing gaps, never reading in between."
    ),
)
def loop(stage: Stage) -> None:
    """Repeat a refused request as it is."""
    server = place.service(stage, "vault")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, place.VAULT, "node:axios", {"X-Vault-User": "erp-sync"})
    other = stage.actor("other", front, place.VAULT, "requests", {"X-Vault-User": "h.brenner"})
    place.poll(me, ["/vault/documents", "/vault/documents/BW-31010"], 2)
    tag = me.get(place.DRAWING).etag
    theirs = {**place.XML, "If-Match": other.get(place.DRAWING).etag}
    other.put(place.DRAWING, place.drawing("Bracket left (short)"), 200, theirs)
    guard = {**place.XML, "If-Match": tag}
    for pause in (0.2, 0.4, 0.8, 1.6, 0.0):
        me.put(place.DRAWING, place.drawing(material="1.4571"), 412, guard)
        time.sleep(pause)
    me.get("/vault/documents/BW-31010")


@case(
    "b015",
    "answer-lost-on-the-cellular-link",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A gauge's write is stored but the link breaks before the answer; the replay with the same tag is 412, "
        "and the twin holds the gauge's own change number."
    ),
)
def link(stage: Stage) -> None:
    """Lose an answer and repeat the write."""
    server = place.service(stage, "hub")
    always = {"X-Operator": "device:TG-0411", "User-Agent": "tg-fw/4.2.0"}
    loses = place.first_of("PUT")
    me = stage.actor("client", server, place.HUB, "requests", always, loses=loses)
    me.get("/changes")
    tag = me.get(place.TWIN).etag
    new = place.twin(alarm=3.6, change="c-0411-7781-b2")
    me.put(place.TWIN, new, 0, {"If-Match": tag})
    time.sleep(0.9)
    me.put(place.TWIN, new, 412, {"If-Match": tag})
    now = me.get(place.TWIN).json
    place.require(now["desired"]["change"] == "c-0411-7781-b2", "not stored")
    me.get("/changes")


@case(
    "b016",
    "create-stored-but-never-confirmed",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    also="exists-already",
    description=(
        "A new drawing is created with If-None-Match: * through nginx, its answer is lost; the automatic second "
        "attempt meets the drawing just made: own title with the job number, changedBy the client."
    ),
)
def unconfirmed(stage: Stage) -> None:
    """Lose the answer to a create."""
    server = place.service(stage, "vault")
    front = fronts.nginx(stage, server)
    always = {"X-Vault-User": "release-job", "X-Attempt-Group": "rj-55102"}
    loses = place.first_of("PUT")
    me = stage.actor("client", front, place.VAULT, "node:axios", always, loses=loses)
    me.get("/vault/documents")
    me.get("/vault/documents/BW-40001", 404)
    guard, new = {**place.XML, "If-None-Match": "*"}, place.drawing("Flange, job rj-55102", "1.0577")
    me.put("/vault/documents/BW-40001", new, 0, guard)
    time.sleep(0.5)
    me.put("/vault/documents/BW-40001", new, 412, guard)
    place.require("rj-55102" in me.get("/vault/documents/BW-40001").text, "not stored")
    me.put("/vault/documents/BW-40002", place.drawing("Seal, job rj-55102", "FKM"), 201, guard)


@case(
    "b017",
    "fresh-tag-old-edit",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "Before it saves, the form reads the claim only to have a fresh tag and sends its edit of the older "
        "state: no refusal, and the handler that a colleague had assigned in between is gone."
    ),
)
def fresh(stage: Stage) -> None:
    """Save an old edit with a fresh tag."""
    server = place.service(stage, "claims")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, place.CLAIMS, "requests", {"X-Adjuster": "m.osei"})
    other = stage.actor("other", front, place.CLAIMS, "httpx", {"X-Adjuster": "teamlead"})
    me.get(place.LIST)
    me.get(place.CLAIM)
    seen = other.get(place.CLAIM).etag
    other.put(place.CLAIM, place.claim(handler="s.ibarra"), 200, {"If-Match": seen})
    place.poll(me, [place.OTHER_CLAIM], 2, 0.3)
    tag = me.get(place.CLAIM).etag
    me.put(place.CLAIM, place.claim(status="survey"), 200, {"If-Match": tag})
    place.require(other.get(place.CLAIM).json["attributes"]["handler"] == "m.osei", "nothing lost")


@case(
    "b018",
    "head-before-every-save",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A rota import takes the tag for each save from a HEAD right before it and writes what it had read "
        "minutes ago; a swap made by the ward in between is undone without any refusal."
    ),
)
def headed(stage: Stage) -> None:
    """Take the tag from a HEAD."""
    server = place.service(stage, "rota")
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, place.ROTA, "urllib", {"X-Personal-Nr": "import"})
    other = stage.actor("other", front, place.ROTA, "requests", {"X-Personal-Nr": "70340"})
    days = ["c4/2026-12-01", "c4/2026-12-02", "icu/2026-12-01"]
    for day in days:
        me.get(f"/rota/{day}")
    seen = other.get("/rota/c4/2026-12-02")
    other.put("/rota/c4/2026-12-02", place.shift("c4/2026-12-02", late="Lind"), 200, {"If-Match": seen.etag})
    time.sleep(0.7)
    for day in days:
        tag = me.send("HEAD", f"/rota/{day}", 200).etag
        me.put(f"/rota/{day}", place.shift(day, night="Abbas"), 200, {"If-Match": tag})
    place.require(other.get("/rota/c4/2026-12-02").json["shift"]["late"] == "Yilmaz", "nothing lost")


@case(
    "b019",
    "two-clerks-without-a-condition",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "The desk tells tags, but both clerks put whole tickets without any condition through lighttpd; the "
        "second puts the owner back that the first had changed."
    ),
)
def clerks(stage: Stage) -> None:
    """Write without a condition."""
    server = place.service(stage, "desk")
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, place.DESK, "curl:trace-ascii")
    other = stage.actor("other", front, place.DESK, "requests")
    me.get("/desk/queue")
    me.get(place.TICKET)
    other.get(place.TICKET)
    other.put(place.TICKET, place.ticket(owner="nils"), 200, place.FORM)
    time.sleep(0.6)
    me.put(place.TICKET, place.ticket(state="waiting"), 200, place.FORM)
    place.require("Owner: ewa" in me.get(place.TICKET).text, "nothing lost")
    me.get("/desk/queue")


@case(
    "b020",
    "undefined-as-a-tag",
    "null-token",
    "412",
    alone="null-token other-writer",
    also="other-writer",
    description=(
        "The planner's store has no tag for a day that came from the ward list, and JavaScript sends the word "
        "undefined as If-Match, four times in all; once, later, a save with a proper tag meets a colleague's."
    ),
)
def undefined(stage: Stage) -> None:
    """Send a word for a tag."""
    server = place.service(stage, "rota")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, place.ROTA, "node:axios", {"X-Personal-Nr": "70012"})
    other = stage.actor("other", front, place.ROTA, "requests", {"X-Personal-Nr": "70340"})
    me.send("POST", "/anmeldung", 200, None, {"user": "70012"})
    me.get("/rota/c4")
    me.put(place.SHIFT, place.shift(night="Abbas"), 412, {"If-Match": '"undefined"'})
    time.sleep(0.2)
    me.put(place.SHIFT, place.shift(night="Abbas"), 412, {"If-Match": '"undefined"'})
    tag = me.get(place.SHIFT).etag
    held = me.put(place.SHIFT, place.shift(night="Abbas"), 200, {"If-Match": tag}).etag
    place.poll(me, ["/rota/icu/2026-12-01", "/rota/c4/2026-12-02"], 3)
    for _ in range(2):
        new = place.shift("c4/2026-12-03", night="Lind")
        me.put("/rota/c4/2026-12-03", new, 412, {"If-Match": '"undefined"'})
    other.put(place.SHIFT, place.shift(night="Abbas", early="Sander"), 200, {"If-Match": held})
    time.sleep(0.4)
    me.put(place.SHIFT, place.shift(night="Abbas", late="Petrov"), 412, {"If-Match": held})
    tag = me.get(place.SHIFT).etag
    both = place.shift(night="Abbas", late="Petrov", early="Sander")
    me.put(place.SHIFT, both, 200, {"If-Match": tag})


@case(
    "b021",
    "empty-variable-in-a-script",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "A release script greps the ETag of a HEAD in a spelling that the vault does not use and sends an empty "
        'tag, If-Match: "", for each drawing.'
    ),
)
def empty(stage: Stage) -> None:
    """Send an empty tag."""
    server = place.service(stage, "vault")
    me = stage.actor("client", server, place.VAULT, "curl", {"X-Vault-User": "release"})
    for number, title in (("BW-20417", "Bracket left"), ("BW-20418", "Bracket right")):
        me.send("HEAD", f"/vault/documents/{number}", 200)
        guard = {**place.XML, "If-Match": '""'}
        me.put(f"/vault/documents/{number}", place.drawing(title, "1.4404"), 412, guard)
    me.get("/vault/documents")


@case(
    "b022",
    "quotes-lost-in-a-database",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "The Java client keeps tags without their quotes and sends them so; the claims desk finds no entity tag "
        "in the field and refuses. With the quotes put back the same tag passes."
    ),
)
def bare(stage: Stage) -> None:
    """Send a tag without its quotes."""
    server = place.service(stage, "claims")
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, place.CLAIMS, "java", {"X-Adjuster": "batch"})
    me.get(place.LIST)
    tag = me.get(place.CLAIM).etag
    me.put(place.CLAIM, place.claim(reserve=4300), 412, {"If-Match": tag.strip('"')})
    me.get(place.OTHER_CLAIM)
    me.put(place.CLAIM, place.claim(reserve=4300), 412, {"If-Match": tag.strip('"')})
    place.require(me.get(place.CLAIM).etag == tag, "somebody wrote")
    me.put(place.CLAIM, place.claim(reserve=4300), 200, {"If-Match": tag})


@case(
    "b023",
    "bare-tag-taken-for-none",
    "malformed-validator",
    "lost-update",
    alone="malformed-validator precondition-ignored",
    also="precondition-ignored",
    description=(
        "The planner sends its tag without quotes; this rota takes a field that it cannot read for absent, so "
        "the outdated save is accepted and the ward's swap is lost."
    ),
)
def lenient(stage: Stage) -> None:
    """Send an outdated tag without quotes."""
    server = place.service(stage, "rota", LAX="1")
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, place.ROTA, "aiohttp", {"X-Personal-Nr": "70012"})
    other = stage.actor("other", front, place.ROTA, "requests", {"X-Personal-Nr": "70340"})
    me.get("/rota/c4")
    tag = me.get(place.SHIFT).etag
    seen = other.get(place.SHIFT).etag
    other.put(place.SHIFT, place.shift(early="Sander"), 200, {"If-Match": seen})
    time.sleep(0.5)
    me.put(place.SHIFT, place.shift(late="Abbas"), 200, {"If-Match": tag.strip('"')})
    place.require(me.get(place.SHIFT).json["shift"]["early"] == "Yilmaz", "nothing lost")


@case(
    "b024",
    "payment-tag-on-the-claim",
    "wrong-token-source",
    "412",
    alone="wrong-token-source stale-stored-token",
    also="stale-stored-token",
    description=(
        "A screen shows a claim with its payment and keeps one tag, that of the payment, which it read last; two "
        "claims' saves with it are refused, the own tag passes. Later a save repeats a tag it has used up itself."
    ),
)
def payment(stage: Stage) -> None:
    """Send a payment's tag for the claim."""
    server = place.service(stage, "claims", AUTH="1")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, place.CLAIMS, "httpx")
    mine = place.sign_in(me, "j.lindqvist")
    own = me.get(place.CLAIM, 200, mine).etag
    me.get("/claims/v3/policies/POL-3310", 200, mine)
    tag = me.get("/claims/v3/payments/PAY-5107", 200, mine).etag
    me.put(place.CLAIM, place.claim(status="settled"), 412, {**mine, "If-Match": tag})
    place.require(me.get(place.CLAIM, 200, mine).etag == own, "somebody wrote")
    me.put(place.CLAIM, place.claim(status="settled"), 200, {**mine, "If-Match": own})
    me.get(place.OTHER_CLAIM, 200, mine)
    me.put(place.OTHER_CLAIM, place.claim("CLM-88230", status="settled"), 412, {**mine, "If-Match": tag})
    me.get(place.LIST, 200, mine)
    time.sleep(0.6)
    me.put(place.CLAIM, place.claim(status="closed"), 412, {**mine, "If-Match": own})
    fresh = me.get(place.CLAIM, 200, mine).etag
    me.put(place.CLAIM, place.claim(status="closed"), 200, {**mine, "If-Match": fresh})


@case(
    "b025",
    "one-tag-for-the-ward",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope other-writer",
    description=(
        "All days of a ward share one tag: a colleague's change of Wednesday makes the planner's save of Tuesday "
        "fail, though Tuesday's shift has its old lockVersion."
    ),
)
def ward(stage: Stage) -> None:
    """Save one day after another day was changed."""
    server = place.service(stage, "rota", WARD="1")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, place.ROTA, "node:fetch", {"X-Personal-Nr": "70012"})
    other = stage.actor("other", front, place.ROTA, "requests", {"X-Personal-Nr": "70340"})
    me.get("/rota/c4")
    before = me.get(place.SHIFT)
    me.get("/rota/icu/2026-12-01")
    seen = other.get("/rota/c4/2026-12-02").etag
    other.put("/rota/c4/2026-12-02", place.shift("c4/2026-12-02", early="Lind"), 200, {"If-Match": seen})
    time.sleep(0.5)
    me.put(place.SHIFT, place.shift(night="Abbas"), 412, {"If-Match": before.etag})
    now = me.get(place.SHIFT)
    place.require(now.json == before.json and now.etag != before.etag, "the day changed")
    me.get("/rota/c4")
    me.put(place.SHIFT, place.shift(night="Abbas"), 200, {"If-Match": now.etag})


@case(
    "b026",
    "upsert-guarded-against-itself",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A provisioning tool reads a twin, changes its site and puts it back with If-None-Match: *, which its "
        "template always sends; the twin exists, so it is refused until If-Match is sent instead."
    ),
)
def upsert(stage: Stage) -> None:
    """Update with the guard of a create."""
    server = place.service(stage, "hub")
    me = stage.actor("client", server, place.HUB, "requests", {"X-Operator": "provision"})
    me.get("/twins")
    tag = me.get(place.TWIN).etag
    me.put(place.TWIN, place.twin(site="Buesum"), 412, {"If-None-Match": "*"})
    me.put("/twins/TG-0499", place.twin(site="List"), 201, {"If-None-Match": "*"})
    me.put(place.TWIN, place.twin(site="Buesum"), 412, {"If-None-Match": "*"})
    me.put(place.TWIN, place.twin(site="Buesum"), 200, {"If-Match": tag})
    me.get(place.TWIN)
