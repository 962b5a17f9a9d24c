"""Other words for a refusal, conditions in the payload, refusals that are none, losers by design, a browser."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import jon_clients as kit
from tools.recording_apis.stories import jon_setting as place

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@case(
    "b144",
    "jon-refusal-with-status-200",
    "status-dialect-mismatch",
    "lost-write",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description=(
        "The recipe book tells a version mismatch with status 200 and ok: false; the tablet takes it for saved and "
        "goes on to other recipes; its change is not there."
    ),
)
def slip(stage: Stage) -> None:
    """Take a refusal for a success."""
    server = place.brewery(stage, HEADER="1", SLIP="1")
    me = stage.actor("client", server, place.BREW, "node:fetch", {"X-Brewer": "tablet-1"})
    other = stage.actor("other", server, place.BREW, "requests", {"X-Brewer": "anneke"})
    me.get("/brew/recipes")
    version = {"X-Recipe-Version": me.get("/brew/bock").fields["x-recipe-version"]}
    theirs = {"X-Recipe-Version": other.get("/brew/bock").fields["x-recipe-version"]}
    other.put("/brew/bock", place.recipe("bock", "84 kg", "86 kg"), 200, theirs)
    time.sleep(0.5)
    me.put("/brew/bock", place.recipe("bock", "perle", "tettnang"), 200, version)
    fine = {"X-Recipe-Version": me.get("/brew/pils").fields["x-recipe-version"]}
    me.put("/brew/pils", place.recipe("pils", "75 min", "80 min"), 200, fine)
    me.get("/brew/recipes")
    place.insist("perle" in other.get("/brew/bock").text, "it was saved")


@case(
    "b145",
    "jon-etcd-compares-a-line-end",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "etcd holds a value that a script stored with a line end; the switch compares with prevValue without it: "
        "412, Compare failed, each time; with the value as it stands it passes. Nobody else writes."
    ),
)
def line_end(stage: Stage) -> None:
    """Compare with a value that is not quite the stored one."""
    server = stage.server("etcd")
    setup = stage.actor("setup", server, "etcd.meridian.test")
    setup.put("/v2/keys/deploy/color", "value=blue%0A", 201, _FORM)
    setup.put("/v2/keys/deploy/weight", "value=100", 201, _FORM)
    stage.forget()
    me = stage.actor("client", server, "etcd.meridian.test", "curl")
    me.get("/v2/keys/deploy?recursive=true")
    me.put("/v2/keys/deploy/weight?prevValue=100", "value=50", 200, _FORM)
    me.put("/v2/keys/deploy/color?prevValue=blue", "value=green", 412, _FORM)
    me.get("/v2/keys/deploy/color")
    me.put("/v2/keys/deploy/color?prevValue=blue", "value=green", 412, _FORM)
    me.put("/v2/keys/deploy/color?prevValue=blue%0A", "value=green", 200, _FORM)


@case(
    "b146",
    "jon-two-appointments-match",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "A conditional update by search (patient P-118) finds two appointments and is refused with Multiple "
        "matches; with the day as well it finds one and passes."
    ),
)
def matches(stage: Stage) -> None:
    """Update by a search that finds two."""
    front = fronts.nginx(stage, place.clinic(stage))
    me = stage.actor("client", front, place.PRAXIS, "httpx", {"X-Staff": "his-sync"})
    me.get("/clinic/api/staff/okafor")
    body = place.document(place.SLOT, insurer="TK")
    me.put("/clinic/api/appointments?patient=P-118", body, 412)
    me.get("/clinic/api/appointments")
    me.put("/clinic/api/appointments?patient=P-118", body, 412)
    me.put(f"/clinic/api/appointments?patient=P-118&day={place.DAY}", body, 200)


@case(
    "b147",
    "jon-store-has-no-conditions",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description=(
        "The old configuration store answers each conditional request with 501; an update tool tries If-Match with "
        "the serial, If-None-Match for a new site, and If-Match: *; unconditional reads work."
    ),
)
def plain(stage: Stage) -> None:
    """Ask for what the store cannot do."""
    server = place.meters(stage, PLAIN="1")
    always = {"X-Operator": "op-4", "Content-Type": "application/xml"}
    me = stage.actor("client", server, place.EMS, "requests", always)
    me.get("/ems/sites/4711")
    me.get(place.SITE)
    me.put(place.SITE, place.meter(rate="0.32"), 501, {"If-Match": '"8"'})
    me.get("/ems/heartbeat", 204)
    me.put("/ems/sites/4713/config", place.meter("17743"), 501, {"If-None-Match": "*"})
    me.put(place.SITE, place.meter(rate="0.32"), 501, {"If-Match": "*"})
    me.get(place.SITE)


@case(
    "b148",
    "jon-tariff-above-the-ceiling",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "The supplier's store refuses tariffs above a ceiling with 412 and names rule 14b; the tag sent with it is "
        "the current one; a lower tariff under the same tag passes."
    ),
)
def ceiling(stage: Stage) -> None:
    """Break a rule of business."""
    front = fronts.apache(stage, place.meters(stage, RULE="1"))
    always = {"X-Operator": "pricing", "Content-Type": "application/xml"}
    me = stage.actor("client", front, place.EMS, "java", always)
    me.get("/ems/sites/4711")
    tag = me.get(place.SITE).etag
    me.put(place.SITE, place.meter(rate="0.64"), 412, {"If-Match": tag})
    me.get(place.SITE_2)
    me.put(place.SITE, place.meter(rate="0.62"), 412, {"If-Match": tag})
    me.put(place.SITE, place.meter(rate="0.59"), 200, {"If-Match": tag})


@case(
    "b149",
    "jon-standby-node-polls-the-leader-key",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description=(
        "A standby tries to take etcd's leader key (prevExist=false) twice a second and loses while the leader renews "
        "it with prevValue; when the leader stops, the standby wins. All as designed."
    ),
)
def standby(stage: Stage) -> None:
    """Lose an election until the leader has gone."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.meridian.test", "httpx", {"User-Agent": "quayd/1.9 node-b"})
    other = stage.actor("other", server, "etcd.meridian.test", "requests", {"User-Agent": "quayd/1.9 node-a"})
    key = "/v2/keys/quayd/leader"
    other.put(f"{key}?prevExist=false", "value=node-a&ttl=2", 201, _FORM)
    for beat in range(7):
        me.put(f"{key}?prevExist=false", "value=node-b&ttl=2", 412, _FORM)
        other.put(f"{key}?prevValue=node-a", "value=node-a&ttl=2", 200, _FORM)
        if beat % 3 == 0:
            me.put(f"/v2/keys/quayd/health/node-b?n={beat}", "value=standby", (200, 201), _FORM)
        time.sleep(0.5)
    tries = [0]

    def won() -> bool:
        tries[0] += 1
        time.sleep(0.4)
        return me.put(f"{key}?prevExist=false", "value=node-b&ttl=2", (201, 412), _FORM).status == 201

    place.until(won, "the key never ran out")
    me.put(f"{key}?prevValue=node-b", "value=node-b&ttl=2", 200, _FORM)


@case(
    "b150",
    "jon-board-cannot-read-the-tag",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag token-missing",
    also="token-missing",
    description=(
        "A planning board in Chromium on another origin reads a berth; the answer has an ETag but exposes no field, "
        "so the script saves without If-Match and gets 428, on two documents."
    ),
)
def board(stage: Stage) -> None:
    """Save without a tag that the script cannot read."""
    origin = "board.zeehaven.test"
    server = place.harbour(stage, CORS=f"http://{origin}", REQUIRE="1")
    page = kit.Page(stage, server, place.PORT, origin)
    try:
        page.call("GET", f"{place.V2}/tides", 200)
        for path in (place.BERTH, place.NOTICE):
            tag = page.call("GET", path, 200)
            place.insist(tag is None, "the tag is exposed")
            page.call("PUT", path, 428, place.document(path, remark="crane 2 down"), X_Agent="board")
        page.call("GET", place.BERTH, 200)
    finally:
        page.finish()
