"""People and programs that write to one record: colleagues, their own second request, jobs of the service."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.sud_setting import (
    LIMS,
    OPAC,
    XML,
    instrument,
    laboratory,
    library,
    sign_on,
    title,
)

if TYPE_CHECKING:
    from tools.recording.message import Message


@case(
    "a000",
    "two-cataloguers",
    "other-writer",
    "412",
    alone="other-writer",
    description="Two cataloguers correct one title; the second is refused and sees the first one's change.",
)
def cataloguers(stage: Stage) -> None:
    """Let a colleague save first."""
    server = library(stage)
    me = stage.actor("client", server, OPAC)
    other = stage.actor("other", server, OPAC, "httpx")
    sign_on(me, "staff-weber")
    sign_on(other, "staff-cho")
    me.get("/opac/titles?page=1&sort=shelf")
    tag = me.get("/opac/titles/b4472").etag
    me.get("/opac/holdings/b4471-3")
    theirs = other.get("/opac/titles/b4472").etag
    time.sleep(0.4)
    other.put("/opac/titles/b4472", title("titles/b4472", shelf="R 18"), 200, {"If-Match": theirs})
    time.sleep(0.7)
    me.put("/opac/titles/b4472", title("titles/b4472", copies=3), 412, {"If-Match": tag})
    seen = me.get("/opac/titles/b4472")
    if seen.json["_by"] != "staff-cho":
        raise StoryError("the colleague is not named")


@case(
    "a001",
    "double-autosave",
    "self-race",
    "412",
    alone="self-race",
    description="A form saves on blur and on a timer at once, both with the tag of the one read; one is refused.",
)
def autosave(stage: Stage) -> None:
    """Send two writes at the same time."""
    server = laboratory(stage, HOLD="0.25")
    me = stage.actor(
        "client", server, LIMS, "requests", {"X-Technician": "varga", "User-Agent": "LimsDesk/4.2"}
    )
    me.get("/lims/instrument")
    tag = me.get("/lims/instrument/HPLC-03").etag
    me.get("/lims/method/HPLC-03")

    def save(seconds: float, status: str, expect: int) -> None:
        time.sleep(seconds)
        fields = {**XML, "If-Match": tag}
        me.put("/lims/instrument/HPLC-03", instrument("HPLC-03", status=status), expect, fields)

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(save, 0.0, "runni", 200), pool.submit(save, 0.06, "running", 412)]
        for run in runs:
            run.result()
    if "runni<" not in me.get("/lims/instrument/HPLC-03").text:
        raise StoryError("the first of the two is not there")


@case(
    "a002",
    "night-shift-job-edits",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "After each save a job of the service adds checkedBy to the record, so the tag of the client's own answer "
        "is outdated at its next save; no other client was there."
    ),
)
def stamped(stage: Stage) -> None:
    """Save twice while the service edits."""
    server = library(stage, STAMP="0.5")
    me = stage.actor("client", server, OPAC, "aiohttp")
    sign_on(me, "staff-weber")
    me.get("/opac/titles?page=1")
    tag = me.get("/opac/titles/b5090").etag
    tag = me.put("/opac/titles/b5090", title("titles/b5090", copies=8), 200, {"If-Match": tag}).etag
    me.get("/opac/titles/b6113")
    time.sleep(1.2)
    me.put("/opac/titles/b5090", title("titles/b5090", copies=8, shelf="K 04"), 412, {"If-Match": tag})
    seen = me.get("/opac/titles/b5090").json
    if seen["_by"] != "nightshift-job" or seen["copies"] != 8:
        raise StoryError("the job did not edit")


@case(
    "a003",
    "scan-replaced-while-downloading",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "A scan is fetched in parts with If-Match; between the parts a new scan takes its place and the next part "
        "is refused."
    ),
)
def scan(stage: Stage) -> None:
    """Replace a file between two ranges."""
    pages = bytes(range(256)) * 24
    server = fronts.site(stage, "nginx", {"scans/ms-118.tif": pages}, fronts.DAV["nginx"])
    me = stage.actor("client", server, "scans.stadtbuecherei.test", "urllib", {"User-Agent": "ScanFetch/0.9"})
    other = stage.actor("other", server, "scans.stadtbuecherei.test", "curl")
    first = me.send("GET", "/scans/ms-118.tif", 206, {"Range": "bytes=0-2047"})
    guard = {"If-Match": first.etag}
    me.send("GET", "/scans/ms-118.tif", 206, {"Range": "bytes=2048-4095", **guard})
    time.sleep(0.5)
    other.put("/scans/ms-118.tif", "II*" + "x" * 5000, 204, {"Content-Type": "image/tiff"})
    time.sleep(0.4)
    me.send("GET", "/scans/ms-118.tif", 412, {"Range": "bytes=4096-6143", **guard})
    again = me.send("GET", "/scans/ms-118.tif", 206, {"Range": "bytes=0-2047"})
    me.send("GET", "/scans/ms-118.tif", 206, {"Range": "bytes=2048-", "If-Match": again.etag})


@case(
    "a004",
    "instrument-id-in-use",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A new balance is registered under an id that another one has had for days; the create-only PUT is "
        "refused as intended, and the read shows the other balance."
    ),
)
def in_use(stage: Stage) -> None:
    """Create what exists."""
    server = laboratory(stage)
    me = stage.actor("client", server, LIMS, "curl", {"X-Technician": "iyer"})
    me.get("/lims/template/HPLC")
    new = instrument("BAL-17", make="Entris II", room="3.201", owner="Iyer")
    me.put("/lims/instrument/BAL-17", new, 412, {**XML, "If-None-Match": "*"})
    if "XPR205" not in me.get("/lims/instrument/BAL-17").text:
        raise StoryError("it is not the old one")
    me.put("/lims/instrument/BAL-18", new, 201, {**XML, "If-None-Match": "*"})
    me.get("/lims/instrument/BAL-18")


@case(
    "a005",
    "withdrawn-title",
    "target-missing",
    "412",
    alone="target-missing",
    description="A title was withdrawn by a colleague; the update with its last tag is refused, the read is 404.",
)
def withdrawn(stage: Stage) -> None:
    """Write to what is gone."""
    server = library(stage)
    me = stage.actor("client", server, OPAC, "node:axios", {"X-Desk": "desk-3"})
    other = stage.actor("other", server, OPAC, "requests", {"X-Desk": "desk-1"})
    me.get("/opac/titles")
    tag = me.get("/opac/titles/b6113").etag
    other.send("DELETE", "/opac/titles/b6113", 204, {"If-Match": other.get("/opac/titles/b6113").etag})
    time.sleep(0.8)
    me.put("/opac/titles/b6113", title("titles/b6113", copies=2), 412, {"If-Match": tag})
    me.get("/opac/titles/b6113", 404)
    me.get("/opac/titles")


@case(
    "a006",
    "form-keeps-first-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A dialog keeps the tag of the record as it was opened: its first save goes through and answers with a new "
        "tag, its second save sends the first tag again. Nobody else writes."
    ),
)
def dialog(stage: Stage) -> None:
    """Ignore the tag of one's own answer."""
    server = laboratory(stage)
    me = stage.actor("client", server, LIMS, "java", {"X-Technician": "varga"})
    me.get("/lims/instrument")
    tag = me.get("/lims/instrument/ICPMS-01").etag
    room = instrument("ICPMS-01", room="0.021")
    me.put("/lims/instrument/ICPMS-01", room, 200, {**XML, "If-Match": tag})
    time.sleep(0.6)
    me.get("/lims/method/HPLC-03")
    owner = instrument("ICPMS-01", room="0.021", owner="Sato")
    me.put("/lims/instrument/ICPMS-01", owner, 412, {**XML, "If-Match": tag})
    if 'by="varga"' not in me.get("/lims/instrument/ICPMS-01").text:
        raise StoryError("somebody else wrote")


