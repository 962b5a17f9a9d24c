"""Hold one request or response as it was seen: fields, content, and what is not known of them.

Source of the terms: RFC 9110 section 5 (fields), section 6.4 (content).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ifmatch.model.late import late_pattern
from ifmatch.model.unknown import UNKNOWN, UnknownType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What tools write in the place of a value that they hide. Such a value is unknown, not a value.
_MASK = late_pattern(
    r"^(?:[\[<({*]*(?:redacted|masked|hidden|filtered|removed|sanitized)[\])>}*]*|\*{3,}|x{6,}|…|\.{3})$",
    re.IGNORECASE,
)
# Most values begin otherwise, and need no closer look.
_MASK_BEGINS = frozenset("[<({*rRmMhHfFsSxX\u2026. \t\r\n\v\f\xa0")

# Value, or values, by lower-case name.
_Index: TypeAlias = "dict[str, str | tuple[str, ...]]"


class Fields:
    """The field lines of a message, in order, with case-insensitive look-up.

    Args:
        pairs: name and value of each field line, as received; octets beyond ASCII as latin-1 text.
        withheld: lower-case names that this kind of capture leaves out on purpose, so that their
            absence says nothing (Chrome's sanitised HAR drops `cookie` and `authorization`).
        complete: False when the capture records only some fields, or none (an access log).

    Source: RFC 9110 sections 5.1 to 5.3.
    """

    __slots__ = ("_index", "complete", "pairs", "withheld")

    def __init__(
        self,
        pairs: Iterable[tuple[str, str]] = (),
        *,
        withheld: frozenset[str] = frozenset(),
        complete: bool = True,
    ) -> None:
        self.pairs: tuple[tuple[str, str], ...] = tuple(pairs)
        self.withheld = withheld
        self.complete = complete
        self._index: _Index | None = None

    def _found(self, name: str) -> str | tuple[str, ...] | None:
        """Return the value, several values, or None; the index is made at the first question."""
        index = self._index if self._index is not None else self._indexed()
        return index.get(name.lower())

    def _indexed(self) -> _Index:
        index: _Index = {key.lower(): value for key, value in self.pairs}
        if len(index) < len(self.pairs):
            # Lists: a hostile message repeats one field a million times.
            repeated = dict[str, list[str]]()
            for key, value in self.pairs:
                repeated.setdefault(key.lower(), []).append(value)
            index = {name: tuple(values) if values[1:] else values[0] for name, values in repeated.items()}
        self._index = index
        return index

    def has_any(self, names: frozenset[str]) -> bool:
        """Tell whether there is a line of any of some names, in lower case; masked values count."""
        index = self._index if self._index is not None else self._indexed()
        return not names.isdisjoint(index)

    def get_all(self, name: str) -> tuple[str, ...]:
        """Return the values of all lines of this name, in order; masked ones included."""
        found = self._found(name)
        if found is None:
            return ()
        return found if isinstance(found, tuple) else (found,)

    def text(self, name: str) -> str | None:
        """Return the value, several lines joined by a comma; None when absent or unknown."""
        index = self._index if self._index is not None else self._indexed()
        found = index.get(name.lower())
        if found is None:
            return None
        value = ", ".join(found) if isinstance(found, tuple) else found
        return None if value[:1] in _MASK_BEGINS and _MASK.match(value.strip()) else value

    def get(self, name: str) -> str | UnknownType | None:
        """Return the value, None when it was absent, UNKNOWN when the capture does not tell."""
        if self._found(name) is None:
            return UNKNOWN if not self.complete or name.lower() in self.withheld else None
        value = self.text(name)
        return UNKNOWN if value is None else value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._found(name) is not None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fields) and self.pairs == other.pairs and self.complete == other.complete

    def __hash__(self) -> int:
        return hash(self.pairs)

    def __repr__(self) -> str:
        return f"Fields({self.pairs!r})"


def _utf8(text: str) -> bytes:
    """Encode text as UTF-8; JSON may hold lone surrogates, which no encoding has (RFC 8259 section 8.2)."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


class Content:
    """The content of a message, decoded from its content coding, kept as it came until asked for.

    Build one with `from_text`, `from_octets` or `from_base64`.

    Attributes:
        complete: False when the capture kept only a part.
    """

    __slots__ = ("_base64", "_octets", "_text", "complete")

    def __init__(
        self,
        *,
        text: str | None = None,
        octets: bytes | None = None,
        base64_text: str | None = None,
        complete: bool = True,
    ) -> None:
        self._text = text
        self._octets = octets
        self._base64 = base64_text
        self.complete = complete

    @classmethod
    def from_text(cls, text: str, *, complete: bool = True) -> Content:
        """Make content of text as the capture holds it."""
        return cls(text=text, complete=complete)

    @classmethod
    def from_json(cls, value: object, *, complete: bool = True) -> Content:
        """Make content that says a JSON value."""
        return cls(text=json.dumps(value, ensure_ascii=False), complete=complete)

    @classmethod
    def from_octets(cls, octets: bytes, *, complete: bool = True) -> Content:
        """Make content of raw octets."""
        return cls(octets=octets, complete=complete)

    @classmethod
    def from_base64(cls, text: str, *, complete: bool = True) -> Content:
        """Make content of base64 text, decoded only when asked for."""
        return cls(base64_text=text, complete=complete)

    @property
    def octets(self) -> bytes:
        """Return the octets; text as UTF-8."""
        if self._octets is None:
            if self._base64 is not None:
                try:
                    self._octets = base64.b64decode(self._base64)
                except (binascii.Error, ValueError):
                    self._octets = _utf8(self._base64)
            else:
                self._octets = _utf8(self._text or "")
        return self._octets

    @property
    def text(self) -> str:
        """Return the text; octets that are not UTF-8 as latin-1."""
        if self._text is None:
            try:
                self._text = self.octets.decode()
            except UnicodeDecodeError:
                self._text = self.octets.decode("latin-1")
        return self._text

    def json(self) -> object:
        """Return the JSON value, or UNKNOWN when the content is not (whole) JSON."""
        if not self.complete:
            return UNKNOWN
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return UNKNOWN

    def __len__(self) -> int:
        if self._octets is None and self._text is not None and self._text.isascii():
            return len(self._text)
        return len(self.octets)

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Content) and self.octets == other.octets

    def __hash__(self) -> int:
        return hash(self.octets)

    def __repr__(self) -> str:
        return f"Content({self.octets[:60]!r})"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as one vantage saw it.

    Attributes:
        method: as sent, upper case by convention.
        url: absolute target URI where known, else the request target as sent.
        fields: header fields in order.
        content: None when there was none, UNKNOWN when the capture does not hold it.
        version: protocol as the capture names it (`HTTP/1.1`, `h2`), "" when unknown.
    """

    method: str
    url: str
    fields: Fields = field(default_factory=Fields)
    content: Content | UnknownType | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """A response as one vantage saw it.

    Attributes:
        status: the status code (100 to 599).
        reason: the reason phrase, "" when none.
        fields: header fields in order.
        content: None when there was none, UNKNOWN when the capture does not hold it.
        version: protocol as the capture names it, "" when unknown.
        redirect: the target of a redirect as the capture names it, "" when none.
    """

    status: int
    reason: str = ""
    fields: Fields = field(default_factory=Fields)
    content: Content | UnknownType | None = None
    version: str = ""
    redirect: str = ""
