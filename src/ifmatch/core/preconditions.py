"""Evaluate the preconditions of a request.

The whole of RFC 9110 section 13, for an origin server: one pass over the fields, then comparisons of text
with text. Why it came out as it did is worked out again, in slow and plain steps, when `Decision.trace` is
asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.core.conditional_fields import FieldLines, conditional_values
from ifmatch.core.decision import Decision, decide
from ifmatch.core.representation import (
    Representation,
    if_match_is_false,
    if_none_match_is_false,
    if_range_is_true,
    is_modified_since,
)

if TYPE_CHECKING:
    from ifmatch.core.http_date import Clock

__all__ = ["WITHOUT_PRECONDITIONS", "Decision", "Representation", "evaluate"]

WITHOUT_PRECONDITIONS: Final = frozenset({"CONNECT", "OPTIONS", "TRACE"})
"""Methods that neither select nor change a representation (RFC 9110 section 13.2.1)."""

_READS: Final = ("GET", "HEAD")
_UNCONDITIONAL: Final = decide(None, False, (), ("", None, None, None, None))


def evaluate(
    method: str,
    fields: FieldLines,
    current: Representation | None,
    *,
    creates: bool | None = None,
    now: Clock | None = None,
) -> Decision:
    """Evaluate the preconditions of one request against the current state.

    Call it after the checks that could refuse the request anyway (authentication, existence, content) and
    just before performing it. Wire data never raises.

    Args:
        method: the request method, case-sensitive.
        fields: name and value of each field line in order, as text or octets, names in any letter case; or a
            mapping that holds each field once, several lines joined by commas.
        current: the validators of the selected representation; None when there is no current representation.
        creates: whether the method would make a missing resource; None: PUT does, others do not. When it
            does not and nothing is there, the preconditions are ignored: the answer is the caller's 404.
        now: the present, aware, or a function that returns it; only a date with a two-digit year needs it.
            None: the clock of this machine, read only when such a date is met.

    Raises:
        TypeError: when `method` is no text.

    Source: RFC 9110 sections 13.2.1 (when) and 13.2.2 (in which order).
    """
    values = conditional_values(fields)
    if values is None:
        return _UNCONDITIONAL
    question = (method, values, current, creates, now)
    if method in WITHOUT_PRECONDITIONS:
        return decide(None, False, (), question)
    if current is not None:
        etag = current._etag  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    elif method == "PUT" if creates is None else creates:
        etag = None
    else:
        return decide(None, False, (), question)
    match, none_match, modified, unmodified, if_range, range_value = values
    malformed: tuple[str, ...] = ()
    # Steps 1 and 2. The tag field switches the date field off by its presence, well-formed or not.
    if match is not None:
        # The usual value is the current tag itself, strong; the function is for all others.
        if match != etag or match[0] == "W":
            refused, is_malformed = if_match_is_false(match, current)
            if refused:
                return decide(412, False, ("If-Match",) if is_malformed else (), question)
    elif unmodified is not None and is_modified_since(current, unmodified, now) is True:
        return decide(412, False, (), question)
    # Steps 3 and 4.
    if none_match is not None:
        refused = none_match == etag
        if not refused:
            refused, is_malformed = if_none_match_is_false(none_match, current)
            malformed = ("If-None-Match",) if is_malformed else ()
        if refused:
            return decide(304 if method in _READS else 412, False, malformed, question)
    elif modified is not None and method in _READS and is_modified_since(current, modified, now) is False:
        return decide(304, False, (), question)
    # Step 5. Without a current representation there is nothing to take a range of.
    use_range = range_value is not None and method == "GET" and current is not None
    if use_range and if_range is not None and current is not None:
        use_range, is_malformed = if_range_is_true(if_range, current, now)
        if is_malformed:
            malformed = (*malformed, "If-Range")
    return decide(None, use_range, malformed, question)
