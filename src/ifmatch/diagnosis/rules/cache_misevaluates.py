"""Detect `cache-misevaluates`: a shared cache evaluated or dropped a precondition itself."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.cache_marks import asks_past, says_fetched
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.steps.resources import host_of, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.links.damages import Damage
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "cache-misevaluates"
# A shorter tag is met by chance.
_TELLING = 8


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from an answer of a cache that the origin would not have given.

    Source: RFC 9111 section 4.3.2 (caches evaluate only If-None-Match and If-Modified-Since).
    """
    step = facts.step
    damage = facts.damage
    if damage is not None and damage.needless:
        yield from _never_told(facts)
        return
    if damage is not None and damage.by_cache:
        yield from _answered(facts, damage)
        return
    if step.status != 412 or not step.conditions:
        return
    if step.covered and not step.hops:
        # Caches answer reads; a write that is missing at the origin may have gone another way.
        weight = 1.5 if step.is_write else 6.0
        yield note("the origin never saw this request: something on the way refused it", weight, step)
    elif step.covered and all(hop.status != 412 for hop in step.hops):
        yield note(f"the origin answered {step.hops[-1].status}, the client got 412", 6.5, step.hops[-1])
    if step.hops and step.hops[-1].status == 412:
        return
    if step.cache_hit:
        yield note("the refusal carries a cache's marks", 4.5, step, "Age")
    if step.is_read and step.condition(Guard.SAME, Guard.EXISTS, Guard.SAME_DATE) is not None:
        past = _judged_past(facts)
        if past is not None and past.read_ok and asks_past(past.sent):
            yield note("the same condition holds where no cache may answer", 2.5, past)
        newest = facts.source
        if (
            newest is not None
            and newest.accepted
            and newest.actor == step.actor
            and not facts.writes_between(newest, step)
        ):
            yield note(
                (
                    "the token is the newest known, from the client's own write: what refused it had "
                    "an older copy"
                ),
                3.5,
                newest,
                "ETag",
            )
        if facts.html_answer and step.cache_marked:
            yield note("a cache's own page refuses a read", 1.5, step, "Via")
        elif facts.html_answer and _proxied(facts):
            yield note(
                "the refusal is the proxy's own page, and the proxy may keep answers", 3.0, step, "Server"
            )


def _answered(facts: Facts, damage: Damage) -> Iterator[Evidence]:
    """Yield evidence from a success that a cache gave against the condition."""
    step = facts.step
    yield note(damage.text, 5.5, step, "ETag")
    if step.cache_marked or step.cache_hit:
        yield note("the answer carries a cache's marks", 1.5, step, "Age")
    if step.covered and (not step.hops or all(hop.status != step.status for hop in step.hops)):
        yield note("the origin did not give this answer", 3.0, step)
    told = _judged_past(facts)
    if told is not None:
        yield note(f"the same condition got {told.status} where no cache answers", 2.0, told)
    bare = [hop for hop in step.hops for one in step.conditions if one.name not in hop.request.fields]
    if bare:
        yield note("the origin was asked without the condition", 3.0, bare[0])


def _judged_past(facts: Facts) -> Step | None:
    """Return a read under the same condition that no cache answered, with another status; None without."""
    step = facts.step
    sent = {(one.name, one.value) for one in step.conditions}
    return next(
        (
            one
            for one in facts.history
            if one.is_read
            and one.status != step.status
            and not facts.from_cache(one)
            and sent & {(each.name, each.value) for each in one.conditions}
        ),
        None,
    )


def _never_told(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a cache that drops If-None-Match on the way, and so never gets a 304 to pass on.

    Source: RFC 9111 section 4.3.2 (a request that cannot be answered from the store is forwarded as it is).
    """
    step = facts.step
    condition = step.condition(Guard.DIFFERENT, Guard.DIFFERENT_DATE)
    if condition is None or not step.cache_told:
        return
    bare = [
        hop for hop in step.hops if hop.request.fields.complete and condition.name not in hop.request.fields
    ]
    if bare:
        text = f"the origin was asked without {condition.name}, and its whole answer with that tag passed on"
        yield note(text, 6.5, bare[0], condition.name)
    elif not step.hops and (other := told_elsewhere(facts)) is not None:
        yield note(
            "the same tag gets its 304 where no cache of this kind answers", 5.5, other, condition.name
        )
    elif fetched_throughout(facts):
        # Caches often leave the condition out of what they fetch; an origin may not heed it as well.
        weight = 3.5 if condition.guard is Guard.DIFFERENT else 2.5
        text = "a cache fetched each of these answers itself: it may have asked without the condition"
        yield note(text, weight, step, condition.name)


def fetched_throughout(facts: Facts) -> bool:
    """Tell whether a cache says of each needless answer that it fetched it, and nothing shows what it asked.

    Args:
        facts: of reads that were answered whole although they named the current version.
    """
    damage = facts.damage
    if damage is None or not damage.needless or facts.step.covered:
        return False
    return all(one.received is not None and says_fetched(one.received) for one in damage.needless[1:])


def told_elsewhere(facts: Facts) -> Step | None:
    """Return a 304 for the tag of the step, under another path or past the cache; None without one.

    Args:
        facts: of a read that was answered whole although it named the current tag.
    """
    tag = facts.step.etag
    if tag is None or len(tokens.opaque(tag)) < _TELLING:
        return None
    name = path_of(facts.step.resource).partition("?")[0].rpartition("/")[2]
    for one in facts.case.givers(tokens.opaque(tag)):
        there = path_of(one.resource).partition("?")[0].rpartition("/")[2]
        elsewhere = one.resource != facts.step.resource or _host(one) != _host(facts.step)
        if one.status == HTTPStatus.NOT_MODIFIED and there == name and elsewhere:
            return one
    return None


def _host(step: Step) -> str:
    return host_of(step.exchange.request.url)


def _proxied(facts: Facts) -> bool:
    """Tell whether earlier answers of the same host may be kept by caches, though this one shows no mark."""
    reads = [one for one in facts.own(facts.earlier) if one.read_ok]
    cacheable = any("max-age=" in (one.header("cache-control") or "") for one in reads)
    typed = {(one.header("content-type") or "").partition(";")[0] for one in reads}
    return cacheable and bool(typed) and "text/html" not in typed
