"""Remember hidden values, and find them again wherever they occur, in whatever escaping."""

from __future__ import annotations

import base64
import html
import json
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from ifmatch.capture.redaction.masks import MASKED
from ifmatch.capture.redaction.shapes import is_word, looks_random
from ifmatch.capture.redaction.vocabulary import ORDINARY
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ifmatch.capture.redaction.masks import Mask

_PREFIX: Final = 4
_LONGEST: Final = 65536
# From this length on a value inside a longer word is no coincidence.
_ANYWHERE: Final = 12
_ESCAPE: Final = late_pattern(r"%[0-9A-Fa-f]{2}|\\[nrtbf/\"'\\]|\\u[0-9A-Fa-f]{4}")
_LOWER_HEX: Final = late_pattern(r"%[0-9A-F]{2}")


class KnownValues:
    """The values that were seen at sensitive positions.

    `add` while learning, then `replace`; both orders may be mixed.
    """

    __slots__ = ("_begin", "_index", "_originals", "_protected", "_uncertain")

    def __init__(self) -> None:
        self._originals: dict[str, str] = {}
        self._uncertain: set[str] = set()
        self._protected: set[str] = set()
        self._index: dict[str, tuple[int, ...]] | None = None
        self._begin: Callable[[str, int], re.Match[str] | None] = re.compile(r"(?!)").search

    def add(self, value: str, *, certain: bool) -> None:
        """Remember a value, unless it is too short or too ordinary to be found again safely.

        Args:
            value: as it stood at its position, escaping undone.
            certain: False when it was hidden only because nothing says that it is harmless; such a value must
                look random to be searched elsewhere.
        """
        value = value.strip()
        if not _PREFIX <= len(value) <= _LONGEST or MASKED.search(value) or value.lower() in ORDINARY:
            return
        if certain:
            self._uncertain.discard(value)
        elif value in self._originals or not looks_random(value):
            return
        else:
            self._uncertain.add(value)
        if value not in self._originals:
            self._index = None
            self._originals[value] = value
        for form in _forms(value):
            self._originals.setdefault(form, value)

    def protect(self, value: str) -> None:
        """Keep a value readable that a diagnosis speaks about, unless it is a secret for certain."""
        if value not in self._protected:
            self._protected.add(value)
            self._index = None

    def _is_public(self, value: str) -> bool:
        """Tell whether a value also stands where everybody sees it, and is not a secret beyond doubt.

        A password `docs` on the host docs.example cannot be told from the host.
        """
        return value in self._protected and (value in self._uncertain or is_word(value))

    def is_protected(self, value: str) -> bool:
        """Tell whether the value was seen as an entity tag or as part of a path."""
        return value in self._protected

    def __len__(self) -> int:
        return len(self._originals)

    def _built(self) -> dict[str, tuple[int, ...]]:
        if self._index is None:
            lengths: dict[str, set[int]] = {}
            for form, original in self._originals.items():
                if self._is_public(original):
                    continue
                lengths.setdefault(form[:_PREFIX], set()).add(len(form))
            self._index = {prefix: tuple(sorted(sizes, reverse=True)) for prefix, sizes in lengths.items()}
            # An expression finds where one may begin in a tenth of the time that a look at each sign takes.
            pattern = "|".join(map(re.escape, self._index)) if self._index else r"(?!)"
            self._begin = re.compile(pattern).search
        return self._index

    def replace(self, text: str, mask: Mask) -> str:
        """Mask every occurrence of a remembered value.

        Args:
            text: free text; masks in it stay.
            mask: makes the masks; every form of one value gets the mask of the value itself.
        """
        if not self._originals or len(text) < _PREFIX:
            return text
        index = self._built()
        parts: list[str] = []
        done = 0
        for position, form in self._found(text, index):
            parts.append(text[done:position])
            parts.append(mask(self._originals[form]))
            done = position + len(form)
        if not done:
            return text
        parts.append(text[done:])
        return "".join(parts)

    def _found(self, text: str, index: dict[str, tuple[int, ...]]) -> Iterator[tuple[int, str]]:
        masks = [found.span() for found in MASKED.finditer(text)]
        begins = [begin for begin, _ in masks]
        position = 0
        while (found := self._begin(text, position)) is not None:
            start = found.start()
            # A mask stays; whoever begins within one is passed over.
            before = bisect_right(begins, start) - 1
            begin, end = masks[before] if before >= 0 else (-1, -1)
            if position <= begin and start < end:
                position = end
                continue
            form = self._longest(text, start, index[found.group()])
            if form is None:
                position = start + 1
            else:
                yield start, form
                position = start + len(form)

    def _longest(self, text: str, position: int, sizes: tuple[int, ...]) -> str | None:
        for size in sizes:
            form = text[position : position + size]
            original = self._originals.get(form)
            if original is None or self._is_public(original):
                continue
            if len(form) >= _ANYWHERE or _stands_alone(text, position, position + len(form)):
                return form
        return None


def _stands_alone(text: str, start: int, end: int) -> bool:
    after = text[end : end + 1]
    if after.isalnum() and text[end - 1].isalnum():
        return False
    before = text[start - 1 : start]
    if not before.isalnum() or not text[start].isalnum():
        return True
    return any(_ESCAPE.fullmatch(text[max(start - size, 0) : start]) for size in (2, 3, 6))


def _forms(value: str) -> set[str]:
    """Return the value in the escapings that reports, URLs and bodies use."""
    octets = value.encode("utf-8", "surrogatepass")
    percent = {quote(octets, safe=""), quote(octets, safe="/"), quote_plus(octets)}
    forms = percent | {_LOWER_HEX.sub(lambda found: found.group().lower(), one) for one in percent}
    inner = json.dumps(value)[1:-1]
    forms |= {
        inner,
        json.dumps(value, ensure_ascii=False)[1:-1],
        json.dumps(inner)[1:-1],
        inner.replace("/", "\\/"),
    }
    escaped = html.escape(value, quote=True)
    forms |= {escaped, escaped.replace("&#x27;", "&#39;"), html.escape(value, quote=False)}
    forms |= {escaped.replace("&quot;", "&#34;").replace("&#x27;", "&#39;")}
    if len(octets) >= 6:
        for encoded in (base64.b64encode(octets).decode(), base64.urlsafe_b64encode(octets).decode()):
            forms |= {encoded, encoded.rstrip("="), quote(encoded, safe="")}
    forms.discard(value)
    return forms
