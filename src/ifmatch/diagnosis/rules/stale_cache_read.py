"""Detect `stale-cache-read`: the read that supplied the token came from a cache."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.looks_behind import told_behind
from ifmatch.diagnosis.facts.two_paths import read_elsewhere
from ifmatch.diagnosis.facts.undone_reasons import left_in_success
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.cache_marks import asks_past
from ifmatch.diagnosis.reading.dates import span
from ifmatch.diagnosis.reads.glimpses import glances
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "stale-cache-read"
# Seconds that a client needs at least, and how many times as old a copy tells something.
_BLINK = 0.02
_OLDER = 3.0


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a token that a cache still gave out after it was replaced.

    Source: RFC 9111 section 4.2 (freshness) and section 4.4 (invalidation).
    """
    if facts.damage is not None and facts.damage.behind is not None:
        yield from _done_again(facts, facts.damage.behind)
        return
    if facts.damage is not None:
        yield from _wrong_not_modified(facts)
        return
    yield from left_in_success(facts, CAUSE)
    if not facts.refused:
        return
    if facts.replaced_before_read is None and facts.look_behind is not None:
        for text, weight, step in told_behind(facts.look_behind, CAUSE):
            yield note(text, weight, step)
        return
    source = facts.source
    if source is None:
        yield from _listed(facts)
    if source is None or not source.read_ok:
        return
    if read_elsewhere(facts) is not None:
        yield note("the origin never saw a read, and no answer looks like a cache's", 1.0, source)
        return
    if facts.from_cache(source):
        text = (
            "marks in the answer say that a cache gave out the token"
            if source.cache_hit
            else "the origin never saw the read that supplied the token"
        )
        yield note(text, 3.0 if source.cache_hit else 5.5, source, "Age" if source.cache_hit else "ETag")
        yield from _older(facts, source)
    fresh = source.lifetime
    replaced = facts.replaced_before_read
    if replaced is not None:
        weight = 3.5 if fresh or source.cache_marked else 1.0
        yield note("the token had been replaced before this read", weight, replaced)
        if fresh:
            yield note("the answer allows caches to keep it", 1.5, source, "Cache-Control")
    yield from _afterwards(facts, source)
    if facts.content_moved is False and replaced is None:
        yield note("the content has not changed: an older copy is not what was read", -4.0, facts.refresh)


def _done_again(facts: Facts, look: Step) -> Iterator[Evidence]:
    """Yield evidence from a look, out of a cache, that hid from a client what it had just done."""
    first = facts.damage.first if facts.damage is not None else None
    if first is None:
        return
    if facts.from_cache(look):
        yield note("a cache gave the look that did not show it", 4.5, look, "Age")
        if look.age > look.start - first.end:
            yield note(f"its copy was {look.age} s old: older than what had been done", 2.5, look, "Age")
    elif look.lifetime:
        yield note("the answer that did not show it may be kept by caches", 2.5, look, "Cache-Control")
    else:
        return
    lost = facts.damage.lost if facts.damage is not None else None
    if lost is not None and glances(lost):
        yield note(f"{lost.method}, which shows the version alone, shows another one", 1.0, lost)
    if lost is not None and asks_past(lost.sent):
        yield note("a read past the cache shows both", 2.0, lost, "Cache-Control")


def _older(facts: Facts, source: Step) -> Iterator[Evidence]:
    """Yield evidence from a copy that was old when it was read, and used at once.

    Nobody knows when the resource changed: the copy's age is as likely to hold the moment as the rest of
    the time until the write, second for second.
    """
    first = facts.first_issue or source
    if not (source.timed and facts.step.timed and facts.state_moved):
        return
    known = source.start - first.start if first.actor == source.actor and first.read_ok else 0.0
    age, waited = max(float(source.age), known), max(facts.step.start - source.start, _BLINK)
    if age > _OLDER * waited:
        text = f"the copy was {span(age)} old when it was read, the write came {span(waited)} later"
        yield note(text, min(math.log(age / waited), 2.5), source, "Age")


def _listed(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a listing out of a cache that gave the refused version of a thing."""
    token = tokens.opaque(facts.token or "").partition(",")[0]
    gave = [one for one in facts.listings if one.version == token and one.step.order < facts.step.order]
    if not gave or not (facts.from_cache(gave[-1].step) or gave[-1].step.lifetime):
        return
    listing = gave[-1].step
    if facts.from_cache(listing):
        text = "marks in the answer say that a cache gave out the listing with the version"
        yield note(text, 3.0, listing, "Age")
    if facts.listed_again is not None:
        write, again = facts.listed_again
        yield note("the version had been replaced before this listing was read", 3.5, write)
        if again.lifetime:
            yield note("the answer allows caches to keep it", 1.5, again, "Cache-Control")
    after = [one for one in facts.listings if one.step.order > facts.step.order]
    newer = next((one for one in after if one.version != token and not facts.from_cache(one.step)), None)
    same = newer is not None and newer.step.resource.partition("?")[0] == listing.resource.partition("?")[0]
    if newer is not None and same:
        text = f"the same listing past the cache shows {newer.version}"
        yield note(text, 4.0 if facts.from_cache(listing) else 2.0, newer.step)
    elif facts.from_cache(listing) and facts.step.told is not None and facts.listed_again is None:
        yield note(f"the refusal says that {facts.step.told} is current", 1.5, facts.step)


def _wrong_not_modified(facts: Facts) -> Iterator[Evidence]:
    damage, step = facts.damage, facts.step
    if damage is None or damage.outcome is not Outcome.WRONG_NOT_MODIFIED or damage.lost is None:
        return
    yield note(damage.text, 3.0, damage.lost, "ETag")
    if step.hops and step.hops[-1].status == 304:
        yield note("the origin itself gave the 304", -4.0, step.hops[-1])
    if facts.from_cache(step):
        yield note("a cache gave the 304", 3.0, step, "Age" if step.cache_hit else "ETag")
    if step.lifetime or any(one.lifetime for one in facts.own_reads_before):
        yield note("the answers allow caches to keep them", 2.0, step, "Cache-Control")


def _afterwards(facts: Facts, source: Step) -> Iterator[Evidence]:
    again = [step for step in facts.own_reads_after if facts.names(step)]
    marked = [step for step in again if facts.from_cache(step)]
    if marked:
        yield note("the refused token came back after the refusal, from a cache", 2.5, marked[0], "ETag")
        sent = [
            step
            for step in facts.own(facts.later)
            if step.order > marked[0].order
            and step.status == facts.step.status
            and facts.token is not None
            and step.presents(facts.token)
        ]
        if sent:
            yield note("the copy's token was sent again, and refused again", 3.5, sent[0])
    other = [step for step in facts.own_reads_after if step.status == 200 and not facts.names(step)]
    for step in other:
        asked = asks_past(step.sent)
        busted = step.exchange.request.url != source.exchange.request.url
        if again and again[0].order < step.order and (asked or busted):
            yield note(
                "a read past the cache shows another version, the plain one still the refused token",
                4.5,
                step,
                "ETag",
            )
            break
    modified = next((step.last_modified for step in other if step.last_modified is not None), None)
    date = source.date
    if modified is not None and facts.from_cache(source) and date is not None and modified <= source.start:
        yield note("the resource had been modified before the cached read", 1.0, other[0], "Last-Modified")
