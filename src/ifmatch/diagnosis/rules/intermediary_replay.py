"""Detect `intermediary-replay`: a proxy sent one write twice and handed the client the second answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.commands_done import changed_as_told, changed_at, signed_as_own
from ifmatch.diagnosis.facts.same_by_chance import little, there_before
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.losses.doubled import attempts_told
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reading.dates import span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.links.damages import Damage
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "intermediary-replay"
_SLOW = 0.25
# Seconds for which a proxy waits at least, as a rule.
PATIENCE = 1.0
_PROXIES = ("envoy", "nginx", "haproxy")
# So little time between a read and a request leaves no room for another's write.
_JUST_BEFORE = 0.03
# How many times as long as usual is no chance.
_TIMES = 4


def read_just_before(facts: Facts) -> Step | None:
    """Return the read that gave the token when hardly any time lies between it and the request.

    Args:
        facts: of a refused request.
    """
    source, step = facts.source, facts.step
    if source is None or not (source.timed and step.timed) or source.source != step.source:
        return None
    same = source.is_read and not source.cache_hit and 0 <= step.start - source.end <= _JUST_BEFORE
    return source if same else None


def waited_before(facts: Facts) -> float | None:
    """Return how long a proxy had had a request that the origin saw but briefly, None when it passed it on.

    Other requests tell what is usual on this way. Another node may have got the request first: a log of
    answers does not show what was never answered.

    Args:
        facts: of a refused request.
    """
    step = facts.step
    if len(step.hops) != 1:
        return None
    usual = [
        spare
        for one in facts.case.steps
        if one is not step and one.source == step.source and (spare := _spare(one)) is not None
    ]
    mine = _spare(step)
    if mine is None or mine < _SLOW or mine < _TIMES * max(usual, default=mine):
        return None
    return mine


def _spare(step: Step) -> float | None:
    """Return how much longer a request took at the client than at the origin, in seconds."""
    took = step.exchange.duration
    if len(step.hops) != 1 or took is None or step.hops[0].duration is None:
        return None
    return took - step.hops[0].duration


def _stored_before(facts: Facts) -> bool:
    """Tell whether an own earlier write had carried the same and been accepted: that is what is stored."""
    done = (one for one in facts.own(facts.earlier) if one.accepted and one.replaces)
    return any(same_content(one.body, facts.step.body) for one in done)


def _weight(facts: Facts) -> float:
    """Return what it weighs that a refused content is there: another may have written the same before."""
    if facts.ours_by_chance or (not facts.step.hops and there_before(facts)):
        return 0.8
    if facts.step.hops or not little(facts):
        return 2.5
    return 2.1 if facts.step.end - facts.step.start >= _SLOW else 0.8


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from one refused write at the client that is two at the origin, or is stored."""
    step = facts.step
    if facts.damage is not None and facts.damage.twice and facts.damage.first is None:
        yield from _done_twice(facts, facts.damage)
    if not facts.refused or not step.is_write or facts.guard is None:
        return
    if len(step.hops) > 1:
        stored = [hop for hop in step.hops if 200 <= hop.status < 300]
        yield note(f"one request at the client, {len(step.hops)} at the origin", 3.0, step.hops[-1])
        lost = [hop for hop in step.hops[:-1] if hop.response is None]
        if lost and not stored and (facts.ours_is_there or facts.proof is not None):
            text = "the first of them got no answer, and what it carried is stored"
            yield note(text, 4.0, lost[0])
        if stored:
            yield note(
                f"the first of them was stored ({stored[0].status}); the client got the answer to the repeat",
                5.0,
                stored[0],
            )
        return
    proof = facts.proof
    if facts.unanswered_own is not None or not (facts.state_moved or proof is not None):
        return
    if facts.overlapping_own or facts.unordered_own or facts.foreign_writes or _stored_before(facts):
        return
    told = () if facts.ours_is_there else changed_as_told(facts)
    if proof is not None:
        yield note(proof.text, proof.weight, proof.step)
    elif told:
        text = f"all that changed ({', '.join(told[:3])}) is what this very request commands"
        yield note(text, 2.5, facts.refresh)
    elif facts.ours_is_there:
        text = "the resource holds what this very request carried, although it was refused"
        yield note(text, _weight(facts), facts.refresh)
    elif attempts_told(step) > 1 and facts.ours_is_there is None:
        yield note("the state has moved, and may hold what the first attempt carried", 0.5, facts.refresh)
    else:
        return
    yield from _on_the_way(facts)
    first = facts.stored_first
    if first is not None:
        yield note("the service's own account has one request stored first, and compared then", -4.0, first)


