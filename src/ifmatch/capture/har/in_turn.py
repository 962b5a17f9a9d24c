"""Tell which resources of a giant HAR were only changed in turn: a diagnosis has nothing to tell of them.

By their tags: each write names the one that was last shown, is answered with one that was never there, and
each look in between shows the same. By their contents: what a write sent stands in the answer or in what is
shown next, and no write brings back what an earlier one had changed.
Source of the terms: RFC 9110 sections 8.8.3 and 13.1.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Course", "condition_of", "contents_in_turn"]

_STRONG: Final = re.compile(
    rb'"if-(?:none-)?match"\s*,\s*"value"\s*:\s*"\s*\\"([^"\\]*)\\"\s*"', re.IGNORECASE
)
# To count these takes a tenth of the time of an expression for all of them.
_CONDITION: Final = b'"if-'
_EXTENSION: Final = b'"x-'
_METHODS: Final = (b'"x-http-method', b'"x-method')
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
# Longer contents, in octets, are left to the diagnosis.
_LONGEST: Final = 65_536
_encode = msgspec.json.Encoder(order="deterministic").encode


class _Text(msgspec.Struct, gc=False):
    text: str = ""


class _Request(msgspec.Struct, gc=False):
    post_data: _Text | None = msgspec.field(default=None, name="postData")


class _Response(msgspec.Struct, gc=False):
    content: _Text | None = None


class _Entry(msgspec.Struct, gc=False):
    request: _Request
    response: _Response


_decode = msgspec.json.Decoder(_Entry).decode
_Object = dict[str, object]
_decode_object = msgspec.json.Decoder(_Object).decode


def condition_of(sent: bytes, names: bytes) -> int:
    """Return a hash of the strong tag that a request names, 0 when that is not its only condition.

    Args:
        sent: the list of its fields, as it stands in the file.
        names: the same in lower case.

    Source: RFC 9110 sections 13.1.1 and 13.1.2.
    """
    if names.count(_CONDITION) != 1 or b'"range"' in names:
        return 0
    if _EXTENSION in names and any(method in names for method in _METHODS):
        return 0
    found = _STRONG.match(sent, names.find(_CONDITION))
    return hash(found.group(1)) if found is not None else 0


@dataclass(slots=True)
class Course:
    """How the tags of one resource went on.

    Attributes:
        tag: the last one shown, a hash; 0 before any.
        seen: all tags that were there.
    """

    tag: int = 0
    seen: set[int] = field(default_factory=set[int])

    def shows(self, tag: int) -> bool:
        """Tell whether a look shows what was there, or is the first one.

        Args:
            tag: what it carries, a hash.
        """
        if not tag or (self.tag and tag != self.tag):
            return False
        self._goes_on(tag)
        return True

    def makes(self, tag: int, made_of: int) -> bool:
        """Tell whether a write was made of what was shown last, and gave a tag that was never there.

        Args:
            tag: what it was answered with, a hash.
            made_of: the tag that it named.
        """
        if not tag or made_of != self.tag or tag in self.seen:
            return False
        self._goes_on(tag)
        return True

    def _goes_on(self, tag: int) -> None:
        self.tag = tag
        self.seen.add(tag)


def contents_in_turn(entries: Iterable[tuple[bool, bytes]]) -> bool:
    """Tell whether the contents of a resource go on as its tags do.

    Args:
        entries: of each exchange whether it writes, and the entry as it stands in the file, in their order.
    """
    story = _Contents()
    try:
        return all(story.goes_on(octets, writes=writes) for writes, octets in entries)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


@dataclass(slots=True)
class _Contents:
    current: _Object = field(default_factory=dict[str, object])
    past: set[bytes] = field(default_factory=set[bytes])
    changed: set[str] = field(default_factory=set[str])
    waiting: _Object | None = None
    # Of what was shown last; "" where a write only told what it put in.
    text: str = ""

    def goes_on(self, octets: bytes, *, writes: bool) -> bool:
        entry = _decode(octets)
        sent, shown = entry.request.post_data, entry.response.content
        text = shown.text if shown is not None else ""
        if not writes:
            # Most looks show what stood there before.
            return not text or text == self.text or self._look(_object(text), text)
        wanted = _object(sent.text) if sent is not None else None
        if not wanted or any(self._may_undo(name, value) for name, value in wanted.items()):
            return False
        self.changed.update(name for name, value in wanted.items() if self.current.get(name) != value)
        there = _object(text) if text else {**self.current, **wanted}
        if not there or not _taken(wanted, there):
            return False
        self.waiting = None if text else wanted
        return self._note(there, text)

    def _look(self, there: _Object | None, text: str) -> bool:
        if not there:
            return False
        if self.waiting is not None:
            if not _taken(self.waiting, there):
                return False
            self.waiting = None
        elif any(name in there and there[name] != value for name, value in self.current.items()):
            return False
        return self._note(there, text)

    def _may_undo(self, name: str, value: object) -> bool:
        """Tell whether a member is sent as it was before, or may lack a part that an earlier write put in."""
        if self.current.get(name) == value:
            return False
        has_parts = isinstance(value, list | dict) or (isinstance(value, str) and " " in value.strip())
        return (has_parts and name in self.changed) or _encode((name, value)) in self.past

    def _note(self, there: _Object, text: str) -> bool:
        """Note what is shown; tell whether all that writes changed is still there."""
        self.text = text
        self.past.update(
            _encode(member) for member in there.items() if self.current.get(member[0]) != member[1]
        )
        self.current = there
        return self.changed <= there.keys()


def _object(text: str) -> _Object | None:
    return _decode_object(text) if len(text) <= _LONGEST else None


def _taken(sent: _Object, shown: _Object) -> bool:
    """Tell whether what was sent is shown; versions and times may have gone on."""
    return all(name in shown and _stands(value, shown[name]) for name, value in sent.items())


def _stands(sent: object, shown: object) -> bool:
    if sent == shown:
        return True
    if type(sent) is int and type(shown) is int:
        return shown == sent + 1
    if not isinstance(sent, str) or not isinstance(shown, str) or len(sent) != len(shown):
        return False
    return sent < shown and _MOMENT.match(sent) is not None and _MOMENT.match(shown) is not None
