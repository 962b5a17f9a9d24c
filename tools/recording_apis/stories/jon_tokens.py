"""What clients do with their tokens: keep old ones, send refused ones again, lose answers, refresh blindly."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import jon_clients as kit
from tools.recording_apis.stories import jon_setting as place
from tools.recording_apis.stories.jon_people import calendar, event

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording.message import Message

_SHIFT = {"who": "Mila", "from": "06:00", "to": "14:00", "task": "gate 3"}
_PROPS = (
    '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/><getlastmodified/><getcontentlength/></prop>'
    "</propfind>"
)


def first(method: str) -> Callable[[Message], bool]:
    """Return what names the first request of a method."""
    left = iter([True])
    return lambda message: message.method == method and next(left, False)


@case(
    "b114",
    "jon-app-keeps-last-modified-of-opening",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "kinto-http: an app keeps the last_modified of the record as it was opened; its first save passes and "
        "answers with a newer one, its second save names the first again. Nobody else writes."
    ),
)
def opened(stage: Stage) -> None:
    """Ignore the answer to one's own save."""
    server = kit.rota(stage, **{"mon-early": _SHIFT, "mon-late": {"who": "Theo"}})
    me = kit.Tasks(stage, "client", server, "mila")
    me.do("get_records")
    held = me.do("get_record", id="mon-early")["data"]
    me.do("update_record", id="mon-early", data={**held, "task": "gate 4"})
    me.do("get_record", id="mon-late")
    time.sleep(0.5)
    me.do("update_record", 412, id="mon-early", data={**held, "task": "gate 4", "note": "radio 7"})


@case(
    "b115",
    "jon-state-file-behind-own-upload",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A loader keeps the tag of its checkpoint in a state file that it writes at start only: the second upload "
        "of one run names the tag from before the first. SeaweedFS, boto3; other objects pass."
    ),
)
def state_file(stage: Stage) -> None:
    """Keep a tag in a file that is not renewed."""
    server = kit.lake(stage, "seaweedfs", ckpt__loader=b'{"offset":100}', raw__a=b"1,2\n")
    me = kit.Objects(stage, "client", server)
    tag = me.call("head_object", Key="ckpt/loader")["ETag"]
    me.read("raw/a")
    me.call("put_object", Key="ckpt/loader", Body=b'{"offset":180}', IfMatch=tag)
    me.call("put_object", Key="out/part-1", Body=b"4,5\n", IfNoneMatch="*")
    me.read("raw/a")
    time.sleep(0.4)
    me.call("put_object", 412, Key="ckpt/loader", Body=b'{"offset":260}', IfMatch=tag)
    place.insist(me.read("ckpt/loader") == b'{"offset":180}', "somebody else wrote")


@case(
    "b116",
    "jon-reminder-job-insists",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "The reception changed an appointment after the reminder job read it; the job sends the same tag five "
        "times with doubling pauses, without a read, and gives up; its other appointments pass."
    ),
)
def reminders(stage: Stage) -> None:
    """Send the refused tag again and again."""
    server = place.clinic(stage)
    job = {"X-Staff": "reminder-job", "User-Agent": "reminders/3 aiohttp"}
    me = stage.actor("client", server, place.PRAXIS, "aiohttp", job)
    other = stage.actor("other", server, place.PRAXIS, "requests", {"X-Staff": "reception"})
    me.get("/clinic/api/appointments")
    tag, fine = me.get(place.SLOT).etag, me.get(place.SLOT_2).etag
    theirs = other.get(place.SLOT).etag
    other.put(place.SLOT, place.document(place.SLOT, start="10:30"), 200, {"If-Match": theirs})
    me.put(place.SLOT_2, place.document(place.SLOT_2, reminded=True), 200, {"If-Match": fine})
    for number in range(5):
        me.put(place.SLOT, place.document(place.SLOT, reminded=True), 412, {"If-Match": tag})
        time.sleep(0.1 * 2**number)
    me.get("/clinic/api/staff/okafor")


