"""Conditions that are wanted, that somebody else adds, that have expired, or that are not for HTTP's fields."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ida_setting as place


@case(
    "b027",
    "claims-desk-insists",
    "token-missing",
    "428",
    alone="token-missing",
    description=(
        "The claims desk wants a condition on every change; a new client sends none, gets 428 (Precondition "
        "Required), takes the tag of a read and succeeds."
    ),
)
def insists(stage: Stage) -> None:
    """Write without a condition where one is wanted."""
    server = place.service(stage, "claims", NEED="1", AUTH="1")
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, place.CLAIMS, "requests")
    mine = place.sign_in(me, "s.ibarra")
    me.get(place.LIST, 200, mine)
    change = {"attributes": {"status": "survey"}}
    me.send("PATCH", place.OTHER_CLAIM, 428, mine, change)
    tag = me.get(place.OTHER_CLAIM, 200, mine).etag
    me.send("PATCH", place.OTHER_CLAIM, 200, {**mine, "If-Match": tag}, change)
    me.get(place.LIST, 200, mine)


@case(
    "b028",
    "lock-version-is-required",
    "token-missing",
    "400",
    alone="token-missing",
    description=(
        "A kiosk saves a shift without lockVersion and without If-Match; the rota answers 400 (version_fehlt, "
        "lockVersion is required) until the kiosk sends the number it has read."
    ),
)
def required(stage: Stage) -> None:
    """Write without the version in the body."""
    server = place.service(stage, "rota", NEED="400")
    me = stage.actor("client", server, place.ROTA, "aiohttp", {"X-Personal-Nr": "kiosk-2"})
    version = me.get(place.SHIFT).json["shift"]["lockVersion"]
    me.put(place.SHIFT, place.shift(night="Lind"), 400)
    me.get("/rota/icu")
    me.put(place.SHIFT, place.shift(night="Lind"), 400)
    me.put(place.SHIFT, place.shift(night="Lind", lockVersion=version), 200)


@case(
    "b029",
    "phone-adds-what-its-cache-holds",
    "implicit-precondition",
    "412",
    alone="implicit-precondition create-guard-on-update",
    description=(
        "On one platform the system's HTTP cache adds If-None-Match and If-Modified-Since of the stored read to "
        "the app's PUT, which the claims desk refuses; the same app on the other platform sends neither."
    ),
)
def phone(stage: Stage) -> None:
    """Send a cache's fields with a write."""
    server = place.service(stage, "claims")
    front = fronts.nginx(stage, server)
    agent = {"User-Agent": "NorlanderField/5.2 CFNetwork/1568.200.51 Darwin/24.1.0", "X-Adjuster": "field-7"}
    me = stage.actor("client", front, place.CLAIMS, "httpx", agent)
    other = stage.actor(
        "other", front, place.CLAIMS, "java", {"User-Agent": "NorlanderField/5.2 (Android 15) okhttp/4.12.0"}
    )
    me.get(place.LIST)
    seen = me.get(place.CLAIM)
    held = {"If-None-Match": seen.etag, "If-Modified-Since": seen.fields["last-modified"]}
    me.get(place.CLAIM, 304, held)
    me.put(place.CLAIM, place.claim(status="photos"), 412, held)
    me.put(place.CLAIM, place.claim(status="photos"), 412, held)
    other.get(place.OTHER_CLAIM)
    other.put(place.OTHER_CLAIM, place.claim("CLM-88230", status="photos"), 200)


@case(
    "b030",
    "enrollment-session-ran-out",
    "token-expired",
    "412",
    alone="token-expired",
    description=(
        "The hub keeps enrollment sessions for a second; a slow gauge finishes too late and is told 412 "
        "(SessionExpired), begins a new one and finishes in time."
    ),
)
def enrollment(stage: Stage) -> None:
    """Finish a session too late."""
    server = place.service(stage, "hub", KEEP="1")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, place.HUB, "requests", {"User-Agent": "tg-bootloader/1.4"})
    me.get("/twins/TG-0511", 404)
    told = me.send("POST", "/enrollments/TG-0511", 201, None, {}).json["session"]
    me.get("/twins/TG-0412")
    time.sleep(1.4)
    body = place.twin(site="Pellworm")
    me.send("POST", f"/enrollments/TG-0511?session={told}", 412, None, body)
    told = me.send("POST", "/enrollments/TG-0511", 201, None, {}).json["session"]
    me.send("POST", f"/enrollments/TG-0511?session={told}", 200, None, body)
    me.get("/twins/TG-0511")


