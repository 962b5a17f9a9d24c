"""Find writes that did damage although nothing was refused: lost updates and lost writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.habits.dialect_habits import LEARNED
from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.in_time import back_from, between, on_from
from ifmatch.diagnosis.links.likeness import holds_own_tag
from ifmatch.diagnosis.losses.conditions_offered import not_offered
from ifmatch.diagnosis.losses.dated_writes import dated, timed_ahead
from ifmatch.diagnosis.losses.doubled import made_again
from ifmatch.diagnosis.losses.gone_again import both_made, dated_beside, dated_later, overwritten, put_back
from ifmatch.diagnosis.losses.ignored_guards import (
    created_over,
    dated_out,
    held_for_a_while,
    moved_over,
    printed_again,
    refused_elsewhere,
    unprotected,
)
from ifmatch.diagnosis.losses.logged_losses import logged_between, logged_over_date, logged_over_version
from ifmatch.diagnosis.losses.moved_unread import moved_unread
from ifmatch.diagnosis.losses.one_count import skipped
from ifmatch.diagnosis.losses.put_off import put_off
from ifmatch.diagnosis.losses.redirects_logged import redirected_unseen
from ifmatch.diagnosis.losses.repeated_unseen import repeated_unseen
from ifmatch.diagnosis.losses.requests_listed import listed_without
from ifmatch.diagnosis.losses.taken_back import lost_pointers
from ifmatch.diagnosis.losses.undelivered import blocked, redirected, unheard
from ifmatch.diagnosis.losses.unguarded_losses import listed_newer
from ifmatch.diagnosis.losses.unguarded_writes import deleted, shown_to_another, taken_back, unguarded
from ifmatch.diagnosis.losses.unheeded import met_another
from ifmatch.diagnosis.losses.unseen_writes import unseen
from ifmatch.diagnosis.losses.written import keeps, stood_for
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard, wants_absent
from ifmatch.diagnosis.reading.contents import ABSENT, changed_pointers, same_content, value_at
from ifmatch.diagnosis.reading.stamps import rendered
from ifmatch.diagnosis.reads.one_tag import two_states
from ifmatch.diagnosis.steps.outcomes import left_it
from ifmatch.dialects import Carrier
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

# An entity tag by its grammar; nobody means it as one.
_QUOTED_STAR = '"*"'


def overwrites(case: Case, history: History) -> Iterator[tuple[Step, Damage]]:
    """Yield every accepted write that did damage, or met it, with what it was.

    Args:
        case: everything known.
        history: of one resource, in order of time.
    """
    reported: set[int] = set()
    for step in (one for one in history if one.is_write):
        if step.status in {301, 302, 303, 307, 308} and not step.posted:
            found = redirected(case, step)
            if found is not None:
                yield step, found
        if step.status == 0 and (stopped := blocked(case, step)) is not None:
            yield step, stopped
        if step.status == 304 and step.conditions and not step.refused:
            text = f"304 to {step.method}: it is for reads alone, a write whose condition is false gets 412"
            yield step, Damage(Outcome.WRONG_NOT_MODIFIED, text, contradicted=True)
        near = case.around(step)
        if step.accepted and (over := moved_over(near, step)) is not None:
            yield step, over
            continue
        again = redirected_unseen(near, step) or made_again(near, step) or repeated_unseen(near, step)
        if again is not None:
            yield step, again
            continue
        if not step.changes or step.order in reported:
            continue
        known = history.near((step,))
        found = (
            not_offered(near, known, step)
            or _accepted(near, known, step)
            or unseen(near, known, step)
            or logged_over_version(near, known, step)
            or listed_without(near, known, step)
        )
        if found is not None:
            yield step, found
            if found.lost is not None and found.overlap:
                reported.add(found.lost.order)


def _accepted(case: Case, history: History, step: Step) -> Damage | None:
    guard = step.guard
    if guard is not None and step.status == 201 and (found := _made_of_nothing(history, step)) is not None:
        return found
    if guard is None and step.method == "DELETE":
        return deleted(history, step)
    if guard is None or guard.guard is Guard.EXISTS:
        return (
            unguarded(history, step)
            or taken_back(history, step)
            or logged_between(case, history, step)
            or listed_newer(case, history, step)
            or shown_to_another(history, step)
            or (overwritten(history, step) or skipped(case, history, step) or moved_unread(history, step))
        )
    if guard.guard is Guard.ABSENT:
        return _created_twice(history, step) or created_over(case, history, step) or unheard(history, step)
    if guard.guard is Guard.SAME and (guard.standard or (guard.key and not guard.unseen)):
        return _stale(history, step) or _never_issued(case, history, step) or timed_ahead(history, step)
    if guard.guard is Guard.SAME_DATE:
        return (
            dated_beside(history, step)
            or dated(history, step)
            or dated_out(history, step)
            or logged_over_date(case, history, step)
        )
    return None


def _made_of_nothing(history: History, step: Step) -> Damage | None:
    """Find a creation by a request that demands an existing resource, right after a read had found nothing.

    Source: RFC 9110 section 13.1.1 (`*` is false without a current representation, and so is any tag).
    """
    guard = step.guard
    if guard is None or guard.guard not in {Guard.EXISTS, Guard.SAME} or not guard.standard:
        return None
    before = next(back_from(history, step.order), None)
    if before is None or not before.finds_nothing:
        return None
    text = f"`{guard.shown()}` was accepted (201) although nothing was there"
    return Damage(Outcome.WRONG_CONTENT, text, lost=before, contradicted=True)


def _created_twice(history: History, step: Step) -> Damage | None:
    """Find a create-only write that was accepted although the resource existed."""
    if step.method != "PUT" or step.guard is None or not step.guard.standard:
        return None
    rival = next((one for one in history.writes_beside(step) if _made_together(one, step)), None)
    if rival is not None:
        text = "two create-only writes were both accepted"
        return Damage(Outcome.LOST_UPDATE, text, lost=rival, overlap=True, stale_accepted=True)
    if step.status not in {200, 204}:
        return None
    known = (one for one in back_from(history, step.order) if one.finds_nothing or one.changes)
    state = next(known, None)
    if state is None or not state.changes or state.method == "DELETE" or same_content(state.body, step.body):
        return None
    if held_for_a_while(state):
        return None
    since = between(history, state.order, step.order)
    if any(one.refused and wants_absent(one.guard) for one in since):
        # The condition is heeded: what was there has gone by itself, as a lease does.
        return None
    later = on_from(history.writes, step.order)
    if any(one.method == "DELETE" and not one.surely_after(step) for one in later):
        # Deleted at about the same time, by another clock: it may have been gone already.
        return None
    together = step.overlaps(state)
    return Damage(
        Outcome.LOST_UPDATE,
        "a create-only write was accepted although the resource existed",
        lost=state,
        overlap=together and state.guard is not None,
        stale_accepted=True,
    )


def _made_together(one: Step, step: Step) -> bool:
    """Tell whether another accepted create-only write was in flight beside this one."""
    guard = one.guard
    return (
        one is not step
        and one.accepted
        and one.method == "PUT"
        and guard is not None
        and guard.guard is Guard.ABSENT
        and one.overlaps(step)
        and not same_content(one.body, step.body)
    )


def _never_issued(case: Case, history: History, step: Step) -> Damage | None:
    """Find an accepted token that is none (a placeholder, a damaged tag) over another's change."""
    guard = step.guard
    if guard is None or len(guard.tokens) != 1:
        return None
    token = guard.tokens[0]
    if history.issued(token):
        return None
    none = tokens.null_word(token) or (guard.standard and tokens.zero(token)) or _unset(step)
    if guard.well_formed and token != _QUOTED_STAR and not none:
        return None
    found = unguarded(history, step) or met_another(history, step) or logged_between(case, history, step)
    if found is None and tokens.null_word(token):
        found = taken_back(history, step) or listed_newer(case, history, step) or skipped(case, history, step)
    void = tokens.null_word(token) and (guard.carrier is Carrier.HEADER or printed_again(case, step))
    if found is None and (void or _unset(step)):
        found = unprotected(history, step)
    if found is None:
        return None
    text = f"`{guard.shown()}`, which names no version, was accepted: {found.text}"
    return Damage(Outcome.LOST_UPDATE, text, lost=found.lost, stale_accepted=True)


