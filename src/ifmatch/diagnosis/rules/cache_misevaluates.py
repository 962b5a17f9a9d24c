"""Detect `cache-misevaluates`: a shared cache evaluated or dropped a precondition itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.conditions import Guard
from ifmatch.diagnosis.evidence import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "cache-misevaluates"


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from an answer of a cache that the origin would not have given.

    Source: RFC 9111 section 4.3.2 (caches evaluate only If-None-Match and If-Modified-Since).
    """
    step = facts.step
    damage = facts.damage
    if damage is not None and damage.by_cache:
        yield note(damage.text, 5.5, step, "ETag")
        if step.cache_marked or step.cache_hit:
            yield note("the answer carries a cache's marks", 1.5, step, "Age")
        if step.covered and (not step.hops or all(hop.status != step.status for hop in step.hops)):
            yield note("the origin did not give this answer", 3.0, step)
        bare = [hop for hop in step.hops for one in step.conditions if one.name not in hop.request.fields]
        if bare:
            yield note("the origin was asked without the condition", 3.0, bare[0])
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


def _proxied(facts: Facts) -> bool:
    """Tell whether earlier answers of the same host may be kept by caches, though this one shows no mark."""
    reads = [one for one in facts.own(facts.earlier) if one.read_ok]
    cacheable = any("max-age=" in (one.header("cache-control") or "") for one in reads)
    typed = {(one.header("content-type") or "").partition(";")[0] for one in reads}
    return cacheable and bool(typed) and "text/html" not in typed
