"""Make steps of what a multi-status answer tells of single resources, so that each is known by its own tag.

A listing of a collection (PROPFIND, REPORT, SEARCH) gives the tags of its members, and tells which it lacks.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.resources import path_of, resource_key
from ifmatch.diagnosis.steps import Step
from ifmatch.model.message import Content, Fields, Response

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
# The thing itself among its properties (RFC 4791 section 9.6, RFC 6352 section 10.4).
_DATA: Final = re.compile(
    r"<(?:[\w-]+:)?(calendar|address)-data(?:\s[^>]*)?(?<!/)>\s*(.*?)\s*</(?:[\w-]+:)?\1-data>", re.DOTALL
)
_KINDS: Final = {"calendar": "text/calendar", "address": "text/vcard"}
_RAW: Final = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
# Asks for a part of each thing, or for its occurrences one by one.
_PART_ASKED: Final = re.compile(r"<(?:[\w-]+:)?(?:calendar|address)-data(?:\s[^>]*)?(?<!/)>\s*<(?!/|!--)")


@dataclass(frozen=True, slots=True)
class _Told:
    """What a listing tells of one resource: its status, its tag or "", other fields, and its state or ""."""

    status: int
    tag: str
    fields: dict[str, str]
    state: str


def _state(block: str) -> tuple[str, str]:
    """Return the thing itself that an entry holds, and its media type; "" where it holds none."""
    found = _DATA.search(block) if "-data" in block else None
    if found is None or not found[2]:
        return "", ""
    raw = _RAW.search(found[2])
    return raw[1] if raw is not None else html.unescape(found[2]), _KINDS[found[1]]


def _entries(text: str) -> Iterator[tuple[str, _Told]]:
    """Yield what a multi-status content tells of each resource, behind its reference.

    With it when it was changed, and how long it is, as fields of an answer would say.

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
        state, kind = _state(block)
        if kind:
            fields["Content-Type"] = kind
        code = int(status[1]) if status is not None else 200
        yield href[1], _Told(code, _QUOTE.sub('"', tag[1]) if tag else "", fields, state)


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
            _entry(listing, url, told)
            for url, told in _others(listing)
            if resource_key(url) in written or tokens.opaque(told.tag) in sent
        ]
    return found


def _lists(step: Step) -> bool:
    if step.method not in _METHODS or step.status != _MULTI_STATUS or step.content is None:
        return False
    return len(step.content) <= _LONGEST


def _others(listing: Step) -> Iterator[tuple[str, _Told]]:
    """Yield URL of each entry but the listing's own, with what is told of it: that is told to it."""
    url, text = listing.exchange.request.url, listing.content.text if listing.content is not None else ""
    here, own, told = path_of(url).rstrip("/"), "", False
    for href, one in _entries(text):
        target = urljoin(url, href)
        told = True
        if path_of(target).rstrip("/") == here:
            own = one.tag
            listing.missing = one.status in {404, 410}
            continue
        yield target, one
    if told and listing.dialect is not None and tokens.opaque(listing.version or "") != tokens.opaque(own):
        listing.version, listing.carried = own or None, (own,) if own else ()
        listing.forget()


def _entry(listing: Step, url: str, told: _Told) -> Step:
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
