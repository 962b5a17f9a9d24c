"""Find reads that were answered wrongly: a 304 after a change, spliced parts, a cache against a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.cache_marks import asks_past
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import holds, same_content
from ifmatch.diagnosis.reading.dates import http_date
from ifmatch.diagnosis.reads.answered_reads import answered_reads
from ifmatch.diagnosis.reads.glimpses import glimpsed_before
from ifmatch.diagnosis.reads.listed_changes import changed_by_list
from ifmatch.diagnosis.reads.old_looks import old_looks
from ifmatch.diagnosis.reads.one_tag import two_states
from ifmatch.diagnosis.reads.rendered_times import made_for_each
from ifmatch.diagnosis.reads.resumed_in_turn import resumed_in_turn
from ifmatch.diagnosis.reads.revalidations import never_unmodified
from ifmatch.diagnosis.reads.shared_seconds import later_in_second
from ifmatch.diagnosis.reads.shown_changed import listed_later, shown_changed
from ifmatch.diagnosis.reads.spliced_parts import cached_on_the_way, dropped, heard, resumed, spliced
from ifmatch.diagnosis.reads.still_unmodified import (
    changed_before,
    changed_by,
    shown_before,
    shown_replaced,
    whole_reads,
)
from ifmatch.diagnosis.reads.stripped_reads import stripped_reads
from ifmatch.diagnosis.reads.wasted_reads import wasted_reads
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step


def misreads(case: Case, history: History) -> Iterator[tuple[Step, Damage]]:
    """Yield every read of a resource that was answered wrongly, with what was wrong.

    Args:
        case: everything known.
        history: of one resource, in order of time.
    """
    if history.in_turn:
        # Its looks are whole, unconditional and up to date.
        return
    behind = [*old_looks(case, history)] if history.writes else []
    for step, damage in _wrong_not_modified(case, history):
        if not any(_of_the_same_copy(step, found) for _, found in behind):
            yield step, damage
    yield from spliced(history)
    again = [*never_unmodified(case, history), *resumed_in_turn(history)]
    yield from again
    told = {step.actor for step, _ in again}
    yield from ((step, damage) for step, damage in wasted_reads(case, history) if step.actor not in told)
    yield from stripped_reads(case, history)
    yield from answered_reads(history)
    yield from behind
    seen: set[str] = set()
    for step in history:
        found = _misread(step)
        if found is not None and step.actor not in seen:
            seen.add(step.actor)
            yield step, found


def _of_the_same_copy(step: Step, found: Damage) -> bool:
    """Tell whether a 304 is due by an older state, which a look had shown whole after the reader's own write.

    Whoever gave both compares well, and does not have the newer state.
    """
    look, condition = found.behind, step.condition(Guard.DIFFERENT)
    if look is None or look.etag is None or condition is None or step.actor != look.actor:
        return False
    after = found.first is not None and step.order > found.first.order
    if found.lost is not None and found.lost.representation is not None:
        # Who has been given the newer state whole is not to be told that the older one is current.
        after = after and step.order < found.lost.order
    return after and tokens.base(look.etag) in {tokens.base(token) for token in condition.tokens}


def _wrong_not_modified(case: Case, history: History) -> Iterator[tuple[Step, Damage]]:
    """Find a 304 that was given after the state had moved."""
    done: set[str] = set()
    unmodified = _unmodified(history)
    whole = whole_reads(history) if unmodified else {}
    for step, later in unmodified:
        condition = step.condition(Guard.DIFFERENT, Guard.DIFFERENT_DATE)
        if condition is None or step.actor in done or not condition.tokens:
            continue
        by_date = condition.guard is Guard.DIFFERENT_DATE
        near = history.around(step)
        replaced = (
            _replaced_since(near, step, condition.value.strip())
            if by_date
            else _all_replaced(near, step, condition)
        )
        shown = whole.get(step.actor, [])
        proof = _proves_another(near, step, later, () if by_date else condition.tokens)
        if proof is None and by_date:
            proof = _proves_later(near, step, later)
        other = None if by_date else _names_another(near, step, condition)
        stayed = None if by_date or replaced is not None else _same_tag(near, step, condition.tokens[0])
        proof = proof or _told_in_content(shown, step, later) or _seen_replaced(near, shown, step, condition)
        misjudged = not by_date and cached_on_the_way(step) and _another_tag(step, condition)
        asks = replaced is proof is other is stayed is None and not misjudged
        proof, told = (_told_beside(case, near, step) if asks else None) or (proof, None)
        if replaced is None and proof is None and other is None and stayed is None and not misjudged:
            continue
        done.add(step.actor)
        text = (
            f"304 although the {'dated version' if by_date else 'tag'} had been replaced before"
            if replaced is not None
            else "304 at a time for which another answer proves another version"
        )
        if other is not None:
            text = f"304 carries {step.etag}, whose content is another, and If-None-Match does not name it"
        elif stayed is not None:
            text = f"304 for {condition.tokens[0]} although the content had changed under it: the tag had not"
        elif misjudged:
            text = f"304 carries {step.etag}, which If-None-Match does not name"
        yield (
            step,
            Damage(
                Outcome.WRONG_NOT_MODIFIED,
                text,
                lost=replaced or proof or other or stayed,
                by_cache=misjudged,
                told=told,
                contradicted=not (other is None and stayed is None) and not cached_on_the_way(step),
            ),
        )


def _told_beside(case: Case, history: History, step: Step) -> tuple[Step, float] | None:
    """Return the answer beside a 304 that tells of a change before it, and when that was."""
    found = later_in_second(case, history, step) or changed_by_list(case, history, step)
    return found or listed_later(case, history, step)


def _proves_later(history: History, step: Step, later: Step | None) -> Step | None:
    """Return what shows a change that a 304 to a date left unsaid: itself, a look or a write."""
    itself = _newer_itself(history, step) or _same_second(history, step, later)
    return itself or changed_before(history, step) or shown_changed(history, step)


def _seen_replaced(history: History, whole: list[Step], step: Step, condition: Condition) -> Step | None:
    """Return the own look that had shown another version than the one that a 304 tells to be current."""
    return shown_replaced(history, whole, step) or glimpsed_before(history, step, condition)


def _names_another(history: History, step: Step, condition: Condition) -> Step | None:
    """Return the answer that shows what a 304's own tag stands for, when it is not what the reader has.

    Tags alone prove nothing: nodes may differ in them, and encoders append to them.
    """
    named = {tokens.base(token) for token in condition.tokens}
    if not _another_tag(step, condition):
        return None
    shown = [one for one in history if one.representation is not None and one.variant == step.variant]
    had = [one for one in shown if one.order < step.order and tokens.base(one.etag or "") in named]
    now = next((one for one in shown if one.etag == step.etag), None)
    if not had or now is None or same_content(had[-1].representation, now.representation):
        return None
    return now


def _another_tag(step: Step, condition: Condition) -> bool:
    """Tell whether a 304 bears a tag that its condition does not name (RFC 9110 section 13.1.2)."""
    named = {tokens.base(token) for token in condition.tokens}
    tag = tokens.base((step.header("etag") or "").strip())
    if not tag or not condition.well_formed:
        return False
    # What an encoder appends is no other tag.
    return not any(tag.startswith(one) or one.startswith(tag) for one in named if one)


def _same_tag(history: History, step: Step, token: str) -> Step | None:
    """Return the write before a 304 that changed the content and left the tag as it was."""
    states = two_states(history, token)
    if states is None:
        return None
    early, late = states
    since = [one for one in history.writes if early.order < one.order < late.order]
    made = len(since) == 1 and step.follows(since[0]) and holds(late.representation, since[0].body)
    had = not any(one.order > since[0].order for one in _shown_to(history, step)) if made else False
    return since[0] if had else None


def _shown_to(history: History, step: Step) -> list[Step]:
    """Return the reads before a 304 that showed its reader the content."""
    return [
        one
        for one in history
        if one.order < step.order and one.actor == step.actor and one.representation is not None
    ]


def _unmodified(history: History) -> list[tuple[Step, Step | None]]:
    """Return the 304s in order of time, each with the next whole answer that the same actor got."""
    following: dict[str, Step] = {}
    found: list[tuple[Step, Step | None]] = []
    for step in reversed(history):
        if step.status == 304:
            found.append((step, following.get(step.actor)))
        elif step.status == 200 and step.is_read:
            following[step.actor] = step
    found.reverse()
    return found


def _proves_another(history: History, step: Step, later: Step | None, named: tuple[str, ...]) -> Step | None:
    """Return the own later read whose modification date lies before the 304, None when there is none."""
    if later is None or later.last_modified is None or step.date is None:
        return None
    if later.etag is None:
        return _told_itself(history, step, later)
    if later.last_modified + 1 > step.date + step.age:
        return None
    if any(tokens.base(later.etag) == tokens.base(token) for token in named):
        return None
    sent = step.condition(Guard.DIFFERENT_DATE)
    dated = (sent.value if sent is not None else "").strip()
    # Of a list, what was given out last speaks for it.
    known = [one for token in named for one in history.issued(token) if one.order < step.order]
    issuers = sorted(known, key=lambda one: -one.order) if len(named) > 1 else known if named else history
    issue = next(
        (
            one
            for one in issuers
            if one.order < step.order
            and (bool(named) or (one.read_ok and one.header("last-modified") == dated))
        ),
        None,
    )
    since = step.last_modified if step.last_modified is not None else http_date(sent.value) if sent else None
    if since is None and issue is not None:
        since = issue.last_modified if issue.last_modified is not None else issue.date
    if since is None:
        return None
    # Within one second, or from a slow clock, a date tells nothing, and nodes may have tags of their own:
    # then the content must.
    shown = issue.representation if issue is not None else None
    if issue is not None and _of_nodes(issue, later):
        return None
    other = later.representation is not None and shown is not None
    other = other and not same_content(shown, later.representation)
    if not (later.last_modified > since or other):
        return None
    written = history.written_between(step, later)
    return None if written or _put_in_place(step, later, issue) else later


def _of_nodes(one: Step, two: Step) -> bool:
    """Tell whether two answers have tags of their own for the same content, as nodes do: nothing changed."""
    if one.etag == two.etag or one.variant != two.variant:
        return False
    shown, again = one.representation, two.representation
    return shown is not None and again is not None and same_content(shown, again)


def _told_in_content(whole: list[Step], step: Step, later: Step | None) -> Step | None:
    """Return the own later read whose content is another, and tells of a change before the 304."""
    condition = step.condition(Guard.DIFFERENT)
    if condition is None or later is None or later.etag is None or step.date is None:
        return None
    named = {tokens.base(token) for token in condition.tokens}
    if later.last_modified is not None or tokens.base(later.etag) in named or later.representation is None:
        return None
    found = shown_before(whole, step, named)
    if found is None or found[1].variant != later.variant:
        return None
    since = changed_by(found[1], later)
    return later if since is not None and since < step.date else None


def _put_in_place(step: Step, later: Step, issue: Step | None) -> bool:
    """Tell whether a file may have been moved or copied to its place with the older time that it had.

    The origin itself then told both states whole, each with the tag and the date of its own: the 304 those
    that its reader had (RFC 9110 section 15.4.5), the later answer others.
    """
    if (
        issue is None
        or step.etag is None
        or step.last_modified is None
        or cached_on_the_way(step)
        or cached_on_the_way(later)
    ):
        return False
    if step.lifetime or issue.lifetime:
        # A cache that leaves no marks may have kept it.
        return False
    told = (step.etag, step.last_modified) == (issue.etag, issue.last_modified)
    return told and later.etag != step.etag and later.last_modified != step.last_modified


def _told_itself(history: History, step: Step, later: Step) -> Step | None:
    """Return the own later read under the very date that a 304 bore, if its content is not the known one.

    A 304 carries the date of the current version (RFC 9110 section 15.4.5): another date than the one sent
    is another version.
    """
    condition = step.condition(Guard.DIFFERENT_DATE)
    if condition is None or step.last_modified is None or later.last_modified != step.last_modified:
        return None
    if step.last_modified == http_date(condition.value):
        return None
    known = [
        one
        for one in history
        if one.order < step.order and one.actor == step.actor and one.representation is not None
    ]
    if not known or later.representation is None or known[-1].variant != later.variant:
        return None
    return None if same_content(known[-1].representation, later.representation) else later


def _newer_itself(history: History, step: Step) -> Step | None:
    """Return the 304 itself when it names a later modification than all that its reader had been given.

    Only a date from the future makes a server say so: its own dates are never later than the newest version.
    """
    condition = step.condition(Guard.DIFFERENT_DATE)
    sent = http_date(condition.value) if condition is not None else None
    if sent is None or step.date is None or sent <= step.date + step.age + 1:
        return None
    own = [
        one.last_modified
        for one in history
        if one.order < step.order and one.actor == step.actor and one.last_modified is not None
    ]
    return step if own and step.last_modified is not None and step.last_modified > max(own) else None


def _same_second(history: History, step: Step, later: Step | None) -> Step | None:
    """Return the own later read with other content under the very date of a read within its second."""
    condition = step.condition(Guard.DIFFERENT_DATE)
    if condition is None or later is None or step.condition(Guard.DIFFERENT) is not None:
        return None
    date = condition.value.strip()
    gave = next(
        (
            one
            for one in reversed(history)
            if one.order < step.order and one.actor == step.actor and one.read_ok and one.status == 200
        ),
        None,
    )
    if gave is None or gave.settled or gave.date is None or gave.variant != later.variant:
        return None
    if {(one.header("last-modified") or "").strip() for one in (gave, later)} != {date}:
        return None
    if gave.representation is None or later.representation is None:
        return None
    if same_content(gave.representation, later.representation) or made_for_each((gave, later)):
        return None
    return later


def _all_replaced(history: History, step: Step, condition: Condition) -> Step | None:
    """Return the accepted write that had replaced the last of the listed tags, None when one may be current.

    Source: RFC 9110 section 13.1.2 (the condition is false when any listed tag matches).
    """
    found = [_replaced(history, step, token) for token in condition.tokens]
    replaced = [one for one in found if one is not None]
    return max(replaced, key=lambda one: one.order) if len(replaced) == len(found) else None


def _replaced(history: History, step: Step, token: str) -> Step | None:
    """Return the accepted write that had replaced the tag before the read, None when none was seen."""
    if not history.writes:
        return None
    known = [one.order for one in history.issued(token)]
    if not known:
        return None
    gave = next((one for one in history.issued(token) if one.representation is not None), None)
    restored = [one.order for one in history.issued(token) if one.accepted]
    for one in history.writes:
        if not step.follows(one):
            continue
        changed = (
            tokens.base(one.etag) != tokens.base(token)
            if one.etag is not None
            else gave is not None and _certainly_replaced(history, step, gave, one)
        )
        if changed and known[0] < one.order and not any(one.order < order < step.order for order in restored):
            return one
    return None


def _certainly_replaced(history: History, step: Step, gave: Step, write: Step) -> bool:
    """Tell whether a write that told no tag had replaced what a tag stands for: a later read shows it."""
    if write.method == "DELETE" or write.body is None or not step.surely_after(write):
        return False
    if holds(gave.representation, write.body):
        return False
    shown = next(
        (one for one in history if one.order > step.order and one.status == 200 and one.is_read), None
    )
    between = history.written_between(write, step)
    return shown is not None and not between and holds(shown.representation, write.body)


def _replaced_since(history: History, step: Step, date: str) -> Step | None:
    """Return the accepted write after this actor had been given the date, None when none was seen."""
    own = [
        one
        for one in history
        if one.order < step.order
        and one.actor == step.actor
        and (one.status == 200 or one.accepted)
        and (one.header("last-modified") or "").strip() == date
    ]
    if not own:
        return None
    # What was written within the second of the last look left the date as it was: a copy is of that look.
    base = next((one for one in reversed(own) if one.representation is not None), own[-1])
    return next(
        (
            one
            for one in history.writes
            if one.follows(base)
            and step.follows(one)
            and not same_content(one.made, base.representation)
            and (base is own[-1] or one.made is not None)
        ),
        None,
    )


def _misread(step: Step) -> Damage | None:
    """Find a conditional read that a cache answered against its condition."""
    if step.method != "GET" or step.status not in {200, 206}:
        return None
    if not step.conditions:
        return None
    cached = step.cache_hit or step.header("age") is not None
    guard = step.condition(Guard.SAME)
    if guard is not None and not guard.tokens:
        return None
    if (
        guard is not None
        and guard.well_formed
        and guard.standard
        and step.etag is not None
        and not any(tokens.opaque(token) == tokens.opaque(step.etag) for token in guard.tokens)
    ):
        by_cache = (cached or cached_on_the_way(step) or dropped(step, guard)) and not heard(step, guard)
        text = f"{step.status} with {step.etag} although `{guard.shown()}` is false"
        return Damage(Outcome.WRONG_CONTENT, text, by_cache=by_cache, range_ignored=not by_cache)
    date = step.condition(Guard.SAME_DATE)
    sent = http_date(date.value) if date is not None and guard is None else None
    if date is not None and sent is not None and step.last_modified is not None and step.last_modified > sent:
        by_cache = (cached or cached_on_the_way(step) or dropped(step, date)) and not heard(step, date)
        text = f"{step.status} with a later Last-Modified although `{date.shown()}` is false"
        return Damage(Outcome.WRONG_CONTENT, text, by_cache=by_cache, range_ignored=not by_cache)
    if (found := resumed(step)) is not None:
        return found
    validator = step.condition(Guard.DIFFERENT)
    revalidated = any(hop.status == 304 for hop in step.hops)
    if (
        validator is not None
        and (cached or revalidated)
        and step.etag in validator.tokens
        and step.status == 200
        and not tokens.strip_suffix(tokens.opaque(step.etag or ""))[1]
    ):
        # Browsers validate their own cache and then show the stored 200 where the wire had 304.
        browser = (step.sent.text("user-agent") or "").startswith("Mozilla/")
        if browser or asks_past(step.sent):
            return None
        text = f"a full 200 although If-None-Match names {step.etag}, the very tag that the answer carries"
        return Damage(Outcome.ERROR, text, by_cache=True)
    return None
