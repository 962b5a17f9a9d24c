"""Detect `other-writer`: somebody else changed the resource between this client's read and its write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.authorship import by_others, told_of
from ifmatch.diagnosis.facts.commands_done import signed_by_itself
from ifmatch.diagnosis.facts.dialect_scopes import policy_entries_apart
from ifmatch.diagnosis.facts.same_by_chance import carried_out, little, there_before
from ifmatch.diagnosis.facts.stated_values import stated_before
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import holds
from ifmatch.diagnosis.reading.dates import shown
from ifmatch.diagnosis.reading.stamps import differs_by_nonce
from ifmatch.diagnosis.reads.rendered_times import made_for_each
from ifmatch.diagnosis.rules.intermediary_replay import read_just_before
from ifmatch.dialects import Meaning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "other-writer"
# Reads after the refusal from which on a tag counts as steady.
_STEADY = 3


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a refused write whose token names an older version.

    Source: RFC 9110 section 13.1.1 (If-Match prevents the lost update).
    """
    guard = facts.guard
    if (
        not facts.refused
        or guard is None
        or guard.guard not in {Guard.SAME, Guard.SAME_DATE}
        or not guard.well_formed
    ):
        return
    if facts.token is not None and tokens.null_word(facts.token) and not facts.issues:
        return
    yield from _seen_writes(facts)
    if guard.unseen:
        text = "the answer says that the version is another one; what was sent is not in the evidence"
        yield note(text, 1.5, facts.step)
        return
    if guard.guard is Guard.SAME_DATE:
        yield from _by_date(facts)
        return
    yield from _by_state(facts)


def _seen_writes(facts: Facts) -> Iterator[Evidence]:
    for write in facts.foreign_writes[-1:]:
        if write.method == "DELETE":
            yield note(f"{write.actor} deleted the resource between the read and the write", 1.5, write)
            return
        text = (
            f"{write.actor} changed the resource ({write.method} {write.status}) between the "
            "read and the write"
        )
        if facts.overlaps(write):
            text = (
                f"{write.actor} changed the resource ({write.method} {write.status}) while the "
                "write was on its way"
            )
        yield note(text, _weight_of_write(facts), write)
        theirs = policy_entries_apart(facts)
        if theirs:
            text = f"what it changed is {theirs}, which this request leaves alone: a matter of scope"
            yield note(text, -4.5, write)


def _weight_of_write(facts: Facts) -> float:
    """Return what another's write before the refusal is worth: less where the token is not in the evidence.

    A token that nobody sees may be older than the write, come from a cache, or be newer; where no read is
    seen either, the write may have been made before it.
    """
    guard = facts.guard
    if guard is None or not guard.unseen or facts.source is not None:
        return 5.0
    return 3.0 if facts.own_reads_before else 1.0


def _by_state(facts: Facts) -> Iterator[Evidence]:
    current = facts.current_tag
    if facts.state_moved is None and facts.proof is None:
        yield from _by_account(facts)
    if facts.state_moved is False:
        text = "the state did not move: a later read shows the refused token itself"
        if facts.passed_later is not None:
            text = "the state did not move: the same token was accepted later"
        yield note(text, -5.0, facts.passed_later or facts.refresh, "ETag")
        return
    if facts.state_moved and current is not None:
        weight = 1.2 if facts.issues else 0.4
        yield note(
            f"the resource now carries {current}, not the token that was sent", weight, facts.refresh, "ETag"
        )
        if tokens.shape(current) == tokens.shape(facts.token or ""):
            yield note(
                "the new tag has the same form as the old one: one code path makes both",
                0.5,
                facts.refresh,
                "ETag",
            )
        yield from _by_steadiness(facts, current)
        yield from _by_content(facts)
    elif facts.issues and current is None and not facts.weak_token:
        yield note(
            "the token was the resource's tag when it was read, and was refused later",
            1.2,
            facts.source,
            "ETag",
        )
    elif current is None and facts.token is not None and not facts.weak_token and facts.guard is not None:
        if (stated := stated_before(facts)) is not None:
            was = f"{stated.name} was {stated.sent} when it was read, as the condition has it"
            yield note(f"{was}, and is {stated.held} now", 4.0, stated.shown_by)
            return
        told = facts.step.refusal is not None and facts.step.refusal.meaning is Meaning.MISMATCH
        weight = 1.4 if told and facts.step.status != 412 else 0.2
        yield note(
            "a well-formed token was refused; where it came from is not in the evidence", weight, facts.step
        )


def _by_steadiness(facts: Facts, current: str) -> Iterator[Evidence]:
    """Yield evidence from a present tag that no encoder, cache or node changes."""
    reads = [step for step in facts.own_reads_after if step.status == 200 and step.method == "GET"]
    coded = [step for step in reads if step.coding or "gzip" in (step.sent.text("accept-encoding") or "")]
    plain = [step for step in reads if "identity" in (step.sent.text("accept-encoding") or "")]
    if len(reads) < _STEADY or not coded or not plain or tokens.is_weak(current) or facts.weak_token:
        return
    if all(step.etag == current and not facts.from_cache(step) for step in reads):
        text = f"{len(reads)} reads, with and without content coding, show one strong tag: nothing alters it"
        yield note(text, 1.2, reads[-1], "ETag")