@case(
    "b031",
    "change-log-trimmed",
    "token-expired",
    "410",
    alone="token-expired",
    description=(
        "A dashboard follows the hub's changes by cursor and sleeps too long: 410 (CursorExpired). It takes a "
        "new snapshot and follows again."
    ),
)
def cursor(stage: Stage) -> None:
    """Follow with an old cursor."""
    server = place.service(stage, "hub", KEEP="1.2")
    me = stage.actor("client", server, place.HUB, "node:fetch", {"X-Operator": "dashboard"})
    me.get("/twins")
    told = me.get("/changes").json["cursor"]
    for pause in (0.3, 0.3, 1.7):
        time.sleep(pause)
        answer = me.get(f"/changes?cursor={told}", 410 if pause > 1 else 200)
        told = answer.json.get("cursor", told)
    me.get(f"/changes?cursor={told}", 410)
    me.get("/twins")
    told = me.get("/changes").json["cursor"]
    me.get(f"/changes?cursor={told}")


@case(
    "b032",
    "conflict-told-with-200",
    "status-dialect-mismatch",
    "lost-write",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description=(
        "An older rota tells a version conflict with status 200 and success false; the planner looks at the "
        "status only, goes on, and its change was never stored."
    ),
)
def calm(stage: Stage) -> None:
    """Take a conflict for success."""
    server = place.service(stage, "rota", CALM="1")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, place.ROTA, "requests", {"X-Personal-Nr": "70012"})
    other = stage.actor("other", front, place.ROTA, "httpx", {"X-Personal-Nr": "70340"})
    version = me.get(place.SHIFT).json["shift"]["lockVersion"]
    other.get(place.SHIFT)
    other.put(place.SHIFT, place.shift(early="Lind", lockVersion=version), 200)
    time.sleep(0.4)
    told = me.put(place.SHIFT, place.shift(late="Abbas", lockVersion=version), 200)
    place.require(told.json["success"] is False, "it was stored")
    me.get("/rota/icu")
    me.get("/rota/c4")


@case(
    "b033",
    "test-operation-with-another-spelling",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "A JSON Patch tests for the night nurse as the staff directory spells the name; the shift holds another "
        "spelling, the test operation fails (412, operation 0), and with the live value it passes."
    ),
)
def spelling(stage: Stage) -> None:
    """Test for a value in another spelling."""
    server = place.service(stage, "rota")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, place.ROTA, "node:axios", {"X-Personal-Nr": "70012"})
    patch = {"Content-Type": "application/json-patch+json"}
    me.get("/rota/staff/s-117")
    me.get(place.SHIFT)
    for name, expect in (("Oduya, A.", 412), ("oduya", 412), ("Oduya", 200)):
        steps = [
            {"op": "test", "path": "/night", "value": name},
            {"op": "replace", "path": "/night", "value": "Abbas"},
        ]
        me.send("PATCH", place.SHIFT, expect, patch, steps)
        me.get(place.SHIFT)


@case(
    "b034",
    "badge-worn-twice",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "The directory import updates staff by badge; one badge belongs to two entries of the same nurse, so the "
        "conditional update is 412 (criteria matched 2 resources)."
    ),
)
def badge(stage: Stage) -> None:
    """Update by a criterion that two records meet."""
    server = place.service(stage, "rota")
    me = stage.actor("client", server, place.ROTA, "requests", {"X-Personal-Nr": "import"})
    me.get("/rota/staff")
    one = {"name": "Yilmaz, D.", "badge": "40117", "grade": "P8"}
    me.put("/rota/staff?badge=40117", one, 200)
    two = {"name": "Kranz, U.", "badge": "40230", "grade": "P9"}
    me.put("/rota/staff?badge=40230", two, 412)
    me.put("/rota/staff?badge=40555", {"name": "Lind, E.", "badge": "40555", "grade": "P7"}, 201)
    me.put("/rota/staff?badge=40230", two, 412)


@case(
    "b035",
    "hub-takes-no-conditions",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description=(
        "This hub tells tags on reads but refuses any conditional header on PUT with 501 (NotSupported), even "
        "right after a read; without one the write passes."
    ),
)
def refuses(stage: Stage) -> None:
    """Send a condition that is not supported."""
    server = place.service(stage, "hub", REFUSES="PUT")
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, place.HUB, "httpx", {"X-Operator": "ops-1"})
    me.get("/twins")
    seen = me.get(place.TWIN)
    me.put(place.TWIN, place.twin(interval=600), 501, {"If-Match": seen.etag})
    seen = me.get(place.TWIN)
    me.put(place.TWIN, place.twin(interval=600), 501, {"If-Match": seen.etag})
    dated = {"If-Unmodified-Since": seen.fields["last-modified"]}
    me.put(place.TWIN, place.twin(interval=600), 501, dated)
    me.put(place.TWIN, place.twin(interval=600), 200)


