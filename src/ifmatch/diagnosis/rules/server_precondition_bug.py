"""Detect `server-precondition-bug`: the server evaluates a precondition against RFC 9110 section 13."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from ifmatch.core.preconditions import evaluate
from ifmatch.core.representation import Representation
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.links.in_time import is_row
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard, wants_absent
from ifmatch.diagnosis.reading.dates import http_date
from ifmatch.diagnosis.reads.glimpses import caught_up_after, without_date
from ifmatch.diagnosis.reads.one_tag import two_states
from ifmatch.diagnosis.reads.revalidations import suffix_of
from ifmatch.diagnosis.reads.still_unmodified import shown_replaced, whole_reads
from ifmatch.diagnosis.steps.refusal_words import says_outdated
from ifmatch.diagnosis.steps.resources import parent_of
from ifmatch.dialects import Meaning
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "server-precondition-bug"
# Seconds within which hardly anybody deletes what was just read.
_AT_ONCE = 1.0
# Seconds from which on a date is later than any fraction of the second that was served.
_NO_FRACTION = 2
_LONGEST = 4000
# A shorter tag stands in a text by chance.
_TELLING = 3


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from an answer that a proven state contradicts.

    Source: RFC 9110 section 13.2.2 (order of evaluation).
    """
    step, guard = facts.step, facts.guard
    if facts.damage is not None:
        yield from _damaged(facts)
        return
    if step.status == 400 and guard is not None and guard.standard and guard.well_formed:
        lines = step.sent.get_all(guard.name)
        if len(lines) > 1:
            text = (
                f"{guard.called} came in {len(lines)} lines, which mean the same as one: RFC 9110 section 5.3"
            )
            yield note(text, 6.0, step, guard.called)
        return
    if guard is not None and guard.key and guard.guard is Guard.SAME and guard.well_formed:
        yield from _own_way(facts)
    if wants_absent(guard) and step.is_write:
        yield from _never_there(facts)
        return
    if step.status != 412 or not step.conditions or any(not one.standard for one in step.conditions):
        return
    if (
        step.is_read
        and step.condition(Guard.DIFFERENT, Guard.ABSENT)
        and not step.condition(Guard.SAME, Guard.EXISTS, Guard.SAME_DATE)
    ):
        yield note("412 to a read with If-None-Match: the answer would be 304", 7.0, step, "If-None-Match")
        return
    if guard is None or not guard.well_formed:
        return
    known = _state(facts)
    if known is None:
        yield from _there_at_the_time(facts)
        return
    state, where = known
    decision = evaluate(step.method, step.exchange.request.fields.pairs, state)
    if decision.status == 412:
        return
    shown = "reads show before and after" if facts.refresh is not None else "an answer shows at once"
    weight = 5.5 if guard.guard is Guard.EXISTS else 4.5 if len(guard.tokens) > 1 else 2.5
    text = f"with the state that {shown}, `{guard.shown()}` holds: RFC 9110 section 13.2.2 gives no 412"
    yield note(text, weight, where, guard.called)
    yield from _passed_alone(facts, where)
    yield from _refused_later_date(facts, state)
    if step.hops:
        yield note("the refusal comes from the origin", 0.5, step.hops[-1])


