"""Find what was asked for once and is there twice: a proxy, or the client itself, had sent it again."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.own_marks import Mark, marks_of, only_there
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.listed_records import leaves_of, records_in
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.reading.listed_records import Record
    from ifmatch.diagnosis.steps.step import Step

# So many steps after a request its results are looked for.
_NEAR: Final = 60
_LONGEST: Final = 200_000
# Seconds by which a time of the service may lie beside a request.
_BESIDE: Final = 0.6
# What one wish is called by: no number that anything may have.
_CALLED: Final = late_pattern(r"(?=\S*\d)(?=\S*[^\W\d_])\S{4,80}|\d{6,18}")
_TWICE: Final = 2
# Shorter values are counts, no moments.
_SHORT: Final = 9
_CLOCK: Final = late_pattern(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d(?:\.\d+)?)")
# So far apart are the numbers of two entries that were made one soon after the other.
_NEIGHBOURS: Final = 20
# The attempt that an answer belongs to, as proxies count them; `retry` counts those after the first.
_ATTEMPT: Final = late_pattern(r"(?:.*[-_])?(?:attempts?|tries)(?:[-_](?:count|number|no))?", re.IGNORECASE)
_RETRY: Final = late_pattern(
    r"(?:.*[-_])?(?:retries|retry|retried|rpc-attempts)(?:[-_](?:count|number|no))?", re.IGNORECASE
)
# What proxies list of those they asked in turn: what each answered, where it is, how long it took.
_MOST_TRIED: Final = 5
_CODE: Final = late_pattern(r"\d{3}|0|-")
_NO_ANSWER: Final = frozenset({"0", "-", "408", "499", "500", "502", "503", "504", "520", "522", "524"})
_ASKED: Final = late_pattern(r"upstream|backend|origin|up-?str|proxied|tried|hops?\b", re.IGNORECASE)
_MACHINE: Final = late_pattern(r"\[?[\w.:-]{2,80}\]?:\d{2,5}|unix:\S{2,80}")
_TOOK: Final = late_pattern(r"\d{1,4}\.\d{1,6}|-")


def made_again(case: Case, step: Step) -> Damage | None:
    """Find two things that an accepted request made, or it and the attempt before it that got no answer.

    Args:
        case: everything known.
        step: an accepted POST.
    """
    if step.method != "POST" or not step.accepted or not step.timed or step.guard is not None:
        return None
    answers = [hop for hop in step.hops if 200 <= hop.status < 300 and hop.response is not None]
    made = (hop.response.content for hop in answers if hop.response is not None)
    apart = {one.text for one in made if isinstance(one, Content)}
    if len(apart) > 1:
        text = f"the origin carried it out {len(answers)} times, and made something else each time"
        return Damage(Outcome.WRONG_CONTENT, text, twice=True)
    near = _beside(case, step)
    values = [
        value
        for value in (*_values(step), *_called_by(step))
        if not any(_may_carry(one, value) for one in near)
    ]
    if not values:
        return None
    first = _before(case, step)
    for listing in case.steps[step.order + 1 : step.order + _NEAR]:
        if (
            listing.actor != step.actor
            or not listing.is_read
            or host_of(listing.resource) != host_of(step.resource)
        ):
            continue
        content = listing.content
        if content is None or len(content) > _LONGEST or not any(one in content.text for one in values):
            continue
        found = _pair(case, step, first, records_in(content.text), values)
        if found is not None:
            where = "this one request was under way" if first is None else "the two attempts were under way"
            text = f"two things with {found} are there, both made while {where}: it asked for one"
            return Damage(Outcome.WRONG_CONTENT, text, lost=listing, first=first, twice=True)
    return None


def _beside(case: Case, step: Step) -> list[Step]:
    """Return others of the kind that the client made at about the same time: each may be one of the two."""
    begin, end = step.start - _BESIDE, step.end + _BESIDE
    return [
        one
        for one in case.steps[max(0, step.order - _NEAR) : step.order + _NEAR]
        if begin <= one.start <= end and one.resource == step.resource
        if one is not step and one.accepted and one.actor == step.actor and one.method == step.method
    ]


def _may_carry(step: Step, value: str) -> bool:
    """Tell whether a request has a value by which a wish may be told, or its content is not known."""
    if not step.view.sent_text:
        return True
    return value in step.view.sent_text or any(value in held for _, held in step.sent)


def _before(case: Case, step: Step) -> Step | None:
    """Return the last attempt with the same content that got no answer, None where there is none."""
    for one in reversed(case.steps[max(0, step.order - _NEAR) : step.order]):
        same = one.actor == step.actor and one.method == step.method and one.resource == step.resource
        if same and one.unanswered and same_content(one.body, step.body):
            return one
    return None


def _pair(
    case: Case, step: Step, first: Step | None, records: Sequence[Record], values: Sequence[str]
) -> str | None:
    """Return the value of a request that two listed things have, each made while it was under way."""
    attempts = [step] if first is None else [first, step]
    parts = {value for name, value in leaves_of(step.view.sent_text) if _in_list(name)}
    for value in [one for one in _values(step) if one in values]:
        alike = [one for one in records if value in one.values()]
        if len(alike) != _TWICE or set(alike[0]) != set(alike[1]) or parts & set(alike[0].values()):
            continue
        times = [_created(one) for one in alike]
        within = all(one is not None and _under_way(attempts, one) for one in times)
        mark = Mark(value, "", sure=True)
        if within and _one_apart(alike) and only_there(mark, step, case.steps, attempts):
            return value
    for value in [one for one in _called_by(step) if one in values]:
        alike = [one for one in records if value in one.values()]
        mark = Mark(value, "", sure=True)
        if (
            len(alike) == _TWICE
            and _one_again(step, attempts, alike)
            and only_there(mark, step, case.steps, attempts)
        ):
            return value
    return None


def _called_by(step: Step) -> tuple[str, ...]:
    """Return what the fields of a request call it by: its own id, which each of its attempts bears."""
    sent = {value.strip().strip('"') for _, value in step.sent}
    return tuple(mark.value for mark in marks_of(step) if mark.sure and mark.value in sent)


def _one_again(step: Step, attempts: Sequence[Step], records: Sequence[Record]) -> bool:
    """Tell whether two entries of one request say the same but for their number, time and attempt.

    One request may well make several entries, of several things; two of one thing hold both what it carried.
    """
    one, two = records
    if set(one) != set(two):
        return False
    differ = [name for name in one if one[name] != two[name] and not _of_attempts(name)]
    tried = any(one[name] != two[name] for name in one if _of_attempts(name))
    moments = {name: (_clocked(step, one[name]), _clocked(step, two[name])) for name in differ}
    times = [moment for pair in moments.values() for moment in pair if moment is not None]
    named = [(one[name], two[name]) for name in differ if None in moments[name]]
    carried = {value for name, value in leaves_of(step.view.sent_text) if not _in_list(name)}
    # What one request makes of several stands there at once; a proxy has to have given up in between.
    apart = bool(times) and max(times) - min(times) >= _BESIDE
    told = tried or apart or attempts_told(step) > 1
    same = bool(carried & {value for name, value in one.items() if name not in differ})
    within = all(_under_way(attempts, moment) for moment in times)
    wanted_two = str(_TWICE) in carried
    return told and same and within and not wanted_two and len(named) == 1 and _next(*named[0])


def _of_attempts(name: str) -> bool:
    """Tell whether a member says which attempt of a request an entry is of: `lbAttempt`, `retry_no`."""
    word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.rpartition("/")[2])
    return _ATTEMPT.fullmatch(word) is not None or _RETRY.fullmatch(word) is not None


def _next(one: str, two: str) -> bool:
    """Tell whether one entry's number, or what is made of it, is the other's neighbour or of its form."""
    if one.isdigit() and two.isdigit():
        return 0 < abs(int(one) - int(two)) <= _NEIGHBOURS
    return all(any(map(str.isdigit, each)) for each in (one, two)) and len(one) == len(two)


def _clocked(step: Step, value: str) -> float | None:
    """Return the moment of a value, which may be a time of the day of a request."""
    found = _CLOCK.fullmatch(value)
    if found is None:
        return told_moment(value) if len(value) > _SHORT else None
    day = datetime.fromtimestamp(step.start, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day.timestamp() + int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])


def _under_way(attempts: Sequence[Step], moment: float) -> bool:
    return any(one.start - _BESIDE <= moment <= one.end + _BESIDE for one in attempts)


def _one_apart(records: Sequence[Record]) -> bool:
    """Tell whether two things differ in what they are called and when they were made, and in nothing else."""
    one, two = records
    differ = [name for name in one if one[name] != two[name]]
    times = [name for name in differ if told_moment(one[name]) is not None]
    names = [name for name in differ if name not in times]
    # Words that differ make them two kinds of things: what became of one.
    called = all(any(map(str.isdigit, one[name])) and any(map(str.isdigit, two[name])) for name in names)
    return bool(names) and called and len(differ) < len(one)


def _created(record: Record) -> float | None:
    """Return when a listed thing was made: the first of its times."""
    moments = [
        moment
        for value in record.values()
        if (moment := told_moment(value)) is not None and len(value) > _SHORT
    ]
    return min(moments) if moments else None


def _values(step: Step) -> Iterator[str]:
    """Yield the values of a request by which its result may be told; not those of a list in it."""
    for name, value in leaves_of(step.view.sent_text):
        telling = _CALLED.fullmatch(value) is not None
        if telling and not _in_list(name) and told_moment(value) is None:
            yield value


def _in_list(name: str) -> bool:
    return any(part.isdigit() for part in name.split("/")[1:])


def attempts_told(step: Step) -> int:
    """Return the number of attempts that an answer tells of, as proxies count them; 1 where it tells none.

    Args:
        step: a request with its answer.
    """
    asked = {name.lower() for name, _ in step.sent}
    for name, value in step.received or ():
        count = value.strip()
        tried = _tried(step, name, count) if "," in count and name.lower() not in asked else 1
        if tried > 1:
            return tried
        if name.lower() in asked or not count.isdigit() or len(count) > 1:
            continue
        if _RETRY.fullmatch(name) is not None:
            return int(count) + 1
        if _ATTEMPT.fullmatch(name) is not None:
            return int(count)
    return 1


def _tried(step: Step, name: str, value: str) -> int:
    """Return how many machines a proxy lists that it asked in turn: `504, 412`, `10.0.0.4:80, 10.0.0.5:80`.

    Of codes the last one is that of the answer, and the one before it none of an answer that is passed on; of
    machines and of times the name of the field says that they are those of what is asked.
    """
    parts = [one.strip() for one in re.split(r",| : ", value)]
    if not _TWICE <= len(parts) <= _MOST_TRIED:
        return 1
    if all(_CODE.fullmatch(one) for one in parts):
        told = parts[-1] == str(step.status) and all(one in _NO_ANSWER for one in parts[:-1])
        return len(parts) if told else 1
    if _ASKED.search(name) is None:
        return 1
    if all(_MACHINE.fullmatch(one) for one in parts) or (
        all(_TOOK.fullmatch(one) for one in parts) and any("." in one for one in parts)
    ):
        return len(parts)
    return 1
