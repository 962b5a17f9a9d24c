"""Hold what a server knows of the selected representation, and compare it with the value of one field.

Source: RFC 9110 sections 8.8 (validators) and 13.1 (preconditions).
"""

# pyright: reportPrivateUsage=false
# ruff: noqa: SLF001 -- the functions of this module are the fast paths of Representation

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from ifmatch.core.conditional_fields import parse_if_range, present
from ifmatch.core.entity_tag import EntityTag, is_entity_tag, parse_entity_tag
from ifmatch.core.http_date import Clock, format_http_date, parse_http_date
from ifmatch.core.list_syntax import is_tag_list, lists_tag, well_formed_members
from ifmatch.core.malformed import Malformed

__all__ = [
    "Representation",
    "if_match_is_false",
    "if_none_match_is_false",
    "if_range_is_true",
    "is_modified_since",
]


# The usual tag, strong, short and ASCII, is checked by what it looks like with every etagc written as `a`:
# half the cost of a regular expression, and a server makes a Representation for every request. Whatever looks
# otherwise takes `_checked`.
_LOOKS: Final = bytes(
    octet if octet == 0x22 else 0x61 if 0x21 <= octet <= 0x7E else 0 for octet in range(256)
)
# What such a tag of each length looks like, its quotes counted; octets of UTF-8 look like nothing of it.
_STRONG: Final = tuple(b'"%b"' % (b"a" * (length - 2)) for length in range(129))


class Representation:
    """The validators of the current representation; without arguments: it exists and has none.

    Args:
        etag: the entity tag, in field syntax (quotes and `W/` included) when it is text or octets.
        last_modified: an aware datetime; cut to the second, as the field Last-Modified holds it.
        last_modified_is_strong: True when the server knows that the representation did not change twice
            within that second; decides whether If-Range with a date can hold.

    Raises:
        ValueError: when `etag` is no entity tag or `last_modified` is naive.
        TypeError: when `etag` is of another type.

    Source: RFC 9110 sections 8.8.2 (Last-Modified), 8.8.2.2 (its strength) and 8.8.3 (ETag).
    """

    # Read-only by properties. A frozen dataclass costs three times as much to make, and a server makes one
    # for every request. The tag is kept in field syntax: it is compared as text.
    __slots__ = ("_etag", "_last_modified", "_last_modified_is_strong")

    _etag: str | None
    _last_modified: datetime | None
    _last_modified_is_strong: bool

    def __init__(
        self,
        *,
        etag: EntityTag | str | bytes | None = None,
        last_modified: datetime | None = None,
        last_modified_is_strong: bool = False,
    ) -> None:
        if etag is not None:
            try:
                if type(etag) is not str or etag.encode().translate(_LOOKS) != _STRONG[len(etag)]:
                    etag = _checked(etag)
            except (IndexError, UnicodeEncodeError):  # a long one, or a lone surrogate
                etag = _checked(etag)
        self._etag = etag
        try:
            if last_modified is not None and (last_modified.tzinfo is not UTC or last_modified.microsecond):
                last_modified = _whole_second(last_modified)
        except AttributeError:
            raise ValueError(f"last_modified is {last_modified!r}; expected an aware datetime") from None
        self._last_modified = last_modified
        self._last_modified_is_strong = last_modified_is_strong

    @property
    def etag(self) -> EntityTag | None:
        """Return the entity tag, None when there is none."""
        text = self._etag
        if text is None:
            return None
        return EntityTag(text[3:-1], weak=True) if text[0] == "W" else EntityTag(text[1:-1])

    @property
    def etag_field(self) -> str | None:
        """Return the entity tag as a value of the field ETag, None when there is none; makes no object."""
        return self._etag

    @property
    def last_modified(self) -> datetime | None:
        """Return the modification date in UTC and whole seconds, None when there is none."""
        return self._last_modified

    @property
    def last_modified_is_strong(self) -> bool:
        """Return whether the modification date is a strong validator."""
        return self._last_modified_is_strong

    def _key(self) -> tuple[str | None, datetime | None, bool]:
        return self._etag, self._last_modified, self._last_modified_is_strong

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Representation) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        parts: list[str] = []
        if self._etag is not None:
            parts.append(f"etag={self._etag!r}")
        if self._last_modified is not None:
            parts.append(f"last_modified={format_http_date(self._last_modified)!r}")
        if self._last_modified_is_strong:
            parts.append("last_modified_is_strong=True")
        return f"Representation({', '.join(parts)})"


