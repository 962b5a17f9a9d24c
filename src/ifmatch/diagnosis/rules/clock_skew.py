"""Detect `clock-skew`: a clock, not the served date, made the validator."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ifmatch.core.http_date import format_http_date
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.losses.clocked_versions import version_by_clock
from ifmatch.diagnosis.losses.device_clocks import made_at
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import http_date, span
from ifmatch.diagnosis.rules.timezone_error import zone_of_read
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "clock-skew"

_NEAR = 5.0
_SKEW = 20.0
# Seconds by which two dates, each cut to the second, may lie off.
_TICK = 1.2
# So many steps around a request others with dates are looked at.
_AROUND = 40
# Time zones lie whole quarters of an hour apart.
_QUARTER = 900
_MOST_TEXT = 20_000
# Fields in which a client says what time it has, and those that name the time of something else.
_OF_NOW = Words(r"date|time|clock|now\b|sent|stamp")
_OF_THEN = Words(
    r"modif|since|range|base|version|sync|last|chang|updat|creat|expir|edit|read|start|open|until"
)
# Seconds by which a client's word for the time may lag behind it.
_CLOCK_READ = 3.0
# Seconds from which on an early date is no clock's: a placeholder, such as the beginning of the epoch.
_TOO_FAR = 400 * 86400


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a date taken from the sender's clock, or from a server whose dates lie ahead.

    Source: RFC 9110 section 13.1.4 (the date is read in the origin's clock).
    """
    if facts.damage is not None and facts.damage.outcome is Outcome.WRONG_NOT_MODIFIED:
        yield from _dated_back(facts)
        return
    guard, sent = facts.guard, facts.sent_date
    if guard is not None and guard.guard is Guard.SAME:
        yield from version_by_clock(facts)
        return
    if guard is None or guard.guard is not Guard.SAME_DATE or sent is None:
        return
    if any(date == sent for date, _ in facts.served_dates):
        yield from _server_clock(facts)
        return
    started = facts.step.exchange.started
    base = [step for _, step in facts.served_dates[:1]]
    read_at = base[0].exchange.started if base else None
    moments = [moment for moment in (started, read_at) if moment is not None]
    shown = any(one.last_modified == sent for one in facts.history)
    own_clock = not shown and any(abs(sent - moment) <= _NEAR for moment in moments)
    if not own_clock and not shown and (other := _runs_along(facts, sent)) is not None:
        text = "the sent date moves on with the time of sending: it is a clock's, and that clock is wrong"
        yield note(text, 5.5, other, guard.name)
    stated = None if shown else _stated(facts, guard)
    if stated is not None:
        said, name = stated
        which = "the same request" if said is facts.step else "an earlier one"
        text = f"the sent date is the time of the sender's clock, as {name} of {which} says"
        yield note(text, 4.5, said, name)
        if said.date is not None and abs(sent - said.date) > _SKEW:
            yield note(f"that clock is {span(sent - said.date)} off the server's Date", 3.0, said, "Date")
    elif not own_clock and not shown and early_and_unmoved(facts):
        # A date of an earlier session, kept for too long, would look the same.
        text = "the sent date stands in no answer, and nothing had changed: a slow clock may have made it"
        yield note(text, 1.8, facts.served_dates[0][1], "Last-Modified")
    if own_clock:
        yield note(
            "the sent date is the client's own time, not a served Last-Modified", 3.5, facts.step, guard.name
        )
    yield from _beside_the_server(facts, guard, sent, own_clock=own_clock)
    yield from _between_the_clocks(facts, sent)
    yield from _server_clock(facts)


def _beside_the_server(facts: Facts, guard: Condition, sent: float, *, own_clock: bool) -> Iterator[Evidence]:
    """Yield evidence from how the client's clock, or the sent date, lies beside the server's Date."""
    skew = facts.client_skew
    if skew is not None and abs(skew) > _SKEW:
        side = "ahead of" if skew > 0 else "behind"
        weight = 3.0 if own_clock else 1.5
        yield note(f"the client's clock is {span(skew)} {side} the server's Date", weight, facts.step, "Date")
    if not own_clock and facts.step.date is not None and sent > facts.step.date + 60:
        yield note(
            "the sent date lies in the server's future: the condition can never fail",
            2.0,
            facts.step,
            guard.name,
        )


def _stated(facts: Facts, guard: Condition) -> tuple[Step, str] | None:
    """Return the field in which the sender gives the very date as the time now, with the request that has it.

    It is the refused request, or an earlier one about the same resource, such as the last look.
    """
    for step in (facts.step, *reversed(facts.own(facts.earlier))):
        name = _clock_field(facts, step, guard)
        if name is not None:
            return step, name
    return None


def _clock_field(facts: Facts, step: Step, guard: Condition) -> str | None:
    """Return the field of a request that holds a date as the time now: it moves on with the time."""
    for name, value in step.sent:
        if value.strip() != guard.value.strip() or name.lower() == guard.name.lower():
            continue
        if _OF_NOW.search(name) is None or _OF_THEN.search(name) is not None:
            continue
        others = [
            (date - (http_date(guard.value) or 0.0), one.start - step.start)
            for one in facts.own(facts.case.steps)
            if one.timed and (date := http_date(one.sent.text(name) or "")) is not None
        ]
        if all(abs(moved - passed) <= _CLOCK_READ for moved, passed in others):
            return name
    return None


