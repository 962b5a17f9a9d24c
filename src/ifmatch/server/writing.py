"""Perform a conditional write on a store from a handler, and raise the answer when it is not to be performed.

The gate lets a request through on a state that was read before its content came. This is the decisive
evaluation: on the snapshot whose version the store swaps.

Source: RFC 9110 section 13.2.1.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, cast

from ifmatch.server import loop
from ifmatch.server.answers import Current
from ifmatch.server.conditional import utc_now
from ifmatch.server.gate import answer_to_outcome, judge
from ifmatch.server.refusal import PreconditionRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ifmatch.server.answers import FieldPairs, RequestFacts
    from ifmatch.server.gate import Settings
    from ifmatch.server.loop import Applied, Change, Declined, Limits, Outcome
    from ifmatch.server.policy import Policy
    from ifmatch.server.stores.protocol import AsyncStore, Content, Deleted, Snapshot, Store

__all__ = ["applied", "write", "write_async"]

_LIMITS = loop.Limits()
_CONDITIONS = frozenset({"if-match", "if-none-match", "if-unmodified-since"})


def applied(
    outcome: Outcome,
    facts: RequestFacts,
    *,
    settings: Settings,
    clock: Callable[[], datetime] = utc_now,
) -> Applied:
    """Return what was applied, or raise the answer to what was not.

    Args:
        outcome: of `loop.apply` or `loop.apply_async`.
        facts: of the request.
        settings: of the service.
        clock: gives the time, aware.

    Raises:
        PreconditionRefusedError: with the answer: 412, 503, or what the application declined with.

    Source: RFC 9110 section 13.2.2.
    """
    answered = answer_to_outcome(outcome, facts, settings=settings, now=clock())
    if answered is None:
        return cast("Applied", outcome)
    answer, event = answered
    if event is not None:
        settings.emit(event)
    raise PreconditionRefusedError(answer)


def write(
    store: Store,
    key: str,
    facts: RequestFacts,
    change: Change,
    *,
    settings: Settings,
    policy: Policy | None = None,
    creates: bool | None = None,
    limits: Limits = _LIMITS,
) -> Applied:
    """Perform a conditional write: read, evaluate, change, swap; again when somebody was faster.

    Args:
        store: where the key lives.
        key: name of the resource.
        facts: of the request.
        change: gets the snapshot, returns what to store, DELETED or `Declined`; it may run several times.
        settings: of the service.
        policy: of the route; None takes it from the settings.
        creates: whether the method would make a missing resource; None: PUT only.
        limits: attempts, deadline and pauses.

    Raises:
        PreconditionRefusedError: with the answer: 412, 503, or what the change declined with.
        StoreUnavailableError: from the store.

    Source: RFC 9110 section 13.2.1.
    """
    outcome = loop.apply(
        store,
        key,
        facts.method,
        _honoured(facts, settings, policy),
        _demanding(change, facts, settings, policy, creates=creates),
        clock=time.monotonic,
        random=random.random,
        sleep=time.sleep,
        creates=creates,
        limits=limits,
    )
    return applied(outcome, facts, settings=settings)


async def write_async(
    store: AsyncStore,
    key: str,
    facts: RequestFacts,
    change: Change,
    *,
    settings: Settings,
    policy: Policy | None = None,
    creates: bool | None = None,
    limits: Limits = _LIMITS,
) -> Applied:
    """Perform a conditional write on a store of an event loop; arguments as `write`.

    Raises:
        PreconditionRefusedError: with the answer: 412, 503, or what the change declined with.
        StoreUnavailableError: from the store.

    Source: RFC 9110 section 13.2.1.
    """
    outcome = await loop.apply_async(
        store,
        key,
        facts.method,
        _honoured(facts, settings, policy),
        _demanding(change, facts, settings, policy, creates=creates),
        clock=time.monotonic,
        random=random.random,
        sleep=asyncio.sleep,
        creates=creates,
        limits=limits,
    )
    return applied(outcome, facts, settings=settings)


def _honoured(facts: RequestFacts, settings: Settings, policy: Policy | None) -> FieldPairs:
    """Return the fields that count: none at a stage that refuses nothing."""
    policy = policy if policy is not None else settings.policies.select(facts)
    return facts.fields if policy.refuses else ()


def _demanding(
    change: Change, facts: RequestFacts, settings: Settings, policy: Policy | None, *, creates: bool | None
) -> Change:
    """Return the change, with the policy asked about every state that it is made on.

    A creation that the gate let through without a condition may meet a resource that was made meanwhile.
    """
    if any(name.lower() in _CONDITIONS for name, _ in facts.fields):
        return change

    def demanded(snapshot: Snapshot | None) -> Content | Deleted | Declined:
        current = None if snapshot is None else Current.of(snapshot)
        judgement = judge(facts, current, settings=settings, policy=policy, creates=creates, now=utc_now())
        if judgement.answer is None:
            return change(snapshot)
        if judgement.event is not None:
            settings.emit(judgement.event)
        raise PreconditionRefusedError(judgement.answer)

    return demanded
