"""Detect `date-precision`: two states share one second, or the stored time has a fraction of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reading.dates import fractions, http_date, told_moment, whole_second
from ifmatch.diagnosis.reading.dates import shown as moment
from ifmatch.diagnosis.reads.glimpses import changed_at
from ifmatch.diagnosis.rules.unsupported_precondition import not_evaluated
from ifmatch.diagnosis.steps.message_members import shown
from ifmatch.diagnosis.steps.resources import host_of, path_of
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "date-precision"
# Seconds from which on a date is later than any fraction of the second that was served.
_NO_FRACTION = 2
# Seconds after which nobody can still have written in the second that was served, or in the next.
_LONG_AGO = 3
# Seconds by which the clocks of a service and of a capture differ at most.
_CLOCKS_APART = 86_400


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a date that was echoed exactly and still misjudged the state.

    Source: RFC 9110 section 8.8.2.2 (a date is weak within its second).
    """
    if facts.damage is not None and facts.damage.outcome is Outcome.WRONG_NOT_MODIFIED:
        yield from _same_second(facts)
        return
    if facts.damage is not None and facts.token is not None:
        yield from _tag_of_a_second(facts, facts.token)
        return
    yield from _fraction_lost(facts)
    yield from _fraction_kept(facts)
    guard, sent = facts.guard, facts.sent_date
    if guard is None or guard.guard is not Guard.SAME_DATE or sent is None or fractions(guard.value):
        # Exact to the fraction, it is shared by nothing else.
        return
    served = [step for date, step in facts.served_dates if date == sent]
    if not served:
        return
    if facts.refused and not_evaluated(facts):
        return
    if facts.refused:
        yield from _refused_echo(facts, served[0], sent)
        return
    damage = facts.damage
    if damage is not None and damage.lost is not None:
        modified = changed_at(damage.lost)
        same = modified == sent or (
            # It came after the date was given out; a Date may be a second behind.
            modified is None and damage.lost.date is not None and -2 < damage.lost.date - sent < 1
        )
        if damage.told is not None:
            if sent <= damage.told < sent + 1:
                yield note(damage.text, 6.0, damage.lost)
        elif same:
            yield note(
                "the overwritten change was made in the very second of the date that was sent",
                6.0,
                damage.lost,
                "Last-Modified",
            )


