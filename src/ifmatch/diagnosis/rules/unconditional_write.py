"""Detect `unconditional-write`: the writer sent no precondition although the server gives validators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.habits.dialect_habits import members_of
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.losses.unguarded_losses import version_carried
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import unwrapped, value_at
from ifmatch.dialects.pointers import values_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "unconditional-write"


def _version_sent(facts: Facts) -> str:
    """Return the pointer of a member that names a version and is sent as it was read, "" without one."""
    reads = [step.representation for step in facts.own_reads_before if step.representation is not None]
    # Answers may have an envelope that requests lack, and the other way round.
    bare = [unwrapped(read, facts.step.body) for read in reads]
    shown = facts.step.shown_content
    after = [shown, unwrapped(shown, facts.step.body)] if shown is not None else []
    for _, pointer, value in members_of(facts.step.view.sent_json):
        places = (pointer, "/" + pointer.rpartition("/")[2])
        if any(str(value_at(one, pointer)) == value for one in after):
            # What a write does not move counts no versions of what it writes (`apiVersion`).
            continue
        if any(str(value_at(read, place)) == value for read in (*reads, *bare) for place in places):
            return pointer
    return ""


def _switched_off(facts: Facts) -> bool:
    """Tell whether the request itself says that the version in it does not count (`"overwrite": true`)."""
    dialect = facts.step.dialect
    places = {guard.unless for guard in dialect.guards if guard.unless} if dialect is not None else set[str]()
    return any(value is True for place in places for value in values_at(facts.step.view.sent_json, place))


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from an unguarded write that took another's change away.

    Source: RFC 9110 section 13.1.1 (If-Match prevents the lost update).
    """
    damage = facts.damage
    if (
        damage is None
        or (facts.guard is not None and facts.guard.guard is not Guard.EXISTS)
        or damage.lost is None
        or not facts.step.is_write
        or damage.redirect
        or damage.twice
        or damage.lapsed
        or damage.coded
        or damage.behind is not None
        or damage.contradicted
    ):
        return
    what = (
        "carries no precondition"
        if facts.guard is None
        else f"only asks that anything exists ({facts.guard.shown()})"
    )
    meant = facts.guard is None and not _switched_off(facts)
    pointer = _version_sent(facts) if meant else ""
    carried = version_carried(facts.own(facts.history), facts.step) if meant else None
    if carried is not None:
        which = "that of the last read" if carried[1] else "an older one"
        yield note(f"its content carries {carried[0]}, which counts the versions: {which}", -6.0, facts.step)
    elif pointer:
        text = f"its content carries {pointer} as it was read: that may be meant as one"
        yield note(text, -4.0, facts.step)
    if not damage.proven:
        yield note(damage.text, 2.2, damage.lost, "ETag")
        return
    yield note(f"the write {what}", 2.0, facts.step)
    refused = [one for one in facts.own(facts.earlier) if one.refused and one.is_write]
    if refused:
        yield note("it was refused with a precondition before: the check was left out", 1.5, refused[-1])
    yield note(damage.text, 4.0, damage.lost)
    reads = [step for step in facts.own_reads_before if step.etag is not None]
    if reads:
        yield note(f"the client had been given {reads[-1].etag} and did not send it", 1.0, reads[-1], "ETag")