def _unset(step: Step) -> bool:
    """Tell whether a write has 0 where its family has other small numbers as words: it asks for nothing."""
    guard, family = step.guard, step.dialect
    if guard is None or family is None or family.id == LEARNED or not tokens.zero(guard.value):
        return False
    return any(
        one.key == guard.key and any(word.lstrip("-").isdigit() for word in one.sentinels)
        for one in family.guards
    )


def _issued_at(history: History, step: Step, token: str) -> Step | None:
    own = next(back_from(history.issuers_to.get((token, step.actor), ()), step.order), None)
    return own or next(back_from(history.issued(token), step.order), None)


def _stale(history: History, step: Step) -> Damage | None:
    """Find an accepted token that an accepted write had replaced."""
    guard = step.guard
    if guard is None or history.in_turn or not guard.of_one:
        # One tag may be there in two spellings, with its quotes and without.
        return None
    token = next((one for one in guard.tokens if history.issued(one)), guard.tokens[0])
    issued = _issued_at(history, step, token)
    if (found := refused_elsewhere(history, step, token)) is not None:
        return found
    if issued is None:
        return both_made(history, step, token)
    if put_off(history, step):
        return None
    # What was written before the token was last given out did not replace it.
    last = next(back_from(history.issued(token), step.order), issued)
    for other in history.writes_from(last.order, step):
        if other is step or other is issued or _made(other, token):
            continue
        together = step.overlaps(other)
        if together and other.presents(token) and other.guard is not None:
            if same_content(other.body, step.body) and other.actor == step.actor:
                continue
            return Damage(
                Outcome.LOST_UPDATE,
                "two writes on one token were both accepted",
                lost=other,
                overlap=True,
                stale_accepted=True,
            )
        if not together and other.order < step.order:
            if same_content(other.body, step.body) or left_it(other, step, token):
                continue
            if put_back(history, other, step):
                continue
            text, kept = "a write on a replaced token was accepted", keeps(history, issued, other, step)
            return Damage(Outcome.LOST_UPDATE, text, lost=other, stale_accepted=True, proven=kept is False)
    return _outdated(history, issued, step) or _under_one_tag(history, step, token)


