"""Find 304s to a date in whose second another answer shows a later state: it has the fraction of its time."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ifmatch.diagnosis.links.in_time import back_from, on_from
from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import changed_pointers, same_content, value_at
from ifmatch.diagnosis.reading.dates import fractions, http_date, told_moment
from ifmatch.diagnosis.reading.listed_records import leaves_of, records_in
from ifmatch.diagnosis.reads.rendered_times import made_for_each
from ifmatch.diagnosis.steps.message_members import shown
from ifmatch.diagnosis.steps.resources import bare, host_of, path_of
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

_OK: Final = 200
# So many answers around a 304 are looked through.
_NEAR: Final = 30
_LONGEST: Final = 60_000
# Shorter names stand in a list by chance.
_NAME: Final = 2
# Digits of a second in which two times have to differ; a rounded one says nothing.
_APART: Final = 0.002
# Minute, second and fraction of a time of day.
_CLOCK: Final = late_pattern(r"(?:(?<![\w:.])\d{1,2}:|T\d\d)(\d\d):?(\d\d)[.,](\d{1,9})(?!\d)")
_QUARTER: Final = 900
# So many editions are made within a second at most.
_FEW: Final = 5


def later_in_second(case: Case, history: History, step: Step) -> tuple[Step, float] | None:
    """Return the answer that shows a later state of the very second that a 304 was asked for, and its time.

    Args:
        case: everything known.
        history: of the resource, in order of time.
        step: a 304 to a date, or to a tag that may be made of one.

    Source: RFC 9110 section 8.8.2.2 (a date is weak within its second).
    """
    condition = step.condition(Guard.DIFFERENT_DATE)
    sent = http_date(condition.value) if condition is not None else None
    if step.condition(Guard.DIFFERENT) is not None:
        return _under_one_tag(history, step)
    shown_to = history.represented.get(step.actor, ()) if sent is not None else ()
    had = next((one for one in back_from(shown_to, step.order) if _whole(one, step)), None)
    if had is None or sent is None or had.last_modified != sent:
        return None
    known = max(_moments(had, sent), default=0.0)
    found = _of_itself(history, had, known, sent)
    name = own_name(step)
    if found is not None or len(name) < _NAME:
        return found
    for one in case.steps[max(0, had.order - _NEAR if not known else had.order + 1) : step.order + _NEAR]:
        if had.order < one.order < step.order - _NEAR or not _beside(one, step):
            continue
        told = [
            moment
            for text in _of_it(one, step, name)
            for _, moment in fractions(text)
            if int(moment) == int(sent)
        ]
        if one.order < had.order:
            # What is read shows no time of its own: a list beside it did.
            known = max([known, *told])
            continue
        later = [moment for moment in told if known and moment > known + _APART]
        # What was changed after the 304 proves nothing against it.
        if later and min(later) < step.start:
            return one, min(later)
    return None


def _beside(one: Step, step: Step) -> bool:
    """Tell whether an answer is about something else of the same service, and may name what is read."""
    if one.actor != step.actor or one.status != _OK or one.content is None or one.resource == step.resource:
        return False
    return len(one.content) <= _LONGEST and host_of(one.resource) == host_of(step.resource)


def _under_one_tag(history: History, step: Step) -> tuple[Step, float] | None:
    """Return the answer under the very tag of a 304 that shows a later state of the second of its date.

    Servers of files make the tag of time and size, and take whole seconds of the one.
    """
    condition = step.condition(Guard.DIFFERENT)
    token = condition.tokens[0].strip() if condition is not None and condition.of_one else ""
    under = history.represented_under.get(token, ())
    if len(under) <= 1:
        return None
    had = next((one for one in back_from(under, step.order) if _whole(one, step)), None)
    sent = had.last_modified if had is not None else None
    known = max(_moments(had, sent), default=0.0) if had is not None and sent is not None else 0.0
    if not known or had is None or sent is None:
        return None
    found = _of_itself(history, had, known, sent)
    return found if found is not None and found[0].etag == token else None


def _of_itself(history: History, had: Step, known: float, sent: float) -> tuple[Step, float] | None:
    """Return the whole answer under the very date that shows a state of later in its second, and its time.

    It tells that time itself, or both tell the second alone, and the later one has a number counted on.
    """
    for looks in history.represented.values():
        one = next((each for each in on_from(looks, had.order) if each.is_read), None)
        if one is None or one.status != _OK or one.last_modified != sent or one.variant != had.variant:
            continue
        if same_content(one.representation, had.representation) or made_for_each((had, one)):
            continue
        later = [moment for moment in _moments(one, sent) if moment > known + _APART] if known else []
        if later:
            return one, min(later)
        if not known and _next_edition(had, one, sent):
            return one, sent
    return None


def _moments(step: Step, sent: float) -> Iterator[float]:
    """Yield the moments within a second that an answer tells with their fractions, in content and fields."""
    if step.content is None or len(step.content) > _LONGEST:
        return
    fields = [field.value for field in shown(step) if field.where == "header" and "." in field.value]
    for text in (step.content.text, *fields):
        for _, moment in fractions(text):
            if int(moment) == int(sent):
                yield moment
        for clock, fraction in _clocks(text):
            # Without the day, and in whatever zone: these lie quarters of an hour apart.
            if (clock - sent) % _QUARTER == 0:
                yield sent + fraction


@lru_cache(maxsize=512)
def _clocks(text: str) -> tuple[tuple[int, float], ...]:
    """Return the times of day in a text that have a fraction: seconds since the hour, and the fraction."""
    return tuple(
        (int(one[1]) * 60 + int(one[2]), float(f"0.{one[3]}"))
        for one in _CLOCK.finditer(text)
        if one[3].strip("0")
    )


def _next_edition(had: Step, later: Step, sent: float) -> bool:
    """Tell whether two contents tell the same second as their time, and one has what follows the other.

    What only counts, or is called otherwise elsewhere, moves without a change of what is dated.
    """
    one, two = had.representation, later.representation
    pointers = changed_pointers(one, two) or ()
    texts = counted = False
    for pointer in pointers:
        before, now = value_at(one, pointer), value_at(two, pointer)
        if isinstance(before, int) and isinstance(now, int):
            counted = counted or 0 < now - before <= _FEW
        else:
            texts = True
    if not (texts and counted) or one is None or two is None:
        return False
    there = set(leaves_of(two.text))
    return any(leaf in there and told_moment(leaf[1]) == sent for leaf in leaves_of(one.text))


def _whole(one: Step, step: Step) -> bool:
    return one.status == _OK and one.is_read and one.actor == step.actor and one.representation is not None


def _of_it(one: Step, step: Step, name: str) -> Iterator[str]:
    """Yield what an answer tells of a thing: all of it below its path, else the records that name it."""
    text = one.content.text if one.content is not None else ""
    if name not in text and name not in one.resource:
        return
    here = bare(step.resource)
    if bare(one.resource) == here or one.resource.startswith(here + "/"):
        yield text
        return
    path = unquote(path_of(here))
    for record in records_in(text):
        if names_thing(record.values(), name, path):
            yield "\n".join(record.values())


def names_thing(values: Iterable[str], name: str, path: str) -> bool:
    """Tell whether one of the values of a record is the name of a thing, or the end of its path.

    Args:
        values: of the record.
        name: the last part of the path.
        path: of the thing.
    """
    return any(one == name or (one.endswith("/" + name) and path.endswith(one)) for one in values)
