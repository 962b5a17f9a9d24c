"""What clients send as a condition: empty, damaged, borrowed, of too wide a scope, put there by a library."""

from __future__ import annotations

import time

from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.sud_setting import (
    LIMS,
    OPAC,
    XML,
    caching,
    instrument,
    laboratory,
    library,
    sign_on,
    title,
)


@case(
    "a012",
    "undefined-in-if-match",
    "null-token",
    "412",
    alone="null-token",
    description="A web client reads the tag under a wrong name and sends the word undefined as If-Match.",
)
def undefined(stage: Stage) -> None:
    """Send no value as a value."""
    server = library(stage)
    me = stage.actor("client", server, OPAC, "node:fetch", {"X-Desk": "web", "Accept": "application/json"})
    me.get("/opac/titles?page=1&fields=title,author&_=1764185000123")
    me.get("/opac/titles/b5090")
    me.get("/opac/titles/b4471")
    time.sleep(0.4)
    wanted = title("titles/b4471", copies=6)
    me.put("/opac/titles/b4471", wanted, 412, {"If-Match": "undefined"})
    me.get("/opac/titles/b4471")
    me.put("/opac/titles/b4471", wanted, 412, {"If-Match": "undefined"})


@case(
    "a013",
    "tag-through-xml-attribute",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A macro keeps the tag in an attribute of its file and forgets to decode it: &quot; stands where the "
        "quotes were. The same write with the tag as served goes through."
    ),
)
def entity(stage: Stage) -> None:
    """Send an escaped tag."""
    server = laboratory(stage)
    me = stage.actor("client", server, LIMS, "curl", {"X-Technician": "sato"})
    tag = me.get("/lims/instrument/HPLC-03").etag
    me.get("/lims/method/HPLC-03")
    new = instrument("HPLC-03", status="calibration")
    me.put("/lims/instrument/HPLC-03", new, 412, {**XML, "If-Match": tag.replace('"', "&quot;")})
    time.sleep(0.5)
    if me.get("/lims/instrument/HPLC-03").etag != tag:
        raise StoryError("the card has changed")
    me.put("/lims/instrument/HPLC-03", new, 200, {**XML, "If-Match": tag})


@case(
    "a014",
    "copy-tag-on-title",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description="The tag of a copy (holdings/b4471-2) is sent with a write to its title (titles/b4471).",
)
def borrowed(stage: Stage) -> None:
    """Send the tag of another record."""
    server = library(stage)
    me = stage.actor("client", server, OPAC, "httpx", {"X-Desk": "desk-3"})
    me.get("/opac/holdings")
    me.get("/opac/titles/b4471")
    copy = me.get("/opac/holdings/b4471-2").etag
    me.get("/opac/holdings/b4471-3")
    time.sleep(0.3)
    me.put("/opac/titles/b4471", title("titles/b4471", shelf="R 12"), 412, {"If-Match": copy})
    own = me.get("/opac/titles/b4471").etag
    me.put("/opac/titles/b4471", title("titles/b4471", shelf="R 12"), 200, {"If-Match": own})


@case(
    "a015",
    "one-tag-for-all-instruments",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    description=(
        "All instrument cards share one tag. A colleague saves another card; the write to this card, which nobody "
        "has touched, is refused."
    ),
)
def shared(stage: Stage) -> None:
    """Edit one card while a sibling changes."""
    server = laboratory(stage, SCOPE="1")
    me = stage.actor("client", server, LIMS, "requests", {"X-Technician": "varga"})
    other = stage.actor("other", server, LIMS, "aiohttp", {"X-Technician": "iyer"})
    me.get("/lims/instrument")
    if me.get("/lims/instrument/ICPMS-01").etag != me.get("/lims/instrument/BAL-17").etag:
        raise StoryError("not one tag")
    before = me.get("/lims/instrument/HPLC-03")
    theirs = other.get("/lims/instrument/ICPMS-01").etag
    gas = instrument("ICPMS-01", status="argon out")
    other.put("/lims/instrument/ICPMS-01", gas, 200, {**XML, "If-Match": theirs})
    time.sleep(0.5)
    new = instrument("HPLC-03", owner="Sato")
    me.put("/lims/instrument/HPLC-03", new, 412, {**XML, "If-Match": before.etag})
    after = me.get("/lims/instrument/HPLC-03")
    if after.body != before.body or after.etag == before.etag:
        raise StoryError("the card itself has changed")
    me.get("/lims/instrument")


@case(
    "a016",
    "star-guard-on-correction",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description="A patron's record is read and corrected with If-None-Match: *, where If-Match was meant.",
)
def star(stage: Stage) -> None:
    """Update with the guard of a creation."""
    server = library(stage)
    me = stage.actor("client", server, OPAC, "java", {"X-Desk": "desk-2"})
    me.get("/opac/patrons")
    me.get("/opac/patrons/p20881")
    fields = {"If-None-Match": "*", "Content-Type": "application/json"}
    me.put("/opac/patrons/p20881", title("patrons/p20881", mail="ro@mail.test"), 412, fields)
    tag = me.get("/opac/patrons/p20881").etag
    me.put("/opac/patrons/p20881", title("patrons/p20881", mail="ro@mail.test"), 200, {"If-Match": tag})


