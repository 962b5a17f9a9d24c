"""Make steps of what a multi-status answer tells of single resources, so that each is known by its own tag.

A listing of a collection (PROPFIND, REPORT, SEARCH) gives the tags of its members, and tells which it lacks.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.resources import path_of, resource_key
from ifmatch.diagnosis.steps import Step
from ifmatch.model.message import Fields, Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MULTI_STATUS: Final = 207
_METHODS: Final = frozenset({"PROPFIND", "REPORT", "SEARCH"})
# Longer answers are listings of a whole store.
_LONGEST: Final = 2_000_000
_RESPONSE: Final = re.compile(r"<(?:[\w-]+:)?response(?:\s[^>]*)?>(.*?)</(?:[\w-]+:)?response>", re.DOTALL)
_HREF: Final = re.compile(r"<(?:[\w-]+:)?href(?:\s[^>]*)?>\s*([^<]+?)\s*</")
_PROPERTIES: Final = re.compile(r"<(?:[\w-]+:)?propstat(?:\s[^>]*)?>(.*?)</(?:[\w-]+:)?propstat>", re.DOTALL)
_STATUS: Final = re.compile(r"<(?:[\w-]+:)?status(?:\s[^>]*)?>\s*HTTP/[\d.]+ (\d{3})")
_TAG: Final = re.compile(r"<(?:[\w-]+:)?getetag(?:\s[^>]*)?>\s*([^<]+?)\s*</")
_LENGTH: Final = re.compile(r"<(?:[\w-]+:)?getcontentlength(?:\s[^>]*)?>\s*(\d{1,15})\s*</")
_CHANGED: Final = re.compile(r"<(?:[\w-]+:)?getlastmodified(?:\s[^>]*)?>\s*([^<]{10,40}?)\s*</")
_QUOTE: Final = re.compile(r"&(?:quot|#34|#x22);", re.IGNORECASE)


def _entries(text: str) -> Iterator[tuple[str, int, str, dict[str, str]]]:
    """Yield what a multi-status content tells of each resource: its reference, its status, its tag or "".

    With them when it was changed, and how long it is, as fields of an answer would say.

    Source: RFC 4918 section 14.24 (a status beside the reference is that of the resource itself, one within
    `propstat` that of its properties).
    """
    for found in _RESPONSE.finditer(text):
        block = found[1]
        href = _HREF.search(block)
        if href is None:
            continue
        status = _STATUS.search(_PROPERTIES.sub("", block))
        tag = _TAG.search(block)
        told = {"Last-Modified": _CHANGED.search(block), "Content-Length": _LENGTH.search(block)}
        fields = {name: one[1] for name, one in told.items() if one is not None}
        code = int(status[1]) if status is not None else 200
        yield href[1], code, _QUOTE.sub('"', tag[1]) if tag else "", fields


def members_failed(step: Step) -> Iterator[tuple[str, str, str]]:
    """Yield what the multi-status answer to a write tells of members that it failed for.

    Of each its reference, the status and all that is told.

    Args:
        step: a write.

    Source: RFC 4918 sections 9.6.1, 9.8.8 and 9.9.4 (members that could not be deleted, copied or moved).
    """
    text = step.content.text if step.content is not None and step.status == _MULTI_STATUS else ""
    for found in _RESPONSE.finditer(text[:_LONGEST]):
        href = _HREF.search(found[1])
        status = next((one for one in _STATUS.findall(found[1]) if one[0] in "45" and one != "424"), "")
        if href is not None and status:
            yield href[1], status, found[1]


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
            _entry(listing, url, status, {**({"ETag": tag} if tag else {}), **fields})
            for url, status, tag, fields in _others(listing)
            if resource_key(url) in written or tokens.opaque(tag) in sent
        ]
    return found


def _lists(step: Step) -> bool:
    if step.method not in _METHODS or step.status != _MULTI_STATUS or step.content is None:
        return False
    return len(step.content) <= _LONGEST


def _others(listing: Step) -> Iterator[tuple[str, int, str, dict[str, str]]]:
    """Yield URL, status, tag and other fields of each entry but the listing's own: that is told to it."""
    url, text = listing.exchange.request.url, listing.content.text if listing.content is not None else ""
    here, own, told = path_of(url).rstrip("/"), "", False
    for href, status, tag, fields in _entries(text):
        target = urljoin(url, href)
        told = True
        if path_of(target).rstrip("/") == here:
            own = tag
            listing.missing = status in {404, 410}
            continue
        yield target, status, tag, fields
    if told and listing.dialect is not None and tokens.opaque(listing.version or "") != tokens.opaque(own):
        listing.version, listing.carried = own or None, (own,) if own else ()
        listing.forget()


def _entry(listing: Step, url: str, status: int, fields: dict[str, str]) -> Step:
    date = listing.header("date")
    received = Fields([*fields.items(), *([("Date", date)] if date is not None else [])])
    exchange = replace(
        listing.exchange,
        request=replace(listing.exchange.request, url=url),
        response=Response(status, "", received, None),
    )
    one = Step(exchange, source=listing.source, start=listing.start, end=listing.end, timed=listing.timed)
    one.vantage, one.node, one.dialect = listing.vantage, listing.node, listing.dialect
    one.resource = resource_key(url)
    return one
