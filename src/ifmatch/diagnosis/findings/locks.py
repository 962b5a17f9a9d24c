"""Tell requests that ask for a lock or a lease, and what became of them."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.rules.expected_control_flow import LOCK_PATH
from ifmatch.diagnosis.steps.resources import bare, parent_of
from ifmatch.dialects import Meaning
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# What a call that takes a lock is named by: the last part of its path, or a parameter that names an action.
_TAKES = Words(r"(?:try[_-]?)?(?:locks?|acquire(?:[_-]?(?:lock|lease))?|leases?|check[_-]?out|reserve|claim)")
_GIVES_BACK = Words(
    r"un[_-]?lock|(?:force[_-]?)?(?:release|break|revoke|steal)(?:[_-]?(?:lock|lease))?|check[_-]?in|force[_-]?unlock"
)
_RENEWS = Words(r"(?:renew|prolong|extend|refresh)(?:[_-]?(?:lock|lease))?|keep[_-]?alive|heart[_-]?beat")
_LISTED = frozenset({"locks", "leases"})
_BY_FORCE = Words(r"break|force|steal|revoke")
_ACTIONS = frozenset({"action", "_action", "op", "operation", "method", "cmd", "command", "comp"})
# Parameters that are the name of the call themselves.
_CALLS = frozenset({"acquire", "release"})
_LEASE_ACTION = late_pattern(r"x-[\w-]*lease-action", re.IGNORECASE)
_WRITTEN = frozenset({"PUT", "POST"})
_HELD = frozenset({409, 412, 423})
_LOST = frozenset({404, 409, 410, 412, 423})
# As many tries at even intervals are somebody's who waits for a turn; seconds between them.
_ROUNDS = 3
_EVEN = 0.35
_PATIENT = 0.8


def _named_call(word: str) -> bool:
    """Tell whether a word is what a call is named by that takes, keeps or gives back a lock."""
    return any(pattern.fullmatch(word) is not None for pattern in (_TAKES, _GIVES_BACK, _RENEWS))


def _action(step: Step) -> str:
    """Return the word for what a call does with a lock, "" when it names none."""
    for name, value in step.sent:
        if _LEASE_ACTION.fullmatch(name):
            return value.strip()
    parts = urlsplit(step.exchange.request.url)
    for name, value in parse_qsl(parts.query):
        if name.lower() in _CALLS:
            return name
        if name.lower() in _ACTIONS and _named_call(value):
            return value
    return re.split(r"[/:]", parts.path.rstrip("/"))[-1]


def asks(step: Step) -> bool:
    """Tell whether a request only asks for a lock or a lease, and changes nothing that is locked.

    Args:
        step: any step.

    Source: RFC 4918 section 9.10 (LOCK; with an `If` field and no content it prolongs one that is held).
    """
    if step.method == "LOCK":
        return step.condition(Guard.LOCK) is None
    return step.method in _WRITTEN and _TAKES.fullmatch(_action(step)) is not None


def _place(step: Step) -> str:
    """Return what a lock call is about, without the part that names the call."""
    path = bare(step.resource)
    above, _, last = path.rpartition(":" if ":" in path.rpartition("/")[2] else "/")
    return above if _named_call(last) else path


def _renews(step: Step) -> bool:
    """Tell whether a request only prolongs a lock that its sender has."""
    if step.method == "LOCK":
        return step.condition(Guard.LOCK) is not None and step.body is None
    return step.method in _WRITTEN and _RENEWS.fullmatch(_action(step)) is not None


def _only_locks(step: Step) -> bool:
    """Tell whether a request takes or prolongs a lock, and changes nothing that is locked."""
    return asks(step) or _renews(step)


def _holds_up(step: Step) -> bool:
    """Tell whether an answer says that another has the lock."""
    return step.status in _HELD or (step.refusal is not None and step.refusal.meaning is Meaning.LOCK)


def _of_this(facts: Facts) -> list[Step]:
    """Return the own requests that lock, unlock or change what the refused request asks to lock."""
    place = _place(facts.step)
    near = [one for one in facts.case.steps if one.resource.startswith(place) and one.is_write]
    mine = [one for one in facts.own(near) if _place(one) == place]
    if _action(facts.step).lower() in _LISTED:
        # A collection of locks: the content says of what.
        return [one for one in mine if not asks(one) or same_content(one.body, facts.step.body)]
    return mine


def _takes_from_another(step: Step) -> bool:
    """Tell whether a request ends a lock by force."""
    return _BY_FORCE.match(_action(step)) is not None


def _held(steps: list[Step], before: int) -> bool:
    """Tell whether the actor itself had the lock already, and had not given it back."""
    held = False
    for one in steps:
        if one.order >= before:
            break
        if one.accepted and asks(one):
            held = True
        elif (_renews(one) and not one.accepted) or (
            one.accepted
            and (one.method in {"UNLOCK", "DELETE"} or _GIVES_BACK.fullmatch(_action(one)) is not None)
        ):
            held = False
    return held


def _tries(steps: list[Step], facts: Facts) -> Iterator[Step]:
    for one in steps:
        if one.method == facts.step.method and asks(one):
            yield one


def _next_one(facts: Facts, mine: list[Step]) -> bool:
    """Tell whether the client, refused one of several of a kind, at once asked for the next and got one.

    Documents are no such kind: who may not lock one has not got what it wanted.
    """
    step = facts.step
    if step.method == "LOCK" or any(one.order > step.order for one in mine):
        return False
    above = parent_of(_place(step))
    for one in facts.own(facts.case.steps[step.order + 1 :]):
        if not one.is_write:
            continue
        if not asks(one) or _action(one) != _action(step) or parent_of(_place(one)) != above:
            return False
        if one.accepted:
            return True
    return False


def _taken_anew(facts: Facts) -> str | None:
    """Return why a lock that could not be prolonged needs no action: its holder asked for it anew.

    Whoever changed what is locked before it was granted again had not noticed.
    """
    step = facts.step
    if step.status not in _LOST or step.accepted:
        return None
    later = [one for one in _of_this(facts) if one.order > step.order]
    got = next((one for one in later if one.accepted and asks(one)), None)
    if got is None or any(not _only_locks(one) for one in later if one.order < got.order):
        return None
    return "the lock had run out before it was prolonged: its holder asked for it anew, and got it"


def _key_made_anew(facts: Facts) -> str | None:
    """Return why a key whose lifetime was not prolonged in time needs no action: its holder made it anew.

    The key is named like a lock, and made as one is: only where it is not there.
    """
    if LOCK_PATH.search(_place(facts.step).partition("://")[2]) is None:
        return None
    anew = next((one for one in facts.own(facts.later) if one.is_write), None)
    if anew is None or not anew.accepted or anew.guard is None or anew.guard.guard is not Guard.ABSENT:
        return None
    return "the lock had run out before it was prolonged: its holder made it anew, as nobody else had"


def why_awaited(facts: Facts) -> str | None:
    """Return why the refusal of a lock needs no action: who asked for it waited, took another, or asks anew.

    Args:
        facts: of the refused request.
    """
    step = facts.step
    if _renews(step):
        return _taken_anew(facts)
    if step.guard is not None and step.guard.guard is Guard.SAME:
        return _key_made_anew(facts)
    if not _holds_up(step) or not asks(step):
        return None
    mine = _of_this(facts)
    if _held(mine, step.order) or any(_takes_from_another(one) for one in mine):
        return None
    tries = list(_tries(mine, facts))
    got = next((one for one in tries if one.accepted and one.order > step.order), None)
    # Whoever goes on to change what is locked has not waited.
    changed = [
        one
        for one in mine
        if not _only_locks(one) and one.order > step.order and (got is None or one.order < got.order)
    ]
    if changed or any(one.status in _HELD and not _only_locks(one) for one in mine):
        return None
    if got is not None:
        return "another held the lock: it was asked for again until it was free, as locks are meant to be"
    if _next_one(facts, mine):
        return "another held it: the client took the next of its kind, and left this one alone"
    gaps = [two.start - one.start for one, two in itertools.pairwise(tries)]
    named = LOCK_PATH.search(_place(step).partition("://")[2]) is not None
    if not named or not step.timed or len(tries) < _ROUNDS or min(gaps) < _PATIENT:
        return None
    import statistics  # noqa: PLC0415 - few captures show a lease that is kept up

    if statistics.pstdev(gaps) > _EVEN * statistics.mean(gaps):
        return None
    return f"an election: {len(tries)} tries at even intervals for what is named like a lock or a leader"