@case(
    "a007",
    "nightly-fee-run-retries",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A nightly run updates fees; a desk has booked a payment in the meantime, and the run sends the same tag "
        "five times with growing pauses and never reads again."
    ),
)
def fee_run(stage: Stage) -> None:
    """Retry with what failed."""
    server = library(stage)
    me = stage.actor("client", server, OPAC, "urllib", {"X-Desk": "fee-run", "User-Agent": "feerun/2026.4"})
    other = stage.actor("other", server, OPAC, "requests", {"X-Desk": "desk-2"})
    tag = me.get("/opac/patrons/p20881").etag
    known = me.get("/opac/patrons/p20882").etag
    paid = title("patrons/p20882", fees="0.00")
    other.put("/opac/patrons/p20882", paid, 200, {"If-Match": other.get("/opac/patrons/p20882").etag})
    me.put("/opac/patrons/p20881", title("patrons/p20881", fees="0.50"), 200, {"If-Match": tag})
    for number in range(5):
        me.put("/opac/patrons/p20882", title("patrons/p20882", fees="4.00"), 412, {"If-Match": known})
        time.sleep(0.15 * 2**number)


@case(
    "a008",
    "answer-lost-on-tram",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "The answer to a save is lost on the way; the app sends the same request again, is refused by its own "
        "write, and the record carries its own operation number."
    ),
)
def tram(stage: Stage) -> None:
    """Lose an answer and repeat."""
    server = library(stage)
    lost: list[int] = []

    def loses(message: Message) -> bool:
        if message.method == "PUT" and not lost:
            lost.append(1)
            return True
        return False

    always = {"X-Desk": "mobile-7", "User-Agent": "BuechereiMobil/5.1"}
    me = stage.actor("client", server, OPAC, "httpx", always, loses=loses)
    me.get("/opac/titles?near=Nord")
    tag = me.get("/opac/holdings/b4471-2").etag
    body = title("holdings/b4471-2", state="returned", due="", op="m7-000318")
    fields = {"If-Match": tag, "Idempotency-Key": "m7-000318"}
    me.put("/opac/holdings/b4471-2", body, 0, fields)
    time.sleep(0.5)
    me.put("/opac/holdings/b4471-2", body, 412, fields)
    seen = me.get("/opac/holdings/b4471-2").json
    if seen.get("op") != "m7-000318" or seen["_by"] != "mobile-7":
        raise StoryError("it is not ours")


