"""Tell whether two programs answer for one resource: one its reads, another its writes."""

from __future__ import annotations

import html
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from ifmatch.diagnosis.links.in_time import is_row
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.steps.resources import host_of, parent_of
from ifmatch.dialects.glossary import Words
from ifmatch.dialects.pointers import values_at
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

# Seconds by which two Date fields, each cut to the second, may differ from the time between the answers.
_TICKS = 2.0
_MICRO = 1_000_000
_GETETAG = late_pattern(r"<(?:\w+:)?getetag\b[^>]*>([^<]+)</", re.IGNORECASE)
# What servers write into their own pages for 412.
_HTTPD_PAGE = late_pattern(r"The precondition on the request\s+for th(?:e|is) URL")
_NGINX_PAGE = late_pattern(r"<center>\s*(?:nginx|openresty)", re.IGNORECASE)
_TWICE = 2
_LISTING = frozenset({"PROPFIND", "REPORT", "SEARCH"})
# A shorter tag stands in a text by chance.
_TELLING = 8
# What refusals call the tag that is stored, and the tag.
_CURRENT = Words(
    r"(?:current|stored|object|item|entity|server|actual|found|latest|existing)\b[^\"]{0,60}\"([^\"\s]{1,120})\""
)
# Members that repeat the entity tag of the very representation that they stand in: in another API a
# member called like a tag may be a token of its own.
_OWN_TAG = ("/@odata.etag", "/odata.etag", "/d/__metadata/etag", "/__metadata/etag")


def read_elsewhere(facts: Facts) -> Step | None:
    """Return the read that gave the token if what judges the writes sees no read at all, None otherwise.

    A cache would have fetched its copy there, would mark it or keep its Date; what answers now answers by
    itself.

    Args:
        facts: of a refused request.
    """
    source, step = facts.source, facts.step
    if source is None or not source.read_ok or source.hops or not step.hops:
        return None
    # A recording that began after this read does not tell; the same answer to a later one does.
    again = any(one.covered and not one.hops and facts.names(one) for one in facts.own_reads_after)
    if not (source.covered or again):
        return None
    if source.cache_hit or source.cache_marked or source.lifetime:
        return None
    if any(one.is_read and one.hops for one in facts.history):
        return None
    if source.date is None or step.date is None:
        return None
    apart = (step.date - source.date) - (step.start - source.start)
    return source if abs(apart) <= _TICKS else None


def _listed_tag(step: Step) -> str | None:
    """Return the tag that a PROPFIND, or a listing of its collection, shows for a resource; None without one.

    Source: RFC 4918 section 15.6 (getetag is what GET would give).
    """
    if step.method in _LISTING and step.status == HTTPStatus.OK and step.content is None:
        # What a listing tells of this member.
        return step.etag
    if step.method != "PROPFIND" or step.content is None:
        return None
    found = _GETETAG.findall(step.content.text)
    return html.unescape(found[0]).strip() if len(found) == 1 else None


def listed_otherwise(facts: Facts) -> tuple[str, Step, Step] | None:
    """Return a listed tag of another form than the one that GET shows, what lists it, and that GET."""
    shown = [(tag, one) for one in facts.history if (tag := _listed_tag(one)) is not None]
    for tag, one in shown:
        for read in facts.history:
            if read.method not in {"GET", "HEAD"} or read.status != 200 or read.etag is None:
                continue
            first, last = sorted((one.order, read.order))
            if any(first < write.order < last for write in facts.history.writes):
                continue
            if tokens.form(tag) != tokens.form(read.etag):
                return tag, one, read
    return None


def judged_by(facts: Facts, read: Step) -> bool:
    """Tell whether the refusal itself names the tag that a read shows as what it compares with.

    Args:
        facts: of a refused request.
        read: of the resource.
    """
    tag = tokens.opaque(read.etag or "")
    return len(tag) >= _TELLING and tag in facts.error_text


def listed_apart(facts: Facts) -> tuple[str, Step] | None:
    """Return how a thing's own tag is spelt where a listing gave it in another form, and the listing.

    The refusal says what it compares with, or a read of the thing shows it. Two tags of which one is the end
    of the other are those of one version.

    Args:
        facts: of a refused request.
    """
    token, listing = facts.token, facts.elsewhere or facts.inside
    if listing is None and facts.source is not None and is_row(facts.source):
        listing = facts.source.within
    if token is None or listing is None or not listing.read_ok or listing.resource == facts.step.resource:
        return None
    if listing.header("etag") is not None and tokens.opaque(listing.header("etag") or "") == tokens.opaque(
        token
    ):
        # The tag of another thing.
        return None
    read = facts.current_tag
    own = _compared_with(facts.error_text, token) or (tokens.opaque(read) if read is not None else "")
    short, long = sorted((own, tokens.opaque(token)), key=len)
    ends = bool(short) and long.endswith(short) and not long[: len(long) - len(short)][-1:].isalnum()
    return (own, listing) if ends and short != long else None


def _compared_with(text: str, token: str) -> str:
    """Return the tag that a refusal names beside the sent one, "" where it names none."""
    plain = text.replace('\\"', '"')
    before, sent, after = plain.partition(token)
    for part in (after, before) if sent else ():
        found = _CURRENT.search(part)
        if found is not None:
            return found.group(1)
    return ""


def refused_afresh(facts: Facts) -> Step | None:
    """Return the read between two refusals of one token that shows it as current, None without one."""
    guard = facts.guard
    if guard is None or not guard.well_formed or not facts.token_again:
        return None
    tries = [one for one in facts.own(facts.history) if one.is_write and one.guard is not None]
    refused = [one for one in tries if one.status == facts.step.status and one.presents(facts.token or "")]
    if len(refused) < _TWICE or any(one.accepted for one in tries):
        return None
    return next(
        (
            one
            for one in facts.own(facts.history)
            if one.read_ok and facts.names(one) and refused[0].order < one.order < refused[-1].order
        ),
        None,
    )