def early_and_unmoved(facts: Facts) -> bool:
    """Tell whether a date that no answer holds lies before the one served both before and after the refusal.

    A date out of a record is another's place; one that is whole quarters of an hour off, another's zone.

    Args:
        facts: of the refused request.
    """
    sent, refresh, served = facts.sent_date, facts.refresh, facts.served_dates
    if not facts.refused or sent is None or refresh is None or not served or facts.content_moved is not False:
        return False
    modified = served[0][0]
    if not 0 < modified - sent < _TOO_FAR or any(date == sent for date, _ in served):
        return False
    if refresh.last_modified != modified or facts.answers_apart is not None:
        return False
    zoned = (modified - sent + _TICK) % _QUARTER < 2 * _TICK
    return not zoned and not _told_in_content(facts, sent)


def _told_in_content(facts: Facts, sent: float) -> bool:
    """Tell whether an earlier answer's content, or another of its fields, gives the date."""
    day = datetime.fromtimestamp(sent, UTC)
    looks = {day.strftime("%Y-%m-%dT%H:%M:%S"), day.strftime("%Y-%m-%d %H:%M:%S"), f"{int(sent)}"}
    looks.add(format_http_date(day))
    for one in facts.own(facts.case.steps[: facts.step.order]):
        fields = " ".join(value for _, value in one.received or ())
        text = fields + (one.content.text[:_MOST_TEXT] if one.content is not None else "")
        if any(look in text for look in looks):
            return True
    return False


def _runs_along(facts: Facts, sent: float) -> Step | None:
    """Return another request of the same actor whose date differs by just the time between the two.

    It may be about another thing of the service, if no answer has shown its date there.
    """
    step = facts.step
    host = host_of(step.resource)
    beside = facts.case.steps[max(0, step.order - _AROUND) : step.order + _AROUND]
    for one in (*facts.own(facts.history), *facts.own(beside)):
        guard = one.guard if one.is_write else None
        if one is step or guard is None or guard.guard is not Guard.SAME_DATE or not one.timed:
            continue
        date = http_date(guard.value)
        if date is None or date == sent or not step.timed or host_of(one.resource) != host:
            continue
        if abs((date - sent) - (one.start - step.start)) > _TICK:
            continue
        if one.resource == step.resource:
            return one
        shown = any(each.last_modified == date for each in facts.case.history_of(one.resource))
        # A clock of another zone lies whole quarters of an hour off.
        off = (sent - step.start + _NEAR) % _QUARTER
        if not shown and off > 2 * _NEAR:
            return one
    return None


def _between_the_clocks(facts: Facts, sent: float) -> Iterator[Evidence]:
    """Yield evidence from a refusal that the distance of two clocks explains alone."""
    refresh = facts.refresh
    modified = refresh.last_modified if refresh is not None else None
    if refresh is None or refresh.date is None or modified is None or refresh.exchange.started is None:
        return
    ahead = refresh.date + 0.5 - (refresh.exchange.started + (refresh.exchange.duration or 0.0) / 2)
    # By the server's clock the resource is newer than the date that was sent, by the client's it is not.
    if ahead > _SKEW and modified - ahead - 1 <= sent < modified:
        text = (
            f"the server's clock is {span(ahead)} ahead: by the client's the resource has not changed since "
            "the date that was sent"
        )
        yield note(text, 4.5, refresh, "Last-Modified")


def _dated_back(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a newer version that carries an older date than the one that was sent."""
    condition = facts.step.condition(Guard.DIFFERENT_DATE)
    sent = http_date(condition.value) if condition is not None else None
    lost = facts.damage.lost if facts.damage is not None else None
    if sent is None or lost is None or facts.step.condition(Guard.DIFFERENT) is not None:
        return
    if zone_of_read(facts) is not None:
        return
    if lost is facts.step and facts.step.date is not None and sent > facts.step.date + facts.step.age:
        ahead = span(sent - facts.step.date - facts.step.age)
        text = f"the sent date lies {ahead} in the server's future: every change until then is told as none"
        yield note(text, 6.0, facts.step, "If-Modified-Since")
        return
    made = next(
        (
            date
            for date in (
                facts.damage.told if facts.damage is not None else None,
                lost.last_modified,
                facts.step.last_modified,
                lost.date if lost.accepted else None,
            )
            if date is not None and date != sent
        ),
        None,
    )
    if (
        made is not None
        and made < sent
        and not any(sent in {one.last_modified, one.date} for one in facts.history)
    ):
        text = "the sent date stands in no answer, and lies later than the change: a clock made it"
        yield note(text, 6.0, facts.step, "If-Modified-Since")
        read = made_at(facts, sent, "If-Modified-Since")
        if read is not None and abs(read[1]) > _SKEW:
            yield note(f"that clock is {span(read[1])} off the server's", 2.0, read[0], "Date")
    elif made is not None and made < sent and lost.last_modified is not None:
        text = "the newer version carries an older Last-Modified: the server's clocks disagree"
        yield note(text, 6.0, lost, "Last-Modified")


def _server_clock(facts: Facts) -> Iterator[Evidence]:
    apart = facts.answers_apart
    if apart is not None:
        seconds, step = apart
        yield note(f"answers of one service carry Dates {span(seconds)} apart", 4.0, step, "Date")
        shown = {
            one.last_modified
            for one in facts.history
            if one.read_ok and one.last_modified is not None and one.order < facts.step.order
        }
        if len(shown) > 1 and abs(max(shown) - min(shown) - seconds) < _NEAR:
            yield note("Last-Modified differs by just that from answer to answer", 3.5, step, "Last-Modified")
        return
    previous = None
    for step in facts.history:
        modified, date = step.last_modified, step.date
        if modified is None or date is None or not (step.read_ok or step.accepted):
            continue
        if modified > date + 2:
            yield note("Last-Modified lies later than Date", 3.0, step, "Last-Modified")
            return
        if previous is not None and modified < previous - 1 and step.etag is not None:
            yield note("Last-Modified went backwards", 1.0, step, "Last-Modified")
            return
        previous = modified
