"""Find tickets: what a service gives out for a while, and requests carry in a place of its own.

Edit tickets, change permits, checkout keys and the like stand beside the precondition; credentials are none.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from ifmatch.diagnosis.links.lifetimes import lasts
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.diagnosis.steps.resources import host_of, path_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

TICKET = Words(
    r"ticket|permit|grant|lease|lock|claim|check_?-?out|reservation|voucher|\bhold\b|\bslip\b|window"
    r"|(?:edit|update|change|write|upload|draft|work)[_-]?(?:token|id|key|session|pass)"
)
# Who asks, what is counted, and what the exchange itself is about.
_NO_TICKET = Words(
    r"^(?:authorization|cookie|host|origin|referer|user-agent|content-|accept|if-|etag|date|range|via|prefer"
    r"|connection|cache-control|pragma|te$|upgrade|sec-|x-forwarded|forwarded|x-real)"
    r"|api-?key|auth|csrf|xsrf|session-?(?:id|token)|credential|signature|jwt|bearer|password|secret"
    r"|request-?id|trace|correlation|idempotency|version|revision|e-?tag|lock-?version|transaction"
)
# Shorter values are met by chance.
_TELLING = 4
_UNLIKELY = 8
# So many steps later nobody tries the same again.
_SOON = 60
_LONGEST = 20_000
LAPSED = Words(
    r"\blapsed?\b|_lapsed|expire[ds]?\b|expiry|no longer (?:valid|active|good|accepted|open|in force)"
    r"|timed? ?out|too old|has (?:ended|run out)|ran out|outlived|overdue|past its|not valid any ?more"
)
_DURATION = Words(
    r"(?:ttl|valid(?:[_-]?for)?|(?:expires|valid|good)[_-]?(?:in|for)|lifetime|duration|lasts|seconds|timeout"
    r"|validity)(?P<name>[\w-]*)[\"'=:>\s]{1,4}P?T?(?P<value>\d+(?:\.\d+)?)\s?"
    r"(?P<unit>ms|[smhdw](?![a-z])|sec|min|hour|day)?"
)
_UNTIL = Words(
    r"(?:expires?(?:[_-]?(?:at|on))?|valid[_-]?(?:until|to|thru)|until|good[_-]?until|ends?(?:[_-]?at)?)"
    r"[\"'=:>\s]{1,4}(?P<value>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)|1[5-9]\d{8}(?:\d{3})?)"
)
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_UNITS = {
    "ms": 0.001,
    "mil": 0.001,
    "m": _MINUTE,
    "min": _MINUTE,
    "h": _HOUR,
    "hou": _HOUR,
    "d": _DAY,
    "day": _DAY,
    "w": 7 * _DAY,
}
_WORDS = late_pattern(r"[A-Z]?[a-z]+|[A-Z]{2,}")
_UNITS_NAMED = late_pattern(r"(?:_|-|^|(?<=[a-z]))(ms|mil|min|hou|day)", re.IGNORECASE)
_NO_LIFETIME = late_pattern(r"(?:expires|keep-alive|cache-control|age)\b", re.IGNORECASE)
_MILLISECONDS = 10**12


class Ticket(Frozen, frozen=True):
    """A value that a request carries beside its precondition, and the answer that gave it out.

    Attributes:
        name: of the field, parameter or member.
        value: as sent.
        grant: the answer of the same service that gave it to the same actor.
    """

    name: str
    value: str
    grant: Step


def _members(step: Step) -> dict[str, str]:
    """Return the texts in a request's object that may be tickets, by name."""
    body = step.view.sent_json
    if not isinstance(body, dict):
        return {}
    members = cast("dict[str, object]", body)
    return {
        name: value
        for name, value in members.items()
        if isinstance(value, str) and not _NO_TICKET.search(name)
    }


def carried(step: Step) -> dict[str, str]:
    """Return what a request carries in fields, parameters and members that may be tickets, by name.

    Args:
        step: the request.
    """
    found = {name: value.strip() for name, value in step.sent if not _NO_TICKET.search(name)}
    found |= {name: value for name, value in step.view.query.items() if TICKET.search(name)}
    found |= {name: value for name, value in _members(step).items() if TICKET.search(name)}
    return {name: value for name, value in found.items() if len(value) >= _TELLING}


def carried_anywhere(step: Step) -> dict[str, str]:
    """Return what a request carries in any place that may hold a ticket, whatever it is called there.

    Only what an answer gave out for a while, in words, is one: see `_given`.

    Args:
        step: the request.
    """
    found = {name: value for name, value in step.view.query.items() if not _NO_TICKET.search(name)}
    found |= _members(step)
    parts = path_of(step.resource.partition("?")[0]).split("/")
    found |= {f"part {number} of the path": part for number, part in enumerate(parts) if number}
    return {
        name: value
        for name, value in found.items()
        if len(value) >= _UNLIKELY and any(map(str.isdigit, value))
    }


def _granted(step: Step, value: str) -> bool:
    """Tell whether an answer to other than a read gave out a value that the request had not carried."""
    return not step.is_read and not _asked_with(step, value)


