"""Detect `replica-lag`: the read that supplied the token was served by a replica behind the writer."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.listed_tokens import kept_by_itself
from ifmatch.diagnosis.facts.looks_behind import told_behind
from ifmatch.diagnosis.facts.undone_reasons import left_in_success
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.cache_marks import asks_past
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reads.glimpses import caught_up_after, glances
from ifmatch.diagnosis.reads.loose_reads import asks_loosely, reached_less
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "replica-lag"
_LONG = 120.0
_UNMODIFIED = 304


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from an older tag after an own write, without a cache in sight, that converges later."""
    if facts.refused and facts.listed_again is not None:
        before, listing = facts.listed_again
        if kept_by_itself(facts, listing) or facts.from_cache(listing):
            return
        text = f"a write had returned {before.etag}, and a listing read after it still showed the refused one"
        yield note(text, 6.0, listing)
        return
    if facts.damage is not None and (facts.damage.behind is not None or facts.step.status == _UNMODIFIED):
        yield from _not_there_yet(facts)
        return
    yield from left_in_success(facts, CAUSE)
    if facts.refused and facts.replaced_before_read is None and facts.look_behind is not None:
        yield from (note(*told) for told in told_behind(facts.look_behind, CAUSE))
        return
    yield from _behind(facts)
    yield from _listed_behind(facts)
    source, write = facts.source, facts.replaced_before_read
    if not facts.refused or facts.guard is None or source is None or write is None:
        return
    if facts.from_cache(source):
        yield note("the read was answered by a cache", -3.0, source, "Age")
    gave = f"{write.etag} had been returned by a write" if write.etag is not None else "a write was accepted"
    yield note(f"{gave}, then a read gave the older token again", 3.5, source, "ETag")
    if facts.lacks(source, write):
        yield note("that read lacks what had been written before", 1.5, source)
    cacheable = "max-age" in (source.header("cache-control") or "").lower() or source.cache_marked
    if not cacheable:
        yield note("nothing in the answer speaks of a cache", 1.5, source, "Cache-Control")
    else:
        yield note("the answer may be kept by caches", -1.5, source, "Cache-Control")
    nodes = {step.machine for step in (source, write) if step.machine}
    # Behind a proxy every origin has a name of its own.
    beside = source.vantage is write.vantage
    hosts = {host_of(step.exchange.request.url) for step in (source, write)} if beside else ()
    if len(nodes) == 2 or len(hosts) == 2:
        what = "nodes" if len(nodes) == 2 else "hosts"
        yield note(f"reads and writes went to different {what}", 5.0, source)
    later = [step for step in facts.own_reads_after if step.read_ok and not facts.names(step)]
    if later and (write.etag is None or tokens.base(later[0].etag or "") == tokens.base(write.etag)):
        yield note("a later read shows the written version: reads converge", 2.0, later[0], "ETag")
    elif (
        later and later[0].etag is not None and not any(facts.names(one) for one in facts.known_before(write))
    ):
        text = (
            "the token was not known before the write, and a later read shows a third one: others write too"
        )
        yield note(text, -3.0, later[0], "ETag")
    if source.timed and source.start - write.end > _LONG:
        yield note("the write was long ago: replicas catch up sooner", -1.5, write)


