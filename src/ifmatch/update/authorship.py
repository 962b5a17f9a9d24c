"""Prove that a state holds, or surely does not hold, the effect of our own write.

Equal content alone proves nothing: another writer may have written the same. What counts is a mark of ours in
the state or its history, or what the server says of the lineage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ifmatch.errors import InputError
from ifmatch.merge.json_patch import apply_json_patch
from ifmatch.merge.json_text import parse_json, write_json
from ifmatch.merge.pointer import resolve_pointer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.merge.json_text import JsonValue
    from ifmatch.update.records import State

__all__ = ["Authorship", "FieldRing", "JsonMarker", "LineMarker", "LineageField"]


class Authorship(Protocol):
    """Mark writes, and find the mark again."""

    def stamp(self, octets: bytes, operation: str) -> bytes:
        """Return the content with the mark of an operation.

        Args:
            octets: content that is to be written.
            operation: id of the operation; the same for all its attempts.
        """
        ...

    def fields(self, operation: str, base: State | None) -> tuple[tuple[str, str], ...]:
        """Return header fields that carry the mark.

        Args:
            operation: as above.
            base: the state that the write is based on; None when there is none.
        """
        ...

    def wrote(self, operation: str, base: State | None, current: State) -> bool | None:
        """Tell whether a state holds the effect of the operation.

        Args:
            operation: id of the operation.
            base: the state that the write was based on; None when there was none.
            current: what was read back.

        Returns:
            True or False when proven, else None.
        """
        ...


def _ring_tells(operation: str, before: Sequence[object] | None, now: Sequence[object] | None) -> bool | None:
    """Tell what the rings of the base and of the current state say of an operation.

    Args:
        operation: its id.
        before: the ring of the base; empty when there was no resource, None when it had no ring.
        now: the ring of the current state; None when it has none.
    """
    if now is None:
        return None
    if operation in now:
        return True
    if not before:
        # Nothing of the base stands in the ring. Ours would be its first entry or behind it, and only a ring
        # that was dropped by a writer and begun anew could lack it: that cannot be told from one that never
        # held it.
        return None
    # Ours would stand behind the newest id of the base, so as long as that one is there ours was never
    # written.
    return False if before[-1] in now else None


@dataclass(frozen=True, slots=True)
class JsonMarker:
    """Keep the ids of the last writes in the document itself.

    Every writer has to keep the member: one that drops it makes proof impossible (never wrong).

    Attributes:
        pointer: where the array of ids lives; its parent must exist in the document.
        size: how many ids are kept.
    """

    pointer: str = "/_writes"
    size: int = 64

    def stamp(self, octets: bytes, operation: str) -> bytes:
        """Append the id to the ring; a document that cannot hold one is left as it is."""
        try:
            document = parse_json(octets, source="the new content")
        except InputError as error:
            error.advice = "Nothing was written. JsonMarker marks JSON: use LineMarker for text, or FieldRing"
            raise
        ring = [entry for entry in self._ring(document) or [] if entry != operation]
        kept: list[JsonValue] = [*ring, operation][-self.size :]
        try:
            marked = apply_json_patch(document, [{"op": "add", "path": self.pointer, "value": kept}])
        except Exception as error:
            raise InputError(
                f"the document has no place for the marker at {self.pointer}",
                source="document",
                advice="Use a JSON object, or another pointer for JsonMarker",
            ) from error
        return write_json(marked).encode()

    def fields(self, operation: str, base: State | None) -> tuple[tuple[str, str], ...]:
        """Return none: the mark is in the content."""
        del operation, base
        return ()

    def wrote(self, operation: str, base: State | None, current: State) -> bool | None:
        """Look for the id; its absence counts only while the ring surely has not turned over."""
        now = self._read(current.octets)
        before = [] if base is None else self._read(base.octets)
        return _ring_tells(operation, before, now)

    def _read(self, octets: bytes) -> list[JsonValue] | None:
        try:
            return self._ring(parse_json(octets))
        except InputError:
            return None

    def _ring(self, document: JsonValue) -> list[JsonValue] | None:
        try:
            found = resolve_pointer(document, self.pointer)
        except LookupError:
            return None
        return found if isinstance(found, list) else None


@dataclass(frozen=True, slots=True)
class LineMarker:
    """Keep the ids of the last writes in a line of the text itself: calendars, address cards, configuration.

    Attributes:
        name: of the line, up to its colon; for iCalendar and vCard a name that begins with X- (RFC 5545
            section 3.8.8.2, RFC 6350 section 6.10).
        before: text of the line that it is put before; "" to put it at the end.
        size: how many ids are kept.
    """

    name: str = "X-IFMATCH-WRITES"
    before: str = "END:VCALENDAR"
    size: int = 32

    def stamp(self, octets: bytes, operation: str) -> bytes:
        """Put the id into the line; a text without the place for it is refused."""
        text = octets.decode()
        end = "\r\n" if "\r\n" in text else "\n"
        ring = [entry for entry in self._ring(text) or [] if entry != operation]
        kept = [line for line in _unfolded(text).splitlines() if not line.startswith(f"{self.name}:")]
        # Short lines, so that nobody on the way folds them (RFC 5545 section 3.1).
        marks = [f"{self.name}:{entry}" for entry in [*ring, operation][-self.size :]]
        place = len(kept)
        if self.before:
            if self.before not in kept:
                raise InputError(
                    f"the text has no line {self.before!r} for the marker to stand before",
                    source="document",
                    advice="Name another line, or none, for LineMarker",
                )
            place = kept.index(self.before)
        return end.join([*kept[:place], *marks, *kept[place:], ""]).encode()

    def fields(self, operation: str, base: State | None) -> tuple[tuple[str, str], ...]:
        """Return none: the mark is in the content."""
        del operation, base
        return ()

    def wrote(self, operation: str, base: State | None, current: State) -> bool | None:
        """Look for the id; its absence counts only while the ring surely has not turned over."""
        before = [] if base is None else self._ring(base.octets.decode("utf-8", "replace"))
        return _ring_tells(operation, before, self._ring(current.octets.decode("utf-8", "replace")))

    def _ring(self, text: str) -> list[str] | None:
        lines = [
            line.partition(":")[2] for line in _unfolded(text).splitlines() if line.startswith(self.name)
        ]
        return lines or None


def _unfolded(text: str) -> str:
    """Undo folded lines (RFC 5545 section 3.1)."""
    return text.replace("\r\n ", "").replace("\r\n\t", "")


@dataclass(frozen=True, slots=True)
class LineageField:
    """Send the id in a header field that the service gives back with the state it led to.

    Attributes:
        sent: name of the request field.
        received: name of the response field that holds the id of the last write; it proves only when it is
            ours.
    """

    sent: str
    received: str

    def stamp(self, octets: bytes, operation: str) -> bytes:
        """Return the content as it is."""
        del operation
        return octets

    def fields(self, operation: str, base: State | None) -> tuple[tuple[str, str], ...]:
        """Return the field with the id."""
        del base
        return ((self.sent, operation),)

    def wrote(self, operation: str, base: State | None, current: State) -> bool | None:
        """Compare the id that the service names; another one tells only who was last."""
        del base
        return True if current.fields.text(self.received) == operation else None


@dataclass(frozen=True, slots=True)
class FieldRing:
    """Keep the ids of the last writes in a metadata field of the object, where content must stay as it is.

    Every writer has to carry the field on: one that drops it makes proof impossible (never wrong).

    Attributes:
        name: of the field that is sent with a write and comes back with every read, such as
            `x-amz-meta-ifmatch-writes` (S3) or `x-ms-meta-ifmatch_writes` (Azure Blob).
        size: how many ids are kept; S3 allows 2 KB for all metadata of an object.
    """

    name: str
    size: int = 32

    def stamp(self, octets: bytes, operation: str) -> bytes:
        """Return the content as it is."""
        del operation
        return octets

    def fields(self, operation: str, base: State | None) -> tuple[tuple[str, str], ...]:
        """Return the field: the ids of the base and this one."""
        ring = [entry for entry in (self._read(base) or [] if base is not None else []) if entry != operation]
        return ((self.name, " ".join([*ring, operation][-self.size :])),)

    def wrote(self, operation: str, base: State | None, current: State) -> bool | None:
        """Look for the id; its absence counts only while the ring surely has not turned over."""
        before = [] if base is None else self._read(base)
        return _ring_tells(operation, before, self._read(current))

    def _read(self, state: State) -> list[str] | None:
        text = state.fields.text(self.name)
        return None if text is None else text.split()
