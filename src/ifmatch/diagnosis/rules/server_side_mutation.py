"""Detect `server-side-mutation`: the service itself changed the resource, after a write or a linked one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.aftermath.own_in_flight import own_in_flight
from ifmatch.diagnosis.facts.authorship import by_others, told_of
from ifmatch.diagnosis.facts.changes_alike import changed_alike
from ifmatch.diagnosis.facts.commands_done import signed_by_itself
from ifmatch.diagnosis.facts.listings import lists
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.links.linked_writes import edited_by_link, linked, named_in_state, own_name
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import ABSENT, changed_pointers, holds, same_content, value_at
from ifmatch.diagnosis.reading.stamps import signature, stamped
from ifmatch.diagnosis.steps.resources import bare, path_of
from ifmatch.dialects import Meaning
from ifmatch.dialects.glossary import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "server-side-mutation"

_RUNNING = Words(
    r'"(?:provisioningState|state|status|phase|operationStatus)"\s*:\s*"(?:in ?progress|running|pending'
    r"|creating|updating|processing|queued|accepted|provisioning|started|working)"
)
# How far a service has got with what it was told to do; a person moves a status of another kind.
_PROGRESS = Words(
    r"(?:last_?)?(?:provisioning|operation|deployment|lifecycle|creation|processing|build|sync|index(?:ing)?"
    r"|update|modification|rollout|replication|migration|job|task)_?(?:state|status|phase)"
    r"|state|status|phase"
)
# What stands beside it, and says why.
_WHY = Words(r"\w*(?:state|status|phase)_?(?:reason|message|details?|text|info)(?:_?code)?|message")
_AT_WORK = Words(
    r"(?:in[ _-]?progress|running|pending|creating|updating|processing|queued|provisioning|starting|deploying"
    r"|scaling|configuring|indexing|syncing|building|converting|importing|upgrading|modifying)"
)
_DONE = Words(
    r"(?:succeeded|success|successful|ready|active|available|completed?|finished|done|running|failed|deployed"
    r"|provisioned|online|idle|healthy|created|updated|synced|in[ _-]sync|indexed|enabled)"
)
_OPERATION_FIELDS = ("operation-location", "azure-asyncoperation", "x-operation-id")
_FEW = 3


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a token that moved after an own write although nobody wrote."""
    refusal = facts.step.refusal
    if refusal is not None and refusal.meaning is Meaning.BUSY and facts.refused:
        if own_in_flight(facts) is None:
            yield note("the answer says that another operation is under way", 3.5, facts.step)
        return
    guard, source = facts.guard, facts.source
    if (
        not facts.refused
        or guard is None
        or guard.guard not in {Guard.SAME, Guard.SAME_DATE}
        or source is None
    ):
        return
    if facts.state_moved and facts.content_moved is False:
        yield from _tagged_anew(facts, source)
        return
    if (
        facts.state_moved is False
        or facts.content_moved is False
        or (facts.other_editor is not None and not edited_by_link(facts, source))
        or facts.foreign_writes
        or facts.own_writes
        or facts.overlapping_own
        or facts.unanswered_own is not None
        or facts.proof is not None
        or (facts.refresh is not None and facts.refresh.finds_nothing)
    ):
        return
    yield from _linked(facts, source)
    yield from _running(facts, source)
    yield from _by_account(facts)
    if not facts.state_moved:
        return
    yield from _moved(facts, source)
    theirs = any(one.actor != facts.step.actor for one in facts.parts_written)
    if facts.step.covered and facts.step.hops and facts.content_moved is not None and not theirs:
        yield note("nobody else's write is seen at the origin", 1.5, facts.step.hops[-1])


