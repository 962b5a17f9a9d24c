"""Exercises on conflicts, and on refusals that no conflict caused.

Source: RFC 9110 sections 9.2.2 and 13.1.1.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ifmatch.reference.lessons.basics import asked, changed, put
from ifmatch.reference.lessons.lesson import Lesson

if TYPE_CHECKING:
    from ifmatch.merge import JsonValue
    from ifmatch.reference.lessons.lesson import Events
    from ifmatch.reference.recording import RecordingClient
    from ifmatch.reference.scripted import ScriptedServer

__all__ = ["LESSONS"]

_TAG: Final = "TAG=$(curl -sI {url} | sed -n 's/^ETag: //p' | tr -d '\\r')"

_SAVE: Final = 'curl -i -X PUT -H "If-Match: $TAG" -d \'{{"note": "mine"}}\' {url}'


def _members(server: ScriptedServer) -> dict[str, JsonValue]:
    document = server.document()
    return document if isinstance(document, dict) else {}


def _ben(document: JsonValue) -> JsonValue:
    return {**document, "title": "Ben was here"} if isinstance(document, dict) else document


def _with_ben(server: ScriptedServer) -> None:
    server.write({"title": "Plan", "note": "Meet at noon."})
    server.overtake(_ben)


def _overwritten(events: Events, server: ScriptedServer) -> bool:
    unguarded = [
        event for event in events if event.method == "PUT" and event.status == 204 and not event.condition
    ]
    return bool(unguarded) and _members(server).get("title") != "Ben was here"


def _overwrite_solution(client: RecordingClient, target: str) -> None:
    read = client.send("GET", target)
    put(client, target, changed(read, note="mine"))
    client.send("GET", target)


def _rebased(events: Events, server: ScriptedServer) -> bool:
    members = _members(server)
    both = members.get("title") == "Ben was here" and members.get("note") == "mine"
    return both and asked(events, "PUT", 412) > 0 and asked(events, "PUT", 204, "If-Match") > 0


def _rebase_hint(events: Events, server: ScriptedServer) -> str:
    if _members(server).get("title") != "Ben was here":
        return (
            "Ben's title is gone: a fresh tag with the old content overwrites him. Start over: restart this."
        )
    if asked(events, "PUT", 412):
        return "Refused, as Ben was faster. Read again, put your note into what you read, save with its tag."
    return ""


def _rebase_solution(client: RecordingClient, target: str) -> None:
    read = client.send("GET", target)
    put(client, target, changed(read, note="mine"), if_match=read.etag)
    now = client.send("GET", target)
    put(client, target, changed(now, note="mine"), if_match=now.etag)


def _encoder_solution(client: RecordingClient, target: str) -> None:
    coded = client.send("GET", target, {"Accept-Encoding": "gzip"})
    put(client, target, changed(coded, note="mine"), if_match=coded.etag)
    plain = client.send("GET", target, {"Accept-Encoding": "identity"})
    put(client, target, changed(plain, note="mine"), if_match=plain.etag)


def _encoder_done(events: Events, server: ScriptedServer) -> bool:
    del server
    return asked(events, "PUT", 412, "W/") > 0 and asked(events, "PUT", 204, "If-Match") > 0


def _looked_after(events: Events, status: int) -> bool:
    """Tell whether a read came after a write with this status, and no write after it."""
    last = max(
        (n for n, event in enumerate(events) if event.method == "PUT" and event.status == status), default=-1
    )
    later = [event for event in events[last + 1 :] if event.method in {"GET", "PUT"}]
    return (
        last >= 0
        and any(event.method == "GET" for event in later)
        and not any(event.method == "PUT" and event.status == 204 for event in later)
    )


def _lost_done(events: Events, server: ScriptedServer) -> bool:
    return _looked_after(events, 0) and _members(server).get("note") == "mine"


def _lost_hint(events: Events, server: ScriptedServer) -> str:
    del server
    if asked(events, "PUT", 412):
        return "412, though nobody else wrote? Read what is there before you decide."
    if asked(events, "PUT", 0):
        return "No answer: stored or not? You cannot know from that. Find out."
    return ""


def _lost_prepare(server: ScriptedServer) -> None:
    server.lose_answer()


def _lost_solution(client: RecordingClient, target: str) -> None:
    read = client.send("GET", target)
    put(client, target, changed(read, note="mine"), if_match=read.etag)
    put(client, target, changed(read, note="mine"), if_match=read.etag)
    client.send("GET", target)


def _phantom_solution(client: RecordingClient, target: str) -> None:
    read = client.send("GET", target)
    put(client, target, changed(read, note="mine"), if_match=read.etag)
    client.send("GET", target)


def _phantom_done(events: Events, server: ScriptedServer) -> bool:
    return _looked_after(events, 412) and _members(server).get("note") == "mine"


def _required_solution(client: RecordingClient, target: str) -> None:
    read = client.send("GET", target)
    put(client, target, changed(read, note="mine"))
    put(client, target, changed(read, note="mine"), if_match=read.etag)


def _quotes_solution(client: RecordingClient, target: str) -> None:
    read = client.send("GET", target)
    client.send("PUT", target, {"If-Match": read.etag.strip('"')}, json.dumps({"note": "mine"}).encode())
    put(client, target, changed(read, note="mine"), if_match=read.etag)


LESSONS: Final = (
    Lesson(
        name="lost-update",
        title="How a change gets lost",
        story="You read the plan. Right after that Ben changes the title. You do not know about Ben.",
        task="Read, then save what you read with another note and without any condition. See what became "
        "of Ben.",
        commands=(
            "curl -s {url}",
            'curl -i -X PUT -d \'{{"title": "Plan", "note": "mine"}}\' {url}',
            "curl -s {url}",
        ),
        prepare=_with_ben,
        done=_overwritten,
        hint=lambda events, _: (
            "Refused: you sent a condition. This once, leave it out." if asked(events, "PUT", 412) else ""
        ),
        moral="204, and Ben's title is gone. No error, no trace: this is what 412 protects from. A "
        "service that "
        "answers 428 to unguarded writes makes it impossible.",
        solve=_overwrite_solution,
        topic="unconditional-write",
    ),
    Lesson(
        name="rebase",
        title="Refresh, rebase, retry",
        story="The same again: you read the plan, Ben changes the title right after.",
        task='Get the note to "mine" so that Ben\'s title stays. Use If-Match in every save.',
        commands=("curl -i {url}", "curl -i -X PUT -H 'If-Match: THE TAG YOU READ' -d '...' {url}"),
        prepare=_with_ben,
        done=_rebased,
        hint=_rebase_hint,
        moral="Refused once, you read again, put your change on top of what is there now, and save with "
        "that tag. "
        "The fresh tag alone, with the old content, would have been the lost update itself.",
        solve=_rebase_solution,
        topic="other-writer",
    ),
    Lesson(
        name="required",
        title="428: a condition is asked for",
        story="This service lets no unguarded write pass.",
        task="Be told so once, then save the note as it wants.",
        commands=('curl -i -X PUT -d \'{{"note": "mine"}}\' {url}', _TAG),
        quirks=("required",),
        done=lambda events, _: asked(events, "PUT", 428) > 0 and asked(events, "PUT", 204) > 0,
        hint=lambda events, _: (
            "The answer says how: send If-Match with the ETag." if asked(events, "PUT", 428) else ""
        ),
        moral="428 is no conflict: you sent no condition where one is required. Read, then send its tag "
        "along.",
        solve=_required_solution,
        topic="428",
    ),
    Lesson(
        name="quotes",
        title="The quotes belong to the tag",
        story="Your client cuts the quotes off, as many do.",
        task="Send the current tag without its quotes and see what happens, then send it right.",
        commands=(_TAG, "curl -i -X PUT -H \"If-Match: $(echo $TAG | tr -d '\\\"')\" -d '{{}}' {url}"),
        done=lambda events, _: asked(events, "PUT", 400) > 0 and asked(events, "PUT", 204, 'If-Match: "') > 0,
        hint=lambda events, _: (
            "400: that is no entity tag. Now with its quotes." if asked(events, "PUT", 400) else ""
        ),
        moral="Other servers answer 412 here, or worse: they ignore what they cannot read, and let you "
        "overwrite.",
        solve=_quotes_solution,
        topic="malformed-validator",
    ),
    Lesson(
        name="encoder",
        title="A 412 that nobody else caused",
        story="A proxy compresses on the way and marks the tag as weak. If-Match needs a strong one.",
        task="Read compressed and be refused with that tag; then find a tag that passes. Nobody else writes.",
        commands=(
            "curl -s --compressed -D - -o /dev/null {url}",
            "curl -s -H 'Accept-Encoding: identity' -D - -o /dev/null {url}",
        ),
        quirks=("weaken-gzip",),
        done=_encoder_done,
        hint=lambda events, _: (
            "Refused with the weak tag. Read once more, without compression."
            if asked(events, "PUT", 412)
            else ""
        ),
        moral="The refused tag and the current one differ only in W/: look at that before you look for "
        "another "
        "writer. Reading with Accept-Encoding: identity shows the origin's own tag.",
        solve=_encoder_solution,
        topic="etag-weakened",
    ),
    Lesson(
        name="lost-answer",
        title="No answer: was it stored?",
        story="The connection ends in the place of an answer to your next save.",
        task='Save the note "mine" with If-Match, get no answer, and find out whether it was stored. '
        "Do not store it twice.",
        commands=(
            _TAG,
            _SAVE,
            "curl -s {url}",
        ),
        prepare=_lost_prepare,
        done=_lost_done,
        hint=_lost_hint,
        moral="A retry of a write that was stored meets itself and gets 412: no conflict, your own "
        "success. Read "
        "back and look for something only you can have written, before you report a conflict.",
        solve=_lost_solution,
        topic="lost-response-replay",
    ),
    Lesson(
        name="phantom",
        title="The phantom 412",
        story="This server stores first and compares afterwards, with the state that it has just made.",
        task='Save the note "mine" with the right tag, be refused, and find out what really happened.',
        commands=(
            _TAG,
            _SAVE,
            "curl -s {url}",
        ),
        quirks=("phantom-412",),
        done=_phantom_done,
        hint=lambda events, _: (
            "412. Before you do anything: what is there now?" if asked(events, "PUT", 412) else ""
        ),
        moral="Your note is there: the 412 came after the write. Trust what you read more than the "
        "status, and "
        "report such a server; `ifmatch diagnose` calls it post-commit-412.",
        solve=_phantom_solution,
        topic="post-commit-412",
    ),
)
