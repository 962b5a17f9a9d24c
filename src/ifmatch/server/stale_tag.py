"""Answer the usual 412, a tag in If-Match that is no longer the current one, from pieces made beforehand.

What it says is what `problem.precondition_failed` says: that function renders the pieces, once. It is the
answer that a service under contention sends most, and working it out from nothing costs as much as a request.

Source: RFC 9457 (problem details), RFC 9110 section 13.1.1.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Final

from ifmatch.core.decision import values_of
from ifmatch.core.preconditions import evaluate
from ifmatch.core.representation import Representation
from ifmatch.server import problem
from ifmatch.server.answers import (
    Answer,
    Current,
    RequestFacts,
    last_modified_field,
    plain_answer,
    validator_fields,
)
from ifmatch.server.look_alikes import is_placeholder

if TYPE_CHECKING:
    from ifmatch.core.decision import Decision

__all__ = ["stale_tag"]

# A tag that shows nothing by its looks: none of the signs of damaged quotes among its octets.
_is_plain: Final = re.compile(r'"[!#$(-\[\]-~]++"').fullmatch
_LONGEST: Final = 500
_TAG: Final = '"ifmatch:current"'
_GIVEN: Final = '"ifmatch:presented"'
_TARGET: Final = "/ifmatch:target"
_MARKED_DATE: Final = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


def stale_tag(
    decision: Decision,
    facts: RequestFacts,
    current: Current | None,
    *,
    disclosure: problem.Disclosure,
    now: datetime,
) -> Answer | None:
    """Answer 412 where If-Match holds one tag, strong as the current one is, and nothing is to be hinted at.

    Args:
        decision: whose status is 412.
        facts: of the request.
        current: the state on which it was evaluated, None when there was none.
        disclosure: what may be told.
        now: the time of the answer, aware.

    Returns:
        None where `problem.precondition_failed` has to work the answer out.

    Source: RFC 9110 section 13.1.1 and section 15.5.13.
    """
    values = values_of(decision)
    if current is None or values is None or decision.malformed or not disclosure.current:
        return None
    given, none_match, _, unmodified, _, _ = values
    tag = current.representation.etag_field
    if given is None or tag is None or none_match is not None or unmodified is not None:
        return None
    if tag[0] == "W" or current.other_tags or len(tag) > _LONGEST or len(given) > _LONGEST:
        return None
    if _is_plain(given) is None or given.startswith(tag[:-1]):
        return None
    if given == '"*"' or is_placeholder(given[1:-1]):
        return None
    modified = current.representation.last_modified
    date = "null" if modified is None else f'"{last_modified_field(min(modified, now))[1]}"'
    parts = {
        "tag": encode_basestring_ascii(tag)[1:-1],
        "given": encode_basestring_ascii(given)[1:-1],
        "target": encode_basestring_ascii(facts.target)[1:-1],
        "date": date,
    }
    octets = (_template(disclosure) % parts).encode()
    fields = validator_fields(current, now=now)
    return plain_answer(412, problem.MEDIA_TYPE, octets, problem.NO_STORE, *fields)


@functools.lru_cache(maxsize=8)
def _template(disclosure: problem.Disclosure) -> str:
    """Render the answer once with marks in the places of what differs."""
    representation = Representation(etag=_TAG, last_modified=_MARKED_DATE)
    facts = RequestFacts("PUT", _TARGET, (("If-Match", _GIVEN),))
    decision = evaluate("PUT", facts.fields, representation)
    shown = replace(disclosure, representation=False)
    current = Current(representation=representation)
    text = problem.precondition_failed(decision, facts, current, disclosure=shown).octets.decode()
    text = text.replace("%", "%%")
    for name, mark in (("tag", _TAG), ("given", _GIVEN), ("target", _TARGET)):
        text = text.replace(encode_basestring_ascii(mark)[1:-1], f"%({name})s")
    return text.replace(f'"{last_modified_field(_MARKED_DATE)[1]}"', "%(date)s")