def _asked_with(step: Step, value: str) -> bool:
    """Tell whether a request carries a value: what it is answered with is not given out then."""
    return value in f"{step.resource} {step.body.text if step.body is not None else ''}"


def _for_a_while(step: Step, value: str) -> bool:
    """Tell whether an answer to a request that is no read gave a value out together with its lifetime."""
    text = step.content.text[:_LONGEST] if step.content is not None else ""
    return _granted(step, value) and (_DURATION.search(text) is not None or _UNTIL.search(text) is not None)


def lapsed(step: Step) -> bool:
    """Tell whether an answer says that a ticket, which the request carries under such a name, has lapsed.

    Args:
        step: a refused request.
    """
    if step.content is None or not LAPSED.search(step.content.text[:_LONGEST]):
        return False
    return any(TICKET.search(name) and not _NO_TICKET.search(name) for name in carried(step))


def outlived(facts: Facts) -> bool:
    """Tell whether a write was refused over a ticket past its time, whatever it is called.

    The answer says of that very ticket that it has lapsed, or it came later than it was granted for, or
    the same passed with another one.

    Args:
        facts: of a write that was not accepted.
    """
    known = tickets(facts)
    held = [one for one in known if not one.grant.is_read]
    if any(one.grant.is_read and late(one, facts.step) for one in known):
        # What a read gave out for a while may be the thing itself: it takes more than its time.
        return renewed(facts) is not None or LAPSED.search(facts.step.view.text) is not None
    if not held:
        return False
    if any(spoken_of(one, facts.step) for one in held) or renewed(facts) is not None:
        return True
    return any(late(one, facts.step) for one in held if _for_a_while(one.grant, one.value))


def late(ticket: Ticket, step: Step) -> bool:
    """Tell whether a request came after the time that its ticket was granted for.

    What stands in a path may be the thing itself, which lasts for a time too: there the answer has to say it.

    Args:
        ticket: that the request carried.
        step: the refused request.
    """
    in_path = ticket.value in path_of(step.resource.partition("?")[0]).split("/")
    if in_path and (step.content is None or not LAPSED.search(step.content.text)):
        return False
    told = ticket.grant.is_read and lasts(ticket.grant, ticket.value) is None
    times = None if told else overdue(ticket, step)
    return times is not None and times[1] > times[0]


def spoken_of(ticket: Ticket, step: Step) -> bool:
    """Tell whether an answer says of a ticket, by its value or by what it is called, that it has lapsed.

    Args:
        ticket: that the request carried.
        step: the refused request.
    """
    text = step.content.text[:_LONGEST] if step.content is not None else ""
    if not LAPSED.search(text):
        return False
    words = [word for word in _WORDS.findall(ticket.name) if len(word) >= _TELLING]
    return ticket.value in text or any(word.lower() in text.lower() for word in words)


def tickets(facts: Facts) -> tuple[Ticket, ...]:
    """Return the tickets of a refused request that an earlier answer had given to its actor.

    Args:
        facts: of the request.
    """
    step = facts.step
    given = [
        replace(one, grant=_last_giving(facts, step, one.grant, one.value))
        for one in _given(facts, step, carried(step))
    ]
    known = {one.value for one in given}
    return (*given, *(one for one in _ended(facts, step) if one.value not in known))


def _ended(facts: Facts, step: Step) -> Iterator[Ticket]:
    """Yield what an answer gave out until a moment that has passed by the time of a request, a read's too."""
    tags = {tokens.opaque(token) for condition in step.conditions for token in condition.tokens}
    gathered = facts.case.gathered(step.actor)
    for name, value in placed(step).items():
        gave = gathered.first_giving(value) if value not in tags else None
        if gave is None or gave.order >= step.order or _asked_with(gave, value) or lasts(gave, value) is None:
            continue
        ticket = Ticket(name, value, _last_giving(facts, step, gave, value))
        times = overdue(ticket, step)
        if times is not None and times[1] > times[0]:
            yield ticket


def placed(step: Step) -> dict[str, str]:
    """Return the values of a request that may be anything given out, by what they are called there.

    Args:
        step: the request.
    """
    found = {
        member.name: member.value
        for member in sent(step)
        if len(member.value) >= _TELLING
        and not _NO_TICKET.search(member.word)
        and told_moment(member.value) is None
    }
    parts = path_of(step.resource.partition("?")[0]).split("/")
    found |= {f"part {number} of the path": part for number, part in enumerate(parts) if number}
    return {name: value for name, value in found.items() if any(map(str.isdigit, value))}


def _last_giving(facts: Facts, step: Step, gave: Step, value: str) -> Step:
    """Return the last answer before a request that says how long a value holds from then on."""
    between = facts.own(facts.case.steps[gave.order : step.order])
    return next((one for one in reversed(between) if lasts(one, value) is not None), gave)


