"""Exercises on what conditions do when all goes well.

Source: RFC 9110 section 13.1.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from ifmatch.reference.lessons.lesson import Lesson

if TYPE_CHECKING:
    from ifmatch.merge import JsonValue
    from ifmatch.reference.lessons.lesson import Events
    from ifmatch.reference.recording import RecordingClient, Reply
    from ifmatch.reference.scripted import ScriptedServer

__all__ = ["LESSONS", "asked", "changed", "put"]

_GET: Final = "curl -i {url}"
_TAG: Final = "TAG=$(curl -sI {url} | sed -n 's/^ETag: //p' | tr -d '\\r')"


def asked(events: Events, method: str, status: int, condition: str = "") -> int:
    """Return how often a method was answered with a status, its condition holding a text."""
    return sum(
        event.method == method and event.status == status and condition in event.condition for event in events
    )


def put(client: RecordingClient, target: str, document: object, **condition: str) -> Reply:
    """Send a PUT with JSON; `if_match` and so on become fields."""
    fields = {name.replace("_", "-").title(): value for name, value in condition.items()}
    content = json.dumps(document).encode()
    return client.send("PUT", target, {"Content-Type": "application/json", **fields}, content)


def changed(reply: Reply, **members: JsonValue) -> dict[str, JsonValue]:
    """Return what was read with some members changed."""
    return {**cast("dict[str, JsonValue]", json.loads(reply.octets)), **members}


def _note(server: ScriptedServer) -> JsonValue:
    document = server.document()
    return document.get("note") if isinstance(document, dict) else None


def _first_solution(client: RecordingClient, target: str) -> None:
    client.send("GET", target)
    put(client, target, {"note": "mine"}, if_match='"yesterday"')


def _guarded_solution(client: RecordingClient, target: str) -> None:
    read = client.send("GET", target)
    put(client, target, changed(read, note="mine"), if_match=read.etag)


def _create_solution(client: RecordingClient, target: str) -> None:
    for number in (1, 2):
        put(client, f"{target}/booking", {"by": number}, if_none_match="*")


def _poll_solution(client: RecordingClient, target: str) -> None:
    read = client.send("GET", target)
    client.send("GET", target, {"If-None-Match": read.etag})


def _star_solution(client: RecordingClient, target: str) -> None:
    put(client, target, {"note": "mine"}, if_match="*")
    put(client, f"{target}/nowhere", {"note": "mine"}, if_match="*")


def _date_solution(client: RecordingClient, target: str) -> None:
    read = client.send("GET", target)
    date = read.fields.text("last-modified") or ""
    put(client, target, changed(read, note="mine"), if_unmodified_since=date)


def _resume_solution(client: RecordingClient, target: str) -> None:
    first = client.send("GET", target, {"Range": "bytes=0-19"})
    client.send("GET", target, {"Range": "bytes=20-", "If-Range": first.etag})


def _long(server: ScriptedServer) -> None:
    server.write({"title": "A long download", "note": "x" * 200})
    server.overtake(lambda _: {"title": "Another download", "note": "y" * 200})


LESSONS: Final = (
    Lesson(
        name="first-412",
        title="My first 412",
        story="A note lies on the server. Its ETag names the version that is current now.",
        task="Save the note with an If-Match that names another version, and be refused.",
        commands=(_GET, 'curl -i -X PUT -H \'If-Match: "yesterday"\' -d \'{{"note": "mine"}}\' {url}'),
        done=lambda events, _: asked(events, "PUT", 412, "If-Match") > 0,
        hint=lambda events, _: (
            "The save passed: add If-Match with a tag that is not the current one."
            if asked(events, "PUT", 204)
            else ""
        ),
        moral="412 means: the condition of the request is false on the current state, and nothing was "
        "done. The "
        "answer says which field, what it carried, and what is current.",
        solve=_first_solution,
    ),
    Lesson(
        name="right-tag",
        title="Save with the tag that was read",
        story="This time you want the save to pass, and only if nobody wrote since your read.",
        task='Change the note to "mine" with If-Match and the ETag of your GET.',
        commands=(_TAG, 'curl -i -X PUT -H "If-Match: $TAG" -d \'{{"note": "mine"}}\' {url}'),
        done=lambda events, server: asked(events, "PUT", 204, "If-Match") > 0 and _note(server) == "mine",
        hint=lambda events, _: (
            "Refused: the tag has to be the current one, with its quotes."
            if asked(events, "PUT", 412) or asked(events, "PUT", 400)
            else "It passed, but without If-Match nothing protected it."
            if asked(events, "PUT", 204)
            else ""
        ),
        moral="A tag is opaque: send it back as it came, quotes included. The answer to the save carries "
        "the tag "
        "of the new version, which is the one for your next save.",
        solve=_guarded_solution,
        topic="If-Match",
    ),
    Lesson(
        name="create-once",
        title="Create, and never overwrite",
        story="Two people may book the same slot. The slot is {url}/booking, and it is free.",
        task="Create it with If-None-Match: *, then try once more and be refused.",
        commands=("curl -i -X PUT -H 'If-None-Match: *' -d '{{\"by\": \"me\"}}' {url}/booking",),
        done=lambda events, _: (
            asked(events, "PUT", 201, "If-None-Match: *") > 0
            and asked(events, "PUT", 412, "If-None-Match: *") > 0
        ),
        hint=lambda events, _: (
            "Created. Now send the very same request again."
            if asked(events, "PUT", 201, "If-None-Match")
            else ""
        ),
        moral="If-None-Match: * is true only while nothing is there. Of two that come at once, one gets "
        "201 and "
        "the other 412.",
        solve=_create_solution,
        topic="If-None-Match",
    ),
    Lesson(
        name="poll",
        title="Ask whether something changed",
        story="You have read the note and want to know, cheaply, whether it is still the same.",
        task="Get a 304.",
        commands=(_TAG, 'curl -i -H "If-None-Match: $TAG" {url}'),
        done=lambda events, _: asked(events, "GET", 304) > 0,
        hint=lambda events, _: (
            "200 means: it is not the version that you named. Send the ETag of your read."
            if asked(events, "GET", 200, "If-None-Match")
            else ""
        ),
        moral="On a read a false If-None-Match gives 304, not 412: you have it already. It compares "
        "weakly, so "
        "W/ makes no difference here.",
        solve=_poll_solution,
        topic="304",
    ),
    Lesson(
        name="star",
        title="If-Match: *",
        story="A star names no version. It asks whether there is one at all.",
        task="Let If-Match: * pass on {url} and be refused on {url}/nowhere.",
        commands=(
            "curl -i -X PUT -H 'If-Match: *' -d '{{\"note\": \"mine\"}}' {url}",
            "curl -i -X PUT -H 'If-Match: *' -d '{{\"note\": \"mine\"}}' {url}/nowhere",
        ),
        done=lambda events, _: (
            asked(events, "PUT", 204, "If-Match: *") > 0 and asked(events, "PUT", 412, "If-Match: *") > 0
        ),
        hint=lambda events, _: "One of the two is still missing." if asked(events, "PUT", 204) else "",
        moral="If-Match: * means: only if it exists. It never creates, and it protects nobody's change.",
        solve=_star_solution,
        topic="If-Match",
    ),
    Lesson(
        name="dates",
        title="A date in the place of a tag",
        story="Some servers have no tags. Last-Modified is what remains.",
        task="Save the note with If-Unmodified-Since and the Last-Modified of your read.",
        commands=(
            "DATE=$(curl -sI {url} | sed -n 's/^Last-Modified: //p' | tr -d '\\r')",
            'curl -i -X PUT -H "If-Unmodified-Since: $DATE" -d \'{{"note": "mine"}}\' {url}',
        ),
        done=lambda events, _: asked(events, "PUT", 204, "If-Unmodified-Since") > 0,
        hint=lambda events, _: (
            "Refused: send the date exactly as Last-Modified gave it." if asked(events, "PUT", 412) else ""
        ),
        moral="A date tells seconds apart and no more: of two saves in one second the first is lost. A "
        "value that "
        "is no HTTP date is ignored, so a wrong format protects nothing. Prefer tags.",
        solve=_date_solution,
        topic="If-Unmodified-Since",
    ),
    Lesson(
        name="resume",
        title="Resume a download safely",
        story="You fetch the first 20 octets. Before you fetch the rest, somebody replaces the file.",
        task="Ask for the rest with If-Range, and get the whole new file in the place of a part.",
        commands=(
            "curl -i -H 'Range: bytes=0-19' {url}",
            "curl -i -H 'Range: bytes=20-' -H 'If-Range: THE TAG OF THE FIRST PART' {url}",
        ),
        prepare=_long,
        done=lambda events, _: asked(events, "GET", 206) > 0 and asked(events, "GET", 200, "If-Range") > 0,
        hint=lambda events, _: (
            "That part belongs to the new file: with If-Range you would have got all of it."
            if asked(events, "GET", 206) > 1
            else ""
        ),
        moral="If-Range: a part if it is still the same version, else everything. Without it the halves "
        "of two "
        "versions come together and nobody notices.",
        solve=_resume_solution,
        topic="If-Range",
    ),
)
