"""Find what shows that answers to GET are rewritten on the way, and lose their validators by it."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.steps.resources import host_of, parent_of
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

_OK: Final = 200
# So many steps around a read others of its service are looked at.
_NEAR: Final = 60
# Longer contents are not compared, and less than this is no piece of a page.
_LONGEST: Final = 100_000
_PIECE: Final = 4
_MORE: Final = 300
_TWO: Final = 2


def told_otherwise(own: Sequence[Step]) -> Iterator[tuple[str, float, Step]]:
    """Yield what tells that a thing has a tag, or is changed on the way, though its answers to GET have none.

    The answer to a write has the tag; or what is read right after a write has a piece that was not written.

    Args:
        own: steps of one actor about one resource, whose answers to GET have no ETag.

    Source: RFC 9110 section 8.8.3 (an origin that can make a tag for one of its answers can for all).
    """
    write = next((one for one in own if one.accepted and one.header("etag") is not None), None)
    if write is not None:
        text = f"the answer to {write.method} has the ETag {write.header('etag')}; those to GET have none"
        yield text, 2.0, write
    for place, one in enumerate(own):
        if not (one.accepted and one.puts):
            continue
        after = next(takewhile(lambda each: not each.changes, own[place + 1 :]), None)
        piece = _put_in(one.body, after) if after is not None else ""
        if piece and after is not None:
            yield f"what is read has a piece that was not written: {piece[:40]!r}", 2.2, after
            return


def _put_in(sent: Content | None, after: Step) -> str:
    """Return the one piece that a read has more than what was written before it; "" where it is otherwise."""
    shown = after.representation
    if sent is None or shown is None or max(len(sent), len(shown)) > _LONGEST:
        return ""
    written, read = sent.text.strip(), shown.text.strip()
    more = len(read) - len(written)
    if more < _PIECE or written[:1] in {"", "{", "["}:
        # What a service adds to a record is its own.
        return ""
    begin = next((place for place, sign in enumerate(written) if read[place] != sign), len(written))
    if read[begin + more :] != written[begin:]:
        return ""
    while begin and read[begin] != "<" and read[begin - 1] == read[begin + more - 1]:
        # The same sign before it and at its end: the mark of an element begins there.
        begin -= 1
    return read[begin : begin + more]


def tagged_beside(case: Case, bare: Step) -> Step | None:
    """Return an own answer of another media type that has a tag, where those of one have none.

    Args:
        case: everything known.
        bare: an answer to GET without a tag.
    """
    host = host_of(bare.resource)
    near = [
        one
        for one in case.steps[max(0, bare.order - _NEAR) : bare.order + _NEAR]
        if one.method == "GET" and one.status == _OK and one.actor == bare.actor
        if one.resource != bare.resource and host_of(one.resource) == host
    ]
    if not bare.kind[0] or any(one.header("etag") is not None for one in near if one.kind[0] == bare.kind[0]):
        return None
    return next((one for one in near if one.header("etag") is not None and one.kind[0]), None)


def tagged_where_empty(case: Case, bare: Step) -> Step | None:
    """Return an own answer without content about a sibling that has a tag, where all with content have none.

    What rewrites contents takes their tags off, and leaves alone what has nothing to rewrite.

    Args:
        case: everything known.
        bare: an answer to GET without a tag.

    Source: nginx.org, ngx_http_sub_module (a response of which the content is changed loses its ETag).
    """
    beside = parent_of(bare.resource)
    if bare.received is None or not bare.received.complete or not bare.kind[0]:
        return None
    near = [
        one
        for one in case.steps[max(0, bare.order - _NEAR) : bare.order + _NEAR]
        if one.actor == bare.actor and _OK <= one.status < _MORE and one.resource.startswith(beside)
    ]
    filled = [one for one in near if one.content is not None and len(one.content)]
    empty = [one for one in near if one.content is None or not len(one.content)]
    if len(filled) < _TWO or any(one.header("etag") is not None for one in filled):
        return None
    return next((one for one in empty if one.header("etag") is not None and _known_empty(one)), None)


def _known_empty(one: Step) -> bool:
    """Tell whether an answer had no content, rather than one that the evidence does not hold."""
    response = one.view.response
    return response is not None and response.content is not UNKNOWN
