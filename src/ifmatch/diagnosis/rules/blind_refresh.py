"""Detect `blind-refresh`: a fresh token was fetched, but the edit is based on the older version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.losses.unguarded_losses import version_carried

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.links.damages import Damage
    from ifmatch.model.finding import Evidence

CAUSE = "blind-refresh"


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from content that takes back what the freshly read version had changed."""
    blind = facts.blind
    if facts.damage is not None and facts.guard is None:
        yield from _carried_fresh(facts, facts.damage)
    if blind is None:
        again = facts.resent_unread
        if again is not None and facts.state_moved is not False:
            text = "the refused content was sent again on another token, and the new state was never read"
            # What an answer showed that the evidence does not hold may have been taken over.
            held = not any(one.withheld for one in facts.attempts if one.order < again.order)
            yield note(text, 3.0 if held else 1.8, again)
        if facts.unread is not None and not facts.refused:
            gave, old = facts.unread
            text = f"the token names a version that the client never read: it last read {old.etag}"
            yield note(text, 1.8, gave, "ETag")
            yield note("the content is an edit of that older version", 1.8, facts.blind_write)
            if gave.last_modified is not None and old.date is not None and gave.last_modified > old.date:
                text = "that version was made after the older one had been read"
                yield note(text, 0.8, gave, "Last-Modified")
        return
    read, pointers = blind
    what = f" ({', '.join(pointers[:4])})" if pointers else ""
    yield note("the token was fetched right before the write", 2.0, read, "ETag")
    yield note(
        f"the content lacks what that version had changed{what}: it is based on an older one",
        4.5,
        facts.blind_write,
    )


def _carried_fresh(facts: Facts, damage: Damage) -> Iterator[Evidence]:
    """Yield evidence from a content that carries the last version, as its service counts, and undoes it."""
    read = damage.lost
    carried = version_carried(facts.own(facts.history), facts.step)
    # Where a count alone tells of another write, it came after the look, and nothing fresh was fetched.
    if (
        not damage.proven
        or carried is None
        or not carried[1]
        or read is None
        or read.actor != facts.step.actor
        or not read.read_ok
    ):
        return
    yield note(f"{carried[0]}, which counts the versions, is sent as it was read last", 2.0, read)
    yield note(f"{damage.text}: the content is based on an older one", 4.5, facts.step)
