"""Tell requests that ask for a lock or a lease, and what became of them."""

from __future__ import annotations

import itertools
import re
import statistics
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from ifmatch.diagnosis.conditions import Guard
from ifmatch.diagnosis.contents import same_content
from ifmatch.diagnosis.rules.expected_control_flow import LOCK_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts import Facts
    from ifmatch.diagnosis.steps import Step

# What a call that takes a lock is named by: the last part of its path, or a parameter that names an action.
_TAKES = re.compile(
    r"(?:try[_-]?)?(?:locks?|acquire(?:[_-]?(?:lock|lease))?|leases?|check[_-]?out|reserve|claim)",
    re.IGNORECASE,
)
_GIVES_BACK = re.compile(
    r"un[_-]?lock|(?:force[_-]?)?(?:release|break|revoke|steal)(?:[_-]?(?:lock|lease))?|check[_-]?in|force[_-]?unlock",
    re.IGNORECASE,
)
_LISTED = frozenset({"locks", "leases"})
_BY_FORCE = re.compile(r"break|force|steal|revoke", re.IGNORECASE)
_ACTIONS = frozenset({"action", "_action", "op", "operation", "method", "cmd", "command", "comp"})
_LEASE_ACTION = re.compile(r"x-[\w-]*lease-action", re.IGNORECASE)
_WRITTEN = frozenset({"PUT", "POST"})
_HELD = frozenset({409, 412, 423})
# As many tries at even intervals are somebody's who waits for a turn; seconds between them.
_ROUNDS = 3
_EVEN = 0.35
_PATIENT = 0.8


def _action(step: Step) -> str:
    """Return the word for what a call does with a lock, "" when it names none."""
    for name, value in step.sent:
        if _LEASE_ACTION.fullmatch(name):
            return value.strip()
    parts = urlsplit(step.exchange.request.url)
    for name, value in parse_qsl(parts.query):
        if name.lower() in _ACTIONS and (_TAKES.fullmatch(value) or _GIVES_BACK.fullmatch(value)):
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
    path = step.resource.partition("?")[0].rstrip("/")
    above, _, last = path.rpartition(":" if ":" in path.rpartition("/")[2] else "/")
    return above if _TAKES.fullmatch(last) or _GIVES_BACK.fullmatch(last) else path


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
        elif one.accepted and (
            one.method in {"UNLOCK", "DELETE"} or _GIVES_BACK.fullmatch(_action(one)) is not None
        ):
            held = False
    return held


def _tries(steps: list[Step], facts: Facts) -> Iterator[Step]:
    for one in steps:
        if one.method == facts.step.method and asks(one):
            yield one


def why_awaited(facts: Facts) -> str | None:
    """Return why the refusal of a lock needs no action: who asked for it waited for its turn.

    Args:
        facts: of the refused request.
    """
    step = facts.step
    if step.status not in _HELD or not asks(step):
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
        if not asks(one) and one.order > step.order and (got is None or one.order < got.order)
    ]
    if changed or any(one.status in _HELD and not asks(one) for one in mine):
        return None
    if got is not None:
        return "another held the lock: it was asked for again until it was free, as locks are meant to be"
    gaps = [two.start - one.start for one, two in itertools.pairwise(tries)]
    named = LOCK_PATH.search(_place(step).partition("://")[2]) is not None
    if not named or not step.timed or len(tries) < _ROUNDS or min(gaps) < _PATIENT:
        return None
    if statistics.pstdev(gaps) > _EVEN * statistics.mean(gaps):
        return None
    return f"an election: {len(tries)} tries at even intervals for what is named like a lock or a leader"
