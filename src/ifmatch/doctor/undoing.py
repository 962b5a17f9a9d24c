"""Put the version before a repair back, with the version after it as the condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ifmatch.doctor.failing import Failing
from ifmatch.doctor.journal import Entry
from ifmatch.doctor.transport import answer_of
from ifmatch.errors import InputError
from ifmatch.model.message import Content, Fields, Request
from ifmatch.update import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ifmatch.doctor.journal import Journal
    from ifmatch.wire import Sender

__all__ = ["Refusal", "undo"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was put back; `unknown` when it may have been all the same."""

    text: str
    unknown: bool = False


def undo(
    entry: Entry,
    journal: Journal,
    sender: Sender,
    fields: Sequence[tuple[str, str]],
    wall_clock: Callable[[], float],
    *,
    routed: Callable[[Failing], Failing] = lambda failing: failing,
) -> int | Refusal:
    """Put a version back.

    Args:
        entry: of the repair.
        journal: takes this write in, so that it can be undone as well.
        sender: sends.
        fields: of the user, credentials above all.
        wall_clock: seconds since the epoch.
        routed: puts the route to a request.

    Returns:
        The id of the new entry, or why it was refused.

    Raises:
        InputError: the journal does not hold what has to be put back.
    """
    if entry.tag_after is None and entry.after is not None:
        raise InputError(
            f"repair {entry.id} got no version in its answer, so it cannot be undone safely",
            source=str(journal.path),
        )
    if entry.how in {"unknown", "not applied", "sent"}:
        raise InputError(
            f"repair {entry.id} is recorded as {entry.how!r}: there is nothing to undo",
            source=str(journal.path),
        )
    if entry.before is None and entry.tag_before is not None:
        raise InputError(
            f"the journal does not hold the content before repair {entry.id}", source=str(journal.path)
        )
    request = _request(entry, fields)
    failing = routed(Failing(request))
    number = journal.write(
        Entry(0, wall_clock(), f"undo-{entry.id}", request.method, entry.url, "sent", entry.media_type,
              entry.tag_after, entry.after, None, None)
    )  # fmt: skip
    answer = answer_of(sender.send(failing.request, route=failing.route))
    if isinstance(answer, NoAnswer):
        journal.finish(number, "unknown", None, entry.before)
        return Refusal(f"no answer came ({answer.reason}); read the resource and look", unknown=answer.sent)
    if not 200 <= answer.status < 300:
        journal.finish(number, "not applied", None, None)
        said = "somebody has written since" if answer.status == 412 else "the service refused it"
        return Refusal(f"status {answer.status}: {said}; nothing was changed")
    tag = answer.fields.text("etag")
    journal.finish(number, "undone", tag, entry.before)
    journal.mark_undone(entry.id, number)
    return number


def _request(entry: Entry, fields: Sequence[tuple[str, str]]) -> Request:
    condition = ("If-Match", entry.tag_after) if entry.tag_after is not None else ("If-None-Match", "*")
    lines = [condition, ("User-Agent", "ifmatch"), *fields]
    if entry.before is None:
        return Request("DELETE", entry.url, Fields(lines))
    lines.append(("Content-Type", entry.media_type or "application/octet-stream"))
    return Request("PUT", entry.url, Fields(lines), Content.from_octets(entry.before))
