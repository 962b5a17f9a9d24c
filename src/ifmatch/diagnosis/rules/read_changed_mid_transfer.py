"""Detect `read-changed-mid-transfer`: a read in parts met a replaced object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reads.parts import copied_before, replaced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "read-changed-mid-transfer"


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from parts of one read with different validators.

    Source: RFC 9110 section 15.3.7.3 (parts combine only under one strong validator).
    """
    step, damage = facts.step, facts.damage
    if damage is not None and damage.parts:
        yield note(damage.text, 6.5, step, "ETag")
        return
    if facts.refused and step.is_write:
        yield from _by_copy(facts)
    if step.method != "GET":
        return
    if facts.refused and facts.token is None:
        yield from _by_own_name(facts)
    if facts.refused and facts.guard is not None and facts.guard.guard is Guard.SAME_DATE:
        yield from _by_date(facts)
    if not facts.refused or facts.token is None:
        return
    if step.sent.text("range") is None and not any(one.status == 206 for one in facts.own(facts.earlier)):
        return
    parts = [one for one in facts.own(facts.earlier) if one.is_read and one.etag == facts.token]
    if parts:
        yield note("earlier parts of the read carry the token", 3.0, parts[-1], "ETag")
    if facts.token_again:
        yield note("a later part carries the token again: nothing was replaced", -2.0, facts.refresh, "ETag")
    elif facts.state_moved:
        yield note(f"the object now carries {facts.current_tag}", 3.0, facts.refresh, "ETag")
    elif parts and facts.current_tag is None:
        yield note("the next part was refused: the object was replaced between the parts", 1.5, step)


def _by_copy(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from parts of a copy, which a service reads for its client under its version."""
    part = copied_before(facts)
    if part is None or facts.guard is None:
        return
    yield note(
        "earlier parts of the copy were taken under the same condition on its source",
        3.0,
        part,
        facts.guard.name,
    )
    refresh = facts.refresh
    if facts.token_again:
        yield note("the source carries the token again: nothing was replaced", -4.0, facts.refresh, "ETag")
    elif facts.state_moved:
        yield note(f"the source now carries {facts.current_tag}", 3.0, refresh, "ETag")
    elif facts.sent_date is not None and refresh is not None and refresh.last_modified is not None:
        moved = refresh.last_modified > facts.sent_date
        text = "the source was modified since" if moved else "the source was not modified since"
        yield note(text, 3.0 if moved else -4.0, refresh, "Last-Modified")
    else:
        yield note("the next part was refused: the source was replaced between the parts", 1.5, facts.step)


def _by_date(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from parts that were asked for under the date of the first answer."""
    parts = [one for one in facts.own(facts.earlier) if one.status == 206 and facts.names(one)]
    if not parts:
        return
    yield note("earlier parts of the read carry the date", 3.0, parts[-1], "Last-Modified")
    refresh = facts.refresh
    if refresh is None or refresh.last_modified is None:
        yield note("the next part was refused: the object was replaced between the parts", 1.5, facts.step)
    elif refresh.last_modified != facts.sent_date:
        yield note("the object now carries another date", 3.0, refresh, "Last-Modified")


def _by_own_name(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from parts that were asked for under a version in a parameter or field of one's own."""
    found = replaced(facts)
    if found is None:
        return
    name, part, after = found
    yield note(f"earlier parts of the read carry the same {name}", 3.0, part, name)
    yield note("what is there now has another one", 3.0, after, name)
    begun = next((one for one in facts.own(facts.case.steps) if one.start >= part.start), part)
    modified, then = after.last_modified, begun.date
    if modified is not None and then is not None and then - 1 <= modified:
        yield note("it was modified during the download", 1.0, after, "Last-Modified")