@case(
    "a017",
    "insists-on-condition",
    "token-missing",
    "428",
    alone="token-missing",
    description="The registry insists on a condition; a client that has seen the tag sends none and gets 428.",
)
def needed(stage: Stage) -> None:
    """Write without the condition that is asked for."""
    server = laboratory(stage, NEED="1")
    me = stage.actor("client", server, LIMS, "curl:trace-time", {"X-Technician": "iyer"})
    me.get("/lims/instrument")
    tag = me.get("/lims/instrument/BAL-17").etag
    me.put("/lims/instrument/BAL-17", instrument("BAL-17", room="1.008"), 428, XML)
    me.send("DELETE", "/lims/instrument/HPLC-04", 428)
    time.sleep(0.4)
    me.put("/lims/instrument/BAL-17", instrument("BAL-17", room="1.008"), 200, {**XML, "If-Match": tag})


@case(
    "a018",
    "forgotten-http-cache",
    "implicit-precondition",
    "412",
    alone="implicit-precondition create-guard-on-update",
    description=(
        "The kiosk's HTTP library (CacheControl, told to handle PUT) adds If-None-Match with the tag of its cache "
        "to the PUT; the desk's program sends the same write without it and succeeds."
    ),
)
def forgotten(stage: Stage) -> None:
    """Let a cache add the condition."""
    server = library(stage)
    me = caching(stage, "client", server, OPAC, {"X-Desk": "kiosk-5"})
    other = stage.actor("other", server, OPAC, "requests", {"X-Desk": "desk-5"})
    me.get("/opac/titles")
    me.get("/opac/holdings/b4471-3")
    me.get("/opac/titles/b4471")
    me.get("/opac/titles/b4471")
    moved = title("holdings/b4471-3", branch="Nord")
    me.put("/opac/holdings/b4471-3", moved, 412)
    time.sleep(0.6)
    me.put("/opac/holdings/b4471-3", moved, 412)
    other.get("/opac/holdings/b4471-3")
    other.put("/opac/holdings/b4471-3", moved, 200)


@case(
    "a019",
    "change-cursor-expired",
    "token-expired",
    "410",
    alone="token-expired",
    description=(
        "A mirror asks for changes since its cursor after a pause; the registry keeps cursors two seconds, answers "
        "410 and says so; a fresh cursor works."
    ),
)
def cursor(stage: Stage) -> None:
    """Come back too late."""
    server = laboratory(stage, EXPIRE="2")
    me = stage.actor("client", server, LIMS, "aiohttp", {"User-Agent": "lims-mirror/2.0"})
    cursor = me.get("/lims/changes").text.split('next="')[1].split('"')[0]
    for name in ("HPLC-03", "HPLC-04", "BAL-17"):
        me.get(f"/lims/instrument/{name}")
    cursor = me.get(f"/lims/changes?since={cursor}").text.split('next="')[1].split('"')[0]
    time.sleep(2.6)
    me.get(f"/lims/changes?since={cursor}", 410)
    me.get(f"/lims/changes?since={cursor}", 410)
    cursor = me.get("/lims/changes").text.split('next="')[1].split('"')[0]
    me.get(f"/lims/changes?since={cursor}")


@case(
    "a020",
    "second-run-old-tags",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A synchroniser keeps tags in a file. Its first run writes two records and stores no new tags; its second "
        "run sends the old ones and is refused twice by its own writes."
    ),
)
def two_runs(stage: Stage) -> None:
    """Run twice from a file of tags."""
    server = library(stage)
    me = stage.actor("client", server, OPAC, "requests", {"User-Agent": "opac-sync/1.1"})
    sign_on(me, "sync")
    kept = {key: me.get(f"/opac/{key}").etag for key in ("titles/b4471", "titles/b6113", "titles/b5090")}
    me.put("/opac/titles/b4471", title("titles/b4471", copies=3), 200, {"If-Match": kept["titles/b4471"]})
    me.put("/opac/titles/b6113", title("titles/b6113", copies=2), 200, {"If-Match": kept["titles/b6113"]})
    time.sleep(1.2)
    sign_on(me, "sync")
    me.put("/opac/titles/b4471", title("titles/b4471", copies=2), 412, {"If-Match": kept["titles/b4471"]})
    me.put("/opac/titles/b5090", title("titles/b5090", copies=7), 200, {"If-Match": kept["titles/b5090"]})
    me.put("/opac/titles/b6113", title("titles/b6113", copies=1), 412, {"If-Match": kept["titles/b6113"]})
    for key in ("titles/b4471", "titles/b6113"):
        if me.get(f"/opac/{key}").json["_by"] != "sync":
            raise StoryError("somebody else wrote")