def _given(facts: Facts, step: Step, values: dict[str, str]) -> Iterator[Ticket]:
    tags = {tokens.opaque(token) for condition in step.conditions for token in condition.tokens}
    gathered = facts.case.gathered(step.actor)
    for name, value in values.items():
        if value in tags:
            continue
        # What the first request carries already was not given out by an answer.
        known, gave = gathered.first_carrying(value) or step, gathered.first_giving(value)
        if gave is not None and gave.order < min(known.order, step.order):
            yield Ticket(name, value, gave)
    for name, value in carried_anywhere(step).items():
        if value in tags or value in values.values():
            continue
        gave = gathered.first_giving(value)
        if gave is None or gave.order >= step.order:
            continue
        ticket = Ticket(name, value, gave)
        if _for_a_while(gave, value) or (_granted(gave, value) and spoken_of(ticket, step)):
            yield ticket


def in_fields(step: Step) -> Iterator[str]:
    """Yield the values that the fields of an answer give out, the name of what it made among them.

    Args:
        step: any step.
    """
    for _, held in step.received or ():
        yield held.strip()
    yield (step.header("location") or "").rstrip("/").rpartition("/")[2]


def renewed(facts: Facts) -> tuple[Ticket, Step] | None:
    """Return the ticket that a refused request carried, and the same request that passed with another one.

    All else was the same: the precondition and, as far as it is known, the content.

    Args:
        facts: of the refused request.
    """
    step = facts.step
    held = tickets(facts)
    later = facts.case.steps[step.order + 1 : step.order + _SOON] if held else ()
    for passed in facts.own(later):
        done = passed.accepted or (passed.read_ok and step.is_read)
        if not (done and passed.method == step.method and _one_place(step, passed, held)):
            continue
        values = placed(passed) | carried_anywhere(passed) | carried(passed)
        if not any(one.name in values for one in held):
            continue
        guards = {one.guard.value if one.guard is not None else "" for one in (step, passed)}
        if len(guards) > 1 or not _alike(step, passed):
            return None
        changed = [one for one in held if values.get(one.name, one.value) != one.value]
        fresh = {one.name for one in _given(facts, passed, values) if one.grant.order > step.order}
        gathered = facts.case.gathered(step.actor)
        for one in changed:
            gave = gathered.first_giving(values[one.name])
            if gave is not None and step.order < gave.order < passed.order:
                fresh.add(one.name)
        return next(((one, passed) for one in changed if one.name in fresh), None)
    return None


def _one_place(one: Step, two: Step, held: Sequence[Ticket]) -> bool:
    """Tell whether two requests have one target, apart from the tickets that stand in it."""
    if one.resource == two.resource:
        return True
    here, there = (path_of(step.resource.partition("?")[0]).split("/") for step in (one, two))
    values = {ticket.value for ticket in held}
    if not _same_query(one, two, held):
        return False
    same = len(here) == len(there) and all(
        left == right or left in values for left, right in zip(here, there, strict=True)
    )
    return same and host_of(one.resource) == host_of(two.resource)


def _same_query(one: Step, two: Step, held: Sequence[Ticket]) -> bool:
    """Tell whether two requests have one query, apart from the tickets in it."""
    names = {ticket.name.lower() for ticket in held}
    first, second = (
        {name: value for name, value in step.view.query.items() if name not in names} for step in (one, two)
    )
    return first == second


def _alike(one: Step, two: Step) -> bool:
    if one.body is None or two.body is None or same_content(one.body, two.body):
        return True
    texts_of = [{*carried(step).values(), *carried_anywhere(step).values()} for step in (one, two)]
    values = texts_of[0] ^ texts_of[1]
    texts = [body.text for body in (one.body, two.body)]
    for value in values:
        texts = [text.replace(value, "#") for text in texts]
    return texts[0] == texts[1]


def overdue(ticket: Ticket, step: Step) -> tuple[float, float] | None:
    """Return for how long a ticket was granted, and how long after the grant a request came, in seconds.

    Args:
        ticket: given out before.
        step: the request that carries it.

    Returns:
        None when the answer that granted it does not say, or the times are not known.
    """
    grant = ticket.grant
    if not (grant.timed and step.timed):
        return None
    elapsed = step.start - grant.end
    told = lasts(grant, ticket.value)
    if told is not None:
        return told, elapsed
    lines = [f"{name}: {value}" for name, value in grant.received or ()]
    text = "\n".join([grant.content.text[:_LONGEST] if grant.content is not None else "", *_own(lines)])
    until = _UNTIL.search(text)
    if until is not None and grant.exchange.started is not None:
        return _seconds_of(until["value"]) - grant.exchange.started, elapsed
    found = _DURATION.search(text)
    if found is None:
        return None
    named = _UNITS_NAMED.search(found["name"])
    unit = found["unit"] or (named[1] if named is not None else "s")
    return float(found["value"]) * _UNITS.get(unit.lower()[:3], 1.0), elapsed


def _own(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if not _NO_LIFETIME.match(line)]


def _seconds_of(text: str) -> float:
    if text.isdigit():
        number = float(text)
        return number / 1000 if number >= _MILLISECONDS else number
    return datetime.fromisoformat(text).timestamp()
