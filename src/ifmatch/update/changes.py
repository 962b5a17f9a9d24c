"""Say what an update does to the state it finds: a function, a patch, a document, a deletion."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from types import CoroutineType
from typing import TYPE_CHECKING, Final, Generic, Literal, Protocol, TypeAlias, TypeVar, cast

from ifmatch.errors import InputError
from ifmatch.merge import (
    MISSING,
    Conflict,
    PatchError,
    apply_json_patch,
    apply_merge_patch,
    merge_json,
    merge_text,
    parse_json,
    write_json,
)
from ifmatch.update.errors import DataConflictError, NotAppliedError, TargetMissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ifmatch.merge import JsonValue, Missing, Policies
    from ifmatch.update.records import State, Token

__all__ = [
    "DELETE",
    "NOTHING",
    "Change",
    "Delete",
    "Edit",
    "EditOctets",
    "JsonPatch",
    "MergeDocument",
    "MergePatch",
    "MergeText",
    "Nothing",
    "Proposal",
    "Replace",
    "TextPolicy",
]


D = TypeVar("D")
_BLANKS: Final = b" \t\n\r"
# Behind a byte order mark, or with blanks before it, a document may still be the same.
_OPENING: Final = (b"{", b"[")


class _Marker(Enum):
    DELETE = "delete"
    NOTHING = "nothing"


Delete: TypeAlias = Literal[_Marker.DELETE]
Nothing: TypeAlias = Literal[_Marker.NOTHING]
DELETE: Final = _Marker.DELETE
"""Remove the resource."""
NOTHING: Final = _Marker.NOTHING
"""Leave the resource as it is."""
Proposal: TypeAlias = "bytes | Delete | Nothing"


class Change(Protocol):
    """Decide what to write, from the state that was found; run again on each new state."""

    def propose(self, state: State | None) -> Proposal:
        """Return the new content, DELETE or NOTHING.

        Args:
            state: the current state, None when there is no such resource.

        Raises:
            DataConflictError: the change contradicts the state.
        """
        ...


def state_json(state: State | None) -> JsonValue | Missing:
    """Return the document of a state, MISSING when there is none.

    Raises:
        InputError: the state is no JSON.
    """
    if state is None:
        return MISSING
    try:
        return parse_json(state.octets, source="the current state")
    except InputError as error:
        error.advice = (
            error.advice or "Nothing was written. Change other content with EditOctets or MergeText"
        )
        raise


def _document(state: State | None, *, creates: bool) -> JsonValue:
    """Return the document to change; None where there is none and the change may make it."""
    if state is None and not creates:
        raise TargetMissingError(
            "there is no such resource, so nothing was changed. Use create, or say creates=True if making it"
            " is"
            " meant"
        )
    document = state_json(state)
    return None if document is MISSING else document


def _octets(result: JsonValue, state: State | None) -> bytes | Nothing:
    """Return what to write; NOTHING when the state says the same already."""
    octets = write_json(result).encode()
    if state is None:
        return octets
    before = state.octets
    if octets == before:
        return NOTHING
    # Without escapes, what says the same as `octets`, which holds no blanks of its own, differs in blanks.
    if (
        b"\\" not in before
        and before[:1] in _OPENING
        and before.translate(None, _BLANKS) != octets.translate(None, _BLANKS)
    ):
        return octets
    # What differs as a value differs as text too, and comparing values is quick; 1, 1.0 and True are equal.
    was = parse_json(before)
    return NOTHING if was == result and octets == write_json(was).encode() else octets


def _name(function: Callable[..., object]) -> str:
    name: object = getattr(function, "__qualname__", None)
    return f"the function {name}" if isinstance(name, str) else "the function"


def _refuse_coroutine(function: Callable[..., object], result: object) -> None:
    """Raise a TypeError when what a function returned is to be awaited."""
    if not isinstance(result, CoroutineType):
        return
    cast("CoroutineType[object, object, object]", result).close()
    raise TypeError(
        f"{_name(function)} is asynchronous, and nothing was written: a change is a plain function, since it"
        " may run several times. Await what it needs before the update"
    )


@dataclass(frozen=True, slots=True)
class Edit(Generic[D]):
    """Apply a function to the document.

    Attributes:
        function: gets the JSON document (None when there is no resource), returns the new one, or DELETE or
            NOTHING. It may run several times and must not have effects of its own. It may change its argument
            and return it.
        creates: whether a missing resource may be made.
    """

    function: Callable[[D], D | Delete | Nothing]
    creates: bool = False

    def propose(self, state: State | None) -> Proposal:
        """Run the function; a result that equals the state is nothing to write."""
        document = _document(state, creates=self.creates)
        was_null = state is not None and document is None
        # What type the document has is the caller's knowledge; here it is any JSON.
        result = self.function(cast("D", document))
        if isinstance(result, _Marker):
            return result
        if result is None and not was_null:
            raise TypeError(
                f"{_name(self.function)} returned None, and nothing was written: a change returns the"
                " document, NOTHING to leave it, or DELETE to remove it (to write null, use EditOctets)"
            )
        _refuse_coroutine(self.function, result)
        return _octets(cast("JsonValue", result), state)


@dataclass(frozen=True, slots=True)
class EditOctets:
    """Apply a function to the content as octets: text, calendars, images.

    Attributes:
        function: gets the octets (None when there is no resource), returns the new ones, or DELETE or
            NOTHING. It may run several times and must not have effects of its own.
        creates: whether a missing resource may be made.
    """

    function: Callable[[bytes | None], bytes | Delete | Nothing]
    creates: bool = False

    def propose(self, state: State | None) -> Proposal:
        """Run the function; a result that equals the state is nothing to write."""
        if state is None:
            _document(None, creates=self.creates)
        result = cast("object", self.function(None if state is None else state.octets))
        _refuse_coroutine(self.function, result)
        if isinstance(result, _Marker):
            return result
        if not isinstance(result, bytes):
            raise TypeError(
                f"{_name(self.function)} returned {type(result).__name__}, and nothing was written: a"
                " change of octets returns bytes, NOTHING to leave them, or DELETE to remove the resource"
            )
        return NOTHING if state is not None and result == state.octets else result


@dataclass(frozen=True, slots=True)
class MergePatch:
    """Apply a JSON Merge Patch to whatever the state is; what it does not name stays.

    Attributes:
        patch: members to set; None removes (RFC 7396 section 2).
        creates: whether a missing resource may be made.
    """

    patch: JsonValue
    creates: bool = False

    def propose(self, state: State | None) -> Proposal:
        """Apply the patch; a result that equals the state is nothing to write."""
        return _octets(apply_merge_patch(_document(state, creates=self.creates), self.patch), state)


@dataclass(frozen=True, slots=True)
class JsonPatch:
    """Apply a JSON Patch to the state; its `test` operations decide whether it still fits.

    Attributes:
        operations: the patch (RFC 6902 section 4).
    """

    operations: Sequence[Mapping[str, JsonValue]]

    def propose(self, state: State | None) -> Proposal:
        """Apply the patch; one that does not fit is not written."""
        document = _document(state, creates=False)
        try:
            return _octets(apply_json_patch(document, self.operations), state)
        except PatchError as error:
            raise NotAppliedError(f"the patch does not fit the current state: {error}") from error


@dataclass(slots=True)
class MergeDocument:
    """Bring in a document that was edited from an earlier state (three-way).

    Attributes:
        base: the document as it was read.
        mine: the document as it was edited; MISSING to delete it.
        policies: how contradictions are decided.
        resolved: what the policies decided in the last merge.
    """

    base: JsonValue | Missing
    mine: JsonValue | Missing
    policies: Policies | None = None
    resolved: tuple[Conflict, ...] = field(init=False, compare=False, default=())

    def propose(self, state: State | None) -> Proposal:
        """Merge; contradictions are raised as data."""
        theirs = state_json(state)
        merged = merge_json(self.base, self.mine, theirs, self.policies)
        self.resolved = merged.resolved
        if merged.conflicts:
            raise DataConflictError(merged.conflicts, state)
        if merged.draft is MISSING:
            return NOTHING if state is None else DELETE
        octets = write_json(merged.draft).encode()
        if theirs is not MISSING and octets == write_json(theirs).encode():
            return NOTHING
        return octets


TextPolicy: TypeAlias = "Literal['mine', 'theirs', 'raise'] | Callable[[Conflict], str]"
"""How to decide about lines that both sides changed; a function gets them and returns what shall stand."""


@dataclass(slots=True)
class MergeText:
    """Bring in a text that was edited from an earlier state (three-way, by lines).

    Attributes:
        base: the text as it was read.
        mine: the text as it was edited.
        policy: how contradictions are decided.
        resolved: what the policy decided in the last merge.
    """

    base: str
    mine: str
    policy: TextPolicy = "raise"
    resolved: tuple[Conflict, ...] = field(init=False, compare=False, default=())

    def propose(self, state: State | None) -> Proposal:
        """Merge; contradictions are raised as data. Octets that are no UTF-8 go through as they are."""
        if state is None:
            _document(None, creates=not self.base)
        theirs = "" if state is None else state.octets.decode("utf-8", "surrogateescape")
        parts: list[str] = []
        conflicts: list[Conflict] = []
        for part in merge_text(self.base, self.mine, theirs).parts:
            if isinstance(part, str):
                parts.append(part)
            else:
                found = Conflict("", "lines", part.base, part.mine, part.theirs, part.line - 1)
                conflicts.append(found)
                parts.append(self._decided(found, part.mine, part.theirs))
        if conflicts and self.policy == "raise":
            raise DataConflictError(tuple(conflicts), state)
        self.resolved = tuple(conflicts)
        octets = "".join(parts).encode("utf-8", "surrogateescape")
        return NOTHING if state is not None and octets == state.octets else octets

    def _decided(self, conflict: Conflict, mine: str, theirs: str) -> str:
        if callable(self.policy):
            return self.policy(conflict)
        return theirs if self.policy == "theirs" else mine


@dataclass(slots=True)
class Replace:
    """Write fixed content, or delete, only while the state is the expected one.

    Attributes:
        octets: new content; DELETE to remove the resource.
        expected: token the state must have; empty: there must be no resource; None: the first state that is
            proposed on, from then on.
    """

    octets: bytes | Delete
    expected: Token | None = None
    _base: State | None = field(init=False, repr=False, compare=False, default=None)

    def propose(self, state: State | None) -> Proposal:
        """Return the content, or the contradiction: the whole document was changed meanwhile."""
        token = () if state is None else state.token
        if state is None and self.octets is DELETE:
            return NOTHING
        if self.expected is None:
            self.expected = token
        if token != self.expected:
            raise DataConflictError((self._conflict(state),), state)
        self._base = state
        return self.octets

    def _conflict(self, state: State | None) -> Conflict:
        mine = MISSING if self.octets is DELETE else _shown(self.octets)
        theirs = MISSING if state is None else _shown(state.octets)
        base = MISSING if self._base is None else _shown(self._base.octets)
        kind = "removed-changed" if MISSING in (mine, theirs) else "changed-both"
        return Conflict("", kind if self.expected else "added-both", base, mine, theirs)


def _shown(octets: bytes) -> JsonValue:
    """Return the JSON, or the text when it is none."""
    try:
        return parse_json(octets)
    except InputError:
        return octets.decode("utf-8", "replace")