def _not_there_yet(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from answers to reads that lack what was there, in whole or by a 304."""
    if facts.damage is not None and facts.damage.behind is not None:
        yield from _done_again(facts, facts.damage.behind)
    elif facts.damage is not None and facts.damage.outcome is Outcome.WRONG_NOT_MODIFIED:
        yield from _not_modified_yet(facts)


def _done_again(facts: Facts, look: Step) -> Iterator[Evidence]:
    """Yield evidence from a look, without a cache in sight, that did not show yet what was done."""
    first = facts.damage.first if facts.damage is not None else None
    if first is None or facts.from_cache(look) or look.start - first.end > _LONG:
        return
    text = "a write was accepted, and the look after it showed what had been there before"
    yield note(text, 4.0, look)
    if look.lifetime or look.cache_told:
        yield note("that answer may be a cache's", -1.5, look, "Cache-Control")
    else:
        yield note("nothing in that answer speaks of a cache", 1.5, look, "Cache-Control")
    reached = reached_less(first, look)
    if reached is not None:
        name, made, shown = reached
        yield note(f"{name} says that who answered had come to {shown}, the write to {made}", 3.0, look, name)
    if asks_loosely(look):
        yield note("the read had asked for whatever a replica has", 1.0, look)
    if look.machine and first.machine and look.machine != first.machine:
        yield note(f"{first.machine} took the write, {look.machine} answered the read", 2.0, look)
    lost = facts.damage.lost if facts.damage is not None else None
    if lost is not None and glances(lost):
        yield note(f"{lost.method}, which shows the version alone, shows another one", 1.0, lost)
    if lost is not None and look.machine and lost.machine == look.machine:
        yield note(f"{look.machine} shows it later: it caught up", 1.0, lost)


def _not_modified_yet(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a 304 to a replaced tag, without a cache in sight, whose question got 200 later."""
    step = facts.step
    caught_up = caught_up_after(facts.history, step)
    if caught_up is None or facts.from_cache(step) or facts.may_be_kept or step.cache_told:
        return
    yield note("the same question got the newer version later: who answers it caught up", 4.5, caught_up)
    write = next((one for one in reversed(facts.own(facts.earlier)) if one.changes), None)
    if write is not None and step.machine and write.machine and step.machine != write.machine:
        yield note(f"{write.machine} took the write, {step.machine} answered the read", 2.0, step)
    seen = facts.damage.lost if facts.damage is not None else None
    if seen is not None and glances(seen) and seen.order < step.order:
        yield note(f"{seen.method} had shown the newer version before", 1.0, seen)


def _listed_behind(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a listing that still gives the refused version, and one that catches up."""
    token = tokens.opaque(facts.token or "").partition(",")[0]
    if not facts.refused or facts.source is not None or not facts.listings:
        return
    after = [one for one in facts.listings if one.step.order > facts.step.order]
    again = [one for one in after if one.version == token]
    caught_up = [one for one in after if one.version != token]
    if not again or not caught_up or again[-1].step.order > caught_up[0].step.order:
        return
    marked = (one.step.cache_marked or one.step.lifetime for one in (*again, *caught_up))
    if any(marked) or again[-1].step.resource != caught_up[0].step.resource:
        return
    yield note("after the refusal a listing still gave the refused version", 3.0, again[-1].step)
    yield note("a later one shows another version: what is listed runs behind", 3.0, caught_up[0].step)


def _behind(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a read that still gives the refused token, and one that catches up."""
    source = facts.source
    if not facts.refused or facts.token is None or source is None or facts.replaced_before_read is not None:
        return
    reads = [
        one
        for one in facts.own_reads_after
        if one.status == HTTPStatus.OK and one.etag is not None and one.variant == source.variant
    ]
    again = [one for one in reads if facts.names(one)]
    caught_up = [one for one in reads if not facts.names(one)]
    if not again or not caught_up or again[-1].order > caught_up[0].order:
        return
    if caught_up[0].exchange.request.url != again[-1].exchange.request.url:
        # Another query leads past caches: that read tells of a cache, not of a replica.
        return
    if len({one.etag for one in caught_up}) > 1 or any(facts.from_cache(one) for one in (source, *again)):
        return
    cacheable = "max-age" in (source.header("cache-control") or "").lower() or source.cache_marked
    if cacheable and asks_past(caught_up[0].sent):
        # It asked past the caches that may keep the answer, and got another one: as above.
        return
    old, new = again[-1].representation, caught_up[0].representation
    if old is None or new is None or same_content(old, new):
        return
    yield note("after the refusal a read still gave the refused token", 3.0, again[-1], "ETag")
    yield note("a later read shows another version, which stays: reads ran behind", 2.0, caught_up[0], "ETag")
    if not cacheable:
        yield note("nothing in the answer speaks of a cache", 1.5, source, "Cache-Control")