def _never_there(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a creation that was refused although nothing was there before and after.

    Between a removal and a look another may have come and gone, as with locks: twice, that is no chance.

    Source: RFC 9110 section 13.1.2 (`If-None-Match: *` is false only if the resource has a representation).
    """
    step, guard, after = facts.step, facts.guard, facts.refresh
    before = next((one for one in reversed(facts.earlier) if _tells_state(one)), None)
    if step.status != HTTPStatus.PRECONDITION_FAILED or guard is None or len(step.conditions) > 1:
        return
    if before is None or not _leaves_nothing(before) or after is None or not after.finds_nothing:
        return
    if guard.name == "Overwrite" or any(one.accepted for one in facts.later if one.overlaps(step)):
        return
    text = f"`{guard.shown()}` was refused, and nothing is there before and after: it holds"
    yield note(text, 5.5 if before.finds_nothing else 3.0, after, guard.called)
    again = next((one for one in facts.own(facts.later) if one.order > after.order and one.is_write), None)
    if again is not None and again.refused and wants_absent(again.guard):
        look = next((one for one in facts.later if one.order > again.order and _tells_state(one)), None)
        if look is not None and look.finds_nothing:
            yield note("and again, with nothing there after that either", 3.0, look, guard.called)
    if step.hops:
        yield note("the refusal comes from the origin", 0.5, step.hops[-1])


def _tells_state(one: Step) -> bool:
    """Tell whether an answer shows that the resource is there, or that it is not."""
    return (one.is_read and one.status in {200, 304}) or one.finds_nothing or (one.accepted and one.replaces)


def _leaves_nothing(one: Step) -> bool:
    return one.finds_nothing or (one.accepted and one.method == "DELETE")


def _own_way(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a version of an API's own that is current before and after, and was refused."""
    step, token = facts.step, facts.token
    refusal = step.refusal
    if token is None or not facts.refused or refusal is None or refusal.meaning is not Meaning.MISMATCH:
        return
    before, after = facts.source, facts.refresh
    if before is None or after is None or not (after.read_ok and facts.names(after)):
        return
    field = after.header("etag")
    if field is not None and tokens.opaque(field) != tokens.opaque(token):
        # Of two names for its version that an answer gives, the other may be the one that is compared.
        return
    if is_row(before) and is_row(after):
        # What lists have may be made elsewhere than what is compared.
        return
    if before.actor != step.actor or not before.read_ok or facts.passed_later is not None:
        return
    if any(facts.from_cache(one) for one in (before, after)) or facts.overlapping_own or facts.foreign_writes:
        return
    if any(
        one.etag is not None and not facts.names(one) for one in (*facts.own_reads_after, *facts.quiet_reads)
    ):
        return
    told = [one for one in facts.repeats if _says_both_equal(one, token)]
    if not told and not (says_outdated(step) or _over_version(step)):
        # A conflict over something else than the version has its own reasons.
        return
    weight = 3.5 if told else 2.0
    text = f"reads right before and after show {token}, the very version that was refused"
    yield note(text, weight, after, facts.guard.called if facts.guard is not None else "")
    if told:
        yield note("the answer itself names one and the same version as sent and as there", 2.0, told[0])
    fresh = [one for one in facts.attempts if one is not step and one.presents(token) and not one.accepted]
    if fresh and any(step.order < one.order < fresh[-1].order for one in facts.own_reads_after):
        yield note("and again after another read had shown it", 1.5, fresh[-1])


def _over_version(step: Step) -> bool:
    """Tell whether the status is for preconditions alone, or a family's own words or codes say mismatch."""
    if step.status == HTTPStatus.PRECONDITION_FAILED:
        return True
    general = step.dialect is None or step.dialect.general
    return not general and step.refusal is not None and bool(step.refusal.words)


def _says_both_equal(step: Step, token: str) -> bool:
    """Tell whether an answer prints the version that was sent twice, and no other number like it.

    Args:
        step: the refused request.
        token: the version that it sent.
    """
    text = step.content.text[:_LONGEST] if step.content is not None else ""
    return _times_in(text, token) > 1


def _times_in(text: str, token: str) -> int:
    wanted = re.escape(tokens.opaque(token))
    return len(re.findall(rf"(?<![\w.-]){wanted}(?![\w-])", text))


def _refused_later_date(facts: Facts, state: Representation | None) -> Iterator[Evidence]:
    """Yield evidence from another date, whole seconds after the modification, that was refused as well."""
    modified = state.last_modified if state is not None else None
    for one in facts.attempts if modified is not None else ():
        condition = one.condition(Guard.SAME_DATE)
        date = http_date(condition.value) if condition is not None else None
        if not one.refused or condition is None or date is None or modified is None:
            continue
        if date >= modified.timestamp() + _NO_FRACTION:
            text = f"`{condition.shown()}` was refused, though nothing was modified since long before"
            yield note(text, 3.5, one, condition.called)
            return


def _damaged(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from what a server did or answered against a state that is known."""
    damage, step = facts.damage, facts.step
    if damage is None:
        return
    if damage.needless and suffix_of(step) and len({step.etag for step in damage.needless}) == 1:
        weight = 5.0 if step.hops and all(hop.status == 200 for hop in step.hops) else 3.0
        seen = facts.upstream_tag(step)
        if seen is None or seen == step.etag:
            text = "If-None-Match names the very tag that the answer carries: 304 is due"
            yield note(text, weight, step, "If-None-Match")
    if damage.contradicted:
        yield note(damage.text, 6.0, damage.lost or step)
        if step.is_read:
            yield from _otherwise(facts)
    elif damage.stale_accepted and facts.token is not None and not damage.overlap:
        states = two_states(facts.history, facts.token)
        if states is not None:
            text = f"{facts.token} stands for two contents: the tag does not change with the state"
            yield note(text, 7.5, states[1], "ETag")
    if damage.outcome is Outcome.WRONG_NOT_MODIFIED and damage.lost is not None:
        if step.hops and step.hops[-1].status == 304:
            yield note("the origin itself said that nothing had changed", 6.0, step.hops[-1])
        elif not step.cache_marked and not facts.may_be_kept:
            yield note("nothing in the answers speaks of a cache, and they may not be kept", 4.0, step)
            whole = whole_reads(facts.history).get(step.actor, [])
            own = facts.own(facts.history)
            alone = without_date(facts.history, step)
            if alone is not None:
                text = "asked with the tag alone it hands out another version: the date decided"
                yield note(text, 3.5, alone, "If-None-Match")
            caught_up = caught_up_after(facts.history, step)
            if caught_up is not None:
                yield note("the same question got the newer version later: it is compared", -3.0, caught_up)
            again = next((one for one in own if shown_replaced(facts.history, whole, one)), None)
            if again is not None:
                text = "304 to the old tag even after the reader had been given the new version whole"
                yield note(text, 1.2, again, "If-None-Match")


def _otherwise(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence that the service heeds If-None-Match on other reads: it does not just leave it out."""
    for one in facts.history:
        condition = one.condition(Guard.DIFFERENT)
        if one.status == 304 and one is not facts.step and condition is not None:
            yield note("another read with If-None-Match got its 304", 1.5, one, condition.called)
            return


def _state(facts: Facts) -> tuple[Representation | None, Step] | None:
    """Return the state that held before and after the request, None when that is not proven."""
    before = [
        one
        for one in facts.earlier
        if (one.is_read and one.status in {200, 304}) or one.finds_nothing or (one.accepted and one.etag)
    ]
    after = facts.refresh
    if after is None:
        return _there(facts)
    if after.finds_nothing:
        gone = before and before[-1].finds_nothing
        return (None, after) if gone else None
    if not after.read_ok:
        return None
    prior = before[-1] if before else None
    if prior is None or facts.from_cache(after) or facts.from_cache(prior):
        return None
    if after.coding and not _given_uncoded(facts, after):
        return None
    if any(one.etag is not None and one.etag != after.etag for one in facts.own_reads_after):
        return None
    if prior.etag is None or prior.etag != after.etag or not tokens.is_entity_tag(prior.etag):
        return None
    dated = _dated(after)
    if dated is None and facts.guard is not None and facts.guard.guard is Guard.SAME_DATE:
        return None
    return Representation(etag=after.etag, last_modified=dated), after


def _there_at_the_time(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a refused `*` on what nobody had read before, and what shows that it was there.

    A look afterwards finds it; that it was no younger is told by the refusal, which names that very version,
    by another try between two looks at one version, by a listing, or by its date.

    Source: RFC 9110 section 13.1.1 (`If-Match: *` is false only if the resource has no representation).
    """
    step, guard, after = facts.step, facts.guard, facts.refresh
    if guard is None or guard.guard is not Guard.EXISTS or len(step.conditions) > 1:
        return
    if after is None or not after.read_ok or after.etag is None or facts.from_cache(after):
        return
    gone = next((one for one in reversed(facts.earlier) if _tells_state(one)), None)
    named = len(tokens.opaque(after.etag)) >= _TELLING and _times_in(facts.error_text, after.etag) > 0
    if named:
        text = (
            f"the refusal names {after.etag}, which a read shows: it was there, and `{guard.shown()}` holds"
        )
        yield note(text, 5.5, step, guard.name)
    elif (again := _refused_between(facts, after)) is not None:
        text = f"refused again between two reads that show {after.etag}: `{guard.shown()}` holds"
        yield note(text, 5.5, again, guard.name)
    elif gone is not None and _leaves_nothing(gone):
        return
    elif (known := _named_before(facts, after.etag)) is not None:
        text = f"{after.etag} is what a listing had shown before, and a read after it: `{guard.shown()}` held"
        yield note(text, 5.0, known, guard.name)
    elif after.last_modified is not None and step.date is not None and after.last_modified + 1 < step.date:
        text = f"a read shows that nothing was changed since before the refusal: `{guard.shown()}` held"
        yield note(text, 4.0, after, "Last-Modified")
    else:
        return
    passed = next((one for one in facts.own(facts.later) if one.accepted and one.presents(after.etag)), None)
    if passed is not None:
        yield note(f"with {after.etag} in the place of `*` it passed", 1.5, passed, guard.name)


def _named_before(facts: Facts, tag: str) -> Step | None:
    """Return the last listing of the collection before the refusal if it holds a tag, None otherwise."""
    opaque = tokens.opaque(tag)
    if len(opaque) < _TELLING or opaque.isdigit():
        return None
    above = parent_of(facts.step.resource).rstrip("/")
    for key in (above, f"{above}/"):
        before = (one for one in reversed(facts.case.history_of(key)) if one.order < facts.step.order)
        last = next((one for one in before if one.read_ok and one.content is not None), None)
        if last is not None and last.content is not None and _times_in(last.content.text, tag):
            return last
    return None


def _refused_between(facts: Facts, after: Step) -> Step | None:
    """Return another try under `*` after a look, refused although the next look shows the same version."""
    for one in facts.attempts:
        if one.order <= after.order or not one.refused or one.condition(Guard.EXISTS) is None:
            continue
        look = next((two for two in facts.later if two.order > one.order and _tells_state(two)), None)
        if look is None or facts.history.written_between(after, look) or facts.from_cache(look):
            return None
        return one if look.read_ok and look.etag == after.etag else None
    return None


def _passed_alone(facts: Facts, state: Step) -> Iterator[Evidence]:
    """Yield evidence from the same change, which passed with one tag of the refused list by itself."""
    guard = facts.guard
    if guard is None or guard.guard is not Guard.SAME or len(guard.tokens) < 2:
        return
    for one in facts.own(facts.later):
        if one.accepted and one.guard is not None and one.guard.tokens == (state.etag,):
            yield note(f"with {state.etag} alone the request passed", 1.5, one, guard.called)
            return


def _given_uncoded(facts: Facts, coded: Step) -> bool:
    """Tell whether the tag of a compressed answer is the thing's own: a write gave it out, or took it.

    An encoder may have put its own in the place of it (RFC 9110 section 8.8.3.3), but not for what it did
    not encode.

    Args:
        facts: of the refused request.
        coded: an answer with a content coding.
    """
    for one in facts.history:
        given = one.accepted and one.etag == coded.etag and not one.coding
        shown = one.method == "GET" and one.status == HTTPStatus.OK and one.etag == coded.etag
        taken = one.accepted and one.guard is not None and one.guard.tokens == (coded.etag,)
        if given or taken or (shown and not one.coding and one.representation is not None):
            return True
    return False


def _there(facts: Facts) -> tuple[Representation | None, Step] | None:
    """Return the state that was surely there at a refused `*` or list of tags that nobody looked after."""
    step, guard = facts.step, facts.guard
    # One of several tags is no echo of what was sent.
    listed = guard is not None and len(guard.tokens) > 1 and step.etag in guard.tokens
    if guard is not None and guard.guard is Guard.SAME and listed and step.etag is not None:
        return Representation(etag=step.etag, last_modified=_dated(step)), step
    if guard is None or guard.guard is not Guard.EXISTS:
        return None
    own = facts.own(facts.earlier)
    looked = own[-1] if own else None
    soon = looked is not None and step.timed and step.start - looked.end < _AT_ONCE
    for one in (step, looked if soon else None):
        if one is None or not (one is step or one.read_ok or one.accepted) or facts.from_cache(one):
            continue
        if one.etag is not None and tokens.is_entity_tag(one.etag):
            return Representation(etag=one.etag, last_modified=_dated(one)), one
    return None


def _dated(step: Step) -> datetime | None:
    seconds = step.last_modified
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
