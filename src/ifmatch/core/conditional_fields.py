"""Find the conditional fields of a request and read what they say.

Source: RFC 9110 sections 5.1 to 5.5 (fields), 13.1 (preconditions), 14.2 (Range).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from ifmatch.core.entity_tag import EntityTag, parse_entity_tag
from ifmatch.core.http_date import Clock, parse_http_date
from ifmatch.core.list_syntax import TagList, parse_entity_tags

if TYPE_CHECKING:
    from ifmatch.core.malformed import Malformed

__all__ = [
    "CONDITIONAL_FIELDS",
    "ConditionalFields",
    "FieldLines",
    "conditional_values",
    "parse_conditional_fields",
    "parse_if_range",
]

FieldLines: TypeAlias = Iterable[tuple[str | bytes, str | bytes]] | Mapping[str, str]
"""Header fields: name and value of each line in order, or a mapping that holds each field once, joined."""

CONDITIONAL_FIELDS: Final = (
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "If-Unmodified-Since",
    "If-Range",
    "Range",
)
"""The fields that take part, in the order in which `conditional_values` returns their values."""

Values: TypeAlias = list[str | None]
"""The value of each of CONDITIONAL_FIELDS: lines joined, white space around it left out, None when absent."""

# Text and octets apart: a look-up of one among the other warns under `python -b`.
_TEXT_NAMES: Final[dict[str, int]] = {name.lower(): place for place, name in enumerate(CONDITIONAL_FIELDS)}
_OCTET_NAMES: Final[dict[bytes, int]] = {name.encode(): place for name, place in _TEXT_NAMES.items()}
# Whether a conditional field has a name of this length: indexing costs half of asking a set.
_LENGTHS: Final = tuple(length in set(map(len, CONDITIONAL_FIELDS)) for length in range(256))
# The first letter of text, the first octet of octets.
_FIRST: Final[frozenset[str | int]] = frozenset({*"iIrR", *b"iIrR"})


def conditional_values(fields: FieldLines) -> Values | None:
    """Collect the values of the conditional fields and of Range.

    Args:
        fields: the header fields of a request; names in any letter case.

    Returns:
        One value for each of CONDITIONAL_FIELDS, octets as latin-1 text; None when none of them is there.

    Source: RFC 9110 sections 5.1 (letter case), 5.3 (several lines are one list), 5.5 (white space).
    """
    if fields.__class__ is not list and hasattr(fields, "items"):
        fields = cast("Mapping[str, str]", fields).items()
    values: Values | None = None
    lengths = _LENGTHS
    for name, value in fields:
        # The length alone rules out most names; these lines are what a request without conditions costs.
        try:
            if not lengths[len(name)] or name[0] not in _FIRST:
                continue
        except IndexError:  # longer than any name that is known
            continue
        # `type(…) is` costs a third of `isinstance`; subclasses take the slow path below.
        place = _OCTET_NAMES.get(name) if type(name) is bytes else _TEXT_NAMES.get(name)  # type: ignore[arg-type]
        if place is None:
            place = _place(name)
            if place < 0:
                continue
        text = value.decode("latin-1") if type(value) is bytes else _text(value)
        # Plain `strip` takes off more than OWS; it returns the text itself when nothing is there.
        if text.strip() is not text:
            text = text.strip(" \t")
        if values is None:
            values = [None, None, None, None, None, None]
            values[place] = text
        else:
            before = values[place]
            values[place] = text if before is None else f"{before}, {text}"
    return values


def _place(name: str | bytes) -> int:
    """Return the place of a name that is not written in lower case, -1 when it is another field."""
    if isinstance(name, str):
        return _TEXT_NAMES.get(name.lower(), -1)
    return _OCTET_NAMES.get(name.lower(), -1)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


@dataclass(frozen=True, slots=True)
class ConditionalFields:
    """What the conditional fields of one request say, before any state is known.

    A field that is absent is None; one that does not follow its grammar is a `Malformed`.

    Attributes:
        if_match: the wildcard or the tags of If-Match, in order.
        if_none_match: the wildcard or the tags of If-None-Match, in order.
        if_modified_since: the date of If-Modified-Since.
        if_unmodified_since: the date of If-Unmodified-Since.
        if_range: the tag or the date of If-Range.
        range: the value of Range, not read any further.

    Source: RFC 9110 section 13.1.
    """

    if_match: TagList | None = None
    if_none_match: TagList | None = None
    if_modified_since: datetime | Malformed | None = None
    if_unmodified_since: datetime | Malformed | None = None
    if_range: EntityTag | datetime | Malformed | None = None
    range: str | None = None


def parse_conditional_fields(fields: FieldLines, *, now: Clock | None = None) -> ConditionalFields:
    """Read the conditional fields of a request.

    Args:
        fields: the header fields of a request; names in any letter case.
        now: the present, for dates with a two-digit year; None for the clock of this machine, which is read
            only when such a date is met.

    Source: RFC 9110 section 13.1.
    """
    return parse_values(conditional_values(fields), now)


def parse_values(values: Values | None, now: Clock | None) -> ConditionalFields:
    """Read values collected by `conditional_values`; see `parse_conditional_fields`.

    Source: RFC 9110 section 13.1.
    """
    if values is None:
        return ConditionalFields()
    clock = present if now is None else now
    match, none_match, modified, unmodified, if_range, range_value = values
    return ConditionalFields(
        None if match is None else parse_entity_tags(match),
        None if none_match is None else parse_entity_tags(none_match),
        None if modified is None else parse_http_date(modified, now=clock),
        None if unmodified is None else parse_http_date(unmodified, now=clock),
        None if if_range is None else parse_if_range(if_range, now=clock),
        range_value,
    )


def parse_if_range(text: str, *, now: Clock) -> EntityTag | datetime | Malformed:
    """Read a value of If-Range: one entity tag, or one date.

    Args:
        text: the field value, and nothing around it.
        now: the present, for dates with a two-digit year.

    Source: RFC 9110 section 13.1.5 (a double quote among the first three characters tells a tag).
    """
    return parse_entity_tag(text) if '"' in text[:3] else parse_http_date(text, now=now)


def present() -> datetime:
    """Read the clock of this machine: the one place of the core that does.

    It is called for a date with a two-digit year, and only when the caller gave no clock.

    Source: RFC 9110 section 5.6.7.
    """
    return datetime.now(UTC)
