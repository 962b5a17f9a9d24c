"""Make steps of what a multi-status answer tells of single resources, so that each is known by its own tag.

A listing of a collection (PROPFIND, REPORT, SEARCH) gives the tags of its members, and tells which it lacks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.steps.multistatus_contents import LONGEST, MULTI_STATUS, Told, entries_in
from ifmatch.diagnosis.steps.resources import path_of, resource_key
from ifmatch.diagnosis.steps.step import Step
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content, Fields, Response
from ifmatch.model.places import joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_METHODS: Final = frozenset({"PROPFIND", "REPORT", "SEARCH"})
# Asks for a part of each thing, or for its occurrences one by one.
_PART_ASKED: Final = late_pattern(r"<(?:[\w-]+:)?(?:calendar|address)-data(?:\s[^>]*)?(?<!/)>\s*<(?!/|!--)")


def entries_of(steps: Sequence[Step]) -> dict[Step, list[Step]]:
    """Return a step for each resource that a listing tells of and a write is about.

    The listing itself keeps the tag of the collection only.

    Args:
        steps: of a case, their dialects set.
    """
    listings = [step for step in steps if _lists(step)]
    if not listings:
        return {}
    written = {step.resource for step in steps if step.is_write}
    sent = {
        tokens.opaque(token)
        for step in steps
        if step.is_write
        for condition in step.conditions
        for token in condition.tokens
    }
    found: dict[Step, list[Step]] = {}
    for listing in listings:
        found[listing] = [
            _entry(listing, url, told)
            for url, told in _others(listing)
            if resource_key(url) in written or tokens.opaque(told.tag) in sent
        ]
    return found


def _lists(step: Step) -> bool:
    if step.method not in _METHODS or step.status != MULTI_STATUS or step.content is None:
        return False
    return len(step.content) <= LONGEST


def _others(listing: Step) -> Iterator[tuple[str, Told]]:
    """Yield URL of each entry but the listing's own, with what is told of it: that is told to it."""
    url, text = listing.exchange.request.url, listing.content.text if listing.content is not None else ""
    here, own, told = path_of(url).rstrip("/"), "", False
    for href, one in entries_in(text):
        target = joined(url, href)
        told = True
        if path_of(target).rstrip("/") == here:
            own = one.tag
            listing.missing = one.status in {404, 410}
            continue
        yield target, one
    if told and listing.dialect is not None and tokens.opaque(listing.version or "") != tokens.opaque(own):
        listing.version, listing.carried = own or None, (own,) if own else ()
        listing.forget()


def _entry(listing: Step, url: str, told: Told) -> Step:
    """Return the step that an entry stands for; one that holds the thing itself is a read of it."""
    date = listing.header("date")
    tag = {"ETag": told.tag} if told.tag else {}
    told_at = {"Date": date} if date is not None else {}
    received = Fields(list({**tag, **told.fields, **told_at}.items()))
    whole = told.state and _PART_ASKED.search(listing.view.sent_text) is None
    state = Content.from_text(told.state) if whole else None
    exchange = replace(
        listing.exchange,
        request=replace(listing.exchange.request, url=url),
        response=Response(told.status, "", received, state),
    )
    one = Step(exchange, source=listing.source, start=listing.start, end=listing.end, timed=listing.timed)
    one.vantage, one.node, one.dialect = listing.vantage, listing.node, listing.dialect
    one.resource, one.reads = resource_key(url), state is not None
    return one