def another_product(facts: Facts) -> str:
    """Say whose tag was refused by whom, "" unless the tag and the refusal are of two servers.

    A tag is known by its arithmetic, a refusal by the page that a server has built in.
    """
    maker = _maker(facts.source) if facts.source is not None else ""
    judge = _judge(facts.step)
    if not maker or not judge or maker == judge:
        return ""
    return f"the tag is made as {maker} makes it, the refusal is a page of {judge}"


def _maker(read: Step) -> str:
    first, _, second = tokens.base(read.etag or "").partition("-")
    length = _length(read)
    if read.last_modified is None or length is None or read.coding:
        return ""
    try:
        one, two = int(first, 16), int(second, 16)
    except ValueError:
        return ""
    if (one, two) == (read.last_modified, length):
        return "nginx"
    return "Apache httpd" if (one, two // _MICRO) == (length, read.last_modified) else ""


def _length(read: Step) -> int | None:
    told = (read.header("content-length") or "").strip()
    if told.isdigit():
        return int(told)
    return len(read.representation) if read.representation is not None else None


def _judge(step: Step) -> str:
    text = step.view.text[:4000]
    if _HTTPD_PAGE.search(text):
        return "Apache httpd"
    return "nginx" if _NGINX_PAGE.search(text) else ""


def one_version(history: Sequence[Step], one: str, two: str) -> bool:
    """Tell whether two tags name one version: they share a part that counts writes, and differ in the rest.

    That it counts is seen from a write, whose answer or next read counts one further.

    Args:
        history: of the resource, in order of time.
        one: a tag.
        two: another one.
    """
    found = tokens.counted_part(one, two)
    if found is None:
        return False
    place, count = found
    shown: list[tuple[int, bool]] = [
        (tokens.count_at(step.etag, place), step.accepted) for step in history if step.etag is not None
    ]
    return any(number > count and written for number, written in shown)


def heads_refused(facts: Facts) -> list[tuple[Step, Step]]:
    """Return the HEADs whose tags were refused, each with the GET right after it whose tag passed.

    Empty when a tag from HEAD passed once, or one from GET was refused: then HEAD is not what is wrong.

    Args:
        facts: of a refused request.
    """
    source = facts.source
    if source is None or source.method != "HEAD" or source.within is not None or facts.from_cache(source):
        return []
    found: list[tuple[Step, Step]] = []
    host = host_of(facts.step.resource)
    for key, history in facts.case.histories.items():
        if host_of(key) != host or not any(one.method == "HEAD" for one in history):
            continue
        own = facts.own(history)
        for write in (one for one in own if one.is_write):
            gave = _gave(history, write)
            if gave is None:
                continue
            if (gave.method == "HEAD") is write.accepted:
                return []
            after = next((one for one in own if one.order > write.order), None)
            if not write.accepted and after is not None and after.read_ok and after.method == "GET":
                passed = next((one for one in own if one.is_write and one.order > after.order), None)
                if passed is not None and passed.accepted and passed.presents(after.etag or "-"):
                    found.append((gave, after))
    return found


def _gave(history: Sequence[Step], write: Step) -> Step | None:
    """Return the last read of a resource that gave a write its token."""
    guard = write.guard
    if guard is None or not guard.tokens:
        return None
    return next(
        (
            one
            for one in reversed(history)
            if one.order < write.order
            and one.actor == write.actor
            and one.read_ok
            and one.etag in guard.tokens
        ),
        None,
    )


def told_twice(facts: Facts) -> tuple[Step, str, str] | None:
    """Return an answer that tells two tags of itself, the refused one in its content, and both tags.

    It is one of the resource, or of an item beside it where the content of a listing gave the token.

    Args:
        facts: of a refused request.
    """
    wanted = tokens.opaque(facts.token or "")
    for one, held, field in _with_two_tags(facts.history):
        if tokens.opaque(held) == wanted:
            return one, held, field
    parent, source = parent_of(facts.step.resource), facts.inside or facts.source
    if source is None:
        return None
    if source.within is not None and source.is_read:
        # A list has shown it as an entry, which has no field of its own.
        if any(one.within is None and one.read_ok for one in facts.history):
            return None
    elif facts.history.shown or source.resource == facts.step.resource:
        return None
    return next(
        (
            told
            for key, history in facts.case.histories.items()
            if parent_of(key) == parent
            for told in _with_two_tags(history)
        ),
        None,
    )


def _with_two_tags(history: History) -> Sequence[tuple[Step, str, str]]:
    """Return the answers of a resource that tell two tags of themselves, with both."""
    if "two tags" not in history.kept:
        history.kept["two tags"] = [(one, *pair) for one in history for pair in _two_tags_of(one)]
    return cast("list[tuple[Step, str, str]]", history.kept["two tags"])


def _two_tags_of(step: Step) -> Iterator[tuple[str, str]]:
    """Yield the tag in an answer's content and the one in its ETag field, where they are two."""
    field = step.header("etag")
    if field is None or not (step.read_ok or step.accepted):
        return
    for pointer in _OWN_TAG:
        held = next(values_at(step.view.json, pointer), None)
        if not isinstance(held, str) or not held.strip():
            continue
        other = tokens.opaque(held) != tokens.opaque(field)
        if other and tokens.damage(held.strip(), field.strip()) in {"", "other"}:
            yield held.strip(), field.strip()