def _checked(etag: object) -> str:
    """Return the field syntax of a tag; raise when it is none."""
    if type(etag) is str and is_entity_tag(etag) is not None:
        return etag
    if isinstance(etag, EntityTag):
        return str(etag)
    if isinstance(etag, bytes):
        etag = etag.decode("latin-1")
    if not isinstance(etag, str):
        kind = type(etag).__name__
        raise TypeError(f"etag is an EntityTag, or its field syntax as str or bytes, not {kind}")
    if is_entity_tag(etag) is not None:
        return str.__str__(etag)  # of an enumeration, too, the value and not the name
    malformed = parse_entity_tag(etag)
    reason = malformed.reason if isinstance(malformed, Malformed) else "not an entity tag"
    raise ValueError(
        f"etag {etag!r} is no entity tag: {reason}. Give the whole field value, quotes included:"
        " '\"abc\"' or 'W/\"abc\"'"
    )


def _whole_second(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(
            f"last_modified {moment.isoformat()} has no time zone: give an aware datetime,"
            " such as datetime.now(UTC)"
        )
    return moment.astimezone(UTC).replace(microsecond=0)


def if_match_is_false(value: str, current: Representation | None) -> tuple[bool, bool]:
    """Compare a value of If-Match with the current state.

    Args:
        value: the field value, lines joined, no white space around it.
        current: the selected representation, None when there is none.

    Returns:
        Whether the condition is false, and whether the value is malformed.

    Source: RFC 9110 section 13.1.1.
    """
    etag = None if current is None else current._etag
    if value == etag:
        return value[0] == "W", False
    if value == "*":
        return current is None, False
    if is_tag_list(value) is None:
        return True, True
    return etag is None or etag[0] == "W" or not lists_tag(value, etag, weakly=False), False


def if_none_match_is_false(value: str, current: Representation | None) -> tuple[bool, bool]:
    """Compare a value of If-None-Match with the current state.

    Args:
        value: the field value, lines joined, no white space around it.
        current: the selected representation, None when there is none.

    Returns:
        Whether the condition is false, and whether the value is malformed.

    Source: RFC 9110 section 13.1.2.
    """
    etag = None if current is None else current._etag
    if value == etag:
        return True, False
    if value == "*":
        return current is not None, False
    malformed = is_tag_list(value) is None
    if etag is None:
        return False, malformed
    opaque_tag = etag[2:] if etag[0] == "W" else etag
    if malformed:
        # A malformed value is true, yet a member that can be read and matches still refuses: fail safe.
        return opaque_tag[1:-1] in [tag.opaque for tag in well_formed_members(value)], True
    return lists_tag(value, opaque_tag, weakly=True), False


def is_modified_since(current: Representation | None, value: str, now: Clock | None) -> bool | None:
    """Compare the modification date with a value of If-Modified-Since or If-Unmodified-Since.

    Args:
        current: the selected representation, None when there is none.
        value: the field value, lines joined, no white space around it.
        now: the present, or None for the clock of this machine; for dates with a two-digit year only.

    Returns:
        None when the field is to be ignored: no modification date, or not one valid date.

    Source: RFC 9110 sections 13.1.3 and 13.1.4.
    """
    if current is None or current._last_modified is None:
        return None
    date = parse_http_date(value, now=present if now is None else now)
    return None if isinstance(date, Malformed) else current._last_modified > date


def if_range_is_true(value: str, current: Representation, now: Clock | None) -> tuple[bool, bool]:
    """Compare a value of If-Range with the current state.

    Args:
        value: the field value, lines joined, no white space around it.
        current: the selected representation.
        now: the present, or None for the clock of this machine; for dates with a two-digit year only.

    Returns:
        Whether the condition is true, and whether the value is malformed.

    Source: RFC 9110 section 13.1.5.
    """
    validator = parse_if_range(value, now=present if now is None else now)
    if isinstance(validator, Malformed):
        return False, True
    if isinstance(validator, EntityTag):
        etag = current.etag
        return etag is not None and etag.strongly_matches(validator), False
    return current._last_modified_is_strong and current._last_modified == validator, False