def _by_account(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from the service's own list of changes: of programs alone, or of a person too."""
    found = tuple(by_others(facts))
    for change in [change for change, program in found if not program][:1]:
        yield note(told_of(change), -4.0, change.listing)
        return
    for change, _ in found[:1]:
        yield note(told_of(change), 2.5 if facts.state_moved else 4.0, change.listing)


def _moved(facts: Facts, source: Step) -> Iterator[Evidence]:
    current = facts.current_content
    if facts.only_stamps_moved:
        pointers = ", ".join((facts.moved_pointers or ())[:4])
        yield note(f"only what servers stamp themselves differs ({pointers})", 3.5, facts.refresh)
    yield from _finished(facts)
    if (alike := changed_alike(facts)) is not None:
        place = path_of(bare(alike.read.resource))
        text = (
            f"{place} got the same after the client's write, as soon ({alike.added}): the service does that"
        )
        yield note(text, 5.5, alike.read)
    if facts.within_own_write and facts.content_moved:
        text = "its time of change is still that of the client's own write: the service went on from that"
        yield note(text, 3.5, facts.refresh)
    write = facts.after_own_write
    written = facts.base_content if write is not None else None
    if written is not None and (facts.only_added or (source.accepted and holds(current, written))):
        yield note(
            "what the client had written is still there, yet the tag moved by itself",
            3.5 if source.accepted else 3.0,
            facts.refresh,
            "ETag",
        )
    elif source.accepted and written is not None and current is not None:
        extra = [one for one in changed_pointers(written, current) or () if one and not stamped(one)]
        if 0 < len(extra) <= _FEW:
            yield note(f"after the client's own write only {', '.join(extra)} differs", 1.0, facts.refresh)
    put = write.body if write is not None and write.puts else None
    if (
        put is not None
        and current is not None
        and same_content(current, put)
        and current.octets != put.octets
    ):
        text = "what is stored is what the client had written, in another form: line ends, blanks, order"
        yield note(text, 4.0, facts.refresh)
    if (itself := signed_by_itself(facts)) is not None:
        yield note(f"the content says that {itself} changed it last: the service itself", 4.0, facts.refresh)
    elif facts.system_editor:
        yield note("the content names a program of the service as its last editor", 3.0, facts.refresh)
        if source.accepted and (extra := _worked_out(facts, source)):
            text = f"what the client's write had sent is there; what moved is {', '.join(extra)}, not of it"
            yield note(text, 2.0, facts.refresh)


def _worked_out(facts: Facts, source: Step) -> list[str]:
    """Return the few members that moved since an own write, where it had sent none of them; else none.

    What it sent is as it was sent, but for the version that it was sent on.
    """
    sent, now = source.body, facts.current_content
    moved = [one for one in facts.moved_pointers or () if one and not stamped(one) and not signature(one)]
    if sent is None or now is None or not 0 < len(moved) <= _FEW:
        return []
    kept = changed_pointers(sent, now)
    if kept is None or any(value_at(sent, one) is not ABSENT for one in moved):
        return []
    guard = source.guard.name if source.guard is not None else ""
    other = [one for one in kept if value_at(sent, one) is not ABSENT and one != guard and not stamped(one)]
    return [] if other else moved


def _finished(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a state of progress that went from under way to done, and nothing else changed.

    Whoever the change was from, the service finished it: without an own write it may be another's change.
    """
    moved = [one for one in facts.moved_pointers or () if one and not stamped(one)]
    told = [one for one in moved if _WHY.fullmatch(one.rpartition("/")[2]) is None]
    if facts.after_own_write is None or not told:
        return
    before, now = facts.base_content, facts.current_content
    for pointer in told:
        old, new = str(value_at(before, pointer)), str(value_at(now, pointer))
        names = _PROGRESS.fullmatch(pointer.rpartition("/")[2]) is not None
        if not (names and _AT_WORK.fullmatch(old) and _DONE.fullmatch(new)):
            return
    old, new = (str(value_at(one, told[0])) for one in (before, now))
    text = f"only {told[0]} differs, {old} is now {new}: the service finished what the client's write began"
    yield note(text, 4.0, facts.refresh)


def _tagged_anew(facts: Facts, source: Step) -> Iterator[Evidence]:
    """Yield evidence from a new tag on the same content, after an own write on what that content names."""
    if facts.foreign_writes or facts.own_writes or facts.overlapping_own:
        return
    found = named_in_state(facts, source)
    if found is None:
        return
    step, name = found
    text = f"the content names {name}, which the client's own write was about, and has a new tag since"
    yield note(text, 4.5, step)
    yield note(
        "what it says is the same: the service tagged it anew with what it is linked to", 2.0, facts.refresh
    )


def _linked(facts: Facts, source: Step) -> Iterator[Evidence]:
    """Yield evidence from a write on a part, or on something that names the resource, since the token."""
    here = bare(facts.step.resource)
    path = path_of(here)
    links = tuple(linked(facts, source))
    for step, text, shown in links:
        if shown:
            yield note(text, 6.0, step)
            return
    for step in facts.case.steps[source.order + 1 : facts.step.order]:
        if not step.accepted or step.batched or step.resource == facts.step.resource:
            continue
        there = bare(step.resource)
        if there.startswith(here + "/"):
            foreign = step.actor != facts.step.actor
            if foreign and lists(facts.base_content, facts.current_content, own_name(step)):
                # A collection shows its members: what another wrote there, nobody else has to carry on.
                continue
            text = f"a part of it ({path_of(there)}) was written since the token was issued"
            # What another wrote there is of the collection, if it is one: only the content would tell.
            theirs = foreign and facts.content_moved is None
            yield note(text, 2.5 if theirs else 4.5, step)
            return
        if len(path) > 3 and step.body is not None and path in step.body.text:
            yield note(f"a write on {path_of(there)} names the resource", 3.5, step)
            return
    for step, text, _ in links[:1]:
        yield note(text, 3.5 if facts.other_editor is None else 6.0, step)


def _running(facts: Facts, source: Step) -> Iterator[Evidence]:
    """Yield evidence from an operation that the client's own write had started."""
    started = source.status == 202 or any(source.header(name) for name in _OPERATION_FIELDS)
    if source.accepted and started:
        yield note(f"the client's own write had only been taken on ({source.status})", 3.0, source)
    for step in facts.case.steps[source.order : facts.step.order]:
        if step.actor == facts.step.actor and step.content is not None and _RUNNING.search(step.content.text):
            yield note("an operation was still running when the token was sent", 2.0, step)
            return