@case(
    "b117",
    "jon-bottling-line-loops",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token other-writer",
    also="other-writer",
    description=(
        "A bottling line's controller puts its recipe eight times with one tag, every 150 ms; the brewer had saved "
        "before. Between the attempts it reads other recipes only."
    ),
)
def bottling(stage: Stage) -> None:
    """Loop with one tag."""
    server = place.brewery(stage)
    me = stage.actor("client", server, place.BREW, "urllib", {"X-Brewer": "line-2"})
    other = stage.actor("other", server, place.BREW, "curl", {"X-Brewer": "anneke"})
    tag = me.get("/brew/bock").etag
    guard = {"If-Match": other.get("/brew/bock").etag}
    other.put("/brew/bock", place.recipe("bock", "90 min", "95 min"), 200, guard)
    for _ in range(8):
        me.put("/brew/bock", place.recipe("bock", "650 g", "640 g"), 412, {"If-Match": tag})
        me.get("/brew/pils")
        time.sleep(0.15)


@case(
    "b118",
    "jon-azure-sdk-retries-own-upload",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "The answer to an upload with an etag condition is lost; Azure's library sends the same request again by "
        "itself and is refused by its own upload; the blob has exactly the uploaded text with a run id."
    ),
)
def sdk(stage: Stage) -> None:
    """Let the library retry a committed upload."""
    server = kit.container(stage, run_json=b'{"run":"none"}')
    me = kit.Containers(stage, "client", server, first("PUT"), retry_total=2, initial_backoff=1)
    tag = me.tag("run.json")
    text = b'{"run":"7f0c2b1e-4471","rows":5120,"by":"etl-4"}'
    me.upload("run.json", text, tag, "ConditionNotMet")
    place.insist(me.on("run.json", lambda one: one.download_blob().readall()) == text, "it is not ours")


@case(
    "b119",
    "jon-pilot-app-in-a-dead-spot",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A pilot's app in the middle of polling gets no answer to a save (connection lost), sends the same body "
        "with the same tag again: 412; the document carries its agent and its own command id."
    ),
)
def dead_spot(stage: Stage) -> None:
    """Lose an answer and repeat."""
    server = place.harbour(stage)
    always = {"X-Agent": "pilot-31", "User-Agent": "PilotApp/8.4 okhttp"}
    me = stage.actor("client", server, place.PORT, "node:axios", always, loses=first("PUT"))
    place.watch(me, 5, None, place.NOTICE)
    seen = me.get(place.PILOT)
    body = place.edited(seen, onCall=False, command="c-88127")
    me.put(place.PILOT, body, 0, {"If-Match": seen.etag})
    time.sleep(0.7)
    me.put(place.PILOT, body, 412, {"If-Match": seen.etag})
    again = me.get(place.PILOT).json
    place.insist(
        again["command"] == "c-88127" and again["_meta"]["updatedBy"] == "pilot-31", "it is not ours"
    )
    place.watch(me, 3, None, place.NOTICE)


@case(
    "b120",
    "jon-create-answer-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay exists-already",
    description=(
        "boto3 creates a run's marker with IfNoneMatch '*'; the answer is lost, boto3's own second attempt (same "
        "invocation id) is refused by the first; the marker holds the run's own nonce."
    ),
)
def marker(stage: Stage) -> None:
    """Lose the answer to a creation."""
    server = kit.lake(stage, "seaweedfs", runs__index=b"r1\n")
    me = kit.Objects(stage, "client", server, first("PUT"))
    me.read("runs/index")
    body = b'{"run":"r2","nonce":"c41f77a0","host":"etl-4"}'
    me.call("put_object", 412, Key="runs/r2/_started", Body=body, IfNoneMatch="*")
    place.insist(me.read("runs/r2/_started") == body, "it is not ours")
    me.call("list_objects_v2", Prefix="runs/")