@case(
    "b036",
    "legal-hold-answers-412",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "The desk refuses any change of a ticket under legal hold with 412 and an HTML page that says so; no "
        "condition was sent, other tickets can be changed."
    ),
)
def hold(stage: Stage) -> None:
    """Change a ticket that is on hold."""
    server = place.service(stage, "desk", HOLD="1")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, place.DESK, "requests", {"Cookie": "desk_user=ewa"})
    me.get("/desk/queue")
    me.send("POST", "/desk/ticket/5530", 200, place.FORM, "state=open")
    me.get("/desk/ticket/5544")
    me.send("POST", "/desk/ticket/5544", 412, place.FORM, "owner=ewa")
    me.send("POST", "/desk/ticket/5544", 412, place.FORM, "state=open&owner=ewa")
    me.get("/desk/queue")


@case(
    "b037",
    "who-runs-the-nightly-sync",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description=(
        "Every worker tries for the lease of the nightly sync; the one that has it renews it, the others are "
        "told 412 (LeaseHeld) and wait, round after round, with no work lost."
    ),
)
def leader(stage: Stage) -> None:
    """Try for a lease that another worker has."""
    server = place.service(stage, "hub")
    me = stage.actor("client", server, place.HUB, "requests", {"User-Agent": "sync-worker/2 (b)"})
    other = stage.actor("other", server, place.HUB, "requests", {"User-Agent": "sync-worker/2 (a)"})
    first, second = ({"owner": f"worker-{name}", "seconds": 0.9} for name in "ab")
    guard = {"If-None-Match": "*"}
    other.put("/leases/nightly-sync", first, 201, guard)
    for turn in range(5):
        me.put("/leases/nightly-sync", second, 412, guard)
        me.get("/twins")
        time.sleep(0.3)
        if turn < 4:
            other.put("/leases/nightly-sync", first, 200, {"If-Match": '"worker-a"'})
    time.sleep(0.9)
    me.put("/leases/nightly-sync", second, 200, guard)
    me.get("/twins")


@case(
    "b038",
    "checked-out-by-the-design-office",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "A drawing is checked out by the design office; the shop floor's save with a current tag is 423, with a "
        "lock token of its own that has ended 412, and passes after check-in and a check-out of its own."
    ),
)
def locked(stage: Stage) -> None:
    """Save a drawing that another has checked out."""
    server = place.service(stage, "vault", LOCKS="1")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, place.VAULT, "httpx", {"X-Vault-User": "shopfloor"})
    other = stage.actor("other", front, place.VAULT, "requests", {"X-Vault-User": "design"})
    path = f"{place.DRAWING}/checkout"
    mine = me.send("POST", path, 201).text.split('"')[1]
    me.send("POST", f"{place.DRAWING}/checkin", 204)
    other.send("POST", path, 201)
    tag = me.get(place.DRAWING).etag
    guard = {**place.XML, "If-Match": tag}
    me.put(place.DRAWING, place.drawing(material="1.4404"), 423, guard)
    me.put(place.DRAWING, place.drawing(material="1.4404"), 412, {**guard, "Lock-Token": f"<{mine}>"})
    me.send("POST", path, 423)
    other.send("POST", f"{place.DRAWING}/checkin", 204)
    time.sleep(0.4)
    mine = me.send("POST", path, 201).text.split('"')[1]
    me.put(place.DRAWING, place.drawing(material="1.4404"), 200, {**guard, "Lock-Token": f"<{mine}>"})


@case(
    "b039",
    "portal-script-sees-no-tag",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag unconditional-write",
    also="unconditional-write",
    description=(
        "The portal's script on another origin cannot read the rota's ETag, which is not exposed, so it saves "
        "without a condition and undoes what the ward had just planned."
    ),
)
def portal(stage: Stage) -> None:
    """Save from a page that cannot see the tag."""
    server = place.service(stage, "rota", CORS=place.Page.site, ALLOW="content-type, if-match")
    page = place.Page(stage, server, place.ROTA)
    try:
        page.call("GET", "/rota/c4", 200)
        place.require(page.call("GET", place.SHIFT, 200) is None, "the tag is exposed")
        other = stage.actor("other", server, place.ROTA, "httpx", {"X-Personal-Nr": "70340"})
        seen = other.get(place.SHIFT).etag
        other.put(place.SHIFT, place.shift(early="Sander"), 200, {"If-Match": seen})
        page.call("PUT", place.SHIFT, 200, None, place.shift(night="Abbas"))
        page.call("GET", place.SHIFT, 200, mode="no-store")
        place.require(other.get(place.SHIFT).json["shift"]["early"] == "Yilmaz", "nothing lost")
    finally:
        page.finish()