def _fraction_lost(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a precondition with the served time, but without some of its fraction.

    The programs' types for times hold fewer digits than the store: JavaScript's Date ends at milliseconds.
    """
    token, guard = facts.token, facts.guard
    if not facts.refused or token is None or guard is None or facts.issues:
        return
    for step in reversed(facts.own(facts.earlier)):
        for full in step.issued():
            if whole_second(token, full):
                text = f"{token} is the served {full} without the fraction of its second"
                # As a token it is damaged, too: `malformed-validator` is not much less likely.
                dated = "since" in guard.name.lower()
                yield note(text, 6.5 if dated else 5.3, step)
                if dated and any(one.presents(full) and one.accepted for one in facts.later):
                    yield note("with the fraction it was accepted", 1.0, facts.step)
                return


def _fraction_kept(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a time that is sent as it was served, and that the service has more exactly.

    Answers show it to the second, or to the millisecond; what is compared has the digits that the store has.
    """
    token, guard = facts.token, facts.guard
    if not facts.refused or token is None or guard is None or guard.guard is not Guard.SAME:
        return
    served = [one for one in facts.own(facts.earlier) if one.read_ok and token in one.issued()]
    if not served:
        return
    told = next((one.value for one in shown(facts.step) if whole_second(token, one.value)), None)
    full = told
    for one in facts.own(facts.later):
        sent = one.guard.tokens[0] if one.guard is not None and one.guard.of_one else ""
        if one.accepted and whole_second(token, sent):
            yield note(f"with its fraction, {sent}, it was accepted", 3.0, one)
            full = full or sent
            break
    if told is not None:
        text = f"{told} stands in this refusal of {token}, as served: answers show it without its fraction"
        yield note(text, 6.5, facts.step)
    elif full is not None:
        yield note(f"{token} was sent as it was served, and {full} is what is stored", 4.0, served[-1])
    elif _to_the_second(token, served[0]) and _still_shown(facts, token):
        text = f"{token} was sent as it was served, was refused, and is still served: it has no fraction"
        yield note(text, 3.2, facts.refresh)


def _to_the_second(token: str, served: Step) -> bool:
    """Tell whether a version is a time of whole seconds: one that is still to come is a count."""
    moment = told_moment(token)
    if moment is None or (served.timed and moment > served.end + _CLOCKS_APART):
        return False
    return moment % 1 == 0 and "." not in token


def _still_shown(facts: Facts, token: str) -> bool:
    """Tell whether the next read shows the refused version again, with the content that it had."""
    refresh = facts.refresh
    return refresh is not None and token in refresh.issued() and facts.content_moved is False


def _tag_of_a_second(facts: Facts, token: str) -> Iterator[Evidence]:
    """Yield evidence from two contents under the accepted tag whose modification dates are one second."""
    shown = [step for step in facts.history if step.representation is not None and step.etag == token]
    dates = {step.last_modified for step in shown}
    if len(dates) != 1 or None in dates or same_content(shown[0].representation, shown[-1].representation):
        return
    text = f"two contents of one second carry one tag, {token}: it is made of the modification time"
    yield note(text, 7.5, shown[-1], "ETag")


def _refused_echo(facts: Facts, served: Step, sent: float) -> Iterator[Evidence]:
    """Yield evidence from a date that was refused although the answers still carry it."""
    refresh = facts.refresh
    still = refresh is not None and refresh.last_modified == sent
    unmoved = facts.content_moved is False or (
        refresh is not None and refresh.etag is not None and refresh.etag == served.etag
    )
    for step in facts.own(facts.later):
        later = step.condition(Guard.SAME_DATE)
        date = http_date(later.value) if later is not None else None
        if step.refused and later is not None and date is not None and date >= sent + _NO_FRACTION and still:
            text = f"{later.shown()}, {round(date - sent)} s later, was refused too: that is no fraction"
            yield note(text, -6.0, step, later.name)
            break
    if facts.answers_apart is not None:
        yield note("the service answers by more than one clock", -4.0, facts.answers_apart[1], "Date")
    if still and unmoved:
        yield note(
            (
                "the served date was echoed exactly, was refused, and is still served: the stored "
                "time has a fraction"
            ),
            6.0,
            refresh,
            "Last-Modified",
        )
    elif still:
        yield note(
            "the served date was echoed exactly, was refused, and is still served",
            3.5,
            refresh,
            "Last-Modified",
        )
    for step in (facts.step, *facts.own(facts.earlier)):
        told = _fraction(step, sent)
        if told:
            text = f"{told} stands in this answer: the stored time has a fraction, which the sent date lacks"
            yield note(text, 6.5 if step is facts.step else 3.0, step)
            break
    yield from _next_second(facts, served, sent)
    if not still and facts.state_moved is not True and not facts.foreign_writes:
        yield from _shown_beside(facts, served, sent)


def _shown_beside(facts: Facts, served: Step, sent: float) -> Iterator[Evidence]:
    """Yield evidence from what the service did with the date of another resource: it compares all alike.

    There it refused the date that it had served and went on to serve, or took it with one second more.
    """
    then = served.date if served.date is not None else served.exchange.started
    if then is None or then - sent < _LONG_AGO:
        return
    host = host_of(facts.step.resource)
    shown: tuple[str, Step, float] | None = None
    for key, history in facts.case.histories.items():
        if key == facts.step.resource or host_of(key) != host:
            continue
        for one in history:
            date = _echoed(history, one) if one.is_write else None
            if date is None:
                continue
            if one.accepted:
                # Here an echo passed: whatever is stored has no fraction.
                return
            found = (
                _with_more(history, one, date) or _still_served(history, one, date) if one.refused else None
            )
            if found is not None and (shown is None or found[2] > shown[2]):
                shown = found
    if shown is not None:
        yield note(f"{shown[0]}: the stored times have fractions", shown[2], shown[1])


def _echoed(history: History, step: Step) -> float | None:
    """Return the date that a write echoes as it was served, None when it echoes none."""
    guard = step.guard
    date = http_date(guard.value) if guard is not None and guard.guard is Guard.SAME_DATE else None
    given = any(one.last_modified == date for one in history if one.order < step.order and one.read_ok)
    return date if given else None


def _with_more(history: History, refused: Step, date: float) -> tuple[str, Step, float] | None:
    for one in history.writes:
        guard = one.condition(Guard.SAME_DATE)
        later = http_date(guard.value) if guard is not None else None
        if one.order > refused.order and later is not None and date < later < date + _NO_FRACTION:
            text = f"{path_of(one.resource)} refused its own date too, and took one second more"
            return (text, one, 5.5) if one.accepted else None
    return None


def _still_served(history: History, refused: Step, date: float) -> tuple[str, Step, float] | None:
    before = [one for one in history if one.order < refused.order and one.read_ok and one.etag is not None]
    after = next((one for one in history if one.order > refused.order), None)
    if not before or after is None or not after.read_ok or after.last_modified != date:
        return None
    text = f"{path_of(after.resource)} refused its own date too, and goes on to serve it under the same tag"
    return (text, after, 5.0) if after.etag == before[-1].etag else None


def _fraction(step: Step, sent: float) -> str:
    """Return the time of the very second that was sent, with its fraction, as an answer states it."""
    text = step.content.text if step.content is not None else ""
    return next((told for told, time in fractions(text) if int(time) == int(sent)), "")


def _next_second(facts: Facts, served: Step, sent: float) -> Iterator[Evidence]:
    """Yield evidence from the same write that was accepted with a later date than the one it had echoed."""
    for step in facts.own(facts.later):
        later = step.condition(Guard.SAME_DATE)
        if not step.accepted or later is None or facts.guard is None or later.value == facts.guard.value:
            continue
        date = http_date(later.value)
        then = served.date if served.date is not None else served.exchange.started
        near = date is not None and sent < date < sent + _NO_FRACTION
        if near and then is not None and then - sent >= _LONG_AGO:
            text = f"{later.shown()}, one second more, was accepted: what is stored lies within that second"
            yield note(text, 7.0, step, later.name)
        else:
            yield note("a later second was accepted", 2.0, step, later.name)
        return


def _same_second(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a 304 for a date that a newer version shares."""
    condition = facts.step.condition(Guard.DIFFERENT_DATE)
    sent = http_date(condition.value) if condition is not None else None
    lost = facts.damage.lost if facts.damage is not None else None
    tag = facts.step.condition(Guard.DIFFERENT)
    if tag is not None and lost is not None and facts.damage is not None and facts.damage.told is not None:
        text = f"two contents of one second carry one tag, {tag.value}: it is made of the modification time"
        yield note(text, 7.5, lost, "ETag")
        return
    if sent is None or lost is None or facts.step.condition(Guard.DIFFERENT) is not None:
        return
    told = facts.damage.told if facts.damage is not None else None
    if told is not None and int(told) == int(sent):
        text = f"a state of {moment(told)} stands here, made in the very second of the date that was sent"
        yield note(text, 6.0, lost)
        return
    made = lost.last_modified if lost.last_modified is not None else lost.date
    if made == sent:
        yield note("the newer version was made in the very second of the date", 6.0, lost, "Last-Modified")