@case(
    "b121",
    "jon-shift-form-refreshes-only-the-token",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "Mila fills in a form from the shift as it was; before saving, the app fetches the shift anew but takes "
        "only its last_modified. Theo's new gate, in that fetch, is overwritten without a 412."
    ),
)
def refreshed(stage: Stage) -> None:
    """Take the token of a version that was not edited."""
    server = kit.rota(stage, **{"mon-early": _SHIFT})
    me, other = kit.Tasks(stage, "client", server, "mila"), kit.Tasks(stage, "other", server, "theo")
    form = me.do("get_record", id="mon-early")["data"]
    other.do(
        "update_record",
        id="mon-early",
        data={**other.do("get_record", id="mon-early")["data"], "task": "gate 5"},
    )
    time.sleep(1.0)
    fresh = me.do("get_record", id="mon-early")["data"]
    me.do(
        "update_record", id="mon-early", data={**form, "to": "13:00", "last_modified": fresh["last_modified"]}
    )
    place.insist(other.do("get_record", id="mon-early")["data"]["task"] == "gate 3", "nothing was lost")


@case(
    "b122",
    "jon-editor-asks-for-the-tag-at-saving",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A text editor on lighttpd's WebDAV opens a list, and at saving asks PROPFIND for the tag and puts its text "
        "under it: the line a colleague added meanwhile is gone, nothing was refused."
    ),
)
def editor(stage: Stage) -> None:
    """Ask for the tag right before the save."""
    server = fronts.site(stage, "lighttpd", {"lists/keys.txt": "gate 3: Mila\n"}, fronts.DAV["lighttpd"])
    host = "share.meridian.test"
    me = stage.actor("client", server, host, "requests", {"User-Agent": "davfs-edit/1.2"})
    other = stage.actor("other", server, host, "httpx")
    depth = {"Depth": "0", "Content-Type": "application/xml"}
    me.send("PROPFIND", "/lists/", 207, {**depth, "Depth": "1"}, _PROPS)
    text = me.get("/lists/keys.txt").text
    theirs = other.get("/lists/keys.txt")
    other.put("/lists/keys.txt", f"{theirs.text}yard: Ana\n", (200, 201, 204), {"If-Match": theirs.etag})
    time.sleep(1.2)
    me.send("PROPFIND", "/lists/keys.txt", 207, depth, _PROPS)
    tag = me.send("HEAD", "/lists/keys.txt", 200).etag
    me.put("/lists/keys.txt", f"{text}crane: Theo\n", (200, 201, 204), {"If-Match": tag})
    place.insist("Ana" not in other.get("/lists/keys.txt").text, "nothing was lost")


@case(
    "b123",
    "jon-reception-and-import-without-conditions",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "An import reads appointments, which carry tags and dates, and puts them back without a condition; the "
        "reception's new time, saved in between, is gone. HAProxy in front."
    ),
)
def imports(stage: Stage) -> None:
    """Put without a condition."""
    front = fronts.haproxy(stage, [place.clinic(stage)])
    me = stage.actor(
        "client", front, place.PRAXIS, "httpx", {"X-Staff": "his-import", "X-Request-ID": "imp-7781"}
    )
    other = stage.actor("other", front, place.PRAXIS, "requests", {"X-Staff": "reception"})
    me.get("/clinic/api/appointments")
    me.get(place.SLOT)
    me.get(place.SLOT_2)
    other.put(
        place.SLOT_2,
        place.document(place.SLOT_2, start="12:00"),
        200,
        {"If-Match": other.get(place.SLOT_2).etag},
    )
    time.sleep(0.8)
    for slot in (place.SLOT, place.SLOT_2):
        me.put(slot, place.document(slot, insurer="AOK"), 200)
    place.insist(other.get(place.SLOT_2).json["start"] == "09:45", "nothing was lost")


@case(
    "b124",
    "jon-rclone-copies-over-an-edit",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    description=(
        "rclone copies a folder to lighttpd's WebDAV, as it did before; between the two runs a colleague edited a "
        "file there under its tag; rclone puts without a condition and the edit is gone."
    ),
)
def copied(stage: Stage) -> None:
    """Copy over an edit."""
    server = fronts.site(stage, "lighttpd", {"plan/a.txt": "a1\n"}, fronts.DAV["lighttpd"])
    port = stage.tap("client", server)
    other = stage.actor("other", server, "share.meridian.test", "requests", {"Host": f"127.0.0.1:{port}"})
    local = stage.directory()
    (local / "a.txt").write_text("a2 by mila\n")
    (local / "b.txt").write_text("b1\n")
    kit.rclone(stage, port, "webdav", "copy", str(local), "far:plan")
    seen = other.get("/plan/a.txt")
    other.put("/plan/a.txt", "a3 by theo, long\n", (200, 201, 204), {"If-Match": seen.etag})
    time.sleep(1.2)
    (local / "a.txt").write_text("a4 by mila\n")
    kit.rclone(stage, port, "webdav", "copy", str(local), "far:plan")
    place.insist(other.get("/plan/a.txt").text == "a4 by mila\n", "nothing was lost")
    stage.servers["client"] = "rclone"