def _of_one_tick(facts: Facts) -> Step | None:
    """Return an own accepted write that a slow clock leaves unordered, and whose change is what is there."""
    if not facts.content_moved:
        return None
    return next((one for one in facts.unordered_own if holds(facts.current_content, one.body)), None)


def _by_chance(facts: Facts) -> bool:
    """Tell whether another may have written what the request wanted, though no file shows it."""
    return facts.ours_by_chance or (little(facts) and carried_out(facts) is not None)


def _by_content(facts: Facts) -> Iterator[Evidence]:
    if facts.proof is not None:
        yield note(facts.proof.text, -facts.proof.weight, facts.proof.step)
        return
    yield from _by_account(facts)
    if facts.step.covered and facts.step.hops and not facts.foreign_writes and facts.after_own_write:
        yield note("no other write is seen at the origin", -3.5, facts.step.hops[-1])
    if facts.moved_by_own:
        yield note("the client's own earlier write explains what changed", -2.0, facts.moved_by_own)
    elif (own := _of_one_tick(facts)) is not None:
        yield note("an own write in the same tick of the clock explains what changed", -1.0, own)
    elif facts.content_moved and facts.ours_is_there is not True and not facts.only_stamps_moved:
        nonce = differs_by_nonce(facts.base_content, facts.current_content)
        if nonce:
            yield note("only a number or nonce in the content differs", -1.5, facts.refresh)
        pointers = [pointer for pointer in facts.moved_pointers or () if pointer]
        what = f" ({', '.join(pointers[:4])})" if pointers else ""
        # A service adds members to what it is sent, as another writer may, and tells when it answers.
        rendered = not facts.foreign_writes and made_for_each(facts.quiet_reads)
        weight = 0.0 if rendered else 0.8 if facts.only_added_to_sent else 2.2
        yield note(f"the content differs from what the client had read{what}", weight, facts.refresh)
    elif facts.content_moved and facts.ours_is_there and there_before(facts):
        text = "the content moved to what the client wanted before it asked for it: another came first"
        yield note(text, 2.2, facts.refresh)
    elif facts.content_moved and facts.ours_is_there and _by_chance(facts):
        # Where the client had read right before, the other would have had to write in that very moment.
        room = read_just_before(facts) is None
        text = "the content moved to what the client wanted too: another may have come first"
        yield note(text, 1.5 if room else 0.3, facts.refresh)
    if facts.within_own_write and not facts.foreign_writes:
        yield note("its time of change is still that of the client's own write", -2.0, facts.refresh)
    elif facts.other_editor is not None:
        yield note(f"the content names another editor ({facts.other_editor})", 2.5, facts.refresh)
    elif (itself := signed_by_itself(facts)) is not None and not facts.foreign_writes:
        yield note(f"the content says that {itself} changed it last: the service itself", -2.5, facts.refresh)
    elif facts.system_editor and not facts.foreign_writes:
        yield note("the content names a program of the service as its editor", -1.5, facts.refresh)
    elif facts.content_moved is None and not facts.foreign_writes:
        yield note("what changed in the content is not in the evidence", -0.6, facts.refresh)
    elif facts.content_moved is False:
        yield note("the content is the same as before: nothing was changed by anybody", -2.5, facts.refresh)
    yield from _by_time_of_change(facts)


def _by_account(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from the service's own list of changes, which names others since the read."""
    found = () if facts.foreign_writes else tuple(by_others(facts))
    people = [change for change, program in found if not program]
    for change in (people or [change for change, _ in found])[:1]:
        yield note(told_of(change), 2.5 if people else -1.5, change.listing)


def _by_time_of_change(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from when the state was changed, beside the read and the refused request."""
    modified = facts.refresh.last_modified if facts.refresh is not None else None
    source = facts.source
    if (
        modified is not None
        and source is not None
        and source.date is not None
        and source.last_modified != modified
    ):
        skew = facts.client_skew or 0.0
        within = facts.step.timed and facts.step.start - skew - 0.5 <= modified <= facts.step.end - skew + 0.5
        if facts.step.end - facts.step.start > 0.5 and within and facts.ours_is_there is not False:
            yield note(
                "it was modified while the refused request itself was under way",
                -1.0,
                facts.refresh,
                "Last-Modified",
            )
        elif source.last_modified is not None and modified >= source.date - 1:
            text = f"it was modified at {shown(modified)}, after the read"
            yield note(text, 1.0, facts.refresh, "Last-Modified")
        elif source.last_modified is not None and modified < source.last_modified:
            yield note("its modification date went backwards", -1.0, facts.refresh, "Last-Modified")


def _by_date(facts: Facts) -> Iterator[Evidence]:
    refresh = facts.refresh
    sent = facts.sent_date
    if sent is None:
        return
    echoed = any(date == sent for date, _ in facts.served_dates)
    if refresh is not None and refresh.last_modified is not None:
        if echoed and refresh.last_modified > sent:
            yield note(
                "the resource has a later Last-Modified than the one that was sent",
                2.5,
                refresh,
                "Last-Modified",
            )
            yield from _by_content(facts)
        elif echoed and refresh.last_modified == sent:
            yield note("Last-Modified did not move", -3.0, refresh, "Last-Modified")
    elif echoed:
        yield note("the sent date is the one that was served, and was refused later", 1.0, facts.step)