@case(
    "a009",
    "fresh-tag-old-form",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "The desk reads a patron, a colleague changes the mail address, the desk fetches a fresh tag right before "
        "it saves the form it had filled in before: the mail address is gone, without a 412."
    ),
)
def old_form(stage: Stage) -> None:
    """Fetch a tag for an old edit."""
    server = library(stage)
    me = stage.actor("client", server, OPAC, "requests", {"X-Desk": "desk-1"})
    other = stage.actor("other", server, OPAC, "curl", {"X-Desk": "desk-4"})
    me.get("/opac/patrons?card=DE-20881")
    form = me.get("/opac/patrons/p20881").json
    theirs = title("patrons/p20881", mail="r.okafor@new.test")
    other.put("/opac/patrons/p20881", theirs, 200, {"If-Match": other.get("/opac/patrons/p20881").etag})
    time.sleep(1.0)
    kept = {name: value for name, value in form.items() if not name.startswith("_")}
    fresh = me.get("/opac/patrons/p20881").etag
    me.put("/opac/patrons/p20881", {**kept, "fees": "1.00"}, 200, {"If-Match": fresh})
    if other.get("/opac/patrons/p20881").json["mail"] != "okafor@mail.test":
        raise StoryError("nothing was lost")


@case(
    "a010",
    "script-writes-without-condition",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "A script reads a card and writes it back without a condition although the answers carry tags; what a "
        "colleague saved in between is gone."
    ),
)
def script(stage: Stage) -> None:
    """Write without a condition."""
    server = laboratory(stage)
    me = stage.actor("client", server, LIMS, "urllib", {"X-Technician": "script-inventory"})
    other = stage.actor("other", server, LIMS, "httpx", {"X-Technician": "varga"})
    me.get("/lims/instrument")
    me.get("/lims/instrument/HPLC-03")
    me.get("/lims/instrument/HPLC-04")
    tag = other.get("/lims/instrument/HPLC-04").etag
    done = instrument("HPLC-04", status="ready", owner="Sato")
    other.put("/lims/instrument/HPLC-04", done, 200, {**XML, "If-Match": tag})
    time.sleep(0.6)
    me.put("/lims/instrument/HPLC-03", instrument("HPLC-03", room="2.115"), 200, XML)
    me.put("/lims/instrument/HPLC-04", instrument("HPLC-04", room="2.115"), 200, XML)
    if "Sato" in other.get("/lims/instrument/HPLC-04").text:
        raise StoryError("nothing was lost")


@case(
    "a011",
    "two-kiosks-at-once",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race precondition-ignored precondition-stripped none",
    description=(
        "Two kiosks save one record with the same tag within the pause between the service's check and its write: "
        "both are told 200 and one change is gone; a later write with that tag is refused."
    ),
)
def kiosks(stage: Stage) -> None:
    """Check both, then write both."""
    server = library(stage, GAP="0.3")
    me = stage.actor("client", server, OPAC, "requests", {"X-Desk": "kiosk-1"})
    other = stage.actor("other", server, OPAC, "httpx", {"X-Desk": "kiosk-2"})
    sign_on(me, "reader-3381")
    me.get("/opac/titles?q=mann&page=1")
    me.get("/opac/holdings/b4471-2")
    me.get("/opac/holdings/b4471-3")
    tag = me.get("/opac/titles/b4471").etag
    theirs = other.get("/opac/titles/b4471").etag
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(
            other.put, "/opac/titles/b4471", title("titles/b4471", copies=5), 200, {"If-Match": theirs}
        )
        time.sleep(0.08)
        two = pool.submit(
            me.put, "/opac/titles/b4471", title("titles/b4471", shelf="M 1"), 200, {"If-Match": tag}
        )
        one.result()
        two.result()
    time.sleep(0.5)
    if other.get("/opac/titles/b4471").json["copies"] != 4:
        raise StoryError("nothing was lost")
    other.put("/opac/titles/b4471", title("titles/b4471", copies=5), 412, {"If-Match": theirs})