@case(
    "b125",
    "jon-undefined-as-tag",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "A Node script builds If-Match from a field it has under another name and sends the word undefined, on two "
        "documents; both are 412 although nobody else writes."
    ),
)
def undefined(stage: Stage) -> None:
    """Send a word of JavaScript."""
    server = place.harbour(stage)
    me = stage.actor("client", server, place.PORT, "node:axios", {"X-Agent": "sync-eta"})
    place.watch(me, 3)
    for path, change in ((place.VESSEL, {"loa": 212.7}), (place.BERTH, {"cranes": 2})):
        seen = me.get(path)
        me.put(path, place.edited(seen, **change), 412, {"If-Match": "undefined"})
    me.get(place.VESSEL)


@case(
    "b126",
    "jon-template-never-filled",
    "null-token",
    "412",
    alone="null-token malformed-validator",
    description=(
        "A collection of saved requests is run with curl before its variable is set: the write goes out with the "
        "text {{etag}} in If-Match; 412. By hand, with the tag of the read, it passes."
    ),
)
def template(stage: Stage) -> None:
    """Send a placeholder."""
    server = place.brewery(stage)
    me = stage.actor("client", server, place.BREW, "curl", {"X-Brewer": "anneke"})
    tag = me.get("/brew/saison").etag
    text = place.recipe("saison", "60 min", "70 min")
    me.put("/brew/saison", text, 412, {"If-Match": "{{etag}}", "Content-Type": "text/x-recipe"})
    me.get("/brew/recipes")
    me.put("/brew/saison", text, 200, {"If-Match": tag, "Content-Type": "text/x-recipe"})


@case(
    "b127",
    "jon-losers-of-four-parallel-updaters",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "One run of a job patches one document from four threads with the tag that it read once: one is accepted, "
        "three are refused within a second; all have one run id and no other client writes."
    ),
)
def threads(stage: Stage) -> None:
    """Patch from four threads."""
    front = fronts.nginx(stage, place.harbour(stage, HOLD="70"))
    me = stage.actor("client", front, place.PORT, "requests", {"X-Agent": "batch", "X-Run": "20261126-17"})
    tag = me.get(place.NOTICE).etag
    merge = {"Content-Type": "application/merge-patch+json", "If-Match": tag}

    def patch(number: int) -> int:
        return me.send("PATCH", place.NOTICE, (200, 412), merge, {f"ref{number}": f"B-{number}"}).status

    with ThreadPoolExecutor(4) as pool:
        place.insist(sorted(pool.map(patch, range(4))) == [200, 412, 412, 412], "not one of four")
    me.get(place.NOTICE)


@case(
    "b128",
    "jon-calendar-update-as-creation",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A booking bot reads an event with its tag, changes it and puts it with If-None-Match: * as it does for new "
        "ones; Radicale refuses each time. New events pass."
    ),
)
def as_creation(stage: Stage) -> None:
    """Guard an update as a creation."""
    server = calendar(stage, standup="Standup")
    me = stage.actor(
        "client", server, "cal.meridian.test", "httpx", {**kit.basic("ana"), "User-Agent": "roombot/0.7"}
    )
    guard: dict[str, Any] = {"Content-Type": "text/calendar", "If-None-Match": "*"}
    me.put("/ana/team/room-9.ics", event("room-9", "Room 9"), 201, guard)
    me.get("/ana/team/standup.ics")
    me.put("/ana/team/standup.ics", event("standup", "Standup in room 9", 1), 412, guard)
    me.get("/ana/team/standup.ics")
    me.put("/ana/team/standup.ics", event("standup", "Standup in room 9", 1), 412, guard)