def _done_twice(facts: Facts, damage: Damage) -> Iterator[Evidence]:
    """Yield evidence from two things that one request at the client has made."""
    step = facts.step
    yield note(damage.text, 5.0, damage.lost or step)
    if len(step.hops) > 1:
        yield note(f"one request at the client, {len(step.hops)} at the origin", 3.0, step.hops[-1])
    elif step.hops and step.covered:
        yield note("the origin saw the request only once", -4.0, step.hops[0])
    yield from _counted(step)
    duration = step.end - step.start
    if duration >= PATIENCE:
        text = f"the request took {span(duration)}: long enough for a proxy to give up and try again"
        yield note(text, 1.0, step)


def _counted(step: Step) -> Iterator[Evidence]:
    """Yield evidence from an answer that says which attempt of a proxy it belongs to."""
    told = attempts_told(step)
    if told > 1:
        yield note(f"the answer belongs to attempt {told}, while the client had sent one", 3.0, step)


def _counted_there(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from the service's own count of the requests that the change took."""
    told = facts.counted
    if told is None:
        return
    if told.times == 1:
        yield note(f"the service counted one request for it ({told.name})", -4.0, told.step, told.name)
    else:
        text = (
            f"the service counted {told.times} requests for it ({told.name}), while the client had sent one"
        )
        yield note(text, 3.0, told.step, told.name)


def _on_the_way(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence that what is there was changed while the request was on its way."""
    step = facts.step
    modified = facts.refresh.last_modified if facts.refresh is not None else None
    modified = modified if modified is not None else changed_at(facts)
    yield from _counted(step)
    yield from _counted_there(facts)
    signed = signed_as_own(facts)
    if signed is not None:
        yield note("the version there is signed as another write of the client is", 2.0, signed)
    duration = step.end - step.start
    skew = facts.client_skew or 0.0
    if modified is not None and step.timed and step.start - skew - 1.5 <= modified <= step.end - skew + 1:
        # Whose state it is, is proven already: only where a proxy had the time, this says more.
        weight = 0.3 if facts.proof is not None and duration < PATIENCE and not step.hops else 1.0
        yield note("it was modified while this request was under way", weight, facts.refresh, "Last-Modified")
    if read_just_before(facts) is not None and duration >= _SLOW:
        text = "the client had read right before it: the change was made while this request was under way"
        yield note(text, 1.5, facts.source)
    proxied = step.cache_marked or (step.header("server") or "").lower().startswith(_PROXIES)
    if step.timed and duration >= _SLOW:
        # Proxies are patient; one that nothing shows, and gives up so soon, is less likely still.
        weight = 1.5 if proxied or duration >= PATIENCE or step.hops or not facts.proof else 0.3
        yield note(
            f"the request took {span(duration)}: long enough for a proxy to give up and try again",
            weight,
            step,
        )
    if proxied:
        yield note("a proxy answered", 0.3, step, "Server")
    waited = waited_before(facts)
    if waited is not None:
        text = (
            f"the origin got it only once, after {span(waited)} in which the proxy may have tried elsewhere"
        )
        yield note(text, 2.5, step.hops[0])
    elif step.covered and len(step.hops) == 1:
        yield note("the origin saw the request only once", -5.0, step.hops[0])