def _made(write: Step, token: str) -> bool:
    """Tell whether a write made the version of a token, which fields may quote and contents may not."""
    return write.etag is not None and tokens.opaque(write.etag) == tokens.opaque(token)


def _under_one_tag(history: History, step: Step, token: str) -> Damage | None:
    """Find an accepted token that had stayed the same while another actor changed the content."""
    if token not in history.made_tags or two_states(history, token) is None:
        return None
    own = back_from(history.by_actor.get(step.actor, ()), step.order)
    base = next((one for one in own if one.representation is not None or one.made is not None), None)
    if base is None:
        return None
    for other in reversed(between(history.writes, base.order, step.order)):
        if other.actor == step.actor or step.overlaps(other):
            continue
        if keeps(history, base, other, step) is False:
            text = f"{token} was accepted although the content had changed under it: the tag had not"
            return Damage(Outcome.LOST_UPDATE, text, lost=other, contradicted=True)
    return None


def _outdated(history: History, issued: Step, step: Step) -> Damage | None:
    """Find an accepted token after an own later read had shown other content under another tag.

    Tags alone prove nothing here: nodes may differ in them, and this very node may know the token.
    """
    reads = between(history.by_actor.get(step.actor, ()), issued.order, step.order)
    if reads and (found := dated_later(issued, reads[-1], step)) is not None:
        return found
    newest = next((one for one in reversed(reads) if one.representation is not None), None)
    if newest is None or newest.etag is None or newest.variant != issued.variant or newest.cache_hit:
        return None
    token = step.guard.tokens[0] if step.guard is not None else ""
    if tokens.base(newest.etag) == tokens.base(token) or tokens.shape(newest.etag) != tokens.shape(token):
        return None
    if any(one.order < issued.order for one in history.issued(newest.etag)):
        # What was there before the token is what a list, or a node, that runs behind still shows.
        return None
    before = issued.representation or issued.made or stood_for(history, token, step)
    if step.method == "DELETE":
        lost: tuple[str, ...] | None = changed_pointers(before, newest.representation)
    else:
        lost = lost_pointers(before, newest.representation, step.body)
        if not step.puts:
            # A patch says nothing of what it leaves out.
            lost = tuple(one for one in lost or () if one and value_at(step.body, one) is not ABSENT)
    if not lost or all(rendered(pointer) or holds_own_tag(newest, pointer) for pointer in lost):
        return None
    text = f"a token was accepted after the client itself had been shown {newest.etag} with other content"
    return Damage(Outcome.LOST_UPDATE, text, lost=newest, stale_accepted=True)
